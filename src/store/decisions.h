/* Store functions of the scheduler's decisions. Inside a transaction; outputs are the caller's,
 * lists hold VendDecision. */
#pragma once
#include "model/decision.h"
#include "store/db.h"

bool vend_store_decision_insert (VendDb *db, const VendDecision *decision, GError **error);

typedef struct
{
  const char *model; /* NULL = all */
  int64_t before_us; /* key of the last row of the previous page; G_MAXINT64 = first page */
  int64_t before_id;
  int64_t since_us;
} VendDecisionPage;

/* Newest first. */
bool vend_store_decision_page (VendDb *db, const VendDecisionPage *page, VendPage *rows,
                               GPtrArray **out, GError **error);
/* About one prediction, oldest first. */
bool vend_store_decision_of_prediction (VendDb *db, const char *prediction, int limit,
                                        GPtrArray **out, GError **error);
/* About one instance, without those about predictions; oldest first. */
bool vend_store_decision_of_instance (VendDb *db, const char *instance, int limit, GPtrArray **out,
                                      GError **error);
/* About the instances of one target, in a time; oldest first. `deployment` may be NULL. */
typedef struct
{
  const char *model;
  const char *version;
  const char *deployment;
  int64_t from_us;
  int64_t to_us;
  int limit;
} VendDecisionSpan;
bool vend_store_decision_during (VendDb *db, const VendDecisionSpan *span, GPtrArray **out,
                                 GError **error);

/* Removes at most `limit` decisions: older than `before_us`, or beyond the newest `keep`.
 * `*out_removed` counts them. */
bool vend_store_decision_expire (VendDb *db, int64_t before_us, int limit, guint *out_removed,
                                 GError **error);
bool vend_store_decision_trim (VendDb *db, int64_t keep, int limit, guint *out_removed,
                               GError **error);
