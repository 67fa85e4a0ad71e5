/* Decides the kind of working copy and /tmp of an instance. Blocks on disk and fork. */
#include "workspace/workspace.h"
#include "base/error.h"
#include "base/fd.h"
#include "workspace/namespace.h"
#include "workspace/tree-copy.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TMP "/tmp/"
#define MAX_KEPT 64 /* names below /tmp that stay reachable */

struct VendWorkspace
{
  VendCopyKind kind; /* never AUTO after vend_workspace_new */
  VendClone clone;
  char *source;
  char *tmp;
  char *area; /* DIR/work: the copy's parent, with nothing else in it */
  char *cwd;
  char *overlay;
  char *upper;
  char *work;
  char *lower;
  bool is_bare;
  uid_t owner;
  int idmap;
  GPtrArray *kept_from; /* NULL-terminated once the mounts are planned, like the next two */
  GPtrArray *kept_at;
  GPtrArray *read_only;
  char **links; /* pairs: a path in the working copy, where it leads */
  bool mounts_work;
  bool trusted; /* attributes of that name can be set */
  VendMounts mounts;
  char *no_overlay;
  char *no_mounts;
};

static const char *const kind_words[] = { [VEND_COPY_AUTO] = "auto",
                                          [VEND_COPY_OVERLAY] = "overlay",
                                          [VEND_COPY_REFLINK] = "reflink",
                                          [VEND_COPY_PLAIN] = "copy" };

bool
vend_copy_kind_parse (const char *word, VendCopyKind *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (kind_words); i++)
    if (strcmp (word, kind_words[i]) == 0)
      {
        *out = (VendCopyKind) i;
        return true;
      }
  return false;
}

/* ---- Kept parts of /tmp */

static void
keep (VendWorkspace *workspace, const char *path)
{
  struct stat st;
  if (!g_str_has_prefix (path, TMP))
    return;
  const gsize length = strcspn (path + strlen (TMP), "/");
  g_autofree char *from = g_strndup (path, strlen (TMP) + length);
  const char *name = from + strlen (TMP);
  if (length == 0 || strcmp (name, ".") == 0 || strcmp (name, "..") == 0 || stat (from, &st) < 0
      || workspace->kept_from->len >= MAX_KEPT
      || g_ptr_array_find_with_equal_func (workspace->kept_from, from, g_str_equal, NULL))
    return;
  char *at = g_build_filename (workspace->tmp, name, NULL);
  if (S_ISDIR (st.st_mode))
    mkdir (at, 0700);
  else
    {
      vend_autofd fd = open (at, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
      (void) fd;
    }
  g_ptr_array_add (workspace->kept_from, g_steal_pointer (&from));
  g_ptr_array_add (workspace->kept_at, at);
}

static void
keep_with_target (VendWorkspace *workspace, const char *path)
{
  g_autofree char *target = realpath (path, NULL);
  keep (workspace, path);
  if (target != NULL)
    keep (workspace, target);
}

/* Variables of the server, or for the machine's certificates. Paths below /tmp in the author's own
 * variables are meant for the instance's /tmp. */
static bool
is_ours (const char *variable)
{
  static const char *const names[]
      = { "PATH=",          "VIRTUAL_ENV=",        "HOME=",          "VEND_LAUNCH_",
          "SSL_CERT_FILE=", "REQUESTS_CA_BUNDLE=", "CURL_CA_BUNDLE=" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_has_prefix (variable, names[i]))
      return true;
  return false;
}

static void
keep_all (VendWorkspace *workspace, const VendWorkspaceOptions *options)
{
  keep_with_target (workspace, options->dir);
  keep_with_target (workspace, options->source);
  for (gsize i = 0; options->argv[i] != NULL; i++)
    keep_with_target (workspace, options->argv[i]);
  for (gsize i = 0; options->env[i] != NULL; i++)
    {
      if (!is_ours (options->env[i]))
        continue;
      g_auto (GStrv) parts = g_strsplit (strchr (options->env[i], '=') + 1, ":", -1);
      for (gsize j = 0; parts[j] != NULL; j++)
        {
          /* The Python of an environment may link to a Python anywhere. */
          g_autofree char *program = g_build_filename (parts[j], options->argv[0], NULL);
          keep_with_target (workspace, parts[j]);
          keep_with_target (workspace, program);
        }
    }
}

/* ---- Possible mounts */

static void
plan (VendWorkspace *workspace, const VendWorkspaceOptions *options)
{
  VendMounts *mounts = &workspace->mounts;
  if (!workspace->is_bare)
    keep_all (workspace, options);
  for (gsize i = 0;
       !workspace->is_bare && options->read_only != NULL && options->read_only[i] != NULL; i++)
    if (g_file_test (options->read_only[i], G_FILE_TEST_IS_DIR))
      g_ptr_array_add (workspace->read_only, g_strdup (options->read_only[i]));
  g_ptr_array_add (workspace->kept_from, NULL);
  g_ptr_array_add (workspace->kept_at, NULL);
  g_ptr_array_add (workspace->read_only, NULL);
  mounts->tmp = workspace->is_bare ? NULL : workspace->tmp;
  mounts->lower = workspace->owner != 0 ? workspace->lower : NULL;
  mounts->idmap = workspace->idmap;
  mounts->kept_from = (char **) workspace->kept_from->pdata;
  mounts->kept_at = (char **) workspace->kept_at->pdata;
  mounts->read_only = (char **) workspace->read_only->pdata;
  mounts->source = workspace->source;
  mounts->upper = workspace->upper;
  mounts->work = workspace->work;
}

static VendMountResult
try_mounts (const VendMounts *mounts)
{
  VendMountResult result = { VEND_MOUNT_NAMESPACE, EAGAIN };
  int ends[2];
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return result;
  const pid_t child = fork ();
  if (child == 0)
    {
      result = vend_mounts_enter (mounts);
      _exit (write (ends[1], &result, sizeof result) == (ssize_t) sizeof result ? 0 : 1);
    }
  close (ends[1]);
  VendMountResult told;
  if (child > 0 && read (ends[0], &told, sizeof told) == (ssize_t) sizeof told)
    result = told;
  close (ends[0]);
  while (child > 0 && waitpid (child, NULL, 0) < 0 && errno == EINTR)
    ;
  return result;
}

static const char *
step_name (VendMountStep step)
{
  switch (step)
    {
    case VEND_MOUNT_TMP:
      return "mount over /tmp";
    case VEND_MOUNT_READ_ONLY:
      return "mount a folder read-only";
    case VEND_MOUNT_OVERLAY:
      return "mount an overlay";
    case VEND_MOUNT_NAMESPACE:
    case VEND_MOUNT_DONE:
      break;
    }
  return "make a mount namespace";
}

static char *
describe (const VendMountResult *result)
{
  return g_strdup_printf ("cannot %s: %s", step_name (result->step), g_strerror (result->error));
}

/* Tries as the current user, then in a user namespace. A refused overlay leaves the other
 * mounts. */
static void
find_out (VendWorkspace *workspace)
{
  VendMounts *mounts = &workspace->mounts;
  VendMountResult result = { VEND_MOUNT_NAMESPACE, 0 };
  for (guint attempt = 0; attempt < 2; attempt++)
    {
      mounts->user_spaces = attempt == 1;
      mounts->user_attributes = mounts->user_spaces || !workspace->trusted;
      result = try_mounts (mounts);
      if (result.step == VEND_MOUNT_DONE || result.step == VEND_MOUNT_OVERLAY)
        break;
    }
  workspace->mounts_work = result.step == VEND_MOUNT_DONE || result.step == VEND_MOUNT_OVERLAY;
  if (!workspace->mounts_work)
    workspace->no_mounts = describe (&result);
  if (result.step != VEND_MOUNT_DONE && mounts->target != NULL)
    {
      workspace->no_overlay = describe (&result);
      mounts->target = NULL;
    }
}

/* ---- Links */

static bool
make_links (const VendWorkspace *workspace, const char *root, GError **error)
{
  for (gsize i = 0; workspace->links[i] != NULL; i += 2)
    {
      g_autofree char *path = g_build_filename (root, workspace->links[i], NULL);
      g_autofree char *folder = g_path_get_dirname (path);
      if (!vend_dir_ensure (folder, error))
        return false;
      if (symlink (workspace->links[i + 1], path) < 0)
        return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "link '%s' in the working copy",
                                workspace->links[i]);
    }
  return true;
}

static bool
give_away (const VendWorkspace *workspace, const char *path, GError **error)
{
  return workspace->owner == 0 || vend_tree_own (path, workspace->owner, error);
}

/* ---- Making */

/* Without attributes an overlay mounts, but fails when a folder replaces another. */
static bool
keeps_attribute (const char *path, const char *name)
{
  return setxattr (path, name, "y", 1, 0) == 0 && removexattr (path, name) == 0;
}

static bool
make_overlay_folders (const VendWorkspace *workspace, GError **error)
{
  return vend_dir_ensure (workspace->upper, error) && vend_dir_ensure (workspace->work, error)
         && vend_dir_ensure (workspace->cwd, error)
         && (workspace->owner == 0 || vend_dir_ensure (workspace->lower, error));
}

static bool
choose (VendWorkspace *workspace, const VendWorkspaceOptions *options, GError **error)
{
  const bool overlay = options->kind == VEND_COPY_AUTO || options->kind == VEND_COPY_OVERLAY;
  if (overlay && !make_overlay_folders (workspace, error))
    return false;
  plan (workspace, options);
  if (overlay)
    {
      workspace->trusted = keeps_attribute (workspace->upper, "trusted.vend-probe");
      if (workspace->trusted || keeps_attribute (workspace->upper, "user.vend-probe"))
        workspace->mounts.target = workspace->cwd;
      else
        workspace->no_overlay = g_strdup ("cannot keep extended attributes on its filesystem");
    }
  find_out (workspace);
  if (workspace->mounts.target != NULL)
    {
      workspace->kind = VEND_COPY_OVERLAY;
      /* An overlay that is not synchronized can be mounted once only. */
      return vend_tree_remove (workspace->work, error) && vend_dir_ensure (workspace->work, error)
             && make_links (workspace, workspace->upper, error)
             && give_away (workspace, workspace->upper, error);
    }
  if (options->kind == VEND_COPY_OVERLAY)
    return vend_fail (error, VEND_ERROR_RUNNER,
                      "no working copy as an overlay: %s; set working-copy to auto",
                      workspace->no_overlay);
  workspace->kind = options->kind == VEND_COPY_REFLINK ? VEND_COPY_REFLINK : VEND_COPY_PLAIN;
  workspace->clone = options->kind == VEND_COPY_PLAIN     ? VEND_CLONE_NEVER
                     : options->kind == VEND_COPY_REFLINK ? VEND_CLONE_ONLY
                                                          : VEND_CLONE_POSSIBLE;
  return !overlay
         || (vend_tree_remove (workspace->overlay, error)
             && vend_tree_remove (workspace->cwd, error));
}

bool
vend_workspace_new (const VendWorkspaceOptions *options, VendWorkspace **out, GError **error)
{
  g_autoptr (VendWorkspace) workspace = g_new0 (VendWorkspace, 1);
  workspace->source = g_strdup (options->source);
  workspace->tmp = g_build_filename (options->dir, "tmp", NULL);
  workspace->area = g_build_filename (options->dir, "work", NULL);
  workspace->cwd = g_build_filename (workspace->area, "src", NULL);
  workspace->overlay = g_build_filename (options->dir, "overlay", NULL);
  workspace->upper = g_build_filename (workspace->overlay, "upper", NULL);
  workspace->work = g_build_filename (workspace->overlay, "work", NULL);
  workspace->lower = g_build_filename (workspace->overlay, "lower", NULL);
  workspace->is_bare = options->is_bare;
  workspace->owner = options->owner;
  workspace->idmap = options->owner != 0 ? options->idmap : -1;
  workspace->kept_from = g_ptr_array_new_with_free_func (g_free);
  workspace->kept_at = g_ptr_array_new_with_free_func (g_free);
  workspace->read_only = g_ptr_array_new_with_free_func (g_free);
  workspace->links
      = options->links != NULL ? g_strdupv ((char **) options->links) : g_new0 (char *, 1);
  if (!vend_tree_remove (workspace->area, error) || !vend_tree_remove (workspace->overlay, error)
      || !vend_dir_ensure (workspace->area, error) || !vend_dir_ensure (workspace->tmp, error)
      || !give_away (workspace, workspace->tmp, error) || !choose (workspace, options, error))
    return false;
  *out = g_steal_pointer (&workspace);
  return true;
}

void
vend_workspace_free (VendWorkspace *workspace)
{
  if (workspace == NULL)
    return;
  g_free (workspace->source);
  g_free (workspace->tmp);
  g_free (workspace->area);
  g_free (workspace->cwd);
  g_free (workspace->overlay);
  g_free (workspace->upper);
  g_free (workspace->work);
  g_free (workspace->lower);
  vend_fd_clear (&workspace->idmap);
  g_ptr_array_unref (workspace->kept_from);
  g_ptr_array_unref (workspace->kept_at);
  g_ptr_array_unref (workspace->read_only);
  g_strfreev (workspace->links);
  g_free (workspace->no_overlay);
  g_free (workspace->no_mounts);
  g_free (workspace);
}

bool
vend_workspace_wants_copy (const VendWorkspace *workspace)
{
  return workspace->kind != VEND_COPY_OVERLAY;
}

bool
vend_workspace_copy (const VendWorkspace *workspace, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) left = NULL;
  if (!vend_workspace_wants_copy (workspace))
    return true;
  if (vend_tree_copy (workspace->source, workspace->cwd, workspace->clone, cancellable, error)
      && make_links (workspace, workspace->cwd, error)
      && give_away (workspace, workspace->cwd, error))
    return true;
  g_prefix_error (error, "no working copy of the model: ");
  if (!vend_tree_remove (workspace->cwd, &left))
    g_prefix_error (error, "(%s) ", left->message);
  return false;
}

bool
vend_workspace_enter (const VendWorkspace *workspace)
{
  if (workspace->mounts_work && vend_mounts_enter (&workspace->mounts).step != VEND_MOUNT_DONE)
    return false;
  return chdir (workspace->cwd) == 0;
}

const char *
vend_workspace_kind (const VendWorkspace *workspace)
{
  return kind_words[workspace->kind];
}

const char *
vend_workspace_why_no_overlay (const VendWorkspace *workspace)
{
  return workspace->no_overlay;
}

const char *
vend_workspace_why_no_mounts (const VendWorkspace *workspace)
{
  return workspace->is_bare ? NULL : workspace->no_mounts;
}

const char *
vend_workspace_tmpdir (const VendWorkspace *workspace)
{
  return workspace->mounts_work || workspace->is_bare ? NULL : workspace->tmp;
}

const char *
vend_workspace_cwd (const VendWorkspace *workspace)
{
  return workspace->cwd;
}

const char *
vend_workspace_tmp (const VendWorkspace *workspace)
{
  return workspace->tmp;
}

int
vend_workspace_idmap (const VendWorkspace *workspace)
{
  return workspace->idmap;
}
