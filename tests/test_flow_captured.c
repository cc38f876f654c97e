/* Records that were captured between hosts become those of the hosts' interfaces; what packets show becomes groups of the sender. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weir/flow.h"

static struct ip v4(unsigned a, unsigned b, unsigned c, unsigned d) { return ip_from_v4(a << 24 | b << 16 | c << 8 | d); }

static struct record captured(struct ip src, struct ip dst)
{
    return (struct record){.has = 1ULL << FIELD_BYTES | 1ULL << FIELD_START, .src = src, .dst = dst, .bytes = 100, .packets = 1, .src_port = 40000, .dst_port = 443,
                           .protocol = 6, .captured = true};
}

static void assert_side(const struct record *r, const char *interface, enum record_direction direction)
{
    assert_true(slice_eq(r->interface, slice_of(interface)));
    assert_int_equal(r->direction, direction);
    assert_false(r->captured);
    assert_true(RECORD_HAS(r, INTERFACE_ID));
}

static void a_host_of_ours_is_an_interface_of_its_name(void **state)
{
    (void)state;
    struct flow_rules rules = {0};
    struct flow_captured c;
    struct record out = captured(v4(10, 0, 1, 5), v4(203, 0, 113, 9)), in = captured(v4(203, 0, 113, 9), v4(10, 0, 1, 5));
    flow_captured(&rules, &out, &c);
    assert_int_equal(c.n, 1);
    assert_side(&c.side[0], "capture-10.0.1.5", DIRECTION_EGRESS);
    flow_captured(&rules, &in, &c);
    assert_int_equal(c.n, 1);
    assert_side(&c.side[0], "capture-10.0.1.5", DIRECTION_INGRESS);
}

static void two_hosts_of_ours_give_two_records(void **state)
{
    (void)state;
    struct flow_rules rules = {0};
    struct flow_captured c;
    struct record r = captured(v4(10, 0, 1, 5), v4(10, 0, 2, 7));
    flow_captured(&rules, &r, &c);
    assert_int_equal(c.n, 2);
    assert_side(&c.side[0], "capture-10.0.1.5", DIRECTION_EGRESS);
    assert_side(&c.side[1], "capture-10.0.2.7", DIRECTION_INGRESS);
}

static void a_record_between_strangers_is_nobodys(void **state)
{
    (void)state;
    struct flow_rules rules = {0};
    struct flow_captured c;
    struct record r = captured(v4(203, 0, 113, 9), v4(198, 51, 100, 7));
    flow_captured(&rules, &r, &c);
    assert_int_equal(c.n, 0);
}

static void both_sides_are_charged_to_their_hosts(void **state)
{
    (void)state;
    struct flow_rules rules = {0};
    struct flow_captured c;
    struct flow_own own = {.state = OWN_NONE};
    struct flow f;
    struct record r = captured(v4(10, 0, 1, 5), v4(10, 0, 2, 7));
    flow_captured(&rules, &r, &c);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(flow_attribute(&rules, &c.side[i], flow_ends(&rules, &c.side[i]), &own, &f), FLOW_CHARGED);
        assert_true(ip_eq(f.host, i ? r.dst : r.src));
        assert_int_equal(f.out, i == 0);
        assert_false(f.external);
    }
}

/* ---- what packets show ---- */

static size_t groups_of(const struct record_seen *s, bool out, bool external, uint64_t group[8], uint64_t bytes[8])
{
    struct record r = captured(v4(10, 0, 1, 5), v4(203, 0, 113, 9));
    struct flow f = {.out = out, .external = external, .bytes = 100, .packets = 1};
    struct flow_seen seen;
    size_t n = 0;
    r.seen = s;
    for (size_t i = 0; n < 8 && flow_seen_next(&r, &f, &i, &seen); n++) {
        group[n] = seen.group;
        bytes[n] = seen.bytes;
    }
    return n;
}

static void what_is_seen_becomes_groups_of_the_sender(void **state)
{
    (void)state;
    struct dns_sum dns[2] = {{SLICE_LIT("a.example"), 2, 40}, {SLICE_LIT("b.example"), 1, 20}};
    struct record_seen s = {.icmp_bytes = 7, .talk = CAPTURE_TALK_HTTP, .dns = dns, .dns_n = 2};
    uint64_t group[8], bytes[8];
    assert_int_equal(groups_of(&s, true, true, group, bytes), 4);
    assert_int_equal(group_form(group[0]), SEEN_DNS);
    assert_int_equal(bytes[0], 40);
    assert_int_not_equal(group[0], group[1]);
    assert_int_equal(group[2], group_seen(SEEN_ECHO, 0));
    assert_int_equal(bytes[2], 7);
    assert_int_equal(group[3], group_seen(SEEN_TALK, CAPTURE_TALK_HTTP));
    assert_int_equal(bytes[3], 100);
    assert_int_equal(groups_of(&s, false, true, group, bytes), 0);
    assert_int_equal(groups_of(&s, true, false, group, bytes), 2); /* inside, names only */
    s.icmp_bytes = 0;
    assert_int_equal(groups_of(&s, true, true, group, bytes), 3);
    s.talk = CAPTURE_TALK_NONE;
    assert_int_equal(groups_of(&s, true, true, group, bytes), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_of_ours_is_an_interface_of_its_name),
        cmocka_unit_test(two_hosts_of_ours_give_two_records),
        cmocka_unit_test(a_record_between_strangers_is_nobodys),
        cmocka_unit_test(both_sides_are_charged_to_their_hosts),
        cmocka_unit_test(what_is_seen_becomes_groups_of_the_sender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
