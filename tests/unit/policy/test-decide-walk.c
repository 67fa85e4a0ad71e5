/* Long random walks: plans are carried out on a small world of queues and instances, and after
 * every step the promises of the scheduler are looked at. */
#include "policy/decide.h"
#include <string.h>

#define S G_GINT64_CONSTANT (1000000)
#define DEMANDS 5
#define MAX_UNITS 16
#define QUEUE 512
#define BOUND (600 * S)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS 60000
#else
#define STEPS 400000
#endif

typedef struct
{
  int64_t came_us[QUEUE]; /* a ring */
  guint head;
  guint length;
  int64_t longest_us; /* wait of those that began */
} Queue;

typedef struct
{
  VendDemand demands[DEMANDS];
  Queue queues[DEMANDS];
  double arrivals[DEMANDS]; /* a second */
  VendUnit units[MAX_UNITS];
  int64_t ends_us[MAX_UNITS]; /* of its run or its boot */
  guint n_units;
  guint hardware;
  guint boot_limit;
  double boot_failures;
  double degraded;
  double yielding;
  int64_t now_us;
  GRand *rand;
} World;

static bool
happens (World *w, double chance)
{
  return g_rand_double (w->rand) < chance;
}

static void
remove_unit (World *w, guint i)
{
  g_assert_cmpuint (w->units[i].busy, ==, 0);
  w->units[i] = w->units[--w->n_units];
  w->ends_us[i] = w->ends_us[w->n_units];
}

static void
arrive (World *w, guint i, int64_t passed_us)
{
  Queue *queue = &w->queues[i];
  double expected = w->arrivals[i] * (double) passed_us / S;
  while (happens (w, expected / (1 + expected)) && queue->length < QUEUE)
    queue->came_us[(queue->head + queue->length++) % QUEUE] = w->now_us;
}

static void
begin (World *w, guint i)
{
  VendUnit *unit = &w->units[i];
  VendDemand *demand = &w->demands[unit->demand];
  Queue *queue = &w->queues[unit->demand];
  int64_t wait_us = w->now_us - queue->came_us[queue->head];
  queue->longest_us = MAX (queue->longest_us, wait_us);
  queue->head = (queue->head + 1) % QUEUE;
  queue->length--;
  demand->running++;
  unit->busy = 1;
  unit->idle_since_us = 0;
  unit->began_us = w->now_us;
  w->ends_us[i] = w->now_us + (int64_t) ((0.5 + g_rand_double (w->rand)) * (double) demand->run_us);
}

/* What happens to one instance in a step; false when it has gone. */
static bool
live (World *w, guint i)
{
  VendUnit *unit = &w->units[i];
  VendDemand *demand = &w->demands[unit->demand];
  bool is_over = w->now_us >= w->ends_us[i];
  if (unit->stopping || (unit->booting && is_over && happens (w, w->boot_failures)))
    {
      if (!unit->stopping)
        demand->backoff_until_us = w->now_us + 10 * S;
      remove_unit (w, i);
      return false;
    }
  if (unit->booting && is_over)
    *unit = (VendUnit){ .demand = unit->demand, .since_us = w->now_us, .idle_since_us = w->now_us };
  if (unit->busy > 0 && is_over)
    {
      unit->busy = 0;
      demand->running--;
      unit->idle_since_us = w->now_us;
      unit->degraded = unit->degraded || happens (w, w->degraded);
    }
  if (!unit->booting && !unit->draining && unit->busy == 0 && w->queues[unit->demand].length > 0)
    begin (w, i);
  return true;
}

static void
step (World *w)
{
  int64_t passed_us = (int64_t) (g_rand_double (w->rand) * 4 * S) + 1;
  w->now_us += passed_us;
  for (guint i = 0; i < DEMANDS; i++)
    arrive (w, i, passed_us);
  for (guint i = 0; i < w->n_units;)
    i += live (w, i);
  for (guint i = 0; i < DEMANDS; i++)
    {
      const Queue *queue = &w->queues[i];
      w->demands[i].waiting = queue->length;
      w->demands[i].oldest_us = queue->length > 0 ? queue->came_us[queue->head] : 0;
      w->demands[i].yields = happens (w, w->yielding);
    }
  for (guint i = 0; i < w->n_units; i++)
    if (!w->units[i].booting && !w->units[i].draining)
      w->demands[w->units[i].demand].served_us = w->now_us;
}

static void
carry_out (World *w, const VendAction *action)
{
  if (action->kind == VEND_ACTION_START)
    {
      g_assert_cmpuint (w->n_units, <, MAX_UNITS);
      w->ends_us[w->n_units] = w->now_us + w->demands[action->index].boot_us;
      w->units[w->n_units++]
          = (VendUnit){ .demand = action->index, .booting = true, .since_us = w->now_us };
      return;
    }
  VendUnit *unit = &w->units[action->index];
  g_assert_false (unit->stopping);
  g_assert_false (unit->booting);
  if (action->kind == VEND_ACTION_DRAIN)
    {
      g_assert_cmpuint (unit->busy, >, 0);
      g_assert_false (unit->draining);
      unit->draining = true;
    }
  else
    {
      g_assert_cmpuint (unit->busy, ==, 0);
      unit->stopping = true;
    }
}

typedef struct
{
  guint have[DEMANDS]; /* that stay, without degraded ones */
  guint serving[DEMANDS];
  guint booting;
  guint held;
  guint leaving;
} Counts;

static Counts
count (const World *w)
{
  Counts c = { 0 };
  for (guint i = 0; i < w->n_units; i++)
    {
      const VendUnit *unit = &w->units[i];
      bool stays = !unit->stopping && !unit->draining;
      c.have[unit->demand] += stays && !unit->degraded;
      c.serving[unit->demand] += stays;
      c.booting += unit->booting;
      c.leaving += !stays;
      c.held += MAX (w->demands[unit->demand].size, 1);
    }
  return c;
}

static void
check (const World *w, const Counts *before)
{
  Counts c = count (w);
  g_assert_cmpuint (c.held, <=, w->hardware);
  g_assert_cmpuint (c.booting, <=, w->boot_limit);
  for (guint i = 0; i < DEMANDS; i++)
    {
      const VendDemand *demand = &w->demands[i];
      /* What is free may be kept for a large one that waits for more of it to go. */
      bool has_room = c.leaving == 0 && c.held + MAX (demand->size, 1) <= w->hardware
                      && c.booting < w->boot_limit && w->now_us >= demand->backoff_until_us;
      g_assert_cmpuint (c.have[i], <=, MAX (demand->max, before->have[i]));
      /* Nobody takes what a minimum needs. */
      const guint kept = demand->yields ? 0 : demand->min;
      g_assert_cmpuint (c.have[i], >=, MIN (before->have[i], kept));
      if (has_room)
        g_assert_cmpuint (c.have[i], >=, kept);
      /* With hardware and a boot to spare nobody waits without an instance. */
      if (has_room && demand->waiting > 0 && demand->max > 0)
        g_assert_cmpuint (c.serving[i], >, 0);
    }
}

static guint
decide (World *w)
{
  const VendSnapshot snapshot = {
    .now_us = w->now_us,
    .hardware_units = w->hardware,
    .boot_limit = w->boot_limit,
    .demands = w->demands,
    .n_demands = DEMANDS,
    .units = w->units,
    .n_units = w->n_units,
  };
  Counts before = count (w);
  g_autoptr (GPtrArray) plan = vend_decide (&snapshot);
  for (guint i = 0; i < plan->len; i++)
    carry_out (w, g_ptr_array_index (plan, i));
  check (w, &before);
  return plan->len;
}

static void
walk (World *w, guint steps)
{
  w->now_us = 1000 * S;
  for (guint i = 0; i < DEMANDS; i++)
    {
      w->demands[i].name = "lab/echo";
      w->demands[i].slots = 1;
      w->demands[i].idle_timeout_us = 300 * S;
      w->demands[i].scale_down_delay_us = 60 * S;
      w->demands[i].starvation_us = BOUND;
    }
  for (guint n = 0; n < steps; n++)
    {
      step (w);
      decide (w);
      /* What goes in one plan may make room in the next, and then all is at rest. */
      if (decide (w) > 0)
        g_assert_cmpuint (decide (w), ==, 0);
    }
  g_rand_free (w->rand);
}

/* Everything at once, often with more to do than the hardware can. */
static void
test_everything (void)
{
  World w
      = { .hardware = 8, .boot_limit = 3, .boot_failures = 0.1, .degraded = 0.02, .yielding = 0.1 };
  w.rand = g_rand_new_with_seed (42);
  for (guint i = 0; i < DEMANDS; i++)
    {
      w.demands[i].max = 1 + i;
      w.demands[i].min = i == 1 ? 2 : 0;
      w.demands[i].size = i == 4 ? 2 : 1;
      w.demands[i].boot_us = (int64_t) (i + 1) * 4 * S;
      w.demands[i].run_us = (int64_t) (i + 1) * 5 * S;
      w.demands[i].target = i == 2 ? 0.5 : 0;
      w.demands[i].on_demand = i == 3;
      w.arrivals[i] = 0.12 / (i + 1);
    }
  walk (&w, STEPS);
}

/* Few units, and models that come and go. */
static void
test_scarce_hardware (void)
{
  World w = { .hardware = 2, .boot_limit = 1, .boot_failures = 0.02 };
  w.rand = g_rand_new_with_seed (7);
  for (guint i = 0; i < DEMANDS; i++)
    {
      w.demands[i].max = 2;
      w.demands[i].boot_us = 8 * S;
      w.demands[i].run_us = 10 * S;
      w.demands[i].on_demand = true;
      w.arrivals[i] = 0.02;
    }
  walk (&w, STEPS);
}

/* Two models that come `rate` times a second each keep all hardware busy, for ever or nearly; the
 * others are served within the bound. */
static void
test_nobody_starves (const void *data)
{
  const double rate = *(const double *) data;
  World w = { .hardware = 2, .boot_limit = 2 };
  w.rand = g_rand_new_with_seed (1);
  for (guint i = 0; i < DEMANDS; i++)
    {
      w.demands[i].max = 2;
      w.demands[i].boot_us = 10 * S;
      w.demands[i].run_us = 10 * S;
      w.demands[i].on_demand = true;
      w.arrivals[i] = i < 2 ? rate : 0.001;
    }
  walk (&w, STEPS);
  for (guint i = 2; i < DEMANDS; i++)
    {
      g_test_message ("model %u: longest wait %d s", i, (int) (w.queues[i].longest_us / S));
      g_assert_cmpint (w.queues[i].longest_us, >, 0);
      g_assert_cmpint (w.queues[i].longest_us, <=, BOUND);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decide/walk/everything", test_everything);
  g_test_add_func ("/decide/walk/scarce-hardware", test_scarce_hardware);
  /* One takes ten seconds: a tenth is all that a unit can do. */
  static const double rates[] = { 0.07, 0.09, 0.1, 0.12, 0.2 };
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      g_autofree char *path = g_strdup_printf ("/decide/walk/nobody-starves/%g", rates[i]);
      g_test_add_data_func (path, &rates[i], test_nobody_starves);
    }
  return g_test_run ();
}
