/* Usage and its cost. */
#include "model/usage.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/hardware.h"
#include <string.h>

#define MAX_WHOLE_DIGITS 6 /* digits before the point in the price of a second */
#define AMOUNT_DIGITS (VEND_PRICE_DIGITS + 6)

struct VendPrices
{
  GHashTable *by_hardware; /* SKU → int64_t, the price in its last digit */
};

void
vend_usage_free (VendUsage *usage)
{
  if (usage == NULL)
    return;
  g_free (usage->model);
  g_free (usage->hardware);
  g_free (usage);
}

/* ---- Prices */

/* "0.0001" as a whole number of its ninth digit. */
static bool
parse_decimal (const char *text, gsize most_whole, VendAmount *out)
{
  const gsize whole = strspn (text, "0123456789");
  const char *rest = text + whole;
  const gsize digits = *rest == '.' ? strspn (rest + 1, "0123456789") : 0;
  if (whole == 0 || whole > most_whole || digits > VEND_PRICE_DIGITS
      || (*rest == '.' && (digits == 0 || rest[1 + digits] != '\0'))
      || (*rest != '.' && *rest != '\0'))
    return false;
  VendAmount value = 0;
  for (gsize i = 0; i < whole; i++)
    value = value * 10 + (VendAmount) (text[i] - '0');
  for (gsize i = 0; i < VEND_PRICE_DIGITS; i++)
    value = value * 10 + (VendAmount) (i < digits ? rest[1 + i] - '0' : 0);
  *out = value;
  return true;
}

static bool
add_price (const char *sku, const char *text, void *data, GError **error)
{
  VendPrices *prices = data;
  VendAmount price = 0;
  if (sku == NULL || !parse_decimal (text, MAX_WHOLE_DIGITS, &price))
    return vend_fail (error, VEND_ERROR_INVALID,
                      "hardware-price: expected '%s=0.0001', the price of a second with at most %d "
                      "digits after the point",
                      sku != NULL ? sku : "sku", VEND_PRICE_DIGITS);
  int64_t *value = g_new (int64_t, 1);
  *value = (int64_t) price;
  g_hash_table_insert (prices->by_hardware, g_strdup (sku), value);
  return true;
}

bool
vend_prices_parse (const char *text, const json_t *hardware, VendPrices **out, GError **error)
{
  g_autoptr (VendPrices) prices = g_new0 (VendPrices, 1);
  prices->by_hardware = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!vend_hardware_values ("hardware-price", text, hardware, add_price, prices, error))
    return false;
  *out = g_steal_pointer (&prices);
  return true;
}

void
vend_prices_free (VendPrices *prices)
{
  if (prices == NULL)
    return;
  g_hash_table_unref (prices->by_hardware);
  g_free (prices);
}

int64_t
vend_prices_of (const VendPrices *prices, const char *hardware)
{
  const int64_t *price = g_hash_table_lookup (prices->by_hardware, hardware);
  return price != NULL ? *price : VEND_NO_PRICE;
}

bool
vend_amount_parse (const char *text, VendAmount *out)
{
  VendAmount value = 0;
  if (!parse_decimal (text, VEND_AMOUNT_WHOLE_DIGITS, &value))
    return false;
  *out = value * (VendAmount) VEND_US_PER_S;
  return true;
}

VendAmount
vend_amount_of (int64_t price, int64_t time_us)
{
  return (VendAmount) price * (VendAmount) MAX (time_us, 0);
}

bool
vend_prices_amount (const VendPrices *prices, const char *hardware, int64_t run_us, VendAmount *out)
{
  const int64_t price = vend_prices_of (prices, hardware);
  if (price == VEND_NO_PRICE)
    return false;
  *out = vend_amount_of (price, run_us);
  return true;
}

/* A whole number with its last `digits` after the point. */
static char *
decimal_text (VendAmount value, guint digits)
{
  char text[64];
  char *at = text + sizeof text - 1;
  *at = '\0';
  bool is_started = false;
  for (guint i = 0; i < digits; i++, value /= 10)
    {
      const char digit = (char) ('0' + (int) (value % 10));
      is_started = is_started || digit != '0';
      if (is_started)
        *--at = digit;
    }
  if (is_started)
    *--at = '.';
  do
    *--at = (char) ('0' + (int) (value % 10));
  while ((value /= 10) > 0);
  return g_strdup (at);
}

char *
vend_amount_text (VendAmount amount)
{
  return decimal_text (amount, AMOUNT_DIGITS);
}

char *
vend_price_text (int64_t price)
{
  return price != VEND_NO_PRICE ? decimal_text ((VendAmount) price, VEND_PRICE_DIGITS) : NULL;
}

char *
vend_usage_seconds_text (int64_t run_us)
{
  return decimal_text ((VendAmount) MAX (run_us, 0), 6);
}

/* ---- Sums */

typedef struct
{
  int64_t predictions;
  int64_t run_us;
  int64_t billed_us;
  VendAmount amount;
  bool is_unpriced;
  json_t *object; /* borrowed */
} Sum;

static void
add_to (Sum *sum, const VendUsage *usage, const VendPrices *prices)
{
  const int64_t price
      = usage->price != VEND_NO_PRICE ? usage->price : vend_prices_of (prices, usage->hardware);
  sum->predictions += usage->predictions;
  sum->run_us += usage->run_us;
  sum->billed_us += usage->billed_us;
  if (price != VEND_NO_PRICE)
    sum->amount += vend_amount_of (price, usage->billed_us);
  else
    sum->is_unpriced = sum->is_unpriced || usage->billed_us > 0;
}

static void
set_sum (json_t *object, const Sum *sum)
{
  g_autofree char *seconds = vend_usage_seconds_text (sum->run_us);
  g_autofree char *cost = sum->is_unpriced ? NULL : vend_amount_text (sum->amount);
  vend_json_set_int (object, "predictions", sum->predictions);
  vend_json_set_int (object, "run_us", sum->run_us);
  vend_json_set_int (object, "billed_us", sum->billed_us);
  vend_json_set_string (object, "seconds", seconds);
  vend_json_set_string (object, "amount", cost);
}

static json_t *
group_to_json (const VendUsage *usage, VendUsageGroup group)
{
  json_t *object = json_object ();
  if (group == VEND_USAGE_BY_MODEL)
    vend_json_set_string (object, "model", usage->model);
  if (group == VEND_USAGE_BY_DAY)
    {
      g_autofree char *time = vend_time_format (usage->day_us);
      json_object_set_new (object, "day", json_stringn (time, strlen ("2026-01-05")));
    }
  vend_json_set_string (object, "hardware", usage->hardware);
  return object;
}

json_t *
vend_usage_statement (const GPtrArray *usage, VendUsageGroup group, const VendPrices *prices)
{
  json_t *results = json_array ();
  json_t *total = json_object ();
  g_autoptr (GHashTable) groups = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Sum all = { 0 };
  for (guint i = 0; i < usage->len; i++)
    {
      const VendUsage *row = g_ptr_array_index (usage, i);
      /* Rows with different prices belong to the same result. */
      g_autofree char *key
          = g_strdup_printf ("%s\n%" G_GINT64_FORMAT "\n%s", row->model != NULL ? row->model : "",
                             row->day_us, row->hardware);
      Sum *sum = g_hash_table_lookup (groups, key);
      if (sum == NULL)
        {
          sum = g_new0 (Sum, 1);
          g_hash_table_insert (groups, g_steal_pointer (&key), sum);
          sum->object = group_to_json (row, group);
          json_array_append_new (results, sum->object);
        }
      add_to (sum, row, prices);
      add_to (&all, row, prices);
      set_sum (sum->object, sum);
    }
  set_sum (total, &all);
  return json_pack ("{s:o, s:o}", "results", results, "total", total);
}
