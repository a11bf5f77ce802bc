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

// The work on hand. Workers see a new generation, and take tasks until there are none.
static struct {
  void (*body)(void *, int64_t);
  void *context;
  int64_t tasks;
  _Atomic int64_t next;
  _Atomic int running;  // workers that have not finished this generation
  _Atomic unsigned generation;
} work;

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

// Spins for a short while, since the next piece of work mostly follows at once; then sleeps.
static unsigned await_generation(unsigned seen) {
  const int64_t start = nanoseconds();
  do {
    for (int k = 0; k < 64; k++) {
      const unsigned now = atomic_load_explicit(&work.generation, memory_order_acquire);
      if (now != seen) return now;
      relax();
    }
  } while (nanoseconds() - start < 50000);
  pthread_mutex_lock(&guard);
  atomic_fetch_add(&sleepers, 1);
  while (atomic_load(&work.generation) == seen) pthread_cond_wait(&wake, &guard);
  atomic_fetch_sub(&sleepers, 1);
  const unsigned now = atomic_load(&work.generation);
  pthread_mutex_unlock(&guard);
  return now;
}

static void *worker(void *start) {
  const int place = (int)((intptr_t)start & 0xFF);
  unsigned seen = (unsigned)((intptr_t)start >> 8);
  is_inside = 1;
  for (;;) {
    seen = await_generation(seen);
    // A team that was made smaller leaves its last threads idle.
    if (place < hk_team_size()) take_tasks();
    atomic_fetch_sub_explicit(&work.running, 1, memory_order_release);
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
  const intptr_t seen = (intptr_t)(atomic_load(&work.generation) & 0xFFFFFF);
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
  atomic_store_explicit(&work.running, workers, memory_order_relaxed);
  // Generations are counted modulo 2²⁴, as `hire` hands them on.
  atomic_store(&work.generation, (atomic_load(&work.generation) + 1) & 0xFFFFFF);
  if (atomic_load(&sleepers)) {
    pthread_mutex_lock(&guard);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&guard);
  }
  is_inside = 1;
  take_tasks();
  is_inside = 0;
  for (int k = 0; atomic_load_explicit(&work.running, memory_order_acquire); k++) {
    relax();
    // With more threads than processors, the others need the time.
    if (k > 20000) {
      sched_yield();
      k = 0;
    }
  }
  pthread_mutex_unlock(&turn);
}
