/* An instance: a director with its model server, from its start until its directory is gone. Core
 * thread. */
#pragma once
#include <sys/types.h>

#include "model/instance-usage.h"
#include "runner/link.h"
#include "sched/core.h"
#include "sched/run/run.h"

typedef enum
{
  INSTANCE_STARTING, /* process being made, or not yet connected */
  INSTANCE_BOOTING,  /* connected; the model sets up */
  INSTANCE_READY,
  INSTANCE_STOPPING,
  INSTANCE_GONE, /* being cleaned up */
} InstanceState;

/* See metering.h. */
typedef struct
{
  VendInstanceUsage *piece; /* the one that grows; NULL: nothing is counted */
  int64_t put_us;           /* until here it is on its way to the disk */
  int64_t busy_us;          /* what of the rest is not idle */
  int64_t counted_us;       /* monotonic: when it grew */
  GArray *heard; /* of VendSpan: runs of a time that nobody saw; NULL: all of it is seen */
  int64_t heard_ready_us;
  bool is_ready;
} InstanceMeter;

struct Instance
{
  VendSched *sched;
  Target *target;
  char *id;
  char *dir;
  InstanceState state;
  pid_t pid; /* of a director that we started; 0 = adopted or not started yet */
  VendLink *link;
  VendTimer *timer;    /* the next try to connect */
  VendTimer *stop_due; /* the end of patience with a stop */
  int64_t give_up_us;  /* on connecting */
  gsize frame_limit;   /* of its connection, as its director was started with */
  bool checking;       /* whether the director lives is being looked up */
  bool adopted;        /* was there before this start of ours */
  bool adopting;       /* and has not said hello yet */
  bool stop_when_connected;
  bool hears_stop;       /* it has said that it stops */
  bool evicted;          /* its stop makes room for another model */
  bool draining;         /* ends what it runs, and is given no more */
  bool reaped;           /* killed, its journal read */
  GHashTable *unsettled; /* keys of journal entries whose result is not on disk yet */
  GHashTable *running;   /* id → Run, borrowed */
  guint slots;
  guint prefetch;   /* runs that its director takes beyond its slots */
  int64_t moved_us; /* a run of it last ended, or was given to it while it had none */
  bool pings;       /* it answers them */
  guint silent_s;   /* ticks since it said something */
  bool caught_up;   /* it has told all that it had to tell on this connection */
  guint behind_s; /* ticks for which it owes that, over all connections, or the next piece of it */
  int64_t created_us;
  int64_t ready_us;
  int64_t idle_since_us;
  int64_t began_us;    /* its latest run was given to it; 0 = none yet */
  int64_t closed_us;   /* when its director went away; 0 = it did not */
  VendBilling billing; /* as it was at its start */
  InstanceMeter meter;
  guint failures; /* of runs, in a row */
  char **gpus;    /* UUIDs of those that it has; NULL: none */
  GString *setup_logs;
  char *zygote;         /* socket of the one that it is forked from, or NULL */
  char *plain_why;      /* why it starts, or started, plainly */
  bool records_imports; /* and they are not learned yet */
  bool learning;        /* its record is being read */
  bool started_fast;
  char *why; /* of its end */
};

/* ---- instance.c: its life */
/* NULL: the GPUs that it was to have are not there any more. */
Instance *vend_instance_start (Target *target, const char *reason);
/* One that was found on disk after a restart. */
Instance *vend_instance_adopt (Target *target, const char *id, guint slots, int64_t created_us,
                               const json_t *spec, const VendInstanceUsage *last);
void vend_instance_stop (Instance *instance, const char *reason);
/* It was told to stop, has nothing to run, and has not answered. */
bool vend_instance_is_unresponsive (const Instance *instance);
/* Kills an unresponsive one with its model; blocks. */
void vend_instance_kill (Instance *instance);
/* It ends what it runs; the next plan without anything on it stops it. */
void vend_instance_drain (Instance *instance, const char *reason);
void vend_instance_run (Instance *instance, Run *run);
void vend_instance_cancel (Instance *instance, Run *run);
/* Tells it to drop a run that nobody wants. */
void vend_instance_drop (Instance *instance, const char *prediction, int attempt);
/* Once a second: one that says nothing is asked, and given up when the lease has passed. */
void vend_instance_tick (Instance *instance);
/* The result is on disk, or is not wanted. */
void vend_instance_settle (Instance *instance, const char *prediction, int attempt);
void vend_instance_acknowledge (VendSched *sched, const char *instance_id, const char *prediction,
                                int attempt);
/* Takes the prediction off the instance; its slot is free. */
void vend_instance_detach (Instance *instance, Run *run);
/* An adopted one has said hello, or has gone. */
void vend_instance_adopted (Instance *instance);
void vend_instance_free (Instance *instance);
/* Frees it and removes its directory once nothing of it is needed; true when it did. */
bool vend_instance_clean_up (Instance *instance);
bool vend_instance_has_room (const Instance *instance);
/* No slot is free, but the director takes one more run, of `prefetch` beyond its slots. */
bool vend_instance_has_prefetch_room (const Instance *instance, guint prefetch);

/* ---- frames.c: what directors say */
void vend_instance_on_frame (Instance *instance, json_t *frame);
/* Journal entries of a director that is gone. */
void vend_instance_on_journal (Instance *instance, json_t *completed);

const char *vend_instance_state_name (InstanceState state);
