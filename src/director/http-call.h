/* coglet's HTTP server, inside: the server (http-server.c), a call of one run (http-call.c) and
 * what comes back (http-events.c). Main context. */
#pragma once
#include <curl/curl.h>

#include "director/cog-call.h"
#include "director/execution-private.h"
#include "director/health.h"
#include "director/sse.h"

typedef struct
{
  VendModelServer base;
  char *base_url; /* without a slash at the end */
  VendHealth *health;
  VendCogCall *schema_call;
  /* Body of a request that the server refuses unless a run of that id is in flight, in which case
   * it is a second reader of its events. NULL when the model's input has no typed member. */
  char *probe;
  bool no_stream; /* the server has no event streams: webhooks instead; set by the first 406 */
} VendHttpServer;

typedef struct
{
  VendHttpServer *server;
  VendExecution *execution;
  char *id; /* what the server calls the run: its own, until it is run again */

  CURL *easy;
  struct curl_slist *headers;
  char *body;
  VendSse *sse;
  GString *reply; /* body of one that is no event stream */
  bool waits;     /* the reply comes with the end of the run, and is its last snapshot */
  gsize reply_max;
  bool is_stream;
  bool status_known;
  bool attached; /* reading events of a run that is in flight, after a gap */
  bool cut_off;  /* a gap made the server cancel the run */
  bool reran;
  bool lagged; /* there was a gap: the last snapshot has what is missing */
  guint log_events;
  gsize logs_seen; /* bytes, of a snapshot that repeats them */
  struct curl_slist *holder_headers;
  CURL *holder; /* keeps the run alive while the other reader is cut off */
  guint busy_tries;
  guint retry_source;
  VendCogCall *cancel_call;
} VendHttpCall;

/* http-call.c: members of VendModelServerKind. */
void vend_http_execute (VendModelServer *server, VendExecution *execution);
bool vend_http_is_asked (const VendExecution *execution);
void vend_http_cancel (VendExecution *execution);
bool vend_http_ended (VendExecution *execution);
void vend_http_release (VendExecution *execution);

/* The run prints a lot: makes sure that it survives a gap in its event stream. */
void vend_http_call_hold (VendHttpCall *call);

/* http-events.c */
bool vend_http_call_on_event (const char *event, const char *data, gsize size, void *call);
/* The reply to a call that waits. */
void vend_http_take_result (VendHttpCall *call);
/* A webhook of the server about the run; `path` is its body. */
void vend_http_take_hook (VendExecution *execution, const char *path);
