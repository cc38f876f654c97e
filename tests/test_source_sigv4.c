/* SPDX-License-Identifier: Apache-2.0 */
/* The signer against what AWS publishes: its Signature Version 4 test suite (service "service", 2015), and the worked examples of the
 * S3 API reference (2013). The numbers are theirs; the suite's cases that normalise paths do not apply to S3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "source/sigv4.h"

#define PAIR(name, value) {SLICE_LIT(name), SLICE_LIT(value)}
#define SUITE_HOST PAIR("host", "example.amazonaws.com"), PAIR("x-amz-date", "20150830T123600Z")
#define S3_HOST PAIR("host", "examplebucket.s3.amazonaws.com"), PAIR("x-amz-date", "20130524T000000Z")
#define NO_BODY PAIR("x-amz-content-sha256", SIGV4_NO_BODY)

struct vector {
    const char *name, *method, *path;
    struct sigv4_pair query[3]; size_t query_n;
    struct sigv4_pair header[6]; size_t header_n;
    const char *payload, *signature;
};

static void check(const struct vector *v, const char *id, const char *secret, const char *service, int64_t time_s)
{
    const struct sigv4_key key = {slice_of(id), slice_of(secret)};
    const struct sigv4_request r = {.method = v->method, .path = slice_of(v->path), .query = v->query, .query_n = v->query_n, .header = v->header,
                                    .header_n = v->header_n, .payload = slice_of(v->payload ? v->payload : SIGV4_NO_BODY), .region = "us-east-1",
                                    .service = service, .time_s = time_s};
    struct buffer out;
    buffer_init(&out, 4096);
    assert_int_equal(sigv4_authorize(&r, &key, &out), WEIR_OK);
    const char *signature = strstr(buffer_cstr(&out), "Signature=");
    assert_non_null(signature);
    if (strcmp(signature + 10, v->signature) != 0)
        fail_msg("%s: %s", v->name, buffer_cstr(&out));
    buffer_fini(&out);
}

static void signs_as_the_test_suite_of_aws(void **state)
{
    static const struct vector vectors[] = {
        {"get-vanilla", "GET", "/", {{{0}, {0}}}, 0, {SUITE_HOST}, 2, NULL, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-vanilla-query-order-key-case", "GET", "/", {PAIR("Param2", "value2"), PAIR("Param1", "value1")}, 2, {SUITE_HOST}, 2, NULL,
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-utf8-query", "GET", "/", {PAIR("\xe1\x88\xb4", "bar")}, 1, {SUITE_HOST}, 2, NULL,
         "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        {"get-utf8", "GET", "/\xe1\x88\xb4", {{{0}, {0}}}, 0, {SUITE_HOST}, 2, NULL, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"get-space", "GET", "/example space/", {{{0}, {0}}}, 0, {SUITE_HOST}, 2, NULL, "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
        {"get-header-key-duplicate", "GET", "/", {{{0}, {0}}}, 0, {SUITE_HOST, PAIR("my-header1", "value2,value2,value1")}, 3, NULL,
         "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        {"get-header-value-trim", "GET", "/", {{{0}, {0}}}, 0, {SUITE_HOST, PAIR("my-header1", " value1"), PAIR("my-header2", " \"a   b   c\"")}, 4, NULL,
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        {"post-vanilla", "POST", "/", {{{0}, {0}}}, 0, {SUITE_HOST}, 2, NULL, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    };
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(vectors); i++)
        check(&vectors[i], "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "service", 1440938160);
}

static void signs_as_the_examples_of_s3(void **state)
{
    static const char welcome[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    static const struct vector vectors[] = {
        {"GET Object", "GET", "/test.txt", {{{0}, {0}}}, 0, {S3_HOST, NO_BODY, PAIR("range", "bytes=0-9")}, 4, NULL,
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT Object", "PUT", "/test$file.text", {{{0}, {0}}}, 0,
         {S3_HOST, PAIR("date", "Fri, 24 May 2013 00:00:00 GMT"), PAIR("x-amz-storage-class", "REDUCED_REDUNDANCY"),
          PAIR("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")}, 5, welcome,
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET Bucket Lifecycle", "GET", "/", {PAIR("lifecycle", "")}, 1, {S3_HOST, NO_BODY}, 3, NULL,
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"Get Bucket (List Objects)", "GET", "/", {PAIR("prefix", "J"), PAIR("max-keys", "2")}, 2, {S3_HOST, NO_BODY}, 3, NULL,
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(vectors); i++)
        check(&vectors[i], "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "s3", 1369353600);
}

static void encodes_each_byte_once_and_normalises_nothing(void **state)
{
    const struct sigv4_pair query[] = {PAIR("prefix", "a/b=c d"), PAIR("delimiter", "/"), PAIR("list-type", "2")};
    const struct sigv4_request r = {.path = SLICE_LIT("/b//year=2026/%25 \xc3\xa4/../x+y"), .query = query, .query_n = WEIR_COUNT(query)};
    struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    sigv4_target(&r, &out);
    assert_string_equal(buffer_cstr(&out), "/b//year%3D2026/%2525%20%C3%A4/../x%2By?delimiter=%2F&list-type=2&prefix=a%2Fb%3Dc%20d");
    buffer_fini(&out);
}

static void names_what_it_signs_in_order_and_never_the_secret(void **state)
{
    const struct sigv4_key key = {SLICE_LIT("ID"), SLICE_LIT("the-secret")};
    const struct sigv4_pair header[] = {PAIR("x-amz-date", "20150830T123600Z"), PAIR("host", "h")};
    const struct sigv4_request r = {.method = "GET", .path = SLICE_LIT("/"), .header = header, .header_n = 2, .payload = SLICE_LIT("UNSIGNED-PAYLOAD"),
                                    .region = "eu-west-1", .service = "s3", .time_s = 1440938160};
    struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    assert_int_equal(sigv4_authorize(&r, &key, &out), WEIR_OK);
    const char *text = buffer_cstr(&out);
    assert_ptr_equal(strstr(text, "AWS4-HMAC-SHA256 Credential=ID/20150830/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature="), text);
    assert_null(strstr(text, "secret"));
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_the_test_suite_of_aws),
        cmocka_unit_test(signs_as_the_examples_of_s3),
        cmocka_unit_test(encodes_each_byte_once_and_normalises_nothing),
        cmocka_unit_test(names_what_it_signs_in_order_and_never_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
