/* Helpers of the capture tests: an object in memory through the decoder, with what its records add up to. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CAPTURE_RUN_H
#define TESTS_CAPTURE_RUN_H

#include "decode_run.h"

struct one_piece {
    struct slice object;
    size_t at, piece; /* 0: as one */
    char *memory;
};

static inline enum weir_err one_piece_next(void *ctx, char **p, size_t *n, struct fault *fault)
{
    struct one_piece *o = ctx;
    (void)fault;
    free(o->memory);
    o->memory = NULL;
    if (o->at == o->object.n)
        return WEIR_END;
    *n = o->piece && o->piece < o->object.n - o->at ? o->piece : o->object.n - o->at;
    o->memory = malloc(DECODE_HEADROOM + *n); /* exact, so that a sanitizer sees every byte read too many */
    memcpy(o->memory + DECODE_HEADROOM, o->object.p + o->at, *n);
    o->at += *n;
    *p = o->memory + DECODE_HEADROOM;
    return WEIR_OK;
}

struct capture_sums {
    struct decode_counts counts;
    enum decode_bad bad;
    struct fault fault;
    uint64_t packets, bytes, digest; /* digest: of all records, in order */
    void (*each)(void *ctx, const struct record *r);
    void *ctx;
};

static inline void sum_record(void *ctx, const struct record *r)
{
    struct capture_sums *s = ctx;
    s->packets += r->packets;
    s->bytes += r->bytes;
    uint64_t fields[] = {r->line, r->bytes, r->packets, (uint64_t)r->start_s, (uint64_t)r->end_s, r->src.hi, r->src.lo, r->dst.hi, r->dst.lo,
                         (uint64_t)r->src_port << 32 | (uint64_t)r->dst_port << 16 | r->tcp_flags, r->protocol, s->digest};
    s->digest = stable_hash(fields, sizeof fields);
    if (s->each)
        s->each(s->ctx, r);
}

/* Packets that no record counts and no reject: ARP and the like. */
static inline uint64_t packets_passed(const struct decode_counts *c)
{
    return c->notes[NOTE_PACKET_ARP] + c->notes[NOTE_PACKET_LLC] + c->notes[NOTE_PACKET_NOT_IP] + c->notes[NOTE_PACKET_DUPLICATE] + c->notes[NOTE_PACKET_LOSS];
}

static inline uint64_t rejects_of(const struct decode_counts *c)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        n += c->rejected[i];
    return n;
}

static inline struct decoder *capture_decoder(struct capture_sums *s)
{
    struct decoder *d = decoder_new(NULL, (struct decode_sink){s, sum_record, NULL});
    assert_non_null(d);
    return d;
}

/* Every packet is in a record, passed over by name or rejected by name. */
static inline enum weir_err sum_capture(struct decoder *d, struct capture_sums *s, struct slice object, size_t piece)
{
    struct one_piece o = {object, 0, piece, NULL};
    const struct decode_input input = {&o, one_piece_next, NULL, NULL};
    s->packets = s->bytes = s->digest = 0;
    enum weir_err err = decoder_run(d, &input, &s->fault);
    s->counts = *decoder_counts(d);
    s->bad = decoder_bad(d);
    free(o.memory);
    assert_law(&s->counts);
    if (decode_kind(object.n > 512 ? (struct slice){object.p, 512} : object)[0] == 'c')
        assert_int_equal(s->counts.notes[NOTE_PACKET_READ], s->packets + packets_passed(&s->counts) + rejects_of(&s->counts));
    return err;
}

/* A file as bytes; {NULL, 0} if there is none. */
static inline struct slice read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return (struct slice){NULL, 0};
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    char *p = malloc(n + 1);
    assert_non_null(p);
    assert_int_equal(fread(p, 1, n, f), n);
    fclose(f);
    return (struct slice){p, n};
}

#endif
