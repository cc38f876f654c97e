/* SPDX-License-Identifier: Apache-2.0 */
/* One host-day, assembled from its rows: the same interface under several flow logs (double subscription) counts once, by
 * the larger sum of each group and hour; ends that were only possible hosts count where another row proves them. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct window *w;
    bool suspects;            /* only they are wanted */
    struct homes homes;
    uint32_t *own_row;        /* by interface: its gaps and whether it forwards, or NIL; NULL when the day has none */
    bool *proven;             /* by interface: some host of the day is certain */
    struct ref *ref; size_t refs, refs_cap;           /* cells of the host; behind refs_cap as much room again for sorting */
    struct host_group *group; size_t groups, groups_cap; /* result */
};

static bool room(void *array_pointer, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return true;
    size_t n = need * 2;
    void *old, *p;
    memcpy(&old, array_pointer, sizeof old);
    if (!(p = realloc(old, n * size)))
        return false;
    memcpy(array_pointer, &p, sizeof p);
    *cap = n;
    return true;
}

/* at: place of the row in the order. */
static enum weir_err take_cells(struct reader *r, uint32_t at)
{
    const struct order *o = &r->w->order;
    uint32_t flow_log = r->w->interface[r->w->row[o->row[at]].interface].flow_log;
    if (!room(&r->ref, &r->refs_cap, r->refs + (o->cell_start[at + 1] - o->cell_start[at]), 2 * sizeof *r->ref))
        return WEIR_NOMEM;
    for (uint32_t i = o->cell_start[at]; i < o->cell_start[at + 1] && o->cell[i] != NIL; i++)
        r->ref[r->refs++] = (struct ref){group_plain(r->w->cell[o->cell[i]].group), flow_log, o->cell[i]};
    return WEIR_OK;
}

static void add_cell(struct host_group *to, const struct window *w, const struct cell *c)
{
    WEIR_UNINITIALIZED hour_t hours[24];
    to->bytes_in = sat_add(to->bytes_in, c->bytes_in);
    for (size_t i = cell_hours(w, c, hours); i > 0; i--)
        to->hour[hour_of(hours[i - 1])] = sat_add(to->hour[hour_of(hours[i - 1])], hour_bytes(hours[i - 1]));
}

#define RAISE(a, b) ((a) = (a) < (b) ? (b) : (a))

static void group_max(struct host_group *to, const struct host_group *from)
{
    RAISE(to->bytes_in, from->bytes_in);
    for (unsigned h = 0; h < 24; h++)
        RAISE(to->hour[h], from->hour[h]);
}

/* Add up the cells of a group within a flow log, take the larger over flow logs. */
static enum weir_err fold_groups(struct reader *r)
{
    if (!room(&r->group, &r->groups_cap, r->refs + 1, sizeof *r->group))
        return WEIR_NOMEM;
    if (r->refs)
        refs_sort(r->ref, r->ref + r->refs_cap, r->refs);
    size_t n = 0;
    for (size_t i = 0; i < r->refs;) {
        const struct ref *first = &r->ref[i];
        struct host_group *one = &r->group[n];
        *one = (struct host_group){.group = first->group};
        for (; i < r->refs && r->ref[i].group == first->group && r->ref[i].flow_log == first->flow_log; i++)
            add_cell(one, r->w, &r->w->cell[r->ref[i].cell]);
        if (n && r->group[n - 1].group == one->group)
            group_max(&r->group[n - 1], one);
        else
            n++;
    }
    r->groups = n;
    return WEIR_OK;
}

static void sum_hours(struct host_group *g)
{
    g->bytes_out = 0;
    for (unsigned h = 0; h < 24; h++)
        g->bytes_out = sat_add(g->bytes_out, g->hour[h]);
}

static void add_up(struct host_day *d, struct host_group *g)
{
    sum_hours(g);
    enum group_kind kind = group_kind(g->group);
    bool rest_external = kind == GROUP_REST && !(g->group & 1);
    if (kind == GROUP_TRUSTED)
        return;
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

/* Rules of the policy: what broke them was counted in its own group, too. */
static void take_broken(struct reader *r, size_t first, struct host_day *d)
{
    for (size_t i = first; i < r->groups; i++)
        sum_hours(&r->group[i]);
    d->broken = &r->group[first];
    d->rules_broken = r->groups - first;
}

static void take_sums(struct reader *r, struct host_day *d)
{
    size_t n = 0;
    for (size_t i = 0; i < r->groups; i++) {
        struct host_group *g = &r->group[i];
        if (group_kind(g->group) >= GROUP_POLICY) { /* the last kinds */
            take_broken(r, i, d);
            break;
        }
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

static void take_marks(const struct reader *r, uint32_t interface, struct host_day *d)
{
    if (!r->own_row || r->own_row[interface] == NIL)
        return;
    const struct row *row = &r->w->row[r->own_row[interface]];
    uint64_t gaps = 0;
    for (uint32_t k = row->head; k != NIL; k = r->w->cell[k].row_next) {
        if (r->w->cell[k].group == FORWARDS_CELL)
            d->forwarder = true;
        WEIR_UNINITIALIZED hour_t hours[24];
        for (size_t i = 0, n = cell_hours(r->w, &r->w->cell[k], hours); i < n; i++) {
            d->gap_hours |= 1u << hour_of(hours[i]);
            gaps += hour_bytes(hours[i]);
        }
    }
    RAISE(d->gaps, gaps);
}

static enum weir_err reader_homes(struct reader *r)
{
    return r->homes.next ? WEIR_OK : homes_open(r->w, &r->homes);
}

/* A copy of a host behind another interface (transit gateway, pod network) counts only if the host's own interface is silent. */
static bool row_counts(struct reader *r, const struct row *row, bool proven, enum weir_err *err)
{
    switch ((enum row_kind)row->kind) {
    case ROW_HOME: return true;
    case ROW_VIA:
        *err = reader_homes(r);
        return !*err && homes_find(r->w, &r->homes, row->host) == NIL;
    case ROW_PENDING: return proven;
    case ROW_INTERFACE: break;
    }
    return false;
}

static enum weir_err assemble(struct reader *r, uint32_t first, uint32_t end, struct host_day *d, bool *counts)
{
    struct window *w = r->w;
    enum weir_err err = WEIR_OK;
    r->refs = 0;
    for (uint32_t i = first; i < end && !err; i++) {
        const struct row *row = &w->row[w->order.row[i]];
        if (!row_counts(r, row, true, &err))
            continue;
        if (*counts && w->interface[row->interface].flow_log != w->interface[w->row[w->order.row[first]].interface].flow_log)
            d->flow_log = (struct slice){"", 0};
        *counts = true;
        RAISE(d->level, row->level[0]);
        take_marks(r, row->interface, d);
        if (!err)
            err = take_cells(r, i);
    }
    if (!err && *counts)
        err = fold_groups(r);
    return err;
}

static enum weir_err suspect(struct reader *r, struct host_day *d)
{
    if (d->forwarder || !forwarder_possible(d))
        return WEIR_OK;
    enum weir_err err = reader_homes(r);
    if (!err && forwarder_suspected(r->w, &r->homes, d)) {
        d->forwarder = d->suspected = true;
        r->w->stats.suspected_forwarders++;
    }
    return err;
}

/* Does the host count, and with at least that many bytes or a broken rule? Bytes of ends that nothing proves are noted. */
static bool enough(const struct reader *r, uint32_t first, uint32_t end, uint64_t at_least)
{
    struct window *w = r->w;
    enum row_kind best = (enum row_kind)w->row[w->order.row[first]].kind; /* kinds are sorted */
    uint64_t sent = 0;
    bool broken = false;
    for (uint32_t i = first; i < end && best != ROW_INTERFACE; i++) {
        const struct row *row = &w->row[w->order.row[i]];
        if (best == ROW_PENDING)
            w->stats.unresolved_bytes = sat_add(w->stats.unresolved_bytes, r->proven[row->interface] ? 0 : row->sent);
        sent = sat_add(sent, row->sent);
        broken |= row->broken;
    }
    return best < ROW_PENDING && (sent >= at_least || broken);
}

/* Certainly no forwarder and no breaker of rules, as cells tell without being put together: where one interface under one flow log shows the
 * host. */
static bool beyond_suspicion(const struct reader *r, uint32_t first, uint32_t end)
{
    const struct window *w = r->w;
    const struct row *row = &w->row[w->order.row[first]];
    uint64_t outside = 0, inside = 0;
    for (uint32_t i = first; i < end; i++) {
        const struct row *other = &w->row[w->order.row[i]];
        if (row->kind != ROW_HOME || other->interface != row->interface || other->broken)
            return false;
        row_forwarded(w, i, &outside, &inside);
    }
    return !forwarded_enough(outside, inside);
}

/* Rows first..end-1 of the order are of one host. */
static enum weir_err read_host(struct reader *r, uint32_t first, uint32_t end, uint64_t at_least, window_each *each, void *ctx)
{
    const struct row *row = &r->w->row[r->w->order.row[first]];
    if (!enough(r, first, end, at_least) || (r->suspects && beyond_suspicion(r, first, end)))
        return WEIR_OK;
    struct interface_name name;
    window_name(r->w, row->interface, &name);
    struct host_day d = {.host_id = row->host_id, .account = name.account, .interface = name.id, .vpc = name.vpc, .flow_log = name.flow_log, .host = row->host,
                         .day_s = (int64_t)row->day * DAY_S};
    bool counts = false;
    enum weir_err err = assemble(r, first, end, &d, &counts);
    if (err || !counts)
        return err;
    take_sums(r, &d);
    err = suspect(r, &d);
    return err || (r->suspects && !d.suspected && !d.rules_broken) ? err : each(ctx, &d);
}

static enum weir_err survey(struct reader *r)
{
    struct window *w = r->w;
    r->proven = calloc((size_t)w->interfaces + 1, sizeof *r->proven);
    if (!r->proven)
        return WEIR_NOMEM;
    for (uint32_t i = 0; i < w->order.n; i++) {
        uint32_t row = w->order.row[i];
        order_prefetch(w, i);
        r->proven[w->row[row].interface] |= w->row[row].kind == ROW_HOME;
        if (w->row[row].kind != ROW_INTERFACE)
            continue;
        if (!r->own_row) {
            r->own_row = malloc(w->interfaces * sizeof *r->own_row);
            if (!r->own_row)
                return WEIR_NOMEM;
            memset(r->own_row, 0xff, w->interfaces * sizeof *r->own_row);
        }
        r->own_row[w->row[row].interface] = row;
    }
    return WEIR_OK;
}

static enum weir_err read_day(struct window *w, int64_t day_s, uint64_t at_least, bool suspects, window_each *each, void *ctx)
{
    struct reader r = {.w = w, .suspects = suspects};
    w->stats.unresolved_bytes = 0;
    w->stats.suspected_forwarders = 0;
    enum weir_err err = window_order(w, (uint16_t)(day_s / DAY_S));
    if (!err)
        err = survey(&r);
    const struct order *o = &w->order;
    for (uint32_t i = 0; i < o->n && !err;) {
        uint32_t first = i++;
        for (order_prefetch(w, first); i < o->n && w->row[o->row[i]].host_id == w->row[o->row[first]].host_id; i++)
            order_prefetch(w, i);
        err = read_host(&r, first, i, at_least, each, ctx);
    }
    homes_close(&r.homes);
    free(r.own_row);
    free(r.proven);
    free(r.ref);
    free(r.group);
    return err;
}

enum weir_err window_each_host(struct window *w, int64_t day_s, uint64_t at_least, window_each *each, void *ctx)
{
    return read_day(w, day_s, at_least, false, each, ctx);
}

enum weir_err window_each_suspect(struct window *w, int64_t day_s, uint64_t at_least, window_each *each, void *ctx)
{
    return read_day(w, day_s, at_least, true, each, ctx);
}
