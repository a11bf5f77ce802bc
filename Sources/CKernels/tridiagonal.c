#include "hk_tridiagonal.h"

#include <float.h>
#include <math.h>

int hk_tridiagonal_solve(int64_t n, const double *d, const double *e, const double *b, double *x, double *l) {
  if (n == 0) return 0;
  int64_t m = n / 2, top = 0, bottom = n - 1;
  // y and the pivots of both chains; x holds y over its pivot, l the multipliers.
  double p = d[0], y = b[0], q = d[n - 1], z = b[n - 1];
  int64_t below = n - 1 - m, both = m < below ? m : below;
  int good = 1;
  for (int64_t k = 0; k < both; k++, top++, bottom--) {
    good &= (p > 0) & (q > 0);
    double u = e[top] / p, v = e[bottom - 1] / q;
    x[top] = y / p;
    x[bottom] = z / q;
    l[top] = u;
    l[bottom] = v;
    // At the meeting row each chain has its own share; they are joined below.
    double nextD = top + 1 == m ? 0 : d[top + 1], nextB = top + 1 == m ? 0 : b[top + 1];
    double lastD = bottom - 1 == m ? 0 : d[bottom - 1], lastB = bottom - 1 == m ? 0 : b[bottom - 1];
    p = nextD - u * e[top];
    y = nextB - u * y;
    q = lastD - v * e[bottom - 1];
    z = lastB - v * z;
  }
  for (; top < m; top++) {
    good &= p > 0;
    double u = e[top] / p;
    x[top] = y / p;
    l[top] = u;
    p = (top + 1 == m ? 0 : d[top + 1]) - u * e[top];
    y = (top + 1 == m ? 0 : b[top + 1]) - u * y;
  }
  // n = 1: both chains begin at the middle.
  if (m == 0) p = y = 0;
  if (below == 0) q = z = 0;
  double pivot = d[m] + p + q, right = b[m] + y + z;
  good &= pivot > 0;
  if (!good) return 1;
  x[m] = right / pivot;
  for (int64_t k = 1; k <= both; k++) {
    x[m - k] -= l[m - k] * x[m - k + 1];
    x[m + k] -= l[m + k] * x[m + k - 1];
  }
  for (int64_t k = both + 1; k <= m; k++) x[m - k] -= l[m - k] * x[m - k + 1];
  return 0;
}

void hk_tridiagonal_signs(int64_t n, const double *d, const double *e, int64_t *positive, int64_t *negative) {
  double p = 1;
  *positive = *negative = 0;
  for (int64_t i = 0; i < n; i++) {
    double before = i == 0 ? 0 : e[i - 1] * (e[i - 1] / p);
    p = d[i] - before;
    if (fabs(p) <= DBL_EPSILON * DBL_EPSILON * (fabs(d[i]) + fabs(before))) p = -DBL_MIN / DBL_EPSILON;
    if (p > 0) ++*positive; else ++*negative;
  }
}
