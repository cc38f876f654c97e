/* SPDX-License-Identifier: Apache-2.0 */
/* app, databases of networks: the tables line by line, MaxMind DB against the library's own look-up. */
#include <arpa/inet.h>
#include <maxminddb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/geo.h"

static struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    if (ip_parse(slice_of(text), &a))
        fail_msg("refused: %s", text);
    return a;
}

static struct geo_into into_new(void)
{
    struct geo_into into = {ip_map_new(GEO_RANGES_MAX), ip_map_new(GEO_RANGES_MAX), as_names_new()};
    assert_true(into.asn && into.country && into.names);
    return into;
}

static void into_free(struct geo_into *into)
{
    ip_map_free(into->asn);
    ip_map_free(into->country);
    as_names_free(into->names);
}

static enum weir_err read_table(const char *text, struct geo_into *into, struct fault *fault)
{
    struct data_about about = {0};
    size_t n = strlen(text);
    char *copy = malloc(n + 1); /* exactly as long, so that a sanitizer sees a read beyond */
    memcpy(copy, text, n);
    enum weir_err err = geo_read_table((struct slice){copy, n}, "t.tsv", into, &about, fault);
    free(copy);
    return err;
}

static const char *country_at(const struct geo_into *into, const char *address)
{
    static char text[3];
    country_text((uint16_t)ip_map_find(into->country, ip(address)), text);
    return text;
}

static void a_table_tells_system_country_and_name(void **state)
{
    (void)state;
    struct geo_into into = into_new();
    struct fault fault = {0};
    assert_int_equal(read_table("1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n1.0.1.0\t1.0.3.255\t0\tNone\tNot routed\n"
                                "2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\t64500\tBR\tEXAMPLE, with a tab-free text\r\n",
                                &into, &fault), WEIR_OK);
    assert_int_equal(ip_map_seal(into.asn), WEIR_OK);
    assert_int_equal(ip_map_seal(into.country), WEIR_OK);
    assert_int_equal(ip_map_find(into.asn, ip("1.0.0.7")), 13335);
    assert_string_equal(country_at(&into, "1.0.0.7"), "US");
    assert_int_equal(ip_map_find(into.asn, ip("1.0.2.7")), 0);
    assert_string_equal(country_at(&into, "1.0.2.7"), "");
    assert_int_equal(ip_map_find(into.asn, ip("2001:db8:1::1")), 64500);
    assert_string_equal(as_names_find(into.names, 13335), "CLOUDFLARENET");
    assert_string_equal(as_names_find(into.names, 64500), "EXAMPLE, with a tab-free text");
    assert_string_equal(as_names_find(into.names, 1), "");
    into_free(&into);
}

static void a_table_of_three_columns_tells_countries_only(void **state)
{
    (void)state;
    struct geo_into into = into_new();
    struct fault fault = {0};
    assert_int_equal(read_table("1.0.0.0\t1.0.0.255\tUS\n1.0.1.0\t1.0.3.255\tUS\n1.0.4.0\t1.0.7.255\tAU\n", &into, &fault), WEIR_OK);
    assert_int_equal(ip_map_count(into.asn), 0);
    assert_int_equal(ip_map_count(into.country), 2); /* what touches and says the same is one range */
    into_free(&into);
}

static const struct { const char *text, *why; } bad_tables[] = {
    {"", "table 't.tsv' is empty"},
    {"1.0.0.0\t1.0.0.255\t1\tUS\n", "table 't.tsv': line 1, column 1: 4 columns, not 5 (ip2asn) or 3 (ip2country)"},
    {"\n", "table 't.tsv': line 1, column 1: 1 columns, not 5 (ip2asn) or 3 (ip2country)"},
    {"1.0.0.0\t1.0.0.255\t1\tUS\tA\n1.0.0\t1.0.1.255\t1\tUS\tA\n", "table 't.tsv': line 2, column 1: not an address: '1.0.0'"},
    {"1.0.0.0\t1.0.0.256\t1\tUS\tA\n", "table 't.tsv': line 1, column 9: not an address: '1.0.0.256'"},
    {"1.0.0.9\t1.0.0.8\t1\tUS\tA\n", "table 't.tsv': line 1, column 9: not the end of a range that begins in column 1: '1.0.0.8'"},
    {"1.0.0.9\t2001:db8::\t1\tUS\tA\n", "table 't.tsv': line 1, column 9: not the end of a range that begins in column 1: '2001:db8::'"},
    {"1.0.0.0\t1.0.0.9\t1\tUS\tA\n1.0.0.9\t1.0.0.10\t1\tUS\tA\n", "table 't.tsv': line 2, column 1: not behind the range of an earlier line: '1.0.0.9'"},
    {"1.0.0.0\t1.0.0.9\t-1\tUS\tA\n", "table 't.tsv': line 1, column 17: not the number of an autonomous system: '-1'"},
    {"1.0.0.0\t1.0.0.9\t4294967296\tUS\tA\n", "table 't.tsv': line 1, column 17: not the number of an autonomous system: '4294967296'"},
    {"1.0.0.0\t1.0.0.9\t1\tus\tA\n", "table 't.tsv': line 1, column 19: not a country of two letters: 'us'"},
};

static void any_other_line_refuses_the_table_with_line_and_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(bad_tables); i++) {
        struct geo_into into = into_new();
        struct fault fault = {0};
        assert_int_equal(read_table(bad_tables[i].text, &into, &fault), WEIR_USAGE);
        assert_string_equal(fault.text, bad_tables[i].why);
        into_free(&into);
    }
}

static void a_name_is_cut_between_characters_and_the_first_one_stays(void **state)
{
    (void)state;
    struct as_names *n = as_names_new();
    char text[101];
    memset(text, 'a', 100);
    text[100] = 0;
    memcpy(text + 62, "\xc3\xa9", 2); /* would be cut in the middle */
    assert_true(as_names_put(n, 1, slice_of(text)));
    assert_true(as_names_put(n, 1, SLICE_LIT("later")));
    assert_int_equal(strlen(as_names_find(n, 1)), 62);
    for (uint32_t i = 2; i < 5000; i++)
        assert_true(as_names_put(n, i, SLICE_LIT("x")));
    assert_int_equal(as_names_count(n), 4999);
    assert_string_equal(as_names_find(n, 4999), "x");
    as_names_free(n);
}

/* ---- MaxMind DB ---- */

static const char *country_of(MMDB_s *db, const char *address)
{
    static char text[3];
    int gai = 0, error = 0;
    MMDB_entry_data_s d;
    MMDB_lookup_result_s r = MMDB_lookup_string(db, address, &gai, &error);
    text[0] = 0;
    if (!error && r.found_entry &&
        ((MMDB_get_value(&r.entry, &d, "country", "iso_code", NULL) == MMDB_SUCCESS && d.has_data) ||
         (MMDB_get_value(&r.entry, &d, "country_code", NULL) == MMDB_SUCCESS && d.has_data)))
        snprintf(text, sizeof text, "%.*s", (int)d.data_size, d.utf8_string);
    return text;
}

static bool has(const char *path)
{
    if (access(path, R_OK) == 0)
        return true;
    print_message("SKIPPED: no %s\n", path);
    return false;
}

#define GEO "../shared/data/geo/"

static void demand_same_country(const struct geo_into *into, MMDB_s *db, const struct ip a)
{
    char address[IP_TEXT_MAX];
    ip_format(a, address);
    if (strcmp(country_at(into, address), country_of(db, address)) != 0)
        fail_msg("%s: %s, not %s", address, country_at(into, address), country_of(db, address));
}

static void compare_with_library(const char *path, unsigned draws, bool v6)
{
    struct geo_into into = into_new();
    struct data_about about = {0};
    struct fault fault = {0};
    MMDB_s db;
    assert_int_equal(geo_read(path, &into, &about, &fault), WEIR_OK);
    assert_int_equal(ip_map_seal(into.country), WEIR_OK);
    assert_string_equal(about.form, "MaxMind DB");
    assert_int_equal(MMDB_open(path, MMDB_MODE_MMAP, &db), MMDB_SUCCESS);
    for (uint64_t i = 1; i <= draws; i++) {
        uint64_t r = stable_mix(i * 0x9e3779b97f4a7c15ULL);
        demand_same_country(&into, &db, ip_from_v4((uint32_t)r));
        if (v6)
            demand_same_country(&into, &db, (struct ip){0x2000000000000000ULL | r >> 3, r});
    }
    MMDB_close(&db);
    into_free(&into);
}

static void a_database_says_what_its_own_library_says(void **state)
{
    (void)state;
    if (has(GEO "iptoasn-country-ipv4.mmdb"))
        compare_with_library(GEO "iptoasn-country-ipv4.mmdb", 200000, false);
    if (has(GEO "maxmind-test/GeoLite2-Country-Test.mmdb"))
        compare_with_library(GEO "maxmind-test/GeoLite2-Country-Test.mmdb", 20000, true);
}

static void small_networks_of_both_families_are_found(void **state)
{
    (void)state;
    struct geo_into into = into_new();
    struct data_about about = {0};
    struct fault fault = {0};
    const char *path = GEO "maxmind-test/GeoLite2-ASN-Test.mmdb";
    if (has(path)) {
        assert_int_equal(geo_read(path, &into, &about, &fault), WEIR_OK);
        assert_int_equal(ip_map_seal(into.asn), WEIR_OK);
        assert_int_equal(ip_map_find(into.asn, ip("1.128.0.1")), 1221);
        assert_string_equal(as_names_find(into.names, 1221), "Telstra Pty Ltd");
        assert_int_equal(ip_map_find(into.asn, ip("2600:6000::1")), 237);
        assert_int_equal(ip_map_find(into.asn, ip("2002:180::1")), 0); /* 6to4 points to IPv4 again: no range of its own */
    }
    into_free(&into);
}

static void damaged_trees_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"maxmind-test/MaxMind-DB-test-broken-search-tree-24.mmdb", "maxmind-test/MaxMind-DB-test-broken-pointers-24.mmdb",
                                        "maxmind-bad/libmaxminddb/libmaxminddb-separator-record-min-left.mmdb"};
    for (size_t i = 0; i < WEIR_COUNT(names); i++) {
        char path[200];
        struct geo_into into = into_new();
        struct data_about about = {0};
        struct fault fault = {0};
        snprintf(path, sizeof path, GEO "%s", names[i]);
        if (has(path)) {
            assert_int_equal(geo_read(path, &into, &about, &fault), WEIR_USAGE);
            assert_non_null(strstr(fault.text, "cannot be used: input is damaged"));
        }
        into_free(&into);
    }
}

static void what_is_neither_is_refused(void **state)
{
    (void)state;
    struct geo_into into = into_new();
    struct data_about about = {0};
    struct fault fault = {0};
    assert_int_equal(geo_read("README.md", &into, &about, &fault), WEIR_USAGE);
    assert_non_null(strstr(fault.text, "table 'README.md': line 1, column 1"));
    assert_int_equal(geo_read("no/such/file", &into, &about, &fault), WEIR_USAGE);
    into_free(&into);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_tells_system_country_and_name),
        cmocka_unit_test(a_table_of_three_columns_tells_countries_only),
        cmocka_unit_test(any_other_line_refuses_the_table_with_line_and_column),
        cmocka_unit_test(a_name_is_cut_between_characters_and_the_first_one_stays),
        cmocka_unit_test(a_database_says_what_its_own_library_says),
        cmocka_unit_test(small_networks_of_both_families_are_found),
        cmocka_unit_test(damaged_trees_are_refused),
        cmocka_unit_test(what_is_neither_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
