/* SPDX-License-Identifier: Apache-2.0 */
/* Judging a day in two passes over its hosts: the survey, which finds what many did at once, and the judgement of each against its
 * baseline and class, with evidence and findings for those that were raised; then, when the day closes, learning. A day is
 * judged with the baselines of the days before it, however often that is done. */
#include <stdlib.h>
#include <string.h>

#include "app/gaps.h"
#include "app/judge.h"
#include "app/policy.h"

static enum weir_err load_baseline(struct judging *g, const struct host_day *d, struct baseline *b)
{
    char id[17];
    store_id(d->host_id, id);
    buffer_clear(&g->blob);
    enum weir_err err = ahead_get(g->ahead, d->host_id, &g->blob, g->fault);
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

/* ---- both passes: one host ---- */

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

static bool charged_to_nobody(const struct judging *g, const struct host_day *d) { return d->forwarder && (!d->suspected || suspicion_counts(g)); }

/* The configured role wins over what the inventory says. */
struct slice class_word(const struct run *run, const struct host_day *d)
{
    const struct inventory *inv = context_inventory(run->context);
    uint16_t role = roles_of_host(run->app->config->role_map, inv, d->interface, d->host);
    return role ? slice_of(role_word(run->app->config->role_map, role)) : inventory_class(inv, d->interface, d->vpc, d->host);
}

/* What cannot be read of a marked finding is passed over, aloud. */
static enum weir_err apply_marks(struct judging *g, struct baseline *b, struct released *released)
{
    bool changed;
    enum weir_err err = marks_apply(g->marks, g->run->store, b, g->day, &changed, &released->by_mark, g->fault);
    if (err != WEIR_CORRUPT && err != WEIR_TRUNCATED)
        return err;
    log_error(g->run->app->log, "mark passed over, its finding is damaged", LOG_TEXT("cause", slice_of(g->fault->text)));
    g->fault->text[0] = 0;
    return WEIR_OK;
}

/* The host-day, its baseline and its class into the scorer. */
static enum weir_err take(struct judging *g, const struct host_day *d, const struct score_survey *survey, struct baseline *b, struct class_entry *class,
                          struct released *released)
{
    enum weir_err err = load_baseline(g, d, b);
    if (!err)
        err = apply_marks(g, b, released);
    if (!err) {
        baseline_release(b, g->day, &released->by_time);
        err = classes_get(g->classes, host_class(d, class_word(g->run, d)), class, g->fault);
    }
    return err ? err : scorer_take(g->scorer, d, b, class->state, g->fleet_days, survey);
}

/* ---- rules: no baseline is needed for them ---- */

static const char *name_of_rule(const void *policy, uint64_t group) { return policy ? policy_group_name(policy, group) : NULL; }

static struct score_rules rules_of(const struct judging *g, const struct host_day *d)
{
    const struct config *c = g->run->app->config;
    uint16_t role = roles_of_host(c->role_map, context_inventory(g->run->context), d->interface, d->host);
    return (struct score_rules){.ceiling = role_daily_ceiling(c->role_map, role), .rule_name = name_of_rule, .policy = c->policy_rules,
                                .sensitive = role_sensitive(c->role_map, role)};
}

/* No host-day that sent less, inside and outside together, can be raised. */
static uint64_t least_bytes(const struct judging *g)
{
    const struct config *c = g->run->app->config;
    uint64_t least = context_about(g->run->context, CONTEXT_THREAT)->entries ? 1 : score_min_bytes(&score_model_default);
    for (uint16_t role = 1; role <= roles_count(c->role_map); role++) {
        uint64_t ceiling = role_daily_ceiling(c->role_map, role);
        least = ceiling && ceiling < least ? ceiling : least;
    }
    return g->closing ? 0 : least;
}

/* The first day of all, still open, without threats and ceilings: no sum of bytes can be raised, only what broke a rule. */
static bool no_sum_can_raise(const struct judging *g)
{
    const struct config *c = g->run->app->config;
    bool rules = context_about(g->run->context, CONTEXT_THREAT)->entries > 0;
    for (uint16_t role = 1; role <= roles_count(c->role_map); role++)
        rules |= role_daily_ceiling(c->role_map, role) > 0;
    return !g->fleet_days && !g->closing && !rules;
}

/* ---- both passes: what the day is judged as ---- */

static struct host_day as_judged(const struct judging *g, const struct host_day *day)
{
    struct host_day d = *day;
    d.forwarder = false;
    d.gap_hours |= coverage_missing(&g->run->coverage, g->day, g->closing, d.account, d.flow_log);
    return d;
}

static enum weir_err note_covered(struct judging *g, const struct host_day *d, bool charged, bool learning)
{
    struct coverage_host h = {d->account, d->interface, charged, d->gap_hours != 0, learning};
    return g->closing ? coverage_host(&g->run->coverage, g->day, &h) : WEIR_OK;
}

/* ---- first pass ---- */

static enum weir_err note_above(struct judging *g, uint64_t host_id)
{
    uint64_t *above = array_grow(g->above, &g->above_cap, g->above_n, sizeof *above);
    if (!above)
        return WEIR_NOMEM;
    g->above = above;
    g->above[g->above_n++] = host_id;
    return WEIR_OK;
}

static enum weir_err survey_host(void *ctx, const struct host_day *day)
{
    struct judging *g = ctx;
    struct baseline b;
    struct class_entry class;
    struct released released;
    bool above = false;
    tell_suspected(g, day);
    if (charged_to_nobody(g, day))
        return WEIR_OK;
    struct host_day d = as_judged(g, day);
    struct score_rules rules = rules_of(g, &d);
    enum weir_err err = WEIR_OK;
    if (g->fleet_days || g->closing) { /* on the first day no test can raise */
        err = take(g, &d, NULL, &b, &class, &released);
        if (!err)
            err = scorer_survey(g->scorer, g->survey, &above);
    }
    above = above || score_rules_broken(&score_model_default, &rules, &d);
    return !err && above ? note_above(g, d.host_id) : err;
}

/* ---- second pass ---- */

/* What broke a rule stands in groups of its own, of the last kind. */
static void cover_broken(const struct host_day *d, struct judged *j)
{
    for (size_t k = 0; k < d->rules_broken; k++)
        for (size_t i = 0; i < j->score.n && j->score.part[i].raised; i++)
            if (score_test_is_rule(j->score.part[i].test) && j->score.part[i].group == d->broken[k].group)
                j->covered[j->covered_n++] = (struct covered){d->broken[k].group, 1ULL << i};
    j->broke_policy = d->rules_broken > 0;
}

static enum weir_err cover(struct judging *g, const struct host_day *d, struct judged *j)
{
    j->covered = arena_alloc(g->arena, (d->groups + d->rules_broken + 1) * sizeof *j->covered);
    if (!j->covered)
        return WEIR_NOMEM;
    uint64_t raised = 0;
    for (size_t i = 0; i < j->score.n && j->score.part[i].raised; i++)
        raised |= 1ULL << i;
    for (size_t i = 0; i < d->groups; i++) {
        struct covered c = {.group = d->group[i].group};
        for (unsigned h = 0; h < 24; h++)
            c.parts |= scorer_covers(g->scorer, &j->score, i, h) & raised;
        if (c.parts)
            j->covered[j->covered_n++] = c;
    }
    cover_broken(d, j);
    evidence_claim(j, d);
    return WEIR_OK;
}

static bool counts_all_outside(enum score_test test) { return test == SCORE_HOUR_VOLUME || test == SCORE_CEILING || test == SCORE_CREEP; }

uint64_t judged_covers(const struct judged *j, uint64_t group, unsigned hour)
{
    uint64_t hourly = 0, parts = 0;
    size_t low = 0, high = j->covered_n;
    for (size_t i = 0; i < j->score.n && j->score.part[i].raised; i++)
        if (j->score.part[i].test == SCORE_HOUR_VOLUME && j->score.part[i].from_hour != hour)
            hourly |= 1ULL << i;
        else if (counts_all_outside(j->score.part[i].test) && group_external(group))
            parts |= 1ULL << i; /* also what sampling folded */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (j->covered[mid].group < group)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < j->covered_n && j->covered[low].group == group)
        parts |= j->covered[low].parts & ~hourly;
    return parts;
}

static enum weir_err keep_judged(struct judging *g, const struct host_day *d, const struct baseline *b, const struct score *score)
{
    struct judged *judged = array_grow(g->judged, &g->cap, g->n, sizeof *judged);
    if (!judged)
        return WEIR_NOMEM;
    g->judged = judged;
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
    if (g->closing && !(j->held = arena_alloc(g->arena, sizeof *j->held)))
        return WEIR_NOMEM;
    return cover(g, d, j);
}

static bool is_above(struct judging *g, uint64_t host_id)
{
    while (g->above_next < g->above_n && g->above[g->above_next] < host_id)
        g->above_next++;
    return g->above_next < g->above_n && g->above[g->above_next] == host_id;
}

static enum weir_err judge_host(void *ctx, const struct host_day *day)
{
    struct judging *g = ctx;
    struct baseline b;
    struct class_entry class;
    struct released released;
    struct score score = {0};
    bool above = is_above(g, day->host_id);
    if (charged_to_nobody(g, day))
        return note_covered(g, day, false, false);
    if (!above && !g->closing)
        return WEIR_OK;
    struct host_day d = as_judged(g, day);
    enum weir_err err = take(g, &d, g->survey, &b, &class, &released);
    bool young = b.days < BASELINE_YOUNG_DAYS;
    if (!err)
        err = note_covered(g, &d, true, young);
    if (!err && above) {
        struct score_rules rules = rules_of(g, &d);
        scorer_judge(g->scorer, young ? classes_young(g->classes)->calibration : class.calibration, g->budget, &score);
        score_rules_judge(&score_model_default, &rules, &d, &score);
    }
    g->raised += score.unusual;
    g->raised_by_rules += score.raised && !score.unusual;
    if (!err && score.raised)
        err = keep_judged(g, &d, &b, &score);
    if (!err && g->closing)
        err = lesson_learn(g, &d, &b, &class, &score, &released, score.raised ? g->judged[g->n - 1].held : NULL);
    return err;
}

/* ---- a day ---- */

static enum weir_err two_passes(struct judging *g)
{
    int64_t day_s = (int64_t)g->day * DAY_S;
    uint64_t at_least = least_bytes(g);
    const struct class_entry *fleet = classes_fleet(g->classes);
    enum weir_err err = no_sum_can_raise(g) ? WEIR_OK : ahead_plan(g->ahead, g->run->window, day_s, at_least);
    if (!err)
        err = no_sum_can_raise(g) ? window_each_suspect(g->run->window, day_s, at_least, survey_host, g)
                                  : window_each_host(g->run->window, day_s, at_least, survey_host, g);
    if (!err)
        err = score_survey_end(g->survey, fleet->state, fleet->calibration);
    if (!err && (g->closing || g->above_n))
        err = window_each_host(g->run->window, day_s, at_least, judge_host, g);
    if (g->closing)
        coverage_judged(&g->run->coverage, g->day, g->raised, g->raised_by_rules, g->budget);
    if (!err && g->closing)
        err = classes_close(g->classes, g->fault);
    if (!err && g->closing)
        err = host_index_close(g->index, g->fault);
    return !err && marks_changed(g->marks) ? marks_put(g->marks, g->run->store, g->fault) : err;
}

static enum weir_err judge_all(struct judging *g)
{
    enum weir_err err = classes_open(g->run->store, g->run->app->log, g->day, &g->classes, g->fault);
    if (err)
        return err;
    if ((err = marks_load(g->run->store, &g->marks, g->fault)))
        return err;
    scorer_leave_out(g->scorer, g->run->app->config->tests_left_out);
    g->fleet_days = class_days(classes_fleet(g->classes)->state);
    err = two_passes(g);
    if (!err && g->n)
        err = evidence_collect(g->run, g->day, g->judged, g->n, g->arena, g->fault);
    for (size_t i = 0; i < g->n && !err; i++)
        err = file_judged(g, &g->judged[i]);
    if (!err)
        err = settle_open_findings(g);
    return err ? err : gaps_file(g->run, g->day, g->closing, g->fault);
}

static void judging_fini(struct judging *g)
{
    buffer_fini(&g->blob);
    classes_free(g->classes);
    host_index_free(g->index);
    marks_free(g->marks);
    scorer_free(g->scorer);
    score_survey_free(g->survey);
    ahead_free(g->ahead);
    free(g->above);
    free(g->judged);
    arena_free(g->arena);
}

enum weir_err judge_day(struct run *run, uint16_t day, bool closing, struct fault *fault)
{
    uint64_t hosts = window_hosts(run->window, (int64_t)day * DAY_S);
    struct judging g = {.run = run, .fault = fault, .day = day, .closing = closing, .arena = arena_new(0),
                        .scorer = scorer_new(&score_model_default), .survey = score_survey_new(&score_model_default),
                        .budget = budget_per_host_day(run->app->config->budget, hosts)};
    buffer_init(&g.blob, STORE_VALUE_MAX);
    fault->text[0] = 0;
    run->counts.host_days += hosts;
    run->counts.hosts = hosts > run->counts.hosts ? hosts : run->counts.hosts;
    g.ahead = ahead_new(run->store);
    g.index = closing ? host_index_new(run->store, run->app->log) : NULL;
    enum weir_err err = g.arena && g.ahead && g.scorer && g.survey && (g.index || !closing) ? judge_all(&g) : WEIR_NOMEM;
    struct window_stats stats = window_stats(run->window);
    run->counts.suspected_forwarders = stats.suspected_forwarders > run->counts.suspected_forwarders ? stats.suspected_forwarders : run->counts.suspected_forwarders;
    run->counts.unresolved_bytes = sat_add(run->counts.unresolved_bytes, stats.unresolved_bytes);
    judging_fini(&g);
    failpoint("day-judged");
    if (err && err != WEIR_INTERRUPTED && !fault->text[0])
        return fault_set(fault, err, "cannot judge a day: %s", weir_err_text(err));
    return err;
}
