/* The bytes of an object as a reader asks for them: pieces of any size, the head first, the whole held in memory or in a spool. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_run.h"

struct feed { /* an input of pieces of fixed size; ends with `end` */
    struct slice object;
    size_t at, piece, spooled_n, spool_calls;
    enum weir_err end;
    char *memory, *spool;
};

static enum weir_err feed_next(void *ctx, char **p, size_t *n, struct fault *fault)
{
    struct feed *f = ctx;
    free(f->memory); /* the last piece dies here */
    f->memory = NULL;
    if (f->at == f->object.n)
        return f->end == WEIR_END ? WEIR_END : fault_set(fault, f->end, "the input failed");
    *n = f->piece < f->object.n - f->at ? f->piece : f->object.n - f->at;
    f->memory = malloc(DECODE_HEADROOM + *n);
    assert_non_null(f->memory);
    memcpy(f->memory + DECODE_HEADROOM, f->object.p + f->at, *n);
    f->at += *n;
    *p = f->memory + DECODE_HEADROOM;
    return WEIR_OK;
}

static enum weir_err feed_spool(void *ctx, const char *p, size_t n, struct fault *fault)
{
    struct feed *f = ctx;
    (void)fault;
    f->spool_calls++;
    f->spool = realloc(f->spool, f->spooled_n + n);
    assert_non_null(f->spool);
    memcpy(f->spool + f->spooled_n, p, n);
    f->spooled_n += n;
    return WEIR_OK;
}

static enum weir_err feed_spooled(void *ctx, uint64_t at, void *out, size_t n, struct fault *fault)
{
    struct feed *f = ctx;
    (void)fault;
    assert_true(at + n <= f->spooled_n);
    memcpy(out, f->spool + at, n);
    return WEIR_OK;
}

static struct decode_input input_of(struct feed *f)
{
    return (struct decode_input){f, feed_next, feed_spool, feed_spooled};
}

static struct slice numbers(size_t n)
{
    char *p = malloc(n + 1);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(stable_mix(i) & 0x7f);
    return (struct slice){p, n};
}

struct setup {
    struct feed feed;
    struct decode_input input;
    struct stream in;
    struct held held;
    char *memory;
};

static struct setup *open_stream(size_t n, size_t piece, enum weir_err end)
{
    struct setup *s = calloc(1, sizeof *s);
    assert_non_null(s);
    assert_non_null(s->memory = malloc(DECODE_HEADROOM + STREAM_HEAD_BYTES));
    s->feed = (struct feed){.object = numbers(n), .piece = piece, .end = end};
    s->input = input_of(&s->feed);
    buffer_init(&s->held.memory, STREAM_HELD_BYTES);
    stream_open(&s->in, &s->input, s->memory, &s->held);
    return s;
}

static void close_stream(struct setup *s)
{
    buffer_fini(&s->held.memory);
    free((char *)(uintptr_t)s->feed.object.p);
    free(s->feed.memory);
    free(s->feed.spool);
    free(s->memory);
    free(s);
}

static void hands_out_every_byte_once(size_t n, size_t piece)
{
    struct setup *s = open_stream(n, piece, WEIR_END);
    size_t seen = 0, got;
    char *p;
    while (!stream_next(&s->in, &p, &got)) {
        assert_true(got > 0 && got <= n - seen);
        assert_memory_equal(p, s->feed.object.p + seen, got);
        memset(p - DECODE_HEADROOM, 0, DECODE_HEADROOM); /* scratch */
        seen += got;
    }
    assert_int_equal(seen, n);
    assert_int_equal(s->in.err, WEIR_END);
    close_stream(s);
}

static void any_split_hands_out_every_byte_once(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 511, 512, 513, 1024, 5000}, pieces[] = {1, 2, 7, 511, 512, 513, 600, 100000};
    for (size_t i = 0; i < WEIR_COUNT(sizes); i++)
        for (size_t j = 0; j < WEIR_COUNT(pieces); j++)
            hands_out_every_byte_once(sizes[i], pieces[j]);
}

static void the_head_is_512_bytes_whatever_the_pieces(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 1200; piece += 37) {
        struct setup *s = open_stream(2000, piece, WEIR_END);
        assert_int_equal(s->in.head.n, STREAM_HEAD_BYTES);
        assert_memory_equal(s->in.head.p, s->feed.object.p, STREAM_HEAD_BYTES);
        close_stream(s);
    }
}

static void a_short_object_is_all_head(void **state)
{
    (void)state;
    struct setup *s = open_stream(20, 6, WEIR_END);
    assert_int_equal(s->in.head.n, 20);
    close_stream(s);
}

static void a_failure_of_the_input_comes_behind_the_bytes_before_it(void **state)
{
    (void)state;
    struct setup *s = open_stream(700, 100, WEIR_CORRUPT);
    size_t seen = 0, n;
    char *p;
    while (!stream_next(&s->in, &p, &n))
        seen += n;
    assert_int_equal(seen, 700);
    assert_int_equal(s->in.err, WEIR_CORRUPT);
    assert_string_equal(s->in.why.text, "the input failed");
    close_stream(s);
}

static void a_held_object_is_read_at_any_place(void **state)
{
    (void)state;
    struct setup *s = open_stream(5000, 300, WEIR_END);
    uint64_t bytes = 0;
    char got[100];
    assert_int_equal(stream_hold(&s->in, &bytes), WEIR_OK);
    assert_int_equal(bytes, 5000);
    for (size_t at = 0; at <= 4900; at += 700) {
        assert_int_equal(stream_at(&s->in, at, got, sizeof got), WEIR_OK);
        assert_memory_equal(got, s->feed.object.p + at, sizeof got);
    }
    assert_int_equal(s->feed.spool_calls, 0);
    close_stream(s);
}

static void a_place_beyond_a_held_object_is_out_of_range(void **state)
{
    (void)state;
    struct setup *s = open_stream(5000, 300, WEIR_END);
    uint64_t bytes = 0;
    char got[100];
    assert_int_equal(stream_hold(&s->in, &bytes), WEIR_OK);
    assert_int_equal(stream_at(&s->in, 4901, got, sizeof got), WEIR_RANGE);
    assert_int_equal(stream_at(&s->in, UINT64_MAX, got, 1), WEIR_RANGE);
    assert_int_equal(stream_at(&s->in, 5000, got, 0), WEIR_OK);
    close_stream(s);
}

static void an_object_too_large_for_memory_is_spooled_whole(void **state)
{
    (void)state;
    size_t n = STREAM_HELD_BYTES + 1000;
    struct setup *s = open_stream(n, 1 << 20, WEIR_END);
    uint64_t bytes = 0;
    char got[2000];
    assert_int_equal(stream_hold(&s->in, &bytes), WEIR_OK);
    assert_int_equal(bytes, n);
    assert_int_equal(s->feed.spooled_n, n);
    assert_int_equal(stream_at(&s->in, STREAM_HELD_BYTES - 1000, got, sizeof got), WEIR_OK);
    assert_memory_equal(got, s->feed.object.p + STREAM_HELD_BYTES - 1000, sizeof got);
    close_stream(s);
}

static void without_a_spool_a_large_object_meets_the_limit(void **state)
{
    (void)state;
    struct setup *s = open_stream(STREAM_HELD_BYTES + 1000, 1 << 20, WEIR_END);
    uint64_t bytes = 0;
    s->input.spool = NULL;
    assert_int_equal(stream_hold(&s->in, &bytes), WEIR_LIMIT);
    close_stream(s);
}

/* ---- decoder_run ---- */

static enum weir_err run_object(const char *text, size_t piece, enum weir_err end, struct run *run, enum decode_bad *bad)
{
    struct feed f = {.object = slice_of(text), .piece = piece, .end = end};
    struct decode_input input = input_of(&f);
    struct decoder *d = decoder_new(NULL, (struct decode_sink){run, keep_record, keep_reject});
    assert_non_null(d);
    enum weir_err err = decoder_run(d, &input, &run->fault);
    run->counts = *decoder_counts(d);
    *bad = decoder_bad(d);
    decoder_free(d);
    free(f.memory);
    return err;
}

static void text_in_pieces_of_any_size_gives_the_same_records(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 3, 64, 511, 512, 100000};
    const char *text = V2_HEADER V2_LINE "\n" V2_LINE "\n" V2_LINE "\n" V2_LINE "\n" V2_LINE "\n" V2_LINE "\n" V2_LINE;
    for (size_t i = 0; i < WEIR_COUNT(pieces); i++) {
        struct run *run = calloc(1, sizeof *run);
        enum decode_bad bad;
        assert_int_equal(run_object(text, pieces[i], WEIR_END, run, &bad), WEIR_OK);
        assert_int_equal(run->records, 7);
        assert_law(&run->counts);
        free(run);
    }
}

static void the_verdict_of_the_input_beats_that_of_the_text(void **state)
{
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    enum decode_bad bad;
    assert_int_equal(run_object("neither header nor record\n", 1000, WEIR_CORRUPT, run, &bad), WEIR_CORRUPT);
    assert_int_equal(bad, BAD_NONE);
    assert_string_equal(run->fault.text, "the input failed");
    free(run);
}

static void bad_text_is_refused_with_its_reason(void **state)
{
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    enum decode_bad bad;
    assert_int_equal(run_object("neither header nor record\n", 1000, WEIR_END, run, &bad), WEIR_UNSUPPORTED);
    assert_int_equal(bad, BAD_NO_HEADER);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_split_hands_out_every_byte_once),
        cmocka_unit_test(the_head_is_512_bytes_whatever_the_pieces),
        cmocka_unit_test(a_short_object_is_all_head),
        cmocka_unit_test(a_failure_of_the_input_comes_behind_the_bytes_before_it),
        cmocka_unit_test(a_held_object_is_read_at_any_place),
        cmocka_unit_test(a_place_beyond_a_held_object_is_out_of_range),
        cmocka_unit_test(an_object_too_large_for_memory_is_spooled_whole),
        cmocka_unit_test(without_a_spool_a_large_object_meets_the_limit),
        cmocka_unit_test(text_in_pieces_of_any_size_gives_the_same_records),
        cmocka_unit_test(the_verdict_of_the_input_beats_that_of_the_text),
        cmocka_unit_test(bad_text_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
