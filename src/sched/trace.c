/* What was asked of the models, and when. Pure. */
#include "sched/trace.h"
#include "base/clock.h"
#include "base/error.h"
#include "sched/decide.h"
#include <math.h>
#include <string.h>

#define COLUMNS "time_s,model,run_s[,load_s]"
#define MAX_NAME 200
/* Ten years: what is longer is in another unit. */
#define MAX_SECONDS (10 * 366 * 86400.0)

static void
model_clear (void *data)
{
  VendTraceModel *model = data;
  g_free (model->name);
  g_clear_pointer (&model->loads, g_array_unref);
}

VendTrace *
vend_trace_new (void)
{
  VendTrace *trace = g_new0 (VendTrace, 1);
  trace->requests = g_array_new (FALSE, FALSE, sizeof (VendTraceRequest));
  trace->models = g_array_new (FALSE, FALSE, sizeof (VendTraceModel));
  g_array_set_clear_func (trace->models, model_clear);
  return trace;
}

void
vend_trace_free (VendTrace *trace)
{
  g_array_unref (trace->requests);
  g_array_unref (trace->models);
  g_free (trace);
}

guint
vend_trace_add_model (VendTrace *trace, const char *name, int64_t load_us)
{
  VendTraceModel model = { .name = g_strdup (name), .load_us = load_us };
  g_array_append_val (trace->models, model);
  return trace->models->len - 1;
}

void
vend_trace_add (VendTrace *trace, guint model, int64_t at_us, int64_t run_us)
{
  VendTraceRequest request = { at_us, run_us, model };
  g_array_append_val (trace->requests, request);
}

void
vend_trace_add_load (VendTrace *trace, guint model, int64_t at_us, int64_t load_us)
{
  VendTraceModel *of = &g_array_index (trace->models, VendTraceModel, model);
  VendTraceLoad load = { at_us, load_us };
  if (of->loads == NULL)
    of->loads = g_array_new (FALSE, FALSE, sizeof (VendTraceLoad));
  g_array_append_val (of->loads, load);
}

static int
by_begin (const void *a, const void *b, void *data)
{
  const VendTraceLoad *x = a, *y = b;
  return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

static int
by_time (const void *a, const void *b, void *data)
{
  const VendTraceRequest *x = a, *y = b;
  return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

void
vend_trace_sort (VendTrace *trace)
{
  /* Stable sorts. */
  g_qsort_with_data (trace->requests->data, (gint) trace->requests->len, sizeof (VendTraceRequest),
                     by_time, NULL);
  for (guint i = 0; i < trace->models->len; i++)
    {
      GArray *loads = g_array_index (trace->models, VendTraceModel, i).loads;
      if (loads != NULL)
        g_qsort_with_data (loads->data, (gint) loads->len, sizeof (VendTraceLoad), by_begin, NULL);
    }
}

int64_t
vend_trace_load_us (const VendTrace *trace, guint model, int64_t at_us)
{
  const VendTraceModel *of = &g_array_index (trace->models, VendTraceModel, model);
  if (of->loads == NULL)
    return of->load_us;
  guint low = 0, high = of->loads->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      if (g_array_index (of->loads, VendTraceLoad, middle).at_us <= at_us)
        low = middle + 1;
      else
        high = middle;
    }
  return g_array_index (of->loads, VendTraceLoad, MAX (low, 1) - 1).load_us;
}

int64_t
vend_trace_end_us (const VendTrace *trace)
{
  guint n = trace->requests->len;
  return n > 0 ? g_array_index (trace->requests, VendTraceRequest, n - 1).at_us : 0;
}

/* ---- Text */

typedef struct
{
  VendTrace *trace;
  GHashTable *models; /* name → index + 1; the names belong to the trace */
  guint line;
} Reader;

static bool
read_seconds (const Reader *reader, const char *column, const char *text, int64_t *out_us,
              GError **error)
{
  char *end = NULL;
  double seconds = g_ascii_strtod (text, &end);
  while (*end == ' ' || *end == '\t')
    end++;
  if (end == text || *end != '\0' || !isfinite (seconds) || seconds < 0 || seconds > MAX_SECONDS)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "line %u: %s is '%.40s', expected seconds of at least 0", reader->line,
                      column, text);
  *out_us = (int64_t) llround (seconds * VEND_US_PER_S);
  return true;
}

static bool
find_model (Reader *reader, const char *name, guint *out, GError **error)
{
  guint known = GPOINTER_TO_UINT (g_hash_table_lookup (reader->models, name));
  if (known > 0)
    {
      *out = known - 1;
      return true;
    }
  if (name[0] == '\0' || strlen (name) > MAX_NAME || !g_utf8_validate (name, -1, NULL))
    return vend_fail (error, VEND_ERROR_INVALID, "line %u: model is not a name of 1 to %d bytes",
                      reader->line, MAX_NAME);
  if (reader->trace->models->len >= VEND_TRACE_MAX_MODELS)
    return vend_fail (error, VEND_ERROR_INVALID, "line %u: more than %d models", reader->line,
                      VEND_TRACE_MAX_MODELS);
  *out = vend_trace_add_model (reader->trace, name, VEND_ASSUMED_US);
  char *kept = g_array_index (reader->trace->models, VendTraceModel, *out).name;
  g_hash_table_insert (reader->models, kept, GUINT_TO_POINTER (*out + 1));
  return true;
}

static bool
read_line (Reader *reader, char *line, GError **error)
{
  g_auto (GStrv) cells = NULL;
  int64_t at_us = 0, run_us = 0, load_us = 0;
  guint model = 0;
  reader->line++;
  g_strstrip (line);
  if (line[0] == '\0' || (reader->line == 1 && g_str_has_prefix (line, "time_s")))
    return true;
  cells = g_strsplit (line, ",", 5);
  guint n = g_strv_length (cells);
  if (n < 3 || n > 4)
    return vend_fail (error, VEND_ERROR_INVALID, "line %u: expected " COLUMNS, reader->line);
  if (reader->trace->requests->len >= VEND_TRACE_MAX_REQUESTS)
    return vend_fail (error, VEND_ERROR_INVALID, "line %u: more than %d requests", reader->line,
                      VEND_TRACE_MAX_REQUESTS);
  if (!read_seconds (reader, "time_s", cells[0], &at_us, error)
      || !find_model (reader, g_strstrip (cells[1]), &model, error)
      || !read_seconds (reader, "run_s", cells[2], &run_us, error))
    return false;
  if (n == 4 && *g_strstrip (cells[3]) != '\0')
    {
      if (!read_seconds (reader, "load_s", cells[3], &load_us, error))
        return false;
      vend_trace_add_load (reader->trace, model, at_us, load_us);
    }
  vend_trace_add (reader->trace, model, at_us, run_us);
  return true;
}

bool
vend_trace_parse (const char *text, VendTrace **out, GError **error)
{
  g_autoptr (VendTrace) trace = vend_trace_new ();
  g_autoptr (GHashTable) models = g_hash_table_new (g_str_hash, g_str_equal);
  Reader reader = { trace, models, 0 };
  for (const char *at = text; *at != '\0';)
    {
      const char *end = strchr (at, '\n');
      gsize length = end != NULL ? (gsize) (end - at) : strlen (at);
      g_autofree char *line = g_strndup (at, length);
      if (!read_line (&reader, line, error))
        return false;
      at += length + (end != NULL);
    }
  if (trace->requests->len == 0)
    return vend_fail (error, VEND_ERROR_INVALID, "no requests; expected lines of " COLUMNS);
  vend_trace_sort (trace);
  *out = g_steal_pointer (&trace);
  return true;
}
