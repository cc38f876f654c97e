/* window: what counts for whom, as claims by example. Host 10.0.1.5, gateway 10.0.0.220, far end 203.0.113.5. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "window_make.h"

#define HOST "10.0.1.5"
#define GATEWAY "10.0.0.220"
#define FAR "203.0.113.5"

/* ---- sums ---- */

static void bytes_are_summed_by_way_reach_and_hour(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    charge(w, k, flow(HOST, FAR, 1000));
    charge(w, k, later(flow(HOST, FAR, 200), HOUR_S));
    charge(w, k, incoming(HOST, FAR, 30));
    charge(w, k, flow(HOST, "10.0.2.7", 4));
    charge(w, k, incoming(HOST, "10.0.2.7", 5));
    const struct looked_up *l = look_up(w, HOST);
    assert_int_equal(l->seen, 1);
    assert_int_equal(l->d.external_out, 1200);
    assert_int_equal(l->d.external_in, 30);
    assert_int_equal(l->d.internal_out, 4);
    assert_int_equal(l->d.internal_in, 5);
    assert_int_equal(l->d.hour_out[3], 1000);
    assert_int_equal(l->d.hour_out[4], 200);
    assert_int_equal(l->d.hour_in[3], 30);
    assert_int_equal(l->d.groups, 2);
    assert_int_equal(l->group[0].bytes_out, 1200);
    assert_int_equal(l->group[0].bytes_in, 30);
    assert_int_equal(l->group[0].hour[4], 200);
    window_free(w);
}

static void what_goes_to_trusted_peers_is_kept_apart_and_in_no_sum(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    struct flow trusted = flow(HOST, FAR, 5000);
    trusted.at.list = LISTED_TRUSTED;
    charge(w, k, trusted);
    charge(w, k, flow(HOST, "198.51.100.1", 7));
    const struct looked_up *l = look_up(w, HOST);
    assert_int_equal(l->d.external_out, 7);
    assert_int_equal(l->d.hour_out[3], 7);
    assert_int_equal(l->d.internal_out, 0);
    assert_int_equal(l->d.groups, 2);
    assert_int_equal(group_kind(l->group[1].group), GROUP_TRUSTED);
    assert_int_equal(l->group[1].bytes_out, 5000);
    window_free(w);
}

static void a_record_counts_in_the_day_and_hour_of_its_start(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    struct flow f = flow(HOST, FAR, 1000);
    f.start_s = DAY0 + DAY_S - 1;
    f.end_s = DAY0 + DAY_S + 500;
    charge(w, k, f);
    assert_int_equal(look_up(w, HOST)->d.hour_out[23], 1000);
    int64_t day_s[4];
    assert_int_equal(window_days(w, day_s, 4), 1);
    assert_int_equal(day_s[0], DAY0);
    window_free(w);
}

static void every_hour_of_a_day_keeps_its_sum(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    for (unsigned turn = 0; turn < 2; turn++)
        for (unsigned i = 0; i < 24; i++) {
            struct flow f = flow(HOST, FAR, 100 + i * 7 % 24);
            f.start_s = DAY0 + (int64_t)(i * 7 % 24) * HOUR_S;
            charge(w, k, f);
        }
    const struct looked_up *l = look_up(w, HOST);
    for (unsigned h = 0; h < 24; h++)
        assert_int_equal(l->group[0].hour[h], 2 * (100 + h));
    window_free(w);
}

static void one_address_behind_two_interfaces_is_two_hosts(void **state)
{
    (void)state;
    struct window *w = window_usual();
    charge(w, interface(w, "eni-1", "fl-1"), flow(HOST, FAR, 1000));
    charge(w, interface(w, "eni-2", "fl-1"), flow(HOST, FAR, 500));
    assert_int_equal(look_up(w, HOST)->seen, 2);
    assert_int_equal(window_hosts(w, DAY0), 2);
    assert_int_equal(window_hosts(w, DAY0 + DAY_S), 0);
    window_free(w);
}

static void big_and_small_records_of_a_group_are_added_up(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    charge(w, k, flow(HOST, FAR, 10));
    charge(w, k, flow(HOST, FAR, WINDOW_BIG_BYTES));
    const struct looked_up *l = look_up(w, HOST);
    assert_int_equal(l->d.groups, 1);
    assert_int_equal(l->group[0].bytes_out, WINDOW_BIG_BYTES + 10);
    assert_int_equal(l->group[0].group & GROUP_BIG, 0);
    window_free(w);
}

static void sums_saturate_and_never_wrap(void **state)
{
    (void)state;
    struct window *w = window_usual(), *part = window_with(4096, 65536, true);
    uint32_t k = interface(w, "eni-1", "fl-1"), p = interface(part, "eni-1", "fl-1");
    uint64_t last = 0;
    for (unsigned i = 0; i < 50; i++) {
        charge(w, k, flow(HOST, FAR, UINT64_MAX - i));
        charge(w, k, incoming(HOST, FAR, UINT64_MAX - i));
        charge(part, p, flow(HOST, FAR, UINT64_MAX));
        assert_int_equal(window_merge(w, part), WEIR_OK);
        const struct looked_up *l = look_up(w, HOST);
        assert_true(l->d.external_out >= last && l->d.external_out >= (1ULL << 53) - 1);
        assert_true(l->d.external_in >= (1ULL << 53) - 1);
        assert_true(l->group[0].bytes_in == UINT64_MAX);
        last = l->d.external_out;
    }
    window_free(w);
    window_free(part);
}

/* ---- copies ---- */

static void a_double_subscription_counts_once(void **state)
{
    (void)state;
    struct window *w = window_usual();
    const char *logs[] = {"fl-1", "fl-2"};
    for (size_t i = 0; i < 2; i++) {
        uint32_t k = interface(w, "eni-1", logs[i]);
        charge(w, k, flow(HOST, FAR, 1000));
        charge(w, k, later(flow(HOST, FAR, 500), HOUR_S));
        charge(w, k, incoming(HOST, FAR, 70));
    }
    const struct looked_up *l = look_up(w, HOST);
    assert_int_equal(l->seen, 1);
    assert_int_equal(l->d.external_out, 1500);
    assert_int_equal(l->d.external_in, 70);
    window_free(w);
}

static void subscriptions_that_take_turns_complete_each_other(void **state)
{
    (void)state;
    struct window *w = window_usual();
    charge(w, interface(w, "eni-1", "fl-1"), flow(HOST, FAR, 1000));
    charge(w, interface(w, "eni-1", "fl-2"), later(flow(HOST, FAR, 500), HOUR_S));
    assert_int_equal(look_up(w, HOST)->d.external_out, 1500);
    window_free(w);
}

static void a_host_seen_behind_another_counts_when_it_has_no_log_of_its_own(void **state)
{
    (void)state;
    struct window *w = window_usual();
    struct flow f = flow(HOST, FAR, 1000);
    f.via = true;
    charge(w, interface(w, "eni-tgw", "fl-1"), f);
    assert_int_equal(look_up(w, HOST)->d.external_out, 1000);
    window_free(w);
}

static void a_copy_seen_behind_another_vanishes_when_the_home_is_logged(void **state)
{
    (void)state;
    struct window *w = window_usual();
    struct flow f = flow(HOST, FAR, 1000), copy = f;
    copy.via = true;
    charge(w, interface(w, "eni-tgw", "fl-1"), copy);
    charge(w, interface(w, "eni-1", "fl-2"), f);
    const struct looked_up *l = look_up(w, HOST);
    assert_int_equal(l->seen, 1);
    assert_int_equal(l->d.external_out, 1000);
    assert_true(slice_eq(l->d.interface, SLICE_LIT("eni-1")));
    window_free(w);
}

/* ---- pending ends ---- */

static void a_pending_pair_counts_for_the_proven_end_only(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    maybe(w, k, flow(HOST, "10.0.2.7", 1000));
    charge(w, k, flow(HOST, FAR, 1));
    assert_int_equal(look_up(w, HOST)->d.internal_out, 1000);
    assert_int_equal(look_up(w, "10.0.2.7")->seen, 0);
    assert_int_equal(window_stats(w).unresolved_bytes, 0);
    window_free(w);
}

static void the_far_end_of_a_pending_pair_receives_when_it_is_the_host(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    maybe(w, k, flow(HOST, "10.0.2.7", 1000));
    charge(w, k, flow("10.0.2.7", FAR, 1));
    assert_int_equal(look_up(w, "10.0.2.7")->d.internal_in, 1000);
    assert_int_equal(look_up(w, HOST)->seen, 0);
    window_free(w);
}

static void a_hinted_host_counts_only_where_its_day_proves_it(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    struct flow f = flow(HOST, "10.0.2.7", 1000);
    assert_int_equal(window_add(w, k, &f, FLOW_HINTED), WEIR_OK);
    assert_int_equal(look_up(w, HOST)->seen, 0);
    charge(w, k, flow(HOST, FAR, 1));
    assert_int_equal(look_up(w, HOST)->d.internal_out, 1000);
    window_free(w);
}

static void a_flush_in_parts_gives_the_sums_of_one_window(void **state)
{
    (void)state;
    struct window *parts = window_usual(), *one = window_with(4096, 65536, true), *whole = window_usual();
    uint32_t k = interface(one, "eni-1", "fl-1"), at = interface(whole, "eni-1", "fl-1");
    for (unsigned i = 0; i < 5; i++) {
        charge(one, k, flow(HOST, FAR, 100 + i));
        charge(whole, at, flow(HOST, FAR, 100 + i));
        assert_int_equal(window_flush(parts, one), WEIR_OK);
        assert_int_equal(window_cells(one), 0);
    }
    assert_int_equal(look_up(parts, HOST)->d.external_out, look_up(whole, HOST)->d.external_out);
    window_free(parts);
    window_free(one);
    window_free(whole);
}

static void proof_may_come_from_another_object(void **state)
{
    (void)state;
    struct window *w = window_usual(), *one = window_with(4096, 65536, true), *two = window_with(4096, 65536, true);
    maybe(one, interface(one, "eni-1", "fl-1"), flow(HOST, "10.0.2.7", 1000));
    charge(two, interface(two, "eni-1", "fl-1"), flow(HOST, FAR, 1));
    assert_int_equal(window_merge(w, one), WEIR_OK);
    assert_int_equal(look_up(w, HOST)->seen, 0);
    assert_int_equal(window_merge(w, two), WEIR_OK);
    assert_int_equal(look_up(w, HOST)->d.internal_out, 1000);
    window_free(w);
    window_free(one);
    window_free(two);
}

static void pairs_that_nothing_settles_are_counted_as_unresolved(void **state)
{
    (void)state;
    struct window *w = window_usual();
    maybe(w, interface(w, "eni-1", "fl-1"), flow(HOST, "10.0.2.7", 1000));
    assert_int_equal(look_up(w, HOST)->seen, 0);
    assert_int_equal(window_stats(w).unresolved_bytes, 1000);
    assert_int_equal(window_hosts(w, DAY0), 0);
    window_free(w);
}

/* ---- gaps ---- */

static void a_gap_marks_its_hours_at_its_interface(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1"), other = interface(w, "eni-2", "fl-1");
    charge(w, k, flow(HOST, FAR, 1000));
    charge(w, other, flow("10.0.1.6", FAR, 1000));
    assert_int_equal(window_add_gap(w, k, DAY0 + 5 * HOUR_S), WEIR_OK);
    assert_int_equal(window_add_gap(w, k, DAY0 + 5 * HOUR_S + 60), WEIR_OK);
    assert_int_equal(window_add_gap(w, k, DAY0 + 23 * HOUR_S), WEIR_OK);
    assert_int_equal(window_add_gap(w, k, DAY0 + DAY_S), WEIR_OK);
    const struct looked_up *l = look_up(w, HOST);
    assert_int_equal(l->d.gap_hours, 1u << 5 | 1u << 23);
    assert_int_equal(l->d.gaps, 3);
    assert_int_equal(l->d.external_out, 1000);
    assert_int_equal(look_up(w, "10.0.1.6")->d.gap_hours, 0);
    window_free(w);
}

/* ---- forwarders ---- */

static void a_proven_forwarder_is_told_by_any_object(void **state)
{
    (void)state;
    struct window *w = window_usual(), *part = window_with(4096, 65536, true);
    charge(w, interface(w, "eni-nat", "fl-1"), flow(GATEWAY, FAR, 1000));
    window_set_forwards(part, interface(part, "eni-nat", "fl-1"), DAY0 + HOUR_S);
    assert_false(look_up(w, GATEWAY)->d.forwarder);
    assert_int_equal(window_merge(w, part), WEIR_OK);
    const struct looked_up *l = look_up(w, GATEWAY);
    assert_true(l->d.forwarder);
    assert_false(l->d.suspected);
    window_free(w);
    window_free(part);
}

static void a_proof_of_forwarding_counts_for_its_day_only(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-nat", "fl-1");
    charge(w, k, flow(GATEWAY, FAR, 1000));
    window_set_forwards(w, k, DAY0 + DAY_S);
    assert_false(look_up(w, GATEWAY)->d.forwarder);
    window_set_forwards(w, k, DAY0 + DAY_S - 1);
    const struct looked_up *l = look_up(w, GATEWAY);
    assert_true(l->d.forwarder);
    assert_int_equal(l->d.gaps + l->d.gap_hours, 0);
    window_free(w);
}

/* The proof may come in an object of its own: what a restart loads must have it. */
static void a_proof_of_forwarding_is_stored_with_what_changed(void **state)
{
    (void)state;
    struct window *w = window_usual(), *part = window_with(16, 16, true), *back = window_usual();
    struct buffer b;
    buffer_init(&b, BLOB_MAX);
    charge(w, interface(w, "eni-nat", "fl-1"), flow(GATEWAY, FAR, 1000));
    carry_over(w, back);
    window_clean(w);
    window_set_forwards(part, interface(part, "eni-nat", "fl-1"), DAY0);
    assert_int_equal(window_merge(w, part), WEIR_OK);
    for (unsigned bucket = 0; bucket < WINDOW_BUCKETS; bucket++)
        if (window_bucket_dirty(w, DAY0, bucket)) {
            buffer_clear(&b);
            assert_int_equal(window_encode(w, DAY0, bucket, &b), WEIR_OK);
            assert_int_equal(window_decode(back, (struct slice){b.p, b.n}), WEIR_OK);
        }
    assert_true(look_up(back, GATEWAY)->d.forwarder);
    buffer_fini(&b);
    window_free(w);
    window_free(part);
    window_free(back);
}

/* Version 2 at host i and at the gateway: the host says "to the far end", the gateway "from the host". */
static void through_gateway(struct window *w, unsigned i, uint64_t bytes, bool logged)
{
    char host[IP_TEXT_MAX], id[] = "eni-h0";
    struct ip a = ip_from_v4(0x0a000200 + i);
    ip_format(a, host);
    id[5] = (char)('0' + i);
    uint32_t nat = interface(w, "eni-nat", "fl-1");
    if (logged)
        charge(w, interface(w, id, "fl-1"), flow(host, FAR, bytes));
    charge(w, nat, called(incoming(GATEWAY, host, bytes)));
    charge(w, nat, flow(GATEWAY, FAR, bytes));
}

static void a_gateway_in_version_2_is_suspected(void **state)
{
    (void)state;
    struct window *w = window_usual();
    for (unsigned i = 0; i < 3; i++)
        through_gateway(w, i, 5 * MB, true);
    const struct looked_up *l = look_up(w, GATEWAY);
    assert_true(l->d.suspected && l->d.forwarder);
    assert_int_equal(window_stats(w).suspected_forwarders, 1);
    assert_false(look_up(w, "10.0.2.0")->d.forwarder);
    window_free(w);
}

static void a_gateway_whose_senders_are_not_logged_is_suspected_by_its_sums(void **state)
{
    (void)state;
    struct window *w = window_usual();
    for (unsigned i = 0; i < 3; i++)
        through_gateway(w, i, 5 * MB, false);
    assert_true(look_up(w, GATEWAY)->d.suspected);
    window_free(w);
}

/* Its clients say themselves that they sent to it: a staging host is not a gateway, however the sums match. */
static void a_staging_host_is_no_forwarder(void **state)
{
    (void)state;
    struct window *w = window_usual();
    static const char *const clients[] = {"10.0.2.1", "10.0.2.2", "10.0.2.3", "10.0.2.4"};
    uint32_t stage = interface(w, "eni-stage", "fl-1");
    for (size_t i = 0; i < WEIR_COUNT(clients); i++) {
        char id[] = "eni-0";
        id[4] = (char)('0' + i);
        charge(w, interface(w, id, "fl-1"), flow(clients[i], HOST, 50 * MB));
        charge(w, stage, called(incoming(HOST, clients[i], 50 * MB)));
    }
    charge(w, stage, flow(HOST, FAR, 200 * MB));
    const struct looked_up *l = look_up(w, HOST);
    assert_false(l->d.forwarder);
    assert_int_equal(l->d.external_out, 200 * MB);
    window_free(w);
}

static void a_host_that_only_sends_outside_is_no_forwarder(void **state)
{
    (void)state;
    struct window *w = window_usual();
    charge(w, interface(w, "eni-1", "fl-1"), flow(HOST, FAR, 5000 * MB));
    assert_false(look_up(w, HOST)->d.forwarder);
    window_free(w);
}

/* ---- limits ---- */

static void hosts_beyond_the_limit_are_refused_and_counted(void **state)
{
    (void)state;
    struct window_limits limits = {.max_groups = 16, .max_big_groups = 16, .max_hosts = 2};
    struct window *w = window_new(&limits, false);
    uint32_t k = interface(w, "eni-1", "fl-1");
    charge(w, k, flow("10.0.0.1", FAR, 1));
    charge(w, k, flow("10.0.0.2", FAR, 1));
    struct flow f = flow("10.0.0.3", FAR, 1);
    assert_int_equal(window_add(w, k, &f, FLOW_CHARGED), WEIR_LIMIT);
    charge(w, k, flow("10.0.0.2", FAR, 1));
    assert_int_equal(window_stats(w).folded, 1);
    assert_int_equal(window_hosts(w, DAY0), 2);
    window_free(w);
}

static void a_merge_beyond_the_limit_keeps_what_fits_and_says_so(void **state)
{
    (void)state;
    struct window_limits limits = {.max_groups = 16, .max_big_groups = 16, .max_hosts = 2};
    struct window *w = window_new(&limits, false), *part = window_with(16, 16, true);
    uint32_t k = interface(part, "eni-1", "fl-1");
    for (unsigned i = 0; i < 5; i++) {
        struct flow f = flow(HOST, FAR, 10);
        f.host = ip_from_v4(0x0a000001 + i);
        charge(part, k, f);
    }
    assert_int_equal(window_merge(w, part), WEIR_LIMIT);
    assert_int_equal(window_hosts(w, DAY0), 2);
    assert_int_equal(window_stats(w).folded, 3);
    assert_int_equal(look_up(w, "10.0.0.1")->d.external_out, 10);
    window_free(w);
    window_free(part);
}

static void days_beyond_the_limit_are_refused_and_counted(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    unsigned kept = 0, refused = 0;
    for (unsigned day = 0; day < 500; day++) {
        struct flow f = later(flow(HOST, FAR, 1), (int64_t)day * DAY_S);
        enum weir_err err = window_add(w, k, &f, FLOW_CHARGED);
        assert_true(err == WEIR_OK || err == WEIR_LIMIT);
        kept += err == WEIR_OK;
        refused += err != WEIR_OK;
    }
    assert_true(kept >= 366 && refused > 0);
    assert_int_equal(window_stats(w).folded, refused);
    window_free(w);
}

static enum weir_err count_host(void *ctx, const struct host_day *d)
{
    (void)d;
    ++*(unsigned *)ctx;
    return WEIR_OK;
}

static void hosts_under_the_wanted_bytes_are_passed_over(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    charge(w, k, flow("10.0.0.1", FAR, 999));
    charge(w, k, flow("10.0.0.2", FAR, 1000));
    charge(w, k, flow("10.0.0.3", FAR, 400));
    charge(w, k, flow("10.0.0.3", "198.51.100.1", 600));
    charge(w, k, incoming("10.0.0.4", FAR, 5000));
    unsigned n = 0;
    assert_int_equal(window_each_host(w, DAY0, 1000, count_host, &n), WEIR_OK);
    assert_int_equal(n, 2);
    window_free(w);
}

static enum weir_err refuse_host(void *ctx, const struct host_day *d)
{
    (void)d;
    return ++*(unsigned *)ctx == 2 ? WEIR_BUSY : WEIR_OK;
}

static void a_reader_may_stop(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    charge(w, k, flow("10.0.0.1", FAR, 1));
    charge(w, k, flow("10.0.0.2", FAR, 1));
    charge(w, k, flow("10.0.0.3", FAR, 1));
    unsigned n = 0;
    assert_int_equal(window_each_host(w, DAY0, 0, refuse_host, &n), WEIR_BUSY);
    assert_int_equal(n, 2);
    window_free(w);
}

/* ---- names ---- */

static void an_interface_keeps_its_number_and_names(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t number[300];
    char id[16] = "eni-000";
    for (unsigned i = 0; i < 300; i++) {
        id[4] = (char)('0' + i / 100), id[5] = (char)('0' + i / 10 % 10), id[6] = (char)('0' + i % 10);
        number[i] = interface(w, id, i % 2 ? "fl-1" : "fl-2");
    }
    for (unsigned i = 0; i < 300; i++) {
        id[4] = (char)('0' + i / 100), id[5] = (char)('0' + i / 10 % 10), id[6] = (char)('0' + i % 10);
        assert_int_equal(interface(w, id, i % 2 ? "fl-1" : "fl-2"), number[i]);
        struct interface_name name;
        window_name(w, number[i], &name);
        assert_true(slice_eq(name.id, slice_of(id)) && slice_eq(name.account, SLICE_LIT("123456789012")));
        assert_true(slice_eq(name.flow_log, slice_of(i % 2 ? "fl-1" : "fl-2")) && slice_eq(name.vpc, SLICE_LIT("vpc-1")));
    }
    assert_int_equal(window_stats(w).interfaces, 300);
    window_free(w);
}

static void what_is_learned_of_own_addresses_stays_with_the_interface(void **state)
{
    (void)state;
    struct window *w = window_with(16, 16, true);
    uint32_t one = interface(w, "eni-1", "fl-1");
    flow_own_learn(window_own(w, one, true), ip(HOST), ip(FAR));
    uint32_t two = interface(w, "eni-2", "fl-1");
    assert_int_equal(window_own(w, two, true)->state, OWN_NONE);
    assert_int_equal(window_own(w, one, false)->state, OWN_NONE);
    assert_int_equal(window_own(w, one, true)->state, OWN_PAIR);
    window_reset(w);
    assert_int_equal(window_own(w, interface(w, "eni-1", "fl-1"), true)->state, OWN_NONE);
    window_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_summed_by_way_reach_and_hour),
        cmocka_unit_test(what_goes_to_trusted_peers_is_kept_apart_and_in_no_sum),
        cmocka_unit_test(a_record_counts_in_the_day_and_hour_of_its_start),
        cmocka_unit_test(every_hour_of_a_day_keeps_its_sum),
        cmocka_unit_test(one_address_behind_two_interfaces_is_two_hosts),
        cmocka_unit_test(big_and_small_records_of_a_group_are_added_up),
        cmocka_unit_test(sums_saturate_and_never_wrap),
        cmocka_unit_test(a_double_subscription_counts_once),
        cmocka_unit_test(subscriptions_that_take_turns_complete_each_other),
        cmocka_unit_test(a_host_seen_behind_another_counts_when_it_has_no_log_of_its_own),
        cmocka_unit_test(a_copy_seen_behind_another_vanishes_when_the_home_is_logged),
        cmocka_unit_test(a_pending_pair_counts_for_the_proven_end_only),
        cmocka_unit_test(the_far_end_of_a_pending_pair_receives_when_it_is_the_host),
        cmocka_unit_test(a_hinted_host_counts_only_where_its_day_proves_it),
        cmocka_unit_test(a_flush_in_parts_gives_the_sums_of_one_window),
        cmocka_unit_test(proof_may_come_from_another_object),
        cmocka_unit_test(pairs_that_nothing_settles_are_counted_as_unresolved),
        cmocka_unit_test(a_gap_marks_its_hours_at_its_interface),
        cmocka_unit_test(a_proven_forwarder_is_told_by_any_object),
        cmocka_unit_test(a_proof_of_forwarding_counts_for_its_day_only),
        cmocka_unit_test(a_proof_of_forwarding_is_stored_with_what_changed),
        cmocka_unit_test(a_gateway_in_version_2_is_suspected),
        cmocka_unit_test(a_gateway_whose_senders_are_not_logged_is_suspected_by_its_sums),
        cmocka_unit_test(a_staging_host_is_no_forwarder),
        cmocka_unit_test(a_host_that_only_sends_outside_is_no_forwarder),
        cmocka_unit_test(hosts_beyond_the_limit_are_refused_and_counted),
        cmocka_unit_test(a_merge_beyond_the_limit_keeps_what_fits_and_says_so),
        cmocka_unit_test(days_beyond_the_limit_are_refused_and_counted),
        cmocka_unit_test(hosts_under_the_wanted_bytes_are_passed_over),
        cmocka_unit_test(a_reader_may_stop),
        cmocka_unit_test(an_interface_keeps_its_number_and_names),
        cmocka_unit_test(what_is_learned_of_own_addresses_stays_with_the_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
