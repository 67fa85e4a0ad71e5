/* The secrets of those who run. */
#include "secrets/secrets.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/deployments.h"
#include "store/secrets.h"
#include <string.h>

static void
free_text (void *text)
{
  vend_secret_text_free (text);
}

void
vend_secret_set_free (VendSecretSet *set)
{
  if (set == NULL)
    return;
  g_ptr_array_unref (set->names);
  g_ptr_array_unref (set->values);
  g_free (set->digest);
  g_free (set);
}

const char *
vend_secret_set_find (const VendSecretSet *set, const char *name)
{
  for (guint i = 0; set != NULL && i < set->values->len; i++)
    if (strcmp (g_ptr_array_index (set->names, i), name) == 0)
      return g_ptr_array_index (set->values, i);
  return NULL;
}

char *
vend_secret_context (VendSecretPlace place, int64_t id, const char *name)
{
  return g_strdup_printf ("%s %" G_GINT64_FORMAT " %s",
                          place == VEND_SECRET_OF_MODEL ? "model" : "deployment", id, name);
}

typedef struct
{
  VendSecretPlace place;
  int64_t id;
  GPtrArray *secrets; /* of VendSecret */
} Source;

static bool
read_deployment (VendDb *db, const char *name, Source *source, GError **error)
{
  g_auto (GStrv) halves = g_strsplit (name, "/", 2);
  g_autoptr (VendDeployment) deployment = NULL;
  g_autoptr (GError) problem = NULL;
  if (g_strv_length (halves) != 2
      || !vend_store_deployment_by_name (db, halves[0], halves[1], &deployment, &problem))
    {
      if (problem == NULL || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        return true;
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  source->id = deployment->id;
  return vend_store_secret_list (db, source->place, source->id, &source->secrets, error);
}

static bool
add (VendSecretSet *set, const VendVault *vault, const Source *source, const VendSecret *secret,
     GError **error)
{
  g_autofree char *context = vend_secret_context (source->place, source->id, secret->name);
  char *value = NULL;
  if (vault != NULL && !vend_vault_unseal (vault, context, secret->sealed, &value, error))
    {
      g_prefix_error (error, "the secret %s cannot be read; set it again: ", secret->name);
      return false;
    }
  g_ptr_array_add (set->names, g_strdup (secret->name));
  if (value != NULL)
    g_ptr_array_add (set->values, value);
  return true;
}

/* Both lists are ordered by name; of two with the same name that of the deployment counts. */
static bool
merge (VendSecretSet *set, const VendVault *vault, const Source *model, const Source *deployment,
       GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const guint n = deployment->secrets != NULL ? deployment->secrets->len : 0;
  for (guint i = 0, j = 0; i < model->secrets->len || j < n;)
    {
      const VendSecret *of_model
          = i < model->secrets->len ? g_ptr_array_index (model->secrets, i) : NULL;
      const VendSecret *of_deployment = j < n ? g_ptr_array_index (deployment->secrets, j) : NULL;
      const int order = of_model == NULL        ? 1
                        : of_deployment == NULL ? -1
                                                : strcmp (of_model->name, of_deployment->name);
      const VendSecret *taken = order < 0 ? of_model : of_deployment;
      i += order <= 0 ? 1 : 0;
      j += order >= 0 ? 1 : 0;
      g_string_append_printf (text, "%s %s\n", taken->name, taken->sealed);
      if (!add (set, vault, order < 0 ? model : deployment, taken, error))
        return false;
    }
  set->digest = vend_sha256_text (text->str);
  return true;
}

bool
vend_secret_set_read (VendDb *db, const VendVault *vault, int64_t model_id, const char *deployment,
                      VendSecretSet **out, GError **error)
{
  g_autoptr (VendSecretSet) set = g_new0 (VendSecretSet, 1);
  Source model = { VEND_SECRET_OF_MODEL, model_id, NULL };
  Source of_deployment = { VEND_SECRET_OF_DEPLOYMENT, 0, NULL };
  set->names = g_ptr_array_new_with_free_func (g_free);
  set->values = g_ptr_array_new_with_free_func (free_text);
  const bool good
      = vend_store_secret_list (db, model.place, model.id, &model.secrets, error)
        && (deployment == NULL || read_deployment (db, deployment, &of_deployment, error))
        && merge (set, vault, &model, &of_deployment, error);
  g_clear_pointer (&model.secrets, g_ptr_array_unref);
  g_clear_pointer (&of_deployment.secrets, g_ptr_array_unref);
  if (good)
    *out = g_steal_pointer (&set);
  return good;
}
