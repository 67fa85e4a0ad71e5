/* Packs a source tree for a push: the same tree always gives the same bytes. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct
{
  char sha256[65];
  uint64_t size; /* of the archive */
  uint64_t n_files;
  uint64_t unpacked_size;
} VendPackInfo;

/* A file or folder that is packed as `path` in the archive, whatever the patterns of the project
 * say of it; a file becomes one in a folder of that name. */
typedef struct
{
  const char *dir;  /* the file's folder, or the folder */
  const char *file; /* name of the file; NULL: all of the folder */
  const char *path;
  bool (*wants) (const char *path, void *data); /* by the path below `dir`; NULL: all */
  void *data;
  const char *inside; /* its path in the project, which is not packed there; or NULL */
} VendPackExtra;

/* Writes `archive` (tar.gz; paths sorted, no times, owners or extended attributes) with the files
 * of `dir` that .cogignore, or else .dockerignore, lets through; .git, .cog and __pycache__ never.
 * A link that stays inside is packed as what it points to, one that leaves the tree is INVALID.
 * TOO_LARGE when the files sum to more than `max_bytes`. Nothing is left at `archive` on failure.
 */
bool vend_pack_tree (const char *dir, const char *archive, uint64_t max_bytes, VendPackInfo *out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_pack_tree_and (const char *dir, const VendPackExtra *extras, gsize n_extras,
                         const char *archive, uint64_t max_bytes, VendPackInfo *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
