/* "unmapped"."weir": what weir needs again (explain, reports, the next day of the same finding) and OCSF has no place
 * for. The names are those of the structs in weir/score.h and weir/finding.h. Octaves have three decimals, rates twelve.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "finding/finding_private.h"

#define OCTAVE_DECIMALS 3
#define RATE_DECIMALS 12
#define GROUP_TEXT_MAX 256

static void put_group(struct buffer *b, uint64_t group)
{
    char hex[17];
    struct buffer name;
    snprintf(hex, sizeof hex, "%016" PRIx64, group); /* as text: readers of JSON may keep 53 bits of a number only */
    ocsf_cstr(b, "group", hex);
    if (!group) return;
    buffer_init(&name, GROUP_TEXT_MAX);
    group_format(group, &name);
    if (name.err) b->err = name.err;
    ocsf_text(b, "group_name", (struct slice){name.p, name.n});
    buffer_fini(&name);
}

static void put_part(struct buffer *b, const struct score_part *p)
{
    ocsf_open(b, NULL, '{');
    ocsf_cstr(b, "test", score_test_word(p->test));
    ocsf_some(b, "rule", p->rule);
    ocsf_bool(b, "raised", p->raised);
    put_group(b, p->group);
    ocsf_u64(b, "observed_bytes", p->observed_bytes);
    if (score_test_counts(p->test)) {
        ocsf_u64(b, "observed_count", p->observed_count);
        ocsf_fixed(b, "reference_count", score_test_count(p->test, p->reference), OCTAVE_DECIMALS);
        ocsf_u64(b, "floor_count", p->floor_bytes);
    } else {
        ocsf_u64(b, "reference_bytes", p->reference_bytes);
        ocsf_u64(b, "floor_bytes", p->floor_bytes);
        ocsf_u64(b, "largest_bytes", p->largest_bytes);
    }
    ocsf_u64(b, "history_days", p->history_days);
    ocsf_fixed(b, "observed", p->observed, OCTAVE_DECIMALS);
    ocsf_fixed(b, "reference", p->reference, OCTAVE_DECIMALS);
    ocsf_fixed(b, "spread", p->spread, OCTAVE_DECIMALS);
    ocsf_fixed(b, "common", p->common, OCTAVE_DECIMALS);
    ocsf_fixed(b, "excess", p->excess, OCTAVE_DECIMALS);
    ocsf_fixed(b, "rate", p->rate, RATE_DECIMALS);
    ocsf_fixed(b, "share", p->share, OCTAVE_DECIMALS);
    ocsf_fixed(b, "threshold", p->threshold, RATE_DECIMALS);
    ocsf_u64(b, "since_hour", p->since_hour);
    ocsf_u64(b, "from_hour", p->from_hour);
    ocsf_u64(b, "to_hour", p->to_hour);
    ocsf_close(b, '}');
}

static void put_hours(struct buffer *b, const char *key, const uint64_t *bytes)
{
    if (!bytes) return;
    ocsf_open(b, key, '[');
    for (size_t h = 0; h < 24; h++) ocsf_u64(b, NULL, bytes[h]);
    ocsf_close(b, ']');
}

static void put_day(struct buffer *b, const struct finding_day *d)
{
    char text[TIME_TEXT_MAX];
    time_format(d->day_s, text);
    ocsf_open(b, NULL, '{');
    ocsf_text(b, "day", (struct slice){text, 10});
    ocsf_fixed(b, "score", d->score->value, OCTAVE_DECIMALS);
    ocsf_bool(b, "learning", d->score->learning);
    ocsf_u64(b, "host_days", d->score->host_days);
    put_hours(b, "hours", d->hour_bytes);
    put_hours(b, "usual_hours", d->usual);
    put_hours(b, "high_hours", d->high);
    ocsf_u64(b, "bytes", d->bytes);
    ocsf_u64(b, "gap_hours", d->gap_hours);
    ocsf_open(b, "parts", '[');
    for (size_t i = 0; i < d->score->n; i++) put_part(b, &d->score->part[i]);
    ocsf_close(b, ']');
    ocsf_close(b, '}');
}

static void put_history(struct buffer *b, const struct finding_facts *f)
{
    ocsf_open(b, "history", '[');
    for (size_t i = 0; i < f->history_n; i++) ocsf_fixed(b, NULL, lg_unround(f->history[i]), OCTAVE_DECIMALS);
    ocsf_close(b, ']');
}

void put_weir(struct buffer *b, const struct finding_facts *f, struct slice sentence)
{
    struct claim c;
    claim_of(f, &c);
    ocsf_open(b, "weir", '{');
    ocsf_cstr(b, "model", f->model ? f->model : "");
    ocsf_cstr(b, "config", f->config_hash);
    ocsf_some(b, "role", f->role);
    if (f->sensitive) ocsf_bool(b, "sensitive", true);
    ocsf_bool(b, "learning", c.learning);
    ocsf_fixed(b, "budget", f->days ? f->day[0].score->budget : 0, RATE_DECIMALS);
    ocsf_fixed(b, "score", c.value, OCTAVE_DECIMALS);
    ocsf_u64(b, "bytes", c.bytes);
    ocsf_open(b, "days", '[');
    for (size_t i = 0; i < f->days; i++) put_day(b, &f->day[i]);
    ocsf_close(b, ']');
    put_history(b, f);
    if (cloud_of(f->interface)->estimated) ocsf_bool(b, "estimated", true);
    ocsf_u64(b, "bytes_unplaced", f->bytes_unplaced);
    ocsf_u64(b, "peers_more", f->peers_more);
    ocsf_u64(b, "bytes_more", f->bytes_more);
    ocsf_bool(b, "open", f->more);
    ocsf_bool(b, "closed", f->closed);
    ocsf_text(b, "sentence", sentence);
    ocsf_close(b, '}');
}
