/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the door: standard streams that exist, signals, and into app_main. Everything else can be called from a test. */
#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "weir/app.h"

/* Started without one of the standard streams, the next file opened would take its number and receive what is meant for a
 * person: a store would be overwritten by a complaint. */
static bool have_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Blocks of that size come from the kernel and go back to it: the tables of a window grow by remapping, without a copy and
 * without leaving holes. glibc would move the bound up to 32 MiB (a million hosts: 24 MiB more). */
#define MAPPED_BYTES (1 << 20)

int main(int argc, char **argv)
{
    if (!have_standard_streams())
        return APP_FAILED;
    prctl(PR_SET_DUMPABLE, 0); /* a core, or a debugger of the same user, would tell passwords and what the logs say */
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    app_catch_signals();
    return app_main(argc, argv, environ, stdout, stderr);
}
