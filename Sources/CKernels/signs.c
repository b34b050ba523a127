// Signs as bits.

#include "kernels.h"

CK_INLINE int32_t pack_signs_from(
    const float *values, intptr_t first, intptr_t count, uint64_t *words, int32_t largest) {
  for (intptr_t start = first; start < count; start += 64) {
    uint64_t word = 0;
    intptr_t size = count - start < 64 ? count - start : 64;
    for (intptr_t j = 0; j < size; j++) {
      int32_t bits = (int32_t)(bits_of(values[start + j]) & 0x7FFFFFFF);
      largest = bits > largest ? bits : largest;
      // Minus zero has a sign bit but is not below zero.
      word |= (uint64_t)(values[start + j] < 0) << j;
    }
    words[start / 64] = word;
  }
  return largest;
}

static int32_t pack_signs_portable(const float *values, intptr_t count, uint64_t *words) {
  intptr_t whole = count & ~(intptr_t)63;
  int32_t largest = 0;
  for (intptr_t start = 0; start < whole; start += 64) {
    uint32_t halves[2] = {0, 0};
    for (int half = 0; half < 2; half++) {
      const float *group = values + start + 32 * half;
      // Or-reductions, which vectorise.
      uint32_t signs = 0;
      for (int j = 0; j < 32; j++) signs |= (uint32_t)(group[j] < 0) << j;
      halves[half] = signs;
      for (int j = 0; j < 32; j++) {
        int32_t bits = (int32_t)(bits_of(group[j]) & 0x7FFFFFFF);
        largest = bits > largest ? bits : largest;
      }
    }
    words[start / 64] = halves[0] | (uint64_t)halves[1] << 32;
  }
  return pack_signs_from(values, whole, count, words, largest);
}

CK_INLINE void unpack_signs_from(
    const uint64_t *words, intptr_t first, intptr_t end, uint32_t base, uint32_t change,
    float *target) {
  for (intptr_t i = first; i < end; i++) {
    uint32_t sign = (uint32_t)(words[i >> 6] >> (i & 63)) & 1;
    target[i] = float_of(base ^ (change & (0 - sign)));
  }
}

static void unpack_signs_portable(
    const uint64_t *words, intptr_t first, intptr_t end, float positive, float negative,
    bool streams, float *target) {
  (void)streams;
  uint32_t base = bits_of(positive), change = base ^ bits_of(negative);
  intptr_t i = (first + 31) & ~(intptr_t)31;
  if (i > end) i = end;
  unpack_signs_from(words, first, i, base, change, target);
  for (; i + 32 <= end; i += 32) {
    uint32_t part = (uint32_t)(words[i >> 6] >> (i & 32));
    for (int j = 0; j < 32; j++) target[i + j] = float_of(base ^ (change & (0 - (part >> j & 1))));
  }
  unpack_signs_from(words, i, end, base, change, target);
}

#if CK_HAS_AVX2_FORMS
CK_AVX2 static int32_t pack_signs_avx2(const float *values, intptr_t count, uint64_t *words) {
  const __m256 zero = _mm256_setzero_ps();
  const __m256i all = _mm256_set1_epi32(0x7FFFFFFF);
  __m256i largest[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  intptr_t whole = count & ~(intptr_t)63;
  for (intptr_t start = 0; start < whole; start += 64) {
    prefetch(values + start, 1024);
    prefetch(values + start + 32, 1024);
    uint64_t word = 0;
    for (int j = 0; j < 8; j++) {
      __m256 x = _mm256_loadu_ps(values + start + 8 * j);
      uint32_t signs = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x, zero, _CMP_LT_OQ));
      word |= (uint64_t)signs << 8 * j;
      largest[j & 1] =
          _mm256_max_epi32(largest[j & 1], _mm256_and_si256(_mm256_castps_si256(x), all));
    }
    words[start / 64] = word;
  }
  int32_t each[8], most = 0;
  _mm256_storeu_si256((__m256i *)each, _mm256_max_epi32(largest[0], largest[1]));
  for (int lane = 0; lane < 8; lane++) most = each[lane] > most ? each[lane] : most;
  return pack_signs_from(values, whole, count, words, most);
}

CK_AVX2 CK_INLINE void unpack_bytes(
    const uint64_t *words, intptr_t first, intptr_t end, uint32_t base, uint32_t change,
    bool streams, float *target) {
  const __m256i place = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i bases = _mm256_set1_epi32((int)base), changes = _mm256_set1_epi32((int)change);
  for (intptr_t i = first; i < end; i += 8) {
    __m256i part = _mm256_set1_epi32((int)(uint32_t)(words[i >> 6] >> (i & 63)));
    __m256i chosen = _mm256_cmpeq_epi32(_mm256_and_si256(part, place), place);
    put(target + i,
        _mm256_castsi256_ps(_mm256_xor_si256(bases, _mm256_and_si256(chosen, changes))), streams);
  }
}

CK_AVX2 static void unpack_signs_avx2(
    const uint64_t *words, intptr_t first, intptr_t end, float positive, float negative,
    bool streams, float *target) {
  uint32_t base = bits_of(positive), change = base ^ bits_of(negative);
  // Whole bytes of signs: multiples of eight elements.
  intptr_t from = (first + 7) & ~(intptr_t)7, to = end & ~(intptr_t)7;
  if (from >= to) {
    unpack_signs_from(words, first, end, base, change, target);
    return;
  }
  unpack_signs_from(words, first, from, base, change, target);
  if (streams && ((uintptr_t)target & 15) == 0) {
    unpack_bytes(words, from, to, base, change, true, target);
  } else {
    unpack_bytes(words, from, to, base, change, false, target);
  }
  unpack_signs_from(words, to, end, base, change, target);
}
#endif

CK_DISPATCH(int32_t, pack_signs, (const float *values, intptr_t count, uint64_t *words),
            (values, count, words))
CK_DISPATCH(void, unpack_signs,
            (const uint64_t *words, intptr_t first, intptr_t end, float positive, float negative,
             bool streams, float *target),
            (words, first, end, positive, negative, streams, target))
