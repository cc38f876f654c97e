/* Values as a server keeps them: memory there is what a shared store costs, and what is normal for a host has long runs of equal small
 * numbers, so a value of some hundred bytes to some thousand is compressed if that makes it smaller. Larger ones are left alone: they would
 * cost time, and what a server adds to each value is little beside them.
 * Stored is the value as it is; or 0xff 1 and a frame of zstd with the size of what is in it and a checksum; or, if the value begins
 * with 0xff itself, 0xff 0 and the value. A frame that claims more than is ever wrapped is damaged. Source: RFC 8878 (Zstandard). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <stdlib.h>
#include <zstd.h>

#define LEAST ((size_t)192)
#define MOST ((size_t)16 << 10)
#define LEVEL 1

#define MARK '\xff'
enum { AS_IT_IS = 0, FRAME = 1, HEAD = 2 };

struct redis_pack {
    ZSTD_CCtx *in;
    ZSTD_DCtx *out;
    char *packed, *plain;
    size_t cap; /* of packed */
    struct buffer marked;
};

void redis_pack_free(struct redis_pack *p)
{
    if (!p)
        return;
    ZSTD_freeCCtx(p->in);
    ZSTD_freeDCtx(p->out);
    free(p->packed);
    free(p->plain);
    buffer_fini(&p->marked);
    free(p);
}

struct redis_pack *redis_pack_new(void)
{
    struct redis_pack *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->in = ZSTD_createCCtx();
    p->out = ZSTD_createDCtx();
    p->cap = HEAD + ZSTD_compressBound(MOST);
    buffer_init(&p->marked, HEAD + (size_t)STORE_VALUE_MAX);
    p->packed = malloc(p->cap);
    p->plain = malloc(MOST);
    if (p->in && p->out && p->packed && p->plain && !ZSTD_isError(ZSTD_CCtx_setParameter(p->in, ZSTD_c_compressionLevel, LEVEL)) &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(p->in, ZSTD_c_checksumFlag, 1)))
        return p;
    redis_pack_free(p);
    return NULL;
}

static bool is_marked(struct slice s) { return s.n && s.p[0] == MARK; }

static enum weir_err mark(struct redis_pack *p, struct slice value, struct slice *out)
{
    buffer_clear(&p->marked);
    buffer_u8(&p->marked, (uint8_t)MARK);
    buffer_u8(&p->marked, AS_IT_IS);
    buffer_slice(&p->marked, value);
    *out = (struct slice){p->marked.p, p->marked.n};
    return p->marked.err;
}

enum weir_err redis_pack(struct redis_pack *p, struct slice value, struct slice *out)
{
    *out = value;
    if (is_marked(value))
        return mark(p, value, out);
    if (value.n < LEAST || value.n > MOST)
        return WEIR_OK;
    size_t n = ZSTD_compress2(p->in, p->packed + HEAD, p->cap - HEAD, value.p, value.n);
    if (ZSTD_isError(n))
        return WEIR_NOMEM;
    p->packed[0] = MARK;
    p->packed[1] = FRAME;
    if (HEAD + n < value.n)
        *out = (struct slice){p->packed, HEAD + n};
    return WEIR_OK;
}

enum weir_err redis_unpack(struct redis_pack *p, struct slice stored, struct slice *out)
{
    *out = stored;
    if (!is_marked(stored))
        return WEIR_OK;
    if (stored.n < HEAD || stored.p[1] > FRAME)
        return WEIR_CORRUPT;
    struct slice rest = {stored.p + HEAD, stored.n - HEAD};
    *out = rest;
    if (stored.p[1] == AS_IT_IS)
        return is_marked(rest) ? WEIR_OK : WEIR_CORRUPT;
    unsigned long long claimed = ZSTD_getFrameContentSize(rest.p, rest.n);
    if (claimed > MOST) /* its two errors are the largest numbers */
        return WEIR_CORRUPT;
    size_t n = ZSTD_decompressDCtx(p->out, p->plain, MOST, rest.p, rest.n);
    if (ZSTD_isError(n) || n != claimed)
        return WEIR_CORRUPT;
    *out = (struct slice){p->plain, n};
    return WEIR_OK;
}
