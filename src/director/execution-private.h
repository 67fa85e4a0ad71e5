/* Inside of a run, shared by its life (execution.c), its events (execution-events.c) and its HTTP
 * call (execution-call.c). Main context. */
#pragma once
#include <curl/curl.h>

#include "director/cog-call.h"
#include "director/inputs.h"
#include "director/output.h"
#include "director/execution.h"
#include "director/sse.h"

#define VEND_EXECUTION_SLACK ((gsize) 1 << 20) /* error, metrics and frame of a completed event */
#define VEND_EXECUTION_ERROR_MAX ((gsize) 64 * 1024)

typedef enum
{
  VEND_EXECUTION_INPUTS,  /* files are being fetched */
  VEND_EXECUTION_CALLING, /* the server has not said that it began */
  VEND_EXECUTION_RUNNING,
  VEND_EXECUTION_ENDED,
} VendExecutionPhase;

struct VendExecution
{
  VendExecutionEnv *env;
  VendExecutionPhase phase;
  char *prediction;
  int64_t number;
  char *key;
  char *cog_id;  /* in our addresses */
  char *call_id; /* what the server calls it: the same, until it is run again */
  json_t *input;
  VendInputs *inputs;
  int64_t timeout_us;
  int64_t started_us;   /* wall clock, as it was then */
  uint64_t peak_before; /* of the model server's own memory, when it began */
  int64_t began_us;     /* the same moment on the clock that does not step */

  /* The call. */
  CURL *easy;
  struct curl_slist *headers;
  char *body;
  VendSse *sse;
  GString *refusal; /* body of a reply that is no event stream */
  bool is_stream;
  bool status_known;
  bool attached; /* reading events of a run that is in flight, after a gap */
  bool cut_off;  /* a gap made the server cancel the run */
  bool reran;
  bool may_rerun;
  bool lagged; /* there was a gap: the last snapshot has what is missing */
  guint log_events;
  struct curl_slist *holder_headers;
  CURL *holder; /* keeps the run alive while the other reader is cut off */
  guint busy_tries;
  guint retry_source;
  guint linger_source;

  /* Ending it. */
  bool cancel_asked;
  bool timed_out;
  int64_t cancel_sent_us;
  VendCogCall *cancel_call;
  guint cancel_source;
  guint grace_source;
  guint timeout_source;

  /* What it said. */
  VendOutputFiles files;
  json_t *chunks; /* of a model that iterates */
  gsize chunk_bytes;
  GString *logs;
  gsize logs_seen;    /* bytes, of a snapshot that repeats them */
  gsize logs_flushed; /* bytes already sent */
  bool logs_full;
  bool logs_replaced; /* nothing more is sent before the end */
  guint flush_source;
  json_t *metrics;
  gsize metrics_size; /* of their names and values as JSON */
};

typedef struct
{
  const char *status;
  json_t *output;  /* stolen; NULL = none */
  json_t *metrics; /* borrowed; NULL: what was heard */
  const char *error;
  const char *code;
  const char *sick;
} VendExecutionEnd;

/* Sends the last frame; harmless when the run has ended already. */
void vend_execution_end (VendExecution *execution, VendExecutionEnd end);
/* Lost with the instance, which is sick. */
void vend_execution_end_lost (VendExecution *execution, const char *why);
/* Ends it as failed while the model is still at it, and cancels that. */
void vend_execution_end_early (VendExecution *execution, const char *error, const char *code);
void vend_execution_end_too_large (VendExecution *execution);
json_t *vend_execution_event (const VendExecution *execution, const char *event)
    G_GNUC_WARN_UNUSED_RESULT;
/* Asks the server to stop it. */
void vend_execution_ask_cancel (VendExecution *execution);

/* execution-events.c */
bool vend_execution_on_event (const char *event, const char *data, gsize size, void *execution);
void vend_execution_take_snapshot (VendExecution *execution, json_t *snapshot, bool with_logs);
void vend_execution_add_logs (VendExecution *execution, const char *text, gsize size);
void vend_execution_flush_logs (VendExecution *execution);

/* execution-call.c */
void vend_execution_call (VendExecution *execution);
/* The run prints a lot: makes sure that it survives a gap in its event stream. */
void vend_execution_hold (VendExecution *execution);
void vend_execution_let_go (VendExecution *execution);
void vend_execution_call_stop (VendExecution *execution);
