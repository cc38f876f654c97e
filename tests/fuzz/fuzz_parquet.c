/* Any bytes as a Parquet file: an error by name or records, and lines = emitted + rejects. Read twice by one decoder: what one file left behind
 * never shows in the next. */
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

static uint64_t run_once(struct decoder *d, uint64_t *print, struct slice object, enum weir_err *err)
{
    struct pieces pieces = {.object = object};
    struct decode_input input = {&pieces, pieces_next, pieces_spool, pieces_spooled};
    struct fault fault;
    *print = 0;
    *err = decoder_run(d, &input, &fault);
    free(pieces.memory);
    free(pieces.spooled);
    const struct decode_counts *c = decoder_counts(d);
    uint64_t lines = c->emitted;
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        lines += c->rejected[i];
    check(lines == c->lines, "lines != emitted + rejects");
    check((*err == WEIR_OK) == (decoder_bad(d) == BAD_NONE), "an error without a reason");
    check(*err == WEIR_OK || *err == WEIR_UNSUPPORTED, "an error that is none of the file");
    return *print;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder *d;
    static uint64_t print;
    enum weir_err first, second;
    if (size < 4 || memcmp(data, "PAR1", 4) != 0)
        return 0;
    if (!d)
        d = decoder_new(NULL, (struct decode_sink){&print, count, NULL});
    struct slice object = {(const char *)data, size};
    uint64_t one = run_once(d, &print, object, &first), two = run_once(d, &print, object, &second);
    check(one == two && first == second, "the second reading differs");
    return 0;
}
