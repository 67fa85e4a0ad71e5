/* A connection of frames over a Unix socket, on one GMainContext. The control plane connects with
 * vend_link_connect, the director accepts with vend_link_adopt. Writes of one turn of the loop are
 * sent together at its end. Backpressure: a peer that does not read costs at most twice the frame
 * limit, then the link closes. To be used from the thread of the context only. Nothing blocks: a
 * frame above VEND_FRAME_LARGE is parsed by another thread, and reading goes on when it is
 * delivered. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

typedef struct VendLink VendLink;

typedef struct
{
  /* `frame` is borrowed. */
  void (*on_frame) (VendLink *link, json_t *frame, void *context);
  /* The link has closed by itself. Called once, never by vend_link_free. `error` is NULL when the
   * peer has closed. */
  void (*on_closed) (VendLink *link, const GError *error, void *context);
} VendLinkEvents;

/* Connects to the socket at `path`, of any length. UNAVAILABLE when nobody listens. `context_data`
 * is passed to the events; `events` must outlive the link. A frame longer than `limit` closes the
 * link. */
bool vend_link_connect (GMainContext *context, const char *path, gsize limit,
                        const VendLinkEvents *events, void *context_data, VendLink **out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The connection alone, which does not block. Any thread. */
bool vend_link_open (const char *path, int *out_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes over a connected socket. */
VendLink *vend_link_adopt (GMainContext *context, int fd, gsize limit, const VendLinkEvents *events,
                           void *context_data) G_GNUC_WARN_UNUSED_RESULT;

/* May be called inside an event. */
void vend_link_free (VendLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendLink, vend_link_free)

/* Steals `take`. False when the link is closed, when the frame is longer than the limit (the frame
 * is dropped), or when the peer does not read (the link closes; on_closed follows from the main
 * loop). */
bool vend_link_send (VendLink *link, json_t *take);

/* Whether the frame is within the limit. Costs as much as writing it. */
bool vend_link_takes (const VendLink *link, const json_t *frame);

/* Like vend_link_send, for frames that may be late: sent with the next frame, or after
 * VEND_LINK_FLUSH_MS, so that the peer wakes up less often. */
bool vend_link_send_later (VendLink *link, json_t *take);
#define VEND_LINK_FLUSH_MS 5

/* True when all sent frames have been handed to the kernel. */
bool vend_link_is_flushed (const VendLink *link);

/* Binds and listens at `path`, mode 0600. Removes an old socket file. */
bool vend_link_listen (const char *path, int *out_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
