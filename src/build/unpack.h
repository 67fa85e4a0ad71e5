/* Somebody else's archive → plain files and folders below one folder. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_UNPACK_MAX_NAME ((gsize) 1024)

typedef struct
{
  uint64_t max_bytes; /* of all files together, unpacked */
  uint64_t max_files; /* files and folders */
} VendUnpackLimits;

/* tar.gz, tar or zip. Refuses what is not a plain file or folder inside `dir`; the text names the
 * entry. `dir` must be there and empty; after a failure it holds what came before. */
bool vend_unpack (const char *archive, const char *dir, const VendUnpackLimits *limits,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
