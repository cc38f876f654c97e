/* Fuzz corpora without a fuzzer: runs the target once on each file of the folders and files named, so that any
 * compiler replays in the ordinary test what a fuzz run once found. Each input is an exact-size malloc copy: a
 * sanitizer then sees a read of one byte too many. An empty replay is a failure: a lost corpus must not look like a pass. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) != 0) {
        perror(path);
        if (f)
            fclose(f);
        return -1;
    }
    size_t n = (size_t)st.st_size;
    uint8_t *data = malloc(n ? n : 1);
    int rc = data && fread(data, 1, n, f) == n ? 0 : -1;
    fclose(f);
    if (rc == 0) {
        fprintf(stderr, "%s\n", path); /* the last name before a crash is the culprit */
        LLVMFuzzerTestOneInput(data, n);
    }
    free(data);
    return rc;
}

static int is_input(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Files in alphabetical order, so that a failure repeats. Returns the number of inputs run, or -1. */
static long replay_dir(const char *path)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, is_input, alphasort);
    long done = n < 0 ? -1 : 0;
    for (int i = 0; i < n; i++) {
        char file[4096];
        int len = snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (done >= 0)
            done = len > 0 && (size_t)len < sizeof file && replay_file(file) == 0 ? done + 1 : -1;
        free(names[i]);
    }
    free(names);
    return done;
}

int main(int argc, char **argv)
{
    long total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        long n = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_dir(argv[i]) : replay_file(argv[i]) == 0 ? 1 : -1;
        if (n < 0)
            return 1;
        total += n;
    }
    printf("%ld inputs\n", total);
    return total > 0 ? 0 : 1;
}
