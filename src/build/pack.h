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

/* Writes `archive` (tar.gz; paths sorted, no times, owners or extended attributes) with the files
 * of `dir` that .cogignore, or else .dockerignore, lets through; .git, .cog and __pycache__ never.
 * A link that stays inside is packed as what it points to, one that leaves the tree is INVALID.
 * TOO_LARGE when the files sum to more than `max_bytes`. Nothing is left at `archive` on failure.
 */
bool vend_pack_tree (const char *dir, const char *archive, uint64_t max_bytes, VendPackInfo *out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
