// An OpenBLAS that is older than the processor takes its oldest kernels: 0.3.21 runs SSE3 on Emerald Rapids, a fifth
// of the speed of the AVX-512 kernels that it has. The choice is made when the library is loaded; it is made again
// here, before anything else uses the library, with the name of a processor that it knows. OPENBLAS_CORETYPE, where
// someone has set it, stands.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#if defined(__x86_64__) && defined(__linux__)

// The kernels that it falls back to, all without AVX2.
static int is_old(const char *core) {
  static const char *const old[] = {"Unknown",     "Prescott", "Core2",        "Nehalem",
                                    "Sandybridge", "Barcelona", "Opteron_SSE3", "Bulldozer"};
  for (size_t i = 0; i < sizeof old / sizeof *old; i++)
    if (strcasecmp(core, old[i]) == 0) return 1;
  return 0;
}

// The kernels for the vectors that processor and system offer; NULL when the library has none.
static const char *fitting(void) {
  int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
  if (wide && dlsym(RTLD_DEFAULT, "gotoblas_SKYLAKEX")) return "SkylakeX";
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return NULL;
  if (__builtin_cpu_is("amd") && dlsym(RTLD_DEFAULT, "gotoblas_ZEN")) return "Zen";
  return dlsym(RTLD_DEFAULT, "gotoblas_HASWELL") ? "Haswell" : NULL;
}

__attribute__((constructor)) static void choose_kernels(void) {
  const char *variable = "OPENBLAS_CORETYPE";
  if (getenv(variable)) return;
  char *(*core)(void) = (char *(*)(void))dlsym(RTLD_DEFAULT, "openblas_get_corename");
  // Only a library that carries the kernels of many processors has these.
  void (*forget)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit");
  void (*choose)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
  if (!core || !forget || !choose || !is_old(core())) return;
  __builtin_cpu_init();
  const char *name = fitting();
  if (!name) return;
  // OpenBLAS's own threads choose as they ask for their first memory, unless someone has had some before.
  void *(*take)(int) = (void *(*)(int))dlsym(RTLD_DEFAULT, "blas_memory_alloc");
  void (*give)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "blas_memory_free");
  if (take && give) give(take(0));
  // Swift finds the arguments of the command line just before the environment, which has to stay where it is; another
  // one, with the choice, stands in for it.
  size_t count = 0;
  while (environ && environ[count]) count++;
  char setting[64], **environment = environ, **chosen = malloc((count + 2) * sizeof *chosen);
  if (!chosen) return;
  snprintf(setting, sizeof setting, "%s=%s", variable, name);
  memcpy(chosen, environment, count * sizeof *chosen);
  chosen[count] = setting;
  chosen[count + 1] = NULL;
  environ = chosen;
  forget();
  choose();
  environ = environment;
  free(chosen);
}

#endif
