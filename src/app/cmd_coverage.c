/* SPDX-License-Identifier: Apache-2.0 */
/* `weir coverage [DAY...]`: what the logs of each day covered, and where weir was blind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/baseline_tool.h"
#include "app/coverage.h"
#include "app/outbox.h"
#include "app/pipeline.h"

#define TEXT_MAX ((size_t)1 << 28)
#define DAYS_BACK 3650 /* the walk ends after so many days, or a year without any */
#define QUIET_DAYS 366
enum { FORMAT_TABLE, FORMAT_JSON, FORMAT_NDJSON }; /* as output.format */

static unsigned long long ull(uint64_t n) { return n; }

static unsigned missing_hours(const struct coverage_day *d)
{
    unsigned n = 0;
    for (size_t i = 0; i < d->sources; i++)
        n += (unsigned)__builtin_popcount(d->source[i].missing);
    return n;
}

/* ---- table ---- */

static void put_head(struct buffer *out)
{
    buffer_printf(out, "%-10s %-6s %8s %9s %13s %6s %6s %8s %5s %6s %8s\n", "DAY", "STATE", "OBJECTS", "FLOW LOGS", "MISSING HOURS", "SILENT", "HOSTS", "LEARNING", "HOLES",
                  "RAISED", "BUDGET");
}

static void put_row(const struct coverage_day *d, struct buffer *out)
{
    char day[TIME_TEXT_MAX];
    day_text(d->day, day);
    buffer_printf(out, "%-10s %-6s %8llu %9zu", day, d->closed ? "closed" : "open", ull(d->objects), d->sources);
    if (d->closed)
        buffer_printf(out, " %13u %6llu %6llu %8llu %5llu %6llu %8.3f\n", missing_hours(d), ull(d->silent), ull(d->hosts), ull(d->learning), ull(d->host_gap_days),
                      ull(d->raised), d->budget);
    else
        buffer_printf(out, " %13s %6s %6s %8s %5s %6s %8s\n", "-", "-", "-", "-", "-", "-", "-");
}

static void put_text(struct buffer *out, const char *text) { escape_terminal(out, slice_of(*text ? text : "-")); }

static void put_hours(uint32_t hours, struct buffer *out)
{
    for (unsigned h = 0; h < 24; h++)
        if (hours >> h & 1)
            buffer_printf(out, " %02u", h);
}

static void put_sources(const struct coverage_day *d, struct buffer *out)
{
    for (size_t i = 0; i < d->sources; i++) {
        const struct coverage_source *s = &d->source[i];
        buffer_puts(out, "  flow log ");
        put_text(out, s->flow_log);
        buffer_puts(out, " of account ");
        put_text(out, s->account);
        buffer_printf(out, ": %llu object%s in %d hours", ull(s->objects), s->objects == 1 ? "" : "s", __builtin_popcount(coverage_hours(s)));
        if (s->missing) {
            buffer_puts(out, "; none in hours");
            put_hours(s->missing, out);
        }
        buffer_puts(out, "\n");
    }
}

static void put_silent(const struct coverage_day *d, struct buffer *out)
{
    for (size_t i = 0; i < d->silent_hosts; i++) {
        char ip[IP_TEXT_MAX];
        ip_format(d->silent_host[i].host, ip);
        buffer_puts(out, "  silent: ");
        put_text(out, d->silent_host[i].interface);
        buffer_printf(out, " (%s) of account ", ip);
        put_text(out, d->silent_host[i].account);
        buffer_puts(out, " had records on the day before and none on this\n");
    }
    if (d->silent > d->silent_hosts)
        buffer_printf(out, "  silent: %llu more\n", ull(d->silent - d->silent_hosts));
    if (!d->seen_all)
        buffer_printf(out, "  more than %d interfaces: which of them fell silent is not told\n", COVERAGE_INTERFACES_MAX);
}

static void put_blind(const struct coverage_day *d, struct buffer *out)
{
    for (unsigned w = 0; w < COVERAGE_WISHES; w++)
        if (d->lacking[w])
            buffer_printf(out, "  %llu of %llu objects lack %s: %s\n", ull(d->lacking[w]), ull(d->objects), decode_field_name(coverage_wish[w].field), coverage_wish[w].cost);
}

static void put_detail(const struct coverage_day *d, struct buffer *out)
{
    put_sources(d, out);
    put_silent(d, out);
    put_blind(d, out);
    if (!d->closed)
        return;
    if (d->host_gap_days)
        buffer_printf(out, "  %llu host%s with holes in the log: their sums are lower bounds, a low value of theirs was not learned\n", ull(d->host_gap_days),
                      d->host_gap_days == 1 ? "" : "s");
    if (d->learning)
        buffer_printf(out, "  %llu host%s with less than a week of history\n", ull(d->learning), d->learning == 1 ? "" : "s");
    buffer_printf(out, "  %llu raised by tests, %llu by rules only; %.3f false findings were borne\n", ull(d->raised), ull(d->raised_by_rules), d->budget);
}

/* ---- JSON ---- */

static void json_text(struct buffer *out, const char *key, const char *text)
{
    buffer_printf(out, "\"%s\":", key);
    escape_json(out, slice_of(text));
}

static void json_hours(struct buffer *out, const char *key, uint32_t hours)
{
    const char *comma = "";
    buffer_printf(out, ",\"%s\":[", key);
    for (unsigned h = 0; h < 24; h++)
        if (hours >> h & 1) {
            buffer_printf(out, "%s%u", comma, h);
            comma = ",";
        }
    buffer_puts(out, "]");
}

static void json_sources(const struct coverage_day *d, struct buffer *out)
{
    buffer_puts(out, ",\"flow_logs\":[");
    for (size_t i = 0; i < d->sources; i++) {
        const struct coverage_source *s = &d->source[i];
        buffer_puts(out, i ? ",{" : "{");
        json_text(out, "account", s->account);
        buffer_puts(out, ",");
        json_text(out, "flow_log", s->flow_log);
        buffer_printf(out, ",\"objects\":%llu", ull(s->objects));
        json_hours(out, "hours", coverage_hours(s));
        json_hours(out, "missing_hours", s->missing);
        buffer_puts(out, "}");
    }
    buffer_puts(out, "]");
}

static void json_silent(const struct coverage_day *d, struct buffer *out)
{
    buffer_printf(out, ",\"interfaces_seen\":%zu,\"silence_told\":%s,\"silent\":%llu,\"silent_interfaces\":[", d->seen.n, d->seen_all ? "true" : "false", ull(d->silent));
    for (size_t i = 0; i < d->silent_hosts; i++) {
        char ip[IP_TEXT_MAX];
        ip_format(d->silent_host[i].host, ip);
        buffer_puts(out, i ? ",{" : "{");
        json_text(out, "account", d->silent_host[i].account);
        buffer_puts(out, ",");
        json_text(out, "interface", d->silent_host[i].interface);
        buffer_printf(out, ",\"host\":\"%s\"}", ip);
    }
    buffer_puts(out, "]");
}

static void json_lacking(const struct coverage_day *d, struct buffer *out)
{
    const char *comma = "";
    buffer_puts(out, ",\"lacking\":{");
    for (unsigned w = 0; w < COVERAGE_WISHES; w++)
        if (d->lacking[w]) {
            buffer_printf(out, "%s\"%s\":%llu", comma, decode_field_name(coverage_wish[w].field), ull(d->lacking[w]));
            comma = ",";
        }
    buffer_puts(out, "}");
}

static void put_json(const struct coverage_day *d, struct buffer *out)
{
    char day[TIME_TEXT_MAX];
    day_text(d->day, day);
    buffer_printf(out, "{\"day\":\"%s\",\"closed\":%s,\"objects\":%llu,\"missing_hours\":%u", day, d->closed ? "true" : "false", ull(d->objects), missing_hours(d));
    json_sources(d, out);
    json_silent(d, out);
    json_lacking(d, out);
    buffer_printf(out, ",\"hosts\":%llu,\"learning\":%llu,\"hosts_with_gaps\":%llu,\"raised\":%llu,\"raised_by_rules\":%llu,\"budget\":%.6f}", ull(d->hosts),
                  ull(d->learning), ull(d->host_gap_days), ull(d->raised), ull(d->raised_by_rules), d->budget);
}

/* ---- the command ---- */

struct showing { struct store *store; unsigned format; bool detail; size_t shown; struct buffer *out; };

static enum weir_err show_day(struct showing *s, uint16_t day, struct fault *fault)
{
    struct coverage_day d;
    enum weir_err err = coverage_get(s->store, day, &d, fault);
    if (!err && s->format == FORMAT_TABLE) {
        if (!s->shown)
            put_head(s->out);
        put_row(&d, s->out);
        if (s->detail)
            put_detail(&d, s->out);
    } else if (!err) {
        buffer_puts(s->out, s->format == FORMAT_NDJSON ? "" : s->shown ? ",\n" : "[");
        put_json(&d, s->out);
        buffer_puts(s->out, s->format == FORMAT_NDJSON ? "\n" : "");
    }
    s->shown += !err;
    coverage_day_fini(&d);
    return err;
}

/* Oldest first; the walk back ends where a year has no record. */
static enum weir_err show_all(struct showing *s, struct fault *fault)
{
    struct run_state state;
    enum weir_err err = run_state_get(s->store, &state, fault);
    uint16_t last = (uint16_t)(state.watermark_s / DAY_S), first = last;
    run_state_free(&state);
    for (unsigned back = 0, quiet = 0; !err && back < DAYS_BACK && quiet < QUIET_DAYS && back <= last; back++) {
        char key[8];
        snprintf(key, sizeof key, "%04x", last - back);
        quiet = store_has(s->store, 'v', key) ? 0 : quiet + 1;
        first = quiet ? first : (uint16_t)(last - back);
    }
    for (uint32_t day = first; day <= last && !err; day++) {
        err = show_day(s, (uint16_t)day, fault);
        err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    return err;
}

static enum weir_err show_named(struct showing *s, int argc, char **argv, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (int i = 0; i < argc && !err; i++) {
        int64_t at_s;
        if (day_parse(slice_of(argv[i]), &at_s))
            return fault_set(fault, WEIR_USAGE, "'%.80s' is no day such as 2026-03-02", argv[i]);
        err = show_day(s, (uint16_t)(at_s / DAY_S), fault);
        if (err == WEIR_NOTFOUND)
            err = fault_set(fault, WEIR_USAGE, "nothing was counted of %s: no record of what it covers", argv[i]);
    }
    return err;
}

static int run_coverage(struct app *app, int argc, char **argv)
{
    struct fault fault = {WEIR_OK, ""};
    struct buffer text;
    int code = APP_DONE;
    if (app->config->format > FORMAT_NDJSON) {
        app_complain(app, "option '--format': 'coverage' knows table, json and ndjson");
        return APP_USAGE;
    }
    struct store *store = outbox_open(app, &code);
    if (!store)
        return code;
    buffer_init(&text, TEXT_MAX);
    struct showing s = {.store = store, .format = app->config->format, .detail = argc > 0, .out = &text};
    enum weir_err err = argc ? show_named(&s, argc, argv, &fault) : show_all(&s, &fault);
    if (!err && s.format == FORMAT_JSON)
        buffer_puts(&text, s.shown ? "]\n" : "[]\n");
    if (!err && s.format == FORMAT_TABLE && !s.shown)
        buffer_puts(&text, "no day was counted yet\n");
    if (!err && text.err)
        err = fault_set(&fault, text.err, "cannot show what the days cover: %s", weir_err_text(text.err));
    if (!err && fwrite(text.n ? text.p : "", 1, text.n, app->out) != text.n && errno != EPIPE)
        err = fault_set(&fault, WEIR_IO, "cannot write: %m");
    fault.err = err;
    buffer_fini(&text);
    store_close(store);
    return err ? app_fail(app, &fault) : APP_DONE;
}

const struct command command_coverage = {
    .name = "coverage",
    .summary = "tell what the logs of each day covered, and where they were silent",
    .operands = "[DAY...]",
    .help = "One line a day: objects, flow logs and the hours in which they delivered nothing, interfaces that fell silent,\n"
            "hosts judged, hosts still learning, hosts with holes in their log, findings raised and the false ones that were\n"
            "borne. With a DAY (such as 2026-03-02) also which flow log, hour, interface and column. What is only known once a\n"
            "day is closed stands as '-'.",
    .common = COMMON_STORE | COMMON_OUTPUT,
    .operands_max = SIZE_MAX,
    .run = run_coverage,
};
