/* What is this text? Firehose wraps records as {"message":"..."}; binary data, UTF-16 and the logs of other AWS services are
 * told by their first line, so that the user reads "load balancer log" instead of a million rejects. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/internal.h"

/* ---- {"message":"..."}: the four escapes that a record may need, nothing else ---- */

static void skip_blanks(struct cursor *c)
{
    while (cursor_left(c) && is_blank((char)*c->p))
        cursor_u8(c);
}

/* The bytes of word with blanks before; false: something else, or c->err when the text ends first. */
static bool expect(struct cursor *c, const char *word)
{
    skip_blanks(c);
    for (; *word; word++)
        if (cursor_u8(c) != (uint8_t)*word || c->err)
            return false;
    return true;
}

/* The string up to its quote. One with another escape is eaten too, so that the records behind it are not lost. */
static enum wrap wrap_string(struct cursor *c, char *unescaped, struct slice *inner)
{
    const char *begin = (const char *)c->p;
    bool copied = false, other_escape = false;
    size_t n = 0;
    for (;; n++) {
        char ch = (char)cursor_u8(c);
        if (!c->err && ch == '"')
            break;
        if (!c->err && ch == '\\') {
            ch = (char)cursor_u8(c);
            other_escape |= ch != '"' && ch != '\\' && ch != '/';
            if (!copied)
                memcpy(unescaped, begin, n);
            copied = true;
        }
        if (c->err)
            return WRAP_MORE;
        if (copied)
            unescaped[n] = ch;
    }
    *inner = (struct slice){copied ? unescaped : begin, n};
    return other_escape ? WRAP_ESCAPE : WRAP_TAKEN;
}

enum wrap wrap_open(struct slice text, char *unescaped, struct slice *inner, size_t *used)
{
    struct cursor c = cursor_of(text.p, text.n);
    if (!expect(&c, "{") || !expect(&c, "\"message\"") || !expect(&c, ":") || !expect(&c, "\""))
        return c.err ? WRAP_MORE : WRAP_BAD;
    enum wrap found = wrap_string(&c, unescaped, inner);
    if (found == WRAP_MORE)
        return found;
    if (!expect(&c, "}"))
        return c.err ? WRAP_MORE : WRAP_BAD;
    *used = text.n - cursor_left(&c);
    return found;
}

/* ---- not flow logs ---- */

static bool starts_with(struct slice line, const char *word)
{
    struct slice w = slice_of(word);
    return line.n >= w.n && memcmp(line.p, w.p, w.n) == 0;
}

/* UTF-16 shows its byte order mark, or a NUL as one of the first two bytes. */
bool looks_binary(struct slice line)
{
    if (starts_with(line, "\xff\xfe") || starts_with(line, "\xfe\xff"))
        return true;
    return line.n >= 2 && (line.p[0] == '\0' || line.p[1] == '\0');
}

/* S3 access logs start with the bucket owner's id: 64 hexadecimal digits. */
static bool starts_with_owner_id(struct slice line)
{
    size_t n = 0;
    while (n < line.n && ((line.p[n] >= '0' && line.p[n] <= '9') || (line.p[n] >= 'a' && line.p[n] <= 'f')))
        n++;
    return n == 64 && n < line.n && line.p[n] == ' ';
}

/* Classic load balancers write time, name, client:port. */
static bool is_classic_balancer(struct slice line)
{
    struct slice token;
    if (!time_prefix(line) || !token_next(&line, false, &token) || !token_next(&line, false, &token))
        return false;
    return token_next(&line, false, &token) && memchr(token.p, ':', token.n) && memchr(line.p, '"', line.n);
}

bool looks_like_other_log(struct slice line)
{
    static const char *const balancers[] = {"http 20", "https 20", "h2 20", "grpcs 20", "ws 20", "wss 20", "tls 1", "tls 2"};
    for (size_t i = 0; i < WEIR_COUNT(balancers); i++)
        if (starts_with(line, balancers[i]))
            return true;
    return line.p[0] == '{' || line.p[0] == '[' || starts_with_owner_id(line) || is_classic_balancer(line);
}

bool is_console_header(struct slice line)
{
    return slice_eq_nocase(line, SLICE_LIT("timestamp,message"));
}
