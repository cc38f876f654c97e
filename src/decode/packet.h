/* One captured packet to one direction of traffic: addresses, ports, IP bytes. A state machine of short steps over a checked cursor;
 * every way in which a packet can be short, odd or malformed has a name of its own (DECODE_REJECT_LIST, DECODE_NOTE_LIST).
 * Source: RFC 791, 8200, 9293, 768, 7348 (VXLAN), 8926 (GENEVE), IEEE 802.1Q; link types: docs/formats.md. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_PACKET_H
#define DECODE_PACKET_H

#include "weir/decode.h"

#define PACKET_TAGS_MAX 8    /* VLAN tags */
#define PACKET_TUNNELS_MAX 4 /* VXLAN or GENEVE in one another */
#define PACKET_HEADERS_MAX 16 /* IPv6 extension headers */

enum packet_link { LINK_ETHERNET, LINK_NULL, LINK_LOOP, LINK_RAW, LINK_IPV4, LINK_IPV6, LINK_SLL, LINK_SLL2, LINK_KINDS };

enum packet_verdict {
    PACKET_TAKEN,
    PACKET_PASSED, /* no IP packet: why is an enum decode_note */
    PACKET_BAD     /* why is an enum decode_reject */
};

enum packet_part { PART_WHOLE, PART_FIRST, PART_LATER }; /* of a fragmented packet */

struct packet {
    struct ip src, dst;
    uint64_t bytes;   /* of the IP packet, with its header */
    uint64_t notes;   /* bits 1ULL << enum decode_note */
    uint64_t point;   /* where the capture saw it, if one capture sees packets twice: 0 unknown */
    struct slice body;    /* behind the IP headers, as far as captured */
    struct slice payload; /* of TCP or UDP */
    struct capture_loss loss; /* with NOTE_PACKET_LOSS */
    uint32_t fragment_id;
    uint32_t vni;
    uint16_t src_port, dst_port;
    uint16_t why;
    uint8_t protocol, part, tcp_flags; /* flags as flow logs have them: FIN 1, SYN 2, RST 4, SYN-ACK 18 */
    uint8_t icmp_type;
    bool has_vni, has_ports;
};

/* bytes[0..captured) of a packet that had `wire` bytes. *out is filled as far as the verdict needs. */
enum packet_verdict packet_decode(enum packet_link link, const void *bytes, size_t captured, size_t wire, struct packet *out);

#endif
