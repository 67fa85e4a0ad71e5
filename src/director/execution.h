/* One attempt of a prediction or training on the model server: inputs in, one call, its events out.
 * Main context; nothing here blocks except writing output files that came as data URIs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "director/loopback.h"
#include "director/model-server.h"
#include "director/redact.h"
#include "director/spec.h"
#include "json/json.h"
#include "machines/exchange.h"
#include "net/egress.h"

/* What all runs of a director share. */
typedef struct
{
  const VendSpec *spec;
  const VendRedactor *redactor; /* or NULL */
  const char *dir;
  gsize frame_limit;       /* of what is sent */
  VendModelServer *server; /* NULL: there is none */
  VendEgress *egress;
  const VendDialer *dialer; /* of contents on the control plane's machine; NULL: they are here */
  VendLoopback *loopback;
  bool iterates;            /* chunks of output are passed on as they come */
  bool must_return;         /* an output of null breaks the model's own schema */
  int64_t patient_until_us; /* monotonic: a run that was ended early may still hold its slot */

  /* Sends a frame; steals it. */
  void (*emit) (json_t *frame, void *context);
  void (*emit_later) (json_t *frame, void *context); /* nobody waits for it alone */
  /* Why a process of the model was lost, when that was for want of memory; else NULL. Owned. */
  char *(*out_of_memory) (void *context);
  /* The most memory that the model server itself has held; 0: not known. */
  uint64_t (*server_peak) (void *context);
  /* The model is done with the run, whose end is not told yet, and may begin another. */
  void (*left_slot) (VendExecution *execution, void *context);
  /* The run has ended; `completed` (stolen) is its last frame. `sick` is NULL, or why the instance
   * must be replaced. The run stays until `released`. */
  void (*ended) (VendExecution *execution, json_t *completed, const char *sick, void *context);
  /* Nothing of the run is in use any more: free it, but not before this call has returned. */
  void (*released) (VendExecution *execution, void *context);
  void *context;
} VendExecutionEnv;

/* The members of a `run` command that say which run it is. */
bool vend_execution_command_check (const json_t *command, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* vend_journal_key of a command that was checked. Free with g_free. */
char *vend_execution_command_key (const json_t *command) G_GNUC_WARN_UNUSED_RESULT;

VendExecution *vend_execution_new (VendExecutionEnv *env, const json_t *command)
    G_GNUC_WARN_UNUSED_RESULT;
/* `files` is that of the command. It may end in here. */
void vend_execution_begin (VendExecution *execution, const json_t *files);
void vend_execution_free (VendExecution *execution);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendExecution, vend_execution_free)

const char *vend_execution_key (const VendExecution *execution); /* vend_journal_key */
const char *vend_execution_cog_id (const VendExecution *execution);
/* Another one may begin though this one has not ended. */
bool vend_execution_has_left_slot (const VendExecution *execution);

void vend_execution_cancel (VendExecution *execution);
/* Ends it as INSTANCE_LOST, OUT_OF_MEMORY or DISK_LIMIT: `code`. */
void vend_execution_lose (VendExecution *execution, const char *why, const char *code);

/* The entry of `hello`; `*budget` bytes are left for outputs of all runs. */
json_t *vend_execution_snapshot (const VendExecution *execution, gsize *budget)
    G_GNUC_WARN_UNUSED_RESULT;

/* What a model server writes short may be long as JSON of ours, and a frame that is too long is so
 * on every connection: then the end goes without its output, and a success is OUTPUT_TOO_LARGE. */
void vend_execution_fit_end (json_t *completed, gsize limit);

/* The frame that ends a run which has not begun: "canceled", or "failed" as INSTANCE_LOST with
 * `why`. */
json_t *vend_execution_never_begun (const json_t *command, const char *status, const char *why)
    G_GNUC_WARN_UNUSED_RESULT;
