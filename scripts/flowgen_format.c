/* Records to lines: the fields of AWS VPC flow logs, versions 2 to 11, in any order that the options ask for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen.h"

#include <string.h>

/* name, version that brought it; the order of versions 2 to 5 is that of the AWS table */
#define FIELDS(X)                                                                                                                          \
    X(VERSION, "version", 2) X(ACCOUNT, "account-id", 2) X(ENI, "interface-id", 2) X(SRC, "srcaddr", 2) X(DST, "dstaddr", 2)               \
    X(SPORT, "srcport", 2) X(DPORT, "dstport", 2) X(PROTOCOL, "protocol", 2) X(PACKETS, "packets", 2) X(BYTES, "bytes", 2)                 \
    X(START, "start", 2) X(END, "end", 2) X(ACTION, "action", 2) X(STATUS, "log-status", 2)                                                \
    X(VPC, "vpc-id", 3) X(SUBNET, "subnet-id", 3) X(INSTANCE, "instance-id", 3) X(FLAGS, "tcp-flags", 3) X(TYPE, "type", 3)                \
    X(PKT_SRC, "pkt-srcaddr", 3) X(PKT_DST, "pkt-dstaddr", 3)                                                                              \
    X(REGION, "region", 4) X(AZ, "az-id", 4) X(SUBLOC_TYPE, "sublocation-type", 4) X(SUBLOC_ID, "sublocation-id", 4)                       \
    X(SRC_SERVICE, "pkt-src-aws-service", 5) X(DST_SERVICE, "pkt-dst-aws-service", 5) X(DIRECTION, "flow-direction", 5)                    \
    X(PATH, "traffic-path", 5)                                                                                                             \
    X(ECS_1, "ecs-cluster-arn", 7) X(ECS_2, "ecs-cluster-name", 7) X(ECS_3, "ecs-container-instance-arn", 7)                               \
    X(ECS_4, "ecs-container-instance-id", 7) X(ECS_5, "ecs-container-id", 7) X(ECS_6, "ecs-second-container-id", 7)                        \
    X(ECS_7, "ecs-service-name", 7) X(ECS_8, "ecs-task-definition-arn", 7) X(ECS_9, "ecs-task-arn", 7) X(ECS_10, "ecs-task-id", 7)         \
    X(REASON, "reject-reason", 8) X(RESOURCE, "resource-id", 9) X(ENCRYPTION, "encryption-status", 10)                                     \
    X(TAG, "instance-tag", 11) X(TAG2, "instance-tag-2", 11) X(ENI_TAG, "interface-tag", 11) X(ENI_TAG2, "interface-tag-2", 11)            \
    X(ASG_TAG, "asg-tag", 11) X(ASG_TAG2, "asg-tag-2", 11) X(ENI_TYPE, "interface-type", 11) X(HOP_ENI, "next-hop-interface-id", 11)       \
    X(HOP_SUBNET, "next-hop-subnet-id", 11) X(HOP_AZ, "next-hop-az-id", 11) X(HOP_VPC, "next-hop-vpc-id", 11)                              \
    X(HOP_TYPE, "next-hop-interface-type", 11)

#define X_ENUM(id, name, version) F_##id,
#define X_NAME(id, name, version) {name, version},
enum field { FIELDS(X_ENUM) NFIELDS };
static const struct {
    const char *name;
    uint32_t version;
} fields[] = {FIELDS(X_NAME)};

int field_find(const char *name, size_t n)
{
    for (int f = 0; f < NFIELDS; f++)
        if (strlen(fields[f].name) == n && !memcmp(fields[f].name, name, n)) return f;
    return -1;
}

static void field_add(struct config *c, uint32_t at, int f)
{
    c->fields[at] = f;
    c->nfields++;
    if (c->version < fields[f].version) c->version = fields[f].version;
}

bool fields_parse(struct config *c, const char *list)
{
    c->nfields = c->version = 0;
    while (*list) {
        size_t n = strcspn(list, " ,");
        int f = n ? field_find(list, n) : NFIELDS;
        if (f < 0 || c->nfields == MAX_FIELDS) return false;
        if (n) field_add(c, c->nfields, f);
        list += n + (list[n] != '\0');
    }
    return c->nfields > 0;
}

/* v2 .. v11 (there is no 6 of VPC logs): all fields up to that version in the order of the table; v5alpha: by name. */
bool format_parse(struct config *c, const char *name)
{
    static const char *const names[] = {"v2", "v3", "v4", "v5", "v7", "v8", "v9", "v10", "v11", "v5alpha"};
    static const uint32_t versions[] = {2, 3, 4, 5, 7, 8, 9, 10, 11, 5};
    size_t k = 0;
    while (k < 10 && strcmp(names[k], name)) k++;
    if (k == 10) return false;
    c->nfields = c->version = 0;
    for (int f = 0; f < NFIELDS; f++) {
        uint32_t at = c->nfields;
        if (fields[f].version > versions[k]) continue;
        for (; k == 9 && at && strcmp(fields[c->fields[at - 1]].name, fields[f].name) > 0; at--) c->fields[at] = c->fields[at - 1];
        field_add(c, at, f);
    }
    return true;
}

size_t header_print(const struct config *c, char *out, size_t size)
{
    size_t n = 0;
    for (uint32_t i = 0; i < c->nfields; i++) {
        int wrote = snprintf(out + n, size - n, "%s%s", i ? " " : "", fields[c->fields[i]].name);
        if (wrote < 0 || (size_t)wrote >= size - n) fatal("header line too long");
        n += (size_t)wrote;
    }
    out[n++] = '\n';
    return n;
}

/* ---- ids ---- */

void account_print(const struct world *w, uint32_t vpc, char out[16])
{
    uint32_t account = vpc % w->cfg.accounts;
    uint64_t number = account == 0 ? 123456789012u : account == 1 ? 12345678901u : 200000000000u + hash4('a', account, 0, 0) % 700000000000u;
    snprintf(out, 16, "%012llu", (unsigned long long)(number % 1000000000000u)); /* the second one has a leading zero */
}

static void id_print(const struct world *w, const char *prefix, uint64_t what, uint64_t a, uint64_t b, char *out, size_t size)
{
    snprintf(out, size, "%s-0%016llx", prefix, (unsigned long long)hash4(w->cfg.seed, what, a, b));
}

void flow_log_print(const struct world *w, uint32_t vpc, uint32_t subscription, char out[24])
{
    id_print(w, "fl", 'F', vpc, subscription, out, 24);
}

static uint32_t subnet_of_eni(const struct world *w, uint32_t eni)
{
    return eni < w->cfg.hosts ? w->hosts[eni].subnet : 0;
}

static uint32_t az_of_eni(const struct world *w, uint32_t eni)
{
    return eni < w->cfg.hosts ? w->hosts[eni].az : (eni - w->cfg.hosts) % w->cfg.nat;
}

void eni_text_fill(const struct world *w, uint32_t eni, struct eni_text *t)
{
    uint32_t vpc = eni_vpc(w, eni), az = az_of_eni(w, eni);
    bool nat = eni >= w->cfg.hosts;
    t->eni = eni;
    account_print(w, vpc, t->account);
    id_print(w, "eni", 'I', eni, 0, t->id, sizeof t->id);
    id_print(w, "vpc", 'V', vpc, 0, t->vpc, sizeof t->vpc);
    id_print(w, "subnet", 'U', vpc, (uint64_t)subnet_of_eni(w, eni) << 8 | az, t->subnet, sizeof t->subnet);
    snprintf(t->instance, sizeof t->instance, "-");
    snprintf(t->tag, sizeof t->tag, "-");
    snprintf(t->az, sizeof t->az, "use1-az%u", az + 1);
    if (nat) return;
    id_print(w, "i", 'i', eni, 0, t->instance, sizeof t->instance);
    snprintf(t->tag, sizeof t->tag, "fleet%%2D%s", role_name((enum role)w->hosts[eni].role));
}

/* ---- lines ---- */

static size_t put(char *out, const char *text)
{
    size_t n = strlen(text);
    memcpy(out, text, n);
    return n;
}

static size_t put_number(char *out, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    for (size_t i = 0; i < n; i++) out[i] = digits[n - 1 - i];
    return n;
}

/* Both ends of a record as that interface sees them. */
struct ends {
    struct addr src, dst, pkt_src, pkt_dst;
    uint16_t sport, dport;
    bool egress;
    uint8_t path; /* 0: none */
};

static struct ends ends_swapped(struct ends e)
{
    return (struct ends){e.dst, e.src, e.pkt_dst, e.pkt_src, e.dport, e.sport, !e.egress, 0};
}

static struct ends ends_of(const struct world *w, const struct record *r)
{
    const struct session *s = r->session;
    const struct host *h = &w->hosts[s->host];
    struct addr me = s->v6 ? h->v6 : h->v4;
    struct ends e = {me, s->peer, me, s->peer, s->host_port, s->peer_port, true, 8};
    if (s->peer_host != NOBODY || s->nat) e.path = 1;
    if (s->endpoint) e.path = 7;
    if (r->leg == LEG_OUT) return e;
    if (r->leg == LEG_IN) return ends_swapped(e);
    struct addr gate = {0, (uint64_t)10 << 24 | (uint64_t)h->vpc << 16 | 10};
    if (w->cfg.nat) gate.lo += h->az % w->cfg.nat;
    switch (r->leg) {
    case LEG_PEER_IN: return (struct ends){me, s->peer, me, s->peer, s->host_port, s->peer_port, false, 0};
    case LEG_PEER_OUT: e = ends_swapped(e), e.egress = true, e.path = 1; return e;
    case LEG_NAT_FROM_HOST: return (struct ends){me, gate, me, s->peer, s->host_port, s->peer_port, false, 0};
    case LEG_NAT_TO_HOST: return (struct ends){gate, me, s->peer, me, s->peer_port, s->host_port, true, 1};
    case LEG_NAT_OUT: return (struct ends){gate, s->peer, gate, s->peer, s->nat_port, s->peer_port, true, 8};
    default: return (struct ends){s->peer, gate, s->peer, gate, s->peer_port, s->nat_port, false, 0};
    }
}

/* Where the packet goes next (or came from): told for what a host sends through its NAT gateway. */
static size_t put_hop(const struct world *w, const struct eni_text *t, const struct record *r, int field, char *out)
{
    if (!r->session || !r->session->nat || (r->leg != LEG_OUT && r->leg != LEG_IN)) return put(out, "-");
    struct eni_text gate;
    eni_text_fill(w, eni_of_nat(w, r->session->host), &gate);
    switch (field) {
    case F_HOP_ENI: return put(out, gate.id);
    case F_HOP_SUBNET: return put(out, gate.subnet);
    case F_HOP_AZ: return put(out, gate.az);
    case F_HOP_VPC: return put(out, t->vpc);
    default: return put(out, "nat_gateway");
    }
}

/* Fields that are the interface's own: also told on NODATA and SKIPDATA lines. 0: not one of them. */
static size_t put_own(const struct world *w, const struct eni_text *t, const struct record *r, int field, char *out)
{
    switch (field) {
    case F_ACCOUNT: return put(out, t->account);
    case F_ENI: return put(out, t->id);
    case F_START: return put_number(out, (uint64_t)r->start);
    case F_END: return put_number(out, (uint64_t)r->end);
    case F_STATUS: return put(out, r->leg == LEG_NODATA ? "NODATA" : r->leg == LEG_SKIPDATA ? "SKIPDATA" : "OK");
    case F_VPC: return put(out, t->vpc);
    case F_SUBNET: return put(out, t->subnet);
    case F_INSTANCE: return put(out, t->instance);
    case F_REGION: return put(out, w->cfg.region);
    case F_AZ: return put(out, t->az);
    case F_TAG: return put(out, t->tag);
    case F_ENI_TYPE: return put(out, t->eni >= w->cfg.hosts ? "nat_gateway" : "-");
    default: return 0;
    }
}

static size_t put_flow(const struct world *w, const struct record *r, const struct ends *e, int field, char *out)
{
    switch (field) {
    case F_SRC: return addr_print(e->src, out);
    case F_DST: return addr_print(e->dst, out);
    case F_PKT_SRC: return addr_print(e->pkt_src, out);
    case F_PKT_DST: return addr_print(e->pkt_dst, out);
    case F_SPORT: return put_number(out, r->session->protocol == 1 ? 0 : e->sport);
    case F_DPORT: return put_number(out, r->session->protocol == 1 ? 0 : e->dport);
    case F_PROTOCOL: return put_number(out, r->session->protocol == 1 && r->session->v6 ? 58 : r->session->protocol);
    case F_PACKETS: return put_number(out, r->packets);
    case F_BYTES: return put_number(out, r->bytes);
    case F_ACTION: return put(out, r->session->reject ? "REJECT" : "ACCEPT");
    case F_FLAGS: return put_number(out, r->flags);
    case F_TYPE: return put(out, r->session->v6 ? "IPv6" : "IPv4");
    case F_SRC_SERVICE: return put(out, provider_service(e->pkt_src));
    case F_DST_SERVICE: return put(out, provider_service(e->pkt_dst));
    case F_DIRECTION: return put(out, e->egress ? "egress" : "ingress");
    case F_PATH: return e->path ? put_number(out, e->path) : put(out, "-");
    case F_ENCRYPTION: return put_number(out, w->cfg.endpoint ? 1 : 0);
    default: return put(out, "-");
    }
}

/* CloudWatch's export writes the start of the record before it. */
static size_t put_iso_time(char *out, int64_t at)
{
    struct date d = date_of(at);
    return (size_t)snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02u.000Z ", d.year, d.month, d.day, d.hour, d.minute, d.second);
}

size_t line_print(const struct world *w, const struct eni_text *t, const struct record *r, char *out)
{
    const struct config *c = &w->cfg;
    struct ends ends = {0};
    size_t n = c->cloudwatch ? put_iso_time(out, r->start) : 0;
    if (r->session) ends = ends_of(w, r);
    for (uint32_t i = 0; i < c->nfields; i++) {
        int f = c->fields[i];
        size_t wrote = f == F_VERSION ? put_number(out + n, c->version) : put_own(w, t, r, f, out + n);
        if (!wrote && f >= F_HOP_ENI) wrote = put_hop(w, t, r, f, out + n);
        if (!wrote) wrote = r->session ? put_flow(w, r, &ends, f, out + n) : put(out + n, "-");
        n += wrote;
        out[n++] = ' ';
    }
    out[n - 1] = '\n';
    return n;
}
