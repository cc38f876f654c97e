/* The breach clock: how much went out at least and at most, between when, and when sixty days are over.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_SINK_CLOCK_H
#define WEIR_SINK_CLOCK_H

#include "sink/sink_private.h"

struct clock {
    uint64_t least, most;    /* bytes out; most is meaningless unless bounded */
    bool bounded;            /* false: the last day is still open */
    unsigned gap_hours;      /* hours of the claim's days in which the log skipped records */
    uint64_t gap_bytes;      /* what is allowed for them */
    uint64_t unplaced;       /* in least; which peer got it is not proven */
    int64_t first_s, last_s; /* first and last record of the claim */
    int64_t known_s, due_s;  /* when the logs could tell at the earliest; sixty days later, 00:00 UTC */
};
#define CLOCK_DAYS 60
void clock_of(const json_t *finding, struct clock *out);
/* Of one peer, by the same allowance. */
void clock_of_peer(const struct clock *all, const json_t *peer, uint64_t *least, uint64_t *most);

#endif
