/* The socket of the director: one control plane at a time, the newest wins. Main context. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "director/redact.h"
#include "json/json.h"

typedef struct VendUplink VendUplink;

typedef struct
{
  void (*on_connected) (void *context);
  void (*on_disconnected) (void *context);             /* not by vend_uplink_free */
  void (*on_command) (json_t *command, void *context); /* borrowed */
} VendUplinkEvents;

bool vend_uplink_open (const char *dir, gsize frame_limit, const VendUplinkEvents *events,
                       void *context, VendUplink **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes the socket file. */
void vend_uplink_free (VendUplink *uplink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendUplink, vend_uplink_free)

/* Borrowed; every frame that is sent passes it. */
void vend_uplink_set_redactor (VendUplink *uplink, const VendRedactor *redactor);

/* Steals `frame`; dropped when nobody is connected. */
void vend_uplink_send (VendUplink *uplink, json_t *frame);
/* The same, with what follows or a few milliseconds later. */
void vend_uplink_send_later (VendUplink *uplink, json_t *frame);
bool vend_uplink_is_flushed (const VendUplink *uplink);
/* Since when nobody has been connected; 0 while somebody is. Monotonic. */
int64_t vend_uplink_alone_since (const VendUplink *uplink);
