/* SPDX-License-Identifier: Apache-2.0 */
/* Which address is the interface's own: the one that stands in all of its records. An intersection of unordered pairs,
 * so the order of records does not matter: nothing seen, one pair, one address, or none left (conflict). */
#include "weir/flow.h"

/* As if the hint were not there, but for knowing which of the two it will be. */
static void learn_hinted(struct flow_own *own, struct ip src, struct ip dst)
{
    if (!ip_eq(own->a, src) && !ip_eq(own->a, dst)) {
        own->state = OWN_CONFLICT;
        return;
    }
    struct ip other = ip_eq(own->a, src) ? dst : src;
    bool proven = ip_eq(src, dst) || (own->state == OWN_HINT_PAIR && !ip_eq(own->b, other));
    own->state = proven ? OWN_ONE : OWN_HINT_PAIR;
    own->b = other;
}

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
        if (!((unsigned)ip_eq(own->a, src) | (unsigned)ip_eq(own->a, dst)))
            own->state = OWN_CONFLICT;
        return;
    case OWN_HINT:
    case OWN_HINT_PAIR: learn_hinted(own, src, dst); return;
    case OWN_CONFLICT:
        return;
    }
}
