/* The zygotes of this machine, snapshots among them: made when they are asked for, within a budget
 * of memory. Core thread; what blocks runs on the scheduler's disk pool. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

#include "json/json.h"

typedef struct VendSched VendSched;
typedef struct VendZygotes VendZygotes;

/* What distinguishes one: all of it together is its key. */
typedef struct VendZygoteSpec
{
  char *key;
  char *python;
  char **env;     /* "NAME=value", of the model's process; of a snapshot, of its launcher */
  char *imports;  /* file of names; NULL: a snapshot */
  char *model;    /* for people */
  char *version;  /* of a snapshot, as the next one; else NULL */
  char **links;   /* of a snapshot: into its working copy */
  char *zygote;   /* of a snapshot: the key of that which has its imports */
  bool has_proxy; /* of a snapshot: instances reach the world by one */
  char *source;
  bool has_room; /* it is kept in one, with the next two; sandbox/room.h */
  uid_t user;    /* 0: the server's */
  char *home;
} VendZygoteSpec;

void vend_zygote_spec_free (VendZygoteSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendZygoteSpec, vend_zygote_spec_free)

/* What the folders of a snapshot are called, behind its key. */
#define VEND_SNAPSHOT_DIR ".snapshot"
#define VEND_TRIAL_DIR ".trial"
/* And the sockets of a zygote: launchers find the first; those in a room find who has snapshots
 * made at the second. */
#define VEND_ZYGOTE_SOCKET ".sock"
#define VEND_ORDERS_SOCKET ".orders.sock"

/* A snapshot has forked for an instance; or has not, with `why`. */
typedef void (*VendZygotesForked) (VendSched *sched, const char *instance, const char *why);

/* `dir` holds their sockets; `scripts` is what vend_zygote_install made; both are copied. */
VendZygotes *vend_zygotes_new (VendSched *sched, const char *dir, const char *scripts,
                               uint64_t budget, VendZygotesForked forked);
/* Ends them all. What was forked from them goes on. */
void vend_zygotes_free (VendZygotes *zygotes);
/* Once a second. */
void vend_zygotes_tick (VendZygotes *zygotes);

/* Has one made unless it is there or there is a reason against it. `take` goes over. */
void vend_zygotes_request (VendZygotes *zygotes, VendZygoteSpec *take);
/* The socket of one that takes launchers now, for a start that it spares `saved_us`; or NULL, and
 * `*out_why`. Both are borrowed until the next turn of the main loop. */
const char *vend_zygotes_use (VendZygotes *zygotes, const char *key, int64_t saved_us,
                              const char **out_why);
/* Where that lives: a JSON object for the director of an instance that starts from it, or NULL. */
json_t *vend_zygotes_room (const VendZygotes *zygotes, const char *key) G_GNUC_WARN_UNUSED_RESULT;
/* Whether one was ever asked for. */
bool vend_zygotes_know (const VendZygotes *zygotes, const char *key);
bool vend_zygotes_is_ready (const VendZygotes *zygotes, const char *key);
/* Ends one that nobody will ask for any more. */
void vend_zygotes_forget (VendZygotes *zygotes, const char *key);
json_t *vend_zygotes_describe (const VendZygotes *zygotes, bool snapshots);
