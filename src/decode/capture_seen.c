/* See capture_seen.h. A name counts once an hour for each client, so that asking again adds nothing: what leaves by DNS is what differs.
 * Names and connections that were seen are told by 64 bits of a hash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/capture_seen.h"

#include <stdlib.h>
#include <string.h>

#include "decode/names_seen.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58, PORT_DNS = 53, TLS_1_2 = 0x0303 };
#define ECHO_BYTES 64     /* a usual ping: 8 of header, 56 of payload */
#define PACKET_TEXT_MAX 512 /* at most this much text comes of one packet */
#define WAYS 4
#define MINUTES 60

struct text { uint32_t at, n; };
struct dns_kept { struct text parent; uint64_t names, bytes; uint32_t next; };
struct answer_kept { struct ip address; struct text name; uint32_t next; };
struct flow_kept {
    struct text server_name;
    uint64_t icmp_bytes;
    uint32_t dns, answers; /* first of a list, as index + 1 */
};
struct talk_kept { uint64_t connection; uint32_t minute; enum capture_talk talk; };

struct capture_seen {
    uint32_t flows, sums, answers, text_n, names, hour;
    bool talks; /* one was told in this object */
    struct flow_kept flow[SEEN_FLOWS_MAX];
    struct dns_kept sum[SEEN_DNS_MAX];
    struct answer_kept answer[SEEN_ANSWERS_MAX];
    uint64_t name[SEEN_NAMES_MAX * 2]; /* open addressing */
    struct talk_kept talk[SEEN_TALKS_MAX];
    char text[SEEN_TEXT_MAX];
    struct record_seen out;
    struct dns_sum out_sum[SEEN_DNS_MAX];
    struct dns_answer out_answer[SEEN_ANSWERS_MAX];
};

struct capture_seen *capture_seen_new(void) { return malloc(sizeof(struct capture_seen)); }
void capture_seen_free(struct capture_seen *s) { free(s); }

void capture_seen_clear(struct capture_seen *s) { s->flows = s->sums = s->answers = s->text_n = 0; }

static void forget_names(struct capture_seen *s)
{
    if (s->names)
        memset(s->name, 0, sizeof s->name);
    s->names = 0;
}

void capture_seen_begin(struct capture_seen *s)
{
    capture_seen_clear(s);
    memset(s->name, 0, sizeof s->name);
    memset(s->talk, 0, sizeof s->talk);
    s->names = s->hour = 0;
    s->talks = false;
}

bool capture_seen_full(const struct capture_seen *s)
{
    return s->flows == SEEN_FLOWS_MAX || s->sums == SEEN_DNS_MAX || s->answers > SEEN_ANSWERS_MAX - DNS_ANSWERS_MAX ||
           s->text_n > SEEN_TEXT_MAX - PACKET_TEXT_MAX;
}

static struct flow_kept *flow_of(struct capture_seen *s, uint32_t *flow)
{
    if (!*flow) {
        s->flow[s->flows] = (struct flow_kept){.icmp_bytes = 0};
        *flow = ++s->flows;
    }
    return &s->flow[*flow - 1];
}

static struct text keep_text(struct capture_seen *s, struct slice t)
{
    struct text kept = {s->text_n, (uint32_t)t.n};
    memcpy(s->text + s->text_n, t.p, t.n);
    s->text_n += (uint32_t)t.n;
    return kept;
}

static struct slice text_of(const struct capture_seen *s, struct text t) { return (struct slice){s->text + t.at, t.n}; }

/* ---- DNS ---- */

static uint64_t host_hash(struct ip a) { return stable_mix(a.hi ^ stable_mix(a.lo)); }

/* False: this client asked for it before in this hour. */
static bool first_sight(struct capture_seen *s, struct ip client, struct slice name)
{
    uint64_t print = hash_u64x2(hash_bytes(name.p, name.n), host_hash(client)) | 1; /* keyed: nobody can make two names one, or fill a row */
    size_t at = print >> 8 & (SEEN_NAMES_MAX * 2 - 1);
    for (; s->name[at]; at = (at + 1) & (SEEN_NAMES_MAX * 2 - 1))
        if (s->name[at] == print)
            return false;
    s->name[at] = print;
    s->names++;
    return true;
}

static void add_question(struct capture_seen *s, struct flow_kept *f, struct slice parent, uint64_t left)
{
    uint32_t i = f->dns;
    while (i && !slice_eq(text_of(s, s->sum[i - 1].parent), parent))
        i = s->sum[i - 1].next;
    if (!i) {
        s->sum[s->sums] = (struct dns_kept){.parent = keep_text(s, parent), .next = f->dns};
        i = f->dns = ++s->sums;
    }
    s->sum[i - 1].names++;
    s->sum[i - 1].bytes += left;
}

static void see_question(struct capture_seen *s, uint32_t *flow, struct ip client, struct slice name)
{
    size_t parent = dns_parent(name), left = name.n - parent - (name.n > parent);
    if (left < DNS_LEFT_LEAST || dns_is_internal(name) || !first_sight(s, client, name))
        return;
    add_question(s, flow_of(s, flow), (struct slice){name.p + name.n - parent, parent}, left);
}

static void see_answers(struct capture_seen *s, uint32_t *flow, const struct dns_message *m)
{
    struct text name = {0, 0};
    struct flow_kept *f = m->answers ? flow_of(s, flow) : NULL;
    for (size_t i = 0; i < m->answers; i++) {
        if (!name.n)
            name = keep_text(s, (struct slice){m->name, m->name_n});
        s->answer[s->answers] = (struct answer_kept){m->answer[i], name, f->answers};
        f->answers = ++s->answers;
    }
}

/* True: the table of names was full. */
static bool see_dns(struct capture_seen *s, uint32_t *flow, const struct packet *p, const struct dns_message *m)
{
    bool full = s->names == SEEN_NAMES_MAX;
    if (full)
        forget_names(s);
    if (m->response && p->src_port == PORT_DNS)
        see_answers(s, flow, m);
    if (!m->response && p->dst_port == PORT_DNS)
        see_question(s, flow, p->src, (struct slice){m->name, m->name_n});
    return full;
}

/* ---- connections ---- */

static uint64_t connection_of(const struct packet *p)
{
    uint64_t a = host_hash(p->src) ^ stable_mix((uint64_t)p->src_port << 8 | 1), b = host_hash(p->dst) ^ stable_mix((uint64_t)p->dst_port << 8 | 1);
    return stable_mix(a + b) | 1; /* the same both ways */
}

/* What is known of the connection; told: what it said just now. */
static enum capture_talk talk_of(struct capture_seen *s, const struct packet *p, uint32_t minute, enum capture_talk told)
{
    uint64_t connection = connection_of(p);
    struct talk_kept *set = &s->talk[connection % (SEEN_TALKS_MAX / WAYS) * WAYS], *oldest = set;
    for (struct talk_kept *t = set; t < set + WAYS; t++) {
        if (t->connection == connection) {
            t->minute = minute;
            return t->talk = told ? told : t->talk;
        }
        if (t->minute < oldest->minute)
            oldest = t;
    }
    if (told)
        *oldest = (struct talk_kept){connection, minute, told};
    return told;
}

static void see_tcp(struct capture_seen *s, uint32_t *flow, const struct packet *p, uint32_t minute)
{
    WEIR_UNINITIALIZED struct tls_hello hello;
    enum capture_talk told = CAPTURE_TALK_NONE;
    bool is_hello = p->payload.p[0] == 22 && tls_parse(p->payload, &hello);
    if (is_hello)
        told = hello.version < TLS_1_2 ? CAPTURE_TALK_TLS_OLD : CAPTURE_TALK_NONE;
    else
        told = talk_in_the_clear(p->payload);
    enum capture_talk odd = talk_on_odd_port(p->payload, is_hello, told, p->dst_port);
    if (odd && !(odd == CAPTURE_TALK_ODD_SSH && p->src_port == 22)) /* the server's greeting comes from its port */
        told = odd;
    if (is_hello && hello.server_name.n && (!*flow || !flow_of(s, flow)->server_name.n))
        flow_of(s, flow)->server_name = keep_text(s, hello.server_name);
    if (told) {
        talk_of(s, p, minute, told);
        s->talks = true;
    }
}

static bool is_echo(const struct packet *p)
{
    return p->protocol == PROTO_ICMP ? p->icmp_type == 8 || p->icmp_type == 0 : p->icmp_type == 128 || p->icmp_type == 129;
}

static void see_icmp(struct capture_seen *s, uint32_t *flow, const struct packet *p)
{
    uint64_t usual = ECHO_BYTES + (p->protocol == PROTO_ICMP ? 20 : 40);
    if (p->part == PART_LATER || (is_echo(p) && p->bytes > usual))
        flow_of(s, flow)->icmp_bytes += p->part == PART_LATER ? p->bytes : p->bytes - usual;
}

bool capture_seen_add(struct capture_seen *s, uint32_t *flow, const struct packet *p, uint32_t minute)
{
    uint32_t hour = minute / MINUTES;
    if (hour > s->hour) {
        forget_names(s);
        s->hour = hour;
    }
    if (p->protocol == PROTO_ICMP || p->protocol == PROTO_ICMPV6)
        see_icmp(s, flow, p);
    if (!p->payload.n)
        return false;
    WEIR_UNINITIALIZED struct dns_message m;
    if ((p->dst_port == PORT_DNS || p->src_port == PORT_DNS) && dns_parse(p->payload, p->protocol == PROTO_TCP, &m))
        return see_dns(s, flow, p, &m);
    if (p->protocol == PROTO_TCP) /* whoever hides behind the port of DNS, too */
        see_tcp(s, flow, p, minute);
    return false;
}

/* ---- out ---- */

const struct record_seen *capture_seen_of(struct capture_seen *s, uint32_t flow, const struct packet *ends, uint32_t minute)
{
    enum capture_talk talk = s->talks && ends->protocol == PROTO_TCP ? talk_of(s, ends, minute, CAPTURE_TALK_NONE) : CAPTURE_TALK_NONE;
    if (!flow && !talk)
        return NULL;
    static const struct flow_kept nothing = {.icmp_bytes = 0};
    const struct flow_kept *f = flow ? &s->flow[flow - 1] : &nothing;
    s->out = (struct record_seen){.server_name = text_of(s, f->server_name), .icmp_bytes = f->icmp_bytes, .talk = talk,
                                  .dns = s->out_sum, .answer = s->out_answer};
    for (uint32_t i = f->dns; i; i = s->sum[i - 1].next)
        s->out_sum[s->out.dns_n++] = (struct dns_sum){text_of(s, s->sum[i - 1].parent), s->sum[i - 1].names, s->sum[i - 1].bytes};
    for (uint32_t i = f->answers; i; i = s->answer[i - 1].next)
        s->out_answer[s->out.answers++] = (struct dns_answer){s->answer[i - 1].address, text_of(s, s->answer[i - 1].name)};
    return &s->out;
}
