/* SPDX-License-Identifier: Apache-2.0 */
/* config_show.c - values back to text: for people, for the parser (what is shown parses to the same configuration) and for
 * the hash that every finding carries. */
#include "app/config.h"

#include <stdlib.h>
#include <string.h>

static void put_list(const struct text_list *list, struct buffer *out)
{
    for (size_t i = 0; i < list->n; i++)
        buffer_printf(out, "%s%s", i ? "," : "", list->item[i]);
}

static void put_budget(const struct budget *b, struct buffer *out)
{
    if (b->per)
        buffer_printf(out, "%u/%u host-days", b->findings, b->per);
    else
        buffer_printf(out, "%u/week", b->findings);
    if (b->weekly)
        buffer_printf(out, " or %u/week", b->weekly);
}

static void put_choice(const struct param *p, unsigned index, struct buffer *out)
{
    const char *word = p->unit;
    for (; index; index--)
        word += strcspn(word, "|") + 1;
    buffer_put(out, word, strcspn(word, "|"));
}

void config_value(const struct config *c, enum param_id id, struct buffer *out)
{
    const struct param *p = &config_params[id];
    const void *value = config_member(c, id);
    switch (p->type) {
    case PARAM_TYPE_TEXT: buffer_puts(out, *(const char *const *)value); break;
    case PARAM_TYPE_NUMBER:
    case PARAM_TYPE_BYTES:
    case PARAM_TYPE_TIME: param_put_number(p, *(const uint64_t *)value, out); break;
    case PARAM_TYPE_BUDGET: put_budget(value, out); break;
    case PARAM_TYPE_CHOICE: put_choice(p, *(const unsigned *)value, out); break;
    case PARAM_TYPE_CIDRS:
    case PARAM_TYPE_PLACES: put_list(value, out); break;
    case PARAM_TYPE_ROLES:
    case PARAM_TYPE_RULES:
    case PARAM_TYPE_SINKS:
    case PARAM_TYPE_SUPPRESSIONS: entries_put(c, id, out); break;
    }
}

/* ---- quoting ---- */
/* The code point at p and its bytes; text of a configuration is valid UTF-8, a file name need not be: then one byte. */
static size_t code_point(struct slice s, uint32_t *out)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0xc2 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 1;
    if (n == 1 || n > s.n) {
        *out = p[0];
        return 1;
    }
    uint32_t v = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        v = v << 6 | (p[i] & 0x3fu);
    *out = v;
    return n;
}

void config_quote(struct buffer *out, struct slice s)
{
    buffer_u8(out, '"');
    for (size_t n; s.n; s.p += n, s.n -= n) {
        uint32_t v;
        n = code_point(s, &v);
        if (v == '"' || v == '\\')
            buffer_printf(out, "\\%c", (int)v);
        else if (v >= 0x20 && v < 0x7f)
            buffer_u8(out, (uint8_t)v);
        else
            buffer_printf(out, v < 0x100 ? "\\x%02x" : v < 0x10000 ? "\\u%04x" : "\\U%08x", v);
    }
    buffer_u8(out, '"');
}

static void put_yaml_list(const struct text_list *list, struct buffer *out)
{
    buffer_u8(out, '[');
    for (size_t i = 0; i < list->n; i++) {
        buffer_puts(out, i ? ", " : "");
        config_quote(out, slice_of(list->item[i]));
    }
    buffer_u8(out, ']');
}

static void put_yaml_value(const struct config *c, enum param_id id, struct buffer *out)
{
    if (param_is_list(id))
        put_yaml_list(config_member(c, id), out);
    else if (config_params[id].type == PARAM_TYPE_TEXT)
        config_quote(out, slice_of(*(const char *const *)config_member(c, id)));
    else
        config_value(c, id, out);
}

void config_put_origin(const struct config_origin *origin, struct buffer *out)
{
    switch (origin->from) {
    case FROM_DEFAULT: buffer_puts(out, "default"); break;
    case FROM_FILE: buffer_printf(out, "line %u of %s", origin->line, origin->name); break;
    case FROM_ENVIRONMENT: buffer_printf(out, "environment %s", origin->name); break;
    case FROM_FLAG: buffer_printf(out, "option %s", origin->name); break;
    }
}

/* A comment holds whatever a file is called: escaped for the terminal, it stays on its line. */
static void put_comment(const struct config_origin *origin, struct buffer *out)
{
    struct buffer text;
    buffer_init(&text, 8192);
    config_put_origin(origin, &text);
    buffer_puts(out, "  # ");
    escape_terminal(out, (struct slice){text.p, text.n});
    buffer_fini(&text);
}

void config_show(const struct config *c, struct buffer *out)
{
    const char *section = "";
    size_t section_n = 0;
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        const char *key = config_params[id].key, *dot = strchr(key, '.');
        size_t n = dot ? (size_t)(dot - key) : 0;
        if (n && (n != section_n || memcmp(section, key, n) != 0))
            buffer_printf(out, "%.*s:\n", (int)n, key);
        section = key;
        section_n = n;
        buffer_printf(out, "%s%s: ", n ? "  " : "", n ? dot + 1 : key);
        put_yaml_value(c, id, out);
        put_comment(&c->origin[id], out);
        buffer_u8(out, '\n');
    }
}

/* ---- hash ---- */
static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_sorted(const struct text_list *list, struct buffer *out)
{
    const char **copy = calloc(list->n ? list->n : 1, sizeof *copy);
    if (!copy) {
        out->err = WEIR_NOMEM;
        return;
    }
    if (list->n) {
        memcpy(copy, list->item, list->n * sizeof *copy);
        qsort(copy, list->n, sizeof *copy, compare_text);
    }
    const char *last = "";
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(last, copy[i]) != 0)
            buffer_printf(out, "%s,", last = copy[i]);
    free(copy);
}

void config_hash(const struct config *c, char out[17])
{
    struct buffer b;
    struct sha256 digest;
    buffer_init(&b, (size_t)128 << 20);
    buffer_puts(&b, "weir configuration 1\n");
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        if (config_params[id].scope != PARAM_SCOPE_FINDINGS)
            continue;
        buffer_printf(&b, "%s=", config_params[id].key);
        if (param_is_list(id))
            put_sorted(config_member(c, id), &b);
        else
            config_value(c, id, &b);
        buffer_u8(&b, '\n');
    }
    sha256_of(b.p, b.n, &digest);
    out[0] = '\0';
    if (!b.err) /* out of memory: no hash is better than one of half the text */
        hex_encode(digest.b, 8, out);
    buffer_fini(&b);
}
