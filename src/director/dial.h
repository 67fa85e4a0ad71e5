/* The way of a director on another machine to the control plane: it dials out over TLS, and what it
 * says on its own socket goes through, both ways. Output files go ahead of the frames that name
 * them, and are removed once their results are acknowledged. Threads of its own. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"
#include "machines/exchange.h"

typedef struct VendDial VendDial;

/* `uplink` is the member of the spec (docs/architecture/machines.md). Dials again and again; when
 * the control plane refuses for good the process gets a SIGTERM. `dir` has the director's socket.
 */
bool vend_dial_start (const char *dir, const char *instance, const json_t *uplink, VendDial **out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What was said goes out first, for a moment: after the director's own socket is closed. */
void vend_dial_free (VendDial *dial);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDial, vend_dial_free)

/* For contents, which is any thread's; lives as long. */
const VendDialer *vend_dial_dialer (const VendDial *dial);
