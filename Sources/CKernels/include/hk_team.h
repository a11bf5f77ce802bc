// One team of threads for the whole process: loops, matrix products and batches of both run on it.
#pragma once
#include <stdint.h>

// Threads that work together, the caller included: one for each processor that the process may use.
int hk_team_size(void);

// Limits the team to `size` threads (at least one, at most what the machine has); 0 takes all processors again.
void hk_team_limit(int size);

// Calls body(context, task) for each task in 0..<tasks, in any order, on all threads of the team, and returns when all
// are done. Within a task it runs the tasks one after the other. Which thread takes a task is not fixed: what a task
// computes must not depend on it, so that results are the same for any number of threads.
void hk_team_run(int64_t tasks, void (*body)(void *context, int64_t task), void *context);
