/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a queue: what they may look like, and when they are taken out: never before all that they name is counted (reliability F20, F21). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include <weir/source_s3.h>

#include "source/queue.h"
#include "tests/s3_stub.h"

static char *const keys[] = {"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=not-to-be-seen", NULL};

#define RECORD(key) "{\"eventName\":\"ObjectCreated:Put\",\"s3\":{\"bucket\":{\"name\":\"logs\"},\"object\":{\"key\":\"" key "\",\"size\":7,\"eTag\":\"abc\"}}}"

/* ---- forms ---- */

static enum weir_err keep_event(void *ctx, const struct s3_event *e)
{
    struct buffer *b = ctx;
    buffer_printf(b, "%.*s/%.*s %s %llu\n", (int)e->bucket.n, e->bucket.p, (int)e->key.n, e->key.p, e->etag ? e->etag : "-", (unsigned long long)e->size);
    return WEIR_OK;
}

static void the_three_forms_are_understood(void **state)
{
    static const struct { const char *body, *given; } table[] = {
        {"{\"Records\":[" RECORD("a%3Db/c+d%2Be") "," RECORD("x") "]}", "logs/a=b/c d+e \"abc\" 7\nlogs/x \"abc\" 7\n"},
        {"{\"Type\":\"Notification\",\"Message\":\"{\\\"Records\\\":[{\\\"eventName\\\":\\\"ObjectCreated:Copy\\\",\\\"s3\\\":{\\\"bucket\\\":{\\\"name\\\":\\\"logs\\\"},"
         "\\\"object\\\":{\\\"key\\\":\\\"k\\\",\\\"size\\\":1,\\\"eTag\\\":\\\"e\\\"}}}]}\"}", "logs/k \"e\" 1\n"},
        {"{\"detail-type\":\"Object Created\",\"detail\":{\"bucket\":{\"name\":\"logs\"},\"object\":{\"key\":\"a+b%20c\",\"size\":2,\"etag\":\"f\"}}}", "logs/a+b%20c \"f\" 2\n"},
        {"{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Bucket\":\"logs\"}", ""},
        {"{\"Records\":[{\"eventName\":\"ObjectRemoved:Delete\",\"s3\":{\"bucket\":{\"name\":\"logs\"},\"object\":{\"key\":\"k\"}}}]}", ""},
        {"{\"detail-type\":\"Object Deleted\",\"detail\":{}}", ""},
        {"{\"Records\":[{\"eventName\":\"ObjectCreated:Put\",\"s3\":{\"bucket\":{\"name\":\"logs\"},\"object\":{\"key\":\"k\"}}}]}", "logs/k - 0\n"},
    };
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(table); i++) {
        struct buffer b;
        buffer_init(&b, 4096);
        assert_int_equal(s3_event_read(slice_of(table[i].body), keep_event, &b), WEIR_OK);
        assert_string_equal(buffer_cstr(&b), table[i].given);
        buffer_fini(&b);
    }
}

static void what_is_no_notification_is_refused(void **state)
{
    static const char *const bodies[] = {"", "x", "[]", "{}", "\"s\"", "{\"Records\":5}", "{\"Records\":[5]}", "{\"Type\":\"Notification\",\"Message\":\"{}\"}",
                                         "{\"Type\":\"Notification\",\"Message\":5}", "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\",\"s3\":{}}]}",
                                         "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\",\"s3\":{\"bucket\":{\"name\":\"b\"},\"object\":{\"key\":\"%z\"}}}]}"};
    struct buffer b;
    (void)state;
    buffer_init(&b, 4096);
    for (size_t i = 0; i < WEIR_COUNT(bodies); i++)
        assert_int_equal(s3_event_read(slice_of(bodies[i]), keep_event, &b), WEIR_CORRUPT);
    buffer_fini(&b);
}

/* ---- a queue that hands out each message once ---- */

static const char *const *bodies;
static unsigned bodies_n, handed_out;
static atomic_bool deleted[8], prolonged[8];

static void note(atomic_bool *which, const char *request)
{
    char receipt[32];
    for (unsigned i = 0; i < 8; i++) {
        snprintf(receipt, sizeof receipt, "\"receipt-%u\"", i);
        if (strstr(request, receipt))
            atomic_store(&which[i], true);
    }
}

static void answer_queue(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut)
{
    struct buffer body;
    (void)s, (void)n, (void)cut;
    buffer_init(&body, 1 << 20);
    if (stub_has(request, "AmazonSQS.DeleteMessageBatch"))
        note(deleted, request);
    else if (stub_has(request, "AmazonSQS.ChangeMessageVisibilityBatch"))
        note(prolonged, request);
    buffer_puts(&body, "{");
    if (stub_has(request, "AmazonSQS.ReceiveMessage") && handed_out < bodies_n) {
        buffer_puts(&body, "\"Messages\":[");
        for (; handed_out < bodies_n; handed_out++) {
            buffer_printf(&body, "%s{\"ReceiptHandle\":\"receipt-%u\",\"Body\":", handed_out ? "," : "", handed_out);
            escape_json(&body, slice_of(bodies[handed_out]));
            buffer_puts(&body, "}");
        }
        buffer_puts(&body, "]");
    }
    buffer_puts(&body, "}");
    stub_status(out, "200 OK", "", buffer_cstr(&body));
    buffer_fini(&body);
}

static enum queue_verdict on_object(void *ctx, const struct s3_event *e, uint64_t *ticket)
{
    ++*(unsigned *)ctx;
    *ticket = (uint64_t)(unsigned char)e->key.p[0];
    return e->key.p[0] == 'k' ? QUEUE_DONE : e->key.p[0] == 'f' ? QUEUE_FAILED : QUEUE_PENDING;
}

struct queued { struct stub stub; struct queue *queue; unsigned objects; };

static void begin(struct queued *t, const char *const *all, unsigned n)
{
    struct fault fault = {WEIR_OK, ""};
    char url[128];
    bodies = all;
    bodies_n = n;
    handed_out = t->objects = 0;
    for (unsigned i = 0; i < 8; i++) {
        atomic_store(&deleted[i], false);
        atomic_store(&prolonged[i], false);
    }
    stub_start(&t->stub, answer_queue);
    assert_int_equal(s3_allow(&(struct s3_access){"", t->stub.url, "", keys}, &fault), WEIR_OK);
    snprintf(url, sizeof url, "%s/1234/name", t->stub.url);
    assert_int_equal(queue_open(url, &t->queue, &fault), WEIR_OK);
}

static void turn(struct queued *t)
{
    struct fault fault = {WEIR_OK, ""};
    if (queue_turn(t->queue, on_object, &t->objects, &fault))
        fail_msg("%s", fault.text);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void until_objects(struct queued *t, unsigned n)
{
    int64_t give_up_s = (int64_t)time(NULL) + 60;
    while (t->objects < n) {
        turn(t);
        assert_true((int64_t)time(NULL) < give_up_s);
    }
}

static void until(struct queued *t, atomic_bool *what)
{
    int64_t give_up_s = (int64_t)time(NULL) + 60;
    while (!atomic_load(what)) {
        turn(t);
        assert_true((int64_t)time(NULL) < give_up_s);
    }
}

static void end(struct queued *t)
{
    queue_close(t->queue);
    s3_end();
    stub_stop(&t->stub);
}

static void a_message_goes_only_when_all_its_objects_are_counted(void **state)
{
    static const char *const all[] = {"{\"Records\":[" RECORD("1") "," RECORD("2") "]}", "{\"Records\":[" RECORD("3") "," RECORD("4") "]}", "{\"Records\":[" RECORD("5") "]}"};
    struct queued t;
    (void)state;
    begin(&t, all, 3);
    until_objects(&t, 5);
    queue_settle(t.queue, '1', true);
    queue_settle(t.queue, '3', true);
    queue_settle(t.queue, '4', false); /* one of two failed */
    queue_settle(t.queue, '5', true);
    until(&t, &deleted[2]);
    assert_false(atomic_load(&deleted[0])); /* its second object is not settled */
    queue_settle(t.queue, '2', true);
    until(&t, &deleted[0]);
    assert_false(atomic_load(&deleted[1]));
    end(&t);
    assert_false(atomic_load(&deleted[1])); /* it stays, comes again, and in the end goes to the dead letters */
}

static void what_needs_no_work_goes_at_once_and_what_is_strange_stays(void **state)
{
    static const char *const all[] = {"not JSON", "{\"Event\":\"s3:TestEvent\"}", "{\"Records\":[" RECORD("k") "]}", "{\"Records\":[" RECORD("f") "]}"};
    struct queued t;
    (void)state;
    begin(&t, all, 4);
    until(&t, &deleted[1]);
    until(&t, &deleted[2]);
    assert_false(atomic_load(&deleted[0]));
    assert_false(atomic_load(&deleted[3]));
    assert_int_equal(queue_state(t.queue).refused, 1);
    end(&t);
}

static void a_message_in_work_is_prolonged(void **state)
{
    static const char *const all[] = {"{\"Records\":[" RECORD("1") "]}"};
    struct queued t;
    (void)state;
    queue_set_prolong(0);
    begin(&t, all, 1);
    until(&t, &prolonged[0]);
    queue_set_prolong(60);
    assert_false(atomic_load(&deleted[0]));
    end(&t);
}

static void a_queue_is_a_place_over_tls_or_on_this_machine(void **state)
{
    static const char *const refused[] = {"", "x", "https://h", "ftp://h/1/n", "https://u@h/1/n", "https://h/1/n?x=y", "https://h/1/n m"};
    struct fault fault = {WEIR_OK, ""};
    struct queue *q;
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(refused); i++)
        assert_int_equal(queue_open(refused[i], &q, &fault), WEIR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_forms_are_understood),
        cmocka_unit_test(what_is_no_notification_is_refused),
        cmocka_unit_test(a_message_goes_only_when_all_its_objects_are_counted),
        cmocka_unit_test(what_needs_no_work_goes_at_once_and_what_is_strange_stays),
        cmocka_unit_test(a_message_in_work_is_prolonged),
        cmocka_unit_test(a_queue_is_a_place_over_tls_or_on_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
