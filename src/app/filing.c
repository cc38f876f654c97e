/* SPDX-License-Identifier: Apache-2.0 */
/* Filing what was raised: the finding of a host grows by the day, is withdrawn when later records take the claim back, and closes
 * after a quiet day. */
#include <stdlib.h>
#include <string.h>

#include "app/judge.h"
#include "app/roles.h"

static struct inventory_host host_of(const struct judging *g, const struct dossier *d)
{
    struct inventory_host who;
    inventory_find(context_inventory(g->run->context), d->interface, d->vpc, d->host, &who);
    const struct roles *roles = g->run->app->config->role_map;
    uint16_t role = roles_of_host(roles, context_inventory(g->run->context), d->interface, d->host);
    if (role) /* the configured role wins */
        who.role = slice_of(role_word(roles, role));
    return who;
}

static bool is_sensitive(const struct judging *g, const struct dossier *d)
{
    const struct roles *roles = g->run->app->config->role_map;
    return role_sensitive(roles, roles_of_host(roles, context_inventory(g->run->context), d->interface, d->host));
}

/* The store takes hexadecimal ids. */
static const char *digits_of(const char *uid) { return strchr(uid, '-') + 1; }

/* The first severity in a text of ours is that of the finding. */
static unsigned severity_of(struct slice json)
{
    static const char key[] = "\"severity_id\":";
    const char *at = memmem(json.p, json.n, key, sizeof key - 1);
    return at && at[sizeof key - 1] >= '1' && at[sizeof key - 1] <= '5' ? (unsigned)(at[sizeof key - 1] - '0') : 0;
}

/* Written only if it says something new, so that judging an open day again is no news. */
static enum weir_err put_finding(struct judging *g, const struct dossier *d, bool open, char uid[FINDING_UID_MAX])
{
    struct buffer json, old;
    buffer_init(&json, STORE_VALUE_MAX);
    buffer_init(&old, STORE_VALUE_MAX);
    struct inventory_host who = host_of(g, d);
    enum weir_err err = dossier_finding(d, open, &who, is_sensitive(g, d), g->run->config_hash, uid, &json);
    if (!err) {
        const char *id = digits_of(uid);
        enum weir_err got = store_get(g->run->store, 'q', id, &old, NULL);
        if (got == WEIR_NOTFOUND) {
            g->run->counts.findings_new++;
            g->run->counts.findings_by_severity[severity_of((struct slice){json.p, json.n})]++;
        }
        if (got || old.n != json.n || memcmp(old.p, json.p, json.n) != 0)
            err = store_put_finding(g->run->store, id, (struct slice){json.p, json.n}, g->fault);
    }
    buffer_fini(&json);
    buffer_fini(&old);
    return err;
}

static void dossier_begin(struct dossier *d, const struct judged *j)
{
    const struct ring *ring = &j->baseline.feature[FEATURE_DAY_EXTERNAL];
    d->host_id = j->host.host_id;
    d->host = j->host.host;
    d->account = j->host.account;
    d->interface = j->host.interface;
    d->vpc = j->host.vpc;
    d->region = j->region;
    d->history_n = ring->n;
    memcpy(d->history, ring->v, ring->n);
    d->closed = false;
    d->days = 0;
}

/* The day is one of the run of days, or next to it: two days may be open at once, and each is judged again. */
static bool joins(const struct dossier *d, int64_t day_s)
{
    return d->days && !d->closed && day_s >= d->day[0]->day_s - DAY_S && day_s <= d->day[d->days - 1]->day_s + DAY_S;
}

/* A damaged dossier costs the earlier days of one finding, not the run. */
static enum weir_err load_dossier(struct judging *g, uint64_t host_id, struct dossier *d)
{
    char id[17];
    enum weir_err err = dossier_get(g->run->store, host_id, d, g->fault);
    if (err != WEIR_CORRUPT && err != WEIR_TRUNCATED)
        return err;
    store_id(host_id, id);
    log_error(g->run->app->log, "dossier damaged, its finding begins anew", LOG_TEXT("host", slice_of(id)));
    d->days = 0;
    return WEIR_NOTFOUND;
}

enum weir_err file_judged(struct judging *g, const struct judged *j)
{
    char uid[FINDING_UID_MAX];
    struct dossier *d = dossier_new();
    if (!d)
        return WEIR_NOMEM;
    enum weir_err err = load_dossier(g, j->host.host_id, d);
    if (err == WEIR_NOTFOUND || (!err && !joins(d, j->host.day_s))) {
        err = WEIR_OK;
        dossier_begin(d, j);
    }
    if (!err && !dossier_keep_evidence(d, j->day))
        err = WEIR_NOMEM;
    if (!err) {
        dossier_add_day(d, j->day);
        err = dossier_put(g->run->store, d, g->fault);
    }
    if (!err)
        err = put_finding(g, d, !g->closing, uid);
    if (!err)
        err = held_add(g->run->store, digits_of(uid), d->host_id, j->held, g->fault);
    if (!err)
        err = run_state_add_finding(&g->run->state, j->host.host_id);
    dossier_free(d);
    return err;
}

static bool raised_now(const struct judging *g, uint64_t host_id)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->judged[i].host.host_id == host_id)
            return true;
    return false;
}

/* The finding, closed by what came since. Quotes are escaped inside of JSON strings, so the patterns are met outside of them. */
void finding_withdrawn(struct slice json, struct buffer *out)
{
    static const char activity[] = "\"activity_id\":1,\"type_uid\":200401,", status[] = "\"status_id\":1,";
    const char *a = json.n ? memmem(json.p, json.n, activity, sizeof activity - 1) : NULL;
    const char *s = json.n ? memmem(json.p, json.n, status, sizeof status - 1) : NULL;
    if (!a || !s || s < a) {
        out->err = WEIR_CORRUPT;
        return;
    }
    const char *between = a + sizeof activity - 1, *rest = s + sizeof status - 1;
    buffer_put(out, json.p, (size_t)(a - json.p));
    buffer_puts(out, "\"activity_id\":3,\"type_uid\":200403,");
    buffer_put(out, between, (size_t)(s - between));
    buffer_puts(out, "\"status_id\":4,\"comment\":\"withdrawn: what came later takes the claim back\",");
    buffer_put(out, rest, json.n - (size_t)(rest - json.p));
}

/* Whom the finding was sent to is told that it is gone: its last state stands in the outbox only. */
static enum weir_err delete_finding(struct judging *g, const char *uid, struct slice json)
{
    const char *id = digits_of(uid);
    struct buffer gone;
    buffer_init(&gone, STORE_VALUE_MAX);
    finding_withdrawn(json, &gone);
    enum weir_err err = WEIR_OK;
    if (!gone.err && store_has(g->run->store, 'q', id))
        err = store_put_finding(g->run->store, id, (struct slice){gone.p, gone.n}, g->fault);
    buffer_fini(&gone);
    if (!err)
        err = store_delete(g->run->store, 'q', id, g->fault);
    return err ? err : store_delete(g->run->store, 'k', digits_of(uid), g->fault);
}

/* What came since takes the claim back (a gateway gave itself away, more hosts share the budget): the finding is that of the other days, or
 * gone, as if all had been counted in one run. */
static enum weir_err withdraw_day(struct judging *g, struct dossier *d)
{
    char old_uid[FINDING_UID_MAX], uid[FINDING_UID_MAX], id[17];
    struct buffer json, now;
    buffer_init(&json, STORE_VALUE_MAX);
    buffer_init(&now, STORE_VALUE_MAX);
    struct inventory_host who = host_of(g, d);
    enum weir_err err = dossier_finding(d, true, &who, is_sensitive(g, d), g->run->config_hash, old_uid, &json);
    dossier_remove_day(d, (int64_t)g->day * DAY_S);
    log_warn(g->run->app->log, "claim withdrawn", LOG_TEXT("finding", slice_of(old_uid)));
    store_id(d->host_id, id);
    if (!err && !d->days) {
        err = store_delete(g->run->store, 'c', id, g->fault);
    } else if (!err) {
        err = dossier_finding(d, true, &who, is_sensitive(g, d), g->run->config_hash, uid, &now);
        if (!err)
            err = dossier_put(g->run->store, d, g->fault);
        if (!err)
            err = put_finding(g, d, true, uid);
    }
    if (!err && (!d->days || strcmp(uid, old_uid) != 0))
        err = delete_finding(g, old_uid, (struct slice){json.p, json.n});
    buffer_fini(&now);
    buffer_fini(&json);
    return err;
}

/* A day closed without the host being raised: its finding is complete. */
static enum weir_err close_finding(struct judging *g, struct dossier *d)
{
    char uid[FINDING_UID_MAX];
    d->closed = true;
    enum weir_err err = dossier_put(g->run->store, d, g->fault);
    return err ? err : put_finding(g, d, false, uid);
}

/* One open finding whose host is not raised on this day; *open: it stays open. */
static enum weir_err settle_quiet(struct judging *g, uint64_t host_id, bool *open)
{
    int64_t day_s = (int64_t)g->day * DAY_S;
    struct dossier *d = dossier_new();
    enum weir_err err = d ? load_dossier(g, host_id, d) : WEIR_NOMEM;
    if (!err && dossier_has_day(d, day_s))
        err = withdraw_day(g, d);
    *open = !err && d->days > 0;
    if (*open && g->closing && d->day[d->days - 1]->day_s < day_s) {
        *open = false;
        err = close_finding(g, d);
    }
    dossier_free(d);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

enum weir_err settle_open_findings(struct judging *g)
{
    struct run_state *st = &g->run->state;
    size_t kept = 0;
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < st->open_findings && !err; i++) {
        bool open = true;
        if (!raised_now(g, st->open_finding[i]))
            err = settle_quiet(g, st->open_finding[i], &open);
        if (open)
            st->open_finding[kept++] = st->open_finding[i];
    }
    st->open_findings = err ? st->open_findings : kept;
    return err;
}
