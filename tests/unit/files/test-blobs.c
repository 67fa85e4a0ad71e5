/* Contents come, are held until their rows are there, and go when they have no use. */
#include "files/blobs.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- A disk that stands still for one file or folder: the one with `slow_inode` */

static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t disk_moves = PTHREAD_COND_INITIALIZER;
static ino_t slow_inode;
static bool is_slow_one_there;

/* In place of the one of the C library, for this program. */
int
fsync (int fd)
{
  struct stat st;
  pthread_mutex_lock (&disk_lock);
  if (slow_inode != 0 && fstat (fd, &st) == 0 && st.st_ino == slow_inode)
    {
      is_slow_one_there = true;
      pthread_cond_broadcast (&disk_moves);
      while (slow_inode != 0)
        pthread_cond_wait (&disk_moves, &disk_lock);
    }
  pthread_mutex_unlock (&disk_lock);
  return (int) syscall (SYS_fsync, fd);
}

static void
stop_disk (const char *path)
{
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  pthread_mutex_lock (&disk_lock);
  slow_inode = st.st_ino;
  is_slow_one_there = false;
  pthread_mutex_unlock (&disk_lock);
}

static void
wait_for_slow_one (void)
{
  pthread_mutex_lock (&disk_lock);
  while (!is_slow_one_there)
    pthread_cond_wait (&disk_moves, &disk_lock);
  pthread_mutex_unlock (&disk_lock);
}

static void
start_disk (void)
{
  pthread_mutex_lock (&disk_lock);
  slow_inode = 0;
  pthread_cond_broadcast (&disk_moves);
  pthread_mutex_unlock (&disk_lock);
}

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

/* ---- One slow disk does not stop the others */

typedef struct
{
  const Place *place;
  const char *path;
  const char *sha256;
  atomic_bool is_done;
} Coming;

static void *
copy_in (void *data)
{
  Coming *coming = data;
  g_autoptr (GError) error = NULL;
  g_assert_true (vend_blobs_copy (coming->place->blobs, coming->path, coming->sha256, &error));
  vend_blobs_let_go (coming->place->blobs, coming->sha256);
  atomic_store (&coming->is_done, true);
  return NULL;
}

/* Another content comes and goes while the sync of `slow` stands still. */
static void
check_others_go_on (const Place *place, const char *slow)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (place->dir, "other", NULL);
  g_autofree char *sha256 = vend_sha256_text ("other content");
  bool used = false;
  Coming coming = { .place = place, .path = place->path, .sha256 = place->sha256 };
  g_assert_true (g_file_set_contents (path, "other content", -1, &error));
  stop_disk (slow);
  GThread *thread = g_thread_new ("slow", copy_in, &coming);
  wait_for_slow_one ();
  g_assert_true (vend_blobs_take (place->blobs, path, sha256, &error));
  vend_blobs_let_go (place->blobs, sha256);
  g_assert_true (vend_blobs_remove_unused (place->blobs, sha256, answer, &used, &error));
  g_assert_false (atomic_load (&coming.is_done));
  start_disk ();
  g_thread_join (thread);
  g_assert_true (is_there (place));
}

static void
test_slow_file (void)
{
  Place place;
  set_up (&place);
  check_others_go_on (&place, place.path);
  tear_down (&place);
}

static void
test_slow_folder (void)
{
  Place place;
  g_autoptr (GError) error = NULL;
  set_up (&place);
  g_autofree char *target = vend_blobs_path (place.blobs, place.sha256);
  g_autofree char *folder = g_path_get_dirname (target);
  g_assert_true (vend_dir_ensure (folder, &error));
  check_others_go_on (&place, folder);
  tear_down (&place);
}

/* The name of a content that another thread has just placed may not be on disk yet. */
static void
test_same_content_waits (void)
{
  Place place;
  g_autoptr (GError) error = NULL;
  set_up (&place);
  g_autofree char *target = vend_blobs_path (place.blobs, place.sha256);
  g_autofree char *folder = g_path_get_dirname (target);
  g_assert_true (vend_blobs_copy (place.blobs, place.path, place.sha256, &error));
  vend_blobs_let_go (place.blobs, place.sha256);
  Coming coming = { .place = &place, .path = place.path, .sha256 = place.sha256 };
  stop_disk (folder);
  GThread *thread = g_thread_new ("same", copy_in, &coming);
  wait_for_slow_one ();
  g_assert_false (atomic_load (&coming.is_done));
  start_disk ();
  g_thread_join (thread);
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
  g_test_add_func ("/blobs/slow-file", test_slow_file);
  g_test_add_func ("/blobs/slow-folder", test_slow_folder);
  g_test_add_func ("/blobs/same-content-waits", test_same_content_waits);
  return g_test_run ();
}
