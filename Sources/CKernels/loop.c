#include "hk_loop.h"
#include "hk_team.h"
#include "loops.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t interrupt_flag;
void hk_interrupt_set(int value) { interrupt_flag = value; }
int hk_interrupt_get(void) { return interrupt_flag; }

// MARK: memory of a thread

// As thread-local arrays it would be taken from every thread's stack.
enum { REGISTERS, PARTIALS, SCRATCHES };

typedef struct {
  void *memory[SCRATCHES];
  size_t bytes[SCRATCHES];
} scratches;

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local scratches *thread_scratch;

static void release(void *held) {
  scratches *s = held;
  for (int k = 0; k < SCRATCHES; k++) free(s->memory[k]);
  free(s);
}

static void make_key(void) { pthread_key_create(&scratch_key, release); }

static void *larger_scratch(int which, size_t bytes) {
  if (!thread_scratch) {
    pthread_once(&scratch_once, make_key);
    thread_scratch = calloc(1, sizeof *thread_scratch);
    if (!thread_scratch) abort();
    pthread_setspecific(scratch_key, thread_scratch);
  }
  scratches *s = thread_scratch;
  free(s->memory[which]);
  const size_t most = 2 * bytes < 65536 ? 65536 : 2 * bytes;
  if (posix_memalign(&s->memory[which], 64, most)) abort();
  s->bytes[which] = most;
  return s->memory[which];
}

// Memory of at least so many bytes; what it held before is lost.
static inline void *scratch(int which, size_t bytes) {
  scratches *s = thread_scratch;
  return s && s->bytes[which] >= bytes ? s->memory[which] : larger_scratch(which, bytes);
}

// MARK: cutting a loop into chunks

// Chunks depend on the loop alone and never on the number of threads, so that sums are the same for all.
enum { SERIAL_NANOSECONDS = 40000, CHUNK_NANOSECONDS = 12000, MAX_CHUNKS = 64, NARROWEST = 512 };

typedef struct {
  int64_t start, end;
} range;

static range chunk_range(const hk_loop *loop, int axis, int64_t chunks, int64_t chunk) {
  // The innermost dimension is cut at cache lines.
  const int64_t unit = axis == loop->dims - 1 ? 64 : 1, n = loop->sizes[axis], units = (n + unit - 1) / unit;
  const int64_t start = units * chunk / chunks * unit, end = units * (chunk + 1) / chunks * unit;
  return (range){start, end < n ? end : n};
}

// Row-major strides over the dimensions along which an output moves; returns how many entries they reach.
static int64_t compact_strides(const hk_loop *loop, const hk_output *o, int64_t *strides) {
  int64_t cells = 1;
  for (int d = loop->dims - 1; d >= 0; d--) {
    const int moves = o->access.strides[d] != 0;
    strides[d] = moves ? cells : 0;
    if (moves) cells *= loop->sizes[d];
  }
  return cells;
}

// The most chunks that a cut along one dimension allows.
static int64_t possible_chunks(const hk_loop *loop, int axis, double entries) {
  const int64_t n = loop->sizes[axis];
  int64_t most = axis == loop->dims - 1 ? n / NARROWEST : n;
  for (int k = 0; k < loop->outputs; k++) {
    const hk_output *o = &loop->output[k];
    if (o->access.strides[axis] != 0) continue;
    if (o->mode == HK_STORE) return 0;
    // Partial results are worth it while they are few.
    int64_t strides[HK_MAX_DIMS];
    const double cells = (double)compact_strides(loop, o, strides);
    if (entries / (8 * cells) < (double)most) most = (int64_t)(entries / (8 * cells));
  }
  return most;
}

// How many chunks, and along which dimension: the outermost that allows many, else that which allows most.
static int64_t choose_cut(const hk_loop *loop, int *axis) {
  double entries = 1;
  for (int d = 0; d < loop->dims; d++) entries *= (double)loop->sizes[d];
  const double time = entries * loop->nanoseconds;
  if (time < SERIAL_NANOSECONDS) return 1;
  const int64_t wanted = time / CHUNK_NANOSECONDS < MAX_CHUNKS ? (int64_t)(time / CHUNK_NANOSECONDS) : MAX_CHUNKS;
  int64_t most = 1;
  for (int d = 0; d < loop->dims - (loop->whole != 0); d++) {
    int64_t n = possible_chunks(loop, d, entries);
    if (n > wanted) n = wanted;
    if (n <= most) continue;
    most = n;
    *axis = d;
    if (n >= wanted || n >= 16) break;
  }
  return most;
}

#if defined(HK_WIDE)
#include "narrow-wide.h"
#endif

#define HK_ELEMENTWISE HK_PRAGMA(clang loop vectorize(assume_safety))

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
