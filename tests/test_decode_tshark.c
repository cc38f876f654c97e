/* A second opinion: bytes and packets of each direction and 5-tuple of twenty captures, as tshark dissects them. Skips, and says so, where
 * tshark or the captures are not at hand. tshark takes every packet apart by itself: what it puts together (fragments) is switched off. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "capture_run.h"

#define CAPTURES "../shared/data/pcap/"
#define TUPLES_MAX 4096

/* Which of several IP headers counts. NO_PORTS: later fragments get theirs from us, and tshark has those of another header than the one that counts. */
enum inner { OUTER, INNER, NO_PORTS, INNER_NO_PORTS };
static const struct { const char *file; enum inner inner; } captures[] = {
    {"arkime/http-content-gzip.pcap", OUTER},          {"arkime/dns-tcp.pcap", OUTER},
    {"arkime/bigendian.pcap", OUTER},                  {"arkime/dot1ad.pcap", OUTER},
    {"arkime/twovlan.pcap", OUTER},                    {"arkime/v6-http.pcap", OUTER},
    {"arkime/padded-udp.pcap", OUTER},                 {"arkime/gre-sample.pcap", NO_PORTS},
    {"arkime/long-session.pcap", OUTER},               {"arkime/quic34.pcap", OUTER},
    {"arkime/tls13.pcap", OUTER},                      {"zeek/tunnels__vxlan-inner-tcp-bad-checksum.pcap", INNER},
    {"arkime/tcpdump-geneve.pcap", INNER_NO_PORTS},             {"zeek/http-qinq-0.pcap", OUTER},
    {"zeek/vlan-qinqinq.pcap", OUTER},                 {"zeek/linux_dlt_sll2.pcap", OUTER},
    {"zeek/tunnels__vxlan-encapsulated-http.pcap", INNER}, {"zeek/tunnels__6in4.pcap", NO_PORTS},
    {"zeek/ipv6-fragmented-dns.pcap", NO_PORTS},       {"suricata-verify/decode-sctp-01__input.pcap", OUTER},
};

struct tuple {
    struct ip src, dst;
    uint16_t src_port, dst_port;
    uint64_t bytes, packets;
};
struct tuples {
    size_t n;
    struct tuple t[TUPLES_MAX];
    enum inner inner;
};

static bool is_inner(const struct tuples *t) { return t->inner == INNER || t->inner == INNER_NO_PORTS; }

static void add_tuple(struct tuples *all, struct ip src, struct ip dst, uint64_t src_port, uint64_t dst_port, uint64_t bytes, uint64_t packets)
{
    size_t i = 0;
    if (all->inner >= NO_PORTS)
        src_port = dst_port = 0;
    while (i < all->n && !(ip_eq(all->t[i].src, src) && ip_eq(all->t[i].dst, dst) && all->t[i].src_port == src_port && all->t[i].dst_port == dst_port))
        i++;
    assert_true(i < TUPLES_MAX);
    if (i == all->n)
        all->t[all->n++] = (struct tuple){src, dst, (uint16_t)src_port, (uint16_t)dst_port, 0, 0};
    all->t[i].bytes += bytes;
    all->t[i].packets += packets;
}

static void take_record(void *ctx, const struct record *r)
{
    add_tuple(ctx, r->src, r->dst, r->src_port, r->dst_port, r->bytes, r->packets);
}

enum field { V4_SRC, V4_DST, V4_LEN, V6_SRC, V6_DST, V6_LEN, TCP_SRC, TCP_DST, UDP_SRC, UDP_DST, SCTP_SRC, SCTP_DST, IP_VERSION, FIELDS };
static const char command[] = "tshark -n -o ip.defragment:FALSE -o ipv6.defragment:FALSE -T fields -E occurrence=%c -E separator=/t -e ip.src -e ip.dst -e ip.len -e ipv6.src "
                              "-e ipv6.dst -e ipv6.plen -e tcp.srcport -e tcp.dstport -e udp.srcport -e udp.dstport -e sctp.srcport -e sctp.dstport -e ip.version "
                              "-r '%s' 2>/dev/null";

static uint64_t number_of(const char *text)
{
    uint64_t v = 0;
    if (parse_u64(slice_of(text), UINT64_MAX, &v))
        v = 0;
    return v;
}

static void take_dissected(struct tuples *all, char *field[FIELDS])
{
    struct ip src, dst;
    bool v4 = *field[V4_SRC] != 0 && (!is_inner(all) || !*field[V6_SRC]);
    if (ip_parse(slice_of(field[v4 ? V4_SRC : V6_SRC]), &src) || ip_parse(slice_of(field[v4 ? V4_DST : V6_DST]), &dst))
        return;
    uint64_t bytes = v4 ? number_of(field[V4_LEN]) : 40 + number_of(field[V6_LEN]);
    enum field port = *field[TCP_SRC] ? TCP_SRC : *field[UDP_SRC] ? UDP_SRC : SCTP_SRC;
    add_tuple(all, src, dst, number_of(field[port]), number_of(field[port + 1]), bytes, 1);
}

static void dissect(const char *path, struct tuples *all)
{
    char line[2048], shell[1024];
    snprintf(shell, sizeof shell, command, is_inner(all) ? 'l' : 'f', path);
    FILE *p = popen(shell, "r");
    assert_non_null(p);
    while (fgets(line, sizeof line, p)) {
        char *save = line, *field[FIELDS];
        line[strcspn(line, "\n")] = 0;
        for (size_t i = 0; i < FIELDS; i++) {
            field[i] = strsep(&save, "\t");
            if (!field[i])
                field[i] = line + strlen(line);
        }
        take_dissected(all, field);
    }
    pclose(p);
}

static int by_ends(const void *a, const void *b)
{
    const struct tuple *x = a, *y = b;
    int order = ip_cmp(x->src, y->src);
    order = order ? order : ip_cmp(x->dst, y->dst);
    order = order ? order : x->src_port - y->src_port;
    return order ? order : x->dst_port - y->dst_port;
}

static bool same_tuples(const char *file, struct tuples *ours, struct tuples *theirs)
{
    qsort(ours->t, ours->n, sizeof *ours->t, by_ends);
    qsort(theirs->t, theirs->n, sizeof *theirs->t, by_ends);
    bool same = ours->n > 0 && ours->n == theirs->n;
    for (size_t i = 0; same && i < ours->n; i++) {
        const struct tuple *a = &ours->t[i], *b = &theirs->t[i];
        same = by_ends(a, b) == 0 && a->bytes == b->bytes && a->packets == b->packets;
        if (!same)
            print_message("%s: ports %u %u: %llu bytes, %llu packets; tshark: ports %u %u: %llu, %llu\n", file, a->src_port, a->dst_port, (unsigned long long)a->bytes,
                          (unsigned long long)a->packets, b->src_port, b->dst_port, (unsigned long long)b->bytes, (unsigned long long)b->packets);
    }
    if (ours->n != theirs->n)
        print_message("%s: %zu tuples, tshark %zu\n", file, ours->n, theirs->n);
    return same;
}

static void bytes_of_each_direction_and_5_tuple_are_those_of_tshark(void **state)
{
    (void)state;
    FILE *list = fopen(CAPTURES "EXPECTED.tsv", "r");
    if (!list || system("command -v tshark >/dev/null 2>&1") != 0) {
        print_message("# SKIP no tshark, or no " CAPTURES "\n");
        skip();
    }
    fclose(list);
    static struct tuples ours, theirs;
    struct capture_sums sums = {.each = take_record, .ctx = &ours};
    struct decoder *d = capture_decoder(&sums);
    size_t wrong = 0;
    for (size_t i = 0; i < WEIR_COUNT(captures); i++) {
        char path[300];
        snprintf(path, sizeof path, CAPTURES "%s", captures[i].file);
        struct slice object = read_file(path);
        assert_non_null(object.p);
        ours.n = theirs.n = 0;
        ours.inner = theirs.inner = captures[i].inner;
        assert_int_equal(sum_capture(d, &sums, object, 0), WEIR_OK);
        dissect(path, &theirs);
        wrong += !same_tuples(captures[i].file, &ours, &theirs);
        free((char *)(uintptr_t)object.p);
    }
    decoder_free(d);
    assert_int_equal(wrong, 0);
}

/* ---- every prefix ---- */

static void every_prefix_of_ten_captures_is_handled(void **state)
{
    (void)state;
    static const char *const files[] = {"arkime/bigendian.pcap", "arkime/dns-punycode.pcap", "arkime/tls-alpn-h2.pcap", "arkime/vxlan.pcap",
                                        "arkime/tcpdump-geneve.pcap", "zeek/ipv6-fragmented-dns.pcap", "zeek/linux_dlt_sll2.pcap",
                                        "zeek/pbb-recursive-frames.pcapng", "zeek/vlan-pcp-dei.pcapng", "zeek/tunnels__geneve-truncated.pcapng"};
    struct capture_sums sums = {.packets = 0};
    struct decoder *d = capture_decoder(&sums);
    for (size_t i = 0; i < WEIR_COUNT(files); i++) {
        char path[300];
        snprintf(path, sizeof path, CAPTURES "%s", files[i]);
        struct slice object = read_file(path);
        if (!object.p) {
            print_message("# SKIP no " CAPTURES "\n");
            decoder_free(d);
            skip();
        }
        assert_int_equal(sum_capture(d, &sums, object, 0), WEIR_OK);
        uint64_t whole = sums.counts.notes[NOTE_PACKET_READ], step = object.n > 4000 ? object.n / 2000 : 1;
        for (size_t n = 0; n < object.n; n += n < 1000 ? 1 : step) {
            enum weir_err err = sum_capture(d, &sums, (struct slice){object.p, n}, 0);
            assert_true(err == WEIR_OK || err == WEIR_UNSUPPORTED);
            assert_true(sums.counts.notes[NOTE_PACKET_READ] <= whole);
        }
        free((char *)(uintptr_t)object.p);
    }
    decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_each_direction_and_5_tuple_are_those_of_tshark),
        cmocka_unit_test(every_prefix_of_ten_captures_is_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
