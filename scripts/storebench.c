/* storebench URL COMMITS HOSTS BYTES [PASSWORD CA CERT KEY]: commits HOSTS baselines of BYTES each, COMMITS times, and prints how
 * many commits and values a second that makes, and the share of the time that was spent waiting for the store. With COMMITS 1 it fills a
 * store whose memory is then looked at from outside. Used by scripts/bench-store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir/store.h"

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t number(const char *text)
{
    uint64_t n = 0;
    if (parse_u64(slice_of(text), 100000000, &n)) {
        fprintf(stderr, "storebench: '%s' is no number\n", text);
        exit(2);
    }
    return (size_t)n;
}

static enum weir_err commit_once(struct store *s, size_t round, size_t hosts, struct slice value, struct fault *fault)
{
    char id[17];
    enum weir_err err = store_begin(s, fault);
    for (size_t i = 0; i < hosts && !err; i++) {
        snprintf(id, sizeof id, "%016zx", round * hosts + i);
        err = store_put(s, 'h', id, value, fault);
    }
    return err ? err : store_commit(s, fault);
}

static enum weir_err measure(struct store *s, size_t commits, size_t hosts, struct slice value, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    double begin = seconds_now();
    for (size_t i = 0; i < commits && !err; i++)
        err = commit_once(s, i % 10, hosts, value, fault);
    double took = seconds_now() - begin, n = (double)commits;
    if (!err)
        printf("%.1f commits/s, %.0f values/s, %.0f %% waiting\n", n / took, n * (double)hosts / took, (double)store_stats(s).waited_us / took / 1e4);
    return err;
}

int main(int argc, char **argv)
{
    struct store *s = NULL;
    struct fault fault = {WEIR_OK, ""};
    struct store_options options = {NULL, NULL, NULL, NULL};
    if (argc != 5 && argc != 9) {
        fprintf(stderr, "usage: storebench URL COMMITS HOSTS BYTES [PASSWORD CA CERT KEY]\n");
        return 2;
    }
    if (argc == 9)
        options = (struct store_options){argv[5], argv[6], argv[7], argv[8]};
    size_t n = number(argv[4]);
    char *bytes = calloc(1, n + 1);
    for (size_t i = 0; bytes && i < n; i++)
        bytes[i] = (char)stable_mix(i);
    enum weir_err err = bytes ? store_open_with(argv[1], STORE_READ_WRITE, &options, &s, &fault) : WEIR_NOMEM;
    if (!err)
        err = measure(s, number(argv[2]), number(argv[3]), (struct slice){bytes, n}, &fault);
    if (err)
        fprintf(stderr, "storebench: %s\n", fault.text);
    store_close(s);
    free(bytes);
    return err ? 1 : 0;
}
