// Small dense systems.
#pragma once
#include <stdint.h>

// Solves a·x = b for the n×n row-major a and the n×k row-major b, by Gaussian elimination with partial pivoting;
// x replaces b and a is overwritten. Returns 0, or the first pivot that is exactly zero, counted from 1.
int64_t hk_solve(int64_t n, int64_t k, double *a, double *b);
