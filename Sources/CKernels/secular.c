#include "hk_secular.h"

#include <float.h>
#include <math.h>

#include "loops.h"

enum { LANES = 8, MOST_STEPS = 100 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));
typedef int64_t lane_bits __attribute__((vector_size(LANES * sizeof(int64_t))));

// MARK: the function

// f = 1/ρ + Σ zᵢ²/(dᵢ − x), its slope and the sum of its terms' magnitudes.
typedef struct {
  double value, slope, size;
} evaluation;

// At x = origin + tau.
HK_CLONES static evaluation evaluate(const hk_secular *s, double origin, double tau) {
  const double *d = s->d, *z = s->z;
  lanes value = {0}, slope = {0}, size = {0};
  int64_t i = 0;
  for (; i + LANES <= s->k; i += LANES) {
    const lanes zs = *(const lanes *)(z + i);
    const lanes ratio = zs / ((*(const lanes *)(d + i) - origin) - tau), term = zs * ratio;
    value += term;
    slope += ratio * ratio;
    size += (lanes)((lane_bits)term & INT64_MAX);
  }
  evaluation e = {1 / s->rho, 0, 0};
  for (; i < s->k; i++) {
    const double ratio = z[i] / ((d[i] - origin) - tau), term = z[i] * ratio;
    e.value += term;
    e.slope += ratio * ratio;
    e.size += fabs(term);
  }
  for (int l = 0; l < LANES; l++) {
    e.value += value[l];
    e.slope += slope[l];
    e.size += size[l];
  }
  return e;
}

// MARK: a root

// Where a root is looked for: between two poles that interpolate f, relative to the nearer one.
typedef struct {
  const hk_secular *s;
  int64_t left, right;
  int is_last, starts_left;
  double origin, low, high;             // low <= x − origin <= high
} search;

// The roots (a − √(a² − 4bc))/2c and (a + √(a² − 4bc))/2c of c·t² − a·t + b, without cancellation.
static double minus_root(double a, double b, double c) {
  const double root = sqrt(fabs(a * a - 4 * b * c));
  return a <= 0 ? (a - root) / (2 * c) : 2 * b / (a + root);
}
static double plus_root(double a, double b, double c) {
  const double root = sqrt(fabs(a * a - 4 * b * c));
  return a >= 0 ? (a + root) / (2 * c) : 2 * b / (a - root);
}

// Looks at the middle of an interval between two poles; returns a first x − origin. The other terms are taken as the
// constant that they sum to there (R.-C. Li, LAPACK Working Note 89, 1993).
static double begin_between(search *q) {
  const double *d = q->s->d, *z = q->s->z;
  const double gap = d[q->right] - d[q->left], middle = gap / 2;
  const evaluation e = evaluate(q->s, d[q->left], middle);
  const double l = z[q->left] * z[q->left], r = z[q->right] * z[q->right];
  const double rest = e.value - (r / middle - l / middle);
  q->starts_left = e.value > 0;
  q->origin = d[q->starts_left ? q->left : q->right];
  q->low = q->starts_left ? 0 : -middle;
  q->high = q->starts_left ? middle : 0;
  return q->starts_left ? minus_root(rest * gap + l + r, l * gap, rest) : minus_root(l + r - rest * gap, -r * gap, rest);
}

// The same for the last root, which lies beyond all poles by at most ρ·|z|².
static double begin_last(search *q) {
  const double *d = q->s->d, *z = q->s->z;
  double square = 0;
  for (int64_t i = 0; i < q->s->k; i++) square += z[i] * z[i];
  q->starts_left = 0;
  q->origin = d[q->right];
  q->low = 0;
  q->high = q->s->rho * square;
  const double gap = d[q->right] - d[q->left], middle = q->high / 2;
  const evaluation e = evaluate(q->s, q->origin, middle);
  const double l = z[q->left] * z[q->left], r = z[q->right] * z[q->right];
  const double rest = e.value + l / (gap + middle) + r / middle;
  const double most = q->high;
  if (e.value <= 0) q->low = middle;
  else q->high = middle;
  if (e.value <= 0 && rest <= l / (gap + most) + r / most) return most;
  return plus_root(l + r - rest * gap, -r * gap, rest);
}

// Σ zᵢ²/(dᵢ − x)² over the poles up to `last`.
static double slope_up_to(const search *q, int64_t last, double tau) {
  double slope = 0;
  for (int64_t i = 0; i <= last; i++) {
    const double ratio = q->s->z[i] / ((q->s->d[i] - q->origin) - tau);
    slope += ratio * ratio;
  }
  return slope;
}

// The step to the root of c + p/(d_left − x) + r/(d_right − x), which has f's value and slope here: with the nearer pole's
// own weight, or in the "middle way" with the slopes of both sides (Li).
static double step(const search *q, double tau, const evaluation *e, int in_middle) {
  const double *d = q->s->d, *z = q->s->z;
  const double left = (d[q->left] - q->origin) - tau, right = (d[q->right] - q->origin) - tau;
  const double a = (left + right) * e->value - left * right * e->slope, b = left * right * e->value;
  double c, to;
  if (q->is_last) {
    const double ratio = z[q->right] / right, own = ratio * ratio;
    c = fabs(e->value - left * (e->slope - own) - right * own);
    to = c == 0 ? q->high - tau : plus_root(a, b, c);
  } else {
    const int64_t near = q->starts_left ? q->left : q->right;
    const double there = q->starts_left ? left : right, beyond = q->starts_left ? right : left;
    const double own = in_middle ? slope_up_to(q, q->left, tau) : (z[near] / there) * (z[near] / there);
    c = in_middle ? e->value - left * own - right * (e->slope - own) : e->value - beyond * e->slope - (there - beyond) * own;
    to = c == 0 ? b / a : minus_root(a, b, c);
  }
  // f grows, so that a step against its sign cannot be right: Newton's.
  return e->value * to < 0 ? to : -e->value / e->slope;
}

// x − origin, to a few roundings of f.
static double find(search *q, double tau) {
  if (!(tau > q->low && tau < q->high)) tau = (q->low + q->high) / 2;
  double before = INFINITY;
  int in_middle = 0;
  for (int k = 0; k < MOST_STEPS; k++) {
    const evaluation e = evaluate(q->s, q->origin, tau);
    if (fabs(e.value) <= DBL_EPSILON * (8 * e.size + 2 / q->s->rho + fabs(tau) * e.slope)) break;
    if (e.value < 0) q->low = tau;
    else q->high = tau;
    // Slow progress: the other interpolation.
    if (fabs(e.value) > before / 10) in_middle = !in_middle;
    before = fabs(e.value);
    double next = tau + step(q, tau, &e, in_middle);
    if (!(next > q->low && next < q->high)) next = (q->low + q->high) / 2;
    if (next == tau || next == q->low || next == q->high) break;
    tau = next;
  }
  return tau;
}

HK_CLONES static void subtract(int64_t k, const double *d, double origin, double tau, double *differences) {
  for (int64_t i = 0; i < k; i++) differences[i] = (d[i] - origin) - tau;
}

double hk_secular_root(const hk_secular *s, int64_t j, double *differences) {
  if (s->k == 1) {
    const double shift = s->rho * s->z[0] * s->z[0];
    differences[0] = -shift;
    return s->d[0] + shift;
  }
  const int is_last = j == s->k - 1;
  search q = {.s = s, .left = is_last ? j - 1 : j, .right = is_last ? j : j + 1, .is_last = is_last};
  const double tau = find(&q, is_last ? begin_last(&q) : begin_between(&q));
  subtract(s->k, s->d, q.origin, tau, differences);
  return q.origin + tau;
}

// MARK: eigenvectors

HK_CLONES void hk_secular_weights(const hk_secular *s, const double *differences, int64_t stride, int64_t start, int64_t end, double *weights) {
  const double *d = s->d;
  for (int64_t i = start; i < end; i++) weights[i] = differences[i * stride + i];
  for (int64_t j = 0; j < s->k; j++) {
    const double *from = differences + j * stride;
    // All but the own one.
    const int64_t before = j < start ? start : j < end ? j : end, after = j < start ? start : j + 1;
    HK_PRAGMA(clang loop vectorize(assume_safety))
    for (int64_t i = start; i < before; i++) weights[i] *= from[i] / (d[i] - d[j]);
    HK_PRAGMA(clang loop vectorize(assume_safety))
    for (int64_t i = after; i < end; i++) weights[i] *= from[i] / (d[i] - d[j]);
  }
  for (int64_t i = start; i < end; i++) weights[i] = copysign(sqrt(fabs(weights[i])), s->z[i]);
}

HK_CLONES void hk_secular_vector(int64_t k, const double *weights, const double *differences, const int32_t *order, double *held, double *vector) {
  HK_PRAGMA(clang loop vectorize(assume_safety))
  for (int64_t i = 0; i < k; i++) held[i] = weights[i] / differences[i];
  lanes squares = {0};
  double sum = 0;
  int64_t i = 0;
  for (; i + LANES <= k; i += LANES) squares += *(const lanes *)(held + i) * *(const lanes *)(held + i);
  for (; i < k; i++) sum += held[i] * held[i];
  for (int l = 0; l < LANES; l++) sum += squares[l];
  const double scale = 1 / sqrt(sum);
  for (i = 0; i < k; i++) vector[i] = held[order[i] - 1] * scale;
}
