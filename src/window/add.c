/* SPDX-License-Identifier: Apache-2.0 */
/* Flows into a window, and one window into another. */
#include "table.h"

#include <stdlib.h>

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

static enum weir_err add_one(struct window *w, uint32_t interface, const struct flow *f, enum row_kind kind)
{
    uint64_t start = (uint64_t)f->start_s;
    uint32_t second = (uint32_t)(start % DAY_S);
    uint32_t row = row_get(w, interface, f->host, (uint16_t)(start / DAY_S), kind);
    if (row == NIL)
        return folded(w);
    uint64_t group = flow_group(f);
    if (f->bytes >= WINDOW_BIG_BYTES && f->out)
        group |= GROUP_BIG;
    uint32_t k = cell_get(w, row, group);
    if (k == NIL)
        return folded(w);
    hour_t hour = hour_make(second / HOUR_S, 1u << (second % HOUR_S / 600), f->bytes);
    struct cell *c = &w->cell[k];
    c->flows = sat_add32(c->flows, 1);
    if (!f->out) {
        c->bytes_in = sat_add(c->bytes_in, f->bytes);
        return add_incoming(w, row, f, hour);
    }
    c->packets = sat_add32(c->packets, f->packets > UINT32_MAX ? UINT32_MAX : (uint32_t)f->packets);
    cell_add_hour(w, k, hour);
    return WEIR_OK;
}

enum weir_err window_add(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict)
{
    if (WEIR_LIKELY(verdict == FLOW_CHARGED))
        return add_one(w, interface, f, f->via ? ROW_VIA : ROW_HOME);
    struct flow mirrored = flow_mirror(f);
    enum weir_err err = add_one(w, interface, f, ROW_PENDING);
    enum weir_err other = add_one(w, interface, &mirrored, ROW_PENDING);
    return err ? err : other;
}

enum weir_err window_add_gap(struct window *w, uint32_t interface, int64_t start_s)
{
    uint64_t start = (uint64_t)start_s;
    uint32_t row = row_get(w, interface, (struct ip){0, 0}, (uint16_t)(start / DAY_S), ROW_INTERFACE);
    uint32_t k = row == NIL ? NIL : cell_get(w, row, (uint64_t)GROUP_GAP << 60);
    if (k == NIL)
        return folded(w);
    w->cell[k].flows = sat_add32(w->cell[k].flows, 1);
    cell_add_hour(w, k, hour_make((unsigned)(start % DAY_S / HOUR_S), 1u << (start % HOUR_S / 600), 1));
    return WEIR_OK;
}

static enum weir_err merge_cell(struct window *dst, uint32_t row, const struct window *src, const struct cell *c)
{
    uint32_t k = cell_get(dst, row, c->group);
    if (k == NIL)
        return WEIR_NOMEM;
    struct cell *to = &dst->cell[k];
    to->bytes_in = sat_add(to->bytes_in, c->bytes_in);
    to->packets = sat_add32(to->packets, c->packets);
    to->flows = sat_add32(to->flows, c->flows);
    if (WEIR_LIKELY(c->more == NIL)) {
        if (c->first != HOUR_NONE)
            cell_add_hour(dst, k, c->first);
        return WEIR_OK;
    }
    hour_t hours[24];
    for (size_t i = 0, n = cell_hours(src, c, hours); i < n; i++)
        cell_add_hour(dst, k, hours[i]);
    return WEIR_OK;
}

static enum weir_err merge_row(struct window *dst, uint32_t interface, const struct window *src, const struct row *r)
{
    uint32_t row = row_get(dst, interface, r->host, r->day, (enum row_kind)r->kind);
    if (row == NIL) {
        dst->stats.folded++;
        return WEIR_LIMIT;
    }
    day_mark(dst, r->day, dst->row[row].host_id);
    for (unsigned big = 0; big < 2; big++)
        row_raise_level(dst, row, big, r->level[big]);
    for (uint32_t k = r->head; k != NIL; k = src->cell[k].row_next) {
        enum weir_err err = merge_cell(dst, row, src, &src->cell[k]);
        if (err)
            return err;
    }
    return WEIR_OK;
}

enum weir_err window_merge(struct window *dst, const struct window *src)
{
    if (!src->interfaces)
        return WEIR_OK;
    uint32_t *to = malloc(src->interfaces * sizeof *to);
    if (!to)
        return WEIR_NOMEM;
    enum weir_err err = WEIR_OK, first = WEIR_OK;
    for (uint32_t i = 0; i < src->interfaces && !err; i++) {
        struct interface_name name;
        window_name(src, i, &name);
        to[i] = window_interface(dst, &name);
        if (to[i] == NIL)
            err = WEIR_NOMEM;
        else if (src->interface[i].forwards)
            window_set_forwards(dst, to[i]);
    }
    for (uint32_t i = 0; i < src->rows && !err; i++) {
        enum weir_err row_err = src->row[i].day ? merge_row(dst, to[src->row[i].interface], src, &src->row[i]) : WEIR_OK;
        if (row_err == WEIR_LIMIT)
            first = WEIR_LIMIT; /* a bound, counted; the rest still fits where it is known */
        else
            err = row_err;
    }
    dst->stats.folded += src->stats.folded;
    free(to);
    return err ? err : first;
}
