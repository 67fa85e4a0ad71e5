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

#define NAME_LENGTH 40
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
  g_autofree char *name = vend_secret_new ("\x1e", NAME_LENGTH);
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    vend_slot_marks_init (&server->printed[i].marks, name);
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

void
vend_worker_printed_give_up (VendWorkerServer *server)
{
  if (server->mark_timer != 0)
    g_source_remove (server->mark_timer);
  server->mark_timer = 0;
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    server->printed[i].marks.met = server->printed[i].set;
  vend_worker_marks_met (server);
}

static gboolean
on_patience_over (void *user_data)
{
  VendWorkerServer *server = user_data;
  server->mark_timer = 0;
  vend_worker_printed_give_up (server);
  return G_SOURCE_REMOVE;
}

static bool
is_met (const VendWorkerServer *server, const VendWorkerMark *mark, guint pipe)
{
  return server->printed[pipe].marks.met >= mark->number[pipe];
}

bool
vend_worker_printed_is_met (const VendWorkerServer *server, const VendWorkerMark *mark)
{
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    if (!is_met (server, mark, i))
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
      if (printed->fd < 0)
        continue;
      g_autofree char *text = vend_slot_marks_text (&printed->marks, printed->set + 1);
      const gsize length = strlen (text);
      /* Of one piece, since it is short; a pipe that is full takes none. */
      if (write (printed->fd, text, length) == (ssize_t) length)
        mark.number[i] = ++printed->set;
    }
  if (server->mark_timer == 0 && !vend_worker_printed_is_met (server, &mark))
    server->mark_timer = g_timeout_add (PATIENCE_MS, on_patience_over, server);
  return mark;
}

/* A mark was met: the patience is that for the next one. */
static void
wait_on (VendWorkerServer *server)
{
  bool all = true;
  for (guint i = 0; i < VEND_WORKER_PIPES; i++)
    all = all && server->printed[i].marks.met == server->printed[i].set;
  if (server->mark_timer != 0)
    g_source_remove (server->mark_timer);
  server->mark_timer = all ? 0 : g_timeout_add (PATIENCE_MS, on_patience_over, server);
}

void
vend_worker_printed_take (VendWorkerServer *server, bool is_stderr, const char *text, gsize size)
{
  const guint pipe = is_stderr ? 1 : 0;
  VendWorkerPrinted *printed = &server->printed[pipe];
  while (size > 0)
    {
      VendWorkerCall *last = server->printing;
      const bool is_of_last = last != NULL && !is_met (server, &last->mark, pipe);
      g_autoptr (GString) plain = g_string_new (NULL);
      const guint met = printed->marks.met;
      const gsize taken = vend_slot_marks_feed (&printed->marks, text, size, plain);
      text += taken;
      size -= taken;
      if (plain->len > 0)
        vend_worker_slots_print (server, is_of_last ? last : NULL, plain->str, plain->len);
      if (printed->marks.met == met)
        continue;
      wait_on (server);
      vend_worker_marks_met (server);
    }
}
