/* The breach clock of a finding.
 *
 *   least = bytes of the listed peers + of the others + those counted whose records could not be read again
 *   most  = least + gaps * the largest hour of the finding        one peer: + what is unplaced, too
 *
 * A gap is an hour in which the flow log skipped records (SKIPDATA). That no hour with a gap hid more than the largest hour that was seen is an
 * assumption, and it is told. Sixty days run from the hour in which the logs could tell at the earliest, since that is when it could have been
 * known: 45 CFR 164.404(b) and 164.404(a)(2), "by exercising reasonable diligence would have been known".
 * SPDX-License-Identifier: Apache-2.0 */
#include "sink/clock.h"

#include <inttypes.h>

static uint64_t times(uint64_t a, uint64_t b) { uint64_t m; return __builtin_mul_overflow(a, b, &m) ? UINT64_MAX : m; }

void clock_of(const json_t *finding, struct clock *out)
{
    uint64_t largest = 0;
    *out = (struct clock){.unplaced = view_u64(finding, "unmapped.weir.bytes_unplaced"), .bounded = !view_bool(finding, "unmapped.weir.open"),
                          .first_s = (int64_t)(view_u64(finding, "start_time") / 1000), .last_s = (int64_t)(view_u64(finding, "end_time") / 1000),
                          .known_s = (int64_t)(view_u64(finding, "finding_info.created_time") / 1000)};
    for (size_t d = 0; d < view_count(finding, "unmapped.weir.days"); d++) {
        const json_t *day = view_item(finding, "unmapped.weir.days", d);
        out->gap_hours += (unsigned)__builtin_popcountll(view_u64(day, "gap_hours") & 0xffffff);
        for (size_t h = 0; h < view_count(day, "hours") && h < 24; h++) {
            uint64_t bytes = view_u64(view_item(day, "hours", h), "");
            largest = bytes > largest ? bytes : largest;
        }
    }
    out->least = sat_add(view_u64(finding, "unmapped.weir.bytes"), out->unplaced);
    out->gap_bytes = times(largest, out->gap_hours);
    out->most = sat_add(out->least, out->gap_bytes);
    out->due_s = (out->known_s / DAY_S + CLOCK_DAYS) * DAY_S;
}

void clock_of_peer(const struct clock *all, const json_t *peer, uint64_t *least, uint64_t *most)
{
    *least = view_u64(peer, "data.bytes");
    *most = sat_add(*least, sat_add(all->unplaced, all->gap_bytes));
}

static void put_time(struct buffer *out, const char *key, int64_t s)
{
    char text[TIME_TEXT_MAX];
    time_format(s, text);
    buffer_printf(out, ",\"%s\":\"%s\"", key, text);
}

static void put_peer(struct buffer *out, const struct clock *c, const json_t *peer, bool first)
{
    uint64_t least, most;
    clock_of_peer(c, peer, &least, &most);
    buffer_puts(out, first ? "\n{\"peer\":" : ",\n{\"peer\":");
    escape_json(out, view_text(peer, "dst_endpoint.ip"));
    buffer_printf(out, ",\"bytes_least\":%" PRIu64, least);
    if (c->bounded) buffer_printf(out, ",\"bytes_most\":%" PRIu64, most);
    buffer_puts(out, ",\"first\":");
    escape_json(out, view_text(peer, "data.first_seen"));
    buffer_puts(out, ",\"last\":");
    escape_json(out, view_text(peer, "data.last_seen"));
    buffer_puts(out, "}");
}

enum weir_err sink_clock(struct slice finding_json, struct buffer *out, struct fault *fault)
{
    struct clock c;
    json_t *finding = view_load(finding_json, fault);
    if (!finding) return WEIR_CORRUPT;
    clock_of(finding, &c);
    buffer_puts(out, "{\"finding\":");
    escape_json(out, view_text(finding, "finding_info.uid"));
    buffer_puts(out, ",\"host\":");
    escape_json(out, view_text(view_item(finding, "resources", 0), "ip"));
    buffer_printf(out, ",\"bytes_least\":%" PRIu64, c.least);
    if (c.bounded) buffer_printf(out, ",\"bytes_most\":%" PRIu64, c.most);
    buffer_printf(out, ",\"gap_hours\":%u,\"gap_bytes\":%" PRIu64 ",\"bytes_unplaced\":%" PRIu64, c.gap_hours, c.gap_bytes, c.unplaced);
    put_time(out, "first", c.first_s);
    put_time(out, "last", c.last_s);
    put_time(out, "known", c.known_s);
    put_time(out, "sixty_days", c.due_s);
    buffer_puts(out, ",\"peers\":[");
    for (size_t i = 0; i < view_count(finding, "evidences"); i++) put_peer(out, &c, view_item(finding, "evidences", i), i == 0);
    buffer_puts(out, "]}\n");
    json_decref(finding);
    return out->err ? fault_set(fault, out->err, "cannot tell the breach clock: %s", weir_err_text(out->err)) : WEIR_OK;
}
