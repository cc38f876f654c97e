/* A stored value is believed whole or not at all: every flip, cut and addition is found before a field is read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KIND = 'h', VERSION = 3, HEAD_BYTES = 11, CRC_BYTES = 4, FLAGS_AT = 6 };

static void build(struct buffer *b, const char *payload)
{
    size_t at = blob_begin(b, KIND, VERSION);
    buffer_puts(b, payload);
    blob_end(b, at);
    assert_int_equal(b->err, WEIR_OK);
}

/* Opens an exact-size copy, so that a sanitizer sees a read of one byte too many. */
static enum weir_err open_copy(const char *p, size_t n, char kind, uint8_t max_version)
{
    char *copy = malloc(n ? n : 1);
    uint8_t version = 0;
    struct cursor c;
    if (n)
        memcpy(copy, p, n);
    enum weir_err err = blob_open((struct slice){copy, n}, kind, max_version, &version, &c);
    free(copy);
    return err;
}

static void expect_refusal(enum weir_err err)
{
    if (err != WEIR_CORRUPT && err != WEIR_VERSION && err != WEIR_TRUNCATED)
        fail_msg("%s", weir_err_name(err));
}

static int setup(void **state)
{
    struct buffer *b = malloc(sizeof *b);
    buffer_init(b, 1 << 20);
    build(b, "what is normal for this host");
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    buffer_fini(*state);
    free(*state);
    return 0;
}

static void gives_back_version_and_payload(void **state)
{
    struct buffer *b = *state;
    uint8_t version = 0;
    struct cursor c;
    assert_int_equal(blob_open((struct slice){b->p, b->n}, KIND, VERSION, &version, &c), WEIR_OK);
    assert_int_equal(version, VERSION);
    assert_true(slice_eq(cursor_bytes(&c, cursor_left(&c)), SLICE_LIT("what is normal for this host")));
}

static void has_the_layout_that_the_header_states(void **state)
{
    struct buffer b;
    static const char head[] = {'W', 'E', 'I', 'R', KIND, VERSION, 0, 2, 0, 0, 0, 'a', 'b'};
    (void)state;
    buffer_init(&b, 64);
    build(&b, "ab");
    assert_int_equal(b.n, sizeof head + CRC_BYTES);
    assert_memory_equal(b.p, head, sizeof head);
    uint32_t crc = crc32c(0, b.p, sizeof head);
    for (unsigned i = 0; i < CRC_BYTES; i++)
        assert_int_equal((unsigned char)b.p[sizeof head + i], crc >> (8 * i) & 0xff);
    buffer_fini(&b);
}

static void opens_an_empty_payload(void **state)
{
    struct buffer b;
    (void)state;
    buffer_init(&b, 64);
    build(&b, "");
    assert_int_equal(open_copy(b.p, b.n, KIND, VERSION), WEIR_OK);
    buffer_fini(&b);
}

static void can_stand_behind_other_bytes_of_a_buffer(void **state)
{
    struct buffer b;
    (void)state;
    buffer_init(&b, 256);
    buffer_puts(&b, "before");
    build(&b, "payload");
    assert_int_equal(open_copy(b.p + 6, b.n - 6, KIND, VERSION), WEIR_OK);
    buffer_fini(&b);
}

static void refuses_every_flip_of_every_bit(void **state)
{
    struct buffer *b = *state;
    for (size_t bit = 0; bit < 8 * b->n; bit++) {
        b->p[bit / 8] = (char)(b->p[bit / 8] ^ (1 << bit % 8));
        expect_refusal(open_copy(b->p, b->n, KIND, UINT8_MAX));
        b->p[bit / 8] = (char)(b->p[bit / 8] ^ (1 << bit % 8));
    }
}

static void refuses_every_other_value_of_every_byte(void **state)
{
    struct buffer *b = *state;
    for (size_t i = 0; i < b->n; i++) {
        char right = b->p[i];
        for (unsigned v = 0; v < 256; v++) {
            b->p[i] = (char)v;
            if (b->p[i] != right)
                expect_refusal(open_copy(b->p, b->n, KIND, VERSION));
        }
        b->p[i] = right;
    }
}

static void refuses_every_cut(void **state)
{
    struct buffer *b = *state;
    for (size_t n = 0; n < b->n; n++)
        expect_refusal(open_copy(b->p, n, KIND, VERSION));
}

static void refuses_bytes_behind_the_end(void **state)
{
    struct buffer *b = *state;
    buffer_u8(b, 0);
    expect_refusal(open_copy(b->p, b->n, KIND, VERSION));
}

static void refuses_two_neighbours_swapped(void **state)
{
    struct buffer *b = *state;
    for (size_t i = 0; i + 1 < b->n; i++) {
        char first = b->p[i], second = b->p[i + 1];
        if (first == second)
            continue;
        b->p[i] = second, b->p[i + 1] = first;
        expect_refusal(open_copy(b->p, b->n, KIND, VERSION));
        b->p[i] = first, b->p[i + 1] = second;
    }
}

static void calls_a_blob_of_another_kind_corrupt(void **state)
{
    struct buffer *b = *state;
    assert_int_equal(open_copy(b->p, b->n, 'w', VERSION), WEIR_CORRUPT);
}

static void says_version_when_a_newer_weir_wrote_it(void **state)
{
    struct buffer *b = *state;
    assert_int_equal(open_copy(b->p, b->n, KIND, VERSION - 1), WEIR_VERSION);
}

static void says_version_when_a_flag_is_set_that_it_does_not_know(void **state)
{
    struct buffer *b = *state;
    b->p[FLAGS_AT] = 1;
    b->n -= CRC_BYTES;
    buffer_u32(b, crc32c(0, b->p, b->n));
    assert_int_equal(open_copy(b->p, b->n, KIND, VERSION), WEIR_VERSION);
}

static void refuses_a_length_of_4_gib_without_reading_that_far(void **state)
{
    struct buffer *b = *state;
    memset(b->p + HEAD_BYTES - 4, 0xff, 4);
    expect_refusal(open_copy(b->p, b->n, KIND, VERSION));
}

#define ON_A_BLOB(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BLOB(gives_back_version_and_payload),
        ON_A_BLOB(has_the_layout_that_the_header_states),
        ON_A_BLOB(opens_an_empty_payload),
        ON_A_BLOB(can_stand_behind_other_bytes_of_a_buffer),
        ON_A_BLOB(refuses_every_flip_of_every_bit),
        ON_A_BLOB(refuses_every_other_value_of_every_byte),
        ON_A_BLOB(refuses_every_cut),
        ON_A_BLOB(refuses_bytes_behind_the_end),
        ON_A_BLOB(refuses_two_neighbours_swapped),
        ON_A_BLOB(calls_a_blob_of_another_kind_corrupt),
        ON_A_BLOB(says_version_when_a_newer_weir_wrote_it),
        ON_A_BLOB(says_version_when_a_flag_is_set_that_it_does_not_know),
        ON_A_BLOB(refuses_a_length_of_4_gib_without_reading_that_far),
    };
    return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
