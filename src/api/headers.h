/* Request headers of creates. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* How long `Prefer` asks to hold the reply, in microseconds; 0 = not at all. "wait" is 60 s,
 * "wait=n" n clamped to 1..60 (the clients pass fractions and far larger numbers); other
 * preferences are ignored. `*out_applied` (g_free, may be NULL) is the text for Preference-Applied.
 * The reply comes half a second early: clients stop reading at n + 0.5 s, or at 60 s in all. */
int64_t vend_prefer_wait_us (const char *prefer, char **out_applied);

/* `Cancel-After`: a duration of at least 5 s; NULL gives 0. INVALID otherwise. */
bool vend_cancel_after_us (const char *header, int64_t *out_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
