// A loop nest over strided arrays that runs a small program on blocks of entries held in registers (L1 memory),
// and stores, adds up or takes the maximum of the results. Every pointwise operation, copy, broadcast, diagonal
// and reduction of the evaluator is one of these.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { HK_MAX_DIMS = 16, HK_BLOCK = 512, HK_MAX_REGISTERS = 64 };

// Operations on whole registers. a, b, c are registers; imm and n are constants.
typedef enum {
  HK_LOAD_CONSTANT, HK_COPY, HK_MUL_CONSTANT, HK_ADD_CONSTANT,
  HK_AXPY,  // a + imm * b
  HK_ADD, HK_SUB, HK_MUL, HK_DIV, HK_RECIP, HK_NEG,
  HK_ABS, HK_SIGN, HK_RELU, HK_STEP, HK_FLOOR, HK_CEIL, HK_ROUND,
  HK_POWER,  // a to the integer n
  HK_POW, HK_ATAN2, HK_MAX, HK_MIN, HK_MODULO,
  HK_LESS, HK_LESS_EQUAL, HK_EQUAL, HK_NOT_EQUAL, HK_AND, HK_OR, HK_NOT, HK_IS_FINITE, HK_IS_NAN, HK_SELECT,
  HK_SQRT, HK_RSQRT_AT_ZERO, HK_SECH2,
  HK_EXP, HK_EXPM1, HK_LOG, HK_LOG1P, HK_SIN, HK_COS, HK_TAN, HK_ASIN, HK_ACOS, HK_ATAN,
  HK_SINH, HK_COSH, HK_TANH, HK_SIGMOID, HK_SOFTPLUS, HK_ERF
} hk_opcode;

typedef struct {
  int32_t code, dst, a, b, c, n;
  double imm;
} hk_op;

// Where an array lies: an entry of the table of base addresses, an offset and a stride a dimension, in entries.
typedef struct {
  int32_t buffer, reg;
  int64_t offset;
  int64_t strides[HK_MAX_DIMS];
} hk_access;

typedef enum { HK_STORE, HK_ACCUMULATE, HK_MAXIMUM } hk_mode;

typedef struct {
  hk_access access;
  int32_t mode;
  int32_t reserved;
} hk_output;

// Dimensions are outermost first. With HK_ACCUMULATE and HK_MAXIMUM an output may have stride 0: a reduction.
typedef struct {
  int32_t dims, inputs, ops, outputs;
  int64_t sizes[HK_MAX_DIMS];
  const hk_access *input;
  const hk_op *op;
  const hk_output *output;
} hk_loop;

// Registers live in memory of the calling thread.
void hk_run_f64(const hk_loop *loop, void *const *buffers);
void hk_run_f32(const hk_loop *loop, void *const *buffers);

// The interrupt flag: set by a signal handler, polled by the evaluator.
void hk_interrupt_set(int value);
int hk_interrupt_get(void);
