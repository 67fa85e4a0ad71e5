/* The secret of this installation, from which capabilities are made. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* Reads DATA/capability.key, or makes it on the first start (mode 0600), and puts it to use. Before
 * there are threads; blocks on disk. */
bool vend_installation_key_open (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
