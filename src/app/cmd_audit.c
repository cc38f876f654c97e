/* SPDX-License-Identifier: Apache-2.0 */
/* `weir audit`: who did what with findings, and whether the log still is as it was written. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/audit.h"
#include "weir/sink.h"

struct audit_options {
    const char *hash;
};

struct showing {
    struct app *app;
    struct slice wanted; /* hash that must be there */
    bool found, any;
    struct buffer line;
};

static void put(struct showing *s, struct slice text, const char *after)
{
    escape_terminal(&s->line, text);
    buffer_puts(&s->line, after);
}

static void put_csv(struct showing *s, const struct audit_entry *e)
{
    const struct slice cell[] = {e->time, e->user, e->what, e->subject, e->text, e->hash};
    buffer_printf(&s->line, "%" PRIu64, e->n);
    for (size_t i = 0; i < WEIR_COUNT(cell); i++) {
        buffer_puts(&s->line, ",");
        escape_csv(&s->line, cell[i]);
    }
    buffer_puts(&s->line, "\r\n");
}

static enum weir_err show(void *ctx, const struct audit_entry *e)
{
    struct showing *s = ctx;
    enum sink_format format = (enum sink_format)s->app->config->format;
    s->found |= slice_eq(e->hash, s->wanted);
    buffer_clear(&s->line);
    if (format == SINK_TABLE) {
        put(s, e->time, "  ");
        put(s, e->user, "  ");
        put(s, e->what, e->subject.n ? "  " : "");
        put(s, e->subject, e->text.n ? "  " : "");
        put(s, e->text, "\n");
    } else if (format == SINK_CSV) {
        put_csv(s, e);
    } else { /* a line is a JSON object as it stands in the log, and its hash is of these bytes */
        buffer_puts(&s->line, format == SINK_NDJSON ? "" : s->any ? ",\n" : "[\n");
        buffer_slice(&s->line, e->line);
        buffer_puts(&s->line, format == SINK_NDJSON ? "\n" : "");
    }
    s->any = true;
    fwrite(s->line.p, 1, s->line.n, s->app->out); /* a failure shows at the last flush */
    return s->line.err;
}

static int tell(struct app *app, uint64_t n, const struct sha256 *head, const struct showing *s)
{
    char hex[2 * SHA256_BYTES + 1];
    hex_encode(head->b, SHA256_BYTES, hex);
    fflush(app->out);
    if (n)
        fprintf(app->err, "%" PRIu64 " entr%s, the chain fits; last hash %s\n", n, n == 1 ? "y" : "ies", hex);
    if (!s->wanted.n || s->found)
        return APP_DONE;
    app_complain(app, "no entry has the hash %.*s: the log was cut off or made anew", (int)s->wanted.n, s->wanted.p);
    return APP_REJECTED;
}

static int run_audit(struct app *app, int argc, char **argv)
{
    const struct audit_options *o = app->options;
    struct showing s = {.app = app, .wanted = slice_of(o->hash ? o->hash : "")};
    struct fault fault = {WEIR_OK, ""};
    struct sha256 head = {{0}};
    uint64_t n = 0;
    (void)argc;
    (void)argv;
    if (o->hash && hex_decode(s.wanted, head.b, SHA256_BYTES)) {
        app_complain(app, "option '--hash': '%.80s' are not 64 hexadecimal digits", o->hash);
        return APP_USAGE;
    }
    if (app->config->format == SINK_OCSF) {
        app_complain(app, "option '--format': 'audit' knows table, json, ndjson and csv");
        return APP_USAGE;
    }
    buffer_init(&s.line, 1 << 20);
    if (app->config->format == SINK_CSV)
        fputs("\"n\",\"time\",\"user\",\"what\",\"subject\",\"text\",\"hash\"\r\n", app->out);
    enum weir_err err = audit_read(app, show, &s, &n, &head, &fault);
    buffer_fini(&s.line);
    if (app->config->format == SINK_JSON)
        fputs(s.any ? "\n]\n" : "[]\n", app->out);
    if (err == WEIR_NOTFOUND) {
        app_complain(app, "nothing was done yet that stands in an audit log");
        return s.wanted.n ? APP_REJECTED : APP_DONE;
    }
    if (err == WEIR_CORRUPT) {
        fflush(app->out);
        app_complain(app, "%s", fault.text);
        return APP_REJECTED;
    }
    return err ? app_fail(app, &fault) : tell(app, n, &head, &s);
}

static const struct option_row rows[] = {
    {"hash", "HEX", "the hash of an entry that must be there, as noted elsewhere before", OPTION_TEXT, offsetof(struct audit_options, hash)},
};

const struct command command_audit = {
    .name = "audit",
    .summary = "show who did what with findings, and check that log",
    .operands = "",
    .help = "Marks, forgotten baselines, reports, evidence, replays and looks at original records, oldest first. Each entry holds the\n"
            "hash of the one before: what was changed, taken out or put in is told, with exit code 4. A chain cannot tell that its\n"
            "end was cut off: note the last hash elsewhere, and give it with --hash.",
    .common = COMMON_STORE | COMMON_OUTPUT,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct audit_options),
    .run = run_audit,
};
