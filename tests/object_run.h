/* Helpers of the tests of readers: a whole object through decoder_run, in pieces of exact size with a spool behind them; and one
 * number that stands for all records of an object, whatever it was written in. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_OBJECT_RUN_H
#define TESTS_OBJECT_RUN_H

#include "decode_run.h"
#include "object_input.h"

struct object_run {
    struct run *run; /* the first records, rejects and what was counted */
    uint64_t print;  /* of all records in order, but for line and text */
    uint64_t bytes;  /* sum */
    enum weir_err err;
};

static inline void object_emit(void *ctx, const struct record *r)
{
    struct object_run *o = ctx;
    print_number(&o->print, record_print(r));
    o->bytes += r->bytes;
    keep_record(o->run, r);
}

static inline void object_reject(void *ctx, const struct decode_place *place)
{
    keep_reject(((struct object_run *)ctx)->run, place);
}

/* Once through a decoder that may have read others before. */
static inline void object_again(struct decoder *d, struct object_run *o, struct slice object, size_t piece)
{
    struct pieces pieces = {.object = object, .piece = piece};
    struct decode_input input = {&pieces, pieces_next, pieces_spool, pieces_spooled};
    struct run *run = o->run;
    run->records = run->rejects = 0;
    o->print = o->bytes = 0;
    o->err = decoder_run(d, &input, &run->fault);
    run->counts = *decoder_counts(d);
    run->bad = decoder_bad(d);
    free(pieces.memory);
    free(pieces.spooled);
    assert_true(o->err == (run->bad ? WEIR_UNSUPPORTED : WEIR_OK));
    assert_law(&run->counts);
}

static inline struct decoder *object_decoder(struct object_run *o)
{
    o->run = calloc(1, sizeof *o->run);
    assert_non_null(o->run);
    struct decoder *d = decoder_new(NULL, (struct decode_sink){o, object_emit, object_reject});
    assert_non_null(d);
    return d;
}

/* free(o.run) */
static inline struct object_run run_object(struct slice object, size_t piece)
{
    struct object_run o;
    struct decoder *d = object_decoder(&o);
    object_again(d, &o, object, piece);
    decoder_free(d);
    return o;
}

static inline void assert_object_bad(struct slice object, enum decode_bad why, const char *says)
{
    struct object_run o = run_object(object, 0);
    assert_string_equal(decode_bad_word(o.run->bad), decode_bad_word(why));
    if (!strstr(o.run->fault.text, says))
        fail_msg("'%s' does not say '%s'", o.run->fault.text, says);
    free(o.run);
}

/* A file of the tree, from its root. free the text. */
static inline struct slice file_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return (struct slice){NULL, 0};
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size_t n = (size_t)ftell(f);
    rewind(f);
    char *p = malloc(n + 1);
    assert_non_null(p);
    assert_int_equal(fread(p, 1, n, f), n);
    p[n] = '\0';
    fclose(f);
    return (struct slice){p, n};
}

#endif
