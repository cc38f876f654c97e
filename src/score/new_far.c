/* SPDX-License-Identifier: Apache-2.0 */
/* new-far: as new-destination, for destinations in a country that neither the host nor its class knows. Silent without a
 * country database. u = (lg(day so far) - ref) / tau; floor 2 MB.
 * Worked example: 28 days without any; 20 MB to one country and 30 MB to another, lg(50 MB) = 9.577: ref is the floor, 4.978, as
 * ln(28/28) = 0; tau = 0.7; u = 6.570. */
#include "score_private.h"

void test_new_far(struct scorer *s)
{
    struct amount a = {.factor = 1};
    uint64_t bytes = 0;
    double ref, spread;
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!is_initiated(d) || !d->far || d->relation != RELATION_NEW)
            continue;
        add_hours(s, d, a.hours);
        bytes = sat_add(bytes, d->bytes);
        a.count++;
    }
    feature_raise(s, FEATURE_FAR, lg_bytes(bytes));
    if ((double)bytes < s->m->floor[SCORE_NEW_FAR])
        return;
    feature_reference(s, FEATURE_FAR, 0, floor_octaves(s, SCORE_NEW_FAR), &ref, &spread);
    observe_sum(s, SCORE_NEW_FAR, &a, &s->b->feature[FEATURE_FAR], ref, spread);
}
