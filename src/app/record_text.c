/* SPDX-License-Identifier: Apache-2.0 */
/* See record_text.h. What a record does not tell is '-', as in a log; a captured one tells no interface. */
#include "app/record_text.h"

#include <inttypes.h>

static void put_number(const struct record *r, enum decode_field f, uint64_t value, struct buffer *out)
{
    if (r->has >> f & 1)
        buffer_printf(out, " %" PRIu64, value);
    else
        buffer_puts(out, " -");
}

static void put_address(const struct record *r, enum decode_field f, struct ip a, struct buffer *out)
{
    char text[IP_TEXT_MAX];
    ip_format(a, text);
    buffer_printf(out, " %s", r->has >> f & 1 ? text : "-");
}

void record_text(const struct record *r, struct buffer *out)
{
    static const char *const actions[] = {"-", "ACCEPT", "REJECT"}, *const statuses[] = {"OK", "NODATA", "SKIPDATA"};
    buffer_slice(out, r->interface.n ? r->interface : SLICE_LIT("-"));
    put_address(r, FIELD_SRCADDR, r->src, out);
    put_address(r, FIELD_DSTADDR, r->dst, out);
    put_number(r, FIELD_SRCPORT, r->src_port, out);
    put_number(r, FIELD_DSTPORT, r->dst_port, out);
    put_number(r, FIELD_PROTOCOL, r->protocol, out);
    put_number(r, FIELD_PACKETS, r->packets, out);
    put_number(r, FIELD_BYTES, r->bytes, out);
    put_number(r, FIELD_START, (uint64_t)r->start_s, out);
    put_number(r, FIELD_END, (uint64_t)r->end_s, out);
    buffer_printf(out, " %s %s", actions[r->action], statuses[r->status]);
    put_number(r, FIELD_TCP_FLAGS, r->tcp_flags, out);
}
