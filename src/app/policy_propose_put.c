/* SPDX-License-Identifier: Apache-2.0 */
/* A proposal as YAML for the configuration file: roles, then the rules of each role. Ports with the same other ends share a rule; a last
 * rule closes the ports that none names. What was seen stands beside each rule as comments. */
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "app/policy_propose.h"

#define OUTSIDE_LISTED 8   /* networks outside in one rule; more are the internet */
#define RULES_OF_ONE 16    /* of one role and way; more: summed coarser */
#define COMMENTS_MAX 8
#define NAME_ROOM 96

struct named { struct subject *subject; char name[NAME_ROOM]; };

struct group { struct buffer ends; struct tally seen; }; /* ports with the same other ends; seen: by end */

struct writer {
    struct proposal *p;
    struct named *named; size_t n; /* by name */
    struct buffer *out;
    struct group *group; size_t groups; /* of the role and way in work */
    uint32_t *group_of;                 /* by row: index in group[], at the first row of a port */
};

static bool has_ports(const struct tally *t) { return t->level < EDGE_LEVELS - 1; }
static bool has_edges(const struct subject *s) { return s->charged && (s->all[0].rows || s->all[1].rows); }

/* ---- names ---- */

static void network_text(struct ip network, unsigned bits, struct buffer *out)
{
    char text[IP_TEXT_MAX];
    ip_format(network, text);
    buffer_printf(out, ip_is_v4(network) ? "%s/%u" : "\"%s/%u\"", text, bits);
}

static unsigned subnet_bits(struct ip a) { return ip_is_v4(a) ? 24 : 64; }

static void name_subject(const struct proposal *p, struct named *n)
{
    char text[IP_TEXT_MAX];
    if (n->subject->role) {
        snprintf(n->name, sizeof n->name, "%s", role_word(p->roles, n->subject->role));
        return;
    }
    ip_format(n->subject->network, text);
    for (char *c = text; *c; c++)
        *c = *c == ':' ? '-' : *c;
    snprintf(n->name, sizeof n->name - 8, "net-%s-%u", text, subnet_bits(n->subject->network));
    for (size_t at = strlen(n->name); roles_find(p->roles, slice_of(n->name)) && at + 1 < sizeof n->name; at++)
        n->name[at] = 'x'; /* named so by the operator for something else */
}

static int by_name(const void *a, const void *b) { return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name); }

/* YAML reads null as nothing. */
static void put_word(const char *word, struct buffer *out)
{
    buffer_printf(out, slice_eq_nocase(slice_of(word), SLICE_LIT("null")) ? "\"%s\"" : "%s", word);
}

static void put_end(const struct writer *w, const struct tally_key *key, struct buffer *out)
{
    switch (key->kind) {
    case END_ROLE: put_word(role_word(w->p->roles, key->role), out); return;
    case END_OURS: buffer_puts(out, "ours"); return;
    case END_INTERNET: buffer_puts(out, "internet"); return;
    case END_OUTSIDE: network_text(key->end, ip_is_v4(key->end) ? 24 : 48, out); return;
    default: break;
    }
    for (size_t i = 0; i < w->n; i++)
        if (!w->named[i].subject->role && ip_eq(w->named[i].subject->network, key->end)) {
            buffer_puts(out, w->named[i].name);
            return;
        }
    network_text(key->end, subnet_bits(key->end), out);
}

/* ---- grouping ports by their ends ---- */

static int by_port(const void *a, const void *b)
{
    const struct tally_key *x = &((const struct tally_row *)a)->key, *y = &((const struct tally_row *)b)->key;
    if (x->protocol != y->protocol)
        return x->protocol < y->protocol ? -1 : 1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    return tally_key_compare(x, y);
}

static bool same_port(const struct tally_row *a, const struct tally_row *b) { return a->key.port == b->key.port && a->key.protocol == b->key.protocol; }

static uint32_t port_end(const struct tally *t, uint32_t first)
{
    uint32_t end = first + 1;
    while (end < t->rows && same_port(&t->row[first], &t->row[end]))
        end++;
    return end;
}

/* What a port's ends become: many networks outside are the internet. */
static void widen(struct tally *t, uint32_t first, uint32_t end)
{
    uint32_t outside = 0;
    for (uint32_t i = first; i < end; i++)
        outside += t->row[i].key.kind == END_OUTSIDE;
    for (uint32_t i = first; i < end && outside > OUTSIDE_LISTED; i++)
        if (t->row[i].key.kind == END_OUTSIDE) {
            t->row[i].key.kind = END_INTERNET;
            t->row[i].key.end = (struct ip){0, 0};
        }
}

static void put_ends(const struct writer *w, const struct tally *t, uint32_t first, uint32_t end, struct buffer *out)
{
    bool any = false, internet = false;
    for (uint32_t i = first; i < end; i++) {
        if (t->row[i].key.kind == END_INTERNET && internet)
            continue;
        internet |= t->row[i].key.kind == END_INTERNET;
        buffer_puts(out, any ? ", " : "");
        put_end(w, &t->row[i].key, out);
        any = true;
    }
}

static struct group *group_with(struct writer *w, struct buffer *ends)
{
    for (size_t i = 0; i < w->groups; i++)
        if (w->group[i].ends.n == ends->n && memcmp(w->group[i].ends.p, ends->p, ends->n) == 0) {
            buffer_fini(ends);
            return &w->group[i];
        }
    struct group *g = &w->group[w->groups++];
    g->ends = *ends;
    tally_init(&g->seen, UINT32_MAX, 1, NULL);
    return g;
}

static void groups_clear(struct writer *w)
{
    for (size_t i = 0; i < w->groups; i++) {
        buffer_fini(&w->group[i].ends);
        tally_fini(&w->group[i].seen);
    }
    w->groups = 0;
}

static void note_seen(struct group *g, const struct tally *t, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct tally_row row = t->row[i];
        row.key.port = row.key.protocol = 0;
        tally_add(&g->seen, &row);
    }
}

static enum weir_err make_groups(struct writer *w, struct tally *t)
{
    groups_clear(w);
    free(w->group);
    free(w->group_of);
    w->group = calloc((size_t)t->rows + 1, sizeof *w->group);
    w->group_of = calloc((size_t)t->rows + 1, sizeof *w->group_of);
    if (!w->group || !w->group_of)
        return WEIR_NOMEM;
    if (t->rows)
        qsort(t->row, t->rows, sizeof *t->row, by_port);
    for (uint32_t i = 0, end; i < t->rows; i = end) {
        struct buffer ends;
        end = port_end(t, i);
        widen(t, i, end);
        buffer_init(&ends, 1u << 20);
        put_ends(w, t, i, end, &ends);
        if (ends.err)
            return WEIR_NOMEM;
        struct group *g = group_with(w, &ends);
        note_seen(g, t, i, end);
        w->group_of[i] = (uint32_t)(g - w->group);
    }
    return WEIR_OK;
}

/* ---- writing ---- */

static void put_port(const struct tally_key *key, bool for_name, struct buffer *out)
{
    buffer_printf(out, "%s%c%u", key->protocol == 6 ? "tcp" : "udp", for_name ? '-' : '/', key->port);
    if (key->port == DYNAMIC_PORT && !for_name)
        buffer_puts(out, "-65535");
}

static void put_comments(const struct writer *w, struct group *g, bool into)
{
    bool public = false;
    tally_sort(&g->seen);
    for (uint32_t i = 0; i < g->seen.rows; i++)
        public |= into && (g->seen.row[i].key.kind == END_OUTSIDE || g->seen.row[i].key.kind == END_INTERNET);
    if (public)
        buffer_puts(w->out, "    # public ingress\n");
    for (uint32_t i = 0; i < g->seen.rows && i < COMMENTS_MAX; i++) {
        buffer_printf(w->out, "    # %s ", into ? "from" : "to");
        put_end(w, &g->seen.row[i].key, w->out);
        buffer_puts(w->out, ": ");
        tally_format(&g->seen.row[i], w->out);
        buffer_u8(w->out, '\n');
    }
    if (g->seen.rows > COMMENTS_MAX)
        buffer_printf(w->out, "    # and %u more\n", g->seen.rows - COMMENTS_MAX);
}

static void begin_rule(const struct writer *w, const char *role, bool into, const char *suffix)
{
    buffer_printf(w->out, "  - name: %s-%s%s\n", role, into ? "in" : "out", suffix);
}

static void put_hosts(const struct writer *w, const char *role, bool into)
{
    buffer_printf(w->out, "    %s: ", into ? "into" : "out_of");
    put_word(role, w->out);
    buffer_u8(w->out, '\n');
}

static void put_closing(const struct writer *w, const char *role, bool into, bool other)
{
    begin_rule(w, role, into, other ? "-other" : "");
    put_hosts(w, role, into);
    buffer_puts(w->out, other ? "    ports: [other]\n" : "");
    buffer_printf(w->out, "    %s: []\n", into ? "from" : "to");
}

static void put_group(const struct writer *w, const char *role, bool into, const struct tally *t, size_t group)
{
    struct buffer name, ports;
    buffer_init(&name, NAME_ROOM);
    buffer_init(&ports, 1u << 20);
    for (uint32_t i = 0; i < t->rows; i = port_end(t, i))
        if (w->group_of[i] == group && has_ports(t)) {
            buffer_puts(&name, name.n ? "" : "-");
            if (name.n == 1)
                put_port(&t->row[i].key, true, &name);
            buffer_puts(&ports, ports.n ? ", " : "");
            put_port(&t->row[i].key, false, &ports);
        }
    begin_rule(w, role, into, buffer_cstr(&name));
    put_comments(w, &w->group[group], into);
    put_hosts(w, role, into);
    if (ports.n)
        buffer_printf(w->out, "    ports: [%s]\n", buffer_cstr(&ports));
    buffer_printf(w->out, "    %s: [", into ? "from" : "to");
    buffer_put(w->out, w->group[group].ends.p, w->group[group].ends.n);
    buffer_puts(w->out, "]\n");
    buffer_fini(&name);
    buffer_fini(&ports);
}

static enum weir_err put_way(struct writer *w, const struct named *n, bool into)
{
    struct tally *t = &n->subject->all[into];
    size_t most = POLICY_RULES_MAX / (2 * w->n);
    most = most < RULES_OF_ONE ? most : RULES_OF_ONE;
    enum weir_err err = make_groups(w, t);
    while (!err && w->groups + 1 > most && t->level + 1 < t->levels) {
        tally_raise(t);
        err = make_groups(w, t);
    }
    if (err)
        return err;
    for (size_t i = 0; i < w->groups; i++)
        put_group(w, n->name, into, t, i);
    if (!t->rows || has_ports(t))
        put_closing(w, n->name, into, t->rows > 0);
    return WEIR_OK;
}

static void put_roles(const struct writer *w)
{
    const struct config *c = w->p->app->config;
    buffer_puts(w->out, c->roles.n || w->n ? "roles:\n" : "roles: {}\n");
    for (size_t i = 0; i < c->roles.n; i++) {
        buffer_puts(w->out, "  ");
        entry_put(entry_kind_of(PARAM_roles), c->roles.item[i], w->out);
        buffer_u8(w->out, '\n');
    }
    for (size_t i = 0; i < w->n; i++)
        if (!w->named[i].subject->role) {
            buffer_printf(w->out, "  %s: {networks: [", w->named[i].name);
            network_text(w->named[i].subject->network, subnet_bits(w->named[i].subject->network), w->out);
            buffer_puts(w->out, "]}\n");
        }
}

static void put_head(const struct writer *w)
{
    buffer_puts(w->out, "# Who called whom in these logs, as a policy to start from: read it, and take out what should not be.\n");
    if (w->p->unknown_all)
        buffer_printf(w->out, "# Not in it, and not judged by rules: %llu records that do not tell who opened the connection.\n", (unsigned long long)w->p->unknown_all);
}

static enum weir_err put_all(struct writer *w)
{
    enum weir_err err = WEIR_OK;
    size_t subnets = 0;
    for (size_t i = 0; i < w->n; i++)
        subnets += !w->named[i].subject->role;
    if (subnets + roles_count(w->p->roles) > ROLES_MAX)
        return WEIR_LIMIT;
    put_head(w);
    put_roles(w);
    buffer_puts(w->out, w->n ? "policy:\n" : "policy: []\n");
    for (size_t i = 0; i < w->n && !err; i++) {
        err = put_way(w, &w->named[i], true);
        if (!err)
            err = put_way(w, &w->named[i], false);
    }
    return !err && w->out->n > CONFIG_FILE_MAX ? WEIR_LIMIT : err;
}

enum weir_err proposal_put(struct proposal *p, struct buffer *out)
{
    struct writer w = {.p = p, .out = out, .named = calloc((size_t)p->known.rows + 1, sizeof *w.named)};
    if (!w.named)
        return WEIR_NOMEM;
    for (uint32_t i = 0; i < p->known.rows; i++)
        if (has_edges(&p->subject[i])) {
            w.named[w.n].subject = &p->subject[i];
            name_subject(p, &w.named[w.n++]);
        }
    qsort(w.named, w.n, sizeof *w.named, by_name);
    enum weir_err err = put_all(&w);
    groups_clear(&w);
    free(w.group);
    free(w.group_of);
    free(w.named);
    return err ? err : out->err;
}
