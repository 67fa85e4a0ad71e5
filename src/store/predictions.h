/* Store functions of predictions, attempts and usage. Inside a transaction; outputs are
 * the caller's. A row with completed_us never changes its result again. */
#pragma once
#include "model/attempt.h"
#include "model/prediction.h"
#include "store/db.h"

/* The contents in `files` are in use from now on, until the prediction ends. */
bool vend_store_prediction_insert (VendDb *db, const VendPrediction *prediction, GError **error);
/* The same for a new prediction, with checks of state that may have changed since: EXISTS when its
 * create key is taken, INVALID when its version was deleted, TOO_LARGE when the account's files
 * take more than `max_stored` (0 = no limit). */
bool vend_store_prediction_create (VendDb *db, const VendPrediction *prediction,
                                   uint64_t max_stored, GError **error);
bool vend_store_prediction_get (VendDb *db, const char *id, VendPrediction **out, GError **error);
/* All predictions that have not ended, oldest first, of VendPrediction. Without inputs, which have
 * no common limit. */
bool vend_store_prediction_open (VendDb *db, GPtrArray **out, GError **error);

/* Whether any prediction of the version has not ended. */
bool vend_store_prediction_open_of (VendDb *db, int64_t model_id, const char *version, bool *out,
                                    GError **error);

typedef struct
{
  int64_t account_id;
  VendKind kind;
  int64_t before_us; /* key of the last row of the previous page; G_MAXINT64 = first page */
  const char *before_id;
  int64_t created_after_us;
  bool web_only;
  /* NULL = any */
  const char *model; /* owner/name, as of a deployment */
  const char *version;
  const char *deployment;
  int status; /* VendStatus; VEND_ANY_STATUS */
} VendPredictionPage;
#define VEND_ANY_STATUS (-1)

/* Reads the input, files and their size into `p`; NOT_FOUND without a row. */
bool vend_store_prediction_input (VendDb *db, VendPrediction *p, GError **error);

/* Newest first, of VendPrediction. */
bool vend_store_prediction_page (VendDb *db, const VendPredictionPage *page, VendPage *rows,
                                 GPtrArray **out, GError **error);

/* Records attempt, instance, status, start and first output of a run in flight, or its return to
 * the queue. Does nothing after the end, or when a later attempt is stored: the attempt number is
 * the fencing token. */
bool vend_store_prediction_lease (VendDb *db, const VendPrediction *prediction, GError **error);
bool vend_store_prediction_cancel_request (VendDb *db, const char *id, GError **error);

/* The compare-and-set that ends a prediction. Stores status, input (as shown from now on; NULL: the
 * stored input), output, logs, error, metrics and times of `prediction`, if the row has not ended
 * and no later attempt is stored. `*out_won` tells whether this call ended the prediction. */
bool vend_store_prediction_complete (VendDb *db, const VendPrediction *prediction, bool *out_won,
                                     GError **error);
bool vend_store_attempt_insert (VendDb *db, const VendPrediction *prediction, int64_t ended_us,
                                const char *outcome, GError **error);
/* Of VendAttempt, in their order. */
bool vend_store_attempt_list (VendDb *db, const char *prediction, int limit, GPtrArray **out,
                              GError **error);
/* In the transaction of the completion. */
bool vend_store_usage_insert (VendDb *db, const VendPrediction *prediction, const VendRunUsage *run,
                              GError **error);

/* Ids (char *) of ended predictions with data due for removal. */
bool vend_store_prediction_expired (VendDb *db, int64_t before_us, int limit, GPtrArray **out,
                                    GError **error);
bool vend_store_prediction_remove_data (VendDb *db, const char *id, int64_t now_us, GError **error);
