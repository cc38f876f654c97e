/* base, addresses: the hand-written parser against inet_pton on generated strings, text form, classes, networks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/base.h>

static uint64_t draws;

static uint64_t draw(uint64_t below)
{
    return stable_mix(draws += 0x9e3779b97f4a7c15ULL) % below;
}

static enum weir_err parse_n(const char *text, size_t n, struct ip *out)
{
    char *p = malloc(n ? n : 1);
    assert_non_null(p);
    memcpy(p, text, n);
    enum weir_err err = ip_parse((struct slice){p, n}, out);
    free(p);
    return err;
}

static struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    if (parse_n(text, strlen(text), &a) != WEIR_OK)
        fail_msg("refused: %s", text);
    return a;
}

static const char *text_of(struct ip a)
{
    static char text[IP_TEXT_MAX];
    size_t n = ip_format(a, text);
    assert_int_equal(n, strlen(text));
    return text;
}

/* What inet_pton makes of it, in our numbers. */
static bool reference(const char *text, struct ip *out)
{
    unsigned char b[16];
    if (inet_pton(AF_INET, text, b) == 1) {
        *out = ip_from_v4((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
        return true;
    }
    if (inet_pton(AF_INET6, text, b) != 1)
        return false;
    *out = (struct ip){0, 0};
    for (int i = 0; i < 8; i++) {
        out->hi = out->hi << 8 | b[i];
        out->lo = out->lo << 8 | b[i + 8];
    }
    return true;
}

/* Returns whether the text is an address. */
static bool agrees(const char *text)
{
    struct ip ours = {1, 1}, theirs;
    bool want = reference(text, &theirs);
    bool got = parse_n(text, strlen(text), &ours) == WEIR_OK;
    if (got != want || (got && !ip_eq(ours, theirs)))
        fail_msg("differs from inet_pton: '%s': %d, not %d", text, got, want);
    return got;
}

static void parses_the_named_cases_of_ipv6(void **state)
{
    (void)state;
    assert_true(ip_eq(ip("::ffff:1.2.3.4"), ip_from_v4(0x01020304)));
    assert_true(ip_eq(ip("::FFFF:0a00:1"), ip("10.0.0.1")));
    assert_true(ip_eq(ip("::1.2.3.4"), (struct ip){0, 0x01020304}));
    assert_true(ip_eq(ip("2001:DB8::A"), ip("2001:0db8:0000:0000:0000:0000:0000:000a")));
    assert_true(ip_eq(ip("::"), (struct ip){0, 0}));
    assert_true(ip_eq(ip("1::"), (struct ip){1ULL << 48, 0}));
    assert_true(ip_eq(ip("1:2:3:4:5:6:1.2.3.4"), (struct ip){0x0001000200030004, 0x0005000601020304}));
    assert_true(ip_eq(ip("255.255.255.255"), ip_from_v4(UINT32_MAX)));
}

static void refuses_what_another_parser_would_guess_at(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "1.2.3", "1.2.3.256", "010.0.0.1", "1.2.3.04", "00.0.0.0", "1.2.3.4/24", "[::1]", "fe80::1%eth0", "1.2.3.4 ", " 1.2.3.4",
        "1.2.3.4.", ".1.2.3.4", "1..2.3", "0x1.2.3.4", "+1.2.3.4", "1.2.3.4\n", "-", "1", "16909060", "1.2.3.1000", ":", ":::", "1:2",
        "::1::", "1::2::3", ":1::2", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "::1:2:3:4:5:6:7:8",
        "12345::", "::g", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4:5", "::01.2.3.4", "1.2.3.4::", "1:", "::1:", "::-1"};
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        struct ip a = {7, 7};
        if (parse_n(bad[i], strlen(bad[i]), &a) != WEIR_SYNTAX)
            fail_msg("taken: '%s'", bad[i]);
        assert_true(ip_eq(a, (struct ip){7, 7}));
    }
}

static void refuses_nul_bytes_and_endless_text(void **state)
{
    (void)state;
    struct ip a;
    assert_int_equal(parse_n("1.2.3.4", 8, &a), WEIR_SYNTAX);
    assert_int_equal(parse_n("::1", 4, &a), WEIR_SYNTAX);
    char endless[5000];
    memset(endless, '0', sizeof endless);
    assert_int_equal(parse_n(endless, sizeof endless, &a), WEIR_SYNTAX);
    memset(endless, ':', sizeof endless);
    assert_int_equal(parse_n(endless, sizeof endless, &a), WEIR_SYNTAX);
}

static void agrees_with_inet_pton_on_every_octet_text(void **state)
{
    (void)state;
    char text[32];
    for (unsigned v = 0; v < 1100; v++) {
        for (int width = 0; width < 5; width++) {
            snprintf(text, sizeof text, "%0*u.0.%u.1", width, v, v % 256);
            agrees(text);
            snprintf(text, sizeof text, "1.2.3.%0*u", width, v);
            agrees(text);
        }
    }
}

/* A text of pieces that occur in addresses, in a random order: mostly wrong, sometimes right. */
static void agrees_with_inet_pton_on_random_pieces(void **state)
{
    (void)state;
    static const char *const pieces[] = {":", "::", ":", ".", "0", "1", "ffff", "a", "12", "255", "256", "01", "fe80", "1.2.3.4", "G", "12345", "/", "%"};
    unsigned taken = 0;
    for (int i = 0; i < 300000; i++) {
        char text[128] = "";
        size_t n = 0;
        for (uint64_t k = draw(18); k > 0; k--) {
            const char *piece = pieces[draw(WEIR_COUNT(pieces))];
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", piece);
        }
        taken += agrees(text);
    }
    assert_true(taken > 100);
}

/* Groups joined by colons with at most one gap: mostly right. */
static void agrees_with_inet_pton_on_random_groups(void **state)
{
    (void)state;
    unsigned taken = 0;
    for (int i = 0; i < 300000; i++) {
        char text[128] = "";
        size_t n = 0;
        uint64_t groups = draw(10), gap = draw(12), v4 = draw(4);
        for (uint64_t k = 0; k <= groups; k++) {
            if (k > 0 || draw(20) == 0)
                n += (size_t)snprintf(text + n, sizeof text - n, k == gap ? "::" : ":");
            if (k == groups && v4 == 0)
                n += (size_t)snprintf(text + n, sizeof text - n, "%u.%u.1.2", (unsigned)draw(300), (unsigned)draw(256));
            else if (k < groups || draw(2))
                n += (size_t)snprintf(text + n, sizeof text - n, draw(2) ? "%x" : "%04X", (unsigned)(draw(65536) >> draw(17)));
        }
        taken += agrees(text);
    }
    assert_true(taken > 10000);
}

/* One character of a good address changed, dropped or doubled. */
static void agrees_with_inet_pton_on_damaged_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {"10.20.30.40", "255.255.255.255", "0.0.0.0", "2001:db8::1:0:0:1", "::ffff:10.0.0.1", "1:2:3:4:5:6:7:8", "fe80::", "::"};
    static const char damage[] = "0123456789abcdefABCDEFgx:./% +-";
    for (int i = 0; i < 200000; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", good[draw(WEIR_COUNT(good))]);
        size_t n = strlen(text), at = draw(n);
        switch (draw(3)) {
        case 0: text[at] = damage[draw(sizeof damage - 1)]; break;
        case 1: memmove(text + at, text + at + 1, n - at); break;
        case 2: memmove(text + at + 1, text + at, n - at + 1); break;
        }
        agrees(text);
    }
}

static struct ip draw_ip(void)
{
    struct ip a = {0, 0};
    for (int i = 0; i < 4; i++) {
        a.hi = a.hi << 16 | (draw(2) ? draw(65536) >> draw(16) : 0);
        a.lo = a.lo << 16 | (draw(2) ? draw(65536) >> draw(16) : 0);
    }
    return draw(4) ? a : ip_from_v4((uint32_t)a.lo);
}

static void text_comes_back_as_the_same_address(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        struct ip a = draw_ip();
        assert_true(ip_eq(ip(text_of(a)), a));
    }
}

static void text_is_that_of_inet_ntop_where_nothing_is_dotted(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        struct ip a = draw_ip();
        if (a.hi == 0)
            continue;
        unsigned char b[16];
        for (int k = 0; k < 8; k++) {
            b[k] = (unsigned char)(a.hi >> (56 - 8 * k));
            b[k + 8] = (unsigned char)(a.lo >> (56 - 8 * k));
        }
        char theirs[64];
        assert_non_null(inet_ntop(AF_INET6, b, theirs, sizeof theirs));
        assert_string_equal(text_of(a), theirs);
    }
}

static void text_follows_rfc_5952(void **state)
{
    (void)state;
    assert_string_equal(text_of(ip("2001:DB8:0:0:1:0:0:1")), "2001:db8::1:0:0:1");
    assert_string_equal(text_of(ip("2001:db8:0:1:1:1:1:1")), "2001:db8:0:1:1:1:1:1");
    assert_string_equal(text_of(ip("0:0:0:0:0:0:0:0")), "::");
    assert_string_equal(text_of(ip("1:0:0:0:0:0:0:0")), "1::");
    assert_string_equal(text_of(ip("::ffff:a00:1")), "10.0.0.1");
    assert_string_equal(text_of(ip("100.20.3.0")), "100.20.3.0");
    assert_string_equal(text_of(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void addresses_are_ordered_as_numbers(void **state)
{
    (void)state;
    assert_true(ip_cmp(ip("9.255.255.255"), ip("10.0.0.0")) < 0);
    assert_true(ip_cmp(ip("255.255.255.255"), ip("2001::")) < 0);
    assert_true(ip_cmp(ip("::2"), ip("::1")) > 0);
    assert_int_equal(ip_cmp(ip("fe80::1"), ip("fe80::1")), 0);
}

static void a_network_keeps_the_first_bits_of_its_family(void **state)
{
    (void)state;
    assert_string_equal(text_of(ip_network(ip("10.1.2.255"), 24)), "10.1.2.0");
    assert_string_equal(text_of(ip_network(ip("10.1.2.255"), 0)), "0.0.0.0");
    assert_string_equal(text_of(ip_network(ip("10.1.2.255"), 32)), "10.1.2.255");
    assert_string_equal(text_of(ip_network(ip("2001:db8:ffff::1"), 33)), "2001:db8:8000::");
    assert_string_equal(text_of(ip_network(ip("2001:db8::ffff"), 64)), "2001:db8::");
    assert_string_equal(text_of(ip_network(ip("2001:db8::ffff"), 127)), "2001:db8::fffe");
    assert_string_equal(text_of(ip_network(ip("2001:db8::ffff"), 128)), "2001:db8::ffff");
    assert_string_equal(text_of(ip_network(ip("2001:db8::ffff"), 0)), "::");
}

static void special_addresses_are_known_by_their_edges(void **state)
{
    (void)state;
    static const char *const special[] = {"0.0.0.0", "0.255.255.255", "127.0.0.0", "127.255.255.255", "169.254.0.0", "169.254.255.255", "224.0.0.0",
                                          "239.255.255.255", "255.255.255.255", "::", "::1", "fe80::", "febf:ffff::", "ff00::", "ffff::"};
    static const char *const plain[] = {"1.0.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "223.255.255.255", "::2",
                                        "fe7f:ffff::", "fec0::", "feff::", "2001:db8::1", "10.0.0.1"};
    for (size_t i = 0; i < WEIR_COUNT(special); i++)
        if (!ip_is_special(ip(special[i])))
            fail_msg("not special: %s", special[i]);
    for (size_t i = 0; i < WEIR_COUNT(plain); i++)
        if (ip_is_special(ip(plain[i])))
            fail_msg("special: %s", plain[i]);
}

static void private_addresses_are_known_by_their_edges(void **state)
{
    (void)state;
    static const char *const private[] = {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255",
                                          "100.64.0.0", "100.127.255.255", "fc00::", "fdff:ffff::"};
    static const char *const public[] = {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
                                         "100.63.255.255", "100.128.0.0", "fbff::", "fe00::", "::a00:1"};
    for (size_t i = 0; i < WEIR_COUNT(private); i++)
        if (!ip_is_private(ip(private[i])))
            fail_msg("not private: %s", private[i]);
    for (size_t i = 0; i < WEIR_COUNT(public); i++)
        if (ip_is_private(ip(public[i])))
            fail_msg("private: %s", public[i]);
}

/* ---- networks ---- */

static struct cidr_set *set_of(const char *const *networks, size_t n)
{
    struct cidr_set *set = cidr_set_new();
    assert_non_null(set);
    for (size_t i = 0; i < n; i++)
        if (cidr_set_add(set, slice_of(networks[i]), NULL) != WEIR_OK)
            fail_msg("refused: %s", networks[i]);
    cidr_set_seal(set);
    return set;
}

static void a_set_knows_its_networks_to_the_edges(void **state)
{
    (void)state;
    static const char *const networks[] = {"10.0.0.0/8", "192.168.1.1", "2001:db8::/32", "10.1.0.0/16", "::1/128", "172.16.0.0/12"};
    struct cidr_set *set = set_of(networks, WEIR_COUNT(networks));
    static const char *const in[] = {"10.0.0.0", "10.1.0.0", "10.255.255.255", "192.168.1.1", "172.31.255.255", "2001:db8::", "2001:db8:ffff::1", "::1"};
    static const char *const out[] = {"9.255.255.255", "11.0.0.0", "192.168.1.0", "192.168.1.2", "172.32.0.0", "2001:db7:ffff::", "2001:db9::", "::2", "::"};
    for (size_t i = 0; i < WEIR_COUNT(in); i++)
        assert_true(cidr_set_has(set, ip(in[i])));
    for (size_t i = 0; i < WEIR_COUNT(out); i++)
        assert_false(cidr_set_has(set, ip(out[i])));
    cidr_set_free(set);
}

static void all_of_one_family_does_not_mean_the_other(void **state)
{
    (void)state;
    static const char *const v6[] = {"::/0"}, *const v4[] = {"0.0.0.0/0"};
    struct cidr_set *all6 = set_of(v6, 1), *all4 = set_of(v4, 1);
    assert_true(cidr_set_has(all6, ip("::")));
    assert_true(cidr_set_has(all6, ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
    assert_false(cidr_set_has(all6, ip("10.0.0.1")));
    assert_true(cidr_set_has(all4, ip("0.0.0.0")));
    assert_true(cidr_set_has(all4, ip("::ffff:255.255.255.255")));
    assert_false(cidr_set_has(all4, ip("::1")));
    cidr_set_free(all6);
    cidr_set_free(all4);
}

static void a_mapped_network_is_its_ipv4_network(void **state)
{
    (void)state;
    static const char *const mapped[] = {"::ffff:10.0.0.0/104"};
    struct cidr_set *set = set_of(mapped, 1);
    assert_true(cidr_set_has(set, ip("10.9.9.9")));
    assert_false(cidr_set_has(set, ip("11.0.0.0")));
    cidr_set_free(set);
}

static void refuses_networks_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/ 8", "10/8", "::1/127",
                                      "::/129", "2001:db8::1/32", "::ffff:0.0.0.0/95", "/8", "nonsense", "10.0.0.0/99999999999999999999"};
    struct cidr_set *set = cidr_set_new();
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        size_t n = strlen(bad[i]);
        char *p = malloc(n ? n : 1);
        memcpy(p, bad[i], n);
        struct fault fault = {WEIR_OK, ""};
        if (cidr_set_add(set, (struct slice){p, n}, &fault) != WEIR_SYNTAX)
            fail_msg("taken: '%s'", bad[i]);
        assert_int_equal(fault.err, WEIR_SYNTAX);
        assert_non_null(strstr(fault.text, bad[i]));
        free(p);
    }
    cidr_set_seal(set);
    assert_false(cidr_set_has(set, ip("10.0.0.1")));
    cidr_set_free(set);
}

static void an_empty_set_has_nothing(void **state)
{
    (void)state;
    struct cidr_set *set = set_of(NULL, 0);
    assert_false(cidr_set_has(set, ip("10.0.0.1")));
    assert_false(cidr_set_has(set, ip("::")));
    cidr_set_free(set);
    cidr_set_free(NULL);
}

enum { MANY = 400 };

/* Asks the naive way: is a in the network of any of them? */
static bool any_has(struct ip networks[MANY], const unsigned bits[MANY], struct ip a)
{
    for (size_t i = 0; i < MANY; i++)
        if (ip_is_v4(a) == ip_is_v4(networks[i]) && ip_eq(ip_network(a, bits[i]), networks[i]))
            return true;
    return false;
}

static void a_set_of_overlapping_networks_agrees_with_asking_each(void **state)
{
    (void)state;
    struct ip networks[MANY];
    unsigned bits[MANY], hits = 0;
    struct cidr_set *set = cidr_set_new();
    for (size_t i = 0; i < MANY; i++) {
        bool v4 = draw(2);
        bits[i] = (unsigned)(v4 ? 12 + draw(21) : 20 + draw(109));
        struct ip a = v4 ? ip_from_v4((uint32_t)(0x0a000000 | draw(1 << 24))) : (struct ip){0x20010db800000000 | draw(1 << 16) << 16, draw(1 << 12)};
        networks[i] = ip_network(a, bits[i]);
        char text[IP_TEXT_MAX], cidr[IP_TEXT_MAX + 8];
        ip_format(networks[i], text);
        snprintf(cidr, sizeof cidr, "%s/%u", text, bits[i]);
        assert_int_equal(cidr_set_add(set, slice_of(cidr), NULL), WEIR_OK);
    }
    cidr_set_seal(set);
    for (size_t i = 0; i < 20000; i++) {
        struct ip a = networks[draw(MANY)];
        a.lo += draw(2) ? draw(5) - 2 : draw(1 << 16);
        bool has = cidr_set_has(set, a);
        assert_int_equal(has, any_has(networks, bits, a));
        hits += has;
    }
    assert_true(hits > 1000 && hits < 20000);
    cidr_set_free(set);
}

static void holds_250000_networks_and_refuses_the_next(void **state)
{
    (void)state;
    struct cidr_set *set = cidr_set_new();
    char text[IP_TEXT_MAX];
    for (uint32_t i = 0; i < 250000; i++) {
        ip_format(ip_from_v4(stable_mix(i) & 1 ? i * 8 : i * 8 + 4), text);
        assert_int_equal(cidr_set_add(set, slice_of(text), NULL), WEIR_OK);
    }
    struct fault fault;
    assert_int_equal(cidr_set_add(set, SLICE_LIT("1.1.1.1"), &fault), WEIR_LIMIT);
    cidr_set_seal(set);
    for (uint32_t i = 0; i < 250000; i += 997) {
        assert_int_equal(cidr_set_has(set, ip_from_v4(i * 8)), stable_mix(i) & 1);
        assert_int_equal(cidr_set_has(set, ip_from_v4(i * 8 + 4)), !(stable_mix(i) & 1));
        assert_false(cidr_set_has(set, ip_from_v4(i * 8 + 1)));
    }
    cidr_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_the_named_cases_of_ipv6),
        cmocka_unit_test(refuses_what_another_parser_would_guess_at),
        cmocka_unit_test(refuses_nul_bytes_and_endless_text),
        cmocka_unit_test(agrees_with_inet_pton_on_every_octet_text),
        cmocka_unit_test(agrees_with_inet_pton_on_random_pieces),
        cmocka_unit_test(agrees_with_inet_pton_on_random_groups),
        cmocka_unit_test(agrees_with_inet_pton_on_damaged_addresses),
        cmocka_unit_test(text_comes_back_as_the_same_address),
        cmocka_unit_test(text_is_that_of_inet_ntop_where_nothing_is_dotted),
        cmocka_unit_test(text_follows_rfc_5952),
        cmocka_unit_test(addresses_are_ordered_as_numbers),
        cmocka_unit_test(a_network_keeps_the_first_bits_of_its_family),
        cmocka_unit_test(special_addresses_are_known_by_their_edges),
        cmocka_unit_test(private_addresses_are_known_by_their_edges),
        cmocka_unit_test(a_set_knows_its_networks_to_the_edges),
        cmocka_unit_test(all_of_one_family_does_not_mean_the_other),
        cmocka_unit_test(a_mapped_network_is_its_ipv4_network),
        cmocka_unit_test(refuses_networks_that_are_none),
        cmocka_unit_test(an_empty_set_has_nothing),
        cmocka_unit_test(a_set_of_overlapping_networks_agrees_with_asking_each),
        cmocka_unit_test(holds_250000_networks_and_refuses_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
