/* The scheduler's rules as a table: a snapshot, and the plan that the rule makes of it. */
#include "policy/decide.h"
#include <string.h>

#pragma GCC diagnostic ignored "-Woverride-init"

#define S G_GINT64_CONSTANT (1000000)
#define NOW (1000 * S)
#define AGO(seconds) (NOW - (seconds) * S)

/* Boots and runs take 10 s. */
#define DEMAND(...) \
  { .name = "lab/echo", \
    .slots = 1, \
    .max = 4, \
    .idle_timeout_us = 300 * S, \
    .scale_down_delay_us = 60 * S, \
    .starvation_us = 600 * S, \
    .boot_us = 10 * S, \
    .run_us = 10 * S, \
    __VA_ARGS__ }
#define WAITING(n, seconds, ...) DEMAND (.waiting = (n), .oldest_us = AGO (seconds), __VA_ARGS__)
#define IDLE(of, seconds, ...) \
  { .demand = (of), .since_us = AGO (500), .idle_since_us = AGO (seconds), __VA_ARGS__ }
#define BUSY(of, seconds, ...) \
  { .demand = (of), .since_us = AGO (500), .busy = 1, .began_us = AGO (seconds), __VA_ARGS__ }
#define BOOTING(of, seconds) { .demand = (of), .booting = true, .since_us = AGO (seconds) }

typedef struct
{
  const char *rule;
  guint hardware; /* 0 = 8 */
  guint boot_limit;
  VendDemand demands[4];
  VendUnit units[5];
  const char *plan; /* "start DEMAND", "stop UNIT", "drain UNIT" */
} Case;

static const Case cases[] = {
  /* desired = ceil (load / (slots × target)) */
  { "target/all-slots", 0, 0, { WAITING (4, 1, .slots = 4, .run_us = 99 * S) }, {}, "start 0" },
  { "target/rounded-up",
    0,
    0,
    { WAITING (5, 1, .slots = 4, .run_us = 99 * S) },
    {},
    "start 0, start 0" },
  { "target/half-of-them",
    0,
    0,
    { WAITING (9, 1, .slots = 4, .run_us = 99 * S, .target = 0.5) },
    {},
    "start 0, start 0, start 0" },
  { "target/keeps-headroom",
    0,
    0,
    { DEMAND (.running = 1, .target = 0.5) },
    { BUSY (0, 1), IDLE (0, 200) },
    "" },
  { "target/without-it-surplus-goes",
    0,
    0,
    { DEMAND (.running = 1) },
    { BUSY (0, 1), IDLE (0, 200) },
    "stop 1" },

  /* one more only while it would serve somebody sooner */
  { "sooner/first-at-once", 0, 0, { WAITING (1, 0) }, {}, "start 0" },
  { "sooner/a-run-ends-before-a-boot",
    0,
    0,
    { WAITING (1, 1, .running = 1) },
    { BUSY (0, 8) },
    "" },
  { "sooner/a-run-ends-after-a-boot",
    0,
    0,
    { WAITING (1, 1, .running = 1, .run_us = 60 * S) },
    { BUSY (0, 8) },
    "start 0" },
  /* Runs of 10 s and boots of 10 s: after 30 s it is of another kind. */
  { "sooner/a-run-that-is-over-its-time-ends-soon",
    0,
    0,
    { WAITING (1, 1, .running = 1) },
    { BUSY (0, 29) },
    "" },
  { "sooner/a-run-of-another-kind-does-not",
    0,
    0,
    { WAITING (1, 1, .running = 1) },
    { BUSY (0, 31) },
    "start 0" },
  { "sooner/nor-do-those-of-all-slots",
    0,
    0,
    { WAITING (1, 1, .running = 2, .slots = 2) },
    { BUSY (0, 31, .busy = 2) },
    "start 0" },
  { "sooner/booting-counts", 0, 0, { WAITING (1, 1) }, { BOOTING (0, 1) }, "" },
  { "sooner/a-burst-of-short-runs",
    99,
    99,
    { WAITING (1000, 1, .run_us = S / 10, .max = 99) },
    {},
    "start 0, start 0, start 0, start 0, start 0, start 0, start 0, start 0, start 0, start 0" },

  /* a cap on boots at the same time */
  { "boots/capped", 0, 1, { WAITING (9, 2), WAITING (9, 1) }, {}, "start 0" },
  { "boots/at-the-cap", 0, 1, { WAITING (9, 2), DEMAND (.size = 1) }, { BOOTING (1, 1) }, "" },
  { "boots/nobody-goes-for-one-that-cannot-boot",
    2,
    1,
    { WAITING (9, 2), DEMAND (.size = 1), DEMAND (.size = 1) },
    { BOOTING (1, 1), IDLE (2, 100) },
    "" },

  /* down: surplus after the delay, the last one after its timeout */
  { "down/surplus-in-time", 0, 0, { DEMAND (.size = 1) }, { IDLE (0, 59), IDLE (0, 59) }, "" },
  { "down/surplus", 0, 0, { DEMAND (.size = 1) }, { IDLE (0, 60), IDLE (0, 59) }, "stop 0" },
  { "down/last-in-time", 0, 0, { DEMAND (.size = 1) }, { IDLE (0, 299) }, "" },
  { "down/last", 0, 0, { DEMAND (.size = 1) }, { IDLE (0, 300) }, "stop 0" },
  { "down/on-demand-stays",
    0,
    0,
    { DEMAND (.on_demand = true) },
    { IDLE (0, 400), IDLE (0, 400) },
    "" },
  { "down/on-demand-until-evicted",
    2,
    0,
    { DEMAND (.on_demand = true), WAITING (1, 1) },
    { IDLE (0, 400), IDLE (0, 300) },
    "stop 0" },
  { "down/on-demand-within-the-maximum",
    0,
    0,
    { DEMAND (.on_demand = true, .max = 1) },
    { IDLE (0, 1), IDLE (0, 1) },
    "stop 0" },
  { "minimum/kept", 0, 0, { DEMAND (.min = 2) }, { IDLE (0, 999), IDLE (0, 999) }, "" },
  { "minimum/made", 0, 0, { DEMAND (.min = 2) }, { IDLE (0, 999) }, "start 0" },
  { "minimum/not-counting-what-goes",
    0,
    0,
    { DEMAND (.min = 1) },
    { IDLE (0, 1, .stopping = true) },
    "start 0" },

  /* panic: no scale-down */
  { "panic/surplus-stays",
    0,
    0,
    { DEMAND (.panic_until_us = NOW + 1) },
    { IDLE (0, 200), IDLE (0, 400) },
    "" },
  { "panic/over",
    0,
    0,
    { DEMAND (.panic_until_us = NOW) },
    { IDLE (0, 60), IDLE (0, 1) },
    "stop 0" },

  /* hardware that is all taken: what is loaded is served first */
  { "fixed/loaded-first",
    1,
    0,
    { WAITING (3, 1), WAITING (2, 50, .running = 1) },
    { BUSY (1, 9) },
    "" },
  { "fixed/idle-goes", 1, 0, { WAITING (1, 1), DEMAND (.size = 1) }, { IDLE (1, 20) }, "stop 0" },
  { "fixed/warm-slot-frees-sooner",
    2,
    0,
    { WAITING (1, 1, .running = 1), DEMAND (.size = 1) },
    { BUSY (0, 8), IDLE (1, 99) },
    "" },
  { "fixed/warm-slot-frees-later",
    2,
    0,
    { WAITING (1, 1, .running = 1, .run_us = 60 * S), DEMAND (.size = 1) },
    { BUSY (0, 8), IDLE (1, 99) },
    "stop 1" },
  { "fixed/most-served-first", 0, 1, { WAITING (1, 90), WAITING (9, 1, .max = 1) }, {}, "start 1" },
  { "fixed/of-equals-who-waited-longest",
    0,
    1,
    { WAITING (1, 1), WAITING (1, 90) },
    {},
    "start 1" },
  { "fixed/one-eviction-for-one",
    2,
    0,
    { WAITING (1, 1), DEMAND (.size = 1), DEMAND (.size = 1) },
    { IDLE (1, 50), IDLE (2, 20) },
    "stop 0" },
  { "fixed/hardware-on-its-way-is-waited-for",
    2,
    0,
    { WAITING (1, 1), DEMAND (.size = 1) },
    { IDLE (1, 50), IDLE (1, 20, .stopping = true) },
    "" },
  { "fixed/several-units-for-a-large-one",
    3,
    0,
    { WAITING (1, 1, .size = 2), DEMAND (.size = 1), DEMAND (.size = 1) },
    { IDLE (1, 50), IDLE (2, 20), IDLE (2, 30) },
    "stop 0, stop 2" },
  { "fixed/larger-than-all", 3, 0, { WAITING (1, 1, .size = 4) }, {}, "" },

  /* the victim: by the cost of its load, its size, and how long nobody has wanted it */
  { "victim/cheaper-load",
    2,
    0,
    { WAITING (1, 1), DEMAND (.boot_us = 40 * S), DEMAND (.size = 1) },
    { IDLE (1, 50), IDLE (2, 50) },
    "stop 1" },
  { "victim/longer-idle",
    2,
    0,
    { WAITING (1, 1), DEMAND (.size = 1), DEMAND (.size = 1) },
    { IDLE (1, 50), IDLE (2, 90) },
    "stop 1" },
  { "victim/dear-but-long-idle",
    2,
    0,
    { WAITING (1, 1), DEMAND (.boot_us = 20 * S), DEMAND (.size = 1) },
    { IDLE (1, 200), IDLE (2, 50) },
    "stop 0" },
  { "victim/larger",
    4,
    0,
    { WAITING (1, 1), DEMAND (.size = 1), DEMAND (.size = 3) },
    { IDLE (1, 50), IDLE (2, 50) },
    "stop 1" },
  { "victim/never-busy", 1, 0, { WAITING (1, 1), DEMAND (.running = 1) }, { BUSY (1, 1) }, "" },
  { "victim/never-of-a-minimum",
    1,
    0,
    { WAITING (1, 1), DEMAND (.min = 1) },
    { IDLE (1, 99) },
    "" },
  { "victim/never-younger-than-its-load",
    1,
    0,
    { WAITING (1, 1), DEMAND (.size = 1) },
    { IDLE (1, 9, .since_us = AGO (9)) },
    "" },

  /* the bound: who starves goes before what is loaded */
  { "starvation/in-time",
    1,
    0,
    { WAITING (1, 299), WAITING (9, 1, .running = 1) },
    { BUSY (1, 1) },
    "" },
  { "starvation/half-of-the-bound",
    1,
    0,
    { WAITING (1, 300), WAITING (9, 0, .running = 1) },
    { BUSY (1, 1) },
    "drain 0" },
  { "starvation/no-bound",
    1,
    0,
    { WAITING (1, 900, .starvation_us = 0), WAITING (9, 1, .running = 1) },
    { BUSY (1, 1) },
    "" },
  { "starvation/not-for-one-that-is-served",
    2,
    0,
    { WAITING (9, 900, .running = 1), WAITING (9, 1, .running = 1) },
    { BUSY (0, 1), BUSY (1, 1) },
    "" },
  { "starvation/a-turn-is-kept",
    1,
    0,
    { WAITING (1, 700), WAITING (9, 1, .running = 1) },
    { BUSY (1, 1, .since_us = AGO (209)) },
    "" },
  { "starvation/never-from-one-that-has-waited-longer",
    2,
    0,
    { WAITING (1, 350), WAITING (9, 400, .running = 1), WAITING (9, 340, .running = 1) },
    { BUSY (1, 9), BUSY (2, 1) },
    "drain 1" },
  { "starvation/waits-when-all-others-have-waited-longer",
    1,
    0,
    { WAITING (1, 440), WAITING (9, 599, .running = 1) },
    { BUSY (1, 9) },
    "" },
  { "starvation/waits-for-all-that-can-be-served-within-the-bound",
    1,
    0,
    { WAITING (1, 440), WAITING (60, 700, .running = 1) },
    { BUSY (1, 9) },
    "" },
  { "starvation/a-queue-that-cannot-be-gives-way",
    1,
    0,
    { WAITING (1, 440), WAITING (61, 700, .running = 1) },
    { BUSY (1, 9) },
    "drain 0" },
  { "starvation/of-its-maximum-of-instances",
    2,
    0,
    { WAITING (1, 440), WAITING (61, 700, .running = 1, .max = 1),
      DEMAND (.running = 1, .min = 1) },
    { BUSY (1, 9), BUSY (2, 9) },
    "drain 0" },
  { "starvation/who-was-served-waits-for-others",
    0,
    1,
    { WAITING (9, 900, .served_us = AGO (9)), WAITING (1, 400) },
    {},
    "start 1" },
  { "starvation/an-idle-one-rather",
    2,
    0,
    { WAITING (1, 700), WAITING (9, 1, .running = 1), DEMAND (.size = 1) },
    { BUSY (1, 1), IDLE (2, 50) },
    "stop 1" },
  { "starvation/the-one-that-ends-sooner",
    2,
    0,
    { WAITING (1, 700), DEMAND (.running = 1), DEMAND (.running = 1) },
    { BUSY (1, 2), BUSY (2, 8) },
    "drain 1" },
  { "starvation/one-whose-model-stays",
    3,
    0,
    { WAITING (1, 700), DEMAND (.running = 1), DEMAND (.running = 2) },
    { BUSY (1, 6), BUSY (2, 5), BUSY (2, 4) },
    "drain 1" },
  { "starvation/drains-once",
    2,
    0,
    { WAITING (1, 700), DEMAND (.running = 2) },
    { BUSY (1, 2, .draining = true), BUSY (1, 2) },
    "" },
  { "starvation/half-of-the-hardware-at-most",
    2,
    0,
    { WAITING (1, 700), WAITING (1, 700), DEMAND (.running = 2) },
    { BUSY (2, 2), BUSY (2, 2) },
    "drain 0" },
  { "starvation/never-of-a-minimum",
    1,
    0,
    { WAITING (1, 700), DEMAND (.running = 1, .min = 1) },
    { BUSY (1, 2) },
    "" },
  { "starvation/drained-stops",
    1,
    0,
    { WAITING (1, 700), WAITING (5, 1) },
    { IDLE (1, 0, .draining = true) },
    "stop 0" },
  { "starvation/longest-first", 0, 1, { WAITING (9, 700), WAITING (1, 800) }, {}, "start 1" },

  /* a burst: who is served too slowly for the bound gets more */
  { "lagging/in-time",
    2,
    0,
    { WAITING (45, 9, .running = 1), WAITING (9, 1, .running = 1) },
    { BUSY (0, 1), BUSY (1, 1) },
    "" },
  { "lagging/three-quarters-of-the-bound",
    2,
    0,
    { WAITING (46, 9, .running = 1), WAITING (9, 1, .running = 1) },
    { BUSY (0, 1), BUSY (1, 1) },
    "drain 1" },
  { "lagging/by-all-instances",
    3,
    0,
    { WAITING (46, 9, .running = 2), WAITING (9, 1, .running = 1) },
    { BUSY (0, 1), BUSY (0, 1), BUSY (1, 1) },
    "" },
  { "lagging/never-from-one-that-has-waited-longer",
    2,
    0,
    { WAITING (46, 9, .running = 1), WAITING (9, 10, .running = 1) },
    { BUSY (0, 1), BUSY (1, 1) },
    "" },
  { "lagging/not-with-more-than-all-hardware-can-do",
    2,
    0,
    { WAITING (121, 9, .running = 1), WAITING (9, 1, .running = 1) },
    { BUSY (0, 1), BUSY (1, 1) },
    "" },
  { "lagging/no-bound",
    2,
    0,
    { WAITING (46, 9, .running = 1, .starvation_us = 0), WAITING (9, 1, .running = 1) },
    { BUSY (0, 1), BUSY (1, 1) },
    "" },
  { "lagging/after-who-starves",
    2,
    0,
    { WAITING (46, 400, .running = 1), WAITING (1, 300) },
    { BUSY (0, 1) },
    "start 1" },
  { "lagging/before-who-does-not-yet",
    2,
    0,
    { WAITING (46, 9, .running = 1), WAITING (1, 299) },
    { BUSY (0, 1) },
    "start 0" },

  /* after failures of boots, nothing until the back-off is over */
  { "backoff/waits", 0, 0, { WAITING (1, 1, .backoff_until_us = NOW + 1) }, {}, "" },
  { "backoff/over", 0, 0, { WAITING (1, 1, .backoff_until_us = NOW) }, {}, "start 0" },
  { "backoff/evicts-nobody",
    1,
    0,
    { WAITING (1, 1, .backoff_until_us = NOW + 1), DEMAND (.size = 1) },
    { IDLE (1, 50) },
    "" },
  { "backoff/holds-for-a-minimum",
    0,
    0,
    { DEMAND (.min = 1, .backoff_until_us = NOW + 1) },
    {},
    "" },

  /* one that fails too often is replaced, and serves until then */
  { "degraded/another-first",
    0,
    0,
    { DEMAND (.running = 1) },
    { BUSY (0, 1, .degraded = true) },
    "start 0" },
  { "degraded/waits-for-it",
    0,
    0,
    { DEMAND (.running = 1) },
    { BUSY (0, 1, .degraded = true), BOOTING (0, 1) },
    "" },
  { "degraded/then-drains",
    0,
    0,
    { DEMAND (.running = 1) },
    { BUSY (0, 1, .degraded = true), IDLE (0, 1) },
    "drain 0" },
  { "degraded/then-stops",
    0,
    0,
    { DEMAND (.size = 1) },
    { IDLE (0, 1, .degraded = true), IDLE (0, 1) },
    "stop 0" },
  { "degraded/no-hardware-for-both",
    1,
    0,
    { DEMAND (.min = 1) },
    { IDLE (0, 1, .degraded = true) },
    "stop 0" },
  { "degraded/nobody-needs-it",
    0,
    0,
    { DEMAND (.size = 1) },
    { IDLE (0, 300, .degraded = true) },
    "stop 0" },
};

static char *
plan_of (const Case *c)
{
  guint n_demands = 0, n_units = 0;
  while (n_demands < G_N_ELEMENTS (c->demands) && c->demands[n_demands].name != NULL)
    n_demands++;
  while (n_units < G_N_ELEMENTS (c->units) && c->units[n_units].since_us != 0)
    n_units++;
  VendSnapshot snapshot = {
    .now_us = NOW,
    .hardware_units = c->hardware > 0 ? c->hardware : 8,
    .boot_limit = c->boot_limit > 0 ? c->boot_limit : 8,
    .demands = c->demands,
    .n_demands = n_demands,
    .units = c->units,
    .n_units = n_units,
  };
  static const char *const kinds[] = { "start", "stop", "drain" };
  g_autoptr (GPtrArray) plan = vend_decide (&snapshot);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < plan->len; i++)
    {
      const VendAction *action = g_ptr_array_index (plan, i);
      g_assert_nonnull (strstr (action->reason, "lab/echo: "));
      g_string_append_printf (text, "%s%s %u", i > 0 ? ", " : "", kinds[action->kind],
                              action->index);
    }
  return g_string_free (text, FALSE);
}

static void
test_rule (const void *data)
{
  g_autofree char *plan = plan_of (data);
  g_assert_cmpstr (plan, ==, ((const Case *) data)->plan);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/decide/rules/", cases[i].rule, NULL);
      g_test_add_data_func (path, &cases[i], test_rule);
    }
  return g_test_run ();
}
