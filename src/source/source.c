/* One object from open to end: what is it, unwrap it (gzip, and gzip in gzip as Firehose makes it), and be sure of the whole.
 *
 * Second opinion: a gzip object that the fast engine leads us to refuse is read again from its start by zlib, which then names
 * the reason; output that was handed out already is not handed out again. The caller throws a refused object away anyhow,
 * so this costs time on refused objects only, and the reason does not depend on the engine.
 *
 * Bombs: deflate reaches 1032:1. Flow logs reach 5 to 15, NODATA lines of one interface some 60; 200 leaves room and still
 * stops a bomb early. Small objects may do as they like: up to 64 MiB of output no ratio is looked at. The bound is fixed
 * when the object is opened, by its stored size, so that the verdict cannot depend on how far an engine has read ahead. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "source/fetch.h"
#include "source/input.h"

#define LEVELS 2
#define MIDDLE_BYTES (64 * 1024) /* between two levels; no more than the smallest out of source_read */
#define RATIO_FREE_BYTES (64ULL << 20)

const struct source_limits source_default_limits = {
    .max_object_bytes = 64ULL << 30,
    .max_ratio = 200,
    .max_objects = 10000000,
};

struct level {
    struct gunzip gunzip;
    struct bytes_in in;
};

struct source {
    struct source_limits limits;
    const struct inflate_ops *fast; /* the engine asked for; zlib gives the second opinion */
    void *fast_state[LEVELS], *zlib_state[LEVELS];
    struct input input;
    struct level level[LEVELS];
    unsigned char *middle; /* what level 0 made for level 1 */
    unsigned levels;       /* gzip levels in use; 0 = plain */
    bool settled;          /* what comes out is known not to be gzip or foreign */
    bool second_opinion;
    uint64_t skip_bytes; /* handed out before the second opinion */
    uint64_t limit_bytes, inflated_bytes;
    bool gz_name, has_name;
    enum source_reject why;
    struct sha256 id;
};

struct source *source_new(const struct source_limits *limits, enum inflate_engine engine)
{
    const struct inflate_ops *ops = inflate_ops_of(engine);
    struct source *s = ops ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    s->limits = limits ? *limits : source_default_limits;
    s->fast = ops;
    s->middle = malloc(MIDDLE_BYTES);
    bool ok = input_init(&s->input) && s->middle;
    for (size_t i = 0; i < LEVELS && ok; i++) {
        s->zlib_state[i] = inflate_zlib_ops.open();
        s->fast_state[i] = ops == &inflate_zlib_ops ? s->zlib_state[i] : ops->open();
        ok = s->zlib_state[i] && s->fast_state[i];
    }
    if (ok)
        return s;
    source_free(s);
    return NULL;
}

void source_free(struct source *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < LEVELS; i++) {
        if (s->fast_state[i] != s->zlib_state[i])
            s->fast->close(s->fast_state[i]);
        inflate_zlib_ops.close(s->zlib_state[i]);
    }
    input_fini(&s->input);
    free(s->middle);
    free(s);
}

void source_set_chunk(struct source *s, size_t n)
{
    s->input.piece_bytes = n > 0 && n < INPUT_PIECE_BYTES ? n : INPUT_PIECE_BYTES;
}

static enum weir_err rejected(struct source *s, enum source_reject why, struct fault *fault, const char *what)
{
    s->why = why;
    return fault_set(fault, source_reject_err(why), "%s", what);
}

static enum weir_err foreign(struct source *s, const char *name, struct fault *fault)
{
    s->why = SOURCE_FOREIGN;
    return fault_set(fault, source_reject_err(s->why), "not flow logs: %s", name);
}

static void start_level(struct source *s, unsigned i)
{
    bool reference = s->second_opinion;
    gunzip_start(&s->level[i].gunzip, reference ? &inflate_zlib_ops : s->fast, reference ? s->zlib_state[i] : s->fast_state[i], s->limit_bytes);
    s->level[i].in = (struct bytes_in){0};
    s->levels = i + 1;
}

static uint64_t limit_of(const struct source_limits *limits, uint64_t stored)
{
    uint64_t by_ratio;
    if (__builtin_mul_overflow(stored, (uint64_t)limits->max_ratio, &by_ratio))
        by_ratio = UINT64_MAX;
    if (by_ratio < RATIO_FREE_BYTES)
        by_ratio = RATIO_FREE_BYTES;
    uint64_t limit = by_ratio < limits->max_object_bytes ? by_ratio : limits->max_object_bytes;
    return limit < UINT64_MAX ? limit : UINT64_MAX - 1; /* one byte more is made to see that it is passed */
}

/* What is away now may be read later: then nothing is wrong with the object. */
static enum source_reject why_unreadable(enum weir_err err) { return fetch_is_away(err) ? SOURCE_ACCEPTED : SOURCE_UNREADABLE; }

/* To the start of what is open: the first piece is read and looked at. */
static enum weir_err start(struct source *s, struct fault *fault)
{
    struct bytes_in first = {0};
    const char *name;
    size_t seen = 0;
    s->levels = 0;
    s->settled = false;
    enum weir_err err = input_first(&s->input, &first.p, &first.n, &seen, fault);
    if (err != WEIR_OK) {
        s->why = why_unreadable(err);
        return err;
    }
    switch (sniff(first.p, seen, &name)) {
    case SNIFFED_FOREIGN: return foreign(s, name, fault);
    case SNIFFED_GZIP: start_level(s, 0); break;
    case SNIFFED_TEXT: s->settled = true; break;
    }
    s->level[0].in = first;
    return WEIR_OK;
}

static enum weir_err open_input(struct source *s, const char *path, struct fault *fault)
{
    struct slice name = slice_of(path), gz = SLICE_LIT(".gz");
    s->why = SOURCE_ACCEPTED;
    s->has_name = name.n > 0 && strcmp(path, "-") != 0;
    s->gz_name = name.n >= gz.n && memcmp(name.p + name.n - gz.n, gz.p, gz.n) == 0;
    s->second_opinion = false;
    s->skip_bytes = s->inflated_bytes = 0;
    s->limit_bytes = limit_of(&s->limits, s->input.size_bytes);
    return start(s, fault);
}

enum weir_err source_open(struct source *s, const struct object *o, struct fault *fault)
{
    struct opened file;
    enum weir_err err = open_object(o, s->limits.max_object_bytes, &file, &s->why, fault);
    input_close(&s->input); /* after the new one is open: one that is far and read again is still there */
    s->levels = 0;
    s->inflated_bytes = 0;
    if (err != WEIR_OK)
        return err;
    input_from_file(&s->input, file);
    return open_input(s, o->path, fault);
}

enum weir_err source_open_bytes(struct source *s, const void *bytes, size_t n, struct fault *fault)
{
    input_from_memory(&s->input, bytes, n);
    return open_input(s, "", fault);
}

static enum weir_err run_level(struct source *s, unsigned i, unsigned char *out, size_t cap, size_t *n, struct fault *fault);

/* More input for level i: from the file, or from the level below. */
static enum weir_err refill(struct source *s, unsigned i, struct fault *fault)
{
    struct bytes_in *in = &s->level[i].in;
    enum weir_err err;
    if (i == 0) {
        err = input_next(&s->input, &in->p, &in->n, fault);
        if (err != WEIR_OK)
            s->why = why_unreadable(err);
        in->last = in->n == 0;
        return err;
    }
    err = run_level(s, i - 1, s->middle, MIDDLE_BYTES, &in->n, fault);
    in->p = s->middle;
    in->last = err == WEIR_END;
    return err == WEIR_END ? WEIR_OK : err;
}

static enum weir_err level_rejected(struct source *s, unsigned i, struct fault *fault)
{
    const struct gunzip *g = &s->level[i].gunzip;
    s->why = g->why;
    return fault_set(fault, source_reject_err(g->why), "%s at %soffset %llu", g->cause, i ? "inner compressed " : "compressed ",
                     (unsigned long long)g->in_bytes);
}

static enum weir_err run_level(struct source *s, unsigned i, unsigned char *out, size_t cap, size_t *n, struct fault *fault)
{
    for (;;) {
        enum weir_err err = gunzip_run(&s->level[i].gunzip, &s->level[i].in, out, cap, n);
        if (err != WEIR_OK && err != WEIR_END)
            return level_rejected(s, i, fault);
        if (err == WEIR_END || *n > 0)
            return err;
        err = refill(s, i, fault);
        if (err != WEIR_OK)
            return err;
    }
}

static enum weir_err read_plain(struct source *s, unsigned char *out, size_t cap, size_t *n, struct fault *fault)
{
    struct bytes_in *in = &s->level[0].in;
    if (in->n == 0) {
        enum weir_err err = refill(s, 0, fault);
        if (err != WEIR_OK)
            return err;
        if (in->n == 0)
            return WEIR_END;
    }
    *n = in->n < cap ? in->n : cap;
    if (*n > s->limit_bytes - s->inflated_bytes)
        return rejected(s, SOURCE_BOMB, fault, "longer than the limit");
    memcpy(out, in->p, *n);
    in->p += *n;
    in->n -= *n;
    return WEIR_OK;
}

static bool is_doubtful(const struct source *s, enum weir_err err)
{
    return !fetch_is_away(err) && s->fast != &inflate_zlib_ops && !s->second_opinion && s->levels > 0 && s->why != SOURCE_UNREADABLE;
}

/* Look at the first inflated bytes: text goes out, gzip is unwrapped once more, all else is foreign. */
static enum weir_err settle(struct source *s, unsigned char *out, size_t cap, size_t *n, struct fault *fault)
{
    const char *name;
    size_t have = 0, want = cap < MIDDLE_BYTES ? cap : MIDDLE_BYTES;
    enum weir_err err = WEIR_OK;
    while (err == WEIR_OK && have < SNIFF_BYTES) {
        size_t more = 0;
        err = run_level(s, s->levels - 1, out + have, want - have, &more, fault);
        have += more;
    }
    if (err != WEIR_OK && err != WEIR_END && is_doubtful(s, err))
        return err;
    switch (sniff(out, have, &name)) {
    case SNIFFED_FOREIGN: return foreign(s, name, fault);
    case SNIFFED_TEXT: break;
    case SNIFFED_GZIP:
        if (s->levels == LEVELS)
            return rejected(s, SOURCE_NESTED, fault, source_reject_text(SOURCE_NESTED));
        memcpy(s->middle, out, have);
        start_level(s, s->levels);
        s->level[s->levels - 1].in = (struct bytes_in){.p = s->middle, .n = have};
        return WEIR_OK;
    }
    s->settled = true;
    *n = have;
    if (have == 0)
        return err;
    s->why = SOURCE_ACCEPTED; /* an error comes again, behind these bytes */
    return WEIR_OK;
}

static enum weir_err step(struct source *s, unsigned char *out, size_t cap, size_t *n, struct fault *fault)
{
    *n = 0;
    if (!s->settled)
        return settle(s, out, cap, n, fault);
    if (s->levels == 0)
        return read_plain(s, out, cap, n, fault);
    return run_level(s, s->levels - 1, out, cap, n, fault);
}

/* Of n bytes made by the second opinion, leave out what was handed out before. */
static size_t skip(struct source *s, unsigned char *out, size_t n)
{
    size_t old = s->skip_bytes < n ? (size_t)s->skip_bytes : n;
    s->skip_bytes -= old;
    memmove(out, out + old, n - old);
    return n - old;
}

static enum weir_err finish(struct source *s, struct fault *fault)
{
    if (s->second_opinion) /* what was handed out cannot be vouched for */
        return rejected(s, SOURCE_GZIP_DATA, fault, "the two inflaters disagree about the gzip data");
    sha256_end(s->input.sha, &s->id);
    return WEIR_END;
}

enum weir_err source_read(struct source *s, char *out, size_t cap, size_t *n, struct fault *fault)
{
    unsigned char *bytes = (unsigned char *)out;
    size_t made = 0;
    *n = 0;
    while (made == 0) {
        enum weir_err err = step(s, bytes, cap, &made, fault);
        if (err == WEIR_END)
            return finish(s, fault);
        if (err != WEIR_OK && is_doubtful(s, err)) {
            s->second_opinion = true;
            s->skip_bytes = s->inflated_bytes;
            s->why = SOURCE_ACCEPTED;
            err = start(s, fault);
            made = 0;
        }
        if (err != WEIR_OK)
            return err;
        made = skip(s, bytes, made);
    }
    s->inflated_bytes += made;
    *n = made;
    return WEIR_OK;
}

enum source_reject source_why(const struct source *s)
{
    return s->why;
}

unsigned source_notes(const struct source *s)
{
    unsigned notes = 0;
    for (unsigned i = 0; i < s->levels; i++) {
        const struct gunzip *g = &s->level[i].gunzip;
        notes |= (g->members > 1 ? SOURCE_NOTE_MULTI_MEMBER : 0U) | (g->padding_bytes ? SOURCE_NOTE_PADDING : 0U) |
                 (g->tail_bytes ? SOURCE_NOTE_GARBAGE : 0U);
    }
    if (s->inflated_bytes == 0 && s->settled)
        notes |= SOURCE_NOTE_EMPTY;
    if (s->levels == LEVELS)
        notes |= SOURCE_NOTE_NESTED;
    if (s->levels == 0 && s->gz_name && s->input.size_bytes > 0)
        notes |= SOURCE_NOTE_PLAIN_GZ_NAME;
    if (s->levels > 0 && s->has_name && !s->gz_name)
        notes |= SOURCE_NOTE_GZIP_NO_SUFFIX;
    return notes;
}

uint64_t source_stored_bytes(const struct source *s)
{
    return s->input.at - s->level[0].in.n;
}

uint64_t source_inflated_bytes(const struct source *s)
{
    return s->inflated_bytes;
}

void source_id(const struct source *s, struct sha256 *out)
{
    *out = s->id;
}

enum weir_err source_hash(struct source *s, const struct object *o, struct sha256 *out, struct fault *fault)
{
    struct opened file;
    const unsigned char *p;
    size_t n = 0;
    input_close(&s->input);
    enum weir_err err = open_object(o, s->limits.max_object_bytes, &file, &s->why, fault);
    if (err != WEIR_OK)
        return err;
    input_from_file(&s->input, file);
    do
        err = input_next(&s->input, &p, &n, fault);
    while (err == WEIR_OK && n > 0);
    if (err != WEIR_OK)
        s->why = why_unreadable(err);
    else
        sha256_end(s->input.sha, out);
    return err;
}
