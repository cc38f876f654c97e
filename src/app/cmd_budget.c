/* SPDX-License-Identifier: Apache-2.0 */
/* `weir budget`: how many false findings are borne, how many were raised, how many of them turned out to be benign. */
#include <errno.h>
#include <string.h>

#include "app/budget_tool.h"
#include "app/outbox.h"

#define TEXT_MAX ((size_t)1 << 26)
#define THOUSAND 1000.0
enum { FORMAT_TABLE, FORMAT_JSON }; /* as output.format */

struct view { /* numbers that both forms tell */
    const struct budget_report *r;
    double rate;     /* the budget, per host-day */
    double hosts;    /* on a day, on average */
    double expected; /* false findings in these days, if the budget were used up */
    uint64_t unmarked;
};

static struct view view_of(const struct config *c, const struct budget_report *r)
{
    double hosts = r->days ? (double)r->host_days / r->days : 0;
    struct view v = {.r = r, .hosts = hosts, .rate = budget_per_host_day(c->budget, (uint64_t)(hosts + 0.5))};
    v.expected = v.rate * (double)r->host_days;
    v.unmarked = r->found.recent - r->found.benign - r->found.confirmed;
    return v;
}

/* Per 1,000 host-days. */
static double per_thousand(double n, uint64_t host_days) { return host_days ? n * THOUSAND / (double)host_days : 0; }

/* ---- table ---- */

static void put_budget(const struct config *c, struct buffer *out)
{
    const struct budget *b = &c->budget;
    if (b->per)
        buffer_printf(out, "%u in %u host-days", b->findings, b->per);
    else
        buffer_printf(out, "%u a week", b->findings);
    if (b->weekly)
        buffer_printf(out, ", or %u a week if that is more", b->weekly);
}

static void put_head(const struct config *c, const struct view *v, struct buffer *out)
{
    const struct budget_report *r = v->r;
    unsigned long long hosts = (unsigned long long)(v->hosts + 0.5); /* as for the rate */
    double low, high;
    char day[TIME_TEXT_MAX] = "";
    time_format((int64_t)r->last_day * DAY_S, day);
    buffer_puts(out, "set       ");
    put_budget(c, out);
    buffer_printf(out, ": %.2f in 1,000 host-days, with %llu host%s a day\n", v->rate * THOUSAND, hosts, hosts == 1 ? "" : "s");
    if (r->days)
        buffer_printf(out, "judged    %llu host-day%s in %u day%s up to %.10s\n", (unsigned long long)r->host_days, r->host_days == 1 ? "" : "s", r->days, r->days == 1 ? "" : "s", day);
    else
        buffer_puts(out, "judged    no day is closed yet\n");
    buffer_printf(out, "expected  %.2f false findings at most in these days\n", v->expected);
    buffer_printf(out, "used      %llu raised in these days, %llu on days still open, %llu ever; by rules %llu, %llu and %llu, which own no budget\n", (unsigned long long)r->found.recent,
                  (unsigned long long)r->found.open, (unsigned long long)r->found.ever, (unsigned long long)r->rules.recent, (unsigned long long)r->rules.open,
                  (unsigned long long)r->rules.ever);
    buffer_printf(out, "marked    %llu benign, %llu true, %llu not marked\n", (unsigned long long)r->found.benign, (unsigned long long)r->found.confirmed,
                  (unsigned long long)v->unmarked);
    if (!r->host_days)
        return;
    poisson_interval(r->found.benign, &low, &high);
    buffer_printf(out, "measured  %.2f false findings in 1,000 host-days (between %.2f and %.2f in 95 of 100 cases)", per_thousand((double)r->found.benign, r->host_days),
                  per_thousand(low, r->host_days), per_thousand(high, r->host_days));
    if (v->unmarked) {
        poisson_interval(r->found.benign + v->unmarked, &low, &high);
        buffer_printf(out, "; at most %.2f (up to %.2f), were all that are not marked benign",
                      per_thousand((double)(r->found.benign + v->unmarked), r->host_days), per_thousand(high, r->host_days));
    }
    buffer_puts(out, "\n");
}

/* host_days 0: a rate says nothing. */
static void put_counts(const struct budget_counts *c, uint64_t host_days, struct buffer *out)
{
    double low, high;
    poisson_interval(c->benign, &low, &high);
    buffer_printf(out, " %7llu %7llu %7llu %7llu", (unsigned long long)c->recent, (unsigned long long)c->ever, (unsigned long long)c->benign,
                  (unsigned long long)c->confirmed);
    if (host_days)
        buffer_printf(out, "  %.2f (%.2f to %.2f)", per_thousand((double)c->benign, host_days), per_thousand(low, host_days), per_thousand(high, host_days));
    buffer_puts(out, "\n");
}

static void put_tests(const struct view *v, struct buffer *out)
{
    buffer_printf(out, "\n%-18s %6s %9s %7s %7s %7s %7s  %s\n", "TEST", "SHARE", "EXPECTED", "RAISED", "EVER", "BENIGN", "TRUE", "MEASURED PER 1,000 HOST-DAYS");
    for (unsigned t = 0; t < SCORE_TEST_COUNT; t++) {
        bool rule = score_test_is_rule((enum score_test)t);
        double share = rule ? 0 : score_test_share(&score_model_default, (enum score_test)t);
        if (rule)
            buffer_printf(out, "%-18s %6s %9s", score_test_word((enum score_test)t), "rule", "-");
        else
            buffer_printf(out, "%-18s %6.3f %9.2f", score_test_word((enum score_test)t), share, share * v->expected);
        put_counts(&v->r->test[t], rule ? 0 : v->r->host_days, out);
    }
}

static void put_classes(const struct view *v, struct buffer *out)
{
    if (!v->r->classes)
        return;
    buffer_printf(out, "\n%-24s %9s %9s %7s %7s %7s %7s  %s\n", "CLASS", "HOST-DAYS", "EXPECTED", "RAISED", "EVER", "BENIGN", "TRUE", "MEASURED PER 1,000 HOST-DAYS");
    for (size_t i = 0; i < v->r->classes; i++) {
        const struct budget_class *c = &v->r->class[i];
        struct buffer name;
        buffer_init(&name, 1024);
        escape_terminal(&name, slice_of(c->name));
        buffer_printf(out, "%-24s %9llu %9.2f", buffer_cstr(&name), (unsigned long long)c->host_days, v->rate * (double)c->host_days);
        put_counts(&c->found, c->host_days, out);
        buffer_fini(&name);
    }
    buffer_printf(out, "host-days of a class are those of hosts with %d learned days or more\n", BASELINE_YOUNG_DAYS);
}

static void put_table(const struct config *c, const struct view *v, struct buffer *out)
{
    put_head(c, v, out);
    put_tests(v, out);
    put_classes(v, out);
}

/* ---- JSON ---- */

static void json_counts(const struct budget_counts *c, uint64_t host_days, struct buffer *out)
{
    double low, high;
    poisson_interval(c->benign, &low, &high);
    buffer_printf(out, "\"raised\":%llu,\"raised_ever\":%llu,\"benign\":%llu,\"true\":%llu,\"raised_open\":%llu,\"measured\":%.6f,\"measured_low\":%.6f,\"measured_high\":%.6f",
                  (unsigned long long)c->recent, (unsigned long long)c->ever, (unsigned long long)c->benign, (unsigned long long)c->confirmed, (unsigned long long)c->open,
                  per_thousand((double)c->benign, host_days), per_thousand(low, host_days), per_thousand(high, host_days));
}

static void put_json(const struct view *v, struct buffer *out)
{
    const struct budget_report *r = v->r;
    buffer_printf(out, "{\"unit\":\"per 1,000 host-days\",\"budget\":%.6f,\"host_days\":%llu,\"days\":%u,\"expected\":%.6f,\"unmarked\":%llu,", v->rate * THOUSAND,
                  (unsigned long long)r->host_days, r->days, v->expected, (unsigned long long)v->unmarked);
    json_counts(&r->found, r->host_days, out);
    buffer_puts(out, ",\"tests\":[");
    for (unsigned t = 0; t < SCORE_TEST_COUNT; t++) {
        bool rule = score_test_is_rule((enum score_test)t);
        double share = rule ? 0 : score_test_share(&score_model_default, (enum score_test)t);
        buffer_printf(out, "%s{\"test\":\"%s\",\"rule\":%s,\"share\":%.6f,\"expected\":%.6f,", t ? "," : "", score_test_word((enum score_test)t),
                      rule ? "true" : "false", share, share * v->expected);
        json_counts(&r->test[t], r->host_days, out);
        buffer_puts(out, "}");
    }
    buffer_puts(out, "],\"classes\":[");
    for (size_t i = 0; i < r->classes; i++) {
        buffer_puts(out, i ? ",{\"class\":" : "{\"class\":");
        escape_json(out, slice_of(r->class[i].name));
        buffer_printf(out, ",\"host_days\":%llu,\"expected\":%.6f,", (unsigned long long)r->class[i].host_days, v->rate * (double)r->class[i].host_days);
        json_counts(&r->class[i].found, r->class[i].host_days, out);
        buffer_puts(out, "}");
    }
    buffer_puts(out, "]}\n");
}

/* ---- the command ---- */

static int show(struct app *app, const struct budget_report *r)
{
    struct view v = view_of(app->config, r);
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    if (app->config->format == FORMAT_JSON)
        put_json(&v, &text);
    else
        put_table(app->config, &v, &text);
    bool ok = !text.err && (fwrite(text.n ? text.p : "", 1, text.n, app->out) == text.n || errno == EPIPE);
    if (!ok)
        app_complain(app, "cannot show the budget: %s", text.err ? weir_err_text(text.err) : strerror(errno));
    buffer_fini(&text);
    return ok ? APP_DONE : APP_FAILED;
}

static int run_budget(struct app *app, int argc, char **argv)
{
    struct fault fault = {WEIR_OK, ""};
    struct budget_report r;
    int code = APP_DONE;
    (void)argc;
    (void)argv;
    if (app->config->format > FORMAT_JSON) {
        app_complain(app, "option '--format': 'budget' knows table and json");
        return APP_USAGE;
    }
    struct store *store = outbox_open(app, &code);
    if (!store)
        return code;
    enum weir_err err = budget_count(store, &r, &fault);
    if (err && !fault.text[0])
        fault_set(&fault, err, "cannot count: %s", weir_err_text(err));
    fault.err = err;
    code = err ? app_fail(app, &fault) : show(app, &r);
    budget_report_fini(&r);
    store_close(store);
    return code;
}

const struct command command_budget = {
    .name = "budget",
    .summary = "compare the false findings that are borne with those that were raised and marked",
    .operands = "",
    .help = "Set: what the configuration bears. Judged, expected, used: host-days of the last 28 learned days, the false findings\n"
            "that they allow, the findings raised in them and in days still open. Measured: what was marked benign by host-days,\n"
            "with its interval; by test that led the finding, and by class of hosts. Rules own no budget.",
    .common = COMMON_STORE | COMMON_OUTPUT,
    .run = run_budget,
};
