// Arrays that are symmetric in two axes, with each pair of places kept once: u <= v, rows of decreasing length.
#pragma once
#include <stdint.h>

enum { HK_PAIR_DIMS = 8, HK_PAIR_INNER = 128 };

// Places of a packed array and of a full one, in entries. The full array has two axes for each pair of the packed one.
typedef struct {
  // Plain axes.
  int32_t dims;
  int32_t accumulates;  // adds to what is there
  int64_t sizes[HK_PAIR_DIMS], packed[HK_PAIR_DIMS], full[HK_PAIR_DIMS];
  // Up to two pairs, the inner one second; order 0: there is none. The inner order is at most HK_PAIR_INNER.
  int64_t order[2], packed_pair[2], full_u[2], full_v[2];
  // Without an inner pair: an innermost plain axis.
  int64_t run, packed_run, full_run;
  // Places of the second factor of an outer product: plain axes, v, the innermost one; those of the first are `full`,
  // `full_u` and `full_run`.
  int64_t other[HK_PAIR_DIMS], other_v, other_run;
} hk_pairs;

// Copies the upper halves: packed[..., uv] = full[..., u, v], one pair.
void hk_pack_pairs_f64(const hk_pairs *pairs, const double *full, double *packed);
void hk_pack_pairs_f32(const hk_pairs *pairs, const float *full, float *packed);

// The upper half of an outer product: packed[..., uv] = a[..., u] * b[..., v], one pair.
void hk_outer_pairs_f64(const hk_pairs *pairs, const double *a, const double *b, double *packed);
void hk_outer_pairs_f32(const hk_pairs *pairs, const float *a, const float *b, float *packed);

// Writes both halves: full[..., u, v] = full[..., v, u] (+)= packed[..., uv].
void hk_expand_pairs_f64(const hk_pairs *pairs, const double *packed, double *full);
void hk_expand_pairs_f32(const hk_pairs *pairs, const float *packed, float *full);
