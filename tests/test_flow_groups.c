/* flow: who opened a connection, which service it is, and the groups that traffic is summed by, as claims. */
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

static const struct flow_rules no_rules;

static enum flow_verdict attribute(const struct record *r, struct flow *f)
{
    struct flow_own none = {.state = OWN_NONE};
    return flow_attribute(&no_rules, r, flow_ends(&no_rules, r), &none, f);
}

static void assert_ip(struct ip got, const char *want)
{
    char text[IP_TEXT_MAX];
    ip_format(got, text);
    assert_string_equal(text, want);
}

/* ---- who opened, which service ---- */

struct opening { uint8_t protocol; int flags; uint16_t src_port, dst_port; enum flow_opened opened; uint16_t port; enum service_class service; };

static void check_openings(const struct opening *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct record r = record(HOST, FAR);
        r.protocol = o[i].protocol;
        r.src_port = o[i].src_port;
        r.dst_port = o[i].dst_port;
        if (o[i].flags >= 0) {
            r.has |= BIT(TCP_FLAGS);
            r.tcp_flags = (uint16_t)o[i].flags;
        }
        struct flow f;
        assert_int_equal(attribute(&r, &f), FLOW_CHARGED);
        if (f.opened != o[i].opened || f.service_port != o[i].port || f.service != o[i].service)
            fail_msg("row %zu: opened %u port %u service %u", i, f.opened, f.service_port, f.service);
    }
}

static void tcp_flags_tell_who_opened_whatever_the_ports(void **state)
{
    (void)state;
    static const struct opening rows[] = {
        {6, 2, 443, 40000, OPENED_BY_HOST, 40000, SERVICE_OTHER},  {6, 3, 443, 40000, OPENED_BY_HOST, 40000, SERVICE_OTHER},
        {6, 18, 40000, 443, OPENED_BY_PEER, 40000, SERVICE_OTHER}, {6, 19, 443, 40000, OPENED_BY_PEER, 443, SERVICE_WEB},
    };
    check_openings(rows, WEIR_COUNT(rows));
}

static void flags_without_syn_leave_it_to_the_ports(void **state)
{
    (void)state;
    static const struct opening rows[] = {
        {6, 0, 40000, 443, OPENED_BY_HOST, 443, SERVICE_WEB}, {6, 1, 443, 40000, OPENED_BY_PEER, 443, SERVICE_WEB},
        {6, 16, 40000, 22, OPENED_BY_HOST, 22, SERVICE_SHELL},
        {17, 2, 53, 53000, OPENED_BY_PEER, 53, SERVICE_DNS}, /* flags of UDP mean nothing */
    };
    check_openings(rows, WEIR_COUNT(rows));
}

static void ports_rank_privileged_registered_other_ephemeral(void **state)
{
    (void)state;
    static const struct opening rows[] = {
        {6, -1, 5432, 443, OPENED_BY_HOST, 443, SERVICE_WEB},      {6, -1, 20000, 5432, OPENED_BY_HOST, 5432, SERVICE_OTHER},
        {6, -1, 40000, 20000, OPENED_BY_HOST, 20000, SERVICE_OTHER}, {6, -1, 3389, 32768, OPENED_BY_PEER, 3389, SERVICE_SHELL},
        {17, -1, 1023, 1024, OPENED_BY_PEER, 1023, SERVICE_OTHER}, {6, -1, 32767, 32768, OPENED_BY_PEER, 32767, SERVICE_OTHER},
    };
    check_openings(rows, WEIR_COUNT(rows));
}

static void equal_ranks_leave_it_unknown_and_show_the_lower_port(void **state)
{
    (void)state;
    static const struct opening rows[] = {
        {6, -1, 40000, 50000, OPENED_UNKNOWN, 40000, SERVICE_OTHER}, {17, -1, 123, 123, OPENED_UNKNOWN, 123, SERVICE_NTP},
        {6, -1, 8443, 5432, OPENED_UNKNOWN, 5432, SERVICE_OTHER},    {6, -1, 20001, 20000, OPENED_UNKNOWN, 20000, SERVICE_OTHER},
    };
    check_openings(rows, WEIR_COUNT(rows));
}

static void every_service_class_has_its_ports(void **state)
{
    (void)state;
    static const struct opening rows[] = {
        {6, -1, 40000, 80, OPENED_BY_HOST, 80, SERVICE_WEB},        {17, -1, 40000, 443, OPENED_BY_HOST, 443, SERVICE_WEB},
        {6, -1, 40000, 8443, OPENED_BY_HOST, 8443, SERVICE_WEB},    {17, -1, 40000, 53, OPENED_BY_HOST, 53, SERVICE_DNS},
        {6, -1, 40000, 22, OPENED_BY_HOST, 22, SERVICE_SHELL},      {6, -1, 40000, 3389, OPENED_BY_HOST, 3389, SERVICE_SHELL},
        {17, -1, 40000, 123, OPENED_BY_HOST, 123, SERVICE_NTP},     {6, -1, 40000, 5432, OPENED_BY_HOST, 5432, SERVICE_OTHER},
        {1, -1, 0, 0, OPENED_UNKNOWN, 0, SERVICE_ICMP},             {58, -1, 0, 0, OPENED_UNKNOWN, 0, SERVICE_ICMP},
        {47, -1, 0, 443, OPENED_UNKNOWN, 0, SERVICE_OTHER},         {0, -1, 40000, 80, OPENED_UNKNOWN, 80, SERVICE_OTHER},
    };
    check_openings(rows, WEIR_COUNT(rows));
}

static void incoming_records_tell_who_opened_from_the_hosts_view(void **state)
{
    (void)state;
    struct record reply = record(FAR, HOST);
    reply.src_port = 443;
    reply.dst_port = 40000;
    struct flow f;
    assert_int_equal(attribute(&reply, &f), FLOW_CHARGED);
    assert_int_equal(f.opened, OPENED_BY_HOST);
    struct record call = record(FAR, HOST);
    assert_int_equal(attribute(&call, &f), FLOW_CHARGED);
    assert_int_equal(f.opened, OPENED_BY_PEER);
}

static void a_mirrored_flow_swaps_ends_and_mirrors_back(void **state)
{
    (void)state;
    struct record r = record(HOST, "10.0.2.7");
    struct flow f;
    assert_int_equal(attribute(&r, &f), FLOW_PENDING);
    struct flow m = flow_mirror(&f), back = flow_mirror(&m);
    assert_ip(m.host, "10.0.2.7");
    assert_false(m.out);
    assert_int_equal(m.opened, OPENED_BY_PEER);
    assert_true(ip_eq(back.host, f.host) && ip_eq(back.peer, f.peer) && back.out == f.out && back.opened == f.opened);
    assert_int_equal(m.bytes, f.bytes);
}

/* ---- groups ---- */

struct group_row { const char *peer; enum flow_opened opened; enum service_class service; bool external; uint64_t group; const char *text; };

/* Stored for ever in baselines: a change here would make every host forget what it knows. */
static const struct group_row group_rows[] = {
    {FAR, OPENED_BY_HOST, SERVICE_WEB, true, 0x10400000cb000000, "203.0.0.0/16 web"},
    {"200.160.0.8", OPENED_BY_HOST, SERVICE_SHELL, true, 0x13400000c8a00000, "200.160.0.0/16 shell"},
    {FAR, OPENED_BY_PEER, SERVICE_WEB, true, 0x20400000cb007100, "203.0.113.0/24 web"},
    {FAR, OPENED_UNKNOWN, SERVICE_ICMP, true, 0x32400000cb000000, "203.0.0.0/16 icmp"},
    {"2001:db8:aa:bb::1", OPENED_BY_HOST, SERVICE_DNS, true, 0x116020010db80000, "2001:db8::/32 dns"},
    {"2001:db8:aa:bb::1", OPENED_BY_PEER, SERVICE_OTHER, true, 0x256020010db800aa, "2001:db8:aa::/48 other"},
    {"10.0.2.7", OPENED_BY_HOST, SERVICE_WEB, false, 0x404000000a000207, "10.0.2.7"},
    {"10.0.2.7", OPENED_BY_PEER, SERVICE_WEB, false, 0x504000000a000207, "10.0.2.7"},
    {"10.0.2.7", OPENED_UNKNOWN, SERVICE_ICMP, false, 0x504000000a000207, "10.0.2.7"},
};

static struct flow group_flow(const struct group_row *g)
{
    return (struct flow){.host = ip(HOST), .peer = ip(g->peer), .opened = (uint8_t)g->opened, .service = (uint8_t)g->service, .external = g->external};
}

static void group_keys_never_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(group_rows); i++) {
        struct flow f = group_flow(&group_rows[i]);
        uint64_t g = flow_group(&f);
        if (g != group_rows[i].group)
            fail_msg("row %zu: %016llx", i, (unsigned long long)g);
    }
}

static void groups_read_as_networks_and_services(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 256);
    for (size_t i = 0; i < WEIR_COUNT(group_rows); i++) {
        buffer_clear(&b);
        group_format(group_rows[i].group, &b);
        assert_string_equal(buffer_cstr(&b), group_rows[i].text);
    }
    buffer_fini(&b);
}

static void a_group_tells_its_kind_service_and_reach(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(group_rows); i++) {
        uint64_t g = group_rows[i].group;
        assert_int_equal(group_external(g), group_rows[i].external);
        assert_int_equal(group_service(g), group_rows[i].external ? (int)group_rows[i].service : 0);
        assert_int_equal(group_plain(g | GROUP_BIG), g);
        assert_int_equal(group_kind(g | GROUP_BIG), group_kind(g));
    }
}

static void internal_ipv6_hosts_have_groups_of_their_own(void **state)
{
    (void)state;
    struct flow f = {.peer = ip("fd00::1"), .opened = OPENED_BY_HOST}, other = f;
    other.peer = ip("fd00::2");
    assert_int_equal(flow_group(&f), 0x40608485d8c36071);
    assert_true(flow_group(&f) != flow_group(&other));
    assert_int_equal(flow_group(&f) & GROUP_BIG, 0);
}

static void peers_of_one_network_share_a_group(void **state)
{
    (void)state;
    struct flow f = {.peer = ip("203.0.1.1"), .opened = OPENED_BY_HOST, .external = true}, g = f;
    g.peer = ip("203.0.254.254");
    assert_int_equal(flow_group(&f), flow_group(&g));
    f.opened = g.opened = OPENED_BY_PEER;
    assert_true(flow_group(&f) != flow_group(&g));
    g.peer = ip("203.0.1.254");
    assert_int_equal(flow_group(&f), flow_group(&g));
}

static void words_are_known_for_every_verdict_and_class(void **state)
{
    (void)state;
    for (int v = 0; v < FLOW_VERDICTS; v++)
        assert_true(strlen(flow_verdict_word((enum flow_verdict)v)) > 3);
    assert_string_equal(flow_verdict_word(FLOW_VERDICTS), "?");
    for (int c = 0; c < SERVICE_CLASSES; c++)
        assert_true(strlen(service_class_word((enum service_class)c)) > 2);
    assert_string_equal(service_class_word((enum service_class)15), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_flags_tell_who_opened_whatever_the_ports),
        cmocka_unit_test(flags_without_syn_leave_it_to_the_ports),
        cmocka_unit_test(ports_rank_privileged_registered_other_ephemeral),
        cmocka_unit_test(equal_ranks_leave_it_unknown_and_show_the_lower_port),
        cmocka_unit_test(every_service_class_has_its_ports),
        cmocka_unit_test(incoming_records_tell_who_opened_from_the_hosts_view),
        cmocka_unit_test(a_mirrored_flow_swaps_ends_and_mirrors_back),
        cmocka_unit_test(group_keys_never_change),
        cmocka_unit_test(groups_read_as_networks_and_services),
        cmocka_unit_test(a_group_tells_its_kind_service_and_reach),
        cmocka_unit_test(internal_ipv6_hosts_have_groups_of_their_own),
        cmocka_unit_test(peers_of_one_network_share_a_group),
        cmocka_unit_test(words_are_known_for_every_verdict_and_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
