/* JSON objects: tokens whatever the pieces, and the envelopes of CloudWatch Logs and Firehose around flow log lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "object_run.h"

#include "decode/json.h"

#define LINE(n) "2 123456789012 eni-0a1b2c3d 10.0.1.5 203.0.113.9 44321 443 6 20 " n " 1700000000 1700000060 ACCEPT OK"
#define EVENT(n) "{\"id\":\"319" n "\",\"timestamp\":1700000000000,\"message\":\"" LINE(n) "\"}"
#define DATA(events) "{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\",\"logGroup\":\"flow\",\"logStream\":\"eni-1-all\"," \
                     "\"subscriptionFilters\":[\"f\"],\"logEvents\":[" events "]}"
#define CONTROL "{\"messageType\":\"CONTROL_MESSAGE\",\"owner\":\"CloudwatchLogs\",\"logGroup\":\"\",\"logStream\":\"\",\"subscriptionFilters\":[]," \
                "\"logEvents\":[{\"id\":\"\",\"timestamp\":1,\"message\":\"CWL CONTROL MESSAGE: Checking health of destination Firehose.\"}]}"

/* ---- tokens ---- */

/* The tokens of a text as words, in pieces of a size. */
static void tell_tokens(const char *text, size_t piece, struct buffer *out)
{
    static const char *const words[] = {"end", "{", "}", "[", "]", "s", "n", "w", "bad"};
    struct pieces pieces = {.object = slice_of(text), .piece = piece};
    struct decode_input input = {&pieces, pieces_next, pieces_spool, pieces_spooled};
    char *memory = malloc(DECODE_HEADROOM + STREAM_HEAD_BYTES);
    struct json *j = malloc(sizeof *j);
    struct held held = {.spooled = false};
    struct stream in;
    enum json_token t;
    assert_true(memory && j);
    buffer_init(&held.memory, 1 << 20);
    buffer_init(out, 1 << 20);
    stream_open(&in, &input, memory, &held);
    json_open(j, &in);
    do {
        t = json_next(j);
        buffer_puts(out, words[t]);
        if (t <= JSON_WORD && j->key.n)
            buffer_printf(out, "(%.*s)", (int)j->key.n, j->key.p);
        if (t == JSON_STRING || t == JSON_NUMBER || t == JSON_WORD)
            buffer_printf(out, "=%.*s%s%s", (int)(j->text.n < 40 ? j->text.n : 40), j->text.p, j->odd ? "!" : "", j->too_long ? "+" : "");
        buffer_puts(out, " ");
    } while (t != JSON_END && t != JSON_BAD);
    free(memory);
    free(j);
    free(pieces.memory);
    buffer_fini(&held.memory);
}

static void assert_tokens(const char *text, const char *wanted)
{
    for (size_t piece = 0; piece < 12; piece++) {
        struct buffer found;
        tell_tokens(text, piece, &found);
        assert_string_equal(buffer_cstr(&found), wanted);
        buffer_fini(&found);
    }
}

static void tokens_are_the_same_in_pieces_of_any_size(void **state)
{
    (void)state;
    assert_tokens("{\"a\":1,\"b\":[true,null,\"x\"],\"c\":{}} [] {\"d\":-1.5e+3}", "{ n(a)=1 [(b) w=true w=null s=x ] {(c) } } [ ] { n(d)=-1.5e+3 } end ");
    assert_tokens("", "end ");
    assert_tokens(" \r\n\t", "end ");
    assert_tokens("\"x\"\"y\"", "s=x s=y end ");
}

static void escapes_become_what_they_mean(void **state)
{
    (void)state;
    assert_tokens("\"\\\"\\\\\\/\"", "s=\"\\/ end ");
    assert_tokens("\"a\\u0041\\u00e9\\u20ac\\ud83d\\ude00b\"", "s=aA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" "b end ");
    assert_tokens("{\"\\u0061\":1}", "{ n(a)=1 } end ");
}

static void texts_that_may_not_be_used_are_marked(void **state)
{
    (void)state;
    assert_tokens("\"a\\u0000b\"", "s=ab! end ");
    assert_tokens("\"a\\nb\"", "s=a\nb! end ");
    assert_tokens("\"a\nb\"", "s=ab! end ");
    assert_tokens("\"\\ud800\"", "s=! end ");
    assert_tokens("\"\\ud800\\u0041\"", "s=! end ");
    assert_tokens("\"\\udc00\"", "s=! end ");
    assert_tokens("\"\\x41\"", "s=41! end ");
    assert_tokens("\"\\u12g4\"", "s=g4! end ");
}

static void what_is_no_json_is_damage(void **state)
{
    static const char *const wrong[] = {"{", "[", "[1", "[1,", "[1 2]", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "[}", "{]", "]", "}",
                                        "\"a", "\"a\\", "\"a\\u00", "nul", "truely", "+", "{\"a\":1 \"b\":2}", ",", ":"};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(wrong); i++)
        for (size_t piece = 0; piece < 5; piece++) {
            struct buffer found;
            tell_tokens(wrong[i], piece, &found);
            if (!strstr(buffer_cstr(&found), "bad"))
                fail_msg("%s: %s", wrong[i], buffer_cstr(&found));
            buffer_fini(&found);
        }
}

static void nesting_is_bounded(void **state)
{
    char deep[10001];
    (void)state;
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    struct buffer found;
    tell_tokens(deep, 0, &found);
    assert_int_equal(found.n, 2 * JSON_DEPTH_MAX + strlen("bad "));
    buffer_fini(&found);
    memcpy(deep, "[{\"a\":", 6);
    assert_object_bad(slice_of(deep), BAD_JSON, "nested");
}

static void a_long_text_is_cut_and_the_rest_goes_on(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 5000; piece += 1777) {
        struct buffer text, found;
        buffer_init(&text, 1 << 20);
        buffer_puts(&text, "[\"");
        for (size_t i = 0; i < 100000; i++)
            buffer_u8(&text, 'x');
        buffer_puts(&text, "\\n\",7]");
        tell_tokens(buffer_cstr(&text), piece, &found);
        assert_non_null(strstr(buffer_cstr(&found), "xx!+ n=7 ] end "));
        buffer_fini(&text);
        buffer_fini(&found);
    }
}

/* ---- envelopes ---- */

static struct object_run envelope(const char *text)
{
    return run_object(slice_of(text), 0);
}

static void the_lines_of_an_envelope_are_records(void **state)
{
    struct object_run o = envelope(DATA(EVENT("1") "," EVENT("2") "," EVENT("3"))), lines = envelope(LINE("1") "\n" LINE("2") "\n" LINE("3") "\n");
    (void)state;
    assert_int_equal(o.run->records, 3);
    assert_true(o.print == lines.print);
    assert_int_equal(o.run->record[2].r.line, 3);
    free(o.run);
    free(lines.run);
}

static void envelopes_may_stand_back_to_back(void **state)
{
    struct object_run o = envelope(DATA(EVENT("1")) DATA(EVENT("2")) "\n" DATA(EVENT("3")));
    (void)state;
    assert_int_equal(o.run->records, 3);
    free(o.run);
}

static void control_messages_are_noted_and_are_no_records(void **state)
{
    struct object_run o = envelope(CONTROL DATA(EVENT("1")) CONTROL);
    (void)state;
    assert_int_equal(o.run->counts.lines, 1);
    assert_int_equal(o.run->counts.notes[NOTE_CONTROL_MESSAGE], 2);
    free(o.run);
}

static void keys_may_stand_in_any_order(void **state)
{
    struct object_run o = envelope("{\"logEvents\":[{\"message\":\"" LINE("7") "\",\"extractedFields\":{\"a\":[1,{}]},\"id\":\"1\"}],\"messageType\":\"DATA_MESSAGE\"}");
    struct object_run c = envelope("{\"logEvents\":[{\"message\":\"CWL CONTROL MESSAGE: x\"}],\"messageType\":\"CONTROL_MESSAGE\"}");
    (void)state;
    assert_int_equal(o.bytes, 7);
    assert_int_equal(c.run->counts.lines, 0);
    assert_int_equal(c.err, WEIR_OK);
    free(o.run);
    free(c.run);
}

static void the_answer_of_filter_log_events_is_read(void **state)
{
    struct object_run o = envelope("{\"events\": [{\"logStreamName\": \"eni-1-all\", \"timestamp\": 1, \"message\": \"" LINE("5") "\", \"ingestionTime\": 2, "
                                   "\"eventId\": \"3\"}], \"searchedLogStreams\": []}");
    (void)state;
    assert_int_equal(o.bytes, 5);
    free(o.run);
}

static void a_wrapped_line_beside_other_keys_is_read(void **state)
{
    struct object_run o = envelope("{\"timestamp\":1,\"message\":\"" LINE("5") "\"}\n{\"timestamp\":1,\"message\":\"" LINE("6") "\"}");
    (void)state;
    assert_int_equal(o.bytes, 11);
    free(o.run);
}

static void an_event_with_a_newline_is_rejected(void **state)
{
    struct object_run o = envelope(DATA(EVENT("1") ",{\"message\":\"" LINE("2") "\\n" LINE("3") "\"}," EVENT("4")));
    (void)state;
    assert_int_equal(o.run->records, 2);
    assert_int_equal(o.run->counts.rejected[REJECT_CONTROL_BYTE], 1);
    assert_int_equal(o.run->reject[0].line, 2);
    free(o.run);
}

static void an_event_that_is_no_flow_log_is_rejected(void **state)
{
    struct object_run o = envelope(DATA(EVENT("1") ",{\"message\":\"hello world\"}"));
    (void)state;
    assert_int_equal(o.run->records, 1);
    assert_int_equal(o.run->rejects, 1);
    free(o.run);
}

static void a_group_with_another_layout_wants_its_fields(void **state)
{
    (void)state;
    assert_object_bad(slice_of(DATA("{\"message\":\"10.0.0.1 10.0.0.2 5\"}")), BAD_NO_HEADER, "--fields");
}

static void other_json_is_another_log(void **state)
{
    static const char *const others[] = {"{}", "[]", "{\"eventVersion\":\"1.08\",\"userIdentity\":{}}", "{\"records\":[]}", "[{\"a\":1}]", "{\"events\":[]}",
                                         "{\"httpRequest\":{\"clientIp\":\"1.2.3.4\"}}\n{\"httpRequest\":{}}",
                                         "{\"records\":[{\"category\":\"ApplicationGatewayAccessLog\",\"properties\":{}}]}",
                                         "{\"logName\":\"projects/p/logs/cloudaudit.googleapis.com%2Factivity\",\"jsonPayload\":{}}"};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(others); i++)
        assert_object_bad(slice_of(others[i]), BAD_OTHER_LOG, "another kind of log");
}

static void every_truncated_envelope_is_an_error(void **state)
{
    static const char text[] = DATA(EVENT("1") "," EVENT("2"));
    struct object_run o;
    struct decoder *d = object_decoder(&o);
    (void)state;
    for (size_t n = 1; n < sizeof text - 1; n++) {
        object_again(d, &o, (struct slice){text, n}, 0);
        assert_true(o.run->bad);
    }
    decoder_free(d);
    free(o.run);
}

static void pieces_of_any_size_give_the_same_records(void **state)
{
    static const char text[] = "\xef\xbb\xbf " DATA(EVENT("1") "," EVENT("2")) CONTROL DATA("{\"message\":\"\\u0032" "2 x\"}," EVENT("3"));
    struct object_run whole = envelope(text);
    (void)state;
    for (size_t piece = 1; piece < 80; piece++) {
        struct object_run o = run_object(slice_of(text), piece);
        assert_true(o.print == whole.print && o.run->records == 3);
        assert_memory_equal(&o.run->counts, &whole.run->counts, sizeof o.run->counts);
        free(o.run);
    }
    free(whole.run);
}

static void a_large_document_takes_no_memory(void **state)
{
    struct buffer text;
    (void)state;
    buffer_init(&text, 64u << 20);
    buffer_puts(&text, "{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[");
    for (unsigned i = 0; i < 100000; i++)
        buffer_printf(&text, "%s{\"id\":\"%u\",\"message\":\"" LINE("9") "\"}", i ? "," : "", i);
    buffer_puts(&text, "]}");
    struct object_run o = run_object((struct slice){text.p, text.n}, 128u << 10);
    assert_int_equal(o.run->counts.emitted, 100000);
    free(o.run);
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_the_same_in_pieces_of_any_size),
        cmocka_unit_test(escapes_become_what_they_mean),
        cmocka_unit_test(texts_that_may_not_be_used_are_marked),
        cmocka_unit_test(what_is_no_json_is_damage),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_long_text_is_cut_and_the_rest_goes_on),
        cmocka_unit_test(the_lines_of_an_envelope_are_records),
        cmocka_unit_test(envelopes_may_stand_back_to_back),
        cmocka_unit_test(control_messages_are_noted_and_are_no_records),
        cmocka_unit_test(keys_may_stand_in_any_order),
        cmocka_unit_test(the_answer_of_filter_log_events_is_read),
        cmocka_unit_test(a_wrapped_line_beside_other_keys_is_read),
        cmocka_unit_test(an_event_with_a_newline_is_rejected),
        cmocka_unit_test(an_event_that_is_no_flow_log_is_rejected),
        cmocka_unit_test(a_group_with_another_layout_wants_its_fields),
        cmocka_unit_test(other_json_is_another_log),
        cmocka_unit_test(every_truncated_envelope_is_an_error),
        cmocka_unit_test(pieces_of_any_size_give_the_same_records),
        cmocka_unit_test(a_large_document_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
