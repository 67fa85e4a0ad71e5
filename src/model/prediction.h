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
} VendKind;

/* How the output is streamed, from the version's schema. */
typedef enum
{
  VEND_STREAM_ITERATES = 1, /* a list of which each item is a piece */
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
  int64_t destination; /* of a training: the model that gets its version; only stored, not read */
  VendStatus status;
  bool from_web;
  json_t *input;    /* object; NULL: only on disk, `files` too; such files are
                       "vend-input:<n>/<token>/<name>" until shown */
  json_t *files;    /* where the input's files are, for the director; or NULL. Those of the file
                       store have their "sha256" */
  GPtrArray *kept;  /* of VendOutput: input files that came inside of the create, until it is
                       stored; or NULL */
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
  char *origin; /* of the call that made it, for URLs in webhooks; NULL without a webhook */
  bool data_removed;
  int64_t removed_us;   /* when; 1 = not known */
  guint queue_place;    /* in the queue when it came; 0 = it did not wait, or not known */
  guint queue_position; /* live only: 1 = next; 0 = not queued, or not known */
  int64_t queue_eta_us; /* live only: until it begins; VEND_ETA_UNKNOWN: nothing starts now */
  VendIdempotencyKey
      *idempotency_key; /* idempotency key of the create, until the row is stored; or NULL */
  guint stream;         /* VendStreamFlags */
  VendBilling billing;  /* of what it runs on, for the scheduler; not stored */
  gsize input_memory;   /* about what `input` and `files` take; 0 = not known; not stored */
} VendPrediction;

VendPrediction *vend_prediction_new (void);
void vend_prediction_free (VendPrediction *prediction);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendPrediction, vend_prediction_free)

/* The same values, with the JSON shared: for another thread to read while this one goes on (jansson
 * counts references atomically, and nobody changes a shared value). */
VendPrediction *vend_prediction_copy (const VendPrediction *prediction) G_GNUC_WARN_UNUSED_RESULT;

/* Whose the instances are that it runs on, and what is billed: a deployment is the caller's own,
 * and a model without one its owner's. `model` is NULL when it was deleted. */
VendBilling vend_prediction_billing_of (const VendPrediction *prediction, const VendModel *model);

/* The one way to change the status: checks the table of legal moves (CONFLICT). Whoever calls it
 * stores the result before anyone is told. */
bool vend_prediction_set_status (VendPrediction *prediction, VendStatus to, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef enum
{
  VEND_VIEW_TRUTH,   /* as it is */
  VEND_VIEW_STARTED, /* a wait is over: the clients cope with "starting" and no output only */
} VendView;

/* The API object. `origin` without slash at the end. */
json_t *vend_prediction_to_json (const VendPrediction *prediction, const char *origin,
                                 VendView view);

/* The unguessable name of its event stream: the id and a capability. NULL without a key. Free with
 * g_free. */
char *vend_prediction_stream_token (const VendPrediction *prediction) G_GNUC_WARN_UNUSED_RESULT;
/* The id that such a name stands for; NULL when it is none of ours. Free with g_free. */
char *vend_stream_token_id (const char *token) G_GNUC_WARN_UNUSED_RESULT;

/* Of the input file number `n` that came inside of the create: the unguessable part of its URL
 * (NULL without a key), and what stands for it in the input. Free with g_free. */
char *vend_input_file_token (const char *prediction, guint n) G_GNUC_WARN_UNUSED_RESULT;
char *vend_input_file_text (guint n, const char *token, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* `input` with every Secret replaced by asterisks; a new reference. */
json_t *vend_prediction_shown_input (const VendPrediction *prediction);

/* Any JSON value with "vend-output:…" strings made absolute URLs; a new value. */
json_t *vend_output_with_urls (const json_t *output, const char *origin);
