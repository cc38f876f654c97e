/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of an address from the operator's data: one look-up in one map that was made from all of them. And the small
 * numbers that stand for countries and services in group keys. */
#include "weir/flow.h"

struct flow_provider flow_provider_at(const struct flow_rules *rules, struct ip a)
{
    uint32_t i = rules->providers ? ip_map_find(rules->providers->map, a) : 0;
    return i ? rules->providers->provider[i] : (struct flow_provider){0};
}

uint16_t country_number(struct slice text)
{
    if (text.n != 2 || text.p[0] < 'A' || text.p[0] > 'Z' || text.p[1] < 'A' || text.p[1] > 'Z')
        return 0;
    return (uint16_t)(1 + (text.p[0] - 'A') * 26 + text.p[1] - 'A');
}

void country_text(uint16_t number, char out[3])
{
    bool known = number >= 1 && number <= 26 * 26;
    out[0] = (char)(known ? 'A' + (number - 1) / 26 : 0);
    out[1] = (char)(known ? 'A' + (number - 1) % 26 : 0);
    out[2] = 0;
}

struct aws_service { const char *name; bool rented; };
#define AWS_SERVICE(number, name, rented) [number] = {name, rented},
static const struct aws_service services[] = {
#include "models/aws-services.def"
};
#undef AWS_SERVICE

const char *aws_service_name(uint8_t number)
{
    return number < WEIR_COUNT(services) && services[number].name ? services[number].name : "";
}

uint8_t aws_service_number(struct slice name)
{
    for (uint8_t i = 1; i < WEIR_COUNT(services); i++)
        if (slice_eq(name, slice_of(services[i].name)))
            return i;
    return 0;
}

bool aws_service_is_rented(uint8_t number) { return number < WEIR_COUNT(services) && services[number].rented; }
