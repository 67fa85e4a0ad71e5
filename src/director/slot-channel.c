/* Frames of coglet's worker over descriptors. Main context. */
#include "director/slot-channel.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/fd-source.h"
#include "director/slot-frame.h"
#include <errno.h>
#include <unistd.h>

#define READ_SIZE ((gsize) 64 * 1024)
#define READS_PER_TURN 16          /* then other sources get their turn */
#define OUT_MAX ((guint) 32 << 20) /* a worker that reads nothing */

struct VendSlotChannel
{
  int read_fd;
  int write_fd;
  const VendSlotChannelEvents *events;
  void *context;
  VendSlotReader *reader;
  GByteArray *out;
  gsize written;
  GSource *read_source;
  GSource *write_source;
  GSource *rest_source; /* frames that came while it was held */
  guint depth;
  bool held;
  bool freed;
};

static void
release (VendSlotChannel *channel)
{
  vend_slot_reader_free (channel->reader);
  g_byte_array_unref (channel->out);
  g_free (channel);
}

static void
shut (VendSlotChannel *channel)
{
  vend_gsource_clear (&channel->read_source);
  vend_gsource_clear (&channel->write_source);
  vend_gsource_clear (&channel->rest_source);
  if (channel->write_fd != channel->read_fd)
    vend_fd_clear (&channel->write_fd);
  channel->write_fd = -1;
  vend_fd_clear (&channel->read_fd);
}

static bool
is_open (const VendSlotChannel *channel)
{
  return channel->read_fd >= 0 && !channel->freed;
}

static void
close_channel (VendSlotChannel *channel, const char *problem)
{
  if (!is_open (channel))
    return;
  shut (channel);
  channel->events->on_closed (channel, problem, channel->context);
}

static void
dispatch (VendSlotChannel *channel)
{
  while (is_open (channel) && !channel->held)
    {
      const char *text = NULL;
      gsize size = 0;
      g_autoptr (GError) error = NULL;
      if (!vend_slot_reader_next (channel->reader, &text, &size, &error))
        {
          close_channel (channel, error->message);
          return;
        }
      if (text == NULL)
        return;
      channel->events->on_text (channel, text, size, channel->context);
    }
}

static void
read_some (VendSlotChannel *channel)
{
  guint8 chunk[READ_SIZE];
  for (guint i = 0; i < READS_PER_TURN && is_open (channel) && !channel->held; i++)
    {
      const ssize_t n = read (channel->read_fd, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return;
      if (n <= 0)
        {
          close_channel (channel, n < 0 && errno != ECONNRESET ? g_strerror (errno) : NULL);
          return;
        }
      vend_slot_reader_feed (channel->reader, chunk, (gsize) n);
      dispatch (channel);
      if ((gsize) n < sizeof chunk)
        return;
    }
}

void
vend_slot_channel_read (VendSlotChannel *channel)
{
  channel->depth++;
  read_some (channel);
  if (--channel->depth == 0 && channel->freed)
    release (channel);
}

static gboolean
on_readable (int fd, GIOCondition condition, void *user_data)
{
  vend_slot_channel_read (user_data);
  return G_SOURCE_CONTINUE;
}

static void
watch (VendSlotChannel *channel)
{
  channel->read_source = vend_fd_source_new (channel->read_fd, G_IO_IN | G_IO_HUP | G_IO_ERR,
                                             on_readable, channel, g_main_context_default ());
}

static gboolean
on_rest (void *user_data)
{
  VendSlotChannel *channel = user_data;
  vend_gsource_clear (&channel->rest_source);
  channel->depth++;
  dispatch (channel);
  if (is_open (channel) && !channel->held && channel->read_source == NULL)
    watch (channel);
  if (--channel->depth == 0 && channel->freed)
    release (channel);
  return G_SOURCE_REMOVE;
}

void
vend_slot_channel_hold (VendSlotChannel *channel, bool holds)
{
  if (!is_open (channel) || channel->held == holds)
    return;
  channel->held = holds;
  if (holds)
    {
      vend_gsource_clear (&channel->read_source);
      vend_gsource_clear (&channel->rest_source);
      return;
    }
  channel->rest_source = g_idle_source_new ();
  g_source_set_priority (channel->rest_source, G_PRIORITY_DEFAULT);
  g_source_set_callback (channel->rest_source, on_rest, channel, NULL);
  g_source_attach (channel->rest_source, g_main_context_default ());
}

static void flush (VendSlotChannel *channel);

static gboolean
on_writable (int fd, GIOCondition condition, void *user_data)
{
  flush (user_data);
  return G_SOURCE_CONTINUE;
}

static void
flush (VendSlotChannel *channel)
{
  while (channel->written < channel->out->len)
    {
      const ssize_t n = write (channel->write_fd, channel->out->data + channel->written,
                               channel->out->len - channel->written);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        {
          if (channel->write_source == NULL)
            channel->write_source = vend_fd_source_new (channel->write_fd, G_IO_OUT, on_writable,
                                                        channel, g_main_context_default ());
          return;
        }
      /* Its end is seen by who reads. */
      if (n < 0)
        break;
      channel->written += (gsize) n;
    }
  vend_gsource_clear (&channel->write_source);
  channel->written = 0;
  g_byte_array_unref (channel->out);
  channel->out = g_byte_array_new ();
}

bool
vend_slot_channel_send (VendSlotChannel *channel, json_t *take, GError **error)
{
  json_auto_t *message = take;
  if (!is_open (channel))
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the worker has closed the connection");
  if (channel->out->len > OUT_MAX)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the worker does not read");
  if (!vend_slot_frame_append (channel->out, message, error))
    return false;
  if (channel->write_source == NULL)
    flush (channel);
  return true;
}

VendSlotChannel *
vend_slot_channel_new (int read_fd, int write_fd, const VendSlotChannelEvents *events,
                       void *context)
{
  VendSlotChannel *channel = g_new0 (VendSlotChannel, 1);
  channel->read_fd = read_fd;
  channel->write_fd = write_fd;
  channel->events = events;
  channel->context = context;
  channel->reader = vend_slot_reader_new ();
  channel->out = g_byte_array_new ();
  watch (channel);
  return channel;
}

void
vend_slot_channel_free (VendSlotChannel *channel)
{
  if (channel == NULL || channel->freed)
    return;
  shut (channel);
  channel->freed = true;
  if (channel->depth == 0)
    release (channel);
}
