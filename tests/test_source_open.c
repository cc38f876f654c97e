/* Opening safely (reliability S7), reading files and standard input, notes that depend on the name, memory that stays bounded. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "source_make.h"

#define LINE "2 123456789010 eni-1 10.0.0.1 192.0.2.7 1 443 6 1 40 1 60 ACCEPT OK\n"

static char top[64];
static struct source *s;

static int make_top(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/weir-open-XXXXXX");
    s = source_new(NULL, INFLATE_BEST);
    return s && mkdtemp(top) ? 0 : -1;
}

static int remove_top(void **state)
{
    (void)state;
    char command[192];
    source_free(s);
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", top, top);
    return system(command);
}

static const char *under(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", top, name);
    return path;
}

static void put_bytes(const char *name, const void *bytes, size_t n)
{
    int fd = open(under(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static void put_gz(const char *name, const char *text)
{
    struct buffer gz;
    buffer_init(&gz, MAKE_MAX);
    put_gzip(&gz, text);
    put_bytes(name, gz.p, gz.n);
    buffer_fini(&gz);
}

/* As the user's own PATH (below = false), or as something found below top. */
static struct verdict read_file(const char *name, bool below)
{
    struct fault fault = {0};
    struct object o = {.path = name[0] == '-' ? name : under(name), .root_bytes = below ? strlen(top) : 0};
    return read_to_end(s, source_open(s, &o, &fault), fault);
}

static void expect_text(const char *name, bool below, const char *text, unsigned notes)
{
    struct verdict v = read_file(name, below);
    assert_string_equal(v.fault.text, "");
    assert_int_equal(v.err, WEIR_END);
    assert_string_equal(v.bytes ? v.bytes : "", text);
    assert_int_equal(v.notes, notes);
    free(v.bytes);
}

static void expect_refused(const char *name, bool below, enum source_reject why, const char *word)
{
    struct verdict v = read_file(name, below);
    assert_int_equal(v.why, why);
    assert_true(v.err != WEIR_OK && v.err != WEIR_END);
    if (!strstr(v.fault.text, word))
        print_error("'%s' lacks '%s'\n", v.fault.text, word);
    assert_non_null(strstr(v.fault.text, word));
    assert_int_equal(v.n, 0);
}

static void reads_a_gzip_file(void **state)
{
    (void)state;
    put_gz("a.log.gz", LINE);
    expect_text("a.log.gz", false, LINE, 0);
    expect_text("a.log.gz", true, LINE, 0);
}

static void notes_gzip_without_the_suffix(void **state)
{
    (void)state;
    put_gz("stream-1-2024-04-19-23-55-00-uuid", LINE);
    expect_text("stream-1-2024-04-19-23-55-00-uuid", false, LINE, SOURCE_NOTE_GZIP_NO_SUFFIX);
}

static void notes_plain_text_named_gz(void **state)
{
    (void)state;
    put_bytes("a.log.gz", LINE, sizeof LINE - 1);
    expect_text("a.log.gz", false, LINE, SOURCE_NOTE_PLAIN_GZ_NAME);
}

static void notes_an_empty_file_named_gz_as_empty_only(void **state)
{
    (void)state;
    put_bytes("a.log.gz", "", 0);
    expect_text("a.log.gz", false, "", SOURCE_NOTE_EMPTY);
}

static void follows_a_link_that_the_user_named(void **state)
{
    (void)state;
    put_gz("a.gz", LINE);
    assert_int_equal(symlink("a.gz", under("b.gz")), 0);
    expect_text("b.gz", false, LINE, 0);
}

static void refuses_a_link_below_a_directory(void **state)
{
    (void)state;
    put_gz("a.gz", LINE);
    assert_int_equal(symlink("a.gz", under("b.gz")), 0);
    expect_refused("b.gz", true, SOURCE_NOT_REGULAR, "symbolic link");
}

static void refuses_a_linked_folder_below_a_directory(void **state)
{
    (void)state;
    assert_int_equal(mkdir(under("real"), 0700), 0);
    assert_int_equal(symlink("real", under("link")), 0);
    put_gz("real/a.gz", LINE);
    expect_text("real/a.gz", true, LINE, 0);
    expect_text("link/a.gz", false, LINE, 0);
    expect_refused("link/a.gz", true, SOURCE_NOT_REGULAR, "symbolic link");
}

static void refuses_to_climb_out_of_a_directory(void **state)
{
    (void)state;
    expect_refused("../a.gz", true, SOURCE_NOT_REGULAR, "");
}

static void refuses_a_fifo_without_waiting_for_a_writer(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(under("a.gz"), 0600), 0);
    expect_refused("a.gz", false, SOURCE_NOT_REGULAR, "FIFO");
    expect_refused("a.gz", true, SOURCE_NOT_REGULAR, "FIFO");
}

static void refuses_a_socket(void **state)
{
    (void)state;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "%s/a.gz", top);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    expect_refused("a.gz", false, SOURCE_NOT_REGULAR, "socket");
    close(fd);
}

static void refuses_a_device(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct object o = {.path = "/dev/zero"};
    assert_int_equal(source_open(s, &o, &fault), WEIR_UNSUPPORTED);
    assert_int_equal(source_why(s), SOURCE_NOT_REGULAR);
}

static void refuses_a_directory(void **state)
{
    (void)state;
    expect_refused(".", false, SOURCE_NOT_REGULAR, "directory");
}

static void names_a_file_that_is_gone(void **state)
{
    (void)state;
    expect_refused("gone.gz", false, SOURCE_UNREADABLE, "gone.gz");
    expect_refused("gone.gz", true, SOURCE_UNREADABLE, "No such file");
}

static void refuses_an_unreadable_file(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        print_message("skipped: root may read every file\n");
        skip();
    }
    put_gz("a.gz", LINE);
    assert_int_equal(chmod(under("a.gz"), 0), 0);
    expect_refused("a.gz", false, SOURCE_UNREADABLE, "Permission denied");
}

static void takes_the_next_object_after_a_refused_one(void **state)
{
    (void)state;
    put_gz("a.gz", LINE);
    expect_refused("gone.gz", false, SOURCE_UNREADABLE, "gone.gz");
    expect_text("a.gz", false, LINE, 0);
}

static void a_file_cut_while_it_is_read_is_truncated(void **state)
{
    (void)state;
    struct buffer log, gz;
    struct fault fault = {0};
    static char out[READ_CAP];
    size_t n = 0;
    buffer_init(&log, MAKE_MAX);
    buffer_init(&gz, MAKE_MAX);
    put_log(&log, 60000, 1);
    put_member(&gz, log.p, log.n, (struct member){0});
    assert_true(gz.n > 600000); /* several pieces */
    put_bytes("a.gz", gz.p, gz.n);
    struct object o = {.path = under("a.gz")};
    assert_int_equal(source_open(s, &o, &fault), WEIR_OK);
    assert_int_equal(source_read(s, out, sizeof out, &n, &fault), WEIR_OK);
    assert_int_equal(truncate(under("a.gz"), 300000), 0);
    enum weir_err err = WEIR_OK;
    while (err == WEIR_OK)
        err = source_read(s, out, sizeof out, &n, &fault);
    assert_int_equal(source_why(s), SOURCE_GZIP_TRUNCATED);
    buffer_fini(&log);
    buffer_fini(&gz);
}

static void a_file_replaced_while_it_is_read_stays_the_old_one(void **state)
{
    (void)state;
    struct fault fault = {0};
    put_gz("a.gz", LINE);
    struct object o = {.path = under("a.gz")};
    enum weir_err err = source_open(s, &o, &fault);
    put_gz("b.gz", "something else\n");
    assert_int_equal(rename(under("b.gz"), under("a.gz")), 0);
    struct verdict v = read_to_end(s, err, fault);
    assert_string_equal(v.bytes, LINE);
    free(v.bytes);
}

static void hashes_without_inflating(void **state)
{
    (void)state;
    struct sha256 want, got;
    struct fault fault = {0};
    put_bytes("a.gz", "\x1f\x8bnot really", 12);
    sha256_of("\x1f\x8bnot really", 12, &want);
    struct object o = {.path = under("a.gz")};
    assert_int_equal(source_hash(s, &o, &got, &fault), WEIR_OK);
    assert_memory_equal(&got, &want, sizeof got);
}

static void the_id_of_a_file_read_is_its_hash(void **state)
{
    (void)state;
    struct sha256 id, hash;
    struct fault fault = {0};
    put_gz("a.gz", LINE);
    expect_text("a.gz", false, LINE, 0);
    source_id(s, &id);
    struct object o = {.path = under("a.gz")};
    assert_int_equal(source_hash(s, &o, &hash, &fault), WEIR_OK);
    assert_memory_equal(&id, &hash, sizeof id);
}

/* One test for all claims on standard input: a process has one, and it is kept from the first reading on. */
static void reads_standard_input_twice_from_its_spool(void **state)
{
    (void)state;
    struct buffer log, gz;
    struct sha256 want, got;
    buffer_init(&log, MAKE_MAX);
    buffer_init(&gz, MAKE_MAX);
    put_log(&log, 4000, 1);
    put_member(&gz, log.p, log.n, (struct member){0});
    put_bytes("stdin", gz.p, gz.n);
    sha256_of(gz.p, gz.n, &want);
    int keep = dup(STDIN_FILENO), fd = open(under("stdin"), O_RDONLY);
    assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    close(fd);
    expect_text("-", false, buffer_cstr(&log), 0);
    source_id(s, &got);
    assert_memory_equal(&got, &want, sizeof got);
    expect_text("-", false, buffer_cstr(&log), 0);
    struct object o = {.path = "-"};
    assert_int_equal(source_hash(s, &o, &got, NULL), WEIR_OK);
    assert_memory_equal(&got, &want, sizeof got);
    if (keep >= 0) {
        dup2(keep, STDIN_FILENO);
        close(keep);
    }
    buffer_fini(&log);
    buffer_fini(&gz);
}

/* A bomb of 2 GiB: neither it nor what it makes is ever held whole. */
static void memory_stays_bounded_under_a_bomb(void **state)
{
    (void)state;
    struct buffer member, gz;
    struct rusage before, after;
    static char out[READ_CAP];
    char *line = malloc(1U << 20);
    struct fault fault = {0};
    size_t n = 0;
    memset(line, 'a', 1U << 20);
    buffer_init(&member, MAKE_MAX);
    buffer_init(&gz, MAKE_MAX);
    put_member(&member, line, 1U << 20, (struct member){.level = 9});
    for (unsigned i = 0; i < 2048; i++)
        buffer_put(&gz, member.p, member.n);
    put_bytes("a.gz", gz.p, gz.n);
    struct object o = {.path = under("a.gz")};
    getrusage(RUSAGE_SELF, &before);
    enum weir_err err = source_open(s, &o, &fault);
    while (err == WEIR_OK)
        err = source_read(s, out, sizeof out, &n, &fault);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(source_why(s), SOURCE_BOMB);
    assert_true(after.ru_maxrss - before.ru_maxrss < 2048); /* KiB */
    free(line);
    buffer_fini(&member);
    buffer_fini(&gz);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_top, remove_top)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reads_a_gzip_file), T(notes_gzip_without_the_suffix), T(notes_plain_text_named_gz), T(notes_an_empty_file_named_gz_as_empty_only),
        T(follows_a_link_that_the_user_named), T(refuses_a_link_below_a_directory), T(refuses_a_linked_folder_below_a_directory),
        T(refuses_to_climb_out_of_a_directory), T(refuses_a_fifo_without_waiting_for_a_writer), T(refuses_a_socket), T(refuses_a_device),
        T(refuses_a_directory), T(names_a_file_that_is_gone), T(refuses_an_unreadable_file), T(takes_the_next_object_after_a_refused_one),
        T(a_file_cut_while_it_is_read_is_truncated), T(a_file_replaced_while_it_is_read_stays_the_old_one), T(hashes_without_inflating),
        T(the_id_of_a_file_read_is_its_hash), T(reads_standard_input_twice_from_its_spool), T(memory_stays_bounded_under_a_bomb),
    };
    return cmocka_run_group_tests_name("source_open", tests, NULL, NULL);
}
