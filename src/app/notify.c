/* SPDX-License-Identifier: Apache-2.0 */
/* See notify.h. No libsystemd: it would be the largest library of the program, for one sendto. */
#include "app/notify.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/terminal.h"

void notify(char *const *env, const char *state)
{
    const char *path = env_get(env, "NOTIFY_SOCKET");
    size_t n = strlen(path);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if ((path[0] != '/' && path[0] != '@') || n >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@')
        to.sun_path[0] = 0; /* the abstract namespace */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    (void)sent; /* nobody listens: so be it */
    close(fd);
}

void notify_reloading(char *const *env)
{
    char state[80];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_ns() / 1000);
    notify(env, state);
}

int64_t notify_watchdog_ns(char *const *env)
{
    uint64_t us = 0, pid = 0;
    const char *for_whom = env_get(env, "WATCHDOG_PID");
    if (*for_whom && (parse_u64(slice_of(for_whom), INT64_MAX, &pid) || pid != (uint64_t)getpid()))
        return 0;
    if (parse_u64(slice_of(env_get(env, "WATCHDOG_USEC")), INT64_MAX / 1000, &us))
        return 0;
    return (int64_t)us * 500;
}
