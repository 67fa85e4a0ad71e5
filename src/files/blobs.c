/* Blobs: immutable bytes under their SHA-256, each content once. */
#include "files/blobs.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct VendBlobs
{
  char *dir;
  char *spool;
  VendDepot *depot;
  pthread_mutex_t removal_lock; /* one removal at a time */
  pthread_mutex_t held_lock;
  pthread_cond_t removed;
  GHashTable *held;     /* SHA-256 → number of holds */
  const char *removing; /* content whose removal is in flight, or NULL */
};

bool
vend_blobs_open (const char *dir, VendBlobs **out, GError **error)
{
  g_autoptr (VendBlobs) blobs = g_new0 (VendBlobs, 1);
  pthread_mutex_init (&blobs->removal_lock, NULL);
  pthread_mutex_init (&blobs->held_lock, NULL);
  pthread_cond_init (&blobs->removed, NULL);
  blobs->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  blobs->dir = g_strdup (dir);
  blobs->spool = g_build_filename (dir, "spool", NULL);
  if (!vend_tree_remove (blobs->spool, error) || !vend_dir_ensure (blobs->spool, error))
    return false;
  blobs->depot = vend_depot_disk_new (dir, blobs->spool);
  *out = g_steal_pointer (&blobs);
  return true;
}

void
vend_blobs_free (VendBlobs *blobs)
{
  if (blobs == NULL)
    return;
  g_free (blobs->dir);
  g_free (blobs->spool);
  vend_depot_free (blobs->depot);
  g_hash_table_unref (blobs->held);
  pthread_mutex_destroy (&blobs->removal_lock);
  pthread_mutex_destroy (&blobs->held_lock);
  pthread_cond_destroy (&blobs->removed);
  g_free (blobs);
}

const char *
vend_blobs_dir (const VendBlobs *blobs)
{
  return blobs->dir;
}

const char *
vend_blobs_spool (const VendBlobs *blobs)
{
  return blobs->spool;
}

char *
vend_blobs_path (const VendBlobs *blobs, const char *sha256)
{
  return vend_depot_disk_path (blobs->dir, sha256);
}

/* ---- Holds */

/* Adds to the holds; returns the number before. With the lock. */
static guint
count_hold (VendBlobs *blobs, const char *sha256, int more)
{
  const guint before = GPOINTER_TO_UINT (g_hash_table_lookup (blobs->held, sha256));
  const guint after = before + (guint) more;
  if (after > 0)
    g_hash_table_insert (blobs->held, g_strdup (sha256), GUINT_TO_POINTER (after));
  else
    g_hash_table_remove (blobs->held, sha256);
  return before;
}

/* Whether the content is there or not; a removal of it that is in flight is waited for. */
static void
hold_first (VendBlobs *blobs, const char *sha256)
{
  pthread_mutex_lock (&blobs->held_lock);
  while (g_strcmp0 (blobs->removing, sha256) == 0)
    pthread_cond_wait (&blobs->removed, &blobs->held_lock);
  (void) count_hold (blobs, sha256, 1);
  pthread_mutex_unlock (&blobs->held_lock);
}

bool
vend_blobs_hold (VendBlobs *blobs, const char *sha256, GError **error)
{
  VendDepotStat ignored;
  hold_first (blobs, sha256);
  if (blobs->depot->ops->stat (blobs->depot, sha256, &ignored, error))
    return true;
  vend_blobs_let_go (blobs, sha256);
  return false;
}

void
vend_blobs_let_go (VendBlobs *blobs, const char *sha256)
{
  pthread_mutex_lock (&blobs->held_lock);
  const guint before = count_hold (blobs, sha256, -1);
  pthread_mutex_unlock (&blobs->held_lock);
  g_assert (before > 0);
}

/* ---- In and out */

/* Held before it is there, so that it is not removed before its row comes. */
static bool
bring_in (VendBlobs *blobs, const char *path, const char *sha256, VendDepotHow how, GError **error)
{
  hold_first (blobs, sha256);
  if (blobs->depot->ops->put (blobs->depot, path, sha256, how, error))
    return true;
  vend_blobs_let_go (blobs, sha256);
  return false;
}

bool
vend_blobs_take (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
{
  if (!bring_in (blobs, path, sha256, VEND_DEPOT_MOVE, error))
    return false;
  unlink (path); /* still there when the content was there already */
  return true;
}

bool
vend_blobs_copy (VendBlobs *blobs, const char *path, const char *sha256, GError **error)
{
  return bring_in (blobs, path, sha256, VEND_DEPOT_KEEP, error);
}

bool
vend_blobs_stat (const VendBlobs *blobs, const char *sha256, VendDepotStat *out, GError **error)
{
  return blobs->depot->ops->stat (blobs->depot, sha256, out, error);
}

bool
vend_blobs_open_fd (const VendBlobs *blobs, const char *sha256, int *out_fd, uint64_t *out_size,
                    GError **error)
{
  g_autofree char *path = vend_blobs_path (blobs, sha256);
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat st;
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, errno == ENOENT ? VEND_ERROR_NOT_FOUND : VEND_ERROR_STORAGE,
                            errno, "open blob %s", sha256);
  *out_size = (uint64_t) st.st_size;
  *out_fd = vend_fd_steal (&fd);
  return true;
}

/* A caller that wants to hold this content waits until its removal is decided. */
static bool
begin_removal (VendBlobs *blobs, const char *sha256)
{
  pthread_mutex_lock (&blobs->held_lock);
  const bool is_free = count_hold (blobs, sha256, 0) == 0;
  blobs->removing = is_free ? sha256 : NULL;
  pthread_mutex_unlock (&blobs->held_lock);
  return is_free;
}

static void
end_removal (VendBlobs *blobs)
{
  pthread_mutex_lock (&blobs->held_lock);
  blobs->removing = NULL;
  pthread_cond_broadcast (&blobs->removed);
  pthread_mutex_unlock (&blobs->held_lock);
}

bool
vend_blobs_remove_unused (VendBlobs *blobs, const char *sha256, VendBlobsUsed is_used, void *data,
                          GError **error)
{
  bool good = true;
  pthread_mutex_lock (&blobs->removal_lock);
  if (begin_removal (blobs, sha256))
    {
      good = is_used (sha256, data) || blobs->depot->ops->remove (blobs->depot, sha256, error);
      end_removal (blobs);
    }
  pthread_mutex_unlock (&blobs->removal_lock);
  return good;
}

bool
vend_blobs_each (const VendBlobs *blobs, VendDepotVisit visit, void *data, GError **error)
{
  return blobs->depot->ops->each (blobs->depot, visit, data, error);
}

/* ---- Several at once */

struct VendBlobHolds
{
  VendBlobs *blobs;
  GPtrArray *contents; /* SHA-256, once for each hold */
};

VendBlobHolds *
vend_blob_holds_new (VendBlobs *blobs)
{
  VendBlobHolds *holds = g_new0 (VendBlobHolds, 1);
  holds->blobs = blobs;
  holds->contents = g_ptr_array_new_with_free_func (g_free);
  return holds;
}

void
vend_blob_holds_free (VendBlobHolds *holds)
{
  if (holds == NULL)
    return;
  for (guint i = 0; i < holds->contents->len; i++)
    vend_blobs_let_go (holds->blobs, g_ptr_array_index (holds->contents, i));
  g_ptr_array_unref (holds->contents);
  g_free (holds);
}

bool
vend_blob_holds_add (VendBlobHolds *holds, const char *sha256, GError **error)
{
  if (!vend_blobs_hold (holds->blobs, sha256, error))
    return false;
  g_ptr_array_add (holds->contents, g_strdup (sha256));
  return true;
}

bool
vend_blob_holds_take (VendBlobHolds *holds, const char *path, const char *sha256, GError **error)
{
  if (!vend_blobs_take (holds->blobs, path, sha256, error))
    return false;
  g_ptr_array_add (holds->contents, g_strdup (sha256));
  return true;
}
