/* Brings the files of managed weights. Blocks. */
#include "weights/pull.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hash.h"
#include "weights/download.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVERYWHERE "0.0.0.0/0, ::/0"
#define SETTING "package-allow"
#define MAX_DEPTH 64
#define MAX_FILE ((uint64_t) 1 << 50)

typedef struct
{
  const VendPull *pull;
  const char *name;
  char *parts_dir;
  VendNetworks *allow;
  VendDownloads how;
} Job;

static void
job_clear (Job *job)
{
  g_clear_pointer (&job->parts_dir, g_free);
  g_clear_pointer (&job->allow, vend_networks_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Job, job_clear)

static bool
job_init (Job *job, const VendPull *pull, const char *name, bool any_host, GError **error)
{
  *job = (Job){ .pull = pull, .name = name };
  job->parts_dir = g_build_filename (pull->blobs_dir, VEND_PARTS_DIR, NULL);
  if (!vend_networks_parse (any_host ? EVERYWHERE : pull->allow, SETTING, &job->allow, error))
    return false;
  job->how = (VendDownloads){ .parts_dir = job->parts_dir,
                              .to_dir = pull->to_dir,
                              .allow = job->allow,
                              .setting = SETTING,
                              .max_size = MAX_FILE,
                              .say = pull->say,
                              .data = pull->data,
                              .stops = pull->stops };
  return vend_dir_ensure (job->parts_dir, error) && vend_dir_ensure (pull->to_dir, error);
}

static bool
with_name (const Job *job, bool good, GError **error)
{
  if (!good)
    g_prefix_error (error, "weights '%s': ", job->name);
  return good;
}

/* Whether the store has it. Linked, so that it stays until it is taken. */
static bool
is_there (const Job *job, const char *sha256)
{
  const char folder[3] = { sha256[0], sha256[1], '\0' };
  g_autofree char *from = g_build_filename (job->pull->blobs_dir, folder, sha256, NULL);
  g_autofree char *to = g_build_filename (job->pull->to_dir, sha256, NULL);
  return link (from, to) == 0 || errno == EEXIST;
}

static GPtrArray *
downloads_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) vend_download_free);
}

/* ---- A hub */

static bool
list_hub (const Job *job, const VendWeightSource *source, VendHubListing **out, GError **error)
{
  const VendHub *hub = &job->pull->hub;
  g_autofree char *url = vend_hub_listing_url (hub, source);
  VendDownload what = { .label = source->uri, .url = url, .token = hub->token, .size = -1 };
  g_autofree char *text = NULL;
  gsize size = 0;
  return vend_download_text (&job->how, &what, VEND_HUB_MAX_LISTING, &text, &size, error)
         && vend_hub_listing_parse (text, size, source, out, error);
}

static VendDownload *
download_of (const Job *job, const char *pinned, const VendHubFile *file)
{
  const VendHub *hub = &job->pull->hub;
  g_autofree char *label = g_strdup_printf ("%s of %s", file->path, pinned);
  g_autofree char *url = vend_weight_source_file_url (pinned, hub->endpoint, file->path);
  VendDownload *what = vend_download_new (label, url);
  what->token = hub->token;
  what->size = file->size;
  what->sha256 = g_strdup (file->sha256);
  what->git = g_strdup (file->git);
  return what;
}

static bool
pull_hub (const Job *job, const VendWeightSource *source, VendWeightSet *set, GError **error)
{
  g_autoptr (VendHubListing) listing = NULL;
  g_autoptr (GPtrArray) all = downloads_new ();
  g_autoptr (GPtrArray) files = g_ptr_array_new (); /* of VendHubFile, for each of `all` */
  if (!list_hub (job, source, &listing, error))
    return false;
  set->source = vend_weight_source_pinned (source, listing->commit);
  set->can_fetch = true;
  for (guint i = 0; i < listing->files->len; i++)
    {
      VendHubFile *file = g_ptr_array_index (listing->files, i);
      if (file->sha256 != NULL && is_there (job, file->sha256))
        {
          vend_weight_set_add (set, file->path, file->size, file->sha256);
          continue;
        }
      g_ptr_array_add (all, download_of (job, set->source, file));
      g_ptr_array_add (files, file);
    }
  if (!vend_downloads_run (&job->how, all, error))
    return false;
  for (guint i = 0; i < all->len; i++)
    {
      const VendDownload *what = g_ptr_array_index (all, i);
      const VendHubFile *file = g_ptr_array_index (files, i);
      vend_weight_set_add (set, file->path, what->got_size, what->got);
    }
  return true;
}

/* ---- A URL */

/* Its content is known from an earlier push, and still there. */
static bool
take_known (const Job *job, const VendWeightSource *source, VendWeightSet *set)
{
  const json_t *file = json_array_get (json_object_get (job->pull->known, source->uri), 0);
  const char *sha256 = vend_json_string (file, "sha256");
  if (sha256 == NULL || g_strcmp0 (sha256, source->sha256) != 0 || !is_there (job, sha256))
    return false;
  vend_weight_set_add (set, source->name, vend_json_int (file, "size", 0), sha256);
  return true;
}

static bool
pull_url (const Job *job, const VendWeightSource *source, VendWeightSet *set, GError **error)
{
  set->source = g_strdup (source->uri);
  set->can_fetch = true;
  set->any_host = job->pull->any_host;
  if (take_known (job, source, set))
    return true;
  g_autoptr (GPtrArray) all = downloads_new ();
  VendDownload *what = vend_download_new (source->uri, source->uri);
  what->sha256 = g_strdup (source->sha256);
  g_ptr_array_add (all, what);
  if (!vend_downloads_run (&job->how, all, error))
    return false;
  vend_weight_set_add (set, source->name, what->got_size, what->got);
  return true;
}

/* ---- Files that were pushed */

static bool take_folder (const Job *job, const VendWeightSource *source, const char *dir,
                         const char *below, guint depth, VendWeightSet *set, GError **error);

/* The place may be on another file system. */
static bool
move_in (const Job *job, const char *path, const char *sha256, int64_t size, GError **error)
{
  g_autofree char *to = g_build_filename (job->pull->to_dir, sha256, NULL);
  if (rename (path, to) == 0)
    return true;
  if (errno != EXDEV)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "move '%s'", path);
  vend_autofd from = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  vend_autofd copy = open (to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (from < 0 || copy < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "copy '%s'", path);
  return vend_fd_copy (from, copy, (uint64_t) size, error);
}

static bool
take_entry (const Job *job, const VendWeightSource *source, const char *dir, const char *path,
            guint depth, VendWeightSet *set, GError **error)
{
  g_autofree char *full = g_build_filename (dir, path, NULL);
  g_autofree char *sha256 = NULL;
  struct stat st;
  if (lstat (full, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "read '%s'", path);
  if (S_ISDIR (st.st_mode))
    return take_folder (job, source, dir, path, depth + 1, set, error);
  if (!S_ISREG (st.st_mode) || !vend_weight_path_is_good (path))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is no file with a name that can be used",
                      path);
  if (!vend_weight_source_wants (source, path))
    return true;
  if (set->files->len >= VEND_WEIGHT_FILES_MAX)
    return vend_fail (error, VEND_ERROR_TOO_LARGE, "more than %d files", VEND_WEIGHT_FILES_MAX);
  if (!vend_sha256_file (full, &sha256, error)
      || !move_in (job, full, sha256, (int64_t) st.st_size, error))
    return false;
  vend_weight_set_add (set, path, (int64_t) st.st_size, sha256);
  return true;
}

static bool
take_folder (const Job *job, const VendWeightSource *source, const char *dir, const char *below,
             guint depth, VendWeightSet *set, GError **error)
{
  g_autofree char *full = g_build_filename (dir, below, NULL);
  g_autoptr (GDir) listing = depth < MAX_DEPTH ? g_dir_open (full, 0, NULL) : NULL;
  if (listing == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "cannot list '%s'", below);
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path
          = *below != '\0' ? g_build_filename (below, name, NULL) : g_strdup (name);
      if (!take_entry (job, source, dir, path, depth, set, error))
        return false;
    }
  return true;
}

static bool
pull_pushed (const Job *job, const VendWeightSource *source, VendWeightSet *set, GError **error)
{
  const char *pushed = job->pull->pushed_dir;
  g_autofree char *dir = pushed != NULL ? g_build_filename (pushed, job->name, NULL) : NULL;
  set->source = g_strdup (source->uri);
  if (dir == NULL || !g_file_test (dir, G_FILE_TEST_IS_DIR))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "the files of %s did not come with the push; push with this version of vend",
                      source->uri);
  if (!take_folder (job, source, dir, "", 0, set, error))
    return false;
  return set->files->len > 0
         || vend_fail (error, VEND_ERROR_INVALID,
                       "no file of %s is wanted; see include and exclude", source->uri);
}

/* ---- Whole sets */

bool
vend_pull_source (const VendPull *pull, const char *name, const char *target,
                  const VendWeightSource *source, VendWeightSet **out, GError **error)
{
  g_autoptr (VendWeightSet) set = vend_weight_set_new ();
  g_auto (Job) job = { 0 };
  const bool is_hub = source->kind == VEND_WEIGHTS_HUB;
  bool good = job_init (&job, pull, name, pull->any_host || (is_hub && pull->hub.is_own), error);
  set->name = g_strdup (name);
  set->target = g_strdup (target);
  switch (source->kind)
    {
    case VEND_WEIGHTS_FILE:
      good = good && pull_pushed (&job, source, set, error);
      break;
    case VEND_WEIGHTS_URL:
      good = good && pull_url (&job, source, set, error);
      break;
    case VEND_WEIGHTS_HUB:
      good = good && pull_hub (&job, source, set, error);
      break;
    }
  if (!with_name (&job, good, error))
    return false;
  vend_weight_set_seal (set);
  *out = g_steal_pointer (&set);
  return true;
}

bool
vend_pull_again (const VendPull *pull, const VendWeightSet *set, GError **error)
{
  g_auto (Job) job = { 0 };
  g_autoptr (GPtrArray) all = downloads_new ();
  const bool is_hub = g_str_has_prefix (set->source, "hf://");
  if (!job_init (&job, pull, set->name, set->any_host || (is_hub && pull->hub.is_own), error))
    return false;
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      if (is_there (&job, file->sha256))
        continue;
      g_autofree char *url
          = vend_weight_source_file_url (set->source, pull->hub.endpoint, file->path);
      if (url == NULL)
        return vend_fail (error, VEND_ERROR_NOT_FOUND,
                          "weights '%s': the files of %s are gone, and cannot be fetched again; "
                          "push the model again",
                          set->name, set->source);
      g_autofree char *label = g_strdup_printf ("%s of %s", file->path, set->source);
      VendDownload *what = vend_download_new (label, url);
      what->token = is_hub ? pull->hub.token : NULL;
      what->sha256 = g_strdup (file->sha256);
      what->size = file->size;
      g_ptr_array_add (all, what);
    }
  return with_name (&job, vend_downloads_run (&job.how, all, error), error);
}
