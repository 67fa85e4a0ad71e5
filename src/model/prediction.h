/* Predictions and trainings: one run of a version. Plain values. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "json/json.h"
#include "model/idempotency-key.h"
#include "model/model.h"
#include "model/status.h"
#include "model/usage.h"

typedef enum
{
  VEND_KIND_PREDICTION,
  VEND_KIND_TRAINING,
  VEND_KIND_EXAMPLE, /* a saved run that came with the files of its model: nothing ran here */
} VendKind;

/* Stands for the value of a Secret. */
#define VEND_REDACTED "**********"

/* Streaming of the output, by the version's schema. */
typedef enum
{
  VEND_STREAM_ITERATES = 1, /* a list whose items are the chunks */
  VEND_STREAM_FILES = 2,    /* a file, or a list of files */
} VendStreamFlags;

/* Of `queue_eta_us`: nothing that would run it may start. */
#define VEND_ETA_UNKNOWN (-1)

typedef struct
{
  char *id;
  VendKind kind;
  int64_t account_id;
  int64_t model_id;
  char *model;         /* "owner/name" */
  char *version;       /* 64 hex */
  char *deployment;    /* or NULL */
  int64_t destination; /* of a training: the model that gets its version; stored only, never read */
  VendStatus status;
  bool from_web;
  json_t *input;    /* object; NULL: only on disk, `files` too; such files are
                       "vend-input:<n>/<token>/<name>" until shown */
  json_t *files;    /* places of the input's files, for the director; or NULL. Files of the file
                     * store have their "sha256" */
  GPtrArray *kept;  /* of VendOutput: input files that came inside of the create, until the row is
                     * stored; or NULL */
  json_t *secrets;  /* names of Secret inputs, or NULL; shown as asterisks */
  json_t *output;   /* NULL = null; files are "vend-output:<token>/<name>" until shown */
  char *logs;       /* never NULL */
  char *error;      /* NULL unless failed */
  char *error_code; /* platform failures only */
  json_t *metrics;  /* object or NULL */
  int64_t created_us;
  int64_t started_us;   /* 0 = not yet */
  int64_t completed_us; /* 0 = not yet */
  int64_t deadline_us;  /* 0 = none */
  bool cancel_requested;
  int attempt;    /* the fencing token; 0 before the first try */
  char *instance; /* of the attempt, or NULL */
  char *webhook;  /* or NULL */
  json_t *webhook_events;
  char *origin; /* origin of the create, for URLs in webhooks; NULL without a webhook */
  bool data_removed;
  int64_t removed_us;   /* time of removal; 1 = unknown */
  guint queue_place;    /* in the queue at the create; 0 = not queued, or unknown */
  guint queue_position; /* live only: 1 = next; 0 = not queued, or unknown */
  int64_t queue_eta_us; /* live only: time until the start, or VEND_ETA_UNKNOWN */
  VendIdempotencyKey
      *idempotency_key; /* idempotency key of the create, until the row is stored; or NULL */
  guint stream;         /* VendStreamFlags */
  VendBilling billing;  /* billing of its instances, for the scheduler; not stored */
  gsize input_memory;   /* estimated memory of `input` and `files`; 0 = unknown; not stored */
} VendPrediction;

VendPrediction *vend_prediction_new (void);
void vend_prediction_free (VendPrediction *prediction);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendPrediction, vend_prediction_free)

/* A copy that shares the JSON, for another thread to read meanwhile (jansson counts references
 * atomically, and shared values do not change). */
VendPrediction *vend_prediction_copy (const VendPrediction *prediction) G_GNUC_WARN_UNUSED_RESULT;

/* Billing of the prediction's instances: a deployment belongs to the caller, a model without
 * deployment to its owner. `model` is NULL when it was deleted. */
VendBilling vend_prediction_billing_of (const VendPrediction *prediction, const VendModel *model);

/* The one way to change the status: checks the table of legal moves (CONFLICT). The caller stores
 * the result before anybody is notified. */
bool vend_prediction_set_status (VendPrediction *prediction, VendStatus to, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef enum
{
  VEND_VIEW_TRUTH,   /* the stored status */
  VEND_VIEW_STARTED, /* after a wait: clients expect "starting" and no output */
} VendView;

/* The API object. `origin` without slash at the end. */
json_t *vend_prediction_to_json (const VendPrediction *prediction, const char *origin,
                                 VendView view);

/* The unguessable name of the event stream: the id and a capability. NULL without a key. Free with
 * g_free. */
char *vend_prediction_stream_token (const VendPrediction *prediction) G_GNUC_WARN_UNUSED_RESULT;
/* The id in such a name; NULL when the capability does not fit. Free with g_free. */
char *vend_stream_token_id (const char *token) G_GNUC_WARN_UNUSED_RESULT;

/* For input file number `n` of a create: the unguessable part of its URL (NULL without a key), and
 * its text in the input. Free with g_free. */
char *vend_input_file_token (const char *prediction, guint n) G_GNUC_WARN_UNUSED_RESULT;
char *vend_input_file_text (guint n, const char *token, const char *name) G_GNUC_WARN_UNUSED_RESULT;
/* The text of an output file in the output. Free with g_free. */
char *vend_output_file_text (const char *token, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* `input` with every Secret replaced by asterisks; a new reference. */
json_t *vend_prediction_shown_input (const VendPrediction *prediction);

/* Any JSON value with "vend-output:…" strings made absolute URLs; a new value. */
json_t *vend_output_with_urls (const json_t *output, const char *origin);
