/* SPDX-License-Identifier: Apache-2.0 */
/* `weir check`, what the operator brought: read as a run would read it, each on its own, so that all complaints come at once. */
#include "app/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/context.h"

#define OLD_DAYS 60 /* addresses change hands: a database of last quarter names the wrong owner for some */

struct subject {
    enum context_part part;
    const char *key;
    const char *entries;  /* what is counted in it */
    const char *missing, *cost;
    bool ages;
};

static const struct subject subjects[] = {
    {CONTEXT_ASN, "geo.asn", "networks", "no data on autonomous systems",
     "destinations are grouped by /16 network, so a provider with many networks looks new again and again, and a new tenant of a known network does not", true},
    {CONTEXT_COUNTRY, "geo.country", "networks", "no data on countries", "findings do not tell where a peer is, and no test can ask whether a country is new", true},
    {CONTEXT_AWS, "aws.ip_ranges", "prefixes", "no ip-ranges.json", "S3 and other services of Amazon are not told from machines that anybody rents there", true},
    {CONTEXT_TRUSTED, "lists.trusted", "networks", "no list of trusted networks", "every destination is judged, partners and backup targets too", false},
    {CONTEXT_THREAT, "lists.threat", "networks", "no list of threats", "a destination that is known to be bad is judged like any other", false},
    {CONTEXT_INVENTORY, "inventory.path", "interfaces", "no inventory",
     "findings name addresses only, and a host without a past is compared with the whole fleet instead of its role or subnet", false},
};

static const char *value_of(const struct config *c, enum context_part part)
{
    const char *const paths[CONTEXT_PARTS] = {c->geo_asn, c->geo_country, c->aws_ip_ranges, c->lists_trusted, c->lists_threat, c->inventory};
    return paths[part];
}

/* "2026-06-17, 158 days ago" */
static int64_t put_age(const struct check *c, int64_t made_s, char *out, size_t cap)
{
    char text[TIME_TEXT_MAX];
    int64_t days = made_s < c->now_s ? (c->now_s - made_s) / DAY_S : 0;
    time_format(made_s, text);
    snprintf(out, cap, "%.10s, %" PRId64 " day%s ago", text, days, days == 1 ? "" : "s");
    return days;
}

static void check_found(struct check *c, const struct subject *s, const struct data_about *about)
{
    char age[64];
    bool old = put_age(c, about->made_s, age, sizeof age) > OLD_DAYS && s->ages;
    check_add(c, s->key, old ? CHECK_OLD : CHECK_FINE, old ? "networks change hands: renew it once a month" : "", "%s with %" PRIu64 " %s, made %s: %.300s",
              about->form, about->entries, s->entries, age, value_of(c->app->config, s->part));
}

static void check_inventory(struct check *c, const struct inventory *inv)
{
    struct inventory_counts n = inventory_counts(inv);
    const char *cost = n.with_role ? "" : "hosts are compared with those of their subnet: tag them, or name the tag in inventory.role_tag";
    check_add(c, "inventory.role_tag", n.with_role ? CHECK_FINE : CHECK_POOR, cost,
              "%" PRIu64 " of %" PRIu64 " interfaces have a role (tag '%.100s'), %" PRIu64 " a subnet; %" PRIu64 " instances, %" PRIu64 " subnets",
              n.with_role, n.interfaces, c->app->config->role_tag, n.with_subnet, n.instances, n.subnets);
}

static void check_files(struct check *c)
{
    struct context *x;
    struct fault fault[CONTEXT_PARTS];
    enum weir_err err = context_try(c->app->config, &x, fault);
    if (!x) {
        check_code(c, app_fail(c->app, &fault[0]));
        return;
    }
    for (size_t i = 0; i < WEIR_COUNT(subjects); i++) {
        const struct subject *s = &subjects[i];
        if (fault[s->part].err)
            check_add(c, s->key, CHECK_BAD, "no run begins with it", "%s", fault[s->part].text);
        else if (!*value_of(c->app->config, s->part))
            check_add(c, s->key, CHECK_MISSING, s->cost, "%s", s->missing);
        else
            check_found(c, s, context_about(x, s->part));
    }
    if (c->learned && c->grouping != context_grouping(x))
        check_add(c, "grouping", CHECK_POOR, "hosts meet all destinations anew: expect findings about new destinations for some days, or begin with a fresh store",
                  "the store has learned destinations %s, a run would group them %s", context_grouping_text(c->grouping), context_grouping_text(context_grouping(x)));
    if (context_inventory(x))
        check_inventory(c, context_inventory(x));
    if (err)
        check_code(c, (int)app_exit_of(err));
    context_close(x);
}

void check_data(struct check *c)
{
    const struct config *config = c->app->config;
    if (config->own.n)
        check_add(c, "networks.own", CHECK_FINE, "", "%zu network%s", config->own.n, config->own.n == 1 ? "" : "s");
    else
        check_add(c, "networks.own", CHECK_MISSING, "public addresses of your own count as foreign: traffic to them is taken for egress",
                  "not named: private networks are ours");
    if (config->forwarders.n)
        check_add(c, "networks.forwarders", CHECK_FINE, "", "%zu interface%s or networks", config->forwarders.n, config->forwarders.n == 1 ? "" : "s");
    else
        check_add(c, "networks.forwarders", CHECK_MISSING, "NAT gateways and load balancers are known by packet-level addresses, else guessed by their sums",
                  "not named");
    check_files(c);
}
