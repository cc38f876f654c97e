/* The gzip format (RFC 1952) around raw deflate, fed in pieces of any size. Ours, because the ready-made loops lose data in
 * silence: gzread ignores what follows a member's padding and reports a truncated file as a clean end (zlib 1.2.13).
 *
 * Behind a member may follow: another one; NULs (tape padding), and then another one; or foreign bytes to the end. Foreign
 * bytes are counted and passed over, unless they could hide records: a gzip magic among them, or a beginning that two of the
 * three magic bytes fit (a damaged member header), is GZIP_GARBAGE. A lone 1F or 1F 8B at the end is a truncated member. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/internal.h"

enum { FLAG_HEADER_CRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAGS_RESERVED = 0xe0 };
#define MAGIC_1 0x1f
#define MAGIC_2 0x8b
#define METHOD_DEFLATE 8
#define HEADER_BYTES 10
#define TRAILER_BYTES 8

void gunzip_start(struct gunzip *g, const struct inflate_ops *ops, void *state, uint64_t limit_bytes)
{
    *g = (struct gunzip){.ops = ops, .state = state, .limit_bytes = limit_bytes, .phase = GUNZIP_BETWEEN};
}

static void reject(struct gunzip *g, enum source_reject why, const char *cause)
{
    g->phase = GUNZIP_REJECTED;
    g->why = why;
    g->cause = cause;
}

static uint32_t little_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void enter(struct gunzip *g, enum gunzip_phase phase)
{
    g->phase = phase;
    g->field_n = 0;
}

static void enter_body(struct gunzip *g)
{
    enter(g, GUNZIP_BODY);
    g->crc = 0;
    g->member_bytes = 0;
    g->ops->reset(g->state);
}

/* The optional header fields come in this order. */
static void enter_next_field(struct gunzip *g)
{
    static const struct {
        unsigned flag;
        enum gunzip_phase phase;
    } fields[] = {{FLAG_EXTRA, GUNZIP_EXTRA_LEN}, {FLAG_NAME, GUNZIP_NAME}, {FLAG_COMMENT, GUNZIP_COMMENT}, {FLAG_HEADER_CRC, GUNZIP_HEADER_CRC}};
    for (size_t i = 0; i < WEIR_COUNT(fields); i++) {
        if (g->flags & fields[i].flag) {
            g->flags &= ~fields[i].flag;
            enter(g, fields[i].phase);
            return;
        }
    }
    enter_body(g);
}

static bool begins_like_member(uint32_t three)
{
    return ((three >> 16 & 0xff) == MAGIC_1) + ((three >> 8 & 0xff) == MAGIC_2) + ((three & 0xff) == METHOD_DEFLATE) >= 2;
}

static void take_tail(struct gunzip *g, unsigned char c)
{
    g->tail_last = (g->tail_last << 8 | c) & 0xffffff;
    g->tail_bytes++;
    if (g->tail_bytes == 3 && begins_like_member(g->tail_last))
        reject(g, SOURCE_GZIP_GARBAGE, "a damaged member header follows the gzip data");
    else if (g->tail_last == (MAGIC_1 << 16 | MAGIC_2 << 8 | METHOD_DEFLATE))
        reject(g, SOURCE_GZIP_GARBAGE, "foreign bytes stand between two gzip members");
}

static void take_between(struct gunzip *g, unsigned char c)
{
    if (c == MAGIC_1) {
        enter(g, GUNZIP_HEADER);
        g->field[g->field_n++] = c;
    } else if (c == 0 && g->members > 0) {
        g->padding_bytes++;
    } else {
        g->phase = GUNZIP_TAIL;
        take_tail(g, c);
    }
}

static void header_complete(struct gunzip *g)
{
    g->flags = g->field[3];
    g->has_header_crc = g->flags & FLAG_HEADER_CRC;
    g->header_crc = g->ops->crc(0, g->field, HEADER_BYTES);
    enter_next_field(g);
}

static void take_header(struct gunzip *g, unsigned char c)
{
    g->field[g->field_n++] = c;
    if (g->field_n == 2 && c != MAGIC_2) {
        g->phase = GUNZIP_TAIL;
        take_tail(g, MAGIC_1);
        take_tail(g, c);
    } else if (g->field_n == 3 && c != METHOD_DEFLATE) {
        reject(g, g->members ? SOURCE_GZIP_GARBAGE : SOURCE_GZIP_HEADER, "the compression method is not deflate");
    } else if (g->field_n == 4 && (c & FLAGS_RESERVED)) {
        reject(g, SOURCE_GZIP_HEADER, "reserved header flags are set");
    } else if (g->field_n == HEADER_BYTES) {
        header_complete(g);
    }
}

static void take_extra_len(struct gunzip *g, unsigned char c)
{
    g->field[g->field_n++] = c;
    if (g->field_n < 2)
        return;
    g->extra_n = (uint32_t)g->field[0] | (uint32_t)g->field[1] << 8;
    if (g->extra_n)
        enter(g, GUNZIP_EXTRA);
    else
        enter_next_field(g);
}

static void take_header_crc(struct gunzip *g, unsigned char c)
{
    g->field[g->field_n++] = c;
    if (g->field_n < 2)
        return;
    if (((uint32_t)g->field[0] | (uint32_t)g->field[1] << 8) != (g->header_crc & 0xffff))
        reject(g, SOURCE_GZIP_CRC, "the header checksum does not fit");
    else
        enter_body(g);
}

static void take_trailer(struct gunzip *g, unsigned char c)
{
    g->field[g->field_n++] = c;
    if (g->field_n < TRAILER_BYTES)
        return;
    g->members++;
    if (little_u32(g->field) != g->crc)
        reject(g, SOURCE_GZIP_CRC, "CRC of the data does not fit");
    else if (little_u32(g->field + 4) != (uint32_t)g->member_bytes)
        reject(g, SOURCE_GZIP_CRC, "length of the data does not fit");
    else
        enter(g, GUNZIP_BETWEEN);
}

/* One byte of framing. */
static void take(struct gunzip *g, unsigned char c)
{
    enum gunzip_phase phase = g->phase;
    g->in_bytes++;
    if (g->has_header_crc && phase >= GUNZIP_EXTRA_LEN && phase <= GUNZIP_COMMENT)
        g->header_crc = g->ops->crc(g->header_crc, &c, 1);
    switch (phase) {
    case GUNZIP_BETWEEN: take_between(g, c); break;
    case GUNZIP_HEADER: take_header(g, c); break;
    case GUNZIP_EXTRA_LEN: take_extra_len(g, c); break;
    case GUNZIP_EXTRA:
        if (++g->field_n == g->extra_n)
            enter_next_field(g);
        break;
    case GUNZIP_NAME:
    case GUNZIP_COMMENT:
        if (c == 0)
            enter_next_field(g);
        break;
    case GUNZIP_HEADER_CRC: take_header_crc(g, c); break;
    case GUNZIP_TRAILER: take_trailer(g, c); break;
    case GUNZIP_TAIL: take_tail(g, c); break;
    case GUNZIP_BODY:
    case GUNZIP_ENDED:
    case GUNZIP_REJECTED: break;
    }
}

static void end_body(struct gunzip *g, const struct inflate_io *io)
{
    g->in_bytes -= io->behind_n;
    enter(g, GUNZIP_TRAILER);
    for (size_t i = 0; i < io->behind_n && g->phase != GUNZIP_REJECTED; i++)
        take(g, io->behind[i]);
}

/* The engine may make one byte more than the limit, so that the verdict is exact and comes at the same place for every engine. */
static size_t run_body(struct gunzip *g, struct bytes_in *in, unsigned char *out, size_t cap)
{
    uint64_t room = g->limit_bytes - g->out_bytes + 1;
    size_t out_n = room < cap ? (size_t)room : cap;
    struct inflate_io io = {.in = in->p, .in_n = in->n, .out = out, .out_n = out_n};
    enum inflate_result result = g->ops->run(g->state, &io);
    size_t made = out_n - io.out_n, used = in->n - io.in_n;
    bool stuck = result == INFLATE_GOING && made == 0 && used == 0 && in->n > 0;
    g->in_bytes += used;
    in->p = io.in;
    in->n = io.in_n;
    g->crc = g->ops->crc(g->crc, out, made);
    g->member_bytes += made;
    g->out_bytes += made;
    if (g->out_bytes > g->limit_bytes)
        reject(g, SOURCE_BOMB, "inflates to more than the limit");
    else if (result == INFLATE_DAMAGED)
        reject(g, SOURCE_GZIP_DATA, io.cause);
    else if (stuck)
        reject(g, SOURCE_GZIP_DATA, "the inflater makes no progress");
    else if (result == INFLATE_DONE)
        end_body(g, &io);
    return made;
}

static void end_of_input(struct gunzip *g)
{
    if (g->phase == GUNZIP_BETWEEN || g->phase == GUNZIP_TAIL)
        g->phase = GUNZIP_ENDED;
    else
        reject(g, SOURCE_GZIP_TRUNCATED, "the gzip data end early");
}

enum weir_err gunzip_run(struct gunzip *g, struct bytes_in *in, unsigned char *out, size_t cap, size_t *n)
{
    *n = 0;
    while (g->phase != GUNZIP_ENDED && g->phase != GUNZIP_REJECTED) {
        if (g->phase == GUNZIP_BODY) { /* even without input: the engine may hold back output */
            *n = run_body(g, in, out, cap);
            if (*n > 0)
                return WEIR_OK;
            if (g->phase != GUNZIP_BODY)
                continue;
        }
        if (in->n == 0) {
            if (!in->last)
                return WEIR_OK;
            end_of_input(g);
        } else if (g->phase != GUNZIP_BODY) {
            take(g, *in->p);
            in->p++;
            in->n--;
        }
    }
    return g->phase == GUNZIP_ENDED ? WEIR_END : source_reject_err(g->why);
}
