/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests share; one file a test. */
#ifndef WEIR_SCORE_PRIVATE_H
#define WEIR_SCORE_PRIVATE_H

#include "weir/score.h"

struct score_model {
    const char *version;
#define MODEL(member, value, unit, origin) double member;
#include "models/egress-1.def"
#undef MODEL
};

struct scoring { /* one host-day being scored */
    const struct score_model *m;
    double budget;
    const struct host_day *day;
    const struct baseline *b;
    struct score *out;
    uint16_t today;
};

/* Reference and spread of a ring (docs/detection.md, "Ring statistics"). */
void ring_reference(const struct score_model *m, const struct ring *r, double floor_octaves, double *reference, double *spread);
/* One part from one ring: the hours added up from hour 0 on, or taken one by one. No part without history or bytes. */
void test_sum(struct scoring *s, enum score_test test, uint64_t group, const uint64_t hours[24], const struct ring *ring, double floor);
void test_hours(struct scoring *s, enum score_test test, const uint64_t hours[24], const struct ring *ring, double floor);

void score_hour_volume(struct scoring *s);
void score_group_volume(struct scoring *s);
void score_new_destination(struct scoring *s);
void score_served_volume(struct scoring *s);

#endif
