/* Claims about `weir report`: one page that stands alone and says what a manager and an auditor need.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "facts.h"
#include "weir/sink.h"

static struct facts x;
static struct buffer page;
static uint64_t usual[24], high[24];

static int fresh(void **state)
{
    (void)state;
    facts_init(&x);
    buffer_init(&page, 64u << 20);
    for (size_t h = 0; h < 24; h++) {
        usual[h] = 20000000;
        high[h] = 100000000;
    }
    x.day[0].usual = usual;
    x.day[0].high = high;
    return 0;
}

static int done(void **state)
{
    (void)state;
    buffer_fini(&page);
    return 0;
}

static void encode(struct buffer *json)
{
    buffer_init(json, 64u << 20);
    assert_int_equal(finding_encode(&x.f, 1, json), WEIR_OK);
}

static void report(size_t times)
{
    struct fault fault;
    struct buffer json;
    encode(&json);
    buffer_clear(&page);
    struct report *r = report_new();
    for (size_t i = 0; i < times; i++) assert_int_equal(report_add(r, (struct slice){json.p, json.n}, NULL, NULL, &fault), WEIR_OK);
    assert_int_equal(report_end(r, &page), WEIR_OK);
    report_free(r);
    buffer_fini(&json);
}

static void has(const char *part)
{
    if (!strstr(buffer_cstr(&page), part)) fail_msg("'%s' is not in:\n%s", part, buffer_cstr(&page));
}
static void lacks(const char *part)
{
    if (strstr(buffer_cstr(&page), part)) fail_msg("'%s' is in the page", part);
}

static void asks_for_nothing_and_runs_nothing(void **state)
{
    (void)state;
    report(2);
    has("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">");
    lacks("<script");
    lacks("src=");
    lacks("http://");
    lacks("https://");
    lacks("@import");
    lacks("javascript:");
}

static void a_finding_stays_below_100_kilobytes(void **state)
{
    (void)state;
    static struct evidence_place many[400];
    for (size_t i = 0; i < 400; i++) many[i] = x.place[0];
    x.peer[0].place = many;
    x.peer[0].places = 400;
    report(1);
    assert_true(page.n < 100000);
    has("And 340 more places, counted in the sum.");
}

static void says_what_happened_in_five_figures(void **state)
{
    (void)state;
    report(1);
    has("<dt>Sent</dt><dd>41.1 GB<small>41,095,890,520 bytes</small>");
    has("<dt>Usual</dt><dd>3.00 MB<small>of bytes of the day to destinations new to the host and its class</small>");
    has("<dt>To</dt><dd>200.160.0.8<small>BR");
    has("<dt>When (UTC)</dt><dd>2026-03-02 09:10<small>for 90 min</small>");
    has("<dt>How often without cause</dt><dd>once in 2,000,000 host-days");
}

static void draws_the_days_the_hours_and_the_band(void **state)
{
    (void)state;
    report(1);
    has("9 learned days before");
    has("<rect class=\"band\"");
    has("fill=\"url(#p1d)\"");
    has("fill=\"url(#p1h)\"");
    has("<line class=\"usual\"");
}

static void without_history_there_is_no_band(void **state)
{
    (void)state;
    x.f.history_n = 0;
    x.day[0].usual = x.day[0].high = NULL;
    report(1);
    lacks("<rect class=\"band\"");
    has("Weir had not learned any day of this host before.");
}

static void shows_each_part_with_its_sign(void **state)
{
    (void)state;
    report(1);
    has("(19.258 &minus; 5.547) / 0.700 &minus; 0.000 = 19.587");
    has("+2.8"); /* log10(0.0003 / 0.0000005) */
    has("-1.5"); /* log10(0.0003 / 0.01) */
}

static void the_places_add_up_to_the_claim(void **state)
{
    (void)state;
    report(1);
    has("41,095,890,520<span class=\"soft\">= the claim");
    x.f.bytes_more = 5;
    report(1);
    has("41,095,890,520<span class=\"soft\">of the claimed 41,095,890,525");
}

static void several_findings_have_an_index_and_one_has_none(void **state)
{
    (void)state;
    report(1);
    lacks("<nav");
    report(3);
    has("<a href=\"#f3\">");
    has("<article id=\"f3\"");
}

static void the_same_findings_give_the_same_bytes(void **state)
{
    (void)state;
    struct sha256 first, second;
    report(2);
    sha256_of(page.p, page.n, &first);
    report(2);
    sha256_of(page.p, page.n, &second);
    assert_memory_equal(first.b, second.b, SHA256_BYTES);
}

static void a_stored_value_that_is_no_finding_is_refused(void **state)
{
    (void)state;
    struct fault fault;
    struct report *r = report_new();
    assert_int_equal(report_add(r, SLICE_LIT("[1,2"), NULL, NULL, &fault), WEIR_CORRUPT);
    assert_int_equal(report_end(r, &page), WEIR_OK);
    has("weir: 0 findings");
    report_free(r);
}

/* Whatever the types: what is foreign reads as empty. */
static void any_json_object_makes_a_page(void **state)
{
    (void)state;
    static const char *const docs[] = {
        "{}", "{\"evidences\":[1,null,{}],\"unmapped\":{\"weir\":{\"days\":[7,{\"parts\":[0,{\"raised\":true}],\"hours\":[-1,\"x\",1e99]}],\"history\":[1e99,-5,\"x\"]}}}",
        "{\"unmapped\":{\"weir\":{\"days\":{},\"history\":5}},\"resources\":[],\"severity_id\":99,\"start_time\":9223372036854775807}",
    };
    struct fault fault;
    struct report *r = report_new();
    for (size_t i = 0; i < WEIR_COUNT(docs); i++) assert_int_equal(report_add(r, slice_of(docs[i]), NULL, NULL, &fault), WEIR_OK);
    assert_int_equal(report_end(r, &page), WEIR_OK);
    lacks("nan");
    lacks("inf");
    report_free(r);
}

/* ---- the breach clock ---- */

static json_t *clock_of_facts(void)
{
    struct fault fault;
    struct buffer json;
    encode(&json);
    buffer_clear(&page);
    assert_int_equal(sink_clock((struct slice){json.p, json.n}, &page, &fault), WEIR_OK);
    buffer_fini(&json);
    json_t *doc = json_loadb(page.p, page.n, 0, NULL);
    assert_non_null(doc);
    return doc;
}

static json_int_t number(const json_t *doc, const char *key) { return json_integer_value(json_object_get(doc, key)); }
static const char *text(const json_t *doc, const char *key) { return json_string_value(json_object_get(doc, key)); }

static void without_gaps_the_bounds_meet(void **state)
{
    (void)state;
    json_t *doc = clock_of_facts();
    assert_int_equal(number(doc, "bytes_least"), FACTS_BYTES);
    assert_int_equal(number(doc, "bytes_most"), FACTS_BYTES);
    json_decref(doc);
}

static void a_gap_allows_for_one_more_largest_hour(void **state)
{
    (void)state;
    x.day[0].gap_hours = 1u << 5 | 1u << 11;
    x.f.bytes_unplaced = 1000;
    json_t *doc = clock_of_facts();
    assert_int_equal(number(doc, "gap_hours"), 2);
    assert_int_equal(number(doc, "bytes_least"), FACTS_BYTES + 1000);
    assert_int_equal(number(doc, "bytes_most"), FACTS_BYTES + 1000 + 2 * (FACTS_BYTES / 2));
    json_decref(doc);
}

static void an_open_day_has_no_upper_bound(void **state)
{
    (void)state;
    x.f.more = true;
    json_t *doc = clock_of_facts();
    assert_null(json_object_get(doc, "bytes_most"));
    json_decref(doc);
}

/* Enough to raise at the end of hour 09 of 2026-03-02, so known at 10:00; 60 days from that day. */
static void sixty_days_begin_when_the_logs_could_tell(void **state)
{
    (void)state;
    json_t *doc = clock_of_facts();
    assert_string_equal(text(doc, "known"), "2026-03-02T10:00:00Z");
    assert_string_equal(text(doc, "sixty_days"), "2026-05-01T00:00:00Z");
    assert_string_equal(text(doc, "first"), "2026-03-02T09:10:00Z");
    json_decref(doc);
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        CLAIM(asks_for_nothing_and_runs_nothing),
        CLAIM(a_finding_stays_below_100_kilobytes),
        CLAIM(says_what_happened_in_five_figures),
        CLAIM(draws_the_days_the_hours_and_the_band),
        CLAIM(without_history_there_is_no_band),
        CLAIM(shows_each_part_with_its_sign),
        CLAIM(the_places_add_up_to_the_claim),
        CLAIM(several_findings_have_an_index_and_one_has_none),
        CLAIM(the_same_findings_give_the_same_bytes),
        CLAIM(a_stored_value_that_is_no_finding_is_refused),
        CLAIM(any_json_object_makes_a_page),
        CLAIM(without_gaps_the_bounds_meet),
        CLAIM(a_gap_allows_for_one_more_largest_hour),
        CLAIM(an_open_day_has_no_upper_bound),
        CLAIM(sixty_days_begin_when_the_logs_could_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
