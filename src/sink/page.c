/* Lines for people. Wrapping breaks between words only: an object key or an id stays in one piece, to be copied.
 * Widths count characters, not bytes. Text from input is escaped before it gets into a line, colours are added last.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sink/sink_private.h"

#define LINE_MAX_BYTES (64u << 20)
#define BAR_COLUMNS 40
#define WIDTH_MIN 40

void page_init(struct page *p, FILE *out, struct sink_style style)
{
    *p = (struct page){.out = out, .style = style};
    if (style.width && style.width < WIDTH_MIN) p->style.width = WIDTH_MIN;
    buffer_init(&p->line, LINE_MAX_BYTES);
}

enum weir_err page_fini(struct page *p, struct fault *fault)
{
    enum weir_err err = p->line.err;
    buffer_fini(&p->line);
    if (!p->failed && fflush(p->out) != 0) p->failed = errno;
    if (!p->failed && ferror(p->out)) p->failed = EIO; /* before us, why is not known */
    if (page_fault(p, fault)) return WEIR_IO;
    return err ? fault_set(fault, err, "cannot show finding: %s", weir_err_text(err)) : WEIR_OK;
}

void page_text(struct page *p, struct slice text) { escape_terminal(&p->line, text); }

void page_commas(struct page *p, uint64_t v)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu64, v);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) buffer_u8(&p->line, ',');
        buffer_u8(&p->line, (uint8_t)text[i]);
    }
}

void page_count(struct page *p, uint64_t n, const char *what)
{
    page_commas(p, n);
    buffer_printf(&p->line, " %s%s", what, n == 1 ? "" : "s");
}

void page_range(struct page *p, uint64_t first, uint64_t last, int digits, const char *what)
{
    buffer_printf(&p->line, "%s%s %0*" PRIu64, what, first == last ? "" : "s", digits, first);
    if (first != last) buffer_printf(&p->line, " to %0*" PRIu64, digits, last);
}

void page_bytes(struct page *p, uint64_t v)
{
    char text[FINDING_BYTES_TEXT_MAX];
    finding_bytes(v, text);
    buffer_puts(&p->line, text);
}

void page_fixed(struct page *p, double v, unsigned decimals)
{
    double one = decimals == 3 ? 1000 : 10;
    int64_t all = isfinite(v) && fabs(v) < 1e12 ? llround(v * one) : 0;
    uint64_t size = (uint64_t)(all < 0 ? -all : all), unit = (uint64_t)one;
    buffer_printf(&p->line, "%s%" PRIu64 ".%0*" PRIu64, all < 0 ? "-" : "", size / unit, (int)decimals, size % unit);
}

/* Two digits are enough; rates are kept to 12 decimals. */
void page_rate(struct page *p, double rate)
{
    if (rate >= 1) {
        buffer_puts(&p->line, "not above what is expected");
        return;
    }
    if (!(rate >= 1e-12)) {
        buffer_puts(&p->line, "less than once in ");
        page_count(p, 1000000000000, "host-day");
    } else {
        uint64_t n = (uint64_t)llround(1 / fmin(rate, 1)), step = 1;
        while (n / step >= 100) step *= 10;
        buffer_puts(&p->line, "once in ");
        page_count(p, (n + step / 2) / step * step, "host-day");
    }
}

void page_when(struct page *p, const json_t *finding, const char *path)
{
    char text[TIME_TEXT_MAX];
    time_format((int64_t)(view_u64(finding, path) / 1000), text);
    buffer_puts(&p->line, text);
}

void page_bar(struct page *p, double part)
{
    double n = part > 0 ? part < 1 ? part * BAR_COLUMNS : BAR_COLUMNS : 0;
    for (int i = 0; i < (int)(n + 0.5); i++) buffer_u8(&p->line, '#');
}

static size_t columns_of(const char *text, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0; i < n; i++) columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

void page_pad(struct page *p, size_t column)
{
    size_t at = columns_of(p->line.p, p->line.n);
    if (at >= column && p->line.n && p->line.p[p->line.n - 1] != ' ') buffer_u8(&p->line, ' ');
    for (; at < column; at++) buffer_u8(&p->line, ' ');
}

void page_write(struct page *p, const char *text, size_t n)
{
    if (n && !p->failed && fwrite(text, 1, n, p->out) != n) p->failed = errno ? errno : EIO;
}

enum weir_err page_fault(struct page *p, struct fault *fault)
{
    if (p->failed == EPIPE) clearerr(p->out);
    if (!p->failed || p->failed == EPIPE) return WEIR_OK;
    return fault_set(fault, WEIR_IO, "cannot write findings: %s", strerror(p->failed));
}

/* The bytes of text that fit into `room` columns, cut before a run of blanks; at least one word. */
static size_t fitting(const char *text, size_t n, size_t room)
{
    size_t fits = 0, columns = 0;
    while (fits < n) {
        size_t end = fits;
        while (end < n && text[end] == ' ') end++;
        while (end < n && text[end] != ' ') end++;
        columns += columns_of(text + fits, end - fits);
        if (fits && columns > room) break;
        fits = end;
    }
    return fits;
}

void page_end_painted(struct page *p, size_t hang, const char *colour, size_t painted)
{
    size_t width = p->style.width ? p->style.width : SIZE_MAX, at = 0, blanks = 0;
    if (p->line.err) return;
    while (p->line.n && p->line.p[p->line.n - 1] == ' ') p->line.n--; /* the place of a bar that is empty */
    if (colour && p->style.colour) {
        page_write(p, colour, strlen(colour));
        page_write(p, p->line.p, painted);
        page_write(p, "\033[0m", 4);
        at = painted;
        width -= columns_of(p->line.p, painted);
    }
    do {
        size_t n = fitting(p->line.p + at, p->line.n - at, width > blanks ? width - blanks : 1);
        for (size_t i = 0; i < blanks; i++) page_write(p, " ", 1);
        page_write(p, p->line.p + at, n);
        page_write(p, "\n", 1);
        at += n;
        while (at < p->line.n && p->line.p[at] == ' ') at++;
        width = p->style.width ? p->style.width : SIZE_MAX;
        blanks = hang;
    } while (at < p->line.n);
    buffer_clear(&p->line);
}

void page_end(struct page *p, size_t hang) { page_end_painted(p, hang, NULL, 0); }

void page_end_whole(struct page *p)
{
    unsigned width = p->style.width;
    p->style.width = 0;
    page_end(p, 0);
    p->style.width = width;
}

void page_heading(struct page *p, const char *text)
{
    page_end(p, 0);
    buffer_puts(&p->line, text);
    page_end_painted(p, 0, COLOUR_BOLD, p->line.n);
}

const char *severity_colour(unsigned severity_id) { return severity_id >= 4 ? COLOUR_RED : severity_id == 3 ? COLOUR_YELLOW : NULL; }
