/* SPDX-License-Identifier: Apache-2.0 */
/* Storage of a window: growing arrays, chained hashes, the pool of hours. Nothing is freed one by one but cells that
 * sampling folds away; a reset keeps the memory. Growth is by doubling: large blocks move by remapping, not by copying. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

const struct window_limits window_default_limits = {.max_groups = 4096, .max_big_groups = 65536, .max_hosts = 4000000};


bool grow(void *array_pointer, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return true;
    uint32_t n = *cap ? *cap : FIRST_CAP;
    while (n < need) {
        if (n >= INDEX_MAX)
            return false;
        n *= 2;
    }
    void *old;
    memcpy(&old, array_pointer, sizeof old);
    void *p = realloc(old, (size_t)n * size);
    if (!p)
        return false;
    memcpy(array_pointer, &p, sizeof p);
    *cap = n;
    return true;
}

/* ---- slots ---- */

bool slots_resize(struct slots *s)
{
    uint32_t size = s->slot ? (s->mask + 1) * 2 : FIRST_CAP;
    uint32_t *p = malloc((size_t)size * sizeof *p);
    if (!p)
        return false;
    free(s->slot);
    s->slot = p;
    s->mask = size - 1;
    slots_clear(s);
    return true;
}

void slots_clear(struct slots *s)
{
    if (s->slot)
        memset(s->slot, 0xff, ((size_t)s->mask + 1) * sizeof *s->slot);
    s->used = 0;
}

void slots_put(struct slots *s, uint64_t hash, uint32_t k)
{
    uint32_t i = slots_first(s, hash);
    while (s->slot[i] < SLOT_GONE)
        i = (i + 1) & s->mask;
    s->used += s->slot[i] == SLOT_EMPTY;
    s->slot[i] = slot_tag(hash) | k;
}

void slots_remove(struct slots *s, uint64_t hash, uint32_t k)
{
    uint32_t i = slots_first(s, hash);
    while (s->slot[i] != (slot_tag(hash) | k))
        i = (i + 1) & s->mask;
    s->slot[i] = SLOT_GONE;
}

/* ---- windows ---- */

struct window *window_new(const struct window_limits *limits, bool learns)
{
    struct window *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->limits = *limits;
    w->learns = learns;
    window_reset(w);
    return w;
}

void window_free(struct window *w)
{
    if (!w)
        return;
    free(w->interface);
    free(w->own);
    free(w->row);
    free(w->cell);
    free(w->pool);
    free(w->text);
    free(w->interface_slots.slot);
    free(w->row_slots.slot);
    free(w->cell_slots.slot);
    order_free(w);
    free(w->to);
    free(w);
}

void sums_reset(struct window *w)
{
    if (w->rows)
        slots_clear(&w->row_slots);
    if (w->cells)
        slots_clear(&w->cell_slots);
    w->rows = w->cells = w->pool_n = w->days = w->cells_free = w->rows_free = 0;
    w->free_cell = NIL;
    w->nomem = false;
    memset(w->free_block, 0xff, sizeof w->free_block);
    w->order.day = 0;
    w->stats = (struct window_stats){0};
}

/* Another one for every reset of every window: addresses come again, and so would theirs. */
static uint64_t next_seed(void)
{
    static _Atomic uint64_t resets;
    return hash_u64x2(++resets, 0);
}

void window_reset(struct window *w)
{
    sums_reset(w);
    slots_clear(&w->interface_slots);
    w->interfaces = w->text_n = 0;
    w->round = 0;
    w->last_account = w->last_flow_log = w->last_vpc = NIL;
    memset(w->name_seen, 0xff, sizeof w->name_seen);
    w->seed = next_seed();
    w->to_seed = 0;
}

#define REUSE_MAX 65536 /* interfaces kept from object to object; more would cost memory and save little */

void window_reuse(struct window *w)
{
    if (w->interfaces > REUSE_MAX || w->round == UINT16_MAX) {
        window_reset(w);
        return;
    }
    sums_reset(w);
    w->round++;
}

/* An interface that was met in an earlier object: its sums are gone, of what was learned the certain part stays. */
static void interface_refresh(struct window *w, uint32_t k)
{
    w->interface[k].round = w->round;
    w->interface[k].last_row = NIL;
    w->interface[k].forwards_day = 0;
    for (unsigned family = 0; w->learns && family < 2; family++)
        w->own[k][family].state = w->own[k][family].state == OWN_ONE || w->own[k][family].state >= OWN_HINT ? OWN_HINT : OWN_NONE;
}

uint64_t window_memory_bytes(const struct window *w)
{
    return (uint64_t)w->interfaces * (sizeof *w->interface + 4) + w->text_n + (uint64_t)w->rows * (sizeof *w->row + 4) +
           (uint64_t)w->cells * (sizeof *w->cell + 6) + (uint64_t)w->pool_n * sizeof *w->pool;
}

/* ---- text: u16 length, then bytes ---- */

struct slice text_at(const struct window *w, uint32_t offset)
{
    uint16_t n;
    memcpy(&n, w->text + offset, sizeof n);
    return (struct slice){w->text + offset + sizeof n, n};
}

static uint32_t text_put(struct window *w, struct slice s)
{
    if (s.n > UINT16_MAX || !grow(&w->text, &w->text_cap, w->text_n + 2 + (uint32_t)s.n, 1))
        return NIL;
    uint32_t at = w->text_n;
    uint16_t n = (uint16_t)s.n;
    memcpy(w->text + at, &n, sizeof n);
    if (n)
        memcpy(w->text + at + sizeof n, s.p, n);
    w->text_n += 2u + n;
    return at;
}

/* Accounts, flow logs and VPCs are few and repeat: the last is remembered by the caller, further ones by their hash. */
static uint32_t text_put_repeated(struct window *w, struct slice s, uint32_t *last, uint64_t *hash)
{
    if (*last != NIL && slice_eq(text_at(w, *last), s))
        return *last;
    *hash = 0;
    uint32_t *seen = &w->name_seen[hash_bytes(s.p, s.n) % WEIR_COUNT(w->name_seen)];
    if (*seen == NIL || !slice_eq(text_at(w, *seen), s))
        *seen = text_put(w, s);
    return *last = *seen;
}

/* ---- interfaces ---- */

/* The hash of a text that is as a rule the last one put. */
static uint64_t repeated_hash(const struct window *w, struct slice s, uint32_t last, uint64_t *hash)
{
    if (last == NIL || !slice_eq(text_at(w, last), s))
        return hash_bytes(s.p, s.n);
    if (!*hash)
        *hash = hash_bytes(s.p, s.n);
    return *hash;
}

/* The same in every window of this process, so that merging need not hash again. */
static uint64_t name_hash(struct window *w, const struct interface_name *n)
{
    uint64_t account = repeated_hash(w, n->account, w->last_account, &w->account_hash);
    uint64_t flow_log = repeated_hash(w, n->flow_log, w->last_flow_log, &w->flow_log_hash);
    return hash_u64x2(hash_bytes(n->id.p, n->id.n), hash_u64x2(account, flow_log));
}

static bool interface_slots_ready(struct window *w)
{
    if (!slots_full(&w->interface_slots))
        return true;
    if (!slots_resize(&w->interface_slots))
        return false;
    for (uint32_t k = 0; k < w->interfaces; k++)
        slots_put(&w->interface_slots, w->interface[k].hash, k);
    return true;
}

static uint32_t interface_make(struct window *w, const struct interface_name *name, uint64_t hash)
{
    if (w->interfaces >= w->limits.max_hosts || !grow(&w->interface, &w->interfaces_cap, w->interfaces + 1, sizeof *w->interface))
        return NIL;
    if (w->learns) {
        if (!grow(&w->own, &w->own_cap, w->interfaces + 1, sizeof *w->own))
            return NIL;
        memset(w->own[w->interfaces], 0, sizeof w->own[0]);
    }
    uint64_t unused = 0;
    struct interface made = {.hash = hash, .account = text_put_repeated(w, name->account, &w->last_account, &w->account_hash),
                             .id = text_put(w, name->id), .flow_log = text_put_repeated(w, name->flow_log, &w->last_flow_log, &w->flow_log_hash),
                             .vpc = text_put_repeated(w, name->vpc, &w->last_vpc, &unused), .last_row = NIL, .round = w->round};
    if (made.account == NIL || made.id == NIL || made.flow_log == NIL || made.vpc == NIL)
        return NIL;
    if (!interface_slots_ready(w))
        return NIL;
    slots_put(&w->interface_slots, hash, w->interfaces);
    w->interface[w->interfaces] = made;
    return w->interfaces++;
}

/* The VPC is no part of the name: records without it (SKIPDATA) may come first. Of several the smallest stays, whatever the order. */
static void take_vpc(struct window *w, uint32_t k, struct slice vpc)
{
    struct interface *i = &w->interface[k];
    struct slice known = text_at(w, i->vpc);
    if (known.n && slice_cmp(known, vpc) <= 0)
        return;
    uint64_t unused = 0;
    uint32_t at = text_put_repeated(w, vpc, &w->last_vpc, &unused);
    i->vpc = at == NIL ? i->vpc : at;
    if (k < w->to_cap)
        w->to[k] = NIL; /* the window merged into must hear of it */
}

static uint32_t interface_find(const struct window *w, uint64_t hash)
{
    uint32_t at = slots_first(&w->interface_slots, hash), k;
    while ((k = slots_next(&w->interface_slots, hash, &at)) != NIL && w->interface[k].hash != hash)
        ;
    return k;
}

uint32_t interface_get(struct window *w, const struct interface_name *name, uint64_t hash)
{
    uint32_t k = interface_find(w, hash);
    if (k == NIL) {
        k = interface_make(w, name, hash);
        w->nomem |= k == NIL && w->interfaces < w->limits.max_hosts;
        return k;
    }
    if (w->interface[k].round != w->round)
        interface_refresh(w, k);
    if (name->vpc.n)
        take_vpc(w, k, name->vpc);
    return k;
}

uint32_t window_interface(struct window *w, const struct interface_name *name) { return interface_get(w, name, name_hash(w, name)); }

void interface_prefetch(const struct window *w, uint64_t hash)
{
    uint32_t k = slots_guess(&w->interface_slots, hash);
    if (k != NIL)
        __builtin_prefetch(&w->interface[k]);
}

void window_name(const struct window *w, uint32_t interface, struct interface_name *out)
{
    const struct interface *i = &w->interface[interface];
    *out = (struct interface_name){text_at(w, i->account), text_at(w, i->id), text_at(w, i->flow_log), text_at(w, i->vpc)};
}

struct flow_own *window_own(struct window *w, uint32_t interface, bool v4) { return &w->own[interface][v4]; }

/* ---- rows ---- */

static inline uint64_t row_hash(const struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    uint64_t who = ip_is_v4(host) ? host.lo : mix(w, host.hi, host.lo);
    return mix(w, who, (uint64_t)interface << 32 | (uint64_t)day << 3 | (uint64_t)kind);
}

static uint64_t host_identity(const struct window *w, uint32_t interface, struct ip host)
{
    char bytes[2 * UINT8_MAX + 16 + 2];
    struct slice account = text_at(w, w->interface[interface].account), id = text_at(w, w->interface[interface].id);
    size_t n = 0;
    for (size_t i = 0; i < account.n && i < UINT8_MAX; i++)
        bytes[n++] = account.p[i];
    bytes[n++] = 0;
    for (size_t i = 0; i < id.n && i < UINT8_MAX; i++)
        bytes[n++] = id.p[i];
    bytes[n++] = 0;
    memcpy(bytes + n, &host, sizeof host);
    return stable_hash(bytes, n + sizeof host);
}

static bool row_slots_ready(struct window *w)
{
    if (!slots_full(&w->row_slots))
        return true;
    if (!slots_resize(&w->row_slots))
        return false;
    for (uint32_t k = 0; k < w->rows; k++) {
        const struct row *r = &w->row[k];
        slots_put(&w->row_slots, row_hash(w, r->interface, r->host, r->day, (enum row_kind)r->kind), k);
    }
    return true;
}

static uint32_t row_make(struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind, uint64_t hash)
{
    if (w->rows - w->rows_free >= w->limits.max_hosts || day_slot(w, day) == NIL)
        return NIL;
    if (!grow(&w->row, &w->rows_cap, w->rows + 1, sizeof *w->row) || !row_slots_ready(w)) {
        w->nomem = true;
        return NIL;
    }
    slots_put(&w->row_slots, hash, w->rows);
    w->row[w->rows] = (struct row){.host = host, .interface = interface, .head = NIL, .in_cell = NIL,
                                   .day = day, .kind = (uint8_t)kind, .hashed = !w->learns, .host_id = w->learns ? 0 : host_identity(w, interface, host)};
    return w->rows++;
}

void row_prefetch_slot(const struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    slots_prefetch(&w->row_slots, row_hash(w, interface, host, day, kind));
}

void row_prefetch(const struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    uint32_t row = w->interface[interface].last_row;
    if (row >= w->rows)
        row = slots_guess(&w->row_slots, row_hash(w, interface, host, day, kind));
    if (row != NIL)
        __builtin_prefetch(&w->row[row], 1);
}

uint32_t row_find(struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    uint32_t k = row_near(w, interface, host, day, kind);
    if (k != NIL)
        return k;
    uint64_t hash = row_hash(w, interface, host, day, kind);
    uint32_t at = slots_first(&w->row_slots, hash);
    while ((k = slots_next(&w->row_slots, hash, &at)) != NIL && !row_is(&w->row[k], interface, host, day, kind))
        ;
    if (k != NIL)
        w->interface[interface].last_row = k;
    return k;
}

uint32_t row_get(struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    uint32_t k = row_find(w, interface, host, day, kind);
    if (k == NIL)
        w->interface[interface].last_row = k = row_make(w, interface, host, day, kind, row_hash(w, interface, host, day, kind));
    return k;
}

/* ---- days ---- */

uint32_t day_slot(struct window *w, uint16_t day)
{
    for (uint32_t i = 0; i < w->days; i++)
        if (w->day[i].day == day)
            return i;
    if (w->days == DAYS_MAX)
        return NIL;
    memset(&w->day[w->days], 0, sizeof w->day[0]);
    w->day[w->days].day = day;
    return w->days++;
}

void day_mark(struct window *w, uint16_t day, uint64_t host_id)
{
    uint32_t i = day_slot(w, day);
    unsigned bucket = (unsigned)(host_id >> 56);
    if (i != NIL)
        w->day[i].dirty[bucket / 8] |= (uint8_t)(1u << bucket % 8);
}
