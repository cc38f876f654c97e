/* Payloads: DNS messages, TLS client hellos and first words in the clear, whole, cut and hostile; and what a capture keeps of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/names_seen.h"
#include "packet_make.h"

static void put_name(struct bytes *b, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");
        put8(b, (unsigned)n);
        put(b, name, n);
        name += n + (name[n] == '.');
    }
    put8(b, 0);
}

static void put_dns(struct bytes *b, const char *name, unsigned type, unsigned flags, unsigned answers)
{
    put16(b, 7), put16(b, flags), put16(b, 1), put16(b, answers), put32(b, 0);
    put_name(b, name), put16(b, type), put16(b, 1);
}

static void put_address(struct bytes *b, uint32_t v4)
{
    put16(b, 0xc00c), put16(b, 1), put16(b, 1), put32(b, 60), put16(b, 4), put32(b, v4);
}

static bool parse(const struct bytes *b, bool tcp, struct dns_message *m)
{
    char *copy = malloc(b->n ? b->n : 1);
    memcpy(copy, b->b, b->n);
    bool is = dns_parse((struct slice){copy, b->n}, tcp, m);
    free(copy);
    return is;
}

static void a_question_is_read_in_small_letters(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct dns_message m;
    put_dns(&b, "WWW.Example.COM", 28, 0x0100, 0);
    assert_true(parse(&b, false, &m));
    assert_false(m.response);
    assert_int_equal(m.type, 28);
    assert_int_equal(m.name_n, 15);
    assert_memory_equal(m.name, "www.example.com", 15);
}

static void answers_give_addresses_behind_aliases(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct dns_message m;
    put_dns(&b, "www.example.com", 1, 0x8180, 4);
    put16(&b, 0xc00c), put16(&b, 5), put16(&b, 1), put32(&b, 60), put16(&b, 5), put_name(&b, "cdn"); /* an alias */
    put_address(&b, V4_PEER);
    put_name(&b, "cdn"), put16(&b, 28), put16(&b, 1), put32(&b, 60), put16(&b, 16), put_zeros(&b, 15), put8(&b, 9);
    put_address(&b, V4_PEER + 1);
    assert_true(parse(&b, false, &m));
    assert_int_equal(m.answers, 3);
    assert_true(ip_eq(m.answer[0], ip_from_v4(V4_PEER)));
    assert_true(ip_eq(m.answer[1], (struct ip){0, 9}));
    assert_true(ip_eq(m.answer[2], ip_from_v4(V4_PEER + 1)));
}

static void dns_over_tcp_has_a_length_before_it(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct dns_message m;
    put16(&b, 29), put_dns(&b, "example.com", 1, 0x0100, 0);
    assert_true(parse(&b, true, &m));
}

static void what_is_no_question_is_no_dns(void **state)
{
    (void)state;
    struct dns_message m;
    struct bytes pointer = {0}, root = {0}, opcode = {0}, two = {0};
    put16(&pointer, 7), put16(&pointer, 0x0100), put16(&pointer, 1), put_zeros(&pointer, 6), put16(&pointer, 0xc00c), put32(&pointer, 0x00010001);
    assert_false(parse(&pointer, false, &m)); /* a pointer to itself */
    put_dns(&root, "", 1, 0x0100, 0);
    assert_false(parse(&root, false, &m));
    put_dns(&opcode, "example.com", 1, 0x2900, 0);
    assert_false(parse(&opcode, false, &m));
    put_dns(&two, "example.com", 1, 0x0100, 0), two.b[5] = 2;
    assert_false(parse(&two, false, &m));
}

static void a_name_of_more_than_255_bytes_is_no_name(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct dns_message m;
    put16(&b, 7), put16(&b, 0x0100), put16(&b, 1), put_zeros(&b, 6);
    for (int i = 0; i < 5; i++)
        put8(&b, 60), put_zeros(&b, 60);
    put8(&b, 0), put32(&b, 0x00010001);
    assert_false(parse(&b, false, &m));
}

static void every_cut_of_a_message_is_handled(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct dns_message m;
    put_dns(&b, "www.example.com", 1, 0x8180, 2), put_address(&b, V4_PEER), put_address(&b, V4_PEER + 1);
    for (size_t n = b.n; n--;) {
        b.n = n;
        assert_int_equal(parse(&b, false, &m), n >= 33); /* the question */
        if (n >= 33)
            assert_int_equal(m.answers, (n - 33) / 16);
    }
}

static void assert_parent(const char *name, const char *parent)
{
    struct slice s = slice_of(name);
    size_t n = dns_parent(s);
    assert_slice((struct slice){s.p + s.n - n, n}, parent);
}

static void the_parent_is_what_somebody_registered(void **state)
{
    (void)state;
    assert_parent("a.b.example.com", "example.com");
    assert_parent("example.com", "example.com");
    assert_parent("www.example.co.uk", "example.co.uk");
    assert_parent("www.bbc.uk", "www.bbc.uk"); /* as if bbc.uk were a second level: on the safe side */
    assert_parent("com", "com");
    assert_parent("", "");
}

static void names_of_the_own_network_are_internal(void **state)
{
    (void)state;
    assert_true(dns_is_internal(slice_of("5.1.0.10.in-addr.arpa")));
    assert_true(dns_is_internal(slice_of("web.default.svc.cluster.local")));
    assert_true(dns_is_internal(slice_of("printer")));
    assert_false(dns_is_internal(slice_of("www.example.com")));
    assert_false(dns_is_internal(slice_of("local.example.com")));
}

/* ---- TLS ---- */

static void put_hello(struct bytes *b, unsigned version, const char *name, bool tls13)
{
    size_t name_n = strlen(name), names = name_n ? 9 + name_n : 0, versions = tls13 ? 9 : 0;
    put8(b, 22), put16(b, 0x0301), put16(b, (unsigned)(4 + 2 + 32 + 1 + 4 + 2 + 2 + names + versions));
    put8(b, 1), put8(b, 0), put16(b, (unsigned)(2 + 32 + 1 + 4 + 2 + 2 + names + versions));
    put16(b, version), put_zeros(b, 32);
    put8(b, 0), put16(b, 2), put16(b, 0x1301), put8(b, 1), put8(b, 0);
    put16(b, (unsigned)(names + versions));
    if (name_n) {
        put16(b, 0), put16(b, (unsigned)name_n + 5), put16(b, (unsigned)name_n + 3), put8(b, 0), put16(b, (unsigned)name_n);
        put(b, name, name_n);
    }
    if (tls13)
        put16(b, 43), put16(b, 5), put8(b, 4), put16(b, 0x8a8a), put16(b, 0x0304);
}

static bool hello_of(const struct bytes *b, struct tls_hello *h, char name[256])
{
    char *copy = malloc(b->n ? b->n : 1);
    memcpy(copy, b->b, b->n);
    bool is = tls_parse((struct slice){copy, b->n}, h);
    snprintf(name, 256, "%.*s", (int)h->server_name.n, h->server_name.n ? h->server_name.p : "");
    free(copy);
    return is;
}

static void a_hello_tells_name_and_version(void **state)
{
    (void)state;
    struct bytes b = {0}, old = {0};
    struct tls_hello h;
    char name[256];
    put_hello(&b, 0x0303, "upload.example.net", true);
    assert_true(hello_of(&b, &h, name));
    assert_string_equal(name, "upload.example.net");
    assert_int_equal(h.version, 0x0304);
    put_hello(&old, 0x0302, "", false);
    assert_true(hello_of(&old, &h, name));
    assert_int_equal(h.version, 0x0302);
    assert_int_equal(h.server_name.n, 0);
}

static void every_cut_of_a_hello_is_handled(void **state)
{
    (void)state;
    struct bytes b = {0};
    struct tls_hello h;
    char name[256];
    put_hello(&b, 0x0303, "upload.example.net", true);
    size_t whole = b.n;
    for (b.n = 0; b.n < whole; b.n++)
        if (hello_of(&b, &h, name))
            assert_true(b.n >= 43);
}

static void other_records_are_no_hello(void **state)
{
    (void)state;
    struct tls_hello h;
    char name[256];
    static const size_t at[] = {0, 1, 5, 9};
    for (size_t i = 0; i < WEIR_COUNT(at); i++) {
        struct bytes b = {0};
        put_hello(&b, 0x0303, "a.example", false);
        b.b[at[i]] = 0x7f;
        assert_false(hello_of(&b, &h, name));
    }
}

static void first_words_tell_a_protocol(void **state)
{
    (void)state;
    assert_int_equal(talk_in_the_clear(slice_of("GET / HTTP/1.1\r\n")), CAPTURE_TALK_HTTP);
    assert_int_equal(talk_in_the_clear(slice_of("USER anonymous\r\n")), CAPTURE_TALK_FTP);
    assert_int_equal(talk_in_the_clear(slice_of("EHLO a\r\n")), CAPTURE_TALK_SMTP);
    assert_int_equal(talk_in_the_clear(slice_of("\xff\xfd\x18")), CAPTURE_TALK_TELNET);
    assert_int_equal(talk_in_the_clear(slice_of("SSH-2.0-")), CAPTURE_TALK_NONE);
    assert_int_equal(talk_in_the_clear(slice_of("GE")), CAPTURE_TALK_NONE);
}

static void a_protocol_on_a_port_of_others_is_odd(void **state)
{
    (void)state;
    struct slice ssh = slice_of("SSH-2.0-OpenSSH"), other = slice_of("x");
    assert_int_equal(talk_on_odd_port(ssh, false, CAPTURE_TALK_NONE, 22), CAPTURE_TALK_NONE);
    assert_int_equal(talk_on_odd_port(ssh, false, CAPTURE_TALK_NONE, 443), CAPTURE_TALK_ODD_SSH);
    assert_int_equal(talk_on_odd_port(other, true, CAPTURE_TALK_NONE, 443), CAPTURE_TALK_NONE);
    assert_int_equal(talk_on_odd_port(other, true, CAPTURE_TALK_NONE, 12345), CAPTURE_TALK_NONE);
    assert_int_equal(talk_on_odd_port(other, true, CAPTURE_TALK_NONE, 53), CAPTURE_TALK_ODD_TLS);
    assert_int_equal(talk_on_odd_port(other, false, CAPTURE_TALK_HTTP, 8080), CAPTURE_TALK_NONE);
    assert_int_equal(talk_on_odd_port(other, false, CAPTURE_TALK_HTTP, 443), CAPTURE_TALK_ODD_HTTP);
    assert_int_equal(talk_on_odd_port(other, false, CAPTURE_TALK_FTP, 53), CAPTURE_TALK_NONE);
}

/* ---- what a capture keeps ---- */

struct told {
    uint64_t names, bytes, echo, talks[CAPTURE_TALKS];
    char parent[64], server[64], answer[64];
    size_t parents, answers;
};

static void keep_seen(void *ctx, const struct record *r)
{
    struct told *t = ctx;
    if (!r->seen)
        return;
    for (size_t i = 0; i < r->seen->dns_n; i++, t->parents++) {
        t->names += r->seen->dns[i].names;
        t->bytes += r->seen->dns[i].bytes;
        snprintf(t->parent, sizeof t->parent, "%.*s", (int)r->seen->dns[i].parent.n, r->seen->dns[i].parent.p);
    }
    for (size_t i = 0; i < r->seen->answers; i++, t->answers++)
        snprintf(t->answer, sizeof t->answer, "%.*s", (int)r->seen->answer[i].name.n, r->seen->answer[i].name.p);
    if (r->seen->server_name.n)
        snprintf(t->server, sizeof t->server, "%.*s", (int)r->seen->server_name.n, r->seen->server_name.p);
    t->echo += r->seen->icmp_bytes;
    t->talks[r->seen->talk] += r->bytes;
}

static void udp_packet(struct pcap_file *f, uint32_t s, unsigned src_port, unsigned dst_port, const struct bytes *payload)
{
    struct bytes b = {0};
    put_ipv4(&b, (struct v4){.protocol = 17, .body = 8 + (unsigned)payload->n}), put_udp(&b, src_port, dst_port, (unsigned)payload->n);
    put(&b, payload->b, payload->n);
    file_packet(f, s, 0, &b, 0);
}

static void ask(struct pcap_file *f, uint32_t s, const char *name)
{
    struct bytes b = {0};
    put_dns(&b, name, 16, 0x0100, 0);
    udp_packet(f, s, 5000, 53, &b);
}

static void tcp_payload(struct pcap_file *f, uint32_t s, bool back, const char *text, size_t n)
{
    struct bytes b = {0};
    put_ipv4(&b, (struct v4){.protocol = 6, .body = 20 + (unsigned)n, .src = back ? V4_PEER : V4_HOST, .dst = back ? V4_HOST : V4_PEER});
    put_tcp(&b, back ? 8080 : 40000, back ? 40000 : 8080, 0x18), put(&b, text, n);
    file_packet(f, s, 0, &b, 0);
}

static struct told told_by(struct pcap_file *f)
{
    static struct told t;
    struct capture_sums sums = {.each = keep_seen, .ctx = &t};
    memset(&t, 0, sizeof t);
    struct decoder *d = capture_decoder(&sums);
    assert_int_equal(sum_capture(d, &sums, (struct slice){f->p, f->n}, 0), WEIR_OK);
    decoder_free(d);
    free(f->p);
    return t;
}

static struct pcap_file capture(void)
{
    struct pcap_file f = {0};
    file_begin(&f, PCAP_MICRO, LINKTYPE_RAW);
    return f;
}

static void a_name_counts_once_an_hour(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    ask(&f, T0, "0123456789abcdef.example.com");
    ask(&f, T0 + 1, "0123456789ABCDEF.example.com");
    ask(&f, T0 + 70, "0123456789abcdef.example.com");
    ask(&f, T0 + 71, "fedcba9876543210.example.com");
    struct told t = told_by(&f);
    assert_int_equal(t.names, 2);
    assert_int_equal(t.bytes, 32);
    assert_string_equal(t.parent, "example.com");
}

static void the_next_hour_counts_it_again(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    ask(&f, T0, "0123456789abcdef.example.com");
    ask(&f, T0 + 3600, "0123456789abcdef.example.com");
    assert_int_equal(told_by(&f).names, 2);
}

static void short_and_internal_names_are_passed_over(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    ask(&f, T0, "0123456789a.example.com");
    ask(&f, T0, "0123456789abcdef.example.internal");
    assert_int_equal(told_by(&f).parents, 0);
}

static void a_flood_of_names_keeps_every_sum(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    for (unsigned i = 0; i < 70000; i++) {
        char name[64];
        snprintf(name, sizeof name, "%016x.%u.com", i, i);
        ask(&f, T0, name);
    }
    struct told t = told_by(&f);
    assert_int_equal(t.names, 70000);
    assert_int_equal(t.bytes, 70000 * 16);
}

static void answers_name_addresses(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    struct bytes b = {0};
    put_dns(&b, "www.example.com", 1, 0x8180, 1), put_address(&b, V4_PEER);
    udp_packet(&f, T0, 53, 5000, &b);
    struct told t = told_by(&f);
    assert_int_equal(t.answers, 1);
    assert_string_equal(t.answer, "www.example.com");
}

static void the_server_name_stays_with_its_flow(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    struct bytes b = {0};
    put_hello(&b, 0x0303, "upload.example.net", false);
    tcp_payload(&f, T0, false, (const char *)b.b, b.n);
    assert_string_equal(told_by(&f).server, "upload.example.net");
}

static void a_connection_in_the_clear_stays_so_in_later_minutes_and_both_ways(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    tcp_payload(&f, T0, false, "POST /x HTTP/1.1\r\n", 18);
    tcp_payload(&f, T0 + 61, false, "more", 4);
    tcp_payload(&f, T0 + 122, true, "HTTP/1.1 200\r\n", 14);
    assert_int_equal(told_by(&f).talks[CAPTURE_TALK_HTTP], 58 + 44 + 54);
}

static void an_old_hello_marks_its_connection(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    struct bytes old = {0}, fresh = {0};
    put_hello(&old, 0x0301, "a.example", false);
    put_hello(&fresh, 0x0303, "a.example", false);
    tcp_payload(&f, T0, false, (const char *)fresh.b, fresh.n);
    assert_int_equal(told_by(&f).talks[CAPTURE_TALK_TLS_OLD], 0);
    f = capture();
    tcp_payload(&f, T0, false, (const char *)old.b, old.n);
    assert_true(told_by(&f).talks[CAPTURE_TALK_TLS_OLD] > 0);
}

static void only_large_echoes_count_as_such(void **state)
{
    (void)state;
    struct pcap_file f = capture();
    static const unsigned bodies[] = {64, 1000};
    for (size_t i = 0; i < 2; i++) {
        struct bytes b = {0};
        put_ipv4(&b, (struct v4){.protocol = 1, .body = bodies[i]}), put8(&b, 8), put_zeros(&b, bodies[i] - 1);
        file_packet(&f, T0, 0, &b, 0);
    }
    assert_int_equal(told_by(&f).echo, 1000 - 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_read_in_small_letters),
        cmocka_unit_test(answers_give_addresses_behind_aliases),
        cmocka_unit_test(dns_over_tcp_has_a_length_before_it),
        cmocka_unit_test(what_is_no_question_is_no_dns),
        cmocka_unit_test(a_name_of_more_than_255_bytes_is_no_name),
        cmocka_unit_test(every_cut_of_a_message_is_handled),
        cmocka_unit_test(the_parent_is_what_somebody_registered),
        cmocka_unit_test(names_of_the_own_network_are_internal),
        cmocka_unit_test(a_hello_tells_name_and_version),
        cmocka_unit_test(every_cut_of_a_hello_is_handled),
        cmocka_unit_test(other_records_are_no_hello),
        cmocka_unit_test(first_words_tell_a_protocol),
        cmocka_unit_test(a_protocol_on_a_port_of_others_is_odd),
        cmocka_unit_test(a_name_counts_once_an_hour),
        cmocka_unit_test(the_next_hour_counts_it_again),
        cmocka_unit_test(short_and_internal_names_are_passed_over),
        cmocka_unit_test(a_flood_of_names_keeps_every_sum),
        cmocka_unit_test(answers_name_addresses),
        cmocka_unit_test(the_server_name_stays_with_its_flow),
        cmocka_unit_test(a_connection_in_the_clear_stays_so_in_later_minutes_and_both_ways),
        cmocka_unit_test(an_old_hello_marks_its_connection),
        cmocka_unit_test(only_large_echoes_count_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
