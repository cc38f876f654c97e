/* SPDX-License-Identifier: Apache-2.0 */
/* One record through flow: which interface, whose bytes. Learns own addresses per object; when one is contradicted, the
 * object is read again with that interface marked, so that the result never depends on the order of lines. */
#include <stdlib.h>
#include <string.h>

#include "app/pipeline.h"

/* ---- interfaces whose own address is contradicted in this object, by a hash of their name ---- */

static uint64_t *conflict_slot(const struct conflicts *c, uint64_t key)
{
    size_t at = key & (c->cap - 1);
    while (c->key[at] && c->key[at] != key)
        at = (at + 1) & (c->cap - 1);
    return &c->key[at];
}

static uint64_t conflict_key(struct slice id, bool v4) { return hash_u64x2(hash_bytes(id.p, id.n), v4) | 1; /* 0 is an empty slot */ }

static bool conflicts_grow(struct conflicts *c)
{
    struct conflicts more = {.cap = c->cap ? c->cap * 2 : 64, .n = c->n};
    if (!(more.key = calloc(more.cap, sizeof *more.key)))
        return false;
    for (size_t i = 0; i < c->cap; i++)
        if (c->key[i])
            *conflict_slot(&more, c->key[i]) = c->key[i];
    free(c->key);
    *c = more;
    return true;
}

/* What other objects taught may be what is contradicted: then read again without it, and only then mark the interface. As many as the window
 * has interfaces, so that the order of lines never shows. */
static void mark_conflict(struct attribution *a, uint32_t interface, bool v4)
{
    struct conflicts *c = &a->conflicts;
    struct interface_name name;
    a->again |= a->hinted;
    if (a->hinted)
        return;
    if (c->n * 2 >= c->cap && !conflicts_grow(c)) {
        a->nomem = true;
        return;
    }
    window_name(a->window, interface, &name);
    uint64_t key = conflict_key(name.id, v4), *slot = conflict_slot(c, key);
    c->n += *slot == 0;
    *slot = key;
    a->again = true;
}

static void preset_conflicts(struct attribution *a, uint32_t interface, struct slice id)
{
    for (unsigned v4 = 0; a->conflicts.n && v4 < 2; v4++)
        if (*conflict_slot(&a->conflicts, conflict_key(id, v4)))
            window_own(a->window, interface, v4)->state = OWN_CONFLICT;
}

/* memcmp by words: identifiers are of 12 and 21 bytes, and this is done for every record. */
static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    if (n < 8)
        return memcmp(a, b, n) == 0;
    for (size_t i = 0; i + 8 <= n; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            return false;
    }
    memcpy(&x, a + n - 8, 8);
    memcpy(&y, b + n - 8, 8);
    return x == y;
}

static inline bool same_as_last(const struct attribution *a, const struct record *r)
{
    return a->last != WINDOW_NO_INTERFACE && r->interface.n == a->last_id_n && r->account.n == a->last_account_n && (r->vpc.n != 0) == a->last_vpc &&
           same_bytes(r->interface.p, a->last_id, a->last_id_n) && same_bytes(r->account.p, a->last_account, a->last_account_n);
}

static void remember(struct attribution *a, const struct record *r, uint32_t interface)
{
    a->last = WINDOW_NO_INTERFACE;
    if (r->interface.n > sizeof a->last_id || r->account.n > sizeof a->last_account || !r->interface.n || !r->account.n)
        return;
    memcpy(a->last_id, r->interface.p, r->interface.n);
    memcpy(a->last_account, r->account.p, r->account.n);
    a->last_id_n = r->interface.n;
    a->last_account_n = r->account.n;
    a->last_vpc = r->vpc.n != 0;
    a->last = interface;
}

static uint32_t record_interface(struct attribution *a, const struct record *r)
{
    if (WEIR_LIKELY(same_as_last(a, r)))
        return a->last;
    struct interface_name name = {r->account, r->interface, a->flow_log, r->vpc};
    uint32_t interface = window_interface(a->window, &name);
    if (interface == WINDOW_NO_INTERFACE)
        return interface;
    if (interface >= a->interfaces_seen) {
        a->interfaces_seen = interface + 1;
        preset_conflicts(a, interface, r->interface);
    }
    remember(a, r, interface);
    return interface;
}

static struct flow_own *learn(struct attribution *a, uint32_t interface, const struct record *r)
{
    bool v4 = ip_is_v4(r->src);
    struct flow_own *own = window_own(a->window, interface, v4);
    if (own->state == OWN_CONFLICT || r->direction != DIRECTION_NONE || r->transit_gateway)
        return own;
    struct ip src = r->src, dst = r->dst;
    flow_own_ends(&a->rules, &src, &dst);
    flow_own_learn(own, src, dst);
    if (own->state == OWN_CONFLICT)
        mark_conflict(a, interface, v4);
    return own;
}

static void note_time(struct run_counts *c, const struct record *r)
{
    if (!RECORD_HAS(r, START))
        return;
    if (!c->first_s || r->start_s < c->first_s)
        c->first_s = r->start_s;
    if (r->end_s > c->last_s)
        c->last_s = r->end_s;
}

/* True if the record's day takes no more sums. */
static bool out_of_time(struct attribution *a, const struct record *r)
{
    if (WEIR_UNLIKELY(r->start_s > a->future_s || r->end_s > a->future_s)) {
        a->counts->records_future++;
        return true;
    }
    if (WEIR_UNLIKELY(r->start_s / DAY_S <= a->closed_through)) {
        a->counts->records_late++;
        return true;
    }
    note_time(a->counts, r);
    return false;
}

/* ---- connections seen lately ---- */

static inline uint64_t repeat_addresses(const struct record *r) { return (uint64_t)ip_v4(r->src) << 32 | ip_v4(r->dst); }

static inline uint64_t repeat_rest(const struct record *r)
{
    return (uint64_t)r->src_port << 48 | (uint64_t)r->dst_port << 32 | (uint64_t)r->protocol << 24 | (uint64_t)(r->tcp_flags & 18) << 8 |
           (uint64_t)r->direction;
}

#define PACKET_ENDS ((1ULL << FIELD_PKT_SRCADDR) | (1ULL << FIELD_PKT_DSTADDR))
#define BASICS ((1ULL << FIELD_SRCADDR) | (1ULL << FIELD_DSTADDR) | (1ULL << FIELD_SRCPORT) | (1ULL << FIELD_DSTPORT) | \
                (1ULL << FIELD_PROTOCOL) | (1ULL << FIELD_BYTES))

/* Where a plain accepted IPv4 record would be remembered; NULL for any other. */
static inline struct repeat *repeat_of(struct attribution *a, uint32_t interface, const struct record *r)
{
    if ((r->has & BASICS) != BASICS || r->action == ACTION_REJECT || r->forwarder_type || r->transit_gateway || !r->bytes || !ip_is_v4(r->src) ||
        !ip_is_v4(r->dst))
        return NULL;
    if ((r->has & PACKET_ENDS) && (!ip_eq(r->src, r->pkt_src) || !ip_eq(r->dst, r->pkt_dst) || (r->has & PACKET_ENDS) != PACKET_ENDS))
        return NULL;
    uint64_t h = (repeat_addresses(r) ^ repeat_rest(r) ^ interface) * 0x9e3779b97f4a7c15ULL;
    return &a->repeat[h >> 53];
}

static inline bool repeat_is(const struct repeat *known, uint32_t interface, const struct record *r)
{
    return known->addresses == repeat_addresses(r) && known->rest == repeat_rest(r) && known->interface == interface;
}

static void attribute(struct attribution *a, uint32_t interface, const struct record *r, struct repeat *known)
{
    WEIR_UNINITIALIZED struct flow f;
    enum flow_verdict v = flow_attribute(&a->rules, r, learn(a, interface, r), &f);
    enum flow_verdict told = v == FLOW_HINTED || v == FLOW_PENDING ? FLOW_CHARGED : v; /* which of them depends on what came before */
    a->counts->flows[told]++;
    a->counts->flow_bytes[told] = sat_add(a->counts->flow_bytes[told], RECORD_HAS(r, BYTES) ? r->bytes : 0);
    if (v != FLOW_NOT_TRAFFIC && WEIR_UNLIKELY(f.forwards))
        window_set_forwards(a->window, interface, r->start_s);
    if (v != FLOW_CHARGED && v != FLOW_HINTED && v != FLOW_PENDING)
        return;
    struct window_place place = {0, 0, 0};
    a->flow(a->ctx, interface, r, &f, v, &place);
    if (known && place.filling) /* a hinted place stays right: the record that confirms the hint is no repeat */
        *known = (struct repeat){repeat_addresses(r), repeat_rest(r), interface, f.out, f.external, place};
}

void attribution_record(void *attribution, const struct record *r)
{
    struct attribution *a = attribution;
    if (!RECORD_HAS(r, START) || out_of_time(a, r))
        return;
    if (r->status == STATUS_NODATA)
        return;
    uint32_t interface = record_interface(a, r);
    if (interface == WINDOW_NO_INTERFACE) {
        a->counts->folded++;
        return;
    }
    if (r->status == STATUS_SKIPDATA) {
        a->gap(a->ctx, interface, r);
        return;
    }
    struct repeat *known = repeat_of(a, interface, r);
    if (known && repeat_is(known, interface, r) && window_add_again(a->window, &known->place, known->out, known->external, r->start_s, r->bytes)) {
        a->counts->flows[FLOW_CHARGED]++;
        a->counts->flow_bytes[FLOW_CHARGED] = sat_add(a->counts->flow_bytes[FLOW_CHARGED], r->bytes);
        return;
    }
    attribute(a, interface, r, known);
}

static void restart(struct attribution *a)
{
    memset(a->counts, 0, sizeof *a->counts);
    a->again = false;
    a->interfaces_seen = 0;
    a->last = WINDOW_NO_INTERFACE;
}

void attribution_again(struct attribution *a)
{
    window_reset(a->window);
    a->hinted = false;
    restart(a);
}

void attribution_begin(struct attribution *a, const struct object *o)
{
    window_reuse(a->window);
    a->hinted = true;
    restart(a);
    if (a->conflicts.n)
        memset(a->conflicts.key, 0, a->conflicts.cap * sizeof *a->conflicts.key);
    a->conflicts.n = 0;
    a->flow_log = o->from.flow_log;
}

void attribution_fini(struct attribution *a)
{
    free(a->conflicts.key);
}
