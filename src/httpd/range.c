/* The Range header. Pure; no thread of its own. */
#include "httpd/range-private.h"
#include <stdbool.h>
#include <string.h>
#include <glib.h>

static bool
read_number (const char *text, gsize size, uint64_t *out)
{
  g_autofree char *digits = g_strndup (text, size);
  return g_ascii_string_to_unsigned (digits, 10, 0, G_MAXINT64, out, NULL);
}

VendRangeKind
vend_range_parse (const char *text, uint64_t size, uint64_t *out_start, uint64_t *out_size)
{
  uint64_t first = 0;
  uint64_t last = 0;
  if (g_ascii_strncasecmp (text, "bytes=", 6) != 0)
    return VEND_RANGE_NONE;
  text += 6;
  const char *dash = strchr (text, '-');
  if (dash == NULL || strchr (text, ',') != NULL)
    return VEND_RANGE_NONE;
  const bool has_last = dash[1] != '\0';
  if (has_last && !read_number (dash + 1, strlen (dash + 1), &last))
    return VEND_RANGE_NONE;
  if (dash == text)
    {
      if (!has_last)
        return VEND_RANGE_NONE;
      if (last == 0 || size == 0)
        return VEND_RANGE_OUTSIDE;
      *out_size = MIN (last, size);
      *out_start = size - *out_size;
      return VEND_RANGE_PART;
    }
  if (!read_number (text, (gsize) (dash - text), &first) || (has_last && last < first))
    return VEND_RANGE_NONE;
  if (first >= size)
    return VEND_RANGE_OUTSIDE;
  *out_start = first;
  *out_size = has_last ? MIN (last - first + 1, size - first) : size - first;
  return VEND_RANGE_PART;
}
