// Sums and maxima of narrow rows with vectors of 64 bytes, in the order that narrow.inc tells. Rows follow each other, of
// at most sixteen entries; of the last group some may lack. 0 where some maximum is NaN, which is lost. Of equal entries,
// zeros of both signs, the first is the maximum.
#pragma once
#include <immintrin.h>

HK_INLINE HK_WIDE int reduce_sixteen(const float *v, ptrdiff_t cols, ptrdiff_t count, int mode, float *part) {
#define ADDED(x, y) (mode == HK_ACCUMULATE ? _mm512_add_ps(x, y) : _mm512_max_ps(y, x))
  const __m512 neutral = _mm512_set1_ps(mode == HK_ACCUMULATE ? 0 : -INFINITY);
  const __mmask16 mask = (__mmask16)((1u << cols) - 1);
  __mmask16 isBad = 0;
  __m512 x[16];
  HK_UNROLL
  for (int r = 0; r < 16; r++) x[r] = _mm512_mask_loadu_ps(neutral, r < count ? mask : 0, v + r * cols);
  HK_UNROLL
  for (int r = 0; r < 8; r++) {
    const __m512 a = x[2 * r], b = x[2 * r + 1];
    if (mode == HK_MAXIMUM) isBad |= _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q);
    x[r] = ADDED(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  }
  HK_UNROLL
  for (int r = 0; r < 4; r++)
    x[r] = ADDED(_mm512_shuffle_f32x4(x[2 * r], x[2 * r + 1], 0x88), _mm512_shuffle_f32x4(x[2 * r], x[2 * r + 1], 0xdd));
  // Now four rows a vector, one in each 16 bytes.
  HK_UNROLL
  for (int r = 0; r < 2; r++) x[r] = ADDED(_mm512_shuffle_ps(x[2 * r], x[2 * r + 1], 0x88), _mm512_shuffle_ps(x[2 * r], x[2 * r + 1], 0xdd));
  x[0] = ADDED(_mm512_shuffle_ps(x[0], x[1], 0x88), _mm512_shuffle_ps(x[0], x[1], 0xdd));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_ps(part, _mm512_permutexvar_ps(order, x[0]));
#undef ADDED
  return !isBad;
}

HK_INLINE HK_WIDE int reduce_eight(const double *v, ptrdiff_t cols, ptrdiff_t count, int mode, double *part) {
#define ADDED(x, y) (mode == HK_ACCUMULATE ? _mm512_add_pd(x, y) : _mm512_max_pd(y, x))
  const __m512d neutral = _mm512_set1_pd(mode == HK_ACCUMULATE ? 0 : -INFINITY);
  const unsigned mask = (1u << cols) - 1;
  __mmask8 isBad = 0;
  __m512d x[8];
  HK_UNROLL
  for (int r = 0; r < 8; r++) {
    const __m512d a = _mm512_mask_loadu_pd(neutral, r < count ? (__mmask8)mask : 0, v + r * cols);
    const __m512d b = _mm512_mask_loadu_pd(neutral, r < count ? (__mmask8)(mask >> 8) : 0, v + r * cols + 8);
    if (mode == HK_MAXIMUM) isBad |= _mm512_cmp_pd_mask(a, b, _CMP_UNORD_Q);
    x[r] = ADDED(a, b);
  }
  HK_UNROLL
  for (int r = 0; r < 4; r++)
    x[r] = ADDED(_mm512_shuffle_f64x2(x[2 * r], x[2 * r + 1], 0x44), _mm512_shuffle_f64x2(x[2 * r], x[2 * r + 1], 0xee));
  // Now two rows a vector, one in each 32 bytes.
  HK_UNROLL
  for (int r = 0; r < 2; r++) x[r] = ADDED(_mm512_unpacklo_pd(x[2 * r], x[2 * r + 1]), _mm512_unpackhi_pd(x[2 * r], x[2 * r + 1]));
  x[0] = ADDED(_mm512_shuffle_f64x2(x[0], x[1], 0x88), _mm512_shuffle_f64x2(x[0], x[1], 0xdd));
  const __m512i order = _mm512_setr_epi64(0, 2, 1, 3, 4, 6, 5, 7);
  _mm512_storeu_pd(part, _mm512_permutexvar_pd(order, x[0]));
#undef ADDED
  return !isBad;
}
