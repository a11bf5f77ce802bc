// BLAS through <cblas.h>, and the Fortran LAPACK routines that hlab calls (Debian's OpenBLAS carries their
// symbols but no LAPACKE).
//
// A `la_` wrapper takes the number of threads that OpenBLAS is to work with, where more than one may be of use, and
// scalars by value, asks for the workspace, allocates and frees it (la_dsyevd is given the larger one), and returns
// LAPACK's `info`, or LA_NO_MEMORY, or LA_TOO_LARGE when the workspace cannot be counted in LAPACK's 32-bit integers.
// Matrices are column-major. Trailing `size_t` arguments are the lengths of Fortran's character arguments.
#pragma once
#include <cblas.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

enum { LA_NO_MEMORY = -1000, LA_TOO_LARGE = -1001 };

// Symmetric eigenproblems.
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t, size_t);
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a, const int *lda,
             const double *vl, const double *vu, const int *il, const int *iu, const double *abstol, int *m,
             double *w, double *z, const int *ldz, int *isuppz, double *work, const int *lwork, int *iwork,
             const int *liwork, int *info, size_t, size_t, size_t);
void dstevd_(const char *jobz, const int *n, double *d, double *e, double *z, const int *ldz, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info, size_t);

// Parts of the symmetric eigenproblem: reduction to tridiagonal form, its reflectors as blocks, the tridiagonal problem
// by QR iteration, and what divide and conquer does between two halves before it solves the secular equation.
void dsytrd_(const char *uplo, const int *n, double *a, const int *lda, double *d, double *e, double *tau,
             double *work, const int *lwork, int *info, size_t);
void dlarft_(const char *direct, const char *storev, const int *n, const int *k, double *v, const int *ldv,
             const double *tau, double *t, const int *ldt, size_t, size_t);
void dlarfb_(const char *side, const char *trans, const char *direct, const char *storev, const int *m,
             const int *n, const int *k, const double *v, const int *ldv, const double *t, const int *ldt,
             double *c, const int *ldc, double *work, const int *ldwork, size_t, size_t, size_t, size_t);
void dsteqr_(const char *compz, const int *n, double *d, double *e, double *z, const int *ldz, double *work,
             int *info, size_t);
void dlaed2_(int *k, const int *n, const int *n1, double *d, double *q, const int *ldq, int *indxq, double *rho,
             const double *z, double *dlamda, double *w, double *q2, int *indx, int *indxc, int *indxp,
             int *coltyp, int *info);
void dlamrg_(const int *n1, const int *n2, const double *a, const int *dtrd1, const int *dtrd2, int *index);

// General eigenvalues and singular values.
void dgeev_(const char *jobvl, const char *jobvr, const int *n, double *a, const int *lda, double *wr,
            double *wi, double *vl, const int *ldvl, double *vr, const int *ldvr, double *work,
            const int *lwork, int *info, size_t, size_t);
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork,
             int *info, size_t);
void dgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a, const int *lda,
             double *s, double *u, const int *ldu, double *vt, const int *ldvt, double *work,
             const int *lwork, int *info, size_t, size_t);

// Factors of positive definite, general, symmetric indefinite and banded matrices.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t);
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
             const int *ldb, int *info, size_t);
void spotrs_(const char *uplo, const int *n, const int *nrhs, const float *a, const int *lda, float *b,
             const int *ldb, int *info, size_t);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t);
void spotri_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t);
void dpocon_(const char *uplo, const int *n, const double *a, const int *lda, const double *anorm,
             double *rcond, double *work, int *iwork, int *info, size_t);
void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *ipiv, int *info);
void sgetrf_(const int *m, const int *n, float *a, const int *lda, int *ipiv, int *info);
void dgetrs_(const char *trans, const int *n, const int *nrhs, const double *a, const int *lda,
             const int *ipiv, double *b, const int *ldb, int *info, size_t);
void sgetrs_(const char *trans, const int *n, const int *nrhs, const float *a, const int *lda,
             const int *ipiv, float *b, const int *ldb, int *info, size_t);
void dgetri_(const int *n, double *a, const int *lda, const int *ipiv, double *work, const int *lwork,
             int *info);
void dgecon_(const char *norm, const int *n, const double *a, const int *lda, const double *anorm,
             double *rcond, double *work, int *iwork, int *info, size_t);
void dsytrf_(const char *uplo, const int *n, double *a, const int *lda, int *ipiv, double *work,
             const int *lwork, int *info, size_t);
void dsytrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
             const int *ipiv, double *b, const int *ldb, int *info, size_t);
void dpbtrf_(const char *uplo, const int *n, const int *kd, double *ab, const int *ldab, int *info, size_t);
void dpbtrs_(const char *uplo, const int *n, const int *kd, const int *nrhs, const double *ab,
             const int *ldab, double *b, const int *ldb, int *info, size_t);
void dgtsv_(const int *n, const int *nrhs, double *dl, double *d, double *du, double *b, const int *ldb,
            int *info);
void dgbsv_(const int *n, const int *kl, const int *ku, const int *nrhs, double *ab, const int *ldab, int *ipiv,
            double *b, const int *ldb, int *info);

// Orthogonal factors and least squares.
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work,
             const int *lwork, int *info);
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau,
             double *work, const int *lwork, int *info);
void dgelqf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work,
             const int *lwork, int *info);
void dorglq_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau,
             double *work, const int *lwork, int *info);
void dgelsd_(const int *m, const int *n, const int *nrhs, double *a, const int *lda, double *b,
             const int *ldb, double *s, const double *rcond, int *rank, double *work, const int *lwork,
             int *iwork, int *info);

// Memory for `size` doubles as LAPACK's query answers it; NULL with *info set when there is none.
static inline double *la_work(double size, int *lwork, int *info) {
  if (*info != 0) return NULL;
  if (!(size < (double)INT_MAX)) {
    *info = LA_TOO_LARGE;
    return NULL;
  }
  *lwork = size < 1 ? 1 : (int)size;
  double *work = (double *)malloc((size_t)*lwork * sizeof(double));
  if (!work) *info = LA_NO_MEMORY;
  return work;
}

static inline int *la_integer_work(size_t count, int *info) {
  if (*info != 0) return NULL;
  int *work = (int *)malloc((count ? count : 1) * sizeof(int));
  if (!work) *info = LA_NO_MEMORY;
  return work;
}

// How many doubles la_dsyevd works in; the documented sizes, since LAPACK's query overflows for large n.
static inline double la_dsyevd_work(int vectors, int n) {
  double size = n <= 1 ? 1 : vectors ? 1 + 6.0 * n + 2.0 * n * n : 2.0 * n + 1;
  if (!(size < (double)INT_MAX)) return size;
  int info = 0, query = -1, iquery = 1;
  double blocked = 1, unused = 0;
  dsyevd_(vectors ? "V" : "N", "U", &n, &unused, &n, &unused, &blocked, &query, &iquery, &query, &info, 1, 1);
  return blocked > size ? blocked : size;
}

// Eigenvalues, ascending, and with vectors != 0 the eigenvectors in the columns of a. Reads the upper triangle.
static inline int la_dsyevd(int threads, int vectors, int n, double *a, double *w, double *work, int lwork) {
  openblas_set_num_threads(threads);
  int info = 0, liwork = vectors ? 3 + 5 * n : 1;
  int *iwork = la_integer_work((size_t)liwork, &info);
  if (info == 0) dsyevd_(vectors ? "V" : "N", "U", &n, a, &n, w, work, &lwork, iwork, &liwork, &info, 1, 1);
  free(iwork);
  return info;
}

// The upper triangle of a as tridiagonal form (d, e) and reflectors, n − 1 of them with factors tau.
static inline int la_dsytrd(int threads, int n, double *a, double *d, double *e, double *tau) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1, query = -1;
  double size = 1;
  dsytrd_("U", &n, a, &n, d, e, tau, &size, &query, &info, 1);
  double *work = la_work(size, &lwork, &info);
  if (info == 0) dsytrd_("U", &n, a, &n, d, e, tau, work, &lwork, &info, 1);
  free(work);
  return info;
}

// The triangular factor t (k×k) of a block of k reflectors of length m from la_dsytrd, in the columns of v.
static inline void la_dlarft(int m, int k, double *v, int ldv, const double *tau, double *t, int ldt) {
  dlarft_("B", "C", &m, &k, v, &ldv, tau, t, &ldt, 1, 1);
}

// Such a block times c (m×n); work has room for n·k.
static inline void la_dlarfb(int m, int n, int k, const double *v, int ldv, const double *t, int ldt, double *c,
                             int ldc, double *work) {
  dlarfb_("L", "N", "B", "C", &m, &n, &k, v, &ldv, t, &ldt, c, &ldc, work, &n, 1, 1, 1, 1);
}

// Eigenvalues, ascending in d, and eigenvectors (columns of z) of a small tridiagonal matrix (d, e), which is
// overwritten, by QR iteration; work has room for 2n.
static inline int la_dsteqr(int n, double *d, double *e, double *z, int ldz, double *work) {
  int info = 0;
  dsteqr_("I", &n, d, e, z, &ldz, work, &info, 1);
  return info;
}

// Eigenvalues number first...last (from 1, ascending) and, unless z is NULL, their vectors in the columns of z.
// Reads the upper triangle.
static inline int la_dsyevr(int threads, int n, double *a, int first, int last, double *w, double *z) {
  openblas_set_num_threads(threads);
  const char *job = z ? "V" : "N";
  int info = 0, lwork = 1, query = -1, found = 0, iquery = 1;
  double zero = 0, size = 1, unused = 0;
  int *support = la_integer_work(2 * (size_t)n, &info);
  if (!support) return info;
  dsyevr_(job, "I", "U", &n, a, &n, &zero, &zero, &first, &last, &zero, &found, w, z ? z : &unused, &n,
          support, &size, &query, &iquery, &query, &info, 1, 1, 1);
  double *work = la_work(size, &lwork, &info);
  int *iwork = la_integer_work((size_t)iquery, &info);
  if (info == 0)
    dsyevr_(job, "I", "U", &n, a, &n, &zero, &zero, &first, &last, &zero, &found, w, z ? z : &unused, &n,
            support, work, &lwork, iwork, &iquery, &info, 1, 1, 1);
  if (info == 0 && found != last - first + 1) info = 1;
  free(support);
  free(work);
  free(iwork);
  return info;
}

// Eigenvalues, ascending in d, and unless z is NULL the eigenvectors (columns of z) of the symmetric
// tridiagonal matrix with diagonal d and off-diagonal e (overwritten).
static inline int la_dstevd(int threads, int n, double *d, double *e, double *z) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1, wide = z != NULL && n > 1, liwork = wide ? 3 + 5 * n : 1;
  double unused = 0;
  double *work = la_work(wide ? 1 + 4.0 * n + (double)n * n : 1, &lwork, &info);
  int *iwork = la_integer_work((size_t)liwork, &info);
  if (info == 0)
    dstevd_(z ? "V" : "N", &n, d, e, z ? z : &unused, &n, work, &lwork, iwork, &liwork, &info, 1);
  free(work);
  free(iwork);
  return info;
}

// Eigenvalues of a general matrix.
static inline int la_dgeev(int threads, int n, double *a, double *wr, double *wi) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1, query = -1, one = 1;
  double size = 1, unused = 0;
  dgeev_("N", "N", &n, a, &n, wr, wi, &unused, &one, &unused, &one, &size, &query, &info, 1, 1);
  double *work = la_work(size, &lwork, &info);
  if (info == 0)
    dgeev_("N", "N", &n, a, &n, wr, wi, &unused, &one, &unused, &one, work, &lwork, &info, 1, 1);
  free(work);
  return info;
}

// Singular values, descending, and unless u is NULL the thin factors u (m×k) and vt (k×n), k = min(m, n), by
// divide and conquer (accurate = 0) or by QR iteration (accurate = 1, slower, converges more often).
static inline int la_dsvd(int threads, int accurate, int m, int n, double *a, double *s, double *u, double *vt) {
  openblas_set_num_threads(threads);
  const char *job = u ? "S" : "N";
  int info = 0, lwork = 1, query = -1, k = m < n ? m : n;
  double size = 1, unused = 0;
  if (!u) u = vt = &unused;
  if (accurate) {
    dgesvd_(job, job, &m, &n, a, &m, s, u, &m, vt, &k, &size, &query, &info, 1, 1);
    double *work = la_work(size, &lwork, &info);
    if (info == 0) dgesvd_(job, job, &m, &n, a, &m, s, u, &m, vt, &k, work, &lwork, &info, 1, 1);
    free(work);
    return info;
  }
  if (!(4.0 * k * k + 7.0 * k < (double)INT_MAX)) return LA_TOO_LARGE;
  int *iwork = la_integer_work(8 * (size_t)k, &info);
  if (!iwork) return info;
  dgesdd_(job, &m, &n, a, &m, s, u, &m, vt, &k, &size, &query, iwork, &info, 1);
  double *work = la_work(size, &lwork, &info);
  if (info == 0) dgesdd_(job, &m, &n, a, &m, s, u, &m, vt, &k, work, &lwork, iwork, &info, 1);
  free(work);
  free(iwork);
  return info;
}

// UᵀU = a in the upper triangle; info > 0 is the order of the first leading minor that is not positive.
static inline int la_dpotrf(int threads, int n, double *a) {
  openblas_set_num_threads(threads);
  int info = 0;
  dpotrf_("U", &n, a, &n, &info, 1);
  return info;
}
static inline int la_spotrf(int threads, int n, float *a) {
  openblas_set_num_threads(threads);
  int info = 0;
  spotrf_("U", &n, a, &n, &info, 1);
  return info;
}

// The upper triangle of the inverse from la_dpotrf's factor.
static inline int la_dpotri(int threads, int n, double *a) {
  openblas_set_num_threads(threads);
  int info = 0;
  dpotri_("U", &n, a, &n, &info, 1);
  return info;
}

// Reciprocal 1-norm condition number from la_dpotrf's factor.
static inline int la_dpocon(int threads, int n, const double *a, double norm, double *rcond) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1;
  double *work = la_work(3.0 * n, &lwork, &info);
  int *iwork = la_integer_work((size_t)n, &info);
  if (info == 0) dpocon_("U", &n, a, &n, &norm, rcond, work, iwork, &info, 1);
  free(work);
  free(iwork);
  return info;
}

// a = P·L·U; info > 0 is the first pivot that is exactly zero.
static inline int la_dgetrf(int threads, int n, double *a, int *ipiv) {
  openblas_set_num_threads(threads);
  int info = 0;
  dgetrf_(&n, &n, a, &n, ipiv, &info);
  return info;
}
static inline int la_sgetrf(int threads, int n, float *a, int *ipiv) {
  openblas_set_num_threads(threads);
  int info = 0;
  sgetrf_(&n, &n, a, &n, ipiv, &info);
  return info;
}

static inline int la_dgetri(int threads, int n, double *a, const int *ipiv) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1, query = -1;
  double size = 1;
  dgetri_(&n, a, &n, ipiv, &size, &query, &info);
  double *work = la_work(size, &lwork, &info);
  if (info == 0) dgetri_(&n, a, &n, ipiv, work, &lwork, &info);
  free(work);
  return info;
}

// Reciprocal condition number in the infinity norm from la_dgetrf's factor.
static inline int la_dgecon(int threads, int n, const double *a, double norm, double *rcond) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1;
  double *work = la_work(4.0 * n, &lwork, &info);
  int *iwork = la_integer_work((size_t)n, &info);
  if (info == 0) dgecon_("I", &n, a, &n, &norm, rcond, work, iwork, &info, 1);
  free(work);
  free(iwork);
  return info;
}

// Bunch–Kaufman factors U·D·Uᵀ = a of a symmetric matrix, from its upper triangle.
static inline int la_dsytrf(int threads, int n, double *a, int *ipiv) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1, query = -1;
  double size = 1;
  dsytrf_("U", &n, a, &n, ipiv, &size, &query, &info, 1);
  double *work = la_work(size, &lwork, &info);
  if (info == 0) dsytrf_("U", &n, a, &n, ipiv, work, &lwork, &info, 1);
  free(work);
  return info;
}
static inline int la_dsytrs(int threads, int n, int nrhs, const double *a, const int *ipiv, double *b) {
  openblas_set_num_threads(threads);
  int info = 0;
  dsytrs_("U", &n, &nrhs, a, &n, ipiv, b, &n, &info, 1);
  return info;
}

// The Cholesky factor of a banded matrix: kd diagonals above the main one, ab is (kd+1)×n, its last row the
// main diagonal.
static inline int la_dpbtrf(int threads, int n, int kd, double *ab) {
  openblas_set_num_threads(threads);
  int info = 0, ldab = kd + 1;
  dpbtrf_("U", &n, &kd, ab, &ldab, &info, 1);
  return info;
}
static inline int la_dpbtrs(int threads, int n, int kd, int nrhs, const double *ab, double *b) {
  openblas_set_num_threads(threads);
  int info = 0, ldab = kd + 1;
  dpbtrs_("U", &n, &kd, &nrhs, ab, &ldab, b, &n, &info, 1);
  return info;
}

// Solves a tridiagonal system with exchanges; the diagonals are overwritten.
static inline int la_dgtsv(int n, int nrhs, double *below, double *diagonal, double *above, double *b) {
  int info = 0;
  dgtsv_(&n, &nrhs, below, diagonal, above, b, &n, &info);
  return info;
}

// Solves a banded system with exchanges; ab has 2·kl + ku + 1 rows, entry (i, j) at row kl + ku + i − j of column j.
static inline int la_dgbsv(int threads, int n, int kl, int ku, int nrhs, double *ab, int *ipiv, double *b) {
  openblas_set_num_threads(threads);
  int info = 0, rows = 2 * kl + ku + 1;
  dgbsv_(&n, &kl, &ku, &nrhs, ab, &rows, ipiv, b, &n, &info);
  return info;
}

// a (m×n) = L·Q: L stays in the lower triangle, tau describes Q.
static inline int la_dgelqf(int threads, int m, int n, double *a, double *tau) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1, query = -1;
  double size = 1;
  dgelqf_(&m, &n, a, &m, tau, &size, &query, &info);
  double *work = la_work(size, &lwork, &info);
  if (info == 0) dgelqf_(&m, &n, a, &m, tau, work, &lwork, &info);
  free(work);
  return info;
}

// The first m rows of Q (m×n, leading dimension lda) from la_dgelqf's k reflectors.
static inline int la_dorglq(int threads, int m, int n, int k, double *a, int lda, const double *tau) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1, query = -1;
  double size = 1;
  dorglq_(&m, &n, &k, a, &lda, tau, &size, &query, &info);
  double *work = la_work(size, &lwork, &info);
  if (info == 0) dorglq_(&m, &n, &k, a, &lda, tau, work, &lwork, &info);
  free(work);
  return info;
}

// The least-squares solutions of smallest norm, in the first n rows of b (max(m, n)×nrhs).
static inline int la_dgelsd(int threads, int m, int n, int nrhs, double *a, double *b, double *s, double rcond,
                            int *rank) {
  openblas_set_num_threads(threads);
  int info = 0, lwork = 1, query = -1, ldb = m > n ? m : n, liwork = 1;
  double size = 1;
  dgelsd_(&m, &n, &nrhs, a, &m, b, &ldb, s, &rcond, rank, &size, &query, &liwork, &info);
  double *work = la_work(size, &lwork, &info);
  int *iwork = la_integer_work((size_t)liwork, &info);
  if (info == 0) dgelsd_(&m, &n, &nrhs, a, &m, b, &ldb, s, &rcond, rank, work, &lwork, iwork, &info);
  free(work);
  free(iwork);
  return info;
}
