// Maxima and sums over float32 vectors.

#include "kernels.h"

void ck_finish_streaming(void) {
#if CK_HAS_AVX2_FORMS
  _mm_sfence();
#endif
}

// Magnitudes order like their bits; signed, because SSE2 compares no others.
CK_INLINE int32_t largest_magnitude_bits_body(const float *values, intptr_t count) {
  int32_t largest = 0;
  for (intptr_t i = 0; i < count; i++) {
    int32_t bits = (int32_t)(bits_of(values[i]) & 0x7FFFFFFF);
    largest = bits > largest ? bits : largest;
  }
  return largest;
}
CK_BOTH_FORMS(int32_t, largest_magnitude_bits, (const float *values, intptr_t count),
              (values, count))

typedef float lanes __attribute__((vector_size(64)));
typedef uint32_t lane_bits __attribute__((vector_size(64)));
enum { plain, magnitude, square, block = 4096 };

CK_INLINE double sum_body(const float *values, intptr_t count, int kind) {
  double total = 0;
  intptr_t whole = count & ~(intptr_t)15, i = 0;
  while (i < whole) {
    intptr_t end = i + block < whole ? i + block : whole;
    lanes sums = {0};
    for (; i < end; i += 16) {
      lanes x;
      memcpy(&x, values + i, sizeof x);
      if (kind == magnitude) x = (lanes)((lane_bits)x & 0x7FFFFFFF);
      if (kind == square) x = x * x;
      sums += x;
    }
    double part = 0;
    for (int lane = 0; lane < 16; lane++) part += (double)sums[lane];
    total += part;
  }
  for (; i < count; i++) {
    float x = values[i];
    if (kind == magnitude) x = float_of(bits_of(x) & 0x7FFFFFFF);
    if (kind == square) x = x * x;
    total += (double)x;
  }
  return total;
}

CK_INLINE double sum_of_values_body(const float *values, intptr_t count) {
  return sum_body(values, count, plain);
}
CK_INLINE double sum_of_magnitudes_body(const float *values, intptr_t count) {
  return sum_body(values, count, magnitude);
}
CK_INLINE double sum_of_squares_body(const float *values, intptr_t count) {
  return sum_body(values, count, square);
}
CK_BOTH_FORMS(double, sum_of_values, (const float *values, intptr_t count), (values, count))
CK_BOTH_FORMS(double, sum_of_magnitudes, (const float *values, intptr_t count), (values, count))
CK_BOTH_FORMS(double, sum_of_squares, (const float *values, intptr_t count), (values, count))

CK_INLINE void sums_of_squares_body(
    const float *values, intptr_t size, intptr_t runs, double *sums) {
  intptr_t run = 0;
  // One block and no rest each, as buckets mostly are.
  for (; size % 16 == 0 && size <= block && run + 4 <= runs; run += 4) {
    const float *x = values + run * size;
    lanes squares[4] = {{0}, {0}, {0}, {0}};
    for (intptr_t i = 0; i < size; i += 16) {
      for (int k = 0; k < 4; k++) {
        lanes v;
        memcpy(&v, x + k * size + i, sizeof v);
        squares[k] += v * v;
      }
    }
    double totals[4] = {0, 0, 0, 0};
    for (int lane = 0; lane < 16; lane++) {
      for (int k = 0; k < 4; k++) totals[k] += (double)squares[k][lane];
    }
    memcpy(sums + run, totals, sizeof totals);
  }
  for (; run < runs; run++) sums[run] = sum_body(values + run * size, size, square);
}
CK_BOTH_FORMS(void, sums_of_squares,
              (const float *values, intptr_t size, intptr_t runs, double *sums),
              (values, size, runs, sums))
