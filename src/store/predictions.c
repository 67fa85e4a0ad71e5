/* Store functions of predictions, attempts and usage. */
#include "store/predictions.h"
#include "base/error.h"
#include "store/idempotency-keys.h"
#include "store/files.h"
#include "store/models.h"
#include "store/stored-bytes.h"

static VendPrediction *
read_without_input (VendStmt *stmt)
{
  VendPrediction *p = g_new0 (VendPrediction, 1);
  p->id = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_ID);
  p->kind = (VendKind) vend_stmt_get_int (stmt, VEND_COL_PREDICTION_KIND);
  p->account_id = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_ACCOUNT_ID);
  p->model_id = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_MODEL_ID);
  p->model = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_MODEL);
  p->version = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_VERSION);
  p->deployment = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_DEPLOYMENT);
  p->status = (VendStatus) vend_stmt_get_int (stmt, VEND_COL_PREDICTION_STATUS);
  p->from_web = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_FROM_WEB) != 0;
  p->secrets = vend_stmt_get_json (stmt, VEND_COL_PREDICTION_SECRETS);
  p->output = vend_stmt_get_json (stmt, VEND_COL_PREDICTION_OUTPUT);
  p->logs = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_LOGS);
  p->error = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_ERROR);
  p->error_code = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_ERROR_CODE);
  p->metrics = vend_stmt_get_json (stmt, VEND_COL_PREDICTION_METRICS);
  p->created_us = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_CREATED_US);
  p->started_us = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_STARTED_US);
  p->completed_us = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_COMPLETED_US);
  p->deadline_us = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_DEADLINE_US);
  p->cancel_requested = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_CANCEL_REQUESTED) != 0;
  p->attempt = (int) vend_stmt_get_int (stmt, VEND_COL_PREDICTION_ATTEMPT);
  p->instance = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_INSTANCE);
  p->webhook = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_WEBHOOK);
  p->webhook_events = vend_stmt_get_json (stmt, VEND_COL_PREDICTION_WEBHOOK_EVENTS);
  p->removed_us = vend_stmt_get_int (stmt, VEND_COL_PREDICTION_DATA_REMOVED);
  p->data_removed = p->removed_us != 0;
  p->origin = vend_stmt_dup_text (stmt, VEND_COL_PREDICTION_ORIGIN);
  p->stream = (guint) vend_stmt_get_int (stmt, VEND_COL_PREDICTION_STREAM);
  p->queue_place = (guint) vend_stmt_get_int (stmt, VEND_COL_PREDICTION_QUEUE_PLACE);
  return p;
}

static void *
read_prediction (VendStmt *stmt)
{
  VendPrediction *p = read_without_input (stmt);
  p->input = vend_stmt_get_json (stmt, VEND_COL_PREDICTION_INPUT);
  p->files = vend_stmt_get_json (stmt, VEND_COL_PREDICTION_FILES);
  return p;
}

static void *
read_open (VendStmt *stmt)
{
  return read_without_input (stmt);
}

static bool
insert_training (VendDb *db, const VendPrediction *p, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_TRAINING_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, p->id);
  vend_stmt_int (stmt, 2, p->destination);
  return vend_stmt_run (stmt, NULL, error);
}

static bool
insert_inputs (VendDb *db, const VendPrediction *p, GError **error)
{
  size_t i;
  json_t *file;
  json_array_foreach (p->files, i, file)
    {
      const char *sha256 = vend_json_string (file, "sha256");
      VendStmt *stmt = NULL;
      if (sha256 == NULL)
        continue;
      stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_INPUT_INSERT, error);
      if (stmt == NULL)
        return false;
      vend_stmt_text (stmt, 1, p->id);
      vend_stmt_text (stmt, 2, sha256);
      if (!vend_stmt_run (stmt, NULL, error))
        return false;
    }
  return true;
}

static bool
insert_kept (VendDb *db, const VendPrediction *p, GError **error)
{
  for (guint i = 0; p->kept != NULL && i < p->kept->len; i++)
    if (!vend_store_output_insert (db, g_ptr_array_index (p->kept, i), error))
      return false;
  return true;
}

static bool
delete_inputs (VendDb *db, const VendPrediction *p, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_INPUT_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, p->id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_prediction_insert (VendDb *db, const VendPrediction *p, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_NEW_PREDICTION_ID, p->id);
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_KIND, p->kind);
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_ACCOUNT_ID, p->account_id);
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_MODEL_ID, p->model_id);
  vend_stmt_text (stmt, VEND_ARG_NEW_PREDICTION_MODEL, p->model);
  vend_stmt_text (stmt, VEND_ARG_NEW_PREDICTION_VERSION, p->version);
  vend_stmt_text (stmt, VEND_ARG_NEW_PREDICTION_DEPLOYMENT, p->deployment);
  /* The run may be further already; its own writes record that. */
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_STATUS, VEND_STATUS_STARTING);
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_FROM_WEB, p->from_web);
  vend_stmt_json (stmt, VEND_ARG_NEW_PREDICTION_INPUT, p->input);
  vend_stmt_json (stmt, VEND_ARG_NEW_PREDICTION_FILES, p->files);
  vend_stmt_json (stmt, VEND_ARG_NEW_PREDICTION_SECRETS, p->secrets);
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_CREATED_US, p->created_us);
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_DEADLINE_US, p->deadline_us);
  vend_stmt_text (stmt, VEND_ARG_NEW_PREDICTION_WEBHOOK, p->webhook);
  vend_stmt_json (stmt, VEND_ARG_NEW_PREDICTION_WEBHOOK_EVENTS, p->webhook_events);
  vend_stmt_text (stmt, VEND_ARG_NEW_PREDICTION_ORIGIN, p->origin);
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_STREAM, p->stream);
  vend_stmt_int (stmt, VEND_ARG_NEW_PREDICTION_QUEUE_PLACE, p->queue_place);
  return vend_stmt_run (stmt, NULL, error) && insert_inputs (db, p, error)
         && insert_kept (db, p, error)
         && (p->kind != VEND_KIND_TRAINING || insert_training (db, p, error));
}

/* Once a transaction and version: the creates of a group wait for one answer instead of one each. A
 * deletion of the version looks for open predictions in the same way. */
static bool
has_version (VendDb *db, const VendPrediction *p, GError **error)
{
  bool is_there = false;
  g_autofree char *word
      = g_strdup_printf ("version %" G_GINT64_FORMAT " %s", p->model_id, p->version);
  if (vend_db_was_found (db, word))
    return true;
  if (!vend_store_version_has (db, p->model_id, p->version, &is_there, error))
    return false;
  if (is_there)
    vend_db_note_found (db, word);
  return is_there
         || vend_fail (error, VEND_ERROR_INVALID, "the version %s of %s was deleted", p->version,
                       p->model);
}

static int64_t
size_of_kept (const VendPrediction *p)
{
  int64_t size = 0;
  for (guint i = 0; p->kept != NULL && i < p->kept->len; i++)
    size += ((const VendOutput *) g_ptr_array_index (p->kept, i))->size;
  return size;
}

bool
vend_store_prediction_create (VendDb *db, const VendPrediction *p, uint64_t max_stored,
                              GError **error)
{
  return (p->idempotency_key == NULL
          || vend_store_idempotency_take (db, p->account_id, p->idempotency_key, p->id,
                                          p->created_us, error))
         && has_version (db, p, error)
         && vend_store_stored_allow (db, p->account_id, size_of_kept (p), max_stored, error)
         && vend_store_prediction_insert (db, p, error);
}

bool
vend_store_prediction_get (VendDb *db, const char *id, VendPrediction **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_GET, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  if (!vend_stmt_one (stmt, "prediction", error))
    return false;
  *out = read_prediction (stmt);
  return true;
}

bool
vend_store_prediction_input (VendDb *db, VendPrediction *p, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_INPUT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, p->id);
  if (!vend_stmt_one (stmt, "prediction", error))
    return false;
  json_decref (p->input);
  json_decref (p->files);
  p->input = vend_stmt_get_json (stmt, 0);
  p->files = vend_stmt_get_json (stmt, 1);
  p->input_memory = vend_json_memory (p->input) + vend_json_memory (p->files);
  return true;
}

bool
vend_store_prediction_open (VendDb *db, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_OPEN, error);
  return stmt != NULL
         && vend_stmt_collect (stmt, read_open, (GDestroyNotify) vend_prediction_free, out, error);
}

bool
vend_store_prediction_open_of (VendDb *db, int64_t model_id, const char *version, bool *out,
                               GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_OPEN_OF, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, version);
  return vend_stmt_step (stmt, out, error);
}

/* The statement whose index leaves the fewest rows to look at, by what is usual: all statements
 * give the same list. */
static VendSql
page_statement (const VendPredictionPage *page)
{
  if (page->status == VEND_STATUS_STARTING || page->status == VEND_STATUS_PROCESSING)
    return VEND_SQL_PREDICTION_PAGE_OPEN;
  if (page->status != VEND_ANY_STATUS && page->status != VEND_STATUS_SUCCEEDED)
    return VEND_SQL_PREDICTION_PAGE_UNSUCCESSFUL;
  if (page->deployment != NULL)
    return VEND_SQL_PREDICTION_PAGE_DEPLOYMENT;
  if (page->model != NULL)
    return VEND_SQL_PREDICTION_PAGE_MODEL;
  return page->web_only ? VEND_SQL_PREDICTION_PAGE_WEB : VEND_SQL_PREDICTION_PAGE;
}

bool
vend_store_prediction_page (VendDb *db, const VendPredictionPage *page, VendPage *rows,
                            GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, page_statement (page), error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, page->account_id);
  vend_stmt_int (stmt, 2, page->kind);
  vend_stmt_int (stmt, 3, page->before_us);
  vend_stmt_text (stmt, 4, page->before_id != NULL ? page->before_id : "");
  vend_stmt_int (stmt, 5, page->created_after_us);
  vend_stmt_int (stmt, 6, (int64_t) rows->limit + 1);
  vend_stmt_text (stmt, 7, page->model);
  vend_stmt_text (stmt, 8, page->version);
  vend_stmt_text (stmt, 9, page->deployment);
  vend_stmt_int (stmt, 10, page->status);
  vend_stmt_int (stmt, 11, page->web_only);
  return vend_stmt_page (stmt, read_prediction, (GDestroyNotify) vend_prediction_free, rows, out,
                         error);
}

bool
vend_store_prediction_lease (VendDb *db, const VendPrediction *p, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_LEASE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, p->id);
  vend_stmt_int (stmt, 2, p->status);
  vend_stmt_int (stmt, 3, p->attempt);
  vend_stmt_text (stmt, 4, p->instance);
  vend_stmt_int (stmt, 5, p->started_us);
  vend_stmt_json (stmt, 6, p->output);
  vend_stmt_int (stmt, 7, p->queue_place);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_prediction_cancel_request (VendDb *db, const char *id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_CANCEL_REQUEST, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  return vend_stmt_run (stmt, NULL, error);
}

/* The input of the row after the end; NULL: the stored input. */
static bool
input_after_end (VendDb *db, const VendPrediction *p, json_t **out, GError **error)
{
  g_autoptr (VendPrediction) stored = NULL;
  g_autoptr (GError) problem = NULL;
  if (p->input != NULL || p->secrets == NULL)
    {
      *out = vend_prediction_shown_input (p);
      return true;
    }
  stored = vend_prediction_copy (p);
  if (vend_store_prediction_input (db, stored, &problem))
    *out = vend_prediction_shown_input (stored);
  else if (problem->code != VEND_ERROR_NOT_FOUND)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  return true;
}

bool
vend_store_prediction_complete (VendDb *db, const VendPrediction *p, bool *out_won, GError **error)
{
  json_auto_t *shown_input = NULL;
  if (!input_after_end (db, p, &shown_input, error))
    return false;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_COMPLETE, error);
  if (stmt == NULL)
    return false;
  int64_t changes = 0;
  vend_stmt_text (stmt, 1, p->id);
  vend_stmt_int (stmt, 2, p->attempt);
  vend_stmt_int (stmt, 3, p->status);
  vend_stmt_json (stmt, 4, shown_input);
  vend_stmt_json (stmt, 5, p->output);
  vend_stmt_text (stmt, 6, p->logs);
  vend_stmt_text (stmt, 7, p->error);
  vend_stmt_text (stmt, 8, p->error_code);
  vend_stmt_json (stmt, 9, p->metrics);
  vend_stmt_int (stmt, 10, p->started_us);
  vend_stmt_int (stmt, 11, p->completed_us);
  vend_stmt_text (stmt, 12, p->instance);
  if (!vend_stmt_run (stmt, &changes, error)
      || (changes > 0 && (p->files != NULL || p->input == NULL) && !delete_inputs (db, p, error)))
    return false;
  *out_won = changes > 0;
  return true;
}

bool
vend_store_attempt_insert (VendDb *db, const VendPrediction *p, int64_t ended_us,
                           const char *outcome, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ATTEMPT_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, p->id);
  vend_stmt_int (stmt, 2, p->attempt);
  vend_stmt_text (stmt, 3, p->instance != NULL ? p->instance : "");
  vend_stmt_int (stmt, 4, p->started_us);
  vend_stmt_int (stmt, 5, ended_us);
  vend_stmt_text (stmt, 6, outcome);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_attempt (VendStmt *stmt)
{
  VendAttempt *attempt = g_new0 (VendAttempt, 1);
  attempt->number = (int) vend_stmt_get_int (stmt, 0);
  attempt->instance = vend_stmt_dup_text (stmt, 1);
  attempt->started_us = vend_stmt_get_int (stmt, 2);
  attempt->ended_us = vend_stmt_get_int (stmt, 3);
  attempt->outcome = vend_stmt_dup_text (stmt, 4);
  return attempt;
}

bool
vend_store_attempt_list (VendDb *db, const char *prediction, int limit, GPtrArray **out,
                         GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_ATTEMPT_LIST, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  vend_stmt_int (stmt, 2, limit);
  return vend_stmt_collect (stmt, read_attempt, (GDestroyNotify) vend_attempt_free, out, error);
}

bool
vend_store_usage_insert (VendDb *db, const VendPrediction *p, const VendRunUsage *run,
                         GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_USAGE_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, VEND_ARG_NEW_USAGE_PREDICTION, p->id);
  vend_stmt_int (stmt, VEND_ARG_NEW_USAGE_ATTEMPT, p->attempt);
  vend_stmt_int (stmt, VEND_ARG_NEW_USAGE_ACCOUNT_ID, p->account_id);
  vend_stmt_int (stmt, VEND_ARG_NEW_USAGE_MODEL_ID, p->model_id);
  vend_stmt_text (stmt, VEND_ARG_NEW_USAGE_HARDWARE, run->hardware);
  vend_stmt_int (stmt, VEND_ARG_NEW_USAGE_RUN_US, run->run_us);
  vend_stmt_int (stmt, VEND_ARG_NEW_USAGE_ENDED_US, p->completed_us);
  vend_stmt_text (stmt, VEND_ARG_NEW_USAGE_DEPLOYMENT, p->deployment);
  if (run->price != VEND_NO_PRICE)
    vend_stmt_int (stmt, VEND_ARG_NEW_USAGE_PRICE, run->price);
  vend_stmt_int (stmt, VEND_ARG_NEW_USAGE_BILLED, run->billed);
  return vend_stmt_run (stmt, NULL, error);
}

static void *
read_id (VendStmt *stmt)
{
  return vend_stmt_dup_text (stmt, 0);
}

bool
vend_store_prediction_expired (VendDb *db, int64_t before_us, int limit, GPtrArray **out,
                               GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_EXPIRED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, before_us);
  vend_stmt_int (stmt, 2, limit);
  return vend_stmt_collect (stmt, read_id, g_free, out, error);
}

bool
vend_store_prediction_remove_data (VendDb *db, const char *id, int64_t now_us, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_PREDICTION_REMOVE_DATA, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, id);
  vend_stmt_int (stmt, 2, now_us);
  return vend_stmt_run (stmt, NULL, error);
}
