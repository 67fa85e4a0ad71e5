/* Journal entries as a crash or a bad disk may leave them. */
#include "fuzz.h"
#include "runner/journal.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#define KEY "prediction.1"

static void
on_found (const char *key, json_t *completed, void *data)
{
  guint *n = data;
  g_assert_cmpstr (key, ==, KEY);
  g_assert_nonnull (vend_json_string (completed, "prediction"));
  ++*n;
}

/* Each damaged entry is a line in the log. */
static guint
scan_silently (const char *dir)
{
  guint n = 0;
  fflush (stderr);
  const int log = dup (STDERR_FILENO);
  const int nowhere = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2 (nowhere, STDERR_FILENO);
  close (nowhere);
  const bool good = vend_journal_scan (dir, on_found, &n, NULL);
  dup2 (log, STDERR_FILENO);
  close (log);
  g_assert_true (good);
  return n;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *dir = fuzz_folder ();
  g_autofree char *folder = g_build_filename (dir, "journal", NULL);
  g_autofree char *path = g_build_filename (folder, KEY ".json", NULL);
  g_autofree char *bad = g_strconcat (path, ".bad", NULL);
  g_mkdir_with_parents (folder, 0700);
  fuzz_write_file (path, (const char *) data, size);

  json_t *const untouched = (json_t *) path;
  json_t *entry = untouched;
  g_autoptr (GError) error = NULL;
  const bool good = vend_journal_read (dir, KEY, &entry, &error);
  fuzz_check_error (good, error);
  if (good)
    {
      g_assert_true (json_is_object (entry));
      fuzz_check_json (entry);
      g_assert_nonnull (vend_json_string (entry, "prediction"));
      json_decref (entry);
    }
  else
    g_assert_true (entry == untouched);

  /* Read and kept, or set aside; never lost. */
  g_assert_cmpuint (scan_silently (dir), ==, good ? 1 : 0);
  g_assert_true (g_file_test (good ? path : bad, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (good ? bad : path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_remove (good ? path : bad), ==, 0);
  return 0;
}
