/* Machines that run instances beside the one of the server. For administrators. */
#include "api/api-private.h"
#include "base/error.h"
#include "machines/machines.h"
#include <string.h>

#define MAX_NAME 64
#define MAX_SYSTEM 200
#define MAX_COUNT 100000

static bool
find_machines (VendApi *api, VendMachines **out, GError **error)
{
  *out = api->parts.machines;
  return *out != NULL
         || vend_fail (error, VEND_ERROR_CONFLICT,
                       "this server takes no machines; start it with --directors address:port");
}

static bool
list_machines (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_t *results = api->parts.machines != NULL ? vend_machines_describe_all (api->parts.machines)
                                                : json_array ();
  *out = vend_reply_json (200, json_pack ("{s:o}", "results", results));
  return true;
}

static bool
show (VendMachines *machines, const char *name, VendReply **out, GError **error)
{
  json_t *described = vend_machines_describe (machines, name);
  if (described == NULL)
    return vend_api_not_found (error);
  *out = vend_reply_json (200, described);
  return true;
}

static bool
get_machine (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  if (api->parts.machines == NULL)
    return vend_api_not_found (error);
  return show (api->parts.machines, vend_call_param (call, "name"), out, error);
}

static bool
check_number (const json_t *hardware, const char *key, int64_t most, GError **error)
{
  const json_t *number = json_object_get (hardware, key);
  return (json_is_integer (number) && json_integer_value (number) >= 0
          && json_integer_value (number) <= most)
         || vend_fail (error, VEND_ERROR_INVALID,
                       "hardware.%s: expected an integer from 0 to %" G_GINT64_FORMAT, key, most);
}

/* Only what is known of it is kept. */
static bool
read_hardware (const json_t *body, json_t **out, GError **error)
{
  const json_t *hardware = json_object_get (body, "hardware");
  const char *system = NULL;
  if (!json_is_object (hardware))
    return vend_fail (error, VEND_ERROR_INVALID, "hardware: expected an object");
  if (!check_number (hardware, "cores", MAX_COUNT, error)
      || !check_number (hardware, "units", MAX_COUNT, error)
      || !check_number (hardware, "memory", G_MAXINT64, error)
      || !vend_api_text (hardware, "system", MAX_SYSTEM, &system, error))
    return false;
  *out = json_pack ("{s:O, s:O, s:O, s:s}", "cores", json_object_get (hardware, "cores"), "memory",
                    json_object_get (hardware, "memory"), "units",
                    json_object_get (hardware, "units"), "system", system);
  return true;
}

static bool
join (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL, *hardware = NULL;
  json_t *joined = NULL;
  VendMachines *machines = NULL;
  const char *name = NULL;
  if (!vend_api_object (call, &body, error)
      || !vend_api_text (body, "name", MAX_NAME, &name, error))
    return false;
  if (!vend_machine_name_is_good (name))
    return vend_fail (
        error, VEND_ERROR_INVALID,
        "name: expected 1 to 63 letters, digits, '.', '_' and '-', the first a letter "
        "or digit");
  if (!read_hardware (body, &hardware, error) || !find_machines (api, &machines, error)
      || !vend_machines_join (machines, name, hardware, &joined, error))
    return false;
  *out = vend_reply_json (201, joined);
  vend_reply_header (*out, "Cache-Control", "no-store");
  return true;
}

static bool
change_machine (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  json_auto_t *body = NULL;
  VendMachines *machines = NULL;
  const char *name = vend_call_param (call, "name");
  if (!vend_api_object (call, &body, error))
    return false;
  const json_t *draining = json_object_get (body, "draining");
  if (!json_is_boolean (draining))
    return vend_fail (error, VEND_ERROR_INVALID, "draining: expected true or false");
  if (!find_machines (api, &machines, error)
      || !vend_machines_drain (machines, name, json_is_true (draining), error))
    return false;
  return show (machines, name, out, error);
}

static bool
delete_machine (VendApi *api, VendCall *call, VendCaller *caller, VendReply **out, GError **error)
{
  VendMachines *machines = NULL;
  if (!find_machines (api, &machines, error)
      || !vend_machines_remove (machines, vend_call_param (call, "name"), error))
    return false;
  *out = vend_reply_empty (204);
  return true;
}

const ApiRoute vend_api_machine_routes[] = {
  { "GET", "/v1/machines", VEND_SCOPE_ADMIN, VEND_BODY_NONE, list_machines, NULL,
    .runs_on = VEND_RUN_AT_ONCE },
  { "POST", "/v1/machines", VEND_SCOPE_ADMIN, VEND_BODY_BUFFER, join, NULL },
  { "GET", "/v1/machines/{name}", VEND_SCOPE_ADMIN, VEND_BODY_NONE, get_machine, NULL,
    .runs_on = VEND_RUN_AT_ONCE },
  { "PATCH", "/v1/machines/{name}", VEND_SCOPE_ADMIN, VEND_BODY_BUFFER, change_machine, NULL },
  { "DELETE", "/v1/machines/{name}", VEND_SCOPE_ADMIN, VEND_BODY_NONE, delete_machine, NULL },
  { NULL, NULL, 0, VEND_BODY_NONE, NULL, NULL },
};
