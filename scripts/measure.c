/* measure FILE COMMAND [ARG...]: runs the command and appends one JSON object to FILE: what it cost in wall time, CPU time
 * of user and system, and peak memory, children that it waited for included. wait4() tells all of that for the child alone,
 * where a shell's `time` has no memory and GNU time is one more package. Exits as the command does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int exit_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run argv and wait. Returns its exit code (127 if it could not start), or -1 if there was no child. */
static int run_child(char **argv, struct rusage *cost)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, cost) != pid)
        return -1;
    return exit_of(status);
}

int main(int argc, char **argv)
{
    struct rusage cost = {0};
    FILE *out = argc > 2 ? fopen(argv[1], "a") : NULL;
    if (!out) {
        fprintf(stderr, "usage: measure FILE COMMAND [ARG...]\n");
        return 2;
    }
    double began = seconds_now();
    int rc = run_child(argv + 2, &cost);
    fprintf(out, "{\"wall\":%.4f,\"user\":%.4f,\"sys\":%.4f,\"maxrss_kib\":%ld,\"exit\":%d}\n", seconds_now() - began,
            seconds_of(cost.ru_utime), seconds_of(cost.ru_stime), cost.ru_maxrss, rc);
    if (fclose(out) != 0 || rc < 0) {
        fprintf(stderr, "measure: cannot run or cannot write '%s'\n", argv[1]);
        return 1;
    }
    return rc;
}
