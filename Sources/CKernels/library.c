// The rarer functions, an element at a time.
#include <math.h>

#include "loops.h"

HK_LIBRARY(tan)
HK_LIBRARY(asin)
HK_LIBRARY(acos)
HK_LIBRARY(atan)
HK_LIBRARY(sinh)
HK_LIBRARY(cosh)

void hk_pow_f64(const double *x, const double *y, double *z, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) z[i] = pow(x[i], y[i]);
}
void hk_pow_f32(const float *x, const float *y, float *z, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) z[i] = powf(x[i], y[i]);
}
