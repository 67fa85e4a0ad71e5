/* Chat completions, completions and responses. */
#include "api/openai/openai-private.h"
#include "base/clock.h"

static VendReply *
make_text (OpenaiRun *run, const VendPrediction *ended)
{
  const VendOpenaiVoice voice = { .endpoint = run->endpoint,
                                  .id = run->id,
                                  .model = run->model,
                                  .created_s = run->created_us / VEND_US_PER_S,
                                  .max_tokens = run->max_tokens,
                                  .words = run->words };
  g_autoptr (VendOpenaiAnswer) answer = vend_openai_answer_new (&voice);
  VendReply *reply = vend_reply_json (200, vend_openai_answer_whole (answer, ended));
  vend_api_openai_mark (run, reply);
  return reply;
}

typedef bool (*ReadRequest) (const VendOpenaiModel *model, const json_t *body, VendOpenaiAsk *ask,
                             VendOpenaiFault *fault);

static bool
serve (VendApi *api, VendCall *call, VendCaller *caller, VendOpenaiEndpoint endpoint,
       ReadRequest read, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_auto (VendOpenaiFault) fault = { 0 };
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_auto (OpenaiModel) found = { 0 };
  const char *name = NULL;
  if (!vend_api_object (call, &body, error))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_openai_find_for (api, reader.db, caller, body, endpoint, &name, &found, &fault,
                                 error)
      || !read (&found.shape, body, &ask, &fault))
    return vend_api_openai_refused (&fault, out);
  const OpenaiStart start
      = { .endpoint = endpoint, .name = name, .found = &found, .ask = &ask, .make = make_text };
  return vend_api_openai_run (api, call, caller, reader.db, &start, out, error);
}

static bool
post_chat (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return serve (api, call, caller, VEND_OPENAI_CHAT, vend_openai_read_chat, out, error);
}

static bool
post_completion (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return serve (api, call, caller, VEND_OPENAI_COMPLETIONS, vend_openai_read_completion, out,
                error);
}

static bool
post_response (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return serve (api, call, caller, VEND_OPENAI_RESPONSES, vend_openai_read_response, out, error);
}

#define CREATE(path, handler) \
  { "POST",  path, VEND_SCOPE_RUN,   VEND_BODY_BUFFER, \
    handler, NULL, VEND_RATE_CREATE, .runs_on = VEND_RUN_AT_ONCE }

const ApiRoute vend_api_openai_text_routes[] = {
  CREATE ("/openai/v1/chat/completions", post_chat),
  CREATE ("/openai/v1/completions", post_completion),
  CREATE ("/openai/v1/responses", post_response),
  CREATE ("/v1/chat/completions", post_chat),
  CREATE ("/v1/completions", post_completion),
  CREATE ("/v1/responses", post_response),
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
