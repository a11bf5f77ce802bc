// Symmetric positive definite tridiagonal systems.
#pragma once
#include <stdint.h>

// x with a·x = b, where a has the diagonal d[0..<n] and e[0..<n-1] beside it. Eliminates from both ends towards the
// middle (the twisted factorisation), so that two chains of divisions run at once. `work` has room for n doubles; x
// may be b. Returns 0, or 1 when a pivot is not positive: then a is not positive definite, and x means nothing.
int hk_tridiagonal_solve(int64_t n, const double *d, const double *e, const double *b, double *x, double *work);

// Pivots of the factorisation without exchanges that are positive and negative; by Sylvester's law they count the
// eigenvalues. A pivot of zero is moved by a tiny amount (Kahan).
void hk_tridiagonal_signs(int64_t n, const double *d, const double *e, int64_t *positive, int64_t *negative);
