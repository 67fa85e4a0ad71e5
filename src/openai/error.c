/* Errors in the form that OpenAI's clients read. */
#include "openai/error.h"
#include <string.h>

#define PROBLEM_URN "urn:vend:error:"

/* On /v1, beside the Replicate API; those below /openai are all of this form. */
static const char *const own_folders[]
    = { "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses",
        "/v1/images/",          "/v1/audio/",      "/v1/videos" };

void
vend_openai_fault_clear (VendOpenaiFault *fault)
{
  g_clear_pointer (&fault->message, g_free);
  g_clear_pointer (&fault->param, g_free);
}

bool
vend_openai_refuse (VendOpenaiFault *fault, const char *param, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  vend_openai_fault_clear (fault);
  *fault = (VendOpenaiFault){ 400, g_strdup_vprintf (format, args), g_strdup (param),
                              "invalid_value" };
  va_end (args);
  return false;
}

static const char *
type_of (int status)
{
  switch (status)
    {
    case 401:
      return "authentication_error";
    case 402:
      return "insufficient_quota";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

json_t *
vend_openai_error (int status, const char *message, const char *param, const char *code)
{
  json_t *error = json_object ();
  vend_json_set_string (error, "message", message != NULL ? message : "");
  vend_json_set_string (error, "type", type_of (status));
  vend_json_set_string (error, "param", param);
  vend_json_set_string (error, "code", code);
  return json_pack ("{s:o}", "error", error);
}

json_t *
vend_openai_error_of_problem (int status, const json_t *problem, int *out_status)
{
  const char *detail = vend_json_string (problem, "detail");
  const char *code = vend_json_string (problem, "code");
  const char *type = vend_json_string (problem, "type");
  const char *title = vend_json_string (problem, "title");
  if (code == NULL && status == 401)
    code = "invalid_api_key";
  if (code == NULL && type != NULL && g_str_has_prefix (type, PROBLEM_URN))
    code = type + strlen (PROBLEM_URN);
  *out_status = status == 422 ? 400 : status;
  return vend_openai_error (*out_status, detail != NULL ? detail : title,
                            vend_json_string (problem, "param"), code);
}

bool
vend_openai_has_path (const char *path)
{
  if (g_str_has_prefix (path, "/openai/"))
    return true;
  for (gsize i = 0; i < G_N_ELEMENTS (own_folders); i++)
    if (g_str_has_prefix (path, own_folders[i]))
      return true;
  return false;
}
