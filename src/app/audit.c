/* SPDX-License-Identifier: Apache-2.0 */
/* {"n":2,"time":"...","user":"ann","uid":1000,"what":"mark","store":"...","subject":"wf1-...","text":"...","previous":"HEX","hash":"HEX"}
 *
 * hash = SHA-256 of the line before ,"hash": and previous = hash of the line before (zeros in the first). So a line that is changed, taken out
 * or put in breaks the chain at that place. A chain cannot tell that its end was cut off: keep the last hash elsewhere, as a line of another
 * log or in an evidence directory. Entries of several processes are put in order by a lock on the file. */
#include "app/audit.h"
#include "app/open_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/out_file.h"

#define LINE_MAX_BYTES 16384
#define TEXT_MAX 2048
#define LOG_MAX ((size_t)1 << 30)
#define HEX (2 * SHA256_BYTES)
static const char tail_form[] = "\",\"hash\":\""; /* then HEX digits, "} and a newline */
#define TAIL_BYTES (HEX + 2)

static enum weir_err audit_path(const struct app *app, char out[PATH_MAX], struct fault *fault)
{
    static const char scheme[] = "sqlite:";
    const char *url = strncmp(app->config->store, scheme, sizeof scheme - 1) == 0 ? app->config->store : app->config->default_store;
    const char *path = strncmp(url, scheme, sizeof scheme - 1) == 0 ? url + sizeof scheme - 1 : "";
    int n = snprintf(out, PATH_MAX, "%s-audit", path);
    if (!*path || *path == ':' || n < 0 || n >= PATH_MAX)
        return fault_set(fault, WEIR_UNAVAILABLE, "there is no place for the audit log: it stands beside a store of one file");
    return WEIR_OK;
}

static enum weir_err os_fault(const char *path, struct fault *fault)
{
    int e = errno;
    return fault_set(fault, e == ENOENT ? WEIR_NOTFOUND : WEIR_IO, "audit log '%.200s': %s", path, strerror(e));
}

/* ---- writing ---- */

struct last {
    uint64_t n;
    char hash[HEX + 1];
};

/* The last line, from the end of the file. */
static enum weir_err read_last(int fd, const char *path, struct last *out, struct fault *fault)
{
    char buf[LINE_MAX_BYTES];
    struct stat st;
    memset(out->hash, '0', HEX);
    out->hash[HEX] = 0;
    out->n = 0;
    if (fstat(fd, &st) != 0)
        return os_fault(path, fault);
    if (st.st_size == 0)
        return WEIR_OK;
    off_t at = st.st_size > (off_t)sizeof buf ? st.st_size - (off_t)sizeof buf : 0;
    ssize_t got = pread(fd, buf, sizeof buf, at);
    if (got <= TAIL_BYTES)
        return fault_set(fault, WEIR_CORRUPT, "audit log '%.200s' is damaged at its end", path);
    size_t n = (size_t)got - 1;
    const char *newline = memrchr(buf, '\n', n);
    const char *line = newline ? newline + 1 : buf;
    size_t length = n - (size_t)(line - buf);
    struct slice number = {line + 5, 0};
    while (number.n + 5 < length && line[5 + number.n] >= '0' && line[5 + number.n] <= '9')
        number.n++;
    struct sha256 h;
    bool good = buf[n] == '\n' && length > TAIL_BYTES + 5 && memcmp(line, "{\"n\":", 5) == 0 && !parse_u64(number, INT64_MAX - 1, &out->n) &&
                !hex_decode((struct slice){line + length - TAIL_BYTES, HEX}, h.b, SHA256_BYTES);
    if (!good)
        return fault_set(fault, WEIR_CORRUPT, "audit log '%.200s' is damaged at its end: 'weir audit' tells where", path);
    hex_encode(h.b, SHA256_BYTES, out->hash);
    return WEIR_OK;
}

static void put_member(struct buffer *b, const char *key, struct slice text)
{
    buffer_printf(b, "\",\"%s\":", key);
    escape_json(b, (struct slice){text.p, text.n < TEXT_MAX ? text.n : TEXT_MAX});
    b->n -= b->n && !b->err ? 1 : 0; /* the next member closes the quotes */
}

static void put_entry(const struct app *app, const struct last *last, const char *what, struct slice subject, struct slice text, struct buffer *b)
{
    char when[TIME_TEXT_MAX];
    struct passwd *user = getpwuid(getuid());
    time_format((int64_t)time(NULL), when);
    buffer_printf(b, "{\"n\":%" PRIu64 ",\"uid\":%u,\"time\":\"%s", last->n + 1, (unsigned)getuid(), when);
    put_member(b, "user", user ? slice_of(user->pw_name) : SLICE_LIT(""));
    put_member(b, "what", slice_of(what));
    put_member(b, "store", slice_of(app->config->store));
    put_member(b, "subject", subject);
    put_member(b, "text", text);
    put_member(b, "previous", slice_of(last->hash));
}

static enum weir_err append(int fd, const char *path, struct app *app, const char *what, struct slice subject, struct slice text, struct sha256 *head,
                            struct fault *fault)
{
    struct last last;
    struct buffer line;
    char hex[HEX + 1];
    enum weir_err err = read_last(fd, path, &last, fault);
    if (err)
        return err;
    buffer_init(&line, LINE_MAX_BYTES);
    put_entry(app, &last, what, subject, text, &line);
    buffer_puts(&line, "\"");
    if (!line.err)
        sha256_of(line.p, line.n, head);
    hex_encode(head->b, SHA256_BYTES, hex);
    buffer_printf(&line, "%s%s\"}\n", tail_form + 1, hex);
    if (line.err)
        err = fault_set(fault, line.err, "an entry of the audit log is too long");
    else if (write(fd, line.p, line.n) != (ssize_t)line.n || fsync(fd) != 0)
        err = os_fault(path, fault);
    buffer_fini(&line);
    return err;
}

enum weir_err audit_add(struct app *app, const char *what, struct slice subject, struct slice text, struct sha256 *head, struct fault *fault)
{
    char path[PATH_MAX];
    struct sha256 unused;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    enum weir_err err = audit_path(app, path, fault);
    if (err)
        return err;
    state_folders(path); /* a store elsewhere has made none */
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return os_fault(path, fault);
    while (fcntl(fd, F_OFD_SETLKW, &whole) != 0 && !err)
        if (errno != EINTR)
            err = os_fault(path, fault);
    if (!err)
        err = append(fd, path, app, what, subject, text, head ? head : &unused, fault);
    close(fd);
    return err;
}

bool audit_note(struct app *app, const char *what, struct slice subject, struct slice text, struct sha256 *head)
{
    struct fault fault = {WEIR_OK, ""};
    enum weir_err err = audit_add(app, what, subject, text, head, &fault);
    if (err && err != WEIR_NOTFOUND) /* no folder: there is no store there of which an account would be due */
        app_complain(app, "warning: not in the audit log: %s", fault.text);
    return !err;
}

int audit_before(struct app *app, const char *what, struct slice subject, struct slice text)
{
    struct fault fault = {WEIR_OK, ""};
    enum weir_err err = audit_add(app, what, subject, text, NULL, &fault);
    if (err != WEIR_UNAVAILABLE)
        return err ? app_fail(app, &fault) : APP_DONE;
    app_complain(app, "warning: not in the audit log: %s", fault.text);
    return APP_DONE;
}

/* ---- reading ---- */

static struct slice text_of(const json_t *in, const char *key)
{
    const json_t *v = json_object_get(in, key);
    return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)} : (struct slice){"", 0};
}

/* Its own hash, the hash before it, and its number. */
static bool fits(struct slice line, const json_t *doc, uint64_t n, const char before[HEX + 1], struct sha256 *own)
{
    size_t form = sizeof tail_form - 2; /* without the quote that ends the member before */
    char hex[HEX + 1];
    if (line.n < TAIL_BYTES + form || memcmp(line.p + line.n - TAIL_BYTES - form, tail_form + 1, form) != 0)
        return false;
    sha256_of(line.p, line.n - TAIL_BYTES - form, own);
    hex_encode(own->b, SHA256_BYTES, hex);
    return memcmp(line.p + line.n - TAIL_BYTES, hex, HEX) == 0 && memcmp(line.p + line.n - 2, "\"}", 2) == 0 &&
           slice_eq(text_of(doc, "previous"), slice_of(before)) && json_integer_value(json_object_get(doc, "n")) == (json_int_t)n;
}

struct chain {
    audit_each *each;
    void *ctx;
    uint64_t n;
    struct sha256 head;
    char hash[HEX + 1];
};

static enum weir_err take_line(struct chain *c, struct slice line)
{
    struct sha256 own;
    json_t *doc = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    if (!doc || !fits(line, doc, c->n + 1, c->hash, &own)) {
        json_decref(doc);
        return WEIR_CORRUPT;
    }
    c->n++;
    c->head = own;
    hex_encode(own.b, SHA256_BYTES, c->hash);
    struct audit_entry e = {c->n, line, text_of(doc, "time"), text_of(doc, "user"), text_of(doc, "what"), text_of(doc, "subject"), text_of(doc, "text"), slice_of(c->hash)};
    enum weir_err err = c->each ? c->each(c->ctx, &e) : WEIR_OK;
    json_decref(doc);
    return err;
}

static enum weir_err read_lines(struct chain *c, const char *path, struct slice log, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (size_t at = 0; at < log.n && !err;) {
        const char *newline = memchr(log.p + at, '\n', log.n - at);
        size_t end = newline ? (size_t)(newline - log.p) : log.n;
        err = newline ? take_line(c, (struct slice){log.p + at, end - at}) : WEIR_CORRUPT;
        if (err == WEIR_CORRUPT)
            return fault_set(fault, err, "audit log '%.200s' does not fit from entry %" PRIu64 " on, bytes %zu to %zu: it was changed, taken out or put in", path,
                             c->n + 1, at, end - (newline ? 0 : 1));
        at = end + 1;
    }
    return err;
}

enum weir_err audit_read(struct app *app, audit_each *each, void *ctx, uint64_t *n, struct sha256 *head, struct fault *fault)
{
    char path[PATH_MAX];
    struct buffer log;
    struct chain c = {.each = each, .ctx = ctx};
    memset(c.hash, '0', HEX);
    *n = 0;
    enum weir_err err = audit_path(app, path, fault);
    if (err)
        return err;
    buffer_init(&log, LOG_MAX);
    err = in_file(AT_FDCWD, path, LOG_MAX, &log, fault);
    if (!err)
        err = read_lines(&c, path, (struct slice){log.p, log.n}, fault);
    buffer_fini(&log);
    *n = c.n;
    *head = c.head;
    return err;
}
