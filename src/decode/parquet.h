/* Parquet flow logs, read by columns from a source of ranges. What the parquet_ files share, in the order of the bytes:
 *
 *   parquet_thrift.c    the compact encoding of footer and page headers
 *   parquet_meta.c      the footer: which columns, where their chunks lie
 *   parquet_codec.c     the body of a page: snappy, gzip, zstd
 *   parquet_encoding.c  numbers, texts and dictionary indices of a page
 *   parquet_page.c      one column: page after page, as raw values
 *   parquet_value.c     raw values of a column as what its field needs (an address, a time, a word)
 *   parquet.c           columns side by side as records
 *
 * A batch of rows never crosses a page, so that texts may borrow from it. Held in memory: the footer, and of each column that weir
 * reads one page and its dictionary. Source: apache/parquet-format, README.md, parquet.thrift and Encodings.md. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_PARQUET_H
#define DECODE_PARQUET_H

#include "decode/internal.h"

#define PARQUET_FOOTER_MAX (64u << 20)
#define PARQUET_PAGE_MAX (64u << 20)     /* one page, stored or not */
#define PARQUET_MEMORY_MAX (256u << 20)  /* all pages and dictionaries together */
#define PARQUET_BATCH 256

/* Where the bytes of the file come from. read fills out[0..n) from offset `at`; at + n <= size. */
struct parquet_bytes {
    void *ctx;
    uint64_t size;
    enum weir_err (*read)(void *ctx, uint64_t at, void *out, size_t n, struct fault *fault);
};

/* ---- thrift compact ---- */
enum thrift_type { THRIFT_TRUE = 1, THRIFT_FALSE, THRIFT_I8, THRIFT_I16, THRIFT_I32, THRIFT_I64, THRIFT_DOUBLE, THRIFT_BINARY, THRIFT_LIST,
                   THRIFT_SET, THRIFT_MAP, THRIFT_STRUCT };
struct thrift_field { /* all zero before the first */
    uint8_t type;
    int32_t id;
};
/* The next field of a struct. False: its end, or c->err. */
bool thrift_next(struct cursor *c, struct thrift_field *f);
/* The value of a field; of another type: c->err. */
int64_t thrift_int(struct cursor *c, const struct thrift_field *f);
struct slice thrift_text(struct cursor *c, const struct thrift_field *f);
/* Number of items of a list, at most that of the bytes left; of items of another type: c->err. */
uint32_t thrift_list(struct cursor *c, const struct thrift_field *f, enum thrift_type items);
void thrift_skip(struct cursor *c, const struct thrift_field *f);

/* ---- the footer ---- */
enum parquet_type { PARQUET_BOOLEAN, PARQUET_INT32, PARQUET_INT64, PARQUET_INT96, PARQUET_FLOAT, PARQUET_DOUBLE, PARQUET_BYTES, PARQUET_FIXED };
enum parquet_codec { PARQUET_PLAIN, PARQUET_SNAPPY, PARQUET_GZIP, PARQUET_LZO, PARQUET_BROTLI, PARQUET_LZ4, PARQUET_ZSTD, PARQUET_LZ4_RAW };
const char *parquet_codec_name(unsigned codec);
const char *parquet_type_name(unsigned type);

struct parquet_leaf { /* a column of the schema */
    struct slice name;   /* borrows from the footer */
    uint8_t type;        /* enum parquet_type */
    uint8_t field;       /* enum decode_field; FIELD_UNKNOWN: not read */
    bool optional, repeated, is_unsigned;
    bool nested;
};
struct parquet_chunk { /* a column of a row group */
    uint8_t codec, type;
    bool elsewhere, encrypted;
    uint64_t at, bytes, values;
};
struct parquet_meta {
    struct parquet_leaf leaf[DECODE_COLUMNS_MAX];
    unsigned leaves;
    uint64_t rows;
    struct cursor groups; /* at the next row group */
    uint32_t groups_left;
    bool nested, unknown;
};
struct parquet_group {
    uint64_t rows;
    struct parquet_chunk chunk[DECODE_COLUMNS_MAX]; /* one for each leaf */
};
/* footer is borrowed as long as meta is used. UNSUPPORTED, LIMIT, CORRUPT. */
WEIR_MUST_USE enum weir_err parquet_meta_parse(struct slice footer, struct parquet_meta *out, struct fault *fault);
/* WEIR_END behind the last. */
WEIR_MUST_USE enum weir_err parquet_group_next(struct parquet_meta *meta, struct parquet_group *out, struct fault *fault);

/* ---- pages ---- */
struct memory { /* bytes with DECODE_PAD zeros behind them */
    unsigned char *p;
    size_t n, cap;
};
/* The body of a page, of which exactly out_n bytes must come. */
struct unpacker; /* states of the decompressors, for one thread */
struct unpacker *unpacker_new(void);
void unpacker_free(struct unpacker *u);
WEIR_MUST_USE enum weir_err unpack(struct unpacker *u, unsigned codec, struct slice in, unsigned char *out, size_t out_n, struct fault *fault);
/* Raw snappy without frames. False: damaged, or not exactly out_n bytes. */
bool snappy_unpack(struct slice in, unsigned char *out, size_t out_n);

/* Runs and bit-packed groups: levels and dictionary indices. */
struct runs {
    const unsigned char *p;
    size_t left;             /* bytes behind p */
    unsigned width;
    uint32_t value;          /* of the run */
    uint64_t repeated, packed; /* values left in the run or in the bit-packed groups */
    const unsigned char *bits;
    uint64_t bit;
};
bool runs_init(struct runs *r, const unsigned char *p, size_t n, unsigned width);
/* False: damaged or too few. */
bool runs_read(struct runs *r, uint32_t *out, size_t n);

/* Deltas in bit-packed blocks. */
struct deltas {
    const unsigned char *p;
    size_t left;
    uint64_t values;         /* not yet read */
    uint64_t last, min_delta;
    uint32_t blocks_of, minis, per_mini;
    const unsigned char *widths; /* of the miniblocks of this block */
    uint32_t mini;           /* the next of them; minis: a new block is to come */
    uint32_t in_mini;        /* values left in the one in work */
    unsigned width;
    const unsigned char *bits;
    uint64_t bit;
    bool first;
};
bool deltas_init(struct deltas *d, const unsigned char *p, size_t n);
bool deltas_read(struct deltas *d, uint64_t *out, size_t n);
/* Pass over all values: then d->p and d->left tell what stands behind them. */
bool deltas_skip(struct deltas *d);

enum value_stream { VALUES_PLAIN, VALUES_DICTIONARY, VALUES_DELTAS, VALUES_LENGTHS };

/* A value as its field needs it. */
struct value {
    union {
        uint64_t number;
        struct ip ip;
        struct slice text;
    };
};
#define VALUE_NONE ((struct value){.ip = {0, 0}}) /* all of it, so as a text, too */
/* What is known of it: fine, or absent (0), or a reject reason + 1 in the low bits. */
#define VALUE_FINE 0x80u
#define VALUE_MS 0x40u
#define VALUE_ODD 0x20u
#define VALUE_WHY 0x1fu

struct column {
    const struct parquet_leaf *leaf;
    unsigned index; /* of the leaf */
    uint8_t field;
    struct parquet_chunk chunk;
    uint64_t at, end;        /* of the next page in the file */
    uint64_t values_left;    /* of the chunk, in pages to come */
    uint32_t page_left;      /* rows of the page in work */
    uint8_t stream;          /* enum value_stream */
    bool has_levels;
    struct memory stored, page, dictionary;
    const unsigned char *p;  /* VALUES_PLAIN and VALUES_LENGTHS: the next value */
    size_t left;
    struct runs levels, indices;
    struct deltas deltas;
    struct value *entry;     /* of the dictionary, made once */
    uint8_t *entry_state;
    uint32_t entries, entries_cap;
    struct value value[PARQUET_BATCH];
    uint8_t state[PARQUET_BATCH];
};

struct parquet {
    struct parquet_bytes bytes;
    struct parquet_meta meta;
    struct parquet_group group;
    struct unpacker *unpacker;
    struct memory footer, head;
    size_t held; /* bytes in pages and dictionaries */
    uint64_t row, rows_left; /* rows so far; left in the group */
    unsigned columns;
    struct column *column[FIELD_COUNT]; /* in the order in which rejects are told; made on demand, kept */
    struct column *by_field[FIELD_COUNT];
    struct row *rows;        /* of a batch */
    struct layout layout;
    struct program program;
};

/* Begin with the pages of a chunk. */
WEIR_MUST_USE enum weir_err column_begin(struct parquet *pq, struct column *c, struct fault *fault);
/* Have a page with rows in work. */
WEIR_MUST_USE enum weir_err column_page(struct parquet *pq, struct column *c, struct fault *fault);
/* The next n rows, n <= page_left, as value[] and state[]. */
WEIR_MUST_USE enum weir_err column_read(struct column *c, unsigned n, struct fault *fault);
void column_free(struct column *c);

/* ---- values ---- */
void value_of_text(unsigned field, struct slice text, struct value *v, uint8_t *state);
void value_of_number(unsigned field, uint64_t number, bool negative, struct value *v, uint8_t *state);

/* ---- records ---- */
struct parquet *parquet_new(void); /* for one thread, reused over files; NULL if out of memory */
void parquet_free(struct parquet *pq);
/* Footer and schema. CORRUPT or TRUNCATED: damaged. UNSUPPORTED or LIMIT: refused by name; NOTFOUND, EXISTS: columns missing or twice. */
WEIR_MUST_USE enum weir_err parquet_open(struct parquet *pq, const struct parquet_bytes *bytes, struct fault *fault);
/* Some more rows. WEIR_END: all were read and the file is whole. */
WEIR_MUST_USE enum weir_err parquet_rows(struct parquet *pq, struct decode_out *out, struct fault *fault);

#endif
