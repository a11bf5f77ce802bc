// BLAS through <cblas.h>, and declarations of the Fortran LAPACK routines that hlab calls
// (Debian's OpenBLAS carries their symbols but no LAPACKE).
#pragma once
#include <cblas.h>
