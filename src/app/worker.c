/* SPDX-License-Identifier: Apache-2.0 */
/* An object is parsed and summed with nothing shared; what threads share is the index of the next object and, once an
 * object, the lock under which its sums are merged. The order of merging does not matter: sums commute. */
#include "app/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/policy.h"

#define PART_CELLS 32768 /* groups summed before they are flushed: they fit the second-level cache */
#define AHEAD_BYTES (1u << 20) /* inflate in a second thread from this stored size on */

struct crew {
    struct run *run;
    size_t end;
    unsigned threads;
    atomic_size_t next;
    atomic_bool stop;
    pthread_mutex_t merge;
    enum weir_err err; /* first failure; under merge */
    struct fault fault;
};

#define BAD_LINES_MAX 32
struct bad_line {
    uint64_t line;
    enum decode_reject why;
    size_t field_n, text_n;
    char field[64], text[200];
};

struct worker {
    struct crew *crew;
    struct attribution a;
    const struct policy *policy; /* NULL: none */
    struct run_counts counts; /* of the object in work */
    struct key_set quiet;
    struct decoder *decoder;
    struct object_reader *reader;
    const struct object *object;
    size_t index; /* of the object in the list */
    uint64_t counted; /* its records that were counted before */
    struct window *large; /* parts of a large object, or NULL; empty unless parts > 0 */
    uint64_t parts, flows;
    bool short_of_memory;
    struct window_limits limits;
    struct bad_line bad_line[BAD_LINES_MAX]; size_t bad_lines;
};

/* What was lost for lack of memory, the merge tells. */
static void flush_part(struct worker *w)
{
    if (!w->large && !(w->large = window_new(&w->limits, true)))
        return;
    w->parts++;
    enum weir_err err = window_flush(w->large, w->a.window);
    if (err && err != WEIR_LIMIT)
        w->short_of_memory = true;
}

static void count_broken(struct worker *w, uint32_t interface, const struct flow *f, enum flow_verdict v)
{
    WEIR_UNINITIALIZED uint16_t rule[POLICY_RULES_MAX];
    struct interface_name name;
    window_name(w->a.window, interface, &name);
    size_t n = policy_broken(w->policy, context_inventory(w->crew->run->context), name.id, f, rule);
    for (size_t i = 0; i < n; i++)
        if (window_add_broken(w->a.window, interface, f, v, policy_rule_group(w->policy, rule[i])))
            w->counts.folded++;
}

static void check_policy(struct worker *w, uint32_t interface, const struct flow *f, enum flow_verdict v)
{
    count_broken(w, interface, f, v);
    if (v != FLOW_PENDING)
        return;
    struct flow mirrored = flow_mirror(f);
    count_broken(w, interface, &mirrored, v);
}

static void add_seen(struct worker *w, uint32_t interface, const struct record *r, const struct flow *f, enum flow_verdict v)
{
    struct flow_seen seen;
    for (size_t i = 0; flow_seen_next(r, f, &i, &seen);)
        if (window_add_seen(w->a.window, interface, f, v, &seen))
            w->counts.folded++;
}

static void on_flow(void *ctx, uint32_t interface, const struct record *r, const struct flow *f, enum flow_verdict v)
{
    struct worker *w = ctx;
    (void)r;
    if (window_add(w->a.window, interface, f, v))
        w->counts.folded++;
    if (w->policy)
        check_policy(w, interface, f, v);
    if (WEIR_UNLIKELY(r->seen != NULL))
        add_seen(w, interface, r, f, v);
    if (++w->flows % 1024 == 0 && window_cells(w->a.window) >= PART_CELLS)
        flush_part(w);
}

static void on_gap(void *ctx, uint32_t interface, const struct record *r)
{
    struct worker *w = ctx;
    if (window_add_gap(w->a.window, interface, r->start_s))
        w->counts.folded++;
}

/* Kept until the object is known to be whole: a damaged one is told of once, not line by line. */
static void on_reject(void *ctx, const struct decode_place *place)
{
    struct worker *w = ctx;
    if (w->bad_lines == BAD_LINES_MAX)
        return;
    struct bad_line *b = &w->bad_line[w->bad_lines++];
    *b = (struct bad_line){.line = place->line, .why = place->why};
    b->field_n = place->field.n < sizeof b->field ? place->field.n : sizeof b->field;
    b->text_n = place->text.n < sizeof b->text ? place->text.n : sizeof b->text;
    memcpy(b->field, place->field.n ? place->field.p : "", b->field_n);
    memcpy(b->text, place->text.n ? place->text.p : "", b->text_n);
}

static void log_bad_lines(struct worker *w)
{
    for (size_t i = 0; i < w->bad_lines; i++) {
        const struct bad_line *b = &w->bad_line[i];
        log_warn(w->crew->run->app->log, "record rejected", LOG_TEXT("object", slice_of(w->object->path)), LOG_NUMBER("line", b->line),
                 LOG_TEXT("reason", slice_of(decode_reject_word(b->why))), LOG_TEXT("field", ((struct slice){b->field_n ? b->field : "-", b->field_n ? b->field_n : 1})),
                 LOG_TEXT("text", ((struct slice){b->text, b->text_n})));
    }
}

static void on_record(void *ctx, const struct record *r)
{
    struct worker *w = ctx;
    if (WEIR_UNLIKELY(r->captured))
        attribution_captured(&w->a, r, attribution_record, &w->a);
    else
        attribution_record(&w->a, r);
}

static bool worker_init(struct worker *w, struct crew *crew)
{
    struct run *run = crew->run;
    struct decode_sink sink = {w, on_record, on_reject};
    struct window_limits limits = {.max_groups = (uint32_t)run->app->config->max_groups_per_host,
                                   .max_big_groups = window_default_limits.max_big_groups,
                                   .max_hosts = (uint32_t)run->app->config->max_hosts};
    w->crew = crew;
    w->limits = limits;
    w->a = (struct attribution){.future_s = run->future_s, .closed_through = run->state.closed_through, .ctx = w, .flow = on_flow,
                                .gap = on_gap, .counts = &w->counts, .quiet = &w->quiet, .window = window_new(&limits, true)};
    w->policy = run->app->config->policy_rules;
    run_flow_rules(run, &w->a.rules);
    w->decoder = decoder_new(run->layout_given ? &run->layout : NULL, sink);
    w->reader = w->decoder ? object_reader_new(&run->limits, w->decoder) : NULL;
    return w->a.window && w->reader;
}

static void worker_fini(struct worker *w)
{
    object_reader_free(w->reader);
    decoder_free(w->decoder);
    attribution_fini(&w->a);
    key_set_free(&w->quiet);
    window_free(w->a.window);
    window_free(w->large);
}

static void fail(struct crew *crew, enum weir_err err, const struct fault *fault)
{
    if (!crew->err) {
        crew->err = err;
        if (fault)
            crew->fault = *fault;
    }
    atomic_store(&crew->stop, true);
}

/* The object does not count: nothing of it was merged, its records are counted as rejected with it. */
static void reject_object(struct worker *w, const struct object_outcome *o)
{
    struct run *run = w->crew->run;
    const char *reason = o->why ? source_reject_word(o->why) : decode_bad_word(o->bad);
    log_error(run->app->log, "object rejected", LOG_TEXT("object", slice_of(w->object->path)), LOG_TEXT("reason", slice_of(reason)),
              LOG_TEXT("cause", slice_of(o->fault.text)));
    if (o->why)
        run->counts.objects_bad_source[o->why]++;
    else
        run->counts.objects_bad_text[o->bad]++;
    if (!run->tell && run->feed->lost && (o->err == WEIR_NOTFOUND || o->err == WEIR_USAGE)) /* as in parser.c: the next sweep asks again */
        run->feed->lost[w->index] = FEED_MISSING;
    run->counts.records_in_rejected_objects += decoder_counts(w->decoder)->lines;
    run->counts.bytes_stored += o->stored;
    run->counts.bytes_inflated += o->inflated;
}

static void log_notes(struct worker *w, const struct object_outcome *o)
{
    for (unsigned i = 0; i < WEIR_COUNT(w->counts.source_notes); i++)
        w->counts.source_notes[i] += o->notes >> i & 1;
    if (w->object->from.folder_disagrees)
        log_info(w->crew->run->app->log, "folder and name of an object disagree, the name wins", LOG_TEXT("object", slice_of(w->object->path)));
}

static bool note_days(struct run *run, struct window *sums)
{
    int64_t day_s[RUN_OPEN_DAYS_MAX];
    size_t days = window_days(sums, day_s, RUN_OPEN_DAYS_MAX);
    for (size_t i = 0; i < days; i++) {
        uint16_t *day = array_grow(run->fresh_day, &run->fresh_days_cap, run->fresh_days, sizeof *day);
        if (!day)
            return false;
        run->fresh_day = day;
        day[run->fresh_days++] = (uint16_t)(day_s[i] / DAY_S);
    }
    return true;
}

static bool note_fresh(struct run *run, const struct worker *w, const struct object_outcome *o, struct window *sums)
{
    struct fresh_object *fresh = array_grow(run->fresh, &run->fresh_cap, run->fresh_n, sizeof *fresh);
    if (!fresh)
        return false;
    run->fresh = fresh;
    size_t first_day = run->fresh_days;
    if (!note_days(run, sums))
        return false;
    fresh[run->fresh_n++] = (struct fresh_object){w->index, first_day, run->fresh_days - first_day,
        {.id = o->id, .path = slice_of(w->object->path), .key = w->object->key, .stored = o->stored, .records = decoder_counts(w->decoder)->emitted,
         .first_s = w->counts.first_s, .last_s = w->counts.last_s, .counted = w->counted}};
    return true;
}

/* What of the coverage of its days this object is. */
static struct coverage_object coverage_of(const struct run *run, const struct worker *w)
{
    const struct fresh_object *f = &run->fresh[run->fresh_n - 1];
    return (struct coverage_object) {.account = w->object->from.account, .flow_log = w->object->from.flow_log, .bucket_s = w->object->from.bucket_s,
                                .lacking = coverage_lacking(decoder_layout(w->decoder)), .day = run->fresh_day + f->first_day, .days = f->days,
                                .quiet = &w->quiet};
}

/* Into the run, or in a process that only reads, to the one that has the run. */
static enum weir_err pass_on(struct run *run, const struct worker *w, const struct object_outcome *o, struct window *sums)
{
    enum weir_err err = window_merge(run->window, sums);
    if (err && err != WEIR_LIMIT)
        return err;
    if (!note_fresh(run, w, o, sums))
        return WEIR_NOMEM;
    struct coverage_object covers = coverage_of(run, w);
    struct decode_growth growth = decoder_growth(w->decoder);
    if (run->tell)
        return run->tell(run, &covers, growth);
    err = growth_note(&run->growths, growth);
    return err ? err : coverage_add(&run->coverage, &covers);
}

bool run_counted_already(struct run *run, const struct sha256 *id)
{
    for (size_t i = 0; i < run->fresh_n; i++)
        if (memcmp(run->fresh[i].entry.id.b, id->b, SHA256_BYTES) == 0)
            return true;
    return store_position(run->store).seq > 0 && ledger_has(run->store, id); /* before the first commit it is empty: no round trip an object */
}

static void merge_object(struct worker *w, const struct object_outcome *o)
{
    struct run *run = w->crew->run;
    struct decode_growth growth = decoder_growth(w->decoder);
    bool grown = growth.n && w->counted == growth.n; /* an earlier stage of an object that grew meanwhile */
    if (!run->tell && (grown || run_counted_already(run, &o->id))) { /* standard input beside a file, a file that changed since it was hashed */
        run->counts.objects_duplicate++;
        run_note_found(run, w->index, &o->id);
        return;
    }
    w->counts.objects_done = 1;
    w->counts.bytes_stored = o->stored;
    w->counts.bytes_inflated = o->inflated;
    w->counts.records = *decoder_counts(w->decoder);
    log_notes(w, o);
    log_bad_lines(w);
    if (w->parts)
        flush_part(w);
    struct window *sums = w->parts ? w->large : w->a.window;
    if (w->short_of_memory || w->a.nomem || pass_on(run, w, o, sums)) {
        fault_set(&w->crew->fault, WEIR_NOMEM, "out of memory");
        fail(w->crew, WEIR_NOMEM, NULL);
        return;
    }
    run_counts_add(&run->counts, &w->counts);
    failpoint("object-merged");
}

static void forget_object(struct worker *w)
{
    if (w->parts)
        window_reset(w->large);
    w->parts = 0;
    w->bad_lines = 0;
}

/* From its start, without the records that were counted before. */
static void read_object(struct worker *w, bool ahead, struct progress *progress, struct object_outcome *outcome)
{
    struct object object = *w->object;
    object.counted = w->counted;
    attribution_begin(&w->a, &object);
    forget_object(w);
    object_read(w->reader, &object, ahead, progress, outcome);
    while (!outcome->err && w->a.again) {
        attribution_again(&w->a);
        forget_object(w);
        object_read(w->reader, &object, ahead, NULL, outcome);
    }
}

/* Under the lock. True: of an object that grows other records were counted meanwhile than were passed over. */
static bool counted_otherwise(struct worker *w, struct object_outcome *outcome)
{
    uint64_t counted = 0;
    if (outcome->err || w->crew->run->tell)
        return false;
    outcome->err = growth_counted(&w->crew->run->growths, w->crew->run->store, decoder_growth(w->decoder), &counted, &outcome->fault);
    bool otherwise = !outcome->err && counted != w->counted;
    w->counted = counted;
    return otherwise;
}

static void count_object(struct worker *w, size_t index, bool ahead)
{
    const struct object *object = object_list_at(w->crew->run->list, index);
    struct object_outcome outcome;
    w->object = object;
    w->index = index;
    w->counted = w->crew->run->pass_over;
    read_object(w, ahead, w->crew->run->progress, &outcome);
    pthread_mutex_lock(&w->crew->merge);
    while (counted_otherwise(w, &outcome)) {
        pthread_mutex_unlock(&w->crew->merge);
        read_object(w, ahead, NULL, &outcome);
        pthread_mutex_lock(&w->crew->merge);
    }
    if (!outcome.err)
        merge_object(w, &outcome);
    else if (outcome.err == WEIR_INTERRUPTED)
        fail(w->crew, WEIR_INTERRUPTED, NULL);
    else if (outcome.why || outcome.bad)
        reject_object(w, &outcome);
    else
        fail(w->crew, outcome.err, &outcome.fault);
    pthread_mutex_unlock(&w->crew->merge);
}

static void *work(void *worker)
{
    struct worker *w = worker;
    struct crew *crew = w->crew;
    struct run *run = crew->run;
    while (!atomic_load(&crew->stop) && !app_interrupted()) {
        size_t i = atomic_fetch_add(&crew->next, 1);
        if (i >= crew->end)
            return NULL;
        if (run->duplicate[i])
            continue;
        const struct object *object = object_list_at(run->list, i);
        bool last = crew->end - i < crew->threads;
        count_object(w, i, last && crew->threads > 1 && (object->size_bytes >= AHEAD_BYTES || object->path[0] == '-'));
    }
    return NULL;
}

static enum weir_err run_crew(struct crew *crew, struct fault *fault)
{
    size_t objects = crew->end - atomic_load(&crew->next);
    unsigned workers = crew->threads < objects ? crew->threads : (unsigned)objects; /* spare threads inflate ahead */
    struct worker *worker = calloc(workers, sizeof *worker);
    pthread_t *thread = calloc(workers, sizeof *thread);
    bool ready = worker && thread;
    unsigned started = 0;
    for (unsigned i = 0; ready && i < workers; i++)
        ready = worker_init(&worker[i], crew);
    if (ready) {
        while (started + 1 < workers && pthread_create(&thread[started], NULL, work, &worker[started + 1]) == 0)
            started++;
        work(&worker[0]);
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; worker && i < workers; i++)
        worker_fini(&worker[i]);
    free(worker);
    free(thread);
    if (!ready)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    if (crew->err) {
        *fault = crew->fault;
        return crew->err;
    }
    return app_interrupted() ? WEIR_INTERRUPTED : WEIR_OK;
}

enum weir_err workers_count(struct run *run, size_t first, size_t end, unsigned threads, struct fault *fault)
{
    struct crew crew = {.run = run, .end = end, .threads = threads};
    atomic_init(&crew.next, first);
    pthread_mutex_init(&crew.merge, NULL);
    enum weir_err err = run_crew(&crew, fault);
    pthread_mutex_destroy(&crew.merge);
    return err;
}
