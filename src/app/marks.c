/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: one value with all of them, for they are few: somebody wrote each by hand. */
#include "app/marks.h"

#include <stdlib.h>
#include <string.h>

#define KIND 'k'
#define KEY "0"
#define VERSION 1

struct marks {
    struct mark *mark; size_t n, cap; /* by uid */
    uint32_t *by_host;                /* as loaded: for judging only */
    size_t hosts;
    struct arena *arena;              /* reasons */
    bool changed;
};

const char *mark_word(unsigned verdict) { return verdict == MARK_BENIGN ? "benign" : verdict == MARK_TRUE ? "true" : "?"; }

/* ---- the list ---- */

static size_t place_of(const struct marks *m, const char *uid)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(m->mark[mid].uid, uid) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t marks_count(const struct marks *m) { return m->n; }
const struct mark *marks_at(const struct marks *m, size_t i) { return &m->mark[i]; }
bool marks_changed(const struct marks *m) { return m->changed; }

const struct mark *marks_find(const struct marks *m, const char *uid)
{
    size_t at = place_of(m, uid);
    return at < m->n && strcmp(m->mark[at].uid, uid) == 0 ? &m->mark[at] : NULL;
}

enum weir_err marks_set(struct marks *m, const struct mark *mark, struct fault *fault)
{
    size_t at = place_of(m, mark->uid);
    bool there = at < m->n && strcmp(m->mark[at].uid, mark->uid) == 0;
    if (!there && m->n == MARKS_MAX)
        return fault_set(fault, WEIR_LIMIT, "there are %d marks already, no more are kept", MARKS_MAX);
    struct mark *all = array_grow(m->mark, &m->cap, m->n, sizeof *all);
    struct slice reason = arena_slice(m->arena, mark->reason);
    if (all)
        m->mark = all;
    if (!all || (mark->reason.n && !reason.p))
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    if (!there)
        memmove(&all[at + 1], &all[at], (m->n++ - at) * sizeof *all);
    all[at] = *mark;
    all[at].reason = reason;
    m->changed = true;
    return WEIR_OK;
}

bool marks_clear(struct marks *m, const char *uid)
{
    size_t at = place_of(m, uid);
    if (at == m->n || strcmp(m->mark[at].uid, uid) != 0)
        return false;
    memmove(&m->mark[at], &m->mark[at + 1], (--m->n - at) * sizeof *m->mark);
    return m->changed = true;
}

/* ---- stored form ---- */

static enum weir_err get_mark(struct cursor *c, struct marks *m, struct fault *fault)
{
    struct mark mark = {.host_id = 0};
    struct slice uid = cursor_string(c, UID_DIGITS);
    if (uid.n)
        memcpy(mark.uid, uid.p, uid.n);
    mark.host_id = cursor_u64(c);
    mark.verdict = cursor_u8(c);
    mark.through = cursor_u16(c);
    mark.applied = cursor_u16(c);
    mark.at_s = (int64_t)cursor_u64(c);
    mark.reason = cursor_string(c, MARK_REASON_MAX);
    if (c->err || (mark.verdict != MARK_BENIGN && mark.verdict != MARK_TRUE))
        return WEIR_CORRUPT;
    return marks_set(m, &mark, fault);
}

static int by_host(const void *a, const void *b, void *marks)
{
    const struct mark *all = marks;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    if (all[i].host_id != all[k].host_id)
        return all[i].host_id < all[k].host_id ? -1 : 1;
    return (i > k) - (i < k); /* by uid */
}

static enum weir_err index_hosts(struct marks *m)
{
    if (!(m->by_host = calloc(m->n + 1, sizeof *m->by_host)))
        return WEIR_NOMEM;
    m->hosts = m->n;
    for (size_t i = 0; i < m->n; i++)
        m->by_host[i] = (uint32_t)i;
    if (m->n)
        qsort_r(m->by_host, m->n, sizeof *m->by_host, by_host, m->mark);
    return WEIR_OK;
}

static enum weir_err read_marks(struct slice blob, struct marks *m, struct fault *fault)
{
    struct cursor c;
    uint8_t version;
    enum weir_err err = blob_open(blob, KIND, VERSION, &version, &c);
    for (uint64_t n = err ? 0 : cursor_varint(&c); n > 0 && !err; n--)
        err = get_mark(&c, m, fault);
    return err ? err : c.err || cursor_left(&c) ? WEIR_CORRUPT : WEIR_OK;
}

enum weir_err marks_load(struct store *s, struct marks **out, struct fault *fault)
{
    struct buffer blob;
    struct marks *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m || !(m->arena = arena_new(0))) {
        free(m);
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    }
    buffer_init(&blob, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, KIND, KEY, &blob, fault);
    if (!err && (err = read_marks((struct slice){blob.p, blob.n}, m, fault)))
        fault_set(fault, err, "store value 'k:%s', the marks of findings: %s", KEY, weir_err_text(err));
    buffer_fini(&blob);
    err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    if (!err)
        err = index_hosts(m);
    m->changed = false;
    if (err)
        marks_free(m);
    else
        *out = m;
    return err;
}

void marks_free(struct marks *m)
{
    if (!m)
        return;
    arena_free(m->arena);
    free(m->by_host);
    free(m->mark);
    free(m);
}

enum weir_err marks_put(struct marks *m, struct store *s, struct fault *fault)
{
    struct buffer b;
    buffer_init(&b, STORE_VALUE_MAX);
    size_t begin = blob_begin(&b, KIND, VERSION);
    buffer_varint(&b, m->n);
    for (size_t i = 0; i < m->n; i++) {
        const struct mark *x = &m->mark[i];
        buffer_string(&b, slice_of(x->uid));
        buffer_u64(&b, x->host_id);
        buffer_u8(&b, x->verdict);
        buffer_u16(&b, x->through);
        buffer_u16(&b, x->applied);
        buffer_u64(&b, (uint64_t)x->at_s);
        buffer_string(&b, x->reason);
    }
    blob_end(&b, begin);
    enum weir_err err = b.err ? fault_set(fault, b.err, "the marks are too large to store") : store_put(s, KIND, KEY, (struct slice){b.p, b.n}, fault);
    buffer_fini(&b);
    m->changed = m->changed && err;
    return err;
}

/* ---- shown with the finding ---- */

/* Where the text stands outside of strings: in them quotes are escaped, so it cannot be met there. */
static size_t find_text(struct slice in, const char *text)
{
    const char *at = in.n ? memmem(in.p, in.n, text, strlen(text)) : NULL;
    return at ? (size_t)(at - in.p) : in.n;
}

static void put_comment(const struct mark *x, const char *when, struct buffer *out)
{
    struct buffer text;
    buffer_init(&text, MARK_REASON_MAX + 64);
    buffer_printf(&text, "%s, said on %s: ", mark_word(x->verdict), when);
    buffer_slice(&text, x->reason);
    escape_json(out, (struct slice){text.p, text.n});
    buffer_fini(&text);
}

#define STATUS "\"status_id\":1,"
#define WEIR_OBJECT "\"unmapped\":{\"weir\":{"
enum { STATUS_IN_PROGRESS = 2, STATUS_RESOLVED = 4 };

struct slice marks_show(const struct marks *m, struct slice json, struct buffer *out)
{
    static const char uid_key[] = "\"uid\":\"wf1-";
    char uid[UID_DIGITS + 1] = "", when[TIME_TEXT_MAX];
    size_t at = find_text(json, uid_key) + sizeof uid_key - 1, status = find_text(json, STATUS), object = find_text(json, WEIR_OBJECT);
    if (at + UID_DIGITS >= json.n || status >= object || object == json.n)
        return json;
    memcpy(uid, json.p + at, UID_DIGITS);
    const struct mark *x = marks_find(m, uid);
    if (!x)
        return json;
    time_format(x->at_s, when);
    buffer_clear(out);
    buffer_put(out, json.p, status);
    buffer_printf(out, "\"status_id\":%d,\"comment\":", x->verdict == MARK_BENIGN ? STATUS_RESOLVED : STATUS_IN_PROGRESS);
    put_comment(x, when, out);
    buffer_puts(out, ",");
    buffer_put(out, json.p + status + sizeof STATUS - 1, object - status - (sizeof STATUS - 1));
    buffer_printf(out, WEIR_OBJECT "\"mark\":{\"verdict\":\"%s\",\"time\":\"%s\",\"reason\":", mark_word(x->verdict), when);
    escape_json(out, x->reason);
    buffer_puts(out, "},");
    object += sizeof WEIR_OBJECT - 1;
    buffer_put(out, json.p + object, json.n - object);
    return out->err ? json : (struct slice){out->p, out->n};
}

/* ---- judging ---- */

struct applying {
    struct baseline *b;
    const struct mark *mark;
    uint16_t today, first_day;
    uint64_t refused[BASELINE_GROUPS]; size_t n; /* as many as flags can hold, and more */
    bool changed;
};

static enum weir_err apply_day(void *ctx, const struct baseline_held *h)
{
    struct applying *a = ctx;
    a->first_day = a->first_day ? a->first_day : h->day;
    if (a->mark->verdict == MARK_TRUE) {
        baseline_refuse(a->b, h, a->first_day);
        for (size_t i = 0; i < h->groups && a->n < BASELINE_GROUPS; i++)
            a->refused[a->n++] = h->group[i].group;
        a->changed = true;
    } else if (h->day > a->mark->applied && h->day <= a->mark->through) {
        baseline_confirm(a->b, h, a->today);
        a->changed = true;
    }
    return WEIR_OK;
}

static size_t first_of_host(const struct marks *m, uint64_t host_id)
{
    size_t low = 0, high = m->hosts;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->mark[m->by_host[mid]].host_id < host_id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool of_host(const struct marks *m, size_t i, uint64_t host_id) { return i < m->hosts && m->mark[m->by_host[i]].host_id == host_id; }

static bool has_for_ever(const struct baseline *b)
{
    for (unsigned i = 0; i < b->flags; i++)
        if (b->flag[i].day == BASELINE_FOR_EVER)
            return true;
    return false;
}

enum weir_err marks_apply(const struct marks *m, struct store *s, struct baseline *b, uint16_t today, bool *changed, struct baseline_changes *out,
                          struct fault *fault)
{
    size_t i = first_of_host(m, b->host_id);
    enum weir_err err = WEIR_OK;
    *changed = false;
    out->added_n = out->removed_n = 0;
    if (!of_host(m, i, b->host_id) && !has_for_ever(b))
        return WEIR_OK;
    struct baseline *before = malloc(sizeof *before);
    if (!before)
        return WEIR_NOMEM;
    *before = *b;
    struct applying a = {.b = b, .today = today};
    for (; of_host(m, i, b->host_id) && !err; i++) {
        a.mark = &m->mark[m->by_host[i]];
        a.first_day = 0;
        err = held_each(s, a.mark->uid, apply_day, &a, fault);
    }
    a.changed |= has_for_ever(b);
    baseline_reprieve(b, a.refused, a.n, today);
    *changed = a.changed;
    if (a.changed)
        baseline_compare(before, b, out);
    free(before);
    return err;
}

void marks_learned(struct marks *m, uint64_t host_id, uint16_t today)
{
    for (size_t i = first_of_host(m, host_id); of_host(m, i, host_id); i++) {
        struct mark *x = &m->mark[m->by_host[i]];
        uint16_t applied = x->through < today ? x->through : (uint16_t)(today - 1);
        if (x->verdict != MARK_BENIGN || x->applied >= applied)
            continue;
        x->applied = applied;
        m->changed = true;
    }
}
