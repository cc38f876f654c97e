/* What bytes look like. A file is what its content says, never its suffix. Whatever is not gzip and not plainly something
 * else is text: the decoder judges that line by line and has better reasons to give. Magic numbers as their formats define them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "source/internal.h"

struct magic {
    size_t at, n;
    const char *bytes, *name; /* name NULL: no text, but the decoder reads it */
};
#define MAGIC(at, bytes, name) {at, sizeof(bytes) - 1, bytes, name}

static const struct magic magics[] = {
    MAGIC(0, "PAR1", NULL),
    MAGIC(0, "\x28\xb5\x2f\xfd", "zstd data"),
    MAGIC(0, "BZh", "bzip2 data"),
    MAGIC(0, "\xfd" "7zXZ", "xz data"),
    MAGIC(0, "\x5d\0\0", "lzma data"),
    MAGIC(0, "\x04\x22\x4d\x18", "LZ4 data"),
    MAGIC(0, "\xff\x06\0\0sNaPpY", "snappy data"),
    MAGIC(0, "\x78\x01", "a zlib stream without gzip header"),
    MAGIC(0, "\x78\x5e", "a zlib stream without gzip header"),
    MAGIC(0, "\x78\x9c", "a zlib stream without gzip header"),
    MAGIC(0, "\x78\xda", "a zlib stream without gzip header"),
    MAGIC(0, "\x1f\x9d", "compress (.Z) data"),
    MAGIC(0, "PK\3\4", "a zip archive"),
    MAGIC(0, "PK\5\6", "a zip archive"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    MAGIC(257, "ustar", "a tar archive"),
    MAGIC(0, "\xd4\xc3\xb2\xa1", NULL),
    MAGIC(0, "\xa1\xb2\xc3\xd4", NULL),
    MAGIC(0, "\x4d\x3c\xb2\xa1", NULL),
    MAGIC(0, "\xa1\xb2\x3c\x4d", NULL),
    MAGIC(0, "\x34\xcd\xb2\xa1", NULL),
    MAGIC(0, "\xa1\xb2\xcd\x34", NULL),
    MAGIC(0, "\x0a\x0d\x0d\x0a", NULL),
    MAGIC(0, "\x7f" "ELF", "an ELF program"),
    MAGIC(0, "SQLite format 3", "an SQLite database"),
    MAGIC(0, "Obj\1", "an Avro file"),
    MAGIC(0, "%PDF-", "a PDF document"),
    MAGIC(0, "\n\x1f\x8b", "gzip data behind a newline: neither gzip nor text"),
    MAGIC(0, "\r\n\x1f\x8b", "gzip data behind a newline: neither gzip nor text"),
    MAGIC(0, "\xef\xbb\xbf\x1f\x8b", "gzip data behind a byte order mark: neither gzip nor text"),
    MAGIC(0, "\xff\xfe", "UTF-16 text"),
    MAGIC(0, "\xfe\xff", "UTF-16 text"),
    MAGIC(0, "http 20", "a load balancer access log"),
    MAGIC(0, "https 20", "a load balancer access log"),
    MAGIC(0, "h2 20", "a load balancer access log"),
    MAGIC(0, "ws 20", "a load balancer access log"),
    MAGIC(0, "wss 20", "a load balancer access log"),
    MAGIC(0, "grpcs 20", "a load balancer access log"),
};

static const struct magic *find_magic(const char *p, size_t n)
{
    for (size_t i = 0; i < WEIR_COUNT(magics); i++) {
        const struct magic *m = &magics[i];
        if (n >= m->at && n - m->at >= m->n && memcmp(p + m->at, m->bytes, m->n) == 0)
            return m;
    }
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice skip_blanks(struct slice s)
{
    while (s.n > 0 && is_blank(*s.p)) {
        s.p++;
        s.n--;
    }
    return s;
}

/* True if s starts with word; then s stands behind it. */
static bool eat(struct slice *s, const char *word)
{
    struct slice w = slice_of(word);
    if (s->n < w.n || memcmp(s->p, w.p, w.n) != 0)
        return false;
    s->p += w.n;
    s->n -= w.n;
    return true;
}

/* Documents that hold all records in one array: other logs of the same bucket. JSON lines are text for the decoder. */
static const char *document_name(struct slice s)
{
    s = skip_blanks(s);
    if (eat(&s, "<")) {
        bool xml = eat(&s, "?xml");
        return xml ? "an XML document" : eat(&s, "!DOCTYPE") || eat(&s, "!doctype") || eat(&s, "html") ? "an HTML page" : NULL;
    }
    if (!eat(&s, "{"))
        return NULL;
    s = skip_blanks(s);
    const char *name = eat(&s, "\"Records\"") ? "a CloudTrail log (JSON)" : NULL;
    s = skip_blanks(s);
    return name && eat(&s, ":") ? name : NULL;
}

static bool is_control(unsigned char c)
{
    return c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b;
}

/* A stray control byte spoils its line only; here many of them must be found. */
static const char *binary_name(const unsigned char *p, size_t n)
{
    size_t nul[2] = {0, 0}, controls = 0;
    for (size_t i = 0; i < n; i++) {
        nul[i & 1] += p[i] == 0;
        controls += is_control(p[i]);
    }
    if (n >= 4 && ((nul[0] == 0 && nul[1] > n / 4) || (nul[1] == 0 && nul[0] > n / 4)))
        return "UTF-16 text";
    return controls >= 4 && controls > n / 16 ? "binary data" : NULL;
}

enum sniffed sniff(const void *bytes, size_t n, const char **name)
{
    const unsigned char *p = bytes;
    size_t head = n < SNIFF_BYTES ? n : SNIFF_BYTES;
    *name = NULL;
    if (head == 0)
        return SNIFFED_TEXT;
    if (p[0] == 0x1f && (head == 1 || p[1] == 0x8b))
        return SNIFFED_GZIP;
    const struct magic *magic = find_magic(bytes, head);
    if (magic)
        *name = magic->name;
    else if (!(*name = document_name((struct slice){bytes, head})))
        *name = binary_name(p, head);
    return *name ? SNIFFED_FOREIGN : SNIFFED_TEXT;
}
