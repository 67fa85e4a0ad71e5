/* What a scheduler of tests is asked for: runs, cancels, releases, budgets. Core thread. */
#include "core-private.h"
#include "base/clock.h"
#include "base/id.h"
#include "sched/run/waiters.h"
#include "store/deployments.h"
#include <string.h>

#define DEPLOYMENT "dep"

/* ---- Callers */

/* Of "start die; start succeed". */
static json_t *
read_script (const char *script)
{
  json_t *acts = json_array ();
  g_auto (GStrv) attempts = g_strsplit (script, "; ", -1);
  for (gsize i = 0; attempts[i] != NULL; i++)
    {
      json_t *attempt = json_array ();
      g_auto (GStrv) names = g_strsplit (attempts[i], " ", -1);
      for (gsize k = 0; names[k] != NULL; k++)
        json_array_append_new (attempt, json_string (names[k]));
      json_array_append_new (acts, attempt);
    }
  return acts;
}

static VendPrediction *
prediction_new (const Core *core, const CoreJob *job)
{
  VendPrediction *p = vend_prediction_new ();
  p->id = vend_id_new ();
  p->account_id = core->accounts[job->account];
  p->model_id = core->version.model_id;
  p->model = g_strdup ("ada/script");
  p->version = g_strdup (job->release == 2 ? CORE_NEXT_VERSION : CORE_VERSION);
  p->deployment = job->release > 0 ? g_strdup ("ada/" DEPLOYMENT) : NULL;
  p->billing.account_id = core->accounts[0];
  p->input = json_pack ("{s:o, s:I}", "acts", read_script (job->script), "run_us",
                        (json_int_t) (job->run_us > 0 ? job->run_us : SCRIPT_RUN_US));
  p->created_us = vend_now_us ();
  p->deadline_us = job->left_us > 0 ? p->created_us + job->left_us : 0;
  return p;
}

static Caller *
caller_new (Core *core, const char *id, const char *name, bool waits)
{
  Caller *caller = g_new0 (Caller, 1);
  *caller = (Caller){ core, g_strdup (name), g_strdup (id), waits, 0, VEND_STATUS_STARTING, NULL };
  g_ptr_array_add (core->callers, caller);
  return caller;
}

/* The rule of all replies, whoever is told: what it is told is on disk. */
static void
on_told (const VendPrediction *now, const GError *error, void *data)
{
  Caller *caller = data;
  g_assert_cmpuint (++caller->n, ==, 1);
  g_assert_true ((now == NULL) == (error != NULL));
  if (error != NULL)
    {
      caller->error = g_error_copy (error);
      return;
    }
  caller->status = now->status;
  g_assert_cmpstr (now->id, ==, caller->id);
  g_assert_true (!caller->waits || vend_status_is_terminal (now->status));
  g_autoptr (VendPrediction) row = core_row (caller->core, caller);
  g_assert_nonnull (row);
  if (vend_status_is_terminal (now->status))
    {
      g_assert_cmpint (row->status, ==, now->status);
      g_assert_cmpint (row->completed_us, ==, now->completed_us);
    }
}

Caller *
core_create (Core *core, const CoreJob *job)
{
  VendPrediction *p = prediction_new (core, job);
  Caller *caller = caller_new (core, p->id, job->name, job->waits);
  VendVersion version = core->version;
  version.id = p->version;
  const VendScaling scaling = VEND_SCALING_NONE;
  const VendSchedPlace place = { "cpu", job->release > 0 ? &scaling : NULL };
  vend_sched_submit (core->sched, p, &version, &place, job->waits ? VEND_WAIT_FOR_END : 0, on_told,
                     caller);
  return caller;
}

void
core_create_in_turn (Core *core, const char *const *names, guint account)
{
  for (gsize i = 0; names[i] != NULL; i++)
    core_create (core,
                 &(CoreJob){ .name = names[i], .script = "start succeed", .account = account });
}

Caller *
core_cancel (Core *core, const Caller *of)
{
  Caller *caller = caller_new (core, of->id, of->name, false);
  vend_sched_cancel (core->sched, of->id, on_told, caller);
  return caller;
}

Caller *
core_join (Core *core, const Caller *of)
{
  Caller *caller = caller_new (core, of->id, of->name, true);
  vend_sched_wait (core->sched, of->id, VEND_WAIT_FOR_END, on_told, caller);
  return caller;
}

/* ---- Deployments */

typedef struct
{
  const Core *core;
  int64_t number;
  VendDeployment *deployment;
} NewRelease;

static VendRelease *
release_new (const Core *core, int64_t number)
{
  VendRelease *release = g_new0 (VendRelease, 1);
  *release = (VendRelease){ .number = number,
                            .model_id = core->version.model_id,
                            .model = g_strdup ("ada/script"),
                            .version = g_strdup (number == 2 ? CORE_NEXT_VERSION : CORE_VERSION),
                            .hardware = g_strdup ("cpu"),
                            .max_instances = 2,
                            .scaling = VEND_SCALING_NONE,
                            .created_us = number };
  return release;
}

static bool
store_release (VendDb *db, void *data, GError **error)
{
  NewRelease *job = data;
  g_autoptr (VendDeployment) now = NULL;
  if (job->number == 1)
    {
      now = g_new0 (VendDeployment, 1);
      now->account_id = job->core->accounts[0];
      now->owner = g_strdup ("ada");
      now->name = g_strdup (DEPLOYMENT);
      now->created_us = 1;
    }
  else if (!vend_store_deployment_by_name (db, "ada", DEPLOYMENT, &now, error))
    return false;
  vend_release_free (now->current);
  now->current = release_new (job->core, job->number);
  const bool stored = job->number == 1 ? vend_store_deployment_insert (db, now, error)
                                       : vend_store_deployment_release (db, now, error);
  return stored && vend_store_deployment_by_name (db, "ada", DEPLOYMENT, &job->deployment, error);
}

static void
note_settled (void *data)
{
  *(bool *) data = true;
}

void
core_deploy (Core *core, int64_t number)
{
  NewRelease job = { core, number, NULL };
  g_autoptr (GError) error = NULL;
  bool is_settled = false;
  g_assert_true (vend_store_write_wait (core->store, store_release, &job, &error));
  VendVersion version = core->version;
  version.id = job.deployment->current->version;
  vend_sched_deploy (core->sched, job.deployment, &version, note_settled, &is_settled);
  CORE_UNTIL (is_settled);
}

int64_t
core_serving (Core *core)
{
  json_auto_t *described = core_describe (core);
  const json_t *deployment = json_array_get (json_object_get (described, "deployments"), 0);
  return vend_json_int (deployment, "serving", -1);
}

/* ---- Budgets */

static void
note_budget (const VendBudget *budget, VendAmount spent, const GError *error, void *data)
{
  g_assert_no_error (error);
  note_settled (data);
}

void
core_set_budget (Core *core, const char *hard)
{
  json_auto_t *body = json_pack ("{s:s}", "hard", hard);
  VendBudget budget = { 0 };
  bool is_settled = false;
  g_assert_true (vend_budget_read (body, &budget, NULL));
  budget.account_id = core->accounts[0];
  budget.changed_us = vend_now_us ();
  vend_sched_set_budget (core->sched, &budget, note_budget, &is_settled);
  CORE_UNTIL (is_settled);
}
