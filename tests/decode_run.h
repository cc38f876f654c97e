/* Helpers of the decode tests: feed a text as an object, in one piece or cut into pieces of exact size (so that a sanitizer sees
 * every byte read too many), and keep copies of the records, rejects and counts. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DECODE_RUN_H
#define TESTS_DECODE_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/internal.h"
#include "weir/decode.h"

#define V2_HEADER "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
#define V2_LINE "2 123456789012 eni-0a1b2c3d 10.0.1.5 203.0.113.9 44321 443 6 20 4249 1700000000 1700000060 ACCEPT OK"
#define KEPT 32

struct kept_record {
    struct record r; /* its slices point into text and ids */
    char text[1024], ids[5][256];
};

struct kept_reject {
    uint64_t line;
    enum decode_reject why;
    char field[40], text[256];
};

struct run {
    size_t records, rejects;
    struct kept_record record[KEPT];
    struct kept_reject reject[KEPT];
    struct decode_counts counts;
    struct layout layout;
    enum decode_bad bad;
    struct fault fault;
};

static inline void keep_slice(struct slice *s, char *out, size_t size)
{
    size_t n = s->n < size ? s->n : size;
    if (n)
        memcpy(out, s->p, n);
    *s = (struct slice){out, n};
}

static inline void keep_record(void *ctx, const struct record *r)
{
    struct run *run = ctx;
    if (run->records++ >= KEPT)
        return;
    struct kept_record *k = &run->record[run->records - 1];
    k->r = *r;
    keep_slice(&k->r.text, k->text, sizeof k->text);
    keep_slice(&k->r.account, k->ids[0], sizeof k->ids[0]);
    keep_slice(&k->r.interface, k->ids[1], sizeof k->ids[1]);
    keep_slice(&k->r.vpc, k->ids[2], sizeof k->ids[2]);
    keep_slice(&k->r.subnet, k->ids[3], sizeof k->ids[3]);
    keep_slice(&k->r.instance, k->ids[4], sizeof k->ids[4]);
}

static inline void keep_reject(void *ctx, const struct decode_place *place)
{
    struct run *run = ctx;
    if (run->rejects++ >= KEPT)
        return;
    struct kept_reject *k = &run->reject[run->rejects - 1];
    k->line = place->line;
    k->why = place->why;
    snprintf(k->field, sizeof k->field, "%.*s", (int)place->field.n, place->field.p ? place->field.p : "");
    if (place->text.n)
        memcpy(k->text, place->text.p, place->text.n);
}

/* The fast paths that this machine can run; returns how many. */
static inline size_t all_block_readers(block_reader *out[3])
{
    size_t n = 0;
    out[n++] = block_plain;
    if ((out[n] = block_reader_avx2()))
        n++;
    if (n < 3 && (out[n] = block_reader_avx512()))
        n++;
    return n;
}

/* One chunk as the reader of bytes gives it: scratch in front, nothing behind. */
static inline enum weir_err feed_exact(struct decoder *d, const char *p, size_t n, struct fault *fault)
{
    char *memory = malloc(DECODE_HEADROOM + n);
    assert_non_null(memory);
    memcpy(memory + DECODE_HEADROOM, p, n);
    enum weir_err err = decoder_feed(d, memory + DECODE_HEADROOM, n, fault);
    free(memory);
    return err;
}

/* Feed text in chunks of `piece` bytes (0: whole), the first of `first` bytes. */
static inline void run_decoder(struct decoder *d, struct run *run, struct slice text, size_t first, size_t piece)
{
    enum weir_err err = WEIR_OK;
    decoder_begin(d);
    for (size_t at = 0; at < text.n && !err;) {
        size_t n = at == 0 && first ? first : piece ? piece : text.n;
        n = n < text.n - at ? n : text.n - at;
        err = feed_exact(d, text.p + at, n, &run->fault);
        at += n;
    }
    if (!err)
        err = decoder_end(d, &run->fault);
    run->counts = *decoder_counts(d);
    run->bad = decoder_bad(d);
    run->layout = *decoder_layout(d);
    assert_int_equal(err, run->bad ? WEIR_UNSUPPORTED : WEIR_OK);
}

static inline void assert_law(const struct decode_counts *c)
{
    uint64_t sum = c->emitted;
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        sum += c->rejected[i];
    assert_int_equal(c->lines, sum);
    assert_int_equal(c->emitted, c->by_status[0] + c->by_status[1] + c->by_status[2]);
    assert_int_equal(c->by_status[STATUS_OK], c->by_action[0] + c->by_action[1] + c->by_action[2]);
}

/* Set: the fast path to use instead of the best one. */
static block_reader *forced_reader;

static inline struct run *run_split(struct slice text, const struct layout *configured, size_t first, size_t piece)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    struct decoder *d = decoder_new(configured, (struct decode_sink){run, keep_record, keep_reject});
    assert_non_null(d);
    if (forced_reader)
        d->block = forced_reader;
    run_decoder(d, run, text, first, piece);
    decoder_free(d);
    assert_law(&run->counts);
    return run;
}

static inline struct run *run_text(const char *text)
{
    return run_split(slice_of(text), NULL, 0, 0);
}

static inline struct run *run_configured(const char *text, const char *fields)
{
    struct layout layout;
    assert_int_equal(layout_parse(slice_of(fields), &layout, NULL, NULL), WEIR_OK);
    return run_split(slice_of(text), &layout, 0, 0);
}

/* The object is refused for this reason and nothing of it is emitted. */
static inline void assert_bad(const char *text, enum decode_bad why)
{
    struct run *run = run_text(text);
    assert_string_equal(decode_bad_word(run->bad), decode_bad_word(why));
    assert_int_equal(run->records, 0);
    free(run);
}

static inline void assert_slice(struct slice s, const char *expected)
{
    assert_int_equal(s.n, strlen(expected));
    assert_memory_equal(s.p, expected, s.n);
}

/* One line by a header through decode_line, from an exact-size copy. The copy is leaked to the caller: free(*copy). */
static inline enum weir_err decode_copy(const char *header, const char *text, char **copy, struct record *r,
                                        struct verdict *v)
{
    struct layout layout;
    size_t n = strlen(text);
    assert_int_equal(layout_parse(slice_of(header), &layout, NULL, NULL), WEIR_OK);
    *copy = malloc(n ? n : 1);
    assert_non_null(*copy);
    memcpy(*copy, text, n);
    return decode_line(&layout, (struct slice){*copy, n}, r, &v->why, &v->field, &v->notes);
}

#endif
