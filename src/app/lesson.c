/* SPDX-License-Identifier: Apache-2.0 */
/* What a closed day teaches: the baseline of the host, the class and the fleet, and the calibration of the tests. What was raised
 * is not learned; in the calibration it counts as just raised, for leaving it out would hide the true tail. */
#include <stdlib.h>
#include <string.h>

#include "app/judge.h"

#define HOUR_SHARE 10 /* a destination with a tenth of a raised hour is flagged */

/* As much as would just not have been raised, 1/8 octaves. */
static uint8_t just_below(const struct score_calibration *by, const struct score_part *p)
{
    double u = score_alarm(by, p->test, p->stratum, p->threshold) / 8.0;
    return lg_eighths(p->reference + u * p->spread);
}

/* A rule says what must not be, not what is unusual: it keeps nothing from being learned, but what went to a listed network. */
static bool teaches_nothing(const struct score_part *p) { return p->raised && (!score_test_is_rule(p->test) || p->test == SCORE_THREAT_LIST); }

/* 0: not flagged. Else the value that the group is learned as after its quarantine. */
static uint8_t flagged_as(const struct judging *g, const struct host_day *d, const struct score_calibration *by, const struct score *score, size_t group)
{
    uint64_t covers = scorer_covers(g->scorer, score, group, 24);
    uint8_t value = 0, all = lg_round(d->group[group].bytes_out);
    for (size_t i = 0; i < score->n && score->part[i].raised; i++) {
        const struct score_part *p = &score->part[i];
        bool hour = p->test == SCORE_HOUR_VOLUME && group_external(d->group[group].group) &&
                    d->group[group].hour[p->from_hour] >= p->observed_bytes / HOUR_SHARE;
        if (!teaches_nothing(p) || (!(covers >> i & 1) && !hour))
            continue;
        uint8_t v = score_test_is_rule(p->test) || score_test_counts(p->test) || p->test == SCORE_ODD_PROTOCOL ? all : just_below(by, p);
        v = v < all ? v : all;
        v = v ? v : 1;
        value = value && value < v ? value : v;
    }
    return value;
}

static int by_group(const void *a, const void *b)
{
    uint64_t x = ((const struct baseline_flag *)a)->group, y = ((const struct baseline_flag *)b)->group;
    return (x > y) - (x < y);
}

static enum weir_err flagged_groups(const struct judging *g, const struct host_day *d, const struct score_calibration *by, const struct score *score,
                                    struct baseline_flag **out, size_t *n)
{
    size_t all = 0;
    *n = 0;
    *out = NULL;
    if (!score->raised)
        return WEIR_OK;
    if (!(*out = malloc((d->groups + 1) * sizeof **out)))
        return WEIR_NOMEM;
    for (size_t i = 0; i < d->groups; i++) {
        uint8_t value = flagged_as(g, d, by, score, i);
        if (value)
            (*out)[all++] = (struct baseline_flag){group_network(d->group[i].group), g->day, value};
    }
    qsort(*out, all, sizeof **out, by_group);
    for (size_t i = 0; i < all; i++) {
        if (!*n || (*out)[*n - 1].group != (*out)[i].group)
            (*out)[(*n)++] = (*out)[i];
        else if ((*out)[*n - 1].value < (*out)[i].value)
            (*out)[*n - 1].value = (*out)[i].value;
    }
    return WEIR_OK;
}

/* On its first day all that a host does is new: that teaches nothing about what is new to it. */
static uint32_t features_of_first_day(void) { return 1u << FEATURE_DAY_EXTERNAL | 1u << FEATURE_HOUR_MAX | 1u << FEATURE_SERVED; }

static uint8_t censored(const struct score_calibration *by, const struct score *score, unsigned history, uint8_t excess)
{
    bool raised = false;
    double threshold = 0;
    for (size_t i = 0; i < score->n; i++)
        if (SCORE_STRATA * score->part[i].test + score->part[i].stratum == history) {
            raised |= score->part[i].raised;
            threshold = score->part[i].threshold;
        }
    uint8_t alarm = raised ? score_alarm(by, (enum score_test)(history / SCORE_STRATA), history % SCORE_STRATA, threshold) : UINT8_MAX;
    return excess < alarm ? excess : alarm;
}

/* Days on end above the reference count once, with the largest: what counted before is replaced, or this day does not count. */
static uint8_t join_run(struct baseline_run *run, uint16_t day, uint8_t excess, struct baseline_run *replaced)
{
    *replaced = (struct baseline_run){0, 0, 0};
    if (!excess)
        return 0;
    bool goes_on = run->day && run->last_day + 1 >= day;
    if (goes_on && excess <= run->excess) {
        run->last_day = day;
        return 0;
    }
    if (goes_on)
        *replaced = *run;
    *run = (struct baseline_run){day, day, excess};
    return excess;
}

/* judged: what the host was judged with, the calibration of its class or that of the young. */
static enum weir_err calibrate(struct judging *g, struct baseline *b, const struct class_entry *class, const struct class_entry *judged,
                               const struct score *score, const struct score_lesson *seen)
{
    enum weir_err err = WEIR_OK;
    if (b->class_id != class_id(class->state) || b->days == BASELINE_YOUNG_DAYS)
        memset(b->run, 0, sizeof b->run); /* they are counted in a history that is no longer the host's */
    for (unsigned i = 0; i < SCORE_HISTORIES && !err; i++) {
        struct baseline_run replaced;
        if (!seen->judged[i])
            continue;
        uint8_t e = join_run(&b->run[i], g->day, censored(judged->calibration, score, i, seen->excess[i]), &replaced);
        err = class_note_excess(judged->state, i, g->day, e, replaced);
        if (!err && judged == class)
            err = class_note_excess(classes_fleet(g->classes)->state, i, g->day, e, replaced);
    }
    return err;
}

static enum weir_err tell_changes(struct class_state *removed, struct class_state *added, const struct baseline_changes *changes)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < changes->removed_n && removed && !err; i++)
        err = class_change(removed, changes->removed[i], -1);
    for (size_t i = 0; i < changes->added_n && !err; i++)
        err = class_change(added, changes->added[i], 1);
    return err;
}

static enum weir_err tell_released(struct judging *g, uint64_t class_id, const struct baseline_changes *released)
{
    struct class_entry class;
    struct class_state *fleet = classes_fleet(g->classes)->state;
    if (!class_id || !(released->added_n + released->removed_n))
        return WEIR_OK;
    enum weir_err err = classes_get(g->classes, class_id, &class, g->fault);
    if (!err)
        err = tell_changes(class.state, class.state, released);
    return err ? err : tell_changes(fleet, fleet, released);
}

static void tell_amounts(struct class_state *class, const struct host_day *d)
{
    uint64_t network = 0, bytes = 0; /* of the groups side by side; those of a network that are not count apart */
    for (size_t i = 0; i <= d->groups; i++) {
        uint64_t next = i < d->groups ? group_network(d->group[i].group) : 0;
        if (next != network && group_kind(network) == GROUP_INITIATED)
            class_note_amount(class, network, lg_round(bytes));
        bytes = next == network ? sat_add(bytes, d->group[i].bytes_out) : i < d->groups ? d->group[i].bytes_out : 0;
        network = next;
    }
}

static enum weir_err tell_class(struct judging *g, const struct host_day *d, const struct baseline *b, uint64_t old_class, const struct class_entry *class,
                                const struct baseline_changes *changes, bool raised)
{
    struct class_entry old = {NULL, NULL};
    uint8_t reference[FEATURE_COUNT];
    enum weir_err err = old_class ? classes_get(g->classes, old_class, &old, g->fault) : WEIR_OK;
    if (!err)
        err = tell_changes(old.state, class->state, changes);
    if (!err)
        err = tell_changes(classes_fleet(g->classes)->state, classes_fleet(g->classes)->state, changes);
    bool grown = b->days >= BASELINE_YOUNG_DAYS;
    if (grown)
        score_references(&score_model_default, b, reference);
    class_note_host(class->state, grown ? reference : NULL);
    class_note_host(classes_fleet(g->classes)->state, grown ? reference : NULL);
    if (!raised)
        tell_amounts(class->state, d);
    return err;
}

static int by_value(const void *a, const void *b)
{
    const struct baseline_flag *x = a, *y = b;
    return x->value != y->value ? (x->value < y->value) - (x->value > y->value) : (x->group > y->group) - (x->group < y->group);
}

/* In place of what it would be learned as after its quarantine: all that it got. */
static uint8_t full_value(const struct host_day *d, uint64_t network)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < d->groups; i++)
        if (group_network(d->group[i].group) == network)
            bytes = sat_add(bytes, d->group[i].bytes_out);
    return lg_round(bytes);
}

/* For the day that somebody says what it was. */
static enum weir_err hold(uint16_t day, const struct host_day *d, const struct score *score, const struct baseline_lesson *lesson, struct baseline_held *h)
{
    struct baseline_flag *all = malloc((lesson->flagged_n + 1) * sizeof *all);
    if (!all)
        return WEIR_NOMEM;
    for (size_t i = 0; i < lesson->flagged_n; i++)
        all[i] = (struct baseline_flag){lesson->flagged[i].group, day, full_value(d, lesson->flagged[i].group)};
    qsort(all, lesson->flagged_n, sizeof *all, by_value);
    memset(h, 0, sizeof *h);
    h->day = day;
    h->gap_hours = d->gap_hours;
    memcpy(h->hour_out, d->hour_out, sizeof h->hour_out);
    for (size_t i = 0; i < score->n && score->part[i].raised; i++) {
        h->hours |= score->part[i].test == SCORE_HOUR_VOLUME;
        h->creep |= score->part[i].test == SCORE_CREEP;
    }
    for (; h->groups < lesson->flagged_n && h->groups < BASELINE_GROUPS; h->groups++) {
        h->group[h->groups].group = all[h->groups].group;
        h->group[h->groups].value = all[h->groups].value;
    }
    free(all);
    return WEIR_OK;
}

/* What is learned for the first time is listed. */
static enum weir_err list_host(struct judging *g, const struct host_day *d, bool fresh, uint64_t old_class, uint64_t class)
{
    struct buffer name;
    enum weir_err err = fresh ? host_index_add(g->index, d, g->fault) : WEIR_OK;
    if (err || old_class == class)
        return err;
    buffer_init(&name, 4096);
    if (class == CLASS_REST)
        buffer_puts(&name, "beyond the limit");
    else
        host_class_name(d, class_word(g->run, d), &name);
    err = name.err ? name.err : host_index_add_class(g->index, class, (struct slice){name.p, name.n}, g->fault);
    buffer_fini(&name);
    return err;
}

static enum weir_err save_baseline(struct judging *g, const struct baseline *b)
{
    char id[17];
    store_id(b->host_id, id);
    buffer_clear(&g->blob);
    enum weir_err err = baseline_encode(b, &g->blob);
    return err ? err : store_put(g->run->store, 'h', id, (struct slice){g->blob.p, g->blob.n}, g->fault);
}

enum weir_err lesson_learn(struct judging *g, const struct host_day *d, struct baseline *b, const struct class_entry *class, const struct score *score,
                           const struct released *released, struct baseline_held *held)
{
    struct baseline_lesson lesson = {.day = d, .class_id = class_id(class->state), .hours = !score->unusual};
    struct score_lesson seen;
    struct baseline_changes changes;
    struct baseline_flag *flagged;
    uint64_t old_class = b->class_id;
    const struct class_entry *judged = b->days < BASELINE_YOUNG_DAYS ? classes_young(g->classes) : class;
    enum weir_err err = flagged_groups(g, d, judged->calibration, score, &flagged, &lesson.flagged_n);
    lesson.flagged = flagged;
    lesson.features = score->unusual ? 0 : b->days ? UINT32_MAX : features_of_first_day();
    scorer_lesson(g->scorer, &seen);
    memcpy(lesson.feature, seen.feature, sizeof lesson.feature);
    if (!err)
        err = list_host(g, d, !b->days, old_class, lesson.class_id);
    if (!err)
        err = tell_released(g, old_class, &released->by_mark);
    if (!err)
        err = tell_released(g, old_class, &released->by_time);
    if (!err && b->days)
        err = calibrate(g, b, class, judged, score, &seen);
    if (!err)
        err = baseline_learn(b, &lesson, &changes);
    if (!err)
        err = tell_class(g, d, b, old_class, class, &changes, score->unusual);
    if (!err && held)
        err = hold(g->day, d, score, &lesson, held);
    free(flagged);
    if (!err)
        err = save_baseline(g, b);
    if (!err)
        marks_learned(g->marks, b->host_id, g->day);
    return err;
}
