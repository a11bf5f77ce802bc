// A straight-line program on single numbers: small formulas without the overhead of loops.
#pragma once
#include <stdint.h>

// Beyond the operations of hk_loop.h: registers to and from memory, and the end of a program. For a load and a store,
// a is the buffer and n the entry; a store takes its value from register b. Added to a code, HK_SCALAR_MANY makes it one
// for `count` registers that follow each other, entries of a buffer too.
enum { HK_SCALAR_LOAD = 100, HK_SCALAR_STORE, HK_SCALAR_END, HK_SCALAR_MANY = 128 };

typedef struct {
  int32_t code, dst, a, b, c, n;
  double imm;
  // Of many: which of a, b and c move with the result (bits 0, 1, 2); the others stay.
  int32_t count, steps;
} hk_scalar_op;

// A program ends with HK_SCALAR_END.
void hk_scalar_run_f64(const hk_scalar_op *op, void *const *buffers, double *registers);
void hk_scalar_run_f32(const hk_scalar_op *op, void *const *buffers, float *registers);
