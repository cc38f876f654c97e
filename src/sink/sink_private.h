/* What the files of this room share: reading a finding's JSON, lines for people, one writer per format.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_SINK_PRIVATE_H
#define WEIR_SINK_PRIVATE_H

#include <jansson.h>

#include "weir/sink.h"

/* ---- view.c: a finding as stored. Stored bytes are foreign too: a wrong type reads as empty, zero or false. ---- */
/* The document, owned by the caller (json_decref), or NULL with fault: not one JSON object. */
json_t *view_load(struct slice text, struct fault *fault);
/* path: keys joined by dots, "finding_info.uid"; "" is the value itself. */
const json_t *view_at(const json_t *in, const char *path);
struct slice view_text(const json_t *in, const char *path);
uint64_t view_u64(const json_t *in, const char *path);
double view_real(const json_t *in, const char *path);
bool view_bool(const json_t *in, const char *path);
/* An array's length and elements; anything else has none. */
size_t view_count(const json_t *in, const char *path);
const json_t *view_item(const json_t *in, const char *path, size_t i);
enum score_test view_test(const json_t *part); /* of a part, SCORE_TEST_COUNT: none that is known */
/* The log scale of the baselines: octaves = log2(1 + bytes / 65536). */
double bytes_to_octaves(uint64_t bytes);
uint64_t octaves_to_bytes(double octaves);

/* ---- page.c: lines for people. A line is collected, then written wrapped; what comes from input goes in escaped. ---- */
#define COLOUR_RED "\033[1;31m"
#define COLOUR_YELLOW "\033[33m"
#define COLOUR_BOLD "\033[1m"
struct page {
    FILE *out;
    struct sink_style style;
    struct buffer line;
    int failed; /* errno of the first write that failed: later calls overwrite errno */
};
void page_init(struct page *p, FILE *out, struct sink_style style);
enum weir_err page_fini(struct page *p, struct fault *fault); /* IO or the error of the line */
void page_write(struct page *p, const char *text, size_t n);  /* past the line; a failure is kept for page_fault */
enum weir_err page_fault(struct page *p, struct fault *fault); /* IO if a write failed, unless nobody reads any more */
void page_text(struct page *p, struct slice text);            /* escaped for a terminal */
void page_commas(struct page *p, uint64_t v);                 /* 41,095,890,520 */
void page_count(struct page *p, uint64_t n, const char *what); /* "412 records", "1 record" */
void page_range(struct page *p, uint64_t first, uint64_t last, int digits, const char *what); /* "hours 09 to 10", "hour 09" */
void page_bytes(struct page *p, uint64_t v);                  /* 41.1 GB */
void page_fixed(struct page *p, double v, unsigned decimals); /* 19.258; three decimals or one */
void page_rate(struct page *p, double rate);                  /* 0.0003 -> "once in 3,300 host-days" */
void page_when(struct page *p, const json_t *finding, const char *path); /* of milliseconds: 2026-03-02T09:10:00Z */
void page_bar(struct page *p, double part);                   /* 0..1 of the widest bar */
void page_pad(struct page *p, size_t column);                 /* blanks up to that column, one at least */
/* Write the line: wrapped between words, continued with `hang` blanks, painted with colour (may be NULL) up to `painted` bytes. */
void page_end_painted(struct page *p, size_t hang, const char *colour, size_t painted);
void page_end(struct page *p, size_t hang);
void page_end_whole(struct page *p); /* not wrapped: a command, to be copied */
void page_heading(struct page *p, const char *text); /* a blank line before it */
const char *severity_colour(unsigned severity_id);

/* ---- one writer per format ---- */
void table_add(struct page *p, const json_t *finding, bool first);
/* "marked benign on 2026-03-03: the new backup"; nothing without a mark. */
void say_mark(struct page *p, const json_t *finding, size_t indent);
/* "suppressed by nightly-backup until 2026-12-31 (anna): ticket 4711", or that it has outgrown it; nothing without one. */
void say_suppression(struct page *p, const json_t *finding, size_t indent);
void csv_header(struct buffer *out);
void csv_add(struct buffer *out, const json_t *finding);
/* Copy a JSON text that view_load has accepted: blanks between tokens go or become an indent, hidden characters inside texts become \u escapes. */
void copy_json(struct buffer *out, struct slice text, bool pretty);

/* ---- explain_more.c: part of explain ---- */
void explain_more(struct page *p, const json_t *finding);          /* why not sooner, what would silence it */
void explain_excess_again(struct page *p, const json_t *part);     /* nothing when it is as stored */
void explain_score_again(struct page *p, const json_t *day);

/* ---- places.c: part of explain ---- */
struct places_asked {
    bool all_lines;
    sink_object_name *name_of;
    void *ctx;
};
const char *protocol_word(uint64_t number); /* "TCP", or NULL */
void explain_places(struct page *p, const json_t *finding, const struct places_asked *asked);

#endif
