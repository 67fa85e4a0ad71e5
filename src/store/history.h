/* Store functions for the history of requests to models. Inside a transaction. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

typedef struct
{
  const char *model;      /* "owner/name" */
  const char *deployment; /* or NULL */
  int64_t created_us;
  int64_t started_us;   /* 0 = not started */
  int64_t completed_us; /* 0 = not ended */
} VendHistoryRow;

typedef void (*VendHistorySeen) (const VendHistoryRow *row, void *data);

typedef struct
{
  int64_t account_id;
  int64_t from_us;
  int64_t to_us; /* not included */
  int limit;     /* most rows read */
} VendHistoryQuery;

/* Predictions of an account, the newest first. `row` is borrowed. */
bool vend_store_history_read (VendDb *db, const VendHistoryQuery *query, VendHistorySeen seen,
                              void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The mean time of the latest boots of a model's instances, or of a deployment's (else NULL),
 * within the retention of decisions; `*out_seconds` is 0 when none is known. */
bool vend_store_history_boot (VendDb *db, const char *model, const char *deployment,
                              double *out_seconds, GError **error) G_GNUC_WARN_UNUSED_RESULT;
