/* What may happen to a Redis store, done to real servers, as claims (reliability: F1 to F10, F28). The work is the smallest that can
 * be counted wrongly: each object adds its number to one of eight sums and files one finding, in one commit with its ledger entry. Afterwards
 * sums, findings and the number of commits must be exact. The negative control takes MULTI out of what the server sees: the same
 * check must then fail. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_bench.h"

#include <sys/wait.h>

#include "redis_proxy.h"

#define SUMS 8
#define OBJECTS 150

static char server[128], proxy_path[128]; /* sockets */
static struct proxy proxy;
static const struct backend plain = {"redis", true, fresh_shard, overtake_shard, "plain"}, cluster = {"redis-cluster", true, fresh_shard, overtake_shard, "cluster"};

/* ---- the work ---- */

static void id_of(unsigned number, char out[9]) { snprintf(out, 9, "%08x", number); }

static enum weir_err sum_of(struct store *s, unsigned number, uint64_t *out)
{
    char id[9];
    struct buffer text;
    id_of(number % SUMS, id);
    *out = 0;
    buffer_init(&text, 64);
    enum weir_err err = store_get(s, 'w', id, &text, NULL);
    if (!err)
        err = parse_u64((struct slice){text.p, text.n}, UINT64_MAX, out);
    buffer_fini(&text);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static enum weir_err put_object(struct store *s, unsigned number, uint64_t sum)
{
    char id[9], sum_id[9], text[24], big[3000];
    id_of(number, id);
    id_of(number % SUMS, sum_id);
    snprintf(text, sizeof text, "%llu", (unsigned long long)(sum + number));
    memset(big, 'x', sizeof big);
    enum weir_err err = store_put(s, 'o', id, SLICE_LIT("counted"), NULL);
    for (unsigned i = 0; i < 20 && !err; i++) { /* what stands between them, so that half a commit is a torn one */
        char host[9];
        id_of(i, host);
        err = store_put(s, 'h', host, (struct slice){big, sizeof big}, NULL);
    }
    if (!err)
        err = store_put(s, 'w', sum_id, slice_of(text), NULL);
    return err ? err : store_put_finding(s, id, SLICE_LIT("{}"), NULL);
}

static enum weir_err count_object(struct store *s, unsigned number, struct fault *fault)
{
    uint64_t sum;
    char id[9];
    id_of(number, id);
    if (store_has(s, 'o', id))
        return WEIR_OK;
    enum weir_err err = sum_of(s, number, &sum);
    if (!err)
        err = store_begin(s, fault);
    if (err)
        return err;
    err = put_object(s, number, sum);
    if (!err)
        return store_commit(s, fault);
    store_abort(s);
    return err;
}

/* Until all are counted, as a service would: whatever fails, open the store again and go on. */
static enum weir_err work(const char *url, unsigned objects, unsigned patience)
{
    struct store *s = NULL;
    struct fault fault = {.err = WEIR_OK};
    enum weir_err err = WEIR_OK;
    for (unsigned i = 1; i <= objects && patience;) {
        if (!s && (err = bench_open(url, STORE_READ_WRITE, &s, &fault))) {
            patience--;
            usleep(20000);
            continue;
        }
        err = count_object(s, i, &fault);
        if (!err) {
            i++;
            continue;
        }
        patience--;
        store_close(s);
        s = NULL;
    }
    store_close(s);
    if (err)
        print_error("%s\n", fault.text);
    return err;
}

/* ---- the check ---- */

struct found { unsigned entries, wrong; };

static enum weir_err note_entry(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct found *f = ctx;
    char id[9];
    (void)json;
    id_of((unsigned)seq, id);
    f->entries++;
    f->wrong += strcmp(uid, id) != 0;
    return WEIR_OK;
}

/* How many things are not as one run without any fault would have left them; UINT_MAX: it cannot be read. */
static unsigned wrong_things(const char *url, unsigned objects)
{
    struct store *s = NULL;
    struct fault fault = {.err = WEIR_OK};
    struct found f = {0, 0};
    uint64_t wanted[SUMS] = {0}, sum;
    unsigned wrong = 0;
    enum weir_err err = bench_open(url, STORE_READ_ONLY, &s, &fault);
    for (unsigned turn = 0; err == WEIR_UNAVAILABLE && turn < 100; turn++) { /* a node may still name the master that died */
        usleep(100000);
        err = bench_open(url, STORE_READ_ONLY, &s, &fault);
    }
    if (err || store_outbox(s, 0, SIZE_MAX, note_entry, &f, &fault)) {
        print_error("%s\n", fault.text);
        store_close(s);
        return UINT32_MAX;
    }
    for (unsigned i = 1; i <= objects; i++)
        wanted[i % SUMS] += i;
    for (unsigned i = 0; i < SUMS; i++)
        wrong += sum_of(s, i, &sum) != WEIR_OK || sum != wanted[i];
    wrong += f.wrong + (f.entries != objects) + (store_position(s).seq != objects);
    store_close(s);
    return wrong;
}

static void expect_exact(const char *url)
{
    assert_int_equal(wrong_things(url, OBJECTS), 0);
}

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

static void cli(const char *format, const char *url)
{
    char arguments[256];
    snprintf(arguments, sizeof arguments, format, url ? shard_of(url) : "");
    if (redis_cli(arguments) != 0)
        fail_msg("redis-cli %s failed", arguments);
}

static int script(const char *format, const char *kind)
{
    char command[512];
    snprintf(command, sizeof command, format, store_dir, kind);
    return system(command);
}

/* ---- answers that are lost ---- */

static void counts_once_when_the_answers_of_exec_are_lost(void **state)
{
    struct bench *b = *state;
    store_close(b->s);
    b->s = NULL;
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
    store_close(b->s);
    b->s = NULL;
    expect(b, bench_open(through_proxy(b->url), STORE_READ_WRITE, &s, &b->fault), WEIR_OK);
    in_mode(PROXY_SLOW, 1);
    expect(b, count_object(s, 1, &b->fault), WEIR_OK);
    in_mode(PROXY_PASS, 1);
    assert_true(store_stats(s).reconnects == 0 && store_stats(s).waited_us > PROXY_SLOW_US);
    store_close(s);
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

static const char *const places[] = {"store-before-commit", "store-watched", "store-mid-commit", "store-before-exec", "store-exec-sent", "store-after-commit"};

static void counts_once_when_killed_at_every_step_of_a_commit(void **state)
{
    struct bench *b = *state;
    store_close(b->s);
    b->s = NULL;
    for (size_t i = 0; i < WEIR_COUNT(places); i++)
        for (unsigned n = 1; n <= 7; n += 3) {
            char place[64];
            snprintf(place, sizeof place, "%s:%u", places[i], n);
            assert_true(dies_at(b->url, place));
        }
    assert_int_equal(work(b->url, OBJECTS, 10), WEIR_OK);
    expect_exact(b->url);
}

/* The negative control: the same kills, but the server never sees MULTI. */
static void the_check_sees_a_commit_that_is_not_atomic(void **state)
{
    struct bench *b = *state;
    store_close(b->s);
    b->s = NULL;
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
    store_close(b->s);
    b->s = NULL;
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

static void work_beside(const char *url, void (*harm)(void))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit((int)work(url, OBJECTS, 1000));
    while (waitpid(child, &status, WNOHANG) == 0)
        harm();
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == WEIR_OK);
}

static void restart_server(void)
{
    static int kills;
    usleep(150000);
    if (kills++ < 20)
        assert_int_equal(script("scripts/redis restart '%s/%s'", "plain"), 0);
}

static void counts_once_while_the_server_is_killed_and_restarted(void **state)
{
    struct bench *b = *state;
    store_close(b->s);
    b->s = NULL;
    work_beside(b->url, restart_server);
    expect_exact(b->url);
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
    store_close(b->s);
    b->s = NULL;
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
    store_close(b->s);
    b->s = NULL;
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
    cli("HSET 'weir:{%s}:meta' schema 2", b->url);
    store_close(b->s);
    b->s = NULL;
    expect(b, bench_open(b->url, STORE_READ_WRITE, &b->s, &b->fault), WEIR_VERSION);
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
    CLAIM(the_check_sees_a_commit_that_is_not_atomic),
    CLAIM(a_writer_that_lost_the_fence_writes_nothing),
    CLAIM(counts_once_while_the_server_is_killed_and_restarted),
    CLAIM(goes_on_when_a_hung_server_wakes_up),
    CLAIM(a_full_server_refuses_a_commit_whole_and_takes_it_when_there_is_room),
    CLAIM(a_server_that_throws_keys_away_is_refused_with_the_fix),
    CLAIM(a_server_without_append_only_file_is_refused_with_the_fix),
    CLAIM(a_replica_is_refused_with_the_fix),
    CLAIM(a_flushed_server_is_noticed_at_the_next_commit),
    CLAIM(a_store_restored_from_yesterday_is_noticed_at_the_next_commit),
    CLAIM(a_store_of_a_newer_weir_is_refused),
    CLAIM(a_key_of_a_foreign_type_is_an_error_and_never_missing),
    CLAIM(a_meta_key_of_a_foreign_type_is_refused),
    CLAIM(a_lost_entry_of_the_outbox_is_an_error_and_never_skipped),
};

/* ---- a cluster that loses a master, or moves our slots ---- */

/* The node that serves the keys of our shard is killed, a replica takes over. */
static void kill_master(void)
{
    static bool done;
    usleep(100000);
    if (!done && script("d='%s/%s'; scripts/redis kill $d $(scripts/redis owner $d $SHARD)", "cluster") != 0)
        fail_msg("no master was killed");
    done = true;
}

static void counts_once_when_a_master_of_the_cluster_dies(void **state)
{
    struct bench *b = *state;
    store_close(b->s);
    b->s = NULL;
    setenv("SHARD", shard_of(b->url), 1);
    work_beside(b->url, kill_master);
    expect_exact(b->url);
}

static void move_slots(void)
{
    static unsigned turn;
    usleep(100000);
    if (turn++ < 3 && script("scripts/redis move '%s/%s' $SHARD", "cluster") != 0)
        fail_msg("the slot was not moved");
}

static void counts_once_while_slots_move(void **state)
{
    struct bench *b = *state;
    store_close(b->s);
    b->s = NULL;
    setenv("SHARD", shard_of(b->url), 1);
    work_beside(b->url, move_slots);
    expect_exact(b->url);
}

static const struct claim cluster_claims[] = {
    CLAIM(counts_once_while_slots_move),
    CLAIM(counts_once_when_a_master_of_the_cluster_dies),
};

static int run_on(const struct backend *backend, const struct claim *all, size_t n)
{
    backend_now = backend;
    if (start_server(backend))
        return 1;
    snprintf(server, sizeof server, "%s/plain/node-1/redis.sock", store_dir);
    snprintf(proxy_path, sizeof proxy_path, "%s/proxy", store_dir);
    int failed = proxy_start(&proxy, proxy_path, server) ? run_claims(backend, all, n) : 1;
    proxy_stop(&proxy);
    stop_server(backend);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--work") == 0)
        return (int)work(argv[2], OBJECTS, 10);
    if (!make_store_dir())
        return 1;
    server_options = "--appendfsync always"; /* with everysec a kill may take back what was acknowledged */
    int failed = run_on(&plain, claims, WEIR_COUNT(claims));
    server_options = "--cluster-node-timeout 2000"; /* else a failover takes as long as most people would want */
    failed += run_on(&cluster, cluster_claims, WEIR_COUNT(cluster_claims));
    remove_store_dir();
    return failed;
}
