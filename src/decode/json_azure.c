/* Flow logs of Azure: network security groups (NSG, versions 1 and 2) and virtual networks (VNet, version 4). A blob holds the records of one network
 * interface and hour; a record holds tuples, and a tuple speaks of both directions of one flow since the last tuple of it: it becomes
 * two records, so that what a host sends over a connection that was opened to it counts as well.
 *
 *   tuple  NSG 1   time src dst sport dport T|U I|O A|D                                       no volume
 *          NSG 2   ... the same, then B|C|E packets-> bytes-> packets<- bytes<-
 *          VNet    time src dst sport dport protocol I|O B|C|E|D encryption packets-> bytes-> packets<- bytes<-
 *
 * `->` is from source to destination, and the source opened the flow; I: the interface is the destination's, O: the source's. B opens a flow and has no
 * counters yet. The kinds are told apart by the sixth field and the number of fields, never by the name of the log.
 * Source: Microsoft, "NSG flow logs overview" and "Virtual network flow logs". */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/json.h"
#include "decode/values.h"
#include "decode/walk.h"

#define FIELDS_NSG1 8
#define FIELDS 13
#define HELD_MAX (1u << 20) /* of tuples that stand before the name of their interface */
#define GROWTH_MAX 65536u   /* a blob of an hour has some 60 records; what has more than these is no blob that grows */
#define TCP_SYN 2
#define TCP_SYN_ACK 18

struct azure {
    struct cloud_name mac, flow_mac, account, network; /* of the record in work; flow_mac: of one of its flows */
    struct buffer held;                                /* tuples, each behind its length as a varint */
    bool flows;                                        /* a category of flow logs, or none given */
    bool passing;                                      /* the record was counted when the blob was shorter */
    struct sha256_stream *digest;                      /* of the record in work */
    struct sha256 *print;                              /* after each record */
    size_t prints, prints_cap;
    char interface[CLOUD_TEXT_MAX + 8];
};

struct azure *azure_new(void)
{
    struct azure *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    buffer_init(&a->held, HELD_MAX);
    a->digest = sha256_new();
    if (a->digest)
        return a;
    azure_free(a);
    return NULL;
}

void azure_free(struct azure *a)
{
    if (!a)
        return;
    buffer_fini(&a->held);
    if (a->digest)
        sha256_free(a->digest);
    free(a->print);
    free(a);
}

void azure_begin(struct json_reader *r)
{
    r->azure->prints = 0;
}

/* ---- growth: each record's digest, chained to those before ---- */

static void digest_text(struct azure *a, struct slice text)
{
    unsigned char n[4] = {(unsigned char)text.n, (unsigned char)(text.n >> 8), (unsigned char)(text.n >> 16), 0};
    sha256_add(a->digest, n, sizeof n);
    sha256_add(a->digest, text.p, text.n);
}

static void digest_end(struct json_reader *r)
{
    struct azure *a = r->azure;
    struct sha256 *more = a->prints < GROWTH_MAX ? array_grow(a->print, &a->prints_cap, a->prints, sizeof *more) : NULL;
    r->out->growth = (struct decode_growth){NULL, 0};
    if (!more)
        return;
    a->print = more;
    if (a->prints)
        sha256_add(a->digest, a->print[a->prints - 1].b, SHA256_BYTES);
    sha256_end(a->digest, &a->print[a->prints++]);
    r->out->growth = (struct decode_growth){a->print, a->prints};
}

/* ---- a tuple ---- */

struct tuple {
    struct slice field[FIELDS + 1];
    unsigned n;
    bool nsg;
    struct record r;    /* from source to destination */
    uint64_t back_packets, back_bytes;
    bool incoming, volume;
    enum decode_reject why; /* REJECT_COUNT: fine */
    unsigned at;            /* enum decode_field, or FIELD_COUNT */
};

static bool refuse(struct tuple *t, enum decode_reject why, unsigned field)
{
    t->why = why;
    t->at = field;
    return false;
}

static void split(struct tuple *t, struct slice text)
{
    size_t from = 0;
    t->n = 0;
    for (size_t i = 0; i <= text.n && t->n <= FIELDS; i++)
        if (i == text.n || text.p[i] == ',') {
            t->field[t->n++] = (struct slice){text.p + from, i - from};
            from = i + 1;
        }
}

static bool number(struct tuple *t, unsigned i, unsigned field, uint64_t max, uint64_t *out)
{
    struct rare found = rare_number(t->field[i], max);
    *out = found.value;
    if (found.why != REJECT_COUNT)
        return refuse(t, found.why, field);
    if (found.absent)
        return refuse(t, REJECT_MISSING_VALUE, field);
    return true;
}

static bool time_take(struct tuple *t)
{
    struct rare found = rare_seconds(t->field[0]);
    if (found.why != REJECT_COUNT)
        return refuse(t, found.why, FIELD_START);
    t->r.start_s = t->r.end_s = (int64_t)found.value;
    return !found.absent || refuse(t, REJECT_MISSING_VALUE, FIELD_START);
}

static bool address(struct tuple *t, unsigned i, unsigned field, struct ip *out)
{
    return ip_parse(t->field[i], out) == WEIR_OK || refuse(t, REJECT_ADDRESS, field);
}

static bool ends_take(struct tuple *t)
{
    uint64_t src_port, dst_port;
    if (!address(t, 1, FIELD_SRCADDR, &t->r.src) || !address(t, 2, FIELD_DSTADDR, &t->r.dst) ||
        !number(t, 3, FIELD_SRCPORT, UINT16_MAX, &src_port) || !number(t, 4, FIELD_DSTPORT, UINT16_MAX, &dst_port))
        return false;
    t->r.src_port = (uint16_t)src_port;
    t->r.dst_port = (uint16_t)dst_port;
    return ip_is_v4(t->r.src) == ip_is_v4(t->r.dst) || refuse(t, REJECT_FAMILY, FIELD_DSTADDR);
}

/* One of the letters, as its place among them. */
static bool letter(struct tuple *t, unsigned i, const char *letters, unsigned field, unsigned *out)
{
    const char *found = t->field[i].n == 1 && *t->field[i].p ? strchr(letters, *t->field[i].p) : NULL;
    if (!found)
        return refuse(t, REJECT_ACTION, field);
    *out = (unsigned)(found - letters);
    return true;
}

static bool protocol_take(struct tuple *t)
{
    uint64_t protocol;
    t->nsg = slice_eq(t->field[5], SLICE_LIT("T")) || slice_eq(t->field[5], SLICE_LIT("U"));
    if (t->nsg) {
        t->r.protocol = *t->field[5].p == 'T' ? 6 : 17;
        return true;
    }
    bool ok = number(t, 5, FIELD_PROTOCOL, UINT8_MAX, &protocol);
    t->r.protocol = (uint8_t)protocol;
    return ok;
}

/* What was let through, and whether this tuple has counters. */
static bool state_take(struct tuple *t)
{
    unsigned decision = 0, state = 1;
    if (t->nsg && (!letter(t, 7, "AD", FIELD_ACTION, &decision) || (t->n == FIELDS && !letter(t, 8, "BCE", FIELD_ACTION, &state))))
        return false;
    if (!t->nsg && !letter(t, 7, "BCED", FIELD_ACTION, &state))
        return false;
    bool denied = t->nsg ? decision == 1 : state == 3;
    t->r.action = denied ? ACTION_REJECT : ACTION_ACCEPT;
    t->volume = t->n == FIELDS && state > 0 && !denied;
    return true;
}

static bool volume_take(struct tuple *t)
{
    if (!t->volume)
        return true;
    return number(t, 9, FIELD_PACKETS, UINT64_MAX, &t->r.packets) && number(t, 10, FIELD_BYTES, UINT64_MAX, &t->r.bytes) &&
           number(t, 11, FIELD_PACKETS, UINT64_MAX, &t->back_packets) && number(t, 12, FIELD_BYTES, UINT64_MAX, &t->back_bytes);
}

/* E and C whose counters are all empty are such of flows that Azure does not count. */
static void volume_look(struct tuple *t)
{
    bool empty = true;
    for (unsigned i = 9; t->volume && i < FIELDS; i++)
        empty &= t->field[i].n == 0;
    t->volume &= !empty;
}

static bool tuple_parse(struct tuple *t, struct slice text)
{
    unsigned way = 0;
    *t = (struct tuple){.why = REJECT_COUNT, .at = FIELD_COUNT};
    split(t, text);
    if (t->n != FIELDS && t->n != FIELDS_NSG1)
        return refuse(t, REJECT_FIELD_COUNT, FIELD_COUNT);
    if (!time_take(t) || !ends_take(t) || !protocol_take(t) || !letter(t, 6, "IO", FIELD_FLOW_DIRECTION, &way))
        return false;
    if (!t->nsg && t->n == FIELDS_NSG1)
        return refuse(t, REJECT_FIELD_COUNT, FIELD_COUNT);
    t->incoming = way == 0;
    if (!state_take(t))
        return false;
    volume_look(t);
    return volume_take(t);
}

/* ---- its records ---- */

/* "azure:" and the MAC address without separators, in upper case. */
static struct slice interface_of(struct azure *a)
{
    const struct cloud_name *mac = a->flow_mac.n ? &a->flow_mac : &a->mac;
    size_t n = 0;
    memcpy(a->interface, "azure:", 6);
    for (size_t i = 0; i < mac->n; i++) {
        char c = mac->text[i];
        if (c != ':' && c != '-')
            a->interface[6 + n++] = (char)(c >= 'a' && c <= 'f' ? c - 32 : c);
    }
    return (struct slice){a->interface, n ? 6 + n : 0};
}

static void fill(struct azure *a, struct tuple *t, uint64_t line)
{
    struct record *r = &t->r;
    r->line = line;
    r->interface = interface_of(a);
    r->account = cloud_name_slice(&a->account);
    r->vpc = cloud_name_slice(&a->network);
    r->subnet = r->instance = (struct slice){"", 0};
    r->has = HAS(INTERFACE_ID) | HAS(SRCADDR) | HAS(DSTADDR) | HAS(SRCPORT) | HAS(DSTPORT) | HAS(PROTOCOL) | HAS(START) | HAS(END) | HAS(ACTION) |
             HAS(FLOW_DIRECTION) | (r->account.n ? HAS(ACCOUNT_ID) : 0) | (r->vpc.n ? HAS(VPC_ID) : 0) | (t->volume ? HAS(BYTES) | HAS(PACKETS) : 0);
    r->direction = t->incoming ? DIRECTION_INGRESS : DIRECTION_EGRESS;
    if (r->protocol == 6) { /* the source opened the flow: the flags say so as a flow log of AWS would */
        r->tcp_flags = TCP_SYN;
        r->has |= HAS(TCP_FLAGS);
    }
}

static void turn(struct tuple *t)
{
    struct record *r = &t->r;
    struct ip address = r->src;
    uint16_t port = r->src_port;
    r->src = r->dst;
    r->dst = address;
    r->src_port = r->dst_port;
    r->dst_port = port;
    r->packets = t->back_packets;
    r->bytes = t->back_bytes;
    r->direction = t->incoming ? DIRECTION_EGRESS : DIRECTION_INGRESS;
    r->tcp_flags = r->protocol == 6 ? TCP_SYN_ACK : 0;
}

static void tuple_tell(struct json_reader *r, struct slice text)
{
    struct tuple t;
    uint64_t line = ++r->line;
    if (r->azure->passing)
        return;
    if (!tuple_parse(&t, text)) {
        decode_refuse(r->out, t.why, line, t.at, text);
        return;
    }
    fill(r->azure, &t, line);
    if (t.r.interface.n == 0) {
        decode_refuse(r->out, REJECT_MISSING_VALUE, line, FIELD_INTERFACE_ID, text);
        return;
    }
    if (t.n == FIELDS_NSG1)
        decode_note(r->out, NOTE_NO_VOLUME);
    cloud_emit(r->out, &t.r, text);
    if (t.volume && (t.back_packets || t.back_bytes)) {
        turn(&t);
        cloud_emit(r->out, &t.r, text);
    }
}

/* Tuples wait for the name of their interface, should it stand behind them. */
static void tuple_take(struct json_reader *r)
{
    struct azure *a = r->azure;
    struct json *j = &r->json;
    digest_text(a, j->text);
    if (j->odd || j->too_long) {
        r->line++;
        if (!a->passing)
            decode_refuse(r->out, j->odd ? REJECT_CONTROL_BYTE : REJECT_LINE_TOO_LONG, r->line, FIELD_COUNT, j->text);
        return;
    }
    if (a->mac.n == 0 && a->flow_mac.n == 0 && HELD_MAX - a->held.n > j->text.n + 10) {
        buffer_string(&a->held, j->text);
        if (!a->held.err)
            return;
    }
    tuple_tell(r, j->text);
}

static void held_tell(struct json_reader *r)
{
    struct cursor c = cursor_of(r->azure->held.p, r->azure->held.n);
    while (cursor_left(&c))
        tuple_tell(r, cursor_string(&c, HELD_MAX));
    buffer_clear(&r->azure->held);
}

/* ---- a record of the blob ---- */

static void tuples(struct json_reader *r)
{
    enum json_token t;
    while (json_more(&r->json, &t)) {
        if (t == JSON_STRING)
            tuple_take(r);
        else
            json_skip(&r->json, t);
    }
}

/* Flows in groups in rules in flows: whatever the nesting, only these keys matter. Depth is bounded by the tokenizer's. */
static void flows(struct json_reader *r)
{
    static const char *const inner[] = {"flows", "flowGroups", "flowRecords", ""};
    struct json *j = &r->json;
    enum json_token t;
    while (json_more(j, &t)) {
        bool into = false;
        for (size_t i = 0; i < WEIR_COUNT(inner); i++)
            into |= json_key_is(j, inner[i]);
        if (t == JSON_ARRAY && json_key_is(j, "flowTuples"))
            tuples(r);
        else if ((t == JSON_ARRAY || t == JSON_OBJECT) && into)
            flows(r);
        else if (json_key_is(j, "mac"))
            cloud_name_set(&r->azure->flow_mac, j, t);
        else
            json_skip(j, t);
    }
}

/* The part behind a word of a resource id, /SUBSCRIPTIONS/ID/RESOURCEGROUPS/..., in lower case. */
static void id_part(struct cloud_name *out, const struct json *j, enum json_token t, const char *word)
{
    struct cloud_name id;
    size_t n = strlen(word);
    cloud_name_set(&id, j, t);
    for (size_t i = 0; i + n < id.n; i++) {
        if (!slice_eq_nocase((struct slice){id.text + i, n}, slice_of(word)))
            continue;
        const char *from = id.text + i + n, *end = memchr(from, '/', id.n - i - n);
        out->n = (uint8_t)(end ? (size_t)(end - from) : id.n - i - n);
        for (size_t k = 0; k < out->n; k++)
            out->text[k] = (char)(from[k] >= 'A' && from[k] <= 'Z' ? from[k] + 32 : from[k]);
        return;
    }
}

static bool is_flow_category(struct slice text)
{
    return slice_eq(text, SLICE_LIT("NetworkSecurityGroupFlowEvent")) || slice_eq(text, SLICE_LIT("FlowLogFlowEvent"));
}

static void field(struct json_reader *r, enum json_token t)
{
    struct azure *a = r->azure;
    struct json *j = &r->json;
    if (t == JSON_STRING)
        digest_text(a, j->text);
    if (json_key_is(j, "macAddress"))
        cloud_name_set(&a->mac, j, t);
    else if (json_key_is(j, "category"))
        a->flows = t == JSON_STRING && is_flow_category(j->text);
    else if (json_key_is(j, "resourceId") || json_key_is(j, "flowLogResourceID"))
        id_part(&a->account, j, t, "/subscriptions/");
    else if (json_key_is(j, "targetResourceID"))
        id_part(&a->network, j, t, "/virtualNetworks/");
    else if (t == JSON_OBJECT && (json_key_is(j, "properties") || json_key_is(j, "flowRecords")) && a->flows)
        flows(r);
    else if (t == JSON_ARRAY && json_key_is(j, "records")) {
        decode_note(r->out, NOTE_NESTED_RECORDS);
        azure_records(r);
    } else
        json_skip(j, t);
}

static void record(struct json_reader *r)
{
    struct azure *a = r->azure;
    enum json_token t;
    a->mac.n = a->flow_mac.n = a->account.n = a->network.n = 0;
    a->flows = true;
    a->passing = a->prints < r->out->pass_over;
    sha256_reset(a->digest);
    buffer_clear(&a->held);
    while (json_more(&r->json, &t))
        field(r, t);
    if (r->json.err)
        return;
    held_tell(r);
    digest_end(r);
    if (a->passing)
        decode_note(r->out, NOTE_COUNTED_BEFORE);
    if (a->flows)
        r->known++;
    else
        decode_note(r->out, NOTE_OTHER_ENTRY);
}

void azure_records(struct json_reader *r)
{
    enum json_token t;
    if (!r->open_depth)
        r->open_depth = r->json.depth;
    while (json_more(&r->json, &t)) {
        if (t == JSON_OBJECT)
            record(r);
        else
            json_skip(&r->json, t);
    }
}
