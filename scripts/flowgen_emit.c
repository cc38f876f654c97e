/* Connections to records, as AWS cuts them: each interface has aggregation intervals of its own phase; an interval tells, for each
 * direction, how many packets and bytes went by, with the TCP flags of that interval OR-ed. All records of an interval share start and
 * end (so it was in real logs), and come grouped by interface, in no order inside. A NAT gateway repeats each connection on both of its
 * sides (the three records and their replies of the AWS user guide's NAT example); a host of ours at the other end logs it again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen.h"

#include <stdlib.h>
#include <string.h>

struct order {
    uint64_t key;
    uint32_t index, pad;
};

struct emitter {
    struct world *w;
    struct sink *sink;
    struct truth *truth;
    struct record *records;
    struct order *order, *scratch;
    size_t n, cap;
    uint8_t *busy; /* per interface: a bit for each of its intervals in this tick that has a record */
    uint32_t nenis;
    struct eni_text text;
};

struct emitter *emitter_new(struct world *w, struct sink *sink, struct truth *truth)
{
    struct emitter *e = need(calloc(1, sizeof *e));
    *e = (struct emitter){.w = w, .sink = sink, .truth = truth, .nenis = w->cfg.hosts + w->cfg.vpcs * w->cfg.nat};
    e->busy = need(calloc(e->nenis, 1));
    e->text.eni = NOBODY;
    return e;
}

void emitter_free(struct emitter *e)
{
    free(e->records);
    free(e->order);
    free(e->scratch);
    free(e->busy);
    free(e);
}

uint32_t eni_vpc(const struct world *w, uint32_t eni)
{
    return eni < w->cfg.hosts ? w->hosts[eni].vpc : (eni - w->cfg.hosts) / w->cfg.nat;
}

uint32_t eni_of_nat(const struct world *w, uint32_t host)
{
    return w->cfg.hosts + w->hosts[host].vpc * w->cfg.nat + w->hosts[host].az % w->cfg.nat;
}

static struct record *record_new(struct emitter *e)
{
    if (e->n == e->cap) {
        e->cap = e->cap ? e->cap * 2 : 4096;
        e->records = need(realloc(e->records, e->cap * sizeof *e->records));
        e->order = need(realloc(e->order, e->cap * sizeof *e->order));
        e->scratch = need(realloc(e->scratch, e->cap * sizeof *e->scratch));
    }
    return &e->records[e->n++];
}

/* End of the first interval of an interface that ends at or after the tick. */
static int64_t first_end(const struct world *w, uint32_t eni, int64_t tick)
{
    int64_t a = w->cfg.aggregation, phase = (int64_t)(hash4(w->cfg.seed, 'p', eni, 0) % (uint64_t)a);
    return tick + ((phase - tick) % a + a) % a;
}

/* Packets of one direction that have passed before a time: the first at the start, the last in the last second, the others evenly between. */
static uint64_t packets_before(const struct session *s, int way, int64_t at)
{
    uint64_t n = s->packets[way];
    if (at <= s->start || !n) return 0;
    if (at >= s->start + s->duration || n == 1) return n;
    return 1 + (uint64_t)((unsigned __int128)(n - 1) * (uint64_t)(at - s->start) / ((uint64_t)s->duration + 1));
}

static uint64_t bytes_of_packets(const struct session *s, int way, uint64_t packets)
{
    return (uint64_t)((unsigned __int128)s->bytes[way] * packets / s->packets[way]);
}

static uint8_t tcp_flags(const struct session *s, int way, bool first, bool last)
{
    if (s->protocol != 6) return 0;
    if (s->reject || (s->packets[way] == 1 && first)) return 2;
    unsigned flags = first ? (way == s->served ? 2u : 18u) : 0u;
    if (last) flags |= s->host_port % 10 == 0 || s->peer_port % 10 == 1 ? 4u : 1u;
    return (uint8_t)flags;
}

static void leg_emit(struct emitter *e, const struct session *s, uint32_t eni, enum leg leg, int way, int64_t begin, int64_t end)
{
    uint64_t before = packets_before(s, way, begin), after = packets_before(s, way, end + 1);
    if (after == before) return;
    struct record *r = record_new(e);
    *r = (struct record){.session = s, .start = begin, .end = end, .eni = eni, .leg = (uint8_t)leg, .packets = after - before};
    r->bytes = bytes_of_packets(s, way, after) - bytes_of_packets(s, way, before);
    r->flags = tcp_flags(s, way, before == 0, after == s->packets[way]);
}

/* One interface that saw the connection: every interval that ends in this tick and overlaps it. */
static void side_emit(struct emitter *e, const struct session *s, int64_t tick, uint32_t eni, const enum leg legs[2], int nat)
{
    const struct world *w = e->w;
    int64_t a = w->cfg.aggregation;
    for (int64_t end = first_end(w, eni, tick); end < tick + TICK_S; end += a) {
        int64_t begin = end - a + 1;
        if (begin >= s->start + s->duration || end < s->start || begin < w->cfg.start || end >= w->end) continue;
        size_t n = e->n;
        leg_emit(e, s, eni, legs[0], 0, begin, end);
        leg_emit(e, s, eni, legs[1], 1, begin, end);
        if (nat) {
            leg_emit(e, s, eni, LEG_NAT_OUT, 0, begin, end);
            leg_emit(e, s, eni, LEG_NAT_TO_HOST, 1, begin, end);
        }
        if (e->n > n) e->busy[eni] |= (uint8_t)(1u << ((end - tick) / a));
    }
}

static void session_emit(struct emitter *e, const struct session *s, int64_t tick)
{
    static const enum leg own[2] = {LEG_OUT, LEG_IN}, peer[2] = {LEG_PEER_IN, LEG_PEER_OUT}, nat[2] = {LEG_NAT_FROM_HOST, LEG_NAT_IN};
    side_emit(e, s, tick, s->host, own, 0);
    if (s->peer_host != NOBODY) side_emit(e, s, tick, s->peer_host, peer, 0);
    if (s->nat && !e->w->cfg.drop_nat_copies) side_emit(e, s, tick, eni_of_nat(e->w, s->host), nat, 1);
}

/* Silent intervals are evidence too: AWS writes a NODATA line for each. */
static void nodata_emit(struct emitter *e, int64_t tick)
{
    const struct world *w = e->w;
    int64_t a = w->cfg.aggregation;
    for (uint32_t eni = 0; eni < e->nenis && w->cfg.nodata_pm; eni++) {
        bool nat = eni >= w->cfg.hosts;
        if ((w->sample > 1 && eni % w->sample) || (nat && w->cfg.drop_nat_copies)) continue;
        for (int64_t end = first_end(w, eni, tick); end < tick + TICK_S; end += a) {
            int64_t begin = end - a + 1;
            if (e->busy[eni] >> ((end - tick) / a) & 1 || begin < w->cfg.start || end >= w->end) continue;
            if (!nat && (!host_lives(w, eni, begin) || !host_lives(w, eni, end))) continue;
            if (hash4(w->cfg.seed, 'n', eni, (uint64_t)begin) % 1000 >= w->cfg.nodata_pm) continue;
            *record_new(e) = (struct record){.start = begin, .end = end, .eni = eni, .leg = LEG_NODATA};
        }
    }
}

/* Key: VPC, interface, interval, then chance. Radix sort, stable, one byte at a time. */
static void records_sort(struct emitter *e, int64_t tick)
{
    for (size_t i = 0; i < e->n; i++) {
        const struct record *r = &e->records[i];
        uint64_t chance = hash4(e->w->cfg.seed, r->eni, (uint64_t)r->end, i) >> 40;
        uint64_t key = (uint64_t)eni_vpc(e->w, r->eni) << 56 | (uint64_t)(r->eni & 0x7fffff) << 33 | (uint64_t)(r->end - tick) << 24 | chance;
        e->order[i] = (struct order){key, (uint32_t)i, 0};
    }
    for (int shift = 0; shift < 64; shift += 8) {
        size_t count[257] = {0};
        for (size_t i = 0; i < e->n; i++) count[(e->order[i].key >> shift & 255) + 1]++;
        if (count[(e->n ? e->order[0].key >> shift & 255 : 0) + 1] == e->n) continue; /* all alike */
        for (int b = 0; b < 256; b++) count[b + 1] += count[b];
        for (size_t i = 0; i < e->n; i++) e->scratch[count[e->order[i].key >> shift & 255]++] = e->order[i];
        struct order *swap = e->order;
        e->order = e->scratch;
        e->scratch = swap;
    }
}

static void record_write(struct emitter *e, const struct record *r, int64_t tick)
{
    char line[LINE_MAX_BYTES];
    if (e->text.eni != r->eni) eni_text_fill(e->w, r->eni, &e->text);
    if (e->truth) truth_record(e->truth, r);
    sink_line(e->sink, eni_vpc(e->w, r->eni), tick, line, line_print(e->w, &e->text, r, line));
}

/* Some intervals overflow: half of their records are lost, and one SKIPDATA line says so. */
static bool interval_skips(const struct world *w, const struct record *r)
{
    return r->session && w->cfg.skip_pm && hash4(w->cfg.seed, 'k', r->eni, (uint64_t)r->start) % 1000 < w->cfg.skip_pm;
}

static void records_write(struct emitter *e, int64_t tick)
{
    const struct record *previous = NULL;
    for (size_t i = 0; i < e->n; i++) {
        const struct record *r = &e->records[e->order[i].index];
        bool fresh = !previous || previous->eni != r->eni || previous->start != r->start, skips = interval_skips(e->w, r);
        previous = r;
        if (skips && fresh) {
            struct record gap = {.start = r->start, .end = r->end, .eni = r->eni, .leg = LEG_SKIPDATA};
            record_write(e, &gap, tick);
        }
        if (!skips || e->order[i].key & 1) record_write(e, r, tick);
    }
}

/* A connection is done when the last interval that can tell of it has ended. */
static void sessions_retire(struct world *w, int64_t tick)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->live.n; i++) {
        const struct session *s = &w->live.at[i];
        if (s->start + s->duration + w->cfg.aggregation > tick + TICK_S) w->live.at[kept++] = *s;
    }
    w->live.n = kept;
}

void emitter_tick(struct emitter *e, int64_t tick)
{
    e->n = 0;
    memset(e->busy, 0, e->nenis);
    for (size_t i = 0; i < e->w->live.n; i++) session_emit(e, &e->w->live.at[i], tick);
    nodata_emit(e, tick);
    if (e->n) records_sort(e, tick);
    records_write(e, tick);
    sessions_retire(e->w, tick);
}
