/* Channels: what is sent, where it may go, and what counts as received.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "receiver.h"
#include "sink/channel_private.h"
#include "sink/sink_private.h"

static const char finding[] = "{\"class_uid\":2004,\"activity_id\":1,\"type_uid\":200401,\"time\":1773153456000,\"severity_id\":5,\"status_id\":1,\"message\":\"10.0.1.10 sent 40.0 GB\","
                              "\"finding_info\":{\"uid\":\"wf1-d2\"},\"evidences\":[{\"dst_endpoint\":{\"ip\":\"203.0.113.77\"},\"data\":{\"bytes\":40,\"objects\":[{\"key\":\"a\"}]}}],"
                              "\"unmapped\":{\"weir\":{\"model\":\"egress-2\"}},\"metadata\":{\"version\":\"1.8.0\"}}";

static struct parcel parcel_of(uint64_t seq)
{
    return (struct parcel){.seq = seq, .uid = "wf1-d241", .activity = 1, .severity = 5, .time_s = 1773153456, .json = slice_of(finding)};
}

static int folder_begin(void **state)
{
    static char folder[32];
    signal(SIGPIPE, SIG_IGN);
    snprintf(folder, sizeof folder, "/tmp/weir-sink-XXXXXX");
    *state = folder;
    return mkdtemp(folder) == NULL;
}

static int folder_end(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    return system(command);
}

/* ---- what other programs compute as well ---- */
/* The example of the Standard Webhooks libraries. */
static void signature_is_that_of_standard_webhooks(void **state)
{
    char out[WEBHOOK_SIGNATURE_MAX];
    struct buffer secret;
    (void)state;
    buffer_init(&secret, 4096);
    assert_int_equal(webhook_secret(SLICE_LIT("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), &secret, NULL), WEIR_OK);
    webhook_sign((struct slice){secret.p, secret.n}, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, SLICE_LIT("{\"test\": 2432232314}"), out);
    assert_string_equal(out, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    buffer_fini(&secret);
}

static void secrets_that_are_too_short_or_no_base64_are_refused(void **state)
{
    static const char *const bad[] = {"", "short", "whsec_", "whsec_AAAA", "whsec_????????????????????????????????", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        buffer_clear(&out);
        assert_int_equal(webhook_secret(slice_of(bad[i]), &out, NULL), WEIR_USAGE);
    }
    buffer_clear(&out);
    assert_int_equal(webhook_secret(SLICE_LIT("0123456789abcdef\r\n"), &out, NULL), WEIR_OK);
    assert_int_equal(out.n, 16);
    buffer_fini(&out);
}

static void message_is_framed_by_its_octets(void **state)
{
    static const char begin[] = "<106>1 2026-03-10T14:37:36Z host weir - finding-create [meta sequenceId=\"41\"][origin software=\"weir\" swVersion=\"" FINDING_PRODUCT_VERSION "\"] {";
    struct buffer out;
    struct parcel p = parcel_of(41);
    const char *rest;
    uint64_t octets = 0;
    (void)state;
    buffer_init(&out, 1 << 20);
    syslog_frame(&p, "host", 8192, &out);
    rest = strchr(buffer_cstr(&out), ' ');
    assert_int_equal(parse_u64((struct slice){out.p, (size_t)(rest - out.p)}, UINT32_MAX, &octets), WEIR_OK);
    assert_int_equal(octets, strlen(rest + 1));
    assert_memory_equal(rest + 1, begin, sizeof begin - 1);
    assert_string_equal(rest + 1 + sizeof begin - 2, finding);
    buffer_fini(&out);
}

static void severities_become_those_of_syslog(void **state)
{
    static const char *const pri[] = {" <110>", " <109>", " <108>", " <107>", " <106>"};
    struct buffer out;
    (void)state;
    buffer_init(&out, 1 << 20);
    for (unsigned severity = 1; severity <= 5; severity++) {
        struct parcel p = parcel_of(1);
        p.severity = severity;
        buffer_clear(&out);
        syslog_frame(&p, "host", 8192, &out);
        assert_non_null(strstr(buffer_cstr(&out), pri[severity - 1]));
    }
    buffer_fini(&out);
}

/* Whatever the finding, a message fits and its text is JSON that names where the whole stands. */
static void message_that_is_too_long_becomes_a_summary(void **state)
{
    struct buffer json, out;
    (void)state;
    buffer_init(&json, 1 << 20);
    buffer_init(&out, 1 << 20);
    for (size_t blow = 0; blow < 2; blow++) {
        buffer_clear(&json);
        buffer_clear(&out);
        buffer_printf(&json, "{\"class_uid\":2004,\"finding_info\":{\"uid\":\"wf1-d241\"},\"message\":\"%0*d\",\"unmapped\":{\"weir\":{\"x\":\"%05000d\"}}}", blow ? 5000 : 5, 0, 0);
        struct parcel p = parcel_of(1);
        p.json = (struct slice){json.p, json.n};
        syslog_frame(&p, "host", 2048, &out);
        const char *text = strchr(buffer_cstr(&out), '{');
        json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        assert_in_range(out.n, 1, 2048 + 5);
        assert_string_equal(view_text(doc, "unmapped.weir.whole").p, "weir explain wf1-d241");
        assert_string_equal(view_text(doc, "finding_info.uid").p, "wf1-d241");
        assert_int_equal(view_text(doc, "message").n, blow ? 0 : 5);
        json_decref(doc);
    }
    buffer_fini(&json);
    buffer_fini(&out);
}

/* ---- where it may go ---- */
static void urls_are_taken_apart_or_refused(void **state)
{
    static const struct { enum channel_kind kind; const char *url, *host, *port; } cases[] = {
        {CHANNEL_SYSLOG, "tls://logs.example.org", "logs.example.org", "6514"},
        {CHANNEL_SYSLOG, "tls://[2001:db8::1]:99", "2001:db8::1", "99"},
        {CHANNEL_SYSLOG, "tcp://127.0.0.1:601", "127.0.0.1", "601"},
        {CHANNEL_WEBHOOK, "https://hooks.example.org/a?b=c", "hooks.example.org", "443"},
        {CHANNEL_WEBHOOK, "http://localhost:8080", "localhost", "8080"},
        {CHANNEL_SYSLOG, "https://a", NULL, NULL}, {CHANNEL_SYSLOG, "udp://a", NULL, NULL}, {CHANNEL_SYSLOG, "tls://", NULL, NULL},
        {CHANNEL_SYSLOG, "tls://a/b", NULL, NULL}, {CHANNEL_SYSLOG, "tls://a:0", NULL, NULL}, {CHANNEL_SYSLOG, "tls://a:65536", NULL, NULL},
        {CHANNEL_SYSLOG, "tls://a:", NULL, NULL}, {CHANNEL_SYSLOG, "tls://[::1", NULL, NULL}, {CHANNEL_SYSLOG, "tls://[1.2.3.4]", NULL, NULL},
        {CHANNEL_SYSLOG, "tls://-a", NULL, NULL}, {CHANNEL_WEBHOOK, "ftp://a", NULL, NULL}, {CHANNEL_WEBHOOK, "file:///etc/passwd", NULL, NULL},
        {CHANNEL_WEBHOOK, "https://user:word@a/", NULL, NULL}, {CHANNEL_WEBHOOK, "https://a?b", NULL, NULL}, {CHANNEL_WEBHOOK, "https://a/b#c", NULL, NULL},
        {CHANNEL_WEBHOOK, "https://a/b c", NULL, NULL}, {CHANNEL_WEBHOOK, "https://a/\r\nX: y", NULL, NULL}, {CHANNEL_WEBHOOK, "https://a/\xc3\xa4", NULL, NULL},
        {CHANNEL_WEBHOOK, "https:///a", NULL, NULL}, {CHANNEL_WEBHOOK, "https://a%2eb/", NULL, NULL}, {CHANNEL_WEBHOOK, "HTTPS://a/", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(cases); i++) {
        struct channel_url url;
        enum weir_err err = channel_url_parse(cases[i].kind, cases[i].url, &url, NULL);
        assert_int_equal(err, cases[i].host ? WEIR_OK : WEIR_USAGE);
        if (err) continue;
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.port, cases[i].port);
    }
}

static bool may(const char *text, bool encrypted)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = inet_pton(AF_INET, text, &v4.sin_addr) == 1;
    if (!is_v4) assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return channel_may_reach(is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6, encrypted, NULL);
}

static void addresses_that_no_receiver_has_are_refused(void **state)
{
    static const char *const never[] = {"169.254.169.254", "169.254.170.2", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "fe80::1", "ff02::1",
                                        "fd00:ec2::254", "::ffff:169.254.169.254"};
    static const char *const encrypted_only[] = {"10.0.0.1", "192.168.1.1", "203.0.113.5", "2001:db8::1", "fd12::1"};
    static const char *const always[] = {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(never); i++) assert_false(may(never[i], true));
    for (size_t i = 0; i < WEIR_COUNT(encrypted_only); i++) {
        assert_true(may(encrypted_only[i], true));
        assert_false(may(encrypted_only[i], false));
    }
    for (size_t i = 0; i < WEIR_COUNT(always); i++) assert_true(may(always[i], false));
}

/* ---- what counts as received ---- */

static struct channel_outcome send_to(struct receiver *r, enum channel_kind kind, const char *scheme, const char *host, const char *ca_file, size_t n)
{
    char url[128];
    struct channel *c;
    struct channel_outcome out;
    struct parcel p[3] = {parcel_of(1), parcel_of(2), parcel_of(3)};
    struct fault fault = {WEIR_OK, ""};
    snprintf(url, sizeof url, "%s://%s:%u", scheme, host, r->port);
    struct channel_place place = {.kind = kind, .url = url, .ca_file = ca_file, .secret = SLICE_LIT("0123456789abcdef"), .message_bytes = 8192, .stop_fd = -1, .deadline_s = r->habit == RECEIVER_HANGS ? 1 : 30};
    assert_int_equal(channel_new(&place, &c, &fault), WEIR_OK);
    channel_send(c, p, n, &out);
    channel_free(c);
    return out;
}

static unsigned frames_of(struct receiver *r)
{
    unsigned n = 0;
    for (const char *at = buffer_cstr(&r->got); (at = strstr(at, "<106>1 ")); at++) n++;
    return n;
}

static void syslog_counts_what_was_read_to_the_end(void **state)
{
    char ca[64];
    (void)state;
    struct receiver plain = {.habit = RECEIVER_READS};
    receiver_start(&plain);
    struct channel_outcome out = send_to(&plain, CHANNEL_SYSLOG, "tcp", "127.0.0.1", NULL, 3);
    assert_int_equal(out.done, 3);
    receiver_stop(&plain);
    snprintf(ca, sizeof ca, "%s/ca.pem", (char *)*state);
    struct receiver tls = {.habit = RECEIVER_READS, .tls = receiver_tls("DNS:localhost", 86400, ca, 0)};
    receiver_start(&tls);
    out = send_to(&tls, CHANNEL_SYSLOG, "tls", "localhost", ca, 3);
    assert_string_equal(out.fault.text, "");
    assert_int_equal(out.done, 3);
    assert_int_equal(frames_of(&tls), 3);
    receiver_stop(&tls);
}

static void syslog_that_is_thrown_away_was_not_received(void **state)
{
    static const enum receiver_habit habits[] = {RECEIVER_RESETS, RECEIVER_HANGS};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(habits); i++) {
        struct receiver r = {.habit = habits[i]};
        receiver_start(&r);
        struct channel_outcome out = send_to(&r, CHANNEL_SYSLOG, "tcp", "127.0.0.1", NULL, 2);
        assert_int_equal(out.done, 0);
        if (habits[i] == RECEIVER_HANGS) assert_int_equal(out.why, CHANNEL_TIMEOUT_FAILURE);
        else assert_true(out.why == CHANNEL_CLOSED_FAILURE || out.why == CHANNEL_CONNECT_FAILURE); /* the reset may come first */
        receiver_stop(&r);
    }
}

static void refuses_servers_that_cannot_prove_their_name(void **state)
{
    static const struct { const char *claim, *name, *host; long valid_s; int newest; bool trusted; } bad[] = {
        {"another name", "DNS:other.example.org", "localhost", 86400, 0, true},
        {"an address where a name is expected", "DNS:localhost", "127.0.0.1", 86400, 0, true},
        {"expired", "DNS:localhost", "localhost", -3600, 0, true},
        {"an authority that is not ours", "DNS:localhost", "localhost", 86400, 0, false},
        {"TLS 1.1", "DNS:localhost", "localhost", 86400, TLS1_1_VERSION, true},
    };
    char ca[64], other[64];
    snprintf(ca, sizeof ca, "%s/ca.pem", (char *)*state);
    snprintf(other, sizeof other, "%s/other.pem", (char *)*state);
    struct receiver_keys k = receiver_make_keys("DNS:localhost", 86400, other);
    X509_free(k.certificate);
    EVP_PKEY_free(k.key);
    for (size_t i = 0; i < 2 * WEIR_COUNT(bad); i++) {
        bool hook = i % 2;
        struct receiver r = {.habit = hook ? RECEIVER_ANSWERS : RECEIVER_READS, .answer = "HTTP/1.1 200 OK\r\n\r\n", .tls = receiver_tls(bad[i / 2].name, bad[i / 2].valid_s, ca, bad[i / 2].newest)};
        receiver_start(&r);
        struct channel_outcome out = send_to(&r, hook ? CHANNEL_WEBHOOK : CHANNEL_SYSLOG, hook ? "https" : "tls", bad[i / 2].host, bad[i / 2].trusted ? ca : other, 1);
        if (out.done || out.why != CHANNEL_TLS_FAILURE) fail_msg("%s: %zu received, %s", bad[i / 2].claim, out.done, out.fault.text);
        receiver_stop(&r);
        assert_int_equal(r.got.n, 0);
    }
}

static struct channel_outcome answered(const char *answer, size_t n)
{
    struct receiver r = {.habit = RECEIVER_ANSWERS, .answer = answer};
    receiver_start(&r);
    struct channel_outcome out = send_to(&r, CHANNEL_WEBHOOK, "http", "127.0.0.1", NULL, n);
    receiver_stop(&r);
    return out;
}

static void webhook_counts_answers_of_2xx_only(void **state)
{
    static const char *const good[] = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 204 No Content\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n"};
    static const struct { const char *answer; enum channel_failure why; } bad[] = {
        {"HTTP/1.1 500 Oops\r\n\r\n", CHANNEL_STATUS_FAILURE}, {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", CHANNEL_STATUS_FAILURE},
        {"HTTP/1.1 404 Not Found\r\n\r\n", CHANNEL_STATUS_FAILURE}, {"HTTP/1.1 410 Gone\r\n\r\n", CHANNEL_GONE_FAILURE}, {"", CHANNEL_CLOSED_FAILURE},
        {"220 mail.example.org ESMTP\r\n\r\n", CHANNEL_CLOSED_FAILURE}, {"HTTP/1.1 200 OK\r\n", CHANNEL_CLOSED_FAILURE}, {"HTTP/1.1 2xx OK\r\n\r\n", CHANNEL_CLOSED_FAILURE},
    };
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(good); i++) assert_int_equal(answered(good[i], 3).done, 3);
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        struct channel_outcome out = answered(bad[i].answer, 2);
        assert_int_equal(out.done, 0);
        assert_int_equal(out.why, bad[i].why);
    }
}

static void webhook_waits_as_long_as_it_is_asked_to(void **state)
{
    (void)state;
    assert_int_equal(answered("HTTP/1.1 503 Busy\r\nRETRY-AFTER:  120\r\n\r\n", 1).retry_after_s, 120);
    assert_int_equal(answered("HTTP/1.1 503 Busy\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n", 1).retry_after_s, 0);
}

static void webhook_that_only_answers_that_it_will_is_left(void **state)
{
    char text[16 * 32 + 1] = "";
    (void)state;
    for (unsigned i = 0; i < 16; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "HTTP/1.1 102 Processing\r\n\r\n");
    struct channel_outcome out = answered(text, 1);
    assert_int_equal(out.done, 0);
    assert_int_equal(out.why, CHANNEL_CLOSED_FAILURE);
}

static void webhook_that_never_answers_ends_at_the_deadline(void **state)
{
    struct receiver r = {.habit = RECEIVER_HANGS};
    (void)state;
    receiver_start(&r);
    struct channel_outcome out = send_to(&r, CHANNEL_WEBHOOK, "http", "127.0.0.1", NULL, 2);
    assert_int_equal(out.done, 0);
    assert_int_equal(out.why, CHANNEL_TIMEOUT_FAILURE);
    receiver_stop(&r);
}

/* ---- the chain ---- */
static enum weir_err verify(const char *path, struct fault *fault)
{
    struct chain chain = {.lines = 0};
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    enum weir_err err = chain_verify(f, &chain, fault);
    fclose(f);
    return err;
}

static void any_changed_byte_but_one_of_the_last_line_breaks_the_chain(void **state)
{
    char path[64], *text = NULL;
    struct channel *c;
    struct channel_outcome out;
    struct parcel p[3] = {parcel_of(1), parcel_of(2), parcel_of(3)};
    snprintf(path, sizeof path, "%s/findings.ndjson", (char *)*state);
    struct channel_place place = {.kind = CHANNEL_FILE, .path = path, .rotate_bytes = 1 << 20, .stop_fd = -1};
    assert_int_equal(channel_new(&place, &c, NULL), WEIR_OK);
    channel_send(c, p, 3, &out);
    channel_free(c);
    assert_int_equal(out.done, 3);
    assert_int_equal(verify(path, NULL), WEIR_OK);
    FILE *f = fopen(path, "r+");
    size_t room = 0;
    long last = 0, size;
    for (int i = 0; i < 2; i++) last += (long)getline(&text, &room, f);
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    for (long at = 0; at < size; at += at < last ? 1 : 40) {
        fseek(f, at, SEEK_SET);
        int byte = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(byte ^ 1, f);
        fflush(f);
        if (at < last && verify(path, NULL) != WEIR_CORRUPT) fail_msg("byte %ld changed, and nobody saw it", at);
        fseek(f, at, SEEK_SET);
        fputc(byte, f);
        fflush(f);
    }
    assert_int_equal(verify(path, NULL), WEIR_OK);
    assert_int_equal(ftruncate(fileno(f), size - 1), 0);
    assert_int_equal(verify(path, NULL), WEIR_CORRUPT);
    fclose(f);
    free(text);
}

/* Exact copies, so that a sanitizer sees a byte too far. */
static void what_cannot_be_chained_is_not_written(void **state)
{
    static const char *const texts[] = {"{}", "", "{\"unmapped\":{\"weir\":{", "\"unmapped\":{\"weir\":"};
    char path[64];
    struct channel *c;
    struct channel_outcome out;
    snprintf(path, sizeof path, "%s/findings.ndjson", (char *)*state);
    struct channel_place place = {.kind = CHANNEL_FILE, .path = path, .rotate_bytes = 1 << 20, .stop_fd = -1};
    assert_int_equal(channel_new(&place, &c, NULL), WEIR_OK);
    for (size_t i = 0; i < WEIR_COUNT(texts); i++) {
        struct parcel p = parcel_of(1);
        size_t n = strlen(texts[i]);
        char *exact = malloc(n + !n);
        memcpy(exact, texts[i], n);
        p.json = (struct slice){exact, n};
        channel_send(c, &p, 1, &out);
        assert_int_equal(out.done, 0);
        free(exact);
    }
    channel_free(c);
    assert_int_equal(verify(path, NULL), WEIR_OK);
}

static void file_that_is_not_ours_is_left_alone(void **state)
{
    char path[64];
    struct channel *c;
    struct channel_outcome out;
    struct parcel p = parcel_of(1);
    snprintf(path, sizeof path, "%s/other", (char *)*state);
    FILE *f = fopen(path, "w");
    fputs("a line of somebody\n", f);
    fclose(f);
    struct channel_place place = {.kind = CHANNEL_FILE, .path = path, .rotate_bytes = 1 << 20, .stop_fd = -1};
    assert_int_equal(channel_new(&place, &c, NULL), WEIR_OK);
    channel_send(c, &p, 1, &out);
    channel_free(c);
    assert_int_equal(out.done, 0);
    assert_int_equal(out.why, CHANNEL_IO_FAILURE);
    f = fopen(path, "r");
    char text[64] = "";
    assert_int_equal(fread(text, 1, sizeof text, f), 19);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_is_that_of_standard_webhooks),
        cmocka_unit_test(secrets_that_are_too_short_or_no_base64_are_refused),
        cmocka_unit_test(message_is_framed_by_its_octets),
        cmocka_unit_test(severities_become_those_of_syslog),
        cmocka_unit_test(message_that_is_too_long_becomes_a_summary),
        cmocka_unit_test(urls_are_taken_apart_or_refused),
        cmocka_unit_test(addresses_that_no_receiver_has_are_refused),
        cmocka_unit_test_setup_teardown(syslog_counts_what_was_read_to_the_end, folder_begin, folder_end),
        cmocka_unit_test(syslog_that_is_thrown_away_was_not_received),
        cmocka_unit_test_setup_teardown(refuses_servers_that_cannot_prove_their_name, folder_begin, folder_end),
        cmocka_unit_test(webhook_counts_answers_of_2xx_only),
        cmocka_unit_test(webhook_waits_as_long_as_it_is_asked_to),
        cmocka_unit_test(webhook_that_only_answers_that_it_will_is_left),
        cmocka_unit_test(webhook_that_never_answers_ends_at_the_deadline),
        cmocka_unit_test_setup_teardown(any_changed_byte_but_one_of_the_last_line_breaks_the_chain, folder_begin, folder_end),
        cmocka_unit_test_setup_teardown(what_cannot_be_chained_is_not_written, folder_begin, folder_end),
        cmocka_unit_test_setup_teardown(file_that_is_not_ours_is_left_alone, folder_begin, folder_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
