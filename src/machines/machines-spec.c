/* Specs of instances, as another machine can use them. Pure. */
#include "machines/machines-private.h"
#include <string.h>

static bool
begins_path (const char *text, const char *at)
{
  return at == text || at[-1] == ':' || at[-1] == '=';
}

static bool
ends_name (char next)
{
  return next == '\0' || next == '/' || next == ':';
}

static char *
rebase_text (const char *text, const char *from, const char *to)
{
  const gsize length = strlen (from);
  GString *out = g_string_new (NULL);
  const char *rest = text;
  for (const char *at; (at = strstr (rest, from)) != NULL; rest = at + length)
    {
      g_string_append_len (out, rest, at - rest);
      g_string_append (out, begins_path (text, at) && ends_name (at[length]) ? to : from);
    }
  g_string_append (out, rest);
  return g_string_free (out, FALSE);
}

json_t *
machines_spec_rebase (const json_t *spec, const char *from, const char *to)
{
  const char *key;
  json_t *item, *made;
  size_t i;
  if (json_is_string (spec))
    {
      g_autofree char *text = rebase_text (json_string_value (spec), from, to);
      return json_string (text);
    }
  if (json_is_object (spec))
    {
      made = json_object ();
      json_object_foreach ((json_t *) spec, key, item)
        json_object_set_new (made, key, machines_spec_rebase (item, from, to));
      return made;
    }
  if (!json_is_array (spec))
    return json_incref ((json_t *) spec);
  made = json_array ();
  json_array_foreach ((json_t *) spec, i, item)
    json_array_append_new (made, machines_spec_rebase (item, from, to));
  return made;
}

static void
add_tree (GPtrArray *trees, const char *data_dir, const char *path)
{
  const gsize length = strlen (data_dir);
  if (path != NULL && strncmp (path, data_dir, length) == 0 && path[length] == '/')
    g_ptr_array_add (trees, g_strdup (path + length + 1));
}

GPtrArray *
machines_spec_trees (const char *data_dir, const json_t *spec)
{
  GPtrArray *trees = g_ptr_array_new_with_free_func (g_free);
  const json_t *env = json_object_get (spec, "env");
  const char *place;
  json_t *target;
  add_tree (trees, data_dir, vend_json_string (spec, "source"));
  add_tree (trees, data_dir, vend_json_string (env, "VIRTUAL_ENV"));
  add_tree (trees, data_dir, vend_json_string (env, "COG_WEIGHTS"));
  json_object_foreach (json_object_get (spec, "links"), place, target)
    add_tree (trees, data_dir, json_string_value (target));
  return trees;
}

/* Control groups are this machine's: memory is bounded for each process there. */
static void
set_limits (json_t *spec)
{
  json_t *limits = json_object_get (spec, "limits");
  json_object_del (spec, "cgroups");
  if (limits == NULL)
    return;
  json_t *own = json_copy (limits);
  vend_json_set_int (own, "process_data", vend_json_int (limits, "memory", 0));
  vend_json_set_int (own, "user_processes", 0);
  json_object_set_new (spec, "limits", own);
}

json_t *
machines_spec_portable (const char *data_dir, const json_t *spec)
{
  json_t *portable = machines_spec_rebase (spec, data_dir, MACHINES_DATA);
  /* Values of secrets are the owner's, whatever they look like. */
  if (json_object_get (spec, "secrets") != NULL)
    json_object_set (portable, "secrets", json_object_get (spec, "secrets"));
  json_object_del (portable, "target");
  set_limits (portable);
  return portable;
}
