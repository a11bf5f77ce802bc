// Sparse factors by SuiteSparse: CHOLMOD for symmetric matrices, UMFPACK for general ones.
//
// The libraries are opened at the first use: most runs need none of them, and loading them takes longer than many a
// script. Matrices are compressed columns with 64-bit indices, rows ascending within a column.
#pragma once
#include <stdint.h>

enum {
  SS_OK = 0,
  SS_NO_LIBRARY = -1,  // SuiteSparse is not installed
  SS_NO_MEMORY = -2,
  SS_SINGULAR = -3,
  SS_FAILED = -4
};

// The elimination order of a symmetric pattern, and factors made with it.
typedef struct ss_symmetric ss_symmetric;

// Analyses the lower triangle of an n×n pattern (entries above the diagonal are ignored). NULL with *status set.
ss_symmetric *ss_symmetric_new(int64_t n, const int64_t *starts, const int64_t *rows, int *status);
void ss_symmetric_free(ss_symmetric *s);

// LLᵀ of the values. Positive: not positive definite, the pivot of this order (from 1, in elimination order) is not
// positive.
int64_t ss_symmetric_factor(ss_symmetric *s, const double *values);

// Counts the signs of the pivots of LDLᵀ without exchanges; SS_SINGULAR when a pivot is zero.
int ss_symmetric_inertia(ss_symmetric *s, const double *values, int64_t *positive, int64_t *negative);

// x with a·x = b for `count` column-major right-hand sides, after a successful ss_symmetric_factor.
int ss_symmetric_solve(ss_symmetric *s, int64_t count, const double *b, double *x);

// The elimination order of a general square pattern.
typedef struct ss_general ss_general;
ss_general *ss_general_new(int64_t n, const int64_t *starts, const int64_t *rows, const double *values, int *status);
void ss_general_free(ss_general *g);

// Factors and solves for `count` column-major right-hand sides.
int ss_general_solve(ss_general *g, const double *values, int64_t count, const double *b, double *x);
