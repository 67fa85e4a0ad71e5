/* What /proc says of a fork. Landlock is not in there. */
#include "sandbox/fork-check.h"
#include "base/error.h"
#include "base/fd.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE ((gsize) 64 * 1024)
#define MAX_EXTRA 2 /* the connection to its launcher, and what ends it with that */
#define STREAMS 3
#define LEAST_FILTERS 2 /* that of the room, and that of models */
#define LEAST_OF_ROOM 1

static bool
refuse (GError **error, const char *what)
{
  return vend_fail (error, VEND_ERROR_RUNNER, "its fork is not locked in: %s", what);
}

static char *
path_of (pid_t process, const char *name)
{
  return g_strdup_printf ("/proc/%d/%s", (int) process, name);
}

static char *
read_of (pid_t process, const char *name)
{
  g_autofree char *path = path_of (process, name);
  char *text = NULL;
  return vend_file_read (path, MAX_FILE, &text, NULL, NULL) ? text : NULL;
}

pid_t
vend_fork_number (int pidfd)
{
  g_autofree char *name = g_strdup_printf ("fdinfo/%d", pidfd);
  g_autofree char *text = read_of (getpid (), name);
  const char *line = text != NULL ? strstr (text, "\nPid:") : NULL;
  const int64_t number = line != NULL ? g_ascii_strtoll (line + strlen ("\nPid:"), NULL, 10) : 0;
  return number > 0 && number < G_MAXINT32 ? (pid_t) number : 0;
}

static bool
is_same_file (const char *one, const char *other)
{
  struct stat a;
  struct stat b;
  return stat (one, &a) == 0 && stat (other, &b) == 0 && a.st_dev == b.st_dev
         && a.st_ino == b.st_ino;
}

static bool
is_same (pid_t process, pid_t other, const char *name)
{
  g_autofree char *one = path_of (process, name);
  g_autofree char *two = path_of (other, name);
  return is_same_file (one, two);
}

/* ---- Namespaces */

static bool
check_place (pid_t process, const VendForkPlace *place, GError **error)
{
  static const char *const names[]
      = { "ns/user", "ns/mnt",    "ns/pid", "ns/pid_for_children", "ns/net", "ns/ipc",
          "ns/uts",  "ns/cgroup", "root" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (!is_same (process, place->first, names[i]))
      {
        g_autofree char *what = g_strdup_printf ("%s is another one", names[i]);
        return refuse (error, what);
      }
  g_autofree char *root = path_of (place->first, "root");
  g_autofree char *folder = g_build_filename (root, place->cwd, NULL);
  g_autofree char *own = path_of (process, "cwd");
  return is_same_file (own, folder) || refuse (error, "cwd is another one");
}

/* ---- Rights */

/* The value of "Name:\t…"; NULL when the kernel does not tell it. */
static char *
field (const char *status, const char *name)
{
  g_autofree char *key = g_strdup_printf ("\n%s:", name);
  const char *at = strstr (status, key);
  if (at == NULL)
    return NULL;
  at += strlen (key);
  return g_strstrip (g_strndup (at, strcspn (at, "\n")));
}

static bool
check_status (pid_t process, const VendForkPlace *place, GError **error)
{
  static const char *const same[] = { "Uid", "Gid", "Groups" };
  static const char *const exact[][2] = { { "CapInh", "0000000000000000" },
                                          { "CapPrm", "0000000000000000" },
                                          { "CapEff", "0000000000000000" },
                                          { "CapBnd", "0000000000000000" },
                                          { "CapAmb", "0000000000000000" },
                                          { "NoNewPrivs", "1" },
                                          { "Seccomp", "2" },
                                          { "Threads", "1" },
                                          { "TracerPid", "0" } };
  g_autofree char *own = read_of (process, "status");
  g_autofree char *theirs = read_of (place->first, "status");
  if (own == NULL || theirs == NULL)
    return refuse (error, "it has ended");
  for (guint i = 0; i < G_N_ELEMENTS (same); i++)
    {
      g_autofree char *one = field (own, same[i]);
      g_autofree char *two = field (theirs, same[i]);
      if (one == NULL || g_strcmp0 (one, two) != 0)
        return refuse (error, same[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (exact); i++)
    {
      g_autofree char *value = field (own, exact[i][0]);
      if (g_strcmp0 (value, exact[i][1]) != 0)
        return refuse (error, exact[i][0]);
    }
  const guint least = place->is_room ? LEAST_OF_ROOM : LEAST_FILTERS;
  g_autofree char *filters = field (own, "Seccomp_filters");
  return filters == NULL || g_ascii_strtoull (filters, NULL, 10) >= least
         || refuse (error, "Seccomp_filters");
}

/* ---- Descriptors */

static bool
check_file (pid_t process, const VendForkPlace *place, const char *name, const char *target)
{
  g_autofree char *root = path_of (place->first, "root");
  g_autofree char *file = g_build_filename (root, target, NULL);
  g_autofree char *fd = g_strconcat ("fd/", name, NULL);
  g_autofree char *own = path_of (process, fd);
  return is_same_file (own, file);
}

static bool
check_descriptor (pid_t process, const VendForkPlace *place, const char *name, guint *n_extra)
{
  g_autofree char *fd = g_strconcat ("fd/", name, NULL);
  g_autofree char *path = path_of (process, fd);
  if (g_ascii_strtoull (name, NULL, 10) < STREAMS)
    return is_same (process, place->launcher, fd);
  g_autofree char *target = g_file_read_link (path, NULL);
  if (target == NULL)
    return false;
  if (*target == '/')
    return check_file (process, place, name, target);
  if (!g_str_has_prefix (target, "socket:") && !g_str_has_prefix (target, "pipe:"))
    return false;
  return is_same (process, place->launcher, fd) || ++*n_extra <= MAX_EXTRA;
}

static bool
check_descriptors (pid_t process, const VendForkPlace *place, GError **error)
{
  g_autofree char *folder = path_of (process, "fd");
  g_autoptr (GDir) listing = g_dir_open (folder, 0, NULL);
  guint n_extra = 0;
  if (listing == NULL)
    return refuse (error, "it has ended");
  for (const char *name; (name = g_dir_read_name (listing)) != NULL;)
    if (!check_descriptor (process, place, name, &n_extra))
      {
        g_autofree char *what = g_strdup_printf ("descriptor %s", name);
        return refuse (error, what);
      }
  return true;
}

bool
vend_fork_check (pid_t process, const VendForkPlace *place, GError **error)
{
  return check_place (process, place, error) && check_status (process, place, error)
         && check_descriptors (process, place, error);
}

bool
vend_fork_check_groups (pid_t process, const VendForkPlace *place, GError **error)
{
  g_autofree char *own = read_of (process, "cgroup");
  g_autofree char *theirs = read_of (place->first, "cgroup");
  return (own != NULL && g_strcmp0 (own, theirs) == 0) || refuse (error, "control groups");
}
