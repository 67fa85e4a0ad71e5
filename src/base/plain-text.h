/* Foreign text for terminals: controls are shown, never obeyed. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* C0 and C1 controls, delete, and controls that reorder the text around them (bidirectional
 * embeddings, overrides and isolates). */
bool vend_plain_is_control (gunichar c);

/* Appends `data` as text that cannot control a terminal: controls except line end, tab and carriage
 * return (progress bars) become visible ("^[", "\u009b"), and invalid UTF-8 becomes U+FFFD. Returns
 * the number of used bytes: an incomplete character at the end is left for the next call. */
gsize vend_plain_append (GString *out, const char *data, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a whole text. Free with g_free. */
char *vend_plain_text (const char *text) G_GNUC_WARN_UNUSED_RESULT;
