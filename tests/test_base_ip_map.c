/* SPDX-License-Identifier: Apache-2.0 */
/* base, ip_map: nesting, borders, both families, against a search through all ranges; several maps as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/base.h>

static struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    if (ip_parse(slice_of(text), &a))
        fail_msg("refused: %s", text);
    return a;
}

static enum weir_err add(struct ip_map *m, const char *network, uint32_t value)
{
    struct ip first, last;
    assert_int_equal(cidr_parse(slice_of(network), &first, &last), WEIR_OK);
    return ip_map_add(m, first, last, value);
}

static struct ip_map *map_of(const char *const *networks, size_t n)
{
    struct ip_map *m = ip_map_new(1000);
    assert_non_null(m);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(add(m, networks[i], (uint32_t)i + 1), WEIR_OK);
    assert_int_equal(ip_map_seal(m), WEIR_OK);
    return m;
}
#define MAP_OF(...) map_of((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void the_narrowest_range_speaks(void **state)
{
    (void)state;
    struct ip_map *m = MAP_OF("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32");
    assert_int_equal(ip_map_find(m, ip("10.1.2.3")), 4);
    assert_int_equal(ip_map_find(m, ip("10.1.2.4")), 3);
    assert_int_equal(ip_map_find(m, ip("10.1.3.0")), 2);
    assert_int_equal(ip_map_find(m, ip("10.2.0.0")), 1);
    assert_int_equal(ip_map_find(m, ip("11.0.0.0")), 0);
    assert_int_equal(ip_map_find(m, ip("9.255.255.255")), 0);
    ip_map_free(m);
}

static void of_equal_ranges_the_larger_number_speaks(void **state)
{
    (void)state;
    struct ip_map *m = ip_map_new(9);
    assert_int_equal(add(m, "10.0.0.0/8", 7), WEIR_OK);
    assert_int_equal(add(m, "10.0.0.0/8", 3), WEIR_OK);
    assert_int_equal(ip_map_seal(m), WEIR_OK);
    assert_int_equal(ip_map_find(m, ip("10.0.0.1")), 7);
    ip_map_free(m);
}

static void the_ends_of_a_family_are_borders_like_others(void **state)
{
    (void)state;
    struct ip_map *m = MAP_OF("0.0.0.0/1", "255.255.255.0/24", "::/1", "ffff::/16");
    assert_int_equal(ip_map_find(m, ip("0.0.0.0")), 1);
    assert_int_equal(ip_map_find(m, ip("255.255.255.255")), 2);
    assert_int_equal(ip_map_find(m, ip("128.0.0.0")), 0);
    assert_int_equal(ip_map_find(m, ip("::")), 3);
    assert_int_equal(ip_map_find(m, ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), 4);
    assert_int_equal(ip_map_find(m, ip("8000::")), 0);
    ip_map_free(m);
}

static void all_of_ipv6_does_not_mean_ipv4(void **state)
{
    (void)state;
    struct ip_map *m = MAP_OF("::/0");
    assert_int_equal(ip_map_find(m, ip("10.0.0.1")), 0);
    assert_int_equal(ip_map_find(m, ip("2001:db8::1")), 1);
    ip_map_free(m);
}

static void ranges_that_cross_are_refused(void **state)
{
    (void)state;
    struct ip_map *m = ip_map_new(9);
    assert_int_equal(ip_map_add(m, ip("10.0.0.0"), ip("10.0.0.9"), 1), WEIR_OK);
    assert_int_equal(ip_map_add(m, ip("10.0.0.5"), ip("10.0.0.12"), 2), WEIR_OK);
    assert_int_equal(ip_map_seal(m), WEIR_EXISTS);
    ip_map_free(m);
}

static void a_range_backwards_or_over_families_is_refused(void **state)
{
    (void)state;
    struct ip_map *m = ip_map_new(9);
    assert_int_equal(ip_map_add(m, ip("10.0.0.9"), ip("10.0.0.0"), 1), WEIR_RANGE);
    assert_int_equal(ip_map_add(m, ip("10.0.0.9"), ip("2001:db8::1"), 1), WEIR_RANGE);
    ip_map_free(m);
}

static void more_ranges_than_asked_for_are_refused(void **state)
{
    (void)state;
    struct ip_map *m = ip_map_new(2);
    assert_int_equal(add(m, "10.0.0.0/8", 1), WEIR_OK);
    assert_int_equal(add(m, "11.0.0.0/8", 1), WEIR_OK);
    assert_int_equal(add(m, "12.0.0.0/8", 1), WEIR_LIMIT);
    assert_int_equal(ip_map_count(m), 2);
    ip_map_free(m);
}

static void an_empty_map_knows_nothing(void **state)
{
    (void)state;
    struct ip_map *m = ip_map_new(0);
    assert_int_equal(ip_map_seal(m), WEIR_OK);
    assert_int_equal(ip_map_find(m, ip("10.0.0.1")), 0);
    assert_int_equal(ip_map_find(m, ip("2001:db8::1")), 0);
    ip_map_free(m);
}

/* ---- against a search through all ranges ---- */

struct range { struct ip first, last; uint32_t value; };

static uint64_t draws;
static uint64_t draw(uint64_t below) { return stable_mix(draws += 0x9e3779b97f4a7c15ULL) % below; }

/* Networks of a few bits around two places, so that they nest, touch and lie far apart. */
static struct range draw_network(bool v4)
{
    char text[64];
    struct range r = {.value = 1 + (uint32_t)draw(5)};
    unsigned bits = v4 ? 8 + (unsigned)draw(25) : 32 + (unsigned)draw(97);
    struct ip a = v4 ? ip_from_v4((uint32_t)(draw(2) << 31 | draw(1 << 16))) : (struct ip){0x20010db800000000ULL | draw(16), draw(1 << 10)};
    a = ip_network(a, bits);
    size_t n = ip_format(a, text);
    snprintf(text + n, sizeof text - n, "/%u", bits);
    assert_int_equal(cidr_parse(slice_of(text), &r.first, &r.last), WEIR_OK);
    return r;
}

static bool wider(const struct range *a, const struct range *b)
{
    struct ip x = {a->last.hi - a->first.hi, a->last.lo - a->first.lo}, y = {b->last.hi - b->first.hi, b->last.lo - b->first.lo};
    return ip_cmp(x, y) > 0;
}

static uint32_t search(const struct range *r, size_t n, struct ip a)
{
    const struct range *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (ip_is_v4(a) == ip_is_v4(r[i].first) && ip_cmp(r[i].first, a) <= 0 && ip_cmp(a, r[i].last) <= 0 &&
            (!best || wider(best, &r[i]) || (!wider(&r[i], best) && r[i].value > best->value)))
            best = &r[i];
    return best ? best->value : 0;
}

enum { RANGES = 60 };

static void draw_map(struct range *r, struct ip_map **out)
{
    *out = ip_map_new(RANGES);
    for (size_t i = 0; i < RANGES; i++) {
        r[i] = draw_network(i & 1);
        assert_int_equal(ip_map_add(*out, r[i].first, r[i].last, r[i].value), WEIR_OK);
    }
    assert_int_equal(ip_map_seal(*out), WEIR_OK);
}

/* Each border and its neighbours. */
static size_t probes_of(const struct range *r, struct ip *out)
{
    for (size_t i = 0; i < RANGES; i++) {
        out[4 * i] = r[i].first;
        out[4 * i + 1] = r[i].last;
        out[4 * i + 2] = (struct ip){r[i].first.hi, r[i].first.lo - 1};
        out[4 * i + 3] = (struct ip){r[i].last.hi, r[i].last.lo + 1};
    }
    return (size_t)4 * RANGES;
}

static void says_what_a_search_through_all_ranges_says(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct range r[RANGES];
        struct ip probe[4 * RANGES];
        struct ip_map *m;
        draw_map(r, &m);
        for (size_t i = probes_of(r, probe); i > 0; i--)
            assert_int_equal(ip_map_find(m, probe[i - 1]), search(r, RANGES, probe[i - 1]));
        ip_map_free(m);
    }
}

static uint32_t join(void *ctx, const uint32_t *values)
{
    (void)ctx;
    return values[0] * 10 + values[1];
}

static void an_overlay_joins_what_its_layers_say(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 100; round++) {
        struct range a[RANGES], b[RANGES];
        struct ip probe[4 * RANGES];
        struct ip_map *x, *y;
        draw_map(a, &x);
        draw_map(b, &y);
        struct ip_map *both = ip_map_overlay((const struct ip_map *const[]){x, y}, 2, join, NULL);
        assert_non_null(both);
        for (size_t i = probes_of(a, probe); i > 0; i--)
            assert_int_equal(ip_map_find(both, probe[i - 1]), search(a, RANGES, probe[i - 1]) * 10 + search(b, RANGES, probe[i - 1]));
        ip_map_free(both);
        ip_map_free(x);
        ip_map_free(y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_narrowest_range_speaks),
        cmocka_unit_test(of_equal_ranges_the_larger_number_speaks),
        cmocka_unit_test(the_ends_of_a_family_are_borders_like_others),
        cmocka_unit_test(all_of_ipv6_does_not_mean_ipv4),
        cmocka_unit_test(ranges_that_cross_are_refused),
        cmocka_unit_test(a_range_backwards_or_over_families_is_refused),
        cmocka_unit_test(more_ranges_than_asked_for_are_refused),
        cmocka_unit_test(an_empty_map_knows_nothing),
        cmocka_unit_test(says_what_a_search_through_all_ranges_says),
        cmocka_unit_test(an_overlay_joins_what_its_layers_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
