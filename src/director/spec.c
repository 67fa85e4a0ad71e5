/* What a director runs: DIR/spec.json. */
#include "director/spec.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "model/weight-set.h"
#include "runner/runner.h"
#include <string.h>

void
vend_spec_free (VendSpec *spec)
{
  if (spec == NULL)
    return;
  g_free (spec->instance);
  g_free (spec->version);
  g_strfreev (spec->argv);
  g_free (spec->model_server);
  g_free (spec->source);
  g_free (spec->isolation_why);
  g_free (spec->home);
  g_free (spec->root_cwd);
  g_free (spec->room_life);
  g_free (spec->room_folder);
  g_strfreev (spec->read_only);
  g_strfreev (spec->links);
  g_strfreev (spec->env);
  g_strfreev (spec->secrets);
  vend_cgroups_free (spec->cgroups);
  vend_networks_free (spec->input_allow);
  vend_networks_free (spec->network_allow);
  g_free (spec);
}

static bool
read_text (const json_t *document, const char *key, char **out, GError **error)
{
  const char *text = vend_json_string (document, key);
  if (text == NULL || *text == '\0')
    return vend_fail (error, VEND_ERROR_INVALID, "spec: '%s' is missing", key);
  *out = g_strdup (text);
  return true;
}

static bool
read_texts (const json_t *document, const char *key, char ***out, GError **error)
{
  const json_t *items = json_object_get (document, key);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  for (size_t i = 0; i < json_array_size (items); i++)
    {
      const char *item = json_string_value (json_array_get (items, i));
      if (item == NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "spec: '%s' holds something not a string",
                          key);
      g_ptr_array_add (texts, g_strdup (item));
    }
  g_ptr_array_add (texts, NULL);
  *out = (char **) g_ptr_array_free (g_steal_pointer (&texts), FALSE);
  return true;
}

static bool
read_argv (const json_t *document, char ***out, GError **error)
{
  if (json_array_size (json_object_get (document, "argv")) == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "spec: 'argv' is missing or empty");
  return read_texts (document, "argv", out, error);
}

static bool
read_model_server (const json_t *document, char **out, GError **error)
{
  const char *word = vend_json_string (document, "model_server");
  if (word != NULL && strcmp (word, "http") != 0 && strcmp (word, "worker") != 0)
    return vend_fail (error, VEND_ERROR_INVALID, "spec: 'model_server' must be http or worker");
  *out = g_strdup (word);
  return true;
}

static bool
read_copy_kind (const json_t *document, VendCopyKind *out, GError **error)
{
  const char *word = vend_json_string (document, "working_copy");
  return word == NULL || vend_copy_kind_parse (word, out)
         || vend_fail (error, VEND_ERROR_INVALID, "spec: 'working_copy' must be " VEND_COPY_KINDS);
}

static bool
read_env (const json_t *document, char ***out, GError **error)
{
  json_t *members = json_object_get (document, "env");
  g_auto (GStrv) env = g_new0 (char *, 1);
  const char *key;
  json_t *value;
  json_object_foreach (members, key, value)
    {
      if (!json_is_string (value) || *key == '\0' || strchr (key, '=') != NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "spec: 'env' member '%s' is wrong", key);
      env = g_environ_setenv (g_steal_pointer (&env), key, json_string_value (value), TRUE);
    }
  *out = g_steal_pointer (&env);
  return true;
}

/* {"weights": "/data/blobs/sets/…"} */
static bool
read_links (const json_t *document, char ***out, GError **error)
{
  json_t *members = json_object_get (document, "links");
  g_autoptr (GPtrArray) links = g_ptr_array_new_with_free_func (g_free);
  const char *key;
  json_t *value;
  json_object_foreach (members, key, value)
    {
      const char *to = json_string_value (value);
      if (to == NULL || !g_path_is_absolute (to) || !vend_weight_path_is_good (key))
        return vend_fail (error, VEND_ERROR_INVALID, "spec: 'links' member '%s' is wrong", key);
      g_ptr_array_add (links, g_strdup (key));
      g_ptr_array_add (links, g_strdup (to));
    }
  g_ptr_array_add (links, NULL);
  *out = (char **) g_ptr_array_free (g_steal_pointer (&links), FALSE);
  return true;
}

static void
read_limits (const json_t *document, VendSpec *spec)
{
  const json_t *limits = json_object_get (document, "limits");
  spec->cgroups = vend_cgroups_from_json (json_object_get (document, "cgroups"));
  spec->limits.memory = (uint64_t) MAX (vend_json_int (limits, "memory", 0), 0);
  spec->limits.cpus = MAX (vend_json_double (limits, "cpus", 0), 0);
  spec->limits.processes = (guint) CLAMP (vend_json_int (limits, "processes", 0), 0, G_MAXINT32);
  spec->process_data = (uint64_t) MAX (vend_json_int (limits, "process_data", 0), 0);
  spec->user_processes = (uint64_t) MAX (vend_json_int (limits, "user_processes", 0), 0);
}

/* Directors of an older server have none. */
static bool
read_isolation (const json_t *document, VendSpec *spec, GError **error)
{
  const json_t *isolation = json_object_get (document, "isolation");
  const char *kind = vend_json_string (isolation, "kind");
  const char *network = vend_json_string (isolation, "network");
  spec->isolation = VEND_ISOLATION_NONE;
  if (kind != NULL && !vend_isolation_parse (kind, &spec->isolation))
    return vend_fail (error, VEND_ERROR_INVALID, "spec: 'isolation' has an unknown 'kind'");
  if (network != NULL && !vend_network_parse (network, &spec->network))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "spec: 'network' of 'isolation' must be " VEND_NETWORK_KINDS);
  spec->needs_sandbox = vend_json_bool (isolation, "required", false);
  spec->isolation_why = g_strdup (vend_json_string (isolation, "why"));
  spec->home = g_strdup (vend_json_string (isolation, "home"));
  const json_t *room = json_object_get (isolation, "room");
  const int64_t first = vend_json_int (room, "first", 0);
  if (first > 0 && first < G_MAXINT32)
    {
      spec->room_life = g_strdup (vend_json_string (room, "life"));
      spec->room_folder = g_strdup (vend_json_string (room, "folder"));
      spec->room_first = (pid_t) first;
    }
  if (!vend_networks_parse (vend_json_string (isolation, "network_allow"), "spec: 'network_allow'",
                            &spec->network_allow, error))
    return false;
  const int64_t user = vend_json_int (isolation, "user", 0);
  if (user < 0 || user >= G_MAXINT32)
    return vend_fail (error, VEND_ERROR_INVALID, "spec: 'user' of 'isolation' is wrong");
  spec->model_user = spec->isolation == VEND_ISOLATION_SANDBOX ? (uid_t) user : 0;
  return true;
}

/* {"cwd": "/src", "uid": 0, "gid": 0} */
static bool
read_root (const json_t *document, VendSpec *spec, GError **error)
{
  const json_t *root = json_object_get (document, "root");
  const int64_t uid = vend_json_int (root, "uid", 0);
  const int64_t gid = vend_json_int (root, "gid", 0);
  spec->event_streams = vend_json_bool (document, "event_streams", true);
  spec->has_root = root != NULL;
  if (!spec->has_root)
    return true;
  if (!read_text (root, "cwd", &spec->root_cwd, error))
    return false;
  if (uid < 0 || uid >= G_MAXINT32 || gid < 0 || gid >= G_MAXINT32
      || !g_path_is_absolute (spec->root_cwd))
    return vend_fail (error, VEND_ERROR_INVALID, "spec: 'root' is wrong");
  spec->root_uid = (uid_t) uid;
  spec->root_gid = (gid_t) gid;
  return true;
}

bool
vend_spec_parse (const json_t *document, VendSpec **out, GError **error)
{
  g_autoptr (VendSpec) spec = g_new0 (VendSpec, 1);
  const int64_t mib = G_GINT64_CONSTANT (1) << 20;

  if (!read_text (document, "instance", &spec->instance, error)
      || !read_text (document, "version", &spec->version, error)
      || !read_text (document, "source", &spec->source, error)
      || !read_texts (document, "read_only", &spec->read_only, error)
      || !read_links (document, &spec->links, error)
      || !read_copy_kind (document, &spec->copy_kind, error)
      || !read_argv (document, &spec->argv, error)
      || !read_model_server (document, &spec->model_server, error)
      || !read_env (document, &spec->env, error)
      || !read_texts (document, "secrets", &spec->secrets, error)
      || !read_isolation (document, spec, error) || !read_root (document, spec, error)
      || !vend_networks_parse (vend_json_string (document, "input_allow"), "spec: 'input_allow'",
                               &spec->input_allow, error))
    return false;

  spec->has_uplink = json_object_get (document, VEND_RUNNER_UPLINK) != NULL;
  const int64_t slots = vend_json_int (document, "slots", 1);
  if (slots < 1 || slots > VEND_SPEC_MAX_SLOTS)
    return vend_fail (error, VEND_ERROR_INVALID, "spec: 'slots' must be 1 to %d",
                      VEND_SPEC_MAX_SLOTS);
  spec->slots = (guint) slots;
  spec->train = g_strcmp0 (vend_json_string (document, "mode"), "train") == 0;

  const struct
  {
    const char *key;
    int64_t fallback;
    void *out;
  } numbers[] = {
    { "setup_timeout_us", 600 * VEND_US_PER_S, &spec->setup_timeout_us },
    { "cancel_grace_us", 30 * VEND_US_PER_S, &spec->cancel_grace_us },
    { "stop_grace_us", 10 * VEND_US_PER_S, &spec->stop_grace_us },
    { "orphan_timeout_us", 3600 * VEND_US_PER_S, &spec->orphan_timeout_us },
    { "max_output", 64 * mib, &spec->max_output },
    { "max_output_file", 10240 * mib, &spec->max_output_file },
    { "max_input_file", 10240 * mib, &spec->max_input_file },
    { "input_timeout_us", 900 * VEND_US_PER_S, &spec->input_timeout_us },
    { "input_stall_us", 30 * VEND_US_PER_S, &spec->input_stall_us },
    { "input_min_speed", 1024, &spec->input_min_speed },
    { "max_logs", mib, &spec->max_logs },
    { "max_disk", 0, &spec->max_disk },
    { "max_home", 0, &spec->max_home },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      const int64_t number = vend_json_int (document, numbers[i].key, numbers[i].fallback);
      if (number < 0)
        return vend_fail (error, VEND_ERROR_INVALID, "spec: '%s' is negative", numbers[i].key);
      memcpy (numbers[i].out, &number, sizeof number);
    }
  read_limits (document, spec);
  *out = g_steal_pointer (&spec);
  return true;
}

bool
vend_spec_load (const char *dir, VendSpec **out, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "spec.json", NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *document = NULL;
  if (!vend_file_read (path, VEND_SPEC_MAX_SIZE, &text, &size, error))
    return false;
  if (!vend_json_parse (text, size, &document, error) || !vend_spec_parse (document, out, error))
    {
      g_prefix_error (error, "'%s': ", path);
      return false;
    }
  return true;
}
