/* The network of a model in a namespace of its own: what the director listens on in there, how it
 * reaches the model server, and the proxy that is the way out. Main context. */
#include "base/fd.h"
#include "base/log.h"
#include "director/director-private.h"
#include "model/failure.h"

bool
vend_director_has_namespace (const VendSpec *spec)
{
  return spec->isolation == VEND_ISOLATION_SANDBOX && spec->network != VEND_NETWORK_HOST;
}

static bool
listen_inside (guint port, int *out_fd, void *data, GError **error)
{
  const VendDirector *director = data;
  return vend_inside_socket (director->inside, port, out_fd, error);
}

void
vend_director_plan_network (VendDirector *director)
{
  const VendLoopbackPlace place
      = { .port = VEND_INSIDE_LOOPBACK_PORT, .listen = listen_inside, .data = director };
  if (vend_director_has_namespace (director->spec))
    vend_loopback_set_place (director->loopback, &place);
}

/* For libcurl. */
static int
open_inside (void *data)
{
  const VendDirector *director = data;
  g_autoptr (GError) error = NULL;
  int fd = -1;
  if (vend_inside_socket (director->inside, 0, &fd, &error))
    return fd;
  vend_log (VEND_LOG_WARN, "the model server is not reached", "error", error->message, NULL);
  return -1;
}

/* ---- The way out */

static void
on_report (const VendProxyReport *report, void *data)
{
  g_autofree char *port = g_strdup_printf ("%u", report->port);
  g_autofree char *sent = g_strdup_printf ("%" G_GUINT64_FORMAT, report->sent);
  g_autofree char *received = g_strdup_printf ("%" G_GUINT64_FORMAT, report->received);
  g_autofree char *left_out = g_strdup_printf ("%" G_GUINT64_FORMAT, report->left_out);
  if (report->left_out > 0)
    vend_log (VEND_LOG_INFO, "the model's other connections", "number", left_out, NULL);
  else
    vend_log (VEND_LOG_INFO, "a connection of the model", "verdict",
              vend_proxy_verdict_name (report->verdict), "host", report->host, "port", port,
              "address", report->address, "sent", sent, "received", received, NULL);
}

static bool
open_way_out (VendDirector *director, GError **error)
{
  int listener = -1;
  const VendProxyOptions options = { .context = g_main_context_default (),
                                     .allow = director->spec->network_allow,
                                     .setting = "network-allow",
                                     .report = on_report,
                                     .data = director };
  if (director->spec->network != VEND_NETWORK_OUTBOUND)
    return true;
  if (!vend_inside_socket (director->inside, VEND_INSIDE_PROXY_PORT, &listener, error))
    return false;
  director->proxy = vend_proxy_new (listener, &options);
  return true;
}

char **
vend_director_network_environment (const VendSpec *spec, char **env)
{
  return vend_director_has_namespace (spec) ? vend_network_environment (spec->network, env) : env;
}

/* ---- Its life */

static bool
enter (VendDirector *director, pid_t first, GError **error)
{
  vend_director_clear_network (director);
  if (!vend_inside_new (first, &director->inside, error))
    return false;
  vend_curl_context_set_opener (director->curl, open_inside, director);
  return vend_loopback_enter (director->loopback, error) && open_way_out (director, error);
}

bool
vend_director_enter_network (VendDirector *director, pid_t first)
{
  g_autoptr (GError) error = NULL;
  if (!vend_director_has_namespace (director->spec) || enter (director, first, &error))
    return true;
  vend_director_set_state (director, VEND_DIRECTOR_FAILED, error->message,
                           VEND_FAILURE_SETUP_FAILED);
  return false;
}

void
vend_director_clear_network (VendDirector *director)
{
  g_clear_pointer (&director->proxy, vend_proxy_free);
  g_clear_pointer (&director->inside, vend_inside_free);
}
