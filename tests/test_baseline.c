/* baseline: rings, familiarity, learning, eviction and the stored form, as claims. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/baseline.h>

#define DAY_ONE 20000 /* days since 1970 */
#define MB 1000000u
#define INITIATED(n) ((uint64_t)GROUP_INITIATED << 60 | 4ULL << 52 | (uint64_t)(n) << 16)
#define SERVED(n) ((uint64_t)GROUP_SERVED << 60 | 4ULL << 52 | (uint64_t)(n) << 8)
#define NO_GAP 0
#define GAP 1

static uint64_t random_next(uint64_t *seed) { return stable_mix(*seed += 0x9e3779b97f4a7c15ULL); }

/* ---- the scale ---- */

static void the_scale_has_its_worked_example(void **state)
{
    (void)state;
    assert_int_equal((int)(lg_bytes(40000000000u) * 100 + 0.5), 1922);
    assert_int_equal(lg_round(40000000000u), 154);
    assert_int_equal(lg_round(0), 0);
    assert_int_equal(lg_round(65536), 8);
    assert_int_equal(lg_round(UINT64_MAX), 255);
}

static void rounding_is_off_by_a_sixteenth_of_an_octave_at_most(void **state)
{
    (void)state;
    for (uint64_t bytes = 1; bytes < 1ULL << 47; bytes += bytes / 7 + 1) {
        double off = lg_unround(lg_round(bytes)) - lg_bytes(bytes);
        assert_true(off <= 1.0 / 16 + 1e-9 && off >= -1.0 / 16 - 1e-9);
    }
}

static void more_bytes_never_round_to_less(void **state)
{
    (void)state;
    uint8_t last = 0;
    for (uint64_t bytes = 0; bytes < 1ULL << 62; bytes += bytes / 50 + 1) {
        assert_true(lg_round(bytes) >= last);
        last = lg_round(bytes);
    }
    assert_int_equal(lg_round(UINT64_MAX), 255);
}

static void octaves_turn_back_into_bytes(void **state)
{
    (void)state;
    for (uint64_t bytes = 0; bytes < 1ULL << 50; bytes += bytes / 3 + 1) {
        uint64_t back = lg_to_bytes(lg_bytes(bytes)), off = back > bytes ? back - bytes : bytes - back;
        assert_true(off <= 1 + (bytes >> 40));
    }
    assert_true(lg_to_bytes(1000.0) == UINT64_MAX);
    assert_int_equal(lg_to_bytes(-3.0), 0);
}

/* ---- rings ---- */

static int descending(const void *a, const void *b) { return *(const uint8_t *)b - *(const uint8_t *)a; }

static void a_ring_ranks_its_last_28_values(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct ring r = {0};
    uint8_t all[500];
    for (size_t n = 0; n < WEIR_COUNT(all); n++) {
        size_t have = n < BASELINE_RING ? n : BASELINE_RING;
        uint8_t sorted[BASELINE_RING];
        memcpy(sorted, all + n - have, have);
        qsort(sorted, have, 1, descending);
        for (unsigned rank = 0; rank < BASELINE_RING + 3; rank++)
            assert_int_equal(ring_rank(&r, rank), rank < have ? sorted[rank] : 0);
        all[n] = (uint8_t)random_next(&seed);
        ring_push(&r, all[n]);
    }
}

static void ranking_leaves_the_ring_as_it_was(void **state)
{
    (void)state;
    struct ring r = {0};
    for (uint8_t i = 0; i < 5; i++)
        ring_push(&r, i);
    ring_rank(&r, 0);
    for (uint8_t i = 0; i < 5; i++)
        assert_int_equal(r.v[i], i);
}

/* ---- learning ---- */

struct day {
    struct host_day d;
    struct host_group group[256];
};

static void day_init(struct day *x, unsigned day, uint32_t gap_hours)
{
    memset(x, 0, sizeof *x);
    x->d.day_s = (int64_t)day * DAY_S;
    x->d.gap_hours = gap_hours;
    x->d.group = x->group;
}

/* In ascending order of groups; all bytes in hour 3. */
static void day_send(struct day *x, uint64_t group, uint64_t bytes)
{
    x->group[x->d.groups++] = (struct host_group){.group = group, .bytes_out = bytes, .hour = {[3] = bytes}};
    if (!group_external(group))
        return;
    x->d.external_out += bytes;
    x->d.hour_out[3] += bytes;
}

static void learn_one(struct baseline *b, unsigned day, uint64_t group, uint64_t bytes, uint32_t gap_hours)
{
    struct day x;
    day_init(&x, day, gap_hours);
    if (bytes)
        day_send(&x, group, bytes);
    baseline_learn(b, &x.d, NULL, 0, false);
}

static struct baseline fresh_baseline(void)
{
    struct baseline b;
    baseline_init(&b, 42, ip_from_v4(0x0a000105));
    return b;
}

static void a_day_teaches_every_feature(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    learn_one(&b, DAY_ONE, INITIATED(9), 0, NO_GAP);
    day_init(&x, DAY_ONE + 1, NO_GAP);
    day_send(&x, INITIATED(1), 5 * MB);
    day_send(&x, INITIATED(2), 3 * MB);
    day_send(&x, SERVED(3), 7 * MB);
    day_send(&x, SERVED(4), 2 * MB);
    baseline_learn(&b, &x.d, NULL, 0, false);
    assert_int_equal(ring_rank(&b.feature[FEATURE_HOUR_MAX], 0), lg_round(17 * MB));
    assert_int_equal(ring_rank(&b.feature[FEATURE_DAY_EXTERNAL], 0), lg_round(17 * MB));
    assert_int_equal(ring_rank(&b.feature[FEATURE_NEW_DESTINATION], 0), lg_round(8 * MB));
    assert_int_equal(ring_rank(&b.feature[FEATURE_SERVED_MAX], 0), lg_round(7 * MB));
    assert_int_equal(b.groups, 4);
}

static void the_first_day_does_not_teach_how_much_is_new(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_one(&b, DAY_ONE, INITIATED(1), 900 * MB, NO_GAP);
    assert_int_equal(b.feature[FEATURE_NEW_DESTINATION].n, 0);
    assert_int_equal(b.feature[FEATURE_DAY_EXTERNAL].n, 1);
}

static void an_older_day_is_ignored(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline(), before;
    learn_one(&b, DAY_ONE + 5, INITIATED(1), MB, NO_GAP);
    before = b;
    learn_one(&b, DAY_ONE + 5, INITIATED(1), 900 * MB, NO_GAP);
    learn_one(&b, DAY_ONE, INITIATED(2), 900 * MB, NO_GAP);
    assert_memory_equal(&b, &before, sizeof b);
}

static void small_talk_with_those_who_call_is_not_kept(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_init(&x, DAY_ONE, NO_GAP);
    day_send(&x, INITIATED(1), 1);
    day_send(&x, SERVED(2), 65535);
    day_send(&x, SERVED(3), 65536);
    baseline_learn(&b, &x.d, NULL, 0, false);
    assert_non_null(baseline_find(&b, INITIATED(1)));
    assert_null(baseline_find(&b, SERVED(2)));
    assert_non_null(baseline_find(&b, SERVED(3)));
}

static void the_rest_and_the_incoming_are_no_groups_to_know(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_one(&b, DAY_ONE, (uint64_t)GROUP_REST << 60, 900 * MB, NO_GAP);
    learn_one(&b, DAY_ONE + 1, (uint64_t)GROUP_IN << 60, 900 * MB, NO_GAP);
    assert_int_equal(b.groups, 0);
}

static void flagged_groups_are_not_learned(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_init(&x, DAY_ONE, NO_GAP);
    for (unsigned i = 1; i <= 5; i++)
        day_send(&x, INITIATED(i), MB);
    const uint64_t flagged[] = {INITIATED(2), INITIATED(4)};
    baseline_learn(&b, &x.d, flagged, 2, true);
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(baseline_find(&b, INITIATED(i)) != NULL, i % 2);
}

static void a_flagged_known_group_keeps_its_history(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_one(&b, DAY_ONE, INITIATED(1), MB, NO_GAP);
    struct baseline_group before = *baseline_find(&b, INITIATED(1));
    struct day x;
    day_init(&x, DAY_ONE + 1, NO_GAP);
    day_send(&x, INITIATED(1), 5000 * (uint64_t)MB);
    const uint64_t flagged[] = {INITIATED(1)};
    baseline_learn(&b, &x.d, flagged, 1, true);
    assert_memory_equal(baseline_find(&b, INITIATED(1)), &before, sizeof before);
}

static void a_whole_day_that_was_raised_teaches_no_feature(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_init(&x, DAY_ONE, NO_GAP);
    day_send(&x, INITIATED(1), MB);
    baseline_learn(&b, &x.d, NULL, 0, true);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        assert_int_equal(b.feature[i].n, 0);
    assert_int_equal(b.days, 1);
}

static void a_gap_day_does_not_teach_low_values(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned i = 0; i < 6; i++)
        learn_one(&b, DAY_ONE + i, INITIATED(1), 50 * MB, NO_GAP);
    learn_one(&b, DAY_ONE + 6, INITIATED(1), MB, GAP);
    assert_int_equal(b.days, 7);
    assert_int_equal(b.feature[FEATURE_HOUR_MAX].n, 6);
    assert_int_equal(b.feature[FEATURE_DAY_EXTERNAL].n, 6);
    assert_int_equal(baseline_find(&b, INITIATED(1))->ring.n, 6);
    assert_int_equal(baseline_find(&b, INITIATED(1))->days, 7);
}

static void a_gap_day_teaches_high_values(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned i = 0; i < 6; i++)
        learn_one(&b, DAY_ONE + i, INITIATED(1), 50 * MB, NO_GAP);
    learn_one(&b, DAY_ONE + 6, INITIATED(1), 70 * MB, GAP);
    assert_int_equal(ring_rank(&b.feature[FEATURE_DAY_EXTERNAL], 0), lg_round(70 * MB));
    assert_int_equal(ring_rank(&baseline_find(&b, INITIATED(1))->ring, 0), lg_round(70 * MB));
}

static void the_number_of_days_never_wraps(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_one(&b, DAY_ONE, INITIATED(1), MB, NO_GAP);
    b.days = b.group[0].days = UINT16_MAX;
    learn_one(&b, DAY_ONE + 1, INITIATED(1), MB, NO_GAP);
    assert_int_equal(b.days, UINT16_MAX);
    assert_int_equal(b.group[0].days, UINT16_MAX);
}

/* ---- familiarity: days on which the group is met (counted from the host's first), and whether it is familiar on `today` ---- */

struct meeting { unsigned first, days, every, today; bool familiar; };
static const struct meeting meetings[] = {
    {0, 1, 1, 1, true},    /* initial set: met in the first five days */
    {4, 1, 1, 5, true},    /* its last day */
    {5, 1, 1, 6, false},   /* no longer */
    {5, 4, 1, 9, false},   /* four days */
    {5, 5, 1, 10, true},   /* five days */
    {20, 5, 1, 25, true},  {20, 1, 1, 40, false}, /* one day, however old */
    {20, 2, 1, 29, false}, /* two days, nine days old */
    {20, 2, 1, 30, true},  /* two days, ten days old */
    {20, 4, 3, 30, true},
};

static void familiarity_follows_its_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(meetings); i++) {
        const struct meeting *m = &meetings[i];
        struct baseline b = fresh_baseline();
        for (unsigned day = 0; day < m->today; day++) {
            bool met = day >= m->first && (day - m->first) % m->every == 0 && (day - m->first) / m->every < m->days;
            learn_one(&b, DAY_ONE + day, INITIATED(7), met ? MB : 0, NO_GAP);
        }
        if (baseline_familiar(&b, INITIATED(7), (uint16_t)(DAY_ONE + m->today)) != m->familiar)
            fail_msg("row %zu", i);
    }
}

static void a_group_never_met_is_not_familiar(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    assert_false(baseline_familiar(&b, INITIATED(1), DAY_ONE));
    learn_one(&b, DAY_ONE, INITIATED(1), MB, NO_GAP);
    assert_false(baseline_familiar(&b, INITIATED(2), DAY_ONE + 1));
}

/* ---- eviction ---- */

static void learn_range(struct baseline *b, unsigned day, unsigned first, unsigned n, uint64_t bytes)
{
    struct day x;
    day_init(&x, day, NO_GAP);
    for (unsigned i = first; i < first + n; i++)
        day_send(&x, INITIATED(i), bytes + i * 100000);
    baseline_learn(b, &x.d, NULL, 0, false);
}

static void assert_ascending(const struct baseline *b)
{
    for (unsigned i = 1; i < b->groups; i++)
        assert_true(b->group[i - 1].group < b->group[i].group);
}

static void the_group_unseen_longest_makes_room_and_is_counted(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_range(&b, DAY_ONE, 1, BASELINE_GROUPS, MB);
    learn_range(&b, DAY_ONE + 1, 11, BASELINE_GROUPS - 10, MB);
    learn_range(&b, DAY_ONE + 2, 101, 10, MB);
    assert_int_equal(b.groups, BASELINE_GROUPS);
    assert_int_equal(b.evicted, 10);
    for (unsigned i = 1; i <= 10; i++)
        assert_null(baseline_find(&b, INITIATED(i)));
    for (unsigned i = 101; i <= 110; i++)
        assert_non_null(baseline_find(&b, INITIATED(i)));
    assert_ascending(&b);
}

static void among_groups_of_one_day_the_largest_stay(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_range(&b, DAY_ONE, 1, 200, MB);
    assert_int_equal(b.groups, BASELINE_GROUPS);
    assert_int_equal(b.evicted, 200 - BASELINE_GROUPS);
    for (unsigned i = 1; i <= 200; i++)
        assert_int_equal(baseline_find(&b, INITIATED(i)) != NULL, i > 200 - BASELINE_GROUPS);
    assert_ascending(&b);
}

/* The new group has the smallest key: learned first, it must not push out a group that comes later on the same day. */
static void a_new_group_does_not_push_out_one_that_was_seen_on_the_same_day(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 6; day++)
        learn_range(&b, DAY_ONE + day, 2, BASELINE_GROUPS, MB);
    learn_range(&b, DAY_ONE + 6, 1, BASELINE_GROUPS + 1, MB);
    assert_int_equal(b.evicted, 1);
    for (unsigned i = 2; i < 2 + BASELINE_GROUPS; i++) {
        assert_non_null(baseline_find(&b, INITIATED(i)));
        assert_int_equal(baseline_find(&b, INITIATED(i))->days, 7);
    }
}

static void random_days_keep_the_table_in_order_and_bounded(void **state)
{
    (void)state;
    uint64_t seed = 7;
    struct baseline b = fresh_baseline();
    uint64_t evicted = 0;
    for (unsigned day = 0; day < 300; day++) {
        struct day x;
        day_init(&x, DAY_ONE + day, random_next(&seed) % 5 ? NO_GAP : GAP);
        for (unsigned i = 0; i < 150; i++)
            if (random_next(&seed) % 3 == 0)
                day_send(&x, INITIATED(i), random_next(&seed) >> (random_next(&seed) % 50 + 14));
        baseline_learn(&b, &x.d, NULL, 0, false);
        assert_ascending(&b);
        assert_true(b.groups <= BASELINE_GROUPS && b.evicted >= evicted);
        evicted = b.evicted;
        for (unsigned i = 0; i < b.groups; i++)
            assert_true(b.group[i].ring.n >= 1 && b.group[i].first_day <= b.group[i].last_day && b.group[i].last_day <= DAY_ONE + day);
    }
    assert_true(evicted > 0);
}

/* ---- the stored form ---- */

static struct baseline rich_baseline(void)
{
    struct baseline b = fresh_baseline();
    uint64_t seed = 3;
    for (unsigned day = 0; day < 40; day++)
        learn_range(&b, DAY_ONE + day, (unsigned)(random_next(&seed) % 90), 30, random_next(&seed) % (100 * MB));
    b.finding_first_day = DAY_ONE + 38;
    b.finding_last_day = DAY_ONE + 39;
    return b;
}

static enum weir_err decode(const void *bytes, size_t n, struct baseline *out)
{
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    enum weir_err err = baseline_decode((struct slice){exact, n}, out);
    free(exact);
    return err;
}

static void assert_round_trip(const struct baseline *b)
{
    struct buffer out, again;
    struct baseline back;
    buffer_init(&out, 1 << 20);
    buffer_init(&again, 1 << 20);
    assert_int_equal(baseline_encode(b, &out), WEIR_OK);
    assert_int_equal(decode(out.p, out.n, &back), WEIR_OK);
    assert_int_equal(baseline_encode(&back, &again), WEIR_OK);
    assert_int_equal(out.n, again.n);
    assert_memory_equal(out.p, again.p, out.n);
    assert_int_equal(back.groups, b->groups);
    assert_memory_equal(back.feature, b->feature, sizeof b->feature);
    assert_int_equal(back.evicted, b->evicted);
    assert_int_equal(back.finding_last_day, b->finding_last_day);
    buffer_fini(&out);
    buffer_fini(&again);
}

static void a_stored_baseline_comes_back_whole(void **state)
{
    (void)state;
    struct baseline b = rich_baseline(), empty = fresh_baseline();
    assert_int_equal(b.groups, BASELINE_GROUPS);
    assert_round_trip(&b);
    assert_round_trip(&empty);
}

static void a_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct baseline b = rich_baseline(), back;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(baseline_encode(&b, &out), WEIR_OK);
    for (size_t bit = 0; bit < out.n * 8; bit++) {
        out.p[bit / 8] = (char)(out.p[bit / 8] ^ 1 << bit % 8);
        assert_int_not_equal(decode(out.p, out.n, &back), WEIR_OK);
        out.p[bit / 8] = (char)(out.p[bit / 8] ^ 1 << bit % 8);
    }
    buffer_fini(&out);
}

static void a_cut_value_is_refused_at_every_length(void **state)
{
    (void)state;
    struct baseline b = rich_baseline(), back;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(baseline_encode(&b, &out), WEIR_OK);
    for (size_t n = 0; n < out.n; n++)
        assert_int_not_equal(decode(out.p, n, &back), WEIR_OK);
    buffer_fini(&out);
}

static void a_newer_version_is_told_apart_from_damage(void **state)
{
    (void)state;
    struct buffer out;
    struct baseline back;
    buffer_init(&out, 4096);
    blob_end(&out, blob_begin(&out, BASELINE_BLOB, BASELINE_VERSION + 1));
    assert_int_equal(decode(out.p, out.n, &back), WEIR_VERSION);
    buffer_fini(&out);
}

/* A value that was made on purpose and sealed: decoded or refused, what comes out is safe to use. */
static void sealed_nonsense_is_refused_or_safe_to_use(void **state)
{
    (void)state;
    struct baseline b = rich_baseline(), back;
    struct buffer good, bad;
    buffer_init(&good, 1 << 20);
    buffer_init(&bad, 1 << 20);
    assert_int_equal(baseline_encode(&b, &good), WEIR_OK);
    const size_t head = 11, tail = 4; /* "WEIR" kind version flags length ... checksum */
    uint64_t seed = 11;
    for (unsigned round = 0; round < 20000; round++) {
        buffer_clear(&bad);
        size_t begin = blob_begin(&bad, BASELINE_BLOB, BASELINE_VERSION), at = bad.n;
        size_t n = good.n - head - tail, cut = random_next(&seed) % 4 ? n : random_next(&seed) % (n + 1);
        buffer_put(&bad, good.p + head, cut);
        for (uint64_t i = random_next(&seed) % 4 + 1; cut && i-- > 0;)
            bad.p[at + random_next(&seed) % (random_next(&seed) % 2 ? cut : cut < 80 ? cut : 80)] = (char)random_next(&seed);
        blob_end(&bad, begin);
        if (decode(bad.p, bad.n, &back))
            continue;
        assert_true(back.groups <= BASELINE_GROUPS);
        learn_range(&back, UINT16_MAX, 1, 100, MB);
        ring_rank(&back.feature[0], 1);
        assert_round_trip(&back);
    }
    buffer_fini(&good);
    buffer_fini(&bad);
}

static void groups_out_of_order_are_refused(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline(), back;
    learn_range(&b, DAY_ONE, 1, 2, MB);
    struct baseline_group first = b.group[0];
    b.group[0] = b.group[1];
    b.group[1] = first;
    struct buffer out;
    buffer_init(&out, 4096);
    assert_int_equal(baseline_encode(&b, &out), WEIR_OK);
    assert_int_equal(decode(out.p, out.n, &back), WEIR_CORRUPT);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scale_has_its_worked_example),
        cmocka_unit_test(rounding_is_off_by_a_sixteenth_of_an_octave_at_most),
        cmocka_unit_test(more_bytes_never_round_to_less),
        cmocka_unit_test(octaves_turn_back_into_bytes),
        cmocka_unit_test(a_ring_ranks_its_last_28_values),
        cmocka_unit_test(ranking_leaves_the_ring_as_it_was),
        cmocka_unit_test(a_day_teaches_every_feature),
        cmocka_unit_test(the_first_day_does_not_teach_how_much_is_new),
        cmocka_unit_test(an_older_day_is_ignored),
        cmocka_unit_test(small_talk_with_those_who_call_is_not_kept),
        cmocka_unit_test(the_rest_and_the_incoming_are_no_groups_to_know),
        cmocka_unit_test(flagged_groups_are_not_learned),
        cmocka_unit_test(a_flagged_known_group_keeps_its_history),
        cmocka_unit_test(a_whole_day_that_was_raised_teaches_no_feature),
        cmocka_unit_test(a_gap_day_does_not_teach_low_values),
        cmocka_unit_test(a_gap_day_teaches_high_values),
        cmocka_unit_test(the_number_of_days_never_wraps),
        cmocka_unit_test(familiarity_follows_its_table),
        cmocka_unit_test(a_group_never_met_is_not_familiar),
        cmocka_unit_test(the_group_unseen_longest_makes_room_and_is_counted),
        cmocka_unit_test(among_groups_of_one_day_the_largest_stay),
        cmocka_unit_test(a_new_group_does_not_push_out_one_that_was_seen_on_the_same_day),
        cmocka_unit_test(random_days_keep_the_table_in_order_and_bounded),
        cmocka_unit_test(a_stored_baseline_comes_back_whole),
        cmocka_unit_test(a_flipped_bit_is_refused),
        cmocka_unit_test(a_cut_value_is_refused_at_every_length),
        cmocka_unit_test(a_newer_version_is_told_apart_from_damage),
        cmocka_unit_test(sealed_nonsense_is_refused_or_safe_to_use),
        cmocka_unit_test(groups_out_of_order_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
