/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which role, and which rules a flow breaks, as claims. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "app/policy.h"

static struct config *accepted(const char *yaml)
{
    static char *const no_env[] = {NULL};
    struct fault fault = {0};
    struct config *c = config_new(no_env);
    assert_non_null(c);
    if (config_read_text(c, slice_of(yaml), "f.yaml", &fault) || config_finish(c, &fault))
        fail_msg("refused: %s", fault.text);
    return c;
}

static struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    assert_int_equal(ip_parse(slice_of(text), &a), WEIR_OK);
    return a;
}

#define ROLES "roles:\n  app: {networks: [10.0.1.0/24]}\n  db: {networks: [10.0.2.0/24], sensitive: true, daily_ceiling: 1GB}\n  vpc: {networks: [10.0.0.0/16]}\n" \
              "  bastion: {interfaces: [eni-0b]}\n"

/* ---- roles ---- */

static const char *word_of(const struct config *c, const char *interface, const char *host)
{
    return role_word(c->role_map, roles_of_host(c->role_map, NULL, slice_of(interface), ip(host)));
}

static void the_narrowest_network_gives_the_role(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES);
    assert_string_equal(word_of(c, "eni-1", "10.0.1.5"), "app");
    assert_string_equal(word_of(c, "eni-1", "10.0.9.5"), "vpc");
    assert_string_equal(word_of(c, "eni-1", "10.9.1.5"), "");
    config_free(c);
}

static void the_interface_wins_over_the_network(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES);
    assert_string_equal(word_of(c, "eni-0b", "10.0.1.5"), "bastion");
    assert_string_equal(word_of(c, "eni-0bb", "10.0.1.5"), "app");
    config_free(c);
}

static void a_role_tells_its_ceiling_and_whether_it_is_sensitive(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES);
    uint16_t db = roles_find(c->role_map, SLICE_LIT("db")), app = roles_find(c->role_map, SLICE_LIT("app"));
    assert_int_equal(role_daily_ceiling(c->role_map, db), 1000000000);
    assert_true(role_sensitive(c->role_map, db));
    assert_int_equal(role_daily_ceiling(c->role_map, app), 0);
    assert_false(role_sensitive(c->role_map, app));
    config_free(c);
}

static void without_roles_nobody_has_one(void **state)
{
    (void)state;
    struct config *c = accepted("");
    assert_string_equal(word_of(c, "eni-1", "10.0.1.5"), "");
    assert_int_equal(role_daily_ceiling(c->role_map, ROLE_NONE), 0);
    config_free(c);
}

static struct inventory *inventory(const char *csv)
{
    char path[] = "/tmp/test_policy.XXXXXX";
    struct fault fault = {0};
    struct data_about about;
    struct inventory *inv = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, csv, strlen(csv)), strlen(csv));
    close(fd);
    if (inventory_read(path, "role", &inv, &about, &fault))
        fail_msg("refused: %s", fault.text);
    unlink(path);
    return inv;
}

static void the_inventory_gives_the_role_where_the_configuration_does_not(void **state)
{
    (void)state;
    struct config *c = accepted("roles:\n  app: {networks: [10.0.1.0/24]}\n  db:\n");
    struct inventory *inv = inventory("interface,address,role,vpc\neni-1,10.0.2.5,db,vpc-1\neni-2,10.0.1.5,db,vpc-1\neni-3,10.0.3.5,web,vpc-1\n"
                                      "eni-4,10.0.2.5,web,vpc-2\n");
    uint16_t db = roles_find(c->role_map, SLICE_LIT("db")), app = roles_find(c->role_map, SLICE_LIT("app"));
    assert_int_equal(roles_of_host(c->role_map, inv, SLICE_LIT("eni-1"), ip("10.0.2.5")), db);
    assert_int_equal(roles_of_host(c->role_map, inv, SLICE_LIT("eni-2"), ip("10.0.1.5")), app);
    assert_int_equal(roles_of_host(c->role_map, inv, SLICE_LIT("eni-3"), ip("10.0.3.5")), ROLE_NONE); /* no such role configured */
    assert_int_equal(roles_of_peer(c->role_map, inv, SLICE_LIT("eni-3"), ip("10.0.2.5")), db);        /* in the VPC of eni-3 */
    assert_int_equal(roles_of_peer(c->role_map, inv, SLICE_LIT("eni-9"), ip("10.0.2.5")), ROLE_NONE); /* two have the address */
    inventory_free(inv);
    config_free(c);
}

/* ---- rules ---- */

/* host called peer, or was called by it, at this port. */
static struct flow connection(const char *host, enum flow_opened by, const char *peer, uint8_t protocol, uint16_t port)
{
    struct flow f = {.host = ip(host), .peer = ip(peer), .bytes = 1000, .protocol = protocol, .service_port = port, .opened = (uint8_t)by, .out = true};
    f.external = !ip_is_private(f.peer);
    return f;
}

/* The names of the rules it breaks, joined by blanks. */
static const char *broken(const struct config *c, struct flow f)
{
    static char names[256];
    static uint16_t rule[POLICY_RULES_MAX];
    size_t n = policy_broken(c->policy_rules, NULL, SLICE_LIT("eni-1"), &f, rule), at = 0;
    names[0] = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? " " : "", policy_rule_name(c->policy_rules, rule[i]));
    return names;
}

static void only_the_allowed_role_may_call_a_port(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "policy: [{name: r, into: db, ports: [5432], from: [app]}]\n");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "10.0.1.5", 6, 5432)), "");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "10.0.9.5", 6, 5432)), "r");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "10.0.9.5", 6, 22)), "");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "203.0.113.5", 6, 5432)), "r");
    config_free(c);
}

static void a_connection_is_judged_at_the_host_whose_rule_it_is_only(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "policy: [{name: in, into: db, from: []}, {name: out, out_of: app, to: []}]\n");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "10.0.1.5", 6, 5432)), "in");
    assert_string_equal(broken(c, connection("10.0.1.5", OPENED_BY_HOST, "10.0.2.5", 6, 5432)), "out");
    config_free(c);
}

static void either_direction_of_bytes_breaks_the_rule(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "policy: [{name: r, into: db, from: []}]\n");
    struct flow f = connection("10.0.2.5", OPENED_BY_PEER, "10.0.1.5", 6, 5432);
    f.out = false;
    assert_string_equal(broken(c, f), "r");
    config_free(c);
}

static void an_unknown_opener_breaks_nothing(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "policy: [{name: a, into: any, from: []}, {name: b, out_of: any, to: []}]\n");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_UNKNOWN, "10.0.1.5", 6, 40000)), "");
    config_free(c);
}

static void ours_internet_and_networks_are_ends(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "policy: [{name: r, out_of: db, to: [ours, 203.0.113.0/24]}, {name: s, into: app, from: [internet]}]\n");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_HOST, "10.9.1.5", 6, 443)), "");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_HOST, "203.0.113.9", 6, 443)), "");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_HOST, "203.0.114.9", 6, 443)), "r");
    assert_string_equal(broken(c, connection("10.0.1.5", OPENED_BY_PEER, "203.0.114.9", 6, 443)), "");
    assert_string_equal(broken(c, connection("10.0.1.5", OPENED_BY_PEER, "10.9.1.5", 6, 443)), "s");
    config_free(c);
}

static void any_and_a_network_can_be_the_hosts_of_a_rule(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "policy: [{name: all, out_of: any, ports: [22], to: []}, {name: net, out_of: 10.0.9.0/28, ports: [23], to: []}]\n");
    assert_string_equal(broken(c, connection("10.0.1.5", OPENED_BY_HOST, "10.0.2.5", 6, 22)), "all");
    assert_string_equal(broken(c, connection("10.77.0.1", OPENED_BY_HOST, "10.0.2.5", 6, 22)), "all");
    assert_string_equal(broken(c, connection("10.0.9.5", OPENED_BY_HOST, "10.0.2.5", 6, 23)), "net");
    assert_string_equal(broken(c, connection("10.0.9.55", OPENED_BY_HOST, "10.0.2.5", 6, 23)), "");
    config_free(c);
}

static void ports_hold_protocols_and_ranges(void **state)
{
    (void)state;
    struct config *c = accepted("policy: [{name: r, into: any, ports: [tcp/80, udp/5000-5100, 53], from: []}]\n");
    static const struct { uint8_t protocol; uint16_t port; bool in; } cases[] = {
        {6, 80, true}, {17, 80, false}, {17, 5000, true}, {17, 5100, true}, {17, 5101, false}, {6, 5050, false}, {6, 53, true}, {17, 53, true}};
    for (size_t i = 0; i < WEIR_COUNT(cases); i++)
        assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "10.0.1.5", cases[i].protocol, cases[i].port)), cases[i].in ? "r" : "");
    config_free(c);
}

static void other_ports_are_those_that_no_rule_with_the_same_hosts_names(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "policy: [{name: r, into: db, ports: [5432], from: [app]}, {name: o, into: db, ports: [other], from: []}, "
                                      "{name: x, into: app, ports: [80], from: [any]}]\n");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "10.0.1.5", 6, 5432)), "");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "10.0.1.5", 6, 80)), "o");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "10.0.9.5", 6, 5432)), "r");
    config_free(c);
}

static void one_flow_can_break_several_rules(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "policy: [{name: a, into: any, from: [ours]}, {name: b, into: db, from: [app]}, {name: c, into: db, from: [any]}]\n");
    assert_string_equal(broken(c, connection("10.0.2.5", OPENED_BY_PEER, "203.0.113.5", 6, 5432)), "a b");
    config_free(c);
}

static void the_group_of_a_rule_follows_its_name_alone(void **state)
{
    (void)state;
    struct config *a = accepted("policy: [{name: m, into: any, from: []}]\n");
    struct config *b = accepted("policy: [{name: a, into: any, from: []}, {name: m, out_of: any, to: [ours]}]\n");
    uint64_t group = policy_rule_group(b->policy_rules, 1);
    assert_true(group == policy_rule_group(a->policy_rules, 0));
    assert_int_equal(group_kind(group), GROUP_POLICY);
    assert_string_equal(policy_group_name(b->policy_rules, group), "m");
    assert_null(policy_group_name(a->policy_rules, policy_rule_group(b->policy_rules, 0)));
    config_free(a);
    config_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_narrowest_network_gives_the_role),
        cmocka_unit_test(the_interface_wins_over_the_network),
        cmocka_unit_test(a_role_tells_its_ceiling_and_whether_it_is_sensitive),
        cmocka_unit_test(without_roles_nobody_has_one),
        cmocka_unit_test(the_inventory_gives_the_role_where_the_configuration_does_not),
        cmocka_unit_test(only_the_allowed_role_may_call_a_port),
        cmocka_unit_test(a_connection_is_judged_at_the_host_whose_rule_it_is_only),
        cmocka_unit_test(either_direction_of_bytes_breaks_the_rule),
        cmocka_unit_test(an_unknown_opener_breaks_nothing),
        cmocka_unit_test(ours_internet_and_networks_are_ends),
        cmocka_unit_test(any_and_a_network_can_be_the_hosts_of_a_rule),
        cmocka_unit_test(ports_hold_protocols_and_ranges),
        cmocka_unit_test(other_ports_are_those_that_no_rule_with_the_same_hosts_names),
        cmocka_unit_test(one_flow_can_break_several_rules),
        cmocka_unit_test(the_group_of_a_rule_follows_its_name_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
