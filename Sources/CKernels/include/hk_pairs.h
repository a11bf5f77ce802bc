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

// A product of two arrays, each symmetric in a pair of axes, over one axis that both have and that is summed: the first
// is an outer product, the second is packed,
//   full[..., u, v, c, d] (+)= alpha * sum over n of a[u, n] * b[v, n] * columns[n, cd],
// and symmetric in u and v as well: a[u, n] * b[v, n] = a[v, n] * b[u, n]. The outer product is made some rows at a
// time and never stored. `order[1]` is at most HK_PAIR_COLUMNS.
enum { HK_PAIR_COLUMNS = 51 };

typedef struct {
  // The pairs u, v and c, d: their orders, and the strides of their axes in the result.
  int64_t order[2], u[2], v[2];
  int64_t k, a_u, a_k, b_v, b_k, p_k, p_pair;
  double alpha;
  int32_t accumulates;
} hk_pair_product;

// How many entries `panels`, memory to work in, has.
int64_t hk_pair_panels_f64(const hk_pair_product *p);
int64_t hk_pair_panels_f32(const hk_pair_product *p);

void hk_pair_product_f64(
    const hk_pair_product *p, const double *a, const double *b, const double *columns, double *panels, double *full);
void hk_pair_product_f32(
    const hk_pair_product *p, const float *a, const float *b, const float *columns, float *panels, float *full);
