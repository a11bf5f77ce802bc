#define _GNU_SOURCE
#include "hk_team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum { HK_MAX_THREADS = 64 };

// The work on hand. Workers see a new generation, enter it while it is open, and take tasks until there are none.
// A worker that comes late (the processor was busy with something else) is not waited for: it finds the work closed.
static struct {
  void (*body)(void *, int64_t);
  void *context;
  int64_t tasks;
  _Atomic int64_t next;
  // The generation, whether it is open, and how many workers are inside.
  _Atomic uint64_t state;
} work;

enum { GENERATION_SHIFT = 16, OPEN = 1 << 15, INSIDE = OPEN - 1 };

static inline uint64_t generation_of(uint64_t state) { return state >> GENERATION_SHIFT; }

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;   // one caller at a time
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;  // for sleepers
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static _Atomic int sleepers;
static int workers;  // threads beside the caller, under `turn`
static _Atomic int limit;
static _Thread_local int is_inside;

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int processors(void) {
  static _Atomic int known;
  int n = atomic_load_explicit(&known, memory_order_relaxed);
  if (n) return n;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
  if (n <= 0) n = (int)sysconf(_SC_NPROCESSORS_ONLN);
  if (n < 1) n = 1;
  if (n > HK_MAX_THREADS) n = HK_MAX_THREADS;
  atomic_store_explicit(&known, n, memory_order_relaxed);
  return n;
}

int hk_team_size(void) {
  const int all = processors(), most = atomic_load_explicit(&limit, memory_order_relaxed);
  return most > 0 && most < all ? most : all;
}

void hk_team_limit(int size) { atomic_store(&limit, size < 0 ? 0 : size); }

static void take_tasks(void) {
  for (;;) {
    const int64_t task = atomic_fetch_add_explicit(&work.next, 1, memory_order_relaxed);
    if (task >= work.tasks) return;
    work.body(work.context, task);
  }
}

static int64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Sleeps until there is another generation than `seen`.
static void sleep_through(uint64_t seen) {
  pthread_mutex_lock(&guard);
  atomic_fetch_add(&sleepers, 1);
  while (generation_of(atomic_load(&work.state)) == seen) pthread_cond_wait(&wake, &guard);
  atomic_fetch_sub(&sleepers, 1);
  pthread_mutex_unlock(&guard);
}

// Enters the next generation that is open, and returns it. Spins for a short while, since the next piece of work mostly
// follows at once; then sleeps.
static uint64_t enter(uint64_t seen) {
  int64_t start = nanoseconds();
  for (int k = 1;; k++) {
    uint64_t state = atomic_load_explicit(&work.state, memory_order_acquire);
    if (generation_of(state) != seen) {
      if (!(state & OPEN)) {
        seen = generation_of(state);
        start = nanoseconds();
      } else if (atomic_compare_exchange_weak_explicit(
                   &work.state, &state, state + 1, memory_order_acq_rel, memory_order_relaxed)) {
        return generation_of(state);
      }
      continue;
    }
    relax();
    if (k % 64 || nanoseconds() - start < 50000) continue;
    sleep_through(seen);
    start = nanoseconds();
  }
}

static void *worker(void *start) {
  const int place = (int)((intptr_t)start & 0xFF);
  uint64_t seen = (uint64_t)(intptr_t)start >> 8;
  is_inside = 1;
  for (;;) {
    seen = enter(seen);
    // A team that was made smaller leaves its last threads idle.
    if (place < hk_team_size()) take_tasks();
    atomic_fetch_sub_explicit(&work.state, 1, memory_order_release);
  }
  return NULL;
}

static void hire(int wanted) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // Signals go to the other threads of the process, whose calls they are to interrupt.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const intptr_t seen = (intptr_t)generation_of(atomic_load(&work.state));
  while (workers < wanted) {
    pthread_t thread;
    if (pthread_create(&thread, &attributes, worker, (void *)(seen << 8 | (workers + 1)))) break;
    workers++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
}

void hk_team_run(int64_t tasks, void (*body)(void *context, int64_t task), void *context) {
  const int size = hk_team_size();
  if (tasks < 2 || size < 2 || is_inside || pthread_mutex_trylock(&turn)) {
    for (int64_t task = 0; task < tasks; task++) body(context, task);
    return;
  }
  if (workers < size - 1) hire(size - 1);
  work.body = body;
  work.context = context;
  work.tasks = tasks;
  atomic_store_explicit(&work.next, 0, memory_order_relaxed);
  // Generations are counted modulo 2⁴⁸.
  atomic_store(&work.state, (generation_of(atomic_load(&work.state)) + 1) << GENERATION_SHIFT | OPEN);
  if (atomic_load(&sleepers)) {
    pthread_mutex_lock(&guard);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&guard);
  }
  is_inside = 1;
  take_tasks();
  is_inside = 0;
  atomic_fetch_and(&work.state, ~(uint64_t)OPEN);
  for (int k = 0; atomic_load_explicit(&work.state, memory_order_acquire) & INSIDE; k++) {
    relax();
    // With more threads than processors, the others need the time.
    if (k > 2000) {
      sched_yield();
      k = 0;
    }
  }
  pthread_mutex_unlock(&turn);
}
