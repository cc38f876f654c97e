/* Why a finding was raised, part by part: for each the arithmetic (observed less expected, in spreads, less what others showed as well), and how
 * far it lies beyond its threshold (+) or short of it (-), in powers of ten. The parts are not added up: one that is beyond is enough, and
 * those that are short spoke against. Then what was looked at and ruled out.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "sink/html.h"

#define DAYS_MAX 64
#define AGAINST_MAX 6   /* parts of a day that did not raise */
#define SCALE_MAX 12.0  /* powers of ten, the width of half a bar */
#define DAYS_IN_FULL 8  /* of a longer finding the first and the rest are counted */

static double margin(const json_t *part)
{
    double rate = fmin(fmax(view_real(part, "rate"), 1e-12), 1), threshold = fmax(view_real(part, "threshold"), 1e-12);
    return log10(threshold / rate);
}

const json_t *lead_part(const json_t *finding, const json_t **day_of)
{
    const json_t *best = NULL;
    for (size_t d = 0; d < view_count(finding, "unmapped.weir.days"); d++) {
        const json_t *day = view_item(finding, "unmapped.weir.days", d);
        for (size_t i = 0; i < view_count(day, "parts"); i++) {
            const json_t *part = view_item(day, "parts", i);
            if (!view_bool(part, "raised") || (best && (score_test_is_rule(view_test(part)) || margin(part) <= margin(best)))) continue;
            best = part;
            *day_of = day;
        }
    }
    return best;
}

static void put_name(struct page *p, const json_t *part)
{
    struct slice rule = view_text(part, "rule"), group = rule.n ? rule : view_text(part, "group_name");
    html(p, "<strong>");
    html_path(p, part, "test");
    html(p, "</strong>: ");
    if (view_test(part) < SCORE_TEST_COUNT) html(p, score_test_text(view_test(part)));
    if (!group.n) return;
    html(p, ": ");
    html_text(p, group);
}

static void put_amount(struct page *p, const json_t *part, const char *bytes, const char *count)
{
    enum score_test test = view_test(part);
    if (test < SCORE_TEST_COUNT && score_test_counts(test)) {
        page_fixed(p, view_real(part, count), 1);
        html(p, test == SCORE_SPLIT ? " destinations" : " hours");
    } else {
        page_bytes(p, view_u64(part, bytes));
    }
}

/* (19.258 - 5.547) / 0.700 - 0.000 = 19.587 */
static void put_arithmetic(struct page *p, const json_t *part)
{
    static const char *const path[] = {"observed", "reference", "spread", "common", "excess"};
    static const char *const before[] = {"(", " &minus; ", ") / ", " &minus; ", " = "};
    for (size_t i = 0; i < WEIR_COUNT(path); i++) {
        html(p, before[i]);
        page_fixed(p, view_real(part, path[i]), 3);
    }
}

static void put_bar(struct page *p, double v)
{
    double width = fmin(fabs(v) / SCALE_MAX, 1) * 100;
    html(p, "<div class=\"scale\" aria-hidden=\"true\"><i class=\"");
    html(p, v >= 0 ? "for" : "against");
    buffer_printf(&p->line, "\" style=\"width:%d%%\"></i></div>", (int)(width + 0.5));
}

static void put_margin(struct page *p, const json_t *part)
{
    if (view_test(part) < SCORE_TEST_COUNT && score_test_is_rule(view_test(part))) {
        html(p, "a rule: it is broken or not");
        return;
    }
    double v = margin(part);
    html(p, v >= 0 ? "+" : "");
    page_fixed(p, v, 1);
    put_bar(p, v);
}

static void put_part(struct page *p, const json_t *part)
{
    bool rule = view_test(part) < SCORE_TEST_COUNT && score_test_is_rule(view_test(part));
    html(p, "<tr><td data-l=\"Part\">");
    put_name(p, part);
    html(p, view_bool(part, "raised") ? " <em>(raised)</em></td><td class=\"num\" data-l=\"Observed\">" : "</td><td class=\"num\" data-l=\"Observed\">");
    put_amount(p, part, "observed_bytes", "observed_count");
    html(p, "</td><td class=\"num\" data-l=\"Expected\">");
    if (rule && !view_u64(part, "reference_bytes"))
        html(p, "nothing");
    else
        put_amount(p, part, "reference_bytes", "reference_count");
    html(p, "</td><td data-l=\"Excess\">");
    if (!rule) put_arithmetic(p, part);
    html(p, "</td><td data-l=\"How often\">");
    if (!rule) page_rate(p, view_real(part, "rate"));
    html(p, "</td><td data-l=\"For (+), against (-)\">");
    put_margin(p, part);
    html(p, "</td></tr>\n");
}

static void put_day(struct page *p, const json_t *day)
{
    size_t against = 0, all = view_count(day, "parts") < SCORE_PARTS_MAX ? view_count(day, "parts") : SCORE_PARTS_MAX;
    html(p, "<h4>");
    html_path(p, day, "day");
    html(p, ": score ");
    page_fixed(p, view_real(day, "score"), 3);
    html(p, "</h4>\n<table class=\"stack\">\n<thead><tr><th scope=\"col\">Part</th><th scope=\"col\" class=\"num\">Observed</th><th scope=\"col\" class=\"num\">Expected</th>"
            "<th scope=\"col\">Excess</th><th scope=\"col\">How often without cause</th><th scope=\"col\">For (+), against (&minus;)</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < all; i++)
        if (view_bool(view_item(day, "parts", i), "raised")) put_part(p, view_item(day, "parts", i));
    for (size_t i = 0; i < all; i++)
        if (!view_bool(view_item(day, "parts", i), "raised") && against++ < AGAINST_MAX) put_part(p, view_item(day, "parts", i));
    html(p, "</tbody>\n</table>\n");
    if (against <= AGAINST_MAX) return;
    html(p, "<p class=\"soft\">And ");
    page_count(p, against - AGAINST_MAX, "more part");
    html(p, " that did not raise.</p>\n");
}

void html_parts(struct page *p, const json_t *finding)
{
    size_t days = view_count(finding, "unmapped.weir.days");
    html_section(p, "Why it was raised");
    html(p, "<p>Each test asks how often a host like this one would send such an amount with nothing wrong. Excess = (observed &minus; expected) / spread "
            "&minus; what others showed as well; amounts are octaves, that is doublings. The last column tells by how many powers of ten that is rarer than "
            "the threshold of the test (+), or not rare enough (&minus;). One part beyond its threshold raises; parts with &minus; spoke against. "
            "The budget: one false finding is borne ");
    page_rate(p, view_real(finding, "unmapped.weir.budget"));
    html(p, ".</p>\n");
    for (size_t i = 0; i < days && i < DAYS_IN_FULL; i++) put_day(p, view_item(finding, "unmapped.weir.days", i));
    if (days > DAYS_IN_FULL) {
        html(p, "<p class=\"soft\">And ");
        page_count(p, days - DAYS_IN_FULL, "more raised day");
        html(p, ": the timeline has them.</p>\n");
    }
    html(p, "</section>\n");
}

/* ---- what was ruled out: said only where the finding shows it ---- */

static void put_item(struct page *p, bool holds, const char *yes, const char *no)
{
    html(p, "<li>");
    html(p, holds ? yes : no);
    html(p, "</li>\n");
}

static bool any_gap(const json_t *finding)
{
    for (size_t i = 0; i < view_count(finding, "unmapped.weir.days"); i++)
        if (view_u64(view_item(finding, "unmapped.weir.days", i), "gap_hours") & 0xffffff) return true;
    return false;
}

static bool raised_by(const json_t *finding, enum score_test test)
{
    for (size_t d = 0; d < view_count(finding, "unmapped.weir.days"); d++) {
        const json_t *day = view_item(finding, "unmapped.weir.days", d);
        for (size_t i = 0; i < view_count(day, "parts"); i++)
            if (view_bool(view_item(day, "parts", i), "raised") && view_test(view_item(day, "parts", i)) == test) return true;
    }
    return false;
}

void html_ruled_out(struct page *p, const json_t *finding)
{
    const json_t *day = NULL, *lead = lead_part(finding, &day);
    html_section(p, "What was checked and ruled out");
    html(p, "<ul>\n");
    html(p, "<li>Bytes that gateways and load balancers pass on are charged to nobody: this host is not known or suspected to be one.</li>\n");
    html(p, "<li>Each log object counts once, and of two flow logs over one interface one counts.</li>\n");
    if (lead && !score_test_is_rule(view_test(lead)))
        put_item(p, view_real(lead, "common") <= 0, "Other hosts of its class did not do the same on that day.",
                 "Other hosts of its class did something like it on that day: that was taken off, and the rest is still too much.");
    put_item(p, !any_gap(finding), "The log has no gaps on the days of the claim.", "Not ruled out: the log has gaps on the days of the claim, more may have been sent.");
    put_item(p, !view_u64(finding, "unmapped.weir.bytes_unplaced"), "A second, independent reading of the logs found the records of every byte claimed.",
             "Not ruled out: some records could not be read a second time.");
    if (view_bool(finding, "unmapped.weir.estimated"))
        html(p, "<li>Not ruled out: the logs of this cloud are made from samples. All amounts are estimates, and of payload only.</li>\n");
    put_item(p, !raised_by(finding, SCORE_THREAT_LIST), "No peer is on the configured list of threats, if there is one.", "A peer is on the configured list of threats.");
    put_item(p, !view_bool(finding, "unmapped.weir.learning"), "Weir has known the host for a week or longer.",
             "Not ruled out: weir has known the host for less than a week.");
    html(p, "</ul>\n</section>\n");
}
