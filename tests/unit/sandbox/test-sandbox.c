/* Sandboxes: what they show, what they refuse, what the probe of this machine says. Where the
 * machine makes none the tests of running ones are skipped with its reason. */
#include "base/fd.h"
#include "base/idmap.h"
#include "sandbox/filter.h"
#include "sandbox/inside.h"
#include "sandbox/pin.h"
#include "sandbox/probe.h"
#include "sandbox/sandbox-private.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MAX_SAID ((gsize) 64 * 1024)

typedef struct
{
  char *dir;
  char *tmp;
  VendSandboxPaths *paths;
  int idmap;
  uid_t uid;
} Place;

static void
place_set_up (Place *place, gconstpointer data)
{
  place->dir = g_dir_make_tmp ("vend-sandbox-XXXXXX", NULL);
  place->tmp = g_build_filename (place->dir, "tmp", NULL);
  place->paths = vend_sandbox_paths_new ();
  place->idmap = -1;
  g_assert_cmpint (mkdir (place->tmp, 0700), ==, 0);
  if (geteuid () != 0)
    return;
  place->uid = VEND_SANDBOX_FIRST_UID + 7;
  g_autoptr (GError) error = NULL;
  (void) !vend_idmap_new (place->uid, &place->idmap, &error);
  g_assert_cmpint (chown (place->tmp, place->uid, place->uid), ==, 0);
}

static void
place_tear_down (Place *place, gconstpointer data)
{
  g_assert_true (vend_tree_remove (place->dir, NULL));
  vend_sandbox_paths_free (place->paths);
  vend_fd_clear (&place->idmap);
  g_free (place->dir);
  g_free (place->tmp);
}

static VendSandboxOptions
options_of (const Place *place, char *const *argv, char *const *env)
{
  return (VendSandboxOptions){ .kind = VEND_ISOLATION_SANDBOX,
                               .network = VEND_NETWORK_NONE,
                               .uid = place->uid,
                               .idmap = place->idmap,
                               .cwd = "/tmp",
                               .tmp = place->tmp,
                               .argv = argv,
                               .env = env,
                               .paths = place->paths };
}

static void
enter (void *data)
{
  if (!vend_sandbox_enter (data))
    _exit (99);
}

typedef struct
{
  GPid pid;
  int control;
  int output;
} Running;

static Running
start_waiting (const VendSandboxOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VendSandbox) sandbox = NULL;
  const char *const env[] = { NULL };
  Running running = { .control = -1, .output = -1 };
  g_assert_true (vend_sandbox_new (options, &sandbox, &error));
  running.control = vend_sandbox_take_control (sandbox);
  g_assert_true (g_spawn_async_with_pipes_and_fds (
      NULL, vend_sandbox_argv (sandbox), env, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES,
      enter, sandbox, -1, -1, -1, NULL, NULL, 0, &running.pid, NULL, &running.output, NULL,
      &error));
  vend_sandbox_started (sandbox);
  return running;
}

static Running
start (const VendSandboxOptions *options)
{
  const Running running = start_waiting (options);
  g_assert_cmpint (send (running.control, "go", 2, MSG_NOSIGNAL), ==, 2);
  return running;
}

/* The number of the sandbox's first process, by the kernel's word. */
static pid_t
hear_pin (const Running *running)
{
  char text[16];
  union
  {
    char space[CMSG_SPACE (sizeof (struct ucred))];
    struct cmsghdr align;
  } control;
  struct iovec io = { text, sizeof text };
  struct msghdr message = { .msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = sizeof control.space };
  struct ucred sender;
  g_assert_cmpint (recvmsg (running->control, &message, 0), ==, 3);
  memcpy (&sender, CMSG_DATA (CMSG_FIRSTHDR (&message)), sizeof sender);
  return sender.pid;
}

/* What a script says, and how it ended by the word of pin. */
static char *
run (const Place *place, const char *script, int *out_status)
{
  char *const argv[] = { (char *) "sh", (char *) "-c", (char *) script, NULL };
  char *const env[]
      = { (char *) "PATH=/usr/bin:/bin", (char *) "HOME=/tmp", (char *) "WORD=hello", NULL };
  const VendSandboxOptions options = options_of (place, argv, env);
  Running running = start (&options);
  g_autofree char *said = NULL;
  char text[64];
  ssize_t n;
  *out_status = -1;
  g_assert_true (vend_fd_read_all (running.output, "output", MAX_SAID, &said, NULL, NULL));
  while ((n = recv (running.control, text, sizeof text - 1, 0)) > 0)
    {
      text[n] = '\0';
      if (g_str_has_prefix (text, "end "))
        *out_status = (int) g_ascii_strtoll (text + 4, NULL, 10);
    }
  while (waitpid (running.pid, NULL, 0) < 0 && errno == EINTR)
    ;
  vend_fd_clear (&running.control);
  vend_fd_clear (&running.output);
  return g_steal_pointer (&said);
}

static bool
can_run (const Place *place)
{
  g_autoptr (VendIsolationFound) found = vend_isolation_probe (place->dir, VEND_ISOLATE_AUTO);
  if (found->kind == VEND_ISOLATION_SANDBOX)
    return true;
  g_test_skip (found->why);
  return false;
}

static void
test_runs (Place *place, gconstpointer data)
{
  int status = 0;
  if (!can_run (place))
    return;
  g_autofree char *said = run (place,
                               "echo $WORD; env | wc -l; id -u; ls -d /proc/[0-9]* | wc -l; "
                               "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; "
                               "ls / | tr '\\n' ' '; ls /proc/self/fd | wc -l; exit 7",
                               &status);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 7);
  g_auto (GStrv) lines = g_strsplit (said, "\n", -1);
  g_assert_cmpstr (lines[0], ==, "hello");
  g_assert_cmpstr (lines[1], ==, "4"); /* the three, and PWD of the shell */
  g_assert_cmpstr (lines[2], ==, "1000");
  g_assert_cmpstr (lines[4], ==, "CapEff:\t0000000000000000");
  g_assert_cmpstr (lines[5], ==, "CapBnd:\t0000000000000000");
  g_assert_cmpstr (lines[6], ==, "NoNewPrivs:\t1");
  g_assert_cmpstr (lines[7], ==, "Seccomp:\t2");
}

static void
test_refuses (Place *place, gconstpointer data)
{
  static const char *const refused[] = {
    "cat /proc/1/environ",
    "cat /proc/1/mem",
    "ls -l /proc/1/exe /proc/1/fd/",
    "touch /usr/x",
    "touch /x",
    "touch /etc/x",
    "mount -t tmpfs none /tmp",
    "unshare -U true",
    "kill -9 1 && sleep 0.2 && kill -0 1 && exit 1; false",
    "echo 1 > /proc/sys/kernel/core_pattern",
    "cat /etc/shadow",
    "ls /root",
    "mknod /tmp/null c 1 3",
  };
  if (!can_run (place))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      int status = 0;
      g_autofree char *script
          = g_strdup_printf ("( %s ) 2>/dev/null && exit 3; exit 0", refused[i]);
      g_autofree char *said G_GNUC_UNUSED = run (place, script, &status);
      g_test_message ("%s", refused[i]);
      g_assert_true (WIFEXITED (status));
      g_assert_cmpint (WEXITSTATUS (status), ==, 0);
    }
}

static void
test_shows_paths (Place *place, gconstpointer data)
{
  g_autofree char *shown = g_build_filename (place->dir, "shown", NULL);
  g_autofree char *hidden = g_build_filename (place->dir, "hidden", NULL);
  g_autofree char *own = g_build_filename (place->dir, "own", NULL);
  g_autofree char *made = g_build_filename (own, "made", NULL);
  int status = 0;
  struct stat st;
  if (!can_run (place))
    return;
  g_assert_true (vend_file_replace (shown, "words", 5, 0600, NULL));
  g_assert_true (vend_file_replace (hidden, "words", 5, 0644, NULL));
  g_assert_cmpint (mkdir (own, 0700), ==, 0);
  if (place->uid != 0)
    g_assert_cmpint (chown (own, place->uid, place->uid), ==, 0);
  vend_sandbox_paths_read (place->paths, shown, NULL);
  vend_sandbox_paths_write (place->paths, own, "/elsewhere");
  vend_sandbox_paths_read (place->paths, "/none/such", NULL);
  g_assert_cmpuint (vend_sandbox_paths_count (place->paths), ==, 2);
  g_autofree char *script = g_strdup_printf (
      "cat '%s'; echo x >> '%s'; test -e '%s' && echo seen; echo y > /elsewhere/made; exit 0",
      shown, shown, hidden);
  g_autofree char *said = run (place, script, &status);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (said, ==, "words");
  g_assert_cmpint (stat (made, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, place->uid != 0 ? place->uid : geteuid ());
}

/* The processes that it leaves behind end with it, and it ends by the director's signal. */
static void
test_signals (Place *place, gconstpointer data)
{
  char *const argv[] = { (char *) "sh", (char *) "-c",
                         (char *) "setsid sleep 1000 & trap 'exit 5' TERM; echo up; "
                                  "while :; do sleep 0.01; done",
                         NULL };
  char *const env[] = { (char *) "PATH=/usr/bin:/bin", NULL };
  const VendSandboxOptions options = options_of (place, argv, env);
  char text[64];
  int status = -1;
  if (!can_run (place))
    return;
  Running running = start (&options);
  g_assert_cmpint (read (running.output, text, 3), ==, 3);
  g_assert_cmpint (send (running.control, "15", 2, MSG_NOSIGNAL), ==, 2);
  for (ssize_t n; (n = recv (running.control, text, sizeof text - 1, 0)) > 0;)
    {
      text[n] = '\0';
      if (g_str_has_prefix (text, "end "))
        status = (int) g_ascii_strtoll (text + 4, NULL, 10);
    }
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 5);
  /* The daemon held the other end of this pipe. */
  g_assert_cmpint (read (running.output, text, 1), ==, 0);
  while (waitpid (running.pid, NULL, 0) < 0 && errno == EINTR)
    ;
  vend_fd_clear (&running.control);
  vend_fd_clear (&running.output);
}

static void
test_without_director (Place *place, gconstpointer data)
{
  char *const argv[] = { (char *) "sh", (char *) "-c", (char *) "echo up; sleep 1000", NULL };
  char *const env[] = { (char *) "PATH=/usr/bin:/bin", NULL };
  const VendSandboxOptions options = options_of (place, argv, env);
  char text[4];
  if (!can_run (place))
    return;
  Running running = start (&options);
  g_assert_cmpint (read (running.output, text, 3), ==, 3);
  vend_fd_clear (&running.control);
  g_assert_cmpint (read (running.output, text, 1), ==, 0);
  while (waitpid (running.pid, NULL, 0) < 0 && errno == EINTR)
    ;
  vend_fd_clear (&running.output);
}

/* A listener that was made inside from outside is reached there, and there only. */
static void
test_inside (Place *place, gconstpointer data)
{
  char *const argv[] = { (char *) "sh", (char *) "-c",
                         (char *) "grep -c 0100007F:0C39 /proc/net/tcp; read x", NULL };
  char *const env[] = { (char *) "PATH=/usr/bin:/bin", NULL };
  const VendSandboxOptions options = options_of (place, argv, env);
  g_autoptr (VendInside) inside = NULL;
  g_autoptr (GError) error = NULL;
  vend_autofd listener = -1;
  int second = -1;
  vend_autofd client = -1;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (0x0c39) };
  char text[64];
  if (!can_run (place))
    return;
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  Running running = start_waiting (&options);
  const pid_t first = hear_pin (&running);
  g_assert_true (vend_inside_new (first, &inside, &error));
  g_assert_true (vend_inside_socket (inside, 0x0c39, &listener, &error));
  g_assert_true (vend_inside_socket (inside, 0, &client, &error));
  g_assert_cmpint (connect (client, (struct sockaddr *) &address, sizeof address), <=, 0);
  struct pollfd waiting = { .fd = listener, .events = POLLIN };
  g_assert_cmpint (poll (&waiting, 1, 10000), ==, 1);
  g_assert_false (vend_inside_socket (inside, 0x0c39, &second, &error));
  g_assert_nonnull (strstr (error->message, "make a socket in the sandbox"));
  g_assert_cmpint (send (running.control, "go", 2, MSG_NOSIGNAL), ==, 2);
  g_assert_cmpint (read (running.output, text, 2), ==, 2);
  g_assert_cmpint (text[0], !=, '0');
  vend_fd_clear (&running.control);
  while (waitpid (running.pid, NULL, 0) < 0 && errno == EINTR)
    ;
  vend_fd_clear (&running.output);
}

static bool
has_word (const GByteArray *words, const char *word)
{
  for (guint at = 0; at < words->len; at += (guint) strlen ((const char *) words->data + at) + 1)
    if (strcmp ((const char *) words->data + at, word) == 0)
      return true;
  return false;
}

static void
test_arguments (Place *place, gconstpointer data)
{
  char *const argv[] = { (char *) "python", NULL };
  char *const env[] = { (char *) "SECRET=hf_x", NULL };
  VendSandboxOptions options = options_of (place, argv, env);
  g_autoptr (VendSandboxPaths) paths = vend_sandbox_system_paths (&options);
  g_autoptr (GByteArray) words = vend_sandbox_arguments (&options, paths, NULL);
  g_autoptr (GByteArray) orders = vend_sandbox_orders (&options, paths);
  g_autofree char *passwd = vend_sandbox_passwd (&options);
  g_assert_true (has_word (words, "--unshare-net"));
  g_assert_true (has_word (words, "--disable-userns"));
  g_assert_false (has_word (words, "--unshare-all"));
  g_assert_false (has_word (words, "SECRET=hf_x"));
  g_assert_true (has_word (orders, "eSECRET=hf_x"));
  g_assert_true (has_word (orders, "apython"));
  g_assert_nonnull (strstr (passwd, "model:x:1000:1000::/:"));
  options.network = VEND_NETWORK_HOST;
  g_autoptr (GByteArray) with_host = vend_sandbox_arguments (&options, paths, NULL);
  g_assert_false (has_word (with_host, "--unshare-net"));
}

static void
test_python (Place *place, gconstpointer data)
{
  g_autofree char *environment = g_build_filename (place->dir, "venv", NULL);
  g_autofree char *bin = g_build_filename (environment, "bin", NULL);
  g_autofree char *base = g_build_filename (place->dir, "base", NULL);
  g_autofree char *base_bin = g_build_filename (base, "bin", NULL);
  g_autofree char *program = g_build_filename (base_bin, "python3", NULL);
  g_autofree char *python = g_build_filename (bin, "python", NULL);
  g_autofree char *file = g_build_filename (environment, "pyvenv.cfg", NULL);
  g_autofree char *text = g_strdup_printf ("home = %s\nversion = 3\n", base_bin);
  g_assert_true (vend_dir_ensure (bin, NULL) && vend_dir_ensure (base_bin, NULL));
  g_assert_true (vend_file_replace (program, "", 0, 0700, NULL));
  g_assert_true (vend_file_replace (file, text, strlen (text), 0600, NULL));
  g_assert_cmpint (symlink (program, python), ==, 0);
  vend_sandbox_paths_python (place->paths, python);
  vend_sandbox_paths_python (place->paths, "/usr/bin/python3");
  g_assert_cmpuint (vend_sandbox_paths_count (place->paths), ==, 2);
  g_assert_cmpstr (vend_sandbox_paths_get (place->paths, 0)->to, ==, environment);
  g_assert_cmpstr (vend_sandbox_paths_get (place->paths, 1)->to, ==, base);
}

static void
test_gpus (Place *place, gconstpointer data)
{
  vend_sandbox_paths_gpus (place->paths, NULL);
  vend_sandbox_paths_gpus (place->paths, "");
  g_assert_false (place->paths->has_gpus);
  vend_sandbox_paths_gpus (place->paths, "GPU-none");
  g_assert_true (place->paths->has_gpus);
}

static void
test_filters (void)
{
  vend_autofd model = -1;
  vend_autofd room = -1;
  struct stat of_model;
  struct stat of_room;
  g_assert_true (vend_sandbox_filter (VEND_FILTER_MODEL, &model, NULL));
  g_assert_true (vend_sandbox_filter (VEND_FILTER_ROOM, &room, NULL));
  g_assert_cmpint (fstat (model, &of_model), ==, 0);
  g_assert_cmpint (fstat (room, &of_room), ==, 0);
  g_assert_cmpint (of_model.st_size, >, of_room.st_size);
  g_assert_cmpint (of_model.st_size % 8, ==, 0);
}

static void
test_words (void)
{
  VendIsolationSetting setting;
  VendIsolation kind;
  VendNetworkKind network;
  g_assert_true (vend_isolation_setting_parse ("required", &setting));
  g_assert_cmpint (setting, ==, VEND_ISOLATE_REQUIRED);
  g_assert_false (vend_isolation_setting_parse ("on", &setting));
  g_assert_true (vend_isolation_parse (vend_isolation_word (VEND_ISOLATION_LANDLOCK), &kind));
  g_assert_cmpint (kind, ==, VEND_ISOLATION_LANDLOCK);
  g_assert_false (vend_isolation_parse ("", &kind));
  g_assert_true (vend_network_parse (vend_network_word (VEND_NETWORK_NONE), &network));
  g_assert_cmpint (network, ==, VEND_NETWORK_NONE);
  g_assert_false (vend_network_parse ("bridge", &network));
}

static void
test_off (Place *place, gconstpointer data)
{
  g_autoptr (VendIsolationFound) off = vend_isolation_probe (place->dir, VEND_ISOLATE_OFF);
  g_autofree char *text = vend_isolation_describe (off);
  g_assert_cmpint (off->kind, ==, VEND_ISOLATION_NONE);
  g_assert_cmpstr (text, ==,
                   "none: models run as the user of 'vend serve'; no stronger one, since isolation "
                   "is off");
}

static void
test_nowhere (void)
{
  g_autoptr (VendIsolationFound) found
      = vend_isolation_probe ("/nowhere/at/all", VEND_ISOLATE_AUTO);
  g_assert_cmpint (found->kind, ==, VEND_ISOLATION_NONE);
  g_assert_cmpstr (found->why, ==, "nothing can be tried in /nowhere/at/all");
}

static void
add (const char *name, void (*test) (Place *, gconstpointer))
{
  g_test_add (name, Place, NULL, place_set_up, test, place_tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/sandbox/runs", test_runs);
  add ("/sandbox/refuses", test_refuses);
  add ("/sandbox/shows-paths", test_shows_paths);
  add ("/sandbox/signals", test_signals);
  add ("/sandbox/without-director", test_without_director);
  add ("/sandbox/inside", test_inside);
  add ("/sandbox/arguments", test_arguments);
  add ("/sandbox/python", test_python);
  add ("/sandbox/gpus", test_gpus);
  add ("/sandbox/off", test_off);
  g_test_add_func ("/sandbox/nowhere", test_nowhere);
  g_test_add_func ("/sandbox/filters", test_filters);
  g_test_add_func ("/sandbox/words", test_words);
  return g_test_run ();
}
