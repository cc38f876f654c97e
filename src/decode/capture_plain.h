/* The usual form of pcap, read where it lies: a packet is handed out in the piece of the input that holds it, and put together only where it lies
 * in two. libpcap reads through a stdio stream and copies each packet twice, which took longer than to decode it. Everything that is not of the usual
 * form is left to libpcap: another version, the modified form, a snapshot length of 0 or beyond 256 KiB, a link type with more in its bits. What is
 * refused is refused in libpcap's words.
 * Source: draft-ietf-opsawg-pcap; what a reader does with lengths beyond the snapshot: libpcap 1.10. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_CAPTURE_PLAIN_H
#define DECODE_CAPTURE_PLAIN_H

#include "decode/reader.h"

#define PLAIN_PACKET_MAX 262144u

struct plain {
    struct stream *in;
    struct slice piece;
    uint32_t scale; /* nanoseconds in a unit of the fraction */
    uint32_t snap, link;
    bool swapped, first; /* first: the file header is still to be passed */
    char gather[PLAIN_PACKET_MAX];
};
struct plain_packet {
    int64_t s, fraction_ns;
    uint32_t captured, wire;
    const char *bytes; /* until the next one */
};

/* Does the object begin as one of the usual form? Nothing is drawn from it yet. */
bool plain_claims(struct plain *f, struct stream *in);
/* OK; END, also where the input failed: the stream remembers that, and it beats what is made of it here; SYNTAX with the reason. */
WEIR_MUST_USE enum weir_err plain_next(struct plain *f, struct plain_packet *out, struct fault *why);

#endif
