/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: the objects of a day are read once more for the few hosts that were raised, and every record whose bytes a
 * raised part counts is noted with its peer, object and line. So a claim names places that add up to it, at no cost to the
 * days without findings, and the sums are checked by a second, independent reading. */
#include <stdlib.h>
#include <string.h>

#include "app/run.h"

#define PEERS_MAX 65536        /* per raised host-day and flow log; beyond: summed without a name */
#define LINES_PER_PLACE 4096   /* more: the place names its first and last line only */
#define LINES_PER_CASE 65536
#define PEER_LISTED_BYTES 1000000 /* a peer with less is summed up, unless it is among the first */
#define PEERS_ALWAYS 3
#define FLOW_LOGS_MAX 8
#define PORTS_MAX 8

struct place {
    uint32_t object; /* number in this search */
    uint64_t first_line, last_line, records, bytes;
    uint32_t *lines; size_t n, cap;
};

struct peer {
    struct ip address;
    struct { uint16_t port; uint8_t protocol; bool initiated; uint64_t bytes; } port[PORTS_MAX];
    uint64_t bytes, packets, records, bytes_in;
    int64_t first_s, last_s;
    uint64_t group; /* of its largest record */
    uint64_t group_bytes;
    unsigned hour;
    struct place *place; size_t places, places_cap;
};

struct table { /* peers under one flow log */
    struct slice flow_log;
    struct peer *peer; size_t peers, cap;
    uint32_t *head; size_t heads; /* open addressing, index + 1 */
    uint64_t bytes, bytes_more, peers_more;
};

struct evidence {
    struct table table[FLOW_LOGS_MAX];
    size_t tables, lines;
};

struct hit { /* one record of one object, kept until the object is known to be whole */
    uint32_t judged;
    struct ip peer;
    uint64_t group, bytes, packets, line;
    int64_t start_s, end_s;
    uint16_t port;
    uint8_t protocol;
    bool out, initiated;
};

struct search {
    struct run *run;
    struct judged *judged; size_t n;
    uint32_t *order; /* of judged, by address */
    uint16_t day;
    struct attribution a;
    struct run_counts counts;
    struct hit *hit; size_t hits, hits_cap;
    bool nomem;
    struct sha256 *object; struct slice *key; uint32_t objects;
    struct arena *arena;
};

/* ---- collecting hits of one object ---- */

static bool covered(const struct judged *j, uint16_t day, uint64_t group, unsigned hour)
{
    for (size_t i = 0; i < j->score.n && j->score.part[i].raised; i++)
        if (score_covers(&j->score.part[i], &j->baseline, day, group, hour))
            return true;
    return false;
}

static void add_hit(struct search *s, size_t judged, const struct record *r, const struct flow *f, uint64_t group)
{
    if (s->hits == s->hits_cap) {
        size_t cap = s->hits_cap ? s->hits_cap * 2 : 1024;
        struct hit *hit = realloc(s->hit, cap * sizeof *hit);
        if (!hit) {
            s->nomem = true;
            return;
        }
        s->hit = hit;
        s->hits_cap = cap;
    }
    s->hit[s->hits++] = (struct hit){.judged = (uint32_t)judged, .peer = f->peer, .group = group, .bytes = f->bytes, .packets = f->packets,
                                     .line = r->line, .start_s = f->start_s, .end_s = f->end_s, .port = f->service_port,
                                     .protocol = f->protocol, .out = f->out, .initiated = f->opened == OPENED_BY_HOST};
}

static int by_host(const void *a, const void *b, void *judged)
{
    const struct judged *all = judged;
    return ip_cmp(all[*(const uint32_t *)a].host.host, all[*(const uint32_t *)b].host.host);
}

/* First of those judged with this address in s->order, or n. */
static size_t first_judged(const struct search *s, struct ip host)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (ip_cmp(s->judged[s->order[mid]].host.host, host) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void look_at(struct search *s, uint32_t interface, const struct record *r, const struct flow *f)
{
    if (f->start_s / DAY_S != s->day)
        return;
    for (size_t i = first_judged(s, f->host); i < s->n && ip_eq(s->judged[s->order[i]].host.host, f->host); i++) {
        const struct judged *j = &s->judged[s->order[i]];
        struct interface_name name;
        window_name(s->a.window, interface, &name);
        uint64_t group = flow_group(f);
        if (slice_eq(name.id, j->host.interface) && slice_eq(name.account, j->host.account) &&
            covered(j, s->day, group, (unsigned)(f->start_s % DAY_S / HOUR_S)))
            add_hit(s, s->order[i], r, f, group);
    }
}

static void on_flow(void *ctx, uint32_t interface, const struct record *r, const struct flow *f, enum flow_verdict v, struct window_place *place)
{
    (void)place; /* every record is looked at */
    look_at(ctx, interface, r, f);
    if (v == FLOW_PENDING) {
        struct flow mirrored = flow_mirror(f);
        look_at(ctx, interface, r, &mirrored);
    }
}

static void on_gap(void *ctx, uint32_t interface, const struct record *r)
{
    (void)ctx;
    (void)interface;
    (void)r;
}

/* ---- hits to peers and places ---- */

static struct table *table_of(struct evidence *e, struct slice flow_log, struct arena *arena)
{
    for (size_t i = 0; i < e->tables; i++)
        if (slice_eq(e->table[i].flow_log, flow_log))
            return &e->table[i];
    if (e->tables == FLOW_LOGS_MAX)
        return NULL;
    e->table[e->tables].flow_log = arena_slice(arena, flow_log);
    return &e->table[e->tables++];
}

static bool table_grow(struct table *t)
{
    size_t cap = t->cap ? t->cap * 2 : 64, heads = cap * 2;
    struct peer *peer = realloc(t->peer, cap * sizeof *peer);
    if (peer)
        t->peer = peer;
    uint32_t *head = calloc(heads, sizeof *head);
    if (!peer || !head) {
        free(head);
        return false;
    }
    for (size_t i = 0; i < t->peers; i++) {
        size_t at = hash_u64x2(peer[i].address.hi, peer[i].address.lo) & (heads - 1);
        while (head[at])
            at = (at + 1) & (heads - 1);
        head[at] = (uint32_t)i + 1;
    }
    free(t->head);
    t->head = head;
    t->heads = heads;
    t->cap = cap;
    return true;
}

static struct peer *peer_of(struct table *t, struct ip address, bool *nomem)
{
    if (t->peers == t->cap && !table_grow(t)) {
        *nomem = true;
        return NULL;
    }
    size_t at = hash_u64x2(address.hi, address.lo) & (t->heads - 1);
    for (; t->head[at]; at = (at + 1) & (t->heads - 1))
        if (ip_eq(t->peer[t->head[at] - 1].address, address))
            return &t->peer[t->head[at] - 1];
    if (t->peers == PEERS_MAX)
        return NULL;
    t->head[at] = (uint32_t)++t->peers;
    struct peer *p = &t->peer[t->peers - 1];
    *p = (struct peer){.address = address};
    return p;
}

static void add_line(struct evidence *e, struct place *p, uint64_t line)
{
    if (p->n == LINES_PER_PLACE || e->lines == LINES_PER_CASE || line > UINT32_MAX) {
        e->lines -= p->n;
        free(p->lines);
        p->lines = NULL;
        p->n = 0;
        p->cap = SIZE_MAX; /* no list from here on */
    }
    if (p->cap == SIZE_MAX)
        return;
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 8;
        uint32_t *lines = realloc(p->lines, cap * sizeof *lines);
        if (!lines)
            return;
        p->lines = lines;
        p->cap = cap;
    }
    p->lines[p->n++] = (uint32_t)line;
    e->lines++;
}

static struct place *place_of(struct peer *p, uint32_t object, bool *nomem)
{
    if (p->places && p->place[p->places - 1].object == object)
        return &p->place[p->places - 1];
    if (p->places == p->places_cap) {
        size_t cap = p->places_cap ? p->places_cap * 2 : 4;
        struct place *place = realloc(p->place, cap * sizeof *place);
        if (!place) {
            *nomem = true;
            return NULL;
        }
        p->place = place;
        p->places_cap = cap;
    }
    p->place[p->places] = (struct place){.object = object};
    return &p->place[p->places++];
}

static void count_port(struct peer *p, const struct hit *h)
{
    for (size_t i = 0; i < PORTS_MAX; i++) {
        if (p->port[i].bytes && (p->port[i].port != h->port || p->port[i].protocol != h->protocol || p->port[i].initiated != h->initiated))
            continue;
        p->port[i].port = h->port;
        p->port[i].protocol = h->protocol;
        p->port[i].initiated = h->initiated;
        p->port[i].bytes = sat_add(p->port[i].bytes, h->bytes);
        return;
    }
}

static void take_hit(struct search *s, const struct hit *h)
{
    struct evidence *e = s->judged[h->judged].evidence;
    struct table *t = table_of(e, s->a.flow_log, s->arena);
    if (!t)
        return;
    struct peer *p = peer_of(t, h->peer, &s->nomem);
    if (!p) {
        t->bytes_more = sat_add(t->bytes_more, h->out ? h->bytes : 0);
        t->peers_more++;
        return;
    }
    if (!h->out) {
        p->bytes_in = sat_add(p->bytes_in, h->bytes);
        return;
    }
    t->bytes = sat_add(t->bytes, h->bytes);
    p->bytes = sat_add(p->bytes, h->bytes);
    p->packets = sat_add(p->packets, h->packets);
    p->first_s = p->records && p->first_s < h->start_s ? p->first_s : h->start_s;
    p->last_s = p->last_s > h->end_s ? p->last_s : h->end_s;
    p->records++;
    if (h->bytes > p->group_bytes) {
        p->group_bytes = h->bytes;
        p->group = h->group;
        p->hour = (unsigned)(h->start_s % DAY_S / HOUR_S);
    }
    count_port(p, h);
    struct place *place = place_of(p, s->objects - 1, &s->nomem);
    if (!place)
        return;
    place->first_line = place->records ? place->first_line : h->line;
    place->last_line = h->line;
    place->records++;
    place->bytes = sat_add(place->bytes, h->bytes);
    add_line(e, place, h->line);
}

/* ---- one object ---- */

static enum weir_err search_object(struct search *s, struct object_reader *reader, const struct sha256 *id, const struct object *o)
{
    struct object_outcome outcome;
    attribution_begin(&s->a, o);
    for (;;) {
        s->hits = 0;
        object_read(reader, o, false, NULL, &outcome);
        if (outcome.err == WEIR_INTERRUPTED)
            return WEIR_INTERRUPTED;
        if (outcome.err || memcmp(outcome.id.b, id->b, SHA256_BYTES) != 0)
            return s->nomem ? WEIR_NOMEM : WEIR_OK; /* changed or gone: its bytes stay unplaced */
        if (!s->a.again)
            break;
        attribution_again(&s->a);
    }
    if (!s->hits)
        return WEIR_OK;
    s->object[s->objects] = *id;
    s->key[s->objects] = o->from.flow_log.n ? arena_slice(s->arena, o->key) : (struct slice){"", 0};
    s->objects++;
    for (size_t i = 0; i < s->hits; i++) {
        struct judged *j = &s->judged[s->hit[i].judged];
        if (!j->region.n)
            j->region = arena_slice(s->arena, o->from.region);
        take_hit(s, &s->hit[i]);
    }
    return s->nomem ? WEIR_NOMEM : WEIR_OK;
}

struct ordered {
    int64_t first_s;
    struct sha256 id;
};

static int earlier(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->first_s != y->first_s)
        return x->first_s < y->first_s ? -1 : 1;
    return memcmp(x->id.b, y->id.b, SHA256_BYTES);
}

/* By time and content: the ledger has them in the order of counting, and runs may count in any order and under any name. */
static struct ordered *order_objects(const struct search *s, struct slice ids, struct buffer *keep)
{
    size_t n = ids.n / SHA256_BYTES;
    struct ordered *o = calloc(n + 1, sizeof *o);
    for (size_t i = 0; o && i < n; i++) {
        struct ledger_entry e;
        memcpy(o[i].id.b, ids.p + i * SHA256_BYTES, SHA256_BYTES);
        if (ledger_get(s->run->store, &o[i].id, keep, &e, NULL) == WEIR_OK)
            o[i].first_s = e.first_s;
    }
    if (o)
        qsort(o, n, sizeof *o, earlier);
    return o;
}

static enum weir_err search_objects(struct search *s, struct object_reader *reader, struct slice ids)
{
    struct buffer keep;
    buffer_init(&keep, 1 << 20);
    struct ordered *order = order_objects(s, ids, &keep);
    enum weir_err err = order ? WEIR_OK : WEIR_NOMEM;
    for (size_t i = 0; i < ids.n / SHA256_BYTES && !err; i++) {
        struct object o;
        if (run_object(s->run, &order[i].id, &keep, &o))
            err = search_object(s, reader, &order[i].id, &o);
    }
    free(order);
    buffer_fini(&keep);
    return err;
}

/* ---- results ---- */

/* Double subscription: the same records again under another flow log. The one with more bytes speaks; ties by name. */
static struct table *speaking_table(struct evidence *e)
{
    struct table *best = NULL;
    for (size_t i = 0; i < e->tables; i++) {
        struct table *t = &e->table[i];
        if (!best || t->bytes > best->bytes || (t->bytes == best->bytes && slice_cmp(t->flow_log, best->flow_log) < 0))
            best = t;
    }
    return best;
}

static int larger_peer(const void *a, const void *b)
{
    const struct peer *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return ip_cmp(x->address, y->address);
}

/* Does the baseline know this peer's network in that role, whatever the service? A client of ours is no known destination. */
static bool peer_known(const struct flow_rules *rules, const struct baseline *b, struct ip peer, bool initiated)
{
    struct flow f = {.peer = peer, .external = true, .at = flow_provider_at(rules, peer)};
    for (unsigned opened = initiated ? OPENED_BY_HOST : OPENED_BY_PEER; opened <= (initiated ? OPENED_BY_HOST : OPENED_UNKNOWN); opened++)
        for (unsigned service = 0; service < SERVICE_CLASSES; service++) {
            f.opened = (uint8_t)opened;
            f.service = (uint8_t)service;
            if (baseline_find(b, flow_group(&f)))
                return true;
        }
    return false;
}

static enum score_test strongest_test(const struct judged *j, uint16_t day, const struct peer *p)
{
    for (size_t i = 0; i < j->score.n && j->score.part[i].raised; i++)
        if (score_covers(&j->score.part[i], &j->baseline, day, p->group, p->hour))
            return j->score.part[i].test;
    return j->score.part[0].test;
}

static bool copy_places(struct search *s, const struct peer *p, struct evidence_peer *out)
{
    struct evidence_place *place = arena_alloc(s->arena, (p->places + 1) * sizeof *place);
    if (!place)
        return false;
    for (size_t i = 0; i < p->places; i++) {
        const struct place *from = &p->place[i];
        uint32_t *lines = from->n ? arena_alloc(s->arena, from->n * sizeof *lines) : NULL;
        if (from->n && !lines)
            return false;
        if (from->n)
            memcpy(lines, from->lines, from->n * sizeof *lines);
        place[i] = (struct evidence_place){s->object[from->object], s->key[from->object], from->first_line, from->last_line,
                                           from->records, from->bytes, lines, from->n};
    }
    out->place = place;
    out->places = p->places;
    return true;
}

static bool copy_peer(struct search *s, const struct judged *j, const struct peer *p, struct evidence_peer *out)
{
    size_t best = 0;
    for (size_t i = 1; i < PORTS_MAX; i++)
        if (p->port[i].bytes > p->port[best].bytes)
            best = i;
    *out = (struct evidence_peer){.peer = p->address, .port = p->port[best].port, .protocol = p->port[best].protocol,
                                  .initiated = p->port[best].initiated, .known = peer_known(&s->a.rules, &j->baseline, p->address, p->port[best].initiated),
                                  .bytes = p->bytes, .packets = p->packets, .records = p->records, .bytes_in = p->bytes_in,
                                  .first_s = p->first_s, .last_s = p->last_s, .test = strongest_test(j, s->day, p)};
    geo_lookup(s->run->geo, p->address, out->country, &out->asn, out->as_name, sizeof out->as_name);
    return copy_places(s, p, out);
}

static enum weir_err conclude(struct search *s, struct judged *j)
{
    struct dossier_day *d = arena_alloc(s->arena, sizeof *d);
    struct table *t = speaking_table(j->evidence);
    if (!d || !(d->peer = arena_alloc(s->arena, DOSSIER_PEERS_MAX * sizeof *d->peer)))
        return WEIR_NOMEM;
    d->day_s = j->host.day_s;
    d->score = j->score;
    d->score.n = d->score.n < DOSSIER_PARTS_MAX ? d->score.n : DOSSIER_PARTS_MAX;
    memcpy(d->hour_bytes, j->host.hour_out, sizeof d->hour_bytes);
    d->gap_hours = j->host.gap_hours;
    uint64_t placed = t ? sat_add(t->bytes, t->bytes_more) : 0;
    d->bytes_unplaced = j->claimed_bytes > placed ? j->claimed_bytes - placed : 0;
    j->day = d;
    if (!t)
        return WEIR_OK;
    qsort(t->peer, t->peers, sizeof *t->peer, larger_peer);
    d->peers_more = t->peers_more;
    d->bytes_more = t->bytes_more;
    for (size_t i = 0; i < t->peers && t->peer[i].bytes; i++) {
        if (d->peers < DOSSIER_PEERS_MAX && (i < PEERS_ALWAYS ? t->peer[i].bytes >= t->bytes / 100 || t->peer[i].bytes >= PEER_LISTED_BYTES
                                                               : t->peer[i].bytes >= PEER_LISTED_BYTES)) {
            if (!copy_peer(s, j, &t->peer[i], &d->peer[d->peers++]))
                return WEIR_NOMEM;
        } else {
            d->peers_more++;
            d->bytes_more = sat_add(d->bytes_more, t->peer[i].bytes);
        }
    }
    return WEIR_OK;
}

static void evidence_free(struct evidence *e)
{
    for (size_t i = 0; e && i < e->tables; i++) {
        struct table *t = &e->table[i];
        for (size_t k = 0; k < t->peers; k++) {
            for (size_t m = 0; m < t->peer[k].places; m++)
                free(t->peer[k].place[m].lines);
            free(t->peer[k].place);
        }
        free(t->peer);
        free(t->head);
    }
    free(e);
}

static enum weir_err search_all(struct search *s, struct day_objects *objects)
{
    struct decode_sink sink = {&s->a, attribution_record, NULL};
    struct decoder *decoder = decoder_new(s->run->layout_given ? &s->run->layout : NULL, sink);
    struct object_reader *reader = decoder ? object_reader_new(&s->run->limits, decoder) : NULL;
    enum weir_err err = reader ? search_objects(s, reader, (struct slice){objects->ids.p, objects->ids.n}) : WEIR_NOMEM;
    for (size_t i = 0; i < s->n && !err; i++)
        err = conclude(s, &s->judged[i]);
    object_reader_free(reader);
    decoder_free(decoder);
    return err;
}

enum weir_err evidence_collect(struct run *run, uint16_t day, struct judged *judged, size_t n, struct arena *arena, struct fault *fault)
{
    struct day_objects *objects = run_day_objects(run, day, fault);
    if (!objects)
        return WEIR_NOMEM;
    struct search s = {.run = run, .judged = judged, .n = n, .day = day, .arena = arena};
    size_t count = objects->ids.n / SHA256_BYTES;
    s.a = (struct attribution){.future_s = run->future_s, .closed_through = (uint16_t)(day - 1), .ctx = &s, .flow = on_flow,
                               .gap = on_gap, .counts = &s.counts, .window = window_new(&window_default_limits, true)};
    run_flow_rules(run, &s.a.rules);
    s.object = calloc(count + 1, sizeof *s.object);
    s.key = calloc(count + 1, sizeof *s.key);
    s.order = calloc(n + 1, sizeof *s.order);
    bool ready = s.a.window && s.object && s.key && s.order;
    for (size_t i = 0; ready && i < n; i++)
        s.order[i] = (uint32_t)i;
    if (ready)
        qsort_r(s.order, n, sizeof *s.order, by_host, judged);
    for (size_t i = 0; i < n; i++)
        ready &= (judged[i].evidence = calloc(1, sizeof *judged[i].evidence)) != NULL;
    enum weir_err err = ready ? search_all(&s, objects) : WEIR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        evidence_free(judged[i].evidence);
        judged[i].evidence = NULL;
    }
    free(s.hit);
    free(s.object);
    free(s.key);
    free(s.order);
    window_free(s.a.window);
    failpoint("evidence-collected");
    return err && err != WEIR_INTERRUPTED ? fault_set(fault, err, "cannot collect evidence: %s", weir_err_text(err)) : err;
}
