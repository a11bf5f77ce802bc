// Products that are too small for BLAS to be fast, matrices times vectors, and weighted Gram matrices.
#include <string.h>

#include "hk_product.h"
#include "hk_team.h"
#include "loops.h"
#include "panels.h"

// Columns at a time; bytes between columns of an operand from which on they are packed.
enum { STRIPE = 96, FAR = 4096 };

int hk_product_is_small(int64_t m, int64_t n, int64_t k) {
  if (m == 1 || n == 1) return 1;
  // Packing pays where each entry of an operand is used often.
  const int64_t least = m < n ? m : n;
  const double work = (double)m * (double)n * (double)k;
  return work <= 1 << 18 || (work <= 1 << 22 && (least <= 32 || k <= 32));
}

#define T double
#define NAME(x) x##_f64
#include "panels.inc"
#include "product.inc"
#undef T
#undef NAME

#define T float
#define NAME(x) x##_f32
#include "panels.inc"
#include "product.inc"
