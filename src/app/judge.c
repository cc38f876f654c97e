/* SPDX-License-Identifier: Apache-2.0 */
/* Judging a day: each host against its baseline, evidence for those that were raised, findings; then, when the day closes,
 * learning. A day is judged with the baselines of the days before it, however often that is done. */
#include <stdlib.h>
#include <string.h>

#include "app/run.h"

struct judging {
    struct run *run;
    struct fault *fault;
    uint16_t day;
    bool closing;
    double budget;
    struct arena *arena;
    struct judged *judged; size_t n, cap;
    struct buffer blob;
};

static void host_key(uint64_t host_id, char id[17]) { snprintf(id, 17, "%016llx", (unsigned long long)host_id); }

static enum weir_err load_baseline(struct judging *g, const struct host_day *d, struct baseline *b)
{
    char id[17];
    host_key(d->host_id, id);
    buffer_clear(&g->blob);
    enum weir_err err = store_get(g->run->store, 'h', id, &g->blob, g->fault);
    if (!err) {
        err = baseline_decode((struct slice){g->blob.p, g->blob.n}, b);
        if (err == WEIR_VERSION)
            return fault_set(g->fault, err, "baseline 'h:%s' was written by a newer weir", id);
        if (err) { /* never use it silently: say so and learn anew */
            log_error(g->run->app->log, "baseline damaged, host learns anew", LOG_TEXT("host", slice_of(id)));
            err = WEIR_NOTFOUND;
        }
    }
    if (err == WEIR_NOTFOUND) {
        baseline_init(b, d->host_id, d->host);
        err = WEIR_OK;
    }
    return err;
}

static enum weir_err save_baseline(struct judging *g, const struct baseline *b)
{
    char id[17];
    host_key(b->host_id, id);
    buffer_clear(&g->blob);
    enum weir_err err = baseline_encode(b, &g->blob);
    return err ? err : store_put(g->run->store, 'h', id, (struct slice){g->blob.p, g->blob.n}, g->fault);
}

static enum weir_err keep_judged(struct judging *g, const struct host_day *d, const struct baseline *b, const struct score *score)
{
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 8;
        struct judged *judged = realloc(g->judged, cap * sizeof *judged);
        if (!judged)
            return WEIR_NOMEM;
        g->judged = judged;
        g->cap = cap;
    }
    struct judged *j = &g->judged[g->n++];
    memset(j, 0, sizeof *j);
    j->host = *d;
    j->host.account = arena_slice(g->arena, d->account);
    j->host.interface = arena_slice(g->arena, d->interface);
    j->host.vpc = arena_slice(g->arena, d->vpc);
    j->host.group = NULL;
    j->host.groups = 0;
    j->baseline = *b;
    j->score = *score;
    evidence_claim(j, d, g->day);
    return WEIR_OK;
}

/* What was raised is not learned: the groups that a raised part counts, and the sums of the host's day. */
static enum weir_err learn(struct judging *g, const struct host_day *d, struct baseline *b, const struct score *score)
{
    uint64_t *flagged = NULL;
    size_t n = 0;
    if (score->raised && !(flagged = malloc((d->groups + 1) * sizeof *flagged)))
        return WEIR_NOMEM;
    for (size_t i = 0; flagged && i < d->groups; i++)
        for (size_t p = 0; p < score->n && score->part[p].raised; p++)
            if (score->part[p].test != SCORE_HOUR_VOLUME && score_covers(&score->part[p], b, g->day, d->group[i].group, 0)) {
                flagged[n++] = d->group[i].group;
                break;
            }
    baseline_learn(b, d, flagged, n, score->raised);
    free(flagged);
    return save_baseline(g, b);
}

/* Where the operator has named the forwarders, a suspicion is no more than that. */
static bool suspicion_counts(const struct judging *g) { return g->run->app->config->forwarders.n == 0; }

static void tell_suspected(struct judging *g, const struct host_day *d)
{
    char ip[IP_TEXT_MAX];
    ip_format(d->host, ip);
    if (d->suspected)
        log_warn(g->run->app->log, suspicion_counts(g) ? "suspected forwarder, charged to nobody" : "suspected forwarder, not in networks.forwarders, so charged", LOG_TEXT("interface", d->interface), LOG_TEXT("address", slice_of(ip)),
                 LOG_NUMBER("bytes", d->external_out));
}

static enum weir_err on_host(void *ctx, const struct host_day *day)
{
    struct judging *g = ctx;
    struct baseline b;
    struct score score = {0};
    tell_suspected(g, day);
    struct host_day trusted = *day;
    trusted.forwarder &= !day->suspected || suspicion_counts(g);
    const struct host_day *d = &trusted;
    if (d->forwarder)
        return WEIR_OK;
    enum weir_err err = load_baseline(g, d, &b);
    if (err)
        return err;
    if (d->external_out >= score_min_bytes(&score_model_default))
        score_day(&score_model_default, g->budget, d, &b, &score);
    if (score.raised)
        err = keep_judged(g, d, &b, &score);
    if (!err && g->closing)
        err = learn(g, d, &b, &score);
    return err;
}

/* ---- findings ---- */

static struct inventory_host host_of(const struct judging *g, const struct dossier *d)
{
    struct inventory_host who;
    inventory_find(context_inventory(g->run->context), d->interface, d->vpc, d->host, &who);
    return who;
}

/* Written only if it says something new, so that judging an open day again is no news. */
static enum weir_err put_finding(struct judging *g, const struct dossier *d, bool open)
{
    char uid[FINDING_UID_MAX];
    struct buffer json, old;
    buffer_init(&json, STORE_VALUE_MAX);
    buffer_init(&old, STORE_VALUE_MAX);
    struct inventory_host who = host_of(g, d);
    enum weir_err err = dossier_finding(d, open, &who, g->run->config_hash, uid, &json);
    if (!err) {
        const char *id = strchr(uid, '-') + 1; /* the store takes hexadecimal ids */
        enum weir_err got = store_get(g->run->store, 'q', id, &old, NULL);
        if (got == WEIR_NOTFOUND)
            g->run->counts.findings_new++;
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
    host_key(host_id, id);
    log_error(g->run->app->log, "dossier damaged, its finding begins anew", LOG_TEXT("host", slice_of(id)));
    d->days = 0;
    return WEIR_NOTFOUND;
}

static enum weir_err file_judged(struct judging *g, const struct judged *j)
{
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
        err = put_finding(g, d, !g->closing);
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

static enum weir_err delete_finding(struct judging *g, const char *uid)
{
    return store_delete(g->run->store, 'q', strchr(uid, '-') + 1, g->fault);
}

/* What came since takes the claim back (a gateway gave itself away, more hosts share the budget): the finding is that of the other days, or
 * gone, as if all had been counted in one run. */
static enum weir_err withdraw_day(struct judging *g, struct dossier *d)
{
    char old_uid[FINDING_UID_MAX], uid[FINDING_UID_MAX], id[17];
    struct buffer json;
    buffer_init(&json, STORE_VALUE_MAX);
    struct inventory_host who = host_of(g, d);
    enum weir_err err = dossier_finding(d, true, &who, g->run->config_hash, old_uid, &json);
    dossier_remove_day(d, (int64_t)g->day * DAY_S);
    log_warn(g->run->app->log, "claim withdrawn", LOG_TEXT("finding", slice_of(old_uid)));
    host_key(d->host_id, id);
    if (!err && !d->days) {
        err = store_delete(g->run->store, 'c', id, g->fault);
    } else if (!err) {
        buffer_clear(&json);
        err = dossier_finding(d, true, &who, g->run->config_hash, uid, &json);
        if (!err)
            err = dossier_put(g->run->store, d, g->fault);
        if (!err)
            err = put_finding(g, d, true);
    }
    if (!err && (!d->days || strcmp(uid, old_uid) != 0))
        err = delete_finding(g, old_uid);
    buffer_fini(&json);
    return err;
}

/* A day closed without the host being raised: its finding is complete. */
static enum weir_err close_finding(struct judging *g, struct dossier *d)
{
    d->closed = true;
    enum weir_err err = dossier_put(g->run->store, d, g->fault);
    return err ? err : put_finding(g, d, false);
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

static enum weir_err settle_open_findings(struct judging *g)
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

static enum weir_err judge_all(struct judging *g)
{
    struct run *run = g->run;
    int64_t day_s = (int64_t)g->day * DAY_S;
    uint64_t at_least = g->closing ? 0 : score_min_bytes(&score_model_default);
    enum weir_err err = window_each_host(run->window, day_s, at_least, on_host, g);
    if (!err && g->n)
        err = evidence_collect(run, g->day, g->judged, g->n, g->arena, g->fault);
    for (size_t i = 0; i < g->n && !err; i++)
        err = file_judged(g, &g->judged[i]);
    if (!err)
        err = settle_open_findings(g);
    return err;
}

enum weir_err judge_day(struct run *run, uint16_t day, bool closing, struct fault *fault)
{
    uint64_t hosts = window_hosts(run->window, (int64_t)day * DAY_S);
    struct judging g = {.run = run, .fault = fault, .day = day, .closing = closing, .arena = arena_new(0),
                        .budget = budget_per_host_day(run->app->config->budget, hosts)};
    buffer_init(&g.blob, STORE_VALUE_MAX);
    fault->text[0] = 0;
    run->counts.host_days += hosts;
    run->counts.hosts = hosts > run->counts.hosts ? hosts : run->counts.hosts;
    enum weir_err err = g.arena ? judge_all(&g) : WEIR_NOMEM;
    struct window_stats stats = window_stats(run->window);
    run->counts.suspected_forwarders = stats.suspected_forwarders > run->counts.suspected_forwarders ? stats.suspected_forwarders : run->counts.suspected_forwarders;
    run->counts.unresolved_bytes = sat_add(run->counts.unresolved_bytes, stats.unresolved_bytes);
    buffer_fini(&g.blob);
    free(g.judged);
    arena_free(g.arena);
    failpoint("day-judged");
    if (err && err != WEIR_INTERRUPTED && !fault->text[0])
        return fault_set(fault, err, "cannot judge a day: %s", weir_err_text(err));
    return err;
}
