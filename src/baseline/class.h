/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a class, for class.c and its stored form. */
#ifndef WEIR_BASELINE_CLASS_H
#define WEIR_BASELINE_CLASS_H

#include "weir/baseline.h"

struct class_day { /* one test on one day */
    uint64_t host_days, above;
    uint8_t *excess; /* the largest, descending */
    uint16_t n, cap;
};
struct class_calendar { uint16_t day; struct class_day test[BASELINE_HISTORIES]; };

struct class_state {
    uint64_t id;
    uint16_t days, last_day;
    uint32_t hosts;                  /* on the last closed day */
    uint32_t learned;                /* on the day being learned */
    uint64_t full;                   /* groups that found no room */
    uint8_t quartile[FEATURE_COUNT];
    uint32_t spread[FEATURE_COUNT][256]; /* grown hosts of the day being learned by reference; not stored */
    struct class_group *group; size_t groups, cap; /* ascending */
    struct class_change { uint64_t group; int64_t hosts; } *change; size_t changes, changes_cap; /* of the day being learned */
    struct class_calendar calendar[CALIBRATION_DAYS]; /* by day % CALIBRATION_DAYS */
};

#endif
