/* What a model misses in its sandbox is named, and nothing else is. */
#include "director/sandbox-hint.h"
#include <string.h>

static char *env[] = { (char *) "HOME=/srv/vend/home", NULL };

static char *
explain (VendIsolation isolation, VendNetworkKind network, const char *error)
{
  const VendSpec spec = { .isolation = isolation, .network = network, .env = env };
  return vend_sandbox_explain (&spec, error);
}

static void
expect (VendNetworkKind network, const char *error, const char *part)
{
  g_autofree char *said = explain (VEND_ISOLATION_SANDBOX, network, error);
  g_assert_nonnull (said);
  g_assert_true (g_str_has_prefix (said, error));
  g_assert_nonnull (strstr (said, part));
  g_autofree char *free_one = explain (VEND_ISOLATION_NONE, network, error);
  g_assert_null (free_one);
}

static void
expect_none (VendNetworkKind network, const char *error)
{
  g_autofree char *said = explain (VEND_ISOLATION_SANDBOX, network, error);
  g_assert_null (said);
}

static void
test_network (void)
{
  const char *error = "<urlopen error [Errno -3] Temporary failure in name resolution>";
  expect (VEND_NETWORK_OUTBOUND, error, "HTTP_PROXY");
  expect (VEND_NETWORK_NONE, error, "to 'outbound'");
  expect_none (VEND_NETWORK_HOST, error);
}

static void
test_files (void)
{
  expect (VEND_NETWORK_NONE, "[Errno 30] Read-only file system: '/usr/x'", "to /tmp and to HOME");
  expect (VEND_NETWORK_NONE, "[Errno 2] No such file or directory: '/mnt/weights'", "as weights");
  expect_none (VEND_NETWORK_NONE, "[Errno 2] No such file or directory: '/tmp/x'");
  expect_none (VEND_NETWORK_NONE, "[Errno 2] No such file or directory: 'x'");
  expect_none (VEND_NETWORK_NONE, "[Errno 2] No such file or directory: '/srv/vend/home/x'");
  expect_none (VEND_NETWORK_NONE, "[Errno 2] No such file or directory: '/i/1/work/src/x'");
  g_autofree char *locked = explain (VEND_ISOLATION_LANDLOCK, VEND_NETWORK_HOST,
                                     "[Errno 13] Permission denied: '/mnt/weights'");
  g_assert_nonnull (locked);
}

static void
test_calls (void)
{
  expect (VEND_NETWORK_HOST, "[Errno 1] Operation not permitted", "isolation = off");
  expect_none (VEND_NETWORK_OUTBOUND, "division by zero");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sandbox-hint/network", test_network);
  g_test_add_func ("/sandbox-hint/files", test_files);
  g_test_add_func ("/sandbox-hint/calls", test_calls);
  return g_test_run ();
}
