/* Unpacking as a service: threads, folders that are renamed when they are whole. */
#include "image/images.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "image/unpack-image.h"
#include "store/models.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define THREADS 2
#define NAME_LENGTH 24
#define UNFINISHED ".new-"
#define GONE ".gone-"

struct VendImages
{
  VendImagesOptions options;
  char *folder;
  GCancellable *cancellable;
  GThreadPool *pool;
};

typedef struct
{
  int64_t model_id;
  char *version;
  char *leftover; /* to remove, instead of all else */
  VendImageDone done;
  void *data;
} Job;

static void
job_free (Job *job)
{
  g_free (job->version);
  g_free (job->leftover);
  g_free (job);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

static char *
folder_of (const VendImages *images, const char *version)
{
  return g_build_filename (images->folder, version, NULL);
}

bool
vend_images_find (const VendImages *images, const char *version, json_t **out, GError **error)
{
  g_autofree char *folder = folder_of (images, version);
  return vend_image_read_start (folder, out, error);
}

/* ---- On a thread */

static void
remove_tree (const char *path)
{
  g_autoptr (GError) error = NULL;
  if (!vend_tree_remove (path, &error))
    vend_log (VEND_LOG_WARN, "cannot remove a half unpacked image", "error", error->message, NULL);
}

/* Another model may have had the same image unpacked meanwhile. */
static bool
move_in (const VendImages *images, const char *from, const char *version, GError **error)
{
  g_autofree char *to = folder_of (images, version);
  if (rename (from, to) < 0 && errno != ENOTEMPTY && errno != EEXIST)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "rename '%s'", from);
  return vend_dir_sync (images->folder, error);
}

static bool
unpack (const VendImages *images, const Job *job, GError **error)
{
  const VendImagesOptions *options = &images->options;
  const VendImageUnpacking unpacking = { .store = options->store,
                                         .blobs = options->blobs,
                                         .model_id = job->model_id,
                                         .version = job->version,
                                         .max_bytes = options->max_bytes,
                                         .max_files = options->max_files,
                                         .timeout_us = options->timeout_us,
                                         .cancellable = images->cancellable };
  g_autofree char *name = vend_secret_new (UNFINISHED, NAME_LENGTH);
  g_autofree char *dir = g_build_filename (images->folder, name, NULL);
  const bool good
      = vend_image_unpack (&unpacking, dir, error) && move_in (images, dir, job->version, error);
  remove_tree (dir);
  return good;
}

typedef struct
{
  const Job *job;
  int64_t bytes;
} Count;

static bool
count (VendDb *db, void *data, GError **error)
{
  const Count *counted = data;
  return vend_store_version_set_unpacked (db, counted->job->model_id, counted->job->version,
                                          counted->bytes, error);
}

static bool
make (const VendImages *images, const Job *job, GError **error)
{
  json_auto_t *start = NULL;
  if (g_cancellable_is_cancelled (images->cancellable))
    return vend_fail (error, VEND_ERROR_CANCELED, "the server stops");
  if (!vend_images_find (images, job->version, &start, NULL)
      && (!unpack (images, job, error) || !vend_images_find (images, job->version, &start, error)))
    return false;
  Count counted = { job, vend_json_int (start, "bytes", 0) };
  return vend_store_write_wait (images->options.store, count, &counted, error);
}

static void
run (void *data, void *context)
{
  g_autoptr (Job) job = data;
  g_autoptr (GError) error = NULL;
  if (job->leftover != NULL)
    {
      remove_tree (job->leftover);
      return;
    }
  const bool good = make (context, job, &error);
  g_assert (good || error != NULL);
  job->done (good ? NULL : error, job->data);
}

/* ---- */

/* Names below the folder; hidden ones are unfinished, or on their way out. */
static bool
list (const VendImages *images, bool hidden, GPtrArray *out, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GDir) listing = g_dir_open (images->folder, 0, &problem);
  if (listing == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "%s", problem->message);
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    if ((*name == '.') == hidden)
      g_ptr_array_add (out, g_strdup (name));
  return true;
}

static bool
remove_leftovers (VendImages *images, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (!list (images, true, names, error))
    return false;
  for (guint i = 0; i < names->len; i++)
    {
      Job *job = g_new0 (Job, 1);
      job->leftover = folder_of (images, g_ptr_array_index (names, i));
      g_thread_pool_push (images->pool, job, NULL);
    }
  return true;
}

/* ---- What nothing needs */

static bool
is_version (const VendImages *images, const char *name, bool *out, GError **error)
{
  g_auto (VendReader) reader = vend_reader (images->options.store);
  return vend_store_version_image_used (reader.db, name, out, error);
}

static void
set_aside (const VendImages *images, const char *name)
{
  g_autofree char *from = folder_of (images, name);
  g_autofree char *hidden = vend_secret_new (GONE, NAME_LENGTH);
  g_autofree char *to = folder_of (images, hidden);
  if (rename (from, to) == 0)
    remove_tree (to);
}

/* The store is asked before the instances: one that began before its version was deleted has its
 * spec by then. */
static bool
sweep (const VendImages *images, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) unused = g_ptr_array_new ();
  g_autoptr (GString) specs = NULL;
  if (!list (images, false, names, error))
    return false;
  for (guint i = 0; i < names->len; i++)
    {
      bool used = false;
      if (!is_version (images, g_ptr_array_index (names, i), &used, error))
        return false;
      if (!used)
        g_ptr_array_add (unused, g_ptr_array_index (names, i));
    }
  if (unused->len > 0 && !vend_runner_read_specs (images->options.runner, &specs, error))
    return false;
  for (guint i = 0; i < unused->len; i++)
    if (strstr (specs->str, g_ptr_array_index (unused, i)) == NULL)
      set_aside (images, g_ptr_array_index (unused, i));
  return true;
}

void
vend_images_sweep (VendImages *images)
{
  g_autoptr (GError) error = NULL;
  if (!sweep (images, &error))
    vend_log (VEND_LOG_WARN, "cannot look for unused images", "error", error->message, NULL);
}

/* ---- */

bool
vend_images_new (const VendImagesOptions *options, VendImages **out, GError **error)
{
  g_autoptr (VendImages) images = g_new0 (VendImages, 1);
  g_autoptr (GError) problem = NULL;
  images->options = *options;
  images->options.data_dir = NULL;
  images->folder = g_build_filename (options->data_dir, "images", NULL);
  images->cancellable = g_cancellable_new ();
  images->pool = g_thread_pool_new (run, images, THREADS, FALSE, &problem);
  if (images->pool == NULL)
    return vend_fail (error, VEND_ERROR_INTERNAL, "start threads: %s", problem->message);
  if (!vend_dir_ensure (images->folder, error) || !remove_leftovers (images, error))
    return false;
  *out = g_steal_pointer (&images);
  return true;
}

void
vend_images_close (VendImages *images)
{
  g_cancellable_cancel (images->cancellable);
}

void
vend_images_finish (VendImages *images)
{
  vend_images_close (images);
  if (images->pool != NULL)
    g_thread_pool_free (g_steal_pointer (&images->pool), FALSE, TRUE);
}

void
vend_images_free (VendImages *images)
{
  if (images == NULL)
    return;
  vend_images_finish (images);
  g_object_unref (images->cancellable);
  g_free (images->folder);
  g_free (images);
}

void
vend_images_unpack (VendImages *images, int64_t model_id, const char *version, VendImageDone done,
                    void *data)
{
  Job *job = g_new0 (Job, 1);
  *job = (Job){ model_id, g_strdup (version), NULL, done, data };
  g_thread_pool_push (images->pool, job, NULL);
}
