#include "hk_skipping.h"

#include <stdatomic.h>
#include <string.h>

#include "hk_loop.h"
#include "hk_magnitude.h"
#include "hk_team.h"
#include "loops.h"
#include "panels.h"

// Groups and columns that are looked at before anything is done; columns whose zeros are found at a time; bytes of the
// panels that each group meets while its rows are in the cache; entries of b that are packed at most, and of groups at a
// time; columns of the widest panel; rows of a panel that are fetched ahead: which they are no processor guesses.
enum { SAMPLED_GROUPS = 4, SAMPLED_COLUMNS = 256, SCANNED = 256, PANELS_HELD = 1 << 18, MOST_RIGHT = 1 << 22, MOST_LEFT = 1 << 19, WIDEST = 32, AHEAD = 4 };

static int64_t padded_columns(const hk_skipping *p) { return (p->n + WIDEST - 1) / WIDEST * WIDEST; }

static int64_t groups_at_once(const hk_skipping *p) {
  const int64_t fit = MOST_LEFT / (p->k * p->members);
  return fit < 1 ? 1 : fit < p->groups ? fit : p->groups;
}

// Places of the columns of a group at most, and of the rows that are fetched ahead.
static int64_t places_step(const hk_skipping *p) { return p->k + AHEAD; }

int hk_can_skip(const hk_skipping *p) {
  return p->members >= 1 && p->members <= HK_SKIPPING_MEMBERS && p->groups >= 1 && p->n >= 1 && p->k >= 1 && p->k <= MOST_RIGHT / padded_columns(p);
}

#define ARE_FINITE(x, n) _Generic((x), double *: hk_are_finite_f64, float *: hk_are_finite_f32)(x, n)

#define KERNELS "skipping.inc"
#include "levels.inc"

#define HK_SKIPPING(precision, T)                                                                  \
  double hk_zero_share_##precision(const hk_skipping *p, const T *a, const T *gates) {             \
    return HK_FITTING(zero_share_##precision)(p, a, gates);                                        \
  }                                                                                                \
  int64_t hk_skipping_room_##precision(const hk_skipping *p) {                                     \
    return HK_FITTING(skipping_room_##precision)(p);                                               \
  }                                                                                                \
  int hk_skipping_##precision(const hk_skipping *p, const T *a, const T *gates, const T *b, T *room, T *c) { \
    return HK_FITTING(skipping_##precision)(p, a, gates, b, room, c);                              \
  }

HK_SKIPPING(f64, double)
HK_SKIPPING(f32, float)
