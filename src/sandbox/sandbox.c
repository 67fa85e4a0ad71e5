/* A sandbox as descriptors and arguments, and the way into it. */
#include "sandbox/sandbox.h"
#include "base/embedded.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/idmap.h"
#include "sandbox/filter.h"
#include "sandbox/pin.h"
#include "sandbox/room.h"
#include "sandbox/sandbox-private.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

#define STAGE VEND_SANDBOX_STAGE
#define MAX_FDS 16
#define MAX_OWN_FDS 4
#define BWRAP "bwrap"
#define PROGRAM "/proc/self/fd/12"
G_STATIC_ASSERT (VEND_PIN_PROGRAM == 12);

extern const VendEmbeddedFile vend_sandbox_pin[];

struct VendSandbox
{
  VendSandboxPaths *paths;
  char **staged; /* a path for each of them below STAGE; NULL: they are used where they are */
  int *trees;    /* room for their mounts, in the child */
  char *passwd;  /* to be staged; NULL: not */
  char *argv[8];
  char *bwrap;
  uid_t uid;
  int idmap;
  const VendRoom *room;
  int fds[MAX_FDS];
  int numbers[MAX_FDS];
  guint n_fds;
  int control;
};

/* ---- Descriptors */

static int
memory_file (const char *name, const void *data, gsize size, unsigned flags)
{
  vend_autofd fd = memfd_create (name, MFD_CLOEXEC | flags);
  /* Kernels before 6.3 do not know that flag, and need none. */
  if (fd < 0 && flags != 0)
    fd = memfd_create (name, MFD_CLOEXEC);
  if (fd < 0 || !vend_fd_write_all (fd, data, size, NULL) || lseek (fd, 0, SEEK_SET) != 0)
    return -1;
  return vend_fd_steal (&fd);
}

static bool
give (VendSandbox *sandbox, int number, int fd, GError **error)
{
  if (fd < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a sandbox");
  sandbox->fds[sandbox->n_fds] = fd;
  sandbox->numbers[sandbox->n_fds++] = number;
  return true;
}

static bool
give_words (VendSandbox *sandbox, int number, GByteArray *take, GError **error)
{
  g_autoptr (GByteArray) words = take;
  return give (sandbox, number, memory_file ("vend-words", words->data, words->len, 0), error);
}

static bool
give_text (VendSandbox *sandbox, int number, const char *text, GError **error)
{
  return give (sandbox, number, memory_file ("vend-text", text, strlen (text), 0), error);
}

static bool
give_control (VendSandbox *sandbox, GError **error)
{
  int ends[2];
  const int on = 1;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a socket");
  sandbox->control = ends[0];
  /* Who says a thing is known by the kernel's word. */
  return give (sandbox, VEND_PIN_CONTROL, ends[1], error)
         && (setsockopt (ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0
             || vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "make a socket"));
}

static bool
give_filter (VendSandbox *sandbox, bool is_room, GError **error)
{
  int filter = -1;
  return vend_sandbox_filter (is_room ? VEND_FILTER_ROOM : VEND_FILTER_MODEL, &filter, error)
         && give (sandbox, VEND_PIN_FILTER, filter, error);
}

int
vend_sandbox_program (void)
{
  return memory_file ("vend-pin", vend_sandbox_pin[0].data, vend_sandbox_pin[0].size, MFD_EXEC);
}

static bool
give_copy (VendSandbox *sandbox, int number, int fd, GError **error)
{
  return give (sandbox, number, fcntl (fd, F_DUPFD_CLOEXEC, 0), error);
}

static bool
give_fds (VendSandbox *sandbox, const VendSandboxOptions *options, GError **error)
{
  g_assert (options->n_fds <= MAX_OWN_FDS);
  for (guint i = 0; i < options->n_fds; i++)
    if (!give_copy (sandbox, options->fds[i].number, options->fds[i].fd, error))
      return false;
  if (options->is_room && options->room != NULL
      && !give_copy (sandbox, VEND_PIN_AROUND, vend_room_life (options->room), error))
    return false;
  return !options->is_room || give_copy (sandbox, VEND_PIN_LIFE, options->life, error);
}

/* ---- Making */

static int
by_place (const void *a, const void *b)
{
  const VendSandboxPath *left = *(VendSandboxPath *const *) a;
  const VendSandboxPath *right = *(VendSandboxPath *const *) b;
  return strcmp (left->to, right->to);
}

/* All of them, folders before what lies in them. */
static VendSandboxPaths *
gather (const VendSandboxOptions *options)
{
  VendSandboxPaths *all = vend_sandbox_system_paths (options);
  for (guint i = 0; i < options->paths->all->len; i++)
    vend_sandbox_paths_add (all, vend_sandbox_paths_get (options->paths, i));
  if (options->tmp != NULL && options->kind == VEND_ISOLATION_SANDBOX)
    vend_sandbox_paths_write (all, options->tmp, "/tmp");
  g_ptr_array_sort (all->all, by_place);
  return all;
}

static char **
stage_paths (const VendSandboxOptions *options, const VendSandboxPaths *paths)
{
  const guint n = paths->all->len;
  char **staged = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const VendSandboxPath *path = vend_sandbox_paths_get (paths, i);
      staged[i] = vend_sandbox_in_etc (options, path) ? g_strconcat (STAGE, path->to, NULL)
                                                      : g_strdup_printf (STAGE "/%u", i);
    }
  return staged;
}

static bool
prepare_sandbox (VendSandbox *sandbox, const VendSandboxOptions *options, GError **error)
{
  sandbox->bwrap = g_find_program_in_path (BWRAP);
  if (sandbox->bwrap == NULL)
    return vend_fail (error, VEND_ERROR_RUNNER,
                      "bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)");
  if (sandbox->uid != 0)
    {
      sandbox->staged = stage_paths (options, sandbox->paths);
      sandbox->trees = g_new0 (int, sandbox->paths->all->len);
    }
  g_autofree char *passwd = vend_sandbox_passwd (options);
  if (sandbox->staged != NULL && !options->has_root)
    sandbox->passwd = g_steal_pointer (&passwd);
  char *const argv[] = { sandbox->bwrap,
                         (char *) "--args",
                         (char *) G_STRINGIFY (VEND_PIN_ARGS),
                         (char *) "--",
                         (char *) PROGRAM,
                         (char *) "pin",
                         NULL };
  memcpy (sandbox->argv, argv, sizeof argv);
  return give_words (sandbox, VEND_PIN_ARGS,
                     vend_sandbox_arguments (options, sandbox->paths, sandbox->staged), error)
         && (passwd == NULL
             || (give_text (sandbox, VEND_PIN_PASSWD, passwd, error)
                 && give_text (sandbox, VEND_PIN_GROUP, VEND_SANDBOX_GROUP, error)))
         && give_control (sandbox, error);
}

static void
prepare_locks (VendSandbox *sandbox)
{
  char *const argv[] = { (char *) PROGRAM, (char *) "pin", NULL };
  memcpy (sandbox->argv, argv, sizeof argv);
}

bool
vend_sandbox_new (const VendSandboxOptions *options, VendSandbox **out, GError **error)
{
  g_autoptr (VendSandbox) sandbox = g_new0 (VendSandbox, 1);
  const bool is_whole = options->kind == VEND_ISOLATION_SANDBOX;
  g_assert (options->kind != VEND_ISOLATION_NONE);
  sandbox->control = -1;
  sandbox->uid = is_whole ? options->uid : 0;
  sandbox->idmap = options->idmap;
  sandbox->room = options->room;
  sandbox->paths = gather (options);
  if (!give (sandbox, VEND_PIN_PROGRAM, vend_sandbox_program (), error)
      || !give_filter (sandbox, options->is_room, error) || !give_fds (sandbox, options, error)
      || !give_words (sandbox, VEND_PIN_ORDERS, vend_sandbox_orders (options, sandbox->paths),
                      error))
    return false;
  if (!is_whole)
    prepare_locks (sandbox);
  else if (!prepare_sandbox (sandbox, options, error))
    return false;
  *out = g_steal_pointer (&sandbox);
  return true;
}

void
vend_sandbox_free (VendSandbox *sandbox)
{
  if (sandbox == NULL)
    return;
  vend_sandbox_started (sandbox);
  vend_fd_clear (&sandbox->control);
  vend_sandbox_paths_free (sandbox->paths);
  g_strfreev (sandbox->staged);
  g_free (sandbox->passwd);
  g_free (sandbox->trees);
  g_free (sandbox->bwrap);
  g_free (sandbox);
}

const char *const *
vend_sandbox_argv (const VendSandbox *sandbox)
{
  return (const char *const *) sandbox->argv;
}

int
vend_sandbox_take_control (VendSandbox *sandbox)
{
  return vend_fd_steal (&sandbox->control);
}

void
vend_sandbox_started (VendSandbox *sandbox)
{
  for (guint i = 0; i < sandbox->n_fds; i++)
    vend_fd_clear (&sandbox->fds[i]);
  sandbox->n_fds = 0;
}

/* ---- In the child */

/* For everyone, whatever the umask says. */
static bool
stage_folder (const char *path)
{
  return mkdir (path, 0755) == 0 ? chmod (path, 0755) == 0 : errno == EEXIST;
}

static bool
stage_parents (char *path)
{
  for (char *slash = path + sizeof STAGE; (slash = strchr (slash, '/')) != NULL; slash++)
    {
      *slash = '\0';
      const bool is_there = stage_folder (path);
      *slash = '/';
      if (!is_there)
        return false;
    }
  return true;
}

static bool
stage_place (char *path, bool is_dir)
{
  return stage_parents (path)
         && (is_dir ? mkdir (path, 0755) : mknod (path, S_IFREG | 0644, 0)) == 0;
}

static bool
stage_text (const char *path, const char *text)
{
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  return fd >= 0 && fchmod (fd, 0444) == 0 && vend_fd_write_all (fd, text, strlen (text), NULL);
}

/* Its user may not reach the server's folders, and does not have to: bubblewrap finds what it shows
 * under names of its own. */
static bool
stage (const VendSandbox *sandbox)
{
  const guint n = sandbox->paths->all->len;
  int *trees = sandbox->trees;
  for (guint i = 0; i < n; i++)
    {
      const VendSandboxPath *path = vend_sandbox_paths_get (sandbox->paths, i);
      trees[i] = vend_idmap_tree (path->from, path->owned ? sandbox->idmap : -1, !path->owned);
      if (trees[i] < 0)
        return false;
    }
  if (mount ("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") < 0)
    return false;
  for (guint i = 0; i < n; i++)
    {
      const VendSandboxPath *path = vend_sandbox_paths_get (sandbox->paths, i);
      if (!stage_place (sandbox->staged[i], path->is_dir)
          || !vend_idmap_place (trees[i], sandbox->staged[i]))
        return false;
    }
  return sandbox->passwd == NULL
         || (stage_folder (STAGE "/etc") && stage_text (STAGE "/etc/passwd", sandbox->passwd)
             && stage_text (STAGE "/etc/group", VEND_SANDBOX_GROUP));
}

static bool
become_user (uid_t uid)
{
  return chdir ("/") == 0 && setgroups (0, NULL) == 0 && setresgid (uid, uid, uid) == 0
         && setresuid (uid, uid, uid) == 0;
}

/* Last: what lies under these numbers may have been needed until here. */
static bool
number_fds (const VendSandbox *sandbox)
{
  int high[MAX_FDS];
  for (guint i = 0; i < sandbox->n_fds; i++)
    {
      high[i] = fcntl (sandbox->fds[i], F_DUPFD_CLOEXEC, VEND_PIN_LAST + 1);
      if (high[i] < 0)
        return false;
    }
  for (guint i = 0; i < sandbox->n_fds; i++)
    if (dup2 (high[i], sandbox->numbers[i]) < 0)
      return false;
  return true;
}

bool
vend_sandbox_enter (const VendSandbox *sandbox)
{
  if (sandbox->uid != 0
      && (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
          || !stage (sandbox)))
    return false;
  if (sandbox->room != NULL && !vend_room_show (sandbox->room))
    return false;
  if (sandbox->uid != 0 && !become_user (sandbox->uid))
    return false;
  if (sandbox->room != NULL && !vend_room_enter (sandbox->room))
    return false;
  return number_fds (sandbox);
}
