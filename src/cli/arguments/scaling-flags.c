/* Options of commands that set how instances come and go. Main thread only. */
#include "cli/arguments/scaling-flags.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/settings.h"
#include "model/scaling.h"
#include <string.h>

#define RESET "default"

/* "idle_timeout" as "idle-timeout", "min_instances" as "min". */
static const char *
option_of (const VendScalingInfo *info)
{
  g_autofree char *name = g_strdelimit (g_strdup (info->name), "_", '-');
  if (g_str_has_suffix (name, "-instances"))
    name[strlen (name) - strlen ("-instances")] = '\0';
  return g_intern_string (name);
}

void
vend_scaling_flags_init (VendScalingFlags *flags, bool with_bounds)
{
  static const char *const values[] = { [VEND_SCALING_COUNT] = "N",
                                        [VEND_SCALING_SECONDS] = "DURATION",
                                        [VEND_SCALING_SWITCH] = "on|off",
                                        [VEND_SCALING_CHOICE] = "KIND" };
  gsize n = 0, n_entries = 0;
  const VendScalingInfo *infos = vend_scaling_infos (&n);
  g_assert (n <= VEND_SCALING_FLAGS_MAX);
  *flags = (VendScalingFlags){ 0 };
  for (gsize i = 0; i < n; i++)
    if (with_bounds || !g_str_has_suffix (infos[i].name, "_instances"))
      flags->entries[n_entries++] = (GOptionEntry){ .long_name = option_of (&infos[i]),
                                                    .arg = G_OPTION_ARG_STRING,
                                                    .arg_data = &flags->texts[i],
                                                    .description = infos[i].help,
                                                    .arg_description = values[infos[i].type] };
}

void
vend_scaling_flags_clear (VendScalingFlags *flags)
{
  for (guint i = 0; i < VEND_SCALING_FLAGS_MAX; i++)
    g_clear_pointer (&flags->texts[i], g_free);
}

static bool
parse_word (const VendScalingInfo *info, const char *text, json_t **out, GError **error)
{
  if (g_strv_contains (info->words, text))
    {
      *out = json_string (text);
      return true;
    }
  g_autofree char *words = g_strjoinv (", ", (char **) info->words);
  return vend_fail (error, VEND_ERROR_INVALID, "'%s' is none of %s", text, words);
}

static bool
parse (const VendScalingInfo *info, const char *text, json_t **out, GError **error)
{
  int64_t value = 0;
  g_autoptr (GError) problem = NULL;
  switch (info->type)
    {
    case VEND_SCALING_SWITCH:
      if (!vend_bool_parse (text, &value, error))
        return false;
      *out = json_boolean (value != 0);
      return true;
    case VEND_SCALING_CHOICE:
      return parse_word (info, text, out, error);
    case VEND_SCALING_SECONDS:
      if (!vend_duration_parse (text, &value, error))
        return false;
      *out = json_real ((double) value / VEND_US_PER_S);
      break;
    case VEND_SCALING_COUNT:
      if (!g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &value, &problem))
        return vend_fail (error, VEND_ERROR_INVALID, "'%s' is not a number", text);
      *out = json_integer (value);
      break;
    }
  if (value >= info->least && value <= info->greatest)
    return true;
  json_decref (g_steal_pointer (out));
  const int64_t unit = info->type == VEND_SCALING_SECONDS ? VEND_US_PER_S : 1;
  return vend_fail (error, VEND_ERROR_INVALID,
                    "expected %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "%s, got %s",
                    info->least / unit, info->greatest / unit, unit > 1 ? " s" : "", text);
}

bool
vend_scaling_flags_read (const VendScalingFlags *flags, json_t *body, GError **error)
{
  gsize n = 0;
  const VendScalingInfo *infos = vend_scaling_infos (&n);
  for (gsize i = 0; i < n; i++)
    {
      json_t *value = NULL;
      if (flags->texts[i] == NULL)
        continue;
      if (strcmp (flags->texts[i], RESET) == 0)
        value = json_null ();
      else if (!parse (&infos[i], flags->texts[i], &value, error))
        {
          g_prefix_error (error, "--%s: ", option_of (&infos[i]));
          return false;
        }
      json_object_set_new (body, infos[i].name, value);
    }
  return true;
}

char *
vend_scaling_shown (const json_t *object, guint member, const char *otherwise)
{
  gsize n = 0;
  const VendScalingInfo *info = &vend_scaling_infos (&n)[member];
  const json_t *value = json_object_get (object, info->name);
  if (json_is_boolean (value))
    return g_strdup (json_is_true (value) ? "on" : "off");
  if (json_is_string (value))
    return g_strdup (json_string_value (value));
  if (json_is_integer (value))
    return g_strdup_printf ("%" G_GINT64_FORMAT "%s", (gint64) json_integer_value (value),
                            info->type == VEND_SCALING_SECONDS ? "s" : "");
  if (json_is_real (value))
    return g_strdup_printf ("%gs", json_real_value (value));
  return g_strdup (otherwise);
}
