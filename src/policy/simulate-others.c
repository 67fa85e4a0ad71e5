/* Baseline policies for comparison, in their best plain form; Vend runs none of them. Pure. */
#include "policy/simulate-private.h"

/* ---- In the order of arrival; evicts the least recently used model */

static gssize
find_least_recent (const Sim *sim)
{
  gssize least = -1;
  for (guint i = 0; i < sim->options->hardware_units; i++)
    {
      const SimUnit *unit = &sim->units[i];
      if (unit->in_use && !unit->booting && unit->busy == 0
          && (least < 0 || unit->idle_since_us < sim->units[least].idle_since_us))
        least = i;
    }
  return least;
}

/* The first request gets a loaded instance, else a load; false while both are unavailable. */
static bool
serve_first (Sim *sim)
{
  const guint model = vend_sim_request (sim, sim->fifo_head)->model;
  gssize unit = vend_sim_find_slot (sim, model);
  if (unit >= 0)
    {
      vend_sim_run (sim, (guint) unit, sim->fifo_head);
      return true;
    }
  if (!vend_sim_may_boot (sim))
    return false;
  unit = vend_sim_find_free (sim);
  if (unit < 0)
    {
      unit = find_least_recent (sim);
      if (unit < 0)
        return false;
      vend_sim_stop (sim, (guint) unit);
      sim->result->evictions++;
    }
  vend_sim_start (sim, (guint) unit, model);
  sim->units[unit].bound = sim->fifo_head;
  return true;
}

void
vend_sim_policy_fcfs_lru (Sim *sim)
{
  while (sim->fifo_head < sim->next && serve_first (sim))
    sim->fifo_head++;
}

/* ---- Each model scales on its own; idle instances stop after a timeout */

/* The longest wait, among models with a queue longer than the slots that boot. */
static gssize
find_longest_wait (Sim *sim)
{
  gssize longest = -1;
  vend_sim_tidy (sim);
  for (guint i = 0; i < sim->active->len; i++)
    {
      guint index = g_array_index (sim->active, guint, i);
      const SimModel *model = &sim->models[index];
      if (vend_sim_waiting (sim, index) > model->n_booting * sim->options->slots
          && model->n_units < sim->options->max_instances
          && (longest < 0 || vend_sim_first (sim, index) < vend_sim_first (sim, (guint) longest)))
        longest = index;
    }
  return longest;
}

static void
stop_idle (Sim *sim)
{
  for (guint i = 0; i < sim->options->hardware_units; i++)
    {
      const SimUnit *unit = &sim->units[i];
      if (unit->in_use && !unit->booting && unit->busy == 0
          && sim->now_us - unit->idle_since_us >= sim->options->idle_timeout_us)
        vend_sim_stop (sim, i);
    }
}

static void
plan_next_stop (Sim *sim)
{
  int64_t next_us = G_MAXINT64;
  for (guint i = 0; i < sim->options->hardware_units; i++)
    {
      const SimUnit *unit = &sim->units[i];
      if (unit->in_use && !unit->booting && unit->busy == 0)
        next_us = MIN (next_us, unit->idle_since_us + sim->options->idle_timeout_us);
    }
  if (next_us < G_MAXINT64)
    vend_sim_plan_at (sim, next_us);
}

void
vend_sim_policy_fixed_timeout (Sim *sim)
{
  gssize unit, model;
  vend_sim_dispatch (sim);
  stop_idle (sim);
  while (sim->n_waiting > 0 && vend_sim_may_boot (sim) && (unit = vend_sim_find_free (sim)) >= 0
         && (model = find_longest_wait (sim)) >= 0)
    vend_sim_start (sim, (guint) unit, (guint) model);
  plan_next_stop (sim);
}
