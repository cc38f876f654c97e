/* SPDX-License-Identifier: Apache-2.0 */
/* Dossiers: stored form, and the facts of a finding from the days together.
 *   c <host id, 16 hex>  blob 'c': u64 host_id, u64 hi, u64 lo, string account, interface, vpc, region, string history,
 *                        u8 closed, varint days, days * day (see put_day) */
#include "app/dossier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 5
#define VERSION_WITH_NAMES 5
#define VERSION_WITHOUT_BAND 3
#define TEXT_MAX 65535

struct dossier *dossier_new(void)
{
    struct dossier *d = calloc(1, sizeof *d);
    if (d && !(d->arena = arena_new(0))) {
        free(d);
        return NULL;
    }
    return d;
}

void dossier_free(struct dossier *d)
{
    if (d)
        arena_free(d->arena);
    free(d);
}

/* ---- evidence of one peer ---- */

static int by_address(const void *a, const void *b)
{
    const struct evidence_peer *x = a, *y = b;
    int order = ip_cmp(x->peer, y->peer);
    return order ? order : (x->first_s > y->first_s) - (x->first_s < y->first_s);
}

static int by_bytes(const void *a, const void *b)
{
    const struct evidence_peer *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return ip_cmp(x->peer, y->peer);
}

static bool join_peer(struct arena *a, struct evidence_peer *to, const struct evidence_peer *from)
{
    struct evidence_place *place = arena_alloc(a, (to->places + from->places + 1) * sizeof *place);
    if (!place)
        return false;
    if (to->places)
        memcpy(place, to->place, to->places * sizeof *place);
    if (from->places)
        memcpy(place + to->places, from->place, from->places * sizeof *place);
    if (from->bytes > to->bytes) {
        to->port = from->port;
        to->protocol = from->protocol;
        to->test = from->test;
    }
    if (!to->name.n)
        to->name = from->name;
    to->place = place;
    to->places += from->places;
    to->bytes = sat_add(to->bytes, from->bytes);
    to->packets = sat_add(to->packets, from->packets);
    to->records += from->records;
    to->bytes_in = sat_add(to->bytes_in, from->bytes_in);
    to->last_s = from->last_s > to->last_s ? from->last_s : to->last_s;
    return true;
}

static struct evidence_peer *find_peer(const struct dossier_day *d, struct ip peer)
{
    for (size_t i = 0; i < d->peers; i++)
        if (ip_eq(d->peer[i].peer, peer))
            return &d->peer[i];
    return NULL;
}

static bool has_place(const struct evidence_peer *p, const struct evidence_place *place)
{
    for (size_t i = 0; p && i < p->places; i++)
        if (memcmp(p->place[i].object.b, place->object.b, SHA256_BYTES) == 0)
            return true;
    return false;
}

/* The part of a peer's old evidence that `now` lacks; places is 0 if it lacks nothing. */
static bool missing_part(struct arena *a, const struct evidence_peer *old, const struct evidence_peer *now, struct evidence_peer *out)
{
    struct evidence_place *place = arena_alloc(a, (old->places + 1) * sizeof *place);
    if (!place)
        return false;
    *out = *old;
    out->place = place;
    out->places = 0;
    out->bytes = out->records = 0;
    for (size_t i = 0; i < old->places; i++) {
        if (has_place(now, &old->place[i]))
            continue;
        place[out->places++] = old->place[i];
        out->bytes = sat_add(out->bytes, old->place[i].bytes);
        out->records += old->place[i].records;
    }
    if (out->places < old->places) /* not known by place: a lower bound */
        out->packets = out->bytes_in = 0;
    return true;
}

static bool keep_peer(struct arena *a, struct dossier_day *now, const struct evidence_peer *old)
{
    struct evidence_peer part, *known = find_peer(now, old->peer);
    if (!missing_part(a, old, known, &part))
        return false;
    if (!part.places)
        return true;
    now->bytes_unplaced -= part.bytes < now->bytes_unplaced ? part.bytes : now->bytes_unplaced;
    if (known) {
        known->first_s = part.first_s < known->first_s ? part.first_s : known->first_s;
        return join_peer(a, known, &part);
    }
    if (now->peers == DOSSIER_PEERS_MAX) {
        now->peers_more++;
        now->bytes_more = sat_add(now->bytes_more, part.bytes);
        return true;
    }
    now->peer[now->peers++] = part;
    return true;
}

static struct dossier_day *day_of(const struct dossier *d, int64_t day_s)
{
    for (size_t i = 0; i < d->days; i++)
        if (d->day[i]->day_s == day_s)
            return d->day[i];
    return NULL;
}

bool dossier_keep_evidence(struct dossier *d, struct dossier_day *now)
{
    const struct dossier_day *old = day_of(d, now->day_s);
    if (!old || !now->bytes_unplaced)
        return true;
    struct evidence_peer *peer = arena_alloc(d->arena, DOSSIER_PEERS_MAX * sizeof *peer);
    if (!peer)
        return false;
    if (now->peers)
        memcpy(peer, now->peer, now->peers * sizeof *peer);
    now->peer = peer;
    for (size_t i = 0; i < old->peers; i++)
        if (!keep_peer(d->arena, now, &old->peer[i]))
            return false;
    if (now->bytes_more < old->bytes_more) {
        uint64_t more = old->bytes_more - now->bytes_more;
        now->bytes_unplaced -= more < now->bytes_unplaced ? more : now->bytes_unplaced;
        now->bytes_more = old->bytes_more;
        now->peers_more = old->peers_more;
    }
    qsort(now->peer, now->peers, sizeof *now->peer, by_bytes);
    return true;
}

void dossier_add_day(struct dossier *d, struct dossier_day *day)
{
    size_t at = d->days;
    while (at && d->day[at - 1]->day_s >= day->day_s)
        at--;
    if (at < d->days && d->day[at]->day_s == day->day_s) {
        d->day[at] = day;
        return;
    }
    if (d->days == DOSSIER_DAYS_MAX) {
        memmove(d->day, d->day + 1, (DOSSIER_DAYS_MAX - 1) * sizeof *d->day);
        d->days--;
        at -= at > 0;
    }
    memmove(&d->day[at + 1], &d->day[at], (d->days - at) * sizeof *d->day);
    d->day[at] = day;
    d->days++;
}

bool dossier_has_day(const struct dossier *d, int64_t day_s) { return day_of(d, day_s) != NULL; }

void dossier_remove_day(struct dossier *d, int64_t day_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->days; i++)
        if (d->day[i]->day_s != day_s)
            d->day[kept++] = d->day[i];
    d->days = kept;
}

/* ---- stored form ---- */

static void put_double(struct buffer *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    buffer_u64(b, bits);
}

static double get_double(struct cursor *c)
{
    uint64_t bits = cursor_u64(c);
    double v;
    memcpy(&v, &bits, sizeof v);
    return isfinite(v) ? v : 0;
}

static void put_part(struct buffer *b, const struct score_part *p)
{
    buffer_u8(b, (uint8_t)p->test);
    buffer_u8(b, p->raised);
    buffer_u64(b, p->group);
    buffer_u64(b, p->observed_bytes);
    buffer_u32(b, p->observed_count);
    buffer_u64(b, p->reference_bytes);
    buffer_u64(b, p->floor_bytes);
    buffer_u64(b, p->largest_bytes);
    buffer_u32(b, p->history_days);
    const double numbers[] = {p->observed, p->reference, p->spread, p->common, p->excess, p->rate, p->share, p->threshold};
    for (size_t i = 0; i < WEIR_COUNT(numbers); i++)
        put_double(b, numbers[i]);
    buffer_u8(b, p->since_hour);
    buffer_u8(b, p->from_hour);
    buffer_u8(b, p->to_hour);
    buffer_string(b, p->rule);
}

static void get_part(struct cursor *c, struct arena *a, struct score_part *p)
{
    uint8_t test = cursor_u8(c);
    if (test >= SCORE_TEST_COUNT)
        c->err = c->err ? c->err : WEIR_CORRUPT;
    p->test = (enum score_test)(test < SCORE_TEST_COUNT ? test : 0);
    p->raised = cursor_u8(c) != 0;
    p->group = cursor_u64(c);
    p->observed_bytes = cursor_u64(c);
    p->observed_count = cursor_u32(c);
    p->reference_bytes = cursor_u64(c);
    p->floor_bytes = cursor_u64(c);
    p->largest_bytes = cursor_u64(c);
    p->history_days = cursor_u32(c);
    double *numbers[] = {&p->observed, &p->reference, &p->spread, &p->common, &p->excess, &p->rate, &p->share, &p->threshold};
    for (size_t i = 0; i < WEIR_COUNT(numbers); i++)
        *numbers[i] = get_double(c);
    p->since_hour = cursor_u8(c);
    p->from_hour = cursor_u8(c);
    p->to_hour = cursor_u8(c);
    p->rule = arena_slice(a, cursor_string(c, TEXT_MAX));
}

static void put_place(struct buffer *b, const struct evidence_place *p)
{
    buffer_put(b, p->object.b, SHA256_BYTES);
    buffer_string(b, p->key);
    buffer_varint(b, p->first_line);
    buffer_varint(b, p->last_line);
    buffer_varint(b, p->records);
    buffer_varint(b, p->bytes);
    buffer_varint(b, p->lines_n);
    for (size_t i = 0; i < p->lines_n; i++)
        buffer_varint(b, i ? p->lines[i] - p->lines[i - 1] : p->lines[i]);
}

static void get_place(struct cursor *c, struct arena *a, struct evidence_place *p)
{
    struct slice id = cursor_bytes(c, SHA256_BYTES);
    if (id.n == SHA256_BYTES)
        memcpy(p->object.b, id.p, SHA256_BYTES);
    p->key = arena_slice(a, cursor_string(c, TEXT_MAX));
    p->first_line = cursor_varint(c);
    p->last_line = cursor_varint(c);
    p->records = cursor_varint(c);
    p->bytes = cursor_varint(c);
    uint64_t n = cursor_varint(c);
    uint32_t *lines = c->err || n > cursor_left(c) ? NULL : arena_alloc(a, (n + 1) * sizeof *lines);
    if (!lines) {
        c->err = c->err ? c->err : WEIR_CORRUPT;
        return;
    }
    for (uint64_t i = 0; i < n; i++)
        lines[i] = (uint32_t)(cursor_varint(c) + (i ? lines[i - 1] : 0));
    p->lines = n ? lines : NULL;
    p->lines_n = n;
}

static void put_peer(struct buffer *b, const struct evidence_peer *p)
{
    buffer_u64(b, p->peer.hi);
    buffer_u64(b, p->peer.lo);
    buffer_u16(b, p->port);
    buffer_u8(b, p->protocol);
    buffer_u8(b, (uint8_t)(p->initiated | p->known << 1));
    buffer_u64(b, p->bytes);
    buffer_u64(b, p->packets);
    buffer_u64(b, p->records);
    buffer_u64(b, p->bytes_in);
    buffer_u64(b, (uint64_t)p->first_s);
    buffer_u64(b, (uint64_t)p->last_s);
    buffer_string(b, slice_of(p->country));
    buffer_u32(b, p->asn);
    buffer_string(b, slice_of(p->as_name));
    buffer_string(b, p->name);
    buffer_u8(b, (uint8_t)p->test);
    buffer_varint(b, p->places);
    for (size_t i = 0; i < p->places; i++)
        put_place(b, &p->place[i]);
}

static void get_text(struct cursor *c, char *out, size_t cap)
{
    struct slice s = cursor_string(c, cap - 1);
    if (s.n)
        memcpy(out, s.p, s.n);
    out[s.n] = 0;
}

static void get_peer(struct cursor *c, uint8_t version, struct arena *a, struct evidence_peer *p)
{
    p->peer.hi = cursor_u64(c);
    p->peer.lo = cursor_u64(c);
    p->port = cursor_u16(c);
    p->protocol = cursor_u8(c);
    uint8_t bits = cursor_u8(c);
    p->initiated = bits & 1;
    p->known = bits >> 1 & 1;
    p->bytes = cursor_u64(c);
    p->packets = cursor_u64(c);
    p->records = cursor_u64(c);
    p->bytes_in = cursor_u64(c);
    p->first_s = (int64_t)cursor_u64(c);
    p->last_s = (int64_t)cursor_u64(c);
    get_text(c, p->country, sizeof p->country);
    p->asn = cursor_u32(c);
    get_text(c, p->as_name, sizeof p->as_name);
    if (version >= VERSION_WITH_NAMES)
        p->name = arena_slice(a, cursor_string(c, TEXT_MAX));
    uint8_t test = cursor_u8(c);
    p->test = (enum score_test)(test < SCORE_TEST_COUNT ? test : 0);
    uint64_t places = cursor_varint(c);
    struct evidence_place *place = c->err || places > cursor_left(c) ? NULL : arena_alloc(a, (places + 1) * sizeof *place);
    if (!place) {
        c->err = c->err ? c->err : WEIR_CORRUPT;
        return;
    }
    for (uint64_t i = 0; i < places && !c->err; i++)
        get_place(c, a, &place[i]);
    p->place = place;
    p->places = places;
}

static void put_day(struct buffer *b, const struct dossier_day *d)
{
    buffer_u64(b, (uint64_t)d->day_s);
    put_double(b, d->score.value);
    put_double(b, d->score.budget);
    buffer_u8(b, (uint8_t)(d->score.raised | d->score.learning << 1 | d->score.unusual << 2));
    buffer_u32(b, d->score.host_days);
    buffer_varint(b, d->score.n);
    for (size_t i = 0; i < d->score.n; i++)
        put_part(b, &d->score.part[i]);
    for (unsigned h = 0; h < 24; h++)
        buffer_varint(b, d->hour_bytes[h]);
    buffer_u32(b, d->gap_hours);
    buffer_u8(b, d->band);
    for (unsigned h = 0; d->band && h < 24; h++) {
        buffer_varint(b, d->usual[h]);
        buffer_varint(b, d->high[h]);
    }
    buffer_varint(b, d->peers_more);
    buffer_varint(b, d->bytes_more);
    buffer_varint(b, d->bytes_unplaced);
    buffer_varint(b, d->peers);
    for (size_t i = 0; i < d->peers; i++)
        put_peer(b, &d->peer[i]);
}

static void get_day(struct cursor *c, uint8_t version, struct arena *a, struct dossier_day *d)
{
    d->day_s = (int64_t)cursor_u64(c);
    d->score.value = get_double(c);
    d->score.budget = get_double(c);
    uint8_t bits = cursor_u8(c);
    d->score.raised = bits & 1;
    d->score.learning = bits >> 1 & 1;
    d->score.unusual = bits >> 2 & 1;
    d->score.host_days = cursor_u32(c);
    uint64_t n = cursor_varint(c);
    if (n > SCORE_PARTS_MAX)
        c->err = c->err ? c->err : WEIR_CORRUPT;
    for (uint64_t i = 0; i < n && !c->err; i++)
        get_part(c, a, &d->score.part[i]);
    d->score.n = c->err ? 0 : n;
    for (unsigned h = 0; h < 24; h++)
        d->hour_bytes[h] = cursor_varint(c);
    d->gap_hours = cursor_u32(c);
    d->band = version > VERSION_WITHOUT_BAND && cursor_u8(c) != 0;
    for (unsigned h = 0; d->band && h < 24; h++) {
        d->usual[h] = cursor_varint(c);
        d->high[h] = cursor_varint(c);
    }
    d->peers_more = cursor_varint(c);
    d->bytes_more = cursor_varint(c);
    d->bytes_unplaced = cursor_varint(c);
    uint64_t peers = cursor_varint(c);
    d->peer = c->err || peers > cursor_left(c) ? NULL : arena_alloc(a, (peers + 1) * sizeof *d->peer);
    if (!d->peer)
        c->err = c->err ? c->err : WEIR_CORRUPT;
    for (uint64_t i = 0; i < peers && !c->err; i++)
        get_peer(c, version, a, &d->peer[i]);
    d->peers = c->err ? 0 : peers;
}

enum weir_err dossier_put(struct store *s, const struct dossier *d, struct fault *fault)
{
    char id[17];
    struct buffer b;
    store_id(d->host_id, id);
    buffer_init(&b, STORE_VALUE_MAX);
    size_t begin = blob_begin(&b, 'c', VERSION);
    buffer_u64(&b, d->host_id);
    buffer_u64(&b, d->host.hi);
    buffer_u64(&b, d->host.lo);
    buffer_string(&b, d->account);
    buffer_string(&b, d->interface);
    buffer_string(&b, d->vpc);
    buffer_string(&b, d->region);
    buffer_string(&b, (struct slice){(const char *)d->history, d->history_n});
    buffer_u8(&b, d->closed);
    buffer_varint(&b, d->days);
    for (size_t i = 0; i < d->days; i++)
        put_day(&b, d->day[i]);
    blob_end(&b, begin);
    enum weir_err err = b.err ? fault_set(fault, b.err, "the evidence of a finding is too large to store") : store_put(s, 'c', id, (struct slice){b.p, b.n}, fault);
    buffer_fini(&b);
    return err;
}

static enum weir_err read_dossier(struct cursor *c, uint8_t version, struct dossier *d)
{
    d->host_id = cursor_u64(c);
    d->host.hi = cursor_u64(c);
    d->host.lo = cursor_u64(c);
    d->account = arena_slice(d->arena, cursor_string(c, TEXT_MAX));
    d->interface = arena_slice(d->arena, cursor_string(c, TEXT_MAX));
    d->vpc = arena_slice(d->arena, cursor_string(c, TEXT_MAX));
    d->region = arena_slice(d->arena, cursor_string(c, TEXT_MAX));
    struct slice history = cursor_string(c, BASELINE_RING);
    if (history.n)
        memcpy(d->history, history.p, history.n);
    d->history_n = history.n;
    d->closed = cursor_u8(c) != 0;
    uint64_t days = cursor_varint(c);
    if (c->err || days > DOSSIER_DAYS_MAX)
        return WEIR_CORRUPT;
    for (d->days = 0; d->days < days && !c->err; d->days++) {
        d->day[d->days] = arena_alloc(d->arena, sizeof **d->day);
        if (!d->day[d->days])
            return WEIR_NOMEM;
        get_day(c, version, d->arena, d->day[d->days]);
    }
    return c->err || cursor_left(c) ? WEIR_CORRUPT : WEIR_OK;
}

enum weir_err dossier_get(struct store *s, uint64_t host_id, struct dossier *out, struct fault *fault)
{
    char id[17];
    struct buffer b;
    struct cursor c;
    uint8_t version;
    store_id(host_id, id);
    buffer_init(&b, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, 'c', id, &b, fault);
    if (!err && ((err = blob_open((struct slice){b.p, b.n}, 'c', VERSION, &version, &c)) || (err = read_dossier(&c, version, out))))
        fault_set(fault, err, "store value 'c:%s': %s", id, weir_err_text(err));
    buffer_fini(&b);
    return err;
}

/* ---- the facts of all days together ---- */

/* Peers of all days, one entry each; the first day tells whether the peer was known. */
static struct evidence_peer *join_peers(const struct dossier *d, struct arena *a, size_t *n)
{
    size_t all = 0;
    for (size_t i = 0; i < d->days; i++)
        all += d->day[i]->peers;
    struct evidence_peer *peer = arena_alloc(a, (all + 1) * sizeof *peer);
    if (!peer)
        return NULL;
    *n = 0;
    for (size_t i = 0; i < d->days; i++)
        for (size_t k = 0; k < d->day[i]->peers; k++)
            peer[(*n)++] = d->day[i]->peer[k];
    qsort(peer, *n, sizeof *peer, by_address);
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        if (kept && ip_eq(peer[kept - 1].peer, peer[i].peer)) {
            if (!join_peer(a, &peer[kept - 1], &peer[i]))
                return NULL;
        } else {
            peer[kept++] = peer[i];
        }
    }
    *n = kept;
    qsort(peer, kept, sizeof *peer, by_bytes);
    return peer;
}

/* What has no place or no line of its own is claimed all the same. */
static uint64_t day_bytes(const struct dossier_day *x)
{
    uint64_t bytes = sat_add(x->bytes_more, x->bytes_unplaced);
    for (size_t i = 0; i < x->peers; i++)
        bytes = sat_add(bytes, x->peer[i].bytes);
    return bytes;
}

enum weir_err dossier_finding(const struct dossier *d, bool open, const struct inventory_host *who, bool sensitive, const char *config_hash, char uid[FINDING_UID_MAX],
                              struct buffer *json)
{
    struct finding_facts f = {.account = d->account, .region = d->region, .interface = d->interface, .vpc = d->vpc, .host = d->host,
                              .instance = who->instance, .name = who->name, .role = who->role, .subnet = who->subnet,
                              .sensitive = sensitive, .history = d->history, .history_n = d->history_n, .closed = d->closed, .more = open,
                              .model = score_model_version(&score_model_default)};
    struct finding_day day[DOSSIER_DAYS_MAX];
    struct arena *a = arena_new(0);
    if (!a)
        return WEIR_NOMEM;
    snprintf(f.config_hash, sizeof f.config_hash, "%s", config_hash);
    for (size_t i = 0; i < d->days; i++) {
        const struct dossier_day *x = d->day[i];
        day[i] = (struct finding_day){x->day_s, &x->score, x->hour_bytes, x->gap_hours, x->band ? x->usual : NULL, x->band ? x->high : NULL, day_bytes(x)};
        f.peers_more += x->peers_more;
        f.bytes_more = sat_add(f.bytes_more, x->bytes_more);
        f.bytes_unplaced = sat_add(f.bytes_unplaced, x->bytes_unplaced);
    }
    f.day = day;
    f.days = d->days;
    struct evidence_peer *peer = join_peers(d, a, &f.peers);
    f.peer = peer;
    finding_uid(&f, uid);
    enum weir_err err = peer ? finding_encode(&f, d->closed ? 3 : 1, json) : WEIR_NOMEM;
    arena_free(a);
    return err;
}
