/* Lines that the model server writes to stderr. Pure. */
#include "director/log-line.h"
#include "json/json.h"
#include <string.h>

static bool
is_target (const json_t *line, const char *target)
{
  return g_strcmp0 (vend_json_string (line, "target"), target) == 0;
}

static char *
with_error (const json_t *fields, const char *message)
{
  const char *error = vend_json_string (fields, "error");
  return error != NULL ? g_strdup_printf ("%s: %s", message, error) : g_strdup (message);
}

VendLineKind
vend_log_line_parse (const char *line, gsize size, char **out_text)
{
  json_auto_t *document = NULL;
  if (size == 0 || line[0] != '{' || !vend_json_parse (line, size, &document, NULL))
    {
      *out_text = g_utf8_make_valid (line, (gssize) strnlen (line, size));
      return VEND_LINE_MODEL;
    }
  const json_t *fields = json_object_get (document, "fields");
  const char *message = vend_json_string (fields, "message");
  const char *level = vend_json_string (document, "level");
  *out_text = with_error (fields, message != NULL ? message : "");
  if (json_object_get (fields, "prediction_id") != NULL)
    return VEND_LINE_SERVER;
  const bool of_model
      = is_target (document, "coglet::setup") || is_target (document, "coglet::user");
  return of_model || g_strcmp0 (level, "ERROR") == 0 ? VEND_LINE_MODEL : VEND_LINE_SERVER;
}
