/* The secret of this installation, the base of capabilities. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Reads DATA/capability.key, or makes it on the first start (mode 0600), and installs it. Before
 * any thread starts; blocks on disk. */
bool vend_installation_key_open (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
