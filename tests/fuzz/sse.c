/* Events of a model server, and the cutter that shortens them. First byte: sizes of the pieces;
 * second: the limits; the rest is the stream. Whatever the pieces, the events are the same. */
#include "fuzz.h"
#include "director/json-cut.h"
#include "director/sse.h"
#include <string.h>

typedef struct
{
  GString *log;
  gsize limit;
} Seen;

static bool
on_event (const char *event, const char *data, gsize size, void *context)
{
  Seen *seen = context;
  g_assert_cmpuint (size, <=, seen->limit);
  g_assert_cmpuint (strlen (event), <=, VEND_SSE_NAME_MAX);
  g_assert_cmpint (data[size], ==, '\0');
  g_string_append_printf (seen->log, "[%s]", event);
  g_string_append_len (seen->log, data, (gssize) size);
  return strcmp (event, "stop") != 0;
}

static GString *
read_all (FuzzInput stream, gsize limit, FuzzPieces *pieces)
{
  static const VendSseCut cuts[]
      = { { "completed", "logs", 0 }, { "log", "data", 4 }, { "output", NULL, 0 }, { NULL } };
  Seen seen = { g_string_new (NULL), limit };
  g_autoptr (VendSse) sse = vend_sse_new (limit, cuts, on_event, &seen);
  g_autoptr (GError) error = NULL;
  bool good = true;
  for (gsize at = 0; good && at < stream.size;)
    {
      gsize size = pieces != NULL ? fuzz_piece (pieces, stream.size - at) : stream.size;
      good = vend_sse_feed (sse, stream.data + at, size, &error);
      fuzz_check_error (good, error);
      at += size;
    }
  g_string_append (seen.log, good ? "<good>" : "<failed>");
  return seen.log;
}

static GString *
cut_all (FuzzInput text, gsize keep, FuzzPieces *pieces)
{
  GString *out = g_string_new (NULL);
  VendJsonCut cut;
  vend_json_cut_start (&cut, "logs", keep);
  for (gsize at = 0; at < text.size;)
    {
      gsize size = pieces != NULL ? fuzz_piece (pieces, text.size - at) : text.size;
      vend_json_cut_feed (&cut, text.data + at, size, out);
      at += size;
    }
  return out;
}

/* Valid JSON stays valid, and nothing but that member changes. */
static void
check_cut_json (FuzzInput text, const GString *cut, gsize keep)
{
  json_auto_t *before = json_loadb (text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
  json_auto_t *after = json_loadb (cut->str, cut->len, JSON_REJECT_DUPLICATES, NULL);
  if (!json_is_object (before))
    return;
  g_assert_true (json_is_object (after));
  const json_t *logs = json_object_get (before, "logs");
  const json_t *kept = json_object_get (after, "logs");
  if (json_is_string (logs))
    {
      g_assert_true (json_is_string (kept));
      /* A character that begins within the limit stays whole; a name with escapes is not known. */
      g_assert_true (json_equal (logs, kept) || json_string_length (kept) <= keep + 11);
      g_assert_true (g_str_has_prefix (json_string_value (logs), json_string_value (kept)));
      json_object_set (before, "logs", (json_t *) kept);
    }
  g_assert_true (json_equal (before, after));
}

static void
check_cut (FuzzInput text, gsize keep, guint8 seed)
{
  FuzzPieces pieces = fuzz_pieces_start (seed);
  g_autoptr (GString) whole = cut_all (text, keep, NULL);
  g_autoptr (GString) split = cut_all (text, keep, &pieces);
  g_autoptr (GString) uncut = cut_all (text, G_MAXSIZE - 1, NULL);
  g_assert_true (g_string_equal (whole, split));
  g_assert_cmpuint (whole->len, <=, text.size);
  g_assert_cmpuint (uncut->len, ==, text.size);
  g_assert_true (text.size == 0 || memcmp (uncut->str, text.data, text.size) == 0);
  check_cut_json (text, whole, keep);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { (const char *) data, size };
  const guint8 seed = fuzz_take_byte (&input);
  const guint8 limit = fuzz_take_byte (&input);
  FuzzPieces pieces = fuzz_pieces_start (seed);
  g_autoptr (GString) whole = read_all (input, limit, NULL);
  g_autoptr (GString) split = read_all (input, limit, &pieces);
  g_assert_true (g_string_equal (whole, split));
  check_cut (input, limit % 16, seed);
  return 0;
}
