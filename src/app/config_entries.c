/* SPDX-License-Identifier: Apache-2.0 */
/* config_entries.c - roles, rules, and what config_sinks.c adds: mappings with a name, each by a table of its fields, so that the binder, the manual and
 * what is shown follow from one place. A text is checked when it is taken, where its line and column are known; what
 * names another entry is looked up when all are read (roles.c, policy.c). */
#include "app/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/policy.h"

#define ROLE_NAME_MAX 64
#define RULE_NAME_MAX 128
#define ITEMS_MAX 10000 /* of one list */

/* ---- what fits ---- */

static bool name_fits(struct slice s, size_t max)
{
    if (!s.n || s.n > max || policy_word_of(s) != POLICY_NO_WORD)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z');
        bool inner = (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_' || s.p[i] == '.';
        if (!letter && (!i || !inner))
            return false;
    }
    return true;
}

bool entry_name_fits(struct slice s) { return name_fits(s, ROLE_NAME_MAX); }
static bool is_rule_name(struct slice s) { return name_fits(s, RULE_NAME_MAX); }

static bool is_network(struct slice s)
{
    struct ip first, last;
    return cidr_parse(s, &first, &last) == WEIR_OK;
}

static bool is_subject(struct slice s) { return policy_word_of(s) == POLICY_ANY || is_network(s) || entry_name_fits(s); }

static bool is_end(struct slice s)
{
    enum policy_word word = policy_word_of(s);
    return word == POLICY_NO_WORD ? is_network(s) || entry_name_fits(s) : word != POLICY_OTHER;
}

static bool is_ports(struct slice s)
{
    struct port_range range;
    return policy_word_of(s) == POLICY_OTHER || port_range_parse(s, &range);
}

#define WANT_NAME "a name of letters, digits, '-', '_' and '.' that begins with a letter, at most 64 bytes (of a rule 128), and is not any, ours, internet or other"
#define WANT_END "a role, a network, any, ours or internet"

static const struct entry_field role_fields[] = {
    {"networks", ENTRY_LIST, offsetof(struct config_role, networks), is_network, "a network, as 10.0.2.0/24", "networks whose hosts have the role"},
    {"interfaces", ENTRY_LIST, offsetof(struct config_role, interfaces), config_is_interface_id, "the id of an interface, as eni-0123",
     "ids of network interfaces; they win over networks"},
    {"sensitive", ENTRY_FLAG, offsetof(struct config_role, sensitive), NULL, "true or false", "its findings are more severe; default false"},
    {"daily_ceiling", ENTRY_BYTES, offsetof(struct config_role, daily_ceiling), NULL, "bytes, as 10GB",
     "a host that sends more outside in one day is a finding, even on its first day; default none"},
};

static const struct entry_field rule_fields[] = {
    {"name", ENTRY_TEXT, offsetof(struct config_entry, name), is_rule_name, WANT_NAME, "what findings call it"},
    {"into", ENTRY_TEXT, offsetof(struct config_rule, into), is_subject, "a role, a network or any",
     "the hosts that are called: a role, a network, or `any` for all of ours. Needs `from`"},
    {"out_of", ENTRY_TEXT, offsetof(struct config_rule, out_of), is_subject, "a role, a network or any",
     "or the hosts that call. Needs `to`"},
    {"ports", ENTRY_LIST, offsetof(struct config_rule, ports), is_ports, "a port, as 5432, tcp/5432 or udp/5000-5100, or other",
     "ports of the end that is called; `other` alone: those that no other rule with the same `into` or `out_of` names; default all"},
    {"from", ENTRY_LIST, offsetof(struct config_rule, from), is_end, WANT_END,
     "the only ones that may call: roles, networks, `any`, `ours`, `internet`; an empty list: nobody"},
    {"to", ENTRY_LIST, offsetof(struct config_rule, to), is_end, WANT_END, "the only ones that may be called, in the same words"},
};

static const struct entry_kind kinds[] = {
    {"role", true, sizeof(struct config_role), role_fields, WEIR_COUNT(role_fields)},
    {"rule", false, sizeof(struct config_rule), rule_fields, WEIR_COUNT(rule_fields)},
};

const struct entry_kind *entry_kind_of(enum param_id id)
{
    switch (config_params[id].type) {
    case PARAM_TYPE_SINKS: return &entry_kind_sink;
    case PARAM_TYPE_SUPPRESSIONS: return &entry_kind_suppression;
    case PARAM_TYPE_RULES: return &kinds[1];
    default: return &kinds[0];
    }
}

const struct entry_field *entry_field_find(const struct entry_kind *kind, struct slice key)
{
    for (size_t i = 0; i < kind->fields; i++)
        if (slice_eq(key, slice_of(kind->field[i].key)))
            return &kind->field[i];
    return NULL;
}

const char *entry_field_nearest(const struct entry_kind *kind, struct slice wrong)
{
    const char *names[ENTRY_FIELDS_MAX];
    for (size_t i = 0; i < kind->fields; i++)
        names[i] = kind->field[i].key;
    return nearest_name(wrong, names, kind->fields);
}

/* ---- taking ---- */

static struct entry_list *list_of(struct config *c, enum param_id id) { return (struct entry_list *)((char *)c + config_params[id].offset); }

struct config_entry *entry_new(struct config *c, enum param_id id, struct fault *fault)
{
    const struct param *p = &config_params[id];
    struct entry_list *list = list_of(c, id);
    if (list->n >= p->max) {
        fault_set(fault, WEIR_USAGE, "'%s' has more than %llu %s", p->key, (unsigned long long)p->max, p->unit);
        return NULL;
    }
    struct config_entry **grown = list->item;
    if ((list->n & (list->n - 1)) == 0) { /* doubled at powers of two, as other lists */
        grown = arena_alloc(c->arena, sizeof *grown * (list->n ? list->n * 2 : 1));
        if (grown && list->n)
            memcpy(grown, list->item, list->n * sizeof *grown);
    }
    struct config_entry *e = arena_alloc(c->arena, entry_kind_of(id)->bytes);
    if (!grown || !e) {
        fault_set(fault, WEIR_NOMEM, "'%s': out of memory", p->key);
        return NULL;
    }
    list->item = grown;
    return list->item[list->n++] = e;
}

static enum weir_err refuse(const char *key, const char *want, struct slice text, struct fault *fault)
{
    return fault_set(fault, WEIR_USAGE, "'%s' must be %s, not '%.*s'", key, want, (int)(text.n > 80 ? 80 : text.n), text.n ? text.p : "");
}

static enum weir_err take_text(struct config *c, const struct entry_field *f, void *member, struct slice text, struct fault *fault)
{
    if (!f->fits(text))
        return refuse(f->key, f->want, text, fault);
    const char *copy = config_keep(c, text);
    if (!copy)
        return fault_set(fault, WEIR_NOMEM, "'%s': out of memory", f->key);
    if (f->type == ENTRY_TEXT) {
        *(const char **)member = copy;
        return WEIR_OK;
    }
    struct text_list *list = member;
    if (list->n >= ITEMS_MAX)
        return fault_set(fault, WEIR_USAGE, "'%s' has more than %d items", f->key, ITEMS_MAX);
    return config_list_push(c, list, copy) ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "'%s': out of memory", f->key);
}

enum weir_err entry_take(struct config *c, const struct entry_field *f, struct config_entry *e, struct slice text, struct fault *fault)
{
    void *member = (char *)e + f->offset;
    bool yes = slice_eq(text, SLICE_LIT("true"));
    uint64_t bytes = 0;
    switch (f->type) {
    case ENTRY_TEXT:
    case ENTRY_LIST: return take_text(c, f, member, text, fault);
    case ENTRY_FLAG:
        if (!yes && !slice_eq(text, SLICE_LIT("false")))
            return refuse(f->key, f->want, text, fault);
        *(bool *)member = yes;
        return WEIR_OK;
    case ENTRY_BYTES: break;
    }
    if (parse_bytes(text, &bytes) || !bytes || text.p[0] == '0')
        return refuse(f->key, f->want, text, fault);
    *(uint64_t *)member = bytes;
    return WEIR_OK;
}

enum weir_err entry_name(struct config *c, const struct entry_kind *kind, struct config_entry *e, struct slice name, struct fault *fault)
{
    if (!entry_name_fits(name))
        return fault_set(fault, WEIR_USAGE, "the name of a %s must be %s, not '%.*s'", kind->word, WANT_NAME, (int)(name.n > 80 ? 80 : name.n), name.p);
    return (e->name = config_keep(c, name)) ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
}

static bool names_other(const struct text_list *ports)
{
    for (size_t i = 0; i < ports->n; i++)
        if (policy_word_of(slice_of(ports->item[i])) == POLICY_OTHER)
            return true;
    return false;
}

static enum weir_err check_rule(const struct config_rule *r, bool ports, bool from, bool to, struct fault *fault)
{
    const char *name = r->entry.name;
    if (!r->into == !r->out_of)
        return fault_set(fault, WEIR_USAGE, "rule '%s' needs one of 'into' and 'out_of'", name);
    if (from != (r->into != NULL) || to != (r->out_of != NULL))
        return fault_set(fault, WEIR_USAGE, "rule '%s' needs '%s', and it alone: who may be the other end", name, r->into ? "from" : "to");
    if (ports && !r->ports.n)
        return fault_set(fault, WEIR_USAGE, "rule '%s' has no ports: leave 'ports' out to mean all", name);
    if (names_other(&r->ports) && r->ports.n > 1)
        return fault_set(fault, WEIR_USAGE, "rule '%s': 'other' stands alone in 'ports'", name);
    return WEIR_OK;
}

bool entry_has(const struct config_entry *e, const struct entry_kind *kind, const char *key)
{
    const struct entry_field *f = entry_field_find(kind, slice_of(key));
    return e->given >> (f - kind->field) & 1;
}

enum weir_err entry_check(enum param_id id, const struct config_entry *e, struct fault *fault)
{
    const struct entry_kind *kind = entry_kind_of(id);
    if (!e->name)
        return fault_set(fault, WEIR_USAGE, "a %s needs a 'name'", kind->word);
    if (kind == &entry_kind_sink)
        return sink_entry_check(e, fault);
    if (kind == &entry_kind_suppression)
        return suppression_entry_check(e, fault);
    if (kind->keyed)
        return WEIR_OK;
    return check_rule((const struct config_rule *)e, entry_has(e, kind, "ports"), entry_has(e, kind, "from"), entry_has(e, kind, "to"), fault);
}

/* ---- when all is read ---- */

enum weir_err entry_fault(const struct config *c, enum param_id id, const struct config_entry *e, struct fault *fault, const char *format, ...)
{
    char why[256];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return fault_set(fault, WEIR_USAGE, "config '%.100s': line %u, column %u: %s '%s': %s", c->origin[id].name, e->line, e->column, entry_kind_of(id)->word,
                     e->name, why);
}

static int by_name(const void *a, const void *b)
{
    const struct config_entry *x = *(struct config_entry *const *)a, *y = *(struct config_entry *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* The order of entries and of their lists means nothing: one order, so that the configuration hash is that of the meaning. */
static void sort_lists(const struct entry_kind *kind, struct config_entry *e)
{
    for (size_t i = 0; i < kind->fields; i++) {
        struct text_list *list = (struct text_list *)((char *)e + kind->field[i].offset);
        if (kind->field[i].type == ENTRY_LIST && list->n)
            qsort(list->item, list->n, sizeof *list->item, by_text);
    }
}

enum weir_err entries_finish(struct config *c, struct fault *fault)
{
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        if (!param_is_entries(id) || !list_of(c, id)->n)
            continue;
        struct entry_list *list = list_of(c, id);
        qsort(list->item, list->n, sizeof(struct config_entry *), by_name);
        for (size_t i = 0; i < list->n; i++) {
            sort_lists(entry_kind_of(id), list->item[i]);
            if (i && strcmp(list->item[i]->name, list->item[i - 1]->name) == 0)
                return entry_fault(c, id, list->item[i], fault, "stands twice, first on line %u", list->item[i - 1]->line);
        }
    }
    return WEIR_OK;
}

/* ---- showing ---- */

static void put_field(const struct entry_field *f, const struct config_entry *e, struct buffer *out)
{
    const void *member = (const char *)e + f->offset;
    const struct text_list *list = member;
    buffer_printf(out, "%s: ", f->key);
    switch (f->type) {
    case ENTRY_TEXT: config_quote(out, slice_of(*(const char *const *)member)); return;
    case ENTRY_FLAG: buffer_puts(out, *(const bool *)member ? "true" : "false"); return;
    case ENTRY_BYTES: buffer_printf(out, "%llu", (unsigned long long)*(const uint64_t *)member); return;
    case ENTRY_LIST: break;
    }
    for (size_t i = 0; i < list->n; i++) {
        buffer_puts(out, i ? ", " : "[");
        config_quote(out, slice_of(list->item[i]));
    }
    buffer_puts(out, list->n ? "]" : "[]");
}

void entry_put(const struct entry_kind *kind, const struct config_entry *e, struct buffer *out)
{
    const char *comma = "";
    if (kind->keyed) {
        config_quote(out, slice_of(e->name));
        buffer_puts(out, ": ");
    }
    buffer_u8(out, '{');
    for (size_t i = 0; i < kind->fields; i++)
        if (e->given >> i & 1) {
            buffer_puts(out, comma);
            put_field(&kind->field[i], e, out);
            comma = ", ";
        }
    buffer_u8(out, '}');
}

void entries_put(const struct config *c, enum param_id id, struct buffer *out)
{
    const struct entry_list *list = config_member(c, id);
    const struct entry_kind *kind = entry_kind_of(id);
    buffer_u8(out, kind->keyed ? '{' : '[');
    for (size_t i = 0; i < list->n; i++) {
        buffer_puts(out, i ? ", " : "");
        entry_put(kind, list->item[i], out);
    }
    buffer_u8(out, kind->keyed ? '}' : ']');
}
