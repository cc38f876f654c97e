/* SPDX-License-Identifier: Apache-2.0 */
/* config_yaml.c - the strict binder: libyaml's events against params.def, with line and column in every message.
 *
 * YAML is far more than a configuration needs. Accepted are nested mappings with plain keys, scalars, lists of scalars
 * where a key is a list, and roles and rules as their table has them. Refused: anchors, aliases, tags, several documents, repeated keys, tabs, keys that are not text,
 * values whose YAML type is another (a number in quotes, text that YAML 1.1 reads as number, truth value or null).
 * Depth is bounded by the sections of params.def, which the reader follows; size by the caller; lists by their key.
 * Source: YAML 1.1 (yaml.org/spec/1.1), libyaml 0.2.5 yaml.h. */
#include "app/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct binder {
    struct config *c;
    const char *name; /* of the file, owned by c */
    struct slice text;
    yaml_parser_t parser;
    yaml_event_t event; /* the present one, deleted by the next advance() */
    bool seen[PARAM_COUNT];
    bool section_seen[PARAM_COUNT]; /* by the first key of the section */
    struct fault *fault;
};

static enum weir_err complain(struct binder *b, enum weir_err err, yaml_mark_t at, const char *format, ...) WEIR_PRINTF(4, 5);
static enum weir_err complain(struct binder *b, enum weir_err err, yaml_mark_t at, const char *format, ...)
{
    char why[256];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return fault_set(b->fault, err, "config '%.100s': line %zu, column %zu: %s", b->name, at.line + 1, at.column + 1, why);
}

/* Line and column of a byte: for what libyaml's reader refuses before its scanner has a place for it. */
static yaml_mark_t mark_of(struct slice text, size_t offset)
{
    yaml_mark_t mark = {offset, 0, 0};
    for (size_t i = 0; i < offset && i < text.n; i++) {
        bool newline = text.p[i] == '\n', continued = ((unsigned char)text.p[i] & 0xc0) == 0x80;
        mark.line += newline;
        mark.column = newline ? 0 : mark.column + !continued;
    }
    return mark;
}

static enum weir_err complain_parser(struct binder *b)
{
    const yaml_parser_t *p = &b->parser;
    const char *problem = p->problem ? p->problem : "malformed YAML";
    if (p->error == YAML_MEMORY_ERROR)
        return fault_set(b->fault, WEIR_NOMEM, "config '%.100s': line 1: out of memory", b->name);
    if (p->error == YAML_READER_ERROR)
        return complain(b, WEIR_USAGE, mark_of(b->text, p->problem_offset), "%s", problem);
    return complain(b, WEIR_USAGE, p->problem_mark, "%s%s%s", p->context ? p->context : "", p->context ? ": " : "", problem);
}

static bool has_property(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT: return e->data.scalar.anchor || e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT: return e->data.sequence_start.anchor || e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT: return e->data.mapping_start.anchor || e->data.mapping_start.tag;
    case YAML_ALIAS_EVENT: return true;
    case YAML_DOCUMENT_START_EVENT: return e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: break;
    }
    return false;
}

static enum weir_err advance(struct binder *b)
{
    yaml_event_delete(&b->event);
    if (!yaml_parser_parse(&b->parser, &b->event))
        return complain_parser(b);
    if (has_property(&b->event))
        return complain(b, WEIR_USAGE, b->event.start_mark, "anchors, aliases and tags are not taken");
    return WEIR_OK;
}

static struct slice scalar(const struct binder *b)
{
    return (struct slice){(const char *)b->event.data.scalar.value, b->event.data.scalar.length};
}

static bool is_plain(const struct binder *b)
{
    return b->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_one_of(struct slice s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq_nocase(s, slice_of(words[i])))
            return true;
    return false;
}

static bool is_null(const struct binder *b)
{
    static const char *const words[] = {"", "~", "null"};
    return b->event.type == YAML_SCALAR_EVENT && is_plain(b) && is_one_of(scalar(b), words, WEIR_COUNT(words));
}

/* What YAML 1.1 would read as a truth value or number, near enough: refusing too much costs a pair of quotes. An address with a
 * port is none: numbers to the base of 60 have their dot behind the colons. */
static bool looks_typed(struct slice s)
{
    static const char *const words[] = {"y", "n", "yes", "no", "true", "false", "on", "off", ".inf", "-.inf", "+.inf", ".nan"};
    bool digit = false, dot = false;
    for (size_t i = 0; i < s.n; i++) {
        digit |= s.p[i] >= '0' && s.p[i] <= '9';
        dot |= s.p[i] == '.';
        if (dot && s.p[i] == ':')
            return false;
        if (!memchr("0123456789+-._:eExX", s.p[i], 19))
            return is_one_of(s, words, WEIR_COUNT(words));
    }
    return digit || is_one_of(s, words, WEIR_COUNT(words));
}

/* ---- values ---- */
static enum weir_err take_scalar(struct binder *b, enum param_id id)
{
    const struct param *p = &config_params[id];
    yaml_mark_t at = b->event.start_mark;
    struct fault why = {0};
    if (b->event.type != YAML_SCALAR_EVENT)
        return complain(b, WEIR_USAGE, at, "'%s' must be one value, not a %s", p->key, b->event.type == YAML_SEQUENCE_START_EVENT ? "list" : "section");
    if (is_null(b))
        return complain(b, WEIR_USAGE, at, "'%s' has no value", p->key);
    if (p->type == PARAM_TYPE_NUMBER && !is_plain(b))
        return complain(b, WEIR_USAGE, at, "'%s' must be a number, not text in quotes", p->key);
    if (p->type == PARAM_TYPE_TEXT && is_plain(b) && looks_typed(scalar(b)))
        return complain(b, WEIR_USAGE, at, "'%s' must be text: put it in quotes", p->key);
    enum weir_err err = config_assign(b->c, id, scalar(b), &why);
    return err ? complain(b, err, at, "%s", why.text) : WEIR_OK;
}

static enum weir_err take_list(struct binder *b, enum param_id id)
{
    const char *key = config_params[id].key;
    if (b->event.type != YAML_SEQUENCE_START_EVENT)
        return complain(b, WEIR_USAGE, b->event.start_mark, "'%s' must be a list, as [10.0.0.0/8]", key);
    config_list_clear(b->c, id);
    for (;;) {
        enum weir_err err = advance(b);
        if (err || b->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        if (b->event.type != YAML_SCALAR_EVENT)
            return complain(b, WEIR_USAGE, b->event.start_mark, "'%s' must be a list of single values", key);
        struct fault why = {0};
        err = config_list_add(b->c, id, scalar(b), &why);
        if (err)
            return complain(b, err, b->event.start_mark, "%s", why.text);
    }
}

/* ---- entries: mappings whose keys are rows of a table (config_entries.c) ---- */
static const char *not_scalar_word(const struct binder *b) { return b->event.type == YAML_SEQUENCE_START_EVENT ? "list" : "mapping"; }

static enum weir_err take_field_item(struct binder *b, const struct entry_field *f, struct config_entry *e)
{
    yaml_mark_t at = b->event.start_mark;
    struct fault why = {0};
    if (b->event.type != YAML_SCALAR_EVENT)
        return complain(b, WEIR_USAGE, at, "'%s' must be %s, not a %s", f->key, f->type == ENTRY_LIST ? "a list of single values" : "one value", not_scalar_word(b));
    if (is_null(b))
        return complain(b, WEIR_USAGE, at, "'%s' has no value", f->key);
    enum weir_err err = entry_take(b->c, f, e, scalar(b), &why);
    return err ? complain(b, err, at, "%s", why.text) : WEIR_OK;
}

static enum weir_err take_field_list(struct binder *b, const struct entry_field *f, struct config_entry *e)
{
    if (b->event.type != YAML_SEQUENCE_START_EVENT)
        return complain(b, WEIR_USAGE, b->event.start_mark, "'%s' must be a list", f->key);
    for (;;) {
        enum weir_err err = advance(b);
        if (err || b->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        err = take_field_item(b, f, e);
        if (err)
            return err;
    }
}

static enum weir_err take_field(struct binder *b, const struct entry_kind *kind, struct config_entry *e)
{
    yaml_mark_t at = b->event.start_mark;
    if (b->event.type != YAML_SCALAR_EVENT)
        return complain(b, WEIR_USAGE, at, "a key must be a single word");
    struct slice key = scalar(b);
    const struct entry_field *f = entry_field_find(kind, key);
    if (!f) {
        const char *near = entry_field_nearest(kind, key);
        return complain(b, WEIR_USAGE, at, "unknown key '%.*s' of a %s%s%s%s", (int)(key.n > 80 ? 80 : key.n), key.p, kind->word,
                        near ? ", the nearest is '" : "", near ? near : "", near ? "'" : "");
    }
    if (e->given >> (f - kind->field) & 1)
        return complain(b, WEIR_USAGE, at, "'%s' stands twice in one %s", f->key, kind->word);
    e->given |= 1u << (f - kind->field);
    enum weir_err err = advance(b);
    return err ? err : f->type == ENTRY_LIST ? take_field_list(b, f, e) : take_field_item(b, f, e);
}

static enum weir_err take_fields(struct binder *b, enum param_id id, struct config_entry *e)
{
    const struct entry_kind *kind = entry_kind_of(id);
    struct fault why = {0};
    enum weir_err err = WEIR_OK;
    if (b->event.type != YAML_MAPPING_START_EVENT)
        return complain(b, WEIR_USAGE, b->event.start_mark, "a %s is a mapping, as {%s: ...}", kind->word, kind->field[0].key);
    while (!(err = advance(b)) && b->event.type != YAML_MAPPING_END_EVENT)
        if ((err = take_field(b, kind, e)))
            return err;
    if (!err && (err = entry_check(id, e, &why)))
        return complain(b, err, (yaml_mark_t){0, e->line - 1, e->column - 1}, "%s", why.text);
    return err;
}

static enum weir_err take_entry(struct binder *b, enum param_id id)
{
    const struct entry_kind *kind = entry_kind_of(id);
    yaml_mark_t at = b->event.start_mark;
    struct fault why = {0};
    struct config_entry *e = entry_new(b->c, id, &why);
    if (!e)
        return complain(b, why.err, at, "%s", why.text);
    e->line = (unsigned)at.line + 1;
    e->column = (unsigned)at.column + 1;
    if (!kind->keyed)
        return take_fields(b, id, e);
    if (b->event.type != YAML_SCALAR_EVENT)
        return complain(b, WEIR_USAGE, at, "a key must be a single word");
    enum weir_err err = entry_name(b->c, kind, e, scalar(b), &why);
    if (err)
        return complain(b, err, at, "%s", why.text);
    err = advance(b);
    return err || is_null(b) ? err : take_fields(b, id, e); /* nothing below its name: a role that only other sources give */
}

static enum weir_err take_entries(struct binder *b, enum param_id id)
{
    const struct entry_kind *kind = entry_kind_of(id);
    yaml_event_type_t begin = kind->keyed ? YAML_MAPPING_START_EVENT : YAML_SEQUENCE_START_EVENT;
    yaml_event_type_t end = kind->keyed ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    if (is_null(b)) /* all of it is comments */
        return WEIR_OK;
    if (b->event.type != begin)
        return complain(b, WEIR_USAGE, b->event.start_mark, "'%s' must be a %s", config_params[id].key, kind->keyed ? "mapping of names" : "list of mappings");
    for (;;) {
        enum weir_err err = advance(b);
        if (err || b->event.type == end)
            return err;
        err = take_entry(b, id);
        if (err)
            return err;
    }
}

static enum weir_err take_value(struct binder *b, enum param_id id, yaml_mark_t at)
{
    if (b->seen[id])
        return complain(b, WEIR_USAGE, at, "'%s' stands twice, first on line %u", config_params[id].key, b->c->origin[id].line);
    b->seen[id] = true;
    b->c->origin[id] = (struct config_origin){FROM_FILE, b->name, (unsigned)at.line + 1};
    enum weir_err err = advance(b);
    if (err)
        return err;
    return param_is_entries(id) ? take_entries(b, id) : param_is_list(id) ? take_list(b, id) : take_scalar(b, id);
}

/* ---- mappings ---- */
struct path {
    char text[CONFIG_NAME_MAX];
    size_t n;
};

/* Section and key joined by a dot; a longer one than any key has is cut, and so unknown. */
static struct path join(const struct path *section, struct slice key)
{
    struct path path = {.n = 0};
    if (section) {
        memcpy(path.text, section->text, section->n);
        path.n = section->n;
        path.text[path.n++] = '.';
    }
    size_t room = sizeof path.text - path.n, n = key.n < room ? key.n : room;
    memcpy(path.text + path.n, key.p, n);
    path.n += n;
    return path;
}

static enum weir_err unknown_key(struct binder *b, const struct path *path, yaml_mark_t at)
{
    const char *near = param_nearest((struct slice){path->text, path->n});
    if (near)
        return complain(b, WEIR_USAGE, at, "unknown key '%.*s', the nearest is '%s'", (int)path->n, path->text, near);
    return complain(b, WEIR_USAGE, at, "unknown key '%.*s', see 'weir config keys'", (int)path->n, path->text);
}

static enum weir_err take_mapping(struct binder *b, const struct path *section);

static enum weir_err take_section(struct binder *b, const struct path *path, enum param_id first, yaml_mark_t at)
{
    if (b->section_seen[first])
        return complain(b, WEIR_USAGE, at, "section '%.*s' stands twice", (int)path->n, path->text);
    b->section_seen[first] = true;
    enum weir_err err = advance(b);
    if (err || is_null(b)) /* a section whose keys are all comments */
        return err;
    if (b->event.type != YAML_MAPPING_START_EVENT)
        return complain(b, WEIR_USAGE, b->event.start_mark, "'%.*s' is a section: its keys stand below it, indented", (int)path->n, path->text);
    return take_mapping(b, path);
}

static enum weir_err take_pair(struct binder *b, const struct path *section)
{
    yaml_mark_t at = b->event.start_mark;
    enum param_id id;
    if (b->event.type != YAML_SCALAR_EVENT)
        return complain(b, WEIR_USAGE, at, "a key must be a single word");
    struct slice key = scalar(b);
    struct path path = join(section, key);
    struct slice name = {path.text, path.n};
    if (memchr(key.p, '.', key.n) && param_find(name, &id))
        return complain(b, WEIR_USAGE, at, "'%.*s': a dot is a section, write the last word below it, indented", (int)path.n, path.text);
    if (param_find_section(name, &id))
        return take_section(b, &path, id, at);
    return param_find(name, &id) ? take_value(b, id, at) : unknown_key(b, &path, at);
}

/* The recursion follows sections that exist, so params.def bounds its depth. */
static enum weir_err take_mapping(struct binder *b, const struct path *section)
{
    for (;;) {
        enum weir_err err = advance(b);
        if (err || b->event.type == YAML_MAPPING_END_EVENT)
            return err;
        err = take_pair(b, section);
        if (err)
            return err;
    }
}

static enum weir_err take_document(struct binder *b)
{
    enum weir_err err = advance(b);
    if (!err && b->event.type == YAML_MAPPING_START_EVENT)
        err = take_mapping(b, NULL);
    else if (!err && !is_null(b))
        err = complain(b, WEIR_USAGE, b->event.start_mark, "keys and values are expected, as 'threads: 2'");
    if (!err)
        err = advance(b); /* the end of the document */
    if (!err)
        err = advance(b);
    if (!err && b->event.type != YAML_STREAM_END_EVENT)
        err = complain(b, WEIR_USAGE, b->event.start_mark, "a second document");
    return err;
}

static enum weir_err take_stream(struct binder *b)
{
    const char *tab = b->text.n ? memchr(b->text.p, '\t', b->text.n) : NULL;
    if (tab)
        return complain(b, WEIR_USAGE, mark_of(b->text, (size_t)(tab - b->text.p)), "a tab: indent with blanks, write \\t inside double quotes");
    enum weir_err err = advance(b);
    if (!err)
        err = advance(b);
    return err || b->event.type == YAML_STREAM_END_EVENT ? err : take_document(b);
}

enum weir_err config_read_text(struct config *c, struct slice yaml, const char *name, struct fault *fault)
{
    struct binder b = {.c = c, .text = yaml, .fault = fault};
    b.name = arena_slice(c->arena, (struct slice){name, strlen(name) + 1}).p;
    if (yaml.n > CONFIG_FILE_MAX)
        return fault_set(fault, WEIR_USAGE, "config '%.100s': line 1, column 1: %zu bytes, at most %u", name, yaml.n, CONFIG_FILE_MAX);
    if (!b.name || !yaml_parser_initialize(&b.parser))
        return fault_set(fault, WEIR_NOMEM, "config '%.100s': line 1: out of memory", name);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING); /* else a byte order mark would choose UTF-16 */
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)(yaml.n ? yaml.p : ""), yaml.n);
    enum weir_err err = take_stream(&b);
    yaml_event_delete(&b.event);
    yaml_parser_delete(&b.parser);
    return err;
}
