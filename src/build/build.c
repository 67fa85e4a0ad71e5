/* A build: the steps from packed source to a version, in order. Blocking; one build a process. */
#include "build/build.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "build/build-private.h"
#include "build/card.h"
#include "build/cog-yaml.h"
#include "build/export-spec.h"
#include "build/image-build.h"
#include "build/import.h"
#include "build/interpreter.h"
#include "build/manifest.h"
#include "build/requirements.h"
#include "build/resolve.h"
#include "build/run-command.h"
#include "build/schema.h"
#include "build/smoke.h"
#include "build/system-packages.h"
#include "build/unpack.h"
#include "build/venv.h"
#include "build/weights-step.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Results that the steps hand on. */
typedef struct
{
  VendBuildContext context;
  VendBundleManifest *archive; /* of an import; else NULL */
  VendCogYaml *yaml;
  VendCard *card;
  char *source_digest;
  VendInterpreter *interpreter;
  VendRequirements *requirements;
  char *resolved;
  VendVenv *venv;
  VendSchema *schema;
  GPtrArray *weights; /* of VendWeightSet; NULL: none */
  json_t *launch;
  VendImageBuild *image_build; /* NULL: none */
  json_t *image;
} Build;

static void
build_clear (Build *build)
{
  g_clear_pointer (&build->archive, vend_bundle_manifest_free);
  g_clear_pointer (&build->yaml, vend_cog_yaml_free);
  g_clear_pointer (&build->card, vend_card_free);
  g_clear_pointer (&build->source_digest, g_free);
  g_clear_pointer (&build->interpreter, vend_interpreter_free);
  g_clear_pointer (&build->requirements, vend_requirements_free);
  g_clear_pointer (&build->resolved, g_free);
  g_clear_pointer (&build->venv, vend_venv_free);
  g_clear_pointer (&build->schema, vend_schema_free);
  g_clear_pointer (&build->weights, g_ptr_array_unref);
  g_clear_pointer (&build->launch, json_decref);
  g_clear_pointer (&build->image_build, vend_image_build_free);
  g_clear_pointer (&build->image, json_decref);
  vend_build_context_clear (&build->context);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Build, build_clear)

void
vend_build_result_free (VendBuildResult *result)
{
  if (result == NULL)
    return;
  g_free (result->version_id);
  json_decref (result->manifest);
  json_decref (result->openapi);
  json_decref (result->launch);
  json_decref (result->card);
  json_decref (result->import);
  json_decref (result->image);
  g_free (result);
}

/* What was pushed, before anything else is made there: an export needs it. */
static bool
list_source (Build *build, GError **error)
{
  const VendBuildContext *context = &build->context;
  g_autofree char *path = g_build_filename (context->spec->staging_dir, VEND_SOURCE_LIST, NULL);
  g_autofree char *text = NULL;
  if (!vend_source_text (context->source_dir, &text, error)
      || !vend_file_replace (path, text, strlen (text), 0600, error))
    return false;
  build->source_digest = vend_sha256_text (text);
  return true;
}

static bool
unpack (Build *build, GError **error)
{
  const VendBuildContext *context = &build->context;
  const VendBuildSpec *spec = context->spec;
  const VendUnpackLimits limits = { spec->max_source_bytes, spec->max_source_files };
  g_autofree char *generated = g_build_filename (context->source_dir, ".cog", NULL);
  /* Only what is made here may count as the model's schema. */
  return vend_unpack (spec->archive, context->source_dir, &limits, error)
         && vend_tree_remove (generated, error) && vend_build_weights_set_aside (context, error)
         && list_source (build, error);
}

static bool
unpack_export (Build *build, GError **error)
{
  if (!vend_import_unpack (&build->context, &build->archive, error) || !list_source (build, error))
    return false;
  return g_strcmp0 (build->source_digest, vend_json_string (build->archive->pushed, "source")) == 0
         || vend_fail (error, VEND_ERROR_INTERNAL, "the source is not the one of the archive");
}

static bool
fail_with (const GPtrArray *problems, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < problems->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "",
                            (const char *) g_ptr_array_index (problems, i));
  return vend_fail (error, VEND_ERROR_INVALID, "%s", text->str);
}

static bool
read_cog_yaml (Build *build, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  build->yaml = build->context.spec->as_image
                    ? vend_cog_yaml_load_for_image (build->context.source_dir, problems, warnings)
                    : vend_cog_yaml_load (build->context.source_dir, problems, warnings);
  for (guint i = 0; i < warnings->len; i++)
    vend_build_say (&build->context, "warning: %s", (const char *) g_ptr_array_index (warnings, i));
  if (build->yaml == NULL)
    {
      if (problems->len == 0)
        return vend_fail (error, VEND_ERROR_INVALID, "cog.yaml is wrong");
      return fail_with (problems, error);
    }
  /* An archive brings what the commands made. */
  if (build->yaml->run[0] != NULL && !build->context.spec->allow_build_run && build->archive == NULL
      && !build->context.spec->as_image)
    return vend_fail (error, VEND_ERROR_FORBIDDEN,
                      "cog.yaml: build.run: commands are not run on this server itself; build the "
                      "model as an image, 'vend push --image', or let the server's operator allow "
                      "them with --allow-build-run");
  return true;
}

/* Before any command runs, which could change the files that it names. */
static bool
read_card (Build *build, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  build->card = vend_card_load (build->context.source_dir, problems, warnings);
  for (guint i = 0; i < warnings->len; i++)
    vend_build_say (&build->context, "warning: %s", (const char *) g_ptr_array_index (warnings, i));
  return build->card != NULL || fail_with (problems, error);
}

static bool
take_weights_of_archive (Build *build, GError **error)
{
  build->weights = g_ptr_array_ref (build->archive->sets);
  return vend_build_weights_of_archive (&build->context, build->yaml, build->weights, error);
}

static bool
fetch_weights (Build *build, GError **error)
{
  return vend_build_weights_fetch (&build->context, build->yaml, &build->weights, error);
}

static bool
check_examples (Build *build, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  return vend_card_check_inputs (build->card, build->schema->openapi, problems)
         || fail_with (problems, error);
}

static bool
check_system (Build *build, GError **error)
{
  return vend_system_packages_check (&build->context, build->yaml->system_packages, error);
}

static bool
find_python (Build *build, GError **error)
{
  vend_build_context_find_uv (&build->context);
  return vend_interpreter_find (&build->context, build->yaml->python_version, &build->interpreter,
                                error);
}

static bool
find_python_of_archive (Build *build, GError **error)
{
  vend_build_context_find_uv (&build->context);
  return vend_interpreter_find (&build->context, build->archive->python, &build->interpreter, error)
         && vend_import_check_python (&build->context, build->archive, build->interpreter, error);
}

static bool
install_archive (Build *build, GError **error)
{
  return vend_import_install (&build->context, build->archive, build->interpreter, &build->venv,
                              error)
         && vend_import_add_made (&build->context, build->archive, error);
}

static bool
resolve (Build *build, GError **error)
{
  const VendBuildContext *context = &build->context;
  const VendCogYaml *yaml = build->yaml;
  return vend_requirements_read (context->source_dir, yaml->python_requirements,
                                 yaml->python_packages, &build->requirements, error)
         && vend_resolve (context, build->interpreter, build->requirements, &build->resolved,
                          error);
}

/* Commands may change the environment, and packages of the project are part of it: such an
 * environment is shared only by builds that have the same. */
static char *
venv_salt (const Build *build)
{
  g_autoptr (GString) salt = g_string_new (NULL);
  if (build->requirements->has_local || build->yaml->run[0] != NULL)
    g_string_append_printf (salt, "source %s\n", build->source_digest);
  for (gsize i = 0; build->yaml->run[i] != NULL; i++)
    g_string_append_printf (salt, "run %s\n", build->yaml->run[i]);
  return g_string_free (g_steal_pointer (&salt), FALSE);
}

static bool
install (Build *build, GError **error)
{
  g_autofree char *salt = venv_salt (build);
  const VendVenvRequest request = { .resolved = build->resolved,
                                    .options = build->requirements->options->str,
                                    .torch_index = vend_resolve_torch_index (build->requirements),
                                    .salt = salt,
                                    .with_pip = build->yaml->run[0] != NULL };
  return vend_venv_ensure (&build->context, build->interpreter, &request, &build->venv, error);
}

static bool
run_commands (Build *build, GError **error)
{
  const VendBuildContext *context = &build->context;
  g_auto (GStrv) env = vend_build_venv_env (context, build->venv->dir);
  for (gsize i = 0; build->yaml->run[i] != NULL; i++)
    {
      const char *const argv[] = { "/bin/sh", "-c", build->yaml->run[i], NULL };
      const VendChildOptions options = { .argv = argv,
                                         .env = (const char *const *) env,
                                         .cwd = context->source_dir,
                                         .on_line = context->log,
                                         .data = context->log_data };
      vend_build_say (context, "$ %s", build->yaml->run[i]);
      if (!vend_child_run (&options, "the command", NULL, error))
        {
          g_autofree char *advice = vend_run_command_advice (build->yaml->run[i]);
          g_prefix_error (error, "build.run: '%s': ", build->yaml->run[i]);
          if (advice != NULL && error != NULL && *error != NULL)
            {
              g_autofree char *said = g_strdup ((*error)->message);
              g_clear_error (error);
              return vend_fail (error, VEND_ERROR_RUNNER,
                                "%s. Note: %s. 'vend push --image' runs it in an image", said,
                                advice);
            }
          return false;
        }
    }
  return true;
}

static bool
read_schema (Build *build, GError **error)
{
  return vend_schema_make (&build->context, build->venv->python, build->yaml, &build->schema,
                           error);
}

/* ---- An image */

static bool
image_base (Build *build, GError **error)
{
  return vend_image_build_new (&build->context, build->yaml, &build->image_build, error)
         && vend_image_build_base (build->image_build, error);
}

static bool
image_source (Build *build, GError **error)
{
  return vend_image_build_source (build->image_build, error);
}

static bool
image_system (Build *build, GError **error)
{
  return vend_image_build_system (build->image_build, error);
}

static bool
image_packages (Build *build, GError **error)
{
  return vend_image_build_packages (build->image_build, error);
}

static bool
image_commands (Build *build, GError **error)
{
  return vend_image_build_commands (build->image_build, error);
}

static bool
image_schema (Build *build, GError **error)
{
  return vend_image_build_schema (build->image_build, &build->schema, error);
}

static bool
image_write (Build *build, GError **error)
{
  return vend_image_build_write (build->image_build, build->schema, &build->image, error);
}

static VendBuildResult *
image_result (const Build *build)
{
  const char *manifest = vend_json_string (build->image, "manifest");
  VendBuildResult *result = g_new0 (VendBuildResult, 1);
  result->version_id = vend_sha256_text (manifest);
  result->manifest = json_object ();
  result->openapi = json_incref (build->schema->openapi);
  result->launch = json_object ();
  result->card = build->card != NULL ? json_incref (build->card->content) : json_object ();
  result->image = json_incref (build->image);
  return result;
}

/* ---- The result */

static json_t *
launch_document (const Build *build)
{
  const VendCogYaml *yaml = build->yaml;
  json_t *launch = json_object ();
  json_t *env = json_object ();
  for (gsize i = 0; yaml->environment[i] != NULL; i++)
    {
      g_auto (GStrv) pair = g_strsplit (yaml->environment[i], "=", 2);
      if (pair[0] != NULL && pair[1] != NULL)
        vend_json_set_string (env, pair[0], pair[1]);
    }
  int concurrency = yaml->concurrency > 0 ? yaml->concurrency : build->schema->concurrency;
  vend_json_set_string (launch, "python_version", build->interpreter->version);
  vend_json_set_string (launch, "venv", build->venv->key);
  vend_json_set_string (launch, "predict", yaml->predict);
  vend_json_set_string (launch, "train", yaml->train);
  json_object_set_new (launch, "env", env);
  vend_json_set_int (launch, "concurrency", MAX (concurrency, 1));
  if (build->weights != NULL)
    {
      json_t *sets = json_array ();
      for (guint i = 0; i < build->weights->len; i++)
        json_array_append_new (sets,
                               vend_weight_set_to_json (g_ptr_array_index (build->weights, i)));
      json_object_set_new (launch, VEND_LAUNCH_WEIGHTS, sets);
    }
  return launch;
}

/* An instance's own copy starts without what others compiled. Files that no import reads may be for
 * another Python: what does not compile is passed over. */
static void
compile_source (const Build *build)
{
  const char *const argv[] = { build->venv->python,       "-I", "-m", "compileall", "-q", "-q",
                               build->context.source_dir, NULL };
  g_autoptr (GError) ignored = NULL;
  (void) !vend_build_child (&build->context, argv, "compileall", &ignored);
}

static bool
smoke (Build *build, GError **error)
{
  g_auto (GStrv) links = NULL;
  if (build->weights != NULL
      && !vend_build_weights_lay_out (&build->context, build->weights, &links, error))
    return false;
  return vend_smoke_start (&build->context, build->venv, build->launch, links, error);
}

static json_t *
content_of (const Build *build)
{
  if (build->archive != NULL)
    return json_incref ((json_t *) build->archive->content);
  g_autofree char *packages = vend_venv_neutral_text (&build->context, build->resolved);
  json_auto_t *weights = build->weights != NULL ? vend_weight_sets_content (build->weights) : NULL;
  const VendManifestFacts facts = { .source = build->source_digest,
                                    .packages = packages,
                                    .python = build->interpreter->version,
                                    .cog_yaml = build->yaml->meaning,
                                    .weights = weights };
  return vend_manifest_content (&facts);
}

static VendBuildResult *
result_of (const Build *build)
{
  VendBuildResult *result = g_new0 (VendBuildResult, 1);
  json_t *content = content_of (build);
  json_t *beside = json_object ();
  result->version_id = vend_manifest_id (content);
  result->manifest = json_object ();
  vend_json_set_string (beside, "pip_freeze", build->venv->freeze);
  vend_json_set_string (beside, "platform", build->interpreter->platform);
  vend_json_set_string (beside, "venv", build->venv->key);
  vend_json_set_bool (beside, "gpu", build->yaml->gpu);
  vend_json_set_bool (beside, "async", build->schema->is_async);
  vend_json_set_bool (beside, "streaming", build->schema->is_streaming);
  json_object_set (beside, "warnings", build->schema->warnings);
  json_object_set_new (result->manifest, "content", content);
  json_object_set_new (result->manifest, "facts", beside);
  result->openapi = json_incref (build->schema->openapi);
  result->launch = json_incref (build->launch);
  result->card = build->card != NULL ? json_incref (build->card->content) : json_object ();
  if (build->archive != NULL)
    vend_import_finish (build->archive, build->venv, result);
  return result;
}

/* version.json says beside the files what the result says to the control plane. */
static bool
finish (Build *build, const VendBuildResult *result, GError **error)
{
  const char *staging = build->context.spec->staging_dir;
  g_autofree char *path = g_build_filename (staging, "version.json", NULL);
  json_auto_t *document = json_object ();
  vend_json_set_string (document, "id", result->version_id);
  json_object_set (document, "manifest", result->manifest);
  json_object_set (document, "openapi", result->openapi);
  json_object_set (document, "launch", result->launch);
  json_object_set (document, "card", result->card);
  g_autofree char *text = vend_json_text (document);
  if (!vend_tree_remove (build->context.work_dir, error))
    return false;
  vend_autofd fd = open (staging, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || syncfs (fd) != 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "sync '%s'", staging);
  return vend_file_replace (path, text, strlen (text), 0600, error)
         && vend_dir_sync (staging, error);
}

typedef struct
{
  const char *title;
  bool (*run) (Build *build, GError **error);
  bool wanted;
} Step;

static bool
run_steps (Build *build, const Step *steps, gsize count, GError **error)
{
  for (gsize i = 0; i < count; i++)
    {
      if (!steps[i].wanted)
        continue;
      vend_build_say (&build->context, "==> %s", steps[i].title);
      if (!steps[i].run (build, error))
        return false;
    }
  return true;
}

static bool
build_image (Build *build, VendBuildResult **out, GError **error)
{
  const VendCogYaml *yaml = build->yaml;
  const Step steps[] = {
    { "Reading vend.yaml and README.md", read_card,
      vend_card_is_there (build->context.source_dir) },
    { "Taking the base image", image_base, true },
    { "Installing system packages", image_system, yaml->system_packages[0] != NULL },
    { "Copying the source", image_source, true },
    { "Installing packages", image_packages, true },
    { "Running build commands", image_commands, yaml->run[0] != NULL },
    { "Reading the schema", image_schema, true },
  };
  if (!run_steps (build, steps, G_N_ELEMENTS (steps), error))
    return false;
  const Step last[] = {
    { "Checking the examples", check_examples,
      build->card != NULL && json_object_get (build->card->content, "examples") != NULL },
    { "Writing the image", image_write, true },
  };
  if (!run_steps (build, last, G_N_ELEMENTS (last), error))
    return false;
  *out = image_result (build);
  vend_build_say (&build->context, "==> Version %s", (*out)->version_id);
  return true;
}

bool
vend_build_run (const VendBuildSpec *spec, VendBuildLog log, void *log_data, VendBuildResult **out,
                GError **error)
{
  g_auto (Build) build = { 0 };
  vend_build_context_init (&build.context, spec, log, log_data);
  if (!vend_dir_ensure (build.context.source_dir, error)
      || !vend_dir_ensure (build.context.work_dir, error)
      || !vend_dir_ensure (spec->cache_dir, error))
    return false;

  const bool is_import = spec->is_import;
  const Step first[] = {
    { "Unpacking the source", unpack, !is_import },
    { "Checking the archive", unpack_export, is_import },
    { "Reading cog.yaml", read_cog_yaml, true },
  };
  if (!run_steps (&build, first, G_N_ELEMENTS (first), error))
    return false;
  if (spec->as_image)
    return build_image (&build, out, error);
  const Step second[] = {
    { "Reading vend.yaml and README.md", read_card, vend_card_is_there (build.context.source_dir) },
    { "Fetching weights", fetch_weights, build.yaml->weights->len > 0 && !is_import },
    { "Checking weights", take_weights_of_archive,
      is_import && build.yaml->weights->len + build.archive->sets->len > 0 },
    { "Checking system packages", check_system, build.yaml->system_packages[0] != NULL },
    { "Finding Python", is_import ? find_python_of_archive : find_python, true },
    { "Resolving packages", resolve, !is_import },
    { "Installing packages", is_import ? install_archive : install, true },
    { "Running build commands", run_commands, build.yaml->run[0] != NULL && !is_import },
    { "Reading the schema", read_schema, true },
  };
  if (!run_steps (&build, second, G_N_ELEMENTS (second), error))
    return false;
  const Step examples
      = { "Checking the examples", check_examples,
          build.card != NULL && json_object_get (build.card->content, "examples") != NULL };
  if (!run_steps (&build, &examples, 1, error))
    return false;
  compile_source (&build);
  build.launch = launch_document (&build);
  const Step third[] = { { "Starting the model once", smoke, spec->smoke_start } };
  if (!run_steps (&build, third, G_N_ELEMENTS (third), error))
    return false;

  g_autoptr (VendBuildResult) result = result_of (&build);
  if (!finish (&build, result, error))
    return false;
  vend_build_say (&build.context, "==> Version %s", result->version_id);
  *out = g_steal_pointer (&result);
  return true;
}
