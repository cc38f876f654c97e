/* VPC flow logs of Google Cloud, as log entries: a document each, or all in one array. An entry is one direction of one flow in one interval, told by
 * the virtual machine of its source or of its destination (`reporter`); both may tell of the same bytes. So the reporter's side is the host:
 * what SRC tells is egress of the source, what DEST tells is ingress of the destination, and nothing is counted twice. Gateways report what others sent.
 *
 * Counters are estimates from samples, of payload bytes: they are taken as they are, and every record notes it.
 * Source: Google Cloud, "About VPC Flow Logs records". */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/json.h"
#include "decode/walk.h"

/* Where each text that is needed stands below jsonPayload. */
enum place { LOG_NAME, REPORTER, BYTES_SENT, PACKETS_SENT, START_TIME, END_TIME, DISPOSITION, SRC_IP, DEST_IP, SRC_PORT, DEST_PORT, PROTOCOL,
             SRC_PROJECT, SRC_ZONE, SRC_VM, DEST_PROJECT, DEST_ZONE, DEST_VM, SRC_VPC, DEST_VPC, PLACES };
static const struct { const char *section, *key; } places[PLACES] = {
    [REPORTER] = {"", "reporter"}, [BYTES_SENT] = {"", "bytes_sent"}, [PACKETS_SENT] = {"", "packets_sent"}, [START_TIME] = {"", "start_time"},
    [END_TIME] = {"", "end_time"}, [DISPOSITION] = {"", "disposition"},
    [SRC_IP] = {"connection", "src_ip"}, [DEST_IP] = {"connection", "dest_ip"}, [SRC_PORT] = {"connection", "src_port"},
    [DEST_PORT] = {"connection", "dest_port"}, [PROTOCOL] = {"connection", "protocol"},
    [SRC_PROJECT] = {"src_instance", "project_id"}, [SRC_ZONE] = {"src_instance", "zone"}, [SRC_VM] = {"src_instance", "vm_name"},
    [DEST_PROJECT] = {"dest_instance", "project_id"}, [DEST_ZONE] = {"dest_instance", "zone"}, [DEST_VM] = {"dest_instance", "vm_name"},
    [SRC_VPC] = {"src_vpc", "vpc_name"}, [DEST_VPC] = {"dest_vpc", "vpc_name"}};
static const char *const sections[] = {"connection", "src_instance", "dest_instance", "src_vpc", "dest_vpc"};

struct google {
    struct cloud_name at[PLACES];
    uint32_t given; /* bit: the key was there, fit for use or not */
    bool payload, connection;
    char interface[2 * CLOUD_TEXT_MAX + 8];
};

struct google *google_new(void)
{
    return calloc(1, sizeof(struct google));
}

/* ---- an entry, as it comes ---- */

void google_begin(struct json_reader *r)
{
    struct google *g = r->google;
    for (unsigned i = 0; i < PLACES; i++)
        g->at[i].n = 0;
    g->given = 0;
    g->payload = g->connection = false;
}

static bool place_set(struct json_reader *r, const char *section, enum json_token t)
{
    struct google *g = r->google;
    for (unsigned i = LOG_NAME + 1; i < PLACES; i++)
        if (strcmp(places[i].section, section) == 0 && json_key_is(&r->json, places[i].key)) {
            cloud_name_set(&g->at[i], &r->json, t);
            g->given |= 1u << i;
            return t == JSON_STRING || t == JSON_NUMBER;
        }
    return false;
}

static void section(struct json_reader *r, const char *name)
{
    enum json_token t;
    while (json_more(&r->json, &t))
        if (!place_set(r, name, t))
            json_skip(&r->json, t);
}

static const char *section_of(const struct json *j, enum json_token t)
{
    for (size_t i = 0; i < WEIR_COUNT(sections) && t == JSON_OBJECT; i++)
        if (json_key_is(j, sections[i]))
            return sections[i];
    return NULL;
}

static void payload(struct json_reader *r)
{
    enum json_token t;
    while (json_more(&r->json, &t)) {
        const char *name = section_of(&r->json, t);
        r->google->connection |= name == sections[0];
        if (name)
            section(r, name);
        else if (!place_set(r, "", t))
            json_skip(&r->json, t);
    }
}

bool google_field(struct json_reader *r, enum json_token t)
{
    struct google *g = r->google;
    if (json_key_is(&r->json, "logName")) {
        cloud_name_set(&g->at[LOG_NAME], &r->json, t);
        g->given |= 1u << LOG_NAME;
        return t == JSON_STRING;
    }
    if (t != JSON_OBJECT || !json_key_is(&r->json, "jsonPayload"))
        return false;
    g->payload = true;
    payload(r);
    return true;
}

/* ---- its record ---- */

struct entry {
    struct record r;
    enum decode_reject why;
    unsigned at;
};

static bool refuse(struct entry *e, enum decode_reject why, unsigned field)
{
    e->why = why;
    e->at = field;
    return false;
}

static struct slice text_at(const struct google *g, enum place p)
{
    return cloud_name_slice(&g->at[p]);
}

/* Absent is no fault: *out stays as it is. */
static bool number(struct google *g, struct entry *e, enum place p, unsigned field, uint64_t max, uint64_t *out)
{
    if (!(g->given >> p & 1))
        return true;
    enum weir_err err = parse_u64(text_at(g, p), max, out);
    if (err)
        return refuse(e, err == WEIR_RANGE ? REJECT_NUMBER_RANGE : REJECT_NUMBER, field);
    e->r.has |= 1ULL << field;
    return true;
}

static bool numbers_take(struct google *g, struct entry *e)
{
    uint64_t src_port = 0, dst_port = 0, protocol = 0;
    if (!number(g, e, SRC_PORT, FIELD_SRCPORT, UINT16_MAX, &src_port) || !number(g, e, DEST_PORT, FIELD_DSTPORT, UINT16_MAX, &dst_port) ||
        !number(g, e, PROTOCOL, FIELD_PROTOCOL, UINT8_MAX, &protocol) || !number(g, e, BYTES_SENT, FIELD_BYTES, UINT64_MAX, &e->r.bytes) ||
        !number(g, e, PACKETS_SENT, FIELD_PACKETS, UINT64_MAX, &e->r.packets))
        return false;
    e->r.src_port = (uint16_t)src_port;
    e->r.dst_port = (uint16_t)dst_port;
    e->r.protocol = (uint8_t)protocol;
    return true;
}

static bool time_take(const struct google *g, struct entry *e, enum place p, unsigned field, int64_t *out)
{
    if (!(g->given >> p & 1))
        return field == FIELD_END || refuse(e, REJECT_MISSING_VALUE, field);
    if (time_parse(text_at(g, p), out) != WEIR_OK)
        return refuse(e, REJECT_TIME, field);
    if (*out < (int64_t)TIME_MIN_S || *out >= (int64_t)TIME_END_S)
        return refuse(e, REJECT_TIME_RANGE, field);
    e->r.has |= 1ULL << field;
    return true;
}

static bool address(const struct google *g, struct entry *e, enum place p, unsigned field, struct ip *out)
{
    if (!(g->given >> p & 1))
        return refuse(e, REJECT_MISSING_VALUE, field);
    if (ip_parse(text_at(g, p), out) != WEIR_OK)
        return refuse(e, REJECT_ADDRESS, field);
    e->r.has |= 1ULL << field;
    return true;
}

static bool reporter_take(const struct google *g, struct entry *e)
{
    struct slice who = text_at(g, REPORTER);
    bool source = slice_eq(who, SLICE_LIT("SRC")) || slice_eq(who, SLICE_LIT("SRC_GATEWAY"));
    bool destination = slice_eq(who, SLICE_LIT("DEST")) || slice_eq(who, SLICE_LIT("DEST_GATEWAY"));
    if (!source && !destination)
        return refuse(e, REJECT_ACTION, FIELD_FLOW_DIRECTION);
    e->r.direction = source ? DIRECTION_EGRESS : DIRECTION_INGRESS;
    e->r.forwarder_type = who.n > 4;
    e->r.has |= HAS(FLOW_DIRECTION);
    return true;
}

/* projects/NAME/logs/... */
static struct slice project_of(const struct google *g, enum place told)
{
    struct slice name = text_at(g, LOG_NAME), project = text_at(g, told);
    static const char front[] = "projects/";
    const size_t n = sizeof front - 1;
    if (project.n || name.n <= n || memcmp(name.p, front, n) != 0)
        return project;
    const char *end = memchr(name.p + n, '/', name.n - n);
    return (struct slice){name.p + n, end ? (size_t)(end - name.p) - n : name.n - n};
}

/* "gcp:ZONE/NAME" of the reporter's machine; without its metadata "gcp:" and its address. */
static void names_take(struct google *g, struct entry *e)
{
    bool source = e->r.direction == DIRECTION_EGRESS;
    struct slice vm = text_at(g, source ? SRC_VM : DEST_VM), zone = text_at(g, source ? SRC_ZONE : DEST_ZONE);
    struct slice ip = text_at(g, source ? SRC_IP : DEST_IP);
    int n = vm.n ? snprintf(g->interface, sizeof g->interface, "gcp:%.*s/%.*s", (int)zone.n, zone.p, (int)vm.n, vm.p)
                 : snprintf(g->interface, sizeof g->interface, "gcp:%.*s", (int)ip.n, ip.p);
    e->r.interface = (struct slice){g->interface, n < 0 ? 0 : (size_t)n < ID_MAX_BYTES ? (size_t)n : ID_MAX_BYTES};
    e->r.account = project_of(g, source ? SRC_PROJECT : DEST_PROJECT);
    e->r.vpc = text_at(g, source ? SRC_VPC : DEST_VPC);
    e->r.subnet = e->r.instance = (struct slice){"", 0};
    e->r.has |= HAS(INTERFACE_ID) | (e->r.account.n ? HAS(ACCOUNT_ID) : 0) | (e->r.vpc.n ? HAS(VPC_ID) : 0);
}

static bool entry_make(struct google *g, struct entry *e)
{
    if (!address(g, e, SRC_IP, FIELD_SRCADDR, &e->r.src) || !address(g, e, DEST_IP, FIELD_DSTADDR, &e->r.dst) || !numbers_take(g, e) ||
        !time_take(g, e, START_TIME, FIELD_START, &e->r.start_s) || !time_take(g, e, END_TIME, FIELD_END, &e->r.end_s) || !reporter_take(g, e))
        return false;
    bool dropped = slice_eq(text_at(g, DISPOSITION), SLICE_LIT("DROPPED"));
    e->r.action = dropped ? ACTION_REJECT : ACTION_NONE;
    if (!dropped && !RECORD_HAS(&e->r, BYTES))
        return refuse(e, REJECT_MISSING_VALUE, FIELD_BYTES);
    names_take(g, e);
    return true;
}

static bool is_flow_log(const struct google *g)
{
    struct slice name = text_at(g, LOG_NAME);
    static const char flows[] = "vpc_flows";
    const size_t n = sizeof flows - 1;
    if (!(g->given >> LOG_NAME & 1))
        return g->connection;
    return name.n >= n && memcmp(name.p + name.n - n, flows, n) == 0;
}

void google_end(struct json_reader *r)
{
    struct entry e = {.why = REJECT_COUNT, .at = FIELD_COUNT};
    if (!r->google->payload && !(r->google->given >> LOG_NAME & 1))
        return;
    if (!is_flow_log(r->google)) {
        decode_note(r->out, NOTE_OTHER_ENTRY);
        return;
    }
    r->known++;
    e.r.line = ++r->line;
    if (!entry_make(r->google, &e)) {
        decode_refuse(r->out, e.why, r->line, e.at, (struct slice){"", 0});
        return;
    }
    decode_note(r->out, NOTE_ESTIMATED);
    cloud_emit(r->out, &e.r, (struct slice){"", 0});
}
