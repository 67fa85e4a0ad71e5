/* Capacity of the machine for instances: pools of units, and GPUs, each assigned to at most one
 * instance. Core thread.
 *
 * Kinds of hardware share pools: those with GPUs draw on the GPUs of the machine, those with units
 * of their own on these, all others on the common units. */
#include "sched/target/pools.h"
#include "base/error.h"
#include "base/log.h"
#include "sched/instance/instance.h"
#include "sched/instance/limits.h"
#include "sched/target/placing.h"
#include "sched/target/target.h"
#include <string.h>

enum
{
  POOL_COMMON,
  POOL_GPUS,
  POOL_NONE, /* of hardware that the settings do not name any more */
  POOL_FIRST_OWN,
};

guint
vend_pools_count (const VendSched *sched)
{
  return POOL_FIRST_OWN + vend_skus_count (sched->skus);
}

guint
vend_pool_of (const VendSched *sched, const char *hardware, guint *out_size)
{
  *out_size = 1;
  for (guint i = 0; i < vend_skus_count (sched->skus); i++)
    {
      const VendSku *sku = vend_skus_at (sched->skus, i);
      if (strcmp (sku->sku, hardware) != 0)
        continue;
      *out_size = MAX (sku->gpus, 1);
      return sku->gpus > 0 ? POOL_GPUS : sku->units > 0 ? POOL_FIRST_OWN + i : POOL_COMMON;
    }
  vend_log (VEND_LOG_WARN, "a model wants hardware that the settings do not name", "hardware",
            hardware, NULL);
  return POOL_NONE;
}

bool
vend_pool_is_common (guint pool)
{
  return pool == POOL_COMMON;
}

const VendGpu *
vend_gpu_find (const VendSched *sched, const char *uuid)
{
  for (guint i = 0; i < sched->gpus->len; i++)
    {
      const VendGpu *gpu = g_ptr_array_index (sched->gpus, i);
      if (strcmp (gpu->uuid, uuid) == 0)
        return gpu;
    }
  return NULL;
}

static const Instance *
holder_of (const VendSched *sched, const char *uuid)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Instance *instance = value;
      if (instance->gpus != NULL && g_strv_contains ((const char *const *) instance->gpus, uuid))
        return instance;
    }
  return NULL;
}

void
vend_pools_count_gpus (VendSched *sched)
{
  guint n = 0;
  for (guint i = 0; i < sched->gpus->len; i++)
    n += ((const VendGpu *) g_ptr_array_index (sched->gpus, i))->fault == NULL;
  g_atomic_int_set (&sched->n_gpus_healthy, n);
}

/* Healthy GPUs, and faulty or missing GPUs that are still assigned. */
static guint
count_gpus (const VendSched *sched)
{
  guint n = sched->n_gpus_healthy;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    for (char **uuid = ((const Instance *) value)->gpus; uuid != NULL && *uuid != NULL; uuid++)
      {
        const VendGpu *gpu = vend_gpu_find (sched, *uuid);
        n += gpu == NULL || gpu->fault != NULL;
      }
  return n;
}

guint
vend_pool_units (const VendSched *sched, guint pool)
{
  switch (pool)
    {
    case POOL_COMMON:
      return vend_placing_units (sched);
    case POOL_GPUS:
      return count_gpus (sched);
    case POOL_NONE:
      return 0;
    default:
      return vend_skus_at (sched->skus, pool - POOL_FIRST_OWN)->units;
    }
}

guint
vend_sched_room (const VendSched *sched, const char *hardware)
{
  guint size = 0;
  const guint pool = vend_pool_of (sched, hardware, &size);
  /* Assignments of GPUs are known to the core thread only. */
  if (pool == POOL_GPUS)
    return (guint) g_atomic_int_get (&sched->n_gpus_healthy) / size;
  return pool == POOL_COMMON ? vend_placing_room (sched) : vend_pool_units (sched, pool);
}

guint
vend_pool_used (const VendSched *sched, guint pool)
{
  guint used = 0;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Target *target = ((const Instance *) value)->target;
      used += target->pool == pool ? target->size : 0;
    }
  return used;
}

/* ---- GPUs */

bool
vend_instance_take_gpus (Instance *instance)
{
  VendSched *sched = instance->sched;
  if (instance->target->pool != POOL_GPUS)
    return true;
  g_autoptr (GPtrArray) uuids = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < sched->gpus->len && uuids->len < instance->target->size; i++)
    {
      const VendGpu *gpu = g_ptr_array_index (sched->gpus, i);
      if (gpu->fault == NULL && holder_of (sched, gpu->uuid) == NULL)
        g_ptr_array_add (uuids, g_strdup (gpu->uuid));
    }
  if (uuids->len < instance->target->size)
    return false;
  g_ptr_array_add (uuids, NULL);
  instance->gpus = (char **) g_ptr_array_free (g_steal_pointer (&uuids), FALSE);
  return true;
}

void
vend_instance_keep_gpus (Instance *instance, const json_t *gpus)
{
  const size_t n = json_array_size (gpus);
  if (n == 0)
    return;
  instance->gpus = g_new0 (char *, n + 1);
  for (size_t i = 0; i < n; i++)
    {
      const char *uuid = json_string_value (json_array_get (gpus, i));
      instance->gpus[i] = g_strdup (uuid != NULL ? uuid : "");
    }
}

json_t *
vend_instance_gpus_json (const Instance *instance)
{
  json_t *gpus = json_array ();
  for (char **uuid = instance->gpus; uuid != NULL && *uuid != NULL; uuid++)
    json_array_append_new (gpus, json_string (*uuid));
  return gpus;
}

char *
vend_instance_visible_gpus (const Instance *instance)
{
  if (instance->gpus != NULL)
    return g_strjoinv (",", instance->gpus);
  return vend_skus_have_gpus (instance->sched->skus) ? g_strdup ("") : NULL;
}

/* ---- For people */

json_t *
vend_pools_describe (const VendSched *sched)
{
  json_t *list = json_array ();
  for (guint i = 0; i < vend_skus_count (sched->skus); i++)
    {
      const VendSku *sku = vend_skus_at (sched->skus, i);
      guint size = 0;
      const guint pool = vend_pool_of (sched, sku->sku, &size);
      json_array_append_new (
          list, json_pack ("{s:s, s:s, s:i, s:i, s:i, s:I, s:f, s:i, s:o}", "sku", sku->sku, "name",
                           sku->name, "gpus", (int) sku->gpus, "units",
                           (int) vend_pool_units (sched, pool), "used",
                           (int) vend_pool_used (sched, pool), "memory", (json_int_t) sku->memory,
                           "cpus", sku->cpus, "processes", (int) sku->processes, "kept_by",
                           vend_limits_kept_by (sched, sku)));
    }
  return list;
}

json_t *
vend_gpus_describe (const VendSched *sched)
{
  json_t *list = json_array ();
  for (guint i = 0; i < sched->gpus->len; i++)
    {
      const VendGpu *gpu = g_ptr_array_index (sched->gpus, i);
      const Instance *holder = holder_of (sched, gpu->uuid);
      json_array_append_new (
          list, json_pack ("{s:i, s:s, s:s, s:I, s:s?, s:s?}", "index", (int) gpu->index, "uuid",
                           gpu->uuid, "name", gpu->name, "memory", (json_int_t) gpu->memory,
                           "fault", gpu->fault, "instance", holder != NULL ? holder->id : NULL));
    }
  return list;
}
