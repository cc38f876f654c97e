/* Tokens from JSON, drawn one at a time. Documents may stand one behind another with or without white space, as Firehose writes them. A text within one
 * piece and without escapes is borrowed from it; any other is put together in memory of fixed size. Nesting is bounded, so the
 * state is a bit for each level. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/json.h"

#define NONE (-1)

static int peek(struct json *j);

void json_open(struct json *j, struct stream *in)
{
    j->in = in;
    j->p = "";
    j->n = j->at = 0;
    j->before = 0;
    j->depth = 0;
    j->objects = 0;
    j->first = true;
    j->within = false;
    j->err = WEIR_OK;
    j->key = j->text = (struct slice){"", 0};
    j->odd = j->too_long = false;
    if (peek(j) == 0xef && j->n - j->at >= 3 && memcmp(j->p + j->at, "\xef\xbb\xbf", 3) == 0)
        j->at += 3;
}

static enum json_token bad(struct json *j, enum weir_err err, const char *what)
{
    if (!j->err) {
        j->err = err;
        fault_set(&j->in->fault, err, "JSON: %s at byte %llu", what, (unsigned long long)(j->before + j->at));
    }
    return JSON_BAD;
}

/* ---- bytes ---- */

/* The next byte, not yet taken; NONE at the end or after a failure. */
static int peek(struct json *j)
{
    while (j->at == j->n) {
        char *p;
        size_t n;
        if (j->err)
            return NONE;
        enum weir_err err = stream_next(j->in, &p, &n);
        if (err == WEIR_END)
            return NONE;
        if (err) {
            j->err = err;
            return NONE;
        }
        j->before += j->n;
        j->p = p;
        j->n = n;
        j->at = 0;
    }
    return (unsigned char)j->p[j->at];
}

static int take(struct json *j)
{
    int c = peek(j);
    j->at += c != NONE;
    return c;
}

static int peek_behind_blanks(struct json *j)
{
    int c = peek(j);
    while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        j->at++;
        c = peek(j);
    }
    return c;
}

/* ---- texts ---- */

struct text {
    char *p;
    size_t n, max;
};

static void put(struct json *j, struct text *t, const char *p, size_t n)
{
    if (n > t->max - t->n) {
        n = t->max - t->n;
        j->too_long = true;
    }
    memcpy(t->p + t->n, p, n);
    t->n += n;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    int letter = c | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : NONE;
}

/* Four hexadecimal digits, or NONE. What is no digit is not taken. */
static int32_t four_digits(struct json *j)
{
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek(j));
        if (digit == NONE)
            return NONE;
        j->at++;
        v = v << 4 | digit;
    }
    return v;
}

static void put_utf8(struct json *j, struct text *t, uint32_t c)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        b[i] = (char)(0x80 | (c & 0x3f));
    b[0] = (char)(lead[n] | c);
    put(j, t, b, n);
}

/* Behind \u. A high surrogate wants its low one. */
static void unicode_escape(struct json *j, struct text *t)
{
    int32_t c = four_digits(j);
    if (c >= 0xd800 && c < 0xdc00) {
        int32_t low = NONE;
        if (peek(j) == '\\') {
            j->at++;
            if (peek(j) == 'u') {
                j->at++;
                low = four_digits(j);
            }
        }
        c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : NONE;
    }
    if (c < ' ' || (c >= 0xd800 && c < 0xe000))
        j->odd = true;
    else
        put_utf8(j, t, (uint32_t)c);
}

static void escape(struct json *j, struct text *t)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = take(j);
    const char *found = c > 0 ? strchr(from, c) : NULL;
    if (c == 'u') {
        unicode_escape(j, t);
    } else if (found) {
        put(j, t, to + (found - from), 1);
        j->odd |= to[found - from] < ' ';
    } else if (c != NONE) {
        j->odd = true;
    }
}

/* Bytes of a text up to what needs a look: quote, backslash, control byte or the end of the piece. */
static size_t plain_bytes(const struct json *j)
{
    size_t i = j->at;
    while (i < j->n && j->p[i] != '"' && j->p[i] != '\\' && (unsigned char)j->p[i] >= ' ')
        i++;
    return i - j->at;
}

/* Behind the opening quote. False: the input ends. */
static bool string(struct json *j, struct text *memory, struct slice *out)
{
    size_t n = plain_bytes(j);
    if (j->at + n < j->n && j->p[j->at + n] == '"' && n <= memory->max) {
        *out = (struct slice){j->p + j->at, n};
        j->at += n + 1;
        return true;
    }
    for (;;) {
        int c = peek(j);
        j->within = c == NONE;
        if (c == NONE)
            return false;
        n = plain_bytes(j);
        put(j, memory, j->p + j->at, n);
        j->at += n;
        if (n)
            continue;
        j->at++;
        if (c == '"')
            break;
        if (c == '\\')
            escape(j, memory);
        else
            j->odd = true; /* a bare control byte */
    }
    *out = (struct slice){memory->p, memory->n};
    return true;
}

/* ---- values ---- */

static bool is_word_byte(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

/* A number or true, false, null: up to the first byte that belongs to neither. Who wants a number looks at it closely. */
static enum json_token word(struct json *j)
{
    struct text t = {j->text_memory, 0, 64};
    int c = peek(j);
    bool number = c == '-' || (c >= '0' && c <= '9');
    for (; is_word_byte(c); c = peek(j)) {
        char b = (char)c;
        put(j, &t, &b, 1);
        j->at++;
    }
    j->text = (struct slice){t.p, t.n};
    if (number && !j->too_long)
        return JSON_NUMBER;
    if (slice_eq(j->text, SLICE_LIT("true")) || slice_eq(j->text, SLICE_LIT("false")) || slice_eq(j->text, SLICE_LIT("null")))
        return JSON_WORD;
    return bad(j, WEIR_CORRUPT, "no value");
}

static enum json_token enter(struct json *j, bool object)
{
    if (j->depth == JSON_DEPTH_MAX)
        return bad(j, WEIR_LIMIT, "nested too deeply");
    j->objects = (j->objects & ~(1ULL << j->depth)) | (uint64_t)object << j->depth;
    j->depth++;
    j->first = true;
    return object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token leave(struct json *j, bool object)
{
    j->depth--;
    j->first = false;
    j->key.n = 0;
    return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_token value(struct json *j, int c)
{
    struct text t = {j->text_memory, 0, sizeof j->text_memory};
    j->odd = j->too_long = false;
    if (c == '{' || c == '[') {
        j->at++;
        return enter(j, c == '{');
    }
    j->first = false;
    if (c != '"')
        return word(j);
    j->at++;
    return string(j, &t, &j->text) ? JSON_STRING : bad(j, WEIR_TRUNCATED, "it ends within a text");
}

/* A key and its colon. The key is copied: the value may stand in another piece. */
static bool key(struct json *j)
{
    struct text t = {j->key_memory, 0, sizeof j->key_memory};
    struct slice found;
    if (peek_behind_blanks(j) != '"') {
        bad(j, WEIR_CORRUPT, "no key");
        return false;
    }
    j->at++;
    j->odd = j->too_long = false;
    if (!string(j, &t, &found)) {
        bad(j, WEIR_TRUNCATED, "it ends within a key");
        return false;
    }
    if (found.p != j->key_memory && found.n)
        memcpy(j->key_memory, found.p, found.n);
    j->key = (struct slice){j->key_memory, j->odd || j->too_long ? 0 : found.n};
    if (peek_behind_blanks(j) != ':') {
        bad(j, WEIR_CORRUPT, "no colon");
        return false;
    }
    j->at++;
    return true;
}

static enum json_token ended(struct json *j)
{
    if (j->err)
        return JSON_BAD;
    return j->depth ? bad(j, WEIR_TRUNCATED, "it ends within a document") : JSON_END;
}

enum json_token json_next(struct json *j)
{
    int c = j->err ? NONE : peek_behind_blanks(j);
    if (c == NONE)
        return ended(j);
    bool object = j->depth && j->objects >> (j->depth - 1) & 1;
    if (j->depth && c == (object ? '}' : ']')) {
        j->at++;
        return leave(j, object);
    }
    if (j->depth && !j->first) {
        if (c != ',')
            return bad(j, WEIR_CORRUPT, "no comma");
        j->at++;
    }
    if (object && !key(j))
        return JSON_BAD;
    if (!object)
        j->key.n = 0;
    c = peek_behind_blanks(j);
    return c == NONE ? ended(j) : value(j, c);
}

void json_skip(struct json *j, enum json_token t)
{
    if (t != JSON_OBJECT && t != JSON_ARRAY)
        return;
    unsigned outside = j->depth - 1;
    while (j->depth > outside && json_next(j) != JSON_BAD) {}
}
