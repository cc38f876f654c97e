/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of one day in the order of host ids: by bucket, then sorted within. Output order never follows the hash tables. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

static bool same_host_and_kind(const struct ref *a, const struct ref *b) { return a->group == b->group && a->flow_log == b->flow_log; }

static int compare_flow_logs(const struct window *w, const struct ref *a, const struct ref *b)
{
    return slice_cmp(text_at(w, w->interface[w->row[a->cell].interface].flow_log), text_at(w, w->interface[w->row[b->cell].interface].flow_log));
}

/* Rows as references: host id, kind, number of the row. Sorted by the first two; of the few that share both, by the flow log. */
static void sort_rows(const struct window *w, struct ref *ref, struct ref *spare, size_t n)
{
    refs_sort(ref, spare, n);
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && same_host_and_kind(&ref[k - 1], &ref[k]) && compare_flow_logs(w, &ref[k - 1], &ref[k]) > 0; k--) {
            struct ref swap = ref[k];
            ref[k] = ref[k - 1];
            ref[k - 1] = swap;
        }
}

static void order_count(struct window *w, uint16_t day)
{
    struct order *o = &w->order;
    memset(o->start, 0, sizeof o->start);
    for (uint32_t i = 0; i < w->rows; i++)
        if (w->row[i].day == day)
            o->start[(w->row[i].host_id >> 56) + 1]++;
    for (unsigned b = 0; b < WINDOW_BUCKETS; b++)
        o->start[b + 1] += o->start[b];
    o->n = o->start[WINDOW_BUCKETS];
}

static uint32_t largest_bucket(const struct order *o)
{
    uint32_t most = 0;
    for (unsigned b = 0; b < WINDOW_BUCKETS; b++)
        most = o->start[b + 1] - o->start[b] > most ? o->start[b + 1] - o->start[b] : most;
    return most;
}

static enum weir_err order_rows(struct window *w, uint16_t day)
{
    struct order *o = &w->order;
    order_count(w, day);
    uint32_t *row = realloc(o->row, ((size_t)o->n + 1) * sizeof *row);
    if (!row)
        return WEIR_NOMEM;
    o->row = row;
    struct ref *ref = malloc(((size_t)o->n + largest_bucket(o) + 1) * sizeof *ref);
    if (!ref)
        return WEIR_NOMEM;
    uint32_t next[WINDOW_BUCKETS];
    memcpy(next, o->start, sizeof next);
    for (uint32_t i = 0; i < w->rows; i++)
        if (w->row[i].day == day)
            ref[next[w->row[i].host_id >> 56]++] = (struct ref){w->row[i].host_id, (uint32_t)w->row[i].kind, i};
    for (unsigned b = 0; b < WINDOW_BUCKETS; b++)
        if (o->start[b + 1] > o->start[b])
            sort_rows(w, ref + o->start[b], ref + o->n, o->start[b + 1] - o->start[b]);
    for (uint32_t i = 0; i < o->n; i++)
        o->row[i] = ref[i].cell;
    free(ref);
    return WEIR_OK;
}

/* Cells of a row are strewn over the table: gather them by one pass over it. */
static enum weir_err order_cells(struct window *w)
{
    struct order *o = &w->order;
    uint32_t *start = realloc(o->cell_start, ((size_t)o->n + 1) * sizeof *start);
    uint32_t *place = malloc(((size_t)w->rows + 1) * sizeof *place);
    if (start)
        o->cell_start = start;
    uint32_t sum = 0;
    if (start && place) {
        memset(place, 0xff, (size_t)w->rows * sizeof *place);
        for (uint32_t i = 0; i < o->n; i++) {
            start[i] = place[o->row[i]] = sum;
            sum += w->row[o->row[i]].cells;
        }
        start[o->n] = sum;
    }
    uint32_t *cell = realloc(o->cell, ((size_t)sum + 1) * sizeof *cell);
    if (cell)
        o->cell = cell;
    if (!start || !place || !cell) {
        free(place);
        return WEIR_NOMEM;
    }
    memset(cell, 0xff, (size_t)sum * sizeof *cell); /* folded cells leave holes */
    for (uint32_t k = 0; k < w->cells; k++)
        if (w->cell[k].row != NIL && place[w->cell[k].row] != NIL)
            cell[place[w->cell[k].row]++] = k;
    free(place);
    return WEIR_OK;
}

/* A row that may be the host's, beside one that proves the host: one row, whatever came first. */
static enum weir_err settle_pending(struct window *w, uint16_t day)
{
    for (uint32_t i = 0; i < w->rows; i++) {
        struct row *r = &w->row[i];
        if (r->day != day || r->kind != ROW_PENDING)
            continue;
        uint32_t home = row_find(w, r->interface, r->host, day, ROW_HOME);
        if (home == NIL)
            continue;
        if (!row_move_cells(w, i, home))
            return WEIR_NOMEM;
        w->row[i].day = 0; /* passed over from here on */
        w->rows_free++;
        w->order.day = 0;
    }
    return WEIR_OK;
}

enum weir_err window_order(struct window *w, uint16_t day)
{
    struct order *o = &w->order;
    bool same = o->day == day && o->rows_seen == w->rows;
    if (same && o->cells_seen == w->cells)
        return WEIR_OK;
    enum weir_err err = settle_pending(w, day);
    same &= o->day == day;
    o->day = 0;
    if (!err && !same)
        err = order_rows(w, day);
    if (!err)
        err = order_cells(w);
    if (err)
        return err;
    o->day = day;
    o->rows_seen = w->rows;
    o->cells_seen = w->cells;
    return WEIR_OK;
}

enum weir_err window_arrange(struct window *w, int64_t day_s) { return window_order(w, (uint16_t)(day_s / DAY_S)); }

static int compare_days(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

size_t window_days(const struct window *w, int64_t *day_s, size_t max)
{
    size_t n = 0;
    for (uint32_t i = 0; i < w->days && n < max; i++)
        day_s[n++] = (int64_t)w->day[i].day * DAY_S;
    qsort(day_s, n, sizeof *day_s, compare_days);
    return n;
}

bool window_bucket_dirty(const struct window *w, int64_t day_s, unsigned bucket)
{
    for (uint32_t i = 0; i < w->days; i++)
        if (w->day[i].day == day_s / DAY_S)
            return w->day[i].dirty[bucket / 8] >> bucket % 8 & 1;
    return false;
}

void order_free(struct window *w)
{
    free(w->order.row);
    free(w->order.cell);
    free(w->order.cell_start);
    w->order = (struct order){.day = 0};
}

void window_clean(struct window *w)
{
    for (uint32_t i = 0; i < w->days; i++)
        memset(w->day[i].dirty, 0, sizeof w->day[i].dirty);
    order_free(w);
}

/* What stays is copied into a new window: the memory of a closed day is given back at once. */
enum weir_err window_drop_day(struct window *w, int64_t day_s)
{
    uint16_t day = (uint16_t)(day_s / DAY_S);
    struct window *kept = window_new(&w->limits, w->learns);
    if (!kept)
        return WEIR_NOMEM;
    for (uint32_t i = 0; i < w->rows; i++)
        if (w->row[i].day == day)
            w->row[i].day = 0; /* passed over by the merge */
    struct window_stats stats = w->stats;
    enum weir_err err = window_merge(kept, w);
    if (err && err != WEIR_LIMIT) {
        window_free(kept);
        return err;
    }
    for (uint32_t i = 0; i < w->days; i++)
        if (w->day[i].day != day)
            for (uint32_t k = 0; k < kept->days; k++)
                if (kept->day[k].day == w->day[i].day)
                    memcpy(kept->day[k].dirty, w->day[i].dirty, sizeof w->day[i].dirty);
    struct window old = *w;
    *w = *kept;
    *kept = old;
    w->stats = stats;
    window_free(kept);
    return WEIR_OK;
}

uint64_t window_cells(const struct window *w) { return w->cells - w->cells_free; }

struct window_stats window_stats(const struct window *w)
{
    struct window_stats s = w->stats;
    s.interfaces = w->interfaces;
    s.host_days = w->rows;
    s.cells = w->cells - w->cells_free;
    return s;
}

uint64_t window_hosts(struct window *w, int64_t day_s)
{
    uint64_t n = 0, last = 0;
    if (window_order(w, (uint16_t)(day_s / DAY_S)))
        return 0;
    for (uint32_t i = 0; i < w->order.n; i++) {
        const struct row *r = &w->row[w->order.row[i]];
        order_prefetch(w, i);
        if (r->kind > ROW_VIA || (n && r->host_id == last))
            continue;
        last = r->host_id;
        n++;
    }
    return n;
}
