#include "hk_indexed.h"

#include "loops.h"

#define T double
#define NAME(x) x##_f64
#include "indexed.inc"
#undef T
#undef NAME
#define T float
#define NAME(x) x##_f32
#include "indexed.inc"
