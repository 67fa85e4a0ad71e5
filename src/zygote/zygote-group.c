/* The control groups of zygotes. */
#include "zygote/zygote-group.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "model/sku.h"
#include <string.h>
#include <unistd.h>

#define SUFFIX ".groups"
#define MAX_RECORD ((gsize) 64 << 10)
#define PATIENCE_MS 2000

static char *
record_file (const char *dir, const char *key)
{
  g_autofree char *name = g_strconcat (key, SUFFIX, NULL);
  return g_build_filename (dir, name, NULL);
}

bool
vend_zygote_group_make (const VendCgroups *bases, const char *dir, const char *key, uint64_t memory,
                        VendCgroup **out, GError **error)
{
  const VendCgroupLimits limits = { .memory = memory, .processes = VEND_PROCESSES_DEFAULT };
  if (!vend_cgroups_have (bases, VEND_CGROUP_MEMORY)
      && !vend_cgroups_have (bases, VEND_CGROUP_PIDS))
    {
      *out = NULL;
      return true;
    }
  json_auto_t *record = vend_cgroups_to_json (bases);
  g_autofree char *text = vend_json_text (record);
  g_autofree char *path = record_file (dir, key);
  if (!vend_file_replace (path, text, strlen (text), 0600, error))
    return false;
  if (vend_cgroup_make (bases, key, &limits, out, error))
    return true;
  unlink (path);
  return false;
}

void
vend_zygote_group_remove (const char *dir, const char *key)
{
  g_autofree char *path = record_file (dir, key);
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *record = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_file_read (path, MAX_RECORD, &text, &size, NULL))
    return;
  /* Where one that cannot be read is from, nobody knows. */
  if (vend_json_parse (text, size, &record, NULL))
    {
      g_autoptr (VendCgroups) bases = vend_cgroups_from_json (record);
      if (!vend_cgroup_remove (bases, key, PATIENCE_MS, &error))
        {
          vend_log (VEND_LOG_WARN, "a control group stays", "error", error->message, NULL);
          return;
        }
    }
  unlink (path);
}

void
vend_zygote_groups_sweep (const char *dir)
{
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    if (g_str_has_suffix (name, SUFFIX))
      {
        g_autofree char *key = g_strndup (name, strlen (name) - strlen (SUFFIX));
        vend_zygote_group_remove (dir, key);
      }
}
