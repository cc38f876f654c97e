/* SPDX-License-Identifier: Apache-2.0 */
/* Flows into a window, and one window into another. */
#include "table.h"

static enum weir_err folded(struct window *w)
{
    w->stats.folded++;
    return WEIR_LIMIT;
}

static hour_t hour_at(uint64_t start_s, uint64_t bytes)
{
    uint32_t second = (uint32_t)(start_s % DAY_S);
    return hour_make(second / HOUR_S, 1u << (second % HOUR_S / 600), bytes);
}

/* Bytes that came in: summed for the group, and of those from outside which hours for the host as a whole. */
static bool add_incoming(struct window *w, uint32_t row, uint32_t cell, const struct flow *f)
{
    w->cell[cell].bytes_in = sat_add(w->cell[cell].bytes_in, f->bytes);
    if (!f->external)
        return true;
    uint32_t k = w->row[row].in_cell;
    if (k == NIL)
        w->row[row].in_cell = k = cell_get(w, row, (uint64_t)GROUP_IN << 60);
    if (k != NIL)
        cell_add_hour(w, k, hour_at((uint64_t)f->start_s, f->bytes));
    return k != NIL;
}

static inline enum weir_err add_one(struct window *w, uint32_t interface, const struct flow *f, enum row_kind kind)
{
    uint16_t day = (uint16_t)((uint64_t)f->start_s / DAY_S);
    uint32_t row = row_near(w, interface, f->host, day, kind);
    if (WEIR_UNLIKELY(row == NIL) && (row = row_get(w, interface, f->host, day, kind)) == NIL)
        return folded(w);
    uint64_t group = flow_group(f);
    if (f->bytes >= WINDOW_BIG_BYTES && f->out)
        group |= GROUP_BIG;
    uint32_t k = cell_near(w, row, group);
    if (k == NIL && (k = cell_get(w, row, group)) == NIL)
        return folded(w);
    if (!f->out)
        return add_incoming(w, row, k, f) ? WEIR_OK : folded(w);
    cell_add_hour(w, k, hour_at((uint64_t)f->start_s, f->bytes));
    w->row[row].sent = sat_add(w->row[row].sent, f->bytes);
    return WEIR_OK;
}

static enum weir_err add_unproven(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict)
{
    enum weir_err err = add_one(w, interface, f, ROW_PENDING);
    if (verdict == FLOW_HINTED) /* the other end cannot be it: what it would have been given counts for nobody */
        return err;
    struct flow mirrored = flow_mirror(f);
    enum weir_err other = add_one(w, interface, &mirrored, ROW_PENDING);
    return err ? err : other;
}

enum weir_err window_add(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict)
{
    if (WEIR_UNLIKELY(verdict != FLOW_CHARGED))
        return add_unproven(w, interface, f, verdict);
    return add_one(w, interface, f, f->via ? ROW_VIA : ROW_HOME);
}

enum weir_err window_add_broken(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict, uint64_t group)
{
    enum row_kind kind = verdict != FLOW_CHARGED ? ROW_PENDING : f->via ? ROW_VIA : ROW_HOME;
    uint64_t start = (uint64_t)f->start_s;
    uint32_t row = row_get(w, interface, f->host, (uint16_t)(start / DAY_S), kind);
    uint32_t k = row == NIL ? NIL : cell_get(w, row, group);
    if (k == NIL)
        return folded(w);
    cell_add_hour(w, k, hour_at(start, f->bytes));
    if (!f->out)
        w->cell[k].bytes_in = sat_add(w->cell[k].bytes_in, f->bytes);
    return WEIR_OK;
}

enum weir_err window_add_seen(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict, const struct flow_seen *seen)
{
    enum row_kind kind = verdict != FLOW_CHARGED ? ROW_PENDING : f->via ? ROW_VIA : ROW_HOME;
    uint64_t start = (uint64_t)f->start_s;
    uint32_t row = row_get(w, interface, f->host, (uint16_t)(start / DAY_S), kind);
    uint32_t k = row == NIL ? NIL : cell_get(w, row, seen->group);
    if (k == NIL)
        return folded(w);
    cell_add_hour(w, k, hour_at(start, seen->bytes));
    w->cell[k].bytes_in = sat_add(w->cell[k].bytes_in, seen->count);
    return WEIR_OK;
}

enum weir_err window_add_gap(struct window *w, uint32_t interface, int64_t start_s)
{
    uint64_t start = (uint64_t)start_s;
    uint32_t row = row_get(w, interface, (struct ip){0, 0}, (uint16_t)(start / DAY_S), ROW_INTERFACE);
    uint32_t k = row == NIL ? NIL : cell_get(w, row, GAP_CELL);
    if (k == NIL)
        return folded(w);
    cell_add_hour(w, k, hour_make((unsigned)(start % DAY_S / HOUR_S), 1u << (start % HOUR_S / 600), 1));
    return WEIR_OK;
}

/* A row, like all else that a day is judged by: it is stored, merged and dropped with its day. */
void window_set_forwards(struct window *w, uint32_t interface, int64_t start_s)
{
    uint16_t day = (uint16_t)(start_s / DAY_S);
    if (w->interface[interface].forwards_day == day)
        return;
    uint32_t row = row_get(w, interface, (struct ip){0, 0}, day, ROW_INTERFACE);
    if (row == NIL || cell_get(w, row, FORWARDS_CELL) == NIL)
        w->stats.folded++;
    else
        w->interface[interface].forwards_day = day;
}

/* The number of an interface of src in dst, found once per pair of windows. */
static uint32_t interface_in(struct window *dst, struct window *src, uint32_t interface)
{
    if (src->to[interface] != NIL)
        return src->to[interface];
    struct interface_name name;
    window_name(src, interface, &name);
    return src->to[interface] = interface_get(dst, &name, src->interface[interface].hash);
}

static bool map_interfaces(struct window *dst, struct window *src)
{
    uint32_t known = src->to_cap;
    if (!grow(&src->to, &src->to_cap, src->interfaces, sizeof *src->to))
        return false;
    if (src->to_seed != dst->seed)
        known = 0;
    src->to_seed = dst->seed;
    for (uint32_t i = known; i < src->to_cap; i++)
        src->to[i] = NIL;
    return true;
}

/* A whole run's tables are far larger than the caches: what many rows and cells ahead will touch is brought near step by step. */
#define BATCH_ROWS 32
#define BATCH_CELLS 128

struct merge_row { uint32_t from, interface, to; };
struct merge_cell { const struct cell *from; uint64_t hash; uint32_t row, guess; };
struct merge {
    struct window *dst, *src;
    struct merge_cell cell[BATCH_CELLS];
    size_t n;
};

static enum weir_err merge_cell(struct merge *m, const struct merge_cell *c)
{
    struct window *dst = m->dst;
    uint32_t k = c->guess;
    if (k == NIL || dst->cell[k].group != c->from->group || dst->cell[k].row != c->row)
        k = cell_get(dst, c->row, c->from->group);
    if (k == NIL)
        return WEIR_NOMEM;
    dst->cell[k].bytes_in = sat_add(dst->cell[k].bytes_in, c->from->bytes_in);
    if (WEIR_LIKELY(c->from->more == NIL)) {
        if (c->from->last != HOUR_NONE)
            cell_add_hour(dst, k, c->from->last);
        return WEIR_OK;
    }
    WEIR_UNINITIALIZED hour_t hours[24];
    for (size_t i = cell_hours(m->src, c->from, hours); i > 0; i--)
        cell_add_hour(dst, k, hours[i - 1]);
    return WEIR_OK;
}

/* Guesses stay good while cells are added: cells never move, but a fold may give one away, and then it has no row. */
static enum weir_err merge_cells(struct merge *m)
{
    for (size_t i = 0; i < m->n; i++) {
        m->cell[i].guess = slots_guess(&m->dst->cell_slots, m->cell[i].hash);
        if (m->cell[i].guess != NIL)
            __builtin_prefetch(&m->dst->cell[m->cell[i].guess], 1);
    }
    for (size_t i = 0; i < m->n; i++)
        if (m->cell[i].guess != NIL && m->dst->cell[m->cell[i].guess].more != NIL)
            __builtin_prefetch(&m->dst->pool[m->dst->cell[m->cell[i].guess].more], 1);
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < m->n && !err; i++)
        err = merge_cell(m, &m->cell[i]);
    m->n = 0;
    return err;
}

static enum weir_err merge_row(struct merge *m, const struct merge_row *row)
{
    const struct row *r = &m->src->row[row->from];
    day_mark(m->dst, r->day, m->dst->row[row->to].host_id);
    m->dst->row[row->to].sent = sat_add(m->dst->row[row->to].sent, r->sent);
    enum weir_err err = WEIR_OK;
    if (r->level[0] | r->level[1]) {
        err = merge_cells(m);
        for (unsigned big = 0; big < 2; big++)
            row_raise_level(m->dst, row->to, big, r->level[big]);
    }
    for (uint32_t k = r->head; k != NIL && !err; k = m->src->cell[k].row_next) {
        const struct cell *c = &m->src->cell[k];
        m->cell[m->n++] = (struct merge_cell){c, cell_prefetch_slot(m->dst, row->to, c->group), row->to, NIL};
        if (m->n == BATCH_CELLS)
            err = merge_cells(m);
    }
    return err;
}

/* What may be the host's is looked for in the row that proves it, too. */
static void row_prefetch_slots(const struct window *dst, uint32_t interface, const struct row *r)
{
    row_prefetch_slot(dst, interface, r->host, r->day, (enum row_kind)r->kind);
    if (r->kind == ROW_PENDING)
        row_prefetch_slot(dst, interface, r->host, r->day, ROW_HOME);
}

/* Which rows, and of which interfaces of dst: those that find no room are left out, and counted. */
static size_t batch_rows(struct window *dst, struct window *src, uint32_t first, uint32_t end, struct merge_row batch[BATCH_ROWS])
{
    size_t all = 0, n = 0;
    for (uint32_t i = first; i < end; i++)
        if (src->row[i].day) {
            batch[all++] = (struct merge_row){i, src->to[src->row[i].interface], NIL};
            if (batch[all - 1].interface == NIL)
                slots_prefetch(&dst->interface_slots, src->interface[src->row[i].interface].hash);
            else
                __builtin_prefetch(&dst->interface[batch[all - 1].interface]);
        }
    for (size_t i = 0; i < all; i++)
        if (batch[i].interface == NIL)
            interface_prefetch(dst, src->interface[src->row[batch[i].from].interface].hash);
    for (size_t i = 0; i < all; i++) {
        const struct row *r = &src->row[batch[i].from];
        batch[n] = batch[i];
        batch[n].interface = interface_in(dst, src, r->interface);
        if (batch[n].interface == NIL)
            dst->stats.folded++;
        else
            row_prefetch_slots(dst, batch[n++].interface, r);
    }
    return n;
}

/* What may be the host's goes straight to the row that proves it, where there is one: the reader adds both up all the same. */
static uint32_t row_for(struct window *dst, uint32_t interface, const struct row *r)
{
    uint32_t home = r->kind == ROW_PENDING ? row_find(dst, interface, r->host, r->day, ROW_HOME) : NIL;
    return home != NIL ? home : row_get(dst, interface, r->host, r->day, (enum row_kind)r->kind);
}

static enum weir_err merge_rows(struct merge *m, uint32_t first, uint32_t end)
{
    struct window *dst = m->dst, *src = m->src;
    struct merge_row batch[BATCH_ROWS];
    uint64_t folded_before = dst->stats.folded;
    size_t n = batch_rows(dst, src, first, end, batch);
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &src->row[batch[i].from];
        row_prefetch(dst, batch[i].interface, r->host, r->day, r->kind == ROW_PENDING ? ROW_HOME : (enum row_kind)r->kind);
    }
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < n && !err; i++) {
        const struct row *r = &src->row[batch[i].from];
        batch[i].to = row_for(dst, batch[i].interface, r);
        if (batch[i].to != NIL)
            err = merge_row(m, &batch[i]);
        else
            dst->stats.folded++;
    }
    if (!err)
        err = merge_cells(m);
    return !err && dst->stats.folded != folded_before ? WEIR_LIMIT : err; /* a bound; the rest still fits where it is known */
}

enum weir_err window_merge(struct window *dst, struct window *src)
{
    if (!src->interfaces)
        return WEIR_OK;
    if (!map_interfaces(dst, src))
        return WEIR_NOMEM;
    enum weir_err limit = WEIR_OK;
    WEIR_UNINITIALIZED struct merge m;
    m.dst = dst;
    m.src = src;
    m.n = 0;
    for (uint32_t i = 0; i < src->rows; i += BATCH_ROWS) {
        enum weir_err err = merge_rows(&m, i, i + BATCH_ROWS < src->rows ? i + BATCH_ROWS : src->rows);
        if (err && err != WEIR_LIMIT)
            return err;
        limit = err ? err : limit;
    }
    dst->stats.folded += src->stats.folded;
    return src->nomem || dst->nomem ? WEIR_NOMEM : limit;
}

enum weir_err window_flush(struct window *dst, struct window *src)
{
    enum weir_err err = window_merge(dst, src);
    sums_reset(src);
    return err;
}
