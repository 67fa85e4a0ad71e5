/* Texts that end an answer: found across the borders of pieces. */
#include "openai/stop.h"
#include <string.h>

struct VendOpenaiStop
{
  json_t *stops;
  GString *kept; /* the end of what came, which a stop may begin with */
  bool found;
};

json_t *
vend_openai_read_stop (const json_t *value, VendOpenaiFault *fault)
{
  json_auto_t *stops
      = json_is_string (value) ? json_pack ("[O]", value) : json_incref ((json_t *) value);
  size_t i;
  json_t *one;
  bool is_good = json_is_array (stops) && json_array_size (stops) <= VEND_OPENAI_STOPS_MAX;
  json_array_foreach (stops, i, one)
    is_good = is_good && json_is_string (one) && json_string_length (one) > 0
              && json_string_length (one) <= VEND_OPENAI_STOP_MAX_BYTES;
  if (is_good)
    return g_steal_pointer (&stops);
  vend_openai_refuse (fault, "stop",
                      "stop: expected a text, or a list of up to %d, of 1 to %d bytes",
                      VEND_OPENAI_STOPS_MAX, VEND_OPENAI_STOP_MAX_BYTES);
  return NULL;
}

VendOpenaiStop *
vend_openai_stop_new (const json_t *stops)
{
  VendOpenaiStop *stop = g_new0 (VendOpenaiStop, 1);
  stop->stops = json_incref ((json_t *) stops);
  stop->kept = g_string_new (NULL);
  return stop;
}

void
vend_openai_stop_free (VendOpenaiStop *stop)
{
  if (stop == NULL)
    return;
  json_decref (stop->stops);
  g_string_free (stop->kept, TRUE);
  g_free (stop);
}

/* The length of the longest end of the text that is a beginning of `word`. */
static gsize
begun (const GString *text, const char *word)
{
  const gsize most = MIN (text->len, strlen (word) - 1);
  for (gsize n = most; n > 0; n--)
    if (memcmp (text->str + text->len - n, word, n) == 0)
      return n;
  return 0;
}

/* The first of all stops, or NULL. */
static const char *
find (const VendOpenaiStop *stop)
{
  const char *first = NULL;
  size_t i;
  json_t *one;
  json_array_foreach (stop->stops, i, one)
    {
      const char *at = strstr (stop->kept->str, json_string_value (one));
      if (at != NULL && (first == NULL || at < first))
        first = at;
    }
  return first;
}

char *
vend_openai_stop_take (VendOpenaiStop *stop, const char *text)
{
  gsize n_kept = 0;
  size_t i;
  json_t *one;
  if (stop->found)
    return g_strdup ("");
  g_string_append (stop->kept, text);
  const char *at = find (stop);
  stop->found = at != NULL;
  json_array_foreach (stop->stops, i, one)
    n_kept = MAX (n_kept, begun (stop->kept, json_string_value (one)));
  const gsize n = at != NULL ? (gsize) (at - stop->kept->str) : stop->kept->len - n_kept;
  char *said = g_strndup (stop->kept->str, n);
  if (stop->found)
    g_string_truncate (stop->kept, 0);
  else
    g_string_erase (stop->kept, 0, (gssize) n);
  return said;
}

char *
vend_openai_stop_rest (VendOpenaiStop *stop)
{
  char *rest = g_strdup (stop->kept->str);
  g_string_truncate (stop->kept, 0);
  return rest;
}

bool
vend_openai_stop_is_found (const VendOpenaiStop *stop)
{
  return stop->found;
}
