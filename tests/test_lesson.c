/* What closing days teach, over weeks, with the engine whole but for logs and findings: hosts are judged and learned day by day through the
 * store as the program does it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/judge.h"
#include "score_make.h"

#define HOSTS 12

struct fleet {
    struct config *config; /* the default */
    struct app app;
    struct run run;
    struct fault fault;
    struct day x[HOSTS];
    struct score score[HOSTS];
    struct slice word[HOSTS]; /* class */
    unsigned today, n;
    uint64_t seed;
};

static struct fleet *fleet_new(unsigned hosts)
{
    struct fleet *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(store_open("sqlite::memory:", STORE_READ_WRITE, &f->run.store, &f->fault), WEIR_OK);
    assert_non_null(f->config = config_new((char *const[]){NULL}));
    f->app.config = f->config;
    f->run.app = &f->app;
    assert_int_equal(context_open(f->config, &f->run.context, &f->fault), WEIR_OK);
    f->n = hosts;
    f->today = DAY_ONE;
    f->seed = 3;
    return f;
}

static void fleet_free(struct fleet *f)
{
    context_close(f->run.context);
    config_free(f->config);
    store_close(f->run.store);
    free(f);
}

static struct baseline baseline_of(struct fleet *f, unsigned host)
{
    struct baseline b;
    struct buffer blob;
    char id[17];
    store_id(host + 1, id);
    buffer_init(&blob, 1 << 20);
    enum weir_err err = store_get(f->run.store, BASELINE_BLOB, id, &blob, &f->fault);
    if (!err)
        err = baseline_decode((struct slice){blob.p, blob.n}, &b);
    else
        baseline_init(&b, host + 1, ip_from_v4(0x0a000100 + host));
    assert_true(err == WEIR_OK || err == WEIR_NOTFOUND);
    buffer_fini(&blob);
    return b;
}

/* Every host begins its day with a little of the usual. */
static void morning(struct fleet *f)
{
    for (unsigned i = 0; i < f->n; i++) {
        day_begin(&f->x[i], f->today);
        f->x[i].d.host_id = i + 1;
        f->x[i].d.host = ip_from_v4(0x0a000100 + i);
        day_send(&f->x[i], WEB(1), 9, 3 * MB + random_below(&f->seed, 3 * MB));
    }
}

static void each(struct fleet *f, struct judging *g, bool survey)
{
    for (unsigned i = 0; i < f->n; i++) {
        struct baseline b = baseline_of(f, i);
        struct released released = {.by_mark = {.added_n = 0}};
        struct class_entry class;
        bool above, young = b.days < BASELINE_YOUNG_DAYS;
        baseline_release(&b, g->day, &released.by_time);
        assert_int_equal(classes_get(g->classes, host_class(&f->x[i].d, f->word[i]), &class, &f->fault), WEIR_OK);
        assert_int_equal(scorer_take(g->scorer, &f->x[i].d, &b, class.state, g->fleet_days, survey ? NULL : g->survey), WEIR_OK);
        if (survey) {
            assert_int_equal(scorer_survey(g->scorer, g->survey, &above), WEIR_OK);
            continue;
        }
        scorer_judge(g->scorer, young ? classes_young(g->classes)->calibration : class.calibration, g->budget, &f->score[i]);
        f->score[i].unusual = f->score[i].raised;
        assert_int_equal(lesson_learn(g, &f->x[i].d, &b, &class, &f->score[i], &released, NULL), WEIR_OK);
    }
}

/* The day is judged, learned and over. */
static void evening(struct fleet *f)
{
    struct judging g = {.run = &f->run, .fault = &f->fault, .day = (uint16_t)f->today, .closing = true, .budget = BUDGET,
                        .scorer = scorer_new(model), .survey = score_survey_new(model), .index = host_index_new(f->run.store, NULL)};
    buffer_init(&g.blob, 1 << 24);
    assert_int_equal(store_begin(f->run.store, &f->fault), WEIR_OK);
    assert_int_equal(marks_load(f->run.store, &g.marks, &f->fault), WEIR_OK);
    assert_int_equal(classes_open(f->run.store, NULL, g.day, &g.classes, &f->fault), WEIR_OK);
    g.fleet_days = class_days(classes_fleet(g.classes)->state);
    each(f, &g, true);
    assert_int_equal(score_survey_end(g.survey, classes_fleet(g.classes)->state, classes_fleet(g.classes)->calibration), WEIR_OK);
    each(f, &g, false);
    assert_int_equal(classes_close(g.classes, &f->fault), WEIR_OK);
    assert_int_equal(host_index_close(g.index, &f->fault), WEIR_OK);
    assert_int_equal(store_commit(f->run.store, &f->fault), WEIR_OK);
    host_index_free(g.index);
    marks_free(g.marks);
    classes_free(g.classes);
    scorer_free(g.scorer);
    score_survey_free(g.survey);
    buffer_fini(&g.blob);
    f->today++;
}

static void ordinary_days(struct fleet *f, unsigned n)
{
    for (; n > 0; n--) {
        morning(f);
        evening(f);
    }
}

static struct class_state *class_stored(struct fleet *f, uint64_t id)
{
    struct class_state *c = NULL;
    struct buffer blob;
    char key[17];
    store_id(id, key);
    buffer_init(&blob, 1 << 24);
    assert_int_equal(store_get(f->run.store, CLASS_BLOB, key, &blob, &f->fault), WEIR_OK);
    assert_int_equal(class_decode((struct slice){blob.p, blob.n}, &c), WEIR_OK);
    buffer_fini(&blob);
    return c;
}

static uint32_t known_to(struct fleet *f, uint64_t class, uint64_t group)
{
    struct class_state *c = class_stored(f, class);
    const struct class_group *g = class_find(c, group);
    uint32_t hosts = g ? g->hosts : 0;
    class_free(c);
    return hosts;
}

/* ---- claims ---- */

static void ordinary_days_raise_nothing(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS);
    for (unsigned day = 0; day < 30; day++) {
        ordinary_days(f, 1);
        for (unsigned i = 0; i < f->n; i++)
            assert_false(f->score[i].raised);
    }
    fleet_free(f);
}

static void a_flagged_transfer_repeated_daily_is_raised_for_three_weeks(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS);
    ordinary_days(f, 14);
    for (unsigned day = 0; day < 21; day++) {
        morning(f);
        day_send(&f->x[0], WEB(99), 12, 40 * GB);
        evening(f);
        assert_true(f->score[0].raised);
        struct baseline b = baseline_of(f, 0);
        assert_null(baseline_find(&b, WEB(99)));
    }
    fleet_free(f);
}

static void a_weekly_job_is_raised_twice_and_then_known(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS);
    bool raised[6];
    ordinary_days(f, 14);
    for (unsigned week = 0; week < WEIR_COUNT(raised); week++) {
        morning(f);
        day_send(&f->x[0], WEB(99), 2, GB);
        evening(f);
        raised[week] = find(&f->score[0], SCORE_NEW_DESTINATION, 0) != NULL;
        ordinary_days(f, 6);
    }
    assert_true(raised[0] && raised[1]);
    assert_false(raised[2] || raised[3] || raised[5]);
    fleet_free(f);
}

static void what_was_raised_teaches_the_host_at_most_what_would_just_not_have_been(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS);
    ordinary_days(f, 14);
    morning(f);
    day_send(&f->x[0], WEB(99), 12, 40 * GB);
    evening(f);
    struct baseline b = baseline_of(f, 0);
    assert_int_equal(b.flags, 1);
    assert_true(b.flag[0].value < lg_round(40 * GB) && b.flag[0].value >= 1);
    const uint64_t taught = lg_to_bytes(lg_unround(b.flag[0].value));
    ordinary_days(f, QUARANTINE_DAYS - 1);
    assert_int_equal(known_to(f, CLASS_FLEET, WEB(99)), 0);
    morning(f);
    day_send(&f->x[1], WEB(99), 12, taught / 2);
    evening(f);
    assert_false(f->score[1].raised);
    fleet_free(f);
}

static void a_release_tells_class_and_fleet(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS);
    ordinary_days(f, 14);
    morning(f);
    day_send(&f->x[0], WEB(99), 12, 40 * GB);
    evening(f);
    ordinary_days(f, QUARANTINE_DAYS - 1);
    assert_int_equal(known_to(f, CLASS_FLEET, WEB(99)), 0);
    ordinary_days(f, 1);
    assert_int_equal(known_to(f, CLASS_FLEET, WEB(99)), 1);
    assert_int_equal(known_to(f, host_class(&f->x[0].d, f->word[0]), WEB(99)), 1);
    fleet_free(f);
}

static void a_change_of_class_moves_what_the_host_knows(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS);
    ordinary_days(f, 3);
    uint64_t old = host_class(&f->x[0].d, f->word[0]);
    assert_int_equal(known_to(f, old, WEB(1)), HOSTS);
    f->word[0] = SLICE_LIT("database");
    ordinary_days(f, 1);
    assert_int_equal(known_to(f, old, WEB(1)), HOSTS - 1);
    assert_int_equal(known_to(f, host_class(&f->x[0].d, f->word[0]), WEB(1)), 1);
    assert_int_equal(known_to(f, CLASS_FLEET, WEB(1)), HOSTS);
    fleet_free(f);
}

static struct class_history history_of(struct fleet *f, uint64_t class, unsigned history)
{
    struct class_history h;
    struct class_state *c = class_stored(f, class);
    assert_int_equal(class_history(c, history, (uint16_t)f->today, &h), WEIR_OK);
    class_free(c);
    return h;
}

static void grow(struct fleet *f, unsigned host, uint64_t bytes)
{
    morning(f);
    day_send(&f->x[host], WEB(99), 12, bytes);
    evening(f);
}

static void a_run_of_days_counts_once_with_its_largest(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS);
    const unsigned history = SCORE_STRATA * SCORE_NEW_DESTINATION;
    ordinary_days(f, 14);
    grow(f, 0, 4 * MB);
    struct class_history first = history_of(f, CLASS_FLEET, history);
    assert_int_equal(first.above, 1);
    for (unsigned i = 0; i < 3; i++) {
        morning(f);
        for (unsigned k = 0; k <= i; k++)
            day_send(&f->x[0], WEB(100 + 10 * i + k), 12, 5 * MB);
        evening(f);
    }
    struct class_history h = history_of(f, CLASS_FLEET, history), seen = history_of(f, CLASS_FLEET, history + 1);
    assert_true(h.above + seen.above <= 2 && h.above == h.n && seen.above == seen.n);
    free(first.excess);
    free(h.excess);
    free(seen.excess);
    fleet_free(f);
}

/* What a young host was counted for stands among the young: grown, it takes nothing away from others. */
static void a_run_of_a_young_host_is_no_run_of_its_class(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS);
    const unsigned history = SCORE_STRATA * SCORE_HOUR_VOLUME;
    f->n = HOSTS - 1;
    ordinary_days(f, 14);
    f->n = HOSTS; /* one more */
    ordinary_days(f, BASELINE_YOUNG_DAYS - 1);
    morning(f); /* the last day of youth; a grown host has as much */
    day_add(&f->x[HOSTS - 1], 0, 9, 60 * MB);
    day_add(&f->x[0], 0, 9, 60 * MB);
    evening(f);
    struct class_history before = history_of(f, CLASS_FLEET, history);
    assert_int_equal(before.above, 1);
    morning(f);
    day_add(&f->x[HOSTS - 1], 0, 9, 600 * MB);
    evening(f);
    struct class_history after = history_of(f, CLASS_FLEET, history);
    assert_int_equal(after.above, 2);
    free(before.excess);
    free(after.excess);
    fleet_free(f);
}

static void a_young_host_is_taught_by_the_calibration_that_judged_it(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(HOSTS - 1);
    ordinary_days(f, 14);
    f->n = HOSTS;
    ordinary_days(f, 2);
    struct class_state *young = class_stored(f, CLASS_YOUNG), *fleet = class_stored(f, CLASS_FLEET);
    struct score_calibration *c = score_calibration_new(model, young, fleet, (uint16_t)f->today);
    grow(f, HOSTS - 1, 40 * GB);
    uint8_t least = UINT8_MAX;
    for (size_t i = 0; i < f->score[HOSTS - 1].n; i++) {
        const struct score_part *p = &f->score[HOSTS - 1].part[i];
        uint8_t v = lg_eighths(p->reference + score_alarm(c, p->test, p->stratum, p->threshold) / 8.0 * p->spread);
        least = p->raised && v < least ? v : least;
    }
    assert_int_equal(baseline_of(f, HOSTS - 1).flags, 1);
    assert_int_equal(baseline_of(f, HOSTS - 1).flag[0].value, least);
    score_calibration_free(c);
    class_free(young);
    class_free(fleet);
    fleet_free(f);
}

/* A value that somebody sealed on purpose: it knows groups and was of no class. */
static void a_baseline_of_no_class_teaches_none(void **state)
{
    (void)state;
    struct fleet *f = fleet_new(1);
    struct buffer blob;
    char id[17];
    ordinary_days(f, 2);
    struct baseline b = baseline_of(f, 0);
    b.class_id = 0;
    store_id(1, id);
    buffer_init(&blob, 1 << 20);
    assert_int_equal(baseline_encode(&b, &blob), WEIR_OK);
    assert_int_equal(store_begin(f->run.store, &f->fault), WEIR_OK);
    assert_int_equal(store_put(f->run.store, BASELINE_BLOB, id, (struct slice){blob.p, blob.n}, &f->fault), WEIR_OK);
    assert_int_equal(store_commit(f->run.store, &f->fault), WEIR_OK);
    buffer_fini(&blob);
    ordinary_days(f, 1);
    assert_true(baseline_of(f, 0).class_id != 0);
    fleet_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_days_raise_nothing),
        cmocka_unit_test(a_flagged_transfer_repeated_daily_is_raised_for_three_weeks),
        cmocka_unit_test(a_weekly_job_is_raised_twice_and_then_known),
        cmocka_unit_test(what_was_raised_teaches_the_host_at_most_what_would_just_not_have_been),
        cmocka_unit_test(a_release_tells_class_and_fleet),
        cmocka_unit_test(a_change_of_class_moves_what_the_host_knows),
        cmocka_unit_test(a_run_of_days_counts_once_with_its_largest),
        cmocka_unit_test(a_run_of_a_young_host_is_no_run_of_its_class),
        cmocka_unit_test(a_young_host_is_taught_by_the_calibration_that_judged_it),
        cmocka_unit_test(a_baseline_of_no_class_teaches_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
