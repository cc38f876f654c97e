/* SPDX-License-Identifier: Apache-2.0 */
/* Rules made ready to be asked: for each role and way the list of its rules, ports as ranges, allowed roles as bits. Rules whose
 * hosts are a network or any stand in the list of every role, so that one flow walks one short list. */
#include "app/policy.h"

#include <stdlib.h>
#include <string.h>

#include "app/config.h"

#define TCP 6
#define UDP 17
#define ROLE_WORDS (ROLES_MAX / 64 + 1)

struct ends {
    bool any, ours, internet;
    uint64_t role[ROLE_WORDS]; /* bit per role */
    struct cidr_set *networks; /* NULL: none */
};

struct rule {
    const char *name;
    uint64_t group;
    bool into;                /* else out_of */
    struct ends hosts, allowed;
    struct port_range *port; size_t ports; /* none: all */
    bool other;               /* the ports are those that are not meant */
};

struct span { uint16_t *rule; size_t n; };

struct policy {
    const struct roles *roles;
    const struct config *config;
    struct rule *rule; size_t rules;
    struct span *span[2];     /* out_of, into: by role */
};

enum policy_word policy_word_of(struct slice text)
{
    static const char *const words[] = {"", "any", "ours", "internet", "other"};
    for (size_t i = 1; i < WEIR_COUNT(words); i++)
        if (slice_eq(text, slice_of(words[i])))
            return (enum policy_word)i;
    return POLICY_NO_WORD;
}

/* ---- ports ---- */

static bool port_parse(struct slice text, uint16_t *out)
{
    uint64_t v = 0;
    if (parse_u64(text, UINT16_MAX, &v) || (text.n > 1 && text.p[0] == '0'))
        return false;
    *out = (uint16_t)v;
    return true;
}

bool port_range_parse(struct slice text, struct port_range *out)
{
    static const struct { struct slice word; uint8_t protocol; } starts[] = {{SLICE_LIT("tcp/"), TCP}, {SLICE_LIT("udp/"), UDP}};
    *out = (struct port_range){0, 0, 0};
    for (size_t i = 0; i < WEIR_COUNT(starts); i++)
        if (text.n > starts[i].word.n && memcmp(text.p, starts[i].word.p, starts[i].word.n) == 0) {
            out->protocol = starts[i].protocol;
            text = (struct slice){text.p + starts[i].word.n, text.n - starts[i].word.n};
            break;
        }
    const char *dash = text.n ? memchr(text.p, '-', text.n) : NULL;
    size_t head = dash ? (size_t)(dash - text.p) : text.n;
    struct slice low = {text.p, head}, high = dash ? (struct slice){dash + 1, text.n - head - 1} : low;
    return port_parse(low, &out->low) && port_parse(high, &out->high) && out->low <= out->high;
}

static bool ports_hold(const struct rule *r, const struct flow *f)
{
    for (size_t i = 0; i < r->ports; i++)
        if (f->service_port >= r->port[i].low && f->service_port <= r->port[i].high && (!r->port[i].protocol || r->port[i].protocol == f->protocol))
            return !r->other;
    return r->other || !r->ports;
}

/* ---- ends ---- */

static bool ends_hold(const struct ends *e, struct ip address, uint16_t role, bool external)
{
    if (e->any || (external ? e->internet : e->ours) || (role && (e->role[role / 64] >> role % 64 & 1)))
        return true;
    return e->networks && cidr_set_has(e->networks, address);
}

static enum weir_err ends_add(struct policy *p, const struct config_entry *e, struct ends *ends, const char *text, struct fault *fault)
{
    struct slice word = slice_of(text);
    uint16_t role = roles_find(p->roles, word);
    switch (policy_word_of(word)) {
    case POLICY_ANY: ends->any = true; return WEIR_OK;
    case POLICY_OURS: ends->ours = true; return WEIR_OK;
    case POLICY_INTERNET: ends->internet = true; return WEIR_OK;
    case POLICY_OTHER:
    case POLICY_NO_WORD: break;
    }
    if (role) {
        ends->role[role / 64] |= 1ULL << role % 64;
        return WEIR_OK;
    }
    if (entry_name_fits(word)) {
        const char *names[ROLES_MAX];
        for (uint16_t i = 0; i < roles_count(p->roles); i++)
            names[i] = role_word(p->roles, (uint16_t)(i + 1));
        const char *near = nearest_name(word, names, roles_count(p->roles));
        return entry_fault(p->config, PARAM_policy, e, fault, "no role '%s'%s%s%s", text, near ? ", the nearest is '" : "", near ? near : "", near ? "'" : "");
    }
    if (!ends->networks && !(ends->networks = cidr_set_new()))
        return fault_set(fault, WEIR_NOMEM, "policy: out of memory");
    return cidr_set_add(ends->networks, word, fault);
}

static enum weir_err ends_make(struct policy *p, const struct config_entry *e, struct ends *ends, const struct text_list *texts, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < texts->n && !err; i++)
        err = ends_add(p, e, ends, texts->item[i], fault);
    if (ends->networks)
        cidr_set_seal(ends->networks);
    return err;
}

/* ---- making ---- */

static const struct config_rule *config_rule_at(const struct policy *p, size_t i) { return (const struct config_rule *)p->config->policy.item[i]; }

static bool same_hosts(const struct config_rule *a, const struct config_rule *b)
{
    if (!a->into != !b->into)
        return false;
    return strcmp(a->into ? a->into : a->out_of, b->into ? b->into : b->out_of) == 0;
}

static bool is_other(const struct config_rule *r) { return r->ports.n && policy_word_of(slice_of(r->ports.item[0])) == POLICY_OTHER; }

static bool ports_add(struct rule *r, const struct text_list *texts)
{
    struct port_range *grown = realloc(r->port, (r->ports + texts->n + 1) * sizeof *grown);
    if (!grown)
        return false;
    r->port = grown;
    for (size_t i = 0; i < texts->n; i++)
        r->ports += port_range_parse(slice_of(texts->item[i]), &r->port[r->ports]);
    return true;
}

/* `other` is what no rule with the same hosts names. */
static bool ports_make(const struct policy *p, const struct config_rule *from, struct rule *r)
{
    r->other = is_other(from);
    if (!r->other)
        return ports_add(r, &from->ports);
    bool ok = true;
    for (size_t i = 0; i < p->rules && ok; i++)
        if (same_hosts(config_rule_at(p, i), from) && !is_other(config_rule_at(p, i)))
            ok = ports_add(r, &config_rule_at(p, i)->ports);
    return ok;
}

static enum weir_err rule_make(struct policy *p, size_t i, struct fault *fault)
{
    const struct config_rule *from = config_rule_at(p, i);
    struct rule *r = &p->rule[i];
    const char *hosts = from->into ? from->into : from->out_of;
    r->name = from->entry.name;
    r->group = group_policy(stable_hash(r->name, strlen(r->name)));
    r->into = from->into != NULL;
    if (!ports_make(p, from, r))
        return fault_set(fault, WEIR_NOMEM, "policy: out of memory");
    enum weir_err err = ends_make(p, &from->entry, &r->hosts, &(struct text_list){&hosts, 1}, fault);
    return err ? err : ends_make(p, &from->entry, &r->allowed, r->into ? &from->from : &from->to, fault);
}

static bool may_be_of(const struct rule *r, uint16_t role)
{
    return r->hosts.any || r->hosts.networks || (role && (r->hosts.role[role / 64] >> role % 64 & 1));
}

static bool spans_make(struct policy *p)
{
    size_t roles = (size_t)roles_count(p->roles) + 1;
    for (unsigned into = 0; into < 2; into++) {
        if (!(p->span[into] = calloc(roles, sizeof *p->span[into])))
            return false;
        for (size_t role = 0; role < roles; role++) {
            struct span *s = &p->span[into][role];
            size_t n = 0;
            for (size_t i = 0; i < p->rules; i++)
                n += p->rule[i].into == into && may_be_of(&p->rule[i], (uint16_t)role);
            if (!(s->rule = calloc(n + 1, sizeof *s->rule)))
                return false;
            for (size_t i = 0; i < p->rules; i++)
                if (p->rule[i].into == into && may_be_of(&p->rule[i], (uint16_t)role))
                    s->rule[s->n++] = (uint16_t)i;
        }
    }
    return true;
}

enum weir_err policy_new(const struct config *c, const struct roles *roles, struct policy **out, struct fault *fault)
{
    *out = NULL;
    if (!c->policy.n)
        return WEIR_OK;
    struct policy *p = calloc(1, sizeof *p);
    enum weir_err err = WEIR_OK;
    if (!p || !(p->rule = calloc(c->policy.n, sizeof *p->rule))) {
        policy_free(p);
        return fault_set(fault, WEIR_NOMEM, "policy: out of memory");
    }
    p->roles = roles;
    p->config = c;
    p->rules = c->policy.n;
    for (size_t i = 0; i < p->rules && !err; i++)
        err = rule_make(p, i, fault);
    if (!err && !spans_make(p))
        err = fault_set(fault, WEIR_NOMEM, "policy: out of memory");
    if (err)
        policy_free(p);
    else
        *out = p;
    return err;
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->rules; i++) {
        cidr_set_free(p->rule[i].hosts.networks);
        cidr_set_free(p->rule[i].allowed.networks);
        free(p->rule[i].port);
    }
    for (unsigned into = 0; into < 2; into++) {
        for (size_t role = 0; p->span[into] && role <= roles_count(p->roles); role++)
            free(p->span[into][role].rule);
        free(p->span[into]);
    }
    free(p->rule);
    free(p);
}

/* ---- asking ---- */

size_t policy_broken(const struct policy *p, const struct inventory *inv, struct slice interface, const struct flow *f,
                     uint16_t rule[POLICY_RULES_MAX])
{
    if (f->opened == OPENED_UNKNOWN)
        return 0;
    uint16_t host_role = roles_of_host(p->roles, inv, interface, f->host);
    const struct span *s = &p->span[f->opened == OPENED_BY_PEER][host_role];
    uint16_t peer_role = s->n ? roles_of_peer(p->roles, inv, interface, f->peer) : ROLE_NONE;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct rule *r = &p->rule[s->rule[i]];
        if (ends_hold(&r->hosts, f->host, host_role, false) && ports_hold(r, f) && !ends_hold(&r->allowed, f->peer, peer_role, f->external))
            rule[n++] = s->rule[i];
    }
    return n;
}

size_t policy_rules(const struct policy *p) { return p->rules; }
const char *policy_rule_name(const struct policy *p, uint16_t rule) { return p->rule[rule].name; }
uint64_t policy_rule_group(const struct policy *p, uint16_t rule) { return p->rule[rule].group; }

const char *policy_group_name(const struct policy *p, uint64_t group)
{
    for (size_t i = 0; i < p->rules; i++)
        if (p->rule[i].group == group)
            return p->rule[i].name;
    return NULL;
}
