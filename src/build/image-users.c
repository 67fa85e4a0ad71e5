/* Ranges of users, and the maps of user namespaces. */
#include "build/image-users.h"
#include "base/error.h"
#include "base/fd.h"
#include "build/child.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

/* Below the users of models (sandbox/isolation.h), and above those of others. */
#define FIRST_ID ((uid_t) 1800000000)
/* Debian's packages know users up to 65534. */
#define N_IDS 65536U
#define MAX_FILE ((gsize) 1024 * 1024)

typedef struct
{
  const char *file;    /* who may use which numbers */
  const char *program; /* writes the map of those */
  const char *map;
  guint first;
} Range;

struct VendImageUsers
{
  bool are_others;
  Range uids;
  Range gids;
};

/* A line "user:100000:65536", by name or by number. */
static bool
find_range (Range *range, const char *name, GError **error)
{
  g_autofree char *number = g_strdup_printf ("%u", geteuid ());
  g_autofree char *text = NULL;
  if (!vend_file_read (range->file, MAX_FILE, &text, NULL, NULL))
    text = g_strdup ("");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (lines[i], ":", 3);
      guint64 first = 0, count = 0;
      if (g_strv_length (parts) == 3
          && (strcmp (parts[0], name) == 0 || strcmp (parts[0], number) == 0)
          && g_ascii_string_to_unsigned (parts[1], 10, 1, G_MAXUINT32 - N_IDS, &first, NULL)
          && g_ascii_string_to_unsigned (g_strchomp (parts[2]), 10, N_IDS - 1, G_MAXUINT32, &count,
                                         NULL))
        {
          range->first = (guint) first;
          return true;
        }
    }
  return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                    "the user %s has no range of %u numbers in %s (as root: usermod "
                    "--add-subuids 200000-265535 --add-subgids 200000-265535 %s)",
                    name, N_IDS - 1, range->file, name);
}

static bool
find_ranges (VendImageUsers *users, GError **error)
{
  const struct passwd *entry = getpwuid (geteuid ());
  g_autofree char *name = g_strdup (entry != NULL ? entry->pw_name : "of this server");
  g_autofree char *program = g_find_program_in_path (users->uids.program);
  if (program == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                      "%s is not installed (Debian, Ubuntu: apt install uidmap)",
                      users->uids.program);
  return find_range (&users->uids, name, error) && find_range (&users->gids, name, error);
}

bool
vend_image_users_new (VendImageUsers **out, GError **error)
{
  g_autoptr (VendImageUsers) users = g_new0 (VendImageUsers, 1);
  users->uids = (Range){ "/etc/subuid", "newuidmap", "uid_map", FIRST_ID };
  users->gids = (Range){ "/etc/subgid", "newgidmap", "gid_map", FIRST_ID };
  users->are_others = geteuid () == 0;
  if (!users->are_others && !find_ranges (users, error))
    return false;
  *out = g_steal_pointer (&users);
  return true;
}

void
vend_image_users_free (VendImageUsers *users)
{
  g_free (users);
}

bool
vend_image_users_are_others (const VendImageUsers *users)
{
  return users->are_others;
}

uid_t
vend_image_users_root (const VendImageUsers *users)
{
  return users->are_others ? FIRST_ID : geteuid ();
}

bool
vend_image_users_give (const VendImageUsers *users, const char *path, GError **error)
{
  return !users->are_others || lchown (path, FIRST_ID, FIRST_ID) == 0
         || vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "give '%s' to another user", path);
}

/* ---- Maps */

static bool
write_map (const Range *range, pid_t first, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", (int) first, range->map);
  g_autofree char *text = g_strdup_printf ("0 %u %u", range->first, N_IDS);
  vend_autofd fd = open (path, O_WRONLY | O_CLOEXEC);
  return (fd >= 0 && write (fd, text, strlen (text)) == (ssize_t) strlen (text))
         || vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, errno, "give users to a sandbox");
}

static bool
ask_for_map (const Range *range, pid_t first, guint own, GError **error)
{
  g_autofree char *pid = g_strdup_printf ("%d", (int) first);
  g_autofree char *self = g_strdup_printf ("%u", own);
  g_autofree char *others = g_strdup_printf ("%u", range->first);
  g_autofree char *count = g_strdup_printf ("%u", N_IDS - 1);
  const char *const argv[] = { range->program, pid, "0", self, "1", "1", others, count, NULL };
  g_auto (GStrv) env = g_get_environ ();
  const VendChildOptions options = { .argv = argv, .env = (const char *const *) env, .cwd = "/" };
  return vend_child_run (&options, range->program, NULL, error);
}

bool
vend_image_users_map (const VendImageUsers *users, pid_t first, GError **error)
{
  if (users->are_others)
    return write_map (&users->gids, first, error) && write_map (&users->uids, first, error);
  return ask_for_map (&users->gids, first, getegid (), error)
         && ask_for_map (&users->uids, first, geteuid (), error);
}
