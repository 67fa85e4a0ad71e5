/* Reading request bodies: JSON objects and their members, with errors that name the field. */
#include "api/api-private.h"
#include "base/error.h"
#include <string.h>

bool
vend_api_object (VendCall *call, json_t **out, GError **error)
{
  gsize size = 0;
  const char *text = vend_call_body (call, &size);
  const char *type = vend_call_header (call, "Content-Type");
  json_auto_t *value = NULL;
  if (size == 0)
    {
      *out = json_object ();
      return true;
    }
  if (type != NULL && g_ascii_strncasecmp (type, "application/json", 16) != 0
      && g_ascii_strncasecmp (type, "text/plain", 10) != 0)
    return vend_fail (error, VEND_ERROR_MEDIA_TYPE,
                      "Content-Type: expected application/json, got '%.100s'", type);
  const VendJsonParsing how = { .max_depth = VEND_JSON_OUTSIDE_DEPTH, .data_member = "input" };
  if (!vend_json_parse_as (&how, text, size, &value, error))
    return false;
  if (!json_is_object (value))
    return vend_fail (error, VEND_ERROR_INVALID, "the request body must be a JSON object");
  *out = g_steal_pointer (&value);
  return true;
}

bool
vend_api_optional_text (const json_t *body, const char *key, gsize most, const char **out,
                        GError **error)
{
  const json_t *value = json_object_get (body, key);
  if (value == NULL || json_is_null (value))
    {
      *out = NULL;
      return true;
    }
  if (!json_is_string (value))
    return vend_fail (error, VEND_ERROR_INVALID, "%s: expected a string", key);
  if (json_string_length (value) > most)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "%s: expected at most %" G_GSIZE_FORMAT " bytes, got %zu", key, most,
                      json_string_length (value));
  *out = json_string_value (value);
  return true;
}

bool
vend_api_text (const json_t *body, const char *key, gsize most, const char **out, GError **error)
{
  if (!vend_api_optional_text (body, key, most, out, error))
    return false;
  return *out != NULL || vend_fail (error, VEND_ERROR_INVALID, "%s is required", key);
}

bool
vend_api_optional_url (const json_t *body, const char *key, const char **out, GError **error)
{
  const char *text = NULL;
  if (!vend_api_optional_text (body, key, 2048, &text, error))
    return false;
  if (text != NULL && *text != '\0')
    {
      g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
      const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
      const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
      if ((strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0) || host == NULL
          || *host == '\0')
        return vend_fail (error, VEND_ERROR_INVALID, "%s: expected an http or https URL", key);
    }
  *out = text;
  return true;
}

bool
vend_api_change_text (const json_t *body, const char *key, gsize most, char **field, GError **error)
{
  const char *text = NULL;
  if (json_object_get (body, key) == NULL)
    return true;
  if (!vend_api_optional_text (body, key, most, &text, error))
    return false;
  g_free (*field);
  *field = g_strdup (text);
  return true;
}
