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
                                  .words = run->words,
                                  .stop = run->stop };
  g_autoptr (VendOpenaiAnswer) answer = vend_openai_answer_new (&voice);
  VendReply *reply = vend_reply_json (200, vend_openai_answer_whole (answer, ended));
  vend_api_openai_mark (run, reply);
  return reply;
}

static bool
read_chat (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint, const json_t *body,
           VendOpenaiAsk *ask, json_t **out_options, VendOpenaiFault *fault)
{
  return vend_openai_read_chat (model, body, ask, fault);
}

static bool
read_completion (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint, const json_t *body,
                 VendOpenaiAsk *ask, json_t **out_options, VendOpenaiFault *fault)
{
  return vend_openai_read_completion (model, body, ask, fault);
}

static bool
read_response (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint, const json_t *body,
               VendOpenaiAsk *ask, json_t **out_options, VendOpenaiFault *fault)
{
  return vend_openai_read_response (model, body, ask, fault);
}

static bool
serve (VendApi *api, VendCall *call, VendCaller *caller, VendOpenaiEndpoint endpoint,
       OpenaiRead read, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  const OpenaiService service = { .endpoint = endpoint, .read = read, .make = make_text };
  return vend_api_object (call, &body, error)
         && vend_api_openai_serve (api, call, caller, body, &service, out, error);
}

static bool
post_chat (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return serve (api, call, caller, VEND_OPENAI_CHAT, read_chat, out, error);
}

static bool
post_completion (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return serve (api, call, caller, VEND_OPENAI_COMPLETIONS, read_completion, out, error);
}

static bool
post_response (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  return serve (api, call, caller, VEND_OPENAI_RESPONSES, read_response, out, error);
}

const ApiRoute vend_api_openai_text_routes[] = {
  VEND_OPENAI_CREATE ("/openai/v1/chat/completions", post_chat),
  VEND_OPENAI_CREATE ("/openai/v1/completions", post_completion),
  VEND_OPENAI_CREATE ("/openai/v1/responses", post_response),
  VEND_OPENAI_CREATE ("/v1/chat/completions", post_chat),
  VEND_OPENAI_CREATE ("/v1/completions", post_completion),
  VEND_OPENAI_CREATE ("/v1/responses", post_response),
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
