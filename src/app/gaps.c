/* SPDX-License-Identifier: Apache-2.0 */
/* See gaps.h. A gap is written only if it says something new, so that judging an open day again is no news. */
#include "app/gaps.h"

#include <stdio.h>
#include <string.h>

#include "app/judge.h"

#define GAP_KIND "logs-missing"
#define SILENCE_WORD "logs-silent"
#define HOURS_ALL 0xffffffu

enum { MEDIUM = 3, HIGH = 4 };

struct gap { struct coverage_source *source; int64_t day_s; uint32_t hours; };

/* The store takes hexadecimal ids. */
static const char *id_of(const char *kind, const char *key, char uid[FINDING_UID_MAX])
{
    finding_notice_uid(kind, slice_of(key), uid);
    return strchr(uid, '-') + 1;
}

static const char *gap_id(const struct gap *g, char uid[FINDING_UID_MAX])
{
    char key[2 * COVERAGE_NAME_MAX + 32];
    snprintf(key, sizeof key, "%s %s %lld", g->source->account, g->source->flow_log, (long long)g->day_s);
    return id_of(GAP_KIND, key, uid);
}

static const char *silence_id(int64_t from_s, char uid[FINDING_UID_MAX])
{
    char key[32];
    snprintf(key, sizeof key, "%lld", (long long)from_s);
    return id_of(SILENCE_WORD, key, uid);
}

static enum weir_err put_notice(struct store *s, const struct finding_notice *n, const char *id, bool *fresh, struct fault *fault)
{
    struct buffer json, old;
    buffer_init(&json, STORE_VALUE_MAX);
    buffer_init(&old, STORE_VALUE_MAX);
    enum weir_err err = finding_notice_encode(n, &json);
    if (err)
        fault_set(fault, err, "cannot file a finding: %s", weir_err_text(err));
    else if ((*fresh = store_get(s, 'q', id, &old, NULL) == WEIR_NOTFOUND) || old.n != json.n || memcmp(old.p, json.p, json.n) != 0)
        err = store_put_finding(s, id, (struct slice){json.p, json.n}, fault);
    buffer_fini(&json);
    buffer_fini(&old);
    return err;
}

/* Whom it was sent to is told that it is gone. */
static enum weir_err withdraw(struct store *s, const char *id, struct fault *fault)
{
    struct buffer json, gone;
    buffer_init(&json, STORE_VALUE_MAX);
    buffer_init(&gone, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, 'q', id, &json, NULL);
    if (err == WEIR_OK) {
        finding_withdrawn((struct slice){json.p, json.n}, &gone);
        err = gone.err ? WEIR_OK : store_put_finding(s, id, (struct slice){gone.p, gone.n}, fault);
        if (!err)
            err = store_delete(s, 'q', id, fault);
    }
    buffer_fini(&json);
    buffer_fini(&gone);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* ---- hours of a day ---- */

static struct coverage_day *covered_day(struct coverage *c, uint16_t day)
{
    for (size_t i = 0; i < c->days; i++)
        if (c->day[i].day == day)
            return &c->day[i];
    return NULL;
}

/* "flow log fl-0aa of account 123456789012 brought no object in 3 hours of 2026-03-06 (04 05 06 UTC): what was sent in them is unknown" */
static void say_gap(const struct gap *g, struct buffer *out)
{
    char when[TIME_TEXT_MAX];
    unsigned n = (unsigned)__builtin_popcount(g->hours);
    time_format(g->day_s, when);
    buffer_printf(out, "flow log %s%s%s brought no object in %u %s of %.10s", g->source->flow_log, *g->source->account ? " of account " : "", g->source->account, n,
                  n == 1 ? "hour" : "hours", when);
    for (unsigned h = 0; h < 24 && g->hours != HOURS_ALL; h++)
        if (g->hours >> h & 1)
            buffer_printf(out, "%s%02u", g->hours & ((1u << h) - 1) ? " " : " (", h);
    buffer_puts(out, g->hours != HOURS_ALL ? " UTC): what was sent in them is unknown" : ": what was sent then is unknown");
}

static enum weir_err tell_gap(struct run *run, const struct gap *g, struct fault *fault)
{
    struct buffer sentence;
    char uid[FINDING_UID_MAX];
    bool fresh = false;
    const char *id = gap_id(g, uid);
    const struct finding_fact fact = {"missing_hours", (uint64_t)__builtin_popcount(g->hours)};
    buffer_init(&sentence, 1024);
    say_gap(g, &sentence);
    const struct finding_notice n = {
        .uid = uid, .kind = GAP_KIND, .title = "Hours without flow logs", .about = g->source->flow_log,
        .advice = "Look whether the flow log is still on and delivers. Objects that come late enough to be counted take this back.",
        .sentence = {sentence.p, sentence.n}, .severity = g->hours == HOURS_ALL ? HIGH : MEDIUM,
        .time_s = g->day_s + (32 - __builtin_clz(g->hours)) * HOUR_S, .fact = &fact, .facts = 1,
    };
    enum weir_err err = sentence.err ? fault_set(fault, sentence.err, "out of memory") : put_notice(run->store, &n, id, &fresh, fault);
    buffer_fini(&sentence);
    run->counts.findings_new += !err && fresh;
    run->counts.findings_by_severity[n.severity] += !err && fresh;
    return err;
}

static enum weir_err file_one(struct run *run, const struct coverage_day *d, bool closing, struct coverage_source *source, struct fault *fault)
{
    char uid[FINDING_UID_MAX];
    struct gap g = {source, (int64_t)d->day * DAY_S, coverage_missing(&run->coverage, d->day, closing, slice_of(source->account), slice_of(source->flow_log))};
    bool asked = source->gap == COVERAGE_GAP_NONE;
    source->gap = g.hours ? COVERAGE_GAP_TOLD : COVERAGE_GAP_NONE;
    if (g.hours)
        return tell_gap(run, &g, fault);
    return asked ? WEIR_OK : withdraw(run->store, gap_id(&g, uid), fault);
}

static bool has_source(const struct coverage_day *d, const struct coverage_source *wanted)
{
    for (size_t i = 0; i < d->sources; i++)
        if (strcmp(d->source[i].flow_log, wanted->flow_log) == 0 && strcmp(d->source[i].account, wanted->account) == 0)
            return true;
    return false;
}

enum weir_err gaps_file(struct run *run, uint16_t day, bool closing, struct fault *fault)
{
    struct coverage_day *d = covered_day(&run->coverage, day), *before = covered_day(&run->coverage, (uint16_t)(day - 1));
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; d && i < d->sources && !err; i++)
        err = file_one(run, d, closing, &d->source[i], fault);
    for (size_t i = 0; d && closing && before && i < before->sources && !err; i++) {
        struct coverage_source gone = before->source[i];
        if (!has_source(d, &gone))
            err = file_one(run, d, closing, &gone, fault);
    }
    return err;
}

/* ---- silence ---- */

#define SILENCE_KIND 'm'
#define SILENCE_KEY "2"
#define SILENCE_VERSION 1

enum weir_err silence_get(struct store *s, int64_t *from_s, struct fault *fault)
{
    struct buffer keep;
    struct cursor c;
    uint8_t version;
    *from_s = 0;
    buffer_init(&keep, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, SILENCE_KIND, SILENCE_KEY, &keep, fault);
    if (!err && blob_open((struct slice){keep.p, keep.n}, SILENCE_KIND, SILENCE_VERSION, &version, &c) == WEIR_OK)
        *from_s = (int64_t)cursor_u64(&c); /* damaged: it is told again */
    buffer_fini(&keep);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static enum weir_err finish(struct store *s, enum weir_err err, struct fault *fault)
{
    if (!err)
        return store_commit(s, fault);
    store_abort(s);
    return err;
}

enum weir_err silence_tell(struct store *s, int64_t from_s, struct fault *fault)
{
    char uid[FINDING_UID_MAX], when[TIME_TEXT_MAX], sentence[160];
    struct buffer blob;
    bool fresh;
    const char *id = silence_id(from_s, uid);
    time_format(from_s, when);
    snprintf(sentence, sizeof sentence, "no object comes: the newest record ends at %s, what was sent since is unknown", when);
    const struct finding_notice n = {
        .uid = uid, .kind = SILENCE_WORD, .title = "No logs come", .about = "flow logs",
        .advice = "Look whether the flow logs are still on, and whether what brings their objects here still runs. An object that comes takes this back.",
        .sentence = slice_of(sentence), .severity = HIGH, .time_s = from_s,
    };
    enum weir_err err = store_begin(s, fault);
    if (err)
        return err;
    buffer_init(&blob, 64);
    size_t begin = blob_begin(&blob, SILENCE_KIND, SILENCE_VERSION);
    buffer_u64(&blob, (uint64_t)from_s);
    blob_end(&blob, begin);
    err = blob.err ? fault_set(fault, blob.err, "out of memory") : store_put(s, SILENCE_KIND, SILENCE_KEY, (struct slice){blob.p, blob.n}, fault);
    buffer_fini(&blob);
    if (!err)
        err = put_notice(s, &n, id, &fresh, fault);
    return finish(s, err, fault);
}

enum weir_err silence_end(struct store *s, int64_t from_s, struct fault *fault)
{
    char uid[FINDING_UID_MAX];
    enum weir_err err = store_begin(s, fault);
    if (err)
        return err;
    err = withdraw(s, silence_id(from_s, uid), fault);
    if (!err)
        err = store_delete(s, SILENCE_KIND, SILENCE_KEY, fault);
    return finish(s, err, fault);
}
