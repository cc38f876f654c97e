/* The reader of Parquet objects: held whole, since the footer stands at the end, and read by rows. Damage refuses the object, what is not
 * read is refused by name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/parquet.h"

struct state {
    struct parquet *parquet;
    struct decode_out *out;
};

static bool claims(struct slice head)
{
    return head.n >= 4 && memcmp(head.p, "PAR1", 4) == 0;
}

static void close_state(void *state)
{
    struct state *s = state;
    parquet_free(s->parquet);
    free(s);
}

static void *open_state(struct decode_out *out)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s || !(s->parquet = parquet_new())) {
        free(s);
        return NULL;
    }
    s->out = out;
    return s;
}

static enum weir_err range(void *ctx, uint64_t at, void *out, size_t n, struct fault *fault)
{
    struct stream *in = ctx;
    enum weir_err err = stream_at(in, at, out, n);
    if (err)
        *fault = in->fault;
    return err;
}

static enum weir_err outcome(struct state *s, enum weir_err err, const struct fault *fault)
{
    switch (err) {
    case WEIR_CORRUPT:
    case WEIR_TRUNCATED: return decode_spoil(s->out, BAD_PARQUET_DAMAGED, fault->text);
    case WEIR_UNSUPPORTED:
    case WEIR_LIMIT: return decode_spoil(s->out, BAD_PARQUET_FEATURE, fault->text);
    case WEIR_NOTFOUND: return decode_spoil(s->out, BAD_HEADER_MISSING, fault->text);
    case WEIR_EXISTS: return decode_spoil(s->out, BAD_HEADER_DUPLICATE, fault->text);
    default: return err;
    }
}

static void note_columns(const struct state *s)
{
    const struct program *pg = &s->parquet->program;
    decoder_of(s->out)->layout = s->parquet->layout;
    if (s->parquet->meta.unknown)
        decode_note(s->out, NOTE_UNKNOWN_FIELD);
    if (!(pg->has & 1ULL << FIELD_END))
        decode_note(s->out, NOTE_NO_END);
    if (!(pg->has & 1ULL << FIELD_ACTION) && !pg->transit_gateway)
        decode_note(s->out, NOTE_NO_ACTION);
}

static enum weir_err read_object(void *state, struct stream *in)
{
    struct state *s = state;
    struct parquet_bytes bytes = {.ctx = in, .read = range};
    struct fault fault;
    enum weir_err err = stream_hold(in, &bytes.size);
    if (err)
        return err;
    err = parquet_open(s->parquet, &bytes, &fault);
    if (!err)
        note_columns(s);
    while (!err)
        err = parquet_rows(s->parquet, s->out, &fault);
    if (err == WEIR_END)
        return WEIR_OK;
    in->fault = fault;
    return outcome(s, err, &fault);
}

const struct reader reader_parquet = {"parquet", claims, open_state, close_state, read_object};
