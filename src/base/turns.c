/* Turns: the longest time without a poll of threads that must not block. */
#include "base/turns.h"
#include "base/fd.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "VEND_TURNS"
#define SCHEDSTAT "/proc/thread-self/schedstat"
#define NS_PER_US 1000

typedef struct
{
  VendTurnsKind kind;
  int schedstat; /* or -1 */
  bool is_open;  /* a turn is in progress */
  int64_t began_us;
  const char *does; /* since part_us */
  int64_t part_us;
  const char *most; /* longest work in this turn, and its time */
  int64_t most_us;
} Watch;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct
{
  int64_t us;
  const char *what;
  bool is_measured;
} longest[VEND_TURNS_KINDS]; /* guarded by `lock` */

static void
watch_free (void *data)
{
  Watch *watch = data;
  vend_fd_clear (&watch->schedstat);
  g_free (watch);
}

static GPrivate current = G_PRIVATE_INIT (watch_free);

void
vend_turns_watch (VendTurnsKind kind)
{
  if (g_strcmp0 (g_getenv (VARIABLE), "1") != 0)
    return;
  Watch *watch = g_new0 (Watch, 1);
  watch->kind = kind;
  watch->schedstat = open (SCHEDSTAT, O_RDONLY | O_CLOEXEC);
  g_private_replace (&current, watch);
  pthread_mutex_lock (&lock);
  longest[kind].is_measured = true;
  pthread_mutex_unlock (&lock);
}

/* Time less the waits of this thread for a core. */
static int64_t
busy_us (const Watch *watch)
{
  char text[96];
  guint64 ran_ns = 0, waited_ns = 0;
  const ssize_t n = watch->schedstat >= 0 ? pread (watch->schedstat, text, sizeof text - 1, 0) : -1;
  text[MAX (n, 0)] = '\0';
  if (sscanf (text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &ran_ns, &waited_ns) != 2)
    waited_ns = 0;
  return g_get_monotonic_time () - (int64_t) (waited_ns / NS_PER_US);
}

static void
end_part (Watch *watch, int64_t now_us)
{
  const int64_t took_us = now_us - watch->part_us;
  if (took_us >= watch->most_us)
    {
      watch->most_us = took_us;
      watch->most = watch->does;
    }
  watch->part_us = now_us;
}

void
vend_turn_begin (void)
{
  Watch *watch = g_private_get (&current);
  if (watch == NULL)
    return;
  const int64_t now_us = busy_us (watch);
  watch->is_open = true;
  watch->began_us = watch->part_us = now_us;
  watch->does = watch->most = "other";
  watch->most_us = 0;
}

void
vend_turn_does (const char *what)
{
  Watch *watch = g_private_get (&current);
  if (watch == NULL || !watch->is_open)
    return;
  end_part (watch, busy_us (watch));
  watch->does = what;
}

void
vend_turn_end (void)
{
  Watch *watch = g_private_get (&current);
  if (watch == NULL || !watch->is_open)
    return;
  const int64_t now_us = busy_us (watch);
  end_part (watch, now_us);
  watch->is_open = false;
  const int64_t took_us = now_us - watch->began_us;
  pthread_mutex_lock (&lock);
  if (took_us > longest[watch->kind].us)
    {
      longest[watch->kind].us = took_us;
      longest[watch->kind].what = watch->most;
    }
  pthread_mutex_unlock (&lock);
}

static gint
poll_between_turns (GPollFD *fds, guint n, gint timeout_ms)
{
  vend_turn_end ();
  const gint ready = g_poll (fds, n, timeout_ms);
  vend_turn_begin ();
  return ready;
}

void
vend_turns_watch_context (GMainContext *context)
{
  vend_turns_watch (VEND_TURNS_CORE);
  if (g_private_get (&current) != NULL)
    g_main_context_set_poll_func (context, poll_between_turns);
}

bool
vend_turns_longest (VendTurnsKind kind, int64_t *out_us, const char **out_what)
{
  pthread_mutex_lock (&lock);
  const bool is_measured = longest[kind].is_measured;
  *out_us = longest[kind].us;
  *out_what = longest[kind].what != NULL ? longest[kind].what : "nothing";
  pthread_mutex_unlock (&lock);
  return is_measured;
}
