/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check.c - weir check: is what is configured usable, and what would make findings better. Changes nothing. */
#include "app/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/delivery.h"
#include "app/open_store.h"
#include "app/pipeline.h"
#include "app/terminal.h"
#include "weir/store.h"

#define TEXT_MAX (1u << 20)
enum { FORMAT_TABLE, FORMAT_JSON }; /* as output.format */

void check_add(struct check *c, const char *subject, enum check_state state, const char *cost, const char *format, ...)
{
    if (c->n == CHECK_ROWS_MAX)
        return;
    struct check_row *row = &c->row[c->n++];
    va_list arguments;
    row->subject = subject;
    row->state = state;
    row->cost = cost;
    va_start(arguments, format);
    vsnprintf(row->found, sizeof row->found, format, arguments);
    va_end(arguments);
}

void check_code(struct check *c, int code)
{
    static const int by_weight[] = {APP_DONE, APP_REJECTED, APP_UNAVAILABLE, APP_FAILED, APP_USAGE};
    for (size_t i = WEIR_COUNT(by_weight); i > 0; i--)
        if (code == by_weight[i - 1] || c->code == by_weight[i - 1]) {
            c->code = by_weight[i - 1];
            return;
        }
}

/* Of a server: what would lose or tear state. */
static void add_survey(void *ctx, const char *subject, bool fine, const char *found, const char *fix)
{
    static const char *const names[][2] = {{"version", "store version"}, {"role", "store role"}, {"maxmemory-policy", "store eviction"},
                                           {"appendonly", "store durability"}, {"mode", "store mode"}};
    struct check *c = ctx;
    for (size_t i = 0; i < WEIR_COUNT(names); i++)
        if (strcmp(names[i][0], subject) == 0)
            check_add(c, names[i][1], fine ? CHECK_FINE : CHECK_BAD, fine ? "" : "no run can begin", "%s is %s%s%s", subject, found, fine ? "" : ": ", fix);
    if (!fine)
        check_code(c, APP_USAGE);
}

static void check_store(struct check *c)
{
    const char *url = *c->app->config->store ? c->app->config->store : c->app->config->default_store;
    struct fault fault = {WEIR_OK, ""};
    struct store *store = NULL;
    (void)!survey_store(c->app, add_survey, c, NULL);
    enum weir_err err = open_store(c->app, STORE_READ_ONLY, &store, &fault);
    if (err == WEIR_NOTFOUND) {
        check_add(c, "store", CHECK_FINE, "", "none yet, the first run makes it: %.400s", url);
    } else if (err) {
        check_add(c, "store", CHECK_BAD, "no run can begin", "%s", fault.text);
        check_code(c, (int)app_exit_of(err));
    } else {
        unsigned long long commits = store_position(store).seq;
        c->learned = commits && grouping_get(store, &c->grouping, NULL) == WEIR_OK;
        check_add(c, "store", CHECK_FINE, "", "%s, %llu commit%s: %.400s", store_backend(store), commits, commits == 1 ? "" : "s", url);
    }
    store_close(store);
}

static void add_sink(void *ctx, const struct config_sink *sink, const char *wrong)
{
    struct check *c = ctx;
    const char *place = sink->url ? sink->url : sink->path ? sink->path : "standard output";
    if (wrong)
        check_add(c, "sinks", CHECK_BAD, "no run can begin", "%s", wrong);
    else
        check_add(c, "sinks", CHECK_FINE, "", "%s, a %s: %.400s; nobody was called", sink->entry.name, sink->type, place);
    if (wrong)
        check_code(c, APP_USAGE);
}

static const char *state_word(enum check_state state)
{
    static const char *const words[] = {"fine", "missing", "old", "poor", "bad"};
    return words[state];
}

static void put_table(const struct check *c, struct buffer *out)
{
    static const char *const colours[] = {"", "\033[33m", "\033[33m", "\033[33m", "\033[1;31m"};
    for (size_t i = 0; i < c->n; i++) {
        const struct check_row *row = &c->row[i];
        bool colour = c->app->colour && row->state != CHECK_FINE;
        buffer_printf(out, "%s%-8s%s  %-20s  ", colour ? colours[row->state] : "", state_word(row->state), colour ? "\033[0m" : "", row->subject);
        escape_terminal(out, slice_of(row->found));
        buffer_puts(out, "\n");
        if (*row->cost)
            buffer_printf(out, "%-8s  %-20s  so: %s\n", "", "", row->cost);
    }
}

static void put_json(const struct check *c, struct buffer *out)
{
    buffer_puts(out, "[\n");
    for (size_t i = 0; i < c->n; i++) {
        const struct check_row *row = &c->row[i];
        buffer_printf(out, "{\"subject\":\"%s\",\"state\":\"%s\",\"found\":", row->subject, state_word(row->state));
        escape_json(out, slice_of(row->found));
        buffer_puts(out, ",\"cost\":");
        escape_json(out, slice_of(row->cost));
        buffer_puts(out, i + 1 < c->n ? "},\n" : "}\n");
    }
    buffer_puts(out, "]\n");
}

static int show(struct check *c)
{
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    if (c->app->config->format == FORMAT_JSON)
        put_json(c, &text);
    else
        put_table(c, &text);
    bool ok = !text.err && (fputs(buffer_cstr(&text), c->app->out) != EOF || errno == EPIPE);
    buffer_fini(&text);
    return ok ? c->code : APP_FAILED;
}

static int run_check(struct app *app, int argc, char **argv)
{
    struct check c = {.app = app, .now_s = (int64_t)time(NULL)};
    if (app->config->format > FORMAT_JSON) {
        app_complain(app, "option '--format': 'check' knows table and json");
        return APP_USAGE;
    }
    check_store(&c);
    delivery_survey(app, add_sink, &c);
    check_data(&c);
    if (argc)
        check_logs(&c, argc, argv);
    return show(&c);
}

const struct command command_check = {
    .name = "check",
    .summary = "say what is configured, what is missing and what that costs",
    .operands = "[PATH...]",
    .help = "Reads what the configuration names as a run would, and changes nothing. With PATHs, the heads of a sample of these\n"
            "logs too: which columns they lack. Exit code: 0 usable, 2 something configured is not, 4 logs that cannot be read,\n"
            "75 store unavailable.",
    .common = COMMON_STORE | COMMON_OUTPUT | COMMON_INPUT | COMMON_GEO,
    .operands_max = SIZE_MAX,
    .run = run_check,
};
