/* VPC flow logs of Google Cloud: entries of both reporters, drop records, and what may be absent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "object_run.h"

#define LOG "\"logName\":\"projects/my-project/logs/compute.googleapis.com%2Fvpc_flows\","
#define HEAD "{\"insertId\":\"1ed\",\"resource\":{\"type\":\"gce_subnetwork\",\"labels\":{\"subnetwork_name\":\"s\"}}," LOG "\"jsonPayload\":{"
#define SRC "\"src_instance\":{\"project_id\":\"proj-a\",\"region\":\"us-central1\",\"vm_name\":\"web-1\",\"zone\":\"us-central1-a\"},\"src_vpc\":{\"vpc_name\":\"prod\"},"
#define DEST "\"dest_instance\":{\"project_id\":\"proj-b\",\"vm_name\":\"db-1\",\"zone\":\"us-central1-b\"},\"dest_vpc\":{\"vpc_name\":\"data\"},"
#define CONNECTION "\"connection\":{\"src_ip\":\"10.128.0.5\",\"src_port\":44321,\"dest_ip\":\"203.0.113.5\",\"dest_port\":443,\"protocol\":6},"
#define TIMES "\"start_time\":\"2026-03-02T09:10:00.123456789Z\",\"end_time\":\"2026-03-02T09:10:05Z\","
#define TAIL "\"packets_sent\":\"40\"},\"timestamp\":\"2026-03-02T09:10:10Z\"}"
#define ENTRY(reporter, bytes) HEAD SRC DEST CONNECTION TIMES "\"reporter\":\"" reporter "\",\"bytes_sent\":" bytes "," TAIL

static struct object_run entries(const char *text)
{
    return run_object(slice_of(text), 0);
}

static void what_the_source_reports_is_its_egress(void **state)
{
    struct object_run o = entries(ENTRY("SRC", "\"51234\""));
    const struct record *r = &o.run->record[0].r;
    char ip[IP_TEXT_MAX];
    (void)state;
    assert_int_equal(o.run->records, 1);
    ip_format(r->src, ip);
    assert_string_equal(ip, "10.128.0.5");
    ip_format(r->dst, ip);
    assert_string_equal(ip, "203.0.113.5");
    assert_int_equal(r->src_port, 44321);
    assert_int_equal(r->dst_port, 443);
    assert_int_equal(r->protocol, 6);
    assert_int_equal(r->bytes, 51234);
    assert_int_equal(r->packets, 40);
    assert_int_equal(r->start_s, 1772442600);
    assert_int_equal(r->end_s, 1772442605);
    assert_int_equal(r->direction, DIRECTION_EGRESS);
    assert_int_equal(r->action, ACTION_NONE);
    assert_slice(r->interface, "gcp:us-central1-a/web-1");
    assert_slice(r->account, "proj-a");
    assert_slice(r->vpc, "prod");
    assert_int_equal(o.run->counts.notes[NOTE_ESTIMATED], 1);
    free(o.run);
}

static void what_the_destination_reports_is_its_ingress(void **state)
{
    struct object_run o = entries(ENTRY("DEST", "\"51234\""));
    const struct record *r = &o.run->record[0].r;
    (void)state;
    assert_int_equal(r->direction, DIRECTION_INGRESS);
    assert_slice(r->interface, "gcp:us-central1-b/db-1");
    assert_slice(r->account, "proj-b");
    assert_slice(r->vpc, "data");
    free(o.run);
}

static void gateways_report_what_others_sent(void **state)
{
    struct object_run o = entries(ENTRY("SRC_GATEWAY", "\"1\"") ENTRY("SRC", "\"1\""));
    (void)state;
    assert_true(o.run->record[0].r.forwarder_type);
    assert_false(o.run->record[1].r.forwarder_type);
    free(o.run);
}

static void numbers_may_be_texts_and_texts_numbers(void **state)
{
    struct object_run o = entries(ENTRY("SRC", "51234") HEAD "\"connection\":{\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"1.2.3.4\",\"src_port\":\"5\",\"protocol\":\"17\"}," TIMES
                                  "\"reporter\":\"SRC\",\"bytes_sent\":7}}");
    (void)state;
    assert_int_equal(o.bytes, 51241);
    assert_int_equal(o.run->record[1].r.src_port, 5);
    assert_int_equal(o.run->record[1].r.protocol, 17);
    free(o.run);
}

static void ports_and_metadata_may_be_absent(void **state)
{
    struct object_run o = entries(HEAD "\"connection\":{\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"1.2.3.4\",\"protocol\":1}," TIMES "\"reporter\":\"SRC\",\"bytes_sent\":\"0\"}}");
    const struct record *r = &o.run->record[0].r;
    (void)state;
    assert_int_equal(o.run->records, 1);
    assert_int_equal(r->src_port, 0);
    assert_slice(r->interface, "gcp:10.0.0.1");
    assert_slice(r->account, "my-project");
    free(o.run);
}

static void a_drop_record_is_no_egress(void **state)
{
    struct object_run o = entries(HEAD CONNECTION TIMES "\"reporter\":\"SRC\",\"disposition\":\"DROPPED\",\"drop_reason\":\"X\",\"bytes_dropped\":\"100\"}}");
    (void)state;
    assert_int_equal(o.run->counts.by_action[ACTION_REJECT], 1);
    assert_false(RECORD_HAS(&o.run->record[0].r, BYTES));
    free(o.run);
}

static void times_with_any_fraction_and_zone_are_read(void **state)
{
    static const char *const times[] = {"2026-03-02T09:10:00Z", "2026-03-02T09:10:00.5Z", "2026-03-02T09:10:00.123456Z", "2026-03-02T09:10:00.123456789+00:00",
                                        "2026-03-02T10:10:00+01:00"};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(times); i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s\"start_time\":\"%s\",\"end_time\":\"%s\",\"reporter\":\"SRC\",\"bytes_sent\":\"1\"}}", HEAD CONNECTION, times[i], times[i]);
        struct object_run o = entries(text);
        assert_int_equal(o.run->records, 1);
        assert_int_equal(o.run->record[0].r.start_s, 1772442600);
        free(o.run);
    }
}

static void a_bad_entry_is_rejected_with_its_reason(void **state)
{
    static const struct { const char *rest; enum decode_reject why; } cases[] = {
        {CONNECTION TIMES "\"reporter\":\"SRC\",\"bytes_sent\":1e21}}", REJECT_NUMBER}, {CONNECTION TIMES "\"reporter\":\"SRC\",\"bytes_sent\":-1}}", REJECT_NUMBER},
        {CONNECTION TIMES "\"reporter\":\"SRC\",\"bytes_sent\":\"1.5\"}}", REJECT_NUMBER}, {CONNECTION TIMES "\"reporter\":\"SRC\"}}", REJECT_MISSING_VALUE},
        {CONNECTION TIMES "\"reporter\":\"SRC\",\"bytes_sent\":\"18446744073709551616\"}}", REJECT_NUMBER_RANGE},
        {CONNECTION TIMES "\"reporter\":\"WHO\",\"bytes_sent\":\"1\"}}", REJECT_ACTION}, {CONNECTION "\"reporter\":\"SRC\",\"bytes_sent\":\"1\"}}", REJECT_MISSING_VALUE},
        {CONNECTION "\"start_time\":\"yesterday\",\"reporter\":\"SRC\",\"bytes_sent\":\"1\"}}", REJECT_TIME},
        {CONNECTION "\"start_time\":\"1999-01-01T00:00:00Z\",\"reporter\":\"SRC\",\"bytes_sent\":\"1\"}}", REJECT_TIME_RANGE},
        {CONNECTION "\"start_time\":\"2026-01-01T00:00:10Z\",\"end_time\":\"2026-01-01T00:00:00Z\",\"reporter\":\"SRC\",\"bytes_sent\":\"1\"}}", REJECT_TIME_ORDER},
        {"\"connection\":{\"src_ip\":\"10.0.0.1\"}," TIMES "\"reporter\":\"SRC\",\"bytes_sent\":\"1\"}}", REJECT_MISSING_VALUE},
        {"\"connection\":{\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"\\u00001\"}," TIMES "\"reporter\":\"SRC\",\"bytes_sent\":\"1\"}}", REJECT_ADDRESS},
        {"\"connection\":{\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"::1\"}," TIMES "\"reporter\":\"SRC\",\"bytes_sent\":\"1\"}}", REJECT_FAMILY}};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(cases); i++) {
        char text[4096];
        snprintf(text, sizeof text, "%s%s\n%s", HEAD, cases[i].rest, ENTRY("SRC", "\"9\""));
        struct object_run o = entries(text);
        assert_string_equal(decode_reject_word(o.run->reject[0].why), decode_reject_word(cases[i].why));
        assert_int_equal(o.run->reject[0].line, 1);
        assert_int_equal(o.bytes, 9);
        free(o.run);
    }
}

static void an_array_of_entries_is_read_too(void **state)
{
    struct object_run o = entries(" [" ENTRY("SRC", "\"1\"") ",\n" ENTRY("SRC", "\"2\"") "]\n");
    (void)state;
    assert_int_equal(o.bytes, 3);
    free(o.run);
}

static void entries_of_other_logs_are_noted(void **state)
{
    struct object_run o = entries("{\"logName\":\"projects/p/logs/cloudaudit.googleapis.com%2Factivity\",\"jsonPayload\":{}}\n" ENTRY("SRC", "\"2\""));
    (void)state;
    assert_int_equal(o.run->counts.lines, 1);
    assert_int_equal(o.run->counts.notes[NOTE_OTHER_ENTRY], 1);
    free(o.run);
}

static void the_log_of_network_management_is_read(void **state)
{
    struct object_run o = entries("{\"logName\":\"projects/p/logs/networkmanagement.googleapis.com%2Fvpc_flows\",\"jsonPayload\":{" CONNECTION TIMES
                                  "\"reporter\":\"SRC\",\"bytes_sent\":\"3\"}}");
    (void)state;
    assert_int_equal(o.bytes, 3);
    free(o.run);
}

static void every_truncated_prefix_is_an_error(void **state)
{
    static const char text[] = ENTRY("SRC", "\"1\"");
    struct object_run o;
    struct decoder *d = object_decoder(&o);
    (void)state;
    for (size_t n = 1; n < sizeof text - 1; n++) {
        object_again(d, &o, (struct slice){text, n}, 0);
        assert_true(o.run->bad);
    }
    decoder_free(d);
    free(o.run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_source_reports_is_its_egress),
        cmocka_unit_test(what_the_destination_reports_is_its_ingress),
        cmocka_unit_test(gateways_report_what_others_sent),
        cmocka_unit_test(numbers_may_be_texts_and_texts_numbers),
        cmocka_unit_test(ports_and_metadata_may_be_absent),
        cmocka_unit_test(a_drop_record_is_no_egress),
        cmocka_unit_test(times_with_any_fraction_and_zone_are_read),
        cmocka_unit_test(a_bad_entry_is_rejected_with_its_reason),
        cmocka_unit_test(an_array_of_entries_is_read_too),
        cmocka_unit_test(entries_of_other_logs_are_noted),
        cmocka_unit_test(the_log_of_network_management_is_read),
        cmocka_unit_test(every_truncated_prefix_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
