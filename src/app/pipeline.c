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

#include "app/parser.h"
#include "app/run.h"
#include "app/worker.h"
#include "app/terminal.h"
#include "weir/source_s3.h"

#define FUTURE_S 600 /* a record that ends later than the clock by this is not believed */

void run_flow_rules(const struct run *run, struct flow_rules *out)
{
    const struct config *c = run->app->config;
    *out = (struct flow_rules){c->own_networks, c->forwarder_networks, c->forwarder_interfaces, c->forwarder_interfaces_n,
                                context_providers(run->context)};
}

/* ---- ranges ---- */

static int64_t lateness(const struct run *run) { return (int64_t)run->app->config->lateness_s; }

static bool all_have_buckets(const struct run *run)
{
    size_t n = object_list_count(run->list);
    return n && object_list_at(run->list, n - 1)->from.bucket_s != 0; /* those without come last */
}

/* The end of the range that begins at first: the checkpoint interval since the last commit, or the first object that lets a day close. */
static size_t range_end(const struct run *run, size_t committed, size_t first)
{
    size_t n = object_list_count(run->list), end = committed + run->app->config->checkpoint_objects;
    end = end < n ? end : n;
    if (!all_have_buckets(run))
        return end;
    int64_t day = (object_list_at(run->list, first)->from.bucket_s - lateness(run)) / DAY_S;
    for (size_t i = first; i < end; i++)
        if (object_list_at(run->list, i)->from.bucket_s >= (day + 1) * DAY_S + lateness(run))
            return i > first ? i : first + 1;
    return end;
}

/* Event time up to which no object can bring records any more. */
static int64_t complete_until(const struct run *run, size_t next)
{
    int64_t until = run->counts.last_s > run->state.watermark_s ? run->counts.last_s : run->state.watermark_s;
    if (next < object_list_count(run->list)) {
        int64_t bucket_s = all_have_buckets(run) ? object_list_at(run->list, next)->from.bucket_s : 0;
        until = bucket_s < until ? bucket_s : until;
    }
    until = run->lost_s < until ? run->lost_s : until;
    return run->feed->waiting_s < until ? run->feed->waiting_s : until;
}

static bool day_closes(const struct run *run, int64_t day_s, int64_t until) { return day_s + DAY_S + lateness(run) <= until; }

static bool some_day_closes(const struct run *run, int64_t until)
{
    int64_t day_s[RUN_OPEN_DAYS_MAX];
    size_t days = window_days(run->window, day_s, RUN_OPEN_DAYS_MAX);
    return days && day_closes(run, day_s[0], until);
}

static enum weir_err judge_days(struct run *run, int64_t until, bool last, struct fault *fault, uint16_t *closed, size_t *closed_n)
{
    int64_t day_s[RUN_OPEN_DAYS_MAX];
    size_t days = window_days(run->window, day_s, RUN_OPEN_DAYS_MAX);
    enum weir_err err = WEIR_OK;
    run->state.open_days = 0;
    for (size_t i = 0; i < days && !err; i++) {
        uint16_t day = (uint16_t)(day_s[i] / DAY_S);
        bool closing = day_closes(run, day_s[i], until);
        if (closing || (last && run->feed->judge_open))
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

static enum weir_err judge_timed(struct run *run, int64_t until, bool last, struct fault *fault, uint16_t *closed, size_t *closed_n)
{
    double begin_s = (double)clock_monotonic_ns() / 1e9;
    enum weir_err err = judge_days(run, until, last, fault, closed, closed_n);
    if (last && run->feed->judge_open)
        run->judging_s = (double)clock_monotonic_ns() / 1e9 - begin_s;
    return err;
}

/* Everything of the range in one commit, so that a kill leaves the state of the last one. */
static enum weir_err checkpoint(struct run *run, size_t next, struct fault *fault)
{
    uint16_t closed[RUN_OPEN_DAYS_MAX];
    size_t closed_n = 0;
    bool last = next == object_list_count(run->list);
    if (run->counts.last_s > run->state.watermark_s)
        run->state.watermark_s = run->counts.last_s;
    enum weir_err err = store_begin(run->store, fault);
    if (err)
        return err;
    err = run_put_ledger(run, fault);
    if (!err)
        err = judge_timed(run, complete_until(run, next), last, fault, closed, &closed_n);
    for (size_t i = 0; i < closed_n && !err; i++) {
        err = windows_delete(run->store, closed[i], fault);
        if (!err && (err = window_drop_day(run->window, (int64_t)closed[i] * DAY_S)))
            fault_set(fault, err, "out of memory");
    }
    if (!err)
        err = windows_put(run->store, run->window, app_threads(run->app), fault);
    if (!err)
        err = coverage_put(&run->coverage, run->store, run->state.closed_through, fault);
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
    for (size_t i = 0; i < closed_n; i++)
        run_forget_day(run, closed[i]);
    run->unjudged = run->lost_s != INT64_MAX || (!(last && run->feed->judge_open) && (run->unjudged || run->fresh_n > 0));
    run->fresh_n = run->fresh_days = run->found_n = 0;
    growths_free(&run->growths);
    run->counts.days_closed += closed_n;
    run->counts.checkpoints++;
    return WEIR_OK;
}

/* At the end of a range that lets no day close there is nothing to do but to go on: a commit writes all open sums. */
static bool commit_is_due(const struct run *run, size_t committed, size_t end)
{
    return end == object_list_count(run->list) || end - committed >= run->app->config->checkpoint_objects ||
           some_day_closes(run, complete_until(run, end));
}

static enum weir_err run_ranges(struct run *run, struct fault *fault)
{
    size_t n = object_list_count(run->list), committed = 0;
    enum weir_err err = WEIR_OK;
    for (size_t first = 0; first < n && !err;) {
        size_t end = range_end(run, committed, first);
        source_expect(run->list, first, end, run->duplicate);
        enum weir_err counted = run->parsers ? parsers_count(run, first, end, fault) : workers_count(run, first, end, app_threads(run->app), fault);
        source_expect_none();
        if (counted && counted != WEIR_INTERRUPTED)
            return counted;
        failpoint("range-counted");
        if (counted || commit_is_due(run, committed, end)) {
            malloc_trim(0); /* the workers' windows are gone: give their memory back before the commit needs its own */
            if (run->fresh_n > 0 || run->found_n > 0 || (end == n && run->feed->judge_open))
                err = checkpoint(run, counted ? first : end, fault);
            committed = end;
        }
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
    if (!err && run->state.watermark_s)
        err = coverage_load(&run->coverage, run->store, run->app->log, run->state.closed_through, (uint16_t)(run->state.watermark_s / DAY_S), fault);
    return err;
}

void run_close(struct run *run)
{
    if (!run)
        return;
    parsers_close(run->parsers);
    for (size_t i = 0; i < run->days; i++)
        buffer_fini(&run->day[i].ids);
    free(run->day);
    free(run->fresh);
    free(run->fresh_day);
    growths_free(&run->growths);
    window_free(run->window);
    run_state_free(&run->state);
    coverage_fini(&run->coverage);
    context_close(run->context);
    free(run);
}

enum weir_err run_open(struct app *app, struct store *store, struct run **out, struct fault *fault)
{
    struct run *run = calloc(1, sizeof *run);
    *out = NULL;
    if (!run)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    run->app = app;
    run->store = store;
    enum weir_err err = prepare(run, fault);
    run->unjudged = run->state.open_days > 0;
    if (err)
        run_close(run);
    else
        *out = run;
    return err;
}

enum weir_err run_isolate(struct run *run, struct fault *fault) { return parsers_open(run, app_threads(run->app), &run->parsers, fault); }

static void count_listed(struct run *run)
{
    struct source_skipped skipped = object_list_skipped(run->list);
    run->counts.objects_listed += object_list_count(run->list) + skipped.not_regular + skipped.unreadable;
    run->counts.objects_skipped += skipped.quiet;
    run->counts.objects_bad_source[SOURCE_NOT_REGULAR] += skipped.not_regular;
    run->counts.objects_bad_source[SOURCE_UNREADABLE] += skipped.unreadable;
}

enum weir_err run_feed(struct run *run, const struct feed *feed, struct fault *fault)
{
    run->feed = feed;
    run->list = feed->list;
    run->lost_s = INT64_MAX;
    run->future_s = run->app->now_s ? run->app->now_s : (int64_t)time(NULL) + FUTURE_S;
    count_listed(run);
    run->progress = progress_new(run->app, object_list_bytes(run->list));
    enum weir_err err = run_find_duplicates(run, fault);
    if (!err)
        err = run_ranges(run, fault);
    run->counts.interfaces = window_stats(run->window).interfaces;
    run->counts.missing_hours = coverage_missing_hours(&run->coverage);
    run->counts.silent_interfaces = run->coverage.silent;
    progress_done(run->progress);
    free(run->duplicate);
    free(run->known);
    free(run->found);
    run->progress = NULL;
    run->duplicate = NULL;
    run->known = NULL;
    run->known_n = 0;
    run->found = NULL;
    run->found_n = run->found_cap = 0;
    run->list = NULL;
    run->feed = NULL;
    return err;
}

enum weir_err run_judge(struct run *run, struct fault *fault)
{
    struct object_list *none = object_list_new(&run->limits);
    if (!none)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    struct feed feed = {.list = none, .judge_open = true, .waiting_s = INT64_MAX};
    run->feed = &feed;
    run->list = none;
    run->lost_s = INT64_MAX;
    enum weir_err err = checkpoint(run, 0, fault);
    run->list = NULL;
    run->feed = NULL;
    object_list_free(none);
    return err;
}

const struct run_counts *run_counted(const struct run *run) { return &run->counts; }
double run_judging_s(const struct run *run) { return run->judging_s; }
bool run_unjudged(const struct run *run) { return run->unjudged; }
int64_t run_watermark_s(const struct run *run) { return run->state.watermark_s; }
struct window_stats run_window_stats(const struct run *run) { return window_stats(run->window); }

enum weir_err pipeline_run(struct app *app, struct store *store, struct object_list *list, struct run_counts *counts, int64_t *first_s,
                           int64_t *last_s, struct fault *fault)
{
    const struct feed feed = {.list = list, .known_first = true, .judge_open = true, .waiting_s = INT64_MAX};
    struct run *run;
    memset(counts, 0, sizeof *counts);
    *first_s = *last_s = 0;
    enum weir_err err = run_open(app, store, &run, fault);
    if (err)
        return err;
    err = run_feed(run, &feed, fault);
    *counts = run->counts;
    *first_s = run->touched_first_s;
    *last_s = run->touched_last_s;
    run_close(run);
    return err;
}
