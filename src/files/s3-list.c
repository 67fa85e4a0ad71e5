/* Lists of objects: a thousand an answer. */
#include "files/s3.h"
#include "base/clock.h"
#include "files/s3-text.h"
#include <string.h>

typedef struct
{
  gsize prefix_length;
  VendS3Visit visit;
  void *data;
} Listing;

static void
on_entry (GHashTable *texts, void *data)
{
  const Listing *listing = data;
  const char *key = g_hash_table_lookup (texts, "Key");
  const char *size = g_hash_table_lookup (texts, "Size");
  const char *changed = g_hash_table_lookup (texts, "LastModified");
  guint64 n = 0;
  if (key == NULL || strlen (key) < listing->prefix_length || size == NULL || changed == NULL
      || !g_ascii_string_to_unsigned (size, 10, 0, G_MAXINT64, &n, NULL))
    return;
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (changed, NULL);
  listing->visit (key + listing->prefix_length, n,
                  time != NULL ? g_date_time_to_unix (time) * VEND_US_PER_S : vend_now_us (),
                  listing->data);
}

bool
vend_s3_list (VendS3 *s3, const char *under, VendS3Visit visit, void *data, GError **error)
{
  g_autofree char *all = g_strconcat (vend_s3_prefix (s3), under, NULL);
  g_autofree char *prefix = g_uri_escape_string (all, NULL, FALSE);
  g_autofree char *next = NULL;
  Listing listing = { strlen (vend_s3_prefix (s3)), visit, data };
  do
    {
      g_auto (VendS3Answer) answer = { 0 };
      g_autofree char *after = next != NULL ? g_uri_escape_string (next, NULL, FALSE) : NULL;
      g_autofree char *query
          = g_strconcat (after != NULL ? "continuation-token=" : "", after != NULL ? after : "",
                         after != NULL ? "&" : "", "list-type=2&prefix=", prefix, NULL);
      const VendS3Request request = { .method = "GET", .query = query };
      if (!vend_s3_call (s3, &request, &answer, error)
          || !vend_s3_entries (answer.text->str, "Contents", on_entry, &listing, error))
        return false;
      g_free (next);
      next = NULL;
      g_autofree char *more = vend_s3_text_of (answer.text->str, "IsTruncated");
      if (g_strcmp0 (more, "true") == 0)
        next = vend_s3_text_of (answer.text->str, "NextContinuationToken");
    }
  while (next != NULL);
  return true;
}

static void
count_entry (GHashTable *texts, void *data)
{
  *(guint *) data += g_hash_table_contains (texts, "Key");
}

bool
vend_s3_is_empty (VendS3 *s3, bool *out, GError **error)
{
  g_auto (VendS3Answer) answer = { 0 };
  g_autofree char *prefix = g_uri_escape_string (vend_s3_prefix (s3), NULL, FALSE);
  g_autofree char *query = g_strconcat ("list-type=2&max-keys=1&prefix=", prefix, NULL);
  const VendS3Request request = { .method = "GET", .query = query };
  guint n = 0;
  if (!vend_s3_call (s3, &request, &answer, error)
      || !vend_s3_entries (answer.text->str, "Contents", count_entry, &n, error))
    return false;
  *out = n == 0;
  return true;
}
