/* `weir explain`: one finding in sections that an auditor can check by hand: what happened, why it was raised, the
 * history, what is not known, the places. Every number stands in the finding; nothing is computed that is not shown.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>

#include "sink/sink_private.h"

#define HANG 4
#define PART_HANG 14

static void say_named(struct page *p, const char *name, struct slice text)
{
    if (!text.n) return;
    buffer_printf(&p->line, ", %s ", name);
    page_text(p, text);
}

static void say_severity(struct page *p, const json_t *finding)
{
    unsigned severity = (unsigned)view_u64(finding, "severity_id");
    for (const char *word = finding_severity_word(severity); *word; word++) buffer_u8(&p->line, (uint8_t)toupper((unsigned char)*word));
    size_t painted = p->line.n;
    buffer_puts(&p->line, "  ");
    page_text(p, view_text(finding, "finding_info.title"));
    page_end_painted(p, HANG, severity_colour(severity), painted);
    page_text(p, view_text(finding, "finding_info.uid"));
    page_end(p, 0);
}

static void say_title(struct page *p, const json_t *finding)
{
    const json_t *peer = view_item(finding, "evidences", 0), *resource = view_item(finding, "resources", 0);
    say_severity(p, finding);
    buffer_puts(&p->line, "host ");
    page_text(p, view_text(resource, "ip"));
    say_named(p, "called", view_text(resource, "name"));
    say_named(p, "role", view_text(finding, "unmapped.weir.role"));
    say_named(p, "interface", view_text(resource, "uid"));
    say_named(p, "subnet", view_text(peer, "src_endpoint.subnet_uid"));
    say_named(p, "VPC", view_text(peer, "src_endpoint.vpc_uid"));
    say_named(p, "account", view_text(finding, "cloud.account.uid"));
    say_named(p, "region", view_text(finding, "cloud.region"));
    page_end(p, HANG);
    say_mark(p, finding, 0);
    say_suppression(p, finding, 0);
}

/* Bars of a day's hours, those with bytes only. */
static void say_hours(struct page *p, const json_t *day)
{
    uint64_t largest = 0;
    for (size_t h = 0; h < 24; h++) {
        uint64_t v = view_u64(view_item(day, "hours", h), "");
        if (v > largest) largest = v;
    }
    buffer_puts(&p->line, largest ? "  external bytes sent on " : "  no external bytes sent on ");
    page_text(p, view_text(day, "day"));
    buffer_puts(&p->line, largest ? ", by hour (UTC):" : "");
    page_end(p, HANG);
    for (size_t h = 0; h < view_count(day, "hours") && h < 24; h++) {
        uint64_t v = view_u64(view_item(day, "hours", h), "");
        if (!v) continue;
        buffer_printf(&p->line, "    %02zu  ", h);
        page_bytes(p, v);
        page_pad(p, 18);
        page_bar(p, (double)v / (double)largest);
        page_end(p, HANG);
    }
}

static void say_what_happened(struct page *p, const json_t *finding)
{
    page_heading(p, "What happened");
    buffer_puts(&p->line, "  ");
    page_text(p, view_text(finding, "message"));
    page_end(p, HANG);
    buffer_puts(&p->line, "  first record starts ");
    page_when(p, finding, "start_time");
    buffer_puts(&p->line, ", last ends ");
    page_when(p, finding, "end_time");
    buffer_puts(&p->line, ", ");
    page_count(p, view_u64(finding, "unmapped.weir.bytes"), "byte");
    buffer_puts(&p->line, " claimed");
    page_end(p, HANG);
    struct slice desc = view_text(finding, "finding_info.desc");
    if (desc.n) {
        buffer_puts(&p->line, "  ");
        page_text(p, desc);
        page_end(p, HANG);
    }
    for (size_t i = 0; i < view_count(finding, "unmapped.weir.days"); i++) say_hours(p, view_item(finding, "unmapped.weir.days", i));
}

static void say_amount(struct page *p, const char *label, const json_t *part, const char *bytes, const char *octaves)
{
    buffer_printf(&p->line, "    %s", label);
    page_pad(p, PART_HANG);
    page_bytes(p, view_u64(part, bytes));
    buffer_puts(&p->line, " (");
    page_count(p, view_u64(part, bytes), "byte");
    buffer_puts(&p->line, ", ");
    unsigned factor = score_test_factor(view_test(part));
    page_fixed(p, view_real(part, octaves), 3);
    buffer_puts(&p->line, " octaves");
    if (factor > 1) buffer_printf(&p->line, " of %u times that", factor);
    buffer_puts(&p->line, ")");
}

static bool sums_over_days(enum score_test test) { return test == SCORE_SLOW || test == SCORE_SLOW_FAR; }
static const char *counted(enum score_test test) { return test == SCORE_SPLIT ? "destination" : "hour"; }

static void say_observed(struct page *p, const json_t *part)
{
    enum score_test test = view_test(part);
    if (score_test_counts(test)) {
        buffer_puts(&p->line, "    observed");
        page_pad(p, PART_HANG);
        page_count(p, view_u64(part, "observed_count"), counted(test));
        buffer_puts(&p->line, " (");
        page_fixed(p, view_real(part, "observed"), 3);
        buffer_puts(&p->line, " on the scale of the test) with ");
        page_bytes(p, view_u64(part, "observed_bytes"));
    } else {
        say_amount(p, "observed", part, "observed_bytes", "observed");
    }
    buffer_puts(&p->line, sums_over_days(test) ? ", today in " : " in ");
    page_range(p, view_u64(part, "from_hour"), view_u64(part, "to_hour"), 2, "hour");
    uint64_t since = view_u64(part, "since_hour");
    if (view_bool(part, "raised") && since < 24) buffer_printf(&p->line, "; enough to raise at the end of hour %02" PRIu64, since);
    page_end(p, PART_HANG);
}

static void say_expected_count(struct page *p, const json_t *part, enum score_test test)
{
    buffer_puts(&p->line, "    expected");
    page_pad(p, PART_HANG);
    page_fixed(p, view_real(part, "reference_count"), 1);
    buffer_printf(&p->line, " %ss (", counted(test));
    page_fixed(p, view_real(part, "reference"), 3);
    buffer_puts(&p->line, " on the scale of the test); never taken as less than ");
    page_count(p, view_u64(part, "floor_count"), counted(test));
    page_end(p, PART_HANG);
}

static void say_expected(struct page *p, const json_t *part)
{
    enum score_test test = view_test(part);
    uint64_t days = view_u64(part, "history_days");
    if (score_test_counts(test)) {
        say_expected_count(p, part, test);
        return;
    }
    say_amount(p, "expected", part, "reference_bytes", "reference");
    if (test == SCORE_CLASS_DESTINATION) {
        buffer_puts(&p->line, "; what hosts of its class send there");
    } else if (days) {
        buffer_puts(&p->line, test == SCORE_HOUR_VOLUME ? " around that hour; the largest hour of " : "; the largest of ");
        page_count(p, days, "day");
        buffer_puts(&p->line, " was ");
        page_bytes(p, view_u64(part, "largest_bytes"));
    } else {
        buffer_puts(&p->line, "; no history");
    }
    buffer_puts(&p->line, "; never taken as less than ");
    page_bytes(p, view_u64(part, "floor_bytes"));
    page_end(p, PART_HANG);
}

/* The formula with its numbers, so that it can be checked. */
static void say_excess(struct page *p, const json_t *part)
{
    buffer_puts(&p->line, "    excess");
    page_pad(p, PART_HANG);
    buffer_puts(&p->line, "(");
    page_fixed(p, view_real(part, "observed"), 3);
    buffer_puts(&p->line, " - ");
    page_fixed(p, view_real(part, "reference"), 3);
    buffer_puts(&p->line, ") / spread ");
    page_fixed(p, view_real(part, "spread"), 3);
    if (view_real(part, "common") > 0) {
        buffer_puts(&p->line, " - ");
        page_fixed(p, view_real(part, "common"), 3);
        buffer_puts(&p->line, " that others showed as well");
    }
    buffer_puts(&p->line, " = ");
    page_fixed(p, view_real(part, "excess"), 3);
    explain_excess_again(p, part);
    page_end(p, PART_HANG);
}

static void say_threshold(struct page *p, const json_t *part, double budget)
{
    double threshold = view_real(part, "threshold");
    buffer_puts(&p->line, "    rate");
    page_pad(p, PART_HANG);
    page_rate(p, view_real(part, "rate"));
    page_end(p, PART_HANG);
    buffer_puts(&p->line, "    threshold");
    page_pad(p, PART_HANG);
    page_rate(p, threshold);
    buffer_puts(&p->line, " or rarer: this test may spend ");
    page_fixed(p, budget > 0 ? threshold / budget : 0, 3);
    buffer_puts(&p->line, " of the budget");
    page_end(p, PART_HANG);
}

/* A rule has an amount and at most a ceiling: no spread, no rate. */
static void say_rule(struct page *p, const json_t *part)
{
    say_amount(p, "observed", part, "observed_bytes", "observed");
    buffer_puts(&p->line, " in ");
    page_range(p, view_u64(part, "from_hour"), view_u64(part, "to_hour"), 2, "hour");
    page_end(p, PART_HANG);
    if (!view_u64(part, "reference_bytes")) return;
    say_amount(p, "ceiling", part, "reference_bytes", "reference");
    buffer_printf(&p->line, "; passed at the end of hour %02" PRIu64, view_u64(part, "since_hour"));
    page_end(p, PART_HANG);
}

static void say_part(struct page *p, const json_t *part, double budget)
{
    struct slice rule = view_text(part, "rule"), group = rule.n ? rule : view_text(part, "group_name");
    buffer_puts(&p->line, view_bool(part, "raised") ? "  [raised] " : "  [not raised] ");
    page_text(p, view_text(part, "test"));
    buffer_puts(&p->line, ": ");
    buffer_puts(&p->line, score_test_text(view_test(part)));
    if (group.n) {
        buffer_puts(&p->line, ": ");
        page_text(p, group);
    }
    page_end(p, HANG);
    if (score_test_is_rule(view_test(part))) {
        say_rule(p, part);
        return;
    }
    say_observed(p, part);
    say_expected(p, part);
    say_excess(p, part);
    say_threshold(p, part, budget);
}

/* What did not raise spoke against the claim: a line each. */
static void say_against(struct page *p, const json_t *part)
{
    enum score_test test = view_test(part);
    struct slice group = view_text(part, "group_name");
    buffer_puts(&p->line, "    ");
    page_text(p, view_text(part, "test"));
    if (group.n) {
        buffer_puts(&p->line, " of ");
        page_text(p, group);
    }
    buffer_puts(&p->line, ": ");
    if (score_test_counts(test)) {
        page_count(p, view_u64(part, "observed_count"), counted(test));
        buffer_puts(&p->line, ", expected ");
        page_fixed(p, view_real(part, "reference_count"), 1);
    } else {
        page_bytes(p, view_u64(part, "observed_bytes"));
        buffer_puts(&p->line, ", expected ");
        page_bytes(p, view_u64(part, "reference_bytes"));
    }
    buffer_puts(&p->line, ": ");
    page_rate(p, view_real(part, "rate"));
    buffer_puts(&p->line, view_real(part, "excess") > 0 ? ", that is not rare enough" : "");
    page_end(p, PART_HANG);
}

#define AGAINST_MAX 4 /* a day */

static void say_parts(struct page *p, const json_t *day, double budget, bool all)
{
    size_t against = 0;
    for (size_t i = 0; i < view_count(day, "parts"); i++) {
        const json_t *part = view_item(day, "parts", i);
        if (all || view_bool(part, "raised")) {
            say_part(p, part, budget);
        } else if (against++ < AGAINST_MAX) {
            if (against == 1) buffer_puts(&p->line, "  what spoke against it (in full with --all-lines)");
            if (against == 1) page_end(p, HANG);
            say_against(p, part);
        }
    }
    if (against <= AGAINST_MAX) return;
    buffer_puts(&p->line, "    and ");
    page_count(p, against - AGAINST_MAX, "more part");
    buffer_puts(&p->line, " that did not raise");
    page_end(p, HANG);
}

static void say_why(struct page *p, const json_t *finding, bool all)
{
    page_heading(p, "Why it was raised");
    buffer_puts(&p->line, "  each test asks how often a host like this one would reach such an amount with nothing wrong; what is rarer than the"
                          " test's threshold is raised (an octave is a doubling; from two weeks of history on the second largest day counts)");
    page_end(p, HANG);
    buffer_puts(&p->line, "  budget: one false finding is borne ");
    page_rate(p, view_real(finding, "unmapped.weir.budget"));
    buffer_puts(&p->line, "; model ");
    page_text(p, view_text(finding, "unmapped.weir.model"));
    buffer_puts(&p->line, ", configuration ");
    page_text(p, view_text(finding, "unmapped.weir.config"));
    page_end(p, HANG);
    for (size_t i = 0; i < view_count(finding, "unmapped.weir.days"); i++) {
        const json_t *day = view_item(finding, "unmapped.weir.days", i);
        buffer_puts(&p->line, "  ");
        page_text(p, view_text(day, "day"));
        buffer_puts(&p->line, ": score ");
        page_fixed(p, view_real(day, "score"), 3);
        explain_score_again(p, day);
        buffer_puts(&p->line, " (one more is ten times rarer; a budget of one in 1,000 host-days raises from 3.2 on)");
        page_end(p, HANG);
        say_parts(p, day, view_real(finding, "unmapped.weir.budget"), all);
    }
}

static void say_history(struct page *p, const json_t *finding)
{
    size_t days = view_count(finding, "unmapped.weir.history");
    double largest = 1;
    page_heading(p, "History");
    if (!days) {
        buffer_puts(&p->line, "  none: weir has not seen this host before");
        page_end(p, HANG);
        return;
    }
    buffer_puts(&p->line, "  external bytes sent on ");
    page_count(p, days, "learned day");
    buffer_puts(&p->line, " before, oldest first; bars are octaves (log scale):");
    page_end(p, HANG);
    for (size_t i = 0; i < days; i++) largest = fmax(largest, view_real(view_item(finding, "unmapped.weir.history", i), ""));
    for (size_t i = 0; i < days; i++) {
        double octaves = view_real(view_item(finding, "unmapped.weir.history", i), "");
        buffer_printf(&p->line, "    -%zu", days - i);
        page_pad(p, 9);
        page_bytes(p, octaves_to_bytes(octaves));
        page_pad(p, 18);
        page_bar(p, octaves / largest);
        page_end(p, HANG);
    }
}

static bool say_gaps(struct page *p, const json_t *finding)
{
    bool any = false;
    for (size_t i = 0; i < view_count(finding, "unmapped.weir.days"); i++) {
        const json_t *day = view_item(finding, "unmapped.weir.days", i);
        uint64_t gaps = view_u64(day, "gap_hours") & 0xffffff;
        if (!gaps) continue;
        any = true;
        buffer_puts(&p->line, "  ");
        page_text(p, view_text(day, "day"));
        buffer_printf(&p->line, ": the log has holes (records skipped, or no object) in hour%s", gaps & (gaps - 1) ? "s" : "");
        for (unsigned h = 0; h < 24; h++)
            if (gaps >> h & 1) buffer_printf(&p->line, " %02u", h);
        buffer_puts(&p->line, "; more may have been sent");
        page_end(p, HANG);
    }
    return any;
}

static bool say_amount_of_doubt(struct page *p, const json_t *finding, const char *path, const char *what, const char *text)
{
    uint64_t v = view_u64(finding, path);
    if (!v) return false;
    buffer_puts(&p->line, "  ");
    page_count(p, v, what);
    buffer_puts(&p->line, text);
    page_end(p, HANG);
    return true;
}

static bool say_if(struct page *p, bool holds, const char *text)
{
    if (!holds) return false;
    buffer_printf(&p->line, "  %s", text);
    page_end(p, HANG);
    return true;
}

static void say_unknown(struct page *p, const json_t *finding)
{
    page_heading(p, "What is not known");
    bool any = say_gaps(p, finding);
    any |= say_amount_of_doubt(p, finding, "unmapped.weir.bytes_unplaced", "byte",
                               " of the claim without a place below: the objects could not be read again");
    any |= say_amount_of_doubt(p, finding, "unmapped.weir.peers_more", "more peer", " in the claim, not listed");
    any |= say_amount_of_doubt(p, finding, "unmapped.weir.bytes_more", "byte", " went to peers that are not listed");
    any |= say_if(p, view_bool(finding, "unmapped.weir.estimated"),
                  "how much exactly: the logs of this cloud are made from samples, so all amounts are estimates, and of payload only");
    any |= say_if(p, view_bool(finding, "unmapped.weir.learning"), "weir is still learning: the history of this host is shorter than a week");
    any |= say_if(p, view_bool(finding, "unmapped.weir.open"), "the last day is still open: its sums may grow");
    say_if(p, !any, "the evidence has no gaps and every byte of the claim has its place");
    say_if(p, true, "what the bytes were and which program sent them: flow logs tell addresses and amounts only");
}

/* About weir itself: no host, no bytes, no history. */
static void say_operational(struct page *p, const json_t *finding)
{
    say_severity(p, finding);
    say_mark(p, finding, 0);
    page_heading(p, "What happened");
    buffer_puts(&p->line, "  ");
    page_text(p, view_text(finding, "message"));
    buffer_puts(&p->line, "; noticed ");
    page_when(p, finding, "time");
    page_end(p, HANG);
    page_heading(p, "What to do");
    buffer_puts(&p->line, "  ");
    page_text(p, view_text(finding, "finding_info.desc"));
    page_end(p, HANG);
}

static void say_finding(struct page *p, const json_t *finding, const struct places_asked *asked)
{
    say_title(p, finding);
    say_what_happened(p, finding);
    say_why(p, finding, asked->all_lines);
    explain_more(p, finding);
    say_history(p, finding);
    say_unknown(p, finding);
    explain_places(p, finding, asked); /* last, because it may be long */
}

enum weir_err sink_explain(FILE *out, struct slice finding_json, struct sink_style style, bool all_lines, sink_object_name *name_of,
                           void *ctx, struct fault *fault)
{
    json_t *finding = view_load(finding_json, fault);
    struct page page;
    if (!finding) return WEIR_CORRUPT;
    page_init(&page, out, style);
    if (view_text(finding, "unmapped.weir.operational").n)
        say_operational(&page, finding);
    else
        say_finding(&page, finding, &(struct places_asked){all_lines, name_of, ctx});
    json_decref(finding);
    return page_fini(&page, fault);
}
