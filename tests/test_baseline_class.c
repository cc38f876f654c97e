/* baseline: what a class of hosts knows together, and how often its hosts exceed their references, as claims. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/class.h"
#include "baseline_make.h"

static const struct baseline_run no_run = {0, 0, 0};

static void change(struct class_state *c, uint64_t group, int hosts) { assert_int_equal(class_change(c, group, hosts), WEIR_OK); }

static void close_with(struct class_state *c, unsigned day, unsigned hosts)
{
    for (unsigned i = 0; i < hosts; i++)
        class_note_host(c, NULL);
    assert_int_equal(class_close(c, (uint16_t)day), WEIR_OK);
}

static void excess(struct class_state *c, unsigned history, unsigned day, uint8_t e, struct baseline_run replaced)
{
    assert_int_equal(class_note_excess(c, history, (uint16_t)day, e, replaced), WEIR_OK);
}

static struct class_history history(const struct class_state *c, unsigned history, unsigned day)
{
    struct class_history h;
    assert_int_equal(class_history(c, history, (uint16_t)day, &h), WEIR_OK);
    return h;
}

/* ---- groups ---- */

static void what_three_hosts_know_is_shared(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned i = 1; i <= 4; i++)
        change(c, WEB(i), (int)i);
    close_with(c, DAY_ONE, 8);
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(class_shares(c, WEB(i)), i >= 3);
    class_free(c);
}

static void in_a_class_of_fewer_than_eight_two_are_enough(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned i = 1; i <= 4; i++)
        change(c, WEB(i), (int)i);
    close_with(c, DAY_ONE, 7);
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(class_shares(c, WEB(i)), i >= 2);
    class_free(c);
}

static void during_a_day_a_class_is_frozen(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    change(c, WEB(1), 5);
    assert_null(class_find(c, WEB(1)));
    close_with(c, DAY_ONE, 8);
    assert_int_equal(class_find(c, WEB(1))->hosts, 5);
    change(c, WEB(1), -5);
    assert_int_equal(class_find(c, WEB(1))->hosts, 5);
    class_free(c);
}

static void a_group_that_nobody_knows_any_more_goes(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    change(c, WEB(1), 2);
    change(c, WEB(2), 2);
    close_with(c, DAY_ONE, 8);
    change(c, WEB(1), -2);
    change(c, WEB(3), -1);
    close_with(c, DAY_ONE + 1, 8);
    assert_null(class_find(c, WEB(1)));
    assert_non_null(class_find(c, WEB(2)));
    assert_null(class_find(c, WEB(3)));
    class_free(c);
}

static void the_reference_of_a_group_is_its_second_largest_host(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    change(c, WEB(1), 3);
    close_with(c, DAY_ONE, 8);
    class_note_amount(c, WEB(1), 40);
    class_note_amount(c, WEB(1), 90);
    class_note_amount(c, WEB(1), 60);
    class_note_amount(c, WEB(2), 99);
    close_with(c, DAY_ONE + 1, 8);
    assert_int_equal(class_find(c, WEB(1))->reference, 60);
    assert_null(class_find(c, WEB(2)));
    class_free(c);
}

static void the_reference_of_a_group_sinks_slowly(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    change(c, WEB(1), 3);
    close_with(c, DAY_ONE, 8);
    class_note_amount(c, WEB(1), 90);
    class_note_amount(c, WEB(1), 90);
    close_with(c, DAY_ONE + 1, 8);
    for (unsigned day = 2; day <= 8; day++) {
        class_note_amount(c, WEB(1), 88);
        class_note_amount(c, WEB(1), 88);
        close_with(c, DAY_ONE + day, 8);
        assert_int_equal(class_find(c, WEB(1))->reference, 90);
    }
    class_note_amount(c, WEB(1), 88);
    class_note_amount(c, WEB(1), 88);
    close_with(c, DAY_ONE + 9, 8);
    assert_int_equal(class_find(c, WEB(1))->reference, 88);
    class_free(c);
}

static size_t count_known(const struct class_state *c, unsigned from, unsigned to)
{
    size_t n = 0;
    for (unsigned i = from; i < to; i++)
        n += class_find(c, WEB(i)) != NULL;
    return n;
}

static void beyond_its_limit_a_class_forgets_what_one_host_knows(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned i = 0; i < CLASS_GROUPS_MAX + 5000; i++)
        change(c, WEB(i), i < 1000 ? 2 : 1);
    close_with(c, DAY_ONE, 8);
    size_t kept = count_known(c, 0, CLASS_GROUPS_MAX + 5000);
    assert_true(kept <= CLASS_GROUPS_MAX && kept > CLASS_GROUPS_MAX / 4);
    assert_int_equal(count_known(c, 0, 1000), 1000);
    class_free(c);
}

static void beyond_its_limit_a_class_never_grows_whatever_is_known(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned i = 0; i < CLASS_GROUPS_MAX + 5000; i++)
        change(c, WEB(i), i < 1000 ? 9 : 3);
    close_with(c, DAY_ONE, 8);
    size_t kept = count_known(c, 0, CLASS_GROUPS_MAX + 5000);
    assert_true(kept <= CLASS_GROUPS_MAX && kept > CLASS_GROUPS_MAX / 4);
    assert_int_equal(count_known(c, 0, 1000), 1000);
    class_free(c);
}

/* ---- hosts ---- */

static void three_of_four_grown_hosts_are_under_the_quartile(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    for (uint8_t i = 1; i <= 100; i++) {
        uint8_t reference[FEATURE_COUNT] = {0};
        reference[FEATURE_NEW] = i;
        class_note_host(c, reference);
    }
    class_note_host(c, NULL);
    assert_int_equal(class_quartile(c, FEATURE_NEW), 0);
    assert_int_equal(class_close(c, DAY_ONE), WEIR_OK);
    assert_int_equal(class_quartile(c, FEATURE_NEW), 75);
    assert_int_equal(class_quartile(c, FEATURE_ODD), 0);
    assert_int_equal(class_hosts(c), 101);
    class_free(c);
}

static void a_day_of_young_hosts_leaves_the_quartile(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    uint8_t reference[FEATURE_COUNT] = {[FEATURE_NEW] = 44};
    class_note_host(c, reference);
    assert_int_equal(class_close(c, DAY_ONE), WEIR_OK);
    close_with(c, DAY_ONE + 1, 3);
    assert_int_equal(class_quartile(c, FEATURE_NEW), 44);
    class_free(c);
}

static void a_day_without_hosts_is_no_day_of_the_class(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    close_with(c, DAY_ONE, 0);
    assert_int_equal(class_days(c), 0);
    close_with(c, DAY_ONE + 1, 3);
    close_with(c, DAY_ONE + 2, 0);
    assert_int_equal(class_days(c), 1);
    assert_int_equal(class_hosts(c), 3);
    class_free(c);
}

/* ---- histories ---- */

static void a_history_holds_the_last_28_days_before_the_day(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned day = 0; day < 60; day++) {
        struct class_history h = history(c, 3, DAY_ONE + day);
        assert_int_equal(h.host_days, day < CALIBRATION_DAYS ? day : CALIBRATION_DAYS);
        free(h.excess);
        excess(c, 3, DAY_ONE + day, 0, no_run);
    }
    class_free(c);
}

static void the_day_itself_does_not_count(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    excess(c, 3, DAY_ONE, 8, no_run);
    struct class_history h = history(c, 3, DAY_ONE);
    assert_int_equal(h.host_days, 0);
    free(h.excess);
    h = history(c, 3, DAY_ONE + 1);
    assert_int_equal(h.above, 1);
    free(h.excess);
    class_free(c);
}

static void histories_of_tests_are_kept_apart(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned i = 0; i < BASELINE_HISTORIES; i++)
        for (unsigned k = 0; k <= i; k++)
            excess(c, i, DAY_ONE, (uint8_t)(k + 1), no_run);
    for (unsigned i = 0; i < BASELINE_HISTORIES; i++) {
        struct class_history h = history(c, i, DAY_ONE + 1);
        assert_int_equal(h.n, i + 1);
        assert_int_equal(h.excess[0], i + 1);
        assert_int_equal(h.excess[i], 1);
        free(h.excess);
    }
    class_free(c);
}

static void a_run_of_days_counts_once_with_its_largest(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    excess(c, 3, DAY_ONE, 8, no_run);
    excess(c, 3, DAY_ONE, 9, no_run);
    excess(c, 3, DAY_ONE + 1, 20, (struct baseline_run){DAY_ONE, DAY_ONE, 8});
    excess(c, 3, DAY_ONE + 2, 0, no_run);
    struct class_history h = history(c, 3, DAY_ONE + 3);
    assert_int_equal(h.host_days, 4);
    assert_int_equal(h.above, 2);
    assert_int_equal(h.n, 2);
    assert_int_equal(h.excess[0], 20);
    assert_int_equal(h.excess[1], 9);
    free(h.excess);
    class_free(c);
}

static void of_too_many_excesses_the_largest_stay_and_all_are_counted(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    const unsigned n = 3 * CALIBRATION_KEPT;
    for (unsigned i = 0; i < n; i++)
        excess(c, 3, DAY_ONE, (uint8_t)(1 + i * 7 % 3 * 50), no_run);
    struct class_history h = history(c, 3, DAY_ONE + 1);
    assert_int_equal(h.above, n);
    assert_int_equal(h.n, CALIBRATION_KEPT);
    for (size_t i = 0; i < h.n; i++)
        assert_int_equal(h.excess[i], 101);
    free(h.excess);
    class_free(c);
}

/* ---- order ---- */

struct note { unsigned kind, a; uint64_t group; int hosts; uint8_t value; };

static void tell(struct class_state *c, const struct note *n)
{
    uint8_t reference[FEATURE_COUNT];
    memset(reference, n->value, sizeof reference);
    switch (n->kind) {
    case 0: change(c, n->group, n->hosts); break;
    case 1: class_note_amount(c, n->group, n->value); break;
    case 2: class_note_host(c, n->a % 3 ? reference : NULL); break;
    default:
        excess(c, n->a % BASELINE_HISTORIES, DAY_ONE + 1, n->value, n->a % 4 ? no_run : (struct baseline_run){DAY_ONE, DAY_ONE, (uint8_t)(n->a % 50)});
        break;
    }
}

static void encode(const struct class_state *c, struct buffer *out)
{
    buffer_init(out, 1 << 24);
    assert_int_equal(class_encode(c, out), WEIR_OK);
}

static struct class_state *with_a_past(void)
{
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned i = 0; i < 40; i++)
        change(c, WEB(i), 1 + (int)i % 5);
    for (unsigned i = 0; i < 2000; i++)
        excess(c, i % BASELINE_HISTORIES, DAY_ONE, (uint8_t)(i % 50), no_run);
    close_with(c, DAY_ONE, 5);
    return c;
}

static void what_a_day_teaches_a_class_commutes(void **state)
{
    (void)state;
    uint64_t seed = 9;
    struct note notes[4000];
    struct buffer first = {0};
    for (size_t i = 0; i < WEIR_COUNT(notes); i++)
        notes[i] = (struct note){(unsigned)random_below(&seed, 4), (unsigned)random_below(&seed, 5000), WEB(random_below(&seed, 80)),
                                 (int)random_below(&seed, 7) - 3, (uint8_t)random_below(&seed, 256)};
    for (unsigned round = 0; round < 5; round++) {
        struct class_state *c = with_a_past();
        for (size_t i = WEIR_COUNT(notes); round && i > 1; i--) {
            size_t k = random_below(&seed, i);
            struct note t = notes[i - 1];
            notes[i - 1] = notes[k];
            notes[k] = t;
        }
        for (size_t i = 0; i < WEIR_COUNT(notes); i++)
            tell(c, &notes[i]);
        assert_int_equal(class_close(c, DAY_ONE + 1), WEIR_OK);
        struct buffer out;
        encode(c, &out);
        if (round) {
            assert_int_equal(out.n, first.n);
            assert_memory_equal(out.p, first.p, first.n);
            buffer_fini(&out);
        } else {
            first = out;
        }
        class_free(c);
    }
    buffer_fini(&first);
}

/* A day tells a fleet the same key as often as it has hosts: it must not cost memory for each. */
static void what_many_hosts_tell_of_one_group_takes_little_room(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_FLEET);
    for (unsigned i = 0; i < 3000000; i++)
        change(c, WEB(i % 50), 1);
    assert_true(c->changes_cap < 500);
    close_with(c, DAY_ONE, 8);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(class_find(c, WEB(i))->hosts, 60000);
    class_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_three_hosts_know_is_shared),
        cmocka_unit_test(in_a_class_of_fewer_than_eight_two_are_enough),
        cmocka_unit_test(during_a_day_a_class_is_frozen),
        cmocka_unit_test(a_group_that_nobody_knows_any_more_goes),
        cmocka_unit_test(the_reference_of_a_group_is_its_second_largest_host),
        cmocka_unit_test(the_reference_of_a_group_sinks_slowly),
        cmocka_unit_test(beyond_its_limit_a_class_forgets_what_one_host_knows),
        cmocka_unit_test(beyond_its_limit_a_class_never_grows_whatever_is_known),
        cmocka_unit_test(three_of_four_grown_hosts_are_under_the_quartile),
        cmocka_unit_test(a_day_of_young_hosts_leaves_the_quartile),
        cmocka_unit_test(a_day_without_hosts_is_no_day_of_the_class),
        cmocka_unit_test(a_history_holds_the_last_28_days_before_the_day),
        cmocka_unit_test(the_day_itself_does_not_count),
        cmocka_unit_test(histories_of_tests_are_kept_apart),
        cmocka_unit_test(a_run_of_days_counts_once_with_its_largest),
        cmocka_unit_test(of_too_many_excesses_the_largest_stay_and_all_are_counted),
        cmocka_unit_test(what_a_day_teaches_a_class_commutes),
        cmocka_unit_test(what_many_hosts_tell_of_one_group_takes_little_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
