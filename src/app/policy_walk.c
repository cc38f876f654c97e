/* SPDX-License-Identifier: Apache-2.0 */
/* One thread is enough here: a policy is proposed once in a while, and on days, not on years. */
#include "app/policy_walk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FUTURE_S 600 /* as a run does */

struct walker {
    struct app *app;
    const struct flow_walk *walk;
    struct run_counts *total, counts; /* counts: of the object in work */
    struct attribution a;
    struct decoder *decoder;
    struct object_reader *reader;
    struct source_limits limits;
    struct layout layout;
    struct sha256 *seen; size_t seen_n; /* ids of the objects kept */
    uint32_t *head; size_t heads;       /* open addressing, index + 1 */
};

static void on_flow(void *ctx, uint32_t interface, const struct record *r, const struct flow *f, enum flow_verdict v)
{
    struct walker *w = ctx;
    (void)r;
    w->walk->flow(w->walk->ctx, w->a.window, interface, w->a.flow_log, f, v);
}

static void on_gap(void *ctx, uint32_t interface, const struct record *r)
{
    (void)ctx;
    (void)interface;
    (void)r;
}

static void on_record(void *ctx, const struct record *r)
{
    struct walker *w = ctx;
    if (WEIR_UNLIKELY(r->captured))
        attribution_captured(&w->a, r, attribution_record, &w->a);
    else
        attribution_record(&w->a, r);
}

static void on_reject(void *ctx, const struct decode_place *place)
{
    (void)ctx; /* counted by the decoder, told by `weir batch` */
    (void)place;
}

/* True when the id is new; then it is remembered. */
static bool first_sight(struct walker *w, const struct sha256 *id)
{
    uint64_t h;
    memcpy(&h, id->b, sizeof h);
    for (h &= w->heads - 1; w->head[h]; h = (h + 1) & (w->heads - 1))
        if (memcmp(&w->seen[w->head[h] - 1], id, sizeof *id) == 0)
            return false;
    w->seen[w->seen_n++] = *id;
    w->head[h] = (uint32_t)w->seen_n;
    return true;
}

static void reject_object(struct walker *w, const struct object *o, const struct object_outcome *outcome)
{
    const char *reason = outcome->why ? source_reject_word(outcome->why) : decode_bad_word(outcome->bad);
    log_error(w->app->log, "object rejected", LOG_TEXT("object", slice_of(o->path)), LOG_TEXT("reason", slice_of(reason)),
              LOG_TEXT("cause", slice_of(outcome->fault.text)));
    if (outcome->why)
        w->total->objects_bad_source[outcome->why]++;
    else
        w->total->objects_bad_text[outcome->bad]++;
    w->total->records_in_rejected_objects += decoder_counts(w->decoder)->lines;
}

static enum weir_err keep_object(struct walker *w, const struct object_outcome *outcome)
{
    if (!first_sight(w, &outcome->id)) {
        w->total->objects_duplicate++;
        w->walk->forget(w->walk->ctx);
        return WEIR_OK;
    }
    w->counts.objects_done = 1;
    w->counts.records = *decoder_counts(w->decoder);
    run_counts_add(w->total, &w->counts);
    return w->walk->keep(w->walk->ctx, w->a.window);
}

static enum weir_err walk_object(struct walker *w, const struct object *o, struct fault *fault)
{
    struct object_outcome outcome;
    attribution_begin(&w->a, o);
    object_read(w->reader, o, false, w->app->progress, &outcome);
    while (!outcome.err && w->a.again) {
        w->walk->forget(w->walk->ctx);
        attribution_again(&w->a);
        object_read(w->reader, o, false, NULL, &outcome);
    }
    if (!outcome.err)
        return keep_object(w, &outcome);
    w->walk->forget(w->walk->ctx);
    if (outcome.err != WEIR_INTERRUPTED && (outcome.why || outcome.bad)) {
        reject_object(w, o, &outcome);
        return WEIR_OK;
    }
    *fault = outcome.fault;
    return outcome.err;
}

static enum weir_err walker_init(struct walker *w, size_t objects, struct fault *fault)
{
    const struct config *c = w->app->config;
    bool given = *c->fields != 0;
    w->limits = (struct source_limits){c->max_object_bytes, (uint32_t)c->max_ratio, source_default_limits.max_objects};
    if (given && layout_parse(slice_of(c->fields), &w->layout, NULL, fault))
        return fault->err = WEIR_USAGE;
    for (w->heads = 16; w->heads < objects * 2; w->heads *= 2) {}
    w->a = (struct attribution){.rules = {.own = c->own_networks, .forwarders = c->forwarder_networks, .forwarder_interfaces = c->forwarder_interfaces,
                                          .forwarder_interfaces_n = c->forwarder_interfaces_n},
                                .future_s = (int64_t)time(NULL) + FUTURE_S, .window = window_new(&window_default_limits, true), .ctx = w,
                                .flow = on_flow, .gap = on_gap, .counts = &w->counts};
    w->seen = malloc((objects + 1) * sizeof *w->seen);
    w->head = calloc(w->heads, sizeof *w->head);
    w->decoder = decoder_new(given ? &w->layout : NULL, (struct decode_sink){w, on_record, on_reject});
    w->reader = w->decoder ? object_reader_new(&w->limits, w->decoder) : NULL;
    return w->seen && w->head && w->reader && w->a.window ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
}

static void walker_free(struct walker *w)
{
    object_reader_free(w->reader);
    decoder_free(w->decoder);
    window_free(w->a.window);
    free(w->seen);
    free(w->head);
    free(w);
}

enum weir_err walk_flows(struct app *app, struct object_list *list, const struct flow_walk *walk, struct run_counts *counts, struct fault *fault)
{
    struct walker *w = calloc(1, sizeof *w);
    if (!w)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    w->app = app;
    w->walk = walk;
    w->total = counts;
    size_t n = object_list_count(list);
    struct source_skipped skipped = object_list_skipped(list);
    counts->objects_listed = n + skipped.not_regular + skipped.unreadable;
    counts->objects_bad_source[SOURCE_NOT_REGULAR] = skipped.not_regular;
    counts->objects_bad_source[SOURCE_UNREADABLE] = skipped.unreadable;
    source_stop_when(app_interrupted);
    struct progress *progress = progress_new(app, object_list_bytes(list));
    enum weir_err err = walker_init(w, n, fault);
    for (size_t i = 0; i < n && !err; i++)
        err = walk_object(w, object_list_at(list, i), fault);
    progress_done(progress);
    if (err && !fault->text[0])
        fault_set(fault, err, "cannot read the logs: %s", weir_err_text(err));
    walker_free(w);
    return err;
}
