/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: what the operator has forbidden. No baseline is asked, no share of the budget is owned: broken is raised.
 *
 *   threat-list  bytes sent to networks of lists.threat: any that the host called; of those that called the host, or where nobody
 *                can tell who called, the ones that got at least 1 MB, for scanners call everybody and are answered
 *   policy       one part a rule: bytes both ways of the connections that it does not allow
 *   dns-tunnel   see dns_tunnel.c. This and the next two are seen in packets only
 *   echo-tunnel  payload of ICMP echoes to the outside beyond 64 bytes each: more than 256 KiB in a day
 *   clear-text   bytes sent outside by HTTP, FTP, SMTP, Telnet or TLS below 1.2, each: more than 64 KiB in a day from a host whose
 *                role is sensitive
 *   odd-port     bytes sent outside by SSH, TLS or HTTP on a port of another service, each: more than 1 MiB in a day
 *   ceiling      external bytes of the day above the ceiling of the role
 *
 * Worked example: a ceiling of 10 GB; 4 GB an hour from 08:00 on: the sum passes it at the end of hour 10, with 12 GB. */
#include "score_private.h"

static bool threatens(const struct score_model *m, const struct host_group *g)
{
    return group_threat(g->group) && g->bytes_out && (group_kind(g->group) == GROUP_INITIATED || (double)g->bytes_out >= m->threat_served);
}

/* HTTP on a port of others is both: in the clear where that matters, else odd. */
static bool talk_raises(const struct score_model *m, const struct score_rules *r, const struct host_group *g, enum score_test *test, double *least)
{
    enum capture_talk talk = (enum capture_talk)group_payload(g->group);
    bool open = talk < CAPTURE_TALK_ODD_SSH || talk == CAPTURE_TALK_ODD_HTTP;
    *test = SCORE_CLEAR_TEXT;
    *least = m->clear_text;
    if (open && r->sensitive && (double)g->bytes_out > *least)
        return true;
    *test = SCORE_ODD_PORT;
    *least = m->odd_port;
    return talk >= CAPTURE_TALK_ODD_SSH && (double)g->bytes_out > *least;
}

/* What packets showed: does it raise, as which test, from how many bytes on? */
static bool seen_raises(const struct score_model *m, const struct score_rules *r, const struct host_group *g, enum score_test *test, double *least)
{
    switch ((enum group_seen)group_form(g->group)) {
    case SEEN_DNS:
        *test = SCORE_DNS_TUNNEL;
        *least = m->dns_tunnel;
        return dns_tunnel_raises(m, g);
    case SEEN_ECHO:
        *test = SCORE_ECHO_TUNNEL;
        *least = m->echo_tunnel;
        return (double)g->bytes_out > *least;
    case SEEN_TALK: return talk_raises(m, r, g, test, least);
    }
    return false;
}

static bool is_broken(const struct score_model *m, const struct score_rules *r, const struct host_group *g)
{
    enum score_test test;
    double least;
    return group_kind(g->group) == GROUP_POLICY || seen_raises(m, r, g, &test, &least);
}

bool score_rules_broken(const struct score_model *m, const struct score_rules *r, const struct host_day *day)
{
    if (r->ceiling && day->external_out > r->ceiling)
        return true;
    for (size_t i = 0; i < day->rules_broken; i++)
        if (is_broken(m, r, &day->broken[i]))
            return true;
    for (size_t i = 0; i < day->groups; i++)
        if (threatens(m, &day->group[i]))
            return true;
    return false;
}

/* Raised as soon as the sum of the day so far is above `least`. */
static void add_part(struct score *out, struct score_part p, const uint64_t hours[24], uint64_t least)
{
    uint64_t sum = 0;
    p.raised = true;
    p.since_hour = p.from_hour = 24;
    for (unsigned h = 0; h < 24; h++) {
        sum = sat_add(sum, hours[h]);
        if (!hours[h])
            continue;
        p.from_hour = p.from_hour == 24 ? (uint8_t)h : p.from_hour;
        p.to_hour = (uint8_t)h;
        if (p.since_hour == 24 && sum > least)
            p.since_hour = (uint8_t)h;
    }
    p.from_hour = p.from_hour == 24 ? 0 : p.from_hour;
    p.observed_bytes = sum;
    p.reference_bytes = least;
    p.observed = lg_bytes(sum);
    p.reference = lg_bytes(least);
    part_insert(out, &p);
    out->raised = true;
}

static void judge_threats(const struct score_model *m, const struct host_day *day, struct score *out)
{
    struct score_part p = {.test = SCORE_THREAT_LIST};
    uint64_t hours[24] = {0};
    for (size_t i = 0; i < day->groups; i++) {
        const struct host_group *g = &day->group[i];
        if (!threatens(m, g))
            continue;
        p.group = p.observed_count++ ? 0 : g->group;
        for (unsigned h = 0; h < 24; h++)
            hours[h] = sat_add(hours[h], g->hour[h]);
    }
    if (p.observed_count)
        add_part(out, p, hours, 0);
}

static void judge_seen(const struct score_model *m, const struct score_rules *r, const struct host_group *g, struct score *out)
{
    enum score_test test;
    double least;
    if (!seen_raises(m, r, g, &test, &least))
        return;
    struct score_part p = {.test = test, .group = g->group};
    if (test == SCORE_DNS_TUNNEL) /* its domain, the evidence names */
        p.observed_count = g->bytes_in < UINT32_MAX ? (uint32_t)g->bytes_in : UINT32_MAX;
    if (test == SCORE_CLEAR_TEXT || test == SCORE_ODD_PORT)
        p.rule = slice_of(capture_talk_word((enum capture_talk)group_payload(g->group)));
    add_part(out, p, g->hour, (uint64_t)least);
}

static void judge_policy(const struct score_rules *r, const struct host_group *g, struct score *out)
{
    const char *name = r->rule_name ? r->rule_name(r->policy, g->group) : NULL;
    if (name) /* a rule that is gone from the configuration forbids nothing any more */
        add_part(out, (struct score_part){.test = SCORE_POLICY, .group = g->group, .rule = slice_of(name)}, g->hour, 0);
}

void score_rules_judge(const struct score_model *m, const struct score_rules *r, const struct host_day *day, struct score *out)
{
    judge_threats(m, day, out);
    for (size_t i = 0; i < day->rules_broken; i++)
        if (group_kind(day->broken[i].group) == GROUP_POLICY)
            judge_policy(r, &day->broken[i], out);
        else
            judge_seen(m, r, &day->broken[i], out);
    if (r->ceiling && day->external_out > r->ceiling)
        add_part(out, (struct score_part){.test = SCORE_CEILING}, day->hour_out, r->ceiling);
}
