/* flow: whose bytes a record speaks of, as claims. The rows are those of the NAT gateway example in docs/formats.md ("Attribution"):
 * host 10.0.1.5, gateway 10.0.0.220, far end 203.0.113.5. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/flow.h>

#define HOST "10.0.1.5"
#define GATEWAY "10.0.0.220"
#define FAR "203.0.113.5"
#define BIT(F) (1ULL << FIELD_##F)

static struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    assert_int_equal(ip_parse(slice_of(text), &a), WEIR_OK);
    return a;
}

/* A record of 1000 bytes over TCP from port 40000 to 443, version 2. */
static struct record record(const char *src, const char *dst)
{
    return (struct record){.has = BIT(BYTES) | BIT(SRCADDR) | BIT(DSTADDR), .bytes = 1000, .packets = 10, .start_s = 1772409600,
                           .end_s = 1772409660, .src = ip(src), .dst = ip(dst), .src_port = 40000, .dst_port = 443, .protocol = 6,
                           .action = ACTION_ACCEPT, .status = STATUS_OK, .interface = SLICE_LIT("eni-1")};
}

static struct record with_packet(struct record r, const char *src, const char *dst)
{
    r.has |= BIT(PKT_SRCADDR) | BIT(PKT_DSTADDR);
    r.pkt_src = ip(src);
    r.pkt_dst = ip(dst);
    return r;
}

static struct record with_direction(struct record r, enum record_direction d)
{
    r.direction = (uint8_t)d;
    return r;
}

static struct flow_own own_none(void) { return (struct flow_own){.state = OWN_NONE}; }
static struct flow_own own_is(const char *a) { return (struct flow_own){.a = ip(a), .state = OWN_ONE}; }

static const struct flow_rules no_rules;

static enum flow_verdict attribute(const struct record *r, struct flow *f)
{
    struct flow_own none = own_none();
    return flow_attribute(&no_rules, r, flow_ends(&no_rules, r), &none, f);
}

static struct cidr_set *networks(const char *text)
{
    struct cidr_set *set = cidr_set_new();
    assert_non_null(set);
    assert_int_equal(cidr_set_add(set, slice_of(text), NULL), WEIR_OK);
    cidr_set_seal(set);
    return set;
}

static void assert_ip(struct ip got, const char *want)
{
    char text[IP_TEXT_MAX];
    ip_format(got, text);
    assert_string_equal(text, want);
}

/* ---- the NAT gateway example ---- */

struct nat_row {
    const char *name, *own, *src, *dst, *pkt_src, *pkt_dst;
    enum record_direction direction;
    enum flow_verdict v2, v5;
    const char *host, *peer; /* as charged */
    bool out, external;
};
static const struct nat_row nat_rows[] = {
    {"a", HOST, HOST, FAR, HOST, FAR, DIRECTION_EGRESS, FLOW_CHARGED, FLOW_CHARGED, HOST, FAR, true, true},
    {"b", GATEWAY, HOST, GATEWAY, HOST, FAR, DIRECTION_INGRESS, FLOW_CHARGED, FLOW_FORWARDED, GATEWAY, HOST, false, false},
    {"c", GATEWAY, GATEWAY, FAR, GATEWAY, FAR, DIRECTION_EGRESS, FLOW_CHARGED, FLOW_CHARGED, GATEWAY, FAR, true, true},
    {"reply far to gateway", GATEWAY, FAR, GATEWAY, FAR, GATEWAY, DIRECTION_INGRESS, FLOW_CHARGED, FLOW_CHARGED, GATEWAY, FAR, false, true},
    {"reply gateway to host", GATEWAY, GATEWAY, HOST, FAR, HOST, DIRECTION_EGRESS, FLOW_CHARGED, FLOW_FORWARDED, GATEWAY, HOST, true, false},
    {"reply at host", HOST, FAR, HOST, FAR, HOST, DIRECTION_INGRESS, FLOW_CHARGED, FLOW_CHARGED, HOST, FAR, false, true},
};

static void check_row(const struct nat_row *n, const struct record *r, const struct flow_own *own, enum flow_verdict want)
{
    struct flow f;
    enum flow_verdict v = flow_attribute(&no_rules, r, flow_ends(&no_rules, r), own, &f);
    if (v != want)
        fail_msg("row %s: %s, not %s", n->name, flow_verdict_word(v), flow_verdict_word(want));
    assert_int_equal(f.forwards, want == FLOW_FORWARDED);
    if (want != FLOW_CHARGED)
        return;
    assert_ip(f.host, n->host);
    assert_ip(f.peer, n->peer);
    assert_int_equal(f.out, n->out);
    assert_int_equal(f.external, n->external);
    assert_false(f.via);
    assert_int_equal(f.bytes, 1000);
}

static void nat_example_in_version_2_is_settled_by_the_learned_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(nat_rows); i++) {
        const struct nat_row *n = &nat_rows[i];
        struct record r = record(n->src, n->dst);
        struct flow_own own = own_is(n->own);
        check_row(n, &r, &own, n->v2);
    }
}

static void nat_example_in_version_5_unmasks_the_gateway(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(nat_rows); i++) {
        const struct nat_row *n = &nat_rows[i];
        struct record r = with_direction(with_packet(record(n->src, n->dst), n->pkt_src, n->pkt_dst), n->direction);
        struct flow_own none = own_none();
        check_row(n, &r, &none, n->v5);
    }
}

static void nat_example_in_version_3_needs_packet_and_learned_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(nat_rows); i++) {
        const struct nat_row *n = &nat_rows[i];
        struct record r = with_packet(record(n->src, n->dst), n->pkt_src, n->pkt_dst);
        struct flow_own own = own_is(n->own);
        check_row(n, &r, &own, n->v5);
    }
}

/* ---- whose end ---- */

static void direction_beats_networks(void **state)
{
    (void)state;
    struct record r = with_direction(record(FAR, HOST), DIRECTION_EGRESS);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_CHARGED);
    assert_ip(f.host, FAR);
    assert_true(f.out);
}

static void networks_beat_the_learned_address(void **state)
{
    (void)state;
    struct record r = record(HOST, FAR);
    struct flow_own own = own_is(FAR);
    struct flow f;
    assert_int_equal(flow_attribute(&no_rules, &r, flow_ends(&no_rules, &r), &own, &f), FLOW_CHARGED);
    assert_ip(f.host, HOST);
}

static void two_private_ends_are_pending_until_one_is_learned(void **state)
{
    (void)state;
    struct record r = record(HOST, "10.0.2.7");
    struct flow_own own = own_none();
    struct flow f;
    assert_int_equal(flow_attribute(&no_rules, &r, flow_ends(&no_rules, &r), &own, &f), FLOW_PENDING);
    flow_own_learn(&own, r.src, r.dst);
    assert_int_equal(flow_attribute(&no_rules, &r, flow_ends(&no_rules, &r), &own, &f), FLOW_PENDING);
    flow_own_learn(&own, ip("10.0.3.1"), ip("10.0.2.7"));
    assert_int_equal(flow_attribute(&no_rules, &r, flow_ends(&no_rules, &r), &own, &f), FLOW_CHARGED);
    assert_ip(f.host, "10.0.2.7");
    assert_false(f.out);
}

static void a_conflict_of_learned_addresses_leaves_the_flow_unknown(void **state)
{
    (void)state;
    struct record r = record(HOST, "10.0.2.7");
    struct flow_own own = {.state = OWN_CONFLICT};
    struct flow f;
    assert_int_equal(flow_attribute(&no_rules, &r, flow_ends(&no_rules, &r), &own, &f), FLOW_UNKNOWN);
}

static void a_record_without_the_learned_address_is_unknown(void **state)
{
    (void)state;
    struct record r = record(HOST, "10.0.2.7");
    struct flow_own own = own_is("10.0.9.9");
    struct flow f;
    assert_int_equal(flow_attribute(&no_rules, &r, flow_ends(&no_rules, &r), &own, &f), FLOW_UNKNOWN);
}

static void two_public_ipv4_ends_are_pending(void **state)
{
    (void)state;
    struct record r = record("8.8.8.8", FAR);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_PENDING);
    assert_true(f.external);
}

static void a_pending_flow_shows_the_source_as_host(void **state)
{
    (void)state;
    struct record r = record(HOST, "10.0.2.7");
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_PENDING);
    assert_ip(f.host, HOST);
    assert_true(f.out);
}

/* ---- ours or not ---- */

static void configured_networks_make_a_private_peer_external(void **state)
{
    (void)state;
    struct cidr_set *own = networks("10.0.0.0/16");
    struct flow_rules rules = {.own = own};
    struct record r = record(HOST, "192.168.7.7");
    struct flow_own none = own_none();
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &none, &f), FLOW_CHARGED);
    assert_true(f.external);
    assert_ip(f.host, HOST);
    cidr_set_free(own);
}

static void configured_networks_make_a_public_host_ours(void **state)
{
    (void)state;
    struct cidr_set *own = networks("198.51.100.0/24");
    struct flow_rules rules = {.own = own};
    struct record r = record(FAR, "198.51.100.7");
    struct flow_own none = own_none();
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &none, &f), FLOW_CHARGED);
    assert_ip(f.host, "198.51.100.7");
    assert_false(f.out);
    cidr_set_free(own);
}

static void unconfigured_private_and_shared_addresses_are_ours(void **state)
{
    (void)state;
    static const char *const ours[] = {"10.255.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "fd00::1"};
    static const char *const others[] = {"172.32.0.1", "100.128.0.1", "11.0.0.1", "2600:1f18::1", FAR};
    for (size_t i = 0; i < WEIR_COUNT(ours); i++)
        assert_true(flow_is_own(&no_rules, ip(ours[i])));
    for (size_t i = 0; i < WEIR_COUNT(others); i++)
        assert_false(flow_is_own(&no_rules, ip(others[i])));
}

static void an_ipv6_peer_of_the_same_56_is_ours(void **state)
{
    (void)state;
    struct record r = with_direction(record("2600:1f18:1:2300::5", "2600:1f18:1:23ff::9"), DIRECTION_EGRESS);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_CHARGED);
    assert_false(f.external);
}

static void an_ipv6_peer_outside_the_56_is_external(void **state)
{
    (void)state;
    struct record r = with_direction(record("2600:1f18:1:2300::5", "2600:1f18:1:2400::9"), DIRECTION_EGRESS);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_CHARGED);
    assert_true(f.external);
}

static void configured_networks_overrule_the_56_guess(void **state)
{
    (void)state;
    struct cidr_set *own = networks("2600:1f18:1:2300::/64");
    struct flow_rules rules = {.own = own};
    struct record r = record("2600:1f18:1:2300::5", "2600:1f18:1:23ff::9");
    struct flow_own none = own_none();
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &none, &f), FLOW_CHARGED);
    assert_true(f.external);
    cidr_set_free(own);
}

static void special_addresses_are_never_charged(void **state)
{
    (void)state;
    static const char *const v4[] = {"0.0.0.0", "255.255.255.255", "224.0.0.251", "239.1.2.3", "169.254.169.254", "127.0.0.1"};
    static const char *const v6[] = {"::", "ff02::1", "fe80::1", "::1"};
    struct flow f;
    for (size_t i = 0; i < WEIR_COUNT(v4); i++) {
        struct record out = record(HOST, v4[i]), directed = with_direction(out, DIRECTION_EGRESS), in = record(v4[i], HOST);
        assert_int_equal(attribute(&out, &f), FLOW_SPECIAL);
        assert_int_equal(attribute(&directed, &f), FLOW_SPECIAL);
        assert_int_equal(attribute(&in, &f), FLOW_SPECIAL);
    }
    for (size_t i = 0; i < WEIR_COUNT(v6); i++) {
        struct record out = with_direction(record("2600:1f18::5", v6[i]), DIRECTION_EGRESS);
        assert_int_equal(attribute(&out, &f), FLOW_SPECIAL);
    }
}

static void what_is_no_traffic_is_never_egress(void **state)
{
    (void)state;
    struct record r[5];
    for (size_t i = 0; i < WEIR_COUNT(r); i++)
        r[i] = record(HOST, FAR);
    r[0].status = STATUS_NODATA;
    r[1].status = STATUS_SKIPDATA;
    r[2].action = ACTION_REJECT;
    r[3].bytes = 0;
    r[4].has &= ~BIT(BYTES);
    struct flow f;
    for (size_t i = 0; i < WEIR_COUNT(r); i++)
        assert_int_equal(attribute(&r[i], &f), FLOW_NOT_TRAFFIC);
}

static void a_record_without_an_action_is_traffic(void **state)
{
    (void)state;
    struct record r = record(HOST, FAR);
    r.action = ACTION_NONE;
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_CHARGED);
}

/* ---- behind an interface ---- */

static void a_pod_is_the_host_behind_its_node(void **state)
{
    (void)state;
    struct record r = with_direction(with_packet(record(HOST, FAR), "10.0.77.3", FAR), DIRECTION_EGRESS);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_CHARGED);
    assert_ip(f.host, "10.0.77.3");
    assert_true(f.via);
    assert_false(f.forwards);
}

static void a_secondary_address_receives_behind_the_primary(void **state)
{
    (void)state;
    struct record r = with_direction(with_packet(record(FAR, HOST), FAR, "10.0.1.6"), DIRECTION_INGRESS);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_CHARGED);
    assert_ip(f.host, "10.0.1.6");
    assert_true(f.via);
    assert_false(f.out);
}

static struct record transit(const char *src, const char *dst, enum record_direction d)
{
    struct record r = with_direction(record(src, dst), d);
    r.transit_gateway = true;
    return r;
}

static void a_transit_gateway_counts_one_direction_only(void **state)
{
    (void)state;
    struct record in = transit(HOST, FAR, DIRECTION_INGRESS), out = transit(HOST, FAR, DIRECTION_EGRESS);
    struct flow f;
    assert_int_equal(attribute(&in, &f), FLOW_CHARGED);
    assert_ip(f.host, HOST);
    assert_true(f.out);
    assert_int_equal(attribute(&out, &f), FLOW_FORWARDED);
    assert_false(f.forwards);
}

static void a_host_seen_at_a_transit_gateway_is_behind_it(void **state)
{
    (void)state;
    struct record r = transit(HOST, FAR, DIRECTION_INGRESS);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_CHARGED);
    assert_true(f.via);
    assert_false(f.forwards);
}

static void a_transit_gateway_without_our_ends_is_unknown(void **state)
{
    (void)state;
    struct record r = transit("8.8.8.8", FAR, DIRECTION_INGRESS);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_UNKNOWN);
}

/* ---- forwarders by configuration ---- */

static void a_configured_forwarder_address_is_charged_to_nobody(void **state)
{
    (void)state;
    struct cidr_set *set = networks(GATEWAY);
    struct flow_rules rules = {.forwarders = set};
    struct record out = record(GATEWAY, FAR), in = record(FAR, GATEWAY), other = record(HOST, FAR);
    struct flow_own none = own_none();
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &out, flow_ends(&rules, &out), &none, &f), FLOW_FORWARDED);
    assert_true(f.forwards);
    assert_int_equal(flow_attribute(&rules, &in, flow_ends(&rules, &in), &none, &f), FLOW_FORWARDED);
    assert_int_equal(flow_attribute(&rules, &other, flow_ends(&rules, &other), &none, &f), FLOW_CHARGED);
    cidr_set_free(set);
}

static void a_configured_forwarder_interface_is_charged_to_nobody(void **state)
{
    (void)state;
    static const char *const names[] = {"eni-0", "eni-1", "eni-2"};
    struct flow_rules rules = {.forwarder_interfaces = names, .forwarder_interfaces_n = 3};
    struct record r = record(HOST, FAR);
    struct flow_own none = own_none();
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &none, &f), FLOW_FORWARDED);
    r.interface = SLICE_LIT("eni-11");
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &none, &f), FLOW_CHARGED);
}

static void an_interface_type_of_version_11_unmasks_a_forwarder(void **state)
{
    (void)state;
    struct record r = record(GATEWAY, FAR);
    r.forwarder_type = true;
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_FORWARDED);
    assert_true(f.forwards);
}

/* A load balancer's node asks its target: the target's interface must not be taken for the balancer's. */
static void a_forwarder_as_far_end_does_not_make_the_interface_one(void **state)
{
    (void)state;
    struct cidr_set *set = networks(GATEWAY);
    struct flow_rules rules = {.forwarders = set};
    struct record r = record(GATEWAY, HOST);
    struct flow_own none = own_none();
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &none, &f), FLOW_PENDING);
    assert_false(f.forwards);
    cidr_set_free(set);
}

/* Client address preserved by a load balancer: at the target, source and packet source differ, and nothing tells the direction yet. */
static void an_unsettled_record_proves_no_forwarder(void **state)
{
    (void)state;
    struct record r = with_packet(record(GATEWAY, HOST), FAR, HOST);
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_PENDING);
    assert_false(f.forwards);
    struct flow_own conflict = {.state = OWN_CONFLICT};
    assert_int_equal(flow_attribute(&no_rules, &r, flow_ends(&no_rules, &r), &conflict, &f), FLOW_UNKNOWN);
    assert_false(f.forwards);
}

/* ---- the learned address ---- */

static struct flow_own learned(const struct ip (*pair)[2], const size_t *order, size_t n)
{
    struct flow_own own = own_none();
    for (size_t i = 0; i < n; i++)
        flow_own_learn(&own, pair[order[i]][0], pair[order[i]][1]);
    return own;
}

static bool same_own(const struct flow_own *x, const struct flow_own *y)
{
    if (x->state != y->state)
        return false;
    if (x->state == OWN_ONE)
        return ip_eq(x->a, y->a);
    if (x->state == OWN_PAIR)
        return (ip_eq(x->a, y->a) && ip_eq(x->b, y->b)) || (ip_eq(x->a, y->b) && ip_eq(x->b, y->a));
    return true;
}

static void check_permutations(const struct ip (*pair)[2], size_t *order, size_t at, size_t n, const struct flow_own *want)
{
    if (at == n) {
        struct flow_own got = learned(pair, order, n);
        assert_true(same_own(&got, want));
        return;
    }
    for (size_t i = at; i < n; i++) {
        size_t t = order[at];
        order[at] = order[i], order[i] = t;
        check_permutations(pair, order, at + 1, n, want);
        t = order[at];
        order[at] = order[i], order[i] = t;
    }
}

/* Every multiset of four pairs over three addresses, in every order: intersection does not know order. */
static void the_learned_address_does_not_depend_on_the_order(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 6561; code++) {
        struct ip pair[4][2];
        unsigned rest = code;
        for (size_t i = 0; i < 8; i++, rest /= 3)
            pair[i / 2][i % 2] = ip_from_v4(0x0a000001 + rest % 3);
        size_t order[] = {0, 1, 2, 3};
        const struct ip (*const pairs)[2] = (const struct ip (*)[2])pair;
        struct flow_own want = learned(pairs, order, 4);
        check_permutations(pairs, order, 0, 4, &want);
    }
}

static void one_pair_in_both_directions_stays_a_pair(void **state)
{
    (void)state;
    struct flow_own own = own_none();
    flow_own_learn(&own, ip(HOST), ip(GATEWAY));
    flow_own_learn(&own, ip(GATEWAY), ip(HOST));
    assert_int_equal(own.state, OWN_PAIR);
}

static void disjoint_pairs_are_a_conflict_for_good(void **state)
{
    (void)state;
    struct flow_own own = own_none();
    flow_own_learn(&own, ip(HOST), ip(GATEWAY));
    flow_own_learn(&own, ip("10.0.5.5"), ip("10.0.6.6"));
    flow_own_learn(&own, ip(HOST), ip(GATEWAY));
    assert_int_equal(own.state, OWN_CONFLICT);
}

static void only_the_end_that_is_ours_may_be_the_own_address(void **state)
{
    (void)state;
    struct flow_own own = own_none(), other = own_none();
    struct record r = record(FAR, HOST), directed = with_direction(r, DIRECTION_INGRESS);
    flow_learn(&own, &r, flow_ends(&no_rules, &r));
    assert_int_equal(own.state, OWN_ONE);
    assert_ip(own.a, HOST);
    flow_learn(&other, &directed, flow_ends(&no_rules, &directed));
    assert_int_equal(other.state, OWN_NONE); /* of a record that tells its direction nothing is learned */
}

static void a_hint_is_confirmed_by_a_second_pair_and_refuted_by_a_stranger(void **state)
{
    (void)state;
    struct flow_own own = {.a = ip("10.0.0.1"), .state = OWN_HINT};
    flow_own_learn(&own, ip("10.0.0.1"), ip("10.0.0.2"));
    assert_int_equal(own.state, OWN_HINT_PAIR);
    flow_own_learn(&own, ip("10.0.0.2"), ip("10.0.0.1"));
    assert_int_equal(own.state, OWN_HINT_PAIR);
    flow_own_learn(&own, ip("10.0.0.3"), ip("10.0.0.1"));
    assert_int_equal(own.state, OWN_ONE);
    own.state = OWN_HINT; /* and a record without it is a conflict */
    flow_own_learn(&own, ip("10.0.0.4"), ip("10.0.0.2"));
    assert_int_equal(own.state, OWN_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nat_example_in_version_2_is_settled_by_the_learned_address),
        cmocka_unit_test(nat_example_in_version_5_unmasks_the_gateway),
        cmocka_unit_test(nat_example_in_version_3_needs_packet_and_learned_address),
        cmocka_unit_test(a_hint_is_confirmed_by_a_second_pair_and_refuted_by_a_stranger),
        cmocka_unit_test(direction_beats_networks),
        cmocka_unit_test(networks_beat_the_learned_address),
        cmocka_unit_test(two_private_ends_are_pending_until_one_is_learned),
        cmocka_unit_test(a_conflict_of_learned_addresses_leaves_the_flow_unknown),
        cmocka_unit_test(a_record_without_the_learned_address_is_unknown),
        cmocka_unit_test(two_public_ipv4_ends_are_pending),
        cmocka_unit_test(a_pending_flow_shows_the_source_as_host),
        cmocka_unit_test(configured_networks_make_a_private_peer_external),
        cmocka_unit_test(configured_networks_make_a_public_host_ours),
        cmocka_unit_test(unconfigured_private_and_shared_addresses_are_ours),
        cmocka_unit_test(an_ipv6_peer_of_the_same_56_is_ours),
        cmocka_unit_test(an_ipv6_peer_outside_the_56_is_external),
        cmocka_unit_test(configured_networks_overrule_the_56_guess),
        cmocka_unit_test(special_addresses_are_never_charged),
        cmocka_unit_test(what_is_no_traffic_is_never_egress),
        cmocka_unit_test(a_record_without_an_action_is_traffic),
        cmocka_unit_test(a_pod_is_the_host_behind_its_node),
        cmocka_unit_test(a_secondary_address_receives_behind_the_primary),
        cmocka_unit_test(a_transit_gateway_counts_one_direction_only),
        cmocka_unit_test(a_host_seen_at_a_transit_gateway_is_behind_it),
        cmocka_unit_test(a_transit_gateway_without_our_ends_is_unknown),
        cmocka_unit_test(a_configured_forwarder_address_is_charged_to_nobody),
        cmocka_unit_test(a_configured_forwarder_interface_is_charged_to_nobody),
        cmocka_unit_test(an_interface_type_of_version_11_unmasks_a_forwarder),
        cmocka_unit_test(a_forwarder_as_far_end_does_not_make_the_interface_one),
        cmocka_unit_test(an_unsettled_record_proves_no_forwarder),
        cmocka_unit_test(the_learned_address_does_not_depend_on_the_order),
        cmocka_unit_test(one_pair_in_both_directions_stays_a_pair),
        cmocka_unit_test(disjoint_pairs_are_a_conflict_for_good),
        cmocka_unit_test(only_the_end_that_is_ours_may_be_the_own_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
