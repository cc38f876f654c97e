/* What is said of rules: titles, the clauses of the sentence, how severe. A rule has no rate: it forbids.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "finding/finding_private.h"

#define RULES_NAMED 3

const char *rule_title(enum score_test test)
{
    switch (test) {
    case SCORE_THREAT_LIST: return "Egress to a network on the list of threats";
    case SCORE_POLICY: return "Connection that the policy does not allow";
    case SCORE_CEILING: return "Egress above the ceiling of its role";
    case SCORE_DNS_TUNNEL: return "Data sent out in names asked for by DNS";
    case SCORE_ECHO_TUNNEL: return "Data sent out in ICMP echoes";
    case SCORE_CLEAR_TEXT: return "Data of a sensitive host sent out in the clear";
    case SCORE_ODD_PORT: return "Data sent out by a protocol on a port that is not its own";
    default: return "";
    }
}

static bool raised(const struct score_part *p, enum score_test test) { return p->raised && p->test == test; }

static bool named_before(const struct finding_facts *f, size_t day, size_t part)
{
    const struct score_part *p = &f->day[day].score->part[part];
    for (size_t d = 0; d <= day; d++)
        for (size_t i = 0; i < f->day[d].score->n && (d < day || i < part); i++) {
            const struct score_part *q = &f->day[d].score->part[i];
            if (raised(q, SCORE_POLICY) && slice_eq(q->rule, p->rule)) return true;
        }
    return false;
}

static void say_policy(struct buffer *out, const struct finding_facts *f)
{
    size_t rules = 0;
    for (size_t d = 0; d < f->days; d++)
        for (size_t i = 0; i < f->day[d].score->n; i++) {
            const struct score_part *p = &f->day[d].score->part[i];
            if (!raised(p, SCORE_POLICY) || named_before(f, d, i)) continue;
            if (rules++ >= RULES_NAMED) continue;
            buffer_puts(out, rules > 1 ? ", " : "; the policy does not allow it: ");
            buffer_slice(out, p->rule);
        }
    if (rules > RULES_NAMED) buffer_printf(out, " and %zu more", rules - RULES_NAMED);
}

/* What packets showed, of the part with most bytes. */
static void say_seen(struct buffer *out, const struct finding_facts *f, enum score_test test)
{
    char bytes[FINDING_BYTES_TEXT_MAX];
    const struct score_part *most = NULL;
    for (size_t d = 0; d < f->days; d++)
        for (size_t i = 0; i < f->day[d].score->n; i++) {
            const struct score_part *p = &f->day[d].score->part[i];
            if (raised(p, test) && (!most || p->observed_bytes > most->observed_bytes)) most = p;
        }
    if (!most) return;
    finding_bytes(most->observed_bytes, bytes);
    if (test == SCORE_DNS_TUNNEL) {
        buffer_printf(out, "; it asked DNS for %" PRIu32 " different names below ", most->observed_count);
        buffer_slice(out, most->rule.n ? most->rule : SLICE_LIT("one domain"));
        buffer_printf(out, ", which carry %s: a tunnel has such names", bytes);
    } else if (test == SCORE_ECHO_TUNNEL) {
        buffer_printf(out, "; its ICMP echoes carried %s more than a usual ping", bytes);
    } else {
        buffer_printf(out, "; %s of it went out by ", bytes);
        buffer_slice(out, most->rule);
        if (test == SCORE_ODD_PORT) buffer_puts(out, " on a port of another service");
        else buffer_puts(out, ", and the host is sensitive");
    }
}

void say_rules(struct buffer *out, const struct finding_facts *f)
{
    char sent[FINDING_BYTES_TEXT_MAX], ceiling[FINDING_BYTES_TEXT_MAX];
    uint64_t threat = 0;
    const struct score_part *highest = NULL;
    for (size_t d = 0; d < f->days; d++)
        for (size_t i = 0; i < f->day[d].score->n; i++) {
            const struct score_part *p = &f->day[d].score->part[i];
            if (raised(p, SCORE_THREAT_LIST)) threat = sat_add(threat, p->observed_bytes);
            if (raised(p, SCORE_CEILING) && (!highest || p->observed_bytes > highest->observed_bytes)) highest = p;
        }
    if (threat) {
        finding_bytes(threat, sent);
        buffer_printf(out, "; %s of it to networks on the list of threats", sent);
    }
    say_policy(out, f);
    for (enum score_test test = SCORE_DNS_TUNNEL; test <= SCORE_ODD_PORT; test++) say_seen(out, f, test);
    if (highest) {
        finding_bytes(highest->observed_bytes, sent);
        finding_bytes(highest->reference_bytes, ceiling);
        buffer_printf(out, "; with %s in a day it is above the ceiling of its role, %s", sent, ceiling);
    }
}

/* At least that severe, whatever the bytes. */
unsigned rule_severity(enum score_test test)
{
    enum { MEDIUM = 3, HIGH = 4 };
    return test == SCORE_THREAT_LIST || test == SCORE_DNS_TUNNEL ? HIGH : score_test_is_rule(test) ? MEDIUM : 0;
}
