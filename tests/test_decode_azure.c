/* Flow logs of Azure: tuples of three kinds as records of both directions, from the documentation's samples and from what goes wrong. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "object_run.h"

#define ID "/SUBSCRIPTIONS/AAAA0A0A-BB1B-CC2C-DD3D-EEEEEE4E4E4E/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.NETWORK/X/Y"
#define VNET_HEAD "{\"time\":\"2022-09-14T09:00:52Z\",\"flowLogVersion\":4,\"macAddress\":\"00224871C205\",\"category\":\"FlowLogFlowEvent\"," \
                  "\"flowLogResourceID\":\"" ID "\",\"targetResourceID\":\"/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/virtualNetworks/myVNet\"," \
                  "\"flowRecords\":{\"flows\":[{\"aclID\":\"x\",\"flowGroups\":[{\"rule\":\"r\",\"flowTuples\":["
#define VNET_TAIL "]}]}]}}"
#define VNET(tuples) VNET_HEAD tuples VNET_TAIL
#define NSG(tuples) "{\"time\":\"2018\",\"category\":\"NetworkSecurityGroupFlowEvent\",\"resourceId\":\"" ID "\",\"properties\":{\"Version\":2,\"flows\":[" \
                    "{\"rule\":\"r\",\"flows\":[{\"mac\":\"00-0d-3a-f8-78-56\",\"flowTuples\":[" tuples "]}]}]}}"
#define BLOB(records) "{\"records\":[" records "]}"
#define OUT_E "\"1663146003606,10.0.0.6,52.239.184.180,23956,443,6,O,E,NX,3,767,2,1580\""
#define IN_E "\"1663146003,203.0.113.9,10.0.0.6,51000,8443,6,I,E,X,30,4000,900,1200000\""

static struct object_run blob(const char *text)
{
    return run_object(slice_of(text), 0);
}

static void assert_ip(struct ip a, const char *text)
{
    char found[IP_TEXT_MAX];
    ip_format(a, found);
    assert_string_equal(found, text);
}

static void a_tuple_becomes_a_record_each_way(void **state)
{
    struct object_run o = blob(BLOB(VNET(OUT_E)));
    const struct record *a = &o.run->record[0].r, *b = &o.run->record[1].r;
    (void)state;
    assert_int_equal(o.run->records, 2);
    assert_ip(a->src, "10.0.0.6");
    assert_ip(a->dst, "52.239.184.180");
    assert_int_equal(a->src_port, 23956);
    assert_int_equal(a->dst_port, 443);
    assert_int_equal(a->protocol, 6);
    assert_int_equal(a->packets, 3);
    assert_int_equal(a->bytes, 767);
    assert_int_equal(a->start_s, 1663146003);
    assert_int_equal(a->end_s, 1663146003);
    assert_int_equal(a->direction, DIRECTION_EGRESS);
    assert_int_equal(a->action, ACTION_ACCEPT);
    assert_slice(a->interface, "azure:00224871C205");
    assert_slice(a->account, "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e");
    assert_slice(a->vpc, "myvnet");
    assert_ip(b->src, "52.239.184.180");
    assert_ip(b->dst, "10.0.0.6");
    assert_int_equal(b->src_port, 443);
    assert_int_equal(b->bytes, 1580);
    assert_int_equal(b->packets, 2);
    assert_int_equal(b->direction, DIRECTION_INGRESS);
    assert_int_equal(a->line, 1);
    assert_int_equal(b->line, 1);
    free(o.run);
}

static void what_is_sent_over_an_inbound_connection_is_egress(void **state)
{
    struct object_run o = blob(BLOB(VNET(IN_E)));
    const struct record *a = &o.run->record[0].r, *b = &o.run->record[1].r;
    (void)state;
    assert_int_equal(a->direction, DIRECTION_INGRESS);
    assert_int_equal(a->bytes, 4000);
    assert_int_equal(b->direction, DIRECTION_EGRESS);
    assert_ip(b->src, "10.0.0.6");
    assert_int_equal(b->bytes, 1200000);
    assert_int_equal(a->tcp_flags, 2);
    assert_int_equal(b->tcp_flags, 18);
    free(o.run);
}

/* The example of the documentation: a flow that begins, goes on twice and ends with 1021+52, 8005+47 packets, 5,256,000 bytes. */
static void continued_and_ended_tuples_are_deltas_that_add_up(void **state)
{
    struct object_run o = blob(BLOB(NSG(
        "\"1493763938,185.170.185.105,10.2.0.4,35370,23,T,I,A,B,,,,\",\"1493695838,185.170.185.105,10.2.0.4,35370,23,T,I,A,C,1021,588096,8005,4610880\","
        "\"1493696138,185.170.185.105,10.2.0.4,35370,23,T,I,A,E,52,29952,47,27072\"")));
    (void)state;
    assert_int_equal(o.bytes, 5256000);
    assert_int_equal(o.run->records, 5);
    assert_false(RECORD_HAS(&o.run->record[0].r, BYTES));
    assert_slice(o.run->record[0].r.interface, "azure:000D3AF87856");
    free(o.run);
}

static void a_flow_that_begins_has_no_volume_either_way_it_is_written(void **state)
{
    struct object_run o = blob(BLOB(VNET("\"1663146003599,10.0.0.6,1.2.3.4,1,443,6,O,B,NX,0,0,0,0\",\"1663146003599,10.0.0.6,1.2.3.4,1,443,6,O,B,NX,,,,\"")));
    (void)state;
    assert_int_equal(o.run->records, 2);
    assert_false(RECORD_HAS(&o.run->record[0].r, BYTES));
    assert_false(RECORD_HAS(&o.run->record[1].r, BYTES));
    free(o.run);
}

static void denied_flows_are_rejects_in_both_kinds(void **state)
{
    struct object_run o = blob(BLOB(VNET("\"1663146003599,10.0.0.6,1.2.3.4,1,443,6,O,D,NX,0,0,0,0\"") "," NSG("\"1542110402,192.0.2.190,10.5.16.4,28746,443,U,I,D,B,,,,\"")));
    (void)state;
    assert_int_equal(o.run->counts.by_action[ACTION_REJECT], 2);
    assert_int_equal(o.run->record[1].r.protocol, 17);
    free(o.run);
}

static void version_1_has_no_volume_and_says_so(void **state)
{
    struct object_run o = blob(BLOB(NSG("\"1487282421,42.119.146.95,10.1.0.4,51529,5358,T,I,D\",\"1487282421,10.1.0.4,42.119.146.95,51529,5358,T,O,A\"")));
    (void)state;
    assert_int_equal(o.run->records, 2);
    assert_int_equal(o.run->counts.notes[NOTE_NO_VOLUME], 2);
    assert_int_equal(o.bytes, 0);
    free(o.run);
}

static void a_bad_tuple_is_rejected_with_its_reason_and_the_rest_is_read(void **state)
{
    static const struct { const char *tuple; enum decode_reject why; } cases[] = {
        {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,2,3", REJECT_FIELD_COUNT}, {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,2,3,4,5", REJECT_FIELD_COUNT},
        {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E", REJECT_FIELD_COUNT}, {"", REJECT_FIELD_COUNT},
        {"1,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,2,3,4", REJECT_TIME_RANGE}, {"x,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,2,3,4", REJECT_NUMBER},
        {",10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,2,3,4", REJECT_MISSING_VALUE}, {"1663146003,10.0.0,1.2.3.4,1,443,6,O,E,NX,1,2,3,4", REJECT_ADDRESS},
        {"1663146003,10.0.0.6,::1,1,443,6,O,E,NX,1,2,3,4", REJECT_FAMILY}, {"1663146003,10.0.0.6,1.2.3.4,70000,443,6,O,E,NX,1,2,3,4", REJECT_NUMBER_RANGE},
        {"1663146003,10.0.0.6,1.2.3.4,1,443,300,O,E,NX,1,2,3,4", REJECT_NUMBER_RANGE}, {"1663146003,10.0.0.6,1.2.3.4,1,443,6,X,E,NX,1,2,3,4", REJECT_ACTION},
        {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,Z,NX,1,2,3,4", REJECT_ACTION}, {"1663146003,10.0.0.6,1.2.3.4,1,443,T,O,Q,E,1,2,3,4", REJECT_ACTION},
        {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,-1,2,3,4", REJECT_NUMBER}, {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,1e21,3,4", REJECT_NUMBER},
        {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,18446744073709551616,3,4", REJECT_NUMBER_RANGE}, {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,,3,4", REJECT_MISSING_VALUE},
        {"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E,NX,1,\\u00002,3,4", REJECT_CONTROL_BYTE}};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(cases); i++) {
        char text[4096];
        snprintf(text, sizeof text, "{\"records\":[" VNET_HEAD "\"%s\"," OUT_E VNET_TAIL "]}", cases[i].tuple);
        struct object_run o = blob(text);
        assert_string_equal(decode_reject_word(o.run->reject[0].why), decode_reject_word(cases[i].why));
        assert_int_equal(o.run->counts.rejected[cases[i].why], 1);
        assert_int_equal(o.run->reject[0].line, 1);
        assert_int_equal(o.run->records, 2);
        free(o.run);
    }
}

static void seconds_and_milliseconds_may_stand_side_by_side(void **state)
{
    struct object_run o = blob(BLOB(VNET(OUT_E "," IN_E)));
    (void)state;
    assert_int_equal(o.run->record[0].r.start_s, 1663146003);
    assert_int_equal(o.run->record[2].r.start_s, 1663146003);
    free(o.run);
}

static void an_unknown_encryption_word_is_no_fault(void **state)
{
    struct object_run o = blob(BLOB(VNET("\"1663146003,10.0.0.6,1.2.3.4,1,443,6,O,E,NX_SOMETHING_NEW,1,60,1,60\"")));
    (void)state;
    assert_int_equal(o.run->records, 2);
    free(o.run);
}

static void a_blob_that_is_still_being_written_is_read_to_its_last_record(void **state)
{
    static const char text[] = "{\"records\":[" VNET(OUT_E) "," VNET(IN_E) "]}";
    struct object_run o;
    struct decoder *d = object_decoder(&o);
    size_t first = strlen("{\"records\":[" VNET(OUT_E)), second = sizeof text - 1 - 2;
    (void)state;
    for (size_t n = 1; n < sizeof text - 1; n++) {
        bool whole = n == first || n == first + 1 || n >= second;
        object_again(d, &o, (struct slice){text, n}, 0);
        if ((o.run->bad == BAD_NONE) != whole)
            fail_msg("cut after %zu bytes: %s", n, decode_bad_word(o.run->bad));
        assert_int_equal(o.run->counts.notes[NOTE_OPEN_BLOB], whole);
    }
    decoder_free(d);
    free(o.run);
}

static void the_name_of_the_interface_may_stand_behind_the_tuples(void **state)
{
    struct object_run o = blob(BLOB("{\"flowRecords\":{\"flows\":[{\"flowGroups\":[{\"flowTuples\":[" OUT_E "," IN_E "]}]}]},\"macAddress\":\"00224871C205\"}"));
    (void)state;
    assert_int_equal(o.run->records, 4);
    assert_slice(o.run->record[0].r.interface, "azure:00224871C205");
    free(o.run);
}

static void tuples_without_an_interface_are_rejected(void **state)
{
    struct object_run o = blob(BLOB("{\"flowRecords\":{\"flows\":[{\"flowGroups\":[{\"flowTuples\":[" OUT_E "]}]}]}}"));
    (void)state;
    assert_int_equal(o.run->counts.rejected[REJECT_MISSING_VALUE], 1);
    assert_string_equal(o.run->reject[0].field, "interface-id");
    free(o.run);
}

static void records_within_records_are_read_and_noted(void **state)
{
    struct object_run o = blob(BLOB("{\"records\":[" VNET(OUT_E) "]}"));
    (void)state;
    assert_int_equal(o.run->records, 2);
    assert_int_equal(o.run->counts.notes[NOTE_NESTED_RECORDS], 1);
    free(o.run);
}

static void other_logs_between_flow_logs_are_noted(void **state)
{
    struct object_run o = blob(BLOB("{\"category\":\"NetworkSecurityGroupRuleCounter\",\"properties\":{\"flows\":[{\"flowTuples\":[\"x\"]}]}}," VNET(OUT_E)));
    (void)state;
    assert_int_equal(o.run->records, 2);
    assert_int_equal(o.run->rejects, 0);
    assert_int_equal(o.run->counts.notes[NOTE_OTHER_ENTRY], 1);
    free(o.run);
}

static void pieces_of_any_size_give_the_same_records(void **state)
{
    static const char text[] = BLOB(VNET(OUT_E "," IN_E) "," NSG("\"1542110379,10.5.16.4,203.0.113.117,59932,443,T,O,A,E,1,66,1,66\""));
    struct object_run whole = blob(text);
    (void)state;
    for (size_t piece = 1; piece < 100; piece++) {
        struct object_run o = run_object(slice_of(text), piece);
        assert_true(o.print == whole.print && o.run->records == 6);
        free(o.run);
    }
    free(whole.run);
}

static void the_prints_of_a_shorter_stage_are_those_of_the_longer_one(void **state)
{
    static const char one[] = "{\"records\":[" VNET(OUT_E), two[] = BLOB(VNET(OUT_E) "," VNET(IN_E)), other[] = BLOB(VNET(IN_E) "," VNET(IN_E));
    struct object_run o;
    struct decoder *d = object_decoder(&o);
    struct sha256 first;
    (void)state;
    object_again(d, &o, slice_of(one), 0);
    assert_int_equal(decoder_growth(d).n, 1);
    first = decoder_growth(d).print[0];
    object_again(d, &o, slice_of(two), 7);
    assert_int_equal(decoder_growth(d).n, 2);
    assert_memory_equal(&first, &decoder_growth(d).print[0], sizeof first);
    assert_memory_not_equal(&first, &decoder_growth(d).print[1], sizeof first);
    object_again(d, &o, slice_of(other), 0);
    assert_memory_not_equal(&first, &decoder_growth(d).print[0], sizeof first);
    object_again(d, &o, slice_of(V2_HEADER V2_LINE "\n"), 0);
    assert_int_equal(decoder_growth(d).n, 0);
    decoder_free(d);
    free(o.run);
}

static void records_that_were_counted_before_are_passed_over(void **state)
{
    static const char text[] = BLOB(VNET(OUT_E) "," VNET("\"x\"," IN_E) "," VNET(OUT_E));
    struct object_run o;
    struct decoder *d = object_decoder(&o);
    (void)state;
    decoder_pass_over(d, 1);
    object_again(d, &o, slice_of(text), 0);
    assert_int_equal(o.run->records, 4);
    assert_int_equal(o.run->rejects, 1);
    assert_int_equal(o.run->reject[0].line, 2);
    assert_int_equal(o.run->counts.notes[NOTE_COUNTED_BEFORE], 1);
    assert_int_equal(decoder_growth(d).n, 3);
    decoder_pass_over(d, 3);
    object_again(d, &o, slice_of(text), 0);
    assert_int_equal(o.run->counts.lines, 0);
    decoder_free(d);
    free(o.run);
}

static void assert_sample(const char *path, uint64_t records, uint64_t rejects, uint64_t bytes)
{
    struct slice file = file_read(path);
    if (!file.p)
        skip();
    struct object_run o = run_object(file, 0);
    assert_int_equal(o.run->bad, BAD_NONE);
    assert_int_equal(o.run->counts.emitted, records);
    assert_int_equal(o.run->rejects, 0);
    assert_int_equal(o.run->counts.by_action[ACTION_REJECT], rejects);
    assert_int_equal(o.bytes, bytes);
    free(o.run);
    free((char *)(uintptr_t)file.p);
}

static void the_sample_of_nsg_version_1_is_read(void **state) { (void)state; assert_sample("../shared/data/azure/azure-nsg-v1.json", 12, 4, 0); }
static void the_sample_of_nsg_version_2_is_read(void **state) { (void)state; assert_sample("../shared/data/azure/azure-nsg-v2.json", 14, 7, 46661); }
static void the_sample_of_vnet_version_4_is_read(void **state) { (void)state; assert_sample("../shared/data/azure/azure-vnet-v4.json", 24, 9, 47820); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tuple_becomes_a_record_each_way),
        cmocka_unit_test(what_is_sent_over_an_inbound_connection_is_egress),
        cmocka_unit_test(continued_and_ended_tuples_are_deltas_that_add_up),
        cmocka_unit_test(a_flow_that_begins_has_no_volume_either_way_it_is_written),
        cmocka_unit_test(denied_flows_are_rejects_in_both_kinds),
        cmocka_unit_test(version_1_has_no_volume_and_says_so),
        cmocka_unit_test(a_bad_tuple_is_rejected_with_its_reason_and_the_rest_is_read),
        cmocka_unit_test(seconds_and_milliseconds_may_stand_side_by_side),
        cmocka_unit_test(an_unknown_encryption_word_is_no_fault),
        cmocka_unit_test(a_blob_that_is_still_being_written_is_read_to_its_last_record),
        cmocka_unit_test(the_name_of_the_interface_may_stand_behind_the_tuples),
        cmocka_unit_test(tuples_without_an_interface_are_rejected),
        cmocka_unit_test(records_within_records_are_read_and_noted),
        cmocka_unit_test(other_logs_between_flow_logs_are_noted),
        cmocka_unit_test(pieces_of_any_size_give_the_same_records),
        cmocka_unit_test(the_prints_of_a_shorter_stage_are_those_of_the_longer_one),
        cmocka_unit_test(records_that_were_counted_before_are_passed_over),
        cmocka_unit_test(the_sample_of_nsg_version_1_is_read),
        cmocka_unit_test(the_sample_of_nsg_version_2_is_read),
        cmocka_unit_test(the_sample_of_vnet_version_4_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
