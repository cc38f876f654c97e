/* Raw deflate through Intel's ISA-L: three to four times as fast as zlib on flow logs, with a CRC that is almost free.
 * At the end of the data up to eight bytes behind them sit in its bit buffer: they are handed back in io->behind.
 * It accepts Huffman codes with unused leaves, which zlib refuses and no compressor writes; such data pass here if their CRC and
 * length fit. Whatever it leads us to refuse is judged again by zlib (source.c), so that the reason does not depend on the engine.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/internal.h"

#ifdef WEIR_HAVE_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#define CALL_MAX (1U << 30)

static const char *isal_name(void)
{
    return "isa-l";
}

static void *isal_open(void)
{
    struct inflate_state *z = calloc(1, sizeof *z);
    if (z)
        isal_inflate_init(z);
    return z;
}

static void isal_close(void *state)
{
    free(state);
}

static void isal_reset(void *state)
{
    isal_inflate_reset(state);
}

static void hand_back(struct inflate_state *z, struct inflate_io *io)
{
    uint64_t bits = z->read_in >> (z->read_in_length & 7);
    io->behind_n = (size_t)z->read_in_length / 8;
    for (size_t i = 0; i < io->behind_n; i++)
        io->behind[i] = (unsigned char)(bits >> (8 * i));
}

static enum inflate_result isal_run(void *state, struct inflate_io *io)
{
    struct inflate_state *z = state;
    z->next_in = (uint8_t *)io->in; /* its interface lacks the const; it does not write there */
    z->avail_in = io->in_n < CALL_MAX ? (uint32_t)io->in_n : CALL_MAX;
    z->next_out = io->out;
    z->avail_out = io->out_n < CALL_MAX ? (uint32_t)io->out_n : CALL_MAX;
    int rc = isal_inflate(z);
    io->in_n -= (size_t)(z->next_in - io->in);
    io->in = z->next_in;
    io->behind_n = 0;
    if (rc != ISAL_DECOMP_OK) {
        io->cause = "invalid deflate data";
        return INFLATE_DAMAGED; /* the output of this call is left out: the reference makes it anew */
    }
    io->out_n -= (size_t)(z->next_out - io->out);
    io->out = z->next_out;
    if (z->block_state != ISAL_BLOCK_FINISH)
        return INFLATE_GOING;
    hand_back(z, io);
    return INFLATE_DONE;
}

static uint32_t isal_crc(uint32_t crc, const void *bytes, size_t n)
{
    return crc32_gzip_refl(crc, bytes, n);
}

const struct inflate_ops inflate_isal_ops = {isal_name, isal_open, isal_close, isal_reset, isal_run, isal_crc};
#endif
