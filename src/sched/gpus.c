/* Updates of the GPUs: instances leave unhealthy GPUs. */
#include "sched/instance/instance.h"
#include "sched/target/pools.h"

static void
leave_unhealthy (VendSched *sched)
{
  g_autoptr (GList) all = g_hash_table_get_values (sched->instances);
  for (GList *l = all; l != NULL; l = l->next)
    {
      Instance *instance = l->data;
      for (char **uuid = instance->gpus; uuid != NULL && *uuid != NULL; uuid++)
        {
          const VendGpu *gpu = vend_gpu_find (sched, *uuid);
          if (gpu == NULL || gpu->fault == NULL)
            continue;
          g_autofree char *why
              = g_strdup_printf ("GPU %u (%s) is unhealthy: %s", gpu->index, gpu->name, gpu->fault);
          vend_instance_drain (instance, why);
        }
    }
}

typedef struct
{
  VendSched *sched;
  GPtrArray *gpus;
} Update;

static void
update_on_core (void *data)
{
  g_autofree Update *update = data;
  VendSched *sched = update->sched;
  g_ptr_array_unref (sched->gpus);
  sched->gpus = update->gpus;
  vend_pools_count_gpus (sched);
  leave_unhealthy (sched);
  vend_sched_reconcile_soon (sched);
}

void
vend_sched_update_gpus (VendSched *sched, GPtrArray *take)
{
  Update *update = g_new0 (Update, 1);
  *update = (Update){ sched, take };
  vend_inbox_post (sched->inbox, update_on_core, update);
}
