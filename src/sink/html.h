/* What the files of the HTML report share. The document is the line of a struct page that is never ended: so numbers and names read in a
 * report as they do in a terminal, by the same functions.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_SINK_HTML_H
#define WEIR_SINK_HTML_H

#include "sink/sink_private.h"

/* ---- html.c: text of input goes through these only; attributes never hold any ---- */
void html(struct page *p, const char *ours);           /* markup of our own, as it is */
void html_text(struct page *p, struct slice text);     /* escaped */
void html_path(struct page *p, const json_t *in, const char *path);
void html_bytes(struct page *p, uint64_t v);           /* 41.1 GB, with the exact number behind it */
void html_section(struct page *p, const char *title);  /* </section> and <section> are the caller's pairs: this opens, "</section>" closes */
void html_row(struct page *p, const char *name, struct slice text); /* a row of two cells, left out when the text is empty */

/* ---- html_finding.c ---- */
void html_finding(struct page *p, const json_t *finding, size_t number, const struct places_asked *asked);
/* ---- html_plot.c: two pictures, the days and the hours ---- */
void html_plots(struct page *p, const json_t *finding, size_t number);
/* ---- html_parts.c: why it was raised, and what was ruled out ---- */
void html_parts(struct page *p, const json_t *finding);
void html_ruled_out(struct page *p, const json_t *finding);
/* ---- html_places.c: peers, objects and lines ---- */
void html_peers(struct page *p, const json_t *finding);
void html_places(struct page *p, const json_t *finding, const struct places_asked *asked);
/* The part of all days with the smallest rate against its threshold; NULL if nothing was raised. Its day in *day. */
const json_t *lead_part(const json_t *finding, const json_t **day);

#endif
