/* Names of kinds of hardware, from the setting `hardware`. Plain values. */
#include "model/hardware.h"
#include "base/error.h"
#include <string.h>

#define MAX_KINDS 100
#define MAX_SKU 64
#define MAX_NAME 200

static bool
is_sku (const char *text)
{
  gsize size = strlen (text);
  if (size == 0 || size > MAX_SKU || !g_ascii_isalnum (*text))
    return false;
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_islower (*c) && !g_ascii_isdigit (*c) && strchr ("-_.", *c) == NULL)
      return false;
  return true;
}

static bool
add (json_t *list, const char *entry, GError **error)
{
  g_auto (GStrv) halves = g_strsplit (entry, "=", 2);
  const char *sku = halves[0] != NULL ? g_strstrip (halves[0]) : "";
  const char *name = *sku != '\0' && halves[1] != NULL ? g_strstrip (halves[1]) : sku;
  if (!is_sku (sku))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "hardware: '%.100s' is no SKU; expected a-z, 0-9, '-', '_' and '.'", sku);
  if (*name == '\0' || strlen (name) > MAX_NAME || !g_utf8_validate (name, -1, NULL))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "hardware: the name of '%s' is not of 1 to %d bytes", sku, MAX_NAME);
  if (vend_hardware_has (list, sku))
    return vend_fail (error, VEND_ERROR_INVALID, "hardware: '%s' is set twice", sku);
  json_array_append_new (list, json_pack ("{s:s, s:s}", "sku", sku, "name", name));
  return true;
}

bool
vend_hardware_parse (const char *text, json_t **out, GError **error)
{
  json_auto_t *list = json_array ();
  g_auto (GStrv) entries = g_strsplit (text, ",", MAX_KINDS + 1);
  if (g_strv_length (entries) > MAX_KINDS)
    return vend_fail (error, VEND_ERROR_INVALID, "hardware: more than %d kinds", MAX_KINDS);
  for (guint i = 0; entries[i] != NULL; i++)
    if (!add (list, entries[i], error))
      return false;
  if (json_array_size (list) == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "hardware: expected at least one SKU");
  *out = json_incref (list);
  return true;
}

bool
vend_hardware_has (const json_t *list, const char *sku)
{
  size_t i;
  json_t *kind;
  json_array_foreach ((json_t *) list, i, kind)
    if (g_strcmp0 (vend_json_string (kind, "sku"), sku) == 0)
      return true;
  return false;
}

char *
vend_hardware_skus (const json_t *list)
{
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *kind;
  json_array_foreach ((json_t *) list, i, kind)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", vend_json_string (kind, "sku"));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Settings with a value for each kind */

static bool
read_value (const char *setting, const char *entry, const json_t *list, GHashTable *seen,
            VendHardwareRead read, void *data, GError **error)
{
  g_auto (GStrv) halves = g_strsplit (entry, "=", 2);
  const bool is_common = halves[0] == NULL || halves[1] == NULL;
  const char *sku = is_common ? NULL : g_strstrip (halves[0]);
  const char *value
      = is_common ? (halves[0] != NULL ? g_strstrip (halves[0]) : "") : g_strstrip (halves[1]);
  if (sku != NULL && !vend_hardware_has (list, sku))
    {
      g_autofree char *skus = vend_hardware_skus (list);
      return vend_fail (error, VEND_ERROR_INVALID,
                        "%s: unknown hardware '%.100s'; expected one of %s", setting, sku, skus);
    }
  if (!g_hash_table_add (seen, g_strdup (sku != NULL ? sku : "")))
    return vend_fail (error, VEND_ERROR_INVALID, "%s: '%.100s' is set twice", setting,
                      sku != NULL ? sku : value);
  return read (sku, value, data, error);
}

bool
vend_hardware_values (const char *setting, const char *text, const json_t *list,
                      VendHardwareRead read, void *data, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) entries = g_strsplit (text, ",", MAX_KINDS + 2);
  if (g_strv_length (entries) > MAX_KINDS + 1)
    return vend_fail (error, VEND_ERROR_INVALID, "%s: more than %d values", setting, MAX_KINDS + 1);
  for (guint i = 0; entries[i] != NULL; i++)
    if (!read_value (setting, entries[i], list, seen, read, data, error))
      return false;
  return true;
}
