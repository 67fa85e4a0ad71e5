/* JSON-RPC 2.0 messages, as far as MCP uses them. Pure. */
#pragma once
#include <stdbool.h>
#include <glib.h>

#include "json/json.h"

#define VEND_RPC_PARSE_ERROR (-32700)
#define VEND_RPC_INVALID_REQUEST (-32600)
#define VEND_RPC_NO_METHOD (-32601)
#define VEND_RPC_INVALID_PARAMS (-32602)
#define VEND_RPC_INTERNAL (-32603)

typedef enum
{
  VEND_RPC_REQUEST,
  VEND_RPC_NOTIFICATION,
  VEND_RPC_RESPONSE,
} VendRpcKind;

/* Borrows from the value that it was read from. */
typedef struct
{
  VendRpcKind kind;
  const json_t *id;     /* of a request or response: text or integer */
  const char *method;   /* of a request or notification */
  const json_t *params; /* an object, or NULL */
} VendRpcMessage;

/* False when the value is none; `*problem` is a constant sentence then, and `out->id` is set when
 * there is one to answer with. */
bool vend_rpc_read (const json_t *value, VendRpcMessage *out, const char **problem)
    G_GNUC_WARN_UNUSED_RESULT;

/* A member of an object that is text; NULL when it is missing or something else. Borrowed. */
const char *vend_rpc_text (const json_t *object, const char *name);

/* New messages. `id` is borrowed, NULL means that the request had none that could be read. `data`
 * may be NULL. */
json_t *vend_rpc_result (const json_t *id, json_t *take_result) G_GNUC_WARN_UNUSED_RESULT;
json_t *vend_rpc_error (const json_t *id, int code, const char *message, json_t *take_data)
    G_GNUC_WARN_UNUSED_RESULT;
json_t *vend_rpc_notification (const char *method, json_t *take_params) G_GNUC_WARN_UNUSED_RESULT;
