/* Identifiers and secrets, random from the kernel's generator. */
#include "base/id.h"
#include "base/clock.h"
#include <errno.h>
#include <sys/random.h>

/* Milliseconds in base 36 until the year 5188. */
#define TIME_DIGITS 9

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

/* Bytes at or above the largest multiple of `base` are dropped, so that every character is equally
 * likely. */
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
  char time[TIME_DIGITS + 1] = "";
  uint64_t left_ms = (uint64_t) MAX (vend_now_us () / VEND_US_PER_MS, 0);
  for (gsize i = TIME_DIGITS; i > 0; i--, left_ms /= 36)
    time[i - 1] = alphabet[left_ms % 36];
  return random_text (time, VEND_ID_LENGTH - TIME_DIGITS, 36);
}

char *
vend_secret_new (const char *prefix, gsize length)
{
  return random_text (prefix, length, 62);
}
