// Integers of up to eight bits under a scale.

#include "kernels.h"

// 1.5 x 2^23: its neighbours are one apart, and two's complement fits below its leading bits.
static const float magic = 12582912;

static void quantize_portable(
    const float *values, intptr_t count, float inverse, uint8_t offset, bool streams,
    uint8_t *codes) {
  (void)streams;
  for (intptr_t i = 0; i < count; i++) {
    codes[i] = (uint8_t)(bits_of(values[i] * inverse + magic) + offset);
  }
}

static int32_t quantize_and_scan_portable(
    const float *values, intptr_t count, float inverse, uint8_t offset, bool streams,
    uint8_t *codes) {
  quantize_portable(values, count, inverse, offset, streams, codes);
  return ck_portable_largest_magnitude_bits(values + count, count);
}

static void dequantize_portable(
    const uint8_t *codes, intptr_t count, uint8_t offset, float scale, bool streams,
    float *values) {
  (void)streams;
  if (offset == 0) {
    for (intptr_t i = 0; i < count; i++) values[i] = (float)(int8_t)codes[i] * scale;
  } else {
    for (intptr_t i = 0; i < count; i++) values[i] = (float)(codes[i] - offset) * scale;
  }
}

static void dequantize_levels_portable(
    const uint8_t *codes, intptr_t count, uint32_t sign_bit, float step, bool streams,
    float *values) {
  (void)streams;
  uint32_t mask = (1u << sign_bit) - 1;
  for (intptr_t i = 0; i < count; i++) {
    float magnitude = (float)(int32_t)(codes[i] & mask) * step;
    values[i] = float_of(bits_of(magnitude) ^ (uint32_t)codes[i] >> sign_bit << 31);
  }
}

#if CK_HAS_AVX2_FORMS
CK_AVX2 CK_INLINE int32_t quantize_put(
    const float *values, intptr_t count, float inverse, uint8_t offset, bool streams, bool scans,
    uint8_t *codes) {
  const __m256 factor = _mm256_set1_ps(inverse);
  const __m256i offsets = _mm256_set1_epi8((char)offset), all = _mm256_set1_epi32(0x7FFFFFFF);
  // Packing works within halves of a vector: these are the runs of four in order.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const float *next = values + count;
  __m256i largest[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  intptr_t i = 0;
  for (; i + 32 <= count; i += 32) {
    // The range of these values was taken first: what is not cached is what comes after them.
    prefetch((scans ? next : values) + i, scans ? 2048 : 4096);
    __m256i v[4];
    for (int j = 0; j < 4; j++) {
      // The conversion rounds as the addition of the magic number does.
      v[j] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values + i + 8 * j), factor));
    }
    if (scans) {
      for (int j = 0; j < 4; j++) {
        __m256i bits = _mm256_loadu_si256((const __m256i *)(next + i + 8 * j));
        largest[j & 1] = _mm256_max_epi32(largest[j & 1], _mm256_and_si256(bits, all));
      }
    }
    __m256i packed = _mm256_packs_epi16(
        _mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
    packed = _mm256_add_epi8(_mm256_permutevar8x32_epi32(packed, order), offsets);
    put_bytes(codes + i, packed, streams);
  }
  quantize_portable(values + i, count - i, inverse, offset, false, codes + i);
  if (!scans) return 0;
  int32_t each[8], most = 0;
  _mm256_storeu_si256((__m256i *)each, _mm256_max_epi32(largest[0], largest[1]));
  for (int lane = 0; lane < 8; lane++) most = each[lane] > most ? each[lane] : most;
  int32_t rest = ck_portable_largest_magnitude_bits(next + i, count - i);
  return rest > most ? rest : most;
}
CK_AVX2 static void quantize_avx2(
    const float *values, intptr_t count, float inverse, uint8_t offset, bool streams,
    uint8_t *codes) {
  if (streams && is_aligned_to_words(codes)) {
    quantize_put(values, count, inverse, offset, true, false, codes);
  } else {
    quantize_put(values, count, inverse, offset, false, false, codes);
  }
}
CK_AVX2 static int32_t quantize_and_scan_avx2(
    const float *values, intptr_t count, float inverse, uint8_t offset, bool streams,
    uint8_t *codes) {
  if (streams && is_aligned_to_words(codes)) {
    return quantize_put(values, count, inverse, offset, true, true, codes);
  }
  return quantize_put(values, count, inverse, offset, false, true, codes);
}

CK_AVX2 CK_INLINE void dequantize_put(
    const uint8_t *codes, intptr_t count, uint8_t offset, float scale, bool streams,
    float *values) {
  const __m256 scales = _mm256_set1_ps(scale);
  const __m256i offsets = _mm256_set1_epi32(offset);
  intptr_t i = unaligned(values, count, streams);
  dequantize_portable(codes, i, offset, scale, false, values);
  for (; i + 8 <= count; i += 8) {
    __m128i eight = _mm_loadl_epi64((const __m128i *)(codes + i));
    __m256i wide = offset == 0 ? _mm256_cvtepi8_epi32(eight)
                               : _mm256_sub_epi32(_mm256_cvtepu8_epi32(eight), offsets);
    put(values + i, _mm256_mul_ps(_mm256_cvtepi32_ps(wide), scales), streams);
  }
  dequantize_portable(codes + i, count - i, offset, scale, false, values + i);
}
CK_AVX2 static void dequantize_avx2(
    const uint8_t *codes, intptr_t count, uint8_t offset, float scale, bool streams,
    float *values) {
  if (streams) {
    dequantize_put(codes, count, offset, scale, true, values);
  } else {
    dequantize_put(codes, count, offset, scale, false, values);
  }
}

CK_AVX2 CK_INLINE void dequantize_levels_put(
    const uint8_t *codes, intptr_t count, uint32_t sign_bit, float step, bool streams,
    float *values) {
  const __m256 steps = _mm256_set1_ps(step);
  const __m256i mask = _mm256_set1_epi32((1 << sign_bit) - 1);
  const __m256i top = _mm256_set1_epi32(INT32_MIN);
  const __m128i shift = _mm_cvtsi32_si128(31 - (int)sign_bit);
  intptr_t i = unaligned(values, count, streams);
  dequantize_levels_portable(codes, i, sign_bit, step, false, values);
  for (; i + 8 <= count; i += 8) {
    __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(codes + i)));
    __m256 magnitude = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_and_si256(wide, mask)), steps);
    __m256i sign = _mm256_and_si256(_mm256_sll_epi32(wide, shift), top);
    put(values + i, _mm256_xor_ps(magnitude, _mm256_castsi256_ps(sign)), streams);
  }
  dequantize_levels_portable(codes + i, count - i, sign_bit, step, false, values + i);
}
CK_AVX2 static void dequantize_levels_avx2(
    const uint8_t *codes, intptr_t count, uint32_t sign_bit, float step, bool streams,
    float *values) {
  if (streams) {
    dequantize_levels_put(codes, count, sign_bit, step, true, values);
  } else {
    dequantize_levels_put(codes, count, sign_bit, step, false, values);
  }
}
#endif

CK_DISPATCH(void, quantize,
            (const float *values, intptr_t count, float inverse, uint8_t offset, bool streams,
             uint8_t *codes),
            (values, count, inverse, offset, streams, codes))
CK_DISPATCH(int32_t, quantize_and_scan,
            (const float *values, intptr_t count, float inverse, uint8_t offset, bool streams,
             uint8_t *codes),
            (values, count, inverse, offset, streams, codes))
CK_DISPATCH(void, dequantize,
            (const uint8_t *codes, intptr_t count, uint8_t offset, float scale, bool streams,
             float *values),
            (codes, count, offset, scale, streams, values))
CK_DISPATCH(void, dequantize_levels,
            (const uint8_t *codes, intptr_t count, uint32_t sign_bit, float step, bool streams,
             float *values),
            (codes, count, sign_bit, step, streams, values))
