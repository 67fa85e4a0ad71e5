/* The live policy, over the numbers of a simulation. Pure. */
#include "policy/simulate-private.h"
#include "base/clock.h"
#include "policy/decide.h"

/* Decisions compare durations. After a long quiet time the next plan is later by this part of it,
 * so that a run of a year does not take a plan for each second. */
#define LOOK_PART 256

static VendDemand
demand_of (Sim *sim, guint index)
{
  const VendSimulation *options = sim->options;
  SimModel *model = &sim->models[index];
  guint waiting = vend_sim_waiting (sim, index);
  vend_load_note (&model->load, sim->now_us, waiting + model->running,
                  MAX (model->n_ready, 1) * options->slots);
  if (model->n_ready > 0)
    model->served_us = sim->now_us;
  return (VendDemand){
    .name = g_array_index (sim->trace->models, VendTraceModel, index).name,
    .waiting = waiting,
    .running = model->running,
    .oldest_us
    = waiting > 0 ? MAX (vend_sim_request (sim, vend_sim_first (sim, index))->at_us, 1) : 0,
    .served_us = model->served_us,
    .slots = options->slots,
    .target = options->target,
    .min = options->min_instances,
    .max = options->max_instances,
    .on_demand = options->on_demand,
    .idle_timeout_us = options->idle_timeout_us,
    .scale_down_delay_us = options->scale_down_delay_us,
    .starvation_us = options->starvation_us,
    .panic_until_us = model->load.panic_until_us,
    .boot_us = model->boot_us > 0 ? (int64_t) model->boot_us : VEND_ASSUMED_US,
    .run_us = model->run_us > 0 ? (int64_t) model->run_us : VEND_ASSUMED_US,
  };
}

static VendUnit
unit_of (const SimUnit *unit, guint demand)
{
  return (VendUnit){
    .demand = demand,
    .booting = unit->booting,
    .stopping = unit->stopping,
    .draining = unit->draining,
    .busy = unit->busy,
    .since_us = unit->since_us,
    .idle_since_us = unit->idle_since_us,
    .began_us = unit->began_us,
  };
}

static void
carry_out (Sim *sim, const VendAction *action, const guint *demand_models,
           const guint *unit_indexes)
{
  if (action->kind == VEND_ACTION_START)
    {
      gssize unit = vend_sim_find_free (sim);
      g_assert (unit >= 0);
      vend_sim_start (sim, (guint) unit, demand_models[action->index]);
      return;
    }
  if (action->kind == VEND_ACTION_DRAIN)
    {
      sim->units[unit_indexes[action->index]].draining = true;
      return;
    }
  vend_sim_stop_slowly (sim, unit_indexes[action->index]);
  /* With a queue anywhere, the stop was an eviction. */
  sim->result->evictions += sim->n_waiting > 0;
}

/* One decision; false without actions. */
static bool
decide (Sim *sim)
{
  vend_sim_tidy (sim);
  const guint n_demands = sim->active->len, n_units = sim->options->hardware_units;
  const guint *models = (const guint *) (void *) sim->active->data;
  g_autofree VendDemand *demands = g_new (VendDemand, n_demands + 1);
  g_autofree VendUnit *units = g_new (VendUnit, n_units);
  g_autofree guint *unit_indexes = g_new (guint, n_units);
  guint n = 0;
  for (guint i = 0; i < n_demands; i++)
    {
      sim->models[models[i]].demand = i;
      sim->models[models[i]].n_ready = 0;
    }
  for (guint i = 0; i < n_units; i++)
    if (sim->units[i].in_use)
      {
        SimModel *model = &sim->models[sim->units[i].model];
        model->n_ready
            += !sim->units[i].booting && !sim->units[i].draining && !sim->units[i].stopping;
        unit_indexes[n] = i;
        units[n++] = unit_of (&sim->units[i], model->demand);
      }
  for (guint i = 0; i < n_demands; i++)
    demands[i] = demand_of (sim, models[i]);
  VendSnapshot snapshot = {
    .now_us = sim->now_us,
    .hardware_units = n_units,
    .boot_limit = sim->options->boot_limit,
    .demands = demands,
    .n_demands = n_demands,
    .units = units,
    .n_units = n,
  };
  g_autoptr (GPtrArray) plan = vend_decide (&snapshot);
  for (guint i = 0; i < plan->len; i++)
    carry_out (sim, g_ptr_array_index (plan, i), models, unit_indexes);
  return plan->len > 0;
}

/* The earliest time at which an idle unit reaches its idle timeout; G_MAXINT64 = never. */
static int64_t
next_stop (const Sim *sim)
{
  const VendSimulation *options = sim->options;
  int64_t next_us = G_MAXINT64;
  for (guint i = 0; i < options->hardware_units; i++)
    {
      const SimUnit *unit = &sim->units[i];
      if (!unit->in_use || unit->booting || unit->stopping || unit->busy > 0)
        continue;
      const int64_t moments[] = { unit->idle_since_us + options->scale_down_delay_us,
                                  unit->idle_since_us + options->idle_timeout_us,
                                  sim->models[unit->model].load.panic_until_us };
      for (guint m = 0; m < G_N_ELEMENTS (moments); m++)
        if (moments[m] > sim->now_us)
          next_us = MIN (next_us, moments[m]);
    }
  return next_us;
}

void
vend_sim_policy_vend (Sim *sim)
{
  vend_sim_dispatch (sim);
  while (decide (sim))
    sim->changed_us = sim->now_us;
  if (sim->n_waiting > 0)
    vend_sim_plan_at (sim, sim->now_us
                               + MAX (VEND_US_PER_S, (sim->now_us - sim->changed_us) / LOOK_PART));
  else if (!sim->options->on_demand)
    {
      const int64_t next_us = next_stop (sim);
      if (next_us < G_MAXINT64)
        vend_sim_plan_at (sim, next_us);
    }
}
