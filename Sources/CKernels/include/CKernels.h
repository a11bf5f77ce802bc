// Numeric kernels of hlab. Plain C: the loops are vectorised by the compiler, for several processors at once.
#pragma once
#include "hk_elementary.h"
#include "hk_indexed.h"
#include "hk_loop.h"
#include "hk_magnitude.h"
#include "hk_pairs.h"
#include "hk_product.h"
#include "hk_scalar.h"
#include "hk_secular.h"
#include "hk_skipping.h"
#include "hk_solve.h"
#include "hk_team.h"
#include "hk_tridiagonal.h"
