/* Peers of a raised host under a flood, as claims: what matters stays, memory is bounded by count, nothing vanishes from the sums.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/evidence_peers.h"

struct table_bench {
    struct peers_pool pool;
    struct peers t, object;
};

static int set_up(void **state)
{
    struct table_bench *b = calloc(1, sizeof *b);
    assert_true(b && peers_pool_init(&b->pool, 1));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct table_bench *b = *state;
    peers_clear(&b->t, &b->pool);
    peers_clear(&b->object, &b->pool);
    peers_pool_fini(&b->pool);
    free(b);
    return 0;
}

static struct ip address(uint32_t i) { return ip_from_v4(0x0b000000u + i); }

static struct hit hit_of(uint32_t peer, uint64_t bytes, uint64_t line)
{
    return (struct hit){.peer = address(peer), .bytes = bytes, .packets = 1, .line = line, .start_s = 1000 + (int64_t)line,
                        .end_s = 1060 + (int64_t)line, .port = 443, .protocol = 6, .out = true, .initiated = true};
}

static void add(struct table_bench *b, struct peers *t, uint32_t peer, uint64_t bytes, uint64_t line, uint32_t object)
{
    struct hit h = hit_of(peer, bytes, line);
    assert_true(peers_add(t, &b->pool, &h, object));
}

static void flood(struct table_bench *b, struct peers *t, uint32_t from, uint32_t n, uint32_t object)
{
    for (uint32_t i = 0; i < n; i++)
        add(b, t, from + i, 60, i, object);
}

static const struct peer *find(const struct peers *t, uint32_t peer)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (ip_eq(t->peer[i].address, address(peer)))
            return &t->peer[i];
    return NULL;
}

static uint64_t place_bytes(const struct peer *p)
{
    uint64_t sum = 0;
    for (const struct place *place = p->place; place; place = place->next)
        sum += place->bytes;
    return sum;
}

static void a_flood_of_peers_takes_the_memory_of_a_table(void **state)
{
    struct table_bench *b = *state;
    flood(b, &b->t, 0, 1000000, 0);
    assert_true(b->t.n <= b->pool.max_peers && b->t.cap <= b->pool.max_peers);
    assert_true(b->t.places <= b->t.n); /* one place each: no list of places or lines grows with what was dropped */
    assert_int_equal(b->t.lines, 0);
}

static void a_peer_after_a_flood_is_kept(void **state)
{
    struct table_bench *b = *state;
    flood(b, &b->t, 1000, 100000, 0);
    add(b, &b->t, 7, 5000000, 1, 0);
    flood(b, &b->t, 200000, 100000, 0);
    assert_int_equal(find(&b->t, 7)->bytes, 5000000);
}

static void a_peer_that_comes_in_small_pieces_is_kept(void **state)
{
    struct table_bench *b = *state;
    for (uint32_t i = 0; i < 800000; i++) {
        add(b, &b->t, 1000 + i, 1100, i, 0);
        if (i % 9000 == 100)
            add(b, &b->t, 7, 1000, i, 0); /* lighter than any other whenever it comes, 89 kB in all */
    }
    assert_true(find(&b->t, 7) && find(&b->t, 7)->bytes >= 50000);
}

static void what_is_dropped_is_in_the_sum(void **state)
{
    struct table_bench *b = *state;
    flood(b, &b->t, 0, 100000, 0);
    assert_int_equal(b->t.bytes, 6000000);
}

static void the_bytes_of_a_peer_are_those_of_its_places(void **state)
{
    struct table_bench *b = *state;
    for (uint32_t object = 0; object < 20; object++) {
        flood(b, &b->object, 1000 + 10000 * object, 10000, object);
        add(b, &b->object, 7, 300, 1, object);
        assert_true(peers_join(&b->t, &b->object, &b->pool));
    }
    for (uint32_t i = 0; i < b->t.n; i++)
        assert_int_equal(place_bytes(&b->t.peer[i]), b->t.peer[i].bytes);
    assert_int_equal(find(&b->t, 7)->bytes, 6000);
    assert_int_equal(find(&b->t, 7)->places, 20);
}

static void tells_how_many_peers_there_were(void **state)
{
    struct table_bench *b = *state;
    flood(b, &b->t, 0, 5000, 0);
    assert_int_equal(peers_count(&b->t), 5000);
    flood(b, &b->t, 0, 500000, 0);
    assert_in_range(peers_count(&b->t), 475000, 525000);
}

static void a_table_of_objects_equals_one_of_records(void **state)
{
    struct table_bench *b = *state;
    struct peers once = {.peer = NULL};
    for (uint32_t object = 0; object < 3; object++) {
        for (uint32_t i = 0; i < 40; i++) {
            add(b, &b->object, i % 7, i, i + 1, object);
            add(b, &once, i % 7, i, i + 1, object);
        }
        assert_true(peers_join(&b->t, &b->object, &b->pool));
    }
    assert_true(b->t.n == once.n && b->t.places == once.places && b->t.lines == once.lines && b->t.bytes == once.bytes);
    for (uint32_t i = 0; i < once.n; i++) {
        const struct peer *x = &once.peer[i], *y = find(&b->t, (uint32_t)(ip_v4(x->address) - 0x0b000000u));
        assert_true(x->bytes == y->bytes && x->packets == y->packets && x->records == y->records && x->places == y->places);
        assert_true(x->first_s == y->first_s && x->last_s == y->last_s);
    }
    peers_clear(&once, &b->pool);
}

static void lines_are_listed_in_order(void **state)
{
    struct table_bench *b = *state;
    for (uint32_t i = 0; i < 40; i++)
        add(b, &b->t, 7, 1, 100 + i, 0);
    const struct place *place = b->t.peer->place;
    assert_int_equal(place->lines, 40);
    const struct line_chunk *chunk = place->chunk;
    for (uint32_t i = 0; i < 40; i++) {
        chunk = i && i % CHUNK_LINES == 0 ? chunk->next : chunk;
        assert_int_equal(chunk->line[i % CHUNK_LINES], 100 + i);
    }
}

static void too_many_lines_of_a_place_are_not_listed(void **state)
{
    struct table_bench *b = *state;
    for (uint32_t i = 0; i < 5000; i++)
        add(b, &b->t, 7, 1, 100 + i, 0);
    const struct place *place = b->t.peer->place;
    assert_true(place->unlisted && !place->chunk && place->lines == 0 && b->t.lines == 0);
    assert_true(place->first_line == 100 && place->last_line == 5099 && place->records == 5000);
}

static void places_without_room_are_in_the_sum_only(void **state)
{
    struct table_bench *b = *state;
    for (uint32_t object = 0; object < b->pool.max_places + 10; object++)
        add(b, &b->t, 7, 2, 1, object);
    assert_int_equal(b->t.places, b->pool.max_places);
    assert_int_equal(b->t.peer->bytes, 2 * (uint64_t)b->pool.max_places);
    assert_int_equal(b->t.bytes, 2 * (uint64_t)b->pool.max_places + 20);
}

static void many_hosts_share_the_memory(void **state)
{
    struct table_bench *b = *state;
    struct peers_pool many;
    assert_true(peers_pool_init(&many, 1000));
    assert_true(many.max_peers < b->pool.max_peers && many.max_places < b->pool.max_places && many.max_lines < b->pool.max_lines);
    peers_pool_fini(&many);
}

static void the_main_port_is_found_behind_many_small_ones(void **state)
{
    struct table_bench *b = *state;
    for (uint32_t i = 0; i < 50; i++) {
        struct hit h = hit_of(7, 10, i + 1);
        h.port = (uint16_t)(1000 + i);
        add(b, &b->t, 7, 100, 100 + i, 0);
        assert_true(peers_add(&b->t, &b->pool, &h, 0));
    }
    assert_int_equal(b->t.peer->port[peer_main_port(b->t.peer)].port, 443);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_flood_of_peers_takes_the_memory_of_a_table),
        CLAIM(a_peer_after_a_flood_is_kept),
        CLAIM(a_peer_that_comes_in_small_pieces_is_kept),
        CLAIM(what_is_dropped_is_in_the_sum),
        CLAIM(the_bytes_of_a_peer_are_those_of_its_places),
        CLAIM(tells_how_many_peers_there_were),
        CLAIM(a_table_of_objects_equals_one_of_records),
        CLAIM(lines_are_listed_in_order),
        CLAIM(too_many_lines_of_a_place_are_not_listed),
        CLAIM(places_without_room_are_in_the_sum_only),
        CLAIM(many_hosts_share_the_memory),
        CLAIM(the_main_port_is_found_behind_many_small_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
