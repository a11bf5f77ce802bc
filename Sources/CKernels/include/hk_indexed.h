// Reading and adding through a table of indices.
#pragma once
#include <stdint.h>

// A row of entries: by how much the dense array, the indexed one and the table move from one to the next. The table's
// entry k, a whole number with −extent <= k < extent (negative ones count from the end), stands for k·stride entries of
// the indexed array. Several rows share one part of the table.
typedef struct {
  int64_t count, dense, indexed, table;
  int64_t stride, extent;
  int64_t rows, dense_row, indexed_row;
} hk_indexed;

// dense[i] = indexed[i, table[i]]. Returns `count`, or where the table first names no place: entries before it may be
// done or not.
int64_t hk_gather_f64(const hk_indexed *p, const double *indexed, const double *table, double *dense);
int64_t hk_gather_f32(const hk_indexed *p, const float *indexed, const float *table, float *dense);

// indexed[i, table[i]] += dense[i], in some order that depends on the sizes alone. Returns the same.
int64_t hk_scatter_add_f64(const hk_indexed *p, double *indexed, const double *table, const double *dense);
int64_t hk_scatter_add_f32(const hk_indexed *p, float *indexed, const float *table, const float *dense);
