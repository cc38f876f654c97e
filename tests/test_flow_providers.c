/* SPDX-License-Identifier: Apache-2.0 */
/* flow, what data about the far end changes: groups by provider, rented clouds by network, countries, lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <weir/flow.h>

#define FAR "203.0.113.77"
#define FAR6 "2001:db8:aa:bb::1"

static struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    if (ip_parse(slice_of(text), &a))
        fail_msg("refused: %s", text);
    return a;
}

static uint16_t country(const char *text) { return country_number(slice_of(text)); }

struct row { const char *peer; enum flow_opened opened; struct flow_provider at; uint64_t group; const char *text; };
#define AT(number, code, aws, how, which) {.asn = number, .country = code, .service = aws, .grain = how, .list = which}
#define US 539 /* 1 + 20 * 26 + 18 */

/* Stored for ever in baselines: a change here would make every host forget what it knows. */
static const struct row rows[] = {
    {FAR, OPENED_BY_HOST, AT(64500, 0, 0, GRAIN_PROVIDER, 0), 0x101000000000fbf4, "AS64500 web"},
    {FAR, OPENED_BY_HOST, AT(64500, US, 0, GRAIN_PROVIDER, 0), 0x1010021b0000fbf4, "AS64500 web (US)"},
    {FAR6, OPENED_UNKNOWN, AT(64500, US, 0, GRAIN_PROVIDER, 0), 0x3010021b0000fbf4, "AS64500 web (US)"},
    {FAR, OPENED_BY_HOST, AT(16509, US, 3, GRAIN_PROVIDER, 0), 0x10100e1b0000407d, "AS16509 S3 web (US)"},
    {FAR, OPENED_BY_HOST, AT(16509, US, 2, GRAIN_NETWORK, 0), 0x1020021bcb007100, "203.0.113.0/24 web (US)"},
    {FAR6, OPENED_BY_HOST, AT(16509, US, 2, GRAIN_NETWORK, 0), 0x103020010db800aa, "2001:db8:aa::/48 web"},
    {FAR, OPENED_BY_HOST, AT(0, US, 0, GRAIN_PREFIX, 0), 0x1040021bcb000000, "203.0.0.0/16 web (US)"},
    {FAR6, OPENED_BY_HOST, AT(0, US, 0, GRAIN_PREFIX, 0), 0x106020010db8021b, "2001:db8::/32 web (US)"},
    {FAR, OPENED_BY_PEER, AT(64500, US, 0, GRAIN_PROVIDER, 0), 0x20400000cb007100, "203.0.113.0/24 web"},
    {FAR6, OPENED_BY_PEER, AT(64500, US, 0, GRAIN_PROVIDER, 0), 0x206020010db800aa, "2001:db8:aa::/48 web"},
    {FAR, OPENED_BY_HOST, AT(64500, US, 0, GRAIN_PROVIDER, LISTED_THREAT), 0x1024021bcb007100, "203.0.113.0/24 web (US), listed as a threat"},
    {FAR, OPENED_BY_PEER, AT(0, 0, 0, 0, LISTED_THREAT), 0x20440000cb007100, "203.0.113.0/24 web, listed as a threat"},
    {FAR, OPENED_BY_HOST, AT(64500, US, 0, GRAIN_PROVIDER, LISTED_TRUSTED), 0x9000000000000000, "trusted destinations web"},
    {FAR6, OPENED_BY_PEER, AT(0, 0, 0, 0, LISTED_TRUSTED), 0x9000000000000000, "trusted destinations web"},
};

static uint64_t group_of(const struct row *r)
{
    struct flow f = {.peer = ip(r->peer), .opened = (uint8_t)r->opened, .service = SERVICE_WEB, .external = true, .at = r->at};
    return flow_group(&f);
}

static void group_keys_with_data_never_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(rows); i++)
        if (group_of(&rows[i]) != rows[i].group)
            fail_msg("row %zu: %016llx", i, (unsigned long long)group_of(&rows[i]));
}

static void groups_read_as_provider_service_and_country(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 256);
    for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
        buffer_clear(&b);
        group_format(rows[i].group, &b);
        assert_string_equal(buffer_cstr(&b), rows[i].text);
    }
    buffer_fini(&b);
}

static void a_group_tells_its_country_where_the_key_has_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
        bool told = strstr(rows[i].text, "(US)") != NULL;
        assert_int_equal(group_country(rows[i].group), told ? US : 0);
        assert_int_equal(group_country(rows[i].group | GROUP_BIG), told ? US : 0);
    }
}

static void the_network_of_a_group_is_the_same_in_every_country(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
        struct row elsewhere = rows[i];
        elsewhere.at.country = country("ZZ");
        assert_int_equal(group_network(group_of(&elsewhere)), group_network(rows[i].group));
        elsewhere.at.country = 0;
        assert_int_equal(group_of(&elsewhere), group_network(rows[i].group));
    }
}

static void what_data_say_of_an_inner_address_does_not_matter(void **state)
{
    (void)state;
    struct flow f = {.peer = ip("10.0.2.7"), .opened = OPENED_BY_HOST}, g = f;
    g.at = (struct flow_provider)AT(64500, US, 3, GRAIN_PROVIDER, LISTED_TRUSTED);
    assert_int_equal(flow_group(&f), flow_group(&g));
}

static void only_listed_threats_are_told_as_such(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
        assert_int_equal(group_threat(rows[i].group), rows[i].at.list == LISTED_THREAT);
        assert_int_equal(group_external(rows[i].group), rows[i].at.list != LISTED_TRUSTED);
    }
}

/* ---- through attribution ---- */

static struct ip_map *map;
static const struct flow_provider known[] = {{0}, AT(64500, US, 0, GRAIN_PROVIDER, 0), AT(64501, 0, 0, GRAIN_NETWORK, 0)};
static struct flow_providers providers = {NULL, known};

static int make_map(void **state)
{
    (void)state;
    providers.map = map = ip_map_new(9);
    if (!map || ip_map_add(map, ip("203.0.113.0"), ip("203.0.113.255"), 1) || ip_map_add(map, ip("198.51.100.0"), ip("198.51.100.255"), 2))
        return -1;
    return ip_map_seal(map) ? -1 : 0;
}

static int free_map(void **state)
{
    (void)state;
    ip_map_free(map);
    return 0;
}

static struct record record(const char *src, const char *dst)
{
    return (struct record){.src = ip(src), .dst = ip(dst), .bytes = 1000, .packets = 1, .src_port = 40000, .dst_port = 443, .protocol = 6,
                           .has = ~0ULL & ~(1ULL << FIELD_PKT_SRCADDR) & ~(1ULL << FIELD_PKT_DSTADDR) & ~(1ULL << FIELD_TCP_FLAGS),
                           .status = STATUS_OK, .action = ACTION_ACCEPT};
}

static void a_flow_knows_the_provider_of_its_peer(void **state)
{
    (void)state;
    struct flow_rules rules = {.providers = &providers};
    struct flow_own own = {.state = OWN_ONE, .a = ip("10.0.1.5")};
    struct record r = record("10.0.1.5", FAR);
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &own, &f), FLOW_CHARGED);
    assert_int_equal(f.at.asn, 64500);
    assert_int_equal(flow_group(&f), rows[1].group);
}

static void without_data_groups_are_networks(void **state)
{
    (void)state;
    struct flow_rules rules = {.providers = NULL};
    struct flow_own own = {.state = OWN_ONE, .a = ip("10.0.1.5")};
    struct record r = record("10.0.1.5", FAR);
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &own, &f), FLOW_CHARGED);
    assert_int_equal(flow_group(&f), 0x10400000cb000000);
}

static void a_mirrored_flow_knows_the_provider_of_the_other_end(void **state)
{
    (void)state;
    struct flow_rules rules = {.providers = &providers};
    struct flow_own own = {.state = OWN_NONE};
    struct record r = record("198.51.100.9", FAR);
    struct flow f;
    assert_int_equal(flow_attribute(&rules, &r, flow_ends(&rules, &r), &own, &f), FLOW_PENDING);
    struct flow m = flow_mirror(&f);
    assert_int_equal(f.at.asn, 64500);
    assert_int_equal(m.at.asn, 64501);
}

/* ---- small numbers ---- */

static void countries_are_numbers_and_back(void **state)
{
    (void)state;
    char text[3];
    assert_int_equal(country("AA"), 1);
    assert_int_equal(country("US"), US);
    assert_int_equal(country("ZZ"), 676);
    for (uint16_t i = 1; i <= 676; i++) {
        country_text(i, text);
        assert_int_equal(country(text), i);
    }
    country_text(0, text);
    assert_string_equal(text, "");
    country_text(677, text);
    assert_string_equal(text, "");
    assert_int_equal(country("us") + country("U") + country("USA") + country("U1") + country(""), 0);
}

static void services_are_numbers_and_back(void **state)
{
    (void)state;
    assert_int_equal(aws_service_number(SLICE_LIT("S3")), 3);
    assert_string_equal(aws_service_name(3), "S3");
    assert_int_equal(aws_service_number(SLICE_LIT("NO_SUCH")), 0);
    assert_string_equal(aws_service_name(0), "");
    assert_string_equal(aws_service_name(63), "");
    assert_true(aws_service_is_rented(2));
    assert_false(aws_service_is_rented(3) || aws_service_is_rented(63));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_keys_with_data_never_change),
        cmocka_unit_test(groups_read_as_provider_service_and_country),
        cmocka_unit_test(a_group_tells_its_country_where_the_key_has_room),
        cmocka_unit_test(the_network_of_a_group_is_the_same_in_every_country),
        cmocka_unit_test(what_data_say_of_an_inner_address_does_not_matter),
        cmocka_unit_test(only_listed_threats_are_told_as_such),
        cmocka_unit_test_setup_teardown(a_flow_knows_the_provider_of_its_peer, make_map, free_map),
        cmocka_unit_test(without_data_groups_are_networks),
        cmocka_unit_test_setup_teardown(a_mirrored_flow_knows_the_provider_of_the_other_end, make_map, free_map),
        cmocka_unit_test(countries_are_numbers_and_back),
        cmocka_unit_test(services_are_numbers_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
