/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as claims: what a file may hold, what is refused and where it says so, which source of a value wins,
 * and that what is shown parses to the same configuration. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config.h"
#include "weir/score.h"

static char *const no_env[] = {NULL};

static struct config *fresh(void)
{
    struct config *c = config_new(no_env);
    assert_non_null(c);
    return c;
}

/* An exact-size copy: a sanitizer sees a read of one byte too many. */
static enum weir_err read_copy(struct config *c, const char *yaml, size_t n, struct fault *fault)
{
    char *copy = (malloc)(n ? n : 1);
    memcpy(copy, yaml, n);
    enum weir_err err = config_read_text(c, (struct slice){copy, n}, "f.yaml", fault);
    (free)(copy);
    return err;
}

static struct config *accepted(const char *yaml)
{
    struct fault fault = {0};
    struct config *c = fresh();
    enum weir_err err = read_copy(c, yaml, strlen(yaml), &fault);
    if (err || config_finish(c, &fault) != WEIR_OK)
        fail_msg("refused: %s", fault.text);
    return c;
}

/* Refused, with `place` (line and column) and `word` in the message. */
static void refused_n(const char *yaml, size_t n, const char *place, const char *word)
{
    struct fault fault = {0};
    struct config *c = fresh();
    assert_int_equal(read_copy(c, yaml, n, &fault), WEIR_USAGE);
    if (!strstr(fault.text, place) || !strstr(fault.text, word) || strncmp(fault.text, "config 'f.yaml': line ", 22) != 0)
        fail_msg("'%s' and '%s' are not in: %s", place, word, fault.text);
    config_free(c);
}

static void refused(const char *yaml, const char *place, const char *word)
{
    refused_n(yaml, strlen(yaml), place, word);
}

static char *shown(const struct config *c)
{
    struct buffer b;
    buffer_init(&b, 1u << 22);
    config_show(c, &b);
    char *copy = (strdup)(buffer_cstr(&b));
    buffer_fini(&b);
    return copy;
}

static void assert_same_values(const struct config *a, const struct config *b)
{
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        struct buffer x, y;
        buffer_init(&x, 1u << 22);
        buffer_init(&y, 1u << 22);
        config_value(a, id, &x);
        config_value(b, id, &y);
        assert_string_equal(buffer_cstr(&x), buffer_cstr(&y));
        buffer_fini(&x);
        buffer_fini(&y);
    }
}

/* ---- what is taken ---- */
static void every_default_passes_its_own_range(void **state)
{
    (void)state;
    struct config *c = accepted("");
    assert_int_equal(c->lateness_s, 900);
    assert_int_equal(c->max_object_bytes, 64ULL << 30);
    assert_int_equal(c->budget.findings, 1);
    assert_int_equal(c->budget.per, 1000);
    assert_int_equal(c->checkpoint_objects, 20000);
    config_free(c);
}

static void takes_a_file_of_nothing_but_comments(void **state)
{
    (void)state;
    config_free(accepted("# threads: 2\n"));
    config_free(accepted("---\n"));
    config_free(accepted("networks:\n  # own: []\nthreads: 2\n"));
}

static void takes_every_kind_of_value(void **state)
{
    (void)state;
    struct config *c = accepted("store: sqlite:/tmp/w.db\nthreads: 3\nwindow:\n  lateness: 2h\ninput:\n  max_object_bytes: 20MB\n"
                                "detection: {budget: 3/week}\nlog:\n  level: debug\nnetworks:\n  own:\n  - 10.0.0.0/8\n  - \"2001:db8::/32\"\nserve:\n  listen: 127.0.0.1:19847\n");
    assert_string_equal(c->store, "sqlite:/tmp/w.db");
    assert_string_equal(c->serve_listen, "127.0.0.1:19847");
    assert_int_equal(c->threads, 3);
    assert_int_equal(c->lateness_s, 7200);
    assert_int_equal(c->max_object_bytes, 20000000);
    assert_int_equal(c->budget.per, 0);
    assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(c->own.n, 2);
    config_free(c);
}

static void own_networks_answer_for_their_addresses(void **state)
{
    (void)state;
    struct config *c = accepted("networks:\n  own: [10.0.0.0/8, 192.0.2.7]\n");
    struct ip inside, outside;
    assert_int_equal(ip_parse(SLICE_LIT("10.1.2.3"), &inside), WEIR_OK);
    assert_int_equal(ip_parse(SLICE_LIT("192.0.2.8"), &outside), WEIR_OK);
    assert_true(cidr_set_has(c->own_networks, inside));
    assert_false(cidr_set_has(c->own_networks, outside));
    config_free(c);
}

static void no_own_network_leaves_the_set_null(void **state)
{
    (void)state;
    struct config *c = accepted("networks:\n  own: []\n");
    assert_null(c->own_networks);
    config_free(c);
}

static void forwarders_are_sorted_into_interfaces_and_networks(void **state)
{
    (void)state;
    struct config *c = accepted("networks:\n  forwarders: [eni-0b, 10.0.0.7, eni-0a, \"fd00::/8\", nat-01]\n");
    assert_int_equal(c->forwarder_interfaces_n, 3);
    assert_string_equal(c->forwarder_interfaces[0], "eni-0a");
    assert_string_equal(c->forwarder_interfaces[2], "nat-01");
    assert_true(cidr_set_has(c->forwarder_networks, ip_from_v4(0x0a000007)) && !cidr_set_has(c->forwarder_networks, ip_from_v4(0x0a000008)));
    config_free(c);
}

static void a_budget_by_host_days_may_promise_a_week_at_least(void **state)
{
    (void)state;
    assert_true(fabs(budget_per_host_day((struct budget){1, 1000, 1}, 10) - 1.0 / 70) < 1e-12);
    assert_true(fabs(budget_per_host_day((struct budget){1, 1000, 1}, 1000) - 0.001) < 1e-12);
}

static void a_weekly_budget_is_shared_by_the_hosts(void **state)
{
    (void)state;
    double daily = budget_per_host_day((struct budget){1, 1000, 0}, 50), weekly = budget_per_host_day((struct budget){7, 0, 0}, 100);
    assert_true(daily > 0.000999 && daily < 0.001001);
    assert_true(weekly > 0.00999 && weekly < 0.01001);
}

static void tests_are_left_out_by_name(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct config *c = accepted("detection:\n  without: beacon, hour-volume beacon-far\n");
    assert_int_equal(c->tests_left_out, 1u << SCORE_BEACON | 1u << SCORE_HOUR_VOLUME | 1u << SCORE_BEACON_FAR);
    config_free(c);
    c = fresh();
    assert_int_equal(config_set(c, PARAM_tests_without, SLICE_LIT("becon"), FROM_FLAG, "--without", &fault), WEIR_OK);
    assert_int_equal(config_finish(c, &fault), WEIR_USAGE);
    assert_string_equal(fault.text, "'detection.without': no test is called 'becon'; the nearest is 'beacon'");
    config_free(c);
}

/* ---- what is refused ---- */
static void unknown_key_gets_its_place_and_the_nearest_name(void **state)
{
    (void)state;
    refused("threads: 2\ndetection:\n  bugdet: 1/week\n", "line 3, column 3:", "'detection.budget'");
    refused("network:\n  own: []\n", "line 1, column 1:", "'networks'");
    refused("zzzzzzzz: 1\n", "line 1, column 1:", "weir config keys");
}

static void repeated_key_is_refused(void **state)
{
    (void)state;
    refused("threads: 2\nthreads: 2\n", "line 2, column 1:", "twice, first on line 1");
    refused("log:\n  level: info\nlog:\n  format: json\n", "line 3, column 1:", "twice");
}

static void value_of_a_wrong_type_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *place, *word;
    } cases[] = {
        {"threads: two\n", "line 1, column 10:", "from 0 to 64"},
        {"threads: \"2\"\n", "line 1, column 10:", "quotes"},
        {"threads: 2.0\n", "line 1, column 10:", "2.0"},
        {"threads: 010\n", "line 1, column 10:", "010"},
        {"threads: -1\n", "line 1, column 10:", "-1"},
        {"threads:\n", "line 1, column 9:", "no value"},
        {"threads: ~\n", "line 1, column 10:", "no value"},
        {"threads: [2]\n", "line 1, column 10:", "not a list"},
        {"threads: {a: 2}\n", "line 1, column 10:", "not a section"},
        {"store: 12\n", "line 1, column 8:", "quotes"},
        {"store: /tmp/x.db\n", "line 1, column 8:", "sqlite:PATH"},
        {"store: sqlte:x.db\n", "line 1, column 8:", "'store': no kind of store is called 'sqlte'"},
        {"store: yes\n", "line 1, column 8:", "quotes"},
        {"serve:\n  listen: 1:30.5\n", "line 2, column 11:", "quotes"},
        {"window:\n  lateness: 15\n", "line 2, column 13:", "15m"},
        {"window: 3\n", "line 1, column 9:", "section"},
        {"networks:\n  own: 10.0.0.0/8\n", "line 2, column 8:", "list"},
        {"networks:\n  own: [[10.0.0.0/8]]\n", "line 2, column 9:", "single values"},
        {"log:\n  level: loud\n", "line 2, column 10:", "error, warn, info, debug"},
        {"- threads\n", "line 1, column 1:", "keys and values"},
        {"[a]: 1\n", "line 1, column 1:", "single word"},
    };
    for (size_t i = 0; i < WEIR_COUNT(cases); i++)
        refused(cases[i].yaml, cases[i].place, cases[i].word);
}

static void value_out_of_range_is_refused(void **state)
{
    (void)state;
    refused("threads: 65\n", "line 1, column 10:", "from 0 to 64");
    refused("threads: 99999999999999999999\n", "line 1, column 10:", "from 0 to 64");
    refused("window:\n  lateness: 8d\n", "line 2, column 13:", "from 0 to 7d");
    refused("input:\n  max_object_bytes: 1KiB\n", "line 2, column 21:", "from 64KiB");
}

static void malformed_budget_is_refused(void **state)
{
    (void)state;
    static const char *const budgets[] = {"1", "0/week", "1/month", "1/0 host-days", "1/1000", "/week", "1/1000 hosts", "1.5/week", "x/week", "1/week ly", "1/week or 1/week", "1/1000 host-days or", "1/1000 host-days or 2/10 host-days"};
    for (size_t i = 0; i < WEIR_COUNT(budgets); i++) {
        char yaml[64];
        snprintf(yaml, sizeof yaml, "detection:\n  budget: \"%s\"\n", budgets[i]);
        refused(yaml, "line 2, column 11:", "2/week");
    }
}

static void malformed_network_is_refused_with_its_own_line(void **state)
{
    (void)state;
    refused("networks:\n  own:\n  - 10.0.0.0/8\n  - 10.0.0.0/33\n", "line 4, column 5:", "networks.own");
    refused("networks:\n  own:\n  - eni-0a\n", "line 3, column 5:", "networks.own");
    refused("networks:\n  forwarders: [\"\"]\n", "line 2, column 16:", "1 to 255");
}

static void tab_is_refused(void **state)
{
    (void)state;
    refused("log:\n\tlevel: info\n", "line 2, column 1:", "tab");
    refused("threads: 2\t# two\n", "line 1, column 11:", "tab");
}

static void yaml_features_beyond_plain_data_are_refused(void **state)
{
    (void)state;
    refused("threads: &a 2\n", "line 1, column 10:", "anchors");
    refused("threads: *a\n", "line 1, column 10:", "alias");
    refused("threads: !!int 2\n", "line 1, column 10:", "tags");
    refused("threads: 2\n---\nthreads: 3\n", "line 2, column 1:", "second document");
    refused("%TAG ! tag:x,2026:\n---\nthreads: 2\n", "line", "tags");
}

static void broken_yaml_gets_a_line(void **state)
{
    (void)state;
    refused("networks:\n  own: [10.0.0.0/8\n", "line 3", "");
    refused("store: \"open\n", "line 2", "");
    refused("a: b: c\n", "line 1", "");
}

static void bytes_that_are_no_text_get_a_line(void **state)
{
    (void)state;
    refused_n("threads: 2\nstore: \xff\n", 21, "line 2, column 8:", "");
    refused_n("threads: \0\n", 11, "line 1, column 10:", "");
    refused_n("\xff\xfet\0h\0", 6, "line 1, column 1:", "");
    refused("store: \"a\\0b\"\n", "line 1, column 8:", "control");
    refused("store: \"a\\eb\"\n", "line 1, column 8:", "control");
}

static void dotted_key_in_a_file_is_explained(void **state)
{
    (void)state;
    refused("window.lateness: 5m\n", "line 1, column 1:", "indented");
}

static void depth_of_nesting_is_bounded(void **state)
{
    (void)state;
    char deep[4096];
    memset(deep, '[', sizeof deep);
    refused_n(deep, sizeof deep, "line 1", "");
    memcpy(deep, "threads: ", 9);
    refused_n(deep, sizeof deep, "line 1", "not a list");
}

static void file_over_one_mebibyte_is_refused(void **state)
{
    (void)state;
    size_t n = CONFIG_FILE_MAX + 1;
    char *text = (malloc)(n);
    memset(text, '#', n);
    refused_n(text, n, "line 1, column 1:", "at most 1048576");
    (free)(text);
}

static void list_over_its_cap_is_refused(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 2u << 20);
    buffer_puts(&b, "networks:\n  forwarders: [");
    for (int i = 0; i < 250001; i++)
        buffer_puts(&b, "a-,");
    buffer_puts(&b, "]\n");
    assert_int_equal(b.err, WEIR_OK);
    refused_n(b.p, b.n, "line 2", "more than 250000");
    buffer_fini(&b);
}

/* ---- order of sources ---- */
static void environment_beats_file_and_flag_beats_both(void **state)
{
    (void)state;
    char *const env[] = {"WEIR_THREADS=5", "WEIR_WINDOW_LATENESS=1h", "PATH=/bin", NULL};
    struct fault fault = {0};
    struct config *c = fresh();
    assert_int_equal(read_copy(c, "threads: 4\nlog:\n  level: warn\n", 29, &fault), WEIR_OK);
    assert_int_equal(config_read_env(c, env, &fault), WEIR_OK);
    assert_int_equal(config_set(c, PARAM_threads, SLICE_LIT("6"), FROM_FLAG, "--threads", &fault), WEIR_OK);
    assert_int_equal(c->threads, 6);
    assert_int_equal(c->origin[PARAM_threads].from, FROM_FLAG);
    assert_int_equal(c->lateness_s, 3600);
    assert_string_equal(c->origin[PARAM_lateness_s].name, "WEIR_WINDOW_LATENESS");
    assert_int_equal(c->origin[PARAM_log_level].line, 3);
    assert_int_equal(c->origin[PARAM_color].from, FROM_DEFAULT);
    config_free(c);
}

static void list_in_the_environment_replaces_that_of_the_file(void **state)
{
    (void)state;
    char *const env[] = {"WEIR_NETWORKS_OWN=192.0.2.0/24,2001:db8::/32", NULL};
    struct fault fault = {0};
    struct config *c = fresh();
    assert_int_equal(read_copy(c, "networks:\n  own: [10.0.0.0/8]\n", 30, &fault), WEIR_OK);
    assert_int_equal(config_read_env(c, env, &fault), WEIR_OK);
    assert_int_equal(config_finish(c, &fault), WEIR_OK);
    assert_int_equal(c->own.n, 2);
    config_free(c);
}

static void unknown_variable_is_refused_with_the_nearest_name(void **state)
{
    (void)state;
    char *const env[] = {"WEIR_NETWORK_OWN=10.0.0.0/8", NULL};
    struct fault fault = {0};
    struct config *c = fresh();
    assert_int_equal(config_read_env(c, env, &fault), WEIR_USAGE);
    assert_non_null(strstr(fault.text, "'WEIR_NETWORKS_OWN'"));
    config_free(c);
}

static void variables_that_are_no_keys_are_left_alone(void **state)
{
    (void)state;
    char *const env[] = {"WEIR_FAILPOINT=store-before-commit:2", "WEIR_CONFIG=/x", "WEIR_SERVICE_HOST=10.0.0.1", "WEIR_PORT_80_TCP=x", NULL};
    struct config *c = fresh();
    assert_int_equal(config_read_env(c, env, NULL), WEIR_OK);
    config_free(c);
}

static void store_follows_systemd_then_xdg_then_home(void **state)
{
    (void)state;
    static char *const envs[][4] = {{"STATE_DIRECTORY=/var/lib/weir:/x", "XDG_STATE_HOME=/s", "HOME=/h", NULL},
                                    {"XDG_STATE_HOME=/s", "HOME=/h", NULL},
                                    {"XDG_STATE_HOME=relative", "HOME=/h", NULL},
                                    {NULL}};
    static const char *const urls[] = {"sqlite:/var/lib/weir/weir.db", "sqlite:/s/weir/weir.db", "sqlite:/h/.local/state/weir/weir.db", ""};
    for (size_t i = 0; i < WEIR_COUNT(envs); i++) {
        struct config *c = config_new(envs[i]);
        assert_int_equal(config_finish(c, NULL), WEIR_OK);
        assert_string_equal(c->store, urls[i]);
        config_free(c);
    }
}

/* ---- files ---- */
static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void file_that_others_may_write_is_noticed(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool loose;
    } table[] = {{0600, false}, {0644, false}, {0664, true}, {0646, true}};
    char path[] = "/tmp/test_config.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < WEIR_COUNT(table); i++) {
        bool loose = !table[i].loose;
        struct config *c = fresh();
        write_file(path, "threads: 2\n", table[i].mode);
        assert_int_equal(config_read_file(c, path, &loose, NULL), WEIR_OK);
        assert_int_equal(loose, table[i].loose);
        config_free(c);
    }
    unlink(path);
}

static void missing_file_and_directory_are_refused(void **state)
{
    (void)state;
    struct fault fault = {0};
    bool loose;
    struct config *c = fresh();
    assert_int_equal(config_read_file(c, "/nonexistent/weir.yaml", &loose, &fault), WEIR_USAGE);
    assert_non_null(strstr(fault.text, "'/nonexistent/weir.yaml'"));
    assert_int_equal(config_read_file(c, "/dev/null", &loose, &fault), WEIR_USAGE);
    assert_int_equal(config_read_file(c, "/", &loose, &fault), WEIR_USAGE);
    config_free(c);
}

/* ---- show and hash ---- */
static void what_is_shown_parses_to_the_same_configuration(void **state)
{
    (void)state;
    struct config *a = accepted("store: \"sqlite:/tmp/\\u00e9 \\\"x\\\" \\\\ \\U0001F30A \\u202e.db\"\nnetworks:\n  own: [\"::/0\", 10.0.0.0/8]\n"
                                "window:\n  lateness: 90s\ninput:\n  max_object_bytes: 70000\ndetection:\n  budget: 3/week\n");
    char *text = shown(a);
    struct config *b = accepted(text);
    assert_same_values(a, b);
    (free)(text);
    config_free(a);
    config_free(b);
}

static void what_is_shown_tells_where_it_came_from(void **state)
{
    (void)state;
    struct config *c = accepted("\nthreads: 4\n");
    char *text = shown(c);
    assert_non_null(strstr(text, "threads: 4  # line 2 of f.yaml\n"));
    assert_non_null(strstr(text, "  lateness: 15m  # default\n"));
    (free)(text);
    config_free(c);
}

static void hash_of(const char *yaml, char out[17])
{
    struct config *c = accepted(yaml);
    config_hash(c, out);
    config_free(c);
}

static void hash_ignores_what_cannot_change_findings(void **state)
{
    (void)state;
    char a[17], b[17];
    hash_of("", a);
    hash_of("threads: 7\nstore: sqlite:/x\nlog:\n  level: debug\noutput:\n  format: csv\ncheckpoint:\n  objects: 1\n", b);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 16);
}

static void hash_tells_what_can_change_findings(void **state)
{
    (void)state;
    char a[17], b[17], c[17], d[17];
    hash_of("", a);
    hash_of("detection:\n  budget: 1/week\n", b);
    hash_of("networks:\n  own: [10.0.0.0/8, 192.0.2.0/24]\n", c);
    hash_of("networks:\n  own: [192.0.2.0/24, 10.0.0.0/8, 10.0.0.0/8]\n", d);
    assert_string_not_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_equal(c, d);
}

static void manual_page_is_what_the_program_prints(void **state)
{
    (void)state;
    struct buffer manual;
    buffer_init(&manual, 1u << 20);
    config_manual(&manual);
    FILE *f = fopen("docs/configuration.md", "r");
    assert_non_null(f);
    char *page = (calloc)(1, 1u << 20);
    size_t n = fread(page, 1, (1u << 20) - 1, f);
    fclose(f);
    assert_int_equal(n, manual.n);
    assert_string_equal(page, buffer_cstr(&manual));
    (free)(page);
    buffer_fini(&manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_passes_its_own_range),
        cmocka_unit_test(takes_a_file_of_nothing_but_comments),
        cmocka_unit_test(takes_every_kind_of_value),
        cmocka_unit_test(own_networks_answer_for_their_addresses),
        cmocka_unit_test(no_own_network_leaves_the_set_null),
        cmocka_unit_test(forwarders_are_sorted_into_interfaces_and_networks),
        cmocka_unit_test(a_budget_by_host_days_may_promise_a_week_at_least),
        cmocka_unit_test(a_weekly_budget_is_shared_by_the_hosts),
        cmocka_unit_test(tests_are_left_out_by_name),
        cmocka_unit_test(unknown_key_gets_its_place_and_the_nearest_name),
        cmocka_unit_test(repeated_key_is_refused),
        cmocka_unit_test(value_of_a_wrong_type_is_refused),
        cmocka_unit_test(value_out_of_range_is_refused),
        cmocka_unit_test(malformed_budget_is_refused),
        cmocka_unit_test(malformed_network_is_refused_with_its_own_line),
        cmocka_unit_test(tab_is_refused),
        cmocka_unit_test(yaml_features_beyond_plain_data_are_refused),
        cmocka_unit_test(broken_yaml_gets_a_line),
        cmocka_unit_test(bytes_that_are_no_text_get_a_line),
        cmocka_unit_test(dotted_key_in_a_file_is_explained),
        cmocka_unit_test(depth_of_nesting_is_bounded),
        cmocka_unit_test(file_over_one_mebibyte_is_refused),
        cmocka_unit_test(list_over_its_cap_is_refused),
        cmocka_unit_test(environment_beats_file_and_flag_beats_both),
        cmocka_unit_test(list_in_the_environment_replaces_that_of_the_file),
        cmocka_unit_test(unknown_variable_is_refused_with_the_nearest_name),
        cmocka_unit_test(variables_that_are_no_keys_are_left_alone),
        cmocka_unit_test(store_follows_systemd_then_xdg_then_home),
        cmocka_unit_test(file_that_others_may_write_is_noticed),
        cmocka_unit_test(missing_file_and_directory_are_refused),
        cmocka_unit_test(what_is_shown_parses_to_the_same_configuration),
        cmocka_unit_test(what_is_shown_tells_where_it_came_from),
        cmocka_unit_test(hash_ignores_what_cannot_change_findings),
        cmocka_unit_test(hash_tells_what_can_change_findings),
        cmocka_unit_test(manual_page_is_what_the_program_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
