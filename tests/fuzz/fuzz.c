/* What the fuzz targets share. */
#include "fuzz.h"
#include "base/error.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *folder;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  return 0;
}

guint8
fuzz_take_byte (FuzzInput *input)
{
  if (input->size == 0)
    return 0;
  input->size--;
  return (guint8) *input->data++;
}

char *
fuzz_take_line (FuzzInput *input)
{
  const char *end = input->size > 0 ? memchr (input->data, '\n', input->size) : NULL;
  gsize size = end != NULL ? (gsize) (end - input->data) : input->size;
  char *line = g_strndup (input->data, size);
  gsize taken = size + (end != NULL ? 1 : 0);
  input->data += taken;
  input->size -= taken;
  return line;
}

char *
fuzz_take_text (FuzzInput *input)
{
  char *text = g_strndup (input->data, input->size);
  input->size = 0;
  return text;
}

FuzzInput
fuzz_take_until (FuzzInput *input, const char *mark)
{
  g_autofree char *line = g_strconcat ("\n", mark, "\n", NULL);
  FuzzInput before = *input;
  const char *found
      = input->size > 0 ? memmem (input->data, input->size, line, strlen (line)) : NULL;
  if (found == NULL)
    {
      input->size = 0;
      return before;
    }
  before.size = (gsize) (found - input->data);
  gsize taken = before.size + strlen (line);
  input->data += taken;
  input->size -= taken;
  return before;
}

FuzzPieces
fuzz_pieces_start (guint8 seed)
{
  return 2463534242u + seed * 7919u;
}

gsize
fuzz_piece (FuzzPieces *pieces, gsize left)
{
  *pieces ^= *pieces << 13;
  *pieces ^= *pieces >> 17;
  *pieces ^= *pieces << 5;
  const gsize most = (*pieces & 0x700) == 0 ? 4096 : 7;
  return MIN (left, 1 + (*pieces >> 16) % most);
}

void
fuzz_check_utf8 (const char *text)
{
  g_assert_nonnull (text);
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

void
fuzz_check_error (bool good, const GError *error)
{
  g_assert_cmpint (good, ==, error == NULL);
  if (error == NULL)
    return;
  g_assert_true (error->domain == VEND_ERROR);
  g_assert_cmpint (error->code, !=, VEND_ERROR_INTERNAL);
  fuzz_check_utf8 (error->message);
  g_assert_cmpuint (strlen (error->message), >, 0);
  g_assert_cmpuint (strlen (error->message), <=, FUZZ_ERROR_BYTES);
}

void
fuzz_check_json (const json_t *value)
{
  const char *key;
  json_t *item;
  size_t i;
  if (vend_json_is_big (value))
    {
      guint64 number = 0;
      g_assert_true (g_ascii_string_to_unsigned (
          vend_json_big_digits (value), 10, (guint64) G_MAXINT64 + 1, G_MAXUINT64, &number, NULL));
    }
  else if (json_is_string (value))
    {
      fuzz_check_utf8 (json_string_value (value));
      g_assert_cmpuint (strlen (json_string_value (value)), ==, json_string_length (value));
    }
  json_object_foreach ((json_t *) value, key, item)
    {
      fuzz_check_utf8 (key);
      fuzz_check_json (item);
    }
  json_array_foreach ((json_t *) value, i, item)
    fuzz_check_json (item);
}

void
fuzz_remove_tree (const char *path)
{
  g_autoptr (GDir) listing
      = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  for (const char *name; listing != NULL && (name = g_dir_read_name (listing)) != NULL;)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);
      fuzz_remove_tree (inner);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
remove_folder (void)
{
  fuzz_remove_tree (folder);
  g_free (folder);
}

const char *
fuzz_folder (void)
{
  if (folder != NULL)
    return folder;
  folder = g_dir_make_tmp ("vend-fuzz-XXXXXX", NULL);
  g_assert_nonnull (folder);
  atexit (remove_folder);
  return folder;
}

/* g_file_set_contents would sync, which takes longer than most targets. */
void
fuzz_write_file (const char *path, const char *data, gsize size)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  for (gsize done = 0; done < size;)
    {
      gssize n = write (fd, data + done, size - done);
      g_assert_cmpint (n, >, 0);
      done += (gsize) n;
    }
  close (fd);
}
