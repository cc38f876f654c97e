/* One column of a row group: its dictionary, then page after page, unpacked whole and handed out in batches. What a page says about itself is
 * believed only as far as the caps and the bytes that are there; its checksum is looked at where it has one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "decode/parquet.h"
#include "decode/values.h"

enum page_type { PAGE_DATA, PAGE_INDEX, PAGE_DICTIONARY, PAGE_DATA_V2 };
enum encoding { ENCODING_PLAIN = 0, ENCODING_PLAIN_DICTIONARY = 2, ENCODING_RLE = 3, ENCODING_DELTAS = 5, ENCODING_LENGTHS = 6, ENCODING_DICTIONARY = 8 };
static const char *const encoding_names[] = {"PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED",
                                             "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"};

struct page {
    uint8_t type, encoding, level_encoding;
    bool packed, has_crc;
    uint32_t crc, values;
    uint32_t level_bytes; /* of a page v2 */
    uint32_t bytes, stored;
};

static const unsigned head_bytes[] = {1024, 64u << 10, 1u << 20}; /* statistics in a page's head may be long */

static enum weir_err damaged(const struct column *c, const char *what, struct fault *fault)
{
    return fault_set(fault, WEIR_CORRUPT, "column '%s': %s", decode_field_name(c->field), what);
}

/* ---- the head of a page ---- */

static uint32_t natural(struct cursor *c, const struct thrift_field *f)
{
    int64_t v = thrift_int(c, f);
    if ((v < 0 || v > INT32_MAX) && !c->err)
        c->err = WEIR_CORRUPT;
    return c->err ? 0 : (uint32_t)v;
}

static uint8_t small(struct cursor *c, const struct thrift_field *f)
{
    uint32_t v = natural(c, f);
    return v > UINT8_MAX ? UINT8_MAX : (uint8_t)v;
}

static void data_head(struct cursor *c, struct page *g)
{
    struct thrift_field f = {0, 0};
    while (thrift_next(c, &f)) {
        switch (f.id) {
        case 1: g->values = natural(c, &f); break;
        case 2: g->encoding = small(c, &f); break;
        case 3: g->level_encoding = small(c, &f); break;
        default: thrift_skip(c, &f);
        }
    }
}

static void data_head_v2(struct cursor *c, struct page *g)
{
    struct thrift_field f = {0, 0};
    uint32_t repetition = 0;
    while (thrift_next(c, &f)) {
        switch (f.id) {
        case 1: g->values = natural(c, &f); break;
        case 4: g->encoding = small(c, &f); break;
        case 5: g->level_bytes = natural(c, &f); break;
        case 6: repetition = natural(c, &f); break;
        case 7: g->packed = f.type == THRIFT_TRUE; break;
        default: thrift_skip(c, &f);
        }
    }
    if (repetition && !c->err) /* a flat column has none */
        c->err = WEIR_CORRUPT;
}

static void page_head(struct cursor *c, struct page *g)
{
    struct thrift_field f = {0, 0};
    *g = (struct page){.type = UINT8_MAX, .packed = true, .level_encoding = ENCODING_RLE};
    while (thrift_next(c, &f)) {
        if (f.id == 1)
            g->type = small(c, &f);
        else if (f.id == 2)
            g->bytes = natural(c, &f);
        else if (f.id == 3)
            g->stored = natural(c, &f);
        else if (f.id == 4) {
            g->crc = (uint32_t)thrift_int(c, &f);
            g->has_crc = true;
        } else if ((f.id == 5 || f.id == 7) && f.type == THRIFT_STRUCT) /* a dictionary's first fields are those of data */
            data_head(c, g);
        else if (f.id == 8 && f.type == THRIFT_STRUCT)
            data_head_v2(c, g);
        else
            thrift_skip(c, &f);
    }
}

static bool room(struct parquet *pq, struct memory *m, size_t n)
{
    if (n > m->cap || !m->p) {
        if (n > PARQUET_PAGE_MAX || pq->held - m->cap + n > PARQUET_MEMORY_MAX)
            return false;
        unsigned char *p = malloc(n + DECODE_PAD);
        if (!p)
            return false;
        free(m->p);
        pq->held += n - m->cap;
        m->p = p;
        m->cap = n;
    }
    m->n = n;
    return true;
}

static enum weir_err too_large(const struct column *c, size_t n, struct fault *fault)
{
    return fault_set(fault, WEIR_LIMIT, "column '%s': a page of %zu bytes is over the bounds of %u MiB a page and %u MiB together",
                     decode_field_name(c->field), n, PARQUET_PAGE_MAX >> 20, PARQUET_MEMORY_MAX >> 20);
}

/* The head at c->at; then c->at is behind it. */
static enum weir_err head_read(struct parquet *pq, struct column *c, struct page *g, struct fault *fault)
{
    for (size_t i = 0; i < WEIR_COUNT(head_bytes); i++) {
        size_t n = c->end - c->at < head_bytes[i] ? (size_t)(c->end - c->at) : head_bytes[i];
        if (!room(pq, &pq->head, n))
            return too_large(c, n, fault);
        enum weir_err err = pq->bytes.read(pq->bytes.ctx, c->at, pq->head.p, n, fault);
        if (err)
            return err;
        struct cursor head = cursor_of(pq->head.p, n);
        page_head(&head, g);
        if (head.err == WEIR_OK) {
            c->at += n - cursor_left(&head);
            return WEIR_OK;
        }
        if (head.err != WEIR_TRUNCATED || n == c->end - c->at)
            break;
    }
    return damaged(c, "the head of a page", fault);
}

/* ---- its body ---- */

/* As stored, with its checksum looked at. */
static enum weir_err body_read(struct parquet *pq, struct column *c, const struct page *g, struct memory *to, struct fault *fault)
{
    if (g->stored > c->end - c->at)
        return damaged(c, "a page ends behind its column", fault);
    if (!room(pq, to, g->stored))
        return too_large(c, g->stored, fault);
    enum weir_err err = pq->bytes.read(pq->bytes.ctx, c->at, to->p, g->stored, fault);
    if (err)
        return err;
    memset(to->p + to->n, 0, DECODE_PAD);
    c->at += g->stored;
    if (g->has_crc && crc32(0, to->p, (uInt)to->n) != g->crc)
        return damaged(c, "the checksum of a page", fault);
    return WEIR_OK;
}

/* Into `to`; the first `plain` bytes stand outside of what is packed. */
static enum weir_err body_unpack(struct parquet *pq, struct column *c, const struct page *g, size_t plain, struct memory *to, struct fault *fault)
{
    if (c->chunk.codec == PARQUET_PLAIN || !g->packed) {
        enum weir_err err = g->bytes != g->stored ? damaged(c, "the length of a page", fault) : body_read(pq, c, g, to, fault);
        return err;
    }
    if (plain > g->stored || plain > g->bytes)
        return damaged(c, "the levels of a page", fault);
    enum weir_err err = body_read(pq, c, g, &c->stored, fault);
    if (err)
        return err;
    if (!room(pq, to, g->bytes))
        return too_large(c, g->bytes, fault);
    memcpy(to->p, c->stored.p, plain);
    memset(to->p + to->n, 0, DECODE_PAD);
    if (g->stored == plain && g->bytes == plain) /* all values are null: nothing was packed */
        return WEIR_OK;
    struct slice in = {(const char *)c->stored.p + plain, c->stored.n - plain};
    return unpack(pq->unpacker, c->chunk.codec, in, to->p + plain, to->n - plain, fault);
}

/* ---- plain values ---- */

static bool text_next(struct column *c, struct slice *text)
{
    if (c->left < 4)
        return false;
    uint32_t n = load_32((const char *)c->p);
    if (n > c->left - 4)
        return false;
    *text = (struct slice){(const char *)c->p + 4, n};
    c->p += 4 + n;
    c->left -= 4 + n;
    return true;
}

static void number_take(const struct column *c, uint64_t raw, struct value *v, uint8_t *state)
{
    if (c->leaf->type == PARQUET_INT32)
        raw = c->leaf->is_unsigned ? (uint32_t)raw : (uint64_t)(int64_t)(int32_t)(uint32_t)raw;
    value_of_number(c->field, raw, !c->leaf->is_unsigned && (int64_t)raw < 0, v, state);
}

static bool plain_number(struct column *c, struct value *v, uint8_t *state)
{
    unsigned bytes = c->leaf->type == PARQUET_INT32 ? 4 : 8;
    if (c->left < bytes)
        return false;
    number_take(c, bytes == 4 ? load_32((const char *)c->p) : load_64((const char *)c->p), v, state);
    c->p += bytes;
    c->left -= bytes;
    return true;
}

static bool plain_take(struct column *c, struct value *v, uint8_t *state, size_t n)
{
    struct slice text;
    for (size_t i = 0; i < n; i++) {
        if (c->leaf->type != PARQUET_BYTES) {
            if (!plain_number(c, &v[i], &state[i]))
                return false;
        } else {
            if (!text_next(c, &text))
                return false;
            value_of_text(c->field, text, &v[i], &state[i]);
        }
    }
    return true;
}

/* ---- the dictionary ---- */

static bool entries_room(struct parquet *pq, struct column *c, uint32_t n)
{
    const size_t each = sizeof *c->entry + 1;
    if (n <= c->entries_cap)
        return true;
    if (pq->held + (n - c->entries_cap) * each > PARQUET_MEMORY_MAX)
        return false;
    pq->held += (n - c->entries_cap) * each;
    free(c->entry);
    free(c->entry_state);
    c->entry = malloc(n * sizeof *c->entry);
    c->entry_state = malloc(n);
    c->entries_cap = c->entry && c->entry_state ? n : 0;
    return c->entries_cap == n;
}

static enum weir_err dictionary_read(struct parquet *pq, struct column *c, const struct page *g, struct fault *fault)
{
    size_t least = c->leaf->type == PARQUET_INT64 ? 8 : 4; /* bytes of an entry */
    if (g->encoding != ENCODING_PLAIN && g->encoding != ENCODING_PLAIN_DICTIONARY)
        return fault_set(fault, WEIR_UNSUPPORTED, "a Parquet dictionary with encoding %u", g->encoding);
    enum weir_err err = body_unpack(pq, c, g, 0, &c->dictionary, fault);
    if (err)
        return err;
    if (g->values > c->dictionary.n / least)
        return damaged(c, "the dictionary", fault);
    if (!entries_room(pq, c, g->values))
        return too_large(c, c->dictionary.n, fault);
    c->p = c->dictionary.p;
    c->left = c->dictionary.n;
    c->entries = g->values;
    return plain_take(c, c->entry, c->entry_state, c->entries) ? WEIR_OK : damaged(c, "the dictionary", fault);
}

/* ---- a page of data ---- */

/* Levels of a page v1 stand in the packed body behind their length, those of v2 in front of it. */
static bool levels_begin(struct column *c, const struct page *g)
{
    uint32_t n = g->level_bytes;
    c->p = c->page.p;
    c->left = c->page.n;
    c->has_levels = c->leaf->optional;
    if (g->type == PAGE_DATA && !c->has_levels)
        return true;
    if (g->type == PAGE_DATA) {
        if (g->level_encoding != ENCODING_RLE || c->left < 4)
            return false;
        n = load_32((const char *)c->p);
        c->p += 4;
        c->left -= 4;
    }
    if (n > c->left)
        return false;
    runs_init(&c->levels, c->p, n, 1);
    c->p += n;
    c->left -= n;
    return true;
}

static bool indices_begin(struct column *c)
{
    if (c->left == 0) { /* all values are null */
        c->indices = (struct runs){.p = c->p};
        return true;
    }
    unsigned width = *c->p;
    return runs_init(&c->indices, c->p + 1, c->left - 1, width);
}

static bool lengths_begin(struct column *c)
{
    if (!deltas_init(&c->deltas, c->p, c->left))
        return false;
    struct deltas all = c->deltas;
    if (!deltas_skip(&all))
        return false;
    c->p = all.p;
    c->left = all.left;
    return true;
}

/* Which stream of values; UNSUPPORTED by name. */
static enum weir_err values_begin(struct column *c, unsigned encoding, struct fault *fault)
{
    bool texts = c->leaf->type == PARQUET_BYTES, ok = true;
    if (encoding == ENCODING_PLAIN) {
        c->stream = VALUES_PLAIN;
    } else if (encoding == ENCODING_DICTIONARY || encoding == ENCODING_PLAIN_DICTIONARY) {
        c->stream = VALUES_DICTIONARY;
        ok = indices_begin(c);
    } else if (encoding == ENCODING_DELTAS && !texts) {
        c->stream = VALUES_DELTAS;
        ok = c->left == 0 || deltas_init(&c->deltas, c->p, c->left);
    } else if (encoding == ENCODING_LENGTHS && texts) {
        c->stream = VALUES_LENGTHS;
        ok = c->left == 0 || lengths_begin(c);
    } else {
        return fault_set(fault, WEIR_UNSUPPORTED, "column '%s': Parquet encoding %s (number %u)", decode_field_name(c->field),
                         encoding < WEIR_COUNT(encoding_names) ? encoding_names[encoding] : "unknown", encoding);
    }
    return ok ? WEIR_OK : damaged(c, "the values of a page", fault);
}

static enum weir_err data_read(struct parquet *pq, struct column *c, const struct page *g, struct fault *fault)
{
    if (g->values > c->values_left)
        return damaged(c, "more values in its pages than in the column", fault);
    enum weir_err err = body_unpack(pq, c, g, g->type == PAGE_DATA_V2 ? g->level_bytes : 0, &c->page, fault);
    if (err)
        return err;
    if (!levels_begin(c, g))
        return damaged(c, "the levels of a page", fault);
    c->deltas = (struct deltas){.p = c->p};
    c->values_left -= g->values;
    c->page_left = g->values;
    return g->values ? values_begin(c, g->encoding, fault) : WEIR_OK;
}

enum weir_err column_begin(struct parquet *pq, struct column *c, struct fault *fault)
{
    const struct parquet_chunk *k = &pq->group.chunk[c->index];
    uint64_t end = pq->bytes.size - 8 - pq->footer.n;
    c->chunk = *k;
    c->page_left = c->entries = 0;
    if (k->encrypted || k->elsewhere)
        return fault_set(fault, WEIR_UNSUPPORTED, "column '%s' is %s", decode_field_name(c->field), k->encrypted ? "encrypted" : "in another file");
    if (k->type != c->leaf->type || k->values != pq->group.rows)
        return damaged(c, "its type or number of values is not that of the rows", fault);
    if (k->at < 4 || k->at > end || k->bytes > end - k->at)
        return damaged(c, "it lies outside of the file", fault);
    c->at = k->at;
    c->end = k->at + k->bytes;
    c->values_left = k->values;
    return WEIR_OK;
}

enum weir_err column_page(struct parquet *pq, struct column *c, struct fault *fault)
{
    while (c->page_left == 0) {
        struct page g;
        if (c->values_left == 0 || c->at == c->end)
            return damaged(c, "fewer values in its pages than rows", fault);
        enum weir_err err = head_read(pq, c, &g, fault);
        if (!err && g.type == PAGE_DICTIONARY)
            err = dictionary_read(pq, c, &g, fault);
        else if (!err && (g.type == PAGE_DATA || g.type == PAGE_DATA_V2))
            err = data_read(pq, c, &g, fault);
        else if (!err && g.stored > c->end - c->at)
            err = damaged(c, "a page ends behind its column", fault);
        else if (!err)
            c->at += g.stored;
        if (err)
            return err;
    }
    return WEIR_OK;
}

/* ---- batches ---- */

static bool dictionary_take(struct column *c, size_t n)
{
    uint32_t index[PARQUET_BATCH];
    if (!runs_read(&c->indices, index, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (index[i] >= c->entries)
            return false;
        c->value[i] = c->entry[index[i]];
        c->state[i] = c->entry_state[index[i]];
    }
    return true;
}

static bool deltas_take(struct column *c, size_t n)
{
    uint64_t number[PARQUET_BATCH];
    if (!deltas_read(&c->deltas, number, n))
        return false;
    for (size_t i = 0; i < n; i++)
        number_take(c, number[i], &c->value[i], &c->state[i]);
    return true;
}

static bool lengths_take(struct column *c, size_t n)
{
    uint64_t length[PARQUET_BATCH];
    if (!deltas_read(&c->deltas, length, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (length[i] > c->left)
            return false;
        value_of_text(c->field, (struct slice){(const char *)c->p, (size_t)length[i]}, &c->value[i], &c->state[i]);
        c->p += length[i];
        c->left -= (size_t)length[i];
    }
    return true;
}

/* Values that are there stand at the front: move them to their rows. */
static void spread(struct column *c, const uint32_t *level, size_t n, size_t present)
{
    for (size_t i = n; i-- > 0;) {
        if (level[i]) {
            present--;
            c->value[i] = c->value[present];
            c->state[i] = c->state[present];
        } else {
            c->value[i] = VALUE_NONE;
            c->state[i] = 0;
        }
    }
}

static bool values_take(struct column *c, size_t n)
{
    switch ((enum value_stream)c->stream) {
    case VALUES_PLAIN: return plain_take(c, c->value, c->state, n);
    case VALUES_DICTIONARY: return dictionary_take(c, n);
    case VALUES_DELTAS: return deltas_take(c, n);
    case VALUES_LENGTHS: return lengths_take(c, n);
    }
    return false;
}

enum weir_err column_read(struct column *c, unsigned n, struct fault *fault)
{
    uint32_t level[PARQUET_BATCH];
    size_t present = n;
    if (c->has_levels) {
        if (!runs_read(&c->levels, level, n))
            return damaged(c, "the levels of a page", fault);
        present = 0;
        for (unsigned i = 0; i < n; i++)
            present += level[i];
    }
    if (!values_take(c, present))
        return damaged(c, "the values of a page", fault);
    if (present < n)
        spread(c, level, n, present);
    c->page_left -= n;
    return WEIR_OK;
}

void column_free(struct column *c)
{
    if (!c)
        return;
    free(c->stored.p);
    free(c->page.p);
    free(c->dictionary.p);
    free(c->entry);
    free(c->entry_state);
    free(c);
}
