/* Amounts for people: three significant digits are what an eye compares, whole numbers are what it remembers.
 * Integer arithmetic, rounded half up, so that the same amount reads the same on every machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <stdio.h>

__extension__ typedef unsigned __int128 u128;

/* bytes / 1024^power in units of 1/per. */
static unsigned scaled(uint64_t bytes, unsigned power, unsigned per)
{
    return (unsigned)((((u128)bytes * per << 1) + ((u128)1 << (10 * power))) >> (10 * power + 1));
}

void bytes_format(uint64_t bytes, char out[BYTES_TEXT_MAX])
{
    static const char prefix[] = " KMGTPE";
    unsigned power = 0, v;
    while (power < sizeof prefix - 2 && bytes >> (10 * power) >= 1024)
        power++;
    if (power && power < sizeof prefix - 2 && scaled(bytes, power, 1) == 1024)
        power++; /* 1023.7 KiB is 1.00 MiB, not 1024 KiB */
    if (power == 0)
        snprintf(out, BYTES_TEXT_MAX, "%u B", (unsigned)bytes);
    else if ((v = scaled(bytes, power, 100)) < 1000)
        snprintf(out, BYTES_TEXT_MAX, "%u.%02u %ciB", v / 100 % 10, v % 100, prefix[power]);
    else if ((v = scaled(bytes, power, 10)) < 1000)
        snprintf(out, BYTES_TEXT_MAX, "%u.%u %ciB", v / 10 % 100, v % 10, prefix[power]);
    else
        snprintf(out, BYTES_TEXT_MAX, "%u %ciB", scaled(bytes, power, 1) % 10000, prefix[power]);
}

/* The largest unit that fits exactly ("3 d", "20 h", "90 min"), or else the smallest that needs less than 100. */
void duration_format(uint64_t seconds, char out[BYTES_TEXT_MAX])
{
    static const struct {
        uint64_t s, below; /* used below that many */
        const char *name;
    } units[] = {{DAY_S, UINT64_MAX / DAY_S, "d"}, {HOUR_S, 100, "h"}, {60, 180, "min"}, {1, 120, "s"}};
    enum { LONGEST = 999999999 }; /* days: what still fits into the text */
    size_t unit = 0;
    for (size_t i = WEIR_COUNT(units); i > 0; i--) {
        uint64_t s = units[i - 1].s;
        if (seconds < units[i - 1].below * s - s / 2) {
            unit = i - 1;
            break;
        }
    }
    for (size_t i = 0; i < unit && seconds; i++)
        if (seconds % units[i].s == 0)
            unit = i;
    uint64_t s = units[unit].s, n = seconds / s + (seconds % s >= (s + 1) / 2 && s > 1);
    snprintf(out, BYTES_TEXT_MAX, "%u %s", (unsigned)(n < LONGEST ? n : LONGEST), units[unit].name);
}
