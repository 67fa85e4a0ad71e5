/* Manifests and indexes of images and other artifacts. Pure. */
#include "registry/manifest.h"
#include "base/error.h"
#include "registry/reference.h"
#include <string.h>

#define MAX_DEPTH 64
#define MAX_PARTS 4000
#define MAX_TYPE 255

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"

static const char *const image_configs[]
    = { "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json", NULL };

void
vend_oci_manifest_free (VendOciManifest *manifest)
{
  if (manifest == NULL)
    return;
  g_free (manifest->media_type);
  g_clear_pointer (&manifest->parts, g_ptr_array_unref);
  g_clear_pointer (&manifest->optional, g_ptr_array_unref);
  g_free (manifest->config);
  g_free (manifest->artifact_type);
  json_decref (manifest->annotations);
  g_free (manifest->subject);
  g_free (manifest);
}

/* ---- Types */

static bool
is_type (const char *text)
{
  const gsize length = strlen (text);
  return length > 0 && length <= MAX_TYPE && strchr (text, '/') != NULL
         && strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                          "!#$&^_.+-/")
                == length;
}

/* Without parameters. Free with g_free. */
static char *
bare_type (const char *content_type)
{
  return g_strstrip (g_strndup (content_type, strcspn (content_type, ";")));
}

static const char *
type_by_members (const json_t *object)
{
  return json_object_get (object, "manifests") != NULL ? VEND_OCI_INDEX : OCI_MANIFEST;
}

static bool
find_type (const char *content_type, const json_t *object, VendOciManifest *manifest,
           GError **error)
{
  const char *own = vend_json_string (object, "mediaType");
  g_autofree char *sent = content_type != NULL ? bare_type (content_type) : NULL;
  if (own != NULL && sent != NULL && strcmp (own, sent) != 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "mediaType: the manifest says '%.100s', the Content-Type '%.100s'", own,
                      sent);
  const char *type = own != NULL ? own : sent != NULL ? sent : type_by_members (object);
  manifest->is_index = strcmp (type, VEND_OCI_INDEX) == 0 || strcmp (type, DOCKER_LIST) == 0;
  if (!manifest->is_index && strcmp (type, OCI_MANIFEST) != 0
      && strcmp (type, DOCKER_MANIFEST) != 0)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "mediaType: '%.100s' is not taken; expected " OCI_MANIFEST ", " VEND_OCI_INDEX
                      ", " DOCKER_MANIFEST " or " DOCKER_LIST,
                      type);
  manifest->media_type = g_strdup (type);
  return true;
}

/* ---- Descriptors */

static bool
read_descriptor (const json_t *value, const char *where, bool is_manifest, VendRegistryPart **out,
                 GError **error)
{
  const char *digest = vend_json_string (value, "digest");
  const json_t *size = json_object_get (value, "size");
  g_autoptr (GError) problem = NULL;
  if (digest == NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "%s: expected an object with a 'digest'", where);
  if (!vend_digest_check (digest, &problem))
    return vend_fail (error, VEND_ERROR_INVALID, "%s.digest: %s", where, problem->message);
  if (!json_is_integer (size) || json_integer_value (size) < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "%s.size: expected a whole number", where);
  *out = vend_registry_part_new (digest, json_integer_value (size), is_manifest);
  return true;
}

/* Layers that licences forbid to copy lie at their `urls`; who pushes them may leave them out. */
static bool
may_lie_elsewhere (const json_t *layer)
{
  const char *type = vend_json_string (layer, "mediaType");
  return type != NULL
         && (strstr (type, ".nondistributable.") != NULL || strstr (type, ".foreign.") != NULL);
}

static bool
add_descriptors (const json_t *object, const char *key, VendOciManifest *manifest, GError **error)
{
  const json_t *list = json_object_get (object, key);
  size_t i;
  json_t *value;
  if (!json_is_array (list))
    return vend_fail (error, VEND_ERROR_INVALID, "%s: expected an array", key);
  if (json_array_size (list) > MAX_PARTS)
    return vend_fail (error, VEND_ERROR_INVALID, "%s: expected at most %d", key, MAX_PARTS);
  json_array_foreach ((json_t *) list, i, value)
    {
      VendRegistryPart *part = NULL;
      g_autofree char *where = g_strdup_printf ("%s.%zu", key, i);
      if (!read_descriptor (value, where, manifest->is_index, &part, error))
        return false;
      g_ptr_array_add (may_lie_elsewhere (value) ? manifest->optional : manifest->parts, part);
    }
  return true;
}

/* ---- The two kinds */

static bool
read_image (const json_t *object, VendOciManifest *manifest, GError **error)
{
  VendRegistryPart *part = NULL;
  const json_t *config = json_object_get (object, "config");
  if (!read_descriptor (config, "config", false, &part, error))
    return false;
  g_ptr_array_add (manifest->parts, part);
  if (!add_descriptors (object, "layers", manifest, error))
    return false;
  const char *type = vend_json_string (config, "mediaType");
  if (manifest->artifact_type == NULL)
    manifest->artifact_type = g_strdup (type);
  if (type != NULL && g_strv_contains (image_configs, type)
      && vend_json_string (object, "artifactType") == NULL)
    manifest->config = g_strdup (part->digest);
  return true;
}

static bool
read_subject (const json_t *object, VendOciManifest *manifest, GError **error)
{
  const json_t *subject = json_object_get (object, "subject");
  VendRegistryPart *part = NULL;
  if (subject == NULL || json_is_null (subject))
    return true;
  if (!read_descriptor (subject, "subject", true, &part, error))
    return false;
  manifest->subject = g_strdup (part->digest);
  vend_registry_part_free (part);
  return true;
}

static bool
read_others (const json_t *object, VendOciManifest *manifest, GError **error)
{
  const char *type = vend_json_string (object, "artifactType");
  json_t *annotations = json_object_get (object, "annotations");
  if (type != NULL && *type != '\0' && !is_type (type))
    return vend_fail (error, VEND_ERROR_INVALID, "artifactType: expected a media type");
  if (annotations != NULL && !json_is_null (annotations) && !json_is_object (annotations))
    return vend_fail (error, VEND_ERROR_INVALID, "annotations: expected an object");
  if (type != NULL && *type != '\0')
    manifest->artifact_type = g_strdup (type);
  if (json_is_object (annotations))
    manifest->annotations = json_incref (annotations);
  return read_subject (object, manifest, error);
}

bool
vend_oci_manifest_parse (const char *content_type, const char *text, gsize size,
                         VendOciManifest **out, GError **error)
{
  const VendJsonParsing how = { .max_depth = MAX_DEPTH };
  json_auto_t *object = NULL;
  if (!vend_json_parse_as (&how, text, size, &object, error))
    return false;
  if (!json_is_object (object))
    return vend_fail (error, VEND_ERROR_INVALID, "a manifest is a JSON object");
  if (vend_json_int (object, "schemaVersion", 0) != 2)
    return vend_fail (error, VEND_ERROR_INVALID, "schemaVersion: expected 2");
  g_autoptr (VendOciManifest) manifest = g_new0 (VendOciManifest, 1);
  manifest->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_registry_part_free);
  manifest->optional = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_registry_part_free);
  if (!find_type (content_type, object, manifest, error) || !read_others (object, manifest, error)
      || !(manifest->is_index ? add_descriptors (object, "manifests", manifest, error)
                              : read_image (object, manifest, error)))
    return false;
  *out = g_steal_pointer (&manifest);
  return true;
}
