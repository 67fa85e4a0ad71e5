/* A second tree with the same content: folders, files, links, modes, times. Shares no writable
 * byte with the first. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <gio/gio.h>

typedef enum
{
  VEND_CLONE_NEVER,    /* every byte is written */
  VEND_CLONE_POSSIBLE, /* as reflinks where the filesystem has them */
  VEND_CLONE_ONLY,     /* else the copy fails */
} VendClone;

/* Makes `to`, which must not exist. Owners, holes and attributes other than "user.*" are not kept.
 * On failure, or once `cancellable` is canceled, the caller removes the rest of `to`. */
bool vend_tree_copy (const char *from, const char *to, VendClone clone, GCancellable *cancellable,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes `owner` the owner of the tree, links included. Nobody else may write to it meanwhile. */
bool vend_tree_own (const char *path, uid_t owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;
