// A loop nest over strided arrays that runs a small program on blocks of entries held in registers (L1 memory),
// and stores, adds up or takes the maximum of the results. Every pointwise operation, copy, broadcast, diagonal
// and reduction of the evaluator is one of these, and neighbours over the same entries are one together.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { HK_MAX_DIMS = 16, HK_BLOCK = 1024, HK_MAX_REGISTERS = 64, HK_MAX_OUTPUTS = 16 };

// Operations on whole registers. a, b, c are registers; imm and n are constants.
typedef enum {
  HK_LOAD_CONSTANT, HK_COPY, HK_MUL_CONSTANT, HK_ADD_CONSTANT,
  HK_AXPY,     // a + imm * b
  HK_MUL_ADD,  // a * b + c, two roundings
  HK_MUL_SUB,  // a * b - c
  HK_SUB_MUL,  // c - a * b
  HK_ADD, HK_SUB, HK_MUL, HK_DIV, HK_RECIP, HK_NEG,
  HK_ABS, HK_SIGN, HK_RELU, HK_STEP, HK_FLOOR, HK_CEIL, HK_ROUND,
  HK_POWER,  // a to the integer n
  HK_POW, HK_ATAN2, HK_MAX, HK_MIN, HK_MODULO,
  HK_LESS, HK_LESS_EQUAL, HK_EQUAL, HK_NOT_EQUAL, HK_AND, HK_OR, HK_NOT, HK_IS_FINITE, HK_IS_NAN, HK_SELECT,
  HK_SQRT, HK_RSQRT_AT_ZERO, HK_SECH2,
  HK_EXP, HK_EXPM1, HK_LOG, HK_LOG1P, HK_SIN, HK_COS, HK_TAN, HK_ASIN, HK_ACOS, HK_ATAN,
  HK_SINH, HK_COSH, HK_TANH, HK_SIGMOID, HK_SOFTPLUS, HK_ERF,
  HK_LOAD,  // input n, which is marked late: what an earlier HK_EMIT of the same block has written
  HK_EMIT   // output n, which is marked early
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
  int32_t late;
  int32_t reserved;
} hk_access;

typedef enum { HK_STORE, HK_ACCUMULATE, HK_MAXIMUM } hk_mode;

typedef struct {
  hk_access access;
  int32_t mode;
  // The reduction starts here (from 0 or −∞) and covers all that its strides reach.
  int32_t fresh;
  // Its register holds nothing else, and may lie in the output's memory.
  int32_t direct;
  int32_t early;
} hk_output;

// Dimensions are outermost first. With HK_ACCUMULATE and HK_MAXIMUM an output may have stride 0: a reduction.
// Registers of inputs and of constants are written by nothing else.
typedef struct {
  int32_t dims, inputs, ops, outputs;
  int32_t registers;
  // A block holds the whole innermost dimension (of at most HK_BLOCK entries), so that what is reduced over it can
  // be read again by the same block.
  int32_t whole;
  double nanoseconds;  // an estimate for one entry
  int64_t sizes[HK_MAX_DIMS];
  const hk_access *input;
  const hk_op *op;
  const hk_output *output;
} hk_loop;

// Long loops run on the team of threads. Results are the same for any number of threads.
void hk_run_f64(const hk_loop *loop, void *const *buffers);
void hk_run_f32(const hk_loop *loop, void *const *buffers);

// y[0..<n] = value, on the team where n is large.
void hk_fill_f64(double *y, int64_t n, double value);
void hk_fill_f32(float *y, int64_t n, float value);

// The interrupt flag: set by a signal handler, polled by the evaluator.
void hk_interrupt_set(int value);
int hk_interrupt_get(void);
