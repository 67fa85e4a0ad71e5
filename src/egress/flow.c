/* Bytes on their way from one socket to another. */
#include "egress/flow.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void
vend_flow_clear (VendFlow *flow)
{
  g_clear_pointer (&flow->bytes, g_free);
}

bool
vend_flow_has_room (const VendFlow *flow)
{
  return flow->end < VEND_FLOW_BUFFER;
}

gsize
vend_flow_pending (const VendFlow *flow)
{
  return flow->ready - flow->start;
}

static VendFlowResult
result_of_errno (void)
{
  return errno == EAGAIN || errno == EINTR ? VEND_FLOW_WAIT : VEND_FLOW_BROKEN;
}

VendFlowResult
vend_flow_read (VendFlow *flow, int fd, gsize limit)
{
  if (flow->bytes == NULL)
    flow->bytes = g_malloc (VEND_FLOW_BUFFER);
  const ssize_t n
      = recv (fd, flow->bytes + flow->end, MIN (limit, VEND_FLOW_BUFFER - flow->end), 0);
  if (n < 0)
    return result_of_errno ();
  if (n == 0)
    return VEND_FLOW_END;
  flow->end += (gsize) n;
  return VEND_FLOW_MOVED;
}

VendFlowResult
vend_flow_write (VendFlow *flow, int fd)
{
  const ssize_t n
      = send (fd, flow->bytes + flow->start, vend_flow_pending (flow), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0)
    return result_of_errno ();
  flow->start += (gsize) n;
  flow->moved += (uint64_t) n;
  if (flow->start == flow->end)
    flow->start = flow->ready = flow->end = 0;
  return VEND_FLOW_MOVED;
}

void
vend_flow_replace (VendFlow *flow, gsize size, const char *text, gsize text_size)
{
  const gsize behind = flow->end - flow->ready - size;
  const gsize whole = flow->ready + text_size + behind;
  /* A head that is written anew may be longer than it was. */
  flow->bytes = g_realloc (flow->bytes, MAX (whole, VEND_FLOW_BUFFER));
  memmove (flow->bytes + flow->ready + text_size, flow->bytes + flow->ready + size, behind);
  if (text_size > 0)
    memcpy (flow->bytes + flow->ready, text, text_size);
  flow->ready += text_size;
  flow->end = whole;
}

void
vend_flow_release (VendFlow *flow)
{
  flow->ready = flow->end;
}

void
vend_flow_drop (VendFlow *flow)
{
  flow->start = flow->ready = flow->end = 0;
}
