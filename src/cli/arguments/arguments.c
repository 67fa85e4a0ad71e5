/* Arguments and members that several commands read. Main thread only. */
#include "cli/arguments/arguments.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/id.h"
#include "model/model.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>

#define VERSION_LENGTH 64
#define LEAST_PREFIX 8 /* shorter ones would soon be those of several versions */

bool
vend_argument_id_check (const char *what, const char *text, GError **error)
{
  gsize length = strlen (text);
  if (length == VEND_ID_LENGTH && strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789") == length)
    return true;
  return vend_fail (error, VEND_ERROR_INVALID,
                    "'%.200s' is not the id of a %s; expected %d lower-case letters and digits",
                    text, what, VEND_ID_LENGTH);
}

bool
vend_argument_version_check (const char *text, GError **error)
{
  return vend_is_sha256_hex (text)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "'%.200s' is not a version id; expected 64 characters of 0-9 and a-f", text);
}

bool
vend_argument_version_prefix_check (const char *text, GError **error)
{
  const gsize length = strlen (text);
  return (length >= LEAST_PREFIX && length <= VERSION_LENGTH
          && strspn (text, "0123456789abcdef") == length)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "'%.200s' is not a version id; expected 64 characters of 0-9 and a-f, or "
                       "at least the first %d of them",
                       text, LEAST_PREFIX);
}

bool
vend_argument_file_check (const char *path, GError **error)
{
  GStatBuf info;
  if (g_access (path, R_OK) < 0 || g_stat (path, &info) < 0)
    return vend_fail_errno (error, VEND_ERROR_INVALID, errno, "cannot read '%s'", path);
  return !S_ISDIR (info.st_mode)
         || vend_fail_errno (error, VEND_ERROR_INVALID, EISDIR, "cannot read '%s'", path);
}

bool
vend_argument_is_said (double value)
{
  return value != VEND_ARGUMENT_NOT_SAID;
}

bool
vend_argument_range_check (const char *name, double value, double least, double greatest,
                           GError **error)
{
  return (isfinite (value) && value >= least && value <= greatest)
         || vend_fail (error, VEND_ERROR_INVALID, "--%s: expected %.15g to %.15g", name, least,
                       greatest);
}

void
vend_argument_add_query (GString *path, const char *name, const char *value)
{
  g_autofree char *escaped = g_uri_escape_string (value, NULL, FALSE);
  g_string_append_printf (path, "%c%s=%s", strchr (path->str, '?') == NULL ? '?' : '&', name,
                          escaped);
}

bool
vend_argument_model_path (const char *text, char **out, GError **error)
{
  g_autofree char *owner = NULL, *name = NULL, *version = NULL;
  if (!vend_reference_parse (text, &owner, &name, &version, error))
    return false;
  if (version != NULL)
    return vend_fail (error, VEND_ERROR_INVALID, "'%.200s': expected owner/name without a version",
                      text);
  *out = g_strdup_printf ("/v1/models/%s/%s", owner, name);
  return true;
}

const char *
vend_argument_shown (const json_t *object, const char *key)
{
  const char *text = vend_json_string (object, key);
  return text != NULL ? text : "";
}

char *
vend_argument_local_time (const json_t *object, const char *key)
{
  int64_t time_us = 0;
  g_autoptr (GError) error = NULL;
  if (!vend_time_parse (vend_argument_shown (object, key), &time_us, &error))
    return g_strdup ("");
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (time_us / VEND_US_PER_S);
  g_autofree char *text = g_date_time_format (time, "%Y-%m-%d %H:%M:%S");
  return g_strdup_printf ("%s.%03d", text, (int) (time_us / VEND_US_PER_MS % 1000));
}

char *
vend_argument_shown_time (const json_t *object, const char *key)
{
  const char *text = vend_argument_shown (object, key);
  if (strlen (text) < strlen ("2026-01-05T10:00:00"))
    return g_strdup (text);
  return g_strdup_printf ("%.10s %.8s", text, text + strlen ("2026-01-05T"));
}
