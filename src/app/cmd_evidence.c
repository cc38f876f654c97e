/* SPDX-License-Identifier: Apache-2.0 */
/* `weir evidence ID -o DIR [PATH...]`: all that proves a finding, in a new directory that `weir verify` checks without a store.
 *
 *   finding.json   the finding, byte for byte as in the finding log        records/0001.log ...  the records, as they stood in each object
 *   report.html    the page for people                                    manifest.json        what was made of what, with hashes
 *   clock.json     bounds of what went out, and sixty days                 SEAL                 the hash of the manifest, written last
 *   config.yaml    the configuration in force when this was made
 *
 * A directory without SEAL is one whose making was cut short. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/audit.h"
#include "app/batch.h"
#include "app/chain.h"
#include "app/marks.h"
#include "app/out_file.h"
#include "app/outbox.h"
#include "app/records.h"
#include "app/replay.h"
#include "app/seal.h"
#include "weir/sink.h"

#define REPORT_BYTES_MAX ((size_t)256 << 20)
#define MANIFEST_BYTES_MAX ((size_t)256 << 20)
#define PROGRAM_BYTES_MAX ((size_t)1 << 30)

struct evidence_options {
    const char *output;
};

struct bundle {
    struct app *app;
    struct store *store;
    struct outbox_entry *entry;
    int dir;                       /* of the new directory */
    size_t files, objects, read;
    uint64_t records, bytes;
    struct buffer files_json, sources_json, json, marked; /* json: the finding as stored, marked: with its mark */
    struct sha256 seal;
    struct fault fault;
};

/* ---- files ---- */

static void put_hex(struct buffer *out, const char *key, const struct sha256 *h)
{
    char hex[2 * SHA256_BYTES + 1];
    hex_encode(h->b, SHA256_BYTES, hex);
    buffer_printf(out, "\"%s\":\"%s\"", key, hex);
}

static void note_file(struct bundle *b, const char *name, const struct seal *s)
{
    struct buffer *out = &b->files_json;
    buffer_printf(out, "%s\n{\"name\":\"%s\",\"bytes\":%" PRIu64 ",", b->files++ ? "," : "", name, s->bytes);
    put_hex(out, "sha256", &s->sha256);
    buffer_printf(out, ",\"sums\":[\"%016" PRIx64 "\",\"%016" PRIx64 "\"],\"blocks\":\"", s->sums[0], s->sums[1]);
    buffer_put(out, s->blocks.p, s->blocks.n);
    buffer_puts(out, "\"}");
}

static enum weir_err add_file(struct bundle *b, const char *name, struct slice bytes)
{
    struct seal seal;
    seal_of(bytes, &seal);
    enum weir_err err = seal.blocks.err ? fault_set(&b->fault, seal.blocks.err, "'%s': %s", name, weir_err_text(seal.blocks.err))
                                        : out_file_new(b->dir, name, bytes, &b->fault);
    if (!err)
        note_file(b, name, &seal);
    seal_fini(&seal);
    return err;
}

static enum weir_err add_buffer(struct bundle *b, const char *name, const struct buffer *text)
{
    return text->err ? fault_set(&b->fault, text->err, "'%s': %s", name, weir_err_text(text->err)) : add_file(b, name, (struct slice){text->p, text->n});
}

/* ---- what goes in ---- */

static enum weir_err add_report(struct bundle *b)
{
    const struct outbox one = {.entry = b->entry, .n = 1, .cap = 1};
    struct buffer page, clock;
    buffer_init(&page, REPORT_BYTES_MAX);
    buffer_init(&clock, REPORT_BYTES_MAX);
    enum weir_err err = report_of(b->app->config, b->store, &one, &page, &b->fault);
    if (!err)
        err = add_buffer(b, "report.html", &page);
    if (!err)
        err = sink_clock((struct slice){b->json.p, b->json.n}, &clock, &b->fault);
    if (!err)
        err = add_buffer(b, "clock.json", &clock);
    buffer_fini(&clock);
    buffer_fini(&page);
    return err;
}

static enum weir_err add_config(struct bundle *b)
{
    struct buffer text;
    buffer_init(&text, 64u << 20);
    config_show(b->app->config, &text);
    enum weir_err err = add_buffer(b, "config.yaml", &text);
    buffer_fini(&text);
    return err;
}

static void note_source(struct bundle *b, const struct records *r, const char *file)
{
    struct buffer *out = &b->sources_json;
    buffer_printf(out, "%s\n{", b->objects++ ? "," : "");
    put_hex(out, "sha256", &r->id);
    buffer_printf(out, ",\"state\":\"%s\",\"bytes\":%" PRIu64 ",\"key\":", records_state_word(r->state), r->stored);
    escape_json(out, r->key);
    buffer_puts(out, ",\"path\":");
    escape_json(out, r->path);
    buffer_printf(out, ",\"file\":\"%s\",\"records\":%" PRIu64 ",\"record_bytes\":%" PRIu64 "}", file, r->n, r->bytes);
}

/* The header line is ours, made of what the columns are called; the records behind it are as they stood. */
static enum weir_err add_records(void *ctx, const struct records *r, struct fault *fault)
{
    struct bundle *b = ctx;
    char name[40] = "";
    enum weir_err err = WEIR_OK;
    if (r->state == RECORDS_READ) {
        struct buffer text;
        snprintf(name, sizeof name, "records/%04zu.log", ++b->read);
        buffer_init(&text, SIZE_MAX / 2);
        buffer_slice(&text, r->columns);
        buffer_puts(&text, r->columns.n ? "\n" : "");
        buffer_slice(&text, r->text);
        err = add_buffer(b, name, &text);
        buffer_fini(&text);
        b->records = sat_add(b->records, r->n);
        b->bytes = sat_add(b->bytes, r->bytes);
    }
    note_source(b, r, name);
    if (err)
        *fault = b->fault;
    return err;
}

static enum weir_err add_all(struct bundle *b, const struct object_list *at)
{
    struct slice finding = {b->json.p, b->json.n};
    enum weir_err err = add_file(b, "finding.json", finding);
    if (!err)
        err = add_report(b);
    if (!err)
        err = add_config(b);
    if (!err && mkdirat(b->dir, "records", 0700) != 0)
        err = fault_set(&b->fault, WEIR_IO, "cannot make the folder 'records': %s", strerror(errno));
    return err ? err : records_of(b->app, b->store, at, finding, add_records, b, &b->fault);
}

/* ---- manifest and seal ---- */

/* What made it: the program file itself, with its models inside. Where that cannot be read, empty. */
static void put_build(struct buffer *out)
{
    struct buffer program;
    struct sha256 h;
    buffer_init(&program, PROGRAM_BYTES_MAX);
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0;
    for (char *room; good && (room = buffer_reserve(&program, 1 << 20));) {
        ssize_t n = read(fd, room, 1 << 20);
        good = n >= 0;
        if (n <= 0)
            break;
        program.n += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    buffer_printf(out, "\"build\":{\"version\":\"%s\"", WEIR_PROGRAM_VERSION);
    if (good && !program.err) {
        sha256_of(program.p, program.n, &h);
        buffer_puts(out, ",");
        put_hex(out, "sha256", &h);
    }
    buffer_puts(out, "},\n");
    buffer_fini(&program);
}

static enum weir_err put_log(struct bundle *b, struct buffer *out)
{
    struct chain_link link;
    enum weir_err err = chain_find(b->store, b->entry->seq, &link, &b->fault);
    if (err)
        return err;
    buffer_printf(out, "\"log\":{\"epoch\":\"%016" PRIx64 "\",\"entry\":%" PRIu64 ",", store_position(b->store).epoch, link.seq);
    put_hex(out, "previous", &link.previous);
    buffer_puts(out, ",");
    put_hex(out, "hash", &link.hash);
    buffer_puts(out, "},\n");
    return WEIR_OK;
}

static void put_mark(struct bundle *b, struct buffer *out)
{
    struct marks *marks = NULL;
    char when[TIME_TEXT_MAX];
    const struct mark *m = marks_load(b->store, &marks, NULL) ? NULL : marks_find(marks, b->entry->uid);
    if (m) {
        time_format(m->at_s, when);
        buffer_printf(out, "\"mark\":{\"verdict\":\"%s\",\"time\":\"%s\",\"reason\":", mark_word(m->verdict), when);
        escape_json(out, m->reason);
        buffer_puts(out, "},\n");
    }
    marks_free(marks);
}

static enum weir_err put_manifest(struct bundle *b, const struct sha256 *audit, struct buffer *out)
{
    char when[TIME_TEXT_MAX], hash[17];
    time_format((int64_t)time(NULL), when);
    hash_in_force(b->app->config, hash);
    buffer_printf(out, "{\"weir_evidence\":1,\"finding\":\"wf1-%s\",\"made\":\"%s\",\n", b->entry->uid, when);
    put_build(out);
    buffer_printf(out, "\"configuration\":{\"hash\":\"%s\",\"file\":\"config.yaml\"},\n", hash);
    enum weir_err err = put_log(b, out);
    put_mark(b, out);
    if (audit) {
        buffer_puts(out, "\"audit\":{");
        put_hex(out, "hash", audit);
        buffer_puts(out, "},\n");
    }
    buffer_printf(out, "\"records\":{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 "},\n\"sources\":[", b->records, b->bytes);
    buffer_put(out, b->sources_json.p, b->sources_json.n);
    buffer_puts(out, "],\n\"files\":[");
    buffer_put(out, b->files_json.p, b->files_json.n);
    buffer_puts(out, "]}\n");
    if (!err && (err = b->sources_json.err ? b->sources_json.err : b->files_json.err ? b->files_json.err : out->err))
        fault_set(&b->fault, err, "the manifest: %s", weir_err_text(err));
    return err;
}

static enum weir_err put_seal(struct bundle *b, const struct sha256 *audit)
{
    struct buffer manifest, text;
    struct seal seal;
    buffer_init(&manifest, MANIFEST_BYTES_MAX);
    buffer_init(&text, SEAL_TEXT_MAX);
    enum weir_err err = put_manifest(b, audit, &manifest);
    if (!err)
        err = out_file_new(b->dir, "manifest.json", (struct slice){manifest.p, manifest.n}, &b->fault);
    if (!err) {
        seal_of((struct slice){manifest.p, manifest.n}, &seal);
        seal_text(&seal, &text);
        seal_fini(&seal);
        b->seal = seal.sha256;
        err = out_file_new(b->dir, "SEAL", (struct slice){text.p, text.n}, &b->fault);
    }
    if (!err && fsync(b->dir) != 0)
        err = fault_set(&b->fault, WEIR_IO, "cannot sync the directory: %s", strerror(errno));
    buffer_fini(&text);
    buffer_fini(&manifest);
    return err;
}

/* ---- the command ---- */

static void tell(struct bundle *b, const char *dir)
{
    char hex[2 * SHA256_BYTES + 1];
    struct buffer shown;
    buffer_init(&shown, 1 << 16);
    escape_terminal(&shown, slice_of(dir));
    hex_encode(b->seal.b, SHA256_BYTES, hex);
    fprintf(b->app->out, "%s: %" PRIu64 " record%s of %zu object%s with %" PRIu64 " bytes\nseal %s\n", buffer_cstr(&shown), b->records, b->records == 1 ? "" : "s", b->read,
            b->read == 1 ? "" : "s", b->bytes, hex);
    if (b->read < b->objects)
        app_complain(b->app, "%zu of %zu objects could not be read, or are not those that were counted: give the PATHs where they are now", b->objects - b->read,
                     b->objects);
    buffer_fini(&shown);
}

static int fill_dir(struct bundle *b, const char *dir, const struct object_list *at)
{
    char uid[STORE_ID_MAX + 8];
    struct sha256 audit;
    snprintf(uid, sizeof uid, "wf1-%s", b->entry->uid);
    bool noted = audit_note(b->app, "evidence", slice_of(uid), slice_of(dir), &audit);
    enum weir_err err = store_get(b->store, 'q', b->entry->uid, &b->json, &b->fault);
    if (err == WEIR_NOTFOUND)
        fault_set(&b->fault, err, "finding '%s' was withdrawn", uid);
    if (!err)
        err = add_all(b, at);
    if (!err)
        err = put_seal(b, noted ? &audit : NULL);
    if (err)
        return app_fail(b->app, &b->fault);
    tell(b, dir);
    return b->read < b->objects ? APP_REJECTED : APP_DONE;
}

/* New, so that nothing of another finding lies in it. */
static int make_dir(struct app *app, const char *dir, int *fd)
{
    struct fault fault;
    if (mkdir(dir, 0700) == 0 && (*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0)
        return APP_DONE;
    if (errno == EEXIST) {
        app_complain(app, "'%.200s' is there already: give a new directory", dir);
        return APP_USAGE;
    }
    fault_set(&fault, WEIR_IO, "cannot make the directory '%.200s': %s", dir, strerror(errno));
    return app_fail(app, &fault);
}

static int make_evidence(struct app *app, struct store *store, const char *id, const struct object_list *at)
{
    const struct evidence_options *o = app->options;
    struct bundle b = {.app = app, .store = store, .dir = -1};
    struct outbox all;
    struct fault fault = {WEIR_OK, ""};
    int code = outbox_fold(store, &all, &fault) ? app_fail(app, &fault) : outbox_find(app, &all, id, &b.entry);
    if (!code)
        code = make_dir(app, o->output, &b.dir);
    buffer_init(&b.json, STORE_VALUE_MAX);
    buffer_init(&b.files_json, MANIFEST_BYTES_MAX);
    buffer_init(&b.sources_json, MANIFEST_BYTES_MAX);
    if (!code)
        code = fill_dir(&b, o->output, at);
    if (b.dir >= 0)
        close(b.dir);
    buffer_fini(&b.json);
    buffer_fini(&b.files_json);
    buffer_fini(&b.sources_json);
    outbox_fini(&all);
    return code;
}

static int run_evidence(struct app *app, int argc, char **argv)
{
    const struct evidence_options *o = app->options;
    struct object_list *at = NULL;
    struct fault fault = {WEIR_OK, ""};
    int code = outbox_id_check(app, argv[0]);
    if (!code && (!o->output || !*o->output)) {
        app_complain(app, "option '--output' is missing: weir evidence ID -o DIR [PATH...]");
        code = APP_USAGE;
    }
    if (!code && argc > 1 && batch_list(argc - 1, argv + 1, INT64_MIN, INT64_MAX, &at, &fault))
        code = app_fail(app, &fault);
    struct store *store = code ? NULL : outbox_open(app, &code);
    if (store)
        code = make_evidence(app, store, argv[0], at);
    store_close(store);
    object_list_free(at);
    return code;
}

static const struct option_row rows[] = {
    {"output", "DIR", "write everything into this new directory", OPTION_TEXT, offsetof(struct evidence_options, output)},
};

const struct command command_evidence = {
    .name = "evidence",
    .summary = "write all that proves a finding into a directory",
    .operands = "ID -o DIR [PATH...]",
    .help = "The finding, its report, the exact records from the logs, the bounds of what went out, the configuration, and a manifest\n"
            "with the hashes of everything, sealed. The seal is printed: keep it elsewhere, and 'weir verify DIR --seal HEX' will\n"
            "tell a directory that was made anew. PATH: where the logs are now, if not where they were counted. Exit code 4: some of\n"
            "the objects that the finding names could not be read.",
    .common = COMMON_STORE | COMMON_INPUT,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct evidence_options),
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = run_evidence,
};
