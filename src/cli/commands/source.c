/* The directory that is pushed: checked, then packed into an unnamed temporary file. Main thread
 * only; blocks on disk. */
#include "cli/commands/source.h"
#include "base/count.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/settings.h"
#include "build/card.h"
#include "build/cog-yaml.h"
#include "build/pack.h"
#include "build/weights-step.h"
#include "cli/terminal/terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

void
vend_source_clear (VendSource *source)
{
  vend_fd_clear (&source->fd);
  g_clear_pointer (&source->sha256, g_free);
}

static bool
check (const char *dir, bool for_image, VendCogYaml **out, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  if (!g_file_test (dir, G_FILE_TEST_IS_DIR))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is not a directory", dir);
  g_autofree char *path = g_build_filename (dir, "cog.yaml", NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return vend_fail (error, VEND_ERROR_INVALID, "no cog.yaml in '%s'; %s", dir,
                      VEND_COG_YAML_FIRST_STEP);

  g_autoptr (VendCogYaml) yaml = for_image ? vend_cog_yaml_load_for_image (dir, problems, warnings)
                                           : vend_cog_yaml_load (dir, problems, warnings);
  const guint n_of_cog = problems->len;
  g_autoptr (VendCard) card = vend_card_load (dir, problems, warnings);
  for (guint i = 0; i < warnings->len; i++)
    vend_terminal_warn ("%s", (const char *) g_ptr_array_index (warnings, i));
  for (guint i = 0; i < problems->len; i++)
    {
      g_autofree char *line = vend_terminal_one_line (g_ptr_array_index (problems, i));
      vend_terminal_note ("%s", line);
    }
  if (yaml != NULL && card != NULL)
    {
      *out = g_steal_pointer (&yaml);
      return true;
    }
  g_autofree char *mistakes = vend_count_text (problems->len, "mistake", "mistakes");
  return vend_fail (error, VEND_ERROR_INVALID, "%s in %s", mistakes,
                    card != NULL                   ? "cog.yaml"
                    : n_of_cog > 0 || yaml == NULL ? "cog.yaml and " VEND_CARD_YAML
                                                   : VEND_CARD_YAML);
}

/* The server has the last word on the size; this keeps a wrong directory from filling the disk. */
static bool
read_limit (uint64_t *out, GError **error)
{
  g_autoptr (VendSettings) settings = NULL;
  if (!vend_settings_load (NULL, &settings, error))
    return false;
  *out = vend_settings_bytes (settings, "max-source");
  return true;
}

/* ---- Weights of "file://", which travel with the project */

typedef struct
{
  GArray *extras;   /* of VendPackExtra */
  GPtrArray *texts; /* what they point to */
} Extras;

static void
extras_clear (Extras *extras)
{
  g_clear_pointer (&extras->extras, g_array_unref);
  g_clear_pointer (&extras->texts, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Extras, extras_clear)

static bool
wants (const char *path, void *data)
{
  return vend_weight_source_wants (data, path);
}

static const char *
keep_text (Extras *extras, char *text)
{
  g_ptr_array_add (extras->texts, text);
  return text;
}

/* Its path in the project; NULL: it lies elsewhere. */
static const char *
path_inside (Extras *extras, const char *dir, const char *path)
{
  g_autofree char *top = g_canonicalize_filename (dir, NULL);
  const gsize length = strlen (top);
  return strncmp (path, top, length) == 0 && path[length] == '/'
             ? keep_text (extras, g_strdup (path + length + 1))
             : NULL;
}

static bool
add_weights (Extras *extras, const char *dir, const VendCogWeights *weights, GError **error)
{
  struct stat st;
  g_autofree char *top = g_canonicalize_filename (dir, NULL);
  const char *path = keep_text (extras, g_canonicalize_filename (weights->source->path, top));
  if (stat (path, &st) < 0 || (!S_ISREG (st.st_mode) && !S_ISDIR (st.st_mode)))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "cog.yaml: weights '%s': '%s' is no file or folder on this machine; correct "
                      "the source %s",
                      weights->name, path, weights->source->uri);
  if (strcmp (path, top) == 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "cog.yaml: weights '%s': %s is the project itself; put the weights into a "
                      "folder",
                      weights->name, weights->source->uri);
  const bool is_file = S_ISREG (st.st_mode);
  const VendPackExtra extra = {
    .dir = is_file ? keep_text (extras, g_path_get_dirname (path)) : path,
    .file = is_file ? keep_text (extras, g_path_get_basename (path)) : NULL,
    .path = keep_text (extras, g_build_filename (VEND_PUSHED_WEIGHTS, weights->name, NULL)),
    .wants = wants,
    .data = weights->source,
    .inside = path_inside (extras, dir, path),
  };
  g_array_append_val (extras->extras, extra);
  return true;
}

static bool
find_extras (const char *dir, const VendCogYaml *yaml, Extras *out, GError **error)
{
  out->extras = g_array_new (FALSE, FALSE, sizeof (VendPackExtra));
  out->texts = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < yaml->weights->len; i++)
    {
      const VendCogWeights *weights = g_ptr_array_index (yaml->weights, i);
      if (weights->source->kind == VEND_WEIGHTS_FILE && !add_weights (out, dir, weights, error))
        return false;
    }
  return true;
}

static bool
pack (const char *dir, const VendCogYaml *yaml, const char *archive, VendSource *out,
      GError **error)
{
  VendPackInfo info = { 0 };
  uint64_t max_bytes = 0;
  g_auto (Extras) extras = { 0 };
  if (!read_limit (&max_bytes, error) || !find_extras (dir, yaml, &extras, error)
      || !vend_pack_tree_and (dir, (const VendPackExtra *) (void *) extras.extras->data,
                              extras.extras->len, archive, max_bytes, &info, error))
    return false;
  vend_autofd fd = open (archive, O_RDONLY | O_CLOEXEC);
  int saved_errno = errno;
  unlink (archive);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, saved_errno, "open '%s'", archive);
  out->fd = vend_fd_steal (&fd);
  out->size = info.size;
  out->sha256 = g_strdup (info.sha256);
  return true;
}

bool
vend_source_pack (const char *dir, bool for_image, VendSource *out, GError **error)
{
  g_autoptr (VendCogYaml) yaml = NULL;
  if (!check (dir, for_image, &yaml, error))
    return false;
  out->wants_gpu = yaml->gpu;

  g_autofree char *work = g_build_filename (g_get_tmp_dir (), "vend-push-XXXXXX", NULL);
  if (g_mkdtemp (work) == NULL)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", work);
  g_autofree char *archive = g_build_filename (work, "source.tar.gz", NULL);
  bool good = pack (dir, yaml, archive, out, error);
  rmdir (work);
  return good;
}

bool
vend_source_open (const char *archive, VendSource *out, GError **error)
{
  struct stat st;
  vend_autofd fd = open (archive, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "open '%s'", archive);
  if (!vend_sha256_file (archive, &out->sha256, error))
    return false;
  out->fd = vend_fd_steal (&fd);
  out->size = (uint64_t) st.st_size;
  return true;
}
