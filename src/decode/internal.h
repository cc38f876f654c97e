/* What the files of decode share. Three stages: scan.c finds the separators of a block of text with SIMD, walk.h
 * reads the needed columns of one clean line, decoder.c does everything that is not a clean line (headers, blanks,
 * wrapped or cut lines, rejects) slowly and is the only judge of a reject. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_INTERNAL_H
#define DECODE_INTERNAL_H

#include "decode/reader.h"

#define COLUMN_NONE 0xffffu
#define DECODE_PAD 32      /* walk.h may read, never use, this many bytes past the end of a line */
#define BLOCK_BYTES 16384u /* text, index and record state of one block stay in the first-level cache */
#define ID_MAX_BYTES 255u

/* The fast path is compiled for any machine and, in block_avx2.c and block_avx512.c, for better ones. */
#if defined(DECODE_AVX512)
#define DECODE_TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi2")))
#elif defined(DECODE_AVX2)
#define DECODE_TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#else
#define DECODE_TARGET
#endif
#define ALWAYS_INLINE static inline DECODE_TARGET __attribute__((always_inline))

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A layout turned round: for each field its column, so that the reader visits what it needs and nothing else. */
struct program {
    uint64_t has;                 /* the fields read, below 64 */
    uint16_t columns;             /* with the time prefix */
    bool prefix;                  /* column 0 is the time of a CloudWatch export */
    bool strict;                  /* the layout is a guess: every record must prove that it is default v2 */
    bool transit_gateway;
    uint16_t column[FIELD_COUNT]; /* or COLUMN_NONE */
};
void program_make(struct program *pg, const struct layout *layout, bool strict);

/* Next token of *rest; blanks run together, commas do not. */
bool token_next(struct slice *rest, bool comma, struct slice *token);
bool comma_separated(struct slice line);
bool layout_is_header(struct slice line);
/* The field of a name as it may be spelled, or FIELD_UNKNOWN. */
enum decode_field layout_field(struct slice spelled);

/* ---- one line, slowly ---- */
struct verdict {
    enum decode_reject why; /* REJECT_COUNT: accepted */
    unsigned field;         /* enum decode_field, or FIELD_COUNT */
    uint32_t notes;         /* bits 1u << enum decode_note */
};

/* Working memory of the slow path: a padded copy of the line and its columns. */
struct workbench {
    uint32_t before[DECODE_COLUMNS_MAX + 2], end[DECODE_COLUMNS_MAX + 2];
    char copy[DECODE_LINE_MAX + DECODE_PAD];
};
/* Decode a line of at most DECODE_LINE_MAX bytes, trimmed; slices of *r borrow from line. */
bool line_decode(const struct program *pg, struct slice line, struct workbench *w, struct record *r, struct verdict *v);
/* A line without line end and blanks around it. */
struct slice line_trim(struct slice line);
bool has_control_byte(struct slice line);
/* Length of the time and separator in front of a record of a CloudWatch export, or 0. */
size_t time_prefix(struct slice line);

/* ---- what a line looks like (sniff.c) ---- */
enum wrap { WRAP_TAKEN, WRAP_MORE, WRAP_BAD, WRAP_ESCAPE };
/* `{"message":"..."}` at the start of text, which has no newline and at most DECODE_LINE_MAX bytes. TAKEN: *used bytes, *inner is
 * the message, copied to unescaped (as large) only where it holds escapes. ESCAPE: so, but with an escape that no record needs.
 * MORE: text ends early. BAD: something else. */
enum wrap wrap_open(struct slice text, char *unescaped, struct slice *inner, size_t *used);
bool looks_binary(struct slice line);
bool looks_like_other_log(struct slice line);
bool is_console_header(struct slice line); /* timestamp,message */

/* ---- stage 1: the index of a block ---- */
struct masks { /* a bit for each byte of each 64 bytes */
    uint64_t separator[BLOCK_BYTES / 64 + 1]; /* blank or control byte */
    uint64_t control[BLOCK_BYTES / 64 + 1];
    uint64_t newline[BLOCK_BYTES / 64 + 1];
};
struct index {
    uint32_t at[BLOCK_BYTES + 64];      /* at[0] = -1, then the places of separators */
    uint32_t newline[BLOCK_BYTES + 64]; /* which of them are newlines */
    uint32_t odd[BLOCK_BYTES + 64];     /* places of separators that need care: control bytes, and the second of two */
    size_t newlines;
    struct masks masks;
};

struct decoder {
    struct program program; /* columns 0: no layout yet, so that no line is clean */
    struct record record;
    struct decode_out out;
    uint64_t line_no;
    size_t (*block)(struct decoder *d, const char *p, size_t n, size_t readable);
    /* colder */
    bool has_layout, from_header, guessed, prefix; /* prefix: `timestamp,message` was seen */
    bool begun;                                    /* the first bytes are looked at: no byte order mark any more */
    bool skipping;                                 /* dropping the rest of a rejected line */
    const struct layout *configured;
    struct layout layout;
    size_t carried;
    char carry[DECODE_LINE_MAX];
    char unescaped[DECODE_LINE_MAX];
    struct workbench bench;
    struct index index;
    /* objects of other kinds (run.c) */
    void *state[READERS_MAX]; /* of their readers, made when the first such object comes */
    struct held held;
    char head[DECODE_HEADROOM + STREAM_HEAD_BYTES];
};

/* The decoder whose output this is. */
static inline struct decoder *decoder_of(struct decode_out *out)
{
    return (struct decoder *)(void *)((char *)out - offsetof(struct decoder, out));
}

/* Decode and emit the whole lines of a block of at most BLOCK_BYTES; `readable` bytes may be read. Returns the bytes eaten. */
typedef size_t block_reader(struct decoder *d, const char *p, size_t n, size_t readable);
block_reader block_plain;
block_reader *block_reader_avx2(void); /* NULL where the processor cannot */
block_reader *block_reader_avx512(void);

/* One line that is not clean (without its newline): header, comment, wrapped, odd or rejected. */
void decoder_line(struct decoder *d, struct slice line);
void decoder_note(struct decoder *d, uint32_t notes);

#endif
