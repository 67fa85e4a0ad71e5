/* The one writer of a database: no second server, and groups of writes that are stored once
 * whatever becomes of the connection.
 *
 * Each group first raises the number in the row of its server, and fails there unless the number is
 * the one of the group before, and the epoch that of the server. So a group that still lies in the
 * buffers of an old connection cannot be stored once a later one was; and who connects again reads
 * in the number whether the last group was stored. */
#include "store/postgres-private.h"
#include "base/clock.h"
#include "base/error.h"
#include <string.h>

/* Number of the lock among those of the database; any program may choose any. */
#define LOCK_SQL "SELECT pg_try_advisory_lock (7311149093)"
#define GROUP_NAME "begin_group"
#define GROUP_SQL \
  "UPDATE control_planes SET group_no = CASE WHEN epoch = $1 AND group_no = $2 THEN group_no + 1 " \
  "END WHERE id = 1"
#define CHECK_SQL "SELECT epoch, group_no FROM control_planes WHERE id = 1 FOR UPDATE"
#define CLAIM_SQL \
  "UPDATE control_planes SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch, group_no"

/* The server may need a moment to see that a killed one is gone. */
#define LOCK_PATIENCE_US (3 * VEND_US_PER_S)
#define LOCK_POLL_US (20 * VEND_US_PER_MS)

static bool
lock_once (PgDb *db, bool *out_is_mine, GError **error)
{
  g_autoptr (PgResult) result = pg_ask (db, LOCK_SQL, error);
  if (result == NULL)
    return false;
  *out_is_mine = strcmp (PQgetvalue (result, 0, 0), "t") == 0;
  return true;
}

static bool
lock (PgDb *db, GError **error)
{
  const int64_t until_us = g_get_monotonic_time () + LOCK_PATIENCE_US;
  for (;;)
    {
      bool is_mine = false;
      if (!lock_once (db, &is_mine, error))
        return false;
      if (is_mine)
        return true;
      if (g_get_monotonic_time () > until_us)
        return vend_fail (error, VEND_ERROR_BUSY,
                          "another server uses the database; stop that server, or name another "
                          "database with --store");
      g_usleep (LOCK_POLL_US);
    }
}

static bool
take (VendDb *base, GError **error)
{
  PgDb *db = (PgDb *) base;
  db->is_writer = true;
  return lock (db, error);
}

static int64_t
number_at (const PGresult *result, int column)
{
  return g_ascii_strtoll (PQgetvalue (result, 0, column), NULL, 10);
}

static bool
claim (VendDb *base, GError **error)
{
  PgDb *db = (PgDb *) base;
  g_autoptr (PgResult) result = pg_ask (db, CLAIM_SQL, error);
  if (result == NULL)
    return false;
  if (PQntuples (result) != 1)
    return vend_fail (error, VEND_ERROR_STORAGE, "the database has no row in control_planes");
  db->epoch = number_at (result, 0);
  db->group_no = number_at (result, 1);
  return true;
}

/* Waits for an old connection that still commits. */
static bool
check_group (PgDb *db, bool *out_stored, GError **error)
{
  g_autoptr (PgResult) begun = pg_ask (db, "BEGIN", error);
  g_autoptr (PgResult) result = begun != NULL ? pg_ask (db, CHECK_SQL, error) : NULL;
  if (result == NULL)
    return false;
  const int64_t epoch = PQntuples (result) == 1 ? number_at (result, 0) : -1;
  const int64_t group_no = PQntuples (result) == 1 ? number_at (result, 1) : -1;
  *out_stored = epoch == db->epoch && group_no == db->group_no + 1;
  if (*out_stored)
    {
      g_autoptr (PgResult) ended = pg_ask (db, "ROLLBACK", error);
      if (ended == NULL)
        return false;
      db->group_no++;
      db->must_check = false;
      return true;
    }
  if (epoch == db->epoch && group_no == db->group_no)
    return true;
  db->state = VEND_DB_TAKEN;
  return vend_fail (error, VEND_ERROR_CONFLICT, "another server has taken over the database");
}

static bool
send_group (PgDb *db, GError **error)
{
  char epoch[24], group_no[24];
  const char *values[] = { epoch, group_no };
  g_snprintf (epoch, sizeof epoch, "%" G_GINT64_FORMAT, db->epoch);
  g_snprintf (group_no, sizeof group_no, "%" G_GINT64_FORMAT, db->group_no);
  if (!db->knows_group && !pg_send_prepare (db, NULL, GROUP_NAME, GROUP_SQL, error))
    return false;
  db->knows_group = true;
  return pg_send_named (db, GROUP_NAME, G_N_ELEMENTS (values), values, error);
}

static bool
begin_group (VendDb *base, bool *out_stored, GError **error)
{
  PgDb *db = (PgDb *) base;
  *out_stored = false;
  if (db->state == VEND_DB_TAKEN)
    return vend_fail (error, VEND_ERROR_CONFLICT, "another server has taken over the database");
  if (db->state == VEND_DB_LOST)
    return vend_fail (error, VEND_ERROR_UNAVAILABLE, "the database is not available");
  if (db->must_check)
    {
      if (!check_group (db, out_stored, error))
        return false;
      if (*out_stored)
        return true;
    }
  else if (!pg_send_begin (db, "BEGIN", error))
    return false;
  db->in_transaction = db->in_group = true;
  if (!send_group (db, error))
    return false;
  db->must_check = false;
  return true;
}

static VendDbState
state (VendDb *base)
{
  return ((PgDb *) base)->state;
}

static bool
reopen (VendDb *base, GError **error)
{
  PgDb *db = (PgDb *) base;
  db->in_group = false;
  db->must_check = true;
  if (!pg_connect (db, error))
    {
      db->state = VEND_DB_LOST;
      return false;
    }
  bool is_mine = true;
  if (db->is_writer && !lock_once (db, &is_mine, error))
    {
      db->state = VEND_DB_LOST;
      return false;
    }
  if (is_mine)
    return true;
  /* The old connection of this server, or another server: the row tells. */
  g_autoptr (PgResult) result = pg_ask (db, "SELECT epoch FROM control_planes WHERE id = 1", error);
  if (result != NULL && number_at (result, 0) != db->epoch)
    db->state = VEND_DB_TAKEN;
  else
    db->state = VEND_DB_LOST;
  if (result != NULL)
    vend_fail (error, VEND_ERROR_BUSY, "the lock of the database is still held");
  return false;
}

const VendDbWriterOps pg_writer_ops = {
  .take = take,
  .claim = claim,
  .begin_group = begin_group,
  .state = state,
  .reopen = reopen,
};
