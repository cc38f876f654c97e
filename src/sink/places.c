/* The places of explain: for each peer the objects and lines whose bytes add up to the claim, and the sum written out,
 * so that a person can add them up with another tool. Long lists are cut and the cut is counted; sums are of everything.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sink/sink_private.h"

#define LIST_MAX 20
#define HANG 8

struct sums {
    uint64_t records, bytes;
};

const char *protocol_word(uint64_t number)
{
    switch (number) {
    case 1: return "ICMP";
    case 6: return "TCP";
    case 17: return "UDP";
    case 58: return "ICMPv6";
    default: return NULL;
    }
}

static void say_protocol(struct page *p, const json_t *peer)
{
    uint64_t number = view_u64(peer, "connection_info.protocol_num"), port = view_u64(peer, "dst_endpoint.port");
    uint64_t own = view_u64(peer, "src_endpoint.port");
    const char *word = protocol_word(number);
    if (word)
        buffer_printf(&p->line, ", %s", word);
    else
        buffer_printf(&p->line, ", protocol %" PRIu64, number);
    if (port) buffer_printf(&p->line, " port %" PRIu64, port);
    if (own) buffer_printf(&p->line, " from port %" PRIu64 " of the host", own);
}

static void say_peer(struct page *p, const json_t *peer)
{
    struct slice country = view_text(peer, "dst_endpoint.location.country"), as = view_text(peer, "dst_endpoint.autonomous_system.name");
    uint64_t asn = view_u64(peer, "dst_endpoint.autonomous_system.number");
    buffer_puts(&p->line, "  ");
    page_text(p, view_text(peer, "dst_endpoint.ip"));
    say_protocol(p, peer);
    if (country.n) {
        buffer_puts(&p->line, ", ");
        page_text(p, country);
    }
    if (asn) buffer_printf(&p->line, ", AS%" PRIu64 " ", asn);
    page_text(p, as);
    buffer_puts(&p->line, view_bool(peer, "data.initiated") ? ", opened by the host" : ", not opened by the host");
    buffer_puts(&p->line, view_bool(peer, "data.new") ? ", new to the host: " : ", known to the host: ");
    page_count(p, view_u64(peer, "data.bytes"), "byte");
    if (slice_eq(view_text(peer, "data.test"), slice_of(score_test_word(SCORE_POLICY)))) {
        buffer_puts(&p->line, " both ways, from ");
    } else {
        buffer_puts(&p->line, " out, ");
        page_count(p, view_u64(peer, "data.bytes_in"), "byte");
        buffer_puts(&p->line, " in, from ");
    }
    page_text(p, view_text(peer, "data.first_seen"));
    buffer_puts(&p->line, " to ");
    page_text(p, view_text(peer, "data.last_seen"));
    page_end(p, HANG - 4);
}

/* "812,815-820" with a blank after each comma, so that it can be wrapped; the rest is counted. */
static void say_ranges(struct page *p, struct slice lines, bool all)
{
    size_t shown = 0;
    while (lines.n && (all || shown < LIST_MAX)) {
        const char *comma = memchr(lines.p, ',', lines.n);
        size_t n = comma ? (size_t)(comma - lines.p) : lines.n;
        buffer_puts(&p->line, shown++ ? ", " : "");
        page_text(p, (struct slice){lines.p, n});
        n += comma != NULL;
        lines = (struct slice){lines.p + n, lines.n - n};
    }
    size_t more = lines.n > 0;
    for (size_t i = 0; i < lines.n; i++) more += lines.p[i] == ',';
    if (!more) return;
    buffer_puts(&p->line, " and ");
    page_count(p, more, "more range");
}

static void say_lines(struct page *p, const json_t *object, bool all)
{
    struct slice lines = view_text(object, "lines");
    buffer_puts(&p->line, "      ");
    page_count(p, view_u64(object, "records"), "record");
    buffer_puts(&p->line, ", ");
    page_count(p, view_u64(object, "bytes"), "byte");
    if (lines.n) {
        bool one = !memchr(lines.p, ',', lines.n) && !memchr(lines.p, '-', lines.n);
        buffer_puts(&p->line, one ? ": line " : ": lines ");
        say_ranges(p, lines, all);
    } else {
        buffer_puts(&p->line, ": among ");
        page_range(p, view_u64(object, "first_line"), view_u64(object, "last_line"), 1, "line");
    }
    page_end(p, HANG);
}

/* The name that tells most: what the ledger knows, else the key of the object, else its id. */
static void say_object(struct page *p, const json_t *object, const struct places_asked *asked)
{
    struct slice hex = view_text(object, "sha256"), key = view_text(object, "key");
    struct sha256 id;
    struct buffer name;
    buffer_init(&name, 1u << 16);
    if (asked->name_of && hex_decode(hex, id.b, SHA256_BYTES) == WEIR_OK) asked->name_of(asked->ctx, &id, &name);
    if (name.n && !name.err) key = (struct slice){name.p, name.n};
    buffer_puts(&p->line, "    ");
    page_text(p, key);
    buffer_puts(&p->line, key.n ? " (sha256 " : "(sha256 ");
    page_text(p, hex);
    buffer_puts(&p->line, ")");
    page_end(p, HANG - 2);
    buffer_fini(&name);
}

static struct sums sums_of(const json_t *peer)
{
    struct sums sums = {0, 0};
    for (size_t i = 0; i < view_count(peer, "data.objects"); i++) {
        const json_t *object = view_item(peer, "data.objects", i);
        sums.records = sat_add(sums.records, view_u64(object, "records"));
        sums.bytes = sat_add(sums.bytes, view_u64(object, "bytes"));
    }
    return sums;
}

static void say_cut(struct page *p, const char *indent, size_t shown, size_t all, const char *what)
{
    if (shown >= all) return;
    buffer_printf(&p->line, "%s... and ", indent);
    page_count(p, all - shown, what);
    buffer_puts(&p->line, " (see --all-lines)");
    page_end(p, HANG);
}

static void say_places_of(struct page *p, const json_t *peer, const struct places_asked *asked)
{
    size_t objects = view_count(peer, "data.objects"), shown = objects;
    if (shown > LIST_MAX && !asked->all_lines) shown = LIST_MAX;
    say_peer(p, peer);
    for (size_t i = 0; i < shown; i++) {
        say_object(p, view_item(peer, "data.objects", i), asked);
        say_lines(p, view_item(peer, "data.objects", i), asked->all_lines);
    }
    say_cut(p, "    ", shown, objects, "more object");
}

static int by_text(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    return slice_cmp(*x, *y);
}

/* Objects named anywhere, each once: one object may hold lines of several peers. */
static size_t distinct_objects(const json_t *finding)
{
    size_t n = 0, k = 0, distinct = 0;
    for (size_t i = 0; i < view_count(finding, "evidences"); i++) n += view_count(view_item(finding, "evidences", i), "data.objects");
    struct slice *id = n ? calloc(n, sizeof *id) : NULL;
    if (!id) return n;
    for (size_t i = 0; i < view_count(finding, "evidences"); i++) {
        const json_t *peer = view_item(finding, "evidences", i);
        for (size_t o = 0; o < view_count(peer, "data.objects"); o++) id[k++] = view_text(view_item(peer, "data.objects", o), "sha256");
    }
    qsort(id, n, sizeof *id, by_text);
    for (size_t i = 0; i < n; i++) distinct += i == 0 || !slice_eq(id[i], id[i - 1]);
    free(id);
    return distinct;
}

/* "412 records in 18 objects, 41,095,890,520 bytes = the claim", or what is missing to it. */
static void say_sum(struct page *p, const json_t *finding)
{
    uint64_t claim = view_u64(finding, "unmapped.weir.bytes");
    struct sums all = {0, 0};
    for (size_t i = 0; i < view_count(finding, "evidences"); i++) {
        struct sums one = sums_of(view_item(finding, "evidences", i));
        all.records = sat_add(all.records, one.records);
        all.bytes = sat_add(all.bytes, one.bytes);
    }
    buffer_puts(&p->line, "  sum: ");
    page_count(p, all.records, "record");
    buffer_puts(&p->line, " in ");
    page_count(p, distinct_objects(finding), "object");
    buffer_puts(&p->line, ", ");
    page_count(p, all.bytes, "byte");
    buffer_puts(&p->line, all.bytes == claim ? " = the claim" : " of the ");
    if (all.bytes != claim) {
        page_commas(p, claim);
        buffer_puts(&p->line, " claimed");
    }
    page_end(p, HANG);
}

void explain_places(struct page *p, const json_t *finding, const struct places_asked *asked)
{
    size_t peers = view_count(finding, "evidences"), shown = peers;
    if (shown > LIST_MAX && !asked->all_lines) shown = LIST_MAX;
    page_heading(p, "Where the bytes are");
    for (size_t i = 0; i < shown; i++) say_places_of(p, view_item(finding, "evidences", i), asked);
    say_cut(p, "  ", shown, peers, "more peer");
    say_sum(p, finding);
}
