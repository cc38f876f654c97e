/* Rules: broken is raised, without a baseline; they stand behind tests and own no rate.
 * SPDX-License-Identifier: Apache-2.0 */
#include "weir/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define GB 1000000000ULL
#define M (&score_model_default)

static struct host_group groups[4], broken[2];

static uint64_t listed(enum group_kind kind) { return (uint64_t)kind << 60 | (uint64_t)GROUP_FORM_V4_NETWORK << 52 | GROUP_THREAT | 7; }

static struct host_day day_with(size_t n, size_t rules)
{
    struct host_day d = {.host_id = 1, .day_s = 20000 * (int64_t)DAY_S, .group = groups, .groups = n, .broken = broken, .rules_broken = rules};
    for (size_t i = 0; i < n; i++)
        for (unsigned h = 0; h < 24; h++) {
            d.hour_out[h] += groups[i].hour[h];
            d.external_out += groups[i].hour[h];
        }
    return d;
}

static void send(size_t i, uint64_t group, unsigned hour, uint64_t bytes)
{
    groups[i] = (struct host_group){.group = group, .bytes_out = bytes};
    groups[i].hour[hour] = bytes;
}

static const char *name(const void *policy, uint64_t group) { return group == group_policy(1) ? policy : NULL; }

static void a_ceiling_has_its_worked_example(void **state)
{
    (void)state;
    memset(groups, 0, sizeof groups);
    groups[0].group = listed(GROUP_INITIATED) & ~GROUP_THREAT;
    for (unsigned h = 8; h < 12; h++)
        groups[0].hour[h] = 4 * GB;
    struct host_day d = day_with(1, 0);
    struct score_rules r = {.ceiling = 10 * GB};
    struct score s = {0};
    assert_true(score_rules_broken(M, &r, &d));
    score_rules_judge(M, &r, &d, &s);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.part[0].test, SCORE_CEILING);
    assert_int_equal(s.part[0].since_hour, 10);
    assert_int_equal(s.part[0].observed_bytes, 16 * GB);
    assert_true(s.raised);
    assert_false(s.unusual);
}

static void as_much_as_the_ceiling_is_allowed(void **state)
{
    (void)state;
    send(0, listed(GROUP_INITIATED) & ~GROUP_THREAT, 8, 10 * GB);
    struct host_day d = day_with(1, 0);
    struct score_rules r = {.ceiling = 10 * GB}, none = {.ceiling = 0};
    assert_false(score_rules_broken(M, &r, &d));
    assert_false(score_rules_broken(M, &none, &d));
}

static void any_byte_to_a_listed_network_that_was_called_is_raised(void **state)
{
    (void)state;
    send(0, listed(GROUP_INITIATED), 3, 1);
    struct host_day d = day_with(1, 0);
    struct score_rules r = {0};
    struct score s = {0};
    assert_true(score_rules_broken(M, &r, &d));
    score_rules_judge(M, &r, &d, &s);
    assert_int_equal(s.part[0].test, SCORE_THREAT_LIST);
    assert_int_equal(s.part[0].group, listed(GROUP_INITIATED));
    assert_int_equal(s.part[0].since_hour, 3);
}

static void an_answered_scanner_is_not_raised(void **state)
{
    (void)state;
    send(0, listed(GROUP_SERVED), 3, 999999);
    struct host_day d = day_with(1, 0);
    struct score_rules r = {0};
    assert_false(score_rules_broken(M, &r, &d));
    send(0, listed(GROUP_SERVED), 3, 1000000);
    d = day_with(1, 0);
    assert_true(score_rules_broken(M, &r, &d));
}

static void a_broken_rule_of_the_policy_is_raised_with_its_name(void **state)
{
    (void)state;
    broken[0] = (struct host_group){.group = group_policy(1), .bytes_out = 1000};
    broken[0].hour[5] = 1000;
    broken[1] = (struct host_group){.group = group_policy(2), .bytes_out = 1000};
    struct host_day d = day_with(0, 2);
    struct score_rules r = {.rule_name = name, .policy = "db-only-from-app"};
    struct score s = {0};
    assert_true(score_rules_broken(M, &r, &d));
    score_rules_judge(M, &r, &d, &s);
    assert_int_equal(s.n, 1); /* the other rule is gone from the configuration */
    assert_true(slice_eq(s.part[0].rule, SLICE_LIT("db-only-from-app")));
    assert_int_equal(s.part[0].since_hour, 5);
}

static void rules_stand_behind_raised_tests_and_before_what_did_not_raise(void **state)
{
    (void)state;
    send(0, listed(GROUP_INITIATED), 3, 2 * GB);
    struct host_day d = day_with(1, 0);
    struct score_rules r = {.ceiling = GB};
    struct score s = {.n = 2, .raised = true, .unusual = true};
    s.part[0] = (struct score_part){.test = SCORE_SPLIT, .raised = true, .rate = 0.0001, .threshold = 0.001};
    s.part[1] = (struct score_part){.test = SCORE_HOUR_VOLUME, .rate = 0.5, .threshold = 0.001};
    score_rules_judge(M, &r, &d, &s);
    assert_int_equal(s.n, 4);
    assert_int_equal(s.part[0].test, SCORE_SPLIT);
    assert_int_equal(s.part[1].test, SCORE_THREAT_LIST);
    assert_int_equal(s.part[2].test, SCORE_CEILING);
    assert_int_equal(s.part[3].test, SCORE_HOUR_VOLUME);
}

static void rules_have_words_and_no_history(void **state)
{
    (void)state;
    assert_string_equal(score_test_word(SCORE_THREAT_LIST), "threat-list");
    assert_string_equal(score_test_word(SCORE_POLICY), "policy");
    assert_string_equal(score_test_word(SCORE_CEILING), "ceiling");
    for (unsigned t = 0; t < SCORE_TEST_COUNT; t++)
        assert_int_equal(score_test_is_rule((enum score_test)t), t >= SCORE_STATISTICAL_COUNT);
    assert_int_equal(SCORE_HISTORIES, SCORE_STRATA * SCORE_STATISTICAL_COUNT);
}

static bool raises(uint64_t group, uint64_t bytes, uint64_t count, bool sensitive, struct score *s)
{
    memset(broken, 0, sizeof broken);
    broken[0] = (struct host_group){.group = group, .bytes_out = bytes, .bytes_in = count};
    broken[0].hour[2] = bytes;
    struct host_day d = day_with(0, 1);
    struct score_rules r = {.sensitive = sensitive};
    memset(s, 0, sizeof *s);
    score_rules_judge(M, &r, &d, s);
    assert_int_equal(score_rules_broken(M, &r, &d), s->n > 0);
    return s->n > 0;
}

static void a_dns_tunnel_has_its_worked_example(void **state)
{
    (void)state;
    struct score s;
    assert_true(raises(group_seen(SEEN_DNS, 7), 6526, 43, false, &s));
    assert_int_equal(s.part[0].test, SCORE_DNS_TUNNEL);
    assert_int_equal(s.part[0].observed_bytes, 6526);
    assert_int_equal(s.part[0].observed_count, 43);
}

static void short_names_and_few_bytes_are_no_tunnel(void **state)
{
    (void)state;
    struct score s;
    assert_false(raises(group_seen(SEEN_DNS, 7), 4096, 43, false, &s));
    assert_false(raises(group_seen(SEEN_DNS, 7), 23 * 1000, 1000, false, &s));
    assert_true(raises(group_seen(SEEN_DNS, 7), 24 * 1000, 1000, false, &s));
}

static void names_of_a_whole_day_are_no_tunnel_of_an_hour(void **state)
{
    (void)state;
    memset(broken, 0, sizeof broken);
    broken[0] = (struct host_group){.group = group_seen(SEEN_DNS, 7), .bytes_out = 24 * 2000, .bytes_in = 24 * 50};
    for (unsigned h = 0; h < 24; h++)
        broken[0].hour[h] = 2000;
    struct host_day d = day_with(0, 1);
    struct score_rules r = {.ceiling = 0};
    assert_false(score_rules_broken(M, &r, &d));
}

static void large_echoes_raise_from_256_kib_on(void **state)
{
    (void)state;
    struct score s;
    assert_false(raises(group_seen(SEEN_ECHO, 0), 262144, 200, false, &s));
    assert_true(raises(group_seen(SEEN_ECHO, 0), 262145, 200, false, &s));
    assert_int_equal(s.part[0].test, SCORE_ECHO_TUNNEL);
}

static void clear_text_raises_for_sensitive_hosts_only(void **state)
{
    (void)state;
    struct score s;
    assert_false(raises(group_seen(SEEN_TALK, CAPTURE_TALK_FTP), 1000000, 10, false, &s));
    assert_true(raises(group_seen(SEEN_TALK, CAPTURE_TALK_FTP), 1000000, 10, true, &s));
    assert_int_equal(s.part[0].test, SCORE_CLEAR_TEXT);
    assert_true(slice_eq(s.part[0].rule, SLICE_LIT("FTP")));
}

static void a_protocol_on_a_port_of_others_raises_from_1_mib_on(void **state)
{
    (void)state;
    struct score s;
    assert_false(raises(group_seen(SEEN_TALK, CAPTURE_TALK_ODD_SSH), 1 << 20, 10, true, &s));
    assert_true(raises(group_seen(SEEN_TALK, CAPTURE_TALK_ODD_SSH), (1 << 20) + 1, 10, false, &s));
    assert_int_equal(s.part[0].test, SCORE_ODD_PORT);
    assert_true(raises(group_seen(SEEN_TALK, CAPTURE_TALK_ODD_HTTP), 100000, 10, true, &s));
    assert_int_equal(s.part[0].test, SCORE_CLEAR_TEXT);
    assert_false(raises(group_seen(SEEN_TALK, CAPTURE_TALK_HTTP), 1 << 30, 10, false, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dns_tunnel_has_its_worked_example),
        cmocka_unit_test(short_names_and_few_bytes_are_no_tunnel),
        cmocka_unit_test(names_of_a_whole_day_are_no_tunnel_of_an_hour),
        cmocka_unit_test(large_echoes_raise_from_256_kib_on),
        cmocka_unit_test(clear_text_raises_for_sensitive_hosts_only),
        cmocka_unit_test(a_protocol_on_a_port_of_others_raises_from_1_mib_on),
        cmocka_unit_test(a_ceiling_has_its_worked_example),
        cmocka_unit_test(as_much_as_the_ceiling_is_allowed),
        cmocka_unit_test(any_byte_to_a_listed_network_that_was_called_is_raised),
        cmocka_unit_test(an_answered_scanner_is_not_raised),
        cmocka_unit_test(a_broken_rule_of_the_policy_is_raised_with_its_name),
        cmocka_unit_test(rules_stand_behind_raised_tests_and_before_what_did_not_raise),
        cmocka_unit_test(rules_have_words_and_no_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
