/* See capture_flows.h. The table is emitted as a whole when a packet of a later minute comes, when it is full and at the end, in the
 * order of first packets, so that the records are a function of the object alone. A flow that is cut by a full table is two records:
 * nothing is lost. Fragments and copies live in small tables of sets of four, whose places come from a fixed hash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/capture_flows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/capture_seen.h"

#define INDEX_SLOTS (CAPTURE_FLOWS_MAX * 2)
#define WAYS 4
#define FRAGMENT_NS (30 * 1000000000LL)
#define COPY_NS (10 * 1000000LL)
#define COPY_BYTES 64
#define NAME_MAX_BYTES 16
#define NS 1000000000LL
#define PROTO_TCP 6

struct key {
    struct ip src, dst;
    uint32_t vni;
    uint16_t src_port, dst_port;
    uint8_t protocol, has_vni;
};

#define KEY_WORDS (sizeof(struct key) / sizeof(uint64_t))
_Static_assert(sizeof(struct key) % sizeof(uint64_t) == 0, "a key is whole words");

struct entry {
    struct key key;
    uint32_t minute, slot; /* in the index */
    uint32_t seen; /* see capture_seen.h */
    uint16_t tcp_flags;
    uint64_t bytes, packets, first_packet;
    int64_t first_s, last_s;
};

struct fragment {
    struct ip src, dst;
    int64_t time_ns;
    uint32_t id;
    uint16_t src_port, dst_port;
    uint8_t protocol;
    bool used;
};

struct copy {
    uint64_t print, point;
    int64_t time_ns;
};

struct capture_flows {
    struct decode_out *out;
    struct capture_seen *seen;
    uint32_t entries, last;
    uint32_t minute; /* the latest seen */
    struct entry entry[CAPTURE_FLOWS_MAX];
    uint32_t index[INDEX_SLOTS]; /* entry + 1 */
    struct fragment fragment[CAPTURE_FRAGMENTS_MAX];
    struct copy copy[CAPTURE_SEEN_MAX];
};

struct capture_flows *capture_flows_new(struct decode_out *out)
{
    struct capture_flows *f = malloc(sizeof *f);
    if (!f)
        return NULL;
    f->out = out;
    f->seen = capture_seen_new();
    if (f->seen)
        return f;
    free(f);
    return NULL;
}

void capture_flows_free(struct capture_flows *f)
{
    if (f)
        capture_seen_free(f->seen);
    free(f);
}

void capture_flows_begin(struct capture_flows *f)
{
    f->entries = f->last = f->minute = 0;
    capture_seen_begin(f->seen);
    memset(f->index, 0, sizeof f->index);
    memset(f->fragment, 0, sizeof f->fragment);
    memset(f->copy, 0, sizeof f->copy);
}

/* ---- copies: the same packet seen at another point of the same capture ---- */

static uint64_t print_of(const struct packet *p)
{
    uint64_t h = stable_hash(p->body.p, p->body.n < COPY_BYTES ? p->body.n : COPY_BYTES);
    h = stable_mix(h ^ p->src.lo) + p->src.hi;
    h = stable_mix(h ^ p->dst.lo) + p->dst.hi;
    return stable_mix(h ^ p->bytes << 16 ^ (uint64_t)p->protocol << 8 ^ p->part) | 1;
}

static bool is_copy(struct capture_flows *f, const struct packet *p, int64_t time_ns)
{
    uint64_t print = print_of(p);
    struct copy *set = &f->copy[print % (CAPTURE_SEEN_MAX / WAYS) * WAYS], *oldest = set;
    for (struct copy *c = set; c < set + WAYS; c++) {
        if (c->print == print && c->point != p->point && time_ns - c->time_ns <= COPY_NS && c->time_ns - time_ns <= COPY_NS) {
            c->print = 0; /* a third one is a new packet */
            return true;
        }
        if (c->time_ns < oldest->time_ns)
            oldest = c;
    }
    *oldest = (struct copy){print, p->point, time_ns};
    return false;
}

/* ---- fragments: the ports stand in the first one only ---- */

static bool same_packet(const struct fragment *a, const struct packet *p)
{
    return a->used && a->id == p->fragment_id && a->protocol == p->protocol && ip_eq(a->src, p->src) && ip_eq(a->dst, p->dst);
}

static void take_ports(struct capture_flows *f, struct packet *p, int64_t time_ns)
{
    uint64_t h = stable_mix(p->src.lo ^ stable_mix(p->dst.lo ^ (uint64_t)p->fragment_id << 32));
    struct fragment *set = &f->fragment[h % (CAPTURE_FRAGMENTS_MAX / WAYS) * WAYS], *oldest = set;
    for (struct fragment *a = set; a < set + WAYS; a++) {
        if (same_packet(a, p)) {
            oldest = a;
            break;
        }
        if (oldest->used && (!a->used || a->time_ns < oldest->time_ns))
            oldest = a;
    }
    if (p->part == PART_FIRST) {
        *oldest = (struct fragment){p->src, p->dst, time_ns, p->fragment_id, p->src_port, p->dst_port, p->protocol, true};
    } else if (same_packet(oldest, p) && time_ns - oldest->time_ns <= FRAGMENT_NS) {
        p->src_port = oldest->src_port;
        p->dst_port = oldest->dst_port;
    } else {
        decode_note(f->out, NOTE_PACKET_FRAGMENT);
    }
}

/* ---- flows ---- */

static void emit(struct capture_flows *f, const struct entry *e)
{
    static const uint64_t has = 1ULL << FIELD_SRCADDR | 1ULL << FIELD_DSTADDR | 1ULL << FIELD_SRCPORT | 1ULL << FIELD_DSTPORT |
                                1ULL << FIELD_PROTOCOL | 1ULL << FIELD_PACKETS | 1ULL << FIELD_BYTES | 1ULL << FIELD_START |
                                1ULL << FIELD_END;
    char name[NAME_MAX_BYTES];
    const struct packet ends = {.src = e->key.src, .dst = e->key.dst, .src_port = e->key.src_port, .dst_port = e->key.dst_port, .protocol = e->key.protocol};
    struct record r = {.has = has, .line = e->first_packet, .bytes = e->bytes, .packets = e->packets, .start_s = e->first_s, .end_s = e->last_s,
                       .src = e->key.src, .dst = e->key.dst, .src_port = e->key.src_port, .dst_port = e->key.dst_port,
                       .protocol = e->key.protocol, .tcp_flags = e->tcp_flags, .captured = !e->key.has_vni,
                       .seen = capture_seen_of(f->seen, e->seen, &ends, e->minute)};
    if (e->key.protocol == PROTO_TCP)
        r.has |= 1ULL << FIELD_TCP_FLAGS;
    if (e->key.has_vni) { /* one mirrored interface */
        r.interface = (struct slice){name, (size_t)snprintf(name, sizeof name, "vni-%u", e->key.vni)};
        r.has |= 1ULL << FIELD_INTERFACE_ID;
    }
    decode_emit(f->out, &r);
}

void capture_flows_end(struct capture_flows *f)
{
    for (uint32_t i = 0; i < f->entries; i++) {
        f->index[f->entry[i].slot] = 0; /* most minutes have few flows: the whole index is not cleared for them */
        emit(f, &f->entry[i]);
    }
    f->entries = 0;
    capture_seen_clear(f->seen);
}

/* By words: for every packet. */
static inline bool same_flow(const struct entry *e, const struct key *k, uint32_t minute)
{
    uint64_t a[KEY_WORDS], b[KEY_WORDS], differ = e->minute ^ minute;
    memcpy(a, &e->key, sizeof a);
    memcpy(b, k, sizeof b);
    for (size_t i = 0; i < KEY_WORDS; i++)
        differ |= a[i] ^ b[i];
    return differ == 0;
}

static uint64_t hash_of(const struct key *k, uint32_t minute)
{
    uint64_t ends = (uint64_t)k->src_port << 48 | (uint64_t)k->dst_port << 32 | (uint64_t)k->protocol << 24 | k->has_vni;
    uint64_t hosts = hash_u64x2(k->src.lo ^ k->src.hi << 1, k->dst.lo ^ k->dst.hi << 1);
    return hash_u64x2(hosts, ends ^ stable_mix((uint64_t)minute << 32 | k->vni));
}

static struct entry *entry_of(struct capture_flows *f, const struct key *k, uint32_t minute)
{
    if (f->last < f->entries && same_flow(&f->entry[f->last], k, minute))
        return &f->entry[f->last];
    if (f->entries == CAPTURE_FLOWS_MAX) {
        decode_note(f->out, NOTE_FLOW_TABLE);
        capture_flows_end(f);
    }
    uint64_t at = hash_of(k, minute) % INDEX_SLOTS;
    while (f->index[at] && !same_flow(&f->entry[f->index[at] - 1], k, minute))
        at = (at + 1) % INDEX_SLOTS;
    if (!f->index[at]) {
        f->entry[f->entries] = (struct entry){.key = *k, .minute = minute, .slot = (uint32_t)at};
        f->index[at] = ++f->entries;
    }
    f->last = f->index[at] - 1;
    return &f->entry[f->last];
}

static struct key key_of(const struct packet *p)
{
    struct key k;
    memset(&k, 0, sizeof k); /* with its padding: keys are compared as bytes */
    k.src = p->src;
    k.dst = p->dst;
    k.vni = p->vni;
    k.src_port = p->src_port;
    k.dst_port = p->dst_port;
    k.protocol = p->protocol;
    k.has_vni = p->has_vni;
    return k;
}

void capture_flows_add(struct capture_flows *f, struct packet *p, int64_t time_ns, uint64_t number)
{
    if (p->point && is_copy(f, p, time_ns)) {
        decode_note(f->out, NOTE_PACKET_DUPLICATE);
        return;
    }
    if (p->part != PART_WHOLE)
        take_ports(f, p, time_ns);
    int64_t second = time_ns / NS;
    uint32_t minute = (uint32_t)(second / CAPTURE_WINDOW_S);
    if (minute > f->minute || capture_seen_full(f->seen)) {
        capture_flows_end(f);
        f->minute = minute > f->minute ? minute : f->minute;
    }
    struct key k = key_of(p);
    struct entry *e = entry_of(f, &k, minute);
    if (!e->packets || second < e->first_s)
        e->first_s = second;
    if (!e->packets || second > e->last_s)
        e->last_s = second;
    if (!e->packets)
        e->first_packet = number;
    e->packets++;
    e->bytes += p->bytes;
    e->tcp_flags |= p->tcp_flags;    if (capture_seen_add(f->seen, &e->seen, p, minute))
        decode_note(f->out, NOTE_NAMES_TABLE);
}
