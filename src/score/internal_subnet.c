/* SPDX-License-Identifier: Apache-2.0 */
/* internal-subnet: bytes of the day to the subnet of ours that got most among those that neither the host nor its class knows,
 * against the host's ring of that quantity. u = (lg(day so far) - ref) / tau; floor 20 MB.
 * Worked example: 28 days, two of them with 40 MB (74 eighths): median 0, floor 8.258, tau = (2 * (9.25 - 8.258) + 12 * 0.7) / 14 =
 * 0.742; ref = 9.25. 1 GB, lg 13.897: u = 4.647 / 0.742 = 6.266. */
#include "score_private.h"

static bool is_new(const struct scorer *s, uint64_t subnet)
{
    return subnet && !baseline_knows_subnet(s->b, subnet) && !(s->class && class_shares(s->class, subnet));
}

/* Destinations stand in order of their addresses, so those of a subnet side by side within a kind; the kinds are added up. */
static uint64_t add_subnet(const struct scorer *s, uint64_t subnet, uint64_t hours[24])
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < s->destinations; i++)
        if (is_internal(&s->destination[i]) && group_subnet(s->destination[i].network) == subnet) {
            bytes = sat_add(bytes, s->destination[i].bytes);
            add_hours(s, &s->destination[i], hours);
        }
    return bytes;
}

/* From there as far as the subnet is the same; not ours: all that is not. */
static size_t run_end(const struct scorer *s, size_t from, uint64_t *bytes)
{
    uint64_t subnet = group_subnet(s->destination[from].network);
    size_t i = from;
    for (*bytes = 0; i < s->destinations && group_subnet(s->destination[i].network) == subnet; i++)
        *bytes = sat_add(*bytes, s->destination[i].bytes);
    return i;
}

static uint64_t largest_run(const struct scorer *s)
{
    uint64_t largest = 0, bytes;
    for (size_t i = 0, end; i < s->destinations; i = end) {
        end = run_end(s, i, &bytes);
        if (bytes > largest && is_new(s, group_subnet(s->destination[i].network)))
            largest = bytes;
    }
    return largest;
}

#define SUBNETS_MAX 64 /* new subnets looked at, of those with about as much as the largest: a scan must not cost time, nor hide a transfer */

void test_internal_subnet(struct scorer *s)
{
    struct amount top = {.factor = 1};
    uint64_t most = 0, bytes, half = largest_run(s) / 2;
    unsigned looked = 0;
    for (size_t i = 0, end; i < s->destinations && looked < SUBNETS_MAX; i = end) {
        uint64_t subnet = group_subnet(s->destination[i].network);
        end = run_end(s, i, &bytes);
        if (bytes < half || !is_new(s, subnet))
            continue;
        looked++;
        struct amount a = {.group = subnet, .factor = 1};
        uint64_t sum = add_subnet(s, subnet, a.hours);
        if (sum > most) {
            most = sum;
            top = a;
        }
    }
    feature_raise(s, FEATURE_SUBNET, lg_bytes(most));
    if (!most || (double)most < s->m->floor[SCORE_INTERNAL_SUBNET])
        return;
    double ref, spread;
    feature_reference(s, FEATURE_SUBNET, 0, floor_octaves(s, SCORE_INTERNAL_SUBNET), &ref, &spread);
    observe_sum(s, SCORE_INTERNAL_SUBNET, &top, &s->b->feature[FEATURE_SUBNET], ref, spread);
}
