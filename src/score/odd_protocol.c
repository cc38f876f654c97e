/* SPDX-License-Identifier: Apache-2.0 */
/* odd-protocol: bytes of the day to destinations that neither the host nor its class knows, by DNS, ICMP or whatever is no usual
 * service; each counts sixteen times, because such channels are slow by nature.
 * y = lg(16 * bytes), u = (y - ref) / tau; floor 0.5 MB.
 * Worked example: 20 days without any: ref = lg(16 * 0.5 MB) + 0.5 * 0.7 * ln(28/20) = 6.943 + 0.118 = 7.061. 5 MB by DNS, lg(80 MB) =
 * 10.255: u = (10.255 - 7.061) / 0.7 = 4.562. */
#include "score_private.h"

void test_odd_protocol(struct scorer *s)
{
    struct amount a = {.factor = s->m->odd_factor};
    uint64_t bytes = 0;
    double ref, spread, factor = s->m->odd_factor;
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!is_odd(d) || d->relation != RELATION_NEW)
            continue;
        add_hours(s, d, a.hours);
        bytes = sat_add(bytes, d->bytes);
        a.count++;
    }
    feature_raise(s, FEATURE_ODD, lg_bytes(bytes < UINT64_MAX / 16 ? (uint64_t)((double)bytes * factor) : bytes));
    if ((double)bytes < s->m->floor[SCORE_ODD_PROTOCOL])
        return;
    feature_reference(s, FEATURE_ODD, 0, lg_bytes((uint64_t)(s->m->floor[SCORE_ODD_PROTOCOL] * factor)), &ref, &spread);
    observe_sum(s, SCORE_ODD_PROTOCOL, &a, &s->b->feature[FEATURE_ODD], ref, spread);
}
