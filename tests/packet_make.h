/* Packets and captures byte by byte, for tests: nothing here trusts what it is told. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACKET_MAKE_H
#define TESTS_PACKET_MAKE_H

#include "capture_run.h"

struct bytes {
    size_t n;
    uint8_t b[4096];
};

static inline void put(struct bytes *p, const void *from, size_t n)
{
    assert_true(n <= sizeof p->b - p->n);
    memcpy(p->b + p->n, from, n);
    p->n += n;
}
static inline void put8(struct bytes *p, unsigned v) { put(p, &(uint8_t){(uint8_t)v}, 1); }
static inline void put16(struct bytes *p, unsigned v) { put8(p, v >> 8), put8(p, v); }
static inline void put32(struct bytes *p, uint32_t v) { put16(p, v >> 16), put16(p, v); }
static inline void put_zeros(struct bytes *p, size_t n) { for (; n; n--) put8(p, 0); }

static inline void put_ethernet(struct bytes *p, unsigned type)
{
    put(p, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    put16(p, type);
}

struct v4 { /* an IPv4 header; total 0: of what is told in body */
    unsigned version, header, total, id, fragment, protocol, body;
    uint32_t src, dst;
};
#define V4_HOST 0x0a000105u /* 10.0.1.5 */
#define V4_PEER 0xcb007109u /* 203.0.113.9 */

static inline void put_ipv4(struct bytes *p, struct v4 h)
{
    unsigned header = h.header ? h.header : 5;
    put8(p, (h.version ? h.version : 4) << 4 | header);
    put8(p, 0);
    put16(p, h.total == 65536 ? 0 : h.total ? h.total : 4 * header + h.body);
    put16(p, h.id);
    put16(p, h.fragment);
    put8(p, 64);
    put8(p, h.protocol);
    put16(p, 0);
    put32(p, h.src ? h.src : V4_HOST);
    put32(p, h.dst ? h.dst : V4_PEER);
    if (header > 5)
        put_zeros(p, 4 * (header - 5));
}

static inline void put_ipv6(struct bytes *p, unsigned next, unsigned payload)
{
    put32(p, 0x60000000);
    put16(p, payload);
    put8(p, next);
    put8(p, 64);
    put(p, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5", 16);
    put(p, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\x9", 16);
}

static inline void put_tcp(struct bytes *p, unsigned src, unsigned dst, unsigned flags)
{
    put16(p, src), put16(p, dst);
    put32(p, 1), put32(p, 1);
    put8(p, 5 << 4), put8(p, flags);
    put16(p, 1024), put32(p, 0);
}

static inline void put_udp(struct bytes *p, unsigned src, unsigned dst, unsigned payload)
{
    put16(p, src), put16(p, dst);
    put16(p, 8 + payload), put16(p, 0);
}

/* ---- captures ---- */
struct pcap_file {
    size_t n, cap;
    char *p;
};
static inline void file_put(struct pcap_file *f, const void *bytes, size_t n)
{
    if (f->cap - f->n < n)
        assert_non_null(f->p = realloc(f->p, f->cap = (f->cap + n) * 2));
    memcpy(f->p + f->n, bytes, n);
    f->n += n;
}
static inline void file_put32(struct pcap_file *f, uint32_t v) { file_put(f, &v, 4); } /* in the order of this machine */
static inline void file_begin(struct pcap_file *f, uint32_t magic, uint32_t link)
{
    const uint32_t head[] = {magic, 4 << 16 | 2, 0, 0, 262144, link};
    file_put(f, head, sizeof head);
}
static inline void file_packet(struct pcap_file *f, uint32_t s, uint32_t fraction, const struct bytes *packet, size_t wire)
{
    const uint32_t head[] = {s, fraction, (uint32_t)packet->n, (uint32_t)(wire ? wire : packet->n)};
    file_put(f, head, sizeof head);
    file_put(f, packet->b, packet->n);
}
#define PCAP_MICRO 0xa1b2c3d4u
#define PCAP_NANO 0xa1b23c4du
#define LINKTYPE_ETHERNET 1
#define LINKTYPE_RAW 101
#define T0 1700000040u /* begins a minute */

#endif
