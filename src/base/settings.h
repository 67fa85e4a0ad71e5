/* Settings: one table of name, type, default and help for the config file, the environment, the
 * flags and `vend config`. Later sources win: default, file, environment, flag. A setting
 * `idle-timeout` is `idle-timeout = 300` in the file, VEND_IDLE_TIMEOUT in the environment and
 * --idle-timeout on the command line. Read-only after start, so any thread may read. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef enum
{
  VEND_SETTING_TEXT,
  VEND_SETTING_INT,
  VEND_SETTING_BOOL,
  VEND_SETTING_SECONDS, /* a duration: 90, 90s, 5m, 1h30m, 0.5s */
  VEND_SETTING_BYTES,   /* a size: 1048576, 512K, 100M, 2G (powers of 1024) */
  VEND_SETTING_URL,     /* a text that may hold a password, which is not shown */
} VendSettingType;

typedef struct
{
  const char *name;
  VendSettingType type;
  const char *fallback;
  int64_t least; /* for numbers, in the type's unit; both 0 = unbounded */
  int64_t greatest;
  const char *help;
} VendSettingInfo;

typedef struct VendSettings VendSettings;

/* The table, for help texts and `vend config`. */
const VendSettingInfo *vend_setting_infos (gsize *out_count);

/* Reads `file` (may be NULL or absent), then the environment. */
bool vend_settings_load (const char *file, VendSettings **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_settings_free (VendSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendSettings, vend_settings_free)

/* Sets a setting by name, from a flag. INVALID, naming the setting, for unknown names and bad
 * values. */
bool vend_settings_set (VendSettings *settings, const char *name, const char *value,
                        const char *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Typed reads; abort for a name outside of the table and for a wrong type. */
const char *vend_settings_text (const VendSettings *settings, const char *name);
const char *vend_settings_url (const VendSettings *settings, const char *name);
int64_t vend_settings_int (const VendSettings *settings, const char *name);
bool vend_settings_bool (const VendSettings *settings, const char *name);
int64_t vend_settings_us (const VendSettings *settings, const char *name);
uint64_t vend_settings_bytes (const VendSettings *settings, const char *name);

/* The value as written, with *** for a password, and its source ("default", "file", "environment",
 * "flag"). */
const char *vend_settings_raw (const VendSettings *settings, const char *name,
                               const char **out_source);

/* Parsers for the same notation in headers and flags. */
bool vend_duration_parse (const char *text, int64_t *out_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* true, yes, on, 1, false, no, off, 0. */
bool vend_bool_parse (const char *text, int64_t *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_size_parse (const char *text, uint64_t *out_bytes, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
