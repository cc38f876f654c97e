/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: the objects of a day are read once more for the few hosts that were raised, and every record whose bytes a
 * raised part counts is noted with its peer, object and line. So a claim names places that add up to it, at no cost to the
 * days without findings, and the sums are checked by a second, independent reading. Only objects with records of the hours in which
 * claimed bytes were sent are read, and of those only the records of the interfaces concerned are looked at. */
#include <stdlib.h>
#include <string.h>

#include "app/evidence_peers.h"
#include "app/peer_names.h"
#include "app/policy.h"
#include "app/run.h"

#define PEER_LISTED_BYTES 1000000 /* a peer with less is summed up, unless it is among the first */
#define PEERS_ALWAYS 3
#define PLACES_LISTED 16384 /* in one host-day; peers beyond are summed up */
#define FLOW_LOGS_MAX 8
#define FLOOD_CELL_SHARE 512 /* in a flood, an hour is read again for a destination with at least this part of the claim */

struct table { /* peers under one flow log */
    struct slice flow_log;
    struct peers peers;
};

#define PARENTS_MAX 16 /* domains of tunnels, of one host-day */
struct parent { uint64_t group, bytes; struct slice name; };

struct evidence {
    struct parent parent[PARENTS_MAX]; size_t parents;
    struct table table[FLOW_LOGS_MAX];
    size_t tables;
    struct peers object; /* of the object being read, until it is known to be whole */
};

struct search {
    struct run *run;
    struct judged *judged; size_t n;
    uint32_t *order; /* of judged, by interface, account and address */
    uint16_t day;
    uint32_t hours;  /* bit per hour that a claim needs */
    struct attribution a;
    struct run_counts counts;
    struct peers_pool pool;
    struct peer_names *names; /* NULL until packets told one */
    const struct policy *policy;
    uint16_t broken[POLICY_RULES_MAX];
    bool found, nomem;
    char last_interface[64]; size_t last_n; /* of the last record, if it was no longer than that; 0: none */
    size_t last_first, last_end;            /* who was raised behind it, in order */
    struct sha256 *object; struct slice *key; uint32_t objects;
    struct arena *arena;
};

/* ---- what is claimed, and when it was sent ---- */

/* Hours in which one destination got a good part of the claim; none: the hour with most. The rest of a flood is told by its sum only. */
static uint32_t flood_hours(const struct judged *j, const struct host_day *d, uint64_t total)
{
    uint32_t hours = 0;
    unsigned most = 0;
    for (size_t i = 0; i < d->groups; i++)
        for (unsigned h = 0; h < 24; h++)
            if (d->group[i].hour[h] && d->group[i].hour[h] >= total / FLOOD_CELL_SHARE && judged_covers(j, d->group[i].group, h))
                hours |= 1u << h;
    for (unsigned h = 1; h < 24; h++)
        most = j->claimed[h] > j->claimed[most] ? h : most;
    return hours ? hours : 1u << most;
}

/* Connections may break several rules, and be counted by tests as well: then only what is certain is claimed for the rules. */
static void claim_broken(struct judged *j, const struct host_day *d)
{
    bool alone = j->score.n && group_kind(j->score.part[0].group) >= GROUP_POLICY;
    for (size_t i = 0; i < j->score.n && j->score.part[i].raised; i++)
        alone &= group_kind(j->score.part[i].group) >= GROUP_POLICY;
    for (size_t i = 0; i < d->rules_broken; i++)
        for (unsigned h = 0; h < 24; h++) {
            uint64_t bytes = d->broken[i].hour[h];
            if (!bytes || !judged_covers(j, d->broken[i].group, h))
                continue;
            j->hours |= 1u << h;
            if (alone && bytes > j->claimed[h])
                j->claimed[h] = bytes;
        }
}

void evidence_claim(struct judged *j, const struct host_day *d)
{
    uint64_t total = 0;
    memset(j->claimed, 0, sizeof j->claimed);
    j->hours = 0;
    for (size_t i = 0; i < d->groups; i++)
        for (unsigned h = 0; h < 24; h++)
            if (d->group[i].hour[h] && judged_covers(j, d->group[i].group, h)) {
                j->claimed[h] = sat_add(j->claimed[h], d->group[i].hour[h]);
                j->hours |= 1u << h;
            }
    claim_broken(j, d);
    for (unsigned h = 0; h < 24; h++)
        total = sat_add(total, j->claimed[h]);
    if (d->level) /* too many destinations to keep */
        j->hours = flood_hours(j, d, total);
}

/* ---- hits of one object ---- */

static int by_host(const void *a, const void *b, void *judged)
{
    const struct judged *all = judged;
    const struct host_day *x = &all[*(const uint32_t *)a].host, *y = &all[*(const uint32_t *)b].host;
    int order = slice_cmp(x->interface, y->interface);
    order = order ? order : slice_cmp(x->account, y->account);
    return order ? order : ip_cmp(x->host, y->host);
}

static void find_interface(struct search *s, struct slice id)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (slice_cmp(s->judged[s->order[mid]].host.interface, id) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (high = low; high < s->n && slice_eq(s->judged[s->order[high]].host.interface, id);)
        high++;
    s->last_first = low;
    s->last_end = high;
    s->last_n = id.n <= sizeof s->last_interface ? id.n : 0;
    if (s->last_n)
        memcpy(s->last_interface, id.p, id.n);
}

/* What other interfaces sent decides nothing about these. */
static void on_record(void *search, const struct record *r)
{
    struct search *s = search;
    if (WEIR_UNLIKELY(r->captured)) {
        attribution_captured(&s->a, r, on_record, s);
        return;
    }
    if (!s->last_n || r->interface.n != s->last_n || memcmp(r->interface.p, s->last_interface, s->last_n) != 0)
        find_interface(s, r->interface);
    if (s->last_first < s->last_end)
        attribution_record(&s->a, r);
}

/* The raised rule that this flow breaks, as its group; 0: none. */
static uint64_t broken_group(struct search *s, const struct judged *j, const struct record *r, const struct flow *f, unsigned hour)
{
    if (!s->policy || !j->broke_policy)
        return 0;
    size_t n = policy_broken(s->policy, context_inventory(s->run->context), r->interface, f, s->broken);
    for (size_t i = 0; i < n; i++) {
        uint64_t group = policy_rule_group(s->policy, s->broken[i]);
        if (judged_covers(j, group, hour))
            return group;
    }
    return 0;
}

static struct hit hit_of(const struct record *r, const struct flow *f, uint64_t group)
{
    return (struct hit){.peer = f->peer, .group = group, .bytes = f->bytes, .packets = f->packets, .line = r->line, .start_s = f->start_s, .end_s = f->end_s,
                        .port = f->service_port, .protocol = f->protocol, .out = f->out, .initiated = f->opened == OPENED_BY_HOST};
}

/* Domains may share a group: the one with the longest names of one record is it. */
static void note_parent(struct search *s, struct evidence *e, const struct flow_seen *seen)
{
    size_t i = 0;
    while (i < e->parents && e->parent[i].group != seen->group)
        i++;
    if (!seen->name.n || i == PARENTS_MAX)
        return;
    struct parent *p = &e->parent[i];
    if (i == e->parents)
        e->parents++;
    else if (seen->bytes < p->bytes || (seen->bytes == p->bytes && slice_cmp(seen->name, p->name) >= 0))
        return;
    *p = (struct parent){seen->group, seen->bytes, arena_slice(s->arena, seen->name)};
}

/* What the packets of a flow showed, where that is claimed and not the flow itself. */
static void look_at_seen(struct search *s, struct judged *j, const struct record *r, const struct flow *f, unsigned hour)
{
    struct flow_seen seen;
    for (size_t i = 0; flow_seen_next(r, f, &i, &seen);) {
        if (!judged_covers(j, seen.group, hour))
            continue;
        struct hit h = hit_of(r, f, seen.group);
        h.bytes = seen.bytes;
        h.packets = seen.count;
        note_parent(s, j->evidence, &seen);
        s->nomem |= !peers_add(&j->evidence->object, &s->pool, &h, s->objects);
        s->found = true;
    }
}

static void look_at(struct search *s, const struct record *r, const struct flow *f)
{
    unsigned hour = (unsigned)(f->start_s % DAY_S / HOUR_S);
    if (f->start_s / DAY_S != s->day || !(s->hours >> hour & 1))
        return;
    uint64_t group = flow_group(f);
    for (size_t i = s->last_first; i < s->last_end; i++) {
        struct judged *j = &s->judged[s->order[i]];
        if (!ip_eq(j->host.host, f->host) || !(j->hours >> hour & 1) || !slice_eq(j->host.account, r->account))
            continue;
        uint64_t counted = judged_covers(j, group, hour) ? group : broken_group(s, j, r, f, hour);
        if (!counted) {
            look_at_seen(s, j, r, f, hour);
            continue;
        }
        struct hit h = hit_of(r, f, counted);
        h.out |= counted != group; /* of what a rule does not allow, both ways count */
        s->nomem |= !peers_add(&j->evidence->object, &s->pool, &h, s->objects);
        s->found = true;
    }
}

static void on_flow(void *ctx, uint32_t interface, const struct record *r, const struct flow *f, enum flow_verdict v)
{
    struct search *s = ctx;
    (void)interface;
    if (r->seen && (s->names || (s->names = peer_names_new())))
        peer_names_learn(s->names, r);
    look_at(ctx, r, f);
    if (v == FLOW_PENDING) {
        struct flow mirrored = flow_mirror(f);
        look_at(ctx, r, &mirrored);
    }
}

static void on_gap(void *ctx, uint32_t interface, const struct record *r)
{
    (void)ctx;
    (void)interface;
    (void)r;
}

/* ---- one object ---- */

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

static void forget_object(struct search *s)
{
    for (size_t i = 0; s->found && i < s->n; i++)
        peers_clear(&s->judged[i].evidence->object, &s->pool);
    s->found = false;
}

static void keep_object(struct search *s, const struct sha256 *id, const struct object *o)
{
    s->object[s->objects] = *id;
    s->key[s->objects++] = o->from.flow_log.n ? arena_slice(s->arena, o->key) : (struct slice){"", 0};
    for (size_t i = 0; i < s->n; i++) {
        struct judged *j = &s->judged[i];
        struct table *t = j->evidence->object.n ? table_of(j->evidence, s->a.flow_log, s->arena) : NULL;
        if (!t)
            continue;
        if (!j->region.n)
            j->region = arena_slice(s->arena, o->from.region);
        s->nomem |= !peers_join(&t->peers, &j->evidence->object, &s->pool);
    }
}

static enum weir_err search_object(struct search *s, struct object_reader *reader, const struct sha256 *id, const struct object *o)
{
    struct object_outcome outcome;
    attribution_begin(&s->a, o);
    for (;;) {
        object_read(reader, o, false, NULL, &outcome);
        if (outcome.err || !s->a.again)
            break;
        forget_object(s);
        attribution_again(&s->a);
    }
    bool same = !outcome.err && memcmp(outcome.id.b, id->b, SHA256_BYTES) == 0;
    if (same && s->found)
        keep_object(s, id, o);
    forget_object(s); /* changed or gone: its bytes stay unplaced */
    if (outcome.err == WEIR_INTERRUPTED || outcome.err == WEIR_UNAVAILABLE)
        return outcome.err; /* away for now: that says nothing of its bytes */
    return s->nomem || s->a.nomem ? WEIR_NOMEM : WEIR_OK;
}

struct ordered {
    int64_t first_s, last_s;
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
        o[i].last_s = INT64_MAX;
        if (ledger_get(s->run->store, &o[i].id, keep, &e, NULL))
            continue;
        o[i].first_s = e.first_s;
        o[i].last_s = e.last_s;
    }
    if (o)
        qsort(o, n, sizeof *o, earlier);
    return o;
}

/* May it hold records that start in an hour that is needed? */
static bool needed(const struct search *s, const struct ordered *o)
{
    int64_t day_s = (int64_t)s->day * DAY_S;
    for (unsigned h = 0; h < 24; h++)
        if (s->hours >> h & 1 && o->first_s < day_s + (h + 1) * HOUR_S && o->last_s >= day_s + h * HOUR_S)
            return true;
    return false;
}

static enum weir_err search_objects(struct search *s, struct object_reader *reader, struct slice ids)
{
    struct buffer keep;
    buffer_init(&keep, 1 << 20);
    struct ordered *order = order_objects(s, ids, &keep);
    enum weir_err err = order ? WEIR_OK : WEIR_NOMEM;
    for (size_t i = 0; i < ids.n / SHA256_BYTES && !err; i++) {
        struct object o;
        if (needed(s, &order[i]) && run_object(s->run, &order[i].id, &keep, &o))
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
        if (!best || t->peers.bytes > best->peers.bytes || (t->peers.bytes == best->peers.bytes && slice_cmp(t->flow_log, best->flow_log) < 0))
            best = t;
    }
    return best;
}

/* Does the baseline know this peer's network in that role, whatever the service? A client of ours is no known destination. */
static bool peer_known(const struct flow_rules *rules, const struct baseline *b, struct ip peer, bool initiated)
{
    struct flow f = {.peer = peer, .external = true, .at = flow_provider_at(rules, peer)};
    for (unsigned opened = initiated ? OPENED_BY_HOST : OPENED_BY_PEER; opened <= (initiated ? OPENED_BY_HOST : OPENED_UNKNOWN); opened++)
        for (unsigned service = 0; service < SERVICE_CLASSES; service++) {
            f.opened = (uint8_t)opened;
            f.service = (uint8_t)service;
            if (baseline_find(b, group_network(flow_group(&f))))
                return true;
        }
    return false;
}

static enum score_test strongest_test(const struct judged *j, const struct peer *p)
{
    uint64_t parts = judged_covers(j, p->group, p->hour);
    return j->score.part[parts ? __builtin_ctzll(parts) : 0].test;
}

static bool copy_lines(struct arena *arena, const struct place *p, struct evidence_place *out)
{
    uint64_t n = p->unlisted ? 0 : p->records;
    uint32_t *lines = n ? arena_alloc(arena, n * sizeof *lines) : NULL;
    if (n && !lines)
        return false;
    if (n && !p->chunk) {
        lines[0] = (uint32_t)p->first_line;
        lines[n - 1] = (uint32_t)p->last_line;
    }
    const struct line_chunk *chunk = p->chunk;
    for (uint32_t i = 0; i < p->lines; i += CHUNK_LINES, chunk = chunk->next)
        memcpy(lines + i, chunk->line, (p->lines - i < CHUNK_LINES ? p->lines - i : CHUNK_LINES) * sizeof *lines);
    out->lines = lines;
    out->lines_n = n;
    return true;
}

static bool copy_places(struct search *s, const struct peer *p, struct evidence_peer *out)
{
    struct evidence_place *to = arena_alloc(s->arena, (p->places + 1) * sizeof *to);
    if (!to)
        return false;
    out->place = to;
    out->places = p->places;
    for (const struct place *from = p->place; from; from = from->next, to++) {
        *to = (struct evidence_place){s->object[from->object], s->key[from->object], from->first_line, from->last_line, from->records, from->bytes, NULL, 0};
        if (!copy_lines(s->arena, from, to))
            return false;
    }
    return true;
}

static bool copy_peer(struct search *s, const struct judged *j, const struct peer *p, struct evidence_peer *out)
{
    size_t port = peer_main_port(p);
    *out = (struct evidence_peer){.peer = p->address, .port = p->port[port].port, .protocol = p->port[port].protocol,
                                  .initiated = p->port[port].initiated, .known = peer_known(&s->a.rules, &j->baseline, p->address, p->port[port].initiated),
                                  .bytes = p->bytes, .packets = p->packets, .records = p->records, .bytes_in = p->bytes_in,
                                  .first_s = p->first_s, .last_s = p->last_s, .test = strongest_test(j, p)};
    out->name = arena_slice(s->arena, peer_name(s->names, p->address));
    context_peer(s->run->context, p->address, out->country, &out->asn, out->as_name, sizeof out->as_name);
    return copy_places(s, p, out);
}

/* The peers worth a name; what is left of the sum went to others. */
static bool list_peers(struct search *s, const struct judged *j, struct peers *t, struct dossier_day *d)
{
    uint64_t bytes = 0, places = 0;
    peers_sort(t);
    for (uint32_t i = 0; i < t->n && d->peers < DOSSIER_PEERS_MAX; i++) {
        const struct peer *p = &t->peer[i];
        places += p->places;
        if (!p->bytes || (p->bytes < PEER_LISTED_BYTES && (i >= PEERS_ALWAYS || p->bytes < t->bytes / 100)) || (i && places > PLACES_LISTED))
            break;
        if (!copy_peer(s, j, p, &d->peer[d->peers++]))
            return false;
        bytes = sat_add(bytes, p->bytes);
    }
    d->peers_more = peers_count(t) - d->peers;
    d->bytes_more = t->bytes - bytes;
    return true;
}

static void name_parents(struct judged *j)
{
    for (size_t i = 0; i < j->score.n; i++)
        for (size_t k = 0; k < j->evidence->parents; k++)
            if (j->score.part[i].test == SCORE_DNS_TUNNEL && j->score.part[i].group == j->evidence->parent[k].group)
                j->score.part[i].rule = j->evidence->parent[k].name;
}

static enum weir_err conclude(struct search *s, struct judged *j)
{
    name_parents(j);
    struct dossier_day *d = arena_alloc(s->arena, sizeof *d);
    struct table *t = speaking_table(j->evidence);
    if (!d || !(d->peer = arena_alloc(s->arena, DOSSIER_PEERS_MAX * sizeof *d->peer)))
        return WEIR_NOMEM;
    d->day_s = j->host.day_s;
    d->score = j->score;
    d->score.n = d->score.n < DOSSIER_PARTS_MAX ? d->score.n : DOSSIER_PARTS_MAX;
    memcpy(d->hour_bytes, j->host.hour_out, sizeof d->hour_bytes);
    d->gap_hours = j->host.gap_hours;
    d->band = score_hour_band(&score_model_default, &j->baseline, s->day, d->usual, d->high);
    j->day = d;
    if (t && !list_peers(s, j, &t->peers, d))
        return WEIR_NOMEM;
    uint64_t looked_for = 0, passed_over = 0, placed = t ? t->peers.bytes : 0;
    for (unsigned h = 0; h < 24; h++) {
        uint64_t *sum = j->hours >> h & 1 ? &looked_for : &passed_over;
        *sum = sat_add(*sum, j->claimed[h]);
    }
    d->bytes_unplaced = looked_for > placed ? looked_for - placed : 0;
    d->bytes_more = sat_add(d->bytes_more, passed_over);
    return WEIR_OK;
}

static void evidence_free(struct evidence *e, struct peers_pool *pool)
{
    for (size_t i = 0; e && i < e->tables; i++)
        peers_clear(&e->table[i].peers, pool);
    if (e)
        peers_clear(&e->object, pool);
    free(e);
}

static enum weir_err search_all(struct search *s, struct day_objects *objects)
{
    struct decode_sink sink = {s, on_record, NULL};
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
    struct day_objects *objects = NULL;
    enum weir_err err = run_day_objects(run, day, &objects, fault);
    if (err)
        return err;
    struct search s = {.run = run, .judged = judged, .n = n, .day = day, .arena = arena};
    size_t count = objects->ids.n / SHA256_BYTES;
    s.a = (struct attribution){.future_s = run->future_s, .closed_through = (uint16_t)(day - 1), .ctx = &s, .flow = on_flow,
                               .gap = on_gap, .counts = &s.counts, .window = window_new(&window_default_limits, true)};
    run_flow_rules(run, &s.a.rules);
    s.policy = run->app->config->policy_rules;
    s.object = calloc(count + 1, sizeof *s.object);
    s.key = calloc(count + 1, sizeof *s.key);
    s.order = calloc(n + 1, sizeof *s.order);
    bool ready = peers_pool_init(&s.pool, n) && s.a.window && s.object && s.key && s.order;
    for (size_t i = 0; ready && i < n; i++)
        s.order[i] = (uint32_t)i;
    if (ready)
        qsort_r(s.order, n, sizeof *s.order, by_host, judged);
    for (size_t i = 0; i < n; i++) {
        ready &= (judged[i].evidence = calloc(1, sizeof *judged[i].evidence)) != NULL;
        s.hours |= judged[i].hours;
    }
    err = ready ? search_all(&s, objects) : WEIR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        evidence_free(judged[i].evidence, &s.pool);
        judged[i].evidence = NULL;
    }
    peers_pool_fini(&s.pool);
    peer_names_free(s.names);
    free(s.object);
    free(s.key);
    free(s.order);
    attribution_fini(&s.a);
    window_free(s.a.window);
    failpoint("evidence-collected");
    return err && err != WEIR_INTERRUPTED ? fault_set(fault, err, "cannot collect evidence: %s", weir_err_text(err)) : err;
}
