/* What the files of this room share: the facts boiled down once, a JSON writer, labels.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_FINDING_PRIVATE_H
#define WEIR_FINDING_PRIVATE_H

#include "weir/finding.h"

/* ---- claim.c: what the facts add up to ---- */
struct claim {
    const struct score_part *lead; /* the raised part with the smallest rate over all days; NULL if there is none */
    const struct finding_day *lead_day;
    uint64_t bytes;                /* of all peers, listed or not; without peers: the largest raised part */
    unsigned rule_severity;        /* of the most severe broken rule; 0: none */
    double value;                  /* the highest score of the days */
    bool learning;                 /* some day was scored while the history was short */
    uint32_t raised;               /* bit per test with a raised part */
    int64_t start_s, end_s;        /* first start and last end of the claimed records; without peers: of the raised hours */
    int64_t created_s;             /* end of the first hour that raised: when the claim could be made at the earliest */
};
void claim_of(const struct finding_facts *f, struct claim *out);

/* ---- cloud.c ---- */
struct cloud {
    const char *provider, *interface_type; /* NULL: no type is known */
    unsigned account_type;                 /* type_id of OCSF's account: 10 AWS Account, 11 GCP Project, 13 Azure Subscription */
    bool estimated;                        /* its logs are made from samples */
};
const struct cloud *cloud_of(struct slice interface);

/* ---- attack.c ---- */
struct attack_label {
    const char *tactic_uid, *tactic;
    const char *technique_uid, *technique; /* NULL: only the tactic */
};
#define ATTACK_LABELS_MAX 5
#define ATTACK_VERSION "19.1"
/* The labels that the facts are consistent with, maybe none: no label is better than a guessed one. */
size_t attack_labels(const struct claim *c, const struct attack_label *out[ATTACK_LABELS_MAX]);

/* ---- sentence.c ---- */
/* Title of a finding led by this test: "Unusual egress volume to a new destination". */
const char *finding_title(enum score_test test);

/* ---- rules.c ---- */
const char *rule_title(enum score_test test);
/* "; the policy does not allow it: db-only-from-app", nothing without a broken rule. */
void say_rules(struct buffer *out, const struct finding_facts *f);
unsigned rule_severity(enum score_test test); /* 0: not a rule */

/* ---- places.c ---- */
/* data.objects of one evidence: where its bytes stand. */
void put_places(struct buffer *b, const struct evidence_peer *p);

/* ---- unmapped.c ---- */
/* The "weir" object: everything weir needs again and OCSF has no place for. */
void put_weir(struct buffer *b, const struct finding_facts *f, struct slice sentence);

/* ---- ocsf.c: a JSON writer; the comma is found by looking at the last byte, so that a member can be left out anywhere ---- */
void ocsf_open(struct buffer *b, const char *key, char bracket); /* key NULL: an element of an array */
void ocsf_close(struct buffer *b, char bracket);
void ocsf_text(struct buffer *b, const char *key, struct slice text);
void ocsf_cstr(struct buffer *b, const char *key, const char *text);
void ocsf_some(struct buffer *b, const char *key, struct slice text); /* left out when empty */
void ocsf_u64(struct buffer *b, const char *key, uint64_t v); /* at most INT64_MAX, the range of OCSF's long_t */
void ocsf_bool(struct buffer *b, const char *key, bool v);
void ocsf_ip(struct buffer *b, const char *key, struct ip ip);
void ocsf_ms(struct buffer *b, const char *key, int64_t s);   /* epoch milliseconds */
void ocsf_time(struct buffer *b, const char *key, int64_t s); /* RFC 3339 */
/* Fixed point by integers, so that the bytes depend on no locale; NaN is 0, the rest is clamped to +-1e6. decimals <= 12. */
void ocsf_fixed(struct buffer *b, const char *key, double v, unsigned decimals);

#endif
