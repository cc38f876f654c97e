/* window: what must hold for any set of flows, on random ones from fixed seeds: neither order nor split nor storing in between
 * shows in the result, and sampling keeps its promises. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "window_make.h"

/* ---- random flows ---- */

enum event_kind { EVENT_CHARGE, EVENT_PENDING, EVENT_GAP, EVENT_FORWARDS };
struct event {
    struct flow f;
    const char *id, *flow_log;
    enum event_kind kind;
};

static const char *const ids[] = {"eni-0", "eni-1", "eni-2", "eni-3", "eni-nat"};

static struct event random_event(uint64_t *seed)
{
    struct event e = {.id = ids[random_below(seed, WEIR_COUNT(ids))], .flow_log = random_below(seed, 4) ? "fl-1" : "fl-2"};
    uint64_t kind = random_below(seed, 40);
    e.kind = kind < 6 ? EVENT_PENDING : kind == 6 ? EVENT_GAP : EVENT_CHARGE;
    struct flow *f = &e.f;
    f->host = ip_from_v4((uint32_t)(0x0a000000 + random_below(seed, 6)));
    if (random_below(seed, 8) == 0)
        f->host.hi = 0x2600 + random_below(seed, 2);
    f->external = random_below(seed, 3) > 0;
    f->peer = ip_from_v4((uint32_t)(f->external ? 0xc8000000 + (random_below(seed, 120) << 16) : 0x0a000000 + random_below(seed, 40)));
    f->bytes = random_next(seed) >> random_below(seed, 64);
    f->packets = f->bytes / 1000 + 1;
    f->start_s = DAY0 + (int64_t)(random_below(seed, 2) * DAY_S + random_below(seed, DAY_S));
    f->end_s = f->start_s + 60;
    f->opened = (uint8_t)random_below(seed, 3);
    f->service = (uint8_t)random_below(seed, SERVICE_CLASSES);
    f->out = random_below(seed, 3) > 0;
    f->via = random_below(seed, 10) == 0;
    if (e.kind == EVENT_CHARGE && strcmp(e.id, "eni-nat") == 0 && random_below(seed, 20) == 0)
        e.kind = EVENT_FORWARDS;
    return e;
}

static void add_event(struct window *w, const struct event *e)
{
    uint32_t k = interface(w, e->id, e->flow_log);
    switch (e->kind) {
    case EVENT_CHARGE: charge(w, k, e->f); return;
    case EVENT_PENDING: maybe(w, k, e->f); return;
    case EVENT_GAP: assert_int_equal(window_add_gap(w, k, e->f.start_s), WEIR_OK); return;
    case EVENT_FORWARDS: window_set_forwards(w, k, e->f.start_s); return;
    }
}

static void shuffle(uint64_t *seed, struct event *e, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = random_below(seed, i);
        struct event t = e[i - 1];
        e[i - 1] = e[k];
        e[k] = t;
    }
}

#define EVENTS 1500
struct world {
    uint64_t seed;
    uint32_t max_groups, max_big;
    struct event event[EVENTS];
    struct buffer want; /* fingerprint of all events added to one window one by one */
};

static struct window *world_window(const struct world *x, bool learns) { return window_with(x->max_groups, x->max_big, learns); }

static struct world *world_new(uint64_t seed)
{
    struct world *x = calloc(1, sizeof *x);
    assert_non_null(x);
    x->seed = seed;
    x->max_groups = seed % 3 ? 16 : 4096;
    x->max_big = seed % 3 == 1 ? 16 : 65536;
    for (size_t i = 0; i < EVENTS; i++)
        x->event[i] = random_event(&x->seed);
    buffer_init(&x->want, BLOB_MAX);
    struct window *w = world_window(x, false);
    for (size_t i = 0; i < EVENTS; i++)
        add_event(w, &x->event[i]);
    fingerprint(w, &x->want);
    assert_true(x->want.n > 10000);
    window_free(w);
    return x;
}

static void world_free(struct world *x)
{
    buffer_fini(&x->want);
    free(x);
}

#define WORLDS 6

static void any_order_gives_the_same_sums(void **state)
{
    (void)state;
    for (uint64_t s = 0; s < WORLDS; s++) {
        struct world *x = world_new(s);
        for (unsigned turn = 0; turn < 3; turn++) {
            struct window *w = world_window(x, false);
            shuffle(&x->seed, x->event, EVENTS);
            for (size_t i = 0; i < EVENTS; i++)
                add_event(w, &x->event[i]);
            assert_same(w, &x->want);
            window_free(w);
        }
        world_free(x);
    }
}

/* Objects: sums of their own, learned addresses and all, merged in any order. */
static void any_split_over_objects_gives_the_same_sums(void **state)
{
    (void)state;
    for (uint64_t s = 0; s < WORLDS; s++) {
        struct world *x = world_new(s);
        struct window *w = world_window(x, false), *part = world_window(x, true);
        shuffle(&x->seed, x->event, EVENTS);
        for (size_t first = 0, end; first < EVENTS; first = end) {
            end = first + 1 + random_below(&x->seed, 200);
            if (random_below(&x->seed, 2))
                window_reset(part);
            else
                window_reuse(part);
            for (size_t i = first; i < end && i < EVENTS; i++)
                add_event(part, &x->event[i]);
            assert_int_equal(window_merge(w, part), WEIR_OK);
        }
        assert_same(w, &x->want);
        window_free(w);
        window_free(part);
        world_free(x);
    }
}

#define PARTS 9

static void any_tree_of_merges_gives_the_same_sums(void **state)
{
    (void)state;
    for (uint64_t s = 0; s < WORLDS; s++) {
        struct world *x = world_new(s);
        struct window *part[PARTS];
        for (size_t p = 0; p < PARTS; p++)
            part[p] = world_window(x, false);
        for (size_t i = 0; i < EVENTS; i++)
            add_event(part[random_below(&x->seed, PARTS)], &x->event[i]);
        for (size_t left = PARTS; left > 1; left--) {
            size_t from = random_below(&x->seed, left), to = (from + 1 + random_below(&x->seed, left - 1)) % left;
            assert_int_equal(window_merge(part[to], part[from]), WEIR_OK);
            window_free(part[from]);
            part[from] = part[left - 1];
        }
        assert_same(part[0], &x->want);
        window_free(part[0]);
        world_free(x);
    }
}

/* Stop, store, start again. */
static void storing_and_loading_at_any_point_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t s = 0; s < WORLDS; s++) {
        struct world *x = world_new(s);
        struct window *w = world_window(x, false);
        for (size_t i = 0; i < EVENTS; i++) {
            add_event(w, &x->event[i]);
            if (random_below(&x->seed, 200) == 0) {
                struct window *next = world_window(x, false);
                carry_over(w, next);
                window_free(w);
                w = next;
            }
        }
        assert_same(w, &x->want);
        window_free(w);
        world_free(x);
    }
}

/* A run reads its days and stores its buckets while it goes on: what it remembers of that must not outlive a change. */
static void looking_in_between_changes_nothing(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, BLOB_MAX);
    for (uint64_t s = 0; s < WORLDS; s++) {
        struct world *x = world_new(s);
        struct window *w = world_window(x, false);
        for (size_t i = 0; i < EVENTS; i++) {
            add_event(w, &x->event[i]);
            if (random_below(&x->seed, 20) == 0) {
                buffer_clear(&b);
                print_hosts(w, DAY0 + (int64_t)random_below(&x->seed, 2) * DAY_S, &b);
            }
        }
        assert_same(w, &x->want);
        window_free(w);
        world_free(x);
    }
    buffer_fini(&b);
}

static struct flow crowd(const char *host, unsigned i, uint64_t bytes)
{
    struct flow f = flow(host, "203.0.113.5", bytes);
    f.peer = ip_from_v4(i << 16 | 1);
    f.external = true;
    return f;
}

/* Folding frees cells and new groups take them: neither the number of rows nor that of cells tells that anything changed. */
static void a_reader_sees_what_took_the_place_of_something_folded(void **state)
{
    (void)state;
    struct window *w = window_with(16, 16, false);
    uint32_t k = interface(w, "eni-1", "fl-1");
    charge(w, k, crowd("10.0.0.2", 0, 1));
    for (unsigned i = 0; i < 40; i++)
        charge(w, k, crowd("10.0.0.1", i, 100));
    assert_int_equal(look_up(w, "10.0.0.1")->d.external_out, 4000);
    for (unsigned i = 1; i < 16; i++) {
        charge(w, k, crowd("10.0.0.2", i, 1));
        assert_int_equal(look_up(w, "10.0.0.2")->d.external_out, i + 1);
        assert_int_equal(look_up(w, "10.0.0.1")->d.external_out, 4000);
    }
    window_free(w);
}

static void a_reset_window_is_as_good_as_new(void **state)
{
    (void)state;
    struct world *x = world_new(1), *other = world_new(2);
    struct window *w = world_window(x, false);
    for (size_t i = 0; i < EVENTS; i++)
        add_event(w, &other->event[i]);
    window_reset(w);
    assert_int_equal(window_stats(w).interfaces + window_stats(w).host_days + window_stats(w).cells, 0);
    for (size_t i = 0; i < EVENTS; i++)
        add_event(w, &x->event[i]);
    assert_same(w, &x->want);
    window_free(w);
    world_free(x);
    world_free(other);
}

/* ---- dropping days ---- */

static void a_dropped_day_leaves_the_others_as_they_were(void **state)
{
    (void)state;
    struct world *x = world_new(4);
    struct window *w = world_window(x, false), *one = world_window(x, false);
    for (size_t i = 0; i < EVENTS; i++) {
        add_event(w, &x->event[i]);
        if (x->event[i].f.start_s >= DAY0 + DAY_S)
            add_event(one, &x->event[i]);
    }
    buffer_clear(&x->want);
    fingerprint(one, &x->want);
    uint64_t before = window_memory_bytes(w);
    assert_int_equal(window_drop_day(w, DAY0), WEIR_OK);
    assert_same(w, &x->want);
    assert_true(window_memory_bytes(w) < before);
    window_free(w);
    window_free(one);
    world_free(x);
}

static void a_dropped_day_keeps_the_marks_of_the_others(void **state)
{
    (void)state;
    struct window *w = window_usual(), *part = window_with(16, 16, true);
    uint32_t k = interface(part, "eni-1", "fl-1");
    charge(part, k, flow("10.0.0.1", "203.0.113.5", 1));
    charge(part, k, later(flow("10.0.0.1", "203.0.113.5", 1), DAY_S));
    assert_int_equal(window_merge(w, part), WEIR_OK);
    unsigned dirty = 0;
    for (unsigned b = 0; b < WINDOW_BUCKETS; b++)
        dirty += window_bucket_dirty(w, DAY0 + DAY_S, b);
    assert_int_equal(dirty, 1);
    window_clean(w);
    assert_int_equal(window_drop_day(w, DAY0), WEIR_OK);
    for (unsigned b = 0; b < WINDOW_BUCKETS; b++)
        assert_false(window_bucket_dirty(w, DAY0 + DAY_S, b) || window_bucket_dirty(w, DAY0, b));
    int64_t day_s[4];
    assert_int_equal(window_days(w, day_s, 4), 1);
    window_free(w);
    window_free(part);
}

/* The sums of objects go into a run that closes one day after the other, and gives its interfaces new numbers each time. */
static void objects_merge_into_a_run_that_drops_its_days(void **state)
{
    (void)state;
    struct window *w = window_usual(), *part = window_with(4096, 65536, true);
    for (unsigned day = 0; day < 12; day++) {
        window_reuse(part);
        for (unsigned i = 0; i < 40; i++) {
            char id[] = "eni-00";
            id[4] = (char)('0' + (i * 7 + day * 3) % 40 / 10), id[5] = (char)('0' + (i * 7 + day * 3) % 40 % 10);
            struct flow f = later(flow("10.0.0.1", "203.0.113.5", 1000), (int64_t)day * DAY_S);
            f.host = ip_from_v4(0x0a000000 + (i * 7 + day * 3) % 40);
            if (i % 3 != day % 3)
                charge(part, interface(part, id, "fl-1"), f);
        }
        assert_int_equal(window_merge(w, part), WEIR_OK);
        struct window *fresh = window_usual();
        assert_int_equal(window_merge(fresh, part), WEIR_OK);
        struct buffer got, want;
        buffer_init(&got, BLOB_MAX);
        buffer_init(&want, BLOB_MAX);
        print_hosts(w, DAY0 + (int64_t)day * DAY_S, &got);
        print_hosts(fresh, DAY0 + (int64_t)day * DAY_S, &want);
        assert_int_equal(got.n, want.n);
        assert_memory_equal(got.p, want.p, got.n);
        buffer_fini(&got);
        buffer_fini(&want);
        window_free(fresh);
        if (day)
            assert_int_equal(window_drop_day(w, DAY0 + (int64_t)(day - 1) * DAY_S), WEIR_OK);
    }
    window_free(w);
    window_free(part);
}

static void an_object_may_be_merged_into_one_run_after_another(void **state)
{
    (void)state;
    struct window *part = window_with(16, 16, true);
    charge(part, interface(part, "eni-1", "fl-1"), flow("10.0.0.1", "203.0.113.5", 7));
    for (unsigned i = 0; i < 10; i++) {
        struct window *w = window_usual();
        for (unsigned k = 0; k < i; k++) {
            char id[] = "eni-x0";
            id[5] = (char)('0' + k);
            charge(w, interface(w, id, "fl-1"), flow("10.0.0.2", "203.0.113.5", 7));
        }
        assert_int_equal(window_merge(w, part), WEIR_OK);
        const struct looked_up *l = look_up(w, "10.0.0.1");
        assert_int_equal(l->seen, 1);
        assert_true(slice_eq(l->d.interface, SLICE_LIT("eni-1")));
        if (i % 2) {
            window_reset(w);
            interface(w, "eni-z", "fl-1");
            assert_int_equal(window_merge(w, part), WEIR_OK);
            assert_true(slice_eq(look_up(w, "10.0.0.1")->d.interface, SLICE_LIT("eni-1")));
        }
        window_free(w);
    }
    window_free(part);
}

/* ---- sampling ---- */

static void a_flood_of_small_groups_keeps_the_sum(void **state)
{
    (void)state;
    struct window *w = window_with(16, 16, false);
    uint32_t k = interface(w, "eni-1", "fl-1");
    uint64_t sum = 0;
    for (unsigned i = 0; i < 5000; i++) {
        charge(w, k, crowd("10.0.0.1", i, 100 + i));
        sum += 100 + i;
    }
    const struct looked_up *l = look_up(w, "10.0.0.1");
    assert_true(l->d.groups <= 16 + 1);
    assert_true(l->d.level >= 6);
    assert_int_equal(l->d.external_out, sum);
    assert_int_equal(l->d.hour_out[3], sum);
    uint64_t kept = 0;
    for (size_t i = 0; i < l->d.groups; i++)
        if (group_kind(l->group[i].group) != GROUP_REST)
            kept += l->group[i].bytes_out;
    assert_int_equal(kept + l->d.rest_out, sum);
    window_free(w);
}

static void internal_and_external_rests_stay_apart(void **state)
{
    (void)state;
    struct window *w = window_with(16, 16, false);
    uint32_t k = interface(w, "eni-1", "fl-1");
    for (unsigned i = 0; i < 1000; i++) {
        struct flow f = crowd("10.0.0.1", i, 10);
        charge(w, k, f);
        f.external = false;
        f.bytes = 3;
        charge(w, k, f);
    }
    const struct looked_up *l = look_up(w, "10.0.0.1");
    assert_int_equal(l->d.external_out, 10000);
    assert_int_equal(l->d.internal_out, 3000);
    window_free(w);
}

static void a_flood_never_folds_a_big_transfer(void **state)
{
    (void)state;
    struct window *w = window_with(16, 65536, false);
    uint32_t k = interface(w, "eni-1", "fl-1");
    for (unsigned i = 0; i < 5000; i++) {
        charge(w, k, crowd("10.0.0.1", i, 100));
        if (i % 500 == 0)
            charge(w, k, crowd("10.0.0.1", 60000 + i, WINDOW_BIG_BYTES));
    }
    const struct looked_up *l = look_up(w, "10.0.0.1");
    unsigned big = 0;
    for (size_t i = 0; i < l->d.groups; i++)
        big += group_external(l->group[i].group) && l->group[i].bytes_out >= WINDOW_BIG_BYTES;
    assert_int_equal(big, 10);
    assert_true(l->d.groups <= 10 + 16 + 1);
    window_free(w);
}

/* kept * 2^level within a factor of 2, for most crowds: with 9 to 16 kept, the spread is about a quarter. */
static void what_is_kept_estimates_the_number_of_groups(void **state)
{
    (void)state;
    unsigned near = 0, rounds = 200;
    uint64_t seed = 77;
    for (unsigned round = 0; round < rounds; round++) {
        struct window *w = window_with(16, 16, false);
        uint32_t k = interface(w, "eni-1", "fl-1");
        unsigned n = 200 + (unsigned)random_below(&seed, 1500), base = (unsigned)random_below(&seed, 60000);
        for (unsigned i = 0; i < n; i++)
            charge(w, k, crowd("10.0.0.1", (base + i * 13) & 0xffff, 100));
        const struct looked_up *l = look_up(w, "10.0.0.1");
        uint64_t kept = 0;
        for (size_t i = 0; i < l->d.groups; i++)
            kept += group_kind(l->group[i].group) != GROUP_REST;
        uint64_t estimate = kept << l->d.level;
        assert_true(kept <= 16);
        near += estimate >= n / 2 && estimate <= n * 2;
        window_free(w);
    }
    assert_true(near >= rounds * 9 / 10);
}

/* Small limits, few groups: sampling must also work where a row of an object is still short. */
static void a_limit_below_a_handful_of_groups_holds(void **state)
{
    (void)state;
    for (uint32_t max = 1; max <= 12; max++) {
        struct window *w = window_with(max, max, false), *part = window_with(max, max, true);
        uint64_t sum = 0;
        for (unsigned i = 0; i < 100; i++) {
            charge(part, interface(part, "eni-1", "fl-1"), crowd("10.0.0.1", i, i % 2 ? 10 : WINDOW_BIG_BYTES));
            sum += i % 2 ? 10 : WINDOW_BIG_BYTES;
        }
        assert_int_equal(window_merge(w, part), WEIR_OK);
        assert_int_equal(look_up(w, "10.0.0.1")->d.external_out, sum);
        window_free(w);
        window_free(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_same_sums),
        cmocka_unit_test(any_split_over_objects_gives_the_same_sums),
        cmocka_unit_test(any_tree_of_merges_gives_the_same_sums),
        cmocka_unit_test(storing_and_loading_at_any_point_changes_nothing),
        cmocka_unit_test(looking_in_between_changes_nothing),
        cmocka_unit_test(a_reader_sees_what_took_the_place_of_something_folded),
        cmocka_unit_test(a_reset_window_is_as_good_as_new),
        cmocka_unit_test(a_dropped_day_leaves_the_others_as_they_were),
        cmocka_unit_test(a_dropped_day_keeps_the_marks_of_the_others),
        cmocka_unit_test(objects_merge_into_a_run_that_drops_its_days),
        cmocka_unit_test(an_object_may_be_merged_into_one_run_after_another),
        cmocka_unit_test(a_flood_of_small_groups_keeps_the_sum),
        cmocka_unit_test(internal_and_external_rests_stay_apart),
        cmocka_unit_test(a_flood_never_folds_a_big_transfer),
        cmocka_unit_test(what_is_kept_estimates_the_number_of_groups),
        cmocka_unit_test(a_limit_below_a_handful_of_groups_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
