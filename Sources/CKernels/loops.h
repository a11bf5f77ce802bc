// How a pointwise function becomes a kernel: a plain loop that the compiler vectorises, once for each level of
// x86-64, chosen when the program is loaded. Other processors get the one plain loop.
#pragma once
#include <string.h>

#include "CKernels.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__has_attribute) && !defined(HK_NO_CLONES)
#if __has_attribute(target_clones)
#define HK_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
// Of kernels with vectors of 32 bytes, and of 64: levels.inc has both.
#define HK_NARROW __attribute__((target_clones("default", "arch=x86-64-v3")))
#define HK_WIDE __attribute__((target("arch=x86-64-v4"), __min_vector_width__(512)))
#endif
#endif
#ifndef HK_CLONES
#define HK_CLONES
#define HK_NARROW
#endif

#define HK_INLINE static inline __attribute__((always_inline))

// A value that the compiler takes as it is, in a register.
#define HK_OPAQUE(x) __asm__("" : "+r"(x))

// The elements are independent even where x and y are the same array.
#if defined(__clang__)
#define HK_PRAGMA(text) _Pragma(#text)
#define HK_UNROLL _Pragma("clang loop unroll(full)")
#define HK_VECTOR(width) HK_PRAGMA(clang loop vectorize(assume_safety) vectorize_width(width))
#define HK_VECTORS(width) HK_PRAGMA(clang loop vectorize(assume_safety) vectorize_width(width) unroll(disable))
#elif defined(__GNUC__)
#define HK_VECTOR(width) _Pragma("GCC ivdep")
#define HK_VECTORS(width) HK_VECTOR(width)
#else
#define HK_VECTOR(width)
#define HK_VECTORS(width)
#endif
#ifndef HK_UNROLL
#define HK_UNROLL
#endif

// Whole vectors first; the rest of fewer than `width` elements goes through a padded copy, so that it costs one
// vector and not an element at a time.
#define HK_KERNEL(name, type, width, function)                            \
  HK_CLONES void hk_##name(const type *x, type *y, ptrdiff_t n) {         \
    ptrdiff_t whole = n & ~(ptrdiff_t)((width) - 1);                      \
    HK_VECTOR(width)                                                      \
    for (ptrdiff_t i = 0; i < whole; i++) y[i] = function(x[i]);          \
    if (whole < n) {                                                      \
      type held[width] = {0};                                             \
      size_t rest = (size_t)(n - whole) * sizeof(type);                   \
      memcpy(held, x + whole, rest);                                      \
      HK_VECTOR(width)                                                    \
      for (ptrdiff_t i = 0; i < (width); i++) held[i] = function(held[i]); \
      memcpy(y + whole, held, rest);                                      \
    }                                                                     \
  }

// A function in two halves, second(first(x), x): while the second of one block waits for a division, the first of the next
// goes on.
#define HK_KERNEL_IN_HALVES(name, type, width, first, second)             \
  HK_INLINE void name##_first(const type *x, type *h) {                   \
    HK_VECTORS(width)                                                     \
    for (int i = 0; i < 2 * (width); i++) h[i] = first(x[i]);             \
  }                                                                       \
  HK_INLINE void name##_second(const type *h, const type *x, type *y) {   \
    HK_VECTORS(width)                                                     \
    for (int i = 0; i < 2 * (width); i++) y[i] = second(h[i], x[i]);      \
  }                                                                       \
  HK_CLONES void hk_##name(const type *x, type *y, ptrdiff_t n) {         \
    enum { block = 2 * (width) };                                         \
    type held[2][block], rest[block] = {0};                               \
    const ptrdiff_t whole = n - n % block;                                \
    int now = 0;                                                          \
    if (whole > 0) name##_first(x, held[0]);                              \
    for (ptrdiff_t i = block; i < whole; i += block, now = !now) {        \
      name##_first(x + i, held[!now]);                                    \
      name##_second(held[now], x + i - block, y + i - block);             \
    }                                                                     \
    if (whole > 0) name##_second(held[now], x + whole - block, y + whole - block); \
    if (whole == n) return;                                               \
    memcpy(rest, x + whole, (size_t)(n - whole) * sizeof(type));          \
    name##_first(rest, held[0]);                                          \
    name##_second(held[0], rest, rest);                                   \
    memcpy(y + whole, rest, (size_t)(n - whole) * sizeof(type));          \
  }

// Where x[i] lies outside ±limit (or is infinite), the library's function takes over.
#define HK_KERNEL_WITHIN(name, type, width, function, limit, library)     \
  HK_CLONES static int within_##name(const type *x, type *y, ptrdiff_t n) { \
    int outside = 0;                                                      \
    HK_VECTOR(width)                                                      \
    for (ptrdiff_t i = 0; i < n; i++) {                                   \
      outside |= !(x[i] >= -(limit) && x[i] <= (limit));                  \
      y[i] = function(x[i]);                                              \
    }                                                                     \
    return outside;                                                       \
  }                                                                       \
  void hk_##name(const type *x, type *y, ptrdiff_t n) {                   \
    type held[256];                                                       \
    for (ptrdiff_t start = 0; start < n; start += 256) {                  \
      ptrdiff_t count = n - start < 256 ? n - start : 256;                \
      if (!within_##name(x + start, held, count)) {                       \
        memcpy(y + start, held, (size_t)count * sizeof(type));            \
        continue;                                                         \
      }                                                                   \
      for (ptrdiff_t i = 0; i < count; i++) {                             \
        type v = x[start + i];                                            \
        y[start + i] = v >= -(limit) && v <= (limit) ? held[i] : library(v); \
      }                                                                   \
    }                                                                     \
  }

#define HK_LIBRARY(name)                                                              \
  void hk_##name##_f64(const double *x, double *y, ptrdiff_t n) {                     \
    for (ptrdiff_t i = 0; i < n; i++) y[i] = name(x[i]);                              \
  }                                                                                   \
  void hk_##name##_f32(const float *x, float *y, ptrdiff_t n) {                       \
    for (ptrdiff_t i = 0; i < n; i++) y[i] = name##f(x[i]);                           \
  }
