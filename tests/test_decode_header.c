/* Which columns does this object have? Header lines in every spelling, objects without one, headers that change on the way
 * (docs/formats.md 7.2 L1-L11, L14, L26-L30), and objects that are not flow logs at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_run.h"

#define TGW_HEADER "version resource-type account-id tgw-id tgw-attachment-id tgw-src-eni srcaddr dstaddr srcport dstport protocol packets bytes start end log-status\n"

static void accepts_a_header_without_records(void **state)
{
    (void)state;
    struct run *run = run_text(V2_HEADER);
    assert_true(run->bad == BAD_NONE && run->counts.lines == 0);
    free(run);
    run = run_text("version srcaddr dstaddr bytes start interface-id"); /* not even a newline */
    assert_true(run->bad == BAD_NONE && run->layout.columns == 6);
    free(run);
}

static void accepts_an_empty_object(void **state)
{
    (void)state;
    struct run *run = run_text("");
    assert_true(run->bad == BAD_NONE && run->counts.lines == 0);
    free(run);
    run = run_text("\n\n  \n");
    assert_true(run->bad == BAD_NONE && run->counts.lines == 0);
    free(run);
}

static void takes_default_v2_without_header_if_the_first_line_proves_it(void **state)
{
    (void)state;
    struct run *run = run_text(V2_LINE "\n" V2_LINE "\n");
    assert_true(run->bad == BAD_NONE && run->counts.emitted == 2);
    assert_int_equal(run->counts.notes[NOTE_NO_HEADER], 1);
    assert_int_equal(run->record[0].r.line, 1);
    free(run);
}

static void refuses_an_object_without_header_of_another_layout(void **state)
{
    (void)state;
    assert_bad("5 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1700000000 1700000060 ACCEPT OK\n", BAD_NO_HEADER);
    assert_bad("10.0.0.1 10.0.0.2 40 1700000000 eni-1\n", BAD_NO_HEADER);
    assert_bad("hello world\n", BAD_NO_HEADER);
    assert_bad("2 123456789012 vol-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1700000000 1700000060 ACCEPT OK\n", BAD_NO_HEADER);
}

static void uses_the_configured_layout_where_there_is_no_header(void **state)
{
    (void)state;
    struct run *run = run_configured("10.0.0.1 10.0.0.2 40 1700000000 eni-1\n", "srcaddr dstaddr bytes start interface-id");
    assert_true(run->bad == BAD_NONE && run->counts.emitted == 1 && run->record[0].r.bytes == 40);
    assert_int_equal(run->counts.notes[NOTE_NO_HEADER], 0);
    free(run);
}

static void prefers_the_header_to_the_configured_layout(void **state)
{
    (void)state;
    struct run *run = run_configured(V2_HEADER V2_LINE "\n", "srcaddr dstaddr bytes start interface-id");
    assert_true(run->counts.emitted == 1 && run->record[0].r.bytes == 4249);
    free(run);
}

static void refuses_a_configured_layout_that_lacks_needed_fields(void **state)
{
    (void)state;
    struct run *run = run_configured("10.0.0.1 10.0.0.2 40\n", "srcaddr dstaddr bytes");
    assert_int_equal(run->bad, BAD_HEADER_MISSING);
    assert_non_null(strstr(run->fault.text, "start, interface-id"));
    free(run);
}

static void finds_the_header_after_blank_and_comment_lines(void **state)
{
    (void)state;
    struct run *run = run_text("\n# made by hand\n   \n" V2_HEADER V2_LINE "\n");
    assert_true(run->counts.emitted == 1 && run->counts.lines == 1 && run->record[0].r.line == 5);
    assert_int_equal(run->counts.notes[NOTE_COMMENT], 1);
    free(run);
}

static void switches_layout_at_a_header_after_records(void **state)
{
    (void)state;
    struct run *run = run_text(V2_LINE "\nsrcaddr dstaddr bytes start interface-id\n10.0.0.1 10.0.0.2 40 1700000000 eni-1\n");
    assert_true(run->counts.emitted == 2 && run->counts.notes[NOTE_HEADER_CHANGED] == 1);
    assert_int_equal(run->record[1].r.bytes, 40);
    free(run);
}

static void accepts_a_repeated_header(void **state)
{
    (void)state;
    struct run *run = run_text(V2_HEADER V2_LINE "\n" V2_HEADER V2_LINE "\n");
    assert_true(run->counts.emitted == 2 && run->counts.lines == 2 && run->counts.notes[NOTE_HEADER_REPEATED] == 1);
    free(run);
}

static void switches_layout_at_a_second_header_of_the_same_width(void **state)
{
    (void)state;
    struct run *run = run_text("srcaddr dstaddr bytes start interface-id\n10.0.0.1 10.0.0.2 40 1700000000 eni-1\n"
                               "dstaddr srcaddr start bytes interface-id\n10.0.0.1 10.0.0.2 1700000000 50 eni-1\n");
    assert_true(run->counts.emitted == 2 && run->counts.notes[NOTE_HEADER_CHANGED] == 1);
    assert_true(run->record[1].r.bytes == 50 && ip_eq(run->record[1].r.src, ip_from_v4(0x0a000002)));
    free(run);
}

static void carries_an_unknown_field_unread(void **state)
{
    (void)state;
    struct layout layout;
    struct slice unknown;
    assert_int_equal(layout_parse(SLICE_LIT("srcaddr new-thing dstaddr other"), &layout, &unknown, NULL), WEIR_OK);
    assert_slice(unknown, "new-thing");
    assert_int_equal(layout.field[1], FIELD_UNKNOWN);
    struct run *run = run_text("srcaddr dstaddr bytes start interface-id new-thing\n10.0.0.1 10.0.0.2 40 1700000000 eni-1 x\n");
    assert_true(run->counts.emitted == 1 && run->counts.notes[NOTE_UNKNOWN_FIELD] == 1);
    free(run);
}

static void refuses_a_header_with_a_field_twice(void **state)
{
    (void)state;
    assert_bad("srcaddr dstaddr bytes start interface-id src_addr bytes\n10.0.0.1 10.0.0.2 40 1700000000 eni-1 1 1\n", BAD_HEADER_DUPLICATE);
}

static void reads_header_names_in_every_spelling(void **state)
{
    (void)state;
    struct layout layout;
    assert_int_equal(layout_parse(SLICE_LIT("SRCADDR Pkt_Src_Aws_Service ${traffic-path} ${tcp_flags} ${} _ ${srcport"), &layout, NULL, NULL), WEIR_OK);
    static const uint8_t expected[] = {FIELD_SRCADDR, FIELD_PKT_SRC_AWS_SERVICE, FIELD_TRAFFIC_PATH, FIELD_TCP_FLAGS, FIELD_UNKNOWN, FIELD_UNKNOWN, FIELD_UNKNOWN};
    assert_int_equal(layout.columns, sizeof expected);
    assert_memory_equal(layout.field, expected, sizeof expected);
}

static void refuses_a_header_that_lacks_needed_fields_and_names_them(void **state)
{
    (void)state;
    struct run *run = run_text("instance-id interface-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr\n- eni-1 10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.2\n");
    assert_int_equal(run->bad, BAD_HEADER_MISSING);
    assert_non_null(strstr(run->fault.text, ": bytes, start"));
    free(run);
}

static void notes_the_columns_that_may_be_absent(void **state)
{
    (void)state;
    struct run *run = run_text("srcaddr dstaddr bytes start interface-id\n10.0.0.1 10.0.0.2 40 1700000000 eni-1\n10.0.0.1 10.0.0.2 40 1700000001 eni-1\n");
    const struct record *r = &run->record[1].r;
    assert_true(r->end_s == 1700000001 && r->action == ACTION_NONE && r->status == STATUS_OK && r->src_port == 0 && r->protocol == 0);
    assert_true(run->counts.notes[NOTE_NO_END] == 1 && run->counts.notes[NOTE_NO_ACTION] == 1);
    free(run);
}

static void accepts_54_and_200_columns(void **state)
{
    (void)state;
    static const unsigned widths[] = {54, 200, 256};
    for (size_t i = 0; i < WEIR_COUNT(widths); i++) {
        struct buffer text;
        buffer_init(&text, 1 << 20);
        buffer_puts(&text, "srcaddr dstaddr bytes start interface-id region az-id vpc-id subnet-id type");
        for (unsigned c = 10; c < widths[i]; c++)
            buffer_printf(&text, " %s", c < FIELD_COUNT && c > FIELD_TYPE && c != FIELD_REGION && c != FIELD_AZ_ID ? decode_field_name(c) : "x");
        buffer_puts(&text, "\n10.0.0.1 10.0.0.2 40 1700000000 eni-1");
        for (unsigned c = 5; c < widths[i]; c++)
            buffer_puts(&text, " -");
        struct layout layout;
        struct slice header = {text.p, (size_t)((char *)memchr(text.p, '\n', text.n) - text.p)};
        assert_int_equal(layout_parse(header, &layout, NULL, NULL), WEIR_OK);
        struct run *run = run_split((struct slice){text.p, text.n}, &layout, 0, 0);
        assert_true(run->bad == BAD_NONE && run->counts.emitted == 1 && run->layout.columns == widths[i]);
        free(run);
        buffer_fini(&text);
    }
}

static void refuses_more_than_256_columns(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    for (unsigned c = 0; c < 300; c++)
        buffer_printf(&text, "%s ", decode_field_name(c % FIELD_COUNT));
    buffer_puts(&text, "\n1 2 3\n");
    assert_bad(buffer_cstr(&text), BAD_HEADER_TOO_WIDE);
    buffer_fini(&text);
}

static void reads_transit_gateway_records_by_their_header(void **state)
{
    (void)state;
    struct run *run = run_text(TGW_HEADER
                               "6 TransitGateway 123456789012 tgw-1 tgw-attach-1 eni-9 10.0.0.1 10.1.0.1 1 443 6 2 80 1700000000 1700000060 OK\n"
                               "6 TransitGateway 123456789012 tgw-1 tgw-attach-1 - 10.0.0.1 10.1.0.1 1 443 6 2 80 1700000000 1700000060 OK\n");
    assert_int_equal(run->counts.emitted, 2);
    assert_true(run->record[0].r.transit_gateway && run->record[0].r.action == ACTION_NONE);
    assert_slice(run->record[0].r.interface, "eni-9");
    assert_slice(run->record[1].r.interface, "tgw-attach-1");
    free(run);
}

static void rejects_a_record_without_time_in_a_cloudwatch_export(void **state)
{
    (void)state;
    struct run *run = run_text("2024-12-20T18:23:02.000Z " V2_LINE "\n" V2_LINE "\n2024-12-20T18:23:02Z " V2_LINE "\nx" V2_LINE "\n");
    assert_true(run->counts.emitted == 2 && run->counts.rejected[REJECT_TIMESTAMP] == 2);
    assert_int_equal(run->counts.notes[NOTE_TIMESTAMP_PREFIX], 1);
    assert_true(run->layout.timestamp_prefix == 1);
    free(run);
}

static void reads_the_table_that_the_console_exports(void **state)
{
    (void)state;
    struct run *run = run_text("timestamp,message\n1700000000000," V2_LINE "\n2024-12-20T18:23:02.000Z," V2_LINE "\n1700000000000,\"" V2_LINE "\"\n");
    assert_true(run->bad == BAD_NONE && run->counts.emitted == 3);
    assert_int_equal(run->record[2].r.bytes, 4249);
    free(run);
}

static void rejects_other_layouts_among_guessed_v2_records(void **state)
{
    (void)state;
    struct run *run = run_text("2024-12-20T18:23:02.000Z " V2_LINE "\n"
                               "2024-12-20T18:23:02.000Z 3 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1700000000 1700000060 ACCEPT OK\n"
                               "2024-12-20T18:23:02.000Z 10.0.0.1 10.0.0.2 40\n"
                               "2024-12-20T18:23:02.000Z 2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1700000000 1700000060 ACCEPT DONE\n");
    assert_true(run->counts.emitted == 1 && run->counts.rejected[REJECT_NO_LAYOUT] == 2 && run->counts.rejected[REJECT_FIELD_COUNT] == 1);
    free(run);
}

static void reads_tabs_and_commas_as_separators(void **state)
{
    (void)state;
    struct run *run = run_text("srcaddr\tdstaddr\tbytes\tstart\tinterface-id\n10.0.0.1\t10.0.0.2\t40\t1700000000\teni-1\n");
    assert_int_equal(run->counts.emitted, 1);
    free(run);
    run = run_text("srcaddr,dstaddr,srcport,bytes,start,interface-id\n10.0.0.1,10.0.0.2,,40,1700000000,eni-1\n10.0.0.1,10.0.0.2,1,40,1700000000\n");
    assert_true(run->counts.emitted == 1 && run->counts.rejected[REJECT_FIELD_COUNT] == 1);
    assert_true(!RECORD_HAS(&run->record[0].r, SRCPORT) && run->record[0].r.bytes == 40);
    free(run);
}

static void strips_a_byte_order_mark(void **state)
{
    (void)state;
    struct run *run = run_text("\xef\xbb\xbf" V2_HEADER V2_LINE "\n");
    assert_true(run->counts.emitted == 1 && run->counts.notes[NOTE_BOM] == 1);
    free(run);
}

static void refuses_utf16_text(void **state)
{
    (void)state;
    static const char le[] = "\xff\xfev\0e\0r\0s\0\n\0", be[] = "\0v\0e\0r\0s\0\n", bom_be[] = "\xfe\xff\0v\0e\0r";
    struct slice texts[] = {{le, sizeof le - 1}, {be, sizeof be - 1}, {bom_be, sizeof bom_be - 1}, {le + 2, sizeof le - 3}};
    for (size_t i = 0; i < WEIR_COUNT(texts); i++) {
        struct run *run = run_split(texts[i], NULL, 0, 0);
        assert_int_equal(run->bad, BAD_NOT_TEXT);
        free(run);
    }
}

static void refuses_binary_data(void **state)
{
    (void)state;
    assert_bad("\x7f" "ELF\x02\x01\x01\n", BAD_NOT_TEXT);
}

static void names_the_logs_of_other_services(void **state)
{
    (void)state;
    static const char *const logs[] = {
        "https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 \"GET https://x\"\n",
        "tls 2.0 2018-12-20T02:59:40 net/my-network-loadbalancer/c6e77e28c25b2234 g3d4b5e8bb8464cd 72.21.218.154:51341 172.100.100.185:443\n",
        "2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 \"GET http://x\" \"curl\"\n",
        "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3\n",
        "{\"Records\":[{\"eventVersion\":\"1.08\"}]}\n",
        "[{\"time\":1}]\n"};
    for (size_t i = 0; i < WEIR_COUNT(logs); i++)
        assert_bad(logs[i], BAD_OTHER_LOG);
}

static void refuses_text_with_bare_carriage_returns(void **state)
{
    (void)state;
    assert_bad("version srcaddr dstaddr bytes start interface-id\r5 10.0.0.1 10.0.0.2 40 1700000000 eni-1\r", BAD_ONE_LINE);
}

static void refuses_a_line_without_end(void **state)
{
    (void)state;
    char *text = malloc(300001);
    assert_non_null(text);
    memset(text, 'a', 300000);
    text[300000] = '\0';
    assert_bad(text, BAD_ONE_LINE);
    free(text);
}

static void names_every_value_of_its_lists(void **state)
{
    (void)state;
    assert_string_equal(decode_field_name(FIELD_NEXT_HOP_INTERFACE_TYPE), "next-hop-interface-type");
    assert_string_equal(decode_reject_word(REJECT_NO_LAYOUT), "no-layout");
    assert_string_equal(decode_bad_word(BAD_OTHER_LOG), "other-log");
    assert_string_equal(decode_note_word(NOTE_COMMENT), "comment");
    assert_non_null(strstr(decode_reject_text(REJECT_FAMILY), "families"));
    assert_non_null(strstr(decode_bad_text(BAD_NO_HEADER), "--fields"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_header_without_records),
        cmocka_unit_test(accepts_an_empty_object),
        cmocka_unit_test(takes_default_v2_without_header_if_the_first_line_proves_it),
        cmocka_unit_test(refuses_an_object_without_header_of_another_layout),
        cmocka_unit_test(uses_the_configured_layout_where_there_is_no_header),
        cmocka_unit_test(prefers_the_header_to_the_configured_layout),
        cmocka_unit_test(refuses_a_configured_layout_that_lacks_needed_fields),
        cmocka_unit_test(finds_the_header_after_blank_and_comment_lines),
        cmocka_unit_test(switches_layout_at_a_header_after_records),
        cmocka_unit_test(accepts_a_repeated_header),
        cmocka_unit_test(switches_layout_at_a_second_header_of_the_same_width),
        cmocka_unit_test(carries_an_unknown_field_unread),
        cmocka_unit_test(refuses_a_header_with_a_field_twice),
        cmocka_unit_test(reads_header_names_in_every_spelling),
        cmocka_unit_test(refuses_a_header_that_lacks_needed_fields_and_names_them),
        cmocka_unit_test(notes_the_columns_that_may_be_absent),
        cmocka_unit_test(accepts_54_and_200_columns),
        cmocka_unit_test(refuses_more_than_256_columns),
        cmocka_unit_test(reads_transit_gateway_records_by_their_header),
        cmocka_unit_test(rejects_a_record_without_time_in_a_cloudwatch_export),
        cmocka_unit_test(reads_the_table_that_the_console_exports),
        cmocka_unit_test(rejects_other_layouts_among_guessed_v2_records),
        cmocka_unit_test(reads_tabs_and_commas_as_separators),
        cmocka_unit_test(strips_a_byte_order_mark),
        cmocka_unit_test(refuses_utf16_text),
        cmocka_unit_test(refuses_binary_data),
        cmocka_unit_test(names_the_logs_of_other_services),
        cmocka_unit_test(refuses_text_with_bare_carriage_returns),
        cmocka_unit_test(refuses_a_line_without_end),
        cmocka_unit_test(names_every_value_of_its_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
