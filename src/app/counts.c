/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of a run, added up and told: one JSON object for machines, a few lines for people.
 * The law: read = counted + rejected + duplicate. */
#include <inttypes.h>
#include <string.h>

#include "app/pipeline.h"

uint64_t run_records_counted(const struct run_counts *c) { return c->records.emitted; }

uint64_t run_records_rejected(const struct run_counts *c)
{
    uint64_t n = c->records_in_rejected_objects;
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        n += c->records.rejected[i];
    return n;
}

uint64_t run_records_read(const struct run_counts *c) { return c->records.lines + c->records_in_rejected_objects; }

uint64_t run_objects_rejected(const struct run_counts *c)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < SOURCE_REJECT_COUNT; i++)
        n += c->objects_bad_source[i];
    for (unsigned i = 0; i < BAD_COUNT; i++)
        n += c->objects_bad_text[i];
    return n;
}

/* Of an object to a run, or of a run to those before it; hosts, findings shown and seconds are figures of one run. */
void run_counts_add(struct run_counts *to, const struct run_counts *from)
{
    to->objects_done += from->objects_done;
    to->objects_duplicate += from->objects_duplicate;
    for (unsigned i = 0; i < SOURCE_REJECT_COUNT; i++)
        to->objects_bad_source[i] += from->objects_bad_source[i];
    for (unsigned i = 0; i < BAD_COUNT; i++)
        to->objects_bad_text[i] += from->objects_bad_text[i];
    decode_counts_add(&to->records, &from->records);
    to->records_in_rejected_objects += from->records_in_rejected_objects;
    to->records_late += from->records_late;
    to->records_future += from->records_future;
    for (unsigned i = 0; i < FLOW_VERDICTS; i++) {
        to->flows[i] += from->flows[i];
        to->flow_bytes[i] = sat_add(to->flow_bytes[i], from->flow_bytes[i]);
    }
    to->bytes_stored += from->bytes_stored;
    to->bytes_inflated += from->bytes_inflated;
    for (unsigned i = 0; i < 8; i++)
        to->source_notes[i] += from->source_notes[i];
    to->folded += from->folded;
    to->objects_listed += from->objects_listed;
    to->objects_skipped += from->objects_skipped;
    to->findings_new += from->findings_new;
    for (unsigned i = 0; i < WEIR_COUNT(to->findings_by_severity); i++)
        to->findings_by_severity[i] += from->findings_by_severity[i];
    to->days_closed += from->days_closed;
    to->checkpoints += from->checkpoints;
    if (from->first_s && (!to->first_s || from->first_s < to->first_s))
        to->first_s = from->first_s;
    if (from->last_s > to->last_s)
        to->last_s = from->last_s;
}

/* By bit of enum source_note. */
static const char *const source_note_words[] = {"empty-object", "padding", "plain-named-gz", "nested-gzip", "gzip-without-suffix", "multi-member",
                                                "trailing-garbage"};

static void number(struct buffer *out, const char *key, uint64_t value)
{
    buffer_printf(out, ",\"%s\":%" PRIu64, key, value);
}

static void begin(struct buffer *out, const char *key) { buffer_printf(out, ",\"%s\":{", key); }

/* The first member of an object was written with a comma in front: take it out. */
static void end(struct buffer *out, size_t from)
{
    if (!out->err && out->n > from && out->p[from] == ',') {
        memmove(out->p + from, out->p + from + 1, out->n - from - 1);
        out->n--;
    }
    buffer_puts(out, "}");
}

static void rejects_json(const struct run_counts *c, struct buffer *out)
{
    begin(out, "rejects");
    size_t from = out->n;
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        if (c->records.rejected[i])
            number(out, decode_reject_word((enum decode_reject)i), c->records.rejected[i]);
    if (c->records_in_rejected_objects)
        number(out, "in-rejected-object", c->records_in_rejected_objects);
    end(out, from);
    begin(out, "object_rejects");
    from = out->n;
    for (unsigned i = 1; i < SOURCE_REJECT_COUNT; i++)
        if (c->objects_bad_source[i])
            number(out, source_reject_word((enum source_reject)i), c->objects_bad_source[i]);
    for (unsigned i = 1; i < BAD_COUNT; i++)
        if (c->objects_bad_text[i])
            number(out, decode_bad_word((enum decode_bad)i), c->objects_bad_text[i]);
    end(out, from);
    begin(out, "notes");
    from = out->n;
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        if (c->records.notes[i])
            number(out, decode_note_word((enum decode_note)i), c->records.notes[i]);
    for (unsigned i = 0; i < WEIR_COUNT(source_note_words); i++)
        if (c->source_notes[i])
            number(out, source_note_words[i], c->source_notes[i]);
    end(out, from);
}

static void flows_json(const struct run_counts *c, struct buffer *out)
{
    begin(out, "flows");
    size_t from = out->n;
    for (unsigned i = 0; i < FLOW_VERDICTS; i++)
        if (i != FLOW_HINTED && i != FLOW_PENDING) /* counted as charged */
            number(out, flow_verdict_word((enum flow_verdict)i), c->flows[i]);
    end(out, from);
    begin(out, "flow_bytes");
    from = out->n;
    for (unsigned i = 0; i < FLOW_VERDICTS; i++)
        if (i != FLOW_HINTED && i != FLOW_PENDING)
            number(out, flow_verdict_word((enum flow_verdict)i), c->flow_bytes[i]);
    end(out, from);
}

void run_summary_json(const struct run_counts *c, struct buffer *out)
{
    buffer_puts(out, "{\"objects\":{");
    buffer_printf(out, "\"listed\":%" PRIu64 ",\"done\":%" PRIu64 ",\"duplicate\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"skipped\":%" PRIu64 "}",
                  c->objects_listed, c->objects_done, c->objects_duplicate, run_objects_rejected(c), c->objects_skipped);
    buffer_printf(out, ",\"records\":{\"read\":%" PRIu64 ",\"counted\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"duplicate\":0,\"late\":%" PRIu64
                       ",\"future\":%" PRIu64 "}",
                  run_records_read(c), run_records_counted(c), run_records_rejected(c), c->records_late, c->records_future);
    buffer_printf(out, ",\"log_status\":{\"OK\":%" PRIu64 ",\"NODATA\":%" PRIu64 ",\"SKIPDATA\":%" PRIu64 "}", c->records.by_status[STATUS_OK],
                  c->records.by_status[STATUS_NODATA], c->records.by_status[STATUS_SKIPDATA]);
    buffer_printf(out, ",\"action\":{\"ACCEPT\":%" PRIu64 ",\"REJECT\":%" PRIu64 ",\"none\":%" PRIu64 "}", c->records.by_action[ACTION_ACCEPT],
                  c->records.by_action[ACTION_REJECT], c->records.by_action[ACTION_NONE]);
    rejects_json(c, out);
    flows_json(c, out);
    number(out, "gaps", c->records.by_status[STATUS_SKIPDATA]);
    number(out, "missing_hours", c->missing_hours);
    number(out, "silent_interfaces", c->silent_interfaces);
    number(out, "hosts", c->hosts);
    number(out, "host_days", c->host_days);
    number(out, "interfaces", c->interfaces);
    number(out, "suspected_forwarders", c->suspected_forwarders);
    number(out, "unresolved_bytes", c->unresolved_bytes);
    number(out, "folded", c->folded);
    number(out, "findings", c->findings);
    number(out, "findings_new", c->findings_new);
    number(out, "days_closed", c->days_closed);
    number(out, "checkpoints", c->checkpoints);
    buffer_printf(out, ",\"bytes\":{\"stored\":%" PRIu64 ",\"inflated\":%" PRIu64 "}", c->bytes_stored, c->bytes_inflated);
    buffer_printf(out, ",\"store\":{\"rollbacks\":%" PRIu64 ",\"reconnects\":%" PRIu64 ",\"unreplicated\":%" PRIu64 ",\"waited_s\":%.3f}", c->store_rollbacks,
                  c->store_reconnects, c->store_unreplicated, c->store_waited_s);
    buffer_printf(out, ",\"seconds\":%.3f}\n", c->seconds);
}

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

static void reject_lines(const struct run_counts *c, struct buffer *out)
{
    for (unsigned i = 1; i < SOURCE_REJECT_COUNT; i++)
        if (c->objects_bad_source[i])
            buffer_printf(out, "  %" PRIu64 " object%s rejected (%s): %s\n", c->objects_bad_source[i], plural(c->objects_bad_source[i]), source_reject_word((enum source_reject)i),
                          source_reject_text((enum source_reject)i));
    for (unsigned i = 1; i < BAD_COUNT; i++)
        if (c->objects_bad_text[i])
            buffer_printf(out, "  %" PRIu64 " object%s rejected (%s): %s\n", c->objects_bad_text[i], plural(c->objects_bad_text[i]), decode_bad_word((enum decode_bad)i),
                          decode_bad_text((enum decode_bad)i));
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        if (c->records.rejected[i])
            buffer_printf(out, "  %" PRIu64 " record%s rejected (%s): %s\n", c->records.rejected[i], plural(c->records.rejected[i]), decode_reject_word((enum decode_reject)i),
                          decode_reject_text((enum decode_reject)i));
    if (c->records_in_rejected_objects)
        buffer_printf(out, "  %" PRIu64 " records not counted: their object was rejected\n", c->records_in_rejected_objects);
}

static void doubt_lines(const struct run_counts *c, struct buffer *out)
{
    if (c->records.by_status[STATUS_SKIPDATA])
        buffer_printf(out, "  %" PRIu64 " gap%s: records were lost there (SKIPDATA, or packets of a capture); sums around them are lower bounds\n",
                      c->records.by_status[STATUS_SKIPDATA], plural(c->records.by_status[STATUS_SKIPDATA]));
    if (c->missing_hours)
        buffer_printf(out, "  %" PRIu64 " hour%s of flow logs without any object: see weir coverage\n", c->missing_hours, plural(c->missing_hours));
    if (c->silent_interfaces)
        buffer_printf(out, "  %" PRIu64 " interface%s fell silent: see weir coverage\n", c->silent_interfaces, plural(c->silent_interfaces));
    if (c->records_late)
        buffer_printf(out, "  %" PRIu64 " records came too late and were not used: their day was closed by later records; count oldest first\n",
                      c->records_late);
    if (c->records_future)
        buffer_printf(out, "  %" PRIu64 " records lie in the future and were not summed\n", c->records_future);
    if (c->suspected_forwarders)
        buffer_printf(out, "  %" PRIu64 " suspected forwarder%s: see the log, and name the true ones in networks.forwarders\n",
                      c->suspected_forwarders, plural(c->suspected_forwarders));
    if (c->folded)
        buffer_printf(out, "  %" PRIu64 " flow%s folded: a limit of window.* was reached\n", c->folded, plural(c->folded));
    if (c->source_notes[6])
        buffer_printf(out, "  %" PRIu64 " objects with bytes behind their gzip data, which were passed over\n", c->source_notes[6]);
    if (c->flows[FLOW_UNKNOWN])
        buffer_printf(out, "  %" PRIu64 " flow%s of unknown owner: name your networks in networks.own\n", c->flows[FLOW_UNKNOWN], plural(c->flows[FLOW_UNKNOWN]));
}

void run_summary_text(const struct run_counts *c, struct buffer *out)
{
    char inflated[BYTES_TEXT_MAX], rate[BYTES_TEXT_MAX];
    double seconds = c->seconds > 0.001 ? c->seconds : 0.001;
    bytes_format(c->bytes_inflated, inflated);
    bytes_format((uint64_t)((double)c->bytes_inflated / seconds), rate);
    buffer_printf(out, "%" PRIu64 " of %" PRIu64 " objects counted", c->objects_done, c->objects_listed);
    if (c->objects_duplicate)
        buffer_printf(out, ", %" PRIu64 " already counted", c->objects_duplicate);
    buffer_printf(out, "; %" PRIu64 " records, %" PRIu64 " rejected; %" PRIu64 " host%s; %" PRIu64 " finding%s\n", run_records_read(c),
                  run_records_rejected(c), c->hosts, plural(c->hosts), c->findings, plural(c->findings));
    if (!c->objects_listed)
        buffer_puts(out, "  nothing to count: there are no objects in the paths given\n");
    if (c->first_s) {
        char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
        time_format(c->first_s, from);
        time_format(c->last_s, to);
        buffer_printf(out, "  from %s to %s\n", from, to);
    }
    buffer_printf(out, "  %s in %.1f s, %s/s\n", inflated, c->seconds, rate);
    if (c->first_day)
        buffer_puts(out, "  no day is closed yet: there is nothing to compare with, so only rules find something until one is\n");
    reject_lines(c, out);
    doubt_lines(c, out);
}
