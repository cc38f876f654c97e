/* SPDX-License-Identifier: Apache-2.0 */
/* base - what every room stands on: errors, slices, one checked cursor, growing buffers with a limit, arenas,
 * addresses, hashes, time as numbers, escaping. Knows nothing of flows.
 *
 * Invariants: nothing here prints, exits (but for failpoints), reads a clock or keeps global state (but for the
 * hash seed, drawn once). A slice is borrowed and never NUL-terminated. Lengths are compared, pointers never. */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_MUST_USE __attribute__((warn_unused_result))
#define WEIR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
/* On a large local that is filled before it is read, where zeroing it would show in a profile. */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define WEIR_UNINITIALIZED __attribute__((uninitialized))
#else
#define WEIR_UNINITIALIZED
#endif
#define WEIR_LIKELY(x) __builtin_expect(!!(x), 1)
#define WEIR_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define WEIR_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- errors: code and text in one list, so neither can be forgotten ---- */
#define WEIR_ERR_LIST(X)                                                                                             \
    X(OK, "no error")                                                                                               \
    X(END, "end of input")                                                                                          \
    X(TRUNCATED, "input ends early")                                                                                \
    X(CORRUPT, "input is damaged")                                                                                  \
    X(UNSUPPORTED, "not a supported kind of input")                                                                 \
    X(RANGE, "value out of range")                                                                                  \
    X(SYNTAX, "malformed value")                                                                                    \
    X(LIMIT, "configured limit reached")                                                                            \
    X(NOMEM, "out of memory")                                                                                       \
    X(IO, "input or output failed")                                                                                 \
    X(NOTFOUND, "not found")                                                                                        \
    X(EXISTS, "already there")                                                                                      \
    X(BUSY, "in use by another process")                                                                            \
    X(UNAVAILABLE, "not available now, try again")                                                                  \
    X(VERSION, "written by a newer version")                                                                        \
    X(ROLLBACK, "the store went back in time")                                                                      \
    X(USAGE, "usage or configuration error")                                                                        \
    X(INTERRUPTED, "interrupted")

#define WEIR_ERR_ENUM(name, text) WEIR_##name,
enum weir_err { WEIR_ERR_LIST(WEIR_ERR_ENUM) WEIR_ERR_COUNT };
const char *weir_err_name(enum weir_err err); /* "TRUNCATED" */
const char *weir_err_text(enum weir_err err); /* "input ends early" */

/* What failed, for a person: lower case, no full stop, subject in quotes, value and range. */
struct fault {
    enum weir_err err;
    char text[384];
};
/* Fill *fault (may be NULL) and return err, so that `return fault_set(...)` reads well. */
enum weir_err fault_set(struct fault *fault, enum weir_err err, const char *format, ...) WEIR_PRINTF(3, 4);

/* ---- slices: bytes that somebody else owns ---- */
struct slice {
    const char *p;
    size_t n;
};
#define SLICE_LIT(s) ((struct slice){"" s, sizeof(s) - 1})
struct slice slice_of(const char *cstr);
bool slice_eq(struct slice a, struct slice b);
bool slice_eq_nocase(struct slice a, struct slice b); /* ASCII letters only */
int slice_cmp(struct slice a, struct slice b);        /* bytewise, shorter first on a common prefix */
/* Nearest of n names by edit distance, or NULL if none is near (distance > 1 + length/3). */
const char *nearest_name(struct slice wrong, const char *const *names, size_t n);

/* ---- cursor: the only way to read a foreign byte. The first failure stays in err and poisons later reads. ---- */
struct cursor {
    const unsigned char *p, *end;
    enum weir_err err;
};
struct cursor cursor_of(const void *bytes, size_t n);
size_t cursor_left(const struct cursor *c);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c); /* little-endian */
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c); /* LEB128, at most 10 bytes, canonical end not required */
struct slice cursor_bytes(struct cursor *c, size_t n);
/* varint length, then that many bytes; RANGE if the length is over max. */
struct slice cursor_string(struct cursor *c, size_t max);

/* Text numbers: digits only (no sign, blank, 0x, exponent), leading zeros allowed, whole slice must be eaten. */
WEIR_MUST_USE enum weir_err parse_u64(struct slice text, uint64_t max, uint64_t *out); /* SYNTAX or RANGE */
/* "64", "64KiB", "20MB", "1GiB": decimal or IEC units, bytes. */
WEIR_MUST_USE enum weir_err parse_bytes(struct slice text, uint64_t *out);
/* "90s", "15m", "2h", "7d" (unit required unless 0), seconds. */
WEIR_MUST_USE enum weir_err parse_duration(struct slice text, uint64_t *out_s);

/* ---- buffer: owned bytes that grow up to max. After a failure err stays set and appends do nothing. ---- */
struct buffer {
    char *p;
    size_t n, cap, max;
    enum weir_err err;
};
void buffer_init(struct buffer *b, size_t max);
void buffer_fini(struct buffer *b);
void buffer_clear(struct buffer *b); /* keeps the memory, clears err */
char *buffer_reserve(struct buffer *b, size_t n); /* room for n more bytes, or NULL with err set; add to b->n what was used */
void buffer_put(struct buffer *b, const void *bytes, size_t n);
void buffer_puts(struct buffer *b, const char *cstr);
void buffer_slice(struct buffer *b, struct slice s);
void buffer_printf(struct buffer *b, const char *format, ...) WEIR_PRINTF(2, 3);
void buffer_u8(struct buffer *b, uint8_t v);
void buffer_u16(struct buffer *b, uint16_t v); /* little-endian */
void buffer_u32(struct buffer *b, uint32_t v);
void buffer_u64(struct buffer *b, uint64_t v);
void buffer_varint(struct buffer *b, uint64_t v);
void buffer_string(struct buffer *b, struct slice s); /* varint length, then bytes */
const char *buffer_cstr(struct buffer *b);            /* NUL-terminated view ("" after a failure) */

/* An array that grows: room for one more item behind n of them. The array, perhaps moved, with *cap set; NULL: out of memory, the old one stays. */
WEIR_MUST_USE void *array_grow(void *array, size_t *cap, size_t n, size_t item_bytes);

/* Value blobs: "WEIR" kind version(u8) flags(u8 = 0) length(u32) payload crc32c(u32 over all before it).
 * blob_begin notes the place; blob_end patches length and appends the checksum. */
size_t blob_begin(struct buffer *b, char kind, uint8_t version);
void blob_end(struct buffer *b, size_t begin);
/* Check magic, kind, length, checksum; version over max_version is VERSION. *payload borrows from blob. */
WEIR_MUST_USE enum weir_err blob_open(struct slice blob, char kind, uint8_t max_version, uint8_t *version, struct cursor *payload);

/* ---- arena: memory of one lifetime, zeroed, 16-byte aligned, freed as a whole ---- */
struct arena;
struct arena *arena_new(size_t max_bytes); /* NULL if out of memory; 0 = no cap */
void arena_free(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);    /* NULL at the cap or out of memory */
struct slice arena_slice(struct arena *a, struct slice s); /* a copy; {NULL,0} on failure */

/* ---- addresses: 128-bit numbers; IPv4 is ::ffff:a.b.c.d, so one host has one key ---- */
struct ip {
    uint64_t hi, lo;
};
#define IP_V4_MARK 0x0000ffff00000000ULL
#define IP_TEXT_MAX 46
static inline struct ip ip_from_v4(uint32_t v4) { return (struct ip){0, IP_V4_MARK | v4}; }
/* These are asked of every record, where nothing foretells the answer: hence without branches. */
static inline bool ip_is_v4(struct ip a) { return (a.hi | ((a.lo >> 32) ^ 0xffff)) == 0; }
static inline uint32_t ip_v4(struct ip a) { return (uint32_t)a.lo; }
static inline bool ip_eq(struct ip a, struct ip b) { return ((a.hi ^ b.hi) | (a.lo ^ b.lo)) == 0; }
int ip_cmp(struct ip a, struct ip b);
/* Strict as inet_pton (no leading zeros "010", no zone, no brackets, no prefix); ::ffff:1.2.3.4 becomes IPv4. */
WEIR_MUST_USE enum weir_err ip_parse(struct slice text, struct ip *out);
size_t ip_format(struct ip a, char out[IP_TEXT_MAX]); /* RFC 5952, NUL-terminated; returns the length */
struct ip ip_network(struct ip a, unsigned bits);     /* bits of the family: 0..32 or 0..128 */
/* What the first byte of an IPv4 address tells; MIXED: not enough. */
enum ip_reach { IP_PUBLIC, IP_PRIVATE, IP_SPECIAL, IP_MIXED };
extern const uint8_t ip_reach_of_byte[256];
enum ip_reach ip_reach_slow(struct ip a);
/* SPECIAL, never an external peer (formats: V23): unspecified, loopback, link-local, multicast, broadcast, 0/8.
 * PRIVATE: RFC 1918, 100.64/10 (shared), fc00::/7. */
static inline enum ip_reach ip_reach(struct ip a)
{
    enum ip_reach reach = ip_is_v4(a) ? (enum ip_reach)ip_reach_of_byte[ip_v4(a) >> 24] : IP_MIXED;
    return WEIR_LIKELY(reach != IP_MIXED) ? reach : ip_reach_slow(a);
}
static inline bool ip_is_special(struct ip a) { return ip_reach(a) == IP_SPECIAL; }
static inline bool ip_is_private(struct ip a) { return ip_reach(a) == IP_PRIVATE; }

/* A set of networks; add all, then seal, then ask. */
struct cidr_set;
struct cidr_set *cidr_set_new(void);
void cidr_set_free(struct cidr_set *set);
WEIR_MUST_USE enum weir_err cidr_set_add(struct cidr_set *set, struct slice text, struct fault *fault); /* "10.0.0.0/8", "::/0" or one address; host bits set: SYNTAX */
void cidr_set_seal(struct cidr_set *set);
bool cidr_set_has(const struct cidr_set *set, struct ip a);
/* The text of one network or address as its first and last address. SYNTAX; RANGE: bits are set to the right of the prefix. */
WEIR_MUST_USE enum weir_err cidr_parse(struct slice text, struct ip *first, struct ip *last);

/* Address ranges to numbers; add all, then seal, then ask. Ranges may nest (the narrowest speaks; of equal ones the larger number), they may
 * not cross. Numbers are not 0. */
struct ip_map;
struct ip_map *ip_map_new(size_t max_ranges); /* at most a billion; NULL if out of memory */
void ip_map_free(struct ip_map *m);
/* RANGE: not from first to last of one family; LIMIT, NOMEM. */
WEIR_MUST_USE enum weir_err ip_map_add(struct ip_map *m, struct ip first, struct ip last, uint32_t value);
WEIR_MUST_USE enum weir_err ip_map_seal(struct ip_map *m); /* EXISTS: two ranges cross; then, and on NOMEM, only free it */
uint32_t ip_map_find(const struct ip_map *m, struct ip a); /* 0: in no range */
size_t ip_map_count(const struct ip_map *m);               /* ranges added */
/* Several sealed maps as one, whose number join() makes from those of the layers (0 where a layer has none, at least one differs from 0 or
 * has just ended). NULL if out of memory. */
#define IP_MAP_LAYERS 8
typedef uint32_t ip_map_join(void *ctx, const uint32_t *values);
struct ip_map *ip_map_overlay(const struct ip_map *const *layer, size_t n, ip_map_join *join, void *ctx);

/* ---- hashes ---- */
/* Keyed with a random seed of this process: for tables only, never for ids or output order. */
uint64_t hash_u64x2(uint64_t a, uint64_t b);
uint64_t hash_bytes(const void *bytes, size_t n); /* SipHash-1-3 */
/* Fixed for ever: for ids, buckets and sampling levels that must be the same in every run. */
uint64_t stable_hash(const void *bytes, size_t n);
static inline uint64_t stable_mix(uint64_t x) { /* splitmix64 finaliser, a bijection */
    x ^= x >> 30; x *= 0xbf58476d1ce4e5b9ULL; x ^= x >> 27; x *= 0x94d049bb133111ebULL; return x ^ (x >> 31);
}
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n); /* start with 0 */

#define SHA256_BYTES 32
struct sha256 { uint8_t b[SHA256_BYTES]; };
struct sha256_stream; /* own heap */
struct sha256_stream *sha256_new(void);
void sha256_reset(struct sha256_stream *s);
void sha256_add(struct sha256_stream *s, const void *bytes, size_t n);
void sha256_end(struct sha256_stream *s, struct sha256 *out);
void sha256_free(struct sha256_stream *s);
void sha256_of(const void *bytes, size_t n, struct sha256 *out);
void hex_encode(const void *bytes, size_t n, char *out /* 2n+1 */);
WEIR_MUST_USE enum weir_err hex_decode(struct slice text, void *out, size_t n);

/* ---- time as numbers: seconds since 1970 UTC; no clock here ---- */
#define TIME_TEXT_MAX 24
#define DAY_S 86400
#define HOUR_S 3600
void time_format(int64_t s, char out[TIME_TEXT_MAX]); /* "2026-03-02T09:10:00Z" */
WEIR_MUST_USE enum weir_err time_parse(struct slice text, int64_t *out_s); /* RFC 3339; fraction cut off */
WEIR_MUST_USE enum weir_err day_parse(struct slice text, int64_t *out_s);  /* "2026-03-02", which begins at 00:00 UTC */

/* ---- text for people ---- */
#define BYTES_TEXT_MAX 16
void bytes_format(uint64_t bytes, char out[BYTES_TEXT_MAX]);         /* IEC, three digits: "40.0 GiB" "512 B" */
void duration_format(uint64_t seconds, char out[BYTES_TEXT_MAX]);    /* "100 min" "20 h" "45 s" "3 d" */

/* ---- escaping: input text reaches an output only through one of these (conventions 14) ---- */
void escape_terminal(struct buffer *out, struct slice s); /* C0, DEL, C1, bidi controls, bad UTF-8 become \xNN or \u{...} */
void escape_json(struct buffer *out, struct slice s);     /* with the quotes; U+2028/9 escaped, bad UTF-8 becomes U+FFFD */
void escape_csv(struct buffer *out, struct slice s);      /* quoted; a leading = + - @ TAB CR (and full-width twins) gets a ' */
void escape_logfmt(struct buffer *out, struct slice s);   /* quoted when needed */
void escape_html(struct buffer *out, struct slice s);     /* & < > " ' as numbers, hidden characters as for a terminal; for text and quoted attributes */

/* ---- failpoints: WEIR_FAILPOINT=name[:n] kills the process (SIGKILL to itself) at the n-th pass of that name ---- */
void failpoint(const char *name);
/* WEIR_FAILPOINT=name@TEXT: true each time for what is about that text; the caller then fails as the name says. */
bool failpoint_about(const char *name, struct slice about);
void failpoints_off(void); /* of the first kind: in a process that works for the one that is to die */

/* ---- saturating sums: commute, never wrap ---- */
static inline uint64_t sat_add(uint64_t a, uint64_t b) { uint64_t s; return __builtin_add_overflow(a, b, &s) ? UINT64_MAX : s; }
static inline uint32_t sat_add32(uint32_t a, uint32_t b) { uint32_t s; return __builtin_add_overflow(a, b, &s) ? UINT32_MAX : s; }

#endif
