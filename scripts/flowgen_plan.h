/* Planned episodes: what flowgen_attack.c (kinds, and plans by option) and flowgen_survey.c (many of each kind) share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOWGEN_PLAN_H
#define FLOWGEN_PLAN_H

#include "flowgen.h"

/* The request, filled from the kind's defaults, then from the options. */
struct plan {
    struct world *w;
    uint32_t host;
    int64_t day;      /* epoch day */
    int64_t at;       /* second of the start; from day, hour, minute unless the kind says otherwise */
    int64_t seconds;
    int64_t days;
    uint64_t bytes, key;
    uint16_t port;
    uint8_t protocol;
    bool has_peer;
    struct addr peer;
    const struct kind *kind;
};

struct kind {
    const char *name, *truth;
    enum role role; /* of a host drawn by chance */
    double hour;
    uint32_t minutes, days;
    double bytes;
    uint16_t port;
    uint8_t protocol;
    void (*lay)(struct plan *p);
    const char *help;
};
extern const struct kind kinds[];
extern const uint32_t nkinds;

void plan_start(struct plan *p, struct world *w, const struct kind *k, uint64_t hash);
void plan_lay(struct plan *p); /* day and time of day to a time, then the kind's connections */

#endif
