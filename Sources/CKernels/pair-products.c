#include "hk_pairs.h"

#include <string.h>

#include "hk_loop.h"
#include "hk_team.h"
#include "loops.h"
#include "panels.h"

// At most so many rows of an outer product at a time, which share cache lines of the result's mirrored half; entries
// held of the product, and of its squares.
enum { OUTER_ROWS = 8, HELD = 32768, SQUARES = HK_PAIR_COLUMNS * HK_PAIR_COLUMNS };

#define KERNELS "pair-products.inc"
#include "levels.inc"

#define HK_PAIR_PRODUCTS(precision, T)                                                                             \
  int64_t hk_pair_panels_##precision(const hk_pair_product *p) { return HK_FITTING(pair_panels_##precision)(p); }  \
  void hk_pair_product_##precision(                                                                                \
      const hk_pair_product *p, const T *a, const T *b, const T *columns, T *panels, T *full) {                    \
    HK_FITTING(pair_product_##precision)(p, a, b, columns, panels, full);                                          \
  }

HK_PAIR_PRODUCTS(f64, double)
HK_PAIR_PRODUCTS(f32, float)
