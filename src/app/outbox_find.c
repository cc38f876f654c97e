/* A finding by its uid or the beginning of it, and what to say when it is not there.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "app/outbox.h"
#include "weir/app.h"

#define UID_PREFIX "wf1-"
#define DIGITS_MIN 6
#define AMBIGUOUS_SHOWN 10

/* The digits of a uid, with or without its prefix. */
static const char *digits_of(const char *uid)
{
    return strncmp(uid, UID_PREFIX, strlen(UID_PREFIX)) == 0 ? uid + strlen(UID_PREFIX) : uid;
}

static bool is_id(const char *digits)
{
    size_t n = strlen(digits);
    return n >= DIGITS_MIN && n <= STORE_ID_MAX && strspn(digits, "0123456789abcdef") == n;
}

/* The nearest uid, cut to the digits given: they may lack the end, and a slip may be anywhere. NULL if none is near. */
static const char *nearest_uid(const struct outbox *all, const char *digits)
{
    size_t n = strlen(digits);
    const char **names = all->n ? calloc(all->n, sizeof *names) : NULL;
    char (*cut)[STORE_ID_MAX + 1] = names ? calloc(all->n, sizeof *cut) : NULL;
    const char *found = NULL;
    for (size_t i = 0; cut && i < all->n; i++) {
        memcpy(cut[i], digits_of(all->entry[i].uid), strnlen(digits_of(all->entry[i].uid), n));
        names[i] = cut[i];
    }
    const char *near = cut ? nearest_name(slice_of(digits), names, all->n) : NULL;
    for (size_t i = 0; near && !found; i++)
        if (names[i] == near) found = digits_of(all->entry[i].uid);
    free(cut);
    free(names);
    return found;
}

static int unknown(struct app *app, const struct outbox *all, const char *digits)
{
    const char *near = nearest_uid(all, digits);
    if (near)
        app_complain(app, "no finding '%s%s', the nearest is '%s%s'", UID_PREFIX, digits, UID_PREFIX, near);
    else
        app_complain(app, "no finding '%s%s': 'weir findings' lists them", UID_PREFIX, digits);
    return APP_FAILED;
}

static int ambiguous(struct app *app, const struct outbox *all, const char *digits, size_t matches)
{
    size_t shown = 0;
    app_complain(app, "'%s%s' begins the ids of %zu findings:", UID_PREFIX, digits, matches);
    for (size_t i = 0; i < all->n && shown < AMBIGUOUS_SHOWN; i++) {
        const char *uid = digits_of(all->entry[i].uid);
        if (strncmp(uid, digits, strlen(digits)) != 0) continue;
        app_complain(app, "  %s%s", UID_PREFIX, uid);
        shown++;
    }
    return APP_FAILED;
}

int outbox_id_check(struct app *app, const char *id)
{
    if (is_id(digits_of(id))) return APP_DONE;
    app_complain(app, "'%.80s' is no id of a finding: it is wf1- and %d or more of its hexadecimal digits", id, DIGITS_MIN);
    return APP_USAGE;
}

int outbox_find(struct app *app, struct outbox *all, const char *id, struct outbox_entry **out)
{
    const char *digits = digits_of(id);
    size_t matches = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (strncmp(digits_of(all->entry[i].uid), digits, strlen(digits)) != 0) continue;
        matches++;
        *out = &all->entry[i];
    }
    if (!matches) return unknown(app, all, digits);
    return matches > 1 ? ambiguous(app, all, digits, matches) : APP_DONE;
}
