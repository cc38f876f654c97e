/* What really happened, as far as the logs tell: episodes with their bytes, and per host and hour what went to and came from outside,
 * counted once, at the host's own interface, by the start of the record. Written to labels.jsonl.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HOURS 4 /* hours that can be open at once: the longest aggregation interval is ten minutes */

struct sums {
    uint64_t out, in;
};

struct truth {
    struct world *w;
    FILE *fp;
    struct sums *hours[HOURS]; /* one row for each open hour, IPv4 and then IPv6 of each host; NULL without --labels hours */
    int64_t next;              /* the first hour not yet written */
    struct day_sums *days;     /* NULL without --labels days */
};

struct truth *truth_new(struct world *w)
{
    struct truth *t = need(calloc(1, sizeof *t));
    char path[4096];
    snprintf(path, sizeof path, "%s/labels.jsonl", w->cfg.out);
    *t = (struct truth){.w = w, .fp = fopen(path, "w"), .next = w->cfg.start / 3600};
    if (!t->fp) fatal("cannot create '%s': %s", path, strerror(errno));
    if (w->cfg.labels_days) t->days = day_sums_new(w);
    for (int i = 0; i < HOURS && w->cfg.labels_hours; i++) t->hours[i] = need(calloc(w->cfg.hosts, 2 * sizeof *t->hours[i]));
    return t;
}

static void episode_count(struct episode *e, const struct record *r)
{
    if (r->leg == LEG_OUT) {
        e->bytes_out += r->bytes;
        e->packets_out += r->packets;
        e->records++;
    } else if (r->leg == LEG_IN) {
        e->bytes_in += r->bytes;
    }
}

void truth_record(struct truth *t, const struct record *r)
{
    const struct session *s = r->session;
    if (!s || s->reject || r->leg > LEG_IN) return;
    if (s->episode >= 0) episode_count(&t->w->episodes[s->episode], r);
    if (t->days) day_sums_record(t->days, r);
    if (s->peer_host != NOBODY || !t->hours[0]) return;
    struct sums *sums = &t->hours[r->start / 3600 % HOURS][s->host * 2 + s->v6];
    if (r->leg == LEG_OUT) sums->out += r->bytes;
    else sums->in += r->bytes;
}

static void time_write(FILE *fp, const char *name, int64_t at)
{
    struct date d = date_of(at);
    fprintf(fp, "\"%s\": \"%04u-%02u-%02uT%02u:%02u:%02uZ\", ", name, d.year, d.month, d.day, d.hour, d.minute, d.second);
}

/* A host is an address: one with both families is two hosts here. */
static void hour_write(struct truth *t, int64_t hour)
{
    struct sums *row = t->hours[hour % HOURS];
    char text[48];
    for (uint32_t i = 0; i < t->w->cfg.hosts * 2; i++) {
        if (!row[i].out && !row[i].in) continue;
        addr_print(i % 2 ? t->w->hosts[i / 2].v6 : t->w->hosts[i / 2].v4, text);
        fprintf(t->fp, "{\"kind\": \"host-hour\", \"host\": \"%s\", ", text);
        time_write(t->fp, "hour", hour * 3600);
        fprintf(t->fp, "\"hour_epoch\": %lld, \"public_bytes_out\": %llu, \"public_bytes_in\": %llu}\n", (long long)hour * 3600,
                (unsigned long long)row[i].out, (unsigned long long)row[i].in);
    }
    memset(row, 0, t->w->cfg.hosts * 2 * sizeof *row);
}

void truth_tick(struct truth *t, int64_t tick)
{
    if (t->days) day_sums_until(t->days, tick - (int64_t)t->w->cfg.aggregation);
    for (; t->hours[0] && (t->next + 1) * 3600 <= tick - (int64_t)t->w->cfg.aggregation; t->next++) hour_write(t, t->next);
}

static void peers_write(FILE *fp, const struct episode *e)
{
    char text[48];
    addr_print(e->peers[0], text);
    if (e->peers_total == 1) fprintf(fp, "\"peer\": \"%s\", ", text);
    else fprintf(fp, "\"peer\": null, ");
    fprintf(fp, "\"peers\": [");
    for (uint32_t i = 0; i < e->npeers; i++) {
        addr_print(e->peers[i], text);
        fprintf(fp, "%s\"%s\"", i ? ", " : "", text);
    }
    fprintf(fp, "], ");
}

/* When each episode had sent a tenth of its bytes. The plan is in order of time. */
static void tenths_find(struct world *w)
{
    uint64_t *sent = need(calloc(w->nepisodes + 1, sizeof *sent));
    for (size_t i = 0; i < w->planned.n; i++) {
        const struct session *s = &w->planned.at[i];
        struct episode *e = &w->episodes[s->episode];
        uint64_t before = sent[s->episode], tenth = e->bytes_sent / 10;
        sent[s->episode] += s->bytes[0];
        if (!e->tenth && before + s->bytes[0] >= tenth)
            e->tenth = s->start + (int64_t)((double)s->duration * (double)(tenth - before) / (double)(s->bytes[0] + 1));
    }
    free(sent);
}

static void episode_write(const struct truth *t, const struct episode *e)
{
    char text[48];
    struct eni_text eni;
    fprintf(t->fp, "{\"kind\": \"episode\", \"truth\": \"%s\", \"attack\": \"%s\", ", e->truth, e->kind);
    if (e->host == NOBODY) {
        fprintf(t->fp, "\"host\": null, \"interface\": null, ");
    } else {
        addr_print(e->peers[0].hi ? t->w->hosts[e->host].v6 : t->w->hosts[e->host].v4, text);
        eni_text_fill(t->w, e->host, &eni);
        fprintf(t->fp, "\"host\": \"%s\", \"role\": \"%s\", \"interface\": \"%s\", ", text, role_name((enum role)t->w->hosts[e->host].role), eni.id);
    }
    peers_write(t->fp, e);
    fprintf(t->fp, "\"peer_port\": %u, \"protocol\": %u, ", e->port, e->protocol);
    time_write(t->fp, "start", e->start);
    time_write(t->fp, "end", e->end);
    fprintf(t->fp, "\"start_epoch\": %lld, \"end_epoch\": %lld, ", (long long)e->start, (long long)e->end);
    if (e->usual) fprintf(t->fp, "\"usual_bytes\": %llu, ", (unsigned long long)e->usual);
    if (t->w->cfg.shape == SHAPE_EVALUATION) fprintf(t->fp, "\"tenth_epoch\": %lld, ", (long long)e->tenth);
    fprintf(t->fp, "\"bytes_out\": %llu, \"bytes_in\": %llu, \"packets_out\": %llu, \"records_out\": %llu, \"bytes_sent\": %llu, \"made\": \"injected\"}\n",
            (unsigned long long)e->bytes_out, (unsigned long long)e->bytes_in, (unsigned long long)e->packets_out, (unsigned long long)e->records,
            (unsigned long long)e->bytes_sent);
}

void truth_close(struct truth *t)
{
    for (; t->hours[0] && t->next * 3600 < t->w->end; t->next++) hour_write(t, t->next);
    tenths_find(t->w);
    if (t->days) day_sums_close(t->days);
    for (uint32_t i = 0; i < t->w->nepisodes; i++) episode_write(t, &t->w->episodes[i]);
    if (fclose(t->fp)) fatal("cannot write labels.jsonl: %s", strerror(errno));
    for (int i = 0; i < HOURS; i++) free(t->hours[i]);
    free(t);
}
