/* SPDX-License-Identifier: Apache-2.0 */
/* A MaxMind DB as ranges: its tree is walked once from the left. Databases name things differently: country.iso_code or a plain
 * country_code, and autonomous_system_number or asn; all forms are read. IPv4 stands below ::/96 of an IPv6 tree, and other
 * places of the tree point there again: these are passed over.
 * A damaged file is refused: a tree of n nodes is never asked for more than n, so that cycles end, too.
 * Source: MaxMind DB File Format Specification 2.0. */
#include "app/geo.h"

#include <maxminddb.h>
#include <stdlib.h>
#include <string.h>

#define CACHE 4096 /* entries by place in the data section: most leaves share few of them */

struct cached {
    uint32_t place; /* + 1 */
    uint32_t asn;
    uint16_t country;
};

struct walk {
    MMDB_s db;
    const struct geo_into *into;
    struct geo_run asn, country;
    uint64_t nodes_left, leaves;
    uint64_t v4_root; /* the node of ::/96, once known */
    bool v4_known;
    struct cached cache[CACHE];
};

/* ---- ranges that touch become one ---- */

enum weir_err geo_run_end(struct geo_run *run)
{
    uint32_t value = run->value;
    run->value = 0;
    return value && run->map ? ip_map_add(run->map, run->first, run->last, value) : WEIR_OK;
}

enum weir_err geo_run_add(struct geo_run *run, struct ip first, struct ip last, uint32_t value)
{
    struct ip next = {run->last.hi + (run->last.lo == UINT64_MAX), run->last.lo + 1};
    if (run->value && run->value == value && ip_is_v4(run->first) == ip_is_v4(first) && ip_eq(next, first)) {
        run->last = last;
        return WEIR_OK;
    }
    enum weir_err err = geo_run_end(run);
    *run = (struct geo_run){run->map, first, last, value};
    return err;
}

/* ---- entries ---- */

static bool get(MMDB_entry_s *e, MMDB_entry_data_s *data, const char *const *path, bool *damaged)
{
    int status = MMDB_aget_value(e, data, path);
    *damaged |= status != MMDB_SUCCESS && status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR;
    return status == MMDB_SUCCESS && data->has_data;
}

static uint32_t as_number(const MMDB_entry_data_s *d)
{
    uint64_t n = 0;
    switch (d->type) {
    case MMDB_DATA_TYPE_UINT16: return d->uint16;
    case MMDB_DATA_TYPE_UINT32: return d->uint32;
    case MMDB_DATA_TYPE_UTF8_STRING:
        return parse_u64((struct slice){d->utf8_string, d->data_size}, UINT32_MAX, &n) == WEIR_OK ? (uint32_t)n : 0;
    default: return 0;
    }
}

static enum weir_err take_system(struct walk *w, MMDB_entry_s *e, uint32_t *asn)
{
    static const char *const number[] = {"autonomous_system_number", NULL}, *const flat_number[] = {"asn", NULL};
    static const char *const text[] = {"autonomous_system_organization", NULL}, *const flat_text[] = {"as_name", NULL};
    MMDB_entry_data_s d;
    bool damaged = false;
    *asn = get(e, &d, number, &damaged) || get(e, &d, flat_number, &damaged) ? as_number(&d) : 0;
    if (*asn && w->into->names && (get(e, &d, text, &damaged) || get(e, &d, flat_text, &damaged)) && d.type == MMDB_DATA_TYPE_UTF8_STRING &&
        !as_names_put(w->into->names, *asn, (struct slice){d.utf8_string, d.data_size}))
        return WEIR_NOMEM;
    return damaged ? WEIR_CORRUPT : WEIR_OK;
}

static enum weir_err take_country(MMDB_entry_s *e, uint16_t *country)
{
    static const char *const nested[] = {"country", "iso_code", NULL}, *const flat[] = {"country_code", NULL};
    MMDB_entry_data_s d;
    bool damaged = false;
    bool found = get(e, &d, nested, &damaged) || get(e, &d, flat, &damaged);
    *country = found && d.type == MMDB_DATA_TYPE_UTF8_STRING ? country_number((struct slice){d.utf8_string, d.data_size}) : 0;
    return damaged ? WEIR_CORRUPT : WEIR_OK;
}

static enum weir_err entry_of(struct walk *w, MMDB_entry_s *e, struct cached *out)
{
    struct cached *c = &w->cache[e->offset % CACHE];
    enum weir_err err = WEIR_OK;
    if (c->place != e->offset + 1) {
        *c = (struct cached){0};
        err = w->into->asn ? take_system(w, e, &c->asn) : WEIR_OK;
        if (!err && w->into->country)
            err = take_country(e, &c->country);
        c->place = err ? 0 : e->offset + 1;
    }
    *out = *c;
    return err;
}

/* ---- the tree ---- */

struct position { struct ip prefix; unsigned depth; }; /* depth in bits of 128 */

static enum weir_err take_leaf(struct walk *w, MMDB_entry_s *e, struct position at)
{
    struct cached value;
    enum weir_err err = entry_of(w, e, &value);
    struct ip first = at.prefix, last = at.prefix;
    if (err)
        return err;
    w->leaves++;
    bool v4 = at.depth >= 96 && first.hi == 0 && first.lo >> 32 == 0;
    last.hi |= at.depth >= 64 ? 0 : UINT64_MAX >> at.depth;
    last.lo |= at.depth >= 128 ? 0 : at.depth <= 64 ? UINT64_MAX : UINT64_MAX >> (at.depth - 64);
    first.lo |= v4 ? IP_V4_MARK : 0;
    last.lo |= v4 ? IP_V4_MARK : 0;
    err = geo_run_add(&w->asn, first, last, value.asn);
    return err ? err : geo_run_add(&w->country, first, last, value.country);
}

static bool is_mapped_v4(struct position at) { return at.depth >= 96 && at.prefix.hi == 0 && at.prefix.lo >> 32 == 0xffff; }

static enum weir_err take_node(struct walk *w, uint64_t node, struct position at);

static enum weir_err take_record(struct walk *w, uint64_t record, uint8_t type, MMDB_entry_s *e, struct position at)
{
    if (is_mapped_v4(at))
        return WEIR_OK;
    switch (type) {
    case MMDB_RECORD_TYPE_EMPTY: return WEIR_OK;
    case MMDB_RECORD_TYPE_DATA: return take_leaf(w, e, at);
    case MMDB_RECORD_TYPE_SEARCH_NODE: return take_node(w, record, at);
    default: return WEIR_CORRUPT;
    }
}

/* Recursion as deep as an address has bits. */
static enum weir_err take_node(struct walk *w, uint64_t node, struct position at)
{
    MMDB_search_node_s s;
    if (at.depth == 96 && at.prefix.hi == 0 && at.prefix.lo == 0) {
        w->v4_root = node;
        w->v4_known = true;
    } else if (w->v4_known && node == w->v4_root) {
        return WEIR_OK;
    }
    if (at.depth == 128 || w->nodes_left == 0 || MMDB_read_node(&w->db, (uint32_t)node, &s) != MMDB_SUCCESS)
        return WEIR_CORRUPT;
    w->nodes_left--;
    at.depth++;
    enum weir_err err = take_record(w, s.left_record, s.left_record_type, &s.left_record_entry, at);
    if (at.depth <= 64)
        at.prefix.hi |= 1ULL << (64 - at.depth);
    else
        at.prefix.lo |= 1ULL << (128 - at.depth);
    return err ? err : take_record(w, s.right_record, s.right_record_type, &s.right_record_entry, at);
}

static enum weir_err walk_tree(struct walk *w)
{
    w->nodes_left = w->db.metadata.node_count;
    enum weir_err err = take_node(w, 0, (struct position){{0, 0}, w->db.metadata.ip_version == 4 ? 96 : 0});
    if (!err)
        err = geo_run_end(&w->asn);
    return err ? err : geo_run_end(&w->country);
}

static enum weir_err read_mmdb(struct walk *w, const char *path, struct data_about *about, struct fault *fault)
{
    enum weir_err err = data_file_identify(path, about, fault);
    if (err)
        return err;
    err = walk_tree(w);
    about->form = "MaxMind DB";
    about->entries = w->leaves;
    if (w->db.metadata.build_epoch <= INT32_MAX)
        about->made_s = (int64_t)w->db.metadata.build_epoch;
    if (err)
        return fault_set(fault, WEIR_USAGE, "the database '%.200s' cannot be used: %s", path, err == WEIR_LIMIT ? "too many networks" : weir_err_text(err));
    return WEIR_OK;
}

static enum weir_err read_table(const char *path, const struct geo_into *into, struct data_about *about, struct fault *fault)
{
    struct buffer text;
    buffer_init(&text, GEO_TEXT_MAX);
    enum weir_err err = data_file_read(path, GEO_TEXT_MAX - (1 << 17), &text, about, fault);
    if (!err)
        err = geo_read_table((struct slice){text.p, text.n}, path, into, about, fault);
    buffer_fini(&text);
    return err;
}

enum weir_err geo_read(const char *path, const struct geo_into *into, struct data_about *about, struct fault *fault)
{
    struct walk *w = calloc(1, sizeof *w);
    if (!w)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    w->into = into;
    w->asn.map = into->asn;
    w->country.map = into->country;
    enum weir_err err;
    int status = MMDB_open(path, MMDB_MODE_MMAP, &w->db);
    if (status == MMDB_SUCCESS) {
        err = read_mmdb(w, path, about, fault);
        MMDB_close(&w->db);
    } else if (status == MMDB_INVALID_METADATA_ERROR) { /* no mark of that format in it */
        err = read_table(path, into, about, fault);
    } else {
        err = fault_set(fault, WEIR_USAGE, "cannot open the database '%.200s': %s", path, MMDB_strerror(status));
    }
    free(w);
    return err;
}
