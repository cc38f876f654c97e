/* Attribution of the records of one object as claims: the order of lines never shows.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/pipeline.h"

#define START 1772409600

struct reading { /* what the last reading of an object gave */
    uint64_t flows;
};

static void on_flow(void *ctx, uint32_t interface, const struct record *r, const struct flow *f, enum flow_verdict v)
{
    struct reading *seen = ctx;
    (void)interface, (void)r, (void)f, (void)v;
    seen->flows++;
}

static void on_gap(void *ctx, uint32_t interface, const struct record *r) { (void)ctx, (void)interface, (void)r; }

/* Record i of an object in which each of n interfaces has two records without an address in common. */
static void give(struct attribution *a, unsigned n, unsigned i)
{
    char id[32];
    struct record r = {.has = ~0ULL & ~(1ULL << FIELD_PKT_SRCADDR) & ~(1ULL << FIELD_PKT_DSTADDR), .line = i + 1, .account = SLICE_LIT("123456789012"),
                       .bytes = 1000, .packets = 1, .src_port = 40000, .dst_port = 443, .protocol = 6, .start_s = START, .end_s = START + 60,
                       .status = STATUS_OK, .action = ACTION_ACCEPT};
    r.interface = (struct slice){id, (size_t)snprintf(id, sizeof id, "eni-%08x", i % n)};
    r.src = ip_from_v4(0x0a000001 + i * 2);
    r.dst = ip_from_v4(0x0a000002 + i * 2);
    attribution_record(a, &r);
}

static uint64_t read_object(unsigned n, bool backward, uint64_t *unknown)
{
    struct reading seen = {0};
    struct run_counts counts = {0};
    struct object o = {.path = "o"};
    struct attribution *a = calloc(1, sizeof *a);
    assert_non_null(a);
    *a = (struct attribution){.future_s = START + 3600, .ctx = &seen, .flow = on_flow, .gap = on_gap, .counts = &counts,
                              .window = window_new(&window_default_limits, true)};
    assert_non_null(a->window);
    attribution_begin(a, &o);
    for (int readings = 0;; readings++) {
        assert_true(readings < 4);
        seen.flows = 0;
        for (unsigned i = 0; i < 2 * n; i++)
            give(a, n, backward ? 2 * n - 1 - i : i);
        if (!a->again)
            break;
        attribution_again(a);
    }
    *unknown = counts.flows[FLOW_UNKNOWN];
    window_free(a->window);
    attribution_fini(a);
    free(a);
    return seen.flows;
}

static void however_many_interfaces_are_contradicted_none_of_their_flows_has_a_host(void **state)
{
    (void)state;
    uint64_t unknown;
    assert_int_equal(read_object(1000, false, &unknown), 0);
    assert_int_equal(unknown, 2000);
    assert_int_equal(read_object(1000, true, &unknown), 0);
    assert_int_equal(unknown, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(however_many_interfaces_are_contradicted_none_of_their_flows_has_a_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
