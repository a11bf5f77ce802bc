#include "CSuiteSparse.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <suitesparse/cholmod.h>
#include <suitesparse/umfpack.h>

// The libraries whose structures these headers describe.
#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)
#define CHOLMOD_LIBRARY "libcholmod.so." TEXT(CHOLMOD_MAIN_VERSION)
#define UMFPACK_LIBRARY "libumfpack.so." TEXT(UMFPACK_MAIN_VERSION)

static struct {
  int (*start)(cholmod_common *);
  int (*finish)(cholmod_common *);
  cholmod_factor *(*analyze)(cholmod_sparse *, cholmod_common *);
  int (*factorize)(cholmod_sparse *, cholmod_factor *, cholmod_common *);
  cholmod_dense *(*solve)(int, cholmod_factor *, cholmod_dense *, cholmod_common *);
  int (*free_factor)(cholmod_factor **, cholmod_common *);
  int (*free_dense)(cholmod_dense **, cholmod_common *);
  cholmod_factor *(*copy_factor)(cholmod_factor *, cholmod_common *);
  int (*change_factor)(int, int, int, int, int, cholmod_factor *, cholmod_common *);
  int loaded;
} cholmod;

static struct {
  long (*symbolic)(long, long, const long *, const long *, const double *, void **, const double *, double *);
  long (*numeric)(const long *, const long *, const double *, void *, void **, const double *, double *);
  long (*solve)(long, const long *, const long *, const double *, double *, const double *, void *, const double *,
                double *);
  void (*free_symbolic)(void **);
  void (*free_numeric)(void **);
  void (*defaults)(double *);
  int loaded;
} umfpack;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
  void *library = dlopen(CHOLMOD_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library) {
    int complete = 1;
#define FIND(field, name) complete &= (*(void **)&cholmod.field = dlsym(library, "cholmod_l_" name)) != NULL
    FIND(start, "start");
    FIND(finish, "finish");
    FIND(analyze, "analyze");
    FIND(factorize, "factorize");
    FIND(solve, "solve");
    FIND(free_factor, "free_factor");
    FIND(free_dense, "free_dense");
    FIND(copy_factor, "copy_factor");
    FIND(change_factor, "change_factor");
#undef FIND
    cholmod.loaded = complete;
  }
  library = dlopen(UMFPACK_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library) {
    int complete = 1;
#define FIND(field, name) complete &= (*(void **)&umfpack.field = dlsym(library, "umfpack_dl_" name)) != NULL
    FIND(symbolic, "symbolic");
    FIND(numeric, "numeric");
    FIND(solve, "solve");
    FIND(free_symbolic, "free_symbolic");
    FIND(free_numeric, "free_numeric");
    FIND(defaults, "defaults");
#undef FIND
    umfpack.loaded = complete;
  }
}

// MARK: Symmetric

struct ss_symmetric {
  cholmod_common common;
  cholmod_sparse matrix;
  // The elimination order, and the LLᵀ of the last values.
  cholmod_factor *symbolic, *factor;
};

static int64_t *copied(const int64_t *source, int64_t count) {
  int64_t *made = malloc(sizeof(int64_t) * (count > 0 ? count : 1));
  if (made) memcpy(made, source, sizeof(int64_t) * count);
  return made;
}

static int status_of(const cholmod_common *common) {
  if (common->status == CHOLMOD_OUT_OF_MEMORY || common->status == CHOLMOD_TOO_LARGE) return SS_NO_MEMORY;
  return common->status < 0 ? SS_FAILED : SS_OK;
}

ss_symmetric *ss_symmetric_new(int64_t n, const int64_t *starts, const int64_t *rows, int *status) {
  pthread_once(&once, load);
  *status = SS_NO_LIBRARY;
  if (!cholmod.loaded) return NULL;
  *status = SS_NO_MEMORY;
  ss_symmetric *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  cholmod.start(&s->common);
  s->common.print = 0;
  cholmod_sparse *a = &s->matrix;
  a->nrow = a->ncol = n;
  a->nzmax = starts[n];
  a->p = copied(starts, n + 1);
  a->i = copied(rows, starts[n]);
  a->stype = -1;
  a->itype = CHOLMOD_LONG;
  a->xtype = CHOLMOD_PATTERN;
  a->dtype = CHOLMOD_DOUBLE;
  a->sorted = 1;
  a->packed = 1;
  if (a->p && a->i) {
    s->symbolic = cholmod.analyze(a, &s->common);
    *status = status_of(&s->common);
    if (s->symbolic && *status == SS_OK) return s;
  }
  ss_symmetric_free(s);
  return NULL;
}

void ss_symmetric_free(ss_symmetric *s) {
  if (!s) return;
  if (s->symbolic) cholmod.free_factor(&s->symbolic, &s->common);
  if (s->factor) cholmod.free_factor(&s->factor, &s->common);
  cholmod.finish(&s->common);
  free(s->matrix.p);
  free(s->matrix.i);
  free(s);
}

int64_t ss_symmetric_factor(ss_symmetric *s, const double *values) {
  s->matrix.x = (void *)values;
  s->matrix.xtype = CHOLMOD_REAL;
  if (!s->factor) s->factor = cholmod.copy_factor(s->symbolic, &s->common);
  if (!s->factor) return SS_NO_MEMORY;
  s->common.status = CHOLMOD_OK;
  s->common.final_ll = 1;
  s->common.quick_return_if_not_posdef = 1;
  cholmod.factorize(&s->matrix, s->factor, &s->common);
  if (s->common.status == CHOLMOD_NOT_POSDEF || s->factor->minor < s->factor->n) return (int64_t)s->factor->minor + 1;
  return status_of(&s->common);
}

int ss_symmetric_inertia(ss_symmetric *s, const double *values, int64_t *positive, int64_t *negative) {
  s->matrix.x = (void *)values;
  s->matrix.xtype = CHOLMOD_REAL;
  cholmod_factor *f = cholmod.copy_factor(s->symbolic, &s->common);
  if (!f) return SS_NO_MEMORY;
  // Simplicial LDLᵀ: the one factor of CHOLMOD that passes pivots of either sign.
  int was = s->common.supernodal;
  s->common.supernodal = CHOLMOD_SIMPLICIAL;
  if (f->is_super) cholmod.change_factor(CHOLMOD_PATTERN, 0, 0, 1, 1, f, &s->common);
  s->common.final_ll = 0;
  s->common.status = CHOLMOD_OK;
  cholmod.factorize(&s->matrix, f, &s->common);
  s->common.supernodal = was;
  int result = status_of(&s->common);
  *positive = *negative = 0;
  if (result == SS_OK && (f->minor < f->n || f->is_ll || f->is_super)) result = SS_SINGULAR;
  for (size_t j = 0; result == SS_OK && j < f->n; j++) {
    double pivot = ((double *)f->x)[((int64_t *)f->p)[j]];
    if (pivot > 0) ++*positive;
    else if (pivot < 0) ++*negative;
    else result = SS_SINGULAR;
  }
  cholmod.free_factor(&f, &s->common);
  return result;
}

int ss_symmetric_solve(ss_symmetric *s, int64_t count, const double *b, double *x) {
  size_t n = s->matrix.nrow;
  cholmod_dense right = {.nrow = n, .ncol = count, .nzmax = n * count, .d = n, .x = (void *)b,
                         .xtype = CHOLMOD_REAL, .dtype = CHOLMOD_DOUBLE};
  cholmod_dense *result = cholmod.solve(CHOLMOD_A, s->factor, &right, &s->common);
  if (!result) return status_of(&s->common) == SS_OK ? SS_FAILED : status_of(&s->common);
  memcpy(x, result->x, sizeof(double) * n * count);
  cholmod.free_dense(&result, &s->common);
  return SS_OK;
}

// MARK: General

struct ss_general {
  int64_t n;
  int64_t *starts, *rows;
  void *symbolic;
};

static int general_status(long code) {
  switch (code) {
    case UMFPACK_OK: return SS_OK;
    case UMFPACK_WARNING_singular_matrix: return SS_SINGULAR;
    case UMFPACK_ERROR_out_of_memory: return SS_NO_MEMORY;
    default: return SS_FAILED;
  }
}

ss_general *ss_general_new(int64_t n, const int64_t *starts, const int64_t *rows, const double *values, int *status) {
  pthread_once(&once, load);
  *status = SS_NO_LIBRARY;
  if (!umfpack.loaded) return NULL;
  *status = SS_NO_MEMORY;
  ss_general *g = calloc(1, sizeof *g);
  if (!g) return NULL;
  g->n = n;
  g->starts = copied(starts, n + 1);
  g->rows = copied(rows, starts[n]);
  if (g->starts && g->rows) {
    *status = general_status(umfpack.symbolic(n, n, g->starts, g->rows, values, &g->symbolic, NULL, NULL));
    if (*status == SS_OK) return g;
  }
  ss_general_free(g);
  return NULL;
}

void ss_general_free(ss_general *g) {
  if (!g) return;
  if (g->symbolic) umfpack.free_symbolic(&g->symbolic);
  free(g->starts);
  free(g->rows);
  free(g);
}

int ss_general_solve(ss_general *g, const double *values, int64_t count, const double *b, double *x) {
  void *numeric = NULL;
  int status = general_status(umfpack.numeric(g->starts, g->rows, values, g->symbolic, &numeric, NULL, NULL));
  for (int64_t k = 0; status == SS_OK && k < count; k++) {
    status = general_status(
        umfpack.solve(UMFPACK_A, g->starts, g->rows, values, x + k * g->n, b + k * g->n, numeric, NULL, NULL));
  }
  if (numeric) umfpack.free_numeric(&numeric);
  return status;
}
