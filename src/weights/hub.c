/* The public file API of a model hub. Pure. */
#include "weights/hub.h"
#include "base/error.h"
#include "base/hash.h"
#include "model/weight-set.h"
#include <string.h>

#define SHA1_LENGTH 40

static void
file_free (void *data)
{
  VendHubFile *file = data;
  g_free (file->path);
  g_free (file->sha256);
  g_free (file->git);
  g_free (file);
}

void
vend_hub_listing_free (VendHubListing *listing)
{
  if (listing == NULL)
    return;
  g_free (listing->commit);
  g_ptr_array_unref (listing->files);
  g_free (listing);
}

char *
vend_hub_listing_url (const VendHub *hub, const VendWeightSource *source)
{
  g_autofree char *revision = g_uri_escape_string (source->revision, NULL, FALSE);
  return g_strconcat (hub->endpoint, "/api/models/", source->repo, "/revision/", revision,
                      "?blobs=true", NULL);
}

static bool
is_sha1 (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isxdigit (*at) || g_ascii_isupper (*at))
      return false;
  return strlen (text) == SHA1_LENGTH;
}

/* NULL: not one that can be taken. */
static VendHubFile *
read_file (const json_t *object)
{
  const char *path = vend_json_string (object, "rfilename");
  const json_t *large = json_object_get (object, "lfs");
  const char *sha256 = vend_json_string (large, "sha256");
  const char *git = vend_json_string (object, "blobId");
  const int64_t size = vend_json_int (object, "size", -1);
  if (path == NULL || !vend_weight_path_is_good (path) || size < 0
      || (sha256 != NULL && !vend_is_sha256_hex (sha256)))
    return NULL;
  VendHubFile *file = g_new0 (VendHubFile, 1);
  file->path = g_strdup (path);
  file->size = size;
  file->sha256 = g_strdup (sha256);
  if (sha256 == NULL && git != NULL && is_sha1 (git))
    file->git = g_strdup (git);
  return file;
}

static int
by_path (const void *a, const void *b)
{
  return strcmp ((*(VendHubFile *const *) a)->path, (*(VendHubFile *const *) b)->path);
}

static bool
read_files (const json_t *siblings, const VendWeightSource *source, VendHubListing *listing,
            GError **error)
{
  size_t i;
  json_t *object;
  json_array_foreach ((json_t *) siblings, i, object)
    {
      const char *path = vend_json_string (object, "rfilename");
      if (path != NULL && !vend_weight_source_wants (source, path))
        continue;
      VendHubFile *file = read_file (object);
      if (file == NULL)
        return vend_fail (error, VEND_ERROR_RUNNER,
                          "%s: the hub lists a file without a size or with a name that cannot be "
                          "used",
                          source->uri);
      g_ptr_array_add (listing->files, file);
    }
  g_ptr_array_sort (listing->files, by_path);
  return true;
}

bool
vend_hub_listing_parse (const char *text, gsize size, const VendWeightSource *source,
                        VendHubListing **out, GError **error)
{
  json_auto_t *document = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_json_parse (text, size, &document, &problem))
    return vend_fail (error, VEND_ERROR_RUNNER, "%s: the hub's answer is not JSON: %s", source->uri,
                      problem->message);
  const char *commit = vend_json_string (document, "sha");
  const json_t *siblings = json_object_get (document, "siblings");
  if (commit == NULL || !is_sha1 (commit) || !json_is_array (siblings))
    return vend_fail (error, VEND_ERROR_RUNNER, "%s: the hub's answer has no commit and files",
                      source->uri);
  g_autoptr (VendHubListing) listing = g_new0 (VendHubListing, 1);
  listing->commit = g_strdup (commit);
  listing->files = g_ptr_array_new_with_free_func (file_free);
  if (!read_files (siblings, source, listing, error))
    return false;
  if (listing->files->len == 0 || listing->files->len > VEND_WEIGHT_FILES_MAX)
    return vend_fail (error, VEND_ERROR_RUNNER,
                      "%s: %u of the %zu files are wanted; expected 1 to %d, see include and "
                      "exclude",
                      source->uri, listing->files->len, json_array_size (siblings),
                      VEND_WEIGHT_FILES_MAX);
  *out = g_steal_pointer (&listing);
  return true;
}
