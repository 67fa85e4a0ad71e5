/* The spec of a director: from a version's launch record to what the runner is given. */
#include "sched/instance/instance-spec.h"
#include "base/clock.h"
#include "files/weights.h"
#include "model/weight-set.h"
#include "sched/instance/fast-start.h"
#include "sched/instance/instance.h"
#include "sched/instance/isolate.h"
#include "sched/instance/limits.h"
#include "sched/instance/secrets.h"
#include "sched/target/pools.h"
#include "sched/target/target.h"
#include "secrets/secrets.h"

/* Time after which a director without a control plane ends; a control plane that is being replaced
 * is back long before. */
#define ORPHAN_TIMEOUT_US (3600 * G_GINT64_CONSTANT (1000000))

/* Stack of each native thread in bytes; only used pages become memory. */
#define MODEL_SERVER_STACK "16777216"

static void
set_path (json_t *env, const char *venv_bin)
{
  g_autofree char *path = g_strconcat (venv_bin, ":/usr/local/bin:/usr/bin:/bin", NULL);
  vend_json_set_string (env, "PATH", path);
}

static char *
venv_of (const Instance *instance)
{
  const char *key = vend_json_string (instance->target->launch, "venv");
  return g_build_filename (instance->sched->data_dir, "venvs", key != NULL ? key : "", NULL);
}

char *
vend_instance_python (const Instance *instance)
{
  g_autofree char *venv = venv_of (instance);
  return g_build_filename (venv, "bin", "python", NULL);
}

/* For the model, which finds its weights there before its setup. NULL: it has none. */
static char *
weights_path (const Instance *instance)
{
  g_autoptr (VendWeights) weights = vend_weights_of_launch (instance->target->launch);
  return weights != NULL ? vend_weights_path (vend_blobs_dir (instance->sched->blobs), weights)
                         : NULL;
}

bool
vend_instance_place_weights (const Instance *instance, GError **error)
{
  g_autoptr (VendWeights) weights = vend_weights_of_launch (instance->target->launch);
  return weights == NULL || vend_weights_place (instance->sched->blobs, weights, error);
}

GPtrArray *
vend_instance_weight_sets (const Instance *instance)
{
  return vend_weight_sets_of_launch (instance->target->launch);
}

char **
vend_instance_links (const Instance *instance)
{
  g_autoptr (GPtrArray) sets = vend_instance_weight_sets (instance);
  g_autoptr (GPtrArray) links = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < sets->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (sets, i);
      g_ptr_array_add (links, g_strdup (set->target));
      g_ptr_array_add (links, vend_shelf_path (instance->sched->shelf, set));
    }
  g_ptr_array_add (links, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&links), FALSE);
}

static json_t *
links_json (const Instance *instance)
{
  g_auto (GStrv) links = vend_instance_links (instance);
  json_t *object = json_object ();
  for (gsize i = 0; links[i] != NULL; i += 2)
    vend_json_set_string (object, links[i], links[i + 1]);
  return object;
}

char *
vend_instance_source (const Instance *instance, const char *name)
{
  const Target *target = instance->target;
  if (target->image != NULL)
    return g_build_filename (instance->sched->data_dir, "images", target->version, name, NULL);
  return g_build_filename (instance->sched->data_dir, "versions",
                           vend_version_source (target->version, target->launch), name, NULL);
}

/* What an image lacks: it has its Python, its paths and its home itself. */
static json_t *
environment_of_image (const Instance *instance)
{
  json_t *env = json_object ();
  g_autofree char *slots = g_strdup_printf ("%u", instance->slots);
  g_autofree char *gpus = vend_instance_visible_gpus (instance);
  vend_json_set_string (env, "PYTHONUNBUFFERED", "1");
  vend_json_set_string (env, "COG_MAX_CONCURRENCY", slots);
  /* Servers before coglet tell what was printed this often; the default is half a second. */
  vend_json_set_string (env, "COG_THROTTLE_RESPONSE_INTERVAL", "0.05");
  /* It is not the first process of its namespace, and warns of that otherwise. */
  vend_json_set_string (env, "TINI_SUBREAPER", "1");
  if (gpus != NULL)
    vend_json_set_string (env, "CUDA_VISIBLE_DEVICES", gpus);
  return env;
}

bool
vend_instance_spec_add_image (const Instance *instance, json_t *spec, GError **error)
{
  json_auto_t *start = NULL;
  if (instance->target->image == NULL)
    return true;
  if (!vend_images_find (instance->sched->images, instance->target->version, &start, error))
    return false;
  json_t *env = json_deep_copy (json_object_get (start, "env"));
  json_object_update (env, json_object_get (spec, "env"));
  vend_instance_hide_secrets (instance, env);
  json_object_set_new (spec, "env", env);
  json_object_set (spec, "argv", json_object_get (start, "argv"));
  json_object_set_new (spec, "event_streams",
                       json_boolean (vend_json_bool (start, "event_streams", false)));
  json_object_set_new (spec, "root",
                       json_pack ("{s:O, s:O, s:O}", "cwd", json_object_get (start, "cwd"), "uid",
                                  json_object_get (start, "uid"), "gid",
                                  json_object_get (start, "gid")));
  return true;
}

/* The author's variables plus those that coglet needs; none of the server's own, and no secrets, of
 * which only the names are in it. */
json_t *
vend_instance_environment (const Instance *instance)
{
  if (instance->target->image != NULL)
    return environment_of_image (instance);
  g_autofree char *venv = venv_of (instance);
  g_autofree char *venv_bin = g_build_filename (venv, "bin", NULL);
  const Target *target = instance->target;
  const json_t *own = json_object_get (target->launch, "env");
  json_t *env = json_is_object (own) ? json_copy ((json_t *) own) : json_object ();
  const char *predict = vend_json_string (target->launch, "predict");
  const char *train = vend_json_string (target->launch, "train");
  g_autofree char *slots = g_strdup_printf ("%u", instance->slots);
  g_autofree char *home = g_build_filename (instance->sched->data_dir, "home", NULL);
  g_autofree char *gpus = vend_instance_visible_gpus (instance);
  g_autofree char *weights = weights_path (instance);

  vend_instance_hide_secrets (instance, env);
  set_path (env, venv_bin);
  vend_json_set_string (env, "VIRTUAL_ENV", venv);
  vend_json_set_string (env, "HOME", home);
  vend_json_set_string (env, "LANG", "C.UTF-8");
  vend_json_set_string (env, "PYTHONUNBUFFERED", "1");
  /* A crash in native code leaves the Python stack in the logs. */
  vend_json_set_string (env, "PYTHONFAULTHANDLER", "1");
  /* Otherwise onnxruntime reports to its makers, from a thread started by its import. */
  if (json_object_get (env, "ORT_DISABLE_TELEMETRY") == NULL)
    vend_json_set_string (env, "ORT_DISABLE_TELEMETRY", "1");
  /* coglet walks outputs by recursion: with 2 MiB of stack 1,500 nested lists crash it. */
  if (json_object_get (env, "RUST_MIN_STACK") == NULL)
    vend_json_set_string (env, "RUST_MIN_STACK", MODEL_SERVER_STACK);
  if (predict != NULL)
    vend_json_set_string (env, "COG_PREDICT_TYPE_STUB", predict);
  if (train != NULL)
    vend_json_set_string (env, "COG_TRAIN_TYPE_STUB", train);
  vend_json_set_string (env, "COG_MAX_CONCURRENCY", slots);
  if (weights != NULL)
    vend_json_set_string (env, "COG_WEIGHTS", weights);
  if (gpus != NULL)
    vend_json_set_string (env, "CUDA_VISIBLE_DEVICES", gpus);
  return env;
}

/* For the runner, which hands them on without writing them anywhere. */
static json_t *
secrets_json (const Instance *instance)
{
  json_t *object = json_object ();
  const VendSecretSet *set = instance->secrets;
  for (guint i = 0; set != NULL && i < set->names->len; i++)
    vend_json_set_string (object, g_ptr_array_index (set->names, i),
                          g_ptr_array_index (set->values, i));
  return object;
}

json_t *
vend_instance_spec (const Instance *instance)
{
  const Target *target = instance->target;
  const VendSchedLimits *limits = &instance->sched->limits;
  const char *launcher = vend_fast_start_launcher (instance);
  g_autofree char *python = vend_instance_python (instance);
  json_t *env = vend_instance_environment (instance);
  g_autofree char *versions = g_build_filename (instance->sched->data_dir, "versions", NULL);
  g_autofree char *source = vend_instance_source (instance, "src");
  bool train = target->kind == VEND_KIND_TRAINING;

  json_t *spec = json_object ();
  vend_json_set_string (spec, "instance", instance->id);
  vend_json_set_string (spec, "version", target->version);
  vend_json_set_string (spec, "mode", train ? "train" : "predict");
  json_object_set_new (
      spec, "argv",
      json_pack ("[s, s, s]", launcher != NULL ? launcher : python, "-m", "cog.server.http"));
  vend_json_set_string (spec, "source", source);
  vend_json_set_string (spec, "working_copy", instance->sched->working_copy);
  json_object_set_new (
      spec, "read_only",
      json_pack ("[s, s*]", versions,
                 json_object_get (target->launch, "weights") != NULL
                         || json_object_get (target->launch, VEND_LAUNCH_WEIGHTS) != NULL
                     ? vend_blobs_dir (instance->sched->blobs)
                     : NULL));
  json_object_set_new (spec, "links", links_json (instance));
  json_object_set_new (spec, "isolation", vend_isolate_spec (instance));
  vend_fast_start_environment (instance, env);
  json_object_set_new (spec, "env", env);
  vend_json_set_int (spec, "slots", instance->slots);
  vend_json_set_int (spec, "setup_timeout_us", limits->setup_timeout_us);
  vend_json_set_int (spec, "cancel_grace_us", limits->cancel_grace_us);
  vend_json_set_int (spec, "stop_grace_us", limits->stop_grace_us);
  vend_json_set_int (spec, "orphan_timeout_us", ORPHAN_TIMEOUT_US);
  vend_json_set_int (spec, "max_output", (int64_t) limits->max_output);
  vend_json_set_int (spec, "max_output_file", (int64_t) limits->max_output_file);
  vend_json_set_int (spec, "max_input_file", (int64_t) limits->max_input_file);
  vend_json_set_int (spec, "input_timeout_us", limits->input_timeout_us);
  vend_json_set_int (spec, "input_min_speed", (int64_t) limits->input_min_speed);
  vend_json_set_int (spec, "max_logs", (int64_t) limits->max_logs);
  vend_json_set_int (spec, "max_disk", (int64_t) limits->instance_disk);
  vend_json_set_int (spec, "max_home", (int64_t) limits->home_disk);
  vend_json_set_string (spec, "input_allow", instance->sched->input_allow);
  vend_limits_set (instance->sched, target->hardware, spec);
  json_object_set_new (spec, "secrets", secrets_json (instance));
  if (instance->machine != NULL)
    vend_json_set_string (spec, VEND_MACHINE_MEMBER, instance->machine);
  /* For this server after a restart. */
  json_object_set_new (
      spec, "target",
      json_pack ("{s:I, s:s, s:s*, s:i, s:s, s:I, s:o, s:o, s:I, s:b, s:s}", "model_id",
                 (json_int_t) target->model_id, "model", target->name, "deployment",
                 target->deployment, "kind", (int) target->kind, "hardware", target->hardware,
                 "created_us", (json_int_t) vend_wall_of (instance->created_us), "gpus",
                 vend_instance_gpus_json (instance), "scaling",
                 vend_scaling_to_json (&target->own, false), "account_id",
                 (json_int_t) instance->billing.account_id, "billed", instance->billing.instances,
                 "secrets", vend_instance_secrets_digest (instance)));
  return spec;
}

const json_t *
vend_instance_spec_target (const json_t *spec)
{
  const json_t *target = json_object_get (spec, "target");
  /* Directors of an older Vend live on. */
  return target != NULL ? target : json_object_get (spec, "deployable");
}
