/* Mounts that only the processes of one instance see: its own /tmp, read-only folders, an overlay
 * as its working copy. Everything except the planning runs between fork and exec, with system calls
 * only. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef enum
{
  VEND_MOUNT_DONE,
  VEND_MOUNT_NAMESPACE, /* no namespace can be made, or nothing can be mounted in it */
  VEND_MOUNT_TMP,
  VEND_MOUNT_READ_ONLY,
  VEND_MOUNT_OVERLAY,
} VendMountStep;

/* The last completed step, and the error of the next. */
typedef struct
{
  VendMountStep step;
  int error;
} VendMountResult;

/* All paths are absolute. Borrowed: they live as long as the workspace. */
typedef struct
{
  bool user_spaces;     /* a user namespace is needed first */
  bool user_attributes; /* overlay attributes are "user.*", where "trusted.*" needs more rights */
  const char *tmp;      /* mounted over /tmp; NULL: nothing is */
  char **kept_from;     /* /tmp/NAME that stays reachable */
  char **kept_at;       /* its place in `tmp`, which exists */
  char **read_only;     /* folders */
  const char *source;
  const char *lower; /* where the source is mounted as somebody else's; NULL: it is not */
  int idmap;         /* as whose */
  const char *upper;
  const char *work;
  const char *target; /* NULL: no overlay */
} VendMounts;

/* In the child. */
VendMountResult vend_mounts_enter (const VendMounts *mounts);
