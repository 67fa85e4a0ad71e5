/* Random identifiers and secrets, from the kernel's generator. */
#include "base/id.h"
#include <errno.h>
#include <sys/random.h>

static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

void
vend_random_bytes (void *buffer, gsize size)
{
  for (gsize done = 0; done < size;)
    {
      ssize_t n = getrandom ((char *) buffer + done, size - done, 0);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        g_error ("getrandom: %s", g_strerror (errno));
      done += (gsize) n;
    }
}

/* Bytes at or above the largest multiple of `base` are thrown away, so that every character is
 * equally likely. */
static char *
random_text (const char *prefix, gsize length, guint base)
{
  g_autoptr (GString) text = g_string_new (prefix);
  const guint limit = 256 - 256 % base;
  guint8 pool[64];

  for (gsize left = length; left > 0;)
    {
      vend_random_bytes (pool, sizeof pool);
      for (gsize i = 0; i < sizeof pool && left > 0; i++)
        if (pool[i] < limit)
          {
            g_string_append_c (text, alphabet[pool[i] % base]);
            left--;
          }
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
vend_id_new (void)
{
  return random_text ("", VEND_ID_LENGTH, 36);
}

char *
vend_secret_new (const char *prefix, gsize length)
{
  return random_text (prefix, length, 62);
}
