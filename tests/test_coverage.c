/* What a day covers: which hours of a flow log are missing, who fell silent, and that order and damage do not matter.
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/coverage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "weir/app.h"

#define DAY 20000
#define ACCOUNT SLICE_LIT("123456789012")
#define FLOW_LOG SLICE_LIT("fl-1")

static struct store *store;
static struct coverage c;

static int begin(void **state)
{
    (void)state;
    memset(&c, 0, sizeof c);
    return store_open("sqlite::memory:", STORE_READ_WRITE, &store, NULL) == WEIR_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    coverage_fini(&c);
    store_close(store);
    return 0;
}

/* One object in the bucket that begins at that minute of the day. */
static void object(uint16_t day, unsigned minute, const struct key_set *quiet)
{
    struct coverage_object o = {.account = ACCOUNT, .flow_log = FLOW_LOG, .bucket_s = (int64_t)day * DAY_S + 60 * (int64_t)minute, .day = &day, .days = 1, .quiet = quiet};
    assert_int_equal(coverage_add(&c, &o), WEIR_OK);
}

/* An object in each hour of the mask. */
static void hours(uint16_t day, uint32_t mask)
{
    for (unsigned h = 0; h < 24; h++)
        if (mask >> h & 1)
            object(day, h * 60, NULL);
}

static void host(uint16_t day, const char *interface)
{
    struct coverage_host h = {ACCOUNT, slice_of(interface), true, false, false};
    assert_int_equal(coverage_host(&c, day, &h), WEIR_OK);
}

static void put(uint16_t closed_through)
{
    assert_int_equal(store_begin(store, NULL), WEIR_OK);
    assert_int_equal(coverage_put(&c, store, closed_through, NULL), WEIR_OK);
    assert_int_equal(store_commit(store, NULL), WEIR_OK);
}

static struct coverage_day stored(uint16_t day)
{
    struct coverage_day d;
    assert_int_equal(coverage_get(store, day, &d, NULL), WEIR_OK);
    return d;
}

static uint32_t missing(uint16_t day, bool closing) { return coverage_missing(&c, day, closing, ACCOUNT, FLOW_LOG); }

static void an_hour_between_objects_is_missing(void **state)
{
    (void)state;
    hours(DAY, 0xffffff & ~(1u << 5));
    assert_int_equal(missing(DAY, false), 1u << 5);
}

static void before_the_first_object_ever_nothing_is_missing(void **state)
{
    (void)state;
    hours(DAY, 0xfff000 & ~(1u << 20));
    assert_int_equal(missing(DAY, true), 0); /* eleven hours: not known to be steady */
    hours(DAY, 0x000800);
    assert_int_equal(missing(DAY, true), 1u << 20);
}

static void after_the_last_object_hours_are_missing_only_when_the_day_closes(void **state)
{
    (void)state;
    hours(DAY, 0x00ffff);
    assert_int_equal(missing(DAY, false), 0);
    assert_int_equal(missing(DAY, true), 0xff0000);
}

static void a_flow_log_that_was_steady_yesterday_is_missed_from_midnight(void **state)
{
    (void)state;
    hours(DAY, 0xffffff);
    hours(DAY + 1, 0x000008);
    assert_int_equal(missing(DAY + 1, false), 0x000007);
    assert_int_equal(missing(DAY + 1, true), 0xfffff7);
}

static void a_flow_log_that_delivers_now_and_then_is_never_missed(void **state)
{
    (void)state;
    hours(DAY, 0x111111);
    hours(DAY + 1, 0x111111);
    assert_int_equal(missing(DAY + 1, true), 0);
}

static void a_flow_log_without_a_name_is_never_missed(void **state)
{
    (void)state;
    hours(DAY, 0xffffff & ~(1u << 5));
    assert_int_equal(coverage_missing(&c, DAY, true, ACCOUNT, SLICE_LIT("")), 0);
    assert_int_equal(coverage_missing(&c, DAY, true, ACCOUNT, SLICE_LIT("fl-2")), 0);
}

static void a_flow_log_that_ends_stays_in_the_record_for_one_day(void **state)
{
    (void)state;
    for (uint16_t day = DAY; day < DAY + 3; day++) {
        if (day == DAY)
            hours(day, 0xffffff);
        host(day, "eni-1");
        put(day);
    }
    struct coverage_day d = stored(DAY + 1);
    assert_int_equal(d.sources, 1);
    assert_int_equal(d.source[0].missing, 0xffffff);
    coverage_day_fini(&d);
    d = stored(DAY + 2);
    assert_int_equal(d.sources, 0);
    coverage_day_fini(&d);
    assert_int_equal(c.missing_hours, 24);
}

static void an_interface_is_silent_without_any_record_on_the_next_day(void **state)
{
    (void)state;
    host(DAY, "eni-1");
    host(DAY, "eni-2");
    put(DAY);
    host(DAY + 1, "eni-1");
    put(DAY + 1);
    struct coverage_day d = stored(DAY + 1);
    assert_int_equal(d.silent, 1);
    assert_int_equal(c.silent, 1);
    coverage_day_fini(&d);
}

static void nodata_is_not_silence(void **state)
{
    (void)state;
    struct key_set quiet = {NULL, 0, 0};
    host(DAY, "eni-1");
    put(DAY);
    assert_true(key_set_add(&quiet, coverage_key(ACCOUNT, SLICE_LIT("eni-1"), DAY + 1)));
    object(DAY + 1, 0, &quiet);
    put(DAY + 1);
    assert_int_equal(c.silent, 0);
    key_set_free(&quiet);
}

static void a_silent_interface_is_told_once(void **state)
{
    (void)state;
    host(DAY, "eni-1");
    put(DAY);
    for (uint16_t day = DAY + 1; day < DAY + 4; day++) {
        host(day, "eni-2");
        put(day);
    }
    assert_int_equal(c.silent, 1);
}

static void a_closed_day_takes_no_more(void **state)
{
    (void)state;
    hours(DAY, 0xffffff & ~(1u << 5));
    put(DAY);
    object(DAY, 5 * 60, NULL);
    put(DAY);
    struct coverage_day d = stored(DAY);
    assert_int_equal(d.source[0].missing, 1u << 5);
    assert_int_equal(d.source[0].objects, 23);
    coverage_day_fini(&d);
}

static void a_run_that_goes_on_gives_the_record_of_one_run(void **state)
{
    (void)state;
    struct buffer one, two;
    buffer_init(&one, 1 << 20);
    buffer_init(&two, 1 << 20);
    hours(DAY, 0x0000ff);
    put(0);
    hours(DAY, 0xff0000);
    assert_int_equal(coverage_encode(&c.day[0], &one), WEIR_OK);
    coverage_fini(&c);
    assert_int_equal(coverage_load(&c, store, NULL, 0, DAY, NULL), WEIR_OK);
    hours(DAY, 0xff0000);
    assert_int_equal(coverage_encode(&c.day[0], &two), WEIR_OK);
    assert_int_equal(one.n, two.n);
    assert_memory_equal(one.p, two.p, one.n);
    buffer_fini(&one);
    buffer_fini(&two);
}

static void objects_in_another_order_give_the_same_record(void **state)
{
    (void)state;
    struct buffer one, two;
    const uint16_t day = DAY;
    const char *flow_log[] = {"fl-3", "fl-1", "fl-2"};
    buffer_init(&one, 1 << 20);
    buffer_init(&two, 1 << 20);
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < 300; i++) {
            unsigned k = turn ? 299 - i : i;
            struct coverage_object o = {ACCOUNT, slice_of(flow_log[k % 3]), (int64_t)DAY * DAY_S + 300 * (int64_t)(k * 7 % 288), k % 128, &day, 1, NULL};
            assert_int_equal(coverage_add(&c, &o), WEIR_OK);
        }
        assert_int_equal(coverage_encode(&c.day[0], turn ? &two : &one), WEIR_OK);
        coverage_fini(&c);
    }
    assert_int_equal(one.n, two.n);
    assert_memory_equal(one.p, two.p, one.n);
    buffer_fini(&one);
    buffer_fini(&two);
}

static void more_flow_logs_than_the_limit_are_counted_together(void **state)
{
    (void)state;
    const uint16_t day = DAY;
    for (unsigned i = 0; i < COVERAGE_SOURCES_MAX + 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "fl-%u", i);
        struct coverage_object o = {ACCOUNT, slice_of(name), (int64_t)DAY * DAY_S, 0, &day, 1, NULL};
        assert_int_equal(coverage_add(&c, &o), WEIR_OK);
    }
    assert_int_equal(c.day[0].sources, COVERAGE_SOURCES_MAX);
    assert_string_equal(c.day[0].source[0].flow_log, "");
    assert_int_equal(c.day[0].source[0].objects, 11);
}

static void every_damaged_record_is_refused(void **state)
{
    (void)state;
    struct buffer blob;
    buffer_init(&blob, 1 << 20);
    hours(DAY, 0xffffff);
    host(DAY, "eni-1");
    assert_int_equal(coverage_encode(&c.day[0], &blob), WEIR_OK);
    for (size_t n = 0; n < blob.n; n++) {
        struct coverage_day d;
        assert_int_not_equal(coverage_decode((struct slice){blob.p, n}, &d), WEIR_OK);
        coverage_day_fini(&d);
    }
    buffer_fini(&blob);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CLAIM(an_hour_between_objects_is_missing),
        CLAIM(before_the_first_object_ever_nothing_is_missing),
        CLAIM(after_the_last_object_hours_are_missing_only_when_the_day_closes),
        CLAIM(a_flow_log_that_was_steady_yesterday_is_missed_from_midnight),
        CLAIM(a_flow_log_that_delivers_now_and_then_is_never_missed),
        CLAIM(a_flow_log_without_a_name_is_never_missed),
        CLAIM(a_flow_log_that_ends_stays_in_the_record_for_one_day),
        CLAIM(an_interface_is_silent_without_any_record_on_the_next_day),
        CLAIM(nodata_is_not_silence),
        CLAIM(a_silent_interface_is_told_once),
        CLAIM(a_closed_day_takes_no_more),
        CLAIM(a_run_that_goes_on_gives_the_record_of_one_run),
        CLAIM(objects_in_another_order_give_the_same_record),
        CLAIM(more_flow_logs_than_the_limit_are_counted_together),
        CLAIM(every_damaged_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
