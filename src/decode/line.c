/* The careful way: one line with any separators, and the readers that know why a value is refused. The line is copied
 * into padded memory, so that the fast readers of values.h may be used; the slices of the record are moved back
 * onto the caller's bytes afterwards. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/walk.h"

#define TIME_SHAPE "dddd-dd-ddTdd:dd:dd"

static bool slice_is(struct slice a, const char *word)
{
    return slice_eq(a, slice_of(word));
}

static bool is_absent(struct slice text)
{
    return text.n == 0 || (text.n == 1 && text.p[0] == '-');
}

struct rare rare_number(struct slice text, uint64_t max)
{
    struct rare found = {.why = REJECT_COUNT, .absent = is_absent(text)};
    if (found.absent)
        return found;
    enum weir_err err = parse_u64(text, max, &found.value);
    if (err)
        found.why = err == WEIR_RANGE ? REJECT_NUMBER_RANGE : REJECT_NUMBER;
    return found;
}

struct rare rare_seconds(struct slice text)
{
    struct rare found = rare_number(text, UINT64_MAX);
    if (found.why == REJECT_NUMBER_RANGE)
        found.why = REJECT_TIME_RANGE;
    if (found.absent || found.why != REJECT_COUNT)
        return found;
    if (found.value / 1000 >= TIME_MIN_S && found.value / 1000 < TIME_END_S) {
        found.value /= 1000;
        found.notes = NOTE_BIT(TIMES_IN_MS);
    }
    if (found.value < TIME_MIN_S || found.value >= TIME_END_S)
        found.why = REJECT_TIME_RANGE;
    return found;
}

struct rare rare_ip(struct slice text)
{
    struct rare found = {.why = REJECT_COUNT, .absent = is_absent(text)};
    if (!found.absent && ip_parse(text, &found.ip) != WEIR_OK)
        found.why = REJECT_ADDRESS;
    return found;
}

/* Not ACCEPT and not REJECT. */
struct rare rare_action(struct slice text)
{
    bool absent = is_absent(text);
    return (struct rare){.why = absent ? REJECT_COUNT : REJECT_ACTION, .absent = absent};
}

/* Not OK. Absent and unknown words count as OK: the record stands for itself if it is complete. */
struct rare rare_status(struct slice text)
{
    struct rare found = {.why = REJECT_COUNT, .absent = is_absent(text), .value = STATUS_OK};
    if (slice_is(text, "NODATA"))
        found.value = STATUS_NODATA;
    else if (slice_is(text, "SKIPDATA"))
        found.value = STATUS_SKIPDATA;
    else
        found.notes = NOTE_BIT(ODD_STATUS);
    return found;
}

bool rare_is_forwarder(struct slice text)
{
    static const char *const kinds[] = {"nat_gateway", "regional_nat_gateway", "network_load_balancer", "transit_gateway",
                                        "vpc_endpoint"};
    for (size_t i = 0; i < WEIR_COUNT(kinds); i++)
        if (slice_is(text, kinds[i]))
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ISO time in UTC as CloudWatch exports write it, or the milliseconds of a console table. Only the shape is looked at: the
 * record has its own times. */
bool is_time(struct slice text)
{
    static const char shape[] = TIME_SHAPE;
    size_t n = sizeof shape - 1, digits = 0;
    while (digits < text.n && is_digit(text.p[digits]))
        digits++;
    if (digits == text.n)
        return digits >= 10 && digits <= 13;
    if (text.n < n + 1 || text.n > n + 11 || text.p[text.n - 1] != 'Z')
        return false;
    for (size_t i = 0; i < n; i++)
        if (shape[i] == 'd' ? !is_digit(text.p[i]) : text.p[i] != shape[i])
            return false;
    return true;
}

size_t time_prefix(struct slice line)
{
    size_t n = 0;
    while (n < line.n && n < 40 && !is_blank(line.p[n]) && line.p[n] != ',')
        n++;
    if (n == line.n || !is_time((struct slice){line.p, n}))
        return 0;
    return n + 1;
}

struct slice line_trim(struct slice line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    while (line.n && is_blank(line.p[line.n - 1]))
        line.n--;
    while (line.n && is_blank(line.p[0])) {
        line.p++;
        line.n--;
    }
    return line;
}

bool has_control_byte(struct slice line)
{
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < ' ' && line.p[i] != '\t')
            return true;
    return false;
}

/* One more column, or false when the line has more than any layout. Offsets are from the copy's start. */
static bool add_column(struct workbench *w, unsigned *columns, struct slice token)
{
    if (*columns > DECODE_COLUMNS_MAX)
        return false;
    uint32_t from = (uint32_t)(token.p - w->copy);
    w->before[*columns] = from - 1;
    w->end[(*columns)++] = from + (uint32_t)token.n;
    return true;
}

static unsigned split(struct workbench *w, struct slice rest, size_t prefix)
{
    unsigned columns = 0;
    struct slice token;
    if (prefix) {
        add_column(w, &columns, (struct slice){rest.p, prefix - 1});
        rest = line_trim((struct slice){rest.p + prefix, rest.n - prefix});
        if (rest.n >= 2 && rest.p[0] == '"' && rest.p[rest.n - 1] == '"') /* a quoted cell of the console's table */
            rest = (struct slice){rest.p + 1, rest.n - 2};
    }
    bool comma = comma_separated(rest);
    while (token_next(&rest, comma, &token) && add_column(w, &columns, token))
        continue;
    return columns;
}

static void move_slice(struct slice *s, const char *from, const char *to)
{
    s->p = s->p ? to + (s->p - from) : NULL;
}

static bool refuse(struct verdict *v, enum decode_reject why)
{
    *v = (struct verdict){.why = why, .field = FIELD_COUNT};
    return false;
}

static bool line_walk(const struct program *pg, struct workbench *b, struct record *r, struct verdict *v)
{
    struct walk w = {.pg = pg, .base = b->copy, .before = b->before, .end = b->end, .r = r, .why = REJECT_COUNT, .field = FIELD_COUNT};
    bool ok = walk_line(&w);
    *v = (struct verdict){.why = w.why, .field = w.field, .notes = w.notes};
    return ok;
}

bool line_decode(const struct program *pg, struct slice line, struct workbench *w, struct record *r, struct verdict *v)
{
    struct slice *const borrowed[] = {&r->account, &r->interface, &r->vpc, &r->subnet, &r->instance};
    size_t prefix = 0;
    if (line.n > DECODE_LINE_MAX)
        return refuse(v, REJECT_LINE_TOO_LONG);
    if (has_control_byte(line))
        return refuse(v, REJECT_CONTROL_BYTE);
    if (pg->prefix && !(prefix = time_prefix(line)))
        return refuse(v, REJECT_TIMESTAMP);
    memcpy(w->copy, line.p, line.n);
    memset(w->copy + line.n, 0, DECODE_PAD);
    if (split(w, (struct slice){w->copy, line.n}, prefix) != pg->columns)
        return refuse(v, REJECT_FIELD_COUNT);
    for (size_t i = 0; i < WEIR_COUNT(borrowed); i++)
        *borrowed[i] = (struct slice){NULL, 0};
    bool ok = line_walk(pg, w, r, v);
    for (size_t i = 0; i < WEIR_COUNT(borrowed); i++)
        move_slice(borrowed[i], w->copy, line.p);
    r->text = line;
    return ok;
}

enum weir_err decode_line(const struct layout *layout, struct slice line, struct record *out, enum decode_reject *why,
                          unsigned *field, uint32_t *notes)
{
    struct workbench w;
    struct program pg;
    struct verdict v;
    if (line.n && line.p[line.n - 1] == '\n')
        line.n--;
    program_make(&pg, layout, false);
    memset(out, 0, sizeof *out);
    out->transit_gateway = layout->transit_gateway;
    bool ok = line_decode(&pg, line_trim(line), &w, out, &v);
    *why = v.why;
    *field = v.field;
    if (notes)
        *notes = v.notes;
    return ok ? WEIR_OK : WEIR_SYNTAX;
}
