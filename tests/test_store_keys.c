/* What may become a key, as claims: whatever is given as kind and id, a key is made of a shard and of digits only (reliability: S5); and what a
 * Redis url is taken to mean.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <regex.h>

#include "store/redis_private.h"

#define INPUTS 1000000

static uint64_t random_state = 0x5eed;

static uint64_t next_random(void) { return stable_mix(random_state += 0x9e3779b97f4a7c15ULL); }

/* Half of them of digits mostly, so that many are taken; half of any bytes. */
static void random_id(char out[80])
{
    static const char digits[] = "0123456789abcdef0123456789abcdef:{}\r\n *";
    uint64_t r = next_random();
    size_t n = r % 70;
    for (size_t i = 0; i < n; i++)
        out[i] = r >> 32 & 1 ? digits[next_random() % (r >> 33 & 1 ? 32 : sizeof digits - 1)] : (char)(1 + next_random() % 255);
    out[n] = '\0';
}

static void no_input_makes_another_key_than_digits_behind_a_shard(void **state)
{
    struct store *s = NULL;
    struct redis_place place = {.shard = "a-0"};
    const struct redis_link link = {.place = &place};
    regex_t wanted;
    unsigned taken = 0;
    (void)state;
    assert_int_equal(regcomp(&wanted, "^weir:\\{[a-z0-9-]{1,32}\\}:[a-z]+(:[0-9a-f]+)?$", REG_EXTENDED | REG_NOSUB), 0);
    assert_int_equal(store_open("sqlite::memory:", STORE_READ_ONLY, &s, NULL) == WEIR_OK || store_open("sqlite::memory:", STORE_READ_WRITE, &s, NULL) == WEIR_OK, 1);
    for (unsigned i = 0; i < INPUTS; i++) {
        char id[80], kind[2] = {(char)next_random(), '\0'}, key[REDIS_KEY_MAX];
        const char *ids[] = {id};
        random_id(id);
        if (store_get_many(s, kind[0], ids, 1, NULL, NULL, NULL) != WEIR_OK)
            continue; /* refused before any backend saw it */
        taken++;
        redis_link_key(&link, kind, id, key);
        if (regexec(&wanted, key, 0, NULL, 0) != 0)
            fail_msg("key '%s'", key);
    }
    assert_true(taken > 10000);
    regfree(&wanted);
    store_close(s);
}

static const struct { const char *url, *host, *port, *user, *shard; bool tls, cluster; size_t nodes; } urls[] = {
    {"redis://h", "h", "6379", "", "0", false, false, 1},
    {"redis://h:1/", "h", "1", "", "0", false, false, 1},
    {"rediss://u@h.example:65535?shard=a-9", "h.example", "65535", "u", "a-9", true, false, 1},
    {"rediss://u@[2001:db8::1]:7/?shard=x", "2001:db8::1", "7", "u", "x", true, false, 1},
    {"redis-cluster://a:1,b:2,[::1]:3", "a", "1", "", "0", false, true, 3},
    {"rediss-cluster://u@a", "a", "6379", "u", "0", true, true, 1},
    {"unix:/run/r.sock?user=u&shard=s", "", "", "u", "s", false, false, 1},
};

static void a_url_means_what_the_manual_says(void **state)
{
    const struct store_options options = {"password", NULL, NULL, NULL};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(urls); i++) {
        struct redis_place *p = NULL;
        struct fault fault;
        if (redis_place_parse(urls[i].url, &options, &p, &fault))
            fail_msg("%s: %s", urls[i].url, fault.text);
        assert_string_equal(p->node[0].host, urls[i].host);
        assert_string_equal(p->node[0].port, urls[i].port);
        assert_string_equal(p->user, urls[i].user);
        assert_string_equal(p->shard, urls[i].shard);
        assert_true(p->tls == urls[i].tls && p->cluster == urls[i].cluster && p->nodes == urls[i].nodes);
        redis_place_free(p);
    }
}

static void a_url_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = {"redis://", "redis:///", "redis://h:0", "redis://h:65536", "redis://h:x", "redis://a,b", "redis://h/1", "redis://h?db=1",
                                      "redis://h?shard=", "redis://h?shard=A", "redis://h?shard=0123456789abcdef0123456789abcdef0", "redis://@h", "redis://[::1",
                                      "redis://[::1]x", "redis-cluster://a,,b", "unix:relative", "unix:/a?user=", "redis://h?user=u", "redis://h h"};
    const struct store_options options = {"password", NULL, NULL, NULL};
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        struct redis_place *p = NULL;
        if (redis_place_parse(bad[i], &options, &p, NULL) != WEIR_USAGE || p)
            fail_msg("%s", bad[i]);
    }
}

/* The examples of the cluster specification. */
static void a_tag_has_the_slot_that_the_specification_tells(void **state)
{
    (void)state;
    assert_int_equal(redis_slot_of(SLICE_LIT("123456789")), 0x31c3);
    assert_int_equal(redis_slot_of(SLICE_LIT("foo")), 12182);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_input_makes_another_key_than_digits_behind_a_shard),
        cmocka_unit_test(a_url_means_what_the_manual_says),
        cmocka_unit_test(a_url_that_is_none_is_refused),
        cmocka_unit_test(a_tag_has_the_slot_that_the_specification_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
