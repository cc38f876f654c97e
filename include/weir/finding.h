/* SPDX-License-Identifier: Apache-2.0 */
/* finding - a claim with evidence, as an OCSF Detection Finding 1.8.0 (JSON text), with a deterministic id.
 *
 * One finding per host and run of consecutive days: more tests, peers and days join it; it closes after a quiet day.
 * Times inside come from the records, never from a clock, so that the same facts give the same bytes.
 * Everything that weir itself needs again (parts, places, history) stands under "unmapped"."weir" of the same JSON.
 * Source: OCSF schema 1.8.0, class 2004; MITRE ATT&CK v19.1 for labels ("consistent with", never "is"). */
#ifndef WEIR_FINDING_H
#define WEIR_FINDING_H

#include "weir/score.h"

/* Lines of one object whose bytes are part of the claim. */
struct evidence_place {
    struct sha256 object;
    struct slice key;         /* object key, empty if the name told nothing */
    uint64_t first_line, last_line, records, bytes;
    const uint32_t *lines;    /* line numbers, ascending; NULL when lines_n is 0 (too many to list) */
    size_t lines_n;
};

/* One peer of the claim. */
struct evidence_peer {
    struct ip peer;
    uint16_t port;            /* the service port that carried most bytes */
    uint8_t protocol;
    bool initiated;           /* the host opened the connections */
    bool known;               /* the group was in the baseline before this run of days */
    uint64_t bytes, packets, records, bytes_in;
    int64_t first_s, last_s;  /* first start, last end */
    char country[3];          /* "" unknown */
    uint32_t asn;             /* 0 unknown */
    char as_name[64];
    struct slice name;        /* that packets told of it; empty: none. From outside: escape before showing */
    enum score_test test;     /* the raised part with the smallest rate that counts it */
    const struct evidence_place *place; size_t places;
};

/* Everything a finding is made of, one entry per raised day, oldest first. Borrowed. */
struct finding_day {
    int64_t day_s;            /* 00:00 UTC */
    const struct score *score;
    const uint64_t *hour_bytes; /* 24: external bytes out */
    uint32_t gap_hours;       /* bit per hour with SKIPDATA */
    const uint64_t *usual, *high; /* 24 each: what the host usually sends in such an hour, and what is much for it; NULL: no history */
    uint64_t bytes;           /* of the claim, sent on that day */
};
struct finding_facts {
    struct slice account, region, interface, vpc, instance, name, role, subnet; /* empty if unknown */
    struct ip host;
    const struct finding_day *day; size_t days;
    const struct evidence_peer *peer; size_t peers; /* by bytes, largest first */
    uint64_t peers_more, bytes_more;  /* peers beyond the list and their bytes */
    uint64_t bytes_unplaced;          /* claimed bytes whose objects could not be read again */
    const uint8_t *history; size_t history_n; /* daily external bytes before the first day, 1/8 octaves, oldest first */
    bool sensitive;           /* the role of the host is */
    bool closed;              /* a quiet day followed */
    bool more;                /* the last day is still open: sums are lower bounds */
    const char *model;        /* "egress-3" */
    char config_hash[17];     /* of the effective configuration */
};

#define FINDING_PRODUCT_VERSION "0.1.0" /* stands in every finding; that of the program */
#define FINDING_UID_MAX 48
/* "wf1-" + 32 hex digits of SHA-256 over (account, interface, host, first day, model). */
void finding_uid(const struct finding_facts *f, char out[FINDING_UID_MAX]);
/* The one plain sentence: "10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); its usual day to new destinations is 0.9 MB" */
void finding_sentence(const struct finding_facts *f, struct buffer *out);
/* 1 informational .. 5 critical, from score and bytes. */
unsigned finding_severity(const struct finding_facts *f);
const char *finding_severity_word(unsigned severity_id);
/* Bytes as a claim says them: decimal units, three digits, "41.1 GB" "3.00 MB" "512 B" */
#define FINDING_BYTES_TEXT_MAX 32
void finding_bytes(uint64_t bytes, char out[FINDING_BYTES_TEXT_MAX]);
/* ---- operational findings: about what weir itself works with. They depend on what happened to it, so they are outside of "same input, same
 * findings", and their time is that of the clock. ---- */
struct finding_fact { const char *name; uint64_t value; };
struct finding_notice {
    const char *uid, *kind;   /* kind: "store-rollback" */
    const char *title, *advice, *about; /* about: what it befell, "store" */
    struct slice sentence;
    unsigned severity;
    int64_t time_s;
    const struct finding_fact *fact; size_t facts;
};
/* The same key of the same kind is the same finding, however often it is seen. */
void finding_notice_uid(const char *kind, struct slice key, char out[FINDING_UID_MAX]);
WEIR_MUST_USE enum weir_err finding_notice_encode(const struct finding_notice *n, struct buffer *out);

/* The OCSF JSON, one line, keys in a fixed order, byte for byte a function of *f. activity: 1 create, 2 update, 3 close. */
WEIR_MUST_USE enum weir_err finding_encode(const struct finding_facts *f, unsigned activity, struct buffer *out);

#endif
