/* SPDX-License-Identifier: Apache-2.0 */
/* From excess to rate, and from parts to a score. docs/detection.md has the formulas and a worked example.
 *
 *   ref  = max(second largest of the ring (the largest while n < 14), lg(floor)) + 0.5 tau ln(28/n)
 *   tau  = (sum over the upper half of (v - max(median, lg(floor))) + 12 * 0.7) / (count + 12), at least 0.35, where
 *          only values above the floor count
 *   u    = (lg(bytes) - ref) / tau
 *   rate = lambda exp(-u / scale)             for u > 0, else 1
 *   raised when u > 0 and rate <= share * budget; score = -log10(min rate / share) */
#include "score_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct score_model score_model_default = {
    .version = "egress-1",
#define MODEL(member, value, unit, origin) .member = value,
#include "models/egress-1.def"
#undef MODEL
};

const char *score_model_version(const struct score_model *m) { return m->version; }

static int descending(const void *a, const void *b) { return (int)*(const uint8_t *)b - (int)*(const uint8_t *)a; }

void ring_reference(const struct score_model *m, const struct ring *r, double floor_octaves, double *reference, double *spread)
{
    uint8_t v[BASELINE_RING] = {0};
    unsigned n = r->n ? r->n : 1; /* no value yet is one of nothing: the floor speaks */
    memcpy(v, r->v, r->n);
    qsort(v, n, 1, descending);
    double median = n % 2 ? lg_unround(v[n / 2]) : (lg_unround(v[n / 2 - 1]) + lg_unround(v[n / 2])) / 2;
    double sum = 0, count = 0;
    for (unsigned i = 0; i < n && lg_unround(v[i]) > median; i++) {
        if (lg_unround(v[i]) <= floor_octaves)
            continue; /* values under the floor are silence, they teach no spread */
        sum += lg_unround(v[i]) - fmax(median, floor_octaves);
        count += 1;
    }
    double tau = (sum + m->tau_prior_weight * m->tau_prior) / (count + m->tau_prior_weight);
    *spread = fmax(tau, m->tau_min);
    double top = lg_unround(n >= m->full_ring ? v[1] : v[0]);
    *reference = fmax(top, floor_octaves) + m->small_sample * *spread * log((double)BASELINE_RING / n);
}

static double weight(const struct score_model *m, enum score_test test)
{
    switch (test) {
    case SCORE_HOUR_VOLUME: return m->weight_hour;
    case SCORE_GROUP_VOLUME: return m->weight_group;
    case SCORE_NEW_DESTINATION: return m->weight_new;
    case SCORE_SERVED_VOLUME: return m->weight_served;
    case SCORE_TEST_COUNT: break;
    }
    return 0;
}

static double share(const struct score_model *m, enum score_test test)
{
    double sum = 0;
    for (unsigned t = 0; t < SCORE_TEST_COUNT; t++)
        sum += weight(m, (enum score_test)t);
    return weight(m, test) / sum;
}

static double rate_of(const struct score_model *m, double u) { return u > 0 ? m->lambda * exp(-u / m->scale) : 1.0; }

/* Keep the strongest parts: the table is small, the order fixed. */
static bool before(const struct score_part *a, const struct score_part *b)
{
    if (a->raised != b->raised)
        return a->raised;
    if (a->rate / a->share != b->rate / b->share)
        return a->rate / a->share < b->rate / b->share;
    if (a->observed_bytes != b->observed_bytes)
        return a->observed_bytes > b->observed_bytes;
    return a->test != b->test ? a->test < b->test : a->group < b->group;
}

static void part_insert(struct score *out, const struct score_part *part)
{
    size_t at = out->n;
    while (at > 0 && before(part, &out->part[at - 1]))
        at--;
    if (at >= SCORE_PARTS_MAX)
        return;
    size_t tail = (out->n < SCORE_PARTS_MAX ? out->n : SCORE_PARTS_MAX - 1) - at;
    memmove(&out->part[at + 1], &out->part[at], tail * sizeof *part);
    out->part[at] = *part;
    if (out->n < SCORE_PARTS_MAX)
        out->n++;
}

static void part_begin(struct scoring *s, enum score_test test, uint64_t group, const struct ring *ring, double floor, struct score_part *p)
{
    *p = (struct score_part){.test = test, .group = group, .floor_bytes = (uint64_t)floor, .history_days = ring->n,
                             .since_hour = 24, .share = share(s->m, test)};
    p->threshold = p->share * s->budget;
    ring_reference(s->m, ring, lg_bytes(p->floor_bytes), &p->reference, &p->spread);
    p->reference_bytes = lg_to_bytes(p->reference);
    p->largest_bytes = lg_to_bytes(lg_unround(ring_rank(ring, 0)));
}

static double excess(const struct score_part *p, uint64_t bytes) { return (lg_bytes(bytes) - p->reference) / p->spread; }

/* Whatever the budget, nothing under the reference is a finding. */
static bool raises(const struct scoring *s, const struct score_part *p, uint64_t bytes)
{
    double u = excess(p, bytes);
    return u > 0 && rate_of(s->m, u) <= p->threshold;
}

static void part_end(struct scoring *s, struct score_part *p, uint64_t bytes)
{
    p->observed_bytes = bytes;
    p->observed = lg_bytes(bytes);
    p->excess = excess(p, bytes);
    p->rate = rate_of(s->m, p->excess);
    p->raised = raises(s, p, bytes);
    if (bytes > 0)
        part_insert(s->out, p);
}

void test_sum(struct scoring *s, enum score_test test, uint64_t group, const uint64_t hours[24], const struct ring *ring, double floor)
{
    struct score_part p;
    part_begin(s, test, group, ring, floor, &p);
    uint64_t sum = 0;
    p.from_hour = 24;
    for (uint8_t h = 0; h < 24; h++) {
        sum = sat_add(sum, hours[h]);
        if (hours[h]) {
            p.from_hour = p.from_hour == 24 ? h : p.from_hour;
            p.to_hour = h;
        }
        if (p.since_hour == 24 && raises(s, &p, sum))
            p.since_hour = h;
    }
    part_end(s, &p, sum);
}

void test_hours(struct scoring *s, enum score_test test, const uint64_t hours[24], const struct ring *ring, double floor)
{
    struct score_part p;
    part_begin(s, test, 0, ring, floor, &p);
    uint8_t largest = 0;
    for (uint8_t h = 0; h < 24; h++) {
        if (hours[h] > hours[largest])
            largest = h;
        if (p.since_hour == 24 && raises(s, &p, hours[h]))
            p.since_hour = h;
    }
    p.from_hour = p.to_hour = largest;
    part_end(s, &p, hours[largest]);
}

void score_day(const struct score_model *m, double budget, const struct host_day *day, const struct baseline *b, struct score *out)
{
    *out = (struct score){.budget = budget, .host_days = b->days, .learning = b->days < m->learning_days};
    struct scoring s = {m, budget, day, b, out, (uint16_t)(day->day_s / DAY_S)};
    if (day->forwarder || !b->days)
        return; /* the first day has nothing to be compared with */
    score_hour_volume(&s);
    score_group_volume(&s);
    score_new_destination(&s);
    score_served_volume(&s);
    for (size_t i = 0; i < out->n; i++) {
        double value = -log10(out->part[i].rate / out->part[i].share);
        out->value = value > out->value ? value : out->value;
        out->raised |= out->part[i].raised;
    }
}

uint64_t score_min_bytes(const struct score_model *m)
{
    return (uint64_t)fmin(fmin(m->floor_hour, m->floor_group), fmin(m->floor_new, m->floor_served));
}

/* Also what sampling folded: the hours of the host hold it. */
static bool counts_outside(uint64_t group)
{
    return group_external(group) || (group_kind(group) == GROUP_REST && !(group & 1)); /* odd: rest of the internal groups */
}

bool score_covers(const struct score_part *p, const struct baseline *b, uint16_t today, uint64_t group, unsigned hour)
{
    enum group_kind kind = group_kind(group);
    switch (p->test) {
    case SCORE_HOUR_VOLUME: return counts_outside(group) && hour == p->from_hour;
    case SCORE_GROUP_VOLUME:
    case SCORE_SERVED_VOLUME: return group == p->group;
    case SCORE_NEW_DESTINATION: return kind == GROUP_INITIATED && !baseline_familiar(b, group, today);
    case SCORE_TEST_COUNT: break;
    }
    return false;
}

#define TEST_WORD(id, word, text) word,
#define TEST_TEXT(id, word, text) text,
const char *score_test_word(enum score_test test)
{
    static const char *const words[] = {SCORE_TEST_LIST(TEST_WORD)};
    return test < SCORE_TEST_COUNT ? words[test] : "?";
}

const char *score_test_text(enum score_test test)
{
    static const char *const texts[] = {SCORE_TEST_LIST(TEST_TEXT)};
    return test < SCORE_TEST_COUNT ? texts[test] : "?";
}
