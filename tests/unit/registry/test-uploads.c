/* Blobs on their way: turns, hashes, ends. */
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "registry/reference.h"
#include "registry/uploads.h"
#include <glib/gstdio.h>
#include <string.h>

#define ID "abcdefghijklmnopqrstuvwxyz"

typedef struct
{
  char *dir;
  char *uploads_dir;
  VendBlobs *blobs;
  VendBlobUploads *uploads;
} Fixture;

static void
open_uploads (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_blob_uploads_open (f->uploads_dir, &f->uploads, &error));
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("vend-uploads-XXXXXX", NULL);
  g_autofree char *blobs = g_build_filename (f->dir, "blobs", NULL);
  f->uploads_dir = g_build_filename (f->dir, "uploads", NULL);
  g_assert_true (vend_blobs_open (blobs, &f->blobs, &error));
  open_uploads (f);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  vend_blob_uploads_free (f->uploads);
  vend_blobs_free (f->blobs);
  g_assert_true (vend_tree_remove (f->dir, NULL));
  g_free (f->uploads_dir);
  g_free (f->dir);
}

static VendBlobTurn *
take (Fixture *f, bool with_sha512)
{
  VendBlobTurn *turn = NULL;
  g_autoptr (GError) error = NULL;
  const bool taken = vend_blob_uploads_take (f->uploads, ID, with_sha512, &turn, &error);
  g_assert_no_error (error);
  g_assert_true (taken);
  return turn;
}

static void
put (VendBlobTurn *turn, const char *text)
{
  g_autoptr (GError) error = NULL;
  const bool written = vend_blob_turn_write (turn, text, strlen (text), &error);
  g_assert_no_error (error);
  g_assert_true (written);
}

static void
finish (Fixture *f, VendBlobTurn *turn, const char *content, bool is_sha512)
{
  g_autofree char *digest = vend_digest_of (content, strlen (content), is_sha512);
  g_autofree char *expected = vend_sha256_text (content);
  g_autofree char *sha256 = NULL;
  g_autoptr (GError) error = NULL;
  uint64_t size = 0;
  const bool finished = vend_blob_turn_finish (turn, digest, f->blobs, &sha256, &size, &error);
  g_assert_no_error (error);
  g_assert_true (finished);
  g_assert_cmpstr (sha256, ==, expected);
  g_assert_cmpuint (size, ==, strlen (content));
  g_autofree char *path = vend_blobs_path (f->blobs, sha256);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, content);
  vend_blobs_let_go (f->blobs, sha256);
  g_assert_cmpuint (vend_blob_uploads_size (f->uploads, ID), ==, 0);
}

/* Over several turns, with the hash of each kind announced or not, and over a restart. */
static void
test_turns (Fixture *f, gconstpointer unused)
{
  for (guint i = 0; i < 16; i++)
    {
      const bool announced = (i & 1) != 0, is_sha512 = (i & 2) != 0;
      const bool late = (i & 4) != 0, restarts = (i & 8) != 0;
      g_autoptr (VendBlobTurn) first = take (f, announced);
      put (first, "hello ");
      g_clear_pointer (&first, vend_blob_turn_free);
      if (restarts)
        {
          vend_blob_uploads_free (f->uploads);
          open_uploads (f);
        }
      g_assert_cmpuint (vend_blob_uploads_size (f->uploads, ID), ==, 6);
      g_autoptr (VendBlobTurn) second = take (f, announced || late);
      g_assert_cmpuint (vend_blob_turn_size (second), ==, 6);
      put (second, "world");
      finish (f, second, "hello world", is_sha512);
    }
}

static void
test_nothing (Fixture *f, gconstpointer unused)
{
  g_autoptr (VendBlobTurn) turn = take (f, false);
  finish (f, turn, "", false);
}

static void
test_wrong_digest (Fixture *f, gconstpointer unused)
{
  g_autoptr (VendBlobTurn) turn = take (f, false);
  g_autofree char *other = vend_digest_of ("other", 5, false);
  g_autofree char *sha256 = NULL;
  g_autoptr (GError) error = NULL;
  uint64_t size = 0;
  put (turn, "text");
  g_assert_false (vend_blob_turn_finish (turn, other, f->blobs, &sha256, &size, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  g_assert_null (sha256);
  g_assert_cmpuint (vend_blob_uploads_size (f->uploads, ID), ==, 0);
  /* Over, for as long as somebody has a turn; then there is nothing. */
  g_autoptr (GError) over = NULL;
  VendBlobTurn *late = NULL;
  g_assert_false (vend_blob_uploads_take (f->uploads, ID, false, &late, &over));
  g_assert_error (over, VEND_ERROR, VEND_ERROR_CONFLICT);
}

static void
test_taken_over (Fixture *f, gconstpointer unused)
{
  g_autoptr (VendBlobTurn) first = take (f, false);
  put (first, "one ");
  g_autoptr (VendBlobTurn) second = take (f, false);
  g_autoptr (GError) error = NULL;
  g_autofree char *sha256 = NULL;
  uint64_t size = 0;
  g_autofree char *digest = vend_digest_of ("one ", 4, false);
  g_assert_false (vend_blob_turn_write (first, "lost", 4, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_false (vend_blob_turn_finish (first, digest, f->blobs, &sha256, &size, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CONFLICT);
  put (second, "two");
  g_clear_pointer (&first, vend_blob_turn_free);
  finish (f, second, "one two", false);
}

static void
test_removed (Fixture *f, gconstpointer unused)
{
  g_autoptr (VendBlobTurn) turn = take (f, false);
  g_autoptr (GError) error = NULL;
  put (turn, "text");
  g_assert_true (vend_blob_uploads_is_active (f->uploads, ID, G_MAXINT64));
  vend_blob_uploads_remove (f->uploads, ID);
  g_assert_false (vend_blob_turn_write (turn, "more", 4, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_CONFLICT);
  g_clear_pointer (&turn, vend_blob_turn_free);
  g_assert_cmpuint (vend_blob_uploads_size (f->uploads, ID), ==, 0);
  g_assert_false (vend_blob_uploads_is_active (f->uploads, ID, 0));
  g_autoptr (GPtrArray) ids = NULL;
  g_assert_true (vend_blob_uploads_list (f->uploads, &ids, NULL));
  g_assert_cmpuint (ids->len, ==, 0);
  g_autoptr (VendBlobTurn) again = take (f, false);
  finish (f, again, "", false);
}

static void
test_active (Fixture *f, gconstpointer unused)
{
  g_autoptr (VendBlobTurn) turn = take (f, false);
  put (turn, "text");
  g_clear_pointer (&turn, vend_blob_turn_free);
  const int64_t now_us = vend_now_us ();
  g_assert_true (vend_blob_uploads_is_active (f->uploads, ID, now_us - VEND_US_PER_S));
  g_assert_false (vend_blob_uploads_is_active (f->uploads, ID, now_us + 10 * VEND_US_PER_S));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/uploads/turns", Fixture, NULL, set_up, test_turns, tear_down);
  g_test_add ("/uploads/nothing", Fixture, NULL, set_up, test_nothing, tear_down);
  g_test_add ("/uploads/wrong-digest", Fixture, NULL, set_up, test_wrong_digest, tear_down);
  g_test_add ("/uploads/taken-over", Fixture, NULL, set_up, test_taken_over, tear_down);
  g_test_add ("/uploads/removed", Fixture, NULL, set_up, test_removed, tear_down);
  g_test_add ("/uploads/active", Fixture, NULL, set_up, test_active, tear_down);
  return g_test_run ();
}
