/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - the values: defaults, one setter for each type of params.def, what follows from them.
 *
 * Every source of a value (default, file, environment, flag) ends in config_assign or config_list_add, so that one range
 * check serves all. A default runs through the same setters: a default that its own range refuses fails the first test.
 * Text must be UTF-8 without control bytes: then `config show` can write back every value. */
#include "app/config.h"

#include <stdlib.h>
#include <string.h>

#include "app/policy.h"
#include "weir/score.h"
#include "weir/store.h"

#define ITEM_MAX 255
#define ARENA_MAX ((size_t)64 << 20)

#define PARAM(type_, member, key_, def_, min_, max_, unit_, scope_, text_) \
    [PARAM_##member] = {PARAM_TYPE_##type_, PARAM_SCOPE_##scope_, key_, def_, unit_, text_, min_, max_, offsetof(struct config, member)},
const struct param config_params[PARAM_COUNT] = {
#include "app/params.def"
};
#undef PARAM

static enum weir_err refuse(const struct param *p, struct slice text, struct fault *fault, const char *want)
{
    struct buffer range;
    buffer_init(&range, 256);
    param_range(p, &range);
    int n = (int)(text.n > 80 ? 80 : text.n);
    fault_set(fault, WEIR_USAGE, "'%s' must be %s%s%s, not '%.*s'", p->key, want, range.n ? " " : "", buffer_cstr(&range), n, text.p ? text.p : "");
    buffer_fini(&range);
    return WEIR_USAGE;
}

static void *member_of(struct config *c, enum param_id id)
{
    return (char *)c + config_params[id].offset;
}

/* Bytes of the UTF-8 sequence at s, 0 if it is none (overlong, surrogate, beyond U+10FFFF, cut short). */
static size_t utf8_length(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (n == 0 || n > s.n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool outside = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || outside ? 0 : n;
}

bool config_is_plain_text(struct slice s)
{
    for (size_t n; s.n; s.p += n, s.n -= n) {
        n = utf8_length(s);
        if (n == 0 || (unsigned char)s.p[0] < 0x20 || s.p[0] == 0x7f)
            return false;
    }
    return true;
}

/* A NUL-terminated copy that lives as long as c. */
const char *config_keep(struct config *c, struct slice text)
{
    char *copy = arena_alloc(c->arena, text.n + 1);
    if (copy && text.n)
        memcpy(copy, text.p, text.n);
    return copy;
}

/* A path without its kind would be refused by the store only when a run begins. A url may hold a password: it is not shown. */
static bool is_store_url(struct slice text)
{
    size_t n = 0;
    while (n < text.n && ((text.p[n] >= 'a' && text.p[n] <= 'z') || (n && text.p[n] == '-'))) n++;
    return !text.n || (n && n < text.n && text.p[n] == ':');
}

static enum weir_err set_text(struct config *c, const struct param *p, struct slice text, const char **out, struct fault *fault)
{
    if (text.n > p->max || text.n < p->min || !config_is_plain_text(text))
        return refuse(p, text, fault, "UTF-8 text without control characters,");
    if (p == &config_params[PARAM_store] && !is_store_url(text))
        return fault_set(fault, WEIR_USAGE, "'%s' must begin with the kind of the store, as in sqlite:PATH", p->key);
    const char *copy = config_keep(c, text);
    if (!copy)
        return fault_set(fault, WEIR_NOMEM, "'%s': out of memory", p->key);
    struct fault why = {0};
    if (p == &config_params[PARAM_store] && *copy && store_url_check(copy, &why))
        return fault_set(fault, WEIR_USAGE, "'%s': %s", p->key, why.text);
    *out = copy;
    return WEIR_OK;
}

/* Leading zeros are refused: YAML 1.1 reads 010 as 8, people read 10. */
static enum weir_err set_number(const struct param *p, struct slice text, uint64_t *out, struct fault *fault)
{
    const char *want = "a number";
    uint64_t value = 0;
    enum weir_err err;
    if (p->type == PARAM_TYPE_BYTES) {
        want = "bytes, as 65536 or 64KiB,";
        err = parse_bytes(text, &value);
    } else if (p->type == PARAM_TYPE_TIME) {
        want = "a time, as 90s, 15m, 2h or 7d,";
        err = parse_duration(text, &value);
    } else {
        err = parse_u64(text, UINT64_MAX, &value);
    }
    if (err || value < p->min || value > p->max || (text.n > 1 && text.p[0] == '0'))
        return refuse(p, text, fault, want);
    *out = value;
    return WEIR_OK;
}

/* "1/1000 host-days" or "2/week" */
static bool parse_rate(const struct param *p, struct slice text, struct budget *out)
{
    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    size_t head = slash ? (size_t)(slash - text.p) : 0;
    struct slice rest = slash ? (struct slice){slash + 1, text.n - head - 1} : (struct slice){"", 0};
    const char *blank = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
    size_t digits = blank ? (size_t)(blank - rest.p) : 0;
    struct slice unit = blank ? (struct slice){blank + 1, rest.n - digits - 1} : rest;
    uint64_t findings = 0, per = 0;
    bool ok = parse_u64((struct slice){text.p, head}, p->max, &findings) == WEIR_OK && findings >= p->min;
    if (ok && !blank)
        ok = slice_eq(unit, SLICE_LIT("week"));
    else if (ok)
        ok = slice_eq(unit, SLICE_LIT("host-days")) && parse_u64((struct slice){rest.p, digits}, p->max, &per) == WEIR_OK && per > 0;
    *out = (struct budget){(uint32_t)findings, (uint32_t)per, 0};
    return ok;
}

static enum weir_err set_budget(const struct param *p, struct slice text, struct budget *out, struct fault *fault)
{
    static const char or[] = " or ";
    const char *more = text.n ? memmem(text.p, text.n, or, sizeof or - 1) : NULL;
    size_t n = more ? (size_t)(more - text.p) : text.n, skip = n + sizeof or - 1;
    struct budget weekly = {0, 0, 0};
    bool ok = parse_rate(p, (struct slice){text.p, n}, out);
    if (ok && more)
        ok = out->per && parse_rate(p, (struct slice){text.p + skip, text.n - skip}, &weekly) && !weekly.per;
    if (!ok)
        return refuse(p, text, fault, "findings, as '1/1000 host-days', '2/week' or '1/1000 host-days or 2/week', each number");
    out->weekly = weekly.findings;
    return WEIR_OK;
}

static enum weir_err set_choice(const struct param *p, struct slice text, unsigned *out, struct fault *fault)
{
    const char *word = p->unit;
    for (unsigned i = 0; *word; i++) {
        size_t n = strcspn(word, "|");
        if (slice_eq((struct slice){word, n}, text)) {
            *out = i;
            return WEIR_OK;
        }
        word += word[n] ? n + 1 : n;
    }
    return refuse(p, text, fault, "one of");
}

enum weir_err config_assign(struct config *c, enum param_id id, struct slice text, struct fault *fault)
{
    const struct param *p = &config_params[id];
    switch (p->type) {
    case PARAM_TYPE_TEXT: return set_text(c, p, text, member_of(c, id), fault);
    case PARAM_TYPE_NUMBER:
    case PARAM_TYPE_BYTES:
    case PARAM_TYPE_TIME: return set_number(p, text, member_of(c, id), fault);
    case PARAM_TYPE_BUDGET: return set_budget(p, text, member_of(c, id), fault);
    case PARAM_TYPE_CHOICE: return set_choice(p, text, member_of(c, id), fault);
    case PARAM_TYPE_ROLES:
    case PARAM_TYPE_RULES:
    case PARAM_TYPE_SINKS:
    case PARAM_TYPE_SUPPRESSIONS: return fault_set(fault, WEIR_USAGE, "'%s' can only stand in the file", p->key);
    case PARAM_TYPE_CIDRS:
    case PARAM_TYPE_PLACES: break;
    }
    return fault_set(fault, WEIR_USAGE, "'%s' must be a list", p->key);
}

/* ---- lists ---- */
static struct cidr_set **networks_of(struct config *c, enum param_id id)
{
    return config_params[id].type == PARAM_TYPE_CIDRS ? &c->own_networks : &c->forwarder_networks;
}

void config_list_clear(struct config *c, enum param_id id)
{
    struct text_list *list = member_of(c, id);
    *list = (struct text_list){NULL, 0};
    cidr_set_free(*networks_of(c, id));
    *networks_of(c, id) = NULL;
}

/* eni-0123, nat-0123 and the like: letters, digits and at least one '-', which no address has. */
bool config_is_interface_id(struct slice s)
{
    bool dash = false;
    for (size_t i = 0; i < s.n; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
        dash |= s.p[i] == '-';
        if (!letter && s.p[i] != '-')
            return false;
    }
    return dash;
}

static enum weir_err add_network(struct config *c, enum param_id id, struct slice item, struct fault *fault)
{
    struct cidr_set **set = networks_of(c, id);
    if (!*set && !(*set = cidr_set_new()))
        return fault_set(fault, WEIR_NOMEM, "'%s': out of memory", config_params[id].key);
    struct fault why = {0};
    enum weir_err err = cidr_set_add(*set, item, &why);
    return err ? fault_set(fault, err == WEIR_NOMEM ? err : WEIR_USAGE, "'%s': %s", config_params[id].key, why.text) : WEIR_OK;
}

/* The array doubles in the arena whenever n is a power of two: no capacity to keep, at most twice the memory. */
bool config_list_push(struct config *c, struct text_list *list, const char *item)
{
    if ((list->n & (list->n - 1)) == 0) {
        const char **grown = arena_alloc(c->arena, sizeof *grown * (list->n ? list->n * 2 : 1));
        if (!grown)
            return false;
        if (list->n)
            memcpy(grown, list->item, list->n * sizeof *grown);
        list->item = grown;
    }
    list->item[list->n++] = item;
    return true;
}

enum weir_err config_list_add(struct config *c, enum param_id id, struct slice item, struct fault *fault)
{
    const struct param *p = &config_params[id];
    struct text_list *list = member_of(c, id);
    if (list->n >= p->max)
        return fault_set(fault, WEIR_USAGE, "'%s' has more than %llu items", p->key, (unsigned long long)p->max);
    if (item.n == 0 || item.n > ITEM_MAX)
        return fault_set(fault, WEIR_USAGE, "'%s': an item must have 1 to %d bytes", p->key, ITEM_MAX);
    if (p->type == PARAM_TYPE_CIDRS || !config_is_interface_id(item)) {
        enum weir_err err = add_network(c, id, item, fault);
        if (err)
            return err;
    }
    const char *copy = config_keep(c, item);
    if (!copy || !config_list_push(c, list, copy))
        return fault_set(fault, WEIR_NOMEM, "'%s': out of memory", p->key);
    return WEIR_OK;
}

static enum weir_err set_list(struct config *c, enum param_id id, struct slice text, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    config_list_clear(c, id);
    while (!err && text.n) {
        const char *comma = memchr(text.p, ',', text.n);
        size_t n = comma ? (size_t)(comma - text.p) : text.n;
        err = config_list_add(c, id, (struct slice){text.p, n}, fault);
        size_t eaten = comma ? n + 1 : n;
        text = (struct slice){text.p + eaten, text.n - eaten};
    }
    return err;
}

/* The reason without the key that it begins with: a person who gave an option is told of the option. */
static const char *after_key(enum param_id id, const char *reason)
{
    size_t n = strlen(config_params[id].key);
    bool named = reason[0] == '\'' && strncmp(reason + 1, config_params[id].key, n) == 0 && reason[n + 1] == '\'';
    return named ? reason + n + 2 : reason;
}

enum weir_err config_set(struct config *c, enum param_id id, struct slice text, enum config_from from, const char *name, struct fault *fault)
{
    struct fault why = {0};
    enum weir_err err = param_is_list(id) ? set_list(c, id, text, &why) : config_assign(c, id, text, &why);
    const char *copy = config_keep(c, slice_of(name));
    if (!err && !copy)
        err = fault_set(&why, WEIR_NOMEM, ": out of memory");
    if (err)
        return fault_set(fault, err, "%s '%s'%s", from == FROM_FLAG ? "option" : "environment variable", name, after_key(id, why.text));
    c->origin[id] = (struct config_origin){from, copy, 0};
    return WEIR_OK;
}

/* ---- making, finishing ---- */
static const char *variable(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; env && *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
            return *env + n + 1;
    return "";
}

/* XDG: a relative path in a variable is to be ignored. */
static const char *absolute(const char *path)
{
    return path[0] == '/' ? path : "";
}

static const char *default_store(struct config *c, char *const *env)
{
    const char *systemd = absolute(variable(env, "STATE_DIRECTORY")), *xdg = absolute(variable(env, "XDG_STATE_HOME")),
               *home = absolute(variable(env, "HOME"));
    struct buffer b;
    buffer_init(&b, 8192);
    if (*systemd) /* a list with colons when the unit has several */
        buffer_printf(&b, "sqlite:%.*s/weir.db", (int)strcspn(systemd, ":"), systemd);
    else if (*xdg)
        buffer_printf(&b, "sqlite:%s/weir/weir.db", xdg);
    else if (*home)
        buffer_printf(&b, "sqlite:%s/.local/state/weir/weir.db", home);
    struct slice text = {b.p, b.n};
    bool fits = !b.err && text.n <= config_params[PARAM_store].max && config_is_plain_text(text);
    const char *url = config_keep(c, fits ? text : SLICE_LIT(""));
    buffer_fini(&b);
    return url;
}

struct config *config_new(char *const *env)
{
    struct config *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->arena = arena_new(ARENA_MAX);
    bool ok = c->arena && (c->default_store = default_store(c, env)) != NULL;
    for (enum param_id id = 0; ok && id < PARAM_COUNT; id++) {
        c->origin[id] = (struct config_origin){FROM_DEFAULT, "", 0};
        ok = param_is_list(id) || param_is_entries(id) || config_assign(c, id, slice_of(config_params[id].def), NULL) == WEIR_OK;
    }
    if (ok)
        return c;
    config_free(c);
    return NULL;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    cidr_set_free(c->own_networks);
    cidr_set_free(c->forwarder_networks);
    policy_free(c->policy_rules);
    roles_free(c->role_map);
    arena_free(c->arena);
    free(c);
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool collect_interfaces(struct config *c)
{
    struct text_list found = {NULL, 0};
    for (size_t i = 0; i < c->forwarders.n; i++)
        if (config_is_interface_id(slice_of(c->forwarders.item[i])) && !config_list_push(c, &found, c->forwarders.item[i]))
            return false;
    if (found.n)
        qsort(found.item, found.n, sizeof *found.item, compare_text);
    c->forwarder_interfaces = found.item;
    c->forwarder_interfaces_n = found.n;
    return true;
}

static enum weir_err find_test(struct slice word, unsigned *out, struct fault *fault)
{
    const char *words[SCORE_STATISTICAL_COUNT];
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        if (slice_eq(word, slice_of(words[t] = score_test_word((enum score_test)t)))) {
            *out = t;
            return WEIR_OK;
        }
    const char *near = nearest_name(word, words, SCORE_STATISTICAL_COUNT);
    return fault_set(fault, WEIR_USAGE, "'detection.without': no test is called '%.*s'%s%s%s", (int)(word.n < 80 ? word.n : 80), word.p,
                     near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "");
}

static enum weir_err leave_out_tests(struct config *c, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (const char *p = c->tests_without; !err && *(p += strspn(p, ", \t\n"));) {
        unsigned test = 0;
        struct slice word = {p, strcspn(p, ", \t\n")};
        err = find_test(word, &test, fault);
        c->tests_left_out |= 1u << test;
        p += word.n;
    }
    return err;
}

enum weir_err config_finish(struct config *c, struct fault *fault)
{
    if (c->own_networks)
        cidr_set_seal(c->own_networks);
    if (c->forwarder_networks)
        cidr_set_seal(c->forwarder_networks);
    if (!*c->store)
        c->store = c->default_store;
    enum weir_err err = collect_interfaces(c) ? entries_finish(c, fault) : fault_set(fault, WEIR_NOMEM, "configuration: out of memory");
    if (!err)
        err = leave_out_tests(c, fault);
    if (!err)
        err = roles_new(c, &c->role_map, fault);
    return err ? err : policy_new(c, c->role_map, &c->policy_rules, fault);
}

double budget_per_host_day(struct budget budget, uint64_t hosts)
{
    double week = 7.0 * (double)(hosts ? hosts : 1), weekly = budget.weekly / week;
    double rate = budget.findings / (budget.per ? (double)budget.per : week);
    return rate > weekly ? rate : weekly;
}
