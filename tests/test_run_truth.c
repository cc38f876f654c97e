/* Claims about whole runs against the truth about their logs: which transfers are found, with whom and how many bytes, and
 * what each host sent and got in each hour. Once on real logs, where they are at hand, once on generated ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "run_weir.h"

#define VPC REAL_LOGS "/vpc/"
#define HOST_HOURS_MAX 4096
#define EPISODES_MAX 16

struct host_hour {
    char host[IP_TEXT_MAX];
    int64_t hour_s;
    uint64_t out, in;
};
struct truth {
    struct host_hour hour[HOST_HOURS_MAX];
    size_t hours;
    struct episode { char host[IP_TEXT_MAX], peer[IP_TEXT_MAX]; double bytes; bool found; } episode[EPISODES_MAX];
    size_t episodes; /* exfiltrations only */
};

/* ---- labels.jsonl ---- */

static void copy_text(char *to, size_t n, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(to, n, "%s", text ? text : "");
}

static void take_label(struct truth *t, const json_t *label)
{
    const char *kind = json_string_value(json_object_get(label, "kind"));
    const char *truth = json_string_value(json_object_get(label, "truth"));
    if (strcmp(kind, "host-hour") == 0) {
        struct host_hour *h = &t->hour[t->hours++];
        assert_true(t->hours < HOST_HOURS_MAX);
        copy_text(h->host, sizeof h->host, label, "host");
        h->hour_s = json_integer_value(json_object_get(label, "hour_epoch"));
        h->out = (uint64_t)json_integer_value(json_object_get(label, "public_bytes_out"));
        h->in = (uint64_t)json_integer_value(json_object_get(label, "public_bytes_in"));
    } else if (truth && strcmp(truth, "exfil") == 0) {
        struct episode *e = &t->episode[t->episodes++];
        assert_true(t->episodes < EPISODES_MAX);
        copy_text(e->host, sizeof e->host, label, "host");
        copy_text(e->peer, sizeof e->peer, label, "peer");
        e->bytes = (double)json_integer_value(json_object_get(label, "bytes_out"));
    }
}

static struct truth *truth_of(const char *folder)
{
    char path[PATH_MAX + 16], *line = NULL;
    size_t cap = 0;
    struct truth *t = calloc(1, sizeof *t);
    snprintf(path, sizeof path, "%s/labels.jsonl", folder);
    FILE *in = fopen(path, "re");
    assert_true(in && t);
    while (getline(&line, &cap, in) > 0) {
        json_t *label = json_loads(line, 0, NULL);
        assert_non_null(label);
        take_label(t, label);
        json_decref(label);
    }
    free(line);
    fclose(in);
    return t;
}

/* ---- findings ---- */

static const char *text_at(const json_t *object, const char *outer, const char *inner)
{
    return json_string_value(json_object_get(json_object_get(object, outer), inner));
}

static void match_evidence(struct truth *t, const json_t *evidence)
{
    const char *host = text_at(evidence, "src_endpoint", "ip"), *peer = text_at(evidence, "dst_endpoint", "ip");
    double bytes = (double)json_integer_value(json_object_get(json_object_get(evidence, "data"), "bytes"));
    for (size_t i = 0; i < t->episodes; i++) {
        struct episode *e = &t->episode[i];
        if (strcmp(e->host, host) != 0 || strcmp(e->peer, peer) != 0)
            continue;
        assert_false(e->found);
        if (bytes < 0.99 * e->bytes || bytes > 1.01 * e->bytes)
            fail_msg("%s to %s: %.0f bytes, the label says %.0f", host, peer, bytes, e->bytes);
        e->found = true;
        return;
    }
    if (bytes >= 1e6) /* less may be named when a claim covers everything new */
        fail_msg("%s to %s: %.0f bytes, no label says so", host, peer, bytes);
}

/* Every exfiltration is an evidence, and no other peer is. Returns how many findings there are. */
static size_t match_findings(struct truth *t, char *ndjson)
{
    size_t findings = 0;
    for (char *line = ndjson, *end; (end = strchr(line, '\n')); line = end + 1) {
        size_t i;
        json_t *evidence, *finding = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(finding);
        findings++;
        json_array_foreach(json_object_get(finding, "evidences"), i, evidence) match_evidence(t, evidence);
        json_decref(finding);
    }
    for (size_t i = 0; i < t->episodes; i++)
        if (!t->episode[i].found)
            fail_msg("not found: %s to %s", t->episode[i].host, t->episode[i].peer);
    return findings;
}

static void every_transfer_is_found(struct run_weir *r, const char *folder, size_t findings, size_t transfers)
{
    struct truth *t = truth_of(folder);
    run_batch_on(r, folder, NULL);
    assert_int_equal(r->rc, APP_DONE);
    assert_int_equal(t->episodes, transfers);
    assert_int_equal(match_findings(t, r->out), findings);
    assert_int_equal(run_count(r, NULL, "findings"), findings);
    free(t);
}

/* ---- host-hours: of the open days in the store ---- */

struct comparison {
    struct truth *t;
    size_t equal;
    uint64_t unlabelled;
};

static struct host_hour *label_of(struct truth *t, const char *host, int64_t hour_s)
{
    for (size_t i = 0; i < t->hours; i++)
        if (t->hour[i].hour_s == hour_s && strcmp(t->hour[i].host, host) == 0)
            return &t->hour[i];
    return NULL;
}

static enum weir_err compare_host(void *ctx, const struct host_day *d)
{
    struct comparison *c = ctx;
    char host[IP_TEXT_MAX];
    ip_format(d->host, host);
    for (int64_t h = 0; h < 24 && !d->forwarder; h++) {
        struct host_hour *label = label_of(c->t, host, d->day_s + h * HOUR_S);
        if (label && (label->out != d->hour_out[h] || label->in != d->hour_in[h]))
            fail_msg("%s, hour %d of %lld: %llu out, %llu in; the label says %llu and %llu", host, (int)h, (long long)d->day_s,
                     (unsigned long long)d->hour_out[h], (unsigned long long)d->hour_in[h], (unsigned long long)label->out,
                     (unsigned long long)label->in);
        c->equal += label != NULL;
        c->unlabelled += label ? 0 : d->hour_out[h] + d->hour_in[h];
    }
    return WEIR_OK;
}

static void every_hour_is_as_in(struct truth *t, struct run_weir *r, const char *folder, size_t hours)
{
    struct comparison c = {.t = t};
    struct run_state st;
    struct store *store;
    struct fault fault;
    int64_t day_s[16];
    char variable[] = "WEIR_WINDOW_LATENESS=7d"; /* so that no day closes, and all are in the store */
    run_batch_on(r, folder, variable);
    struct window *w = window_new(&window_default_limits, false);
    if (!w || store_open(r->url, STORE_READ_ONLY, &store, &fault) || run_state_get(store, &st, &fault) || windows_load(store, &st, w, &fault))
        fail_msg("cannot load the windows: %s", fault.text);
    for (size_t i = 0, n = window_days(w, day_s, 16); i < n; i++)
        assert_int_equal(window_each_host(w, day_s[i], 0, compare_host, &c), WEIR_OK);
    assert_int_equal(c.equal, c.t->hours);
    assert_int_equal(c.unlabelled, 0);
    assert_true(c.equal >= hours);
    run_state_free(&st);
    window_free(w);
    store_close(store);
}

static void every_hour_is_as_labelled(struct run_weir *r, const char *folder, size_t hours)
{
    struct truth *t = truth_of(folder);
    every_hour_is_as_in(t, r, folder, hours);
    free(t);
}

/* ---- a second reading of version 5 records, as plain as can be: what 10.20.1.167 sent and got at its own interface ---- */

#define HOST "10.20.1.167"
enum { ACCOUNT = 1, INTERFACE, SRC, DST, BYTES = 9, START, ACTION = 12, STATUS, INSTANCE = 16, COLUMNS = 29 };

struct second_reading {
    struct truth *t;
    uint64_t out, in, refused_in;
};

static uint64_t number_of(const char *digits)
{
    uint64_t n = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++) n = 10 * n + (uint64_t)(*digits - '0');
    return n;
}

static void read_second(struct second_reading *s, char *line)
{
    char *field[COLUMNS] = {line}, *rest = line;
    for (size_t i = 0; i < COLUMNS && (field[i] = strsep(&rest, " ")); i++) {}
    if (!field[COLUMNS - 1] || strcmp(field[STATUS], "OK") != 0 || strcmp(field[INSTANCE], "-") == 0)
        return;
    bool out = strcmp(field[SRC], HOST) == 0, accepted = strcmp(field[ACTION], "ACCEPT") == 0;
    uint64_t bytes = number_of(field[BYTES]);
    int64_t hour_s = (int64_t)number_of(field[START]) / HOUR_S * HOUR_S;
    if (strncmp(field[out ? DST : SRC], "10.", 3) == 0)
        return;
    struct host_hour *h = label_of(s->t, HOST, hour_s);
    if (!h) {
        h = &s->t->hour[s->t->hours++];
        *h = (struct host_hour){.host = HOST, .hour_s = hour_s};
    }
    *(!accepted ? &s->refused_in : out ? &s->out : &s->in) += bytes;
    *(out ? &h->out : &h->in) += accepted ? bytes : 0;
}

static void read_all_second(struct second_reading *s, const char *folder)
{
    char line[4096];
    struct fault fault;
    struct object_list *list = object_list_new(&source_default_limits);
    assert_int_equal(object_list_add(list, folder, &fault), WEIR_OK);
    for (size_t i = 0; i < object_list_count(list); i++) {
        gzFile in = gzopen(object_list_at(list, i)->path, "re");
        assert_true(in && gzgets(in, line, sizeof line));
        while (gzgets(in, line, sizeof line)) read_second(s, line);
        gzclose(in);
    }
    object_list_free(list);
}

/* ---- claims on real logs ---- */

static void real_background_of_a_machine_on_the_internet_is_silent(void **state)
{
    struct run_weir *r = *state;
    if (!run_has_real(VPC "cloudvm-2d"))
        skip();
    run_batch_on(r, VPC "cloudvm-2d", NULL);
    assert_int_equal(r->rc, APP_DONE);
    assert_string_equal(r->out, "");
    assert_int_equal(run_count(r, NULL, "findings"), 0);
    assert_int_equal(run_count(r, "records", "read"), 148466);
    assert_int_equal(run_count(r, "objects", "done"), 577);
    assert_int_equal(run_count(r, NULL, "hosts"), 1);
}

static void real_transfers_are_found_with_their_bytes_and_nothing_else(void **state)
{
    struct run_weir *r = *state;
    if (!run_has_real(VPC "cloudvm-2d-exfil"))
        skip();
    every_transfer_is_found(r, VPC "cloudvm-2d-exfil", 1, 3);
    assert_int_equal(run_count(r, "records", "read"), 149418);
}

static void real_bytes_of_each_host_and_hour_are_those_of_a_second_reading(void **state)
{
    if (!run_has_real(VPC "workstation-1d-v5-nat"))
        skip();
    struct second_reading s = {.t = calloc(1, sizeof *s.t)};
    assert_non_null(s.t);
    read_all_second(&s, VPC "workstation-1d-v5-nat");
    every_hour_is_as_in(s.t, *state, VPC "workstation-1d-v5-nat", 26);
    free(s.t);
}

/* The labels give a connection's bytes to the hour in which it began, refused ones too, and know what AWS lost (34 SKIPDATA), so
 * only their sum can be compared: what was recorded is less, by no more than 1 %. */
static void real_bytes_of_the_day_are_those_of_the_labels_but_for_lost_records(void **state)
{
    (void)state;
    uint64_t out = 0, in = 0;
    if (!run_has_real(VPC "workstation-1d-v5-nat"))
        skip();
    struct second_reading s = {.t = calloc(1, sizeof *s.t)};
    assert_non_null(s.t);
    read_all_second(&s, VPC "workstation-1d-v5-nat");
    struct truth *t = truth_of(VPC "workstation-1d-v5-nat");
    for (size_t i = 0; i < t->hours; i++) {
        out += t->hour[i].out;
        in += t->hour[i].in;
    }
    assert_true(s.out <= out && s.out >= out - out / 100);
    assert_true(s.in + s.refused_in <= in && s.in + s.refused_in >= in - in / 100);
    free(t);
    free(s.t);
}

static void real_copies_at_a_nat_gateway_are_charged_to_nobody(void **state)
{
    struct run_weir *r = *state;
    if (!run_has_real(VPC "workstation-1d-v5-nat"))
        skip();
    run_batch_on(r, VPC "workstation-1d-v5-nat", NULL);
    assert_int_equal(r->rc, APP_DONE);
    assert_string_equal(r->out, "");
    assert_int_equal(run_count(r, "log_status", "OK"), 28687);
    assert_int_equal(run_count(r, NULL, "gaps"), 34);
    assert_true(run_count(r, "flows", "forwarded") > 8000);
}

static void real_cloudwatch_export_is_counted_by_status_and_action(void **state)
{
    struct run_weir *r = *state;
    if (!run_has_real(REAL_LOGS "/aws/eks-20241220.cloudwatch.txt.gz"))
        skip();
    run_batch_on(r, REAL_LOGS "/aws/eks-20241220.cloudwatch.txt.gz", NULL);
    assert_int_equal(r->rc, APP_DONE);
    assert_int_equal(run_count(r, "records", "read"), 11057);
    assert_int_equal(run_count(r, "log_status", "OK"), 10994);
    assert_int_equal(run_count(r, NULL, "gaps"), 63);
    assert_int_equal(run_count(r, "action", "REJECT"), 542);
    assert_int_equal(run_count(r, "flows", "not-traffic"), 542);
    assert_int_equal(run_count(r, NULL, "suspected_forwarders"), 1);
    assert_non_null(strstr(r->err, "address=10.0.101.78"));
}

/* ---- the same on generated logs ---- */

#define WORLD "--seed 7 --hosts 5 --intensity 20 --period 3600 "

/* One quiet world of thirty host-days. How often such worlds are silent is for the evaluation to measure. */
static void generated_everyday_traffic_is_silent(void **state)
{
    struct run_weir *r = *state;
    char logs[PATH_MAX];
    run_flowgen(r, "--seed 3 --hosts 5 --intensity 20 --period 3600 --days 6", logs);
    run_batch_on(r, logs, NULL);
    assert_int_equal(r->rc, APP_DONE);
    assert_string_equal(r->out, "");
    assert_int_equal(run_count(r, "objects", "done"), 144);
}

static void generated_transfers_are_found_with_their_bytes_and_nothing_else(void **state)
{
    char logs[PATH_MAX];
    run_flowgen(*state, WORLD "--days 6 --attack bulk-new:host=4:day=4:hour=10:bytes=40G "
                "--attack bulk-known-provider:host=1:day=4:hour=12:bytes=20G", logs);
    every_transfer_is_found(*state, logs, 2, 2);
}

static void generated_bytes_of_each_host_and_hour_are_those_of_the_labels(void **state)
{
    char logs[PATH_MAX];
    run_flowgen(*state, WORLD "--days 3 --labels hours --format v5 --ipv6 400 --skipdata 20", logs);
    every_hour_is_as_labelled(*state, logs, 200);
}

static void generated_bytes_of_each_host_and_hour_hold_in_version_2_too(void **state)
{
    char logs[PATH_MAX];
    run_flowgen(*state, WORLD "--days 3 --labels hours", logs);
    every_hour_is_as_labelled(*state, logs, 200);
}

static void a_second_subscription_charges_nothing_twice(void **state)
{
    char logs[PATH_MAX];
    run_flowgen(*state, WORLD "--days 2 --labels hours --format v3 --double-subscription", logs);
    every_hour_is_as_labelled(*state, logs, 100);
}

static void a_nat_gateway_in_version_2_is_suspected_and_not_charged(void **state)
{
    struct run_weir *r = *state;
    char logs[PATH_MAX];
    run_flowgen(r, WORLD "--days 2", logs);
    run_batch_on(r, logs, NULL);
    assert_int_equal(run_count(r, NULL, "suspected_forwarders"), 1);
    assert_non_null(strstr(r->err, "suspected forwarder, charged to nobody"));
}

#define T(claim) cmocka_unit_test_setup_teardown(claim, run_begin, run_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(real_background_of_a_machine_on_the_internet_is_silent), T(real_transfers_are_found_with_their_bytes_and_nothing_else),
        T(real_bytes_of_each_host_and_hour_are_those_of_a_second_reading),
        T(real_bytes_of_the_day_are_those_of_the_labels_but_for_lost_records), T(real_copies_at_a_nat_gateway_are_charged_to_nobody),
        T(real_cloudwatch_export_is_counted_by_status_and_action), T(generated_everyday_traffic_is_silent),
        T(generated_transfers_are_found_with_their_bytes_and_nothing_else), T(generated_bytes_of_each_host_and_hour_are_those_of_the_labels),
        T(generated_bytes_of_each_host_and_hour_hold_in_version_2_too), T(a_second_subscription_charges_nothing_twice),
        T(a_nat_gateway_in_version_2_is_suspected_and_not_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
