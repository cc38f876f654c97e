/* Writes Parquet files for tests, corpora and the benchmark: a table of texts in any codec, encoding, page version and page size, written from
 * the format's description alone, so that reader and writer are two opinions. "-" is null in an optional column. Integers stand in
 * the types that AWS documents, unless told otherwise. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PARQUET_MAKE_H
#define TESTS_PARQUET_MAKE_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "weir/base.h"

enum make_codec { MAKE_NONE = 0, MAKE_SNAPPY = 1, MAKE_GZIP = 2, MAKE_ZSTD = 6 };
enum make_encoding { MAKE_PLAIN = 0, MAKE_DICTIONARY_OLD = 2, MAKE_DELTAS = 5, MAKE_LENGTHS = 6, MAKE_DICTIONARY = 8 };
/* What AWS says, all integers as 64 bits, all as text. */
enum make_integers { MAKE_AS_AWS, MAKE_ALL_64, MAKE_ALL_TEXT };

struct make {
    enum make_codec codec;
    enum make_encoding numbers, texts; /* MAKE_DELTAS for numbers and MAKE_LENGTHS for texts only */
    enum make_integers integers;
    bool pages_v2, required, checksums;
    uint32_t page_rows, group_rows; /* 0: all */
    struct make_lie {               /* what the file says of itself instead of the truth, where not 0 */
        int codec, encoding, page_bytes, page_values, chunk_values, file_rows, type;
        int indices;                /* added to each index into a dictionary */
        bool nested, list, encrypted;
    } lie;
};

struct table {
    uint32_t columns, rows;
    const char *const *name;
    const char *const *cell; /* row after row */
};

static inline void make_varint(struct buffer *b, uint64_t v) { buffer_varint(b, v); }
static inline uint64_t make_zigzag(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t)(v >> 63); }

/* ---- thrift ---- */
struct make_struct {
    struct buffer *b;
    int last;
};

static inline void make_field(struct make_struct *s, int id, uint8_t type)
{
    if (id > s->last && id - s->last < 16) {
        buffer_u8(s->b, (uint8_t)((id - s->last) << 4 | type));
    } else {
        buffer_u8(s->b, type);
        make_varint(s->b, make_zigzag(id));
    }
    s->last = id;
}

static inline void make_i32(struct make_struct *s, int id, int64_t v)
{
    make_field(s, id, 5);
    make_varint(s->b, make_zigzag(v));
}

static inline void make_i64(struct make_struct *s, int id, int64_t v)
{
    make_field(s, id, 6);
    make_varint(s->b, make_zigzag(v));
}

static inline void make_text(struct make_struct *s, int id, const char *text)
{
    make_field(s, id, 8);
    buffer_string(s->b, slice_of(text));
}

static inline void make_list(struct make_struct *s, int id, uint8_t type, uint32_t n)
{
    make_field(s, id, 9);
    if (n < 15) {
        buffer_u8(s->b, (uint8_t)(n << 4 | type));
    } else {
        buffer_u8(s->b, (uint8_t)(0xf0 | type));
        make_varint(s->b, n);
    }
}

/* ---- bits ---- */
static inline void make_bits(struct buffer *b, const uint64_t *v, size_t n, unsigned width)
{
    unsigned char byte = 0;
    unsigned used = 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < width; k++) {
            byte = (unsigned char)(byte | (v[i] >> k & 1) << used);
            if (++used == 8) {
                buffer_u8(b, byte);
                byte = 0;
                used = 0;
            }
        }
    if (used)
        buffer_u8(b, byte);
}

/* Runs of eight and more repeated, all else in groups of eight. */
static inline void make_runs(struct buffer *b, const uint32_t *v, size_t n, unsigned width)
{
    for (size_t i = 0; i < n;) {
        size_t same = 1;
        while (i + same < n && v[i + same] == v[i])
            same++;
        if (same >= 8) {
            make_varint(b, same << 1);
            for (unsigned k = 0; k < (width + 7) / 8; k++)
                buffer_u8(b, (uint8_t)(v[i] >> 8 * k));
            i += same;
        } else {
            uint64_t group[8] = {0};
            size_t some = n - i < 8 ? n - i : 8;
            for (size_t k = 0; k < some; k++)
                group[k] = v[i + k];
            make_varint(b, 1 << 1 | 1);
            make_bits(b, group, 8, width);
            i += some;
        }
    }
}

static inline unsigned make_width(uint64_t v)
{
    unsigned width = 0;
    for (; v; v >>= 1)
        width++;
    return width;
}

static inline void make_deltas(struct buffer *b, const int64_t *v, size_t n)
{
    enum { BLOCK = 128, MINIS = 4, PER = BLOCK / MINIS };
    make_varint(b, BLOCK);
    make_varint(b, MINIS);
    make_varint(b, n);
    make_varint(b, make_zigzag(n ? v[0] : 0));
    for (size_t i = 1; i < n; i += BLOCK) {
        uint64_t delta[BLOCK] = {0};
        size_t some = n - i < BLOCK ? n - i : BLOCK;
        int64_t min = INT64_MAX;
        for (size_t k = 0; k < some; k++) {
            delta[k] = (uint64_t)v[i + k] - (uint64_t)v[i + k - 1];
            min = (int64_t)delta[k] < min ? (int64_t)delta[k] : min;
        }
        make_varint(b, make_zigzag(min));
        unsigned width[MINIS] = {0};
        for (size_t k = 0; k < some; k++) {
            delta[k] -= (uint64_t)min;
            unsigned w = make_width(delta[k]);
            width[k / PER] = w > width[k / PER] ? w : width[k / PER];
        }
        for (unsigned m = 0; m < MINIS; m++)
            buffer_u8(b, (uint8_t)width[m]);
        for (unsigned m = 0; m * PER < some; m++)
            make_bits(b, delta + m * PER, PER, width[m]);
    }
}

/* ---- codecs ---- */

/* Greedy, with one table of the last places of four bytes: literals of all lengths, copies with offsets of one, two and four bytes. */
static inline void make_literal(struct buffer *b, const char *p, size_t n)
{
    if (n == 0)
        return;
    if (n <= 60) {
        buffer_u8(b, (uint8_t)((n - 1) << 2));
    } else {
        unsigned bytes = n - 1 < 1u << 8 ? 1 : n - 1 < 1u << 16 ? 2 : 3;
        buffer_u8(b, (uint8_t)((59 + bytes) << 2));
        for (unsigned k = 0; k < bytes; k++)
            buffer_u8(b, (uint8_t)((n - 1) >> 8 * k));
    }
    buffer_put(b, p, n);
}

static inline void make_copy(struct buffer *b, size_t offset, size_t n)
{
    if (n >= 4 && n <= 11 && offset < 2048) {
        buffer_u8(b, (uint8_t)(1 | (n - 4) << 2 | (offset >> 8) << 5));
        buffer_u8(b, (uint8_t)offset);
    } else if (offset < 65536) {
        buffer_u8(b, (uint8_t)(2 | (n - 1) << 2));
        buffer_u16(b, (uint16_t)offset);
    } else {
        buffer_u8(b, (uint8_t)(3 | (n - 1) << 2));
        buffer_u32(b, (uint32_t)offset);
    }
}

static inline void make_snappy(struct buffer *b, struct slice in)
{
    static uint32_t place[1 << 12];
    size_t from = 0, i = 0;
    memset(place, 0xff, sizeof place);
    make_varint(b, in.n);
    while (i + 4 <= in.n) {
        uint32_t word;
        memcpy(&word, in.p + i, 4);
        uint32_t *slot = &place[word * 2654435761u >> 20];
        size_t at = *slot, n = 0;
        *slot = (uint32_t)i;
        while (at != UINT32_MAX && n < 64 && i + n < in.n && in.p[at + n] == in.p[i + n])
            n++;
        if (n < 4) {
            i++;
            continue;
        }
        make_literal(b, in.p + from, i - from);
        make_copy(b, i - at, n);
        from = i += n;
    }
    make_literal(b, in.p + from, in.n - from);
}

static inline void make_gzip(struct buffer *b, struct slice in)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    int rc = deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    assert(rc == Z_OK);
    size_t bound = deflateBound(&z, in.n);
    char *out = buffer_reserve(b, bound);
    z.next_in = (const unsigned char *)in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = (unsigned char *)out;
    z.avail_out = (uInt)bound;
    rc = deflate(&z, Z_FINISH);
    assert(rc == Z_STREAM_END);
    (void)rc;
    b->n += bound - z.avail_out;
    deflateEnd(&z);
}

static inline void make_packed(struct buffer *b, enum make_codec codec, struct slice in)
{
    size_t n;
    switch (codec) {
    case MAKE_NONE: buffer_slice(b, in); break;
    case MAKE_SNAPPY: make_snappy(b, in); break;
    case MAKE_GZIP: make_gzip(b, in); break;
    case MAKE_ZSTD:
        n = ZSTD_compressBound(in.n);
        n = ZSTD_compress(buffer_reserve(b, n), n, in.p, in.n, 3);
        assert(!ZSTD_isError(n));
        b->n += n;
        break;
    }
}

/* ---- columns ---- */

/* Bits of an integer column, or 0. */
static inline unsigned make_integer_bits(const char *name, enum make_integers how)
{
    static const char *const int32[] = {"version", "srcport", "dstport", "protocol", "tcp_flags", "traffic_path", "tcp-flags", "traffic-path"};
    static const char *const int64[] = {"packets", "bytes", "start", "end"};
    unsigned bits = 0;
    for (size_t i = 0; i < WEIR_COUNT(int32); i++)
        bits = strcmp(name, int32[i]) == 0 ? 32 : bits;
    for (size_t i = 0; i < WEIR_COUNT(int64); i++)
        bits = strcmp(name, int64[i]) == 0 ? 64 : bits;
    return how == MAKE_ALL_TEXT ? 0 : how == MAKE_ALL_64 && bits ? 64 : bits;
}

/* Digits with an optional sign; tests write nothing else into integer columns. */
static inline int64_t make_number(const char *text)
{
    uint64_t v = 0;
    bool minus = *text == '-';
    for (const char *p = text + minus; *p; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    return minus ? -(int64_t)v : (int64_t)v;
}

struct make_column {
    const struct make *m;
    const char *name;
    unsigned bits;
    enum make_encoding encoding;
    const char **cell; /* of the group, nulls left out where optional */
    uint32_t *level;
    uint32_t rows, present;
    uint32_t *index, entries; /* dictionary */
    uint32_t *entry;          /* first row of each */
};

static inline void make_plain_value(struct buffer *b, const struct make_column *c, const char *text)
{
    if (c->bits == 32)
        buffer_u32(b, (uint32_t)make_number(text));
    else if (c->bits == 64)
        buffer_u64(b, (uint64_t)make_number(text));
    else {
        buffer_u32(b, (uint32_t)strlen(text));
        buffer_puts(b, text);
    }
}

static inline void make_index(struct make_column *c)
{
    uint32_t cap = 1, *slot;
    while (cap < c->present * 2 + 2)
        cap *= 2;
    slot = malloc(cap * sizeof *slot);
    assert(slot);
    memset(slot, 0xff, cap * sizeof *slot);
    c->entries = 0;
    for (uint32_t i = 0; i < c->present; i++) {
        uint32_t at = (uint32_t)stable_hash(c->cell[i], strlen(c->cell[i])) & (cap - 1);
        while (slot[at] != UINT32_MAX && strcmp(c->cell[c->entry[slot[at]]], c->cell[i]) != 0)
            at = (at + 1) & (cap - 1);
        if (slot[at] == UINT32_MAX) {
            slot[at] = c->entries;
            c->entry[c->entries++] = i;
        }
        c->index[i] = slot[at] + (uint32_t)c->m->lie.indices;
    }
    free(slot);
}

static inline void make_values(struct buffer *b, const struct make_column *c, uint32_t from, uint32_t n)
{
    if (c->encoding == MAKE_DICTIONARY || c->encoding == MAKE_DICTIONARY_OLD) {
        unsigned width = make_width((c->entries ? c->entries - 1 : 0) + (uint32_t)c->m->lie.indices);
        buffer_u8(b, (uint8_t)width);
        make_runs(b, c->index + from, n, width);
        return;
    }
    int64_t *number = calloc(n ? n : 1, sizeof *number);
    assert(number);
    for (uint32_t i = 0; i < n; i++)
        number[i] = c->bits ? make_number(c->cell[from + i]) : (int64_t)strlen(c->cell[from + i]);
    if (c->encoding == MAKE_DELTAS || c->encoding == MAKE_LENGTHS)
        make_deltas(b, number, n);
    for (uint32_t i = 0; i < n; i++) {
        if (c->encoding == MAKE_LENGTHS)
            buffer_puts(b, c->cell[from + i]);
        else if (c->encoding == MAKE_PLAIN)
            make_plain_value(b, c, c->cell[from + i]);
    }
    free(number);
}

/* Head and body; levels of a page v2 stand unpacked in front. */
static inline void make_page(struct buffer *out, const struct make_column *c, int type, struct slice levels, struct slice values, uint32_t rows, uint32_t nulls)
{
    struct buffer packed;
    buffer_init(&packed, SIZE_MAX / 2);
    bool v2 = type == 3, dictionary = type == 2;
    if (v2)
        buffer_slice(&packed, levels);
    make_packed(&packed, c->m->codec, values);
    struct make_struct s = {out, 0};
    make_i32(&s, 1, type);
    make_i32(&s, 2, c->m->lie.page_bytes ? c->m->lie.page_bytes : (int64_t)(values.n + (v2 ? levels.n : 0)));
    make_i32(&s, 3, (int64_t)packed.n);
    if (c->m->checksums)
        make_i32(&s, 4, (int32_t)crc32(0, (const unsigned char *)packed.p, (uInt)packed.n));
    make_field(&s, dictionary ? 7 : v2 ? 8 : 5, 12);
    struct make_struct head = {out, 0};
    make_i32(&head, 1, c->m->lie.page_values && !dictionary ? c->m->lie.page_values : (int64_t)rows);
    if (v2) {
        make_i32(&head, 2, nulls);
        make_i32(&head, 3, rows);
        make_i32(&head, 4, c->m->lie.encoding ? c->m->lie.encoding : (int)c->encoding);
        make_i32(&head, 5, (int64_t)levels.n);
        make_i32(&head, 6, 0);
    } else {
        make_i32(&head, 2, dictionary ? MAKE_PLAIN : c->m->lie.encoding ? c->m->lie.encoding : (int)c->encoding);
        if (!dictionary) {
            make_i32(&head, 3, 3);
            make_i32(&head, 4, 3);
        }
    }
    buffer_u8(out, 0);
    buffer_u8(out, 0);
    buffer_put(out, packed.p, packed.n);
    buffer_fini(&packed);
}

static inline void make_data_page(struct buffer *out, const struct make_column *c, uint32_t row, uint32_t rows, uint32_t from, uint32_t present)
{
    struct buffer levels, body;
    buffer_init(&levels, SIZE_MAX / 2);
    buffer_init(&body, SIZE_MAX / 2);
    if (!c->m->required)
        make_runs(&levels, c->level + row, rows, 1);
    if (!c->m->pages_v2 && !c->m->required) {
        buffer_u32(&body, (uint32_t)levels.n);
        buffer_put(&body, levels.p, levels.n);
    }
    make_values(&body, c, from, present);
    make_page(out, c, c->m->pages_v2 ? 3 : 0, (struct slice){levels.p, levels.n}, (struct slice){body.p, body.n}, rows, rows - present);
    buffer_fini(&levels);
    buffer_fini(&body);
}

struct make_chunk {
    uint64_t at, dictionary, bytes; /* dictionary 0: none */
};

static inline void make_chunk(struct buffer *out, struct make_column *c, struct make_chunk *k)
{
    size_t begin = out->n;
    *k = (struct make_chunk){.at = begin};
    if (c->encoding == MAKE_DICTIONARY || c->encoding == MAKE_DICTIONARY_OLD) {
        struct buffer body;
        buffer_init(&body, SIZE_MAX / 2);
        make_index(c);
        for (uint32_t i = 0; i < c->entries; i++)
            make_plain_value(&body, c, c->cell[c->entry[i]]);
        make_page(out, c, 2, (struct slice){"", 0}, (struct slice){body.p, body.n}, c->entries, 0);
        buffer_fini(&body);
        k->dictionary = begin;
        k->at = out->n;
    }
    uint32_t per = c->m->page_rows ? c->m->page_rows : c->rows, from = 0;
    for (uint32_t row = 0; row < c->rows; row += per) {
        uint32_t rows = c->rows - row < per ? c->rows - row : per, present = 0;
        for (uint32_t i = 0; i < rows; i++)
            present += c->level[row + i];
        make_data_page(out, c, row, rows, from, present);
        from += present;
    }
    k->bytes = out->n - begin;
}

static inline void make_group_column(struct buffer *out, const struct make *m, const struct table *t, uint32_t column, uint32_t row, uint32_t rows, struct make_chunk *k)
{
    struct make_column c = {.m = m, .name = t->name[column], .bits = make_integer_bits(t->name[column], m->integers), .rows = rows};
    c.encoding = c.bits ? m->numbers : m->texts;
    c.cell = malloc((rows + 1) * sizeof *c.cell);
    c.level = calloc(rows + 1, sizeof *c.level);
    c.index = calloc(rows + 1, sizeof *c.index);
    c.entry = calloc(rows + 1, sizeof *c.entry);
    assert(c.cell && c.level && c.index && c.entry);
    for (uint32_t i = 0; i < rows; i++) {
        const char *cell = t->cell[(size_t)(row + i) * t->columns + column];
        c.level[i] = m->required || strcmp(cell, "-") != 0;
        if (c.level[i])
            c.cell[c.present++] = cell;
    }
    make_chunk(out, &c, k);
    free(c.cell);
    free(c.level);
    free(c.index);
    free(c.entry);
}

/* ---- the footer ---- */
static inline void make_schema(struct make_struct *s, const struct make *m, const struct table *t)
{
    make_list(s, 2, 12, t->columns + 1 + m->lie.nested);
    struct make_struct root = {s->b, 0};
    make_text(&root, 4, "schema");
    make_i32(&root, 5, m->lie.nested ? 1 : t->columns);
    buffer_u8(s->b, 0);
    if (m->lie.nested) {
        struct make_struct group = {s->b, 0};
        make_text(&group, 4, "group");
        make_i32(&group, 5, t->columns);
        buffer_u8(s->b, 0);
    }
    for (uint32_t i = 0; i < t->columns; i++) {
        struct make_struct e = {s->b, 0};
        unsigned bits = make_integer_bits(t->name[i], m->integers);
        make_i32(&e, 1, m->lie.type ? m->lie.type : bits == 32 ? 1 : bits == 64 ? 2 : 6);
        make_i32(&e, 3, m->lie.list ? 2 : !m->required);
        make_text(&e, 4, t->name[i]);
        if (!bits)
            make_i32(&e, 6, 0);
        buffer_u8(s->b, 0);
    }
}

static inline void make_group_meta(struct buffer *b, const struct make *m, const struct table *t, const struct make_chunk *k, uint32_t rows)
{
    struct make_struct g = {b, 0};
    make_list(&g, 1, 12, t->columns);
    for (uint32_t i = 0; i < t->columns; i++) {
        struct make_struct chunk = {b, 0};
        unsigned bits = make_integer_bits(t->name[i], m->integers);
        make_i64(&chunk, 2, (int64_t)k[i].at);
        make_field(&chunk, 3, 12);
        struct make_struct meta = {b, 0};
        make_i32(&meta, 1, bits == 32 ? 1 : bits == 64 ? 2 : 6);
        make_list(&meta, 2, 5, 1);
        make_varint(b, make_zigzag(bits ? m->numbers : m->texts));
        make_list(&meta, 3, 8, 1);
        buffer_string(b, slice_of(t->name[i]));
        make_i32(&meta, 4, m->lie.codec ? m->lie.codec : (int)m->codec);
        make_i64(&meta, 5, m->lie.chunk_values ? m->lie.chunk_values : (int64_t)rows);
        make_i64(&meta, 6, (int64_t)k[i].bytes);
        make_i64(&meta, 7, (int64_t)k[i].bytes);
        make_i64(&meta, 9, (int64_t)k[i].at);
        if (k[i].dictionary)
            make_i64(&meta, 11, (int64_t)k[i].dictionary);
        buffer_u8(b, 0);
        buffer_u8(b, 0);
    }
    make_i64(&g, 2, 0);
    make_i64(&g, 3, rows);
    buffer_u8(b, 0);
}

static inline void make_parquet(struct buffer *out, const struct make *m, const struct table *t)
{
    struct buffer groups, footer;
    uint32_t per = m->group_rows ? m->group_rows : t->rows, n = 0;
    struct make_chunk *k = calloc(t->columns, sizeof *k);
    assert(k);
    buffer_init(&groups, SIZE_MAX / 2);
    buffer_init(&footer, SIZE_MAX / 2);
    buffer_puts(out, "PAR1");
    for (uint32_t row = 0; row < t->rows; row += per, n++) {
        uint32_t rows = t->rows - row < per ? t->rows - row : per;
        for (uint32_t i = 0; i < t->columns; i++)
            make_group_column(out, m, t, i, row, rows, &k[i]);
        make_group_meta(&groups, m, t, k, rows);
    }
    struct make_struct s = {&footer, 0};
    make_i32(&s, 1, m->pages_v2 ? 2 : 1);
    make_schema(&s, m, t);
    make_i64(&s, 3, m->lie.file_rows ? m->lie.file_rows : (int64_t)t->rows);
    make_list(&s, 4, 12, n);
    buffer_put(&footer, groups.p, groups.n);
    make_text(&s, 6, "weir tests");
    if (m->lie.encrypted) {
        make_field(&s, 8, 12);
        buffer_u8(&footer, 0);
    }
    buffer_u8(&footer, 0);
    buffer_put(out, footer.p, footer.n);
    buffer_u32(out, (uint32_t)footer.n);
    buffer_puts(out, "PAR1");
    buffer_fini(&groups);
    buffer_fini(&footer);
    free(k);
}

#endif
