/* `GET /v1/doctor`: what `vend doctor` says of the machine of this server. */
#include "api/api-private.h"
#include "api/command.h"
#include <string.h>

static bool
get_doctor (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  static const char *const words[] = { "doctor", "--local", "--json", NULL };
  char *text = NULL;
  if (!vend_api_command_run (api->parts.settings, words, NULL, &text, error))
    return false;
  *out = vend_reply_json_text (200, text, strlen (text));
  return true;
}

const ApiRoute vend_api_doctor_routes[] = {
  { "GET", "/v1/doctor", VEND_SCOPE_ADMIN, VEND_BODY_NONE, get_doctor, NULL,
    .runs_on = VEND_RUN_BYTES },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
