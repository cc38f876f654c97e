/* Claims about the JSON of a finding: OCSF Detection Finding 1.8.0 by structure, the same bytes for the same facts, and
 * nothing hostile gets through. jansson reads what our writer wrote.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>

#include "facts.h"
#include "weir/app.h"

static struct facts x;
static struct buffer text;

static int fresh(void **state)
{
    (void)state;
    facts_init(&x);
    buffer_init(&text, 16u << 20);
    return 0;
}
static int done(void **state)
{
    (void)state;
    buffer_fini(&text);
    return 0;
}

static json_t *encoded(unsigned activity)
{
    json_error_t error;
    buffer_clear(&text);
    assert_int_equal(finding_encode(&x.f, activity, &text), WEIR_OK);
    json_t *doc = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!doc) fail_msg("%s at byte %d", error.text, error.position);
    return doc;
}

/* path: keys and array places joined by dots, "evidences.0.data.bytes" */
static json_t *at(json_t *in, const char *path)
{
    char *all = strdup(path), *save = all;
    assert_non_null(all);
    for (char *key = strsep(&save, "."); key && in; key = strsep(&save, "."))
        in = json_is_array(in) ? json_array_get(in, (size_t)(key[0] - '0')) : json_object_get(in, key);
    free(all);
    return in;
}
static long long number(json_t *in, const char *path)
{
    json_t *v = at(in, path);
    if (!json_is_integer(v)) fail_msg("%s is no integer", path);
    return json_integer_value(v);
}
static const char *word(json_t *in, const char *path)
{
    json_t *v = at(in, path);
    if (!json_is_string(v)) fail_msg("%s is no text", path);
    return json_string_value(v);
}

static void has_every_attribute_that_the_class_requires(void **state)
{
    (void)state;
    static const char *const required[] = {"activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata.product.name",
        "metadata.product.vendor_name", "metadata.version", "metadata.profiles.0", "finding_info.uid", "finding_info.title",
        "finding_info.analytic.type_id", "cloud.provider"};
    json_t *doc = encoded(1);
    for (size_t i = 0; i < WEIR_COUNT(required); i++)
        if (!at(doc, required[i])) fail_msg("%s is missing", required[i]);
    json_decref(doc);
}

static void the_interface_tells_the_cloud_and_whether_it_estimates(void **state)
{
    (void)state;
    static const struct { const char *interface, *provider, *type; int account; bool estimated; } clouds[] = {
        {"eni-0a1b2c", "AWS", "AWS::EC2::NetworkInterface", 10, false}, {"nat-0a1b2c", "AWS", NULL, 10, false}, {"", "AWS", NULL, 10, false},
        {"azure:000D3AF87856", "Azure", "Microsoft.Network/networkInterfaces", 13, false},
        {"gcp:us-central1-a/web-1", "GCP", "compute.googleapis.com/Instance", 11, true}};
    for (size_t i = 0; i < WEIR_COUNT(clouds); i++) {
        x.f.interface = slice_of(clouds[i].interface);
        json_t *doc = encoded(1);
        assert_string_equal(word(doc, "cloud.provider"), clouds[i].provider);
        assert_int_equal(number(doc, "cloud.account.type_id"), clouds[i].account);
        assert_true(!clouds[i].type == !at(doc, "resources.0.type"));
        if (clouds[i].type) assert_string_equal(word(doc, "resources.0.type"), clouds[i].type);
        assert_true(json_is_true(at(doc, "unmapped.weir.estimated")) == clouds[i].estimated);
        json_decref(doc);
    }
}

static void type_uid_is_class_times_100_plus_activity(void **state)
{
    (void)state;
    for (unsigned activity = 1; activity <= 3; activity++) {
        json_t *doc = encoded(activity);
        assert_int_equal(number(doc, "class_uid"), 2004);
        assert_int_equal(number(doc, "category_uid"), 2);
        assert_int_equal(number(doc, "activity_id"), activity);
        assert_int_equal(number(doc, "type_uid"), 200400 + activity);
        json_decref(doc);
    }
}

static void times_are_those_of_the_records_in_milliseconds(void **state)
{
    (void)state;
    json_t *doc = encoded(1);
    assert_int_equal(number(doc, "start_time"), 1772442600000);                  /* 09:10, first start */
    assert_int_equal(number(doc, "end_time"), 1772448000000);                    /* 10:40, last end */
    assert_int_equal(number(doc, "time"), 1772448000000);
    assert_int_equal(number(doc, "finding_info.first_seen_time"), 1772442600000);
    assert_int_equal(number(doc, "finding_info.last_seen_time"), 1772448000000);
    assert_int_equal(number(doc, "finding_info.created_time"), 1772445600000);   /* 10:00, end of hour 09 */
    json_decref(doc);
}

static void peers_are_evidences_with_endpoints_and_amounts(void **state)
{
    (void)state;
    json_t *doc = encoded(1);
    assert_string_equal(word(doc, "evidences.0.src_endpoint.ip"), "10.0.1.10");
    assert_string_equal(word(doc, "evidences.0.src_endpoint.interface_uid"), "eni-0a1b2c");
    assert_string_equal(word(doc, "evidences.0.src_endpoint.vpc_uid"), "vpc-77");
    assert_string_equal(word(doc, "evidences.0.dst_endpoint.ip"), "200.160.0.8");
    assert_int_equal(number(doc, "evidences.0.dst_endpoint.port"), 443);
    assert_string_equal(word(doc, "evidences.0.dst_endpoint.location.country"), "BR");
    assert_int_equal(number(doc, "evidences.0.connection_info.direction_id"), 2);
    assert_int_equal(number(doc, "evidences.0.connection_info.protocol_num"), 6);
    assert_int_equal(number(doc, "evidences.0.connection_info.boundary_id"), 3);
    assert_int_equal(number(doc, "evidences.0.data.bytes"), FACTS_BYTES);
    assert_int_equal(number(doc, "evidences.0.data.records"), 7);
    assert_string_equal(word(doc, "evidences.0.data.first_seen"), "2026-03-02T09:10:00Z");
    assert_true(json_is_true(at(doc, "evidences.0.data.new")));
    assert_string_equal(word(doc, "evidences.0.data.test"), "new-destination");
    json_decref(doc);
}

static void an_unknown_country_or_system_is_left_out(void **state)
{
    (void)state;
    x.peer[0].country[0] = 0;
    json_t *doc = encoded(1);
    assert_null(at(doc, "evidences.0.dst_endpoint.location"));
    assert_null(at(doc, "evidences.0.dst_endpoint.autonomous_system"));
    json_decref(doc);
}

static void a_served_peer_has_the_port_at_the_host_and_came_in(void **state)
{
    (void)state;
    x.peer[0].initiated = false;
    json_t *doc = encoded(1);
    assert_int_equal(number(doc, "evidences.0.src_endpoint.port"), 443);
    assert_null(at(doc, "evidences.0.dst_endpoint.port"));
    assert_int_equal(number(doc, "evidences.0.connection_info.direction_id"), 1);
    json_decref(doc);
}

static void lines_are_told_as_ranges(void **state)
{
    (void)state;
    json_t *doc = encoded(1);
    assert_string_equal(word(doc, "evidences.0.data.objects.0.lines"), "812,815-820");
    json_decref(doc);
}

static void lines_that_are_not_listed_are_left_out(void **state)
{
    (void)state;
    x.place[0].lines = NULL;
    x.place[0].lines_n = 0;
    json_t *doc = encoded(1);
    assert_null(at(doc, "evidences.0.data.objects.0.lines"));
    assert_int_equal(number(doc, "evidences.0.data.objects.0.first_line"), 812);
    json_decref(doc);
}

static void an_object_without_a_key_is_told_by_its_hash_alone(void **state)
{
    (void)state;
    x.place[0].key = (struct slice){NULL, 0};
    json_t *doc = encoded(1);
    assert_null(at(doc, "evidences.0.data.objects.0.key"));
    assert_int_equal(strlen(word(doc, "evidences.0.data.objects.0.sha256")), 64);
    json_decref(doc);
}

static void each_raised_part_is_an_analysis_with_text_values(void **state)
{
    (void)state;
    x.score[0].part[1].raised = true;
    json_t *doc = encoded(1);
    assert_int_equal(json_array_size(at(doc, "anomaly_analyses")), 2);
    assert_string_equal(word(doc, "anomaly_analyses.0.analysis_targets.0.name"), "10.0.1.10");
    assert_string_equal(word(doc, "anomaly_analyses.0.baselines.0.observation_parameter"), "egress_bytes_per_day_to_new_destinations");
    assert_string_equal(word(doc, "anomaly_analyses.0.baselines.0.observations.0.value"), "3000000");
    assert_int_equal(number(doc, "anomaly_analyses.0.baselines.0.observations.0.timespan.duration_days"), 9);
    assert_string_equal(word(doc, "anomaly_analyses.0.baselines.1.observations.0.value"), "2950000");
    assert_string_equal(word(doc, "anomaly_analyses.0.anomalies.0.observation_parameter"), "egress_bytes_per_day_to_new_destinations");
    assert_string_equal(word(doc, "anomaly_analyses.0.anomalies.0.observations.0.value"), "41095890520");
    assert_int_equal(number(doc, "anomaly_analyses.1.anomalies.0.observations.0.timespan.duration_hours"), 1);
    json_decref(doc);
}

static void labelled(enum score_test test, const char *desc)
{
    x.score[0].part[0].test = test;
    json_t *doc = encoded(1);
    if (desc)
        assert_string_equal(word(doc, "finding_info.desc"), desc);
    else
        assert_null(at(doc, "finding_info.desc"));
    assert_int_equal(json_array_size(at(doc, "finding_info.attacks")), desc != NULL);
    json_decref(doc);
}

static void a_label_says_no_more_than_the_numbers_show(void **state)
{
    (void)state;
    labelled(SCORE_NEW_DESTINATION, "Consistent with tactic TA0010 (Exfiltration)");
    labelled(SCORE_NEW_FAR, "Consistent with tactic TA0010 (Exfiltration)");
    labelled(SCORE_ODD_PROTOCOL, "Consistent with T1048 (Exfiltration Over Alternative Protocol), tactic TA0010 (Exfiltration)");
    labelled(SCORE_SLOW, "Consistent with T1030 (Data Transfer Size Limits), tactic TA0010 (Exfiltration)");
    labelled(SCORE_SPLIT, "Consistent with T1030 (Data Transfer Size Limits), tactic TA0010 (Exfiltration)");
    labelled(SCORE_INTERNAL_SUBNET, "Consistent with T1074 (Data Staged), tactic TA0009 (Collection)");
    labelled(SCORE_BEACON, "Consistent with tactic TA0011 (Command and Control)");
    labelled(SCORE_HOUR_VOLUME, NULL);
    labelled(SCORE_GROUP_VOLUME, NULL);
    labelled(SCORE_SERVED_NEW, NULL);
}

static void each_label_is_told_once_and_a_bare_tactic_not_beside_its_technique(void **state)
{
    (void)state;
    x.score[0].part[0].test = SCORE_ODD_PROTOCOL;
    x.score[0].part[1].raised = true;
    x.score[0].part[1].test = SCORE_NEW_DESTINATION;
    json_t *doc = encoded(1);
    assert_int_equal(json_array_size(at(doc, "finding_info.attacks")), 1);
    assert_string_equal(word(doc, "finding_info.attacks.0.technique.uid"), "T1048");
    assert_string_equal(word(doc, "finding_info.attacks.0.tactic.uid"), "TA0010");
    json_decref(doc);
    x.score[0].part[1].test = SCORE_BEACON;
    doc = encoded(1);
    assert_string_equal(word(doc, "finding_info.desc"), "Consistent with T1048 (Exfiltration Over Alternative Protocol), tactic TA0010 (Exfiltration); "
                                                        "tactic TA0011 (Command and Control)");
    json_decref(doc);
}

static void bytes_that_stay_inside_are_lateral(void **state)
{
    (void)state;
    x.score[0].part[0].test = x.peer[0].test = SCORE_INTERNAL_PAIR;
    json_t *doc = encoded(1);
    assert_int_equal(number(doc, "evidences.0.connection_info.direction_id"), 3);
    assert_int_equal(number(doc, "evidences.0.connection_info.boundary_id"), 2);
    assert_string_equal(word(doc, "finding_info.types.0"), "Data Staging");
    json_decref(doc);
}

static void what_is_counted_is_told_in_its_own_unit(void **state)
{
    (void)state;
    struct score_part *p = &x.score[0].part[0];
    p->test = SCORE_BEACON;
    p->observed_count = 47;
    p->reference = 4.525;
    p->floor_bytes = 18;
    json_t *doc = encoded(1);
    json_t *part = at(doc, "unmapped.weir.days.0.parts.0");
    assert_int_equal(number(part, "observed_count"), 47);
    assert_int_equal(number(part, "floor_count"), 18);
    assert_float_equal(json_real_value(at(part, "reference_count")), 18.1, 1e-9);
    assert_null(at(part, "reference_bytes"));
    assert_string_equal(word(doc, "anomaly_analyses.0.anomalies.0.observations.0.value"), "47");
    assert_string_equal(word(doc, "anomaly_analyses.0.baselines.0.observations.0.value"), "18");
    assert_int_equal(json_array_size(at(doc, "anomaly_analyses.0.baselines")), 1);
    json_decref(doc);
}

static void every_peer_is_an_observable_address(void **state)
{
    (void)state;
    x.f.peers = 3;
    json_t *doc = encoded(1);
    assert_int_equal(json_array_size(at(doc, "observables")), 3);
    assert_string_equal(word(doc, "observables.2.name"), "evidences[2].dst_endpoint.ip");
    assert_string_equal(word(doc, "observables.2.value"), "2001:db8::7");
    assert_int_equal(number(doc, "observables.2.type_id"), 2);
    json_decref(doc);
}

static void unmapped_holds_every_part_with_all_its_numbers(void **state)
{
    (void)state;
    static const char *const members[] = {"test", "raised", "group", "observed_bytes", "reference_bytes", "floor_bytes", "largest_bytes",
        "history_days", "observed", "reference", "spread", "excess", "rate", "share", "threshold", "since_hour", "from_hour", "to_hour"};
    json_t *doc = encoded(1);
    assert_int_equal(json_array_size(at(doc, "unmapped.weir.days.0.parts")), 2);
    for (size_t i = 0; i < WEIR_COUNT(members); i++)
        if (!json_object_get(at(doc, "unmapped.weir.days.0.parts.1"), members[i])) fail_msg("%s is missing", members[i]);
    assert_int_equal(json_array_size(at(doc, "unmapped.weir.days.0.hours")), 24);
    assert_int_equal(json_array_size(at(doc, "unmapped.weir.history")), 9);
    json_decref(doc);
}

static void a_small_rate_keeps_its_digits(void **state)
{
    (void)state;
    json_decref(encoded(1));
    assert_non_null(strstr(buffer_cstr(&text), "\"rate\":0.000000500000,"));
}

static void odd_reals_stay_json(void **state)
{
    (void)state;
    x.score[0].part[0].excess = INFINITY;
    x.score[0].part[0].spread = NAN;
    x.score[0].part[0].reference = -0.0001;
    json_decref(encoded(1));
    assert_non_null(strstr(buffer_cstr(&text), "\"reference\":0.000,\"spread\":0.000,\"common\":0.000,\"excess\":1000000.000,"));
}

static void the_largest_counters_stay_in_the_range_of_a_long(void **state)
{
    (void)state;
    x.peer[0].bytes = UINT64_MAX;
    json_t *doc = encoded(1);
    assert_true(number(doc, "evidences.0.data.bytes") == INT64_MAX);
    json_decref(doc);
}

static void the_same_facts_give_the_same_bytes_in_any_locale(void **state)
{
    (void)state;
    json_decref(encoded(1));
    char *first = strdup(buffer_cstr(&text));
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) setlocale(LC_ALL, "C.UTF-8");
    json_decref(encoded(1));
    setlocale(LC_ALL, "C");
    assert_string_equal(first, buffer_cstr(&text));
    free(first);
}

static void metadata_uid_changes_with_the_content(void **state)
{
    (void)state;
    json_t *one = encoded(1);
    x.peer[0].bytes++;
    json_t *other = encoded(1);
    assert_string_equal(word(one, "finding_info.uid"), word(other, "finding_info.uid"));
    assert_string_not_equal(word(one, "metadata.uid"), word(other, "metadata.uid"));
    json_decref(one);
    json_decref(other);
}

static void is_one_line(void **state)
{
    (void)state;
    json_decref(encoded(1));
    assert_null(memchr(text.p, '\n', text.n));
}

static void appends_behind_what_the_buffer_held(void **state)
{
    (void)state;
    buffer_puts(&text, "before ");
    assert_int_equal(finding_encode(&x.f, 1, &text), WEIR_OK);
    assert_memory_equal(text.p, "before {\"class_uid\":2004,", 25);
}

static void tells_when_the_buffer_is_full_and_leaves_it_as_it_was(void **state)
{
    (void)state;
    struct buffer small;
    for (size_t max = 0; max < 4000; max += 97) {
        buffer_init(&small, max);
        assert_int_equal(finding_encode(&x.f, 1, &small), WEIR_LIMIT);
        assert_int_equal(small.n, 0);
        buffer_fini(&small);
    }
}

static void hostile_text_becomes_inert_json(void **state)
{
    (void)state;
    static const char *const hostile[] = {"\033[2J\033]0;own\a", "\"},{\"class_uid\":1", "</script><b>", "\xc2\x9b" "31m", "\xe2\x80\xae" "gpj.exe",
        "\xff\xfe", "\\u0000\\", "a\nb\r\tc", "\xe2\x80\xa8"};
    for (size_t i = 0; i < WEIR_COUNT(hostile); i++) {
        facts_init(&x);
        struct slice s = slice_of(hostile[i]);
        x.f.account = x.f.region = x.f.interface = x.f.vpc = x.f.instance = x.place[0].key = s;
        x.peer[0].asn = 1;
        memcpy(x.peer[0].as_name, s.p, s.n);
        json_t *doc = encoded(1);
        assert_int_equal(number(doc, "class_uid"), 2004);
        for (size_t k = 0; k < text.n; k++) assert_true((unsigned char)text.p[k] >= 0x20 && text.p[k] != 0x7f);
        json_decref(doc);
    }
}

static void a_finding_without_peers_still_has_times_from_its_hours(void **state)
{
    (void)state;
    x.f.peers = 0;
    json_t *doc = encoded(1);
    assert_int_equal(number(doc, "start_time"), 1772442000000); /* 09:00 */
    assert_int_equal(number(doc, "end_time"), 1772449200000);   /* 11:00 */
    assert_int_equal(json_array_size(at(doc, "evidences")), 0);
    json_decref(doc);
}

static void the_product_version_is_that_of_the_program(void **state)
{
    (void)state;
    assert_string_equal(FINDING_PRODUCT_VERSION, WEIR_PROGRAM_VERSION);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, fresh, done)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(has_every_attribute_that_the_class_requires),
        CLAIM(the_interface_tells_the_cloud_and_whether_it_estimates),
        CLAIM(type_uid_is_class_times_100_plus_activity),
        CLAIM(times_are_those_of_the_records_in_milliseconds),
        CLAIM(peers_are_evidences_with_endpoints_and_amounts),
        CLAIM(an_unknown_country_or_system_is_left_out),
        CLAIM(a_served_peer_has_the_port_at_the_host_and_came_in),
        CLAIM(lines_are_told_as_ranges),
        CLAIM(lines_that_are_not_listed_are_left_out),
        CLAIM(an_object_without_a_key_is_told_by_its_hash_alone),
        CLAIM(each_raised_part_is_an_analysis_with_text_values),
        CLAIM(a_label_says_no_more_than_the_numbers_show),
        CLAIM(each_label_is_told_once_and_a_bare_tactic_not_beside_its_technique),
        CLAIM(bytes_that_stay_inside_are_lateral),
        CLAIM(what_is_counted_is_told_in_its_own_unit),
        CLAIM(every_peer_is_an_observable_address),
        CLAIM(unmapped_holds_every_part_with_all_its_numbers),
        CLAIM(a_small_rate_keeps_its_digits),
        CLAIM(odd_reals_stay_json),
        CLAIM(the_largest_counters_stay_in_the_range_of_a_long),
        CLAIM(the_same_facts_give_the_same_bytes_in_any_locale),
        CLAIM(metadata_uid_changes_with_the_content),
        CLAIM(is_one_line),
        CLAIM(appends_behind_what_the_buffer_held),
        CLAIM(tells_when_the_buffer_is_full_and_leaves_it_as_it_was),
        CLAIM(hostile_text_becomes_inert_json),
        CLAIM(a_finding_without_peers_still_has_times_from_its_hours),
        CLAIM(the_product_version_is_that_of_the_program),
    };
    return cmocka_run_group_tests_name("finding_encode", tests, NULL, NULL);
}
