#include "hk_elementary.h"
#include <math.h>
#define F(name, e64, e32) \
  void hk_##name##_f64(const double *x, double *y, ptrdiff_t n) { for (ptrdiff_t i = 0; i < n; i++) { double v = x[i]; y[i] = e64; } } \
  void hk_##name##_f32(const float *x, float *y, ptrdiff_t n) { for (ptrdiff_t i = 0; i < n; i++) { float v = x[i]; y[i] = e32; } }
#define G(name) F(name, name(v), name##f(v))
G(exp) G(expm1) G(log) G(log1p) G(sqrt) G(sin) G(cos) G(tan) G(asin) G(acos) G(atan) G(sinh) G(cosh) G(tanh) G(erf)
F(sigmoid, v >= 0 ? 1 / (1 + exp(-v)) : exp(v) / (1 + exp(v)), v >= 0 ? 1 / (1 + expf(-v)) : expf(v) / (1 + expf(v)))
F(softplus, fmax(v, 0) + log1p(exp(-fabs(v))), fmaxf(v, 0) + log1pf(expf(-fabsf(v))))
F(rsqrt, 1 / sqrt(v), 1 / sqrtf(v))
F(recip, 1 / v, 1 / v)
