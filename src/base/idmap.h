/* Mounts that show the server's files as those of another user. For a server that is root. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <glib.h>

/* `*out_fd` is a user namespace in which the server's user is `uid`: for mounts whose files are to
 * appear as those of `uid`. Forks for a moment. */
bool vend_idmap_new (uid_t uid, int *out_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* `*out_fd` is the mount of `path`, alone; with an `idmap` the files appear as those of its user
 * where the file system can do that. -1 and errno on failure. Between fork and exec. */
int vend_idmap_tree (const char *path, int idmap, bool recursive);
/* Puts it at `target`, and closes it. */
bool vend_idmap_place (int tree, const char *target);
