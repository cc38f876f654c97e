/* SPDX-License-Identifier: Apache-2.0 */
/* The simple table: a header line that names the columns in any order, then one interface or address a line. Cells may
 * be quoted as RFC 4180 says, but hold no line ends. Strict: unknown or repeated columns and wrong cells are refused. */
#include "app/inventory_build.h"

#include <string.h>

enum column { COLUMN_INTERFACE, COLUMN_ADDRESS, COLUMN_NAME, COLUMN_ROLE, COLUMN_SUBNET, COLUMN_VPC, COLUMN_ACCOUNT, COLUMN_INSTANCE, COLUMNS };
static const char *const names[COLUMNS] = {"interface", "address", "name", "role", "subnet", "vpc", "account", "instance"};

#define CELL_MAX INVENTORY_TEXT_MAX

struct table {
    struct inventory *inv;
    struct lines l;
    struct fault *fault;
    enum column column[COLUMNS];
    size_t columns;
    struct slice cell[COLUMNS]; /* of this line, by meaning */
    const char *at[COLUMNS];    /* where it stands in the line */
    char unquoted[COLUMNS][CELL_MAX];
};

static enum weir_err refuse(const struct table *t, const char *at, const char *why) { return lines_refuse(&t->l, "inventory", at, t->fault, "%s", why); }

/* A quoted cell from behind its first quote into out, two quotes as one; *rest stands behind the separator. */
static enum weir_err unquote(const struct table *t, struct slice *rest, char out[CELL_MAX], struct slice *cell)
{
    const char *begin = rest->p;
    size_t n = 0, i = 1;
    for (; i < rest->n; i++) {
        if (begin[i] == '"' && (i + 1 == rest->n || begin[i + 1] != '"'))
            break;
        i += begin[i] == '"';
        if (n == CELL_MAX)
            return refuse(t, begin, "the cell is too long");
        out[n++] = begin[i];
    }
    if (i >= rest->n)
        return refuse(t, begin, "the quote is not closed");
    i++;
    if (i < rest->n && begin[i] != ',')
        return refuse(t, begin + i, "text behind a closing quote");
    *cell = (struct slice){out, n};
    i += i < rest->n; /* the separator */
    *rest = (struct slice){begin + i, rest->n - i};
    return WEIR_OK;
}

static enum weir_err next_cell(const struct table *t, struct slice *rest, char out[CELL_MAX], struct slice *cell)
{
    if (rest->n && *rest->p == '"')
        return unquote(t, rest, out, cell);
    *cell = column_next(rest, ',');
    return memchr(cell->p, '"', cell->n) ? refuse(t, cell->p, "a quote inside a cell that is not quoted") : WEIR_OK;
}

static enum weir_err take_header(struct table *t)
{
    struct slice rest = t->l.line;
    unsigned seen = 0;
    bool more = true;
    while (more) {
        struct slice name = column_next(&rest, ',');
        more = rest.p > name.p + name.n;
        size_t k = 0;
        while (k < COLUMNS && !slice_eq(name, slice_of(names[k])))
            k++;
        const char *near = k == COLUMNS ? nearest_name(name, names, COLUMNS) : NULL;
        if (k == COLUMNS)
            return lines_refuse(&t->l, "inventory", name.p, t->fault, "unknown column '%.*s'%s%s%s", (int)(name.n < 40 ? name.n : 40), name.p,
                                near ? ", the nearest is '" : "", near ? near : "", near ? "'" : "");
        if (seen & 1u << k)
            return refuse(t, name.p, "the column stands twice in the header");
        seen |= 1u << k;
        t->column[t->columns++] = (enum column)k;
    }
    if (!(seen & (1u << COLUMN_INTERFACE | 1u << COLUMN_ADDRESS)))
        return refuse(t, t->l.line.p, "neither a column 'interface' nor 'address'");
    return WEIR_OK;
}

static enum weir_err split_line(struct table *t)
{
    struct slice rest = t->l.line;
    enum weir_err err = WEIR_OK;
    bool more = true;
    for (size_t i = 0; i < t->columns && !err; i++) {
        enum column k = t->column[i];
        if (!more)
            return refuse(t, rest.p, "fewer cells than columns");
        t->at[k] = rest.p;
        size_t before = rest.n;
        err = next_cell(t, &rest, t->unquoted[k], &t->cell[k]);
        more = rest.n || (before && rest.p[-1] == ',');
    }
    return err || !more ? err : refuse(t, rest.p, "more cells than columns");
}

/* Addresses are separated by blanks. */
static enum weir_err take_addresses(const struct table *t, uint32_t thing)
{
    struct slice rest = t->cell[COLUMN_ADDRESS];
    while (rest.n) {
        struct slice text = column_next(&rest, ' ');
        struct ip a;
        if (!text.n)
            continue;
        if (ip_parse(text, &a))
            return refuse(t, t->at[COLUMN_ADDRESS], "not an address");
        enum weir_err err = inventory_add_range(t->inv, thing, a, a);
        if (err)
            return refuse(t, t->at[COLUMN_ADDRESS], weir_err_text(err));
    }
    return WEIR_OK;
}

static enum weir_err take_field(const struct table *t, uint32_t thing, enum column column, enum thing_field field)
{
    enum weir_err err = inventory_set(t->inv, thing, field, t->cell[column]);
    if (err == WEIR_EXISTS)
        return lines_refuse(&t->l, "inventory", t->at[column], t->fault, "another %s was told before", thing_field_word(field));
    return err ? refuse(t, t->at[column], err == WEIR_RANGE ? "the cell is too long" : weir_err_text(err)) : WEIR_OK;
}

static enum weir_err take_row(struct table *t)
{
    static const struct { enum column column; enum thing_field field; } fields[] = {
        {COLUMN_NAME, THING_NAME}, {COLUMN_ROLE, THING_ROLE}, {COLUMN_SUBNET, THING_THING_SUBNET},
        {COLUMN_VPC, THING_VPC}, {COLUMN_ACCOUNT, THING_ACCOUNT}, {COLUMN_INSTANCE, THING_THING_INSTANCE}};
    uint32_t thing;
    enum weir_err err = split_line(t);
    if (err)
        return err;
    if (!t->cell[COLUMN_INTERFACE].n && !t->cell[COLUMN_ADDRESS].n)
        return refuse(t, t->l.line.p, "neither interface nor address");
    err = inventory_thing(t->inv, THING_INTERFACE, t->cell[COLUMN_INTERFACE], &thing);
    if (err)
        return refuse(t, t->l.line.p, weir_err_text(err));
    err = take_addresses(t, thing);
    for (size_t i = 0; i < WEIR_COUNT(fields) && !err; i++)
        err = take_field(t, thing, fields[i].column, fields[i].field);
    return err;
}

enum weir_err inventory_add_csv(struct inventory *inv, struct slice text, const char *name, struct fault *fault)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct table t = {.inv = inv, .l = {.path = name, .rest = text}, .fault = fault};
    if (text.n >= 3 && memcmp(text.p, bom, 3) == 0)
        t.l.rest = (struct slice){text.p + 3, text.n - 3};
    if (!lines_next(&t.l))
        return fault_set(fault, WEIR_USAGE, "inventory '%.150s' is empty", name);
    enum weir_err err = take_header(&t);
    while (!err && lines_next(&t.l))
        if (t.l.line.n)
            err = take_row(&t);
    return err;
}
