/* `weir report [ID...] -o FILE`: findings of the store as one HTML document.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "app/audit.h"
#include "app/out_file.h"
#include "app/outbox.h"
#include "app/pipeline.h"
#include "app/shown.h"
#include "weir/app.h"
#include "weir/sink.h"

#define REPORT_FINDINGS_MAX 500 /* more is a list: `weir findings` */
#define REPORT_BYTES_MAX ((size_t)256 << 20)

struct report_options {
    const char *output;
};

/* ---- which ---- */

static int too_many(struct app *app, size_t n)
{
    app_complain(app, "%zu findings are too many for one report: give the ids of at most %d, 'weir findings' lists them", n, REPORT_FINDINGS_MAX);
    return APP_USAGE;
}

/* Those asked for, in the order of time. */
static int choose(struct app *app, struct outbox *all, int argc, char **argv)
{
    size_t kept = 0;
    int code = APP_DONE;
    bool *wanted = calloc(all->n + 1, sizeof *wanted);
    if (!wanted)
        return app_fail(app, &(struct fault){WEIR_NOMEM, "out of memory"});
    for (int i = 0; i < argc && !code; i++) {
        struct outbox_entry *entry = NULL;
        code = outbox_find(app, all, argv[i], &entry);
        if (!code)
            wanted[entry - all->entry] = true;
    }
    for (size_t i = 0; i < all->n && !code; i++)
        if (!argc || wanted[i])
            all->entry[kept++] = all->entry[i];
    free(wanted);
    if (!code)
        all->n = kept;
    return !code && kept > REPORT_FINDINGS_MAX ? too_many(app, kept) : code;
}

/* ---- making it ---- */

static enum weir_err add_one(struct store *s, struct shown *as, const char *uid, struct report *report, struct fault *fault)
{
    struct buffer json;
    buffer_init(&json, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, 'q', uid, &json, fault);
    if (!err)
        err = report_add(report, shown_of(as, (struct slice){json.p, json.n}, NULL), ledger_name, s, fault);
    buffer_fini(&json);
    return err == WEIR_NOTFOUND ? WEIR_OK : err; /* withdrawn since */
}

enum weir_err report_of(const struct config *c, struct store *s, const struct outbox *chosen, struct buffer *out, struct fault *fault)
{
    struct shown as;
    struct report *report = report_new();
    enum weir_err err = shown_begin(&as, c, s, fault);
    if (!err && !report)
        err = fault_set(fault, WEIR_NOMEM, "out of memory");
    for (size_t i = 0; i < chosen->n && !err; i++)
        err = add_one(s, &as, chosen->entry[i].uid, report, fault);
    if (!err && (err = report_end(report, out)))
        fault_set(fault, err, "cannot make the report: %s", weir_err_text(err));
    shown_end(&as);
    report_free(report);
    return err;
}

static int write_report(struct app *app, struct store *s, const struct outbox *chosen)
{
    const struct report_options *o = app->options;
    struct fault fault = {WEIR_OK, ""};
    struct buffer page;
    buffer_init(&page, REPORT_BYTES_MAX);
    enum weir_err err = report_of(app->config, s, chosen, &page, &fault);
    if (!err && strcmp(o->output, "-") == 0)
        fwrite(page.p, 1, page.n, app->out); /* a failure shows at the last flush */
    else if (!err)
        err = out_file(o->output, (struct slice){page.p, page.n}, &fault);
    buffer_fini(&page);
    return err ? app_fail(app, &fault) : APP_DONE;
}

static int run_report(struct app *app, int argc, char **argv)
{
    const struct report_options *o = app->options;
    struct fault fault = {WEIR_OK, ""};
    struct outbox all;
    int code = APP_DONE;
    for (int i = 0; i < argc && !code; i++)
        code = outbox_id_check(app, argv[i]);
    if (!code && (!o->output || !*o->output)) {
        app_complain(app, "option '--output' is missing: weir report [ID...] -o FILE.html, or -o - for standard output");
        code = APP_USAGE;
    }
    struct store *store = code ? NULL : outbox_open(app, &code);
    if (!store)
        return code;
    code = outbox_fold(store, &all, &fault) ? app_fail(app, &fault) : choose(app, &all, argc, argv);
    for (size_t i = 0; !code && i < (argc ? all.n : 1); i++) {
        char subject[STORE_ID_MAX + 8];
        snprintf(subject, sizeof subject, "%s%s", argc ? "wf1-" : "all", argc ? all.entry[i].uid : "");
        audit_note(app, "report", slice_of(subject), slice_of(o->output), NULL);
    }
    if (!code)
        code = write_report(app, store, &all);
    outbox_fini(&all);
    store_close(store);
    return code;
}

static const struct option_row rows[] = {
    {"output", "FILE", "write the page there; - is standard output", OPTION_TEXT, offsetof(struct report_options, output)},
};

const struct command command_report = {
    .name = "report",
    .summary = "write findings as one page that opens anywhere",
    .operands = "[ID...] -o FILE",
    .help = "HTML with pictures, for a manager and an auditor: it needs nothing but itself, holds no script, and reads on paper\n"
            "and on a telephone. Without ID: all findings of the store, with an index.",
    .common = COMMON_STORE,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct report_options),
    .operands_max = SIZE_MAX,
    .run = run_report,
};
