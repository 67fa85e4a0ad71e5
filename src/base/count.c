/* Numbers with their nouns in sentences. */
#include "base/count.h"

char *
vend_count_text (uint64_t n, const char *one, const char *more)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %s", n, n == 1 ? one : more);
}
