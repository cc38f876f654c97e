/* The two pictures of a finding, as SVG: the days that weir had learned and those of the claim, and the hours of the claim with what is usual
 * in such an hour. Heights are octaves (each doubling one step up), because a claim is often a thousand times the usual and both must be
 * seen. What is claimed is hatched and outlined, what is usual is a shaded band: both show in black and white.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>

#include "sink/html.h"

enum { WIDTH = 360, LEFT = 46, RIGHT = 354, TOP = 20, BOTTOM = 150, HEIGHT = 182, DAYS_SHOWN = 7, DAYS_MAX = 64 };
#define REFERENCE_DAYS 14 /* from here on the second largest day counts */

struct plot {
    struct page *p;
    double low, high; /* octaves at BOTTOM and TOP */
    size_t bars;
};

static double x_of(const struct plot *t, size_t bar) { return LEFT + (double)(RIGHT - LEFT) * (double)bar / (double)t->bars; }

static double y_of(const struct plot *t, double octaves)
{
    double part = (octaves - t->low) / (t->high - t->low);
    return BOTTOM - (part < 0 ? 0 : part > 1 ? 1 : part) * (BOTTOM - TOP);
}

/* One decimal, by integers: no locale. */
static void put_number(struct page *p, double v)
{
    long long tenths = llround(v * 10);
    buffer_printf(&p->line, "%s%lld.%lld", tenths < 0 ? "-" : "", llabs(tenths) / 10, llabs(tenths) % 10);
}

static void put_box(const struct plot *t, const char *class, const char *more, size_t from, size_t bars, double low, double high, double gap)
{
    double x = x_of(t, from), y = y_of(t, high);
    buffer_printf(&t->p->line, "<rect class=\"%s\"%s x=\"", class, more);
    put_number(t->p, x + gap);
    html(t->p, "\" y=\"");
    put_number(t->p, y);
    html(t->p, "\" width=\"");
    put_number(t->p, x_of(t, from + bars) - x - 2 * gap);
    html(t->p, "\" height=\"");
    put_number(t->p, y_of(t, low) - y);
    html(t->p, "\"/>");
}

static void put_line(const struct plot *t, const char *class, size_t from, size_t bars, double octaves)
{
    buffer_printf(&t->p->line, "<line class=\"%s\" x1=\"", class);
    put_number(t->p, x_of(t, from));
    html(t->p, "\" x2=\"");
    put_number(t->p, x_of(t, from + bars));
    html(t->p, "\" y1=\"");
    put_number(t->p, y_of(t, octaves));
    html(t->p, "\" y2=\"");
    put_number(t->p, y_of(t, octaves));
    html(t->p, "\"/>");
}

static void put_label(const struct plot *t, double x, double y, const char *anchor)
{
    html(t->p, "<text x=\"");
    put_number(t->p, x);
    html(t->p, "\" y=\"");
    put_number(t->p, y);
    buffer_printf(&t->p->line, "\" text-anchor=\"%s\">", anchor);
}

/* Powers of ten that lie between, at most five of them. */
static void put_scale(const struct plot *t)
{
    unsigned decades = 0, step = 1;
    for (double v = 1e5; v < 1e18; v *= 10) decades += bytes_to_octaves((uint64_t)v) > t->low && bytes_to_octaves((uint64_t)v) < t->high;
    while (decades / step > 4) step++;
    unsigned n = 0;
    for (double v = 1e5; v < 1e18; v *= 10) {
        double octaves = bytes_to_octaves((uint64_t)v);
        if (octaves <= t->low || octaves >= t->high || n++ % step) continue;
        put_line(t, "axis", 0, t->bars, octaves);
        put_label(t, LEFT - 4, y_of(t, octaves) + 4, "end");
        char text[FINDING_BYTES_TEXT_MAX];
        finding_bytes((uint64_t)v, text);
        size_t cut = 0;
        while (text[cut] && text[cut] != '.' && text[cut] != ' ') cut++;
        buffer_put(&t->p->line, text, cut);
        while (text[cut] && text[cut] != ' ') cut++;
        html(t->p, text + cut);
        html(t->p, "</text>");
    }
    put_line(t, "axis", 0, t->bars, t->low);
}

/* Room above the highest, and the floor a doubling under the lowest that matters. */
static void set_range(struct plot *t, double least, double most)
{
    t->low = fmax(0, floor(least) - 1);
    t->high = fmax(ceil(most + 0.5), t->low + 4);
}

static void begin(const struct plot *t, size_t number, char which, const char *title, const char *text)
{
    struct page *p = t->p;
    html(p, "<figure>\n");
    buffer_printf(&p->line, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t%zu%c\">", WIDTH, HEIGHT, number, which);
    buffer_printf(&p->line, "<title id=\"t%zu%c\">%s</title>", number, which, text);
    buffer_printf(&p->line, "<defs><pattern id=\"p%zu%c\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
                            "<line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>", number, which);
    put_label(t, LEFT, 12, "start");
    html(p, title);
    html(p, "</text>");
}

static void put_hot(const struct plot *t, size_t number, char which, size_t bar, double octaves)
{
    char fill[48];
    snprintf(fill, sizeof fill, " fill=\"url(#p%zu%c)\"", number, which);
    put_box(t, "hot", fill, bar, 1, t->low, octaves, 0.6);
}

static void end(const struct plot *t, const char *caption)
{
    html(t->p, "</svg>\n<figcaption>");
    html(t->p, caption);
    html(t->p, "</figcaption>\n</figure>\n");
}

/* ---- the days ---- */

static uint64_t day_bytes(const json_t *day)
{
    uint64_t sum = 0;
    for (size_t h = 0; h < view_count(day, "hours") && h < 24; h++) sum = sat_add(sum, view_u64(view_item(day, "hours", h), ""));
    return sum;
}

static double past(const json_t *finding, size_t i) { return fmin(fmax(view_real(view_item(finding, "unmapped.weir.history", i), ""), 0), 47); }

/* From the smallest to what the largest days are measured by. */
static void learned_band(const json_t *finding, size_t n, double *low, double *high)
{
    double first = 0, second = 0;
    *low = n ? past(finding, 0) : 0;
    for (size_t i = 0; i < n; i++) {
        double v = past(finding, i);
        *low = fmin(*low, v);
        second = v > first ? first : fmax(second, v);
        first = fmax(first, v);
    }
    *high = n >= REFERENCE_DAYS ? second : first;
}

static size_t at_most(size_t n, size_t most) { return n < most ? n : most; }

static void put_days(struct page *p, const json_t *finding, size_t number)
{
    size_t n = at_most(view_count(finding, "unmapped.weir.history"), DAYS_MAX), days = at_most(view_count(finding, "unmapped.weir.days"), DAYS_MAX);
    struct plot t = {.p = p, .bars = n + days};
    double low, high, most = 0;
    learned_band(finding, n, &low, &high);
    for (size_t i = 0; i < days; i++) most = fmax(most, bytes_to_octaves(day_bytes(view_item(finding, "unmapped.weir.days", i))));
    set_range(&t, n ? fmin(low, most) : most, fmax(high, most));
    begin(&t, number, 'd', "External bytes a day", "External bytes of each learned day before, and of the days of the claim");
    if (n) put_box(&t, "band", "", 0, t.bars, low, high, 0);
    put_scale(&t);
    for (size_t i = 0; i < n; i++) put_box(&t, "bar", "", i, 1, t.low, past(finding, i), 0.6);
    for (size_t i = 0; i < days; i++) put_hot(&t, number, 'd', n + i, bytes_to_octaves(day_bytes(view_item(finding, "unmapped.weir.days", i))));
    put_label(&t, LEFT, BOTTOM + 14, "start");
    if (n) buffer_printf(&p->line, "%zu learned day%s before", n, n == 1 ? "" : "s");
    html(p, "</text>");
    put_label(&t, RIGHT, BOTTOM + 14, "end");
    html_path(p, view_item(finding, "unmapped.weir.days", days - 1), "day");
    html(p, "</text>");
    end(&t, n ? "Bars: days. Shaded: what was usual, from the smallest day to the one that new days are measured by. Hatched: the days of the claim."
                " Each doubling is one step up."
              : "Hatched: the days of the claim. Weir had not learned any day of this host before.");
}

/* ---- the hours ---- */

static uint64_t hour_of(const json_t *day, const char *key, size_t h) { return view_u64(view_item(day, key, h), ""); }

/* Does a raised part count bytes of that hour? */
static bool claimed(const json_t *day, size_t h)
{
    for (size_t i = 0; i < view_count(day, "parts"); i++) {
        const json_t *part = view_item(day, "parts", i);
        if (view_bool(part, "raised") && view_u64(part, "from_hour") <= h && h <= view_u64(part, "to_hour")) return true;
    }
    return false;
}

/* At most seven days: those that end with the day of the highest score, or begin with the first. */
static size_t first_shown(const json_t *finding, size_t days)
{
    size_t best = 0;
    for (size_t i = 1; i < days; i++)
        if (view_real(view_item(finding, "unmapped.weir.days", i), "score") > view_real(view_item(finding, "unmapped.weir.days", best), "score")) best = i;
    return best < DAYS_SHOWN ? 0 : best + 1 - DAYS_SHOWN;
}

static void put_hour(const struct plot *t, const json_t *day, size_t bar, size_t h, size_t number)
{
    uint64_t bytes = hour_of(day, "hours", h);
    double v = bytes_to_octaves(bytes);
    if (bytes && claimed(day, h))
        put_hot(t, number, 'h', bar, v);
    else if (bytes)
        put_box(t, "bar", "", bar, 1, t->low, v, 0.6);
    if (!(view_u64(day, "gap_hours") >> h & 1)) return;
    put_label(t, (x_of(t, bar) + x_of(t, bar + 1)) / 2, y_of(t, v) - 3, "middle");
    html(t->p, "?</text>");
}

static void put_hours_of(const struct plot *t, const json_t *day, size_t at, size_t number)
{
    bool band = view_count(day, "usual_hours") == 24 && view_count(day, "high_hours") == 24;
    for (size_t h = 0; band && h < 24; h++) {
        put_box(t, "band", "", at + h, 1, t->low, bytes_to_octaves(hour_of(day, "high_hours", h)), 0);
    }
    for (size_t h = 0; h < 24; h++) put_hour(t, day, at + h, h, number);
    for (size_t h = 0; band && h < 24; h++) put_line(t, "usual", at + h, 1, bytes_to_octaves(hour_of(day, "usual_hours", h)));
}

static void put_hour_axis(const struct plot *t, const json_t *finding, size_t first, size_t shown)
{
    for (size_t i = 0; i < shown; i++) {
        put_label(t, (x_of(t, 24 * i) + x_of(t, 24 * i + 24)) / 2, BOTTOM + 27, "middle");
        struct slice day = view_text(view_item(finding, "unmapped.weir.days", first + i), "day");
        html_text(t->p, shown > 4 && day.n == 10 ? (struct slice){day.p + 5, 5} : day);
        html(t->p, "</text>");
        for (size_t h = 0; shown <= 2 && h <= 24; h += shown == 1 ? 6 : 12) {
            if (h == 24 && i + 1 < shown) continue;
            put_label(t, x_of(t, 24 * i + h), BOTTOM + 14, "middle");
            buffer_printf(&t->p->line, "%02zu</text>", h);
        }
    }
}

static void put_hours(struct page *p, const json_t *finding, size_t number)
{
    size_t days = at_most(view_count(finding, "unmapped.weir.days"), DAYS_MAX), first = first_shown(finding, days), shown = at_most(days - first, DAYS_SHOWN);
    struct plot t = {.p = p, .bars = 24 * shown};
    double least = 47, most = 0;
    bool band = false;
    for (size_t i = 0; i < shown; i++) {
        const json_t *day = view_item(finding, "unmapped.weir.days", first + i);
        for (size_t h = 0; h < 24; h++) {
            uint64_t bytes = hour_of(day, "hours", h), usual = hour_of(day, "usual_hours", h);
            most = fmax(most, bytes_to_octaves(bytes > hour_of(day, "high_hours", h) ? bytes : hour_of(day, "high_hours", h)));
            if (bytes) least = fmin(least, bytes_to_octaves(bytes));
            if (usual) least = fmin(least, bytes_to_octaves(usual));
            band |= usual > 0;
        }
    }
    set_range(&t, fmin(least, most), most);
    begin(&t, number, 'h', "External bytes an hour (UTC)", "External bytes of each hour of the days of the claim, and what is usual in such an hour");
    put_scale(&t);
    for (size_t i = 0; i < shown; i++) put_hours_of(&t, view_item(finding, "unmapped.weir.days", first + i), 24 * i, number);
    put_hour_axis(&t, finding, first, shown);
    end(&t, band ? "Hatched: hours of the claim. Dashed line: usual for such an hour (20 MB where it is less); shaded: up to two spreads more. A question mark: the"
                " log has a gap there."
                 : "Hatched: hours of the claim. A question mark: the log has a gap there. No hours were learned before.");
}

void html_plots(struct page *p, const json_t *finding, size_t number)
{
    if (!view_count(finding, "unmapped.weir.days")) return;
    html(p, "<div class=\"plots\">\n");
    put_days(p, finding, number);
    put_hours(p, finding, number);
    html(p, "</div>\n");
}
