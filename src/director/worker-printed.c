/* What the model and its children print past Python: the worker's own descriptors 1 and 2, which
 * lead into pipes that it reads itself and passes on over the control channel, beside the slots. To
 * know that all of it has come by then, a mark goes through the same pipes (coglet
 * crates/coglet/src/fd_redirect.rs). Main context. */
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "director/worker-server.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define MARK_LENGTH 40
#define PATIENCE_MS 500 /* for a mark; what comes later goes where it can */

static int
open_pipe (const VendWorkerServer *server, int number, ino_t *out_inode)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd/%d", (int) server->pid, number);
  struct stat st;
  vend_autofd fd = open (path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISFIFO (st.st_mode))
    return -1;
  *out_inode = st.st_ino;
  return vend_fd_steal (&fd);
}

/* One that still writes to the control channel with that descriptor has pipes of no kind. */
static void
open_pipes (VendWorkerServer *server)
{
  ino_t inode = 0;
  vend_autofd fd = open_pipe (server, STDOUT_FILENO, &inode);
  if (fd < 0 || inode == server->control_inode)
    return;
  server->printed[0].fd = vend_fd_steal (&fd);
  server->printed[1].fd = open_pipe (server, STDERR_FILENO, &inode);
}

void
vend_worker_printed_open (VendWorkerServer *server)
{
  g_autofree char *secret = vend_secret_new ("", MARK_LENGTH);
  g_autofree char *mark = g_strdup_printf ("\x1e%s\x1e", secret);
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    vend_slot_marks_init (&server->printed[i].marks, mark);
  open_pipes (server);
  if (server->printed[0].fd < 0 || server->printed[1].fd < 0)
    vend_log (VEND_LOG_WARN, "late words of child processes may be missing in logs", NULL);
}

void
vend_worker_printed_clear (VendWorkerServer *server)
{
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    {
      vend_fd_clear (&server->printed[i].fd);
      vend_slot_marks_clear (&server->printed[i].marks);
    }
  if (server->mark_timer != 0)
    g_source_remove (server->mark_timer);
  server->mark_timer = 0;
}

bool
vend_worker_printed_has_more (const VendWorkerServer *server)
{
  int size = 0;
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    if (server->printed[i].fd >= 0 && ioctl (server->printed[i].fd, FIONREAD, &size) == 0
        && size > 0)
      return true;
  return false;
}

static gboolean
on_patience_over (void *user_data)
{
  VendWorkerServer *server = user_data;
  server->mark_timer = 0;
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    server->printed[i].marks.met = server->printed[i].set;
  vend_worker_marks_met (server);
  return G_SOURCE_REMOVE;
}

bool
vend_worker_printed_is_met (const VendWorkerServer *server, const VendWorkerMark *mark)
{
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    if (server->printed[i].marks.met < mark->number[i])
      return false;
  return true;
}

VendWorkerMark
vend_worker_printed_mark (VendWorkerServer *server)
{
  VendWorkerMark mark = { { 0 } };
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    {
      VendWorkerPrinted *printed = &server->printed[i];
      const gsize length = printed->fd >= 0 ? strlen (printed->marks.mark) : 0;
      /* Of one piece, since it is short; a pipe that is full takes none. */
      if (length > 0 && write (printed->fd, printed->marks.mark, length) == (ssize_t) length)
        mark.number[i] = ++printed->set;
    }
  if (server->mark_timer == 0 && !vend_worker_printed_is_met (server, &mark))
    server->mark_timer = g_timeout_add (PATIENCE_MS, on_patience_over, server);
  return mark;
}

void
vend_worker_printed_take (VendWorkerServer *server, bool is_stderr, const char *text, gsize size)
{
  g_autoptr (GString) plain = g_string_new (NULL);
  VendWorkerPrinted *printed = &server->printed[is_stderr ? 1 : 0];
  const guint met = printed->marks.met;
  vend_slot_marks_feed (&printed->marks, text, size, plain);
  if (plain->len > 0)
    vend_worker_slots_print (server, plain->str, plain->len);
  if (printed->marks.met == met)
    return;
  bool all = true;
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    all = all && server->printed[i].marks.met == server->printed[i].set;
  if (all && server->mark_timer != 0)
    {
      g_source_remove (server->mark_timer);
      server->mark_timer = 0;
    }
  vend_worker_marks_met (server);
}
