/* The steps of an image: one container of buildah's, changed by one command after the other. */
#include "build/image-build.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/tree-bytes.h"
#include "build/image-base.h"
#include "build/image-build-private.h"
#include "build/image-layout.h"
#include "build/system-packages.h"
#include <string.h>

#define CONTAINER "model"
#define AUTHORITIES "authorities.pem"
#define MAX_AUTHORITIES ((gsize) 4 * 1024 * 1024)
#define DEFAULT_PYTHON "3.12"
#define MAX_ANSWER ((gsize) 8 * 1024 * 1024)
#define POLL_MS 500
#define DISK_SHARE 20 /* one part of the time is for looks at the disk */

/* ---- Making */

/* Proxies are for whatever is fetched; the rest of the server's environment means nothing there. */
static char **
commands_env (const VendBuildContext *context, const VendCogYaml *yaml)
{
  g_auto (GStrv) env = g_strdupv (yaml->environment);
  for (gsize i = 0; context->env[i] != NULL; i++)
    {
      g_autofree char *name = g_strndup (context->env[i], strcspn (context->env[i], "="));
      g_autofree char *lower = g_ascii_strdown (name, -1);
      if (g_str_has_suffix (lower, "_proxy"))
        env = g_environ_setenv (g_steal_pointer (&env), name, context->env[i] + strlen (name) + 1,
                                TRUE);
    }
  return g_steal_pointer (&env);
}

/* A server that trusts authorities of its own is behind a proxy that the image's own would not. */
static bool
take_authorities (VendImageBuild *build, GError **error)
{
  static const char *const names[]
      = { "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE" };
  const char *file = g_environ_getenv (build->context->env, names[0]);
  g_autofree char *copy = g_build_filename (build->context->work_dir, AUTHORITIES, NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  if (file == NULL)
    return true;
  if (!vend_file_read (file, MAX_AUTHORITIES, &text, &size, error)
      || !vend_file_replace (copy, text, size, 0644, error))
    return false;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    build->run_env = g_environ_setenv (g_steal_pointer (&build->run_env), names[i],
                                       VEND_IMAGE_WORK "/" AUTHORITIES, TRUE);
  return true;
}

static bool
find_base (VendImageBuild *build, GError **error)
{
  const VendBuildSpec *spec = build->context->spec;
  const char *python = build->yaml->python_version;
  g_auto (VendImageBase) base = { 0 };
  if (*spec->image_base == '\0')
    return vend_fail (error, VEND_ERROR_FORBIDDEN,
                      "images are not built on this server; its operator can allow them with "
                      "--image-base");
  if (!vend_image_base_parse (spec->image_base, python != NULL ? python : DEFAULT_PYTHON, &base,
                              error))
    return false;
  if (base.kind == VEND_IMAGE_BASE_REGISTRY)
    build->base = g_strconcat ("docker://", base.name, NULL);
  else
    build->base = g_strconcat ("oci:" VEND_ROOM_BASE, NULL);
  if (base.kind == VEND_IMAGE_BASE_OWN)
    build->base_dir = g_build_filename (spec->image_dir, "base", NULL);
  else if (base.kind == VEND_IMAGE_BASE_FOLDER)
    {
      g_autofree char *tagged
          = base.tag != NULL ? g_strdup_printf ("%s:%s", build->base, base.tag) : NULL;
      build->base_dir = g_strdup (base.name);
      if (tagged != NULL)
        {
          g_free (build->base);
          build->base = g_steal_pointer (&tagged);
        }
    }
  if (build->base_dir != NULL && !g_file_test (build->base_dir, G_FILE_TEST_IS_DIR))
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "image-base: there is no folder '%s'",
                      build->base_dir);
  return true;
}

static bool
check_yaml (const VendCogYaml *yaml, GError **error)
{
  for (gsize i = 0; yaml->system_packages[i] != NULL; i++)
    if (!vend_system_package_is_name (yaml->system_packages[i]))
      return vend_fail (error, VEND_ERROR_INVALID,
                        "cog.yaml: build.system_packages: '%s' is not a package name",
                        yaml->system_packages[i]);
  return true;
}

static bool
open_room (VendImageBuild *build, const char *output, VendImageRoom **out, GError **error)
{
  const VendImageRoomOptions options = { .dir = build->room_dir,
                                         .input = build->context->spec->staging_dir,
                                         .base = build->base_dir,
                                         .output = output };
  return vend_image_room_new (&options, out, error);
}

static bool
find_storage (VendImageBuild *build, GError **error)
{
  g_autofree char *why = NULL;
  return vend_image_room_probe (build->room_dir, &build->storage, &why)
         || vend_fail (error, VEND_ERROR_UNAVAILABLE, "images cannot be built on this server: %s",
                       why);
}

bool
vend_image_build_new (const VendBuildContext *context, const VendCogYaml *yaml,
                      VendImageBuild **out, GError **error)
{
  g_autoptr (VendImageBuild) build = g_new0 (VendImageBuild, 1);
  build->context = context;
  build->yaml = yaml;
  build->room_dir = g_build_filename (context->spec->image_dir, VEND_ROOM_FOLDER, NULL);
  build->env = g_strdupv (context->env);
  build->env = g_environ_unsetenv (g_steal_pointer (&build->env), "TMPDIR");
  build->run_env = commands_env (context, yaml);
  if (!check_yaml (yaml, error) || !take_authorities (build, error) || !find_base (build, error)
      || !find_storage (build, error) || !open_room (build, NULL, &build->room, error))
    return false;
  *out = g_steal_pointer (&build);
  return true;
}

void
vend_image_build_free (VendImageBuild *build)
{
  if (build == NULL)
    return;
  vend_image_room_free (build->room);
  g_free (build->room_dir);
  g_free (build->base_dir);
  g_free (build->base);
  g_strfreev (build->env);
  g_strfreev (build->run_env);
  g_free (build->freeze);
  g_free (build);
}

/* ---- buildah */

typedef struct
{
  const VendImageBuild *build;
  int64_t next_us; /* no look at the disk before it */
} DiskWatch;

static bool
check_disk (DiskWatch *watch, GError **error)
{
  const VendBuildSpec *spec = watch->build->context->spec;
  const char *const folders[] = { spec->image_dir, NULL };
  const atomic_bool never = false;
  const int64_t now_us = g_get_monotonic_time ();
  if (now_us < watch->next_us)
    return true;
  const uint64_t bytes = vend_tree_bytes (folders, spec->max_image_bytes, &never);
  const int64_t took_us = g_get_monotonic_time () - now_us;
  watch->next_us = now_us + MAX (took_us * DISK_SHARE, VEND_US_PER_S);
  return bytes <= spec->max_image_bytes
         || vend_fail (
             error, VEND_ERROR_TOO_LARGE,
             "the build takes more room on the disk than max-image allows (%" G_GUINT64_FORMAT
             " bytes)",
             spec->max_image_bytes);
}

static bool
await (const VendImageBuild *build, VendChild *child, const char *what, GError **error)
{
  DiskWatch watch = { build, g_get_monotonic_time () + VEND_US_PER_S };
  bool ended = false;
  while (!ended)
    if (!vend_child_pump (child, POLL_MS, &ended, error) || !check_disk (&watch, error))
      {
        g_prefix_error (error, "%s: ", what);
        return false;
      }
  g_autofree char *failure = vend_child_dup_failure (child);
  return failure == NULL
         || vend_fail (error, VEND_ERROR_RUNNER, "%s %s; the log says why", what, failure);
}

static GPtrArray *
buildah_words (const VendImageBuild *build)
{
  const char *const words[] = {
    "buildah",          "--root",      VEND_ROOM_OWN "/storage", "--runroot", VEND_ROOM_OWN "/run",
    "--storage-driver", build->storage
  };
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_ptr_array_add (argv, g_strdup (words[i]));
  return argv;
}

static void
add_words (GPtrArray *argv, const char *const *words)
{
  for (gsize i = 0; words[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (words[i]));
}

static void
add_env (GPtrArray *argv, const char *const *env)
{
  for (gsize i = 0; env != NULL && env[i] != NULL; i++)
    {
      const char *const words[] = { "--env", env[i], NULL };
      add_words (argv, words);
    }
}

static bool
start (const VendImageBuild *build, const VendImageRoom *room, GPtrArray *argv, gsize max_output,
       VendChild **out, GError **error)
{
  g_ptr_array_add (argv, NULL);
  const VendChildOptions options = { .argv = (const char *const *) argv->pdata,
                                     .env = (const char *const *) build->env,
                                     .on_line = build->context->log,
                                     .data = build->context->log_data,
                                     .max_output = max_output };
  return vend_image_room_start (room, &options, out, error);
}

static bool
run (const VendImageBuild *build, const VendImageRoom *room, GPtrArray *argv, const char *what,
     char **out_output, GError **error)
{
  g_autoptr (VendChild) child = NULL;
  if (!start (build, room, argv, out_output != NULL ? MAX_ANSWER : 0, &child, error)
      || !await (build, child, what, error))
    return false;
  if (out_output != NULL)
    *out_output = g_strdup (vend_child_output (child));
  return true;
}

bool
vend_image_buildah (VendImageBuild *build, const char *const *words, const char *what,
                    char **out_output, GError **error)
{
  g_autoptr (GPtrArray) argv = buildah_words (build);
  add_words (argv, words);
  return run (build, build->room, argv, what, out_output, error);
}

static GPtrArray *
run_words (const VendImageBuild *build, const char *const *argv, const char *const *extra)
{
  const char *const words[] = { "run",
                                "--isolation",
                                "chroot",
                                "--user",
                                "0:0",
                                "--workingdir",
                                VEND_IMAGE_SOURCE,
                                "--volume",
                                VEND_ROOM_INPUT "/work:" VEND_IMAGE_WORK ":ro",
                                NULL };
  const char *const end[] = { CONTAINER, "--", NULL };
  GPtrArray *all = buildah_words (build);
  add_words (all, words);
  add_env (all, (const char *const *) build->run_env);
  add_env (all, extra);
  add_words (all, end);
  add_words (all, argv);
  return all;
}

bool
vend_image_run (VendImageBuild *build, const char *const *argv, const char *const *extra,
                const char *what, char **out_output, GError **error)
{
  g_autoptr (GPtrArray) words = run_words (build, argv, extra);
  return run (build, build->room, words, what, out_output, error);
}

/* ---- Steps */

bool
vend_image_build_base (VendImageBuild *build, GError **error)
{
  const char *const words[] = { "from", "--name", CONTAINER, build->base, NULL };
  g_autofree char *name = NULL;
  vend_build_say (build->context, "building on %s", build->context->spec->image_base);
  return vend_image_buildah (build, words, "fetching the base image", &name, error);
}

bool
vend_image_build_system (VendImageBuild *build, GError **error)
{
  static const char script[]
      = "command -v apt-get > /dev/null || { echo 'the base image has no apt-get, which "
        "build.system_packages need' >&2; exit 1; }\n"
        "apt-get -qq update && apt-get -qqy -o Dpkg::Use-Pty=0 install --no-install-recommends "
        "-- \"$@\" && rm -rf /var/lib/apt/lists/*";
  static const char *const extra[] = { "DEBIAN_FRONTEND=noninteractive", NULL };
  const char *const head[] = { "/bin/sh", "-c", script, "sh", NULL };
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  add_words (argv, head);
  add_words (argv, (const char *const *) build->yaml->system_packages);
  g_ptr_array_add (argv, NULL);
  return vend_image_run (build, (const char *const *) argv->pdata, extra,
                         "installing build.system_packages", NULL, error);
}

bool
vend_image_build_source (VendImageBuild *build, GError **error)
{
  const char *const words[]
      = { "copy", "--chown", "0:0", CONTAINER, VEND_ROOM_INPUT "/src", VEND_IMAGE_SOURCE, NULL };
  g_autofree char *digest = NULL;
  return vend_image_buildah (build, words, "copying the source", &digest, error);
}

bool
vend_image_build_commands (VendImageBuild *build, GError **error)
{
  for (gsize i = 0; build->yaml->run[i] != NULL; i++)
    {
      const char *const argv[] = { "/bin/sh", "-c", build->yaml->run[i], NULL };
      vend_build_say (build->context, "$ %s", build->yaml->run[i]);
      if (!vend_image_run (build, argv, NULL, "the command", NULL, error))
        {
          g_prefix_error (error, "build.run: '%s': ", build->yaml->run[i]);
          return false;
        }
    }
  return true;
}

/* ---- The schema */

/* Paths of the server are others in the image. */
static char *
inside (const VendBuildContext *context, const char *word)
{
  const struct
  {
    const char *from;
    const char *to;
  } places[]
      = { { context->source_dir, VEND_IMAGE_SOURCE }, { context->work_dir, VEND_IMAGE_WORK } };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    if (g_str_has_prefix (word, places[i].from))
      return g_strconcat (places[i].to, word + strlen (places[i].from), NULL);
  return g_strdup (word);
}

/* The schema program, as the builder would start it on the server. */
static bool
start_inside (const VendBuildContext *context, const VendChildOptions *options, VendChild **out,
              GError **error)
{
  const VendImageBuild *build = context->start_data;
  static const char *const extra[]
      = { "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0", "CUDA_VISIBLE_DEVICES=", NULL };
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; options->argv[i] != NULL; i++)
    g_ptr_array_add (argv, inside (context, options->argv[i]));
  g_ptr_array_add (argv, NULL);
  g_autoptr (GPtrArray) words = run_words (build, (const char *const *) argv->pdata, extra);
  return start (build, build->room, words, options->max_output, out, error);
}

static bool
copy_schema (VendImageBuild *build, GError **error)
{
  const char *const words[] = {
    "copy", "--chown", "0:0", CONTAINER, VEND_ROOM_INPUT "/src/.cog", VEND_IMAGE_SOURCE "/.cog",
    NULL
  };
  g_autofree char *digest = NULL;
  return vend_image_buildah (build, words, "copying the schema", &digest, error);
}

bool
vend_image_build_schema (VendImageBuild *build, VendSchema **out, GError **error)
{
  VendBuildContext context = *build->context;
  context.start = start_inside;
  context.start_data = build;
  return vend_schema_make (&context, "python3", build->yaml, out, error)
         && copy_schema (build, error);
}

/* ---- The image */

bool
vend_image_build_write (VendImageBuild *build, const VendSchema *schema, json_t **out,
                        GError **error)
{
  const char *const words[] = { "commit",
                                "--quiet",
                                "--format",
                                "oci",
                                "--disable-compression=false",
                                CONTAINER,
                                "oci:" VEND_ROOM_OUTPUT,
                                NULL };
  const VendBuildSpec *spec = build->context->spec;
  g_autofree char *output = g_build_filename (spec->image_dir, "output", NULL);
  g_autoptr (GPtrArray) argv = buildah_words (build);
  /* One of its own: nothing that ran in the image has seen the folder. */
  g_autoptr (VendImageRoom) room = NULL;
  add_words (argv, words);
  const VendImageLabels labels = { .yaml = build->yaml,
                                   .openapi = schema->openapi,
                                   .cog_version = spec->cog_version,
                                   .freeze = build->freeze };
  return vend_dir_ensure (output, error) && open_room (build, output, &room, error)
         && run (build, room, argv, "writing the image", NULL, error)
         && vend_image_layout_take (output, spec->weights_dir, &labels, out, error);
}
