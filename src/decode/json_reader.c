/* What kind of document is this? Told by its keys, whatever their order: envelopes of CloudWatch Logs (messageType, logEvents), the answer of
 * filter-log-events (events), records of Azure, log entries of Google, a record of AWS wrapped in `message` beside other keys. Lines in
 * envelopes go to the text reader with the layout that is configured, or the default one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/json.h"

static const char control_text[] = "CWL CONTROL MESSAGE";

/* Behind a byte order mark and blanks. */
static struct slice lead(struct slice head)
{
    if (head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0)
        head = (struct slice){head.p + 3, head.n - 3};
    while (head.n && (is_blank(*head.p) || *head.p == '\n' || *head.p == '\r'))
        head = (struct slice){head.p + 1, head.n - 1};
    return head;
}

static bool eat(struct slice *s, const char *word)
{
    struct slice w = slice_of(word);
    *s = lead(*s);
    if (s->n < w.n || memcmp(s->p, w.p, w.n) != 0)
        return false;
    *s = (struct slice){s->p + w.n, s->n - w.n};
    return true;
}

/* Records that are wrapped in `message` and nothing else, the text reader unwraps as it goes. */
static bool claims(struct slice head)
{
    struct slice rest = head;
    if (eat(&rest, "["))
        return eat(&rest, "{") || eat(&rest, "]");
    return eat(&rest, "{") && !eat(&rest, "\"message\"");
}

static void close_state(void *state)
{
    struct json_reader *r = state;
    azure_free(r->azure);
    free(r->google);
    free(r);
}

static void *open_state(struct decode_out *out)
{
    struct json_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->out = out;
    r->decoder = decoder_of(out);
    r->azure = azure_new();
    r->google = google_new();
    if (r->azure && r->google)
        return r;
    close_state(r);
    return NULL;
}

/* ---- lines in envelopes ---- */

static bool is_control(const struct json_reader *r, bool told)
{
    const size_t n = sizeof control_text - 1;
    return told || (r->json.text.n >= n && memcmp(r->json.text.p, control_text, n) == 0);
}

static void message(struct json_reader *r, bool control)
{
    struct json *j = &r->json;
    r->known++;
    if (is_control(r, control)) {
        decode_note(r->out, NOTE_CONTROL_MESSAGE);
        return;
    }
    r->decoder->line_no = ++r->line;
    if (j->too_long)
        decode_refuse(r->out, REJECT_LINE_TOO_LONG, r->line, FIELD_COUNT, j->text);
    else if (j->odd || has_control_byte(j->text))
        decode_refuse(r->out, REJECT_CONTROL_BYTE, r->line, FIELD_COUNT, j->text);
    else
        decoder_line(r->decoder, j->text);
}

static void event(struct json_reader *r, bool control)
{
    enum json_token t;
    while (json_more(&r->json, &t)) {
        if (t == JSON_STRING && json_key_is(&r->json, "message"))
            message(r, control);
        else
            json_skip(&r->json, t);
    }
}

static void events(struct json_reader *r, bool control)
{
    enum json_token t;
    while (json_more(&r->json, &t) && !r->out->bad) {
        if (t == JSON_OBJECT)
            event(r, control);
        else
            json_skip(&r->json, t);
    }
}

/* ---- documents ---- */

static void document(struct json_reader *r)
{
    struct json *j = &r->json;
    enum json_token t;
    bool control = false;
    google_begin(r);
    while (!r->out->bad && json_more(j, &t)) {
        if (t == JSON_ARRAY && (json_key_is(j, "logEvents") || json_key_is(j, "events")))
            events(r, control);
        else if (t == JSON_ARRAY && json_key_is(j, "records"))
            azure_records(r);
        else if (t == JSON_STRING && json_key_is(j, "messageType"))
            control = slice_eq(j->text, SLICE_LIT("CONTROL_MESSAGE"));
        else if (t == JSON_STRING && json_key_is(j, "message"))
            message(r, false);
        else if (!google_field(r, t))
            json_skip(j, t);
    }
    if (!j->err)
        google_end(r);
}

static void documents(struct json_reader *r)
{
    struct json *j = &r->json;
    enum json_token t;
    while (!r->out->bad && (t = json_next(j)) != JSON_END && t != JSON_BAD)
        if (t == JSON_OBJECT) /* alone, or in one array of them */
            document(r);
}

/* A blob of Azure that is still being written ends between two records. */
static bool is_open_blob(const struct json_reader *r)
{
    const struct json *j = &r->json;
    return j->err == WEIR_TRUNCATED && j->depth && r->open_depth && j->depth <= r->open_depth && !j->within;
}

static enum weir_err read_object(void *state, struct stream *in)
{
    struct json_reader *r = state;
    r->line = r->known = 0;
    r->open_depth = 0;
    azure_begin(r);
    json_open(&r->json, in);
    documents(r);
    if (r->out->bad)
        return WEIR_UNSUPPORTED;
    if (is_open_blob(r))
        r->out->counts.notes[NOTE_OPEN_BLOB] += r->known > 0;
    else if (r->json.err == WEIR_CORRUPT || r->json.err == WEIR_TRUNCATED || r->json.err == WEIR_LIMIT)
        return decode_spoil(r->out, BAD_JSON, in->fault.text);
    else if (r->json.err)
        return r->json.err;
    return r->known ? WEIR_OK : decode_spoil(r->out, BAD_OTHER_LOG, "");
}

const struct reader reader_json = {"json", claims, open_state, close_state, read_object};
