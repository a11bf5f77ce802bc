// How large the entries of an array are.
#pragma once
#include <stddef.h>

// The largest |x[i]| for 0 <= i < n; 0 when there is none. NaNs do not count.
double hk_largest_magnitude_f64(const double *x, ptrdiff_t n);
float hk_largest_magnitude_f32(const float *x, ptrdiff_t n);

// Whether all x[i] for 0 <= i < n are finite; large arrays on the team of threads.
int hk_are_finite_f64(const double *x, ptrdiff_t n);
int hk_are_finite_f32(const float *x, ptrdiff_t n);
