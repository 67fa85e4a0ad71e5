/* The control plane's side of builds: a queue, one builder process a build, logs and results. */
#include "build/builds.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/log.h"
#include "build/bundle-manifest.h"
#include "build/card.h"
#include "build/export-spec.h"
#include "build/cog-yaml.h"
#include "build/image-base.h"
#include "build/image-room.h"
#include "build/image-take.h"
#include "build/leftovers.h"
#include "build/publish.h"
#include "build/weights-take.h"
#include "store/files.h"
#include "store/models.h"
#include "store/stored-bytes.h"
#include "store/weights.h"
#include "store/weight-sets.h"
#include "weights/pull.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_FILE "version.json" /* beside the tree of a version, by its builder */
#define CARD "card"
#define ROOMS "rooms" /* in the folder of blobs, where what is made there goes */
#define MAX_RESULT (64 * 1024 * 1024)
#define MAX_LOG_LINE (64 * 1024)
/* What a follower gets of a log that is already long; the rest of a stream's buffer is for news. */
#define MAX_LOG_REPLAY (128 * 1024)
#define MAX_LOG_MISSED MAX_LOG_LINE /* of it, what came while that was read */
#define MAX_LOG (16 * 1024 * 1024)
/* A developer who fixes the source pushes again, and finds the environment of the failed build. */
#define VENV_UNUSED_US (3600 * VEND_US_PER_S)

typedef struct
{
  VendBuilds *builds;
  VendBuild *row;
  GSubprocess *child;   /* guarded by builds->lock, as is all below */
  GPtrArray *followers; /* of VendStream */
  bool running;
  bool canceled;
  bool is_orphan; /* the tree of a version is in its place, and has no row. The build's thread only
                   */
} Job;

struct VendBuilds
{
  VendStore *store;
  VendBlobs *blobs;
  VendRunner *runner;
  VendRegistry *registry;
  const VendSettings *settings;
  char *vend_binary;
  void (*made) (int64_t model_id, void *data);
  void *data;
  char *uploads_dir;
  char *builds_dir;
  char *versions_dir;
  char *venvs_dir;
  char *cache_dir;
  char *hub_endpoint;
  char *hub_token;
  bool is_own_hub;
  GThreadPool *pool;
  pthread_mutex_t lock;
  /* Read by each build: it uses folders that no row names yet. */
  pthread_rwlock_t in_use;
  GHashTable *jobs; /* id → Job, queued or running */
  bool closing;
};

static void
job_free (void *data)
{
  Job *job = data;
  g_assert (job->followers->len == 0);
  g_ptr_array_unref (job->followers);
  g_clear_object (&job->child);
  vend_build_free (job->row);
  g_free (job);
}

static char *
log_path (const VendBuilds *builds, const char *id)
{
  g_autofree char *name = g_strconcat (id, ".log", NULL);
  return g_build_filename (builds->builds_dir, name, NULL);
}

char *
vend_builds_upload_path (const VendBuilds *builds, const char *id)
{
  return g_build_filename (builds->uploads_dir, id, NULL);
}

char *
vend_builds_upload_part_path (const VendBuilds *builds, const char *id)
{
  g_autofree char *name = g_strconcat (id, VEND_UPLOAD_PART, NULL);
  return g_build_filename (builds->uploads_dir, name, NULL);
}

/* One a version, however often it is exported. */
char *
vend_builds_archive_path (const VendBuilds *builds, const VendBuild *build)
{
  const char *version = vend_json_string (build->options, VEND_BUILD_EXPORT);
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT "-%s" VEND_BUILD_ARCHIVE,
                                           build->model_id, version != NULL ? version : "");
  return g_build_filename (builds->builds_dir, name, NULL);
}

char *
vend_builds_source_dir (const VendBuilds *builds, const char *version)
{
  return g_build_filename (builds->versions_dir, version, "src", NULL);
}

bool
vend_builds_upload_keep (const VendBuilds *builds, const char *id, GError **error)
{
  g_autofree char *part = vend_builds_upload_part_path (builds, id);
  g_autofree char *path = vend_builds_upload_path (builds, id);
  if (rename (part, path) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "keep the upload");
  return vend_dir_sync (builds->uploads_dir, error);
}

bool
vend_builds_upload_is_complete (const VendBuilds *builds, const VendUpload *upload)
{
  g_autofree char *path = vend_builds_upload_path (builds, upload->id);
  struct stat st;
  return stat (path, &st) == 0 && st.st_size == upload->size;
}

/* ---- The log */

static void
add_to_log (Job *job, int fd, const char *text)
{
  gsize size = strlen (text);
  g_autoptr (GError) ignored = NULL;
  pthread_mutex_lock (&job->builds->lock);
  if (lseek (fd, 0, SEEK_CUR) < MAX_LOG && !vend_fd_write_all (fd, text, size, &ignored))
    vend_log (VEND_LOG_WARN, "cannot write a build log", "error", ignored->message, NULL);
  for (guint i = 0; i < job->followers->len;)
    {
      VendStream *stream = g_ptr_array_index (job->followers, i);
      if (vend_stream_write (stream, text, size))
        {
          i++;
          continue;
        }
      vend_stream_end (stream);
      g_ptr_array_remove_index_fast (job->followers, i);
    }
  pthread_mutex_unlock (&job->builds->lock);
}

/* Sends what the log has from `*at` on, at most `most` bytes, and moves `*at` behind it. */
static void
replay (int fd, off_t *at, gsize most, VendStream *stream)
{
  g_autofree char *text = g_malloc (most);
  gsize size = 0;
  ssize_t n;
  while (size < most && (n = pread (fd, text + size, most - size, *at)) > 0)
    {
      size += (gsize) n;
      *at += n;
    }
  if (size > 0)
    vend_stream_write (stream, text, size);
}

void
vend_builds_follow (VendBuilds *builds, const char *id, VendStream *stream)
{
  g_autofree char *path = log_path (builds, id);
  vend_autofd fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat st;
  off_t at = 0;
  const bool has_log = fd >= 0 && fstat (fd, &st) == 0;
  if (has_log)
    {
      at = MAX (st.st_size - MAX_LOG_REPLAY, 0);
      replay (fd, &at, MAX_LOG_REPLAY, stream);
    }
  /* The build's own reader takes the lock for every line: with it, only what came meanwhile. */
  pthread_mutex_lock (&builds->lock);
  if (has_log)
    replay (fd, &at, MAX_LOG_MISSED, stream);
  Job *job = g_hash_table_lookup (builds->jobs, id);
  if (job != NULL)
    g_ptr_array_add (job->followers, stream);
  pthread_mutex_unlock (&builds->lock);
  if (job == NULL)
    vend_stream_end (stream);
}

/* ---- One build */

/* The version that a job exports; NULL: it builds one. */
static const char *
exported (const Job *job)
{
  return vend_json_string (job->row->options, VEND_BUILD_EXPORT);
}

/* `export` is NULL of a build. */
/* Of a build's weights, on their way into the file store. */
static char *
weights_path (const VendBuilds *builds, const char *id)
{
  return g_build_filename (vend_blobs_dir (builds->blobs), VEND_PARTS_DIR, id, NULL);
}

/* Of a build of an image. */
static char *
image_path (const VendBuilds *builds, const char *id)
{
  return g_build_filename (vend_blobs_dir (builds->blobs), ROOMS, id, NULL);
}

static bool
is_image (const Job *job)
{
  return vend_json_bool (job->row->options, VEND_BUILD_IMAGE, false);
}

static void
add_image_spec (const Job *job, json_t *spec)
{
  const VendSettings *settings = job->builds->settings;
  g_autofree char *dir = image_path (job->builds, job->row->id);
  vend_json_set_bool (spec, "as_image", is_image (job));
  vend_json_set_string (spec, "image_base", vend_settings_text (settings, "image-base"));
  vend_json_set_string (spec, "image_dir", dir);
  vend_json_set_int (spec, "max_image_bytes",
                     (int64_t) vend_settings_bytes (settings, "max-image"));
}

static void
add_weights_spec (const Job *job, json_t *spec)
{
  const VendBuilds *builds = job->builds;
  g_autofree char *weights = weights_path (builds, job->row->id);
  json_t *known = NULL;
  g_autoptr (GError) ignored = NULL;
  vend_json_set_string (spec, "blobs_dir", vend_blobs_dir (builds->blobs));
  vend_json_set_string (spec, "weights_dir", weights);
  vend_json_set_string (spec, "hub", builds->hub_endpoint);
  vend_json_set_string (spec, "hub_token", builds->hub_token);
  vend_json_set_bool (spec, "hub_is_own", builds->is_own_hub);
  g_auto (VendReader) reader = vend_reader (builds->store);
  if (vend_store_weight_sets_of_urls (reader.db, job->row->account_id, &known, &ignored))
    json_object_set_new (spec, "known_weights", known);
}

static char *
spec_text (const Job *job, const char *staging, const char *result, const VendExport *export)
{
  const VendBuilds *builds = job->builds;
  const VendSettings *settings = builds->settings;
  g_autofree char *archive = vend_builds_upload_path (builds, job->row->upload);
  json_auto_t *spec = json_object ();
  if (export != NULL)
    json_object_set (spec, "export", export->spec);
  else
    vend_json_set_string (spec, "archive", archive);
  vend_json_set_bool (spec, "is_import",
                      vend_json_bool (job->row->options, VEND_BUILD_IMPORT, false));
  vend_json_set_int (spec, "max_archive_bytes",
                     (int64_t) vend_settings_bytes (settings, "max-archive"));
  vend_json_set_string (spec, "staging_dir", staging);
  vend_json_set_string (spec, "venvs_dir", builds->venvs_dir);
  vend_json_set_string (spec, "cache_dir", builds->cache_dir);
  vend_json_set_string (spec, "result", result);
  vend_json_set_string (spec, "cog_version", vend_settings_text (settings, "cog-version"));
  vend_json_set_string (spec, "coglet_version", vend_settings_text (settings, "coglet-version"));
  vend_json_set_bool (spec, "allow_build_run", vend_settings_bool (settings, "allow-build-run"));
  vend_json_set_string (spec, "package_allow", vend_settings_text (settings, "package-allow"));
  vend_json_set_bool (spec, "any_package_host",
                      vend_json_bool (job->row->options, "any_package_host", false));
  vend_json_set_bool (spec, "smoke_start",
                      vend_json_bool (job->row->options, "smoke_start", false));
  vend_json_set_int (spec, "max_source_bytes",
                     (int64_t) vend_settings_bytes (settings, "max-source"));
  vend_json_set_int (spec, "max_source_files", vend_settings_int (settings, "max-source-files"));
  add_weights_spec (job, spec);
  add_image_spec (job, spec);
  return vend_json_text (spec);
}

typedef struct
{
  GSubprocess *child;
  pthread_cond_t stopped;
  pthread_mutex_t lock;
  bool done;
  int64_t until_us;
  bool timed_out;
} Watch;

/* A build that takes too long is ended from beside, since its reader blocks on its output. */
static void *
watch_main (void *data)
{
  Watch *watch = data;
  pthread_mutex_lock (&watch->lock);
  while (!watch->done && !watch->timed_out)
    watch->timed_out = !vend_cond_wait_until (&watch->stopped, &watch->lock, watch->until_us);
  bool end_it = !watch->done;
  pthread_mutex_unlock (&watch->lock);
  if (end_it)
    g_subprocess_force_exit (watch->child);
  return NULL;
}

static bool
read_log (Job *job, GSubprocess *child, GError **error)
{
  g_autofree char *path = log_path (job->builds, job->row->id);
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", path);
  GInputStream *pipe = g_subprocess_get_stdout_pipe (child);
  for (;;)
    {
      char chunk[4096 + 1];
      gssize n = g_input_stream_read (pipe, chunk, sizeof chunk - 1, NULL, error);
      if (n < 0)
        return false;
      if (n == 0)
        return true;
      chunk[n] = '\0';
      add_to_log (job, fd, chunk);
    }
}

/* Runs the builder to its end; its result file says how it went. */
static bool
run_builder (Job *job, const char *spec, GError **error)
{
  VendBuilds *builds = job->builds;
  g_autoptr (GSubprocess) child
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, error,
                          builds->vend_binary, "builder", NULL);
  if (child == NULL)
    return false;
  pthread_mutex_lock (&builds->lock);
  job->child = g_object_ref (child);
  bool canceled = job->canceled || builds->closing;
  pthread_mutex_unlock (&builds->lock);
  if (canceled)
    g_subprocess_force_exit (child);

  Watch watch = { .child = child,
                  .until_us = g_get_monotonic_time ()
                              + vend_settings_us (builds->settings, "build-timeout") };
  pthread_mutex_init (&watch.lock, NULL);
  vend_cond_init (&watch.stopped);
  GThread *watcher = g_thread_try_new ("build-watch", watch_main, &watch, error);

  GOutputStream *input = g_subprocess_get_stdin_pipe (child);
  bool good = watcher != NULL
              && g_output_stream_write_all (input, spec, strlen (spec), NULL, NULL, error)
              && g_output_stream_close (input, NULL, error) && read_log (job, child, error);
  if (!good)
    g_subprocess_force_exit (child);
  if (!g_subprocess_wait (child, NULL, good ? error : NULL))
    good = false;

  pthread_mutex_lock (&watch.lock);
  watch.done = true;
  pthread_cond_signal (&watch.stopped);
  pthread_mutex_unlock (&watch.lock);
  if (watcher != NULL)
    g_thread_join (watcher);
  pthread_mutex_destroy (&watch.lock);
  pthread_cond_destroy (&watch.stopped);
  if (watch.timed_out)
    {
      g_clear_error (error);
      return vend_fail (error, VEND_ERROR_TIMEOUT,
                        "the build took longer than build-timeout allows");
    }
  return good;
}

static bool
read_result (const char *path, json_t **out, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *result = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_file_read (path, MAX_RESULT, &text, &size, &problem)
      || !vend_json_parse (text, size, &result, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "the builder ended without a result");
  const json_t *failure = json_object_get (result, "error");
  if (failure != NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "%s", vend_json_string (failure, "message"));
  *out = g_steal_pointer (&result);
  return true;
}

/* On the file system of versions, and apart from them. */
static char *
staging_path (const VendBuilds *builds, const char *id)
{
  g_autofree char *name = g_strconcat (VEND_STAGING_PREFIX, id, NULL);
  return g_build_filename (builds->versions_dir, name, NULL);
}

/* Another build of the same content was there first; then the trees are the same. What is said
 * beside the tree may be more than an older Vend said. */
static bool
join_version (const char *staging, const char *target, GError **error)
{
  g_autofree char *from = g_build_filename (staging, VERSION_FILE, NULL);
  g_autofree char *to = g_build_filename (target, VERSION_FILE, NULL);
  if (rename (from, to) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "install the version");
  return vend_dir_sync (target, error);
}

/* Moves the staged files to their place. */
static bool
install (Job *job, const char *staging, const char *version, GError **error)
{
  const VendBuilds *builds = job->builds;
  g_autofree char *target = g_build_filename (builds->versions_dir, version, NULL);
  job->is_orphan = rename (staging, target) == 0;
  if (job->is_orphan)
    return vend_dir_sync (builds->versions_dir, error);
  if (errno == EEXIST || errno == ENOTEMPTY)
    return join_version (staging, target, error);
  return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "install the version");
}

/* What people see of the model from now on, with files out of the folder `files` in `dir`. */
static bool
publish (const VendBuilds *builds, const VendVersion *version, const char *dir, const char *files,
         const json_t *card, VendPublication **out, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_autofree char *source_dir = g_build_filename (dir, files, NULL);
  {
    g_auto (VendReader) reader = vend_reader (builds->store);
    if (!vend_store_model_get (reader.db, version->model_id, &model, error))
      return false;
  }
  const VendPublishRequest request
      = { .blobs = builds->blobs,
          .source_dir = source_dir,
          .card = card,
          .model = model,
          .version = version->id,
          .openapi = version->openapi,
          .max_stored = vend_settings_bytes (builds->settings, "account-max-stored") };
  return vend_publication_new (&request, out, error);
}

typedef struct
{
  const VendBuild *build;
  VendVersion *version; /* NULL: there is none to store */
  const VendPublication *publication;
  const GPtrArray *weights;     /* of VendWeights, of an imported version; or NULL */
  const GPtrArray *weight_sets; /* of VendWeightSet; or NULL */
  uint64_t max_stored;          /* bytes of the account's files; 0 = no limit */
  const char *exported;         /* the version that was; or NULL */
  const char *problem;
} Outcome;

static bool
store_weights (VendDb *db, const Outcome *outcome, GError **error)
{
  const VendVersion *version = outcome->version;
  bool is_there = false;
  int64_t size = 0;
  if (outcome->weights == NULL || outcome->weights->len == 0)
    return true;
  if (!vend_store_version_has (db, version->model_id, version->id, &is_there, error) || is_there)
    return is_there;
  for (guint i = 0; i < outcome->weights->len; i++)
    size += ((const VendWeights *) g_ptr_array_index (outcome->weights, i))->size;
  if (!vend_store_stored_allow (db, outcome->build->account_id, size, outcome->max_stored, error))
    return false;
  for (guint i = 0; i < outcome->weights->len; i++)
    if (!vend_store_weights_insert (db, version->model_id, version->id,
                                    g_ptr_array_index (outcome->weights, i), error))
      return false;
  return true;
}

static bool
store_weight_sets (VendDb *db, const Outcome *outcome, GError **error)
{
  g_autoptr (VendModel) model = NULL;
  g_autoptr (GPtrArray) held = NULL;
  int64_t size = 0;
  if (outcome->weight_sets == NULL)
    return true;
  if (!vend_store_weights_held_by_version (db, outcome->version->model_id, outcome->version->id,
                                           &held, error))
    return false;
  /* What the version holds already is counted already. */
  for (guint i = 0; held->len == 0 && i < outcome->weight_sets->len; i++)
    size += ((const VendWeightSet *) g_ptr_array_index (outcome->weight_sets, i))->size;
  if (size > 0
      && (!vend_store_model_get (db, outcome->version->model_id, &model, error)
          || !vend_store_stored_allow (db, model->account_id, size, outcome->max_stored, error)))
    return false;
  return vend_store_weight_sets_put (db, outcome->version->model_id, outcome->version->id,
                                     outcome->weight_sets, vend_now_us (), error);
}

static bool
store_outcome (VendDb *db, void *data, GError **error)
{
  const Outcome *outcome = data;
  const char *version = outcome->version != NULL ? outcome->version->id : outcome->exported;
  if (outcome->version != NULL
      && (!store_weights (db, outcome, error)
          || !vend_store_version_put (db, outcome->version, error)
          || !store_weight_sets (db, outcome, error)
          || !vend_publication_store (db, outcome->publication, error)))
    return false;
  return vend_store_build_complete (db, outcome->build->id,
                                    version != NULL ? "succeeded" : "failed", outcome->problem,
                                    version, vend_now_us (), error);
}

/* Brings the weights of an imported version in. */
static bool
take_weights (const VendBuilds *builds, const json_t *list, const char *staging,
              VendBlobHolds *holds, GPtrArray *out, GError **error)
{
  size_t i;
  json_t *item;
  json_array_foreach (list, i, item)
    {
      const char *name = vend_json_string (item, "name");
      const char *sha256 = vend_json_string (item, "sha256");
      if (name == NULL || sha256 == NULL || !vend_is_sha256_hex (sha256))
        return vend_fail (error, VEND_ERROR_RUNNER,
                          "the builder's result has weights that are none");
      g_autofree char *path = g_build_filename (staging, VEND_BUNDLE_WEIGHTS, sha256, NULL);
      if (!vend_publish_file (builds->blobs, holds, path, name, sha256, error))
        return false;
      VendWeights *weights = g_new0 (VendWeights, 1);
      weights->name = g_strdup (name);
      weights->sha256 = g_strdup (sha256);
      weights->size = vend_json_int (item, "size", 0);
      g_ptr_array_add (out, weights);
    }
  return true;
}

static VendVersion *
version_of (const Job *job, const json_t *result)
{
  VendVersion *version = g_new0 (VendVersion, 1);
  const json_t *import = json_object_get (result, "import");
  const char *cog = vend_json_string (import, "cog_version");
  version->id = g_strdup (vend_json_string (result, "version_id"));
  version->model_id = job->row->model_id;
  version->cog_version
      = g_strdup (cog != NULL ? cog : vend_settings_text (job->builds->settings, "cog-version"));
  version->openapi = json_incref (json_object_get (result, "openapi"));
  version->launch = json_incref (json_object_get (result, "launch"));
  version->manifest = json_incref (json_object_get (result, "manifest"));
  version->source_sha256 = g_strdup (import != NULL ? "" : job->row->source_sha256);
  version->source = g_strdup (vend_json_string (import, "source"));
  version->base = g_strdup (vend_json_string (import, "base"));
  version->created_us = vend_now_us ();
  return version;
}

/* What the file store has now stays in no version's folder. */
static bool
clear_staging (const char *staging, GError **error)
{
  g_autofree char *weights = g_build_filename (staging, VEND_BUNDLE_WEIGHTS, NULL);
  g_autofree char *page = g_build_filename (staging, VEND_BUNDLE_PAGE, NULL);
  return vend_tree_remove (weights, error) && vend_tree_remove (page, error);
}

/* The model may have had the version with another folder. */
static bool
is_used (const VendBuilds *builds, const char *folder)
{
  bool used = true;
  g_autoptr (GError) ignored = NULL;
  g_auto (VendReader) reader = vend_reader (builds->store);
  return !vend_store_version_id_used (reader.db, folder, &used, &ignored) || used;
}

static bool
finish (Job *job, const json_t *result, const char *staging, GError **error)
{
  const VendBuilds *builds = job->builds;
  const json_t *import = json_object_get (result, "import");
  const json_t *card = json_object_get (import != NULL ? import : result,
                                        import != NULL ? VEND_BUNDLE_PAGE : CARD);
  g_autoptr (VendVersion) version = version_of (job, result);
  if (version->id == NULL || version->manifest == NULL || version->openapi == NULL
      || version->launch == NULL || card == NULL || (import != NULL && version->source == NULL))
    return vend_fail (error, VEND_ERROR_RUNNER, "the builder's result lacks a field");

  const char *folder = version->source != NULL ? version->source : version->id;
  g_autoptr (VendPublication) publication = NULL;
  g_autoptr (VendBlobHolds) holds = vend_blob_holds_new (builds->blobs);
  g_autoptr (VendBlobHolds) set_holds = NULL;
  g_autoptr (GPtrArray) weight_sets = NULL;
  g_autoptr (GPtrArray) weights
      = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_weights_free);
  g_autofree char *weights_dir = import != NULL
                                     ? g_build_filename (staging, VEND_BUNDLE_WEIGHTS, NULL)
                                     : weights_path (builds, job->row->id);
  if (!publish (builds, version, staging, import != NULL ? VEND_BUNDLE_PAGE : "src", card,
                &publication, error)
      || !take_weights (builds, json_object_get (import, "weights"), staging, holds, weights, error)
      || !vend_build_weights_take (builds->blobs, weights_dir, version->launch, &weight_sets,
                                   &set_holds, error)
      || !clear_staging (staging, error) || !install (job, staging, folder, error))
    return false;
  Outcome outcome = { .build = job->row,
                      .version = version,
                      .publication = publication,
                      .weights = weights,
                      .weight_sets = weight_sets,
                      .max_stored = vend_settings_bytes (builds->settings, "account-max-stored") };
  if (!vend_store_write_wait (builds->store, store_outcome, &outcome, error))
    return false;
  job->is_orphan = job->is_orphan && !is_used (builds, folder);
  if (builds->made != NULL)
    builds->made (job->row->model_id, builds->data);
  return true;
}

/* ---- An image */

/* A base in the registry of this server is laid out for the builder, which cannot look there. */
static bool
prepare_image (const Job *job, GError **error)
{
  const VendBuilds *builds = job->builds;
  const char *text = vend_settings_text (builds->settings, "image-base");
  g_autofree char *dir = image_path (builds, job->row->id);
  g_autofree char *base_dir = g_build_filename (dir, "base", NULL);
  g_auto (VendImageBase) base = { 0 };
  if (!is_image (job))
    return true;
  if (!vend_image_room_remove_all (dir, error) || !vend_dir_ensure (dir, error))
    return false;
  if (*text == '\0')
    return true;
  if (!vend_image_base_parse (text, "3", &base, error))
    return false;
  return base.kind != VEND_IMAGE_BASE_OWN
         || vend_image_base_lay_out (builds->store, builds->blobs, &base, base_dir, error);
}

static bool
store_image_too (VendDb *db, const char *version, void *data, GError **error)
{
  const Outcome *outcome = data;
  return vend_publication_store (db, outcome->publication, error)
         && vend_store_build_complete (db, outcome->build->id, "succeeded", NULL, version,
                                       vend_now_us (), error);
}

static bool
finish_image (const Job *job, const json_t *result, const char *staging, GError **error)
{
  const VendBuilds *builds = job->builds;
  const VendSettings *settings = builds->settings;
  g_autofree char *dir = weights_path (builds, job->row->id);
  g_autoptr (VendPublication) publication = NULL;
  g_autoptr (VendModel) model = NULL;
  g_autoptr (VendVersion) version = version_of (job, result);
  if (version->id == NULL || version->openapi == NULL)
    return vend_fail (error, VEND_ERROR_RUNNER, "the builder's result lacks a field");
  {
    g_auto (VendReader) reader = vend_reader (builds->store);
    if (!vend_store_model_get (reader.db, version->model_id, &model, error))
      return false;
  }
  if (!publish (builds, version, staging, "src", json_object_get (result, CARD), &publication,
                error))
    return false;
  Outcome outcome = { .build = job->row, .publication = publication };
  const VendImageTake take = { .blobs = builds->blobs,
                               .registry = builds->registry,
                               .dir = dir,
                               .image = json_object_get (result, "image"),
                               .model = model,
                               .max_layer = vend_settings_bytes (settings, "max-layer"),
                               .also = store_image_too,
                               .data = &outcome };
  if (!vend_image_take (&take, error))
    return false;
  if (builds->made != NULL)
    builds->made (job->row->model_id, builds->data);
  return true;
}

/* ---- An export */

static bool
keep_archive (Job *job, const char *staging, GError **error)
{
  const VendBuilds *builds = job->builds;
  g_autofree char *from = g_build_filename (staging, VEND_EXPORT_FILE, NULL);
  g_autofree char *to = vend_builds_archive_path (builds, job->row);
  if (rename (from, to) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "keep the archive");
  Outcome outcome = { .build = job->row, .exported = exported (job) };
  return vend_dir_sync (builds->builds_dir, error)
         && vend_store_write_wait (builds->store, store_outcome, &outcome, error);
}

static bool
prepare_export (const Job *job, VendExport **out, GError **error)
{
  const VendBuilds *builds = job->builds;
  const VendExportRequest request = { .store = builds->store,
                                      .blobs = builds->blobs,
                                      .versions_dir = builds->versions_dir,
                                      .venvs_dir = builds->venvs_dir,
                                      .model_id = job->row->model_id,
                                      .version = exported (job) };
  return exported (job) == NULL || vend_export_new (&request, out, error);
}

static bool
run_in (Job *job, const char *staging, const char *result_path, GError **error)
{
  g_autoptr (VendExport) export = NULL;
  json_auto_t *result = NULL;
  if (!prepare_export (job, &export, error) || !prepare_image (job, error))
    return false;
  g_autofree char *spec = spec_text (job, staging, result_path, export);
  return vend_tree_remove (staging, error) && vend_dir_ensure (staging, error)
         && run_builder (job, spec, error) && read_result (result_path, &result, error)
         && (export != NULL   ? keep_archive (job, staging, error)
             : is_image (job) ? finish_image (job, result, staging, error)
                              : finish (job, result, staging, error));
}

static bool
build (Job *job, GError **error)
{
  const VendBuilds *builds = job->builds;
  g_autofree char *staging = staging_path (builds, job->row->id);
  g_autofree char *result_name = g_strconcat (job->row->id, ".result", NULL);
  g_autofree char *result_path = g_build_filename (builds->builds_dir, result_name, NULL);
  g_autoptr (GError) ignored = NULL;

  bool good = run_in (job, staging, result_path, error);
  unlink (result_path);
  g_autofree char *weights = weights_path (builds, job->row->id);
  g_autofree char *image = image_path (builds, job->row->id);
  if (!vend_tree_remove (staging, &ignored) || !vend_tree_remove (weights, &ignored)
      || !vend_image_room_remove_all (image, &ignored))
    vend_log (VEND_LOG_WARN, "cannot remove a staging directory", "error", ignored->message, NULL);
  return good;
}

static bool
delete_upload (VendDb *db, void *data, GError **error)
{
  return vend_store_upload_delete (db, data, error);
}

static void
end_followers (Job *job)
{
  for (guint i = 0; i < job->followers->len; i++)
    vend_stream_end (g_ptr_array_index (job->followers, i));
  g_ptr_array_set_size (job->followers, 0);
}

static void
run_job (void *data, void *unused)
{
  Job *job = data;
  VendBuilds *builds = job->builds;
  g_autoptr (GError) error = NULL;
  pthread_mutex_lock (&builds->lock);
  job->running = !job->canceled && !builds->closing;
  bool run = job->running;
  pthread_mutex_unlock (&builds->lock);

  pthread_rwlock_rdlock (&builds->in_use);
  bool good = run && build (job, &error);
  pthread_rwlock_unlock (&builds->in_use);
  if (job->is_orphan)
    vend_builds_sweep (builds);
  pthread_mutex_lock (&builds->lock);
  bool interrupted = builds->closing && !good && !job->canceled;
  bool canceled = job->canceled;
  pthread_mutex_unlock (&builds->lock);
  if (!good && !interrupted)
    {
      Outcome outcome
          = { .build = job->row,
              .problem = canceled || error == NULL ? "the build was canceled" : error->message };
      g_autoptr (GError) problem = NULL;
      vend_log (VEND_LOG_INFO, "a build failed", "build", job->row->id, "error", outcome.problem,
                NULL);
      if (!vend_store_write_wait (builds->store, store_outcome, &outcome, &problem))
        vend_log (VEND_LOG_ERROR, "cannot store the end of a build", "error", problem->message,
                  NULL);
    }
  if (!interrupted && *job->row->upload != '\0')
    {
      g_autofree char *path = vend_builds_upload_path (builds, job->row->upload);
      g_autofree char *part = vend_builds_upload_part_path (builds, job->row->upload);
      g_autoptr (GError) problem = NULL;
      if (!vend_store_write_wait (builds->store, delete_upload, job->row->upload, &problem))
        vend_log (VEND_LOG_ERROR, "cannot delete an upload", "error", problem->message, NULL);
      unlink (path);
      unlink (part);
    }
  pthread_mutex_lock (&builds->lock);
  end_followers (job);
  g_hash_table_remove (builds->jobs, job->row->id);
  pthread_mutex_unlock (&builds->lock);
}

/* ---- The same source again */

static bool
read_version_file (const VendBuilds *builds, const char *id, json_t **out, GError **error)
{
  g_autofree char *path = g_build_filename (builds->versions_dir, id, VERSION_FILE, NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  return vend_file_read (path, MAX_RESULT, &text, &size, error)
         && vend_json_parse (text, size, out, error);
}

/* A branch of a hub may have other files by now. */
static bool
has_moving_weights (const char *source_dir)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (VendCogYaml) yaml = vend_cog_yaml_load (source_dir, problems, warnings);
  for (guint i = 0; yaml != NULL && i < yaml->weights->len; i++)
    if (vend_weight_source_moves (
            ((const VendCogWeights *) g_ptr_array_index (yaml->weights, i))->source))
      return true;
  return false;
}

bool
vend_builds_may_reuse (const VendBuilds *builds, const char *version)
{
  json_auto_t *document = NULL;
  g_autoptr (GError) ignored = NULL;
  g_autofree char *source_dir = g_build_filename (builds->versions_dir, version, "src", NULL);
  if (!read_version_file (builds, version, &document, &ignored))
    return true;
  if (json_object_get (json_object_get (document, "launch"), VEND_LAUNCH_WEIGHTS) != NULL
      && has_moving_weights (source_dir))
    return false;
  return json_object_get (document, CARD) != NULL || !vend_card_is_there (source_dir);
}

typedef struct
{
  VendVersion *version;
  const VendPublication *publication;
  const GPtrArray *weights; /* of VendWeightSet */
} Reuse;

/* The version becomes the latest, as a push promises. */
static bool
store_reuse (VendDb *db, void *data, GError **error)
{
  const Reuse *reuse = data;
  g_autoptr (VendModel) model = NULL;
  bool is_there = false;
  if (!vend_store_version_id_used (db, reuse->version->id, &is_there, error))
    return false;
  if (!is_there)
    return vend_fail (error, VEND_ERROR_CONFLICT,
                      "the version with this source was deleted just now; push again");
  if (!vend_store_model_get (db, reuse->version->model_id, &model, error))
    return false;
  reuse->version->created_us = MAX (reuse->version->created_us, vend_now_us ());
  return (g_strcmp0 (model->latest_version, reuse->version->id) == 0
          || (vend_store_version_put (db, reuse->version, error)
              && vend_store_weight_sets_share (db, reuse->version->model_id, reuse->version->id,
                                               reuse->weights, error)))
         && vend_publication_store (db, reuse->publication, error);
}

bool
vend_builds_reuse (const VendBuilds *builds, VendVersion *version, GError **error)
{
  json_auto_t *document = NULL;
  g_autoptr (VendPublication) publication = NULL;
  g_autoptr (GError) ignored = NULL;
  g_autofree char *dir = g_build_filename (builds->versions_dir, version->id, NULL);
  if (!read_version_file (builds, version->id, &document, &ignored))
    document = json_object ();
  if (!publish (builds, version, dir, "src", json_object_get (document, CARD), &publication, error))
    return false;
  g_autoptr (GPtrArray) weights = vend_weight_sets_of_launch (version->launch);
  Reuse reuse = { version, publication, weights };
  return vend_store_write_wait (builds->store, store_reuse, &reuse, error);
}

/* ---- The queue */

static VendBuild *
copy_row (const VendBuild *build)
{
  VendBuild *row = g_new0 (VendBuild, 1);
  row->id = g_strdup (build->id);
  row->account_id = build->account_id;
  row->model_id = build->model_id;
  row->upload = g_strdup (build->upload);
  row->source_sha256 = g_strdup (build->source_sha256);
  row->options = json_incref (build->options);
  return row;
}

void
vend_builds_start (VendBuilds *builds, const VendBuild *build_row)
{
  Job *job = g_new0 (Job, 1);
  job->builds = builds;
  job->row = copy_row (build_row);
  job->followers = g_ptr_array_new ();
  pthread_mutex_lock (&builds->lock);
  g_hash_table_insert (builds->jobs, job->row->id, job);
  pthread_mutex_unlock (&builds->lock);
  g_thread_pool_push (builds->pool, job, NULL);
}

bool
vend_builds_is_running (VendBuilds *builds, const char *id)
{
  pthread_mutex_lock (&builds->lock);
  const Job *job = g_hash_table_lookup (builds->jobs, id);
  bool running = job != NULL && job->running;
  pthread_mutex_unlock (&builds->lock);
  return running;
}

void
vend_builds_cancel (VendBuilds *builds, const char *id)
{
  pthread_mutex_lock (&builds->lock);
  Job *job = g_hash_table_lookup (builds->jobs, id);
  if (job != NULL)
    {
      job->canceled = true;
      if (job->child != NULL)
        g_subprocess_force_exit (job->child);
    }
  pthread_mutex_unlock (&builds->lock);
}

/* ---- Start and stop */

static VendLeftovers
leftovers_of (const VendBuilds *builds)
{
  return (VendLeftovers){ .store = builds->store,
                          .builds_dir = builds->builds_dir,
                          .versions_dir = builds->versions_dir,
                          .venvs_dir = builds->venvs_dir,
                          .runner = builds->runner };
}

/* What a kill has left. One that cannot be removed keeps nobody from starting. */
static void
clear_rooms (const VendBuilds *builds)
{
  g_autofree char *rooms = g_build_filename (vend_blobs_dir (builds->blobs), ROOMS, NULL);
  g_autoptr (GDir) listing = g_dir_open (rooms, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *dir = g_build_filename (rooms, name, NULL);
      g_autoptr (GError) problem = NULL;
      if (!vend_image_room_remove_all (dir, &problem))
        vend_log (VEND_LOG_WARN, "cannot remove what the build of an image left", "path", dir,
                  "error", problem->message, NULL);
    }
}

/* Before builds begin. */
static bool
clear_leftovers (const VendBuilds *builds, GError **error)
{
  clear_rooms (builds);
  const VendLeftovers where = leftovers_of (builds);
  if (!vend_leftovers_set_aside (&where, 0, error))
    return false;
  vend_leftovers_remove (&where);
  return true;
}

void
vend_builds_sweep (VendBuilds *builds)
{
  const VendLeftovers where = leftovers_of (builds);
  g_autoptr (GError) error = NULL;
  if (pthread_rwlock_trywrlock (&builds->in_use) != 0)
    return;
  const bool good = vend_leftovers_set_aside (&where, VENV_UNUSED_US, &error);
  pthread_rwlock_unlock (&builds->in_use);
  if (!good)
    vend_log (VEND_LOG_WARN, "cannot remove leftovers of builds", "error", error->message, NULL);
  vend_leftovers_remove (&where);
}

static bool
queue_open (VendBuilds *builds, GError **error)
{
  g_autoptr (GPtrArray) open = NULL;
  {
    g_auto (VendReader) reader = vend_reader (builds->store);
    if (!vend_store_build_open (reader.db, &open, error))
      return false;
  }
  for (guint i = 0; i < open->len; i++)
    vend_builds_start (builds, g_ptr_array_index (open, i));
  return true;
}

/* Its threads are there before anybody counts on them. */
static bool
make_pool (VendBuilds *builds, GError **error)
{
  g_autoptr (GError) problem = NULL;
  const int n = (int) vend_settings_int (builds->settings, "build-limit");
  builds->pool = g_thread_pool_new (run_job, NULL, n, TRUE, &problem);
  if (problem == NULL)
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

bool
vend_builds_open (const VendBuildsOptions *options, VendBuilds **out, GError **error)
{
  g_autoptr (VendBuilds) builds = g_new0 (VendBuilds, 1);
  pthread_mutex_init (&builds->lock, NULL);
  pthread_rwlock_init (&builds->in_use, NULL);
  builds->store = options->store;
  builds->blobs = options->blobs;
  builds->runner = options->runner;
  builds->registry = options->registry;
  builds->settings = options->settings;
  builds->vend_binary = g_strdup (options->vend_binary);
  builds->hub_endpoint = g_strdup (options->hub.endpoint);
  builds->hub_token = g_strdup (options->hub.token);
  builds->is_own_hub = options->hub.is_own;
  builds->made = options->made;
  builds->data = options->data;
  builds->uploads_dir = g_build_filename (options->data_dir, "uploads", NULL);
  builds->builds_dir = g_build_filename (options->data_dir, "builds", NULL);
  builds->versions_dir = g_build_filename (options->data_dir, "versions", NULL);
  builds->venvs_dir = g_build_filename (options->data_dir, "venvs", NULL);
  builds->cache_dir = g_build_filename (options->data_dir, "cache", NULL);
  builds->jobs = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, job_free);
  if (!make_pool (builds, error) || !vend_dir_ensure (builds->uploads_dir, error)
      || !vend_dir_ensure (builds->builds_dir, error)
      || !vend_dir_ensure (builds->versions_dir, error)
      || !vend_dir_ensure (builds->venvs_dir, error) || !vend_dir_ensure (builds->cache_dir, error)
      || !clear_leftovers (builds, error) || !queue_open (builds, error))
    return false;
  *out = g_steal_pointer (&builds);
  return true;
}

void
vend_builds_close (VendBuilds *builds)
{
  GHashTableIter iter;
  void *value;
  pthread_mutex_lock (&builds->lock);
  builds->closing = true;
  g_hash_table_iter_init (&iter, builds->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Job *) value)->child != NULL)
      g_subprocess_force_exit (((Job *) value)->child);
  pthread_mutex_unlock (&builds->lock);
}

void
vend_builds_free (VendBuilds *builds)
{
  if (builds == NULL)
    return;
  if (builds->pool != NULL)
    {
      vend_builds_close (builds);
      g_thread_pool_free (builds->pool, FALSE, TRUE);
    }
  g_hash_table_unref (builds->jobs);
  g_free (builds->vend_binary);
  g_free (builds->uploads_dir);
  g_free (builds->builds_dir);
  g_free (builds->versions_dir);
  g_free (builds->venvs_dir);
  g_free (builds->cache_dir);
  g_free (builds->hub_endpoint);
  g_free (builds->hub_token);
  pthread_mutex_destroy (&builds->lock);
  pthread_rwlock_destroy (&builds->in_use);
  g_free (builds);
}
