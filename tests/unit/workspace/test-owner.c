/* A working copy that belongs to another user. Only root can give one away. */
#include "base/fd.h"
#include "base/idmap.h"
#include "workspace/tree-copy.h"
#include "workspace/workspace.h"
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWNER ((uid_t) 1900000009)

typedef struct
{
  char *dir;
  char *source;
  char *place;
} Place;

static void
set_up (Place *place, gconstpointer data)
{
  place->dir = g_dir_make_tmp ("vend-owner-XXXXXX", NULL);
  place->source = g_build_filename (place->dir, "source", NULL);
  place->place = g_build_filename (place->dir, "place", NULL);
  g_autofree char *file = g_build_filename (place->source, "predict.py", NULL);
  g_assert_true (vend_dir_ensure (place->source, NULL) && vend_dir_ensure (place->place, NULL));
  g_assert_true (vend_file_replace (file, "x = 1\n", 6, 0600, NULL));
}

static void
tear_down (Place *place, gconstpointer data)
{
  g_assert_true (vend_tree_remove (place->dir, NULL));
  g_free (place->dir);
  g_free (place->source);
  g_free (place->place);
}

/* As the model: it may change what is its own, and the original stays. */
static int
change_as_owner (const VendWorkspace *workspace)
{
  int status = -1;
  const pid_t pid = fork ();
  if (pid == 0)
    {
      if (!vend_workspace_enter (workspace) || setgroups (0, NULL) < 0
          || setresgid (OWNER, OWNER, OWNER) < 0 || setresuid (OWNER, OWNER, OWNER) < 0)
        _exit (2);
      FILE *file = fopen ("predict.py", "a");
      _exit (file != NULL && fputs ("y = 2\n", file) >= 0 && fclose (file) == 0 ? 0 : 3);
    }
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static void
test_copy (Place *place, gconstpointer kind)
{
  char *const argv[] = { (char *) "python", NULL };
  char *const env[] = { NULL };
  g_autoptr (VendWorkspace) workspace = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *original = g_build_filename (place->source, "predict.py", NULL);
  g_autofree char *text = NULL;
  struct stat st;
  VendWorkspaceOptions options = { .dir = place->place,
                                   .source = place->source,
                                   .argv = argv,
                                   .env = env,
                                   .kind = (VendCopyKind) GPOINTER_TO_INT (kind),
                                   .is_bare = true,
                                   .owner = OWNER,
                                   .idmap = -1 };
  if (geteuid () != 0 || !vend_idmap_new (OWNER, &options.idmap, &error))
    {
      g_test_skip (error != NULL ? error->message : "only root gives files away");
      return;
    }
  if (!vend_workspace_new (&options, &workspace, &error))
    {
      g_test_skip (error->message);
      return;
    }
  g_assert_true (vend_workspace_copy (workspace, NULL, &error));
  g_assert_cmpint (stat (vend_workspace_tmp (workspace), &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, OWNER);
  g_assert_null (vend_workspace_tmpdir (workspace));
  g_assert_cmpint (vend_workspace_idmap (workspace), >=, 0);
  g_assert_true (g_str_has_prefix (vend_workspace_cwd (workspace), place->place));
  /* The folders above are the test's own. */
  g_assert_cmpint (chmod (place->dir, 0755) | chmod (place->place, 0755), ==, 0);
  g_autofree char *area = g_path_get_dirname (vend_workspace_cwd (workspace));
  g_assert_cmpint (chmod (area, 0755), ==, 0);
  g_assert_cmpint (change_as_owner (workspace), ==, 0);
  g_assert_true (vend_file_read (original, 100, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "x = 1\n");
}

static void
test_tree (Place *place, gconstpointer data)
{
  g_autofree char *link = g_build_filename (place->source, "link", NULL);
  struct stat st;
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (symlink ("/etc/passwd", link), ==, 0);
  if (geteuid () != 0)
    {
      g_assert_false (vend_tree_own (place->source, OWNER, &error));
      return;
    }
  g_assert_true (vend_tree_own (place->source, OWNER, &error));
  g_assert_cmpint (lstat (link, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, OWNER);
  g_assert_cmpint (stat ("/etc/passwd", &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, 0);
}

#define TEST(name, kind, test) \
  g_test_add (name, Place, GINT_TO_POINTER (kind), set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("/workspace/owner/overlay", VEND_COPY_OVERLAY, test_copy);
  TEST ("/workspace/owner/copy", VEND_COPY_PLAIN, test_copy);
  TEST ("/workspace/owner/tree", 0, test_tree);
  return g_test_run ();
}
