/* Deployments: a stable name for a version with hardware and bounds; each change is a release.
 * Plain values. */
#include "model/deployment.h"
#include "base/clock.h"
#include "base/hash.h"
#include "model/hardware.h"
#include "model/model.h"
#include <string.h>

#define MAX_TEXT 256

VendRelease *
vend_release_copy (const VendRelease *release)
{
  VendRelease *copy = g_new0 (VendRelease, 1);
  *copy = *release;
  copy->model = g_strdup (release->model);
  copy->version = g_strdup (release->version);
  copy->hardware = g_strdup (release->hardware);
  copy->token_id = g_strdup (release->token_id);
  copy->token_name = g_strdup (release->token_name);
  return copy;
}

void
vend_release_free (VendRelease *release)
{
  if (release == NULL)
    return;
  g_free (release->model);
  g_free (release->version);
  g_free (release->hardware);
  g_free (release->token_id);
  g_free (release->token_name);
  g_free (release);
}

VendScaling
vend_release_scaling (const VendRelease *release)
{
  VendScaling scaling = release->scaling;
  scaling.min_instances = release->min_instances;
  scaling.max_instances = release->max_instances;
  return scaling;
}

bool
vend_release_runs_like (const VendRelease *a, const VendRelease *b)
{
  return a->model_id == b->model_id && strcmp (a->version, b->version) == 0
         && strcmp (a->hardware, b->hardware) == 0
         && vend_scaling_runs_like (&a->scaling, &b->scaling);
}

void
vend_deployment_free (VendDeployment *deployment)
{
  if (deployment == NULL)
    return;
  g_free (deployment->owner);
  g_free (deployment->name);
  vend_release_free (deployment->current);
  vend_release_free (deployment->serving);
  g_free (deployment);
}

char *
vend_deployment_full_name (const VendDeployment *deployment)
{
  return g_strdup_printf ("%s/%s", deployment->owner, deployment->name);
}

static json_t *
to_json (const VendRelease *release, const VendAccount *creator, const char *origin)
{
  json_t *current = json_object ();
  vend_json_set_int (current, "number", release->number);
  vend_json_set_string (current, "model", release->model);
  vend_json_set_string (current, "version", release->version);
  vend_json_set_time (current, "created_at", release->created_us);
  json_object_set_new (current, "created_by", vend_account_to_json (creator, origin));
  json_t *configuration = json_object ();
  const VendScaling scaling = vend_release_scaling (release);
  vend_json_set_string (configuration, "hardware", release->hardware);
  vend_scaling_set (configuration, &scaling, false);
  json_object_set_new (current, "configuration", configuration);
  return current;
}

json_t *
vend_release_to_json (const VendRelease *release, const VendAccount *creator, const char *origin)
{
  json_t *shown = to_json (release, creator, origin);
  json_object_set_new (shown, "token",
                       release->token_name != NULL ? json_string (release->token_name)
                                                   : json_null ());
  return shown;
}

json_t *
vend_deployment_to_json (const VendDeployment *deployment, const VendAccount *creator,
                         const char *origin)
{
  return json_pack ("{s:s, s:s, s:o}", "owner", deployment->owner, "name", deployment->name,
                    "current_release", to_json (deployment->current, creator, origin));
}

/* ---- Requests */

void
vend_problem_add (json_t *problems, const char *type, const char *field, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *description = g_strdup_vprintf (format, args);
  va_end (args);
  json_t *problem = json_object ();
  vend_json_set_string (problem, "type", type);
  vend_json_set_string (problem, "field", field);
  vend_json_set_string (problem, "description", description);
  json_array_append_new (problems, problem);
}

static bool
is_there (const json_t *body, const char *key, bool required, json_t *problems)
{
  const json_t *value = json_object_get (body, key);
  if (value != NULL && !json_is_null (value))
    return true;
  if (required)
    vend_problem_add (problems, "required", key, "%s is required", key);
  return false;
}

static const char *
read_text (const json_t *body, const char *key, bool required, json_t *problems)
{
  if (!is_there (body, key, required, problems))
    return NULL;
  const json_t *value = json_object_get (body, key);
  if (!json_is_string (value))
    vend_problem_add (problems, "invalid_type", key, "Invalid type. Expected: string");
  else if (json_string_length (value) > MAX_TEXT)
    vend_problem_add (problems, "string_lte", key, "String length must be at most %d", MAX_TEXT);
  else
    return json_string_value (value);
  return NULL;
}

static int64_t
read_count (const json_t *body, const char *key, int64_t most, bool required, json_t *problems)
{
  if (!is_there (body, key, required, problems))
    return -1;
  const json_t *value = json_object_get (body, key);
  if (!json_is_integer (value))
    vend_problem_add (problems, "invalid_type", key, "Invalid type. Expected: integer");
  else if (json_integer_value (value) < 0)
    vend_problem_add (problems, "number_gte", key, "Must be greater than or equal to 0");
  else if (json_integer_value (value) > most)
    vend_problem_add (problems, "number_lte", key,
                      "Must be less than or equal to %" G_GINT64_FORMAT, most);
  else
    return json_integer_value (value);
  return -1;
}

/* Users of the clients may write the owner too. */
static const char *
without_owner (const char *name, const char *owner)
{
  gsize size = strlen (owner);
  return g_str_has_prefix (name, owner) && name[size] == '/' ? name + size + 1 : name;
}

void
vend_deployment_request_read (const json_t *body, bool create, const char *owner,
                              const json_t *hardware, VendDeploymentRequest *out, json_t *problems)
{
  g_autoptr (GError) error = NULL;
  *out = (VendDeploymentRequest){
    .name = create ? read_text (body, "name", true, problems) : NULL,
    .model = read_text (body, "model", create, problems),
    .version = read_text (body, "version", create, problems),
    .hardware = read_text (body, "hardware", create, problems),
    .min_instances
    = read_count (body, "min_instances", VEND_DEPLOYMENT_MAX_MIN_INSTANCES, create, problems),
    .max_instances
    = read_count (body, "max_instances", VEND_DEPLOYMENT_MAX_MAX_INSTANCES, create, problems),
  };
  vend_scaling_read (body, false, &out->scaling, problems);
  if (out->name != NULL)
    {
      out->name = without_owner (out->name, owner);
      if (!vend_name_check (NULL, out->name, &error))
        vend_problem_add (problems, "pattern", "name", "%s", error->message);
    }
  if (out->version != NULL && !vend_is_sha256_hex (out->version))
    {
      vend_problem_add (problems, "pattern", "version",
                        "expected the 64 characters of a version's id");
      out->version = NULL;
    }
  if (out->hardware != NULL && !vend_hardware_has (hardware, out->hardware))
    {
      g_autofree char *skus = vend_hardware_skus (hardware);
      vend_problem_add (problems, "enum", "hardware", "there is no '%.100s'; expected one of: %s",
                        out->hardware, skus);
    }
}

static bool
replace (char **field, const char *text)
{
  if (text == NULL || g_strcmp0 (*field, text) == 0)
    return false;
  g_free (*field);
  *field = g_strdup (text);
  return true;
}

static bool
replace_count (int64_t *field, int64_t count)
{
  if (count < 0 || *field == count)
    return false;
  *field = count;
  return true;
}

bool
vend_release_apply (VendRelease *release, const VendDeploymentRequest *request)
{
  bool changed = replace (&release->version, request->version);
  changed |= replace (&release->hardware, request->hardware);
  changed |= replace_count (&release->min_instances, request->min_instances);
  changed |= replace_count (&release->max_instances, request->max_instances);
  changed |= vend_scaling_apply (&release->scaling, &request->scaling);
  return changed;
}

void
vend_release_check (const VendRelease *release, json_t *problems)
{
  if (release->min_instances > release->max_instances)
    vend_problem_add (problems, "number_lte", "min_instances",
                      "min_instances (%" G_GINT64_FORMAT
                      ") must not be greater than max_instances (%" G_GINT64_FORMAT ")",
                      release->min_instances, release->max_instances);
}
