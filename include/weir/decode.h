/* SPDX-License-Identifier: Apache-2.0 */
/* decode - bytes to records. What an object is, its first bytes tell: AWS VPC (and transit gateway) flow log text of every
 * version, in any column order; other kinds have a reader each (to add one: src/decode/reader.h).
 *
 * The layout comes from the header line, else from the configured field list, else from a first line that is strictly
 * the default v2 layout; never from the number of tokens. Unknown columns are carried over unread. A bad line is a
 * counted reject with a place, never an error of the program; the next line is read as if it had not been there.
 * Law: lines_records = records emitted + sum of rejects. Pure: no I/O, no clock, no globals.
 * Source: AWS VPC user guide, "Flow log records" (fields v2-v11) and "Transit Gateway Flow Logs". */
#ifndef WEIR_DECODE_H
#define WEIR_DECODE_H

#include "weir/base.h"

/* Every field that has a name of AWS's; name, and 1 if weir reads its value. */
#define DECODE_FIELD_LIST(X)                                                                                         \
    X(VERSION, "version") X(ACCOUNT_ID, "account-id") X(INTERFACE_ID, "interface-id") X(SRCADDR, "srcaddr")            \
    X(DSTADDR, "dstaddr") X(SRCPORT, "srcport") X(DSTPORT, "dstport") X(PROTOCOL, "protocol") X(PACKETS, "packets")    \
    X(BYTES, "bytes") X(START, "start") X(END, "end") X(ACTION, "action") X(LOG_STATUS, "log-status")                  \
    X(VPC_ID, "vpc-id") X(SUBNET_ID, "subnet-id") X(INSTANCE_ID, "instance-id") X(TCP_FLAGS, "tcp-flags")              \
    X(TYPE, "type") X(PKT_SRCADDR, "pkt-srcaddr") X(PKT_DSTADDR, "pkt-dstaddr") X(REGION, "region") X(AZ_ID, "az-id")  \
    X(SUBLOCATION_TYPE, "sublocation-type") X(SUBLOCATION_ID, "sublocation-id")                                        \
    X(PKT_SRC_AWS_SERVICE, "pkt-src-aws-service") X(PKT_DST_AWS_SERVICE, "pkt-dst-aws-service")                        \
    X(FLOW_DIRECTION, "flow-direction") X(TRAFFIC_PATH, "traffic-path")                                                \
    X(RESOURCE_TYPE, "resource-type") X(TGW_ID, "tgw-id") X(TGW_ATTACHMENT_ID, "tgw-attachment-id")                    \
    X(TGW_SRC_VPC_ACCOUNT_ID, "tgw-src-vpc-account-id") X(TGW_DST_VPC_ACCOUNT_ID, "tgw-dst-vpc-account-id")            \
    X(TGW_SRC_VPC_ID, "tgw-src-vpc-id") X(TGW_DST_VPC_ID, "tgw-dst-vpc-id") X(TGW_SRC_SUBNET_ID, "tgw-src-subnet-id")  \
    X(TGW_DST_SUBNET_ID, "tgw-dst-subnet-id") X(TGW_SRC_ENI, "tgw-src-eni") X(TGW_DST_ENI, "tgw-dst-eni")              \
    X(TGW_SRC_AZ_ID, "tgw-src-az-id") X(TGW_DST_AZ_ID, "tgw-dst-az-id")                                                \
    X(TGW_PAIR_ATTACHMENT_ID, "tgw-pair-attachment-id") X(PACKETS_LOST_NO_ROUTE, "packets-lost-no-route")              \
    X(PACKETS_LOST_BLACKHOLE, "packets-lost-blackhole") X(PACKETS_LOST_MTU_EXCEEDED, "packets-lost-mtu-exceeded")      \
    X(PACKETS_LOST_TTL_EXPIRED, "packets-lost-ttl-expired")                                                            \
    X(ECS_CLUSTER_ARN, "ecs-cluster-arn") X(ECS_CLUSTER_NAME, "ecs-cluster-name")                                      \
    X(ECS_CONTAINER_INSTANCE_ARN, "ecs-container-instance-arn") X(ECS_CONTAINER_INSTANCE_ID, "ecs-container-instance-id") \
    X(ECS_CONTAINER_ID, "ecs-container-id") X(ECS_SECOND_CONTAINER_ID, "ecs-second-container-id")                      \
    X(ECS_SERVICE_NAME, "ecs-service-name") X(ECS_TASK_DEFINITION_ARN, "ecs-task-definition-arn")                      \
    X(ECS_TASK_ARN, "ecs-task-arn") X(ECS_TASK_ID, "ecs-task-id") X(REJECT_REASON, "reject-reason")                    \
    X(RESOURCE_ID, "resource-id") X(ENCRYPTION_STATUS, "encryption-status") X(INSTANCE_TAG, "instance-tag")            \
    X(INSTANCE_TAG_2, "instance-tag-2") X(INTERFACE_TAG, "interface-tag") X(INTERFACE_TAG_2, "interface-tag-2")        \
    X(ASG_TAG, "asg-tag") X(ASG_TAG_2, "asg-tag-2") X(INTERFACE_TYPE, "interface-type")                                \
    X(NEXT_HOP_INTERFACE_ID, "next-hop-interface-id") X(NEXT_HOP_SUBNET_ID, "next-hop-subnet-id")                      \
    X(NEXT_HOP_AZ_ID, "next-hop-az-id") X(NEXT_HOP_VPC_ID, "next-hop-vpc-id")                                          \
    X(NEXT_HOP_INTERFACE_TYPE, "next-hop-interface-type")
#define DECODE_FIELD_ENUM(id, name) FIELD_##id,
enum decode_field { DECODE_FIELD_LIST(DECODE_FIELD_ENUM) FIELD_COUNT, FIELD_UNKNOWN = FIELD_COUNT };
const char *decode_field_name(enum decode_field f);

#define DECODE_COLUMNS_MAX 256
#define DECODE_LINE_MAX 65536    /* longer lines are rejected and resynchronised at the next newline */
#define DECODE_HEADROOM DECODE_LINE_MAX

struct layout {
    uint16_t columns;
    uint16_t timestamp_prefix; /* 1: an ISO time stands before each record (CloudWatch export) */
    uint8_t field[DECODE_COLUMNS_MAX]; /* enum decode_field, FIELD_UNKNOWN = carried over */
    bool transit_gateway;
};
/* Header names with - or _, any case, or ${name}; separated by blanks. DUPLICATE and too many columns are SYNTAX/LIMIT. Unknown names are
 * kept as FIELD_UNKNOWN; the first goes to *unknown (may be NULL). */
WEIR_MUST_USE enum weir_err layout_parse(struct slice header, struct layout *out, struct slice *unknown, struct fault *fault);
/* The default v2 layout. */
void layout_default(struct layout *out);
/* Fields that weir must have to count egress and that the layout lacks, as words joined by ", ": empty if none.
 * Needed: srcaddr dstaddr bytes start, and interface-id or resource-id or tgw-attachment-id; `end`, `action`, `log-status`, ports, protocol may be absent
 * (end = start, action NONE, which counts as accepted, status OK, ports 0, protocol 0), which is noted. */
void layout_missing(const struct layout *layout, struct buffer *out);

enum record_action { ACTION_NONE, ACTION_ACCEPT, ACTION_REJECT };          /* NONE: "-" or no such column */
enum record_status { STATUS_OK, STATUS_NODATA, STATUS_SKIPDATA };
enum record_direction { DIRECTION_NONE, DIRECTION_INGRESS, DIRECTION_EGRESS };

/* What only packets show: with a record of a capture, and never with one of a log. */
enum capture_talk { CAPTURE_TALK_NONE, CAPTURE_TALK_TLS_OLD, CAPTURE_TALK_HTTP, CAPTURE_TALK_FTP, CAPTURE_TALK_SMTP, CAPTURE_TALK_TELNET,
                    CAPTURE_TALK_ODD_SSH, CAPTURE_TALK_ODD_TLS, CAPTURE_TALK_ODD_HTTP, /* on a port that is another service's, or for SSH: any but 22 */
                    CAPTURE_TALKS };
const char *capture_talk_word(enum capture_talk t); /* "http" */
struct dns_sum { /* names of one parent that the source asked for, each counted once an hour */
    struct slice parent;   /* "example.com": bytes from outside, escape before showing */
    uint64_t names, bytes; /* bytes: of what stands left of the parent */
};
struct dns_answer { struct ip address; struct slice name; };
struct record_seen {
    struct slice server_name;   /* that the client of this connection asked for (TLS); empty: not seen */
    uint64_t icmp_bytes;        /* payload of ICMP echoes beyond 64 bytes each */
    enum capture_talk talk;     /* of the connection */
    const struct dns_sum *dns; size_t dns_n;
    const struct dns_answer *answer; size_t answers;
};

/* One record. Only fields whose bit is set in `has` hold a value ("-" clears the bit: absent is not 0).
 * Slices borrow from the line and die with the callback. */
struct record {
    uint64_t has; /* bit 1ULL << enum decode_field, for fields below 64 that weir reads */
    uint64_t line; /* 1 = first line of the object */
    uint64_t bytes, packets;
    int64_t start_s, end_s;
    struct ip src, dst, pkt_src, pkt_dst;
    uint16_t src_port, dst_port, tcp_flags;
    uint8_t protocol, traffic_path;
    uint8_t action, status, direction; /* the enums above */
    bool forwarder_type;               /* v11 interface-type is nat_gateway, regional_nat_gateway, network_load_balancer, transit_gateway or vpc_endpoint */
    bool transit_gateway;
    bool captured;                     /* at a place that sees many hosts: no interface is told, each end may be one (flow_captured) */
    struct slice account, interface, vpc, subnet, instance; /* interface: interface-id, or resource-id when it is "-" (regional NAT); transit gateway: tgw-src-eni, else tgw-attachment-id */
    struct slice text; /* the whole record as it stood, for explain and reports */
    const struct record_seen *seen; /* NULL: nothing */
};
#define RECORD_HAS(r, F) (((r)->has >> FIELD_##F) & 1)

/* Reasons to reject a record (word in metrics and summary; sentence for people). */
#define DECODE_REJECT_LIST(X)                                                                                        \
    X(FIELD_COUNT, "field-count", "the number of fields is not that of the header")                                 \
    X(LINE_TOO_LONG, "line-too-long", "the line is longer than 64 KiB")                                             \
    X(CONTROL_BYTE, "control-byte", "a NUL or control byte in the line")                                            \
    X(NUMBER, "number", "not a plain decimal number")                                                               \
    X(NUMBER_RANGE, "number-range", "a number beyond its range")                                                    \
    X(ADDRESS, "address", "not an IPv4 or IPv6 address")                                                            \
    X(FAMILY, "family-mismatch", "source and destination are of different families")                                \
    X(MISSING_VALUE, "missing-value", "a needed value is '-' in an OK record")                                      \
    X(TIME_ORDER, "time-order", "the end is before the start")                                                      \
    X(TIME_RANGE, "time-range", "a time before 2010 or after 2105")                                                 \
    X(ACTION, "action", "an unknown action")                                                                        \
    X(ID_TOO_LONG, "id-too-long", "an identifier longer than 255 bytes")                                            \
    X(TIMESTAMP, "timestamp", "no ISO time before a record of a CloudWatch export")                                 \
    X(NO_LAYOUT, "no-layout", "a record before any header, and no layout configured")                               \
    X(TIME, "time", "not a time as it should be written")                                                           \
    X(PACKET_TIME, "packet-time", "a packet without a time, or with one before 1970-01-02 or after 2105")           \
    X(PACKET_SHORT_LINK, "packet-short-link", "the captured bytes of a packet end in its link header")              \
    X(PACKET_TAGS, "packet-tags", "a packet with more than 8 VLAN tags")                                            \
    X(PACKET_SHORT_IP, "packet-short-ip", "the captured bytes of a packet end in its IP header")                    \
    X(PACKET_IP_VERSION, "packet-ip-version", "an IP version that the link header does not announce")               \
    X(PACKET_IP_HEADER, "packet-ip-header", "an IPv4 header of less than 20 bytes")                                 \
    X(PACKET_IP_LENGTH, "packet-ip-length", "an IPv4 packet shorter than its header")                               \
    X(PACKET_TUNNEL, "packet-tunnel", "the captured bytes of a packet end in the headers of a tunnel")              \
    X(PACKET_TUNNELS, "packet-tunnels", "more than 4 tunnels in one another")
#define DECODE_REJECT_ENUM(name, word, text) REJECT_##name,
enum decode_reject { DECODE_REJECT_LIST(DECODE_REJECT_ENUM) REJECT_COUNT };
const char *decode_reject_word(enum decode_reject why);
const char *decode_reject_text(enum decode_reject why);

/* Reasons to reject the whole object because of its text. */
#define DECODE_BAD_LIST(X)                                                                                           \
    X(NO_HEADER, "no-header", "no header line, and the first line is no default v2 record: give --fields")           \
    X(HEADER_DUPLICATE, "header-duplicate", "a field stands twice in the header")                                   \
    X(HEADER_MISSING, "header-missing", "the header lacks needed fields")                                           \
    X(HEADER_TOO_WIDE, "header-too-wide", "more than 256 columns")                                                  \
    X(NOT_TEXT, "not-text", "binary or UTF-16 data")                                                                \
    X(ONE_LINE, "one-line", "one line without end: CR-only line ends or no text at all")                            \
    X(OTHER_LOG, "other-log", "another kind of log (CloudTrail, load balancer, S3 access, ...)")                     \
    X(PARQUET_DAMAGED, "parquet-damaged", "a Parquet file that is damaged or cut short")                             \
    X(PARQUET_FEATURE, "parquet-feature", "a Parquet file with something that weir does not read")                   \
    X(JSON, "json", "JSON that is damaged, cut short or nested too deeply")                                          \
    X(CAPTURE, "capture", "a packet capture that is damaged or cut")                                                \
    X(LINK_TYPE, "link-type", "a packet capture of an unsupported link type")
#define DECODE_BAD_ENUM(name, word, text) BAD_##name,
enum decode_bad { BAD_NONE, DECODE_BAD_LIST(DECODE_BAD_ENUM) BAD_COUNT };
const char *decode_bad_word(enum decode_bad why);
const char *decode_bad_text(enum decode_bad why);

/* Notes: counted, harmless. */
#define DECODE_NOTE_LIST(X)                                                                                          \
    X(HEADER_REPEATED, "header-repeated") X(HEADER_CHANGED, "header-changed") X(UNKNOWN_FIELD, "unknown-field")        \
    X(NO_HEADER, "no-header") X(TIMES_IN_MS, "times-in-ms") X(ZERO_MISMATCH, "bytes-without-packets")                \
    X(IMPLAUSIBLE_SIZE, "implausible-size") X(LONG_INTERVAL, "long-interval") X(NO_END, "no-end-time")                \
    X(SAME_ENDS, "src-equals-dst") X(NO_ACTION, "no-action") X(ODD_STATUS, "odd-status") X(NODATA_FILLED, "nodata-filled") \
    X(ODD_FLAGS, "odd-tcp-flags") X(ODD_PATH, "odd-traffic-path") X(WRAPPED, "json-wrapped") X(TIMESTAMP_PREFIX, "timestamp-prefix") \
    X(BOM, "byte-order-mark") X(COMMENT, "comment")                                                                  \
    X(CONTROL_MESSAGE, "control-message") X(OTHER_ENTRY, "other-entry") X(OPEN_BLOB, "open-blob") X(COUNTED_BEFORE, "counted-before") X(NESTED_RECORDS, "nested-records") \
    X(NO_VOLUME, "no-volume") X(ESTIMATED, "estimated")                                                              \
    X(PACKET_READ, "packets") X(PACKET_ARP, "packets-arp") X(PACKET_LLC, "packets-llc") X(PACKET_NOT_IP, "packets-not-ip") X(PACKET_LOSS, "packets-loss-told") \
    X(PACKET_DUPLICATE, "packets-duplicate") X(PACKET_NO_LENGTH, "packets-without-ip-length")                        \
    X(PACKET_LENGTH, "packets-ip-length-beyond-packet") X(PACKET_CAPTURED, "packets-captured-beyond-length")         \
    X(PACKET_PORTS_CUT, "packets-ports-cut") X(PACKET_FLAGS_CUT, "packets-tcp-flags-cut") X(PACKET_HEADERS, "packets-many-headers") \
    X(PACKET_TUNNEL, "packets-of-tunnel") X(PACKET_TUNNEL_PART, "packets-of-tunnel-in-fragments")                    \
    X(PACKET_FRAGMENT, "packets-fragment-unmatched") X(PACKET_FRACTION, "packets-odd-fraction")                      \
    X(FLOW_TABLE, "capture-flow-table-full") X(NAMES_TABLE, "capture-names-table-full")
#define DECODE_NOTE_ENUM(name, word) NOTE_##name,
enum decode_note { DECODE_NOTE_LIST(DECODE_NOTE_ENUM) NOTE_COUNT };
const char *decode_note_word(enum decode_note note);

struct decode_counts { /* of one object; add them up with decode_counts_add */
    uint64_t lines;           /* non-empty, non-comment, non-header lines = records read */
    uint64_t emitted;         /* records handed to emit (OK, NODATA and SKIPDATA) */
    uint64_t by_status[3];    /* of the emitted */
    uint64_t by_action[3];    /* of the emitted with status OK */
    uint64_t rejected[REJECT_COUNT];
    uint64_t notes[NOTE_COUNT];
};
void decode_counts_add(struct decode_counts *to, const struct decode_counts *from);

struct decode_place { /* one of the first rejects of an object */
    uint64_t line;
    enum decode_reject why;
    struct slice field; /* name of the column, or empty */
    struct slice text;  /* the line, cut to 200 bytes; escape before showing */
};

struct decode_sink {
    void *ctx;
    void (*emit)(void *ctx, const struct record *r);
    void (*reject)(void *ctx, const struct decode_place *place); /* called for the first 8 of each reason per object; may be NULL */
};

/* The bytes of one object, inflated, drawn by the decoder. */
struct decode_input {
    void *ctx;
    /* The next piece, *n > 0 bytes that live until the next call; the DECODE_HEADROOM bytes before *p are writable scratch. END: the object
     * is whole. Anything else ends the reading, is handed back as it is, and nothing of the object may be used. */
    enum weir_err (*next)(void *ctx, char **p, size_t *n, struct fault *fault);
    /* For objects that must be read at any place and are too large to be held in memory: append to a temporary file of the object (the first
     * append after next() gave the first piece begins it anew), and read it back. NULL: there is none, and such objects are refused. */
    enum weir_err (*spool)(void *ctx, const char *p, size_t n, struct fault *fault);
    enum weir_err (*spooled)(void *ctx, uint64_t at, void *out, size_t n, struct fault *fault);
};

struct decoder; /* opaque: layout, carried line, counts; and the readers of the kinds met so far */
/* configured: the layout given by --fields, or NULL. Borrowed. NULL if out of memory. */
struct decoder *decoder_new(const struct layout *configured, struct decode_sink sink);
void decoder_free(struct decoder *d);
/* One object of any kind from begin to end: OK with all its records emitted; UNSUPPORTED: reject the whole object, see decoder_bad();
 * what the input gave; NOMEM. Any split into pieces gives the same records. */
WEIR_MUST_USE enum weir_err decoder_run(struct decoder *d, const struct decode_input *input, struct fault *fault);
/* The kind of an object, for people, told by its first 512 bytes (or all of it). */
#define DECODE_TEXT "text"
const char *decode_kind(struct slice head);

/* ---- a loss, told in a capture: the kernel lost packets while it was made ---- */
/* A frame of an EtherType for local use, which a live capture takes from nobody else and puts at the end of a segment. */
#define CAPTURE_LOSS_TYPE 0x88b5
#define CAPTURE_LOSS_BYTES 32 /* behind the link header */
struct capture_loss { uint64_t lost; int64_t start_s, end_s; };
void capture_loss_put(const struct capture_loss *m, uint8_t out[CAPTURE_LOSS_BYTES]);
bool capture_loss_get(const uint8_t in[CAPTURE_LOSS_BYTES], struct capture_loss *out);

/* ---- text alone, pushed: for heads, tests and fuzzing ---- */
void decoder_begin(struct decoder *d); /* next object */
/* Feed inflated bytes. The DECODE_HEADROOM bytes before p must be writable scratch (the cut line of the last chunk is put there),
 * p[0..n) is only read. WEIR_OK, or WEIR_UNSUPPORTED: reject the whole object, see decoder_bad(). Any split gives the same records. */
WEIR_MUST_USE enum weir_err decoder_feed(struct decoder *d, char *p, size_t n, struct fault *fault);
/* The object is whole: a last line without newline counts. */
WEIR_MUST_USE enum weir_err decoder_end(struct decoder *d, struct fault *fault);
enum decode_bad decoder_bad(const struct decoder *d);
/* An object that grows while it is written (a blob of Azure): a print after each of its records, that of all before it included. None for
 * others. Lives until the next object. The first `records` of such an object are passed over in the runs to come; 0: none. */
struct decode_growth {
    const struct sha256 *print;
    size_t n;
};
struct decode_growth decoder_growth(const struct decoder *d);
void decoder_pass_over(struct decoder *d, uint64_t records);
const struct decode_counts *decoder_counts(const struct decoder *d);
const struct layout *decoder_layout(const struct decoder *d);
/* One line into *out by a layout: for tests, fuzzing and tools. WEIR_OK, or WEIR_SYNTAX with *why and *field (enum decode_field or FIELD_COUNT); then *out is
 * unspecified. notes (may be NULL) gets bits 1u << enum decode_note. Keeps no pointer but into line. Does not require the fields of layout_missing. */
WEIR_MUST_USE enum weir_err decode_line(const struct layout *layout, struct slice line, struct record *out,
                                        enum decode_reject *why, unsigned *field, uint32_t *notes);

#endif
