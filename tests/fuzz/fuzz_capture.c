/* A hostile capture file. Claims: every packet is in a record, passed over or rejected by name; lines = emitted + rejected; the bytes in
 * pieces (first byte) give the same records as whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "weir/decode.h"

#define CLAIM(x) ((x) ? (void)0 : abort())

struct outcome {
    uint64_t packets, digest;
    struct decode_counts counts;
    enum weir_err err;
};

struct bytes_at {
    const uint8_t *p;
    size_t n, piece;
    char *memory;
};

static void take_record(void *ctx, const struct record *r)
{
    struct outcome *o = ctx;
    const uint64_t parts[] = {o->digest, r->line, r->bytes, r->packets, (uint64_t)r->start_s, (uint64_t)r->end_s, r->src.lo, r->dst.lo, r->dst_port};
    o->digest = stable_hash(parts, sizeof parts);
    o->packets += r->packets;
    CLAIM(r->status == STATUS_SKIPDATA || (r->packets > 0 && r->start_s <= r->end_s && r->end_s - r->start_s < 60));
}

static enum weir_err next(void *ctx, char **p, size_t *n, struct fault *fault)
{
    struct bytes_at *b = ctx;
    (void)fault;
    free(b->memory);
    b->memory = NULL;
    if (!b->n)
        return WEIR_END;
    *n = b->piece < b->n ? b->piece : b->n;
    b->memory = malloc(DECODE_HEADROOM + *n);
    CLAIM(b->memory);
    memcpy(b->memory + DECODE_HEADROOM, b->p, *n);
    *p = b->memory + DECODE_HEADROOM;
    b->p += *n;
    b->n -= *n;
    return WEIR_OK;
}

static struct outcome run(const uint8_t *p, size_t n, size_t piece)
{
    static struct decoder *d;
    static struct outcome now;
    struct fault fault;
    struct bytes_at at = {p, n, piece, NULL};
    const struct decode_input input = {&at, next, NULL, NULL};
    if (!d)
        CLAIM(d = decoder_new(NULL, (struct decode_sink){&now, take_record, NULL}));
    now = (struct outcome){.packets = 0};
    now.err = decoder_run(d, &input, &fault);
    now.counts = *decoder_counts(d);
    CLAIM((now.err == WEIR_OK) == (decoder_bad(d) == BAD_NONE));
    free(at.memory);
    return now;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || strcmp(decode_kind((struct slice){(const char *)data + 1, size - 1 < 512 ? size - 1 : 512}), "capture") != 0)
        return 0;
    struct outcome whole = run(data + 1, size - 1, size), cut = run(data + 1, size - 1, 1 + data[0]);
    const struct decode_counts *c = &whole.counts;
    uint64_t rejected = 0, passed = c->notes[NOTE_PACKET_ARP] + c->notes[NOTE_PACKET_LLC] + c->notes[NOTE_PACKET_NOT_IP] + c->notes[NOTE_PACKET_DUPLICATE] + c->notes[NOTE_PACKET_LOSS];
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        rejected += c->rejected[i];
    CLAIM(c->lines == c->emitted + rejected);
    CLAIM(c->notes[NOTE_PACKET_READ] == whole.packets + passed + rejected);
    CLAIM(whole.err == cut.err && whole.digest == cut.digest);
    CLAIM(memcmp(&whole.counts, &cut.counts, sizeof whole.counts) == 0);
    return 0;
}
