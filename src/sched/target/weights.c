/* Looks for the managed weights of a target before its first instance starts, and has them fetched:
 * hardware is for those who can run. Core thread; what blocks runs on the disk pool, and on the
 * threads of the shelf. */
#include "sched/target/weights.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "model/failure.h"
#include "model/weight-set.h"
#include "sched/observe/decisions.h"
#include <string.h>

typedef struct
{
  Target *target;
  GPtrArray *sets;
  bool is_after_fetch;
  GError *error; /* or NULL */
} Search;

static void
search_free (Search *search)
{
  g_ptr_array_unref (search->sets);
  g_clear_error (&search->error);
  g_free (search);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Search, search_free)

static void look (Search *search);

void
vend_target_weights_let_go (Target *target)
{
  if (target->kept_weights == NULL)
    return;
  vend_shelf_let_go (target->sched->shelf, target->kept_weights);
  g_clear_pointer (&target->kept_weights, g_ptr_array_unref);
}

bool
vend_target_weights_busy (const Target *target)
{
  return target->is_looking_for_weights;
}

static void
end (Search *search)
{
  search->target->is_looking_for_weights = false;
  vend_sched_reconcile_soon (search->target->sched);
}

/* ---- Fetching */

static void
fetched (void *data)
{
  g_autoptr (Search) search = data;
  Target *target = search->target;
  target->sched->n_disk_jobs--;
  if (search->error != NULL && !target->sched->draining)
    vend_target_boot_failed (target, VEND_FAILURE_SETUP_FAILED, "", search->error->message);
  if (search->error != NULL || target->sched->draining)
    {
      end (search);
      return;
    }
  vend_decided_fetched (target, vend_steady_us () - target->weights_wanted_us);
  search->is_after_fetch = true;
  look (g_steal_pointer (&search));
}

/* On a thread of the shelf. */
static void
fetch_ended (const GError *error, void *data)
{
  Search *search = data;
  search->error = error != NULL ? g_error_copy (error) : NULL;
  vend_inbox_post (search->target->sched->inbox, fetched, search);
}

static void
fetch (Search *search)
{
  Target *target = search->target;
  target->sched->n_disk_jobs++;
  target->weights_wanted_us = vend_steady_us ();
  vend_log (VEND_LOG_INFO, "a start waits for weights that are fetched", "model", target->name,
            NULL);
  vend_decided_fetch (target, search->error->message);
  g_clear_error (&search->error);
  vend_shelf_fetch (target->sched->shelf, g_ptr_array_ref (search->sets), fetch_ended, search);
}

/* ---- Looking */

static void
place (void *data)
{
  Search *search = data;
  if (!vend_shelf_place (search->target->sched->shelf, search->sets, &search->error))
    g_assert (search->error != NULL);
}

static void
placed (void *data)
{
  g_autoptr (Search) search = data;
  Target *target = search->target;
  const bool is_missing = g_error_matches (search->error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  if (search->error == NULL)
    target->kept_weights = g_ptr_array_ref (search->sets);
  else if (is_missing && !search->is_after_fetch && !target->sched->draining)
    {
      fetch (g_steal_pointer (&search));
      return;
    }
  else if (!target->sched->draining)
    vend_target_boot_failed (target, VEND_FAILURE_SETUP_FAILED, "", search->error->message);
  end (search);
}

static void
look (Search *search)
{
  vend_sched_on_disk (search->target->sched, place, placed, search);
}

/* ---- */

static bool
has_live_instance (const Target *target)
{
  for (guint i = 0; i < target->instances->len; i++)
    {
      const Instance *instance = g_ptr_array_index (target->instances, i);
      if (instance->state < INSTANCE_STOPPING && !instance->stop_when_connected)
        return true;
    }
  return false;
}

bool
vend_target_weights_ready (Target *target, bool wants, int64_t now_us)
{
  if (json_array_size (json_object_get (target->launch, VEND_LAUNCH_WEIGHTS)) == 0
      || has_live_instance (target))
    return true;
  if (!wants)
    vend_target_weights_let_go (target);
  else if (target->kept_weights == NULL && !target->is_looking_for_weights
           && now_us >= target->backoff.until_us && !target->sched->draining)
    {
      Search *search = g_new0 (Search, 1);
      search->target = target;
      search->sets = vend_weight_sets_of_launch (target->launch);
      target->is_looking_for_weights = true;
      look (search);
    }
  return target->kept_weights != NULL;
}
