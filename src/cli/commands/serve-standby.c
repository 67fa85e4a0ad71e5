/* Waiting for the lease of a database. */
#include "cli/commands/serve-standby.h"
#include "base/log.h"
#include <string.h>

/* What a look costs the database is nothing beside this, and a take-over waits for it once. */
#define LOOK_MS 200

typedef struct
{
  const VendStandby *standby;
  char *said; /* last, of the server that has the lease */
  bool is_away;
} Waiting;

static gboolean
end_pause (void *data)
{
  *(bool *) data = true;
  return G_SOURCE_REMOVE;
}

static void
say (Waiting *waiting, const VendLeaseSeen *seen)
{
  if (seen == NULL)
    {
      if (!waiting->is_away)
        vend_log (VEND_LOG_WARN, "the database is away; standing by", NULL);
      waiting->is_away = true;
      return;
    }
  waiting->is_away = false;
  const char *holder = seen->is_kept ? seen->holder : "";
  if (g_strcmp0 (waiting->said, holder) == 0)
    return;
  g_free (waiting->said);
  waiting->said = g_strdup (holder);
  vend_log (VEND_LOG_INFO, "standing by: another server has the database", "holder",
            *holder != '\0' ? holder : NULL, "address",
            seen->is_kept && *seen->address != '\0' ? seen->address : NULL, NULL);
  vend_service_tell (waiting->standby->service,
                     "READY=1\nSTATUS=standing by: another server has the database");
}

static bool
wait_a_little (const VendLeaseSeen *seen, void *data)
{
  Waiting *waiting = data;
  const bool *stops = waiting->standby->stops;
  bool is_over = false;
  say (waiting, seen);
  const guint source = g_timeout_add (LOOK_MS, end_pause, &is_over);
  while (!is_over && !*stops)
    g_main_context_iteration (NULL, TRUE);
  if (!is_over)
    g_source_remove (source);
  return !*stops;
}

bool
vend_standby_take (const VendStandby *standby, VendDb **out, char **out_former, GError **error)
{
  Waiting waiting = { .standby = standby };
  VendLease lease = *standby->lease;
  lease.waits = wait_a_little;
  lease.data = &waiting;
  const bool good = vend_store_take (standby->url, &lease, out, out_former, error);
  if (good && waiting.said != NULL)
    vend_log (VEND_LOG_WARN, "taking over the database", "from",
              *out_former != NULL && **out_former != '\0' ? *out_former : NULL, NULL);
  g_free (waiting.said);
  return good;
}
