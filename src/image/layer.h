/* One layer of an image, a tar file that may be compressed, put over what the layers before it have
 * made. Blocks on disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <gio/gio.h>

#include "image/root.h"

typedef struct
{
  VendRoot root;
  uint64_t n_bytes; /* of all files */
  uint64_t max_bytes;
  int64_t deadline_us; /* monotonic */
  GCancellable *cancellable;
} VendLayers;

/* `fd` is the layer. Owners become the server's user; modes of files lose setuid, setgid and
 * sticky bits, and their owner may read and write all. Whiteouts remove what is below. INVALID or
 * TOO_LARGE names the entry and says what is wrong with it: devices, names that lead out, limits.
 * The caller removes what there is by then. */
bool vend_layer_apply (VendLayers *layers, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
