/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - private to app: the rows of params.def as data, and the setters that the YAML binder shares with
 * environment and flags. Setters say what is wrong with a value; the caller says where it stood. */
#ifndef WEIR_APP_CONFIG_H
#define WEIR_APP_CONFIG_H

#include "weir/app.h"

#define CONFIG_FILE_MAX (1u << 20)
#define CONFIG_NAME_MAX 64 /* bytes of a key or variable name */

enum param_type { PARAM_TYPE_TEXT, PARAM_TYPE_NUMBER, PARAM_TYPE_BYTES, PARAM_TYPE_TIME,
                  PARAM_TYPE_BUDGET, PARAM_TYPE_CHOICE, PARAM_TYPE_CIDRS, PARAM_TYPE_PLACES,
                  PARAM_TYPE_ROLES, PARAM_TYPE_RULES, PARAM_TYPE_SINKS, PARAM_TYPE_SUPPRESSIONS };
enum param_scope { PARAM_SCOPE_RUN, PARAM_SCOPE_FINDINGS, PARAM_SCOPE_CONTENT };

struct param {
    enum param_type type;
    enum param_scope scope;
    const char *key, *def, *unit, *text;
    uint64_t min, max;
    size_t offset; /* of the member in struct config */
};
extern const struct param config_params[PARAM_COUNT];

static inline bool param_is_list(enum param_id id)
{
    return config_params[id].type == PARAM_TYPE_CIDRS || config_params[id].type == PARAM_TYPE_PLACES;
}
static inline bool param_is_entries(enum param_id id)
{
    return config_params[id].type >= PARAM_TYPE_ROLES;
}
static inline const void *config_member(const struct config *c, enum param_id id)
{
    return (const char *)c + config_params[id].offset;
}

bool param_find(struct slice key, enum param_id *out);
/* A part of keys before a dot: "networks" of networks.own. *first: the first key of the section. */
bool param_find_section(struct slice name, enum param_id *first);
const char *param_nearest(struct slice wrong); /* nearest key or section, or NULL */
/* "WEIR_NETWORKS_OWN" */
void param_variable(enum param_id id, char out[CONFIG_NAME_MAX]);
/* "from 0 to 64", "at most 250000": what the range of a key reads like; empty when there is nothing to say. */
void param_range(const struct param *p, struct buffer *out);
void param_put_number(const struct param *p, uint64_t value, struct buffer *out); /* with its unit: 64GiB, 15m */

/* Set a key that is no list from text. USAGE: the reason, with the name of the key. */
WEIR_MUST_USE enum weir_err config_assign(struct config *c, enum param_id id, struct slice text, struct fault *fault);
void config_list_clear(struct config *c, enum param_id id);
WEIR_MUST_USE enum weir_err config_list_add(struct config *c, enum param_id id, struct slice item, struct fault *fault);

/* ---- config_entries.c: mappings with a name, by a table of their fields ---- */
enum entry_type { ENTRY_TEXT, ENTRY_LIST, ENTRY_FLAG, ENTRY_BYTES };
struct entry_field {
    const char *key;
    enum entry_type type;
    size_t offset; /* in the struct of its kind */
    bool (*fits)(struct slice text); /* of a text or an item of a list */
    const char *want, *text;         /* what fits, what it means */
};
struct entry_kind {
    const char *word; /* "role", "rule", "sink", "suppression" */
    bool keyed;       /* its name is its key in a mapping; else a field of a mapping in a list */
    size_t bytes;
    const struct entry_field *field; size_t fields;
};
#define ENTRY_FIELDS_MAX 16
const struct entry_kind *entry_kind_of(enum param_id id);
bool entry_has(const struct config_entry *e, const struct entry_kind *kind, const char *key);
const struct entry_field *entry_field_find(const struct entry_kind *kind, struct slice key);
const char *entry_field_nearest(const struct entry_kind *kind, struct slice wrong); /* or NULL */
/* A new one at the end of the list; NULL with fault beyond the cap or out of memory. */
struct config_entry *entry_new(struct config *c, enum param_id id, struct fault *fault);
/* Set a field that is no list, or add an item to one that is. */
WEIR_MUST_USE enum weir_err entry_take(struct config *c, const struct entry_field *f, struct config_entry *e, struct slice text, struct fault *fault);
bool entry_name_fits(struct slice name);
/* The name of a keyed one. */
WEIR_MUST_USE enum weir_err entry_name(struct config *c, const struct entry_kind *kind, struct config_entry *e, struct slice name, struct fault *fault);
/* Is it whole: does it hold what it must? */
WEIR_MUST_USE enum weir_err entry_check(enum param_id id, const struct config_entry *e, struct fault *fault);
/* ---- config_sinks.c ---- */
extern const struct entry_kind entry_kind_sink, entry_kind_suppression;
WEIR_MUST_USE enum weir_err sink_entry_check(const struct config_entry *e, struct fault *fault);
WEIR_MUST_USE enum weir_err suppression_entry_check(const struct config_entry *e, struct fault *fault);

/* Sort the entries of every list by name; two of one name are USAGE. */
WEIR_MUST_USE enum weir_err entries_finish(struct config *c, struct fault *fault);
/* As YAML on one line: one with its name, and a list. */
void entry_put(const struct entry_kind *kind, const struct config_entry *e, struct buffer *out);
void entries_put(const struct config *c, enum param_id id, struct buffer *out);
/* Fill *fault with the place of an entry in the file. */
enum weir_err entry_fault(const struct config *c, enum param_id id, const struct config_entry *e, struct fault *fault, const char *format, ...) WEIR_PRINTF(5, 6);

/* ---- config.c, for entries ---- */
const char *config_keep(struct config *c, struct slice text); /* a copy that lives as long as c */
bool config_list_push(struct config *c, struct text_list *list, const char *item);
bool config_is_interface_id(struct slice s);
bool config_is_plain_text(struct slice s); /* UTF-8 without control bytes */

/* Text in double quotes that YAML and a terminal take: ASCII only, the rest as \x, \u and \U escapes. */
void config_quote(struct buffer *out, struct slice text);
/* "default", "line 3 of /etc/weir.yaml", "environment WEIR_STORE", "flag --store". */
void config_put_origin(const struct config_origin *origin, struct buffer *out);
/* The whole page docs/configuration.md. */
void config_manual(struct buffer *out);

#endif
