#include "hk_pairs.h"

#include <string.h>

#include "hk_loop.h"
#include "hk_team.h"
#include "loops.h"
#include "panels.h"

// Squares up to this order are gathered by places worked out once.
enum { PLACED = 32 };
// Pairs fetched in advance where they do not follow each other.
enum { AHEAD = 4 };
// At most so many rows of an outer product at a time, which share cache lines of the result's mirrored half; entries
// held of the product, and of its squares.
enum { OUTER_ROWS = 8, HELD = 32768, SQUARES = HK_PAIR_COLUMNS * HK_PAIR_COLUMNS };

#define T double
#define NAME(x) x##_f64
#include "panels.inc"
#include "rows.inc"
#include "pairs.inc"
#include "pair-products.inc"
#undef T
#undef NAME

#define T float
#define NAME(x) x##_f32
#include "panels.inc"
#include "rows.inc"
#include "pairs.inc"
#include "pair-products.inc"
