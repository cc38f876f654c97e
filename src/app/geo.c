/* SPDX-License-Identifier: Apache-2.0 */
/* MaxMind DB look-ups. Databases name things differently: country.iso_code or a plain country_code, and
 * autonomous_system_number or asn; both forms are read. A broken record is as good as none. */
#include "app/geo.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct geo {
    MMDB_s country, asn;
    bool has_country, has_asn;
};

static enum weir_err open_one(const char *path, MMDB_s *db, bool *has, struct fault *fault)
{
    if (!path || !*path)
        return WEIR_OK;
    int status = MMDB_open(path, MMDB_MODE_MMAP, db);
    if (status != MMDB_SUCCESS)
        return fault_set(fault, WEIR_USAGE, "cannot open the database '%s': %s", path, MMDB_strerror(status));
    *has = true;
    return WEIR_OK;
}

enum weir_err geo_open(const char *country_path, const char *asn_path, struct geo **out, struct fault *fault)
{
    *out = NULL;
    if ((!country_path || !*country_path) && (!asn_path || !*asn_path))
        return WEIR_OK;
    struct geo *g = calloc(1, sizeof *g);
    if (!g)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    enum weir_err err = open_one(country_path, &g->country, &g->has_country, fault);
    if (!err)
        err = open_one(asn_path, &g->asn, &g->has_asn, fault);
    if (err)
        geo_close(g);
    else
        *out = g;
    return err;
}

void geo_close(struct geo *g)
{
    if (!g)
        return;
    if (g->has_country)
        MMDB_close(&g->country);
    if (g->has_asn)
        MMDB_close(&g->asn);
    free(g);
}

static bool find(MMDB_s *db, struct ip a, MMDB_lookup_result_s *out)
{
    struct sockaddr_storage address = {0};
    if (ip_is_v4(a)) {
        struct sockaddr_in *in = (struct sockaddr_in *)&address;
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(ip_v4(a));
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
        in6->sin6_family = AF_INET6;
        for (unsigned i = 0; i < 8; i++) {
            in6->sin6_addr.s6_addr[i] = (uint8_t)(a.hi >> (56 - 8 * i));
            in6->sin6_addr.s6_addr[8 + i] = (uint8_t)(a.lo >> (56 - 8 * i));
        }
    }
    int error = 0;
    *out = MMDB_lookup_sockaddr(db, (struct sockaddr *)&address, &error);
    return error == MMDB_SUCCESS && out->found_entry;
}

static bool get(MMDB_lookup_result_s *r, MMDB_entry_data_s *data, const char *const *path)
{
    return MMDB_aget_value(&r->entry, data, path) == MMDB_SUCCESS && data->has_data;
}

static void copy_text(const MMDB_entry_data_s *d, char *out, size_t cap)
{
    size_t n = d->data_size < cap - 1 ? d->data_size : cap - 1;
    memcpy(out, d->utf8_string, n);
    out[n] = 0;
}

static void take_country(struct geo *g, struct ip a, char country[3])
{
    static const char *const nested[] = {"country", "iso_code", NULL}, *const flat[] = {"country_code", NULL};
    MMDB_lookup_result_s r;
    MMDB_entry_data_s d;
    if (!find(&g->country, a, &r) || (!get(&r, &d, nested) && !get(&r, &d, flat)))
        return;
    if (d.type == MMDB_DATA_TYPE_UTF8_STRING && d.data_size == 2)
        copy_text(&d, country, 3);
}

static uint32_t as_number(const MMDB_entry_data_s *d)
{
    uint64_t n = 0;
    switch (d->type) {
    case MMDB_DATA_TYPE_UINT16: return d->uint16;
    case MMDB_DATA_TYPE_UINT32: return d->uint32;
    case MMDB_DATA_TYPE_UTF8_STRING:
        return parse_u64((struct slice){d->utf8_string, d->data_size}, UINT32_MAX, &n) == WEIR_OK ? (uint32_t)n : 0;
    default: return 0;
    }
}

static void take_asn(struct geo *g, struct ip a, uint32_t *asn, char *name, size_t cap)
{
    static const char *const number[] = {"autonomous_system_number", NULL}, *const flat_number[] = {"asn", NULL};
    static const char *const text[] = {"autonomous_system_organization", NULL}, *const flat_text[] = {"as_name", NULL};
    MMDB_lookup_result_s r;
    MMDB_entry_data_s d;
    if (!find(&g->asn, a, &r))
        return;
    if (get(&r, &d, number) || get(&r, &d, flat_number))
        *asn = as_number(&d);
    if ((get(&r, &d, text) || get(&r, &d, flat_text)) && d.type == MMDB_DATA_TYPE_UTF8_STRING)
        copy_text(&d, name, cap);
}

void geo_lookup(struct geo *g, struct ip a, char country[3], uint32_t *asn, char *as_name, size_t as_name_cap)
{
    if (g && g->has_country)
        take_country(g, a, country);
    if (g && g->has_asn)
        take_asn(g, a, asn, as_name, as_name_cap);
}
