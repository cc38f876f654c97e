/* Facts of one worked example, for the tests of finding and sink: 10.0.1.10 sends 41,095,890,520 bytes to 200.160.0.8 on
 * 2026-03-02 between 09:10 and 10:40, after nine quiet days. A test changes what its claim is about.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_FACTS_H
#define WEIR_TESTS_FACTS_H

#include <string.h>

#include "weir/finding.h"

#define FACTS_DAY_S 1772409600 /* 2026-03-02T00:00:00Z */
#define FACTS_BYTES 41095890520u

struct facts {
    struct finding_facts f;
    struct finding_day day[3];
    struct score score[3];
    uint64_t hours[3][24];
    struct evidence_peer peer[3];
    struct evidence_place place[40];
    uint32_t lines[8];
    uint8_t history[9];
};

static struct ip facts_ip(const char *text)
{
    struct ip ip = {0, 0};
    return ip_parse(slice_of(text), &ip) == WEIR_OK ? ip : (struct ip){0, 0};
}

static void facts_day(struct facts *x, size_t i)
{
    x->score[i] = (struct score){.value = 6.25, .budget = 0.001, .raised = true, .unusual = true, .host_days = 9, .n = 2};
    x->score[i].part[0] = (struct score_part){
        .test = SCORE_NEW_DESTINATION, .raised = true, .observed_bytes = FACTS_BYTES, .reference_bytes = 3000000, .floor_bytes = 2000000,
        .largest_bytes = 2950000, .history_days = 9, .observed = 19.258, .reference = 5.547, .spread = 0.7, .excess = 19.587, .rate = 0.0000005,
        .share = 0.3, .threshold = 0.0003, .since_hour = 9, .from_hour = 9, .to_hour = 10};
    x->score[i].part[1] = (struct score_part){.test = SCORE_HOUR_VOLUME, .observed_bytes = FACTS_BYTES / 2, .reference_bytes = 20000000,
        .floor_bytes = 20000000, .rate = 0.01, .share = 0.3, .threshold = 0.0003, .since_hour = 24, .from_hour = 10, .to_hour = 10};
    x->hours[i][9] = x->hours[i][10] = FACTS_BYTES / 2;
    x->day[i] = (struct finding_day){FACTS_DAY_S + (int64_t)i * DAY_S, &x->score[i], x->hours[i], 0, NULL, NULL, FACTS_BYTES};
}

static void facts_peer(struct facts *x, size_t i, const char *ip, uint64_t bytes)
{
    x->place[i] = (struct evidence_place){.key = SLICE_LIT("AWSLogs/123456789012/a.log.gz"), .first_line = 812, .last_line = 820, .records = 7,
                                          .bytes = bytes, .lines = x->lines, .lines_n = 7};
    x->place[i].object.b[0] = (uint8_t)(i + 1);
    x->peer[i] = (struct evidence_peer){.peer = facts_ip(ip), .port = 443, .protocol = 6, .initiated = true, .bytes = bytes, .packets = 30000000,
        .records = 7, .bytes_in = 5000000, .first_s = FACTS_DAY_S + 9 * HOUR_S + 600, .last_s = FACTS_DAY_S + 10 * HOUR_S + 2400,
        .test = SCORE_NEW_DESTINATION, .place = &x->place[i], .places = 1};
}

static void facts_init(struct facts *x)
{
    static const uint32_t lines[] = {812, 815, 816, 817, 818, 819, 820};
    memset(x, 0, sizeof *x);
    memcpy(x->lines, lines, sizeof lines);
    memset(x->history, 40, sizeof x->history); /* 5 octaves: 2 MB a day */
    for (size_t i = 0; i < 3; i++) facts_day(x, i);
    facts_peer(x, 0, "200.160.0.8", FACTS_BYTES);
    facts_peer(x, 1, "198.51.100.7", 2000000000);
    facts_peer(x, 2, "2001:db8::7", 1000000000);
    memcpy(x->peer[0].country, "BR", 3);
    x->f = (struct finding_facts){.account = SLICE_LIT("123456789012"), .region = SLICE_LIT("sa-east-1"), .interface = SLICE_LIT("eni-0a1b2c"),
        .vpc = SLICE_LIT("vpc-77"), .host = facts_ip("10.0.1.10"), .day = x->day, .days = 1, .peer = x->peer, .peers = 1, .history = x->history,
        .history_n = 9, .model = "egress-2", .config_hash = "0123456789abcdef"};
}

#endif
