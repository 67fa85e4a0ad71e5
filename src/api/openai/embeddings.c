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
post_embeddings (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  g_auto (VendOpenaiFault) fault = { 0 };
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_auto (OpenaiModel) found = { 0 };
  json_t *options = NULL;
  const char *name = NULL;
  if (!vend_api_object (call, &body, error))
    return false;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_openai_find_for (api, reader.db, caller, body, VEND_OPENAI_EMBEDDINGS, &name,
                                 &found, &fault, error)
      || !vend_openai_read_embeddings (&found.shape, body, &ask, &options, &fault))
    return vend_api_openai_refused (&fault, out);
  const OpenaiStart start = { .endpoint = VEND_OPENAI_EMBEDDINGS,
                              .name = name,
                              .found = &found,
                              .ask = &ask,
                              .make = make_embeddings,
                              .options = options };
  return vend_api_openai_run (api, call, caller, reader.db, &start, out, error);
}

const ApiRoute vend_api_openai_embedding_routes[] = {
  { "POST", "/openai/v1/embeddings", VEND_SCOPE_RUN, VEND_BODY_BUFFER, post_embeddings, NULL,
    VEND_RATE_CREATE, .runs_on = VEND_RUN_AT_ONCE },
  { "POST", "/v1/embeddings", VEND_SCOPE_RUN, VEND_BODY_BUFFER, post_embeddings, NULL,
    VEND_RATE_CREATE, .runs_on = VEND_RUN_AT_ONCE },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
