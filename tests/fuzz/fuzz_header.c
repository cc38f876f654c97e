/* A hostile object: its first line as a header, all of it through the decoder. Claims: a layout that is accepted has no
 * field twice; an object cut anywhere (first byte) gives the same counts and the same records as whole, on both fast paths;
 * lines = emitted + rejected. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/internal.h"

#define CLAIM(x) ((x) ? (void)0 : abort())

struct outcome {
    struct decode_counts counts;
    enum decode_bad bad;
    uint64_t digest; /* of the records */
};

static void digest_record(void *ctx, const struct record *r)
{
    struct outcome *o = ctx;
    const uint64_t parts[] = {o->digest, r->line, r->has, r->bytes, r->packets, (uint64_t)r->start_s, (uint64_t)r->end_s, r->src.lo, r->dst.lo,
                              r->src_port, r->protocol, r->action, r->status, stable_hash(r->text.p, r->text.n), stable_hash(r->interface.p, r->interface.n)};
    o->digest = stable_hash(parts, sizeof parts);
}

/* Feed an exact-size copy. */
static enum weir_err feed(struct decoder *d, const uint8_t *p, size_t n)
{
    char *memory = malloc(DECODE_HEADROOM + n);
    CLAIM(memory);
    memcpy(memory + DECODE_HEADROOM, p, n);
    enum weir_err err = decoder_feed(d, memory + DECODE_HEADROOM, n, NULL);
    free(memory);
    return err;
}

static void decode(const uint8_t *p, size_t n, size_t cut, const struct layout *configured, bool plain, struct outcome *o)
{
    static struct outcome now;
    static struct decoder *d; /* kept: half a MiB a run would be the cost of the run */
    static block_reader *fast;
    enum weir_err err = WEIR_OK;
    if (!d) {
        d = decoder_new(NULL, (struct decode_sink){&now, digest_record, NULL});
        CLAIM(d);
        fast = d->block;
    }
    d->block = plain ? block_plain : fast;
    d->configured = configured;
    memset(&now, 0, sizeof now);
    decoder_begin(d);
    for (size_t at = 0; at < n && !err; at += cut)
        err = feed(d, p + at, cut < n - at ? cut : n - at);
    if (!err)
        err = decoder_end(d, NULL);
    now.counts = *decoder_counts(d);
    now.bad = decoder_bad(d);
    CLAIM((err == WEIR_OK) == (now.bad == BAD_NONE));
    *o = now;
}

static void claim_law(const struct decode_counts *c)
{
    uint64_t sum = c->emitted;
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        sum += c->rejected[i];
    CLAIM(sum == c->lines && c->emitted == c->by_status[0] + c->by_status[1] + c->by_status[2]);
}

static void claim_same_when_cut(const uint8_t *p, size_t n, size_t cut, const struct layout *configured)
{
    struct outcome whole, parts;
    decode(p, n, n, configured, false, &whole);
    decode(p, n, cut, configured, true, &parts);
    claim_law(&whole.counts);
    CLAIM(memcmp(&whole, &parts, sizeof whole) == 0);
}

static void claim_sound_layout(struct slice header)
{
    bool seen[FIELD_COUNT] = {false};
    struct layout layout;
    struct buffer words;
    if (layout_parse(header, &layout, NULL, NULL) != WEIR_OK)
        return;
    CLAIM(layout.columns > 0 && layout.columns <= DECODE_COLUMNS_MAX);
    for (unsigned c = 0; c < layout.columns; c++) {
        CLAIM(layout.field[c] <= FIELD_UNKNOWN && (layout.field[c] == FIELD_UNKNOWN || !seen[layout.field[c]]));
        if (layout.field[c] < FIELD_COUNT)
            seen[layout.field[c]] = true;
    }
    buffer_init(&words, 256);
    layout_missing(&layout, &words);
    CLAIM(words.err == WEIR_OK);
    buffer_fini(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct layout configured;
    if (size < 2 || size > 200000)
        return 0;
    size_t cut = (size_t)data[0] + 1 + size / 64;
    const uint8_t *newline = memchr(data + 1, '\n', size - 1);
    claim_sound_layout((struct slice){(const char *)data + 1, newline ? (size_t)(newline - data) - 1 : size - 1});
    layout_default(&configured);
    claim_same_when_cut(data + 1, size - 1, cut, NULL);
    claim_same_when_cut(data + 1, size - 1, cut, &configured);
    return 0;
}
