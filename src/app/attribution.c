/* SPDX-License-Identifier: Apache-2.0 */
/* One record through flow: which interface, whose bytes. Learns own addresses per object; when one is contradicted, the
 * object is read again with that interface marked, so that the result never depends on the order of lines. */
#include <stdlib.h>
#include <string.h>

#include "app/coverage.h"
#include "app/pipeline.h"

/* ---- interfaces whose own address is contradicted in this object, by a hash of their name ---- */

static uint64_t conflict_key(struct slice id, bool v4) { return hash_u64x2(hash_bytes(id.p, id.n), v4) | 1; /* never 0 */ }

/* What other objects taught may be what is contradicted: then read again without it, and only then mark the interface. As many as the window
 * has interfaces, so that the order of lines never shows. */
static void mark_conflict(struct attribution *a, uint32_t interface, bool v4)
{
    struct interface_name name;
    a->again |= a->hinted;
    if (a->hinted)
        return;
    window_name(a->window, interface, &name);
    if (key_set_add(&a->conflicts, conflict_key(name.id, v4)))
        a->again = true;
    else
        a->nomem = true;
}

static void preset_conflicts(struct attribution *a, uint32_t interface, struct slice id)
{
    for (unsigned v4 = 0; a->conflicts.n && v4 < 2; v4++)
        if (key_set_has(&a->conflicts, conflict_key(id, v4)))
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

static struct flow_own *learn(struct attribution *a, uint32_t interface, const struct record *r, struct flow_ends ends)
{
    bool v4 = ip_is_v4(r->src);
    struct flow_own *own = window_own(a->window, interface, v4);
    if (own->state == OWN_CONFLICT)
        return own;
    flow_learn(own, r, ends);
    if (WEIR_UNLIKELY(own->state == OWN_CONFLICT))
        mark_conflict(a, interface, v4);
    return own;
}

static void note_time(struct run_counts *c, const struct record *r)
{
    if (!RECORD_HAS(r, START))
        return;
    if (WEIR_UNLIKELY((uint64_t)r->start_s - 1 < (uint64_t)c->first_s - 1)) /* 0: none so far */
        c->first_s = r->start_s;
    if (WEIR_UNLIKELY(r->end_s > c->last_s))
        c->last_s = r->end_s;
}

/* True if the record's day takes no more sums. */
static bool out_of_time(struct attribution *a, const struct record *r)
{
    if (WEIR_UNLIKELY(r->start_s > a->future_s || r->end_s > a->future_s)) {
        a->counts->records_future++;
        return true;
    }
    if (WEIR_UNLIKELY(r->start_s < (a->closed_through + 1) * (int64_t)DAY_S)) {
        a->counts->records_late++;
        return true;
    }
    note_time(a->counts, r);
    return false;
}

/* Nothing to sum, but the interface was heard of. */
static void note_quiet(struct attribution *a, struct slice account, struct slice interface, int64_t start_s)
{
    if (a->quiet->n < COVERAGE_INTERFACES_MAX && !key_set_add(a->quiet, coverage_key(account, interface, (uint16_t)(start_s / DAY_S))))
        a->nomem = true;
}

static void note_uncharged(struct attribution *a, uint32_t interface, const struct record *r)
{
    uint16_t day = (uint16_t)(r->start_s / DAY_S);
    if (!a->quiet || (a->quiet_last == interface && a->quiet_day == day))
        return;
    note_quiet(a, r->account, r->interface, r->start_s);
    a->quiet_last = interface;
    a->quiet_day = day;
}

static void attribute(struct attribution *a, uint32_t interface, const struct record *r)
{
    WEIR_UNINITIALIZED struct flow f;
    struct flow_ends ends = flow_ends(&a->rules, r);
    enum flow_verdict v = flow_attribute(&a->rules, r, ends, learn(a, interface, r, ends), &f);
    enum flow_verdict told = v == FLOW_HINTED || v == FLOW_PENDING ? FLOW_CHARGED : v; /* which of them depends on what came before */
    a->counts->flows[told]++;
    a->counts->flow_bytes[told] = sat_add(a->counts->flow_bytes[told], RECORD_HAS(r, BYTES) ? r->bytes : 0);
    if (v != FLOW_NOT_TRAFFIC && WEIR_UNLIKELY(f.forwards))
        window_set_forwards(a->window, interface, r->start_s);
    if (v != FLOW_CHARGED && v != FLOW_HINTED && v != FLOW_PENDING) {
        note_uncharged(a, interface, r);
        return;
    }
    a->flow(a->ctx, interface, r, &f, v);
}

void attribution_record(void *attribution, const struct record *r)
{
    struct attribution *a = attribution;
    if (!RECORD_HAS(r, START) || out_of_time(a, r))
        return;
    if (r->status == STATUS_NODATA) {
        if (a->quiet)
            note_quiet(a, r->account, r->interface, r->start_s);
        return;
    }
    uint32_t interface = record_interface(a, r);
    if (interface == WINDOW_NO_INTERFACE) {
        a->counts->folded++;
        return;
    }
    if (r->status == STATUS_SKIPDATA) {
        note_uncharged(a, interface, r);
        a->gap(a->ctx, interface, r);
        return;
    }
    attribute(a, interface, r);
}

/* The hosts of this object, each once. */
static bool note_captured(struct attribution *a, uint32_t interface)
{
    if (interface >= a->captured_ins) {
        uint32_t n = interface + 1024, *in = realloc(a->captured_in, n * sizeof *in);
        if (!in)
            return false;
        memset(in + a->captured_ins, 0, (n - a->captured_ins) * sizeof *in);
        a->captured_in = in;
        a->captured_ins = n;
    }
    if (a->captured_in[interface] == a->object_no)
        return true;
    uint32_t *list = array_grow(a->captured, &a->captured_cap, a->captured_n, sizeof *list);
    if (!list)
        return false;
    a->captured = list;
    list[a->captured_n++] = interface;
    a->captured_in[interface] = a->object_no;
    return true;
}

void attribution_captured(struct attribution *a, const struct record *r, void (*take)(void *ctx, const struct record *r), void *ctx)
{
    struct flow_captured c;
    if (r->status == STATUS_SKIPDATA) { /* packets were lost: whose, nobody knows */
        for (size_t i = 0; i < a->captured_n && !out_of_time(a, r); i++)
            a->gap(a->ctx, a->captured[i], r);
        return;
    }
    flow_captured(&a->rules, r, &c);
    for (size_t i = 0; i < c.n; i++) {
        uint32_t interface = record_interface(a, &c.side[i]);
        a->nomem |= interface != WINDOW_NO_INTERFACE && !note_captured(a, interface);
        take(ctx, &c.side[i]);
    }
    if (c.n || out_of_time(a, r))
        return;
    a->counts->flows[FLOW_UNKNOWN]++;
    a->counts->flow_bytes[FLOW_UNKNOWN] = sat_add(a->counts->flow_bytes[FLOW_UNKNOWN], r->bytes);
}

static void restart(struct attribution *a)
{
    memset(a->counts, 0, sizeof *a->counts);
    a->again = false;
    a->interfaces_seen = 0;
    a->captured_n = 0;
    a->object_no++;
    a->last = a->quiet_last = WINDOW_NO_INTERFACE;
    if (a->quiet)
        key_set_clear(a->quiet);
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
    key_set_clear(&a->conflicts);
    a->flow_log = o->from.flow_log;
}

void attribution_fini(struct attribution *a)
{
    free(a->captured);
    free(a->captured_in);
    key_set_free(&a->conflicts);
}
