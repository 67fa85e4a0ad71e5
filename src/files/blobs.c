/* Blobs: immutable bytes under their SHA-256, each content once. */
#include "files/blobs.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "files/near.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OPENS 3
/* A smaller content is brought as a whole, whatever part is asked for. */
#define LEAST_PARTED ((uint64_t) 8 << 20)

struct VendBlobs
{
  char *dir;
  char *spool;
  VendDepot *depot;
  VendNear
      *near; /* copies on this machine of a depot elsewhere; NULL: the depot is the disk here */
  pthread_mutex_t removal_lock; /* one removal at a time */
  pthread_mutex_t held_lock;
  pthread_cond_t removed;
  VendBlobsUsed is_needed; /* whether a copy has to stay here; or NULL */
  void *is_needed_data;
  GHashTable *held;     /* SHA-256 → number of holds */
  const char *removing; /* content whose removal is in flight, or NULL */
};

static bool
open_spool (const char *dir, VendBlobs **out, GError **error)
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
  *out = g_steal_pointer (&blobs);
  return true;
}

bool
vend_blobs_open (const char *dir, VendBlobs **out, GError **error)
{
  if (!open_spool (dir, out, error))
    return false;
  (*out)->depot = vend_depot_disk_new (dir, (*out)->spool, true);
  return true;
}

static bool
is_held_now (const char *sha256, void *data)
{
  VendBlobs *blobs = data;
  pthread_mutex_lock (&blobs->held_lock);
  const bool is = g_hash_table_contains (blobs->held, sha256);
  pthread_mutex_unlock (&blobs->held_lock);
  return is;
}

static bool
must_stay (const char *sha256, void *data)
{
  const VendBlobs *blobs = data;
  return blobs->is_needed != NULL && blobs->is_needed (sha256, blobs->is_needed_data);
}

bool
vend_blobs_open_remote (const char *dir, VendDepot *depot, uint64_t near_max, VendBlobs **out,
                        GError **error)
{
  g_autoptr (VendBlobs) blobs = NULL;
  g_autoptr (VendDepot) remote = depot;
  if (!open_spool (dir, &blobs, error)
      || !vend_near_new (&(VendNearOptions){ .dir = dir,
                                             .spool = blobs->spool,
                                             .max = near_max,
                                             .is_held = is_held_now,
                                             .is_needed = must_stay,
                                             .data = blobs },
                         &blobs->near, error))
    return false;
  blobs->depot = g_steal_pointer (&remote);
  *out = g_steal_pointer (&blobs);
  return true;
}

void
vend_blobs_set_near_rule (VendBlobs *blobs, VendBlobsUsed is_needed, void *data)
{
  blobs->is_needed = is_needed;
  blobs->is_needed_data = data;
}

bool
vend_blobs_is_remote (const VendBlobs *blobs)
{
  return blobs->near != NULL;
}

void
vend_blobs_free (VendBlobs *blobs)
{
  if (blobs == NULL)
    return;
  g_free (blobs->dir);
  g_free (blobs->spool);
  vend_depot_free (blobs->depot);
  vend_near_free (blobs->near);
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

/* What the reason is, is for the operator: callers learn that it will pass. */
static bool
pass_on (GError **error, GError *problem)
{
  if (!g_error_matches (problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE))
    {
      g_propagate_error (error, problem);
      return false;
    }
  vend_log (VEND_LOG_WARN, "the file store fails", "error", problem->message, NULL);
  g_error_free (problem);
  return vend_fail (error, VEND_ERROR_BUSY, "the file store does not answer now; try again");
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
  /* A copy was made of what is there. */
  if ((blobs->near != NULL && vend_near_has (blobs->near, sha256))
      || vend_blobs_stat (blobs, sha256, &ignored, error))
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

/* What is in the depot is safe, so a copy that cannot be made is no failure. */
static void
copy_near (const VendBlobs *blobs, const char *path, const char *sha256, VendDepotHow how)
{
  g_autoptr (GError) error = NULL;
  if (blobs->near != NULL && !vend_near_add (blobs->near, path, sha256, how, &error))
    vend_log (VEND_LOG_WARN, "cannot keep a copy of a file here", "error", error->message, NULL);
}

/* Held before it is there, so that it is not removed before its row comes. */
static bool
bring_in (VendBlobs *blobs, const char *path, const char *sha256, VendDepotHow how, GError **error)
{
  g_autoptr (GError) problem = NULL;
  hold_first (blobs, sha256);
  if (blobs->depot->ops->put (blobs->depot, path, sha256, how, &problem))
    {
      copy_near (blobs, path, sha256, how);
      return true;
    }
  vend_blobs_let_go (blobs, sha256);
  return pass_on (error, g_steal_pointer (&problem));
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
  g_autoptr (GError) problem = NULL;
  return blobs->depot->ops->stat (blobs->depot, sha256, out, &problem)
         || pass_on (error, g_steal_pointer (&problem));
}

bool
vend_blobs_bring (const VendBlobs *blobs, const char *sha256, GError **error)
{
  g_autoptr (GError) problem = NULL;
  return blobs->near == NULL || vend_near_bring (blobs->near, blobs->depot, sha256, &problem)
         || pass_on (error, g_steal_pointer (&problem));
}

static int
open_here (const VendBlobs *blobs, const char *sha256)
{
  g_autofree char *path = vend_blobs_path (blobs, sha256);
  return open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

bool
vend_blobs_open_fd (const VendBlobs *blobs, const char *sha256, int *out_fd, uint64_t *out_size,
                    GError **error)
{
  struct stat st;
  vend_autofd fd = -1;
  /* A copy may be trimmed between the two. */
  for (guint n = 0; fd < 0 && n < MAX_OPENS; n++)
    {
      if (!vend_blobs_bring (blobs, sha256, error))
        return false;
      fd = open_here (blobs, sha256);
      if (fd < 0 && (errno != ENOENT || blobs->near == NULL))
        break;
    }
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, errno == ENOENT ? VEND_ERROR_NOT_FOUND : VEND_ERROR_STORAGE,
                            errno, "open blob %s", sha256);
  *out_size = (uint64_t) st.st_size;
  *out_fd = vend_fd_steal (&fd);
  return true;
}

typedef struct
{
  int fd;
  uint64_t at;
  GError **error;
} PartWriting;

static bool
write_at (const void *bytes, gsize size, void *data)
{
  PartWriting *writing = data;
  const char *from = bytes;
  while (size > 0)
    {
      const ssize_t n = pwrite (writing->fd, from, size, (off_t) writing->at);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vend_fail_errno (writing->error, VEND_ERROR_STORAGE, errno,
                                "write a part of a file");
      from += n;
      size -= (gsize) n;
      writing->at += (uint64_t) n;
    }
  return true;
}

/* A file with holes and without a name, which goes with its descriptor. */
static bool
make_part (const VendBlobs *blobs, const char *sha256, uint64_t total, uint64_t start,
           uint64_t size, int *out_fd, GError **error)
{
  g_autofree char *path = g_build_filename (blobs->spool, "part-XXXXXX", NULL);
  vend_autofd fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  PartWriting writing = { fd, start, error };
  if (fd < 0 || unlink (path) < 0 || ftruncate (fd, (off_t) total) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  if (!blobs->depot->ops->read (blobs->depot, sha256, start, size, write_at, &writing, error))
    return false;
  *out_fd = vend_fd_steal (&fd);
  return true;
}

bool
vend_blobs_open_part (const VendBlobs *blobs, const char *sha256, VendBlobsPart find, void *data,
                      int *out_fd, uint64_t *out_size, GError **error)
{
  VendDepotStat stat = { 0 };
  uint64_t start = 0, size = 0;
  g_autoptr (GError) problem = NULL;
  if (blobs->near == NULL || vend_near_has (blobs->near, sha256))
    return vend_blobs_open_fd (blobs, sha256, out_fd, out_size, error);
  if (!vend_blobs_stat (blobs, sha256, &stat, error))
    return false;
  if (stat.size < LEAST_PARTED || !find (stat.size, &start, &size, data) || size > stat.size / 2)
    return vend_blobs_open_fd (blobs, sha256, out_fd, out_size, error);
  if (!make_part (blobs, sha256, stat.size, start, size, out_fd, &problem))
    return pass_on (error, g_steal_pointer (&problem));
  *out_size = stat.size;
  return true;
}

/* ---- Removal */

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
  g_autoptr (GError) problem = NULL;
  pthread_mutex_lock (&blobs->removal_lock);
  if (begin_removal (blobs, sha256))
    {
      /* The copy first: it stands for what is there. */
      good = is_used (sha256, data)
             || ((blobs->near == NULL || vend_near_remove (blobs->near, sha256, &problem))
                 && blobs->depot->ops->remove (blobs->depot, sha256, &problem));
      end_removal (blobs);
    }
  pthread_mutex_unlock (&blobs->removal_lock);
  return good || pass_on (error, g_steal_pointer (&problem));
}

bool
vend_blobs_each (const VendBlobs *blobs, VendDepotVisit visit, void *data, GError **error)
{
  g_autoptr (GError) problem = NULL;
  return blobs->depot->ops->each (blobs->depot, visit, data, &problem)
         || pass_on (error, g_steal_pointer (&problem));
}

/* ---- Care of a depot elsewhere */

bool
vend_blobs_check (const VendBlobs *blobs, GError **error)
{
  return blobs->depot->ops->check == NULL || blobs->depot->ops->check (blobs->depot, false, error);
}

bool
vend_blobs_tidy (const VendBlobs *blobs, GError **error)
{
  return blobs->depot->ops->tidy == NULL || blobs->depot->ops->tidy (blobs->depot, error);
}

char *
vend_blobs_link (const VendBlobs *blobs, const char *sha256, const char *content_type, guint life_s)
{
  return blobs->depot->ops->link != NULL
             ? blobs->depot->ops->link (blobs->depot, sha256, content_type, life_s)
             : NULL;
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
vend_blob_holds_bring (VendBlobHolds *holds, const char *sha256, GError **error)
{
  return vend_blob_holds_add (holds, sha256, error)
         && vend_blobs_bring (holds->blobs, sha256, error);
}

bool
vend_blob_holds_take (VendBlobHolds *holds, const char *path, const char *sha256, GError **error)
{
  if (!vend_blobs_take (holds->blobs, path, sha256, error))
    return false;
  g_ptr_array_add (holds->contents, g_strdup (sha256));
  return true;
}
