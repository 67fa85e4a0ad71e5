/* The narrow waist between store functions and a database: connections, statements by catalogue
 * number, transactions. Store functions use only this; db-sqlite.c implements it. A connection and
 * its statements belong to one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "store/sql.h"

typedef struct VendDb VendDb;
typedef struct VendStmt VendStmt;

typedef struct VendDbOps
{
  bool (*exec) (VendDb *db, const char *sql, GError **error); /* no parameters, no rows */
  /* Prepared once a connection, then reused; returned reset, with all parameters NULL. */
  VendStmt *(*prepare) (VendDb *db, VendSql sql, GError **error);
  void (*bind_int) (VendStmt *stmt, int i, int64_t value); /* parameters count from 1 */
  void (*bind_text) (VendStmt *stmt, int i, const char *text, gssize size); /* copied by the call */
  bool (*step) (VendStmt *stmt, bool *out_row, GError **error);
  int64_t (*changes) (VendStmt *stmt);
  int64_t (*get_int) (VendStmt *stmt, int column);                       /* columns count from 0 */
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
  uint64_t read_bytes; /* bytes of text read from rows so far */
};
struct VendStmt
{
  VendDb *db;
};

bool vend_db_open_sqlite (const char *path, bool read_only, VendDb **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_db_close (VendDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendDb, vend_db_close)
bool vend_db_exec (VendDb *db, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void vend_db_reset (VendDb *db);
/* Whether the transaction is still open: some failures of disk or memory roll back all of it, not
 * only the failed statement. */
bool vend_db_in_transaction (VendDb *db);

/* A statement ready to be bound; NULL with an error. Borrowed from the connection. */
VendStmt *vend_db_stmt (VendDb *db, VendSql sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vend_stmt_int (VendStmt *stmt, int i, int64_t value);
void vend_stmt_text (VendStmt *stmt, int i, const char *text_or_null);
void vend_stmt_json (VendStmt *stmt, int i, const json_t *value_or_null);
/* Runs to the end; `out_changes` (may be NULL) counts changed rows. */
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
