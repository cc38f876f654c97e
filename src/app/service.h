/* SPDX-License-Identifier: Apache-2.0 */
/* The service: one loop that takes what the directories bring, feeds it to the run, and keeps store, sinks and systemd up to date.
 *
 *   watch -> [take, at most checkpoint.objects] -> run_feed -> commit -> settle
 *
 * One thread works; the workers of a feed come and go with it, and the responder only reads a copy of the numbers. When the store
 * goes away the run is dropped and what was taken waits again: coming back is the same as starting after a kill, which is the path
 * that the tests of the job prove. Nothing that is acknowledged anywhere depends on this process. */
#ifndef WEIR_APP_SERVICE_H
#define WEIR_APP_SERVICE_H

#include <pthread.h>

#include "app/delivery.h"
#include "app/http.h"
#include "app/metrics.h"
#include "app/pipeline.h"
#include "weir/source_intake.h"
#include "weir/source_watch.h"

struct service {
    struct app *app;
    struct source_watch *watch;
    struct intake *intake;          /* standard input; NULL: not a source */
    bool input_over, only_input;
    uint32_t forgot_sweeps;
    struct http *http;
    struct store *store;            /* NULL: away; then run is NULL too */
    struct run *run;
    struct delivery *delivery;      /* NULL: no sinks, or the store has not been open yet */
    struct run_counts before;       /* of runs that were closed */
    struct troubled { uint64_t stamp; unsigned tries; } *troubled; /* objects that parsers died of */
    size_t troubled_n, troubled_cap;
    bool rolled_back;               /* the store was found older than it was, and is not open again yet */
    bool unwalled;                  /* this machine has no walls for parsers: told once */
    bool catching_up;               /* what is found may have been counted: ask the ledger before reading */
    int64_t now_ns, retry_ns, pause_ns; /* the clock of this turn; when to try the store again, and how long to wait then */
    int64_t judged_ns, judge_cost_ns;   /* when the open days were judged last, and for how long */
    int64_t came_ns;                /* when the last object came */
    int64_t silence_s;              /* the silence that the store tells: the newest record then; 0: none */
    uint64_t silence_done;          /* objects that this run had counted when it was told */
    int64_t pinged_ns, watchdog_ns;
    struct metrics metrics;         /* as the loop sees them */
    pthread_mutex_t lock;           /* of all below: shared with the responder */
    struct metrics shown;
    int64_t turned_ns;              /* the last turn of the loop */
};

/* ---- service.c ---- */
/* Until SIGTERM, or the end of standard input when that is all. "-": standard input. An exit code. */
int service_run(struct app *app, const char *const *paths, size_t n);

/* ---- service_store.c: the store comes and goes ---- */
/* Open what is not open, when it is time to. OK also when it is away for now; else the error that ends the service. */
enum weir_err service_attach(struct service *s, struct fault *fault);
/* A feed failed. OK: the store is away for now, and will be tried again; else err, which ends the service. */
enum weir_err service_lost(struct service *s, enum weir_err err, struct fault *fault);
void service_detach(struct service *s);
/* That nothing comes, or that something comes again, to the store, for the sinks. */
enum weir_err service_tell_silence(struct service *s, struct fault *fault);
/* The sinks go on. */
enum weir_err service_deliver(struct service *s, struct fault *fault);
/* SIGHUP: the new configuration and the files that it names, or the old ones and a clear line. */
void service_reload(struct service *s);

/* ---- service_health.c: what the responder and systemd are told ---- */
void service_show(struct service *s);   /* the loop lets others see its numbers */
http_answer service_answer;
http_tick service_tick;
static inline int64_t service_now_ms(const struct service *s) { return s->now_ns / 1000000; }

#endif
