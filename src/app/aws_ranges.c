/* SPDX-License-Identifier: Apache-2.0 */
/* ip-ranges.json, strictly: every prefix with its region and service, unknown keys passed over (Amazon adds some now and then).
 * AMAZON lists all of them again, so it stands in a map of its own and speaks last.
 * Source: AWS VPC user guide, "AWS IP address ranges", read 2026. */
#include "app/aws_ranges.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 1000000u
#define REGIONS_MAX 4096
#define JSON_MAX (256ULL << 20)
#define AMAZON 1 /* of models/aws-services.def */

struct aws_ranges {
    struct ip_map *service, *rest;
    struct region { char name[AWS_REGION_MAX + 1]; } *region;
    size_t regions;
};

struct reading {
    struct aws_ranges *r;
    const char *path, *list, *key; /* the list at work and the name of the prefix in it */
    size_t i;
    struct fault *fault;
};

static enum weir_err refuse(const struct reading *g, const char *why, const char *value)
{
    return fault_set(g->fault, WEIR_USAGE, "address ranges '%.150s': %s[%zu]: %s%s%.60s%s", g->path, g->list, g->i, why, *value ? " '" : "", value,
                     *value ? "'" : "");
}

/* Its number; the few names are searched from the newest back. */
static enum weir_err region_number(const struct reading *g, const char *name, uint32_t *out)
{
    struct aws_ranges *r = g->r;
    for (*out = (uint32_t)r->regions; *out > 0; --*out)
        if (strcmp(r->region[*out - 1].name, name) == 0)
            return WEIR_OK;
    if (strlen(name) > AWS_REGION_MAX || r->regions == REGIONS_MAX)
        return refuse(g, "the region is too long, or one too many:", name);
    struct region *region = realloc(r->region, (r->regions + 1) * sizeof *region);
    if (!region)
        return fault_set(g->fault, WEIR_NOMEM, "out of memory");
    r->region = region;
    memcpy(region[r->regions].name, name, strlen(name) + 1);
    *out = (uint32_t)++r->regions;
    return WEIR_OK;
}

static enum weir_err take_prefix(const struct reading *g, const json_t *entry)
{
    const char *prefix = json_string_value(json_object_get(entry, g->key)), *region = json_string_value(json_object_get(entry, "region")),
               *service = json_string_value(json_object_get(entry, "service"));
    struct ip first, last;
    uint32_t place;
    if (!prefix || !region || !service)
        return refuse(g, "prefix, region and service must be text", "");
    if (cidr_parse(slice_of(prefix), &first, &last))
        return refuse(g, "not a network:", prefix);
    enum weir_err err = region_number(g, region, &place);
    if (err)
        return err;
    uint8_t number = aws_service_number(slice_of(service));
    bool named = number > AMAZON;
    err = ip_map_add(named ? g->r->service : g->r->rest, first, last, (uint32_t)(named ? number : AMAZON) << 24 | place);
    return err ? refuse(g, weir_err_text(err), "") : WEIR_OK;
}

static enum weir_err take_list(struct reading *g, const json_t *root, const char *list, const char *key, uint64_t *entries)
{
    const json_t *all = json_object_get(root, list);
    g->list = list;
    g->key = key;
    if (!json_is_array(all))
        return fault_set(g->fault, WEIR_USAGE, "address ranges '%.150s': no list '%s'", g->path, list);
    enum weir_err err = WEIR_OK;
    for (g->i = 0; !err && g->i < json_array_size(all); g->i++)
        err = take_prefix(g, json_array_get(all, g->i));
    *entries += json_array_size(all);
    return err;
}

/* "2026-06-17-19-53-07" */
static int64_t made_at(const json_t *root, int64_t otherwise)
{
    const char *text = json_string_value(json_object_get(root, "createDate"));
    char rfc[] = "0000-00-00T00:00:00Z";
    int64_t s;
    if (!text || strlen(text) != 19)
        return otherwise;
    memcpy(rfc, text, 10);
    for (unsigned i = 11; i < 19; i++)
        rfc[i] = text[i] == '-' ? ':' : text[i];
    return time_parse(slice_of(rfc), &s) == WEIR_OK ? s : otherwise;
}

static enum weir_err take_all(struct reading *g, const json_t *root, struct data_about *about)
{
    enum weir_err err = take_list(g, root, "prefixes", "ip_prefix", &about->entries);
    if (!err)
        err = take_list(g, root, "ipv6_prefixes", "ipv6_prefix", &about->entries);
    if (!err && ((err = ip_map_seal(g->r->service)) || (err = ip_map_seal(g->r->rest))))
        fault_set(g->fault, err, "address ranges '%.150s': %s", g->path, weir_err_text(err));
    about->made_s = made_at(root, about->made_s);
    return err;
}

enum weir_err aws_ranges_parse(struct slice json, const char *path, struct aws_ranges **out, struct data_about *about, struct fault *fault)
{
    json_error_t error;
    json_t *root = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, &error);
    *out = NULL;
    about->form = "ip-ranges.json";
    about->entries = 0;
    if (!root)
        return fault_set(fault, WEIR_USAGE, "address ranges '%.150s': line %d, column %d: %s", path, error.line, error.column, error.text);
    struct reading g = {.r = calloc(1, sizeof *g.r), .path = path, .fault = fault};
    bool ready = g.r && (g.r->service = ip_map_new(RANGES_MAX)) && (g.r->rest = ip_map_new(RANGES_MAX));
    enum weir_err err = ready ? take_all(&g, root, about) : fault_set(fault, WEIR_NOMEM, "out of memory");
    json_decref(root);
    if (err)
        aws_ranges_free(g.r);
    else
        *out = g.r;
    return err;
}

enum weir_err aws_ranges_read(const char *path, struct aws_ranges **out, struct data_about *about, struct fault *fault)
{
    struct buffer text;
    buffer_init(&text, JSON_MAX + (1 << 17));
    *out = NULL;
    enum weir_err err = data_file_read(path, JSON_MAX, &text, about, fault);
    if (!err)
        err = aws_ranges_parse((struct slice){text.p, text.n}, path, out, about, fault);
    buffer_fini(&text);
    return err;
}

void aws_ranges_free(struct aws_ranges *r)
{
    if (!r)
        return;
    ip_map_free(r->service);
    ip_map_free(r->rest);
    free(r->region);
    free(r);
}

const struct ip_map *aws_ranges_services(const struct aws_ranges *r) { return r->service; }

const struct ip_map *aws_ranges_rest(const struct aws_ranges *r) { return r->rest; }

const char *aws_ranges_region(const struct aws_ranges *r, uint32_t number)
{
    uint32_t place = number & 0xffffff;
    return place && place <= r->regions ? r->region[place - 1].name : "";
}
