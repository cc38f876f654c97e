/* What a reader of one kind of object stands on. The text reader (decoder.c) is the default and is called directly; every other
 * kind is a struct reader in the table of run.c. A reader pulls: it asks its stream for the next piece, or has the whole object
 * held and reads it at any place, and hands records, notes and rejects to a decode_out, where they are counted.
 *
 * To add a reader: 1. a file src/decode/KIND.c with a `const struct reader reader_KIND`; 2. its line in the table of run.c;
 * 3. its magic out of src/source/sniff.c, which refuses what nobody reads; 4. its reasons and notes into the lists of weir/decode.h;
 * 5. tests/test_decode_KIND.c, a fuzz target, docs/formats.md. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_READER_H
#define DECODE_READER_H

#include "weir/decode.h"

#define STREAM_HEAD_BYTES 512u         /* what a reader may look at to claim an object */
#define STREAM_HELD_BYTES (16u << 20)  /* of an object held in memory; more goes to the spool */

/* ---- where records go ---- */
struct decode_out {
    struct decode_sink sink;
    struct decode_counts counts;
    enum decode_bad bad;
    struct fault fault;
    struct decode_growth growth;
    uint64_t pass_over; /* records of an object that grows */
};
/* One record, with its line; counts it as read. */
void decode_emit(struct decode_out *out, const struct record *r);
/* One record that cannot be used; counts it as read. field: enum decode_field, or FIELD_COUNT for none. */
void decode_refuse(struct decode_out *out, enum decode_reject why, uint64_t line, unsigned field, struct slice text);
void decode_note(struct decode_out *out, enum decode_note which);
/* Bits 1u << enum decode_note of one record. Milliseconds are a property of the object: noted once. */
void decode_notes(struct decode_out *out, uint32_t notes);
/* The whole object is refused; UNSUPPORTED, so that `return decode_spoil(...)` reads well. detail may be "". */
enum weir_err decode_spoil(struct decode_out *out, enum decode_bad why, const char *detail);

/* ---- where bytes come from ---- */
struct held { /* a whole object */
    struct buffer memory;
    uint64_t bytes;
    bool spooled;
};
struct stream {
    const struct decode_input *input;
    struct slice ahead[2]; /* pieces drawn to look at the head, in order; the bytes are writable */
    size_t ahead_n;
    enum weir_err err;     /* how the input ended: OK while it goes on */
    struct fault why;      /* if it failed */
    struct fault fault;    /* of the reader */
    struct held *held;
    struct slice head;     /* the first STREAM_HEAD_BYTES, or the whole object if it is shorter */
};
/* memory: DECODE_HEADROOM + STREAM_HEAD_BYTES bytes that live as long as the stream. */
void stream_open(struct stream *in, const struct decode_input *input, char *memory, struct held *held);
/* As decode_input.next. END comes again and again; so does a failure, which a reader hands on as it is. */
WEIR_MUST_USE enum weir_err stream_next(struct stream *in, char **p, size_t *n);
/* Draw the whole object (only before the first stream_next) and hold it until the next object: then stream_at() reads at any place. */
WEIR_MUST_USE enum weir_err stream_hold(struct stream *in, uint64_t *bytes);
/* n bytes at a place; RANGE (and a fault) if they do not lie within the object. */
WEIR_MUST_USE enum weir_err stream_at(struct stream *in, uint64_t at, void *out, size_t n);

/* ---- readers ---- */
struct reader {
    const char *word; /* the kind, for people */
    bool (*claims)(struct slice head);
    void *(*open)(struct decode_out *out); /* state for many objects; NULL: out of memory */
    void (*close)(void *state);
    /* One object to its end. OK; UNSUPPORTED after decode_spoil(); what stream_next() and its like gave; NOMEM. in->fault tells more. */
    enum weir_err (*read)(void *state, struct stream *in);
};
extern const struct reader reader_parquet, reader_json;
#define READERS_MAX 8
extern const struct reader reader_capture;
void readers_close(void *state[READERS_MAX]);

#endif
