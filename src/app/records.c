/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a finding, object by object. A place with a list of lines gives these lines. A place with too many to list gives, between its first
 * and last line, the records between the host and the peer. What was read is used only when the whole object has the bytes that were counted:
 * its SHA-256 is that of the finding. */
#include "app/record_text.h"
#include "app/records.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX 100000
#define TEXT_MAX ((size_t)1 << 30) /* of the records of one object */

struct wanted { /* lines of one place */
    size_t object;
    struct slice lines;  /* "812,815-820"; empty: from first to last, host and peer */
    uint64_t first, last;
    struct ip host, peer;
};

struct named {
    struct sha256 id;
    struct slice key;
};

struct reading {
    struct app *app;
    struct store *store;
    const struct object_list *at;
    struct sha256 *at_id; /* of the objects in at, hashed once */
    struct wanted *wanted; size_t wanted_n, wanted_cap;
    struct named *object; size_t objects, objects_cap;
    /* of the object being read */
    struct range { uint64_t first, last; } *range; size_t ranges, ranges_cap, next;
    size_t current;
    struct buffer text;
    uint64_t *line; size_t lines, lines_cap;
    uint64_t bytes;
    bool nomem;
};

const char *records_state_word(enum records_state state)
{
    static const char *const words[] = {"read", "gone", "changed"};
    return words[state];
}

/* ---- what the finding names ---- */

static struct slice text_at(const json_t *in, const char *key)
{
    const json_t *v = json_object_get(in, key);
    return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)} : (struct slice){"", 0};
}

static uint64_t number_at(const json_t *in, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(in, key));
    return v > 0 ? (uint64_t)v : 0;
}

static bool object_index(struct reading *r, const struct sha256 *id, struct slice key, size_t *out)
{
    for (*out = 0; *out < r->objects; ++*out)
        if (memcmp(r->object[*out].id.b, id->b, SHA256_BYTES) == 0)
            return true;
    struct named *all = r->objects < OBJECTS_MAX ? array_grow(r->object, &r->objects_cap, r->objects, sizeof *all) : NULL;
    if (!all)
        return false;
    r->object = all;
    all[r->objects++] = (struct named){*id, key};
    return true;
}

static bool want(struct reading *r, const json_t *place, struct ip host, struct ip peer)
{
    struct wanted w = {.lines = text_at(place, "lines"), .first = number_at(place, "first_line"), .last = number_at(place, "last_line"), .host = host, .peer = peer};
    struct sha256 id;
    if (hex_decode(text_at(place, "sha256"), id.b, SHA256_BYTES))
        return true; /* a damaged place names nothing */
    if (!object_index(r, &id, text_at(place, "key"), &w.object))
        return false;
    struct wanted *all = array_grow(r->wanted, &r->wanted_cap, r->wanted_n, sizeof *all);
    if (!all)
        return false;
    r->wanted = all;
    all[r->wanted_n++] = w;
    return true;
}

static bool want_all(struct reading *r, const json_t *finding)
{
    const json_t *evidences = json_object_get(finding, "evidences");
    for (size_t i = 0; i < json_array_size(evidences); i++) {
        const json_t *e = json_array_get(evidences, i), *places = json_object_get(json_object_get(e, "data"), "objects");
        struct ip host = {0, 0}, peer = {0, 0};
        if (ip_parse(text_at(json_object_get(e, "src_endpoint"), "ip"), &host) || ip_parse(text_at(json_object_get(e, "dst_endpoint"), "ip"), &peer))
            continue;
        for (size_t k = 0; k < json_array_size(places); k++)
            if (!want(r, json_array_get(places, k), host, peer))
                return false;
    }
    return true;
}

/* ---- which lines of an object ---- */

static bool add_range(struct reading *r, uint64_t first, uint64_t last)
{
    struct range *all = array_grow(r->range, &r->ranges_cap, r->ranges, sizeof *all);
    if (!all)
        return false;
    r->range = all;
    all[r->ranges++] = (struct range){first, last};
    return true;
}

static bool add_lines(struct reading *r, struct slice lines)
{
    while (lines.n) {
        const char *comma = memchr(lines.p, ',', lines.n);
        size_t n = comma ? (size_t)(comma - lines.p) : lines.n;
        const char *dash = memchr(lines.p, '-', n);
        size_t head = dash ? (size_t)(dash - lines.p) : n;
        uint64_t first = 0, last = 0;
        bool good = parse_u64((struct slice){lines.p, head}, UINT32_MAX, &first) == WEIR_OK;
        good = good && (!dash || parse_u64((struct slice){dash + 1, n - head - 1}, UINT32_MAX, &last) == WEIR_OK);
        if (good && !add_range(r, first, dash ? last : first))
            return false;
        n += comma != NULL;
        lines = (struct slice){lines.p + n, lines.n - n};
    }
    return true;
}

static int by_first(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* Ascending and apart, so that one walk over the object meets them in order. */
static bool ranges_of(struct reading *r, size_t object)
{
    size_t kept = 0;
    r->ranges = r->next = 0;
    for (size_t i = 0; i < r->wanted_n; i++)
        if (r->wanted[i].object == object && r->wanted[i].lines.n && !add_lines(r, r->wanted[i].lines))
            return false;
    if (r->ranges)
        qsort(r->range, r->ranges, sizeof *r->range, by_first);
    for (size_t i = 0; i < r->ranges; i++) {
        if (kept && r->range[i].first <= r->range[kept - 1].last) {
            if (r->range[i].last > r->range[kept - 1].last)
                r->range[kept - 1].last = r->range[i].last;
        } else {
            r->range[kept++] = r->range[i];
        }
    }
    r->ranges = kept;
    return true;
}

static bool is_listed(struct reading *r, uint64_t line)
{
    while (r->next < r->ranges && r->range[r->next].last < line)
        r->next++;
    return r->next < r->ranges && r->range[r->next].first <= line;
}

static bool has_ends(const struct record *r, struct ip host, struct ip peer)
{
    struct ip src = RECORD_HAS(r, PKT_SRCADDR) ? r->pkt_src : r->src, dst = RECORD_HAS(r, PKT_DSTADDR) ? r->pkt_dst : r->dst;
    return (ip_eq(src, host) && ip_eq(dst, peer)) || (ip_eq(r->src, host) && ip_eq(r->dst, peer));
}

static bool is_between(const struct reading *r, const struct record *rec)
{
    for (size_t i = 0; i < r->wanted_n; i++) {
        const struct wanted *w = &r->wanted[i];
        if (w->object == r->current && !w->lines.n && w->first <= rec->line && rec->line <= w->last && has_ends(rec, w->host, w->peer))
            return true;
    }
    return false;
}

static void on_record(void *reading, const struct record *rec)
{
    struct reading *r = reading;
    if (!is_listed(r, rec->line) && !is_between(r, rec))
        return;
    uint64_t *all = array_grow(r->line, &r->lines_cap, r->lines, sizeof *all);
    if (!all) {
        r->nomem = true;
        return;
    }
    r->line = all;
    all[r->lines++] = rec->line;
    r->bytes = sat_add(r->bytes, rec->bytes);
    if (rec->text.n)
        buffer_slice(&r->text, rec->text);
    else
        record_text(rec, &r->text);
    buffer_u8(&r->text, '\n');
}

/* ---- an object ---- */

/* Columns as a header line that weir reads. */
static void put_columns(const struct layout *layout, struct buffer *out)
{
    for (size_t i = 0; i < layout->columns && !layout->timestamp_prefix; i++) {
        if (layout->field[i] == FIELD_UNKNOWN)
            buffer_printf(out, "%sunknown-%zu", i ? " " : "", i + 1);
        else
            buffer_printf(out, "%s%s", i ? " " : "", decode_field_name((enum decode_field)layout->field[i]));
    }
}

/* Where it is: in the list given, by its bytes; else where the ledger saw it. The size is that of the ledger, if it knows. */
static bool find_object(struct reading *r, const struct sha256 *id, struct buffer *keep, struct object *out)
{
    struct ledger_entry e = {.stored = 0};
    bool known = r->store && ledger_get(r->store, id, keep, &e, NULL) == WEIR_OK;
    for (size_t i = 0; r->at && i < object_list_count(r->at); i++)
        if (memcmp(r->at_id[i].b, id->b, SHA256_BYTES) == 0) {
            *out = *object_list_at(r->at, i);
            return true;
        }
    if (!known || !e.path.n || memchr(e.path.p, 0, e.path.n) || slice_eq(e.path, SLICE_LIT("-")))
        return false;
    char *path = keep->p + (e.path.p - keep->p); /* a slice of keep: ended where it stands, over the length of the key, which is read already */
    path[e.path.n] = 0;
    *out = (struct object){.path = path, .size_bytes = e.stored};
    provenance_parse(out->path, &out->from, &out->key);
    return !r->at;
}

static void read_object(struct reading *r, struct object_reader *reader, const struct object *o, struct records *out)
{
    struct object_outcome outcome;
    object_read(reader, o, false, NULL, &outcome);
    out->path = slice_of(o->path);
    out->stored = outcome.err ? o->size_bytes : outcome.stored;
    out->state = outcome.err ? RECORDS_GONE : memcmp(outcome.id.b, out->id.b, SHA256_BYTES) ? RECORDS_CHANGED : RECORDS_READ;
    if (outcome.why != SOURCE_UNREADABLE && outcome.err && outcome.err != WEIR_INTERRUPTED)
        out->state = RECORDS_CHANGED;
    if (out->state != RECORDS_READ)
        return;
    out->n = r->lines;
    out->bytes = r->bytes;
    out->text = (struct slice){r->text.p, r->text.n};
    out->line = r->line;
}

static enum weir_err one_object(struct reading *r, struct object_reader *reader, struct decoder *decoder, records_each *each, void *ctx, struct fault *fault)
{
    struct records out = {.id = r->object[r->current].id, .key = r->object[r->current].key, .state = RECORDS_GONE};
    struct buffer keep, columns;
    struct object o;
    buffer_init(&keep, 1 << 20);
    buffer_init(&columns, 1 << 16);
    buffer_clear(&r->text);
    r->lines = 0;
    r->bytes = 0;
    enum weir_err err = ranges_of(r, r->current) ? WEIR_OK : WEIR_NOMEM;
    if (!err && find_object(r, &out.id, &keep, &o))
        read_object(r, reader, &o, &out);
    if (out.state == RECORDS_READ)
        put_columns(decoder_layout(decoder), &columns);
    if (out.state == RECORDS_READ && !decoder_layout(decoder)->columns)
        buffer_puts(&columns, RECORD_TEXT_COLUMNS); /* it never was text */
    out.columns = (struct slice){columns.p, columns.n};
    err = err ? err : r->nomem ? WEIR_NOMEM : r->text.err;
    if (!err && app_interrupted())
        err = WEIR_INTERRUPTED;
    if (err)
        fault_set(fault, err, "cannot read the records of a finding: %s", weir_err_text(err));
    else
        err = each(ctx, &out, fault);
    buffer_fini(&columns);
    buffer_fini(&keep);
    return err;
}

static enum weir_err read_all(struct reading *r, records_each *each, void *ctx, struct fault *fault)
{
    const struct config *c = r->app->config;
    struct source_limits limits = {c->max_object_bytes, (uint32_t)c->max_ratio, source_default_limits.max_objects};
    struct layout layout;
    if (*c->fields && layout_parse(slice_of(c->fields), &layout, NULL, fault))
        return WEIR_USAGE;
    struct decoder *decoder = decoder_new(*c->fields ? &layout : NULL, (struct decode_sink){r, on_record, NULL});
    struct object_reader *reader = decoder ? object_reader_new(&limits, decoder) : NULL;
    enum weir_err err = reader ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    for (r->current = 0; r->current < r->objects && !err; r->current++)
        err = one_object(r, reader, decoder, each, ctx, fault);
    object_reader_free(reader);
    decoder_free(decoder);
    return err;
}

/* Names may have changed: what an object is, its bytes tell. */
static enum weir_err hash_list(struct reading *r, struct fault *fault)
{
    size_t n = r->at ? object_list_count(r->at) : 0;
    struct source *source = source_new(&source_default_limits, INFLATE_BEST);
    r->at_id = calloc(n + 1, sizeof *r->at_id);
    enum weir_err err = source && r->at_id ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    for (size_t i = 0; i < n && !err; i++) {
        if (source_hash(source, object_list_at(r->at, i), &r->at_id[i], NULL)) /* unreadable: it is none of ours */
            memset(&r->at_id[i], 0, sizeof r->at_id[i]);
        if (app_interrupted())
            err = WEIR_INTERRUPTED;
    }
    source_free(source);
    return err;
}

enum weir_err records_of(struct app *app, struct store *store, const struct object_list *at, struct slice finding, records_each *each, void *ctx,
                         struct fault *fault)
{
    struct reading r = {.app = app, .store = store, .at = at};
    json_t *doc = json_loadb(finding.p, finding.n, JSON_ALLOW_NUL, NULL);
    if (!doc)
        return fault_set(fault, WEIR_CORRUPT, "the finding is not JSON");
    buffer_init(&r.text, TEXT_MAX);
    enum weir_err err = want_all(&r, doc) ? hash_list(&r, fault) : fault_set(fault, WEIR_NOMEM, "cannot read the records of a finding: too many places");
    if (!err)
        err = read_all(&r, each, ctx, fault);
    buffer_fini(&r.text);
    free(r.at_id);
    free(r.wanted);
    free(r.object);
    free(r.range);
    free(r.line);
    json_decref(doc);
    return err;
}
