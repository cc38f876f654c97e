/* SPDX-License-Identifier: Apache-2.0 */
/* Marks first: what a person found out about the finding stands above what was approved before it was there. */
#include "app/shown.h"

enum weir_err shown_begin(struct shown *s, const struct config *c, struct store *store, struct fault *fault)
{
    *s = (struct shown){.suppressions = suppressions_new(c)};
    buffer_init(&s->marked, STORE_VALUE_MAX);
    buffer_init(&s->hidden, STORE_VALUE_MAX);
    return marks_load(store, &s->marks, fault);
}

void shown_end(struct shown *s)
{
    buffer_fini(&s->hidden);
    buffer_fini(&s->marked);
    suppressions_free(s->suppressions);
    marks_free(s->marks);
}

struct slice shown_of(struct shown *s, struct slice json, enum suppress_verdict *verdict)
{
    enum suppress_verdict found;
    return suppressions_show(s->suppressions, marks_show(s->marks, json, &s->marked), &s->hidden, verdict ? verdict : &found);
}
