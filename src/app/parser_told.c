/* SPDX-License-Identifier: Apache-2.0 */
/* What a parser tells of an object: counters, then its ledger entry, its days, its sums as the store would hold them, and what it covers.
 *
 *   struct run_counts as it lies in memory (one program, forked)
 *   32 bytes id, varint stored, varint records, u64 first_s, u64 last_s
 *   varint days, days * u16
 *   varint blobs, each a varint length and a blob of the room window
 *   u32 lacking, varint quiet interfaces, u64 each
 *   varint prints of an object that grows, 32 bytes each */
#include <stdlib.h>
#include <string.h>

#include "app/parser.h"
#include "app/worker.h"

#define BLOBS_MAX (RUN_OPEN_DAYS_MAX * WINDOW_BUCKETS)

void parser_tell_counts(struct run *run, struct buffer *out) { buffer_put(out, &run->counts, sizeof run->counts); }

/* Every bucket that has sums, each as a string. */
static enum weir_err tell_sums(struct run *run)
{
    struct window *sums = run->window;
    int64_t day_s[RUN_OPEN_DAYS_MAX];
    size_t days = window_days(sums, day_s, RUN_OPEN_DAYS_MAX);
    struct buffer blob, all;
    uint64_t blobs = 0;
    enum weir_err err = WEIR_OK;
    buffer_init(&blob, STORE_VALUE_MAX);
    buffer_init(&all, run->told.max);
    for (size_t d = 0; d < days && !err; d++) {
        err = window_arrange(sums, day_s[d]);
        for (unsigned bucket = 0; bucket < WINDOW_BUCKETS && !err; bucket++) {
            if (!window_bucket_dirty(sums, day_s[d], bucket))
                continue;
            buffer_clear(&blob);
            err = window_encode(sums, day_s[d], bucket, &blob);
            buffer_string(&all, (struct slice){blob.p, blob.n});
            blobs++;
        }
    }
    buffer_varint(&run->told, blobs);
    buffer_slice(&run->told, (struct slice){all.p, all.n});
    err = err ? err : all.err;
    buffer_fini(&blob);
    buffer_fini(&all);
    return err;
}

enum weir_err parser_tell(struct run *run, const struct coverage_object *covers, struct decode_growth growth)
{
    const struct ledger_entry *e = &run->fresh[run->fresh_n - 1].entry;
    struct buffer *b = &run->told;
    buffer_clear(b);
    buffer_put(b, e->id.b, SHA256_BYTES);
    buffer_varint(b, e->stored);
    buffer_varint(b, e->records);
    buffer_u64(b, (uint64_t)e->first_s);
    buffer_u64(b, (uint64_t)e->last_s);
    buffer_varint(b, covers->days);
    for (size_t i = 0; i < covers->days; i++)
        buffer_u16(b, covers->day[i]);
    enum weir_err err = tell_sums(run);
    buffer_u32(b, covers->lacking);
    buffer_varint(b, covers->quiet->n);
    for (size_t i = 0; i < covers->quiet->cap; i++)
        if (covers->quiet->key[i])
            buffer_u64(b, covers->quiet->key[i]);
    buffer_varint(b, growth.n);
    for (size_t i = 0; i < growth.n; i++)
        buffer_put(b, growth.print[i].b, SHA256_BYTES);
    return err ? err : b->err;
}

/* ---- the side of the run ---- */

struct told {
    struct run_counts counts;
    struct fresh_object object;
    size_t days;
    uint16_t day[RUN_OPEN_DAYS_MAX];
    uint32_t lacking;
    struct key_set quiet;
    struct sha256 *print;
    struct decode_growth growth;
};

static enum weir_err read_sums(struct cursor *c, struct window *scratch)
{
    uint64_t blobs = cursor_varint(c);
    enum weir_err err = blobs > BLOBS_MAX ? WEIR_CORRUPT : c->err;
    window_reset(scratch);
    for (uint64_t i = 0; i < blobs && !err; i++) {
        struct slice blob = cursor_string(c, STORE_VALUE_MAX);
        err = c->err ? c->err : window_decode(scratch, blob);
        err = err == WEIR_LIMIT ? WEIR_OK : err; /* counted as folded */
    }
    return err;
}

static enum weir_err read_quiet(struct cursor *c, struct key_set *quiet)
{
    uint64_t n = cursor_varint(c);
    if (c->err || n > cursor_left(c) / sizeof(uint64_t))
        return WEIR_CORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key = cursor_u64(c);
        if (!key)
            return WEIR_CORRUPT;
        if (!key_set_add(quiet, key))
            return WEIR_NOMEM;
    }
    return c->err;
}

static enum weir_err read_growth(struct cursor *c, struct told *t)
{
    uint64_t n = cursor_varint(c);
    if (c->err || n > cursor_left(c) / SHA256_BYTES)
        return WEIR_CORRUPT;
    if (n && !(t->print = malloc((size_t)n * sizeof *t->print)))
        return WEIR_NOMEM;
    for (uint64_t i = 0; i < n; i++)
        memcpy(t->print[i].b, cursor_bytes(c, SHA256_BYTES).p, SHA256_BYTES);
    t->growth = (struct decode_growth){t->print, (size_t)n};
    return c->err;
}

static enum weir_err read_told(struct cursor *c, struct told *t, struct window *scratch)
{
    struct ledger_entry *e = &t->object.entry;
    struct slice id = cursor_bytes(c, SHA256_BYTES);
    if (c->err)
        return c->err;
    memcpy(e->id.b, id.p, SHA256_BYTES);
    e->stored = cursor_varint(c);
    e->records = cursor_varint(c);
    e->first_s = (int64_t)cursor_u64(c);
    e->last_s = (int64_t)cursor_u64(c);
    t->days = (size_t)cursor_varint(c);
    if (c->err || t->days > RUN_OPEN_DAYS_MAX)
        return WEIR_CORRUPT;
    for (size_t i = 0; i < t->days; i++)
        t->day[i] = cursor_u16(c);
    enum weir_err err = read_sums(c, scratch);
    t->lacking = cursor_u32(c);
    if (!err)
        err = read_quiet(c, &t->quiet);
    if (!err)
        err = read_growth(c, t);
    return err ? err : cursor_left(c) ? WEIR_CORRUPT : c->err;
}

static enum weir_err note(struct run *run, size_t index, struct told *t)
{
    const struct object *o = object_list_at(run->list, index);
    struct fresh_object *fresh = array_grow(run->fresh, &run->fresh_cap, run->fresh_n, sizeof *fresh);
    if (!fresh)
        return WEIR_NOMEM;
    run->fresh = fresh;
    t->object.index = index;
    t->object.first_day = run->fresh_days;
    t->object.days = t->days;
    t->object.entry.path = slice_of(o->path);
    t->object.entry.key = o->key;
    for (size_t i = 0; i < t->days; i++) {
        uint16_t *day = array_grow(run->fresh_day, &run->fresh_days_cap, run->fresh_days, sizeof *day);
        if (!day)
            return WEIR_NOMEM;
        run->fresh_day = day;
        day[run->fresh_days++] = t->day[i];
    }
    fresh[run->fresh_n++] = t->object;
    const struct coverage_object covers = {.account = o->from.account, .flow_log = o->from.flow_log, .bucket_s = o->from.bucket_s, .lacking = t->lacking,
                                           .day = t->day, .days = t->days, .quiet = &t->quiet};
    return coverage_add(&run->coverage, &covers);
}

/* EXISTS: other records of an object that grows were counted than *pass_over, which then tells how many. */
static enum weir_err settle_growth(struct run *run, const struct told *t, uint64_t *pass_over)
{
    uint64_t counted;
    enum weir_err err = growth_counted(&run->growths, run->store, t->growth, &counted, NULL);
    if (!err && counted != *pass_over)
        err = WEIR_EXISTS;
    if (err == WEIR_EXISTS)
        *pass_over = counted;
    return err;
}

static enum weir_err take_counted(struct run *run, size_t index, struct told *t, struct cursor *c, uint64_t *pass_over, struct window *scratch)
{
    enum weir_err err = read_told(c, t, scratch);
    if (err)
        return err == WEIR_NOMEM ? err : WEIR_CORRUPT;
    if ((err = settle_growth(run, t, pass_over)))
        return err;
    t->object.entry.counted = *pass_over;
    if ((t->growth.n && *pass_over == t->growth.n) || run_counted_already(run, &t->object.entry.id)) {
        run->counts.objects_duplicate++;
        run_note_found(run, index, &t->object.entry.id);
        return WEIR_OK;
    }
    err = window_merge(run->window, scratch);
    if (err && err != WEIR_LIMIT)
        return err;
    err = note(run, index, t);
    if (!err)
        err = growth_note(&run->growths, t->growth);
    if (!err)
        run_counts_add(&run->counts, &t->counts);
    return err;
}

enum weir_err parser_take(struct run *run, size_t index, struct slice bytes, bool counted, uint64_t *pass_over, struct window *scratch)
{
    struct told *t = calloc(1, sizeof *t);
    struct cursor c = cursor_of(bytes.p, bytes.n);
    if (!t)
        return WEIR_NOMEM;
    struct slice counts = cursor_bytes(&c, sizeof t->counts);
    enum weir_err err = c.err ? WEIR_CORRUPT : WEIR_OK;
    if (!err)
        memcpy(&t->counts, counts.p, sizeof t->counts);
    if (!err && counted)
        err = take_counted(run, index, t, &c, pass_over, scratch);
    else if (!err)
        run_counts_add(&run->counts, &t->counts);
    key_set_free(&t->quiet);
    free(t->print);
    free(t);
    return err;
}
