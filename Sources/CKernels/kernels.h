// What the kernels' files share: which forms there are, and how one is chosen.

#ifndef KERNELS_H
#define KERNELS_H

#include <string.h>

#include "CKernels.h"

// A product and a sum round one by one, whatever the target.
#pragma STDC FP_CONTRACT OFF

#define CK_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_HAS_AVX2_FORMS 1
#define CK_AVX2 __attribute__((target("avx2,f16c,bmi2")))
// The runtime reads the flags once, when the program is loaded.
CK_INLINE bool ck_runs_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") &&
         __builtin_cpu_supports("bmi2");
}
#else
#define CK_HAS_AVX2_FORMS 0
#endif

// The function that callers see, from `NAME_portable` and, on x86, `NAME_avx2`.
#if CK_HAS_AVX2_FORMS
#define CK_DISPATCH(type, name, parameters, arguments)                \
  type ck_##name parameters {                                         \
    return ck_runs_avx2() ? name##_avx2 arguments : name##_portable arguments; \
  }                                                                   \
  type ck_portable_##name parameters { return name##_portable arguments; }
#else
#define CK_DISPATCH(type, name, parameters, arguments)        \
  type ck_##name parameters { return name##_portable arguments; } \
  type ck_portable_##name parameters { return name##_portable arguments; }
#endif

// Both forms from one inlined body, for loops that compilers vectorise well by themselves.
#if CK_HAS_AVX2_FORMS
#define CK_BOTH_FORMS(type, name, parameters, arguments)                           \
  static type name##_portable parameters { return name##_body arguments; }         \
  CK_AVX2 static type name##_avx2 parameters { return name##_body arguments; }     \
  CK_DISPATCH(type, name, parameters, arguments)
#else
#define CK_BOTH_FORMS(type, name, parameters, arguments)                   \
  static type name##_portable parameters { return name##_body arguments; } \
  CK_DISPATCH(type, name, parameters, arguments)
#endif

CK_INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
CK_INLINE float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

#if CK_HAS_AVX2_FORMS
// Stores eight floats; streamed ones need an address that is a multiple of 16.
CK_AVX2 CK_INLINE void put(float *target, __m256 values, bool streams) {
  if (streams) {
    _mm_stream_ps(target, _mm256_castps256_ps128(values));
    _mm_stream_ps(target + 4, _mm256_extractf128_ps(values, 1));
  } else {
    _mm256_storeu_ps(target, values);
  }
}
// Elements before the first that streams may store to, at most `count`.
CK_INLINE intptr_t unaligned(const float *target, intptr_t count, bool streams) {
  intptr_t head = streams ? (intptr_t)(-(uintptr_t)target & 15) / 4 : 0;
  return head < count ? head : count;
}
// Stores 32 bytes past the caches; the address is a multiple of 8, as streams in frames are.
CK_AVX2 CK_INLINE void stream_bytes(void *target, __m256i bytes) {
  __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
  long long *words = target;
  _mm_stream_si64(words, _mm_cvtsi128_si64(low));
  _mm_stream_si64(words + 1, _mm_extract_epi64(low, 1));
  _mm_stream_si64(words + 2, _mm_cvtsi128_si64(high));
  _mm_stream_si64(words + 3, _mm_extract_epi64(high, 1));
}
CK_AVX2 CK_INLINE void put_bytes(uint8_t *target, __m256i bytes, bool streams) {
  if (streams) {
    stream_bytes(target, bytes);
  } else {
    _mm256_storeu_si256((__m256i *)target, bytes);
  }
}
CK_INLINE bool is_aligned_to_words(const void *target) { return ((uintptr_t)target & 7) == 0; }
// Asks for the two cache lines of 32 floats that lie `ahead` bytes on.
CK_INLINE void prefetch(const float *values, intptr_t ahead) {
  _mm_prefetch((const char *)values + ahead, _MM_HINT_T0);
  _mm_prefetch((const char *)values + ahead + 64, _MM_HINT_T0);
}
#endif

#endif
