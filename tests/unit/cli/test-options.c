/* Command lines: flags, counts, subcommands, exit codes; where server and token come from. */
#include "base/error.h"
#include "cli/arguments/arguments.h"
#include "cli/client/client-config.h"
#include "cli/terminal/save.h"
#include <string.h>

static bool
parse (const char *line, VendConnection *connection, GStrv *out_words, GError **error)
{
  const VendOptions options = {
    .command = "try",
    .usage = "[DIR] owner/name",
    .summary = "Tries.",
    .connection = connection,
    .least = 1,
    .most = 2,
  };
  g_auto (GStrv) argv = g_strsplit (line, " ", -1);
  return vend_options_parse (&options, (int) g_strv_length (argv), argv, out_words, error);
}

static void
test_parse (void)
{
  static const struct
  {
    const char *line;
    const char *words; /* joined by spaces */
  } good[] = {
    { "try a", "a" },
    { "try a b", "a b" },
    { "try --json a --url http://h", "a" },
    { "try a --url=http://h --json --token t --ca f", "a" },
    { "try -- --odd", "--odd" },
    { "try a -- -b", "a -b" },
  };
  static const struct
  {
    const char *line;
    const char *expected;
  } bad[] = {
    { "try", "expected 'vend try [DIR] owner/name'; see 'vend try --help'" },
    { "try a b c", "unexpected argument 'c'; see 'vend try --help'" },
    { "try --bogus a", "unknown option --bogus; see 'vend try --help'" },
    { "try a --url", "--url; see 'vend try --help'" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (VendConnection) connection = { 0 };
      g_auto (GStrv) words = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_true (parse (good[i].line, &connection, &words, &error));
      g_autofree char *joined = g_strjoinv (" ", words);
      g_assert_cmpstr (joined, ==, good[i].words);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (VendConnection) connection = { 0 };
      g_auto (GStrv) words = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (parse (bad[i].line, &connection, &words, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, bad[i].expected));
      g_assert_null (words);
    }
}

static bool
first (int argc, char **argv, GError **error)
{
  return argc == 1 || argv[1][0] == '-';
}

static bool
second (int argc, char **argv, GError **error)
{
  return argc == 2 && strcmp (argv[0], "second") == 0 && strcmp (argv[1], "x") == 0;
}

static void
test_subcommands (void)
{
  static const VendSubcommand table[]
      = { { "first", "first", first }, { "second", "second X", second }, { NULL } };
  static const char *const good[] = { "try", "try --json", "try first", "try second x" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto (GStrv) argv = g_strsplit (good[i], " ", -1);
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_subcommand_run ("try", table, (int) g_strv_length (argv), argv, &error));
    }
  char name[] = "try", other[] = "third";
  char *argv[] = { name, other, NULL };
  g_autoptr (GError) error = NULL;
  g_assert_false (vend_subcommand_run ("try", table, 2, argv, &error));
  g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "expected one of first, second"));
}

static void
test_exit_codes (void)
{
  static const struct
  {
    VendError code;
    int exit_code;
  } cases[] = {
    { VEND_ERROR_INVALID, 2 },      { VEND_ERROR_TOO_LARGE, 2 },   { VEND_ERROR_NOT_FOUND, 1 },
    { VEND_ERROR_UNAUTHORIZED, 1 }, { VEND_ERROR_UNAVAILABLE, 1 }, { VEND_ERROR_RUNNER, 1 },
    { VEND_ERROR_TIMEOUT, 1 },      { VEND_ERROR_CANCELED, 130 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_fail (&error, cases[i].code, "of a test"));
      g_assert_cmpint (vend_exit_code (false, error), ==, cases[i].exit_code);
    }
  g_assert_cmpint (vend_exit_code (true, NULL), ==, 0);
  g_assert_cmpint (vend_exit_code (false, NULL), ==, 1);
}

static void
test_urls (void)
{
  static const struct
  {
    const char *text;
    const char *url;
  } good[] = {
    { "http://127.0.0.1:8363", "http://127.0.0.1:8363" },
    { "http://127.0.0.1:8363/", "http://127.0.0.1:8363" },
    { "https://h.example/v1", "https://h.example" },
    { "https://h.example/v1//", "https://h.example" },
    { "https://h.example/vend/v1", "https://h.example/vend" },
    { "http://[::1]:80", "http://[::1]:80" },
  };
  static const char *const bad[] = { "",
                                     "h.example",
                                     "ftp://h",
                                     "http://",
                                     "http://h?x=1",
                                     "http://h#x",
                                     "http://u:p@h",
                                     "file:///etc/passwd",
                                     "http://h:99999999" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *url = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_true (vend_client_url_normalize (good[i].text, &url, &error));
      g_assert_cmpstr (url, ==, good[i].url);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *url = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_false (vend_client_url_normalize (bad[i], &url, &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
    }
  g_assert_true (vend_client_url_is_local ("http://localhost:1"));
  g_assert_true (vend_client_url_is_local ("http://[::1]:1"));
  g_assert_false (vend_client_url_is_local ("http://localhost.example:1"));
}

static void
test_ids (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  static const char *const bad[] = { "", "k3v9q2m7x1rge0ct5w8z4n6by", "k3v9q2m7x1rge0ct5w8z4n6by/",
                                     "K3v9q2m7x1rge0ct5w8z4n6bya", "k3v9q2m7x1rge0ct5w8z4n6byaa" };
  g_assert_true (vend_argument_id_check ("prediction", "k3v9q2m7x1rge0ct5w8z4n6bya", &error));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_false (vend_argument_id_check ("prediction", bad[i], &error));
      g_assert_error (error, VEND_ERROR, VEND_ERROR_INVALID);
      g_clear_error (&error);
    }
  g_assert_true (vend_argument_model_path ("lab/echo", &path, &error));
  g_assert_cmpstr (path, ==, "/v1/models/lab/echo");
}

static void
test_file_names (void)
{
  static const struct
  {
    const char *url;
    const char *name;
  } cases[] = {
    { "http://h/v1/outputs/t/out.png", "out.png" },
    { "http://h/v1/outputs/t/out.png?x=1#y", "out.png" },
    { "http://h/a%20b.txt", "a b.txt" },
    { "http://h/x/", "output" },
    { "http://h", "output" },
    { "not a url", "output" },
    { "http://h/..", "output" },
    { "http://h/%2e%2E", "output" },
    { "http://h/.bashrc", "_bashrc" },
    { "http://h/..%2Fetc%2Fpasswd", "___etc_passwd" },
    { "http://h/a%0Ab%1B.txt", "a; b .txt" },
    { "http://h/%00x", "output" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = vend_save_name_of_url (cases[i].url);
      g_assert_cmpstr (name, ==, cases[i].name);
    }
  g_autofree char *long_name = g_strnfill (1000, 'x');
  g_autofree char *url = g_strconcat ("http://h/", long_name, NULL);
  g_autofree char *name = vend_save_name_of_url (url);
  g_assert_cmpuint (strlen (name), ==, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/options/parse", test_parse);
  g_test_add_func ("/options/subcommands", test_subcommands);
  g_test_add_func ("/options/exit-codes", test_exit_codes);
  g_test_add_func ("/options/urls", test_urls);
  g_test_add_func ("/options/ids", test_ids);
  g_test_add_func ("/options/file-names", test_file_names);
  return g_test_run ();
}
