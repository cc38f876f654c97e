/* SPDX-License-Identifier: Apache-2.0 */
/* Private to delivery: one sink, its thread, and the burst that lies between that thread and the one that turns. */
#ifndef WEIR_APP_DELIVERY_SINK_H
#define WEIR_APP_DELIVERY_SINK_H

#include <pthread.h>

#include "app/delivery_private.h"

#define BURST_FINDINGS 64
#define BURST_BYTES ((size_t)8 << 20) /* one finding more is always taken */

struct sink_shared { /* of all sinks of a delivery */
    int told_fd, stop_fd;
};

enum burst_phase { BURST_EMPTY, BURST_READY, BURST_GIVEN, BURST_BACK };
struct outlet {
    const struct config_sink *config;
    struct sink_shared shared;
    struct channel_place place;
    struct buffer secret;
    struct channel *channel;
    uint64_t place_hash;

    /* the burst: READY and EMPTY are touched by the turning thread only, GIVEN by the sink's only */
    pthread_mutex_t lock;
    pthread_cond_t given;
    _Atomic enum burst_phase phase; /* read by the turning thread without the lock: it alone makes the two phases that it asks for */
    bool started, quit;
    pthread_t thread;
    struct arena *arena;
    struct parcel parcel[BURST_FINDINGS];
    size_t n, bytes, from; /* from: parcels before it are with the receiver */
    struct channel_outcome outcome;

    /* the turning thread's own */
    uint64_t seq, read; /* delivered up to, read up to */
    bool disabled;
    unsigned failed; /* times in a row */
    int64_t due_ms, waiting_since_ms;
    uint64_t delivered, failures[CHANNEL_FAILURE_COUNT];
    char cause[sizeof ((struct fault *)0)->text];
};

WEIR_MUST_USE enum weir_err outlet_open(struct app *app, const struct config_sink *config, struct sink_shared shared, struct outlet *out, struct fault *fault);
/* End its thread. False: it does not come back, so nothing of it may be freed. */
bool outlet_stop(struct outlet *o);
void outlet_free(struct outlet *o);
/* Hand the burst to the thread; READY becomes GIVEN. False: no thread could be made. */
bool outlet_give(struct outlet *o);
bool outlet_is_back(struct outlet *o);
void outlet_empty(struct outlet *o);

#endif
