/* The event loop of a simulation. Pure: its clock is a number. */
#include "policy/simulate.h"
#include "policy/simulate-private.h"
#include "base/clock.h"
#include <stdlib.h>
#include <string.h>

typedef enum
{
  EVENT_READY, /* a unit has booted */
  EVENT_ENDED, /* a run has ended */
  EVENT_GONE,  /* a stopped unit is gone */
  EVENT_PLAN,
  EVENT_MOMENT, /* a decision in any case, whatever the policy wants */
} EventKind;

typedef struct
{
  int64_t at_us;
  guint64 number; /* of events at the same time the first planned goes first */
  EventKind kind;
  guint unit;
  guint request;
} Event;

static const char *const policy_names[] = { [VEND_POLICY_VEND] = "vend",
                                            [VEND_POLICY_FCFS_LRU] = "fcfs-lru",
                                            [VEND_POLICY_FIXED_TIMEOUT] = "fixed-timeout" };

const char *
vend_policy_name (VendPolicy policy)
{
  return policy_names[policy];
}

bool
vend_policy_parse (const char *name, VendPolicy *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (policy_names); i++)
    if (strcmp (name, policy_names[i]) == 0)
      {
        *out = (VendPolicy) i;
        return true;
      }
  return false;
}

/* ---- Events */

static Event *
event_at (const Sim *sim, guint i)
{
  return &g_array_index (sim->events, Event, i);
}

static bool
is_before (const Event *a, const Event *b)
{
  return a->at_us < b->at_us || (a->at_us == b->at_us && a->number < b->number);
}

static void
swap (Sim *sim, guint a, guint b)
{
  Event kept = *event_at (sim, a);
  *event_at (sim, a) = *event_at (sim, b);
  *event_at (sim, b) = kept;
}

static void
plan (Sim *sim, int64_t at_us, EventKind kind, guint unit, guint request)
{
  Event event = { at_us, sim->n_events++, kind, unit, request };
  g_array_append_val (sim->events, event);
  for (guint i = sim->events->len - 1; i > 0; i = (i - 1) / 2)
    if (is_before (event_at (sim, i), event_at (sim, (i - 1) / 2)))
      swap (sim, i, (i - 1) / 2);
    else
      break;
}

static Event
take_event (Sim *sim)
{
  Event first = *event_at (sim, 0);
  guint n = sim->events->len - 1;
  *event_at (sim, 0) = *event_at (sim, n);
  g_array_set_size (sim->events, n);
  for (guint i = 0;;)
    {
      guint least = i;
      for (guint child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
        if (is_before (event_at (sim, child), event_at (sim, least)))
          least = child;
      if (least == i)
        return first;
      swap (sim, i, least);
      i = least;
    }
}

/* ---- For the policies */

const VendTraceRequest *
vend_sim_request (const Sim *sim, guint request)
{
  return &g_array_index (sim->trace->requests, VendTraceRequest, request);
}

guint
vend_sim_waiting (const Sim *sim, guint model)
{
  return sim->models[model].queue->len - sim->models[model].head;
}

guint
vend_sim_first (const Sim *sim, guint model)
{
  return g_array_index (sim->models[model].queue, guint, sim->models[model].head);
}

guint
vend_sim_take (Sim *sim, guint model)
{
  guint first = vend_sim_first (sim, model);
  sim->models[model].head++;
  sim->n_waiting--;
  return first;
}

void
vend_sim_tidy (Sim *sim)
{
  guint kept = 0;
  for (guint i = 0; i < sim->active->len; i++)
    {
      guint model = g_array_index (sim->active, guint, i);
      sim->models[model].is_active = vend_sim_waiting (sim, model) > 0
                                     || sim->models[model].n_units > 0
                                     || sim->options->min_instances > 0;
      if (sim->models[model].is_active)
        g_array_index (sim->active, guint, kept++) = model;
    }
  g_array_set_size (sim->active, kept);
}

static void
note_count (const Sim *sim)
{
  VendSimCount now = { .at_us = sim->now_us, .booting = sim->n_booting };
  if (sim->options->counts == NULL)
    return;
  for (guint i = 0; i < sim->options->hardware_units; i++)
    now.units += sim->units[i].in_use;
  g_array_append_val (sim->options->counts, now);
}

void
vend_sim_start (Sim *sim, guint unit, guint model)
{
  const int64_t load_us = vend_trace_load_us (sim->trace, model, sim->now_us);
  sim->units[unit] = (SimUnit){
    .in_use = true, .booting = true, .model = model, .bound = -1, .since_us = sim->now_us
  };
  sim->n_booting++;
  sim->models[model].n_booting++;
  sim->models[model].n_units++;
  sim->result->cold_starts++;
  sim->n_units++;
  sim->result->most_units = MAX (sim->result->most_units, sim->n_units);
  plan (sim, sim->now_us + load_us, EVENT_READY, unit, 0);
  note_count (sim);
}

void
vend_sim_stop (Sim *sim, guint index)
{
  SimUnit *unit = &sim->units[index];
  g_assert (unit->in_use && !unit->booting && unit->busy == 0);
  sim->result->idle_hours += (double) (sim->now_us - unit->idle_since_us);
  unit->in_use = false;
  sim->n_units--;
  sim->models[unit->model].n_units--;
  note_count (sim);
}

void
vend_sim_stop_slowly (Sim *sim, guint index)
{
  SimUnit *unit = &sim->units[index];
  if (sim->options->stop_us == 0)
    {
      vend_sim_stop (sim, index);
      return;
    }
  g_assert (unit->in_use && !unit->booting && unit->busy == 0 && !unit->stopping);
  unit->stopping = true;
  plan (sim, sim->now_us + sim->options->stop_us, EVENT_GONE, index, 0);
}

void
vend_sim_run (Sim *sim, guint index, guint request)
{
  SimUnit *unit = &sim->units[index];
  const VendTraceRequest *asked = vend_sim_request (sim, request);
  g_assert (unit->in_use && !unit->booting && unit->model == asked->model);
  if (unit->busy++ == 0)
    {
      sim->result->idle_hours += (double) (sim->now_us - unit->idle_since_us);
      unit->busy_since_us = sim->now_us;
    }
  unit->idle_since_us = 0;
  unit->began_us = sim->now_us;
  sim->models[unit->model].running++;
  sim->n_running++;
  sim->waits[request] = (double) (sim->now_us - asked->at_us) / VEND_US_PER_S;
  plan (sim, sim->now_us + asked->run_us, EVENT_ENDED, index, request);
}

void
vend_sim_plan_at (Sim *sim, int64_t at_us)
{
  if (at_us >= sim->plan_us)
    return;
  sim->plan_us = at_us;
  plan (sim, at_us, EVENT_PLAN, 0, 0);
}

gssize
vend_sim_find_free (const Sim *sim)
{
  for (guint i = 0; i < sim->options->hardware_units; i++)
    if (!sim->units[i].in_use)
      return i;
  return -1;
}

bool
vend_sim_may_boot (const Sim *sim)
{
  return sim->n_booting < sim->options->boot_limit;
}

static bool
has_slot (const Sim *sim, const SimUnit *unit)
{
  return unit->in_use && !unit->booting && !unit->draining && !unit->stopping
         && unit->busy < sim->options->slots;
}

gssize
vend_sim_find_slot (const Sim *sim, guint model)
{
  gssize best = -1;
  for (guint i = 0; i < sim->options->hardware_units; i++)
    {
      const SimUnit *unit = &sim->units[i];
      if (has_slot (sim, unit) && unit->model == model
          && (best < 0 || unit->busy > sim->units[best].busy
              || (unit->busy == sim->units[best].busy
                  && unit->idle_since_us > sim->units[best].idle_since_us)))
        best = i;
    }
  return best;
}

static void
dispatch (Sim *sim, guint model)
{
  gssize unit;
  while (vend_sim_waiting (sim, model) > 0 && (unit = vend_sim_find_slot (sim, model)) >= 0)
    vend_sim_run (sim, (guint) unit, vend_sim_take (sim, model));
}

void
vend_sim_dispatch (Sim *sim)
{
  for (guint i = 0; i < sim->options->hardware_units; i++)
    if (has_slot (sim, &sim->units[i]))
      dispatch (sim, sim->units[i].model);
}

/* ---- The loop */

static void
on_ready (Sim *sim, SimUnit *unit)
{
  SimModel *model = &sim->models[unit->model];
  unit->booting = false;
  sim->n_booting--;
  note_count (sim);
  sim->result->loading_hours += (double) (sim->now_us - unit->since_us);
  model->n_booting--;
  vend_measure_boot (&model->boot_us, sim->now_us - unit->since_us);
  unit->since_us = sim->now_us;
  unit->idle_since_us = sim->now_us;
  if (unit->bound >= 0)
    vend_sim_run (sim, (guint) (unit - sim->units), (guint) unit->bound);
  unit->bound = -1;
}

static void
on_ended (Sim *sim, SimUnit *unit, guint request)
{
  SimModel *model = &sim->models[unit->model];
  model->running--;
  sim->n_running--;
  vend_measure_run (&model->run_us, ++model->n_runs, vend_sim_request (sim, request)->run_us);
  if (--unit->busy > 0)
    return;
  sim->result->busy_hours += (double) (sim->now_us - unit->busy_since_us);
  unit->idle_since_us = sim->now_us;
}

static void
arrive (Sim *sim)
{
  const VendTraceRequest *asked = vend_sim_request (sim, sim->next);
  SimModel *model = &sim->models[asked->model];
  if (sim->options->policy != VEND_POLICY_FCFS_LRU)
    {
      g_array_append_val (model->queue, sim->next);
      sim->n_waiting++;
      if (!model->is_active)
        g_array_append_val (sim->active, asked->model);
      model->is_active = true;
    }
  sim->next++;
  sim->changed_us = sim->now_us;
}

/* The counted time is over, and all requests are served. */
static bool
is_over (const Sim *sim, int64_t at_us)
{
  return sim->options->until_us > 0 && at_us > sim->options->until_us
         && sim->next == sim->trace->requests->len && sim->n_waiting == 0 && sim->n_running == 0
         && sim->n_booting == 0;
}

/* Advances to the next event time and handles all events of that time. */
static bool
advance (Sim *sim)
{
  const guint n = sim->trace->requests->len;
  int64_t at_us = sim->events->len > 0 ? event_at (sim, 0)->at_us : G_MAXINT64;
  if (sim->next < n)
    at_us = MIN (at_us, vend_sim_request (sim, sim->next)->at_us);
  if (at_us == G_MAXINT64 || is_over (sim, at_us))
    return false;
  sim->now_us = at_us;
  while (sim->events->len > 0 && event_at (sim, 0)->at_us == at_us)
    {
      Event event = take_event (sim);
      if (event.kind != EVENT_PLAN)
        sim->changed_us = at_us;
      if (event.kind == EVENT_READY)
        on_ready (sim, &sim->units[event.unit]);
      else if (event.kind == EVENT_ENDED)
        on_ended (sim, &sim->units[event.unit], event.request);
      else if (event.kind == EVENT_GONE)
        vend_sim_stop (sim, event.unit);
      else if (event.kind == EVENT_PLAN && at_us == sim->plan_us)
        sim->plan_us = G_MAXINT64;
    }
  while (sim->next < n && vend_sim_request (sim, sim->next)->at_us == at_us)
    arrive (sim);
  return true;
}

/* Minimums are warm when the first request comes, and until the end. */
static void
plan_moments (Sim *sim)
{
  const int64_t first_us = vend_sim_request (sim, 0)->at_us;
  int64_t load_us = 0;
  for (guint i = 0; i < sim->trace->models->len && sim->options->min_instances > 0; i++)
    {
      load_us = MAX (load_us, vend_trace_load_us (sim->trace, i, first_us));
      sim->models[i].is_active = true;
      g_array_append_val (sim->active, i);
    }
  if (sim->options->min_instances > 0)
    plan (sim, MAX (first_us - load_us, 0), EVENT_MOMENT, 0, 0);
  if (sim->options->until_us > 0)
    plan (sim, sim->options->until_us, EVENT_MOMENT, 0, 0);
}

static void
run (Sim *sim)
{
  static void (*const policies[]) (Sim *)
      = { [VEND_POLICY_VEND] = vend_sim_policy_vend,
          [VEND_POLICY_FCFS_LRU] = vend_sim_policy_fcfs_lru,
          [VEND_POLICY_FIXED_TIMEOUT] = vend_sim_policy_fixed_timeout };
  plan_moments (sim);
  while (advance (sim))
    policies[sim->options->policy](sim);
}

/* ---- The result */

static int
by_size (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

/* The least wait that `share` of the requests do not exceed. */
static double
percentile (const double *sorted, guint n, double share)
{
  guint rank = (guint) ((double) n * share + 0.999999);
  return sorted[CLAMP (rank, 1, n) - 1];
}

/* Compares waits with the least waits, to tell the bound from overload. */
static void
compare_with_least (Sim *sim)
{
  const guint n = sim->trace->requests->len;
  const int64_t bound_us = sim->options->starvation_us;
  g_autofree int64_t *least_us = g_new (int64_t, n);
  vend_simulate_least_waits (sim->trace, sim->options->hardware_units * sim->options->slots,
                             bound_us, least_us);
  for (guint i = 0; i < n; i++)
    {
      double over_s = sim->waits[i] - (double) least_us[i] / VEND_US_PER_S;
      sim->result->late += bound_us > 0 && sim->waits[i] * VEND_US_PER_S > (double) bound_us;
      sim->result->beyond += bound_us > 0 && over_s * VEND_US_PER_S > (double) bound_us;
      sim->result->wait_over_least_max_s = MAX (sim->result->wait_over_least_max_s, over_s);
    }
}

static void
sum_up (Sim *sim)
{
  const guint n = sim->trace->requests->len;
  VendSimulated *result = sim->result;
  int64_t first_us = vend_sim_request (sim, 0)->at_us;
  double sum = 0;
  for (guint i = 0; i < sim->options->hardware_units; i++)
    if (sim->units[i].in_use)
      result->idle_hours += (double) (sim->now_us - sim->units[i].idle_since_us);
  for (guint i = 0; i < n; i++)
    sum += sim->waits[i];
  compare_with_least (sim);
  if (sim->options->waits != NULL)
    g_array_append_vals (sim->options->waits, sim->waits, n);
  qsort (sim->waits, n, sizeof (double), by_size);
  result->requests = n;
  result->models = sim->trace->models->len;
  result->wait_mean_s = sum / n;
  result->wait_p50_s = percentile (sim->waits, n, 0.50);
  result->wait_p90_s = percentile (sim->waits, n, 0.90);
  result->wait_p95_s = percentile (sim->waits, n, 0.95);
  result->wait_p99_s = percentile (sim->waits, n, 0.99);
  result->wait_max_s = sim->waits[n - 1];
  for (guint i = 0; i <= 100; i++)
    result->wait_percentiles_s[i] = percentile (sim->waits, n, i / 100.0);
  const double hour_us = 3600.0 * VEND_US_PER_S;
  result->hours = (double) (sim->now_us - first_us) / hour_us;
  result->busy_hours /= hour_us;
  result->loading_hours /= hour_us;
  result->idle_hours /= hour_us;
}

void
vend_simulate (const VendTrace *trace, const VendSimulation *options, VendSimulated *out)
{
  VendSimulation filled = *options;
  const guint n_models = trace->models->len;
  filled.hardware_units = MAX (filled.hardware_units, 1);
  filled.slots = MAX (filled.slots, 1);
  if (filled.boot_limit == 0)
    filled.boot_limit = filled.hardware_units;
  if (filled.max_instances == 0)
    filled.max_instances = filled.hardware_units;
  Sim sim = { .trace = trace, .options = &filled, .result = out, .plan_us = G_MAXINT64 };
  *out = (VendSimulated){ 0 };
  if (trace->requests->len == 0)
    return;
  sim.models = g_new0 (SimModel, n_models);
  sim.units = g_new0 (SimUnit, filled.hardware_units);
  sim.waits = g_new0 (double, trace->requests->len);
  sim.events = g_array_new (FALSE, FALSE, sizeof (Event));
  sim.active = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < n_models; i++)
    sim.models[i].queue = g_array_new (FALSE, FALSE, sizeof (guint));
  run (&sim);
  sum_up (&sim);
  for (guint i = 0; i < n_models; i++)
    g_array_unref (sim.models[i].queue);
  g_array_unref (sim.active);
  g_array_unref (sim.events);
  g_free (sim.models);
  g_free (sim.units);
  g_free (sim.waits);
}
