/* `vend webhooks listen`: a receiver for people who develop one. Its requests are served on HTTP
 * threads; the main thread waits for Ctrl-C. */
#include "cli/commands/webhooks-private.h"
#include "cli/arguments/arguments.h"
#include "base/clock.h"
#include "base/error.h"
#include "events/webhook-sign.h"
#include "httpd/httpd.h"
#include "cli/terminal/terminal.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 2
#define MAX_CONNECTIONS 256
#define MAX_BODY (G_GUINT64_CONSTANT (256) << 20)
#define IDLE_TIMEOUT_S 60
#define WAIT_US (1 * VEND_US_PER_S)
/* What receivers usually allow between their clock and the sender's. */
#define TOLERANCE_S 300
#define MAX_SHOWN 60

typedef struct
{
  char *key;
  bool json;
  pthread_mutex_t lock; /* guards stdout */
} Listener;

/* NULL when the message is signed as it should be. */
static const char *
find_fault (const Listener *listener, VendCall *call, const char *body, gsize size)
{
  const char *id = vend_call_header (call, "webhook-id");
  const char *timestamp = vend_call_header (call, "webhook-timestamp");
  const char *signature = vend_call_header (call, "webhook-signature");
  gint64 at_s = 0;
  if (id == NULL || timestamp == NULL || signature == NULL)
    return "not signed";
  if (!g_ascii_string_to_signed (timestamp, 10, 0, G_MAXINT64, &at_s, NULL)
      || !vend_webhook_verify (listener->key, id, at_s, body, size, signature))
    return "wrong signature";
  return ABS (vend_now_us () / VEND_US_PER_S - at_s) > TOLERANCE_S ? "too old" : NULL;
}

/* One line a message: a program reads them as they come. */
static void
print_json (VendCall *call, const char *fault, json_t *body)
{
  json_auto_t *line = json_object ();
  vend_json_set_string (line, "id", vend_call_header (call, "webhook-id"));
  vend_json_set_bool (line, "verified", fault == NULL);
  vend_json_set_string (line, "problem", fault);
  json_object_set (line, "body", body != NULL ? body : json_null ());
  g_autofree char *text = vend_json_text (line);
  vend_terminal_print ("%s\n", text);
}

static char *
shown_part (const json_t *body, const char *key)
{
  const json_t *value = json_object_get (body, key);
  if (value == NULL || json_is_null (value)
      || (json_is_string (value) && json_string_length (value) == 0))
    return g_strdup ("");
  g_autofree char *text = vend_json_text (value);
  g_autofree char *line = vend_terminal_one_line (text);
  if (g_utf8_strlen (line, -1) <= MAX_SHOWN)
    return g_strdup_printf ("  %s %s", key, line);
  g_autofree char *cut = g_utf8_substring (line, 0, MAX_SHOWN);
  return g_strdup_printf ("  %s %s…", key, cut);
}

static void
print_line (const char *fault, const json_t *body)
{
  g_autofree char *now = vend_time_format (vend_now_us ());
  g_autofree char *id = vend_terminal_one_line (vend_argument_shown (body, "id"));
  g_autofree char *model = vend_terminal_one_line (vend_argument_shown (body, "model"));
  g_autofree char *status = vend_terminal_one_line (vend_argument_shown (body, "status"));
  g_autofree char *output = shown_part (body, "output");
  g_autofree char *error = shown_part (body, "error");
  vend_terminal_print ("%.8s  %-9s  %-10s  %s  %s%s%s\n", now + strlen ("2026-01-05T"),
                       fault != NULL ? "REFUSED" : "verified", status, id, model, output, error);
  if (fault != NULL)
    vend_terminal_print ("          %s\n", fault);
}

static void
receive (VendCall *call, void *context)
{
  Listener *listener = context;
  gsize size = 0;
  const char *text = vend_call_body (call, &size);
  const char *fault = find_fault (listener, call, text, size);
  json_auto_t *body = NULL;
  g_autoptr (GError) error = NULL;
  if (!vend_json_parse (text, size, &body, &error) && fault == NULL)
    fault = "no JSON";

  pthread_mutex_lock (&listener->lock);
  if (listener->json)
    print_json (call, fault, body);
  else
    print_line (fault, body);
  fflush (stdout);
  pthread_mutex_unlock (&listener->lock);
  vend_call_reply (call, vend_reply_empty (fault == NULL ? 200 : 401));
}

static bool
serve (Listener *listener, int port, GError **error)
{
  g_autofree char *listen = g_strdup_printf ("127.0.0.1:%d", port);
  g_autoptr (VendHttpd) httpd = NULL;
  const VendRoute routes[] = {
    { .method = "POST",
      .pattern = "/",
      .handler = receive,
      .context = listener,
      .body = VEND_BODY_BUFFER,
      .limit = MAX_BODY },
    { .method = "POST",
      .pattern = "/{path*}",
      .handler = receive,
      .context = listener,
      .body = VEND_BODY_BUFFER,
      .limit = MAX_BODY },
  };
  const VendHttpdOptions options = { .listen = listen,
                                     .threads = THREADS,
                                     .max_connections = MAX_CONNECTIONS,
                                     .idle_timeout_s = IDLE_TIMEOUT_S,
                                     .max_body = MAX_BODY,
                                     .spool_dir = g_get_tmp_dir () };
  g_autoptr (VendInterrupt) interrupt = vend_interrupt_new ();
  if (!vend_httpd_open (&options, routes, G_N_ELEMENTS (routes), &httpd, error))
    return false;
  vend_httpd_serve (httpd);
  vend_terminal_note ("\"webhook\": \"http://127.0.0.1:%u/\"", vend_httpd_port (httpd));
  vend_terminal_note ("a server on this machine needs --webhook-allow 127.0.0.0/8; Ctrl-C ends");
  while (!vend_interrupt_wait (interrupt, WAIT_US))
    ;
  return true;
}

bool
vend_webhooks_listen (int argc, char **argv, GError **error)
{
  g_auto (VendConnection) connection = { 0 };
  g_auto (GStrv) words = NULL;
  g_autoptr (VendClient) client = NULL;
  Listener listener = { .lock = PTHREAD_MUTEX_INITIALIZER };
  int port = 0;
  const GOptionEntry entries[] = {
    { "port", 0, 0, G_OPTION_ARG_INT, &port, "port on 127.0.0.1; default: a free port", "N" },
    { NULL },
  };
  const VendOptions options = {
    .command = "webhooks listen",
    .usage = "",
    .summary = "Receives webhooks on this machine, checks their signatures and prints them.",
    .entries = entries,
    .connection = &connection,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (port < 0 || port > 65535)
    return vend_fail (error, VEND_ERROR_INVALID, "--port: expected 0 to 65535, got %d", port);
  if (!vend_client_new (&connection, &client, error)
      || !vend_webhooks_fetch_key (client, &listener.key, error))
    return false;
  listener.json = connection.json;
  bool good = serve (&listener, port, error);
  g_free (listener.key);
  return good;
}
