/* Habits of everyday life: what flowgen_spawn.c (connection by connection) and flowgen_day.c (sums of a day) share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOWGEN_HABIT_H
#define FLOWGEN_HABIT_H

#include "flowgen.h"

enum place {
    TO_SAAS,     /* arg: first endpoint, span: how many the role uses */
    TO_PROVIDER, /* arg: provider, span: how many of them a host knows */
    TO_ROLE,     /* arg: role, span: how many of its hosts this host knows */
    TO_ANY_HOST, /* any host of the VPC */
    TO_RESOLVER,
    TO_NOVEL,    /* a place that nobody has met: rate from --novelty */
    FROM_CLIENT, /* anybody in the Internet, a third of them regulars */
    FROM_OFFICE, /* a handful of known addresses */
    FROM_SCANNER,
    FROM_REJECTED
};

enum { HEAVY = 1, MONTHLY = 2, HOURLY = 4 }; /* Pareto tail · three times as much at month end · by cron, five past the hour */

struct habit {
    unsigned roles;
    enum place place;
    uint32_t arg, span;
    uint16_t port;
    uint8_t protocol;
    double per_day, out, in, octaves; /* medians of bytes, spread in octaves */
    uint32_t seconds;                 /* median duration */
    uint32_t rhythm;
    unsigned traits;
};
extern const struct habit habits[];
extern const size_t nhabits;

/* Where a habit leads this time. False: nowhere (the other host does not exist). */
bool draw_place(const struct world *w, const struct habit *h, uint32_t host, int64_t at, struct rng *r, struct addr *peer, uint32_t *peer_host);
double draw_volume(const struct world *w, const struct habit *h, uint32_t host, struct rng *r);
void session_serve(struct session *s); /* turns a connection round: the peer has opened it */
void spawn_rejected(const struct world *w, uint32_t host, struct addr peer, int64_t at, struct rng *r, struct session_list *out);

#endif
