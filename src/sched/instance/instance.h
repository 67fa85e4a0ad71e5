/* An instance: a director with its model server, from its start until the runner has removed it.
 * Core thread. */
#pragma once
#include "model/instance-usage.h"
#include "runner/link.h"
#include "sched/core.h"
#include "sched/run/run.h"

typedef enum
{
  INSTANCE_STARTING, /* the director is being started, or not connected yet */
  INSTANCE_BOOTING,  /* connected; the model sets up */
  INSTANCE_READY,
  INSTANCE_STOPPING,
  INSTANCE_GONE, /* being cleaned up */
} InstanceState;

/* See metering.h. */
typedef struct
{
  VendInstanceUsage *piece; /* grows; NULL: nothing is counted */
  int64_t put_us;           /* usage until here is on its way to the disk */
  int64_t busy_us;          /* the part of the rest that is not idle */
  int64_t counted_us;       /* monotonic: the latest growth */
  GArray *heard; /* of VendSpan: runs while this process was away; NULL: nothing was missed */
  int64_t heard_ready_us;
  bool is_ready;
} InstanceMeter;

struct Instance
{
  VendSched *sched;
  Target *target;
  char *id;
  InstanceState state;
  VendLink *link;
  VendTimer *timer;    /* the next try to connect */
  VendTimer *stop_due; /* deadline of a stop */
  int64_t give_up_us;  /* deadline of connecting */
  gsize frame_limit;   /* of its connection, as given at the director's start */
  bool checking;       /* a check whether the director lives is under way */
  bool adopted;        /* was there before this server started */
  bool adopting;       /* adopted, and not heard yet */
  bool stop_when_connected;
  bool hears_stop;       /* the director has confirmed the stop */
  bool evicted;          /* its stop makes room for another model */
  bool draining;         /* finishes its runs, and takes no more */
  bool reaped;           /* ended, and its results are read */
  GHashTable *unsettled; /* keys of attempts with a result that is not on disk yet */
  GHashTable *running;   /* id → Run, borrowed */
  guint slots;
  guint prefetch;   /* runs that the director takes beyond its slots */
  int64_t moved_us; /* the last end of a run, or the first run after idle */
  bool pings;       /* the director answers pings */
  guint silent_s;   /* ticks since the last frame */
  bool caught_up;   /* the director has replayed its state on this connection */
  guint behind_s;   /* ticks that the replay, or its next piece, is overdue, over all connections */
  int64_t created_us;
  int64_t ready_us;
  int64_t setup_us; /* of its boot: from the start of the model server on; 0: not told */
  int64_t idle_since_us;
  int64_t began_us;    /* start of the latest run; 0 = none yet */
  int64_t closed_us;   /* the director's end; 0 = it lives */
  VendBilling billing; /* as of the instance's start */
  InstanceMeter meter;
  guint failures; /* of runs, in a row */
  char *machine;  /* name of another machine that it runs on; NULL: this one */
  char **gpus;    /* UUIDs of assigned GPUs; NULL: none */
  GString *setup_logs;
  char *zygote;         /* socket of the zygote that forks this instance, or NULL */
  json_t *room;         /* where that lives, for the director; NULL: in none */
  char *plain_why;      /* reason for a plain start */
  bool records_imports; /* imports are recorded, and not learned yet */
  bool learning;        /* the record is being read */
  bool started_fast;
  char *snapshot;     /* socket of the snapshot that forks the worker, or NULL */
  char *snapshot_why; /* reason for a start without the existing snapshot; NULL: there is none */
  struct VendZygoteSpec *snapshot_spec; /* of the snapshot that fits; NULL: there must be none */
  bool wants_snapshot;                  /* a snapshot is worth its making */
  bool from_snapshot;
  struct VendSecretSet *secrets; /* that it is started with; NULL: not read */
  VendIsolation isolation;
  char *isolation_why;     /* it is no stronger; NULL: it is the strongest */
  VendNetworkKind network; /* that it is started with */
  char *why;               /* reason of the end */
};

/* ---- instance.c: its life */
/* NULL: the planned GPUs, or the room on a machine, are gone. */
Instance *vend_instance_start (Target *target, const char *reason);
/* An instance that the runner still has after a restart. */
Instance *vend_instance_adopt (Target *target, const char *id, guint slots, int64_t created_us,
                               const json_t *spec, const VendInstanceUsage *last);
void vend_instance_stop (Instance *instance, const char *reason);
/* A stop was sent, nothing runs, and the director has not answered. */
bool vend_instance_is_unresponsive (const Instance *instance);
/* Ends an unresponsive director with its model; blocks. */
void vend_instance_kill (Instance *instance);
/* The instance finishes its runs; the first plan without runs on it stops it. */
void vend_instance_drain (Instance *instance, const char *reason);
void vend_instance_run (Instance *instance, Run *run);
void vend_instance_cancel (Instance *instance, Run *run);
/* Tells the director to drop an unwanted run. */
void vend_instance_drop (Instance *instance, const char *prediction, int attempt);
/* Once a second: a silent director is pinged, and given up when the lease has passed. */
void vend_instance_tick (Instance *instance);
/* A result that is not on disk yet: the instance stays until it is settled. */
void vend_instance_unsettle (Instance *instance, const char *prediction, int attempt);
/* The result is on disk, or unwanted. */
void vend_instance_settle (Instance *instance, const char *prediction, int attempt);
void vend_instance_acknowledge (VendSched *sched, const char *instance_id, const char *prediction,
                                int attempt);
/* Takes the prediction off the instance and frees its slot. */
void vend_instance_detach (Instance *instance, Run *run);
/* An adopted instance has said hello, or is gone. */
void vend_instance_adopted (Instance *instance);
void vend_instance_free (Instance *instance);
/* Frees the instance and has the runner remove it once nothing needs it; true when done. */
bool vend_instance_clean_up (Instance *instance);
bool vend_instance_has_room (const Instance *instance);
/* No slot is free, but the director takes one more run, of `prefetch` beyond its slots. */
bool vend_instance_has_prefetch_room (const Instance *instance, guint prefetch);

/* ---- frames.c: frames of directors */
void vend_instance_on_frame (Instance *instance, json_t *frame);
/* A result that a director has left which is gone. */
void vend_instance_on_result (Instance *instance, json_t *completed);

const char *vend_instance_state_name (InstanceState state);
