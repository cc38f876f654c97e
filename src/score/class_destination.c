/* SPDX-License-Identifier: Apache-2.0 */
/* class-destination: the largest destination that is new to the host but known to its class, against what the class sends
 * there: the second largest host's day, slowly decaying.
 * u = (lg(day so far) - max(reference of the class, lg(floor))) / 0.7; floor 10 MB.
 * Worked example: the class sends 88 eighths there, 11 octaves. 1 GB, lg 13.897: u = (13.897 - 11) / 0.7 = 4.139. */
#include <math.h>

#include "score_private.h"

void test_class_destination(struct scorer *s)
{
    double floor = floor_octaves(s, SCORE_CLASS_DESTINATION), best = 0, best_ref = 0;
    const struct destination *top = NULL;
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!is_initiated(d) || d->relation != RELATION_SHARED || (double)d->bytes < s->m->floor[SCORE_CLASS_DESTINATION])
            continue;
        double ref = fmax(floor, lg_unround(class_find(s->class, d->network)->reference)), above = lg_bytes(d->bytes) - ref;
        if (!top || above > best) {
            top = d;
            best = above;
            best_ref = ref;
        }
    }
    if (!top)
        return;
    struct amount a = {.group = top->network, .factor = 1};
    add_hours(s, top, a.hours);
    observe_sum(s, SCORE_CLASS_DESTINATION, &a, NULL, best_ref, s->m->tau_prior);
}
