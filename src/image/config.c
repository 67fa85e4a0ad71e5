/* The part of an image's config that is about its start. */
#include "image/config.h"
#include "base/error.h"
#include <string.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void
vend_image_config_free (VendImageConfig *config)
{
  if (config == NULL)
    return;
  g_strfreev (config->argv);
  json_decref (config->env);
  g_free (config->cwd);
  g_free (config->user);
  g_free (config);
}

static bool
add_words (const json_t *config, const char *key, GPtrArray *out, GError **error)
{
  const json_t *words = json_object_get (config, key);
  if (words == NULL || json_is_null (words))
    return true;
  for (size_t i = 0; i < json_array_size (words); i++)
    {
      const char *word = json_string_value (json_array_get (words, i));
      if (word == NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "config.%s: expected a list of strings", key);
      g_ptr_array_add (out, g_strdup (word));
    }
  return json_is_array (words)
         || vend_fail (error, VEND_ERROR_INVALID, "config.%s: expected a list of strings", key);
}

static bool
read_argv (const json_t *config, char ***out, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  if (!add_words (config, "Entrypoint", words, error) || !add_words (config, "Cmd", words, error))
    return false;
  if (words->len == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the image has neither an entry point nor a command");
  g_ptr_array_add (words, NULL);
  *out = (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
  return true;
}

static bool
read_env (const json_t *config, json_t *out, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  vend_json_set_string (out, "PATH", DEFAULT_PATH);
  if (!add_words (config, "Env", words, error))
    return false;
  for (guint i = 0; i < words->len; i++)
    {
      g_auto (GStrv) pair = g_strsplit (g_ptr_array_index (words, i), "=", 2);
      if (g_strv_length (pair) != 2 || *pair[0] == '\0')
        return vend_fail (error, VEND_ERROR_INVALID, "config.Env: expected NAME=value");
      vend_json_set_string (out, pair[0], pair[1]);
    }
  return true;
}

static bool
read_cwd (const json_t *config, char **out, GError **error)
{
  const char *cwd = vend_json_string (config, "WorkingDir");
  if (cwd == NULL || *cwd == '\0')
    cwd = "/";
  if (!g_path_is_absolute (cwd))
    return vend_fail (error, VEND_ERROR_INVALID, "config.WorkingDir: expected an absolute path");
  *out = g_strdup (cwd);
  return true;
}

bool
vend_image_config_parse (const char *text, gsize size, VendImageConfig **out, GError **error)
{
  json_auto_t *object = NULL;
  g_autoptr (VendImageConfig) config = g_new0 (VendImageConfig, 1);
  if (!vend_json_parse (text, size, &object, error))
    return false;
  const json_t *member = json_object_get (object, "config");
  const char *user = vend_json_string (member, "User");
  config->env = json_object ();
  config->user = g_strdup (user != NULL ? user : "");
  if (!read_argv (member, &config->argv, error) || !read_env (member, config->env, error)
      || !read_cwd (member, &config->cwd, error))
    return false;
  *out = g_steal_pointer (&config);
  return true;
}
