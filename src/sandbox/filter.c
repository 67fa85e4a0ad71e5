/* The list of refused system calls. */
#include "sandbox/filter.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (scmp_filter_ctx, seccomp_release, NULL)

#define TYPE_MASK 0xf /* of a socket's type, without its flags */

/* Parts of the kernel that models have no use for, and that have let programs out of sandboxes. */
static const int refused[] = {
  SCMP_SYS (io_uring_setup),
  SCMP_SYS (io_uring_enter),
  SCMP_SYS (io_uring_register),
  SCMP_SYS (bpf),
  SCMP_SYS (userfaultfd),
  SCMP_SYS (perf_event_open),
  SCMP_SYS (keyctl),
  SCMP_SYS (add_key),
  SCMP_SYS (request_key),
  /* Other processes. */
  SCMP_SYS (ptrace),
  SCMP_SYS (process_vm_readv),
  SCMP_SYS (process_vm_writev),
  SCMP_SYS (pidfd_getfd),
  SCMP_SYS (kcmp),
  /* Mounts, namespaces. */
  SCMP_SYS (mount),
  SCMP_SYS (umount),
  SCMP_SYS (umount2),
  SCMP_SYS (pivot_root),
  SCMP_SYS (chroot),
  SCMP_SYS (unshare),
  SCMP_SYS (open_tree),
  SCMP_SYS (move_mount),
  SCMP_SYS (fsopen),
  SCMP_SYS (fsconfig),
  SCMP_SYS (fsmount),
  SCMP_SYS (fspick),
  SCMP_SYS (mount_setattr),
  SCMP_SYS (open_by_handle_at),
  /* The machine. */
  SCMP_SYS (syslog),
  SCMP_SYS (acct),
  SCMP_SYS (quotactl),
  SCMP_SYS (quotactl_fd),
  SCMP_SYS (swapon),
  SCMP_SYS (swapoff),
  SCMP_SYS (reboot),
  SCMP_SYS (kexec_load),
  SCMP_SYS (kexec_file_load),
  SCMP_SYS (init_module),
  SCMP_SYS (finit_module),
  SCMP_SYS (delete_module),
  SCMP_SYS (iopl),
  SCMP_SYS (ioperm),
  SCMP_SYS (modify_ldt),
  SCMP_SYS (uselib),
  SCMP_SYS (vhangup),
  SCMP_SYS (settimeofday),
  SCMP_SYS (clock_settime),
  SCMP_SYS (adjtimex),
  SCMP_SYS (clock_adjtime),
  SCMP_SYS (sethostname),
  SCMP_SYS (setdomainname),
  SCMP_SYS (lookup_dcookie),
  SCMP_SYS (nfsservctl),
};

static int
refuse_calls (scmp_filter_ctx filter, VendFilterKind kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      const int result = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), refused[i], 0);
      /* One that this machine does not have. */
      if (result < 0 && result != -EDOM)
        return result;
    }
  return kind == VEND_FILTER_ROOM
             ? 0
             : seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (setns), 0);
}

/* Keys typed into somebody's terminal. */
static int
refuse_terminals (scmp_filter_ctx filter)
{
  static const unsigned long requests[] = { TIOCSTI, TIOCLINUX };
  int result = 0;
  for (guint i = 0; i < G_N_ELEMENTS (requests) && result == 0; i++)
    result = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (ioctl), 1,
                               SCMP_A1_64 (SCMP_CMP_MASKED_EQ, 0xffffffffu, requests[i]));
  return result;
}

/* clone3 has its flags in memory, where a filter does not look: without it libc takes clone. */
static int
refuse_namespaces (scmp_filter_ctx filter)
{
  static const unsigned long flags[] = { CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                         CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP };
  int result = seccomp_rule_add (filter, SCMP_ACT_ERRNO (ENOSYS), SCMP_SYS (clone3), 0);
  for (guint i = 0; i < G_N_ELEMENTS (flags) && result == 0; i++)
    result = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (clone), 1,
                               SCMP_A0_64 (SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
  return result;
}

static int
refuse_family (scmp_filter_ctx filter, enum scmp_compare compare, int family)
{
  const int result = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EAFNOSUPPORT), SCMP_SYS (socket), 1,
                                       SCMP_A0_32 (compare, (uint32_t) family));
  return result < 0
             ? result
             : seccomp_rule_add (filter, SCMP_ACT_ERRNO (EAFNOSUPPORT), SCMP_SYS (socketpair), 1,
                                 SCMP_A0_32 (compare, (uint32_t) family));
}

/* Of all families those that programs speak to each other with. */
static int
refuse_sockets (scmp_filter_ctx filter)
{
  int result = 0;
  for (int family = 0; family < AF_INET6 && result == 0; family++)
    if (family != AF_UNIX && family != AF_INET)
      result = refuse_family (filter, SCMP_CMP_EQ, family);
  if (result == 0)
    result = refuse_family (filter, SCMP_CMP_GT, AF_INET6);
  if (result == 0)
    result = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (socket), 1,
                               SCMP_A1_32 (SCMP_CMP_MASKED_EQ, TYPE_MASK, SOCK_RAW));
  return result;
}

bool
vend_sandbox_filter (VendFilterKind kind, int *out_fd, GError **error)
{
  g_auto (scmp_filter_ctx) filter = seccomp_init (SCMP_ACT_ALLOW);
  vend_autofd fd = memfd_create ("vend-filter", MFD_CLOEXEC);
  int result = filter == NULL || fd < 0 ? -ENOMEM : refuse_calls (filter, kind);
  if (result == 0)
    result = refuse_terminals (filter);
  if (result == 0)
    result = refuse_namespaces (filter);
  if (result == 0)
    result = refuse_sockets (filter);
  if (result == 0)
    result = seccomp_export_bpf (filter, fd);
  if (result < 0 || lseek (fd, 0, SEEK_SET) != 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, result < 0 ? -result : errno,
                            "make a filter of system calls");
  *out_fd = vend_fd_steal (&fd);
  return true;
}
