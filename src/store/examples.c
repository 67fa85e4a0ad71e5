/* Store functions of examples: predictions that show a model's work. */
#include "store/examples.h"
#include "base/error.h"
#include "model/file.h"
#include "store/predictions.h"
#include "store/stored-bytes.h"
#include <string.h>

#define ROWS_AT_ONCE 100

static bool
run_with_id (VendDb *db, VendSql sql, int64_t id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_example_insert (VendDb *db, int64_t model_id, const char *prediction, bool is_first,
                           GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_EXAMPLE_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, prediction);
  vend_stmt_int (stmt, 3, is_first);
  return vend_stmt_run_one (stmt, "prediction", error)
         && run_with_id (db, VEND_SQL_EXAMPLE_SET_DEFAULT, model_id, error);
}

bool
vend_store_example_count (VendDb *db, int64_t model_id, int64_t *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_EXAMPLE_COUNT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  if (!vend_stmt_one (stmt, "count", error))
    return false;
  *out = vend_stmt_get_int (stmt, 0);
  return true;
}

typedef struct
{
  int64_t place;
  char *prediction;
  json_t *input;
  json_t *output;
  char *logs;
} Kept;

static void
kept_free (void *data)
{
  Kept *kept = data;
  g_free (kept->prediction);
  json_decref (kept->input);
  json_decref (kept->output);
  g_free (kept->logs);
  g_free (kept);
}

static void *
read_kept (VendStmt *stmt)
{
  Kept *kept = g_new0 (Kept, 1);
  kept->place = vend_stmt_get_int (stmt, 0);
  kept->prediction = vend_stmt_dup_text (stmt, 1);
  kept->input = vend_stmt_get_json (stmt, 2);
  kept->output = vend_stmt_get_json (stmt, 3);
  kept->logs = vend_stmt_dup_text (stmt, 4);
  return kept;
}

/* The prediction with its kept data, without the private data of its account. */
static bool
restore (VendDb *db, const Kept *kept, VendPrediction **out, GError **error)
{
  g_autoptr (VendPrediction) p = NULL;
  if (!vend_store_prediction_get (db, kept->prediction, &p, error))
    return false;
  json_decref (p->input);
  json_decref (p->output);
  g_free (p->logs);
  p->input = json_incref (kept->input);
  p->output = json_incref (kept->output);
  p->logs = g_strdup (kept->logs);
  p->data_removed = false;
  p->deadline_us = 0;
  g_clear_pointer (&p->deployment, g_free);
  g_clear_pointer (&p->webhook, g_free);
  g_clear_pointer (&p->webhook_events, json_decref);
  *out = g_steal_pointer (&p);
  return true;
}

static VendStmt *
find (VendDb *db, const char *prediction, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_EXAMPLE_GET, error);
  if (stmt != NULL)
    vend_stmt_text (stmt, 1, prediction);
  return stmt;
}

bool
vend_store_example_get (VendDb *db, const char *prediction, VendPrediction **out, GError **error)
{
  VendStmt *stmt = find (db, prediction, error);
  if (stmt == NULL || !vend_stmt_one (stmt, "example", error))
    return false;
  Kept *kept = read_kept (stmt);
  bool good = restore (db, kept, out, error);
  kept_free (kept);
  return good;
}

bool
vend_store_example_has (VendDb *db, const char *prediction, bool *out, GError **error)
{
  VendStmt *stmt = find (db, prediction, error);
  return stmt != NULL && vend_stmt_step (stmt, out, error);
}

bool
vend_store_example_page (VendDb *db, int64_t model_id, int64_t after_place, VendPage *page,
                         GPtrArray **out, int64_t *out_place, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GPtrArray) examples
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_prediction_free);
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_EXAMPLE_PAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_int (stmt, 2, after_place);
  vend_stmt_int (stmt, 3, (int64_t) page->limit + 1);
  if (!vend_stmt_page (stmt, read_kept, kept_free, page, &rows, error))
    return false;
  for (guint i = 0; i < rows->len; i++)
    {
      const Kept *kept = g_ptr_array_index (rows, i);
      VendPrediction *p = NULL;
      if (!restore (db, kept, &p, error))
        return false;
      g_ptr_array_add (examples, p);
      *out_place = kept->place;
    }
  *out = g_steal_pointer (&examples);
  return true;
}

static bool
run_with_prediction (VendDb *db, VendSql sql, const char *prediction, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, sql, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, prediction);
  return vend_stmt_run (stmt, NULL, error);
}

/* Files needed by the example only; the whole prediction when it is an example and nothing else.
 * Files go first: their account is found by the prediction. */
static bool
drop_prediction (VendDb *db, const char *prediction, GError **error)
{
  return run_with_prediction (db, VEND_SQL_OUTPUT_DELETE_REMOVED, prediction, error)
         && run_with_prediction (db, VEND_SQL_OUTPUT_DELETE_PUSHED, prediction, error)
         && run_with_prediction (db, VEND_SQL_EXAMPLE_FORGET, prediction, error);
}

bool
vend_store_example_make_default (VendDb *db, int64_t model_id, const char *prediction,
                                 GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_EXAMPLE_FIRST, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, prediction);
  return vend_stmt_run_one (stmt, "example", error)
         && run_with_id (db, VEND_SQL_EXAMPLE_SET_DEFAULT, model_id, error);
}

bool
vend_store_example_delete (VendDb *db, int64_t model_id, const char *prediction, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_EXAMPLE_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, prediction);
  return vend_stmt_run_one (stmt, "example", error) && drop_prediction (db, prediction, error)
         && run_with_id (db, VEND_SQL_EXAMPLE_SET_DEFAULT, model_id, error);
}

bool
vend_store_example_delete_all (VendDb *db, int64_t model_id, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  VendPage page = { .limit = ROWS_AT_ONCE, .more = true };
  int64_t last_place = G_MININT64;
  while (page.more)
    {
      g_autoptr (GPtrArray) examples = NULL;
      if (!vend_store_example_page (db, model_id, last_place, &page, &examples, &last_place, error))
        return false;
      for (guint i = 0; i < examples->len; i++)
        g_ptr_array_add (ids,
                         g_strdup (((const VendPrediction *) g_ptr_array_index (examples, i))->id));
    }
  if (!run_with_id (db, VEND_SQL_EXAMPLE_DELETE_ALL, model_id, error))
    return false;
  for (guint i = 0; i < ids->len; i++)
    if (!drop_prediction (db, g_ptr_array_index (ids, i), error))
      return false;
  return true;
}

/* ---- Examples of files */

typedef struct
{
  char *id;
  char *version;
} Pushed;

static void
pushed_free (void *data)
{
  Pushed *pushed = data;
  g_free (pushed->id);
  g_free (pushed->version);
  g_free (pushed);
}

static void *
read_pushed (VendStmt *stmt)
{
  Pushed *pushed = g_new0 (Pushed, 1);
  pushed->id = vend_stmt_dup_text (stmt, 0);
  pushed->version = vend_stmt_dup_text (stmt, 1);
  return pushed;
}

static bool
list_pushed (VendDb *db, int64_t model_id, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_EXAMPLE_PUSHED, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  return vend_stmt_collect (stmt, read_pushed, pushed_free, out, error);
}

/* A version never changes, and its examples are of its source. */
static bool
are_same (const GPtrArray *earlier, const VendPushedExamples *pushed)
{
  if (earlier->len != pushed->examples->len)
    return false;
  for (guint i = 0; i < earlier->len; i++)
    if (strcmp (((const Pushed *) g_ptr_array_index (earlier, i))->version, pushed->version) != 0)
      return false;
  return true;
}

static bool
insert_pushed (VendDb *db, const VendPushedExamples *pushed, const VendPrediction *p,
               GError **error)
{
  int64_t size = 0;
  bool won = false;
  for (guint i = 0; p->kept != NULL && i < p->kept->len; i++)
    size += ((const VendOutput *) g_ptr_array_index (p->kept, i))->size;
  return (size == 0 || vend_store_stored_allow (db, p->account_id, size, pushed->max_stored, error))
         && vend_store_prediction_insert (db, p, error)
         && vend_store_prediction_complete (db, p, &won, error)
         && vend_store_example_insert (db, pushed->model_id, p->id, true, error);
}

bool
vend_store_example_push (VendDb *db, const VendPushedExamples *pushed, GError **error)
{
  g_autoptr (GPtrArray) earlier = NULL;
  int64_t count = 0;
  if (!list_pushed (db, pushed->model_id, &earlier, error))
    return false;
  if (are_same (earlier, pushed))
    return run_with_id (db, VEND_SQL_EXAMPLE_PUSHED_FIRST, pushed->model_id, error)
           && run_with_id (db, VEND_SQL_EXAMPLE_SET_DEFAULT, pushed->model_id, error);
  for (guint i = 0; i < earlier->len; i++)
    if (!vend_store_example_delete (db, pushed->model_id,
                                    ((const Pushed *) g_ptr_array_index (earlier, i))->id, error))
      return false;
  if (!vend_store_example_count (db, pushed->model_id, &count, error))
    return false;
  if (count + pushed->examples->len > VEND_MODEL_MAX_EXAMPLES)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the model would have %" G_GINT64_FORMAT
                      " examples, and at most %d are possible; delete some of its own",
                      count + pushed->examples->len, VEND_MODEL_MAX_EXAMPLES);
  for (guint i = pushed->examples->len; i > 0; i--)
    if (!insert_pushed (db, pushed, g_ptr_array_index (pushed->examples, i - 1), error))
      return false;
  return true;
}
