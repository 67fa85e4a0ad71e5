/* bubblewrap around the builder of images, and the users that are in it. */
#include "build/image-room.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/idmap.h"
#include "build/image-users.h"
#include "json/json.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define BWRAP "bwrap"
#define STAGE "/tmp" /* of the child alone, while bubblewrap starts */
#define MAX_SHOWN 4
#define MAX_INFO ((gsize) 4096)

typedef struct
{
  char *from;
  const char *to;
  char *staged;  /* where bubblewrap finds it; NULL: at `from` */
  bool is_owned; /* of the server's user, and shown as root's */
} Shown;

struct VendImageRoom
{
  char *dir;
  char *bwrap;
  VendImageUsers *users;
  Shown shown[MAX_SHOWN];
  guint n_shown;
  int idmap; /* -1: none */
};

/* ---- Making */

static void
show (VendImageRoom *room, const char *from, const char *to, bool is_owned)
{
  if (from == NULL)
    return;
  Shown *shown = &room->shown[room->n_shown];
  *shown = (Shown){ .from = g_strdup (from), .to = to, .is_owned = is_owned };
  if (vend_image_users_are_others (room->users))
    shown->staged = g_strdup_printf (STAGE "/%u", room->n_shown);
  room->n_shown++;
}

static bool
make_folders (const VendImageRoom *room, GError **error)
{
  static const char *const names[] = { ".", "home", "run", "storage", "tmp" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (room->dir, names[i], NULL);
      if (!vend_dir_ensure (path, error) || !vend_image_users_give (room->users, path, error))
        return false;
    }
  return true;
}

bool
vend_image_room_new (const VendImageRoomOptions *options, VendImageRoom **out, GError **error)
{
  g_autoptr (VendImageRoom) room = g_new0 (VendImageRoom, 1);
  room->idmap = -1;
  room->dir = g_strdup (options->dir);
  room->bwrap = g_find_program_in_path (BWRAP);
  if (room->bwrap == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                      "bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)");
  if (!vend_image_users_new (&room->users, error) || !make_folders (room, error)
      || (vend_image_users_are_others (room->users)
          && !vend_idmap_new (vend_image_users_root (room->users), &room->idmap, error))
      || (options->output != NULL && !vend_image_users_give (room->users, options->output, error)))
    return false;
  show (room, room->dir, VEND_ROOM_OWN, false);
  show (room, options->input, VEND_ROOM_INPUT, true);
  show (room, options->base, VEND_ROOM_BASE, true);
  show (room, options->output, VEND_ROOM_OUTPUT, false);
  *out = g_steal_pointer (&room);
  return true;
}

void
vend_image_room_free (VendImageRoom *room)
{
  if (room == NULL)
    return;
  for (guint i = 0; i < room->n_shown; i++)
    {
      g_free (room->shown[i].from);
      g_free (room->shown[i].staged);
    }
  vend_fd_clear (&room->idmap);
  vend_image_users_free (room->users);
  g_free (room->bwrap);
  g_free (room->dir);
  g_free (room);
}

/* ---- In the child */

/* Its user cannot reach the server's folders, and does not have to. */
static bool
stage (const VendImageRoom *room)
{
  int trees[MAX_SHOWN];
  for (guint i = 0; i < room->n_shown; i++)
    {
      const Shown *shown = &room->shown[i];
      trees[i] = vend_idmap_tree (shown->from, shown->is_owned ? room->idmap : -1, false);
      if (trees[i] < 0)
        return false;
    }
  if (mount ("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") < 0)
    return false;
  for (guint i = 0; i < room->n_shown; i++)
    if (mkdir (room->shown[i].staged, 0755) < 0
        || !vend_idmap_place (trees[i], room->shown[i].staged))
      return false;
  return true;
}

static bool
enter (const void *place)
{
  const VendImageRoom *room = place;
  const uid_t root = vend_image_users_root (room->users);
  if (!vend_image_users_are_others (room->users))
    return true;
  return unshare (CLONE_NEWNS) == 0 && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && stage (room) && chdir ("/") == 0 && setgroups (0, NULL) == 0
         && setresgid (root, root, root) == 0 && setresuid (root, root, root) == 0;
}

/* ---- bubblewrap */

static void G_GNUC_NULL_TERMINATED
add_all (GPtrArray *words, ...)
{
  va_list list;
  va_start (list, words);
  for (const char *word; (word = va_arg (list, const char *)) != NULL;)
    g_ptr_array_add (words, g_strdup (word));
  va_end (list);
}

static void
add_system (GPtrArray *words)
{
  static const char *const roots[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };
  static const char *const files[]
      = { "/etc/alternatives", "/etc/containers",  "/etc/group",         "/etc/hosts",
          "/etc/ld.so.cache",  "/etc/localtime",   "/etc/nsswitch.conf", "/etc/passwd",
          "/etc/pki/tls",      "/etc/resolv.conf", "/etc/ssl/certs" };
  add_all (words, "--ro-bind", "/usr", "/usr", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (roots); i++)
    {
      g_autofree char *target = g_file_read_link (roots[i], NULL);
      if (target != NULL)
        add_all (words, "--symlink", target, roots[i], NULL);
      else
        add_all (words, "--ro-bind-try", roots[i], roots[i], NULL);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    add_all (words, "--ro-bind-try", files[i], files[i], NULL);
}

/* Each namespace by its name: "all" would go without those that are refused. */
static char **
arguments (const VendImageRoom *room, const char *const *argv, int wait_fd, int info_fd)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autofree char *wait = g_strdup_printf ("%d", wait_fd);
  g_autofree char *info = g_strdup_printf ("%d", info_fd);
  add_all (words, room->bwrap, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
           "--unshare-cgroup", "--userns-block-fd", wait, "--info-fd", info, "--uid", "0", "--gid",
           "0", "--cap-add", "ALL", "--hostname", "build", "--die-with-parent", "--new-session",
           "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--dir", "/sys", NULL);
  add_system (words);
  for (guint i = 0; i < room->n_shown; i++)
    {
      const Shown *shown = &room->shown[i];
      add_all (words, shown->is_owned ? "--ro-bind" : "--bind",
               shown->staged != NULL ? shown->staged : shown->from, shown->to, NULL);
    }
  add_all (words, "--symlink", "room/tmp", "/tmp", "--dir", "/var", "--symlink", "../room/tmp",
           "/var/tmp", "--setenv", "HOME", VEND_ROOM_OWN "/home", "--setenv", "TMPDIR",
           VEND_ROOM_OWN "/tmp", "--remount-ro", "/", "--chdir", VEND_ROOM_OWN, "--", NULL);
  for (gsize i = 0; argv[i] != NULL; i++)
    g_ptr_array_add (words, g_strdup (argv[i]));
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

/* The first process of the room, which waits for its users; 0: bubblewrap has ended, and said why
 * on its standard error. */
static pid_t
read_first (int fd)
{
  char text[MAX_INFO + 1];
  gsize size = 0;
  json_auto_t *info = NULL;
  while (size < MAX_INFO && memchr (text, '}', size) == NULL)
    {
      const ssize_t n = read (fd, text + size, MAX_INFO - size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return 0;
      size += (gsize) n;
    }
  if (!vend_json_parse (text, size, &info, NULL))
    return 0;
  return (pid_t) vend_json_int (info, "child-pid", 0);
}

bool
vend_image_room_start (const VendImageRoom *room, const VendChildOptions *options, VendChild **out,
                       GError **error)
{
  int wait_ends[2], info_ends[2];
  if (pipe2 (wait_ends, O_CLOEXEC) < 0)
    return vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, errno, "make a pipe");
  vend_autofd wait_child = wait_ends[0], wait_ours = wait_ends[1];
  if (pipe2 (info_ends, O_CLOEXEC) < 0)
    return vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, errno, "make a pipe");
  vend_autofd info_ours = info_ends[0], info_child = info_ends[1];
  const int kept[] = { wait_child, info_child };
  g_auto (GStrv) argv = arguments (room, options->argv, wait_child, info_child);
  VendChildOptions own = *options;
  g_autoptr (VendChild) child = NULL;
  own.argv = (const char *const *) argv;
  own.cwd = "/";
  own.keep_fds = kept;
  own.n_keep_fds = G_N_ELEMENTS (kept);
  own.enter = enter;
  own.place = room;
  if (!vend_child_start (&own, &child, error))
    return false;
  vend_fd_clear (&info_child);
  const pid_t first = read_first (info_ours);
  if (first > 0 && !vend_image_users_map (room->users, first, error))
    return false;
  (void) !write (wait_ours, "", 1);
  *out = g_steal_pointer (&child);
  return true;
}

/* ---- Removing */

static bool
run (const VendImageRoom *room, const char *const *argv, const char *what, GError **error)
{
  const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
  const VendChildOptions options = { .argv = argv, .env = env, .max_output = MAX_INFO };
  g_autoptr (VendChild) child = NULL;
  bool ended = false;
  if (!vend_image_room_start (room, &options, &child, error))
    return false;
  while (!ended)
    if (!vend_child_pump (child, -1, &ended, error))
      return false;
  g_autofree char *failure = vend_child_dup_failure (child);
  return failure == NULL
         || vend_fail (error, VEND_ERROR_UNAVAILABLE, "%s %s: %s", what, failure,
                       vend_child_output (child));
}

/* Files of users that only the room has can be removed in it alone. */
static bool
empty (const char *dir, GError **error)
{
  const char *const argv[] = { "rm",
                               "-rf",
                               VEND_ROOM_OWN "/storage",
                               VEND_ROOM_OWN "/run",
                               VEND_ROOM_OWN "/home",
                               VEND_ROOM_OWN "/tmp",
                               NULL };
  const VendImageRoomOptions options = { .dir = dir };
  g_autoptr (VendImageRoom) room = NULL;
  return vend_image_room_new (&options, &room, error) && run (room, argv, "rm", error);
}

bool
vend_image_room_remove (const char *dir, GError **error)
{
  g_autoptr (GError) ignored = NULL;
  if (vend_tree_remove (dir, &ignored))
    return true;
  return empty (dir, error) && vend_tree_remove (dir, error);
}

bool
vend_image_room_remove_all (const char *dir, GError **error)
{
  g_autofree char *room = g_build_filename (dir, VEND_ROOM_FOLDER, NULL);
  return vend_image_room_remove (room, error) && vend_tree_remove (dir, error);
}

/* ---- Trying */

static bool
try_storage (const VendImageRoom *room, const char *storage, GError **error)
{
  const char *const argv[] = { "sh",
                               "-c",
                               "exec buildah --root \"$1\" --runroot \"$2\" --storage-driver "
                               "\"$3\" info 2>&1 > /dev/null",
                               "sh",
                               VEND_ROOM_OWN "/storage",
                               VEND_ROOM_OWN "/run",
                               storage,
                               NULL };
  return run (room, argv, "buildah", error);
}

static bool
try_room (const char *dir, const char **out_storage, GError **error)
{
  const VendImageRoomOptions options = { .dir = dir };
  g_autoptr (VendImageRoom) room = NULL;
  g_autofree char *buildah = g_find_program_in_path ("buildah");
  g_autoptr (GError) ignored = NULL;
  if (buildah == NULL)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                      "buildah is not installed (Debian, Ubuntu: apt install buildah)");
  if (!vend_image_room_new (&options, &room, error))
    return false;
  /* Without overlay each layer is a copy. */
  *out_storage = try_storage (room, "overlay", &ignored) ? "overlay" : "vfs";
  return strcmp (*out_storage, "overlay") == 0 || try_storage (room, "vfs", error);
}

bool
vend_image_room_probe (const char *dir, const char **out_storage, char **out_why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) left = NULL;
  const bool works = try_room (dir, out_storage, &error);
  if (!vend_image_room_remove (dir, &left) && works)
    {
      *out_why = g_strdup_printf ("what a build leaves cannot be removed: %s", left->message);
      return false;
    }
  *out_why = works ? NULL : g_strdup (error->message);
  return works;
}
