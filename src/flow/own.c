/* SPDX-License-Identifier: Apache-2.0 */
/* Which address is the interface's own: the one that stands in all of its records. An intersection of unordered pairs,
 * so the order of records does not matter: nothing seen, one pair, one address, or none left (conflict). */
#include "weir/flow.h"

void flow_own_learn(struct flow_own *own, struct ip src, struct ip dst)
{
    switch ((enum flow_own_state)own->state) {
    case OWN_NONE:
        own->a = src;
        own->b = dst;
        own->state = ip_eq(src, dst) ? OWN_ONE : OWN_PAIR;
        return;
    case OWN_PAIR: {
        bool a = ip_eq(own->a, src) || ip_eq(own->a, dst);
        bool b = ip_eq(own->b, src) || ip_eq(own->b, dst);
        if (a && b)
            return;
        if (b)
            own->a = own->b;
        own->state = a || b ? OWN_ONE : OWN_CONFLICT;
        return;
    }
    case OWN_ONE:
        if (!ip_eq(own->a, src) && !ip_eq(own->a, dst))
            own->state = OWN_CONFLICT;
        return;
    case OWN_CONFLICT:
        return;
    }
}
