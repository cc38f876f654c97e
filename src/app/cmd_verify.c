/* SPDX-License-Identifier: Apache-2.0 */
/* `weir verify DIR`: does an evidence directory still fit? Needs no store and no logs.
 *
 * SEAL holds the hash of the manifest, the manifest those of all files; the finding holds a hash of itself and is a link of the finding log.
 * Then the records are read and added up once more. Everything that does not fit is told, with the file and, where it can be known, the byte. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/chain.h"
#include "app/out_file.h"
#include "app/pipeline.h"
#include "app/seal.h"
#include "app/verify_file.h"

#define FILE_BYTES_MAX ((size_t)2 << 30)
#define FILES_MAX 1000000

struct verify_options {
    const char *seal;
};

struct check {
    struct app *app;
    const char *path;
    int dir;
    size_t wrong, files;
    struct buffer bytes, why;
    uint64_t records, record_bytes; /* read again */
    struct fault fault;
};

static void say(struct check *c, const char *format, ...) WEIR_PRINTF(2, 3);

/* One thing that does not fit, escaped for a terminal. */
static void say(struct check *c, const char *format, ...)
{
    char text[1024];
    struct buffer shown;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buffer_init(&shown, 1 << 16);
    escape_terminal(&shown, slice_of(text));
    fprintf(c->app->out, "%s\n", buffer_cstr(&shown));
    buffer_fini(&shown);
    c->wrong++;
}

static struct slice text_at(const json_t *in, const char *key)
{
    const json_t *v = json_object_get(in, key);
    return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)} : (struct slice){"", 0};
}

static uint64_t number_at(const json_t *in, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(in, key));
    return v > 0 ? (uint64_t)v : 0;
}

/* Into c->bytes. False: told why not. */
static bool load(struct check *c, const char *name)
{
    buffer_clear(&c->bytes);
    enum weir_err err = in_file(c->dir, name, FILE_BYTES_MAX, &c->bytes, &c->fault);
    if (err)
        say(c, "%s: %s", name, err == WEIR_NOTFOUND ? "it is missing" : c->fault.text);
    return !err;
}

/* ---- files against the manifest ---- */

/* Names that we give ourselves: nothing that could lead out of the directory. */
static bool is_our_name(struct slice name)
{
    static const char *const plain[] = {"finding.json", "report.html", "clock.json", "config.yaml"};
    for (size_t i = 0; i < WEIR_COUNT(plain); i++)
        if (slice_eq(name, slice_of(plain[i])))
            return true;
    static const char begin[] = "records/";
    size_t digits = 0;
    if (name.n < sizeof begin - 1 || memcmp(name.p, begin, sizeof begin - 1) != 0)
        return false;
    const char *rest = name.p + sizeof begin - 1;
    size_t left = name.n - (sizeof begin - 1);
    while (digits < left && rest[digits] >= '0' && rest[digits] <= '9')
        digits++;
    return digits >= 4 && digits <= 9 && slice_eq((struct slice){rest + digits, left - digits}, SLICE_LIT(".log"));
}

static bool seal_from(const json_t *file, struct seal *out)
{
    const json_t *sums = json_object_get(file, "sums");
    *out = (struct seal){.bytes = number_at(file, "bytes")};
    bool good = !hex_decode(text_at(file, "sha256"), out->sha256.b, SHA256_BYTES) && json_array_size(sums) == 2;
    for (size_t i = 0; i < 2 && good; i++) {
        uint8_t b[8];
        const json_t *v = json_array_get(sums, i);
        good = json_is_string(v) && !hex_decode((struct slice){json_string_value(v), json_string_length(v)}, b, sizeof b);
        for (size_t k = 0; k < sizeof b && good; k++)
            out->sums[i] = out->sums[i] << 8 | b[k];
    }
    struct slice blocks = text_at(file, "blocks");
    buffer_init(&out->blocks, blocks.n + 1);
    buffer_slice(&out->blocks, blocks);
    return good;
}

static void check_file(struct check *c, const json_t *file)
{
    struct slice name = text_at(file, "name");
    struct seal seal = {.bytes = 0};
    if (!is_our_name(name)) {
        say(c, "manifest.json: it names a file that weir does not write: '%.200s'", name.p);
        return;
    }
    if (!seal_from(file, &seal))
        say(c, "manifest.json: the hash of '%s' cannot be read", name.p);
    else if (load(c, name.p) && !seal_check(&seal, (struct slice){c->bytes.p, c->bytes.n}, &c->why))
        say(c, "%s: %s", name.p, buffer_cstr(&c->why));
    seal_fini(&seal);
    c->files++;
}

static bool is_named(const json_t *files, const char *folder, const char *name)
{
    char whole[300];
    int n = snprintf(whole, sizeof whole, "%s%s", folder, name);
    for (size_t i = 0; n > 0 && (size_t)n < sizeof whole && i < json_array_size(files); i++)
        if (slice_eq(text_at(json_array_get(files, i), "name"), slice_of(whole)))
            return true;
    return false;
}

/* What lies there and is in no manifest was put there by somebody else. */
static void check_strangers(struct check *c, const json_t *files, const char *folder)
{
    int fd = openat(c->dir, *folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    bool top = !*folder;
    for (struct dirent *e; d && (e = readdir(d));) {
        bool ours = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    (top && (strcmp(e->d_name, "SEAL") == 0 || strcmp(e->d_name, "manifest.json") == 0 || strcmp(e->d_name, "records") == 0));
        if (!ours && !is_named(files, folder, e->d_name))
            say(c, "%s%s: it is not in the manifest", folder, e->d_name);
    }
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

/* ---- the finding against itself and the log ---- */

/* metadata stands last; its uid ends with a hash of everything before it. */
static bool hashes_itself(struct slice json)
{
    static const char key[] = ",\"metadata\":{";
    struct sha256 h;
    char hex[17];
    const char *at = NULL;
    for (const char *p = json.p; p && (p = memmem(p, json.n - (size_t)(p - json.p), key, sizeof key - 1)); p++)
        at = p;
    if (!at)
        return false;
    sha256_of(json.p, (size_t)(at - json.p), &h);
    hex_encode(h.b, 8, hex);
    return memmem(at, json.n - (size_t)(at - json.p), hex, 16) != NULL;
}

static void check_finding(struct check *c, const json_t *manifest)
{
    const json_t *log = json_object_get(manifest, "log");
    struct slice uid = text_at(manifest, "finding");
    struct sha256 previous, wanted, hash;
    if (!load(c, "finding.json"))
        return;
    struct slice json = {c->bytes.p, c->bytes.n};
    if (!hashes_itself(json))
        say(c, "finding.json: the hash that the finding holds of itself does not fit");
    if (uid.n < 5 || !memmem(json.p, json.n, uid.p, uid.n))
        say(c, "finding.json: it is not '%.80s', of which the manifest speaks", uid.p);
    if (hex_decode(text_at(log, "previous"), previous.b, SHA256_BYTES) || hex_decode(text_at(log, "hash"), wanted.b, SHA256_BYTES) || uid.n < 5) {
        say(c, "manifest.json: the link to the finding log cannot be read");
        return;
    }
    chain_hash(&previous, number_at(log, "entry"), uid.p + 4, json, &hash);
    if (memcmp(hash.b, wanted.b, SHA256_BYTES) != 0)
        say(c, "finding.json: it is not the entry of the finding log that it is said to be");
}

/* ---- the records, added up again ---- */

static void add_record(void *ctx, const struct record *r)
{
    struct check *c = ctx;
    c->records++;
    c->record_bytes = sat_add(c->record_bytes, r->bytes);
}

/* Objects that are no tables of text cannot be read from their records alone: they count as they are noted. */
static void recount(struct check *c, const json_t *source)
{
    char path[4300];
    struct object_outcome outcome = {.err = WEIR_NOMEM};
    uint64_t records = c->records, bytes = c->record_bytes;
    struct slice file = text_at(source, "file");
    if (!file.n)
        return;
    struct decoder *decoder = decoder_new(NULL, (struct decode_sink){c, add_record, NULL});
    struct object_reader *reader = decoder ? object_reader_new(&source_default_limits, decoder) : NULL;
    snprintf(path, sizeof path, "%.4000s/%.200s", c->path, file.p);
    if (reader)
        object_read(reader, &(struct object){.path = path}, false, NULL, &outcome);
    if (outcome.err) {
        c->records = sat_add(records, number_at(source, "records"));
        c->record_bytes = sat_add(bytes, number_at(source, "record_bytes"));
    } else if (c->records - records != number_at(source, "records") || c->record_bytes - bytes != number_at(source, "record_bytes")) {
        say(c, "%s: its records do not add up to what the manifest says", file.p);
    }
    object_reader_free(reader);
    decoder_free(decoder);
}

static void check_records(struct check *c, const json_t *manifest)
{
    const json_t *sources = json_object_get(manifest, "sources"), *all = json_object_get(manifest, "records");
    for (size_t i = 0; i < json_array_size(sources); i++)
        recount(c, json_array_get(sources, i));
    if (c->records != number_at(all, "records") || c->record_bytes != number_at(all, "bytes"))
        say(c, "manifest.json: the records do not add up to the sum that it gives");
}

/* ---- all of it ---- */

/* The manifest, or NULL: told why. */
static json_t *open_manifest(struct check *c, struct sha256 *hash)
{
    struct seal seal;
    json_error_t error;
    if (!load(c, "SEAL"))
        return NULL;
    if (!seal_parse((struct slice){c->bytes.p, c->bytes.n}, &seal, &c->why)) {
        say(c, "SEAL: %s", buffer_cstr(&c->why));
        return NULL;
    }
    if (!load(c, "manifest.json"))
        return NULL;
    if (!seal_check(&seal, (struct slice){c->bytes.p, c->bytes.n}, &c->why)) {
        say(c, "manifest.json: %s", buffer_cstr(&c->why));
        return NULL;
    }
    *hash = seal.sha256;
    json_t *doc = json_loadb(c->bytes.p, c->bytes.n, JSON_REJECT_DUPLICATES, &error);
    if (!doc || json_integer_value(json_object_get(doc, "weir_evidence")) != 1 || json_array_size(json_object_get(doc, "files")) > FILES_MAX) {
        say(c, "manifest.json: it is none that this weir knows");
        json_decref(doc);
        return NULL;
    }
    return doc;
}

static void check_all(struct check *c, const char *wanted)
{
    struct sha256 hash;
    json_t *manifest = open_manifest(c, &hash);
    char hex[2 * SHA256_BYTES + 1];
    if (!manifest)
        return;
    hex_encode(hash.b, SHA256_BYTES, hex);
    if (wanted && strcmp(wanted, hex) != 0)
        say(c, "SEAL: it is not the seal that you gave: the directory was made anew");
    const json_t *files = json_object_get(manifest, "files");
    for (size_t i = 0; i < json_array_size(files); i++)
        check_file(c, json_array_get(files, i));
    check_strangers(c, files, "");
    check_strangers(c, files, "records/");
    check_finding(c, manifest);
    check_records(c, manifest);
    if (!c->wrong)
        fprintf(c->app->out, "%s fits: %zu files, %" PRIu64 " records with %" PRIu64 " bytes, seal %s\n", json_string_value(json_object_get(manifest, "finding")),
                c->files, c->records, c->record_bytes, hex);
    json_decref(manifest);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int run_verify(struct app *app, int argc, char **argv)
{
    const struct verify_options *o = app->options;
    struct check c = {.app = app, .path = argv[0]};
    struct sha256 h;
    (void)argc;
    if (o->seal && hex_decode(slice_of(o->seal), h.b, SHA256_BYTES)) {
        app_complain(app, "option '--seal': '%.80s' are not 64 hexadecimal digits", o->seal);
        return APP_USAGE;
    }
    if (is_file(argv[0]))
        return verify_findings_file(app, argv[0], o->seal != NULL);
    c.dir = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c.dir < 0) {
        app_complain(app, "cannot read '%.200s': %s", argv[0], strerror(errno));
        return APP_USAGE;
    }
    buffer_init(&c.bytes, FILE_BYTES_MAX + 1);
    buffer_init(&c.why, 1 << 16);
    check_all(&c, o->seal);
    buffer_fini(&c.why);
    buffer_fini(&c.bytes);
    close(c.dir);
    return c.wrong ? APP_REJECTED : APP_DONE;
}

static const struct option_row rows[] = {
    {"seal", "HEX", "the seal that 'weir evidence' printed, as noted elsewhere", OPTION_TEXT, offsetof(struct verify_options, seal)},
};

const struct command command_verify = {
    .name = "verify",
    .summary = "check evidence byte by byte: a directory, or a file of findings",
    .operands = "DIR|FILE",
    .help = "Needs no store and no logs. Tells every file that does not fit, and where: the byte, when one was changed. Hashes alone\n"
            "cannot tell a directory that was made anew as a whole; --seal does. FILE is that of a sink; the full ones beside it\n"
            "(FILE.1, FILE.2 ...) are read before it. Exit code 0: it fits; 4: it does not.",
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct verify_options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run_verify,
};
