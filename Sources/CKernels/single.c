// Kernels in single precision. Most are computed in double precision with short polynomials and rounded once, so that
// results are nearly always correctly rounded and neither overflow nor subnormals need care; exp and tanh, which
// most loops spend their time in, are computed in single precision with twice the lanes.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "loops.h"

// a*b + c within one expression may be fused where the processor can.
#pragma STDC FP_CONTRACT ON

HK_INLINE uint64_t bits(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}
HK_INLINE double from_bits(uint64_t u) {
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}
HK_INLINE float float_with_sign(float x, float sign) {
  uint32_t u, v;
  memcpy(&u, &x, sizeof u);
  memcpy(&v, &sign, sizeof v);
  u = (u & 0x7FFFFFFF) | (v & 0x80000000);
  memcpy(&x, &u, sizeof x);
  return x;
}
// Keeps NaN.
HK_INLINE double clamped(double x, double low, double high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}
HK_INLINE double magnitude(double x) { return from_bits(bits(x) & 0x7FFFFFFFFFFFFFFF); }

#define LOG2E 1.4426950408889634
#define LN2 0.6931471805599453
#define SHIFT (0x1.8p52 + 1023)

// exp(x) = scale·(1 + value), |x| < 700.
typedef struct {
  double scale, value;
} Exponential;

HK_INLINE Exponential exponential(double x) {
  double shifted = x * LOG2E + SHIFT;
  double r = x - (shifted - SHIFT) * LN2;
  double p = 0.00019890990824673654;
  p = p * r + 0.0013933649996309251;
  p = p * r + 0.0083333109254809;
  p = p * r + 0.041666464925285904;
  p = p * r + 0.16666666681623232;
  p = p * r + 0.500000001346581;
  return (Exponential){from_bits(bits(shifted) << 52), r + (r * r) * p};
}

HK_INLINE double exp_wide(double x) {
  Exponential e = exponential(x);
  return e.scale + e.scale * e.value;
}

HK_INLINE double expm1_wide(double x) {
  Exponential e = exponential(x);
  return (e.scale - 1) + e.scale * e.value;
}

// log(1 + w) given u = 1 + w, rounded, with w accurate in itself; u positive, normal and finite.
HK_INLINE double log_wide(double u, double w) {
  uint64_t t = bits(u) + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD);
  double k = from_bits((t >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
  double m = from_bits((t & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD);
  double f = k == 0 ? w : m - 1;
  double s = f / (2 + f);
  double z = s * s;
  double p = 0.23330581938241893;
  p = p * z + 0.2855081659971155;
  p = p * z + 0.40000121876972;
  p = p * z + 0.6666666655445165;
  return k * LN2 + (2 * s + s * (z * p));
}

// MARK: in single precision

HK_INLINE uint32_t float_bits(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}
HK_INLINE float from_float_bits(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}
// Keeps NaN.
HK_INLINE float float_clamped(float x, float low, float high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

#define FLOAT_SHIFT (0x1.8p23f + 254)  // adding it leaves k + 254 in the low bits
#define FLOAT_LN2_HIGH 0.693359375f    // nine bits: k·FLOAT_LN2_HIGH is exact
#define FLOAT_LN2_LOW -2.12194440e-4f

// exp(x) = value·2^k, with k + 254 in the low nine bits of u; |x| < 128.
typedef struct {
  float value;
  uint32_t u;
} NarrowExponential;

HK_INLINE NarrowExponential exp_narrow(float x) {
  float shifted = x * 1.44269504f + FLOAT_SHIFT;
  float k = shifted - FLOAT_SHIFT;
  float r = (x - k * FLOAT_LN2_HIGH) - k * FLOAT_LN2_LOW;
  float p = 0.0001989098087f;
  p = p * r + 0.001393364103f;
  p = p * r + 0.008333310934f;
  p = p * r + 0.04166646501f;
  p = p * r + 0.1666666668f;
  p = p * r + 0.5000000013f;
  return (NarrowExponential){1 + (r + (r * r) * p), float_bits(shifted)};
}

HK_INLINE float exp_f32(float x) {
  NarrowExponential e = exp_narrow(float_clamped(x, -104.5f, 89));
  // Two exact steps and at most one rounding.
  uint32_t half = e.u >> 1;
  return e.value * from_float_bits(half << 23) * from_float_bits((e.u - half) << 23);
}

// x + x³·P(x²)/Q(x²) near zero, 1 − 2/(exp(2|x|) + 1) beyond: one division for both. An error of the exponential
// counts less than a third there, so that its reduction and its sum are shorter than exp's.
HK_INLINE float tanh_f32(float x) {
  float a = from_float_bits(float_bits(x) & 0x7FFFFFFF);
  float z = a * a;
  float p = -0.0147623327117f * z - 0.333333333288f;
  float q = (0.0158101280304f * z + 0.444286989239f) * z + 1;
  float c = a > 10 ? 10 : a;
  float shifted = c * (2 * 1.44269504f) + (FLOAT_SHIFT - 127);
  float r = c - (shifted - (FLOAT_SHIFT - 127)) * (0.693147181f / 2);
  // exp(2r) for |r| < 0.174.
  float e = 0.08922310067f;
  e = e * r + 0.2680040715f;
  e = e * r + 0.6666616461f;
  e = e * r + 1.33331324f;
  e = e * r + 2.000000019f;
  e = e * r + 2.000000075f;
  e = e * r + 1;
  float scale = from_float_bits(float_bits(shifted) << 23);
  float numerator = a < 0.7f ? (a * z) * p : -2;
  float denominator = a < 0.7f ? q : e * scale + 1;
  return float_with_sign((a < 0.7f ? a : 1) + numerator / denominator, x);
}

// MARK: rounded once

HK_INLINE float expm1_f32(float x) {
  return float_with_sign((float)expm1_wide(clamped(x, -160, 140)), x);
}
HK_INLINE float log_f32(float x) {
  double w = x;
  float y = (float)log_wide(w, w - 1);
  y = x < INFINITY ? y : x;
  return x > 0 ? y : x == 0 ? -INFINITY : NAN;
}
HK_INLINE float log1p_f32(float x) {
  double w = x;
  float y = (float)log_wide(1 + w, w);
  y = x < INFINITY ? y : x;
  y = x > -1 ? y : x == -1 ? -INFINITY : NAN;
  return float_with_sign(y, x);
}
HK_INLINE float sech2_f32(float x) {
  double e = exp_wide(clamped(-2 * magnitude(x), -160, 0));
  return (float)(4 * e / ((1 + e) * (1 + e)));
}
HK_INLINE float sigmoid_f32(float x) { return (float)(1 / (1 + exp_wide(clamped(-(double)x, -160, 160)))); }
HK_INLINE float softplus_f32(float x) {
  double e = exp_wide(clamped(-magnitude(x), -160, 0));
  return (float)(log_wide(1 + e, e) + (x < 0 ? 0 : x));
}

HK_INLINE float erf_f32(float x) {
  double a = magnitude(x);
  // |x| < 1: x + x·P(x²).
  double z = a * a;
  double p = -1.0469110332151208e-07;
  p = p * z + 1.5306373163641084e-06;
  p = p * z - 1.4795031400662045e-05;
  p = p * z + 0.00012046261269779797;
  p = p * z - 0.0008547933736519633;
  p = p * z + 0.0052239671935439;
  p = p * z - 0.026866169050599326;
  p = p * z + 0.11283791658548713;
  p = p * z - 0.37612638902808615;
  p = p * z + 0.12837916709549382;
  double small = a + a * p;
  // Otherwise: 1 − exp(−x²)·Q(t), t = (|x| − 2)/(|x| + 2), Q = exp(x²)·erfc(x).
  double b = clamped(a, 0.99, 6);
  double t = (b - 2) / (b + 2);
  double q = -7.539333318464414e-06;
  q = q * t - 2.872475862167401e-05;
  q = q * t + 2.561297683673778e-05;
  q = q * t + 0.00017485265743434362;
  q = q * t + 4.379179244563874e-05;
  q = q * t - 0.0009820414358757941;
  q = q * t - 0.0008471575097815652;
  q = q * t + 0.006997465298360544;
  q = q * t + 0.0037328928216869843;
  q = q * t - 0.07897858109448942;
  q = q * t + 0.24165819423758225;
  q = q * t - 0.4271858474134818;
  q = q * t + 0.2553956763105159;
  double large = 1 - exp_wide(-b * b) * q;
  return float_with_sign((float)(a < 1 ? small : large), x);
}

// Two parts of π/2: for |k| < 2^20 the reduced argument is off by less than 1e−17.
#define TWO_OVER_PI 6.36619772367581382433e-01
#define PIO2_1 1.57079632673412561417e+00
#define PIO2_1T 6.07710050650619224932e-11
#define TRIGONOMETRIC_LIMIT 1e5f

HK_INLINE float trigonometric(double x, uint64_t quarter) {
  double shifted = x * TWO_OVER_PI + 0x1.8p52;
  uint64_t n = bits(shifted) + quarter;
  double k = shifted - 0x1.8p52;
  double r = (x - k * PIO2_1) - k * PIO2_1T;
  double z = r * r;
  double s = 2.7249895230611676e-06;
  s = s * z - 0.000198400864995936;
  s = s * z + 0.008333331874273714;
  s = s * z - 0.16666666663854168;
  double sine = r + r * (z * s);
  double c = -2.7300933687212943e-07;
  c = c * z + 2.480060018036381e-05;
  c = c * z - 0.0013888887671652504;
  c = c * z + 0.041666666664320264;
  double cosine = (1 - 0.5 * z) + (z * z) * c;
  double y = n & 1 ? cosine : sine;
  return (float)from_bits(bits(y) ^ ((n & 2) << 62));
}

HK_INLINE float sin_f32(float x) { return x == 0 ? x : trigonometric(x, 0); }
HK_INLINE float cos_f32(float x) { return trigonometric(x, 1); }

HK_INLINE float sqrt_f32(float x) { return __builtin_sqrtf(x); }
HK_INLINE float rsqrt_f32(float x) { return (float)(1 / __builtin_sqrt((double)x)); }
HK_INLINE float recip_f32(float x) { return 1 / x; }

HK_KERNEL(exp_f32, float, 32, exp_f32)
HK_KERNEL(expm1_f32, float, 32, expm1_f32)
HK_KERNEL(log_f32, float, 16, log_f32)
HK_KERNEL(log1p_f32, float, 16, log1p_f32)
HK_KERNEL(sqrt_f32, float, 16, sqrt_f32)
HK_KERNEL(rsqrt_f32, float, 8, rsqrt_f32)
HK_KERNEL(recip_f32, float, 16, recip_f32)
HK_KERNEL(tanh_f32, float, 32, tanh_f32)
HK_KERNEL(sech2_f32, float, 16, sech2_f32)
HK_KERNEL(sigmoid_f32, float, 8, sigmoid_f32)
HK_KERNEL(softplus_f32, float, 16, softplus_f32)
HK_KERNEL(erf_f32, float, 8, erf_f32)
HK_KERNEL_WITHIN(sin_f32, float, 8, sin_f32, TRIGONOMETRIC_LIMIT, sinf)
HK_KERNEL_WITHIN(cos_f32, float, 8, cos_f32, TRIGONOMETRIC_LIMIT, cosf)
