/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal view of a played replay: hosts above, findings below, a page of text on top of both when asked for. Text from logs is escaped before
 * it gets here to the screen, and cut to it. Usable at 80 columns and 24 lines; without colour a mark says what colour would. */
#define NCURSES_WIDECHAR 1
#include "app/play.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/outbox.h"
#include "weir/sink.h"

#define TICK_MS 50
#define FILTER_MAX 120
#define FINDINGS_LINES 6
#define PAGE_BYTES_MAX ((size_t)16 << 20)

enum pane { PANE_HOSTS, PANE_FINDINGS };
struct filter {
    char text[FILTER_MAX], wrong[160];
    unsigned severity;
    bool by_host, by_peer;
    struct ip host;
    char peer[IP_TEXT_MAX + 4]; /* as it stands in the JSON, in quotes */
};

struct view {
    struct app *app;
    struct play *play;
    const struct play_picture *x; /* while it is taken */
    double speed;
    bool pause, asking, quit;
    enum pane pane;
    size_t chosen[2], top[2], shown[2]; /* by pane */
    size_t *match; size_t matches;      /* findings that pass the filter */
    struct filter filter, typed;
    char *page; size_t page_n, page_top, page_lines; /* NULL: none */
};

/* ---- text on the screen ---- */

/* Escaped already, or ours. Cut at the edge: a character is taken for a column, and wide ones that go beyond are cut by the screen. */
static void put_n(int y, int x, const char *text, size_t n)
{
    int columns = 0;
    size_t fits = 0;
    for (; fits < n && text[fits]; fits++)
        if (((unsigned char)text[fits] & 0xc0) != 0x80 && ++columns > COLS - x)
            break;
    if (y >= 0 && y < LINES && x < COLS)
        mvaddnstr(y, x, text, (int)fits);
}

static void put(int y, int x, const char *text) { put_n(y, x, text, strlen(text)); }

static void put_foreign(int y, int x, struct slice text)
{
    struct buffer shown;
    buffer_init(&shown, 1 << 16);
    escape_terminal(&shown, text);
    put(y, x, buffer_cstr(&shown));
    buffer_fini(&shown);
}

static void put_bar_line(int y, const char *text)
{
    attron(A_REVERSE);
    mvhline(y, 0, ' ', COLS);
    put(y, 0, text);
    attroff(A_REVERSE);
}

/* ---- the filter: words of `weir findings`, as "severity high host 10.0.5.10 peer 203.0.113.9" ---- */

static bool take_word(struct filter *f, const char *key, const char *value)
{
    struct fault fault = {WEIR_OK, ""};
    struct ip ip;
    while (*key == '-')
        key++;
    if (strcmp(key, "severity") == 0)
        return findings_severity(value, "severity", &f->severity, &fault) == WEIR_OK || (snprintf(f->wrong, sizeof f->wrong, "%.150s", fault.text), false);
    if ((strcmp(key, "host") != 0 && strcmp(key, "peer") != 0) || ip_parse(slice_of(value), &ip)) {
        snprintf(f->wrong, sizeof f->wrong, "severity WORD, host IP, peer IP");
        return false;
    }
    if (*key == 'h') {
        f->by_host = true;
        f->host = ip;
    } else {
        f->by_peer = true;
        f->peer[0] = '"';
        size_t n = ip_format(ip, f->peer + 1);
        f->peer[n + 1] = '"';
        f->peer[n + 2] = 0;
    }
    return true;
}

static void set_filter(struct filter *f)
{
    char words[FILTER_MAX], *left = words, *part;
    const char *key = NULL;
    memcpy(words, f->text, sizeof words);
    f->severity = 0;
    f->by_host = f->by_peer = false;
    f->wrong[0] = 0;
    while ((part = strsep(&left, " =")) != NULL) {
        if (!*part)
            continue;
        if (key && !take_word(f, key, part))
            return;
        key = key ? NULL : part;
    }
    if (key)
        snprintf(f->wrong, sizeof f->wrong, "a value is missing after '%.40s'", key);
}

static bool passes(const struct filter *f, const struct play_finding *x)
{
    char host[IP_TEXT_MAX];
    ip_format(f->host, host);
    if (x->severity < f->severity || (f->by_host && strcmp(x->host, host) != 0))
        return false;
    return !f->by_peer || memmem(x->json, x->json_n, f->peer, strlen(f->peer));
}

static void match_all(struct view *v)
{
    v->matches = 0;
    for (size_t i = 0; v->x && i < v->x->findings && i < PLAY_FINDINGS; i++)
        if (passes(&v->filter, &v->x->finding[i]))
            v->match[v->matches++] = i;
}

static bool host_passes(const struct filter *f, const struct play_host *h) { return !f->by_host || ip_eq(f->host, h->host); }

/* ---- the two panes ---- */

/* A column an hour: how many octaves below the largest; '!' above what is much for the hour. */
static void put_spark(int y, int x, const struct play_host *h)
{
    static const char *const level[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    uint64_t most = 1;
    for (size_t i = 0; i < 24; i++)
        most = h->hour[i] > most ? h->hour[i] : most;
    for (int i = 0; i < 24 && x + i < COLS; i++) {
        bool above = h->band && h->hour[i] > h->high[i];
        double part = log2(1 + (double)h->hour[i] / 65536) / log2(1 + (double)most / 65536);
        int n = h->hour[i] ? (int)(part * 7.99) + 1 : 0;
        if (above)
            attron(A_BOLD | A_REVERSE);
        put(y, x + i, level[n > 8 ? 8 : n < 0 ? 0 : n]);
        if (above)
            attroff(A_BOLD | A_REVERSE);
    }
}

static void put_host(int y, const struct play_host *h, bool chosen)
{
    char ip[IP_TEXT_MAX], bytes[FINDING_BYTES_TEXT_MAX], line[120];
    ip_format(h->host, ip);
    finding_bytes(h->bytes, bytes);
    if (chosen)
        attron(A_STANDOUT);
    snprintf(line, sizeof line, "%c%-20.39s %9.12s ", h->score > 0 ? '*' : ' ', ip, bytes);
    put(y, 0, line);
    if (h->score > 0)
        snprintf(line, sizeof line, "%6.2f ", h->score);
    else
        snprintf(line, sizeof line, "%6s ", "");
    put(y, 32, line);
    if (chosen)
        attroff(A_STANDOUT);
    put_spark(y, 40, h);
    put_foreign(y, 65, slice_of(h->interface));
}

static void put_finding(int y, const struct play_finding *f, bool chosen)
{
    char when[TIME_TEXT_MAX], bytes[FINDING_BYTES_TEXT_MAX], line[160];
    time_format(f->start_s, when);
    finding_bytes(f->bytes, bytes);
    if (chosen)
        attron(A_STANDOUT);
    snprintf(line, sizeof line, "%-13s %.10s %.5s  %-18.39s %9.12s  score %.2f  %.16s", finding_severity_word(f->severity), when, when + 11, f->host, bytes, f->score,
             f->uid);
    put_foreign(y, 0, slice_of(line));
    if (chosen)
        attroff(A_STANDOUT);
}

/* What is chosen stays on the screen. */
static void keep_in_sight(struct view *v, enum pane pane, size_t n, int lines)
{
    size_t room = lines > 0 ? (size_t)lines : 1;
    v->shown[pane] = n;
    if (v->chosen[pane] >= n)
        v->chosen[pane] = n ? n - 1 : 0;
    if (v->chosen[pane] < v->top[pane])
        v->top[pane] = v->chosen[pane];
    if (v->chosen[pane] >= v->top[pane] + room)
        v->top[pane] = v->chosen[pane] - room + 1;
}

static void draw_hosts(struct view *v, int from, int lines)
{
    size_t n = 0;
    for (size_t i = 0; i < v->x->ranked; i++)
        n += host_passes(&v->filter, &v->x->host[i]);
    keep_in_sight(v, PANE_HOSTS, n, lines);
    size_t at = 0;
    for (size_t i = 0; i < v->x->ranked; i++) {
        if (!host_passes(&v->filter, &v->x->host[i]))
            continue;
        if (at >= v->top[PANE_HOSTS] && at - v->top[PANE_HOSTS] < (size_t)lines)
            put_host(from + (int)(at - v->top[PANE_HOSTS]), &v->x->host[i], v->pane == PANE_HOSTS && at == v->chosen[PANE_HOSTS]);
        at++;
    }
}

static void draw_findings(struct view *v, int from, int lines)
{
    keep_in_sight(v, PANE_FINDINGS, v->matches, lines);
    for (size_t i = v->top[PANE_FINDINGS]; i < v->matches && i - v->top[PANE_FINDINGS] < (size_t)lines; i++)
        put_finding(from + (int)(i - v->top[PANE_FINDINGS]), &v->x->finding[v->match[i]], v->pane == PANE_FINDINGS && i == v->chosen[PANE_FINDINGS]);
    if (!v->matches)
        put(from, 0, v->x->findings ? "no finding passes the filter" : "no findings yet");
}

static void draw_top(const struct view *v)
{
    char line[400], when[TIME_TEXT_MAX];
    time_format(v->x->now_s, when);
    snprintf(line, sizeof line, " replay  %.10s %.5sZ  %s  %.0fx  %zu/%zu objects  %llu hosts", when, when + 11, v->x->done ? "at its end" : v->pause ? "PAUSED" : "playing", v->speed,
             v->x->step, v->x->steps, (unsigned long long)v->x->hosts);
    put_bar_line(0, line);
    put(1, 0, " HOST                     BYTES  SCORE  HOURS OF THE DAY (UTC)   INTERFACE");
}

static void draw_bottom(const struct view *v)
{
    char line[400];
    if (v->asking)
        snprintf(line, sizeof line, " filter: %s_", v->typed.text);
    else if (v->filter.wrong[0])
        snprintf(line, sizeof line, " filter: %s", v->filter.wrong);
    else
        snprintf(line, sizeof line, "%s%.60s   ? help  q quit  space pause  +/- speed  tab  enter  n/N next  / filter", v->filter.text[0] ? " filter: " : "",
                 v->filter.text);
    put_bar_line(LINES - 1, line);
}

/* ---- a page of text: details and help ---- */

static const char help[] =
    "Keys\n\n  up, down, page up, page down   choose, or scroll a page\n  tab                            hosts or findings\n"
    "  enter                          details of what is chosen\n  escape, backspace              back\n  n, N                           next or previous finding\n"
    "  /                              filter: severity WORD, host IP, peer IP; empty: all\n  space                          pause\n"
    "  +, -                           twice as fast, half as fast\n  q                              quit\n\n"
    "Hosts are ranked by the score of their finding, then by the bytes that they sent outside on the day. A star marks a host with a\n"
    "finding. A column for each hour of the day, each doubling a step up; inverse where it is more than is usual for that hour.\n"
    "Shown is what was known at that event time: a finding may still grow, or be withdrawn.\n";

static void page_close(struct view *v)
{
    free(v->page);
    v->page = NULL;
    v->page_top = 0;
}

static void page_show(struct view *v, char *text, size_t n)
{
    page_close(v);
    v->page = text;
    v->page_n = n;
    v->page_lines = 0;
    for (size_t i = 0; i < n; i++)
        v->page_lines += text[i] == '\n';
}

static void show_finding(struct view *v, const struct play_finding *f)
{
    char *text = NULL;
    size_t n = 0;
    struct fault fault;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return;
    enum weir_err err = sink_explain(out, (struct slice){f->json, f->json_n}, (struct sink_style){.width = (unsigned)COLS, .store = ""}, true, NULL, NULL, &fault);
    if (err)
        fprintf(out, "%s\n", fault.text);
    fclose(out);
    page_show(v, text, n);
}

static void show_host(struct view *v, const struct play_host *h)
{
    char *text = NULL, ip[IP_TEXT_MAX], sent[FINDING_BYTES_TEXT_MAX], usual[FINDING_BYTES_TEXT_MAX], high[FINDING_BYTES_TEXT_MAX];
    size_t n = 0;
    struct buffer interface;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return;
    buffer_init(&interface, 4096);
    escape_terminal(&interface, slice_of(h->interface));
    ip_format(h->host, ip);
    fprintf(out, "host %s, interface %s\n\nexternal bytes by hour (UTC)%s\n", ip, buffer_cstr(&interface), h->band ? ": sent, usual for such an hour, much for it" : "");
    for (size_t i = 0; i < 24; i++) {
        finding_bytes(h->hour[i], sent);
        finding_bytes(h->usual[i], usual);
        finding_bytes(h->high[i], high);
        fprintf(out, h->band ? "  %02zu  %10s  %10s  %10s%s\n" : "  %02zu  %10s\n", i, sent, usual, high, h->hour[i] > h->high[i] ? "  more than usual" : "");
    }
    fclose(out);
    buffer_fini(&interface);
    page_show(v, text, n);
}

static void draw_page(struct view *v)
{
    size_t room = LINES > 2 ? (size_t)LINES - 1 : 1, last = v->page_lines > room ? v->page_lines - room : 0, line = 0;
    char *at = v->page, *end = v->page + v->page_n;
    v->page_top = v->page_top < last ? v->page_top : last;
    for (; at && at < end && line < v->page_top + room; line++) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t n = newline ? (size_t)(newline - at) : (size_t)(end - at);
        if (line >= v->page_top)
            put_n((int)(line - v->page_top), 0, at, n);
        at = newline ? newline + 1 : NULL;
    }
    put_bar_line(LINES - 1, " up, down: scroll   escape: back   q: quit");
}

static void draw(struct view *v)
{
    erase();
    int findings = LINES > 12 ? FINDINGS_LINES : 2, below = LINES - 2 - findings;
    match_all(v);
    if (v->page) {
        draw_page(v);
    } else if (!v->x || v->x->error[0]) {
        put_foreign(LINES / 2, 2, slice_of(v->x ? v->x->error : "reading the first objects ..."));
        put_bar_line(LINES - 1, " q quit");
    } else {
        draw_top(v);
        draw_hosts(v, 2, below - 2);
        mvhline(below, 0, ACS_HLINE, COLS);
        put(below, 2, " FINDINGS ");
        draw_findings(v, below + 1, findings);
        draw_bottom(v);
    }
    refresh();
}

/* ---- keys ---- */

static void move_by(struct view *v, long by)
{
    size_t *at = v->page ? &v->page_top : &v->chosen[v->pane], n = v->page ? v->page_lines : v->shown[v->pane];
    long to = (long)*at + by;
    *at = to < 0 ? 0 : n && (size_t)to >= n ? n - 1 : (size_t)to;
}

static void open_chosen(struct view *v)
{
    size_t at = 0;
    if (!v->x || v->page)
        return;
    if (v->pane == PANE_FINDINGS) {
        if (v->chosen[PANE_FINDINGS] < v->matches)
            show_finding(v, &v->x->finding[v->match[v->chosen[PANE_FINDINGS]]]);
        return;
    }
    for (size_t i = 0; i < v->x->ranked; i++)
        if (host_passes(&v->filter, &v->x->host[i]) && at++ == v->chosen[PANE_HOSTS]) {
            show_host(v, &v->x->host[i]);
            return;
        }
}

static void type_key(struct view *v, int key)
{
    size_t n = strlen(v->typed.text);
    if (key == '\n' || key == KEY_ENTER) {
        v->filter = v->typed;
        set_filter(&v->filter);
        v->asking = false;
    } else if (key == 27) {
        v->asking = false;
    } else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && n) {
        v->typed.text[n - 1] = 0;
    } else if (key >= ' ' && key < 127 && n + 1 < FILTER_MAX) {
        v->typed.text[n] = (char)key;
        v->typed.text[n + 1] = 0;
    }
}

static void set_speed(struct view *v, double speed)
{
    v->speed = fmin(fmax(speed, 1), 1e6);
    play_set_speed(v->play, v->speed);
}

static void next_finding(struct view *v, long by)
{
    page_close(v);
    bool was_there = v->pane == PANE_FINDINGS;
    v->pane = PANE_FINDINGS;
    if (was_there)
        move_by(v, by);
}

static void command_key(struct view *v, int key)
{
    switch (key) {
    case 'q': v->quit = true; break;
    case ' ': v->pause = !v->pause; break;
    case '\t': v->pane = v->pane == PANE_HOSTS ? PANE_FINDINGS : PANE_HOSTS; break;
    case KEY_UP: move_by(v, -1); break;
    case KEY_DOWN: move_by(v, 1); break;
    case KEY_PPAGE: move_by(v, -(LINES - 2)); break;
    case KEY_NPAGE: move_by(v, LINES - 2); break;
    case 'n': next_finding(v, 1); break;
    case 'N': next_finding(v, -1); break;
    case '\n':
    case KEY_ENTER: open_chosen(v); break;
    case 27:
    case KEY_BACKSPACE:
    case 127: page_close(v); break;
    case '/':
        v->asking = true;
        v->typed = v->filter;
        break;
    case '?': page_show(v, strdup(help), sizeof help - 1); break;
    default: break;
    }
}

static void take_key(struct view *v, int key)
{
    if (v->asking)
        type_key(v, key);
    else
        command_key(v, key);
}

int play_view(struct app *app, struct play *p, double speed)
{
    struct view v = {.app = app, .play = p, .speed = speed, .match = calloc(PLAY_FINDINGS, sizeof *v.match)};
    if (!v.match || !setlocale(LC_CTYPE, "") || !initscr()) {
        free(v.match);
        return app_fail(app, &(struct fault){WEIR_IO, "cannot use the terminal"});
    }
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    timeout(TICK_MS);
    while (!v.quit && !app_interrupted()) {
        v.x = play_take(p);
        draw(&v);
        play_give(p);
        int key = getch();
        bool paused = v.pause;
        v.x = play_take(p);
        if (key != ERR && key != KEY_RESIZE)
            take_key(&v, key);
        play_give(p);
        if (paused != v.pause)
            play_pause(p, v.pause);
        if (!v.asking && (key == '+' || key == '-'))
            set_speed(&v, key == '+' ? v.speed * 2 : v.speed / 2);
    }
    endwin();
    page_close(&v);
    free(v.match);
    return APP_DONE;
}
