/* Files of the person at the terminal. Main thread only; blocks. */
#include "cli/terminal/save.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_NAME_BYTES 200
#define MAX_SAME_NAMES 10000
#define FALLBACK_NAME "output"

typedef struct
{
  int fd;
  guint64 size;
  const VendSave *save;
  const char *name;
  GError *error;
} Download;

bool
vend_save_target_is_dir (const char *target)
{
  return g_str_has_suffix (target, "/") || g_file_test (target, G_FILE_TEST_IS_DIR);
}

bool
vend_save_check (const VendSave *save, GError **error)
{
  if (save->target == NULL || save->may_overwrite || vend_save_target_is_dir (save->target)
      || !g_file_test (save->target, G_FILE_TEST_EXISTS))
    return true;
  return vend_fail (error, VEND_ERROR_INVALID, "'%s' exists already; overwrite it with -f",
                    save->target);
}

char *
vend_save_plain_name (const char *given)
{
  g_autofree char *name = vend_terminal_one_line (given);

  g_strdelimit (name, "/\\", '_');
  /* No hidden files, and no ".." either. */
  for (char *at = name; *at == '.'; at++)
    *at = '_';
  while (strlen (name) > MAX_NAME_BYTES)
    *g_utf8_prev_char (name + strlen (name)) = '\0';
  return g_strdup (*name != '\0' ? name : FALLBACK_NAME);
}

char *
vend_save_name_of_url (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL);
  g_autofree char *path = g_strdup (uri != NULL ? g_uri_get_path (uri) : "");
  const char *slash = strrchr (path, '/');
  g_autofree char *decoded = g_uri_unescape_string (slash != NULL ? slash + 1 : path, NULL);
  return vend_save_plain_name (decoded != NULL ? decoded : "");
}

/* "out.png", 2 → "out-2.png". */
static char *
numbered (const char *path, guint number)
{
  const char *slash = strrchr (path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr (base, '.');
  int stem = dot != NULL && dot != base ? (int) (dot - path) : (int) strlen (path);
  return g_strdup_printf ("%.*s-%u%s", stem, path, number, path + stem);
}

/* Moves a finished file to its name; EXISTS when that is taken. */
static bool
publish (const char *from, const char *to, bool may_overwrite, GError **error)
{
  guint flags = may_overwrite ? 0 : RENAME_NOREPLACE;
  int result = renameat2 (AT_FDCWD, from, AT_FDCWD, to, flags);
  /* Some file systems cannot look and rename in one step. */
  if (result < 0 && errno == EINVAL && !g_file_test (to, G_FILE_TEST_EXISTS))
    result = rename (from, to);
  else if (result < 0 && errno == EINVAL)
    errno = EEXIST;
  if (result == 0)
    return true;
  return vend_fail_errno (error, errno == EEXIST ? VEND_ERROR_EXISTS : VEND_ERROR_STORAGE, errno,
                          "write '%s'", to);
}

/* `*inout_path` becomes the name that was free when `is_own_name` lets us choose. */
static bool
publish_somewhere (const char *from, bool may_overwrite, bool is_own_name, char **inout_path,
                   GError **error)
{
  g_autofree char *wanted = g_strdup (*inout_path);
  for (guint i = 1; i < MAX_SAME_NAMES; i++)
    {
      g_autoptr (GError) problem = NULL;
      if (publish (from, *inout_path, may_overwrite, &problem))
        return true;
      if (!is_own_name || !g_error_matches (problem, VEND_ERROR, VEND_ERROR_EXISTS))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
      g_free (*inout_path);
      *inout_path = numbered (wanted, i);
    }
  return vend_fail (error, VEND_ERROR_EXISTS, "too many files are named like '%s'", wanted);
}

static bool
on_data (const char *data, gsize size, void *user)
{
  Download *download = user;
  download->size += size;
  if (download->save->progress != NULL && vend_progress_is_due (download->save->progress))
    {
      g_autofree char *shown = g_format_size (download->size);
      vend_progress_show (download->save->progress, "downloading %s  %s", download->name, shown);
    }
  return vend_fd_write_all (download->fd, data, size, &download->error);
}

static bool
download_to (const VendSave *save, VendClient *client, const char *url, const char *name, int fd,
             GError **error)
{
  Download download = { .fd = fd, .save = save, .name = name };
  g_autoptr (GError) problem = NULL;
  bool good = vend_client_download (client, url, on_data, &download, &problem);
  if (save->progress != NULL)
    vend_progress_clear (save->progress);
  if (good)
    return true;
  /* The reason why a write failed says more than that the transfer ended. */
  if (download.error != NULL)
    g_propagate_error (error, download.error);
  else
    g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

bool
vend_save_url (const VendSave *save, VendClient *client, const char *url, guint index, guint total,
               char **out_path, GError **error)
{
  bool is_own_name = save->target == NULL || vend_save_target_is_dir (save->target);
  g_autofree char *name = vend_save_name_of_url (url);
  g_autofree char *path = NULL;

  if (save->target == NULL)
    path = g_strdup (name);
  else if (is_own_name)
    path = g_build_filename (save->target, name, NULL);
  else
    path = total > 1 ? numbered (save->target, index + 1) : g_strdup (save->target);

  g_autofree char *dir = g_path_get_dirname (path);
  if (is_own_name && save->target != NULL && !vend_dir_ensure (dir, error))
    return false;
  g_autofree char *temporary = g_strdup_printf ("%s/.vend-XXXXXX", dir);
  vend_autofd fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0666);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create a file in '%s'", dir);

  bool good = download_to (save, client, url, name, fd, error)
              && publish_somewhere (temporary, save->may_overwrite, is_own_name, &path, error);
  if (!good)
    {
      unlink (temporary);
      return false;
    }
  *out_path = g_steal_pointer (&path);
  return true;
}

static bool
copy_to (const char *from, int to, GError **error)
{
  struct stat st;
  vend_autofd fd = open (from, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &st) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "open '%s'", from);
  return vend_fd_copy (fd, to, (uint64_t) st.st_size, error);
}

bool
vend_save_copy (const VendSave *save, const char *from, char **out_path, GError **error)
{
  g_autofree char *base = g_path_get_basename (from);
  g_autofree char *name = vend_save_plain_name (base);
  g_autofree char *path = g_build_filename (save->target, name, NULL);
  g_autofree char *temporary = g_build_filename (save->target, ".vend-XXXXXX", NULL);
  if (!vend_dir_ensure (save->target, error))
    return false;
  vend_autofd fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0666);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create a file in '%s'",
                            save->target);
  if (!copy_to (from, fd, error)
      || !publish_somewhere (temporary, save->may_overwrite, true, &path, error))
    {
      unlink (temporary);
      return false;
    }
  *out_path = g_steal_pointer (&path);
  return true;
}

bool
vend_save_text (const VendSave *save, const char *text, GError **error)
{
  g_autofree char *path = vend_save_target_is_dir (save->target)
                              ? g_build_filename (save->target, FALLBACK_NAME ".txt", NULL)
                              : g_strdup (save->target);
  g_autofree char *dir = g_path_get_dirname (path);
  if (vend_save_target_is_dir (save->target) && !vend_dir_ensure (dir, error))
    return false;

  int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (save->may_overwrite ? O_TRUNC : O_EXCL);
  vend_autofd fd = open (path, flags, 0666);
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "create '%s'", path);
  return vend_fd_write_all (fd, text, strlen (text), error);
}
