/* Inside of a run, shared by its life (run.c), its events (run-events.c) and its HTTP call
 * (run-call.c). Main context. */
#pragma once
#include <curl/curl.h>

#include "director/cog-call.h"
#include "director/inputs.h"
#include "director/output.h"
#include "director/run.h"
#include "director/sse.h"

#define VEND_RUN_SLACK ((gsize) 1 << 20) /* error, metrics and frame of a completed event */
#define VEND_RUN_ERROR_MAX ((gsize) 64 * 1024)

typedef enum
{
  VEND_RUN_INPUTS,  /* files are being fetched */
  VEND_RUN_CALLING, /* the server has not said that it began */
  VEND_RUN_RUNNING,
  VEND_RUN_ENDED,
} VendRunPhase;

struct VendRun
{
  VendRunEnv *env;
  VendRunPhase phase;
  char *prediction;
  int64_t attempt;
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
} VendRunEnd;

/* Sends the last frame; harmless when the run has ended already. */
void vend_run_end (VendRun *run, VendRunEnd end);
/* Lost with the instance, which is sick. */
void vend_run_end_lost (VendRun *run, const char *why);
/* Ends it as failed while the model is still at it, and cancels that. */
void vend_run_end_early (VendRun *run, const char *error, const char *code);
void vend_run_end_too_large (VendRun *run);
json_t *vend_run_event (const VendRun *run, const char *event) G_GNUC_WARN_UNUSED_RESULT;
/* Asks the server to stop it. */
void vend_run_ask_cancel (VendRun *run);

/* run-events.c */
bool vend_run_on_event (const char *event, const char *data, gsize size, void *run);
void vend_run_take_snapshot (VendRun *run, json_t *snapshot, bool with_logs);
void vend_run_add_logs (VendRun *run, const char *text, gsize size);
void vend_run_flush_logs (VendRun *run);

/* run-call.c */
void vend_run_call (VendRun *run);
/* The run prints a lot: makes sure that it survives a gap in its event stream. */
void vend_run_hold (VendRun *run);
void vend_run_let_go (VendRun *run);
void vend_run_call_stop (VendRun *run);
