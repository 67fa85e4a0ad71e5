/* Requests of callers about a run in flight: peek, wait, cancel. */
#include "base/error.h"
#include "sched/run/insert.h"
#include "sched/run/run.h"
#include "store/predictions.h"

typedef struct
{
  VendSched *sched;
  char *id;
  int64_t wait_until_us; /* of a wait */
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

/* Notifies of the live state, or of NOT_FOUND. */
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

bool
vend_sched_is_open (VendSched *sched, const char *id)
{
  return vend_open_ids_has (sched->open_ids, id);
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
