#include "hk_solve.h"
#include <math.h>

static void swap_rows(double *restrict x, double *restrict y, int64_t count) {
  for (int64_t j = 0; j < count; j++) {
    const double held = x[j];
    x[j] = y[j];
    y[j] = held;
  }
}

int64_t hk_solve(int64_t n, int64_t k, double *a, double *b) {
  for (int64_t c = 0; c < n; c++) {
    int64_t best = c;
    for (int64_t i = c + 1; i < n; i++)
      if (fabs(a[i * n + c]) > fabs(a[best * n + c])) best = i;
    double *const pivot = a + c * n, *const right = b + c * k;
    if (a[best * n + c] == 0) return c + 1;
    if (best != c) {
      swap_rows(pivot + c, a + best * n + c, n - c);
      swap_rows(right, b + best * k, k);
    }
    for (int64_t i = c + 1; i < n; i++) {
      double *const row = a + i * n;
      if (row[c] == 0) continue;
      const double factor = row[c] / pivot[c];
      for (int64_t j = c + 1; j < n; j++) row[j] -= factor * pivot[j];
      for (int64_t j = 0; j < k; j++) b[i * k + j] -= factor * right[j];
    }
  }
  for (int64_t c = n - 1; c >= 0; c--) {
    const double *const row = a + c * n;
    for (int64_t j = c + 1; j < n; j++)
      for (int64_t l = 0; l < k; l++) b[c * k + l] -= row[j] * b[j * k + l];
    for (int64_t l = 0; l < k; l++) b[c * k + l] /= row[c];
  }
  return 0;
}
