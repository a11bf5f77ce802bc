// Eigenvalues and eigenvectors of D + ρ·z·zᵀ for a diagonal D: the merging step of divide and conquer (J. J. M. Cuppen,
// Numer. Math. 36, 1981; M. Gu and S. C. Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995).
#pragma once
#include <stdint.h>

// d: k distinct ascending numbers, z: k numbers none of which is 0, rho > 0.
typedef struct {
  int64_t k;
  const double *d, *z;
  double rho;
} hk_secular;

// The eigenvalue number j, which lies above d[j], from 1/ρ + Σ zᵢ²/(dᵢ − x) = 0. Puts d − x into `differences`, every
// entry with a small relative error.
double hk_secular_root(const hk_secular *s, int64_t j, double *differences);

// Entries start..<end of the z for which the computed eigenvalues are exact (K. Löwner, 1934), so that eigenvectors made
// from it are orthogonal to rounding. differences[j*stride + i] is d[i] − x of eigenvalue j.
void hk_secular_weights(const hk_secular *s, const double *differences, int64_t stride, int64_t start, int64_t end, double *weights);

// The eigenvector weights/differences, of length 1: entry i is that of d number order[i], which counts from 1. `held` has
// room for k numbers.
void hk_secular_vector(int64_t k, const double *weights, const double *differences, const int32_t *order, double *held, double *vector);
