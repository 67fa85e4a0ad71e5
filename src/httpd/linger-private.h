/* Lingering close: a socket that is closed while the client still sends is reset, and the reset can
 * overtake the reply. One thread reads such sockets to their end, for a limited time. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#define VEND_LINGER_MAX_SOCKETS 64
#define VEND_LINGER_MS 2000
#define VEND_LINGER_BYTES (64 * 1024 * 1024)

typedef struct VendLinger VendLinger;

bool vend_linger_new (VendLinger **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_linger_free (VendLinger *linger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendLinger, vend_linger_free)
/* Takes a duplicate of `fd`, whose sending side the caller shuts down. Any thread, never blocks. */
void vend_linger_add (VendLinger *linger, int fd);
