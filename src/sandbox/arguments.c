/* What bubblewrap and pin are told. */
#include "sandbox/pin.h"
#include "sandbox/sandbox-private.h"
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define INNER_UID "1000"

static void
add (GByteArray *words, const char *word)
{
  g_byte_array_append (words, (const guint8 *) word, (guint) strlen (word) + 1);
}

static void G_GNUC_NULL_TERMINATED
add_all (GByteArray *words, ...)
{
  va_list list;
  va_start (list, words);
  for (const char *word; (word = va_arg (list, const char *)) != NULL;)
    add (words, word);
  va_end (list);
}

/* Nothing else may grow in /dev, where only nodes are. */
static void
add_devices (GByteArray *words, const VendSandboxOptions *options)
{
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, options->shared_memory);
  add_all (words, "--dev", "/dev", "--perms", "1777", NULL);
  if (options->shared_memory > 0)
    add_all (words, "--size", size, NULL);
  add_all (words, "--tmpfs", "/dev/shm", NULL);
}

static void
add_number (GByteArray *words, const char *option, int number)
{
  g_autofree char *text = g_strdup_printf ("%d", number);
  add_all (words, option, text, NULL);
}

/* ---- The system */

static const char *const roots[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };

static void
add_system (VendSandboxPaths *paths, const char *path)
{
  vend_sandbox_paths_add (paths, &(VendSandboxPath){ .from = (char *) path });
}

/* An image has a system of its own; what lies at these places of it is made for that. */
static void
add_system_of_root (const VendSandboxOptions *options, VendSandboxPaths *paths)
{
  add_system (paths, "/etc/hosts");
  if (options->network == VEND_NETWORK_HOST)
    add_system (paths, "/etc/resolv.conf");
  if (options->paths->has_gpus)
    add_system (paths, "/sys");
  else
    add_system (paths, "/sys/devices/system/cpu");
}

VendSandboxPaths *
vend_sandbox_system_paths (const VendSandboxOptions *options)
{
  static const char *const shown[] = { "/usr",
                                       "/etc/alternatives",
                                       "/etc/ca-certificates",
                                       "/etc/debian_version",
                                       "/etc/fonts",
                                       "/etc/gai.conf",
                                       "/etc/host.conf",
                                       "/etc/hosts",
                                       "/etc/ImageMagick-6",
                                       "/etc/ImageMagick-7",
                                       "/etc/ld.so.cache",
                                       "/etc/ld.so.conf",
                                       "/etc/ld.so.conf.d",
                                       "/etc/localtime",
                                       "/etc/magic",
                                       "/etc/mime.types",
                                       "/etc/nsswitch.conf",
                                       "/etc/OpenCL",
                                       "/etc/os-release",
                                       "/etc/protocols",
                                       "/etc/resolv.conf",
                                       "/etc/services",
                                       "/etc/ssl/certs",
                                       "/etc/ssl/openssl.cnf",
                                       "/etc/pki/tls/certs",
                                       "/etc/timezone",
                                       "/etc/vulkan",
                                       "/sys/devices/system/cpu",
                                       "/sys/devices/system/node" };
  VendSandboxPaths *paths = vend_sandbox_paths_new ();
  if (options->has_root)
    {
      add_system_of_root (options, paths);
      return paths;
    }
  for (guint i = 0; i < G_N_ELEMENTS (roots); i++)
    if (!g_file_test (roots[i], G_FILE_TEST_IS_SYMLINK))
      add_system (paths, roots[i]);
  if (options->paths->has_gpus)
    add_system (paths, "/sys");
  for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
    if (!options->paths->has_gpus || !g_str_has_prefix (shown[i], "/sys/"))
      add_system (paths, shown[i]);
  return paths;
}

static void
add_links (GByteArray *words)
{
  for (guint i = 0; i < G_N_ELEMENTS (roots); i++)
    {
      g_autofree char *target = g_file_read_link (roots[i], NULL);
      if (target != NULL)
        add_all (words, "--symlink", target, roots[i], NULL);
    }
}

/* ---- bubblewrap */

static void
add_path (GByteArray *words, const VendSandboxPath *path, const char *from)
{
  const char *option = path->device ? "--dev-bind" : path->writable ? "--bind" : "--ro-bind";
  add_all (words, option, from, path->to, NULL);
}

/* Of an image, whose root comes before what lies in it. */
static void
add_root (GByteArray *words, const VendSandboxPaths *paths, char *const *staged)
{
  for (guint i = 0; i < paths->all->len; i++)
    {
      const VendSandboxPath *path = vend_sandbox_paths_get (paths, i);
      if (strcmp (path->to, "/") == 0)
        add_path (words, path, staged != NULL ? staged[i] : path->from);
    }
}

/* Each namespace by its name: "all" would go without those that are refused. */
static void
add_namespaces (GByteArray *words, const VendSandboxOptions *options)
{
  g_autofree char *uid = g_strdup_printf ("%u", options->inner_uid);
  g_autofree char *gid = g_strdup_printf ("%u", options->inner_gid);
  add_all (words, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
           "--unshare-cgroup", "--uid", options->has_root ? uid : INNER_UID, "--gid",
           options->has_root ? gid : INNER_UID, "--hostname", "model", "--cap-drop", "ALL",
           "--new-session", "--as-pid-1", "--clearenv", NULL);
  /* A room outlives the server when somebody is in it, and others are nested in its namespace; its
   * filter refuses to make any. */
  if (!options->is_room)
    add_all (words, "--disable-userns", "--die-with-parent", NULL);
  if (options->network != VEND_NETWORK_HOST)
    add (words, "--unshare-net");
}

bool
vend_sandbox_in_etc (const VendSandboxOptions *options, const VendSandboxPath *path)
{
  return !options->has_root && g_str_has_prefix (path->to, "/etc/");
}

static void
add_paths (GByteArray *words, const VendSandboxOptions *options, const VendSandboxPaths *paths,
           char *const *staged)
{
  for (guint i = 0; i < paths->all->len; i++)
    {
      const VendSandboxPath *path = vend_sandbox_paths_get (paths, i);
      if (strcmp (path->to, "/") == 0)
        continue;
      if (staged == NULL)
        add_path (words, path, path->from);
      else if (!vend_sandbox_in_etc (options, path))
        add_path (words, path, staged[i]);
    }
}

static void
add_users (GByteArray *words)
{
  add_all (words, "--perms", "0444", NULL);
  add_number (words, "--ro-bind-data", VEND_PIN_PASSWD);
  add_all (words, "/etc/passwd", "--perms", "0444", NULL);
  add_number (words, "--ro-bind-data", VEND_PIN_GROUP);
  add_all (words, "/etc/group", NULL);
}

GByteArray *
vend_sandbox_arguments (const VendSandboxOptions *options, const VendSandboxPaths *paths,
                        char *const *staged)
{
  GByteArray *words = g_byte_array_new ();
  add_namespaces (words, options);
  if (options->has_root)
    add_root (words, paths, staged);
  else
    add_links (words);
  add_devices (words, options);
  add_all (words, "--proc", "/proc", NULL);
  if (!options->has_root)
    add_all (words, "--dir", "/run", "--dir", "/var", "--symlink", "../tmp", "/var/tmp", NULL);
  if (options->tmp == NULL && !options->has_root)
    add_all (words, "--perms", "1777", "--tmpfs", "/tmp", NULL);
  add_paths (words, options, paths, staged);
  if (options->paths->has_gpus)
    add_all (words, "--tmpfs", "/sys/fs/cgroup", NULL);
  if (!options->has_root)
    {
      if (staged != NULL)
        add_all (words, "--ro-bind", VEND_SANDBOX_STAGE "/etc", "/etc", NULL);
      else
        add_users (words);
      add_all (words, "--remount-ro", "/", NULL);
    }
  add_all (words, "--remount-ro", "/dev", "--chdir", "/", NULL);
  add_number (words, "--seccomp", VEND_PIN_FILTER);
  return words;
}

char *
vend_sandbox_passwd (const VendSandboxOptions *options)
{
  const char *home = g_environ_getenv ((char **) options->env, "HOME");
  return g_strdup_printf ("root:x:0:0:root:/:/usr/sbin/nologin\n"
                          "model:x:" INNER_UID ":" INNER_UID "::%s:/bin/sh\n"
                          "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
                          home != NULL ? home : "/");
}

/* ---- pin */

static void
add_order (GByteArray *words, char tag, const char *text)
{
  g_autofree char *word = g_strdup_printf ("%c%s", tag, text);
  add (words, word);
}

static void
add_limit (GByteArray *words, int resource, uint64_t value)
{
  if (value == 0)
    return;
  g_autofree char *text = g_strdup_printf ("%d %" G_GUINT64_FORMAT, resource, value);
  add_order (words, VEND_PIN_LIMIT, text);
}

/* In the sandbox most of what it lets through is read-only, or not there. */
static void
add_rules_of_sandbox (GByteArray *words, const VendSandboxPaths *paths)
{
  static const char *const writable[] = { "/dev", "/proc" };
  add_order (words, VEND_PIN_READ, "/");
  for (guint i = 0; i < G_N_ELEMENTS (writable); i++)
    add_order (words, VEND_PIN_WRITE, writable[i]);
  for (guint i = 0; i < paths->all->len; i++)
    if (vend_sandbox_paths_get (paths, i)->writable)
      add_order (words, VEND_PIN_WRITE, vend_sandbox_paths_get (paths, i)->to);
}

/* Without one the whole machine lies around it. */
static void
add_rules_of_host (GByteArray *words, const VendSandboxOptions *options,
                   const VendSandboxPaths *paths)
{
  static const char *const writable[] = { "/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
                                          "/dev/urandom", "/dev/tty",  "/dev/shm",  "/proc/self" };
  add_order (words, VEND_PIN_LANDLOCK, "");
  add_order (words, VEND_PIN_STAY, "");
  add_order (words, VEND_PIN_READ, "/proc");
  for (guint i = 0; i < G_N_ELEMENTS (writable); i++)
    add_order (words, VEND_PIN_WRITE, writable[i]);
  for (guint i = 0; i < paths->all->len; i++)
    {
      const VendSandboxPath *path = vend_sandbox_paths_get (paths, i);
      add_order (words, path->writable ? VEND_PIN_WRITE : VEND_PIN_READ, path->from);
    }
  if (options->tmp == NULL)
    return;
  add_order (words, VEND_PIN_WRITE, options->tmp);
  add_order (words, VEND_PIN_READ, "/etc/passwd");
  add_order (words, VEND_PIN_READ, "/etc/group");
}

GByteArray *
vend_sandbox_orders (const VendSandboxOptions *options, const VendSandboxPaths *paths)
{
  GByteArray *words = g_byte_array_new ();
  for (gsize i = 0; options->argv[i] != NULL; i++)
    add_order (words, VEND_PIN_ARGUMENT, options->argv[i]);
  for (gsize i = 0; options->env[i] != NULL; i++)
    add_order (words, VEND_PIN_VARIABLE, options->env[i]);
  add_order (words, VEND_PIN_FOLDER, options->cwd);
  add_limit (words, RLIMIT_DATA, options->process_data);
  add_limit (words, RLIMIT_NPROC, options->user_processes);
  if (options->is_launcher)
    add_order (words, VEND_PIN_LAUNCHER, "");
  /* Rules of Landlock pass on to forks, and would keep them from the mounts of their instances. */
  if (options->is_room)
    add_order (words, VEND_PIN_ROOM, "");
  else if (options->kind == VEND_ISOLATION_SANDBOX)
    add_rules_of_sandbox (words, paths);
  else
    add_rules_of_host (words, options, paths);
  return words;
}
