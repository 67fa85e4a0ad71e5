/* `GET /v1/advice`: what `vend advise` recommends by the history of an account. */
#include "api/api-private.h"
#include "api/command.h"
#include <string.h>

static bool
get_advice (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  static const char *const words[] = { "advise", "--history", "-", "--json", NULL };
  g_autofree char *history = NULL;
  char *text = NULL;
  if (!vend_api_history_text (api, call, caller, &history, error)
      || !vend_api_command_run (api->parts.settings, words, history, &text, error))
    return false;
  *out = vend_reply_json_text (200, text, strlen (text));
  return true;
}

const ApiRoute vend_api_advice_routes[] = {
  { "GET", "/v1/advice", VEND_SCOPE_READ, VEND_BODY_NONE, get_advice, NULL,
    .runs_on = VEND_RUN_BYTES },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
