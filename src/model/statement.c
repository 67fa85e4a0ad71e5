/* The statement of an account for a time. */
#include "model/statement.h"
#include <string.h>

struct VendStatement
{
  const VendPrices *prices;
  GPtrArray *lines;   /* of VendStatementLine */
  GHashTable *by_key; /* borrowed lines */
};

void
vend_statement_line_free (VendStatementLine *line)
{
  if (line == NULL)
    return;
  g_free (line->model);
  g_free (line->deployment);
  g_free (line->hardware);
  g_free (line);
}

VendStatement *
vend_statement_new (const VendPrices *prices)
{
  VendStatement *statement = g_new0 (VendStatement, 1);
  statement->prices = prices;
  statement->lines = g_ptr_array_new_with_free_func ((GDestroyNotify) vend_statement_line_free);
  statement->by_key = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return statement;
}

void
vend_statement_free (VendStatement *statement)
{
  if (statement == NULL)
    return;
  g_ptr_array_unref (statement->lines);
  g_hash_table_unref (statement->by_key);
  g_free (statement);
}

void
vend_statement_add (VendStatement *statement, VendStatementLine *take)
{
  g_autoptr (VendStatementLine) sum = take;
  if (sum->price == VEND_NO_PRICE)
    sum->price = vend_prices_of (statement->prices, sum->hardware);
  g_autofree char *key
      = g_strdup_printf ("%" G_GINT64_FORMAT "\n%s\n%s\n%" G_GINT64_FORMAT, sum->model_id,
                         sum->deployment != NULL ? sum->deployment : "", sum->hardware, sum->price);
  VendStatementLine *line = g_hash_table_lookup (statement->by_key, key);
  if (line == NULL)
    {
      g_hash_table_insert (statement->by_key, g_steal_pointer (&key), sum);
      g_ptr_array_add (statement->lines, g_steal_pointer (&sum));
      return;
    }
  line->predictions += sum->predictions;
  line->run_us += sum->run_us;
  line->billed_us += sum->billed_us;
  for (guint i = 0; i < VEND_PHASE_N; i++)
    line->phase_us[i] += sum->phase_us[i];
}

static bool
amount_of (const VendStatementLine *line, VendAmount *out)
{
  if (line->price == VEND_NO_PRICE && line->billed_us > 0)
    return false;
  *out = line->billed_us > 0 ? vend_amount_of (line->price, line->billed_us) : 0;
  return true;
}

bool
vend_statement_amount (const VendStatement *statement, VendAmount *out)
{
  bool is_whole = true;
  *out = 0;
  for (guint i = 0; i < statement->lines->len; i++)
    {
      VendAmount amount = 0;
      is_whole = amount_of (g_ptr_array_index (statement->lines, i), &amount) && is_whole;
      *out += amount;
    }
  return is_whole;
}

/* Missing names come last. */
static int
compare_names (const char *a, const char *b)
{
  return a == NULL || b == NULL ? (a == NULL) - (b == NULL) : strcmp (a, b);
}

static int
by_name (const void *a, const void *b)
{
  const VendStatementLine *x = *(VendStatementLine *const *) a;
  const VendStatementLine *y = *(VendStatementLine *const *) b;
  int order = compare_names (x->model, y->model);
  if (order == 0)
    order = (x->model_id > y->model_id) - (x->model_id < y->model_id);
  if (order == 0)
    order = g_strcmp0 (x->deployment, y->deployment);
  if (order == 0)
    order = strcmp (x->hardware, y->hardware);
  return order != 0 ? order : (x->price > y->price) - (x->price < y->price);
}

/* ---- JSON */

static void
set_times (json_t *object, const VendStatementLine *line)
{
  vend_json_set_int (object, "predictions", line->predictions);
  vend_json_set_int (object, "run_us", line->run_us);
  vend_json_set_int (object, "setup_us", line->phase_us[VEND_PHASE_SETUP]);
  vend_json_set_int (object, "idle_us", line->phase_us[VEND_PHASE_IDLE]);
  vend_json_set_int (object, "active_us", line->phase_us[VEND_PHASE_ACTIVE]);
  vend_json_set_int (object, "billed_us", line->billed_us);
}

static void
set_amount (json_t *object, bool is_known, VendAmount amount)
{
  g_autofree char *text = is_known ? vend_amount_text (amount) : NULL;
  vend_json_set_string (object, "amount", text);
}

static json_t *
line_to_json (const VendStatementLine *line)
{
  json_t *object = json_object ();
  g_autofree char *price = vend_price_text (line->price);
  VendAmount amount = 0;
  vend_json_set_string (object, "model", line->model);
  vend_json_set_string (object, "deployment", line->deployment);
  vend_json_set_string (object, "hardware", line->hardware);
  set_times (object, line);
  vend_json_set_string (object, "price", price);
  const bool is_known = amount_of (line, &amount);
  set_amount (object, is_known, amount);
  return object;
}

json_t *
vend_statement_to_json (VendStatement *statement)
{
  json_t *lines = json_array ();
  json_t *total = json_object ();
  VendStatementLine sum = { 0 };
  VendAmount amount = 0;
  g_ptr_array_sort (statement->lines, by_name);
  for (guint i = 0; i < statement->lines->len; i++)
    {
      const VendStatementLine *line = g_ptr_array_index (statement->lines, i);
      json_array_append_new (lines, line_to_json (line));
      sum.predictions += line->predictions;
      sum.run_us += line->run_us;
      sum.billed_us += line->billed_us;
      for (guint phase = 0; phase < VEND_PHASE_N; phase++)
        sum.phase_us[phase] += line->phase_us[phase];
    }
  set_times (total, &sum);
  const bool is_known = vend_statement_amount (statement, &amount);
  set_amount (total, is_known, amount);
  return json_pack ("{s:o, s:o}", "lines", lines, "total", total);
}

/* ---- CSV */

/* A cell that a spreadsheet would take for a formula becomes text. */
static void
append_cell (GString *csv, const char *text)
{
  const char *cell = text != NULL ? text : "";
  const bool is_formula = *cell != '\0' && strchr ("=+-@\t\r", *cell) != NULL;
  if (csv->len > 0 && csv->str[csv->len - 1] != '\n')
    g_string_append_c (csv, ',');
  if (!is_formula && strpbrk (cell, ",\"\r\n") == NULL)
    {
      g_string_append (csv, cell);
      return;
    }
  g_string_append (csv, is_formula ? "\"'" : "\"");
  for (const char *c = cell; *c != '\0'; c++)
    {
      if (*c == '"')
        g_string_append_c (csv, '"');
      g_string_append_c (csv, *c);
    }
  g_string_append_c (csv, '"');
}

static void
append_seconds (GString *csv, int64_t time_us)
{
  g_autofree char *text = vend_usage_seconds_text (time_us);
  append_cell (csv, text);
}

static void
append_line (GString *csv, const VendStatementLine *line)
{
  g_autofree char *predictions = g_strdup_printf ("%" G_GINT64_FORMAT, line->predictions);
  g_autofree char *price = vend_price_text (line->price);
  VendAmount amount = 0;
  g_autofree char *cost = amount_of (line, &amount) ? vend_amount_text (amount) : NULL;
  /* Never empty: append_cell tells the first cell, which has no comma, by an empty line. */
  append_cell (csv, line->model != NULL ? line->model : "(deleted)");
  append_cell (csv, line->deployment);
  append_cell (csv, line->hardware);
  append_cell (csv, predictions);
  append_seconds (csv, line->run_us);
  append_seconds (csv, line->phase_us[VEND_PHASE_SETUP]);
  append_seconds (csv, line->phase_us[VEND_PHASE_IDLE]);
  append_seconds (csv, line->phase_us[VEND_PHASE_ACTIVE]);
  append_seconds (csv, line->billed_us);
  append_cell (csv, price);
  append_cell (csv, cost);
  g_string_append (csv, "\r\n");
}

char *
vend_statement_to_csv (VendStatement *statement)
{
  GString *csv = g_string_new ("model,deployment,hardware,predictions,run_seconds,setup_seconds,"
                               "idle_seconds,active_seconds,billed_seconds,price,amount\r\n");
  g_ptr_array_sort (statement->lines, by_name);
  for (guint i = 0; i < statement->lines->len; i++)
    append_line (csv, g_ptr_array_index (statement->lines, i));
  return g_string_free (csv, FALSE);
}
