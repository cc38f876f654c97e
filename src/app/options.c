/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - command lines from tables: one row an option makes the parser (getopt_long) and the help text.
 *
 * A row stores into a struct at an offset: the common rows into struct app (a configuration key into app->flag[key]), a
 * command's rows into its own struct. Operands and options may be mixed; "--" ends the options. */
#include "app/terminal.h"

#include <getopt.h>
#include <string.h>

#define ROWS_MAX 48
#define FIRST_VALUE 256 /* getopt's value of row i is this + i: no letter */

#define FLAG_OF(member) offsetof(struct app, flag) + sizeof(const char *) * PARAM_##member
static const struct {
    unsigned when;
    struct option_row row;
} common_rows[] = {
    {COMMON_STORE, {"store", "URL", "where state and findings live: sqlite:PATH, redis://HOST:PORT and others", OPTION_TEXT, FLAG_OF(store)}},
    {0, {"config", "FILE", "read this configuration file", OPTION_TEXT, offsetof(struct app, config_path)}},
    {COMMON_INPUT, {"fields", "NAMES", "columns of logs that have no header line", OPTION_TEXT, FLAG_OF(fields)}},
    {COMMON_INPUT, {"threads", "N", "threads that read objects; 0: one for each processor", OPTION_TEXT, FLAG_OF(threads)}},
    {COMMON_OUTPUT, {"format", "WORD", "table, json, ndjson, csv or ocsf", OPTION_TEXT, FLAG_OF(format)}},
    {COMMON_OUTPUT, {"pretty", NULL, "indent JSON", OPTION_FLAG, offsetof(struct app, pretty)}},
    {COMMON_OUTPUT, {"color", "WHEN", "auto, always or never", OPTION_TEXT, FLAG_OF(color)}},
    {COMMON_GEO, {"geo-country", "FILE", "MaxMind DB or table with the country of an address", OPTION_TEXT, FLAG_OF(geo_country)}},
    {COMMON_GEO, {"geo-asn", "FILE", "MaxMind DB or ip2asn table with the autonomous system of an address", OPTION_TEXT, FLAG_OF(geo_asn)}},
    {COMMON_RUN, {"summary", "FILE", "write every counter of the run as one JSON object", OPTION_TEXT, offsetof(struct app, summary_path)}},
    {COMMON_RUN, {"quiet", NULL, "no progress bar, no summary, warnings only", OPTION_FLAG, offsetof(struct app, quiet)}},
    {COMMON_RUN, {"log-level", "WORD", "error, warn, info or debug", OPTION_TEXT, FLAG_OF(log_level)}},
    {COMMON_RUN, {"log-format", "WORD", "logfmt or json", OPTION_TEXT, FLAG_OF(log_format)}},
};

/* The rows of one command and the struct each stores into. */
struct rows {
    const struct option_row *row[ROWS_MAX];
    void *base[ROWS_MAX];
    size_t n;
};

static void rows_add(struct rows *rows, const struct option_row *row, void *base)
{
    if (rows->n < ROWS_MAX) {
        rows->row[rows->n] = row;
        rows->base[rows->n++] = base;
    }
}

static void rows_of(const struct command *command, struct app *app, void *own, struct rows *rows)
{
    rows->n = 0;
    for (size_t i = 0; i < command->options_n; i++)
        rows_add(rows, &command->options[i], own);
    for (size_t i = 0; i < WEIR_COUNT(common_rows); i++)
        if (!common_rows[i].when || (common_rows[i].when & command->common))
            rows_add(rows, &common_rows[i].row, app);
}

const char *options_flag_of(enum param_id id)
{
    for (size_t i = 0; i < WEIR_COUNT(common_rows); i++)
        if (common_rows[i].row.offset == offsetof(struct app, flag) + sizeof(const char *) * id)
            return common_rows[i].row.name;
    return NULL;
}

static void store_value(const struct option_row *row, void *base, const char *value)
{
    void *to = (char *)base + row->offset;
    if (row->type == OPTION_FLAG)
        *(bool *)to = true;
    else
        *(const char **)to = value;
}

/* The one option with a short form besides -h: what to write. */
static bool is_output(const struct option_row *row) { return strcmp(row->name, "output") == 0; }

/* The row of getopt's value: of an option that it took, or that lacks its argument. rows->n: none. */
static size_t row_of(const struct rows *rows, int value)
{
    size_t i = value >= FIRST_VALUE ? (size_t)(value - FIRST_VALUE) : 0;
    while (value == 'o' && i < rows->n && !is_output(rows->row[i]))
        i++;
    return (value >= FIRST_VALUE || value == 'o') && i < rows->n ? i : rows->n;
}

/* What getopt refused: argument is the word of argv, value getopt's optopt (the row of an option it knows, or a letter). */
static enum weir_err refuse(const struct rows *rows, const char *command, int kind, int value, const char *argument, struct fault *fault)
{
    if (row_of(rows, value) < rows->n) {
        const char *name = rows->row[row_of(rows, value)]->name;
        return fault_set(fault, WEIR_USAGE, kind == ':' ? "option '--%s' needs a value" : "option '--%s' takes no value", name);
    }
    if (value != 0)
        return fault_set(fault, WEIR_USAGE, "unknown option '-%c', see 'weir %s --help'", value >= 0x20 && value < 0x7f ? value : '?', command);
    const char *names[ROWS_MAX + 1] = {"help"};
    for (size_t i = 0; i < rows->n; i++)
        names[i + 1] = rows->row[i]->name;
    struct slice wrong = slice_of(argument);
    wrong = (struct slice){wrong.p + 2, strcspn(wrong.p + 2, "=")};
    const char *near = nearest_name(wrong, names, rows->n + 1);
    int n = (int)(wrong.n > 80 ? 80 : wrong.n);
    if (near)
        return fault_set(fault, WEIR_USAGE, "unknown option '--%.*s', the nearest is '--%s'", n, wrong.p, near);
    return fault_set(fault, WEIR_USAGE, "unknown option '--%.*s', see 'weir %s --help'", n, wrong.p, command);
}

enum weir_err options_parse(struct app *app, int argc, char **argv, void *own, int *operands, bool *help, struct fault *fault)
{
    struct rows rows;
    struct option table[ROWS_MAX + 2] = {{"help", no_argument, NULL, 'h'}};
    rows_of(app->command, app, own, &rows);
    for (size_t i = 0; i < rows.n; i++)
        table[i + 1] = (struct option){rows.row[i]->name, rows.row[i]->argument ? required_argument : no_argument, NULL, FIRST_VALUE + (int)i};
    *help = false;
    const char *letters = row_of(&rows, 'o') < rows.n ? ":ho:" : ":h";
    optind = 0; /* GNU: start anew, so that a test may parse twice */
    opterr = 0;
    for (int value; (value = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
        if (value == '?' || value == ':')
            return refuse(&rows, app->command->name, value, optopt, argv[optind - 1], fault);
        size_t row = row_of(&rows, value);
        if (value == 'h')
            *help = true;
        else
            store_value(rows.row[row], rows.base[row], optarg);
    }
    *operands = optind;
    return WEIR_OK;
}

static void put_row(const char *letter, const char *name, const char *argument, const char *help, struct buffer *out)
{
    char left[64];
    snprintf(left, sizeof left, "%s--%s%s%s", letter, name, argument ? " " : "", argument ? argument : "");
    buffer_printf(out, "  %-22s  %s\n", left, help);
}

void options_help(const struct command *command, struct buffer *out)
{
    struct rows rows;
    rows_of(command, NULL, NULL, &rows);
    buffer_printf(out, "usage: weir %s [OPTIONS]%s%s\n\n%s\n\noptions:\n", command->name, command->operands[0] ? " " : "", command->operands, command->help);
    for (size_t i = 0; i < rows.n; i++)
        put_row(is_output(rows.row[i]) ? "-o, " : "", rows.row[i]->name, rows.row[i]->argument, rows.row[i]->help, out);
    put_row("", "help", NULL, "show this text", out);
}
