/* What the handlers of OpenAI's endpoints share. */
#pragma once
#include "api/api-private.h"
#include "api/versions-cache.h"
#include "openai/chunks.h"
#include "openai/request.h"

/* ---- find.c */
/* The model that a request names, and the version that runs. */
typedef struct
{
  VendModel *model;
  VendSharedVersion *version;
  json_t *mapping;       /* that its owner states, or NULL */
  VendOpenaiModel shape; /* borrows from both */
} OpenaiModel;

void vend_api_openai_model_clear (OpenaiModel *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OpenaiModel, vend_api_openai_model_clear)

/* "owner/name", "owner/name:version" or an alias of the caller. A fault 404 for what is not there
 * and for what the caller may not see; `error` for what is wrong here. */
bool vend_api_openai_find (VendApi *api, VendDb *db, const VendCaller *caller, const char *name,
                           OpenaiModel *out, VendOpenaiFault *fault, GError **error);
/* The same for a body's `model`, which must fit the endpoint. */
bool vend_api_openai_find_for (VendApi *api, VendDb *db, const VendCaller *caller,
                               const json_t *body, VendOpenaiEndpoint endpoint,
                               const char **out_name, OpenaiModel *out, VendOpenaiFault *fault,
                               GError **error);

/* ---- errors.c */
/* The problem document of a fault; the server restates it. */
VendReply *vend_api_openai_fault (const VendOpenaiFault *fault);
/* What ends a handler that has a fault, or else only an error. */
bool vend_api_openai_refused (const VendOpenaiFault *fault, VendReply **out);
/* Of a run whose row is there: clients must not send the request again. `id` is the prediction. */
VendReply *vend_api_openai_run_problem (const char *id, int status, const char *message,
                                        const char *code);

/* ---- run.c */
typedef struct OpenaiRun OpenaiRun;
/* The reply of a run that succeeded. */
typedef VendReply *(*OpenaiMake) (OpenaiRun *run, const VendPrediction *ended);

struct OpenaiRun
{
  VendApi *api;
  VendCall *call;
  int64_t account_id;
  VendIdempotencyKey *key; /* or NULL */
  VendBlobHolds *holds;
  VendOpenaiEndpoint endpoint;
  char *id;    /* of the prediction */
  char *model; /* as the request names it */
  char *ignored;
  bool stream;
  bool include_usage;
  int64_t max_tokens;
  uint64_t words;
  json_t *stop; /* or NULL */
  int64_t created_us;
  OpenaiMake make;
  bool reads_files; /* `make` blocks */
  bool is_job;      /* answered when its row is on disk, whether or not somebody waits */
  json_t *options;  /* what `make` needs of the request; or NULL */
  /* Of its way to the reply. */
  int64_t hold_until_us;      /* of a whole reply, on the steady clock */
  VendOpenaiAnswer *listener; /* looks for the end of a whole reply; or NULL */
  gsize n_heard;              /* pieces that it has seen */
  VendBroadcast *log;
  VendPrediction *now;
  GError *error;
};

/* Starts the run of a request: `found` and `ask` are borrowed, `options` is taken. Keeps the call,
 * or answers by `*out`. */
typedef struct
{
  VendOpenaiEndpoint endpoint;
  const char *name; /* of the model, as the request has it */
  const OpenaiModel *found;
  const VendOpenaiAsk *ask;
  OpenaiMake make;
  bool reads_files;
  bool is_job;
  json_t *options;
} OpenaiStart;
bool vend_api_openai_run (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                          const OpenaiStart *start, VendReply **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for the `texts` of `options`: a run for each. */
bool vend_api_openai_run_many (VendApi *api, VendCall *call, const VendCaller *caller, VendDb *db,
                               const OpenaiStart *start, VendReply **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* What the schema of the model refuses, in the words of the request. */
VendReply *vend_api_openai_invalid (const VendOpenaiAsk *ask, const json_t *problems);

/* Reads `body` as a request of the endpoint; `*out_options` is for OpenaiStart. */
typedef bool (*OpenaiRead) (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint,
                            const json_t *body, VendOpenaiAsk *ask, json_t **out_options,
                            VendOpenaiFault *fault);
typedef struct
{
  VendOpenaiEndpoint endpoint;
  OpenaiRead read;
  OpenaiMake make;
  bool reads_files;
  bool is_job;
} OpenaiService;
/* Finds the model that `body` names, reads the request and runs it. */
bool vend_api_openai_serve (VendApi *api, VendCall *call, const VendCaller *caller,
                            const json_t *body, const OpenaiService *service, VendReply **out,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Marks a reply with the id of its run, and with what was ignored. */
void vend_api_openai_mark (const OpenaiRun *run, VendReply *reply);

/* The route of a request that runs a model, with a JSON body. */
#define VEND_OPENAI_CREATE(path, handler) \
  { "POST", \
    path, \
    VEND_SCOPE_RUN, \
    VEND_BODY_BUFFER, \
    handler, \
    NULL, \
    VEND_RATE_CREATE, \
    .runs_on = VEND_RUN_AT_ONCE, \
    .reads_files = true }
