/* Shape evaluation: the countries and systems of the made-up Internet, as a table in the form of iptoasn.com (places.tsv). Half of all
 * networks lie at home; everyday life goes there and near there first, attackers anywhere.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "flowgen.h"

enum distance { HOME, NEAR, FAR };

/* Of a /16: home, one of the first eight, or one of all. */
static enum distance place_country(const struct world *w, uint64_t network, char out[3])
{
    static const char names[] = "CADEGBFRNLIESEJPBRRUCNINKRAUMXTRVNIDTHUAPLITESPTCHATDKNOFIGRROBGHURSMDKZIRPKBDLKPHMYSGHKTWZAKENGEGMASADZARCLCOPEVEECBOUYPYNZ";
    uint64_t x = hash4(w->cfg.seed, 'N', network, 0);
    double u = unit_of(x);
    const char *name = u < 0.5 ? "US" : names + 2 * (hash4(x, 1, 0, 0) % (u < 0.8 ? 8 : sizeof names / 2));
    memcpy(out, name, 2);
    out[2] = '\0';
    return u < 0.5 ? HOME : u < 0.8 ? NEAR : FAR;
}

/* Some public address, seldom a far one. */
struct addr addr_near(const struct world *w, uint64_t hash)
{
    char country[3];
    struct addr a = addr_public(hash);
    for (uint64_t i = 1; i < 3 && place_country(w, a.lo >> 16, country) == FAR; i++) a = addr_public(hash4(hash, i, 0, 0));
    return a;
}

/* Every /16 is a system of its own, but those of Amazon, which are two, at home. */
void places_write(const struct world *w)
{
    char path[4096], country[3];
    snprintf(path, sizeof path, "%s/places.tsv", w->cfg.out);
    FILE *fp = fopen(path, "w");
    if (!fp) fatal("cannot create '%s': %s", path, strerror(errno));
    for (unsigned network = 1 << 8; network < 224u << 8; network++) {
        unsigned a = network >> 8, b = network & 255, number = 65536 + network;
        if (a == 10 || a == 127 || a == 100 || a == 169 || a == 172 || a == 192) continue;
        const char *service = provider_service((struct addr){0, (uint64_t)network << 16});
        bool provider = strcmp(service, "-") != 0;
        place_country(w, network, country);
        if (provider) number = strcmp(service, "EC2") ? 16509 : 14618;
        fprintf(fp, "%u.%u.0.0\t%u.%u.255.255\t%u\t%s\t%s-%u\n", a, b, a, b, number, provider ? "US" : country, provider ? service : "NET", number);
    }
    if (fclose(fp)) fatal("cannot write '%s': %s", path, strerror(errno));
}
