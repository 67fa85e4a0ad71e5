/* The zygotes of this machine: made when they are asked for, within a budget of memory. Core
 * thread; what blocks runs on the scheduler's disk pool. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

typedef struct VendSched VendSched;
typedef struct VendZygotes VendZygotes;

/* What distinguishes one: all of it together is its key. */
typedef struct
{
  char *key;
  char *python;
  char **env;    /* "NAME=value", of the model's process */
  char *imports; /* file of names */
  char *model;   /* for people */
} VendZygoteSpec;

void vend_zygote_spec_free (VendZygoteSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendZygoteSpec, vend_zygote_spec_free)

/* `dir` holds their sockets; `scripts` is what vend_zygote_install made; both are copied. */
VendZygotes *vend_zygotes_new (VendSched *sched, const char *dir, const char *scripts,
                               uint64_t budget);
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
json_t *vend_zygotes_describe (const VendZygotes *zygotes);
