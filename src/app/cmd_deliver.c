/* SPDX-License-Identifier: Apache-2.0 */
/* `weir deliver`: hand the findings that wait to the configured sinks; `--status` tells how far each has got, also while a service has
 * the store. */
#include <stdlib.h>
#include <string.h>

#include "app/delivery_private.h"
#include "app/outbox.h"

#define PAGE 1000
enum { FORMAT_TABLE, FORMAT_JSON, FORMAT_NDJSON }; /* as output.format */

struct deliver_options {
    bool status;
    const char *enable;
};

/* ---- status ---- */
struct count {
    struct cursors cursors;
    uint64_t pending[CURSORS_MAX], last;
    size_t page;
};

static enum weir_err count_one(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct count *c = ctx;
    (void)uid, (void)json;
    c->last = seq;
    c->page++;
    for (size_t i = 0; i < c->cursors.n; i++) c->pending[i] += seq > c->cursors.entry[i].seq;
    return WEIR_OK;
}

static bool keep_all(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return true;
}

static enum weir_err count_pending(struct app *app, struct store *store, struct count *c, struct fault *fault)
{
    const struct entry_list *sinks = &app->config->sinks;
    enum weir_err err = cursors_get(store, &c->cursors, fault);
    for (size_t i = 0; i < sinks->n && !err; i++) (void)cursors_of(&c->cursors, sinks->item[i]->name, keep_all, NULL);
    c->page = PAGE;
    while (!err && c->page == PAGE) {
        c->page = 0;
        err = store_outbox(store, c->last, PAGE, count_one, c, fault);
    }
    return err;
}

static void put_sink(struct app *app, struct count *c, const struct config_sink *s)
{
    const struct cursor_entry *e = cursors_of(&c->cursors, s->entry.name, keep_all, NULL);
    unsigned long long pending = c->pending[e - c->cursors.entry], seq = e->seq;
    const char *state = e->disabled ? "disabled" : pending ? "waiting" : "fine";
    if (app->config->format == FORMAT_TABLE)
        fprintf(app->out, "%-20s %-8s %-9s %8llu %8llu\n", s->entry.name, s->type, state, seq, pending);
    else /* names and types are plain words */
        fprintf(app->out, "{\"sink\":\"%s\",\"type\":\"%s\",\"state\":\"%s\",\"delivered_through\":%llu,\"pending\":%llu}", s->entry.name, s->type, state, seq, pending);
}

static int show_status(struct app *app)
{
    const struct entry_list *sinks = &app->config->sinks;
    struct fault fault = {WEIR_OK, ""};
    struct count *count = calloc(1, sizeof *count);
    int code = APP_DONE;
    if (app->config->format > FORMAT_NDJSON) {
        app_complain(app, "option '--format': 'deliver --status' knows table, json and ndjson");
        free(count);
        return APP_USAGE;
    }
    struct store *store = count ? outbox_open(app, &code) : NULL;
    if (store && count_pending(app, store, count, &fault)) code = app_fail(app, &fault);
    if (store && !code && app->config->format == FORMAT_TABLE) fprintf(app->out, "%-20s %-8s %-9s %8s %8s\n", "SINK", "TYPE", "STATE", "THROUGH", "PENDING");
    for (size_t i = 0; store && i < sinks->n && !code; i++) {
        if (app->config->format == FORMAT_JSON) fputs(i ? ",\n" : "[\n", app->out);
        put_sink(app, count, (const struct config_sink *)sinks->item[i]);
        if (app->config->format == FORMAT_NDJSON) fputs("\n", app->out);
    }
    if (store && !code && app->config->format == FORMAT_JSON) fputs("\n]\n", app->out);
    store_close(store);
    free(count);
    return code;
}

/* ---- deliver ---- */
static int deliver(struct app *app, const char *enable)
{
    struct fault fault = {WEIR_OK, ""};
    struct delivery *d = NULL;
    int code = APP_DONE;
    struct store *store = outbox_open_to_write(app, &code);
    if (!store) return code;
    if (delivery_open(app, store, false, &d, &fault)) {
        code = app_fail(app, &fault);
    } else if (enable && !delivery_enable(d, enable)) {
        app_complain(app, "no sink '%.80s' is configured", enable);
        code = APP_USAGE;
    } else {
        code = delivery_finish(app, d, store, code);
    }
    delivery_close(d, store);
    store_close(store);
    return code;
}

static int run_deliver(struct app *app, int argc, char **argv)
{
    const struct deliver_options *o = app->options;
    (void)argc;
    (void)argv;
    if (!app->config->sinks.n) {
        app_complain(app, "no sinks are configured: name some in the configuration, as 'sinks: [{name: archive, type: file, path: /PATH}]'");
        return APP_USAGE;
    }
    if (o->status && o->enable) {
        app_complain(app, "options '--status' and '--enable' exclude each other");
        return APP_USAGE;
    }
    return o->status ? show_status(app) : deliver(app, o->enable);
}

static const struct option_row rows[] = {
    {"status", NULL, "only tell what each sink has got and what waits", OPTION_FLAG, offsetof(struct deliver_options, status)},
    {"enable", "NAME", "try a sink again whose receiver wanted no more", OPTION_TEXT, offsetof(struct deliver_options, enable)},
};

const struct command command_deliver = {
    .name = "deliver",
    .summary = "hand the findings that wait to the configured sinks",
    .operands = "",
    .help = "Each sink gets every state of every finding once or more, in order, from where it has got to; 'weir batch' does\n"
            "the same at its end. Exit code: 0 all is delivered, 75 some sink cannot be reached: what it did not get waits.",
    .common = COMMON_STORE | COMMON_OUTPUT | COMMON_RUN,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct deliver_options),
    .run = run_deliver,
};
