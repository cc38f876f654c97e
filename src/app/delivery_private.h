/* SPDX-License-Identifier: Apache-2.0 */
/* Private to delivery: the cursors in the store, and the text of a finding as it is sent. */
#ifndef WEIR_APP_DELIVERY_PRIVATE_H
#define WEIR_APP_DELIVERY_PRIVATE_H

#include "app/delivery.h"

/* ---- delivery_store.c ---- */
#define CURSORS_MAX 256
struct cursor_entry {
    char name[64 + 1];
    uint64_t place; /* a hash of where the sink leads: a disabled one that leads elsewhere is enabled */
    uint64_t seq;   /* it has everything up to here */
    bool disabled;
};
struct cursors {
    struct cursor_entry entry[CURSORS_MAX];
    size_t n;
};
/* Empty when there are none. */
WEIR_MUST_USE enum weir_err cursors_get(struct store *s, struct cursors *out, struct fault *fault);
WEIR_MUST_USE enum weir_err cursors_put(struct store *s, const struct cursors *c, struct fault *fault); /* into the open batch */
/* The entry of that name, made if there is none; of too many the first that wanted() does not know goes. */
struct cursor_entry *cursors_of(struct cursors *c, const char *name, bool (*wanted)(void *ctx, const char *name), void *ctx);

/* Where in the outbox a finding first stood, and where it first stood unhidden; 0: never. */
struct first_seen {
    char uid[STORE_ID_MAX + 1]; /* without wf1- */
    uint64_t any, shown;
    bool changed;               /* and not yet in the store */
};
WEIR_MUST_USE enum weir_err first_seen_get(struct store *s, const char *uid, struct first_seen *out, struct fault *fault);
WEIR_MUST_USE enum weir_err first_seen_put(struct store *s, const struct first_seen *f, struct fault *fault);

/* ---- delivery_text.c ---- */
/* What stands in the stored text: 1 or 3. */
unsigned stored_activity(struct slice json);
unsigned stored_severity(struct slice json);
int64_t stored_time_s(struct slice json);
/* The finding as it is sent: the activity as the world sees it, and its number in the outbox as metadata.sequence. */
void parcel_text(struct slice json, unsigned activity, uint64_t seq, struct buffer *out);

#endif
