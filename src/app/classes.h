/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of a day: read from the store when a host of theirs is first met, with their calibration as of before the day;
 * what the day teaches is kept apart until all are closed and written. */
#ifndef WEIR_APP_CLASSES_H
#define WEIR_APP_CLASSES_H

#include "weir/score.h"
#include "weir/store.h"

struct log;
struct classes;
struct class_entry { struct class_state *state; struct score_calibration *calibration; };

/* With the class of all hosts and that of the young ones. */
WEIR_MUST_USE enum weir_err classes_open(struct store *store, struct log *log, uint16_t day, struct classes **out, struct fault *fault);
void classes_free(struct classes *c);
const struct class_entry *classes_fleet(const struct classes *c);
const struct class_entry *classes_young(const struct classes *c);
/* Its parts are borrowed until classes_free. Beyond a limit of classes in a day: that of the rest. */
WEIR_MUST_USE enum weir_err classes_get(struct classes *c, uint64_t class_id, struct class_entry *out, struct fault *fault);
/* The class of a host: by its role or subnet, whichever word is known, else by its network (/24, /64). Never 0, nor that of another kind of
 * class. */
uint64_t host_class(const struct host_day *day, struct slice word);
/* What to call it: the word, or the network. */
void host_class_name(const struct host_day *day, struct slice word, struct buffer *out);
/* Close the day in all of them and write them into the open batch. */
WEIR_MUST_USE enum weir_err classes_close(struct classes *c, struct fault *fault);

#endif
