/* Borrowed bytes: comparing them, and guessing which name was meant. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <string.h>

enum { NAME_MAX_LEN = 63 }; /* longer names are not worth a guess, and the table stays on the stack */

struct slice slice_of(const char *cstr)
{
    return cstr ? (struct slice){cstr, strlen(cstr)} : (struct slice){"", 0};
}

bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein's distance with one row: row[j] is the distance of a[0..i) to b[0..j). Both at most NAME_MAX_LEN. */
static unsigned edit_distance(struct slice a, struct slice b)
{
    unsigned row[NAME_MAX_LEN + 1];
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 0; i < a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < b.n; j++) {
            unsigned above = row[j + 1];
            row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a.p[i] != b.p[j]));
            diagonal = above;
        }
    }
    return row[b.n];
}

const char *nearest_name(struct slice wrong, const char *const *names, size_t n)
{
    const char *best = NULL;
    if (wrong.n > NAME_MAX_LEN)
        return NULL;
    unsigned nearest = 2 + (unsigned)wrong.n / 3; /* one more than is still near */
    for (size_t i = 0; i < n; i++) {
        struct slice name = slice_of(names[i]);
        unsigned d = name.n <= NAME_MAX_LEN ? edit_distance(wrong, name) : nearest;
        if (d < nearest) {
            nearest = d;
            best = names[i];
        }
    }
    return best;
}
