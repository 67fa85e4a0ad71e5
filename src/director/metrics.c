/* Metrics of one run. Pure. The rules are those of coglet: crates/coglet/src/prediction.rs,
 * set_metric. */
#include "director/metrics.h"
#include <string.h>

#define MAX_PARTS 16 /* coglet lets models use four */
#define RECOUNT (VEND_METRICS_MAX_SIZE / 8)

void
vend_metrics_init (VendMetrics *metrics)
{
  *metrics = (VendMetrics){ .values = json_object () };
}

void
vend_metrics_clear (VendMetrics *metrics)
{
  g_clear_pointer (&metrics->values, json_decref);
}

/* The object that has the last part of a name, made on the way where it is missing. */
static json_t *
find_parent (json_t *values, char *const *parts)
{
  for (; parts[1] != NULL; parts++)
    {
      json_t *next = json_object_get (values, *parts);
      if (!json_is_object (next))
        {
          next = json_object ();
          json_object_set_new (values, *parts, next);
        }
      values = next;
    }
  return values;
}

static json_t *
sum (const json_t *old, const json_t *value)
{
  if (json_is_integer (old) && json_is_integer (value))
    {
      json_int_t result;
      /* It wraps in coglet; as a real it is about right. */
      if (!__builtin_add_overflow (json_integer_value (old), json_integer_value (value), &result))
        return json_integer (result);
    }
  return json_is_number (old) && json_is_number (value)
             ? json_real (json_number_value (old) + json_number_value (value))
             : NULL;
}

static void
increment (json_t *object, const char *name, json_t *value)
{
  json_t *old = json_object_get (object, name);
  if (old == NULL)
    {
      if (json_is_number (value))
        json_object_set (object, name, value);
      return;
    }
  json_t *result = sum (old, value);
  if (result != NULL)
    json_object_set_new (object, name, result);
}

static void
append (json_t *object, const char *name, json_t *value)
{
  json_t *old = json_object_get (object, name);
  if (json_is_array (old))
    {
      json_array_append (old, value);
      return;
    }
  json_t *list = json_array ();
  if (old != NULL)
    json_array_append (list, old);
  json_array_append (list, value);
  json_object_set_new (object, name, list);
}

static bool
is_name (char *const *parts)
{
  guint n = 0;
  for (; parts[n] != NULL; n++)
    if (*parts[n] == '\0' || n == MAX_PARTS)
      return false;
  return n > 0;
}

bool
vend_metrics_merge (VendMetrics *metrics, const char *name, const json_t *value, const char *mode)
{
  if (name == NULL || value == NULL)
    return false;
  g_auto (GStrv) parts = g_strsplit (name, ".", MAX_PARTS + 2);
  if (!is_name (parts))
    return false;

  const gsize size = strlen (name) + vend_json_size (value);
  /* What was replaced meanwhile is not there any more. Counting takes its time. */
  if (metrics->size + size > VEND_METRICS_MAX_SIZE && metrics->size - metrics->counted >= RECOUNT)
    metrics->size = metrics->counted = vend_json_size (metrics->values);
  if (metrics->size + size > VEND_METRICS_MAX_SIZE
      || (json_object_get (metrics->values, parts[0]) == NULL
          && json_object_size (metrics->values) >= VEND_METRICS_MAX))
    return false;

  json_auto_t *copy = json_deep_copy (value);
  json_t *parent = find_parent (metrics->values, parts);
  const char *last = parts[g_strv_length (parts) - 1];
  if (g_strcmp0 (mode, "increment") == 0)
    increment (parent, last, copy);
  else if (g_strcmp0 (mode, "append") == 0)
    append (parent, last, copy);
  else if (json_is_null (copy))
    json_object_del (parent, last);
  else
    json_object_set (parent, last, copy);
  metrics->size += size;
  return true;
}
