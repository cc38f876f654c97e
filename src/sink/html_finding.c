/* One finding as an article: what a manager needs first, what an auditor checks after it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "sink/clock.h"
#include "sink/html.h"

#define SHORT_ID 16 /* "wf1-" and 12 digits */

static void put_time(struct page *p, int64_t s)
{
    char text[TIME_TEXT_MAX];
    time_format(s, text);
    html(p, text);
}

/* ---- the top ---- */

static void put_title(struct page *p, const json_t *finding, size_t number)
{
    unsigned severity = (unsigned)view_u64(finding, "severity_id");
    buffer_printf(&p->line, "<article id=\"f%zu\" aria-labelledby=\"h%zu\">\n<p><span class=\"badge%s\">", number, number, severity >= 4 ? "" : " calm");
    for (const char *word = finding_severity_word(severity); *word; word++) buffer_u8(&p->line, (uint8_t)toupper((unsigned char)*word));
    html(p, "</span> <span class=\"mono soft\">");
    html_path(p, finding, "finding_info.uid");
    buffer_printf(&p->line, "</span></p>\n<h2 id=\"h%zu\">", number);
    html_path(p, finding, "finding_info.title");
    html(p, "</h2>\n<p class=\"lead\">");
    html_path(p, finding, "message");
    html(p, "</p>\n");
}

static void put_mark(struct page *p, const json_t *finding)
{
    struct slice verdict = view_text(finding, "unmapped.weir.mark.verdict");
    if (view_bool(finding, "unmapped.weir.open")) html(p, "<p><strong>The last day is still open: its sums may grow.</strong></p>\n");
    if (!verdict.n) return;
    html(p, "<p><strong>Marked ");
    html_text(p, verdict);
    html(p, "</strong> on ");
    html_path(p, finding, "unmapped.weir.mark.time");
    html(p, ": ");
    html_path(p, finding, "unmapped.weir.mark.reason");
    html(p, "</p>\n");
}

static void put_suppression(struct page *p, const json_t *finding)
{
    bool hidden = view_bool(finding, "unmapped.weir.suppression.hidden");
    if (!view_text(finding, "unmapped.weir.suppression.name").n) return;
    html(p, hidden ? "<p><strong>Suppressed</strong> by " : "<p><strong>Has outgrown suppression</strong> ");
    html_path(p, finding, "unmapped.weir.suppression.name");
    html(p, " (");
    html_path(p, finding, "unmapped.weir.suppression.owner");
    html(p, ", until ");
    html_path(p, finding, "unmapped.weir.suppression.expires");
    html(p, "): ");
    html_path(p, finding, "unmapped.weir.suppression.reason");
    html(p, ". Approved in a day: ");
    html_bytes(p, view_u64(finding, "unmapped.weir.suppression.up_to"));
    html(p, "; its largest day: ");
    html_bytes(p, view_u64(finding, "unmapped.weir.suppression.largest_day"));
    html(p, "</p>\n");
}

static void figure(struct page *p, const char *name)
{
    html(p, "<div><dt>");
    html(p, name);
    html(p, "</dt><dd>");
}

static void put_sent(struct page *p, const json_t *finding)
{
    uint64_t bytes = view_u64(finding, "unmapped.weir.bytes");
    figure(p, "Sent");
    page_bytes(p, bytes);
    html(p, "<small>");
    page_count(p, bytes, "byte");
    html(p, "</small></dd></div>\n");
}

static void put_usual(struct page *p, const json_t *lead)
{
    bool rule = view_test(lead) < SCORE_TEST_COUNT && score_test_is_rule(view_test(lead));
    bool counts = view_test(lead) < SCORE_TEST_COUNT && score_test_counts(view_test(lead));
    figure(p, rule ? "Allowed" : "Usual");
    if (counts) {
        page_fixed(p, view_real(lead, "reference_count"), 1);
        html(p, view_test(lead) == SCORE_SPLIT ? " destinations" : " hours");
    } else if (rule && !view_u64(lead, "reference_bytes")) {
        html(p, "none");
    } else {
        page_bytes(p, view_u64(lead, "reference_bytes"));
    }
    html(p, "<small>of ");
    if (view_test(lead) < SCORE_TEST_COUNT) html(p, score_test_text(view_test(lead)));
    html(p, "</small></dd></div>\n");
}

static void put_where(struct page *p, const json_t *finding)
{
    const json_t *peer = view_item(finding, "evidences", 0);
    uint64_t more = sat_add(view_u64(finding, "unmapped.weir.peers_more"), view_count(finding, "evidences"));
    figure(p, "To");
    html_path(p, peer, "dst_endpoint.ip");
    html(p, peer ? "<small>" : "not listed<small>");
    html_path(p, peer, "dst_endpoint.location.country");
    html(p, " ");
    html_path(p, peer, "dst_endpoint.autonomous_system.name");
    if (more > 1) html(p, " and ");
    if (more > 1) page_count(p, more - 1, "more peer");
    html(p, "</small></dd></div>\n");
}

static void put_when(struct page *p, const json_t *finding)
{
    uint64_t start = view_u64(finding, "start_time") / 1000, end = view_u64(finding, "end_time") / 1000;
    char lasted[BYTES_TEXT_MAX], text[TIME_TEXT_MAX];
    duration_format(end > start ? end - start : 0, lasted);
    time_format((int64_t)start, text);
    figure(p, "When (UTC)");
    buffer_printf(&p->line, "%.10s %.5s<small>for %s</small></dd></div>\n", text, text + 11, lasted);
}

static void put_rare(struct page *p, const json_t *lead)
{
    bool rule = !lead || (view_test(lead) < SCORE_TEST_COUNT && score_test_is_rule(view_test(lead)));
    figure(p, "How often without cause");
    if (rule)
        html(p, "a rule forbids it");
    else
        page_rate(p, view_real(lead, "rate"));
    html(p, "<small>of hosts like this one</small></dd></div>\n");
}

static void put_five(struct page *p, const json_t *finding)
{
    const json_t *day = NULL, *lead = lead_part(finding, &day);
    html(p, "<dl class=\"five\">\n");
    put_sent(p, finding);
    put_usual(p, lead);
    put_where(p, finding);
    put_when(p, finding);
    put_rare(p, lead);
    html(p, "</dl>\n");
}

/* ---- who, when, how much at most ---- */

/* The text without that beginning. */
static struct slice behind(struct slice text, struct slice begin)
{
    bool has = text.n > begin.n && memcmp(text.p, begin.p, begin.n) == 0;
    return has ? (struct slice){text.p + begin.n, text.n - begin.n} : text;
}

static void put_host(struct page *p, const json_t *finding)
{
    const json_t *resource = view_item(finding, "resources", 0), *peer = view_item(finding, "evidences", 0);
    html_section(p, "Who and where");
    html(p, "<table>\n<tbody>\n");
    html_row(p, "Host", view_text(resource, "ip"));
    html_row(p, "Name", view_text(resource, "name"));
    html_row(p, "Role", view_text(finding, "unmapped.weir.role"));
    html_row(p, "Sensitive", view_bool(finding, "unmapped.weir.sensitive") ? SLICE_LIT("yes, by its role") : SLICE_LIT(""));
    html_row(p, "Interface", view_text(resource, "uid"));
    html_row(p, "Subnet", view_text(peer, "src_endpoint.subnet_uid"));
    html_row(p, "VPC", view_text(peer, "src_endpoint.vpc_uid"));
    html_row(p, "Account", view_text(finding, "cloud.account.uid"));
    html_row(p, "Region", view_text(finding, "cloud.region"));
    html_row(p, "Consistent with", behind(view_text(finding, "finding_info.desc"), SLICE_LIT("Consistent with ")));
    html(p, "</tbody>\n</table>\n");
    html_peers(p, finding);
    html(p, "</section>\n");
}

static void put_day_line(struct page *p, const json_t *day)
{
    uint64_t hour = 24;
    for (size_t i = 0; i < view_count(day, "parts"); i++) {
        const json_t *part = view_item(day, "parts", i);
        if (view_bool(part, "raised") && view_u64(part, "since_hour") < hour) hour = view_u64(part, "since_hour");
    }
    html(p, "<li>");
    html_path(p, day, "day");
    html(p, ": score ");
    page_fixed(p, view_real(day, "score"), 3);
    if (hour < 24)
        buffer_printf(&p->line, ", enough to raise at the end of hour %02" PRIu64 " (UTC)", hour);
    else
        html(p, ", raised by the day as a whole");
    html(p, "</li>\n");
}

static void put_timeline(struct page *p, const json_t *finding)
{
    html_section(p, "Timeline (UTC)");
    html(p, "<ol>\n<li>");
    page_when(p, finding, "start_time");
    html(p, ": the first record of the claim starts</li>\n<li>");
    page_when(p, finding, "finding_info.created_time");
    html(p, ": the logs could tell at the earliest</li>\n");
    for (size_t i = 0; i < view_count(finding, "unmapped.weir.days") && i < 64; i++) put_day_line(p, view_item(finding, "unmapped.weir.days", i));
    html(p, "<li>");
    page_when(p, finding, "end_time");
    html(p, ": the last record of the claim ends</li>\n");
    if (view_bool(finding, "unmapped.weir.closed")) html(p, "<li>A quiet day followed: the finding is complete.</li>\n");
    html(p, "</ol>\n</section>\n");
}

static void put_bounds(struct page *p, const char *name, struct slice who, uint64_t least, uint64_t most, bool bounded)
{
    html(p, "<tr><td data-l=\"Of\">");
    html(p, name);
    html_text(p, who);
    html(p, "</td><td class=\"num\" data-l=\"At least\">");
    html_bytes(p, least);
    html(p, "</td><td class=\"num\" data-l=\"At most\">");
    if (bounded)
        html_bytes(p, most);
    else
        html(p, "not known: the day is open");
    html(p, "</td></tr>\n");
}

#define CLOCK_PEERS 10

static void put_clock(struct page *p, const json_t *finding)
{
    struct clock c;
    clock_of(finding, &c);
    html_section(p, "Breach clock");
    html(p, "<table class=\"stack\">\n<thead><tr><th scope=\"col\">Bytes out</th><th scope=\"col\" class=\"num\">At least</th><th scope=\"col\" class=\"num\">At most</th></tr></thead>\n<tbody>\n");
    put_bounds(p, "the host ", view_text(view_item(finding, "resources", 0), "ip"), c.least, c.most, c.bounded);
    for (size_t i = 0; i < view_count(finding, "evidences") && i < CLOCK_PEERS; i++) {
        uint64_t least, most;
        clock_of_peer(&c, view_item(finding, "evidences", i), &least, &most);
        put_bounds(p, "to ", view_text(view_item(finding, "evidences", i), "dst_endpoint.ip"), least, most, c.bounded);
    }
    html(p, "</tbody>\n</table>\n<p>First byte ");
    put_time(p, c.first_s);
    html(p, ", last byte ");
    put_time(p, c.last_s);
    html(p, ". The logs could tell at the earliest ");
    put_time(p, c.known_s);
    html(p, "; sixty days from there end on <strong>");
    char due[TIME_TEXT_MAX];
    time_format(c.due_s, due);
    buffer_printf(&p->line, "%.10s</strong>.</p>\n<p class=\"soft\">", due);
    if (c.gap_hours) {
        html(p, "At most: in ");
        page_count(p, c.gap_hours, "hour");
        html(p, " the log has gaps; each is taken to have hidden no more than the largest hour that was seen.");
    } else {
        html(p, "The log has no gaps on these days.");
    }
    html(p, " Whether the law calls this a breach, and when its time runs out, is for a lawyer to say.</p>\n</section>\n");
}

/* ---- what is left ---- */

static void put_doubt(struct page *p, const json_t *finding, const char *path, const char *what, const char *text)
{
    uint64_t v = view_u64(finding, path);
    if (!v) return;
    html(p, "<li>");
    page_count(p, v, what);
    html(p, text);
    html(p, "</li>\n");
}

static void put_unknown(struct page *p, const json_t *finding)
{
    html_section(p, "What is not known");
    html(p, "<ul>\n");
    put_doubt(p, finding, "unmapped.weir.bytes_unplaced", "byte", " of the claim without a place: the objects could not be read again");
    put_doubt(p, finding, "unmapped.weir.peers_more", "more peer", " in the claim, not listed");
    put_doubt(p, finding, "unmapped.weir.bytes_more", "byte", " went to peers that are not listed");
    html(p, "<li>What the bytes were, which program or person sent them, and whether they were encrypted: flow logs tell addresses and amounts only.</li>\n"
            "<li>What AWS does not log: traffic to its DNS server, to the metadata service, DHCP, and what passes no logged interface.</li>\n</ul>\n</section>\n");
}

static void put_command(struct page *p, const char *before, struct slice id, const char *after)
{
    html(p, "<pre>");
    html(p, before);
    html_text(p, (struct slice){id.p, id.n < SHORT_ID ? id.n : SHORT_ID});
    html(p, after);
    html(p, "</pre>\n");
}

static void put_steps(struct page *p, const json_t *finding)
{
    struct slice id = view_text(finding, "finding_info.uid");
    html_section(p, "Next steps");
    html(p, "<ol>\n<li>Ask the owner of the host whether this was meant: a backup, a migration, a new customer.</li>\n"
            "<li>If nobody knows it: block the peers in the security group or network ACL, take a snapshot of the disk and the memory before anything is "
            "restarted, and look for what ran on the host at that time.</li>\n");
    if (view_bool(finding, "unmapped.weir.sensitive")) html(p, "<li>Tell the privacy officer now: the host's role is sensitive, and the clock above runs.</li>\n");
    html(p, "<li>Check every number by hand:\n");
    put_command(p, "weir explain --raw ", id, "");
    html(p, "</li>\n<li>Keep what stands in an audit, and check it at any time:\n");
    put_command(p, "weir evidence ", id, " -o DIR &amp;&amp; weir verify DIR");
    html(p, "</li>\n<li>Say what it was, so that weir learns it, or never does:\n");
    put_command(p, "weir mark ", id, " benign --reason TEXT");
    put_command(p, "weir mark ", id, " true --reason TEXT");
    html(p, "</li>\n</ol>\n</section>\n");
}

static void put_foot(struct page *p, const json_t *finding)
{
    size_t days = view_count(finding, "unmapped.weir.history");
    html(p, "<footer>\n<p>weir ");
    html_path(p, finding, "metadata.product.version");
    html(p, ", model ");
    html_path(p, finding, "unmapped.weir.model");
    html(p, ", configuration <code>");
    html_path(p, finding, "unmapped.weir.config");
    html(p, "</code>, finding <code>");
    html_path(p, finding, "metadata.uid");
    html(p, "</code>. Baseline of the host: ");
    page_count(p, view_u64(view_item(finding, "unmapped.weir.days", 0), "host_days"), "learned day");
    html(p, ", of which ");
    page_count(p, days, "day");
    html(p, " are drawn.</p>\n</footer>\n</article>\n");
}

/* About weir itself: no host, no bytes, no model. */
static void put_operational(struct page *p, const json_t *finding)
{
    html_section(p, "Next steps");
    html(p, "<p>");
    html_path(p, finding, "finding_info.desc");
    html(p, "</p>\n</section>\n</article>\n");
}

void html_finding(struct page *p, const json_t *finding, size_t number, const struct places_asked *asked)
{
    put_title(p, finding, number);
    put_mark(p, finding);
    if (view_text(finding, "unmapped.weir.operational").n) {
        put_operational(p, finding);
        return;
    }
    put_suppression(p, finding);
    put_five(p, finding);
    html_plots(p, finding, number);
    put_host(p, finding);
    html_parts(p, finding);
    html_ruled_out(p, finding);
    put_timeline(p, finding);
    put_clock(p, finding);
    put_unknown(p, finding);
    html_places(p, finding, asked);
    put_steps(p, finding);
    put_foot(p, finding);
}
