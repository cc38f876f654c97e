/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's side of a played replay. A picture is made aside and put in the place of the last one under a lock, so that a key is answered at
 * once, however long a step takes. */
#include "app/play.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/judge.h"
#include "app/outbox.h"
#include "app/run.h"

#define BANDS 100 /* ranked hosts whose usual hours are looked up */

struct play {
    struct app *app;
    struct store *store;
    const struct object_list *list;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct play_picture *picture; /* below: under the lock */
    double speed;
    bool pause, stop;
};

static void picture_free(struct play_picture *x)
{
    for (size_t i = 0; x && i < x->findings; i++)
        free(x->finding[i].json);
    if (x)
        free(x->finding);
    free(x);
}

/* ---- a picture ---- */

static struct slice text_at(const json_t *in, const char *key)
{
    const json_t *v = json_object_get(in, key);
    return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)} : (struct slice){"", 0};
}

static void copy_text(char *to, size_t cap, struct slice from)
{
    size_t n = from.n < cap - 1 ? from.n : cap - 1;
    memcpy(to, from.p, n);
    to[n] = 0;
}

static enum weir_err take_finding(void *ctx, struct slice json)
{
    struct play_picture *x = ctx;
    if (x->findings == PLAY_FINDINGS)
        return WEIR_OK;
    struct play_finding *f = &x->finding[x->findings];
    json_t *doc = json_loadb(json.p, json.n, JSON_ALLOW_NUL, NULL);
    const json_t *weir = json_object_get(json_object_get(doc, "unmapped"), "weir");
    *f = (struct play_finding){.severity = (unsigned)json_integer_value(json_object_get(doc, "severity_id")), .json = malloc(json.n + 1), .json_n = json.n,
                               .bytes = (uint64_t)json_integer_value(json_object_get(weir, "bytes")), .score = json_number_value(json_object_get(weir, "score")),
                               .start_s = json_integer_value(json_object_get(doc, "start_time")) / 1000};
    copy_text(f->uid, sizeof f->uid, text_at(json_object_get(doc, "finding_info"), "uid"));
    copy_text(f->host, sizeof f->host, text_at(json_array_get(json_object_get(doc, "resources"), 0), "ip"));
    json_decref(doc);
    if (!f->json)
        return WEIR_NOMEM;
    memcpy(f->json, json.p, json.n);
    x->findings++;
    return WEIR_OK;
}

static bool ranks_below(const struct play_host *a, const struct play_host *b)
{
    return a->score < b->score || (!(a->score > b->score) && (a->bytes < b->bytes || (a->bytes == b->bytes && ip_cmp(a->host, b->host) > 0)));
}

static double score_of(const struct play_picture *x, struct ip host)
{
    char text[IP_TEXT_MAX];
    double best = 0;
    ip_format(host, text);
    for (size_t i = 0; i < x->findings; i++)
        if (strcmp(x->finding[i].host, text) == 0 && x->finding[i].score > best)
            best = x->finding[i].score;
    return best;
}

struct ranking {
    struct play_picture *x;
    uint64_t id[PLAY_HOSTS];
    size_t least;
};

static enum weir_err rank_host(void *ctx, const struct host_day *d)
{
    struct ranking *r = ctx;
    struct play_picture *x = r->x;
    struct play_host h = {.host = d->host, .bytes = d->external_out};
    if (d->forwarder)
        return WEIR_OK;
    if (x->findings)
        h.score = score_of(x, d->host);
    if (x->ranked == PLAY_HOSTS && !ranks_below(&x->host[r->least], &h))
        return WEIR_OK;
    copy_text(h.interface, sizeof h.interface, d->interface);
    memcpy(h.hour, d->hour_out, sizeof h.hour);
    size_t at = x->ranked < PLAY_HOSTS ? x->ranked++ : r->least;
    x->host[at] = h;
    r->id[at] = d->host_id;
    for (size_t i = r->least = 0; x->ranked == PLAY_HOSTS && i < x->ranked; i++)
        r->least = ranks_below(&x->host[i], &x->host[r->least]) ? i : r->least;
    return WEIR_OK;
}

static void add_band(struct play *p, struct play_host *h, uint64_t host_id, int64_t day_s)
{
    struct buffer blob;
    char id[17];
    struct baseline *b = malloc(sizeof *b);
    buffer_init(&blob, STORE_VALUE_MAX);
    store_id(host_id, id);
    if (b && store_get(p->store, 'h', id, &blob, NULL) == WEIR_OK && baseline_decode((struct slice){blob.p, blob.n}, b) == WEIR_OK)
        h->band = score_hour_band(&score_model_default, b, (uint16_t)(day_s / DAY_S), h->usual, h->high);
    buffer_fini(&blob);
    free(b);
}

static int by_rank(const void *a, const void *b) { return ranks_below(a, b) ? 1 : -1; }

static enum weir_err rank(struct play *p, struct run *run, struct play_picture *x)
{
    struct ranking r = {.x = x};
    int64_t day_s[RUN_OPEN_DAYS_MAX];
    size_t days = window_days(run->window, day_s, RUN_OPEN_DAYS_MAX);
    if (!days)
        return WEIR_OK;
    x->day_s = day_s[days - 1];
    x->hosts = window_hosts(run->window, x->day_s);
    enum weir_err err = window_each_host(run->window, x->day_s, 1, rank_host, &r);
    for (size_t i = 0; i < x->ranked && i < BANDS && !err; i++)
        add_band(p, &x->host[i], r.id[i], x->day_s);
    if (x->ranked)
        qsort(x->host, x->ranked, sizeof *x->host, by_rank);
    return err;
}

static enum weir_err draw(struct play *p, struct run *run, struct play_picture *x, struct fault *fault)
{
    struct outbox all;
    x->finding = calloc(PLAY_FINDINGS, sizeof *x->finding);
    if (!x->finding)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    enum weir_err err = outbox_fold(p->store, &all, fault);
    if (!err)
        err = outbox_show(p->store, &all, take_finding, x, fault);
    outbox_fini(&all);
    return err ? err : rank(p, run, x);
}

static void publish(struct play *p, struct play_picture *x)
{
    pthread_mutex_lock(&p->lock);
    struct play_picture *old = p->picture;
    p->picture = x;
    pthread_mutex_unlock(&p->lock);
    picture_free(old);
}

/* ---- the thread ---- */

static int64_t bucket_at(const struct play *p, size_t i) { return object_list_at(p->list, i)->from.bucket_s; }

/* Until the next bucket is due. False: stop. */
static bool wait_for(struct play *p, double event_s)
{
    const double slice = 0.05;
    pthread_mutex_lock(&p->lock);
    while (!p->stop && (p->pause || event_s > 0)) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += (long)(slice * 1e9);
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        if (pthread_cond_timedwait(&p->change, &p->lock, &t) == ETIMEDOUT && !p->pause)
            event_s -= slice * p->speed;
    }
    bool go = !p->stop;
    pthread_mutex_unlock(&p->lock);
    return go;
}

static enum weir_err feed_step(struct play *p, struct run *run, size_t first, size_t end, struct fault *fault)
{
    size_t n = object_list_count(p->list);
    struct object_list *step = object_list_new(&run->limits);
    enum weir_err err = step ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    for (size_t i = first; i < end && !err; i++)
        err = object_list_add(step, object_list_at(p->list, i)->path, fault);
    if (!err) {
        object_list_sort(step);
        const struct feed feed = {.list = step, .judge_open = true, .waiting_s = end < n ? bucket_at(p, end) : INT64_MAX};
        err = run_feed(run, &feed, fault);
    }
    object_list_free(step);
    return err;
}

static enum weir_err play_all(struct play *p, struct run *run, struct fault *fault)
{
    size_t n = object_list_count(p->list);
    enum weir_err err = WEIR_OK;
    for (size_t first = 0, end; first < n && !err; first = end) {
        for (end = first + 1; end < n && bucket_at(p, end) == bucket_at(p, first);) end++;
        err = feed_step(p, run, first, end, fault);
        struct play_picture *x = err ? NULL : calloc(1, sizeof *x);
        if (!err && !x)
            err = fault_set(fault, WEIR_NOMEM, "out of memory");
        if (!err) {
            *x = (struct play_picture){.now_s = run_watermark_s(run), .step = end, .steps = n, .done = end == n};
            err = draw(p, run, x, fault);
        }
        if (err)
            picture_free(x);
        else
            publish(p, x);
        double ahead = end < n && bucket_at(p, first) && bucket_at(p, end) ? (double)(bucket_at(p, end) - bucket_at(p, first)) : 0;
        if (!err && end < n && !wait_for(p, ahead))
            return WEIR_OK;
    }
    return err;
}

static void *play_thread(void *play)
{
    struct play *p = play;
    struct fault fault = {WEIR_OK, ""};
    struct run *run = NULL;
    (void)!nice(5); /* of this thread and those that it starts: the screen goes first */
    enum weir_err err = run_open(p->app, p->store, &run, &fault);
    if (!err && !object_list_count(p->list))
        err = fault_set(&fault, WEIR_NOTFOUND, "there are no objects to play");
    if (!err)
        err = play_all(p, run, &fault);
    run_close(run);
    if (err && err != WEIR_INTERRUPTED) {
        struct play_picture *x = calloc(1, sizeof *x);
        if (x)
            memcpy(x->error, fault.text, sizeof x->error);
        if (x)
            publish(p, x);
    }
    return NULL;
}

struct play *play_start(struct app *app, struct store *store, const struct object_list *list, double speed)
{
    struct play *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (struct play){.app = app, .store = store, .list = list, .speed = speed};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->change, NULL);
    p->started = pthread_create(&p->thread, NULL, play_thread, p) == 0;
    if (p->started)
        return p;
    play_stop(p);
    return NULL;
}

void play_stop(struct play *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
    if (p->started)
        pthread_join(p->thread, NULL);
    picture_free(p->picture);
    pthread_cond_destroy(&p->change);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

const struct play_picture *play_take(struct play *p)
{
    pthread_mutex_lock(&p->lock);
    return p->picture;
}

void play_give(struct play *p) { pthread_mutex_unlock(&p->lock); }

void play_pause(struct play *p, bool pause)
{
    pthread_mutex_lock(&p->lock);
    p->pause = pause;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
}

void play_set_speed(struct play *p, double speed)
{
    pthread_mutex_lock(&p->lock);
    p->speed = speed;
    pthread_mutex_unlock(&p->lock);
}
