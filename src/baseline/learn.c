/* SPDX-License-Identifier: Apache-2.0 */
/* Learning: one closed day into the baseline of its host. */
#include <stdlib.h>
#include <string.h>

#include "baseline/profile.h"

#define FAMILIAR_DAYS 5
#define FAMILIAR_DAYS_SHORT 2
#define FAMILIAR_AGE 10
#define LEARN_MIN_BYTES 65536 /* groups that others open (scanners, clients) are kept only from here */

void baseline_init(struct baseline *b, uint64_t host_id, struct ip host)
{
    memset(b, 0, sizeof *b);
    b->host_id = host_id;
    b->host = host;
}

/* Where the group stands or would stand. */
static size_t group_place(const struct baseline *b, uint64_t group)
{
    size_t low = 0, high = b->groups;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (b->group[mid].group < group)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct baseline_group *baseline_find(const struct baseline *b, uint64_t group)
{
    size_t at = group_place(b, group);
    return at < b->groups && b->group[at].group == group ? &b->group[at] : NULL;
}

bool baseline_familiar(const struct baseline *b, uint64_t group, uint16_t today)
{
    const struct baseline_group *g = baseline_find(b, group);
    if (!g)
        return false;
    if (g->days >= FAMILIAR_DAYS || g->first_day < b->first_day + BASELINE_INITIAL_DAYS)
        return true;
    return g->days >= FAMILIAR_DAYS_SHORT && today - g->first_day >= FAMILIAR_AGE;
}

/* ---- quarantine ---- */

bool baseline_quarantined(const struct baseline *b, uint64_t group, uint16_t today)
{
    for (unsigned i = 0; i < b->flags; i++)
        if (b->flag[i].group == group)
            return today - b->flag[i].day < QUARANTINE_DAYS;
    return false;
}

static void flag_drop(struct baseline *b, unsigned i)
{
    memmove(&b->flag[i], &b->flag[i + 1], (b->flags - i - 1u) * sizeof *b->flag);
    b->flags--;
}

static void flag_add(struct baseline *b, struct baseline_flag flag)
{
    unsigned at = 0, oldest = 0;
    for (unsigned i = 0; i < b->flags; i++)
        if (b->flag[i].group == flag.group) {
            flag.day = b->flag[i].day == BASELINE_FOR_EVER ? BASELINE_FOR_EVER : flag.day;
            b->flag[i] = flag;
            return;
        }
    for (unsigned i = 1; b->flags == BASELINE_FLAGS && i < b->flags; i++)
        oldest = b->flag[i].day < b->flag[oldest].day ? i : oldest;
    if (b->flags == BASELINE_FLAGS)
        flag_drop(b, oldest);
    while (at < b->flags && b->flag[at].group < flag.group)
        at++;
    memmove(&b->flag[at + 1], &b->flag[at], (b->flags - at) * sizeof *b->flag);
    b->flag[at] = flag;
    b->flags++;
}

/* ---- groups ---- */

/* Bytes of one network on this day: its groups stand side by side but for the country. */
struct sum {
    uint64_t group, bytes;
    uint32_t hours;
    uint8_t value; /* for the ring */
};

static bool worth_learning(uint64_t group, uint64_t bytes)
{
    enum group_kind kind = group_kind(group);
    if (bytes == 0 || kind >= GROUP_REST)
        return false;
    return kind == GROUP_INITIATED || kind == GROUP_INTERNAL_INITIATED || bytes >= LEARN_MIN_BYTES;
}

static uint32_t hours_of(const struct host_group *g)
{
    uint32_t bits = 0;
    for (unsigned h = 0; h < 24; h++)
        bits |= (uint32_t)(g->hour[h] > 0) << h;
    return bits;
}

static int by_group(const void *a, const void *b)
{
    uint64_t x = ((const struct sum *)a)->group, y = ((const struct sum *)b)->group;
    return (x > y) - (x < y);
}

static size_t sum_networks(const struct host_day *d, struct sum *out)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < d->groups; i++)
        if (group_kind(d->group[i].group) < GROUP_REST)
            out[n++] = (struct sum){group_network(d->group[i].group), d->group[i].bytes_out, hours_of(&d->group[i]), 0};
    qsort(out, n, sizeof *out, by_group);
    for (size_t i = 0; i < n; i++) {
        if (kept && out[kept - 1].group == out[i].group) {
            out[kept - 1].bytes = sat_add(out[kept - 1].bytes, out[i].bytes);
            out[kept - 1].hours |= out[i].hours;
        } else {
            out[kept++] = out[i];
        }
    }
    for (size_t i = 0; i < kept; i++)
        out[i].value = lg_round(out[i].bytes);
    return kept;
}

/* Who goes when the table is full: the one unseen longest; among equals the one whose last day was smallest, then the
 * smallest key, so that the choice is a function of what is known and not of the order. */
static bool goes_before(const struct baseline_group *a, const struct baseline_group *b)
{
    if (a->last_day != b->last_day)
        return a->last_day < b->last_day;
    uint8_t x = a->ring.v[a->ring.n - 1], y = b->ring.v[b->ring.n - 1];
    return x != y ? x < y : a->group < b->group;
}

static bool is_client(uint64_t group)
{
    enum group_kind kind = group_kind(group);
    return kind == GROUP_SERVED || kind == GROUP_UNKNOWN;
}

/* Clients of a server come and go in numbers: they have a share of the table, so that they never push out where the host itself goes. */
static size_t victim(const struct baseline *b, uint64_t fresh)
{
    size_t clients = 0, worst = b->groups;
    for (size_t i = 0; i < b->groups; i++)
        clients += is_client(b->group[i].group);
    bool among_clients = clients > BASELINE_CLIENTS || (clients == BASELINE_CLIENTS && is_client(fresh));
    for (size_t i = 0; i < b->groups; i++)
        if (is_client(b->group[i].group) == among_clients && (worst == b->groups || goes_before(&b->group[i], &b->group[worst])))
            worst = i;
    return worst < b->groups ? worst : 0;
}

static void group_insert(struct baseline *b, const struct sum *g, uint16_t today)
{
    struct baseline_group fresh = {.group = g->group, .first_day = today, .last_day = today, .days = 1, .born = b->days,
                                   .hours = g->hours, .total = g->bytes};
    ring_push(&fresh.ring, g->value);
    size_t clients = 0;
    for (size_t i = 0; i < b->groups; i++)
        clients += is_client(b->group[i].group);
    if (b->groups == BASELINE_GROUPS || (is_client(g->group) && clients == BASELINE_CLIENTS)) {
        size_t out = victim(b, g->group);
        b->evicted = sat_add32(b->evicted, 1);
        if (is_client(g->group) == is_client(b->group[out].group) && goes_before(&fresh, &b->group[out]))
            return;
        memmove(&b->group[out], &b->group[out + 1], (b->groups - out - 1) * sizeof *b->group);
        b->groups--;
    }
    size_t at = group_place(b, g->group);
    memmove(&b->group[at + 1], &b->group[at], (b->groups - at) * sizeof *b->group);
    b->group[at] = fresh;
    b->groups++;
}

/* A day with holes must not teach a low value. */
static void learn_value(struct ring *r, uint8_t v, bool gaps)
{
    if (!gaps || v >= ring_rank(r, r->n / 2))
        ring_push(r, v);
}

static void group_update(struct baseline_group *known, const struct sum *g, uint16_t today, bool gaps)
{
    known->last_day = known->last_day > today ? known->last_day : today;
    known->days = known->days == UINT16_MAX ? UINT16_MAX : (uint16_t)(known->days + 1);
    known->hours = g->hours;
    known->total = sat_add(known->total, g->bytes);
    learn_value(&known->ring, g->value, gaps);
}

/* Raised today, though there was no room for its flag, or in quarantine. */
static bool kept_out(const struct baseline *b, const struct baseline_lesson *l, uint64_t group, uint16_t today)
{
    size_t low = 0, high = l->flagged_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (l->flagged[mid].group < group)
            low = mid + 1;
        else
            high = mid;
    }
    return (low < l->flagged_n && l->flagged[low].group == group) || baseline_quarantined(b, group, today);
}

/* That it was called is no amount: a beacon that was raised goes on, and is one finding. */
static void group_called(struct baseline_group *known, const struct sum *g, uint16_t today)
{
    known->hours = g->hours;
    known->last_day = today;
}

/* Known groups first: a new one must not push out a group that was seen today as well. Takes the sums apart. */
static void learn_groups(struct baseline *b, const struct baseline_lesson *l, struct sum *sum, size_t n, uint16_t today)
{
    bool gaps = l->day->gap_hours != 0;
    size_t fresh = 0;
    for (size_t i = 0; i < n; i++) {
        if (!worth_learning(sum[i].group, sum[i].bytes))
            continue;
        size_t at = group_place(b, sum[i].group);
        bool known = at < b->groups && b->group[at].group == sum[i].group, out = kept_out(b, l, sum[i].group, today);
        if (known && out)
            group_called(&b->group[at], &sum[i], today);
        else if (known)
            group_update(&b->group[at], &sum[i], today, gaps);
        else if (!out)
            sum[fresh++] = sum[i];
    }
    for (size_t i = 0; i < fresh; i++)
        group_insert(b, &sum[i], today);
}

/* ---- subnets and countries, as the groups tell ---- */

uint64_t group_subnet(uint64_t group)
{
    enum group_kind kind = group_kind(group);
    if (kind != GROUP_INTERNAL_INITIATED && kind != GROUP_INTERNAL_OTHER)
        return 0;
    uint64_t key = (group & ~((15ULL << 60))) | (uint64_t)GROUP_INTERNAL_OTHER << 60;
    return (group >> 52 & 15) == 4 ? key & ~255ULL : key;
}

bool baseline_knows_country(const struct baseline *b, uint16_t country)
{
    for (unsigned i = 0; i < b->countries; i++)
        if (b->country[i].country == country)
            return true;
    return false;
}

static void country_seen(struct baseline *b, uint16_t country, uint16_t today)
{
    unsigned at = 0, oldest = 0;
    while (at < b->countries && b->country[at].country < country)
        at++;
    if (at < b->countries && b->country[at].country == country) {
        b->country[at].last_day = today;
        return;
    }
    if (b->countries == BASELINE_COUNTRIES) {
        for (unsigned i = 1; i < b->countries; i++)
            oldest = b->country[i].last_day < b->country[oldest].last_day ? i : oldest;
        memmove(&b->country[oldest], &b->country[oldest + 1], (b->countries - oldest - 1u) * sizeof *b->country);
        b->countries--;
        at -= at > oldest;
    }
    memmove(&b->country[at + 1], &b->country[at], (b->countries - at) * sizeof *b->country);
    b->country[at] = (struct baseline_country){country, today};
    b->countries++;
}

static void learn_countries(struct baseline *b, const struct baseline_lesson *l, uint16_t today)
{
    for (size_t i = 0; i < l->day->groups; i++) {
        const struct host_group *g = &l->day->group[i];
        if (group_kind(g->group) == GROUP_INITIATED && group_country(g->group) && !kept_out(b, l, group_network(g->group), today))
            country_seen(b, group_country(g->group), today);
    }
}

bool baseline_knows_subnet(const struct baseline *b, uint64_t subnet)
{
    for (unsigned i = 0; i < b->groups; i++)
        if (group_subnet(b->group[i].group) == subnet)
            return true;
    return false;
}

/* ---- changes: what the class counts, before and after ---- */

static void key_add(uint64_t *key, size_t *n, uint64_t k)
{
    size_t at = *n;
    while (at > 0 && key[at - 1] > k)
        at--;
    if (at > 0 && key[at - 1] == k)
        return;
    memmove(&key[at + 1], &key[at], (*n - at) * sizeof *key);
    key[at] = k;
    (*n)++;
}

/* Initiated groups, subnets of ours and countries, ascending, each once. */
static size_t known_keys(const struct baseline *b, uint64_t key[BASELINE_KEYS])
{
    size_t n = 0;
    for (unsigned i = 0; i < b->countries; i++)
        key_add(key, &n, country_key(b->country[i].country));
    for (unsigned i = 0; i < b->groups; i++) {
        enum group_kind kind = group_kind(b->group[i].group);
        if (kind == GROUP_INITIATED)
            key_add(key, &n, b->group[i].group);
        else if (kind == GROUP_INTERNAL_INITIATED || kind == GROUP_INTERNAL_OTHER)
            key_add(key, &n, group_subnet(b->group[i].group));
    }
    return n;
}

static void compare_keys(const uint64_t *old, size_t old_n, const uint64_t *now, size_t now_n, struct baseline_changes *out)
{
    size_t i = 0, k = 0;
    while (i < old_n || k < now_n) {
        if (k == now_n || (i < old_n && old[i] < now[k]))
            out->removed[out->removed_n++] = old[i++];
        else if (i == old_n || now[k] < old[i])
            out->added[out->added_n++] = now[k++];
        else
            i++, k++;
    }
}

void baseline_release(struct baseline *b, uint16_t today, struct baseline_changes *out)
{
    uint64_t old[BASELINE_KEYS], now[BASELINE_KEYS];
    size_t old_n = known_keys(b, old);
    for (unsigned i = 0; i < b->flags;) {
        struct baseline_flag flag = b->flag[i];
        if (today - flag.day < QUARANTINE_DAYS) {
            i++;
            continue;
        }
        flag_drop(b, i);
        size_t at = group_place(b, flag.group);
        bool known = at < b->groups && b->group[at].group == flag.group;
        struct sum sum = {flag.group, lg_to_bytes(lg_unround(flag.value)), known ? b->group[at].hours : 0, flag.value};
        if (known)
            group_update(&b->group[at], &sum, flag.day, false);
        else
            group_insert(b, &sum, flag.day);
    }
    out->added_n = out->removed_n = 0;
    compare_keys(old, old_n, now, known_keys(b, now), out);
}

/* ---- what a person says ---- */

void baseline_compare(const struct baseline *before, const struct baseline *after, struct baseline_changes *out)
{
    uint64_t old[BASELINE_KEYS], now[BASELINE_KEYS];
    size_t old_n = known_keys(before, old);
    out->added_n = out->removed_n = 0;
    compare_keys(old, old_n, now, known_keys(after, now), out);
}

static void confirm_group(struct baseline *b, uint64_t group, uint8_t value, uint16_t day, uint16_t today)
{
    for (unsigned i = 0; i < b->flags; i++)
        if (b->flag[i].group == group) {
            flag_drop(b, i);
            break;
        }
    struct sum sum = {group, lg_to_bytes(lg_unround(value)), 0, value};
    size_t at = group_place(b, group);
    if (at == b->groups || b->group[at].group != group) {
        group_insert(b, &sum, today);
        at = group_place(b, group);
        if (at == b->groups || b->group[at].group != group)
            return; /* no room */
        b->group[at].last_day = day;
    } else {
        group_update(&b->group[at], &sum, day, false);
    }
    ring_push(&b->group[at].ring, value);
    b->group[at].first_day = b->first_day < b->group[at].first_day ? b->first_day : b->group[at].first_day;
    b->group[at].born = 0;
    b->group[at].days = b->group[at].days < FAMILIAR_DAYS ? FAMILIAR_DAYS : b->group[at].days;
}

void baseline_confirm(struct baseline *b, const struct baseline_held *held, uint16_t today)
{
    struct host_day day = {.day_s = (int64_t)held->day * DAY_S, .gap_hours = held->gap_hours};
    uint64_t all = 0, most = 0;
    for (unsigned h = 0; h < 24; h++) {
        day.hour_out[h] = held->hour_out[h];
        all = sat_add(all, held->hour_out[h]);
        most = held->hour_out[h] > most ? held->hour_out[h] : most;
    }
    for (size_t i = 0; i < held->groups; i++)
        confirm_group(b, held->group[i].group, held->group[i].value, held->day, today);
    for (unsigned twice = 0; held->hours && twice < 2; twice++) {
        profile_learn(&b->profile, &day, held->day);
        ring_push(&b->feature[FEATURE_HOUR_MAX], lg_round(most));
    }
    if (held->creep && lg_round(all) > b->anchor)
        b->anchor = lg_round(all);
}

#define TENTH 27 /* 1/8 octaves */

void baseline_refuse(struct baseline *b, const struct baseline_held *held, uint16_t first_day)
{
    for (size_t i = 0; i < held->groups; i++) {
        uint64_t group = held->group[i].group;
        size_t at = group_place(b, group);
        bool known = at < b->groups && b->group[at].group == group, older = known && b->group[at].first_day < first_day;
        if (older && held->group[i].value + TENTH < held->group[0].value)
            continue; /* used before, and it got little of what was sent */
        flag_add(b, (struct baseline_flag){group, BASELINE_FOR_EVER, held->group[i].value});
        if (!known || older)
            continue;
        memmove(&b->group[at], &b->group[at + 1], (b->groups - at - 1) * sizeof *b->group);
        b->groups--;
    }
}

void baseline_reprieve(struct baseline *b, const uint64_t *kept, size_t n, uint16_t today)
{
    for (unsigned i = 0; i < b->flags; i++) {
        bool stays = b->flag[i].day != BASELINE_FOR_EVER;
        for (size_t k = 0; k < n && !stays; k++)
            stays = kept[k] == b->flag[i].group;
        b->flag[i].day = stays ? b->flag[i].day : today;
    }
}

void baseline_forget(struct baseline *b, struct baseline_changes *out)
{
    out->added_n = 0;
    out->removed_n = known_keys(b, out->removed);
    baseline_init(b, b->host_id, b->host);
}

#define ANCHOR_DAYS 14 /* it moves by 1/8 octave in so many learned days */

/* In the first four weeks the anchor is what is usual; then it follows slowly, whatever was raised. */
static void move_anchor(struct baseline *b)
{
    uint8_t usual = ring_rank(&b->feature[FEATURE_DAY_EXTERNAL], b->feature[FEATURE_DAY_EXTERNAL].n >= BASELINE_RING / 2);
    if (b->days < BASELINE_RING) {
        b->anchor = usual;
    } else if (usual == b->anchor) {
        b->anchor_days = 0;
    } else if (++b->anchor_days >= ANCHOR_DAYS) {
        b->anchor = (uint8_t)(usual > b->anchor ? b->anchor + 1 : b->anchor - 1);
        b->anchor_days = 0;
    }
}

static void learn_features(struct baseline *b, const struct baseline_lesson *l, uint16_t today)
{
    for (unsigned f = 0; f < FEATURE_COUNT; f++)
        if (l->features >> f & 1)
            learn_value(&b->feature[f], l->feature[f], l->day->gap_hours != 0);
    if (l->hours)
        profile_learn(&b->profile, l->day, today);
    move_anchor(b);
}

enum weir_err baseline_learn(struct baseline *b, const struct baseline_lesson *l, struct baseline_changes *out)
{
    uint16_t today = (uint16_t)(l->day->day_s / DAY_S);
    uint64_t old[BASELINE_KEYS], now[BASELINE_KEYS];
    out->added_n = out->removed_n = 0;
    if (b->days && today <= b->last_day)
        return WEIR_OK;
    struct sum *sum = malloc((l->day->groups + 1) * sizeof *sum);
    if (!sum)
        return WEIR_NOMEM;
    size_t old_n = known_keys(b, old);
    b->first_day = b->days ? b->first_day : today;
    learn_features(b, l, today);
    for (size_t i = 0; i < l->flagged_n; i++)
        flag_add(b, l->flagged[i]);
    learn_groups(b, l, sum, sum_networks(l->day, sum), today);
    free(sum);
    learn_countries(b, l, today);
    b->last_day = today;
    b->days = b->days == UINT16_MAX ? UINT16_MAX : (uint16_t)(b->days + 1);
    size_t now_n = known_keys(b, now);
    if (b->class_id == l->class_id) {
        compare_keys(old, old_n, now, now_n, out);
    } else {
        compare_keys(old, old_n, now, 0, out);
        compare_keys(old, 0, now, now_n, out);
    }
    b->class_id = l->class_id;
    return WEIR_OK;
}
