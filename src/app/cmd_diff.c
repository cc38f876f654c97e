/* SPDX-License-Identifier: Apache-2.0 */
/* `weir diff --old A --new B PATH...`: what would another configuration have found in the same logs? Two runs, each in a state of its own, and
 * their findings side by side. A finding of both is one of the same host on at least one same day. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app/audit.h"
#include "app/batch.h"
#include "app/replay.h"
#include "weir/finding.h"
#include "weir/sink.h"

struct diff_options {
    const char *old, *new;
};

struct found { /* what is compared; texts in the arena of its side */
    struct slice uid, host, interface, message;
    unsigned severity;
    uint64_t bytes;
    double score;
    uint32_t first_day, days; /* from - to, in days since 1970 */
    bool matched;
};

struct side {
    const char *path;   /* of the configuration; NULL: the one in force */
    struct config *config;
    struct arena *arena;
    struct found *found; size_t n, cap;
    struct run_counts counts;
    char hash[17];
    double budget;      /* false findings per host-day that it bears */
};

/* ---- one run ---- */

static struct slice text_at(const json_t *in, const char *key)
{
    const json_t *v = json_object_get(in, key);
    return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)} : (struct slice){"", 0};
}

static uint32_t day_of(const json_t *finding, const char *key)
{
    json_int_t ms = json_integer_value(json_object_get(finding, key));
    return ms > 0 ? (uint32_t)(ms / 1000 / DAY_S) : 0;
}

static enum weir_err keep(void *ctx, struct slice json)
{
    struct side *s = ctx;
    json_t *doc = json_loadb(json.p, json.n, JSON_ALLOW_NUL, NULL);
    struct found *all = array_grow(s->found, &s->cap, s->n, sizeof *all);
    if (!doc || !all) {
        json_decref(doc);
        return doc ? WEIR_NOMEM : WEIR_CORRUPT;
    }
    s->found = all;
    const json_t *weir = json_object_get(json_object_get(doc, "unmapped"), "weir"), *resource = json_array_get(json_object_get(doc, "resources"), 0);
    all[s->n++] = (struct found){.uid = arena_slice(s->arena, text_at(json_object_get(doc, "finding_info"), "uid")), .host = arena_slice(s->arena, text_at(resource, "ip")),
                                 .interface = arena_slice(s->arena, text_at(resource, "uid")), .message = arena_slice(s->arena, text_at(doc, "message")),
                                 .severity = (unsigned)json_integer_value(json_object_get(doc, "severity_id")),
                                 .bytes = (uint64_t)json_integer_value(json_object_get(weir, "bytes")), .score = json_number_value(json_object_get(weir, "score")),
                                 .first_day = day_of(doc, "start_time"), .days = day_of(doc, "end_time")};
    json_decref(doc);
    return WEIR_OK;
}

static enum weir_err run_side(struct app *app, struct side *s, int argc, char **argv, struct fault *fault)
{
    struct object_list *list = NULL;
    struct store *own = NULL;
    struct outbox all = {NULL, 0, 0};
    int64_t first_s, last_s;
    enum weir_err err = batch_list(argc, argv, INT64_MIN, INT64_MAX, &list, fault);
    if (!err)
        err = replay_state(NULL, &own, fault);
    if (!err)
        err = pipeline_run(app, own, list, &s->counts, &first_s, &last_s, fault);
    if (!err)
        err = outbox_fold(own, &all, fault);
    if (!err && (err = outbox_show(own, &all, keep, s, fault)) && !fault->text[0])
        fault_set(fault, err, "cannot compare findings: %s", weir_err_text(err));
    hash_in_force(app->config, s->hash);
    s->budget = budget_per_host_day(app->config->budget, s->counts.hosts);
    outbox_fini(&all);
    store_close(own);
    object_list_free(list);
    return err;
}

/* The configuration of one side, and its log; both stay until the end. */
static enum weir_err load_side(struct app *app, struct side *s, const char *given)
{
    app->config_path = s->path ? s->path : given;
    log_free(app->log);
    app->log = NULL;
    app->config = NULL;
    enum weir_err err = app_load_config(app);
    s->config = app->config;
    s->arena = arena_new(0);
    return err ? err : s->arena ? WEIR_OK : WEIR_NOMEM;
}

/* ---- side by side ---- */

static bool same_case(const struct found *a, const struct found *b)
{
    return !b->matched && slice_eq(a->host, b->host) && slice_eq(a->interface, b->interface) && a->first_day <= b->days && b->first_day <= a->days;
}

static struct found *partner(const struct found *of, struct side *in)
{
    for (size_t i = 0; i < in->n; i++)
        if (same_case(of, &in->found[i])) {
            in->found[i].matched = true;
            return &in->found[i];
        }
    return NULL;
}

/* The configuration stands in each finding, and hashes follow from it: only what is claimed counts. */
static bool is_changed(const struct found *a, const struct found *b)
{
    return a->severity != b->severity || a->bytes != b->bytes || a->score < b->score || a->score > b->score || !slice_eq(a->uid, b->uid);
}

struct result {
    size_t gained, lost, changed, same;
    struct buffer text;
    bool json;
};

static void put_brief(struct buffer *out, const struct found *f)
{
    char bytes[FINDING_BYTES_TEXT_MAX];
    finding_bytes(f->bytes, bytes);
    buffer_printf(out, "%s, %s, score %llu.%02llu", finding_severity_word(f->severity), bytes, (unsigned long long)(f->score * 100 + 0.5) / 100,
                  (unsigned long long)(f->score * 100 + 0.5) % 100);
}

static void put_json_found(struct buffer *out, const char *key, const struct found *f)
{
    buffer_printf(out, ",\"%s\":{\"uid\":", key);
    escape_json(out, f->uid);
    buffer_printf(out, ",\"host\":");
    escape_json(out, f->host);
    buffer_printf(out, ",\"severity_id\":%u,\"bytes\":%llu,\"message\":", f->severity, (unsigned long long)f->bytes);
    escape_json(out, f->message);
    buffer_puts(out, "}");
}

static void put_entry(struct result *r, const char *word, const struct found *old, const struct found *new)
{
    struct buffer *out = &r->text;
    const struct found *f = new ? new : old;
    if (r->json) {
        buffer_printf(out, "{\"change\":\"%s\"", word);
        if (old)
            put_json_found(out, "old", old);
        if (new)
            put_json_found(out, "new", new);
        buffer_puts(out, "}\n");
        return;
    }
    buffer_printf(out, "%-8s ", word);
    escape_terminal(out, f->uid);
    buffer_puts(out, "  ");
    put_brief(out, old ? old : new);
    if (old && new) {
        buffer_puts(out, " -> ");
        put_brief(out, new);
    }
    buffer_puts(out, "\n         ");
    escape_terminal(out, f->message);
    buffer_puts(out, "\n");
}

static void compare(struct side *old, struct side *new, struct result *r)
{
    for (size_t i = 0; i < old->n; i++) {
        struct found *a = &old->found[i], *b = partner(a, new);
        if (b && !is_changed(a, b)) {
            r->same++;
            continue;
        }
        put_entry(r, b ? "changed" : "lost", a, b);
        r->changed += b != NULL;
        r->lost += b == NULL;
    }
    for (size_t i = 0; i < new->n; i++)
        if (!new->found[i].matched) {
            put_entry(r, "gained", NULL, &new->found[i]);
            r->gained++;
        }
}

static void put_side(struct buffer *out, const char *name, const struct side *s)
{
    double per = s->budget * (double)s->counts.host_days;
    buffer_printf(out, "%s  configuration %s: %zu finding%s in %llu host-days; its budget bears %llu.%02llu false ones\n", name, s->hash, s->n, s->n == 1 ? "" : "s",
                  (unsigned long long)s->counts.host_days, (unsigned long long)(per * 100 + 0.5) / 100, (unsigned long long)(per * 100 + 0.5) % 100);
}

static void put_json_side(struct buffer *out, const char *name, const struct side *s)
{
    buffer_printf(out, "\"%s\":{\"configuration\":\"%s\",\"findings\":%zu,\"host_days\":%llu,\"budget_per_billion_host_days\":%llu}", name, s->hash, s->n,
                  (unsigned long long)s->counts.host_days, (unsigned long long)(s->budget * 1e9 + 0.5));
}

static int tell(struct app *app, const struct side *old, const struct side *new, struct result *r)
{
    struct buffer *out = &r->text;
    if (r->json) {
        buffer_printf(out, "{\"summary\":{\"gained\":%zu,\"lost\":%zu,\"changed\":%zu,\"same\":%zu,", r->gained, r->lost, r->changed, r->same);
        put_json_side(out, "old", old);
        buffer_puts(out, ",");
        put_json_side(out, "new", new);
        buffer_puts(out, "}}\n");
    } else {
        put_side(out, "old", old);
        put_side(out, "new", new);
        buffer_printf(out, "%zu gained, %zu lost, %zu changed, %zu the same\n", r->gained, r->lost, r->changed, r->same);
    }
    fwrite(out->p, 1, out->n, app->out); /* a failure shows at the last flush */
    if (!out->err)
        return run_records_rejected(&new->counts) || run_objects_rejected(&new->counts) ? APP_REJECTED : APP_DONE;
    return app_fail(app, &(struct fault){out->err, "the findings that differ are too many to show"});
}

/* ---- the command ---- */

static void side_free(struct app *app, struct side *s)
{
    if (s->config != app->config)
        config_free(s->config);
    arena_free(s->arena);
    free(s->found);
}

static int run_both(struct app *app, struct side side[2], int argc, char **argv)
{
    struct fault fault = {WEIR_OK, ""};
    const char *given = app->config_path;
    for (size_t i = 0; i < 2; i++) {
        enum weir_err err = load_side(app, &side[i], given);
        if (err)
            return (int)app_exit_of(err);
        if (app->config->format == SINK_CSV) {
            app_complain(app, "option '--format': 'diff' knows table and json");
            return APP_USAGE;
        }
        if (!i)
            audit_note(app, "diff", slice_of(""), slice_of(argv[0]), NULL);
        if (run_side(app, &side[i], argc, argv, &fault))
            return app_fail(app, &fault);
    }
    struct result r = {.json = app->config->format != SINK_TABLE};
    buffer_init(&r.text, (size_t)256 << 20);
    compare(&side[0], &side[1], &r);
    int code = tell(app, &side[0], &side[1], &r);
    buffer_fini(&r.text);
    return code;
}

static int run_diff(struct app *app, int argc, char **argv)
{
    const struct diff_options *o = app->options;
    struct side side[2] = {{.path = o->old}, {.path = o->new}};
    if (!o->old && !o->new) {
        app_complain(app, "say what to compare: weir diff --old FILE --new FILE PATH...; one that is not given is the configuration in force");
        return APP_USAGE;
    }
    int code = run_both(app, side, argc, argv);
    for (size_t i = 0; i < 2; i++)
        side_free(app, &side[i]);
    return code;
}

static const struct option_row rows[] = {
    {"old", "FILE", "configuration to compare with; default: the one in force", OPTION_TEXT, offsetof(struct diff_options, old)},
    {"new", "FILE", "configuration to try; default: the one in force", OPTION_TEXT, offsetof(struct diff_options, new)},
};

const struct command command_diff = {
    .name = "diff",
    .summary = "compare what two configurations find in the same logs",
    .operands = "[--old FILE] --new FILE PATH...",
    .help = "Runs twice over the logs, each time from nothing in a state of its own, and lists findings gained, lost and changed, and\n"
            "what the budgets bear. A finding of both is one of the same host on at least one same day. The store is not touched.",
    .common = COMMON_OUTPUT | COMMON_INPUT | COMMON_GEO | COMMON_RUN,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct diff_options),
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .loads_own_config = true,
    .run = run_diff,
};
