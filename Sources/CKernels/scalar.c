#include "hk_scalar.h"
#include "hk_loop.h"
#include "loops.h"
#include <math.h>
#include <string.h>

#define T double
#define NAME(x) x##_f64
#define M(x) x
#include "scalar.inc"
#undef T
#undef NAME
#undef M

#define T float
#define NAME(x) x##_f32
#define M(x) x##f
#include "scalar.inc"
