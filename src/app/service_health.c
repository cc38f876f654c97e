/* SPDX-License-Identifier: Apache-2.0 */
/* What a service tells: pages for a person or Prometheus, signs of life for systemd. All of it from a copy, so that nobody waits for the loop. */
#include <string.h>

#include "app/notify.h"
#include "app/service.h"
#include "app/terminal.h"

#define STUCK_NS INT64_C(600000000000) /* a turn that takes longer is no life: the longest are a first reading of the listing, and closing a day of many hosts */

static void take_counts(struct service *s)
{
    s->metrics.counts = s->before;
    if (!s->run)
        return;
    run_counts_add(&s->metrics.counts, run_counted(s->run));
    s->metrics.window = run_window_stats(s->run);
    s->metrics.watermark_s = run_watermark_s(s->run);
    s->metrics.unjudged = run_unjudged(s->run);
}

static void take_sinks(struct service *s)
{
    struct metrics *m = &s->metrics;
    m->sinks = 0;
    for (size_t i = 0; s->delivery && i < delivery_sinks(s->delivery) && i < METRICS_SINKS; i++) {
        struct delivery_state d;
        struct metrics_sink *sink = &m->sink[m->sinks++];
        delivery_state_of(s->delivery, i, service_now_ms(s), &d);
        *sink = (struct metrics_sink){.delivered = d.delivered, .pending = d.pending, .oldest_s = (double)d.waiting_ms / 1e3, .disabled = d.disabled};
        snprintf(sink->name, sizeof sink->name, "%s", d.name);
        memcpy(sink->failures, d.failures, sizeof sink->failures);
    }
}

void service_show(struct service *s)
{
    struct metrics *m = &s->metrics;
    s->now_ns = clock_monotonic_ns();
    take_counts(s);
    take_sinks(s);
    m->watch = source_watch_state(s->watch);
    m->lag_s = m->watch.oldest_ns ? (double)(s->now_ns - m->watch.oldest_ns) / 1e9 : 0;
    m->silent_s = (double)(s->now_ns - s->came_ns) / 1e9;
    m->max_lag_s = (double)s->app->config->serve_max_lag_s;
    m->store_up = s->run != NULL;
    m->listed = m->watch.sweeps > 0;
    pthread_mutex_lock(&s->lock);
    s->shown = *m;
    s->turned_ns = s->now_ns;
    pthread_mutex_unlock(&s->lock);
}

static void say(struct http_reply *reply, bool well, const char *what)
{
    reply->status = well ? 200 : 503;
    buffer_printf(&reply->body, "%s\n", what);
}

static void answer_ready(const struct metrics *m, struct http_reply *reply)
{
    if (m->stopping)
        say(reply, false, "stopping");
    else if (!m->store_up)
        say(reply, false, "the store is away");
    else if (!m->listed)
        say(reply, false, "the directories are not listed yet");
    else if (m->lag_s > m->max_lag_s)
        say(reply, false, "objects wait for too long");
    else
        say(reply, true, "ready");
}

void service_answer(void *ctx, struct slice path, struct http_reply *reply)
{
    struct service *s = ctx;
    static _Thread_local struct metrics m; /* too large for a small stack */
    pthread_mutex_lock(&s->lock);
    m = s->shown;
    int64_t still_ns = clock_monotonic_ns() - s->turned_ns;
    pthread_mutex_unlock(&s->lock);
    if (m.watch.waiting) /* grows while the loop is busy */
        m.lag_s += (double)still_ns / 1e9;
    if (slice_eq(path, SLICE_LIT("/metrics"))) {
        reply->status = 200;
        reply->type = "text/plain; version=0.0.4; charset=utf-8";
        metrics_text(&m, &reply->body);
    } else if (slice_eq(path, SLICE_LIT("/healthz"))) {
        say(reply, still_ns < STUCK_NS, still_ns < STUCK_NS ? "alive" : "the loop stands still");
    } else if (slice_eq(path, SLICE_LIT("/readyz"))) {
        answer_ready(&m, reply);
    }
}

/* The watchdog is fed by the responder's thread, as long as the loop turns. */
void service_tick(void *ctx)
{
    struct service *s = ctx;
    int64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&s->lock);
    int64_t still_ns = now_ns - s->turned_ns;
    pthread_mutex_unlock(&s->lock);
    if (!s->watchdog_ns || now_ns - s->pinged_ns < s->watchdog_ns || still_ns >= STUCK_NS)
        return;
    s->pinged_ns = now_ns;
    notify(s->app->env, "WATCHDOG=1");
}
