/* Versions as the tests of this folder need them: JSON with ' for ". */
#pragma once
#include <glib.h>

#include "json/json.h"

static inline json_t *
quoted (const char *text)
{
  g_autofree char *own = g_strdup (text);
  json_error_t error;
  g_strdelimit (own, "'", '"');
  json_t *value = json_loads (own, JSON_DECODE_ANY, &error);
  if (value == NULL)
    g_error ("%s: %s", error.text, own);
  return value;
}

static inline json_t *
version_of (const char *inputs, const char *output)
{
  g_autofree char *text = g_strdup_printf (
      "{'components': {'schemas': {'Input': {'type': 'object', 'properties': %s}, 'Output': %s}}}",
      inputs, output);
  return quoted (text);
}

#define TEXT "{'type': 'string'}"
#define FILE_URI "{'type': 'string', 'format': 'uri'}"
#define TEXT_STREAM "{'type': 'array', 'items': {'type': 'string'}, 'x-cog-array-type': 'iterator'}"
