/* Copies of trees: what goes wrong, and that nothing is shared. What a copy has of its source is
 * tested with models in tests/director. */
#include "base/error.h"
#include "base/fd.h"
#include "workspace/tree-copy.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define TOO_DEEP 210

typedef struct
{
  char *dir;
  char *from;
  char *to;
} Fixture;

static void
put (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (path, text, -1, &error));
}

static void
set_up (Fixture *f, const void *data)
{
  f->dir = g_dir_make_tmp ("vend-tree-XXXXXX", NULL);
  f->from = g_build_filename (f->dir, "from", NULL);
  f->to = g_build_filename (f->dir, "to", NULL);
  g_assert_cmpint (g_mkdir (f->from, 0700), ==, 0);
  put (f->from, "file", "pushed");
}

static void
tear_down (Fixture *f, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
  g_free (f->from);
  g_free (f->to);
}

static void
assert_text (const char *dir, const char *name, const char *expected)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static void
test_nothing_is_shared (Fixture *f, const void *data)
{
  const VendClone clone = GPOINTER_TO_INT (data);
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_build_filename (f->from, "file", NULL);
  g_autofree char *other = g_build_filename (f->from, "other", NULL);
  g_assert_cmpint (link (name, other), ==, 0);
  g_assert_true (vend_tree_copy (f->from, f->to, clone, NULL, &error));
  assert_text (f->to, "file", "pushed");

  g_autofree char *copied = g_build_filename (f->to, "file", NULL);
  FILE *file = fopen (copied, "r+");
  g_assert_nonnull (file);
  fputs ("SPOIL", file);
  fclose (file);
  assert_text (f->from, "file", "pushed");
  assert_text (f->to, "other", "SPOILd");
}

static void
test_a_place_that_is_taken (Fixture *f, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (g_mkdir (f->to, 0700), ==, 0);
  g_assert_false (vend_tree_copy (f->from, f->to, VEND_CLONE_NEVER, NULL, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_STORAGE);
}

static void
test_a_stop (Fixture *f, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_assert_false (vend_tree_copy (f->from, f->to, VEND_CLONE_NEVER, cancellable, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CANCELED);
}

static void
test_a_tree_that_is_too_deep (Fixture *f, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) path = g_string_new (f->from);
  for (guint i = 0; i < TOO_DEEP; i++)
    g_string_append (path, "/d");
  g_assert_cmpint (g_mkdir_with_parents (path->str, 0700), ==, 0);
  g_assert_false (vend_tree_copy (f->from, f->to, VEND_CLONE_NEVER, NULL, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, "deeper than 200 folders"));
}

static void
test_a_link_is_not_followed (Fixture *f, const void *data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_build_filename (f->from, "link", NULL);
  g_autofree char *copied = g_build_filename (f->to, "link", NULL);
  g_assert_cmpint (symlink ("/etc/passwd", name), ==, 0);
  g_assert_true (vend_tree_copy (f->from, f->to, VEND_CLONE_POSSIBLE, NULL, &error));
  g_autofree char *target = g_file_read_link (copied, NULL);
  g_assert_cmpstr (target, ==, "/etc/passwd");
}

/* An overlay and many a model leave folders that not even their owner may look into. */
static int
remove_as_nobody (const Fixture *f)
{
  g_autofree char *outer = g_build_filename (f->dir, "outer", NULL);
  g_autofree char *inner = g_build_filename (outer, "inner", NULL);
  if (setgid (NOBODY) != 0 || setuid (NOBODY) != 0 || g_mkdir_with_parents (inner, 0700) != 0)
    return 2;
  put (inner, "file", "x");
  if (g_chmod (inner, 0) != 0 || g_chmod (outer, 0) != 0)
    return 3;
  return vend_tree_remove (outer, NULL) && !g_file_test (outer, G_FILE_TEST_EXISTS) ? 0 : 1;
}

static void
test_what_nobody_may_read_is_removed (Fixture *f, const void *data)
{
  if (getuid () != 0)
    {
      g_test_skip ("only root can become another user");
      return;
    }
  g_assert_cmpint (chown (f->dir, NOBODY, NOBODY), ==, 0);
  const pid_t child = fork ();
  if (child == 0)
    _exit (remove_as_nobody (f));
  int status = 0;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, data, function) \
  g_test_add ("/tree-copy/" path, Fixture, data, set_up, function, tear_down)
  ADD ("nothing-is-shared", GINT_TO_POINTER (VEND_CLONE_NEVER), test_nothing_is_shared);
  ADD ("nothing-is-shared-cloned", GINT_TO_POINTER (VEND_CLONE_POSSIBLE), test_nothing_is_shared);
  ADD ("taken", NULL, test_a_place_that_is_taken);
  ADD ("stop", NULL, test_a_stop);
  ADD ("too-deep", NULL, test_a_tree_that_is_too_deep);
  ADD ("link", NULL, test_a_link_is_not_followed);
  ADD ("unreadable", NULL, test_what_nobody_may_read_is_removed);
  return g_test_run ();
}
