/* Claims about values as a Redis keeps them: what goes in comes out, smaller where that is possible, and no damage goes unnoticed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct redis_pack *pack;
static struct buffer stored;

static int open_pack(void **state)
{
    (void)state;
    pack = redis_pack_new();
    buffer_init(&stored, 1u << 20);
    return pack ? 0 : 1;
}

static int close_pack(void **state)
{
    (void)state;
    redis_pack_free(pack);
    buffer_fini(&stored);
    return 0;
}

static struct slice packed(struct slice value)
{
    struct slice out;
    assert_int_equal(redis_pack(pack, value, &out), WEIR_OK);
    buffer_clear(&stored);
    buffer_slice(&stored, out);
    assert_int_equal(stored.err, WEIR_OK);
    return (struct slice){stored.p, stored.n};
}

/* Small numbers in long runs, as baselines are; or noise. */
static void fill(char *p, size_t n, bool noise)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(noise ? stable_mix(i) : stable_mix(i / 16) % 7);
}

static void what_goes_in_comes_out(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 191, 192, 193, 700, 1416, 16383, 16384, 16385, 100000};
    char *p = malloc(100000);
    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < WEIR_COUNT(sizes); i++)
        for (int kind = 0; kind < 6; kind++) {
            struct slice out;
            fill(p, sizes[i], kind & 1);
            if (kind >= 2 && sizes[i])
                p[0] = '\xff';
            if (kind >= 4 && sizes[i] > 1)
                p[1] = 1;
            assert_int_equal(redis_unpack(pack, packed((struct slice){p, sizes[i]}), &out), WEIR_OK);
            assert_true(slice_eq(out, (struct slice){p, sizes[i]}));
        }
    free(p);
}

static void a_baseline_gets_smaller_and_noise_stays_as_it_is(void **state)
{
    char p[1400];
    (void)state;
    fill(p, sizeof p, false);
    assert_true(packed((struct slice){p, sizeof p}).n < sizeof p / 2);
    fill(p, sizeof p, true);
    p[0] = 'x';
    assert_true(slice_eq(packed((struct slice){p, sizeof p}), (struct slice){p, sizeof p}));
}

/* A bit of a frame that means nothing may flip: what comes out is what it was. */
static bool is_noticed(struct slice damaged, struct slice was)
{
    struct slice out;
    struct cursor payload;
    uint8_t version;
    return redis_unpack(pack, damaged, &out) != WEIR_OK || slice_eq(out, was) || blob_open(out, 'h', 1, &version, &payload) != WEIR_OK;
}

/* Every bit of a stored baseline, packed and as it is, and every place where it may be cut. */
static void no_damage_of_a_blob_goes_unnoticed(void **state)
{
    char p[1400];
    struct buffer blob;
    (void)state;
    for (int noise = 0; noise < 2; noise++) {
        buffer_init(&blob, 1 << 16);
        fill(p, sizeof p, noise);
        size_t begin = blob_begin(&blob, 'h', 1);
        buffer_put(&blob, p, sizeof p);
        blob_end(&blob, begin);
        struct slice s = packed((struct slice){blob.p, blob.n});
        for (size_t i = 0; i < 8 * s.n; i++) {
            stored.p[i / 8] ^= (char)(1 << i % 8);
            assert_true(is_noticed(s, (struct slice){blob.p, blob.n}));
            stored.p[i / 8] ^= (char)(1 << i % 8);
        }
        for (size_t n = 0; n < s.n; n++)
            assert_true(is_noticed((struct slice){s.p, n}, (struct slice){blob.p, blob.n}));
        buffer_fini(&blob);
    }
}

static void a_frame_that_claims_more_than_is_ever_packed_is_damaged(void **state)
{
    /* magic, single segment with a size of 8 bytes, 1 TiB, an empty last block */
    static const char bomb[] = "\xff\x01\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\x01\0\0\x01\0\0", unknown[] = "\xff\x01\x28\xb5\x2f\xfd\0\x58\x01\0\0";
    struct slice out;
    (void)state;
    assert_int_equal(redis_unpack(pack, (struct slice){bomb, sizeof bomb - 1}, &out), WEIR_CORRUPT);
    assert_int_equal(redis_unpack(pack, (struct slice){unknown, sizeof unknown - 1}, &out), WEIR_CORRUPT);
    assert_int_equal(redis_unpack(pack, SLICE_LIT("\xff\x02"), &out), WEIR_CORRUPT);
    assert_int_equal(redis_unpack(pack, SLICE_LIT("\xff"), &out), WEIR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_goes_in_comes_out, open_pack, close_pack),
        cmocka_unit_test_setup_teardown(a_baseline_gets_smaller_and_noise_stays_as_it_is, open_pack, close_pack),
        cmocka_unit_test_setup_teardown(no_damage_of_a_blob_goes_unnoticed, open_pack, close_pack),
        cmocka_unit_test_setup_teardown(a_frame_that_claims_more_than_is_ever_packed_is_damaged, open_pack, close_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
