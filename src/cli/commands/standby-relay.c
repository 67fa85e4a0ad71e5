/* Connections passed on while a server stands by. All sockets are those of one thread and one
 * epoll; the target alone is shared. */
#include "cli/commands/standby-relay.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "egress/flow.h"
#include "httpd/listen.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define EVENTS 64
/* Of one connection before another one has its turn. */
#define ROUNDS 16

typedef struct Pair Pair;

typedef struct
{
  Pair *pair;
  int fd;
  VendFlow flow;   /* what was read from it */
  bool is_shut;    /* nothing more is written to it */
  bool is_watched; /* in the epoll */
  uint32_t interest;
} End;

struct Pair
{
  VendRelay *relay;
  End client;
  End server;
  bool is_connected;
  bool is_over;
};

struct VendRelay
{
  int listener;
  guint max;
  GThread *thread;
  int epoll;
  int wake;
  GPtrArray *pairs; /* of Pair, freed with it */
  bool accepts;     /* the listener is watched */

  pthread_mutex_t lock; /* guards all below */
  bool stops;
  bool has_target;
  char *address; /* of `target` */
  VendListenAddress target;
};

/* ---- One connection */

static void
end_clear (End *end)
{
  vend_fd_clear (&end->fd);
  vend_flow_clear (&end->flow);
}

static void
pair_free (void *data)
{
  Pair *pair = data;
  end_clear (&pair->client);
  end_clear (&pair->server);
  g_free (pair);
}

static End *
other_end (End *end)
{
  return end == &end->pair->client ? &end->pair->server : &end->pair->client;
}

static bool
is_done (const End *from)
{
  return from->flow.has_ended && vend_flow_pending (&from->flow) == 0;
}

/* False when one of the two sockets is gone. */
static bool
move_once (End *from, End *to, bool *out_moved)
{
  VendFlowResult result = VEND_FLOW_WAIT;
  if (!from->flow.has_ended && vend_flow_has_room (&from->flow))
    result = vend_flow_read (&from->flow, from->fd, VEND_FLOW_BUFFER);
  from->flow.has_ended |= result == VEND_FLOW_END;
  *out_moved = result == VEND_FLOW_MOVED;
  if (result == VEND_FLOW_BROKEN)
    return false;
  vend_flow_release (&from->flow);
  if (vend_flow_pending (&from->flow) == 0)
    return true;
  result = vend_flow_write (&from->flow, to->fd);
  *out_moved |= result == VEND_FLOW_MOVED;
  return result != VEND_FLOW_BROKEN;
}

static bool
move (End *from, End *to)
{
  bool moved = true;
  for (guint i = 0; moved && i < ROUNDS; i++)
    if (!move_once (from, to, &moved))
      return false;
  if (is_done (from) && !to->is_shut)
    {
      to->is_shut = true;
      return shutdown (to->fd, SHUT_WR) == 0;
    }
  return true;
}

static uint32_t
interest_of (End *end)
{
  const bool is_connecting = end == &end->pair->server && !end->pair->is_connected;
  if (is_connecting)
    return EPOLLOUT;
  uint32_t interest = 0;
  if (end->pair->is_connected && !end->flow.has_ended && vend_flow_has_room (&end->flow))
    interest |= EPOLLIN;
  if (vend_flow_pending (&other_end (end)->flow) > 0)
    interest |= EPOLLOUT;
  return interest;
}

static bool
watch (End *end)
{
  /* One that has ended both ways would report that again and again. */
  const bool is_wanted = !end->flow.has_ended || !end->is_shut;
  struct epoll_event event = { .events = interest_of (end), .data.ptr = end };
  const int epoll = end->pair->relay->epoll;
  if (!is_wanted)
    {
      const bool good = !end->is_watched || epoll_ctl (epoll, EPOLL_CTL_DEL, end->fd, NULL) == 0;
      end->is_watched = false;
      return good;
    }
  if (end->is_watched && end->interest == event.events)
    return true;
  const int how = end->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  end->is_watched = true;
  end->interest = event.events;
  return epoll_ctl (epoll, how, end->fd, &event) == 0;
}

static void
forget_target (VendRelay *relay)
{
  pthread_mutex_lock (&relay->lock);
  relay->has_target = false;
  pthread_mutex_unlock (&relay->lock);
}

static bool
finish_connect (Pair *pair)
{
  int code = 0;
  socklen_t size = sizeof code;
  pair->is_connected
      = getsockopt (pair->server.fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code == 0;
  if (!pair->is_connected)
    forget_target (pair->relay);
  return pair->is_connected;
}

static void
pump (Pair *pair, End *end, uint32_t events)
{
  if (pair->is_over)
    return;
  bool good = true;
  if (!pair->is_connected && end == &pair->server)
    good = finish_connect (pair);
  else if ((events & EPOLLERR) != 0)
    good = false;
  if (good && pair->is_connected)
    good = move (&pair->client, &pair->server) && move (&pair->server, &pair->client);
  pair->is_over = !good || (is_done (&pair->client) && is_done (&pair->server))
                  || !watch (&pair->client) || !watch (&pair->server);
}

/* ---- New ones */

static bool
begin (VendRelay *relay, int client, const VendListenAddress *target)
{
  const int on = 1;
  Pair *pair = g_new0 (Pair, 1);
  pair->relay = relay;
  pair->client = (End){ .pair = pair, .fd = client };
  pair->server = (End){ .pair = pair, .fd = -1 };
  pair->server.fd
      = socket (target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (pair->server.fd < 0
      || (connect (pair->server.fd, (const struct sockaddr *) &target->address, target->size) < 0
          && errno != EINPROGRESS)
      || !watch (&pair->server) || !watch (&pair->client))
    {
      pair_free (pair);
      return false;
    }
  setsockopt (client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt (pair->server.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  g_ptr_array_add (relay->pairs, pair);
  return true;
}

static bool
may_accept (VendRelay *relay, VendListenAddress *out)
{
  pthread_mutex_lock (&relay->lock);
  const bool may = relay->has_target && !relay->stops && relay->pairs->len < relay->max;
  *out = relay->target;
  pthread_mutex_unlock (&relay->lock);
  return may;
}

static void
accept_all (VendRelay *relay)
{
  VendListenAddress target;
  while (may_accept (relay, &target))
    {
      const int client = accept4 (relay->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (client < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
        return;
      /* Too many descriptors, or nobody there: again when the target is told the next time. */
      if (client < 0 || !begin (relay, client, &target))
        forget_target (relay);
    }
}

static void
watch_listener (VendRelay *relay)
{
  VendListenAddress target;
  const bool accepts = may_accept (relay, &target);
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = &relay->listener };
  if (accepts != relay->accepts
      && epoll_ctl (relay->epoll, accepts ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, relay->listener, &event)
             == 0)
    relay->accepts = accepts;
}

/* ---- The thread */

static void
remove_those_over (VendRelay *relay)
{
  for (guint i = relay->pairs->len; i > 0; i--)
    if (((const Pair *) g_ptr_array_index (relay->pairs, i - 1))->is_over)
      g_ptr_array_remove_index_fast (relay->pairs, i - 1);
}

static bool
is_stopped (VendRelay *relay)
{
  pthread_mutex_lock (&relay->lock);
  const bool stops = relay->stops;
  pthread_mutex_unlock (&relay->lock);
  return stops;
}

static void *
relay_main (void *data)
{
  VendRelay *relay = data;
  struct epoll_event events[EVENTS];
  while (!is_stopped (relay))
    {
      const int n = epoll_wait (relay->epoll, events, EVENTS, -1);
      for (int i = 0; i < n; i++)
        {
          uint64_t wakes = 0;
          if (events[i].data.ptr == &relay->wake)
            (void) !read (relay->wake, &wakes, sizeof wakes);
          else if (events[i].data.ptr == &relay->listener)
            accept_all (relay);
          else
            {
              End *end = events[i].data.ptr;
              pump (end->pair, end, events[i].events);
            }
        }
      remove_those_over (relay);
      watch_listener (relay);
    }
  return NULL;
}

static void
wake (VendRelay *relay)
{
  const uint64_t one = 1;
  (void) !write (relay->wake, &one, sizeof one);
}

bool
vend_relay_start (int listener, guint max, VendRelay **out, GError **error)
{
  g_autoptr (VendRelay) relay = g_new0 (VendRelay, 1);
  pthread_mutex_init (&relay->lock, NULL);
  relay->listener = listener;
  relay->max = max;
  relay->pairs = g_ptr_array_new_with_free_func (pair_free);
  relay->epoll = epoll_create1 (EPOLL_CLOEXEC);
  relay->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = &relay->wake };
  if (relay->epoll < 0 || relay->wake < 0
      || epoll_ctl (relay->epoll, EPOLL_CTL_ADD, relay->wake, &event) < 0)
    return vend_fail_errno (error, VEND_ERROR_INTERNAL, errno, "the relay of a standby");
  relay->thread = g_thread_try_new ("standby-relay", relay_main, relay, error);
  if (relay->thread == NULL)
    return false;
  *out = g_steal_pointer (&relay);
  return true;
}

void
vend_relay_set_target (VendRelay *relay, const char *address)
{
  VendListenAddress found;
  g_autoptr (GError) error = NULL;
  pthread_mutex_lock (&relay->lock);
  const bool is_known = g_strcmp0 (relay->address, address) == 0;
  pthread_mutex_unlock (&relay->lock);
  const bool good
      = is_known || *address == '\0' || vend_listen_find (address, "advertise", &found, &error);
  if (!good)
    vend_log (VEND_LOG_WARN, "cannot pass calls on to the server that has the database", "address",
              address, "error", error->message, NULL);
  pthread_mutex_lock (&relay->lock);
  if (good && !is_known)
    {
      g_free (relay->address);
      relay->address = g_strdup (address);
      if (*address != '\0')
        relay->target = found;
    }
  relay->has_target = good && *address != '\0';
  pthread_mutex_unlock (&relay->lock);
  wake (relay);
}

void
vend_relay_free (VendRelay *relay)
{
  if (relay == NULL)
    return;
  if (relay->thread != NULL)
    {
      pthread_mutex_lock (&relay->lock);
      relay->stops = true;
      pthread_mutex_unlock (&relay->lock);
      wake (relay);
      g_thread_join (relay->thread);
    }
  g_ptr_array_unref (relay->pairs);
  vend_fd_clear (&relay->epoll);
  vend_fd_clear (&relay->wake);
  pthread_mutex_destroy (&relay->lock);
  g_free (relay->address);
  g_free (relay);
}
