/* A start from a zygote in a sandbox. The launcher in there asks for a fork, which enters the
 * sandbox; it runs nothing before this director has looked at it and moved it into the control
 * groups. Main context. */
#include "base/error.h"
#include "base/fd-source.h"
#include "base/fd.h"
#include "base/log.h"
#include "director/director-private.h"
#include "sandbox/fork-check.h"
#include "sandbox/packet.h"
#include "sandbox/pin.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define ZYGOTE "VEND_LAUNCH_ZYGOTE"
#define SNAPSHOT "VEND_LAUNCH_SNAPSHOT"
#define CHECK "VEND_LAUNCH_CHECK"

/* As the launcher does it where there is no sandbox. */
static void
note_start (const VendDirector *director, const char *line)
{
  g_autofree char *path = g_build_filename (director->dir, "start", NULL);
  g_autofree char *text = g_strdup (line);
  vend_autofd fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  g_strdelimit (text, "\n", ' ');
  g_autofree char *whole = g_strconcat (text, "\n", NULL);
  /* Nothing depends on it. */
  if (fd >= 0)
    (void) !vend_fd_write_all (fd, whole, strlen (whole), NULL);
}

static char **
go_plainly (const VendDirector *director, char **env, const char *why)
{
  g_autofree char *line = g_strconcat ("plain ", why, NULL);
  if (why != NULL)
    note_start (director, line);
  return g_environ_unsetenv (g_environ_unsetenv (env, ZYGOTE), SNAPSHOT);
}

char **
vend_director_choose_start (VendDirector *director, char *const *env)
{
  const VendSpec *spec = director->spec;
  g_autoptr (GError) error = NULL;
  char **own = g_strdupv ((char **) env);
  if (spec->isolation != VEND_ISOLATION_SANDBOX
      || (g_environ_getenv (own, ZYGOTE) == NULL && g_environ_getenv (own, SNAPSHOT) == NULL))
    return own;
  if (director->starts_plainly)
    return go_plainly (director, own, NULL);
  /* A model server would fork its worker by itself, where nobody looks at it. */
  if (director->kind != &vend_worker_server)
    return go_plainly (director, own, "this model server takes no forks in a sandbox");
  if (spec->room_life == NULL)
    return go_plainly (director, own, "its zygote has no room");
  if (!vend_room_open (spec->room_life, spec->room_first, &director->room, &error))
    return go_plainly (director, own, error->message);
  return g_environ_setenv (own, CHECK, G_STRINGIFY (VEND_PIN_CHECK), TRUE);
}

/* ---- Its fork */

static bool
take_fork (VendDirector *director, int pidfd, pid_t launcher, GError **error)
{
  const pid_t pid = vend_fork_number (pidfd);
  const VendForkPlace place = { .first = director->first,
                                .launcher = launcher,
                                .cwd = vend_workspace_cwd (director->workspace) };
  if (pid == 0 || director->first == 0)
    return vend_fail (error, VEND_ERROR_RUNNER, "its fork has ended");
  if (!vend_fork_check (pid, &place, error)
      || !vend_model_limits_move (director->limits, pid, error)
      || !vend_fork_check_groups (pid, &place, error))
    return false;
  vend_model_process_forked (director->model, pid);
  return true;
}

static void
answer_fork (VendDirector *director, int pidfd, pid_t launcher)
{
  g_autoptr (GError) error = NULL;
  const bool good = take_fork (director, pidfd, launcher, &error);
  g_autofree char *text = good ? g_strdup ("go") : g_strconcat ("no ", error->message, NULL);
  if (!good)
    vend_log (VEND_LOG_WARN, "a fork is not let go", "reason", error->message, NULL);
  (void) !send (director->fork_fd, text, MIN (strlen (text), VEND_PACKET_MAX - 1),
                MSG_NOSIGNAL | MSG_DONTWAIT);
}

static gboolean
on_launcher (int fd, GIOCondition condition, void *data)
{
  VendDirector *director = data;
  VendPacket message;
  while (vend_packet_receive (fd, &message))
    {
      vend_autofd sent = message.fd;
      if (g_str_has_prefix (message.text, "say "))
        note_start (director, message.text + strlen ("say "));
      else if (strcmp (message.text, "fork") == 0 && sent >= 0)
        answer_fork (director, sent, message.sender);
    }
  if ((condition & G_IO_HUP) == 0)
    return G_SOURCE_CONTINUE;
  vend_gsource_clear (&director->fork_source);
  return G_SOURCE_REMOVE;
}

bool
vend_director_hear_launcher (VendDirector *director, char *const *env, int *out_fd, GError **error)
{
  *out_fd = -1;
  if (g_environ_getenv ((char **) env, CHECK) == NULL)
    return true;
  if (!vend_packet_pair (&director->fork_fd, out_fd, error))
    return false;
  director->fork_source = vend_fd_source_new (director->fork_fd, G_IO_IN | G_IO_HUP, on_launcher,
                                              director, g_main_context_default ());
  return true;
}

/* ---- Its end */

bool
vend_director_blames_room (VendDirector *director)
{
  if (director->state != VEND_DIRECTOR_STARTING || director->room == NULL || director->starts_again
      || (director->first != 0 && !vend_room_has_ended (director->room)))
    return false;
  const bool is_made = director->first != 0;
  vend_log (VEND_LOG_WARN, "the model is started plainly", "reason",
            is_made ? "the room of its zygote ended" : "no sandbox in the room of its zygote",
            NULL);
  note_start (director, is_made ? "plain the room of its zygote ended"
                                : "plain no sandbox can be made in the room of its zygote");
  director->starts_plainly = true;
  return true;
}

void
vend_director_clear_fork (VendDirector *director)
{
  vend_gsource_clear (&director->fork_source);
  vend_fd_clear (&director->fork_fd);
  g_clear_pointer (&director->room, vend_room_free);
  director->first = 0;
}
