/* Facts to OCSF Detection Finding 1.8.0: one line, keys in a fixed order, no clock, no locale, no process state, so that
 * the same facts give the same bytes. metadata stands last, because its uid is a hash of everything before it.
 * status_id stays 1 (New) even when the activity is Close: the transfer has ended, but only a person resolves a finding.
 * Source: OCSF schema tag 1.8.0, class 2004 with profile cloud, object by object.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "finding/finding_private.h"

#define CLASS_UID 2004
#define SENTENCE_MAX 4096
#define CONTENT_HASH_BYTES 8
#define CONFIDENT_SCORE 5 /* once in 100,000 host-days */

enum { TIMESPAN_HOURS = 4, TIMESPAN_DAYS = 5 };
enum { DIRECTION_ID_IN = 1, DIRECTION_ID_OUT = 2, DIRECTION_ID_LATERAL = 3, BOUNDARY_ID_INTERNAL = 2, BOUNDARY_ID_EXTERNAL = 3,
       OBSERVABLE_IP = 2, ANALYTIC_RULE = 1, ANALYTIC_STATISTICAL = 3, ROLE_AFFECTED = 3 };

static const char *const quantity[SCORE_STATISTICAL_COUNT] = {
    [SCORE_HOUR_VOLUME] = "egress_bytes_per_hour",
    [SCORE_GROUP_VOLUME] = "egress_bytes_per_day_to_known_destination",
    [SCORE_NEW_DESTINATION] = "egress_bytes_per_day_to_new_destinations",
    [SCORE_NEW_FAR] = "egress_bytes_per_day_to_new_countries",
    [SCORE_CLASS_DESTINATION] = "egress_bytes_per_day_to_destination_of_class",
    [SCORE_ODD_PROTOCOL] = "egress_bytes_per_day_by_odd_protocol",
    [SCORE_SLOW] = "egress_bytes_to_young_destination",
    [SCORE_SLOW_FAR] = "egress_bytes_to_young_destination_in_new_country",
    [SCORE_SPLIT] = "new_destinations_per_day",
    [SCORE_SERVED_VOLUME] = "served_bytes_per_day_to_one_network",
    [SCORE_SERVED_NEW] = "served_bytes_per_day_to_one_new_network",
    [SCORE_INTERNAL_PAIR] = "internal_bytes_per_day_to_known_host",
    [SCORE_INTERNAL_SUBNET] = "internal_bytes_per_day_to_new_subnet",
    [SCORE_BEACON] = "hours_of_two_days_with_young_destination",
    [SCORE_CREEP] = "egress_bytes_per_day",
    [SCORE_BEACON_FAR] = "hours_of_two_days_with_young_destination_in_new_country",
};

static bool inside(enum score_test test) { return test == SCORE_INTERNAL_PAIR || test == SCORE_INTERNAL_SUBNET; }
static bool beacons(enum score_test test) { return test == SCORE_BEACON || test == SCORE_BEACON_FAR; }

static void put_class(struct buffer *b, const struct finding_facts *f, const struct claim *c, unsigned activity, struct slice sentence)
{
    ocsf_u64(b, "class_uid", CLASS_UID);
    ocsf_u64(b, "category_uid", CLASS_UID / 1000);
    ocsf_u64(b, "activity_id", activity);
    ocsf_u64(b, "type_uid", CLASS_UID * 100 + activity);
    ocsf_ms(b, "time", c->end_s);
    ocsf_ms(b, "start_time", c->start_s);
    ocsf_ms(b, "end_time", c->end_s);
    ocsf_u64(b, "severity_id", finding_severity(f));
    ocsf_u64(b, "status_id", 1);
    ocsf_u64(b, "confidence_id", c->learning ? 1 : c->value >= CONFIDENT_SCORE || c->rule_severity ? 3 : 2);
    ocsf_bool(b, "is_alert", true);
    ocsf_text(b, "message", sentence);
}

static void put_cloud(struct buffer *b, const struct finding_facts *f)
{
    ocsf_open(b, "cloud", '{');
    const struct cloud *cloud = cloud_of(f->interface);
    ocsf_cstr(b, "provider", cloud->provider);
    ocsf_some(b, "region", f->region);
    if (f->account.n) {
        ocsf_open(b, "account", '{');
        ocsf_text(b, "uid", f->account);
        ocsf_u64(b, "type_id", cloud->account_type);
        ocsf_close(b, '}');
    }
    ocsf_close(b, '}');
}

static void put_attack(struct buffer *b, const struct attack_label *label)
{
    ocsf_open(b, NULL, '{');
    ocsf_cstr(b, "version", ATTACK_VERSION);
    ocsf_open(b, "tactic", '{');
    ocsf_cstr(b, "uid", label->tactic_uid);
    ocsf_cstr(b, "name", label->tactic);
    ocsf_close(b, '}');
    if (label->technique) {
        ocsf_open(b, "technique", '{');
        ocsf_cstr(b, "uid", label->technique_uid);
        ocsf_cstr(b, "name", label->technique);
        ocsf_close(b, '}');
    }
    ocsf_close(b, '}');
}

static void put_attacks(struct buffer *b, const struct attack_label *const *label, size_t n)
{
    if (!n) return;
    ocsf_open(b, "attacks", '[');
    for (size_t i = 0; i < n; i++) put_attack(b, label[i]);
    ocsf_close(b, ']');
}

/* "Consistent with T1048 (Exfiltration Over Alternative Protocol), tactic TA0010 (Exfiltration); tactic TA0011 (Command and Control)" */
static void put_consistent(struct buffer *b, const struct attack_label *const *label, size_t n)
{
    char desc[512];
    size_t at = (size_t)snprintf(desc, sizeof desc, "Consistent with ");
    for (size_t i = 0; i < n; i++) {
        const struct attack_label *l = label[i];
        at += (size_t)snprintf(desc + at, sizeof desc - at, "%s", i ? "; " : "");
        if (l->technique) at += (size_t)snprintf(desc + at, sizeof desc - at, "%s (%s), ", l->technique_uid, l->technique);
        at += (size_t)snprintf(desc + at, sizeof desc - at, "tactic %s (%s)", l->tactic_uid, l->tactic);
    }
    if (n) ocsf_cstr(b, "desc", desc);
}

static void put_analytic(struct buffer *b, const struct finding_facts *f, enum score_test lead)
{
    char uid[64];
    snprintf(uid, sizeof uid, "weir.%s", score_test_word(lead));
    ocsf_open(b, "analytic", '{');
    ocsf_u64(b, "type_id", score_test_is_rule(lead) ? ANALYTIC_RULE : ANALYTIC_STATISTICAL);
    ocsf_cstr(b, "name", score_test_word(lead));
    ocsf_cstr(b, "uid", uid);
    ocsf_cstr(b, "version", f->model ? f->model : "");
    ocsf_close(b, '}');
}

static void put_info(struct buffer *b, const struct finding_facts *f, const struct claim *c, const char *uid)
{
    enum score_test lead = c->lead ? c->lead->test : SCORE_HOUR_VOLUME;
    const struct attack_label *label[ATTACK_LABELS_MAX];
    size_t labels = attack_labels(c, label);
    ocsf_open(b, "finding_info", '{');
    ocsf_cstr(b, "uid", uid);
    ocsf_cstr(b, "title", finding_title(lead));
    put_consistent(b, label, labels);
    ocsf_open(b, "types", '[');
    ocsf_cstr(b, NULL, inside(lead) ? "Data Staging" : beacons(lead) ? "Command and Control" : "Data Exfiltration");
    ocsf_close(b, ']');
    ocsf_ms(b, "first_seen_time", c->start_s);
    ocsf_ms(b, "last_seen_time", c->end_s);
    ocsf_ms(b, "created_time", c->created_s);
    ocsf_open(b, "data_sources", '[');
    ocsf_cstr(b, NULL, "AWS VPC flow logs");
    ocsf_close(b, ']');
    put_analytic(b, f, lead);
    put_attacks(b, label, labels);
    ocsf_close(b, '}');
}

static void put_resource(struct buffer *b, struct slice uid, struct slice name, const char *type, struct ip ip)
{
    ocsf_open(b, NULL, '{');
    ocsf_text(b, "uid", uid);
    ocsf_some(b, "name", name);
    if (type) ocsf_cstr(b, "type", type);
    ocsf_ip(b, "ip", ip);
    ocsf_u64(b, "role_id", ROLE_AFFECTED);
    ocsf_close(b, '}');
}

static void put_resources(struct buffer *b, const struct finding_facts *f)
{
    char host[IP_TEXT_MAX];
    ip_format(f->host, host);
    ocsf_open(b, "resources", '[');
    put_resource(b, f->interface.n ? f->interface : slice_of(host), f->name, cloud_of(f->interface)->interface_type, f->host);
    if (f->instance.n) put_resource(b, f->instance, f->name, "AWS::EC2::Instance", f->host);
    ocsf_close(b, ']');
}

/* The service port stands at the end that did not open the connection: the peer's, or the host's own for what it served. */
static void put_ends(struct buffer *b, const struct finding_facts *f, const struct evidence_peer *p)
{
    ocsf_open(b, "src_endpoint", '{');
    ocsf_ip(b, "ip", f->host);
    if (!p->initiated && p->port) ocsf_u64(b, "port", p->port);
    ocsf_some(b, "interface_uid", f->interface);
    ocsf_some(b, "vpc_uid", f->vpc);
    ocsf_some(b, "subnet_uid", f->subnet);
    ocsf_close(b, '}');
    ocsf_open(b, "dst_endpoint", '{');
    ocsf_ip(b, "ip", p->peer);
    ocsf_some(b, "hostname", p->name);
    if (p->initiated && p->port) ocsf_u64(b, "port", p->port);
    if (p->country[0]) {
        ocsf_open(b, "location", '{');
        ocsf_cstr(b, "country", p->country);
        ocsf_close(b, '}');
    }
    if (p->asn) {
        ocsf_open(b, "autonomous_system", '{');
        ocsf_u64(b, "number", p->asn);
        ocsf_some(b, "name", slice_of(p->as_name));
        ocsf_close(b, '}');
    }
    ocsf_close(b, '}');
    ocsf_open(b, "connection_info", '{');
    ocsf_u64(b, "direction_id", inside(p->test) ? DIRECTION_ID_LATERAL : p->initiated ? DIRECTION_ID_OUT : DIRECTION_ID_IN);
    ocsf_u64(b, "protocol_num", p->protocol);
    ocsf_u64(b, "boundary_id", inside(p->test) ? BOUNDARY_ID_INTERNAL : BOUNDARY_ID_EXTERNAL);
    ocsf_close(b, '}');
}

static void put_evidence(struct buffer *b, const struct finding_facts *f, size_t i)
{
    const struct evidence_peer *p = &f->peer[i];
    char uid[32];
    snprintf(uid, sizeof uid, "e%zu", i + 1);
    ocsf_open(b, NULL, '{');
    ocsf_cstr(b, "uid", uid);
    put_ends(b, f, p);
    ocsf_open(b, "data", '{');
    ocsf_u64(b, "bytes", p->bytes);
    ocsf_u64(b, "packets", p->packets);
    ocsf_u64(b, "records", p->records);
    ocsf_u64(b, "bytes_in", p->bytes_in);
    ocsf_time(b, "first_seen", p->first_s);
    ocsf_time(b, "last_seen", p->last_s);
    ocsf_bool(b, "new", !p->known);
    ocsf_bool(b, "initiated", p->initiated);
    ocsf_cstr(b, "test", score_test_word(p->test));
    put_places(b, p);
    ocsf_close(b, '}');
    ocsf_close(b, '}');
}

/* OCSF wants the value of an observation as text. */
static void put_observation(struct buffer *b, uint64_t value, uint32_t count, uint32_t hours, uint32_t days)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    ocsf_open(b, "observations", '[');
    ocsf_open(b, NULL, '{');
    ocsf_cstr(b, "value", text);
    ocsf_u64(b, "count", count);
    if (hours || days) {
        ocsf_open(b, "timespan", '{');
        if (hours) ocsf_u64(b, "duration_hours", hours);
        if (days) ocsf_u64(b, "duration_days", days);
        ocsf_u64(b, "type_id", hours ? TIMESPAN_HOURS : TIMESPAN_DAYS);
        ocsf_close(b, '}');
    }
    ocsf_close(b, '}');
    ocsf_close(b, ']');
}

static void put_observed(struct buffer *b, const char *parameter, const char *suffix, const char *pattern)
{
    char name[96];
    snprintf(name, sizeof name, "%s%s", parameter, suffix);
    ocsf_open(b, NULL, '{');
    ocsf_cstr(b, "observation_parameter", name);
    ocsf_cstr(b, "observation_type", "Volume Analysis");
    ocsf_cstr(b, "observed_pattern", pattern);
}

static void put_analysis(struct buffer *b, const struct finding_facts *f, const struct score_part *p)
{
    bool hourly = p->test == SCORE_HOUR_VOLUME, counts = score_test_counts(p->test);
    char host[IP_TEXT_MAX];
    ip_format(f->host, host);
    ocsf_open(b, NULL, '{');
    ocsf_open(b, "analysis_targets", '[');
    ocsf_open(b, NULL, '{');
    ocsf_cstr(b, "name", host);
    ocsf_cstr(b, "type", "host");
    ocsf_close(b, '}');
    ocsf_close(b, ']');
    ocsf_open(b, "baselines", '[');
    put_observed(b, quantity[p->test], "", "NORMAL_VOLUME");
    put_observation(b, counts ? (uint64_t)score_test_count(p->test, p->reference) : p->reference_bytes, p->history_days, 0, p->history_days);
    ocsf_close(b, '}');
    if (!counts) {
        put_observed(b, quantity[p->test], "_largest", "NORMAL_VOLUME");
        put_observation(b, p->largest_bytes, p->history_days, 0, p->history_days);
        ocsf_close(b, '}');
    }
    ocsf_close(b, ']');
    ocsf_open(b, "anomalies", '[');
    put_observed(b, quantity[p->test], "", "SURGE");
    put_observation(b, counts ? p->observed_count : p->observed_bytes, 1, hourly ? 1 : 0, hourly ? 0 : 1);
    ocsf_close(b, '}');
    ocsf_close(b, ']');
    ocsf_close(b, '}');
}

static void put_analyses(struct buffer *b, const struct finding_facts *f)
{
    ocsf_open(b, "anomaly_analyses", '[');
    for (size_t d = 0; d < f->days; d++) {
        const struct score *s = f->day[d].score;
        for (size_t i = 0; i < s->n; i++)
            if (s->part[i].raised && !score_test_is_rule(s->part[i].test)) put_analysis(b, f, &s->part[i]);
    }
    ocsf_close(b, ']');
}

static void put_observables(struct buffer *b, const struct finding_facts *f)
{
    ocsf_open(b, "observables", '[');
    for (size_t i = 0; i < f->peers; i++) {
        char name[64];
        snprintf(name, sizeof name, "evidences[%zu].dst_endpoint.ip", i);
        ocsf_open(b, NULL, '{');
        ocsf_cstr(b, "name", name);
        ocsf_u64(b, "type_id", OBSERVABLE_IP);
        ocsf_ip(b, "value", f->peer[i].peer);
        ocsf_close(b, '}');
    }
    ocsf_close(b, ']');
}

static void put_metadata(struct buffer *b, const char *uid, size_t begin)
{
    struct sha256 hash;
    char text[FINDING_UID_MAX + 2 * CONTENT_HASH_BYTES + 2], hex[2 * CONTENT_HASH_BYTES + 1];
    sha256_of(b->p + begin, b->n - begin, &hash);
    hex_encode(hash.b, CONTENT_HASH_BYTES, hex);
    snprintf(text, sizeof text, "%s-%s", uid, hex);
    ocsf_open(b, "metadata", '{');
    ocsf_cstr(b, "version", "1.8.0");
    ocsf_open(b, "profiles", '[');
    ocsf_cstr(b, NULL, "cloud");
    ocsf_close(b, ']');
    ocsf_cstr(b, "uid", text);
    ocsf_cstr(b, "log_name", "vpc-flow-logs");
    ocsf_open(b, "product", '{');
    ocsf_cstr(b, "name", "weir");
    ocsf_cstr(b, "vendor_name", "weir");
    ocsf_cstr(b, "version", FINDING_PRODUCT_VERSION);
    ocsf_close(b, '}');
    ocsf_close(b, '}');
}

static void put_content(struct buffer *b, const struct finding_facts *f, unsigned activity, const char *uid, struct slice sentence)
{
    struct claim c;
    claim_of(f, &c);
    put_class(b, f, &c, activity, sentence);
    put_cloud(b, f);
    put_info(b, f, &c, uid);
    put_resources(b, f);
    ocsf_open(b, "evidences", '[');
    for (size_t i = 0; i < f->peers; i++) put_evidence(b, f, i);
    ocsf_close(b, ']');
    put_analyses(b, f);
    put_observables(b, f);
    ocsf_open(b, "unmapped", '{');
    put_weir(b, f, sentence);
    ocsf_close(b, '}');
}

enum weir_err finding_encode(const struct finding_facts *f, unsigned activity, struct buffer *out)
{
    size_t begin = out->n;
    struct buffer sentence;
    char uid[FINDING_UID_MAX];
    buffer_init(&sentence, SENTENCE_MAX);
    finding_uid(f, uid);
    finding_sentence(f, &sentence);
    buffer_u8(out, '{'); /* not ocsf_open: what stands before it in the buffer is the caller's */
    put_content(out, f, activity, uid, (struct slice){sentence.p, sentence.n});
    if (!out->err && !sentence.err) put_metadata(out, uid, begin);
    ocsf_close(out, '}');
    enum weir_err err = sentence.err ? sentence.err : out->err;
    buffer_fini(&sentence);
    if (err) out->n = begin;
    return err;
}
