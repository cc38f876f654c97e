/* One hostile line, by one of several layouts (first byte). Claims: no byte past the line is read; a record that is accepted
 * gives the same record when its text is read again; the decoder, fed the same line as part of an object, comes to the same
 * record or the same reason, on both fast paths; every line is either emitted or rejected. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/internal.h"

#define CLAIM(x) ((x) ? (void)0 : abort())

#define RICH "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags " \
             "pkt-srcaddr pkt-dstaddr flow-direction traffic-path reject-reason resource-id interface-type vpc-id subnet-id " \
             "instance-id instance-tag"
#define TRANSIT "version resource-type account-id tgw-id tgw-attachment-id tgw-src-eni srcaddr dstaddr srcport dstport protocol " \
                "packets bytes start end log-status"
static const char *const headers[] = {
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
    RICH,
    "srcaddr dstaddr bytes start interface-id",
    TRANSIT,
    "srcaddr bytes",
};
#define SUFFICIENT 4 /* the first four can be used by the decoder */

struct seen {
    struct record r;
    size_t records;
    bool same;
};

static bool same_record(const struct record *a, const struct record *b)
{
    return a->has == b->has && a->bytes == b->bytes && a->packets == b->packets && a->start_s == b->start_s && a->end_s == b->end_s &&
           ip_eq(a->src, b->src) && ip_eq(a->dst, b->dst) && ip_eq(a->pkt_src, b->pkt_src) && ip_eq(a->pkt_dst, b->pkt_dst) &&
           a->src_port == b->src_port && a->dst_port == b->dst_port && a->tcp_flags == b->tcp_flags && a->protocol == b->protocol &&
           a->traffic_path == b->traffic_path && a->action == b->action && a->status == b->status && a->direction == b->direction &&
           a->forwarder_type == b->forwarder_type && a->transit_gateway == b->transit_gateway && slice_eq(a->account, b->account) &&
           slice_eq(a->interface, b->interface) && slice_eq(a->vpc, b->vpc) && slice_eq(a->subnet, b->subnet) &&
           slice_eq(a->instance, b->instance) && slice_eq(a->text, b->text);
}

static void compare(void *ctx, const struct record *r)
{
    struct seen *seen = ctx;
    seen->records++;
    seen->same = seen->same && same_record(&seen->r, r);
}

static void claim_same_in_object(const char *header, struct slice line, const struct record *r, const struct verdict *v, bool plain)
{
    static char memory[DECODE_HEADROOM + 3 * DECODE_LINE_MAX];
    char *text = memory + DECODE_HEADROOM;
    static struct seen seen;
    static struct decoder *d; /* kept: half a MiB a run would be the cost of the run */
    static block_reader *fast;
    struct buffer object;
    if (!d) {
        d = decoder_new(NULL, (struct decode_sink){&seen, compare, NULL});
        CLAIM(d);
        fast = d->block;
    }
    seen = (struct seen){.r = *r, .same = true};
    d->block = plain ? block_plain : fast;
    decoder_begin(d);
    buffer_init(&object, 2 * DECODE_LINE_MAX);
    buffer_puts(&object, header);
    for (int i = 0; i < 2; i++) {
        buffer_puts(&object, "\n");
        buffer_slice(&object, line);
    }
    buffer_puts(&object, "\nx\n");
    CLAIM(object.err == WEIR_OK);
    memcpy(text, object.p, object.n);
    CLAIM(decoder_feed(d, text, object.n, NULL) == WEIR_OK && decoder_end(d, NULL) == WEIR_OK);
    const struct decode_counts *c = decoder_counts(d);
    CLAIM(c->lines == 3 && c->emitted == seen.records && seen.same);
    CLAIM(v->why == REJECT_COUNT ? c->emitted == 2 : c->rejected[v->why] >= 2);
    buffer_fini(&object);
}

/* Lines that are no records to a decoder. */
static bool is_line_of_another_kind(struct slice line)
{
    struct slice trimmed = line_trim(line);
    return trimmed.n == 0 || trimmed.p[0] == '#' || trimmed.p[0] == '{' || layout_is_header(trimmed) || is_console_header(trimmed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct layout layout;
    struct record r, again;
    struct verdict v, v2;
    if (size == 0 || size > 4096)
        return 0;
    unsigned which = data[0] % WEIR_COUNT(headers);
    struct slice line = {(const char *)data + 1, size - 1};
    const char *newline = memchr(data + 1, '\n', size - 1);
    if (newline)
        line.n = (size_t)(newline - line.p);
    CLAIM(layout_parse(slice_of(headers[which]), &layout, NULL, NULL) == WEIR_OK);
    layout.timestamp_prefix = data[0] >= 128;
    enum weir_err err = decode_line(&layout, line, &r, &v.why, &v.field, &v.notes);
    CLAIM((err == WEIR_OK) == (v.why == REJECT_COUNT));
    if (err == WEIR_OK) {
        CLAIM(decode_line(&layout, r.text, &again, &v2.why, &v2.field, &v2.notes) == WEIR_OK);
        CLAIM(same_record(&r, &again) && v.notes == v2.notes);
    }
    if (which < SUFFICIENT && !layout.timestamp_prefix && !is_line_of_another_kind(line)) {
        claim_same_in_object(headers[which], line, &r, &v, false);
        claim_same_in_object(headers[which], line, &r, &v, true);
    }
    return 0;
}
