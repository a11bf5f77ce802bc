// A straight-line program on single numbers: small formulas without the overhead of loops.
#pragma once
#include <stdint.h>

// Beyond the operations of hk_loop.h: registers to and from memory. For both, a is the buffer and n the entry;
// a store takes its value from register b.
enum { HK_SCALAR_LOAD = 1000, HK_SCALAR_STORE = 1001 };

typedef struct {
  int32_t code, dst, a, b, c, n;
  double imm;
} hk_scalar_op;

void hk_scalar_run_f64(const hk_scalar_op *op, int64_t count, void *const *buffers, double *registers);
void hk_scalar_run_f32(const hk_scalar_op *op, int64_t count, void *const *buffers, float *registers);
