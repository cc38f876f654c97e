/* SPDX-License-Identifier: Apache-2.0 */
/* new-destination: bytes of the day, in connections that the host opened by web or shell, to all destinations that neither the
 * host nor its class knows and that are no roll-out, against the host's ring of that sum. Only initiated connections: nearly
 * every client of a public server is new.
 * u = (lg(day so far) - ref) / tau; floor 2 MB.
 * Worked example: nine days of 3, 3, 2, 2, 2, 1, 1, 1 and 0 MB are 44, 44, 40, 40, 40, 32, 32, 32, 0 eighths: median and floor
 * 5.0, above it twice 5.5; tau = (2 * 0.5 + 12 * 0.7) / 14 = 0.671; ref = 5.5 + 0.5 * 0.671 * ln(28/9) = 5.881. Today 40 GB,
 * lg 19.219: u = 19.865. */
#include "score_private.h"

void test_new_destination(struct scorer *s)
{
    struct amount a = {.factor = 1};
    uint64_t bytes = 0;
    double ref, spread;
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!is_initiated(d) || !is_usual(d) || d->relation != RELATION_NEW)
            continue;
        add_hours(s, d, a.hours);
        bytes = sat_add(bytes, d->bytes);
        a.count++;
    }
    feature_raise(s, FEATURE_NEW, lg_bytes(bytes));
    if ((double)bytes < s->m->floor[SCORE_NEW_DESTINATION])
        return;
    feature_reference(s, FEATURE_NEW, 0, floor_octaves(s, SCORE_NEW_DESTINATION), &ref, &spread);
    observe_sum(s, SCORE_NEW_DESTINATION, &a, &s->b->feature[FEATURE_NEW], ref, spread);
}
