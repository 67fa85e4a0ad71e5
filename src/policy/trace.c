/* A trace of requests. Pure. */
#include "policy/trace.h"
#include "base/clock.h"
#include "base/error.h"
#include "policy/decide.h"
#include <math.h>
#include <string.h>

#define COLUMNS "time_s,model,run_s[,load_s]"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define MAX_NAME 200
/* Limits: the year 2070 for times since 1970, and ten years. Longer values are in another unit. */
#define MAX_TIME_S 3155760000.0
#define MAX_DURATION_S 315576000.0
/* No sum of times in a simulation comes near the end of an int64_t. */
#define MAX_TOTAL_S 3e12

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
  double runs_s;
  double longest_load_s;
} Reader;

/* Decimal numbers only: no hexadecimal numbers, no "inf". */
static bool
read_seconds (const Reader *reader, const char *column, const char *text, double most,
              int64_t *out_us, GError **error)
{
  char *end = NULL;
  double seconds = g_ascii_strtod (text, &end);
  while (*end == ' ' || *end == '\t')
    end++;
  if (end == text || *end != '\0' || text[strspn (text, "0123456789+-.eE \t")] != '\0'
      || !isfinite (seconds) || seconds < 0 || seconds > most)
    return vend_fail (error, VEND_ERROR_INVALID,
                      "line %u: %s is '%.40s', expected seconds from 0 to %.0f", reader->line,
                      column, text, most);
  *out_us = (int64_t) llround (seconds * VEND_US_PER_S);
  return true;
}

/* Columns in another order would be read without an error where names look like numbers. */
static bool
check_header (char **cells, GError **error)
{
  static const char *const columns[] = { "time_s", "model", "run_s", "load_s" };
  guint n = 0;
  while (cells[n] != NULL && n < G_N_ELEMENTS (columns)
         && strcmp (g_strstrip (cells[n]), columns[n]) == 0)
    n++;
  if (n >= 3 && cells[n] == NULL)
    return true;
  return vend_fail (error, VEND_ERROR_INVALID, "line 1: column %u is '%.40s', expected " COLUMNS,
                    n + 1, cells[n] != NULL ? cells[n] : "");
}

/* A request may have to wait for all other requests, each with a load. */
static bool
add_to_total (Reader *reader, int64_t run_us, int64_t load_us, GError **error)
{
  reader->runs_s += (double) run_us / VEND_US_PER_S;
  reader->longest_load_s = MAX (reader->longest_load_s, (double) load_us / VEND_US_PER_S);
  double total_s = reader->runs_s + reader->longest_load_s * (reader->trace->requests->len + 1.0);
  if (total_s <= MAX_TOTAL_S)
    return true;
  return vend_fail (error, VEND_ERROR_INVALID,
                    "line %u: run_s and load_s add up to more than %.0f seconds", reader->line,
                    MAX_TOTAL_S);
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
  g_strstrip (line);
  if (line[0] == '\0')
    return true;
  cells = g_strsplit (line, ",", 6);
  if (reader->line == 1 && g_str_has_prefix (line, "time_s"))
    return check_header (cells, error);
  guint n = g_strv_length (cells);
  if (n < 3 || n > 4)
    return vend_fail (error, VEND_ERROR_INVALID, "line %u: expected " COLUMNS, reader->line);
  if (reader->trace->requests->len >= VEND_TRACE_MAX_REQUESTS)
    return vend_fail (error, VEND_ERROR_INVALID, "line %u: more than %d requests", reader->line,
                      VEND_TRACE_MAX_REQUESTS);
  if (!read_seconds (reader, "time_s", cells[0], MAX_TIME_S, &at_us, error)
      || !find_model (reader, g_strstrip (cells[1]), &model, error)
      || !read_seconds (reader, "run_s", cells[2], MAX_DURATION_S, &run_us, error))
    return false;
  if (n == 4 && *g_strstrip (cells[3]) != '\0')
    {
      if (!read_seconds (reader, "load_s", cells[3], MAX_DURATION_S, &load_us, error))
        return false;
      vend_trace_add_load (reader->trace, model, at_us, load_us);
    }
  if (!add_to_total (reader, run_us, load_us, error))
    return false;
  vend_trace_add (reader->trace, model, at_us, run_us);
  return true;
}

bool
vend_trace_parse (const char *text, gsize size, VendTrace **out, GError **error)
{
  g_autoptr (VendTrace) trace = vend_trace_new ();
  g_autoptr (GHashTable) models = g_hash_table_new (g_str_hash, g_str_equal);
  Reader reader = { .trace = trace, .models = models };
  const gsize mark = strlen (BYTE_ORDER_MARK);
  gsize at = size >= mark && memcmp (text, BYTE_ORDER_MARK, mark) == 0 ? mark : 0;
  while (at < size)
    {
      const char *end = memchr (text + at, '\n', size - at);
      gsize length = end != NULL ? (gsize) (end - text) - at : size - at;
      g_autofree char *line = g_strndup (text + at, length);
      reader.line++;
      if (memchr (text + at, '\0', length) != NULL)
        return vend_fail (error, VEND_ERROR_INVALID, "line %u: is not text, has a byte of 0",
                          reader.line);
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
