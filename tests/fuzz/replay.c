/* Gives every seed of the folders on the command line to a fuzz target, once. */
#include "fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static guint
replay_folder (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) listing = g_dir_open (path, 0, &error);
  guint n = 0;
  g_assert_no_error (error);
  for (const char *name; (name = g_dir_read_name (listing)) != NULL; n++)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      g_autofree char *data = NULL;
      gsize size = 0;
      g_file_get_contents (file, &data, &size, &error);
      g_assert_no_error (error);
      printf ("%s\n", file);
      fflush (stdout);
      /* A copy of the exact size, so that the sanitizer sees a read behind its end. */
      uint8_t *exact = malloc (size > 0 ? size : 1);
      memcpy (exact, data, size);
      LLVMFuzzerTestOneInput (exact, size);
      free (exact);
    }
  return n;
}

int
main (int argc, char **argv)
{
  guint n = 0;
  LLVMFuzzerInitialize (&argc, &argv);
  LLVMFuzzerTestOneInput ((const uint8_t *) "", 0);
  for (int i = 1; i < argc; i++)
    n += replay_folder (argv[i]);
  if (n == 0)
    printf ("no seeds\n");
  return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
