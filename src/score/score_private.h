/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests share; one file a test. */
#ifndef WEIR_SCORE_PRIVATE_H
#define WEIR_SCORE_PRIVATE_H

#include "weir/score.h"

struct score_model {
    const char *version;
#define MODEL(member, value, unit, origin) double member;
#include "models/egress-3.def"
    double floor[SCORE_STATISTICAL_COUNT], weight[SCORE_STATISTICAL_COUNT];
    double lambda[SCORE_STATISTICAL_COUNT], scale[SCORE_STATISTICAL_COUNT], young_lambda[SCORE_STATISTICAL_COUNT], young_scale[SCORE_STATISTICAL_COUNT]; /* priors */
};

/* What a destination is to the host. */
enum relation {
    RELATION_FAMILIAR, /* the host uses it */
    RELATION_SHARED,   /* new to the host, known to its class */
    RELATION_ROLLOUT,  /* many hosts met it today */
    RELATION_NEW,
};

/* All groups of one network: they differ in country only. */
struct destination {
    uint64_t network;
    const struct baseline_group *known; /* or NULL */
    uint64_t bytes;
    uint32_t hours;      /* bit per hour with bytes */
    uint32_t first, n;   /* its groups: scorer.order[first] ... */
    uint8_t relation;
    bool far;            /* in a country that neither host nor class knows */
};

/* What one test sees, hour by hour. */
struct observation {
    enum score_test test;
    uint8_t stratum;
    uint64_t group;
    double y[24], u[24];  /* observed to the end of the hour (hour-volume: in it), and its excess */
    double reference[24], spread[24];
    uint64_t bytes[24];   /* behind y */
    uint32_t count;
    uint64_t largest; uint32_t history; /* of the ring */
    uint8_t from, to;
};

struct scorer {
    const struct score_model *m;
    const struct host_day *day;
    const struct baseline *b;
    const struct class_state *class;
    const struct score_survey *survey;
    unsigned fleet_days;
    uint16_t today;
    uint32_t *order; size_t order_cap;
    uint32_t *destination_of; size_t destination_of_cap; /* by group of the day; UINT32_MAX: none */
    struct destination *destination; size_t destinations, destinations_cap;
    struct observation *seen; size_t n, cap;
    bool nomem;
    uint32_t left_out; /* tests */
    uint8_t feature[FEATURE_COUNT];
    uint8_t excess[SCORE_HISTORIES]; /* after the judgement */
};

static inline bool is_initiated(const struct destination *d) { return group_kind(d->network) == GROUP_INITIATED; }
static inline bool is_served(const struct destination *d) { enum group_kind k = group_kind(d->network); return k == GROUP_SERVED || k == GROUP_UNKNOWN; }
static inline bool is_internal(const struct destination *d) { enum group_kind k = group_kind(d->network); return k == GROUP_INTERNAL_INITIATED || k == GROUP_INTERNAL_OTHER; }
/* Who began an exchange of ICMP is not told: what leaves counts. */
static inline bool is_odd(const struct destination *d)
{
    enum service_class c = group_service(d->network);
    return is_initiated(d) ? c != SERVICE_WEB && c != SERVICE_SHELL : group_kind(d->network) == GROUP_UNKNOWN && c == SERVICE_ICMP;
}
static inline bool is_usual(const struct destination *d) { enum service_class c = group_service(d->network); return c == SERVICE_WEB || c == SERVICE_SHELL; }

/* ---- dns_tunnel.c ---- */
bool dns_tunnel_raises(const struct score_model *m, const struct host_group *g);

/* ---- reference.c ---- */
/* Reference and spread of a ring without its newest `skip` values: never under the floor; for a young host not under its class. */
void ring_reference(const struct score_model *m, const struct ring *r, unsigned skip, double floor, double *reference, double *spread);
void feature_reference(const struct scorer *s, enum baseline_feature f, unsigned skip, double floor, double *reference, double *spread);

bool room(void *array_pointer, size_t *cap, size_t need, size_t size);

/* ---- score.c ---- */
/* Into its place among the parts; of too many the strongest stay. */
void part_insert(struct score *out, const struct score_part *part);

/* ---- strata.c ---- */
/* How many strata of a test one host-day can be raised in. */
unsigned strata_open(enum score_test test);
/* The stratum of a host in a test that compares with a feature of it. */
unsigned stratum_of_host(const struct scorer *s, enum score_test test);
unsigned stratum_of_ring(const struct ring *r); /* of a destination's own history */

/* ---- observe.c: from bytes by hour to observations ---- */
void add_hours(const struct scorer *s, const struct destination *d, uint64_t hours[24]);
/* The sum of the day so far, every byte counted `factor` times. */
struct amount { uint64_t group, hours[24]; double factor; uint32_t count; };
void observe_sum(struct scorer *s, enum score_test test, const struct amount *a, const struct ring *r, double reference, double spread);
struct observation *observe(struct scorer *s, enum score_test test, uint64_t group, double reference, double spread); /* NULL: out of memory, noted */
void observe_history(struct observation *o, const struct ring *r, unsigned skip);
void feature_raise(struct scorer *s, enum baseline_feature f, double octaves); /* today's value is at least that */
/* calibration.c: so much more than its share a test may raise. */
double calibration_gain(const struct score_calibration *c, enum score_test test, unsigned stratum);
static inline double floor_octaves(const struct scorer *s, enum score_test t) { return lg_bytes((uint64_t)s->m->floor[t]); }

/* ---- survey.c ---- */
double survey_common_hour(const struct score_survey *v, const struct class_state *class, unsigned hour);
double survey_common_group(const struct score_survey *v, uint64_t network);
double survey_shock(const struct score_survey *v, enum score_test test); /* rates grow by this */
bool survey_rollout(const struct score_survey *v, uint64_t network, uint64_t bytes);

/* ---- the tests ---- */
void test_hour_volume(struct scorer *s);
void test_group_volume(struct scorer *s);
void test_new_destination(struct scorer *s);
void test_new_far(struct scorer *s);
void test_class_destination(struct scorer *s);
void test_odd_protocol(struct scorer *s);
void test_slow(struct scorer *s);
void test_split(struct scorer *s);
void test_served_volume(struct scorer *s);
void test_served_new(struct scorer *s);
void test_internal_pair(struct scorer *s);
void test_internal_subnet(struct scorer *s);
void test_beacon(struct scorer *s);
void test_creep(struct scorer *s);
bool young_destination(const struct scorer *s, const struct destination *d); /* met in the last 30 days, unshared, not in the host's first days */

#endif
