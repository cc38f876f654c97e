/* SPDX-License-Identifier: Apache-2.0 */
/* Things by id in one open table, all text in one arena, addresses sorted. Sized for a million interfaces. */
#include "app/inventory_build.h"

#include <stdlib.h>
#include <string.h>

#define THINGS_MAX (1u << 22)
#define RANGES_MAX (1u << 23)
#define TEXT_MAX ((size_t)1 << 31)
#define NONE UINT32_MAX

struct thing {
    struct slice id, field[THING_FIELDS];
    uint8_t kind;
};

struct held { /* a range that a thing holds */
    struct ip first, last;
    uint32_t thing;
};

struct inventory {
    const char *role_tag;
    struct arena *text;
    struct thing *thing; size_t things, things_cap;
    uint32_t *head; size_t heads; /* by kind and id; index + 1 */
    struct held *address; size_t addresses, addresses_cap;
    struct held *network; size_t networks, networks_cap;
    uint64_t files;
};

struct inventory *inventory_new(const char *role_tag)
{
    struct inventory *inv = calloc(1, sizeof *inv);
    if (!inv)
        return NULL;
    inv->text = arena_new(TEXT_MAX);
    inv->heads = 1024;
    inv->head = calloc(inv->heads, sizeof *inv->head);
    char *tag = inv->text ? arena_alloc(inv->text, strlen(role_tag) + 1) : NULL;
    if (!inv->head || !tag) {
        inventory_free(inv);
        return NULL;
    }
    memcpy(tag, role_tag, strlen(role_tag));
    inv->role_tag = tag;
    return inv;
}

void inventory_free(struct inventory *inv)
{
    if (!inv)
        return;
    arena_free(inv->text);
    free(inv->thing);
    free(inv->head);
    free(inv->address);
    free(inv->network);
    free(inv);
}

const char *inventory_role_tag(const struct inventory *inv) { return inv->role_tag; }

const char *thing_field_word(enum thing_field field)
{
    static const char *const words[THING_FIELDS] = {"account", "VPC", "subnet", "instance", "name", "role"};
    return words[field];
}

/* ---- building ---- */

static size_t place_of(const struct inventory *inv, enum thing_kind kind, struct slice id)
{
    size_t at = (hash_bytes(id.p, id.n) + kind) & (inv->heads - 1);
    for (; inv->head[at]; at = (at + 1) & (inv->heads - 1)) {
        const struct thing *t = &inv->thing[inv->head[at] - 1];
        if (t->kind == kind && slice_eq(t->id, id))
            break;
    }
    return at;
}

static uint32_t find_thing(const struct inventory *inv, enum thing_kind kind, struct slice id)
{
    uint32_t found = id.n ? inv->head[place_of(inv, kind, id)] : 0;
    return found ? found - 1 : NONE;
}

static bool grow_heads(struct inventory *inv)
{
    uint32_t *old = inv->head, *head = calloc(inv->heads * 2, sizeof *head);
    if (!head)
        return false;
    inv->head = head;
    inv->heads *= 2;
    for (size_t i = 0; i < inv->things; i++)
        if (inv->thing[i].id.n)
            head[place_of(inv, inv->thing[i].kind, inv->thing[i].id)] = (uint32_t)i + 1;
    free(old);
    return true;
}

/* Room for one more of an array that doubles. */
static bool grow(void **array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    size_t wanted = *cap ? *cap * 2 : 64;
    void *grown = realloc(*array, wanted * size);
    if (!grown)
        return false;
    *array = grown;
    *cap = wanted;
    return true;
}

enum weir_err inventory_thing(struct inventory *inv, enum thing_kind kind, struct slice id, uint32_t *out)
{
    *out = find_thing(inv, kind, id);
    if (*out != NONE)
        return WEIR_OK;
    if (id.n > INVENTORY_TEXT_MAX)
        return WEIR_RANGE;
    if (inv->things == THINGS_MAX)
        return WEIR_LIMIT;
    if (!grow((void **)&inv->thing, inv->things, &inv->things_cap, sizeof *inv->thing) || (inv->things * 2 >= inv->heads && !grow_heads(inv)))
        return WEIR_NOMEM;
    struct slice copy = id.n ? arena_slice(inv->text, id) : (struct slice){"", 0};
    if (!copy.p)
        return WEIR_NOMEM;
    *out = (uint32_t)inv->things;
    inv->thing[inv->things++] = (struct thing){.id = copy, .kind = (uint8_t)kind};
    if (id.n)
        inv->head[place_of(inv, kind, copy)] = *out + 1;
    return WEIR_OK;
}

enum weir_err inventory_set(struct inventory *inv, uint32_t thing, enum thing_field field, struct slice text)
{
    struct slice *told = &inv->thing[thing].field[field];
    if (!text.n || slice_eq(*told, text))
        return WEIR_OK;
    if (told->n)
        return WEIR_EXISTS;
    if (text.n > INVENTORY_TEXT_MAX)
        return WEIR_RANGE;
    *told = arena_slice(inv->text, text);
    return told->p ? WEIR_OK : WEIR_NOMEM;
}

enum weir_err inventory_add_range(struct inventory *inv, uint32_t thing, struct ip first, struct ip last)
{
    bool network = inv->thing[thing].kind == THING_SUBNET;
    struct held **v = network ? &inv->network : &inv->address;
    size_t *n = network ? &inv->networks : &inv->addresses, *cap = network ? &inv->networks_cap : &inv->addresses_cap;
    if (*n == RANGES_MAX)
        return WEIR_LIMIT;
    if (!grow((void **)v, *n, cap, sizeof **v))
        return WEIR_NOMEM;
    (*v)[(*n)++] = (struct held){first, last, thing};
    return WEIR_OK;
}

static int by_address(const void *a, const void *b)
{
    const struct held *x = a, *y = b;
    int order = ip_cmp(x->first, y->first);
    return order ? order : (x->thing > y->thing) - (x->thing < y->thing);
}

static int by_vpc(const void *a, const void *b, void *inventory)
{
    const struct inventory *inv = inventory;
    const struct held *x = a, *y = b;
    int order = slice_cmp(inv->thing[x->thing].field[THING_VPC], inv->thing[y->thing].field[THING_VPC]);
    order = order ? order : ip_cmp(x->first, y->first);
    return order ? order : slice_cmp(inv->thing[x->thing].id, inv->thing[y->thing].id);
}

void inventory_finish(struct inventory *inv)
{
    if (inv->addresses)
        qsort(inv->address, inv->addresses, sizeof *inv->address, by_address);
    if (inv->networks)
        qsort_r(inv->network, inv->networks, sizeof *inv->network, by_vpc, inv);
}

enum weir_err inventory_add(struct inventory *inv, struct slice text, const char *name, struct fault *fault)
{
    struct slice head = text;
    while (head.n && (*head.p == ' ' || *head.p == '\n' || *head.p == '\r' || *head.p == '\t'))
        head = (struct slice){head.p + 1, head.n - 1};
    inv->files++;
    if (head.n && (*head.p == '{' || *head.p == '['))
        return inventory_add_json(inv, text, name, fault);
    return inventory_add_csv(inv, text, name, fault);
}

/* ---- looking up ---- */

/* The one interface that has the address, in that VPC if one is given; NONE if there are several. */
static uint32_t holder(const struct inventory *inv, struct slice vpc, struct ip a)
{
    size_t low = 0, high = inv->addresses;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (ip_cmp(inv->address[mid].first, a) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    uint32_t found = NONE;
    for (; low < inv->addresses && ip_eq(inv->address[low].first, a); low++) {
        uint32_t thing = inv->address[low].thing;
        struct slice in = inv->thing[thing].field[THING_VPC];
        if (thing == found || (vpc.n && in.n && !slice_eq(in, vpc)))
            continue;
        if (found != NONE)
            return NONE;
        found = thing;
    }
    return found;
}

/* The subnet of that VPC that holds the address; those of one VPC do not overlap. */
static uint32_t subnet_of(const struct inventory *inv, struct slice vpc, struct ip a)
{
    size_t low = 0, high = inv->networks;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = slice_cmp(inv->thing[inv->network[mid].thing].field[THING_VPC], vpc);
        if ((order ? order : ip_cmp(inv->network[mid].first, a)) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    const struct held *h = low ? &inv->network[low - 1] : NULL;
    bool holds = h && slice_eq(inv->thing[h->thing].field[THING_VPC], vpc) && ip_is_v4(h->first) == ip_is_v4(a) && ip_cmp(a, h->last) <= 0;
    return holds ? h->thing : NONE;
}

static struct slice field_of(const struct inventory *inv, uint32_t thing, enum thing_field field)
{
    return thing == NONE || !inv->thing[thing].field[field].n ? (struct slice){"", 0} : inv->thing[thing].field[field];
}

static struct slice either(struct slice a, struct slice b) { return a.n ? a : b; }

/* Everything about the interface `known` (NONE: not listed); whether its subnet is known. */
static bool describe(const struct inventory *inv, uint32_t known, struct slice vpc, struct ip host, struct inventory_host *out)
{
    out->vpc = either(field_of(inv, known, THING_VPC), vpc);
    out->account = field_of(inv, known, THING_ACCOUNT);
    out->instance = field_of(inv, known, THING_THING_INSTANCE);
    uint32_t instance = find_thing(inv, THING_INSTANCE, out->instance);
    out->name = either(field_of(inv, known, THING_NAME), field_of(inv, instance, THING_NAME));
    out->role = either(field_of(inv, known, THING_ROLE), field_of(inv, instance, THING_ROLE));
    out->subnet = field_of(inv, known, THING_THING_SUBNET);
    uint32_t subnet = out->subnet.n ? find_thing(inv, THING_SUBNET, out->subnet) : subnet_of(inv, out->vpc, host);
    if (subnet != NONE)
        out->subnet = inv->thing[subnet].id;
    out->subnet_name = field_of(inv, subnet, THING_NAME);
    return subnet != NONE;
}

bool inventory_find(const struct inventory *inv, struct slice interface, struct slice vpc, struct ip host, struct inventory_host *out)
{
    struct slice nothing = {"", 0};
    *out = (struct inventory_host){nothing, nothing, nothing, nothing, nothing, nothing, nothing};
    if (!inv)
        return false;
    uint32_t known = find_thing(inv, THING_INTERFACE, interface);
    if (known == NONE)
        known = holder(inv, vpc, host);
    return describe(inv, known, vpc, host, out) || known != NONE;
}

struct slice inventory_class(const struct inventory *inv, struct slice interface, struct slice vpc, struct ip host)
{
    struct inventory_host h;
    inventory_find(inv, interface, vpc, host, &h);
    return either(h.role, h.subnet);
}

struct inventory_counts inventory_counts(const struct inventory *inv)
{
    struct inventory_counts c = {.files = inv->files, .addresses = inv->addresses};
    for (uint32_t i = 0; i < inv->things; i++) {
        struct inventory_host h;
        c.instances += inv->thing[i].kind == THING_INSTANCE;
        c.subnets += inv->thing[i].kind == THING_SUBNET;
        if (inv->thing[i].kind != THING_INTERFACE)
            continue;
        c.interfaces++;
        describe(inv, i, (struct slice){"", 0}, (struct ip){0, 0}, &h);
        c.with_role += h.role.n > 0;
        c.with_subnet += h.subnet.n > 0;
    }
    return c;
}
