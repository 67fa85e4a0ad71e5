/* Contents come, are held until their rows are there, and go when they have no use. */
#include "files/blobs.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <glib/gstdio.h>

typedef struct
{
  char *dir;
  VendBlobs *blobs;
  char *path; /* of a file outside */
  char *sha256;
} Place;

static void
write_source (const Place *place)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (place->path, "content", -1, &error));
}

static void
set_up (Place *place)
{
  g_autoptr (GError) error = NULL;
  place->dir = g_dir_make_tmp ("vend-blobs-XXXXXX", &error);
  g_autofree char *inside = g_build_filename (place->dir, "blobs", NULL);
  g_assert_true (vend_dir_ensure (inside, &error));
  g_assert_true (vend_blobs_open (inside, &place->blobs, &error));
  place->path = g_build_filename (place->dir, "source", NULL);
  place->sha256 = vend_sha256_text ("content");
  write_source (place);
}

static void
tear_down (Place *place)
{
  g_autoptr (GError) error = NULL;
  vend_blobs_free (place->blobs);
  g_assert_true (vend_tree_remove (place->dir, &error));
  g_free (place->dir);
  g_free (place->path);
  g_free (place->sha256);
}

static bool
is_there (const Place *place)
{
  g_autofree char *path = vend_blobs_path (place->blobs, place->sha256);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static bool
answer (const char *sha256, void *data)
{
  return *(const bool *) data;
}

static void
remove_unless (const Place *place, bool used)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_blobs_remove_unused (place->blobs, place->sha256, answer, &used, &error));
}

static void
test_held (void)
{
  Place place;
  g_autoptr (GError) error = NULL;
  set_up (&place);
  g_assert_true (vend_blobs_copy (place.blobs, place.path, place.sha256, &error));
  g_assert_true (g_file_test (place.path, G_FILE_TEST_EXISTS));
  g_assert_true (vend_blobs_take (place.blobs, place.path, place.sha256, &error));
  g_assert_false (g_file_test (place.path, G_FILE_TEST_EXISTS));
  remove_unless (&place, false);
  g_assert_true (is_there (&place));
  vend_blobs_let_go (place.blobs, place.sha256);
  remove_unless (&place, false);
  g_assert_true (is_there (&place));
  vend_blobs_let_go (place.blobs, place.sha256);
  remove_unless (&place, true);
  g_assert_true (is_there (&place));
  remove_unless (&place, false);
  g_assert_false (is_there (&place));
  /* What is gone already is no error. */
  remove_unless (&place, false);
  tear_down (&place);
}

static void
test_not_brought_in (void)
{
  Place place;
  g_autoptr (GError) error = NULL;
  set_up (&place);
  g_unlink (place.path);
  g_assert_false (vend_blobs_copy (place.blobs, place.path, place.sha256, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_STORAGE);
  g_clear_error (&error);
  g_assert_false (vend_blobs_take (place.blobs, place.path, place.sha256, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_STORAGE);
  g_clear_error (&error);
  /* And so it is not held. */
  write_source (&place);
  g_assert_true (vend_blobs_take (place.blobs, place.path, place.sha256, &error));
  vend_blobs_let_go (place.blobs, place.sha256);
  remove_unless (&place, false);
  g_assert_false (is_there (&place));
  tear_down (&place);
}

static void *
hold_it (void *data)
{
  const Place *place = data;
  g_autoptr (GError) error = NULL;
  if (vend_blobs_hold (place->blobs, place->sha256, &error))
    return NULL;
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  return GINT_TO_POINTER (true);
}

typedef struct
{
  const Place *place;
  GThread *holder;
  bool used;
} Asking;

/* Somebody wants to hold it while it is looked up whether it goes. */
static bool
answer_slowly (const char *sha256, void *data)
{
  Asking *asking = data;
  asking->holder = g_thread_new ("hold", hold_it, (void *) asking->place);
  for (guint i = 0; i < 1000; i++)
    g_thread_yield ();
  return asking->used;
}

static void
test_held_while_it_goes (void)
{
  Place place;
  g_autoptr (GError) error = NULL;
  set_up (&place);
  g_assert_nonnull (hold_it (&place));
  for (guint i = 0; i < 100; i++)
    {
      Asking asking = { &place, NULL, i % 2 == 0 };
      write_source (&place);
      g_assert_true (vend_blobs_take (place.blobs, place.path, place.sha256, &error));
      vend_blobs_let_go (place.blobs, place.sha256);
      g_assert_true (
          vend_blobs_remove_unused (place.blobs, place.sha256, answer_slowly, &asking, &error));
      const bool is_gone = g_thread_join (asking.holder) != NULL;
      g_assert_true (is_gone == !asking.used);
      g_assert_true (is_there (&place) == asking.used);
      if (asking.used)
        {
          remove_unless (&place, false);
          g_assert_true (is_there (&place));
          vend_blobs_let_go (place.blobs, place.sha256);
        }
    }
  tear_down (&place);
}

static void
test_holds (void)
{
  Place place;
  g_autoptr (GError) error = NULL;
  set_up (&place);
  g_autoptr (VendBlobHolds) holds = vend_blob_holds_new (place.blobs);
  g_assert_false (vend_blob_holds_add (holds, place.sha256, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (vend_blobs_take (place.blobs, place.path, place.sha256, &error));
  g_assert_true (vend_blob_holds_add (holds, place.sha256, &error));
  g_assert_true (vend_blob_holds_add (holds, place.sha256, &error));
  vend_blobs_let_go (place.blobs, place.sha256);
  remove_unless (&place, false);
  g_assert_true (is_there (&place));
  vend_blob_holds_free (g_steal_pointer (&holds));
  remove_unless (&place, false);
  g_assert_false (is_there (&place));
  tear_down (&place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/blobs/held", test_held);
  g_test_add_func ("/blobs/not-brought-in", test_not_brought_in);
  g_test_add_func ("/blobs/held-while-it-goes", test_held_while_it_goes);
  g_test_add_func ("/blobs/holds", test_holds);
  return g_test_run ();
}
