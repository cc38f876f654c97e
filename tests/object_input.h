/* A whole object as the decoder draws it, in pieces of exact size with a spool behind them; and one number that stands for a record, whatever
 * it was written in. For tests and fuzz targets. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_OBJECT_INPUT_H
#define TESTS_OBJECT_INPUT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/decode.h"

static inline void input_check(bool fine)
{
    if (!fine)
        abort();
}

/* ---- the input ---- */
struct pieces {
    struct slice object;
    size_t at, piece, spooled_n; /* piece 0: whole */
    char *memory, *spooled;
};

static inline enum weir_err pieces_next(void *ctx, char **p, size_t *n, struct fault *fault)
{
    struct pieces *f = ctx;
    (void)fault;
    free(f->memory);
    f->memory = NULL;
    if (f->at == f->object.n)
        return WEIR_END;
    *n = f->object.n - f->at;
    if (f->piece && f->piece < *n)
        *n = f->piece;
    f->memory = malloc(DECODE_HEADROOM + *n);
    input_check(f->memory != NULL);
    memcpy(f->memory + DECODE_HEADROOM, f->object.p + f->at, *n);
    f->at += *n;
    *p = f->memory + DECODE_HEADROOM;
    return WEIR_OK;
}

static inline enum weir_err pieces_spool(void *ctx, const char *p, size_t n, struct fault *fault)
{
    struct pieces *f = ctx;
    (void)fault;
    f->spooled = realloc(f->spooled, f->spooled_n + n + 1);
    input_check(f->spooled != NULL);
    if (n)
        memcpy(f->spooled + f->spooled_n, p, n);
    f->spooled_n += n;
    return WEIR_OK;
}

static inline enum weir_err pieces_spooled(void *ctx, uint64_t at, void *out, size_t n, struct fault *fault)
{
    struct pieces *f = ctx;
    (void)fault;
    input_check(at + n <= f->spooled_n);
    memcpy(out, f->spooled + at, n);
    return WEIR_OK;
}

/* ---- the records ---- */
static inline void print_number(uint64_t *print, uint64_t v) { *print = stable_mix(*print ^ v) + 0x9e3779b97f4a7c15ULL; }
static inline void print_slice(uint64_t *print, struct slice s) { print_number(print, s.n ? stable_hash(s.p, s.n) : 0); }

static inline uint64_t record_print(const struct record *r)
{
    const uint64_t number[] = {r->has, r->bytes, r->packets, (uint64_t)r->start_s, (uint64_t)r->end_s, r->src.hi, r->src.lo, r->dst.hi, r->dst.lo,
                               r->pkt_src.hi, r->pkt_src.lo, r->pkt_dst.hi, r->pkt_dst.lo, r->src_port, r->dst_port, r->tcp_flags, r->protocol,
                               r->traffic_path, r->action, r->status, r->direction, r->forwarder_type, r->transit_gateway};
    uint64_t print = 1;
    for (size_t i = 0; i < WEIR_COUNT(number); i++)
        print_number(&print, number[i]);
    print_slice(&print, r->account);
    print_slice(&print, r->interface);
    print_slice(&print, r->vpc);
    print_slice(&print, r->subnet);
    print_slice(&print, r->instance);
    return print;
}

#endif
