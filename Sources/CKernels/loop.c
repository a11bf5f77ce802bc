#include "hk_loop.h"
#include "hk_elementary.h"
#include <math.h>
#include <string.h>
#include <signal.h>

static volatile sig_atomic_t interrupt_flag;
void hk_interrupt_set(int value) { interrupt_flag = value; }
int hk_interrupt_get(void) { return interrupt_flag; }

#if defined(__x86_64__) && defined(__linux__) && defined(__clang__)
#define HK_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define HK_CLONES
#endif

#define T double
#define NAME(x) x##_f64
#define M(x) x
#include "loop.inc"
#undef T
#undef NAME
#undef M

#define T float
#define NAME(x) x##_f32
#define M(x) x##f
#include "loop.inc"
