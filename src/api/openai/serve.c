/* What all endpoints that run a model do with a request. */
#include "api/openai/openai-private.h"

bool
vend_api_openai_serve (VendApi *api, VendCall *call, const VendCaller *caller, const json_t *body,
                       const OpenaiService *service, VendReply **out, GError **error)
{
  g_auto (VendOpenaiFault) fault = { 0 };
  g_auto (VendOpenaiAsk) ask = { 0 };
  g_auto (OpenaiModel) found = { 0 };
  json_t *options = NULL;
  const char *name = NULL;
  g_auto (VendReader) reader = vend_reader (api->parts.store);
  if (!vend_api_openai_find_for (api, reader.db, caller, body, service->endpoint, &name, &found,
                                 &fault, error)
      || !service->read (&found.shape, service->endpoint, body, &ask, &options, &fault))
    return vend_api_openai_refused (&fault, out);
  const OpenaiStart start = { .endpoint = service->endpoint,
                              .name = name,
                              .found = &found,
                              .ask = &ask,
                              .make = service->make,
                              .options = options,
                              .reads_files = service->reads_files,
                              .is_job = service->is_job };
  if (json_object_get (options, "texts") != NULL)
    return vend_api_openai_run_many (api, call, caller, reader.db, &start, out, error);
  return vend_api_openai_run (api, call, caller, reader.db, &start, out, error);
}
