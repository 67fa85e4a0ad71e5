/* The secret of this installation: 64 hex digits in a file of its own. Never logged. Losing it
 * makes URLs of streams invalid that were given out, and nothing else. */
#include "events/key.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/id.h"
#include "model/capability.h"
#include <string.h>

#define KEY_FILE "capability.key"
#define MAX_KEY_FILE 256
#define HEX_LENGTH ((gsize) 2 * VEND_CAPABILITY_KEY_BYTES)

static bool
parse (const char *path, const char *text, guint8 *key, GError **error)
{
  for (gsize i = 0; i < HEX_LENGTH; i++)
    {
      const int digit = g_ascii_xdigit_value (text[i]);
      if (digit < 0)
        return vend_fail (
            error, VEND_ERROR_INVALID,
            "'%s': expected %d hex digits; without the file a new key is made, and the "
            "stream URLs given out so far end",
            path, (int) HEX_LENGTH);
      key[i / 2] = (guint8) (key[i / 2] << 4 | digit);
    }
  return true;
}

static bool
make (const char *path, guint8 *key, GError **error)
{
  char text[HEX_LENGTH + 2];
  vend_random_bytes (key, VEND_CAPABILITY_KEY_BYTES);
  for (gsize i = 0; i < VEND_CAPABILITY_KEY_BYTES; i++)
    g_snprintf (text + 2 * i, 3, "%02x", key[i]);
  text[HEX_LENGTH] = '\n';
  const bool written = vend_file_replace (path, text, HEX_LENGTH + 1, 0600, error);
  explicit_bzero (text, sizeof text);
  return written;
}

bool
vend_installation_key_open (const char *data_dir, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, KEY_FILE, NULL);
  guint8 key[VEND_CAPABILITY_KEY_BYTES] = { 0 };
  bool ready = false;
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_autofree char *text = NULL;
      gsize size = 0;
      ready = vend_file_read (path, MAX_KEY_FILE, &text, &size, error)
              && parse (path, text, key, error);
      if (text != NULL)
        explicit_bzero (text, size);
    }
  else
    ready = make (path, key, error);
  if (ready)
    vend_capability_set_key (key);
  explicit_bzero (key, sizeof key);
  return ready;
}
