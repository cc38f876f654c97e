/* SPDX-License-Identifier: Apache-2.0 */
/* A dossier: the raised days of one host's finding, with scores and evidence, kept until the finding closes, so that a
 * later day can join it and an open day can be judged again. Stored under c:<host id>. */
#ifndef WEIR_APP_DOSSIER_H
#define WEIR_APP_DOSSIER_H

#include "app/inventory.h"
#include "app/pipeline.h"

#define DOSSIER_DAYS_MAX 64
#define DOSSIER_PARTS_MAX 16
#define DOSSIER_PEERS_MAX 50

struct dossier_day {
    int64_t day_s;
    struct score score;
    uint64_t hour_bytes[24];
    bool band; /* usual and high are known */
    uint64_t usual[24], high[24];
    uint32_t gap_hours;
    uint64_t peers_more, bytes_more, bytes_unplaced;
    struct evidence_peer *peer; size_t peers; /* places and lines inside are in the dossier's arena */
};
struct dossier {
    struct arena *arena;
    uint64_t host_id;
    struct ip host;
    struct slice account, interface, vpc, region;
    uint8_t history[BASELINE_RING]; size_t history_n;
    bool closed;
    struct dossier_day *day[DOSSIER_DAYS_MAX]; size_t days;
};

struct dossier *dossier_new(void);
void dossier_free(struct dossier *d);
/* NOTFOUND if the host has none. */
enum weir_err dossier_get(struct store *s, uint64_t host_id, struct dossier *out, struct fault *fault);
enum weir_err dossier_put(struct store *s, const struct dossier *d, struct fault *fault);
/* Evidence of the same day that was found before and is not found now, because its objects are gone or have moved, stays. While a day is open
 * what a claim covers only grows, so nothing else can be missing. False: out of memory. */
bool dossier_keep_evidence(struct dossier *d, struct dossier_day *now);
/* The day replaces one of the same date, joins the day before, or starts anew; the oldest day goes when there are too many. */
void dossier_add_day(struct dossier *d, struct dossier_day *day);
bool dossier_has_day(const struct dossier *d, int64_t day_s);
void dossier_remove_day(struct dossier *d, int64_t day_s);
/* The finding's JSON from all days; open: the last day can still grow. */
/* who: what is told of the host; sensitive: its role is. */
enum weir_err dossier_finding(const struct dossier *d, bool open, const struct inventory_host *who, bool sensitive, const char *config_hash, char uid[FINDING_UID_MAX],
                              struct buffer *json);

#endif
