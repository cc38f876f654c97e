/* Claims about `explain`: the numbers of a finding as an auditor reads them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "facts.h"
#include "weir/sink.h"

static struct facts x;
static char *shown;
static size_t shown_n;

static int fresh(void **state)
{
    (void)state;
    facts_init(&x);
    shown = NULL;
    return 0;
}

static int done(void **state)
{
    (void)state;
    free(shown);
    return 0;
}

static void explain(unsigned width, bool all, sink_object_name *name_of)
{
    struct fault fault;
    struct buffer json;
    buffer_init(&json, 16u << 20);
    assert_int_equal(finding_encode(&x.f, 1, &json), WEIR_OK);
    free(shown);
    FILE *f = open_memstream(&shown, &shown_n);
    assert_non_null(f);
    assert_int_equal(sink_explain(f, (struct slice){json.p, json.n}, (struct sink_style){.width = width}, all, name_of, NULL, &fault), WEIR_OK);
    fclose(f);
    buffer_fini(&json);
}

static void has(const char *part)
{
    if (!strstr(shown, part)) fail_msg("'%s' is not in:\n%s", part, shown);
}
static void lacks(const char *part)
{
    if (strstr(shown, part)) fail_msg("'%s' is in:\n%s", part, shown);
}

static void has_its_five_sections_in_order(void **state)
{
    (void)state;
    static const char *const sections[] = {"\n\nWhat happened\n", "\n\nWhy it was raised\n", "\n\nHistory\n", "\n\nWhat is not known\n",
                                           "\n\nWhere the bytes are\n"};
    explain(0, false, NULL);
    const char *at = shown;
    for (size_t i = 0; i < WEIR_COUNT(sections); i++) {
        at = strstr(at, sections[i]);
        assert_non_null(at);
    }
}

static void shows_the_arithmetic_of_a_raised_part(void **state)
{
    (void)state;
    explain(0, false, NULL);
    has("[raised] new-destination: bytes of the day to destinations the host never used\n");
    has("observed  41.1 GB (41,095,890,520 bytes, 19.258 octaves) in hours 09 to 10; enough to raise at the end of hour 09\n");
    has("expected  3.00 MB (3,000,000 bytes, 5.547 octaves); the largest of 9 days was 2.95 MB; never taken as less than 2.00 MB\n");
    has("excess    (19.258 - 5.547) / spread 0.700 = 19.587\n");
    has("rate      once in 2,000,000 host-days\n");
    has("threshold once in 3,300 host-days or rarer: this test owns 0.300 of the budget\n");
}

static void counts_the_parts_that_did_not_raise_and_shows_them_when_asked(void **state)
{
    (void)state;
    explain(0, false, NULL);
    has("1 more part did not raise");
    lacks("[not raised]");
    explain(0, true, NULL);
    has("[not raised] hour-volume");
}

static void a_rate_below_what_is_kept_is_told_as_a_bound(void **state)
{
    (void)state;
    x.score[0].part[0].rate = 0;
    explain(0, false, NULL);
    has("rate      less than once in 1,000,000,000,000 host-days\n");
}

static void draws_the_hours_of_a_raised_day(void **state)
{
    (void)state;
    x.hours[0][10] = x.hours[0][9] / 2;
    explain(0, false, NULL);
    has("    09  20.5 GB   ########################################\n    10  10.3 GB   ####################\n");
}

static void draws_the_history_in_octaves(void **state)
{
    (void)state;
    x.history[8] = 80;
    explain(0, false, NULL);
    has("    -2   2.03 MB  ####################\n    -1   67.0 MB  ########################################\n");
}

static void says_when_there_is_no_history(void **state)
{
    (void)state;
    x.f.history_n = 0;
    explain(0, false, NULL);
    has("none: weir has not seen this host before");
}

static void places_add_up_to_the_claim(void **state)
{
    (void)state;
    x.f.peers = 2;
    explain(0, false, NULL);
    has("7 records, 41,095,890,520 bytes: lines 812, 815-820\n");
    has("sum: 14 records in 2 objects, 43,095,890,520 bytes = the claim\n");
}

static void an_object_of_two_peers_counts_once(void **state)
{
    (void)state;
    x.f.peers = 2;
    x.place[1].object = x.place[0].object;
    explain(0, false, NULL);
    has("sum: 14 records in 1 object,");
}

static void says_what_is_missing_to_the_claim(void **state)
{
    (void)state;
    x.place[0].bytes -= 1000;
    x.f.bytes_unplaced = 1000;
    explain(0, false, NULL);
    has("sum: 7 records in 1 object, 41,095,889,520 bytes of the 41,095,890,520 claimed\n");
    has("1,000 bytes of the claim without a place below");
    lacks("no gaps");
}

static void says_that_nothing_is_missing(void **state)
{
    (void)state;
    explain(0, false, NULL);
    has("the evidence has no gaps and every byte of the claim has its place\n");
}

static void names_gaps_learning_and_an_open_day(void **state)
{
    (void)state;
    x.day[0].gap_hours = 1u << 3 | 1u << 23;
    x.score[0].learning = true;
    x.f.more = true;
    x.f.peers_more = 1234;
    explain(0, false, NULL);
    has("2026-03-02: the flow log skipped records (SKIPDATA) in hours 03 23; more may have been sent\n");
    has("weir is still learning");
    has("the last day is still open");
    has("1,234 more peers");
}

static void lines_too_many_to_list_are_told_by_first_and_last(void **state)
{
    (void)state;
    x.place[0].lines_n = 0;
    explain(0, false, NULL);
    has("bytes: among lines 812 to 820\n");
}

static void one_of_a_kind_is_told_in_the_singular(void **state)
{
    (void)state;
    static const uint32_t line[] = {294};
    x.place[0].lines = line;
    x.place[0].lines_n = 1;
    x.score[0].part[0].to_hour = x.score[0].part[0].from_hour;
    x.day[0].gap_hours = 1u << 11;
    x.f.peers_more = 1;
    explain(0, false, NULL);
    has("bytes: line 294\n");
    has(" octaves) in hour 09;");
    has("(SKIPDATA) in hour 11;");
    has("1 more peer in the claim");
    x.place[0].lines_n = 0;
    x.place[0].last_line = x.place[0].first_line = 7;
    explain(0, false, NULL);
    has("bytes: among line 7\n");
}

static void cuts_long_lists_and_counts_the_cut_unless_all_is_asked(void **state)
{
    (void)state;
    for (size_t i = 1; i < WEIR_COUNT(x.place); i++) {
        x.place[i] = x.place[0];
        x.place[i].object.b[1] = (uint8_t)i;
    }
    x.peer[0].places = WEIR_COUNT(x.place);
    explain(0, false, NULL);
    has("... and 20 more objects (see --all-lines)\n");
    has("sum: 280 records in 40 objects,");
    explain(0, true, NULL);
    lacks("--all-lines");
}

static void cuts_long_ranges_and_counts_the_cut(void **state)
{
    (void)state;
    uint32_t odd[100];
    for (size_t i = 0; i < WEIR_COUNT(odd); i++) odd[i] = (uint32_t)(2 * i + 1);
    x.place[0].lines = odd;
    x.place[0].lines_n = WEIR_COUNT(odd);
    explain(0, false, NULL);
    has(", 39 and 80 more ranges\n");
    explain(0, true, NULL);
    has(", 197, 199\n");
}

static void ledger_name(void *ctx, const struct sha256 *object, struct buffer *out)
{
    (void)ctx;
    buffer_printf(out, "logs/%u\033[2J.gz", object->b[0]);
}

static void takes_the_names_that_the_ledger_knows_and_escapes_them(void **state)
{
    (void)state;
    explain(0, false, ledger_name);
    has("    logs/1\\x1b[2J.gz (sha256 01");
}

static void lines_fit_into_the_width_but_for_names(void **state)
{
    (void)state;
    x.f.peers = 3;
    explain(80, true, NULL);
    for (const char *p = shown; *p;) {
        size_t n = strcspn(p, "\n");
        if (n > 80) fail_msg("too wide: %.*s", (int)n, p);
        p += n + (p[n] == '\n');
    }
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, fresh, done)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(has_its_five_sections_in_order),
        CLAIM(shows_the_arithmetic_of_a_raised_part),
        CLAIM(counts_the_parts_that_did_not_raise_and_shows_them_when_asked),
        CLAIM(a_rate_below_what_is_kept_is_told_as_a_bound),
        CLAIM(draws_the_hours_of_a_raised_day),
        CLAIM(draws_the_history_in_octaves),
        CLAIM(says_when_there_is_no_history),
        CLAIM(places_add_up_to_the_claim),
        CLAIM(an_object_of_two_peers_counts_once),
        CLAIM(says_what_is_missing_to_the_claim),
        CLAIM(says_that_nothing_is_missing),
        CLAIM(names_gaps_learning_and_an_open_day),
        CLAIM(lines_too_many_to_list_are_told_by_first_and_last),
        CLAIM(one_of_a_kind_is_told_in_the_singular),
        CLAIM(cuts_long_lists_and_counts_the_cut_unless_all_is_asked),
        CLAIM(cuts_long_ranges_and_counts_the_cut),
        CLAIM(takes_the_names_that_the_ledger_knows_and_escapes_them),
        CLAIM(lines_fit_into_the_width_but_for_names),
    };
    return cmocka_run_group_tests_name("sink_explain", tests, NULL, NULL);
}
