/* `weir report`: findings as one HTML document that stands alone: no script, no request, style and pictures inside, so that it opens in six
 * years and passes any mail gateway. Nothing of the input gets into a URL, a style or an attribute. It holds no time of making: the same
 * findings give the same bytes.
 * Style: system fonts, one column, tables that become lists on a telephone, light and dark by the reader's wish, black on white on paper.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "sink/html.h"

struct report {
    struct page body, index;
    size_t findings;
};

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>weir: report of findings</title>\n<style>\n"
    ":root{--ink:#17191c;--soft:#51565d;--line:#c3c8ce;--paper:#fff;--shade:#f1f3f5;--band:#bcd7ee;--hot:#9c1c1c;--link:#0b4f9e}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e9eaec;--soft:#b3b8bf;--line:#4b5158;--paper:#16181b;--shade:#22262a;--band:#2c4c68;"
    "--hot:#ff9d94;--link:#8cc1ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:62rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}\n"
    "h1{font-size:1rem;font-weight:600;color:var(--soft);margin:0 0 1rem}\nh2{font-size:1.5rem;line-height:1.25;margin:.4rem 0}\n"
    "h3{font-size:1.1rem;margin:1.8rem 0 .5rem;border-bottom:1px solid var(--line)}\nh4{font-size:1rem;margin:1rem 0 .3rem}\n"
    "a{color:var(--link)}\np{margin:.5rem 0}\n.lead{font-size:1.15rem}\n.soft{color:var(--soft);font-size:.9rem}\n"
    "code,.mono{font-family:ui-monospace,monospace;font-size:.9em}\npre{background:var(--shade);padding:.5rem;white-space:pre-wrap;margin:.3rem 0}\n"
    ".badge{display:inline-block;border:2px solid currentColor;border-radius:.3rem;padding:0 .5rem;font-weight:700;color:var(--hot)}\n"
    ".calm{color:var(--soft)}\n"
    ".five{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.5rem;margin:1rem 0}\n"
    ".five div{background:var(--shade);padding:.5rem;border-left:4px solid var(--line)}\n.five dt{color:var(--soft);font-size:.85rem}\n"
    ".five dd{margin:0;font-weight:600}\n.five small{display:block;font-size:.85rem;font-weight:400;color:var(--soft)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.92rem}\nth,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;"
    "border-bottom:1px solid var(--line)}\nth{font-weight:600;overflow-wrap:normal}\n.ip{overflow-wrap:normal}\n.num{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal;"
    "white-space:nowrap}.num .soft{display:block;white-space:normal}\n.when{white-space:nowrap}\n"
    "caption{text-align:left;color:var(--soft);font-size:.9rem}\n"
    ".plots{display:flex;flex-wrap:wrap;gap:1rem}\nfigure{flex:1 1 20rem;margin:0}\nsvg{width:100%;height:auto;font:11px system-ui,sans-serif}\n"
    "figcaption{color:var(--soft);font-size:.9rem}\n"
    ".bar{fill:var(--soft)}\n.hot{stroke:var(--hot);stroke-width:1}\n.axis{stroke:var(--line);stroke-width:1}\n.band{fill:var(--band);shape-rendering:crispEdges}\n"
    ".usual{stroke:var(--link);stroke-width:1.5;fill:none;stroke-dasharray:4 2}\nsvg text{fill:var(--ink)}\n.hatch{stroke:var(--hot);stroke-width:3}\n"
    ".scale{display:grid;grid-template-columns:1fr 1fr;min-width:8rem;height:.9rem;background:var(--shade)}\n"
    ".scale i{display:block;height:100%;background:var(--soft)}\n.for{grid-column:2;background:var(--hot)!important}\n"
    ".against{grid-column:1;justify-self:end;border:1px solid var(--soft);background:none!important}\n"
    "footer{margin-top:2rem;color:var(--soft);font-size:.85rem;border-top:1px solid var(--line)}\narticle+article{border-top:4px solid var(--line);"
    "margin-top:3rem;padding-top:1rem}\n"
    "@media(max-width:40rem){table.stack thead{position:absolute;left:-99rem}table.stack tr{display:block;border-bottom:1px solid var(--line);"
    "padding:.4rem 0}table.stack td,table.stack th{display:block;border:0;padding:0;text-align:left;overflow-wrap:anywhere}table.stack td[data-l]::before{content:attr(data-l) \": \";"
    "color:var(--soft)}h2{font-size:1.25rem}}\n"
    "@media print{:root{--ink:#000;--soft:#333;--line:#999;--paper:#fff;--shade:#f4f4f4;--band:#ccc;--hot:#000;--link:#000;font-size:10pt}body{max-width:none;padding:0;"
    "}article+article{break-before:page;border:0}figure,tr,.five div,pre{break-inside:avoid}h3,h4{break-after:avoid}a{text-decoration:none}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n"
    "@page{margin:15mm}\n"
    "</style>\n</head>\n<body>\n<main>\n";

/* ---- pieces ---- */

void html(struct page *p, const char *ours) { buffer_puts(&p->line, ours); }
void html_text(struct page *p, struct slice text) { escape_html(&p->line, text); }
void html_path(struct page *p, const json_t *in, const char *path) { html_text(p, view_text(in, path)); }

void html_bytes(struct page *p, uint64_t v)
{
    page_bytes(p, v);
    html(p, " <span class=\"soft\">(");
    page_commas(p, v);
    html(p, ")</span>");
}

void html_section(struct page *p, const char *title)
{
    html(p, "<section>\n<h3>");
    html(p, title);
    html(p, "</h3>\n");
}

void html_row(struct page *p, const char *name, struct slice text)
{
    if (!text.n) return;
    html(p, "<tr><th scope=\"row\">");
    html(p, name);
    html(p, "</th><td>");
    html_text(p, text);
    html(p, "</td></tr>\n");
}

/* ---- the document ---- */

struct report *report_new(void)
{
    struct report *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    page_init(&r->body, NULL, (struct sink_style){.width = 0});
    page_init(&r->index, NULL, (struct sink_style){.width = 0});
    return r;
}

void report_free(struct report *r)
{
    if (!r) return;
    buffer_fini(&r->body.line);
    buffer_fini(&r->index.line);
    free(r);
}

static void put_index_row(struct page *p, const json_t *finding, size_t number)
{
    const json_t *peer = view_item(finding, "evidences", 0);
    buffer_printf(&p->line, "<tr><td data-l=\"Finding\"><a href=\"#f%zu\">", number);
    html_path(p, finding, "finding_info.title");
    html(p, "</a></td><td data-l=\"Severity\">");
    html(p, finding_severity_word((unsigned)view_u64(finding, "severity_id")));
    html(p, "</td><td data-l=\"Since (UTC)\">");
    page_when(p, finding, "start_time");
    html(p, "</td><td data-l=\"Host\">");
    html_path(p, view_item(finding, "resources", 0), view_text(finding, "unmapped.weir.operational").n ? "name" : "ip");
    html(p, "</td><td data-l=\"To\">");
    html_path(p, peer, "dst_endpoint.ip");
    html(p, "</td><td class=\"num\" data-l=\"Bytes\">");
    page_bytes(p, view_u64(finding, "unmapped.weir.bytes"));
    html(p, "</td></tr>\n");
}

enum weir_err report_add(struct report *r, struct slice finding_json, sink_object_name *name_of, void *ctx, struct fault *fault)
{
    json_t *finding = view_load(finding_json, fault);
    if (!finding) return WEIR_CORRUPT;
    r->findings++;
    put_index_row(&r->index, finding, r->findings);
    html_finding(&r->body, finding, r->findings, &(struct places_asked){false, name_of, ctx});
    json_decref(finding);
    enum weir_err err = r->body.line.err ? r->body.line.err : r->index.line.err;
    return err ? fault_set(fault, err, "cannot make the report: %s", weir_err_text(err)) : WEIR_OK;
}

static void put_index(const struct report *r, struct buffer *out)
{
    if (r->findings == 1) return;
    buffer_puts(out, "<nav aria-label=\"Findings\">\n<table class=\"stack\">\n<thead><tr><th scope=\"col\">Finding</th><th scope=\"col\">Severity</th>"
                     "<th scope=\"col\">Since (UTC)</th><th scope=\"col\">Host</th><th scope=\"col\">To</th><th scope=\"col\" class=\"num\">Bytes</th></tr></thead>\n<tbody>\n");
    buffer_put(out, r->index.line.p, r->index.line.n);
    buffer_puts(out, "</tbody>\n</table>\n</nav>\n");
}

enum weir_err report_end(const struct report *r, struct buffer *out)
{
    buffer_puts(out, head);
    buffer_printf(out, "<h1>weir: %zu finding%s</h1>\n", r->findings, r->findings == 1 ? "" : "s");
    if (r->findings) {
        put_index(r, out);
        buffer_put(out, r->body.line.p, r->body.line.n);
    }
    buffer_puts(out, "</main>\n</body>\n</html>\n");
    return out->err;
}
