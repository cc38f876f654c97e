/* The bytes of one object as a reader asks for them. The first pieces are drawn to see what kind of object it is, and handed
 * out again from the start. An object that must be read at any place is held: in memory, and beyond a cap in the spool. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/reader.h"

static enum weir_err draw(struct stream *in, struct slice *piece)
{
    char *p = NULL;
    size_t n = 0;
    if (!in->err)
        in->err = in->input->next(in->input->ctx, &p, &n, &in->why);
    *piece = (struct slice){p, in->err ? 0 : n};
    return in->err;
}

/* A source may give its first bytes in small pieces: they are put together, and of the last one the rest stays where it is. */
static void gather_head(struct stream *in, char *head, struct slice first)
{
    size_t have = first.n;
    memcpy(head, first.p, have);
    in->ahead[0] = (struct slice){head, have};
    while (have < STREAM_HEAD_BYTES && !draw(in, &in->ahead[1])) {
        struct slice *piece = &in->ahead[1];
        size_t n = piece->n < STREAM_HEAD_BYTES - have ? piece->n : STREAM_HEAD_BYTES - have;
        memcpy(head + have, piece->p, n);
        *piece = (struct slice){piece->p + n, piece->n - n};
        have += n;
        in->ahead[0].n = have;
        in->ahead_n = 1 + (piece->n > 0);
    }
    in->head = in->ahead[0];
}

void stream_open(struct stream *in, const struct decode_input *input, char *memory, struct held *held)
{
    *in = (struct stream){.input = input, .held = held, .head = {memory, 0}};
    buffer_clear(&held->memory);
    held->bytes = 0;
    held->spooled = false;
    if (draw(in, &in->ahead[0]))
        return;
    in->ahead_n = 1;
    in->head = in->ahead[0];
    if (in->head.n < STREAM_HEAD_BYTES)
        gather_head(in, memory + DECODE_HEADROOM, in->head);
    else
        in->head.n = STREAM_HEAD_BYTES;
}

enum weir_err stream_next(struct stream *in, char **p, size_t *n)
{
    struct slice piece;
    enum weir_err err = WEIR_OK;
    if (in->ahead_n) {
        piece = in->ahead[0];
        in->ahead[0] = in->ahead[1];
        in->ahead_n--;
    } else {
        err = draw(in, &piece);
    }
    *p = (char *)(uintptr_t)piece.p; /* it came writable from the input */
    *n = piece.n;
    return err;
}

static enum weir_err hold_piece(struct stream *in, const char *p, size_t n)
{
    struct held *h = in->held;
    h->bytes += n;
    if (!h->spooled && n <= STREAM_HELD_BYTES - h->memory.n) {
        buffer_put(&h->memory, p, n);
        return h->memory.err;
    }
    if (!in->input->spool)
        return fault_set(&in->fault, WEIR_LIMIT, "the object is too large to be held in memory");
    enum weir_err err = h->spooled ? WEIR_OK : in->input->spool(in->input->ctx, h->memory.p, h->memory.n, &in->fault);
    h->spooled = true;
    return err ? err : in->input->spool(in->input->ctx, p, n, &in->fault);
}

enum weir_err stream_hold(struct stream *in, uint64_t *bytes)
{
    char *p;
    size_t n;
    enum weir_err err;
    while (!(err = stream_next(in, &p, &n)))
        if ((err = hold_piece(in, p, n)))
            return err;
    *bytes = in->held->bytes;
    return err == WEIR_END ? WEIR_OK : err;
}

enum weir_err stream_at(struct stream *in, uint64_t at, void *out, size_t n)
{
    const struct held *h = in->held;
    if (n > h->bytes || at > h->bytes - n)
        return fault_set(&in->fault, WEIR_RANGE, "%zu bytes at offset %llu do not lie within the object of %llu bytes", n, (unsigned long long)at,
                         (unsigned long long)h->bytes);
    if (h->spooled)
        return in->input->spooled(in->input->ctx, at, out, n, &in->fault);
    if (n)
        memcpy(out, h->memory.p + at, n);
    return WEIR_OK;
}
