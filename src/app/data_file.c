/* SPDX-License-Identifier: Apache-2.0 */
/* Files beside the logs. They come in through the room that reads objects, so that gzip, its checksums and bombs are judged
 * by the same code. */
#include "app/data_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "weir/source.h"

static void note_time(const char *path, struct data_about *about)
{
    struct stat st;
    about->given = true;
    about->made_s = stat(path, &st) == 0 ? (int64_t)st.st_mtime : 0;
}

/* What the room of logs says of a foreign file, without saying that it is no log. */
static const char *reason(const struct fault *why)
{
    struct slice said = slice_of(why->text), logs = SLICE_LIT("not flow logs: ");
    bool foreign = said.n > logs.n && memcmp(said.p, logs.p, logs.n) == 0;
    return foreign ? why->text + logs.n : why->text;
}

static enum weir_err read_whole(struct source *s, const char *path, struct buffer *out, struct data_about *about, struct fault *why)
{
    struct object o = {.path = path, .key = slice_of(path)};
    enum weir_err err = source_open(s, &o, why);
    for (size_t n; !err;) {
        char *room = buffer_reserve(out, 1 << 16);
        if (!room)
            return fault_set(why, out->err, "%s", weir_err_text(out->err));
        err = source_read(s, room, 1 << 16, &n, why);
        out->n += err ? 0 : n;
    }
    if (err != WEIR_END)
        return err;
    source_id(s, &about->id);
    return WEIR_OK;
}

enum weir_err data_file_read(const char *path, uint64_t max, struct buffer *out, struct data_about *about, struct fault *fault)
{
    struct source_limits limits = source_default_limits;
    struct fault why = {WEIR_NOMEM, "out of memory"};
    limits.max_object_bytes = max;
    struct source *s = source_new(&limits, INFLATE_BEST);
    note_time(path, about);
    enum weir_err err = s ? read_whole(s, path, out, about, &why) : WEIR_NOMEM;
    source_free(s);
    return err ? fault_set(fault, WEIR_USAGE, "cannot read '%.200s': %s", path, reason(&why)) : WEIR_OK;
}

enum weir_err data_file_identify(const char *path, struct data_about *about, struct fault *fault)
{
    struct object o = {.path = path, .key = slice_of(path)};
    struct fault why = {WEIR_NOMEM, "out of memory"};
    struct source *s = source_new(&source_default_limits, INFLATE_BEST);
    note_time(path, about);
    enum weir_err err = s ? source_hash(s, &o, &about->id, &why) : WEIR_NOMEM;
    source_free(s);
    return err ? fault_set(fault, WEIR_USAGE, "cannot read '%.200s': %s", path, why.text) : WEIR_OK;
}

struct slice column_next(struct slice *rest, char separator)
{
    const char *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
    struct slice column = {rest->p, at ? (size_t)(at - rest->p) : rest->n};
    size_t eaten = column.n + (at != NULL);
    *rest = (struct slice){rest->p + eaten, rest->n - eaten};
    return column;
}

bool lines_next(struct lines *l)
{
    if (!l->rest.n)
        return false;
    l->line = column_next(&l->rest, '\n');
    if (l->line.n && l->line.p[l->line.n - 1] == '\r')
        l->line.n--;
    l->number++;
    return true;
}

enum weir_err lines_refuse(const struct lines *l, const char *what, const char *at, struct fault *fault, const char *format, ...)
{
    char reason[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return fault_set(fault, WEIR_USAGE, "%s '%.150s': line %lu, column %zu: %s", what, l->path, l->number, (size_t)(at - l->line.p) + 1, reason);
}
