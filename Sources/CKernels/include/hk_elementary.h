#pragma once
#include <stddef.h>
#define HK_DECLARE(name) \
  void hk_##name##_f64(const double *x, double *y, ptrdiff_t n); \
  void hk_##name##_f32(const float *x, float *y, ptrdiff_t n);
HK_DECLARE(exp) HK_DECLARE(expm1) HK_DECLARE(log) HK_DECLARE(log1p) HK_DECLARE(sqrt)
HK_DECLARE(sin) HK_DECLARE(cos) HK_DECLARE(tan) HK_DECLARE(asin) HK_DECLARE(acos) HK_DECLARE(atan)
HK_DECLARE(sinh) HK_DECLARE(cosh) HK_DECLARE(tanh) HK_DECLARE(sigmoid) HK_DECLARE(softplus)
HK_DECLARE(erf) HK_DECLARE(rsqrt) HK_DECLARE(recip)
#undef HK_DECLARE
