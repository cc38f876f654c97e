/* SPDX-License-Identifier: Apache-2.0 */
/* One host-day, assembled from its rows: the same interface under several flow logs (double subscription) counts once, by
 * the larger sum of each group and hour; ends that were only possible hosts count where another row proves them. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct window *w;
    struct homes homes;
    uint32_t *gap_row;        /* by interface, NIL; or NULL when the day has no gaps */
    bool *proven;             /* by interface: some host of the day is certain */
    struct host_group *group; /* scratch, then result */
    uint32_t *flow_log;       /* beside group while assembling: offset of its flow log's name */
    size_t groups, cap;
};

static enum weir_err reader_room(struct reader *r)
{
    if (r->groups < r->cap)
        return WEIR_OK;
    size_t cap = r->cap ? r->cap * 2 : 64;
    struct host_group *group = realloc(r->group, cap * sizeof *group);
    if (group)
        r->group = group;
    uint32_t *flow_log = realloc(r->flow_log, cap * sizeof *flow_log);
    if (flow_log)
        r->flow_log = flow_log;
    if (!group || !flow_log)
        return WEIR_NOMEM;
    r->cap = cap;
    return WEIR_OK;
}

static enum weir_err take_cell(struct reader *r, const struct cell *c, uint32_t flow_log)
{
    enum weir_err err = reader_room(r);
    if (err)
        return err;
    struct host_group *g = &r->group[r->groups];
    *g = (struct host_group){.group = group_plain(c->group), .bytes_in = c->bytes_in, .packets_out = c->packets, .flows = c->flows};
    r->flow_log[r->groups++] = flow_log;
    hour_t hours[24];
    for (size_t i = 0, n = cell_hours(r->w, c, hours); i < n; i++)
        g->hour[hour_of(hours[i])] = hour_bytes(hours[i]);
    return WEIR_OK;
}

static void group_sum(struct host_group *to, const struct host_group *from)
{
    to->bytes_in = sat_add(to->bytes_in, from->bytes_in);
    to->packets_out = sat_add(to->packets_out, from->packets_out);
    to->flows = sat_add32(to->flows, from->flows);
    for (unsigned h = 0; h < 24; h++)
        to->hour[h] = sat_add(to->hour[h], from->hour[h]);
}

#define RAISE(a, b) ((a) = (a) < (b) ? (b) : (a))

static void group_max(struct host_group *to, const struct host_group *from)
{
    RAISE(to->bytes_in, from->bytes_in);
    RAISE(to->packets_out, from->packets_out);
    RAISE(to->flows, from->flows);
    for (unsigned h = 0; h < 24; h++)
        RAISE(to->hour[h], from->hour[h]);
}

struct ref { uint64_t group; uint32_t flow_log, at; };

static int compare_refs(const void *a, const void *b)
{
    const struct ref *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->flow_log > y->flow_log) - (x->flow_log < y->flow_log);
}

/* Sort by group, add up within a flow log, take the larger over flow logs. */
static enum weir_err fold_groups(struct reader *r)
{
    struct ref few[128], *ref = r->groups <= WEIR_COUNT(few) ? few : malloc(r->groups * sizeof *ref);
    struct host_group *sorted = malloc((r->groups + 1) * sizeof *sorted);
    if (!ref || !sorted) {
        if (ref != few)
            free(ref);
        free(sorted);
        return WEIR_NOMEM;
    }
    for (size_t i = 0; i < r->groups; i++)
        ref[i] = (struct ref){r->group[i].group, r->flow_log[i], (uint32_t)i};
    qsort(ref, r->groups, sizeof *ref, compare_refs);
    size_t n = 0;
    for (size_t i = 0; i < r->groups;) {
        size_t first = i;
        struct host_group one = r->group[ref[i++].at];
        for (; i < r->groups && ref[i].group == ref[first].group && ref[i].flow_log == ref[first].flow_log; i++)
            group_sum(&one, &r->group[ref[i].at]);
        if (n && sorted[n - 1].group == one.group)
            group_max(&sorted[n - 1], &one);
        else
            sorted[n++] = one;
    }
    if (ref != few)
        free(ref);
    free(r->group);
    r->group = sorted;
    r->cap = r->groups + 1;
    r->groups = n;
    uint32_t *flow_log = realloc(r->flow_log, r->cap * sizeof *flow_log);
    if (!flow_log)
        return WEIR_NOMEM;
    r->flow_log = flow_log;
    return WEIR_OK;
}

static void add_up(struct host_day *d, struct host_group *g)
{
    g->bytes_out = 0;
    for (unsigned h = 0; h < 24; h++)
        g->bytes_out = sat_add(g->bytes_out, g->hour[h]);
    enum group_kind kind = group_kind(g->group);
    bool rest_external = kind == GROUP_REST && !(g->group & 1);
    if (kind == GROUP_REST)
        d->rest_out = sat_add(d->rest_out, g->bytes_out);
    if (group_external(g->group) || rest_external) {
        d->external_out = sat_add(d->external_out, g->bytes_out);
        for (unsigned h = 0; h < 24; h++)
            d->hour_out[h] = sat_add(d->hour_out[h], g->hour[h]);
    } else {
        d->internal_out = sat_add(d->internal_out, g->bytes_out);
        d->internal_in = sat_add(d->internal_in, g->bytes_in);
    }
}

static void take_sums(struct reader *r, struct host_day *d)
{
    size_t n = 0;
    for (size_t i = 0; i < r->groups; i++) {
        struct host_group *g = &r->group[i];
        if (group_kind(g->group) == GROUP_IN) {
            memcpy(d->hour_in, g->hour, sizeof d->hour_in);
            for (unsigned h = 0; h < 24; h++)
                d->external_in = sat_add(d->external_in, g->hour[h]);
            continue;
        }
        add_up(d, g);
        if (n != i)
            r->group[n] = *g;
        n++;
    }
    d->group = r->group;
    d->groups = r->groups = n;
}

static void take_gaps(const struct reader *r, uint32_t interface, struct host_day *d)
{
    if (!r->gap_row || r->gap_row[interface] == NIL)
        return;
    const struct row *row = &r->w->row[r->gap_row[interface]];
    uint64_t gaps = 0;
    for (uint32_t k = row->head; k != NIL; k = r->w->cell[k].row_next) {
        hour_t hours[24];
        for (size_t i = 0, n = cell_hours(r->w, &r->w->cell[k], hours); i < n; i++) {
            d->gap_hours |= 1u << hour_of(hours[i]);
            gaps += hour_bytes(hours[i]);
        }
    }
    RAISE(d->gaps, gaps);
}

static enum weir_err reader_homes(struct reader *r)
{
    return r->homes.row ? WEIR_OK : homes_open(r->w, &r->homes);
}

/* A copy of a host behind another interface (transit gateway, pod network) counts only if the host's own interface is silent. */
static bool row_counts(struct reader *r, const struct row *row, bool proven, enum weir_err *err)
{
    switch ((enum row_kind)row->kind) {
    case ROW_HOME: return true;
    case ROW_VIA:
        *err = reader_homes(r);
        return !*err && homes_find(r->w, &r->homes, row->host) == r->homes.n;
    case ROW_PENDING: return proven;
    case ROW_INTERFACE: break;
    }
    return false;
}

/* Bytes out of a row, or as soon as it is clear some number of at least `enough`. */
static uint64_t row_bytes(const struct window *w, const struct row *row, uint64_t enough)
{
    uint64_t sum = 0;
    for (uint32_t k = row->head; k != NIL && sum < enough; k = w->cell[k].row_next) {
        const struct cell *c = &w->cell[k];
        if (c->more == NIL) {
            sum = sat_add(sum, c->last == HOUR_NONE ? 0 : hour_bytes(c->last));
            continue;
        }
        hour_t hours[24];
        for (size_t i = 0, n = cell_hours(w, c, hours); i < n; i++)
            sum = sat_add(sum, hour_bytes(hours[i]));
    }
    return sum;
}

/* rows first..last-1 of the order are of one host. */
static enum weir_err read_host(struct reader *r, const uint32_t *rows, size_t n, uint64_t at_least, window_each *each, void *ctx)
{
    struct window *w = r->w;
    bool proven = w->row[rows[0]].kind < ROW_PENDING; /* kinds are sorted */
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        if (proven || w->row[rows[i]].kind != ROW_PENDING)
            bytes = sat_add(bytes, row_bytes(w, &w->row[rows[i]], at_least));
        else if (!r->proven[w->row[rows[i]].interface])
            w->stats.unresolved_bytes = sat_add(w->stats.unresolved_bytes, row_bytes(w, &w->row[rows[i]], UINT64_MAX));
    if (bytes < at_least || w->row[rows[0]].kind == ROW_INTERFACE || !proven)
        return WEIR_OK;
    struct interface_name name;
    window_name(w, w->row[rows[0]].interface, &name);
    struct host_day d = {.host_id = w->row[rows[0]].host_id, .account = name.account, .interface = name.id, .vpc = name.vpc,
                         .host = w->row[rows[0]].host, .day_s = (int64_t)w->row[rows[0]].day * DAY_S};
    r->groups = 0;
    bool counts = false;
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < n && !err; i++) {
        const struct row *row = &w->row[rows[i]];
        if (!row_counts(r, row, proven, &err))
            continue;
        counts = true;
        d.forwarder |= w->interface[row->interface].forwards;
        RAISE(d.level, row->level[0]);
        take_gaps(r, row->interface, &d);
        for (uint32_t k = row->head; k != NIL && !err; k = w->cell[k].row_next)
            err = take_cell(r, &w->cell[k], w->interface[row->interface].flow_log);
    }
    if (!err && counts)
        err = fold_groups(r);
    if (err || !counts)
        return err;
    take_sums(r, &d);
    if (!d.forwarder && forwarder_possible(&d)) {
        err = reader_homes(r);
        if (!err && forwarder_suspected(w, &r->homes, &d)) {
            d.forwarder = d.suspected = true;
            w->stats.suspected_forwarders++;
        }
    }
    return err ? err : each(ctx, &d);
}

static enum weir_err survey(struct reader *r)
{
    struct window *w = r->w;
    r->proven = calloc((size_t)w->interfaces + 1, sizeof *r->proven);
    if (!r->proven)
        return WEIR_NOMEM;
    for (uint32_t i = 0; i < w->order.n; i++) {
        uint32_t row = w->order.row[i];
        r->proven[w->row[row].interface] |= w->row[row].kind == ROW_HOME;
        if (w->row[row].kind != ROW_INTERFACE)
            continue;
        if (!r->gap_row) {
            r->gap_row = malloc(w->interfaces * sizeof *r->gap_row);
            if (!r->gap_row)
                return WEIR_NOMEM;
            memset(r->gap_row, 0xff, w->interfaces * sizeof *r->gap_row);
        }
        r->gap_row[w->row[row].interface] = row;
    }
    return WEIR_OK;
}

enum weir_err window_each_host(struct window *w, int64_t day_s, uint64_t at_least, window_each *each, void *ctx)
{
    struct reader r = {.w = w};
    w->stats.unresolved_bytes = 0;
    w->stats.suspected_forwarders = 0;
    enum weir_err err = window_order(w, (uint16_t)(day_s / DAY_S));
    if (!err)
        err = survey(&r);
    const struct order *o = &w->order;
    for (uint32_t i = 0; i < o->n && !err;) {
        uint32_t first = i++;
        while (i < o->n && w->row[o->row[i]].host_id == w->row[o->row[first]].host_id)
            i++;
        err = read_host(&r, o->row + first, i - first, at_least, each, ctx);
    }
    homes_close(&r.homes);
    free(r.gap_row);
    free(r.proven);
    free(r.group);
    free(r.flow_log);
    return err;
}
