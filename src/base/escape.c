/* The only ways of input text to an output. One walk over the text finds what must not pass as it is: control
 * characters (C0, DEL, C1), everything that turns the writing direction, line separators and bytes that are no
 * UTF-8. What becomes of it depends on the target.
 *
 * All targets hide the same characters, more than JSON and CSV ask for: people read both in terminals, and in JSON
 * the escaped form means the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

enum style { PLAIN, JSON, CSV, LOGFMT, HTML };

static bool turns_direction(uint32_t c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || turns_direction(c);
}

/* Characters that mean something to the target itself. */
static bool is_syntax(enum style style, uint32_t c)
{
    switch (style) {
    case PLAIN: return false;
    case JSON: return c == '"' || c == '\\';
    case CSV: return c == '"';
    case LOGFMT: return c == '"' || c == '\\' || c == ']';
    case HTML: return c == '&' || c == '<' || c == '>' || c == '"' || c == '\'';
    }
    return false;
}

static void put_bad_byte(struct buffer *out, enum style style, unsigned char byte)
{
    if (style == JSON)
        buffer_puts(out, "\xef\xbf\xbd"); /* U+FFFD: JSON has no way to say a byte */
    else
        buffer_printf(out, "\\x%02x", byte);
}

static void put_hidden(struct buffer *out, enum style style, uint32_t c)
{
    if (style == JSON)
        buffer_printf(out, "\\u%04x", c); /* all of them lie below U+10000 */
    else
        buffer_printf(out, c < 0x80 ? "\\x%02x" : "\\u{%x}", c);
}

static void put_escaped(struct buffer *out, enum style style, struct slice s)
{
    size_t plain = 0; /* where the run of text that passes as it is began */
    for (size_t at = 0; at < s.n;) {
        uint32_t c = 0;
        size_t n = utf8_next((struct slice){s.p + at, s.n - at}, &c);
        if (n && !is_hidden(c) && !is_syntax(style, c)) {
            at += n;
            continue;
        }
        buffer_put(out, s.p + plain, at - plain);
        if (n == 0)
            put_bad_byte(out, style, (unsigned char)s.p[at]);
        else if (is_hidden(c))
            put_hidden(out, style, c);
        else
            buffer_printf(out, style == CSV ? "\"%c" : style == HTML ? "&#%d;" : "\\%c", (int)c);
        at += n ? n : 1;
        plain = at;
    }
    buffer_put(out, s.p + plain, s.n - plain);
}

static void put_quoted(struct buffer *out, enum style style, struct slice s)
{
    buffer_puts(out, "\"");
    put_escaped(out, style, s);
    buffer_puts(out, "\"");
}

void escape_terminal(struct buffer *out, struct slice s)
{
    put_escaped(out, PLAIN, s);
}

void escape_html(struct buffer *out, struct slice s)
{
    put_escaped(out, HTML, s);
}

void escape_json(struct buffer *out, struct slice s)
{
    put_quoted(out, JSON, s);
}

/* What spreadsheets take for the beginning of a formula; the last four are the full-width twins of = + - @. */
static bool begins_formula(struct slice s)
{
    uint32_t c = 0;
    if (!utf8_next(s, &c))
        return false;
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r' || c == 0xff1d || c == 0xff0b ||
           c == 0xff0d || c == 0xff20;
}

void escape_csv(struct buffer *out, struct slice s)
{
    buffer_puts(out, begins_formula(s) ? "\"'" : "\"");
    put_escaped(out, CSV, s);
    buffer_puts(out, "\"");
}

/* Only printable ASCII that cannot be taken for syntax goes without quotes. */
static bool is_bare(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '=' || is_syntax(LOGFMT, (unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

void escape_logfmt(struct buffer *out, struct slice s)
{
    if (is_bare(s))
        buffer_slice(out, s);
    else
        put_quoted(out, LOGFMT, s);
}
