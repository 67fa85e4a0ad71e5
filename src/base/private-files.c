/* Files that only their owner may open. Blocks on disk. */
#include "base/private-files.h"
#include "base/fd.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define OTHERS (S_IRWXG | S_IRWXO)

static void close_rest (int folder, guint depth, VendPrivateFiles *result);

/* Takes `fd`; changes only its mode. */
static void
close_one (int fd, guint depth, VendPrivateFiles *result)
{
  vend_autofd owned = fd;
  struct stat st;
  if (fstat (owned, &st) < 0 || (!S_ISREG (st.st_mode) && !S_ISDIR (st.st_mode)))
    return;
  if ((st.st_mode & OTHERS) != 0)
    {
      if (fchmod (owned, st.st_mode & 07777 & ~(mode_t) OTHERS) == 0)
        result->n_closed++;
      else
        result->problem = errno;
    }
  if (S_ISDIR (st.st_mode) && depth > 0)
    close_rest (vend_fd_steal (&owned), depth - 1, result);
}

/* Takes `folder`. */
static void
close_rest (int folder, guint depth, VendPrivateFiles *result)
{
  DIR *listing = fdopendir (folder);
  if (listing == NULL)
    {
      result->problem = errno;
      close (folder);
      return;
    }
  for (const struct dirent *entry; (entry = readdir (listing)) != NULL;)
    {
      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
        continue;
      /* Links lead elsewhere; sockets and pipes lie in closed folders. */
      const int fd = openat (folder, entry->d_name,
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
      if (fd >= 0)
        close_one (fd, depth, result);
    }
  closedir (listing);
}

void
vend_private_files_close (const char *path, guint depth, VendPrivateFiles *result)
{
  const int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd >= 0)
    close_one (fd, depth, result);
  else if (errno != ENOENT)
    result->problem = errno;
}
