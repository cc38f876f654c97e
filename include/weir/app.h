/* SPDX-License-Identifier: Apache-2.0 */
/* app - above all rooms: commands and their options, the configuration, the terminal, our own log.
 *
 * A command is one file src/app/cmd_NAME.c with one const struct command; command.c lists them. The dispatcher parses the
 * options, loads the configuration, makes the log and catches signals; run() gets the operands only.
 * Order of a value: flag > environment WEIR_* > file > default; each value knows where it came from. */
#ifndef WEIR_APP_H
#define WEIR_APP_H

#include <stdio.h>

#include "weir/base.h"

#define WEIR_PROGRAM_VERSION "0.1.0"

/* Findings do not change DONE: a scheduler would retry a good run. FINDINGS beats REJECTED. */
enum app_exit { APP_DONE = 0, APP_FAILED = 1, APP_USAGE = 2, APP_FINDINGS = 3, APP_REJECTED = 4, APP_UNAVAILABLE = 75 };
enum app_exit app_exit_of(enum weir_err err); /* OK, INTERRUPTED: 0 · USAGE, VERSION: 2 · UNAVAILABLE, BUSY, ROLLBACK: 75 · else 1 */

/* ---- configuration: members, types, defaults and ranges in src/app/params.def ---- */
struct text_list {
    const char **item;
    size_t n;
};
struct budget { /* findings per `per` host-days; per = 0: findings a week, over all hosts; weekly: at least so many a week */
    uint32_t findings, per, weekly;
};
/* Named mappings in the file: roles, rules, sinks and suppressions. What each may hold is a table in src/app/config_entries.c. */
struct config_entry {
    const char *name;
    unsigned line, column; /* where it begins */
    unsigned given;        /* bit per field of the table that stands in the file */
};
struct config_role {
    struct config_entry entry;
    struct text_list networks, interfaces;
    bool sensitive;
    uint64_t daily_ceiling; /* 0: none */
};
struct config_rule {
    struct config_entry entry;
    const char *into, *out_of; /* one of them, the other NULL */
    struct text_list ports, from, to;
};
struct config_sink { /* NULL: not given; which of them a type takes stands in src/app/config_sinks.c */
    struct config_entry entry;
    const char *type, *path, *url, *secret_file, *ca_file, *cert_file, *key_file;
    uint64_t rotate, max_message;
    bool suppressed; /* those too */
};
struct config_suppression {
    struct config_entry entry;
    struct text_list hosts, peers, tests; /* empty: any */
    const char *owner, *reason, *expires;
    uint64_t up_to; /* bytes a day */
};
struct entry_list {
    struct config_entry **item; /* all of the struct that the key's kind of entry has; by name once finished */
    size_t n;
};
/* False findings per host-day. hosts is used for a weekly budget only (0 counts as 1). */
double budget_per_host_day(struct budget budget, uint64_t hosts);

enum config_from { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG };
struct config_origin {
    enum config_from from;
    const char *name; /* the file, variable or flag; "" for a default */
    unsigned line;    /* of the file; 0 otherwise */
};

#define PARAM_C_TEXT const char *
#define PARAM_C_NUMBER uint64_t
#define PARAM_C_BYTES uint64_t
#define PARAM_C_TIME uint64_t
#define PARAM_C_BUDGET struct budget
#define PARAM_C_CHOICE unsigned
#define PARAM_C_CIDRS struct text_list
#define PARAM_C_PLACES struct text_list
#define PARAM_C_ROLES struct entry_list
#define PARAM_C_RULES struct entry_list
#define PARAM_C_SINKS struct entry_list
#define PARAM_C_SUPPRESSIONS struct entry_list

enum param_id {
#define PARAM(type, member, key, def, min, max, unit, scope, text) PARAM_##member,
#include "app/params.def"
#undef PARAM
    PARAM_COUNT
};

struct config {
#define PARAM(type, member, key, def, min, max, unit, scope, text) PARAM_C_##type member;
#include "app/params.def"
#undef PARAM
    /* From networks.own and networks.forwarders, sealed and sorted; NULL when nothing is configured. */
    struct cidr_set *own_networks, *forwarder_networks;
    const char **forwarder_interfaces;
    size_t forwarder_interfaces_n;
    uint32_t tests_left_out;      /* bit per enum score_test, from detection.without */
    struct roles *role_map;       /* app/roles.h; NULL: no roles */
    struct policy *policy_rules;  /* app/policy.h; NULL: no rules */

    struct config_origin origin[PARAM_COUNT];
    const char *default_store; /* what an empty store means; "" if nothing tells where state lives */
    struct arena *arena;       /* owns all text above */
};

/* Defaults; env as environ (borrowed for the call) tells where state lives. NULL if out of memory. */
struct config *config_new(char *const *env);
void config_free(struct config *c);
/* YAML text from memory (any bytes), named for messages. On failure some keys may be set: do not use c. */
WEIR_MUST_USE enum weir_err config_read_text(struct config *c, struct slice yaml, const char *name, struct fault *fault);
/* The file at path. USAGE with fault for anything wrong, also a missing file. *loose: others may write to it. */
WEIR_MUST_USE enum weir_err config_read_file(struct config *c, const char *path, bool *loose, struct fault *fault);
/* Every WEIR_* variable; one that names no key is USAGE (but for WEIR_FAILPOINT, WEIR_CONFIG and those that Kubernetes sets). */
WEIR_MUST_USE enum weir_err config_read_env(struct config *c, char *const *env, struct fault *fault);
/* One value as text; a list is comma separated. from: FROM_ENVIRONMENT or FROM_FLAG, name: the variable or flag. */
WEIR_MUST_USE enum weir_err config_set(struct config *c, enum param_id id, struct slice text, enum config_from from,
                                       const char *name, struct fault *fault);
/* Build what follows from the values; call once, after all reading. */
WEIR_MUST_USE enum weir_err config_finish(struct config *c, struct fault *fault);
/* 16 hex digits of SHA-256 over the keys that influence findings; the order of a list does not matter. */
void config_hash(const struct config *c, char out[17]);
/* The value as the parser reads it back; a list is comma separated. */
void config_value(const struct config *c, enum param_id id, struct buffer *out);
/* All values as YAML that parses to the same configuration, with comments that tell where each came from. */
void config_show(const struct config *c, struct buffer *out);

/* ---- our own log: one line an event on stderr; msg is a fixed string, data stand in fields. Thread-safe. ---- */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG }; /* as log.level */
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };                              /* as log.format */
struct log_field {
    const char *key; /* NULL ends the list */
    struct slice text;
    uint64_t number; /* when text.p is NULL */
};
#define LOG_TEXT(key, slice) ((struct log_field){key, slice, 0})
#define LOG_NUMBER(key, value) ((struct log_field){key, {NULL, 0}, value})
struct log;
typedef int64_t log_clock(void); /* nanoseconds since 1970 UTC */
struct log *log_new(FILE *out, enum log_level level, enum log_format format, log_clock *clock); /* NULL if out of memory */
void log_for_journal(struct log *log); /* each line starts with <N>, the priority that systemd reads */
void log_free(struct log *log); /* sums up what was held back; NULL is fine, here and below */
/* More than 10 of one msg a minute are counted and summed up in one line. fields end with key NULL. */
void log_write(struct log *log, enum log_level level, const char *msg, const struct log_field *fields);
/* log_info(log, "checkpoint committed", LOG_NUMBER("objects", n)) */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){NULL, {NULL, 0}, 0}})
#define log_error(log, msg, ...) log_write(log, LOG_LEVEL_ERROR, msg, LOG_FIELDS(__VA_ARGS__))
#define log_warn(log, msg, ...) log_write(log, LOG_LEVEL_WARN, msg, LOG_FIELDS(__VA_ARGS__))
#define log_info(log, msg, ...) log_write(log, LOG_LEVEL_INFO, msg, LOG_FIELDS(__VA_ARGS__))
#define log_debug(log, msg, ...) log_write(log, LOG_LEVEL_DEBUG, msg, LOG_FIELDS(__VA_ARGS__))

/* ---- progress: a bar on stderr with rate and time left. Every function takes NULL: no terminal, or --quiet. ---- */
struct app;
struct progress;
struct progress *progress_new(struct app *app, uint64_t total_bytes);
void progress_add(struct progress *p, uint64_t bytes); /* from any thread; draws at most 10 times a second */
void progress_hide(struct progress *p);                /* erase until the next draw: somebody writes to stderr */
void progress_done(struct progress *p);                /* erase and free */

/* ---- commands ---- */
enum option_type { OPTION_FLAG, OPTION_TEXT }; /* bool, const char * */
struct option_row {
    const char *name;     /* without -- */
    const char *argument; /* what stands for the value in --help; NULL for a flag */
    const char *help;     /* lower case, no full stop, the effect of giving it */
    enum option_type type;
    size_t offset;        /* of the member in the command's options struct, which starts zeroed */
};
/* Options shared by commands; --help and --config are always there. */
enum common_options {
    COMMON_STORE = 1,   /* --store URL */
    COMMON_OUTPUT = 2,  /* --format WORD, --color WHEN, --pretty */
    COMMON_INPUT = 4,   /* --fields LIST, --threads N */
    COMMON_GEO = 8,     /* --geo-country FILE, --geo-asn FILE */
    COMMON_RUN = 16,    /* --quiet, --summary FILE, --log-level WORD, --log-format WORD */
};
struct command {
    const char *name;
    const char *summary;   /* one line of `weir --help`: lower case, no full stop */
    const char *operands;  /* of the usage line: "PATH...", "" */
    const char *help;      /* a paragraph of `weir NAME --help` */
    unsigned common;       /* enum common_options */
    const struct option_row *options; size_t options_n;
    size_t options_bytes;  /* size of the command's options struct */
    size_t operands_min, operands_max;
    bool loads_own_config; /* run() loads app->config itself, by app_load_config() */
    int (*run)(struct app *app, int argc, char **argv); /* operands only: argv[0..argc), argv[argc] is NULL; enum app_exit */
};
/* In the order of `weir --help`. */
#define COMMAND_LIST(X) \
    X(batch) \
    X(serve) X(capture) \
    X(findings) \
    X(explain) \
    X(report) \
    X(evidence) \
    X(verify) \
    X(replay) \
    X(diff) \
    X(mark) \
    X(deliver) \
    X(suppressions) \
    X(budget) \
    X(coverage) \
    X(baseline) \
    X(audit) \
    X(policy) \
    X(check) \
    X(config)
#define COMMAND_EXTERN(name) extern const struct command command_##name;
COMMAND_LIST(COMMAND_EXTERN)

struct app {
    const struct command *command;
    struct config *config;    /* finished; NULL before app_load_config */
    const void *options;      /* the command's options struct */
    struct log *log;
    struct progress *progress; /* shown now, or NULL */
    FILE *out, *err;          /* data, talk */
    char *const *env;
    const char *config_path;  /* --config, or NULL */
    const char *summary_path; /* --summary, or NULL; "-" is stdout */
    bool quiet, pretty;
    bool colour;              /* of out, decided */
    unsigned width;           /* columns of out when it is a terminal, else 0 */
    int64_t now_s;            /* records of later times are not there yet; 0: by the clock */
    const char *flag[PARAM_COUNT]; /* values given as flags, NULL if not */
};

/* The whole program but for signals: what main() does. Returns the exit code. */
int app_main(int argc, char **argv, char *const *env, FILE *out, FILE *err);
/* Read file, environment and flags into app->config; says on app->err what is wrong with it. WEIR_OK or the error to exit with. */
WEIR_MUST_USE enum weir_err app_load_config(struct app *app);
/* "weir: TEXT" on app->err; the text is escaped for a terminal. */
void app_complain(struct app *app, const char *format, ...) WEIR_PRINTF(2, 3);
/* Complain and return the exit code of the fault. */
int app_fail(struct app *app, const struct fault *fault);
unsigned app_threads(const struct app *app); /* threads, or the number of processors (1 to 64) */

/* First SIGINT or SIGTERM: app_interrupted() becomes true, the run ends at the next border with a checkpoint and 0.
 * A second SIGINT ends the program at once. SIGPIPE is ignored: a closed stdout is EPIPE, which is quiet. */
void app_catch_signals(void);
bool app_interrupted(void);
/* For a service: SIGHUP no longer ends the program. */
void app_catch_hangup(void);
bool app_take_hangup(void); /* true once for one SIGHUP or several */

#endif
