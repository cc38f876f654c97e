/* SPDX-License-Identifier: Apache-2.0 */
/* `weir replay [PATH...]`: the same engine over past logs, in a state of its own that ends with it. The live store is read at most: to make a
 * copy of a snapshot, or to compare.
 *
 * --verify: the store tells which objects it counted and where they were; all of them are read again, from nothing, and the finding must come
 * out byte for byte. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/audit.h"
#include "app/baseline_tool.h"
#include "app/batch.h"
#include "app/outbox.h"
#include "app/play.h"
#include "app/replay.h"

struct replay_options {
    const char *from, *to, *at, *host, *snapshot, *baselines, *keep, *verify, *speed, *fail_on;
};

struct asked {
    struct replay_span span;
    struct ip host;
    bool by_host;
    unsigned severity;
    uint64_t speed; /* 0: as fast as it goes, without a view */
};

/* ---- what was asked ---- */

static enum weir_err take_options(const struct replay_options *o, int paths, struct asked *out, struct fault *fault)
{
    *out = (struct asked){.span = {INT64_MIN, INT64_MAX, 0}, .by_host = o->host != NULL};
    enum weir_err err = findings_time("from", o->from, &out->span.from_s, fault);
    if (!err)
        err = findings_time("to", o->to, &out->span.to_s, fault);
    if (!err)
        err = findings_time("at", o->at, &out->span.at_s, fault);
    if (!err && o->at && out->span.at_s <= 0)
        err = fault_set(fault, WEIR_USAGE, "option '--at': a time after 1970");
    if (!err && out->span.from_s >= out->span.to_s)
        err = fault_set(fault, WEIR_USAGE, "option '--to': not after '--from'");
    if (!err && o->host && ip_parse(slice_of(o->host), &out->host))
        err = fault_set(fault, WEIR_USAGE, "option '--host': '%.80s' is no IPv4 or IPv6 address", o->host);
    if (!err)
        err = findings_severity(o->fail_on, "fail-on", &out->severity, fault);
    if (!err && o->speed && (parse_u64(slice_of(o->speed), 1000000, &out->speed) || !out->speed))
        err = fault_set(fault, WEIR_USAGE, "option '--speed' must be a number from 1 to 1000000, not '%.80s'", o->speed);
    if (!err && o->speed && (o->verify || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        err = fault_set(fault, WEIR_USAGE, "option '--speed' plays on a terminal: not with --verify, and not into a pipe or file");
    if (!err && o->verify && (o->from || o->to || o->at || o->snapshot || o->baselines))
        err = fault_set(fault, WEIR_USAGE, "option '--verify' replays all that the store counted: --from, --to, --at, --snapshot and --baselines do not go with it");
    if (!err && !o->verify && !paths)
        err = fault_set(fault, WEIR_USAGE, "an operand is missing: usage: weir replay [OPTIONS] PATH...");
    if (!err && o->snapshot && o->keep)
        err = fault_set(fault, WEIR_USAGE, "options '--snapshot' and '--keep' do not go together: copy the snapshot and run 'weir batch' on the copy");
    if (!err && o->snapshot && o->baselines)
        err = fault_set(fault, WEIR_USAGE, "options '--snapshot' and '--baselines' do not go together: a snapshot has its own");
    return err;
}

static enum weir_err new_state(const struct replay_options *o, struct store **out, struct fault *fault)
{
    static const char scheme[] = "sqlite:";
    if (!o->keep)
        return replay_state(o->snapshot, out, fault);
    if (strncmp(o->keep, scheme, sizeof scheme - 1) != 0 || o->keep[sizeof scheme - 1] == ':')
        return fault_set(fault, WEIR_USAGE, "option '--keep': '%.80s' is no sqlite:PATH", o->keep);
    if (access(o->keep + sizeof scheme - 1, F_OK) == 0 || errno != ENOENT)
        return fault_set(fault, WEIR_USAGE, "option '--keep': '%.200s' is there already, and a replay begins a store of its own", o->keep);
    return store_open(o->keep, STORE_READ_WRITE, out, fault);
}

static enum weir_err own_state(struct app *app, const struct replay_options *o, struct store **out, struct fault *fault)
{
    struct baseline_moved moved;
    enum weir_err err = new_state(o, out, fault);
    if (err || !o->baselines)
        return err;
    FILE *from = fopen(o->baselines, "re");
    if (!from)
        return fault_set(fault, WEIR_USAGE, "cannot read '%.200s': %s", o->baselines, strerror(errno));
    err = baseline_import(app, *out, from, &moved, fault);
    fclose(from);
    if (!err && moved.damaged)
        app_complain(app, "%llu damaged values of %.200s are left out", (unsigned long long)moved.damaged, o->baselines);
    return err;
}

/* Findings are offered for `weir explain` where they can be found again. */
static void name_state(struct app *app, const struct replay_options *o)
{
    app->config->store = o->keep ? o->keep : "";
    app->config->origin[PARAM_store].from = FROM_FLAG;
}

static void note(struct app *app, const char *what, const char *subject, int argc, char **argv)
{
    struct buffer words;
    buffer_init(&words, 1 << 16);
    for (int i = 0; i < argc; i++)
        buffer_printf(&words, "%s%s", i ? " " : "", argv[i]);
    audit_note(app, what, slice_of(subject), slice_of(buffer_cstr(&words)), NULL);
    buffer_fini(&words);
}

/* ---- the runs ---- */

/* The screen is the view's: nothing else may write to it. */
static int play(struct app *app, struct store *own, const struct object_list *list, uint64_t speed)
{
    struct log *log = app->log;
    bool quiet = app->quiet;
    app->log = NULL;
    app->quiet = true;
    struct play *p = play_start(app, own, list, (double)speed);
    int code = p ? play_view(app, p, (double)speed) : app_fail(app, &(struct fault){WEIR_NOMEM, "out of memory"});
    raise(SIGTERM); /* to ourselves, who catch it: whoever has seen enough does not wait for the rest of a step */
    play_stop(p);
    app->log = log;
    app->quiet = quiet;
    return code;
}

static int replay(struct app *app, const struct asked *asked, int argc, char **argv)
{
    const struct replay_options *o = app->options;
    struct fault fault = {WEIR_OK, ""};
    struct object_list *list = NULL;
    struct store *own = NULL;
    enum weir_err err = batch_list(argc, argv, asked->span.from_s, asked->span.to_s, &list, &fault);
    if (!err)
        replay_limit(app, list, &asked->span);
    if (!err)
        err = own_state(app, o, &own, &fault);
    name_state(app, o);
    int code = err ? app_fail(app, &fault) : asked->speed ? play(app, own, list, asked->speed) : batch_run(app, own, list, asked->by_host ? &asked->host : NULL, asked->severity);
    store_close(own);
    object_list_free(list);
    return code;
}

static int verify(struct app *app, int argc, char **argv)
{
    const struct replay_options *o = app->options;
    struct fault fault = {WEIR_OK, ""};
    struct outbox all;
    struct outbox_entry *entry = NULL;
    struct object_list *list = NULL;
    char subject[STORE_ID_MAX + 8];
    int code = strcmp(o->verify, "all") == 0 ? APP_DONE : outbox_id_check(app, o->verify);
    struct store *live = code ? NULL : outbox_open(app, &code), *own = NULL;
    if (!live)
        return code;
    code = outbox_fold(live, &all, &fault) ? app_fail(app, &fault) : APP_DONE;
    if (!code && strcmp(o->verify, "all") != 0)
        code = outbox_find(app, &all, o->verify, &entry);
    snprintf(subject, sizeof subject, "%s%s", entry ? "wf1-" : "all", entry ? entry->uid : "");
    if (!code)
        note(app, "replay --verify", subject, argc, argv);
    if (!code && ((argc && batch_list(argc, argv, INT64_MIN, INT64_MAX, &list, &fault)) || own_state(app, o, &own, &fault)))
        code = app_fail(app, &fault);
    if (!code)
        code = replay_verify(app, live, own, list, entry ? &(struct outbox){entry, 1, 1} : &all);
    store_close(own);
    store_close(live);
    object_list_free(list);
    outbox_fini(&all);
    return code;
}

static int run_replay(struct app *app, int argc, char **argv)
{
    struct fault fault = {WEIR_OK, ""};
    struct asked asked;
    if (take_options(app->options, argc, &asked, &fault))
        return app_fail(app, &fault);
    if (((const struct replay_options *)app->options)->verify)
        return verify(app, argc, argv);
    note(app, "replay", "", argc, argv);
    return replay(app, &asked, argc, argv);
}

static const struct option_row rows[] = {
    {"from", "TIME", "leave out objects whose name tells an earlier time", OPTION_TEXT, offsetof(struct replay_options, from)},
    {"to", "TIME", "leave out objects whose name tells that time or a later one", OPTION_TEXT, offsetof(struct replay_options, to)},
    {"at", "TIME", "as it was known then: no later object, no later record", OPTION_TEXT, offsetof(struct replay_options, at)},
    {"host", "IP", "show only findings about this host", OPTION_TEXT, offsetof(struct replay_options, host)},
    {"snapshot", "PATH", "begin with a copy of the store at PATH, instead of nothing", OPTION_TEXT, offsetof(struct replay_options, snapshot)},
    {"baselines", "FILE", "begin with what 'weir baseline export' wrote, of whatever store", OPTION_TEXT, offsetof(struct replay_options, baselines)},
    {"keep", "URL", "keep the state in this new store, sqlite:PATH", OPTION_TEXT, offsetof(struct replay_options, keep)},
    {"verify", "ID", "find this finding of the store anew, or 'all', and say whether it is identical", OPTION_TEXT, offsetof(struct replay_options, verify)},
    {"speed", "N", "play on the terminal, N seconds of event time in a second", OPTION_TEXT, offsetof(struct replay_options, speed)},
    {"fail-on", "SEVERITY", "exit with 3 if a finding is at or above it", OPTION_TEXT, offsetof(struct replay_options, fail_on)},
};

const struct command command_replay = {
    .name = "replay",
    .summary = "run over past logs in a state of its own",
    .operands = "[PATH...]",
    .help = "The same engine as batch and serve, with any configuration, over logs as they were; the store is not written. Learns\n"
            "from the logs given, or begins with a copy of a store that was saved before them (--snapshot), or with baselines that\n"
            "were exported from one (--baselines).\n"
            "With --verify the store says what it counted and where; all of it is read again from nothing, and the finding must come\n"
            "out byte for byte. PATH: where these logs are now. Exit code 4: it is not identical, or some input was rejected.",
    .common = COMMON_STORE | COMMON_OUTPUT | COMMON_INPUT | COMMON_GEO | COMMON_RUN,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct replay_options),
    .operands_max = SIZE_MAX,
    .run = run_replay,
};
