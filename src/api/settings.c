/* `GET /v1/settings`: the settings of this server, with what they mean. */
#include "api/api-private.h"
#include <string.h>

static const char *
type_name (VendSettingType type)
{
  switch (type)
    {
    case VEND_SETTING_INT:
      return "integer";
    case VEND_SETTING_BOOL:
      return "boolean";
    case VEND_SETTING_SECONDS:
      return "duration";
    case VEND_SETTING_BYTES:
      return "size";
    case VEND_SETTING_TEXT:
    default:
      return "text";
    }
}

static bool
list_settings (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  gsize n = 0;
  const VendSettingInfo *infos = vend_setting_infos (&n);
  json_t *results = json_array ();
  for (gsize i = 0; i < n; i++)
    {
      const char *source = NULL;
      const char *value = vend_settings_raw (api->parts.settings, infos[i].name, &source);
      json_array_append_new (results, json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s}", "name",
                                                 infos[i].name, "type", type_name (infos[i].type),
                                                 "value", value, "default", infos[i].fallback,
                                                 "source", source, "help", infos[i].help));
    }
  *out = vend_reply_json (200, json_pack ("{s:o}", "results", results));
  return true;
}

const ApiRoute vend_api_setting_routes[] = {
  { "GET", "/v1/settings", VEND_SCOPE_ADMIN, VEND_BODY_NONE, list_settings, NULL,
    .runs_on = VEND_RUN_AT_ONCE },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
