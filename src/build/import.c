/* An archive of `vend export` in the place of a pushed source. */
#include "build/import.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "build/bundle-read.h"
#include "model/weights.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ARCHIVE_DIR "archive" /* in the work folder */

static char *
unpacked (const VendBuildContext *context, const char *name)
{
  return g_build_filename (context->work_dir, ARCHIVE_DIR, name, NULL);
}

/* ---- Unpacking */

/* A folder that the archive does not have is none. */
static bool
move (const VendBuildContext *context, const char *name, const char *to, GError **error)
{
  g_autofree char *from = unpacked (context, name);
  g_autofree char *target = g_build_filename (context->spec->staging_dir, to, NULL);
  return rename (from, target) == 0 || errno == ENOENT
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "unpack '%s'", name);
}

bool
vend_import_unpack (const VendBuildContext *context, VendBundleManifest **out, GError **error)
{
  const VendBuildSpec *spec = context->spec;
  const VendBundleLimits limits = { spec->max_archive_bytes, spec->max_source_files };
  g_autofree char *dir = g_build_filename (context->work_dir, ARCHIVE_DIR, NULL);
  g_autoptr (VendBundleManifest) manifest = NULL;
  if (!vend_dir_ensure (dir, error)
      || !vend_bundle_read (spec->archive, &limits, dir, &manifest, error)
      || !move (context, VEND_BUNDLE_SOURCE, "src", error)
      || !move (context, VEND_BUNDLE_WEIGHTS, VEND_BUNDLE_WEIGHTS, error)
      || !move (context, VEND_BUNDLE_PAGE, VEND_BUNDLE_PAGE, error))
    return false;
  vend_build_say (context, "version %s of %s", manifest->version, manifest->model);
  *out = g_steal_pointer (&manifest);
  return true;
}

bool
vend_import_add_made (const VendBuildContext *context, const VendBundleManifest *manifest,
                      GError **error)
{
  const gsize skip = strlen (VEND_BUNDLE_MADE "/");
  for (guint i = 0; i < manifest->entries->len; i++)
    {
      const VendBundleEntry *entry = g_ptr_array_index (manifest->entries, i);
      if (!g_str_has_prefix (entry->path, VEND_BUNDLE_MADE "/"))
        continue;
      g_autofree char *from = unpacked (context, entry->path);
      g_autofree char *to = g_build_filename (context->source_dir, entry->path + skip, NULL);
      g_autofree char *parent = g_path_get_dirname (to);
      if (!entry->is_dir && g_file_test (to, G_FILE_TEST_EXISTS))
        return vend_fail (error, VEND_ERROR_INVALID, "the archive has two of '%s'",
                          entry->path + skip);
      if (g_mkdir_with_parents (entry->is_dir ? to : parent, 0755) < 0
          || (!entry->is_dir && rename (from, to) < 0))
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "unpack '%s'", entry->path);
    }
  return true;
}

/* ---- The environment */

/* "linux-x86_64 cpython-311-x86_64-linux-gnu glibc 2.36" → its words; missing ones are "". */
static char **
words_of (const char *platform)
{
  g_auto (GStrv) words = g_strsplit (platform, " ", 4);
  char **four = g_new0 (char *, 5);
  const guint n = g_strv_length (words);
  for (guint i = 0; i < 4; i++)
    four[i] = g_strdup (i < n ? words[i] : "");
  return four;
}

static bool
is_older (const char *a, const char *b)
{
  int a_major = 0, a_minor = 0, b_major = 0, b_minor = 0;
  if (sscanf (a, "%d.%d", &a_major, &a_minor) != 2 || sscanf (b, "%d.%d", &b_major, &b_minor) != 2)
    return false;
  return a_major < b_major || (a_major == b_major && a_minor < b_minor);
}

bool
vend_import_check_python (const VendBuildContext *context, const VendBundleManifest *manifest,
                          const VendInterpreter *interpreter, GError **error)
{
  g_auto (GStrv) theirs = words_of (manifest->platform);
  g_auto (GStrv) ours = words_of (interpreter->platform);
  if (strcmp (theirs[0], ours[0]) != 0 || strcmp (theirs[1], ours[1]) != 0
      || strcmp (theirs[2], ours[2]) != 0)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                      "the packages of the archive are for %s %s, and this machine has %s %s",
                      theirs[0], theirs[1], ours[0], ours[1]);
  if (is_older (ours[3], theirs[3]))
    vend_build_say (context,
                    "warning: the packages come from a machine with %s %s, and this one has %s",
                    theirs[2], theirs[3], ours[3]);
  if (strcmp (manifest->cog, context->spec->cog_version) != 0)
    vend_build_say (context, "note: the archive brings Cog %s; pushes here get %s", manifest->cog,
                    context->spec->cog_version);
  return true;
}

static char *
packages_of (const VendBundleManifest *manifest)
{
  GString *text = g_string_new (NULL);
  size_t i;
  json_t *wheel;
  json_array_foreach (manifest->wheels, i, wheel)
    g_string_append_printf (text, "%s==%s\n", vend_json_string (wheel, "name"),
                            vend_json_string (wheel, "version"));
  return g_string_free (text, FALSE);
}

/* Two archives with packages of the same names may bring other files in them, and a build never
 * shares an environment with an archive. */
static char *
list_files (const VendBundleManifest *manifest, const char *folder)
{
  g_autofree char *prefix = g_strconcat (folder, "/", NULL);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < manifest->entries->len; i++)
    {
      const VendBundleEntry *entry = g_ptr_array_index (manifest->entries, i);
      if (g_str_has_prefix (entry->path, prefix))
        g_string_append_printf (text, "%s %d %s\n", entry->sha256 != NULL ? entry->sha256 : "-",
                                entry->is_executable, entry->path);
    }
  return g_string_free (text, FALSE);
}

bool
vend_import_install (const VendBuildContext *context, const VendBundleManifest *manifest,
                     const VendInterpreter *interpreter, VendVenv **out, GError **error)
{
  g_autofree char *wheels = unpacked (context, VEND_BUNDLE_WHEELS);
  g_autofree char *packages = packages_of (manifest);
  g_autofree char *salt = list_files (manifest, VEND_BUNDLE_WHEELS);
  const VendVenvRequest request
      = { .resolved = packages, .options = "", .salt = salt, .wheels = wheels };
  return vend_venv_ensure (context, interpreter, &request, out, error);
}

/* ---- The result */

/* Of its own: what an archive brings beside the source is in no id. */
static char *
folder_of (const VendBundleManifest *manifest, const VendVenv *venv)
{
  g_autofree char *made = list_files (manifest, VEND_BUNDLE_MADE);
  g_autofree char *text
      = g_strdup_printf ("import\nsource %s\nvenv %s\n%s",
                         vend_json_string (manifest->pushed, "source"), venv->key, made);
  return vend_sha256_text (text);
}

static void
set_trained (const VendBundleManifest *manifest, VendBuildResult *result)
{
  json_t *facts = json_object_get (result->manifest, "facts");
  json_object_set (result->manifest, "pushed", (json_t *) manifest->pushed);
  json_object_update (facts, (json_t *) manifest->facts);
  vend_json_set_bool (facts, VEND_FACT_OWN_SOURCE, true);
  const char *sha256 = vend_json_string (manifest->content, "weights");
  size_t i;
  json_t *weights;
  json_array_foreach (manifest->weights, i, weights)
    if (g_strcmp0 (vend_json_string (weights, "sha256"), sha256) == 0)
      json_object_set (result->launch, "weights", weights);
}

void
vend_import_finish (const VendBundleManifest *manifest, const VendVenv *venv,
                    VendBuildResult *result)
{
  g_autofree char *folder = folder_of (manifest, venv);
  json_t *facts = json_object_get (result->manifest, "facts");
  g_free (result->version_id);
  result->version_id = g_strdup (manifest->version);
  json_object_set (result->manifest, "content", (json_t *) manifest->content);
  if (manifest->base != NULL)
    set_trained (manifest, result);
  vend_json_set_bool (facts, VEND_FACT_IMPORTED, true);
  vend_json_set_string (result->launch, "source", folder);
  result->import = json_pack ("{s:s, s:s, s:O, s:O}", "source", folder, "cog_version",
                              manifest->cog, "weights", manifest->weights, "page", manifest->page);
  vend_json_set_string (result->import, "base", manifest->base);
}
