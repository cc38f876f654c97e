/* Death at a chosen place, for tests: WEIR_FAILPOINT=name[:n] kills the process at the n-th pass of that name (the
 * first if n is missing, zero or no number). SIGKILL, because nothing may run afterwards, as after a power cut: random
 * kills were seen to miss a commit that was broken on purpose. Without the variable a pass costs one load. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct slice wanted, wanted_about;
static atomic_uint_least64_t passes_left;

static void read_environment(void)
{
    struct slice spec = slice_of(getenv("WEIR_FAILPOINT"));
    const char *colon = memchr(spec.p, ':', spec.n), *at = memchr(spec.p, '@', spec.n);
    uint64_t n = 1;
    if (at) {
        wanted_about = spec;
        return;
    }
    wanted = (struct slice){spec.p, colon ? (size_t)(colon - spec.p) : spec.n};
    if (colon && parse_u64(slice_of(colon + 1), UINT64_MAX, &n))
        n = 1;
    atomic_store(&passes_left, n ? n : 1);
}

void failpoint(const char *name)
{
    pthread_once(&once, read_environment);
    if (WEIR_LIKELY(wanted.n == 0) || !slice_eq(slice_of(name), wanted))
        return;
    if (atomic_fetch_sub(&passes_left, 1) == 1)
        kill(getpid(), SIGKILL);
}

bool failpoint_about(const char *name, struct slice about)
{
    pthread_once(&once, read_environment);
    size_t n = strlen(name);
    if (WEIR_LIKELY(wanted_about.n == 0) || wanted_about.n <= n || memcmp(wanted_about.p, name, n) != 0 || wanted_about.p[n] != '@')
        return false;
    return memmem(about.p, about.n, wanted_about.p + n + 1, wanted_about.n - n - 1) != NULL;
}

void failpoints_off(void)
{
    pthread_once(&once, read_environment);
    wanted.n = 0;
}
