/* days.tsv: what really left each host on each day, by hour, and how much of it went to addresses that the host had never sent to. For
 * simple detectors, which are judged beside weir on the same worlds: they need no log reader of their own.
 * A line: address, role, day (days since 1970), 24 sums of bytes to public addresses by hour, bytes to new addresses that the host called.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flowgen.h"

struct row {
    uint64_t hours[24], fresh;
    bool seen;
};

struct day_sums {
    struct world *w;
    FILE *fp;
    struct row *rows[2]; /* of even and of odd days: two can be open, as an interval may begin before midnight */
    int64_t next;        /* the first day not yet written */
    uint64_t *met;       /* hashes of (host, address) pairs seen; open addressing, 0 is empty */
    size_t nmet, cap;
};

struct day_sums *day_sums_new(struct world *w)
{
    struct day_sums *d = need(calloc(1, sizeof *d));
    char path[4096];
    snprintf(path, sizeof path, "%s/days.tsv", w->cfg.out);
    *d = (struct day_sums){.w = w, .fp = fopen(path, "w"), .next = w->cfg.start / DAY_S, .cap = 1u << 16};
    if (!d->fp) fatal("cannot create '%s': %s", path, strerror(errno));
    for (int i = 0; i < 2; i++) d->rows[i] = need(calloc(w->cfg.hosts, 2 * sizeof(struct row)));
    d->met = need(calloc(d->cap, sizeof *d->met));
    return d;
}

/* True if the pair was not there. */
static bool met_add(struct day_sums *d, uint64_t hash)
{
    size_t i = hash & (d->cap - 1);
    for (; d->met[i]; i = (i + 1) & (d->cap - 1))
        if (d->met[i] == hash) return false;
    d->met[i] = hash;
    d->nmet++;
    return true;
}

static void met_grow(struct day_sums *d)
{
    uint64_t *old = d->met;
    size_t cap = d->cap;
    if (d->nmet * 2 < cap) return;
    d->cap = cap * 2;
    d->met = need(calloc(d->cap, sizeof *d->met));
    d->nmet = 0;
    for (size_t i = 0; i < cap; i++)
        if (old[i]) met_add(d, old[i]);
    free(old);
}

/* Which days a pair was new on: only the first. So the day stands beside the pair, and later records of that day count, too. */
static bool is_fresh(struct day_sums *d, const struct session *s, int64_t day)
{
    uint64_t pair = hash4(s->peer.hi, s->peer.lo, s->host * 2 + s->v6, 'P') | 1, first = hash4(pair, (uint64_t)day, 0, 0) & ~(uint64_t)1;
    if (d->w->cfg.attacks_only) return s->episode >= 0 && strcmp(d->w->episodes[s->episode].kind, "bulk-known-provider") != 0;
    met_grow(d);
    if (met_add(d, pair)) return met_add(d, first ? first : 2), true;
    for (size_t i = first & (d->cap - 1); d->met[i]; i = (i + 1) & (d->cap - 1))
        if (d->met[i] == first) return true;
    return false;
}

void day_sums_record(struct day_sums *d, const struct record *r)
{
    const struct session *s = r->session;
    int64_t day = r->start / DAY_S;
    struct row *row = &d->rows[day & 1][s->host * 2 + s->v6];
    row->seen = true;
    if (r->leg != LEG_OUT || s->peer_host != NOBODY) return;
    row->hours[r->start % DAY_S / 3600] += r->bytes;
    if (!s->served && is_fresh(d, s, day)) row->fresh += r->bytes;
}

static void day_write(struct day_sums *d, int64_t day)
{
    struct row *rows = d->rows[day & 1];
    char text[48];
    for (uint32_t i = 0; i < d->w->cfg.hosts * 2; i++) {
        const struct host *h = &d->w->hosts[i / 2];
        if (!rows[i].seen) continue;
        addr_print(i % 2 ? h->v6 : h->v4, text);
        fprintf(d->fp, "%s\t%s\t%lld", text, role_name((enum role)h->role), (long long)day);
        for (int k = 0; k < 24; k++) fprintf(d->fp, "\t%llu", (unsigned long long)rows[i].hours[k]);
        fprintf(d->fp, "\t%llu\n", (unsigned long long)rows[i].fresh);
    }
    memset(rows, 0, d->w->cfg.hosts * 2 * sizeof *rows);
}

/* All days that no record can begin in any more, at this time. */
void day_sums_until(struct day_sums *d, int64_t at)
{
    for (; (d->next + 1) * DAY_S <= at; d->next++) day_write(d, d->next);
}

void day_sums_close(struct day_sums *d)
{
    day_sums_until(d, d->w->end);
    if (fclose(d->fp)) fatal("cannot write days.tsv: %s", strerror(errno));
    for (int i = 0; i < 2; i++) free(d->rows[i]);
    free(d->met);
    free(d);
}
