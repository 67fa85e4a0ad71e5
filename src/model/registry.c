/* Blobs and manifests of a registry's repositories. Plain values. */
#include "model/registry.h"

void
vend_registry_blob_free (VendRegistryBlob *blob)
{
  if (blob == NULL)
    return;
  g_free (blob->digest);
  g_free (blob->sha256);
  g_free (blob);
}

VendRegistryPart *
vend_registry_part_new (const char *digest, int64_t size, bool is_manifest)
{
  VendRegistryPart *part = g_new0 (VendRegistryPart, 1);
  *part = (VendRegistryPart){ g_strdup (digest), size, is_manifest };
  return part;
}

void
vend_registry_part_free (VendRegistryPart *part)
{
  if (part == NULL)
    return;
  g_free (part->digest);
  g_free (part);
}

void
vend_registry_manifest_free (VendRegistryManifest *manifest)
{
  if (manifest == NULL)
    return;
  g_free (manifest->digest);
  g_free (manifest->sha256);
  g_free (manifest->media_type);
  g_free (manifest->artifact_type);
  json_decref (manifest->annotations);
  g_free (manifest->subject);
  g_free (manifest);
}

json_t *
vend_registry_manifest_to_json (const VendRegistryManifest *manifest)
{
  json_t *object = json_object ();
  vend_json_set_string (object, "mediaType", manifest->media_type);
  vend_json_set_int (object, "size", manifest->size);
  vend_json_set_string (object, "digest", manifest->digest);
  if (manifest->artifact_type != NULL)
    vend_json_set_string (object, "artifactType", manifest->artifact_type);
  if (manifest->annotations != NULL)
    json_object_set (object, "annotations", manifest->annotations);
  return object;
}
