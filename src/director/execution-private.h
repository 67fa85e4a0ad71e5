/* Inside of a run: its life (execution.c), what it said (execution-events.c), and what the kinds of
 * model servers tell about it. Main context. */
#pragma once
#include "director/inputs.h"
#include "director/metrics.h"
#include "director/output.h"
#include "director/execution.h"

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
  char *cog_id; /* what the model server calls it */
  json_t *input;
  VendInputs *inputs;
  bool may_rerun;
  int64_t timeout_us;
  int64_t started_us;   /* wall clock, as it was then */
  uint64_t peak_before; /* of the model server's own memory, when it began */
  int64_t began_us;     /* the same moment on the clock that does not step */

  void *call; /* of the model server; NULL: none, or not yet */
  guint linger_source;

  /* Ending it. */
  bool has_left_slot;
  bool cancel_asked;
  bool timed_out;
  int64_t cancel_sent_us;
  guint cancel_source;
  guint grace_source;
  guint timeout_source;

  /* What it said. */
  VendOutputFiles files;
  json_t *chunks; /* of a model that iterates */
  gsize chunk_bytes;
  GString *logs;
  GString *logs_held; /* their end that may be the begin of a secret */
  gsize logs_flushed; /* bytes already sent */
  bool logs_full;
  bool logs_replaced; /* nothing more is sent before the end */
  guint flush_source;
  VendMetrics metrics;
};

typedef struct
{
  const char *status;
  json_t *output;        /* stolen; NULL = none */
  const json_t *metrics; /* borrowed; NULL: what was heard */
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

/* ---- What model servers tell. */

/* The model has begun; harmless when that is known. */
void vend_execution_mark_started (VendExecution *execution);
/* A cancel was sent. `was_heard`: not before the server knew the run. */
void vend_execution_cancel_sent (VendExecution *execution, bool was_heard);
/* After `ended` said that something is open still. */
void vend_execution_closed (VendExecution *execution);
/* The model is done with it, and its end waits for what the model printed. */
void vend_execution_leave_slot (VendExecution *execution);

void vend_execution_add_logs (VendExecution *execution, const char *text, gsize size);
/* The model prints nothing more. */
void vend_execution_end_logs (VendExecution *execution);
void vend_execution_flush_logs (VendExecution *execution);
/* After a gap: what was sent stays sent, the whole text comes with the end. */
void vend_execution_replace_logs (VendExecution *execution, const char *text, gsize size);
/* It begins anew. */
void vend_execution_forget_logs (VendExecution *execution);

/* One yielded piece of `size` bytes as JSON. */
void vend_execution_add_chunk (VendExecution *execution, json_t *chunk, gsize size);
/* The same for one that vend_execution_convert made, which is stolen. */
void vend_execution_add_converted (VendExecution *execution, json_t *chunk, gsize size);
void vend_execution_add_metric (VendExecution *execution, const char *name, json_t *value,
                                const char *mode);
/* Makes the output what is passed on, in `*out`, or ends the run. */
bool vend_execution_convert (VendExecution *execution, json_t *output, json_t **out);

/* How the model ended, `status` of Cog. `output` is stolen and what vend_execution_convert made;
 * `end` has the error and, where it is not the model's own, its code. */
void vend_execution_finish (VendExecution *execution, VendExecutionEnd end);
