/* Header lines: from names to columns. AWS writes names with '-', Athena and Parquet with '_', the console and
 * Terraform as ${name}, people in any case: all mean the same field. A name that we do not know is a column that we
 * do not read, never a reason to fall back to a fixed layout (that fall-back is how others mislabel whole archives).
 * Source: AWS VPC user guide, "Flow log records". */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/internal.h"

#define NAME_MAX_BYTES 32 /* longer than the longest field name */
#define HEADER_TOKENS_MIN 2

bool token_next(struct slice *rest, bool comma, struct slice *token)
{
    size_t i = 0, from;
    while (!comma && i < rest->n && is_blank(rest->p[i]))
        i++;
    if (i == rest->n)
        return false;
    from = i;
    while (i < rest->n && (comma ? rest->p[i] != ',' : !is_blank(rest->p[i])))
        i++;
    *token = (struct slice){rest->p + from, i - from};
    i += i < rest->n;
    *rest = (struct slice){rest->p + i, rest->n - i};
    return true;
}

/* Re-exported tables: a line with commas and without any blank. */
bool comma_separated(struct slice line)
{
    bool comma = false;
    for (size_t i = 0; i < line.n; i++) {
        if (is_blank(line.p[i]))
            return false;
        comma |= line.p[i] == ',';
    }
    return comma;
}

static struct slice bare_name(struct slice name)
{
    if (name.n > 3 && name.p[0] == '$' && name.p[1] == '{' && name.p[name.n - 1] == '}')
        return (struct slice){name.p + 2, name.n - 3};
    return name;
}

/* Names with their lengths: archives of small objects are mostly headers, and most names differ in length already. */
#define NAME_AND_LENGTH(id, name) {name, sizeof name - 1},
static const struct slice field_names[] = {DECODE_FIELD_LIST(NAME_AND_LENGTH)};

enum decode_field layout_field(struct slice spelled)
{
    char plain[NAME_MAX_BYTES];
    struct slice name = bare_name(spelled);
    if (name.n == 0 || name.n > sizeof plain)
        return FIELD_UNKNOWN;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        plain[i] = (char)(c == '_' ? '-' : c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    for (unsigned f = 0; f < FIELD_COUNT; f++)
        if (field_names[f].n == name.n && memcmp(field_names[f].p, plain, name.n) == 0)
            return (enum decode_field)f;
    return FIELD_UNKNOWN;
}

bool layout_is_header(struct slice line)
{
    bool comma = comma_separated(line);
    struct slice token;
    unsigned tokens = 0, known = 0;
    while (tokens <= DECODE_COLUMNS_MAX && token_next(&line, comma, &token)) {
        bool is_field = layout_field(token) != FIELD_UNKNOWN;
        if (tokens == 0 && !is_field)
            return false;
        tokens++;
        known += is_field;
    }
    return tokens >= HEADER_TOKENS_MIN && 2 * known >= tokens;
}

enum weir_err layout_parse(struct slice header, struct layout *out, struct slice *unknown, struct fault *fault)
{
    bool seen[FIELD_COUNT] = {false}, comma = comma_separated(header);
    struct slice token, first_unknown = {NULL, 0};
    enum decode_field twice = FIELD_UNKNOWN;
    memset(out, 0, sizeof *out);
    while (token_next(&header, comma, &token)) {
        enum decode_field f = layout_field(token);
        if (out->columns == DECODE_COLUMNS_MAX)
            return fault_set(fault, WEIR_LIMIT, "more than %d columns", DECODE_COLUMNS_MAX);
        if (f == FIELD_UNKNOWN && !first_unknown.p)
            first_unknown = token;
        if (f != FIELD_UNKNOWN && seen[f])
            twice = f;
        if (f != FIELD_UNKNOWN)
            seen[f] = true;
        out->field[out->columns++] = (uint8_t)f;
    }
    if (twice != FIELD_UNKNOWN)
        return fault_set(fault, WEIR_SYNTAX, "field '%s' stands twice", decode_field_name(twice));
    if (out->columns == 0)
        return fault_set(fault, WEIR_SYNTAX, "no field names");
    out->transit_gateway = seen[FIELD_TGW_ID] || seen[FIELD_TGW_ATTACHMENT_ID];
    if (unknown)
        *unknown = first_unknown;
    return WEIR_OK;
}

void layout_default(struct layout *out)
{
    memset(out, 0, sizeof *out);
    out->columns = FIELD_LOG_STATUS + 1; /* the list starts with the default fields, in their order */
    for (unsigned f = 0; f <= FIELD_LOG_STATUS; f++)
        out->field[f] = (uint8_t)f;
}

static bool layout_has(const struct layout *layout, enum decode_field f)
{
    return memchr(layout->field, (int)f, layout->columns) != NULL;
}

static void missing_word(struct buffer *out, const char *word)
{
    if (out->n)
        buffer_puts(out, ", ");
    buffer_puts(out, word);
}

void layout_missing(const struct layout *layout, struct buffer *out)
{
    static const enum decode_field needed[] = {FIELD_SRCADDR, FIELD_DSTADDR, FIELD_BYTES, FIELD_START};
    static const enum decode_field interfaces[] = {FIELD_INTERFACE_ID, FIELD_RESOURCE_ID, FIELD_TGW_ATTACHMENT_ID};
    bool has_interface = false;
    for (size_t i = 0; i < WEIR_COUNT(needed); i++)
        if (!layout_has(layout, needed[i]))
            missing_word(out, decode_field_name(needed[i]));
    for (size_t i = 0; i < WEIR_COUNT(interfaces); i++)
        has_interface |= layout_has(layout, interfaces[i]);
    if (!has_interface)
        missing_word(out, decode_field_name(FIELD_INTERFACE_ID));
}

static bool is_read(unsigned f)
{
    static const uint8_t read[] = {
        FIELD_ACCOUNT_ID, FIELD_INTERFACE_ID, FIELD_SRCADDR, FIELD_DSTADDR, FIELD_SRCPORT, FIELD_DSTPORT, FIELD_PROTOCOL,
        FIELD_PACKETS, FIELD_BYTES, FIELD_START, FIELD_END, FIELD_ACTION, FIELD_LOG_STATUS, FIELD_VPC_ID, FIELD_SUBNET_ID,
        FIELD_INSTANCE_ID, FIELD_TCP_FLAGS, FIELD_PKT_SRCADDR, FIELD_PKT_DSTADDR, FIELD_FLOW_DIRECTION,
        FIELD_TRAFFIC_PATH, FIELD_TGW_ATTACHMENT_ID, FIELD_TGW_SRC_ENI, FIELD_REJECT_REASON, FIELD_RESOURCE_ID};
    return memchr(read, (int)f, sizeof read) != NULL;
}

void program_make(struct program *pg, const struct layout *layout, bool strict)
{
    unsigned shift = layout->timestamp_prefix ? 1 : 0;
    memset(pg, 0, sizeof *pg);
    memset(pg->column, 0xff, sizeof pg->column);
    pg->columns = (uint16_t)(layout->columns + shift);
    pg->prefix = shift;
    pg->strict = strict;
    pg->transit_gateway = layout->transit_gateway;
    for (unsigned c = 0; c < layout->columns; c++) {
        unsigned f = layout->field[c];
        if (f >= FIELD_COUNT)
            continue;
        pg->column[f] = (uint16_t)(c + shift);
        if (is_read(f))
            pg->has |= 1ULL << f;
    }
}
