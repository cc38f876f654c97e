/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an inventory: one, or those of a directory whose names end in .json, .csv, .json.gz or .csv.gz. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/inventory_build.h"

#define FILE_BYTES_MAX (256ULL << 20)
#define FILES_MAX 10000

struct reading {
    struct inventory *inv;
    struct sha256 *id; size_t ids; /* of the files */
    int64_t newest_s;
    struct fault *fault;
};

static enum weir_err read_one(struct reading *r, const char *path)
{
    struct buffer text;
    struct data_about about = {0};
    buffer_init(&text, FILE_BYTES_MAX + (1 << 17));
    enum weir_err err = data_file_read(path, FILE_BYTES_MAX, &text, &about, r->fault);
    if (!err)
        err = inventory_add(r->inv, (struct slice){text.p, text.n}, path, r->fault);
    buffer_fini(&text);
    r->id[r->ids++] = about.id;
    r->newest_s = about.made_s > r->newest_s ? about.made_s : r->newest_s;
    return err;
}

static int wanted(const struct dirent *e)
{
    static const char *const ends[] = {".json", ".csv", ".json.gz", ".csv.gz"};
    size_t n = strlen(e->d_name);
    for (size_t i = 0; i < WEIR_COUNT(ends) && e->d_name[0] != '.'; i++)
        if (n > strlen(ends[i]) && strcmp(e->d_name + n - strlen(ends[i]), ends[i]) == 0)
            return 1;
    return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static enum weir_err read_directory(struct reading *r, const char *path)
{
    struct dirent **found = NULL;
    int n = scandir(path, &found, wanted, by_name);
    enum weir_err err = WEIR_OK;
    if (n < 0)
        return fault_set(r->fault, WEIR_USAGE, "cannot read '%.200s': %s", path, strerror(errno));
    if (n == 0 || n > FILES_MAX)
        err = fault_set(r->fault, WEIR_USAGE, n ? "more than %2$d files in '%1$.200s'" : "no file *.json or *.csv in '%1$.200s'", path, FILES_MAX);
    for (int i = 0; i < n; i++) {
        char file[4096];
        if (!err && (size_t)snprintf(file, sizeof file, "%s/%s", path, found[i]->d_name) >= sizeof file)
            err = fault_set(r->fault, WEIR_USAGE, "a path in '%.200s' is too long", path);
        if (!err)
            err = read_one(r, file);
        free(found[i]);
    }
    free(found);
    return err;
}

static int by_id(const void *a, const void *b) { return memcmp(a, b, SHA256_BYTES); }

/* In the order of their content: what files are called does not matter. */
static void about_all(struct reading *r, struct data_about *about)
{
    struct inventory_counts c = inventory_counts(r->inv);
    qsort(r->id, r->ids, sizeof *r->id, by_id);
    sha256_of(r->id, r->ids * sizeof *r->id, &about->id);
    about->form = "inventory";
    about->entries = c.interfaces;
    about->made_s = r->newest_s;
}

enum weir_err inventory_read(const char *path, const char *role_tag, struct inventory **out, struct data_about *about, struct fault *fault)
{
    struct stat st;
    struct reading r = {.inv = inventory_new(role_tag), .id = calloc(FILES_MAX, sizeof *r.id), .fault = fault};
    *out = NULL;
    about->given = true;
    enum weir_err err = r.inv && r.id ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    if (!err)
        err = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? read_directory(&r, path) : read_one(&r, path);
    if (!err) {
        inventory_finish(r.inv);
        about_all(&r, about);
        *out = r.inv;
    } else {
        inventory_free(r.inv);
    }
    free(r.id);
    return err;
}
