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

/* Where no networks are given: IPv6 addresses so near to the host's that they are of its owner. */
static bool same_network(const struct flow_rules *rules, struct ip host, struct ip peer)
{
    if (rules->own || ip_is_v4(host) || ip_is_v4(peer))
        return false;
    return ip_eq(ip_network(host, VPC_IPV6_BITS), ip_network(peer, VPC_IPV6_BITS));
}

static bool peer_is_own(const struct flow_rules *rules, struct ip host, struct ip peer)
{
    return flow_is_own(rules, peer) || same_network(rules, host, peer);
}

static inline enum side side_by_networks(struct flow_ends ends)
{
    static const uint8_t side[2][2] = {{SIDE_EITHER, SIDE_DESTINATION}, {SIDE_SOURCE, SIDE_EITHER}};
    return (enum side)side[ends.src_own][ends.dst_own];
}

void flow_learn(struct flow_own *own, const struct record *r, struct flow_ends ends)
{
    if (r->direction != DIRECTION_NONE || r->transit_gateway)
        return;
    const struct ip *a = ends.dst_own && !ends.src_own ? &r->dst : &r->src; /* of two of which one is ours only that one can be it */
    const struct ip *b = ends.src_own && !ends.dst_own ? &r->src : &r->dst;
    flow_own_learn(own, *a, *b);
}

/* A transit gateway has no interface of the host: the sender is the host of its own bytes, if it is ours. */
static enum side transit_side(struct flow_ends ends)
{
    if (ends.src_own)
        return SIDE_SOURCE;
    return ends.dst_own ? SIDE_DESTINATION : SIDE_NEITHER;
}

static enum side host_side(const struct record *r, struct flow_ends ends, const struct flow_own *own)
{
    if (r->transit_gateway)
        return transit_side(ends);
    if (r->direction != DIRECTION_NONE)
        return r->direction == DIRECTION_EGRESS ? SIDE_SOURCE : SIDE_DESTINATION;
    enum side side = side_by_networks(ends);
    if (side != SIDE_EITHER)
        return side;
    if (own->state == OWN_CONFLICT)
        return SIDE_NEITHER;
    if (own->state == OWN_NONE || own->state == OWN_PAIR)
        return SIDE_EITHER;
    static const uint8_t known[2][2] = {{SIDE_NEITHER, SIDE_DESTINATION}, {SIDE_SOURCE, SIDE_SOURCE}};
    return (enum side)known[ip_eq(own->a, r->src)][ip_eq(own->a, r->dst)];
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

#define PACKET_ENDS ((1ULL << FIELD_PKT_SRCADDR) | (1ULL << FIELD_PKT_DSTADDR))

/* The ends as the packet had them. A packet-level host address that is not ours, behind an address of ours, means that the
 * interface passes on other people's packets: rows b and c of a NAT gateway. Where it is not known which end is the host it
 * proves nothing: a load balancer that preserves the client's address looks the same at its target. */
static void take_packet_ends(const struct flow_rules *rules, const struct record *r, enum side side, struct flow *f)
{
    struct ip shown = f->host;
    struct ip src = RECORD_HAS(r, PKT_SRCADDR) ? r->pkt_src : r->src, dst = RECORD_HAS(r, PKT_DSTADDR) ? r->pkt_dst : r->dst;
    f->host = f->out ? src : dst;
    f->peer = f->out ? dst : src;
    if (ip_eq(f->host, shown))
        return;
    f->via = true;
    f->forwards = (side == SIDE_SOURCE || side == SIDE_DESTINATION) && !peer_is_own(rules, shown, f->host);
}

static void take_ends(const struct flow_rules *rules, const struct record *r, struct flow_ends ends, enum side side, struct flow *f)
{
    bool source = side != SIDE_DESTINATION;
    const struct ip *end[2] = {&r->src, &r->dst}; /* by index: nothing foretells which end it is */
    bool peer_own = source ? ends.dst_own : ends.src_own;
    f->host = *end[!source];
    f->peer = *end[source];
    f->out = source;
    f->via = r->transit_gateway;
    if (r->has & PACKET_ENDS) {
        take_packet_ends(rules, r, side, f);
        peer_own = flow_is_own(rules, f->peer);
    }
    f->external = !peer_own && !same_network(rules, f->host, f->peer);
}

/* The opener, told of the host: by whether the host is the source, and the opener told of the source. */
static const uint8_t opener[2][3] = {
    {[OPENED_BY_HOST] = OPENED_BY_PEER, [OPENED_BY_PEER] = OPENED_BY_HOST, [OPENED_UNKNOWN] = OPENED_UNKNOWN},
    {[OPENED_BY_HOST] = OPENED_BY_HOST, [OPENED_BY_PEER] = OPENED_BY_PEER, [OPENED_UNKNOWN] = OPENED_UNKNOWN}};

static void take_service(const struct record *r, struct flow *f)
{
    enum flow_opened by = service_opened_by_source(r);
    f->service_port = service_port(r, by);
    f->service = (uint8_t)service_classify(r->protocol, f->service_port);
    f->opened = opener[f->out][by];
}

static void take_providers(const struct flow_rules *rules, enum side side, struct flow *f)
{
    f->at = flow_provider_at(rules, f->peer);
    if (side == SIDE_EITHER)
        f->host_at = flow_provider_at(rules, f->host);
}

enum flow_verdict flow_attribute(const struct flow_rules *rules, const struct record *r, struct flow_ends ends, const struct flow_own *own,
                                 struct flow *out)
{
    if (r->status != STATUS_OK || r->action == ACTION_REJECT || !RECORD_HAS(r, BYTES) || r->bytes == 0)
        return FLOW_NOT_TRAFFIC;
    enum side side = host_side(r, ends, own);
    *out = (struct flow){.bytes = r->bytes, .packets = r->packets, .start_s = r->start_s, .end_s = r->end_s, .protocol = r->protocol};
    take_ends(rules, r, ends, side, out);
    take_service(r, out);
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
    if (r->has & PACKET_ENDS ? ip_is_special(out->peer) || ip_is_special(out->host) : ends.special)
        return FLOW_SPECIAL;
    if (side == SIDE_EITHER)
        return FLOW_PENDING;
    bool by_own = ends.src_own == ends.dst_own && r->direction == DIRECTION_NONE && !r->transit_gateway; /* nothing else settled it */
    return by_own && own->state >= OWN_HINT ? FLOW_HINTED : FLOW_CHARGED;
}

struct flow flow_mirror(const struct flow *f)
{
    struct flow m = *f;
    m.host = f->peer;
    m.peer = f->host;
    m.at = f->host_at;
    m.host_at = f->at;
    m.out = !f->out;
    m.opened = opener[false][f->opened];
    return m;
}

const char *flow_verdict_word(enum flow_verdict v)
{
    static const char *const words[FLOW_VERDICTS] = {"charged", "hinted", "pending", "forwarded", "not-traffic", "unknown", "special"};
    return v < FLOW_VERDICTS ? words[v] : "?";
}
