/* `weir explain ID`: one finding of the store, by its uid or the beginning of it, told so that it can be checked by hand.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "app/audit.h"
#include "app/outbox.h"
#include "app/pipeline.h"
#include "app/records.h"
#include "app/shown.h"
#include "weir/app.h"
#include "weir/sink.h"

struct explain_options {
    bool all_lines, raw;
};

/* ---- the original records ---- */

#define RAW_SHOWN 40 /* of an object, unless all are asked for */

static void put_raw(struct buffer *out, const struct records *r, bool all)
{
    size_t shown = all || r->n < RAW_SHOWN ? r->n : RAW_SHOWN;
    struct slice left = r->text;
    for (size_t i = 0; i < shown && left.n; i++) {
        const char *end = memchr(left.p, '\n', left.n);
        size_t n = end ? (size_t)(end - left.p) : left.n;
        buffer_printf(out, "  %llu: ", (unsigned long long)r->line[i]);
        escape_terminal(out, (struct slice){left.p, n});
        buffer_puts(out, "\n");
        n += end != NULL;
        left = (struct slice){left.p + n, left.n - n};
    }
    if (shown < r->n)
        buffer_printf(out, "  ... and %llu more records (see --all-lines)\n", (unsigned long long)(r->n - shown));
}

static enum weir_err show_raw(void *ctx, const struct records *r, struct fault *fault)
{
    struct app *app = ctx;
    const struct explain_options *o = app->options;
    struct buffer out;
    buffer_init(&out, (size_t)2 << 30);
    buffer_puts(&out, "\n");
    escape_terminal(&out, r->path.n ? r->path : r->key);
    if (r->state != RECORDS_READ)
        buffer_printf(&out, ": %s\n", r->state == RECORDS_GONE ? "not there any more" : "no longer the bytes that were counted");
    else
        buffer_puts(&out, "\n  line: ");
    if (r->state == RECORDS_READ && r->columns.n)
        escape_terminal(&out, r->columns);
    buffer_puts(&out, r->state == RECORDS_READ ? "\n" : "");
    put_raw(&out, r, o->all_lines);
    enum weir_err err = out.err ? fault_set(fault, out.err, "cannot show the records: %s", weir_err_text(out.err)) : WEIR_OK;
    fwrite(out.p, 1, out.n, app->out); /* a failure shows at the last flush */
    buffer_fini(&out);
    return err;
}

static enum weir_err tell(struct app *app, struct store *store, struct slice json, struct fault *fault)
{
    struct sink_style style = {.colour = app->colour, .width = app->width, .pretty = app->pretty};
    enum sink_format format = (enum sink_format)app->config->format;
    const struct explain_options *o = app->options;
    if (format == SINK_TABLE) return sink_explain(app->out, json, style, o->all_lines, ledger_name, store, fault);
    struct sink *sink = sink_new(app->out, format, style);
    if (!sink) return fault_set(fault, WEIR_NOMEM, "cannot show finding: out of memory");
    enum weir_err err = sink_add(sink, json, fault), end = sink_close(sink, err ? NULL : fault);
    return err ? err : end;
}

/* The store answers nothing else while it hands out findings, so the text is kept and told afterwards. */
static enum weir_err keep_text(void *ctx, struct slice json)
{
    struct buffer *text = ctx;
    buffer_slice(text, json);
    return text->err;
}

static int explain_entry(struct app *app, struct store *store, struct outbox_entry *entry)
{
    struct outbox one = {.entry = entry, .n = 1, .cap = 1};
    struct fault fault = {WEIR_OK, ""};
    struct buffer text;
    struct shown as;
    buffer_init(&text, STORE_VALUE_MAX);
    enum weir_err err = outbox_show(store, &one, keep_text, &text, &fault);
    if (text.err) fault_set(&fault, err, "cannot show finding: %s", weir_err_text(err));
    enum weir_err begun = shown_begin(&as, app->config, store, err ? NULL : &fault);
    err = err ? err : begun;
    if (!err) err = tell(app, store, shown_of(&as, (struct slice){text.p, text.n}, NULL), &fault);
    if (!err && ((const struct explain_options *)app->options)->raw) {
        char uid[STORE_ID_MAX + 8];
        snprintf(uid, sizeof uid, "wf1-%s", entry->uid);
        audit_note(app, "explain --raw", slice_of(uid), slice_of(""), NULL);
        err = records_of(app, store, NULL, (struct slice){text.p, text.n}, show_raw, app, &fault);
    }
    shown_end(&as);
    buffer_fini(&text);
    return err ? app_fail(app, &fault) : APP_DONE;
}

static int run_explain(struct app *app, int argc, char **argv)
{
    const struct explain_options *o = app->options;
    struct fault fault = {WEIR_OK, ""};
    struct outbox_entry *entry = NULL;
    struct outbox all;
    int code = outbox_id_check(app, argv[0]);
    (void)argc;
    if (!code && o->raw && app->config->format != SINK_TABLE) {
        app_complain(app, "option '--raw' is for people: without --format, or 'weir evidence' for machines");
        code = APP_USAGE;
    }
    struct store *store = code ? NULL : outbox_open(app, &code);
    if (!store) return code;
    code = outbox_fold(store, &all, &fault) ? app_fail(app, &fault) : outbox_find(app, &all, argv[0], &entry);
    if (!code) code = explain_entry(app, store, entry);
    outbox_fini(&all);
    store_close(store);
    return code;
}

static const struct option_row rows[] = {
    {"all-lines", NULL, "show every part, peer, object and line range, however many", OPTION_FLAG, offsetof(struct explain_options, all_lines)},
    {"raw", NULL, "print the original records, too, from where the logs were counted", OPTION_FLAG, offsetof(struct explain_options, raw)},
};

const struct command command_explain = {
    .name = "explain",
    .summary = "tell one finding so that it can be checked by hand",
    .operands = "ID",
    .help = "What was seen, what was expected, each part with its numbers, the history, the objects and lines whose bytes add up to\n"
            "the claim, and what is not known. ID is that of 'weir findings', or its beginning. With --format other than table: the\n"
            "stored finding.",
    .common = COMMON_STORE | COMMON_OUTPUT,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct explain_options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run_explain,
};
