/* Probes the workspace of this machine. Blocks on disk and fork. */
#include "workspace/probe.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include <sys/stat.h>

#define PROBE_LIFE_US (10 * 60 * VEND_US_PER_S)

static bool
fill (const char *dir, VendCopyKind kind, VendWorkspace **out, GError **error)
{
  g_autofree char *source = g_build_filename (dir, "source", NULL);
  char *const argv[] = { (char *) "python", NULL };
  char *const env[] = { NULL };
  const VendWorkspaceOptions options
      = { .dir = dir, .source = source, .argv = argv, .env = env, .kind = kind };
  return vend_dir_ensure (source, error) && vend_workspace_new (&options, out, error)
         && vend_workspace_copy (*out, NULL, error);
}

static char *
describe (const VendWorkspace *workspace)
{
  const char *no_overlay = vend_workspace_why_no_overlay (workspace);
  const char *no_mounts = vend_workspace_why_no_mounts (workspace);
  if (no_mounts != NULL)
    return g_strdup_printf ("by %s; models share /tmp, and nothing keeps them from writing to the "
                            "sources of versions: %s",
                            vend_workspace_kind (workspace), no_mounts);
  return g_strdup_printf (
      "by %s%s%s; each instance has its own /tmp", vend_workspace_kind (workspace),
      no_overlay != NULL ? ", since Vend " : "", no_overlay != NULL ? no_overlay : "");
}

bool
vend_workspace_probe (const char *data_dir, VendCopyKind kind, char **out_text)
{
  g_autofree char *dir = g_build_filename (data_dir, VEND_PROBE_PREFIX "XXXXXX", NULL);
  g_autoptr (VendWorkspace) workspace = NULL;
  g_autoptr (GError) problem = NULL;
  if (g_mkdtemp_full (dir, 0700) == NULL)
    {
      *out_text = g_strdup_printf ("none can be made in %s", data_dir);
      return false;
    }
  const bool made = fill (dir, kind, &workspace, &problem);
  *out_text = made ? describe (workspace) : g_strdup (problem->message);
  g_clear_error (&problem);
  if (!vend_tree_remove (dir, &problem))
    vend_log (VEND_LOG_WARN, "cannot remove a folder", "error", problem->message, NULL);
  return made && vend_workspace_why_no_mounts (workspace) == NULL;
}

static bool
is_old (const char *path)
{
  struct stat st;
  return lstat (path, &st) == 0
         && vend_now_us () - (int64_t) st.st_mtim.tv_sec * VEND_US_PER_S >= PROBE_LIFE_US;
}

void
vend_workspace_probe_sweep (const char *data_dir)
{
  g_autoptr (GDir) listing = g_dir_open (data_dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (data_dir, name, NULL);
      g_autoptr (GError) error = NULL;
      if (g_str_has_prefix (name, VEND_PROBE_PREFIX) && is_old (path)
          && !vend_tree_remove (path, &error))
        vend_log (VEND_LOG_WARN, "cannot remove a folder", "error", error->message, NULL);
    }
}
