/* Weights of versions, and versions that trainings make. Plain values. */
#include "model/weights.h"
#include "base/hash.h"

#define FORMAT 1

void
vend_weights_free (VendWeights *weights)
{
  if (weights == NULL)
    return;
  g_free (weights->name);
  g_free (weights->sha256);
  g_free (weights);
}

json_t *
vend_weights_to_json (const VendWeights *weights)
{
  json_t *object = json_object ();
  vend_json_set_string (object, "name", weights->name);
  vend_json_set_int (object, "size", weights->size);
  vend_json_set_string (object, "sha256", weights->sha256);
  return object;
}

VendWeights *
vend_weights_of_launch (const json_t *launch)
{
  const json_t *object = json_object_get (launch, "weights");
  const char *name = vend_json_string (object, "name");
  const char *sha256 = vend_json_string (object, "sha256");
  if (name == NULL || sha256 == NULL || !vend_is_sha256_hex (sha256))
    return NULL;
  VendWeights *weights = g_new0 (VendWeights, 1);
  weights->name = g_strdup (name);
  weights->size = vend_json_int (object, "size", 0);
  weights->sha256 = g_strdup (sha256);
  return weights;
}

const char *
vend_version_source (const char *id, const json_t *launch)
{
  const char *source = vend_json_string (launch, "source");
  return source != NULL ? source : id;
}

/* As of a pushed version: the hash of the content, as compact JSON with sorted keys. */
static char *
id_of (const char *base, const char *sha256)
{
  g_autofree char *text = g_strdup_printf ("{\"base\":\"%s\",\"format\":%d,\"weights\":\"%s\"}",
                                           base, FORMAT, sha256);
  return vend_sha256_text (text);
}

VendVersion *
vend_version_trained (const VendVersion *base, const VendWeights *weights)
{
  VendVersion *version = g_new0 (VendVersion, 1);
  version->id = id_of (base->id, weights->sha256);
  version->cog_version = g_strdup (base->cog_version);
  version->openapi = json_incref (base->openapi);
  version->manifest = json_pack ("{s:{s:s, s:i, s:s}}", "content", "base", base->id, "format",
                                 FORMAT, "weights", weights->sha256);
  json_t *pushed = json_object_get (base->manifest, base->base != NULL ? "pushed" : "content");
  if (pushed != NULL)
    json_object_set (version->manifest, "pushed", pushed);
  version->source_sha256 = g_strdup ("");
  version->source = g_strdup (vend_version_source (base->id, base->launch));
  version->base = g_strdup (base->id);
  version->launch = json_copy (base->launch);
  vend_json_set_string (version->launch, "source", version->source);
  json_object_set_new (version->launch, "weights", vend_weights_to_json (weights));
  return version;
}
