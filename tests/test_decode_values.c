/* Values of a record: what is accepted, what is noted, what is rejected and why (docs/formats.md 7.3). Every case goes both
 * through decode_line and, behind a header, through the decoder's fast path, and must fare the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_run.h"

#define V5_HEADER "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status " \
                  "tcp-flags pkt-srcaddr pkt-dstaddr flow-direction traffic-path reject-reason resource-id interface-type instance-tag"
#define V5_LINE "5 eni-0a1b2c3d 10.0.1.5 203.0.113.9 44321 443 6 20 4249 1700000000 1700000060 ACCEPT OK 19 10.0.1.5 203.0.113.9 " \
                "egress 8 - - - web"

/* Outcome of one line; slices of r point into copy. */
struct outcome {
    enum decode_reject why; /* REJECT_COUNT: accepted */
    char field[40];
    uint32_t notes;
    struct record r;
    char *copy;
};

/* The line with one column replaced by value. */
static char *line_with(const char *line, const char *header, const char *name, const char *value)
{
    struct slice names = slice_of(header), values = slice_of(line), n, v;
    char *out = malloc(4096);
    size_t at = 0;
    assert_non_null(out);
    while (token_next(&names, false, &n) && token_next(&values, false, &v)) {
        bool here = slice_eq(n, slice_of(name));
        at += (size_t)snprintf(out + at, 4096 - at, "%s%.*s", at ? " " : "", here ? (int)strlen(value) : (int)v.n, here ? value : v.p);
    }
    return out;
}

/* The same line in the middle of an object, on the fast path. */
static void fares_the_same_in_an_object(const char *header, const char *line, const struct outcome *alone)
{
    char *text = malloc(16384);
    assert_non_null(text);
    snprintf(text, 16384, "%s\n%s\n%s\n%s\n", header, line, line, line);
    struct run *run = run_text(text);
    assert_int_equal(run->bad, BAD_NONE);
    assert_int_equal(run->counts.lines, 3);
    if (alone->why != REJECT_COUNT) {
        assert_int_equal(run->counts.rejected[alone->why], 3);
    } else {
        assert_int_equal(run->counts.emitted, 3);
        for (unsigned note = 0; note < NOTE_COUNT; note++)
            if (note != NOTE_UNKNOWN_FIELD && note != NOTE_NO_END && note != NOTE_NO_ACTION)
                assert_int_equal(run->counts.notes[note] > 0, (uint64_t)alone->notes >> note & 1);
        struct record a = run->record[0].r, b = alone->r;
        assert_true(a.has == b.has && a.bytes == b.bytes && a.packets == b.packets && a.start_s == b.start_s && a.end_s == b.end_s);
        assert_true(ip_eq(a.src, b.src) && ip_eq(a.dst, b.dst) && ip_eq(a.pkt_src, b.pkt_src) && ip_eq(a.pkt_dst, b.pkt_dst));
        assert_true(a.src_port == b.src_port && a.dst_port == b.dst_port && a.protocol == b.protocol);
        assert_true(a.action == b.action && a.status == b.status && a.direction == b.direction && slice_eq(a.interface, b.interface));
    }
    free(run);
    free(text);
}

static struct outcome decode_one(const char *header, const char *line)
{
    struct outcome o;
    struct verdict v;
    memset(&o, 0, sizeof o);
    enum weir_err err = decode_copy(header, line, &o.copy, &o.r, &v);
    assert_int_equal(err == WEIR_OK, v.why == REJECT_COUNT);
    o.why = v.why;
    o.notes = v.notes;
    if (v.field < FIELD_COUNT)
        snprintf(o.field, sizeof o.field, "%s", decode_field_name((enum decode_field)v.field));
    block_reader *readers[3];
    for (size_t i = all_block_readers(readers); i-- > 0;) {
        forced_reader = readers[i];
        fares_the_same_in_an_object(header, line, &o);
    }
    forced_reader = NULL;
    return o;
}

static struct outcome v5_with(const char *name, const char *value)
{
    char *line = line_with(V5_LINE, V5_HEADER, name, value);
    struct outcome o = decode_one(V5_HEADER, line);
    free(line);
    return o;
}

static void assert_rejected(const char *name, const char *value, enum decode_reject why)
{
    struct outcome o = v5_with(name, value);
    if (o.why != why)
        print_message("# %s = '%s': %s\n", name, value, o.why < REJECT_COUNT ? decode_reject_word(o.why) : "accepted");
    assert_int_equal(o.why, why);
    free(o.copy);
}

static void assert_noted(const char *name, const char *value, uint32_t notes)
{
    struct outcome o = v5_with(name, value);
    assert_int_equal(o.why, REJECT_COUNT);
    assert_int_equal(o.notes, notes);
    free(o.copy);
}

#define NOTED(note) (1u << NOTE_##note)

static void rejects_negative_bytes(void **state)
{
    (void)state;
    assert_rejected("bytes", "-5", REJECT_NUMBER);
}

static void rejects_anything_but_digits(void **state)
{
    (void)state;
    static const char *const wrong[] = {"+7", "0x10", "1e3", "12abc", "1.5", "7-", "--", ":", "/", "1:", "12345678/", "\xb1\xb2", "1\xff"};
    for (size_t i = 0; i < WEIR_COUNT(wrong); i++) {
        assert_rejected("bytes", wrong[i], REJECT_NUMBER);
        assert_rejected("srcport", wrong[i], REJECT_NUMBER);
        assert_rejected("end", wrong[i], REJECT_NUMBER);
    }
}

static void names_the_column_of_a_rejected_value(void **state)
{
    (void)state;
    struct outcome o = v5_with("packets", "x");
    assert_string_equal(o.field, "packets");
    free(o.copy);
}

static void rejects_a_number_past_64_bits(void **state)
{
    (void)state;
    assert_rejected("bytes", "18446744073709551616", REJECT_NUMBER_RANGE);
    assert_rejected("packets", "99999999999999999999999", REJECT_NUMBER_RANGE);
}

static void accepts_bytes_of_all_64_bits(void **state)
{
    (void)state;
    struct outcome a = v5_with("bytes", "9223372036854775808"), b = v5_with("bytes", "18446744073709551615");
    assert_true(a.why == REJECT_COUNT && a.r.bytes == 9223372036854775808ULL);
    assert_true(b.why == REJECT_COUNT && b.r.bytes == UINT64_MAX);
    free(a.copy);
    free(b.copy);
}

static void reads_numbers_of_every_length(void **state)
{
    (void)state;
    static const char digits[] = "12345678901234567890";
    uint64_t value = 0;
    for (size_t n = 1; n <= 20; n++) {
        char text[32];
        value = value * 10 + (uint64_t)(digits[n - 1] - '0');
        snprintf(text, sizeof text, "%.*s", (int)n, digits);
        struct outcome o = v5_with("bytes", text);
        assert_true(o.why == REJECT_COUNT && o.r.bytes == value);
        free(o.copy);
    }
}

static void notes_bytes_without_packets(void **state)
{
    (void)state;
    assert_noted("packets", "0", NOTED(ZERO_MISMATCH));
    assert_noted("bytes", "0", NOTED(ZERO_MISMATCH));
}

static void notes_packets_of_an_impossible_size(void **state)
{
    (void)state;
    assert_noted("bytes", "400", 0);
    assert_noted("bytes", "399", NOTED(IMPLAUSIBLE_SIZE));
    assert_noted("bytes", "1310700", 0);
    assert_noted("bytes", "1310701", NOTED(IMPLAUSIBLE_SIZE));
    assert_noted("packets", "18446744073709551615", NOTED(IMPLAUSIBLE_SIZE));
}

static void rejects_a_port_or_protocol_past_its_range(void **state)
{
    (void)state;
    assert_noted("srcport", "65535", 0);
    assert_rejected("srcport", "65536", REJECT_NUMBER_RANGE);
    assert_rejected("dstport", "99999999", REJECT_NUMBER_RANGE);
    assert_noted("protocol", "255", 0);
    assert_rejected("protocol", "256", REJECT_NUMBER_RANGE);
}

static void reads_leading_zeros_as_decimal(void **state)
{
    (void)state;
    struct outcome o = v5_with("dstport", "0443");
    assert_int_equal(o.r.dst_port, 443);
    free(o.copy);
    o = v5_with("dstport", "00000000000443");
    assert_int_equal(o.r.dst_port, 443);
    free(o.copy);
}

static void rejects_an_end_before_the_start(void **state)
{
    (void)state;
    assert_rejected("end", "1699999999", REJECT_TIME_ORDER);
}

static void accepts_an_end_equal_to_the_start(void **state)
{
    (void)state;
    assert_noted("end", "1700000000", 0);
}

static void rejects_times_before_2010(void **state)
{
    (void)state;
    assert_rejected("start", "0", REJECT_TIME_RANGE);
    assert_rejected("start", "1262303999", REJECT_TIME_RANGE);
    assert_noted("start", "1262304000", NOTED(LONG_INTERVAL));
}

static void reads_thirteen_digit_times_as_milliseconds(void **state)
{
    (void)state;
    struct outcome o = v5_with("start", "1700000000999");
    assert_true(o.r.start_s == 1700000000 && o.notes == NOTED(TIMES_IN_MS));
    free(o.copy);
}

static void notes_milliseconds_once_an_object(void **state)
{
    (void)state;
    static const char line[] = "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1700000000000 1700000060000 ACCEPT OK\n";
    char text[1024];
    snprintf(text, sizeof text, "%s%s%s%s", V2_HEADER, line, line, line);
    struct run *run = run_text(text);
    assert_int_equal(run->counts.notes[NOTE_TIMES_IN_MS], 1);
    assert_int_equal(run->counts.emitted, 3);
    free(run);
}

static void rejects_times_in_micro_or_nanoseconds(void **state)
{
    (void)state;
    assert_rejected("start", "1700000000000000", REJECT_TIME_RANGE);
    assert_rejected("start", "1700000000000000000", REJECT_TIME_RANGE);
    assert_rejected("start", "99999999999999999999", REJECT_TIME_RANGE);
}

static void rejects_times_after_2105(void **state)
{
    (void)state;
    assert_rejected("end", "4291747200", REJECT_TIME_RANGE);
    assert_rejected("end", "253370764800", REJECT_TIME_RANGE);
    assert_noted("end", "4291747199", NOTED(LONG_INTERVAL));
}

static void leaves_future_times_to_later_rooms(void **state)
{
    (void)state;
    char *line = line_with(V5_LINE, V5_HEADER, "start", "4102444800");
    char *both = line_with(line, V5_HEADER, "end", "4102444860");
    struct outcome o = decode_one(V5_HEADER, both);
    assert_true(o.why == REJECT_COUNT && o.notes == 0 && o.r.start_s == 4102444800);
    free(o.copy);
    free(both);
    free(line);
}

static void notes_an_interval_past_700_seconds(void **state)
{
    (void)state;
    assert_noted("end", "1700000700", 0);
    assert_noted("end", "1700000701", NOTED(LONG_INTERVAL));
}

static void uses_the_start_where_the_end_is_absent(void **state)
{
    (void)state;
    struct outcome o = v5_with("end", "-");
    assert_true(o.why == REJECT_COUNT && o.notes == NOTED(NO_END));
    assert_true(o.r.end_s == 1700000000 && !RECORD_HAS(&o.r, END));
    free(o.copy);
}

static void rejects_what_is_not_exactly_an_address(void **state)
{
    (void)state;
    static const char *const wrong[] = {"1.2.3", "1.2.3.256", "010.0.0.1", "10.00.0.1", "1.2.3.4/24", "[::1]", "1.2.3.4.", ".1.2.3.4", "1..2.3",
                                        "1.2.3.4.5", "1.2.3.1234", "1234.2.3.1", "1.2.3.-4", "1.2.3.a", "1,2,3,4", "999.1.1.1", "1.300.1.1",
                                        "fe80::1%eth0", "::ffff:1.2.3", "1::2::3", "12345::", "localhost", "...", "1.2.3.4x", "255.255.255.2555"};
    for (size_t i = 0; i < WEIR_COUNT(wrong); i++) {
        assert_rejected("srcaddr", wrong[i], REJECT_ADDRESS);
        assert_rejected("pkt-dstaddr", wrong[i], REJECT_ADDRESS);
    }
}

static void maps_ipv4_in_ipv6_to_ipv4(void **state)
{
    (void)state;
    struct outcome o = v5_with("srcaddr", "::ffff:10.0.0.1");
    assert_true(o.why == REJECT_COUNT && ip_eq(o.r.src, ip_from_v4(0x0a000001)));
    free(o.copy);
}

static void reads_ipv6_in_any_spelling(void **state)
{
    (void)state;
    static const char *const same[] = {"2001:DB8::1", "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0::0.0.0.1"};
    for (size_t i = 0; i < WEIR_COUNT(same); i++) {
        char *one = line_with(V5_LINE, V5_HEADER, "srcaddr", same[i]), *two = line_with(one, V5_HEADER, "dstaddr", "2001:db8::2");
        struct outcome o = decode_one(V5_HEADER, two);
        assert_true(o.why == REJECT_COUNT && ip_eq(o.r.src, (struct ip){0x20010db800000000ULL, 1}));
        free(o.copy);
        free(two);
        free(one);
    }
}

static void notes_a_source_equal_to_the_destination(void **state)
{
    (void)state;
    assert_noted("dstaddr", "10.0.1.5", NOTED(SAME_ENDS));
}

static void accepts_special_addresses(void **state)
{
    (void)state;
    static const char *const special[] = {"0.0.0.0", "255.255.255.255", "224.0.0.251", "169.254.169.254", "127.0.0.1"};
    for (size_t i = 0; i < WEIR_COUNT(special); i++)
        assert_noted("dstaddr", special[i], 0);
}

static void rejects_ends_of_different_families(void **state)
{
    (void)state;
    assert_rejected("dstaddr", "2001:db8::1", REJECT_FAMILY);
    assert_rejected("srcaddr", "2001:db8::1", REJECT_FAMILY);
    assert_rejected("pkt-srcaddr", "2001:db8::1", REJECT_FAMILY);
}

static void takes_the_account_as_text(void **state)
{
    (void)state;
    static const char *const accounts[] = {"unknown", "000000000012", "12345678901", "<ACCOUNT-ID>"};
    for (size_t i = 0; i < WEIR_COUNT(accounts); i++) {
        char *line = line_with(V2_LINE, V2_HEADER, "account-id", accounts[i]);
        struct outcome o = decode_one("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status", line);
        assert_slice(o.r.account, accounts[i]);
        free(o.copy);
        free(line);
    }
}

static void rejects_an_unknown_action(void **state)
{
    (void)state;
    static const char *const wrong[] = {"accept", "DENY", "ACCEPTS", "ACCEP", "REJECTED"};
    for (size_t i = 0; i < WEIR_COUNT(wrong); i++)
        assert_rejected("action", wrong[i], REJECT_ACTION);
}

static void notes_an_absent_action(void **state)
{
    (void)state;
    struct outcome o = v5_with("action", "-");
    assert_true(o.why == REJECT_COUNT && o.notes == NOTED(NO_ACTION) && o.r.action == ACTION_NONE && !RECORD_HAS(&o.r, ACTION));
    free(o.copy);
}

static void uses_a_record_with_an_unknown_status(void **state)
{
    (void)state;
    assert_noted("log-status", "PARTIAL", NOTED(ODD_STATUS));
    assert_noted("log-status", "ok", NOTED(ODD_STATUS));
    assert_noted("log-status", "-", NOTED(ODD_STATUS));
}

static void treats_nodata_with_addresses_as_nodata(void **state)
{
    (void)state;
    struct outcome o = v5_with("log-status", "NODATA");
    assert_true(o.why == REJECT_COUNT && o.r.status == STATUS_NODATA && o.notes == NOTED(NODATA_FILLED));
    free(o.copy);
}

static void rejects_an_ok_record_without_a_needed_value(void **state)
{
    (void)state;
    static const char *const needed[] = {"srcaddr", "dstaddr", "bytes", "start"};
    for (size_t i = 0; i < WEIR_COUNT(needed); i++)
        assert_rejected(needed[i], "-", REJECT_MISSING_VALUE);
}

static void accepts_a_blocked_record_without_bytes(void **state)
{
    (void)state;
    char *one = line_with(V5_LINE, V5_HEADER, "bytes", "-"), *two = line_with(one, V5_HEADER, "action", "REJECT");
    char *three = line_with(two, V5_HEADER, "reject-reason", "BPA");
    struct outcome o = decode_one(V5_HEADER, three);
    assert_true(o.why == REJECT_COUNT && o.notes == NOTED(ZERO_MISMATCH) && !RECORD_HAS(&o.r, BYTES) && o.r.bytes == 0);
    free(o.copy);
    free(three);
    free(two);
    free(one);
}

static void reads_nodata_and_skipdata_with_nothing_but_times(void **state)
{
    (void)state;
    static const char header[] = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    struct outcome a = decode_one(header, "2 1 eni-1 - - - - - - - 1431280876 1431280934 - NODATA");
    struct outcome b = decode_one(header, "2 1 eni-1 - - - - - - - 1431280876 1431280934 - SKIPDATA");
    assert_true(a.why == REJECT_COUNT && a.r.status == STATUS_NODATA && a.notes == 0 && a.r.start_s == 1431280876);
    assert_true(b.why == REJECT_COUNT && b.r.status == STATUS_SKIPDATA && b.notes == 0 && b.r.end_s == 1431280934);
    assert_true(!RECORD_HAS(&a.r, BYTES) && !RECORD_HAS(&a.r, SRCADDR) && !RECORD_HAS(&a.r, SRCPORT));
    free(a.copy);
    free(b.copy);
}

static void reads_nodata_without_times(void **state)
{
    (void)state;
    struct outcome o = decode_one("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
                                  "2 1 eni-1 - - - - - - - - - - NODATA");
    assert_true(o.why == REJECT_COUNT && o.notes == 0 && !RECORD_HAS(&o.r, START) && !RECORD_HAS(&o.r, END));
    free(o.copy);
}

static void notes_tcp_flags_past_six_bits(void **state)
{
    (void)state;
    static const char *const plain[] = {"0", "7", "18", "19", "63", "-"};
    for (size_t i = 0; i < WEIR_COUNT(plain); i++)
        assert_noted("tcp-flags", plain[i], 0);
    assert_noted("tcp-flags", "64", NOTED(ODD_FLAGS));
    assert_noted("tcp-flags", "255", NOTED(ODD_FLAGS));
    assert_rejected("tcp-flags", "65536", REJECT_NUMBER_RANGE);
}

static void carries_an_unknown_traffic_path(void **state)
{
    (void)state;
    assert_noted("traffic-path", "1", 0);
    assert_noted("traffic-path", "-", 0);
    assert_noted("traffic-path", "0", NOTED(ODD_PATH));
    struct outcome o = v5_with("traffic-path", "9");
    assert_true(o.notes == NOTED(ODD_PATH) && o.r.traffic_path == 9);
    free(o.copy);
}

static void leaves_tags_alone_whatever_they_hold(void **state)
{
    (void)state;
    static const char *const tags[] = {"%2", "%00%0A", "\xff\xfe", "\"\\|=", "caf\xc3\xa9", "{", "a,b"};
    for (size_t i = 0; i < WEIR_COUNT(tags); i++)
        assert_noted("instance-tag", tags[i], 0);
}

static void rejects_bytes_past_ascii_in_typed_values(void **state)
{
    (void)state;
    assert_rejected("srcaddr", "10.0.0.\xb2", REJECT_ADDRESS);
    assert_rejected("packets", "\xc2\xb2", REJECT_NUMBER);
    assert_rejected("action", "ACCEPT\xff", REJECT_ACTION);
}

static void rejects_an_interface_id_of_300_characters(void **state)
{
    (void)state;
    char id[301];
    memset(id, 'e', 300);
    id[300] = '\0';
    assert_rejected("interface-id", id, REJECT_ID_TOO_LONG);
    id[255] = '\0';
    assert_noted("interface-id", id, 0);
}

static void clears_the_bit_of_an_absent_value(void **state)
{
    (void)state;
    struct outcome o = v5_with("srcport", "-");
    assert_true(o.why == REJECT_COUNT && !RECORD_HAS(&o.r, SRCPORT) && RECORD_HAS(&o.r, DSTPORT) && o.r.src_port == 0);
    free(o.copy);
}

static void reads_the_flow_direction(void **state)
{
    (void)state;
    struct outcome a = v5_with("flow-direction", "egress"), b = v5_with("flow-direction", "ingress"), c = v5_with("flow-direction", "-");
    assert_int_equal(a.r.direction, DIRECTION_EGRESS);
    assert_int_equal(b.r.direction, DIRECTION_INGRESS);
    assert_true(c.r.direction == DIRECTION_NONE && !RECORD_HAS(&c.r, FLOW_DIRECTION));
    free(a.copy);
    free(b.copy);
    free(c.copy);
}

static void takes_the_resource_id_where_there_is_no_interface(void **state)
{
    (void)state;
    char *one = line_with(V5_LINE, V5_HEADER, "interface-id", "-"), *two = line_with(one, V5_HEADER, "resource-id", "nat-0a1b");
    struct outcome o = decode_one(V5_HEADER, two);
    assert_slice(o.r.interface, "nat-0a1b");
    assert_true(!RECORD_HAS(&o.r, INTERFACE_ID) && RECORD_HAS(&o.r, RESOURCE_ID));
    free(o.copy);
    free(two);
    free(one);
}

static void knows_forwarders_by_their_interface_type(void **state)
{
    (void)state;
    struct outcome a = v5_with("interface-type", "nat_gateway"), b = v5_with("interface-type", "-"), c = v5_with("interface-type", "nat");
    assert_true(a.r.forwarder_type && !b.r.forwarder_type && !c.r.forwarder_type);
    free(a.copy);
    free(b.copy);
    free(c.copy);
}

static void keeps_no_value_of_the_record_before(void **state)
{
    (void)state;
    struct run *run = run_text(V2_HEADER V2_LINE "\n2 1 eni-2 - - - - - - - 1700000000 1700000060 - NODATA\n");
    const struct record *r = &run->record[1].r;
    assert_true(r->bytes == 0 && r->src_port == 0 && r->protocol == 0 && ip_eq(r->src, (struct ip){0, 0}) && r->action == ACTION_NONE);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejects_negative_bytes),
        cmocka_unit_test(rejects_anything_but_digits),
        cmocka_unit_test(names_the_column_of_a_rejected_value),
        cmocka_unit_test(rejects_a_number_past_64_bits),
        cmocka_unit_test(accepts_bytes_of_all_64_bits),
        cmocka_unit_test(reads_numbers_of_every_length),
        cmocka_unit_test(notes_bytes_without_packets),
        cmocka_unit_test(notes_packets_of_an_impossible_size),
        cmocka_unit_test(rejects_a_port_or_protocol_past_its_range),
        cmocka_unit_test(reads_leading_zeros_as_decimal),
        cmocka_unit_test(rejects_an_end_before_the_start),
        cmocka_unit_test(accepts_an_end_equal_to_the_start),
        cmocka_unit_test(rejects_times_before_2010),
        cmocka_unit_test(reads_thirteen_digit_times_as_milliseconds),
        cmocka_unit_test(notes_milliseconds_once_an_object),
        cmocka_unit_test(rejects_times_in_micro_or_nanoseconds),
        cmocka_unit_test(rejects_times_after_2105),
        cmocka_unit_test(leaves_future_times_to_later_rooms),
        cmocka_unit_test(notes_an_interval_past_700_seconds),
        cmocka_unit_test(uses_the_start_where_the_end_is_absent),
        cmocka_unit_test(rejects_what_is_not_exactly_an_address),
        cmocka_unit_test(maps_ipv4_in_ipv6_to_ipv4),
        cmocka_unit_test(reads_ipv6_in_any_spelling),
        cmocka_unit_test(notes_a_source_equal_to_the_destination),
        cmocka_unit_test(accepts_special_addresses),
        cmocka_unit_test(rejects_ends_of_different_families),
        cmocka_unit_test(takes_the_account_as_text),
        cmocka_unit_test(rejects_an_unknown_action),
        cmocka_unit_test(notes_an_absent_action),
        cmocka_unit_test(uses_a_record_with_an_unknown_status),
        cmocka_unit_test(treats_nodata_with_addresses_as_nodata),
        cmocka_unit_test(rejects_an_ok_record_without_a_needed_value),
        cmocka_unit_test(accepts_a_blocked_record_without_bytes),
        cmocka_unit_test(reads_nodata_and_skipdata_with_nothing_but_times),
        cmocka_unit_test(reads_nodata_without_times),
        cmocka_unit_test(notes_tcp_flags_past_six_bits),
        cmocka_unit_test(carries_an_unknown_traffic_path),
        cmocka_unit_test(leaves_tags_alone_whatever_they_hold),
        cmocka_unit_test(rejects_bytes_past_ascii_in_typed_values),
        cmocka_unit_test(rejects_an_interface_id_of_300_characters),
        cmocka_unit_test(clears_the_bit_of_an_absent_value),
        cmocka_unit_test(reads_the_flow_direction),
        cmocka_unit_test(takes_the_resource_id_where_there_is_no_interface),
        cmocka_unit_test(knows_forwarders_by_their_interface_type),
        cmocka_unit_test(keeps_no_value_of_the_record_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
