/* What the payload of a packet tells: the question and the addresses of a DNS message, the server name and version of a TLS client hello,
 * and protocols that send in the clear. Every parser takes hostile bytes of any length, keeps nothing and ends within them.
 * Source: RFC 1035 (DNS), RFC 8446 and 6066 (TLS), RFC 9112, 959, 5321, 854. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_NAMES_SEEN_H
#define DECODE_NAMES_SEEN_H

#include "weir/decode.h"

#define NAME_SEEN_MAX 255
#define DNS_ANSWERS_MAX 16 /* addresses of one message; more are left out */

struct dns_message {
    bool response;
    uint16_t type;              /* of the question */
    size_t name_n, answers;
    char name[NAME_SEEN_MAX];   /* of the question, in small letters, labels with dots between; its bytes may be anything */
    struct ip answer[DNS_ANSWERS_MAX];
};
/* False: no DNS message with a question. tcp: a length stands before it. */
bool dns_parse(struct slice payload, bool tcp, struct dns_message *out);
/* The part of a name that somebody registered, as far as that can be told without a list: its last two labels, or three where they end in a country's
 * short second level (co.uk). n of the whole name: it is not longer than that. */
size_t dns_parent(struct slice name); /* its length, from the right */
/* Names that never leave the own network: reverse zones, .local, .internal and the like. */
bool dns_is_internal(struct slice name);

struct tls_hello {
    uint16_t version;         /* the highest that the client offers: 0x0303 is TLS 1.2 */
    struct slice server_name; /* in the payload; empty: none told, or cut off */
};
bool tls_parse(struct slice payload, struct tls_hello *out);

/* What a client's first words say in the clear; CAPTURE_TALK_NONE: nothing known. */
enum capture_talk talk_in_the_clear(struct slice payload);
/* What a client's first words say on a port that is not theirs; CAPTURE_TALK_NONE: nothing, or nothing odd. port: the server's. */
enum capture_talk talk_on_odd_port(struct slice payload, bool is_hello, enum capture_talk clear, uint16_t port);

#endif
