/* Settings: default, file, environment, flag, checked against one table. */
#include "base/settings.h"
#include "base/settings-table.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/shown-url.h"
#include <math.h>
#include <string.h>

#define MAX_SETTINGS_FILE (1024 * 1024)
#define N_SETTINGS G_N_ELEMENTS (setting_infos)

typedef struct
{
  char *text;
  char *shown; /* of a URL */
  const char *source;
  int64_t number; /* parsed form of all types but TEXT */
} Value;

struct VendSettings
{
  Value values[N_SETTINGS];
};

static void
clear_value (Value *value)
{
  g_free (value->text);
  g_free (value->shown);
}

const VendSettingInfo *
vend_setting_infos (gsize *out_count)
{
  *out_count = N_SETTINGS;
  return setting_infos;
}

static gssize
find (const char *name)
{
  for (gsize i = 0; i < N_SETTINGS; i++)
    if (strcmp (setting_infos[i].name, name) == 0)
      return (gssize) i;
  return -1;
}

/* One number followed by one unit; moves `*text` behind both. */
static bool
take_quantity (const char **text, double *out_number, char *out_unit)
{
  char *end = NULL;
  if (!g_ascii_isdigit (**text) && **text != '.')
    return false;
  *out_number = g_ascii_strtod (*text, &end);
  /* Decimal digits only: strtod accepts 0x1d and 1e5 too. */
  if (end != *text + strspn (*text, "0123456789.") || !isfinite (*out_number))
    return false;
  *out_unit = *end;
  *text = *end != '\0' ? end + 1 : end;
  return true;
}

bool
vend_duration_parse (const char *text, int64_t *out_us, GError **error)
{
  const char *rest = text;
  double total = 0, number;
  char unit;
  bool good = *text != '\0';

  while (good && *rest != '\0')
    {
      good = take_quantity (&rest, &number, &unit);
      if (good && unit == 'm' && *rest == 's')
        {
          rest++;
          total += number / 1000;
          continue;
        }
      switch (good ? unit : '?')
        {
        case '\0':
        case 's':
          total += number;
          break;
        case 'm':
          total += number * 60;
          break;
        case 'h':
          total += number * 3600;
          break;
        case 'd':
          total += number * 86400;
          break;
        default:
          good = false;
        }
    }
  if (!good || total > (double) (G_MAXINT64 / VEND_US_PER_S / 2))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "'%s' is not a duration such as 45, 45s, 2m or 1h5m10s", text);
  *out_us = (int64_t) llround (total * (double) VEND_US_PER_S);
  return true;
}

bool
vend_size_parse (const char *text, uint64_t *out_bytes, GError **error)
{
  const char *rest = text;
  double number = 0;
  char unit = '?';
  bool good = take_quantity (&rest, &number, &unit)
              && (*rest == '\0' || strcmp (rest, "B") == 0 || strcmp (rest, "iB") == 0);
  const char *units = "KMGT";
  const char *at = unit != '\0' && good ? strchr (units, g_ascii_toupper (unit)) : NULL;

  if (unit != '\0')
    good = good && at != NULL;
  if (good && at != NULL)
    number *= exp2 (10.0 * (double) (at - units + 1));
  if (!good || number > (double) (G_MAXINT64 / 2))
    return vend_fail (error, VEND_ERROR_INVALID, "'%s' is not a size such as 4096, 512K or 2G",
                      text);
  *out_bytes = (uint64_t) number;
  return true;
}

bool
vend_bool_parse (const char *text, int64_t *out, GError **error)
{
  static const char *const yes[] = { "true", "yes", "on", "1", NULL };
  static const char *const no[] = { "false", "no", "off", "0", NULL };
  if (g_strv_contains (yes, text) || g_strv_contains (no, text))
    {
      *out = g_strv_contains (yes, text);
      return true;
    }
  return vend_fail (error, VEND_ERROR_INVALID, "'%s' is not true or false", text);
}

static bool
parse_number (const VendSettingInfo *info, const char *text, int64_t *out, GError **error)
{
  uint64_t bytes = 0;
  switch (info->type)
    {
    case VEND_SETTING_TEXT:
    case VEND_SETTING_URL:
      return true;
    case VEND_SETTING_BOOL:
      return vend_bool_parse (text, out, error);
    case VEND_SETTING_SECONDS:
      return vend_duration_parse (text, out, error);
    case VEND_SETTING_BYTES:
      if (!vend_size_parse (text, &bytes, error))
        return false;
      *out = (int64_t) bytes;
      return true;
    case VEND_SETTING_INT:
      return g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, out, NULL)
             || vend_fail (error, VEND_ERROR_INVALID, "'%s' is not a whole number", text);
    }
  g_assert_not_reached ();
}

/* "0.1", "1024" and so on: a bound in the notation of the setting, without an exponent. */
static char *
bound_text (const VendSettingInfo *info, int64_t bound)
{
  if (info->type != VEND_SETTING_SECONDS)
    return g_strdup_printf ("%" G_GINT64_FORMAT, bound);
  char *text = g_strdup_printf ("%" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT, bound / VEND_US_PER_S,
                                bound % VEND_US_PER_S);
  gsize length = strlen (text);
  while (text[length - 1] == '0')
    text[--length] = '\0';
  if (text[length - 1] == '.')
    text[length - 1] = '\0';
  return text;
}

static bool
check_range (const VendSettingInfo *info, const char *value, int64_t number, GError **error)
{
  if (info->greatest == 0 || (number >= info->least && number <= info->greatest))
    return true;
  g_autofree char *least = bound_text (info, info->least);
  g_autofree char *greatest = bound_text (info, info->greatest);
  return vend_fail (error, VEND_ERROR_INVALID, "setting '%s': expected %s to %s%s, got '%s'",
                    info->name, least, greatest,
                    info->type == VEND_SETTING_SECONDS ? " seconds" : "", value);
}

bool
vend_settings_set (VendSettings *settings, const char *name, const char *value, const char *source,
                   GError **error)
{
  gssize i = find (name);
  if (i < 0)
    return vend_fail (error, VEND_ERROR_INVALID, "unknown setting '%s'; see 'vend config'", name);

  int64_t number = 0;
  if (!parse_number (&setting_infos[i], value, &number, error))
    {
      g_prefix_error (error, "setting '%s': ", name);
      return false;
    }
  if (!check_range (&setting_infos[i], value, number, error))
    return false;
  clear_value (&settings->values[i]);
  const bool is_url = setting_infos[i].type == VEND_SETTING_URL;
  settings->values[i]
      = (Value){ g_strdup (value), is_url ? vend_shown_url (value) : NULL, source, number };
  return true;
}

static bool
load_file (VendSettings *settings, const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) problem = NULL;
  if (!vend_file_read (path, MAX_SETTINGS_FILE, &text, NULL, &problem))
    {
      if (g_error_matches (problem, VEND_ERROR, VEND_ERROR_NOT_FOUND))
        return true;
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }

  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = g_strstrip (lines[i]);
      if (*line == '\0' || *line == '#')
        continue;
      g_auto (GStrv) pair = g_strsplit (line, "=", 2);
      if (pair[1] == NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "%s:%u: expected 'name = value'", path, i + 1);
      if (!vend_settings_set (settings, g_strstrip (pair[0]), g_strstrip (pair[1]), "file", error))
        {
          g_prefix_error (error, "%s:%u: ", path, i + 1);
          return false;
        }
    }
  return true;
}

static bool
load_environment (VendSettings *settings, GError **error)
{
  for (gsize i = 0; i < N_SETTINGS; i++)
    {
      g_autofree char *upper = g_ascii_strup (setting_infos[i].name, -1);
      g_autofree char *name = g_strconcat ("VEND_", g_strdelimit (upper, "-", '_'), NULL);
      const char *value = g_getenv (name);
      if (value == NULL)
        continue;
      if (!vend_settings_set (settings, setting_infos[i].name, value, "environment", error))
        {
          g_prefix_error (error, "%s: ", name);
          return false;
        }
    }
  return true;
}

bool
vend_settings_load (const char *file, VendSettings **out, GError **error)
{
  g_autoptr (VendSettings) settings = g_new0 (VendSettings, 1);
  for (gsize i = 0; i < N_SETTINGS; i++)
    if (!vend_settings_set (settings, setting_infos[i].name, setting_infos[i].fallback, "default",
                            error))
      return false;
  if (file != NULL && !load_file (settings, file, error))
    return false;
  if (!load_environment (settings, error))
    return false;
  *out = g_steal_pointer (&settings);
  return true;
}

void
vend_settings_free (VendSettings *settings)
{
  if (settings == NULL)
    return;
  for (gsize i = 0; i < N_SETTINGS; i++)
    clear_value (&settings->values[i]);
  g_free (settings);
}

static const Value *
get (const VendSettings *settings, const char *name, VendSettingType type)
{
  gssize i = find (name);
  g_assert (i >= 0 && setting_infos[i].type == type);
  return &settings->values[i];
}

const char *
vend_settings_url (const VendSettings *settings, const char *name)
{
  return get (settings, name, VEND_SETTING_URL)->text;
}

const char *
vend_settings_text (const VendSettings *settings, const char *name)
{
  return get (settings, name, VEND_SETTING_TEXT)->text;
}

int64_t
vend_settings_int (const VendSettings *settings, const char *name)
{
  return get (settings, name, VEND_SETTING_INT)->number;
}

bool
vend_settings_bool (const VendSettings *settings, const char *name)
{
  return get (settings, name, VEND_SETTING_BOOL)->number != 0;
}

int64_t
vend_settings_us (const VendSettings *settings, const char *name)
{
  return get (settings, name, VEND_SETTING_SECONDS)->number;
}

uint64_t
vend_settings_bytes (const VendSettings *settings, const char *name)
{
  return (uint64_t) get (settings, name, VEND_SETTING_BYTES)->number;
}

const char *
vend_settings_raw (const VendSettings *settings, const char *name, const char **out_source)
{
  gssize i = find (name);
  g_assert (i >= 0);
  if (out_source != NULL)
    *out_source = settings->values[i].source;
  const Value *value = &settings->values[i];
  return value->shown != NULL ? value->shown : value->text;
}
