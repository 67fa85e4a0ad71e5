/* Starts a built model once, to see whether it comes up. Blocking. */
#include "build/smoke.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define SETUP_TIMEOUT_US (600 * VEND_US_PER_S)
#define POLL_MS 100
#define CHECK_TIMEOUT_S 15L
#define MAX_HEALTH ((gsize) 16 * 1024 * 1024)

typedef CURL VendCurl;
static void
curl_close (VendCurl *curl)
{
  curl_easy_cleanup (curl);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendCurl, curl_close)

/* The port is free when asked; that somebody takes it before the server does shows as a failure. */
static bool
free_port (guint *out, GError **error)
{
  struct sockaddr_in address
      = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  vend_autofd fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind (fd, (struct sockaddr *) &address, size) != 0
      || getsockname (fd, (struct sockaddr *) &address, &size) != 0)
    return vend_fail_errno (error, VEND_ERROR_RUNNER, errno, "find a free port");
  *out = ntohs (address.sin_port);
  return true;
}

static void
set_env (char ***env, const char *name, const char *value)
{
  *env = g_environ_setenv (g_steal_pointer (env), name, value, TRUE);
}

/* As the builder's children have it, without what only installers need. */
static char **
model_env (const VendBuildContext *context, const VendVenv *venv, const json_t *launch, guint port)
{
  g_auto (GStrv) all = vend_build_venv_env (context, venv->dir);
  g_auto (GStrv) env = g_new0 (char *, 1);
  for (gsize i = 0; all[i] != NULL; i++)
    if (!g_str_has_prefix (all[i], "UV_") && !g_str_has_prefix (all[i], "PIP_"))
      {
        g_auto (GStrv) pair = g_strsplit (all[i], "=", 2);
        set_env (&env, pair[0], pair[1]);
      }
  const char *key;
  json_t *value;
  json_object_foreach (json_object_get (launch, "env"), key, value)
    if (json_is_string (value))
      set_env (&env, key, json_string_value (value));

  g_autofree char *port_text = g_strdup_printf ("%u", port);
  g_autofree char *slots
      = g_strdup_printf ("%" G_GINT64_FORMAT, vend_json_int (launch, "concurrency", 1));
  const char *predict = vend_json_string (launch, "predict");
  const char *train = vend_json_string (launch, "train");
  set_env (&env, "PORT", port_text);
  set_env (&env, "COG_MAX_CONCURRENCY", slots);
  set_env (&env, "LOG_FORMAT", "console");
  set_env (&env, "PYTHONDONTWRITEBYTECODE", "1");
  if (predict != NULL)
    set_env (&env, "COG_PREDICT_TYPE_STUB", predict);
  if (train != NULL)
    set_env (&env, "COG_TRAIN_TYPE_STUB", train);
  return g_steal_pointer (&env);
}

static size_t
take_body (char *data, size_t one, size_t count, void *user_data)
{
  GString *body = user_data;
  if (count > MAX_HEALTH - body->len)
    return 0;
  g_string_append_len (body, data, (gssize) count);
  return count;
}

/* The status word, or NULL when the server does not answer. */
static char *
ask_health (guint port)
{
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/health-check", port);
  g_autoptr (GString) body = g_string_new (NULL);
  g_autoptr (VendCurl) curl = curl_easy_init ();
  if (curl == NULL)
    return NULL;
  curl_easy_setopt (curl, CURLOPT_URL, url);
  curl_easy_setopt (curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT, CHECK_TIMEOUT_S);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, body);
  json_auto_t *health = NULL;
  g_autoptr (GError) ignored = NULL;
  if (curl_easy_perform (curl) != CURLE_OK
      || !vend_json_parse (body->str, body->len, &health, &ignored))
    return NULL;
  return g_strdup (vend_json_string (health, "status"));
}

static bool
wait_ready (VendChild *child, guint port, GError **error)
{
  const int64_t deadline_us = g_get_monotonic_time () + SETUP_TIMEOUT_US;
  while (g_get_monotonic_time () < deadline_us)
    {
      bool ended = false;
      if (!vend_child_pump (child, POLL_MS, &ended, error))
        return false;
      if (ended)
        {
          g_autofree char *failure = vend_child_dup_failure (child);
          return vend_fail (error, VEND_ERROR_RUNNER, "the model did not start: its server %s",
                            failure != NULL ? failure : "ended");
        }
      g_autofree char *status = ask_health (port);
      if (g_strcmp0 (status, "READY") == 0 || g_strcmp0 (status, "BUSY") == 0)
        return true;
      if (status != NULL && strcmp (status, "STARTING") != 0)
        {
          /* The log until now explains the failure. */
          if (!vend_child_pump (child, POLL_MS, &ended, error))
            return false;
          return vend_fail (error, VEND_ERROR_RUNNER,
                            "the model did not start: its server says %s; see the log above",
                            status);
        }
    }
  return vend_fail (error, VEND_ERROR_TIMEOUT,
                    "the model did not start: its setup took longer than 600 s");
}

/* Files that the model writes beside its source must not become part of the version. */
static bool
start_child (const VendBuildContext *context, const VendWorkspace *workspace,
             const char *const *argv, char **env, VendChild **out, GError **error)
{
  const char *tmpdir = vend_workspace_tmpdir (workspace);
  g_auto (GStrv) own_env = g_strdupv (env);
  if (tmpdir != NULL)
    set_env (&own_env, "TMPDIR", tmpdir);
  const VendChildOptions options = { .argv = argv,
                                     .env = (const char *const *) own_env,
                                     .workspace = workspace,
                                     .on_line = context->log,
                                     .data = context->log_data };
  return vend_child_start (&options, out, error);
}

bool
vend_smoke_start (const VendBuildContext *context, const VendVenv *venv, const json_t *launch,
                  char *const *links, GError **error)
{
  guint port = 0;
  if (!free_port (&port, error))
    return false;
  g_auto (GStrv) env = model_env (context, venv, launch, port);
  const bool train_only = vend_json_string (launch, "predict") == NULL;
  const char *const argv[] = { venv->python,
                               "-m",
                               "cog.server.http",
                               "--host",
                               "127.0.0.1",
                               "--x-mode",
                               train_only ? "train" : "predict",
                               NULL };
  g_autofree char *dir = g_build_filename (context->work_dir, "start", NULL);
  char *const read_only[] = { context->source_dir, NULL };
  const VendWorkspaceOptions where = { .dir = dir,
                                       .source = context->source_dir,
                                       .read_only = read_only,
                                       .links = links,
                                       .argv = (char *const *) argv,
                                       .env = env };
  g_autoptr (VendWorkspace) workspace = NULL;
  g_autoptr (VendChild) child = NULL;
  return vend_workspace_new (&where, &workspace, error)
         && vend_workspace_copy (workspace, NULL, error)
         && start_child (context, workspace, argv, env, &child, error)
         && wait_ready (child, port, error);
}
