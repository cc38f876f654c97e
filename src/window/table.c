/* SPDX-License-Identifier: Apache-2.0 */
/* Storage of a window: growing arrays, chained hashes, the pool of hours. Nothing is freed one by one but cells that
 * sampling folds away; a reset keeps the memory. Growth is by doubling: large blocks move by remapping, not by copying. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

const struct window_limits window_default_limits = {.max_groups = 4096, .max_big_groups = 65536, .max_hosts = 4000000};

#define FIRST_CAP 64u
#define INDEX_MAX (1u << 28) /* what a slot can name */

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

static bool heads_resize(struct heads *h, uint32_t size)
{
    uint32_t *p = malloc((size_t)size * sizeof *p);
    if (!p)
        return false;
    memset(p, 0xff, (size_t)size * sizeof *p);
    free(h->head);
    h->head = p;
    h->mask = size - 1;
    return true;
}

static inline bool heads_full(const struct heads *h, uint32_t entries) { return !h->head || entries / 2 > h->mask; }
static inline uint32_t heads_next_size(const struct heads *h) { return h->head ? (h->mask + 1) * 2 : FIRST_CAP; }

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
    free(w->interface_heads.head);
    free(w->row_heads.head);
    free(w->cell_slots.head);
    free(w->order.row);
    free(w->order.cell);
    free(w->order.cell_start);
    free(w->to);
    free(w);
}

static void heads_clear(struct heads *h)
{
    if (h->head)
        memset(h->head, 0xff, ((size_t)h->mask + 1) * sizeof *h->head);
}

static void sums_reset(struct window *w)
{
    w->filling++;
    if (w->rows)
        heads_clear(&w->row_heads);
    if (w->cells)
        heads_clear(&w->cell_slots);
    w->rows = w->cells = w->pool_n = w->days = w->cells_free = w->slots_used = 0;
    w->free_cell = w->last_cell = NIL;
    memset(w->free_block, 0xff, sizeof w->free_block);
    w->order.day = 0;
    w->stats = (struct window_stats){0};
}

/* Another one for every filling of every window: addresses come again, and so would theirs. */
static uint64_t next_seed(void)
{
    static _Atomic uint64_t fillings;
    return hash_u64x2(++fillings, 0);
}

void window_reset(struct window *w)
{
    sums_reset(w);
    heads_clear(&w->interface_heads);
    w->interfaces = w->text_n = 0;
    w->last_interface = NIL;
    w->last_account = w->last_flow_log = w->last_vpc = NIL;
    w->any_forwards = false;
    w->seed = next_seed();
    w->to_seed = 0;
}

#define REUSE_MAX 65536 /* interfaces kept from object to object; more would cost memory and save little */

void window_reuse(struct window *w)
{
    if (w->interfaces > REUSE_MAX) {
        window_reset(w);
        return;
    }
    sums_reset(w);
    w->any_forwards = false;
    for (uint32_t i = 0; i < w->interfaces; i++) {
        w->interface[i].last_row = NIL;
        w->interface[i].forwards = false;
        for (unsigned family = 0; w->learns && family < 2; family++)
            if (w->own[i][family].state != OWN_ONE)
                w->own[i][family].state = OWN_NONE;
    }
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

/* Accounts, flow logs and VPCs repeat from one interface to the next: keep the last. */
static uint32_t text_put_repeated(struct window *w, struct slice s, uint32_t *last)
{
    if (*last == NIL || !slice_eq(text_at(w, *last), s))
        *last = text_put(w, s);
    return *last;
}

/* ---- interfaces ---- */

static uint64_t name_hash(const struct interface_name *n)
{
    return hash_u64x2(hash_bytes(n->id.p, n->id.n), n->account.n + (n->flow_log.n ? hash_bytes(n->flow_log.p, n->flow_log.n) : 0));
}

static bool name_is(const struct window *w, const struct interface *i, const struct interface_name *n)
{
    return slice_eq(text_at(w, i->id), n->id) && slice_eq(text_at(w, i->account), n->account) &&
           slice_eq(text_at(w, i->flow_log), n->flow_log);
}

static bool interfaces_rehash(struct window *w)
{
    struct heads *h = &w->interface_heads;
    if (!heads_resize(h, heads_next_size(h)))
        return false;
    for (uint32_t k = 0; k < w->interfaces; k++) {
        struct interface_name n;
        window_name(w, k, &n);
        uint32_t *head = &h->head[name_hash(&n) & h->mask];
        w->interface[k].hash_next = *head;
        *head = k;
    }
    return true;
}

static uint32_t interface_make(struct window *w, const struct interface_name *name, uint64_t hash)
{
    if (!grow(&w->interface, &w->interfaces_cap, w->interfaces + 1, sizeof *w->interface))
        return NIL;
    if (w->learns) {
        if (!grow(&w->own, &w->own_cap, w->interfaces + 1, sizeof *w->own))
            return NIL;
        memset(w->own[w->interfaces], 0, sizeof w->own[0]);
    }
    struct interface made = {.account = text_put_repeated(w, name->account, &w->last_account), .id = text_put(w, name->id),
                             .flow_log = text_put_repeated(w, name->flow_log, &w->last_flow_log),
                             .vpc = text_put_repeated(w, name->vpc, &w->last_vpc), .last_row = NIL};
    if (made.account == NIL || made.id == NIL || made.flow_log == NIL || made.vpc == NIL)
        return NIL;
    if (heads_full(&w->interface_heads, w->interfaces) && !interfaces_rehash(w))
        return NIL;
    uint32_t *head = &w->interface_heads.head[hash & w->interface_heads.mask];
    made.hash_next = *head;
    *head = w->interfaces;
    w->interface[w->interfaces] = made;
    return w->interfaces++;
}

uint32_t window_interface(struct window *w, const struct interface_name *name)
{
    if (w->last_interface != NIL && name_is(w, &w->interface[w->last_interface], name))
        return w->last_interface;
    uint64_t hash = name_hash(name);
    uint32_t k = w->interface_heads.head ? w->interface_heads.head[hash & w->interface_heads.mask] : NIL;
    while (k != NIL && !name_is(w, &w->interface[k], name))
        k = w->interface[k].hash_next;
    if (k == NIL)
        k = interface_make(w, name, hash);
    w->last_interface = k;
    return k;
}

void window_name(const struct window *w, uint32_t interface, struct interface_name *out)
{
    const struct interface *i = &w->interface[interface];
    *out = (struct interface_name){text_at(w, i->account), text_at(w, i->id), text_at(w, i->flow_log), text_at(w, i->vpc)};
}

struct flow_own *window_own(struct window *w, uint32_t interface, bool v4) { return &w->own[interface][v4]; }

void window_set_forwards(struct window *w, uint32_t interface) { w->interface[interface].forwards = w->any_forwards = true; }

/* ---- rows ---- */

/* Keyed by the window's random seed: nobody can choose addresses that collide. Folded product, as in wyhash. */
static inline uint64_t mix(const struct window *w, uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)(a ^ w->seed) * (b ^ (w->seed << 32 | w->seed >> 32) ^ 0x9e3779b97f4a7c15ULL);
    return (uint64_t)(m >> 64) ^ (uint64_t)m;
}

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

static bool rows_rehash(struct window *w)
{
    struct heads *h = &w->row_heads;
    if (!heads_resize(h, heads_next_size(h)))
        return false;
    for (uint32_t k = 0; k < w->rows; k++) {
        struct row *r = &w->row[k];
        uint32_t *head = &h->head[row_hash(w, r->interface, r->host, r->day, (enum row_kind)r->kind) & h->mask];
        r->hash_next = *head;
        *head = k;
    }
    return true;
}

static bool row_is(const struct row *r, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    return r->interface == interface && r->day == day && r->kind == kind && ip_eq(r->host, host);
}

static uint32_t row_make(struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind, uint64_t hash)
{
    if (w->rows - w->rows_free >= w->limits.max_hosts || day_slot(w, day) == NIL || !grow(&w->row, &w->rows_cap, w->rows + 1, sizeof *w->row))
        return NIL;
    if (heads_full(&w->row_heads, w->rows) && !rows_rehash(w))
        return NIL;
    uint32_t *head = &w->row_heads.head[hash & w->row_heads.mask];
    w->row[w->rows] = (struct row){.host = host, .interface = interface, .head = NIL, .hash_next = *head, .in_cell = NIL,
                                   .day = day, .kind = (uint8_t)kind, .host_id = w->learns ? 0 : host_identity(w, interface, host)};
    *head = w->rows;
    return w->rows++;
}

uint32_t row_get(struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    uint32_t last = w->interface[interface].last_row;
    if (last != NIL && row_is(&w->row[last], interface, host, day, kind))
        return last;
    uint64_t hash = row_hash(w, interface, host, day, kind);
    uint32_t k = w->row_heads.head ? w->row_heads.head[hash & w->row_heads.mask] : NIL;
    while (k != NIL && !row_is(&w->row[k], interface, host, day, kind))
        k = w->row[k].hash_next;
    if (k == NIL)
        k = row_make(w, interface, host, day, kind, hash);
    w->interface[interface].last_row = k;
    return k;
}

/* ---- cells ---- */

/* In the sums of one object a row with so few cells is searched along its chain, and its cells are not hashed. */
#define CHAIN_WALK 8

static inline uint64_t cell_hash(const struct window *w, uint32_t row, uint64_t group) { return mix(w, group, row); }
static inline bool row_hashed(const struct window *w, const struct row *r) { return !w->learns || r->hashed; }

#define SLOT_EMPTY UINT32_MAX
#define SLOT_GONE (UINT32_MAX - 1) /* of a folded cell: the search goes on behind it */
#define SLOT_INDEX (INDEX_MAX - 1)

static inline uint32_t slot_tag(uint64_t hash) { return (uint32_t)(hash >> 32) & ~SLOT_INDEX; }
static inline uint32_t slot_first(const struct window *w, uint64_t hash) { return (uint32_t)hash & w->cell_slots.mask; }
static inline bool slot_may_be(uint32_t slot, uint64_t hash) { return (slot & ~SLOT_INDEX) == slot_tag(hash) && slot < SLOT_GONE; }

void cell_prefetch_head(const struct window *w, uint32_t row, uint64_t group)
{
    if (w->cell_slots.head)
        __builtin_prefetch(&w->cell_slots.head[slot_first(w, cell_hash(w, row, group))]);
}

/* The first cell that may be it. */
static uint32_t cell_guess(const struct window *w, uint32_t row, uint64_t group)
{
    if (!w->cell_slots.head)
        return NIL;
    uint64_t hash = cell_hash(w, row, group);
    for (uint32_t i = slot_first(w, hash); w->cell_slots.head[i] != SLOT_EMPTY; i = (i + 1) & w->cell_slots.mask)
        if (slot_may_be(w->cell_slots.head[i], hash))
            return w->cell_slots.head[i] & SLOT_INDEX;
    return NIL;
}

void cell_prefetch_cell(const struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k = cell_guess(w, row, group);
    if (k != NIL)
        __builtin_prefetch(&w->cell[k], 1);
}

void cell_prefetch_pool(const struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k = cell_guess(w, row, group);
    if (k != NIL && w->cell[k].more != NIL)
        __builtin_prefetch(&w->pool[w->cell[k].more], 1);
}

static void cell_hash_in(struct window *w, uint32_t k)
{
    uint64_t hash = cell_hash(w, w->cell[k].row, w->cell[k].group);
    uint32_t i = slot_first(w, hash);
    while (w->cell_slots.head[i] < SLOT_GONE)
        i = (i + 1) & w->cell_slots.mask;
    w->slots_used += w->cell_slots.head[i] == SLOT_EMPTY;
    w->cell_slots.head[i] = slot_tag(hash) | k;
}

/* Full at three quarters, folded cells included. */
static inline bool slots_full(const struct window *w) { return !w->cell_slots.head || w->slots_used >= w->cell_slots.mask / 4 * 3; }

static bool cells_rehash(struct window *w)
{
    struct heads *h = &w->cell_slots;
    if (!heads_resize(h, heads_next_size(h)))
        return false;
    w->slots_used = 0;
    for (uint32_t k = 0; k < w->cells; k++)
        if (w->cell[k].row != NIL && row_hashed(w, &w->row[w->cell[k].row]))
            cell_hash_in(w, k);
    return true;
}

static uint32_t cell_slot(struct window *w)
{
    if (w->free_cell != NIL) {
        uint32_t k = w->free_cell;
        w->free_cell = w->cell[k].row_next;
        w->cells_free--;
        w->order.cells_seen = NIL; /* the number of cells tells of new ones only when they are appended */
        return k;
    }
    if (!grow(&w->cell, &w->cells_cap, w->cells + 1, sizeof *w->cell))
        return NIL;
    return w->cells++;
}

/* Room for one more slot, and for the cells of a row that begins to be hashed. */
static bool slots_ready(struct window *w)
{
    return !slots_full(w) || cells_rehash(w);
}

static void row_hash_in(struct window *w, struct row *r)
{
    r->hashed = true;
    for (uint32_t i = r->head; i != NIL; i = w->cell[i].row_next)
        cell_hash_in(w, i);
}

static uint32_t cell_make(struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k = slots_ready(w) ? cell_slot(w) : NIL; /* a rehash must see neither cell nor row half made */
    if (k == NIL)
        return NIL;
    struct row *r = &w->row[row];
    w->cell[k] = (struct cell){.group = group, .last = HOUR_NONE, .row = row, .row_next = r->head, .more = NIL};
    r->head = k;
    r->cells++;
    if (row_hashed(w, r))
        cell_hash_in(w, k);
    else if (r->cells > CHAIN_WALK)
        row_hash_in(w, r);
    return k;
}

uint32_t cell_find(const struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k;
    if (!row_hashed(w, &w->row[row])) {
        for (k = w->row[row].head; k != NIL && w->cell[k].group != group;)
            k = w->cell[k].row_next;
        return k;
    }
    if (!w->cell_slots.head)
        return NIL;
    uint64_t hash = cell_hash(w, row, group);
    for (uint32_t i = slot_first(w, hash); (k = w->cell_slots.head[i]) != SLOT_EMPTY; i = (i + 1) & w->cell_slots.mask)
        if (slot_may_be(k, hash) && w->cell[k & SLOT_INDEX].group == group && w->cell[k & SLOT_INDEX].row == row)
            return k & SLOT_INDEX;
    return NIL;
}

uint32_t cell_get(struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k = w->last_cell;
    if (k != NIL && w->cell[k].group == group && w->cell[k].row == row)
        return k;
    w->last_cell = k = cell_find(w, row, group);
    if (WEIR_LIKELY(k != NIL))
        return k;
    if (!group_counts(group))
        return cell_make(w, row, group);
    unsigned big = group_is_big(group);
    if (group_level(group) < w->row[row].level[big])
        return cell_get(w, row, group_rest(group));
    k = cell_make(w, row, group);
    if (k == NIL)
        return NIL;
    uint32_t max = big ? w->limits.max_big_groups : w->limits.max_groups;
    if (++w->row[row].kept[big] <= max)
        return k;
    while (w->row[row].kept[big] > max)
        row_raise_level(w, row, big, (uint8_t)(w->row[row].level[big] + 1));
    return cell_get(w, row, group); /* it may have been folded itself */
}

/* ---- hours ---- */

static const uint8_t block_size[7] = {2, 4, 6, 8, 12, 16, 24}; /* the first word holds the class and the number of hours */

static uint32_t block_make(struct window *w, unsigned class)
{
    uint32_t at = w->free_block[class];
    if (at != NIL) {
        w->free_block[class] = (uint32_t)w->pool[at];
    } else {
        if (!grow(&w->pool, &w->pool_cap, w->pool_n + block_size[class], sizeof *w->pool))
            return NIL;
        at = w->pool_n;
        w->pool_n += block_size[class];
    }
    w->pool[at] = (uint64_t)class << 8;
    return at;
}

static void block_free(struct window *w, uint32_t at)
{
    unsigned class = (unsigned)(w->pool[at] >> 8);
    w->pool[at] = w->free_block[class];
    w->free_block[class] = at;
}

static hour_t hour_sum(hour_t a, hour_t b)
{
    return hour_make(hour_of(a), hour_ticks(a) | hour_ticks(b), hour_bytes(a) + hour_bytes(b));
}

static uint32_t block_grow(struct window *w, uint32_t at)
{
    unsigned class = (unsigned)(w->pool[at] >> 8), n = (unsigned)(w->pool[at] & 255);
    uint32_t to = block_make(w, class + 1);
    if (to == NIL)
        return NIL;
    memcpy(&w->pool[to + 1], &w->pool[at + 1], n * sizeof *w->pool);
    w->pool[to] |= n;
    block_free(w, at);
    return to;
}

/* Where an earlier hour stands in the pool, or NULL. */
static hour_t *pooled_hour(struct window *w, const struct cell *c, unsigned hour)
{
    if (c->more == NIL)
        return NULL;
    hour_t *h = &w->pool[c->more + 1], *end = h + (w->pool[c->more] & 255);
    while (h < end && hour_of(*h) != hour)
        h++;
    return h < end ? h : NULL;
}

static bool pool_hour(struct window *w, struct cell *c, hour_t h)
{
    if (c->more == NIL && (c->more = block_make(w, 0)) == NIL)
        return false;
    unsigned n = (unsigned)(w->pool[c->more] & 255);
    if (n + 1 == block_size[w->pool[c->more] >> 8]) {
        uint32_t to = block_grow(w, c->more);
        if (to == NIL)
            return false;
        c->more = to;
    }
    w->pool[c->more + n + 1] = h;
    w->pool[c->more]++;
    return true;
}

void cell_add_hour(struct window *w, uint32_t cell, hour_t h)
{
    struct cell *c = &w->cell[cell];
    if (WEIR_LIKELY(hour_of(c->last) == hour_of(h))) {
        c->last = hour_sum(c->last, h);
        return;
    }
    if (c->last == HOUR_NONE) {
        c->last = h;
        return;
    }
    hour_t *earlier = pooled_hour(w, c, hour_of(h));
    if (earlier)
        *earlier = hour_sum(*earlier, h);
    else if (pool_hour(w, c, c->last))
        c->last = h;
    else
        w->stats.folded++;
}

size_t cell_hours(const struct window *w, const struct cell *c, hour_t out[24])
{
    size_t n = 0;
    if (c->last != HOUR_NONE)
        out[n++] = c->last;
    if (c->more == NIL)
        return n;
    for (unsigned i = 1, m = (unsigned)(w->pool[c->more] & 255); i <= m && n < 24; i++)
        out[n++] = w->pool[c->more + i];
    return n;
}

/* ---- sampling ---- */

/* The cells of rows that sampling folds are hashed: row_raise_level sees to it, and they stay so, whatever is left of them. */
static void cell_unlink(struct window *w, uint32_t k)
{
    struct cell *c = &w->cell[k];
    w->last_cell = NIL;
    uint64_t hash = cell_hash(w, c->row, c->group);
    uint32_t i = slot_first(w, hash);
    while (w->cell_slots.head[i] != (slot_tag(hash) | k))
        i = (i + 1) & w->cell_slots.mask;
    w->cell_slots.head[i] = SLOT_GONE;
    w->order.cells_seen = NIL;
    if (c->more != NIL)
        block_free(w, c->more);
    c->row = NIL;
    c->row_next = w->free_cell;
    w->free_cell = k;
    w->cells_free++;
}

static void cell_fold(struct window *w, uint32_t row, uint32_t k)
{
    struct cell c = w->cell[k];
    WEIR_UNINITIALIZED hour_t hours[24];
    size_t n = cell_hours(w, &c, hours);
    cell_unlink(w, k);
    uint32_t rest = cell_get(w, row, group_rest(c.group));
    if (rest == NIL)
        return;
    struct cell *to = &w->cell[rest];
    to->bytes_in = sat_add(to->bytes_in, c.bytes_in);
    for (size_t i = 0; i < n; i++)
        cell_add_hour(w, rest, hours[i]);
}

void row_raise_level(struct window *w, uint32_t row, unsigned big, uint8_t level)
{
    if (level <= w->row[row].level[big])
        return;
    if (!row_hashed(w, &w->row[row]) && slots_ready(w))
        row_hash_in(w, &w->row[row]);
    w->row[row].level[big] = level;
    w->filling++;
    uint32_t k = w->row[row].head;
    uint32_t *link = &w->row[row].head;
    uint32_t folded = NIL;
    while (k != NIL) { /* first take them out of the row's chain: folding may add the rest's cell at its head */
        uint32_t next = w->cell[k].row_next;
        uint64_t g = w->cell[k].group;
        if (group_counts(g) && group_is_big(g) == big && group_level(g) < level) {
            *link = next;
            w->cell[k].row_next = folded;
            folded = k;
            w->row[row].kept[big]--;
        } else {
            link = &w->cell[k].row_next;
        }
        k = next;
    }
    while (folded != NIL) {
        uint32_t next = w->cell[folded].row_next;
        cell_fold(w, row, folded);
        folded = next;
    }
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
