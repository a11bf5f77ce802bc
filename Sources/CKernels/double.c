// Kernels in double precision. Every function is free of branches and of calls, so that the loop around it
// vectorises. Polynomials interpolate in Chebyshev points and were fitted with 60 digits; the arrangement of the
// reductions follows the classical one (W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980;
// S. Gal and B. Bachelis, ACM TOMS 17, 1991). A sum whose rounding matters is kept as an unevaluated pair (Dekker,
// 1971), which is exact with and without fused multiply-add.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "loops.h"

// a*b + c within one expression may be fused where the processor can.
#pragma STDC FP_CONTRACT ON

typedef struct {
  double high, low;
} Pair;

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
HK_INLINE double magnitude(double x) { return from_bits(bits(x) & 0x7FFFFFFFFFFFFFFF); }
HK_INLINE double with_sign(double x, double sign) {
  return from_bits((bits(x) & 0x7FFFFFFFFFFFFFFF) | (bits(sign) & 0x8000000000000000));
}
// Keeps NaN.
HK_INLINE double clamped(double x, double low, double high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

// MARK: exp

#define LOG2E 1.4426950408889634
#define LN2 6.93147180559945309417e-01
#define LN2_HIGH 6.93147180369123816490e-01  // 33 bits: k·LN2_HIGH is exact
#define LN2_LOW 1.90821492927058770002e-10
#define SHIFT (0x1.8p52 + 2046)  // adding it leaves k + 2046 in the low bits

// x = k·ln 2 + high + low with |high| < 0.35, and u holding k + 2046 in its low 12 bits.
typedef struct {
  double k, high, low;
  uint64_t u;
} Reduced;

HK_INLINE Reduced reduce_exp(double x) {
  Reduced r;
  double shifted = x * LOG2E + SHIFT;
  r.u = bits(shifted);
  r.k = shifted - SHIFT;
  double a = x - r.k * LN2_HIGH;
  double b = r.k * LN2_LOW;
  r.high = a - b;
  r.low = (a - r.high) - b;
  return r;
}

// exp(r) − 1 − r for |r| < 0.35. Even and odd powers apart make the chain of dependent steps half as long.
HK_INLINE double exp_tail(double r) {
  double z = r * r;
  double even = 2.0914686968086876e-09;
  even = even * z + 2.75572736431103e-07;
  even = even * z + 2.4801587325547743e-05;
  even = even * z + 0.0013888888888883748;
  even = even * z + 0.04166666666666667;
  double odd = 2.5105217004720745e-08;
  odd = odd * z + 2.7557255400206422e-06;
  odd = odd * z + 0.00019841269874820627;
  odd = odd * z + 0.008333333333326136;
  odd = odd * z + 0.1666666666666667;
  return z * ((even * z + 0.5) + r * odd);
}

// v·2^k in two exact steps and at most one rounding, for −1076 <= k <= 1025.
HK_INLINE double scaled(double v, uint64_t u) {
  uint64_t half = u >> 1;
  return v * from_bits(half << 52) * from_bits((u - half) << 52);
}

// Plain Horner, for speed: the other functions need a longer sum.
HK_INLINE double exp_f64(double x) {
  x = clamped(x, -746, 710);
  double shifted = x * LOG2E + SHIFT;
  double k = shifted - SHIFT;
  double r = x - k * LN2_HIGH;
  r = r - k * LN2_LOW;
  double p = 2.510038549551032e-08;
  p = p * r + 2.7620088445409746e-07;
  p = p * r + 2.7557268459997064e-06;
  p = p * r + 2.4801521295954376e-05;
  p = p * r + 0.00019841269863053618;
  p = p * r + 0.0013888888917213717;
  p = p * r + 0.008333333333330062;
  p = p * r + 0.04166666666662413;
  p = p * r + 0.16666666666666669;
  p = p * r + 0.5000000000000001;
  p = p * r + 1;
  return scaled(p * r + 1, bits(shifted));
}

// exp(x) − 1 as 2^k·(high + low), for k <= 1025; exact zeros for x = 0.
HK_INLINE Pair expm1_parts(Reduced r, double inverse_scale) {
  // |1 − 2^−k| exceeds |r.high| unless it is zero, and then the sum is exact as well.
  double one = 1 - inverse_scale;
  double sum = one + r.high;
  double tail = ((one - sum) + r.high) + (exp_tail(r.high) + r.low);
  return (Pair){sum, tail};
}

HK_INLINE double expm1_f64(double x) {
  Reduced r = reduce_exp(clamped(x, -40, 710));
  // 2^−k, or 0 where it does not count (and where its exponent may not exist).
  double inverse = from_bits((uint64_t)(2046 + 1023 - r.u) << 52);
  Pair p = expm1_parts(r, r.k > 64 ? 0 : inverse);
  return with_sign(scaled(p.high + p.low, r.u), x);
}

// MARK: log

// log(1 + f) − f for √½ <= 1 + f < √2, with f = 2s/(1 − s): s·(f²/2 + R) − f²/2.
HK_INLINE double log_tail(double f) {
  double s = f / (2 + f);
  double z = s * s;
  double p = 0.14616585424888623;
  p = p * z + 0.15331710618210773;
  p = p * z + 0.18182889455674947;
  p = p * z + 0.22222211130259878;
  p = p * z + 0.2857142862600327;
  p = p * z + 0.39999999999899444;
  p = p * z + 0.666666666666667;
  double half_square = 0.5 * f * f;
  return s * (half_square + z * p) - half_square;
}

// k and m with x = 2^k·m, √½ <= m < √2, for positive normal x.
HK_INLINE double split_log(double x, double *k) {
  uint64_t u = bits(x) + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD);
  *k = from_bits((u >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
  return from_bits((u & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD);
}

// f + tail + k·ln 2, the small summands first.
HK_INLINE double sum_log(double k, double f, double tail) {
  return k * LN2_HIGH + (f + (tail + k * LN2_LOW));
}

HK_INLINE double log_f64(double x) {
  double tiny = x < 0x1p-1022 ? 54 : 0;
  double k;
  double f = split_log(x < 0x1p-1022 ? x * 0x1p54 : x, &k) - 1;
  double y = sum_log(k - tiny, f, log_tail(f));
  y = x < INFINITY ? y : x;
  return x > 0 ? y : x == 0 ? -INFINITY : NAN;
}

// log(u + c) for u >= 2^−53 and |c| at most a rounding error of u.
HK_INLINE double log_pair(double u, double c) {
  double k;
  double m = split_log(u, &k);
  // c·2^−k; no c counts beyond 2^60.
  double scale = from_bits((bits(m) - bits(u)) + 0x3FF0000000000000);
  double rest = u > 0x1p60 ? 0 : c * scale;
  double f = (m - 1) + rest;
  double low = ((m - 1) - f) + rest;
  return sum_log(k, f, log_tail(f) + low * (1 - f));
}

HK_INLINE double log1p_f64(double x) {
  double u = 1 + x;
  double back = u - 1;
  double y = log_pair(u, (1 - (u - back)) + (x - back));
  y = x < INFINITY ? y : x;
  y = x > -1 ? y : x == -1 ? -INFINITY : NAN;
  return with_sign(y, x);
}

// MARK: functions of exp(−|x|)

// high + low = exp(x) for −746 <= x <= 0, before rounding.
HK_INLINE Pair exp_pair(double x) {
  Reduced r = reduce_exp(x);
  double tail = exp_tail(r.high) + r.low;
  double high = 1 + r.high;
  double low = ((1 - high) + r.high) + tail;
  double sum = high + low;
  return (Pair){scaled(sum, r.u), scaled((high - sum) + low, r.u)};
}

HK_INLINE double sigmoid_f64(double x) {
  Pair e = exp_pair(clamped(-magnitude(x), -746, 0));
  double d = 1 + e.high;
  double d_low = ((1 - d) + e.high) + e.low;
  // e/d or 1/d, corrected for the low parts with 1/d = 1 − e/d.
  double q = (x < 0 ? e.high : 1) / d;
  double inverse = x < 0 ? 1 - q : q;
  return q + ((x < 0 ? e.low : 0) - q * d_low) * inverse;
}

HK_INLINE double softplus_f64(double x) {
  Pair e = exp_pair(clamped(-magnitude(x), -746, 0));
  double u = 1 + e.high;
  double y = log_pair(u, ((1 - u) + e.high) + e.low);
  // Below 2^−60, where log(1 + e) is e, subnormals would be lost in the sum.
  y = e.high < 0x1p-60 ? e.high : y;
  return y + (x < 0 ? 0 : x);
}

// h/(1 + h) with h = (exp(2|x|) − 1)/2, or h − h·(h/(1 + h)) where that loses less: one division for both. With
// |x| = k·ln 2/2 + r, r > −0.0001, h is 2^k·(exp(2r) − 1)/2 + (2^k − 1)/2, whose summands hardly cancel.
HK_INLINE double tanh_half(double x) {
  double a = magnitude(x);
  double c = a > 22 ? 22 : a;
  // Not ½: a tie for the least |x|.
  double shifted = (c * (2 * LOG2E) - 0.4999) + (SHIFT - 1023);
  double k = shifted - (SHIFT - 1023);
  // One product: ln 2 loses a fifth of its last place by rounding, and where k is large tanh is flat.
  double r = c - k * (LN2 / 2);
  // ((exp(2r) − 1)/2 − r)/r² for −0.0001 < r < 0.347.
  double w = r * r;
  double even = 5.7469482476845206e-06;
  even = even * w + 0.00014170034490427861;
  even = even * w + 0.003174636379654812;
  even = even * w + 0.04444444473889522;
  even = even * w + 0.33333333333361026;
  even = even * w + 1;
  double odd = 2.4379856013186643e-05;
  odd = odd * w + 0.0007052897243157734;
  odd = odd * w + 0.012698408729875724;
  odd = odd * w + 0.13333333332065866;
  odd = odd * w + 0.6666666666666644;
  double part = w * (odd * r + even) + r;
  double scale = from_bits(bits(shifted) << 52);
  return part * scale + (scale * 0.5 - 0.5);
}

HK_INLINE double tanh_end(double h, double x) {
  double q = h / (1 + h);
  return with_sign(h < 0.6 ? h - h * q : q, x);
}

// 4e/(1 + e)² with e = exp(−2|x|).
HK_INLINE double sech2_f64(double x) {
  double e = exp_f64(-2 * magnitude(x));
  return 4 * e / ((1 + e) * (1 + e));
}

// MARK: erf

HK_INLINE double erf_f64(double x) {
  double a = magnitude(x);
  // |x| < 1: x + x·P(x²).
  double z = a * a;
  double p = 5.957176147748911e-11;
  p = p * z - 1.1372848856791674e-09;
  p = p * z + 1.4659775274047436e-08;
  p = p * z - 1.6350312701054695e-07;
  p = p * z + 1.6461000484121368e-06;
  p = p * z - 1.4925595266831182e-05;
  p = p * z + 0.0001205533111164271;
  p = p * z - 0.000854832698083379;
  p = p * z + 0.0052239776248180145;
  p = p * z - 0.026866170645076792;
  p = p * z + 0.11283791670954879;
  p = p * z - 0.3761263890318375;
  p = p * z + 0.1283791670955126;
  double small = a + a * p;
  // Otherwise: 1 − exp(−x²)·Q(t), t = (|x| − 2)/(|x| + 2), Q = exp(x²)·erfc(x).
  double b = clamped(a, 0.99, 6);
  double t = (b - 2) / (b + 2);
  double q = -1.120531737883903e-06;
  q = q * t + 1.249108465634545e-06;
  q = q * t + 4.019131073060995e-06;
  q = q * t + 1.3119293975811316e-06;
  q = q * t - 1.4002073371970889e-05;
  q = q * t - 2.7562552059200784e-05;
  q = q * t + 2.752775603599611e-05;
  q = q * t + 0.00017435944072271574;
  q = q * t + 4.355554530012158e-05;
  q = q * t - 0.0009819769364295516;
  q = q * t - 0.000847143251499373;
  q = q * t + 0.00699746173677903;
  q = q * t + 0.0037328924043724785;
  q = q * t - 0.07897858101570314;
  q = q * t + 0.241658194242466;
  q = q * t - 0.4271858474139585;
  q = q * t + 0.25539567631050575;
  Reduced r = reduce_exp(-b * b);
  double e = (1 + (r.high + (exp_tail(r.high) + r.low))) * from_bits((r.u - 1023) << 52);
  double large = 1 - e * q;
  return with_sign(a < 1 ? small : large, x);
}

// MARK: sin, cos

#define TWO_OVER_PI 6.36619772367581382433e-01
#define PIO2_1 1.57079632673412561417e+00   // 33 bits of π/2
#define PIO2_2 6.07710050630396597660e-11   // the next 33
#define PIO2_2T 2.02226624879595063154e-21  // the rest
#define TRIGONOMETRIC_LIMIT 1e5

HK_INLINE double trigonometric(double x, uint64_t quarter) {
  double shifted = x * TWO_OVER_PI + 0x1.8p52;
  uint64_t n = bits(shifted) + quarter;
  double k = shifted - 0x1.8p52;
  double a = x - k * PIO2_1;
  double w = k * PIO2_2;
  double b = a - w;
  double lost = (a - b) - w;
  double rest = k * PIO2_2T - lost;
  double r = b - rest;
  double low = (b - r) - rest;
  double z = r * r;
  double s = 1.5918115263265974e-10;
  s = s * z - 2.505113165023518e-08;
  s = s * z + 2.7557316101617874e-06;
  s = s * z - 0.00019841269836756774;
  s = s * z + 0.008333333333330948;
  s = s * z - 0.16666666666666666;
  // sin(r + low), keeping the sign of zero.
  double sine = r + (z * r * s + low * (1 - 0.5 * z));
  double c = -1.1382623647474604e-11;
  c = c * z + 2.087614614655861e-09;
  c = c * z - 2.7557317271145144e-07;
  c = c * z + 2.480158729876456e-05;
  c = c * z - 0.0013888888888887398;
  c = c * z + 0.041666666666666664;
  double half = 0.5 * z;
  double one = 1 - half;
  double cosine = one + (((1 - one) - half) + (z * z * c - r * low));
  double y = n & 1 ? cosine : sine;
  return from_bits(bits(y) ^ ((n & 2) << 62));
}

HK_INLINE double sin_f64(double x) { return x == 0 ? x : trigonometric(x, 0); }
HK_INLINE double cos_f64(double x) { return trigonometric(x, 1); }

// MARK: algebraic

HK_INLINE double sqrt_f64(double x) { return __builtin_sqrt(x); }
HK_INLINE double rsqrt_f64(double x) { return 1 / __builtin_sqrt(x); }
HK_INLINE double recip_f64(double x) { return 1 / x; }

HK_KERNEL(exp_f64, double, 16, exp_f64)
HK_KERNEL(expm1_f64, double, 16, expm1_f64)
HK_KERNEL(log_f64, double, 8, log_f64)
HK_KERNEL(log1p_f64, double, 8, log1p_f64)
HK_KERNEL(sqrt_f64, double, 8, sqrt_f64)
HK_KERNEL(rsqrt_f64, double, 8, rsqrt_f64)
HK_KERNEL(recip_f64, double, 8, recip_f64)
HK_KERNEL_IN_HALVES(tanh_f64, double, 8, tanh_half, tanh_end)
HK_KERNEL(sech2_f64, double, 16, sech2_f64)
HK_KERNEL(sigmoid_f64, double, 16, sigmoid_f64)
HK_KERNEL(softplus_f64, double, 8, softplus_f64)
HK_KERNEL(erf_f64, double, 8, erf_f64)
HK_KERNEL_WITHIN(sin_f64, double, 8, sin_f64, TRIGONOMETRIC_LIMIT, sin)
HK_KERNEL_WITHIN(cos_f64, double, 8, cos_f64, TRIGONOMETRIC_LIMIT, cos)
