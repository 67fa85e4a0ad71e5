/* `vend agent`: offers this machine to a server. Main thread only. */
#include "cli/commands.h"
#include "cli/client/client.h"
#include "cli/terminal/terminal.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process-start.h"
#include "hardware/machine.h"
#include "machines/agent.h"
#include <curl/curl.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define MAX_IDENTITY ((gsize) 256 * 1024)
#define MAX_UNITS 100000

typedef struct
{
  VendConnection connection; /* of --join, --token and --ca */
  char *data;
  char *name;
  int units;
  char *cache_max;
} Flags;

static void
flags_clear (Flags *flags)
{
  vend_connection_clear (&flags->connection);
  g_free (flags->data);
  g_free (flags->name);
  g_free (flags->cache_max);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flags, flags_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VendDialer, vend_dialer_clear)

static bool
parse (int argc, char **argv, Flags *flags, GError **error)
{
  g_auto (GStrv) words = NULL;
  const GOptionEntry entries[] = {
    { "join", 0, 0, G_OPTION_ARG_STRING, &flags->connection.url,
      "server to join; needed once, with an admin token", "URL" },
    { "token", 0, 0, G_OPTION_ARG_STRING, &flags->connection.token,
      "admin token, for --join; default VEND_API_TOKEN", "TOKEN" },
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &flags->connection.ca,
      "certificates to trust in place of the system's, for --join", "FILE" },
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &flags->data,
      "data directory of the agent; default ~/.local/share/vend-agent", "DIR" },
    { "name", 0, 0, G_OPTION_ARG_STRING, &flags->name,
      "name of this machine, for --join; default its host name", "NAME" },
    { "units", 0, 0, G_OPTION_ARG_INT, &flags->units,
      "most instances on this machine; default twice the CPU cores", "N" },
    { "cache-max", 0, 0, G_OPTION_ARG_STRING, &flags->cache_max,
      "sources, environments and weights beyond this are removed, unless an instance uses them, "
      "the longest unused first; default no limit",
      "SIZE" },
    { NULL },
  };
  const VendOptions options = {
    .command = "agent",
    .usage = "[--join URL --token TOKEN]",
    .summary
    = "Offers this machine to a server that runs with --directors: instances of its models\n"
      "run here as processes.",
    .entries = entries,
  };
  if (!vend_options_parse (&options, argc, argv, &words, error))
    return false;
  if (flags->units < 0 || flags->units > MAX_UNITS)
    return vend_fail (error, VEND_ERROR_INVALID, "--units: expected 0 to %d", MAX_UNITS);
  return true;
}

static json_t *
look_at_hardware (const Flags *flags)
{
  struct utsname system;
  const guint cores = vend_machine_cores ();
  g_autofree char *text = uname (&system) == 0 ? g_strdup_printf ("%s %s %s", system.sysname,
                                                                  system.release, system.machine)
                                               : g_strdup ("unknown");
  return json_pack ("{s:i, s:I, s:i, s:s}", "cores", (int) cores, "memory",
                    (json_int_t) vend_machine_memory (), "units",
                    flags->units > 0 ? flags->units : (int) (2 * cores), "system", text);
}

/* ---- Joining */

static bool
host_of (const char *url, char **out, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  if (host == NULL || *host == '\0')
    return vend_fail (error, VEND_ERROR_INVALID, "--join '%s': expected a URL", url);
  *out = g_strdup (host);
  return true;
}

static bool
join (const Flags *flags, const json_t *hardware, const char *path, GError **error)
{
  g_autoptr (VendClient) client = NULL;
  g_autofree char *host = NULL;
  json_auto_t *identity = NULL;
  if (!host_of (flags->connection.url, &host, error)
      || !vend_client_new (&flags->connection, &client, error))
    return false;
  json_auto_t *body
      = json_pack ("{s:s, s:O}", "name", flags->name != NULL ? flags->name : g_get_host_name (),
                   "hardware", hardware);
  if (!vend_client_call (client, "POST", "/v1/machines", body, &identity, error))
    return false;
  vend_json_set_string (identity, "host", host);
  char *text = vend_json_text (identity);
  const bool kept = vend_file_replace (path, text, strlen (text), 0600, error);
  explicit_bzero (text, strlen (text));
  g_free (text);
  return kept;
}

static bool
read_identity (const Flags *flags, const json_t *hardware, const char *path, json_t **out,
               GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      if (flags->connection.url == NULL)
        return vend_fail (error, VEND_ERROR_INVALID,
                          "this machine has joined no server; name one with --join URL --token "
                          "TOKEN");
      if (!join (flags, hardware, path, error))
        return false;
    }
  return vend_file_read (path, MAX_IDENTITY, &text, &size, error)
         && vend_json_parse (text, size, out, error);
}

static bool
make_dialer (const json_t *identity, VendDialer *out, GError **error)
{
  const char *host = vend_json_string (identity, "host");
  const char *authority = vend_json_string (identity, "authority");
  const char *certificate = vend_json_string (identity, "certificate");
  const char *key = vend_json_string (identity, "key");
  const int64_t port = vend_json_int (identity, "port", 0);
  if (host == NULL || authority == NULL || certificate == NULL || key == NULL || port < 1
      || port > 65535 || vend_json_string (identity, "name") == NULL)
    return vend_fail (error, VEND_ERROR_STORAGE, "agent.json lacks a field");
  out->host = g_strdup (host);
  out->port = (guint) port;
  return vend_tls_identity_new (authority, certificate, key, &out->identity, error);
}

/* ---- Running */

static int stop_pipe[2] = { -1, -1 };

static void
on_signal (int number)
{
  (void) !write (stop_pipe[1], "", 1);
}

/* No mask: directors would inherit it. */
static bool
hear_signals (GError **error)
{
  const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
  if (!g_unix_open_pipe (stop_pipe, FD_CLOEXEC, error))
    return false;
  sigaction (SIGTERM, &action, NULL);
  sigaction (SIGINT, &action, NULL);
  signal (SIGPIPE, SIG_IGN);
  return true;
}

static bool
serve (const Flags *flags, const char *data, const char *binary, GError **error)
{
  g_autofree char *path = g_build_filename (data, "agent.json", NULL);
  g_autofree char *lock_path = g_build_filename (data, "lock", NULL);
  g_auto (VendDialer) dialer = { 0 };
  json_auto_t *hardware = look_at_hardware (flags);
  json_auto_t *identity = NULL;
  vend_autofd lock = -1;
  VendAgentOptions options
      = { .data_dir = data, .vend_binary = binary, .hardware = hardware, .dialer = &dialer };
  if ((flags->cache_max != NULL && !vend_size_parse (flags->cache_max, &options.cache_max, error))
      || !vend_dir_ensure (data, error) || !vend_lock_file (lock_path, &lock, error)
      || !read_identity (flags, hardware, path, &identity, error)
      || !make_dialer (identity, &dialer, error) || !hear_signals (error))
    return false;
  options.name = vend_json_string (identity, "name");
  options.authority = vend_json_string (identity, "authority");
  options.stop_fd = stop_pipe[0];
  if (vend_agent_run (&options, error))
    return true;
  if (g_error_matches (*error, VEND_ERROR, VEND_ERROR_CONFLICT))
    g_prefix_error (error, "the server refuses this machine; to join again remove '%s': ", path);
  return false;
}

static bool
run (int argc, char **argv, GError **error)
{
  g_auto (Flags) flags = { 0 };
  g_autofree char *binary = NULL;
  if (!parse (argc, argv, &flags, error))
    return false;
  g_autofree char *given = flags.data != NULL
                               ? g_strdup (flags.data)
                               : g_build_filename (g_get_user_data_dir (), "vend-agent", NULL);
  g_autofree char *data = g_canonicalize_filename (given, NULL);
  curl_global_init (CURL_GLOBAL_DEFAULT);
  json_object_seed (0);
  binary = g_file_read_link ("/proc/self/exe", error);
  return binary != NULL && serve (&flags, data, binary, error);
}

int
vend_cmd_agent (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  umask (077);
  vend_log_setup (VEND_LOG_INFO, VEND_LOG_FORMAT_AUTO);
  vend_process_survive_signals ();
  bool good = run (argc, argv, &error);
  return vend_exit_code (good, error);
}
