/* The scheduler: its parts made, ticked, drained and freed. Core thread. */
#include "sched/sched.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/error.h"
#include "base/fd-source.h"
#include "base/log.h"
#include "sched/account/accounts.h"
#include "sched/account/ledger.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance.h"
#include "sched/instance/isolate.h"
#include "sched/instance/metering.h"
#include "sched/reconcile.h"
#include "sched/run/run.h"
#include "sched/target/deployments.h"
#include "sched/target/placing.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"
#include "store/predictions.h"
#include <string.h>

static gboolean
tick (void *data)
{
  VendSched *sched = data;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      vend_instance_tick (value);
      vend_metering_tick (value);
    }
  vend_placing_tick (sched);
  vend_ledger_tick (sched->ledger);
  vend_fast_start_tick (sched->fast_start);
  vend_sched_reconcile_soon (sched);
  return G_SOURCE_CONTINUE;
}

const char *
vend_sched_why_no_images (const VendSched *sched)
{
  return sched->why_no_images;
}

VendSched *
vend_sched_new (const VendSchedOptions *options)
{
  VendSched *sched = g_new0 (VendSched, 1);
  sched->core = g_main_context_ref (options->core);
  sched->store = options->store;
  sched->blobs = options->blobs;
  sched->shelf = options->shelf;
  sched->images = options->images;
  sched->vault = options->vault;
  sched->data_dir = g_strdup (options->data_dir);
  sched->accounts = vend_sched_accounts_new ();
  sched->models = vend_sched_models_new ();
  sched->runner = options->runner;
  sched->machines = options->machines;
  sched->input_allow = g_strdup (options->input_allow);
  sched->working_copy = g_strdup (options->working_copy);
  sched->isolation = options->isolation;
  sched->isolation_required = options->isolation_required;
  sched->max_network = options->max_network;
  sched->image_isolation = options->image_isolation;
  sched->why_no_images = vend_isolate_objection (options->image_isolation);
  sched->network_allow = g_strdup (options->network_allow);
  sched->webhooks = options->webhooks;
  sched->meter = options->meter;
  sched->limits = options->limits;
  sched->skus = options->skus;
  sched->prices = options->prices;
  sched->ledger = vend_ledger_new (options->store);
  sched->budgets = vend_ledger_get_budgets (sched->ledger);
  sched->cgroups = options->cgroups;
  sched->gpus
      = options->gpus != NULL ? options->gpus : g_ptr_array_new_with_free_func (vend_gpu_free);
  vend_pools_count_gpus (sched);
  sched->reconciliation
      = vend_deferred_new (sched->core, VEND_DEFERRED_WORK, vend_sched_reconcile, sched);
  sched->inbox = vend_inbox_new (sched->core);
  sched->timers = vend_timers_new (sched->core);
  sched->runs
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) vend_run_free);
  sched->open_ids = vend_open_ids_new ();
  sched->targets
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) vend_target_free);
  sched->deployments = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                              (GDestroyNotify) vend_deployment_state_free);
  sched->instances
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) vend_instance_free);
  sched->fast_start = vend_fast_start_new (sched);
  sched->janitor = g_timeout_source_new (1000);
  g_source_set_callback (sched->janitor, tick, sched, NULL);
  g_source_set_static_name (sched->janitor, "janitor");
  g_source_attach (sched->janitor, sched->core);
  return sched;
}

void
vend_sched_drain (VendSched *sched)
{
  sched->draining = true;
  vend_shelf_close (sched->shelf);
  vend_images_close (sched->images);
  vend_sched_drain_broadcasts (sched);
  vend_sched_reconcile_soon (sched);
}

/* Queued predictions stay on disk for the next start; a drain waits for runs only. */
bool
vend_sched_is_drained (const VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Run *run = value;
      if (run->instance != NULL || run->completion != NULL || run->insert_pending)
        return false;
    }
  return sched->n_disk_jobs == 0 && g_hash_table_size (sched->instances) == 0;
}

bool
vend_sched_has_unresponsive (const VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (vend_instance_is_unresponsive (value))
      return true;
  return false;
}

void
vend_sched_kill_unresponsive (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->instances);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (vend_instance_is_unresponsive (value))
      vend_instance_kill (value);
}

void
vend_sched_release_waiters (VendSched *sched)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, sched->runs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((const Run *) value)->completion == NULL)
      {
        vend_waiters_notify (((Run *) value)->waiters, vend_run_view (value));
        vend_run_break_broadcast (value);
      }
}

void
vend_sched_free (VendSched *sched)
{
  if (sched == NULL)
    return;
  vend_gsource_clear (&sched->janitor);
  /* Work in flight, and its follow-ups, end before the state that they use is freed. */
  if (sched->file_pool != NULL)
    g_thread_pool_free (g_steal_pointer (&sched->file_pool), FALSE, TRUE);
  if (sched->disk_pool != NULL)
    g_thread_pool_free (g_steal_pointer (&sched->disk_pool), FALSE, TRUE);
  vend_shelf_finish (sched->shelf);
  vend_images_finish (sched->images);
  do
    vend_store_settle (sched->store);
  while (vend_inbox_drain (sched->inbox));
  vend_inbox_free (sched->inbox);
  vend_fast_start_free (sched->fast_start);
  g_hash_table_unref (sched->runs);
  vend_open_ids_free (sched->open_ids);
  g_hash_table_unref (sched->instances);
  g_hash_table_unref (sched->targets);
  g_hash_table_unref (sched->accounts);
  g_hash_table_unref (sched->models);
  g_hash_table_unref (sched->deployments);
  vend_deferred_free (sched->reconciliation);
  vend_timers_free (sched->timers);
  vend_ledger_close (sched->ledger);
  vend_ledger_unref (sched->ledger);
  g_ptr_array_unref (sched->gpus);
  g_free (sched->data_dir);
  g_free (sched->input_allow);
  g_free (sched->why_no_images);
  g_free (sched->working_copy);
  g_free (sched->network_allow);
  g_main_context_unref (sched->core);
  g_free (sched);
}
