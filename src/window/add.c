/* SPDX-License-Identifier: Apache-2.0 */
/* Flows into a window, and one window into another. */
#include "table.h"

static enum weir_err folded(struct window *w)
{
    w->stats.folded++;
    return WEIR_LIMIT;
}

static enum weir_err add_incoming(struct window *w, uint32_t row, const struct flow *f, hour_t hour)
{
    if (!f->external)
        return WEIR_OK;
    uint32_t k = w->row[row].in_cell;
    if (k == NIL) {
        k = cell_get(w, row, (uint64_t)GROUP_IN << 60);
        if (k == NIL)
            return folded(w);
        w->row[row].in_cell = k;
    }
    cell_add_hour(w, k, hour);
    return WEIR_OK;
}

static hour_t hour_at(uint64_t start_s, uint64_t bytes)
{
    uint32_t second = (uint32_t)(start_s % DAY_S);
    return hour_make(second / HOUR_S, 1u << (second % HOUR_S / 600), bytes);
}

static enum weir_err add_one(struct window *w, uint32_t interface, const struct flow *f, enum row_kind kind, struct window_place *place)
{
    uint64_t start = (uint64_t)f->start_s;
    uint32_t row = row_get(w, interface, f->host, (uint16_t)(start / DAY_S), kind);
    if (row == NIL)
        return folded(w);
    uint64_t group = flow_group(f);
    if (f->bytes >= WINDOW_BIG_BYTES && f->out)
        group |= GROUP_BIG;
    uint32_t k = cell_get(w, row, group);
    if (k == NIL)
        return folded(w);
    *place = (struct window_place){w->filling, row, k};
    hour_t hour = hour_at(start, f->bytes);
    if (f->out) {
        cell_add_hour(w, k, hour);
        return WEIR_OK;
    }
    w->cell[k].bytes_in = sat_add(w->cell[k].bytes_in, f->bytes);
    return add_incoming(w, row, f, hour);
}

enum weir_err window_add_at(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict, struct window_place *place)
{
    if (WEIR_LIKELY(verdict == FLOW_CHARGED))
        return add_one(w, interface, f, f->via ? ROW_VIA : ROW_HOME, place);
    struct flow mirrored = flow_mirror(f);
    enum weir_err err = add_one(w, interface, f, ROW_PENDING, place);
    enum weir_err other = add_one(w, interface, &mirrored, ROW_PENDING, place);
    place->filling = 0; /* two places are none */
    return err ? err : other;
}

enum weir_err window_add(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict)
{
    struct window_place place;
    return window_add_at(w, interface, f, verdict, &place);
}

bool window_add_again(struct window *w, const struct window_place *place, bool out, bool external, int64_t start_s, uint64_t bytes)
{
    if (place->filling != w->filling || (out && bytes >= WINDOW_BIG_BYTES))
        return false;
    struct cell *c = &w->cell[place->cell];
    struct row *r = &w->row[place->row];
    if ((uint64_t)start_s / DAY_S != r->day || (c->group & GROUP_BIG))
        return false;
    if (out) {
        cell_add_hour(w, place->cell, hour_at((uint64_t)start_s, bytes));
        return true;
    }
    if (external && r->in_cell == NIL)
        return false;
    c->bytes_in = sat_add(c->bytes_in, bytes);
    if (external)
        cell_add_hour(w, r->in_cell, hour_at((uint64_t)start_s, bytes));
    return true;
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

static enum weir_err merge_cell(struct window *dst, uint32_t row, const struct window *src, const struct cell *c)
{
    uint32_t k = cell_get(dst, row, c->group);
    if (k == NIL)
        return WEIR_NOMEM;
    struct cell *to = &dst->cell[k];
    to->bytes_in = sat_add(to->bytes_in, c->bytes_in);
    if (WEIR_LIKELY(c->more == NIL)) {
        if (c->last != HOUR_NONE)
            cell_add_hour(dst, k, c->last);
        return WEIR_OK;
    }
    WEIR_UNINITIALIZED hour_t hours[24];
    for (size_t i = cell_hours(src, c, hours); i > 0; i--)
        cell_add_hour(dst, k, hours[i - 1]);
    return WEIR_OK;
}

/* The number of an interface of src in dst, found once per pair of windows. */
static uint32_t interface_in(struct window *dst, struct window *src, uint32_t interface)
{
    if (src->to[interface] != NIL)
        return src->to[interface];
    struct interface_name name;
    window_name(src, interface, &name);
    return src->to[interface] = window_interface(dst, &name);
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

/* A whole run's tables are far larger than the caches: what many rows ahead will touch is brought near step by step. */
#define BATCH 32

struct merge_row { uint32_t from, interface, to; };

static enum weir_err find_row(struct window *dst, const struct window *src, struct merge_row *m)
{
    const struct row *r = &src->row[m->from];
    m->to = row_get(dst, m->interface, r->host, r->day, (enum row_kind)r->kind);
    if (m->to == NIL) {
        dst->stats.folded++;
        return WEIR_LIMIT;
    }
    for (uint32_t k = r->head; k != NIL; k = src->cell[k].row_next)
        cell_prefetch_head(dst, m->to, src->cell[k].group);
    return WEIR_OK;
}

static enum weir_err merge_row(struct window *dst, const struct window *src, const struct merge_row *m)
{
    const struct row *r = &src->row[m->from];
    day_mark(dst, r->day, dst->row[m->to].host_id);
    for (unsigned big = 0; big < 2; big++)
        row_raise_level(dst, m->to, big, r->level[big]);
    enum weir_err err = WEIR_OK;
    for (uint32_t k = r->head; k != NIL && !err; k = src->cell[k].row_next)
        err = merge_cell(dst, m->to, src, &src->cell[k]);
    return err;
}

/* Steps 1 and 2: interfaces, then rows. Rows that find no room are left out of the batch. */
static size_t batch_rows(struct window *dst, struct window *src, uint32_t first, uint32_t end, struct merge_row batch[BATCH], enum weir_err *err)
{
    size_t all = 0, n = 0;
    for (uint32_t i = first; i < end; i++) {
        if (!src->row[i].day)
            continue;
        struct merge_row m = {i, interface_in(dst, src, src->row[i].interface), NIL};
        if (m.interface == NIL) {
            *err = WEIR_NOMEM;
            return 0;
        }
        __builtin_prefetch(&dst->interface[m.interface]);
        batch[all++] = m;
    }
    for (size_t i = 0; i < all; i++)
        row_prefetch(dst, batch[i].interface);
    for (size_t i = 0; i < all; i++) {
        batch[n] = batch[i];
        if (find_row(dst, src, &batch[n]))
            *err = WEIR_LIMIT; /* a bound, counted; the rest still fits where it is known */
        else
            n++;
    }
    return n;
}

static void prefetch_cells(const struct window *dst, const struct window *src, const struct merge_row *batch, size_t n,
                           void (*prefetch)(const struct window *, uint32_t, uint64_t))
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = src->row[batch[i].from].head; k != NIL; k = src->cell[k].row_next)
            prefetch(dst, batch[i].to, src->cell[k].group);
}

static enum weir_err merge_batch(struct window *dst, struct window *src, uint32_t first, uint32_t end)
{
    WEIR_UNINITIALIZED struct merge_row batch[BATCH];
    enum weir_err limit = WEIR_OK, err = WEIR_OK;
    size_t n = batch_rows(dst, src, first, end, batch, &limit);
    if (limit == WEIR_NOMEM)
        return limit;
    prefetch_cells(dst, src, batch, n, cell_prefetch_cell);
    prefetch_cells(dst, src, batch, n, cell_prefetch_pool);
    for (size_t i = 0; i < n && !err; i++)
        err = merge_row(dst, src, &batch[i]);
    return err ? err : limit;
}

enum weir_err window_merge(struct window *dst, struct window *src)
{
    if (!src->interfaces)
        return WEIR_OK;
    if (!map_interfaces(dst, src))
        return WEIR_NOMEM;
    enum weir_err limit = WEIR_OK;
    for (uint32_t i = 0; i < src->rows; i += BATCH) {
        enum weir_err err = merge_batch(dst, src, i, i + BATCH < src->rows ? i + BATCH : src->rows);
        if (err && err != WEIR_LIMIT)
            return err;
        limit = err ? err : limit;
    }
    dst->stats.folded += src->stats.folded;
    return limit;
}
