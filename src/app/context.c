/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the operator, laid over each other once, so that a record costs one look-up however many there are. */
#include "app/context.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/address_list.h"
#include "app/aws_ranges.h"
#include "app/geo.h"

#define PROVIDERS_MAX (1u << 22)
#define AMAZON_ASN 16509

struct context {
    struct data_about about[CONTEXT_PARTS];
    struct ip_map *asn, *asn_country, *country, *trusted, *threat; /* asn_country: what the file of systems says of countries */
    struct as_names *names;
    struct aws_ranges *aws;
    struct inventory *inventory;
    struct ip_map *all;
    struct flow_provider *provider; size_t providers, providers_cap;
    uint32_t *head; size_t heads; /* of provider[], open addressing, to find equal ones */
    bool failed;                  /* one of them found no place */
    struct flow_providers sealed;
};

/* ---- reading ---- */

static enum weir_err read_asn(struct context *x, const struct config *c, struct fault *fault)
{
    x->asn = ip_map_new(GEO_RANGES_MAX);
    x->asn_country = ip_map_new(GEO_RANGES_MAX);
    x->names = as_names_new();
    if (!x->asn || !x->asn_country || !x->names)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    struct geo_into into = {x->asn, x->asn_country, x->names};
    enum weir_err err = geo_read(c->geo_asn, &into, &x->about[CONTEXT_ASN], fault);
    return err || ip_map_count(x->asn) ? err : fault_set(fault, WEIR_USAGE, "'%.200s' tells no autonomous systems", c->geo_asn);
}

static enum weir_err read_country(struct context *x, const struct config *c, struct fault *fault)
{
    x->country = ip_map_new(GEO_RANGES_MAX);
    struct geo_into into = {NULL, x->country, NULL};
    if (!x->country)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    enum weir_err err = geo_read(c->geo_country, &into, &x->about[CONTEXT_COUNTRY], fault);
    return err || ip_map_count(x->country) ? err : fault_set(fault, WEIR_USAGE, "'%.200s' tells no countries", c->geo_country);
}

static void drop(struct ip_map **map)
{
    ip_map_free(*map);
    *map = NULL;
}

/* A map that cannot be used is as if it had not been configured. */
static enum weir_err seal(struct ip_map **map, enum weir_err err, struct fault *fault)
{
    if (!*map)
        return err;
    enum weir_err sealed = err ? err : ip_map_seal(*map);
    if (sealed)
        drop(map);
    return !err && sealed ? fault_set(fault, WEIR_USAGE, "its ranges cannot be used: %s", weir_err_text(sealed)) : err;
}

static enum weir_err read_part(struct context *x, const struct config *c, enum context_part part, struct fault *fault)
{
    enum weir_err err;
    switch (part) {
    case CONTEXT_ASN:
        if (!*c->geo_asn)
            return WEIR_OK;
        err = read_asn(x, c, fault);
        err = seal(&x->asn, err, fault);
        return seal(&x->asn_country, err, fault);
    case CONTEXT_COUNTRY:
        if (!*c->geo_country)
            return WEIR_OK;
        err = read_country(x, c, fault);
        return seal(&x->country, err, fault);
    case CONTEXT_AWS: return *c->aws_ip_ranges ? aws_ranges_read(c->aws_ip_ranges, &x->aws, &x->about[part], fault) : WEIR_OK;
    case CONTEXT_TRUSTED: return *c->lists_trusted ? address_list_read(c->lists_trusted, &x->trusted, &x->about[part], fault) : WEIR_OK;
    case CONTEXT_THREAT: return *c->lists_threat ? address_list_read(c->lists_threat, &x->threat, &x->about[part], fault) : WEIR_OK;
    case CONTEXT_INVENTORY: return *c->inventory ? inventory_read(c->inventory, c->role_tag, &x->inventory, &x->about[part], fault) : WEIR_OK;
    case CONTEXT_PARTS: break;
    }
    return WEIR_OK;
}

/* ---- one map from all ---- */

enum layer { LAYER_ASN, LAYER_ASN_COUNTRY, LAYER_COUNTRY, LAYER_SERVICE, LAYER_AMAZON, LAYER_TRUSTED, LAYER_THREAT, LAYERS };
_Static_assert(LAYERS <= IP_MAP_LAYERS, "one map is laid over all of them");

static const struct { uint32_t asn; enum flow_grain grain; } rented[] = {
#define RENTED_CLOUD(asn, grain, name) {asn, GRAIN_##grain},
#include "models/rented-clouds.def"
#undef RENTED_CLOUD
};

static enum flow_grain grain_of(uint32_t asn)
{
    for (size_t i = 0; i < WEIR_COUNT(rented); i++)
        if (rented[i].asn == asn)
            return rented[i].grain;
    return GRAIN_PROVIDER;
}

/* An address on both lists is trusted: what is said on purpose of a partner outweighs what a feed says of everybody. */
static struct flow_provider provider_of(const uint32_t *v)
{
    struct flow_provider p = {.asn = v[LAYER_ASN], .country = (uint16_t)(v[LAYER_COUNTRY] ? v[LAYER_COUNTRY] : v[LAYER_ASN_COUNTRY])};
    p.service = aws_ranges_service(v[LAYER_SERVICE] ? v[LAYER_SERVICE] : v[LAYER_AMAZON]);
    p.list = v[LAYER_TRUSTED] ? LISTED_TRUSTED : v[LAYER_THREAT] ? LISTED_THREAT : LISTED_NOWHERE;
    if (p.service) {
        p.asn = AMAZON_ASN; /* the services span its systems */
        p.grain = aws_service_is_rented(p.service) ? GRAIN_NETWORK : GRAIN_PROVIDER;
    } else if (p.asn) {
        p.grain = grain_of(p.asn) & 15;
    }
    return p;
}

static bool grow(struct context *x)
{
    size_t cap = x->providers_cap ? x->providers_cap * 2 : 256, heads = cap * 2;
    struct flow_provider *p = realloc(x->provider, cap * sizeof *p);
    if (p)
        x->provider = p;
    uint32_t *head = calloc(heads, sizeof *head);
    if (!p || !head) {
        free(head);
        return false;
    }
    for (size_t i = 1; i < x->providers; i++) {
        size_t at = hash_bytes(&p[i], sizeof *p) & (heads - 1);
        while (head[at])
            at = (at + 1) & (heads - 1);
        head[at] = (uint32_t)i;
    }
    free(x->head);
    x->head = head;
    x->heads = heads;
    x->providers_cap = cap;
    return true;
}

/* Index of an equal one, made if there is none. */
static uint32_t join(void *context, const uint32_t *values)
{
    struct context *x = context;
    struct flow_provider p = provider_of(values);
    static const struct flow_provider nothing;
    _Static_assert(sizeof p == 8, "no padding: compared and hashed as bytes");
    if (memcmp(&p, &nothing, sizeof p) == 0)
        return 0;
    if (x->providers == x->providers_cap && (x->providers == PROVIDERS_MAX || !grow(x))) {
        x->failed = true;
        return 0;
    }
    size_t at = hash_bytes(&p, sizeof p) & (x->heads - 1);
    for (; x->head[at]; at = (at + 1) & (x->heads - 1))
        if (memcmp(&x->provider[x->head[at]], &p, sizeof p) == 0)
            return x->head[at];
    x->head[at] = (uint32_t)x->providers;
    x->provider[x->providers] = p;
    return (uint32_t)x->providers++;
}

static enum weir_err lay_over(struct context *x)
{
    struct ip_map *none = ip_map_new(0);
    if (!none || ip_map_seal(none) || !grow(x)) {
        ip_map_free(none);
        return WEIR_NOMEM;
    }
    x->provider[x->providers++] = (struct flow_provider){0}; /* 0: nothing known */
    const struct ip_map *layer[LAYERS] = {x->asn, x->asn_country, x->country, x->aws ? aws_ranges_services(x->aws) : NULL,
                                          x->aws ? aws_ranges_rest(x->aws) : NULL, x->trusted, x->threat};
    bool any = false;
    for (unsigned i = 0; i < LAYERS; i++) {
        any |= layer[i] != NULL;
        layer[i] = layer[i] ? layer[i] : none;
    }
    if (any && (x->all = ip_map_overlay(layer, LAYERS, join, x)))
        x->sealed = (struct flow_providers){x->all, x->provider};
    ip_map_free(none);
    free(x->head);
    x->head = NULL;
    return any && (!x->all || x->failed) ? WEIR_NOMEM : WEIR_OK;
}

/* ---- open, close ---- */

enum weir_err context_try(const struct config *c, struct context **out, struct fault fault[CONTEXT_PARTS])
{
    struct context *x = *out = calloc(1, sizeof *x);
    enum weir_err first = WEIR_OK;
    memset(fault, 0, CONTEXT_PARTS * sizeof *fault);
    if (!x)
        return fault_set(&fault[0], WEIR_NOMEM, "out of memory");
    for (enum context_part part = 0; part < CONTEXT_PARTS; part++) {
        enum weir_err err = read_part(x, c, part, &fault[part]);
        first = first ? first : err;
    }
    enum weir_err err = lay_over(x);
    if (!err)
        return first;
    context_close(x);
    *out = NULL;
    return fault_set(&fault[0], WEIR_NOMEM, "out of memory");
}

enum weir_err context_open(const struct config *c, struct context **out, struct fault *fault)
{
    struct fault faults[CONTEXT_PARTS];
    enum weir_err err = context_try(c, out, faults);
    if (!err)
        return WEIR_OK;
    context_close(*out);
    *out = NULL;
    for (unsigned i = CONTEXT_PARTS; i > 0; i--)
        if (faults[i - 1].err)
            *fault = faults[i - 1];
    return err;
}

void context_close(struct context *x)
{
    if (!x)
        return;
    drop(&x->asn);
    drop(&x->asn_country);
    drop(&x->country);
    drop(&x->trusted);
    drop(&x->threat);
    drop(&x->all);
    as_names_free(x->names);
    aws_ranges_free(x->aws);
    inventory_free(x->inventory);
    free(x->provider);
    free(x->head);
    free(x);
}

/* ---- asking ---- */

const struct data_about *context_about(const struct context *x, enum context_part part) { return &x->about[part]; }

const struct flow_providers *context_providers(const struct context *x) { return x->all ? &x->sealed : NULL; }

unsigned context_grouping(const struct context *x)
{
    bool countries = x->country || (x->asn_country && ip_map_count(x->asn_country));
    return (x->asn ? GROUPED_BY_SYSTEM : 0U) | (x->aws ? GROUPED_BY_SERVICE : 0U) | (countries ? GROUPED_BY_COUNTRY : 0U);
}

const char *context_grouping_text(unsigned grouping)
{
    static const char *const words[] = {"by network", "by provider", "by network and service of Amazon", "by provider and service of Amazon",
                                        "by network and country", "by provider and country", "by network, service of Amazon and country",
                                        "by provider, service of Amazon and country"};
    return words[grouping & 7];
}

const struct inventory *context_inventory(const struct context *x) { return x->inventory; }

size_t context_systems(const struct context *x) { return x->names ? as_names_count(x->names) : 0; }

bool context_trusted(const struct context *x, struct ip a) { return x->trusted && ip_map_find(x->trusted, a); }

bool context_threat(const struct context *x, struct ip a) { return x->threat && ip_map_find(x->threat, a); }

void context_peer(const struct context *x, struct ip a, char country[3], uint32_t *asn, char *name, size_t name_cap)
{
    struct flow_rules rules = {.providers = context_providers(x)};
    struct flow_provider p = flow_provider_at(&rules, a);
    country_text(p.country, country);
    *asn = p.asn;
    uint32_t place = x->aws ? ip_map_find(aws_ranges_services(x->aws), a) : 0;
    place = place || !x->aws ? place : ip_map_find(aws_ranges_rest(x->aws), a);
    const char *service = aws_service_name(aws_ranges_service(place));
    if (place)
        snprintf(name, name_cap, "%s%s, %s", strcmp(service, "AMAZON") == 0 ? "" : "Amazon ", service, aws_ranges_region(x->aws, place));
    else
        snprintf(name, name_cap, "%s", x->names ? as_names_find(x->names, p.asn) : "");
}

void context_hash(const struct context *x, const struct config *c, char out[17])
{
    static const char *const words[CONTEXT_PARTS] = {"geo.asn", "geo.country", "aws.ip_ranges", "lists.trusted", "lists.threat", "inventory"};
    struct buffer b;
    struct sha256 digest;
    bool any = false;
    config_hash(c, out);
    buffer_init(&b, 4096);
    buffer_printf(&b, "weir configuration with data 1\n%s\n", out);
    for (unsigned i = 0; i < CONTEXT_PARTS; i++) {
        char hex[2 * SHA256_BYTES + 1];
        if (!x->about[i].given)
            continue;
        any = true;
        hex_encode(x->about[i].id.b, SHA256_BYTES, hex);
        buffer_printf(&b, "%s=%s\n", words[i], hex);
    }
    sha256_of(b.p, b.n, &digest);
    if (any && *out)
        hex_encode(digest.b, 8, out);
    buffer_fini(&b);
}
