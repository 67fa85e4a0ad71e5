/* Bytes on their way from one socket to another, in a buffer of one size: what is not written is
 * not read further. Does not block. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VEND_FLOW_BUFFER (64 * 1024)

typedef struct
{
  char *bytes;    /* made with the first read */
  gsize start;    /* written to here */
  gsize ready;    /* may be written to here; the rest is a head that is not whole yet */
  gsize end;      /* read to here */
  bool has_ended; /* nothing more is read */
  uint64_t moved; /* bytes written */
} VendFlow;

typedef enum
{
  VEND_FLOW_MOVED,
  VEND_FLOW_WAIT,   /* the socket has nothing, or takes nothing */
  VEND_FLOW_END,    /* the sender has ended */
  VEND_FLOW_BROKEN, /* the connection is gone */
} VendFlowResult;

void vend_flow_clear (VendFlow *flow);

bool vend_flow_has_room (const VendFlow *flow);
/* Bytes that may be written. */
gsize vend_flow_pending (const VendFlow *flow);

/* One read, of at most `limit` bytes. There must be room. */
VendFlowResult vend_flow_read (VendFlow *flow, int fd, gsize limit);
/* One write. There must be bytes. */
VendFlowResult vend_flow_write (VendFlow *flow, int fd);

/* Puts `text` in the place of the next `size` bytes behind `ready`; the new bytes are ready. */
void vend_flow_replace (VendFlow *flow, gsize size, const char *text, gsize text_size);
/* All that was read is ready. */
void vend_flow_release (VendFlow *flow);
/* Forgets what was not written. */
void vend_flow_drop (VendFlow *flow);
