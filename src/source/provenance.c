/* Where an object of AWS came from, read from its name (formats 1.4): ACCOUNT_vpcflowlogs_REGION_fl-ID_TIME_HASH.log.gz, from the
 * right, because the folders above it come in four layouts under any prefix and get lost when files are copied. The folder is
 * only compared with the name: where they disagree, the name wins. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "source/internal.h"

#define STAMP_BYTES 14 /* YYYYMMDDTHHmmZ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_or_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_alnum(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_region(char c)
{
    return is_lower_or_digit(c) || c == '-';
}

static bool all(struct slice s, bool (*is)(char))
{
    for (size_t i = 0; i < s.n; i++)
        if (!is(s.p[i]))
            return false;
    return s.n > 0;
}

/* Cut the part behind the last sep off *s; the whole of *s if there is none. */
static struct slice cut_last(struct slice *s, char sep)
{
    size_t i = s->n;
    while (i > 0 && s->p[i - 1] != sep)
        i--;
    struct slice last = {s->p + i, s->n - i};
    s->n = i > 0 ? i - 1 : 0;
    return last;
}

static bool cut_suffix(struct slice *s, struct slice suffix)
{
    if (s->n < suffix.n || memcmp(s->p + s->n - suffix.n, suffix.p, suffix.n) != 0)
        return false;
    s->n -= suffix.n;
    return true;
}

static bool stamp_parse(struct slice t, int64_t *out_s)
{
    if (t.n != STAMP_BYTES || t.p[8] != 'T' || t.p[13] != 'Z')
        return false;
    const char text[20] = {t.p[0], t.p[1], t.p[2], t.p[3], '-', t.p[4], t.p[5], '-', t.p[6], t.p[7], 'T',
                           t.p[9], t.p[10], ':', t.p[11], t.p[12], ':', '0', '0', 'Z'};
    return time_parse((struct slice){text, sizeof text}, out_s) == WEIR_OK;
}

static bool name_parse(struct slice name, struct provenance *out, struct slice *stamp)
{
    if (!cut_suffix(&name, SLICE_LIT(".log.gz")) && !cut_suffix(&name, SLICE_LIT(".log.parquet")) && !cut_suffix(&name, SLICE_LIT(".log")))
        return false;
    struct provenance p = {0};
    struct slice hash = cut_last(&name, '_');
    *stamp = cut_last(&name, '_');
    p.flow_log = cut_last(&name, '_');
    p.region = cut_last(&name, '_');
    struct slice service = cut_last(&name, '_'), id = p.flow_log;
    p.account = name;
    if (id.n < 4 || memcmp(id.p, "fl-", 3) != 0)
        return false;
    id.p += 3;
    id.n -= 3;
    if (!all(hash, is_alnum) || !all(id, is_hex) || !all(p.region, is_region) || !slice_eq(service, SLICE_LIT("vpcflowlogs")) ||
        p.account.n != 12 || !all(p.account, is_digit) || !stamp_parse(*stamp, &p.bucket_s))
        return false;
    *out = p;
    return true;
}

/* The digits of "day=07" or, without word, of "07"; empty if the folder is not of that form. */
static struct slice folder_digits(struct slice folder, const char *word, size_t digits)
{
    struct slice w = slice_of(word);
    if (folder.n != w.n + digits || memcmp(folder.p, w.p, w.n) != 0)
        return (struct slice){0};
    struct slice number = {folder.p + w.n, digits};
    return all(number, is_digit) ? number : (struct slice){0};
}

/* Does the end of dir (YYYY/MM/DD, with the words given) say another day than the name? *found if it has that form. */
static bool day_differs(struct slice dir, struct slice stamp, const char *const words[3], bool *found)
{
    struct slice day = folder_digits(cut_last(&dir, '/'), words[2], 2);
    struct slice month = folder_digits(cut_last(&dir, '/'), words[1], 2);
    struct slice year = folder_digits(cut_last(&dir, '/'), words[0], 4);
    *found = day.n && month.n && year.n;
    return *found && (memcmp(year.p, stamp.p, 4) != 0 || memcmp(month.p, stamp.p + 4, 2) != 0 || memcmp(day.p, stamp.p + 6, 2) != 0);
}

static bool folder_disagrees(struct slice dir, struct slice stamp)
{
    static const char *const words[2][4] = {{"", "", "", ""}, {"year=", "month=", "day=", "hour="}};
    for (size_t i = 0; i < WEIR_COUNT(words); i++) {
        struct slice above = dir;
        struct slice hour = folder_digits(cut_last(&above, '/'), words[i][3], 2);
        bool found = false;
        if (hour.n) {
            bool differs = day_differs(above, stamp, words[i], &found);
            if (found)
                return differs || memcmp(hour.p, stamp.p + 9, 2) != 0;
        }
        bool differs = day_differs(dir, stamp, words[i], &found);
        if (found)
            return differs;
    }
    return false;
}

/* Where the last folder of that name begins, or NULL. */
static const char *folder_at(struct slice path, const char *top)
{
    const size_t n = strlen(top);
    for (size_t i = path.n < n ? 0 : path.n - n + 1; i > 0; i--)
        if (memcmp(path.p + i - 1, top, n) == 0 && (i == 1 || path.p[i - 2] == '/'))
            return path.p + i - 1;
    return NULL;
}

/* "AWSLogs" is a reserved folder name, so the last one begins the key; the blobs of Azure have all the same name, and folders that tell them apart. */
static struct slice key_of(struct slice path, struct slice name)
{
    static const char *const tops[] = {"AWSLogs/", "resourceId=/", "flowLogResourceID=/"};
    for (size_t i = 0; i < WEIR_COUNT(tops); i++) {
        const char *from = folder_at(path, tops[i]);
        if (from)
            return (struct slice){from, path.n - (size_t)(from - path.p)};
    }
    return name;
}

void provenance_parse(const char *path, struct provenance *out, struct slice *key)
{
    struct slice whole = slice_of(path), dir = whole, stamp;
    struct slice name = cut_last(&dir, '/');
    *key = key_of(whole, name);
    *out = (struct provenance){0};
    if (name_parse(name, out, &stamp))
        out->folder_disagrees = folder_disagrees(dir, stamp);
}
