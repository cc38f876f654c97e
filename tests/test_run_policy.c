/* Whole runs with a policy: what breaks a rule stands in the open window of its host, each record of it once, whatever the order, the
 * number of objects and of threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run_weir.h"

#include <sys/stat.h>

#include "app/policy.h"

#define DAY_0 1772409600LL /* 2026-03-02T00:00:00Z */

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static const char header[] = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags "
                             "pkt-srcaddr pkt-dstaddr flow-direction\n";
static const char policy[] = "roles: {db: {networks: [10.0.2.0/24]}, app: {networks: [10.0.1.0/24]}}\n"
                             "policy:\n  - {name: db-only-from-app, into: db, ports: [5432], from: [app]}\n  - {name: no-way-out, out_of: any, to: [ours]}\n";

struct line { const char *interface, *src, *dst, *pkt_src, *pkt_dst, *direction, *action; unsigned sport, dport, bytes, flags; };

/* A connection to the database from elsewhere in 40 records both ways, one that is allowed, one rejected, and a call outside with its copy at a gateway. */
static size_t world(struct line out[100])
{
    size_t n = 0;
    for (unsigned i = 0; i < 20; i++) {
        out[n++] = (struct line){"eni-0d", "10.0.3.5", "10.0.2.5", "10.0.3.5", "10.0.2.5", "ingress", "ACCEPT", 40000, 5432, 100, 2};
        out[n++] = (struct line){"eni-0d", "10.0.2.5", "10.0.3.5", "10.0.2.5", "10.0.3.5", "egress", "ACCEPT", 5432, 40000, 7, 18};
    }
    out[n++] = (struct line){"eni-0d", "10.0.1.5", "10.0.2.5", "10.0.1.5", "10.0.2.5", "ingress", "ACCEPT", 40000, 5432, 5000, 2};
    out[n++] = (struct line){"eni-0d", "10.0.3.5", "10.0.2.5", "10.0.3.5", "10.0.2.5", "ingress", "REJECT", 40001, 5432, 9000, 2};
    out[n++] = (struct line){"eni-0d", "10.0.2.5", "203.0.113.9", "10.0.2.5", "203.0.113.9", "egress", "ACCEPT", 40000, 443, 300, 2};
    out[n++] = (struct line){"eni-0f", "10.0.2.5", "10.0.0.220", "10.0.2.5", "203.0.113.9", "ingress", "ACCEPT", 40000, 443, 300, 2};
    out[n++] = (struct line){"eni-0f", "10.0.0.220", "203.0.113.9", "10.0.2.5", "203.0.113.9", "egress", "ACCEPT", 40000, 443, 300, 2};
    return n;
}

/* Its lines in one object or two, in their order or backwards. */
static void write_logs(const struct run_weir *r, bool two, bool backwards, char folder[PATH_MAX])
{
    static struct buffer text[2];
    struct line line[100];
    char path[PATH_MAX];
    size_t n = world(line);
    snprintf(folder, PATH_MAX, "%s/logs", r->folder);
    mkdir(folder, 0700);
    for (unsigned k = 0; k < 2; k++) {
        buffer_init(&text[k], 1 << 20);
        buffer_puts(&text[k], header);
    }
    for (size_t i = 0; i < n; i++) {
        const struct line *l = &line[backwards ? n - 1 - i : i];
        long long start = DAY_0 + 3600 + (long long)(backwards ? n - 1 - i : i) * 60;
        buffer_printf(&text[two ? i % 2 : 0], "5 123456789012 %s %s %s %u %u 6 4 %u %lld %lld %s OK %u %s %s %s\n", l->interface, l->src, l->dst, l->sport,
                      l->dport, l->bytes, start, start + 59, l->action, l->flags, l->pkt_src, l->pkt_dst, l->direction);
    }
    for (unsigned k = 0; k < (two ? 2u : 1u); k++) {
        snprintf(path, sizeof path, "%.4000s/%u.log", folder, k);
        write_text(path, buffer_cstr(&text[k]));
    }
    for (unsigned k = 0; k < 2; k++)
        buffer_fini(&text[k]);
}

/* "10.0.2.5 db-only-from-app 1234" for each rule that a host broke. */
struct told { struct config *config; char text[512]; size_t n; };

static enum weir_err tell(void *ctx, const struct host_day *d)
{
    struct told *t = ctx;
    char host[IP_TEXT_MAX];
    ip_format(d->host, host);
    for (size_t i = 0; i < d->rules_broken && !d->forwarder; i++)
        t->n += (size_t)snprintf(t->text + t->n, sizeof t->text - t->n, "%s %s %llu/%llu;", host, policy_group_name(t->config->policy_rules, d->broken[i].group),
                                 (unsigned long long)d->broken[i].bytes_out, (unsigned long long)d->broken[i].bytes_in);
    return WEIR_OK;
}

/* Count the logs under the policy, and say what the open window holds of rules. */
static const char *broken_after(struct run_weir *r, bool two, bool backwards, const char *threads)
{
    static struct told t;
    static char *const no_env[] = {NULL};
    char folder[PATH_MAX], file[64], variable[80], command[96];
    struct fault fault = {WEIR_OK, ""};
    struct store *store;
    struct run_state state;
    snprintf(command, sizeof command, "rm -rf '%s'/weir.db* '%s'/logs", r->folder, r->folder);
    assert_int_equal(system(command), 0);
    write_logs(r, two, backwards, folder);
    snprintf(file, sizeof file, "%s/weir.yaml", r->folder);
    snprintf(variable, sizeof variable, "WEIR_CONFIG=%s", file);
    struct buffer yaml;
    buffer_init(&yaml, 4096);
    buffer_printf(&yaml, "%sthreads: %s\n", policy, threads);
    write_text(file, buffer_cstr(&yaml));
    run_batch_on(r, folder, variable);
    memset(&t, 0, sizeof t);
    t.config = config_new(no_env);
    assert_int_equal(config_read_text(t.config, (struct slice){yaml.p, yaml.n}, "weir.yaml", &fault), WEIR_OK);
    assert_int_equal(config_finish(t.config, &fault), WEIR_OK);
    struct window *w = window_new(&window_default_limits, false);
    assert_int_equal(store_open(r->url, STORE_READ_ONLY, &store, &fault), WEIR_OK);
    assert_int_equal(run_state_get(store, &state, &fault), WEIR_OK);
    assert_int_equal(windows_load(store, &state, w, &fault), WEIR_OK);
    assert_int_equal(window_each_host(w, DAY_0, UINT64_MAX, tell, &t), WEIR_OK);
    run_state_free(&state);
    store_close(store);
    window_free(w);
    config_free(t.config);
    buffer_fini(&yaml);
    return t.text;
}

#define EXPECTED "10.0.2.5 db-only-from-app 2140/2000;10.0.2.5 no-way-out 300/0;"
#define SWAPPED "10.0.2.5 no-way-out 300/0;10.0.2.5 db-only-from-app 2140/2000;"

static void assert_told(const char *text)
{
    if (strcmp(text, EXPECTED) != 0 && strcmp(text, SWAPPED) != 0) /* by the numbers of the rules */
        fail_msg("%s", text);
}

static void each_record_of_a_connection_that_breaks_a_rule_counts_once(void **state)
{
    assert_told(broken_after(*state, false, false, "1"));
}

static void the_order_of_lines_does_not_matter(void **state)
{
    assert_told(broken_after(*state, false, true, "1"));
}

static void objects_and_threads_do_not_matter(void **state)
{
    assert_told(broken_after(*state, true, false, "1"));
    assert_told(broken_after(*state, true, true, "2"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_record_of_a_connection_that_breaks_a_rule_counts_once, run_begin, run_end),
        cmocka_unit_test_setup_teardown(the_order_of_lines_does_not_matter, run_begin, run_end),
        cmocka_unit_test_setup_teardown(objects_and_threads_do_not_matter, run_begin, run_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
