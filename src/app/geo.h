/* SPDX-License-Identifier: Apache-2.0 */
/* Databases of networks that the operator brings, read whole into maps at the start of a run: MaxMind DB (country and
 * autonomous system in any of the usual namings) or the tables of iptoasn.com. Which of them a file is, its content says. */
#ifndef WEIR_APP_GEO_H
#define WEIR_APP_GEO_H

#include "app/data_file.h"
#include "weir/flow.h"

#define GEO_RANGES_MAX 8000000u
#define GEO_TEXT_MAX (1ULL << 30)
#define AS_NAME_MAX 63

/* Names of autonomous systems. */
struct as_names;
struct as_names *as_names_new(void); /* NULL if out of memory */
void as_names_free(struct as_names *n);
bool as_names_put(struct as_names *n, uint32_t asn, struct slice name); /* the first name stays, cut to AS_NAME_MAX; false: out of memory */
const char *as_names_find(const struct as_names *n, uint32_t asn);      /* "" unknown */
size_t as_names_count(const struct as_names *n);

/* Where the content of a file goes: maps not yet sealed; any may be NULL. Numbers: the system, country_number(). */
struct geo_into {
    struct ip_map *asn, *country;
    struct as_names *names;
};
WEIR_MUST_USE enum weir_err geo_read(const char *path, const struct geo_into *into, struct data_about *about, struct fault *fault);
/* The text form, from memory. */
WEIR_MUST_USE enum weir_err geo_read_table(struct slice text, const char *path, const struct geo_into *into, struct data_about *about, struct fault *fault);

/* ---- between the two readers: ranges come in ascending order, what touches and says the same becomes one range ---- */
struct geo_run {
    struct ip_map *map; /* NULL: nothing is kept */
    struct ip first, last;
    uint32_t value;     /* 0: none begun */
};
enum weir_err geo_run_add(struct geo_run *run, struct ip first, struct ip last, uint32_t value);
enum weir_err geo_run_end(struct geo_run *run);

#endif
