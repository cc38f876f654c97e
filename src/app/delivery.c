/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery, the part that turns: reads the outbox, fills the bursts of the sinks, takes what came back, keeps the cursors. */
#include "app/delivery.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app/delivery_sink.h"
#include "app/suppress.h"
#include "app/terminal.h"
#include "weir/finding.h"

#define BACKOFF_MS 1000
#define BACKOFF_MAX_MS (5 * 60 * 1000)
#define RETRY_AFTER_MAX_MS (60 * 60 * 1000)
#define DRAIN_TRIES 3
#define PAGE 1000

struct delivery {
    struct app *app;
    struct cursors cursors;
    struct suppressions *suppressions;
    struct outlet *outlet; size_t n;
    struct sink_shared shared;
    struct first_seen *fresh; size_t fresh_n, fresh_cap; /* asked for since the last commit */
    uint64_t tail;     /* of the outbox, as far as it was looked at */
    uint64_t seen_seq; /* position of the store when it was */
    bool looked, dirty;
};

/* ---- open ---- */
static bool is_configured(void *ctx, const char *name)
{
    const struct delivery *d = ctx;
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->outlet[i].config->entry.name, name) == 0) return true;
    return false;
}

static enum weir_err open_sinks(struct delivery *d, bool printing, struct fault *fault)
{
    const struct entry_list *sinks = &d->app->config->sinks;
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < sinks->n && !err; i++) {
        const struct config_sink *c = (const struct config_sink *)sinks->item[i];
        if (!printing || strcmp(c->type, "stdout") != 0) err = outlet_open(d->app, c, d->shared, &d->outlet[d->n++], fault);
    }
    return err;
}

/* A sink that was told to stop and now leads elsewhere is a new one with an old cursor. Damaged cursors begin anew: twice is better
 * than never. */
static enum weir_err take_cursors(struct delivery *d, struct store *store, struct fault *fault)
{
    enum weir_err err = cursors_get(store, &d->cursors, fault);
    if (err == WEIR_CORRUPT || err == WEIR_TRUNCATED) {
        log_error(d->app->log, "what sinks have got is damaged, all findings are sent again", LOG_TEXT("cause", slice_of(fault->text)));
        d->cursors.n = 0;
        err = WEIR_OK;
    }
    for (size_t i = 0; i < d->n && !err; i++) {
        struct outlet *o = &d->outlet[i];
        const struct cursor_entry *e = cursors_of(&d->cursors, o->config->entry.name, is_configured, d);
        o->seq = o->read = e->seq;
        o->disabled = e->disabled && e->place == o->place_hash;
        d->tail = o->seq > d->tail ? o->seq : d->tail;
    }
    return err;
}

enum weir_err delivery_open(struct app *app, struct store *store, bool printing, struct delivery **out, struct fault *fault)
{
    *out = NULL;
    if (!app->config->sinks.n) return WEIR_OK;
    struct delivery *d = calloc(1, sizeof *d);
    if (d) d->outlet = calloc(app->config->sinks.n, sizeof *d->outlet);
    if (!d || !d->outlet) {
        free(d);
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    }
    d->app = app;
    d->suppressions = suppressions_new(app->config);
    d->shared = (struct sink_shared){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    enum weir_err err = d->shared.told_fd < 0 || d->shared.stop_fd < 0 ? fault_set(fault, WEIR_IO, "no more descriptors") : open_sinks(d, printing, fault);
    if (!err) err = take_cursors(d, store, fault);
    if (err) delivery_close(d, NULL);
    else *out = d;
    return err;
}

void delivery_survey(struct app *app, delivery_survey_each *each, void *ctx)
{
    for (size_t i = 0; i < app->config->sinks.n; i++) {
        const struct config_sink *c = (const struct config_sink *)app->config->sinks.item[i];
        struct fault fault = {WEIR_OK, "out of memory"};
        struct outlet *o = calloc(1, sizeof *o);
        enum weir_err err = o ? outlet_open(app, c, (struct sink_shared){-1, -1}, o, &fault) : WEIR_NOMEM;
        each(ctx, c, err ? fault.text : NULL);
        if (o) outlet_free(o);
        free(o);
    }
}

/* ---- back-off ---- */
/* Twice as long each time, the second half of it by chance: receivers that come back are not met by all at once. */
static int64_t backoff_ms(const struct outlet *o, int64_t now_ms)
{
    unsigned times = o->failed > 10 ? 10 : o->failed;
    int64_t all = (int64_t)BACKOFF_MS << (times ? times - 1 : 0), asked = (int64_t)(o->outcome.retry_after_s < 3600 ? o->outcome.retry_after_s : 3600) * 1000;
    all = all < BACKOFF_MAX_MS ? all : BACKOFF_MAX_MS;
    all = all / 2 + (int64_t)(hash_u64x2((uint64_t)now_ms, (uint64_t)(uintptr_t)o) % (uint64_t)(all / 2 + 1));
    asked = asked < RETRY_AFTER_MAX_MS ? asked : RETRY_AFTER_MAX_MS;
    return all > asked ? all : asked;
}

/* ---- what came back ---- */
static void tell_failure(struct delivery *d, const struct outlet *o)
{
    struct slice name = slice_of(o->config->entry.name), why = slice_of(channel_failure_word(o->outcome.why));
    if (o->disabled)
        log_error(d->app->log, "sink disabled: its receiver wants no more", LOG_TEXT("sink", name), LOG_TEXT("cause", slice_of(o->cause)));
    else
        log_warn(d->app->log, "sink fails, tried again later", LOG_TEXT("sink", name), LOG_TEXT("reason", why), LOG_TEXT("cause", slice_of(o->cause)),
                 LOG_NUMBER("failures", o->failed));
}

static void take_back(struct delivery *d, struct outlet *o, int64_t now_ms)
{
    const struct channel_outcome *r = &o->outcome;
    o->delivered += r->done;
    o->from += r->done;
    if (r->done) {
        o->seq = o->from == o->n ? o->read : o->parcel[o->from - 1].seq;
        o->waiting_since_ms = now_ms;
        d->dirty = true;
    }
    if (r->why == CHANNEL_NONE_FAILURE) {
        if (o->failed) log_info(d->app->log, "sink is back", LOG_TEXT("sink", slice_of(o->config->entry.name)));
        o->failed = 0;
        o->cause[0] = 0;
        outlet_empty(o);
        return;
    }
    o->phase = BURST_READY;
    if (r->why == CHANNEL_STOPPED_FAILURE) return;
    o->failed = r->done ? 1 : o->failed + 1;
    o->failures[r->why]++;
    memcpy(o->cause, r->fault.text, sizeof o->cause);
    o->disabled = r->why == CHANNEL_GONE_FAILURE;
    d->dirty |= o->disabled;
    o->due_ms = now_ms + backoff_ms(o, now_ms);
    tell_failure(d, o);
}

/* ---- what is new ---- */
static enum weir_err move_tail(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct delivery *d = ctx;
    (void)uid, (void)json;
    d->tail = seq;
    return WEIR_OK;
}

/* Only after a commit there can be more: this process is the only one that writes. */
static enum weir_err look(struct delivery *d, struct store *store, struct fault *fault)
{
    uint64_t position = store_position(store).seq, before;
    enum weir_err err = WEIR_OK;
    if (d->looked && d->seen_seq == position) return WEIR_OK;
    do {
        before = d->tail;
        err = store_outbox(store, before, PAGE, move_tail, d, fault);
    } while (!err && d->tail > before);
    d->looked = !err;
    d->seen_seq = position;
    return err;
}

/* The store answers nothing else while it hands out findings: they are copied first. */
static enum weir_err keep_entry(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct outlet *o = ctx;
    if (o->n && o->bytes + json.n > BURST_BYTES) return WEIR_END;
    char *text = arena_alloc(o->arena, FINDING_UID_MAX);
    struct slice copy = arena_slice(o->arena, json);
    if (!text || !copy.p) return WEIR_NOMEM;
    o->bytes += json.n;
    memcpy(text, uid, strnlen(uid, FINDING_UID_MAX - 1));
    o->parcel[o->n++] = (struct parcel){.seq = seq, .uid = text, .json = copy};
    return WEIR_OK;
}

static struct first_seen *fresh_of(struct delivery *d, struct store *store, const char *uid, struct fault *fault)
{
    for (size_t i = 0; i < d->fresh_n; i++)
        if (strcmp(d->fresh[i].uid, uid) == 0) return &d->fresh[i];
    struct first_seen *all = array_grow(d->fresh, &d->fresh_cap, d->fresh_n, sizeof *all);
    if (!all) return fault_set(fault, WEIR_NOMEM, "out of memory"), NULL;
    d->fresh = all;
    enum weir_err err = first_seen_get(store, uid, &all[d->fresh_n], fault);
    if (err && err != WEIR_CORRUPT && err != WEIR_TRUNCATED) return NULL;
    return &all[d->fresh_n++];
}

static void note_first(struct delivery *d, struct first_seen *first, uint64_t seq, bool hidden)
{
    bool shown = !hidden && !first->shown;
    if (!first->any || shown) first->changed = d->dirty = true;
    if (!first->any) first->any = seq;
    if (shown) first->shown = seq;
}

static struct slice as_sent(struct outlet *o, const struct parcel *p, struct slice json)
{
    struct buffer text;
    buffer_init(&text, json.n + 256);
    parcel_text(json, p->activity, p->seq, &text);
    struct slice out = text.err ? (struct slice){NULL, 0} : arena_slice(o->arena, (struct slice){text.p, text.n});
    buffer_fini(&text);
    return out;
}

/* From what the store holds to what the receiver gets. A finding that a suppression hides is not for everybody, unless it was shown to the
 * world before: then the world is told that it is suppressed. *wanted: this sink gets it. */
static enum weir_err dress(struct delivery *d, struct store *store, struct outlet *o, struct parcel *p, bool *wanted, struct fault *fault)
{
    struct first_seen *first = fresh_of(d, store, p->uid, fault);
    enum suppress_verdict verdict;
    struct buffer said;
    if (!first) return fault->err ? fault->err : WEIR_NOMEM;
    buffer_init(&said, p->json.n + 65536);
    struct slice json = suppressions_show(d->suppressions, p->json, &said, &verdict);
    note_first(d, first, p->seq, verdict == SUPPRESS_HIDDEN);
    *wanted = o->config->suppressed || (first->shown && first->shown <= p->seq);
    p->activity = stored_activity(p->json) == 3 ? 3 : p->seq == (o->config->suppressed ? first->any : first->shown) ? 1 : 2;
    p->severity = stored_severity(p->json);
    p->time_s = stored_time_s(p->json);
    char *uid = arena_alloc(o->arena, FINDING_UID_MAX);
    p->json = as_sent(o, p, json);
    buffer_fini(&said);
    if (!uid || !p->json.p) return fault_set(fault, WEIR_NOMEM, "out of memory");
    snprintf(uid, FINDING_UID_MAX, "wf1-%.40s", p->uid);
    p->uid = uid;
    return WEIR_OK;
}

static enum weir_err dress_all(struct delivery *d, struct store *store, struct outlet *o, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    size_t kept = 0;
    for (size_t i = 0; i < o->n && !err; i++) {
        bool wanted = false;
        err = dress(d, store, o, &o->parcel[i], &wanted, fault);
        if (!err && wanted) o->parcel[kept++] = o->parcel[i];
    }
    o->n = kept;
    return err;
}

/* A burst for the sink from where it has got to. */
static enum weir_err fill(struct delivery *d, struct store *store, struct outlet *o, struct fault *fault)
{
    o->arena = arena_new(0);
    if (!o->arena) return fault_set(fault, WEIR_NOMEM, "out of memory");
    enum weir_err err = store_outbox(store, o->read, BURST_FINDINGS, keep_entry, o, fault);
    if (err == WEIR_END) err = WEIR_OK;
    uint64_t read = o->n ? o->parcel[o->n - 1].seq : d->tail; /* nothing there any more: nothing to wait for */
    if (!err) err = dress_all(d, store, o, fault);
    if (!err) o->read = read;
    if (!err && o->n) {
        o->phase = BURST_READY;
        return WEIR_OK;
    }
    outlet_empty(o);
    d->dirty |= !err && o->seq != o->read;
    o->seq = err ? o->seq : o->read; /* all of it hidden */
    return err;
}

static enum weir_err serve_sink(struct delivery *d, struct store *store, struct outlet *o, int64_t now_ms, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    if (o->disabled) return WEIR_OK;
    while (!err && o->phase == BURST_EMPTY && store && o->read < d->tail) {
        uint64_t before = o->read;
        if (!o->waiting_since_ms) o->waiting_since_ms = now_ms;
        err = fill(d, store, o, fault);
        if (o->read == before) break;
    }
    if (!err && o->phase == BURST_READY && o->due_ms <= now_ms && !outlet_give(o)) {
        o->due_ms = now_ms + BACKOFF_MAX_MS;
        log_error(d->app->log, "no thread for a sink", LOG_TEXT("sink", slice_of(o->config->entry.name)));
    }
    return err;
}

/* ---- cursors ---- */
static enum weir_err keep_cursors(struct delivery *d, struct store *store, struct fault *fault)
{
    if (!d->dirty) return WEIR_OK;
    for (size_t i = 0; i < d->n; i++) {
        const struct outlet *o = &d->outlet[i];
        struct cursor_entry *e = cursors_of(&d->cursors, o->config->entry.name, is_configured, d);
        e->place = o->place_hash;
        e->seq = o->seq;
        e->disabled = o->disabled;
    }
    failpoint("sink-delivered");
    enum weir_err err = store_begin(store, fault);
    if (err) return err;
    err = cursors_put(store, &d->cursors, fault);
    for (size_t i = 0; i < d->fresh_n && !err; i++)
        if (d->fresh[i].changed) err = first_seen_put(store, &d->fresh[i], fault);
    if (err) store_abort(store);
    else err = store_commit(store, fault);
    if (err) return err;
    d->dirty = false;
    d->fresh_n = 0;
    return WEIR_OK;
}

/* ---- the turn ---- */
enum weir_err delivery_turn(struct delivery *d, struct store *store, int64_t now_ms, struct fault *fault)
{
    eventfd_t told;
    enum weir_err err = WEIR_OK;
    (void)!eventfd_read(d->shared.told_fd, &told);
    for (size_t i = 0; i < d->n; i++)
        if (outlet_is_back(&d->outlet[i])) take_back(d, &d->outlet[i], now_ms);
    if (store) err = look(d, store, fault);
    for (size_t i = 0; i < d->n && !err; i++) err = serve_sink(d, store, &d->outlet[i], now_ms, fault);
    return !err && store ? keep_cursors(d, store, fault) : err;
}

int delivery_fd(const struct delivery *d) { return d->shared.told_fd; }

int64_t delivery_due_ms(const struct delivery *d)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < d->n; i++) {
        const struct outlet *o = &d->outlet[i];
        if (!o->disabled && o->phase == BURST_READY && o->due_ms < due) due = o->due_ms;
    }
    return due;
}

bool delivery_done(const struct delivery *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (!d->outlet[i].disabled && d->outlet[i].seq < d->tail) return false;
    return true;
}

void delivery_close(struct delivery *d, struct store *store)
{
    struct fault fault = {WEIR_OK, ""};
    bool all = true;
    if (!d) return;
    (void)!eventfd_write(d->shared.stop_fd, 1);
    for (size_t i = 0; i < d->n; i++) all &= outlet_stop(&d->outlet[i]);
    for (size_t i = 0; i < d->n; i++)
        if (outlet_is_back(&d->outlet[i])) take_back(d, &d->outlet[i], 0);
    if (store && keep_cursors(d, store, &fault)) log_warn(d->app->log, "what sinks have got was not kept, some findings are sent again", LOG_TEXT("cause", slice_of(fault.text)));
    free(d->fresh);
    suppressions_free(d->suppressions);
    if (!all) return; /* a thread still uses what is left; the process ends */
    for (size_t i = 0; i < d->n; i++) outlet_free(&d->outlet[i]);
    close(d->shared.told_fd);
    close(d->shared.stop_fd);
    free(d->outlet);
    free(d);
}

/* ---- until all is delivered ---- */
static bool given_up(const struct delivery *d)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct outlet *o = &d->outlet[i];
        if (!o->disabled && o->seq < d->tail && o->failed < DRAIN_TRIES) return false;
    }
    return true;
}

enum weir_err delivery_drain(struct delivery *d, struct store *store, struct fault *fault)
{
    for (;;) {
        int64_t now_ms = clock_monotonic_ns() / 1000000;
        enum weir_err err = delivery_turn(d, store, now_ms, fault);
        if (err || delivery_done(d) || given_up(d) || app_interrupted()) return err;
        int64_t due_ms = delivery_due_ms(d), left = due_ms - now_ms < 1000 ? due_ms - now_ms : 1000;
        struct pollfd told = {d->shared.told_fd, POLLIN, 0};
        (void)poll(&told, 1, left > 0 ? (int)left : 0);
    }
}

int delivery_finish(struct app *app, struct delivery *d, struct store *store, int code)
{
    struct fault fault = {WEIR_OK, ""};
    if (!d || (code != APP_DONE && code != APP_REJECTED && code != APP_FINDINGS) || app_interrupted()) return code;
    enum weir_err err = delivery_drain(d, store, &fault);
    if (err) return app_fail(app, &fault);
    uint64_t waiting = 0;
    for (size_t i = 0; i < d->n; i++) {
        const struct outlet *o = &d->outlet[i];
        waiting += !o->disabled && o->seq < d->tail;
        if (o->disabled)
            app_complain(app, "sink '%s' is disabled: its receiver has answered 410; 'weir deliver --enable %s' tries it again", o->config->entry.name, o->config->entry.name);
        else if (o->seq < d->tail)
            app_complain(app, "sink '%s' lacks %llu states of findings: %s; 'weir deliver' tries again", o->config->entry.name, (unsigned long long)(d->tail - o->seq), o->cause);
    }
    return waiting && code != APP_FINDINGS ? APP_UNAVAILABLE : code;
}

/* ---- for metrics and for people ---- */
size_t delivery_sinks(const struct delivery *d) { return d ? d->n : 0; }

void delivery_state_of(const struct delivery *d, size_t i, int64_t now_ms, struct delivery_state *out)
{
    const struct outlet *o = &d->outlet[i];
    uint64_t pending = d->tail > o->seq ? d->tail - o->seq : 0;
    *out = (struct delivery_state){.name = o->config->entry.name, .type = o->config->type, .delivered = o->delivered, .pending = pending,
        .waiting_ms = pending && o->waiting_since_ms ? now_ms - o->waiting_since_ms : 0, .disabled = o->disabled, .cause = o->cause};
    memcpy(out->failures, o->failures, sizeof out->failures);
}

bool delivery_enable(struct delivery *d, const char *name)
{
    for (size_t i = 0; i < d->n; i++) {
        struct outlet *o = &d->outlet[i];
        if (strcmp(o->config->entry.name, name) != 0) continue;
        d->dirty |= o->disabled;
        o->disabled = false;
        o->due_ms = 0;
        return true;
    }
    return false;
}
