/* The one plain sentence. Example (a test repeats it):
 *   10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, AS64500 EXAMPLE, first seen today) and 3.00 GB to 198.51.100.7; in 9
 *   days its largest day to new destinations was 3 MB
 * Claimed bytes have three digits; the past is kept in eighths of an octave and gets two, as it is not known better.
 * The text may hold names from outside (AS names): whoever shows it escapes it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "finding/finding_private.h"

static const struct words {
    const char *title;
    const char *past;   /* in 9 days its largest ... was 3 MB */
    const char *nothing; /* in 9 days it ... */
    const char *where;  /* without peers: sent 3 MB ... */
} words_of[SCORE_STATISTICAL_COUNT] = {
    [SCORE_HOUR_VOLUME] = {"Unusual egress volume for that hour", "hour", "sent nothing", "in one hour"},
    [SCORE_GROUP_VOLUME] = {"Unusual egress volume to a known destination", "day to this destination", "sent nothing there",
                            "in one day to a destination it knows"},
    [SCORE_NEW_DESTINATION] = {"Unusual egress volume to a new destination", "day to new destinations", "sent nothing to new destinations",
                               "in one day to destinations it never used"},
    [SCORE_NEW_FAR] = {"Unusual egress volume to a country never used", "day to new countries", "sent nothing to new countries",
                       "in one day to countries it never used"},
    [SCORE_CLASS_DESTINATION] = {"Unusual egress volume to a destination new to the host", "", "",
                                 "in one day to a destination that only hosts like it use"},
    [SCORE_ODD_PROTOCOL] = {"Unusual egress by an odd protocol to a new destination", "day to new destinations by odd protocols",
                            "sent nothing to new destinations by odd protocols", "in one day by an odd protocol to destinations it never used"},
    [SCORE_SLOW] = {"Slow egress to a young destination", "such sum", "sent nothing to young destinations",
                    "over days to a destination it did not use before"},
    [SCORE_SLOW_FAR] = {"Slow egress to a country never used", "such sum", "sent nothing to young destinations in new countries",
                        "over days to a country it did not use before"},
    [SCORE_SPLIT] = {"Egress split over many new destinations", "", "", "in one day, split over new destinations"},
    [SCORE_SERVED_VOLUME] = {"Unusual volume served to one network", "day served to one network", "served nothing to one network",
                             "in one day, served to one client network"},
    [SCORE_SERVED_NEW] = {"Unusual volume served to a new network", "day served to a new network", "served nothing to new networks",
                          "in one day, served to a new client network"},
    [SCORE_INTERNAL_PAIR] = {"Unusual volume to a host inside", "day to this host", "sent nothing there", "in one day to a host inside that it knows"},
    [SCORE_INTERNAL_SUBNET] = {"Unusual volume to a new subnet inside", "day to new subnets", "sent nothing to new subnets",
                               "in one day to a subnet inside that it never used"},
    [SCORE_BEACON] = {"Steady calls to a young destination", "", "", "to a young destination that it called hour by hour"},
    [SCORE_CREEP] = {"Egress that grew little by little", "day", "sent nothing", "in one day, more than was usual long ago"},
    [SCORE_BEACON_FAR] = {"Steady calls to a country never used", "", "", "to a young destination in a new country that it called hour by hour"},
};

const char *finding_title(enum score_test test) { return score_test_is_rule(test) ? rule_title(test) : words_of[test].title; }

static unsigned digits_of(uint64_t v)
{
    unsigned n = 1;
    while (v >= 10) v /= 10, n++;
    return n;
}

static uint64_t power_of_10(unsigned n)
{
    uint64_t p = 1;
    while (n--) p *= 10;
    return p;
}

/* Rounding to so many digits comes first, so that 999.9 MB becomes 1.00 GB and nothing carries later. */
static void decimal_bytes(uint64_t bytes, unsigned digits, bool keep_zeros, char out[FINDING_BYTES_TEXT_MAX])
{
    static const char units[][3] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    unsigned u = 0, decimals = 0, n = digits_of(bytes);
    uint64_t step = n > digits ? power_of_10(n - digits) : 1, unit = 1;
    uint64_t value = bytes / step + (bytes % step >= step / 2 && step > 1);
    value *= step;
    while (value / unit >= 1000) unit *= 1000, u++;
    if (u && digits_of(value / unit) < digits) decimals = digits - digits_of(value / unit);
    uint64_t frac = value % unit / (unit / power_of_10(decimals));
    if (!frac && !keep_zeros) decimals = 0;
    if (decimals)
        snprintf(out, FINDING_BYTES_TEXT_MAX, "%" PRIu64 ".%0*" PRIu64 " %s", value / unit, (int)decimals, frac, units[u]);
    else
        snprintf(out, FINDING_BYTES_TEXT_MAX, "%" PRIu64 " %s", value / unit, units[u]);
}

void finding_bytes(uint64_t bytes, char out[FINDING_BYTES_TEXT_MAX]) { decimal_bytes(bytes, 3, true, out); }

static void put_bytes(struct buffer *out, uint64_t bytes)
{
    char text[FINDING_BYTES_TEXT_MAX];
    finding_bytes(bytes, text);
    buffer_puts(out, text);
}

static void put_past_bytes(struct buffer *out, uint64_t bytes)
{
    char text[FINDING_BYTES_TEXT_MAX];
    decimal_bytes(bytes, 2, false, text);
    buffer_puts(out, text);
}

static void put_ip(struct buffer *out, struct ip ip)
{
    char text[IP_TEXT_MAX];
    ip_format(ip, text);
    buffer_puts(out, text);
}

/* First in brackets is opened, the last closes: " (BR, AS64500 EXAMPLE, first seen today)". */
static void put_note(struct buffer *out, bool *open)
{
    buffer_puts(out, *open ? ", " : " (");
    *open = true;
}

static void put_novelty(struct buffer *out, const struct finding_facts *f, const struct evidence_peer *p, bool *open)
{
    if (p->known || !p->initiated) return;
    put_note(out, open);
    if (f->days == 1) {
        buffer_puts(out, "first seen today");
    } else {
        char day[TIME_TEXT_MAX];
        time_format(p->first_s, day);
        buffer_printf(out, "first seen on %.10s", day);
    }
}

static void put_peer(struct buffer *out, const struct finding_facts *f, const struct evidence_peer *p)
{
    bool open = false;
    put_ip(out, p->peer);
    if (p->name.n) {
        put_note(out, &open);
        buffer_slice(out, p->name);
    }
    if (p->country[0]) {
        put_note(out, &open);
        buffer_puts(out, p->country);
    }
    if (p->asn) {
        put_note(out, &open);
        buffer_printf(out, "AS%" PRIu32 "%s%s", p->asn, p->as_name[0] ? " " : "", p->as_name);
    }
    put_novelty(out, f, p, &open);
    if (open) buffer_puts(out, ")");
}

#define NAMED_MAX 3 /* peers that the sentence names, the largest among them */

/* Crumbs that went to peers not worth listing are not told of: explain does. */
static bool unlisted_matter(const struct finding_facts *f, uint64_t listed) { return f->peers_more && f->bytes_more >= listed / 100; }

static void put_others(struct buffer *out, const struct finding_facts *f, const char *towards)
{
    uint64_t bytes = 0, others = f->peers - 1;
    for (size_t i = 1; i < f->peers; i++) bytes = sat_add(bytes, f->peer[i].bytes);
    bool unlisted = unlisted_matter(f, sat_add(bytes, f->peer[0].bytes));
    if (!others && !unlisted) return;
    buffer_puts(out, " and ");
    put_bytes(out, unlisted ? sat_add(bytes, f->bytes_more) : bytes);
    buffer_printf(out, " %s ", towards);
    if (unlisted || f->peers > NAMED_MAX) {
        buffer_printf(out, "%" PRIu64 " more", others + (unlisted ? f->peers_more : 0));
        return;
    }
    for (size_t i = 1; i < f->peers; i++) {
        buffer_puts(out, i > 1 ? " and " : "");
        put_ip(out, f->peer[i].peer);
    }
}

static void put_what(struct buffer *out, const struct finding_facts *f, const struct claim *c)
{
    char text[BYTES_TEXT_MAX];
    put_ip(out, f->host);
    if (!f->peers) {
        buffer_puts(out, " sent ");
        put_bytes(out, c->bytes);
        buffer_printf(out, " %s", words_of[c->lead && !score_test_is_rule(c->lead->test) ? c->lead->test : SCORE_GROUP_VOLUME].where);
        return;
    }
    const struct evidence_peer *p = &f->peer[0];
    bool both_ways = c->lead && c->lead->test == SCORE_POLICY;
    buffer_puts(out, both_ways ? " exchanged " : p->initiated ? " sent " : " served ");
    put_bytes(out, p->bytes);
    duration_format(p->last_s > p->first_s ? (uint64_t)(p->last_s - p->first_s) : 0, text);
    buffer_printf(out, " in %s %s ", text, both_ways ? "with" : "to");
    put_peer(out, f, p);
    put_others(out, f, both_ways ? "with" : "to");
}

static void put_days(struct buffer *out, uint32_t days) { buffer_printf(out, "%" PRIu32 " day%s", days, days == 1 ? "" : "s"); }

/* What is counted is not kept as a number of bytes: the count of today speaks. */
static void put_count(struct buffer *out, const struct score_part *p)
{
    unsigned expected = (unsigned)score_test_count(p->test, p->reference);
    if (p->test == SCORE_SPLIT)
        buffer_printf(out, "; %" PRIu32 " destinations that are new to it got more than 4 MB each, expected are %u at most", p->observed_count, expected);
    else
        buffer_printf(out, "; it called there in %" PRIu32 " of the 48 hours of two days, expected are %u at most", p->observed_count, expected);
}

#define RARITY_MAX 1000000000

/* How often: the reader's measure of belief. */
static void put_rarity(struct buffer *out, const struct score_part *p)
{
    if (!(p->rate > 0) || p->rate > 0.01) return;
    double days = round(1 / p->rate);
    bool beyond = days >= RARITY_MAX;
    uint64_t n = beyond ? RARITY_MAX : (uint64_t)days, step = power_of_10(digits_of(n) > 2 ? digits_of(n) - 2 : 0);
    char text[32];
    n = (n + step / 2) / step * step;
    size_t at = (size_t)snprintf(text, sizeof text, "%" PRIu64, n);
    buffer_printf(out, "; a host like this reaches that %sonce in ", beyond ? "less than " : "");
    for (size_t i = 0; i < at; i++)
        buffer_printf(out, "%c%s", text[i], (at - i) % 3 == 1 && i + 1 < at ? "," : "");
    buffer_puts(out, " days");
}

/* What the host is compared with, where that is not its own largest day. */
static void put_expected(struct buffer *out, const struct score_part *p)
{
    if (p->test == SCORE_HOUR_VOLUME && p->history_days) {
        buffer_puts(out, "; usual for it around that hour is ");
        put_past_bytes(out, p->reference_bytes);
        buffer_puts(out, " or less");
    } else if (p->test == SCORE_CLASS_DESTINATION) {
        buffer_puts(out, "; a host like this sends no more than ");
        put_past_bytes(out, p->reference_bytes);
        buffer_puts(out, " there in a day");
    } else if (p->test == SCORE_SLOW || p->test == SCORE_SLOW_FAR) {
        buffer_puts(out, "; since it was first seen it got ");
        put_bytes(out, p->observed_bytes);
        buffer_puts(out, ", not counting its largest day");
    }
}

static void put_past(struct buffer *out, const struct score_part *p)
{
    put_expected(out, p);
    if (score_test_counts(p->test)) {
        put_count(out, p);
        return;
    }
    if (!p->history_days || p->test == SCORE_CLASS_DESTINATION) return; /* no history: the part about learning says it */
    if (p->history_days == 1)
        buffer_puts(out, "; on the one day known");
    else
        buffer_printf(out, "; in %" PRIu32 " days", p->history_days);
    if (!p->largest_bytes) {
        buffer_printf(out, " it %s", words_of[p->test].nothing);
        return;
    }
    buffer_printf(out, " its largest %s was ", words_of[p->test].past);
    put_past_bytes(out, p->largest_bytes);
}

static void put_learning(struct buffer *out, uint32_t host_days)
{
    if (!host_days) {
        buffer_puts(out, "; weir has not seen this host before");
        return;
    }
    buffer_puts(out, "; weir has seen this host for ");
    put_days(out, host_days);
    buffer_puts(out, " only");
}

void finding_sentence(const struct finding_facts *f, struct buffer *out)
{
    struct claim c;
    claim_of(f, &c);
    put_what(out, f, &c);
    if (!c.lead) return;
    if (!score_test_is_rule(c.lead->test)) {
        put_past(out, c.lead);
        put_rarity(out, c.lead);
    }
    say_rules(out, f);
    if (c.learning && c.lead_day->score->learning) put_learning(out, c.lead_day->score->host_days);
}
