/* What a director runs: DIR/spec.json. Pure apart from reading the file. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/network.h"
#include "cgroup/group.h"
#include "json/json.h"
#include "sandbox/isolation.h"
#include "workspace/workspace.h"

#define VEND_SPEC_MAX_SLOTS 256
#define VEND_SPEC_MAX_SIZE ((gsize) 4 << 20)

typedef struct
{
  char *instance;
  char *version;
  bool train;
  char **argv;
  char *model_server; /* "http" or "worker"; NULL: what fits */
  char *source;       /* what the working copy is made from */
  VendCopyKind copy_kind;
  char **read_only; /* folders that the model may not write to */
  char **links;     /* into the working copy: a path, where it leads, and so on */
  char **env;       /* "KEY=value", complete but for the secrets */
  char **secrets;   /* names of variables whose values come over the standard input */
  guint slots;
  int64_t setup_timeout_us;
  int64_t cancel_grace_us;
  int64_t stop_grace_us;
  int64_t orphan_timeout_us;
  uint64_t max_output;
  uint64_t max_output_file;
  uint64_t max_input_file;
  int64_t input_timeout_us;
  int64_t input_stall_us;   /* for so long a URL may send */
  uint64_t input_min_speed; /* fewer bytes a second than this */
  uint64_t max_logs;
  uint64_t max_disk;       /* bytes of files that the model keeps; 0 = no limit */
  uint64_t max_home;       /* bytes of files in HOME; 0 = no limit */
  VendCgroups *cgroups;    /* that the machine lets us make; perhaps none */
  VendCgroupLimits limits; /* of its processes together, as far as there are groups */
  uint64_t process_data;   /* bytes of RLIMIT_DATA; 0 = no limit */
  uint64_t user_processes; /* RLIMIT_NPROC; 0 = no limit */
  VendIsolation isolation;
  bool needs_sandbox;  /* nothing weaker will do */
  char *isolation_why; /* it is no stronger; NULL: nobody said */
  VendNetworkKind network;
  VendNetworks *network_allow; /* what it reaches beside public addresses */
  uid_t model_user;            /* of the model's processes; 0: the director's own */
  bool has_root;               /* `source` is the root file system of an image */
  char *root_cwd;              /* of the model, in it */
  uid_t root_uid;              /* as what it sees itself in there */
  gid_t root_gid;
  bool event_streams; /* its server may have them */
  char *home;         /* what HOME is in the sandbox; NULL: nothing */
  char *room_life;    /* of the room of its zygote (sandbox/room.h); NULL: none */
  pid_t room_first;
  char *room_folder;         /* of the snapshot that is in there; NULL: there is a zygote alone */
  bool has_uplink;           /* the control plane is on another machine, and is dialed */
  VendNetworks *input_allow; /* whom input URLs may name beside public addresses */
} VendSpec;

bool vend_spec_parse (const json_t *document, VendSpec **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_spec_load (const char *dir, VendSpec **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_spec_free (VendSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSpec, vend_spec_free)
