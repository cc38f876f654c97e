/* `weir findings`: the findings that the store holds, each in its present state, oldest first, filtered.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "app/outbox.h"
#include "app/shown.h"
#include "weir/app.h"
#include "weir/sink.h"

struct findings_options {
    const char *severity, *host, *peer, *since, *until;
};

struct filter {
    unsigned severity; /* at least; 0 = any */
    bool by_host, by_peer;
    struct ip host, peer;
    int64_t since_s, until_s;
    const char *also; /* a uid that passes whatever else is asked */
    struct sink *sink;
    struct shown as;
    struct fault fault;
    uint64_t shown;
    unsigned worst; /* severity of those shown that nothing hides */
};

/* ---- options to a filter; each says what is wrong with it ---- */
enum weir_err findings_severity(const char *word, const char *option, unsigned *out, struct fault *fault)
{
    const char *words[5];
    for (unsigned id = 1; word && id <= 5; id++) {
        words[id - 1] = finding_severity_word(id);
        if (strcasecmp(word, words[id - 1]) == 0) *out = id; /* the table shows it in capitals */
    }
    if (!word || *out) return WEIR_OK;
    const char *near = nearest_name(slice_of(word), words, WEIR_COUNT(words));
    return fault_set(fault, WEIR_USAGE, "option '--%s': '%.80s' is none of informational, low, medium, high, critical%s%s%s", option, word,
                     near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "");
}

static enum weir_err take_ip(const char *name, const char *text, bool *given, struct ip *out, struct fault *fault)
{
    *given = text != NULL;
    if (!text || ip_parse(slice_of(text), out) == WEIR_OK) return WEIR_OK;
    return fault_set(fault, WEIR_USAGE, "option '--%s': '%.80s' is no IPv4 or IPv6 address", name, text);
}

enum weir_err findings_time(const char *name, const char *text, int64_t *out, struct fault *fault)
{
    if (!text || time_parse(slice_of(text), out) == WEIR_OK || day_parse(slice_of(text), out) == WEIR_OK) return WEIR_OK;
    return fault_set(fault, WEIR_USAGE, "option '--%s': '%.80s' is no time such as 2026-03-02T09:10:00Z or 2026-03-02", name, text);
}

static enum weir_err filter_of(const struct findings_options *o, struct filter *f, struct fault *fault)
{
    *f = (struct filter){.since_s = INT64_MIN, .until_s = INT64_MAX};
    enum weir_err err = findings_severity(o->severity, "severity", &f->severity, fault);
    if (!err) err = take_ip("host", o->host, &f->by_host, &f->host, fault);
    if (!err) err = take_ip("peer", o->peer, &f->by_peer, &f->peer, fault);
    if (!err) err = findings_time("since", o->since, &f->since_s, fault);
    if (!err) err = findings_time("until", o->until, &f->until_s, fault);
    if (!err && f->since_s >= f->until_s) err = fault_set(fault, WEIR_USAGE, "option '--until': not after '--since'");
    return err;
}

/* ---- a finding against the filter ---- */
static bool is_address(const json_t *in, const char *key, struct ip wanted)
{
    const json_t *v = json_object_get(in, key);
    struct ip ip;
    if (!json_is_string(v)) return false;
    return ip_parse((struct slice){json_string_value(v), json_string_length(v)}, &ip) == WEIR_OK && ip_eq(ip, wanted);
}

static bool has_peer(const json_t *finding, struct ip wanted)
{
    const json_t *evidences = json_object_get(finding, "evidences");
    for (size_t i = 0; i < json_array_size(evidences); i++)
        if (is_address(json_object_get(json_array_get(evidences, i), "dst_endpoint"), "ip", wanted)) return true;
    return false;
}

static bool passes(const struct filter *f, const json_t *finding)
{
    const char *uid = json_string_value(json_object_get(json_object_get(finding, "finding_info"), "uid"));
    if (f->also && uid && strcmp(uid, f->also) == 0) return true;
    int64_t start_s = json_integer_value(json_object_get(finding, "start_time")) / 1000;
    int64_t end_s = json_integer_value(json_object_get(finding, "end_time")) / 1000;
    if (json_integer_value(json_object_get(finding, "severity_id")) < f->severity) return false;
    if (end_s < f->since_s || start_s >= f->until_s) return false;
    if (f->by_host && !is_address(json_array_get(json_object_get(finding, "resources"), 0), "ip", f->host)) return false;
    return !f->by_peer || has_peer(finding, f->peer);
}

static enum weir_err show_one(void *ctx, struct slice json)
{
    struct filter *f = ctx;
    json_t *finding = json_loadb(json.p, json.n, JSON_ALLOW_NUL, NULL);
    bool wanted = !finding || passes(f, finding); /* what is damaged is not passed over: the sink says so */
    unsigned severity = (unsigned)json_integer_value(json_object_get(finding, "severity_id"));
    json_decref(finding);
    if (!wanted) return WEIR_OK;
    enum suppress_verdict verdict;
    struct slice text = shown_of(&f->as, json, &verdict);
    f->shown++;
    if (verdict != SUPPRESS_HIDDEN) f->worst = severity > f->worst ? severity : f->worst;
    return sink_add(f->sink, text, &f->fault);
}

static enum weir_err show_all(struct app *app, struct store *store, struct filter *f, struct fault *fault)
{
    struct outbox all;
    const struct config *c = app->config;
    struct sink_style style = {app->colour, app->width, app->pretty, c->origin[PARAM_store].from == FROM_DEFAULT ? NULL : c->store};
    f->sink = sink_new(app->out, (enum sink_format)c->format, style);
    if (!f->sink) return fault_set(fault, WEIR_NOMEM, "cannot show findings: out of memory");
    enum weir_err err = outbox_fold(store, &all, fault), begun = shown_begin(&f->as, c, store, err ? NULL : fault);
    err = err ? err : begun;
    if (!err) err = outbox_show(store, &all, show_one, f, fault);
    if (err && f->fault.err) *fault = f->fault;
    shown_end(&f->as);
    outbox_fini(&all);
    enum weir_err end = sink_close(f->sink, err ? NULL : fault);
    return err ? err : end;
}

enum weir_err findings_show_between(struct app *app, struct store *s, int64_t since_s, int64_t until_s, const struct ip *host, const char *also,
                                    unsigned severity, uint64_t *shown, bool *failing, struct fault *fault)
{
    struct filter f = {.since_s = since_s, .until_s = until_s, .by_host = host != NULL, .also = also};
    if (host) f.host = *host;
    enum weir_err err = show_all(app, s, &f, fault);
    *shown = f.shown;
    *failing = severity && f.worst >= severity;
    return err;
}

static int run_findings(struct app *app, int argc, char **argv)
{
    struct fault fault = {WEIR_OK, ""};
    struct filter f;
    int code = APP_DONE;
    (void)argc;
    (void)argv;
    if (filter_of(app->options, &f, &fault)) return app_fail(app, &fault);
    struct store *store = outbox_open(app, &code);
    if (!store) return code;
    if (show_all(app, store, &f, &fault)) code = app_fail(app, &fault);
    store_close(store);
    return code;
}

static const struct option_row rows[] = {
    {"severity", "WORD", "only findings of this severity or above", OPTION_TEXT, offsetof(struct findings_options, severity)},
    {"host", "IP", "only findings about this host", OPTION_TEXT, offsetof(struct findings_options, host)},
    {"peer", "IP", "only findings that list this peer", OPTION_TEXT, offsetof(struct findings_options, peer)},
    {"since", "TIME", "only what ended at that time or later", OPTION_TEXT, offsetof(struct findings_options, since)},
    {"until", "TIME", "only what began before that time", OPTION_TEXT, offsetof(struct findings_options, until)},
};

const struct command command_findings = {
    .name = "findings",
    .summary = "list the findings that the store holds",
    .operands = "",
    .help = "Each finding in its present state, oldest first.\n"
            "TIME is UTC: 2026-03-02T09:10:00Z, or a day: 2026-03-02.",
    .common = COMMON_STORE | COMMON_OUTPUT,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct findings_options),
    .run = run_findings,
};
