/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in S3 against a server that misbehaves as we like: what comes is exact or it does not come (reliability F18, F19, S12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include <weir/source_s3.h>

#include "source/s3.h"
#include "tests/s3_stub.h"

#define OBJECTS 40
#define TAG "\"0123456789abcdef\""
static char *const keys[] = {"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=not-to-be-seen", "AWS_REGION=eu-central-1", NULL};

static size_t size_of(unsigned i) { return i == 3 ? 0 : 1000 + 7919u * i; }
static char byte_of(unsigned i, size_t at) { return (char)('a' + (at * 31 + i + at / 977) % 26); }

static void allow(const struct stub *s, char *const *env)
{
    struct fault fault = {WEIR_OK, ""};
    s3_set_pauses(1000000, 4000000);
    assert_int_equal(s3_allow(&(struct s3_access){"", s->url, "", env}, &fault), WEIR_OK);
}

static void put_list(struct buffer *out, unsigned from, unsigned to)
{
    struct buffer xml;
    buffer_init(&xml, 1 << 20);
    buffer_puts(&xml, "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>");
    for (unsigned i = from; i < to; i++)
        buffer_printf(&xml, "<Contents><Key>p/o%02u</Key><ETag>&quot;0123456789abcdef&quot;</ETag><Size>%zu</Size></Contents>", i, size_of(i));
    buffer_printf(&xml, "<IsTruncated>%s</IsTruncated>%s</ListBucketResult>", to < OBJECTS ? "true" : "false",
                  to < OBJECTS ? "<NextContinuationToken>next page/==</NextContinuationToken>" : "");
    stub_status(out, "200 OK", "", buffer_cstr(&xml));
    buffer_fini(&xml);
}

/* Lists two pages, and gives objects with their ranges. */
static void answer_well(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    const char *key = strstr(request, "/logs/p/o"), *range = strcasestr(request, "range: bytes=");
    (void)s, (void)n, (void)cut;
    if (!key) {
        bool second = stub_has(request, "continuation-token=next%20page%2F%3D%3D");
        put_list(out, second ? OBJECTS / 2 : 0, second ? OBJECTS : OBJECTS / 2);
        return;
    }
    unsigned i = (unsigned)(key[9] - '0') * 10 + (unsigned)(key[10] - '0');
    uint64_t from = 0;
    if (range) {
        struct slice digits = {range + 13, strcspn(range + 13, "-")};
        assert_int_equal(parse_u64(digits, 1 << 30, &from), WEIR_OK);
    }
    size_t size = size_of(i);
    buffer_printf(out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nETag: " TAG "\r\nConnection: close\r\n", range ? "206 Partial Content" : "200 OK", size - (size_t)from);
    if (range)
        buffer_printf(out, "Content-Range: bytes %zu-%zu/%zu\r\n", (size_t)from, size - 1, size);
    buffer_puts(out, "\r\n");
    for (size_t at = (size_t)from; at < size; at++) {
        char c = byte_of(i, at);
        buffer_put(out, &c, 1);
    }
}

static struct object_list *listed(enum weir_err expected, struct fault *fault)
{
    struct object_list *list = object_list_new(NULL);
    assert_int_equal(object_list_add(list, "s3://logs/p", fault), expected);
    object_list_sort(list);
    return list;
}

/* All of them, in the order of the list, exact. */
static void read_all(const struct object_list *list)
{
    struct source *source = source_new(NULL, INFLATE_BEST);
    static char bytes[1 << 20];
    source_expect(list, 0, object_list_count(list), NULL);
    for (unsigned i = 0; i < object_list_count(list); i++) {
        struct fault fault = {WEIR_OK, ""};
        struct sha256 id, expected;
        enum weir_err err = source_open(source, object_list_at(list, i), &fault);
        size_t have = 0, n = 0;
        while (!err && !(err = source_read(source, bytes + have, sizeof bytes - have, &n, &fault)))
            have += n;
        if (err != WEIR_END)
            fail_msg("object %u: %s", i, fault.text);
        source_id(source, &id);
        for (size_t at = 0; at < size_of(i); at++)
            bytes[at] = byte_of(i, at);
        sha256_of(bytes, size_of(i), &expected);
        assert_int_equal(have, size_of(i));
        assert_memory_equal(id.b, expected.b, SHA256_BYTES);
    }
    source_expect_none();
    source_free(source);
}

static void lists_page_by_page_and_gets_what_was_listed(void **state)
{
    struct stub s;
    struct fault fault = {WEIR_OK, ""};
    (void)state;
    stub_start(&s, answer_well);
    allow(&s, keys);
    struct object_list *list = listed(WEIR_OK, &fault);
    assert_int_equal(object_list_count(list), OBJECTS);
    read_all(list);
    assert_int_equal(atomic_load(&s.asked), 2 + OBJECTS - 1); /* the empty one is not asked for */
    assert_true(stub_asks(s.request[0], "GET /logs/?encoding-type=url&list-type=2&prefix=p%2F HTTP/1.1\r\n"));
    assert_true(stub_has(s.request[2], "if-match: " TAG));
    assert_true(stub_has(s.request[2], "/eu-central-1/s3/aws4_request, SignedHeaders=host;if-match;x-amz-content-sha256;x-amz-date"));
    object_list_free(list);
    s3_end();
    stub_stop(&s);
}

/* Each third request fails in another way. */
static void answer_badly(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    uint64_t chance = stable_mix(n + 1) % 100;
    if (chance < 8)
        stub_status(out, "503 Slow Down", "", "<Error><Code>SlowDown</Code></Error>");
    else if (chance < 12)
        stub_status(out, "500 Internal Server Error", "", "");
    else if (chance < 30)
        answer_well(s, n, request, out, cut), *cut = chance < 15 ? 0 : out->n * chance / 40;
    else if (chance < 34 && strstr(request, "/logs/p/o"))
        stub_status(out, "504 Gateway Timeout", "Retry-After: 0\r\n", "<html>not XML");
    else
        answer_well(s, n, request, out, cut);
}

static void a_third_of_answers_lost_loses_nothing(void **state)
{
    struct stub s;
    struct fault fault = {WEIR_OK, ""};
    (void)state;
    stub_start(&s, answer_badly);
    allow(&s, keys);
    struct object_list *list = listed(WEIR_OK, &fault);
    assert_int_equal(object_list_count(list), OBJECTS);
    read_all(list);
    unsigned ranges = 0;
    for (unsigned i = 0; i < atomic_load(&s.asked); i++)
        ranges += stub_has(s.request[i], "range: bytes=") && stub_has(s.request[i], "if-match: " TAG);
    assert_true(ranges > 0); /* went on where it broke off, of the same content */
    object_list_free(list);
    s3_end();
    stub_stop(&s);
}

static void answer_503(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    (void)s, (void)n, (void)request, (void)cut;
    stub_status(out, "503 Slow Down", "", "<Error><Code>SlowDown</Code></Error>");
}

static int64_t stop_at_s;
static bool three_seconds_went_by(void) { return (int64_t)time(NULL) >= stop_at_s; }
static bool never(void) { return false; }

static void a_failing_endpoint_is_not_asked_in_a_hot_loop(void **state)
{
    struct stub s;
    struct fault fault = {WEIR_OK, ""};
    (void)state;
    stub_start(&s, answer_503);
    allow(&s, keys);
    s3_set_pauses(1000000, 1000000); /* chance could make all pauses short: the slots remain */
    stop_at_s = (int64_t)time(NULL) + 3;
    source_stop_when(three_seconds_went_by);
    enum weir_err err = WEIR_UNAVAILABLE;
    for (unsigned calls = 0; err == WEIR_UNAVAILABLE && calls < 100; calls++) {
        struct object_list *list = object_list_new(NULL);
        err = object_list_add(list, "s3://logs/p", &fault);
        object_list_free(list);
    }
    source_stop_when(never);
    assert_int_equal(err, WEIR_INTERRUPTED);
    assert_true(atomic_load(&s.asked) <= 3 * 5 + 3); /* the first ones are no failures in a row yet */
    s3_end();
    stub_stop(&s);
}

static void after_enough_tries_it_is_unavailable(void **state)
{
    struct stub s;
    struct fault fault = {WEIR_OK, ""};
    (void)state;
    stub_start(&s, answer_503);
    allow(&s, keys);
    object_list_free(listed(WEIR_UNAVAILABLE, &fault));
    assert_int_equal(atomic_load(&s.asked), S3_TRIES);
    assert_non_null(strstr(fault.text, "503 SlowDown"));
    s3_end();
    stub_stop(&s);
}

/* ---- refusals ---- */

static const char *refusal, *refusal_headers, *refusal_body;
static void answer_refusal(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    (void)s, (void)n, (void)request, (void)cut;
    stub_status(out, refusal, refusal_headers, refusal_body);
}

static void a_refusal_says_what_to_do_and_is_not_tried_again(void **state)
{
    static const struct { const char *status, *headers, *body, *says; } table[] = {
        {"403 Forbidden", "", "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", "needs s3:ListBucket"},
        {"403 Forbidden", "", "<Error><Code>SignatureDoesNotMatch</Code></Error>", "access key or its secret is wrong"},
        {"403 Forbidden", "", "<Error><Code>ExpiredToken</Code></Error>", "have expired"},
        {"301 Moved Permanently", "x-amz-bucket-region: us-west-2\r\n", "<Error><Code>PermanentRedirect</Code></Error>", "is in region us-west-2, and was asked for in eu-central-1: set 's3.region' to us-west-2"},
        {"400 Bad Request", "", "<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-south-1</Region></Error>", "set 's3.region' to ap-south-1"},
        {"302 Found", "Location: http://127.0.0.1:1/elsewhere\r\n", "", "sent elsewhere (status 302), which is not followed"},
        {"404 Not Found", "", "<Error><Code>NoSuchBucket</Code></Error>", "no such bucket"},
        {"403 Forbidden", "", "not <XML", "403"},
        {"200 OK", "", "<html>a captive portal</html>", "no listing"},
    };
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(table); i++) {
        struct stub s;
        struct fault fault = {WEIR_OK, ""};
        struct object_list *list = object_list_new(NULL);
        refusal = table[i].status, refusal_headers = table[i].headers, refusal_body = table[i].body;
        stub_start(&s, answer_refusal);
        allow(&s, keys);
        enum weir_err err = object_list_add(list, "s3://logs/p", &fault);
        if ((err != WEIR_USAGE && err != WEIR_CORRUPT) || !strstr(fault.text, table[i].says) || strstr(fault.text, "not-to-be-seen"))
            fail_msg("%s: %s: %s", table[i].says, weir_err_name(err), fault.text);
        assert_true(atomic_load(&s.asked) <= 2); /* expired credentials are asked for anew, once */
        object_list_free(list);
        s3_end();
        stub_stop(&s);
    }
}

static void answer_changed(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    if (strstr(request, "/logs/p/o00"))
        stub_status(out, "412 Precondition Failed", "", "<Error><Code>PreconditionFailed</Code></Error>");
    else if (strstr(request, "/logs/p/o01"))
        stub_status(out, "404 Not Found", "", "<Error><Code>NoSuchKey</Code></Error>");
    else if (strstr(request, "/logs/p/o02"))
        stub_status(out, "200 OK", "ETag: " TAG "\r\n", "shorter than listed");
    else if (strstr(request, "/logs/p/o04"))
        stub_status(out, "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    else
        answer_well(s, n, request, out, cut);
}

static void what_is_not_there_as_listed_is_rejected_by_name(void **state)
{
    static const struct { unsigned i; const char *says; } table[] = {{0, "not what it was when it was listed"}, {1, "not found"}, {2, "shorter than when it was listed"},
                                                                     {4, "needs s3:GetObject"}};
    struct stub s;
    struct fault fault = {WEIR_OK, ""};
    (void)state;
    stub_start(&s, answer_changed);
    allow(&s, keys);
    struct object_list *list = listed(WEIR_OK, &fault);
    struct source *source = source_new(NULL, INFLATE_BEST);
    for (size_t i = 0; i < WEIR_COUNT(table); i++) {
        assert_true(source_open(source, object_list_at(list, table[i].i), &fault) != WEIR_OK);
        assert_int_equal(source_why(source), SOURCE_UNREADABLE);
        if (!strstr(fault.text, table[i].says))
            fail_msg("%s: %s", table[i].says, fault.text);
    }
    source_free(source);
    object_list_free(list);
    s3_end();
    stub_stop(&s);
}

/* ---- credentials ---- */

static unsigned given_out;
/* A container's endpoint that gives out a new key each time; the first is refused as expired. */
static void answer_container(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    char body[300];
    if (stub_asks(request, "GET /creds")) {
        snprintf(body, sizeof body, "{\"AccessKeyId\":\"KEY%u\",\"SecretAccessKey\":\"not-to-be-seen\",\"Token\":\"TOKEN%u\",\"Expiration\":\"2099-01-01T00:00:00Z\"}", given_out, given_out);
        given_out++;
        stub_status(out, stub_has(request, "authorization: Basic-abc") ? "200 OK" : "401 Unauthorized", "", body);
    } else if (stub_has(request, "Credential=KEY0/")) {
        stub_status(out, "403 Forbidden", "", "<Error><Code>ExpiredToken</Code></Error>");
    } else {
        answer_well(s, n, request, out, cut);
    }
}

static void expired_credentials_are_asked_for_anew(void **state)
{
    struct stub s;
    struct fault fault = {WEIR_OK, ""};
    char full[128];
    char *const env[] = {full, "AWS_CONTAINER_AUTHORIZATION_TOKEN=Basic-abc", NULL};
    (void)state;
    given_out = 0;
    stub_start(&s, answer_container);
    snprintf(full, sizeof full, "AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/creds", s.url);
    allow(&s, env);
    struct object_list *list = listed(WEIR_OK, &fault);
    assert_int_equal(object_list_count(list), OBJECTS);
    read_all(list);
    assert_int_equal(given_out, 2);
    assert_true(stub_has(s.request[3], "x-amz-security-token: TOKEN1"));
    object_list_free(list);
    s3_end();
    stub_stop(&s);
}

/* An instance: version 2 of its metadata only. */
static void answer_instance(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    bool may = stub_has(request, "x-aws-ec2-metadata-token: the-session");
    if (stub_asks(request, "PUT /latest/api/token"))
        stub_status(out, "200 OK", "", n == 0 ? "" : "the-session");
    else if (stub_asks(request, "GET /latest/meta-data/iam/security-credentials/role"))
        stub_status(out, may ? "200 OK" : "401 Unauthorized", "",
                    "{\"Code\":\"Success\",\"AccessKeyId\":\"KEYI\",\"SecretAccessKey\":\"not-to-be-seen\",\"Token\":\"TOKENI\",\"Expiration\":\"2099-01-01T00:00:00Z\"}");
    else if (stub_asks(request, "GET /latest/"))
        stub_status(out, may ? "200 OK" : "401 Unauthorized", "", "role\n");
    else
        answer_well(s, n, request, out, cut);
}

static void an_instance_gives_its_role_by_version_2_and_the_token_is_signed(void **state)
{
    struct stub s;
    struct fault fault = {WEIR_OK, ""};
    char place[128];
    char *const env[] = {place, NULL};
    (void)state;
    stub_start(&s, answer_instance);
    snprintf(place, sizeof place, "AWS_EC2_METADATA_SERVICE_ENDPOINT=%s", s.url);
    allow(&s, env);
    struct object_list *list = object_list_new(NULL);
    while (object_list_add(list, "s3://logs/p", &fault)) /* the first token is empty: a slow service that is not ready */
        assert_true(atomic_load(&s.asked) < 10);
    assert_int_equal(object_list_count(list), OBJECTS);
    const char *last = s.request[atomic_load(&s.asked) - 1];
    assert_true(stub_has(last, "x-amz-security-token: TOKENI"));
    assert_true(stub_has(last, "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
    object_list_free(list);
    s3_end();
    stub_stop(&s);
}

static void answer_early(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    if (n == 0)
        stub_status(out, "403 Forbidden", "Date: Thu, 01 Jan 2099 10:20:30 GMT\r\n", "<Error><Code>RequestTimeTooSkewed</Code></Error>");
    else
        answer_well(s, n, request, out, cut);
}

static void a_clock_that_is_off_is_put_right_by_that_of_the_server(void **state)
{
    struct stub s;
    struct fault fault = {WEIR_OK, ""};
    (void)state;
    stub_start(&s, answer_early);
    allow(&s, keys);
    object_list_free(listed(WEIR_OK, &fault));
    assert_true(stub_has(s.request[1], "x-amz-date: 20990101T1020"));
    s3_end();
    stub_stop(&s);
}

/* ---- where it may go ---- */

static void no_address_of_metadata_or_of_another_network_in_clear_text_is_reached(void **state)
{
    static const char *const refused[] = {
        "http://169.254.169.254/", "https://169.254.169.254/", "http://169.254.170.2/", "https://169.254.170.23/", "https://[fd00:ec2::254]/", "https://[fd00:ec2::23]/",
        "https://[::ffff:169.254.169.254]/", "https://[::ffff:a9fe:a9fe]/", "https://0xa9fea9fe/", "https://2852039166/", "https://0251.0376.0251.0376/", "https://[fe80::1]/",
        "http://10.0.0.1/", "http://192.0.2.1/", "http://203.0.113.9:80/", "http://[2001:db8::1]/", "http://[::ffff:10.0.0.1]/", "https://0.0.0.0/", "https://[::]/",
        "https://224.0.0.1/", "https://255.255.255.255/", "https://[ff02::1]/", "http://1.1/", "http://0.0.0.0/", "http://172.16.0.1/", "http://192.168.1.1/", "https://0/",
    };
    struct fault fault = {WEIR_OK, ""};
    struct web *w = web_new(&fault);
    struct web_answer a;
    (void)state;
    assert_non_null(w);
    web_answer_init(&a);
    for (size_t i = 0; i < WEIR_COUNT(refused); i++) {
        const struct web_request r = {.method = "GET", .url = refused[i], .patience_s = 5};
        enum weir_err err = web_ask(w, &r, &a, &fault);
        if (err != WEIR_USAGE)
            fail_msg("%s: %s %s", refused[i], weir_err_name(err), fault.text);
    }
    const struct web_request other = {.method = "GET", .url = "http://10.0.0.1/", .patience_s = 5, .reach = WEB_METADATA};
    assert_int_equal(web_ask(w, &other, &a, &fault), WEIR_USAGE);
    web_answer_fini(&a);
    web_free(w);
}

static void an_endpoint_is_a_scheme_and_a_host(void **state)
{
    static const char *const refused[] = {"ftp://h", "https://", "https://u:p@h", "https://h/path", "https://h?q", "https://h#f", "s3.example.org", "https://h h", "file:///etc/passwd",
                                          "https://h\r\nx: y", "gopher://h", "HTTPS://h", "https://h%2f"};
    static const char *const fine[] = {"https://s3.example.org", "https://s3.example.org:9000", "http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost"};
    struct fault fault = {WEIR_OK, ""};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(refused); i++)
        if (s3_allow(&(struct s3_access){"", refused[i], "", keys}, &fault) != WEIR_USAGE)
            fail_msg("%s", refused[i]);
    for (size_t i = 0; i < WEIR_COUNT(fine); i++)
        assert_int_equal(s3_allow(&(struct s3_access){"", fine[i], "", keys}, &fault), WEIR_OK);
    s3_end();
}

/* ---- what a page may hold ---- */

static enum weir_err count_entry(void *ctx, const struct s3_entry *e)
{
    (void)e;
    ++*(unsigned *)ctx;
    return WEIR_OK;
}

static void a_hostile_page_is_refused_as_a_whole(void **state)
{
    static const char *const pages[] = {
        "", "x", "<a/>", "<ListBucketResult>", "<Error><Code>x</Code></Error>",
        "<!DOCTYPE l [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><ListBucketResult>&b;</ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%4</Key><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key><Size>1</Size></Contents></ListBucketResult>",
    };
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(pages); i++) {
        struct fault fault = {WEIR_OK, ""};
        struct s3_page page;
        unsigned n = 0;
        enum weir_err err = s3_page_read(slice_of(pages[i]), count_entry, &n, &page, &fault);
        if (err != WEIR_CORRUPT || n)
            fail_msg("%s: %s", pages[i], weir_err_name(err));
    }
}

static enum weir_err keep_key(void *ctx, const struct s3_entry *e)
{
    struct buffer *b = ctx;
    buffer_slice(b, e->key);
    buffer_printf(b, "|%.*s|%llu\n", (int)e->etag.n, e->etag.p, (unsigned long long)e->size);
    return WEIR_OK;
}

static void keys_are_decoded_wherever_their_encoding_is_told(void **state)
{
    static const char xml[] = "<ListBucketResult><Contents><Key>a%3Db/%2525/c+d%2Be//%C3%BC</Key><Size>5</Size><ETag>&#34;x&#34;</ETag></Contents>"
                              "<CommonPrefixes><Prefix>f%20g/</Prefix></CommonPrefixes><EncodingType>url</EncodingType></ListBucketResult>";
    struct fault fault = {WEIR_OK, ""};
    struct s3_page page;
    struct buffer b;
    (void)state;
    buffer_init(&b, 4096);
    assert_int_equal(s3_page_read(slice_of(xml), keep_key, &b, &page, &fault), WEIR_OK);
    assert_string_equal(buffer_cstr(&b), "a=b/%25/c d+e//\xc3\xbc|\"x\"|5\nf g/||5\n");
    buffer_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_page_by_page_and_gets_what_was_listed),
        cmocka_unit_test(a_third_of_answers_lost_loses_nothing),
        cmocka_unit_test(a_failing_endpoint_is_not_asked_in_a_hot_loop),
        cmocka_unit_test(after_enough_tries_it_is_unavailable),
        cmocka_unit_test(a_refusal_says_what_to_do_and_is_not_tried_again),
        cmocka_unit_test(what_is_not_there_as_listed_is_rejected_by_name),
        cmocka_unit_test(expired_credentials_are_asked_for_anew),
        cmocka_unit_test(an_instance_gives_its_role_by_version_2_and_the_token_is_signed),
        cmocka_unit_test(a_clock_that_is_off_is_put_right_by_that_of_the_server),
        cmocka_unit_test(no_address_of_metadata_or_of_another_network_in_clear_text_is_reached),
        cmocka_unit_test(an_endpoint_is_a_scheme_and_a_host),
        cmocka_unit_test(a_hostile_page_is_refused_as_a_whole),
        cmocka_unit_test(keys_are_decoded_wherever_their_encoding_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
