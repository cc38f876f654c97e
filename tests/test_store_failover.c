/* A Redis store whose server gives way to another one: a replica that has everything, one that lags, masters of a cluster that die one
 * after the other, slots that move, keys that are on their way. Claims about real servers (the list of failures: docs/store.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_faults.h"

#define STALL_MS 10000
#define MASTERS 3
#define SLOTS_MOVED "1000"

static const struct backend pair = {"redis-pair", true, fresh_shard, overtake_shard, "pair"},
                            cluster = {"redis-cluster", true, fresh_shard, overtake_shard, "cluster"};

static void on_server(const char *command, struct bench *b)
{
    char text[256];
    setenv("SHARD", shard_of(b->url), 1);
    snprintf(text, sizeof text, "scripts/redis %s", command);
    if (script(text, b->backend->server) != 0)
        fail_msg("failed: %s", text);
}

/* ---- a master and its replica ---- */

static void nothing_that_a_replica_has_is_lost_with_its_master(void **state)
{
    struct bench *b = *state;
    close_own(b);
    tell_nothing();
    pid_t child = begin_work(b->url, UNTIL_TOLD);
    until_more(30);
    on_server("failover '%s/%s'", b);
    until_more(30);
    end_work(child);
    print_message("%u objects, %u unreplicated, %u swept\n", told->objects, told->unreplicated, told->swept);
    assert_true(told->swept <= told->unreplicated); /* on a busy machine a replica may take longer than a commit waits */
    assert_int_equal(wrong_things(b->url, told->objects), 0);
}

/* The replica follows no more: what is committed then dies with the master, and the sweep brings it back. */
static void what_a_lagging_replica_lacks_is_noticed_and_swept(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 1; i <= 5; i++)
        expect(b, count_object(b->s, i, &b->fault), WEIR_OK);
    assert_int_equal(store_stats(b->s).unreplicated, 0);
    assert_int_equal(script("redis-cli -s '%s/%s/node-2/redis.sock' replicaof no one >/dev/null", "pair"), 0);
    for (unsigned i = 6; i <= 8; i++)
        expect(b, count_object(b->s, i, &b->fault), WEIR_OK);
    assert_int_equal(store_stats(b->s).unreplicated, 3);
    on_server("failover '%s/%s'", b);
    expect(b, count_object(b->s, 9, &b->fault), WEIR_ROLLBACK);
    assert_true(wrong_things(b->url, 8) > 0);
    close_own(b);
    tell_nothing();
    told->objects = 8;
    assert_int_equal(work(b->url, OBJECTS, 10), WEIR_OK);
    assert_int_equal(told->swept, 3);
    expect_exact(b->url);
}

/* Each takes its pair with it. */
static const struct claim pair_claims[][1] = {
    {CLAIM(nothing_that_a_replica_has_is_lost_with_its_master)},
    {CLAIM(what_a_lagging_replica_lacks_is_noticed_and_swept)},
};

/* ---- a cluster ---- */

static int64_t middle(int64_t v[MASTERS])
{
    int64_t low = v[0] < v[1] ? v[0] : v[1], high = v[0] < v[1] ? v[1] : v[0];
    return v[2] < low ? low : v[2] > high ? high : v[2];
}

/* The node that serves the keys of our shard, three times. How long a failover takes is the servers' affair, and they share the machine
 * with other tests: the middle one of three must be short. */
static void counts_once_when_three_masters_of_the_cluster_die_in_turn(void **state)
{
    struct bench *b = *state;
    int64_t stall[MASTERS];
    close_own(b);
    tell_nothing();
    pid_t child = begin_work(b->url, UNTIL_TOLD);
    for (unsigned i = 0; i < MASTERS; i++) {
        until_more(10);
        told->stall_ms = 0;
        on_server("failover '%s/%s' $SHARD", b);
        until_more(10);
        stall[i] = told->stall_ms;
    }
    end_work(child);
    print_message("stalled for %lld, %lld, %lld ms; %u objects, %u swept\n", (long long)stall[0], (long long)stall[1], (long long)stall[2], told->objects, told->swept);
    assert_true(middle(stall) < STALL_MS);
    assert_int_equal(wrong_things(b->url, told->objects), 0);
}

static void counts_once_while_a_thousand_slots_move(void **state)
{
    struct bench *b = *state;
    close_own(b);
    tell_nothing();
    pid_t child = begin_work(b->url, UNTIL_TOLD);
    for (unsigned i = 0; i < 3; i++) {
        until_more(10);
        on_server("move '%s/%s' $SHARD", b);
    }
    until_more(1);
    on_server("reshard '%s/%s' $SHARD " SLOTS_MOVED, b);
    until_more(10);
    end_work(child);
    assert_true(told->stall_ms < STALL_MS);
    assert_int_equal(wrong_things(b->url, told->objects), 0);
}

static void reads_values_that_are_on_their_way_to_another_node(void **state)
{
    struct bench *b = *state;
    put_1_and_3(b);
    on_server("move '%s/%s' $SHARD half", b);
    assert_string_equal(value_of(b, 'h', "1"), "one");
    assert_true(store_has(b->s, 'h', "3"));
    assert_string_equal(value_of(b, 'h', "2"), "-");
    assert_int_equal(store_stats(b->s).reconnects, 0);
    on_server("move '%s/%s' $SHARD rest", b);
    put_alone(b, 'h', "2", "two");
    assert_string_equal(value_of(b, 'h', "2"), "two");
}

static const struct claim cluster_claims[] = {
    CLAIM(counts_once_while_a_thousand_slots_move),
    CLAIM(reads_values_that_are_on_their_way_to_another_node),
    CLAIM(counts_once_when_three_masters_of_the_cluster_die_in_turn),
};

static int run_on(const struct backend *backend, const struct claim *all, size_t n)
{
    backend_now = backend;
    int failed = start_server(backend) ? 1 : run_claims(backend, all, n);
    stop_server(backend);
    return failed;
}

int main(void)
{
    if (!make_store_dir())
        return 1;
    int failed = 0;
    for (size_t i = 0; i < WEIR_COUNT(pair_claims); i++)
        failed += run_on(&pair, pair_claims[i], 1);
    server_options = "--cluster-node-timeout 2000"; /* else a failover takes as long as most people would want */
    failed += run_on(&cluster, cluster_claims, WEIR_COUNT(cluster_claims));
    remove_store_dir();
    return failed;
}
