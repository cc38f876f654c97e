/* SPDX-License-Identifier: Apache-2.0 */
/* A run: ranges of objects, and after each range the days that can get no more records are judged, learned and committed.
 *
 * A day closes when the watermark, the last record end, has passed its end by the lateness. While objects remain, the
 * watermark is no later than the bucket of the next object: the list is in the order of buckets. Objects whose name tells
 * no bucket come last, and then nothing closes before the end. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/run.h"
#include "app/worker.h"

#define FUTURE_S 600 /* a record that ends later than the clock by this is not believed */

void run_flow_rules(const struct run *run, struct flow_rules *out)
{
    const struct config *c = run->app->config;
    *out = (struct flow_rules){c->own_networks, c->forwarder_networks, c->forwarder_interfaces, c->forwarder_interfaces_n,
                                context_providers(run->context)};
}

/* ---- the ledger's index by day ---- */

/* A damaged index costs places of evidence, not the run: sums stand elsewhere, and what has no place is told. */
static enum weir_err read_day(struct run *run, uint16_t day, struct buffer *ids, struct fault *fault)
{
    enum weir_err err = ledger_day_get(run->store, day, ids, fault);
    if (err != WEIR_CORRUPT && err != WEIR_TRUNCATED)
        return err;
    log_error(run->app->log, "index of a day damaged, evidence may lack places", LOG_TEXT("cause", slice_of(fault->text)));
    buffer_clear(ids);
    return WEIR_OK;
}

enum weir_err run_day_objects(struct run *run, uint16_t day, struct day_objects **out, struct fault *fault)
{
    for (size_t i = 0; i < run->days; i++)
        if (run->day[i].day == day) {
            *out = &run->day[i];
            return WEIR_OK;
        }
    struct day_objects *all = array_grow(run->day, &run->days_cap, run->days, sizeof *all);
    if (!all)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    run->day = all;
    struct day_objects *d = &all[run->days];
    *d = (struct day_objects){.day = day};
    buffer_init(&d->ids, STORE_VALUE_MAX - 64);
    enum weir_err err = read_day(run, day, &d->ids, fault);
    if (err) {
        buffer_fini(&d->ids);
        return err;
    }
    run->days++;
    *out = d;
    return WEIR_OK;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct known_object *)a)->id.b, ((const struct known_object *)b)->id.b, SHA256_BYTES);
}

static bool from_list(const struct run *run, const struct sha256 *id, struct object *out)
{
    for (size_t i = 0; i < run->fresh_n; i++)
        if (memcmp(run->fresh[i].entry.id.b, id->b, SHA256_BYTES) == 0) {
            *out = *object_list_at(run->list, run->fresh[i].index);
            return true;
        }
    struct known_object key = {.id = *id};
    const struct known_object *known = run->known_n ? bsearch(&key, run->known, run->known_n, sizeof key, by_id) : NULL;
    if (known)
        *out = *object_list_at(run->list, known->index);
    return known != NULL;
}

bool run_object(struct run *run, const struct sha256 *id, struct buffer *keep, struct object *out)
{
    struct ledger_entry e;
    if (from_list(run, id, out))
        return true;
    if (ledger_get(run->store, id, keep, &e, NULL))
        return false;
    char *path = keep->p + (e.path.p - keep->p); /* a slice of keep: end it there, not after a growth that moves it */
    if (e.path.n == 0 || memchr(path, 0, e.path.n))
        return false;
    path[e.path.n] = 0; /* overwrites the length of the key, which is read already */
    *out = (struct object){.path = path, .size_bytes = e.stored};
    provenance_parse(path, &out->from, &out->key);
    return strcmp(path, "-") != 0;
}

/* By the days that it has sums of: between its first and its last record there may be hundreds more. */
static enum weir_err index_object(struct run *run, const struct fresh_object *o, struct fault *fault)
{
    for (size_t i = 0; i < o->days; i++) {
        struct day_objects *d = NULL;
        enum weir_err err = run_day_objects(run, run->fresh_day[o->first_day + i], &d, fault);
        if (err)
            return err;
        buffer_put(&d->ids, o->entry.id.b, SHA256_BYTES);
        d->changed = true;
        if (d->ids.err)
            return fault_set(fault, d->ids.err, "too many objects in one day");
    }
    return WEIR_OK;
}

static void touch(struct run *run, int64_t first_s, int64_t last_s)
{
    if (!first_s)
        return;
    if (!run->touched_first_s || first_s < run->touched_first_s)
        run->touched_first_s = first_s;
    if (last_s > run->touched_last_s)
        run->touched_last_s = last_s;
}

/* ---- duplicates: the same bytes under two names count once, under the first name ---- */

struct sized {
    uint64_t size;
    size_t index;
    struct sha256 id;
    bool hashed;
};

static int by_size(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Counted before? The key of a ledger entry proves that, even when its value is damaged. */
static enum weir_err mark_known(struct run *run, const struct sized *s, struct fault *fault)
{
    struct ledger_entry e = {.first_s = 0};
    struct buffer keep;
    buffer_init(&keep, 1 << 20);
    enum weir_err err = ledger_get(run->store, &s->id, &keep, &e, fault);
    buffer_fini(&keep);
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err && err != WEIR_CORRUPT && err != WEIR_TRUNCATED)
        return err;
    if (err)
        log_error(run->app->log, "ledger entry damaged, its object is taken as counted",
                  LOG_TEXT("object", slice_of(object_list_at(run->list, s->index)->path)));
    run->duplicate[s->index] = 1;
    run->known[run->known_n++] = (struct known_object){s->id, s->index};
    touch(run, e.first_s, e.last_s);
    return WEIR_OK;
}

static void mark_twins(struct run *run, struct sized *s, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; s[i].hashed && k < i; k++)
            if (s[k].hashed && memcmp(s[i].id.b, s[k].id.b, SHA256_BYTES) == 0) {
                run->duplicate[s[i].index] = 1;
                break;
            }
}

/* Hash what may be a duplicate: objects of equal size, and all of them when the ledger holds any. Unreadable ones are told of later. */
static enum weir_err find_duplicates(struct run *run, struct fault *fault)
{
    size_t n = object_list_count(run->list);
    bool ledger = store_position(run->store).seq > 0;
    struct sized *s = calloc(n + 1, sizeof *s);
    struct source *source = source_new(&run->limits, INFLATE_BEST);
    run->duplicate = calloc(n + 1, 1);
    run->known = calloc(n + 1, sizeof *run->known);
    if (!s || !source || !run->duplicate || !run->known) {
        free(s);
        source_free(source);
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < n; i++)
        s[i] = (struct sized){.size = object_list_at(run->list, i)->size_bytes, .index = i};
    qsort(s, n, sizeof *s, by_size);
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < n && !err && !app_interrupted(); i++) {
        bool twin = (i && s[i - 1].size == s[i].size) || (i + 1 < n && s[i + 1].size == s[i].size);
        if (ledger || twin)
            s[i].hashed = source_hash(source, object_list_at(run->list, s[i].index), &s[i].id, NULL) == WEIR_OK;
        if (ledger && s[i].hashed)
            err = mark_known(run, &s[i], fault);
    }
    if (run->known_n)
        qsort(run->known, run->known_n, sizeof *run->known, by_id);
    for (size_t i = 0, first = 0; i < n; i++)
        if (i + 1 == n || s[i + 1].size != s[first].size) {
            mark_twins(run, &s[first], i + 1 - first);
            first = i + 1;
        }
    for (size_t i = 0; i < n; i++)
        if (run->duplicate[i]) {
            run->counts.objects_duplicate++;
            progress_add(run->progress, object_list_at(run->list, i)->size_bytes);
        }
    free(s);
    source_free(source);
    return err;
}

/* ---- ranges ---- */

static int64_t lateness(const struct run *run) { return (int64_t)run->app->config->lateness_s; }

static bool all_have_buckets(const struct run *run)
{
    size_t n = object_list_count(run->list);
    return n && object_list_at(run->list, n - 1)->from.bucket_s != 0; /* those without come last */
}

/* The end of the range that begins at first: the checkpoint interval, or the first object that lets a day close. */
static size_t range_end(const struct run *run, size_t first)
{
    size_t n = object_list_count(run->list), end = first + run->app->config->checkpoint_objects;
    end = end < n ? end : n;
    if (!all_have_buckets(run))
        return end;
    int64_t day = (object_list_at(run->list, first)->from.bucket_s - lateness(run)) / DAY_S;
    for (size_t i = first; i < end; i++)
        if (object_list_at(run->list, i)->from.bucket_s >= (day + 1) * DAY_S + lateness(run))
            return i > first ? i : first + 1;
    return end;
}

/* Event time up to which no object of this run can bring records any more. */
static int64_t complete_until(const struct run *run, size_t next)
{
    int64_t until = run->state.watermark_s;
    if (next < object_list_count(run->list)) {
        int64_t bucket_s = all_have_buckets(run) ? object_list_at(run->list, next)->from.bucket_s : 0;
        until = bucket_s < until ? bucket_s : until;
    }
    return until;
}

static enum weir_err judge_days(struct run *run, int64_t until, bool last, struct fault *fault, uint16_t *closed, size_t *closed_n)
{
    int64_t day_s[RUN_OPEN_DAYS_MAX];
    size_t days = window_days(run->window, day_s, RUN_OPEN_DAYS_MAX);
    enum weir_err err = WEIR_OK;
    run->state.open_days = 0;
    for (size_t i = 0; i < days && !err; i++) {
        uint16_t day = (uint16_t)(day_s[i] / DAY_S);
        bool closing = day_s[i] + DAY_S + lateness(run) <= until;
        if (closing || last)
            err = judge_day(run, day, closing, fault);
        if (closing) {
            closed[(*closed_n)++] = day;
            run->state.closed_through = day;
        } else {
            run->state.open_day[run->state.open_days++] = day;
        }
    }
    return err;
}

/* The entry with a path that a later run finds from any folder. */
static enum weir_err put_entry(struct run *run, const struct ledger_entry *e, struct fault *fault)
{
    struct ledger_entry entry = *e;
    struct buffer path;
    buffer_init(&path, 2 * PATH_MAX);
    if (!slice_eq(e->path, SLICE_LIT("-")) && e->path.p[0] != '/') {
        buffer_printf(&path, "%s/", run->folder);
        buffer_slice(&path, e->path);
        entry.path = (struct slice){path.p, path.n};
    }
    enum weir_err err = path.err ? fault_set(fault, path.err, "a path is too long") : ledger_put(run->store, &entry, fault);
    buffer_fini(&path);
    return err;
}

static enum weir_err put_ledger(struct run *run, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < run->fresh_n && !err; i++) {
        err = put_entry(run, &run->fresh[i].entry, fault);
        if (!err)
            err = index_object(run, &run->fresh[i], fault);
        touch(run, run->fresh[i].entry.first_s, run->fresh[i].entry.last_s);
    }
    for (size_t i = 0; i < run->days && !err; i++)
        if (run->day[i].changed) {
            err = ledger_day_put(run->store, run->day[i].day, (struct slice){run->day[i].ids.p, run->day[i].ids.n}, fault);
            run->day[i].changed = false;
        }
    return err;
}

static int fresh_order(const void *a, const void *b)
{
    const struct fresh_object *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* Everything of the range in one commit, so that a kill leaves the state of the last one. */
static enum weir_err checkpoint(struct run *run, size_t next, struct fault *fault)
{
    uint16_t closed[RUN_OPEN_DAYS_MAX];
    size_t closed_n = 0;
    bool last = next == object_list_count(run->list);
    if (run->counts.last_s > run->state.watermark_s)
        run->state.watermark_s = run->counts.last_s;
    if (run->fresh_n)
        qsort(run->fresh, run->fresh_n, sizeof *run->fresh, fresh_order);
    enum weir_err err = store_begin(run->store, fault);
    if (err)
        return err;
    err = put_ledger(run, fault);
    if (!err)
        err = judge_days(run, complete_until(run, next), last, fault, closed, &closed_n);
    for (size_t i = 0; i < closed_n && !err; i++) {
        err = windows_delete(run->store, closed[i], fault);
        if (!err && (err = window_drop_day(run->window, (int64_t)closed[i] * DAY_S)))
            fault_set(fault, err, "out of memory");
    }
    if (!err)
        err = windows_put(run->store, run->window, app_threads(run->app), fault);
    if (!err)
        err = run_state_put(run->store, &run->state, fault);
    if (!err)
        err = grouping_put(run->store, context_grouping(run->context), fault);
    if (err) {
        store_abort(run->store);
        return err;
    }
    err = store_commit(run->store, fault);
    if (err)
        return err;
    window_clean(run->window);
    run->fresh_n = run->fresh_days = 0;
    run->counts.days_closed += closed_n;
    run->counts.checkpoints++;
    return WEIR_OK;
}

static enum weir_err run_ranges(struct run *run, struct fault *fault)
{
    size_t n = object_list_count(run->list);
    enum weir_err err = WEIR_OK;
    for (size_t first = 0; first < n && !err;) {
        size_t end = range_end(run, first);
        enum weir_err counted = workers_count(run, first, end, app_threads(run->app), fault);
        if (counted && counted != WEIR_INTERRUPTED)
            return counted;
        malloc_trim(0); /* the workers' windows are gone: give their memory back before the commit needs its own */
        failpoint("range-counted");
        bool fresh = run->fresh_n > 0;
        if (fresh || end == n)
            err = checkpoint(run, counted ? first : end, fault);
        if (!err)
            err = counted;
        first = end;
    }
    return err;
}

/* Baselines keep groups: told once, by the run that first groups in another way. */
static enum weir_err tell_grouping(const struct run *run, struct fault *fault)
{
    unsigned before, now = context_grouping(run->context);
    enum weir_err err = grouping_get(run->store, &before, fault);
    if (!err && before != now && store_position(run->store).seq)
        log_warn(run->app->log, "destinations are grouped in another way than before: hosts meet them anew for some days",
                 LOG_TEXT("before", slice_of(context_grouping_text(before))), LOG_TEXT("now", slice_of(context_grouping_text(now))));
    return err;
}

static enum weir_err prepare(struct run *run, struct fault *fault)
{
    const struct config *c = run->app->config;
    struct window_limits limits = {(uint32_t)c->max_groups_per_host, window_default_limits.max_big_groups, (uint32_t)c->max_hosts};
    run->limits = (struct source_limits){c->max_object_bytes, (uint32_t)c->max_ratio, source_default_limits.max_objects};
    source_stop_when(app_interrupted);
    run->future_s = (int64_t)time(NULL) + FUTURE_S;
    if (!getcwd(run->folder, sizeof run->folder))
        return fault_set(fault, WEIR_IO, "cannot tell the current folder: %m");
    run->window = window_new(&limits, false);
    if (!run->window)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    if (*c->fields) {
        enum weir_err err = layout_parse(slice_of(c->fields), &run->layout, NULL, fault);
        if (err)
            return fault->err = WEIR_USAGE;
        run->layout_given = true;
    }
    enum weir_err err = context_open(c, &run->context, fault);
    if (err)
        return err;
    context_hash(run->context, c, run->config_hash);
    err = tell_grouping(run, fault);
    if (!err)
        err = run_state_get(run->store, &run->state, fault);
    if (!err)
        err = windows_load(run->store, &run->state, run->window, fault);
    return err;
}

static void release(struct run *run)
{
    for (size_t i = 0; i < run->days; i++)
        buffer_fini(&run->day[i].ids);
    free(run->day);
    free(run->fresh);
    free(run->fresh_day);
    free(run->duplicate);
    free(run->known);
    window_free(run->window);
    run_state_free(&run->state);
    context_close(run->context);
    progress_done(run->progress);
}

enum weir_err pipeline_run(struct app *app, struct store *store, struct object_list *list, struct run_counts *counts, int64_t *first_s,
                           int64_t *last_s, struct fault *fault)
{
    struct run run = {.app = app, .store = store, .list = list};
    struct source_skipped skipped = object_list_skipped(list);
    run.counts.objects_listed = object_list_count(list) + skipped.not_regular + skipped.unreadable;
    run.counts.objects_skipped = skipped.quiet;
    run.counts.objects_bad_source[SOURCE_NOT_REGULAR] = skipped.not_regular;
    run.counts.objects_bad_source[SOURCE_UNREADABLE] = skipped.unreadable;
    run.progress = progress_new(app, object_list_bytes(list));
    enum weir_err err = prepare(&run, fault);
    if (!err)
        err = find_duplicates(&run, fault);
    if (!err)
        err = run_ranges(&run, fault);
    if (run.window)
        run.counts.interfaces = window_stats(run.window).interfaces;
    *counts = run.counts;
    *first_s = run.touched_first_s;
    *last_s = run.touched_last_s;
    release(&run);
    return err;
}
