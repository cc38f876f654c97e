/* What the facts of a finding add up to: its leading part, its bytes, its times. All from records, never from a clock.
 * SPDX-License-Identifier: Apache-2.0 */
#include "finding/finding_private.h"

static bool leads(const struct score_part *a, const struct score_part *b)
{
    if (score_test_is_rule(a->test) || score_test_is_rule(b->test)) return a->test < b->test; /* tests, then rules as they are listed */
    if (a->rate * b->share != b->rate * a->share) return a->rate * b->share < b->rate * a->share;
    return a->observed_bytes > b->observed_bytes;
}

static void take_part(struct claim *c, const struct finding_day *day, const struct score_part *p)
{
    if (!p->raised) return;
    if (!c->lead || leads(p, c->lead)) {
        c->lead = p;
        c->lead_day = day;
    }
    c->raised |= 1u << p->test;
    if (rule_severity(p->test) > c->rule_severity) c->rule_severity = rule_severity(p->test);
    if (p->observed_bytes > c->bytes) c->bytes = p->observed_bytes;
    int64_t from = day->day_s + (int64_t)p->from_hour * HOUR_S, to = day->day_s + ((int64_t)p->to_hour + 1) * HOUR_S;
    if (from < c->start_s) c->start_s = from;
    if (to > c->end_s) c->end_s = to;
    /* since_hour is 24 when only the whole day raised: then its end is the time */
    int64_t known = day->day_s + ((int64_t)p->since_hour + (p->since_hour < 24)) * HOUR_S;
    if (known < c->created_s) c->created_s = known;
}

/* The records of the peers know more precisely than the hours of the parts when it was and how much. */
static void take_peers(struct claim *c, const struct finding_facts *f)
{
    if (!f->peers) return;
    c->start_s = f->peer[0].first_s;
    c->end_s = f->peer[0].last_s;
    c->bytes = f->bytes_more;
    for (size_t i = 0; i < f->peers; i++) {
        if (f->peer[i].first_s < c->start_s) c->start_s = f->peer[i].first_s;
        if (f->peer[i].last_s > c->end_s) c->end_s = f->peer[i].last_s;
        c->bytes = sat_add(c->bytes, f->peer[i].bytes);
    }
}

void claim_of(const struct finding_facts *f, struct claim *out)
{
    *out = (struct claim){.start_s = INT64_MAX, .created_s = INT64_MAX};
    for (size_t i = 0; i < f->days; i++) {
        const struct score *s = f->day[i].score;
        if (s->value > out->value) out->value = s->value;
        out->learning |= s->learning && s->unusual; /* a rule needs no history */
        for (size_t k = 0; k < s->n; k++) take_part(out, &f->day[i], &s->part[k]);
    }
    if (!out->lead) { /* nothing raised: an empty claim about the first day */
        out->start_s = out->end_s = f->days ? f->day[0].day_s : 0;
        out->created_s = out->start_s;
    }
    take_peers(out, f);
}
