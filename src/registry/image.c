/* What Cog writes into the config of an image. Pure. */
#include "registry/image.h"
#include "base/error.h"
#include "json/schema.h"
#include <string.h>

#define LABEL "run.cog."
#define OLD_LABEL "org.cogmodel."

static bool
has_cog_label (const json_t *labels)
{
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *) labels, key, value)
    if (g_str_has_prefix (key, LABEL) || g_str_has_prefix (key, OLD_LABEL))
      return true;
  return false;
}

/* Under its name of today, or one that older releases gave it; NULL without one. */
static const char *
label (const json_t *labels, const char *name, const char *old_name)
{
  g_autofree char *key = g_strconcat (LABEL, name, NULL);
  g_autofree char *old_key = g_strconcat (OLD_LABEL, old_name, NULL);
  const char *text = vend_json_string (labels, key);
  return text != NULL ? text : vend_json_string (labels, old_key);
}

/* Schemas are shown inside of lists. */
static bool
parse (const char *text, json_t **out, GError **error)
{
  const VendJsonParsing how = { .max_depth = VEND_JSON_OUTSIDE_DEPTH };
  return vend_json_parse_as (&how, text, strlen (text), out, error);
}

static bool
missing (const char *name, GError **error)
{
  return vend_fail (error, VEND_ERROR_INVALID,
                    "the image has no label " LABEL "%s: images for Vend are made by 'cog build' "
                    "or 'cog push', which write it",
                    name);
}

static bool
read_schema (const json_t *labels, json_t **out, GError **error)
{
  const char *text = label (labels, "openapi_schema", "openapi_schema");
  json_auto_t *schema = NULL;
  if (text == NULL)
    return missing ("openapi_schema", error);
  if (!parse (text, &schema, error))
    {
      g_prefix_error (error, "label " LABEL "openapi_schema: ");
      return false;
    }
  if (!json_is_object (vend_schema_component (schema, "Input")))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "label " LABEL "openapi_schema: it has no components.schemas.Input");
  *out = g_steal_pointer (&schema);
  return true;
}

/* Lines of `pip freeze`. */
static json_t *
read_packages (const json_t *labels)
{
  const char *text = label (labels, "pip_freeze", "pip_freeze");
  json_t *packages = json_array ();
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (*g_strstrip (*line) != '\0')
      json_array_append_new (packages, json_string (*line));
  return packages;
}

/* In the form of a push, as far as an image says it. */
static json_t *
read_content (const json_t *labels)
{
  const char *text = label (labels, "config", "config");
  json_auto_t *config = NULL;
  json_t *content = json_object ();
  if (text != NULL && parse (text, &config, NULL) && json_is_object (config))
    {
      json_object_set (content, "cog_yaml", config);
      vend_json_set_string (content, "python",
                            vend_json_string (json_object_get (config, "build"), "python_version"));
    }
  json_object_set_new (content, "packages", read_packages (labels));
  return content;
}

static bool
is_for_this_platform (const json_t *config)
{
  const char *os = vend_json_string (config, "os");
  const char *architecture = vend_json_string (config, "architecture");
  return (os == NULL || strcmp (os, "linux") == 0)
         && (architecture == NULL || strcmp (architecture, "amd64") == 0);
}

bool
vend_image_read (const char *config, gsize size, VendVersion **out, GError **error)
{
  json_auto_t *object = NULL;
  g_autoptr (VendVersion) version = NULL;
  *out = NULL;
  /* A config that is none is a matter between those who push and pull it. */
  if (!vend_json_parse (config, size, &object, NULL))
    return true;
  const json_t *labels = json_object_get (json_object_get (object, "config"), "Labels");
  if (!json_is_object (labels) || !has_cog_label (labels) || !is_for_this_platform (object))
    return true;
  const char *cog = label (labels, "version", "cog_version");
  version = g_new0 (VendVersion, 1);
  if (!read_schema (labels, &version->openapi, error))
    return false;
  if (cog == NULL)
    return missing ("version", error);
  version->cog_version = g_strdup (cog);
  version->launch = json_object ();
  version->manifest = json_pack ("{s:o}", "content", read_content (labels));
  version->source_sha256 = g_strdup ("");
  *out = g_steal_pointer (&version);
  return true;
}
