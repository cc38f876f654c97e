/* `weir explain ID`: one finding of the store, by its uid or the beginning of it, told so that it can be checked by hand.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "app/shown.h"
#include "app/outbox.h"
#include "app/pipeline.h"
#include "weir/app.h"
#include "weir/sink.h"

struct explain_options {
    bool all_lines;
};

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
    shown_end(&as);
    buffer_fini(&text);
    return err ? app_fail(app, &fault) : APP_DONE;
}

static int run_explain(struct app *app, int argc, char **argv)
{
    struct fault fault = {WEIR_OK, ""};
    struct outbox_entry *entry = NULL;
    struct outbox all;
    int code = outbox_id_check(app, argv[0]);
    (void)argc;
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
