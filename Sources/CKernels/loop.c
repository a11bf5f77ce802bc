#include "hk_loop.h"
#include "hk_elementary.h"
#include <math.h>
#include <string.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

static volatile sig_atomic_t interrupt_flag;
void hk_interrupt_set(int value) { interrupt_flag = value; }
int hk_interrupt_get(void) { return interrupt_flag; }

#if defined(__x86_64__) && defined(__linux__) && defined(__clang__)
#define HK_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define HK_CLONES
#endif

// Registers, once a thread: as thread-local memory they would be taken from every thread's stack.
static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local void *thread_scratch;

static void make_key(void) { pthread_key_create(&scratch_key, free); }

static void *scratch(void) {
  if (thread_scratch) return thread_scratch;
  pthread_once(&scratch_once, make_key);
  if (posix_memalign(&thread_scratch, 64, sizeof(double) * HK_MAX_REGISTERS * HK_BLOCK)) abort();
  pthread_setspecific(scratch_key, thread_scratch);
  return thread_scratch;
}

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
