/* The responder as claims: what it takes for a request, what it answers, and that nobody keeps it from answering.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/http.h"
#include "app/metrics.h"
#include "app/notify.h"

/* ---- requests ---- */

static unsigned parse(const char *text, struct http_request *out)
{
    size_t n = strlen(text);
    char *exact = malloc(n + 1); /* so that a read beyond the end is seen */
    assert_non_null(exact);
    memcpy(exact, text, n);
    unsigned status = http_parse((struct slice){exact, n}, out);
    out->path = status == 200 ? (struct slice){text + (out->path.p - exact), out->path.n} : (struct slice){"", 0};
    free(exact);
    return status;
}

static void a_request_is_told_by_its_first_line(void **state)
{
    (void)state;
    static const struct { const char *text; unsigned status; const char *path; } rows[] = {
        {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200, "/metrics"},
        {"GET /metrics?x=1 HTTP/1.0\n\n", 200, "/metrics"},
        {"HEAD / HTTP/1.1\r\n\r\n", 200, "/"},
        {"POST / HTTP/1.1\r\n\r\n", 405, ""},
        {"get / HTTP/1.1\r\n\r\n", 405, ""},
        {"GET / HTTP/2.0\r\n\r\n", 505, ""},
        {"GET / FTP/1.1\r\n\r\n", 400, ""},
        {"GET http://x/ HTTP/1.1\r\n\r\n", 400, ""},
        {"GET  / HTTP/1.1\r\n\r\n", 400, ""},
        {"GET /\x01 HTTP/1.1\r\n\r\n", 400, ""},
        {"GET / HTTP/1.1 x\r\n\r\n", 505, ""},
        {"\r\n\r\n", 400, ""},
        {"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 413, ""},
        {"GET / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", 200, "/"},
        {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413, ""},
        {"GET / HTTP/1.1\r\nHost: x\r\n", 0, ""},
        {"", 0, ""},
    };
    for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
        struct http_request r;
        if (parse(rows[i].text, &r) != rows[i].status)
            fail_msg("row %zu: not %u", i, rows[i].status);
        assert_true(slice_eq(r.path, slice_of(rows[i].path)));
    }
}

static void no_prefix_of_a_request_is_one(void **state)
{
    (void)state;
    static const char text[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        struct http_request r;
        assert_int_equal(http_parse((struct slice){text, n}, &r), 0);
    }
}

static void a_request_without_an_end_is_refused_at_the_limit(void **state)
{
    (void)state;
    static char text[HTTP_REQUEST_MAX];
    struct http_request r;
    memset(text, 'a', sizeof text);
    assert_int_equal(http_parse((struct slice){text, sizeof text - 1}, &r), 0);
    assert_int_equal(http_parse((struct slice){text, sizeof text}, &r), 431);
}

static void only_this_machine_is_loopback(void **state)
{
    (void)state;
    assert_true(http_is_loopback("127.0.0.1:1"));
    assert_true(http_is_loopback("127.1.2.3:1"));
    assert_true(http_is_loopback("[::1]:1"));
    assert_false(http_is_loopback("0.0.0.0:1"));
    assert_false(http_is_loopback("[::]:1"));
    assert_false(http_is_loopback("10.0.0.1:1"));
}

/* ---- answers ---- */

static void answer(void *ctx, struct slice path, struct http_reply *reply)
{
    (void)ctx;
    if (!slice_eq(path, SLICE_LIT("/page")))
        return;
    reply->status = 200;
    buffer_puts(&reply->body, "body\n");
}

static void tick(void *ctx) { (void)ctx; }

static int setup(void **state)
{
    struct fault fault;
    struct http *h = NULL;
    if (http_open("127.0.0.1:0", answer, tick, NULL, &h, &fault))
        fail_msg("%s", fault.text);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    http_close(*state);
    return 0;
}

static int call(const struct http *h)
{
    uint64_t port = 0;
    assert_int_equal(parse_u64(slice_of(strrchr(http_address(h), ':') + 1), 65535, &port), WEIR_OK);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void expect_answer(const struct http *h, const char *request, const char *begin, const char *end)
{
    char text[2048];
    size_t n = 0;
    int fd = call(h);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    for (ssize_t got; n < sizeof text - 1 && (got = read(fd, text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    close(fd);
    text[n] = 0;
    assert_memory_equal(text, begin, strlen(begin));
    assert_true(n >= strlen(end));
    assert_string_equal(text + n - strlen(end), end);
}

static void get_answers_with_the_body_and_head_without(void **state)
{
    expect_answer(*state, "GET /page HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nbody\n");
    expect_answer(*state, "HEAD /page HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "nosniff\r\n\r\n");
}

static void all_else_is_not_found_and_not_repeated(void **state)
{
    expect_answer(*state, "GET /<script> HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n", "\r\n\r\nNot Found\n");
}

static void another_method_is_told_which_there_are(void **state)
{
    expect_answer(*state, "DELETE /page HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n", "Method Not Allowed\n");
}

static void a_hundred_who_dawdle_keep_nobody_out(void **state)
{
    int slow[100];
    for (size_t i = 0; i < WEIR_COUNT(slow); i++) {
        slow[i] = call(*state);
        assert_int_equal(write(slow[i], "GET /", 5), 5);
    }
    expect_answer(*state, "GET /page HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "body\n");
    for (size_t i = 0; i < WEIR_COUNT(slow); i++)
        close(slow[i]);
}

static void an_address_that_is_none_is_a_usage_error(void **state)
{
    (void)state;
    static const char *const rows[] = {"localhost", "9847", "127.0.0.1", "127.0.0.1:http", "::1:80", "[::1]", "example.org:80", ":80"};
    struct http *h;
    struct fault fault;
    for (size_t i = 0; i < WEIR_COUNT(rows); i++)
        assert_int_equal(http_open(rows[i], answer, tick, NULL, &h, &fault), WEIR_USAGE);
}

/* ---- metrics ---- */

/* Each line is a comment or "name{labels} number"; a family has its help and its type before its first number, and stands together. */
static void the_exposition_is_one_that_prometheus_takes(void **state)
{
    (void)state;
    struct metrics m = {.sinks = 1, .sink = {{.name = "archive"}}};
    struct buffer text;
    char family[128] = "", seen[8192] = "";
    buffer_init(&text, 1 << 20);
    metrics_add_checkpoint(&m, 0.5);
    metrics_text(&m, &text);
    char *save = NULL, *all = strdup(buffer_cstr(&text));
    assert_non_null(all);
    for (char *line = all; line && *line; line = save) {
        save = strchr(line, '\n');
        assert_non_null(save);
        *save++ = 0;
        if (strncmp(line, "# HELP ", 7) == 0) {
            snprintf(family, sizeof family, " %.*s ", (int)strcspn(line + 7, " "), line + 7);
            assert_null(strstr(seen, family)); /* once */
            snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s", family);
            continue;
        }
        char name[128];
        const char *from = strncmp(line, "# TYPE ", 7) == 0 ? line + 7 : line;
        snprintf(name, sizeof name, " %.*s", (int)strcspn(from, "{ "), from);
        size_t n = strlen(family) - 1; /* a histogram adds _bucket, _sum, _count */
        assert_memory_equal(name, family, n);
        assert_true(name[n] == 0 || strcmp(name + n, "_bucket") == 0 || strcmp(name + n, "_sum") == 0 || strcmp(name + n, "_count") == 0);
    }
    assert_non_null(strstr(buffer_cstr(&text), "weir_checkpoint_duration_seconds_bucket{le=\"1\"} 1\n"));
    assert_non_null(strstr(buffer_cstr(&text), "weir_checkpoint_duration_seconds_bucket{le=\"0.25\"} 0\n"));
    free(all);
    buffer_fini(&text);
}

/* ---- systemd ---- */

static void systemd_gets_one_datagram(void **state)
{
    (void)state;
    char path[64], variable[96], got[64] = "";
    snprintf(path, sizeof path, "/tmp/weir-notify-%d", (int)getpid());
    snprintf(variable, sizeof variable, "NOTIFY_SOCKET=%s", path);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    char *env[] = {variable, NULL};
    notify(env, "READY=1");
    assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), 7);
    assert_string_equal(got, "READY=1");
    close(fd);
    unlink(path);
    notify(env, "READY=1"); /* nobody listens: nothing happens */
}

static void the_watchdog_is_fed_twice_as_often_as_asked(void **state)
{
    (void)state;
    char *env[] = {(char *)(uintptr_t)"WATCHDOG_USEC=30000000", NULL}, *other[] = {(char *)(uintptr_t)"WATCHDOG_USEC=30000000", (char *)(uintptr_t)"WATCHDOG_PID=1", NULL};
    assert_int_equal(notify_watchdog_ns(env), INT64_C(15000000000));
    assert_int_equal(notify_watchdog_ns(other), 0);
    assert_int_equal(notify_watchdog_ns(env + 1), 0);
}

#define CLAIM(name) cmocka_unit_test(name)
#define ON(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_request_is_told_by_its_first_line),
        CLAIM(no_prefix_of_a_request_is_one),
        CLAIM(a_request_without_an_end_is_refused_at_the_limit),
        CLAIM(only_this_machine_is_loopback),
        ON(get_answers_with_the_body_and_head_without),
        ON(all_else_is_not_found_and_not_repeated),
        ON(another_method_is_told_which_there_are),
        ON(a_hundred_who_dawdle_keep_nobody_out),
        CLAIM(an_address_that_is_none_is_a_usage_error),
        CLAIM(the_exposition_is_one_that_prometheus_takes),
        CLAIM(systemd_gets_one_datagram),
        CLAIM(the_watchdog_is_fed_twice_as_often_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
