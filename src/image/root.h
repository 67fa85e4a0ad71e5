/* The folder that an image's root file system is made in. Paths of the image are followed as a
 * process in it would follow them, and never lead out. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <glib.h>

/* Of a path in an image, and of its place on disk. */
#define VEND_ROOT_MAX_PATH ((gsize) 4000)

typedef struct
{
  int fd; /* of the folder */
  uint64_t n_entries;
  uint64_t max_entries;
} VendRoot;

/* The parts of an archive's name, without "." and leading slashes; INVALID for ".." and what no
 * file system takes. NULL-terminated, g_strfreev'd; empty for the root itself. */
bool vend_root_split (const char *name, char ***out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the folder of the first `count` parts, and makes what is missing. */
bool vend_root_folder (VendRoot *root, char *const *parts, gsize count, int *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same without making it; -1 and errno. `flags` of open. */
int vend_root_open (const VendRoot *root, const char *path, int flags);

/* TOO_LARGE when there are too many already. */
bool vend_root_count (VendRoot *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes `name` of an open folder with all below it; nothing when it is not there. */
bool vend_root_remove (int folder, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes what lies in an open folder, but for what `keeps` says (NULL: nothing is kept). Folders
 * that are kept are looked into. */
bool vend_root_empty (int folder, bool (*keeps) (ino_t inode, void *data), void *data,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
