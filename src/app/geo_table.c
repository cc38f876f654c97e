/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of iptoasn.com: ip2asn (first, last, number, country, description) and ip2country (first, last, country), tab
 * separated, one range a line, ascending in each family. Strict: a line that is anything else refuses the file.
 * Source: https://iptoasn.com (format of the TSV files, read 2026). */
#include <stdlib.h>
#include <string.h>

#include "app/geo.h"

struct table {
    struct lines l;
    const struct geo_into *into;
    struct geo_run asn, country;
    struct ip last[2]; /* of the line before, by family */
    bool any[2];
    struct fault *fault;
};

static enum weir_err refuse(struct table *t, struct slice column, const char *why)
{
    int n = (int)(column.n < 40 ? column.n : 40);
    return lines_refuse(&t->l, "table", column.p, t->fault, "%s: '%.*s'", why, n, column.p);
}

static enum weir_err take_range(struct table *t, struct slice *rest, struct ip *first, struct ip *last)
{
    struct slice a = column_next(rest, '\t'), b = column_next(rest, '\t');
    if (ip_parse(a, first))
        return refuse(t, a, "not an address");
    if (ip_parse(b, last))
        return refuse(t, b, "not an address");
    bool v6 = !ip_is_v4(*first);
    if (v6 == ip_is_v4(*last) || ip_cmp(*first, *last) > 0)
        return refuse(t, b, "not the end of a range that begins in column 1");
    if (t->any[v6] && ip_cmp(*first, t->last[v6]) <= 0)
        return refuse(t, a, "not behind the range of an earlier line");
    t->any[v6] = true;
    t->last[v6] = *last;
    return WEIR_OK;
}

/* Two letters, or one of the words that stand for no country. */
static enum weir_err take_country(struct table *t, struct slice column, uint16_t *out)
{
    *out = country_number(column);
    bool none = slice_eq(column, SLICE_LIT("None")) || slice_eq(column, SLICE_LIT("Unknown")) || slice_eq(column, SLICE_LIT("-")) || !column.n;
    return *out || none ? WEIR_OK : refuse(t, column, "not a country of two letters");
}

static enum weir_err take_system(struct table *t, struct slice number, struct slice name, uint32_t *asn)
{
    uint64_t value = 0;
    if (parse_u64(number, UINT32_MAX, &value))
        return refuse(t, number, "not the number of an autonomous system");
    *asn = (uint32_t)value;
    if (value && t->into->names && !as_names_put(t->into->names, *asn, name))
        return fault_set(t->fault, WEIR_NOMEM, "out of memory");
    return WEIR_OK;
}

static enum weir_err keep(struct table *t, struct ip first, struct ip last, uint32_t asn, uint16_t country)
{
    enum weir_err err = geo_run_add(&t->asn, first, last, asn);
    if (!err)
        err = geo_run_add(&t->country, first, last, country);
    return err ? lines_refuse(&t->l, "table", t->l.line.p, t->fault, "%s", err == WEIR_LIMIT ? "too many ranges" : weir_err_text(err)) : WEIR_OK;
}

static enum weir_err take_line(struct table *t)
{
    struct ip first, last;
    uint32_t asn = 0;
    uint16_t country = 0;
    struct slice rest = t->l.line, columns = rest;
    size_t n = 1;
    while (columns.n && memchr(columns.p, '\t', columns.n)) {
        column_next(&columns, '\t');
        n++;
    }
    if (n != 3 && n != 5)
        return lines_refuse(&t->l, "table", t->l.line.p, t->fault, "%zu columns, not 5 (ip2asn) or 3 (ip2country)", n);
    enum weir_err err = take_range(t, &rest, &first, &last);
    struct slice number = n == 5 && !err ? column_next(&rest, '\t') : (struct slice){"0", 1};
    struct slice code = err ? rest : column_next(&rest, '\t');
    if (!err)
        err = take_system(t, number, rest, &asn);
    if (!err)
        err = take_country(t, code, &country);
    return err ? err : keep(t, first, last, asn, country);
}

enum weir_err geo_read_table(struct slice text, const char *path, const struct geo_into *into, struct data_about *about, struct fault *fault)
{
    struct table t = {.l = {.path = path, .rest = text}, .into = into, .asn = {.map = into->asn}, .country = {.map = into->country}, .fault = fault};
    enum weir_err err = WEIR_OK;
    about->form = "ip2asn table";
    about->entries = 0;
    while (!err && lines_next(&t.l)) {
        err = take_line(&t);
        about->entries++;
    }
    if (!err)
        err = geo_run_end(&t.asn);
    if (!err)
        err = geo_run_end(&t.country);
    if (!err && !about->entries)
        err = fault_set(fault, WEIR_USAGE, "table '%.200s' is empty", path);
    return err;
}
