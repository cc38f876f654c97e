/* SPDX-License-Identifier: Apache-2.0 */
/* Suppressions against findings. */
#include "app/suppress.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define STATUS "\"status_id\":1,"
#define WEIR_OBJECT "\"unmapped\":{\"weir\":{"
#define STATUS_SUPPRESSED 3

struct compiled {
    const struct config_suppression *of;
    struct cidr_set *hosts, *peers; /* NULL: any, or by role only */
};
struct suppressions {
    struct compiled *item;
    size_t n;
};

/* ---- the configuration ---- */
static bool is_network(const char *text)
{
    struct ip first, last;
    return cidr_parse(slice_of(text), &first, &last) == WEIR_OK;
}

static bool compile_set(const struct text_list *list, struct cidr_set **out)
{
    bool ok = true;
    for (size_t i = 0; i < list->n && ok; i++) {
        if (!is_network(list->item[i])) continue; /* a role */
        if (!*out) *out = cidr_set_new();
        ok = *out && cidr_set_add(*out, slice_of(list->item[i]), NULL) == WEIR_OK;
    }
    if (*out) cidr_set_seal(*out);
    return ok;
}

struct suppressions *suppressions_new(const struct config *c)
{
    const struct entry_list *list = &c->suppressions;
    struct suppressions *s = list->n ? calloc(1, sizeof *s) : NULL;
    bool ok = s && (s->item = calloc(list->n, sizeof *s->item));
    for (size_t i = 0; ok && i < list->n; i++) {
        struct compiled *x = &s->item[s->n++];
        x->of = (const struct config_suppression *)list->item[i];
        ok = compile_set(&x->of->hosts, &x->hosts) && compile_set(&x->of->peers, &x->peers);
    }
    if (ok) return s;
    suppressions_free(s);
    return NULL;
}

void suppressions_free(struct suppressions *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) {
        cidr_set_free(s->item[i].hosts);
        cidr_set_free(s->item[i].peers);
    }
    free(s->item);
    free(s);
}

/* ---- the finding ---- */
static const json_t *at(const json_t *in, const char *a, const char *b)
{
    in = json_object_get(in, a);
    return b ? json_object_get(in, b) : in;
}

static const char *text_of(const json_t *v) { return json_is_string(v) ? json_string_value(v) : ""; }
static uint64_t number_of(const json_t *v) { return json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0; }

static bool in_set(const struct cidr_set *set, const json_t *address)
{
    struct ip ip;
    return set && ip_parse(slice_of(text_of(address)), &ip) == WEIR_OK && cidr_set_has(set, ip);
}

static bool has_word(const struct text_list *list, const char *word)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->item[i], word) == 0) return true;
    return false;
}

static bool covers_host(const struct compiled *x, const json_t *finding, const json_t *weir)
{
    const char *role = text_of(json_object_get(weir, "role"));
    if (!x->of->hosts.n || (*role && has_word(&x->of->hosts, role))) return true;
    return in_set(x->hosts, json_object_get(json_array_get(json_object_get(finding, "resources"), 0), "ip"));
}

/* Peers that are not listed, and bytes whose peer is not known, are nobody's. */
static bool covers_peers(const struct compiled *x, const json_t *finding, const json_t *weir)
{
    const json_t *evidences = json_object_get(finding, "evidences");
    if (!x->of->peers.n) return true;
    if (number_of(json_object_get(weir, "peers_more")) || number_of(json_object_get(weir, "bytes_unplaced")) || !json_array_size(evidences)) return false;
    for (size_t i = 0; i < json_array_size(evidences); i++)
        if (!in_set(x->peers, at(json_array_get(evidences, i), "dst_endpoint", "ip"))) return false;
    return true;
}

static bool covers_tests(const struct compiled *x, const json_t *day)
{
    const json_t *parts = json_object_get(day, "parts");
    for (size_t i = 0; x->of->tests.n && i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        if (json_is_true(json_object_get(part, "raised")) && !has_word(&x->of->tests, text_of(json_object_get(part, "test")))) return false;
    }
    return true;
}

/* A day of a finding from before its bytes were told apart has at most those of its hours. */
static uint64_t bytes_of(const json_t *day)
{
    const json_t *hours = json_object_get(day, "hours"), *bytes = json_object_get(day, "bytes");
    uint64_t sum = 0;
    if (bytes) return number_of(bytes);
    for (size_t i = 0; i < json_array_size(hours); i++) sum = sat_add(sum, number_of(json_array_get(hours, i)));
    return sum;
}

/* Days are text of one length, so they compare as text. */
static enum suppress_verdict judge(const struct compiled *x, const json_t *finding, const json_t *weir, const struct suppress_answer *size)
{
    const json_t *days = json_object_get(weir, "days");
    if (!covers_host(x, finding, weir) || !covers_peers(x, finding, weir) || !json_array_size(days)) return SUPPRESS_NOT;
    for (size_t i = 0; i < json_array_size(days); i++) {
        const json_t *day = json_array_get(days, i);
        if (!covers_tests(x, day) || strcmp(text_of(json_object_get(day, "day")), x->of->expires) > 0) return SUPPRESS_NOT;
    }
    return size->largest > x->of->up_to ? SUPPRESS_OUTGROWN : SUPPRESS_HIDDEN;
}

static void measure(const json_t *weir, struct suppress_answer *out)
{
    const json_t *days = json_object_get(weir, "days");
    out->bytes = number_of(json_object_get(weir, "bytes"));
    for (size_t i = 0; i < json_array_size(days); i++) {
        const json_t *day = json_array_get(days, i);
        uint64_t bytes = bytes_of(day);
        const char *text = text_of(json_object_get(day, "day"));
        out->largest = bytes > out->largest ? bytes : out->largest;
        if (strlen(text) == 10 && strcmp(text, out->last_day) > 0) memcpy(out->last_day, text, 11);
    }
}

/* The first that hides it; else the first that it has outgrown. */
struct suppress_answer suppressions_ask(const struct suppressions *s, struct slice finding_json)
{
    struct suppress_answer best = {.verdict = SUPPRESS_NOT};
    json_t *finding = s ? json_loadb(finding_json.p, finding_json.n, JSON_ALLOW_NUL, NULL) : NULL;
    const json_t *weir = at(finding, "unmapped", "weir");
    measure(weir, &best);
    for (size_t i = 0; finding && i < s->n && best.verdict != SUPPRESS_HIDDEN; i++) {
        enum suppress_verdict verdict = judge(&s->item[i], finding, weir, &best);
        if (verdict <= best.verdict) continue;
        best.verdict = verdict;
        best.by = s->item[i].of;
        best.index = i;
    }
    json_decref(finding);
    return best;
}

/* ---- shown with the finding ---- */
/* Where the text stands outside of strings: in them quotes are escaped, so it cannot be met there. */
static size_t find_text(struct slice in, const char *text)
{
    const char *found = in.n ? memmem(in.p, in.n, text, strlen(text)) : NULL;
    return found ? (size_t)(found - in.p) : in.n;
}

static void put_comment(const struct suppress_answer *a, struct buffer *out)
{
    struct buffer text;
    char largest[FINDING_BYTES_TEXT_MAX], approved[FINDING_BYTES_TEXT_MAX];
    finding_bytes(a->largest, largest);
    finding_bytes(a->by->up_to, approved);
    buffer_init(&text, 4096);
    if (a->verdict == SUPPRESS_HIDDEN) buffer_printf(&text, "suppressed by '%s' until %s (%s): %s", a->by->entry.name, a->by->expires, a->by->owner, a->by->reason);
    else buffer_printf(&text, "has outgrown suppression '%s' (%s): %s in a day, approved are %s", a->by->entry.name, a->by->owner, largest, approved);
    escape_json(out, (struct slice){text.p, text.n});
    buffer_fini(&text);
}

static void put_object(const struct suppress_answer *a, struct buffer *out)
{
    buffer_printf(out, "\"suppression\":{\"name\":\"%s\",\"hidden\":%s,\"owner\":", a->by->entry.name, a->verdict == SUPPRESS_HIDDEN ? "true" : "false");
    escape_json(out, slice_of(a->by->owner));
    buffer_puts(out, ",\"reason\":");
    escape_json(out, slice_of(a->by->reason));
    buffer_printf(out, ",\"expires\":\"%s\",\"up_to\":%llu,\"largest_day\":%llu},", a->by->expires, (unsigned long long)a->by->up_to, (unsigned long long)a->largest);
}

struct slice suppressions_show(const struct suppressions *s, struct slice json, struct buffer *out, enum suppress_verdict *verdict)
{
    struct suppress_answer a = suppressions_ask(s, json);
    size_t status = find_text(json, STATUS), object = find_text(json, WEIR_OBJECT);
    *verdict = a.verdict;
    if (a.verdict == SUPPRESS_NOT || object == json.n) return json;
    buffer_clear(out);
    if (status < object) {
        buffer_put(out, json.p, status);
        buffer_printf(out, "\"status_id\":%d,\"comment\":", a.verdict == SUPPRESS_HIDDEN ? STATUS_SUPPRESSED : 1);
        put_comment(&a, out);
        buffer_puts(out, ",");
        status += sizeof STATUS - 1;
    } else {
        status = 0; /* marked by a person */
    }
    object += sizeof WEIR_OBJECT - 1;
    buffer_put(out, json.p + status, object - status);
    put_object(&a, out);
    buffer_put(out, json.p + object, json.n - object);
    if (!out->err) return (struct slice){out->p, out->n};
    *verdict = SUPPRESS_NOT; /* rather shown than lost */
    return json;
}
