/* Lines of /etc/passwd and /etc/group. */
#include "image/users.h"
#include "base/error.h"
#include "base/fd.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_TABLE ((gsize) 1024 * 1024)
#define MAX_NUMBER G_GUINT64_CONSTANT (2000000000)

/* "" where there is none. */
static char *
read_table (const VendRoot *root, const char *path)
{
  struct stat st;
  char *text = NULL;
  vend_autofd fd = vend_root_open (root, path, O_RDONLY);
  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode)
      || !vend_fd_read_all (fd, path, MAX_TABLE, &text, NULL, NULL))
    return g_strdup ("");
  return text;
}

/* The line whose field `at` is `word`; NULL without one. Free with g_strfreev. */
static char **
find_line (const char *table, guint at, const char *word)
{
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) fields = g_strsplit (lines[i], ":", -1);
      if (g_strv_length (fields) > MAX (at, 2) && strcmp (fields[at], word) == 0)
        return g_steal_pointer (&fields);
    }
  return NULL;
}

static bool
parse_number (const char *word, guint *out)
{
  guint64 number = 0;
  if (!g_ascii_string_to_unsigned (word, 10, 0, MAX_NUMBER, &number, NULL))
    return false;
  *out = (guint) number;
  return true;
}

static bool
find_group (const VendRoot *root, const char *word, gid_t *out, GError **error)
{
  g_autofree char *table = read_table (root, "etc/group");
  g_auto (GStrv) line = find_line (table, 0, word);
  return parse_number (line != NULL ? line[2] : word, out)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "config.User: the image's /etc/group has no group '%.100s'", word);
}

bool
vend_image_user_find (const VendRoot *root, const char *text, VendImageUser *out, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ":", 2);
  const char *name = words[0] != NULL && *words[0] != '\0' ? words[0] : "0";
  g_autofree char *table = read_table (root, "etc/passwd");
  g_auto (GStrv) line = find_line (table, 0, name);
  if (line == NULL)
    line = find_line (table, 2, name);
  *out = (VendImageUser){ 0 };
  if (!parse_number (line != NULL ? line[2] : name, &out->uid))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "config.User: the image's /etc/passwd has no user '%.100s'", name);
  const bool has_group = words[0] != NULL && words[1] != NULL && *words[1] != '\0';
  if (has_group && !find_group (root, words[1], &out->gid, error))
    return false;
  if (!has_group && line != NULL && g_strv_length (line) > 3 && !parse_number (line[3], &out->gid))
    out->gid = 0;
  const char *home = line != NULL && g_strv_length (line) > 5 ? line[5] : "";
  out->home = g_strdup (g_path_is_absolute (home) ? home : out->uid == 0 ? "/root" : "/");
  return true;
}
