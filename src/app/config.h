/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - private to app: the rows of params.def as data, and the setters that the YAML binder shares with
 * environment and flags. Setters say what is wrong with a value; the caller says where it stood. */
#ifndef WEIR_APP_CONFIG_H
#define WEIR_APP_CONFIG_H

#include "weir/app.h"

#define CONFIG_FILE_MAX (1u << 20)
#define CONFIG_NAME_MAX 64 /* bytes of a key or variable name */

enum param_type { PARAM_TYPE_TEXT, PARAM_TYPE_NUMBER, PARAM_TYPE_BYTES, PARAM_TYPE_TIME,
                  PARAM_TYPE_BUDGET, PARAM_TYPE_CHOICE, PARAM_TYPE_CIDRS, PARAM_TYPE_PLACES };
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

/* Text in double quotes that YAML and a terminal take: ASCII only, the rest as \x, \u and \U escapes. */
void config_quote(struct buffer *out, struct slice text);
/* "default", "line 3 of /etc/weir.yaml", "environment WEIR_STORE", "flag --store". */
void config_put_origin(const struct config_origin *origin, struct buffer *out);
/* The whole page docs/configuration.md. */
void config_manual(struct buffer *out);

#endif
