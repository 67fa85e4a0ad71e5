/* Embeddings. */
#include "openai/embeddings.h"
#include "api/openai/openai-private.h"

static VendReply *
make_embeddings (OpenaiRun *run, const VendPrediction *ended)
{
  g_autofree char *problem = NULL;
  json_t *made = vend_openai_embeddings (ended->output, ended->metrics, run->options, run->model,
                                         run->words, &problem);
  if (made == NULL)
    return vend_api_openai_run_problem (run->id, 500, problem, "bad_output");
  VendReply *reply = vend_reply_json (200, made);
  vend_api_openai_mark (run, reply);
  return reply;
}

static bool
read_embeddings (const VendOpenaiModel *model, VendOpenaiEndpoint endpoint, const json_t *body,
                 VendOpenaiAsk *ask, json_t **out_options, VendOpenaiFault *fault)
{
  return vend_openai_read_embeddings (model, body, ask, out_options, fault);
}

static bool
post_embeddings (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  static const OpenaiService service
      = { .endpoint = VEND_OPENAI_EMBEDDINGS, .read = read_embeddings, .make = make_embeddings };
  json_auto_t *body = NULL;
  return vend_api_object (call, &body, error)
         && vend_api_openai_serve (api, call, caller, body, &service, out, error);
}

const ApiRoute vend_api_openai_embedding_routes[] = {
  VEND_OPENAI_CREATE ("/openai/v1/embeddings", post_embeddings),
  VEND_OPENAI_CREATE ("/v1/embeddings", post_embeddings),
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
