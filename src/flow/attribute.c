/* SPDX-License-Identifier: Apache-2.0 */
/* Whose bytes: the rules in order, each a function of the record, the configuration and the interface's own address. */
#include <string.h>

#include "service.h"

/* An AWS VPC is given IPv6 space as a /56: two addresses of one /56 are of one owner. */
#define VPC_IPV6_BITS 56

enum side { SIDE_NEITHER, SIDE_SOURCE, SIDE_DESTINATION, SIDE_EITHER };

bool flow_is_own(const struct flow_rules *rules, struct ip a)
{
    return rules->own ? cidr_set_has(rules->own, a) : ip_is_private(a);
}

static bool peer_is_own(const struct flow_rules *rules, struct ip host, struct ip peer)
{
    if (flow_is_own(rules, peer))
        return true;
    if (rules->own || ip_is_v4(host) || ip_is_v4(peer))
        return false;
    return ip_eq(ip_network(host, VPC_IPV6_BITS), ip_network(peer, VPC_IPV6_BITS));
}

static enum side side_by_networks(const struct flow_rules *rules, struct ip src, struct ip dst)
{
    bool s = flow_is_own(rules, src), d = flow_is_own(rules, dst);
    if (s != d)
        return s ? SIDE_SOURCE : SIDE_DESTINATION;
    return SIDE_EITHER;
}

void flow_own_ends(const struct flow_rules *rules, struct ip *src, struct ip *dst)
{
    switch (side_by_networks(rules, *src, *dst)) {
    case SIDE_SOURCE: *dst = *src; return;
    case SIDE_DESTINATION: *src = *dst; return;
    case SIDE_NEITHER:
    case SIDE_EITHER: return;
    }
}

/* A transit gateway has no interface of the host: the sender is the host of its own bytes, if it is ours. */
static enum side transit_side(const struct flow_rules *rules, const struct record *r)
{
    if (flow_is_own(rules, r->src))
        return SIDE_SOURCE;
    return flow_is_own(rules, r->dst) ? SIDE_DESTINATION : SIDE_NEITHER;
}

static enum side host_side(const struct flow_rules *rules, const struct record *r, const struct flow_own *own)
{
    if (r->transit_gateway)
        return transit_side(rules, r);
    if (r->direction != DIRECTION_NONE)
        return r->direction == DIRECTION_EGRESS ? SIDE_SOURCE : SIDE_DESTINATION;
    enum side side = side_by_networks(rules, r->src, r->dst);
    if (side != SIDE_EITHER)
        return side;
    switch ((enum flow_own_state)own->state) {
    case OWN_NONE:
    case OWN_PAIR: return SIDE_EITHER;
    case OWN_HINT:
    case OWN_HINT_PAIR:
    case OWN_ONE:
        if (ip_eq(own->a, r->src))
            return SIDE_SOURCE;
        return ip_eq(own->a, r->dst) ? SIDE_DESTINATION : SIDE_NEITHER;
    case OWN_CONFLICT: break;
    }
    return SIDE_NEITHER;
}

static bool configured_forwarder(const struct flow_rules *rules, const struct record *r, enum side side)
{
    if (r->forwarder_type)
        return true;
    /* Which end is the interface must be known: a forwarder's request shows its address at its target, too. */
    if (rules->forwarders && side != SIDE_EITHER && cidr_set_has(rules->forwarders, side == SIDE_DESTINATION ? r->dst : r->src))
        return true;
    for (size_t i = 0; i < rules->forwarder_interfaces_n; i++)
        if (slice_eq(r->interface, slice_of(rules->forwarder_interfaces[i])))
            return true;
    return false;
}

/* The ends as the packet had them. A packet-level host address that is not ours, behind an address of ours, means that the
 * interface passes on other people's packets: rows b and c of a NAT gateway. Where it is not known which end is the host it
 * proves nothing: a load balancer that preserves the client's address looks the same at its target. */
static void take_ends(const struct flow_rules *rules, const struct record *r, enum side side, struct flow *f)
{
    bool source = side != SIDE_DESTINATION, settled = side == SIDE_SOURCE || side == SIDE_DESTINATION;
    struct ip shown = source ? r->src : r->dst;
    struct ip pkt_src = RECORD_HAS(r, PKT_SRCADDR) ? r->pkt_src : r->src;
    struct ip pkt_dst = RECORD_HAS(r, PKT_DSTADDR) ? r->pkt_dst : r->dst;
    f->host = source ? pkt_src : pkt_dst;
    f->peer = source ? pkt_dst : pkt_src;
    f->out = source;
    f->via = r->transit_gateway || !ip_eq(f->host, shown);
    f->forwards = settled && !ip_eq(f->host, shown) && !peer_is_own(rules, shown, f->host);
}

static void take_service(const struct record *r, struct flow *f)
{
    enum flow_opened by = service_opened_by_source(r);
    f->service_port = service_port(r, by);
    f->service = (uint8_t)service_classify(r->protocol, f->service_port);
    if (!f->out && by != OPENED_UNKNOWN)
        by = by == OPENED_BY_HOST ? OPENED_BY_PEER : OPENED_BY_HOST;
    f->opened = (uint8_t)by;
}

static void take_providers(const struct flow_rules *rules, enum side side, struct flow *f)
{
    f->at = flow_provider_at(rules, f->peer);
    if (side == SIDE_EITHER)
        f->host_at = flow_provider_at(rules, f->host);
}

enum flow_verdict flow_attribute(const struct flow_rules *rules, const struct record *r, const struct flow_own *own, struct flow *out)
{
    if (r->status != STATUS_OK || r->action == ACTION_REJECT || !RECORD_HAS(r, BYTES) || r->bytes == 0)
        return FLOW_NOT_TRAFFIC;
    enum side side = host_side(rules, r, own);
    *out = (struct flow){.bytes = r->bytes, .packets = r->packets, .start_s = r->start_s, .end_s = r->end_s, .protocol = r->protocol};
    take_ends(rules, r, side, out);
    take_service(r, out);
    out->external = !peer_is_own(rules, out->host, out->peer);
    if (rules->providers && out->external)
        take_providers(rules, side, out);
    if (side == SIDE_NEITHER)
        return FLOW_UNKNOWN;
    if (configured_forwarder(rules, r, side)) {
        out->forwards = true;
        return FLOW_FORWARDED;
    }
    if (out->forwards || (r->transit_gateway && r->direction == DIRECTION_EGRESS))
        return FLOW_FORWARDED;
    if (ip_is_special(out->peer) || ip_is_special(out->host))
        return FLOW_SPECIAL;
    if (side == SIDE_EITHER)
        return FLOW_PENDING;
    bool hinted = own->state == OWN_HINT || own->state == OWN_HINT_PAIR;
    return hinted && r->direction == DIRECTION_NONE && !r->transit_gateway && side_by_networks(rules, r->src, r->dst) == SIDE_EITHER ? FLOW_HINTED : FLOW_CHARGED;
}

struct flow flow_mirror(const struct flow *f)
{
    struct flow m = *f;
    m.host = f->peer;
    m.peer = f->host;
    m.at = f->host_at;
    m.host_at = f->at;
    m.out = !f->out;
    if (f->opened != OPENED_UNKNOWN)
        m.opened = f->opened == OPENED_BY_HOST ? OPENED_BY_PEER : OPENED_BY_HOST;
    return m;
}

const char *flow_verdict_word(enum flow_verdict v)
{
    static const char *const words[FLOW_VERDICTS] = {"charged", "hinted", "pending", "forwarded", "not-traffic", "unknown", "special"};
    return v < FLOW_VERDICTS ? words[v] : "?";
}
