/* Claims about operational findings: a text that every reader of findings can read, the same id for the same loss.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "weir/finding.h"

static const struct finding_fact facts[] = {{"commits_before", 7}, {"commits_found", UINT64_MAX}};

static json_t *encoded(const char *sentence)
{
    const struct finding_notice n = {.uid = "wf1-00", .kind = "store-rollback", .title = "T", .advice = "A", .about = "store",
                                     .sentence = {sentence, strlen(sentence)}, .severity = 4, .time_s = 1772442600, .fact = facts, .facts = 2};
    struct buffer text;
    buffer_init(&text, 1 << 16);
    assert_int_equal(finding_notice_encode(&n, &text), WEIR_OK);
    json_t *doc = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    buffer_fini(&text);
    assert_non_null(doc);
    return doc;
}

static long long number(json_t *doc, const char *key)
{
    assert_true(json_is_integer(json_object_get(doc, key)));
    return json_integer_value(json_object_get(doc, key));
}

static void has_what_a_detection_finding_must_have(void **state)
{
    (void)state;
    json_t *doc = encoded("it went back");
    static const char *const numbers[] = {"activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) number(doc, numbers[i]);
    assert_int_equal(number(doc, "type_uid"), 200401);
    assert_int_equal(number(doc, "time"), 1772442600000);
    assert_string_equal(json_string_value(json_object_get(json_object_get(doc, "metadata"), "version")), "1.8.0");
    assert_string_equal(json_string_value(json_object_get(json_object_get(doc, "finding_info"), "uid")), "wf1-00");
    json_decref(doc);
}

static void keeps_its_facts_within_the_range_of_the_schema(void **state)
{
    (void)state;
    json_t *doc = encoded("a \"quoted\"\nline");
    json_t *weir = json_object_get(json_object_get(doc, "unmapped"), "weir"), *kept = json_object_get(weir, "facts");
    assert_int_equal(number(kept, "commits_before"), 7);
    assert_int_equal(number(kept, "commits_found"), INT64_MAX);
    assert_string_equal(json_string_value(json_object_get(weir, "sentence")), "a \"quoted\"\nline");
    json_decref(doc);
}

static void the_same_key_has_the_same_id_and_another_one_another(void **state)
{
    char a[FINDING_UID_MAX], b[FINDING_UID_MAX], c[FINDING_UID_MAX], d[FINDING_UID_MAX];
    (void)state;
    finding_notice_uid("store-rollback", SLICE_LIT("1 2 3"), a);
    finding_notice_uid("store-rollback", SLICE_LIT("1 2 3"), b);
    finding_notice_uid("store-rollback", SLICE_LIT("1 2 4"), c);
    finding_notice_uid("store-other", SLICE_LIT("1 2 3"), d);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_not_equal(a, d);
    assert_int_equal(strlen(a), strlen("wf1-") + 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_what_a_detection_finding_must_have),
        cmocka_unit_test(keeps_its_facts_within_the_range_of_the_schema),
        cmocka_unit_test(the_same_key_has_the_same_id_and_another_one_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
