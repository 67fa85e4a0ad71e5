/* Sends a packed source in pieces; goes on where the server stands after a failure. Main thread
 * only; blocks. */
#pragma once
#include <stdbool.h>

#include "cli/client/client.h"
#include "cli/terminal/terminal.h"

typedef struct
{
  int fd;
  uint64_t size;
  const char *sha256;
  VendInterrupt *interrupt; /* or NULL */
  VendProgress *progress;
  bool is_import; /* an archive of `vend export` */
} VendUploadSource;

/* `*out_id` is the complete upload's; free with g_free. */
bool vend_upload_run (const VendUploadSource *source, VendClient *client, char **out_id,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
