/* SPDX-License-Identifier: Apache-2.0 */
/* config_read.c - where values come from besides flags: the file on disk and the environment. */
#include "app/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One byte more than allowed is read, so that a file that grows meanwhile is refused too. */
static enum weir_err read_all(int fd, const char *path, struct buffer *out, struct fault *fault)
{
    for (;;) {
        char *room = buffer_reserve(out, 65536);
        ssize_t n = room ? read(fd, room, 65536) : -1;
        if (n < 0 && room && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(fault, WEIR_USAGE, "cannot read config '%.200s': %s", path, room ? strerror(errno) : weir_err_text(out->err));
        if (n == 0)
            return WEIR_OK;
        out->n += (size_t)n;
        if (out->n > CONFIG_FILE_MAX)
            return fault_set(fault, WEIR_USAGE, "config '%.200s': line 1, column 1: more than %u bytes", path, CONFIG_FILE_MAX);
    }
}

static enum weir_err judge(int fd, const char *path, bool *loose, struct fault *fault)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fault_set(fault, WEIR_USAGE, "cannot read config '%.200s': %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fault_set(fault, WEIR_USAGE, "config '%.200s' is no regular file", path);
    *loose = (st.st_mode & (S_IWGRP | S_IWOTH)) || (st.st_uid != 0 && st.st_uid != geteuid());
    return WEIR_OK;
}

enum weir_err config_read_file(struct config *c, const char *path, bool *loose, struct fault *fault)
{
    *loose = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* non-blocking: a FIFO must not hang us */
    if (fd < 0)
        return fault_set(fault, WEIR_USAGE, "cannot open config '%.200s': %s", path, strerror(errno));
    struct buffer text;
    buffer_init(&text, (size_t)2 * CONFIG_FILE_MAX);
    enum weir_err err = judge(fd, path, loose, fault);
    if (!err)
        err = read_all(fd, path, &text, fault);
    if (!err)
        err = config_read_text(c, (struct slice){text.p, text.n}, path, fault);
    buffer_fini(&text);
    close(fd);
    return err;
}

/* In a cluster that has a service called weir, Kubernetes gives each pod WEIR_SERVICE_HOST, WEIR_PORT, WEIR_PORT_80_TCP ... */
static bool is_foreign(struct slice name)
{
    static const char *const whole[] = {"WEIR_FAILPOINT", "WEIR_CONFIG", "WEIR_PORT"};
    static const char *const starts[] = {"WEIR_SERVICE_", "WEIR_PORT_"};
    for (size_t i = 0; i < WEIR_COUNT(whole); i++)
        if (slice_eq(name, slice_of(whole[i])))
            return true;
    for (size_t i = 0; i < WEIR_COUNT(starts); i++)
        if (name.n >= strlen(starts[i]) && memcmp(name.p, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static enum weir_err unknown_variable(struct slice name, struct fault *fault)
{
    static char variables[PARAM_COUNT][CONFIG_NAME_MAX];
    const char *names[PARAM_COUNT];
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        param_variable(id, variables[id]);
        names[id] = variables[id];
    }
    const char *near = nearest_name(name, names, PARAM_COUNT);
    int n = (int)(name.n > 80 ? 80 : name.n);
    return fault_set(fault, WEIR_USAGE, "environment variable '%.*s' names no key%s%s%s", n, name.p, near ? ", the nearest is '" : "",
                     near ? near : "", near ? "'" : "");
}

static enum weir_err take_variable(struct config *c, const char *entry, struct fault *fault)
{
    size_t n = strcspn(entry, "=");
    struct slice name = {entry, n}, value = slice_of(entry[n] ? entry + n + 1 : "");
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        char variable[CONFIG_NAME_MAX];
        param_variable(id, variable);
        if (slice_eq(name, slice_of(variable)))
            return config_set(c, id, value, FROM_ENVIRONMENT, variable, fault);
    }
    return is_foreign(name) ? WEIR_OK : unknown_variable(name, fault);
}

enum weir_err config_read_env(struct config *c, char *const *env, struct fault *fault)
{
    for (; env && *env; env++) {
        enum weir_err err = strncmp(*env, "WEIR_", 5) == 0 ? take_variable(c, *env, fault) : WEIR_OK;
        if (err)
            return err;
    }
    return WEIR_OK;
}
