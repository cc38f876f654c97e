/* Raw deflate through zlib: the reference. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <zlib.h>

#include "source/internal.h"

#define RAW_DEFLATE (-15)
#define CALL_MAX (1U << 30) /* the counters of zlib have 32 bits */

static const char *zlib_name(void)
{
    return "zlib " ZLIB_VERSION;
}

static void *zlib_open(void)
{
    z_stream *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    if (inflateInit2(z, RAW_DEFLATE) != Z_OK) {
        free(z);
        return NULL;
    }
    /* An empty dictionary makes zlib allocate its window now, not in the middle of an object. */
    if (inflateSetDictionary(z, (const Bytef *)"", 0) != Z_OK || inflateReset(z) != Z_OK) {
        inflateEnd(z);
        free(z);
        return NULL;
    }
    return z;
}

static void zlib_close(void *state)
{
    if (state)
        inflateEnd(state);
    free(state);
}

static void zlib_reset(void *state)
{
    inflateReset(state);
}

static enum inflate_result zlib_run(void *state, struct inflate_io *io)
{
    z_stream *z = state;
    z->next_in = (z_const Bytef *)io->in;
    z->avail_in = io->in_n < CALL_MAX ? (uInt)io->in_n : CALL_MAX;
    z->next_out = io->out;
    z->avail_out = io->out_n < CALL_MAX ? (uInt)io->out_n : CALL_MAX;
    int rc = inflate(z, Z_NO_FLUSH);
    io->in_n -= (size_t)(z->next_in - io->in);
    io->in = z->next_in;
    io->out_n -= (size_t)(z->next_out - io->out);
    io->out = z->next_out;
    io->behind_n = 0;
    if (rc == Z_OK || rc == Z_BUF_ERROR)
        return INFLATE_GOING;
    if (rc == Z_STREAM_END)
        return INFLATE_DONE;
    io->cause = z->msg ? z->msg : "invalid deflate data";
    return INFLATE_DAMAGED;
}

static uint32_t zlib_crc(uint32_t crc, const void *bytes, size_t n)
{
    return (uint32_t)crc32_z(crc, bytes, n);
}

const struct inflate_ops inflate_zlib_ops = {zlib_name, zlib_open, zlib_close, zlib_reset, zlib_run, zlib_crc};
