/* Text of others for terminals: shown, never obeyed. Any thread. */
#pragma once
#include <stdbool.h>
#include <glib.h>

/* C0 and C1 controls, delete, and what reorders the text around it (bidirectional embeddings,
 * overrides and isolates). */
bool vend_plain_is_control (gunichar c);

/* Appends `data` as text that moves no cursor and changes nothing of a terminal: controls but line
 * end, tab and carriage return (progress bars) become visible ("^[", "\u009b"), and what is not
 * UTF-8 becomes U+FFFD. Returns how many bytes were used: the beginning of a character at the end
 * is left for when the rest of it is there. */
gsize vend_plain_append (GString *out, const char *data, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* The same of a whole text. Free with g_free. */
char *vend_plain_text (const char *text) G_GNUC_WARN_UNUSED_RESULT;
