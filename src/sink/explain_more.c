/* Two questions of explain: why was it not told sooner, and what would silence it? And the numbers worked out once more from those that are shown.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>

#include "sink/sink_private.h"

#define HANG 4
#define ARRIVAL "; a log object comes some ten minutes after its records end, and then weir must run"

static void line(struct page *p, const char *text)
{
    buffer_printf(&p->line, "  %s", text);
    page_end(p, HANG);
}

/* ---- why not sooner ---- */

/* The first hour of a day at whose end a part raised; 24: only the day as a whole did. */
static uint64_t first_hour(const json_t *day)
{
    uint64_t first = 24;
    for (size_t i = 0; i < view_count(day, "parts"); i++) {
        const json_t *part = view_item(day, "parts", i);
        uint64_t since = view_u64(part, "since_hour");
        if (view_bool(part, "raised") && since < first) first = since;
    }
    return first;
}

static void say_day(struct page *p, const json_t *day)
{
    uint64_t since = first_hour(day), before = 0;
    buffer_puts(&p->line, "  ");
    page_text(p, view_text(day, "day"));
    if (since >= 24) {
        buffer_puts(&p->line, ": no hour was enough by itself, the day as a whole was: it could be told at its end");
        page_end(p, HANG);
        return;
    }
    for (size_t h = 0; h < since; h++) before = sat_add(before, view_u64(view_item(day, "hours", h), ""));
    buffer_printf(&p->line, ": enough at the end of hour %02" PRIu64 "; until the end of the hour before ", since);
    page_bytes(p, before);
    buffer_puts(&p->line, " had gone outside that day, which no test found too much");
    page_end(p, HANG);
}

static void say_sooner(struct page *p, const json_t *finding)
{
    uint64_t start = view_u64(finding, "start_time") / 1000, known = view_u64(finding, "finding_info.created_time") / 1000;
    char after[BYTES_TEXT_MAX];
    page_heading(p, "Why not sooner");
    buffer_puts(&p->line, "  the logs could tell at the earliest at ");
    page_when(p, finding, "finding_info.created_time");
    duration_format(known > start ? known - start : 0, after);
    buffer_printf(&p->line, ", %s after the first record of the claim; amounts are judged at the end of each hour" ARRIVAL, after);
    page_end(p, HANG);
    for (size_t i = 0; i < view_count(finding, "unmapped.weir.days") && i < 3; i++) say_day(p, view_item(finding, "unmapped.weir.days", i));
}

/* ---- what would silence it ---- */

/* Raised is rate <= threshold, and the threshold is a part of the budget: so this is the budget at which it would just be raised. */
static double budget_of(const json_t *part, double budget)
{
    double threshold = view_real(part, "threshold");
    return threshold > 0 ? budget * view_real(part, "rate") / threshold : 0;
}

static bool is_rule(const json_t *part) { return view_test(part) < SCORE_TEST_COUNT && score_test_is_rule(view_test(part)); }

/* tests: as bits. */
static bool least_budget(const json_t *finding, double *out, uint32_t *rules)
{
    double budget = view_real(finding, "unmapped.weir.budget");
    bool any = false;
    for (size_t d = 0; d < view_count(finding, "unmapped.weir.days"); d++) {
        const json_t *day = view_item(finding, "unmapped.weir.days", d);
        for (size_t i = 0; i < view_count(day, "parts"); i++) {
            const json_t *part = view_item(day, "parts", i);
            if (!view_bool(part, "raised")) continue;
            if (is_rule(part)) *rules |= 1u << view_test(part);
            if (is_rule(part) || (any && budget_of(part, budget) >= *out)) continue;
            *out = budget_of(part, budget);
            any = true;
        }
    }
    return any;
}

/* A rule has neither budget nor history: what allows it must be said. */
static void say_rules(struct page *p, uint32_t rules)
{
    static const struct { enum score_test test; const char *text; } allows[] = {
        {SCORE_THREAT_LIST, "its networks off the list of threats (lists.threat)"},
        {SCORE_POLICY, "a rule of the policy that allows it (policy)"},
        {SCORE_CEILING, "a higher ceiling for its role (roles: daily_ceiling)"},
        {SCORE_CLEAR_TEXT, "a role that is not called sensitive (roles: sensitive)"}};
    for (size_t i = 0; i < WEIR_COUNT(allows); i++)
        if (rules >> allows[i].test & 1) line(p, allows[i].text);
}

static void say_silence(struct page *p, const json_t *finding)
{
    double budget = 0;
    uint32_t rules = 0;
    page_heading(p, "What would silence it");
    bool tests = least_budget(finding, &budget, &rules);
    if (tests) {
        buffer_puts(&p->line, "  a budget that bears a false finding less often than ");
        page_rate(p, budget);
        buffer_puts(&p->line, " (detection.budget): then every finding must be as rare as that");
        page_end(p, HANG);
    }
    say_rules(p, rules);
    if (tests) line(p, "'weir mark ID benign --reason TEXT': its destinations are familiar and their amounts usual from the next day on; this finding stays");
    /* who is trusted still passes on what a tunnel asks, and the policy stands above trust */
    if (tests || rules & ~(1u << SCORE_DNS_TUNNEL | 1u << SCORE_POLICY)) line(p, "its networks on the list of trusted ones (lists.trusted): what is sent there is summed and never judged, whatever it is");
    line(p, "a suppression, with the name of who answers for it, an amount and an end: hidden until it is more than that (suppressions)");
    line(p, "try it before: 'weir diff --new FILE PATH...' tells what else a change would silence");
}

void explain_more(struct page *p, const json_t *finding)
{
    say_sooner(p, finding);
    say_silence(p, finding);
}

/* ---- worked out once more ---- */

/* From the three decimals shown: as exact as they are. */
void explain_excess_again(struct page *p, const json_t *part)
{
    double spread = view_real(part, "spread"), stored = view_real(part, "excess");
    if (!(spread > 0)) return;
    double again = (view_real(part, "observed") - view_real(part, "reference")) / spread - view_real(part, "common");
    double unsure = (0.001 + fabs(again) * 0.0005) / spread + 0.001;
    if (fabs(again - stored) <= unsure) return;
    buffer_puts(&p->line, ", but worked out again it is ");
    page_fixed(p, again, 3);
}

/* score = -log10(rate / share) of the part where that is largest. */
void explain_score_again(struct page *p, const json_t *day)
{
    double best = 0;
    const json_t *of = NULL;
    for (size_t i = 0; i < view_count(day, "parts"); i++) {
        const json_t *part = view_item(day, "parts", i);
        double rate = view_real(part, "rate"), share = view_real(part, "share");
        double v = rate > 0 && share > 0 ? -log10(rate / share) : 0;
        if (is_rule(part) || v <= best) continue;
        best = v;
        of = part;
    }
    if (!of || fabs(best - view_real(day, "score")) > 0.01) return;
    buffer_puts(&p->line, ", = -log10(rate / share of the budget) of ");
    page_text(p, view_text(of, "test"));
}
