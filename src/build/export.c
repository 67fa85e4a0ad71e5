/* From the folder of a version, its environment and its contents to one archive. */
#include "build/export.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "build/build-private.h"
#include "build/bundle-write.h"
#include "build/export-spec.h"
#include "build/manifest.h"
#include "build/wheels.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_ANSWER ((gsize) 4 * 1024 * 1024)
#define MAX_LIST ((gsize) 256 * 1024 * 1024)

typedef struct
{
  VendBuildContext context;
  const json_t *spec;
  json_t *document;
  GPtrArray *entries; /* of VendBundleEntry */
  char *src;          /* the tree of the version */
  uint64_t size;
} Export;

static void
export_clear (Export *export)
{
  g_clear_pointer (&export->document, json_decref);
  g_clear_pointer (&export->entries, g_ptr_array_unref);
  g_clear_pointer (&export->src, g_free);
  vend_build_context_clear (&export->context);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Export, export_clear)

static bool
add_file (Export *export, const char *folder, const char *name, const char *from,
          const char *sha256, bool is_executable, GError **error)
{
  struct stat st;
  if (lstat (from, &st) < 0 || !S_ISREG (st.st_mode))
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", name);
  VendBundleEntry *entry = g_new0 (VendBundleEntry, 1);
  entry->path = g_strconcat (folder, "/", name, NULL);
  entry->from = g_strdup (from);
  entry->sha256 = g_strdup (sha256);
  entry->size = (uint64_t) st.st_size;
  entry->is_executable = is_executable;
  export->size += entry->size;
  g_ptr_array_add (export->entries, entry);
  return true;
}

/* ---- The source */

/* A line of vend_source_text. `*out_sha256` is not terminated; NULL of a folder. */
static const char *
path_of (const char *line, const char **out_sha256)
{
  const bool is_dir = line[0] == 'd';
  *out_sha256 = is_dir ? NULL : line + 2;
  return line + (is_dir ? 2 : 2 + VEND_SHA256_HEX_LENGTH + 1);
}

static bool
add_line (Export *export, const char *folder, const char *line, GError **error)
{
  const char *sha256 = NULL;
  const char *path = path_of (line, &sha256);
  if (sha256 == NULL)
    {
      VendBundleEntry *entry = g_new0 (VendBundleEntry, 1);
      entry->path = g_strconcat (folder, "/", path, NULL);
      entry->is_dir = true;
      g_ptr_array_add (export->entries, entry);
      return true;
    }
  g_autofree char *digest = g_strndup (sha256, VEND_SHA256_HEX_LENGTH);
  g_autofree char *from = g_build_filename (export->src, path, NULL);
  return add_file (export, folder, path, from, digest, line[0] == 'x', error);
}

/* Made by each build anew: byte code, and the schema for the model server. */
static bool
is_made_anew (const char *line)
{
  const char *sha256 = NULL;
  const char *path = path_of (line, &sha256);
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  return g_strcmp0 (parts[0], ".cog") == 0
         || g_strv_contains ((const char *const *) parts, "__pycache__");
}

/* What was pushed, and what the build made of it. */
static bool
split (Export *export, const char *now, char **pushed, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (now, "\n", -1);
  g_autoptr (GHashTable) there = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) of_push = g_hash_table_new (g_str_hash, g_str_equal);
  for (gsize i = 0; lines[i] != NULL; i++)
    g_hash_table_add (there, lines[i]);
  for (gsize i = 0; pushed[i] != NULL; i++)
    {
      const char *sha256 = NULL;
      if (*pushed[i] == '\0')
        continue;
      if (!g_hash_table_contains (there, pushed[i]))
        return vend_fail (error, VEND_ERROR_CONFLICT,
                          "the commands of the build changed '%s', so what was pushed is no longer "
                          "there: let them write to other files, and push again",
                          path_of (pushed[i], &sha256));
      g_hash_table_add (of_push, pushed[i]);
      if (!add_line (export, VEND_BUNDLE_SOURCE, pushed[i], error))
        return false;
    }
  for (gsize i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0' && !g_hash_table_contains (of_push, lines[i]) && !is_made_anew (lines[i])
        && !add_line (export, VEND_BUNDLE_MADE, lines[i], error))
      return false;
  return true;
}

/* An older Vend wrote no list: without commands, all but what each build makes was pushed. */
static char *
guess_pushed (const char *now)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (now, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0' && !is_made_anew (lines[i]))
      g_string_append_printf (text, "%s\n", lines[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static bool
add_source (Export *export, GError **error)
{
  const json_t *pushed = json_object_get (
      export->document,
      json_object_get (export->document, "pushed") != NULL ? "pushed" : "content");
  const char *folder = vend_json_string (export->spec, "folder");
  g_autofree char *list_path = g_build_filename (folder, VEND_SOURCE_LIST, NULL);
  g_autofree char *list = NULL;
  g_autofree char *now = NULL;
  g_autoptr (GError) problem = NULL;
  export->src = g_build_filename (folder, "src", NULL);
  if (!vend_source_text (export->src, &now, error))
    return false;
  if (!vend_file_read (list_path, MAX_LIST, &list, NULL, &problem))
    list = guess_pushed (now);
  g_autofree char *digest = vend_sha256_text (list);
  if (g_strcmp0 (digest, vend_json_string (pushed, "source")) != 0)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "an older Vend built this version and kept no list of what was pushed: push "
                      "its source once more");
  g_auto (GStrv) lines = g_strsplit (list, "\n", -1);
  return split (export, now, lines, error);
}

/* ---- The environment */

static bool
read_answer (Export *export, const char *text, const char *dir, GError **error)
{
  json_auto_t *answer = NULL;
  size_t i;
  json_t *item;
  if (!vend_json_parse (text, strlen (text), &answer, error))
    {
      g_prefix_error (error, "the wheels of the environment: ");
      return false;
    }
  const char *refused = vend_json_string (answer, "error");
  if (refused != NULL)
    return vend_fail (error, VEND_ERROR_CONFLICT, "the environment cannot be packed: %s", refused);
  json_array_foreach (json_object_get (answer, "strays"), i, item)
    vend_build_say (&export->context,
                    "warning: '%s' of the environment is in no package, and stays behind",
                    json_string_value (item));
  json_array_foreach (json_object_get (answer, "wheels"), i, item)
    {
      const char *file = vend_json_string (item, "file");
      g_autofree char *path = g_build_filename (dir, file != NULL ? file : "", NULL);
      g_autofree char *sha256 = NULL;
      if (!vend_sha256_file (path, &sha256, error)
          || !add_file (export, VEND_BUNDLE_WHEELS, file, path, sha256, false, error))
        return false;
    }
  json_object_set (export->document, "python", json_object_get (answer, "python"));
  json_object_set (export->document, "platform", json_object_get (answer, "platform"));
  json_object_set (export->document, "wheels", json_object_get (answer, "wheels"));
  return true;
}

static bool
add_environment (Export *export, GError **error)
{
  const VendBuildContext *context = &export->context;
  g_autofree char *python
      = g_build_filename (vend_json_string (export->spec, "venv"), "bin", "python", NULL);
  g_autofree char *dir = g_build_filename (context->work_dir, VEND_BUNDLE_WHEELS, NULL);
  g_autofree char *program = g_build_filename (context->work_dir, "wheels.py", NULL);
  g_autofree char *text = NULL;
  const char *const argv[] = { python, "-I", program, dir, NULL };
  const VendChildOptions options = { .argv = argv,
                                     .env = (const char *const *) context->env,
                                     .cwd = context->work_dir,
                                     .on_line = context->log,
                                     .data = context->log_data,
                                     .max_output = MAX_ANSWER };
  return vend_dir_ensure (dir, error)
         && vend_file_replace (program, vend_wheels_program[0].data, vend_wheels_program[0].size,
                               0600, error)
         && vend_child_run (&options, "the program that makes wheels", &text, error)
         && read_answer (export, text, dir, error);
}

/* ---- Contents of the file store */

static bool
add_contents (Export *export, GError **error)
{
  const json_t *contents = json_object_get (export->spec, "contents");
  size_t i;
  json_t *item;
  json_array_foreach (contents, i, item)
    {
      const char *sha256 = vend_json_string (item, "sha256");
      if (!add_file (export, vend_json_string (item, "folder"), sha256,
                     vend_json_string (item, "from"), sha256, false, error))
        return false;
    }
  return true;
}

bool
vend_export_run (const VendBuildSpec *spec, VendBuildLog log, void *log_data, GError **error)
{
  g_auto (Export) export = { .spec = spec->export_spec };
  vend_build_context_init (&export.context, spec, log, log_data);
  export.entries = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_bundle_entry_free);
  export.document = json_deep_copy (json_object_get (export.spec, "document"));
  g_autofree char *archive = g_build_filename (spec->staging_dir, VEND_EXPORT_FILE, NULL);
  if (!vend_dir_ensure (export.context.work_dir, error))
    return false;
  vend_build_say (&export.context, "==> Reading the source");
  if (!add_source (&export, error))
    return false;
  vend_build_say (&export.context, "==> Making wheels of the environment");
  if (!add_environment (&export, error) || !add_contents (&export, error))
    return false;
  g_autofree char *size = g_format_size (export.size);
  vend_build_say (&export.context, "==> Packing %u files, %s", export.entries->len, size);
  return vend_bundle_write (archive, export.document, export.entries, error);
}
