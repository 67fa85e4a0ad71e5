/* Errors of OpenAI's endpoints: every problem of these paths passes here on its way out. */
#include "api/openai/openai-private.h"
#include "base/id.h"

VendReply *
vend_api_openai_fault (const VendOpenaiFault *fault)
{
  json_t *problem = json_object ();
  vend_json_set_string (problem, "title", "Invalid request");
  vend_json_set_string (problem, "detail", fault->message);
  vend_json_set_int (problem, "status", fault->status);
  vend_json_set_string (problem, "param", fault->param);
  vend_json_set_string (problem, "code", fault->code);
  return vend_reply_problem_json (fault->status, problem);
}

bool
vend_api_openai_refused (const VendOpenaiFault *fault, VendReply **out)
{
  if (fault->message == NULL)
    return false;
  *out = vend_api_openai_fault (fault);
  return true;
}

VendReply *
vend_api_openai_run_problem (const char *id, int status, const char *message, const char *code)
{
  json_t *problem = json_object ();
  vend_json_set_string (problem, "detail", message);
  vend_json_set_int (problem, "status", status);
  vend_json_set_string (problem, "code", code);
  vend_json_set_string (problem, "request_id", id);
  VendReply *reply = vend_reply_problem_json (status, problem);
  vend_reply_header (reply, "x-should-retry", "false");
  return reply;
}

VendReply *
vend_api_restate (const char *path, int status, const json_t *problem)
{
  if (!vend_openai_has_path (path))
    return NULL;
  int own_status = status;
  json_t *body = vend_openai_error_of_problem (status, problem, &own_status);
  VendReply *reply = vend_reply_json (own_status, body);
  const char *run = vend_json_string (problem, "request_id");
  g_autofree char *id = run != NULL ? g_strdup (run) : vend_id_new ();
  vend_reply_header (reply, "x-request-id", id);
  if (status == 429 || status == 503)
    vend_reply_header (reply, "retry-after-ms", "1000");
  return reply;
}
