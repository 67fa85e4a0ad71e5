/* A /tmp of its own for the model server. Partly runs between fork and exec. */
#include "director/private-tmp.h"
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
under_tmp (const char *path)
{
  return g_str_has_prefix (path, "/tmp/") || strcmp (path, "/tmp") == 0;
}

static bool
value_names_tmp (const char *value)
{
  g_auto (GStrv) parts = g_strsplit (value, ":", -1);
  for (gsize i = 0; parts[i] != NULL; i++)
    if (under_tmp (parts[i]))
      return true;
  return false;
}

static bool
names_tmp (const char *dir, const char *cwd, char *const *argv, char *const *env)
{
  if (under_tmp (dir) || under_tmp (cwd))
    return true;
  for (gsize i = 0; argv[i] != NULL; i++)
    if (under_tmp (argv[i]))
      return true;
  for (gsize i = 0; env[i] != NULL; i++)
    {
      const char *equals = strchr (env[i], '=');
      if (equals != NULL && !g_str_has_prefix (env[i], "TMPDIR=") && value_names_tmp (equals + 1))
        return true;
    }
  return false;
}

static bool
write_text (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  const ssize_t size = (ssize_t) strlen (text);
  const bool written = write (fd, text, (size_t) size) == size;
  close (fd);
  return written;
}

bool
vend_private_tmp_enter (const VendPrivateTmp *tmp)
{
  if (tmp->user_spaces
      && (unshare (CLONE_NEWUSER | CLONE_NEWNS) < 0 || !write_text ("/proc/self/setgroups", "deny")
          || !write_text ("/proc/self/uid_map", tmp->uid_map)
          || !write_text ("/proc/self/gid_map", tmp->gid_map)))
    return false;
  if (!tmp->user_spaces && unshare (CLONE_NEWNS) < 0)
    return false;
  return mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && mount (tmp->source, "/tmp", NULL, MS_BIND, NULL) == 0;
}

static bool
works (const VendPrivateTmp *tmp)
{
  const pid_t child = fork ();
  if (child == 0)
    _exit (vend_private_tmp_enter (tmp) ? 0 : 1);
  int status = 1;
  return child > 0 && waitpid (child, &status, 0) == child && status == 0;
}

void
vend_private_tmp_plan (VendPrivateTmp *tmp, const char *dir, const char *cwd, char *const *argv,
                       char *const *env)
{
  memset (tmp, 0, sizeof *tmp);
  tmp->source = g_build_filename (dir, "tmp", NULL);
  g_snprintf (tmp->uid_map, sizeof tmp->uid_map, "%u %u 1\n", getuid (), getuid ());
  g_snprintf (tmp->gid_map, sizeof tmp->gid_map, "%u %u 1\n", getgid (), getgid ());
  if (names_tmp (dir, cwd, argv, env))
    {
      tmp->reason = "a path of the model lies under /tmp";
      return;
    }
  tmp->mount = works (tmp);
  if (!tmp->mount)
    {
      tmp->user_spaces = true;
      tmp->mount = works (tmp);
    }
  if (!tmp->mount)
    tmp->reason = "mount namespaces are not permitted";
}

void
vend_private_tmp_clear (VendPrivateTmp *tmp)
{
  g_clear_pointer (&tmp->source, g_free);
}
