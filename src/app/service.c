/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of the service. See service.h.
 *
 * The open days are judged at the end of a feed, so that a claim is told as soon as it stands; but never for more than a quarter of the
 * time: when judging takes long, some feeds go by without, and it is made good when nothing waits. How often it is done changes nothing in
 * what is found, only when. */
#include "app/service.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/notify.h"
#include "app/open_store.h"
#include "app/terminal.h"

#define SECOND_NS INT64_C(1000000000)
#define TURN_MAX_NS (SECOND_NS / 2) /* a signal that comes just before the wait is seen so late at the most */
#define INPUT_BYTES (16u << 20)     /* of an object that standard input is cut into, and how old it gets */
#define INPUT_AGE_NS SECOND_NS
#define KEEP_S (2 * DAY_S)          /* objects of standard input stay for so long behind the newest record */
#define TRIES_MAX 3                 /* parsers that may die of one object */
#define TROUBLED_MAX 4096
#define JUDGE_SHARE 4               /* at most one part in so many of the time goes into judging open days */

static bool may_judge(const struct service *s) { return s->now_ns - s->judged_ns >= (JUDGE_SHARE - 1) * s->judge_cost_ns; }

static void note_judged(struct service *s)
{
    s->judge_cost_ns = (int64_t)(run_judging_s(s->run) * 1e9);
    s->judged_ns = clock_monotonic_ns();
}

static int64_t interval_ns(const struct service *s) { return (int64_t)s->app->config->checkpoint_interval_s * SECOND_NS; }

static bool feed_is_due(const struct service *s, const struct watch_state *w)
{
    return s->run && w->waiting && (w->waiting >= s->app->config->checkpoint_objects || s->now_ns - w->oldest_ns >= interval_ns(s));
}

/* How often a parser has died of this content, this time counted. */
static unsigned tries_of(struct service *s, uint64_t stamp)
{
    for (size_t i = 0; i < s->troubled_n; i++)
        if (s->troubled[i].stamp == stamp)
            return ++s->troubled[i].tries;
    struct troubled *all = s->troubled_n < TROUBLED_MAX ? array_grow(s->troubled, &s->troubled_cap, s->troubled_n, sizeof *all) : NULL;
    if (!all)
        return TRIES_MAX; /* so much trouble: no more tries */
    s->troubled = all;
    all[s->troubled_n++] = (struct troubled){stamp, 1};
    return 1;
}

/* An object that a parser died of waits again, until it has had its tries. */
static enum weir_err settle_lost(struct service *s, const struct object_list *list, const uint8_t *lost)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < object_list_count(list) && !err; i++) {
        const struct object *o = object_list_at(list, i);
        bool dead = false;
        if (lost[i] == FEED_LOST_DEAD) {
            s->metrics.parsers_lost++;
            dead = tries_of(s, o->stamp) >= TRIES_MAX;
        }
        if (dead) {
            s->metrics.objects_dead++;
            log_error(s->app->log, "object given up: every parser died of it", LOG_TEXT("object", slice_of(o->path)), LOG_NUMBER("tries", TRIES_MAX));
        }
        if (lost[i] == FEED_MISSING)
            source_watch_missing(s->watch, o);
        err = source_watch_settle_one(s->watch, o, !lost[i] || dead || lost[i] == FEED_MISSING, s->now_ns);
    }
    return err;
}

static enum weir_err feed_list(struct service *s, struct feed *feed, struct fault *fault)
{
    struct object_list *list = feed->list;
    feed->lost = calloc(object_list_count(list) + 1, 1);
    if (!feed->lost)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    enum weir_err err = run_feed(s->run, feed, fault);
    enum weir_err settled = err ? source_watch_settle(s->watch, list, false, s->now_ns) : settle_lost(s, list, feed->lost);
    free(feed->lost);
    return err ? err : settled;
}

/* One checkpoint. What comes back ends the service. */
static enum weir_err feed_waiting(struct service *s, struct fault *fault)
{
    struct object_list *list;
    struct feed feed = {.known_first = s->catching_up, .judge_open = may_judge(s)};
    enum weir_err err = source_watch_take(s->watch, s->app->config->checkpoint_objects, &list, &feed.waiting_s, fault);
    if (err)
        return err;
    feed.list = list;
    s->came_ns = s->now_ns;
    err = feed_list(s, &feed, fault);
    if (!err) {
        store_remember(s->app, s->store);
        metrics_add_checkpoint(&s->metrics, (double)(clock_monotonic_ns() - s->now_ns) / 1e9);
        log_debug(s->app->log, "checkpoint", LOG_NUMBER("objects", object_list_count(list)));
        if (feed.judge_open)
            note_judged(s);
        s->catching_up &= source_watch_state(s->watch).waiting > 0;
    } else if (err != WEIR_INTERRUPTED) {
        err = service_lost(s, err, fault);
    }
    object_list_free(list);
    return err;
}

static enum weir_err judge_open_days(struct service *s, struct fault *fault)
{
    enum weir_err err = run_judge(s->run, fault);
    if (!err)
        note_judged(s);
    return err && err != WEIR_INTERRUPTED ? service_lost(s, err, fault) : err;
}

static void watch_silence(struct service *s)
{
    bool silent = s->now_ns - s->came_ns >= (int64_t)s->app->config->serve_silent_s * SECOND_NS;
    if (silent && !s->metrics.silent)
        log_warn(s->app->log, "no object has come for long: is the flow log still on, does its delivery work",
                 LOG_NUMBER("seconds", (uint64_t)((s->now_ns - s->came_ns) / SECOND_NS)));
    else if (!silent && s->metrics.silent)
        log_info(s->app->log, "objects come again");
    s->metrics.silent = silent;
}

static int64_t delivery_due_ns(const struct service *s)
{
    int64_t due_ms = s->delivery && s->run ? delivery_due_ms(s->delivery) : INT64_MAX;
    return due_ms > INT64_MAX / 1000000 ? INT64_MAX : due_ms * 1000000;
}

/* Until something is told, or the next thing is due. */
static void wait_for_news(const struct service *s)
{
    struct watch_state w = source_watch_state(s->watch);
    struct pollfd p[] = {{.fd = source_watch_fd(s->watch), .events = POLLIN},
                         {.fd = s->delivery ? delivery_fd(s->delivery) : -1, .events = POLLIN},
                         {.fd = s->intake && s->run ? intake_fd(s->intake) : -1, .events = POLLIN}};
    int64_t until_ns = s->now_ns + TURN_MAX_NS, due_ns = source_watch_due_ns(s->watch);
    until_ns = due_ns < until_ns ? due_ns : until_ns;
    until_ns = delivery_due_ns(s) < until_ns ? delivery_due_ns(s) : until_ns;
    if (w.waiting && s->run && w.oldest_ns + interval_ns(s) < until_ns)
        until_ns = w.oldest_ns + interval_ns(s);
    int64_t left_ns = until_ns - clock_monotonic_ns();
    if (left_ns > 0 && !app_interrupted())
        (void)poll(p, WEIR_COUNT(p), (int)(left_ns / 1000000) + 1);
}

/* Standard input is read only while what it brings can be counted, so its writer waits when the store is away. */
static enum weir_err take_input(struct service *s, struct fault *fault)
{
    if (!s->intake || !s->run || s->input_over)
        return WEIR_OK;
    enum weir_err err = intake_turn(s->intake, s->now_ns, clock_now_ns(), fault);
    s->input_over = err == WEIR_END;
    return s->input_over ? WEIR_OK : err;
}

/* What of it lies in closed days is not read again. */
static void forget_input(struct service *s)
{
    uint32_t sweeps = (uint32_t)source_watch_state(s->watch).sweeps;
    if (!s->intake || !s->run || sweeps == s->forgot_sweeps)
        return;
    s->forgot_sweeps = sweeps;
    (void)intake_forget(s->intake, run_watermark_s(s->run) - KEEP_S - (int64_t)s->app->config->lateness_s);
}

static bool is_done(const struct service *s, const struct watch_state *w)
{
    return s->only_input && s->input_over && s->run && !w->waiting && !w->resting && !run_unjudged(s->run) && (!s->delivery || delivery_done(s->delivery));
}

/* A directory that cannot be listed is told, and the others go on. */
static enum weir_err look_around(struct service *s, struct fault *fault)
{
    enum weir_err err = source_watch_turn(s->watch, s->now_ns, clock_now_ns(), fault);
    if (err != WEIR_IO)
        return err;
    log_error(s->app->log, "a directory cannot be listed", LOG_TEXT("cause", slice_of(fault->text)));
    return WEIR_OK;
}

static enum weir_err turn(struct service *s, struct fault *fault)
{
    s->now_ns = clock_monotonic_ns();
    if (app_take_hangup())
        service_reload(s);
    enum weir_err err = service_attach(s, fault);
    if (!err)
        err = take_input(s, fault);
    if (!err)
        err = look_around(s, fault);
    forget_input(s);
    struct watch_state w = source_watch_state(s->watch);
    if (!err && feed_is_due(s, &w))
        err = feed_waiting(s, fault);
    else if (!err && s->run && !w.waiting && run_unjudged(s->run) && may_judge(s))
        err = judge_open_days(s, fault);
    if (!err)
        err = service_deliver(s, fault);
    watch_silence(s);
    if (!err)
        err = service_tell_silence(s, fault);
    service_show(s);
    w = source_watch_state(s->watch);
    return !err && is_done(s, &w) ? WEIR_END : err;
}

static enum weir_err turn_until_stopped(struct service *s, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    while (!err && !app_interrupted()) {
        err = turn(s, fault);
        if (!err)
            wait_for_news(s);
    }
    return err == WEIR_INTERRUPTED || err == WEIR_END ? WEIR_OK : err;
}

static void refused(void *ctx, const char *path, const char *kind)
{
    struct service *s = ctx;
    log_warn(s->app->log, "not read: not a regular file", LOG_TEXT("path", slice_of(path)), LOG_TEXT("kind", slice_of(kind)));
}

/* Where standard input is kept. */
static enum weir_err spool_directory(const struct config *c, char path[PATH_MAX], struct fault *fault)
{
    const char *place = c->default_store, *colon = strchr(place, ':'), *slash = strrchr(place, '/');
    int n = -1;
    if (*c->serve_spool)
        n = snprintf(path, PATH_MAX, "%s", c->serve_spool);
    else if (colon && slash && slash > colon)
        n = snprintf(path, PATH_MAX, "%.*s/spool", (int)(slash - colon - 1), colon + 1);
    return n > 0 && n < PATH_MAX ? WEIR_OK : fault_set(fault, WEIR_USAGE, "no place to keep standard input: set 'serve.spool', or STATE_DIRECTORY");
}

/* Records of earlier days are late whatever they say, so buckets are listed from there on. */
static int64_t since_s(void *ctx)
{
    const struct service *s = ctx;
    int64_t newest_s = s->run ? run_watermark_s(s->run) : 0;
    return newest_s ? newest_s - KEEP_S - (int64_t)s->app->config->lateness_s : INT64_MIN;
}

static enum weir_err begin_sources(struct service *s, const char *const *paths, size_t n, struct fault *fault)
{
    const struct config *c = s->app->config;
    const struct watch_settings settings = {.rest_ns = (int64_t)c->serve_rest_s * SECOND_NS, .sweep_ns = (int64_t)c->serve_sweep_s * SECOND_NS,
                                            .ctx = s, .queue = c->s3_queue, .since_s = since_s, .refused = refused};
    const struct intake_settings cut = {INPUT_BYTES, INPUT_AGE_NS};
    char spool[PATH_MAX];
    const char **dirs = calloc(n, sizeof *dirs);
    enum weir_err err = dirs ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    for (size_t i = 0; i < n && !err; i++) {
        dirs[i] = paths[i];
        if (strcmp(paths[i], "-") != 0)
            continue;
        dirs[i] = spool;
        err = spool_directory(c, spool, fault);
        if (!err && !s->intake)
            err = intake_open(STDIN_FILENO, spool, &cut, &s->intake, fault);
    }
    if (!err)
        err = source_watch_open(dirs, n, &settings, &s->watch, fault);
    if (err == WEIR_NOTFOUND)
        fault->err = err = WEIR_USAGE;
    s->only_input = s->intake && n == 1;
    free(dirs);
    return err;
}

static enum weir_err begin(struct service *s, const char *const *paths, size_t n, struct fault *fault)
{
    const struct config *c = s->app->config;
    enum weir_err err = begin_sources(s, paths, n, fault);
    if (err)
        return err;
    s->now_ns = s->came_ns = s->turned_ns = clock_monotonic_ns();
    s->watchdog_ns = notify_watchdog_ns(s->app->env);
    s->metrics.started_s = (int64_t)time(NULL);
    s->catching_up = true;
    s->shown = s->metrics;
    if (*c->serve_listen && !http_is_loopback(c->serve_listen))
        log_warn(s->app->log, "metrics are answered beyond this machine, in clear text", LOG_TEXT("listen", slice_of(c->serve_listen)));
    err = http_open(c->serve_listen, service_answer, service_tick, s, &s->http, fault);
    if (err)
        return err;
    log_info(s->app->log, "service started", LOG_TEXT("listen", slice_of(http_address(s->http))), LOG_NUMBER("sources", n));
    notify(s->app->env, "READY=1");
    return WEIR_OK;
}

int service_run(struct app *app, const char *const *paths, size_t n)
{
    struct fault fault = {WEIR_OK, ""};
    struct service *s = calloc(1, sizeof *s);
    if (!s)
        return app_fail(app, &(struct fault){WEIR_NOMEM, "out of memory"});
    s->app = app;
    pthread_mutex_init(&s->lock, NULL);
    app_catch_hangup();
    enum weir_err err = begin(s, paths, n, &fault);
    if (!err)
        err = turn_until_stopped(s, &fault);
    notify(app->env, "STOPPING=1");
    delivery_close(s->delivery, s->store);
    service_detach(s);
    http_close(s->http);
    source_watch_close(s->watch);
    intake_close(s->intake);
    pthread_mutex_destroy(&s->lock);
    free(s->troubled);
    if (!err)
        log_info(app->log, "service ended", LOG_NUMBER("objects", s->metrics.counts.objects_done));
    free(s);
    fault.err = err;
    return err ? app_fail(app, &fault) : APP_DONE;
}
