// Small products of matrices, products of a matrix with a vector, and Gram matrices. Products run on the calling thread. Every entry of the
// result is added up in an order that depends on k and the processor alone, so that results are the same however they are cut.
#pragma once
#include <stdint.h>

// c (m×n, rows of contiguous entries) = alpha·a·b, added to c where `adds`. a is m×k and b is k×n; of each, either the
// rows or the columns are contiguous or all strides are free.
typedef struct {
  int64_t m, n, k;
  int64_t a_row, a_column, b_row, b_column, c_row;
  double alpha;
  int32_t adds;
} hk_product;

// Whether these kernels are meant for a product of this size; larger ones are BLAS's.
int hk_product_is_small(int64_t m, int64_t n, int64_t k);

void hk_product_f64(const hk_product *p, const double *a, const double *b, double *c);
void hk_product_f32(const hk_product *p, const float *a, const float *b, float *c);

// c = base + alpha·a·b, whatever `adds` says. Rows of base lie base_row entries apart: 0 adds the same one to every row.
void hk_product_onto_f64(const hk_product *p, const double *a, const double *b, const double *base, int64_t base_row, double *c);
void hk_product_onto_f32(const hk_product *p, const float *a, const float *b, const float *base, int64_t base_row, float *c);

// c = alpha·aᵀ·diag(w)·a, added to c where `adds`: of a symmetric matrix one half is multiplied out. a is k×m with rows
// of contiguous entries; w (or NULL, for ones) has k entries. The rows are summed in `parts` pieces, each of them by
// itself; `partial` has room for parts·m·m entries.
typedef struct {
  int64_t m, k;
  int64_t a_row, w_step, c_row, c_column;
  int64_t parts;
  double alpha;
  int32_t adds;
} hk_gram;

// On the team of threads; the result depends on `parts` and not on the threads.
void hk_gram_f64(const hk_gram *p, const double *a, const double *w, double *partial, double *c);
void hk_gram_f32(const hk_gram *p, const float *a, const float *w, float *partial, float *c);
