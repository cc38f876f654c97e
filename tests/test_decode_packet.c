/* Single packets: each link, tunnel and header, and each way in which a packet can be short, odd or malformed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/packet.h"
#include "packet_make.h"

/* From an exact-size copy; wire 0: as captured. */
static enum packet_verdict decode_wire(enum packet_link link, const struct bytes *b, size_t wire, struct packet *out)
{
    uint8_t *copy = malloc(b->n ? b->n : 1);
    assert_non_null(copy);
    memcpy(copy, b->b, b->n);
    enum packet_verdict verdict = packet_decode(link, copy, b->n, wire ? wire : b->n, out);
    free(copy);
    return verdict;
}

static void assert_taken(enum packet_link link, const struct bytes *b, struct packet *p)
{
    assert_int_equal(decode_wire(link, b, 0, p), PACKET_TAKEN);
}

static void assert_refused(enum packet_link link, const struct bytes *b, enum decode_reject why)
{
    struct packet p;
    assert_int_equal(decode_wire(link, b, 0, &p), PACKET_BAD);
    assert_string_equal(decode_reject_word((enum decode_reject)p.why), decode_reject_word(why));
}

static void assert_passed(enum packet_link link, const struct bytes *b, enum decode_note why)
{
    struct packet p;
    assert_int_equal(decode_wire(link, b, 0, &p), PACKET_PASSED);
    assert_string_equal(decode_note_word((enum decode_note)p.why), decode_note_word(why));
}

static void assert_noted(const struct packet *p, enum decode_note which) { assert_true(p->notes >> which & 1); }

static void put_tcp_packet(struct bytes *b) /* 40 bytes of IP */
{
    put_ipv4(b, (struct v4){.protocol = 6, .body = 20});
    put_tcp(b, 44321, 443, 0x12);
}

static void assert_is_tcp_packet(const struct packet *p)
{
    assert_int_equal(p->bytes, 40);
    assert_true(ip_eq(p->src, ip_from_v4(V4_HOST)) && ip_eq(p->dst, ip_from_v4(V4_PEER)));
    assert_int_equal(p->src_port, 44321);
    assert_int_equal(p->dst_port, 443);
    assert_int_equal(p->protocol, 6);
}

/* ---- links ---- */

static void every_link_leads_to_the_packet(void **state)
{
    (void)state;
    struct packet p;
    struct bytes sll = {0}, sll2 = {0}, loop = {0}, null = {0}, swapped = {0}, raw = {0};
    put_zeros(&sll, 14), put16(&sll, 0x0800), put_tcp_packet(&sll);
    put16(&sll2, 0x0800), put_zeros(&sll2, 18), put_tcp_packet(&sll2);
    put32(&loop, 2), put_tcp_packet(&loop);
    put32(&null, 2), put_tcp_packet(&null);
    put32(&swapped, 0x02000000), put_tcp_packet(&swapped);
    put_tcp_packet(&raw);
    const struct { enum packet_link link; const struct bytes *b; } links[] = {
        {LINK_SLL, &sll}, {LINK_SLL2, &sll2}, {LINK_LOOP, &loop}, {LINK_NULL, &null}, {LINK_NULL, &swapped}, {LINK_RAW, &raw}, {LINK_IPV4, &raw}};
    for (size_t i = 0; i < WEIR_COUNT(links); i++) {
        assert_taken(links[i].link, links[i].b, &p);
        assert_is_tcp_packet(&p);
    }
}

static void padding_of_a_short_frame_is_not_counted(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ethernet(&b, 0x0800), put_tcp_packet(&b), put_zeros(&b, 10);
    assert_taken(LINK_ETHERNET, &b, &p);
    assert_is_tcp_packet(&p);
    assert_int_equal(p.payload.n, 0);
}

static void up_to_eight_vlan_tags_are_passed_through(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ethernet(&b, 0x88a8);
    for (int i = 0; i < 7; i++)
        put16(&b, 7), put16(&b, 0x8100);
    put16(&b, 7), put16(&b, 0x0800), put_tcp_packet(&b);
    assert_taken(LINK_ETHERNET, &b, &p);
    assert_is_tcp_packet(&p);
}

static void a_ninth_vlan_tag_is_refused(void **state)
{
    (void)state;
    struct bytes b = {0};
    put_ethernet(&b, 0x8100);
    for (int i = 0; i < 8; i++)
        put16(&b, 7), put16(&b, 0x8100);
    put16(&b, 7), put16(&b, 0x0800), put_tcp_packet(&b);
    assert_refused(LINK_ETHERNET, &b, REJECT_PACKET_TAGS);
}

static void a_cut_link_header_is_refused(void **state)
{
    (void)state;
    struct bytes b = {0}, tag = {0};
    assert_refused(LINK_ETHERNET, &b, REJECT_PACKET_SHORT_LINK);
    put_zeros(&b, 13);
    assert_refused(LINK_ETHERNET, &b, REJECT_PACKET_SHORT_LINK);
    assert_refused(LINK_SLL, &b, REJECT_PACKET_SHORT_LINK);
    assert_refused(LINK_SLL2, &b, REJECT_PACKET_SHORT_LINK);
    b.n = 3;
    assert_refused(LINK_NULL, &b, REJECT_PACKET_SHORT_LINK);
    assert_refused(LINK_LOOP, &b, REJECT_PACKET_SHORT_LINK);
    put_ethernet(&tag, 0x8100), put16(&tag, 7);
    assert_refused(LINK_ETHERNET, &tag, REJECT_PACKET_SHORT_LINK);
}

static void what_is_no_ip_is_passed_over_by_name(void **state)
{
    (void)state;
    struct bytes arp = {0}, llc = {0}, other = {0}, family = {0};
    put_ethernet(&arp, 0x0806), put_zeros(&arp, 28);
    put_ethernet(&llc, 0x05ff);
    put_ethernet(&other, 0x88cc);
    put32(&family, 7);
    assert_passed(LINK_ETHERNET, &arp, NOTE_PACKET_ARP);
    assert_passed(LINK_ETHERNET, &llc, NOTE_PACKET_LLC);
    assert_passed(LINK_ETHERNET, &other, NOTE_PACKET_NOT_IP);
    assert_passed(LINK_LOOP, &family, NOTE_PACKET_NOT_IP);
}

static void a_loss_is_read_but_not_in_a_tunnel(void **state)
{
    (void)state;
    struct bytes b = {0}, cut = {0};
    struct packet p;
    uint8_t told[CAPTURE_LOSS_BYTES];
    capture_loss_put(&(struct capture_loss){7, T0, T0 + 60}, told);
    put_ethernet(&b, CAPTURE_LOSS_TYPE), put(&b, told, sizeof told);
    assert_int_equal(decode_wire(LINK_ETHERNET, &b, 0, &p), PACKET_PASSED);
    assert_int_equal(p.why, NOTE_PACKET_LOSS);
    assert_int_equal(p.loss.lost, 7);
    assert_int_equal(p.loss.end_s, T0 + 60);
    put(&cut, b.b, b.n - 1);
    assert_passed(LINK_ETHERNET, &cut, NOTE_PACKET_NOT_IP);
    b.b[14] ^= 1;
    assert_passed(LINK_ETHERNET, &b, NOTE_PACKET_NOT_IP);
}

/* ---- IPv4 ---- */

static void a_bad_ipv4_header_is_refused_by_its_fault(void **state)
{
    (void)state;
    struct bytes version = {0}, header = {0}, length = {0}, cut = {0}, none = {0};
    put_ipv4(&version, (struct v4){.version = 5, .protocol = 6});
    assert_refused(LINK_IPV4, &version, REJECT_PACKET_IP_VERSION);
    put_ipv4(&header, (struct v4){.header = 4, .protocol = 6});
    assert_refused(LINK_IPV4, &header, REJECT_PACKET_IP_HEADER);
    put_ipv4(&length, (struct v4){.total = 19, .protocol = 6});
    assert_refused(LINK_IPV4, &length, REJECT_PACKET_IP_LENGTH);
    put_zeros(&cut, 19), cut.b[0] = 0x45;
    assert_refused(LINK_IPV4, &cut, REJECT_PACKET_SHORT_IP);
    assert_refused(LINK_RAW, &none, REJECT_PACKET_SHORT_IP);
}

static void options_are_passed_over(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ipv4(&b, (struct v4){.header = 15, .protocol = 17, .body = 8}), put_udp(&b, 5000, 53, 0);
    assert_taken(LINK_IPV4, &b, &p);
    assert_int_equal(p.bytes, 68);
    assert_int_equal(p.dst_port, 53);
}

static void a_length_of_0_is_that_of_the_packet(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ethernet(&b, 0x0800), put_ipv4(&b, (struct v4){.total = 65536, .protocol = 6}), put_tcp(&b, 1, 2, 0);
    assert_int_equal(decode_wire(LINK_ETHERNET, &b, 14 + 64000, &p), PACKET_TAKEN);
    assert_int_equal(p.bytes, 64000);
    assert_noted(&p, NOTE_PACKET_NO_LENGTH);
}

static void a_length_beyond_the_packet_is_not_believed(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ethernet(&b, 0x0800), put_ipv4(&b, (struct v4){.total = 60000, .protocol = 6}), put_tcp(&b, 1, 2, 0);
    assert_taken(LINK_ETHERNET, &b, &p);
    assert_int_equal(p.bytes, 40);
    assert_noted(&p, NOTE_PACKET_LENGTH);
}

static void a_snapshot_counts_the_bytes_of_the_header(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ethernet(&b, 0x0800), put_ipv4(&b, (struct v4){.total = 1500, .protocol = 6}), put_tcp(&b, 1, 2, 0);
    assert_int_equal(decode_wire(LINK_ETHERNET, &b, 1514, &p), PACKET_TAKEN);
    assert_int_equal(p.bytes, 1500);
    assert_int_equal(p.notes, 0);
}

static void more_captured_than_there_was_is_noted(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ethernet(&b, 0x0800), put_tcp_packet(&b);
    assert_int_equal(decode_wire(LINK_ETHERNET, &b, 20, &p), PACKET_TAKEN);
    assert_int_equal(p.bytes, 40);
    assert_noted(&p, NOTE_PACKET_CAPTURED);
}

static void cut_ports_are_0_and_the_bytes_count(void **state)
{
    (void)state;
    struct bytes b = {0}, options = {0};
    struct packet p;
    put_ipv4(&b, (struct v4){.protocol = 17, .body = 100}), put16(&b, 7);
    assert_int_equal(decode_wire(LINK_IPV4, &b, 120, &p), PACKET_TAKEN);
    assert_int_equal(p.bytes, 120);
    assert_int_equal(p.src_port, 0);
    assert_noted(&p, NOTE_PACKET_PORTS_CUT);
    put_ipv4(&options, (struct v4){.header = 15, .protocol = 17, .body = 100}), options.n = 30;
    assert_int_equal(decode_wire(LINK_IPV4, &options, 160, &p), PACKET_TAKEN);
    assert_noted(&p, NOTE_PACKET_PORTS_CUT);
}

static void cut_tcp_flags_are_noted(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_tcp_packet(&b), b.n -= 1;
    assert_int_equal(decode_wire(LINK_IPV4, &b, 40, &p), PACKET_TAKEN);
    assert_int_equal(p.dst_port, 443);
    assert_noted(&p, NOTE_PACKET_FLAGS_CUT);
}

static void tcp_flags_are_those_that_flow_logs_have(void **state)
{
    (void)state;
    static const struct { unsigned wire, logged; } flags[] = {{0x02, 2}, {0x12, 18}, {0x10, 0}, {0x18, 0}, {0x11, 1}, {0x14, 4}, {0xc2, 2}, {0x3f, 23}};
    for (size_t i = 0; i < WEIR_COUNT(flags); i++) {
        struct bytes b = {0};
        struct packet p;
        put_ipv4(&b, (struct v4){.protocol = 6, .body = 20}), put_tcp(&b, 1, 2, flags[i].wire);
        assert_taken(LINK_IPV4, &b, &p);
        assert_int_equal(p.tcp_flags, flags[i].logged);
    }
}

static void icmp_has_no_ports(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ipv4(&b, (struct v4){.protocol = 1, .body = 8}), put_udp(&b, 0x0800, 7, 0);
    assert_taken(LINK_IPV4, &b, &p);
    assert_int_equal(p.src_port, 0);
    assert_int_equal(p.icmp_type, 8);
}

static void a_later_fragment_has_no_ports(void **state)
{
    (void)state;
    struct bytes first = {0}, later = {0};
    struct packet p;
    put_ipv4(&first, (struct v4){.protocol = 17, .id = 77, .fragment = 0x2000, .body = 8}), put_udp(&first, 5000, 53, 0);
    assert_taken(LINK_IPV4, &first, &p);
    assert_int_equal(p.part, PART_FIRST);
    assert_int_equal(p.dst_port, 53);
    put_ipv4(&later, (struct v4){.protocol = 17, .id = 77, .fragment = 0x1000, .body = 8}), put_udp(&later, 5000, 53, 0);
    assert_taken(LINK_IPV4, &later, &p);
    assert_int_equal(p.part, PART_LATER);
    assert_int_equal(p.fragment_id, 77);
    assert_false(p.has_ports);
}

/* ---- IPv6 ---- */

static void extension_headers_lead_to_the_ports(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ipv6(&b, 0, 8 + 16 + 8 + 12 + 8);
    put8(&b, 60), put8(&b, 0), put_zeros(&b, 6);  /* hop by hop */
    put8(&b, 44), put8(&b, 1), put_zeros(&b, 14); /* destination options, 16 bytes */
    put8(&b, 51), put8(&b, 0), put16(&b, 1), put32(&b, 99); /* first fragment */
    put8(&b, 17), put8(&b, 1), put_zeros(&b, 10); /* authentication, 12 bytes */
    put_udp(&b, 5000, 53, 0);
    assert_taken(LINK_IPV6, &b, &p);
    assert_int_equal(p.bytes, 40 + 52);
    assert_int_equal(p.protocol, 17);
    assert_int_equal(p.dst_port, 53);
    assert_int_equal(p.part, PART_FIRST);
    assert_int_equal(p.fragment_id, 99);
}

static void more_than_16_extension_headers_are_not_followed(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ipv6(&b, 60, 8 * 17 + 8);
    for (int i = 0; i < 17; i++)
        put8(&b, i < 16 ? 60 : 17), put_zeros(&b, 7);
    put_udp(&b, 5000, 53, 0);
    assert_taken(LINK_IPV6, &b, &p);
    assert_int_equal(p.dst_port, 0);
    assert_noted(&p, NOTE_PACKET_HEADERS);
}

static void a_cut_extension_header_leaves_ports_0(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ipv6(&b, 60, 100), put8(&b, 17), put8(&b, 200), put_zeros(&b, 6);
    assert_int_equal(decode_wire(LINK_IPV6, &b, 140, &p), PACKET_TAKEN);
    assert_int_equal(p.bytes, 140);
    assert_noted(&p, NOTE_PACKET_PORTS_CUT);
}

static void a_bad_ipv6_header_is_refused_by_its_fault(void **state)
{
    (void)state;
    struct bytes version = {0}, cut = {0};
    put_ethernet(&version, 0x86dd), put_ipv4(&version, (struct v4){.protocol = 6}), put_zeros(&version, 40);
    assert_refused(LINK_ETHERNET, &version, REJECT_PACKET_IP_VERSION);
    put_ipv6(&cut, 17, 8), cut.n = 39;
    assert_refused(LINK_IPV6, &cut, REJECT_PACKET_SHORT_IP);
}

static void ipv6_without_payload_is_40_bytes(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ipv6(&b, 59, 0), put_zeros(&b, 6);
    assert_taken(LINK_IPV6, &b, &p);
    assert_int_equal(p.bytes, 40);
}

/* ---- tunnels ---- */

static void put_vxlan(struct bytes *b, uint32_t vni, unsigned inner)
{
    put_ethernet(b, 0x0800);
    put_ipv4(b, (struct v4){.protocol = 17, .body = 16 + inner, .src = 0x0a000001, .dst = 0x0a000002});
    put_udp(b, 50000, 4789, 8 + inner);
    put32(b, 0x08000000), put32(b, vni << 8);
}

static void vxlan_counts_the_inner_packet_and_keeps_the_vni(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_vxlan(&b, 0xffffff, 54), put_ethernet(&b, 0x0800), put_tcp_packet(&b);
    assert_taken(LINK_ETHERNET, &b, &p);
    assert_is_tcp_packet(&p);
    assert_true(p.has_vni);
    assert_int_equal(p.vni, 0xffffff);
}

static void a_mirror_that_cuts_packets_does_not_cut_their_bytes(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_vxlan(&b, 42, 54), put_ethernet(&b, 0x0800), put_ipv4(&b, (struct v4){.protocol = 6, .total = 9000}), put_tcp(&b, 1, 2, 0);
    assert_taken(LINK_ETHERNET, &b, &p);
    assert_int_equal(p.bytes, 9000);
}

static void without_its_flag_it_is_no_vxlan(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ipv4(&b, (struct v4){.protocol = 17, .body = 28}), put_udp(&b, 50000, 4789, 20), put_zeros(&b, 20);
    assert_taken(LINK_IPV4, &b, &p);
    assert_int_equal(p.dst_port, 4789);
    assert_int_equal(p.bytes, 48);
}

static void the_fifth_tunnel_in_tunnels_is_refused(void **state)
{
    (void)state;
    struct bytes four = {0}, five = {0};
    struct packet p;
    for (unsigned i = 0; i < 4; i++)
        put_vxlan(&four, i, 50 * (4 - i) + 4);
    put_ethernet(&four, 0x0800), put_tcp_packet(&four);
    assert_taken(LINK_ETHERNET, &four, &p);
    assert_is_tcp_packet(&p);
    assert_int_equal(p.vni, 0);
    for (unsigned i = 0; i < 5; i++)
        put_vxlan(&five, i, 50 * (5 - i) + 4);
    put_ethernet(&five, 0x0800), put_tcp_packet(&five);
    assert_refused(LINK_ETHERNET, &five, REJECT_PACKET_TUNNELS);
}

static void put_geneve(struct bytes *b, unsigned options, unsigned type, unsigned inner, bool back)
{
    put_ipv4(b, (struct v4){.protocol = 17, .body = 16 + options + inner, .src = back ? 0x0a000002 : 0x0a000001});
    put_udp(b, 50000, 6081, 8 + options + inner);
    put8(b, options / 4), put8(b, 0), put16(b, type), put32(b, 0);
    put_zeros(b, options);
}

static void geneve_carries_bare_ip_behind_options(void **state)
{
    (void)state;
    struct bytes b = {0}, bridged = {0};
    struct packet p;
    put_geneve(&b, 32, 0x0800, 40, false), put_tcp_packet(&b);
    assert_taken(LINK_IPV4, &b, &p);
    assert_is_tcp_packet(&p);
    assert_false(p.has_vni);
    put_geneve(&bridged, 0, 0x6558, 54, false), put_ethernet(&bridged, 0x0800), put_tcp_packet(&bridged);
    assert_taken(LINK_IPV4, &bridged, &p);
    assert_is_tcp_packet(&p);
}

static void the_two_ways_of_a_balancer_are_two_points(void **state)
{
    (void)state;
    struct bytes there = {0}, back = {0};
    struct packet p, q;
    put_geneve(&there, 0, 0x0800, 40, false), put_tcp_packet(&there);
    put_geneve(&back, 0, 0x0800, 40, true), put_tcp_packet(&back);
    assert_taken(LINK_IPV4, &there, &p);
    assert_taken(LINK_IPV4, &back, &q);
    assert_true(p.point && q.point && p.point != q.point);
}

static void a_cut_tunnel_header_is_refused(void **state)
{
    (void)state;
    struct bytes vxlan = {0}, geneve = {0}, inner = {0};
    put_vxlan(&vxlan, 1, 54), vxlan.n -= 1;
    assert_refused(LINK_ETHERNET, &vxlan, REJECT_PACKET_TUNNEL);
    put_geneve(&geneve, 32, 0x0800, 40, false), geneve.n -= 1;
    assert_refused(LINK_IPV4, &geneve, REJECT_PACKET_TUNNEL);
    put_vxlan(&inner, 1, 54), put_zeros(&inner, 13);
    assert_refused(LINK_ETHERNET, &inner, REJECT_PACKET_TUNNEL);
}

static void a_tunnel_in_fragments_is_counted_as_it_is(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct packet p;
    put_ipv4(&b, (struct v4){.protocol = 17, .fragment = 0x2000, .body = 16}), put_udp(&b, 50000, 4789, 1400), put32(&b, 0x08000000), put32(&b, 0);
    assert_taken(LINK_IPV4, &b, &p);
    assert_int_equal(p.dst_port, 4789);
    assert_noted(&p, NOTE_PACKET_TUNNEL_PART);
}

static void gre_and_ip_in_ip_count_on_the_outer_addresses(void **state)
{
    (void)state;
    static const unsigned protocols[] = {4, 41, 47};
    for (size_t i = 0; i < WEIR_COUNT(protocols); i++) {
        struct bytes b = {0};
        struct packet p;
        put_ipv4(&b, (struct v4){.protocol = protocols[i], .body = 44}), put_zeros(&b, 4), put_tcp_packet(&b);
        assert_taken(LINK_IPV4, &b, &p);
        assert_int_equal(p.protocol, protocols[i]);
        assert_int_equal(p.bytes, 64);
        assert_noted(&p, NOTE_PACKET_TUNNEL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_leads_to_the_packet),
        cmocka_unit_test(padding_of_a_short_frame_is_not_counted),
        cmocka_unit_test(up_to_eight_vlan_tags_are_passed_through),
        cmocka_unit_test(a_ninth_vlan_tag_is_refused),
        cmocka_unit_test(a_cut_link_header_is_refused),
        cmocka_unit_test(what_is_no_ip_is_passed_over_by_name),
        cmocka_unit_test(a_loss_is_read_but_not_in_a_tunnel),
        cmocka_unit_test(a_bad_ipv4_header_is_refused_by_its_fault),
        cmocka_unit_test(options_are_passed_over),
        cmocka_unit_test(a_length_of_0_is_that_of_the_packet),
        cmocka_unit_test(a_length_beyond_the_packet_is_not_believed),
        cmocka_unit_test(a_snapshot_counts_the_bytes_of_the_header),
        cmocka_unit_test(more_captured_than_there_was_is_noted),
        cmocka_unit_test(cut_ports_are_0_and_the_bytes_count),
        cmocka_unit_test(cut_tcp_flags_are_noted),
        cmocka_unit_test(tcp_flags_are_those_that_flow_logs_have),
        cmocka_unit_test(icmp_has_no_ports),
        cmocka_unit_test(a_later_fragment_has_no_ports),
        cmocka_unit_test(extension_headers_lead_to_the_ports),
        cmocka_unit_test(more_than_16_extension_headers_are_not_followed),
        cmocka_unit_test(a_cut_extension_header_leaves_ports_0),
        cmocka_unit_test(a_bad_ipv6_header_is_refused_by_its_fault),
        cmocka_unit_test(ipv6_without_payload_is_40_bytes),
        cmocka_unit_test(vxlan_counts_the_inner_packet_and_keeps_the_vni),
        cmocka_unit_test(a_mirror_that_cuts_packets_does_not_cut_their_bytes),
        cmocka_unit_test(without_its_flag_it_is_no_vxlan),
        cmocka_unit_test(the_fifth_tunnel_in_tunnels_is_refused),
        cmocka_unit_test(geneve_carries_bare_ip_behind_options),
        cmocka_unit_test(the_two_ways_of_a_balancer_are_two_points),
        cmocka_unit_test(a_cut_tunnel_header_is_refused),
        cmocka_unit_test(a_tunnel_in_fragments_is_counted_as_it_is),
        cmocka_unit_test(gre_and_ip_in_ip_count_on_the_outer_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
