/* The extension for tasks: a prediction is one. */
#include "base/clock.h"
#include "base/error.h"
#include "mcp/mcp-private.h"

#define POLL_MS 1000

static const char *
state_of (const VendPrediction *now)
{
  if (!vend_status_is_terminal (now->status))
    return "working";
  /* What a model says is wrong is the result of a task that has done its work. */
  return now->status == VEND_STATUS_CANCELED ? "cancelled" : "completed";
}

json_t *
mcp_show_task (McpRequest *request, const VendPrediction *now)
{
  const int64_t changed_us = MAX (now->completed_us, MAX (now->started_us, now->created_us));
  const char *state = state_of (now);
  json_t *task = json_object ();
  vend_json_set_string (task, "taskId", now->id);
  vend_json_set_string (task, "status", state);
  vend_json_set_string (task, "statusMessage", vend_status_name (now->status));
  vend_json_set_time (task, "createdAt", now->created_us);
  vend_json_set_time (task, "lastUpdatedAt", changed_us);
  json_object_set_new (task, "ttlMs", json_null ());
  vend_json_set_int (task, "pollIntervalMs", POLL_MS);
  if (g_strcmp0 (state, "completed") == 0)
    {
      json_t *result = mcp_show_prediction (request, now, true);
      vend_json_set_string (result, "resultType", "complete");
      json_object_set_new (task, "result", result);
    }
  return task;
}

static void
no_task (McpRequest *request, const GError *error)
{
  if (g_error_matches (error, VEND_ERROR, VEND_ERROR_NOT_FOUND))
    mcp_refuse (request, VEND_RPC_INVALID_PARAMS, "Unknown task", NULL);
  else
    mcp_refuse_error (request, error);
}

static void
tell (McpRequest *request, const VendPrediction *now, const GError *error)
{
  if (now == NULL)
    no_task (request, error);
  else
    mcp_answer (request, mcp_show_task (request, now));
}

static void
acknowledge (McpRequest *request, const VendPrediction *now, const GError *error)
{
  if (now == NULL)
    no_task (request, error);
  else
    mcp_answer (request, json_object ());
}

bool
mcp_needs_tasks (McpRequest *request)
{
  if (vend_mcp_takes_tasks (request->rpc.params))
    return true;
  mcp_refuse (request, VEND_MCP_NO_CAPABILITY, "Missing required client capability",
              json_pack ("{s:{s:{s:{}}}}", "requiredCapabilities", "extensions", VEND_MCP_TASKS));
  return false;
}

static void
look_up (McpRequest *request, bool cancels, McpLooked done)
{
  const char *id = vend_rpc_text (request->rpc.params, "taskId");
  if (!mcp_needs_tasks (request))
    return;
  if (id == NULL)
    mcp_refuse (request, VEND_RPC_INVALID_PARAMS, "taskId: expected a string", NULL);
  else
    mcp_look (request, id, cancels, done);
}

void
mcp_get_task (McpRequest *request)
{
  look_up (request, false, tell);
}

/* No task of this server asks its client for anything. */
void
mcp_update_task (McpRequest *request)
{
  look_up (request, false, acknowledge);
}

void
mcp_cancel_task (McpRequest *request)
{
  if (mcp_needs_scope (request, VEND_SCOPE_RUN))
    look_up (request, true, acknowledge);
}
