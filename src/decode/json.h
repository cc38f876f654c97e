/* JSON objects: envelopes of CloudWatch Logs and Firehose, flow logs of Azure and of Google Cloud. A pull tokenizer over the stream, whatever the
 * pieces, holds one key and one text; the readers behind it hold what they need of one record.
 *
 *   json_pull.c     bytes to tokens
 *   json_reader.c   what kind of document is this; CloudWatch and Firehose envelopes
 *   json_azure.c    NSG flow logs 1 and 2, VNet flow logs
 *   json_google.c   VPC flow logs as log entries
 *   json_record.c   what the clouds' records have in common
 *
 * Source: RFC 8259. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_JSON_H
#define DECODE_JSON_H

#include "decode/internal.h"

#define JSON_DEPTH_MAX 64
#define JSON_KEY_MAX 64   /* a longer key is none that anybody knows */

/* VALUE tokens: OBJECT, ARRAY, STRING, NUMBER, WORD. END: the input ends between documents. BAD: j->err and the fault of the stream. */
enum json_token { JSON_END, JSON_OBJECT, JSON_OBJECT_END, JSON_ARRAY, JSON_ARRAY_END, JSON_STRING, JSON_NUMBER, JSON_WORD, JSON_BAD };

struct json {
    struct stream *in;
    const char *p;        /* piece in work */
    size_t n, at;
    uint64_t before;      /* bytes of the pieces before it */
    unsigned depth;
    uint64_t objects;     /* bit d: the container at depth d is an object */
    bool first;           /* no value in this container yet */
    bool within;          /* what was being read when the input ended was not between two values */
    struct slice key;     /* of the value just given, in an object; lives until the next token */
    struct slice text;    /* STRING (unescaped), NUMBER, WORD (true, false, null): so, too */
    bool odd;             /* the text has U+0000, a control byte, a lone surrogate or an escape that does not exist: it may not be used */
    bool too_long;        /* cut at DECODE_LINE_MAX */
    enum weir_err err;    /* CORRUPT, TRUNCATED, LIMIT, or what the stream gave */
    char key_memory[JSON_KEY_MAX];
    char text_memory[DECODE_LINE_MAX];
};
void json_open(struct json *j, struct stream *in);
enum json_token json_next(struct json *j);
/* The rest of the value whose first token was t. */
void json_skip(struct json *j, enum json_token t);
/* Each key of an object, or each item of an array: JSON_OBJECT_END, JSON_ARRAY_END and JSON_BAD end the loop. */
static inline bool json_more(struct json *j, enum json_token *t)
{
    *t = json_next(j);
    return *t < JSON_BAD && *t != JSON_OBJECT_END && *t != JSON_ARRAY_END && *t != JSON_END;
}
static inline bool json_key_is(const struct json *j, const char *key) { return slice_eq(j->key, slice_of(key)); }

/* ---- records of other clouds ---- */
#define CLOUD_TEXT_MAX 200 /* of a name that comes from the log */

struct cloud_name { /* a copy: it outlives the token that it came in */
    uint8_t n;
    char text[CLOUD_TEXT_MAX];
};
/* A name that is too long, or not fit for use, is empty. */
void cloud_name_set(struct cloud_name *name, const struct json *j, enum json_token t);
static inline struct slice cloud_name_slice(const struct cloud_name *name) { return (struct slice){name->text, name->n}; }

#define HAS(field) (1ULL << FIELD_##field)

/* Sense and emit; a record that makes none is refused with its text. r->has tells what it has. */
void cloud_emit(struct decode_out *out, struct record *r, struct slice text);

struct json_reader {
    struct decode_out *out;
    struct decoder *decoder; /* whose text reader takes the lines in envelopes */
    struct json json;
    uint64_t line;           /* records so far */
    uint64_t known;          /* things of a kind that weir reads */
    unsigned open_depth;     /* depth within the array of Azure's records, once there was one */
    struct azure *azure;
    struct google *google;
};
/* The items of "records" and the fields of a log entry, from behind their first token. */
void azure_records(struct json_reader *r);
struct azure *azure_new(void);
void azure_free(struct azure *a);
void azure_begin(struct json_reader *r); /* the next object */
struct google *google_new(void);
void google_begin(struct json_reader *r);
/* A field of an entry: true if it was one that is read. */
bool google_field(struct json_reader *r, enum json_token t);
void google_end(struct json_reader *r);

#endif
