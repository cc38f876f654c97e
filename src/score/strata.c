/* SPDX-License-Identifier: Apache-2.0 */
/* Strata: a host that never sent to a new place and one that does so every week are not of one kind, though they may be of one
 * class. Each test has two histories: of host-days (or destinations) without anything like it in their past, and with. */
#include <string.h>

#include "score_private.h"

#define LONG_HISTORY 8 /* days on which a destination was used */

/* What a test compares the host as a whole with; FEATURE_COUNT: a destination's own past, or nothing. */
static enum baseline_feature feature_of(enum score_test test)
{
    switch (test) {
    case SCORE_NEW_DESTINATION: return FEATURE_NEW;
    case SCORE_NEW_FAR: return FEATURE_FAR;
    case SCORE_ODD_PROTOCOL: return FEATURE_ODD;
    case SCORE_SLOW: return FEATURE_SLOW;
    case SCORE_SLOW_FAR: return FEATURE_SLOW_FAR;
    case SCORE_SPLIT: return FEATURE_SPLIT;
    case SCORE_SERVED_NEW: return FEATURE_SERVED_NEW;
    case SCORE_INTERNAL_SUBNET: return FEATURE_SUBNET;
    case SCORE_BEACON: return FEATURE_BEACON;
    case SCORE_BEACON_FAR: return FEATURE_BEACON_FAR;
    case SCORE_HOUR_VOLUME:
    case SCORE_CREEP:
    case SCORE_GROUP_VOLUME:
    case SCORE_CLASS_DESTINATION:
    case SCORE_SERVED_VOLUME:
    case SCORE_INTERNAL_PAIR:
    case SCORE_THREAT_LIST:
    case SCORE_POLICY:
    case SCORE_CEILING:
    case SCORE_DNS_TUNNEL:
    case SCORE_ECHO_TUNNEL:
    case SCORE_CLEAR_TEXT:
    case SCORE_ODD_PORT:
    case SCORE_TEST_COUNT: break;
    }
    return FEATURE_COUNT;
}

static bool by_destination(enum score_test test) { return test == SCORE_GROUP_VOLUME || test == SCORE_SERVED_VOLUME || test == SCORE_INTERNAL_PAIR; }

unsigned strata_open(enum score_test test) { return by_destination(test) ? SCORE_STRATA : 1; }

/* Under the floor of the test there was nothing, on the scale of its feature. */
static double stratum_floor(const struct scorer *s, enum score_test test)
{
    double floor = s->m->floor[test];
    if (test == SCORE_SPLIT)
        return 2; /* one destination */
    if (score_test_counts(test))
        return floor / 8; /* half of the hours, on the scale of beacon */
    return lg_bytes((uint64_t)(test == SCORE_ODD_PROTOCOL ? floor * s->m->odd_factor : floor));
}

unsigned stratum_of_host(const struct scorer *s, enum score_test test)
{
    enum baseline_feature f = feature_of(test);
    return f != FEATURE_COUNT && lg_unround(ring_rank(&s->b->feature[f], 0)) >= stratum_floor(s, test);
}

unsigned stratum_of_ring(const struct ring *r) { return r->n >= LONG_HISTORY; }

void scorer_lesson(const struct scorer *s, struct score_lesson *out)
{
    memcpy(out->feature, s->feature, sizeof s->feature);
    memcpy(out->excess, s->excess, sizeof s->excess);
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        for (unsigned k = 0; k < SCORE_STRATA; k++)
            out->judged[SCORE_STRATA * t + k] = by_destination((enum score_test)t) || stratum_of_host(s, (enum score_test)t) == k;
}
