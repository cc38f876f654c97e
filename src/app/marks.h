/* SPDX-License-Identifier: Apache-2.0 */
/* What persons said of findings, and what these findings kept from being learned.
 *   k 0      blob 'k': varint n, n * (string uid, u64 host_id, u8 verdict, u16 through, u16 applied, u64 at_s, string reason), by uid
 *   k <uid>  blob 'k': u64 host_id, varint days, days * (u16 day, u8 why, u32 gap_hours, 24 * varint bytes, varint groups,
 *            groups * (u64 group, u8 value)), by day
 * A mark changes nothing by itself: it is asked for whenever a baseline is read to judge a later day. So findings depend on the
 * objects and on the marks that were there when a day was closed, and a mark that is cleared before leaves no trace. */
#ifndef WEIR_APP_MARKS_H
#define WEIR_APP_MARKS_H

#include "weir/baseline.h"
#include "weir/store.h"

#define MARKS_MAX 65536
#define MARK_REASON_MAX 500
#define UID_DIGITS 32

enum mark_verdict { MARK_BENIGN = 1, MARK_TRUE };
struct mark {
    char uid[UID_DIGITS + 1];
    uint64_t host_id;
    uint8_t verdict;
    uint16_t through;     /* last day of the finding when it was marked: benign says nothing of what came later */
    uint16_t applied;     /* days up to this one are learned with it; 0: none */
    int64_t at_s;
    struct slice reason;
};
struct marks; /* by uid */
/* Empty when there are none. */
WEIR_MUST_USE enum weir_err marks_load(struct store *s, struct marks **out, struct fault *fault);
void marks_free(struct marks *m);
size_t marks_count(const struct marks *m);
const struct mark *marks_at(const struct marks *m, size_t i);
const struct mark *marks_find(const struct marks *m, const char *uid); /* or NULL */
WEIR_MUST_USE enum weir_err marks_set(struct marks *m, const struct mark *mark, struct fault *fault);
bool marks_clear(struct marks *m, const char *uid); /* false: there is none */
WEIR_MUST_USE enum weir_err marks_put(struct marks *m, struct store *s, struct fault *fault); /* into the open batch */
const char *mark_word(unsigned verdict);
/* A finding with its mark: unmapped.weir.mark, a comment and another status. The finding itself when it has none; else out holds it. */
struct slice marks_show(const struct marks *m, struct slice json, struct buffer *out);

/* ---- judging ---- */
/* The baseline as the marks have it on that day; *changed: it is not as it was stored, and *out is what its class is told. */
WEIR_MUST_USE enum weir_err marks_apply(const struct marks *m, struct store *s, struct baseline *b, uint16_t today, bool *changed,
                                        struct baseline_changes *out, struct fault *fault);
/* The baseline of the host was stored with its marks on that day. */
void marks_learned(struct marks *m, uint64_t host_id, uint16_t today);
bool marks_changed(const struct marks *m);

/* ---- what a finding kept ---- */
/* That the finding is of this host, and a day of it if held is not NULL. */
WEIR_MUST_USE enum weir_err held_add(struct store *s, const char *uid, uint64_t host_id, const struct baseline_held *held, struct fault *fault);
WEIR_MUST_USE enum weir_err held_host(struct store *s, const char *uid, uint64_t *host_id, struct fault *fault); /* NOTFOUND */
/* Each day, oldest first; a non-OK result of each stops and is returned. */
typedef enum weir_err held_each_day(void *ctx, const struct baseline_held *held);
WEIR_MUST_USE enum weir_err held_each(struct store *s, const char *uid, held_each_day *each, void *ctx, struct fault *fault);

#endif
