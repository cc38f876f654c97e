/* SPDX-License-Identifier: Apache-2.0 */
/* Roles and rules of the configuration as claims: what a file may hold, what is refused and where it says so, and that their order
 * means nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "app/policy.h"

static char *const no_env[] = {NULL};

static enum weir_err read_yaml(const char *yaml, struct config **out, struct fault *fault)
{
    size_t n = strlen(yaml);
    char *copy = (malloc)(n ? n : 1); /* of exact size: a sanitizer sees a read of one byte too many */
    memcpy(copy, yaml, n);
    *out = config_new(no_env);
    assert_non_null(*out);
    enum weir_err err = config_read_text(*out, (struct slice){copy, n}, "f.yaml", fault);
    (free)(copy);
    return err ? err : config_finish(*out, fault);
}

static struct config *accepted(const char *yaml)
{
    struct fault fault = {0};
    struct config *c;
    if (read_yaml(yaml, &c, &fault))
        fail_msg("refused: %s", fault.text);
    return c;
}

/* Refused, with `place` (line and column) and `word` in the message. */
static void refused(const char *yaml, const char *place, const char *word)
{
    struct fault fault = {0};
    struct config *c;
    assert_int_equal(read_yaml(yaml, &c, &fault), WEIR_USAGE);
    if (!strstr(fault.text, place) || !strstr(fault.text, word) || strncmp(fault.text, "config 'f.yaml': line ", 22) != 0)
        fail_msg("'%s' and '%s' are not in: %s", place, word, fault.text);
    config_free(c);
}

#define ROLES "roles:\n  app: {networks: [10.0.1.0/24]}\n  db:\n    networks: [10.0.2.0/24]\n    interfaces: [eni-0b]\n    sensitive: true\n    daily_ceiling: 10GB\n"
#define RULES "policy:\n  - name: db-only-from-app\n    into: db\n    ports: [5432, tcp/6432]\n    from: [app]\n  - {name: a, out_of: any, to: [ours]}\n"

static void takes_roles_with_all_that_they_may_hold(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES "  later:\n");
    assert_int_equal(c->roles.n, 3);
    const struct config_role *db = (const struct config_role *)c->roles.item[1];
    assert_string_equal(db->entry.name, "db");
    assert_string_equal(db->networks.item[0], "10.0.2.0/24");
    assert_string_equal(db->interfaces.item[0], "eni-0b");
    assert_true(db->sensitive);
    assert_int_equal(db->daily_ceiling, 10000000000);
    config_free(c);
}

static void takes_rules_and_sorts_them_by_name(void **state)
{
    (void)state;
    struct config *c = accepted(ROLES RULES);
    assert_int_equal(c->policy.n, 2);
    const struct config_rule *a = (const struct config_rule *)c->policy.item[0], *db = (const struct config_rule *)c->policy.item[1];
    assert_string_equal(a->entry.name, "a");
    assert_string_equal(a->out_of, "any");
    assert_null(a->into);
    assert_int_equal(db->ports.n, 2);
    assert_int_equal(policy_rules(c->policy_rules), 2);
    config_free(c);
}

static void nothing_is_no_role_and_no_rule(void **state)
{
    (void)state;
    static const char *const yaml[] = {"", "roles:\n  # all comments\npolicy:\n", "roles: {}\npolicy: []\n"};
    for (size_t i = 0; i < WEIR_COUNT(yaml); i++) {
        struct config *c = accepted(yaml[i]);
        assert_null(c->role_map);
        assert_null(c->policy_rules);
        config_free(c);
    }
}

static void what_is_shown_parses_to_the_same_roles_and_rules(void **state)
{
    (void)state;
    struct config *a = accepted(ROLES RULES);
    struct buffer shown, again;
    buffer_init(&shown, 1u << 20);
    buffer_init(&again, 1u << 20);
    config_show(a, &shown);
    struct config *b = accepted(buffer_cstr(&shown));
    for (enum param_id id = PARAM_roles; id <= PARAM_policy; id++) {
        buffer_clear(&shown);
        buffer_clear(&again);
        config_value(a, id, &shown);
        config_value(b, id, &again);
        assert_string_equal(buffer_cstr(&shown), buffer_cstr(&again));
    }
    buffer_fini(&shown);
    buffer_fini(&again);
    config_free(a);
    config_free(b);
}

static void hash_of(const char *yaml, char out[17])
{
    struct config *c = accepted(yaml);
    config_hash(c, out);
    config_free(c);
}

static void the_order_of_entries_and_lists_does_not_change_the_hash(void **state)
{
    (void)state;
    char one[17], other[17];
    hash_of("roles: {a: {networks: [10.0.0.0/8, 192.0.2.1]}, b: {}}\npolicy: [{name: x, into: a, from: [a, b]}, {name: y, into: b, from: []}]\n", one);
    hash_of("policy: [{from: [], into: b, name: y}, {name: x, into: a, from: [b, a]}]\nroles: {b: {}, a: {networks: [192.0.2.1, 10.0.0.0/8]}}\n", other);
    assert_string_equal(one, other);
}

static void what_a_rule_means_changes_the_hash(void **state)
{
    (void)state;
    char one[17], other[17];
    hash_of("policy: [{name: x, into: any, from: [ours]}]\n", one);
    hash_of("policy: [{name: x, into: any, from: [internet]}]\n", other);
    assert_string_not_equal(one, other);
}

static void a_malformed_role_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *yaml, *place, *word; } cases[] = {
        {"roles: [a]\n", "line 1, column 8:", "mapping of names"},
        {"roles: {a: [10.0.0.0/8]}\n", "line 1, column 12:", "a role is a mapping"},
        {"roles: {9a: {}}\n", "line 1, column 9:", "begins with a letter"},
        {"roles: {any: {}}\n", "line 1, column 9:", "any, ours"},
        {"roles: {? [a] : {}}\n", "line 1, column 11:", "single word"},
        {"roles:\n  a: {netwroks: []}\n", "line 2, column 7:", "'networks'"},
        {"roles:\n  a: {networks: [], networks: []}\n", "line 2, column 21:", "twice"},
        {"roles:\n  a: {networks: 10.0.0.0/8}\n", "line 2, column 17:", "list"},
        {"roles:\n  a: {networks: [10.0.0.1/8]}\n", "line 2, column 18:", "10.0.0.1/8"},
        {"roles:\n  a: {networks: [[10.0.0.0/8]]}\n", "line 2, column 18:", "single values"},
        {"roles:\n  a: {interfaces: [10.0.0.1]}\n", "line 2, column 20:", "eni-0123"},
        {"roles:\n  a: {sensitive: yes}\n", "line 2, column 18:", "true or false"},
        {"roles:\n  a: {daily_ceiling: 10}\n  a: {}\n", "line 3, column 3:", "first on line 2"},
        {"roles:\n  a: {daily_ceiling: much}\n", "line 2, column 22:", "10GB"},
        {"roles:\n  a: {daily_ceiling: }\n", "line 2, column 22:", "no value"},
        {"roles: {a: {networks: [10.0.0.0/8]}, b: {networks: [10.0.0.0/8]}}\n", "line 1, column 38:", "role 'a' names, too"},
        {"roles: {a: {interfaces: [eni-1, eni-1]}}\n", "line 1, column 9:", "twice"},
    };
    for (size_t i = 0; i < WEIR_COUNT(cases); i++)
        refused(cases[i].yaml, cases[i].place, cases[i].word);
}

static void a_malformed_rule_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *yaml, *place, *word; } cases[] = {
        {"policy: {a: b}\n", "line 1, column 9:", "list of mappings"},
        {"policy: [a]\n", "line 1, column 10:", "a rule is a mapping"},
        {"policy:\n  - into: any\n    from: []\n", "line 2, column 5:", "'name'"},
        {"policy:\n  - {name: x, form: []}\n", "line 2, column 15:", "'from'"},
        {"policy:\n  - {name: x, from: []}\n", "line 2, column 5:", "'into' and 'out_of'"},
        {"policy:\n  - {name: x, into: any, out_of: any}\n", "line 2, column 5:", "one of"},
        {"policy:\n  - {name: x, into: any}\n", "line 2, column 5:", "'from'"},
        {"policy:\n  - {name: x, into: any, to: []}\n", "line 2, column 5:", "'from'"},
        {"policy:\n  - {name: x, out_of: any, to: [], from: []}\n", "line 2, column 5:", "'to'"},
        {"policy:\n  - {name: x, into: any, ports: [], from: []}\n", "line 2, column 5:", "leave 'ports' out"},
        {"policy:\n  - {name: x, into: any, ports: [1, other], from: []}\n", "line 2, column 5:", "alone"},
        {"policy:\n  - {name: x, into: any, ports: [65536], from: []}\n", "line 2, column 34:", "65536"},
        {"policy:\n  - {name: x, into: any, ports: [5-4], from: []}\n", "line 2, column 34:", "5-4"},
        {"policy:\n  - {name: x, into: ours, from: []}\n", "line 2, column 21:", "ours"},
        {"policy:\n  - {name: x, into: any, from: [other]}\n", "line 2, column 33:", "other"},
        {"policy:\n  - {name: x, into: any, from: [10.0.0.1/8]}\n", "line 2, column 33:", "10.0.0.1/8"},
        {"roles: {phi: {}}\npolicy:\n  - {name: x, into: any, from: [pih]}\n", "line 3, column 5:", "'phi'"},
        {"policy:\n  - {name: x, into: any, from: []}\n  - {name: x, into: any, from: []}\n", "line 3, column 5:", "first on line 2"},
    };
    for (size_t i = 0; i < WEIR_COUNT(cases); i++)
        refused(cases[i].yaml, cases[i].place, cases[i].word);
}

static void more_roles_than_the_cap_are_refused(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1u << 20);
    buffer_puts(&b, "roles:\n");
    for (int i = 0; i <= 1000; i++)
        buffer_printf(&b, "  r%d: {}\n", i);
    refused(buffer_cstr(&b), "line 1002, column 3:", "more than 1000");
    buffer_fini(&b);
}

static void the_environment_cannot_hold_roles(void **state)
{
    (void)state;
    char *const env[] = {"WEIR_ROLES=a", NULL};
    struct fault fault = {0};
    struct config *c = config_new(no_env);
    assert_int_equal(config_read_env(c, env, &fault), WEIR_USAGE);
    assert_non_null(strstr(fault.text, "only stand in the file"));
    config_free(c);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_roles_with_all_that_they_may_hold),
        cmocka_unit_test(takes_rules_and_sorts_them_by_name),
        cmocka_unit_test(nothing_is_no_role_and_no_rule),
        cmocka_unit_test(what_is_shown_parses_to_the_same_roles_and_rules),
        cmocka_unit_test(the_order_of_entries_and_lists_does_not_change_the_hash),
        cmocka_unit_test(what_a_rule_means_changes_the_hash),
        cmocka_unit_test(a_malformed_role_is_refused_with_its_place),
        cmocka_unit_test(a_malformed_rule_is_refused_with_its_place),
        cmocka_unit_test(more_roles_than_the_cap_are_refused),
        cmocka_unit_test(the_environment_cannot_hold_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
