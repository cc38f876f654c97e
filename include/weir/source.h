/* SPDX-License-Identifier: Apache-2.0 */
/* source - objects in, inflated bytes out. Finds the objects behind PATHs, opens one safely, tells what it is by its
 * content, inflates it (zlib or ISA-L behind one interface) and says exactly what was wrong with it.
 *
 * Invariants: an object is whole or rejected; source_read returns WEIR_END only after every checksum and length
 * fitted; text behind the last member is passed over with a note. The object id is the SHA-256 of the bytes as stored (compressed).
 * Output bytes never depend on the engine. Order of a list is canonical, whatever the order of the arguments. */
#ifndef WEIR_SOURCE_H
#define WEIR_SOURCE_H

#include "weir/base.h"

/* Where an object of AWS came from, read from the right end of its file name (formats 1.4); all empty if the name
 * has not the pattern ACCOUNT_vpcflowlogs_REGION_fl-ID_YYYYMMDDTHHmmZ_HASH.log.gz (or .log.parquet, .log). */
struct provenance {
    struct slice account, region, flow_log; /* borrow from object.path */
    int64_t bucket_s;                       /* start of the five-minute bucket of record END times; 0 = unknown */
    bool folder_disagrees;                  /* the day or hour in the folder is not that of the name (name wins) */
};

struct object {
    const char *path;  /* "-" for standard input; s3://BUCKET/KEY, the bytes of the key as they are */
    const char *etag;  /* of what is far: the content that was listed; NULL: whatever is there */
    struct slice key;  /* from "AWSLogs/" on when present, else the base name */
    struct provenance from;
    uint64_t size_bytes;
    uint64_t stamp;    /* of inode, size and time of change, when it was listed in a directory: another stamp, another content */
    int fd;            /* > 0: open already, as by source_open_file, and only that is read; of the caller */
    uint64_t counted;  /* records of an object that grows which were counted when it was shorter; 0 in lists */
    size_t root_bytes; /* length of the directory that the user named; below it no symbolic link is followed. 0 = path itself was named */
};

/* Why an object was not read. SOURCE_SKIPPED_* are quiet (files that are known not to be logs, D9). */
#define SOURCE_REJECT_LIST(X)                                                                                        \
    X(UNREADABLE, "unreadable", "cannot be opened or read")                                                         \
    X(NOT_REGULAR, "not-regular", "a directory, FIFO, socket, device or symbolic link")                             \
    X(GZIP_TRUNCATED, "gzip-truncated", "the gzip data end early")                                                  \
    X(GZIP_CRC, "gzip-crc", "a gzip checksum or length does not fit")                                               \
    X(GZIP_DATA, "gzip-data", "the gzip data are damaged")                                                          \
    X(GZIP_HEADER, "gzip-header", "gzip header with reserved flags or another method")                              \
    X(GZIP_GARBAGE, "gzip-garbage", "bytes behind the gzip data that are neither padding nor a member")             \
    X(BOMB, "bomb", "inflates beyond the configured ratio or size")                                                 \
    X(NESTED, "nested", "gzip inside gzip inside gzip")                                                             \
    X(FOREIGN, "foreign", "another kind of file, named in the message")

#define SOURCE_REJECT_ENUM(name, word, text) SOURCE_##name,
enum source_reject { SOURCE_ACCEPTED, SOURCE_REJECT_LIST(SOURCE_REJECT_ENUM) SOURCE_REJECT_COUNT };
const char *source_reject_word(enum source_reject why); /* "gzip-truncated" */
const char *source_reject_text(enum source_reject why);

/* Things worth a note that do not spoil the object. */
enum source_note { SOURCE_NOTE_EMPTY = 1, SOURCE_NOTE_PADDING = 2, SOURCE_NOTE_PLAIN_GZ_NAME = 4, SOURCE_NOTE_NESTED = 8,
                   SOURCE_NOTE_GZIP_NO_SUFFIX = 16, SOURCE_NOTE_MULTI_MEMBER = 32, SOURCE_NOTE_GARBAGE = 64 };

struct source_limits {
    uint64_t max_object_bytes; /* inflated size, default 64 GiB */
    uint32_t max_ratio;        /* inflated/stored once over 64 MiB inflated, default 1032 would admit all deflate; we use 200 */
    uint64_t max_objects;      /* in a list, default 10 million */
};
extern const struct source_limits source_default_limits;

/* ---- lists ---- */
struct object_list; /* owns paths */
struct object_list *object_list_new(const struct source_limits *limits);
void object_list_free(struct object_list *list);
/* What is added from now on: of objects whose name tells a bucket, those from from_s to before to_s. In S3 folders of other days are not even listed. */
void object_list_between(struct object_list *list, int64_t from_s, int64_t to_s);
/* Add a file, a directory (recursive, in any layout), s3://BUCKET/KEY, s3://BUCKET/FOLDER, or "-". Skips quietly and counts: aws-logs-write-test, _SUCCESS,
 * names starting with '.', manifest files, labels.jsonl, *.md (D9). Does not follow symbolic links below a directory; a PATH given by
 * the user may be one. IO/NOTFOUND with fault if PATH itself cannot be read, UNAVAILABLE if S3 does not answer; unreadable things below are counted as rejects. */
WEIR_MUST_USE enum weir_err object_list_add(struct object_list *list, const char *path, struct fault *fault);
/* An object that somebody else opened; fd is the caller's. */
WEIR_MUST_USE enum weir_err object_list_add_opened(struct object_list *list, const char *path, int fd, uint64_t size_bytes, struct fault *fault);
/* Canonical order: objects with provenance first by (bucket_s, key), then the others by path. Same path twice: once. */
void object_list_sort(struct object_list *list);
/* Leave out what keep() says no to; the order stays. */
void object_list_keep(struct object_list *list, bool (*keep)(void *ctx, const struct object *o), void *ctx);
size_t object_list_count(const struct object_list *list);
const struct object *object_list_at(const struct object_list *list, size_t i);
uint64_t object_list_bytes(const struct object_list *list);
struct source_skipped { uint64_t quiet, not_regular, unreadable; };
struct source_skipped object_list_skipped(const struct object_list *list);
/* Provenance of any path; exposed for tests. */
void provenance_parse(const char *path, struct provenance *out, struct slice *key);

/* ---- reading one object ---- */
enum inflate_engine { INFLATE_BEST, INFLATE_ZLIB, INFLATE_ISAL }; /* BEST = ISA-L when built in */
bool inflate_engine_has(enum inflate_engine engine);
const char *inflate_engine_name(enum inflate_engine engine); /* "zlib 1.2.13", "isa-l" */

struct source; /* one per thread; reused over objects */
struct source *source_new(const struct source_limits *limits, enum inflate_engine engine);
void source_free(struct source *s);
/* Open an object: openat-style with O_NOFOLLOW below directories, O_NONBLOCK, regular files only. "-" is standard input,
 * spooled once for the process into an unlinked temporary file, so that it has an id and every later open reads it from the start.
 * WEIR_OK, or WEIR_UNSUPPORTED/IO... and source_why() tells. */
WEIR_MUST_USE enum weir_err source_open(struct source *s, const struct object *o, struct fault *fault);
/* Asked while standard input is copied: once it says true, the copy ends with INTERRUPTED. Set before threads start. */
void source_stop_when(bool (*stopped)(void));
/* Inflate into out[0..cap), cap >= 64 KiB; *n > 0 on WEIR_OK. WEIR_END: the object is whole (*n = 0). Anything else: reject the whole object;
 * source_why() names the reason, fault the compressed offset and cause. No call after END or an error. */
WEIR_MUST_USE enum weir_err source_read(struct source *s, char *out, size_t cap, size_t *n, struct fault *fault);
/* Memory instead of a file, for tests and fuzzing: bytes are borrowed until the next open. */
WEIR_MUST_USE enum weir_err source_open_bytes(struct source *s, const void *bytes, size_t n, struct fault *fault);
enum source_reject source_why(const struct source *s);
unsigned source_notes(const struct source *s);          /* enum source_note bits */
uint64_t source_stored_bytes(const struct source *s);   /* compressed bytes consumed so far */
uint64_t source_inflated_bytes(const struct source *s);
void source_id(const struct source *s, struct sha256 *out); /* valid after WEIR_END */
/* An unlinked temporary file in $TMPDIR, /var/tmp or /tmp, -1 with errno if there is none. The caller closes it. */
int source_temporary(void);
/* From now on source_temporary empties this one and hands out copies of it, for a process that can open none; one copy at a time. */
void source_temporary_from(int fd);
/* Open an object as source_open does, for another process to read. *fd is the caller's. */
WEIR_MUST_USE enum weir_err source_open_file(const struct object *o, int *fd, enum source_reject *why, struct fault *fault);
/* SHA-256 of a stored object without inflating it. */
WEIR_MUST_USE enum weir_err source_hash(struct source *s, const struct object *o, struct sha256 *out, struct fault *fault);

#endif
