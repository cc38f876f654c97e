/* The footer of a Parquet file: the schema, and row groups that are parsed one at a time where they stand, so that a file of many
 * groups takes no more memory than its footer has bytes. Columns inside groups of columns are known to be there and not read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/parquet.h"

#define NESTING_MAX 32
#define CONVERTED_UINT_8 11
#define CONVERTED_UINT_64 14

static const char *const codec_names[] = {"none", "snappy", "gzip", "lzo", "brotli", "lz4", "zstd", "lz4-raw"};
static const char *const type_names[] = {"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};

const char *parquet_codec_name(unsigned codec)
{
    return codec < WEIR_COUNT(codec_names) ? codec_names[codec] : "unknown";
}

const char *parquet_type_name(unsigned type)
{
    return type < WEIR_COUNT(type_names) ? type_names[type] : "unknown";
}

/* What a cursor found wrong, as an error of the file. */
static enum weir_err damaged(struct fault *fault, const char *what)
{
    return fault_set(fault, WEIR_CORRUPT, "the Parquet %s is damaged", what);
}

/* ---- the schema ---- */

struct element {
    struct parquet_leaf leaf;
    int64_t children;
};

static void element_parse(struct cursor *c, struct element *e)
{
    struct thrift_field f = {0, 0};
    *e = (struct element){.leaf = {.name = {"", 0}, .type = UINT8_MAX}};
    while (thrift_next(c, &f)) {
        int64_t v = 0;
        switch (f.id) {
        case 1:
            v = thrift_int(c, &f);
            e->leaf.type = v < 0 || v > PARQUET_FIXED ? UINT8_MAX : (uint8_t)v;
            break;
        case 3:
            v = thrift_int(c, &f);
            e->leaf.optional = v == 1;
            e->leaf.repeated = v == 2;
            break;
        case 4: e->leaf.name = thrift_text(c, &f); break;
        case 5: e->children = thrift_int(c, &f); break;
        case 6:
            v = thrift_int(c, &f);
            e->leaf.is_unsigned = v >= CONVERTED_UINT_8 && v <= CONVERTED_UINT_64;
            break;
        default: thrift_skip(c, &f);
        }
    }
}

struct nesting {
    uint32_t left[NESTING_MAX]; /* children not yet seen, by depth */
    unsigned depth;
};

/* A group opens a level, a leaf closes those that it completes. False: the counts do not fit. */
static bool nesting_take(struct nesting *n, int64_t children)
{
    if (n->depth == 0 || children < 0 || children > INT32_MAX)
        return false;
    n->left[n->depth - 1]--;
    if (children) {
        if (n->depth == NESTING_MAX)
            return false;
        n->left[n->depth++] = (uint32_t)children;
    }
    while (n->depth && n->left[n->depth - 1] == 0)
        n->depth--;
    return true;
}

static enum weir_err leaf_add(struct parquet_meta *m, struct parquet_leaf *leaf, bool nested, struct fault *fault)
{
    if (m->leaves == DECODE_COLUMNS_MAX)
        return fault_set(fault, WEIR_LIMIT, "more than %d columns", DECODE_COLUMNS_MAX);
    leaf->nested = nested;
    leaf->field = nested ? FIELD_UNKNOWN : (uint8_t)layout_field(leaf->name);
    m->unknown |= leaf->field == FIELD_UNKNOWN;
    m->nested |= nested;
    m->leaf[m->leaves++] = *leaf;
    return WEIR_OK;
}

static enum weir_err schema_parse(struct cursor c, uint32_t n, struct parquet_meta *m, struct fault *fault)
{
    struct nesting nesting = {.depth = 0};
    struct element e;
    enum weir_err err = WEIR_OK;
    for (uint32_t i = 0; i < n && !err; i++) {
        element_parse(&c, &e);
        bool root = i == 0, nested = nesting.depth > 1;
        if (root && e.children > 0 && e.children < INT32_MAX)
            nesting = (struct nesting){.left = {(uint32_t)e.children}, .depth = 1};
        else if (!root && !nesting_take(&nesting, e.children))
            c.err = WEIR_CORRUPT;
        if (c.err)
            return damaged(fault, "schema");
        if (!root && e.children == 0)
            err = leaf_add(m, &e.leaf, nested, fault);
    }
    return err ? err : n == 0 || nesting.depth ? damaged(fault, "schema") : WEIR_OK;
}

/* Where the parts of the footer stand; the lists are read later. */
struct footer {
    struct cursor schema, groups;
    struct thrift_field schema_field, groups_field;
    int64_t rows;
    bool encrypted;
};

static void footer_parse(struct cursor *c, struct footer *found)
{
    struct thrift_field f = {0, 0};
    while (thrift_next(c, &f)) {
        if (f.id == 3) {
            found->rows = thrift_int(c, &f);
            continue;
        }
        if (f.id == 2) {
            found->schema = *c;
            found->schema_field = f;
        } else if (f.id == 4) {
            found->groups = *c;
            found->groups_field = f;
        }
        found->encrypted |= f.id == 8;
        thrift_skip(c, &f);
    }
}

enum weir_err parquet_meta_parse(struct slice footer, struct parquet_meta *out, struct fault *fault)
{
    struct cursor c = cursor_of(footer.p, footer.n);
    struct footer found = {.schema = cursor_of("", 0), .groups = cursor_of("", 0), .rows = -1};
    memset(out, 0, sizeof *out);
    footer_parse(&c, &found);
    if (c.err || found.rows < 0)
        return damaged(fault, "footer");
    if (found.encrypted)
        return fault_set(fault, WEIR_UNSUPPORTED, "encrypted Parquet columns");
    uint32_t elements = thrift_list(&found.schema, &found.schema_field, THRIFT_STRUCT);
    out->groups = found.groups;
    out->groups_left = thrift_list(&out->groups, &found.groups_field, THRIFT_STRUCT);
    if (found.schema.err || out->groups.err)
        return damaged(fault, "footer");
    out->rows = (uint64_t)found.rows;
    return schema_parse(found.schema, elements, out, fault);
}

/* ---- row groups ---- */

static uint64_t natural(struct cursor *c, const struct thrift_field *f)
{
    int64_t v = thrift_int(c, f);
    if (v < 0 && !c->err)
        c->err = WEIR_CORRUPT;
    return c->err ? 0 : (uint64_t)v;
}

static void chunk_meta_parse(struct cursor *c, struct parquet_chunk *k)
{
    struct thrift_field f = {0, 0};
    uint64_t data = 0, dictionary = 0, v;
    while (thrift_next(c, &f)) {
        switch (f.id) {
        case 1:
            v = natural(c, &f);
            k->type = v > UINT8_MAX ? UINT8_MAX : (uint8_t)v;
            break;
        case 4:
            v = natural(c, &f);
            k->codec = v > UINT8_MAX ? UINT8_MAX : (uint8_t)v;
            break;
        case 5: k->values = natural(c, &f); break;
        case 7: k->bytes = natural(c, &f); break;
        case 9: data = natural(c, &f); break;
        case 11: dictionary = natural(c, &f); break;
        default: thrift_skip(c, &f);
        }
    }
    k->at = dictionary && dictionary < data ? dictionary : data;
}

static void chunk_parse(struct cursor *c, struct parquet_chunk *k)
{
    struct thrift_field f = {0, 0};
    bool found = false;
    *k = (struct parquet_chunk){.codec = 0};
    while (thrift_next(c, &f)) {
        k->elsewhere |= f.id == 1;
        k->encrypted |= f.id == 8 || f.id == 9;
        if (f.id == 3 && f.type == THRIFT_STRUCT) {
            chunk_meta_parse(c, k);
            found = true;
        } else {
            thrift_skip(c, &f);
        }
    }
    if (!found && !k->encrypted && !c->err)
        c->err = WEIR_CORRUPT;
}

enum weir_err parquet_group_next(struct parquet_meta *meta, struct parquet_group *out, struct fault *fault)
{
    struct cursor *c = &meta->groups;
    struct thrift_field f = {0, 0};
    bool columns = false;
    if (meta->groups_left == 0)
        return WEIR_END;
    meta->groups_left--;
    out->rows = 0;
    while (thrift_next(c, &f)) {
        if (f.id == 1) {
            uint32_t n = thrift_list(c, &f, THRIFT_STRUCT);
            if (n != meta->leaves)
                c->err = WEIR_CORRUPT;
            for (uint32_t i = 0; i < n && !c->err; i++)
                chunk_parse(c, &out->chunk[i]);
            columns = true;
        } else if (f.id == 3) {
            out->rows = natural(c, &f);
        } else {
            thrift_skip(c, &f);
        }
    }
    return c->err || !columns ? damaged(fault, "row group") : WEIR_OK;
}
