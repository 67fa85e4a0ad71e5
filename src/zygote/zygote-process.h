/* Zygotes as processes: parked Pythons that made a model's imports and fork for launchers. What is
 * in the data directory for them. Threads: any; these block on disk and on fork, so not on the core
 * thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

#include "cgroup/group.h"
#include "sandbox/sandbox.h"

/* Writes launcher and scripts to a folder of `dir` that is named after their content, unless they
 * are there, and removes sockets and control groups of earlier zygotes. `*out_scripts` is that
 * folder; free with g_free. The launcher is its `bin/python`. */
bool vend_zygote_install (const char *dir, char **out_scripts, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  const char *scripts; /* of vend_zygote_install */
  const char *python;
  char *const *env;        /* complete, as of the model's process */
  const char *cwd;         /* some folder; imports must not depend on it */
  const char *socket;      /* where launchers will find it */
  const char *imports;     /* file: names of modules, one a line */
  const char *unfit;       /* file: those of them that must not be imported there; it adds to it */
  const VendCgroup *group; /* that it is born in; NULL: that of this process */
  const char *life;        /* of the room that is made for it (sandbox/room.h); NULL: none is */
  const char *orders;      /* with a room: where who wants a snapshot made will find it */
  uid_t user;              /* of all in the room; 0: the server's */
  const char *home;        /* what HOME is in there */
} VendZygoteOrder;

/* As children of this process; unknown numbers are 0, and descriptors -1. */
typedef struct
{
  pid_t pid; /* the child: with a room, that which waits for its end */
  int link;
  pid_t first;  /* of the room */
  pid_t zygote; /* in the room */
  int process;  /* a pidfd of that */
  int life;     /* holds the room */
  int guard;    /* of a snapshot: it ends when this is closed */
  int way_out;  /* of one in a room: a socket that listens where instances have their proxy */
} VendZygoteProcess;

#define VEND_ZYGOTE_PROCESS_NONE \
  (VendZygoteProcess) { .link = -1, .process = -1, .life = -1, .guard = -1, .way_out = -1 }

/* Starts one. It ends when `link` is closed, and writes lines there: "ready" once launchers may
 * come; "unfit MODULE WHY" when an import leaves behind what a fork cannot take along, after which
 * it ends and is to be started again: in a room it cannot write to `unfit` itself. */
bool vend_zygote_start (const VendZygoteOrder *order, VendZygoteProcess *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_zygote_process_clear (VendZygoteProcess *process);

/* Binds a socket for launchers of `user` (0: the server's) to `path`, whose folder a room does not
 * show. */
bool vend_zygote_listen_at (const char *path, uid_t user, int *out_fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* zygote-room.c: the same in a room, with `argv` for the zygote. `fds` are borrowed. */
bool vend_zygote_start_in_room (const VendZygoteOrder *order, char *const *argv, char *const *env,
                                const VendSandboxFd *fds, guint n_fds, VendZygoteProcess *out,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes of memory that a process takes, shared ones by its share; 0 when that cannot be told. */
uint64_t vend_zygote_memory (pid_t pid);
