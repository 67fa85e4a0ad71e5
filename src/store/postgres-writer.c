/* The one writer of a database: no second server, and groups of writes that are stored once
 * whatever becomes of the connection.
 *
 * Each group first raises the number in the row of its server, and fails there unless the number is
 * the one of the group before, and the epoch that of the server. So a group that still lies in the
 * buffers of an old connection cannot be stored once a later one was; and who connects again reads
 * in the number whether the last group was stored. The same statement moves the end of the lease.
 */
#include "store/postgres-private.h"
#include "base/error.h"

#define GROUP_NAME "begin_group"
#define GROUP_SQL \
  "UPDATE control_planes SET group_no = CASE WHEN epoch = $1 AND group_no = $2 THEN group_no + 1 " \
  "END, until_us = " PG_NOW_US " + $3, writer_pid = pg_backend_pid () WHERE id = 1"
/* One may fail and still the lease lasts. */
#define RENEWALS 3
#define ANNOUNCE_SQL "UPDATE control_planes SET address = $1 WHERE id = 1"
#define CHECK_SQL "SELECT epoch, group_no FROM control_planes WHERE id = 1 FOR UPDATE"

static bool
take (VendDb *base, const VendLease *lease, char **out_former, GError **error)
{
  return pg_lease_take ((PgDb *) base, lease, out_former, error);
}

static bool
claim (VendDb *base, GError **error)
{
  return pg_lease_claim ((PgDb *) base, error);
}

static int64_t
renew_us (const VendDb *base)
{
  return ((const PgDb *) base)->lease_us / RENEWALS;
}

static bool
release (VendDb *base, GError **error)
{
  PgDb *db = (PgDb *) base;
  return db->epoch == 0 || db->state != VEND_DB_FINE || pg_lease_release (db, error);
}

static bool
announce (VendDb *base, const char *address, GError **error)
{
  PgDb *db = (PgDb *) base;
  const char *values[] = { address };
  return pg_send_prepare (db, NULL, "", ANNOUNCE_SQL, error)
         && pg_send_named (db, "", G_N_ELEMENTS (values), values, error);
}

/* Waits for an old connection that still commits. */
static bool
check_group (PgDb *db, bool *out_stored, GError **error)
{
  g_autoptr (PgResult) begun = pg_ask (db, "BEGIN", error);
  g_autoptr (PgResult) result = begun != NULL ? pg_ask (db, CHECK_SQL, error) : NULL;
  if (result == NULL)
    return false;
  const int64_t epoch = PQntuples (result) == 1 ? pg_number_at (result, 0) : -1;
  const int64_t group_no = PQntuples (result) == 1 ? pg_number_at (result, 1) : -1;
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
  char epoch[24], group_no[24], lease[24];
  const char *values[] = { epoch, group_no, lease };
  g_snprintf (epoch, sizeof epoch, "%" G_GINT64_FORMAT, db->epoch);
  g_snprintf (group_no, sizeof group_no, "%" G_GINT64_FORMAT, db->group_no);
  g_snprintf (lease, sizeof lease, "%" G_GINT64_FORMAT, db->lease_us);
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
  if (db->is_writer && !pg_lock_once (db, &is_mine, error))
    {
      db->state = VEND_DB_LOST;
      return false;
    }
  if (is_mine)
    return true;
  /* The old connection of this server, or another server: the row tells. */
  g_autoptr (PgResult) result = pg_ask (db, "SELECT epoch FROM control_planes WHERE id = 1", error);
  if (result != NULL && pg_number_at (result, 0) != db->epoch)
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
  .renew_us = renew_us,
  .release = release,
  .announce = announce,
  .begin_group = begin_group,
  .state = state,
  .reopen = reopen,
};
