/* Claims about finding: ids, the sentence, severity.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "facts.h"

static struct facts x;
static int fresh(void **state)
{
    (void)state;
    facts_init(&x);
    return 0;
}

static void says(const char *expected)
{
    struct buffer b;
    buffer_init(&b, 4096);
    finding_sentence(&x.f, &b);
    assert_string_equal(buffer_cstr(&b), expected);
    buffer_fini(&b);
}

/* How often, for the rate of the facts. */
#define RARE "; a host like this reaches that once in 2,000,000 days"

static void says_what_where_how_long_and_what_was_usual(void **state)
{
    (void)state;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); in 9 days its largest day to new destinations was 3 MB" RARE);
}

static void names_the_system_of_the_peer(void **state)
{
    (void)state;
    x.peer[0].asn = 64500;
    memcpy(x.peer[0].as_name, "EXAMPLE", 8);
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, AS64500 EXAMPLE, first seen today); in 9 days its largest day to new "
         "destinations was 3 MB" RARE);
}

static void names_two_further_peers_and_passes_over_crumbs(void **state)
{
    (void)state;
    x.f.peers = 2;
    x.f.peers_more = 518;
    x.f.bytes_more = 678563;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today) and 2.00 GB to 198.51.100.7; in 9 days its largest day to new "
         "destinations was 3 MB" RARE);
}

static void sums_up_further_peers_listed_or_not(void **state)
{
    (void)state;
    x.f.peers = 2;
    x.f.peers_more = 4;
    x.f.bytes_more = 500000000;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today) and 2.50 GB to 5 more; in 9 days its largest day to new "
         "destinations was 3 MB" RARE);
}

static void gives_the_date_of_a_new_peer_in_a_finding_of_several_days(void **state)
{
    (void)state;
    x.f.days = 2;
    x.peer[0].last_s += DAY_S;
    says("10.0.1.10 sent 41.1 GB in 26 h to 200.160.0.8 (BR, first seen on 2026-03-02); in 9 days its largest day to new destinations was 3 MB" RARE);
}

static void says_nothing_of_novelty_for_a_known_peer_without_data(void **state)
{
    (void)state;
    x.peer[0].known = true;
    x.peer[0].country[0] = 0;
    x.score[0].part[0].test = SCORE_HOUR_VOLUME;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8; usual for it around that hour is 3 MB or less; in 9 days its largest hour was 3 MB" RARE);
}

static void says_that_the_past_was_empty(void **state)
{
    (void)state;
    x.score[0].part[0].largest_bytes = 0;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); in 9 days it sent nothing to new destinations" RARE);
}

static void says_that_weir_is_still_learning(void **state)
{
    (void)state;
    x.score[0].learning = true;
    x.score[0].host_days = 2;
    x.score[0].part[0].history_days = 2;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); in 2 days its largest day to new destinations was 3 MB" RARE
         "; weir has seen this host for 2 days only");
}

static void says_that_the_host_was_never_seen(void **state)
{
    (void)state;
    x.score[0].learning = true;
    x.score[0].host_days = 0;
    x.score[0].part[0].history_days = 0;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today)" RARE "; weir has not seen this host before");
}

static void says_served_when_the_peer_came_for_the_bytes(void **state)
{
    (void)state;
    x.peer[0].initiated = false;
    x.score[0].part[0].test = SCORE_SERVED_VOLUME;
    says("10.0.1.10 served 41.1 GB in 90 min to 200.160.0.8 (BR); in 9 days its largest day served to one network was 3 MB" RARE);
}

static void says_the_sum_of_the_part_when_no_peer_could_be_read(void **state)
{
    (void)state;
    x.f.peers = 0;
    says("10.0.1.10 sent 41.1 GB in one day to destinations it never used; in 9 days its largest day to new destinations was 3 MB" RARE);
}

static void lead(enum score_test test)
{
    x.peer[0].known = true;
    x.peer[0].country[0] = 0;
    x.score[0].part[0].test = test;
}

static void one_day_of_history_is_told_in_the_singular(void **state)
{
    (void)state;
    x.score[0].part[0].history_days = 1;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); on the one day known its largest day to new destinations was 3 MB" RARE);
}

static void a_destination_of_the_class_is_compared_with_the_class(void **state)
{
    (void)state;
    lead(SCORE_CLASS_DESTINATION);
    x.score[0].part[0].history_days = 0;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8; a host like this sends no more than 3 MB there in a day" RARE);
}

static void a_slow_sum_is_told_beside_what_the_day_added(void **state)
{
    (void)state;
    lead(SCORE_SLOW);
    x.score[0].part[0].observed_bytes = 64000000;
    x.peer[0].bytes = 12000000;
    says("10.0.1.10 sent 12.0 MB in 90 min to 200.160.0.8; since it was first seen it got 64.0 MB, not counting its largest day; in 9 days its "
         "largest such sum was 3 MB" RARE);
}

static void a_split_is_told_in_destinations(void **state)
{
    (void)state;
    lead(SCORE_SPLIT);
    x.score[0].part[0].observed_count = 14;
    x.score[0].part[0].reference = 4;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8; 14 destinations that are new to it got more than 4 MB each, expected are 3 at most" RARE);
}

static void a_beacon_is_told_in_hours(void **state)
{
    (void)state;
    lead(SCORE_BEACON);
    x.score[0].part[0].observed_count = 47;
    x.score[0].part[0].reference = 4.5;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8; it called there in 47 of the 48 hours of two days, expected are 18 at most" RARE);
}

static void every_test_has_a_title_and_says_what_happened_without_a_peer(void **state)
{
    (void)state;
    x.f.peers = 0;
    for (unsigned t = 0; t < SCORE_TEST_COUNT; t++) {
        struct buffer b;
        buffer_init(&b, 4096);
        x.score[0].part[0].test = (enum score_test)t;
        finding_sentence(&x.f, &b);
        assert_non_null(strstr(buffer_cstr(&b), "10.0.1.10 sent 41.1 GB "));
        assert_null(strstr(buffer_cstr(&b), "(null)"));
        assert_null(strstr(buffer_cstr(&b), " its largest  was"));
        buffer_fini(&b);
    }
}

static void what_is_rarer_than_the_scale_is_told_as_a_bound(void **state)
{
    (void)state;
    x.score[0].part[0].rate = 1e-12;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); in 9 days its largest day to new destinations was 3 MB; a host like "
         "this reaches that less than once in 1,000,000,000 days");
}

static void what_is_not_rare_is_not_told(void **state)
{
    (void)state;
    x.score[0].part[0].rate = 0.02;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); in 9 days its largest day to new destinations was 3 MB");
}

static void the_rarest_part_leads_the_sentence(void **state)
{
    (void)state;
    x.score[0].part[1].raised = true;
    x.score[0].part[1].rate = 0.0000001;
    x.score[0].part[1].history_days = 9;
    x.score[0].part[1].largest_bytes = 900000;
    says("10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); usual for it around that hour is 20 MB or less; in 9 days its largest "
         "hour was 900 kB; a host like this reaches that once in 10,000,000 days");
}

static void bytes_have_three_digits_and_decimal_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 B"},           {512, "512 B"},           {999, "999 B"},        {1000, "1.00 kB"},     {9994, "9.99 kB"},
                {9995, "10.0 kB"},    {41095890520, "41.1 GB"}, {999499, "999 kB"},    {999500, "1.00 MB"},   {3000000, "3.00 MB"},
                {40000000000, "40.0 GB"}, {1319413953331, "1.32 TB"}, {UINT64_MAX, "18.4 EB"}};
    for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
        char text[FINDING_BYTES_TEXT_MAX];
        finding_bytes(rows[i].bytes, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void uid_of(char out[FINDING_UID_MAX]) { finding_uid(&x.f, out); }

static void the_same_facts_have_the_same_uid_for_ever(void **state)
{
    (void)state;
    char uid[FINDING_UID_MAX];
    uid_of(uid);
    assert_string_equal(uid, "wf1-67f2b47cb8d828b72b70d840dc9b089e");
}

static void more_days_peers_and_bytes_keep_the_uid(void **state)
{
    (void)state;
    char before[FINDING_UID_MAX], after[FINDING_UID_MAX];
    uid_of(before);
    x.f.days = 3;
    x.f.peers = 3;
    x.peer[0].bytes++;
    x.f.closed = true;
    uid_of(after);
    assert_string_equal(before, after);
}

static void differs_after(void (*change)(void))
{
    char before[FINDING_UID_MAX], after[FINDING_UID_MAX];
    facts_init(&x);
    uid_of(before);
    change();
    uid_of(after);
    assert_string_not_equal(before, after);
}

static void other_account(void) { x.f.account = SLICE_LIT("123456789013"); }
static void other_interface(void) { x.f.interface = SLICE_LIT("eni-0a1b2d"); }
static void other_host(void) { x.f.host.lo++; }
static void other_day(void) { x.day[0].day_s += DAY_S; }
static void other_model(void) { x.f.model = "egress-3"; }
static void byte_moved_to_the_next_text(void)
{
    x.f.account = SLICE_LIT("12345678901");
    x.f.interface = SLICE_LIT("2eni-0a1b2c");
}

static void another_account_interface_host_day_or_model_is_another_uid(void **state)
{
    (void)state;
    differs_after(other_account);
    differs_after(other_interface);
    differs_after(other_host);
    differs_after(other_day);
    differs_after(other_model);
    differs_after(byte_moved_to_the_next_text);
}

static void severity_grows_with_score_and_bytes(void **state)
{
    (void)state;
    static const struct {
        double value;
        uint64_t bytes;
        unsigned severity;
    } rows[] = {{6, FACTS_BYTES, 5}, {5, 10000000000, 5}, {4.9, 10000000000, 4}, {4, 1000000000, 4}, {4, 999999999, 3},
                {3, 100000000, 3},   {3, 99999999, 2},    {5, 2000000, 3}};
    for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
        x.score[0].value = rows[i].value;
        x.peer[0].bytes = rows[i].bytes;
        assert_int_equal(finding_severity(&x.f), rows[i].severity);
    }
}

static void a_host_still_learned_is_never_critical(void **state)
{
    (void)state;
    x.score[0].learning = true;
    assert_int_equal(finding_severity(&x.f), 4);
}

static void every_severity_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(finding_severity_word(1), "informational");
    assert_string_equal(finding_severity_word(5), "critical");
    assert_string_equal(finding_severity_word(6), "unknown");
}

#define CLAIM(f) cmocka_unit_test_setup(f, fresh)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(says_what_where_how_long_and_what_was_usual),
        CLAIM(names_the_system_of_the_peer),
        CLAIM(names_two_further_peers_and_passes_over_crumbs),
        CLAIM(sums_up_further_peers_listed_or_not),
        CLAIM(gives_the_date_of_a_new_peer_in_a_finding_of_several_days),
        CLAIM(says_nothing_of_novelty_for_a_known_peer_without_data),
        CLAIM(says_that_the_past_was_empty),
        CLAIM(says_that_weir_is_still_learning),
        CLAIM(says_that_the_host_was_never_seen),
        CLAIM(says_served_when_the_peer_came_for_the_bytes),
        CLAIM(says_the_sum_of_the_part_when_no_peer_could_be_read),
        CLAIM(the_rarest_part_leads_the_sentence),
        CLAIM(one_day_of_history_is_told_in_the_singular),
        CLAIM(a_destination_of_the_class_is_compared_with_the_class),
        CLAIM(a_slow_sum_is_told_beside_what_the_day_added),
        CLAIM(a_split_is_told_in_destinations),
        CLAIM(a_beacon_is_told_in_hours),
        CLAIM(every_test_has_a_title_and_says_what_happened_without_a_peer),
        CLAIM(what_is_rarer_than_the_scale_is_told_as_a_bound),
        CLAIM(what_is_not_rare_is_not_told),
        CLAIM(bytes_have_three_digits_and_decimal_units),
        CLAIM(the_same_facts_have_the_same_uid_for_ever),
        CLAIM(more_days_peers_and_bytes_keep_the_uid),
        CLAIM(another_account_interface_host_day_or_model_is_another_uid),
        CLAIM(severity_grows_with_score_and_bytes),
        CLAIM(a_host_still_learned_is_never_critical),
        CLAIM(every_severity_has_a_word),
    };
    return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
