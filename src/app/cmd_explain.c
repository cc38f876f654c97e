/* `weir explain ID`: one finding of the store, by its uid or the beginning of it, told so that it can be checked by hand.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "app/outbox.h"
#include "app/pipeline.h"
#include "weir/app.h"
#include "weir/sink.h"

#define UID_PREFIX "wf1-"
#define DIGITS_MIN 6
#define AMBIGUOUS_SHOWN 10

struct explain_options {
    bool all_lines;
};

/* The digits of a uid, with or without its prefix. */
static const char *digits_of(const char *uid)
{
    return strncmp(uid, UID_PREFIX, strlen(UID_PREFIX)) == 0 ? uid + strlen(UID_PREFIX) : uid;
}

static bool is_id(const char *digits)
{
    size_t n = strlen(digits);
    return n >= DIGITS_MIN && n <= STORE_ID_MAX && strspn(digits, "0123456789abcdef") == n;
}

/* The nearest uid, cut to the digits given: they may lack the end, and a slip may be anywhere. NULL if none is near. */
static const char *nearest_uid(const struct outbox *all, const char *digits)
{
    size_t n = strlen(digits);
    const char **names = all->n ? calloc(all->n, sizeof *names) : NULL;
    char (*cut)[STORE_ID_MAX + 1] = names ? calloc(all->n, sizeof *cut) : NULL;
    const char *found = NULL;
    for (size_t i = 0; cut && i < all->n; i++) {
        memcpy(cut[i], digits_of(all->entry[i].uid), strnlen(digits_of(all->entry[i].uid), n));
        names[i] = cut[i];
    }
    const char *near = cut ? nearest_name(slice_of(digits), names, all->n) : NULL;
    for (size_t i = 0; near && !found; i++)
        if (names[i] == near) found = digits_of(all->entry[i].uid);
    free(cut);
    free(names);
    return found;
}

static int unknown(struct app *app, const struct outbox *all, const char *digits)
{
    const char *near = nearest_uid(all, digits);
    if (near)
        app_complain(app, "no finding '%s%s', the nearest is '%s%s'", UID_PREFIX, digits, UID_PREFIX, near);
    else
        app_complain(app, "no finding '%s%s': 'weir findings' lists them", UID_PREFIX, digits);
    return APP_FAILED;
}

static int ambiguous(struct app *app, const struct outbox *all, const char *digits, size_t matches)
{
    size_t shown = 0;
    app_complain(app, "'%s%s' begins the ids of %zu findings:", UID_PREFIX, digits, matches);
    for (size_t i = 0; i < all->n && shown < AMBIGUOUS_SHOWN; i++) {
        const char *uid = digits_of(all->entry[i].uid);
        if (strncmp(uid, digits, strlen(digits)) != 0) continue;
        app_complain(app, "  %s%s", UID_PREFIX, uid);
        shown++;
    }
    return APP_FAILED;
}

/* What the ledger calls an object. Not to know it is no error: the finding's own key is shown then. */
static void name_of(void *ctx, const struct sha256 *object, struct buffer *out)
{
    struct buffer keep;
    struct ledger_entry entry;
    buffer_init(&keep, 1u << 20);
    if (ledger_get(ctx, object, &keep, &entry, NULL) == WEIR_OK) buffer_slice(out, entry.path.n ? entry.path : entry.key);
    buffer_fini(&keep);
}

static enum weir_err tell(struct app *app, struct store *store, struct slice json, struct fault *fault)
{
    struct sink_style style = {.colour = app->colour, .width = app->width, .pretty = app->pretty};
    enum sink_format format = (enum sink_format)app->config->format;
    const struct explain_options *o = app->options;
    if (format == SINK_TABLE) return sink_explain(app->out, json, style, o->all_lines, name_of, store, fault);
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
    buffer_init(&text, STORE_VALUE_MAX);
    enum weir_err err = outbox_show(store, &one, keep_text, &text, &fault);
    if (text.err) fault_set(&fault, err, "cannot show finding: %s", weir_err_text(err));
    if (!err) err = tell(app, store, (struct slice){text.p, text.n}, &fault);
    buffer_fini(&text);
    return err ? app_fail(app, &fault) : APP_DONE;
}

static int explain(struct app *app, struct store *store, struct outbox *all, const char *digits)
{
    size_t matches = 0, at = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (strncmp(digits_of(all->entry[i].uid), digits, strlen(digits)) != 0) continue;
        matches++;
        at = i;
    }
    if (!matches) return unknown(app, all, digits);
    if (matches > 1) return ambiguous(app, all, digits, matches);
    return explain_entry(app, store, &all->entry[at]);
}

static int run_explain(struct app *app, int argc, char **argv)
{
    const char *digits = digits_of(argv[0]);
    struct fault fault = {WEIR_OK, ""};
    struct outbox all;
    int code = APP_DONE;
    (void)argc;
    if (!is_id(digits)) {
        app_complain(app, "'%.80s' is no id of a finding: it is wf1- and %d or more of its hexadecimal digits", argv[0], DIGITS_MIN);
        return APP_USAGE;
    }
    struct store *store = outbox_open(app, &code);
    if (!store) return code;
    code = outbox_fold(store, &all, &fault) ? app_fail(app, &fault) : explain(app, store, &all, digits);
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
