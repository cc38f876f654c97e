/* SPDX-License-Identifier: Apache-2.0 */
/* What flow logs of the two ends would have said of a record that was captured between them. Two hosts of ours that talk give two
 * records, as their two interfaces would. */
#include <string.h>

#include "weir/flow.h"

static void add_side(struct flow_captured *out, const struct record *r, struct ip host, enum record_direction direction)
{
    static const char prefix[] = "capture-";
    struct record *side = &out->side[out->n];
    char *name = out->name[out->n++];
    memcpy(name, prefix, sizeof prefix - 1);
    size_t n = sizeof prefix - 1 + ip_format(host, name + sizeof prefix - 1);
    *side = *r;
    side->interface = (struct slice){name, n};
    side->direction = (uint8_t)direction;
    side->captured = false;
    side->has |= 1ULL << FIELD_INTERFACE_ID | 1ULL << FIELD_FLOW_DIRECTION;
}

void flow_captured(const struct flow_rules *rules, const struct record *r, struct flow_captured *out)
{
    struct flow_ends ends = flow_ends(rules, r);
    out->n = 0;
    if (ends.src_own)
        add_side(out, r, r->src, DIRECTION_EGRESS);
    if (ends.dst_own)
        add_side(out, r, r->dst, DIRECTION_INGRESS);
}
