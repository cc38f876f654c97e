/* SPDX-License-Identifier: Apache-2.0 */
/* Forwarders that no packet-level address gives away (version 2 logs): an interface that takes in from our hosts what
 * those hosts, at their own interfaces, say they sent elsewhere, and sends about as much outside.
 *
 * A NAT gateway's inner leg shows "host -> gateway" while the host's own record shows "host -> far end". A host that is
 * used to stage stolen data is told apart by that: there the sender's own record does name it. Where the senders are not
 * logged at all, three of them and sums that match within a quarter are asked for. The configuration wins over this. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define FORWARD_MIN_BYTES (256u << 10)
#define UNLOGGED_SENDERS 3

static uint32_t *homes_head(const struct window *w, const struct homes *h, struct ip host)
{
    return &h->head[mix(w, host.hi, host.lo) & h->mask];
}

enum weir_err homes_open(const struct window *w, struct homes *out)
{
    const struct order *o = &w->order;
    uint32_t size = FIRST_CAP;
    while (size < o->n / 2)
        size *= 2;
    out->next = malloc(((size_t)o->n + 1) * sizeof *out->next);
    out->head = malloc((size_t)size * sizeof *out->head);
    if (!out->next || !out->head)
        return WEIR_NOMEM;
    memset(out->head, 0xff, (size_t)size * sizeof *out->head);
    out->mask = size - 1;
    const struct row *proof = NULL; /* the home row of a host comes before its pending ones */
    for (uint32_t i = 0; i < o->n; i++) {
        const struct row *r = &w->row[o->row[i]];
        order_prefetch(w, i);
        if (r->kind == ROW_HOME)
            proof = r;
        if (r->kind != ROW_HOME && (r->kind != ROW_PENDING || !proof || proof->host_id != r->host_id))
            continue;
        uint32_t *head = homes_head(w, out, r->host);
        out->next[i] = *head;
        *head = i;
    }
    return WEIR_OK;
}

void homes_close(struct homes *h)
{
    free(h->head);
    free(h->next);
}

static uint32_t same_host(const struct window *w, const struct homes *h, uint32_t at, struct ip host)
{
    while (at != NIL && !ip_eq(w->row[w->order.row[at]].host, host))
        at = h->next[at];
    return at;
}

uint32_t homes_find(const struct window *w, const struct homes *h, struct ip host) { return same_host(w, h, *homes_head(w, h, host), host); }

static uint64_t cell_bytes(const struct window *w, uint32_t k)
{
    WEIR_UNINITIALIZED hour_t hours[24];
    uint64_t sum = 0;
    for (size_t i = k == NIL ? 0 : cell_hours(w, &w->cell[k], hours); i > 0; i--)
        sum = sat_add(sum, hour_bytes(hours[i - 1]));
    return sum;
}

/* Bytes that the host of these home rows says it sent to `to`, whoever opened the connection. */
static uint64_t said_sent(const struct window *w, const struct homes *h, uint32_t at, struct ip to)
{
    uint64_t sum = 0;
    struct flow f = {.peer = to};
    for (struct ip host = w->row[w->order.row[at]].host; at != NIL; at = same_host(w, h, h->next[at], host))
        for (unsigned opened = 0; opened <= OPENED_BY_PEER; opened++) {
            f.opened = (uint8_t)opened;
            uint64_t group = flow_group(&f);
            sum = sat_add(sum, cell_bytes(w, cell_find(w, w->order.row[at], group)));
            sum = sat_add(sum, cell_bytes(w, cell_find(w, w->order.row[at], group | GROUP_BIG)));
        }
    return sum;
}

static bool goes_outside(uint64_t group)
{
    enum group_kind kind = group_kind(group);
    return kind == GROUP_INITIATED || kind == GROUP_UNKNOWN || kind == GROUP_TRUSTED;
}

static uint64_t sent_outside(const struct host_day *d)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < d->groups; i++)
        sum = sat_add(sum, goes_outside(d->group[i].group) ? d->group[i].bytes_out : 0);
    return sum;
}

bool forwarded_enough(uint64_t outside, uint64_t inside) { return outside >= FORWARD_MIN_BYTES && inside >= outside / 2; }

bool forwarder_possible(const struct host_day *d) { return forwarded_enough(sent_outside(d), d->internal_in) && ip_is_v4(d->host); }

#define AHEAD 8

void row_forwarded(const struct window *w, uint32_t at, uint64_t *outside, uint64_t *inside)
{
    const struct order *o = &w->order;
    for (uint32_t i = o->cell_start[at]; i < o->cell_start[at + 1] && o->cell[i] != NIL; i++) {
        const struct cell *c = &w->cell[o->cell[i]];
        if (i + AHEAD < o->cell_start[o->n] && o->cell[i + AHEAD] != NIL)
            __builtin_prefetch(&w->cell[o->cell[i + AHEAD]]);
        if (goes_outside(c->group))
            *outside = sat_add(*outside, cell_bytes(w, o->cell[i]));
        else
            *inside = sat_add(*inside, c->bytes_in); /* some more than d->internal_in, which takes the internal groups only */
    }
}

bool forwarder_suspected(const struct window *w, const struct homes *h, const struct host_day *d)
{
    uint64_t examined = 0, denied = 0, unlogged = 0;
    unsigned unlogged_senders = 0;
    for (size_t i = 0; i < d->groups; i++) {
        const struct host_group *g = &d->group[i];
        if (group_kind(g->group) != GROUP_INTERNAL_OTHER || (g->group >> 52 & 15) != 4)
            continue;
        examined = sat_add(examined, g->bytes_in); /* of very many senders a sample is kept */
        uint32_t home = homes_find(w, h, ip_from_v4((uint32_t)g->group));
        if (home == NIL) {
            unlogged = sat_add(unlogged, g->bytes_in);
            unlogged_senders++;
        } else if (said_sent(w, h, home, d->host) < g->bytes_in / 2) {
            denied = sat_add(denied, g->bytes_in);
        }
    }
    if (denied && denied >= examined / 2)
        return true;
    uint64_t outside = sent_outside(d);
    return unlogged_senders >= UNLOGGED_SENDERS && unlogged / 4 >= outside / 5 && unlogged / 5 <= outside / 4;
}
