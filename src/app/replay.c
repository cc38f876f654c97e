/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of a replay, its state, and the comparison with what the live store says. */
#include "app/replay.h"

#include <stdlib.h>
#include <string.h>

#include "app/context.h"
#include "app/json_diff.h"
#include "app/marks.h"
#include "weir/source_s3.h"

#define BUCKET_S 300         /* of the name: it tells the ends of records of five minutes */
#define QUIET_DAYS 400       /* so many days without an object end the walk back through the ledger */
#define PLACES_SHOWN 12

/* ---- which objects ---- */

static bool in_span(void *ctx, const struct object *o)
{
    const struct replay_span *s = ctx;
    int64_t b = o->from.bucket_s;
    return !b || (b + BUCKET_S > s->from_s && b < s->to_s && (!s->at_s || b + BUCKET_S <= s->at_s));
}

void replay_limit(struct app *app, struct object_list *list, const struct replay_span *span)
{
    struct replay_span s = *span;
    object_list_keep(list, in_span, &s);
    app->now_s = span->at_s;
}

enum weir_err replay_state(const char *snapshot, struct store **out, struct fault *fault)
{
    static const char scheme[] = "sqlite:";
    struct buffer url;
    buffer_init(&url, 1 << 16);
    buffer_puts(&url, "sqlite::temporary:");
    if (snapshot)
        buffer_puts(&url, strncmp(snapshot, scheme, sizeof scheme - 1) == 0 ? snapshot + sizeof scheme - 1 : snapshot);
    enum weir_err err = url.err ? fault_set(fault, url.err, "cannot make a state of its own: %s", weir_err_text(url.err)) : store_open(buffer_cstr(&url), STORE_READ_WRITE, out, fault);
    buffer_fini(&url);
    return err;
}

/* ---- what the live store counted ---- */

struct ids {
    struct sha256 *id;
    size_t n, cap;
};

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, SHA256_BYTES); }

static enum weir_err add_ids(struct ids *all, struct slice ids)
{
    for (size_t at = 0; at + SHA256_BYTES <= ids.n; at += SHA256_BYTES) {
        struct sha256 *grown = array_grow(all->id, &all->cap, all->n, sizeof *grown);
        if (!grown)
            return WEIR_NOMEM;
        all->id = grown;
        memcpy(grown[all->n++].b, ids.p + at, SHA256_BYTES);
    }
    return WEIR_OK;
}

/* Day by day back from the last one: nothing else lists the ledger. */
static enum weir_err counted_ids(struct store *live, struct ids *out, struct fault *fault)
{
    struct run_state state;
    struct buffer ids;
    memset(&state, 0, sizeof state);
    enum weir_err err = run_state_get(live, &state, fault);
    buffer_init(&ids, STORE_VALUE_MAX);
    unsigned quiet = 0;
    for (int64_t day = state.watermark_s / DAY_S + 1; day > 0 && quiet < QUIET_DAYS && !err; day--) {
        buffer_clear(&ids);
        err = ledger_day_get(live, (uint16_t)day, &ids, fault);
        quiet = ids.n ? 0 : quiet + 1;
        if (!err && (err = add_ids(out, (struct slice){ids.p, ids.n})))
            fault_set(fault, err, "out of memory");
    }
    buffer_fini(&ids);
    run_state_free(&state);
    size_t kept = 0;
    if (out->n)
        qsort(out->id, out->n, sizeof *out->id, by_bytes);
    for (size_t i = 0; i < out->n; i++)
        if (!i || memcmp(out->id[i].b, out->id[i - 1].b, SHA256_BYTES) != 0)
            out->id[kept++] = out->id[i];
    out->n = kept;
    return err;
}

/* By the ledger: *lost counts those that are not where they were. */
static enum weir_err list_counted(struct store *live, const struct ids *ids, struct object_list **out, size_t *lost, struct fault *fault)
{
    struct buffer keep;
    struct object_list *list = *out = object_list_new(&source_default_limits);
    enum weir_err err = list ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    buffer_init(&keep, 1 << 20);
    for (size_t i = 0; i < ids->n && !err; i++) {
        struct ledger_entry e = {.stored = 0};
        buffer_clear(&keep);
        bool known = ledger_get(live, &ids->id[i], &keep, &e, NULL) == WEIR_OK && e.path.n && !memchr(e.path.p, 0, e.path.n) && (e.path.p[0] == '/' || path_is_far(e.path));
        if (known)
            ((char *)(uintptr_t)e.path.p)[e.path.n] = 0; /* in keep, over the length of the key */
        *lost += !known || object_list_add(list, e.path.p, fault) != WEIR_OK;
    }
    buffer_fini(&keep);
    if (!err)
        object_list_sort(list);
    return err;
}

struct known {
    struct store *live;
    struct source *source;
    size_t strange;
};

static bool was_counted(void *ctx, const struct object *o)
{
    struct known *k = ctx;
    struct sha256 id;
    bool known = source_hash(k->source, o, &id, NULL) == WEIR_OK && ledger_has(k->live, &id);
    k->strange += !known;
    return known;
}

/* Of the list given: what the live store never counted stays out. */
static enum weir_err keep_counted(struct app *app, struct store *live, struct object_list *at, struct fault *fault)
{
    struct known k = {.live = live, .source = source_new(&source_default_limits, INFLATE_BEST)};
    if (!k.source)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    object_list_keep(at, was_counted, &k);
    source_free(k.source);
    if (k.strange)
        app_complain(app, "%zu objects are left out: the store did not count them", k.strange);
    return WEIR_OK;
}

/* ---- the comparison ---- */

void hash_in_force(const struct config *c, char hash[17])
{
    struct context *x = NULL;
    struct fault fault;
    if (context_open(c, &x, &fault))
        config_hash(c, hash);
    else
        context_hash(x, c, hash);
    context_close(x);
}

struct verdict {
    struct app *app;
    struct store *live, *own;
    size_t same, other;
    bool other_config; /* a finding that differs was made with another configuration than this */
    char hash[17];
    struct fault fault;
};

static void note_other(struct verdict *v, struct slice stored)
{
    v->other++;
    v->other_config |= !memmem(stored.p, stored.n, v->hash, strlen(v->hash));
}

static void tell(struct verdict *v, const char *uid, const char *what, const struct buffer *places)
{
    fprintf(v->app->out, "wf1-%s: %s\n", uid, what);
    if (places)
        fwrite(places->p, 1, places->n, v->app->out);
}

static void compare_texts(struct verdict *v, const char *uid, struct slice stored, struct slice anew)
{
    struct buffer places;
    if (slice_eq(stored, anew)) {
        v->same++;
        tell(v, uid, "identical", NULL);
        return;
    }
    note_other(v, stored);
    buffer_init(&places, 1 << 20);
    size_t n = json_diff(stored, anew, PLACES_SHOWN, &places);
    if (n > PLACES_SHOWN)
        buffer_printf(&places, "  and %zu more places\n", n - PLACES_SHOWN);
    tell(v, uid, "differs, stored -> found now:", &places);
    buffer_fini(&places);
}

static enum weir_err compare_one(struct verdict *v, const char *uid)
{
    struct buffer stored, anew;
    buffer_init(&stored, STORE_VALUE_MAX);
    buffer_init(&anew, STORE_VALUE_MAX);
    enum weir_err err = store_get(v->live, 'q', uid, &stored, &v->fault);
    bool withdrawn = err == WEIR_NOTFOUND;
    if (!err)
        err = store_get(v->own, 'q', uid, &anew, &v->fault);
    if (!err) {
        compare_texts(v, uid, (struct slice){stored.p, stored.n}, (struct slice){anew.p, anew.n});
    } else if (err == WEIR_NOTFOUND && !withdrawn) {
        note_other(v, (struct slice){stored.p, stored.n});
        tell(v, uid, "is not found now", NULL);
    }
    buffer_fini(&stored);
    buffer_fini(&anew);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* What else may be behind a difference, as far as it can be seen from here. */
static void tell_causes(struct verdict *v, const struct run_counts *counts, size_t counted, size_t lost)
{
    struct marks *marks = NULL;
    if (v->other_config)
        app_complain(v->app, "the stored finding was made with another configuration than %s, which is in force now", v->hash);
    uint64_t unread = counted - (counts->objects_done < counted ? counts->objects_done : counted);
    if (lost)
        app_complain(v->app, "%zu of %zu objects are not where they were counted: give the PATHs where they are now", lost, counted);
    else if (unread)
        app_complain(v->app, "%llu of %zu objects that the store counted were not read", (unsigned long long)unread, counted);
    if (counts->records_late)
        app_complain(v->app, "%llu records came too late for their day this time", (unsigned long long)counts->records_late);
    if (!marks_load(v->live, &marks, NULL) && marks_count(marks))
        app_complain(v->app, "the store has %zu marked findings: days that were judged after a mark may differ from a run without it", marks_count(marks));
    marks_free(marks);
}

static int conclude(struct verdict *v, const struct outbox *findings, const struct run_counts *counts, size_t counted, size_t lost)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < findings->n && !err; i++)
        err = compare_one(v, findings->entry[i].uid);
    if (err)
        return app_fail(v->app, &v->fault);
    if (v->other)
        tell_causes(v, counts, counted, lost);
    if (!v->app->quiet)
        fprintf(v->app->err, "%zu of %zu findings identical, from %llu objects\n", v->same, v->same + v->other, (unsigned long long)counts->objects_done);
    return v->other ? APP_REJECTED : APP_DONE;
}

int replay_verify(struct app *app, struct store *live, struct store *own, struct object_list *at, const struct outbox *findings)
{
    struct verdict v = {.app = app, .live = live, .own = own};
    struct ids ids = {NULL, 0, 0};
    struct object_list *made = NULL;
    struct run_counts counts;
    int64_t first_s, last_s;
    size_t lost = 0;
    hash_in_force(app->config, v.hash);
    enum weir_err err = counted_ids(live, &ids, &v.fault);
    if (!err)
        err = at ? keep_counted(app, live, at, &v.fault) : list_counted(live, &ids, &made, &lost, &v.fault);
    if (!err)
        err = pipeline_run(app, own, at ? at : made, &counts, &first_s, &last_s, &v.fault);
    int code = err ? app_fail(app, &v.fault) : conclude(&v, findings, &counts, ids.n, lost);
    free(ids.id);
    object_list_free(made);
    return code;
}
