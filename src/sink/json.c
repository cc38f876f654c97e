/* A stored finding to a JSON stream: copied token by token, since a tree would print reals its own way and the bytes
 * must stay those of the store. Only blanks between tokens change, and what a terminal would obey is escaped.
 * The text was accepted by view_load: quotes and brackets are balanced; the depth is that of the parser's limit.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sink/sink_private.h"

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void new_line(struct buffer *out, size_t depth)
{
    buffer_u8(out, '\n');
    for (size_t i = 0; i < depth; i++) buffer_puts(out, "  ");
}

/* Length of the text at p, with its quotes. */
static size_t text_length(const char *p, size_t n)
{
    size_t i = 1;
    while (i < n && p[i] != '"') i += p[i] == '\\' ? 2 : 1;
    return i < n ? i + 1 : n;
}

/* A run without quotes and backslashes: escape_json hides what must be hidden; its own two quotes go. */
static void copy_run(struct buffer *out, struct slice run)
{
    size_t begin = out->n;
    escape_json(out, run);
    if (out->err) return;
    out->n -= 2;
    memmove(out->p + begin, out->p + begin + 1, out->n - begin);
}

static void copy_text(struct buffer *out, struct slice text)
{
    size_t run = 1;
    buffer_u8(out, '"');
    for (size_t i = 1; i + 1 < text.n;) {
        if (text.p[i] != '\\') {
            i++;
            continue;
        }
        copy_run(out, (struct slice){text.p + run, i - run});
        buffer_put(out, text.p + i, 2); /* of \u the digits are plain */
        run = i += 2;
    }
    copy_run(out, (struct slice){text.p + run, text.n - 1 - run});
    buffer_u8(out, '"');
}

static size_t next_token(struct slice text, size_t i)
{
    while (i < text.n && is_blank(text.p[i])) i++;
    return i;
}

/* One byte that is not inside a text; returns the place after it. */
static size_t copy_mark(struct buffer *out, struct slice text, size_t i, bool pretty, size_t *depth)
{
    char c = text.p[i];
    size_t next = next_token(text, i + 1);
    bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
    bool empty = opens && next < text.n && (text.p[next] == '}' || text.p[next] == ']');
    if (closes && pretty) new_line(out, --*depth);
    buffer_u8(out, (uint8_t)c);
    if (empty) {
        buffer_u8(out, (uint8_t)text.p[next]);
        return next_token(text, next + 1);
    }
    if (!pretty) return next;
    if (opens) ++*depth;
    if (opens || c == ',') new_line(out, *depth);
    if (c == ':') buffer_u8(out, ' ');
    return next;
}

void copy_json(struct buffer *out, struct slice text, bool pretty)
{
    size_t depth = 0;
    for (size_t i = next_token(text, 0); i < text.n;) {
        if (text.p[i] != '"') {
            i = copy_mark(out, text, i, pretty, &depth);
            continue;
        }
        size_t n = text_length(text.p + i, text.n - i);
        copy_text(out, (struct slice){text.p + i, n});
        i = next_token(text, i + n);
    }
}
