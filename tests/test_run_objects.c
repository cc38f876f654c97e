/* Claims about damaged objects among good ones, in whole runs: nothing of them counts, everything else does, and each is
 * told with its reason. The object is 200 records in version 2, packed with zlib.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <zlib.h>

#include "run_weir.h"

#define RECORDS 200
#define PACKED_MAX 16384

static size_t pack(unsigned char packed[PACKED_MAX])
{
    static char text[RECORDS * 128];
    size_t n = 0;
    z_stream z = {0};
    for (unsigned i = 0; i < RECORDS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "2 123456789012 eni-0a1b2c3d 10.0.1.%u 203.0.113.%u %u 443 6 %u %u 1772409%u 1772409%u ACCEPT OK\n",
                              i % 4 + 1, i % 250 + 1, 32768 + i * 7919 % 28000, i % 90 + 10, (i * 48271 % 99991) + 4000, 600 + i, 660 + i);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)text;
    z.avail_in = (unsigned)n;
    z.next_out = packed;
    z.avail_out = PACKED_MAX;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void put(const struct run_weir *r, const char *name, const void *bytes, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/logs", r->folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/logs/%s", r->folder, name);
    FILE *out = fopen(path, "we");
    assert_true(out && fwrite(bytes, 1, n, out) == n && fclose(out) == 0);
}

static void run_logs(struct run_weir *r)
{
    char path[128];
    snprintf(path, sizeof path, "%s/logs", r->folder);
    run_batch_on(r, path, NULL);
}

static void every_prefix_of_an_object_is_refused_and_counts_nothing(void **state)
{
    struct run_weir *r = *state;
    unsigned char packed[PACKED_MAX];
    size_t n = pack(packed);
    put(r, "whole.gz", packed, n);
    for (size_t i = 1; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "prefix-%05zu.gz", i);
        put(r, name, packed, i);
    }
    run_logs(r);
    assert_int_equal(r->rc, APP_REJECTED);
    assert_int_equal(run_count(r, "objects", "done"), 1);
    assert_int_equal(run_count(r, "records", "counted"), RECORDS);
    assert_int_equal(run_count(r, "objects", "rejected"), n - 1);
    assert_int_equal(run_count(r, "object_rejects", "gzip-truncated"), n - 1);
}

/* A bit may fall where it does not matter (the header's time, system and flags for text): then the object is read as it was. */
static void every_object_with_a_flipped_bit_is_refused_or_read_as_it_was(void **state)
{
    struct run_weir *r = *state;
    unsigned char packed[PACKED_MAX];
    size_t n = pack(packed);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "flipped-%05zu.gz", i);
        packed[i] ^= (unsigned char)(1u << i % 8);
        put(r, name, packed, n);
        packed[i] ^= (unsigned char)(1u << i % 8);
    }
    run_logs(r);
    assert_int_equal(r->rc, APP_REJECTED);
    assert_int_equal(run_count(r, "records", "counted"), RECORDS * run_count(r, "objects", "done"));
    assert_true(run_count(r, "objects", "done") <= 6);
}

static void a_record_that_cannot_be_read_is_counted_with_its_reason_and_line(void **state)
{
    struct run_weir *r = *state;
    static const char text[] = "2 123456789012 eni-1 10.0.1.1 203.0.113.5 40000 443 6 10 4000 1772409600 1772409660 ACCEPT OK\n"
                               "2 123456789012 eni-1 10.0.1.1 203.0.113.5 40000 443 6 10 -5 1772409600 1772409660 ACCEPT OK\n"
                               "2 123456789012 eni-1 10.0.1.1 203.0.113.5 40000 443 6 10 4000 1772409600\n"
                               "2 123456789012 eni-1 10.0.1.1 203.0.113.5 40000 443 6 10 4000 1772409600 1772409660 ACCEPT OK\n";
    put(r, "some.log", text, sizeof text - 1);
    run_logs(r);
    assert_int_equal(r->rc, APP_REJECTED);
    assert_int_equal(run_count(r, "records", "counted"), 2);
    assert_int_equal(run_count(r, "rejects", "number"), 1);
    assert_int_equal(run_count(r, "rejects", "field-count"), 1);
    assert_non_null(strstr(r->err, "line=2 reason=number field=bytes"));
    assert_non_null(strstr(r->err, "line=3 reason=field-count"));
}

static void a_refused_object_is_counted_once_it_comes_whole(void **state)
{
    struct run_weir *r = *state;
    unsigned char packed[PACKED_MAX];
    size_t n = pack(packed);
    put(r, "some.gz", packed, n / 2);
    run_logs(r);
    assert_int_equal(run_count(r, "records", "counted"), 0);
    put(r, "some.gz", packed, n);
    run_logs(r);
    assert_int_equal(r->rc, APP_DONE);
    assert_int_equal(run_count(r, "records", "counted"), RECORDS);
}

static void put_record(const struct run_weir *r, const char *time, unsigned start)
{
    char name[128], line[128];
    snprintf(name, sizeof name, "123456789012_vpcflowlogs_us-east-1_fl-0a1b2c3d_20260302T%sZ_%s.log.gz", time, time);
    int n = snprintf(line, sizeof line, "2 123456789012 eni-0a1b2c3d 10.0.1.1 203.0.113.1 40000 443 6 1 1000 %u %u ACCEPT OK\n", start, start + 59);
    put(r, name, line, (size_t)n);
}

#define MIDNIGHT 1772409600u /* before 2026-03-02; a day closes 15 minutes after its end */

static void objects_that_let_no_day_close_are_one_commit(void **state)
{
    struct run_weir *r = *state;
    put_record(r, "0000", MIDNIGHT);
    put_record(r, "0020", MIDNIGHT + 1200);
    run_logs(r);
    assert_int_equal(run_count(r, "records", "counted"), 2);
    assert_int_equal(run_count(r, NULL, "checkpoints"), 1);
    assert_int_equal(run_count(r, NULL, "days_closed"), 0);
}

static void the_object_that_lets_a_day_close_is_behind_a_commit(void **state)
{
    struct run_weir *r = *state;
    put_record(r, "0000", MIDNIGHT - 60);
    put_record(r, "0010", MIDNIGHT + 870);
    put_record(r, "0020", MIDNIGHT + 1200);
    run_logs(r);
    assert_int_equal(run_count(r, NULL, "checkpoints"), 2);
    assert_int_equal(run_count(r, NULL, "days_closed"), 1);
}

#define T(claim) cmocka_unit_test_setup_teardown(claim, run_begin, run_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_prefix_of_an_object_is_refused_and_counts_nothing), T(every_object_with_a_flipped_bit_is_refused_or_read_as_it_was),
        T(a_record_that_cannot_be_read_is_counted_with_its_reason_and_line), T(a_refused_object_is_counted_once_it_comes_whole),
        T(objects_that_let_no_day_close_are_one_commit), T(the_object_that_lets_a_day_close_is_behind_a_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
