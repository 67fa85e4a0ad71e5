/* Rooms (sandbox/room.h) as processes, for zygotes and snapshots. Threads: any; these block for
 * some 20 ms. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

#include "cgroup/group.h"
#include "sandbox/room.h"
#include "sandbox/sandbox.h"
#include "workspace/workspace.h"

typedef struct
{
  VendSandbox *sandbox;
  const VendRoom *around;         /* that it is nested in; NULL: none */
  const VendWorkspace *workspace; /* whose mounts it shows; NULL: none */
  const VendCgroup *born_in;      /* all of it; NULL: that of this process */
} VendRoomStart;

typedef struct
{
  pid_t pid;     /* a child of this process, which ends as the sandbox does */
  pid_t first;   /* in the sandbox */
  pid_t program; /* what it is made for; 0: not started yet */
  int process;   /* a pidfd of that; -1: none */
  int control;   /* to the first process */
} VendRoomProcess;

/* Returns when the sandbox is there and nothing runs in it yet. */
bool vend_room_process_new (const VendRoomStart *start, VendRoomProcess *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Has its program started, in `group`. In a room the first process stays out of that: it outlives
 * the program while others are in there. */
bool vend_room_process_go (VendRoomProcess *process, const VendCgroup *group, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Ends all of it, and waits for the child. */
void vend_room_process_kill (VendRoomProcess *process);

/* What all of them show: the scripts of vend_zygote_install, Python, and the account's folder
 * `home` where HOME of `env` is, made and given to `user` (0: the server's). */
bool vend_room_process_show (VendSandboxPaths *paths, const char *scripts, const char *python,
                             const char *home, uid_t user, char *const *env, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
