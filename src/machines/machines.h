/* Machines that run instances beside the one of the server: who they are, how they are, and a
 * runner that has instances on all of them. Each runs `vend agent` (agent.h), which dials the
 * listener that is opened here; so do the directors on them (docs/architecture/machines.md). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "files/blobs.h"
#include "json/json.h"
#include "runner/runner.h"
#include "store/store.h"

/* A member of specs: the machine that the instance runs on; absent on this one. */
#define VEND_MACHINE_MEMBER "machine"

typedef struct VendMachines VendMachines;

typedef struct
{
  VendStore *store; /* borrowed, as are all but `local` */
  VendBlobs *blobs;
  const char *data_dir;
  const char *listen; /* address:port for agents and directors */
  VendRunner *local;  /* taken: of instances on this machine */
  int64_t lease_us;   /* a machine that is silent for so long is lost */
  uint64_t max_output_file;
} VendMachinesOptions;

/* Makes the authority in the data directory when there is none, and listens. `local` is freed by a
 * failure too. Blocks. */
bool vend_machines_open (const VendMachinesOptions *options, VendMachines **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Closes the listener and all connections, while the store is there. Blocks for as long as its
 * threads take to see that. NULL is fine. */
void vend_machines_stop (VendMachines *machines);
/* The runner is not freed by this, and must be gone. */
void vend_machines_free (VendMachines *machines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendMachines, vend_machines_free)

/* Instances of all machines: by VEND_MACHINE_MEMBER of the spec. Ends with vend_runner_free, before
 * the machines. */
VendRunner *vend_machines_runner (VendMachines *machines) G_GNUC_WARN_UNUSED_RESULT;

guint vend_machines_port (const VendMachines *machines);

/* ---- For the scheduler; never blocks for long, any thread */

typedef struct
{
  char *name;
  guint units;
  bool is_open; /* connected, and not draining */
  bool drains;  /* or was removed: what runs there ends, and nothing starts */
} VendMachineView;

/* Of VendMachineView, by name. Free with g_ptr_array_unref. */
GPtrArray *vend_machines_look (VendMachines *machines) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the machine has had an instance of this version since the server started. */
bool vend_machines_has_version (VendMachines *machines, const char *name, const char *version);

/* ---- For the API; blocks for a commit, and not on the core thread */

/* A name is 1 to 63 letters, digits, '.', '_' and '-', and begins with a letter or digit. */
bool vend_machine_name_is_good (const char *name);

/* `hardware`: {"cores", "memory", "units", "system"}. EXISTS when the name is taken. `*out` is what
 * the agent needs to know: {"name", "port", "authority", "certificate", "key"}, which is kept
 * nowhere here. */
bool vend_machines_join (VendMachines *machines, const char *name, const json_t *hardware,
                         json_t **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NOT_FOUND when there is none. */
bool vend_machines_drain (VendMachines *machines, const char *name, bool drains, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* CONFLICT while it has instances, unless it is lost. Its certificate is refused from then on. */
bool vend_machines_remove (VendMachines *machines, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* {"name", "state": "ready", "draining" or "lost", "address", "hardware", "instances",
 * "created_at", "last_seen_at"}; NULL: there is none. */
json_t *vend_machines_describe (VendMachines *machines, const char *name) G_GNUC_WARN_UNUSED_RESULT;
/* All of them, by name. */
json_t *vend_machines_describe_all (VendMachines *machines) G_GNUC_WARN_UNUSED_RESULT;
