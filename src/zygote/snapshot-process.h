/* Snapshots as processes: zygotes that have also run setup() of one version, in a working copy and
 * a /tmp of their own. Threads: any; these block on disk and on fork. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

#include "cgroup/group.h"
#include "zygote/zygote-process.h"

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
  /* For one in a room (sandbox/room.h), else NULL and 0: */
  const char *life;        /* of its room, which is made */
  const char *around_life; /* of the room of the zygote that has its imports */
  pid_t around_first;
  pid_t first;      /* of its own, for the trial */
  uid_t user;       /* of all in there; 0: the server's */
  const char *home; /* what HOME is in there */
  bool has_proxy;   /* instances have one, and it has none */
} VendSnapshotOrder;

/* Starts one as a launcher, a child of this process. It ends when the launcher does, and when
 * `out->guard` is closed. It writes lines to `out->link`: "ready PID" once launchers may come; or
 * "unfit WHY", after which it ends; or of each instance later "forked NAME" or "refused NAME WHY",
 * which directors tell where there is a room. What connects to `out->way_out` asks for what it
 * cannot have. */
bool vend_snapshot_start (const VendSnapshotOrder *order, VendZygoteProcess *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Starts a model server from it, and ends it when it is ready. The error says why it is not fit.
 * Takes as long as a start, until its patience ends or another thread sets `*stops`. */
bool vend_snapshot_try (const VendSnapshotOrder *order, const gint *stops, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
