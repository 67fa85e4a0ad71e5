/* `vend import replicate`: what an account has on another server of the same API. Main thread only;
 * blocks. */
#pragma once
#include <stdbool.h>
#include <glib.h>

bool vend_import_replicate (int argc, char **argv, GError **error) G_GNUC_WARN_UNUSED_RESULT;
