/* SPDX-License-Identifier: Apache-2.0 */
/* `weir baseline show`: what is normal for one host, as it will be compared with tomorrow. Amounts are kept in eighths of an octave,
 * so they are told with two digits. Bars are on a log scale, ten levels from blank to '@', oldest or hour 00 first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/baseline_tool.h"
#include "weir/finding.h"
#include "weir/score.h"

#define WEDNESDAY 20002 /* 2024-10-09 */
#define SUNDAY 20006

/* "3.2 MB": two digits. */
static void amount(uint64_t bytes, char out[FINDING_BYTES_TEXT_MAX])
{
    uint64_t step = 1;
    while (bytes / step >= 100)
        step *= 10;
    finding_bytes((bytes + step / 2) / step * step, out);
    char *dot = strchr(out, '.'), *blank = strchr(out, ' ');
    if (dot && blank && blank - dot >= 2) /* "3.20 MB", "41.0 MB" */
        memmove(blank - dot == 3 ? blank - 1 : dot, blank, strlen(blank) + 1);
}

static uint64_t bytes_of(uint8_t eighths) { return lg_to_bytes(lg_unround(eighths)); }

static void put_level(struct buffer *out, double value, double largest)
{
    static const char levels[] = " .:-=+*#%@";
    int level = largest > 0 && value > 0 ? (int)ceil(value / largest * 9) : 0;
    buffer_u8(out, (uint8_t)levels[level < 0 ? 0 : level > 9 ? 9 : level]);
}

static void put_ring_bars(struct buffer *out, const struct ring *r)
{
    buffer_puts(out, "[");
    for (unsigned i = 0; i < r->n; i++)
        put_level(out, r->v[i], ring_rank(r, 0));
    buffer_puts(out, "]");
}

/* ---- head ---- */

static void put_head(const struct known_host *h, struct buffer *out)
{
    const struct baseline *b = &h->baseline;
    char ip[IP_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX], stored[BYTES_TEXT_MAX];
    ip_format(b->host, ip);
    day_text(b->first_day, first);
    day_text(b->last_day, last);
    bytes_format(h->bytes, stored);
    buffer_printf(out, "host %s, interface ", ip);
    escape_terminal(out, slice_of(h->interface));
    buffer_puts(out, ", account ");
    escape_terminal(out, slice_of(h->account));
    buffer_puts(out, ", class ");
    escape_terminal(out, slice_of(*h->class ? h->class : "unknown"));
    buffer_printf(out, "\nlearned %u day%s, %s to %s; id %016llx, %s stored\n", b->days, b->days == 1 ? "" : "s", first, last, (unsigned long long)h->id, stored);
    if (b->days < BASELINE_YOUNG_DAYS)
        buffer_printf(out, "young: until it has %d days it is compared with its class as well\n", BASELINE_YOUNG_DAYS);
}

/* ---- daily quantities ---- */

static bool counted(enum baseline_feature f, enum score_test *test)
{
    *test = f == FEATURE_SPLIT ? SCORE_SPLIT : SCORE_BEACON;
    return f == FEATURE_SPLIT || f == FEATURE_BEACON || f == FEATURE_BEACON_FAR;
}

static void feature_text(enum baseline_feature f, uint8_t v, char out[FINDING_BYTES_TEXT_MAX])
{
    enum score_test test;
    if (counted(f, &test))
        snprintf(out, FINDING_BYTES_TEXT_MAX, "%.0f", score_test_count(test, lg_unround(v)));
    else
        amount(bytes_of(v) / (f == FEATURE_ODD ? score_test_factor(SCORE_ODD_PROTOCOL) : 1), out);
}

static void put_features(const struct baseline *b, struct buffer *out)
{
#define FEATURE_TEXT(id, word, text) text,
    static const char *const texts[] = {FEATURE_LIST(FEATURE_TEXT)};
    buffer_printf(out, "\n%-12s %4s %9s %9s  %s\n", "QUANTITY", "DAYS", "LARGEST", "SECOND", "what it is, and its days");
    for (enum baseline_feature f = 0; f < FEATURE_COUNT; f++) {
        char largest[FINDING_BYTES_TEXT_MAX], second[FINDING_BYTES_TEXT_MAX];
        const struct ring *r = &b->feature[f];
        feature_text(f, ring_rank(r, 0), largest);
        feature_text(f, ring_rank(r, 1), second);
        buffer_printf(out, "%-12s %4u %9s %9s  %s", baseline_feature_word(f), r->n, largest, second, texts[f]);
        if (ring_rank(r, 0)) {
            buffer_puts(out, " ");
            put_ring_bars(out, r);
        }
        buffer_puts(out, "\n");
    }
}

/* ---- hours ---- */

static void put_hours(const struct baseline *b, const char *word, uint16_t day, struct buffer *out)
{
    double expected[24], largest = 0;
    unsigned at = 0;
    for (unsigned h = 0; h < 24; h++) {
        if (!profile_expect(&b->profile, day, h, &expected[h]))
            expected[h] = 0;
        at = expected[h] > largest ? h : at;
        largest = fmax(largest, expected[h]);
    }
    char text[FINDING_BYTES_TEXT_MAX];
    amount(lg_to_bytes(largest), text);
    buffer_printf(out, "%-12s [", word);
    for (unsigned h = 0; h < 24; h++)
        put_level(out, expected[h], largest);
    buffer_printf(out, "]  most at %02u: %s\n", at, text);
}

static bool knows_hours(const struct baseline *b) { return b->profile.days[0] || b->profile.days[1]; }

static void put_profile(const struct baseline *b, struct buffer *out)
{
    if (!knows_hours(b))
        return;
    buffer_puts(out, "\nHOURS        000000000011111111112222\n             012345678901234567890123  bytes sent outside, UTC; under 20 MB all are alike\n");
    put_hours(b, "weekday", WEDNESDAY, out);
    put_hours(b, "weekend", SUNDAY, out);
}

/* ---- destinations ---- */

static int by_largest(const void *a, const void *b)
{
    const struct baseline_group *x = *(const struct baseline_group *const *)a, *y = *(const struct baseline_group *const *)b;
    uint8_t p = ring_rank(&x->ring, 0), q = ring_rank(&y->ring, 0);
    return p != q ? (q > p) - (q < p) : (x->group > y->group) - (x->group < y->group);
}

static size_t order_groups(const struct baseline *b, const struct baseline_group *order[BASELINE_GROUPS])
{
    for (unsigned i = 0; i < b->groups; i++)
        order[i] = &b->group[i];
    if (b->groups)
        qsort(order, b->groups, sizeof *order, by_largest);
    return b->groups;
}

static void put_group_name(struct buffer *out, uint64_t group)
{
    struct buffer name;
    buffer_init(&name, 1024);
    group_format(group, &name);
    escape_terminal(out, (struct slice){name.p, name.n});
    buffer_fini(&name);
}

static const char *way_of(uint64_t group)
{
    switch (group_kind(group)) {
    case GROUP_INITIATED: return "calls";
    case GROUP_INTERNAL_INITIATED: return "calls inside";
    case GROUP_INTERNAL_OTHER: return "serves inside";
    default: return "serves";
    }
}

static void put_destinations(const struct baseline *b, struct buffer *out)
{
    const struct baseline_group *order[BASELINE_GROUPS];
    size_t n = order_groups(b, order);
    if (!n)
        return;
    buffer_printf(out, "\n%-10s  %-10s  %4s %9s %9s  %-13s  %s\n", "FIRST", "LAST", "DAYS", "USUAL", "LARGEST", "THE HOST", "DESTINATION");
    for (size_t i = 0; i < n; i++) {
        const struct baseline_group *g = order[i];
        char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX], usual[FINDING_BYTES_TEXT_MAX], largest[FINDING_BYTES_TEXT_MAX];
        day_text(g->first_day, first);
        day_text(g->last_day, last);
        amount(bytes_of(ring_rank(&g->ring, g->ring.n / 2)), usual);
        amount(bytes_of(ring_rank(&g->ring, 0)), largest);
        buffer_printf(out, "%s  %s  %4u %9s %9s  %-13s  ", first, last, g->days, usual, largest, way_of(g->group));
        put_group_name(out, g->group);
        buffer_puts(out, baseline_familiar(b, g->group, b->last_day) ? "\n" : ", not familiar yet\n");
    }
    if (b->evicted)
        buffer_printf(out, "%u more went for lack of room\n", b->evicted);
}

static void put_countries(const struct baseline *b, struct buffer *out)
{
    for (unsigned i = 0; i < b->countries; i++) {
        char text[3];
        country_text(b->country[i].country, text);
        buffer_printf(out, "%s%s", i ? " " : "\ncountries that it calls: ", text);
    }
    buffer_puts(out, b->countries ? "\n" : "");
}

static void put_quarantine(const struct baseline *b, struct buffer *out)
{
    for (unsigned i = 0; i < b->flags; i++) {
        char since[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
        day_text(b->flag[i].day, since);
        day_text((uint16_t)(b->flag[i].day + QUARANTINE_DAYS), until);
        buffer_puts(out, i ? "" : "\nin quarantine, not learned:\n");
        if (b->flag[i].day == BASELINE_FOR_EVER)
            buffer_puts(out, "  marked true, for ever: ");
        else
            buffer_printf(out, "  raised %s, until %s: ", since, until);
        put_group_name(out, b->flag[i].group);
        buffer_puts(out, "\n");
    }
}

/* ---- JSON ---- */

static void json_day(struct buffer *out, const char *key, uint16_t day)
{
    char text[TIME_TEXT_MAX];
    day_text(day, text);
    buffer_printf(out, "\"%s\":\"%s\",", key, text);
}

static void json_name(struct buffer *out, uint64_t group)
{
    struct buffer name;
    buffer_init(&name, 1024);
    group_format(group, &name);
    buffer_printf(out, "\"group\":\"%016llx\",\"name\":", (unsigned long long)group);
    escape_json(out, (struct slice){name.p, name.n});
    buffer_fini(&name);
}

static void json_features(const struct baseline *b, struct buffer *out)
{
    buffer_puts(out, "\"quantities\":{");
    for (enum baseline_feature f = 0; f < FEATURE_COUNT; f++) {
        const struct ring *r = &b->feature[f];
        buffer_printf(out, "%s\"%s\":[", f ? "," : "", baseline_feature_word(f));
        for (unsigned i = 0; i < r->n; i++)
            buffer_printf(out, "%s%.3f", i ? "," : "", lg_unround(r->v[i]));
        buffer_puts(out, "]");
    }
    buffer_puts(out, "},");
}

static void json_hours(const struct baseline *b, const char *key, uint16_t day, struct buffer *out)
{
    buffer_printf(out, "\"%s\":[", key);
    for (unsigned h = 0; h < 24 && knows_hours(b); h++) {
        double expected = 0;
        if (!profile_expect(&b->profile, day, h, &expected))
            expected = 0;
        buffer_printf(out, "%s%llu", h ? "," : "", (unsigned long long)lg_to_bytes(expected));
    }
    buffer_puts(out, "],");
}

static void json_destinations(const struct baseline *b, struct buffer *out)
{
    const struct baseline_group *order[BASELINE_GROUPS];
    size_t n = order_groups(b, order);
    buffer_puts(out, "\"destinations\":[");
    for (size_t i = 0; i < n; i++) {
        const struct baseline_group *g = order[i];
        buffer_puts(out, i ? ",{" : "{");
        json_name(out, g->group);
        buffer_puts(out, ",");
        json_day(out, "first_day", g->first_day);
        json_day(out, "last_day", g->last_day);
        buffer_printf(out, "\"days\":%u,\"usual_bytes\":%llu,\"largest_bytes\":%llu,\"bytes\":%llu,\"familiar\":%s}", g->days,
                      (unsigned long long)bytes_of(ring_rank(&g->ring, g->ring.n / 2)), (unsigned long long)bytes_of(ring_rank(&g->ring, 0)),
                      (unsigned long long)g->total, baseline_familiar(b, g->group, b->last_day) ? "true" : "false");
    }
    buffer_puts(out, "],");
}

static void json_lists(const struct baseline *b, struct buffer *out)
{
    buffer_puts(out, "\"countries\":[");
    for (unsigned i = 0; i < b->countries; i++) {
        char text[3];
        country_text(b->country[i].country, text);
        buffer_printf(out, "%s\"%s\"", i ? "," : "", text);
    }
    buffer_puts(out, "],\"quarantine\":[");
    for (unsigned i = 0; i < b->flags; i++) {
        buffer_puts(out, i ? ",{" : "{");
        buffer_printf(out, "\"for_ever\":%s,", b->flag[i].day == BASELINE_FOR_EVER ? "true" : "false");
        if (b->flag[i].day != BASELINE_FOR_EVER)
            json_day(out, "raised", b->flag[i].day);
        json_name(out, b->flag[i].group);
        buffer_puts(out, "}");
    }
    buffer_puts(out, "]}\n");
}

static void put_json(const struct known_host *h, struct buffer *out)
{
    const struct baseline *b = &h->baseline;
    char ip[IP_TEXT_MAX];
    ip_format(b->host, ip);
    buffer_printf(out, "{\"id\":\"%016llx\",\"host\":\"%s\",\"interface\":", (unsigned long long)h->id, ip);
    escape_json(out, slice_of(h->interface));
    buffer_puts(out, ",\"account\":");
    escape_json(out, slice_of(h->account));
    buffer_puts(out, ",\"class\":");
    escape_json(out, slice_of(h->class));
    buffer_printf(out, ",\"days\":%u,\"bytes\":%llu,\"destinations_dropped\":%u,", b->days, (unsigned long long)h->bytes, b->evicted);
    json_day(out, "first_day", b->first_day);
    json_day(out, "last_day", b->last_day);
    json_features(b, out);
    json_hours(b, "weekday_bytes", WEDNESDAY, out);
    json_hours(b, "weekend_bytes", SUNDAY, out);
    json_destinations(b, out);
    json_lists(b, out);
}

void baseline_show(const struct known_host *h, unsigned format, struct buffer *out)
{
    if (format == BASELINE_JSON) {
        put_json(h, out);
        return;
    }
    put_head(h, out);
    put_features(&h->baseline, out);
    put_profile(&h->baseline, out);
    put_destinations(&h->baseline, out);
    put_countries(&h->baseline, out);
    put_quarantine(&h->baseline, out);
}
