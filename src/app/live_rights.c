/* SPDX-License-Identifier: Apache-2.0 */
/* See live.h. The capture socket is open by now; nothing else that a capability allows is needed. The list of system calls is a filter of the
 * kernel (seccomp, mode 2): what is not on it kills the process, and so a packet that found a fault in us could at most write
 * segments. Source: capabilities(7), seccomp(2). */
#include "app/live.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool no_capability_is_left(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{1, 1, 1}, {1, 1, 1}};
    if (syscall(SYS_capget, &head, data) != 0)
        return false;
    for (size_t i = 0; i < 2; i++)
        if (data[i].effective || data[i].permitted || data[i].inheritable)
            return false;
    return true;
}

static bool raw_sockets_are_refused(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW, __builtin_bswap16(ETH_P_ALL));
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

enum weir_err rights_drop(struct fault *fault)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    const struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); /* allowed with CAP_SETPCAP only; no program is started any more anyhow */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_capset, &head, none) != 0)
        return fault_set(fault, WEIR_IO, "cannot give up capabilities: %m");
    if (!no_capability_is_left() || !raw_sockets_are_refused())
        return fault_set(fault, WEIR_IO, "capabilities were given up, but are still there");
    return WEIR_OK;
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH
#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

enum weir_err rights_seal(struct fault *fault)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        /* the socket */
        ALLOW(ppoll), ALLOW(recvfrom), ALLOW(recvmsg), ALLOW(getsockopt), ALLOW(setsockopt), ALLOW(ioctl),
        /* segments and the log */
        ALLOW(openat), ALLOW(write), ALLOW(writev), ALLOW(read), ALLOW(lseek), ALLOW(fstat), ALLOW(newfstatat), ALLOW(fcntl), ALLOW(close), ALLOW(fsync), ALLOW(fdatasync),
        ALLOW(renameat), ALLOW(renameat2),
        /* memory, time, signals, the end */
        ALLOW(mmap), ALLOW(munmap), ALLOW(mremap), ALLOW(brk), ALLOW(madvise), ALLOW(clock_gettime), ALLOW(clock_nanosleep), ALLOW(rt_sigreturn),
        ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(restart_syscall), ALLOW(futex), ALLOW(getpid), ALLOW(gettid), ALLOW(exit), ALLOW(exit_group),
#ifdef SYS_poll
        ALLOW(poll),
#endif
#ifdef SYS_gettimeofday
        ALLOW(gettimeofday),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {.len = WEIR_COUNT(filter), .filter = filter};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return fault_set(fault, WEIR_IO, "cannot set the filter of system calls: %m");
    return WEIR_OK;
}
#else
enum weir_err rights_seal(struct fault *fault) { return fault_set(fault, WEIR_UNSUPPORTED, "no filter of system calls is known for this machine"); }
#endif
