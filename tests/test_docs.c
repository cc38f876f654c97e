/* The tables of the documentation as claims: each reason, note, constant, counter and failpoint of the program stands in
 * its page with the words of the program, and no page names one that is gone.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "app/pipeline.h"

#define PAGE_MAX (1u << 20)

/* Tests run from the top of the checkout. */
static char *page(const char *path)
{
    char *text = calloc(1, PAGE_MAX);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("cannot read %s", path);
    assert_non_null(text);
    assert_in_range(fread(text, 1, PAGE_MAX - 1, f), 1, PAGE_MAX - 2);
    fclose(f);
    return text;
}

/* The page from this heading to the next one. */
static char *section(const char *path, const char *heading)
{
    char *text = page(path), *from = strstr(text, heading);
    if (!from)
        fail_msg("%s: no '%s'", path, heading);
    char *to = strstr(from + strlen(heading), "\n## ");
    char *cut = strndup(from, to ? (size_t)(to - from) : strlen(from));
    free(text);
    assert_non_null(cut);
    return cut;
}

static void assert_row(const char *text, const char *word, const char *meaning)
{
    char row[512];
    snprintf(row, sizeof row, "\n| `%s` | %s", word, meaning);
    if (!strstr(text, row))
        fail_msg("the page lacks the row '%s'", row + 1);
}

static size_t rows(const char *text)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, "\n| `")); p++)
        n++;
    return n;
}

static void every_reason_to_reject_an_object_stands_in_the_formats(void **state)
{
    (void)state;
    char *text = section("docs/formats.md", "\n## Reasons to reject an object");
    size_t n = 0;
    for (unsigned i = 1; i < SOURCE_REJECT_COUNT; i++, n++)
        assert_row(text, source_reject_word((enum source_reject)i), source_reject_text((enum source_reject)i));
    for (unsigned i = 1; i < BAD_COUNT; i++, n++)
        assert_row(text, decode_bad_word((enum decode_bad)i), decode_bad_text((enum decode_bad)i));
    assert_int_equal(rows(text), n);
    free(text);
}

static void every_reason_to_reject_a_record_stands_in_the_formats(void **state)
{
    (void)state;
    char *text = section("docs/formats.md", "\n## Reasons to reject a record");
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        assert_row(text, decode_reject_word((enum decode_reject)i), decode_reject_text((enum decode_reject)i));
    assert_int_equal(rows(text), REJECT_COUNT);
    free(text);
}

static void every_note_stands_in_the_formats(void **state)
{
    (void)state;
    char *text = section("docs/formats.md", "\n## Notes");
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        assert_row(text, decode_note_word((enum decode_note)i), "");
    assert_int_equal(rows(text), NOTE_COUNT);
    free(text);
}

static void every_verdict_of_attribution_stands_in_the_formats(void **state)
{
    (void)state;
    char *text = section("docs/formats.md", "\n## Whose bytes: attribution");
    for (unsigned i = 0; i < FLOW_VERDICTS; i++)
        assert_row(text, flow_verdict_word((enum flow_verdict)i), "");
    assert_int_equal(rows(text), FLOW_VERDICTS);
    free(text);
}

static void every_constant_of_the_model_stands_in_the_detection(void **state)
{
    (void)state;
    static const struct { const char *word, *rest; } constants[] = {
#define MODEL(member, value, unit, origin) {#member, #value " | " unit " | " origin " |"},
#include "models/egress-3.def"
    };
    static const struct { enum score_test test; const char *rest; } priors[] = {
#define TEST(test, least, share, often, tail, young_often, young_tail, origin) \
    {SCORE_##test, #least " | " #share " | " #often " | " #tail " | " #young_often " | " #young_tail " | " origin " |"},
#include "models/egress-3.def"
    };
    char *text = section("docs/detection.md", "\n## Constants");
    for (size_t i = 0; i < WEIR_COUNT(constants); i++)
        assert_row(text, constants[i].word, constants[i].rest);
    for (size_t i = 0; i < WEIR_COUNT(priors); i++)
        assert_row(text, score_test_word(priors[i].test), priors[i].rest);
    assert_int_equal(rows(text), WEIR_COUNT(constants) + WEIR_COUNT(priors));
    free(text);
}

static void every_test_stands_in_the_detection(void **state)
{
    (void)state;
    char *text = section("docs/detection.md", "\n## The tests");
    for (unsigned i = 0; i < SCORE_TEST_COUNT; i++)
        assert_row(text, score_test_word((enum score_test)i), score_test_text((enum score_test)i));
    assert_int_equal(rows(text), SCORE_TEST_COUNT);
    free(text);
}

/* As `name`, wherever in the table: rows may name several. */
static void assert_named(const char *text, const char *name)
{
    char word[160];
    snprintf(word, sizeof word, "`%s`", name);
    if (!strstr(text, word))
        fail_msg("the page lacks %s", word);
}

static void every_counter_of_the_summary_stands_in_the_operations(void **state)
{
    (void)state;
    static const struct run_counts none;
    struct buffer json;
    buffer_init(&json, 1 << 20);
    run_summary_json(&none, &json);
    json_t *summary = json_loadb(json.p, json.n, 0, NULL);
    assert_non_null(summary);
    char *text = section("docs/operations.md", "\n## The summary");
    const char *key, *inner;
    json_t *value, *number;
    json_object_foreach(summary, key, value) {
        bool parts = strcmp(key, "objects") == 0 || strcmp(key, "records") == 0;
        if (!parts)
            assert_named(text, key);
        json_object_foreach(parts ? value : NULL, inner, number) {
            char name[128];
            snprintf(name, sizeof name, "%s.%s", key, inner);
            assert_named(text, name);
        }
    }
    free(text);
    json_decref(summary);
    buffer_fini(&json);
}

/* The next word in backticks behind *at. */
static bool next_quoted(const char **at, char *out, size_t cap)
{
    const char *from = strchr(*at, '`'), *to = from ? strchr(from + 1, '`') : NULL;
    if (!to || (size_t)(to - from) > cap)
        return false;
    snprintf(out, cap, "%.*s", (int)(to - from - 1), from + 1);
    *at = to + 1;
    return true;
}

static void every_test_that_shows_a_failure_exists(void **state)
{
    (void)state;
    char *text = section("docs/operations.md", "## Which failure is shown by which test"), word[256], path[300];
    const char *at = strstr(text, "\n|");
    size_t n = 0;
    assert_non_null(at);
    for (; next_quoted(&at, word, sizeof word); n++) {
        bool unit = strncmp(word, "test_", 5) == 0, fuzzer = strncmp(word, "fuzz_", 5) == 0;
        snprintf(path, sizeof path, "tests/%s%s%s", unit ? "" : fuzzer ? "fuzz/" : "scenario/", word, unit || fuzzer ? ".c" : "/cmd");
        if (access(path, R_OK) != 0)
            fail_msg("no %s", path);
    }
    assert_in_range(n, 20, 1000);
    free(text);
}

static void every_room_stands_in_the_architecture(void **state)
{
    (void)state;
    static const char *const rooms[] = {"base", "source", "decode", "flow", "window", "baseline", "score", "finding", "sink", "store", "app"};
    char *text = section("docs/architecture.md", "\n## The path of a byte");
    for (size_t i = 0; i < WEIR_COUNT(rooms); i++) {
        char row[64];
        snprintf(row, sizeof row, "\n| [`%s`](../include/weir/%s.h) |", rooms[i], rooms[i]);
        if (!strstr(text, row))
            fail_msg("the page lacks the row '%s'", row + 1);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_to_reject_an_object_stands_in_the_formats),
        cmocka_unit_test(every_reason_to_reject_a_record_stands_in_the_formats),
        cmocka_unit_test(every_note_stands_in_the_formats),
        cmocka_unit_test(every_verdict_of_attribution_stands_in_the_formats),
        cmocka_unit_test(every_constant_of_the_model_stands_in_the_detection),
        cmocka_unit_test(every_test_stands_in_the_detection),
        cmocka_unit_test(every_counter_of_the_summary_stands_in_the_operations),
        cmocka_unit_test(every_test_that_shows_a_failure_exists),
        cmocka_unit_test(every_room_stands_in_the_architecture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
