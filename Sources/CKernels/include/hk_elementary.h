// Pointwise functions over contiguous arrays.
//
// hk_<function>_f64 and _f32 write y[i] = f(x[i]) for 0 <= i < n. The arrays are the same (y == x) or do not
// overlap. NaN gives NaN, infinities and domain errors give what <math.h> gives, signed zeros and subnormals are
// kept; neither errno nor floating-point exceptions mean anything. Bounds of the error in units in the last place
// are stated and tested in Tests/KernelTests.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HK_DECLARE(name)                                       \
  void hk_##name##_f64(const double *x, double *y, ptrdiff_t n); \
  void hk_##name##_f32(const float *x, float *y, ptrdiff_t n);

// Vectorised.
HK_DECLARE(exp)
HK_DECLARE(expm1)
HK_DECLARE(log)
HK_DECLARE(log1p)
HK_DECLARE(sqrt)
HK_DECLARE(rsqrt)     // 1/sqrt(x)
HK_DECLARE(recip)     // 1/x
HK_DECLARE(tanh)
HK_DECLARE(sech2)     // 1/cosh²(x)
HK_DECLARE(sigmoid)   // 1/(1 + exp(-x))
HK_DECLARE(softplus)  // log(1 + exp(x))
HK_DECLARE(erf)
HK_DECLARE(sin)  // |x| > 1e5: an element at a time through <math.h>
HK_DECLARE(cos)

// An element at a time through <math.h>.
HK_DECLARE(tan)
HK_DECLARE(asin)
HK_DECLARE(acos)
HK_DECLARE(atan)
HK_DECLARE(sinh)
HK_DECLARE(cosh)
#undef HK_DECLARE

// z[i] = x[i] to the power of y[i], an element at a time; z may be x or y.
void hk_pow_f64(const double *x, const double *y, double *z, ptrdiff_t n);
void hk_pow_f32(const float *x, const float *y, float *z, ptrdiff_t n);

#ifdef __cplusplus
}
#endif
