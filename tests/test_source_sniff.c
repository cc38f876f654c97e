/* What an object is, is told by its content; what it is not, is told by name (formats 7.1 G17 to G21, 7.4 D10). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source_make.h"

/* The verdict on the bytes as they are and, for what stands inside, on the same bytes in a gzip. */
static void expect_foreign(const void *bytes, size_t n, const char *word)
{
    struct source *s = source_new(NULL, INFLATE_BEST);
    struct buffer gz;
    buffer_init(&gz, MAKE_MAX);
    put_member(&gz, bytes, n, (struct member){0});
    struct verdict bare = read_bytes(s, bytes, n, 0), inside = read_bytes(s, gz.p, gz.n, 1);
    assert_int_equal(bare.why, SOURCE_FOREIGN);
    assert_int_equal(bare.err, WEIR_UNSUPPORTED);
    assert_int_equal(inside.why, SOURCE_FOREIGN);
    assert_string_equal(bare.fault.text, inside.fault.text);
    if (!strstr(bare.fault.text, word))
        print_error("'%s' lacks '%s'\n", bare.fault.text, word);
    assert_non_null(strstr(bare.fault.text, word));
    assert_int_equal(bare.n + inside.n, 0);
    buffer_fini(&gz);
    source_free(s);
}

static void expect_text(const void *bytes, size_t n)
{
    struct source *s = source_new(NULL, INFLATE_BEST);
    struct verdict v = read_bytes(s, bytes, n, 0);
    assert_string_equal(v.fault.text, "");
    assert_int_equal(v.err, WEIR_END);
    assert_int_equal(v.n, n);
    assert_memory_equal(v.bytes, bytes, n);
    free(v.bytes);
    source_free(s);
}

#define FOREIGN(bytes, word) expect_foreign(bytes, sizeof(bytes) - 1, word)
#define TEXT(bytes) expect_text(bytes, sizeof(bytes) - 1)

static void names_other_compressions(void **state)
{
    (void)state;
    FOREIGN("\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01\x27", "zlib stream");
    FOREIGN("\x28\xb5\x2f\xfd\x24\x03\x19\x00\x00", "zstd");
    FOREIGN("BZh91AY&SY\x64\x8c\xbb\x73", "bzip2");
    FOREIGN("\xfd" "7zXZ\x00\x00\x04\xe6\xd6\xb4\x46", "xz");
    FOREIGN("PK\3\4\x14\0\0\0\x08\0", "zip");
    FOREIGN("\x1f\x9d\x90\x61\xc4", "compress");
}

static void leaves_parquet_to_the_decoder(void **state)
{
    (void)state;
    TEXT("PAR1\x15\x04\x15\x18");
}

static void captures_are_for_the_decoder(void **state)
{
    (void)state;
    TEXT("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\0\0\0\0\0\0\0\0");
    TEXT("\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\0\0\0\0\0\0\0\0");
}

static void names_programs(void **state)
{
    (void)state;
    FOREIGN("\x7f" "ELF\x02\x01\x01\x00", "ELF");
}

static void names_a_tar_archive(void **state)
{
    (void)state;
    char tar[512] = "flow.log";
    memcpy(tar + 257, "ustar", 5);
    expect_foreign(tar, sizeof tar, "tar");
}

static void names_the_other_logs_of_the_bucket(void **state)
{
    (void)state;
    FOREIGN("{\"Records\":[{\"eventVersion\":\"1.08\"", "CloudTrail");
    FOREIGN(" {\n  \"Records\" : [", "CloudTrail");
    TEXT("{\"records\":[{\"time\":\"2018");
    FOREIGN("https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817", "load balancer");
}

static void names_markup(void **state)
{
    (void)state;
    FOREIGN("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", "XML");
    FOREIGN("<!DOCTYPE html>", "HTML");
}

static void names_utf16_with_and_without_mark(void **state)
{
    (void)state;
    FOREIGN("\xff\xfe" "2\0 \0", "UTF-16");
    FOREIGN("v\0e\0r\0s\0i\0o\0n\0 \0", "UTF-16");
    FOREIGN("\0v\0e\0r\0s\0i\0o\0n\0 ", "UTF-16");
}

static void names_binary_data(void **state)
{
    (void)state;
    char zeros[600] = {0};
    expect_foreign(zeros, sizeof zeros, "binary");
}

static void rejects_a_newline_before_the_gzip_magic(void **state)
{
    (void)state;
    FOREIGN("\n\x1f\x8b\x08\x00", "neither gzip nor text");
    FOREIGN("\r\n\x1f\x8b\x08\x00", "neither gzip nor text");
}

static void rejects_a_byte_order_mark_before_the_gzip_magic(void **state)
{
    (void)state;
    FOREIGN("\xef\xbb\xbf\x1f\x8b\x08\x00", "neither gzip nor text");
}

static void takes_json_lines_for_text(void **state)
{
    (void)state;
    TEXT("{\"message\":\"2 123456789010 eni-1 10.0.0.1 192.0.2.7 1 443 6 1 40 1 60 ACCEPT OK\"}\n");
    TEXT("{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[]}");
    TEXT("{\"RecordsRead\":1}");
}

static void takes_text_with_a_byte_order_mark_for_text(void **state)
{
    (void)state;
    TEXT("\xef\xbb\xbfversion account-id\n");
}

static void takes_text_with_a_stray_control_byte_for_text(void **state)
{
    (void)state;
    TEXT("2 1234\0 eni-1 10.0.0.1 192.0.2.7 1 443 6 1 40 1 60 ACCEPT OK\n");
    TEXT("\x1b[31m 2 1234 eni-1 \x1b[0m\n");
}

static void takes_latin_1_for_text(void **state)
{
    (void)state;
    TEXT("2 b\xfcro eni-1 \xe9t\xe9\n");
}

static void every_first_byte_alone_is_text_but_for_the_gzip_magic(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *name;
        unsigned char byte = (unsigned char)c;
        assert_int_equal(sniff(&byte, 1, &name), c == 0x1f ? SNIFFED_GZIP : SNIFFED_TEXT);
    }
}

static void looks_at_no_byte_past_the_end(void **state)
{
    (void)state;
    static const char *const starts[] = {"{\"Records\":", "\3757zXZ", "\xef\xbb\xbf\x1f\x8b", "<!DOCTYPE", "SQLite format 3", "grpcs 20"};
    for (size_t i = 0; i < WEIR_COUNT(starts); i++) {
        for (size_t n = 0; n <= strlen(starts[i]); n++) {
            const char *name;
            char *copy = malloc(n ? n : 1); /* exact: a sanitizer sees one byte too many */
            memcpy(copy, starts[i], n);
            enum sniffed is = sniff(copy, n, &name);
            assert_true(is == SNIFFED_FOREIGN ? name != NULL : name == NULL);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_other_compressions),
        cmocka_unit_test(leaves_parquet_to_the_decoder),
        cmocka_unit_test(captures_are_for_the_decoder),
        cmocka_unit_test(names_programs),
        cmocka_unit_test(names_a_tar_archive),
        cmocka_unit_test(names_the_other_logs_of_the_bucket),
        cmocka_unit_test(names_markup),
        cmocka_unit_test(names_utf16_with_and_without_mark),
        cmocka_unit_test(names_binary_data),
        cmocka_unit_test(rejects_a_newline_before_the_gzip_magic),
        cmocka_unit_test(rejects_a_byte_order_mark_before_the_gzip_magic),
        cmocka_unit_test(takes_json_lines_for_text),
        cmocka_unit_test(takes_text_with_a_byte_order_mark_for_text),
        cmocka_unit_test(takes_text_with_a_stray_control_byte_for_text),
        cmocka_unit_test(takes_latin_1_for_text),
        cmocka_unit_test(every_first_byte_alone_is_text_but_for_the_gzip_magic),
        cmocka_unit_test(looks_at_no_byte_past_the_end),
    };
    return cmocka_run_group_tests_name("source_sniff", tests, NULL, NULL);
}
