/* SPDX-License-Identifier: Apache-2.0 */
/* config_keys.c - the names: find a key, offer the nearest one, its environment variable, its range, and the manual page
 * docs/configuration.md, which is made from params.def and never written by hand. */
#include "app/config.h"

#include <string.h>

bool param_find(struct slice key, enum param_id *out)
{
    for (enum param_id id = 0; id < PARAM_COUNT; id++)
        if (slice_eq(key, slice_of(config_params[id].key))) {
            *out = id;
            return true;
        }
    return false;
}

bool param_find_section(struct slice name, enum param_id *first)
{
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        const char *key = config_params[id].key;
        if (name.n && strlen(key) > name.n && key[name.n] == '.' && memcmp(key, name.p, name.n) == 0) {
            *first = id;
            return true;
        }
    }
    return false;
}

/* A section is offered by the first key in it, cut at the dot: an unknown 'network' is nearer to 'networks' than to any key. */
const char *param_nearest(struct slice wrong)
{
    static char section[PARAM_COUNT][CONFIG_NAME_MAX];
    const char *names[2 * PARAM_COUNT];
    size_t n = 0;
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        const char *key = config_params[id].key;
        size_t head = strcspn(key, ".");
        names[n++] = key;
        memcpy(section[id], key, head);
        if (key[head])
            names[n++] = section[id];
    }
    return nearest_name(wrong, names, n);
}

void param_variable(enum param_id id, char out[CONFIG_NAME_MAX])
{
    static const char prefix[] = "WEIR_";
    const char *key = config_params[id].key;
    size_t n = sizeof prefix - 1;
    memcpy(out, prefix, n);
    for (; *key && n + 1 < CONFIG_NAME_MAX; key++)
        out[n++] = *key == '.' ? '_' : *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A') : *key;
    out[n] = '\0';
}

struct unit {
    const char *name;
    uint64_t size;
};

/* In the largest unit that divides the value, so that nothing is lost. */
static void put_in_units(uint64_t value, const struct unit *units, size_t n, struct buffer *out)
{
    for (size_t i = 0; i < n; i++)
        if (value && value % units[i].size == 0) {
            buffer_printf(out, "%llu%s", (unsigned long long)(value / units[i].size), units[i].name);
            return;
        }
    buffer_printf(out, "%llu", (unsigned long long)value);
}

void param_put_number(const struct param *p, uint64_t value, struct buffer *out)
{
    static const struct unit bytes[] = {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}};
    static const struct unit times[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
    if (p->type == PARAM_TYPE_BYTES)
        put_in_units(value, bytes, WEIR_COUNT(bytes), out);
    else if (p->type == PARAM_TYPE_TIME)
        put_in_units(value, times, WEIR_COUNT(times), out);
    else
        put_in_units(value, NULL, 0, out);
}

static void put_words(const char *words, struct buffer *out)
{
    for (; *words; words++)
        buffer_puts(out, *words == '|' ? ", " : (char[]){*words, '\0'});
}

void param_range(const struct param *p, struct buffer *out)
{
    switch (p->type) {
    case PARAM_TYPE_NUMBER:
    case PARAM_TYPE_BYTES:
    case PARAM_TYPE_TIME:
    case PARAM_TYPE_BUDGET:
        buffer_puts(out, "from ");
        param_put_number(p, p->min, out);
        buffer_puts(out, " to ");
        param_put_number(p, p->max, out);
        break;
    case PARAM_TYPE_CHOICE: put_words(p->unit, out); break;
    case PARAM_TYPE_TEXT: buffer_printf(out, "at most %llu bytes", (unsigned long long)p->max); break;
    case PARAM_TYPE_CIDRS:
    case PARAM_TYPE_PLACES: buffer_printf(out, "at most %llu items", (unsigned long long)p->max); break;
    case PARAM_TYPE_ROLES:
    case PARAM_TYPE_RULES:
    case PARAM_TYPE_SINKS:
    case PARAM_TYPE_SUPPRESSIONS: buffer_printf(out, "at most %llu %s", (unsigned long long)p->max, p->unit); break;
    }
}

static const char *type_word(enum param_type type)
{
    static const char *const words[] = {"text", "number", "bytes", "time", "budget", "choice", "list", "list", "mapping", "list", "list", "list"};
    return words[type];
}

static void put_fields(enum param_id id, struct buffer *out)
{
    static const char *const words[] = {"text", "list", "true or false", "bytes"};
    const struct entry_kind *kind = entry_kind_of(id);
    buffer_puts(out, "\n- environment: none, it can only stand in the file\n");
    buffer_printf(out, "- each %s%s holds:\n", kind->word, kind->keyed ? ", by its name," : "");
    for (size_t i = 0; i < kind->fields; i++)
        buffer_printf(out, "  - `%s` (%s): %s\n", kind->field[i].key, words[kind->field[i].type], kind->field[i].text);
}

static void put_key(enum param_id id, struct buffer *out)
{
    const struct param *p = &config_params[id];
    char name[CONFIG_NAME_MAX];
    param_variable(id, name);
    buffer_printf(out, "\n## `%s`\n\n%s\n\n", p->key, p->text);
    buffer_printf(out, "- type: %s", type_word(p->type));
    if (p->type != PARAM_TYPE_CHOICE && p->unit[0] && strcmp(p->unit, type_word(p->type)) != 0)
        buffer_printf(out, " (%s)", p->unit);
    buffer_puts(out, p->type == PARAM_TYPE_CHOICE ? ": " : ", ");
    param_range(p, out);
    if (p->def[0])
        buffer_printf(out, "\n- default: `%s`", p->def);
    else
        buffer_puts(out, "\n- default: empty");
    if (param_is_entries(id))
        put_fields(id, out);
    else
        buffer_printf(out, "\n- environment: `%s`\n", name);
    if (p->scope == PARAM_SCOPE_FINDINGS)
        buffer_puts(out, "- influences findings: part of the configuration hash that each finding carries\n");
    if (p->scope == PARAM_SCOPE_CONTENT)
        buffer_puts(out, "- the content of the file influences findings: its hash is part of the one that each finding carries\n");
}

void config_manual(struct buffer *out)
{
    buffer_puts(out,
        "# Configuration\n\n"
        "<!-- Made by `weir config keys --format=markdown` from src/app/params.def: change it there. -->\n\n"
        "One strict YAML file; every key has a default. A value comes from the first of: command line option, environment\n"
        "variable, file, default. `weir config show` prints every value and where it came from, `weir config check FILE` judges\n"
        "a file without running anything.\n\n"
        "The file is the one of `--config`, else of `$WEIR_CONFIG`, else `$XDG_CONFIG_HOME/weir/config.yaml` (by default\n"
        "`~/.config/weir/config.yaml`), else `/etc/weir/weir.yaml`. One file is read, the last two may be missing.\n\n"
        "A dot in a key is a section in the file. A list in an environment variable is separated by commas:\n\n"
        "```yaml\n"
        "networks:\n"
        "  own: [10.0.0.0/8, \"2001:db8::/32\"]\n"
        "detection:\n"
        "  budget: 2/week\n"
        "```\n\n"
        "```sh\n"
        "WEIR_NETWORKS_OWN=10.0.0.0/8,2001:db8::/32 WEIR_DETECTION_BUDGET=2/week weir batch logs/\n"
        "```\n\n"
        "Roles and rules are mappings with a name:\n\n"
        "```yaml\n"
        "roles:\n"
        "  app: {networks: [10.0.1.0/24]}\n"
        "  db: {networks: [10.0.2.0/24], sensitive: true, daily_ceiling: 10GB}\n"
        "policy:\n"
        "  - name: db-only-from-app\n"
        "    into: db\n"
        "    ports: [tcp/5432]\n"
        "    from: [app]\n"
        "  - name: db-egress\n"
        "    out_of: db\n"
        "    to: [ours, 203.0.113.0/24]\n"
        "```\n\n"
        "Refused, with line and column: unknown and repeated keys, values of a wrong type or range, tabs, anchors, aliases, tags,\n"
        "more than one document, files over 1 MiB. A number in quotes is text, and text that looks like a number, a truth value or\n"
        "nothing needs quotes. `WEIR_*` variables that name no key are refused too.\n");
    for (enum param_id id = 0; id < PARAM_COUNT; id++)
        put_key(id, out);
}
