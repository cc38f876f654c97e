/* SPDX-License-Identifier: Apache-2.0 */
/* Cells in the order of their groups. Most rows have few, which are put in place one by one; longer ones are runs of
 * these merged bottom up. qsort's calls for every comparison took a fifth of judging a day. */
#include "table.h"

#include <string.h>

#define RUN 16

static inline bool ref_before(const struct ref *a, const struct ref *b)
{
    return a->group != b->group ? a->group < b->group : a->flow_log < b->flow_log;
}

static void sort_run(struct ref *ref, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct ref r = ref[i];
        size_t k = i;
        for (; k > 0 && ref_before(&r, &ref[k - 1]); k--)
            ref[k] = ref[k - 1];
        ref[k] = r;
    }
}

/* Of equal ones that of a comes first. */
static void merge_runs(const struct ref *a, size_t an, const struct ref *b, size_t bn, struct ref *out)
{
    while (an && bn) {
        bool second = ref_before(b, a);
        *out++ = second ? *b : *a;
        b += second, bn -= second;
        a += !second, an -= !second;
    }
    memcpy(out, an ? a : b, (an + bn) * sizeof *out);
}

void refs_sort(struct ref *ref, struct ref *spare, size_t n)
{
    struct ref *from = ref, *to = spare;
    for (size_t i = 0; i < n; i += RUN)
        sort_run(ref + i, n - i < RUN ? n - i : RUN);
    for (size_t run = RUN; run < n; run *= 2) {
        for (size_t i = 0; i < n; i += 2 * run) {
            size_t an = n - i < run ? n - i : run, bn = n - i - an < run ? n - i - an : run;
            merge_runs(from + i, an, from + i + an, bn, to + i);
        }
        struct ref *swap = from;
        from = to;
        to = swap;
    }
    if (from != ref)
        memcpy(ref, from, n * sizeof *ref);
}
