/* SPDX-License-Identifier: Apache-2.0 */
/* served-new: bytes of the day to the client network that got most among those the host is not familiar with, against the host's
 * ring of that quantity. u = (lg(day so far) - ref) / tau; floor 20 MB.
 * Worked example: 28 days without any: ref is the floor, 8.258. 200 MB, lg 11.576: u = 3.318 / 0.7 = 4.740. */
#include "score_private.h"

void test_served_new(struct scorer *s)
{
    const struct destination *top = NULL;
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (is_served(d) && d->relation != RELATION_FAMILIAR && (!top || d->bytes > top->bytes))
            top = d;
    }
    if (!top)
        return;
    feature_raise(s, FEATURE_SERVED_NEW, lg_bytes(top->bytes));
    if ((double)top->bytes < s->m->floor[SCORE_SERVED_NEW])
        return;
    struct amount a = {.group = top->network, .factor = 1};
    double ref, spread;
    add_hours(s, top, a.hours);
    feature_reference(s, FEATURE_SERVED_NEW, 0, floor_octaves(s, SCORE_SERVED_NEW), &ref, &spread);
    observe_sum(s, SCORE_SERVED_NEW, &a, &s->b->feature[FEATURE_SERVED_NEW], ref, spread);
}
