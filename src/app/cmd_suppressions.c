/* SPDX-License-Identifier: Apache-2.0 */
/* `weir suppressions`: what is approved, by whom, until when, and what it hides now. Counted anew each time from the findings in
 * the store, so the numbers cannot drift from what is hidden. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/outbox.h"
#include "app/suppress.h"

struct tally_one {
    uint64_t hidden, outgrown, bytes, largest;
    char last_day[11];
};
enum { FORMAT_TABLE, FORMAT_JSON, FORMAT_NDJSON }; /* as output.format */

struct counting {
    struct suppressions *list;
    struct tally_one *of; /* one for each suppression */
};

static enum weir_err count_one(void *ctx, struct slice json)
{
    struct counting *c = ctx;
    struct suppress_answer a = suppressions_ask(c->list, json);
    if (!a.by) return WEIR_OK;
    struct tally_one *t = &c->of[a.index];
    t->outgrown += a.verdict == SUPPRESS_OUTGROWN;
    if (a.verdict != SUPPRESS_HIDDEN) return WEIR_OK;
    t->hidden++;
    t->bytes = sat_add(t->bytes, a.bytes);
    t->largest = a.largest > t->largest ? a.largest : t->largest;
    if (strcmp(a.last_day, t->last_day) > 0) memcpy(t->last_day, a.last_day, sizeof t->last_day);
    return WEIR_OK;
}

static enum weir_err count_all(struct store *s, struct counting *c, struct fault *fault)
{
    struct outbox all;
    enum weir_err err = outbox_fold(s, &all, fault);
    if (!err) err = outbox_show(s, &all, count_one, c, fault);
    outbox_fini(&all);
    return err;
}

/* ---- showing ---- */
static void put_json(struct app *app, const struct config_suppression *s, const struct tally_one *t, bool expired)
{
    struct buffer b;
    buffer_init(&b, 65536);
    buffer_printf(&b, "{\"suppression\":\"%s\",\"owner\":", s->entry.name);
    escape_json(&b, slice_of(s->owner));
    buffer_puts(&b, ",\"reason\":");
    escape_json(&b, slice_of(s->reason));
    buffer_printf(&b, ",\"expires\":\"%s\",\"expired\":%s,\"up_to\":%llu,\"hidden\":%llu,\"hidden_bytes\":%llu,\"largest_day\":%llu,\"last_day\":\"%s\",\"outgrown\":%llu}",
                  s->expires, expired ? "true" : "false", (unsigned long long)s->up_to, (unsigned long long)t->hidden, (unsigned long long)t->bytes,
                  (unsigned long long)t->largest, t->last_day, (unsigned long long)t->outgrown);
    fputs(buffer_cstr(&b), app->out);
    buffer_fini(&b);
}

static void put_text(struct app *app, const struct config_suppression *s, const struct tally_one *t, bool expired)
{
    char bytes[FINDING_BYTES_TEXT_MAX], largest[FINDING_BYTES_TEXT_MAX], approved[FINDING_BYTES_TEXT_MAX];
    struct buffer b;
    finding_bytes(t->bytes, bytes);
    finding_bytes(t->largest, largest);
    finding_bytes(s->up_to, approved);
    buffer_init(&b, 65536);
    buffer_printf(&b, "%s: %s %s, up to %s a day\n  owner    ", s->entry.name, expired ? "EXPIRED on" : "until", s->expires, approved);
    escape_terminal(&b, slice_of(s->owner));
    buffer_puts(&b, "\n  reason   ");
    escape_terminal(&b, slice_of(s->reason));
    if (t->hidden)
        buffer_printf(&b, "\n  hides    %llu finding%s with %s, at most %s in a day, the last on %s\n", (unsigned long long)t->hidden, t->hidden == 1 ? "" : "s", bytes, largest, t->last_day);
    else
        buffer_puts(&b, "\n  hides    nothing\n");
    if (t->outgrown) buffer_printf(&b, "  OUTGROWN by %llu finding%s, not hidden\n", (unsigned long long)t->outgrown, t->outgrown == 1 ? "" : "s");
    fputs(buffer_cstr(&b), app->out);
    buffer_fini(&b);
}

static void show(struct app *app, const struct counting *c)
{
    const struct entry_list *list = &app->config->suppressions;
    char today[TIME_TEXT_MAX];
    time_format((int64_t)time(NULL), today);
    today[10] = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct config_suppression *s = (const struct config_suppression *)list->item[i];
        bool expired = strcmp(s->expires, today) < 0;
        if (app->config->format == FORMAT_TABLE) put_text(app, s, &c->of[i], expired);
        else {
            if (app->config->format == FORMAT_JSON) fputs(i ? ",\n" : "[\n", app->out);
            put_json(app, s, &c->of[i], expired);
            if (app->config->format == FORMAT_NDJSON) fputs("\n", app->out);
        }
    }
    if (app->config->format == FORMAT_JSON) fputs("\n]\n", app->out);
}

static int run_suppressions(struct app *app, int argc, char **argv)
{
    const struct entry_list *list = &app->config->suppressions;
    struct fault fault = {WEIR_OK, ""};
    int code = APP_DONE;
    (void)argc;
    (void)argv;
    if (app->config->format > FORMAT_NDJSON) {
        app_complain(app, "option '--format': 'suppressions' knows table, json and ndjson");
        return APP_USAGE;
    }
    if (!list->n) {
        if (app->config->format != FORMAT_NDJSON) fputs(app->config->format == FORMAT_JSON ? "[]\n" : "no suppressions\n", app->out);
        return APP_DONE;
    }
    struct counting c = {suppressions_new(app->config), calloc(list->n, sizeof *c.of)};
    struct store *store = outbox_open(app, &code);
    enum weir_err err = !c.list || !c.of ? fault_set(&fault, WEIR_NOMEM, "out of memory") : store ? count_all(store, &c, &fault) : WEIR_OK;
    if (err) code = app_fail(app, &fault);
    else if (store) show(app, &c);
    store_close(store);
    free(c.of);
    suppressions_free(c.list);
    return code;
}

const struct command command_suppressions = {
    .name = "suppressions",
    .summary = "tell what is approved, by whom, and what that hides now",
    .operands = "",
    .help = "Suppressions stand in the configuration: what each covers, its owner, reason, end, and how much was approved. A finding\n"
            "that is hidden is not sent out; it stays in the store and is shown with the suppression. What is more is not hidden.",
    .common = COMMON_STORE | COMMON_OUTPUT,
    .run = run_suppressions,
};
