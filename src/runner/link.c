/* A connection of frames over a Unix socket. Runs on the main context of its creation. */
#include "runner/link.h"
#include "base/deferred.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/fd-source.h"
#include "base/log.h"
#include "base/turns.h"
#include "runner/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define READ_SIZE ((gsize) 64 * 1024)
#define READS_PER_TURN 16 /* then other sources get their turn */
#define BACKLOG 4
#define PARSE_THREADS 2 /* of all links; made with the first large frame */
#define SHRINK_ABOVE ((guint) 1 << 20)
#define SEND_ABOVE ((guint) 64 * 1024) /* sent at once, not at the end of the turn */

typedef struct Parse Parse;

struct VendLink
{
  GMainContext *context;
  const VendLinkEvents *events;
  void *context_data;
  int fd;
  gsize limit;
  VendFrameReader *reader;
  GByteArray *out;
  gsize written; /* bytes of `out` already sent */
  Parse *parse;  /* of a large frame, in flight: no reads meanwhile */
  GSource *read_source;
  GSource *write_source;
  VendDeferred *flushing; /* sends the writes of this turn */
  GSource *flush_timer;   /* sends late frames */
  GSource *close_source;  /* calls on_closed from the main loop */
  GError *problem;
  guint depth; /* depth of nested event calls */
  bool freed;  /* freed inside an event: the memory goes with the last return */
};

/* A socket path is limited to 107 bytes; a directory descriptor makes any path short. */
static bool
short_address (const char *path, int *out_dir_fd, struct sockaddr_un *address, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  vend_autofd dir_fd = open (parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir_fd < 0)
    return vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, errno, "open '%s'", parent);

  memset (address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  int length = g_snprintf (address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s",
                           dir_fd, name);
  if (length < 0 || (gsize) length >= sizeof address->sun_path)
    return vend_fail (error, VEND_ERROR_INVALID, "socket name '%s' is too long", name);
  *out_dir_fd = vend_fd_steal (&dir_fd);
  return true;
}

static void
release (VendLink *link)
{
  vend_frame_reader_free (link->reader);
  g_byte_array_unref (link->out);
  g_main_context_unref (link->context);
  g_clear_error (&link->problem);
  g_free (link);
}

/* ---- Large frames */

struct Parse
{
  VendLink *link; /* NULL when the link has closed; context's thread only */
  GMainContext *context;
  GBytes *text;
  json_t *frame; /* or the problem */
  GError *problem;
};

static void
parse_free (void *data)
{
  Parse *parse = data;
  g_main_context_unref (parse->context);
  g_clear_pointer (&parse->text, g_bytes_unref);
  json_decref (parse->frame);
  g_clear_error (&parse->problem);
  g_free (parse);
}

static gboolean tell_parsed (void *data);

/* GLib's locks order the handover; these tell the thread sanitizer, which does not see them. */
static atomic_uint n_handed;
static atomic_uint n_parsed;

static void
parse_elsewhere (void *data, void *unused)
{
  Parse *parse = data;
  (void) atomic_load (&n_handed);
  if (!vend_frame_parse (parse->text, &parse->frame, &parse->problem))
    parse->frame = NULL;
  g_clear_pointer (&parse->text, g_bytes_unref);
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, tell_parsed, parse, parse_free);
  atomic_fetch_add (&n_parsed, 1);
  g_source_attach (source, parse->context);
}

/* NULL when no threads can be made. */
static GThreadPool *
parse_pool (void)
{
  static gsize made;
  static GThreadPool *pool;
  if (g_once_init_enter (&made))
    {
      pool = g_thread_pool_new (parse_elsewhere, NULL, PARSE_THREADS, TRUE, NULL);
      g_once_init_leave (&made, 1);
    }
  return pool != NULL && g_thread_pool_get_num_threads (pool) > 0 ? pool : NULL;
}

/* Eats `text`. The order of frames stays: the next read follows the delivery of this frame. */
static void
begin_parse (VendLink *link, GBytes *text)
{
  Parse *parse = g_new0 (Parse, 1);
  *parse = (Parse){ .link = link, .context = g_main_context_ref (link->context), .text = text };
  link->parse = parse;
  vend_gsource_clear (&link->read_source);
  GThreadPool *pool = parse_pool ();
  atomic_fetch_add (&n_handed, 1);
  if (pool != NULL)
    g_thread_pool_push (pool, parse, NULL);
  else
    parse_elsewhere (parse, NULL);
}

static void
shut (VendLink *link)
{
  if (link->parse != NULL)
    link->parse->link = NULL;
  link->parse = NULL;
  vend_gsource_clear (&link->read_source);
  vend_gsource_clear (&link->write_source);
  vend_gsource_clear (&link->flush_timer);
  g_clear_pointer (&link->flushing, vend_deferred_free);
  vend_fd_clear (&link->fd);
}

static gboolean
tell_closed (void *user_data)
{
  VendLink *link = user_data;
  vend_gsource_clear (&link->close_source);
  link->depth++;
  link->events->on_closed (link, link->problem, link->context_data);
  if (--link->depth == 0 && link->freed)
    release (link);
  return G_SOURCE_REMOVE;
}

/* Steals `problem`. */
static void
close_link (VendLink *link, GError *problem)
{
  if (link->fd < 0)
    {
      g_clear_error (&problem);
      return;
    }
  shut (link);
  link->problem = problem;
  link->close_source = g_idle_source_new ();
  g_source_set_priority (link->close_source, G_PRIORITY_DEFAULT);
  g_source_set_callback (link->close_source, tell_closed, link, NULL);
  g_source_attach (link->close_source, link->context);
}

static void
dispatch_frames (VendLink *link)
{
  while (link->fd >= 0 && !link->freed && link->parse == NULL)
    {
      json_auto_t *frame = NULL;
      g_autoptr (GBytes) text = NULL;
      g_autoptr (GError) error = NULL;
      if (!vend_frame_reader_take (link->reader, &frame, &text, &error))
        {
          close_link (link, g_steal_pointer (&error));
          return;
        }
      if (text != NULL)
        begin_parse (link, g_steal_pointer (&text));
      if (frame == NULL)
        return;
      link->events->on_frame (link, frame, link->context_data);
    }
}

static void
read_some (VendLink *link)
{
  guint8 chunk[READ_SIZE];
  for (guint i = 0; i < READS_PER_TURN && link->fd >= 0 && !link->freed && link->parse == NULL; i++)
    {
      ssize_t n = read (link->fd, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return;
      if (n <= 0)
        {
          GError *error = NULL;
          if (n < 0 && errno != ECONNRESET)
            vend_fail_errno (&error, VEND_ERROR_UNAVAILABLE, errno, "read from director socket");
          close_link (link, error);
          return;
        }
      vend_frame_reader_feed (link->reader, chunk, (gsize) n);
      dispatch_frames (link);
      if ((gsize) n < sizeof chunk)
        return;
    }
}

static gboolean
on_readable (int fd, GIOCondition condition, void *user_data)
{
  VendLink *link = user_data;
  vend_turn_does ("frames of a director");
  link->depth++;
  read_some (link);
  if (--link->depth == 0 && link->freed)
    release (link);
  return G_SOURCE_CONTINUE;
}

static void flush (VendLink *link);

static gboolean
on_writable (int fd, GIOCondition condition, void *user_data)
{
  flush (user_data);
  return G_SOURCE_CONTINUE;
}

static void
watch (VendLink *link, GIOCondition condition, GUnixFDSourceFunc callback, GSource **out)
{
  *out = vend_fd_source_new (link->fd, condition, callback, link, link->context);
}

static void
flush (VendLink *link)
{
  while (link->written < link->out->len)
    {
      ssize_t n = send (link->fd, link->out->data + link->written, link->out->len - link->written,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        {
          if (link->write_source == NULL)
            watch (link, G_IO_OUT, on_writable, &link->write_source);
          return;
        }
      if (n < 0)
        {
          GError *error = NULL;
          vend_fail_errno (&error, VEND_ERROR_UNAVAILABLE, errno, "write to director socket");
          close_link (link, error);
          return;
        }
      link->written += (gsize) n;
    }
  vend_gsource_clear (&link->write_source);
  vend_gsource_clear (&link->flush_timer);
  link->written = 0;
  if (link->out->len > SHRINK_ABOVE)
    {
      g_byte_array_unref (link->out);
      link->out = g_byte_array_new ();
    }
  else
    g_byte_array_set_size (link->out, 0);
}

static void
flush_turn (void *data)
{
  VendLink *link = data;
  if (link->write_source == NULL)
    flush (link);
}

static void
watch_input (VendLink *link)
{
  watch (link, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, &link->read_source);
}

static gboolean
tell_parsed (void *data)
{
  Parse *parse = data;
  (void) atomic_load (&n_parsed);
  VendLink *link = parse->link;
  if (link == NULL)
    return G_SOURCE_REMOVE;
  vend_turn_does ("large frame of a director");
  link->parse = NULL;
  link->depth++;
  if (parse->frame != NULL)
    link->events->on_frame (link, parse->frame, link->context_data);
  else
    close_link (link, g_steal_pointer (&parse->problem));
  dispatch_frames (link);
  if (link->fd >= 0 && !link->freed && link->parse == NULL)
    watch_input (link);
  if (--link->depth == 0 && link->freed)
    release (link);
  return G_SOURCE_REMOVE;
}

VendLink *
vend_link_adopt (GMainContext *context, int fd, gsize limit, const VendLinkEvents *events,
                 void *context_data)
{
  VendLink *link = g_new0 (VendLink, 1);
  link->context = g_main_context_ref (context);
  link->events = events;
  link->context_data = context_data;
  link->fd = fd;
  link->limit = limit;
  link->reader = vend_frame_reader_new (limit);
  link->out = g_byte_array_new ();
  link->flushing = vend_deferred_new (context, VEND_DEFERRED_SEND, flush_turn, link);
  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  watch_input (link);
  return link;
}

bool
vend_link_open (const char *path, int *out_fd, GError **error)
{
  struct sockaddr_un address;
  vend_autofd dir_fd = -1;
  if (!short_address (path, &dir_fd, &address, error))
    return false;
  vend_autofd fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect (fd, (const struct sockaddr *) &address, sizeof address) < 0)
    return vend_fail_errno (error, VEND_ERROR_UNAVAILABLE, errno, "connect to '%s'", path);
  *out_fd = vend_fd_steal (&fd);
  return true;
}

bool
vend_link_connect (GMainContext *context, const char *path, gsize limit,
                   const VendLinkEvents *events, void *context_data, VendLink **out, GError **error)
{
  int fd = -1;
  if (!vend_link_open (path, &fd, error))
    return false;
  *out = vend_link_adopt (context, fd, limit, events, context_data);
  return true;
}

void
vend_link_free (VendLink *link)
{
  if (link == NULL || link->freed)
    return;
  if (link->fd >= 0)
    flush_turn (link);
  shut (link);
  vend_gsource_clear (&link->close_source);
  link->freed = true;
  if (link->depth == 0)
    release (link);
}

/* Steals `take`. A frame that is too long is dropped: on the next connection it would be as
 * long. */
static bool
append (VendLink *link, json_t *take)
{
  json_auto_t *frame = take;
  g_autoptr (GError) error = NULL;
  if (link->fd < 0)
    return false;

  if (!vend_frame_append (link->out, frame, link->limit, &error))
    {
      const char *event = vend_json_string (frame, "event");
      vend_log (VEND_LOG_ERROR, "a frame is left out", "frame",
                event != NULL ? event : vend_json_string (frame, "command"), "error",
                error->message, NULL);
      return false;
    }
  if (link->out->len - link->written > 2 * link->limit)
    {
      vend_fail (&error, VEND_ERROR_TOO_LARGE, "the other side does not read");
      close_link (link, g_steal_pointer (&error));
      return false;
    }
  return true;
}

bool
vend_link_takes (const VendLink *link, const json_t *frame)
{
  return vend_frame_size (frame) <= link->limit;
}

bool
vend_link_send (VendLink *link, json_t *take)
{
  if (!append (link, take))
    return false;
  if (link->write_source == NULL && link->out->len - link->written > SEND_ABOVE)
    flush (link);
  else
    vend_deferred_request (link->flushing);
  return link->fd >= 0;
}

static gboolean
on_flush_timer (void *user_data)
{
  VendLink *link = user_data;
  vend_gsource_clear (&link->flush_timer);
  if (link->write_source == NULL)
    flush (link);
  return G_SOURCE_REMOVE;
}

bool
vend_link_send_later (VendLink *link, json_t *take)
{
  if (!append (link, take))
    return false;
  if (link->write_source != NULL || link->flush_timer != NULL)
    return true;
  link->flush_timer = g_timeout_source_new (VEND_LINK_FLUSH_MS);
  g_source_set_callback (link->flush_timer, on_flush_timer, link, NULL);
  g_source_attach (link->flush_timer, link->context);
  return true;
}

bool
vend_link_is_flushed (const VendLink *link)
{
  return link->fd < 0 || link->written == link->out->len;
}

bool
vend_link_listen (const char *path, int *out_fd, GError **error)
{
  struct sockaddr_un address;
  vend_autofd dir_fd = -1;
  if (!short_address (path, &dir_fd, &address, error))
    return false;
  if (unlink (path) < 0 && errno != ENOENT)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "remove '%s'", path);
  vend_autofd fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind (fd, (const struct sockaddr *) &address, sizeof address) < 0
      || chmod (path, 0600) < 0 || listen (fd, BACKLOG) < 0)
    return vend_fail_errno (error, VEND_ERROR_STORAGE, errno, "listen at '%s'", path);
  *out_fd = vend_fd_steal (&fd);
  return true;
}
