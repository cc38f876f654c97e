/* What every reader gives: records, notes and rejects, counted in one place, so that the law lines = emitted + rejects is kept by
 * all of them. The hot loop of the text reader counts by itself (block.h). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/reader.h"

#define PLACES_PER_REASON 8
#define PLACE_TEXT_MAX 200

void decode_emit(struct decode_out *out, const struct record *r)
{
    out->counts.lines++;
    out->counts.emitted++;
    out->counts.by_status[r->status]++;
    out->counts.by_action[r->action] += r->status == STATUS_OK;
    out->sink.emit(out->sink.ctx, r);
}

void decode_refuse(struct decode_out *out, enum decode_reject why, uint64_t line, unsigned field, struct slice text)
{
    out->counts.lines++;
    if (++out->counts.rejected[why] > PLACES_PER_REASON || !out->sink.reject)
        return;
    struct decode_place place = {.line = line, .why = why, .text = text};
    if (place.text.n > PLACE_TEXT_MAX)
        place.text.n = PLACE_TEXT_MAX;
    if (field < FIELD_COUNT)
        place.field = slice_of(decode_field_name((enum decode_field)field));
    out->sink.reject(out->sink.ctx, &place);
}

void decode_note(struct decode_out *out, enum decode_note which)
{
    out->counts.notes[which]++;
}

void decode_notes(struct decode_out *out, uint32_t notes)
{
    for (; notes; notes &= notes - 1) {
        unsigned which = (unsigned)__builtin_ctz(notes);
        out->counts.notes[which] += which != NOTE_TIMES_IN_MS || out->counts.notes[which] == 0;
    }
}

enum weir_err decode_spoil(struct decode_out *out, enum decode_bad why, const char *detail)
{
    out->bad = why;
    return fault_set(&out->fault, WEIR_UNSUPPORTED, "%s%s%s", decode_bad_text(why), *detail ? ": " : "", detail);
}
