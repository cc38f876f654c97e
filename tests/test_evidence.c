/* Claims about evidence: what `weir evidence` writes fits, and no byte of it can be changed unseen.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run_weir.h"

#include "app/seal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define FLIPS 10000

static struct run_weir r;
static char dir[64], id[64], seal[80];

/* app_main with these words, the last NULL; what is said is kept. */
static int weir(const char *const *words)
{
    char *env[] = {(char *)(uintptr_t)"HOME=/nonexistent", NULL};
    size_t out_n, err_n;
    int n = 0;
    free(r.out);
    free(r.err);
    while (words[n]) n++;
    FILE *out = open_memstream(&r.out, &out_n), *err = open_memstream(&r.err, &err_n);
    int rc = app_main(n, (char **)(uintptr_t)words, env, out, err);
    fclose(out);
    fclose(err);
    return rc;
}
#define WEIR(...) weir((const char *const[]){"weir", __VA_ARGS__, NULL})

static int make(void **state)
{
    char path[PATH_MAX];
    void *made = NULL;
    (void)state;
    run_begin(&made);
    r = *(struct run_weir *)made;
    free(made);
    run_flowgen(&r, "--seed 7 --days 6 --hosts 5 --intensity 20 --period 3600 --attack bulk-new:host=4:day=4:hour=10:bytes=40G", path);
    run_batch_on(&r, path, NULL);
    const char *uid = strstr(r.out, "\"uid\":\"wf1-");
    assert_non_null(uid);
    snprintf(id, sizeof id, "%.36s", uid + 7);
    snprintf(dir, sizeof dir, "%s/evidence", r.folder);
    if (WEIR("evidence", id, "-o", dir, "--store", r.url)) fail_msg("%s%s", r.out, r.err);
    const char *at = strstr(r.out, "\nseal ");
    assert_non_null(at);
    snprintf(seal, sizeof seal, "%.64s", at + 6);
    return 0;
}

static int unmake(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", r.folder);
    free(r.out);
    free(r.err);
    json_decref(r.counts);
    return system(command);
}

static void said(const char *part)
{
    if (!strstr(r.out, part) && !strstr(r.err, part)) fail_msg("'%s' was not said:\n%s%s", part, r.out, r.err);
}

static char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%.40s", dir, name);
    return path;
}

static unsigned char swap(const char *name, off_t at, unsigned char with)
{
    unsigned char old = 0;
    int fd = open(path_of(name), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &old, 1, at), 1);
    assert_int_equal(pwrite(fd, &with, 1, at), 1);
    close(fd);
    return old;
}

static void what_was_written_fits(void **state)
{
    (void)state;
    assert_int_equal(WEIR("verify", dir), APP_DONE);
    said("fits: ");
    assert_int_equal(WEIR("verify", dir, "--seal", seal), APP_DONE);
}

static void the_records_add_up_to_the_claim(void **state)
{
    (void)state;
    json_t *finding = json_load_file(path_of("finding.json"), 0, NULL), *manifest = json_load_file(path_of("manifest.json"), 0, NULL);
    json_int_t claim = json_integer_value(json_object_get(json_object_get(json_object_get(finding, "unmapped"), "weir"), "bytes"));
    assert_true(claim > 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(manifest, "records"), "bytes")), claim);
    json_decref(finding);
    json_decref(manifest);
}

/* Every file of the directory with its size, for positions over all of them. */
static size_t files(char name[][32], off_t size[], size_t max)
{
    static const char *const folders[] = {"", "records/"};
    size_t n = 0;
    for (size_t f = 0; f < 2; f++) {
        DIR *d = opendir(path_of(folders[f]));
        for (struct dirent *e; (e = readdir(d)) && n < max;) {
            struct stat st;
            char whole[300];
            snprintf(whole, sizeof whole, "%s%s", folders[f], e->d_name);
            if (strlen(whole) >= 32 || stat(path_of(whole), &st) != 0 || !S_ISREG(st.st_mode)) continue;
            memcpy(name[n], whole, strlen(whole) + 1);
            size[n++] = st.st_size;
        }
        closedir(d);
    }
    return n;
}

static void each_of_ten_thousand_flipped_bytes_is_named(void **state)
{
    (void)state;
    static char name[64][32];
    static off_t size[64];
    size_t n = files(name, size, 64);
    off_t all = 0;
    uint64_t draw = 1;
    for (size_t i = 0; i < n; i++) all += size[i];
    assert_true(n >= 7);
    for (unsigned i = 0; i < FLIPS; i++) {
        draw = stable_mix(draw + 0x9e3779b97f4a7c15ULL);
        off_t at = (off_t)(draw % (uint64_t)all);
        size_t f = 0;
        while (at >= size[f]) at -= size[f++];
        unsigned char flip = (unsigned char)(1u << (draw >> 60) % 8), old = swap(name[f], at, 0);
        char expected[96];
        swap(name[f], at, old ^ flip);
        snprintf(expected, sizeof expected, "%.31s: byte %lld is 0x%02x and was 0x%02x", name[f], (long long)at, old ^ flip, old);
        assert_int_equal(WEIR("verify", dir), APP_REJECTED);
        said(expected);
        swap(name[f], at, old);
    }
    assert_int_equal(WEIR("verify", dir), APP_DONE);
}

static void several_changed_bytes_are_named_with_their_block(void **state)
{
    (void)state;
    unsigned char a = swap("report.html", 5000, 'x'), b = swap("report.html", 9000, 'y');
    assert_int_equal(WEIR("verify", dir), APP_REJECTED);
    said("report.html: several bytes are not those that were sealed, the first of them among bytes 4096 to 8191");
    swap("report.html", 5000, a);
    swap("report.html", 9000, b);
}

static void a_file_more_or_less_is_told(void **state)
{
    (void)state;
    char moved[128];
    snprintf(moved, sizeof moved, "%s/records/x.log", dir);
    assert_int_equal(rename(path_of("records/0001.log"), moved), 0);
    assert_int_equal(WEIR("verify", dir), APP_REJECTED);
    said("records/0001.log: it is missing");
    said("records/x.log: it is not in the manifest");
    assert_int_equal(rename(moved, path_of("records/0001.log")), 0);
}

static void a_cut_file_is_told(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(stat(path_of("finding.json"), &st), 0);
    unsigned char last = swap("finding.json", st.st_size - 1, '}');
    assert_int_equal(truncate(path_of("finding.json"), st.st_size - 1), 0);
    assert_int_equal(WEIR("verify", dir), APP_REJECTED);
    said("finding.json: it has ");
    int fd = open(path_of("finding.json"), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, &last, 1), 1);
    close(fd);
    assert_int_equal(WEIR("verify", dir), APP_DONE);
}

static void what_was_made_anew_has_another_seal(void **state)
{
    (void)state;
    char again[80];
    snprintf(again, sizeof again, "%s/again", r.folder);
    assert_int_equal(WEIR("mark", id, "true", "--reason", "tested", "--store", r.url), APP_DONE);
    assert_int_equal(WEIR("evidence", id, "-o", again, "--store", r.url), APP_DONE);
    assert_int_equal(WEIR("verify", again), APP_DONE);
    assert_int_equal(WEIR("verify", again, "--seal", seal), APP_REJECTED);
    said("SEAL: it is not the seal that you gave");
}

static void a_directory_that_is_there_is_not_touched(void **state)
{
    (void)state;
    assert_int_equal(WEIR("evidence", id, "-o", dir, "--store", r.url), APP_USAGE);
    said("is there already");
    assert_int_equal(WEIR("verify", dir), APP_DONE);
}

static void logs_that_moved_are_found_by_their_bytes(void **state)
{
    (void)state;
    char from[80], to[80], out[80];
    snprintf(from, sizeof from, "%s/logs", r.folder);
    snprintf(to, sizeof to, "%s/moved", r.folder);
    assert_int_equal(rename(from, to), 0);
    snprintf(out, sizeof out, "%s/gone", r.folder);
    assert_int_equal(WEIR("evidence", id, "-o", out, "--store", r.url), APP_REJECTED);
    said("could not be read");
    assert_int_equal(WEIR("verify", out), APP_DONE);
    snprintf(out, sizeof out, "%s/found", r.folder);
    assert_int_equal(WEIR("evidence", id, "-o", out, "--store", r.url, to), APP_DONE);
    assert_int_equal(WEIR("verify", out), APP_DONE);
    assert_int_equal(rename(to, from), 0);
}

/* ---- the audit log ---- */

static void the_audit_log_tells_who_did_what(void **state)
{
    (void)state;
    assert_int_equal(WEIR("audit", "--store", r.url, "--format", "csv"), APP_DONE);
    said("\"evidence\"");
    said("\"mark true\"");
    said("the chain fits");
}

static void a_changed_entry_of_the_audit_log_is_named(void **state)
{
    (void)state;
    char path[96];
    unsigned char old, new = 'X';
    snprintf(path, sizeof path, "%s/weir.db-audit", r.folder);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &old, 1, 60), 1);
    assert_int_equal(pwrite(fd, &new, 1, 60), 1);
    assert_int_equal(WEIR("audit", "--store", r.url), APP_REJECTED);
    said("does not fit from entry 1 on");
    assert_int_equal(pwrite(fd, &old, 1, 60), 1);
    close(fd);
    assert_int_equal(WEIR("audit", "--store", r.url), APP_DONE);
}

static void an_audit_log_that_was_cut_off_lacks_a_noted_hash(void **state)
{
    (void)state;
    char path[96], hash[80];
    struct stat st;
    assert_int_equal(WEIR("audit", "--store", r.url), APP_DONE);
    snprintf(hash, sizeof hash, "%.64s", strstr(r.err, "last hash ") + 10);
    assert_int_equal(WEIR("audit", "--store", r.url, "--hash", hash), APP_DONE);
    snprintf(path, sizeof path, "%s/weir.db-audit", r.folder);
    FILE *f = fopen(path, "r+");
    char *log = calloc(1, 1 << 20);
    size_t n = fread(log, 1, 1 << 20, f);
    log[n - 1] = 0;
    *(strrchr(log, '\n') + 1) = 0;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(ftruncate(fileno(f), (off_t)strlen(log)), 0);
    fclose(f);
    free(log);
    assert_int_equal(WEIR("audit", "--store", r.url), APP_DONE);
    assert_int_equal(WEIR("audit", "--store", r.url, "--hash", hash), APP_REJECTED);
    said("the log was cut off or made anew");
}

/* ---- the seal itself ---- */

static void a_seal_names_any_one_byte_of_any_length(void **state)
{
    (void)state;
    static char bytes[10000];
    struct buffer why;
    buffer_init(&why, 4096);
    for (size_t n = 1; n < sizeof bytes; n = n * 3 + 1) {
        struct seal s;
        for (size_t i = 0; i < n; i++) bytes[i] = (char)stable_mix(i + n);
        seal_of((struct slice){bytes, n}, &s);
        assert_true(seal_check(&s, (struct slice){bytes, n}, &why));
        for (size_t at = 0; at < n; at += n / 7 + 1) {
            char expected[64], old = bytes[at];
            bytes[at] = (char)(old + 1 + (char)at % 100);
            snprintf(expected, sizeof expected, "byte %zu is 0x%02x and was 0x%02x", at, (unsigned char)bytes[at], (unsigned char)old);
            assert_false(seal_check(&s, (struct slice){bytes, n}, &why));
            assert_string_equal(buffer_cstr(&why), expected);
            bytes[at] = old;
        }
        seal_fini(&s);
    }
    buffer_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_fits),
        cmocka_unit_test(the_records_add_up_to_the_claim),
        cmocka_unit_test(each_of_ten_thousand_flipped_bytes_is_named),
        cmocka_unit_test(several_changed_bytes_are_named_with_their_block),
        cmocka_unit_test(a_file_more_or_less_is_told),
        cmocka_unit_test(a_cut_file_is_told),
        cmocka_unit_test(a_directory_that_is_there_is_not_touched),
        cmocka_unit_test(what_was_made_anew_has_another_seal),
        cmocka_unit_test(logs_that_moved_are_found_by_their_bytes),
        cmocka_unit_test(the_audit_log_tells_who_did_what),
        cmocka_unit_test(a_changed_entry_of_the_audit_log_is_named),
        cmocka_unit_test(an_audit_log_that_was_cut_off_lacks_a_noted_hash),
        cmocka_unit_test(a_seal_names_any_one_byte_of_any_length),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
