/* The store: one writer thread with group commit, N readers. All state of Vend lies behind this
 * header and the typed functions beside it (predictions.h, models.h, …), which run inside the
 * caller's transaction. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "base/histogram.h"
#include "store/db.h"

typedef struct VendStore VendStore;

typedef struct
{
  const char *path;   /* of the SQLite database, or a postgres:// URL */
  bool leaves_log;    /* of an SQLite database: another program writes its log to the file */
  guint readers;      /* at least the number of threads that read at the same time */
  GMainContext *core; /* context of `done` functions; NULL = the default context */
  /* Of a database on a server; NULL = all zero. Its `waits` is called by vend_store_open. */
  const VendLease *lease;
  VendDb *taken; /* of vend_store_take, the store's from then on; or NULL */
} VendStoreOptions;

/* Opens the connection that writes, and takes the lease of the database, before anything is read or
 * written: for who has to make room for itself before it opens the store. Blocks, as `lease` says.
 * `*out_former`: the mark of who had it before, free with g_free; or NULL. Release and close what
 * does not become a store's. */
bool vend_store_take (const char *place, const VendLease *lease, VendDb **out, char **out_former,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens or makes the database and applies migrations; a database of a newer Vend is refused, and so
 * is one on a server that another process has the lease of. */
bool vend_store_open (const VendStoreOptions *options, VendStore **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Core thread. Commits what is queued, runs the last `done` functions, closes. */
void vend_store_free (VendStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendStore, vend_store_free)

/* A change, on the writer thread. One transaction holds a group of jobs; a failed job is rolled
 * back alone. A job runs a second time when another job of its group fails, so it only adds to the
 * database and overwrites its results in `data`. */
typedef bool (*VendStoreJob) (VendDb *db, void *data, GError **error);
/* On the core context, in the order of the writes, after the commit is on disk (`error` NULL) or
 * has failed. A lost connection to the database is no failure: the group is stored once it is back.
 * Frees `data` or hands it on. */
typedef void (*VendStoreDone) (const GError *error, void *data);

/* Any thread; never blocks. `done` may be NULL when `data` needs no freeing. */
void vend_store_write (VendStore *store, VendStoreJob job, VendStoreDone done, void *data);

/* Any thread but the core thread; blocks until the change is on disk or has failed. UNAVAILABLE at
 * once while vend_store_accepts refuses. */
bool vend_store_write_wait (VendStore *store, VendStoreJob job, void *data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* A read transaction on one of the reader connections; blocks while all are taken. To be ended
 * soon. */
VendDb *vend_store_read (VendStore *store) G_GNUC_WARN_UNUSED_RESULT;
void vend_store_read_end (VendStore *store, VendDb *db);

/* Any thread; never blocks. Tells servers that stand by where this one answers calls: "HOST:PORT".
 */
void vend_store_announce (VendStore *store, const char *address);

/* Writes that are queued or being committed, for limits and health. */
guint vend_store_backlog (VendStore *store);

/* Whether new work may be written: UNAVAILABLE while the database is away or too many writes wait.
 * Any thread. */
bool vend_store_accepts (VendStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, and whether a reader gets an answer; blocks. Any thread but the core thread. */
bool vend_store_check (VendStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Counts the groups that changed models or versions, before anybody is told. Any thread. */
uint64_t vend_store_model_changes (VendStore *store);

/* Another server has taken over the database: nothing can be stored any more. Any thread. */
bool vend_store_is_taken (VendStore *store);

/* The time that writes have waited without a commit; 0 without waiting writes, and while the
 * database is away. Any thread. */
int64_t vend_store_waiting_us (VendStore *store);

/* Whether nothing is queued or being committed, and every `done` has run. Core thread. */
bool vend_store_is_idle (VendStore *store);

/* Core thread; blocks until vend_store_is_idle. */
void vend_store_settle (VendStore *store);

/* Counts of the writer. Any thread. */
typedef struct
{
  _Atomic uint64_t failed;  /* writes undone by an error */
  VendHistogram commit_us;  /* one value a commit: jobs and the sync of the disk */
  VendHistogram group_size; /* writes in a commit */
} VendStoreStats;
const VendStoreStats *vend_store_get_stats (const VendStore *store);

/* Scope-bound reader: `g_auto (VendReader) reader = vend_reader (store);` then reader.db. */
typedef struct
{
  VendStore *store;
  VendDb *db;
} VendReader;
static inline VendReader
vend_reader (VendStore *store)
{
  return (VendReader){ store, vend_store_read (store) };
}
static inline void
vend_reader_end (VendReader *reader)
{
  if (reader->db != NULL)
    vend_store_read_end (reader->store, reader->db);
  reader->db = NULL;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendReader, vend_reader_end)
