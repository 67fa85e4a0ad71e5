/* coglet's HTTP server: its port, its start, whether it is ready. Main context. */
#include "base/error.h"
#include "base/fd.h"
#include "director/http-call.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define INSIDE_PORT 5000 /* as Cog's own images have it */
#define SCHEMA_TIMEOUT_MS 10000L

/* What the server logs by itself about predictions repeats what the model printed, on a pipe. */
#define QUIET_LOG "coglet=info,coglet::prediction=off"

/* ---- Start. */

/* Somebody else may take the port before the server does; it says so, and another is tried. */
static bool
free_port (guint *out_port, GError **error)
{
  vend_autofd fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = { .sin_family = AF_INET };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (fd < 0 || bind (fd, (const struct sockaddr *) &address, sizeof address) < 0
      || getsockname (fd, (struct sockaddr *) &address, &length) < 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "find a free port");
  *out_port = ntohs (address.sin_port);
  return true;
}

/* In a network of its own every port is free. */
static bool
choose_port (const VendSpec *spec, guint *out_port, GError **error)
{
  if (spec->isolation != VEND_ISOLATION_SANDBOX || spec->network == VEND_NETWORK_HOST)
    return free_port (out_port, error);
  *out_port = INSIDE_PORT;
  return true;
}

static char *
schema_file (const VendSpec *spec)
{
  if (!spec->has_root)
    return g_build_filename (spec->source, ".cog", "openapi_schema.json", NULL);
  g_autofree char *folder = g_path_get_dirname (spec->source);
  return g_build_filename (folder, "schema.json", NULL);
}

/* Uploads of one list arrive in any order, and the server lists them as they arrive; data URIs keep
 * their places. So only a model that returns one string, perhaps a file, uploads it. */
static bool
uploads_output (const VendSpec *spec)
{
  g_autofree char *path = schema_file (spec);
  g_autofree char *text = NULL;
  gsize size = 0;
  json_auto_t *document = NULL;
  if (!vend_file_read (path, VEND_COG_REPLY_MAX, &text, &size, NULL)
      || !vend_json_parse (text, size, &document, NULL))
    return false;
  const json_t *schemas = json_object_get (json_object_get (document, "components"), "schemas");
  const json_t *output = json_object_get (schemas, "Output");
  return g_strcmp0 (vend_json_string (output, "type"), "string") == 0;
}

/* Behind whatever else an image starts first. Only such a server knows the options. */
static bool
is_cog_command (const VendSpec *spec)
{
  const guint n = g_strv_length (spec->argv);
  return n >= 3 && strcmp (spec->argv[n - 1], "cog.server.http") == 0
         && strcmp (spec->argv[n - 2], "-m") == 0;
}

static char **
server_argv (const VendModelServerOptions *options)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  for (gsize i = 0; options->spec->argv[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (options->spec->argv[i]));
  if (options->spec->has_root && !is_cog_command (options->spec))
    {
      g_ptr_array_add (argv, NULL);
      return (char **) g_ptr_array_free (g_steal_pointer (&argv), FALSE);
    }
  /* Older servers know no such option, and listen on all addresses of their own network. */
  if (options->spec->event_streams)
    {
      g_ptr_array_add (argv, g_strdup ("--host"));
      g_ptr_array_add (argv, g_strdup ("127.0.0.1"));
    }
  if (options->spec->event_streams && uploads_output (options->spec))
    {
      g_ptr_array_add (argv, g_strdup ("--upload-url"));
      g_ptr_array_add (argv, g_strconcat (vend_loopback_url (options->loopback), "/up", NULL));
    }
  if (options->spec->train)
    {
      g_ptr_array_add (argv, g_strdup ("--x-mode"));
      g_ptr_array_add (argv, g_strdup ("train"));
    }
  g_ptr_array_add (argv, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&argv), FALSE);
}

static char **
server_env (const VendSpec *spec, guint port)
{
  char **env = g_strdupv (spec->env);
  g_autofree char *port_text = g_strdup_printf ("%u", port);
  g_autofree char *slots = g_strdup_printf ("%u", spec->slots);
  env = g_environ_setenv (env, "PORT", port_text, TRUE);
  env = g_environ_setenv (env, "COG_MAX_CONCURRENCY", slots, FALSE);
  env = g_environ_setenv (env, "PYTHONUNBUFFERED", "1", FALSE);
  /* A second reader must not be refused for what it missed (vend_http_call_hold). */
  env = g_environ_setenv (env, "COG_STREAM_HISTORY_CAPACITY", "0", TRUE);
  if (g_environ_getenv (env, "COG_LOG_LEVEL") == NULL)
    env = g_environ_setenv (env, "RUST_LOG", QUIET_LOG, FALSE);
  return env;
}

static VendModelServer *
new_server (void)
{
  VendHttpServer *server = g_new0 (VendHttpServer, 1);
  return &server->base;
}

static bool
prepare (VendModelServer *base, char ***out_argv, char ***out_env, GError **error)
{
  VendHttpServer *server = (VendHttpServer *) base;
  guint port = 0;
  if (!choose_port (base->options.spec, &port, error)
      || !vend_loopback_open (base->options.loopback, error))
    return false;
  server->base_url = g_strdup_printf ("http://127.0.0.1:%u", port);
  server->no_stream = !base->options.spec->event_streams;
  *out_argv = server_argv (&base->options);
  *out_env = server_env (base->options.spec, port);
  return true;
}

/* ---- Setup. */

/* A value that the schema of this member refuses, or NULL when there may be none. */
static json_t *
wrong_value (const json_t *member)
{
  const char *type = vend_json_string (member, "type");
  if (g_strcmp0 (type, "object") == 0)
    return json_integer (0);
  return type != NULL ? json_object () : NULL;
}

static char *
build_probe (const json_t *schemas)
{
  json_t *members = json_object_get (json_object_get (schemas, "Input"), "properties");
  json_auto_t *input = json_object ();
  const char *name;
  json_t *member;
  json_object_foreach (members, name, member)
    {
      json_t *value = wrong_value (member);
      if (value != NULL)
        json_object_set_new (input, name, value);
    }
  if (json_object_size (input) == 0)
    return NULL;
  json_auto_t *body = json_object ();
  json_object_set (body, "input", input);
  return vend_json_text (body);
}

static void
on_schema (long status, const char *body, gsize size, const char *problem, void *user_data)
{
  VendHttpServer *server = user_data;
  server->schema_call = NULL;
  json_auto_t *document = NULL;
  if (status == 200 && vend_json_parse (body, size, &document, NULL))
    {
      const json_t *schemas = json_object_get (json_object_get (document, "components"), "schemas");
      server->probe = build_probe (schemas);
    }
  server->base.options.events->ready (document, server->base.options.context);
}

static void
on_ready (void *context)
{
  VendHttpServer *server = context;
  g_autofree char *url = g_strconcat (server->base_url, "/openapi.json", NULL);
  server->schema_call = vend_cog_call_start (server->base.options.curl, "GET", url, NULL,
                                             SCHEMA_TIMEOUT_MS, on_schema, server);
}

static void
on_setup_failed (const char *error, void *context)
{
  const VendHttpServer *server = context;
  server->base.options.events->setup_failed (error, server->base.options.context);
}

static void
on_sick (const char *why, void *context)
{
  const VendHttpServer *server = context;
  server->base.options.events->sick (why, server->base.options.context);
}

static bool
is_idle (void *context)
{
  const VendHttpServer *server = context;
  return server->base.options.events->is_idle (server->base.options.context);
}

/* Servers before coglet print nothing of it. */
static void
on_setup_logs (const char *logs, void *context)
{
  const VendHttpServer *server = context;
  const VendModelServerOptions *options = &server->base.options;
  if (logs != NULL && options->spec->has_root && !options->spec->event_streams)
    options->events->printed (logs, strlen (logs), options->context);
}

static const VendHealthEvents health_events
    = { on_setup_logs, on_ready, on_setup_failed, on_sick, is_idle };

static void
started (VendModelServer *base, VendModelProcess *process)
{
  VendHttpServer *server = (VendHttpServer *) base;
  server->health = vend_health_start (base->options.curl, server->base_url, &health_events, server);
}

/* ---- Its end. */

static bool
gone (VendModelServer *base, int status)
{
  return false;
}

static bool
stop (VendModelServer *base)
{
  VendHttpServer *server = (VendHttpServer *) base;
  g_clear_pointer (&server->health, vend_health_free);
  return false;
}

static void
free_server (VendModelServer *base)
{
  VendHttpServer *server = (VendHttpServer *) base;
  if (server->schema_call != NULL)
    vend_cog_call_cancel (server->schema_call);
  g_clear_pointer (&server->health, vend_health_free);
  g_free (server->base_url);
  g_free (server->probe);
  g_free (server);
}

const VendModelServerKind vend_http_server = { .name = "http",
                                               .new = new_server,
                                               .prepare = prepare,
                                               .started = started,
                                               .gone = gone,
                                               .stop = stop,
                                               .free = free_server,
                                               .execute = vend_http_execute,
                                               .is_asked = vend_http_is_asked,
                                               .cancel = vend_http_cancel,
                                               .ended = vend_http_ended,
                                               .release = vend_http_release };
