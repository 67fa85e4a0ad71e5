/* The picture of `vend top`: from the state that the server tells to lines. */
#include "cli/commands/top-view.h"
#include <string.h>

static json_t *
instances (int starting, int booting, int ready)
{
  return json_pack ("{s:i, s:i, s:i, s:i}", "starting", starting, "booting", booting, "ready",
                    ready, "stopping", 0);
}

static json_t *
queue (const char *model, int waiting, int running, json_t *counts)
{
  return json_pack ("{s:s, s:n, s:s, s:s, s:i, s:i, s:i, s:f, s:i, s:i, s:i, s:o, s:f, s:n, s:i}",
                    "model", model, "deployment", "version", "v", "hardware", "cpu", "waiting",
                    waiting, "accounts_waiting", 1, "running", running, "oldest_wait_seconds", 75.0,
                    "slots", 2, "min_instances", 0, "max_instances", 4, "instances", counts,
                    "boot_seconds", 4.25, "run_seconds", "boot_failures", 0);
}

static json_t *
instance (const char *id, const char *model, double cpu_seconds)
{
  return json_pack ("{s:s, s:s, s:n, s:s, s:b, s:s, s:[i, i], s:i, s:i, s:f, s:f, s:I}", "id", id,
                    "model", model, "deployment", "state", "ready", "draining", 0, "hardware",
                    "gpu", "gpus", 0, 3, "running", 1, "slots", 1, "age_seconds", 100.0,
                    "cpu_seconds", cpu_seconds, "memory", (json_int_t) 3 << 30);
}

/* Takes the lists. */
static json_t *
state (const char *now, json_t *queues, json_t *all)
{
  json_t *totals = json_pack ("{s:i, s:i, s:o, s:i, s:i}", "waiting", 7, "running", 2, "instances",
                              instances (0, 1, 2), "ended", 1234, "runs_lost", 0);
  json_t *machine
      = json_pack ("{s:i, s:I, s:I, s:[f, f, f]}", "cores", 8, "memory", (json_int_t) 16 << 30,
                   "memory_available", (json_int_t) 12 << 30, "load", 0.5, 0.25, 0.125);
  json_t *kinds = json_pack ("[{s:s, s:s, s:i, s:i, s:i}]", "sku", "cpu", "name", "CPU", "gpus", 0,
                             "units", 4, "used", 1);
  json_t *gpus = json_pack ("[{s:i, s:s, s:I, s:s, s:s}]", "index", 0, "name", "Some GPU", "memory",
                            (json_int_t) 80 << 30, "fault", "Xid 79", "instance", "abcdefghijkl");
  return json_pack ("{s:s, s:{s:s, s:i}, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:i}", "now", now,
                    "server", "version", "1.2.3", "uptime_seconds", 7300, "totals", totals,
                    "machine", machine, "hardware", kinds, "gpus", gpus, "queues", queues,
                    "queues_left_out", 0, "instances", all, "instances_left_out", 0);
}

static bool
has_line (char **lines, const char *text)
{
  for (guint i = 0; lines[i] != NULL; i++)
    if (strcmp (lines[i], text) == 0)
      return true;
  for (guint i = 0; lines[i] != NULL; i++)
    g_test_message ("%s", lines[i]);
  return false;
}

static void
test_everything (void)
{
  json_auto_t *before = state ("2026-01-01T00:00:00Z", json_array (),
                               json_pack ("[o]", instance ("abcdefghijkl", "lab/echo", 10)));
  json_auto_t *now = state ("2026-01-01T00:00:02Z",
                            json_pack ("[o, o, o]", queue ("lab/echo", 7, 2, instances (0, 1, 2)),
                                       queue ("lab/failing", 0, 0, instances (0, 0, 1)),
                                       queue ("lab/quiet", 0, 0, instances (0, 0, 0))),
                            json_pack ("[o, o]", instance ("abcdefghijkl", "lab/echo", 13),
                                       instance ("mnopqrstuvwx", "lab/new", 50)));
  g_autofree gboolean *bold = NULL;
  g_auto (GStrv) lines = vend_top_view (now, before, "http://h", (VendTopSize){ 0, 0 }, &bold);
  g_assert_true (has_line (lines, "vend 1.2.3 at http://h, up 2 h, 2026-01-01 00:00:02"));
  g_assert_true (has_line (lines, "predictions: 7 waiting, 2 running, 1234 ended; "
                                  "instances: 2 ready, 1 booting; lost runs: 0"));
  g_assert_true (has_line (lines, "machine: load 0.50 0.25 0.12 of 8 cores, "
                                  "memory 4.0 GiB of 16.0 GiB"));
  g_assert_true (has_line (lines, "cpu        1/4     0  CPU"));
  g_assert_true (has_line (lines, "0    80.0 GiB  abcdefgh  Some GPU  Xid 79"));
  g_assert_true (has_line (
      lines, "lab/echo           7    75 s      2/2      0-4  4.2 s    -  2 ready, 1 booting"));
  /* 3 s of the processor in 2 s, and 50 s in the 100 s of its life. */
  g_assert_true (
      has_line (lines, "abcdefgh  lab/echo  ready  gpu       0,3   1/1  100 s  150 %  3.0 GiB"));
  g_assert_true (
      has_line (lines, "mnopqrst  lab/new   ready  gpu       0,3   1/1  100 s   50 %  3.0 GiB"));
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_assert_null (strstr (lines[i], "lab/quiet"));
      g_assert_cmpint (bold[i], ==, i == 0 || g_ascii_isupper (lines[i][0]));
    }
}

/* Whatever the size is, the picture fits; names keep their beginnings and ends. */
static void
test_sizes (void)
{
  json_t *queues = json_array (), *all = json_array ();
  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *name
          = g_strdup_printf ("some-organization/a-model-with-quite-a-long-name-%u", i);
      json_array_append_new (queues, queue (name, 1, 1, instances (0, 0, 1)));
      json_array_append_new (all, instance ("abcdefghijkl", name, 1));
    }
  json_auto_t *now = state ("2026-01-01T00:00:00Z", queues, all);
  json_object_set_new (now, "instances_left_out", json_integer (960));
  for (guint width = 1; width < 140; width += 11)
    for (guint height = 1; height < 100; height += 9)
      {
        g_auto (GStrv) lines
            = vend_top_view (now, NULL, "http://h", (VendTopSize){ width, height }, NULL);
        g_assert_cmpuint (g_strv_length (lines), <=, height);
        for (guint i = 0; lines[i] != NULL; i++)
          {
            g_assert_true (g_utf8_validate (lines[i], -1, NULL));
            g_assert_cmpint (g_utf8_strlen (lines[i], -1), <=, width);
          }
      }
  g_auto (GStrv) lines = vend_top_view (now, NULL, "http://h", (VendTopSize){ 80, 40 }, NULL);
  guint n_cut = 0, n_more = 0;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      n_cut += g_str_has_prefix (lines[i], "some-") && strstr (lines[i], "…") != NULL;
      n_more += g_str_has_prefix (lines[i], "… and ");
    }
  g_assert_cmpuint (n_cut, >, 5);
  g_assert_cmpuint (n_more, ==, 2);
  g_assert_cmpuint (g_strv_length (lines), ==, 40);
}

/* Another server's state, or a broken one, is no reason to fall over. */
static void
test_odd_states (void)
{
  static const char *const texts[] = {
    "{}",
    "{\"queues\": 1, \"instances\": {}, \"gpus\": null, \"machine\": []}",
    "{\"queues\": [1, null, {}], \"instances\": [[], {}], \"hardware\": [\"x\"], \"gpus\": [7]}",
    "{\"queues\": [{\"model\": \"a\\u001b[2J\", \"waiting\": 1}], \"queues_left_out\": -5}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      json_auto_t *now = json_loads (texts[i], 0, NULL);
      g_auto (GStrv) lines = vend_top_view (now, now, "http://h", (VendTopSize){ 60, 20 }, NULL);
      for (guint line = 0; lines[line] != NULL; line++)
        g_assert_null (strchr (lines[line], '\033'));
    }
}

int
main (int argc, char **argv)
{
  /* Times are shown in the local zone. */
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/top-view/everything", test_everything);
  g_test_add_func ("/top-view/sizes", test_sizes);
  g_test_add_func ("/top-view/odd-states", test_odd_states);
  return g_test_run ();
}
