/* SPDX-License-Identifier: Apache-2.0 */
/* A host-day is taken up: its groups become destinations, each with what it is to the host and to its class; then every test
 * looks at them. */
#include <stdlib.h>
#include <string.h>

#include "score_private.h"

struct scorer *scorer_new(const struct score_model *m)
{
    struct scorer *s = calloc(1, sizeof *s);
    if (s)
        s->m = m;
    return s;
}

void scorer_leave_out(struct scorer *s, uint32_t tests) { s->left_out = tests; }

void scorer_free(struct scorer *s)
{
    if (!s)
        return;
    free(s->order);
    free(s->destination_of);
    free(s->destination);
    free(s->seen);
    free(s);
}

static int by_network(const void *a, const void *b, void *day)
{
    const struct host_group *g = ((const struct host_day *)day)->group;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    uint64_t x = group_network(g[i].group), y = group_network(g[k].group);
    return x != y ? (x > y) - (x < y) : (i > k) - (i < k);
}

static bool country_is_new(const struct scorer *s, uint16_t country)
{
    return country && !baseline_knows_country(s->b, country) && !(s->class && class_shares(s->class, country_key(country)));
}

static enum relation relate(const struct scorer *s, const struct destination *d)
{
    if (baseline_familiar(s->b, d->network, s->today))
        return RELATION_FAMILIAR;
    if (!is_initiated(d))
        return RELATION_NEW;
    if (s->class && class_shares(s->class, d->network))
        return RELATION_SHARED;
    return s->survey && survey_rollout(s->survey, d->network, d->bytes) ? RELATION_ROLLOUT : RELATION_NEW;
}

static void add_group(struct scorer *s, struct destination *d, uint32_t at)
{
    const struct host_group *g = &s->day->group[at];
    d->n++;
    d->bytes = sat_add(d->bytes, g->bytes_out);
    d->far |= is_initiated(d) && g->bytes_out && country_is_new(s, group_country(g->group));
    for (unsigned h = 0; h < 24; h++)
        d->hours |= (uint32_t)(g->hour[h] > 0) << h;
    s->destination_of[at] = (uint32_t)(d - s->destination);
}

static void sort_groups(struct scorer *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->day->groups; i++) {
        s->destination_of[i] = UINT32_MAX;
        if (group_kind(s->day->group[i].group) < GROUP_REST)
            s->order[n++] = (uint32_t)i;
    }
    if (n)
        qsort_r(s->order, n, sizeof *s->order, by_network, (void *)(uintptr_t)s->day);
    s->destinations = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t network = group_network(s->day->group[s->order[i]].group);
        struct destination *d = &s->destination[s->destinations];
        if (!s->destinations || d[-1].network != network) {
            *d = (struct destination){.network = network, .known = baseline_find(s->b, network), .first = (uint32_t)i};
            s->destinations++;
        } else {
            d--;
        }
        add_group(s, d, s->order[i]);
    }
    for (size_t i = 0; i < s->destinations; i++)
        s->destination[i].relation = (uint8_t)relate(s, &s->destination[i]);
}

/* A day without anything to compare it with raises nothing: the first one of a host in a fleet that is still learning. */
static bool comparable(const struct scorer *s) { return s->b->days || (s->class && s->fleet_days >= s->m->learning_days); }

enum weir_err scorer_take(struct scorer *s, const struct host_day *day, const struct baseline *b, const struct class_state *class,
                          unsigned fleet_days, const struct score_survey *survey)
{
    s->day = day;
    s->b = b;
    s->class = class;
    s->survey = survey;
    s->fleet_days = fleet_days;
    s->today = (uint16_t)(day->day_s / DAY_S);
    s->n = 0;
    s->nomem = false;
    memset(s->feature, 0, sizeof s->feature);
    memset(s->excess, 0, sizeof s->excess);
    if (!room(&s->order, &s->order_cap, day->groups + 1, sizeof *s->order) ||
        !room(&s->destination_of, &s->destination_of_cap, day->groups + 1, sizeof *s->destination_of) ||
        !room(&s->destination, &s->destinations_cap, day->groups + 1, sizeof *s->destination) ||
        !room(&s->seen, &s->cap, 32, sizeof *s->seen))
        return WEIR_NOMEM;
    sort_groups(s);
    static void (*const tests[])(struct scorer *) = {test_hour_volume, test_group_volume, test_new_destination, test_new_far,
                                                     test_class_destination, test_odd_protocol, test_slow, test_split, test_served_volume,
                                                     test_served_new, test_internal_pair, test_internal_subnet, test_beacon, test_creep};
    for (size_t i = 0; i < WEIR_COUNT(tests); i++)
        tests[i](s);
    if (!comparable(s))
        s->n = 0;
    return s->nomem ? WEIR_NOMEM : WEIR_OK;
}

