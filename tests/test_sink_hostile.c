/* Claims about hostile text: two hundred strings in every text of a finding change nothing but the text, in every output.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "facts.h"
#include "hostile.h"
#include "weir/sink.h"

static struct facts x;
static char *shown;
static size_t shown_n;

static int fresh(void **state)
{
    (void)state;
    shown = NULL;
    return 0;
}

static int done(void **state)
{
    (void)state;
    free(shown);
    return 0;
}

/* The same text everywhere a log, a tag or a file can put one. */
static void fill(struct slice text)
{
    facts_init(&x);
    x.f.account = x.f.region = x.f.interface = x.f.vpc = x.f.instance = x.f.name = x.f.role = x.f.subnet = text;
    x.place[0].key = text;
    size_t n = text.n < sizeof x.peer[0].as_name - 1 ? text.n : sizeof x.peer[0].as_name - 1;
    memcpy(x.peer[0].as_name, text.p, n);
    x.peer[0].as_name[strnlen(x.peer[0].as_name, n)] = 0;
    x.peer[0].asn = 64500;
    x.score[0].part[1].test = SCORE_POLICY;
    x.score[0].part[1].raised = true;
    x.score[0].part[1].rule = text;
}

static void encode(struct buffer *json)
{
    buffer_init(json, 16u << 20);
    assert_int_equal(finding_encode(&x.f, 1, json), WEIR_OK);
}

static void show(enum sink_format format, struct slice text)
{
    struct fault fault;
    struct buffer json;
    fill(text);
    encode(&json);
    free(shown);
    FILE *f = open_memstream(&shown, &shown_n);
    struct sink *s = sink_new(f, format, (struct sink_style){.width = 0});
    assert_int_equal(sink_add(s, (struct slice){json.p, json.n}, &fault), WEIR_OK);
    assert_int_equal(sink_close(s, &fault), WEIR_OK);
    fclose(f);
    buffer_fini(&json);
}

static void name_it(void *ctx, const struct sha256 *object, struct buffer *out)
{
    (void)object;
    buffer_slice(out, *(struct slice *)ctx);
}

static void explain(struct slice text)
{
    struct fault fault;
    struct buffer json;
    fill(text);
    encode(&json);
    free(shown);
    FILE *f = open_memstream(&shown, &shown_n);
    assert_int_equal(sink_explain(f, (struct slice){json.p, json.n}, (struct sink_style){.width = 0}, true, name_it, &text, &fault), WEIR_OK);
    fclose(f);
    buffer_fini(&json);
}

static void report(struct slice text)
{
    struct fault fault;
    struct buffer json, page;
    fill(text);
    encode(&json);
    buffer_init(&page, 16u << 20);
    struct report *r = report_new();
    for (int i = 0; i < 2; i++) assert_int_equal(report_add(r, (struct slice){json.p, json.n}, name_it, &text, &fault), WEIR_OK);
    assert_int_equal(report_end(r, &page), WEIR_OK);
    report_free(r);
    free(shown);
    shown = malloc(page.n + 1);
    memcpy(shown, page.p, page.n);
    shown[page.n] = 0;
    shown_n = page.n;
    buffer_fini(&page);
    buffer_fini(&json);
}

/* Nothing that a terminal obeys, nothing that turns the writing direction, whole UTF-8. */
static void assert_inert(void)
{
    struct buffer again;
    buffer_init(&again, 64u << 20);
    for (size_t from = 0; from < shown_n;) {
        const char *newline = memchr(shown + from, '\n', shown_n - from);
        size_t to = newline ? (size_t)(newline - shown) : shown_n;
        size_t n = to > from && shown[to - 1] == '\r' ? to - from - 1 : to - from;
        buffer_clear(&again);
        escape_terminal(&again, (struct slice){shown + from, n});
        if (again.n != n || memcmp(again.p, shown + from, n) != 0) fail_msg("not inert: %.*s", (int)again.n, again.p);
        from = to + 1;
    }
    buffer_fini(&again);
}

static const struct slice tame = SLICE_LIT("tame");

static void a_terminal_sees_no_control(void **state)
{
    (void)state;
    char text[HOSTILE_MAX];
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        show(SINK_TABLE, hostile(i, text));
        assert_inert();
        explain(hostile(i, text));
        assert_inert();
    }
}

/* What stands between < and >, one behind the other: with hostile text the same as with tame. */
static char *tags_of(void)
{
    char *out = malloc(shown_n + 1);
    size_t n = 0;
    bool inside = false;
    for (size_t i = 0; i < shown_n; i++) {
        inside |= shown[i] == '<';
        if (inside) out[n++] = shown[i];
        inside &= shown[i] != '>';
    }
    out[n] = 0;
    return out;
}

static void a_page_has_no_tag_and_no_attribute_of_theirs(void **state)
{
    (void)state;
    char text[HOSTILE_MAX];
    report(tame);
    char *expected = tags_of();
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        report(hostile(i, text));
        assert_inert();
        char *tags = tags_of();
        if (strcmp(tags, expected) != 0) fail_msg("string %zu changed the markup", i);
        free(tags);
    }
    free(expected);
}

/* Cells of a row, and how each begins: RFC 4180. */
static size_t cells_of(bool *formula)
{
    size_t cells = 0;
    for (size_t i = 0; i < shown_n;) {
        if (shown[i] == '"') {
            *formula |= strchr("=+-@\t\r", shown[i + 1]) && shown[i + 1];
            for (i++; i < shown_n && (shown[i] != '"' || shown[i + 1] == '"'); i += shown[i] == '"' ? 2 : 1) assert_true((unsigned char)shown[i] >= 0x20);
            i++;
        }
        while (i < shown_n && shown[i] != ',' && shown[i] != '\n') i++;
        i++;
        cells++;
    }
    return cells;
}

static void a_spreadsheet_gets_no_formula_and_no_other_cell(void **state)
{
    (void)state;
    char text[HOSTILE_MAX];
    bool formula = false;
    show(SINK_CSV, tame);
    size_t expected = cells_of(&formula);
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        show(SINK_CSV, hostile(i, text));
        assert_inert();
        assert_int_equal(cells_of(&formula), expected);
        assert_false(formula);
    }
}

static void blank(json_t *v)
{
    const char *key;
    json_t *member;
    size_t i;
    json_object_foreach(v, key, member) {
        if (json_is_string(member))
            json_string_set(member, "");
        else
            blank(member);
    }
    json_array_foreach(v, i, member) blank(member);
}

static json_t *shape_of(void)
{
    json_t *doc = json_loadb(shown, shown_n, 0, NULL);
    assert_non_null(doc);
    blank(doc);
    return doc;
}

static void a_document_keeps_its_shape(void **state)
{
    (void)state;
    char text[HOSTILE_MAX];
    show(SINK_NDJSON, SLICE_LIT("tame")); /* no eni-: as all of them */
    json_t *expected = shape_of();
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        show(SINK_NDJSON, hostile(i, text));
        assert_inert();
        json_t *shape = shape_of();
        assert_true(json_equal(shape, expected));
        json_decref(shape);
    }
    json_decref(expected);
}

static void the_strings_are_as_many_as_said_and_hostile(void **state)
{
    (void)state;
    char text[HOSTILE_MAX], other[HOSTILE_MAX];
    for (size_t i = 0; i < HOSTILE_COUNT; i++)
        for (size_t k = 0; k < i; k++) assert_false(slice_eq(hostile(i, text), hostile(k, other)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_strings_are_as_many_as_said_and_hostile, fresh, done),
        cmocka_unit_test_setup_teardown(a_terminal_sees_no_control, fresh, done),
        cmocka_unit_test_setup_teardown(a_page_has_no_tag_and_no_attribute_of_theirs, fresh, done),
        cmocka_unit_test_setup_teardown(a_spreadsheet_gets_no_formula_and_no_other_cell, fresh, done),
        cmocka_unit_test_setup_teardown(a_document_keeps_its_shape, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
