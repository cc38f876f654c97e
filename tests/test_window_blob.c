/* window: the stored form of a bucket, as claims. Damage is refused; what was sealed by another hand is refused or safe to use. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "window_make.h"

#define HEAD 11 /* "WEIR" kind version flags length */
#define TAIL 4  /* checksum */

static const char *const ids[] = {"eni-0", "eni-1", "eni-2"};

/* Hosts with every kind of row, over the buckets. */
static void populate(struct window *w, unsigned hosts)
{
    for (unsigned i = 0; i < hosts; i++) {
        uint32_t k = interface(w, ids[i % WEIR_COUNT(ids)], i % 5 ? "fl-1" : "fl-2");
        struct flow f = flow("10.0.0.1", "203.0.113.5", 1000 + i);
        f.host = ip_from_v4(0x0a000001 + i);
        charge(w, k, f);
        for (unsigned h = 0; h < i % 24; h++)
            charge(w, k, later(f, (int64_t)(h - 3) * HOUR_S));
        for (unsigned p = 0; p < i % 40; p++) {
            f.peer = ip_from_v4(0xc8000000 + (p << 16));
            charge(w, k, f);
        }
        f.bytes = WINDOW_BIG_BYTES + i;
        charge(w, k, f);
        f.out = false;
        charge(w, k, f);
        f.peer = ip("10.9.9.9");
        f.external = false;
        maybe(w, k, f);
        f.via = true;
        charge(w, k, f);
        if (i % 7 == 0)
            assert_int_equal(window_add_gap(w, k, f.start_s), WEIR_OK);
    }
    window_set_forwards(w, interface(w, ids[2], "fl-1"), DAY0);
}

static unsigned fullest_bucket(struct window *w, struct buffer *out)
{
    unsigned best = 0;
    size_t most = 0;
    for (unsigned b = 0; b < WINDOW_BUCKETS; b++) {
        buffer_clear(out);
        assert_int_equal(window_encode(w, DAY0, b, out), WEIR_OK);
        if (out->n > most) {
            most = out->n;
            best = b;
        }
    }
    buffer_clear(out);
    assert_int_equal(window_encode(w, DAY0, best, out), WEIR_OK);
    return best;
}

static enum weir_err decode(struct window *w, const void *bytes, size_t n)
{
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    enum weir_err err = window_decode(w, (struct slice){exact, n});
    free(exact);
    return err;
}

static struct buffer sample(unsigned hosts, uint32_t max_groups)
{
    struct buffer b;
    buffer_init(&b, BLOB_MAX);
    struct window *w = window_with(max_groups, 16, false);
    populate(w, hosts);
    fullest_bucket(w, &b);
    window_free(w);
    return b;
}

static void what_was_stored_reads_back_the_same(void **state)
{
    (void)state;
    static const uint32_t limits[] = {4096, 16};
    for (size_t i = 0; i < WEIR_COUNT(limits); i++) {
        struct window *w = window_with(limits[i], 16, false), *back = window_with(limits[i], 16, false);
        struct buffer want;
        buffer_init(&want, BLOB_MAX);
        populate(w, 400);
        fingerprint(w, &want);
        carry_over(w, back);
        assert_same(back, &want);
        buffer_fini(&want);
        window_free(w);
        window_free(back);
    }
}

static void an_empty_bucket_is_stored_and_loaded(void **state)
{
    (void)state;
    struct window *w = window_usual();
    struct buffer b;
    buffer_init(&b, BLOB_MAX);
    assert_int_equal(window_encode(w, DAY0, 7, &b), WEIR_OK);
    assert_int_equal(decode(w, b.p, b.n), WEIR_OK);
    assert_int_equal(window_stats(w).host_days, 0);
    buffer_fini(&b);
    window_free(w);
}

static void loading_twice_adds_up(void **state)
{
    (void)state;
    struct window *w = window_usual(), *back = window_usual();
    charge(w, interface(w, "eni-1", "fl-1"), flow("10.0.0.1", "203.0.113.5", 1000));
    carry_over(w, back);
    carry_over(w, back);
    assert_int_equal(look_up(back, "10.0.0.1")->d.external_out, 2000);
    window_free(w);
    window_free(back);
}

/* A bucket names accounts, flow logs and interfaces of its own rows only. */
static void a_bucket_tells_nothing_of_other_buckets(void **state)
{
    (void)state;
    struct window *w = window_usual(), *one = window_usual();
    struct buffer all, alone;
    buffer_init(&all, BLOB_MAX);
    buffer_init(&alone, BLOB_MAX);
    populate(w, 50);
    unsigned bucket = fullest_bucket(w, &all);
    assert_int_equal(decode(one, all.p, all.n), WEIR_OK);
    assert_int_equal(window_encode(one, DAY0, bucket, &alone), WEIR_OK);
    assert_int_equal(all.n, alone.n);
    assert_memory_equal(all.p, alone.p, all.n);
    buffer_fini(&all);
    buffer_fini(&alone);
    window_free(w);
    window_free(one);
}

static void only_merging_marks_a_bucket(void **state)
{
    (void)state;
    struct window *w = window_usual(), *part = window_with(16, 16, true), *back = window_usual();
    charge(part, interface(part, "eni-1", "fl-1"), flow("10.0.0.1", "203.0.113.5", 1000));
    assert_int_equal(window_merge(w, part), WEIR_OK);
    unsigned marked = 0;
    for (unsigned b = 0; b < WINDOW_BUCKETS; b++)
        marked += window_bucket_dirty(w, DAY0, b);
    assert_int_equal(marked, 1);
    carry_over(w, back);
    window_clean(w);
    for (unsigned b = 0; b < WINDOW_BUCKETS; b++)
        assert_false(window_bucket_dirty(w, DAY0, b) || window_bucket_dirty(back, DAY0, b));
    window_free(w);
    window_free(part);
    window_free(back);
}

static void a_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct buffer b = sample(3, 4096);
    struct window *w = window_usual();
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
        assert_int_not_equal(decode(w, b.p, b.n), WEIR_OK);
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
    }
    assert_int_equal(window_stats(w).host_days, 0);
    buffer_fini(&b);
    window_free(w);
}

static void a_cut_value_is_refused_at_every_length(void **state)
{
    (void)state;
    struct buffer b = sample(300, 4096);
    struct window *w = window_usual();
    for (size_t n = 0; n < b.n; n++)
        assert_int_not_equal(decode(w, b.p, n), WEIR_OK);
    assert_int_equal(window_stats(w).host_days, 0);
    buffer_fini(&b);
    window_free(w);
}

static void a_newer_version_is_told_apart_from_damage(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 4096);
    blob_end(&b, blob_begin(&b, WINDOW_BLOB, 200));
    struct window *w = window_usual();
    assert_int_equal(decode(w, b.p, b.n), WEIR_VERSION);
    buffer_fini(&b);
    window_free(w);
}

static void seal(struct buffer *out, const char *payload, size_t n)
{
    buffer_clear(out);
    size_t begin = blob_begin(out, WINDOW_BLOB, 1);
    buffer_put(out, payload, n);
    blob_end(out, begin);
}

static void a_sealed_payload_that_ends_early_is_refused(void **state)
{
    (void)state;
    struct buffer good = sample(40, 4096), cut;
    buffer_init(&cut, BLOB_MAX);
    for (size_t n = 0; n < good.n - HEAD - TAIL; n++) {
        struct window *w = window_usual();
        seal(&cut, good.p + HEAD, n);
        assert_int_not_equal(decode(w, cut.p, cut.n), WEIR_OK);
        window_free(w);
    }
    buffer_fini(&good);
    buffer_fini(&cut);
}

static void bytes_behind_the_last_row_are_refused(void **state)
{
    (void)state;
    struct buffer good = sample(3, 4096), longer;
    buffer_init(&longer, BLOB_MAX);
    size_t begin = blob_begin(&longer, WINDOW_BLOB, 1);
    buffer_put(&longer, good.p + HEAD, good.n - HEAD - TAIL);
    buffer_u8(&longer, 0);
    blob_end(&longer, begin);
    struct window *w = window_usual();
    assert_int_equal(decode(w, longer.p, longer.n), WEIR_CORRUPT);
    buffer_fini(&good);
    buffer_fini(&longer);
    window_free(w);
}

/* Whatever came out of it, the window can be read, stored, merged, filled further and emptied. */
static void use(struct window *w, struct buffer *out)
{
    int64_t day_s[8];
    size_t days = window_days(w, day_s, WEIR_COUNT(day_s));
    for (size_t d = 0; d < days; d++) {
        buffer_clear(out);
        print_hosts(w, day_s[d], out);
        window_hosts(w, day_s[d]);
        for (unsigned b = 0; b < WINDOW_BUCKETS; b += 17)
            assert_int_equal(window_encode(w, day_s[d], b, out), WEIR_OK);
    }
    struct window *other = window_with(4, 4, false);
    populate(w, 4);
    assert_int_equal(window_merge(other, w), WEIR_OK);
    if (days)
        assert_int_equal(window_drop_day(w, day_s[0]), WEIR_OK);
    window_free(other);
}

static void mutate(struct buffer *out, const struct buffer *good, uint64_t *seed)
{
    size_t n = good->n - HEAD - TAIL;
    seal(out, good->p + HEAD, random_below(seed, 8) ? n : random_below(seed, n));
    n = out->n - HEAD - TAIL;
    for (uint64_t i = 1 + random_below(seed, 4); n && i > 0; i--) {
        static const unsigned char telling[] = {0, 1, 0x7f, 0x80, 0xff, 3, 24, 64};
        size_t near_head = n < 120 ? n : 120;
        size_t at = HEAD + random_below(seed, random_below(seed, 2) ? n : near_head);
        out->p[at] = (char)(random_below(seed, 2) ? telling[random_below(seed, sizeof telling)] : random_next(seed));
    }
    out->n -= TAIL;
    buffer_u32(out, crc32c(0, out->p, out->n));
}

static void sealed_nonsense_is_refused_or_safe_to_use(void **state)
{
    (void)state;
    struct buffer good = sample(30, 16), bad, out;
    buffer_init(&bad, BLOB_MAX);
    buffer_init(&out, BLOB_MAX);
    uint64_t seed = 21;
    unsigned loaded = 0;
    for (unsigned round = 0; round < 6000; round++) {
        struct window *w = window_with(16, 16, round % 4 == 0);
        mutate(&bad, &good, &seed);
        enum weir_err err = decode(w, bad.p, bad.n);
        assert_true(err == WEIR_OK || err == WEIR_CORRUPT || err == WEIR_LIMIT);
        loaded += err == WEIR_OK;
        use(w, &out);
        window_free(w);
    }
    assert_true(loaded > 100 && loaded < 6000);
    buffer_fini(&good);
    buffer_fini(&bad);
    buffer_fini(&out);
}

static void huge_counts_are_refused_without_memory(void **state)
{
    (void)state;
    struct buffer b, payload;
    buffer_init(&b, 4096);
    buffer_init(&payload, 4096);
    for (unsigned which = 0; which < 4; which++) {
        buffer_clear(&payload);
        buffer_varint(&payload, DAY0 / DAY_S);
        for (unsigned i = 0; i < 3; i++)
            buffer_varint(&payload, i < which ? 0 : UINT64_MAX);
        seal(&b, payload.p, payload.n);
        struct window *w = window_usual();
        assert_int_equal(decode(w, b.p, b.n), which == 3 ? WEIR_OK : WEIR_CORRUPT);
        window_free(w);
    }
    buffer_fini(&b);
    buffer_fini(&payload);
}

/* Each of very many interfaces has a flow log, an account and a VPC of its own: what was written must be readable. */
static void any_number_of_names_reads_back(void **state)
{
    (void)state;
    struct window *w = window_with(16, 16, true), *back = window_usual();
    struct buffer b;
    buffer_init(&b, BLOB_MAX);
    for (unsigned i = 0; i < 30000; i++) {
        char text[3][16] = {"acc", "flow", "vpc"};
        for (unsigned t = 0; t < 3; t++)
            for (unsigned digit = 0, rest = i; digit < 5; digit++, rest /= 10)
                text[t][8 - digit] = (char)('0' + rest % 10), text[t][9] = 0;
        for (unsigned t = 0; t < 3; t++)
            for (unsigned at = 0; at < 4; at++)
                text[t][at] = text[t][at] ? text[t][at] : '-';
        struct interface_name name = {slice_of(text[0]), SLICE_LIT("eni-1"), slice_of(text[1]), slice_of(text[2])};
        charge(w, window_interface(w, &name), flow("10.0.0.1", "203.0.113.5", 1));
    }
    assert_int_equal(window_encode(w, DAY0, 0, &b), WEIR_OK);
    assert_int_equal(decode(back, b.p, b.n), WEIR_OK);
    assert_int_equal(window_stats(back).interfaces, 30000);
    buffer_fini(&b);
    window_free(w);
    window_free(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stored_reads_back_the_same),
        cmocka_unit_test(an_empty_bucket_is_stored_and_loaded),
        cmocka_unit_test(loading_twice_adds_up),
        cmocka_unit_test(a_bucket_tells_nothing_of_other_buckets),
        cmocka_unit_test(only_merging_marks_a_bucket),
        cmocka_unit_test(a_flipped_bit_is_refused),
        cmocka_unit_test(a_cut_value_is_refused_at_every_length),
        cmocka_unit_test(a_newer_version_is_told_apart_from_damage),
        cmocka_unit_test(a_sealed_payload_that_ends_early_is_refused),
        cmocka_unit_test(bytes_behind_the_last_row_are_refused),
        cmocka_unit_test(sealed_nonsense_is_refused_or_safe_to_use),
        cmocka_unit_test(huge_counts_are_refused_without_memory),
        cmocka_unit_test(any_number_of_names_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
