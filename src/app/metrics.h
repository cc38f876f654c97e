/* SPDX-License-Identifier: Apache-2.0 */
/* What a service tells of itself in numbers: one struct that the loop fills and the responder prints, in the text format of Prometheus 0.0.4.
 * Labels are words of ours; never an address, a key or an account. */
#ifndef WEIR_APP_METRICS_H
#define WEIR_APP_METRICS_H

#include "app/pipeline.h"
#include "weir/sink_channel.h"
#include "weir/source_watch.h"

#define METRICS_BUCKETS 10
#define METRICS_SINKS 32

struct metrics_sink {
    char name[65];
    uint64_t delivered, pending, failures[CHANNEL_FAILURE_COUNT];
    double oldest_s;
    bool disabled;
};

struct metrics {
    struct run_counts counts;   /* of what is committed, since the start */
    struct window_stats window;
    struct watch_state watch;
    int64_t watermark_s;
    double lag_s;               /* for how long the object that waits longest has waited */
    double silent_s;            /* since the last object came */
    double max_lag_s;           /* with more the service is not ready */
    bool store_up, listed, unjudged, stopping, silent;
    uint64_t bucket[METRICS_BUCKETS], checkpoints; /* of checkpoint durations, not cumulative; the last one: longer than all */
    double checkpoint_s;        /* sum */
    uint64_t store_failures, store_rollbacks, fenced, reloads, reloads_refused, parsers_lost, objects_dead, spooled_bytes;
    struct metrics_sink sink[METRICS_SINKS]; size_t sinks;
    int64_t started_s;
};

void metrics_add_checkpoint(struct metrics *m, double seconds);
void metrics_text(const struct metrics *m, struct buffer *out);

#endif
