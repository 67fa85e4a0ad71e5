/* Taking the lease of a database.
 *
 * Three things keep two processes apart. The row of control_planes says who has the lease and until
 * when, and decides who may try. A lock of the session of the writer lets one of those who try
 * succeed, also beside a Vend that kept no lease. The epoch in the row fences: a group of writes of
 * an older one fails, see postgres-writer.c. */
#include "store/postgres-private.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "store/migrate.h"
#include <string.h>

/* Number of the lock among those of the database; any program may choose any. */
#define LOCK_NUMBER "7311149093"
#define LOCK_SQL "SELECT pg_try_advisory_lock (" LOCK_NUMBER ")"
#define UNLOCK_SQL "SELECT pg_advisory_unlock (" LOCK_NUMBER ")"
#define KEPT_SQL \
  "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass ('control_planes') " \
  "AND attname = 'until_us' AND NOT attisdropped)"
#define LOOK_SQL \
  "SELECT epoch, until_us, until_us - " PG_NOW_US ", holder, address, " \
  "(SELECT MAX(number) FROM migrations) FROM control_planes WHERE id = 1"
#define CLAIM_SQL \
  "UPDATE control_planes SET epoch = epoch + 1, until_us = " PG_NOW_US " + $1, holder = $2, " \
  "address = '', writer_pid = pg_backend_pid () WHERE id = 1 RETURNING epoch, group_no"
#define RELEASE_SQL "UPDATE control_planes SET until_us = 0 WHERE id = 1 AND epoch = $1"
/* The session of the writer that had the lease, and no other one with that number. */
#define END_FORMER_SQL \
  "SELECT pg_terminate_backend (l.pid) FROM pg_locks AS l JOIN control_planes AS c " \
  "ON c.writer_pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 " \
  "AND (CAST (l.classid AS BIGINT) << 32) + CAST (l.objid AS BIGINT) = " LOCK_NUMBER \
  " AND c.id = 1 AND c.epoch = $1"

/* The server may need a moment to see that a killed client is gone. */
#define LOCK_PATIENCE_US (3 * VEND_US_PER_S)
#define SHORT_PATIENCE_US (1 * VEND_US_PER_S)
#define POLL_US (20 * VEND_US_PER_MS)
/* Nobody renews the lease while tables are changed. */
#define MIGRATION_US (3600 * VEND_US_PER_S)

int64_t
pg_number_at (const PgResult *result, int column)
{
  return g_ascii_strtoll (PQgetvalue (result, 0, column), NULL, 10);
}

static bool
is_true (const PgResult *result)
{
  return strcmp (PQgetvalue (result, 0, 0), "t") == 0;
}

static bool
look (PgDb *db, VendLeaseSeen *seen, int64_t *out_schema, GError **error)
{
  g_autoptr (PgResult) kept = pg_ask (db, KEPT_SQL, error);
  if (kept == NULL)
    return false;
  if (!is_true (kept))
    return true;
  g_autoptr (PgResult) result = pg_ask (db, LOOK_SQL, error);
  if (result == NULL)
    return false;
  if (PQntuples (result) != 1)
    return vend_fail (error, VEND_ERROR_STORAGE, "the database has no row in control_planes");
  *seen = (VendLeaseSeen){ .is_kept = true,
                           .epoch = pg_number_at (result, 0),
                           .until_us = pg_number_at (result, 1),
                           .left_us = pg_number_at (result, 2),
                           .holder = g_strdup (PQgetvalue (result, 0, 3)),
                           .address = g_strdup (PQgetvalue (result, 0, 4)) };
  *out_schema = pg_number_at (result, 5);
  return true;
}

bool
pg_lock_once (PgDb *db, bool *out_is_mine, GError **error)
{
  g_autoptr (PgResult) result = pg_ask (db, LOCK_SQL, error);
  if (result == NULL)
    return false;
  *out_is_mine = is_true (result);
  return true;
}

static bool
lock (PgDb *db, int64_t patience_us, bool *out_is_mine, GError **error)
{
  const int64_t until_us = g_get_monotonic_time () + patience_us;
  for (;;)
    {
      if (!pg_lock_once (db, out_is_mine, error))
        return false;
      if (*out_is_mine || g_get_monotonic_time () >= until_us)
        return true;
      g_usleep (POLL_US);
    }
}

/* A stopped process keeps its session, and with it the lock and the rows of its open group. */
static bool
end_former (PgDb *db, int64_t epoch, GError **error)
{
  char number[24];
  const char *values[] = { number };
  g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, epoch);
  g_autoptr (GError) problem = NULL;
  g_autoptr (PgResult) result
      = pg_ask_with (db, END_FORMER_SQL, G_N_ELEMENTS (values), values, &problem);
  if (result == NULL && db->state == VEND_DB_LOST)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return false;
    }
  if (result == NULL)
    vend_log (VEND_LOG_WARN, "cannot end the session of the server that had the database", "error",
              problem->message, NULL);
  return true;
}

static bool
claim_for (PgDb *db, int64_t length_us, GError **error)
{
  char length[24];
  const char *values[] = { length, db->holder };
  g_snprintf (length, sizeof length, "%" G_GINT64_FORMAT, length_us);
  g_autoptr (PgResult) result = pg_ask_with (db, CLAIM_SQL, G_N_ELEMENTS (values), values, error);
  if (result == NULL)
    return false;
  if (PQntuples (result) != 1)
    return vend_fail (error, VEND_ERROR_STORAGE, "the database has no row in control_planes");
  db->epoch = pg_number_at (result, 0);
  db->group_no = pg_number_at (result, 1);
  return true;
}

bool
pg_lease_claim (PgDb *db, GError **error)
{
  return claim_for (db, db->lease_us, error);
}

/* With the lock. False in `*out_is_mine` when somebody had the lease since it was seen. */
static bool
claim_seen (PgDb *db, const VendLeaseSeen *seen, bool *out_is_mine, GError **error)
{
  g_auto (VendLeaseSeen) now = { 0 };
  int64_t schema = 0;
  if (!look (db, &now, &schema, error))
    return false;
  *out_is_mine = now.is_kept == seen->is_kept && now.epoch == seen->epoch;
  if (*out_is_mine)
    return !now.is_kept
           || claim_for (db, schema < vend_migrate_last () ? MIGRATION_US : db->lease_us, error);
  g_autoptr (PgResult) unlocked = pg_ask (db, UNLOCK_SQL, error);
  return unlocked != NULL;
}

static bool
try_to_take (PgDb *db, const VendLease *lease, const VendLeaseSeen *seen, bool *out_is_mine,
             GError **error)
{
  const VendLeaseState state = vend_lease_judge (seen, lease);
  const bool is_left = state == VEND_LEASE_GONE || state == VEND_LEASE_OVER;
  *out_is_mine = false;
  if (state == VEND_LEASE_HELD
      || (state == VEND_LEASE_OVER && g_get_monotonic_time () < db->judge_from_us))
    return true;
  if (is_left && !end_former (db, seen->epoch, error))
    return false;
  const int64_t patience_us = lease->waits == NULL ? LOCK_PATIENCE_US
                              : is_left            ? SHORT_PATIENCE_US
                                                   : 0;
  if (!lock (db, patience_us, out_is_mine, error))
    return false;
  return !*out_is_mine || claim_seen (db, seen, out_is_mine, error);
}

static bool
refuse (GError **error)
{
  return vend_fail (error, VEND_ERROR_BUSY,
                    "another server uses the database; stop that server, start this one with "
                    "--standby, or name another database with --store");
}

/* Between two looks. `*first_us` is the end of the lease as it was seen first. */
static bool
wait_a_little (const VendLease *lease, const VendLeaseSeen *seen, int64_t *first_us, GError **error)
{
  if (lease->waits != NULL)
    return lease->waits (seen, lease->data)
           || vend_fail (error, VEND_ERROR_CANCELED,
                         "stopped while another server had the "
                         "database");
  if (*first_us == 0)
    *first_us = seen->until_us;
  if (vend_lease_judge (seen, lease) != VEND_LEASE_HELD || seen->until_us != *first_us)
    return refuse (error);
  g_usleep (POLL_US);
  return true;
}

/* One look, and one try. */
static bool
try_once (PgDb *db, const VendLease *lease, VendLeaseSeen *seen, bool *out_is_mine, GError **error)
{
  int64_t schema = 0;
  if (db->state == VEND_DB_LOST)
    {
      if (!pg_connect (db, error))
        return false;
      /* Who has the lease could not renew it either while the database was away. */
      db->judge_from_us = g_get_monotonic_time () + db->lease_us;
    }
  return look (db, seen, &schema, error) && vend_migrate_check (schema, error)
         && try_to_take (db, lease, seen, out_is_mine, error);
}

bool
pg_lease_take (PgDb *db, const VendLease *lease, char **out_former, GError **error)
{
  db->is_writer = true;
  db->lease_us = lease->length_us > 0 ? lease->length_us : VEND_LEASE_US;
  db->holder = g_strdup (lease->holder != NULL ? lease->holder : "");
  if (!pg_bound_transactions (db, error))
    return false;
  for (int64_t first_us = 0;;)
    {
      g_auto (VendLeaseSeen) seen = { 0 };
      g_autoptr (GError) problem = NULL;
      bool is_mine = false;
      const bool good = try_once (db, lease, &seen, &is_mine, &problem);
      if (good && is_mine)
        {
          *out_former = g_steal_pointer (&seen.holder);
          return true;
        }
      if (good && !wait_a_little (lease, &seen, &first_us, error))
        return false;
      if (good)
        continue;
      const bool may_come_back = lease->waits != NULL && db->state == VEND_DB_LOST;
      if (!may_come_back || !lease->waits (NULL, lease->data))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return false;
        }
    }
}

bool
pg_lease_release (PgDb *db, GError **error)
{
  char number[24];
  const char *values[] = { number };
  g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, db->epoch);
  g_autoptr (PgResult) result = pg_ask_with (db, RELEASE_SQL, G_N_ELEMENTS (values), values, error);
  return result != NULL;
}
