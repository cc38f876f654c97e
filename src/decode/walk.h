/* Stage 2: one line whose separators are known becomes a record. Fields are visited in a fixed order, not in the order
 * of the columns: which columns there are is the same for every line of an object, so the branches predict well, and a line
 * with two faults is always rejected for the same one. Field c lies between before[c] + 1 and end[c].
 * Everything is inlined into its two callers; what is rare lives behind the `rare_` functions of line.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_WALK_H
#define DECODE_WALK_H

#include "decode/values.h"

struct walk {
    const struct program *pg;
    const char *base;
    const uint32_t *before, *end;
    struct record *r;
    uint64_t has;
    uint32_t notes;
    bool other_family; /* an address was not a dotted quad */
    enum decode_reject why;
    unsigned field;
};

/* What a careful reader found. */
struct rare {
    enum decode_reject why; /* REJECT_COUNT: fine */
    bool absent;            /* "-", or empty in a comma-separated line */
    uint32_t notes;
    uint64_t value;
    struct ip ip;
};
struct rare rare_number(struct slice text, uint64_t max);
struct rare rare_seconds(struct slice text);
struct rare rare_ip(struct slice text);
struct rare rare_action(struct slice text);
struct rare rare_status(struct slice text);
bool rare_is_forwarder(struct slice text);
bool is_time(struct slice text);

#define NOTE_BIT(note) (1u << NOTE_##note)
#define HAS_BIT(field) (1ULL << FIELD_##field)

ALWAYS_INLINE bool walk_has(const struct walk *w, enum decode_field f)
{
    return w->pg->column[f] != COLUMN_NONE;
}

ALWAYS_INLINE struct slice walk_text(const struct walk *w, unsigned column)
{
    uint32_t from = w->before[column] + 1;
    return (struct slice){w->base + from, w->end[column] - from};
}

ALWAYS_INLINE bool walk_refuse(struct walk *w, enum decode_reject why, unsigned field)
{
    w->why = why;
    w->field = field;
    return false;
}

ALWAYS_INLINE bool walk_rare(struct walk *w, enum decode_field f, const struct rare *found)
{
    if (found->absent)
        w->has &= ~(1ULL << f);
    w->notes |= found->notes;
    return found->why == REJECT_COUNT || walk_refuse(w, found->why, f);
}

/* "-": frequent in NODATA records, hence not left to the careful readers. */
ALWAYS_INLINE bool walk_dash(struct walk *w, enum decode_field f, struct slice text)
{
    if (text.n != 1 || text.p[0] != '-')
        return false;
    w->has &= ~(1ULL << f);
    return true;
}

ALWAYS_INLINE bool walk_number(struct walk *w, enum decode_field f, uint64_t max, uint64_t *out)
{
    struct slice text = walk_text(w, w->pg->column[f]);
    if (WEIR_LIKELY(read_digits(text.p, text.n, out) && *out <= max))
        return true;
    *out = 0;
    if (walk_dash(w, f, text))
        return true;
    struct rare found = rare_number(text, max);
    *out = found.value;
    return walk_rare(w, f, &found);
}

ALWAYS_INLINE bool walk_u64(struct walk *w, enum decode_field f, uint64_t *out)
{
    uint64_t v;
    if (!walk_has(w, f))
        return true;
    if (!walk_number(w, f, UINT64_MAX, &v))
        return false;
    *out = v;
    return true;
}

ALWAYS_INLINE bool walk_u16(struct walk *w, enum decode_field f, uint16_t *out)
{
    uint64_t v;
    if (!walk_has(w, f))
        return true;
    if (!walk_number(w, f, UINT16_MAX, &v))
        return false;
    *out = (uint16_t)v;
    return true;
}

ALWAYS_INLINE bool walk_u8(struct walk *w, enum decode_field f, uint8_t *out)
{
    uint64_t v;
    if (!walk_has(w, f))
        return true;
    if (!walk_number(w, f, UINT8_MAX, &v))
        return false;
    *out = (uint8_t)v;
    return true;
}

ALWAYS_INLINE bool walk_seconds(struct walk *w, enum decode_field f, int64_t *out)
{
    if (!walk_has(w, f))
        return true;
    struct slice text = walk_text(w, w->pg->column[f]);
    if (WEIR_LIKELY(read_seconds(text, out)))
        return true;
    *out = 0;
    if (walk_dash(w, f, text))
        return true;
    struct rare found = rare_seconds(text);
    *out = (int64_t)found.value;
    return walk_rare(w, f, &found);
}

ALWAYS_INLINE bool walk_ip(struct walk *w, enum decode_field f, struct ip *out)
{
    uint32_t v4;
    if (!walk_has(w, f))
        return true;
    struct slice text = walk_text(w, w->pg->column[f]);
    if (WEIR_LIKELY(read_ipv4(text.p, text.n, &v4))) {
        *out = ip_from_v4(v4);
        return true;
    }
    *out = (struct ip){0, 0};
    if (walk_dash(w, f, text))
        return true;
    struct rare found = rare_ip(text);
    *out = found.ip;
    w->other_family = true;
    return walk_rare(w, f, &found);
}

/* A packet-level address: but at forwarders the same text as the address, which has been read. */
ALWAYS_INLINE bool walk_pkt_ip(struct walk *w, enum decode_field f, enum decode_field plain, struct ip address, struct ip *out)
{
    if (!walk_has(w, f))
        return true;
    if (walk_has(w, plain) && (w->has & 1ULL << plain) &&
        same_short_text(walk_text(w, w->pg->column[f]), walk_text(w, w->pg->column[plain]))) {
        *out = address;
        return true;
    }
    return walk_ip(w, f, out);
}

ALWAYS_INLINE bool walk_id(struct walk *w, enum decode_field f, struct slice *out)
{
    if (!walk_has(w, f))
        return true;
    struct slice text = walk_text(w, w->pg->column[f]);
    if (WEIR_UNLIKELY(text.n == 0 || (text.n == 1 && text.p[0] == '-'))) {
        w->has &= ~(1ULL << f);
        text.n = 0;
    } else if (WEIR_UNLIKELY(text.n > ID_MAX_BYTES)) {
        return walk_refuse(w, REJECT_ID_TOO_LONG, f);
    }
    *out = text;
    return true;
}

/* The first of the columns that name an interface and are not "-". */
ALWAYS_INLINE bool walk_interface(struct walk *w)
{
    struct slice id = {w->base, 0}, other;
    if (!walk_id(w, FIELD_INTERFACE_ID, &id))
        return false;
    if (WEIR_UNLIKELY((w->pg->has & (HAS_BIT(TGW_SRC_ENI) | HAS_BIT(RESOURCE_ID) | HAS_BIT(TGW_ATTACHMENT_ID))) != 0)) {
        static const uint8_t more[] = {FIELD_TGW_SRC_ENI, FIELD_RESOURCE_ID, FIELD_TGW_ATTACHMENT_ID};
        for (size_t i = 0; i < sizeof more; i++) {
            other.n = 0;
            if (!walk_id(w, (enum decode_field)more[i], &other))
                return false;
            if (id.n == 0 && other.n)
                id = other;
        }
    }
    w->r->interface = id;
    return true;
}

ALWAYS_INLINE bool walk_ids(struct walk *w)
{
    return walk_id(w, FIELD_ACCOUNT_ID, &w->r->account) && walk_interface(w) && walk_id(w, FIELD_VPC_ID, &w->r->vpc) &&
           walk_id(w, FIELD_SUBNET_ID, &w->r->subnet) && walk_id(w, FIELD_INSTANCE_ID, &w->r->instance);
}

/* One digit, or "-" on ingress: as both are frequent and nothing foretells which, without a branch between them. */
ALWAYS_INLINE bool walk_path(struct walk *w)
{
    if (!walk_has(w, FIELD_TRAFFIC_PATH))
        return true;
    struct slice text = walk_text(w, w->pg->column[FIELD_TRAFFIC_PATH]);
    unsigned digit = (unsigned)(unsigned char)text.p[0] - '0';
    bool dash = text.p[0] == '-';
    if (WEIR_UNLIKELY(text.n != 1 || !((digit <= 9) | dash)))
        return walk_u8(w, FIELD_TRAFFIC_PATH, &w->r->traffic_path);
    w->r->traffic_path = (uint8_t)(dash ? 0 : digit);
    w->has &= ~((uint64_t)dash << FIELD_TRAFFIC_PATH);
    return true;
}

/* Columns that mostly come in twos are read so; what does not fit goes one by one. */
ALWAYS_INLINE bool walk_has_two(const struct walk *w, enum decode_field a, enum decode_field b)
{
    return walk_has(w, a) && walk_has(w, b);
}

ALWAYS_INLINE bool walk_ports(struct walk *w)
{
    const uint16_t *column = w->pg->column;
    struct record *r = w->r;
    uint64_t src, dst;
    if (walk_has_two(w, FIELD_SRCPORT, FIELD_DSTPORT) &&
        WEIR_LIKELY(read_two(walk_text(w, column[FIELD_SRCPORT]), walk_text(w, column[FIELD_DSTPORT]), &src, &dst) &&
                    (src | dst) <= UINT16_MAX)) {
        r->src_port = (uint16_t)src;
        r->dst_port = (uint16_t)dst;
        return true;
    }
    return walk_u16(w, FIELD_SRCPORT, &r->src_port) && walk_u16(w, FIELD_DSTPORT, &r->dst_port);
}

ALWAYS_INLINE bool walk_sizes(struct walk *w)
{
    const uint16_t *column = w->pg->column;
    struct record *r = w->r;
    if (walk_has_two(w, FIELD_PACKETS, FIELD_BYTES) &&
        WEIR_LIKELY(read_two(walk_text(w, column[FIELD_PACKETS]), walk_text(w, column[FIELD_BYTES]), &r->packets, &r->bytes)))
        return true;
    return walk_u64(w, FIELD_PACKETS, &r->packets) && walk_u64(w, FIELD_BYTES, &r->bytes);
}

ALWAYS_INLINE bool walk_start_end(struct walk *w)
{
    const uint16_t *column = w->pg->column;
    struct record *r = w->r;
    if (walk_has_two(w, FIELD_START, FIELD_END) &&
        WEIR_LIKELY(read_two_seconds(walk_text(w, column[FIELD_START]), walk_text(w, column[FIELD_END]), &r->start_s, &r->end_s)))
        return true;
    return walk_seconds(w, FIELD_START, &r->start_s) && walk_seconds(w, FIELD_END, &r->end_s);
}

ALWAYS_INLINE bool walk_numbers(struct walk *w)
{
    struct record *r = w->r;
    return walk_ip(w, FIELD_SRCADDR, &r->src) && walk_ip(w, FIELD_DSTADDR, &r->dst) && walk_ports(w) &&
           walk_u8(w, FIELD_PROTOCOL, &r->protocol) && walk_sizes(w) && walk_start_end(w) &&
           walk_pkt_ip(w, FIELD_PKT_SRCADDR, FIELD_SRCADDR, r->src, &r->pkt_src) &&
           walk_pkt_ip(w, FIELD_PKT_DSTADDR, FIELD_DSTADDR, r->dst, &r->pkt_dst) &&
           walk_u16(w, FIELD_TCP_FLAGS, &r->tcp_flags) && walk_path(w);
}

#define WORD_ACCEPT 0x545045434341ULL   /* as load_64 sees it */
#define WORD_REJECT 0x5443454a4552ULL
#define WORD_INGRESS 0x73736572676e69ULL
#define WORD_EGRESS 0x737365726765ULL

ALWAYS_INLINE bool walk_action(struct walk *w)
{
    if (!walk_has(w, FIELD_ACTION))
        return true;
    struct slice text = walk_text(w, w->pg->column[FIELD_ACTION]);
    uint64_t word = load_64(text.p) & 0xffffffffffffULL;
    unsigned action = (unsigned)(word == WORD_ACCEPT) * ACTION_ACCEPT + (unsigned)(word == WORD_REJECT) * ACTION_REJECT;
    if (WEIR_LIKELY(text.n == 6 && action)) {
        w->r->action = (uint8_t)action;
        return true;
    }
    struct rare found = rare_action(text);
    w->r->action = ACTION_NONE;
    return walk_rare(w, FIELD_ACTION, &found);
}

ALWAYS_INLINE bool walk_status(struct walk *w)
{
    if (!walk_has(w, FIELD_LOG_STATUS))
        return true;
    struct slice text = walk_text(w, w->pg->column[FIELD_LOG_STATUS]);
    w->r->status = STATUS_OK;
    if (WEIR_LIKELY(text.n == 2 && text.p[0] == 'O' && text.p[1] == 'K'))
        return true;
    struct rare found = rare_status(text);
    w->r->status = (uint8_t)found.value;
    return walk_rare(w, FIELD_LOG_STATUS, &found);
}

ALWAYS_INLINE void walk_direction(struct walk *w)
{
    if (!walk_has(w, FIELD_FLOW_DIRECTION))
        return;
    struct slice text = walk_text(w, w->pg->column[FIELD_FLOW_DIRECTION]);
    uint64_t word = load_64(text.p);
    bool in = text.n == 7 && (word & 0xffffffffffffffULL) == WORD_INGRESS;
    bool out = text.n == 6 && (word & 0xffffffffffffULL) == WORD_EGRESS;
    w->r->direction = (uint8_t)(in * DIRECTION_INGRESS + out * DIRECTION_EGRESS);
    if (WEIR_UNLIKELY(!in && !out))
        w->has &= ~HAS_BIT(FLOW_DIRECTION);
}

ALWAYS_INLINE void walk_kinds(struct walk *w)
{
    if (walk_has(w, FIELD_REJECT_REASON)) {
        struct slice text = walk_text(w, w->pg->column[FIELD_REJECT_REASON]);
        if (text.n == 0 || (text.n == 1 && text.p[0] == '-'))
            w->has &= ~HAS_BIT(REJECT_REASON);
    }
    if (walk_has(w, FIELD_INTERFACE_TYPE))
        w->r->forwarder_type = rare_is_forwarder(walk_text(w, w->pg->column[FIELD_INTERFACE_TYPE]));
}

/* A needed value is absent. Allowed where the VPC itself refused the packets: Block Public Access gives no byte counts. */
ALWAYS_INLINE bool walk_complete(struct walk *w)
{
    const uint64_t needed = HAS_BIT(SRCADDR) | HAS_BIT(DSTADDR) | HAS_BIT(BYTES) | HAS_BIT(START);
    uint64_t missing = w->pg->has & needed & ~w->has;
    if (WEIR_LIKELY(!missing))
        return true;
    if (missing == HAS_BIT(BYTES) && w->r->action == ACTION_REJECT && (w->has & HAS_BIT(REJECT_REASON))) {
        w->notes |= NOTE_BIT(ZERO_MISMATCH);
        return true;
    }
    return walk_refuse(w, REJECT_MISSING_VALUE, (unsigned)__builtin_ctzll(missing));
}

ALWAYS_INLINE bool walk_pair(struct walk *w, struct ip a, struct ip b, enum decode_field fa, enum decode_field fb)
{
    uint64_t both = 1ULL << fa | 1ULL << fb;
    if ((w->has & both) == both && ip_is_v4(a) != ip_is_v4(b))
        return walk_refuse(w, REJECT_FAMILY, fb);
    return true;
}

/* An IP packet has at least 20 and at most 65535 bytes: 20 p <= b <= 65535 p, in one comparison of b - 20 p as an unsigned number.
 * Bytes without packets and packets without bytes fail it too. Counts that would overflow it are not plausible either. */
ALWAYS_INLINE uint32_t walk_size_notes(const struct record *r)
{
    uint64_t p = r->packets;
    if (WEIR_LIKELY(r->bytes - 20 * p <= 65515 * p && p >> 47 == 0 && p))
        return 0;
    return (r->bytes == 0) == (p == 0) ? (p ? NOTE_BIT(IMPLAUSIBLE_SIZE) : 0) : NOTE_BIT(ZERO_MISMATCH);
}

ALWAYS_INLINE bool walk_traffic(struct walk *w)
{
    const uint64_t sizes = HAS_BIT(BYTES) | HAS_BIT(PACKETS), ends = HAS_BIT(SRCADDR) | HAS_BIT(DSTADDR);
    struct record *r = w->r;
    if (!walk_complete(w))
        return false;
    if (WEIR_UNLIKELY(w->other_family) && (!walk_pair(w, r->src, r->dst, FIELD_SRCADDR, FIELD_DSTADDR) ||
                                           !walk_pair(w, r->pkt_src, r->pkt_dst, FIELD_PKT_SRCADDR, FIELD_PKT_DSTADDR)))
        return false;
    if (WEIR_LIKELY((w->has & sizes) == sizes))
        w->notes |= walk_size_notes(r);
    if (WEIR_UNLIKELY(ip_eq(r->src, r->dst) && (w->has & ends) == ends))
        w->notes |= NOTE_BIT(SAME_ENDS);
    if (WEIR_UNLIKELY((w->pg->has & ~w->has) & HAS_BIT(ACTION)))
        w->notes |= NOTE_BIT(NO_ACTION);
    return true;
}

ALWAYS_INLINE bool walk_times(struct walk *w)
{
    const uint64_t both = HAS_BIT(START) | HAS_BIT(END);
    struct record *r = w->r;
    if (WEIR_UNLIKELY((w->has & both) != both)) {
        if (w->has & HAS_BIT(START)) {
            w->notes |= w->pg->has & HAS_BIT(END) ? NOTE_BIT(NO_END) : 0;
            r->end_s = r->start_s;
        }
        return true;
    }
    if (WEIR_UNLIKELY((uint64_t)(r->end_s - r->start_s) > 700)) {
        if (r->end_s < r->start_s)
            return walk_refuse(w, REJECT_TIME_ORDER, FIELD_END);
        w->notes |= NOTE_BIT(LONG_INTERVAL);
    }
    return true;
}

ALWAYS_INLINE bool walk_sense(struct walk *w)
{
    const uint64_t filled = HAS_BIT(SRCADDR) | HAS_BIT(DSTADDR) | HAS_BIT(BYTES) | HAS_BIT(PACKETS);
    struct record *r = w->r;
    if (!walk_times(w))
        return false;
    if (WEIR_UNLIKELY(r->tcp_flags > 63 && (w->has & HAS_BIT(TCP_FLAGS))))
        w->notes |= NOTE_BIT(ODD_FLAGS);
    if (WEIR_UNLIKELY((w->has >> FIELD_TRAFFIC_PATH & 1) & (r->traffic_path - 1u > 7u)))
        w->notes |= NOTE_BIT(ODD_PATH);
    if (WEIR_LIKELY(r->status == STATUS_OK))
        return walk_traffic(w);
    if (w->has & filled)
        w->notes |= NOTE_BIT(NODATA_FILLED);
    return true;
}

/* The layout is a guess: a version other than 2 or an unknown status shows that it is wrong. */
ALWAYS_INLINE bool walk_strict(struct walk *w)
{
    struct slice version = walk_text(w, w->pg->column[FIELD_VERSION]);
    if (version.n != 1 || version.p[0] != '2' || (w->notes & NOTE_BIT(ODD_STATUS)))
        return walk_refuse(w, REJECT_NO_LAYOUT, FIELD_VERSION);
    return true;
}

ALWAYS_INLINE bool walk_line(struct walk *w)
{
    w->has = w->pg->has;
    if (w->pg->prefix && !is_time(walk_text(w, 0)))
        return walk_refuse(w, REJECT_TIMESTAMP, FIELD_COUNT);
    if (!walk_ids(w) || !walk_numbers(w) || !walk_action(w) || !walk_status(w))
        return false;
    walk_direction(w);
    walk_kinds(w);
    if (!walk_sense(w) || (w->pg->strict && !walk_strict(w)))
        return false;
    w->r->has = w->has;
    return true;
}

#endif
