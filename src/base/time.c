/* Seconds since 1970 to RFC 3339 text and back, without a clock or a time zone of the machine. The calendar is the
 * proleptic Gregorian one; the day number formula counts years from March, so that the leap day comes last
 * (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <string.h>

#define YEAR_0_S (-62167219200LL)   /* 0000-01-01T00:00:00Z */
#define YEAR_9999_S 253402300799LL  /* 9999-12-31T23:59:59Z */
enum { ERA_DAYS = 146097, YEAR_0_MARCH_DAYS = 719468, DATE_TIME_LEN = 19 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - YEAR_0_MARCH_DAYS;
}

static void date_of(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    int64_t z = days + YEAR_0_MARCH_DAYS;
    int64_t era = floor_div(z, ERA_DAYS);
    int64_t doe = z - era * ERA_DAYS;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / (ERA_DAYS - 1)) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t from_march = (5 * doy + 2) / 153;
    *day = (unsigned)(doy - (153 * from_march + 2) / 5 + 1);
    *month = (unsigned)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (unsigned)(yoe + era * 400 + (*month <= 2));
}

static void put2(char *out, int64_t v)
{
    out[0] = (char)('0' + v / 10 % 10);
    out[1] = (char)('0' + v % 10);
}

/* Times outside the years 0 to 9999 have no such text and are printed as the nearest one that has. */
void time_format(int64_t s, char out[TIME_TEXT_MAX])
{
    s = s < YEAR_0_S ? YEAR_0_S : s > YEAR_9999_S ? YEAR_9999_S : s;
    int64_t days = floor_div(s, DAY_S), rest = s - days * DAY_S;
    unsigned year, month, day;
    date_of(days, &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00Z", DATE_TIME_LEN + 2);
    put2(out, year / 100);
    put2(out + 2, year % 100);
    put2(out + 5, month);
    put2(out + 8, day);
    put2(out + 11, rest / HOUR_S);
    put2(out + 14, rest % HOUR_S / 60);
    put2(out + 17, rest % 60);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static unsigned two(const char *p)
{
    return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

/* Same length as the pattern, where '0' stands for any digit and 'T' for T, t or a blank. */
static bool has_shape(struct slice text, const char *pattern)
{
    for (size_t i = 0; pattern[i]; i++) {
        if (i >= text.n)
            return false;
        char c = text.p[i];
        if (pattern[i] == '0' ? !is_digit(c) : pattern[i] == 'T' ? c != 'T' && c != 't' && c != ' ' : c != pattern[i])
            return false;
    }
    return true;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* What follows the seconds: an optional fraction, then Z or +hh:mm. */
static enum weir_err parse_zone(struct slice t, int64_t *offset_s)
{
    size_t i = 0;
    if (t.n && t.p[0] == '.') {
        for (i = 1; i < t.n && is_digit(t.p[i]);)
            i++;
        if (i == 1)
            return WEIR_SYNTAX;
    }
    struct slice zone = {t.p + i, t.n - i};
    *offset_s = 0;
    if (zone.n == 1 && (zone.p[0] == 'Z' || zone.p[0] == 'z'))
        return WEIR_OK;
    if (zone.n != 6 || !(has_shape(zone, "+00:00") || has_shape(zone, "-00:00")))
        return WEIR_SYNTAX;
    unsigned hours = two(zone.p + 1), minutes = two(zone.p + 4);
    *offset_s = (zone.p[0] == '-' ? -1 : 1) * (int64_t)(hours * HOUR_S + minutes * 60);
    return hours < 24 && minutes < 60 ? WEIR_OK : WEIR_RANGE;
}

enum weir_err time_parse(struct slice text, int64_t *out_s)
{
    if (!has_shape(text, "0000-00-00T00:00:00"))
        return WEIR_SYNTAX;
    const char *p = text.p;
    unsigned year = two(p) * 100 + two(p + 2), month = two(p + 5), day = two(p + 8);
    unsigned hour = two(p + 11), minute = two(p + 14), second = two(p + 17);
    int64_t offset_s;
    enum weir_err err = parse_zone((struct slice){p + DATE_TIME_LEN, text.n - DATE_TIME_LEN}, &offset_s);
    if (err)
        return err;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return WEIR_RANGE;
    if (hour > 23 || minute > 59 || second > 60) /* 60: a leap second, the same number as the second after it */
        return WEIR_RANGE;
    *out_s = days_of(year, month, day) * DAY_S + (int64_t)hour * HOUR_S + minute * 60 + second - offset_s;
    return WEIR_OK;
}

enum weir_err day_parse(struct slice text, int64_t *out_s)
{
    char whole[] = "0000-00-00T00:00:00Z";
    if (text.n != 10)
        return WEIR_SYNTAX;
    memcpy(whole, text.p, text.n);
    return time_parse((struct slice){whole, sizeof whole - 1}, out_s);
}
