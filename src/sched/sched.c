/* The scheduler's door: commands from any thread become calls on the core thread. */
#include "sched/sched.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/error.h"
#include "base/fd-source.h"
#include "base/log.h"
#include "sched/core-private.h"
#include "sched/fast-start.h"
#include "store/predictions.h"
#include <string.h>

#define DISK_THREADS 4
/* A run that is waited for and shorter than this is stored once, with its result. */
#define INSERT_DELAY_US (20 * VEND_US_PER_MS)

/* ---- Work that blocks */

typedef struct
{
  VendSched *sched;
  DiskWork work;
  DiskWork done;
  void *data;
} DiskJob;

static void
finish_disk_job (void *data)
{
  g_autofree DiskJob *job = data;
  job->sched->n_disk_jobs--;
  job->done (job->data);
}

static void
run_disk_job (void *data, void *unused)
{
  DiskJob *job = data;
  job->work (job->data);
  vend_inbox_post (job->sched->inbox, finish_disk_job, job);
}

void
vend_sched_on_disk (VendSched *sched, DiskWork work, DiskWork done, void *data)
{
  DiskJob *job = g_new0 (DiskJob, 1);
  *job = (DiskJob){ sched, work, done, data };
  sched->n_disk_jobs++;
  if (sched->disk_pool != NULL)
    g_thread_pool_push (sched->disk_pool, job, NULL);
  else
    run_disk_job (job, NULL);
}

/* ---- Submit */

struct Submission
{
  VendSched *sched;
  VendPrediction *prediction;
  VendVersion *version;
  char *hardware;
  VendScaling scaling; /* of its deployment's release */
  int64_t wait_until_us;
  VendSchedNotify notify;
  void *data;
  Run *run;
};

void
vend_submission_free (Submission *submission)
{
  vend_prediction_free (submission->prediction);
  vend_version_free (submission->version);
  g_free (submission->hardware);
  g_free (submission);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Submission, vend_submission_free)

static bool
insert (VendDb *db, void *data, GError **error)
{
  const Run *run = ((Submission *) data)->run;
  return vend_store_prediction_create (db, run->p, run->sched->limits.account_max_stored, error);
}

static void
inserted (const GError *error, void *data)
{
  g_autoptr (Submission) submission = data;
  Run *run = submission->run;
  run->insert_pending = false;
  if (error == NULL)
    {
      if (run->p->create_key != NULL && run->completion == NULL)
        vend_run_enqueue (run, false);
      vend_waiters_add (run->waiters, submission->wait_until_us, submission->notify,
                        submission->data);
      vend_inputs_queued (run);
      return;
    }

  /* Nobody was promised anything. If it runs already, its result finds no row and is dropped. */
  submission->notify (NULL, error, submission->data);
  /* Its version was deleted, and the word of that may have come before this. */
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_INVALID) && run->p->deployment == NULL)
    run->target->retired = true;
  if (run->completion != NULL)
    return;
  if (run->instance != NULL)
    {
      vend_instance_cancel (run->instance, run);
      vend_instance_detach (run->instance, run);
    }
  g_hash_table_remove (submission->sched->runs, run->p->id);
}

void
vend_run_store_insert (Run *run)
{
  vend_timer_clear (&run->insert_due);
  if (run->unstored != NULL)
    vend_store_write (run->sched->store, insert, inserted, g_steal_pointer (&run->unstored));
}

static void
insert_is_due (void *data)
{
  Run *run = data;
  run->insert_due = NULL;
  vend_run_store_insert (run);
  vend_run_lease_now (run);
}

static void
submit_on_core (void *data)
{
  g_autoptr (Submission) submission = data;
  VendSched *sched = submission->sched;
  if (sched->draining || sched->n_queued >= sched->limits.max_queue)
    {
      g_autoptr (GError) error = NULL;
      if (sched->draining)
        vend_fail (&error, VEND_ERROR_UNAVAILABLE, "the server is shutting down");
      else
        {
          g_autofree char *waiting
              = vend_count_text (sched->n_queued, "prediction waits", "predictions wait");
          vend_fail (&error, VEND_ERROR_RATE_LIMITED, "the queue is full (%s)", waiting);
        }
      submission->notify (NULL, error, submission->data);
      return;
    }

  g_autoptr (GError) refused = NULL;
  const int64_t account_id = submission->prediction->account_id;
  if (!vend_account_may_queue (sched, account_id, &refused)
      || !vend_budgets_allow (sched->budgets, account_id, submission->prediction->created_us,
                              &refused))
    {
      submission->notify (NULL, refused, submission->data);
      return;
    }

  const VendSchedPlace place = { submission->hardware, &submission->scaling };
  Target *target = vend_target_get (sched, submission->prediction, submission->version, &place);
  Run *run = vend_run_new (sched, g_steal_pointer (&submission->prediction), target);
  submission->run = run;
  run->insert_pending = true;
  sched->n_submitted++;
  const bool is_waited_for = submission->wait_until_us > 0;
  run->unstored = g_steal_pointer (&submission);
  vend_run_arm_deadline (run);
  if (run->p->create_key != NULL)
    {
      /* Whoever sends it again must find it, and it must not have begun twice. */
      vend_run_store_insert (run);
      return;
    }
  vend_run_enqueue (run, false);
  /* Nobody knows of it before the reply, so one commit with its end may do for both. */
  if (is_waited_for && run->unstored != NULL)
    run->insert_due
        = vend_timer_set (sched->timers, vend_steady_us () + INSERT_DELAY_US, insert_is_due, run);
  else
    vend_run_store_insert (run);
}

VendVersion *
vend_version_for_launch (const VendVersion *version)
{
  VendVersion *copy = g_new0 (VendVersion, 1);
  copy->id = g_strdup (version->id);
  copy->model_id = version->model_id;
  copy->launch = json_incref (version->launch);
  return copy;
}

void
vend_sched_submit (VendSched *sched, VendPrediction *prediction, const VendVersion *version,
                   const VendSchedPlace *place, int64_t wait_until_us, VendSchedNotify notify,
                   void *data)
{
  Submission *submission = g_new0 (Submission, 1);
  *submission = (Submission){ .sched = sched,
                              .prediction = prediction,
                              .version = vend_version_for_launch (version),
                              .hardware = g_strdup (place->hardware),
                              .wait_until_us = wait_until_us,
                              .notify = notify,
                              .data = data };
  submission->scaling = place->scaling != NULL ? *place->scaling : (VendScaling) VEND_SCALING_NONE;
  vend_inbox_post (sched->inbox, submit_on_core, submission);
}

/* ---- Cancel, peek */

typedef struct
{
  VendSched *sched;
  char *id;
  int64_t wait_until_us; /* of a join */
  VendSchedNotify notify;
  void *data;
} Question;

static Question *
question_new (VendSched *sched, const char *id, VendSchedNotify notify, void *data)
{
  Question *question = g_new0 (Question, 1);
  *question = (Question){ .sched = sched, .id = g_strdup (id), .notify = notify, .data = data };
  return question;
}

static void
question_free (Question *question)
{
  g_free (question->id);
  g_free (question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Question, question_free)

/* Tells the live state, or NOT_FOUND. */
static void
answer (Question *question, const GError *problem)
{
  Run *run = g_hash_table_lookup (question->sched->runs, question->id);
  g_autoptr (GError) error = problem != NULL ? g_error_copy (problem) : NULL;
  if (run == NULL && error == NULL)
    vend_fail (&error, VEND_ERROR_NOT_FOUND, "prediction %s is not running", question->id);
  if (error == NULL)
    vend_waiters_add (run->waiters, 0, question->notify, question->data);
  else
    question->notify (NULL, error, question->data);
}

static void
peek_on_core (void *data)
{
  g_autoptr (Question) question = data;
  answer (question, NULL);
}

void
vend_sched_peek (VendSched *sched, const char *id, VendSchedNotify notify, void *data)
{
  vend_inbox_post (sched->inbox, peek_on_core, question_new (sched, id, notify, data));
}

static void
wait_on_core (void *data)
{
  g_autoptr (Question) question = data;
  Run *run = g_hash_table_lookup (question->sched->runs, question->id);
  if (run == NULL)
    answer (question, NULL);
  else
    vend_waiters_add (run->waiters, question->wait_until_us, question->notify, question->data);
}

void
vend_sched_wait (VendSched *sched, const char *id, int64_t wait_until_us, VendSchedNotify notify,
                 void *data)
{
  Question *question = question_new (sched, id, notify, data);
  question->wait_until_us = wait_until_us;
  vend_inbox_post (sched->inbox, wait_on_core, question);
}

static bool
store_cancel (VendDb *db, void *data, GError **error)
{
  Question *question = data;
  return vend_store_prediction_cancel_request (db, question->id, error);
}

static void
cancel_stored (const GError *error, void *data)
{
  g_autoptr (Question) question = data;
  Run *run = g_hash_table_lookup (question->sched->runs, question->id);
  if (error == NULL && run != NULL && run->completion == NULL)
    vend_run_cancel (run);
  answer (question, error);
}

static void
cancel_on_core (void *data)
{
  g_autoptr (Question) question = data;
  Run *run = g_hash_table_lookup (question->sched->runs, question->id);
  VendStore *store = question->sched->store;
  if (run == NULL)
    {
      answer (question, NULL);
      return;
    }
  vend_run_store_insert (run);
  vend_store_write (store, store_cancel, cancel_stored, g_steal_pointer (&question));
}

void
vend_sched_cancel (VendSched *sched, const char *id, VendSchedNotify notify, void *data)
{
  vend_inbox_post (sched->inbox, cancel_on_core, question_new (sched, id, notify, data));
}

/* ---- Retire */

typedef struct
{
  VendSched *sched;
  int64_t model_id;
  char *version;
} Retirement;

static void
retire_on_core (void *data)
{
  g_autofree Retirement *retirement = data;
  g_autofree char *version = retirement->version;
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, retirement->sched->targets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Target *target = value;
      if (target->deployment == NULL && target->model_id == retirement->model_id
          && strcmp (target->version, version) == 0)
        target->retired = true;
    }
  vend_sched_sweep_soon (retirement->sched);
}

void
vend_sched_retire (VendSched *sched, int64_t model_id, const char *version)
{
  Retirement *retirement = g_new0 (Retirement, 1);
  *retirement = (Retirement){ sched, model_id, g_strdup (version) };
  vend_inbox_post (sched->inbox, retire_on_core, retirement);
}

/* ---- Life */

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
  vend_ledger_tick (sched->ledger);
  vend_fast_start_tick (sched->fast_start);
  vend_sched_sweep_soon (sched);
  return G_SOURCE_CONTINUE;
}

VendSched *
vend_sched_new (const VendSchedOptions *options)
{
  VendSched *sched = g_new0 (VendSched, 1);
  sched->core = g_main_context_ref (options->core);
  sched->store = options->store;
  sched->blobs = options->blobs;
  sched->data_dir = g_strdup (options->data_dir);
  sched->accounts = vend_sched_accounts_new ();
  sched->models = vend_sched_models_new ();
  sched->instances_dir = g_build_filename (options->data_dir, "instances", NULL);
  sched->vend_binary = g_strdup (options->vend_binary);
  sched->input_allow = g_strdup (options->input_allow);
  sched->working_copy = g_strdup (options->working_copy);
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
  sched->inbox = vend_inbox_new (sched->core);
  sched->timers = vend_timers_new (sched->core);
  sched->runs
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) vend_run_free);
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

bool
vend_sched_start_disk (VendSched *sched, GError **error)
{
  g_autoptr (GError) problem = NULL;
  sched->disk_pool = g_thread_pool_new (run_disk_job, NULL, DISK_THREADS, TRUE, &problem);
  if (problem == NULL)
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

void
vend_sched_drain (VendSched *sched)
{
  sched->draining = true;
  vend_sched_drain_broadcasts (sched);
  vend_sched_sweep_soon (sched);
}

/* Queued predictions wait on disk for the next start; only what runs is waited for. */
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
  vend_gsource_clear (&sched->sweep);
  /* What is on its way, and what follows from it, ends before that goes which it is about. */
  if (sched->disk_pool != NULL)
    g_thread_pool_free (g_steal_pointer (&sched->disk_pool), FALSE, TRUE);
  do
    vend_store_settle (sched->store);
  while (vend_inbox_drain (sched->inbox));
  vend_inbox_free (sched->inbox);
  vend_fast_start_free (sched->fast_start);
  g_hash_table_unref (sched->runs);
  g_hash_table_unref (sched->instances);
  g_hash_table_unref (sched->targets);
  g_hash_table_unref (sched->accounts);
  g_hash_table_unref (sched->models);
  g_hash_table_unref (sched->deployments);
  vend_gsource_clear (&sched->sweep);
  vend_timers_free (sched->timers);
  vend_ledger_close (sched->ledger);
  vend_ledger_unref (sched->ledger);
  g_ptr_array_unref (sched->gpus);
  g_free (sched->data_dir);
  g_free (sched->instances_dir);
  g_free (sched->vend_binary);
  g_free (sched->input_allow);
  g_free (sched->working_copy);
  g_main_context_unref (sched->core);
  g_free (sched);
}
