/* SPDX-License-Identifier: Apache-2.0 */
/* A replay against the clock: a thread feeds the objects of one bucket after the other to the engine and leaves a picture of what is known;
 * whoever draws takes the last one and never waits for the engine. */
#ifndef WEIR_APP_PLAY_H
#define WEIR_APP_PLAY_H

#include "app/pipeline.h"

#define PLAY_HOSTS 500 /* ranked: by score, then by bytes */
#define PLAY_FINDINGS 1000

struct play_host {
    struct ip host;
    char interface[40];  /* cut */
    double score;        /* of its finding; 0: none */
    uint64_t bytes, hour[24], usual[24], high[24]; /* external, of the day */
    bool band;
};
struct play_finding {
    char uid[48], host[IP_TEXT_MAX];
    unsigned severity;
    uint64_t bytes;
    double score;
    int64_t start_s;
    char *json;
    size_t json_n;
};
struct play_picture {
    int64_t now_s, day_s; /* event time: what is told up to there; the day of the hosts */
    uint64_t hosts;       /* of that day, also those that are not ranked */
    struct play_host host[PLAY_HOSTS]; size_t ranked;
    struct play_finding *finding; size_t findings; /* oldest first */
    size_t step, steps;
    bool done;
    char error[384];
};

struct play;
/* The app is the thread's until play_stop; store and list too. speed: seconds of event time in a second. */
struct play *play_start(struct app *app, struct store *store, const struct object_list *list, double speed);
void play_stop(struct play *p); /* ends at the next border; NULL is fine */
/* The last picture; nothing changes it until play_give. NULL: none yet. */
const struct play_picture *play_take(struct play *p);
void play_give(struct play *p);
void play_pause(struct play *p, bool pause);
void play_set_speed(struct play *p, double speed);

/* ---- play_view.c ---- */
/* Draw and answer keys until the person quits. An exit code. */
int play_view(struct app *app, struct play *p, double speed);

#endif
