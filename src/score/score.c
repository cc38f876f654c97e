/* SPDX-License-Identifier: Apache-2.0 */
/* From observations to parts, and from parts to a score.
 *
 *   share = w / sum of all w;  spent = max(budget * spent_least, budget - reserve)
 *   gain  = 1 + (gain of the model - 1) * host-days / (host-days + 1000): as far as a history speaks, and not the priors
 *   a test raises when u > 0 and rate(u) * shock <= share * gain * spent / strata
 *   score = -log10(smallest of rate / (share * gain / strata)): what would have to be spent for some test to raise
 *
 * The reserve is for what people do on purpose and nobody could tell from an attack (a migration, a load test, a new backup target): it happens
 * as often whatever the budget, and is raised whatever the threshold. */
#include <math.h>
#include <string.h>

#include "score_private.h"

const struct score_model score_model_default = {
    .version = "egress-3",
#define MODEL(member, value, unit, origin) .member = value,
#include "models/egress-3.def"
#define TEST(test, least, share, often, tail, young_often, young_tail, origin) \
    .floor[SCORE_##test] = least, .weight[SCORE_##test] = share, .lambda[SCORE_##test] = often, .scale[SCORE_##test] = tail, \
    .young_lambda[SCORE_##test] = young_often, .young_scale[SCORE_##test] = young_tail,
#include "models/egress-3.def"
};

const char *score_model_version(const struct score_model *m) { return m->version; }

double score_test_share(const struct score_model *m, enum score_test test)
{
    double sum = 0;
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        sum += m->weight[t];
    return m->weight[test] / sum;
}

/* Keep the strongest parts: the table is small, the order fixed. */
static bool before(const struct score_part *a, const struct score_part *b)
{
    if (a->raised != b->raised)
        return a->raised;
    if (score_test_is_rule(a->test) != score_test_is_rule(b->test))
        return !score_test_is_rule(a->test);
    if (score_test_is_rule(a->test) && a->test != b->test)
        return a->test < b->test;
    if (!score_test_is_rule(a->test) && a->rate / a->threshold != b->rate / b->threshold)
        return a->rate / a->threshold < b->rate / b->threshold;
    if (a->observed_bytes != b->observed_bytes)
        return a->observed_bytes > b->observed_bytes;
    return a->test != b->test ? a->test < b->test : a->group < b->group;
}

void part_insert(struct score *out, const struct score_part *part)
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

struct judging {
    struct scorer *s;
    const struct score_calibration *c;
    double budget;
    struct score *out;
};

/* What of a budget is spent on what is unusual by chance. */
static double spent_of(const struct score_model *m, double budget) { return fmax(budget * m->spent_least, budget - m->reserve); }

static double own_share(const struct judging *j, enum score_test test, unsigned stratum)
{
    return score_test_share(j->s->m, test) * calibration_gain(j->c, test, stratum) / strata_open(test);
}

/* Whatever the budget, nothing under the reference is a finding. */
static double threshold(const struct judging *j, enum score_test test, unsigned stratum)
{
    return own_share(j, test, stratum) * spent_of(j->s->m, j->budget);
}

static bool raises(const struct judging *j, const struct observation *o, double u)
{
    double rate = score_rate(j->c, o->test, o->stratum, u) * survey_shock(j->s->survey, o->test);
    return u > 0 && rate <= threshold(j, o->test, o->stratum);
}

static double common(const struct judging *j, const struct observation *o, unsigned hour)
{
    if (o->test == SCORE_HOUR_VOLUME)
        return survey_common_hour(j->s->survey, j->s->class, hour);
    return o->test == SCORE_GROUP_VOLUME ? survey_common_group(j->s->survey, o->group) : 0;
}

static void judge_hours(const struct judging *j, const struct observation *o, struct score_part *p)
{
    unsigned best = 23;
    p->since_hour = 24;
    p->excess = -INFINITY;
    for (unsigned h = 0; h < 24; h++) {
        double c = common(j, o, h), u = o->u[h] - c;
        if (p->since_hour == 24 && raises(j, o, u))
            p->since_hour = (uint8_t)h;
        if (o->test == SCORE_HOUR_VOLUME ? u > p->excess : h == 23) {
            best = h;
            p->excess = u;
            p->common = c;
        }
    }
    p->observed = o->y[best];
    p->observed_bytes = o->bytes[best];
    p->reference = o->reference[best];
    p->spread = o->spread[best];
    p->from_hour = o->test == SCORE_HOUR_VOLUME ? (uint8_t)best : o->from == 24 ? 0 : o->from;
    p->to_hour = o->test == SCORE_HOUR_VOLUME ? (uint8_t)best : o->to;
}

static void judge_one(struct judging *j, const struct observation *o)
{
    const struct score_model *m = j->s->m;
    bool counts = score_test_counts(o->test);
    unsigned factor = score_test_factor(o->test);
    struct score_part p = {.test = o->test, .stratum = o->stratum, .group = o->group, .observed_count = o->count, .floor_bytes = (uint64_t)m->floor[o->test],
                           .largest_bytes = counts ? 0 : o->largest / factor, .history_days = o->history, .share = score_test_share(m, o->test)};
    judge_hours(j, o, &p);
    p.reference_bytes = counts ? 0 : lg_to_bytes(p.reference) / factor;
    p.threshold = threshold(j, o->test, o->stratum);
    p.rate = fmin(score_rate(j->c, o->test, o->stratum, p.excess) * survey_shock(j->s->survey, o->test), 1);
    p.raised = raises(j, o, p.excess);
    if (p.excess > 0) {
        uint8_t v = p.excess >= 31.8 ? UINT8_MAX : (uint8_t)(p.excess * 8 + 0.5);
        v = v ? v : 1;
        uint8_t *most = &j->s->excess[SCORE_STRATA * o->test + o->stratum];
        *most = v > *most ? v : *most;
    }
    if (!(j->s->left_out >> o->test & 1)) /* its history goes on all the same */
        part_insert(j->out, &p);
}

void scorer_judge(struct scorer *s, const struct score_calibration *c, double budget, struct score *out)
{
    *out = (struct score){.budget = budget, .host_days = s->b->days,
                          .learning = s->b->days < s->m->learning_days || s->fleet_days < s->m->learning_days};
    struct judging j = {s, c, budget, out};
    if (s->day->forwarder)
        return;
    for (size_t i = 0; i < s->n; i++)
        judge_one(&j, &s->seen[i]);
    for (size_t i = 0; i < out->n; i++) {
        const struct score_part *p = &out->part[i];
        double v = -log10(p->rate / own_share(&j, p->test, p->stratum));
        out->value = v > out->value ? v : out->value;
        out->raised |= p->raised;
        out->unusual |= p->raised;
    }
}

uint64_t score_min_bytes(const struct score_model *m)
{
    double least = INFINITY;
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        if (!score_test_counts((enum score_test)t))
            least = fmin(least, m->floor[t]);
    return (uint64_t)least;
}

/* ---- which bytes ---- */

#define PORTION 4000000

static bool covers_destination(const struct scorer *s, const struct score_part *p, const struct destination *d)
{
    bool fresh = is_initiated(d) && d->relation == RELATION_NEW;
    switch (p->test) {
    case SCORE_HOUR_VOLUME:
    case SCORE_CREEP: return group_external(d->network);
    case SCORE_NEW_DESTINATION: return fresh && is_usual(d);
    case SCORE_NEW_FAR: return fresh && d->far;
    case SCORE_ODD_PROTOCOL: return is_odd(d) && d->relation == RELATION_NEW;
    case SCORE_SPLIT: return fresh && d->bytes > PORTION;
    case SCORE_INTERNAL_SUBNET: return is_internal(d) && group_subnet(d->network) == p->group;
    case SCORE_GROUP_VOLUME:
    case SCORE_CLASS_DESTINATION:
    case SCORE_SLOW:
    case SCORE_SLOW_FAR:
    case SCORE_SERVED_VOLUME:
    case SCORE_SERVED_NEW:
    case SCORE_INTERNAL_PAIR:
    case SCORE_BEACON:
    case SCORE_BEACON_FAR: return d->network == p->group;
    case SCORE_THREAT_LIST: return group_threat(d->network) && (is_initiated(d) || (double)d->bytes >= s->m->threat_served);
    case SCORE_CEILING: return group_external(d->network);
    case SCORE_POLICY:
    case SCORE_DNS_TUNNEL:
    case SCORE_ECHO_TUNNEL:
    case SCORE_CLEAR_TEXT:
    case SCORE_ODD_PORT:
    case SCORE_TEST_COUNT: break;
    }
    return false;
}

uint64_t scorer_covers(const struct scorer *s, const struct score *score, size_t group, unsigned hour)
{
    uint64_t bits = 0, g = s->day->group[group].group;
    uint32_t at = s->destination_of[group];
    bool rest = group_kind(g) == GROUP_REST && !(g & 1); /* what sampling folded: the hours of the host hold it; odd: internal */
    for (size_t i = 0; i < score->n; i++) {
        const struct score_part *p = &score->part[i];
        if (p->test == SCORE_HOUR_VOLUME && hour != p->from_hour)
            continue;
        if (at == UINT32_MAX ? rest && (p->test == SCORE_HOUR_VOLUME || p->test == SCORE_CEILING || p->test == SCORE_CREEP) : covers_destination(s, p, &s->destination[at]))
            bits |= 1ULL << i;
    }
    return bits;
}

/* ---- words ---- */

bool score_test_counts(enum score_test test) { return test == SCORE_SPLIT || test == SCORE_BEACON || test == SCORE_BEACON_FAR; }

/* The scales of split.c and beacon.c, read backwards. */
double score_test_count(enum score_test test, double y) { return test == SCORE_SPLIT ? exp2(y / 2) - 1 : y * 4; }

unsigned score_test_factor(enum score_test test) { return test == SCORE_ODD_PROTOCOL ? (unsigned)score_model_default.odd_factor : 1; }

#define TEST_WORD(id, word, text) word,
#define TEST_TEXT(id, word, text) text,
const char *score_test_word(enum score_test test)
{
    static const char *const words[] = {SCORE_TEST_LIST(TEST_WORD) SCORE_RULE_LIST(TEST_WORD)};
    return test < SCORE_TEST_COUNT ? words[test] : "?";
}

const char *score_test_text(enum score_test test)
{
    static const char *const texts[] = {SCORE_TEST_LIST(TEST_TEXT) SCORE_RULE_LIST(TEST_TEXT)};
    return test < SCORE_TEST_COUNT ? texts[test] : "?";
}
