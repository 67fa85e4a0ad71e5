/* The narrow waist between store functions and a database: connections, statements by catalogue
 * number, transactions. Store functions use only this; db-sqlite.c and db-postgres.c implement it.
 * A connection and its statements belong to one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "store/lease.h"
#include "store/sql.h"

typedef struct VendDb VendDb;
typedef struct VendStmt VendStmt;

typedef enum
{
  VEND_DB_BEGIN,       /* a transaction that only reads, from one snapshot */
  VEND_DB_BEGIN_WRITE, /* a transaction that nobody else writes beside, where the database is a file
                        */
  VEND_DB_COMMIT,
  VEND_DB_ROLL_BACK,
  VEND_DB_SAVE,    /* begins a part of the transaction that can be undone alone */
  VEND_DB_RELEASE, /* keeps it */
  VEND_DB_UNDO,    /* undoes it */
  VEND_DB_N_CONTROLS
} VendDbControl;

typedef enum
{
  VEND_DB_FINE,
  VEND_DB_LOST,  /* the connection is gone; what became of an open transaction is not known */
  VEND_DB_TAKEN, /* another server has begun to write: this one writes nothing any more */
} VendDbState;

/* What the one writer of a database needs when the database is a server. */
typedef struct
{
  /* Before migrations: takes the lease, or waits for it as that says, and keeps other servers out
   * for as long as the connection lives. BUSY, CANCELED. `*out_former`: the mark of who had it
   * before, free with g_free; or NULL. */
  bool (*take) (VendDb *db, const VendLease *lease, char **out_former, GError **error);
  /* After migrations: whoever wrote before finds the database taken from now on. */
  bool (*claim) (VendDb *db, GError **error);
  int64_t (*renew_us) (const VendDb *db);       /* a group is due after this time, be it empty */
  bool (*release) (VendDb *db, GError **error); /* the next one need not wait for the lease */
  /* In a group: where this process answers calls. */
  bool (*announce) (VendDb *db, const char *address, GError **error);
  /* Begins a transaction that is known by its number after a lost connection. `*out_stored`: the
   * last one, whose end was not known, is stored, and nothing has begun. */
  bool (*begin_group) (VendDb *db, bool *out_stored, GError **error);
  VendDbState (*state) (VendDb *db);
  bool (*reopen) (VendDb *db, GError **error); /* after LOST */
} VendDbWriterOps;

typedef struct VendDbOps
{
  VendDialect dialect;
  const VendDbWriterOps *writer;                              /* NULL: the database is a file */
  bool (*exec) (VendDb *db, const char *sql, GError **error); /* no parameters, no rows */
  bool (*control) (VendDb *db, VendDbControl what, GError **error);
  /* Prepared once a connection, then reused; returned reset, with all parameters NULL. */
  VendStmt *(*prepare) (VendDb *db, VendSql sql, GError **error);
  void (*bind_int) (VendStmt *stmt, int i, int64_t value); /* parameters count from 1 */
  void (*bind_text) (VendStmt *stmt, int i, const char *text, gssize size); /* copied by the call */
  bool (*step) (VendStmt *stmt, bool *out_row, GError **error);
  /* Runs to the end for a caller that looks at no result: may only be sent, and then its failure is
   * that of a later call. NULL: there is nothing to gain. */
  bool (*later) (VendStmt *stmt, GError **error);
  /* Waits for all that was only sent, and fails when any of it failed. NULL as `later`. */
  bool (*settle) (VendDb *db, GError **error);
  int64_t (*changes) (VendStmt *stmt);
  void (*end) (VendStmt *stmt);                    /* its other rows are not wanted */
  int64_t (*get_int) (VendStmt *stmt, int column); /* columns count from 0 */
  const char *(*get_text) (VendStmt *stmt, int column, gsize *out_size); /* until the next step */
  /* Resets every statement that was not stepped to its end, which would hold its snapshot open. */
  void (*reset) (VendDb *db);
  bool (*in_transaction) (VendDb *db);
  void (*close) (VendDb *db);
} VendDbOps;

/* First member of every backend's connection and statement. */
struct VendDb
{
  const VendDbOps *ops;
  uint64_t read_bytes;    /* bytes of text read from rows so far */
  uint64_t model_changes; /* of a reader: of the store, before the snapshot */
  bool changes_models;    /* of a writer: since a group was stored */
  GHashTable *runs;       /* id of a model → runs in this transaction, not written yet; or NULL */
  GHashTable *found;      /* words of vend_db_note_found; or NULL */
};
struct VendStmt
{
  VendDb *db;
};

/* `place` is the path of a file, or a postgres:// URL. */
bool vend_db_open (const char *place, bool read_only, VendDb **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_db_open_sqlite (const char *path, bool read_only, VendDb **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_db_close (VendDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDb, vend_db_close)
bool vend_db_exec (VendDb *db, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;

VendDialect vend_db_dialect (const VendDb *db);

bool vend_db_control (VendDb *db, VendDbControl what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* See VendDbWriterOps; for a file these do what is left of it. */
bool vend_db_take (VendDb *db, const VendLease *lease, char **out_former, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vend_db_claim (VendDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
int64_t vend_db_renew_us (const VendDb *db); /* 0: nothing is to be renewed */
bool vend_db_release (VendDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_db_announce (VendDb *db, const char *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_db_begin_group (VendDb *db, bool *out_stored, GError **error) G_GNUC_WARN_UNUSED_RESULT;
VendDbState vend_db_state (VendDb *db);
bool vend_db_reopen (VendDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Waits for statements that were only sent; fails when one of them failed. */
bool vend_db_settle (VendDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Counts a run of a model; the sums of the transaction are written at its end, in the order of ids:
 * two writers in another order would wait for each other. */
void vend_db_count_run (VendDb *db, int64_t model_id);

/* How long statements of this thread that begin a reader's transaction wait for a database that is
 * away; 0 at first. For work that has no caller to be told. */
void vend_db_set_patience (int64_t patience_us);
int64_t vend_db_get_patience (void);

/* Whether `word` was noted in this transaction; and notes it. What is noted was read from the
 * database and is still so: who changes that calls vend_db_forget_found. */
bool vend_db_was_found (const VendDb *db, const char *word);
void vend_db_note_found (VendDb *db, const char *word);
void vend_db_forget_found (VendDb *db);

void vend_db_reset (VendDb *db);
/* Whether the transaction is still open: some failures of disk or memory roll back all of it, not
 * only the failed statement. */
bool vend_db_in_transaction (VendDb *db);

/* A statement ready to be bound; NULL with an error. Borrowed from the connection. */
VendStmt *vend_db_stmt (VendDb *db, VendSql sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_stmt_int (VendStmt *stmt, int i, int64_t value);
void vend_stmt_text (VendStmt *stmt, int i, const char *text_or_null);
void vend_stmt_json (VendStmt *stmt, int i, const json_t *value_or_null);
/* Runs to the end; `out_changes` counts changed rows. With NULL the failure of the statement may be
 * that of a later one, or of the transaction's end. */
bool vend_stmt_run (VendStmt *stmt, int64_t *out_changes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vend_stmt_step (VendStmt *stmt, bool *out_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Steps to the one row that must be there; NOT_FOUND with `what` otherwise. */
bool vend_stmt_one (VendStmt *stmt, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Runs a change that must hit a row; NOT_FOUND with `what` when it hits none. */
bool vend_stmt_run_one (VendStmt *stmt, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All rows, each made by `read`, freed by `destroy`. */
typedef void *(*VendStmtRead) (VendStmt *stmt);
bool vend_stmt_collect (VendStmt *stmt, VendStmtRead read, GDestroyNotify destroy, GPtrArray **out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Rows of a page, for callers that show them all at once. A row may hold tens of megabytes, so a
 * page ends after the row that brings it to VEND_PAGE_BYTES of text. A page has at least one row;
 * later rows are not read. */
#define VEND_PAGE_BYTES (16 * 1024 * 1024)
typedef struct
{
  guint limit; /* rows; a further row of the statement only tells that there are more */
  bool more;   /* set: rows follow */
} VendPage;
bool vend_stmt_page (VendStmt *stmt, VendStmtRead read, GDestroyNotify destroy, VendPage *page,
                     GPtrArray **out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

int64_t vend_stmt_get_int (VendStmt *stmt, int column);
const char *vend_stmt_get_text (VendStmt *stmt,
                                int column); /* NULL for NULL; until the next step */
char *vend_stmt_dup_text (VendStmt *stmt, int column);
json_t *vend_stmt_get_json (VendStmt *stmt, int column); /* new reference; NULL for NULL */
