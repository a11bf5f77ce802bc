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

#define KERNELS "product.inc"
#include "levels.inc"

#define HK_PRODUCTS(precision, T)                                                                   \
  void hk_product_##precision(const hk_product *p, const T *a, const T *b, T *c) {                  \
    HK_FITTING(product_##precision)(p, a, b, p->adds ? c : NULL, p->c_row, c);                      \
  }                                                                                                 \
  void hk_product_onto_##precision(const hk_product *p, const T *a, const T *b, const T *base, int64_t base_row, T *c) { \
    HK_FITTING(product_##precision)(p, a, b, base, base_row, c);                                    \
  }                                                                                                 \
  void hk_gram_##precision(const hk_gram *p, const T *a, const T *w, T *partial, T *c) {            \
    HK_FITTING(gram_##precision)(p, a, w, partial, c);                                              \
  }

HK_PRODUCTS(f64, double)
HK_PRODUCTS(f32, float)
