/* SPDX-License-Identifier: Apache-2.0 */
/* Two walls. seccomp: a list of system calls, by number, and death for all others; memory that can be executed is not handed out. Landlock:
 * no right on any file, should a call be missing in the reasoning. Written by hand: the filter is a list of numbers, for which a library is
 * more to trust, not less. Sources: seccomp(2), landlock(7), Linux 6.1; the sandbox of OpenSSH for the shape. */
#include "app/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
#define FIELD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define LOW_HALF(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n])) /* little-endian, both of them */
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Of mmap and mprotect: the third argument without PROT_EXEC. */
#define ALLOW_DATA(call) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 4), LOW_HALF(2), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static const struct sock_filter filter[] = {
    FIELD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    FIELD(nr),
    ALLOW(read), ALLOW(pread64), ALLOW(write), ALLOW(writev), ALLOW(pwrite64), ALLOW(lseek), ALLOW(ftruncate), ALLOW(fadvise64),
    ALLOW(fstat), ALLOW(close), ALLOW(dup), ALLOW(recvmsg), ALLOW(sendto),
#ifdef SYS_newfstatat
    ALLOW(newfstatat), /* what fstat() is since glibc 2.33; names lead nowhere, see Landlock */
#endif
    ALLOW_DATA(mmap), ALLOW_DATA(mprotect), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(brk),
    ALLOW(futex), ALLOW(clock_gettime), ALLOW(getrandom), ALLOW(sched_yield), ALLOW(restart_syscall),
#ifdef __SANITIZE_ADDRESS__
    ALLOW(prctl), ALLOW(sigaltstack), /* it names its memory */
#endif
    ALLOW(getpid), ALLOW(gettid), ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(exit), ALLOW(exit_group),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static enum weir_err close_calls(struct fault *fault)
{
    const struct sock_fprog program = {.len = WEIR_COUNT(filter), .filter = (struct sock_filter *)(uintptr_t)filter};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        return fault_set(fault, WEIR_UNSUPPORTED, "cannot enter the sandbox: seccomp: %m");
    return WEIR_OK;
}
#else
static enum weir_err close_calls(struct fault *fault)
{
    return fault_set(fault, WEIR_UNSUPPORTED, "cannot enter the sandbox: no list of calls for this architecture");
}
#endif

static long landlock_version(void) { return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION); }

bool sandbox_has_landlock(void) { return landlock_version() >= 1; }

/* Every right on files that its first version knows; later versions add to what exists, and seccomp has closed it. */
static enum weir_err close_files(struct fault *fault)
{
    const struct landlock_ruleset_attr all = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    if (!sandbox_has_landlock())
        return WEIR_OK;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0);
    if (rules < 0 || syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
        fault_set(fault, WEIR_UNSUPPORTED, "cannot enter the sandbox: Landlock: %m");
        if (rules >= 0)
            close(rules);
        return WEIR_UNSUPPORTED;
    }
    close(rules);
    return WEIR_OK;
}

enum weir_err sandbox_enter(struct fault *fault)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fault_set(fault, WEIR_UNSUPPORTED, "cannot enter the sandbox: %m");
    enum weir_err err = close_files(fault);
    return err ? err : close_calls(fault);
}
