/* The checks of an audit, and two audits compared. */
#include "audit/audit-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/audit.h"
#include "store/integrity.h"
#include "store/postgres.h"
#include <string.h>

#define ON_SERVER "the database is on a server: pg_amcheck looks at its pages and indexes"
#define NO_DATABASE "the database is damaged"
#define NO_SERVER "no server runs; its next start looks after this"

typedef struct
{
  const char *name;
  const char *rule;
  int statement;   /* of audit.sql, or -1 */
  bool needs_live; /* says nothing while no server runs */
} Rule;

static const Rule rules[CHECK_N] = {
  [CHECK_DATABASE] = { "database", "The pages and indexes of the database are whole.", -1, false },
  [CHECK_ENDS] = { "ends", "A prediction has the status of an end exactly when it has ended.",
                   VEND_SQL_AUDIT_ENDS, false },
  [CHECK_TIMES] = { "times", "A prediction is created before it begins, and begins before it ends.",
                    VEND_SQL_AUDIT_TIMES, false },
  [CHECK_RESULTS]
  = { "results", "What a prediction ended with suits its status.", VEND_SQL_AUDIT_RESULTS, false },
  [CHECK_ATTEMPTS] = { "attempts",
                       "Attempts that were lost belong to a prediction, and none of "
                       "them is the one that was accepted.",
                       VEND_SQL_AUDIT_ATTEMPTS, false },
  [CHECK_OVERLAPS] = { "overlaps", "No attempt begins before the one before it is over.",
                       VEND_SQL_AUDIT_OVERLAPS, false },
  [CHECK_USAGE] = { "usage",
                    "There is one usage row for each accepted attempt that ran, with the "
                    "time that it took, and none for others.",
                    VEND_SQL_AUDIT_USAGE, false },
  [CHECK_METERING] = { "metering",
                       "The time of an instance is counted once, in pieces that follow each other, "
                       "and either it or its runs are billed.",
                       VEND_SQL_AUDIT_METERING, false },
  [CHECK_WEBHOOKS] = { "webhooks",
                       "Webhooks tell of predictions that exist, of their ends only "
                       "once they have ended, and of each beginning and end once.",
                       VEND_SQL_AUDIT_WEBHOOKS, false },
  [CHECK_OUTPUTS] = { "outputs", "Output files belong to a prediction that has its data.",
                      VEND_SQL_AUDIT_OUTPUTS, false },
  [CHECK_INPUTS] = { "inputs",
                     "The bytes of input files are held for predictions that have not ended, "
                     "and for no others.",
                     VEND_SQL_AUDIT_INPUTS, false },
  [CHECK_STORED] = { "stored", "What is counted of the files of an account is what they take.",
                     VEND_SQL_AUDIT_STORED, false },
  [CHECK_SHOWN]
  = { "shown", "Examples and covers that came with the files of a model are those that it shows.",
      VEND_SQL_AUDIT_SHOWN, false },
  [CHECK_SECRETS] = { "secrets",
                      "Every secret belongs to a model or deployment, and opens with the key of "
                      "this installation.",
                      VEND_SQL_AUDIT_SECRETS, false },
  [CHECK_CONTENTS]
  = { "contents", "The bytes of every file are there, as many as its row says.", -1, false },
  [CHECK_BLOBS] = { "blobs", "Bytes that no row points to do not stay.", -1, true },
  [CHECK_VERSIONS]
  = { "versions", "Every version has its folder, and every folder its version.", -1, false },
  [CHECK_WEIGHTS] = { "weights",
                      "A version that a training made has its weights, and the training "
                      "succeeded; managed weights are on disk or can be fetched again; nothing "
                      "else holds weights.",
                      VEND_SQL_AUDIT_WEIGHTS, false },
  [CHECK_REGISTRY] = { "registry",
                       "Every manifest has its blobs, and every tag and image version its "
                       "manifest.",
                       VEND_SQL_AUDIT_REGISTRY, false },
  [CHECK_UPLOADS]
  = { "uploads", "Every uploaded source has its row, and every blob on its way.", -1, true },
  [CHECK_LEFTOVERS] = { "leftovers",
                        "Nothing half written stays, and nothing of a build or of a check of the "
                        "file system that is over.",
                        -1, true },
  [CHECK_PROCESSES] = { "processes",
                        "Every director and every model process belongs to an "
                        "instance, and every model to a director.",
                        -1, false },
  [CHECK_OPEN]
  = { "open", "The server knows every prediction that has not ended, and no other.", -1, true },
  [CHECK_INSTANCES] = { "instances",
                        "Every instance has its folder, and every folder its "
                        "instance.",
                        -1, true },
  [CHECK_DIRECTORS]
  = { "directors", "Every instance that is connected has a living director.", -1, true },
  [CHECK_SLOTS] = { "slots", "The slots in use are those of predictions that run.", -1, true },
  [CHECK_GPUS] = { "gpus", "Every GPU in use is that of one instance.", -1, true },
};

static void
row_free (void *data)
{
  VendAuditRow *row = data;
  g_free (row->subject);
  g_free (row->detail);
  g_free (row);
}

static void
check_free (void *data)
{
  VendAuditCheck *check = data;
  g_ptr_array_unref (check->rows);
  g_free (check);
}

static VendAuditCheck *
check_new (const Rule *rule, bool has_server)
{
  VendAuditCheck *check = g_new0 (VendAuditCheck, 1);
  *check = (VendAuditCheck){ rule->name, rule->rule,
                             rule->needs_live && !has_server ? NO_SERVER : NULL,
                             g_ptr_array_new_with_free_func (row_free) };
  return check;
}

void
vend_audit_found (Audit *audit, CheckId id, const char *subject, const char *format, ...)
{
  VendAuditCheck *check = g_ptr_array_index (audit->checks, id);
  if (check->rows->len >= VEND_AUDIT_MAX_ROWS)
    return;
  va_list args;
  va_start (args, format);
  VendAuditRow *row = g_new0 (VendAuditRow, 1);
  row->subject = g_strdup (subject);
  row->detail = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (check->rows, row);
}

typedef struct
{
  Audit *audit;
  CheckId id;
} Asked;

static void
seen_damage (const char *subject, const char *detail, int64_t number, void *data)
{
  const Asked *asked = data;
  vend_audit_found (asked->audit, asked->id, subject, "%s", detail);
}

static bool
check_rows (Audit *audit, GError **error)
{
  for (int id = 0; id < CHECK_N; id++)
    {
      Asked asked = { audit, (CheckId) id };
      if (rules[id].statement >= 0
          && !vend_store_audit_damage (audit->db, (VendSql) rules[id].statement,
                                       VEND_AUDIT_MAX_ROWS, seen_damage, &asked, error))
        return false;
    }
  return true;
}

static void
know_instances (Audit *audit)
{
  size_t i;
  json_t *instance;
  json_array_foreach (json_object_get (audit->options->live, "instances"), i, instance)
    {
      const char *id = vend_json_string (instance, "id");
      if (id != NULL)
        g_hash_table_insert (audit->live, (char *) id, instance);
    }
}

/* Nothing else can be told from one that is damaged. */
static bool
check_pages (const char *path, GPtrArray *checks, bool *out_whole, GError **error)
{
  Audit audit = { .checks = checks };
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  bool is_complete = false;
  if (vend_postgres_is_url (path))
    {
      ((VendAuditCheck *) g_ptr_array_index (checks, CHECK_DATABASE))->skipped = ON_SERVER;
      *out_whole = true;
      return true;
    }
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "there is no database '%s'", path);
  if (!vend_integrity_check_pages (path, true, 0, problems, &is_complete, error))
    return false;
  for (guint i = 0; i < problems->len; i++)
    vend_audit_found (&audit, CHECK_DATABASE, path, "%s",
                      (const char *) g_ptr_array_index (problems, i));
  *out_whole = problems->len == 0;
  for (guint id = CHECK_DATABASE + 1; !*out_whole && id < CHECK_N; id++)
    ((VendAuditCheck *) g_ptr_array_index (checks, id))->skipped = NO_DATABASE;
  return true;
}

static void
add_object (const char *sha256, const VendDepotStat *stat, void *data)
{
  g_hash_table_insert (data, g_strdup (sha256), g_memdup2 (stat, sizeof *stat));
}

static bool
list_objects (VendDepot *depot, GHashTable **out, GError **error)
{
  g_autoptr (GHashTable) objects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!depot->ops->each (depot, add_object, objects, error))
    return false;
  *out = g_steal_pointer (&objects);
  return true;
}

bool
vend_audit_run (const VendAuditOptions *options, GPtrArray **out, GError **error)
{
  g_autoptr (GPtrArray) checks = g_ptr_array_new_with_free_func (check_free);
  g_autoptr (GHashTable) live = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (VendDb) db = NULL;
  for (gsize i = 0; i < CHECK_N; i++)
    g_ptr_array_add (checks, check_new (&rules[i], options->live != NULL));
  bool is_whole = false;
  if (!check_pages (options->store, checks, &is_whole, error))
    return false;
  if (!is_whole)
    {
      *out = g_steal_pointer (&checks);
      return true;
    }
  g_autofree char *blobs = g_build_filename (options->data_dir, "blobs", NULL);
  g_autoptr (VendDepot) disk = vend_depot_disk_new (blobs, blobs, true);
  g_autoptr (GHashTable) objects = NULL;
  if (!vend_store_audit_open (options->store, &db, error)
      || (options->depot != NULL && !list_objects (options->depot, &objects, error)))
    return false;

  Audit audit = { .options = options,
                  .db = db,
                  .now_us = vend_now_us (),
                  .checks = checks,
                  .kept = kept,
                  .depot = options->depot != NULL ? options->depot : disk,
                  .objects = objects,
                  .live = live };
  if (options->live != NULL)
    know_instances (&audit);
  if (!vend_audit_instances (&audit, error) || !vend_store_audit_begin (db, error)
      || !check_rows (&audit, error) || !vend_audit_files (&audit, error)
      || !vend_audit_secrets (&audit, error)
      || (options->live != NULL && !vend_audit_live (&audit, error))
      || !vend_store_audit_end (db, error))
    return false;
  *out = g_steal_pointer (&checks);
  return true;
}

static bool
has_row (const VendAuditCheck *check, const VendAuditRow *row)
{
  for (guint i = 0; i < check->rows->len; i++)
    if (strcmp (((const VendAuditRow *) g_ptr_array_index (check->rows, i))->subject, row->subject)
        == 0)
      return true;
  return false;
}

guint
vend_audit_confirm (GPtrArray *now, const GPtrArray *earlier)
{
  for (guint i = 0; i < now->len; i++)
    {
      const VendAuditCheck *check = g_ptr_array_index (now, i);
      for (guint j = check->rows->len; j > 0; j--)
        if (!has_row (g_ptr_array_index (earlier, i), g_ptr_array_index (check->rows, j - 1)))
          g_ptr_array_remove_index (check->rows, j - 1);
    }
  return vend_audit_count (now);
}

guint
vend_audit_count (const GPtrArray *checks)
{
  guint n = 0;
  for (guint i = 0; i < checks->len; i++)
    n += ((const VendAuditCheck *) g_ptr_array_index (checks, i))->rows->len;
  return n;
}
