/* multipart/form-data. First byte: sizes of the pieces; then a line with the Content-Type; the rest
 * is the body. Whatever the pieces, the parts are the same. */
#include "fuzz.h"
#include "httpd/multipart-private.h"
#include <string.h>

typedef struct
{
  GString *log; /* what happened, with the data of a part in one piece */
  bool open;
} Seen;

static bool
begin (void *context, const char *name, const char *filename, const char *content_type,
       GError **error)
{
  Seen *seen = context;
  g_assert_false (seen->open);
  seen->open = true;
  fuzz_check_utf8 (name);
  if (filename != NULL)
    fuzz_check_utf8 (filename);
  g_assert_cmpuint (strlen (name), <=, VEND_MULTIPART_HEAD_BYTES);
  g_string_append_printf (seen->log, "[%s|%s|%s]", name, filename != NULL ? filename : "(none)",
                          content_type != NULL ? content_type : "(none)");
  return true;
}

static bool
take_data (void *context, const char *data, gsize size, GError **error)
{
  Seen *seen = context;
  g_assert_true (seen->open && size > 0);
  g_string_append_len (seen->log, data, (gssize) size);
  return true;
}

static bool
end (void *context, GError **error)
{
  Seen *seen = context;
  g_assert_true (seen->open);
  seen->open = false;
  g_string_append (seen->log, "[end]");
  return true;
}

static const VendMultipartEvents events = { begin, take_data, end };

/* What happened, and how it ended. */
static GString *
read_all (const char *boundary, FuzzInput body, FuzzPieces *pieces)
{
  Seen seen = { g_string_new (NULL), false };
  g_autoptr (VendMultipart) multipart = vend_multipart_new (boundary, &events, &seen);
  g_autoptr (GError) error = NULL;
  bool good = true;
  for (gsize at = 0; good && at < body.size;)
    {
      gsize size = pieces != NULL ? fuzz_piece (pieces, body.size - at) : body.size;
      good = vend_multipart_feed (multipart, body.data + at, size, &error);
      fuzz_check_error (good, error);
      at += size;
    }
  if (good)
    {
      good = vend_multipart_finish (multipart, &error);
      fuzz_check_error (good, error);
    }
  g_assert_true (!good || !seen.open);
  /* A value that never ends keeps its last bytes; how many came before depends on nothing else. */
  g_string_append_printf (seen.log, "<%s>", good ? "good" : error->message);
  return seen.log;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  FuzzPieces pieces = fuzz_pieces_start (fuzz_take_byte (&input));
  g_autofree char *content_type = fuzz_take_line (&input);
  g_autofree char *boundary = vend_multipart_boundary (content_type);
  if (boundary == NULL)
    return 0;
  g_assert_true (boundary[0] != '\0' && strlen (boundary) <= 70);
  g_autoptr (GString) whole = read_all (boundary, input, NULL);
  g_autoptr (GString) split = read_all (boundary, input, &pieces);
  g_assert_true (g_string_equal (whole, split));
  return 0;
}
