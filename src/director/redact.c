/* Keeps values of secrets out of what leaves the director. */
#include "director/redact.h"
#include "director/output.h"
#include "model/secret.h"
#include <string.h>

#define MOST_LINES 256 /* of a value, that are looked for alone */

typedef struct
{
  char *value;
  gsize size;
  char *shown;
} Pattern;

struct VendRedactor
{
  GPtrArray *by_first[256]; /* of Pattern, the longest first; NULL: none */
  guint n;
};

static void
pattern_free (void *data)
{
  Pattern *pattern = data;
  explicit_bzero (pattern->value, pattern->size);
  g_free (pattern->value);
  g_free (pattern->shown);
  g_free (pattern);
}

VendRedactor *
vend_redactor_new (void)
{
  return g_new0 (VendRedactor, 1);
}

void
vend_redactor_free (VendRedactor *redactor)
{
  if (redactor == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (redactor->by_first); i++)
    if (redactor->by_first[i] != NULL)
      g_ptr_array_unref (redactor->by_first[i]);
  g_free (redactor);
}

static int
by_size (const void *a, const void *b)
{
  const Pattern *x = *(Pattern *const *) a, *y = *(Pattern *const *) b;
  return x->size < y->size ? 1 : x->size > y->size ? -1 : 0;
}

static void
add_pattern (VendRedactor *redactor, const char *name, const char *value, gsize size)
{
  if (size < VEND_SECRET_LEAST_HIDDEN)
    return;
  GPtrArray **patterns = &redactor->by_first[(guchar) value[0]];
  if (*patterns == NULL)
    *patterns = g_ptr_array_new_with_free_func (pattern_free);
  Pattern *pattern = g_new0 (Pattern, 1);
  pattern->value = g_strndup (value, size);
  pattern->size = size;
  pattern->shown = g_strdup_printf ("[secret %s]", name);
  g_ptr_array_add (*patterns, pattern);
  g_ptr_array_sort (*patterns, by_size);
  redactor->n++;
}

void
vend_redactor_add (VendRedactor *redactor, const char *name, const char *value)
{
  g_auto (GStrv) lines = g_strsplit (value, "\n", MOST_LINES);
  add_pattern (redactor, name, value, strlen (value));
  for (gsize i = 0; lines[0] != NULL && lines[1] != NULL && lines[i] != NULL; i++)
    {
      g_strchomp (lines[i]);
      add_pattern (redactor, name, lines[i], strlen (lines[i]));
    }
  for (char **line = lines; *line != NULL; line++)
    explicit_bzero (*line, strlen (*line));
}

bool
vend_redactor_is_empty (const VendRedactor *redactor)
{
  return redactor == NULL || redactor->n == 0;
}

/* ---- Texts */

/* What begins at `at`: `*out_may_begin` when the text ends before it can be told. */
static const Pattern *
match (const VendRedactor *redactor, const char *at, gsize size, bool is_last, bool *out_may_begin)
{
  const GPtrArray *patterns = redactor->by_first[(guchar) at[0]];
  *out_may_begin = false;
  for (guint i = 0; patterns != NULL && i < patterns->len; i++)
    {
      const Pattern *pattern = g_ptr_array_index (patterns, i);
      if (memcmp (pattern->value, at, MIN (size, pattern->size)) != 0)
        continue;
      if (pattern->size <= size)
        return pattern;
      if (!is_last)
        {
          *out_may_begin = true;
          return NULL;
        }
    }
  return NULL;
}

void
vend_redact_piece (const VendRedactor *redactor, GString *held, const char *piece, gsize size,
                   bool is_last, GString *out)
{
  if (vend_redactor_is_empty (redactor))
    {
      g_string_append_len (out, piece, (gssize) size);
      return;
    }
  g_string_append_len (held, piece, (gssize) size);
  gsize at = 0, told = 0;
  bool may_begin = false;
  while (at < held->len && !may_begin)
    {
      const Pattern *pattern
          = match (redactor, held->str + at, held->len - at, is_last, &may_begin);
      if (pattern == NULL)
        {
          at += may_begin ? 0 : 1;
          continue;
        }
      g_string_append_len (out, held->str + told, (gssize) (at - told));
      g_string_append (out, pattern->shown);
      at += pattern->size;
      told = at;
    }
  g_string_append_len (out, held->str + told, (gssize) (at - told));
  g_string_erase (held, 0, (gssize) at);
}

static GString *
redact (const VendRedactor *redactor, const char *text, gsize size)
{
  g_autoptr (GString) held = g_string_new (NULL);
  GString *out = g_string_sized_new (size);
  vend_redact_piece (redactor, held, text, size, true, out);
  return out;
}

char *
vend_redact_text (const VendRedactor *redactor, const char *text)
{
  return g_string_free (redact (redactor, text, strlen (text)), FALSE);
}

/* ---- JSON */

static void
redact_string (const VendRedactor *redactor, json_t *value)
{
  g_autoptr (GString) text
      = redact (redactor, json_string_value (value), json_string_length (value));
  if (text->len != json_string_length (value) || strcmp (text->str, json_string_value (value)) != 0)
    json_string_setn_nocheck (value, text->str, text->len);
}

static void
redact_keys (const VendRedactor *redactor, json_t *object)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  const char *key;
  json_t *item;
  json_object_foreach (object, key, item)
    {
      g_autofree char *shown = vend_redact_text (redactor, key);
      if (strcmp (shown, key) != 0)
        g_ptr_array_add (keys, g_strdup (key));
    }
  for (guint i = 0; i < keys->len; i++)
    {
      const char *old = g_ptr_array_index (keys, i);
      g_autofree char *shown = vend_redact_text (redactor, old);
      json_object_set (object, shown, json_object_get (object, old));
      json_object_del (object, old);
    }
}

static void
redact_member (const VendRedactor *redactor, const json_t *object, const char *key)
{
  vend_redact_json (redactor, json_object_get (object, key));
}

void
vend_redact_json (const VendRedactor *redactor, json_t *value)
{
  const char *key;
  json_t *item;
  size_t i;
  if (vend_redactor_is_empty (redactor) || value == NULL || vend_json_is_big (value))
    return;
  if (json_is_string (value))
    redact_string (redactor, value);
  else if (vend_output_peek_file (value) != NULL)
    redact_member (redactor, vend_output_peek_file (value), "name");
  else if (json_is_object (value))
    {
      redact_keys (redactor, value);
      json_object_foreach (value, key, item)
        vend_redact_json (redactor, item);
    }
  else if (json_is_array (value))
    json_array_foreach (value, i, item)
      vend_redact_json (redactor, item);
}

void
vend_redact_frame (const VendRedactor *redactor, json_t *frame)
{
  static const char *const words[]
      = { "output", "chunk", "error", "logs", "data", "setup_logs", "metrics", "value", "name" };
  size_t i;
  json_t *entry;
  if (vend_redactor_is_empty (redactor))
    return;
  for (gsize n = 0; n < G_N_ELEMENTS (words); n++)
    redact_member (redactor, frame, words[n]);
  json_array_foreach (json_object_get (frame, "running"), i, entry)
    vend_redact_frame (redactor, entry);
}
