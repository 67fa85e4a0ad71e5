/* The file of a move that has begun. */
#include "move/plan.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "json/json.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "migrate-storage.json"
#define MAX_FILE ((gsize) 16 * 1024)

VendMovePlan *
vend_move_plan_new (const char *store, const char *files)
{
  VendMovePlan *plan = g_new0 (VendMovePlan, 1);
  plan->id = vend_id_new ();
  plan->store = g_strdup (store);
  plan->files = g_strdup (files);
  return plan;
}

void
vend_move_plan_free (VendMovePlan *plan)
{
  if (plan == NULL)
    return;
  g_free (plan->id);
  g_free (plan->store);
  g_free (plan->files);
  g_free (plan);
}

static char *
path_in (const char *data_dir)
{
  return g_build_filename (data_dir, FILE_NAME, NULL);
}

static VendMovePlan *
plan_from_json (const json_t *json)
{
  const char *id = vend_json_string (json, "id");
  const char *store = vend_json_string (json, "store");
  const char *files = vend_json_string (json, "files");
  if (id == NULL || store == NULL || files == NULL)
    return NULL;
  VendMovePlan *plan = g_new0 (VendMovePlan, 1);
  *plan = (VendMovePlan){ g_strdup (id), g_strdup (store), g_strdup (files),
                          vend_json_bool (json, "is_decided", false) };
  return plan;
}

bool
vend_move_plan_load (const char *data_dir, VendMovePlan **out, GError **error)
{
  g_autofree char *path = path_in (data_dir);
  g_autofree char *text = NULL;
  g_autoptr (GError) problem = NULL;
  json_auto_t *json = NULL;
  gsize size = 0;
  if (!vend_file_read (path, MAX_FILE, &text, &size, &problem))
    {
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        return true;
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  if (vend_json_parse (text, size, &json, NULL))
    *out = plan_from_json (json);
  return *out != NULL || vend_fail (error, VEND_ERROR_STORAGE, "'%s' is damaged", path);
}

bool
vend_move_plan_save (const VendMovePlan *plan, const char *data_dir, GError **error)
{
  g_autofree char *path = path_in (data_dir);
  json_auto_t *json = json_object ();
  vend_json_set_string (json, "id", plan->id);
  vend_json_set_string (json, "store", plan->store);
  vend_json_set_string (json, "files", plan->files);
  vend_json_set_bool (json, "is_decided", plan->is_decided);
  g_autofree char *text = vend_json_text (json);
  return vend_file_replace (path, text, strlen (text), 0600, error);
}

bool
vend_move_plan_remove (const char *data_dir, GError **error)
{
  g_autofree char *path = path_in (data_dir);
  if (unlink (path) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", path);
  return vend_dir_sync (data_dir, error);
}
