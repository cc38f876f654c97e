/* CSV (RFC 4180): a row per finding and peer, one row for a finding without peers. Texts are quoted and cannot start a
 * formula; numbers stand bare; a number that is not known is an empty cell.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "sink/sink_private.h"

enum cell { TEXT, SEVERITY, NUMBER, KNOWN_NUMBER, REAL, WORD, MILLISECONDS };

/* Columns in order: title, kind, path below the finding or (from `peer` on) below the evidence. */
static const struct column {
    const char *title;
    enum cell kind;
    bool of_peer;
    const char *path;
} columns[] = {
    {"uid", TEXT, false, "finding_info.uid"},
    {"severity_id", NUMBER, false, "severity_id"},
    {"severity", SEVERITY, false, "severity_id"},
    {"first_seen", MILLISECONDS, false, "start_time"},
    {"last_seen", MILLISECONDS, false, "end_time"},
    {"account", TEXT, false, "cloud.account.uid"},
    {"region", TEXT, false, "cloud.region"},
    {"interface", TEXT, true, "src_endpoint.interface_uid"},
    {"host", TEXT, true, "src_endpoint.ip"},
    {"peer", TEXT, true, "dst_endpoint.ip"},
    {"peer_port", KNOWN_NUMBER, true, "dst_endpoint.port"},
    {"host_port", KNOWN_NUMBER, true, "src_endpoint.port"},
    {"protocol", KNOWN_NUMBER, true, "connection_info.protocol_num"},
    {"country", TEXT, true, "dst_endpoint.location.country"},
    {"as_number", KNOWN_NUMBER, true, "dst_endpoint.autonomous_system.number"},
    {"as_name", TEXT, true, "dst_endpoint.autonomous_system.name"},
    {"bytes", KNOWN_NUMBER, true, "data.bytes"},
    {"packets", KNOWN_NUMBER, true, "data.packets"},
    {"records", KNOWN_NUMBER, true, "data.records"},
    {"bytes_in", KNOWN_NUMBER, true, "data.bytes_in"},
    {"peer_first_seen", TEXT, true, "data.first_seen"},
    {"peer_last_seen", TEXT, true, "data.last_seen"},
    {"new", WORD, true, "data.new"},
    {"test", TEXT, true, "data.test"},
    {"finding_bytes", NUMBER, false, "unmapped.weir.bytes"},
    {"score", REAL, false, "unmapped.weir.score"},
    {"learning", WORD, false, "unmapped.weir.learning"},
    {"open", WORD, false, "unmapped.weir.open"},
    {"message", TEXT, false, "message"},
};

void csv_header(struct buffer *out)
{
    for (size_t i = 0; i < WEIR_COUNT(columns); i++) buffer_printf(out, "%s\"%s\"", i ? "," : "", columns[i].title);
    buffer_puts(out, "\r\n");
}

static void put_time(struct buffer *out, uint64_t ms)
{
    char text[TIME_TEXT_MAX];
    time_format((int64_t)(ms / 1000), text);
    escape_csv(out, slice_of(text));
}

/* Thousandths by integers: no locale. */
static void put_real(struct buffer *out, double v)
{
    uint64_t thousandths = v > 0 && v < 1e12 ? (uint64_t)(v * 1000 + 0.5) : 0;
    buffer_printf(out, "%" PRIu64 ".%03" PRIu64, thousandths / 1000, thousandths % 1000);
}

static void put_cell(struct buffer *out, const struct column *c, const json_t *in)
{
    switch (c->kind) {
    case TEXT: escape_csv(out, view_text(in, c->path)); break;
    case SEVERITY: escape_csv(out, slice_of(finding_severity_word((unsigned)view_u64(in, c->path)))); break;
    case KNOWN_NUMBER:
        if (json_is_integer(view_at(in, c->path))) buffer_printf(out, "%" PRIu64, view_u64(in, c->path));
        break;
    case NUMBER: buffer_printf(out, "%" PRIu64, view_u64(in, c->path)); break;
    case REAL: put_real(out, view_real(in, c->path)); break;
    case WORD: escape_csv(out, view_at(in, c->path) ? slice_of(view_bool(in, c->path) ? "true" : "false") : slice_of("")); break;
    case MILLISECONDS: put_time(out, view_u64(in, c->path)); break;
    }
}

static void put_row(struct buffer *out, const json_t *finding, const json_t *peer)
{
    for (size_t i = 0; i < WEIR_COUNT(columns); i++) {
        if (i) buffer_u8(out, ',');
        put_cell(out, &columns[i], columns[i].of_peer ? peer : finding);
    }
    buffer_puts(out, "\r\n");
}

void csv_add(struct buffer *out, const json_t *finding)
{
    size_t peers = view_count(finding, "evidences");
    for (size_t i = 0; i < peers; i++) put_row(out, finding, view_item(finding, "evidences", i));
    if (!peers) put_row(out, finding, NULL);
}
