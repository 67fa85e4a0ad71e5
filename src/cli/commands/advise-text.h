/* The texts of `vend advise`: numbers of a month, and sentences with the reason. Pure. */
#pragma once
#include "cli/commands/history.h"
#include "policy/advise.h"

#define VEND_MONTH_HOURS 730.5 /* of 365.25 days in 12 months */

typedef struct
{
  const VendHistoryItem *item;
  const VendAdvice *advice;
  double price; /* of a second; negative: not known */
  double wait_weight;
} VendAdviseAbout;

/* Of a variant. Seconds that are paid for, in a month like the time that was looked at. */
double vend_advise_billed_s (const VendAdviseAbout *about, guint variant);
/* Hours of instances in such a month. */
double vend_advise_month_hours (const VendAdviseAbout *about, guint variant);

/* "0-4, 5 min": minimum, maximum, idle timeout. Free with g_free. */
char *vend_advise_setting_text (const VendAdviseSetting *setting) G_GNUC_WARN_UNUSED_RESULT;
/* "12.30", "0.0042". Free with g_free. */
char *vend_advise_money_text (double amount) G_GNUC_WARN_UNUSED_RESULT;
/* "0.4 s", "12 min". Free with g_free. */
char *vend_advise_time_text (double seconds) G_GNUC_WARN_UNUSED_RESULT;

/* Sentences (of char *); free with g_strfreev. */
char **vend_advise_recommend (const VendAdviseAbout *about) G_GNUC_WARN_UNUSED_RESULT;

/* Hardware of one's own beside rented hardware. */
typedef struct
{
  guint units;
  double unit_month;    /* what one costs a month */
  double price;         /* of a rented second */
  double billed_s;      /* that are rented in a month, with the best settings */
  double rented_wait_s; /* the mean with these */
  VendSimulated owned;  /* all requests on these units */
} VendAdviseOwn;

/* Seconds a month from which on the units are cheaper. */
double vend_advise_break_even_s (const VendAdviseOwn *own);
char **vend_advise_recommend_own (const VendAdviseOwn *own) G_GNUC_WARN_UNUSED_RESULT;
