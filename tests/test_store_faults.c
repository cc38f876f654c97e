/* What may happen to a Redis store on one server, done to a real one, as claims (which letter of the list of failures each is about:
 * docs/store.md). The negative control takes MULTI out of what the server sees: the same check must then fail. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_faults.h"

#include "redis_proxy.h"

static char server[128], proxy_path[128]; /* sockets */
static struct proxy proxy;
static const struct backend plain = {"redis", true, fresh_shard, overtake_shard, "plain"};

#define RANDOM_KILLS 200
#define SERVER_KILLS 20
#define BACK_MS 5000

/* ---- stores ---- */

static const char *through_proxy(const char *url)
{
    static char out[256];
    snprintf(out, sizeof out, "unix:%s%s", proxy_path, strchr(url, '?'));
    return out;
}

static void in_mode(int mode, int period)
{
    proxy.shared->execs = 0;
    proxy.shared->period = period;
    proxy.shared->mode = mode;
}

/* ---- answers that are lost ---- */

static void counts_once_when_the_answers_of_exec_are_lost(void **state)
{
    struct bench *b = *state;
    close_own(b);
    in_mode(PROXY_CUT, 2);
    assert_int_equal(work(through_proxy(b->url), OBJECTS, 1000), WEIR_OK);
    in_mode(PROXY_PASS, 1);
    assert_true(proxy.shared->cuts >= 100);
    expect_exact(b->url);
}

static void waits_for_a_slow_server(void **state)
{
    struct bench *b = *state;
    struct store *s = NULL;
    in_mode(PROXY_PASS, 1);
    close_own(b);
    expect(b, bench_open(through_proxy(b->url), STORE_READ_WRITE, &s, &b->fault), WEIR_OK);
    in_mode(PROXY_SLOW, 1);
    expect(b, count_object(s, 1, &b->fault), WEIR_OK);
    in_mode(PROXY_PASS, 1);
    assert_true(store_stats(s).waited_us > PROXY_SLOW_US);
    store_close(s);
    assert_int_equal(wrong_things(b->url, 1), 0);
}

/* ---- processes that die ---- */

static bool dies_at(const char *url, const char *place)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("WEIR_FAILPOINT", place, 1);
        execl("/proc/self/exe", "test_store_faults", "--work", url, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Of the store; those of the program are killed at in scenarios. */
static const char *const places[] = {"store-connected", "store-fence-watched", "store-fenced", "store-before-read", "store-put-o", "store-put-h", "store-put-w",
                                     "store-before-commit", "store-watched", "store-mid-commit",
                                     "store-before-exec", "store-exec-sent", "store-exec-answered", "store-after-commit"};

static void counts_once_when_killed_at_every_step_of_a_commit(void **state)
{
    struct bench *b = *state;
    close_own(b);
    for (unsigned shard = 0; shard < 3; shard++) {
        for (size_t i = 0; i < WEIR_COUNT(places); i++)
            for (unsigned n = 1; n <= (i < 3 ? 1 : 7); n += 3) {
                char place[64];
                snprintf(place, sizeof place, "%s:%u", places[i], n);
                if (!dies_at(b->url, place))
                    fail_msg("nothing dies at %s", place);
            }
        assert_int_equal(work(b->url, OBJECTS, 10), WEIR_OK);
        expect_exact(b->url);
        b->backend->fresh(b->url, sizeof b->url);
    }
}

/* A worker each time, killed after a moment of chance; every tenth time its server too. */
static void counts_once_when_killed_at_two_hundred_random_moments(void **state)
{
    struct bench *b = *state;
    close_own(b);
    tell_nothing();
    for (unsigned i = 0; i < RANDOM_KILLS; i++) {
        pid_t child = begin_work(b->url, UNTIL_TOLD);
        usleep((useconds_t)(stable_mix(i) % 80000));
        if (i % 10 == 9)
            assert_int_equal(script("scripts/redis restart '%s/%s'", "plain"), 0);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    assert_int_equal(work(b->url, told->objects + 1, 10), WEIR_OK);
    print_message("%u kills, %u objects\n", RANDOM_KILLS, told->objects);
    assert_true(told->objects > RANDOM_KILLS / 10);
    assert_int_equal(wrong_things(b->url, told->objects), 0);
}

/* The negative control: the same kills, but the server never sees MULTI. */
static void the_check_sees_a_commit_that_is_not_atomic(void **state)
{
    struct bench *b = *state;
    close_own(b);
    assert_true(dies_at(b->url, "store-after-commit:1"));
    in_mode(PROXY_STRIP, 1);
    assert_true(dies_at(through_proxy(b->url), "store-mid-commit:1"));
    in_mode(PROXY_PASS, 1);
    assert_int_equal(work(b->url, OBJECTS, 10), WEIR_OK);
    assert_true(wrong_things(b->url, OBJECTS) > 0);
}

/* ---- two writers ---- */

static void a_writer_that_lost_the_fence_writes_nothing(void **state)
{
    struct bench *b = *state;
    struct store *old = NULL, *new = NULL;
    in_mode(PROXY_PASS, 1);
    close_own(b);
    expect(b, bench_open(through_proxy(b->url), STORE_READ_WRITE, &old, &b->fault), WEIR_OK);
    expect(b, bench_open(b->url, STORE_READ_WRITE, &new, &b->fault), WEIR_BUSY);
    expect(b, store_begin(old, &b->fault), WEIR_OK);
    expect(b, put_object(old, 1, 0), WEIR_OK);
    kill(proxy.pid, SIGKILL); /* its connection is gone; it does not know yet */
    proxy_stop(&proxy);
    expect(b, bench_open(b->url, STORE_READ_WRITE, &new, &b->fault), WEIR_OK);
    assert_true(proxy_start(&proxy, proxy_path, server));
    expect(b, count_object(new, 1, &b->fault), WEIR_OK);
    expect(b, store_commit(old, &b->fault), WEIR_BUSY);
    assert_non_null(strstr(b->fault.text, "taken over"));
    expect(b, count_object(new, 2, &b->fault), WEIR_OK);
    store_close(new);
    store_close(old);
    assert_int_equal(wrong_things(b->url, 2), 0);
}

/* ---- servers that die ---- */

/* Twenty times, each time as soon as work goes on; how long that took at most after the server was back. */
static int64_t kill_server_beside_work(const char *url)
{
    int64_t longest = 0;
    tell_nothing();
    pid_t child = begin_work(url, UNTIL_TOLD);
    for (unsigned i = 0; i < SERVER_KILLS; i++) {
        until_more(2 + i % 3);
        assert_int_equal(script("scripts/redis restart '%s/%s'", "plain"), 0);
        int64_t took = until_more(1);
        longest = took > longest ? took : longest;
    }
    end_work(child);
    print_message("back after %lld ms at most, %u rollbacks, %u objects swept of %u\n", (long long)longest, told->rollbacks, told->swept, told->objects);
    return longest;
}

static void counts_once_while_the_server_is_killed_and_restarted(void **state)
{
    struct bench *b = *state;
    close_own(b);
    assert_true(kill_server_beside_work(b->url) < BACK_MS);
    assert_int_equal(told->swept, 0);
    assert_int_equal(wrong_things(b->url, told->objects), 0);
}

/* With everysec a kill may take back what was acknowledged: it is noticed, and the sweep counts it again. */
static void counts_once_after_the_sweep_when_a_killed_server_had_not_synced(void **state)
{
    struct bench *b = *state;
    close_own(b);
    cli("CONFIG SET appendfsync everysec", NULL);
    int64_t longest = kill_server_beside_work(b->url);
    cli("CONFIG SET appendfsync always", NULL);
    assert_true(longest < BACK_MS);
    assert_int_equal(wrong_things(b->url, told->objects), 0);
}

static void goes_on_when_a_hung_server_wakes_up(void **state)
{
    struct bench *b = *state;
    expect(b, count_object(b->s, 1, &b->fault), WEIR_OK);
    assert_int_equal(script("pid=$(cat '%s/%s/node-1/pid'); kill -STOP $pid; (sleep 3; kill -CONT $pid) &", "plain"), 0);
    expect(b, count_object(b->s, 2, &b->fault), WEIR_OK);
    assert_int_equal(wrong_things(b->url, 2), 0);
}

/* ---- servers that are full, flushed or of the wrong kind ---- */

static void a_full_server_refuses_a_commit_whole_and_takes_it_when_there_is_room(void **state)
{
    struct bench *b = *state;
    expect(b, count_object(b->s, 1, &b->fault), WEIR_OK);
    cli("CONFIG SET maxmemory 1mb", NULL);
    enum weir_err err = count_object(b->s, 2, &b->fault);
    cli("CONFIG SET maxmemory 0", NULL);
    expect(b, err, WEIR_UNAVAILABLE);
    assert_non_null(strstr(b->fault.text, "out of memory"));
    assert_int_equal(wrong_things(b->url, 1), 0);
    expect(b, count_object(b->s, 2, &b->fault), WEIR_OK);
    assert_int_equal(wrong_things(b->url, 2), 0);
}

static void expect_refused(struct bench *b, const char *why)
{
    close_own(b);
    enum weir_err err = bench_open(b->url, STORE_READ_WRITE, &b->s, &b->fault);
    if (err != WEIR_USAGE || !strstr(b->fault.text, why))
        fail_msg("%s: %s", weir_err_name(err), b->fault.text);
}

static void a_server_that_throws_keys_away_is_refused_with_the_fix(void **state)
{
    cli("CONFIG SET maxmemory-policy allkeys-lru", NULL);
    expect_refused(*state, "set maxmemory-policy noeviction");
    cli("CONFIG SET maxmemory-policy noeviction", NULL);
}

static void a_server_without_append_only_file_is_refused_with_the_fix(void **state)
{
    cli("CONFIG SET appendonly no", NULL);
    expect_refused(*state, "set appendonly yes");
    cli("CONFIG SET appendonly yes", NULL);
}

static void a_replica_is_refused_with_the_fix(void **state)
{
    cli("REPLICAOF 127.0.0.1 1", NULL);
    expect_refused(*state, "name its master");
    cli("REPLICAOF NO ONE", NULL);
}

static void a_flushed_server_is_noticed_at_the_next_commit(void **state)
{
    struct bench *b = *state;
    expect(b, count_object(b->s, 1, &b->fault), WEIR_OK);
    cli("FLUSHALL", NULL);
    expect(b, count_object(b->s, 2, &b->fault), WEIR_ROLLBACK);
    assert_non_null(strstr(b->fault.text, "went back in time"));
    close_own(b);
    assert_int_equal(work(b->url, OBJECTS, 10), WEIR_OK);
    expect_exact(b->url);
}

static void a_store_restored_from_yesterday_is_noticed_at_the_next_commit(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 1; i <= 3; i++)
        expect(b, count_object(b->s, i, &b->fault), WEIR_OK);
    cli("HSET 'weir:{%s}:meta' seq 1", b->url);
    expect(b, count_object(b->s, 4, &b->fault), WEIR_ROLLBACK);
    assert_non_null(strstr(b->fault.text, "was at commit 3, and is at 1 now"));
}

static void a_store_of_a_newer_weir_is_refused(void **state)
{
    struct bench *b = *state;
    cli("HSET 'weir:{%s}:meta' schema 3", b->url);
    close_own(b);
    expect(b, bench_open(b->url, STORE_READ_WRITE, &b->s, &b->fault), WEIR_VERSION);
}

/* Schema 1 packed no value. An older weir must not read what is written from now on. */
static void a_store_of_the_weir_before_is_read_and_raised(void **state)
{
    struct bench *b = *state;
    cli("SET 'weir:{%s}:h:1' plain", b->url);
    cli("HSET 'weir:{%s}:meta' schema 1", b->url);
    reopen(b);
    assert_string_equal(value_of(b, 'h', "1"), "plain");
    cli("EVAL 'assert(redis.call(\"HGET\", KEYS[1], \"schema\") == \"2\")' 1 'weir:{%s}:meta'", b->url);
}

static void a_key_of_a_foreign_type_is_an_error_and_never_missing(void **state)
{
    struct bench *b = *state;
    cli("LPUSH 'weir:{%s}:h:1' foreign", b->url);
    expect(b, store_get(b->s, 'h', "1", &b->got, &b->fault), WEIR_CORRUPT);
    expect(b, store_get_many(b->s, 'h', three_ids, 3, NULL, NULL, &b->fault), WEIR_CORRUPT);
    assert_non_null(strstr(b->fault.text, "value h:1"));
}

static void a_meta_key_of_a_foreign_type_is_refused(void **state)
{
    struct bench *b = *state;
    cli("DEL 'weir:{%s}:meta'", b->url);
    cli("SET 'weir:{%s}:meta' foreign", b->url);
    expect_refused(b, "another program uses it");
}

static void a_lost_entry_of_the_outbox_is_an_error_and_never_skipped(void **state)
{
    struct bench *b = *state;
    struct found f = {0, 0};
    for (unsigned i = 1; i <= 3; i++)
        expect(b, count_object(b->s, i, &b->fault), WEIR_OK);
    cli("DEL 'weir:{%s}:outbox:0000000000000002'", b->url);
    expect(b, store_outbox(b->s, 0, 10, note_entry, &f, &b->fault), WEIR_CORRUPT);
    assert_int_equal(f.entries, 1);
}

static const struct claim claims[] = {
    CLAIM(counts_once_when_the_answers_of_exec_are_lost),
    CLAIM(waits_for_a_slow_server),
    CLAIM(counts_once_when_killed_at_every_step_of_a_commit),
    CLAIM(counts_once_when_killed_at_two_hundred_random_moments),
    CLAIM(the_check_sees_a_commit_that_is_not_atomic),
    CLAIM(a_writer_that_lost_the_fence_writes_nothing),
    CLAIM(counts_once_while_the_server_is_killed_and_restarted),
    CLAIM(counts_once_after_the_sweep_when_a_killed_server_had_not_synced),
    CLAIM(goes_on_when_a_hung_server_wakes_up),
    CLAIM(a_full_server_refuses_a_commit_whole_and_takes_it_when_there_is_room),
    CLAIM(a_server_that_throws_keys_away_is_refused_with_the_fix),
    CLAIM(a_server_without_append_only_file_is_refused_with_the_fix),
    CLAIM(a_replica_is_refused_with_the_fix),
    CLAIM(a_flushed_server_is_noticed_at_the_next_commit),
    CLAIM(a_store_restored_from_yesterday_is_noticed_at_the_next_commit),
    CLAIM(a_store_of_a_newer_weir_is_refused),
    CLAIM(a_store_of_the_weir_before_is_read_and_raised),
    CLAIM(a_key_of_a_foreign_type_is_an_error_and_never_missing),
    CLAIM(a_meta_key_of_a_foreign_type_is_refused),
    CLAIM(a_lost_entry_of_the_outbox_is_an_error_and_never_skipped),
};

/* For scenarios: a proxy whose mode stands in a file, until it is killed. */
static int run_proxy(const char *path, const char *upstream, const char *mode_file)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!proxy_start(&proxy, path, upstream))
        return 1;
    for (;;) {
        FILE *in = fopen(mode_file, "re");
        int letter = in ? fgetc(in) : EOF;
        if (in)
            fclose(in);
        if (letter >= '0' && letter <= '9')
            in_mode(letter - '0', 1);
        usleep(50000);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--work") == 0)
        return (int)work(argv[2], OBJECTS, 10);
    if (argc == 5 && strcmp(argv[1], "--proxy") == 0)
        return run_proxy(argv[2], argv[3], argv[4]);
    if (!make_store_dir())
        return 1;
    backend_now = &plain;
    server_options = "--appendfsync always"; /* with everysec a kill may take back what was acknowledged */
    int failed = start_server(&plain);
    snprintf(server, sizeof server, "%s/plain/node-1/redis.sock", store_dir);
    snprintf(proxy_path, sizeof proxy_path, "%s/proxy", store_dir);
    if (!failed)
        failed = proxy_start(&proxy, proxy_path, server) ? run_claims(&plain, claims, WEIR_COUNT(claims)) : 1;
    proxy_stop(&proxy);
    stop_server(&plain);
    remove_store_dir();
    return failed;
}
