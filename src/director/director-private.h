/* The director: state that its files share. One thread, the default main context. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "director/dial.h"
#include "director/limits.h"
#include "director/loopback.h"
#include "director/model-process.h"
#include "director/model-server.h"
#include "director/redact.h"
#include "director/results.h"
#include "director/disk-use.h"
#include "director/home.h"
#include "director/execution.h"
#include "director/spec.h"
#include "director/uplink.h"
#include "egress/egress.h"
#include "net/curl-context.h"
#include "net/egress.h"
#include "sandbox/inside.h"

typedef enum
{
  VEND_DIRECTOR_STARTING,
  VEND_DIRECTOR_READY,
  VEND_DIRECTOR_UNHEALTHY,
  VEND_DIRECTOR_FAILED,
  VEND_DIRECTOR_STOPPING,
  VEND_DIRECTOR_STOPPED,
} VendDirectorState;

typedef struct VendDirectorCopy VendDirectorCopy;

typedef struct
{
  char *dir;
  VendSpec *spec;
  VendRedactor *redactor; /* of what is said; NULL: there are no secrets */
  GMainLoop *loop;
  VendCurlContext *curl; /* to the model server */
  VendEgress *egress;    /* to the servers of input files */
  VendUplink *uplink;
  json_t *uplink_given; /* how to dial the control plane; NULL: it dials here, or is dialed */
  VendDial *dial;       /* NULL: it connects by itself */
  VendResults *results;
  VendLoopback *loopback;
  VendRoom *room;      /* that the sandbox is nested in; NULL: none */
  pid_t first;         /* of the sandbox; 0: not heard of */
  bool starts_plainly; /* what there was to fork from is of no use */
  int fork_fd;         /* to the launcher in the sandbox; -1: none */
  GSource *fork_source;
  VendInside *inside; /* the model's network namespace; NULL: it has none, or is not there */
  VendProxy *proxy;   /* its way out; NULL: it has none */

  VendDirectorState state;
  char *error;
  const char *error_code; /* static */
  bool drains;            /* unhealthy, and what it runs may still end well */

  VendDirectorCopy *copy;   /* is being made; NULL: not now */
  VendWorkspace *workspace; /* of the model; outlives it */
  VendModelLimits *limits;  /* likewise */
  VendModelProcess *model;
  const VendModelServerKind *kind; /* NULL until it is chosen */
  VendModelServer *server;
  bool starts_again; /* soon, as the other kind */
  guint ports_tried;
  GString *setup_logs;
  GString *setup_held; /* the end of what setup printed that may be the begin of a secret */
  bool setup_logs_full;
  GQueue *last_lines; /* of stderr, for when the server dies */
  bool port_taken;
  int64_t boot_us; /* monotonic */
  int64_t setup_us;
  int64_t ready_us; /* wall clock; 0 = not yet */
  guint setup_timer;
  char *start;           /* "fast" or "plain", as the launcher says; NULL: there was none */
  char *plain_reason;    /* why the latter */
  char *snapshot_reason; /* why not from its snapshot; NULL: it has none, or was */
  char *setup_problem;   /* why setup failed, while its last lines are read */
  guint term_timer;      /* of a server that was asked to end */
  guint kill_timer;
  guint goodbye_timer;
  guint goodbye_waits;
  guint tick_timer;
  VendDiskUse *disk_use; /* NULL: no limit, or no model yet */
  VendHome *home;        /* NULL: the model has none of its account, or was not started yet */
  VendDiskUse *home_use; /* likewise */
  guint signal_sources[2];

  VendExecutionEnv env;
  GHashTable *executions; /* cog id -> VendExecution, not ended */
  GHashTable *ended;      /* set of VendExecution whose call is still open */
  GQueue prefetched;      /* `run` commands (json_t) that wait for a slot */
  GQueue lost;            /* of `completed` frames (json_t), told once the model is gone */
  GPtrArray *released;
  guint release_source;
  GPtrArray *repeated; /* keys of results to be sent on this connection; NULL: all are */
  guint repeat_timer;
} VendDirector;

/* director.c */
const char *vend_director_state_name (VendDirectorState state);
gsize vend_director_frame_limit (const VendDirector *director);
/* The only place that moves the state; illegal moves are ignored. `error` and `error_code` may be
 * NULL. */
void vend_director_set_state (VendDirector *director, VendDirectorState state, const char *error,
                              const char *error_code);
void vend_director_stop (VendDirector *director, int64_t grace_us);
/* The model server is gone, or was never there. */
void vend_director_model_gone (VendDirector *director);

/* How the model server was started, for those who keep zygotes. */
void vend_director_tell_start (const VendDirector *director, json_t *frame);

/* director-secrets.c */
/* Into the environment of the model, and the redactor. */
bool vend_director_take_secrets (VendDirector *director, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* director-model.c */
bool vend_director_start_model (VendDirector *director, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In the workspace that is there. */
bool vend_director_spawn_model (VendDirector *director, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_director_clear_model (VendDirector *director);
/* Its files take too much: what runs fails, and the model server ends. */
void vend_director_disk_over (VendDirector *director, const char *why);
/* Setup is over: what it printed last. */
void vend_director_end_setup_logs (VendDirector *director);

/* director-home.c */
bool vend_director_open_home (VendDirector *director, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_director_watch_home (VendDirector *director);

/* director-workspace.c */
/* A new workspace, then the model; at once, or once a copy is made. */
bool vend_director_prepare (VendDirector *director, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_director_clear_workspace (VendDirector *director);

/* director-network.c */
/* Ports of 127.0.0.1 in the model's network namespace. */
#define VEND_INSIDE_LOOPBACK_PORT 3129

bool vend_director_has_namespace (const VendSpec *spec);
void vend_director_plan_network (VendDirector *director);
/* Adds what programs in there have to know to `env`, which it takes. */
char **vend_director_network_environment (const VendSpec *spec, char **env)
    G_GNUC_WARN_UNUSED_RESULT;
/* `first` is a process of the new sandbox. False: it cannot be, and the state says why. */
bool vend_director_enter_network (VendDirector *director, pid_t first);
/* The model is gone. */
void vend_director_clear_network (VendDirector *director);

/* director-sandbox.c */
/* Why an instance may not start with the isolation that it would get. */
bool vend_director_check_isolation (const VendSpec *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* `env` and what the director adds. Free with g_strfreev. */
char **vend_director_environment (const VendDirector *director, char *const *env)
    G_GNUC_WARN_UNUSED_RESULT;
/* `*out` is NULL where there is to be none. `launcher` is borrowed; -1: `argv` is none. */
bool vend_director_make_sandbox (VendDirector *director, char *const *argv, char *const *env,
                                 int launcher, VendSandbox **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* director-fork.c: a start from a zygote, in the sandbox. */
/* `env` without what there is no use for; finds the room. Free with g_strfreev. */
char **vend_director_choose_start (VendDirector *director, char *const *env)
    G_GNUC_WARN_UNUSED_RESULT;
/* The end of a socket that is for the launcher, which is closed by the caller; -1: there is none.
 */
bool vend_director_hear_launcher (VendDirector *director, char *const *env, int *out_fd,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The model server has ended: whether that is the room's fault, so that it starts again plainly. */
bool vend_director_blames_room (VendDirector *director);
void vend_director_clear_fork (VendDirector *director);

/* director-commands.c */
void vend_director_greet (VendDirector *director);
/* The connection has ended. */
void vend_director_stop_repeating (VendDirector *director);
void vend_director_command (VendDirector *director, json_t *command);

/* director-executions.c. A `key` is that of vend_execution_command_key. */
void vend_director_init_executions (VendDirector *director);
/* Runs that it takes beyond its slots. */
guint vend_director_prefetch (const VendDirector *director);
void vend_director_clear_executions (VendDirector *director);
void vend_director_run (VendDirector *director, json_t *command, const char *key);
void vend_director_cancel (VendDirector *director, const char *key);
void vend_director_release (VendDirector *director, const char *key);
/* `running` of the greeting, with as much of what the runs said as is within `budget` bytes. */
json_t *vend_director_list_executions (const VendDirector *director, gsize budget)
    G_GNUC_WARN_UNUSED_RESULT;
/* All of them, as INSTANCE_LOST or OUT_OF_MEMORY: `code`. What has begun is told once the model is
 * gone. */
void vend_director_lose_executions (VendDirector *director, const char *why, const char *code);
/* The model has failed those that have begun, and goes. */
void vend_director_end_executions (VendDirector *director, const char *why, const char *code);
/* What runs have open with a model server that is about to go. */
void vend_director_release_calls (VendDirector *director);
/* The model is gone. */
void vend_director_tell_lost (VendDirector *director);
