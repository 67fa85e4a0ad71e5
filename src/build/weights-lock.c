/* Reads Cog's weights.lock. Its set digests are of another text than those of its specification, so
 * files are compared one by one. */
#include "build/weights-lock.h"
#include "base/error.h"
#include "base/fd.h"
#include <string.h>

#define MAX_LOCK ((gsize) 32 * 1024 * 1024)
#define VERSION 1
#define COMMIT "commit:"
#define SHA256 "sha256:"
#define ADVICE "; run 'cog weights import' again, or remove " VEND_WEIGHTS_LOCK

bool
vend_weights_lock_load (const char *project_dir, json_t **out, GError **error)
{
  g_autofree char *path = g_build_filename (project_dir, VEND_WEIGHTS_LOCK, NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *lock = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_file_read (path, MAX_LOCK, &text, &size, &problem))
    {
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        return true;
      return vend_fail (error, VEND_ERROR_INVALID, VEND_WEIGHTS_LOCK ": %s", problem->message);
    }
  if (!vend_json_parse (text, size, &lock, &problem))
    return vend_fail (error, VEND_ERROR_INVALID, VEND_WEIGHTS_LOCK ": %s", problem->message);
  const int64_t version = vend_json_int (lock, "version", 0);
  if (version != VERSION || !json_is_array (json_object_get (lock, "weights")))
    return vend_fail (error, VEND_ERROR_INVALID,
                      VEND_WEIGHTS_LOCK
                      ": expected version %d with a list 'weights', got version %" G_GINT64_FORMAT,
                      VERSION, version);
  *out = g_steal_pointer (&lock);
  return true;
}

static const json_t *
find (const json_t *lock, const char *name)
{
  size_t i;
  json_t *entry;
  json_array_foreach (json_object_get (lock, "weights"), i, entry)
    if (g_strcmp0 (vend_json_string (entry, "name"), name) == 0)
      return entry;
  return NULL;
}

/* ---- Pinning */

static bool
is_same_source (const VendWeightSource *a, const VendWeightSource *b)
{
  if (a->kind != b->kind)
    return false;
  switch (a->kind)
    {
    case VEND_WEIGHTS_HUB:
      return g_ascii_strcasecmp (a->repo, b->repo) == 0;
    case VEND_WEIGHTS_URL:
      return strcmp (a->uri, b->uri) == 0;
    default:
      /* The files themselves are compared. */
      return true;
    }
}

static bool
at_commit (const VendWeightSource *source, const char *commit, VendWeightSource **out,
           GError **error)
{
  g_autofree char *uri = vend_weight_source_pinned (source, commit);
  return vend_weight_source_parse (uri, source->sha256, (const char *const *) source->include,
                                   (const char *const *) source->exclude, out, error);
}

bool
vend_weights_lock_pin (const json_t *lock, const char *name, const VendWeightSource *source,
                       VendWeightSource **out, GError **error)
{
  const json_t *pinned = json_array_get (json_object_get (find (lock, name), "sources"), 0);
  const char *uri = vend_json_string (pinned, "uri");
  const char *fingerprint = vend_json_string (pinned, "fingerprint");
  g_autoptr (VendWeightSource) locked = NULL;
  g_autoptr (GError) ignored = NULL;
  if (uri != NULL
      && (!vend_weight_source_parse (uri, source->sha256, NULL, NULL, &locked, &ignored)
          || !is_same_source (locked, source)))
    return vend_fail (error, VEND_ERROR_INVALID,
                      VEND_WEIGHTS_LOCK
                      ": the weights '%s' come from %s, and in cog.yaml from %s" ADVICE,
                      name, uri, source->uri);
  const bool has_commit = uri != NULL && vend_weight_source_moves (source) && fingerprint != NULL
                          && g_str_has_prefix (fingerprint, COMMIT);
  return at_commit (source, has_commit ? fingerprint + strlen (COMMIT) : source->revision, out,
                    error);
}

/* ---- Comparing */

static const VendWeightFile *
find_file (const VendWeightSet *set, const char *path)
{
  for (guint i = 0; i < set->files->len; i++)
    {
      const VendWeightFile *file = g_ptr_array_index (set->files, i);
      if (strcmp (file->path, path) == 0)
        return file;
    }
  return NULL;
}

static bool
differs (const VendWeightSet *set, const char *path, const char *how, GError **error)
{
  return vend_fail (error, VEND_ERROR_INVALID,
                    VEND_WEIGHTS_LOCK ": the weights '%s' of %s are not those that it pins: '%s' "
                                      "%s" ADVICE,
                    set->name, set->source, path, how);
}

bool
vend_weights_lock_check (const json_t *lock, const VendWeightSet *set, bool *out_pinned,
                         GError **error)
{
  const json_t *entry = find (lock, set->name);
  const json_t *files = json_object_get (entry, "files");
  g_autoptr (GHashTable) pinned = g_hash_table_new (g_str_hash, g_str_equal);
  size_t i;
  json_t *file;
  *out_pinned = entry != NULL;
  json_array_foreach ((json_t *) files, i, file)
    {
      const char *path = vend_json_string (file, "path");
      const char *digest = vend_json_string (file, "digest");
      if (path == NULL || digest == NULL || !g_str_has_prefix (digest, SHA256))
        return vend_fail (error, VEND_ERROR_INVALID,
                          VEND_WEIGHTS_LOCK ": a file of '%s' has no path or no SHA-256",
                          set->name);
      const VendWeightFile *own = find_file (set, path);
      if (own == NULL)
        return differs (set, path, "is missing", error);
      if (strcmp (own->sha256, digest + strlen (SHA256)) != 0)
        return differs (set, path, "has another checksum", error);
      g_hash_table_add (pinned, own->path);
    }
  for (guint n = 0; entry != NULL && n < set->files->len; n++)
    {
      const VendWeightFile *own = g_ptr_array_index (set->files, n);
      if (!g_hash_table_contains (pinned, own->path))
        return differs (set, own->path, "is not in it", error);
    }
  return true;
}
