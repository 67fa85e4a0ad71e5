/* A version by the beginning of its id. Main thread only. */
#include "cli/commands/version-id.h"
#include "base/error.h"
#include "base/hash.h"
#include "cli/arguments/arguments.h"

#define MAX_CANDIDATES 5 /* that an error names */

bool
vend_version_id_find (VendClient *client, const char *reference, const char *prefix, char **out_id,
                      GError **error)
{
  g_autofree char *model_path = NULL, *path = NULL;
  g_autoptr (GString) found = g_string_new (NULL);
  g_autofree char *id = NULL;
  json_auto_t *page = NULL;
  guint n_found = 0;
  size_t i;
  json_t *item;
  if (vend_is_sha256_hex (prefix))
    {
      *out_id = g_strdup (prefix);
      return true;
    }
  if (!vend_argument_model_path (reference, &model_path, error))
    return false;
  path = g_strconcat (model_path, "/versions", NULL);
  if (!vend_client_list (client, path, 0, &page, error))
    return false;
  json_array_foreach (json_object_get (page, "results"), i, item)
    {
      const char *one = vend_argument_shown (item, "id");
      if (!g_str_has_prefix (one, prefix))
        continue;
      if (n_found++ == 0)
        id = g_strdup (one);
      if (n_found <= MAX_CANDIDATES)
        g_string_append_printf (found, "%s%s", n_found > 1 ? ", " : "", one);
      else if (n_found == MAX_CANDIDATES + 1)
        g_string_append (found, ", …");
    }
  if (n_found == 0)
    return vend_fail (error, VEND_ERROR_NOT_FOUND,
                      "there is no version of %s whose id begins with '%s'", reference, prefix);
  if (n_found > 1)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the ids of %u versions of %s begin with '%s': %s; give more of the id",
                      n_found, reference, prefix, found->str);
  *out_id = g_steal_pointer (&id);
  return true;
}

static bool
find_latest (VendClient *client, const char *reference, const char *model_path, char **out_id,
             GError **error)
{
  json_auto_t *model = NULL;
  if (!vend_client_call (client, "GET", model_path, NULL, &model, error))
    return false;
  const char *id = vend_json_string (json_object_get (model, "latest_version"), "id");
  if (id == NULL)
    return vend_fail (error, VEND_ERROR_NOT_FOUND, "%s has no version yet; 'vend push' makes one",
                      reference);
  *out_id = g_strdup (id);
  return true;
}

bool
vend_version_path_find (VendClient *client, const char *text, char **out, GError **error)
{
  const char *colon = strchr (text, ':');
  g_autofree char *model_path = NULL, *id = NULL;
  g_autofree char *model
      = colon != NULL ? g_strndup (text, (gsize) (colon - text)) : g_strdup (text);
  if (!vend_argument_model_path (model, &model_path, error)
      || (colon != NULL && !vend_argument_version_prefix_check (colon + 1, error)))
    return false;
  if (colon != NULL ? !vend_version_id_find (client, model, colon + 1, &id, error)
                    : !find_latest (client, model, model_path, &id, error))
    return false;
  *out = g_strdup_printf ("%s/versions/%s", model_path, id);
  return true;
}
