// Products whose left rows come in groups that share zeros: derivatives of all outputs of a network behind the rectifiers
// that one sample leaves closed. Columns that are zero in all rows of a group are skipped, for that group.
#pragma once
#include <stdint.h>

enum { HK_SKIPPING_MEMBERS = 24 };

// c (groups·members × n, rows of contiguous entries) = alpha·a·b, added to c where `adds`. a is groups·members × k and b
// is k×n; a group has 1...HK_SKIPPING_MEMBERS rows. Where there are gates (groups × k), each entry of a is multiplied by
// that of its group and column first.
typedef struct {
  int64_t groups, members, n, k;
  int64_t a_group, a_member, a_column, gate_group, gate_column, b_row, b_column, c_group, c_member;
  double alpha;
  int32_t adds;
} hk_skipping;

// Whether the sizes are such that the following may be called: the workspace is bounded, and with it k·n.
int hk_can_skip(const hk_skipping *p);

// The share of zero columns in a few groups; `gates` may be NULL, as below.
double hk_zero_share_f64(const hk_skipping *p, const double *a, const double *gates);
double hk_zero_share_f32(const hk_skipping *p, const float *a, const float *gates);

// Entries of the workspace, which begins at a multiple of eight bytes.
int64_t hk_skipping_room_f64(const hk_skipping *p);
int64_t hk_skipping_room_f32(const hk_skipping *p);

// On the team of threads; the result does not depend on their number. 0 when nothing was done, since b has entries that
// are not finite: these times 0 are not 0.
int hk_skipping_f64(const hk_skipping *p, const double *a, const double *gates, const double *b, double *room, double *c);
int hk_skipping_f32(const hk_skipping *p, const float *a, const float *gates, const float *b, float *room, float *c);
