/* SPDX-License-Identifier: Apache-2.0 */
/* One traffic, twice: as a packet capture and as the flow log that the hosts in it would have had. Reads the text of flow logs on standard
 * input (header first, as flowgen writes it), takes from it who sent what to whom and when, cuts that into packets, writes them in
 * the order of time as a capture, and writes what those packets add up to, minute by minute and host by host, as a flow log. The two
 * are made from the packets on two ways that share nothing with weir. For tests, and for benches with --full.
 *
 * usage: flowpcap [--divide N] [--full | --snap N] [--packet BYTES] [--say WORDS] CAPTURE LOG < TEXT
 *   --divide N      a send of B bytes becomes one of B / N (default 1)
 *   --packet BYTES  IP bytes of a full packet, 64 to 65535 (default 65535)
 *   --say WORDS     what each connection begins with: http, ftp, ssh, tls10 or tls12; echo: its ICMP is one
 *   --full          packets are captured whole; else the first --snap bytes (default 54) */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64
#define WORD_MAX 64
#define LINK_BYTES 14
#define MINUTE 60
#define LEAST 64
#define WORDS_MAX 64

enum column { SRC, DST, SPORT, DPORT, PROTO, BYTES, START, END, ACTION, FLAGS, DIRECTION, PKT_SRC, PKT_DST, COLUMNS };
static const char *const names[COLUMNS] = {"srcaddr", "dstaddr", "srcport", "dstport", "protocol", "bytes", "start", "end", "action",
                                           "tcp-flags", "flow-direction", "pkt-srcaddr", "pkt-dstaddr"};

struct send {
    uint32_t src, dst;
    uint16_t sport, dport;
    uint8_t proto, flags;
};
struct event { /* one packet */
    int64_t us;
    uint32_t send, bytes;
    bool first;
};
struct sum { /* one record */
    uint32_t send;
    int64_t minute, first_s, last_s;
    uint64_t packets, bytes;
    unsigned flags;
};

static struct send *sends;
static struct event *events;
static size_t sends_n, sends_cap, events_n, events_cap;

static void die(const char *what)
{
    fprintf(stderr, "flowpcap: %s\n", what);
    exit(1);
}

static void *grow(void *p, size_t *cap, size_t n, size_t item)
{
    if (n < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 4096;
    if (!(p = realloc(p, *cap * item)))
        die("out of memory");
    return p;
}

static bool number(const char *text, uint64_t *out)
{
    *out = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        *out = *out * 10 + (uint64_t)(*text - '0');
    return *text == 0;
}

/* IPv4 only: what is not is left out of both. */
static bool address(const char *text, uint32_t *out)
{
    uint32_t v = 0, part = 0;
    unsigned dots = 0;
    for (; *text; text++) {
        if (*text == '.') {
            v = v << 8 | part;
            part = 0;
            dots++;
        } else if (*text >= '0' && *text <= '9') {
            part = part * 10 + (uint32_t)(*text - '0');
        } else {
            return false;
        }
    }
    *out = v << 8 | part;
    return dots == 3;
}

static bool is_ours(uint32_t a) { return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8; }

/* ---- from text to packets ---- */

/* Spread over the record's time, each within its second; a last packet may be small, but not smaller than its headers. */
static void add_packets(uint32_t send, uint64_t bytes, uint64_t start, uint64_t end, uint64_t full)
{
    uint64_t packets = (bytes + full - 1) / full;
    for (uint64_t i = 0; i < packets; i++) {
        uint64_t n = i + 1 < packets ? full : bytes - full * (packets - 1);
        int64_t us = (int64_t)(start * 1000000 + (packets > 1 ? (end - start) * 1000000 * i / packets : 0));
        events = grow(events, &events_cap, events_n, sizeof *events);
        events[events_n++] = (struct event){us, send, (uint32_t)(n < LEAST ? LEAST : n), i == 0};
    }
}

/* At its own interface a host's record tells of itself; what other interfaces repeat, and what one of ours got from another, is not sent anew. */
static void take_line(char *word[], const int at[COLUMNS], uint64_t divide, uint64_t full)
{
    struct send s;
    uint64_t sport, dport, proto, bytes, start, end, flags = 0;
    if (!address(word[at[SRC]], &s.src) || !address(word[at[DST]], &s.dst) || strcmp(word[at[ACTION]], "ACCEPT") != 0)
        return;
    bool sent = strcmp(word[at[DIRECTION]], "egress") == 0, here = is_ours(sent ? s.src : s.dst);
    bool repeated = strcmp(word[at[SRC]], word[at[PKT_SRC]]) != 0 || strcmp(word[at[DST]], word[at[PKT_DST]]) != 0;
    if (!here || repeated || (!sent && is_ours(s.src)))
        return;
    if (!number(word[at[SPORT]], &sport) || !number(word[at[DPORT]], &dport) || !number(word[at[PROTO]], &proto) ||
        !number(word[at[BYTES]], &bytes) || !number(word[at[START]], &start) || !number(word[at[END]], &end))
        return;
    if (strcmp(word[at[FLAGS]], "-") != 0 && !number(word[at[FLAGS]], &flags))
        return;
    if (proto != 6 && proto != 17 && proto != 1)
        return;
    s.sport = (uint16_t)sport;
    s.dport = (uint16_t)dport;
    s.proto = (uint8_t)proto;
    s.flags = (uint8_t)flags;
    sends = grow(sends, &sends_cap, sends_n, sizeof *sends);
    sends[sends_n] = s;
    add_packets((uint32_t)sends_n++, bytes / divide + 1, start, end, full);
}

static size_t split(char *line, char *word[COLUMNS_MAX])
{
    size_t n = 0;
    for (char *save = line, *w; n < COLUMNS_MAX && (w = strsep(&save, " \n"));)
        if (*w)
            word[n++] = w;
    return n;
}

static void read_text(uint64_t divide, uint64_t full)
{
    char line[8192], *word[COLUMNS_MAX];
    int at[COLUMNS];
    size_t columns = 0;
    while (fgets(line, sizeof line, stdin)) {
        size_t n = split(line, word);
        if (n && strcmp(word[0], "version") == 0) {
            columns = n;
            for (size_t c = 0; c < COLUMNS; c++) {
                at[c] = -1;
                for (size_t i = 0; i < n; i++)
                    if (strcmp(word[i], names[c]) == 0)
                        at[c] = (int)i;
                if (at[c] < 0)
                    die("the header lacks a column");
            }
        } else if (columns && n == columns) {
            take_line(word, at, divide, full);
        }
    }
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->us != y->us)
        return x->us < y->us ? -1 : 1;
    return x->send < y->send ? -1 : x->send > y->send;
}

/* ---- the capture ---- */

/* First words of a client. Both hellos are of the shortest kind: a version, 32 bytes of chance, no session, one cipher. */
#define HELLO(version) "\x16\x03\x01\0\x2d\x01\0\0\x29\x03" version "weir weir weir weir weir weir we" "\0" "\0\x02\0\x2f" "\x01\0"
static const struct words { const char *name, *text; size_t n; } known_words[] = {
    {"http", "GET / HTTP/1.1\r\n", 16}, {"ftp", "USER x\r\n", 8}, {"ssh", "SSH-2.0-x\r\n", 11},
    {"tls10", HELLO("\x01"), sizeof HELLO("\x01") - 1}, {"tls12", HELLO("\x03"), sizeof HELLO("\x03") - 1}, {"echo", "", 0}};
static const struct words *say; /* NULL: nothing */

static void set_words(const char *name)
{
    for (size_t i = 0; i < sizeof known_words / sizeof *known_words; i++)
        if (strcmp(known_words[i].name, name) == 0)
            say = &known_words[i];
    if (!say)
        die("--say knows http, ftp, ssh, tls10, tls12 and echo");
}

static void be16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static void be32(uint8_t *p, uint32_t v) { be16(p, v >> 16), be16(p + 2, v & 0xffff); }

static void put_frame(uint8_t *f, const struct send *s, const struct event *e)
{
    memset(f, 0, LINK_BYTES + 40 + WORDS_MAX);
    f[0] = f[6] = 2;
    be16(f + 12, 0x0800);
    uint8_t *ip = f + LINK_BYTES, *l4 = ip + 20;
    ip[0] = 0x45, ip[8] = 64, ip[9] = s->proto;
    be16(ip + 2, e->bytes);
    be32(ip + 12, s->src), be32(ip + 16, s->dst);
    if (s->proto == 1) {
        l4[0] = say ? 8 : 3; /* an echo; unreachable: nothing that is looked into */
        return;
    }
    be16(l4, s->sport), be16(l4 + 2, s->dport);
    if (s->proto == 6) { /* 16 in a log is SYN-ACK; a plain ACK is not told */
        l4[12] = 5 << 4;
        l4[13] = (uint8_t)(s->flags & 16 ? s->flags : s->flags | (s->flags & 2 ? 0 : 16));
        if (say && e->first && e->bytes >= 40 + say->n)
            memcpy(l4 + 20, say->text, say->n);
    } else {
        be16(l4 + 4, e->bytes - 20);
    }
}

static void write_capture(const char *path, uint32_t snap)
{
    static uint8_t whole[LINK_BYTES + 65536];
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    const uint32_t head[] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1};
    if (!f || fwrite(head, sizeof head, 1, f) != 1)
        die("cannot write the capture");
    for (size_t i = 0; i < events_n; i++) {
        const struct event *e = &events[i];
        uint32_t n = e->bytes + LINK_BYTES, kept = n < snap ? n : snap;
        const uint32_t record[] = {(uint32_t)(e->us / 1000000), (uint32_t)(e->us % 1000000), kept, n};
        put_frame(whole, &sends[e->send], e);
        if (fwrite(record, sizeof record, 1, f) != 1 || fwrite(whole, kept, 1, f) != 1)
            die("cannot write the capture");
    }
    if (fclose(f) != 0)
        die("cannot write the capture");
}

/* ---- the log ---- */

static bool same_flow(const struct send *a, const struct send *b)
{
    return a->src == b->src && a->dst == b->dst && a->sport == b->sport && a->dport == b->dport && a->proto == b->proto;
}

static int by_flow(const void *a, const void *b)
{
    const struct sum *x = a, *y = b;
    if (x->minute != y->minute)
        return x->minute < y->minute ? -1 : 1;
    return memcmp(&sends[x->send], &sends[y->send], offsetof(struct send, flags));
}

static void dotted(uint32_t a, char out[16]) { snprintf(out, 16, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255); }

static void write_record(FILE *f, const struct sum *s, bool egress)
{
    const struct send *w = &sends[s->send];
    char src[16], dst[16];
    dotted(w->src, src);
    dotted(w->dst, dst);
    fprintf(f, "capture-%s %s %s %u %u %u %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %u %s\n", egress ? src : dst, src, dst,
            w->proto == 1 ? 0 : w->sport, w->proto == 1 ? 0 : w->dport, w->proto, s->packets, s->bytes, s->first_s, s->last_s,
            w->proto == 6 ? s->flags : 0, egress ? "egress" : "ingress");
}

static void write_log(const char *path)
{
    struct sum *sums = calloc(events_n + 1, sizeof *sums);
    FILE *f = fopen(path, "w");
    size_t n = 0;
    if (!sums || !f)
        die("cannot write the log");
    for (size_t i = 0; i < events_n; i++) {
        const struct event *e = &events[i];
        int64_t s = e->us / 1000000;
        sums[n++] = (struct sum){e->send, s / MINUTE, s, s, 1, e->bytes, sends[e->send].flags};
    }
    qsort(sums, n, sizeof *sums, by_flow);
    fputs("interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end tcp-flags flow-direction\n", f);
    for (size_t i = 0, next; i < n; i = next) {
        struct sum all = sums[i];
        for (next = i + 1; next < n && sums[next].minute == all.minute && same_flow(&sends[sums[next].send], &sends[all.send]); next++) {
            all.packets++;
            all.bytes += sums[next].bytes;
            all.flags |= sums[next].flags;
            all.first_s = sums[next].first_s < all.first_s ? sums[next].first_s : all.first_s;
            all.last_s = sums[next].last_s > all.last_s ? sums[next].last_s : all.last_s;
        }
        if (is_ours(sends[all.send].src))
            write_record(f, &all, true);
        if (is_ours(sends[all.send].dst))
            write_record(f, &all, false);
    }
    free(sums);
    if (fclose(f) != 0)
        die("cannot write the log");
}

static uint64_t option_number(const char *text, uint64_t least, uint64_t most)
{
    uint64_t v = 0;
    if (!*text || !number(text, &v) || v < least || v > most)
        die("an option is out of range");
    return v;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"divide", required_argument, NULL, 'd'}, {"full", no_argument, NULL, 'f'}, {"snap", required_argument, NULL, 's'},
                                            {"packet", required_argument, NULL, 'p'}, {"say", required_argument, NULL, 'y'}, {NULL, 0, NULL, 0}};
    uint64_t divide = 1, full = 65535, snap = LINK_BYTES + 40;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'd')
            divide = option_number(optarg, 1, 1u << 30);
        else if (c == 'f')
            snap = UINT32_MAX;
        else if (c == 's')
            snap = option_number(optarg, 1, UINT32_MAX);
        else if (c == 'p')
            full = option_number(optarg, LEAST, 65535);
        else if (c == 'y')
            set_words(optarg);
        else
            return 2;
    }
    if (argc - optind != 2)
        die("usage: flowpcap [--divide N] [--full | --snap N] [--packet BYTES] [--say WORDS] CAPTURE LOG < TEXT");
    read_text(divide, full);
    qsort(events, events_n, sizeof *events, by_time);
    write_capture(argv[optind], (uint32_t)snap);
    write_log(argv[optind + 1]);
    free(events);
    free(sends);
    return 0;
}
