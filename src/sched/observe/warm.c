/* Which models have instances of their own now, for people who look at models. Core thread. */
#include "sched/core.h"
#include "sched/instance/instance.h"
#include "sched/target/target.h"

static void
warm_free (void *data)
{
  VendWarm *warm = data;
  g_free (warm->model);
  g_free (warm);
}

/* Whether an instance is ready; `*out_any`: or on its way. */
static bool
has_ready (const Target *target, bool *out_any)
{
  bool ready = false;
  for (guint i = 0; i < target->instances->len; i++)
    {
      const Instance *instance = g_ptr_array_index (target->instances, i);
      ready = ready || (instance->state == INSTANCE_READY && !instance->draining);
      *out_any = *out_any || instance->state <= INSTANCE_READY;
    }
  return ready;
}

static GPtrArray *
collect (const VendSched *sched)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (warm_free);
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value) && all->len < VEND_WARM_MAX)
    {
      const Target *target = value;
      bool any = false;
      const bool ready = target->deployment == NULL && has_ready (target, &any);
      if (target->deployment != NULL || !any)
        continue;
      VendWarm *warm = g_new0 (VendWarm, 1);
      *warm = (VendWarm){ g_strdup (target->name), target->model_id, ready };
      g_ptr_array_add (all, warm);
    }
  return all;
}

typedef struct
{
  VendSched *sched;
  VendSchedWarm notify;
  void *data;
} Request;

static void
warm_on_core (void *data)
{
  g_autofree Request *request = data;
  request->notify (collect (request->sched), request->data);
}

void
vend_sched_warm (VendSched *sched, VendSchedWarm notify, void *data)
{
  Request *request = g_new0 (Request, 1);
  *request = (Request){ sched, notify, data };
  vend_inbox_post (sched->inbox, warm_on_core, request);
}
