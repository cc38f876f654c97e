/* Numbers in text: digits only, because strtoull reads -5 as 2^64 - 5 without an error. A malformed number is SYNTAX
 * even where its first digits are already too large: the reason names what is wrong with the text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

/* Eats digits from the front of *text; RANGE is told only after the last digit. */
static enum weir_err eat_digits(struct slice *text, uint64_t *out)
{
    uint64_t v = 0;
    bool overflow = false;
    size_t i = 0;
    for (; i < text->n; i++) {
        unsigned d = (unsigned)(unsigned char)text->p[i] - '0';
        if (d > 9)
            break;
        overflow = __builtin_mul_overflow(v, 10, &v) || overflow;
        overflow = __builtin_add_overflow(v, d, &v) || overflow;
    }
    if (i == 0)
        return WEIR_SYNTAX;
    *text = (struct slice){text->p + i, text->n - i};
    *out = v;
    return overflow ? WEIR_RANGE : WEIR_OK;
}

enum weir_err parse_u64(struct slice text, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    enum weir_err err = eat_digits(&text, &v);
    if (err == WEIR_SYNTAX || text.n)
        return WEIR_SYNTAX;
    if (err || v > max)
        return WEIR_RANGE;
    *out = v;
    return WEIR_OK;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* A number, then one of the units to the end of the text. */
static enum weir_err parse_with_unit(struct slice text, const struct unit *units, size_t n, uint64_t *out)
{
    uint64_t v = 0;
    enum weir_err err = eat_digits(&text, &v);
    if (err == WEIR_SYNTAX)
        return err;
    for (size_t i = 0; i < n; i++) {
        if (!slice_eq(text, slice_of(units[i].name)))
            continue;
        if (err || __builtin_mul_overflow(v, units[i].factor, &v))
            return WEIR_RANGE;
        *out = v;
        return WEIR_OK;
    }
    return WEIR_SYNTAX;
}

enum weir_err parse_bytes(struct slice text, uint64_t *out)
{
    static const struct unit units[] = {
        {"", 1},
        {"B", 1},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", 1000000000000},
        {"PB", 1000000000000000},
        {"KiB", 1ULL << 10},
        {"MiB", 1ULL << 20},
        {"GiB", 1ULL << 30},
        {"TiB", 1ULL << 40},
        {"PiB", 1ULL << 50},
    };
    return parse_with_unit(text, units, WEIR_COUNT(units), out);
}

enum weir_err parse_duration(struct slice text, uint64_t *out_s)
{
    static const struct unit units[] = {{"s", 1}, {"m", 60}, {"h", HOUR_S}, {"d", DAY_S}};
    if (slice_eq(text, SLICE_LIT("0"))) {
        *out_s = 0;
        return WEIR_OK;
    }
    return parse_with_unit(text, units, WEIR_COUNT(units), out_s);
}
