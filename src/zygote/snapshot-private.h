/* What snapshot-process.c and snapshot-room.c share. */
#pragma once
#include "workspace/workspace.h"
#include "zygote/snapshot-process.h"

#define VEND_SNAPSHOT_LINK_FD 3
#define VEND_SNAPSHOT_GUARD_FD 4
#define VEND_SNAPSHOT_SOCKET_FD 5 /* in a room */
/* Known to snapshot.py, and to nothing that could run it. */
#define VEND_SNAPSHOT_ORDER "raise SystemExit('an order for a zygote of Vend')"
#define VEND_SNAPSHOT_MARK "VEND_INSTANCE_DIR" /* of runner/process-identity.h */
#define VEND_TRIAL_SECONDS "20"

/* The ends that it is given: it writes to `link`, and follows `guard`. */
typedef struct
{
  int link;
  int guard;
} VendSnapshotEnds;

/* Fails where nothing can be mounted, since a fork has its own working copy where the snapshot's
 * is. */
bool vend_snapshot_workspace (const VendSnapshotOrder *order, const char *dir, char *const *argv,
                              char *const *env, VendWorkspace **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* snapshot-room.c: in a room that is nested in that of the zygote. */
bool vend_snapshot_start_in_room (const VendSnapshotOrder *order, const VendSnapshotEnds *ends,
                                  VendZygoteProcess *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A trial in a sandbox that is nested in the snapshot's room: it says what came of it at `link`.
 * Closing `*out_control` and killing `*out_pid` ends it. */
bool vend_snapshot_try_in_room (const VendSnapshotOrder *order, int link, pid_t *out_pid,
                                int *out_control, GError **error) G_GNUC_WARN_UNUSED_RESULT;
