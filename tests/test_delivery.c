/* Delivery in virtual time: outages of hours, sinks that hang, cursors that survive, findings that are hidden.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "app/delivery_private.h"
#include "receiver.h"

#define HOUR_MS 3600000
#define OK_ANSWER "HTTP/1.1 200 OK\r\n\r\n"

struct world {
    char folder[32], file[64], secret[64];
    struct app app;
    struct store *store;
    struct receiver receiver;
    struct delivery *delivery;
    int64_t now_ms;
    char *said; size_t said_n;
};

static int world_begin(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    signal(SIGPIPE, SIG_IGN);
    snprintf(w->folder, sizeof w->folder, "/tmp/weir-deliver-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->file, sizeof w->file, "%s/findings.ndjson", w->folder);
    snprintf(w->secret, sizeof w->secret, "%s/secret", w->folder);
    FILE *f = fopen(w->secret, "w");
    fputs("0123456789abcdef0123456789abcdef\n", f);
    fclose(f);
    assert_int_equal(chmod(w->secret, 0600), 0);
    assert_int_equal(store_open("sqlite::memory:", STORE_READ_WRITE, &w->store, NULL), WEIR_OK);
    w->app.err = open_memstream(&w->said, &w->said_n);
    w->receiver = (struct receiver){.habit = RECEIVER_ANSWERS, .answer = OK_ANSWER};
    receiver_start(&w->receiver);
    *state = w;
    return 0;
}

static int world_end(void **state)
{
    struct world *w = *state;
    char command[64];
    delivery_close(w->delivery, w->store);
    receiver_stop(&w->receiver);
    store_close(w->store);
    config_free(w->app.config);
    fclose(w->app.err);
    free(w->said);
    snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
    free(w);
    return system(command);
}

static void configure(struct world *w, const char *format, ...) WEIR_PRINTF(2, 3);
static void configure(struct world *w, const char *format, ...)
{
    struct buffer yaml;
    struct fault fault = {WEIR_OK, ""};
    va_list args;
    char text[4096];
    delivery_close(w->delivery, w->store);
    config_free(w->app.config);
    w->app.config = config_new(NULL);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buffer_init(&yaml, 8192);
    buffer_puts(&yaml, text);
    if (config_read_text(w->app.config, (struct slice){yaml.p, yaml.n}, "test", &fault)) fail_msg("%s", fault.text);
    assert_int_equal(config_finish(w->app.config, &fault), WEIR_OK);
    if (delivery_open(&w->app, w->store, false, &w->delivery, &fault)) fail_msg("%s", fault.text);
    buffer_fini(&yaml);
}

#define HOOK "{name: hook, type: webhook, url: \"http://127.0.0.1:%u/\", secret_file: %s}"

/* A state of finding `uid`, as the store holds it. */
static void file_state(struct world *w, const char *uid, unsigned activity, const char *peer, uint64_t bytes)
{
    struct buffer b;
    char id[33];
    memset(id, '0', 32);
    memcpy(id, uid, strlen(uid));
    id[32] = 0;
    buffer_init(&b, 1 << 20);
    buffer_printf(&b, "{\"class_uid\":2004,\"activity_id\":%u,\"type_uid\":20040%u,\"time\":1773153456000,\"severity_id\":4,\"status_id\":1,\"finding_info\":{\"uid\":\"wf1-%s\"},"
                      "\"resources\":[{\"ip\":\"10.0.1.10\"}],\"evidences\":[{\"dst_endpoint\":{\"ip\":\"%s\"}}],\"unmapped\":{\"weir\":{\"bytes\":%llu,\"days\":[{\"day\":\"2026-03-10\","
                      "\"bytes\":%llu,\"parts\":[{\"test\":\"new-destination\",\"raised\":true}]}]}},\"metadata\":{\"version\":\"1.8.0\"}}",
                  activity, activity, id, peer, (unsigned long long)bytes, (unsigned long long)bytes);
    assert_int_equal(store_begin(w->store, NULL), WEIR_OK);
    assert_int_equal(store_put_finding(w->store, id, (struct slice){b.p, b.n}, NULL), WEIR_OK);
    assert_int_equal(store_commit(w->store, NULL), WEIR_OK);
    buffer_fini(&b);
}

static void turn(struct world *w)
{
    struct fault fault = {WEIR_OK, ""};
    if (delivery_turn(w->delivery, w->store, w->now_ms, &fault)) fail_msg("%s", fault.text);
}

/* Turn, at this moment, until no sink is at work; those that hang are not waited for. */
static void settle(struct world *w, int wait_ms)
{
    for (;;) {
        struct pollfd told = {delivery_fd(w->delivery), POLLIN, 0};
        turn(w);
        if (delivery_done(w->delivery) || delivery_due_ms(w->delivery) > w->now_ms)
            if (delivery_done(w->delivery) || poll(&told, 1, wait_ms) <= 0) return; /* a sink that hangs is not waited for */
    }
}

/* Let time pass, from one attempt to the next. */
static void pass(struct world *w, int64_t ms)
{
    for (int64_t until = w->now_ms + ms;;) {
        struct pollfd told = {delivery_fd(w->delivery), POLLIN, 0};
        turn(w);
        int64_t due = delivery_due_ms(w->delivery);
        if (due == INT64_MAX && !delivery_done(w->delivery)) {
            assert_int_equal(poll(&told, 1, 10000), 1); /* at work */
            continue;
        }
        if (due > until) {
            w->now_ms = until;
            return;
        }
        w->now_ms = due > w->now_ms ? due : w->now_ms;
    }
}

/* What the receiver got: "1:ab 2:ab", the activity and the beginning of the uid, request by request. */
static const char *got(struct world *w, const char *key, size_t n)
{
    static char text[65536];
    size_t at = 0;
    pthread_mutex_lock(&w->receiver.lock);
    text[0] = 0;
    for (const char *p = buffer_cstr(&w->receiver.got); (p = strstr(p, key)); p++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", at ? " " : "", (int)n, p + strlen(key));
    pthread_mutex_unlock(&w->receiver.lock);
    return text;
}

static const char *states(struct world *w)
{
    static char text[65536];
    char activities[65536];
    size_t at = 0;
    snprintf(activities, sizeof activities, "%s", got(w, "\"activity_id\":", 1));
    const char *uids = got(w, "{\"uid\":\"wf1-", 2);
    for (size_t i = 0; activities[2 * i] && at < sizeof text - 8; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%c:%.2s", i ? " " : "", activities[2 * i], uids + 3 * i);
        if (!activities[2 * i + 1]) break;
    }
    return at ? text : "";
}

/* ---- claims ---- */
static void six_hours_without_a_receiver_then_everything_in_order(void **state)
{
    struct world *w = *state;
    char uid[8], expected[8192] = "";
    size_t at = 0;
    w->receiver.answer = "HTTP/1.1 503 Busy\r\n\r\n";
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    for (unsigned i = 0; i < 36; i++) { /* every ten minutes a new finding, or a state of one */
        snprintf(uid, sizeof uid, "%02x", i % 12);
        file_state(w, uid, i < 24 ? 1 : 3, "203.0.113.77", i);
        at += (size_t)snprintf(expected + at, sizeof expected - at, "%s%d:%s", i ? " " : "", i < 12 ? 1 : i < 24 ? 2 : 3, uid);
        pass(w, HOUR_MS / 6);
    }
    assert_false(delivery_done(w->delivery));
    assert_in_range(w->receiver.connections, 6 * 12, 6 * 24 + 20); /* at most every five minutes, with jitter at least every ten */
    pthread_mutex_lock(&w->receiver.lock);
    buffer_clear(&w->receiver.got);
    w->receiver.answer = OK_ANSWER;
    pthread_mutex_unlock(&w->receiver.lock);
    pass(w, HOUR_MS / 6);
    assert_true(delivery_done(w->delivery));
    assert_string_equal(states(w), expected);
}

static void a_sink_that_hangs_holds_no_other(void **state)
{
    struct world *w = *state;
    struct receiver hung = {.habit = RECEIVER_HANGS};
    struct delivery_state s;
    receiver_start(&hung);
    configure(w, "sinks:\n - " HOOK "\n - {name: a-hung, type: webhook, url: \"http://127.0.0.1:%u/\", secret_file: %s}\n - {name: hung-too, type: syslog, url: \"tcp://127.0.0.1:%u\"}\n",
              w->receiver.port, w->secret, hung.port, w->secret, hung.port);
    for (unsigned i = 0; i < 20; i++) {
        file_state(w, i % 2 ? "ab" : "cd", 1, "203.0.113.77", i);
        settle(w, 100);
    }
    for (unsigned tries = 0; tries < 300 && (delivery_state_of(w->delivery, 1, w->now_ms, &s), s.pending); tries++) settle(w, 100);
    assert_string_equal(s.name, "hook");
    assert_int_equal(s.delivered, 20);
    assert_int_equal(s.pending, 0);
    delivery_state_of(w->delivery, 0, w->now_ms, &s);
    assert_int_equal(s.pending, 20);
    delivery_close(w->delivery, w->store); /* and does not keep the program from ending */
    w->delivery = NULL;
    receiver_stop(&hung);
}

static void nothing_is_sent_twice_when_nothing_fails(void **state)
{
    struct world *w = *state;
    for (unsigned run = 0; run < 3; run++) {
        configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
        file_state(w, "ab", 1, "203.0.113.77", run);
        settle(w, 20000);
    }
    assert_string_equal(states(w), "1:ab 2:ab 2:ab");
    assert_string_equal(got(w, "webhook-id: wf1-ab000000000000000000000000000000-", 1), "1 2 3");
    assert_string_equal(got(w, "\"sequence\":", 1), "1 2 3");
}

static void a_new_sink_gets_everything(void **state)
{
    struct world *w = *state;
    configure(w, "sinks: [{name: archive, type: file, path: %s}]\n", w->file);
    for (unsigned i = 0; i < 200; i++) file_state(w, i % 2 ? "ab" : "cd", 1, "203.0.113.77", i);
    settle(w, 20000);
    configure(w, "sinks:\n - {name: archive, type: file, path: %s}\n - " HOOK "\n", w->file, w->receiver.port, w->secret);
    settle(w, 20000);
    assert_int_equal(w->receiver.connections, 200);
    assert_memory_equal(states(w), "1:cd 1:ab 2:cd 2:ab", 19);
}

static void what_was_not_kept_is_sent_again_under_the_same_id(void **state)
{
    struct world *w = *state;
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    file_state(w, "ab", 1, "203.0.113.77", 1);
    settle(w, 20000);
    assert_int_equal(store_begin(w->store, NULL), WEIR_OK);
    assert_int_equal(store_put(w->store, 'd', "0", SLICE_LIT("damaged"), NULL), WEIR_OK);
    assert_int_equal(store_commit(w->store, NULL), WEIR_OK);
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    settle(w, 20000);
    assert_string_equal(got(w, "webhook-id: wf1-ab000000000000000000000000000000-", 1), "1 1");
    assert_string_equal(states(w), "1:ab 1:ab");
}

static void a_receiver_that_is_gone_is_not_asked_again(void **state)
{
    struct world *w = *state;
    struct delivery_state s;
    w->receiver.answer = "HTTP/1.1 410 Gone\r\n\r\n";
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    file_state(w, "ab", 1, "203.0.113.77", 1);
    settle(w, 20000);
    pass(w, HOUR_MS);
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    file_state(w, "ab", 1, "203.0.113.77", 2);
    pass(w, HOUR_MS);
    delivery_state_of(w->delivery, 0, w->now_ms, &s);
    assert_true(s.disabled);
    assert_int_equal(w->receiver.connections, 1);
    w->receiver.answer = OK_ANSWER;
    assert_false(delivery_enable(w->delivery, "other"));
    assert_true(delivery_enable(w->delivery, "hook"));
    settle(w, 20000);
    assert_int_equal(w->receiver.connections, 3);
    assert_true(delivery_done(w->delivery));
}

static void a_receiver_that_is_gone_is_asked_at_another_place(void **state)
{
    struct world *w = *state;
    w->receiver.answer = "HTTP/1.1 410 Gone\r\n\r\n";
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    file_state(w, "ab", 1, "203.0.113.77", 1);
    settle(w, 20000);
    w->receiver.answer = OK_ANSWER;
    configure(w, "sinks: [{name: hook, type: webhook, url: \"http://127.0.0.1:%u/new\", secret_file: %s}]\n", w->receiver.port, w->secret);
    settle(w, 20000);
    assert_int_equal(w->receiver.connections, 2);
}

static void the_receiver_says_how_long_to_wait(void **state)
{
    struct world *w = *state;
    w->receiver.answer = "HTTP/1.1 429 Slow\r\nRetry-After: 1800\r\n\r\n";
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    file_state(w, "ab", 1, "203.0.113.77", 1);
    pass(w, HOUR_MS / 2 - 1000);
    assert_int_equal(w->receiver.connections, 1);
    pass(w, 2000);
    assert_int_equal(w->receiver.connections, 2);
}

/* ---- suppressions ---- */
#define APPROVED "suppressions: [{name: backup, owner: anna, reason: known, expires: \"2026-12-31\", up_to: 60GB, peers: [203.0.113.0/24]}]\n"

static void what_is_hidden_goes_only_to_who_asks_for_it(void **state)
{
    struct world *w = *state;
    char *text = NULL;
    size_t room = 0, lines = 0, hidden = 0;
    configure(w, APPROVED "sinks:\n - " HOOK "\n - {name: archive, type: file, path: %s, suppressed: true}\n", w->receiver.port, w->secret, w->file);
    file_state(w, "ab", 1, "203.0.113.77", 40000000000);
    file_state(w, "cd", 1, "198.51.100.1", 40000000000);
    settle(w, 20000);
    assert_string_equal(states(w), "1:cd");
    assert_true(delivery_done(w->delivery));
    FILE *f = fopen(w->file, "r");
    for (; getline(&text, &room, f) > 0; lines++) hidden += strstr(text, "\"status_id\":3,\"comment\":\"suppressed by 'backup' until 2026-12-31 (anna): known\"") != NULL;
    assert_int_equal(lines, 2);
    assert_int_equal(hidden, 1);
    fclose(f);
    free(text);
}

static void what_outgrows_its_approval_is_news(void **state)
{
    struct world *w = *state;
    configure(w, APPROVED "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    file_state(w, "ab", 1, "203.0.113.77", 60000000000);
    file_state(w, "ab", 1, "203.0.113.77", 60000000001);
    file_state(w, "ab", 3, "203.0.113.77", 60000000002);
    settle(w, 20000);
    assert_string_equal(states(w), "1:ab 3:ab");
    assert_string_equal(got(w, "has outgrown suppression 'backup' (anna): ", 7), "60.0 GB 60.0 GB");
}

static void what_the_world_knows_it_is_told_to_be_suppressed(void **state)
{
    struct world *w = *state;
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    file_state(w, "ab", 1, "203.0.113.77", 1);
    settle(w, 20000);
    configure(w, APPROVED "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    file_state(w, "ab", 1, "203.0.113.77", 2);
    file_state(w, "cd", 1, "203.0.113.77", 2);
    settle(w, 20000);
    assert_string_equal(states(w), "1:ab 2:ab");
    assert_string_equal(got(w, "\"status_id\":", 1), "1 3");
}

static void secrets_that_others_may_read_are_refused(void **state)
{
    struct world *w = *state;
    static const struct { mode_t mode; enum weir_err err; } cases[] = {{0600, WEIR_OK}, {0400, WEIR_OK}, {0440, WEIR_OK}, {0644, WEIR_USAGE}, {0620, WEIR_USAGE}, {0602, WEIR_USAGE}};
    configure(w, "sinks: [" HOOK "]\n", w->receiver.port, w->secret);
    for (size_t i = 0; i < WEIR_COUNT(cases); i++) {
        struct delivery *d = NULL;
        assert_int_equal(chmod(w->secret, cases[i].mode), 0);
        assert_int_equal(delivery_open(&w->app, w->store, false, &d, NULL), cases[i].err);
        delivery_close(d, NULL);
    }
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        CLAIM(six_hours_without_a_receiver_then_everything_in_order),
        CLAIM(a_sink_that_hangs_holds_no_other),
        CLAIM(nothing_is_sent_twice_when_nothing_fails),
        CLAIM(a_new_sink_gets_everything),
        CLAIM(what_was_not_kept_is_sent_again_under_the_same_id),
        CLAIM(a_receiver_that_is_gone_is_not_asked_again),
        CLAIM(a_receiver_that_is_gone_is_asked_at_another_place),
        CLAIM(the_receiver_says_how_long_to_wait),
        CLAIM(what_is_hidden_goes_only_to_who_asks_for_it),
        CLAIM(what_outgrows_its_approval_is_news),
        CLAIM(what_the_world_knows_it_is_told_to_be_suppressed),
        CLAIM(secrets_that_others_may_read_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
