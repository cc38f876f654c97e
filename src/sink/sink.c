/* Findings to a stream. Each finding is checked to be JSON before anything of it is written, and written whole.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sink/sink_private.h"

#define OUTPUT_MAX ((size_t)256 << 20)

struct sink {
    struct page page;
    enum sink_format format;
    struct buffer text; /* what the next write will be */
    uint64_t count;
};

enum weir_err sink_format_parse(struct slice word, enum sink_format *out)
{
    static const char *const words[] = {"table", "json", "ndjson", "csv", "ocsf"};
    for (size_t i = 0; i < WEIR_COUNT(words); i++) {
        if (!slice_eq(word, slice_of(words[i]))) continue;
        *out = (enum sink_format)i;
        return WEIR_OK;
    }
    return WEIR_USAGE;
}

struct sink *sink_new(FILE *out, enum sink_format format, struct sink_style style)
{
    struct sink *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->format = format;
    page_init(&s->page, out, style);
    buffer_init(&s->text, OUTPUT_MAX);
    return s;
}

static enum weir_err write_text(struct sink *s, struct fault *fault)
{
    struct buffer *b = &s->text;
    if (b->err) return fault_set(fault, b->err, "cannot write finding: %s", weir_err_text(b->err));
    page_write(&s->page, b->p, b->n);
    return page_fault(&s->page, fault);
}

static void put_json(struct sink *s, struct slice text)
{
    if (s->format == SINK_JSON) buffer_puts(&s->text, s->count ? ",\n" : "[\n");
    copy_json(&s->text, text, s->page.style.pretty);
    if (s->format != SINK_JSON) buffer_u8(&s->text, '\n');
}

static void put_finding(struct sink *s, const json_t *finding, struct slice text)
{
    switch (s->format) {
    case SINK_TABLE: table_add(&s->page, finding, s->count == 0); break;
    case SINK_CSV:
        if (!s->count) csv_header(&s->text);
        csv_add(&s->text, finding);
        break;
    case SINK_JSON:
    case SINK_NDJSON:
    case SINK_OCSF: put_json(s, text); break;
    }
}

enum weir_err sink_add(struct sink *s, struct slice finding_json, struct fault *fault)
{
    json_t *finding = view_load(finding_json, fault);
    if (!finding) return WEIR_CORRUPT;
    buffer_clear(&s->text);
    put_finding(s, finding, finding_json);
    json_decref(finding);
    s->count++;
    return write_text(s, fault);
}

static void put_end(struct sink *s)
{
    buffer_clear(&s->text);
    if (s->format == SINK_JSON) buffer_puts(&s->text, s->count ? "\n]\n" : "[]\n");
    if (s->format == SINK_CSV && !s->count) csv_header(&s->text);
    if (s->format == SINK_TABLE && !s->count) buffer_puts(&s->text, "no findings\n");
}

enum weir_err sink_close(struct sink *s, struct fault *fault)
{
    put_end(s);
    enum weir_err err = write_text(s, fault), end = page_fini(&s->page, err ? NULL : fault);
    buffer_fini(&s->text);
    free(s);
    return err ? err : end;
}
