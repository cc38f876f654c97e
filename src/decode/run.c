/* What kind of object is this, and who reads it: decided by its first bytes, never by its name. Whatever no reader claims is
 * text, whose decoder has the better reasons to refuse it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/internal.h"

static const struct reader *const readers[READERS_MAX + 1] = { /* asked in this order, up to a NULL */
    &reader_parquet,
    &reader_json,
    &reader_capture,
    NULL,
};

/* The place of the NULL: text. */
static size_t reader_of(struct slice head)
{
    size_t i = 0;
    while (readers[i] && !readers[i]->claims(head))
        i++;
    return i;
}

const char *decode_kind(struct slice head)
{
    const struct reader *reader = readers[reader_of(head)];
    return reader ? reader->word : DECODE_TEXT;
}

void readers_close(void *state[READERS_MAX])
{
    for (size_t i = 0; readers[i]; i++)
        if (state[i])
            readers[i]->close(state[i]);
}

static enum weir_err read_text(struct decoder *d, struct stream *in)
{
    char *p;
    size_t n;
    enum weir_err err;
    while (!(err = stream_next(in, &p, &n)))
        if ((err = decoder_feed(d, p, n, &in->fault)))
            return err;
    return err == WEIR_END ? decoder_end(d, &in->fault) : err;
}

static enum weir_err read_other(struct decoder *d, size_t i, struct stream *in)
{
    if (!d->state[i] && !(d->state[i] = readers[i]->open(&d->out)))
        return fault_set(&in->fault, WEIR_NOMEM, "out of memory");
    enum weir_err err = readers[i]->read(d->state[i], in);
    if (d->out.bad)
        in->fault = d->out.fault;
    return err;
}

/* A reader may be done before the last byte, but the object is only whole when that has come. */
static void drain(struct stream *in)
{
    char *p;
    size_t n;
    while (!stream_next(in, &p, &n)) {}
}

enum weir_err decoder_run(struct decoder *d, const struct decode_input *input, struct fault *fault)
{
    struct stream in;
    decoder_begin(d);
    d->out.growth = (struct decode_growth){NULL, 0};
    stream_open(&in, input, d->head, &d->held);
    size_t i = reader_of(in.head);
    enum weir_err err = readers[i] ? read_other(d, i, &in) : read_text(d, &in);
    if (!err)
        drain(&in);
    if (in.err != WEIR_OK && in.err != WEIR_END) {
        d->out.bad = BAD_NONE; /* what came of half an object says nothing of it */
        *fault = in.why;
        return in.err;
    }
    if (err)
        *fault = in.fault;
    return err;
}
