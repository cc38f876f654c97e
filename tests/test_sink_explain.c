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
    has("[raised] new-destination: bytes of the day to destinations new to the host and its class\n");
    has("observed  41.1 GB (41,095,890,520 bytes, 19.258 octaves) in hours 09 to 10; enough to raise at the end of hour 09\n");
    has("expected  3.00 MB (3,000,000 bytes, 5.547 octaves); the largest of 9 days was 2.95 MB; never taken as less than 2.00 MB\n");
    has("excess    (19.258 - 5.547) / spread 0.700 = 19.587\n");
    has("rate      once in 2,000,000 host-days\n");
    has("threshold once in 3,300 host-days or rarer: this test may spend 0.300 of the budget\n");
}

static void says_why_it_was_not_told_sooner(void **state)
{
    (void)state;
    x.hours[0][3] = 5000000;
    explain(0, false, NULL);
    has("\n\nWhy not sooner\n  the logs could tell at the earliest at 2026-03-02T10:00:00Z, 50 min after the first record of the claim;");
    has("  2026-03-02: enough at the end of hour 09; until the end of the hour before 5.00 MB had gone outside that day");
}

static void a_day_that_raised_as_a_whole_could_be_told_at_its_end(void **state)
{
    (void)state;
    x.score[0].part[0].since_hour = 24;
    explain(0, false, NULL);
    has("2026-03-02: no hour was enough by itself, the day as a whole was: it could be told at its end");
}

/* budget 0.001 * rate 0.0000005 / threshold 0.0003 = once in 600,000 */
static void says_which_budget_would_silence_it(void **state)
{
    (void)state;
    explain(0, false, NULL);
    has("\n\nWhat would silence it\n  a budget that bears a false finding less often than once in 600,000 host-days (detection.budget)");
    lacks("daily_ceiling");
}

static void no_budget_silences_a_rule(void **state)
{
    (void)state;
    x.score[0].part[0].test = SCORE_CEILING;
    explain(0, false, NULL);
    has("What would silence it\n  a higher ceiling for its role (roles: daily_ceiling)\n");
    lacks("a budget that bears");
}

static void an_excess_that_its_numbers_do_not_give_is_told(void **state)
{
    (void)state;
    x.score[0].part[0].excess = 21;
    explain(0, false, NULL);
    has("(19.258 - 5.547) / spread 0.700 = 21.000, but worked out again it is 19.587\n");
}

static void says_in_a_line_what_spoke_against_and_all_when_asked(void **state)
{
    (void)state;
    x.score[0].part[1].excess = 0.5;
    explain(0, false, NULL);
    has("  what spoke against it (in full with --all-lines)\n    hour-volume: 20.5 GB, expected 20.0 MB: once in 100 host-days, that is not rare enough\n");
    lacks("[not raised]");
    explain(0, true, NULL);
    has("[not raised] hour-volume");
    lacks("spoke against");
}

static void what_was_not_above_speaks_against(void **state)
{
    (void)state;
    x.score[0].part[1].rate = 1;
    x.score[0].part[1].excess = -2;
    explain(0, false, NULL);
    has("    hour-volume: 20.5 GB, expected 20.0 MB: not above what is expected\n");
}

static void cuts_what_spoke_against_and_counts_the_cut(void **state)
{
    (void)state;
    for (size_t i = 2; i < 8; i++) x.score[0].part[i] = x.score[0].part[1];
    x.score[0].n = 8;
    explain(0, false, NULL);
    has("    and 3 more parts that did not raise\n");
}

static void what_is_counted_is_shown_in_its_own_unit(void **state)
{
    (void)state;
    struct score_part *p = &x.score[0].part[0];
    *p = (struct score_part){.test = SCORE_SPLIT, .raised = true, .observed_bytes = 2000000000, .observed_count = 14, .observed = 7.814, .reference = 4,
                             .floor_bytes = 3, .spread = 0.7, .excess = 5.449, .rate = 0.000001, .share = 0.03, .threshold = 0.00003, .since_hour = 11,
                             .from_hour = 10, .to_hour = 13};
    explain(0, false, NULL);
    has("observed  14 destinations (7.814 on the scale of the test) with 2.00 GB in hours 10 to 13; enough");
    has("expected  3.0 destinations (4.000 on the scale of the test); never taken as less than 3 destinations\n");
}

static void odd_protocols_are_told_in_real_bytes(void **state)
{
    (void)state;
    x.score[0].part[0].test = SCORE_ODD_PROTOCOL;
    explain(0, false, NULL);
    has("(41,095,890,520 bytes, 19.258 octaves of 16 times that) in hours");
}

static void a_slow_sum_is_not_said_to_be_of_today(void **state)
{
    (void)state;
    x.score[0].part[0].test = SCORE_SLOW;
    explain(0, false, NULL);
    has("octaves), today in hours 09 to 10;");
}

static void what_the_class_sends_is_not_called_history(void **state)
{
    (void)state;
    x.score[0].part[0].test = SCORE_CLASS_DESTINATION;
    x.score[0].part[0].history_days = 0;
    explain(0, false, NULL);
    has("octaves); what hosts of its class send there; never");
    lacks("no history");
}

static void a_day_without_external_bytes_has_no_bars(void **state)
{
    (void)state;
    memset(x.hours, 0, sizeof x.hours);
    explain(0, false, NULL);
    has("  no external bytes sent on 2026-03-02\n");
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
    has("2026-03-02: the log has holes (records skipped, or no object) in hours 03 23; more may have been sent\n");
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
    has("no object) in hour 11;");
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
        CLAIM(says_why_it_was_not_told_sooner),
        CLAIM(a_day_that_raised_as_a_whole_could_be_told_at_its_end),
        CLAIM(says_which_budget_would_silence_it),
        CLAIM(no_budget_silences_a_rule),
        CLAIM(an_excess_that_its_numbers_do_not_give_is_told),
        CLAIM(says_in_a_line_what_spoke_against_and_all_when_asked),
        CLAIM(what_was_not_above_speaks_against),
        CLAIM(cuts_what_spoke_against_and_counts_the_cut),
        CLAIM(what_is_counted_is_shown_in_its_own_unit),
        CLAIM(odd_protocols_are_told_in_real_bytes),
        CLAIM(a_slow_sum_is_not_said_to_be_of_today),
        CLAIM(what_the_class_sends_is_not_called_history),
        CLAIM(a_day_without_external_bytes_has_no_bars),
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
