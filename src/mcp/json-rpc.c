/* JSON-RPC 2.0 messages, as far as MCP uses them. Pure. */
#include "mcp/json-rpc.h"
#include <string.h>

static bool
is_id (const json_t *id)
{
  return vend_json_is_string (id) || (vend_json_is_integer (id) && !vend_json_is_big (id));
}

static bool
read_call (const json_t *value, VendRpcMessage *out, const char **problem)
{
  const json_t *method = json_object_get (value, "method");
  const json_t *params = json_object_get (value, "params");
  if (!vend_json_is_string (method))
    *problem = "method: expected a string";
  else if (params != NULL && !json_is_object (params))
    *problem = "params: expected an object";
  else
    {
      out->method = json_string_value (method);
      out->params = params;
      return true;
    }
  return false;
}

bool
vend_rpc_read (const json_t *value, VendRpcMessage *out, const char **problem)
{
  *out = (VendRpcMessage){ .kind = VEND_RPC_REQUEST };
  if (!json_is_object (value))
    {
      *problem = "expected a JSON-RPC message, which is an object";
      return false;
    }
  const json_t *id = json_object_get (value, "id");
  out->id = is_id (id) ? id : NULL;
  const char *version = vend_rpc_text (value, "jsonrpc");
  if (version == NULL || strcmp (version, "2.0") != 0)
    {
      *problem = "jsonrpc: expected \"2.0\"";
      return false;
    }
  const bool is_call = json_object_get (value, "method") != NULL;
  if (id != NULL && out->id == NULL && (is_call || !json_is_null (id)))
    {
      *problem = "id: expected a string or an integer";
      return false;
    }
  if (!is_call)
    {
      out->kind = VEND_RPC_RESPONSE;
      *problem = "expected a method, a result or an error";
      return (json_object_get (value, "result") != NULL)
             != (json_object_get (value, "error") != NULL);
    }
  out->kind = id != NULL ? VEND_RPC_REQUEST : VEND_RPC_NOTIFICATION;
  return read_call (value, out, problem);
}

const char *
vend_rpc_text (const json_t *object, const char *name)
{
  const json_t *value = json_object_get (object, name);
  return vend_json_is_string (value) ? json_string_value (value) : NULL;
}

static json_t *
message_new (const json_t *id)
{
  json_t *message = json_pack ("{s:s}", "jsonrpc", "2.0");
  if (id != NULL)
    json_object_set (message, "id", (json_t *) id);
  return message;
}

json_t *
vend_rpc_result (const json_t *id, json_t *take_result)
{
  json_t *message = message_new (id);
  json_object_set_new (message, "result", take_result);
  return message;
}

json_t *
vend_rpc_error (const json_t *id, int code, const char *message, json_t *take_data)
{
  json_t *error = json_object ();
  vend_json_set_int (error, "code", code);
  vend_json_set_string (error, "message", message);
  if (take_data != NULL)
    json_object_set_new (error, "data", take_data);
  json_t *whole = message_new (id);
  json_object_set_new (whole, "error", error);
  return whole;
}

json_t *
vend_rpc_notification (const char *method, json_t *take_params)
{
  json_t *message = message_new (NULL);
  vend_json_set_string (message, "method", method);
  json_object_set_new (message, "params", take_params);
  return message;
}
