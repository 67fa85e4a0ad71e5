/* The parts of a PostgreSQL connection. What is sent waits in `expected` for its results, in order;
 * libpq is in pipeline mode throughout. */
#pragma once
#include "store/lease.h"
#include "store/postgres.h"
#include <libpq-fe.h>

#define PG_MAX_PARAMETERS 48
/* The clock of the database, whose time of a transaction stands still. */
#define PG_NOW_US "CAST (floor (extract (epoch FROM clock_timestamp ()) * 1000000) AS BIGINT)"

typedef struct pg_result PgResult;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PgResult, PQclear)

typedef struct
{
  char *text; /* NULL: NULL, or `number` when that is set */
  char number[24];
  bool is_number;
} PgValue;

typedef struct
{
  VendStmt base;
  VendSql sql;
  bool is_prepared; /* the server knows it, or is about to */
  bool has_run;
  int n_values;
  PgValue values[PG_MAX_PARAMETERS];
  GQueue results; /* of PGresult with rows that were not read */
  PGresult *result;
  int row; /* of `result` */
  int64_t changes;
} PgStmt;

typedef enum
{
  PG_PREPARE,
  PG_ROWS, /* a statement whose results are kept */
  PG_DONE, /* anything whose results are not */
  PG_COMMIT,
  PG_SYNC,
} PgKind;

typedef struct
{
  PgKind kind;
  PgStmt *stmt; /* or NULL */
} PgExpected;

typedef struct
{
  VendDb base;
  char *url;
  bool read_only;
  PGconn *connection;
  PgStmt *statements[VEND_SQL_N]; /* NULL until used */
  GPtrArray *used;                /* of PgStmt, since the last reset */
  GArray *expected;               /* of PgExpected */
  guint n_taken;                  /* of `expected` */
  gsize unsent;                   /* bytes of values since the last flush */
  PgStmt *stream;                 /* whose rows come one by one */
  GError *problem;                /* the first one since the last sync */
  VendDbState state;
  bool in_transaction;
  bool ran_outside; /* a statement outside of a transaction, which lasts until a sync */
  bool must_begin;  /* of a reader: BEGIN goes with the first statement */
  bool has_read;    /* a statement of this transaction gave a result */
  /* Of the writer of a store. */
  bool is_writer;
  bool in_group;
  bool must_check;  /* whether the last group was stored is not known */
  bool knows_group; /* the server has the statement of a group */
  int64_t epoch;    /* 0: it has no lease */
  int64_t group_no;
  int64_t lease_us;
  int64_t judge_from_us; /* monotonic; before it a lease that is over may be renewed yet */
  char *holder;
} PgDb;

/* ---- postgres-connect.c */

bool pg_connect (PgDb *db, GError **error);
/* A session whose client stands still in a transaction ends with the lease. */
bool pg_bound_transactions (PgDb *db, GError **error);
void pg_disconnect (PgDb *db);

/* ---- postgres-pipeline.c */

/* Each sends, and gives what has to be waited for to `expected`. */
bool pg_send_begin (PgDb *db, const char *sql, GError **error);
bool pg_send_text (PgDb *db, PgKind kind, const char *sql, GError **error);
bool pg_send_named (PgDb *db, const char *name, int n, const char *const *values, GError **error);
bool pg_send_prepare (PgDb *db, PgStmt *stmt, const char *name, const char *sql, GError **error);
bool pg_send_statement (PgDb *db, PgStmt *stmt, PgKind kind, GError **error);
bool pg_flush (PgDb *db, GError **error);
/* Takes results until those of `stmt` are there. */
bool pg_wait_for (PgDb *db, PgStmt *stmt, GError **error);
/* Takes all results. Afterwards the server takes statements again, whatever failed. */
bool pg_settle (PgDb *db, GError **error);
/* The next row of a statement whose rows come one by one; NULL behind the last. */
bool pg_next_streamed (PgDb *db, PgStmt *stmt, PGresult **out, GError **error);
/* Takes what is left of the stream, to keep it for its statement or to drop it. */
bool pg_end_stream (PgDb *db, bool keep, GError **error);
/* The error of a result, or of the connection without one. */
void pg_fail (PgDb *db, const char *what, const PGresult *result, GError **error);
/* One row of a query of its own, in text; NULL with an error. */
PGresult *pg_ask (PgDb *db, const char *sql, GError **error);
PGresult *pg_ask_with (PgDb *db, const char *sql, int n, const char *const *values, GError **error);

/* ---- db-postgres.c */

void pg_forget_results (PgStmt *stmt);

/* ---- postgres-lease.c */

/* Of the first row. */
int64_t pg_number_at (const PgResult *result, int column);
bool pg_lock_once (PgDb *db, bool *out_is_mine, GError **error);
/* Whose holder had it before goes to `*out_former`; NULL when nobody is known. */
bool pg_lease_take (PgDb *db, const VendLease *lease, char **out_former, GError **error);
bool pg_lease_claim (PgDb *db, GError **error);
bool pg_lease_release (PgDb *db, GError **error);

/* ---- postgres-writer.c */

extern const VendDbWriterOps pg_writer_ops;
