/* What there is to see of a scheduler of tests: on disk, in its description, and what directors
 * noted. Core thread. */
#include "core-private.h"
#include "base/clock.h"
#include "base/fd.h"
#include "fake-runner.h"
#include "runner/process-identity.h"
#include "store/predictions.h"
#include "store/usage.h"
#include <signal.h>
#include <string.h>

#define MAX_TOLD ((gsize) 1 << 20)
#define MAX_LOST 100

/* ---- What there is to see */

VendPrediction *
core_row (Core *core, const Caller *of)
{
  VendPrediction *row = NULL;
  g_auto (VendReader) reader = vend_reader (core->store);
  return vend_store_prediction_get (reader.db, of->id, &row, NULL) ? row : NULL;
}

bool
core_is_processing (Core *core, const Caller *of)
{
  g_autoptr (VendPrediction) row = core_row (core, of);
  return row != NULL && row->status == VEND_STATUS_PROCESSING && row->instance != NULL;
}

static char **
told_lines (const Core *core)
{
  if (core->is_fake)
    return g_strsplit (fake_runner_told (core->runner), "\n", -1);
  g_autofree char *path = g_build_filename (core->dir, "told", NULL);
  g_autofree char *text = NULL;
  if (!vend_file_read (path, MAX_TOLD, &text, NULL, NULL))
    return g_new0 (char *, 1);
  return g_strsplit (text, "\n", -1);
}

guint
core_count (Core *core, const char *what, const Caller *of, int attempt)
{
  g_auto (GStrv) lines = told_lines (core);
  g_autofree char *line = g_strdup_printf ("%s %s %d", what, of->id, attempt);
  guint n = 0;
  for (gsize i = 0; lines[i] != NULL; i++)
    n += strcmp (lines[i], line) == 0;
  return n;
}

static const char *
name_of (const Core *core, const char *id)
{
  for (guint i = 0; i < core->callers->len; i++)
    {
      const Caller *caller = g_ptr_array_index (core->callers, i);
      if (strcmp (caller->id, id) == 0)
        return caller->name;
    }
  return NULL;
}

void
core_assert_runs (Core *core, const char *expected)
{
  g_auto (GStrv) lines = told_lines (core);
  g_autoptr (GString) runs = g_string_new (NULL);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", 3);
      if (g_strcmp0 (words[0], "run") == 0)
        g_string_append_printf (runs, "%s%s%s", runs->len > 0 ? " " : "", name_of (core, words[1]),
                                words[2]);
    }
  g_assert_cmpstr (runs->str, ==, expected);
}

void
core_pause (Core *core, const Caller *of, bool pauses)
{
  g_autoptr (VendPrediction) row = core_row (core, of);
  if (core->is_fake)
    {
      fake_runner_pause (core->runner, row->instance, pauses);
      return;
    }
  g_autofree char *folder = core->runner->folder (core->runner, row->instance);
  g_autofree char *path = g_build_filename (folder, "director.pid", NULL);
  g_assert_true (vend_pid_file_signal (path, pauses ? SIGSTOP : SIGCONT));
}

static void
on_described (json_t *take, void *data)
{
  *(json_t **) data = take;
}

json_t *
core_describe (Core *core)
{
  json_t *described = NULL;
  vend_sched_describe (core->sched, true, on_described, &described);
  CORE_UNTIL (described != NULL);
  return described;
}

bool
core_has_queued (Core *core, int64_t n)
{
  json_auto_t *described = core_describe (core);
  return vend_json_int (described, "queued", -1) == n;
}

VendRunner *
core_fake (Core *core)
{
  g_assert_true (core->is_fake);
  return core->runner;
}

VendSched *
core_sched (Core *core)
{
  return core->sched;
}

gsize
core_count_instances (Core *core)
{
  json_auto_t *described = core_describe (core);
  return json_array_size (json_object_get (described, "instances"));
}

int64_t
core_count_failed_boots (Core *core)
{
  json_auto_t *described = core_describe (core);
  const json_t *target = json_array_get (json_object_get (described, "targets"), 0);
  return vend_json_int (target, "boot_failures", -1);
}

int64_t
core_starts (Core *core)
{
  json_auto_t *described = core_describe (core);
  return vend_json_int (described, "instance_starts", -1);
}

/* ---- Ends */

const CoreEnd core_succeeded = CORE_SUCCEEDED (1, 0);
const CoreEnd core_canceled = { VEND_STATUS_CANCELED, NULL, 1, 0, SCRIPT_RUN_US };

bool
core_has_ended (Core *core, const Caller *of)
{
  g_autoptr (VendPrediction) row = core_row (core, of);
  return row != NULL && row->completed_us > 0;
}

static int64_t
taken_us (Core *core, const VendPrediction *row)
{
  g_autoptr (VendUsage) usage = NULL;
  g_auto (VendReader) reader = vend_reader (core->store);
  g_assert_true (
      vend_store_usage_of (reader.db, row->account_id, row->completed_us, row->id, &usage, NULL));
  return usage != NULL ? usage->run_us : 0;
}

static guint
count_lost (Core *core, const Caller *of)
{
  g_autoptr (GPtrArray) attempts = NULL;
  g_auto (VendReader) reader = vend_reader (core->store);
  g_assert_true (vend_store_attempt_list (reader.db, of->id, MAX_LOST, &attempts, NULL));
  return attempts->len;
}

bool
core_all_are_told (const Core *core)
{
  for (guint i = 0; i < core->callers->len; i++)
    if (((const Caller *) g_ptr_array_index (core->callers, i))->n == 0)
      return false;
  return true;
}

void
core_assert_end (Core *core, const Caller *of, const CoreEnd *expected)
{
  CORE_UNTIL (core_has_ended (core, of));
  g_autoptr (VendPrediction) row = core_row (core, of);
  g_autofree char *output = g_strdup_printf ("of attempt %d", expected->attempt);
  g_assert_cmpstr (vend_status_name (row->status), ==, vend_status_name (expected->status));
  g_assert_cmpstr (row->error_code, ==, expected->error_code);
  g_assert_cmpint (row->attempt, ==, expected->attempt);
  if (expected->status == VEND_STATUS_SUCCEEDED)
    g_assert_cmpstr (json_string_value (row->output), ==, output);
  g_assert_cmpuint (count_lost (core, of), ==, expected->n_lost);
  g_assert_cmpint (taken_us (core, row), ==, expected->taken_us);
}

int64_t
core_usage_rows (Core *core)
{
  int64_t n = 0;
  g_auto (VendReader) reader = vend_reader (core->store);
  for (guint i = 0; i < G_N_ELEMENTS (core->accounts); i++)
    {
      g_autoptr (GPtrArray) sums = NULL;
      const VendUsageQuery query = {
        .account_id = core->accounts[i], .to_us = G_MAXINT64, .group = VEND_USAGE_TOTAL, .limit = 10
      };
      g_assert_true (vend_store_usage_sum (reader.db, &query, &sums, NULL));
      for (guint k = 0; k < sums->len; k++)
        n += ((const VendUsage *) g_ptr_array_index (sums, k))->predictions;
    }
  return n;
}
