/* Instances, wherever they run: a table of operations. One backend has directors and models as
 * processes of this machine (runner-process.h); tests have another one.
 *
 * An instance is known by its id alone (vend_id_new), which the caller chooses before the start, so
 * that a lease on it can be on disk by then. What the runner needs to find an instance again after
 * a crash of this process it keeps itself.
 *
 * Threads: an operation that blocks (on disk, processes, other machines) is for any thread but the
 * core thread, which calls it only before its loop runs and after it has ended; several such calls
 * may be under way, also about one instance. The others never block. `connect` is for the core
 * thread alone. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "runner/link.h"

typedef struct VendRunner VendRunner;

/* `spec` is the text of what the instance was started with, without values of secrets; NULL when
 * `error` says why it cannot be read: NOT_FOUND when the start was cut off before it was kept.
 * False: no more. */
typedef bool (*VendRunnerFound) (const char *id, const char *spec, const GError *error, void *data);

/* `completed` is borrowed. */
typedef void (*VendRunnerResult) (json_t *completed, void *data);

typedef struct
{
  guint processes;
  double cpu_seconds; /* of living processes, since their starts */
  uint64_t memory;    /* resident bytes; shared pages count in each process */
} VendRunnerUsage;

/* Borrowed. */
typedef struct
{
  const char *name; /* for people: a process id */
  const char *instance;
  bool is_director;  /* else it is a model's */
  bool is_kept;      /* its instance is one of `list` */
  bool has_director; /* a living one, as `is_alive` says */
} VendRunnerProcess;
typedef void (*VendRunnerSeen) (const VendRunnerProcess *process, void *data);

struct VendRunner
{
  /* Keeps `spec` (docs/architecture/director.md) durably and starts a director with it, which
   * outlives this process. Values of `secrets` reach the director and are kept nowhere. After an
   * error the instance may be there in part, until `end` and `remove`. Blocks. */
  bool (*start) (VendRunner *runner, const char *id, const json_t *spec, GError **error);

  /* Core thread; never blocks. A connection to the director; see vend_link_adopt. UNAVAILABLE while
   * there is none: the caller asks `is_alive`, and tries again. */
  bool (*connect) (VendRunner *runner, const char *id, GMainContext *context, gsize limit,
                   const VendLinkEvents *events, void *context_data, VendLink **out,
                   GError **error);

  /* Whether the director lives, or is on its way. Blocks; asked each few milliseconds until
   * `connect` succeeds. */
  bool (*is_alive) (VendRunner *runner, const char *id);

  /* Never blocks. Whether what the instance needs is still on its way, so that its director has not
   * begun. */
  bool (*is_preparing) (VendRunner *runner, const char *id);

  /* Ends the director and every process of the model at once, also when the director has died.
   * Results and output files stay. Blocks. */
  void (*end) (VendRunner *runner, const char *id);

  /* After `end`: the results (`completed` frames) that the director left and nobody acknowledged.
   * They stay until `remove`. Blocks. */
  bool (*read_results) (VendRunner *runner, const char *id, VendRunnerResult found, void *data,
                        GError **error);

  /* After `end`: forgets the instance with all that it left. After an error it is still in `list`,
   * and the next server tries again. Blocks. */
  bool (*remove) (VendRunner *runner, const char *id, GError **error);

  /* All instances that are not removed, living or not. They may be removed meanwhile. Blocks. */
  bool (*list) (VendRunner *runner, VendRunnerFound found, void *data, GError **error);

  /* Id → VendRunnerUsage (owned) of instances with processes. Free with g_hash_table_unref.
   * Blocks. */
  GHashTable *(*usage) (VendRunner *runner);

  /* All processes of instances, also of those that nothing else knows any more. Blocks. */
  void (*processes) (VendRunner *runner, VendRunnerSeen seen, void *data);

  /* Pure. Whether `path`, which a director names, is that of a file of an instance: nothing else is
   * taken as its output. */
  bool (*has_file) (const VendRunner *runner, const char *path);

  /* Pure. The folder of an instance on this machine, for its parts that work on this machine alone.
   * Free with g_free. */
  char *(*folder) (const VendRunner *runner, const char *id);

  /* Instances live on. */
  void (*free) (VendRunner *runner);
};

/* The specs of all instances of `list`, one after the other: each names what it needs. Blocks. */
bool vend_runner_read_specs (VendRunner *runner, GString **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* A member of specs: how a director dials the control plane (docs/architecture/machines.md). As
 * values of secrets it is handed over, and kept nowhere. */
#define VEND_RUNNER_UPLINK "vend.uplink" /* no name of a variable */

/* The text of `spec` as it is kept: of secrets the names. Free with g_free. */
char *vend_runner_kept_spec (const json_t *spec) G_GNUC_WARN_UNUSED_RESULT;

void vend_runner_free (VendRunner *runner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendRunner, vend_runner_free)
