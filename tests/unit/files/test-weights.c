/* Weights are shown to models under their own names, without a copy, and go with their content. */
#include "files/weights.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <sys/stat.h>

#define MISSING "3333333333333333333333333333333333333333333333333333333333333333"

typedef struct
{
  char *dir;
  VendBlobs *blobs;
  VendWeights weights;
} Fixture;

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-weights-XXXXXX", NULL);
  g_autofree char *blobs = g_build_filename (f->dir, "blobs", NULL);
  g_assert_true (vend_blobs_open (blobs, &f->blobs, &error));
  g_autofree char *path = g_build_filename (vend_blobs_spool (f->blobs), "new", NULL);
  g_assert_true (g_file_set_contents (path, "tuned", 5, &error));
  f->weights = (VendWeights){ (char *) "tuned.bin", 5, vend_sha256_text ("tuned") };
  g_assert_true (vend_blobs_take (f->blobs, path, f->weights.sha256, &error));
  vend_blobs_let_go (f->blobs, f->weights.sha256);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  vend_blobs_free (f->blobs);
  g_free (f->weights.sha256);
  g_assert_true (vend_tree_remove (f->dir, &error));
  g_free (f->dir);
}

static void
test_place (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = vend_weights_path (vend_blobs_dir (f->blobs), &f->weights);
  g_autofree char *content = vend_blobs_path (f->blobs, f->weights.sha256);
  struct stat shown, stored;
  for (int i = 0; i < 2; i++)
    g_assert_true (vend_weights_place (f->blobs, &f->weights, &error));
  g_assert_true (g_str_has_suffix (path, "/tuned.bin"));
  g_assert_cmpint (stat (path, &shown), ==, 0);
  g_assert_cmpint (stat (content, &stored), ==, 0);
  g_assert_cmpint (shown.st_ino, ==, stored.st_ino);
  g_assert_cmpint (shown.st_mode & 0777, ==, 0444);

  VendWeights renamed = f->weights;
  renamed.name = (char *) "other.bin";
  g_autofree char *other = vend_weights_path (vend_blobs_dir (f->blobs), &renamed);
  g_assert_true (vend_weights_place (f->blobs, &renamed, &error));
  g_assert_true (vend_weights_forget (f->blobs, f->weights.sha256, &error));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (other, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (content, G_FILE_TEST_EXISTS));
  g_assert_true (vend_weights_forget (f->blobs, f->weights.sha256, &error));
}

static void
test_refused (Fixture *f, gconstpointer unused)
{
  const char *const names[] = { "", ".", "..", "../w", "a/b" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      VendWeights bad = f->weights;
      bad.name = (char *) names[i];
      g_assert_false (vend_weights_place (f->blobs, &bad, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INTERNAL);
    }
  g_autoptr (GError) error = NULL;
  VendWeights gone = f->weights;
  gone.sha256 = (char *) MISSING;
  g_assert_false (vend_weights_place (f->blobs, &gone, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/weights/place", Fixture, NULL, set_up, test_place, tear_down);
  g_test_add ("/weights/refused", Fixture, NULL, set_up, test_refused, tear_down);
  return g_test_run ();
}
