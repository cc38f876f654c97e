/* SPDX-License-Identifier: Apache-2.0 */
/* flow - the narrow waist: whose bytes are these, which way did they go, who opened the connection, is the far end ours.
 *
 * A record names two ends; attribution picks the host (our address behind this interface) and the peer. In order:
 * flow-direction; packet-level addresses; exactly one end in our networks; the own address learned for the interface.
 * What no rule settles stays PENDING (the caller keeps both ends) or is UNKNOWN, and is counted. Pure.
 * Source: AWS guide "Flow log record examples" (NAT, transit gateway); docs/formats.md "Attribution". */
#ifndef WEIR_FLOW_H
#define WEIR_FLOW_H

#include "weir/decode.h"

/* What is known of the far end of a flow besides its address. All zero: nothing. */
enum flow_grain { GRAIN_PREFIX, GRAIN_PROVIDER, GRAIN_NETWORK }; /* summed by /16 or /32; by provider; by /24 or /48 */
enum flow_list { LISTED_NOWHERE, LISTED_TRUSTED, LISTED_THREAT };
struct flow_provider {
    uint32_t asn;     /* 0 unknown */
    uint16_t country; /* country_number() */
    uint8_t service;  /* number in models/aws-services.def, 0 none; at most 63 */
    uint8_t grain : 4, list : 4;
};
struct flow_providers {
    const struct ip_map *map;              /* address to index in provider[]; 0: nothing known */
    const struct flow_provider *provider;
};
/* "BR" as a number from 1 to 676; 0 for anything but two letters A to Z. And back, "" for 0. */
uint16_t country_number(struct slice text);
void country_text(uint16_t number, char out[3]);
/* "S3"; "" for a number that no service has. And back, 0 for a name that is not listed. */
const char *aws_service_name(uint8_t number);
uint8_t aws_service_number(struct slice name);
bool aws_service_is_rented(uint8_t number);

/* What the operator said about addresses. Borrowed sets, sealed. */
struct flow_rules {
    const struct cidr_set *own;        /* networks.own; NULL: private addresses are ours, and the learned own addresses */
    const struct cidr_set *forwarders; /* networks.forwarders that are addresses; may be NULL */
    const char *const *forwarder_interfaces; size_t forwarder_interfaces_n; /* and those that are interface ids, sorted */
    const struct flow_providers *providers; /* NULL: no data */
};
struct flow_provider flow_provider_at(const struct flow_rules *rules, struct ip a);

/* Own address of an interface in one family, learned from one object: the address that all its records share. */
struct flow_own {
    struct ip a, b;      /* NONE: -; PAIR: both ends of every record so far; ONE: a is it */
    uint8_t state;       /* enum flow_own_state */
};
enum flow_own_state {
    OWN_NONE, OWN_PAIR, OWN_ONE, OWN_CONFLICT,
    OWN_HINT,      /* a was it in an earlier object, no record of this object yet */
    OWN_HINT_PAIR, /* a was it; all records of this object are between a and b */
};
/* Take one more record's ends. The state depends only on the set of pairs. On CONFLICT the object must be read again with
 * the state preset to CONFLICT, since flows were attributed on the way. */
void flow_own_learn(struct flow_own *own, struct ip src, struct ip dst);

enum flow_verdict {
    FLOW_CHARGED,   /* host, peer and way are known */
    FLOW_HINTED,    /* the host is the one of earlier objects: counts if its day proves it elsewhere, too */
    FLOW_PENDING,   /* either end may be the host: count both, the reader keeps the one that is proven; host = src, out */
    FLOW_FORWARDED, /* seen at a forwarder (NAT gateway, load balancer ...): charged to nobody */
    FLOW_NOT_TRAFFIC, /* NODATA, SKIPDATA, REJECT, no bytes: never egress */
    FLOW_UNKNOWN,   /* no rule settles it and none can */
    FLOW_SPECIAL,   /* multicast, link-local, broadcast ... */
    FLOW_VERDICTS
};
const char *flow_verdict_word(enum flow_verdict v);

enum flow_opened { OPENED_BY_HOST, OPENED_BY_PEER, OPENED_UNKNOWN };
enum service_class { SERVICE_WEB, SERVICE_DNS, SERVICE_ICMP, SERVICE_SHELL, SERVICE_NTP, SERVICE_OTHER, SERVICE_CLASSES };
const char *service_class_word(enum service_class c);

struct flow {
    struct ip host, peer;
    uint64_t bytes, packets;
    int64_t start_s, end_s;
    uint16_t service_port;   /* of the end that did not open the connection; 0 unknown */
    uint8_t protocol;
    uint8_t opened;          /* enum flow_opened */
    uint8_t service;         /* enum service_class */
    bool out;                /* bytes went from host to peer */
    bool external;           /* the peer is not ours */
    bool forwards;           /* this record proves that the interface is a forwarder */
    bool via;                /* the host stands behind this interface's address (pod, secondary address, transit gateway) */
    struct flow_provider at, host_at; /* of an external peer; host_at of the other end while PENDING, for the mirror */
};

/* Which ends of a record are in our networks: asked once, and all that follows stands on it. */
struct flow_ends { bool src_own, dst_own, special; }; /* special: either is, see ip_is_special */
static inline struct flow_ends flow_ends(const struct flow_rules *rules, const struct record *r)
{
    enum ip_reach src = ip_reach(r->src), dst = ip_reach(r->dst);
    struct flow_ends ends = {src == IP_PRIVATE, dst == IP_PRIVATE, (src == IP_SPECIAL) | (dst == IP_SPECIAL)};
    if (rules->own) {
        ends.src_own = cidr_set_has(rules->own, r->src);
        ends.dst_own = cidr_set_has(rules->own, r->dst);
    }
    return ends;
}
/* Learn from a record whose direction is not given, as flow_own_learn: of two ends of which one is ours only that one. */
void flow_learn(struct flow_own *own, const struct record *r, struct flow_ends ends);
/* Attribute one record; own: what is known of the interface in the record's family. *out is filled unless NOT_TRAFFIC. */
enum flow_verdict flow_attribute(const struct flow_rules *rules, const struct record *r, struct flow_ends ends, const struct flow_own *own,
                                 struct flow *out);
/* A captured record tells no interface: each end that is ours is a host of its own, behind an interface named after its address, as if every
 * host had a flow log. Up to two records, which borrow from r and from name. */
struct flow_captured {
    size_t n;
    struct record side[2];
    char name[2][sizeof "capture-" + IP_TEXT_MAX];
};
void flow_captured(const struct flow_rules *rules, const struct record *r, struct flow_captured *out);
/* The same flow seen from the other end. */
struct flow flow_mirror(const struct flow *f);
bool flow_is_own(const struct flow_rules *rules, struct ip a);

/* ---- groups: what a host's traffic is summed by. A 64-bit key that means the same in every run. ---- */
enum group_kind { GROUP_NONE, GROUP_INITIATED, GROUP_SERVED, GROUP_UNKNOWN, GROUP_INTERNAL_INITIATED, GROUP_INTERNAL_OTHER, GROUP_REST, GROUP_IN, GROUP_GAP,
                  GROUP_TRUSTED, /* peers of lists.trusted: summed by service class, judged by nobody */
                  GROUP_POLICY,  /* what breaks a rule of the policy, bytes both ways; it is counted in its own group, too */
                  GROUP_SEEN,    /* what only packets show, see enum group_seen; the flow itself is counted in its own group, too */
                  GROUP_KINDS };
/* kind(4) | service class(4) | form(4) | big(1) | threat(1) | 0(2) | payload(48). Forms of the payload:
 *   4, 6   IPv4, IPv6: external initiated and unknown: /16 or /32; served: /24 or /48; internal: the address, or 48 bits of its hash for IPv6
 *   1      a provider: AWS service(6) | country(10) | autonomous system(32)
 *   2, 3   /24 or /48 of a cloud that is rented by everybody, or of a listed threat
 * The country of the peer stands above the address in form 2 and in form 4 initiated or unknown, below it in form 6 initiated or unknown. */
enum group_form { GROUP_FORM_PROVIDER = 1, GROUP_FORM_V4_NETWORK = 2, GROUP_FORM_V6_NETWORK = 3, GROUP_FORM_V4 = 4, GROUP_FORM_V6 = 6 };
uint64_t flow_group(const struct flow *f);
static inline enum group_kind group_kind(uint64_t g) { return (enum group_kind)(g >> 60); }
static inline enum service_class group_service(uint64_t g) { return (enum service_class)((g >> 56) & 15); }
static inline unsigned group_form(uint64_t g) { return (unsigned)(g >> 52 & 15); }
#define GROUP_BIG (1ULL << 51)
#define GROUP_THREAT (1ULL << 50)
static inline uint64_t group_plain(uint64_t g) { return g & ~GROUP_BIG; }
static inline bool group_external(uint64_t g) { enum group_kind k = group_kind(g); return k >= GROUP_INITIATED && k <= GROUP_UNKNOWN; }
/* The peers stand in a network of lists.threat. */
static inline bool group_threat(uint64_t g) { return group_external(g) && (g & GROUP_THREAT); }
uint16_t group_country(uint64_t g); /* country_number(); 0: unknown, or no room for it in the key */
uint64_t group_network(uint64_t g); /* the key without the country */
/* What packets show of a host as sender; the form of GROUP_SEEN. Payload: DNS a bucket of parents, TALK its enum capture_talk. */
enum group_seen { SEEN_DNS = 1, SEEN_ECHO, SEEN_TALK };
#define SEEN_DNS_BUCKETS 4096 /* so that no host can have more groups of this kind */
static inline uint64_t group_seen(enum group_seen form, uint64_t payload) { return (uint64_t)GROUP_SEEN << 60 | (uint64_t)form << 52 | payload; }
static inline uint64_t group_payload(uint64_t g) { return g & ((1ULL << 48) - 1); }
/* The next thing that is seen of a flow that its host sent, *i from 0; false: no more. */
struct flow_seen {
    uint64_t group, bytes, count; /* DNS: bytes and number of names */
    struct slice name;            /* DNS: the parent. Borrows from the record */
};
bool flow_seen_next(const struct record *r, const struct flow *f, size_t *i, struct flow_seen *out);
/* What breaks one rule: 48 bits of a stable number of the rule. */
static inline uint64_t group_policy(uint64_t rule) { return (uint64_t)GROUP_POLICY << 60 | (rule & ((1ULL << 48) - 1)); }
/* "203.0.0.0/16 web", "AS16509 S3 web (US)", "10.0.2.7" - for people. */
void group_format(uint64_t g, struct buffer *out);

#endif
