/* One push of a directory, for `vend push` and `vend examples push`, or of an archive, for `vend
 * import`. Main thread only; blocks. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "cli/arguments/options.h"

typedef struct
{
  const VendConnection *connection;
  const char *dir;
  const char *archive;   /* instead of `dir`, and checked; or NULL */
  const char *reference; /* "owner/name" */
  bool is_public;        /* of a new model; neither: private */
  bool is_private;
  bool smoke;
  bool as_image;
  bool wants_gpu; /* of an archive */
} VendPushRequest;

/* Prints the log of the build to stderr, and the version or its build to stdout. */
bool vend_push (const VendPushRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;
