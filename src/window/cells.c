/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of a window: found through open slots, their earlier hours in a pool of small blocks, and folded into the rest of
 * their row when sampling says so. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

/* ---- cells ---- */

/* In the sums of one object a row with so few cells is searched along its chain, and its cells are not hashed. */
#define CHAIN_WALK 8

static inline uint64_t cell_hash(const struct window *w, uint32_t row, uint64_t group) { return mix(w, group, row); }

uint64_t cell_prefetch_slot(const struct window *w, uint32_t row, uint64_t group)
{
    uint64_t hash = cell_hash(w, row, group);
    slots_prefetch(&w->cell_slots, hash);
    return hash;
}

static void cell_hash_in(struct window *w, uint32_t k)
{
    slots_put(&w->cell_slots, cell_hash(w, w->cell[k].row, w->cell[k].group), k);
}

/* Room for one more slot, and for the cells of a row that begins to be hashed. */
static bool slots_ready(struct window *w)
{
    if (!slots_full(&w->cell_slots))
        return true;
    if (!slots_resize(&w->cell_slots))
        return false;
    for (uint32_t k = 0; k < w->cells; k++)
        if (w->cell[k].row != NIL && w->row[w->cell[k].row].hashed)
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

static void row_hash_in(struct window *w, struct row *r)
{
    r->hashed = true;
    for (uint32_t i = r->head; i != NIL; i = w->cell[i].row_next)
        cell_hash_in(w, i);
}

static uint32_t cell_make(struct window *w, uint32_t row, uint64_t group)
{
    struct row *r = &w->row[row];
    bool hashes = r->hashed || r->cells >= CHAIN_WALK;
    uint32_t k = !hashes || slots_ready(w) ? cell_slot(w) : NIL; /* a rehash must see neither cell nor row half made */
    if (k == NIL)
        return NIL;
    w->cell[k] = (struct cell){.group = group, .last = HOUR_NONE, .row = row, .row_next = r->head, .more = NIL};
    r->head = k;
    r->cells++;
    r->broken |= group_kind(group) >= GROUP_POLICY;
    if (r->hashed)
        cell_hash_in(w, k);
    else if (hashes)
        row_hash_in(w, r);
    return k;
}

uint32_t cell_find(const struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k;
    if (!w->row[row].hashed)
        return cell_near(w, row, group);
    uint64_t hash = cell_hash(w, row, group);
    uint32_t at = slots_first(&w->cell_slots, hash);
    while ((k = slots_next(&w->cell_slots, hash, &at)) != NIL && (w->cell[k].group != group || w->cell[k].row != row))
        ;
    return k;
}

static uint32_t cell_new(struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k = cell_make(w, row, group);
    w->nomem |= k == NIL;
    if (k == NIL || !group_counts(group))
        return k;
    unsigned big = group_is_big(group);
    uint32_t max = big ? w->limits.max_big_groups : w->limits.max_groups;
    if (++w->row[row].kept[big] <= max)
        return k;
    while (w->row[row].kept[big] > max)
        row_raise_level(w, row, big, (uint8_t)(w->row[row].level[big] + 1));
    return cell_get(w, row, group); /* it may have been folded itself */
}

uint32_t cell_get(struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k = cell_find(w, row, group);
    if (WEIR_LIKELY(k != NIL))
        return k;
    uint8_t level = w->row[row].level[group_is_big(group)];
    if (level && group_counts(group) && group_level(group) < level)
        return cell_get(w, row, group_rest(group));
    return cell_new(w, row, group);
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

/* Objects come in the order of time: what is added is as a rule of the last hour or later, and then the pool is not searched. */
void cell_add_other_hour(struct window *w, uint32_t cell, hour_t h)
{
    struct cell *c = &w->cell[cell];
    bool kept = true;
    if (hour_of(h) > hour_of(c->last)) {
        kept = c->last == HOUR_NONE || pool_hour(w, c, c->last);
        c->last = kept ? h : c->last;
    } else {
        hour_t *earlier = pooled_hour(w, c, hour_of(h));
        if (earlier)
            *earlier = hour_sum(*earlier, h);
        else
            kept = pool_hour(w, c, h);
    }
    w->nomem |= !kept;
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
    slots_remove(&w->cell_slots, cell_hash(w, c->row, c->group), k);
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
        return; /* no memory, as cell_get has noted */
    struct cell *to = &w->cell[rest];
    to->bytes_in = sat_add(to->bytes_in, c.bytes_in);
    for (size_t i = 0; i < n; i++)
        cell_add_hour(w, rest, hours[i]);
}

void row_raise_level(struct window *w, uint32_t row, unsigned big, uint8_t level)
{
    if (level <= w->row[row].level[big])
        return;
    if (!w->row[row].hashed && slots_ready(w))
        row_hash_in(w, &w->row[row]);
    w->row[row].level[big] = level;
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

/* Move all cells of a row into another one of the same host. False: out of memory, and some stay. */
bool row_move_cells(struct window *w, uint32_t from, uint32_t to)
{
    for (unsigned big = 0; big < 2; big++)
        row_raise_level(w, to, big, w->row[from].level[big]);
    w->row[to].sent = sat_add(w->row[to].sent, w->row[from].sent);
    w->row[from].sent = 0;
    if (!w->row[from].hashed && slots_ready(w))
        row_hash_in(w, &w->row[from]);
    while (w->row[from].head != NIL) {
        uint32_t k = w->row[from].head;
        struct cell c = w->cell[k];
        WEIR_UNINITIALIZED hour_t hours[24];
        size_t n = cell_hours(w, &c, hours);
        uint32_t at = cell_get(w, to, c.group);
        if (at == NIL)
            return false;
        w->cell[at].bytes_in = sat_add(w->cell[at].bytes_in, c.bytes_in);
        while (n > 0)
            cell_add_hour(w, at, hours[--n]);
        w->row[from].head = c.row_next;
        cell_unlink(w, k);
    }
    return true;
}
