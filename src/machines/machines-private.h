/* Machines: state that the files of the control plane's side share. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "machines/exchange.h"
#include "machines/machines.h"

typedef enum
{
  LIFE_PREPARING, /* what it needs is on its way to its machine */
  LIFE_ALIVE,
  LIFE_GONE,
} Life;

/* An instance on another machine; guarded. */
typedef struct
{
  char *id;
  char *machine;
  char *version;
  GPtrArray *trees; /* folders of the data directory that its machine may have */
  Life life;
  bool is_told;          /* its machine has heard of it */
  bool is_ended;         /* and is to have ended it */
  int plain_fd;          /* of a connection to its director that nobody has taken; -1: none */
  VendTlsStream *stream; /* of its director's newest connection; borrowed from its thread */
  VendRunnerUsage usage;
} Entry;

typedef struct
{
  char *name;
  pthread_mutex_t writing; /* before `lock`: one frame at a time to its agent */

  /* Guarded by `lock`. */
  json_t *hardware;
  char *address;
  guint units;
  bool draining;
  bool removed;
  int64_t created_us;
  int64_t seen_wall_us;  /* 0: never */
  int64_t seen_us;       /* monotonic; the start of the server counts */
  int64_t noted_us;      /* monotonic: that it was seen was stored */
  VendTlsStream *stream; /* of its agent; borrowed from its thread. NULL: not connected */
  guint64 connection;    /* counts them */
  GHashTable *versions;  /* that it has had */
} Machine;

typedef struct
{
  json_t *answer;  /* NULL: none yet */
  GPtrArray *more; /* of json_t: frames before the answer */
} Question;

typedef struct MachinesDoor MachinesDoor;

struct VendMachines
{
  VendStore *store;
  VendBlobs *blobs;
  VendRunner *local; /* of the runner, which frees it */
  char *data_dir;
  char *dir;           /* DATA/machines */
  char *authority_dir; /* in it */
  char *authority;     /* PEM */
  int64_t lease_us;
  uint64_t max_output_file;
  VendTlsIdentity *identity;
  guint port;
  MachinesDoor *door;

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t changed;
  GHashTable *machines;  /* name → Machine (owned), which stay */
  GHashTable *entries;   /* id → Entry (owned) */
  GHashTable *questions; /* number → Question, borrowed from who waits */
  int64_t n_questions;
};

/* ---- machines.c */
/* Locked. NULL: none, or it was removed. */
Machine *machines_find (VendMachines *machines, const char *name);
/* Locked. Connected, or silent for less than the lease. */
bool machines_is_there (const VendMachines *machines, const Machine *machine);
/* A sign of life; `hardware` may be NULL. */
void machines_seen (VendMachines *machines, Machine *machine, const json_t *hardware,
                    const char *address);
Entry *machines_entry_new (const char *id, const json_t *spec);
void machines_entry_free (Entry *entry);
/* Sends `question` (taken) to the agent and waits for its answer. `more` may be NULL. UNAVAILABLE
 * when the machine is not connected, or its connection ends; RUNNER with the agent's sentence. */
bool machines_ask (VendMachines *machines, const char *name, json_t *take_question,
                   guint patience_s, GPtrArray *more, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- machines-spec.c: specs, as another machine can use them */
/* What stands for the data directory in paths. */
#define MACHINES_DATA "@data@"
/* Folders below `data_dir` that the instance needs; of char*. */
GPtrArray *machines_spec_trees (const char *data_dir, const json_t *spec) G_GNUC_WARN_UNUSED_RESULT;
json_t *machines_spec_portable (const char *data_dir, const json_t *spec) G_GNUC_WARN_UNUSED_RESULT;
/* All texts with `from` replaced where it begins a path. */
json_t *machines_spec_rebase (const json_t *spec, const char *from, const char *to)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- machines-runner.c */
/* What the last server has left. */
bool machines_runner_load (VendMachines *machines, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of an instance, on this machine. Free with g_free. */
char *machines_folder (const VendMachines *machines, const char *id) G_GNUC_WARN_UNUSED_RESULT;

/* ---- machines-door.c: the listener, and a thread for each connection */
bool machines_door_open (VendMachines *machines, const char *listen, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void machines_door_free (MachinesDoor *door);
/* Where output files of an instance lie until they are in the file store. Free with g_free. */
char *machines_outputs_dir (const VendMachines *machines, const char *id) G_GNUC_WARN_UNUSED_RESULT;
