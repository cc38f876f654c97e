/* See names_seen.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/names_seen.h"

#include <string.h>

#define DNS_HEADER 12
#define DNS_LABELS_MAX 128
#define DNS_RECORDS_MAX 64
enum { TYPE_A = 1, TYPE_AAAA = 28 };

static uint16_t be16(struct cursor *c)
{
    uint16_t v = cursor_u16(c);
    return (uint16_t)(v << 8 | v >> 8);
}

static uint32_t be32(struct cursor *c) { return __builtin_bswap32(cursor_u32(c)); }
static uint64_t be64(struct cursor *c) { return __builtin_bswap64(cursor_u64(c)); }

/* ---- DNS ---- */

static char small(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool add_label(struct dns_message *m, struct slice label)
{
    size_t dot = m->name_n > 0;
    if (label.n + dot > NAME_SEEN_MAX - m->name_n)
        return false;
    if (dot)
        m->name[m->name_n++] = '.';
    for (size_t i = 0; i < label.n; i++)
        m->name[m->name_n++] = small(label.p[i]);
    return true;
}

/* The question comes first, so nothing stands before it that its name could point to: a pointer there is no name. */
static bool read_question(struct cursor *c, struct dns_message *m)
{
    for (unsigned labels = 0; labels < DNS_LABELS_MAX; labels++) {
        uint8_t n = cursor_u8(c);
        if (c->err || n > 63)
            return false;
        if (n == 0) {
            m->type = be16(c);
            cursor_u16(c);
            return !c->err && m->name_n > 0;
        }
        struct slice label = cursor_bytes(c, n);
        if (c->err || !add_label(m, label))
            return false;
    }
    return false;
}

static bool skip_name(struct cursor *c)
{
    for (unsigned labels = 0; labels < DNS_LABELS_MAX; labels++) {
        uint8_t n = cursor_u8(c);
        if (c->err || n == 0)
            return !c->err;
        if (n >= 0xc0) { /* a pointer ends the name */
            cursor_u8(c);
            return !c->err;
        }
        cursor_bytes(c, n);
    }
    return false;
}

static void read_answers(struct cursor *c, struct dns_message *m, unsigned records)
{
    for (unsigned i = 0; i < records && i < DNS_RECORDS_MAX && m->answers < DNS_ANSWERS_MAX; i++) {
        if (!skip_name(c))
            return;
        uint16_t type = be16(c);
        cursor_u16(c);
        cursor_u32(c);
        size_t n = be16(c);
        struct slice data = cursor_bytes(c, n);
        if (c->err)
            return;
        struct cursor address = cursor_of(data.p, data.n);
        if (type == TYPE_A && n == 4)
            m->answer[m->answers++] = ip_from_v4(be32(&address));
        if (type == TYPE_AAAA && n == 16) {
            uint64_t hi = be64(&address);
            m->answer[m->answers++] = (struct ip){hi, be64(&address)};
        }
    }
}

bool dns_parse(struct slice payload, bool tcp, struct dns_message *out)
{
    struct cursor c = cursor_of(payload.p, payload.n);
    out->name_n = out->answers = 0;
    if (tcp)
        cursor_u16(&c);
    cursor_u16(&c);
    unsigned flags = be16(&c), questions = be16(&c), answers = be16(&c);
    cursor_u32(&c);
    if (c.err || questions != 1 || (flags >> 11 & 15) != 0)
        return false;
    out->response = flags >> 15;
    if (!read_question(&c, out))
        return false;
    if (out->response)
        read_answers(&c, out, answers);
    return true;
}

/* Length of the last label, and of the name before its dot. */
static size_t last_label(struct slice *name)
{
    size_t n = 0;
    while (n < name->n && name->p[name->n - 1 - n] != '.')
        n++;
    name->n -= n < name->n ? n + 1 : n;
    return n;
}

size_t dns_parent(struct slice name)
{
    struct slice rest = name;
    size_t top = last_label(&rest), second = last_label(&rest);
    if (top == 2 && second <= 3 && rest.n)
        last_label(&rest);
    size_t n = name.n - rest.n;
    return rest.n ? n - 1 : name.n;
}

bool dns_is_internal(struct slice name)
{
    static const char *const tops[] = {"arpa", "local", "localhost", "internal", "lan", "home", "corp", "localdomain", "test", "invalid", "onion"};
    struct slice rest = name;
    size_t n = last_label(&rest);
    for (size_t i = 0; i < WEIR_COUNT(tops); i++)
        if (slice_eq((struct slice){name.p + name.n - n, n}, slice_of(tops[i])))
            return true;
    return rest.n == 0;
}

/* ---- TLS ---- */

enum { TLS_HANDSHAKE = 22, TLS_CLIENT_HELLO = 1, EXTENSION_SERVER_NAME = 0, EXTENSION_VERSIONS = 43, EXTENSIONS_MAX = 64 };

static void read_server_name(struct slice body, struct tls_hello *out)
{
    struct cursor c = cursor_of(body.p, body.n);
    be16(&c);
    uint8_t kind = cursor_u8(&c);
    size_t n = be16(&c);
    struct slice name = cursor_bytes(&c, n);
    if (!c.err && kind == 0 && n > 0 && n <= NAME_SEEN_MAX)
        out->server_name = name;
}

/* Values that no version has are put in by clients that want servers to bear with them (RFC 8701): they end in 0a0a, 1a1a ... */
static bool is_grease(uint16_t v) { return (v & 0x0f0f) == 0x0a0a; }

static void read_versions(struct slice body, struct tls_hello *out)
{
    struct cursor c = cursor_of(body.p, body.n);
    cursor_u8(&c);
    while (cursor_left(&c) >= 2) {
        uint16_t v = be16(&c);
        if (!is_grease(v) && v > out->version)
            out->version = v;
    }
}

static void read_extensions(struct cursor *c, struct tls_hello *out)
{
    be16(c);
    for (unsigned i = 0; i < EXTENSIONS_MAX && !c->err; i++) {
        uint16_t kind = be16(c);
        size_t n = be16(c);
        struct slice body = cursor_bytes(c, n);
        if (c->err)
            return; /* the end, or cut off */
        if (kind == EXTENSION_SERVER_NAME)
            read_server_name(body, out);
        if (kind == EXTENSION_VERSIONS)
            read_versions(body, out);
    }
}

bool tls_parse(struct slice payload, struct tls_hello *out)
{
    struct cursor c = cursor_of(payload.p, payload.n);
    *out = (struct tls_hello){.version = 0};
    uint8_t record = cursor_u8(&c), major = cursor_u8(&c);
    cursor_bytes(&c, 3);
    uint8_t handshake = cursor_u8(&c);
    cursor_bytes(&c, 3);
    out->version = be16(&c);
    cursor_bytes(&c, 32);
    if (c.err || record != TLS_HANDSHAKE || major != 3 || handshake != TLS_CLIENT_HELLO || out->version >> 8 != 3)
        return false;
    cursor_bytes(&c, cursor_u8(&c)); /* session */
    cursor_bytes(&c, be16(&c));      /* ciphers */
    cursor_bytes(&c, cursor_u8(&c)); /* compression */
    read_extensions(&c, out);
    return true;
}

/* ---- in the clear ---- */

static bool starts(struct slice s, const char *word)
{
    struct slice w = slice_of(word);
    return s.n >= w.n && memcmp(s.p, w.p, w.n) == 0;
}

enum capture_talk talk_in_the_clear(struct slice payload)
{
    if (!payload.n || !memchr("GPHUSE\xff", payload.p[0], 7))
        return CAPTURE_TALK_NONE;
    static const struct { const char *word; enum capture_talk talk; } words[] = {
        {"GET /", CAPTURE_TALK_HTTP}, {"POST /", CAPTURE_TALK_HTTP}, {"PUT /", CAPTURE_TALK_HTTP}, {"HEAD /", CAPTURE_TALK_HTTP},
        {"GET http:", CAPTURE_TALK_HTTP}, {"POST http:", CAPTURE_TALK_HTTP}, {"PUT http:", CAPTURE_TALK_HTTP}, {"USER ", CAPTURE_TALK_FTP},
        {"STOR ", CAPTURE_TALK_FTP}, {"EHLO ", CAPTURE_TALK_SMTP}, {"HELO ", CAPTURE_TALK_SMTP}, {"\xff\xfb", CAPTURE_TALK_TELNET},
        {"\xff\xfd", CAPTURE_TALK_TELNET}};
    for (size_t i = 0; i < WEIR_COUNT(words); i++)
        if (starts(payload, words[i].word))
            return words[i].talk;
    return CAPTURE_TALK_NONE;
}

/* ---- on ports of others ---- */

/* Ports whose service begins with neither TLS nor HTTP, whatever it may go on with. */
static bool is_of_another_service(uint16_t port)
{
    static const uint16_t ports[] = {20, 21, 22, 23, 25, 53, 110, 119, 123, 143, 389, 445, 3306, 3389, 5432};
    for (size_t i = 0; i < WEIR_COUNT(ports); i++)
        if (ports[i] == port)
            return true;
    return false;
}

enum capture_talk talk_on_odd_port(struct slice payload, bool is_hello, enum capture_talk clear, uint16_t port)
{
    if (is_hello)
        return port == 80 || is_of_another_service(port) ? CAPTURE_TALK_ODD_TLS : CAPTURE_TALK_NONE;
    if (clear == CAPTURE_TALK_HTTP)
        return port == 443 || is_of_another_service(port) ? CAPTURE_TALK_ODD_HTTP : CAPTURE_TALK_NONE;
    return payload.n && payload.p[0] == 'S' && starts(payload, "SSH-2.0-") && port != 22 ? CAPTURE_TALK_ODD_SSH : CAPTURE_TALK_NONE;
}
