#include "hk_magnitude.h"

#include <math.h>
#include <stdatomic.h>
#include <stdint.h>

#include "hk_team.h"
#include "loops.h"

// Entries at a time, and those that a thread takes.
enum { LANES = 32, PIECE = 1 << 16 };

// One comparison an entry, in lanes that do not wait for each other. A comparison with NaN is false.
#define LARGEST(T, name, absolute)                                  \
  HK_CLONES T name(const T *x, ptrdiff_t n) {                       \
    T lanes[LANES] = {0}, most = 0;                                 \
    ptrdiff_t i = 0;                                                \
    for (; i + LANES <= n; i += LANES)                              \
      for (int k = 0; k < LANES; k++) {                             \
        const T size = absolute(x[i + k]);                          \
        lanes[k] = size > lanes[k] ? size : lanes[k];               \
      }                                                             \
    for (; i < n; i++) most = absolute(x[i]) > most ? absolute(x[i]) : most; \
    for (int k = 0; k < LANES; k++) most = lanes[k] > most ? lanes[k] : most; \
    return most;                                                    \
  }

LARGEST(double, hk_largest_magnitude_f64, fabs)
LARGEST(float, hk_largest_magnitude_f32, fabsf)

typedef struct {
  const void *x;
  ptrdiff_t n;
  atomic_int isBad;
} Entries;

// The largest exponent decides: as integers, magnitudes are compared many at a time, NaNs beyond infinities.
#define FINITE(T, Bits, MOST, suffix)                                      \
  HK_CLONES static Bits largest_bits_##suffix(const T *x, ptrdiff_t n) {   \
    Bits most = 0;                                                         \
    for (ptrdiff_t i = 0; i < n; i++) {                                    \
      Bits size;                                                           \
      memcpy(&size, x + i, sizeof size);                                   \
      size &= MOST;                                                        \
      most = size > most ? size : most;                                    \
    }                                                                      \
    return most;                                                           \
  }                                                                        \
  static int piece_is_finite_##suffix(const T *x, ptrdiff_t n) {           \
    const T infinite = INFINITY;                                           \
    Bits bound;                                                            \
    memcpy(&bound, &infinite, sizeof bound);                               \
    return largest_bits_##suffix(x, n) < bound;                            \
  }                                                                        \
  static void look_##suffix(void *context, int64_t piece) {                \
    Entries *e = context;                                                  \
    const ptrdiff_t start = piece * PIECE, left = e->n - start;            \
    if (!piece_is_finite_##suffix((const T *)e->x + start, left < PIECE ? left : PIECE)) e->isBad = 1; \
  }                                                                        \
  int hk_are_finite_##suffix(const T *x, ptrdiff_t n) {                    \
    if (n <= 2 * PIECE) return piece_is_finite_##suffix(x, n);             \
    Entries e = {x, n, 0};                                                 \
    hk_team_run((n + PIECE - 1) / PIECE, look_##suffix, &e);               \
    return !e.isBad;                                                       \
  }

FINITE(double, int64_t, INT64_MAX, f64)
FINITE(float, int32_t, INT32_MAX, f32)
