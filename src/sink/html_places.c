/* Peers, and the table of evidence: objects with their hashes and the lines whose bytes add up to the claim. Long lists are cut and the cut is
 * counted, so that a report stays small; `weir evidence` writes them in full.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "sink/html.h"

#define PEERS_SHOWN 20
#define OBJECTS_SHOWN 60
#define LINES_SHOWN 120 /* bytes of line ranges */
#define NAME_MAX_BYTES (1u << 16)

/* ---- peers ---- */

static void put_service(struct page *p, const json_t *peer)
{
    uint64_t port = view_u64(peer, "dst_endpoint.port"), own = view_u64(peer, "src_endpoint.port");
    const char *word = protocol_word(view_u64(peer, "connection_info.protocol_num"));
    if (word)
        html(p, word);
    else
        buffer_printf(&p->line, "protocol %" PRIu64, view_u64(peer, "connection_info.protocol_num"));
    if (port) buffer_printf(&p->line, " port %" PRIu64, port);
    if (own) buffer_printf(&p->line, " from port %" PRIu64, own);
    html(p, view_bool(peer, "data.initiated") ? "; opened by the host" : "; not opened by the host");
}

static void put_owner(struct page *p, const json_t *peer)
{
    struct slice country = view_text(peer, "dst_endpoint.location.country"), name = view_text(peer, "dst_endpoint.autonomous_system.name");
    uint64_t asn = view_u64(peer, "dst_endpoint.autonomous_system.number");
    html_text(p, country);
    if (asn) buffer_printf(&p->line, "%sAS%" PRIu64 " ", country.n ? ", " : "", asn);
    html_text(p, name);
    if (!country.n && !asn) html(p, "not known");
}

static void put_peer(struct page *p, const json_t *peer)
{
    html(p, "<tr><td class=\"ip\" data-l=\"Peer\">");
    html_path(p, peer, "dst_endpoint.ip");
    html(p, "</td><td data-l=\"Where\">");
    put_owner(p, peer);
    html(p, "</td><td data-l=\"How\">");
    put_service(p, peer);
    html(p, view_bool(peer, "data.new") ? "; new to the host" : "; known to the host");
    html(p, "</td><td class=\"num\" data-l=\"Out\">");
    page_bytes(p, view_u64(peer, "data.bytes"));
    html(p, "</td><td class=\"num\" data-l=\"In\">");
    page_bytes(p, view_u64(peer, "data.bytes_in"));
    html(p, "</td><td class=\"when\" data-l=\"From, to\">");
    html_path(p, peer, "data.first_seen");
    html(p, "<br>");
    html_path(p, peer, "data.last_seen");
    html(p, "</td></tr>\n");
}

void html_peers(struct page *p, const json_t *finding)
{
    size_t peers = view_count(finding, "evidences"), shown = peers < PEERS_SHOWN ? peers : PEERS_SHOWN;
    uint64_t more = sat_add(view_u64(finding, "unmapped.weir.peers_more"), peers - shown);
    html(p, "<table class=\"stack\">\n<thead><tr><th scope=\"col\">Peer</th><th scope=\"col\">Where</th><th scope=\"col\">How</th>"
            "<th scope=\"col\" class=\"num\">Out</th><th scope=\"col\" class=\"num\">In</th><th scope=\"col\">From, to</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < shown; i++) put_peer(p, view_item(finding, "evidences", i));
    html(p, "</tbody>\n</table>\n");
    if (!more) return;
    html(p, "<p class=\"soft\">And ");
    page_count(p, more, "more peer");
    html(p, ".</p>\n");
}

/* ---- places ---- */

static void put_lines(struct page *p, const json_t *object)
{
    struct slice lines = view_text(object, "lines");
    if (!lines.n) {
        buffer_printf(&p->line, "among %" PRIu64 " to %" PRIu64, view_u64(object, "first_line"), view_u64(object, "last_line"));
        return;
    }
    size_t n = lines.n < LINES_SHOWN ? lines.n : LINES_SHOWN;
    while (n < lines.n && n && lines.p[n - 1] != ',') n--;
    for (size_t from = 0; from < n;) {
        const char *comma = memchr(lines.p + from, ',', n - from);
        size_t to = comma ? (size_t)(comma - lines.p) + 1 : n;
        html_text(p, (struct slice){lines.p + from, to - from});
        html(p, comma ? " " : "");
        from = to;
    }
    size_t more = n < lines.n;
    for (size_t i = n; i < lines.n; i++) more += lines.p[i] == ',';
    if (!more) return;
    html(p, "and ");
    page_count(p, more, "more range");
}

static void put_place(struct page *p, const json_t *object, const json_t *peer, const struct places_asked *asked)
{
    struct slice hex = view_text(object, "sha256"), key = view_text(object, "key");
    struct sha256 id;
    struct buffer name;
    buffer_init(&name, NAME_MAX_BYTES);
    if (!key.n && asked->name_of && hex_decode(hex, id.b, SHA256_BYTES) == WEIR_OK) asked->name_of(asked->ctx, &id, &name);
    if (name.n && !name.err) key = (struct slice){name.p, name.n};
    html(p, "<tr><td data-l=\"Object\">");
    html_text(p, key);
    html(p, "<br><code>");
    html_text(p, hex);
    html(p, "</code></td><td class=\"ip\" data-l=\"Peer\">");
    html_path(p, peer, "dst_endpoint.ip");
    html(p, "</td><td data-l=\"Lines\">");
    put_lines(p, object);
    html(p, "</td><td class=\"num\" data-l=\"Records\">");
    page_commas(p, view_u64(object, "records"));
    html(p, "</td><td class=\"num\" data-l=\"Bytes\">");
    page_commas(p, view_u64(object, "bytes"));
    html(p, "</td></tr>\n");
    buffer_fini(&name);
}

static void put_sum(struct page *p, uint64_t records, uint64_t bytes, uint64_t claim)
{
    html(p, "<tr><th scope=\"row\" colspan=\"3\">Sum of all places</th><td class=\"num\" data-l=\"Records\">");
    page_commas(p, records);
    html(p, "</td><td class=\"num\" data-l=\"Bytes\">");
    page_commas(p, bytes);
    html(p, bytes == claim ? "<span class=\"soft\">= the claim" : "<span class=\"soft\">of the claimed ");
    if (bytes != claim) page_commas(p, claim);
    html(p, "</span></td></tr>\n");
}

void html_places(struct page *p, const json_t *finding, const struct places_asked *asked)
{
    uint64_t records = 0, bytes = 0;
    size_t places = 0;
    html_section(p, "Evidence");
    html(p, "<table class=\"stack\">\n<caption>The records whose bytes add up to the claim: log object with the SHA-256 of its stored bytes, and lines in it.</caption>\n"
            "<thead><tr><th scope=\"col\">Object</th><th scope=\"col\">Peer</th><th scope=\"col\">Lines</th><th scope=\"col\" class=\"num\">Records</th>"
            "<th scope=\"col\" class=\"num\">Bytes</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < view_count(finding, "evidences"); i++) {
        const json_t *peer = view_item(finding, "evidences", i);
        for (size_t o = 0; o < view_count(peer, "data.objects"); o++) {
            const json_t *object = view_item(peer, "data.objects", o);
            if (places++ < OBJECTS_SHOWN) put_place(p, object, peer, asked);
            records = sat_add(records, view_u64(object, "records"));
            bytes = sat_add(bytes, view_u64(object, "bytes"));
        }
    }
    put_sum(p, records, bytes, view_u64(finding, "unmapped.weir.bytes"));
    html(p, "</tbody>\n</table>\n");
    if (places > OBJECTS_SHOWN) {
        html(p, "<p class=\"soft\">And ");
        page_count(p, places - OBJECTS_SHOWN, "more place");
        html(p, ", counted in the sum.</p>\n");
    }
    html(p, "</section>\n");
}
