/* One request of MCP and its way to an answer; shared by the files of this folder. */
#pragma once
#include "api/create.h"
#include "api/handler.h"
#include "mcp/protocol.h"

/* Of an answer: the official Python client takes events of at most 1 MiB. */
#define MCP_ANSWER_BYTES ((gsize) 1000 * 1000)
/* Of a file in an answer; base64 makes it a third larger. */
#define MCP_INLINE_BYTES ((gsize) 700 * 1024)
#define MCP_MAX_MODELS 50
#define MCP_MODEL_URI "vend://model/"
#define MCP_PREDICTION_URI "vend://prediction/"

typedef struct McpBatch McpBatch;

/* Made on an HTTP thread, answered once on any thread but the core, shared by those who work on it.
 * Members above the lock do not change after it was made. */
typedef struct
{
  gatomicrefcount refs;
  VendApi *api;
  VendCaller *caller;
  char *origin;
  char *remote; /* the client's address */
  json_t *message;
  VendRpcMessage rpc; /* borrows from `message` */
  VendMcpRevision revision;
  GStrv models;                 /* "owner/name" of an endpoint for models, or NULL */
  const json_t *progress_token; /* or NULL */
  bool accepts_stream;
  bool accepts_json;
  McpBatch *batch; /* that it is part of, or NULL */
  guint slot;      /* its place there */

  GMutex lock;
  VendCall *call; /* until there is a reply */
  bool is_answered;
  bool is_streaming;
  VendSignal *signal; /* of the stream, like the next two */
  GString *pending;
  gsize sent;
  char *prediction; /* that this request has begun, and that its client may cancel by leaving */
} McpRequest;

McpRequest *mcp_request_ref (McpRequest *request);
void mcp_request_unref (McpRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (McpRequest, mcp_request_unref)

/* ---- request.c. Answers: each ends the request. `result` and `data` are taken. */
void mcp_answer (McpRequest *request, json_t *result);
void mcp_refuse (McpRequest *request, int code, const char *message, json_t *data);
/* Details of what is wrong with the server go to its log. */
void mcp_refuse_error (McpRequest *request, const GError *error);
/* The same with the HTTP reply of somebody else, where the request has one of its own; `code` and
 * `message` where not. */
void mcp_refuse_by (McpRequest *request, VendReply *take, int code, const char *message);
/* The answer will be an event of a stream, which begins now; nothing where the client takes no
 * streams. Any thread. */
void mcp_start_stream (McpRequest *request);
/* A note on the stream; nothing without one. Any thread; for short notes. */
void mcp_notify (McpRequest *request, const char *method, json_t *take_params);
/* The request has begun a prediction, which is on disk: until the answer its client may cancel it.
 */
void mcp_begin_prediction (McpRequest *request, const char *id);
/* Cancels the prediction that the request of this id has begun and not answered yet. Before
 * VEND_MCP_MODERN a client does that by a notification, and ids are those of its session. Without
 * sessions the request is looked for among those of the token and address; nothing happens when
 * several have the id. */
void mcp_cancel_request (VendApi *api, const VendCaller *caller, const char *remote,
                         const json_t *id);
/* The client has left before the answer. */
bool mcp_is_deserted (McpRequest *request);
/* Name and version of this server. */
json_t *mcp_server_info (void) G_GNUC_WARN_UNUSED_RESULT;
bool mcp_is_modern (const McpRequest *request);

/* The HTTP request, until the request is answered or streams. */
VendCall *mcp_call_of (McpRequest *request);

/* A batch of `n` requests, answered by one reply when all are. */
McpBatch *mcp_batch_new (VendCall *call, guint n);

/* ---- tools.c */
void mcp_list_tools (McpRequest *request);
void mcp_call_tool (McpRequest *request);
/* A result that says what is wrong, for the language model to read. */
json_t *mcp_tool_error (const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* Answers a tool call: by such a result when the language model can do something about it. */
void mcp_fail_tool (McpRequest *request, const GError *error);
/* Whether the token has the scope; answers when not. */
bool mcp_needs_scope (McpRequest *request, VendScope scope) G_GNUC_WARN_UNUSED_RESULT;
/* Changes when the list of tools does. Blocks; free with g_free. */
char *mcp_tools_digest (McpRequest *request) G_GNUC_WARN_UNUSED_RESULT;
/* Arguments that do not fit, in the way of the revision. */
void mcp_refuse_arguments (McpRequest *request, const char *text);

/* ---- run.c */
/* Runs a version and answers with its end, or with how to go on. Thread of a lane. */
bool mcp_run (McpRequest *request, VendDb *db, const VendModel *model, const VendVersion *version,
              json_t *input, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- look.c */
/* A prediction of the caller as it is now; with `cancels` after its cancellation was requested.
 * `done` answers, on a thread that may block; NULL `now` with NOT_FOUND for any other prediction.
 */
typedef void (*McpLooked) (McpRequest *request, const VendPrediction *now, const GError *error);
void mcp_look (McpRequest *request, const char *id, bool cancels, McpLooked done);
/* Its row; NOT_FOUND as above. Blocks. */
bool mcp_load_prediction (McpRequest *request, const char *id, VendPrediction **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- content.c. Threads that may block. */
/* The result of a tool that tells of a prediction. `is_run`: of the tool that ran it, so that its
 * failure is one of the tool. */
json_t *mcp_show_prediction (McpRequest *request, const VendPrediction *now, bool is_run)
    G_GNUC_WARN_UNUSED_RESULT;
/* Base64 of a stored content of at most `most` bytes; NULL when it is larger or not there. */
char *mcp_read_base64 (VendApi *api, const char *sha256, gsize most);
/* The output file that a URL of this server names, or NULL. */
VendOutput *mcp_find_output (McpRequest *request, VendDb *db, const char *url);
/* A result with an object as text and as structured content. */
json_t *mcp_structured_result (McpRequest *request, json_t *take_object) G_GNUC_WARN_UNUSED_RESULT;

/* ---- resources.c, tasks.c */
void mcp_list_resources (McpRequest *request);
void mcp_list_resource_templates (McpRequest *request);
void mcp_read_resource (McpRequest *request);
/* Changes when the list of resources does, in its first thousand. Blocks; free with g_free. */
char *mcp_resources_digest (McpRequest *request) G_GNUC_WARN_UNUSED_RESULT;
/* Changes when the resource of a model does; NULL for one that is not there. Likewise. */
char *mcp_model_digest (McpRequest *request, const char *uri) G_GNUC_WARN_UNUSED_RESULT;
void mcp_get_task (McpRequest *request);
void mcp_update_task (McpRequest *request);
void mcp_cancel_task (McpRequest *request);
/* Whether the client takes tasks; answers when not. */
bool mcp_needs_tasks (McpRequest *request) G_GNUC_WARN_UNUSED_RESULT;
/* The members of a task, with its result when it has one. */
json_t *mcp_show_task (McpRequest *request, const VendPrediction *now) G_GNUC_WARN_UNUSED_RESULT;

/* ---- listen.c */
void mcp_listen (McpRequest *request);

/* ---- Results that may be cached, from VEND_MCP_MODERN on. */
void mcp_allow_cache (McpRequest *request, json_t *result, int64_t ttl_ms, bool is_public);
