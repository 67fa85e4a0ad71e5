/* The store: one writer thread with group commit, N readers. */
#include "store/store.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd-source.h"
#include "base/lock.h"
#include "base/log.h"
#include "store/migrate.h"
#include "store/old-schema.h"
#include "store/rows.h"
#include <pthread.h>
#include <sys/prctl.h>

/* Larger groups do not make commits cheaper, and delay the first write. */
#define MAX_GROUP 512
/* Much shorter than a commit. */
#define GATHER_US 40
#define GATHER_ROUNDS 5
/* More writes wait only when the database is away or much too slow. */
#define MAX_BACKLOG 10000
/* Short enough for a restart of the database to pass unseen by those who write. */
#define AWAY_PATIENCE_US (5 * VEND_US_PER_S)
#define REOPEN_LEAST_US (2 * VEND_US_PER_MS)
#define REOPEN_MOST_US (500 * VEND_US_PER_MS)
/* A stop waits as long for the database. */
#define CLOSING_PATIENCE_US (3 * VEND_US_PER_S)

typedef struct
{
  VendStoreJob job;
  VendStoreDone done;
  void *data;
  GError *error;
  bool waits; /* a caller blocks in vend_store_write_wait */
  bool finished;
} Write;

static const int64_t commit_bounds[]
    = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 250000, 1000000, 5000000 };
static const int64_t group_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, MAX_GROUP };

struct VendStore
{
  VendDb *writer;
  VendStoreStats stats;
  GThread *thread;
  GMainContext *core;
  _Atomic uint64_t model_changes;

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t work;
  pthread_cond_t finished;
  GQueue writes; /* of Write, not begun */
  guint in_commit;
  int64_t waiting_us; /* since when a write waits without a commit; 0 = no write waits */
  int64_t away_us;    /* since when the database is away; 0 = it is there */
  bool is_taken;
  bool closing;
  int64_t renew_us;    /* a group is due after this time; 0: none is */
  GQueue idle_readers; /* of VendDb */
  pthread_cond_t reader_free;
  guint n_readers;
  GPtrArray *committed; /* of Write: `done` not run yet */
  GSource *notify_source;
};

typedef struct
{
  GSource base;
  VendStore *store;
} NotifySource;

/* Calls `done` of committed writes. */
static void
notify (VendStore *store)
{
  pthread_mutex_lock (&store->lock);
  g_autoptr (GPtrArray) batch = g_steal_pointer (&store->committed);
  store->committed = g_ptr_array_new ();
  g_source_set_ready_time (store->notify_source, -1);
  pthread_mutex_unlock (&store->lock);

  for (guint i = 0; i < batch->len; i++)
    {
      Write *write = g_ptr_array_index (batch, i);
      write->done (write->error, write->data);
      g_clear_error (&write->error);
      g_free (write);
    }
}

static gboolean
notify_dispatch (GSource *source, GSourceFunc callback, void *data)
{
  notify (((NotifySource *) source)->store);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs notify_funcs = { .dispatch = notify_dispatch };

/* One source for good: a source attached after a wake-up is not seen before the next wake-up. */
static GSource *
notify_source_new (VendStore *store)
{
  GSource *source = g_source_new (&notify_funcs, sizeof (NotifySource));
  ((NotifySource *) source)->store = store;
  g_source_set_static_name (source, "store notify");
  g_source_attach (source, store->core);
  return source;
}

/* Runs one job inside its own savepoint, so that its failure undoes only its own changes; false
 * when the failure undid the whole transaction all the same. */
static bool
run_apart (VendStore *store, Write *write, GError **error)
{
  if (!vend_db_control (store->writer, VEND_DB_SAVE, error))
    return false;
  bool good = write->job (store->writer, write->data, &write->error)
              && vend_db_settle (store->writer, &write->error);
  vend_db_reset (store->writer);
  if (vend_db_in_transaction (store->writer))
    return vend_db_control (store->writer, good ? VEND_DB_RELEASE : VEND_DB_UNDO, error);
  return vend_fail (error, VEND_ERROR_STORAGE, "the transaction was undone: %s",
                    write->error != NULL ? write->error->message : "no reason is known");
}

/* Without savepoints, for the usual case in which no job fails. */
static bool
run_together (VendStore *store, Write *write)
{
  bool good = write->job (store->writer, write->data, &write->error);
  vend_db_reset (store->writer);
  return good;
}

static void
roll_back (VendStore *store)
{
  g_autoptr (GError) error = NULL;
  if (vend_db_in_transaction (store->writer)
      && !vend_db_control (store->writer, VEND_DB_ROLL_BACK, &error))
    vend_log (VEND_LOG_ERROR, "rollback failed", "error", error->message, NULL);
}

/* Also true when the last try of this group was stored, and only its answer was lost: what the jobs
 * gave was known before the end of the transaction was sent. */
static bool
try_group (VendStore *store, GPtrArray *group, bool apart, GError **error)
{
  bool is_stored = false;
  if (!vend_db_begin_group (store->writer, &is_stored, error))
    return false;
  if (is_stored)
    return true;
  bool good = true;
  for (guint i = 0; i < group->len; i++)
    g_clear_error (&((Write *) g_ptr_array_index (group, i))->error);
  for (guint i = 0; good && i < group->len; i++)
    {
      Write *write = g_ptr_array_index (group, i);
      good = apart ? run_apart (store, write, error) : run_together (store, write);
    }
  if (good && vend_db_control (store->writer, VEND_DB_COMMIT, error))
    return true;
  roll_back (store);
  return false;
}

/* ---- A database that is away */

static void
set_away (VendStore *store, bool is_away)
{
  pthread_mutex_lock (&store->lock);
  store->away_us = !is_away ? 0 : store->away_us != 0 ? store->away_us : g_get_monotonic_time ();
  store->is_taken = vend_db_state (store->writer) == VEND_DB_TAKEN;
  pthread_mutex_unlock (&store->lock);
}

static bool
gives_up (VendStore *store)
{
  pthread_mutex_lock (&store->lock);
  const bool is_late
      = store->closing && g_get_monotonic_time () - store->away_us > CLOSING_PATIENCE_US;
  pthread_mutex_unlock (&store->lock);
  return is_late;
}

/* Those of callers that wait and were not begun: they can be told that nothing was stored. */
static void
refuse_waiting (VendStore *store)
{
  pthread_mutex_lock (&store->lock);
  const bool is_long = g_get_monotonic_time () - store->away_us > AWAY_PATIENCE_US;
  for (GList *at = store->writes.head; is_long && at != NULL;)
    {
      GList *next = at->next;
      Write *write = at->data;
      if (write->waits)
        {
          vend_fail (&write->error, VEND_ERROR_UNAVAILABLE, "the database is not available");
          write->finished = true;
          g_queue_delete_link (&store->writes, at);
        }
      at = next;
    }
  pthread_cond_broadcast (&store->finished);
  pthread_mutex_unlock (&store->lock);
}

/* False when the store is to be closed, or is another server's. */
static bool
reopen_writer (VendStore *store)
{
  vend_log (VEND_LOG_WARN, "the database is away", NULL);
  set_away (store, true);
  for (int64_t pause_us = REOPEN_LEAST_US; !gives_up (store);
       pause_us = MIN (2 * pause_us, REOPEN_MOST_US))
    {
      g_autoptr (GError) error = NULL;
      if (vend_db_reopen (store->writer, &error))
        {
          vend_log (VEND_LOG_INFO, "the database is back", NULL);
          set_away (store, false);
          return true;
        }
      if (vend_db_state (store->writer) == VEND_DB_TAKEN)
        break;
      if (pause_us == REOPEN_MOST_US)
        vend_log (VEND_LOG_WARN, "the database is still away", "error", error->message, NULL);
      refuse_waiting (store);
      g_usleep ((gulong) pause_us);
    }
  return false;
}

static void
note_changes (VendStore *store)
{
  if (store->writer->changes_models)
    atomic_fetch_add (&store->model_changes, 1);
  store->writer->changes_models = false;
}

uint64_t
vend_store_model_changes (VendStore *store)
{
  return atomic_load (&store->model_changes);
}

/* Tries until the outcome of the group is known. */
static bool
try_until_known (VendStore *store, GPtrArray *group, bool apart, GError **error)
{
  for (;;)
    {
      g_autoptr (GError) problem = NULL;
      if (try_group (store, group, apart, &problem))
        {
          note_changes (store);
          return true;
        }
      const bool is_lost = vend_db_state (store->writer) == VEND_DB_LOST;
      if (is_lost && reopen_writer (store))
        continue;
      if (vend_db_state (store->writer) == VEND_DB_TAKEN)
        set_away (store, true);
      if (problem != NULL)
        g_propagate_error (error, g_steal_pointer (&problem));
      else
        vend_fail (error, VEND_ERROR_STORAGE, "a write of the group failed");
      return false;
    }
}

static void
commit_group (VendStore *store, GPtrArray *group)
{
  g_autoptr (GError) problem = NULL;
  if (try_until_known (store, group, false, &problem))
    return;
  g_clear_error (&problem);
  if (try_until_known (store, group, true, &problem))
    return;

  /* A refused job fails too: its refusal may rest on a write of this group. */
  vend_log (VEND_LOG_ERROR, "commit failed", "error", problem->message, NULL);
  for (guint i = 0; i < group->len; i++)
    {
      Write *write = g_ptr_array_index (group, i);
      g_clear_error (&write->error);
      write->error = g_error_copy (problem);
    }
}

static void
finish_group (VendStore *store, GPtrArray *group)
{
  pthread_mutex_lock (&store->lock);
  store->in_commit = 0;
  store->waiting_us = store->writes.length > 0 ? g_get_monotonic_time () : 0;
  for (guint i = 0; i < group->len; i++)
    {
      Write *write = g_ptr_array_index (group, i);
      write->finished = true;
      if (write->waits)
        continue;
      if (write->done != NULL)
        g_ptr_array_add (store->committed, write);
      else
        {
          if (write->error != NULL)
            vend_log (VEND_LOG_ERROR, "write failed", "error", write->error->message, NULL);
          g_clear_error (&write->error);
          g_free (write);
        }
    }
  if (store->committed->len > 0)
    g_source_set_ready_time (store->notify_source, 0);
  pthread_cond_broadcast (&store->finished);
  pthread_mutex_unlock (&store->lock);
}

/* Writes that came during the last commit come from several callers, and the callers that it
 * answered are about to write again: a short delay puts all of them into one commit instead of two.
 * A single caller never has this delay. Called with the lock held. */
static void
gather (VendStore *store)
{
  guint seen = 0;
  for (guint i = 0; i < GATHER_ROUNDS && store->writes.length < MAX_GROUP && !store->closing
                    && store->writes.length > seen;
       i++)
    {
      seen = store->writes.length;
      pthread_mutex_unlock (&store->lock);
      g_usleep (GATHER_US);
      pthread_mutex_lock (&store->lock);
    }
}

static void
take_stats (VendStore *store, const GPtrArray *group, int64_t began_us)
{
  if (group->len == 0)
    return;
  vend_histogram_add (&store->stats.commit_us, g_get_monotonic_time () - began_us);
  vend_histogram_add (&store->stats.group_size, group->len);
  for (guint i = 0; i < group->len; i++)
    if (((const Write *) g_ptr_array_index (group, i))->error != NULL)
      atomic_fetch_add (&store->stats.failed, 1);
}

const VendStoreStats *
vend_store_get_stats (const VendStore *store)
{
  return &store->stats;
}

/* Called with the lock held. True: nobody writes, and the lease is to be renewed. */
static bool
wait_for_writes (VendStore *store)
{
  const int64_t due_us = g_get_monotonic_time () + store->renew_us;
  while (store->writes.length == 0 && !store->closing)
    if (store->renew_us == 0 || store->is_taken)
      pthread_cond_wait (&store->work, &store->lock);
    else if (!vend_cond_wait_until (&store->work, &store->lock, due_us))
      return true;
  return false;
}

static void *
writer_main (void *data)
{
  VendStore *store = data;
  g_autoptr (GPtrArray) group = g_ptr_array_new ();
  /* Else the kernel adds 50 us to each short sleep. */
  prctl (PR_SET_TIMERSLACK, 1000, 0, 0, 0);
  for (;;)
    {
      pthread_mutex_lock (&store->lock);
      if (store->writes.length > 0 && store->away_us == 0)
        gather (store);
      const bool renews = wait_for_writes (store);
      while (group->len < MAX_GROUP && store->writes.length > 0)
        g_ptr_array_add (group, g_queue_pop_head (&store->writes));
      store->in_commit = group->len;
      const bool ended = store->closing && group->len == 0 && !renews;
      pthread_mutex_unlock (&store->lock);
      if (ended)
        return NULL;
      const int64_t began_us = g_get_monotonic_time ();
      commit_group (store, group);
      take_stats (store, group, began_us);
      finish_group (store, group);
      g_ptr_array_set_size (group, 0);
    }
}

static void
enqueue (VendStore *store, Write *write)
{
  pthread_mutex_lock (&store->lock);
  g_assert (!store->closing);
  if (store->waiting_us == 0)
    store->waiting_us = g_get_monotonic_time ();
  g_queue_push_tail (&store->writes, write);
  pthread_mutex_unlock (&store->lock);
  /* Signalled without the lock: a woken writer would block on it at once. */
  pthread_cond_signal (&store->work);
}

void
vend_store_write (VendStore *store, VendStoreJob job, VendStoreDone done, void *data)
{
  Write *write = g_new0 (Write, 1);
  *write = (Write){ .job = job, .done = done, .data = data };
  enqueue (store, write);
}

static bool
announce (VendDb *db, void *data, GError **error)
{
  return vend_db_announce (db, data, error);
}

static void
announced (const GError *error, void *data)
{
  if (error != NULL)
    vend_log (VEND_LOG_WARN, "cannot tell others the address of this server", "error",
              error->message, NULL);
  g_free (data);
}

void
vend_store_announce (VendStore *store, const char *address)
{
  vend_store_write (store, announce, announced, g_strdup (address));
}

bool
vend_store_accepts (VendStore *store, GError **error)
{
  pthread_mutex_lock (&store->lock);
  const int64_t away_us = store->away_us != 0 ? g_get_monotonic_time () - store->away_us : 0;
  const bool is_full = store->writes.length >= MAX_BACKLOG;
  const bool is_taken = store->is_taken;
  pthread_mutex_unlock (&store->lock);
  if (is_taken)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "another server has taken over the database");
  if (away_us > AWAY_PATIENCE_US)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE,
                      "the database has not been available for %" G_GINT64_FORMAT " s",
                      away_us / VEND_US_PER_S);
  return !is_full
         || vend_fail (error, VEND_ERROR_UNAVAILABLE,
                       "%d changes wait for the database; try again later", MAX_BACKLOG);
}

bool
vend_store_is_taken (VendStore *store)
{
  pthread_mutex_lock (&store->lock);
  const bool is_taken = store->is_taken;
  pthread_mutex_unlock (&store->lock);
  return is_taken;
}

bool
vend_store_check (VendStore *store, GError **error)
{
  bool row = false;
  if (!vend_store_accepts (store, error))
    return false;
  g_auto (VendReader) reader = vend_reader (store);
  VendStmt *stmt = vend_db_stmt (reader.db, VEND_SQL_MIGRATION_LAST, error);
  return stmt != NULL && vend_stmt_step (stmt, &row, error);
}

bool
vend_store_write_wait (VendStore *store, VendStoreJob job, void *data, GError **error)
{
  if (!vend_store_accepts (store, error))
    return false;
  Write write = { .job = job, .data = data, .waits = true };
  enqueue (store, &write);
  pthread_mutex_lock (&store->lock);
  while (!write.finished)
    pthread_cond_wait (&store->finished, &store->lock);
  pthread_mutex_unlock (&store->lock);
  if (write.error == NULL)
    return true;
  g_propagate_error (error, write.error);
  return false;
}

VendDb *
vend_store_read (VendStore *store)
{
  pthread_mutex_lock (&store->lock);
  while (store->idle_readers.length == 0)
    pthread_cond_wait (&store->reader_free, &store->lock);
  VendDb *db = g_queue_pop_tail (&store->idle_readers);
  pthread_mutex_unlock (&store->lock);
  g_autoptr (GError) error = NULL;
  db->model_changes = vend_store_model_changes (store);
  if (!vend_db_control (db, VEND_DB_BEGIN, &error))
    vend_log (VEND_LOG_ERROR, "begin read failed", "error", error->message, NULL);
  return db;
}

void
vend_store_read_end (VendStore *store, VendDb *db)
{
  g_autoptr (GError) error = NULL;
  vend_db_reset (db);
  if (!vend_db_control (db, VEND_DB_COMMIT, &error))
    vend_log (VEND_LOG_ERROR, "end read failed", "error", error->message, NULL);
  pthread_mutex_lock (&store->lock);
  g_queue_push_tail (&store->idle_readers, db);
  pthread_cond_signal (&store->reader_free);
  pthread_mutex_unlock (&store->lock);
}

guint
vend_store_backlog (VendStore *store)
{
  pthread_mutex_lock (&store->lock);
  guint backlog = store->writes.length + store->in_commit;
  pthread_mutex_unlock (&store->lock);
  return backlog;
}

int64_t
vend_store_waiting_us (VendStore *store)
{
  pthread_mutex_lock (&store->lock);
  const int64_t since_us = store->away_us == 0 ? store->waiting_us : 0;
  pthread_mutex_unlock (&store->lock);
  return since_us > 0 ? g_get_monotonic_time () - since_us : 0;
}

bool
vend_store_is_idle (VendStore *store)
{
  pthread_mutex_lock (&store->lock);
  const bool idle
      = store->writes.length == 0 && store->in_commit == 0 && store->committed->len == 0;
  pthread_mutex_unlock (&store->lock);
  return idle;
}

void
vend_store_settle (VendStore *store)
{
  while (!vend_store_is_idle (store))
    {
      pthread_mutex_lock (&store->lock);
      while (store->writes.length + store->in_commit > 0 && store->committed->len == 0)
        pthread_cond_wait (&store->finished, &store->lock);
      pthread_mutex_unlock (&store->lock);
      notify (store);
    }
}

static bool
check_is_whole (VendDb *db, GError **error)
{
  bool is_unfinished = false;
  if (!vend_rows_is_unfinished (db, &is_unfinished, error))
    return false;
  return !is_unfinished
         || vend_fail (error, VEND_ERROR_INVALID,
                       "store: rows of another database are being moved to this one; end that with "
                       "the 'vend migrate-storage' that began it, or name another database");
}

static bool
leave_log (VendDb *db, GError **error)
{
  return vend_db_dialect (db) != VEND_DIALECT_SQLITE
         || vend_db_exec (db, "PRAGMA wal_autocheckpoint = 0", error);
}

bool
vend_store_take (const char *place, const VendLease *lease, VendDb **out, char **out_former,
                 GError **error)
{
  g_autoptr (VendDb) db = NULL;
  *out_former = NULL;
  if (!vend_db_open (place, false, &db, error) || !vend_db_take (db, lease, out_former, error))
    return false;
  *out = g_steal_pointer (&db);
  return true;
}

static bool
open_writer (VendStore *store, const VendStoreOptions *options, GError **error)
{
  static const VendLease usual = { 0 };
  g_autofree char *former = NULL;
  const VendLease *lease = options->lease != NULL ? options->lease : &usual;
  store->writer = options->taken;
  if (store->writer == NULL
      && !vend_store_take (options->path, lease, &store->writer, &former, error))
    return false;
  store->renew_us = vend_db_renew_us (store->writer);
  return vend_store_keep_old (store->writer, options->path, error)
         && vend_migrate (store->writer, vend_now_us (), error)
         && check_is_whole (store->writer, error) && vend_db_claim (store->writer, error);
}

bool
vend_store_open (const VendStoreOptions *options, VendStore **out, GError **error)
{
  g_autoptr (VendStore) store = g_new0 (VendStore, 1);
  pthread_mutex_init (&store->lock, NULL);
  vend_cond_init (&store->work);
  pthread_cond_init (&store->finished, NULL);
  pthread_cond_init (&store->reader_free, NULL);
  vend_histogram_init (&store->stats.commit_us, commit_bounds, G_N_ELEMENTS (commit_bounds));
  vend_histogram_init (&store->stats.group_size, group_bounds, G_N_ELEMENTS (group_bounds));
  store->committed = g_ptr_array_new ();
  store->core
      = g_main_context_ref (options->core != NULL ? options->core : g_main_context_default ());
  store->notify_source = notify_source_new (store);

  if (!open_writer (store, options, error)
      || (options->leaves_log && !leave_log (store->writer, error)))
    return false;
  for (; store->n_readers < options->readers; store->n_readers++)
    {
      VendDb *reader = NULL;
      if (!vend_db_open (options->path, true, &reader, error))
        return false;
      g_queue_push_tail (&store->idle_readers, reader);
    }
  store->thread = g_thread_try_new ("store-writer", writer_main, store, error);
  if (store->thread == NULL)
    return false;
  *out = g_steal_pointer (&store);
  return true;
}

static void
release (VendStore *store)
{
  g_autoptr (GError) error = NULL;
  if (store->writer != NULL && !vend_db_release (store->writer, &error))
    vend_log (VEND_LOG_WARN, "cannot give back the lease of the database", "error", error->message,
              NULL);
}

void
vend_store_free (VendStore *store)
{
  if (store == NULL)
    return;
  if (store->thread != NULL)
    {
      pthread_mutex_lock (&store->lock);
      store->closing = true;
      pthread_cond_signal (&store->work);
      pthread_mutex_unlock (&store->lock);
      g_thread_join (store->thread);
    }
  g_assert (store->idle_readers.length == store->n_readers);
  for (VendDb *db; (db = g_queue_pop_head (&store->idle_readers)) != NULL;)
    vend_db_close (db);
  release (store);
  vend_db_close (store->writer);
  if (store->notify_source != NULL)
    notify (store);
  vend_gsource_clear (&store->notify_source);
  g_ptr_array_unref (store->committed);
  g_main_context_unref (store->core);
  pthread_mutex_destroy (&store->lock);
  pthread_cond_destroy (&store->work);
  pthread_cond_destroy (&store->finished);
  pthread_cond_destroy (&store->reader_free);
  g_free (store);
}
