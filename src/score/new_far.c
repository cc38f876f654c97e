/* SPDX-License-Identifier: Apache-2.0 */
/* new-far: as new-destination, for destinations in a country that neither the host nor its class knows. Silent without a
 * country database. u = (lg(day so far) - ref) / tau; floor 2 MB. */
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
