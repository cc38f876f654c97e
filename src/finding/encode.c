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
enum { DIRECTION_ID_IN = 1, DIRECTION_ID_OUT = 2, BOUNDARY_ID_EXTERNAL = 3, OBSERVABLE_IP = 2, ANALYTIC_STATISTICAL = 3, ROLE_AFFECTED = 3,
       ACCOUNT_TYPE_AWS = 10 };

static const char *const quantity[SCORE_TEST_COUNT] = {
    [SCORE_HOUR_VOLUME] = "egress_bytes_per_hour",
    [SCORE_GROUP_VOLUME] = "egress_bytes_per_day_to_known_destination",
    [SCORE_NEW_DESTINATION] = "egress_bytes_per_day_to_new_destinations",
    [SCORE_SERVED_VOLUME] = "served_bytes_per_day_to_one_network",
};

static void put_class(struct buffer *b, const struct finding_facts *f, const struct claim *c, unsigned activity, struct slice sentence) {
    json_u64(b, "class_uid", CLASS_UID);
    json_u64(b, "category_uid", CLASS_UID / 1000);
    json_u64(b, "activity_id", activity);
    json_u64(b, "type_uid", CLASS_UID * 100 + activity);
    json_ms(b, "time", c->end_s);
    json_ms(b, "start_time", c->start_s);
    json_ms(b, "end_time", c->end_s);
    json_u64(b, "severity_id", finding_severity(f));
    json_u64(b, "status_id", 1);
    json_u64(b, "confidence_id", c->learning ? 1 : c->value >= CONFIDENT_SCORE ? 3 : 2);
    json_bool(b, "is_alert", true);
    json_text(b, "message", sentence);
}

static void put_cloud(struct buffer *b, const struct finding_facts *f) {
    json_open(b, "cloud", '{');
    json_cstr(b, "provider", "AWS");
    json_some(b, "region", f->region);
    if (f->account.n) {
        json_open(b, "account", '{');
        json_text(b, "uid", f->account);
        json_u64(b, "type_id", ACCOUNT_TYPE_AWS);
        json_close(b, '}');
    }
    json_close(b, '}');
}

static void put_attack(struct buffer *b, const struct attack_label *label) {
    json_open(b, "attacks", '[');
    json_open(b, NULL, '{');
    json_cstr(b, "version", ATTACK_VERSION);
    json_open(b, "tactic", '{');
    json_cstr(b, "uid", label->tactic_uid);
    json_cstr(b, "name", label->tactic);
    json_close(b, '}');
    json_open(b, "technique", '{');
    json_cstr(b, "uid", label->technique_uid);
    json_cstr(b, "name", label->technique);
    json_close(b, '}');
    json_close(b, '}');
    json_close(b, ']');
}

static void put_analytic(struct buffer *b, const struct finding_facts *f, enum score_test lead) {
    char uid[64];
    snprintf(uid, sizeof uid, "weir.%s", score_test_word(lead));
    json_open(b, "analytic", '{');
    json_u64(b, "type_id", ANALYTIC_STATISTICAL);
    json_cstr(b, "name", score_test_word(lead));
    json_cstr(b, "uid", uid);
    json_cstr(b, "version", f->model ? f->model : "");
    json_close(b, '}');
}

static void put_info(struct buffer *b, const struct finding_facts *f, const struct claim *c, const char *uid) {
    enum score_test lead = c->lead ? c->lead->test : SCORE_HOUR_VOLUME;
    const struct attack_label *label = attack_label_of(c);
    char desc[160];
    json_open(b, "finding_info", '{');
    json_cstr(b, "uid", uid);
    json_cstr(b, "title", finding_title(lead));
    if (label) {
        snprintf(desc, sizeof desc, "Consistent with %s (%s), tactic %s (%s)", label->technique_uid, label->technique, label->tactic_uid, label->tactic);
        json_cstr(b, "desc", desc);
    }
    json_open(b, "types", '[');
    json_cstr(b, NULL, "Data Exfiltration");
    json_close(b, ']');
    json_ms(b, "first_seen_time", c->start_s);
    json_ms(b, "last_seen_time", c->end_s);
    json_ms(b, "created_time", c->created_s);
    json_open(b, "data_sources", '[');
    json_cstr(b, NULL, "AWS VPC flow logs");
    json_close(b, ']');
    put_analytic(b, f, lead);
    if (label) put_attack(b, label);
    json_close(b, '}');
}

static void put_resource(struct buffer *b, struct slice uid, const char *type, struct ip ip) {
    json_open(b, NULL, '{');
    json_text(b, "uid", uid);
    if (type) json_cstr(b, "type", type);
    json_ip(b, "ip", ip);
    json_u64(b, "role_id", ROLE_AFFECTED);
    json_close(b, '}');
}

static void put_resources(struct buffer *b, const struct finding_facts *f) {
    struct slice eni = {f->interface.p, f->interface.n > 4 ? 4 : f->interface.n};
    char host[IP_TEXT_MAX];
    ip_format(f->host, host);
    json_open(b, "resources", '[');
    put_resource(b, f->interface.n ? f->interface : slice_of(host), slice_eq(eni, SLICE_LIT("eni-")) ? "AWS::EC2::NetworkInterface" : NULL, f->host);
    if (f->instance.n) put_resource(b, f->instance, "AWS::EC2::Instance", f->host);
    json_close(b, ']');
}

/* The service port stands at the end that did not open the connection: the peer's, or the host's own for what it served. */
static void put_ends(struct buffer *b, const struct finding_facts *f, const struct evidence_peer *p) {
    json_open(b, "src_endpoint", '{');
    json_ip(b, "ip", f->host);
    if (!p->initiated && p->port) json_u64(b, "port", p->port);
    json_some(b, "interface_uid", f->interface);
    json_some(b, "vpc_uid", f->vpc);
    json_close(b, '}');
    json_open(b, "dst_endpoint", '{');
    json_ip(b, "ip", p->peer);
    if (p->initiated && p->port) json_u64(b, "port", p->port);
    if (p->country[0]) {
        json_open(b, "location", '{');
        json_cstr(b, "country", p->country);
        json_close(b, '}');
    }
    if (p->asn) {
        json_open(b, "autonomous_system", '{');
        json_u64(b, "number", p->asn);
        json_some(b, "name", slice_of(p->as_name));
        json_close(b, '}');
    }
    json_close(b, '}');
    json_open(b, "connection_info", '{');
    json_u64(b, "direction_id", p->initiated ? DIRECTION_ID_OUT : DIRECTION_ID_IN);
    json_u64(b, "protocol_num", p->protocol);
    json_u64(b, "boundary_id", BOUNDARY_ID_EXTERNAL);
    json_close(b, '}');
}

static void put_evidence(struct buffer *b, const struct finding_facts *f, size_t i) {
    const struct evidence_peer *p = &f->peer[i];
    char uid[32];
    snprintf(uid, sizeof uid, "e%zu", i + 1);
    json_open(b, NULL, '{');
    json_cstr(b, "uid", uid);
    put_ends(b, f, p);
    json_open(b, "data", '{');
    json_u64(b, "bytes", p->bytes);
    json_u64(b, "packets", p->packets);
    json_u64(b, "records", p->records);
    json_u64(b, "bytes_in", p->bytes_in);
    json_time(b, "first_seen", p->first_s);
    json_time(b, "last_seen", p->last_s);
    json_bool(b, "new", !p->known);
    json_bool(b, "initiated", p->initiated);
    json_cstr(b, "test", score_test_word(p->test));
    put_places(b, p);
    json_close(b, '}');
    json_close(b, '}');
}

/* OCSF wants the value of an observation as text. */
static void put_observation(struct buffer *b, uint64_t value, uint32_t count, uint32_t hours, uint32_t days) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    json_open(b, "observations", '[');
    json_open(b, NULL, '{');
    json_cstr(b, "value", text);
    json_u64(b, "count", count);
    if (hours || days) {
        json_open(b, "timespan", '{');
        if (hours) json_u64(b, "duration_hours", hours);
        if (days) json_u64(b, "duration_days", days);
        json_u64(b, "type_id", hours ? TIMESPAN_HOURS : TIMESPAN_DAYS);
        json_close(b, '}');
    }
    json_close(b, '}');
    json_close(b, ']');
}

static void put_observed(struct buffer *b, const char *parameter, const char *suffix, const char *pattern) {
    char name[96];
    snprintf(name, sizeof name, "%s%s", parameter, suffix);
    json_open(b, NULL, '{');
    json_cstr(b, "observation_parameter", name);
    json_cstr(b, "observation_type", "Volume Analysis");
    json_cstr(b, "observed_pattern", pattern);
}

static void put_analysis(struct buffer *b, const struct finding_facts *f, const struct score_part *p) {
    bool hourly = p->test == SCORE_HOUR_VOLUME;
    char host[IP_TEXT_MAX];
    ip_format(f->host, host);
    json_open(b, NULL, '{');
    json_open(b, "analysis_targets", '[');
    json_open(b, NULL, '{');
    json_cstr(b, "name", host);
    json_cstr(b, "type", "host");
    json_close(b, '}');
    json_close(b, ']');
    json_open(b, "baselines", '[');
    put_observed(b, quantity[p->test], "", "NORMAL_VOLUME");
    put_observation(b, p->reference_bytes, p->history_days, 0, p->history_days);
    json_close(b, '}');
    put_observed(b, quantity[p->test], "_largest", "NORMAL_VOLUME");
    put_observation(b, p->largest_bytes, p->history_days, 0, p->history_days);
    json_close(b, '}');
    json_close(b, ']');
    json_open(b, "anomalies", '[');
    put_observed(b, quantity[p->test], "", "SURGE");
    put_observation(b, p->observed_bytes, 1, hourly ? 1 : 0, hourly ? 0 : 1);
    json_close(b, '}');
    json_close(b, ']');
    json_close(b, '}');
}

static void put_analyses(struct buffer *b, const struct finding_facts *f) {
    json_open(b, "anomaly_analyses", '[');
    for (size_t d = 0; d < f->days; d++) {
        const struct score *s = f->day[d].score;
        for (size_t i = 0; i < s->n; i++)
            if (s->part[i].raised) put_analysis(b, f, &s->part[i]);
    }
    json_close(b, ']');
}

static void put_observables(struct buffer *b, const struct finding_facts *f) {
    json_open(b, "observables", '[');
    for (size_t i = 0; i < f->peers; i++) {
        char name[64];
        snprintf(name, sizeof name, "evidences[%zu].dst_endpoint.ip", i);
        json_open(b, NULL, '{');
        json_cstr(b, "name", name);
        json_u64(b, "type_id", OBSERVABLE_IP);
        json_ip(b, "value", f->peer[i].peer);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void put_metadata(struct buffer *b, const char *uid, size_t begin) {
    struct sha256 hash;
    char text[FINDING_UID_MAX + 2 * CONTENT_HASH_BYTES + 2], hex[2 * CONTENT_HASH_BYTES + 1];
    sha256_of(b->p + begin, b->n - begin, &hash);
    hex_encode(hash.b, CONTENT_HASH_BYTES, hex);
    snprintf(text, sizeof text, "%s-%s", uid, hex);
    json_open(b, "metadata", '{');
    json_cstr(b, "version", "1.8.0");
    json_open(b, "profiles", '[');
    json_cstr(b, NULL, "cloud");
    json_close(b, ']');
    json_cstr(b, "uid", text);
    json_cstr(b, "log_name", "vpc-flow-logs");
    json_open(b, "product", '{');
    json_cstr(b, "name", "weir");
    json_cstr(b, "vendor_name", "weir");
    json_cstr(b, "version", FINDING_PRODUCT_VERSION);
    json_close(b, '}');
    json_close(b, '}');
}

static void put_content(struct buffer *b, const struct finding_facts *f, unsigned activity, const char *uid, struct slice sentence) {
    struct claim c;
    claim_of(f, &c);
    put_class(b, f, &c, activity, sentence);
    put_cloud(b, f);
    put_info(b, f, &c, uid);
    put_resources(b, f);
    json_open(b, "evidences", '[');
    for (size_t i = 0; i < f->peers; i++) put_evidence(b, f, i);
    json_close(b, ']');
    put_analyses(b, f);
    put_observables(b, f);
    json_open(b, "unmapped", '{');
    put_weir(b, f, sentence);
    json_close(b, '}');
}

enum weir_err finding_encode(const struct finding_facts *f, unsigned activity, struct buffer *out) {
    size_t begin = out->n;
    struct buffer sentence;
    char uid[FINDING_UID_MAX];
    buffer_init(&sentence, SENTENCE_MAX);
    finding_uid(f, uid);
    finding_sentence(f, &sentence);
    buffer_u8(out, '{'); /* not json_open: what stands before it in the buffer is the caller's */
    put_content(out, f, activity, uid, (struct slice){sentence.p, sentence.n});
    if (!out->err && !sentence.err) put_metadata(out, uid, begin);
    json_close(out, '}');
    enum weir_err err = sentence.err ? sentence.err : out->err;
    buffer_fini(&sentence);
    if (err) out->n = begin;
    return err;
}
