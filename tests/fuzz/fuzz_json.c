/* Any bytes as a JSON object, in pieces of a size that the first byte tells, and whole: the same verdict and the same records, and lines = emitted +
 * rejects. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../object_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine, const char *what)
{
    if (!fine) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void count(void *ctx, const struct record *r)
{
    uint64_t *print = ctx;
    print_number(print, record_print(r));
}

static enum weir_err run_once(struct decoder *d, uint64_t *print, struct slice object, size_t piece)
{
    struct pieces pieces = {.object = object, .piece = piece};
    struct decode_input input = {&pieces, pieces_next, pieces_spool, pieces_spooled};
    struct fault fault;
    *print = 0;
    enum weir_err err = decoder_run(d, &input, &fault);
    free(pieces.memory);
    free(pieces.spooled);
    const struct decode_counts *c = decoder_counts(d);
    uint64_t lines = c->emitted;
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        lines += c->rejected[i];
    check(lines == c->lines, "lines != emitted + rejects");
    check((err == WEIR_OK) == (decoder_bad(d) == BAD_NONE), "an error without a reason");
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder *d;
    static uint64_t print;
    if (size < 2 || strcmp(decode_kind((struct slice){(const char *)data + 1, size - 1}), "json") != 0)
        return 0;
    if (!d)
        d = decoder_new(NULL, (struct decode_sink){&print, count, NULL});
    struct slice object = {(const char *)data + 1, size - 1};
    enum weir_err whole = run_once(d, &print, object, 0);
    uint64_t wanted = print;
    enum weir_err pieces = run_once(d, &print, object, 1 + data[0] % 64);
    check(whole == pieces && (whole != WEIR_OK || wanted == print), "the pieces show");
    return 0;
}
