/* SPDX-License-Identifier: Apache-2.0 */
/* `weir batch PATH...`: count the objects that are new, judge the days they belong to, print what was found. */
#include <string.h>

#include "app/batch.h"
#include "app/delivery.h"
#include "app/open_store.h"
#include "app/outbox.h"
#include "app/pipeline.h"
#include "app/terminal.h"

struct batch_options {
    const char *fail_on, *from, *to;
};

static enum weir_err write_summary(const struct app *app, const struct run_counts *counts, struct fault *fault)
{
    struct buffer json;
    if (!app->summary_path)
        return WEIR_OK;
    buffer_init(&json, 1 << 20);
    run_summary_json(counts, &json);
    FILE *out = strcmp(app->summary_path, "-") == 0 ? app->out : fopen(app->summary_path, "we");
    bool ok = out && !json.err && fwrite(json.p, 1, json.n, out) == json.n;
    if (out && out != app->out)
        ok &= fclose(out) == 0;
    buffer_fini(&json);
    return ok ? WEIR_OK : fault_set(fault, WEIR_IO, "cannot write the summary '%s': %m", app->summary_path);
}

static void tell_summary(struct app *app, const struct run_counts *counts)
{
    struct buffer text;
    if (app->quiet)
        return;
    buffer_init(&text, 1 << 20);
    run_summary_text(counts, &text);
    fputs(buffer_cstr(&text), app->err);
    buffer_fini(&text);
}

static int exit_code(const struct run_counts *c, bool failing_finding)
{
    if (failing_finding)
        return APP_FINDINGS;
    return run_records_rejected(c) || run_objects_rejected(c) || c->records_late ? APP_REJECTED : APP_DONE;
}

/* The law, checked at the end of every run: nothing vanishes silently. */
static enum weir_err check_law(const struct run_counts *c, struct fault *fault)
{
    if (run_records_read(c) == run_records_counted(c) + run_records_rejected(c))
        return WEIR_OK;
    return fault_set(fault, WEIR_CORRUPT, "counters disagree: read is not counted + rejected + duplicate");
}

static void note_store(const struct app *app, const struct store *store, bool went_back, struct run_counts *counts)
{
    struct store_stats stats = store_stats(store);
    counts->store_rollbacks = went_back;
    counts->store_reconnects = stats.reconnects;
    counts->store_unreplicated = stats.unreplicated;
    counts->store_waited_s = (double)stats.waited_us / 1e6;
    store_remember(app, store);
}

/* Then no host has a past: that nothing was found says little, and the reader must know. */
static bool is_first_day(struct store *store)
{
    struct run_state state;
    struct fault fault;
    bool first = !run_state_get(store, &state, &fault) && state.watermark_s && !state.closed_through;
    run_state_free(&state);
    return first;
}

int batch_run(struct app *app, struct store *store, struct object_list *list, const struct ip *host, unsigned fail_severity)
{
    struct fault fault = {WEIR_OK, ""};
    struct run_counts counts;
    int64_t first_s, last_s;
    double begin = (double)clock_monotonic_ns() / 1e9;
    struct store_position was = {0, 0};
    char told[FINDING_UID_MAX]; /* that it went back: said with what is found */
    bool went_back = store_went_back(app, store, &was);
    store_rollback_uid(&was, store, told);
    enum weir_err err = pipeline_run(app, store, list, &counts, &first_s, &last_s, &fault);
    counts.seconds = (double)clock_monotonic_ns() / 1e9 - begin;
    note_store(app, store, went_back, &counts);
    if (!err && !counts.objects_listed)
        log_warn(app->log, "no objects in the paths given");
    bool interrupted = err == WEIR_INTERRUPTED;
    if (interrupted) {
        app_complain(app, "interrupted: what was counted is kept, run the same command again to go on");
        err = WEIR_OK;
    }
    if (!err)
        err = check_law(&counts, &fault);
    bool failing = false;
    if (!err)
        err = findings_show_between(app, store, first_s, first_s ? last_s : 0, host, went_back ? told : NULL, fail_severity, &counts.findings, &failing, &fault);
    if (!err)
        err = write_summary(app, &counts, &fault);
    counts.first_day = !err && is_first_day(store);
    if (!err)
        tell_summary(app, &counts);
    if (err)
        return app_fail(app, &fault);
    return interrupted ? APP_DONE : exit_code(&counts, failing);
}

enum weir_err batch_list(int argc, char **argv, int64_t from_s, int64_t to_s, struct object_list **out, struct fault *fault)
{
    struct source_limits limits = source_default_limits;
    struct object_list *list = *out = object_list_new(&limits);
    enum weir_err err = list ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    if (!err)
        object_list_between(list, from_s, to_s);
    for (int i = 0; i < argc && !err; i++)
        if ((err = object_list_add(list, argv[i], fault)))
            fault->err = err = err == WEIR_NOTFOUND ? WEIR_USAGE : err;
    if (!err)
        object_list_sort(list);
    return err;
}

static int run_batch(struct app *app, int argc, char **argv)
{
    const struct batch_options *options = app->options;
    struct fault fault = {WEIR_OK, ""};
    unsigned severity = 0;
    int64_t from_s = INT64_MIN, to_s = INT64_MAX;
    enum weir_err err = findings_severity(options->fail_on, "fail-on", &severity, &fault);
    if (!err)
        err = findings_time("from", options->from, &from_s, &fault);
    if (!err)
        err = findings_time("to", options->to, &to_s, &fault);
    if (!err && from_s >= to_s)
        err = fault_set(&fault, WEIR_USAGE, "option '--to': not after '--from'");
    if (err)
        return app_fail(app, &fault);
    struct object_list *list = NULL;
    struct store *store = NULL;
    err = batch_list(argc, argv, from_s, to_s, &list, &fault);
    if (!err)
        err = open_store(app, STORE_READ_WRITE, &store, &fault);
    struct delivery *delivery = NULL;
    if (!err)
        err = delivery_open(app, store, true, &delivery, &fault); /* before the run: a secret that cannot be read ends it now */
    int code = err ? app_fail(app, &fault) : batch_run(app, store, list, NULL, severity);
    code = delivery_finish(app, delivery, store, code);
    delivery_close(delivery, store);
    store_close(store);
    object_list_free(list);
    return code;
}

static const struct option_row rows[] = {
    {"from", "TIME", "leave out objects whose name tells an earlier time", OPTION_TEXT, offsetof(struct batch_options, from)},
    {"to", "TIME", "leave out objects whose name tells this time or a later one", OPTION_TEXT, offsetof(struct batch_options, to)},
    {"fail-on", "SEVERITY", "exit with 3 if a finding is at or above it", OPTION_TEXT, offsetof(struct batch_options, fail_on)},
};

const struct command command_batch = {
    .name = "batch",
    .summary = "count flow logs once, and print the findings of their days",
    .operands = "PATH...",
    .help = "PATH is a flow log object, a directory of them in any layout, s3://BUCKET/FOLDER, or - for standard input; gzip or plain\n"
            "is told by content.\n"
            "An object that was counted before, under whatever name, is passed over. Findings on standard output, a summary on\n"
            "standard error. Exit code: 0 done, 4 done but some input was rejected, 2 usage, 75 store unavailable, 1 failed.",
    .common = COMMON_STORE | COMMON_OUTPUT | COMMON_INPUT | COMMON_GEO | COMMON_RUN,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct batch_options),
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = run_batch,
};
