/* Packet captures: pcap (micro- and nanoseconds, both byte orders, the modified form) and pcapng. The usual form of pcap is read in place
 * (capture_plain.h), all else by libpcap from the inflated bytes of the object: it pulls through a stdio stream that has no file behind it. What is
 * refused (a damaged record, an interface of another link type) ends the object: it is whole or it is rejected.
 * Source: the pcap and pcapng drafts of the IETF opsawg group; link types as tcpdump.org lists them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#include "decode/capture_flows.h"
#include "decode/capture_plain.h"

#define NS 1000000000LL
#define FIRST_S 86400          /* no capture is of 1970-01-01: a time in it is none */
#define LAST_S 4260211200LL    /* 2105-01-01 */
#define STDIO_BYTES (64u << 10)

struct capture {
    struct decode_out *out;
    struct capture_flows *flows;
    struct stream *in;
    struct slice piece; /* of the input, not yet given to libpcap */
    enum packet_link link;
    uint64_t number;    /* of the packet, from 1 */
    struct plain plain;
    char stdio[STDIO_BYTES];
};

static bool capture_claims(struct slice head)
{
    static const char magics[][4] = {"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x34\xcd\xb2\xa1",
                                     "\xa1\xb2\xcd\x34", "\x0a\x0d\x0d\x0a"};
    for (size_t i = 0; i < WEIR_COUNT(magics); i++)
        if (head.n >= sizeof magics[i] && memcmp(head.p, magics[i], sizeof magics[i]) == 0)
            return true;
    return false;
}

static void capture_close(void *state)
{
    struct capture *c = state;
    capture_flows_free(c->flows);
    free(c);
}

static void *capture_open(struct decode_out *out)
{
    struct capture *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->out = out;
    c->flows = capture_flows_new(out);
    if (c->flows)
        return c;
    capture_close(c);
    return NULL;
}

/* A failure of the input looks like the end of the file here; the stream remembers it and it beats what libpcap makes of it. */
static ssize_t give_bytes(void *capture, char *to, size_t n)
{
    struct capture *c = capture;
    if (!c->piece.n) {
        char *p;
        size_t got;
        if (stream_next(c->in, &p, &got))
            return 0;
        c->piece = (struct slice){p, got};
    }
    n = n < c->piece.n ? n : c->piece.n;
    memcpy(to, c->piece.p, n);
    c->piece = (struct slice){c->piece.p + n, c->piece.n - n};
    return (ssize_t)n;
}

/* ---- packets ---- */

/* Nanoseconds since 1970; false: no time that can be used. A fraction of a second or more is carried over, as it was meant. */
static bool time_of(struct capture *c, const struct plain_packet *h, int64_t *ns)
{
    if (h->fraction_ns < 0 || h->fraction_ns >= NS)
        decode_note(c->out, NOTE_PACKET_FRACTION);
    if (h->s < FIRST_S || h->s >= LAST_S || h->fraction_ns < 0 || h->fraction_ns > INT32_MAX)
        return false;
    *ns = h->s * NS + h->fraction_ns;
    return true;
}

static void count_notes(struct capture *c, uint64_t notes)
{
    for (; notes; notes &= notes - 1)
        decode_note(c->out, (enum decode_note)__builtin_ctzll(notes));
}

static void refuse(struct capture *c, unsigned why)
{
    decode_refuse(c->out, (enum decode_reject)why, c->number, FIELD_COUNT, (struct slice){"", 0});
}

/* Behind the flows so far, so that the hosts are known by whom something may be missing. */
static void emit_gap(struct capture *c, const struct capture_loss *m)
{
    struct record r = {.has = 1ULL << FIELD_START | 1ULL << FIELD_END, .line = c->number, .start_s = m->start_s, .end_s = m->end_s,
                       .status = STATUS_SKIPDATA, .captured = true};
    capture_flows_end(c->flows);
    decode_emit(c->out, &r);
}

static void take_packet(struct capture *c, const struct plain_packet *h)
{
    WEIR_UNINITIALIZED struct packet p;
    int64_t ns;
    c->number++;
    decode_note(c->out, NOTE_PACKET_READ);
    if (!time_of(c, h, &ns)) {
        refuse(c, REJECT_PACKET_TIME);
        return;
    }
    enum packet_verdict verdict = packet_decode(c->link, h->bytes, h->captured, h->wire, &p);
    count_notes(c, p.notes);
    switch (verdict) {
    case PACKET_BAD: refuse(c, p.why); return;
    case PACKET_PASSED:
        decode_note(c->out, (enum decode_note)p.why);
        if (p.why == NOTE_PACKET_LOSS)
            emit_gap(c, &p.loss);
        return;
    case PACKET_TAKEN: capture_flows_add(c->flows, &p, ns, c->number); return;
    }
}

static enum weir_err read_plain(struct capture *c)
{
    WEIR_UNINITIALIZED struct plain_packet p;
    struct fault why = {WEIR_OK, ""};
    enum weir_err err;
    while (!(err = plain_next(&c->plain, &p, &why)))
        take_packet(c, &p);
    return err == WEIR_END ? WEIR_OK : decode_spoil(c->out, BAD_CAPTURE, why.text);
}

static enum weir_err read_packets(struct capture *c, pcap_t *pcap)
{
    struct pcap_pkthdr *h;
    const u_char *bytes;
    int found;
    while ((found = pcap_next_ex(pcap, &h, &bytes)) == 1)
        take_packet(c, &(struct plain_packet){h->ts.tv_sec, h->ts.tv_usec, h->caplen, h->len, (const char *)bytes});
    return found == PCAP_ERROR_BREAK ? WEIR_OK : decode_spoil(c->out, BAD_CAPTURE, pcap_geterr(pcap));
}

/* ---- files ---- */

struct link { int dlt; uint32_t number; enum packet_link link; }; /* number: in files; libpcap's own differ */
static const struct link links[] = {
    {DLT_EN10MB, 1, LINK_ETHERNET}, {DLT_NULL, 0, LINK_NULL}, {DLT_LOOP, 108, LINK_LOOP}, {DLT_RAW, 101, LINK_RAW}, {DLT_IPV4, 228, LINK_IPV4},
    {DLT_IPV6, 229, LINK_IPV6}, {DLT_LINUX_SLL, 113, LINK_SLL}, {DLT_LINUX_SLL2, 276, LINK_SLL2}};

static enum weir_err set_link(struct capture *c, int dlt)
{
    for (size_t i = 0; i < WEIR_COUNT(links); i++)
        if (links[i].dlt == dlt) {
            c->link = links[i].link;
            return WEIR_OK;
        }
    char text[64];
    const char *name = pcap_datalink_val_to_name(dlt);
    snprintf(text, sizeof text, "%d (%.40s)", dlt, name ? name : "unknown");
    return decode_spoil(c->out, BAD_LINK_TYPE, text);
}

static bool is_plain(struct capture *c)
{
    if (!plain_claims(&c->plain, c->in))
        return false;
    for (size_t i = 0; i < WEIR_COUNT(links); i++)
        if (links[i].number == c->plain.link) {
            c->link = links[i].link;
            return true;
        }
    return false;
}

static enum weir_err read_file(struct capture *c, FILE *file)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!pcap) {
        fclose(file);
        return decode_spoil(c->out, BAD_CAPTURE, text);
    }
    enum weir_err err = set_link(c, pcap_datalink(pcap));
    if (!err)
        err = read_packets(c, pcap);
    pcap_close(pcap);
    return err;
}

static enum weir_err read_by_libpcap(struct capture *c)
{
    static const cookie_io_functions_t functions = {.read = give_bytes};
    c->piece = (struct slice){NULL, 0};
    FILE *file = fopencookie(c, "r", functions);
    if (!file)
        return WEIR_NOMEM;
    setvbuf(file, c->stdio, _IOFBF, sizeof c->stdio);
    __fsetlocking(file, FSETLOCKING_BYCALLER); /* it is nobody else's */
    return read_file(c, file);
}

static enum weir_err capture_read(void *state, struct stream *in)
{
    struct capture *c = state;
    c->in = in;
    c->number = 0;
    capture_flows_begin(c->flows);
    enum weir_err err = is_plain(c) ? read_plain(c) : read_by_libpcap(c);
    capture_flows_end(c->flows);
    return err;
}

const struct reader reader_capture = {"capture", capture_claims, capture_open, capture_close, capture_read};
