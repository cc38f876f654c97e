/* The table for people: a row of facts, the sentence below, and the command that tells more. Rows are written as they
 * come, so columns have fixed places; what is longer pushes the rest, and what passes the edge goes to the next line.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "sink/sink_private.h"

#define INDENT 4
#define SHORT_ID 16 /* "wf1-" and 12 digits */

enum { AT_WHEN = 10, AT_HOST = 28, BYTES_END = 54, AT_PEER = 56 };

static void right_bytes(struct page *p, uint64_t v)
{
    char text[FINDING_BYTES_TEXT_MAX];
    finding_bytes(v, text);
    page_pad(p, BYTES_END - slice_of(text).n);
    buffer_puts(&p->line, text);
}

static void row_peer(struct page *p, const json_t *finding)
{
    const json_t *first = view_item(finding, "evidences", 0);
    uint64_t more = view_u64(finding, "unmapped.weir.peers_more");
    if (view_u64(finding, "unmapped.weir.bytes_more") < view_u64(first, "data.bytes") / 100) more = 0; /* crumbs */
    struct slice country = view_text(first, "dst_endpoint.location.country");
    if (!first) {
        buffer_puts(&p->line, "-");
        return;
    }
    page_text(p, view_text(first, "dst_endpoint.ip"));
    if (country.n) {
        buffer_puts(&p->line, " ");
        page_text(p, country);
    }
    more = sat_add(more, view_count(finding, "evidences") - 1);
    if (more) buffer_printf(&p->line, " +%llu", (unsigned long long)more);
}

static void row(struct page *p, const json_t *finding)
{
    unsigned severity = (unsigned)view_u64(finding, "severity_id");
    char when[TIME_TEXT_MAX];
    for (const char *word = finding_severity_word(severity); *word; word++) buffer_u8(&p->line, (uint8_t)toupper((unsigned char)*word));
    size_t painted = p->line.n;
    time_format((int64_t)(view_u64(finding, "start_time") / 1000), when);
    page_pad(p, AT_WHEN);
    buffer_printf(&p->line, "%.10s %.5s", when, when + 11);
    page_pad(p, AT_HOST);
    bool operational = view_text(finding, "unmapped.weir.operational").n > 0;
    page_text(p, view_text(view_item(finding, "resources", 0), operational ? "name" : "ip"));
    if (!operational) right_bytes(p, view_u64(finding, "unmapped.weir.bytes"));
    page_pad(p, AT_PEER);
    row_peer(p, finding);
    page_end_painted(p, INDENT, severity_colour(severity), painted);
}

static void heading(struct page *p)
{
    buffer_puts(&p->line, "SEVERITY");
    page_pad(p, AT_WHEN);
    buffer_puts(&p->line, "SINCE (UTC)");
    page_pad(p, AT_HOST);
    buffer_puts(&p->line, "HOST");
    page_pad(p, BYTES_END - 5);
    buffer_puts(&p->line, "BYTES  PEER");
    page_end_painted(p, 0, COLOUR_BOLD, p->line.n);
}

/* As a word of a shell: in quotes when it holds more than plain letters. */
static void hint_store(struct page *p)
{
    const char *url = p->style.store;
    if (!url) return;
    bool plain = url[strspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+,.:/@%=")] == '\0';
    buffer_puts(&p->line, plain ? "--store " : "--store '");
    for (size_t n; *url; url += n) {
        n = strcspn(url, "'");
        if (n)
            page_text(p, (struct slice){url, n});
        else
            buffer_puts(&p->line, "'\\''"), n = 1;
    }
    buffer_puts(&p->line, plain ? " " : "' ");
}

void say_mark(struct page *p, const json_t *finding, size_t indent)
{
    struct slice verdict = view_text(finding, "unmapped.weir.mark.verdict"), when = view_text(finding, "unmapped.weir.mark.time");
    if (!verdict.n) return;
    if (indent) page_pad(p, indent);
    buffer_puts(&p->line, "marked ");
    page_text(p, verdict);
    buffer_puts(&p->line, " on ");
    page_text(p, (struct slice){when.p, when.n < 10 ? when.n : 10});
    buffer_puts(&p->line, ": ");
    page_text(p, view_text(finding, "unmapped.weir.mark.reason"));
    page_end(p, indent);
}

void say_suppression(struct page *p, const json_t *finding, size_t indent)
{
    struct slice name = view_text(finding, "unmapped.weir.suppression.name"), expires = view_text(finding, "unmapped.weir.suppression.expires");
    bool hidden = view_bool(finding, "unmapped.weir.suppression.hidden");
    if (!name.n) return;
    if (indent) page_pad(p, indent);
    buffer_puts(&p->line, hidden ? "suppressed by " : "has outgrown suppression ");
    page_text(p, name);
    if (hidden) {
        buffer_puts(&p->line, " until ");
        page_text(p, expires);
    } else {
        buffer_puts(&p->line, ": ");
        page_bytes(p, view_u64(finding, "unmapped.weir.suppression.largest_day"));
        buffer_puts(&p->line, " in a day, approved are ");
        page_bytes(p, view_u64(finding, "unmapped.weir.suppression.up_to"));
    }
    buffer_puts(&p->line, " (");
    page_text(p, view_text(finding, "unmapped.weir.suppression.owner"));
    buffer_puts(&p->line, "): ");
    page_text(p, view_text(finding, "unmapped.weir.suppression.reason"));
    page_end(p, indent);
}

void table_add(struct page *p, const json_t *finding, bool first)
{
    struct slice uid = view_text(finding, "finding_info.uid");
    if (first) heading(p);
    row(p, finding);
    page_pad(p, INDENT);
    page_text(p, view_text(finding, "message"));
    page_end(p, INDENT);
    say_mark(p, finding, INDENT);
    say_suppression(p, finding, INDENT);
    if (p->style.store && !*p->style.store) return;
    page_pad(p, INDENT);
    buffer_puts(&p->line, "weir explain ");
    hint_store(p);
    page_text(p, (struct slice){uid.p, uid.n < SHORT_ID ? uid.n : SHORT_ID});
    page_end_whole(p);
}
