/* The sandbox of one instance: made before its first process, entered between fork and exec.
 * bubblewrap makes the namespaces; its first process is pin.c, which starts the model server.
 * Blocks on disk, for a millisecond or two. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

#include "sandbox/isolation.h"

typedef struct
{
  char *from; /* absolute, on the host */
  char *to;   /* in the sandbox */
  bool writable;
  bool device;
  bool is_dir;
  bool owned; /* files of the server's user, which are shown as the model's own */
} VendSandboxPath;

/* The paths that a sandbox shows beside the system's. */
typedef struct VendSandboxPaths VendSandboxPaths;

typedef struct VendRoom VendRoom;

/* A descriptor that the program gets, under a number from 3 to 9. */
typedef struct
{
  int fd; /* borrowed */
  int number;
} VendSandboxFd;

typedef struct
{
  VendIsolation kind; /* not NONE */
  VendNetworkKind network;
  uid_t uid;       /* of the model, outside; 0: that of the server */
  int idmap;       /* of vend_idmap_new for it, borrowed; -1: none */
  const char *cwd; /* in the sandbox */
  bool has_root;   /* `paths` has all of "/", the system's too */
  uid_t inner_uid; /* with a root: as what the model sees itself */
  gid_t inner_gid;
  /* What /tmp is, on the host; NULL: memory, or without namespaces that of the host. */
  const char *tmp;
  char *const *argv;
  char *const *env; /* "NAME=value"; the model server has nothing else */
  const VendSandboxPaths *paths;
  uint64_t process_data;   /* RLIMIT_DATA; 0: no limit */
  uint64_t user_processes; /* RLIMIT_NPROC of the sandbox; 0: no limit */
  uint64_t shared_memory;  /* bytes of /dev/shm; 0: half of the machine's memory */
  const VendSandboxFd *fds;
  guint n_fds;
  bool is_launcher;     /* `argv` is that of zygote/launcher.c, which asks for a fork */
  const VendRoom *room; /* that it is nested in, joined before; NULL: none */
  bool is_room;         /* it becomes one */
  int life;             /* of a room: see vend_room_life_new; borrowed */
} VendSandboxOptions;

typedef struct VendSandbox VendSandbox;

VendSandboxPaths *vend_sandbox_paths_new (void) G_GNUC_WARN_UNUSED_RESULT;
void vend_sandbox_paths_free (VendSandboxPaths *paths);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSandboxPaths, vend_sandbox_paths_free)
/* Nothing when `from` does not exist. `to` NULL: the same path. */
void vend_sandbox_paths_read (VendSandboxPaths *paths, const char *from, const char *to);
/* The same for what belongs to the model's user on the host. */
void vend_sandbox_paths_given (VendSandboxPaths *paths, const char *from, const char *to);
void vend_sandbox_paths_write (VendSandboxPaths *paths, const char *from, const char *to);
/* An environment of Python, and the Python that it was made with, wherever that lies. */
void vend_sandbox_paths_python (VendSandboxPaths *paths, const char *python);
/* Where `links` of a working copy (workspace.h) lead, and COG_WEIGHTS of `env`. */
void vend_sandbox_paths_weights (VendSandboxPaths *paths, char *const *links, char *const *env);
/* Device nodes of GPUs, as CUDA_VISIBLE_DEVICES names them, and what their libraries read. */
void vend_sandbox_paths_gpus (VendSandboxPaths *paths, const char *visible);
guint vend_sandbox_paths_count (const VendSandboxPaths *paths);
const VendSandboxPath *vend_sandbox_paths_get (const VendSandboxPaths *paths, guint i);

bool vend_sandbox_new (const VendSandboxOptions *options, VendSandbox **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_sandbox_free (VendSandbox *sandbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSandbox, vend_sandbox_free)

/* What to execute after vend_sandbox_enter, with an empty environment. Borrowed. */
const char *const *vend_sandbox_argv (const VendSandbox *sandbox);
/* In the child: mounts, the user, then descriptors under their numbers. System calls only. */
bool vend_sandbox_enter (const VendSandbox *sandbox);
/* Leads to the first process of the sandbox, and is the caller's. -1: there is none. */
int vend_sandbox_take_control (VendSandbox *sandbox);
/* In the parent, once the child has them. */
void vend_sandbox_started (VendSandbox *sandbox);
