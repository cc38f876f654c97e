/* See packet.h. Each step reads one header and says which comes next; one loop runs them, and every step takes bytes from the cursor
 * or ends, so that a packet costs no more than its length. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/packet.h"

#include <string.h>

enum { ETHER_IPV4 = 0x0800, ETHER_ARP = 0x0806, ETHER_IPV6 = 0x86dd, ETHER_BRIDGED = 0x6558, ETHER_LEAST = 0x0600 };
enum { PROTO_HOP = 0, PROTO_ICMP = 1, PROTO_IPIP = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_DCCP = 33, PROTO_IPV6 = 41, PROTO_ROUTING = 43,
       PROTO_FRAGMENT = 44, PROTO_GRE = 47, PROTO_AUTH = 51, PROTO_ICMPV6 = 58, PROTO_NONE = 59, PROTO_OPTIONS = 60, PROTO_SCTP = 132,
       PROTO_MOBILITY = 135, PROTO_UDPLITE = 136, PROTO_HIP = 139, PROTO_SHIM6 = 140 };
enum { PORT_VXLAN = 4789, PORT_GENEVE = 6081 };

enum state {
    AT_ETHERNET, AT_NULL, AT_LOOP, AT_RAW, AT_IPV4, AT_IPV6, AT_SLL, AT_SLL2, /* as enum packet_link */
    AT_TYPE, AT_EXTENSION, AT_TRANSPORT, AT_VXLAN, AT_GENEVE, STATES, DONE, PASSED, BAD
};

struct walk {
    struct cursor c;
    size_t wire; /* bytes that the packet had from the cursor on */
    struct packet *p;
    uint16_t type; /* EtherType */
    uint8_t tags, tunnels, headers, next;
};

static uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t be32(const uint8_t *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }
static uint64_t be64(const uint8_t *p) { return (uint64_t)be32(p) << 32 | be32(p + 4); }

/* The next n bytes; NULL: they were not captured. */
static const uint8_t *take(struct walk *w, size_t n)
{
    if (cursor_left(&w->c) < n)
        return NULL;
    w->wire -= n < w->wire ? n : w->wire;
    return (const uint8_t *)cursor_bytes(&w->c, n).p;
}

static void note(struct walk *w, enum decode_note which) { w->p->notes |= 1ULL << which; }

static enum state bad(struct walk *w, enum decode_reject why)
{
    w->p->why = (uint16_t)why;
    return BAD;
}

static enum state passed(struct walk *w, enum decode_note why)
{
    w->p->why = (uint16_t)why;
    return PASSED;
}

/* What the link headers of the innermost packet hide. */
static enum state short_link(struct walk *w)
{
    return bad(w, w->tunnels ? REJECT_PACKET_TUNNEL : REJECT_PACKET_SHORT_LINK);
}

/* ---- links ---- */

static enum state at_ethernet(struct walk *w)
{
    const uint8_t *h = take(w, 14);
    if (!h)
        return short_link(w);
    w->type = be16(h + 12);
    return AT_TYPE;
}

static enum state at_loss(struct walk *w)
{
    const uint8_t *h = w->tunnels ? NULL : take(w, CAPTURE_LOSS_BYTES);
    return passed(w, h && capture_loss_get(h, &w->p->loss) ? NOTE_PACKET_LOSS : NOTE_PACKET_NOT_IP);
}

static enum state at_type(struct walk *w)
{
    const uint8_t *tag;
    switch (w->type) {
    case ETHER_IPV4: return AT_IPV4;
    case ETHER_IPV6: return AT_IPV6;
    case ETHER_ARP: return passed(w, NOTE_PACKET_ARP);
    case CAPTURE_LOSS_TYPE: return at_loss(w);
    case 0x8100: case 0x88a8: case 0x9100: case 0x9200: break;
    default: return passed(w, w->type < ETHER_LEAST ? NOTE_PACKET_LLC : NOTE_PACKET_NOT_IP);
    }
    if (++w->tags > PACKET_TAGS_MAX)
        return bad(w, REJECT_PACKET_TAGS);
    if (!(tag = take(w, 4)))
        return short_link(w);
    w->type = be16(tag + 2);
    return AT_TYPE;
}

static enum state family_state(struct walk *w, uint32_t family)
{
    switch (family) {
    case 2: return AT_IPV4;
    case 24: case 28: case 30: return AT_IPV6; /* BSDs and macOS do not agree */
    default: return passed(w, NOTE_PACKET_NOT_IP);
    }
}

/* In the byte order of the machine that captured: families are small numbers, so the other order shows. */
static enum state at_null(struct walk *w)
{
    const uint8_t *h = take(w, 4);
    if (!h)
        return short_link(w);
    uint32_t family = be32(h);
    return family_state(w, family > 0xffff ? __builtin_bswap32(family) : family);
}

static enum state at_loop(struct walk *w)
{
    const uint8_t *h = take(w, 4);
    return h ? family_state(w, be32(h)) : short_link(w);
}

static enum state at_raw(struct walk *w)
{
    if (!cursor_left(&w->c))
        return bad(w, REJECT_PACKET_SHORT_IP);
    return *w->c.p >> 4 == 6 ? AT_IPV6 : AT_IPV4;
}

static enum state at_sll(struct walk *w)
{
    const uint8_t *h = take(w, 16);
    if (!h)
        return short_link(w);
    w->type = be16(h + 14);
    return AT_TYPE;
}

static enum state at_sll2(struct walk *w)
{
    const uint8_t *h = take(w, 20);
    if (!h)
        return short_link(w);
    w->type = be16(h);
    w->p->point = 1 + (uint64_t)be32(h + 4);
    return AT_TYPE;
}

/* ---- IP ---- */

/* The length that the header tells, but for what a header cannot know: segmentation offload and jumbograms tell 0. A length beyond
 * the packet is not believed, unless a mirror has cut the packet inside its tunnel. */
static void set_bytes(struct walk *w, size_t told, size_t there)
{
    w->p->bytes = told;
    if (told == 0) {
        note(w, NOTE_PACKET_NO_LENGTH);
        w->p->bytes = there;
    } else if (told > there) {
        note(w, NOTE_PACKET_LENGTH);
        w->p->bytes = w->tunnels ? told : there;
    }
}

/* What follows the IP packet is padding. rest: bytes of the IP packet behind the cursor. */
static void trim(struct walk *w, uint64_t rest)
{
    if (rest < cursor_left(&w->c))
        w->c = cursor_of(w->c.p, (size_t)rest);
    if (rest < w->wire)
        w->wire = (size_t)rest;
}

static enum state fragment(struct walk *w, unsigned offset, bool more, uint32_t id)
{
    w->p->fragment_id = id;
    w->p->body = (struct slice){(const char *)w->c.p, cursor_left(&w->c)};
    w->p->part = offset ? PART_LATER : more ? PART_FIRST : PART_WHOLE;
    return offset ? DONE : AT_TRANSPORT;
}

static enum state at_ipv4(struct walk *w)
{
    size_t there = w->wire;
    const uint8_t *h = take(w, 20);
    if (!h)
        return bad(w, REJECT_PACKET_SHORT_IP);
    size_t header = (size_t)(h[0] & 15) * 4, total = be16(h + 2);
    if (h[0] >> 4 != 4)
        return bad(w, REJECT_PACKET_IP_VERSION);
    if (header < 20)
        return bad(w, REJECT_PACKET_IP_HEADER);
    if (total && total < header)
        return bad(w, REJECT_PACKET_IP_LENGTH);
    set_bytes(w, total, there);
    w->p->protocol = w->next = h[9];
    w->p->src = ip_from_v4(be32(h + 12));
    w->p->dst = ip_from_v4(be32(h + 16));
    if (w->p->bytes < header || !take(w, header - 20)) {
        note(w, NOTE_PACKET_PORTS_CUT);
        return DONE;
    }
    trim(w, w->p->bytes - header);
    return fragment(w, be16(h + 6) & 0x1fff, h[6] & 0x20, be16(h + 4));
}

static enum state at_ipv6(struct walk *w)
{
    size_t there = w->wire;
    const uint8_t *h = take(w, 40);
    if (!h)
        return bad(w, REJECT_PACKET_SHORT_IP);
    if (h[0] >> 4 != 6)
        return bad(w, REJECT_PACKET_IP_VERSION);
    size_t payload = be16(h + 4);
    set_bytes(w, payload || h[6] == PROTO_NONE ? 40 + payload : 0, there);
    w->p->protocol = w->next = h[6];
    w->p->src = (struct ip){be64(h + 8), be64(h + 16)};
    w->p->dst = (struct ip){be64(h + 24), be64(h + 32)};
    trim(w, w->p->bytes > 40 ? w->p->bytes - 40 : 0);
    return AT_EXTENSION;
}

static bool is_extension(uint8_t next)
{
    static const uint8_t list[] = {PROTO_HOP, PROTO_ROUTING, PROTO_FRAGMENT, PROTO_AUTH, PROTO_OPTIONS, PROTO_MOBILITY, PROTO_HIP, PROTO_SHIM6};
    return memchr(list, next, sizeof list) != NULL;
}

static enum state at_extension(struct walk *w)
{
    w->p->protocol = w->next;
    if (!is_extension(w->next)) {
        w->p->body = (struct slice){(const char *)w->c.p, cursor_left(&w->c)};
        return AT_TRANSPORT;
    }
    if (++w->headers > PACKET_HEADERS_MAX) {
        note(w, NOTE_PACKET_HEADERS);
        return DONE;
    }
    uint8_t kind = w->next;
    const uint8_t *h = take(w, 8);
    size_t more = !h || kind == PROTO_FRAGMENT ? 0 : kind == PROTO_AUTH ? (size_t)h[1] * 4 : (size_t)h[1] * 8;
    if (!h || !take(w, more)) {
        note(w, NOTE_PACKET_PORTS_CUT);
        return DONE;
    }
    w->p->protocol = w->next = h[0];
    if (kind == PROTO_FRAGMENT && fragment(w, be16(h + 2) >> 3, h[3] & 1, be32(h + 4)) == DONE)
        return DONE;
    return AT_EXTENSION;
}

/* ---- transport ---- */

static uint8_t flags_as_logged(uint8_t flags)
{
    enum { SYN = 2, ACK = 16 };
    return (uint8_t)((flags & 7) | ((flags & SYN) && (flags & ACK) ? ACK : 0));
}

static enum state at_tcp(struct walk *w)
{
    const uint8_t *h = take(w, 16); /* behind the ports */
    if (!h) {
        note(w, NOTE_PACKET_FLAGS_CUT);
        return DONE;
    }
    w->p->tcp_flags = flags_as_logged(h[9]);
    size_t header = (size_t)(h[8] >> 4) * 4;
    if (header >= 20 && take(w, header - 20))
        w->p->payload = (struct slice){(const char *)w->c.p, cursor_left(&w->c)};
    return DONE;
}

static enum state at_udp(struct walk *w)
{
    if (!take(w, 4))
        return DONE;
    w->p->payload = (struct slice){(const char *)w->c.p, cursor_left(&w->c)};
    bool tunnel = w->p->dst_port == PORT_VXLAN || w->p->dst_port == PORT_GENEVE;
    if (!tunnel || w->p->protocol != PROTO_UDP)
        return DONE;
    if (w->p->part != PART_WHOLE) {
        note(w, NOTE_PACKET_TUNNEL_PART);
        return DONE;
    }
    return w->p->dst_port == PORT_VXLAN ? AT_VXLAN : AT_GENEVE;
}

static enum state at_transport(struct walk *w)
{
    switch (w->p->protocol) {
    case PROTO_TCP: case PROTO_UDP: case PROTO_DCCP: case PROTO_SCTP: case PROTO_UDPLITE: break;
    case PROTO_ICMP: case PROTO_ICMPV6:
        if (cursor_left(&w->c))
            w->p->icmp_type = *w->c.p;
        return DONE;
    case PROTO_IPIP: case PROTO_IPV6: case PROTO_GRE: note(w, NOTE_PACKET_TUNNEL); return DONE;
    default: return DONE;
    }
    const uint8_t *h = take(w, 4);
    if (!h) {
        note(w, NOTE_PACKET_PORTS_CUT);
        return DONE;
    }
    w->p->src_port = be16(h);
    w->p->dst_port = be16(h + 2);
    w->p->has_ports = true;
    return w->p->protocol == PROTO_TCP ? at_tcp(w) : w->p->protocol == PROTO_UDP ? at_udp(w) : DONE;
}

/* ---- tunnels: what they carry is the traffic, they themselves are not ---- */

static enum state enter_tunnel(struct walk *w, uint16_t type)
{
    struct packet *p = w->p;
    if (++w->tunnels > PACKET_TUNNELS_MAX)
        return bad(w, REJECT_PACKET_TUNNELS);
    *p = (struct packet){.notes = p->notes, .point = p->point, .vni = p->vni, .has_vni = p->has_vni};
    w->tags = w->headers = 0;
    w->type = type;
    return type == ETHER_BRIDGED ? AT_ETHERNET : AT_TYPE;
}

/* Something else may use the port: without its flag it is no VXLAN. The outermost number is that of the mirror's session. */
static enum state at_vxlan(struct walk *w)
{
    size_t left = cursor_left(&w->c);
    if (left && !(*w->c.p & 8))
        return DONE;
    const uint8_t *h = take(w, 8);
    if (!h)
        return bad(w, REJECT_PACKET_TUNNEL);
    if (!w->p->has_vni) {
        w->p->vni = be32(h + 4) >> 8;
        w->p->has_vni = true;
    }
    return enter_tunnel(w, ETHER_BRIDGED);
}

static uint64_t point_of(struct ip a) { return stable_mix(a.hi ^ stable_mix(a.lo)) | 1; }

/* A Gateway Load Balancer sends each packet to the appliance and gets it back: the sender tells the two apart. */
static enum state at_geneve(struct walk *w)
{
    size_t left = cursor_left(&w->c);
    uint16_t type = left >= 4 ? be16(w->c.p + 2) : 0;
    if (left >= 4 && (*w->c.p >> 6 != 0 || (type != ETHER_IPV4 && type != ETHER_IPV6 && type != ETHER_BRIDGED)))
        return DONE;
    const uint8_t *h = take(w, 8);
    if (!h || !take(w, (size_t)(h[0] & 0x3f) * 4))
        return bad(w, REJECT_PACKET_TUNNEL);
    w->p->point = point_of(w->p->src);
    return enter_tunnel(w, type);
}

/* As {0}, but for what is only read where it was set: for this size gcc makes a slow instruction of {0}. */
static void packet_clear(struct packet *p)
{
    static const struct slice nothing = {NULL, 0};
    p->src = p->dst = (struct ip){0, 0};
    p->bytes = p->notes = p->point = 0;
    p->body = p->payload = nothing;
    p->fragment_id = p->vni = 0;
    p->src_port = p->dst_port = p->why = 0;
    p->protocol = p->part = p->tcp_flags = p->icmp_type = 0;
    p->has_vni = p->has_ports = false;
}

enum packet_verdict packet_decode(enum packet_link link, const void *bytes, size_t captured, size_t wire, struct packet *out)
{
    static enum state (*const step[STATES])(struct walk *w) = {
        [AT_ETHERNET] = at_ethernet, [AT_NULL] = at_null, [AT_LOOP] = at_loop, [AT_RAW] = at_raw, [AT_IPV4] = at_ipv4, [AT_IPV6] = at_ipv6,
        [AT_SLL] = at_sll, [AT_SLL2] = at_sll2, [AT_TYPE] = at_type, [AT_EXTENSION] = at_extension, [AT_TRANSPORT] = at_transport,
        [AT_VXLAN] = at_vxlan, [AT_GENEVE] = at_geneve};
    struct walk w = {.c = cursor_of(bytes, captured), .wire = wire > captured ? wire : captured, .p = out};
    enum state state = (enum state)link;
    packet_clear(out);
    if (captured > wire)
        note(&w, NOTE_PACKET_CAPTURED);
    while (state < STATES)
        state = step[state](&w);
    return state == DONE ? PACKET_TAKEN : state == PASSED ? PACKET_PASSED : PACKET_BAD;
}
