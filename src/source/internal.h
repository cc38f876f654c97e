/* What the files of this room share: the engines behind one table, the gzip framing, what bytes look like, safe opening.
 * The framing is ours and the engines see raw deflate only, so that members, checksums, padding and offsets cannot
 * depend on the engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_INTERNAL_H
#define SOURCE_INTERNAL_H

#include <weir/source.h>

/* ---- engines ---- */
#define INFLATE_BEHIND_MAX 8

struct inflate_io {
    const unsigned char *in; /* in and out advance as they are used */
    size_t in_n;
    unsigned char *out;
    size_t out_n;
    unsigned char behind[INFLATE_BEHIND_MAX]; /* on DONE: bytes behind the data that the engine had taken already, before in */
    size_t behind_n;
    const char *cause; /* on DAMAGED */
};

enum inflate_result {
    INFLATE_GOING, /* in is used up or out is full, or both */
    INFLATE_DONE,  /* the last block ended */
    INFLATE_DAMAGED
};

struct inflate_ops {
    const char *(*name)(void);
    void *(*open)(void); /* all its memory, so that reading cannot fail for want of it; NULL if out of memory */
    void (*close)(void *state);
    void (*reset)(void *state);
    enum inflate_result (*run)(void *state, struct inflate_io *io);
    uint32_t (*crc)(uint32_t crc, const void *bytes, size_t n); /* CRC-32 of gzip, start with 0 */
};
extern const struct inflate_ops inflate_zlib_ops;
extern const struct inflate_ops inflate_isal_ops;                    /* only where built in */
const struct inflate_ops *inflate_ops_of(enum inflate_engine engine); /* NULL if not built in */

/* ---- what bytes look like ---- */
#define SNIFF_BYTES 512
enum sniffed { SNIFFED_TEXT, SNIFFED_GZIP, SNIFFED_FOREIGN };
/* From the first bytes of something (SNIFF_BYTES or all of it); *name is set for FOREIGN. */
enum sniffed sniff(const void *bytes, size_t n, const char **name);

/* ---- gzip framing of one level ---- */
enum gunzip_phase {
    GUNZIP_BETWEEN,   /* waits for a member, padding or the end   -> HEADER, TAIL */
    GUNZIP_HEADER,    /* the ten fixed bytes                      -> one of the four fields, BODY */
    GUNZIP_EXTRA_LEN, /* length of the extra field                -> EXTRA */
    GUNZIP_EXTRA,     /*                                          -> NAME, COMMENT, HEADER_CRC, BODY */
    GUNZIP_NAME,      /* up to a NUL                              -> COMMENT, HEADER_CRC, BODY */
    GUNZIP_COMMENT,   /* up to a NUL                              -> HEADER_CRC, BODY */
    GUNZIP_HEADER_CRC,/* two bytes                                -> BODY */
    GUNZIP_BODY,      /* the engine runs                          -> TRAILER */
    GUNZIP_TRAILER,   /* CRC and length                           -> BETWEEN */
    GUNZIP_TAIL,      /* foreign bytes behind the last member     -> (stays to the end) */
    GUNZIP_ENDED,     /* whole */
    GUNZIP_REJECTED   /* why and cause are set */
};

struct gunzip {
    const struct inflate_ops *ops;
    void *state;
    uint64_t limit_bytes; /* output beyond this is a bomb */
    enum gunzip_phase phase;
    unsigned char field[10]; /* fixed header or trailer so far */
    uint32_t field_n;        /* bytes of the present field seen */
    uint32_t extra_n;
    unsigned flags;          /* header flags whose field is still to come */
    bool has_header_crc;
    uint32_t header_crc, crc;
    uint64_t member_bytes;   /* inflated, of this member */
    uint64_t in_bytes, out_bytes, members, padding_bytes, tail_bytes;
    uint32_t tail_last; /* the last three bytes of the tail */
    enum source_reject why;
    const char *cause;
};

struct bytes_in {
    const unsigned char *p;
    size_t n;
    bool last; /* nothing follows */
};

void gunzip_start(struct gunzip *g, const struct inflate_ops *ops, void *state, uint64_t limit_bytes);
/* WEIR_OK: *n bytes made, or in is used up; WEIR_END: whole. Anything else: rejected, and every later call says so again. */
enum weir_err gunzip_run(struct gunzip *g, struct bytes_in *in, unsigned char *out, size_t cap, size_t *n);
enum weir_err source_reject_err(enum source_reject why);

/* ---- opening ---- */
struct fetched; /* fetch.h */
/* A regular file or the spool of standard input, by pread only, or what is fetched. *owned tells who closes fd. */
struct opened {
    int fd;
    bool owned;
    struct fetched *far; /* not NULL: then there is no fd */
    uint64_t size_bytes;
};
enum weir_err open_object(const struct object *o, uint64_t max_spool_bytes, struct opened *out, enum source_reject *why, struct fault *fault);
enum weir_err spool_stdin(uint64_t max_bytes, struct opened *out, enum source_reject *why, struct fault *fault);
const char *file_kind(unsigned mode); /* "FIFO" of st_mode */
bool source_stopped(void); /* as source_stop_when tells */

/* ---- for tests ---- */
/* Hand the framing at most n bytes at a time: the output may not depend on it. */
void source_set_chunk(struct source *s, size_t n);

#endif
