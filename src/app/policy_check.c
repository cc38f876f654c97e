/* SPDX-License-Identifier: Apache-2.0 */
/* `weir policy check`: the window decides which hosts broke a rule on which day, as in a run (a NAT gateway broke none, an end that
 * may be the host counts where its day proves it); the tallies beside it know the peers and ports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/policy.h"
#include "app/policy_tool.h"
#include "app/policy_walk.h"
#include "app/tally.h"

#define ROWS_PER_RULE 4096
#define HOSTS_MAX 1000000

enum { FORMAT_TABLE, FORMAT_JSON, FORMAT_NDJSON, FORMAT_CSV };

struct check {
    struct app *app;
    const struct inventory *inventory;
    const struct roles *roles;
    const struct policy *policy;
    struct window *window;
    struct tally *object, *all; /* by rule: of the object in work, of those kept */
    struct tally confirmed;     /* host-days that broke a rule; role: the rule */
    struct slice *interface; size_t interfaces_cap; /* of confirmed */
    struct arena *arena;
    uint64_t folded;            /* flows beyond a limit; those lost for lack of memory, the merge tells */
    bool nomem;
};

/* 1: without peer, 2: without port, too. Host and day stay: what is confirmed is a host-day. */
static void coarsen(struct tally_key *key, unsigned level)
{
    key->end = (struct ip){0, 0};
    key->kind = 1;
    if (level > 1)
        key->port = key->protocol = 0;
}

static uint64_t interface_hash(struct slice account, struct slice id)
{
    uint64_t both[2] = {stable_hash(account.p, account.n), stable_hash(id.p, id.n)};
    return stable_hash(both, sizeof both);
}

/* ---- flows ---- */

static void note_broken(struct check *c, const struct interface_name *name, uint32_t flow_log, const struct flow *f, uint16_t rule)
{
    struct tally_row row = tally_row_of(f->bytes, f->start_s, f->end_s);
    row.key.host = f->host;
    row.key.end = f->peer;
    row.key.interface = interface_hash(name->account, name->id);
    row.key.flow_log = flow_log;
    row.key.role = rule;
    row.key.day = (uint16_t)(f->start_s / DAY_S);
    row.key.port = f->service_port;
    row.key.protocol = f->protocol;
    tally_add(&c->object[rule], &row);
}

static void look_at(struct check *c, struct window *w, uint32_t interface, struct slice flow_log, const struct flow *f, enum flow_verdict v)
{
    WEIR_UNINITIALIZED uint16_t rule[POLICY_RULES_MAX];
    struct interface_name name;
    window_name(w, interface, &name);
    size_t n = policy_broken(c->policy, c->inventory, name.id, f, rule);
    for (size_t i = 0; i < n; i++) {
        c->folded += window_add_broken(w, interface, f, v, policy_rule_group(c->policy, rule[i])) != WEIR_OK;
        note_broken(c, &name, crc32c(0, flow_log.n ? flow_log.p : "", flow_log.n), f, rule[i]);
    }
}

static void on_flow(void *ctx, struct window *w, uint32_t interface, struct slice flow_log, const struct flow *f, enum flow_verdict v)
{
    struct check *c = ctx;
    c->folded += window_add(w, interface, f, v) != WEIR_OK;
    look_at(c, w, interface, flow_log, f, v);
    if (v == FLOW_PENDING) {
        struct flow mirrored = flow_mirror(f);
        look_at(c, w, interface, flow_log, &mirrored, v);
    }
}

static void forget(void *ctx)
{
    struct check *c = ctx;
    for (size_t i = 0; i < policy_rules(c->policy); i++)
        if (c->object[i].rows)
            tally_clear(&c->object[i]);
}

static enum weir_err keep(void *ctx, struct window *w)
{
    struct check *c = ctx;
    enum weir_err err = window_merge(c->window, w);
    for (size_t i = 0; i < policy_rules(c->policy); i++) {
        if (c->object[i].rows)
            tally_merge(&c->all[i], &c->object[i]);
        c->nomem |= c->all[i].nomem | c->object[i].nomem;
    }
    forget(c);
    return c->nomem ? WEIR_NOMEM : err == WEIR_LIMIT ? WEIR_OK : err;
}

/* ---- what counts ---- */

static enum weir_err confirm(struct check *c, const struct host_day *d, uint16_t rule)
{
    struct tally_row row = tally_row_of(0, d->day_s, d->day_s);
    row.key.host = d->host;
    row.key.interface = interface_hash(d->account, d->interface);
    row.key.role = rule;
    row.key.day = (uint16_t)(d->day_s / DAY_S);
    uint32_t before = c->confirmed.rows, at = tally_add(&c->confirmed, &row);
    if (at == UINT32_MAX)
        return c->confirmed.nomem ? WEIR_NOMEM : WEIR_OK; /* beyond HOSTS_MAX: told as lost */
    if (at < before)
        return WEIR_OK;
    if (at >= c->interfaces_cap) {
        size_t cap = (size_t)at * 2 + 16;
        struct slice *grown = realloc(c->interface, cap * sizeof *grown);
        if (!grown)
            return WEIR_NOMEM;
        c->interface = grown;
        c->interfaces_cap = cap;
    }
    c->interface[at] = arena_slice(c->arena, d->interface);
    return WEIR_OK;
}

static enum weir_err on_host(void *ctx, const struct host_day *d)
{
    struct check *c = ctx;
    enum weir_err err = WEIR_OK;
    if (d->forwarder && (!d->suspected || c->app->config->forwarders.n == 0))
        return WEIR_OK;
    for (size_t i = 0; i < d->rules_broken && !err; i++)
        for (uint16_t rule = 0; rule < policy_rules(c->policy) && !err; rule++)
            if (policy_rule_group(c->policy, rule) == d->broken[i].group)
                err = confirm(c, d, rule);
    return err;
}

static enum weir_err confirm_days(struct check *c)
{
    int64_t day_s[RUN_OPEN_DAYS_MAX];
    size_t days = window_days(c->window, day_s, RUN_OPEN_DAYS_MAX);
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < days && !err; i++)
        err = window_each_host(c->window, day_s[i], UINT64_MAX, on_host, c); /* only those that broke a rule */
    return err;
}

/* ---- showing ---- */

/* The rows of one rule that are confirmed, days added up. */
static enum weir_err gather(const struct check *c, uint16_t rule, struct tally *out)
{
    const struct tally *all = &c->all[rule];
    for (uint32_t i = 0; i < all->rows; i++) {
        struct tally_row row = all->row[i];
        struct tally_key host;
        memset(&host, 0, sizeof host);
        host.host = row.key.host;
        host.interface = row.key.interface;
        host.role = rule;
        host.day = row.key.day;
        row.mark = tally_find(&c->confirmed, &host);
        row.key.day = 0;
        if (row.mark != UINT32_MAX)
            tally_add(out, &row);
    }
    tally_sort(out);
    return out->nomem ? WEIR_NOMEM : WEIR_OK;
}

static bool same_but_flow_log(const struct tally_row *a, const struct tally_row *b)
{
    struct tally_key x = a->key, y = b->key;
    x.flow_log = y.flow_log = 0;
    return tally_key_compare(&x, &y) == 0;
}

struct cells { /* one row as text */
    char host[IP_TEXT_MAX], peer[IP_TEXT_MAX], port[16], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    const char *rule, *role;
    struct slice interface;
    const struct tally_row *row;
};

static void port_text(const struct tally_key *key, char out[16])
{
    const char *protocol = key->protocol == 6 ? "tcp" : key->protocol == 17 ? "udp" : "";
    if (key->port && *protocol)
        snprintf(out, 16, "%s/%u", protocol, key->port);
    else
        snprintf(out, 16, "%s", "many");
}

static void cells_of(const struct check *c, uint16_t rule, const struct tally_row *row, struct cells *out)
{
    *out = (struct cells){.rule = policy_rule_name(c->policy, rule), .row = row, .interface = c->interface[row->mark]};
    out->role = role_word(c->roles, roles_of_host(c->roles, c->inventory, out->interface, row->key.host));
    ip_format(row->key.host, out->host);
    if (row->key.kind)
        memcpy(out->peer, "many", 5);
    else
        ip_format(row->key.end, out->peer);
    port_text(&row->key, out->port);
    time_format(row->first_s, out->first);
    time_format(row->last_s, out->last);
}

static void put_json(const struct cells *x, struct buffer *out)
{
    buffer_printf(out, "{\"rule\":\"%s\",\"host\":\"%s\",\"interface\":", x->rule, x->host);
    escape_json(out, x->interface);
    buffer_printf(out, ",\"role\":\"%s\",\"peer\":\"%s\",\"port\":\"%s\",\"bytes\":%llu,\"records\":%llu,\"first\":\"%s\",\"last\":\"%s\"}", x->role, x->peer,
                  x->port, (unsigned long long)x->row->bytes, (unsigned long long)x->row->records, x->first, x->last);
}

static void put_csv(const struct cells *x, struct buffer *out)
{
    const char *const before[] = {x->rule, x->host, NULL, x->role, x->peer, x->port};
    for (size_t i = 0; i < WEIR_COUNT(before); i++) {
        escape_csv(out, before[i] ? slice_of(before[i]) : x->interface);
        buffer_u8(out, ',');
    }
    buffer_printf(out, "%llu,%llu,%s,%s\r\n", (unsigned long long)x->row->bytes, (unsigned long long)x->row->records, x->first, x->last);
}

static void put_table(const struct cells *x, struct buffer *out)
{
    char bytes[FINDING_BYTES_TEXT_MAX];
    finding_bytes(x->row->bytes, bytes);
    buffer_printf(out, "%-28s  %-15s  %-15s  %-11s  %9s  %7llu  %s\n", x->rule, x->host, x->peer, x->port, bytes, (unsigned long long)x->row->records, x->first);
}

static void put_row(const struct cells *x, unsigned format, bool first, struct buffer *out)
{
    if (format == FORMAT_TABLE)
        put_table(x, out);
    else if (format == FORMAT_CSV)
        put_csv(x, out);
    else {
        buffer_puts(out, format == FORMAT_JSON && !first ? ",\n" : "");
        put_json(x, out);
        buffer_puts(out, format == FORMAT_NDJSON ? "\n" : "");
    }
}

/* Of the same rows under several flow logs the largest counts. */
static enum weir_err show_rule(const struct check *c, uint16_t rule, size_t *shown, struct buffer *out)
{
    struct tally rows;
    tally_init(&rows, UINT32_MAX, 1, NULL);
    enum weir_err err = gather(c, rule, &rows);
    for (uint32_t i = 0, best; i < rows.rows && !err; ) {
        struct cells x;
        for (best = i++; i < rows.rows && same_but_flow_log(&rows.row[best], &rows.row[i]); i++)
            best = rows.row[i].bytes > rows.row[best].bytes ? i : best;
        cells_of(c, rule, &rows.row[best], &x);
        put_row(&x, c->app->config->format, !(*shown)++, out);
    }
    tally_fini(&rows);
    return err;
}

static enum weir_err show(const struct check *c, struct buffer *out)
{
    unsigned format = c->app->config->format;
    size_t shown = 0;
    enum weir_err err = WEIR_OK;
    if (format == FORMAT_TABLE)
        buffer_printf(out, "%-28s  %-15s  %-15s  %-11s  %9s  %7s  %s\n", "RULE", "HOST", "PEER", "PORT", "BYTES", "RECORDS", "FIRST");
    if (format == FORMAT_CSV)
        buffer_puts(out, "\"rule\",\"host\",\"interface\",\"role\",\"peer\",\"port\",\"bytes\",\"records\",\"first\",\"last\"\r\n");
    buffer_puts(out, format == FORMAT_JSON ? "[\n" : "");
    for (uint16_t rule = 0; rule < policy_rules(c->policy) && !err; rule++)
        err = show_rule(c, rule, &shown, out);
    buffer_puts(out, format == FORMAT_JSON ? "\n]\n" : "");
    if (format == FORMAT_TABLE && !shown)
        buffer_clear(out);
    if (c->folded)
        log_warn(c->app->log, "flows beyond window.max_hosts are not checked", LOG_NUMBER("flows", c->folded));
    if (c->confirmed.lost)
        log_warn(c->app->log, "more host-days break rules than are shown", LOG_NUMBER("host_days", c->confirmed.lost));
    if (!shown && !c->app->quiet)
        fputs("no connection breaks a rule\n", c->app->err);
    return err;
}

/* ---- all of it ---- */

static bool check_init(struct check *c, const struct policy_tool *tool)
{
    struct app *app = tool->app;
    struct window_limits limits = window_default_limits;
    limits.max_hosts = (uint32_t)app->config->max_hosts;
    c->app = app;
    c->inventory = tool->inventory;
    c->roles = app->config->role_map;
    c->policy = app->config->policy_rules;
    c->window = window_new(&limits, false);
    c->arena = arena_new(0);
    c->object = calloc(policy_rules(c->policy), sizeof *c->object);
    c->all = calloc(policy_rules(c->policy), sizeof *c->all);
    tally_init(&c->confirmed, HOSTS_MAX, 1, NULL);
    if (!c->window || !c->arena || !c->object || !c->all)
        return false;
    for (size_t i = 0; i < policy_rules(c->policy); i++) {
        tally_init(&c->object[i], ROWS_PER_RULE, 3, coarsen);
        tally_init(&c->all[i], ROWS_PER_RULE, 3, coarsen);
    }
    return true;
}

static void check_fini(struct check *c)
{
    for (size_t i = 0; c->object && c->all && i < policy_rules(c->policy); i++) {
        tally_fini(&c->object[i]);
        tally_fini(&c->all[i]);
    }
    free(c->object);
    free(c->all);
    free(c->interface);
    tally_fini(&c->confirmed);
    arena_free(c->arena);
    window_free(c->window);
}

enum weir_err policy_check(const struct policy_tool *tool, struct run_counts *counts, struct buffer *out, struct fault *fault)
{
    struct check c = {0};
    const struct flow_walk walk = {&c, on_flow, forget, keep};
    enum weir_err err = check_init(&c, tool) ? walk_flows(tool->app, tool->list, &walk, counts, fault) : WEIR_NOMEM;
    if (!err)
        err = confirm_days(&c);
    if (!err)
        err = show(&c, out);
    check_fini(&c);
    return err && !fault->text[0] ? fault_set(fault, err, "cannot check the policy: %s", weir_err_text(err)) : err;
}
