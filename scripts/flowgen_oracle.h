/* The oracle: a detector that knows every host's true distribution. flowgen_groups.c makes features of a host-day, flowgen_oracle.c judges.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOWGEN_ORACLE_H
#define FLOWGEN_ORACLE_H

#include "flowgen.h"

#define TALLIES 512
#define GROUP_SLOTS 12

enum group { GROUP_OUTSIDE, GROUP_CLIENT, GROUP_INSIDE };
enum service { SERVICE_USUAL, SERVICE_TIME, SERVICE_ODD };

/* Features, each in octaves lg(bytes) = log2(1 + bytes / 65536). New: not familiar to the host; shared: three hosts of the fleet knew it. */
enum {
    F_DAY,        /* to places that the host calls */
    F_HOUR_MAX,   /* in the largest hour */
    F_NEW,        /* to new unshared places */
    F_NEW_SHARED, /* to new places that others know */
    F_ODD,        /* to new places by odd protocols and ports */
    F_SPLIT,      /* to the fourth largest new place */
    F_SLOW,       /* to one young place, since it was first seen */
    F_HOURS,      /* active hours of one new place (not bytes) */
    F_CLIENT,     /* served to one familiar client network */
    F_CLIENT_NEW, /* served to one new client network */
    F_INSIDE,     /* to one familiar host inside */
    F_INSIDE_NEW, /* to one new host inside */
    F_HOUR,       /* in each hour of the day */
    F_GROUP = F_HOUR + 24, /* to each of the most used familiar places */
    FEATURES = F_GROUP + GROUP_SLOTS
};

struct tally {
    uint64_t key;
    double bytes;
    uint32_t hours; /* bits */
    uint8_t kind, service;
};

struct tallies {
    struct tally at[TALLIES];
    size_t n;
    double hour[24];
};

/* Of a host: a group, the days it was used, the first of them, its bytes. Of the fleet: the number of hosts that know it, and the day on
 * which the third one came to. */
struct known {
    uint64_t key;
    uint32_t days;
    int64_t first;
    double bytes;
};

struct known_map {
    struct known *at;
    size_t n, cap;
};

struct known *known_find(struct known_map *m, uint64_t key, bool add);
void known_clear(struct known_map *m);
void known_learn(struct known_map *m, const struct tallies *day, int64_t when);
void tallies_add(struct tallies *all, const struct session *list, size_t n, uint32_t host, int64_t day, int32_t episode);
void groups_pick(const struct known_map *host, int64_t day, uint64_t groups[GROUP_SLOTS]);
void features_of(const struct tallies *all, const struct known_map *host, const struct known_map *fleet, const uint64_t groups[GROUP_SLOTS], int64_t day,
                 double f[FEATURES]);

#endif
