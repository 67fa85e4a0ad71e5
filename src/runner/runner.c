/* What does not depend on where instances run. */
#include "runner/runner.h"
#include "base/error.h"

void
vend_runner_free (VendRunner *runner)
{
  if (runner != NULL)
    runner->free (runner);
}

typedef struct
{
  GString *specs;
  GError *error;
} Reading;

static bool
add_spec (const char *id, const char *spec, const GError *error, void *data)
{
  Reading *reading = data;
  if (spec != NULL)
    g_string_append (reading->specs, spec);
  else if (!g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    reading->error = g_error_copy (error);
  return reading->error == NULL;
}

bool
vend_runner_read_specs (VendRunner *runner, GString **out, GError **error)
{
  g_autoptr (GString) specs = g_string_new (NULL);
  Reading reading = { specs, NULL };
  if (!runner->list (runner, add_spec, &reading, error))
    return false;
  if (reading.error != NULL)
    {
      g_propagate_error (error, reading.error);
      return false;
    }
  *out = g_steal_pointer (&specs);
  return true;
}

static json_t *
names_of (const json_t *secrets)
{
  json_t *names = json_array ();
  const char *name;
  json_t *value;
  json_object_foreach ((json_t *) secrets, name, value)
    json_array_append_new (names, json_string (name));
  return names;
}

char *
vend_runner_kept_spec (const json_t *spec)
{
  json_auto_t *kept = json_copy ((json_t *) spec);
  json_object_set_new (kept, "secrets", names_of (json_object_get (spec, "secrets")));
  if (json_object_get (kept, VEND_RUNNER_UPLINK) != NULL)
    json_object_set_new (kept, VEND_RUNNER_UPLINK, json_true ());
  return vend_json_text (kept);
}
