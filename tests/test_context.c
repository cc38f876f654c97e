/* SPDX-License-Identifier: Apache-2.0 */
/* app, what the operator knows besides the logs: lists, ranges of Amazon, and all of it laid over each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/address_list.h"
#include "app/aws_ranges.h"
#include "app/context.h"

static struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    if (ip_parse(slice_of(text), &a))
        fail_msg("refused: %s", text);
    return a;
}

/* ---- lists ---- */

static enum weir_err list(const char *text, struct ip_map **out, struct data_about *about, struct fault *fault)
{
    size_t n = strlen(text);
    char *copy = malloc(n + 1);
    memcpy(copy, text, n);
    enum weir_err err = address_list_parse((struct slice){copy, n}, "l", out, about, fault);
    free(copy);
    return err;
}

static void a_list_holds_networks_addresses_and_comments(void **state)
{
    (void)state;
    struct ip_map *map;
    struct data_about about = {0};
    struct fault fault = {0};
    assert_int_equal(list("# partners\n10.0.0.0/8\r\n\n  192.0.2.1 # one host\n\t2001:db8::/32", &map, &about, &fault), WEIR_OK);
    assert_int_equal(about.entries, 3);
    assert_int_equal(ip_map_find(map, ip("10.9.9.9")), 1);
    assert_int_equal(ip_map_find(map, ip("192.0.2.1")), 1);
    assert_int_equal(ip_map_find(map, ip("192.0.2.2")), 0);
    assert_int_equal(ip_map_find(map, ip("2001:db8::7")), 1);
    ip_map_free(map);
}

static const struct { const char *text, *why; } bad_lists[] = {
    {"10.0.0.0/8\n  10.0.0/8\n", "list 'l': line 2, column 3: network '10.0.0/8': not an address or address/prefix"},
    {"10.0.0.1/8", "list 'l': line 1, column 1: network '10.0.0.1/8': bits are set to the right of the prefix"},
    {"10.0.0.0/8 11.0.0.0/8", "list 'l': line 1, column 1: network '10.0.0.0/8 11.0.0.0/8': not an address or address/prefix"},
    {"example.com", "list 'l': line 1, column 1: network 'example.com': not an address or address/prefix"},
};

static void any_other_line_refuses_the_list_with_line_and_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(bad_lists); i++) {
        struct ip_map *map;
        struct data_about about = {0};
        struct fault fault = {0};
        assert_int_equal(list(bad_lists[i].text, &map, &about, &fault), WEIR_USAGE);
        assert_string_equal(fault.text, bad_lists[i].why);
        assert_null(map);
    }
}

static void a_list_takes_250000_networks_and_no_more(void **state)
{
    (void)state;
    struct buffer b;
    struct ip_map *map;
    struct data_about about = {0};
    struct fault fault = {0};
    buffer_init(&b, 16u << 20);
    for (unsigned i = 0; i < ADDRESS_LIST_MAX; i++)
        buffer_printf(&b, "10.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
    assert_int_equal(list(buffer_cstr(&b), &map, &about, &fault), WEIR_OK);
    ip_map_free(map);
    buffer_puts(&b, "11.0.0.0\n");
    assert_int_equal(list(buffer_cstr(&b), &map, &about, &fault), WEIR_USAGE);
    assert_string_equal(fault.text, "list 'l': line 250001, column 1: more than 250000 networks");
    buffer_fini(&b);
}

/* ---- ranges of Amazon ---- */

#define RANGES                                                                                                                        \
    "{\"syncToken\":\"1\",\"createDate\":\"2026-06-17-19-53-07\",\"prefixes\":["                                                      \
    "{\"ip_prefix\":\"52.216.0.0/15\",\"region\":\"us-east-1\",\"service\":\"AMAZON\",\"network_border_group\":\"us-east-1\"},"         \
    "{\"ip_prefix\":\"52.216.0.0/15\",\"region\":\"us-east-1\",\"service\":\"S3\",\"network_border_group\":\"us-east-1\"},"             \
    "{\"ip_prefix\":\"54.0.0.0/10\",\"region\":\"GLOBAL\",\"service\":\"AMAZON\"},"                                                     \
    "{\"ip_prefix\":\"54.1.0.0/16\",\"region\":\"sa-east-1\",\"service\":\"EC2\"},"                                                     \
    "{\"ip_prefix\":\"54.1.2.0/24\",\"region\":\"sa-east-1\",\"service\":\"AMAZON\"},"                                                  \
    "{\"ip_prefix\":\"54.1.3.0/24\",\"region\":\"sa-east-1\",\"service\":\"EC2_INSTANCE_CONNECT\"},"                                    \
    "{\"ip_prefix\":\"54.2.0.0/16\",\"region\":\"sa-east-1\",\"service\":\"SOMETHING_NEW\"}],"                                          \
    "\"ipv6_prefixes\":[{\"ipv6_prefix\":\"2600:1f00::/24\",\"region\":\"us-east-1\",\"service\":\"EC2\"}]}"

static enum weir_err ranges(const char *text, struct aws_ranges **out, struct data_about *about, struct fault *fault)
{
    return aws_ranges_parse(slice_of(text), "r", out, about, fault);
}

static void a_prefix_names_service_and_region_and_the_narrowest_speaks(void **state)
{
    (void)state;
    struct aws_ranges *r;
    struct data_about about = {0};
    struct fault fault = {0};
    assert_int_equal(ranges(RANGES, &r, &about, &fault), WEIR_OK);
    assert_int_equal(about.entries, 8);
    assert_int_equal(about.made_s, 1781725987);
    uint32_t s3 = ip_map_find(aws_ranges_services(r), ip("52.217.0.1")), connect = ip_map_find(aws_ranges_services(r), ip("54.1.3.9"));
    assert_string_equal(aws_service_name(aws_ranges_service(s3)), "S3");
    assert_string_equal(aws_ranges_region(r, s3), "us-east-1");
    assert_string_equal(aws_service_name(aws_ranges_service(connect)), "EC2_INSTANCE_CONNECT");
    assert_string_equal(aws_ranges_region(r, connect), "sa-east-1");
    assert_int_equal(aws_ranges_service(ip_map_find(aws_ranges_services(r), ip("2600:1f00::1"))), aws_service_number(SLICE_LIT("EC2")));
    aws_ranges_free(r);
}

static void what_is_only_amazons_speaks_last_and_new_services_are_amazon(void **state)
{
    (void)state;
    struct aws_ranges *r;
    struct data_about about = {0};
    struct fault fault = {0};
    assert_int_equal(ranges(RANGES, &r, &about, &fault), WEIR_OK);
    assert_int_equal(aws_ranges_service(ip_map_find(aws_ranges_services(r), ip("54.1.2.9"))), aws_service_number(SLICE_LIT("EC2")));
    assert_int_equal(ip_map_find(aws_ranges_services(r), ip("54.2.0.9")), 0);
    assert_string_equal(aws_service_name(aws_ranges_service(ip_map_find(aws_ranges_rest(r), ip("54.2.0.9")))), "AMAZON");
    aws_ranges_free(r);
}

static const struct { const char *text, *why; } bad_ranges[] = {
    {"{\n \"prefixes\": [}", "address ranges 'r': line 2, column 15: unexpected token near '}'"},
    {"{}", "address ranges 'r': no list 'prefixes'"},
    {"[]", "address ranges 'r': no list 'prefixes'"},
    {"{\"prefixes\":[1],\"ipv6_prefixes\":[]}", "address ranges 'r': prefixes[0]: prefix, region and service must be text"},
    {"{\"prefixes\":[{\"ip_prefix\":\"1.2.3.4/8\",\"region\":\"a\",\"service\":\"S3\"}],\"ipv6_prefixes\":[]}",
     "address ranges 'r': prefixes[0]: not a network: '1.2.3.4/8'"},
    {"{\"prefixes\":[],\"prefixes\":[],\"ipv6_prefixes\":[]}", "address ranges 'r': line 1, column 25: duplicate object key near '\"prefixes\"'"},
};

static void any_other_document_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(bad_ranges); i++) {
        struct aws_ranges *r;
        struct data_about about = {0};
        struct fault fault = {0};
        assert_int_equal(ranges(bad_ranges[i].text, &r, &about, &fault), WEIR_USAGE);
        assert_string_equal(fault.text, bad_ranges[i].why);
        assert_null(r);
    }
}

/* ---- all of it together ---- */

struct files { char folder[32]; struct config *c; };

static int files_begin(void **state)
{
    static char *const env[] = {NULL};
    struct files *f = calloc(1, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/weir-context-XXXXXX");
    f->c = config_new(env);
    *state = f;
    return f->c && mkdtemp(f->folder) ? 0 : -1;
}

static int files_end(void **state)
{
    struct files *f = *state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    config_free(f->c);
    free(f);
    return system(command);
}

static void put(struct files *f, enum param_id id, const char *text)
{
    char path[64];
    struct fault fault = {0};
    snprintf(path, sizeof path, "%s/%u", f->folder, (unsigned)id);
    FILE *out = fopen(path, "we");
    assert_true(out && fputs(text, out) >= 0 && fclose(out) == 0);
    assert_int_equal(config_set(f->c, id, slice_of(path), FROM_FLAG, "x", &fault), WEIR_OK);
}

static void put_all(struct files *f)
{
    put(f, PARAM_geo_asn, "8.8.8.0\t8.8.8.255\t15169\tUS\tGOOGLE\n52.0.0.0\t52.255.255.255\t16509\tUS\tAMAZON-02\n"
                          "203.0.113.0\t203.0.113.255\t64500\tBR\tEXAMPLE\n");
    put(f, PARAM_geo_country, "203.0.113.0\t203.0.113.127\tAR\n");
    put(f, PARAM_aws_ip_ranges, RANGES);
    put(f, PARAM_lists_trusted, "203.0.113.9\n198.51.100.0/24\n");
    put(f, PARAM_lists_threat, "198.51.100.0/23\n");
}

static const struct { const char *address, *country, *name, *text; uint32_t asn; } peers[] = {
    {"203.0.113.1", "AR", "EXAMPLE", "AS64500 web (AR)", 64500},        /* the database of countries speaks first */
    {"203.0.113.200", "BR", "EXAMPLE", "AS64500 web (BR)", 64500},
    {"8.8.8.8", "US", "GOOGLE", "8.8.0.0/16 web (US)", 15169},          /* rented by everybody */
    {"52.217.0.1", "US", "Amazon S3, us-east-1", "AS16509 S3 web (US)", 16509},
    {"52.100.0.1", "US", "AMAZON-02", "52.100.0.0/16 web (US)", 16509}, /* of Amazon's systems, in no range of its */
    {"54.1.9.9", "", "Amazon EC2, sa-east-1", "54.1.9.0/24 web", 16509},
    {"54.3.0.1", "", "AMAZON, GLOBAL", "AS16509 AMAZON web", 16509},
    {"192.0.2.1", "", "", "192.0.0.0/16 web", 0},
    {"203.0.113.9", "AR", "EXAMPLE", "trusted destinations web", 64500},
    {"198.51.100.7", "", "", "trusted destinations web", 0},            /* on both lists */
    {"198.51.101.7", "", "", "198.51.101.0/24 web, listed as a threat", 0},
};

static void everything_known_of_an_address_comes_together(void **state)
{
    struct context *x;
    struct fault fault = {0};
    struct buffer b;
    put_all(*state);
    assert_int_equal(context_open(((struct files *)*state)->c, &x, &fault), WEIR_OK);
    struct flow_rules rules = {.providers = context_providers(x)};
    buffer_init(&b, 256);
    for (size_t i = 0; i < WEIR_COUNT(peers); i++) {
        struct flow f = {.peer = ip(peers[i].address), .external = true, .at = flow_provider_at(&rules, ip(peers[i].address))};
        char country[3] = "", name[64] = "";
        uint32_t asn = 0;
        buffer_clear(&b);
        group_format(flow_group(&f), &b);
        context_peer(x, f.peer, country, &asn, name, sizeof name);
        assert_string_equal(buffer_cstr(&b), peers[i].text);
        assert_string_equal(country, peers[i].country);
        assert_string_equal(name, peers[i].name);
        assert_int_equal(asn, peers[i].asn);
    }
    assert_true(context_trusted(x, ip("198.51.100.7")) && context_threat(x, ip("198.51.100.7")));
    assert_false(context_trusted(x, ip("198.51.101.7")) || context_threat(x, ip("8.8.8.8")));
    buffer_fini(&b);
    context_close(x);
}

static void without_files_nothing_is_known_and_nothing_asked(void **state)
{
    struct files *f = *state;
    struct context *x;
    struct fault fault = {0};
    char country[3] = "", name[64] = "", hash[17], plain[17];
    uint32_t asn = 0;
    assert_int_equal(context_open(f->c, &x, &fault), WEIR_OK);
    assert_null(context_providers(x));
    context_peer(x, ip("8.8.8.8"), country, &asn, name, sizeof name);
    assert_true(!*country && !*name && !asn);
    context_hash(x, f->c, hash);
    config_hash(f->c, plain);
    assert_string_equal(hash, plain);
    context_close(x);
}

static void hash_of(struct files *f, char out[17])
{
    struct context *x;
    struct fault fault = {0};
    assert_int_equal(context_open(f->c, &x, &fault), WEIR_OK);
    context_hash(x, f->c, out);
    context_close(x);
}

static void the_content_of_a_file_is_in_the_hash_and_its_name_is_not(void **state)
{
    struct files *f = *state;
    char one[17], same[17], other[17], path[64], moved[64];
    struct fault fault = {0};
    put(f, PARAM_lists_trusted, "10.0.0.0/8\n");
    hash_of(f, one);
    snprintf(path, sizeof path, "%s/%u", f->folder, (unsigned)PARAM_lists_trusted);
    snprintf(moved, sizeof moved, "%s/moved", f->folder);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(config_set(f->c, PARAM_lists_trusted, slice_of(moved), FROM_FLAG, "x", &fault), WEIR_OK);
    hash_of(f, same);
    assert_string_equal(one, same);
    put(f, PARAM_lists_trusted, "11.0.0.0/8\n");
    hash_of(f, other);
    assert_string_not_equal(one, other);
}

static void one_bad_file_opens_nothing_but_trying_tells_each(void **state)
{
    struct files *f = *state;
    struct context *x;
    struct fault fault = {0}, faults[CONTEXT_PARTS];
    put_all(f);
    put(f, PARAM_lists_threat, "nonsense\n");
    put(f, PARAM_geo_country, "nonsense\n");
    assert_int_equal(context_open(f->c, &x, &fault), WEIR_USAGE);
    assert_null(x);
    assert_non_null(strstr(fault.text, "line 1, column 1"));
    assert_int_equal(context_try(f->c, &x, faults), WEIR_USAGE);
    assert_int_equal(faults[CONTEXT_THREAT].err, WEIR_USAGE);
    assert_int_equal(faults[CONTEXT_COUNTRY].err, WEIR_USAGE);
    assert_int_equal(faults[CONTEXT_ASN].err, WEIR_OK);
    assert_true(context_trusted(x, ip("203.0.113.9")));
    assert_false(context_threat(x, ip("198.51.101.7")));
    context_close(x);
}

static void a_file_that_tells_nothing_asked_for_is_refused(void **state)
{
    struct files *f = *state;
    struct context *x;
    struct fault fault = {0};
    put(f, PARAM_geo_asn, "1.0.0.0\t1.0.0.255\tUS\n");
    assert_int_equal(context_open(f->c, &x, &fault), WEIR_USAGE);
    assert_non_null(strstr(fault.text, "tells no autonomous systems"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_holds_networks_addresses_and_comments),
        cmocka_unit_test(any_other_line_refuses_the_list_with_line_and_column),
        cmocka_unit_test(a_list_takes_250000_networks_and_no_more),
        cmocka_unit_test(a_prefix_names_service_and_region_and_the_narrowest_speaks),
        cmocka_unit_test(what_is_only_amazons_speaks_last_and_new_services_are_amazon),
        cmocka_unit_test(any_other_document_is_refused_with_its_place),
        cmocka_unit_test_setup_teardown(everything_known_of_an_address_comes_together, files_begin, files_end),
        cmocka_unit_test_setup_teardown(without_files_nothing_is_known_and_nothing_asked, files_begin, files_end),
        cmocka_unit_test_setup_teardown(the_content_of_a_file_is_in_the_hash_and_its_name_is_not, files_begin, files_end),
        cmocka_unit_test_setup_teardown(one_bad_file_opens_nothing_but_trying_tells_each, files_begin, files_end),
        cmocka_unit_test_setup_teardown(a_file_that_tells_nothing_asked_for_is_refused, files_begin, files_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
