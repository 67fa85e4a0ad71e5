/* Pulled bodies, and the signal that wakes them.
 *
 * A pull belongs to its worker's thread. A signal has a slot for each worker with the pulls that
 * sleep there; raising it hands the slots to the workers, and each worker wakes its own pulls. A
 * pull falls asleep on the thread that later looks at the slot, so a signal raised meanwhile is
 * seen in the next turn. */
#include "httpd/httpd-private.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define LEAST_ROOM 64
/* The part of the library's own buffer that chunked bodies do not use. */
#define BLOCK_BYTES 1024
/* Other connections of the worker get turns between thousands of readers. */
#define WAKES_PER_TURN 256

typedef struct
{
  VendSignal *signal;
  VendWorker *worker; /* NULL until a pull of that worker exists */
  guint n_pulls;      /* guarded by the signal's lock, like `raised` */
  bool raised;
  GList link;      /* in VendWorker.raised */
  GQueue sleepers; /* the worker's thread only, like the next two */
  guint to_wake;   /* of the sleepers, from the head */
  GList waking;    /* in VendWorker.waking */
} SignalSlot;

struct VendSignal
{
  atomic_uint owners;
  pthread_mutex_t lock;
  guint n_slots;
  SignalSlot *slots; /* by worker, allocated for the first pull */
};

struct VendPull
{
  const VendPullFuncs *funcs;
  void *data;
  VendSignal *signal;
  SignalSlot *slot; /* NULL until attached */
  struct MHD_Connection *connection;
  VendConn *conn;  /* of the connection; NULL when it has ended */
  int64_t turn_us; /* of the last turn */
  bool asleep;
  bool idle; /* slept too long */
  bool broken;
  bool trimmed;
  GList by_turn;  /* in VendWorker.pulls */
  GList sleeping; /* in SignalSlot.sleepers */
};

/* ---- The signal */

VendSignal *
vend_signal_new (void)
{
  VendSignal *signal = g_new0 (VendSignal, 1);
  atomic_init (&signal->owners, 1);
  pthread_mutex_init (&signal->lock, NULL);
  return signal;
}

VendSignal *
vend_signal_ref (VendSignal *signal)
{
  atomic_fetch_add (&signal->owners, 1);
  return signal;
}

void
vend_signal_unref (VendSignal *signal)
{
  if (signal == NULL || atomic_fetch_sub (&signal->owners, 1) != 1)
    return;
  pthread_mutex_destroy (&signal->lock);
  g_free (signal->slots);
  g_free (signal);
}

void
vend_signal_raise (VendSignal *signal)
{
  pthread_mutex_lock (&signal->lock);
  for (guint i = 0; i < signal->n_slots; i++)
    {
      SignalSlot *slot = &signal->slots[i];
      if (slot->n_pulls == 0 || slot->raised)
        continue;
      slot->raised = true;
      vend_signal_ref (signal);
      pthread_mutex_lock (&slot->worker->lock);
      g_queue_push_tail_link (&slot->worker->raised, &slot->link);
      pthread_mutex_unlock (&slot->worker->lock);
      vend_worker_poke (slot->worker);
    }
  pthread_mutex_unlock (&signal->lock);
}

static SignalSlot *
join (VendSignal *signal, VendWorker *worker)
{
  const guint index = (guint) (worker - worker->httpd->workers);
  pthread_mutex_lock (&signal->lock);
  if (signal->slots == NULL)
    {
      signal->n_slots = worker->httpd->n_workers;
      signal->slots = g_new0 (SignalSlot, signal->n_slots);
    }
  SignalSlot *slot = &signal->slots[index];
  slot->signal = signal;
  slot->worker = worker;
  slot->link.data = slot;
  slot->waking.data = slot;
  slot->n_pulls++;
  pthread_mutex_unlock (&signal->lock);
  return slot;
}

/* ---- One body */

static void
take_turn (VendPull *pull)
{
  GQueue *pulls = &pull->slot->worker->pulls;
  pull->turn_us = g_get_monotonic_time ();
  g_queue_unlink (pulls, &pull->by_turn);
  g_queue_push_tail_link (pulls, &pull->by_turn);
}

static void
wake (VendPull *pull)
{
  if (!pull->asleep)
    return;
  pull->asleep = false;
  g_queue_unlink (&pull->slot->sleepers, &pull->sleeping);
  MHD_resume_connection (pull->connection);
}

/* The library clears the part of a connection's memory that the request's head does not need, and
 * offers it here as room. A body that sleeps for long gives these pages back: 8 KiB a connection
 * remain of 40 KiB. */
static void
trim (char *room_start, gsize room)
{
  const gsize page = (gsize) sysconf (_SC_PAGESIZE);
  const uintptr_t start = ((uintptr_t) room_start + page - 1) / page * page;
  const uintptr_t end = ((uintptr_t) room_start + room) / page * page;
  if (end > start)
    madvise ((void *) start, end - start, MADV_DONTNEED);
}

static ssize_t
read_pull (void *data, uint64_t position, char *buffer, size_t room)
{
  VendPull *pull = data;
  take_turn (pull);
  pull->slot->worker->conns.progress = true;
  if (pull->broken)
    return MHD_CONTENT_READER_END_WITH_ERROR;
  const gssize n = pull->funcs->read (pull->data, buffer, room);
  const bool idle = pull->idle;
  pull->idle = false;
  if (n > 0)
    return n;
  if (n == VEND_PULL_END)
    return MHD_CONTENT_READER_END_OF_STREAM;
  if (n < 0)
    return MHD_CONTENT_READER_END_WITH_ERROR;
  const gsize size = strlen (pull->funcs->keep_alive);
  if (idle || !pull->trimmed)
    trim (buffer, room);
  pull->trimmed = true;
  if (idle && size <= room)
    {
      memcpy (buffer, pull->funcs->keep_alive, size);
      return (ssize_t) size;
    }
  pull->asleep = true;
  g_queue_push_tail_link (&pull->slot->sleepers, &pull->sleeping);
  MHD_suspend_connection (pull->connection);
  return 0;
}

static void
release_pull (void *data)
{
  VendPull *pull = data;
  if (pull->conn != NULL)
    pull->conn->pull = NULL;
  if (pull->slot != NULL)
    {
      g_queue_unlink (&pull->slot->worker->pulls, &pull->by_turn);
      if (pull->asleep)
        g_queue_unlink (&pull->slot->sleepers, &pull->sleeping);
      pthread_mutex_lock (&pull->signal->lock);
      pull->slot->n_pulls--;
      pthread_mutex_unlock (&pull->signal->lock);
    }
  pull->funcs->free (pull->data);
  vend_signal_unref (pull->signal);
  g_free (pull);
}

struct MHD_Response *
vend_pull_response (VendSignal *signal, const VendPullFuncs *funcs, void *data, VendPull **out)
{
  VendPull *pull = g_new0 (VendPull, 1);
  g_assert (strlen (funcs->keep_alive) < LEAST_ROOM);
  pull->funcs = funcs;
  pull->data = data;
  pull->signal = vend_signal_ref (signal);
  pull->by_turn.data = pull;
  pull->sleeping.data = pull;
  *out = pull;
  return MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_pull, pull,
                                            release_pull);
}

void
vend_pull_attach (VendPull *pull, VendCall *call)
{
  pull->connection = call->connection;
  pull->conn = vend_conn_of (call->connection);
  pull->conn->pull = pull;
  pull->slot = join (pull->signal, call->worker);
  pull->turn_us = g_get_monotonic_time ();
  g_queue_push_tail_link (&call->worker->pulls, &pull->by_turn);
}

void
vend_pull_detach (VendPull *pull)
{
  pull->conn = NULL;
}

bool
vend_pull_watches_client (const VendPull *pull)
{
  return pull->funcs->ends_with_client && !pull->broken;
}

void
vend_pull_client_left (VendPull *pull)
{
  pull->broken = true;
  wake (pull);
}

/* ---- The worker's turn */

/* Each slot in either list has a reference to its signal. */
static void
take_raised (VendWorker *worker)
{
  pthread_mutex_lock (&worker->lock);
  GQueue raised = worker->raised;
  g_queue_init (&worker->raised);
  pthread_mutex_unlock (&worker->lock);
  while (raised.head != NULL)
    {
      SignalSlot *slot = g_queue_pop_head_link (&raised)->data;
      pthread_mutex_lock (&slot->signal->lock);
      slot->raised = false;
      pthread_mutex_unlock (&slot->signal->lock);
      if (slot->to_wake > 0)
        vend_signal_unref (slot->signal);
      else
        g_queue_push_tail_link (&worker->waking, &slot->waking);
      slot->to_wake = MAX (slot->sleepers.length, 1);
    }
}

static void
wake_raised (VendWorker *worker)
{
  take_raised (worker);
  for (guint i = 0; i < WAKES_PER_TURN && worker->waking.head != NULL; i++)
    {
      SignalSlot *slot = worker->waking.head->data;
      if (slot->sleepers.head != NULL)
        wake (slot->sleepers.head->data);
      if (slot->sleepers.head != NULL && --slot->to_wake > 0)
        continue;
      slot->to_wake = 0;
      g_queue_unlink (&worker->waking, &slot->waking);
      vend_signal_unref (slot->signal);
    }
  if (worker->waking.head != NULL)
    vend_worker_poke (worker);
}

/* A reader that does not read would keep its waiting bytes. The socket is valid, since the response
 * still owns the pull. */
static void
drop (VendPull *pull)
{
  const union MHD_ConnectionInfo *info
      = MHD_get_connection_info (pull->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  pull->broken = true;
  if (info != NULL)
    shutdown (info->connect_fd, SHUT_RDWR);
}

void
vend_pulls_turn (VendWorker *worker)
{
  wake_raised (worker);
  if (worker->pulls.head == NULL)
    return;
  const int64_t until_us = g_get_monotonic_time () - worker->httpd->pull_idle_us;
  for (VendPull *pull;
       worker->pulls.head != NULL && (pull = worker->pulls.head->data)->turn_us <= until_us;)
    {
      take_turn (pull);
      if (pull->asleep)
        {
          pull->idle = true;
          wake (pull);
        }
      else if (!pull->broken && pull->funcs->is_slow (pull->data))
        drop (pull);
    }
}

int
vend_pulls_timeout_ms (const VendWorker *worker)
{
  if (worker->pulls.head == NULL)
    return -1;
  const VendPull *pull = worker->pulls.head->data;
  const int64_t left_us = pull->turn_us + worker->httpd->pull_idle_us - g_get_monotonic_time ();
  return left_us > 0 ? (int) (left_us / 1000) + 1 : 0;
}

void
vend_pulls_abort_all (VendWorker *worker)
{
  for (GList *link = worker->pulls.head; link != NULL; link = link->next)
    {
      VendPull *pull = link->data;
      pull->broken = true;
      wake (pull);
    }
}

void
vend_pulls_forget (VendWorker *worker)
{
  do
    wake_raised (worker);
  while (worker->waking.head != NULL);
}
