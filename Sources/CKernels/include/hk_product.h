// Small products of matrices and products of a matrix with a vector, on the calling thread. Every entry of the
// result is added up in an order that depends on k alone, so that results are the same however they are cut.
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
