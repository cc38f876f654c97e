/* Objects: bytes in any split become lines; a line cut by the end of a chunk is carried into the headroom of the next.
 *
 * An object is before its layout (no header, no configured layout, no proof of default v2 yet) or has one. The first line
 * with content decides, in the order of first_line() below. Later headers switch the layout. Wrapped records need no
 * newline between them, so a line that starts with '{' is eaten object by object, even where its end has not come yet.
 * A line longer than DECODE_LINE_MAX is rejected when that is known and dropped up to the next newline. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/internal.h"

/* The fastest that this processor can run. */
static block_reader *pick_block_reader(void)
{
    if (block_reader_avx512())
        return block_reader_avx512();
    return block_reader_avx2() ? block_reader_avx2() : block_plain;
}

struct decoder *decoder_new(const struct layout *configured, struct decode_sink sink)
{
    struct decoder *d = malloc(sizeof *d); /* half a MiB: not cleared as a whole, decoder_begin sets what counts */
    if (!d)
        return NULL;
    d->configured = configured;
    d->out.sink = sink;
    d->out.pass_over = 0;
    d->out.growth = (struct decode_growth){NULL, 0};
    memset(d->state, 0, sizeof d->state);
    buffer_init(&d->held.memory, STREAM_HELD_BYTES);
    d->block = pick_block_reader();
    decoder_begin(d);
    return d;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    readers_close(d->state);
    buffer_fini(&d->held.memory);
    free(d);
}

void decoder_begin(struct decoder *d)
{
    memset(&d->program, 0, sizeof d->program);
    memset(&d->record, 0, sizeof d->record);
    memset(&d->out.counts, 0, sizeof d->out.counts);
    memset(&d->layout, 0, sizeof d->layout);
    memset(&d->out.fault, 0, sizeof d->out.fault);
    d->has_layout = d->from_header = d->guessed = d->prefix = d->begun = d->skipping = false;
    d->out.bad = BAD_NONE;
    d->line_no = 1;
    d->carried = 0;
}

enum decode_bad decoder_bad(const struct decoder *d)
{
    return d->out.bad;
}

struct decode_growth decoder_growth(const struct decoder *d)
{
    return d->out.growth;
}

void decoder_pass_over(struct decoder *d, uint64_t records)
{
    d->out.pass_over = records;
}

const struct decode_counts *decoder_counts(const struct decoder *d)
{
    return &d->out.counts;
}

const struct layout *decoder_layout(const struct decoder *d)
{
    return &d->layout;
}

void decoder_note(struct decoder *d, uint32_t notes)
{
    decode_notes(&d->out, notes);
}

static void note(struct decoder *d, enum decode_note which)
{
    decode_note(&d->out, which);
}

static void reject(struct decoder *d, enum decode_reject why, unsigned field, struct slice text)
{
    decode_refuse(&d->out, why, d->line_no, field, text);
}

/* The whole object is refused; false, so that `return spoil(...)` reads well. */
static bool spoil(struct decoder *d, enum decode_bad why, const char *detail)
{
    d->out.bad = why;
    fault_set(&d->out.fault, WEIR_UNSUPPORTED, "line %llu: %s%s%s", (unsigned long long)d->line_no, decode_bad_text(why),
              *detail ? ": " : "", detail);
    return false;
}

/* ---- layouts ---- */

static void layout_install(struct decoder *d, const struct layout *layout, bool guessed)
{
    d->layout = *layout;
    d->has_layout = true;
    d->guessed = guessed;
    d->from_header = false;
    memset(&d->record, 0, sizeof d->record); /* absent columns read as 0 */
    d->record.transit_gateway = layout->transit_gateway;
    program_make(&d->program, layout, guessed);
    if (!(d->program.has & (1ULL << FIELD_END)))
        note(d, NOTE_NO_END);
    if (!(d->program.has & (1ULL << FIELD_ACTION)) && !layout->transit_gateway)
        note(d, NOTE_NO_ACTION);
}

static bool layout_suffices(struct decoder *d, const struct layout *layout)
{
    struct buffer words;
    buffer_init(&words, sizeof d->out.fault.text);
    layout_missing(layout, &words);
    bool ok = words.n == 0 || spoil(d, BAD_HEADER_MISSING, buffer_cstr(&words));
    buffer_fini(&words);
    return ok;
}

static void header_note(struct decoder *d, const struct layout *layout)
{
    if (!d->has_layout)
        return;
    bool same = d->from_header && layout->columns == d->layout.columns &&
                memcmp(layout->field, d->layout.field, sizeof layout->field) == 0;
    note(d, same ? NOTE_HEADER_REPEATED : NOTE_HEADER_CHANGED);
}

static void header_take(struct decoder *d, struct slice line)
{
    struct layout layout;
    struct slice unknown;
    struct fault fault;
    enum weir_err err = layout_parse(line, &layout, &unknown, &fault);
    if (err) {
        spoil(d, err == WEIR_LIMIT ? BAD_HEADER_TOO_WIDE : BAD_HEADER_DUPLICATE, fault.text);
        return;
    }
    if (unknown.p)
        note(d, NOTE_UNKNOWN_FIELD);
    header_note(d, &layout);
    if (layout_suffices(d, &layout))
        layout_install(d, &layout, false);
    d->from_header = true;
}

/* Is this line, by itself, certainly default v2? */
static bool proves_v2(struct decoder *d, const struct layout *layout, struct slice line)
{
    struct program pg;
    struct verdict v;
    program_make(&pg, layout, true);
    if (!line_decode(&pg, line, &d->bench, &d->record, &v))
        return false;
    return d->record.interface.n == 0 || (d->record.interface.n > 4 && memcmp(d->record.interface.p, "eni-", 4) == 0);
}

/* The first record line of an object without header. True: there is a layout now. */
static bool first_record(struct decoder *d, struct slice line)
{
    bool prefix = d->prefix || time_prefix(line) > 0;
    struct layout layout;
    if (d->configured)
        layout = *d->configured;
    else
        layout_default(&layout);
    layout.timestamp_prefix |= prefix;
    if (!d->configured && has_control_byte(line))
        return spoil(d, BAD_NOT_TEXT, "");
    if (!d->configured && !proves_v2(d, &layout, line))
        return spoil(d, looks_like_other_log(line) ? BAD_OTHER_LOG : BAD_NO_HEADER, "");
    if (!layout_suffices(d, &layout))
        return false;
    if (!d->configured)
        note(d, NOTE_NO_HEADER);
    if (layout.timestamp_prefix && !d->prefix)
        note(d, NOTE_TIMESTAMP_PREFIX);
    layout_install(d, &layout, !d->configured);
    return true;
}

/* Headers and what comes before the layout. True: the line is a record, to be read by the layout. */
static bool first_line(struct decoder *d, struct slice line)
{
    if (looks_binary(line))
        return spoil(d, BAD_NOT_TEXT, "");
    if (is_console_header(line)) {
        d->prefix = true;
        note(d, NOTE_TIMESTAMP_PREFIX);
        return false;
    }
    if (layout_is_header(line)) {
        header_take(d, line);
        return false;
    }
    return first_record(d, line);
}

/* ---- lines ---- */

static void emit(struct decoder *d, uint32_t notes)
{
    struct record *r = &d->record;
    r->line = d->line_no;
    decoder_note(d, notes);
    d->out.counts.lines++;
    d->out.counts.emitted++;
    d->out.counts.by_status[r->status]++;
    d->out.counts.by_action[r->action] += r->status == STATUS_OK;
    d->out.sink.emit(d->out.sink.ctx, r);
}

/* A trimmed line with content, not wrapped. Headers are looked for only in lines that are no records: no header is one,
 * since srcaddr is needed and its name is no address. */
static void plain_line(struct decoder *d, struct slice line)
{
    struct verdict v;
    if (line.p[0] == '#') {
        note(d, NOTE_COMMENT);
        return;
    }
    if (!d->has_layout && !first_line(d, line))
        return;
    if (line_decode(&d->program, line, &d->bench, &d->record, &v))
        emit(d, v.notes);
    else if (layout_is_header(line))
        header_take(d, line);
    else if (is_console_header(line))
        note(d, NOTE_HEADER_REPEATED);
    else
        reject(d, v.why, v.field, line);
}

static bool starts_with_bom(const struct decoder *d, struct slice text)
{
    return !d->begun && text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;
}

/* Text without byte order mark (at the start of the object) and blanks in front, up to the length that a line may have. */
static struct slice lead(const struct decoder *d, struct slice text)
{
    size_t skip = starts_with_bom(d, text) ? 3 : 0;
    size_t n = text.n < DECODE_LINE_MAX ? text.n : DECODE_LINE_MAX;
    while (skip < n && is_blank(text.p[skip]))
        skip++;
    return (struct slice){text.p + skip, n - skip};
}

static void begin(struct decoder *d, struct slice text)
{
    if (starts_with_bom(d, text))
        note(d, NOTE_BOM);
    d->begun = true;
}

static void wrapped_take(struct decoder *d, struct slice inner)
{
    note(d, NOTE_WRAPPED);
    inner = line_trim(inner);
    if (inner.n)
        plain_line(d, inner);
}

/* One wrapped record at the start of text. Bytes eaten; 0: with *lost, no such record and the line is given up, else its
 * end has not come yet. */
static size_t wrapped_record(struct decoder *d, struct slice text, bool whole, bool *lost)
{
    struct slice open = lead(d, text), inner;
    size_t used = 0;
    enum wrap found = wrap_open(open, d->unescaped, &inner, &used);
    bool too_long = found == WRAP_MORE && text.n > DECODE_LINE_MAX;
    *lost = found == WRAP_BAD || too_long || (found == WRAP_MORE && whole);
    if (found == WRAP_MORE && !*lost)
        return 0;
    begin(d, text);
    if (found == WRAP_TAKEN)
        wrapped_take(d, inner);
    else if (!d->has_layout && !d->configured)
        spoil(d, BAD_OTHER_LOG, "");
    else
        reject(d, too_long ? REJECT_LINE_TOO_LONG : found == WRAP_ESCAPE ? REJECT_CONTROL_BYTE : REJECT_FIELD_COUNT, FIELD_COUNT, open);
    return *lost ? 0 : (size_t)(open.p - text.p) + used;
}

static bool is_wrapped(const struct decoder *d, struct slice text)
{
    struct slice open = lead(d, text);
    return open.n && open.p[0] == '{';
}

/* A line too long before any layout: what kind of text is this? */
static void long_first_line(struct decoder *d, struct slice line)
{
    if (looks_binary(line) || memchr(line.p, '\0', line.n))
        spoil(d, BAD_NOT_TEXT, "");
    else if (memchr(line.p, '\r', line.n))
        spoil(d, BAD_ONE_LINE, "");
    else if (looks_like_other_log(line))
        spoil(d, BAD_OTHER_LOG, "");
}

static void too_long(struct decoder *d, struct slice text)
{
    if (!d->has_layout && !d->configured)
        long_first_line(d, lead(d, text));
    begin(d, text);
    if (!d->out.bad)
        reject(d, REJECT_LINE_TOO_LONG, FIELD_COUNT, text);
}

void decoder_line(struct decoder *d, struct slice text)
{
    bool lost = false;
    while (!d->out.bad && !lost && is_wrapped(d, text)) {
        size_t used = wrapped_record(d, text, true, &lost);
        text = (struct slice){text.p + used, text.n - used};
    }
    if (d->out.bad || lost)
        return;
    if (text.n > DECODE_LINE_MAX) {
        too_long(d, text);
        return;
    }
    struct slice line = line_trim(lead(d, text));
    begin(d, text);
    if (line.n)
        plain_line(d, line);
}

/* ---- bytes ---- */

/* Drop the rest of a rejected line. Bytes eaten. */
static size_t skip_line(struct decoder *d, struct slice text)
{
    const char *newline = memchr(text.p, '\n', text.n);
    if (!newline)
        return text.n;
    d->skipping = false;
    d->line_no++;
    return (size_t)(newline - text.p) + 1;
}

/* Text in which the block reader found no whole line. Bytes eaten; 0: the rest is to be carried. */
static size_t slow_text(struct decoder *d, struct slice text)
{
    size_t near = text.n < DECODE_LINE_MAX + 1 ? text.n : DECODE_LINE_MAX + 1, used = 0;
    const char *newline = memchr(text.p, '\n', near);
    if (newline) {
        decoder_line(d, (struct slice){text.p, (size_t)(newline - text.p)});
        d->line_no++;
        return (size_t)(newline - text.p) + 1;
    }
    if (is_wrapped(d, text)) {
        used = wrapped_record(d, text, false, &d->skipping);
    } else if (text.n > DECODE_LINE_MAX) {
        too_long(d, text);
        d->skipping = true;
    }
    return used;
}

static size_t lines(struct decoder *d, struct slice text)
{
    size_t at = 0;
    bool more = true;
    while (more && at < text.n && !d->out.bad) {
        struct slice rest = {text.p + at, text.n - at};
        size_t used = d->skipping ? skip_line(d, rest) : d->block(d, rest.p, rest.n < BLOCK_BYTES ? rest.n : BLOCK_BYTES, rest.n);
        if (!used && !d->out.bad)
            used = slow_text(d, rest);
        more = used || d->skipping;
        at += used;
    }
    return at;
}

static enum weir_err outcome(const struct decoder *d, struct fault *fault)
{
    if (!d->out.bad)
        return WEIR_OK;
    if (fault)
        *fault = d->out.fault;
    return WEIR_UNSUPPORTED;
}

enum weir_err decoder_feed(struct decoder *d, char *p, size_t n, struct fault *fault)
{
    if (d->out.bad || n == 0)
        return outcome(d, fault);
    struct slice text = {p - d->carried, n + d->carried};
    memcpy(p - d->carried, d->carry, d->carried);
    size_t used = lines(d, text);
    d->carried = d->out.bad ? 0 : text.n - used;
    memcpy(d->carry, text.p + used, d->carried);
    return outcome(d, fault);
}

enum weir_err decoder_end(struct decoder *d, struct fault *fault)
{
    struct slice rest = {d->carry, d->carried};
    bool cut_by_cr = rest.n && memchr(rest.p, '\r', rest.n - 1);
    bool one_line = d->line_no == 1 && d->out.counts.emitted == 0 && (d->skipping || cut_by_cr);
    if (!d->out.bad && one_line)
        spoil(d, BAD_ONE_LINE, "");
    else if (!d->out.bad && rest.n)
        decoder_line(d, rest);
    d->carried = 0;
    return outcome(d, fault);
}
