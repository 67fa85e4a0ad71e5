/* Where files are. DATA/files names the place when it is not the directory itself: rows without
 * their files, and files without their rows, would come from a start with another setting. */
#include "cli/commands/file-place.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process-start.h"
#include "cli/client/client-config.h"
#include "files/depot.h"
#include <string.h>

#define MAX_MARK ((gsize) 4096)
#define MAX_INSTALLATION ((gsize) 4096)

void
vend_file_keys_clear (VendFileKeys *keys)
{
  if (keys->secret != NULL)
    explicit_bzero (keys->secret, strlen (keys->secret));
  g_clear_pointer (&keys->key_id, g_free);
  g_clear_pointer (&keys->secret, g_free);
  g_clear_pointer (&keys->session, g_free);
  g_clear_pointer (&keys->region, g_free);
}

const char *
vend_s3_variable (const char *name)
{
  const char *value = g_getenv (name);
  return value != NULL && *value != '\0' ? value : NULL;
}

static const char *
region (void)
{
  const char *name = vend_s3_variable ("AWS_REGION");
  return name != NULL ? name : vend_s3_variable ("AWS_DEFAULT_REGION");
}

VendS3Options
vend_s3_from_environment (const char *place, const char *endpoint)
{
  return (VendS3Options){ .place = place,
                          .endpoint = endpoint,
                          .region = region (),
                          .key_id = g_getenv ("AWS_ACCESS_KEY_ID"),
                          .secret = g_getenv ("AWS_SECRET_ACCESS_KEY"),
                          .session = vend_s3_variable ("AWS_SESSION_TOKEN") };
}

void
vend_file_keys_take (VendFileKeys *out)
{
  out->key_id = vend_process_take_variable ("AWS_ACCESS_KEY_ID");
  out->secret = vend_process_take_variable ("AWS_SECRET_ACCESS_KEY");
  out->session = vend_process_take_variable ("AWS_SESSION_TOKEN");
  out->region = g_strdup (region ());
}

static const char *
text_or_null (const char *text)
{
  return text != NULL && *text != '\0' ? text : NULL;
}

static bool
make_depot (const VendS3Options *options, VendDepot **out, char **out_place, GError **error)
{
  VendS3 *s3 = NULL;
  if (*options->place == '\0')
    return true;
  if (!vend_s3_new (options, &s3, error))
    return false;
  if (out_place != NULL)
    *out_place = g_strdup (vend_s3_place (s3));
  *out = vend_depot_s3_new (s3);
  return true;
}

/* ---- The mark */

static bool
read_mark (const char *path, char **out, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (vend_file_read (path, MAX_MARK, out, NULL, &problem)
      || g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    return true;
  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

bool
vend_file_depot_at (const char *place, const char *endpoint, VendDepot **out, char **out_place,
                    GError **error)
{
  const VendS3Options options = vend_s3_from_environment (place, endpoint);
  return make_depot (&options, out, out_place, error);
}

bool
vend_file_depot_find (const char *data_dir, VendDepot **out, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, VEND_DEPOT_MARK, NULL);
  g_autofree char *mark = NULL;
  g_autoptr (VendSettings) settings = NULL;
  if (!vend_data_dir_settings (data_dir, &settings, error) || !read_mark (path, &mark, error))
    return false;
  return mark == NULL
         || vend_file_depot_at (mark, vend_settings_text (settings, "files-endpoint"), out, NULL,
                                error);
}

static void
see_one (const char *sha256, const VendDepotStat *stat, void *data)
{
  *(bool *) data = true;
}

static bool
has_files (const char *blobs_dir)
{
  g_autoptr (VendDepot) disk = vend_depot_disk_new (blobs_dir, blobs_dir, true);
  bool has_one = false;
  return disk->ops->each (disk, see_one, &has_one, NULL) && has_one;
}

static bool
refuse (const char *there, GError **error)
{
  return vend_fail (error, VEND_ERROR_INVALID,
                    "files: the files of this data directory are %s%s; start it with the setting "
                    "that it had, or with an empty directory",
                    there != NULL ? "in " : "in the directory itself", there != NULL ? there : "");
}

/* An unreachable place is no reason to keep a server down that has used it before. */
static bool
claim (const char *data_dir, VendDepot *depot, bool is_known, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, "installation", NULL);
  g_autofree char *owner = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_file_read (path, MAX_INSTALLATION, &owner, NULL, error))
    return false;
  if (vend_depot_s3_claim (depot, owner, &problem))
    return true;
  if (!is_known || !g_error_matches (problem, VEND_ERROR, VEND_ERROR_UNAVAILABLE))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  vend_log (VEND_LOG_WARN, "the file store does not answer yet", "error", problem->message, NULL);
  return true;
}

bool
vend_file_place_open (const VendSettings *settings, const VendFileKeys *keys, const char *data_dir,
                      VendBlobs **out, GError **error)
{
  g_autofree char *blobs = g_build_filename (data_dir, "blobs", NULL);
  g_autofree char *path = g_build_filename (data_dir, VEND_DEPOT_MARK, NULL);
  g_autofree char *mark = NULL, *place = NULL;
  g_autoptr (VendDepot) depot = NULL;
  const VendS3Options options = { .place = vend_settings_text (settings, "files"),
                                  .endpoint = vend_settings_text (settings, "files-endpoint"),
                                  .region = keys->region,
                                  .key_id = keys->key_id,
                                  .secret = keys->secret,
                                  .session = text_or_null (keys->session) };
  if (!make_depot (&options, &depot, &place, error) || !read_mark (path, &mark, error))
    return false;
  if (depot == NULL)
    return mark == NULL ? vend_blobs_open (blobs, out, error) : refuse (mark, error);
  if ((mark != NULL && strcmp (mark, place) != 0) || (mark == NULL && has_files (blobs)))
    return refuse (mark, error);
  if (!claim (data_dir, depot, mark != NULL, error)
      || (mark == NULL && !vend_file_replace (path, place, strlen (place), 0600, error)))
    return false;
  vend_log (VEND_LOG_INFO, "files", "in", place, NULL);
  return vend_blobs_open_remote (blobs, g_steal_pointer (&depot),
                                 vend_settings_bytes (settings, "files-cache"), out, error);
}
