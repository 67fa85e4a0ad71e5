/* Snapshots as processes: zygotes that have also run setup() of one version, in a working copy and
 * a /tmp of their own. Threads: any; these block on disk and on fork. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

#include "cgroup/group.h"

typedef struct
{
  const char *scripts;      /* of vend_zygote_install */
  const char *python;       /* the real one */
  char *const *env;         /* complete, as of the model's process; the launcher is first on PATH */
  const char *dir;          /* its own: working copy, /tmp */
  const char *trial_dir;    /* the same for its trial */
  const char *socket;       /* where launchers will find it */
  const char *source;       /* of the version */
  char *const *read_only;   /* what it may not write to */
  char *const *links;       /* into its working copy, see workspace.h; or NULL */
  const char *working_copy; /* one of VEND_COPY_KINDS */
  const VendCgroup *group;  /* that it is born in; NULL: that of this process */
} VendSnapshotOrder;

/* Starts one as a launcher, a child of this process. It ends when the launcher does, and when
 * `*out_guard` is closed. It writes lines to `*out_link`: "ready PID" once launchers may come; or
 * "unfit WHY", after which it ends; "forked NAME" or "refused NAME WHY" of each instance later. */
bool vend_snapshot_start (const VendSnapshotOrder *order, pid_t *out_pid, int *out_link,
                          int *out_guard, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Starts a model server from it, and ends it when it is ready. The error says why it is not fit.
 * Takes as long as a start, until its patience ends or another thread sets `*stops`. */
bool vend_snapshot_try (const VendSnapshotOrder *order, const gint *stops, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
