/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as claims: words, exit codes, options, the log and its limit, the bar on a real pseudo-terminal, and
 * signals. Commands that read input have their own tests; here `config` stands for all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "app/terminal.h"

static char *home_env[] = {"HOME=/nonexistent/home", NULL};

struct run {
    int rc;
    char *out, *err;
};

static struct run weir_env(char *const *env, const char *const *words, size_t n)
{
    struct run r = {0};
    size_t out_n = 0, err_n = 0;
    char *argv[16] = {"weir"};
    FILE *out = open_memstream(&r.out, &out_n), *err = open_memstream(&r.err, &err_n);
    assert_true(out && err && n < 15);
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = (strdup)(words[i]);
    char *owned[16];
    memcpy(owned, argv, sizeof owned); /* getopt permutes */
    r.rc = app_main((int)n + 1, argv, env, out, err);
    fclose(out);
    fclose(err);
    for (size_t i = 0; i < n; i++)
        (free)(owned[i + 1]);
    return r;
}
#define WEIR(...) weir_env(home_env, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void run_free(struct run *r)
{
    (free)(r->out);
    (free)(r->err);
}

/* Exit 2, nothing on stdout, one line on stderr that starts with "weir: " and holds word. */
static void assert_usage(struct run r, const char *word)
{
    assert_int_equal(r.rc, APP_USAGE);
    assert_string_equal(r.out, "");
    if (strncmp(r.err, "weir: ", 6) != 0 || !strstr(r.err, word) || strchr(r.err, '\n') != r.err + strlen(r.err) - 1)
        fail_msg("'%s' is not in: %s", word, r.err);
    run_free(&r);
}

static void assert_data(struct run r, const char *word)
{
    assert_int_equal(r.rc, APP_DONE);
    assert_string_equal(r.err, "");
    if (!strstr(r.out, word))
        fail_msg("'%s' is not in: %s", word, r.out);
    run_free(&r);
}

/* ---- words and exit codes ---- */
static void no_command_shows_the_usage_on_stderr(void **state)
{
    (void)state;
    struct run r = weir_env(home_env, NULL, 0);
    assert_int_equal(r.rc, APP_USAGE);
    assert_string_equal(r.out, "");
    assert_non_null(strstr(r.err, "usage: weir COMMAND"));
    run_free(&r);
}

static void help_and_version_go_to_stdout(void **state)
{
    (void)state;
    assert_data(WEIR("--help"), "explain");
    assert_data(WEIR("-h"), "usage: weir COMMAND");
    assert_data(WEIR("--version"), "weir " WEIR_PROGRAM_VERSION "\n");
}

static void every_command_has_a_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_n; i++) {
        assert_data(WEIR(commands[i]->name, "--help"), "--config FILE");
        assert_data(WEIR(commands[i]->name, "-h"), commands[i]->name);
    }
}

static void help_names_every_option_and_nothing_is_longer_than_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_n; i++) {
        struct run r = WEIR(commands[i]->name, "--help");
        for (const char *line = r.out; *line; line += strcspn(line, "\n") + 1)
            assert_in_range(strcspn(line, "\n"), 0, 120);
        for (size_t k = 0; k < commands[i]->options_n; k++)
            assert_non_null(strstr(r.out, commands[i]->options[k].name));
        run_free(&r);
    }
}

/* Options stand in --help two blanks from the left; the man page writes them as "Fl Fl NAME". */
static void man_page_names_every_option_of_every_command(void **state)
{
    (void)state;
    char page[65536], macro[80];
    FILE *f = fopen("docs/man/weir.1", "r");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    for (size_t i = 0; i < commands_n; i++) {
        struct run r = WEIR(commands[i]->name, "--help");
        for (const char *at = r.out; (at = strstr(at, "\n  --")); at++) {
            snprintf(macro, sizeof macro, "Fl Fl %.*s", (int)strcspn(at + 5, " \n"), at + 5);
            if (!strstr(page, macro))
                fail_msg("weir %s: the man page lacks '%s'", commands[i]->name, macro);
        }
        run_free(&r);
    }
}

static void unknown_command_gets_the_nearest_name(void **state)
{
    (void)state;
    assert_usage(WEIR("confg"), "'config'");
    assert_usage(WEIR("bach", "x"), "'batch'");
    assert_usage(WEIR("xyzzyxyzzy"), "weir --help");
}

static void unknown_option_gets_the_nearest_name(void **state)
{
    (void)state;
    assert_usage(WEIR("config", "show", "--thread=1", "--strore", "x"), "'--store'");
    assert_usage(WEIR("config", "--formet=json", "show"), "'--format'");
    assert_usage(WEIR("config", "-z"), "'-z', see 'weir config --help'");
    assert_usage(WEIR("policy", "--store", "x"), "'--store', see 'weir policy --help'");
    assert_usage(WEIR("--store", "x", "findings"), "'--store' stands before a command");
}

static void help_tells_of_one_command(void **state)
{
    (void)state;
    assert_data(WEIR("help", "mark"), "usage: weir mark [OPTIONS] ID");
    assert_data(WEIR("help"), "commands:");
    assert_usage(WEIR("help", "bach"), "'batch'");
}

static void option_without_its_value_is_named(void **state)
{
    (void)state;
    assert_usage(WEIR("config", "show", "--store"), "'--store' needs a value");
    assert_usage(WEIR("config", "show", "--quiet=1"), "'--quiet' takes no value");
}

static void value_of_an_option_is_checked_like_that_of_a_file(void **state)
{
    (void)state;
    assert_usage(WEIR("config", "show", "--threads", "65"), "from 0 to 64, not '65'");
    assert_usage(WEIR("config", "show", "--format", "xml"), "option '--format' must be one of table, json, ndjson, csv, ocsf, not 'xml'");
    assert_usage(WEIR("config", "show", "--format", "ocsf"), "config show");
    assert_usage(WEIR("config", "show", "--store", "sqlte:x"), "option '--store': no kind of store is called 'sqlte'");
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_usage(WEIR("config", "check", "--", "--quiet"), "cannot open config '--quiet'");
}

static void number_of_operands_is_checked(void **state)
{
    (void)state;
    assert_usage(WEIR("config"), "an operand is missing");
    assert_usage(WEIR("config", "check", "a", "b"), "too many operands");
    assert_usage(WEIR("config", "check"), "needs one FILE");
    assert_usage(WEIR("config", "shw"), "'show'");
}

static void hostile_words_reach_the_terminal_escaped(void **state)
{
    (void)state;
    struct run r = WEIR("config", "check", "/nonexistent/\x1b[31mred\n");
    assert_int_equal(r.rc, APP_USAGE);
    assert_null(strchr(r.err, '\x1b'));
    assert_ptr_equal(strchr(r.err, '\n'), r.err + strlen(r.err) - 1);
    run_free(&r);
}

static void missing_config_file_is_a_usage_error(void **state)
{
    (void)state;
    assert_usage(WEIR("config", "show", "--config", "/nonexistent/w.yaml"), "cannot open config '/nonexistent/w.yaml'");
    char *const env[] = {"HOME=/nonexistent", "WEIR_CONFIG=/nonexistent/e.yaml", NULL};
    assert_usage(weir_env(env, (const char *const[]){"config", "show"}, 2), "'/nonexistent/e.yaml'");
}

static void without_a_place_for_the_store_nothing_runs(void **state)
{
    (void)state;
    char *const env[] = {NULL};
    assert_usage(weir_env(env, (const char *const[]){"config", "show"}, 2), "no place for the store");
}

static void option_beats_environment_and_both_are_shown(void **state)
{
    (void)state;
    char *const env[] = {"HOME=/nonexistent", "WEIR_THREADS=3", "WEIR_GEO_ASN=/a.mmdb", NULL};
    struct run r = weir_env(env, (const char *const[]){"config", "show", "--threads=2"}, 3);
    assert_int_equal(r.rc, APP_DONE);
    assert_non_null(strstr(r.out, "threads: 2  # option --threads\n"));
    assert_non_null(strstr(r.out, "asn: \"/a.mmdb\"  # environment WEIR_GEO_ASN\n"));
    run_free(&r);
}

static void configuration_as_json_is_json(void **state)
{
    (void)state;
    struct run r = WEIR("config", "show", "--format", "json");
    json_t *root = json_loads(r.out, 0, NULL);
    assert_true(json_is_array(root));
    assert_int_equal(json_array_size(root), PARAM_COUNT);
    json_decref(root);
    run_free(&r);
    assert_data(WEIR("config", "show", "--format", "csv"), "\"threads\",\"0\",\"default\"\r\n");
}

static void keys_are_listed_with_range_and_default(void **state)
{
    (void)state;
    assert_data(WEIR("config", "keys"), "from 0 to 64; default 0");
    assert_usage(WEIR("config", "keys", "--format=json"), "markdown");
}

static void exit_codes_follow_the_kind_of_error(void **state)
{
    (void)state;
    assert_int_equal(app_exit_of(WEIR_OK), 0);
    assert_int_equal(app_exit_of(WEIR_INTERRUPTED), 0);
    assert_int_equal(app_exit_of(WEIR_USAGE), 2);
    assert_int_equal(app_exit_of(WEIR_BUSY), 75);
    assert_int_equal(app_exit_of(WEIR_UNAVAILABLE), 75);
    assert_int_equal(app_exit_of(WEIR_CORRUPT), 1);
}

static void full_standard_output_is_a_failure(void **state)
{
    (void)state;
    char *argv[] = {"weir", "--help", NULL};
    char *text = NULL;
    size_t n = 0;
    FILE *out = fopen("/dev/full", "w"), *err = open_memstream(&text, &n);
    if (!out)
        skip();
    assert_int_equal(app_main(2, argv, home_env, out, err), APP_FAILED);
    fclose(out);
    fclose(err);
    assert_non_null(strstr(text, "cannot write standard output: No space left on device"));
    (free)(text);
}

/* ---- colour ---- */
static void colour_follows_the_option_then_the_environment(void **state)
{
    (void)state;
    char *const force[] = {"CLICOLOR_FORCE=1", NULL}, *const both[] = {"CLICOLOR_FORCE=1", "NO_COLOR=1", NULL}, *const empty[] = {"CLICOLOR_FORCE=1", "NO_COLOR=", NULL},
         *const none[] = {NULL};
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_true(terminal_colour(1, out, both));
    assert_false(terminal_colour(2, out, force));
    assert_true(terminal_colour(0, out, force));
    assert_true(terminal_colour(0, out, empty));
    assert_false(terminal_colour(0, out, both));
    assert_false(terminal_colour(0, out, none));
    fclose(out);
    (free)(text);
}

/* ---- log ---- */
static int64_t test_now_ns;
static int64_t test_clock(void)
{
    return test_now_ns;
}

struct log_run {
    struct log *log;
    FILE *out;
    char *text;
    size_t n;
};

static void log_begin(struct log_run *r, enum log_level level, enum log_format format)
{
    memset(r, 0, sizeof *r);
    test_now_ns = INT64_C(1782896400) * 1000000000;
    r->out = open_memstream(&r->text, &r->n);
    r->log = log_new(r->out, level, format, test_clock);
    assert_non_null(r->log);
}

static void log_end(struct log_run *r, const char *expected)
{
    log_free(r->log);
    fclose(r->out);
    assert_string_equal(r->text, expected);
    (free)(r->text);
}

static void log_line_is_logfmt_with_escaped_values(void **state)
{
    (void)state;
    struct log_run r;
    log_begin(&r, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    log_warn(r.log, "object rejected", LOG_TEXT("object", SLICE_LIT("a\"b\n")), LOG_NUMBER("line", 812));
    log_free(r.log);
    fclose(r.out);
    assert_non_null(strstr(r.text, "ts=2026-07-01T09:00:00Z level=warn msg=\"object rejected\" object=\"a\\\"b"));
    assert_non_null(strstr(r.text, " line=812\n"));
    assert_ptr_equal(strchr(r.text, '\n'), r.text + strlen(r.text) - 1);
    (free)(r.text);
}

static void log_line_is_json_on_request(void **state)
{
    (void)state;
    struct log_run r;
    log_begin(&r, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_error(r.log, "store lost", LOG_TEXT("why", SLICE_LIT("\xff\"")), LOG_NUMBER("tries", 3));
    log_free(r.log);
    fclose(r.out);
    json_t *root = json_loads(r.text, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "level")), "error");
    assert_int_equal(json_integer_value(json_object_get(root, "tries")), 3);
    json_decref(root);
    (free)(r.text);
}

static void less_important_events_are_not_logged(void **state)
{
    (void)state;
    struct log_run r;
    log_begin(&r, LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
    log_info(r.log, "hello");
    log_debug(r.log, "hello");
    log_end(&r, "");
}

static size_t count_of(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

static void eleventh_of_a_minute_is_held_back_and_summed_up(void **state)
{
    (void)state;
    struct log_run r;
    log_begin(&r, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    for (int i = 0; i < 35; i++)
        log_info(r.log, "flood");
    log_info(r.log, "other");
    fflush(r.out);
    assert_int_equal(count_of(r.text, "msg=\"flood\""), 10);
    test_now_ns += INT64_C(61) * 1000000000;
    log_info(r.log, "other");
    fflush(r.out);
    assert_int_equal(count_of(r.text, "msg=\"flood\" held_back=25\n"), 1);
    log_info(r.log, "flood");
    fflush(r.out);
    assert_int_equal(count_of(r.text, "msg=\"flood\"\n"), 11);
    log_free(r.log);
    fclose(r.out);
    (free)(r.text);
}

static void held_back_lines_are_summed_up_at_the_end(void **state)
{
    (void)state;
    struct log_run r;
    log_begin(&r, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    for (int i = 0; i < 12; i++)
        log_info(r.log, "flood");
    log_free(r.log);
    fclose(r.out);
    assert_int_equal(count_of(r.text, "held_back=2\n"), 1);
    (free)(r.text);
}

static void journal_lines_start_with_a_priority(void **state)
{
    (void)state;
    struct log_run r;
    log_begin(&r, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    log_for_journal(r.log);
    log_warn(r.log, "careful");
    log_end(&r, "<4>ts=2026-07-01T09:00:00Z level=warn msg=\"careful\"\n");
}

/* ---- progress ---- */
static void bar_tells_share_rate_and_time_left(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1024);
    progress_line(512u << 20, 1u << 30, UINT64_C(2000000000), 100, &b);
    const char *line = buffer_cstr(&b);
    assert_non_null(strstr(line, "[####################--------------------]"));
    assert_non_null(strstr(line, " 50 %"));
    assert_non_null(strstr(line, "256 MiB/s"));
    assert_non_null(strstr(line, "3 s left"));
    buffer_fini(&b);
}

static void bar_never_fills_the_last_column(void **state)
{
    (void)state;
    for (unsigned width = 0; width < 120; width++) {
        struct buffer b;
        buffer_init(&b, 1024);
        progress_line(UINT64_MAX, 3, 0, width, &b);
        assert_in_range(b.n, 0, width ? width - 1 : 0);
        buffer_fini(&b);
    }
}

/* A pseudo-terminal whose far end is read into text after the writer has closed. */
static FILE *terminal_open(int *master)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0)
        return NULL;
    return fopen(ptsname(*master), "w");
}

static void bar_is_erased_at_the_end_and_before_a_log_line(void **state)
{
    (void)state;
    char *const env[] = {"TERM=xterm", NULL};
    char text[8192];
    int master;
    FILE *err = terminal_open(&master);
    if (!err)
        skip();
    struct app app = {.err = err, .env = env};
    app.log = log_new(err, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, test_clock);
    struct progress *p = progress_new(&app, 1000);
    assert_non_null(p);
    for (size_t i = 0; i < 1000000000 && !app.quiet; i++) { /* until 100 ms have passed and the bar was drawn */
        progress_add(p, 1);
        int flags = fcntl(master, F_SETFL, O_NONBLOCK);
        app.quiet = flags == 0 && i % 1000 == 0 && read(master, text, 1) == 1;
    }
    log_info(app.log, "line");
    progress_done(p);
    assert_null(app.progress);
    size_t n = 1;
    text[0] = '\r';
    text[1] = '\0';
    struct pollfd ready = {.fd = master, .events = POLLIN}; /* the kernel hands over what was written in pieces */
    while (!strstr(text, "msg=") && n < sizeof text - 1 && poll(&ready, 1, 5000) == 1) {
        ssize_t got = read(master, text + n, sizeof text - 1 - n);
        assert_true(got > 0);
        n += (size_t)got;
        text[n] = '\0';
    }
    char *line = strstr(text, "ts=");
    assert_non_null(line);
    assert_memory_equal(line - 4, "\r\033[K", 4);
    assert_null(strchr(line, '['));
    log_free(app.log);
    fclose(err);
    close(master);
}

static void no_bar_without_a_terminal_or_when_quiet(void **state)
{
    (void)state;
    char *const env[] = {"TERM=xterm", NULL}, *const dumb[] = {"TERM=dumb", NULL};
    char *text = NULL;
    size_t n = 0;
    int master;
    FILE *memory = open_memstream(&text, &n), *err = terminal_open(&master);
    assert_null(progress_new(&(struct app){.err = memory, .env = env}, 1));
    if (err) {
        assert_null(progress_new(&(struct app){.err = err, .env = env, .quiet = true}, 1));
        assert_null(progress_new(&(struct app){.err = err, .env = dumb}, 1));
        fclose(err);
        close(master);
    }
    progress_add(NULL, 1);
    progress_done(NULL);
    fclose(memory);
    (free)(text);
}

/* ---- signals: in a child, since they end the process ---- */
static int status_of(void (*body)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void once(void)
{
    app_catch_signals();
    if (app_interrupted())
        _exit(1);
    raise(SIGTERM);
    raise(SIGTERM);
    _exit(app_interrupted() ? 42 : 1);
}

static void twice(void)
{
    app_catch_signals();
    raise(SIGTERM);
    raise(SIGINT);
}

static void first_signal_only_asks_the_run_to_end(void **state)
{
    (void)state;
    int status = status_of(once);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void second_interrupt_ends_at_once(void **state)
{
    (void)state;
    int status = status_of(twice);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_command_shows_the_usage_on_stderr),
        cmocka_unit_test(help_and_version_go_to_stdout),
        cmocka_unit_test(every_command_has_a_help),
        cmocka_unit_test(help_names_every_option_and_nothing_is_longer_than_a_line),
        cmocka_unit_test(man_page_names_every_option_of_every_command),
        cmocka_unit_test(unknown_command_gets_the_nearest_name),
        cmocka_unit_test(unknown_option_gets_the_nearest_name),
        cmocka_unit_test(help_tells_of_one_command),
        cmocka_unit_test(option_without_its_value_is_named),
        cmocka_unit_test(value_of_an_option_is_checked_like_that_of_a_file),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(number_of_operands_is_checked),
        cmocka_unit_test(hostile_words_reach_the_terminal_escaped),
        cmocka_unit_test(missing_config_file_is_a_usage_error),
        cmocka_unit_test(without_a_place_for_the_store_nothing_runs),
        cmocka_unit_test(option_beats_environment_and_both_are_shown),
        cmocka_unit_test(configuration_as_json_is_json),
        cmocka_unit_test(keys_are_listed_with_range_and_default),
        cmocka_unit_test(exit_codes_follow_the_kind_of_error),
        cmocka_unit_test(full_standard_output_is_a_failure),
        cmocka_unit_test(colour_follows_the_option_then_the_environment),
        cmocka_unit_test(log_line_is_logfmt_with_escaped_values),
        cmocka_unit_test(log_line_is_json_on_request),
        cmocka_unit_test(less_important_events_are_not_logged),
        cmocka_unit_test(eleventh_of_a_minute_is_held_back_and_summed_up),
        cmocka_unit_test(held_back_lines_are_summed_up_at_the_end),
        cmocka_unit_test(journal_lines_start_with_a_priority),
        cmocka_unit_test(bar_tells_share_rate_and_time_left),
        cmocka_unit_test(bar_never_fills_the_last_column),
        cmocka_unit_test(bar_is_erased_at_the_end_and_before_a_log_line),
        cmocka_unit_test(no_bar_without_a_terminal_or_when_quiet),
        cmocka_unit_test(first_signal_only_asks_the_run_to_end),
        cmocka_unit_test(second_interrupt_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
