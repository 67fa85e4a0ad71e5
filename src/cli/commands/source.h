/* The directory that is pushed: checked, then packed into an unnamed temporary file. Main thread
 * only; blocks on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct
{
  int fd; /* of the packed source; -1 = none */
  uint64_t size;
  char *sha256;
  bool wants_gpu; /* its cog.yaml says build.gpu: true */
} VendSource;

#define VEND_SOURCE_INIT { -1, 0, NULL, false }

void vend_source_clear (VendSource *source);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendSource, vend_source_clear)

/* All mistakes in cog.yaml go to stderr with their lines; the error counts them. `out` starts as
 * VEND_SOURCE_INIT; `for_image`: it is to be built as an image. */
bool vend_source_pack (const char *dir, bool for_image, VendSource *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* A file that is packed already. */
bool vend_source_open (const char *archive, VendSource *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
