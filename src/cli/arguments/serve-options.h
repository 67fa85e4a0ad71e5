/* Flags of `vend serve`: one for each setting. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "base/settings.h"

/* Reads config file, environment and flags, and sets up logging. False means leave with
 * `*out_status`, after a message or the help was printed. */
bool vend_serve_options (int argc, char **argv, VendSettings **out, int *out_status);

/* Reads the settings again. Settings that may change while the server runs (log-level) take effect;
 * the log names them, and changed settings that need a restart. A mistake in the settings changes
 * nothing. */
void vend_serve_reload (int argc, char **argv, VendSettings *settings);

/* "http://127.0.0.1:8363": where people on this machine reach a server that listens at `listen`. */
char *vend_serve_url (const char *scheme, const char *listen, guint port) G_GNUC_WARN_UNUSED_RESULT;
