/* Mounts of one instance, made between fork and exec: system calls only, no memory. */
#include "workspace/namespace.h"
#include "base/idmap.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

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

/* As what it is now, which in the room of a zygote is not what it is outside. */
static bool
become_the_same (void)
{
  char users[64];
  char groups[64];
  const unsigned user = geteuid ();
  const unsigned group = getegid ();
  snprintf (users, sizeof users, "%u %u 1\n", user, user);
  snprintf (groups, sizeof groups, "%u %u 1\n", group, group);
  return unshare (CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text ("/proc/self/setgroups", "deny")
         && write_text ("/proc/self/uid_map", users) && write_text ("/proc/self/gid_map", groups);
}

static bool
make_namespace (const VendMounts *mounts)
{
  if (mounts->user_spaces && !become_the_same ())
    return false;
  if (!mounts->user_spaces && unshare (CLONE_NEWNS) < 0)
    return false;
  return mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Kept entries are bound into the new /tmp first: afterwards no path leads to the old /tmp. */
static bool
cover_tmp (const VendMounts *mounts)
{
  for (guint i = 0; mounts->kept_from[i] != NULL; i++)
    if (mount (mounts->kept_from[i], mounts->kept_at[i], NULL, MS_BIND | MS_REC, NULL) < 0)
      return false;
  return mounts->tmp == NULL || mount (mounts->tmp, "/tmp", NULL, MS_BIND | MS_REC, NULL) == 0;
}

/* A user namespace may not remove the flags that a mount came with. */
static unsigned long
flags_of (const char *path)
{
  static const struct
  {
    unsigned long seen;
    unsigned long flag;
  } flags[] = { { ST_NOSUID, MS_NOSUID },         { ST_NODEV, MS_NODEV },
                { ST_NOEXEC, MS_NOEXEC },         { ST_NOATIME, MS_NOATIME },
                { ST_NODIRATIME, MS_NODIRATIME }, { ST_RELATIME, MS_RELATIME } };
  struct statvfs st;
  unsigned long all = 0;
  if (statvfs (path, &st) < 0)
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if ((st.f_flag & flags[i].seen) != 0)
      all |= flags[i].flag;
  return all;
}

static bool
protect (const char *path)
{
  return mount (path, path, NULL, MS_BIND | MS_REC, NULL) == 0
         && mount (NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | flags_of (path), NULL) == 0;
}

/* A mount that refuses writes would show only when a model tries. */
static bool
is_writable (const char *folder)
{
  const int at = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int fd
      = at >= 0 ? openat (at, ".vend-probe", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
  if (fd < 0)
    return false;
  close (fd);
  const bool removed = unlinkat (at, ".vend-probe", 0) == 0;
  close (at);
  return removed;
}

/* The model's user may change what is its own. */
static bool
show_as_own (const VendMounts *mounts)
{
  const int tree = vend_idmap_tree (mounts->source, mounts->idmap, false);
  return tree >= 0 && vend_idmap_place (tree, mounts->lower);
}

/* By descriptors: a path may hold the separator of options. Opened here, since they have to belong
 * to this namespace. Folders of the source can be renamed where redirects are allowed. Nothing of
 * the mount outlives the instance, so it is not synchronized: its end would wait for the whole
 * filesystem. */
static bool
lay_over (const VendMounts *mounts)
{
  char options[256];
  if (mounts->lower != NULL && !show_as_own (mounts))
    return false;
  const int source = open (mounts->lower != NULL ? mounts->lower : mounts->source,
                           O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int upper = open (mounts->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int work = open (mounts->work, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (source < 0 || upper < 0 || work < 0)
    return false;
  snprintf (
      options, sizeof options,
      "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,volatile,%s",
      source, upper, work, mounts->user_attributes ? "userxattr" : "redirect_dir=on,index=off");
  const bool mounted = mount ("overlay", mounts->target, "overlay", 0, options) == 0;
  const int number = errno;
  close (source);
  close (upper);
  close (work);
  errno = number;
  return mounted && is_writable (mounts->target);
}

VendMountResult
vend_mounts_enter (const VendMounts *mounts)
{
  if (!make_namespace (mounts))
    return (VendMountResult){ VEND_MOUNT_NAMESPACE, errno };
  if (!cover_tmp (mounts))
    return (VendMountResult){ VEND_MOUNT_TMP, errno };
  for (guint i = 0; mounts->read_only[i] != NULL; i++)
    if (!protect (mounts->read_only[i]))
      return (VendMountResult){ VEND_MOUNT_READ_ONLY, errno };
  if (mounts->target != NULL && !lay_over (mounts))
    return (VendMountResult){ VEND_MOUNT_OVERLAY, errno };
  return (VendMountResult){ VEND_MOUNT_DONE, 0 };
}
