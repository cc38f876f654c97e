/* Captures made byte by byte: packets to records, the forms of pcap and pcapng, damage, limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/capture_flows.h"
#include "packet_make.h"

#define KEEP 64
struct seen {
    struct record r[KEEP];
    char interface[KEEP][16];
    size_t n;
};

static void keep(void *ctx, const struct record *r)
{
    struct seen *s = ctx;
    if (s->n == KEEP)
        return;
    s->r[s->n] = *r;
    snprintf(s->interface[s->n++], sizeof s->interface[0], "%.*s", (int)r->interface.n, r->interface.n ? r->interface.p : "");
}

static struct seen seen;
static struct capture_sums sums;

static enum weir_err read_capture(const struct pcap_file *f)
{
    memset(&seen, 0, sizeof seen);
    memset(&sums, 0, sizeof sums);
    sums.each = keep;
    sums.ctx = &seen;
    struct decoder *d = capture_decoder(&sums);
    enum weir_err err = sum_capture(d, &sums, (struct slice){f->p, f->n}, 0);
    decoder_free(d);
    return err;
}

static struct bytes tcp_packet(uint32_t src, uint32_t dst, unsigned src_port, unsigned dst_port, unsigned flags, unsigned body)
{
    struct bytes b = {0};
    put_ipv4(&b, (struct v4){.protocol = 6, .body = 20 + body, .src = src, .dst = dst});
    put_tcp(&b, src_port, dst_port, flags);
    return b;
}

static struct pcap_file raw_capture(void)
{
    struct pcap_file f = {0};
    file_begin(&f, PCAP_MICRO, LINKTYPE_RAW);
    return f;
}

static void add(struct pcap_file *f, uint32_t s, struct bytes b) { file_packet(f, s, 0, &b, 0); }

/* ---- records ---- */

static void one_direction_of_a_minute_is_one_record(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0, tcp_packet(V4_HOST, V4_PEER, 44321, 443, 0x02, 0));
    add(&f, T0 + 1, tcp_packet(V4_PEER, V4_HOST, 443, 44321, 0x12, 0));
    add(&f, T0 + 59, tcp_packet(V4_HOST, V4_PEER, 44321, 443, 0x11, 0));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.n, 2);
    const struct record *r = &seen.r[0];
    assert_int_equal(r->packets, 2);
    assert_int_equal(r->bytes, 80);
    assert_int_equal(r->start_s, T0);
    assert_int_equal(r->end_s, T0 + 59);
    assert_int_equal(r->tcp_flags, 3);
    assert_int_equal(r->line, 1);
    assert_true(r->captured);
    assert_int_equal(seen.r[1].tcp_flags, 18);
    assert_int_equal(seen.r[1].line, 2);
    free(f.p);
}

static void the_next_minute_is_another_record(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0 + 59, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    add(&f, T0 + 60, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.r[1].start_s, T0 + 60);
    free(f.p);
}

static void a_packet_out_of_order_counts_in_its_own_minute(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0 + 60, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    add(&f, T0 + 30, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    add(&f, T0 + 61, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.r[0].packets, 2);
    assert_int_equal(seen.r[1].start_s, T0 + 30);
    free(f.p);
}

static struct bytes udp_part(unsigned id, unsigned fragment, unsigned body)
{
    struct bytes b = {0};
    put_ipv4(&b, (struct v4){.protocol = 17, .id = id, .fragment = fragment, .body = body});
    if (!(fragment & 0x1fff))
        put_udp(&b, 5000, 53, 0);
    put_zeros(&b, body - (fragment & 0x1fff ? 0 : 8));
    return b;
}

static void later_fragments_have_the_ports_of_the_first(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0, udp_part(7, 0x2000, 800));
    add(&f, T0, udp_part(7, 100, 300));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.r[0].bytes, 820 + 320);
    assert_int_equal(seen.r[0].dst_port, 53);
    free(f.p);
}

static void a_fragment_without_first_part_has_ports_0_and_counts(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0, udp_part(7, 0x2000, 800));
    add(&f, T0, udp_part(8, 100, 300));
    add(&f, T0 + 31, udp_part(7, 100, 300)); /* 30 s are over */
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(sums.counts.notes[NOTE_PACKET_FRAGMENT], 2);
    assert_int_equal(sums.bytes, 820 + 320 + 320);
    assert_int_equal(seen.r[1].dst_port, 0);
    free(f.p);
}

static void a_flood_of_fragments_stays_bounded_and_counts(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    for (unsigned id = 0; id < 65536; id++)
        add(&f, T0, udp_part(id, 100, 8));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(sums.packets, 65536);
    assert_int_equal(sums.counts.notes[NOTE_PACKET_FRAGMENT], 65536);
    free(f.p);
}

static void a_full_table_is_emitted_and_nothing_is_lost(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    for (uint32_t i = 0; i < CAPTURE_FLOWS_MAX + 100; i++)
        add(&f, T0, tcp_packet(0x0a000000 + i, V4_PEER, 1, 2, 2, 0));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(sums.counts.emitted, CAPTURE_FLOWS_MAX + 100);
    assert_int_equal(sums.counts.notes[NOTE_FLOW_TABLE], 1);
    free(f.p);
}

static struct bytes mirrored(uint32_t vni)
{
    struct bytes b = {0};
    put_ipv4(&b, (struct v4){.protocol = 17, .body = 16 + 54, .src = 0x0a000001, .dst = 0x0a000002});
    put_udp(&b, 50000, 4789, 8 + 54), put32(&b, 0x08000000), put32(&b, vni << 8);
    put_ethernet(&b, 0x0800), put_ipv4(&b, (struct v4){.protocol = 6, .body = 20}), put_tcp(&b, 1, 2, 0);
    return b;
}

static void a_mirrored_interface_is_named_after_its_session(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0, mirrored(42));
    add(&f, T0, mirrored(43));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.n, 2); /* two interfaces saw it */
    assert_string_equal(seen.interface[0], "vni-42");
    assert_string_equal(seen.interface[1], "vni-43");
    assert_false(seen.r[0].captured);
    free(f.p);
}

static struct bytes balanced(bool back, uint32_t sequence)
{
    struct bytes b = {0};
    put_ipv4(&b, (struct v4){.protocol = 17, .body = 16 + 40, .src = back ? 0x0a000002 : 0x0a000001});
    put_udp(&b, 50000, 6081, 8 + 40), put16(&b, 0), put16(&b, 0x0800), put32(&b, 0);
    put_ipv4(&b, (struct v4){.protocol = 6, .body = 20}), put_tcp(&b, (unsigned)sequence, 2, 0);
    return b;
}

static void what_a_balancer_gets_back_is_not_counted_again(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    for (uint32_t i = 0; i < 10; i++) {
        add(&f, T0, balanced(false, i));
        add(&f, T0, balanced(true, i));
    }
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(sums.packets, 10);
    assert_int_equal(sums.counts.notes[NOTE_PACKET_DUPLICATE], 10);
    free(f.p);
}

static void the_same_packet_again_at_the_same_point_counts(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0, balanced(false, 1));
    add(&f, T0, balanced(false, 1));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(sums.packets, 2);
    free(f.p);
}

static void lost_packets_are_a_gap_behind_the_flows(void **state)
{
    (void)state;
    struct pcap_file f = {0};
    struct bytes b = {0}, m = {0};
    uint8_t told[CAPTURE_LOSS_BYTES];
    file_begin(&f, PCAP_MICRO, LINKTYPE_ETHERNET);
    put_ethernet(&b, 0x0800), put_ipv4(&b, (struct v4){.protocol = 6, .body = 20}), put_tcp(&b, 1, 2, 0);
    add(&f, T0, b);
    capture_loss_put(&(struct capture_loss){7, T0, T0 + 60}, told);
    put_ethernet(&m, CAPTURE_LOSS_TYPE), put(&m, told, sizeof told);
    add(&f, T0 + 60, m);
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.r[1].status, STATUS_SKIPDATA);
    assert_int_equal(seen.r[1].start_s, T0);
    assert_true(seen.r[1].captured);
    free(f.p);
}

/* ---- times ---- */

static void a_packet_without_time_is_refused(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, 0, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    add(&f, 0xffffffffu, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    add(&f, T0, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(sums.counts.rejected[REJECT_PACKET_TIME], 2);
    assert_int_equal(sums.packets, 1);
    free(f.p);
}

static void a_fraction_of_a_second_or_more_is_carried_over(void **state)
{
    (void)state;
    struct pcap_file f = {0};
    struct bytes b = tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0);
    file_begin(&f, PCAP_NANO, LINKTYPE_RAW);
    file_packet(&f, T0, 2000000000, &b, 0);
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.r[0].start_s, T0 + 2);
    assert_int_equal(sums.counts.notes[NOTE_PACKET_FRACTION], 1);
    free(f.p);
}

/* ---- files ---- */

static void swap_words(struct pcap_file *f, size_t from, size_t to)
{
    for (size_t i = from; i + 4 <= to; i += 4)
        for (size_t j = 0; j < 2; j++) {
            char c = f->p[i + j];
            f->p[i + j] = f->p[i + 3 - j];
            f->p[i + 3 - j] = c;
        }
}

static void the_other_byte_order_reads_the_same(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    swap_words(&f, 0, 4), swap_words(&f, 8, 40);
    const char version[] = {0, 2, 0, 4};
    memcpy(f.p + 4, version, sizeof version);
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.r[0].start_s, T0);
    assert_int_equal(sums.bytes, 40);
    free(f.p);
}

static void another_link_type_is_refused_by_number_and_name(void **state)
{
    (void)state;
    struct pcap_file f = {0};
    file_begin(&f, PCAP_MICRO, 105);
    assert_int_equal(read_capture(&f), WEIR_UNSUPPORTED);
    assert_int_equal(sums.bad, BAD_LINK_TYPE);
    assert_non_null(strstr(sums.fault.text, "105 (IEEE802_11)"));
    free(f.p);
}

static void a_header_alone_is_a_capture_without_packets(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(sums.counts.lines, 0);
    free(f.p);
}

static void every_cut_is_refused_but_those_between_packets(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    add(&f, T0, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    size_t whole = f.n;
    for (f.n = 4; f.n < whole; f.n++) {
        enum weir_err err = read_capture(&f);
        bool between = f.n == 24 || f.n == 24 + 56;
        assert_int_equal(err, between ? WEIR_OK : WEIR_UNSUPPORTED);
        assert_int_equal(sums.bad, between ? BAD_NONE : BAD_CAPTURE);
        assert_int_equal(sums.counts.notes[NOTE_PACKET_READ], f.n < 80 ? 0 : 1);
    }
    free(f.p);
}

static void a_huge_captured_length_allocates_nothing(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    const uint32_t head[] = {T0, 0, 4294967280u, 4294967280u};
    file_put(&f, head, sizeof head);
    assert_int_equal(read_capture(&f), WEIR_UNSUPPORTED);
    assert_int_equal(sums.bad, BAD_CAPTURE);
    free(f.p);
}

static void two_files_in_one_are_refused(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    add(&f, T0, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    file_begin(&f, PCAP_MICRO, LINKTYPE_RAW);
    add(&f, T0, tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0));
    assert_int_equal(read_capture(&f), WEIR_UNSUPPORTED);
    free(f.p);
}

/* ---- pcapng ---- */

static void block(struct pcap_file *f, uint32_t type, const void *body, size_t n)
{
    file_put32(f, type), file_put32(f, (uint32_t)(n + 12));
    file_put(f, body, n);
    file_put32(f, (uint32_t)(n + 12));
}

static void section(struct pcap_file *f)
{
    const uint32_t body[] = {0x1a2b3c4d, 1, 0xffffffff, 0xffffffff};
    block(f, 0x0a0d0d0a, body, sizeof body);
}

static void interface(struct pcap_file *f, uint32_t link, unsigned resolution, uint64_t offset)
{
    const uint32_t body[] = {link, 262144, 1 << 16 | 9, resolution, 8 << 16 | 14, (uint32_t)offset, (uint32_t)(offset >> 32), 0};
    block(f, 1, body, sizeof body);
}

static void enhanced_packet(struct pcap_file *f, uint32_t interface_id, uint64_t time, const struct bytes *b)
{
    char body[4096];
    const uint32_t head[] = {interface_id, (uint32_t)(time >> 32), (uint32_t)time, (uint32_t)b->n, (uint32_t)b->n};
    memcpy(body, head, sizeof head);
    memset(body + sizeof head, 0, b->n + 4);
    memcpy(body + sizeof head, b->b, b->n);
    block(f, 6, body, sizeof head + (b->n + 3) / 4 * 4);
}

static void pcapng_of_two_interfaces_has_the_packets_of_both(void **state)
{
    (void)state;
    struct pcap_file f = {0};
    struct bytes b = {0};
    put_ethernet(&b, 0x0800), put_ipv4(&b, (struct v4){.protocol = 6, .body = 20}), put_tcp(&b, 1, 2, 0);
    section(&f);
    interface(&f, LINKTYPE_ETHERNET, 9, 0);
    interface(&f, LINKTYPE_ETHERNET, 6, 3600);
    block(&f, 5, "\0\0\0\0\0\0\0\0\0\0\0", 12); /* statistics: passed over */
    enhanced_packet(&f, 0, T0 * 1000000000ULL, &b);
    enhanced_packet(&f, 1, T0 * 1000000ULL, &b);
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.r[0].start_s, T0);
    assert_int_equal(seen.r[1].start_s, T0 + 3600);
    free(f.p);
}

static void a_packet_of_an_unknown_interface_is_refused(void **state)
{
    (void)state;
    struct pcap_file f = {0};
    struct bytes b = tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0);
    section(&f);
    interface(&f, LINKTYPE_RAW, 6, 0);
    enhanced_packet(&f, 1, T0 * 1000000ULL, &b);
    assert_int_equal(read_capture(&f), WEIR_UNSUPPORTED);
    free(f.p);
}

static void interfaces_of_different_links_are_refused(void **state)
{
    (void)state;
    struct pcap_file f = {0};
    section(&f);
    interface(&f, LINKTYPE_RAW, 6, 0);
    interface(&f, LINKTYPE_ETHERNET, 6, 0);
    assert_int_equal(read_capture(&f), WEIR_UNSUPPORTED);
    assert_int_equal(sums.bad, BAD_CAPTURE);
    free(f.p);
}

static void a_simple_packet_has_no_time_and_is_refused(void **state)
{
    (void)state;
    struct pcap_file f = {0};
    struct bytes b = tcp_packet(V4_HOST, V4_PEER, 1, 2, 0, 0);
    char body[44] = {40};
    memcpy(body + 4, b.b, 40);
    section(&f);
    interface(&f, LINKTYPE_RAW, 6, 0);
    block(&f, 3, body, sizeof body);
    assert_int_equal(read_capture(&f), WEIR_OK);
    assert_int_equal(sums.counts.rejected[REJECT_PACKET_TIME], 1);
    free(f.p);
}

static void any_split_of_the_bytes_gives_the_same_records(void **state)
{
    (void)state;
    struct pcap_file f = raw_capture();
    for (uint32_t i = 0; i < 50; i++)
        add(&f, T0 + i * 7, tcp_packet(V4_HOST + i % 5, V4_PEER, i, 2, 0, i));
    assert_int_equal(read_capture(&f), WEIR_OK);
    uint64_t digest = sums.digest;
    struct decoder *d = capture_decoder(&sums);
    for (size_t piece = 1; piece < 700; piece += 41) {
        assert_int_equal(sum_capture(d, &sums, (struct slice){f.p, f.n}, piece), WEIR_OK);
        assert_true(sums.digest == digest);
    }
    decoder_free(d);
    free(f.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_direction_of_a_minute_is_one_record),
        cmocka_unit_test(the_next_minute_is_another_record),
        cmocka_unit_test(a_packet_out_of_order_counts_in_its_own_minute),
        cmocka_unit_test(later_fragments_have_the_ports_of_the_first),
        cmocka_unit_test(a_fragment_without_first_part_has_ports_0_and_counts),
        cmocka_unit_test(a_flood_of_fragments_stays_bounded_and_counts),
        cmocka_unit_test(a_full_table_is_emitted_and_nothing_is_lost),
        cmocka_unit_test(a_mirrored_interface_is_named_after_its_session),
        cmocka_unit_test(what_a_balancer_gets_back_is_not_counted_again),
        cmocka_unit_test(the_same_packet_again_at_the_same_point_counts),
        cmocka_unit_test(lost_packets_are_a_gap_behind_the_flows),
        cmocka_unit_test(a_packet_without_time_is_refused),
        cmocka_unit_test(a_fraction_of_a_second_or_more_is_carried_over),
        cmocka_unit_test(the_other_byte_order_reads_the_same),
        cmocka_unit_test(another_link_type_is_refused_by_number_and_name),
        cmocka_unit_test(a_header_alone_is_a_capture_without_packets),
        cmocka_unit_test(every_cut_is_refused_but_those_between_packets),
        cmocka_unit_test(a_huge_captured_length_allocates_nothing),
        cmocka_unit_test(two_files_in_one_are_refused),
        cmocka_unit_test(pcapng_of_two_interfaces_has_the_packets_of_both),
        cmocka_unit_test(a_packet_of_an_unknown_interface_is_refused),
        cmocka_unit_test(interfaces_of_different_links_are_refused),
        cmocka_unit_test(a_simple_packet_has_no_time_and_is_refused),
        cmocka_unit_test(any_split_of_the_bytes_gives_the_same_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
