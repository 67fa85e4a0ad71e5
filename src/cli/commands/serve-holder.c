/* Marks of server processes: "BOOT NAMESPACE PID START". A pid counts within its namespace, a start
 * time within its boot. */
#include "cli/commands/serve-holder.h"
#include "base/fd.h"
#include "runner/process-identity.h"
#include <signal.h>
#include <string.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define NAMESPACE "/proc/self/ns/pid"
#define MAX_BOOT_ID 64

/* Where the numbers of a mark mean something; NULL when that cannot be told. */
static char *
place (void)
{
  g_autofree char *boot = NULL;
  g_autofree char *space = g_file_read_link (NAMESPACE, NULL);
  if (space == NULL || !vend_file_read (BOOT_ID, MAX_BOOT_ID, &boot, NULL, NULL))
    return NULL;
  return g_strconcat (g_strstrip (boot), " ", space, NULL);
}

char *
vend_holder_mark (void)
{
  uint64_t start = 0;
  g_autofree char *here = place ();
  if (here == NULL || !vend_process_start_time (getpid (), &start))
    return g_strdup ("");
  return g_strdup_printf ("%s %d %" G_GUINT64_FORMAT, here, (int) getpid (), start);
}

/* False when the mark is of another place, or none. */
static bool
read_mark (const char *mark, pid_t *out_pid, uint64_t *out_start)
{
  g_autofree char *here = place ();
  const gsize length = here != NULL ? strlen (here) : 0;
  if (here == NULL || strncmp (mark, here, length) != 0 || mark[length] != ' ')
    return false;
  char *end = NULL;
  const gint64 pid = g_ascii_strtoll (mark + length + 1, &end, 10);
  if (pid <= 0 || pid > G_MAXINT32 || *end != ' ')
    return false;
  *out_pid = (pid_t) pid;
  *out_start = g_ascii_strtoull (end + 1, NULL, 10);
  return true;
}

bool
vend_holder_is_gone (const char *mark)
{
  pid_t pid = 0;
  uint64_t start = 0, actual = 0;
  if (!read_mark (mark, &pid, &start))
    return false;
  return !vend_process_start_time (pid, &actual) || actual != start;
}

bool
vend_holder_kill (const char *mark)
{
  pid_t pid = 0;
  uint64_t start = 0;
  return read_mark (mark, &pid, &start) && pid != getpid ()
         && vend_process_signal (pid, start, SIGKILL);
}
