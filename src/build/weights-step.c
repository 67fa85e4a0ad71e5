/* The managed weights of a build. Blocks. */
#include "build/weights-step.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/bundle-manifest.h"
#include "build/weights-lock.h"
#include "weights/pull.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
pushed_dir (const VendBuildContext *context)
{
  return g_build_filename (context->work_dir, "weights", NULL);
}

bool
vend_build_weights_set_aside (const VendBuildContext *context, GError **error)
{
  g_autofree char *root = g_build_filename (context->source_dir, VEND_PUSHED_ROOT, NULL);
  g_autofree char *from = g_build_filename (context->source_dir, VEND_PUSHED_WEIGHTS, NULL);
  g_autofree char *to = pushed_dir (context);
  if (rename (from, to) < 0 && errno != ENOENT && errno != ENOTDIR)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "move '%s'", from);
  return vend_tree_remove (root, error);
}

static bool
check_target (const VendBuildContext *context, const char *target, GError **error)
{
  g_autofree char *path = g_build_filename (context->source_dir, target, NULL);
  struct stat st;
  if (lstat (path, &st) < 0 && errno == ENOENT)
    return true;
  return vend_fail (error, VEND_ERROR_INVALID,
                    "cog.yaml: weights.target: '%s' or a part of it is in the project already; "
                    "remove it, name it "
                    "in .cogignore, or give another target",
                    target);
}

/* What `lock` pins is taken at its commit, and must be the same. */
static bool
pull_one (const VendBuildContext *context, const VendPull *pull, const VendCogWeights *weights,
          const json_t *lock, VendWeightSet **out, GError **error)
{
  g_autoptr (VendWeightSource) source = NULL;
  g_autoptr (VendWeightSet) set = NULL;
  bool is_pinned = false;
  if (!vend_weights_lock_pin (lock, weights->name, weights->source, &source, error)
      || !vend_pull_source (pull, weights->name, weights->target, source, &set, error)
      || !vend_weights_lock_check (lock, set, &is_pinned, error))
    return false;
  if (lock != NULL && !is_pinned)
    vend_build_say (context, "warning: " VEND_WEIGHTS_LOCK " does not have the weights '%s'",
                    weights->name);
  *out = g_steal_pointer (&set);
  return true;
}

bool
vend_build_weights_fetch (const VendBuildContext *context, const VendCogYaml *yaml,
                          GPtrArray **out_sets, GError **error)
{
  const VendBuildSpec *spec = context->spec;
  g_autofree char *pushed = pushed_dir (context);
  g_autoptr (GPtrArray) sets
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_weight_set_free);
  json_auto_t *lock = NULL;
  const VendPull pull = { .blobs_dir = spec->blobs_dir,
                          .to_dir = spec->weights_dir,
                          .hub = spec->hub,
                          .allow = spec->package_allow,
                          .any_host = spec->any_package_host,
                          .pushed_dir = pushed,
                          .known = spec->known_weights,
                          .say = context->log,
                          .data = context->log_data };
  if (!vend_weights_lock_load (context->source_dir, &lock, error))
    return false;
  for (guint i = 0; i < yaml->weights->len; i++)
    {
      const VendCogWeights *weights = g_ptr_array_index (yaml->weights, i);
      VendWeightSet *set = NULL;
      if (!check_target (context, weights->target, error)
          || !pull_one (context, &pull, weights, lock, &set, error))
        return false;
      g_ptr_array_add (sets, set);
      g_autofree char *size = g_format_size ((guint64) set->size);
      vend_build_say (context, "weights '%s': %u file%s, %s, from %s", set->name, set->files->len,
                      set->files->len == 1 ? "" : "s", size, set->source);
    }
  *out_sets = g_steal_pointer (&sets);
  return true;
}

static const VendWeightSet *
find_set (const GPtrArray *sets, const char *name)
{
  for (guint i = 0; i < sets->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (sets, i);
      if (strcmp (set->name, name) == 0)
        return set;
    }
  return NULL;
}

bool
vend_build_weights_of_archive (const VendBuildContext *context, const VendCogYaml *yaml,
                               const GPtrArray *sets, GError **error)
{
  for (guint i = 0; i < yaml->weights->len; i++)
    {
      const VendCogWeights *weights = g_ptr_array_index (yaml->weights, i);
      const VendWeightSet *set = find_set (sets, weights->name);
      if (set == NULL || strcmp (set->target, weights->target) != 0)
        return vend_fail (error, VEND_ERROR_INVALID,
                          "the archive does not have the weights '%s' that its cog.yaml names",
                          weights->name);
      if (!check_target (context, set->target, error))
        return false;
      g_autofree char *size = g_format_size ((guint64) set->size);
      vend_build_say (context, "weights '%s': %u file%s, %s, of the archive", set->name,
                      set->files->len, set->files->len == 1 ? "" : "s", size);
    }
  return sets->len == yaml->weights->len
         || vend_fail (error, VEND_ERROR_INVALID,
                       "the archive has weights that its cog.yaml does not name");
}

/* ---- For a start */

/* Where the files lie until the control plane takes them. */
static char *
files_dir (const VendBuildContext *context)
{
  return context->spec->is_import
             ? g_build_filename (context->spec->staging_dir, VEND_BUNDLE_WEIGHTS, NULL)
             : g_strdup (context->spec->weights_dir);
}

static bool
lay_out_file (const VendBuildContext *context, const char *tree, const VendWeightFile *file,
              GError **error)
{
  g_autofree char *path = g_build_filename (tree, file->path, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *dir = files_dir (context);
  g_autofree char *content = g_build_filename (dir, file->sha256, NULL);
  if (!vend_dir_ensure (folder, error))
    return false;
  return symlink (content, path) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "link '%s'", path);
}

bool
vend_build_weights_lay_out (const VendBuildContext *context, const GPtrArray *sets,
                            char ***out_links, GError **error)
{
  g_autoptr (GPtrArray) links = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < sets->len; i++)
    {
      const VendWeightSet *set = g_ptr_array_index (sets, i);
      g_autofree char *tree = g_build_filename (context->work_dir, "weight-trees", set->name, NULL);
      for (guint n = 0; n < set->files->len; n++)
        if (!lay_out_file (context, tree, g_ptr_array_index (set->files, n), error))
          return false;
      g_ptr_array_add (links, g_strdup (set->target));
      g_ptr_array_add (links, g_steal_pointer (&tree));
    }
  g_ptr_array_add (links, NULL);
  *out_links = (char **) g_ptr_array_free (g_steal_pointer (&links), FALSE);
  return true;
}
