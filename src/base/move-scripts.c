/* Scripts of environments that lie elsewhere now. */
#include "base/move-scripts.h"
#include "base/fd.h"
#include <string.h>
#include <sys/stat.h>

#define MAX_SCRIPT ((gsize) 1 << 20)

static char *
replace_all (const char *text, const char *old, const char *new)
{
  g_auto (GStrv) parts = g_strsplit (text, old, -1);
  return g_strjoinv (new, parts);
}

static bool
move_script (const char *path, const char *old, const char *new, GError **error)
{
  struct stat st;
  g_autofree char *text = NULL;
  gsize size = 0;
  if (lstat (path, &st) < 0 || !S_ISREG (st.st_mode) || (gsize) st.st_size > MAX_SCRIPT)
    return true;
  if (!vend_file_read (path, MAX_SCRIPT, &text, &size, error))
    return false;
  if (strlen (text) != size || strstr (text, old) == NULL)
    return true;
  g_autofree char *moved = replace_all (text, old, new);
  return vend_file_replace (path, moved, strlen (moved), st.st_mode & 0777, error);
}

bool
vend_scripts_move (const char *bin, const char *old, const char *new, GError **error)
{
  g_autoptr (GDir) listing = g_dir_open (bin, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *path = g_build_filename (bin, name, NULL);
      if (!move_script (path, old, new, error))
        return false;
    }
  return true;
}
