/* Looks at a fork of a zygote from outside, before it is given anything to do: a zygote has run
 * code of packages, and may have left out what locks its forks in. Blocks on /proc for a moment. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

typedef struct
{
  pid_t first;    /* of the sandbox that it is to be in */
  pid_t launcher; /* whose descriptors 0 to 2 it has */
  const char *cwd;
  bool is_room; /* it is to fork for others: it needs the filter of rooms alone */
} VendForkPlace;

/* The number of the process that `pidfd` is about; 0: it is gone. */
pid_t vend_fork_number (int pidfd);
/* That it is in all namespaces of the sandbox, and has neither rights nor descriptors beyond those
 * of a process that was started in there. */
bool vend_fork_check (pid_t process, const VendForkPlace *place, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* That its control groups are those of the sandbox's first process. */
bool vend_fork_check_groups (pid_t process, const VendForkPlace *place, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
