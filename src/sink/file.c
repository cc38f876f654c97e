/* Findings in a file: one JSON object a line, appended, on the disk before it counts. Each line holds its number and the SHA-256
 * of the line before it, so that a line that was changed, removed or put in shows (chain_verify). The chain goes on in the next
 * file: when one is full it is renamed to NAME.1, NAME.2, ... and a new one begins with the hash of the old one's last line.
 *
 * A line that a crash has cut was never acknowledged: it is taken away, and comes again. Also here: standard output, without a chain.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/channel_private.h"
#include "sink/sink_private.h"

#define LINE_MAX_BYTES ((size_t)128 << 20) /* twice what the store takes for one value */
#define WEIR_OBJECT "\"unmapped\":{\"weir\":{"

struct file {
    const struct channel_place *place;
    int fd;             /* -1: not open */
    uint64_t size;
    struct chain chain; /* known while fd is open */
    struct buffer line;
};

/* ---- the chain ---- */
static const char *find_text(struct slice in, const char *text) { return in.n ? memmem(in.p, in.n, text, strlen(text)) : NULL; }

/* Inside of JSON strings quotes are escaped, so the text is not met in one. */
static bool put_line(const struct chain *chain, struct slice json, struct buffer *out)
{
    char hex[2 * SHA256_BYTES + 1];
    const char *at = find_text(json, WEIR_OBJECT);
    size_t head = at ? (size_t)(at - json.p) + sizeof WEIR_OBJECT - 1 : json.n;
    if (head >= json.n) return false;
    hex_encode(chain->last.b, SHA256_BYTES, hex);
    buffer_clear(out);
    buffer_put(out, json.p, head);
    buffer_printf(out, "\"chain\":{\"line\":%llu,\"previous\":\"%s\"}%s", (unsigned long long)chain->lines + 1, hex, json.p[head] == '}' ? "" : ",");
    buffer_put(out, json.p + head, json.n - head);
    buffer_u8(out, '\n');
    return !out->err;
}

/* What a line says of itself. */
static bool read_link(struct slice line, uint64_t *number, struct sha256 *previous)
{
    json_t *doc = view_load(line, NULL);
    struct slice hex = view_text(doc, "unmapped.weir.chain.previous");
    *number = view_u64(doc, "unmapped.weir.chain.line");
    bool ok = *number && hex_decode(hex, previous->b, SHA256_BYTES) == WEIR_OK && hex.n == 2 * SHA256_BYTES;
    json_decref(doc);
    return ok;
}

enum weir_err chain_verify(FILE *in, struct chain *chain, struct fault *fault)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t n;
    enum weir_err err = WEIR_OK;
    while (!err && (n = getline(&text, &room, in)) > 0) {
        struct sha256 previous;
        uint64_t number = 0;
        bool is_link = read_link((struct slice){text, (size_t)n - 1}, &number, &previous);
        if (chain->goes_on && is_link) *chain = (struct chain){.lines = number - 1, .last = previous};
        unsigned long long at = (unsigned long long)chain->lines + 1;
        chain->first = chain->first ? chain->first : at;
        if (text[n - 1] != '\n') err = fault_set(fault, WEIR_CORRUPT, "line %llu is cut", at);
        else if (!is_link) err = fault_set(fault, WEIR_CORRUPT, "line %llu is no link of a chain", at);
        else if (number != at) err = fault_set(fault, WEIR_CORRUPT, "line %llu says that it is line %llu", at, (unsigned long long)number);
        else if (memcmp(previous.b, chain->last.b, SHA256_BYTES) != 0)
            err = fault_set(fault, WEIR_CORRUPT, "line %llu does not follow on the one before it: one of the two was changed", at);
        if (err) break;
        sha256_of(text, (size_t)n, &chain->last);
        chain->lines++;
    }
    free(text);
    return err ? err : ferror(in) ? fault_set(fault, WEIR_IO, "cannot read: %s", strerror(errno)) : WEIR_OK;
}

/* ---- where it ended ---- */
static bool read_at(int fd, uint64_t at, size_t n, struct buffer *out)
{
    char *room = buffer_reserve(out, n);
    for (size_t got = 0; room && got < n;) {
        ssize_t k = pread(fd, room + got, n - got, (off_t)(at + got));
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        got += (size_t)k;
    }
    out->n += room ? n : 0;
    return room != NULL;
}

/* Where the line that ends before `end` begins: from the back, in steps that double. */
static bool line_before(int fd, uint64_t end, struct buffer *out, uint64_t *begin)
{
    for (size_t step = 65536;; step *= 2) {
        size_t n = end < step ? (size_t)end : step;
        buffer_clear(out);
        if (!read_at(fd, end - n, n, out)) return false;
        const char *newline = n > 1 ? memrchr(out->p, '\n', n - 1) : NULL;
        if (newline || n == end) {
            size_t skip = newline ? (size_t)(newline - out->p) + 1 : 0;
            *begin = end - n + skip;
            memmove(out->p, out->p + skip, n - skip);
            out->n = n - skip;
            return true;
        }
        if (step > LINE_MAX_BYTES) return false;
    }
}

/* The end of the last whole line; what follows it is cut away when the file is ours to write. */
static bool last_line(int fd, uint64_t size, struct buffer *out, uint64_t *end)
{
    uint64_t begin = 0;
    *end = size;
    while (*end) {
        if (!line_before(fd, *end, out, &begin)) return false;
        if (out->n && out->p[out->n - 1] == '\n') return true;
        *end = begin;
    }
    out->n = 0;
    return true;
}

static bool take_chain(struct file *f, struct channel_outcome *out)
{
    uint64_t end = 0;
    if (!last_line(f->fd, f->size, &f->line, &end)) return channel_fail(out, CHANNEL_IO_FAILURE, "cannot read the end of '%.200s'", f->place->path), false;
    if (end < f->size && ftruncate(f->fd, (off_t)end) != 0) return channel_fail(out, CHANNEL_IO_FAILURE, "cannot write '%.200s': %s", f->place->path, strerror(errno)), false;
    f->size = end;
    if (!f->line.n) return true;
    struct sha256 previous;
    if (!read_link((struct slice){f->line.p, f->line.n - 1}, &f->chain.lines, &previous))
        return channel_fail(out, CHANNEL_IO_FAILURE, "'%.200s' does not end with a line of weir: name another file", f->place->path), false;
    sha256_of(f->line.p, f->line.n, &f->chain.last);
    return true;
}

/* ---- files ---- */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash && (size_t)(slash - path) < sizeof folder) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        memcpy(folder, path, n);
        folder[n] = 0;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd); /* not every file system can */
    close(fd);
}

/* The numbers of NAME.N beside it; 0: there are none. */
uint64_t chain_files(const char *path, uint64_t *lowest)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    DIR *d = opendir(folder);
    uint64_t top = 0, low = UINT64_MAX, n;
    for (const struct dirent *e; d && (e = readdir(d));) {
        size_t head = strlen(name);
        bool ours = strncmp(e->d_name, name, head) == 0 && e->d_name[head] == '.';
        if (ours && e->d_name[head + 1] && parse_u64(slice_of(e->d_name + head + 1), 1000000000, &n) == WEIR_OK && n) {
            top = n > top ? n : top;
            low = n < low ? n : low;
        }
    }
    if (d) closedir(d);
    if (lowest) *lowest = top ? low : 0;
    return top;
}

static void close_file(struct file *f)
{
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
}

static bool open_one(struct file *f, const char *path, int more, struct channel_outcome *out)
{
    struct stat st;
    f->fd = open(path, more | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    if (f->fd < 0 || fstat(f->fd, &st) != 0) return channel_fail(out, CHANNEL_IO_FAILURE, "cannot open '%.200s': %s", path, strerror(errno)), false;
    if (!S_ISREG(st.st_mode)) return channel_fail(out, CHANNEL_IO_FAILURE, "'%.200s' is no regular file", path), false;
    f->size = (uint64_t)st.st_size;
    return true;
}

/* The chain of an empty file goes on from the last one that was full. */
static bool take_earlier(struct file *f, struct channel_outcome *out)
{
    char path[PATH_MAX];
    uint64_t n = chain_files(f->place->path, NULL);
    if (!n) return true;
    snprintf(path, sizeof path, "%s.%llu", f->place->path, (unsigned long long)n);
    struct file earlier = {.place = &(struct channel_place){.path = path}, .fd = -1};
    buffer_init(&earlier.line, LINE_MAX_BYTES);
    bool ok = open_one(&earlier, path, O_RDWR, out) && take_chain(&earlier, out);
    f->chain = earlier.chain;
    close_file(&earlier);
    buffer_fini(&earlier.line);
    return ok;
}

static bool open_file(struct file *f, struct channel_outcome *out)
{
    const char *path = f->place->path;
    if (f->fd >= 0) return true;
    f->chain = (struct chain){.lines = 0};
    if (!open_one(f, path, O_RDWR | O_APPEND | O_CREAT, out)) return close_file(f), false;
    bool ok = flock(f->fd, LOCK_EX | LOCK_NB) == 0;
    if (!ok) channel_fail(out, CHANNEL_IO_FAILURE, "'%.200s' is in use by another process", path);
    ok = ok && take_chain(f, out) && (f->size || take_earlier(f, out));
    if (!ok) close_file(f);
    else sync_folder(path);
    return ok;
}

static bool rotate(struct file *f, struct channel_outcome *out)
{
    char full[PATH_MAX];
    const char *path = f->place->path;
    struct chain chain = f->chain;
    int n = snprintf(full, sizeof full, "%s.%llu", path, (unsigned long long)chain_files(path, NULL) + 1);
    if (n >= (int)sizeof full || fsync(f->fd) != 0 || renameat2(AT_FDCWD, path, AT_FDCWD, full, RENAME_NOREPLACE) != 0)
        return channel_fail(out, CHANNEL_IO_FAILURE, "cannot rename '%.200s': %s", path, strerror(errno)), false;
    close_file(f);
    failpoint("sink-rotated");
    if (!open_file(f, out)) return false;
    f->chain = chain;
    return true;
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        bytes = (struct slice){bytes.p + n, bytes.n - (size_t)n};
    }
    return true;
}

/* ---- the channel ---- */
static enum weir_err open_channel(const struct channel_place *place, void **state, struct fault *fault)
{
    struct file *f = calloc(1, sizeof *f);
    if (!f) return fault_set(fault, WEIR_NOMEM, "out of memory");
    *f = (struct file){.place = place, .fd = -1};
    buffer_init(&f->line, LINE_MAX_BYTES);
    *state = f;
    return WEIR_OK;
}

static void close_channel(void *state)
{
    struct file *f = state;
    close_file(f);
    buffer_fini(&f->line);
    free(f);
}

static bool append(struct file *f, const struct parcel *p, struct channel_outcome *out)
{
    const char *path = f->place->path;
    if (!put_line(&f->chain, p->json, &f->line)) return channel_fail(out, CHANNEL_IO_FAILURE, "finding '%s' cannot be chained", p->uid), false;
    if (f->size && f->size + f->line.n > f->place->rotate_bytes) {
        if (!rotate(f, out)) return false;
        if (!put_line(&f->chain, p->json, &f->line)) return channel_fail(out, CHANNEL_IO_FAILURE, "finding '%s' cannot be chained", p->uid), false;
    }
    if (!write_all(f->fd, (struct slice){f->line.p, f->line.n})) return channel_fail(out, CHANNEL_IO_FAILURE, "cannot write '%.200s': %s", path, strerror(errno)), false;
    f->size += f->line.n;
    f->chain.lines++;
    sha256_of(f->line.p, f->line.n, &f->chain.last);
    return true;
}

/* Nothing counts before the disk has it. After a failure the file is opened anew, which takes away what is cut. */
static void send_file(void *state, const struct parcel *parcel, size_t n, struct channel_outcome *out)
{
    struct file *f = state;
    size_t written = 0;
    if (!open_file(f, out)) return;
    while (written < n && append(f, &parcel[written], out)) written++;
    bool synced = f->fd >= 0 && fsync(f->fd) == 0;
    if (!synced) channel_fail(out, CHANNEL_IO_FAILURE, "cannot write '%.200s': %s", f->place->path, strerror(errno));
    if (synced) out->done = written;
    if (out->why != CHANNEL_NONE_FAILURE) close_file(f);
}

/* ---- standard output ---- */
static enum weir_err open_stdout(const struct channel_place *place, void **state, struct fault *fault)
{
    (void)fault;
    *state = (void *)(uintptr_t)place;
    return WEIR_OK;
}

static void send_stdout(void *state, const struct parcel *parcel, size_t n, struct channel_outcome *out)
{
    const struct channel_place *place = state;
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) ok = fwrite(parcel[i].json.p, 1, parcel[i].json.n, place->out) == parcel[i].json.n && fputc('\n', place->out) != EOF;
    if (ok && fflush(place->out) == 0) out->done = n;
    else channel_fail(out, CHANNEL_IO_FAILURE, "cannot write standard output: %s", strerror(errno));
}

static void close_stdout(void *state) { (void)state; }

const struct channel_ops channel_file = {open_channel, send_file, close_channel};
const struct channel_ops channel_stdout = {open_stdout, send_stdout, close_stdout};
