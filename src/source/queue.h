/* A queue of SQS that hints at new objects. A message is taken out only when each object that it names was counted, which is after the commit;
 * while that takes, its time in flight is prolonged. What fails stays in the queue, which hands it out again, and in the end to its dead letters.
 * Nothing is lost with the queue: the sweep finds what it did not tell. One thread asks; all else is of the thread that watches. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_QUEUE_H
#define SOURCE_QUEUE_H

#include "source/s3_event.h"

struct queue;
/* url: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or http:// on this machine. Asks nothing yet. */
WEIR_MUST_USE enum weir_err queue_open(const char *url, struct queue **out, struct fault *fault);
void queue_close(struct queue *q); /* NULL is fine; what is not acknowledged comes again */

enum queue_verdict { QUEUE_DONE, QUEUE_PENDING, QUEUE_FAILED };
/* An object of a message: DONE already, or none of ours; PENDING until it is settled; FAILED: the message stays. */
typedef enum queue_verdict queue_arrived(void *ctx, const struct s3_event *e, uint64_t *ticket);
/* What came since the last turn. IO: the queue does not answer, told once each time it begins. */
WEIR_MUST_USE enum weir_err queue_turn(struct queue *q, queue_arrived *arrived, void *ctx, struct fault *fault);
void queue_settle(struct queue *q, uint64_t ticket, bool counted); /* all that wait for this ticket */

void queue_set_prolong(int64_t s); /* for tests: messages are prolonged after so long */

struct queue_state { uint64_t received, acknowledged, refused; size_t open; }; /* refused: no notification of S3 */
struct queue_state queue_state(struct queue *q);

#endif
