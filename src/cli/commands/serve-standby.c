/* Waiting for the lease of a database. */
#include "cli/commands/serve-standby.h"
#include "base/log.h"
#include "cli/commands/standby-relay.h"
#include "httpd/listen.h"
#include <string.h>

/* What a look costs the database is nothing beside this, and a take-over waits for it once. */
#define LOOK_MS 200

typedef struct
{
  const VendStandby *standby;
  VendRelay *relay; /* NULL: calls are not passed on */
  bool has_begun;
  char *said; /* last, of the server that has the lease */
  bool is_away;
} Waiting;

static void
waiting_clear (Waiting *waiting)
{
  vend_relay_free (waiting->relay);
  g_free (waiting->said);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Waiting, waiting_clear)

/* Without one the server waits all the same: the one that has the database may be on this machine,
 * at the same address. */
static void
start_relay (Waiting *waiting)
{
  const VendStandby *standby = waiting->standby;
  VendService *service = standby->service;
  g_autofree char *address = NULL;
  g_autoptr (GError) error = NULL;
  if ((service->listener < 0
       && !vend_listen_open (standby->listen, "listen", &service->listener, &error))
      || !vend_service_address (service, &address, &error)
      || !vend_relay_start (service->listener, standby->max_connections, &waiting->relay, &error))
    vend_log (VEND_LOG_WARN, "calls are not passed on while this server stands by", "error",
              error->message, NULL);
  else
    vend_log (VEND_LOG_INFO, "passing calls on", "listen", address, NULL);
}

char *
vend_standby_address (const char *listen, guint port)
{
  g_autofree char *host = NULL;
  g_autofree char *ignored = NULL;
  if (!vend_listen_split (listen, "listen", &host, &ignored, NULL) || strcmp (host, "0.0.0.0") == 0
      || strcmp (host, "::") == 0)
    return g_strdup_printf ("%s:%u", g_get_host_name (), port);
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

static gboolean
end_pause (void *data)
{
  *(bool *) data = true;
  return G_SOURCE_REMOVE;
}

static void
pass_calls_to (Waiting *waiting, const VendLeaseSeen *seen)
{
  if (!waiting->has_begun)
    start_relay (waiting);
  waiting->has_begun = true;
  if (waiting->relay != NULL && seen != NULL)
    vend_relay_set_target (waiting->relay, seen->is_kept ? seen->address : "");
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
  pass_calls_to (waiting, seen);
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
  g_auto (Waiting) waiting = { .standby = standby };
  VendLease lease = *standby->lease;
  lease.waits = wait_a_little;
  lease.data = &waiting;
  const bool good = vend_store_take (standby->url, &lease, out, out_former, error);
  if (good && waiting.said != NULL)
    vend_log (VEND_LOG_WARN, "taking over the database", "from",
              *out_former != NULL && **out_former != '\0' ? *out_former : NULL, NULL);
  return good;
}
