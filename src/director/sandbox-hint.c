/* Errors of programs that lack something, in the words of libc, Python and curl. */
#include "director/sandbox-hint.h"
#include <string.h>

static const char by_proxy[]
    = "in its sandbox the proxy of HTTP_PROXY and HTTPS_PROXY is the only way out, and resolves "
      "the "
      "names: have the program use it, or set the network of the model to 'host', which the "
      "server's max-network has to allow";
static const char no_network[]
    = "the network of its sandbox is 'none': set that of the model, or the server's, to 'outbound'";
static const char read_only[]
    = "in its sandbox a model writes to its working directory, to /tmp and to HOME: have it write "
      "there";
static const char not_shown[]
    = "in its sandbox a model sees its source, its weights, its environment and the system, and no "
      "other files of this machine: bring them along in the source or as weights";
static const char refused_call[]
    = "its sandbox refuses what changes the machine: new namespaces, mounts, io_uring, bpf, "
      "keyrings, ptrace of others; a model that cannot do without needs a server with the setting "
      "isolation = off";

static bool
has_one (const char *error, const char *const *words)
{
  for (; *words != NULL; words++)
    if (strstr (error, *words) != NULL)
      return true;
  return false;
}

/* The path in "…: '/a/b'" behind `words`, where the system or the model's own folders are not. */
static bool
names_other_file (const VendSpec *spec, const char *error, const char *words)
{
  static const char *const seen[] = { "/tmp/", "/usr/", "/etc/", "/proc/", "/dev/",
                                      "/sys/", "/run/", "/lib/", "/bin/",  "/var/tmp/" };
  const char *at = strstr (error, words);
  const char *path = at != NULL ? at + strlen (words) : NULL;
  const char *home = g_environ_getenv (spec->env, "HOME");
  if (path == NULL || !g_str_has_prefix (path, ": '/"))
    return false;
  path += strlen (": '");
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++)
    if (g_str_has_prefix (path, seen[i]))
      return false;
  return (home == NULL || !g_str_has_prefix (path, home)) && strstr (path, "work/src/") == NULL;
}

static const char *
find_hint (const VendSpec *spec, const char *error)
{
  static const char *const unresolved[]
      = { "Name or service not known", "Temporary failure in name resolution",
          "Could not resolve host",    "No address associated with hostname",
          "Network is unreachable",    NULL };
  static const char *const unwritable[] = { "Read-only file system", NULL };
  static const char *const refused[] = { "Operation not permitted", NULL };
  const bool is_whole = spec->isolation == VEND_ISOLATION_SANDBOX;
  if (is_whole && spec->network != VEND_NETWORK_HOST && has_one (error, unresolved))
    return spec->network == VEND_NETWORK_NONE ? no_network : by_proxy;
  if (is_whole && has_one (error, unwritable))
    return read_only;
  if (names_other_file (spec, error, is_whole ? "No such file or directory" : "Permission denied"))
    return not_shown;
  return has_one (error, refused) ? refused_call : NULL;
}

char *
vend_sandbox_explain (const VendSpec *spec, const char *error)
{
  if (spec->isolation == VEND_ISOLATION_NONE || spec->has_root || error == NULL)
    return NULL;
  const char *hint = find_hint (spec, error);
  return hint != NULL ? g_strdup_printf ("%s\n%s", error, hint) : NULL;
}
