/* The contract of store.h as claims, each run on every backend (store_bench.h): values, keys, batches, findings, urls. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_bench.h"

/* ---- values ---- */

static void starts_at_commit_0_with_an_epoch(void **state)
{
    struct bench *b = *state;
    assert_true(store_position(b->s).seq == 0 && store_position(b->s).epoch != 0);
}

static void counts_commits(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'h', "1", "a");
    put_alone(b, 'h', "1", "b");
    assert_int_equal(store_position(b->s).seq, 2);
}

static void gives_back_a_value_with_every_byte_in_it(void **state)
{
    struct bench *b = *state;
    char value[256];
    for (int i = 0; i < 256; i++)
        value[i] = (char)i;
    begin(b);
    expect(b, store_put(b->s, 'h', "ab", (struct slice){value, sizeof value}, &b->fault), WEIR_OK);
    commit(b);
    expect(b, store_get(b->s, 'h', "ab", &b->got, &b->fault), WEIR_OK);
    assert_int_equal(b->got.n, sizeof value);
    assert_memory_equal(b->got.p, value, sizeof value);
}

static void tells_an_empty_value_from_none(void **state)
{
    struct bench *b = *state;
    begin(b);
    expect(b, store_put(b->s, 'o', "1", (struct slice){NULL, 0}, &b->fault), WEIR_OK);
    commit(b);
    assert_string_equal(value_of(b, 'o', "1"), "");
    assert_string_equal(value_of(b, 'o', "2"), "-");
}

static void appends_to_what_the_buffer_holds(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'h', "1", "world");
    buffer_puts(&b->got, "hello ");
    expect(b, store_get(b->s, 'h', "1", &b->got, &b->fault), WEIR_OK);
    assert_string_equal(buffer_cstr(&b->got), "hello world");
}

static void leaves_the_buffer_untouched_when_there_is_no_value(void **state)
{
    struct bench *b = *state;
    buffer_puts(&b->got, "kept");
    expect(b, store_get(b->s, 'h', "1", &b->got, &b->fault), WEIR_NOTFOUND);
    assert_string_equal(buffer_cstr(&b->got), "kept");
}

static void says_limit_when_a_value_does_not_fit_the_buffer(void **state)
{
    struct bench *b = *state;
    struct buffer small;
    put_alone(b, 'h', "1", "four");
    buffer_init(&small, 3);
    expect(b, store_get(b->s, 'h', "1", &small, &b->fault), WEIR_LIMIT);
    buffer_fini(&small);
}

static void replaces_a_value(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'h', "1", "old, and longer");
    put_alone(b, 'h', "1", "new");
    assert_string_equal(value_of(b, 'h', "1"), "new");
}

static void deletes_a_value_and_minds_none_that_is_missing(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'h', "1", "a");
    begin(b);
    expect(b, store_delete(b->s, 'h', "1", &b->fault), WEIR_OK);
    expect(b, store_delete(b->s, 'h', "2", &b->fault), WEIR_OK);
    commit(b);
    assert_false(store_has(b->s, 'h', "1"));
}

static void keeps_kinds_apart(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'h', "1", "host");
    put_alone(b, 'w', "1", "window");
    assert_string_equal(value_of(b, 'h', "1"), "host");
    assert_false(store_has(b->s, 'o', "1"));
}

static void takes_a_value_of_64_mib_and_not_a_byte_more(void **state)
{
    struct bench *b = *state;
    char *big = calloc(1, (size_t)STORE_VALUE_MAX + 1);
    begin(b);
    expect(b, store_put(b->s, 'w', "1", (struct slice){big, STORE_VALUE_MAX}, &b->fault), WEIR_OK);
    commit(b);
    begin(b);
    expect(b, store_put(b->s, 'w', "2", (struct slice){big, (size_t)STORE_VALUE_MAX + 1}, &b->fault), WEIR_LIMIT);
    store_abort(b->s);
    expect(b, store_get(b->s, 'w', "1", &b->got, &b->fault), WEIR_OK);
    assert_true(b->got.n == STORE_VALUE_MAX && memcmp(b->got.p, big, b->got.n) == 0);
    free(big);
}

/* ---- keys ---- */

static const char id_of_64[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char id_of_65[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0";
static const char *const bad_ids[] = {"", id_of_65, "A", "g", "-", "1 ", "a:b", "a/b", "{a}", "\xc3\xa9", "1\n"};

static void takes_ids_of_1_to_64_digits(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'a', "0", "x");
    put_alone(b, 'z', id_of_64, "y");
    assert_true(store_has(b->s, 'a', "0") && store_has(b->s, 'z', id_of_64));
}

static void refuses_ids_that_are_not_lower_case_hex(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < WEIR_COUNT(bad_ids); i++) {
        begin(b);
        expect(b, store_put(b->s, 'h', bad_ids[i], SLICE_LIT("x"), &b->fault), WEIR_USAGE);
        store_abort(b->s);
        begin(b);
        expect(b, store_put_finding(b->s, bad_ids[i], SLICE_LIT("{}"), &b->fault), WEIR_USAGE);
        store_abort(b->s);
        expect(b, store_get(b->s, 'h', bad_ids[i], &b->got, &b->fault), WEIR_USAGE);
        assert_false(store_has(b->s, 'h', bad_ids[i]));
    }
}

static void refuses_kinds_that_are_not_one_lower_case_letter(void **state)
{
    struct bench *b = *state;
    static const char kinds[] = {'\0', 'A', '`', '{', '1', '\xff'};
    for (size_t i = 0; i < sizeof kinds; i++) {
        begin(b);
        expect(b, store_put(b->s, kinds[i], "1", SLICE_LIT("x"), &b->fault), WEIR_USAGE);
        store_abort(b->s);
        expect(b, store_get(b->s, kinds[i], "1", &b->got, &b->fault), WEIR_USAGE);
    }
}

/* ---- many at once ---- */

static enum weir_err collect(void *ctx, size_t i, struct slice value)
{
    struct collected *c = ctx;
    if (i == c->stop_at)
        return WEIR_INTERRUPTED;
    buffer_printf(&c->text, "%zu=%.*s ", i, (int)value.n, value.p);
    return WEIR_OK;
}

static enum weir_err read_within(void *ctx, size_t i, struct slice value)
{
    struct collected *c = ctx;
    struct buffer out;
    (void)i, (void)value;
    buffer_init(&out, 64);
    c->inner = store_get(c->s, 'h', "1", &out, NULL);
    buffer_fini(&out);
    return WEIR_OK;
}

static enum weir_err put_within(void *ctx, size_t i, struct slice value)
{
    struct collected *c = ctx;
    (void)i;
    return store_put(c->s, 'w', "9", value, NULL);
}

static void reads_many_in_the_order_asked_and_skips_what_is_missing(void **state)
{
    struct bench *b = *state;
    struct collected c = {.s = b->s, .stop_at = SIZE_MAX};
    buffer_init(&c.text, 256);
    put_1_and_3(b);
    expect(b, store_get_many(b->s, 'h', three_ids, 3, collect, &c, &b->fault), WEIR_OK);
    assert_string_equal(buffer_cstr(&c.text), "0=three 2=one ");
    buffer_fini(&c.text);
}

static void stops_reading_many_when_the_callback_fails(void **state)
{
    struct bench *b = *state;
    struct collected c = {.s = b->s, .stop_at = 2};
    buffer_init(&c.text, 256);
    put_1_and_3(b);
    expect(b, store_get_many(b->s, 'h', three_ids, 3, collect, &c, &b->fault), WEIR_INTERRUPTED);
    assert_string_equal(buffer_cstr(&c.text), "0=three ");
    assert_string_equal(value_of(b, 'h', "1"), "one"); /* and the store goes on */
    buffer_fini(&c.text);
}

static void refuses_a_read_inside_a_read(void **state)
{
    struct bench *b = *state;
    struct collected c = {.s = b->s};
    put_1_and_3(b);
    expect(b, store_get_many(b->s, 'h', three_ids, 3, read_within, &c, &b->fault), WEIR_OK);
    assert_int_equal(c.inner, WEIR_USAGE);
}

static void takes_a_put_inside_a_read(void **state)
{
    struct bench *b = *state;
    struct collected c = {.s = b->s};
    put_1_and_3(b);
    begin(b);
    expect(b, store_get_many(b->s, 'h', three_ids, 3, put_within, &c, &b->fault), WEIR_OK);
    commit(b);
    assert_string_equal(value_of(b, 'w', "9"), "one");
}

/* Values that a server keeps packed share the room in which they are unpacked. */
static void reads_many_of_a_batch_and_of_the_store_each_with_its_own_bytes(void **state)
{
    struct bench *b = *state;
    struct collected c = {.s = b->s, .stop_at = SIZE_MAX};
    char stored[1000], put[1000], expected[2200];
    memset(stored, 'a', sizeof stored);
    memset(put, 'b', sizeof put);
    buffer_init(&c.text, sizeof expected);
    begin(b);
    expect(b, store_put(b->s, 'h', "1", (struct slice){stored, sizeof stored}, &b->fault), WEIR_OK);
    commit(b);
    begin(b);
    expect(b, store_put(b->s, 'h', "3", (struct slice){put, sizeof put}, &b->fault), WEIR_OK);
    expect(b, store_get_many(b->s, 'h', three_ids, 3, collect, &c, &b->fault), WEIR_OK);
    snprintf(expected, sizeof expected, "0=%.1000s 2=%.1000s ", put, stored);
    assert_string_equal(buffer_cstr(&c.text), expected);
    store_abort(b->s);
    buffer_fini(&c.text);
}

/* ---- batches ---- */

static void refuses_to_write_outside_a_batch(void **state)
{
    struct bench *b = *state;
    expect(b, store_put(b->s, 'h', "1", SLICE_LIT("x"), &b->fault), WEIR_USAGE);
    expect(b, store_delete(b->s, 'h', "1", &b->fault), WEIR_USAGE);
    expect(b, store_put_finding(b->s, "1", SLICE_LIT("{}"), &b->fault), WEIR_USAGE);
    expect(b, store_commit(b->s, &b->fault), WEIR_USAGE);
}

static void has_one_batch_at_a_time(void **state)
{
    struct bench *b = *state;
    begin(b);
    expect(b, store_begin(b->s, &b->fault), WEIR_USAGE);
    put(b, 'h', "1", "x");
    commit(b);
    assert_true(store_has(b->s, 'h', "1"));
}

/* A run closes several days in one batch: the second day reads the baseline that the first has put. */
static void reads_in_a_batch_what_the_batch_has_written(void **state)
{
    struct bench *b = *state;
    put_1_and_3(b);
    begin(b);
    put(b, 'h', "1", "new");
    expect(b, store_delete(b->s, 'h', "3", &b->fault), WEIR_OK);
    assert_string_equal(value_of(b, 'h', "1"), "new");
    assert_string_equal(value_of(b, 'h', "3"), "-");
    assert_true(store_has(b->s, 'h', "1") && !store_has(b->s, 'h', "3"));
    commit(b);
}

static void forgets_an_aborted_batch(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'h', "1", "old");
    begin(b);
    put(b, 'h', "1", "new");
    put(b, 'h', "2", "new");
    store_abort(b->s);
    assert_string_equal(value_of(b, 'h', "1"), "old");
    assert_string_equal(value_of(b, 'h', "2"), "-");
    assert_int_equal(store_position(b->s).seq, 1);
}

static void does_not_commit_a_batch_in_which_a_put_failed(void **state)
{
    struct bench *b = *state;
    begin(b);
    put(b, 'h', "1", "x");
    expect(b, store_put(b->s, 'h', "NOT HEX", SLICE_LIT("x"), NULL), WEIR_USAGE);
    expect(b, store_put(b->s, 'h', "2", SLICE_LIT("x"), NULL), WEIR_USAGE);
    expect(b, store_commit(b->s, &b->fault), WEIR_USAGE);
    assert_false(store_has(b->s, 'h', "1"));
    put_alone(b, 'h', "1", "the next batch is clean");
}

/* ---- findings ---- */

static void lists_findings_in_the_order_of_commits(void **state)
{
    struct bench *b = *state;
    put_finding(b, "b", "B1");
    put_finding(b, "a", "A1");
    put_finding(b, "b", "B2");
    expect_outbox(b, 0, 10, "1:b=B1 2:a=A1 3:b=B2 ");
}

static void lists_findings_from_a_cursor_and_up_to_a_limit(void **state)
{
    struct bench *b = *state;
    put_finding(b, "a", "A");
    put_finding(b, "b", "B");
    put_finding(b, "c", "C");
    expect_outbox(b, 1, 1, "2:b=B ");
    expect_outbox(b, 3, 10, "");
    expect_outbox(b, 0, 0, "");
    expect_outbox(b, UINT64_MAX, SIZE_MAX, "");
}

static void stops_listing_when_the_callback_fails(void **state)
{
    struct bench *b = *state;
    struct collected c = {.stop_at = 2};
    buffer_init(&c.text, 4096);
    put_finding(b, "a", "A");
    put_finding(b, "b", "B");
    expect(b, store_outbox(b->s, 0, 10, list_finding, &c, &b->fault), WEIR_INTERRUPTED);
    assert_string_equal(buffer_cstr(&c.text), "1:a=A ");
    buffer_fini(&c.text);
}

static void keeps_the_last_state_of_a_finding_under_its_uid(void **state)
{
    struct bench *b = *state;
    put_finding(b, "f1", "first");
    put_finding(b, "f1", "last");
    assert_string_equal(value_of(b, 'q', "f1"), "last");
}

static void gives_no_number_to_a_finding_that_was_aborted(void **state)
{
    struct bench *b = *state;
    begin(b);
    expect(b, store_put_finding(b->s, "a", SLICE_LIT("A"), &b->fault), WEIR_OK);
    store_abort(b->s);
    put_finding(b, "b", "B");
    expect_outbox(b, 0, 10, "1:b=B ");
}

/* ---- urls ---- */

static void refuses_a_password_in_a_url_without_showing_it(void **state)
{
    static const char *const urls[] = {"redis://u:secret@h", "rediss://:secret@h", "unix:/run/r?password=secret", "redis-cluster://u:secret@h,i:1", "redis://u:se@cret@h"};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(urls); i++) {
        struct store *s = NULL;
        struct fault fault = {.err = WEIR_OK};
        assert_int_equal(store_open(urls[i], STORE_READ_WRITE, &s, &fault), WEIR_USAGE);
        assert_null(strstr(fault.text, "cret"));
    }
}

static void refuses_urls_that_name_no_store(void **state)
{
    static const char *const urls[] = {"", "sqlite:", "sqlite", "postgres://u:secret@h", "/tmp/x", ":memory:", "SQLITE:x"};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(urls); i++) {
        struct store *s = NULL;
        struct fault fault = {.err = WEIR_OK};
        assert_int_equal(store_open(urls[i], STORE_READ_WRITE, &s, &fault), WEIR_USAGE);
        assert_null(strstr(fault.text, "secret"));
    }
}

static const struct claim claims[] = {
    CLAIM(starts_at_commit_0_with_an_epoch),
    CLAIM(counts_commits),
    CLAIM(gives_back_a_value_with_every_byte_in_it),
    CLAIM(tells_an_empty_value_from_none),
    CLAIM(appends_to_what_the_buffer_holds),
    CLAIM(leaves_the_buffer_untouched_when_there_is_no_value),
    CLAIM(says_limit_when_a_value_does_not_fit_the_buffer),
    CLAIM(replaces_a_value),
    CLAIM(deletes_a_value_and_minds_none_that_is_missing),
    CLAIM(keeps_kinds_apart),
    CLAIM(takes_a_value_of_64_mib_and_not_a_byte_more),
    CLAIM(takes_ids_of_1_to_64_digits),
    CLAIM(refuses_ids_that_are_not_lower_case_hex),
    CLAIM(refuses_kinds_that_are_not_one_lower_case_letter),
    CLAIM(reads_many_in_the_order_asked_and_skips_what_is_missing),
    CLAIM(stops_reading_many_when_the_callback_fails),
    CLAIM(refuses_a_read_inside_a_read),
    CLAIM(takes_a_put_inside_a_read),
    CLAIM(reads_many_of_a_batch_and_of_the_store_each_with_its_own_bytes),
    CLAIM(refuses_to_write_outside_a_batch),
    CLAIM(has_one_batch_at_a_time),
    CLAIM(reads_in_a_batch_what_the_batch_has_written),
    CLAIM(forgets_an_aborted_batch),
    CLAIM(does_not_commit_a_batch_in_which_a_put_failed),
    CLAIM(lists_findings_in_the_order_of_commits),
    CLAIM(lists_findings_from_a_cursor_and_up_to_a_limit),
    CLAIM(stops_listing_when_the_callback_fails),
    CLAIM(keeps_the_last_state_of_a_finding_under_its_uid),
    CLAIM(gives_no_number_to_a_finding_that_was_aborted),
};

int main(void)
{
    const struct CMUnitTest urls[] = {
        cmocka_unit_test(refuses_a_password_in_a_url_without_showing_it),
        cmocka_unit_test(refuses_urls_that_name_no_store),
    };
    int failed = cmocka_run_group_tests_name("urls", urls, NULL, NULL);
    return failed + run_on_backends(claims, WEIR_COUNT(claims), ON_EVERY_BACKEND);
}
