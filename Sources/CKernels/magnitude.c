#include "hk_magnitude.h"

#include <math.h>

#include "loops.h"

enum { LANES = 32 };

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
