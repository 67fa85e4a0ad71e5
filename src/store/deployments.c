/* Store functions of deployments and their releases. */
#include "store/deployments.h"
#include "base/error.h"
#include "store/scaling.h"
#include <string.h>

static VendRelease *
read_release (VendStmt *stmt, int column)
{
  VendRelease *release = g_new0 (VendRelease, 1);
  release->number = vend_stmt_get_int (stmt, column + VEND_COL_RELEASE_NUMBER);
  release->model_id = vend_stmt_get_int (stmt, column + VEND_COL_RELEASE_MODEL_ID);
  release->model = vend_stmt_dup_text (stmt, column + VEND_COL_RELEASE_MODEL);
  release->version = vend_stmt_dup_text (stmt, column + VEND_COL_RELEASE_VERSION);
  release->hardware = vend_stmt_dup_text (stmt, column + VEND_COL_RELEASE_HARDWARE);
  release->min_instances = vend_stmt_get_int (stmt, column + VEND_COL_RELEASE_MIN_INSTANCES);
  release->max_instances = vend_stmt_get_int (stmt, column + VEND_COL_RELEASE_MAX_INSTANCES);
  release->scaling = vend_store_scaling_read (stmt, column + VEND_COL_RELEASE_SCALING);
  release->created_us = vend_stmt_get_int (stmt, column + VEND_COL_RELEASE_CREATED_US);
  release->token_id = vend_stmt_dup_text (stmt, column + VEND_COL_RELEASE_TOKEN);
  return release;
}

static void *
read_deployment (VendStmt *stmt)
{
  VendDeployment *deployment = g_new0 (VendDeployment, 1);
  deployment->id = vend_stmt_get_int (stmt, VEND_COL_DEPLOYMENT_ID);
  deployment->account_id = vend_stmt_get_int (stmt, VEND_COL_DEPLOYMENT_ACCOUNT_ID);
  deployment->owner = vend_stmt_dup_text (stmt, VEND_COL_DEPLOYMENT_OWNER);
  deployment->name = vend_stmt_dup_text (stmt, VEND_COL_DEPLOYMENT_NAME);
  deployment->created_us = vend_stmt_get_int (stmt, VEND_COL_DEPLOYMENT_CREATED_US);
  deployment->current = read_release (stmt, VEND_COL_DEPLOYMENT_N);
  deployment->serving = read_release (stmt, VEND_COL_DEPLOYMENT_N + VEND_COL_RELEASE_N);
  return deployment;
}

static bool
insert_release (VendDb *db, int64_t id, const VendRelease *release, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_RELEASE_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, VEND_ARG_RELEASE_END, id);
  vend_stmt_int (stmt, VEND_ARG_RELEASE_NUMBER, release->number);
  vend_stmt_int (stmt, VEND_ARG_RELEASE_MODEL_ID, release->model_id);
  vend_stmt_text (stmt, VEND_ARG_RELEASE_MODEL, release->model);
  vend_stmt_text (stmt, VEND_ARG_RELEASE_VERSION, release->version);
  vend_stmt_text (stmt, VEND_ARG_RELEASE_HARDWARE, release->hardware);
  vend_stmt_int (stmt, VEND_ARG_RELEASE_MIN_INSTANCES, release->min_instances);
  vend_stmt_int (stmt, VEND_ARG_RELEASE_MAX_INSTANCES, release->max_instances);
  vend_store_scaling_bind (stmt, VEND_ARG_RELEASE_SCALING, &release->scaling);
  vend_stmt_int (stmt, VEND_ARG_RELEASE_CREATED_US, release->created_us);
  vend_stmt_text (stmt, VEND_ARG_RELEASE_TOKEN, release->token_id);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_deployment_insert (VendDb *db, VendDeployment *deployment, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_INSERT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, deployment->account_id);
  vend_stmt_text (stmt, 2, deployment->owner);
  vend_stmt_text (stmt, 3, deployment->name);
  vend_stmt_int (stmt, 4, deployment->created_us);
  if (!vend_stmt_one (stmt, "deployment", error))
    return false;
  deployment->id = vend_stmt_get_int (stmt, 0);
  return vend_stmt_run (stmt, NULL, error)
         && insert_release (db, deployment->id, deployment->current, error);
}

bool
vend_store_deployment_by_name (VendDb *db, const char *owner, const char *name,
                               VendDeployment **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_BY_NAME, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, owner);
  vend_stmt_text (stmt, 2, name);
  if (!vend_stmt_one (stmt, "deployment", error))
    return false;
  *out = read_deployment (stmt);
  return true;
}

bool
vend_store_deployment_page (VendDb *db, int64_t account_id, int64_t after_us, int64_t after_id,
                            VendPage *page, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_PAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  vend_stmt_int (stmt, 2, after_us);
  vend_stmt_int (stmt, 3, after_id);
  vend_stmt_int (stmt, 4, (int64_t) page->limit + 1);
  return vend_stmt_page (stmt, read_deployment, (GDestroyNotify) vend_deployment_free, page, out,
                         error);
}

static void *
read_recorded (VendStmt *stmt)
{
  VendRelease *release = read_release (stmt, 0);
  release->token_name = vend_stmt_dup_text (stmt, VEND_COL_RELEASE_N);
  return release;
}

bool
vend_store_release_page (VendDb *db, int64_t deployment_id, int64_t before_number, VendPage *page,
                         GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_RELEASE_PAGE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, deployment_id);
  vend_stmt_int (stmt, 2, before_number);
  vend_stmt_int (stmt, 3, (int64_t) page->limit + 1);
  return vend_stmt_page (stmt, read_recorded, (GDestroyNotify) vend_release_free, page, out, error);
}

bool
vend_store_deployment_all (VendDb *db, GPtrArray **out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_ALL, error);
  return stmt != NULL
         && vend_stmt_collect (stmt, read_deployment, (GDestroyNotify) vend_deployment_free, out,
                               error);
}

static bool
read_number (VendStmt *stmt, int64_t *out, GError **error)
{
  if (!vend_stmt_one (stmt, "number", error))
    return false;
  *out = vend_stmt_get_int (stmt, 0);
  return true;
}

bool
vend_store_deployment_count (VendDb *db, int64_t account_id, int64_t *out, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_COUNT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, account_id);
  return read_number (stmt, out, error);
}

bool
vend_store_deployment_serve (VendDb *db, int64_t id, int64_t number, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_SET_SERVING, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  vend_stmt_int (stmt, 2, number);
  return vend_stmt_run (stmt, NULL, error);
}

bool
vend_store_deployment_release (VendDb *db, const VendDeployment *deployment, GError **error)
{
  const VendRelease *release = deployment->current;
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_SET_CURRENT, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, deployment->id);
  vend_stmt_int (stmt, 2, release->number);
  if (!vend_stmt_run_one (stmt, "deployment", error)
      || !insert_release (db, deployment->id, release, error))
    return false;
  return !vend_release_runs_like (release, deployment->serving)
         || vend_store_deployment_serve (db, deployment->id, release->number, error);
}

bool
vend_store_deployment_use (VendDb *db, const VendDeployment *deployment, bool *out_runs,
                           int64_t *out_since_us, GError **error)
{
  g_autofree char *name = vend_deployment_full_name (deployment);
  int64_t last_run_us = 0, off_since_us = 0;
  VendStmt *runs = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_RUNS, error);
  VendStmt *last = runs != NULL ? vend_db_stmt (db, VEND_SQL_DEPLOYMENT_LAST_RUN, error) : NULL;
  VendStmt *off = last != NULL ? vend_db_stmt (db, VEND_SQL_DEPLOYMENT_OFF_SINCE, error) : NULL;
  if (off == NULL)
    return false;
  vend_stmt_text (runs, 1, name);
  vend_stmt_text (last, 1, name);
  vend_stmt_int (off, 1, deployment->id);
  if (!vend_stmt_step (runs, out_runs, error) || !read_number (last, &last_run_us, error)
      || !read_number (off, &off_since_us, error))
    return false;
  *out_since_us = MAX (last_run_us, off_since_us);
  return true;
}

bool
vend_store_deployment_delete (VendDb *db, int64_t id, GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_DELETE_RELEASES, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  if (!vend_stmt_run (stmt, NULL, error))
    return false;
  stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_DELETE, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, id);
  return vend_stmt_run_one (stmt, "deployment", error);
}

bool
vend_store_deployment_of_version (VendDb *db, int64_t model_id, const char *version, bool *out,
                                  GError **error)
{
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_DEPLOYMENT_OF_VERSION, error);
  if (stmt == NULL)
    return false;
  vend_stmt_int (stmt, 1, model_id);
  vend_stmt_text (stmt, 2, version);
  return vend_stmt_step (stmt, out, error);
}

bool
vend_store_release_of_version (VendDb *db, const char *full_name, int64_t model_id,
                               const char *version, char **out_hardware, VendScaling *out_scaling,
                               GError **error)
{
  g_auto (GStrv) parts = g_strsplit (full_name, "/", 2);
  VendStmt *stmt = vend_db_stmt (db, VEND_SQL_RELEASE_OF_VERSION, error);
  if (stmt == NULL)
    return false;
  vend_stmt_text (stmt, 1, parts[0]);
  vend_stmt_text (stmt, 2, parts[1]);
  vend_stmt_int (stmt, 3, model_id);
  vend_stmt_text (stmt, 4, version);
  if (!vend_stmt_one (stmt, "release", error))
    return false;
  *out_hardware = vend_stmt_dup_text (stmt, 0);
  *out_scaling = vend_store_scaling_read (stmt, 1);
  return true;
}
