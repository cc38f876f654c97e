/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting what the evidence covers: per object under the lock of the merge, per host when a day closes. */
#include "app/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "app/host_index.h"
#include "weir/app.h"

#define STEADY_HOURS 12 /* a flow log that delivers in so many hours of a day is missed in the others */
#define BUCKET_S 300
#define DAYS_BACK 3 /* while no day is closed */
#define HOURS_ALL 0xffffffu

const struct coverage_wish coverage_wish[COVERAGE_WISHES] = {
    {FIELD_TCP_FLAGS, "logs: tcp-flags", "who opened a connection is guessed from ports"},
    {FIELD_PKT_SRCADDR, "logs: pkt-srcaddr", "copies at NAT gateways and load balancers are found by their sums only"},
    {FIELD_PKT_DSTADDR, "logs: pkt-dstaddr", "copies at NAT gateways and load balancers are found by their sums only"},
    {FIELD_FLOW_DIRECTION, "logs: flow-direction", "which end is the host is told by networks and by what all records of an interface share"},
    {FIELD_ACTION, "logs: action", "refused traffic cannot be told and counts as sent"},
    {FIELD_LOG_STATUS, "logs: log-status", "gaps in the logs (SKIPDATA) cannot be seen"},
    {FIELD_VPC_ID, "logs: vpc-id", "findings do not name the VPC, and equal addresses in two VPCs are told apart by interface only"},
};

unsigned coverage_lacking(const struct layout *layout)
{
    unsigned lacking = 0;
    for (unsigned i = 0; layout->columns && i < COVERAGE_WISHES; i++)
        if (!memchr(layout->field, (int)coverage_wish[i].field, layout->columns))
            lacking |= 1u << i;
    return lacking;
}

void coverage_day_init(struct coverage_day *d, uint16_t day)
{
    memset(d, 0, sizeof *d);
    d->day = day;
    d->seen_all = true;
}

void coverage_day_fini(struct coverage_day *d)
{
    free(d->source);
    free(d->silent_host);
    key_set_free(&d->seen);
}

void coverage_fini(struct coverage *c)
{
    for (size_t i = 0; i < c->days; i++)
        coverage_day_fini(&c->day[i]);
    free(c->day);
    memset(c, 0, sizeof *c);
}

/* ---- days ---- */

static struct coverage_day *find_day(const struct coverage *c, uint16_t day)
{
    for (size_t i = 0; i < c->days; i++)
        if (c->day[i].day == day)
            return &c->day[i];
    return NULL;
}

static struct coverage_day *add_day(struct coverage *c, uint16_t day)
{
    struct coverage_day *all = array_grow(c->day, &c->days_cap, c->days, sizeof *all);
    if (!all)
        return NULL;
    c->day = all;
    coverage_day_init(&all[c->days], day);
    return &all[c->days++];
}

/* *out: NULL if the day is closed. */
static enum weir_err open_day(struct coverage *c, uint16_t day, struct coverage_day **out)
{
    *out = NULL;
    if (day <= c->closed_through)
        return WEIR_OK;
    struct coverage_day *d = find_day(c, day);
    if (!d && !(d = add_day(c, day)))
        return WEIR_NOMEM;
    d->changed = true;
    *out = d;
    return WEIR_OK;
}

static void day_key(uint16_t day, char out[8]) { snprintf(out, 8, "%04x", day); }

enum weir_err coverage_get(struct store *s, uint16_t day, struct coverage_day *out, struct fault *fault)
{
    char key[8];
    struct buffer blob;
    day_key(day, key);
    buffer_init(&blob, STORE_VALUE_MAX);
    coverage_day_init(out, day);
    enum weir_err err = store_get(s, 'v', key, &blob, fault);
    if (!err && (err = coverage_decode((struct slice){blob.p, blob.n}, out)))
        fault_set(fault, err, "store value 'v:%s', what a day covers: %s", key, weir_err_text(err));
    buffer_fini(&blob);
    return err;
}

enum weir_err coverage_load(struct coverage *c, struct store *s, struct log *log, uint16_t closed_through, uint16_t last, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    c->closed_through = closed_through;
    for (uint32_t day = closed_through ? closed_through : last - DAYS_BACK; day <= last && !err; day++) {
        struct coverage_day *d = add_day(c, (uint16_t)day);
        if (!d)
            return fault_set(fault, WEIR_NOMEM, "out of memory");
        err = coverage_get(s, (uint16_t)day, d, fault);
        if (!err)
            continue;
        coverage_day_fini(d);
        c->days--;
        if (err == WEIR_CORRUPT || err == WEIR_TRUNCATED) {
            log_error(log, "record of what a day covers is damaged, it begins anew", LOG_TEXT("cause", slice_of(fault->text)));
            err = WEIR_NOTFOUND;
        }
        err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    return err;
}

/* ---- flow logs ---- */

static int source_order(const struct coverage_source *s, struct slice account, struct slice flow_log)
{
    int order = slice_cmp(slice_of(s->account), account);
    return order ? order : slice_cmp(slice_of(s->flow_log), flow_log);
}

static struct coverage_source *find_source(const struct coverage_day *d, struct slice account, struct slice flow_log)
{
    size_t low = 0, high = d->sources;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = source_order(&d->source[mid], account, flow_log);
        if (!order)
            return &d->source[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static void name_put(char out[COVERAGE_NAME_MAX], struct slice s)
{
    memcpy(out, s.n ? s.p : "", s.n);
    out[s.n] = 0;
}

/* NULL: out of memory. Names too long, or flow logs too many: one without names takes it. */
static struct coverage_source *get_source(struct coverage_day *d, struct slice account, struct slice flow_log)
{
    const struct slice none = {"", 0};
    if (account.n >= COVERAGE_NAME_MAX || flow_log.n >= COVERAGE_NAME_MAX)
        account = flow_log = none;
    struct coverage_source *s = find_source(d, account, flow_log);
    if (!s && d->sources + 1 >= COVERAGE_SOURCES_MAX) {
        account = flow_log = none;
        s = find_source(d, none, none);
    }
    if (s)
        return s;
    struct coverage_source *all = array_grow(d->source, &d->sources_cap, d->sources, sizeof *all);
    if (!all)
        return NULL;
    d->source = all;
    size_t at = d->sources++;
    for (; at > 0 && source_order(&all[at - 1], account, flow_log) > 0; at--)
        all[at] = all[at - 1];
    memset(&all[at], 0, sizeof all[at]);
    name_put(all[at].account, account);
    name_put(all[at].flow_log, flow_log);
    return &all[at];
}

unsigned coverage_hours(const struct coverage_source *s)
{
    unsigned hours = 0;
    for (unsigned i = 0; i < 12; i++) { /* two hours are three bytes; asked for each host of a day */
        const uint8_t *b = &s->bucket[3 * i];
        hours |= (unsigned)((b[0] | (b[1] & 0x0f)) != 0) << (2 * i) | (unsigned)((b[1] >> 4 | b[2]) != 0) << (2 * i + 1);
    }
    return hours;
}

/* ---- objects ---- */

uint64_t coverage_key(struct slice account, struct slice interface, uint16_t day)
{
    uint64_t name[2] = {stable_hash(account.p, account.n), stable_hash(interface.p, interface.n)};
    uint64_t key = (stable_hash(name, sizeof name) & ~(uint64_t)UINT16_MAX) | day;
    return key ? key : 1;
}

static enum weir_err add_seen(struct coverage_day *d, uint64_t key)
{
    if (d->seen.n >= COVERAGE_INTERFACES_MAX && !key_set_has(&d->seen, key)) {
        d->seen_all = false;
        return WEIR_OK;
    }
    return key_set_add(&d->seen, key) ? WEIR_OK : WEIR_NOMEM;
}

static enum weir_err add_quiet(struct coverage *c, const struct key_set *quiet)
{
    enum weir_err err = WEIR_OK;
    struct coverage_day *d;
    for (size_t i = 0; i < quiet->cap && !err; i++)
        if (quiet->key[i] && !(err = open_day(c, (uint16_t)quiet->key[i], &d)) && d)
            err = add_seen(d, quiet->key[i]);
    return err;
}

/* The objects of an hour belong to it by the times at which their records end. */
static enum weir_err add_bucket(struct coverage *c, const struct coverage_object *o)
{
    struct coverage_day *d;
    enum weir_err err = open_day(c, (uint16_t)(o->bucket_s / DAY_S), &d);
    if (err || !d)
        return err;
    struct coverage_source *s = get_source(d, o->account, o->flow_log);
    if (!s)
        return WEIR_NOMEM;
    unsigned bucket = (unsigned)(o->bucket_s % DAY_S / BUCKET_S);
    s->bucket[bucket / 8] |= (uint8_t)(1u << (bucket % 8));
    s->objects++;
    return WEIR_OK;
}

enum weir_err coverage_add(struct coverage *c, const struct coverage_object *o)
{
    enum weir_err err = o->bucket_s > 0 && o->bucket_s < (int64_t)UINT16_MAX * DAY_S ? add_bucket(c, o) : WEIR_OK;
    if (!err && o->quiet)
        err = add_quiet(c, o->quiet);
    for (size_t i = 0; i < o->days && !err; i++) {
        struct coverage_day *d;
        if ((err = open_day(c, o->day[i], &d)) || !d)
            continue;
        d->objects++;
        for (unsigned w = 0; w < COVERAGE_WISHES; w++)
            d->lacking[w] += o->lacking >> w & 1;
    }
    return err;
}

/* ---- hours without objects ---- */

static uint32_t hours_after(unsigned hour) { return hour >= 23 ? 0 : HOURS_ALL & ~((2u << hour) - 1); }

static uint32_t missing_of(const struct coverage_source *now, const struct coverage_source *before, bool closing)
{
    uint32_t hours = now ? coverage_hours(now) : 0, earlier = before ? coverage_hours(before) : 0;
    if (__builtin_popcount(hours) < STEADY_HOURS && __builtin_popcount(earlier) < STEADY_HOURS)
        return 0;
    uint32_t missing = HOURS_ALL & ~hours;
    if (!hours)
        return closing && before ? missing : 0;
    if (!before)
        missing &= hours_after((unsigned)__builtin_ctz(hours));
    if (!closing)
        missing &= ~hours_after(31u - (unsigned)__builtin_clz(hours));
    return missing;
}

static uint32_t missing_on(const struct coverage *c, const struct coverage_day *d, bool closing, struct slice account, struct slice flow_log)
{
    const struct coverage_day *before = find_day(c, (uint16_t)(d->day - 1));
    if (!flow_log.n)
        return 0;
    return missing_of(find_source(d, account, flow_log), before ? find_source(before, account, flow_log) : NULL, closing);
}

uint32_t coverage_missing(const struct coverage *c, uint16_t day, bool closing, struct slice account, struct slice flow_log)
{
    const struct coverage_day *d = find_day(c, day);
    return d ? missing_on(c, d, closing, account, flow_log) : 0;
}

uint64_t coverage_missing_hours(const struct coverage *c)
{
    uint64_t n = c->missing_hours;
    for (size_t i = 0; i < c->days; i++)
        for (size_t k = 0; !c->day[i].closed && k < c->day[i].sources; k++) {
            const struct coverage_source *s = &c->day[i].source[k];
            n += (unsigned)__builtin_popcount(missing_on(c, &c->day[i], false, slice_of(s->account), slice_of(s->flow_log)));
        }
    return n;
}

/* ---- closing ---- */

enum weir_err coverage_host(struct coverage *c, uint16_t day, const struct coverage_host *h)
{
    struct coverage_day *d;
    enum weir_err err = open_day(c, day, &d);
    if (err || !d)
        return err;
    d->hosts += h->charged;
    d->learning += h->charged && h->learning;
    d->host_gap_days += h->charged && h->gaps;
    return add_seen(d, coverage_key(h->account, h->interface, day));
}

void coverage_judged(struct coverage *c, uint16_t day, uint64_t raised, uint64_t raised_by_rules, double budget_per_host_day)
{
    struct coverage_day *d = find_day(c, day);
    if (!d)
        return;
    d->raised = raised;
    d->raised_by_rules = raised_by_rules;
    d->budget = budget_per_host_day * (double)d->hosts;
}

/* A flow log that delivered on the day before and not at all today stays in the record, empty, once. */
static enum weir_err close_sources(struct coverage *c, struct coverage_day *d)
{
    const struct coverage_day *before = find_day(c, (uint16_t)(d->day - 1));
    for (size_t i = 0; before && i < before->sources; i++)
        if (before->source[i].objects && !get_source(d, slice_of(before->source[i].account), slice_of(before->source[i].flow_log)))
            return WEIR_NOMEM;
    for (size_t i = 0; i < d->sources; i++) {
        d->source[i].missing = missing_on(c, d, true, slice_of(d->source[i].account), slice_of(d->source[i].flow_log));
        c->missing_hours += (unsigned)__builtin_popcount(d->source[i].missing);
    }
    return WEIR_OK;
}

struct silence { struct coverage_day *d; const struct key_set *before; };

static enum weir_err list_silent(void *ctx, const struct host_entry *e)
{
    struct silence *s = ctx;
    uint16_t day = s->d->day;
    uint64_t key = coverage_key(e->account, e->interface, (uint16_t)(day - 1));
    if (s->d->silent_hosts == COVERAGE_SILENT_MAX || !key_set_has(s->before, key) || key_set_has(&s->d->seen, coverage_key(e->account, e->interface, day)))
        return WEIR_OK;
    struct coverage_silent *one = &s->d->silent_host[s->d->silent_hosts];
    if (e->account.n >= COVERAGE_NAME_MAX || e->interface.n >= COVERAGE_NAME_MAX)
        return WEIR_OK;
    name_put(one->account, e->account);
    name_put(one->interface, e->interface);
    one->host = e->host;
    s->d->silent_hosts++;
    return WEIR_OK;
}

/* Interfaces with records on the day before and none today. */
static enum weir_err close_interfaces(struct coverage *c, struct coverage_day *d, struct store *s, struct fault *fault)
{
    struct coverage_day *before = find_day(c, (uint16_t)(d->day - 1));
    if (!before || !before->closed || !before->seen_all || !d->seen_all)
        return WEIR_OK;
    for (size_t i = 0; i < before->seen.cap; i++) {
        uint64_t key = before->seen.key[i];
        d->silent += key && !key_set_has(&d->seen, (key & ~(uint64_t)UINT16_MAX) | d->day);
    }
    c->silent += d->silent;
    struct silence silence = {d, &before->seen};
    if (!d->silent)
        return WEIR_OK;
    d->silent_host = calloc(COVERAGE_SILENT_MAX, sizeof *d->silent_host);
    return d->silent_host ? host_index_each(s, list_silent, &silence, fault) : fault_set(fault, WEIR_NOMEM, "out of memory");
}

static enum weir_err put_day(const struct coverage_day *d, struct store *s, struct fault *fault)
{
    char key[8];
    struct buffer blob;
    day_key(d->day, key);
    buffer_init(&blob, STORE_VALUE_MAX);
    enum weir_err err = coverage_encode(d, &blob);
    err = err ? fault_set(fault, err, "cannot encode what a day covers: %s", weir_err_text(err)) : store_put(s, 'v', key, (struct slice){blob.p, blob.n}, fault);
    buffer_fini(&blob);
    return err;
}

static enum weir_err close_day(struct coverage *c, struct coverage_day *d, struct store *s, struct fault *fault)
{
    enum weir_err err = close_sources(c, d);
    if (err)
        return fault_set(fault, err, "out of memory");
    err = close_interfaces(c, d, s, fault);
    d->closed = d->changed = true;
    struct coverage_day *before = find_day(c, (uint16_t)(d->day - 1));
    if (before && before->seen.n) {
        key_set_clear(&before->seen);
        before->changed = true;
    }
    return err;
}

static int by_day(const void *a, const void *b) { return ((const struct coverage_day *)a)->day - ((const struct coverage_day *)b)->day; }

/* Of closed days only the last is needed: for the next one. */
static void forget_old(struct coverage *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->days; i++)
        if (c->day[i].closed && i + 1 < c->days && c->day[i + 1].closed)
            coverage_day_fini(&c->day[i]);
        else
            c->day[kept++] = c->day[i];
    c->days = kept;
}

enum weir_err coverage_put(struct coverage *c, struct store *s, uint16_t closed_through, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    if (c->days)
        qsort(c->day, c->days, sizeof *c->day, by_day);
    for (size_t i = 0; i < c->days && !err; i++)
        if (!c->day[i].closed && c->day[i].day <= closed_through)
            err = close_day(c, &c->day[i], s, fault);
    for (size_t i = 0; i < c->days && !err; i++)
        if (c->day[i].changed) {
            err = put_day(&c->day[i], s, fault);
            c->day[i].changed = false;
        }
    forget_old(c);
    c->closed_through = closed_through;
    return err;
}
