/* Usage: sums of running time, and their cost. Whole numbers throughout. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"

/* Billing of the instances that a version runs on: all of their time, to that account, or each run,
 * to its caller. */
typedef struct
{
  int64_t account_id; /* owner of the instances; 0 = unknown */
  bool instances;
} VendBilling;

/* Usage of one run: the row stored with its end. */
typedef struct
{
  const char *hardware; /* borrowed */
  int64_t run_us;
  int64_t price; /* of a second, as of vend_prices_of */
  bool billed;
} VendRunUsage;

/* A sum of usage rows on one kind of hardware. */
typedef struct
{
  char *model;    /* "owner/name"; NULL: not grouped by model, or the model is gone */
  int64_t day_us; /* the beginning of a day, UTC; 0 = not grouped by day */
  char *hardware;
  int64_t predictions;
  int64_t run_us;
  int64_t price;     /* of a second, as of vend_prices_of */
  int64_t billed_us; /* of run_us: the rest is billed with the time of instances */
} VendUsage;

void vend_usage_free (VendUsage *usage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendUsage, vend_usage_free)

/* Prices by hardware, from the setting `hardware-price`. */
typedef struct VendPrices VendPrices;

#define VEND_PRICE_DIGITS 9 /* digits after the point in the price of a second */

/* "cpu=0.0001,gpu-x=0.00055": the price of a second. `hardware` is that of vend_hardware_parse.
 * INVALID names the error. "" has no prices. */
bool vend_prices_parse (const char *text, const json_t *hardware, VendPrices **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_prices_free (VendPrices *prices);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendPrices, vend_prices_free)

/* An exact amount: microseconds times a price of VEND_PRICE_DIGITS digits. */
typedef unsigned __int128 VendAmount;

/* The price of a second in its last digit; VEND_NO_PRICE for hardware without a price. */
int64_t vend_prices_of (const VendPrices *prices, const char *hardware);
#define VEND_NO_PRICE (-1)

/* False for hardware without a price. */
bool vend_prices_amount (const VendPrices *prices, const char *hardware, int64_t run_us,
                         VendAmount *out);
/* Reads "12.50", with at most VEND_PRICE_DIGITS digits after the point. */
bool vend_amount_parse (const char *text, VendAmount *out) G_GNUC_WARN_UNUSED_RESULT;
#define VEND_AMOUNT_WHOLE_DIGITS 12 /* before the point */

/* The cost of a time at a price, which is not VEND_NO_PRICE. */
VendAmount vend_amount_of (int64_t price, int64_t time_us);
/* "0.0001" of a second's price, NULL of VEND_NO_PRICE; free with g_free. */
char *vend_price_text (int64_t price) G_GNUC_WARN_UNUSED_RESULT;
/* "0.000123", without zeros at the end; free with g_free. */
char *vend_amount_text (VendAmount amount) G_GNUC_WARN_UNUSED_RESULT;
/* "2.5" of 2500000; free with g_free. */
char *vend_usage_seconds_text (int64_t run_us) G_GNUC_WARN_UNUSED_RESULT;

typedef enum
{
  VEND_USAGE_TOTAL,
  VEND_USAGE_BY_MODEL,
  VEND_USAGE_BY_DAY,
} VendUsageGroup;

/* {"results": [...], "total": {...}}; amounts are decimal texts, null without a price. */
json_t *vend_usage_statement (const GPtrArray *usage, VendUsageGroup group,
                              const VendPrices *prices);
