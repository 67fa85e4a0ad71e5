/* What runs the model, as the director sees it. Two kinds: coglet's HTTP server (http-server.c),
 * and coglet's worker without that server (worker-server.c). The director starts and ends the
 * process; the server says how, and speaks to it. Main context. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#include "director/loopback.h"
#include "director/model-process.h"
#include "director/spec.h"
#include "json/json.h"
#include "net/curl-context.h"

typedef struct VendModelServer VendModelServer;
typedef struct VendExecution VendExecution;

/* What a server tells its director. */
typedef struct
{
  /* Setup is over; once. `openapi` is borrowed, and NULL when the model has none. */
  void (*ready) (const json_t *openapi, void *context);
  void (*setup_failed) (const char *error, void *context); /* instead of ready */
  /* Instead of both, before the model's code ran: this kind does not work here. */
  void (*unfit) (const char *why, void *context);
  void (*printed) (const char *text, gsize size, void *context); /* outside of any run */
  void (*sick) (const char *why, void *context);                 /* after ready, once */
  void (*lost) (const char *why, void *context);                 /* with all that runs there */
  bool (*is_idle) (void *context);
} VendModelServerEvents;

typedef struct
{
  const VendSpec *spec;
  const char *dir;
  VendCurlContext *curl;
  VendLoopback *loopback;
  const VendModelServerEvents *events;
  void *context;
} VendModelServerOptions;

typedef struct
{
  const char *name;   /* as `model_server` in DIR/spec.json */
  bool takes_channel; /* stdin and stdout of the process are its own */
  bool has_own_model; /* its process is the one that runs the model */
  VendModelServer *(*new) (void);
  /* What to start. The results are owned by the caller. */
  bool (*prepare) (VendModelServer *server, char ***out_argv, char ***out_env, GError **error);
  void (*started) (VendModelServer *server, VendModelProcess *process);
  /* The process has ended, with this wait status: reads what it said last. True: it was unfit, and
   * that is told. */
  bool (*gone) (VendModelServer *server, int status);
  /* Asks it to end. False: only a signal does that. */
  bool (*stop) (VendModelServer *server);
  void (*free) (VendModelServer *server);

  /* One execution. */
  void (*execute) (VendModelServer *server, VendExecution *execution);
  bool (*is_asked) (const VendExecution *execution); /* the model may be at it */
  /* Sets `cancel_sent_us`; answered by vend_execution_cancel_sent. */
  void (*cancel) (VendExecution *execution);
  /* The model has said all of it, and only what it printed is waited for. NULL: this kind waits for
   * no such thing. */
  bool (*is_told) (const VendExecution *execution);
  void (*settle) (VendExecution *execution); /* ends one that is told, without what is waited for */
  /* The execution has ended; true when what is open of it closes in a moment, which is told by
   * vend_execution_closed. */
  bool (*ended) (VendExecution *execution);
  void (*release) (VendExecution *execution); /* frees what `execute` made; harmless without */
} VendModelServerKind;

/* The first member of each kind's own structure. */
struct VendModelServer
{
  const VendModelServerKind *kind;
  VendModelServerOptions options;
};

extern const VendModelServerKind vend_http_server;
extern const VendModelServerKind vend_worker_server;

VendModelServer *vend_model_server_new (const VendModelServerKind *kind,
                                        const VendModelServerOptions *options)
    G_GNUC_WARN_UNUSED_RESULT;
void vend_model_server_free (VendModelServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VendModelServer, vend_model_server_free)

/* The kind that this instance gets. `*out_why` says why, for the log; free with g_free. */
const VendModelServerKind *vend_model_server_choose (const VendSpec *spec, char **out_why)
    G_GNUC_WARN_UNUSED_RESULT;
