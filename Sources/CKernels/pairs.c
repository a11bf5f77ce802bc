#include "hk_pairs.h"

#include <string.h>

#include "hk_loop.h"
#include "hk_team.h"
#include "loops.h"

// Pairs fetched in advance where they do not follow each other.
enum { AHEAD = 4 };

#define T double
#define NAME(x) x##_f64
#include "pairs.inc"
#undef T
#undef NAME
#define T float
#define NAME(x) x##_f32
#include "pairs.inc"
